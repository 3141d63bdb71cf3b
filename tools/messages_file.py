"""Messages from a CSV or JSONL file, row by row: what cannot be read is told, and the rest goes on.

Whether a number can be reached is the engine's matter; here a row is only read.
"""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import attrs

from whiteroute.engine.messages import Message
from whiteroute.routing import TrafficClass

from .errors import CallError

if TYPE_CHECKING:
    import _csv

COLUMNS = (
    *("message_ref", "to", "sender", "text", "traffic_class"),
    *("duplicate_policy", "validity"),
)
"""Columns, or keys, that are a message's own; every other one becomes a tag."""

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "traffic_class": tuple(TrafficClass),
    "duplicate_policy": ("hold", "allow"),
}
_DELIMITERS = ",;\t"
"""What spreadsheets put between cells; the header shows which."""


@attrs.frozen(kw_only=True)
class Defaults:
    """What the command line gives for rows that say nothing of it."""

    sender: str | None = None
    traffic_class: str = TrafficClass.TRANSACTIONAL.value


class _UnreadableRowError(Exception):
    """One row cannot be read; its text is `KEY: found, expected`."""


def open_messages(source: str) -> TextIO:
    """Open a file of messages; `-` is standard input, which is read to its end first.

    Octets that are no UTF-8 come through as surrogates, so that their row alone is lost.

    Raises:
        CallError: It cannot be opened.
    """
    if source == "-":
        content = sys.stdin.buffer.read().decode("utf-8-sig", "surrogateescape")
        return StringIO(content, newline="")
    try:
        return Path(source).open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    except OSError as error:
        raise CallError(f"{source}: {error.strerror}, expected a file of messages") from None


def read_messages(
    lines: TextIO,
    name: str,
    defaults: Defaults,
    on_unreadable: Callable[[str], None],
) -> Iterator[Message]:
    """Read messages as they are asked for, in order; the header is read at once.

    Args:
        lines: CSV with a header, or JSONL; the first character decides.
        name: What errors call it.
        defaults: For what rows leave out.
        on_unreadable: Told `FILE:LINE: found, expected` of each row that is left out.

    Raises:
        CallError: The header of a CSV file has no `to` or no `text`, or a name twice.
    """
    first = next(lines, "")
    whole = chain([first], lines)
    rows = _read_jsonl(whole) if first.lstrip().startswith("{") else _read_csv(whole, name)
    return _read_rows(rows, name, defaults, on_unreadable)


def _read_rows(
    rows: "_Rows", name: str, defaults: Defaults, on_unreadable: Callable[[str], None]
) -> Iterator[Message]:
    seen: dict[str, int] = {}
    for number, row in rows:
        try:
            if isinstance(row, _UnreadableRowError):
                raise row
            message = _message(row, defaults)
            if message.message_ref is not None:
                first = seen.setdefault(message.message_ref, number)
                if first != number:
                    raise _UnreadableRowError(
                        f"message_ref: {message.message_ref!r} as on line {first}, expected another"
                    )
            yield message
        except _UnreadableRowError as error:
            on_unreadable(f"{name}:{number}: {error}")


_Rows = Iterator[tuple[int, dict[str, object] | _UnreadableRowError]]


def _read_csv(lines: Iterator[str], name: str) -> _Rows:
    first = next(lines)
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    try:
        header = [column.strip() for column in next(reader)]
    except csv.Error as error:
        raise CallError(f"{name}:1: {error}, expected a header") from None
    _check_header(header, name)
    return _csv_rows(reader, header)


def _csv_rows(reader: "_csv.Reader", header: list[str]) -> _Rows:
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield number, _UnreadableRowError(f"{error}, expected a row of CSV")
            continue
        if cells is None:
            return
        if not any(cells):
            continue
        if len(cells) == len(header):
            yield number, dict(zip(header, cells, strict=True))
        else:
            found = f"{len(cells)} cells, expected {len(header)} as in the header"
            yield number, _UnreadableRowError(found)


def _check_header(header: list[str], name: str) -> None:
    missing = [column for column in ("to", "text") if column not in header]
    found = f"columns {', '.join(header)}" if any(header) else "nothing"
    if missing:
        raise CallError(f"{name}:1: {found}, expected also {' and '.join(missing)}")
    if len(set(header)) < len(header):
        raise CallError(f"{name}:1: {found}, expected each once")


def _read_jsonl(lines: Iterator[str]) -> _Rows:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            yield number, _UnreadableRowError(f"no JSON ({error}), expected an object")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            yield number, _UnreadableRowError(f"{line.strip()[:40]!r}, expected an object")


def _message(row: Mapping[str, object], defaults: Defaults) -> Message:
    cells = {key: text for key, value in row.items() if (text := _text(key, value)) is not None}
    for key, choices in _CHOICES.items():
        if cells.get(key) and cells[key] not in choices:
            raise _UnreadableRowError(f"{key}: {cells[key]!r}, expected {_either(choices)}")
    to = cells.get("to", "").strip()
    if not to:
        raise _UnreadableRowError("to: nothing, expected a number")
    if "text" not in cells:
        raise _UnreadableRowError("text: nothing, expected a text")
    sender = cells.get("sender") or defaults.sender
    if not sender:
        raise _UnreadableRowError("sender: nothing, expected a sender, here or as --from")
    return Message(
        to=to,
        sender=sender,
        text=cells["text"],
        traffic_class=cells.get("traffic_class") or defaults.traffic_class,
        message_ref=cells.get("message_ref") or None,
        tags={key: text for key, text in cells.items() if key not in COLUMNS and text},
        duplicate_policy="allow" if cells.get("duplicate_policy") == "allow" else "hold",
        validity=_validity(cells.get("validity")),
    )


def _text(key: str, value: object) -> str | None:
    """Give a cell as a text; None where JSON says null."""
    if value is None or isinstance(value, str):
        text = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value)  # a number without quotes, as spreadsheets and programs write it
    else:
        raise _UnreadableRowError(f"{key}: {json.dumps(value)[:40]}, expected a text")
    if text is not None and any("\udc80" <= character <= "\udcff" for character in text):
        raise _UnreadableRowError(f"{key}: octets that are no UTF-8, expected UTF-8")
    return text


def _validity(text: str | None) -> float | None:
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise _UnreadableRowError(f"validity: {text!r}, expected seconds, more than 0")
    return seconds


def _either(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
