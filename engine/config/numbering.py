"""The user's numbering plan, out of `[numbering]` or out of a CSV file, with every bad row told.

Which number belongs to which network by such a plan is `whiteroute.routing`'s matter.
"""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

import attrs

from whiteroute.routing import NumberingPlan, PlanRow, RoutingFactError

from .errors import ConfigProblem, did_you_mean, shown, under
from .reading import Reading
from .scalars import SCALARS

__all__ = ["read_plan_file", "read_plan_table"]

_COLUMNS: Final = ("prefix", "network", "valid_from", "valid_to")
_NEEDED: Final = _COLUMNS[:2]


@attrs.frozen
class _Located:
    """A row of a plan, and where it stands."""

    key: str
    row: PlanRow
    file: str = ""


def read_plan_table(reading: Reading, value: object, key: str) -> NumberingPlan:
    """Read a table of `"34600" = "214-07"`."""
    table = reading.table(value, key) or {}
    networks = {
        prefix: reading.value(str, network, under(key, prefix)) for prefix, network in table.items()
    }
    return _plan(
        reading,
        [
            _Located(under(key, prefix), PlanRow(prefix, network))
            for prefix, network in networks.items()
            if isinstance(network, str)
        ],
    )


def read_plan_file(reading: Reading, path: Path, key: str) -> NumberingPlan:
    """Read a CSV with the columns prefix and network, and valid_from and valid_to if wanted.

    It is UTF-8, its first line names the columns, and days are written 2027-12-31 or left empty.

    Args:
        reading: Where faults are reported, under the CSV's own name and lines.
        path: The CSV.
        key: Of the TOML, for a file that cannot be opened.
    """
    try:
        # A spreadsheet marks UTF-8 with three octets in front.
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        reading.report(key, f"{shown(str(path))} ({error.reason})", "expected a file in UTF-8")
        return NumberingPlan({})
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or str(error)
        reading.report(key, f"{shown(str(path))} ({reason})", "expected a file that can be read")
        return NumberingPlan({})
    return _plan(reading, _rows(reading, text, str(path)))


def _rows(reading: Reading, text: str, file: str) -> list[_Located]:
    """Read the rows of a CSV; those of the wrong form are reported and left out."""
    lines = csv.reader(text.splitlines(keepends=True), strict=True)
    rows = []
    try:
        columns = [name.strip() for name in next(lines, ())]
        problems = [ConfigProblem("line 1", *fault, file) for fault in _header_faults(columns)]
        reading.problems += problems
        if problems:
            return []
        for cells in lines:
            key = f"line {lines.line_num}"
            if not any(cells):
                continue
            if len(cells) != len(columns):
                found, wanted = f"{len(cells)} values", f"expected {len(columns)}, as in line 1"
                reading.problems.append(ConfigProblem(key, found, wanted, file))
                continue
            named = dict(zip(columns, map(str.strip, cells), strict=True))
            days = [_day(reading, named.get(name, ""), key, file) for name in _COLUMNS[2:]]
            row = PlanRow(named["prefix"], named["network"], *days)
            rows.append(_Located(key, row, file))
    except csv.Error as error:
        problem = ConfigProblem(f"line {lines.line_num}", str(error), "expected CSV", file)
        reading.problems.append(problem)
    return rows


def _header_faults(columns: list[str]) -> list[tuple[str, str]]:
    faults = [
        (f"unknown column {shown(name)}", did_you_mean(name, _COLUMNS))
        for name in columns
        if name not in _COLUMNS
    ]
    faults += [
        (f"no column {name}", f"expected the columns {', '.join(_COLUMNS)}, the last two if wanted")
        for name in _NEEDED
        if name not in columns
    ]
    faults += [
        (f"column {name} {columns.count(name)} times", "expected each once")
        for name in dict.fromkeys(columns)
        if columns.count(name) > 1
    ]
    return faults


def _day(reading: Reading, text: str, key: str, file: str) -> date | None:
    if not text:
        return None
    day = SCALARS[date].read(text)
    if isinstance(day, date):
        return day
    words = f"expected {SCALARS[date].words}"
    reading.problems.append(ConfigProblem(key, shown(text), words, file))
    return None


def _plan(reading: Reading, located: list[_Located]) -> NumberingPlan:
    try:
        return NumberingPlan(one.row for one in located)
    except RoutingFactError:
        # Rows can only be at odds within one prefix, so each prefix is a small plan of its own.
        for group in _by_prefix(located).values():
            _report_faults(reading, group)
        return NumberingPlan({})


def _by_prefix(located: Iterable[_Located]) -> Mapping[str, list[_Located]]:
    groups: dict[str, list[_Located]] = {}
    for one in located:
        groups.setdefault(one.row.prefix, []).append(one)
    return groups


def _report_faults(reading: Reading, group: list[_Located]) -> None:
    sound: list[PlanRow] = []
    for one in group:
        try:
            NumberingPlan((*sound, one.row))
        except RoutingFactError as error:
            expected = f"expected {error.expected}"
            reading.problems.append(ConfigProblem(one.key, shown(error.found), expected, one.file))
        else:
            sound.append(one.row)
