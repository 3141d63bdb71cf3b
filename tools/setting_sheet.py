"""Settings with what they mean, for eyes: as wide as the terminal, and one to a line elsewhere.

What is shown, and whose value it is, comes in; here it is only laid out.
"""

import sys
from collections.abc import Iterable, Sequence

import attrs
import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .tables import ROOMY

__all__ = ["SheetGroup", "SheetLine", "print_sheet"]

MARK = "*"
"""Stands before a setting of a profile's own, so that colour is not the only way to tell."""


@attrs.frozen(kw_only=True)
class SheetLine:
    """One setting."""

    name: str
    """Its key within the group."""
    value: str
    """As it stands in a file."""
    origin: str
    """Who gave it this value."""
    words: str
    """What it means, in a sentence."""
    own: bool
    """Whether it is another value than the usual one."""


@attrs.frozen
class SheetGroup:
    """Settings of one table."""

    name: str
    """Dotted; empty for those outside of all tables."""
    words: str
    lines: Sequence[SheetLine]


def print_sheet(title: str, description: str, groups: Sequence[SheetGroup]) -> None:
    """Print settings, group by group.

    On a terminal, in columns where there is room for them. Elsewhere each is a line of its own, with
    its whole key, so that `grep` finds it: `text.default = "gsm"  # generic-3.4: What ... means.`
    """
    if not sys.stdout.isatty():
        for text in _plain_lines(title, description, groups):
            click.echo(text)
        return
    console = Console(highlight=False)
    console.print()
    console.print(Text(title, "bold"))
    console.print(Padding(Text(description), (0, 2)))
    for group in groups:
        console.print()
        if group.name:
            console.print(
                Text.assemble((f"[{group.name}]", "bold cyan"), "  ", (group.words, "dim"))
            )
        if console.width >= ROOMY:
            console.print(_columns(group))
        else:
            for setting in group.lines:
                _print_stacked(console, setting)
    console.print()
    _print_own(console, groups)


def _print_own(console: Console, groups: Sequence[SheetGroup]) -> None:
    """Say at the end, which is what is seen first, what the whole sheet comes down to."""
    own = [(_key(group, line), line.value) for group in groups for line in group.lines if line.own]
    if not own:
        console.print(Text("Nothing differs from the generic profile.", "dim"))
        return
    console.print(Text(f"{MARK} differs from the generic profile:", "dim"))
    for key, value in own:
        console.print(_hanging(MARK, Text(f"{key} = {value}", "bold green")))


def _columns(group: SheetGroup) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), expand=True)
    for ratio in (9, 12, 7, 20):
        table.add_column(ratio=ratio, overflow="fold")
    for line in group.lines:
        style = _style(line)
        name = Text(f"{_mark(line)} {line.name}", style)
        value, origin = Text(line.value, style), Text(line.origin, style if line.own else "dim")
        table.add_row(name, value, origin, Text(line.words, "" if line.own else "dim"))
    return table


def _print_stacked(console: Console, line: SheetLine) -> None:
    value = Text.assemble((f"{line.name} = {line.value}", _style(line)))
    if line.own:
        value.append(f"  from {line.origin}", "green")
    console.print(_hanging(_mark(line), value))
    if line.words:
        console.print(Padding(Text(line.words, "dim"), (0, 0, 0, 6)))


def _hanging(mark: str, text: Text) -> Table:
    """Put a mark before a text that may take several lines."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    table.add_row(mark, text)
    return table


def _key(group: SheetGroup, line: SheetLine) -> str:
    return f"{group.name}.{line.name}" if group.name else line.name


def _mark(line: SheetLine) -> str:
    return MARK if line.own else " "


def _style(line: SheetLine) -> str:
    return "bold green" if line.own else ""


def _plain_lines(title: str, description: str, groups: Iterable[SheetGroup]) -> Iterable[str]:
    yield f"# {title}"
    yield f"# {description}"
    for group in groups:
        for line in group.lines:
            yield f"{_key(group, line)} = {line.value}  # {line.origin}: {line.words}".rstrip()
