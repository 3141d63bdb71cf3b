"""`whiteroute receipts`: what the ledger holds, as a table, as data, or as the story of one message.

It only reads, also while an engine writes; what a killed process left without an outcome is IN_DOUBT.
"""

import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import click

from whiteroute.engine.ledger import (
    LedgerReader,
    MessageHistory,
    Selection,
    open_ledger_for_reading,
)
from whiteroute.engine.messages import DeliveryState, ReceiptVerdict

from .errors import CallError
from .history import error_of, message_ids
from .output import complain, count, instant, meaning, print_json, raw_in_words
from .story import message_record, story
from .tables import print_table

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
CSV_COLUMNS = (
    *("message_ref", "taken_at", "to", "sender", "traffic_class", "tags", "network", "state"),
    *("changed_at", "route", "carrier", "parts", "message_ids", "error", "raw", "meaning"),
)
"""The columns of `--csv`."""


@click.command("receipts")
@click.option("--ledger", required=True, metavar="FILE", help="The ledger.")
@click.option("--message", metavar="REF", help="Everything about one message.")
@click.option("--carrier", metavar="NAME", help="Only messages that went to this carrier.")
@click.option(
    "--since", metavar="TIME", help="Taken since 2026-11-22T18:00 (UTC), or since 90s, 30m, 2h, 7d."
)
@click.option(
    "--state",
    type=click.Choice([state.value for state in DeliveryState], case_sensitive=False),
    metavar="STATE",
    help="Only messages in this state, e.g. IN_DOUBT.",
)
@click.option("--json", "as_json", is_flag=True, help="One object per message and line.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as CSV.")
def command(
    ledger: str,
    message: str | None,
    carrier: str | None,
    since: str | None,
    state: str | None,
    as_json: bool,
    as_csv: bool,
) -> int:
    """Tell what became of messages.

    A line for each message, oldest first; with --message, one message's whole story. Exit code 1 if
    the ledger does not know that message.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv")
    selection = Selection(
        carrier=carrier,
        state=None if state is None else DeliveryState(state.upper()),
        since_at=None if since is None else read_instant(since, datetime.now(UTC)),
    )
    reader = open_ledger_for_reading(ledger)
    try:
        if message is not None:
            return _tell_story(reader, ledger, message, as_json)
        histories = _histories(reader, selection)
        if as_json:
            for history in histories:
                print_json(message_record(history))
        elif as_csv:
            _print_csv(histories)
        else:
            _print_tables(list(histories), reader)
    finally:
        reader.close()
    return 0


def read_instant(text: str, now: datetime) -> int:
    """Read an instant, in UTC unless it names a zone, or how long ago it was.

    Returns:
        Microseconds since the epoch.

    Raises:
        CallError: It is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            moment = now - timedelta(seconds=float(ago[1]) * _UNITS[ago[2]])
        else:
            moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1e6)
    except (ValueError, OverflowError):
        expected = "a time such as 2026-11-22T18:00, or 90s, 30m, 2h, 7d"
        raise CallError(f"--since: {text!r}, expected {expected}") from None


def _histories(reader: LedgerReader, selection: Selection) -> Iterator[MessageHistory]:
    for record in reader.messages(selection):
        history = reader.message(record.message_ref)
        if history is not None:
            yield history


def _tell_story(reader: LedgerReader, ledger: str, message_ref: str, as_json: bool) -> int:
    history = reader.message(message_ref)
    if history is None:
        complain(f"{ledger}: no message {message_ref!r}, expected one that the ledger knows")
        return 1
    if as_json:
        print_json(message_record(history, whole=True))
    else:
        for line in story(history):
            click.echo(line)
    return 0


def _print_csv(histories: Iterable[MessageHistory]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for history in histories:
        message, error = history.message, error_of(history)
        writer.writerow(
            (
                message.message_ref,
                instant(message.taken_at),
                message.to,
                message.sender,
                message.traffic_class,
                json.dumps(dict(message.tags), ensure_ascii=False) if message.tags else "",
                message.network,
                message.state.value,
                instant(message.changed_at),
                message.route,
                message.carrier,
                message.part_count,
                " ".join(message_ids(history)),
                "" if error is None else error.canonical.value,
                "" if error is None else raw_in_words(error),
                "" if error is None else meaning(error),
            )
        )


def _print_tables(histories: list[MessageHistory], reader: LedgerReader) -> None:
    rows = []
    errors: Counter[tuple[str, str, str, str]] = Counter()
    for history in histories:
        message, error = history.message, error_of(history)
        code = raw = ""
        if error is not None:
            code, raw = error.canonical.value, raw_in_words(error)
            errors[message.carrier or "(none)", code, raw, meaning(error)] += 1
        rows.append(
            (
                instant(message.taken_at)[5:19].replace("T", " "),
                message.message_ref,
                message.to,
                message.state.value,
                message.route,
                str(message.part_count),
                " ".join(message_ids(history)).strip(),
                code,
                raw,
            )
        )
    print_table(
        count(len(rows), "message"),
        ("taken (UTC)", "message", "to", "state", "route", "#parts", "message_ids", "error", "raw"),
        rows,
        roomy=("taken (UTC)", "#parts", "message_ids", "raw"),
    )
    if errors:
        print_table(
            "Errors",
            ("carrier", "error", "raw", "#messages", "meaning"),
            [
                (carrier, code, raw, str(number), sentence)
                for (carrier, code, raw, sentence), number in errors.most_common()
            ],
            roomy=("carrier",),
        )
    parked = sum(1 for _ in reader.receipts(Selection(verdict=ReceiptVerdict.PARKED)))
    if parked:
        click.echo(f"{count(parked, 'receipt')} for a message_id that no response has given.")
