"""What commands print, whichever it is: JSON lines, instants, errors, and sums in words.

Tables and live pictures for terminals are in `tables.py`, which brings rich with it.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime

import click

from whiteroute.engine.messages import Canonical, MappedError, Outcome
from whiteroute.pdu import status_name


def examples(*lines: str) -> str:
    """Write the end of a command's help: lines that can be typed as they stand."""
    # The backspace is click's sign for lines that it must not join.
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


def print_json(record: Mapping[str, object]) -> None:
    """Print one object on a line of its own, and flush it: whoever reads along wants it now."""
    readable = (sys.stdout.encoding or "").lower().startswith("utf")
    click.echo(json.dumps(record, ensure_ascii=not readable))


def say(line: str) -> None:
    """Print a line that is meant for eyes, on standard error."""
    click.echo(line, err=True)


def complain(line: str) -> None:
    """Say what is wrong with a call or a file while the rest goes on: `FILE:KEY: found, expected`."""
    say(f"whiteroute: {line}")


def instant(at: int) -> str:
    """Write microseconds since the epoch as `2026-11-22T18:22:01.123Z`, as JSON and CSV have it."""
    moment = datetime.fromtimestamp(at / 1e6, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def wrapped(text: str, indent: str) -> str:
    """Indent a sentence, and break it where a terminal would; elsewhere it stays one line."""
    if not sys.stdout.isatty():
        return indent + text
    width = max(shutil.get_terminal_size().columns, 40)
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def count(number: int, singular: str, plural: str = "") -> str:
    """Write a number with its noun: `1 message`, `200 messages`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def meaning(error: MappedError) -> str:
    """Say what an error means: the sentence of its code, or what we ourselves have found."""
    if error.canonical is Canonical.NO_ROUTE and not raw_codes(error):
        return "No direct route can take it."
    return error.meaning


def raw_codes(error: MappedError) -> dict[str, str | int]:
    """Give the codes that a carrier really sent, those that it did send."""
    codes: dict[str, str | int] = {}
    if error.command_status is not None:
        codes["command_status"] = error.command_status
    if error.stat:
        codes["stat"] = error.stat
    if error.err:
        codes["err"] = error.err
    if error.network_error_code:
        codes["network_error_code"] = error.network_error_code.hex()
    return codes


def raw_in_words(error: MappedError) -> str:
    """Write the codes that a carrier really sent for eyes: `UNDELIV err 027 network 3/27`."""
    words = []
    if error.command_status is not None:
        words.append(status_name(error.command_status))
    if error.stat:
        words.append(error.stat)
    if error.err:
        words.append(f"err {error.err}")
    code = error.network_error_code
    if len(code) == 3:
        words.append(f"network {code[0]}/{int.from_bytes(code[1:], 'big')}")
    elif code:
        words.append(f"network {code.hex()}")
    return " ".join(words)


def error_record(error: MappedError | None) -> dict[str, object] | None:
    """Give an error as JSON has it; None where there is none."""
    if error is None or not error.is_error:
        return None
    return {
        "code": error.canonical.value,
        "raw": raw_codes(error),
        "meaning": meaning(error),
        "permanence": error.permanence.value,
        "scope": error.scope.value,
        "rule": error.rule,
    }


def outcome_record(outcome: Outcome) -> dict[str, object]:
    """Give what came of a message as `send --json` prints it."""
    return {
        "message_ref": outcome.message_ref,
        "to": outcome.to,
        "state": outcome.state.value,
        "route": outcome.route or None,
        "carrier": outcome.carrier or None,
        "parts": outcome.parts,
        "message_ids": list(outcome.message_ids),
        "error": error_record(outcome.error),
        "rejected": [rejection.to_dict() for rejection in outcome.rejected],
        "known": outcome.known,
    }
