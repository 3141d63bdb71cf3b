"""The command `bench`: what things cost on this machine, measured here and now.

What is measured stands in `benches`, a module each; here it is chosen, paced and printed.
"""

from collections.abc import Iterator
from importlib import import_module

import click

from .benches import BENCHES
from .benches.figure import Figure, Pace
from .output import print_json, say
from .tables import print_table

_COLUMNS = ("case", "subject", "#value", "unit", "#CPU s per 100k", "#ratio", "beside")


@click.command("bench")
@click.argument("names", nargs=-1, metavar="[NAME]...", type=click.Choice(list(BENCHES)))
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=Pace().rounds,
    show_default=True,
    help="Figures are medians of so many.",
)
@click.option(
    "--lap",
    type=click.FloatRange(min=0),
    default=Pace().lap,
    show_default=True,
    help="CPU seconds for one subject in one round.",
)
@click.option("--json", "as_json", is_flag=True, help="A figure per line, as soon as it is known.")
def command(names: tuple[str, ...], rounds: int, lap: float, as_json: bool) -> None:
    """Measure what things cost; without NAME, everything there is.

    A ratio is the value divided by that of the subject beside it, of the same rounds: these may be
    compared between machines.
    """
    pace = Pace(rounds=rounds, lap=lap)
    for name in names or BENCHES:
        figures = _measure(name, pace)
        if as_json:
            for figure in figures:
                print_json(figure.to_dict())
        else:
            _print(name, list(figures))


def _measure(name: str, pace: Pace) -> Iterator[Figure]:
    module = import_module(f".benches.{name}", __package__)
    figures: Iterator[Figure] = module.measure(pace, say)
    return figures


def _print(name: str, figures: list[Figure]) -> None:
    print_table(
        f"{name}: {BENCHES[name]}", _COLUMNS, map(_row, figures), roomy=("#CPU s per 100k",)
    )
    ran = {package: release for figure in figures for package, release in figure.versions.items()}
    said = ", ".join(f"{package} {release}" for package, release in ran.items())
    say(f"\nMedians of {max(figure.runs for figure in figures)} rounds. {said}.")


def _row(figure: Figure) -> tuple[str, ...]:
    per_100k = figure.cpu_s_per_100k
    return (
        figure.case,
        figure.subject,
        f"{figure.value:,.0f}",
        figure.unit,
        "" if per_100k is None else f"{per_100k:.3f}",
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.reference or "",
    )
