"""Tables for eyes: framed and coloured on a terminal, aligned plain lines anywhere else.

Nothing is ever cut off: a cell that is too long for its column takes another line.
"""

import sys
from collections.abc import Collection, Iterable, Sequence

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

ROOMY = 120
"""Columns of a terminal from which on every column of a table is shown."""

STYLES = {
    "DELIVERED": "green",
    "direct": "green",
    "ACCEPTED": "cyan",
    "QUEUED": "cyan",
    "SENT": "cyan",
    "FAILED": "red",
    "EXPIRED": "red",
    "grey": "red",
    "refused": "red",
    "REFUSED": "yellow",
    "CANCELLED": "yellow",
    "OVERDUE": "magenta",
    "IN_DOUBT": "bold magenta",
}
"""How certain cells look; never the only way to tell one from another."""


def print_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    roomy: Collection[str] = (),
    err: bool = False,
) -> None:
    """Print a table.

    Args:
        title: Stands above it.
        columns: Their names; one that begins with `#` holds numbers, and is aligned at the right.
        rows: As many cells as columns.
        roomy: Columns that are left out on a terminal of less than `ROOMY` columns.
        err: To standard error instead of standard output.
    """
    if not (sys.stderr if err else sys.stdout).isatty():
        for line in plain_lines(title, columns, rows):
            click.echo(line, err=err)
        return
    console = Console(stderr=err, highlight=False)
    shown = [
        index
        for index, column in enumerate(columns)
        if console.width >= ROOMY or column not in roomy
    ]
    table = Table(box=SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    for index in shown:
        right = columns[index].startswith("#")
        name = columns[index].removeprefix("#")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(row[index], style=STYLES.get(row[index], "")) for index in shown))
    console.print()
    console.print(table)


def plain_lines(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """Give a table as lines of text, the columns two blanks apart."""
    numeric = [column.startswith("#") for column in columns]
    lines = [tuple(column.removeprefix("#") for column in columns), *map(tuple, rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    yield ""
    yield title
    for line in lines:
        cells = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ]
        yield "  ".join(cells).rstrip()
