"""The gate weighs coverage folder by folder, and everybody calls it by the same words."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from whiteroute.tools import check

Build = Callable[[Mapping[str, str]], Path]


def measured(covered: int, total: int) -> check.Counts:
    """So many lines of so many were run, and one way of two was gone."""
    return check.Counts(
        covered_lines=covered, num_statements=total, covered_branches=1, num_branches=2
    )


def test_a_file_counts_for_the_nearest_folder_above_it() -> None:
    files = {
        "engine/session/window.py": measured(8, 8),
        "engine/link.py": measured(3, 8),
        "engine/sessions.py": measured(7, 8),
    }

    engine, session = check.weigh(files, {"engine": 50, "engine/session": 95, "pdu": 100})

    assert ("engine", {"engine/link.py", "engine/sessions.py"}) == (
        engine.folder,
        set(engine.files),
    )
    assert ("engine/session", 90.0) == (session.folder, session.percent)
    assert 60.0 == engine.percent
    assert (True, False) == (engine.holds, session.holds)


def test_a_file_without_a_floor_is_a_fault() -> None:
    with pytest.raises(LookupError, match=r"attic/a\.py: no floor"):
        check.weigh({"attic/a.py": measured(8, 8)}, {"pdu": 100})


def test_an_empty_folder_is_whole() -> None:
    assert 100.0 == check.FolderCoverage(folder="pdu", floor=100, files={}).percent


def test_the_floor_is_kept_before_rounding() -> None:
    nearly = {"pdu/a.py": measured(99_998, 99_998)}

    assert not check.FolderCoverage(folder="pdu", floor=100, files=nearly).holds


SMALL_HOUSE = {
    "pyproject.toml": """
        [tool.mypy]
        files = ["pdu"]
        [tool.pyright]
        include = ["pdu"]
        [tool.pytest.ini_options]
        addopts = ["--import-mode=importlib", "-p", "no:cacheprovider"]
        pythonpath = ["."]
        markers = ["slow: takes seconds"]
        [tool.coverage.run]
        branch = true
        source = ["pdu"]
        relative_files = true
        parallel = true
        [tool.whiteroute.coverage-floors]
        pdu = 100
    """,
    "pdu/__init__.py": "",
    "pdu/window.py": "def left(window: int, sent: int) -> int:\n    return window - sent\n",
    "tests/house/test_window.py": (
        "from pdu.window import left\n\n\n"
        "def test_what_is_left() -> None:\n    assert 3 == left(10, 7)\n"
    ),
}


@pytest.fixture
def gate(
    build: Build, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run the real gate on the small house with these files changed: exit code, all it printed."""

    def run(changes: Mapping[str, str], *options: str) -> tuple[int, str]:
        monkeypatch.chdir(build(SMALL_HOUSE | changes))
        # This test is measured itself; the small house is measured apart.
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        done = CliRunner().invoke(check.main, options)
        return done.exit_code, done.output + "".join(capfd.readouterr())

    return run


@pytest.mark.slow
def test_the_gate_opens_for_a_sound_house(gate: Callable[..., tuple[int, str]]) -> None:
    code, printed = gate({})

    assert 0 == code, printed
    assert "pdu               100.00 of 100  ok" in printed
    assert "The gate is open." in printed


@pytest.mark.slow
def test_the_gate_names_everything_that_failed(gate: Callable[..., tuple[int, str]]) -> None:
    window = "import os\ndef left( window: int, sent: int)->str:\n  return window-sent\n"

    code, printed = gate({"pdu/window.py": window, "pdu/unread.py": "t\x65h = 1\n"})

    assert 1 == code
    assert (
        "The gate stays shut: format, lint, types (mypy), types (pyright), spelling, coverage"
        in printed
    )
    assert "pdu/unread.py" in printed


@pytest.mark.slow
def test_a_file_that_is_not_python_shuts_the_gate_without_a_traceback(
    gate: Callable[..., tuple[int, str]],
) -> None:
    code, printed = gate({"pdu/broken.py": "left = = 3\n"})

    assert 1 == code
    assert "types (pyright), coverage" in printed
    assert "Traceback" not in printed


@pytest.mark.slow
def test_the_fast_half_leaves_out_what_takes_long(gate: Callable[..., tuple[int, str]]) -> None:
    code, printed = gate({"pdu/unread.py": "SEEN = 1\n"}, "--fast")

    assert 0 == code, printed
    assert "pyright" not in printed
    assert "coverage" not in printed


def test_makefile_and_workflow_and_ci_call_the_one_gate(house: Path) -> None:
    assert "-m whiteroute.tools.check\n" in (house / "Makefile").read_text("utf-8")
    for caller in (".github/workflows/test.yml", ".ci/run"):
        text = (house / caller).read_text("utf-8")
        assert "make test" in text
        assert not [step for step in check.STEPS if f"{step.command[0]} " in text]


def test_everything_the_gate_runs_is_in_the_dev_extra(house: Path) -> None:
    project = tomllib.loads((house / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = " ".join(project["optional-dependencies"]["dev"])

    steps = (*check.STEPS, check.HOUSE_TESTS, check.ALL_TESTS)
    assert [] == [s.name for s in steps if s.command[0].removesuffix("_lib") not in wanted]
