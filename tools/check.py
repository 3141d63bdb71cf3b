"""The gate: everything that must hold before a change lands, in one order, here and in CI alike.

`make test` runs `python -m whiteroute.tools.check` in an environment with the dev extra; `--fast`
leaves out what takes longer than a commit should wait for. It needs a checkout, not a wheel.
"""

import json
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

import attrs
import cattrs
import click


@attrs.frozen(kw_only=True)
class Step:
    """One check: what it is called, and the module and arguments that this Python runs for it."""

    name: str
    command: tuple[str, ...]
    fast: bool = True
    """Part of `--fast`, too."""


STEPS = (
    Step(name="format", command=("ruff", "format", "--check", ".")),
    Step(name="lint", command=("ruff", "check", ".")),
    Step(name="types (mypy)", command=("mypy",)),
    # Left alone, pyright asks whichever Python stands first in PATH what is installed.
    Step(name="types (pyright)", command=("pyright", "--pythonpath", sys.executable), fast=False),
    Step(name="spelling", command=("codespell_lib",)),
)
"""What reads the source without running it. All are run, so that one fault does not hide another."""

HOUSE_TESTS = Step(name="house tests", command=("pytest", "-m", "not slow", "tests/house"))
ALL_TESTS = Step(name="tests", command=("coverage", "run", "-m", "pytest"))


@attrs.frozen(kw_only=True)
class Counts:
    """The figures of one file in the report of `coverage json`, spelt as there."""

    covered_lines: int
    num_statements: int
    covered_branches: int
    num_branches: int


@attrs.frozen(kw_only=True)
class FolderCoverage:
    """How much of one folder the tests ran, lines and branches counted alike."""

    folder: str
    floor: float
    """Percent that may not be undercut."""
    files: Mapping[str, Counts]

    @property
    def percent(self) -> float:
        """Share of lines and branches that were run; 100 where there is nothing to run."""
        counts = self.files.values()
        run = sum(each.covered_lines + each.covered_branches for each in counts)
        there = sum(each.num_statements + each.num_branches for each in counts)
        return 100.0 * run / there if there else 100.0

    @property
    def holds(self) -> bool:
        """Whether the floor is kept, compared before any rounding."""
        return self.percent >= self.floor


def weigh(files: Mapping[str, Counts], floors: Mapping[str, float]) -> tuple[FolderCoverage, ...]:
    """Gather measured files by folder; a file counts for the longest folder in `floors` above it.

    Returns one entry per folder that has files, in the order of `floors`.

    Raises:
        LookupError: A file lies under none of the folders.
    """
    folders: dict[str, dict[str, Counts]] = {folder: {} for folder in floors}
    for path, counts in files.items():
        above = [folder for folder in floors if path.startswith(f"{folder}/")]
        if not above:
            raise LookupError(f"{path}: no floor in [tool.whiteroute.coverage-floors] is for it")
        folders[max(above, key=len)][path] = counts
    return tuple(
        FolderCoverage(folder=folder, floor=floors[folder], files=inside)
        for folder, inside in folders.items()
        if inside
    )


def _passes(step: Step) -> bool:
    click.echo(f"-- {step.name}: {' '.join(step.command)}")
    started_at = time.monotonic()
    passes = subprocess.run([sys.executable, "-m", *step.command], check=False).returncode == 0
    seconds = time.monotonic() - started_at
    click.echo(f"-- {step.name}: {'ok' if passes else 'FAILED'} in {seconds:.1f} s\n")
    return passes


def _coverage(*arguments: str) -> str:
    command = [sys.executable, "-m", "coverage", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _keeps_the_coverage_floors() -> bool:
    try:
        _coverage("combine", "--quiet")
        report = json.loads(_coverage("json", "--quiet", "-o", "-"))
    except subprocess.CalledProcessError:
        return False  # It has said why: no test ran, or a file is not Python.
    files = {
        path: cattrs.structure(entry["summary"], Counts) for path, entry in report["files"].items()
    }
    settings = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    folders = weigh(files, settings["tool"]["whiteroute"]["coverage-floors"])
    click.echo("-- coverage by folder, percent of lines and branches")
    for folder in folders:
        mark = "ok" if folder.holds else "TOO LOW"
        click.echo(f"   {folder.folder:<18}{folder.percent:6.2f} of {folder.floor:g}  {mark}")
    low = [path for folder in folders if not folder.holds for path in folder.files]
    if low:
        click.echo(_coverage("report", "-m", "--skip-covered", f"--include={','.join(low)}"))
    return not low


@click.command()
@click.option("--fast", is_flag=True, help="Only what reads, and the tests of the house itself.")
def main(fast: bool) -> None:
    """Run the gate on the checkout in this folder.

    Exit code 1, and the names of what failed on standard error, if it does not open.
    """
    failed = [step.name for step in STEPS if (step.fast or not fast) and not _passes(step)]
    if fast:
        failed += [] if _passes(HOUSE_TESTS) else [HOUSE_TESTS.name]
    else:
        _coverage("erase")
        failed += [] if _passes(ALL_TESTS) else [ALL_TESTS.name]
        failed += [] if _keeps_the_coverage_floors() else ["coverage"]
    if failed:
        raise SystemExit(f"The gate stays shut: {', '.join(failed)}")
    click.echo("The gate is open.")


if __name__ == "__main__":
    main()
