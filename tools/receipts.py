"""`whiteroute receipts`: what the ledger holds, as a table, as data, or as the story of one message.

It only reads, also while an engine writes; what a killed process left without an outcome is IN_DOUBT.
"""

import csv
import json
import re
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import click

from whiteroute.engine.ledger import (
    LedgerReader,
    MessageHistory,
    Selection,
    open_ledger_for_reading,
)
from whiteroute.engine.messages import Canonical, DeliveryState, ReceiptVerdict

from . import ledger_lists
from .errors import CallError
from .history import covered, error_of, message_ids
from .id_lessons import lesson_lines, lesson_of, lesson_record
from .ledger_lists import Form, minute
from .output import complain, count, examples, instant, meaning, print_json, raw_in_words
from .redaction import redacted
from .story import STORY_INDENT, message_record, possible_receipts, story
from .tables import print_table

_AGO = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhd]\s*)+")
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DAY = 86_400_000_000
_MODES = ("message", "unmapped", "learn", "inbound", "outages", "uptime")
_OF_MESSAGES = ("route", "network", "traffic_class", "to", "error", "tags", "state")
_USELESS = {
    "inbound": _OF_MESSAGES,
    "unmapped": (*_OF_MESSAGES, "limit"),
    "outages": (*_OF_MESSAGES, "limit"),
    "uptime": (*_OF_MESSAGES, "limit"),
    "learn": (*_OF_MESSAGES, "limit", "since", "until"),
}
"""Options that would narrow nothing, by what is asked for; told, lest somebody believe that they do."""
CSV_COLUMNS = (
    *("message_ref", "taken_at", "to", "sender", "traffic_class", "tags", "network", "state"),
    *("changed_at", "route", "carrier", "parts", "message_ids", "error", "raw", "meaning"),
)
"""The columns of `--csv`."""


@attrs.frozen(kw_only=True)
class Asked:
    """What was asked of a ledger."""

    ledger: str
    message: str | None
    unmapped: bool
    learn: bool
    inbound: bool
    outages: bool
    uptime: bool
    by_link: bool
    carrier: str | None
    since: str | None
    until: str | None
    state: str | None
    route: str | None
    network: str | None
    traffic_class: str | None
    to: str | None
    error: str | None
    tags: tuple[str, ...]
    limit: int | None
    as_json: bool
    as_csv: bool
    redact: bool

    @property
    def mode(self) -> str:
        """What is asked for; empty for messages."""
        return next((mode for mode in _MODES if getattr(self, mode)), "")

    @property
    def form(self) -> Form:
        """How it is to be shown."""
        return "json" if self.as_json else "csv" if self.as_csv else "table"

    def check(self) -> None:
        """Find options that contradict each other.

        Raises:
            UsageError: There are some.
        """
        modes = [f"--{mode}" for mode in _MODES if getattr(self, mode)]
        if len(modes) > 1:
            raise click.UsageError(" and ".join(modes))
        if self.as_json and self.as_csv:
            raise click.UsageError("--json and --csv")
        if self.as_csv and self.mode in ("message", "learn"):
            raise click.UsageError(f"--csv and --{self.mode}")
        useless = [name for name in _USELESS.get(self.mode, ()) if getattr(self, name)]
        if useless:
            option = {"traffic_class": "class", "tags": "tag"}.get(useless[0], useless[0])
            raise click.UsageError(f"--{option} and --{self.mode}")
        if self.by_link and not self.outages:
            raise click.UsageError("--by-link without --outages")

    def selection(self, now: datetime) -> Selection:
        """Give what narrows the lines that are read.

        Raises:
            CallError: An option cannot be read.
        """
        since, until = self.since, self.until
        return Selection(
            carrier=self.carrier,
            route=self.route,
            network=self.network,
            traffic_class=self.traffic_class,
            to=None if self.to is None else re.sub(r"[\s().-]", "", self.to),
            state=None if self.state is None else DeliveryState(self.state.upper()),
            error_code=None if self.error is None else self.error.upper(),
            tags=_read_tags(self.tags),
            since_at=None if since is None else read_instant(since, now),
            until_at=None if until is None else read_instant(until, now, "--until"),
            limit=self.limit,
            is_newest=True,
        )


@click.command(
    "receipts",
    epilog=examples(
        "whiteroute receipts --ledger ledger.db --since 1h --state FAILED",
        "whiteroute receipts --ledger ledger.db --error NO_ROUTE --tag campaign=autumn",
        "whiteroute receipts --ledger ledger.db --to +34600111222 --limit 5",
        "whiteroute receipts --ledger ledger.db --message order-4711",
        "whiteroute receipts --ledger ledger.db --inbound --since 7d",
        "whiteroute receipts --ledger ledger.db --unmapped --carrier acme --csv",
        "whiteroute receipts --ledger ledger.db --learn --carrier acme",
        "whiteroute receipts --ledger ledger.db --outages --since 30d",
        "whiteroute receipts --ledger ledger.db --uptime --since 30d --json",
    ),
)
@click.option("--ledger", required=True, metavar="FILE", help="The ledger.")
@click.option("--message", metavar="REF", help="Everything about one message.")
@click.option("--inbound", is_flag=True, help="Messages from handsets instead.")
@click.option(
    "--unmapped", is_flag=True, help="The codes that no table can name, to be sent to the carrier."
)
@click.option(
    "--learn",
    is_flag=True,
    help="How the carriers' message ids should be read, as lines for a profile; nothing is changed.",
)
@click.option("--outages", is_flag=True, help="When carriers were down, and why.")
@click.option("--by-link", is_flag=True, help="With --outages: each link for itself.")
@click.option("--uptime", is_flag=True, help="How carriers were. Default: in the last 24 hours.")
@click.option("--carrier", metavar="NAME", help="Only this carrier's.")
@click.option("--route", metavar="ID", help="Only messages on this route.")
@click.option("--network", metavar="MCC-MNC", help="Only messages to this network, e.g. 214-07.")
@click.option("--class", "traffic_class", metavar="CLASS", help="Only this class, e.g. otp.")
@click.option("--to", metavar="N", help="Only messages to this number.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in DeliveryState], case_sensitive=False),
    metavar="STATE",
    help="Only messages in this state, e.g. IN_DOUBT.",
)
@click.option(
    "--error",
    type=click.Choice([code.value for code in Canonical], case_sensitive=False),
    metavar="CODE",
    help="Only messages with this error, e.g. ABSENT_SUBSCRIBER.",
)
@click.option(
    "--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Only with this tag; may be repeated."
)
@click.option(
    "--since", metavar="TIME", help="Taken since 2026-11-22T18:00 (UTC), or since 90s, 30m, 2h, 7d."
)
@click.option("--until", metavar="TIME", help="Taken before such a time.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="The newest N, the oldest of them first.",
)
@click.option("--json", "as_json", is_flag=True, help="One object per message and line.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as CSV.")
@click.option("--redact", is_flag=True, help="Cover numbers, and leave texts and tags out.")
def command(**options: object) -> int:
    """Tell what became of messages, and what else the ledger knows.

    A line for each message, oldest first; with --message, one message's whole story. Exit code 1 if
    the ledger does not know that message, or that carrier.
    """
    asked = Asked(**options)  # type: ignore[arg-type]  # click has made them what they should be
    asked.check()
    now = datetime.now(UTC)
    selection = asked.selection(now)
    if Path(asked.ledger).is_dir():
        raise CallError(f"{asked.ledger}: a folder, expected a ledger's file in it")
    reader = open_ledger_for_reading(asked.ledger)
    try:
        return _answer(asked, reader, selection, round(now.timestamp() * 1e6))
    finally:
        reader.close()


def _answer(asked: Asked, reader: LedgerReader, selection: Selection, now_at: int) -> int:
    if asked.message is not None:
        return _tell_story(reader, asked)
    # Names are looked up only when there is nothing to show: in a long ledger that takes a while.
    if asked.mode in ("learn", "uptime"):
        carriers = reader.carriers()
        if asked.carrier is not None and asked.carrier not in carriers:
            return _complain_of_carrier(asked, carriers)
        chosen = carriers if asked.carrier is None else (asked.carrier,)
        if asked.learn:
            _print_lessons(reader, chosen, asked.form)
        else:
            since_at = now_at - _DAY if selection.since_at is None else selection.since_at
            until_at = now_at if selection.until_at is None else min(selection.until_at, now_at)
            if since_at >= until_at:
                raise CallError("--since: not before --until, expected an earlier time")
            ledger_lists.uptime(reader, chosen, since_at, until_at).show(asked.form)
        return 0
    if asked.mode:
        listing = {
            "unmapped": lambda: ledger_lists.unmapped(reader, selection),
            "inbound": lambda: ledger_lists.inbound(reader, selection, redact=asked.redact),
            "outages": lambda: ledger_lists.outages(
                reader, selection, now_at, by_link=asked.by_link
            ),
        }[asked.mode]()
        if not listing.records and (found := _find_fault(reader, asked)):
            return found
        listing.show(asked.form)
        return 0
    return _print_messages(reader, selection, asked)


def _print_messages(reader: LedgerReader, selection: Selection, asked: Asked) -> int:
    histories = _histories(reader, selection)
    first = next(histories, None)
    if first is None and (fault := _find_fault(reader, asked)):
        return fault
    told = _with_first(first, histories)
    if asked.redact and asked.form != "json":
        told = map(covered, told)
    if asked.form == "json":
        for history in told:
            print_json(redacted(message_record(history), asked.redact))
    elif asked.form == "csv":
        _print_csv(told)
    else:
        _print_tables(list(told), reader, asked.carrier)
    return 0


def _with_first(
    first: MessageHistory | None, others: Iterable[MessageHistory]
) -> Iterator[MessageHistory]:
    if first is not None:
        yield first
        yield from others


def _find_fault(reader: LedgerReader, asked: Asked) -> int:
    """Tell a name that the ledger has never heard from one that has nothing to show; 0 for none."""
    if asked.carrier is not None and asked.carrier not in (carriers := reader.carriers()):
        return _complain_of_carrier(asked, carriers)
    if asked.route is not None:
        routes = [line.key for line in reader.summary("route") if line.key]
        if asked.route not in routes:
            known = ", ".join(routes) or "none"
            complain(f"{asked.ledger}: no route {asked.route!r}, expected one of: {known}")
            return 1
    return 0


def _complain_of_carrier(asked: Asked, carriers: Iterable[str]) -> int:
    known = ", ".join(carriers) or "none"
    complain(f"{asked.ledger}: no carrier {asked.carrier!r}, expected one of: {known}")
    return 1


def _print_lessons(reader: LedgerReader, carriers: Iterable[str], form: Form) -> None:
    for place, carrier in enumerate(carriers):
        lesson = lesson_of(reader, carrier)
        if form == "json":
            print_json(lesson_record(carrier, lesson))
            continue
        if place:
            click.echo()
        for line in lesson_lines(carrier, lesson):
            click.echo(line)


def _read_tags(tags: Iterable[str]) -> Mapping[str, str]:
    read = {}
    for tag in tags:
        name, equals, value = tag.partition("=")
        if not (name and equals):
            raise CallError(f"--tag: {tag!r}, expected KEY=VALUE")
        read[name] = value
    return read


def read_instant(text: str, now: datetime, option: str = "--since") -> int:
    """Read an instant, in UTC unless it names a zone, or how long ago it was.

    Args:
        text: What was typed.
        now: From when on one counts back.
        option: Where it was typed, for the error.

    Returns:
        Microseconds since the epoch.

    Raises:
        CallError: It is neither.
    """
    ago = _AGO.fullmatch(text.strip())
    try:
        if ago:
            steps = (float(number) * _UNITS[unit] for number, unit in _STEP.findall(ago[0]))
            moment = now - timedelta(seconds=sum(steps))
        else:
            moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1e6)
    except (ValueError, OverflowError):
        expected = "a time such as 2026-11-22T18:00, or 90s, 30m, 2h, 7d"
        raise CallError(f"{option}: {text!r}, expected {expected}") from None


def _histories(reader: LedgerReader, selection: Selection) -> Iterator[MessageHistory]:
    for record in reader.messages(selection):
        history = reader.message(record.message_ref)
        if history is not None:
            yield history


def _tell_story(reader: LedgerReader, asked: Asked) -> int:
    message_ref = asked.message or ""
    history = reader.message(message_ref)
    if history is None:
        complain(f"{asked.ledger}: no message {message_ref!r}, expected one that the ledger knows")
        return 1
    replies = reader.replies(message_ref)
    orphans = possible_receipts(reader, history)
    if asked.as_json:
        record = message_record(history, whole=True, replies=replies, orphans=orphans)
        print_json(redacted(record, asked.redact))
    else:
        if asked.redact:
            history, replies = covered(history), tuple(map(ledger_lists.covered_inbound, replies))
        for line in story(history, replies, orphans):
            click.echo(_fitted(line))
    return 0


def _fitted(line: str) -> str:
    """Break a line of a story where a terminal would, under the place where its words begin."""
    if not sys.stdout.isatty():
        return line
    width = max(shutil.get_terminal_size().columns, 40)
    indent = " " * (STORY_INDENT if line.startswith("  ") and line[2:3].isdigit() else 2)
    if line.startswith(" " * STORY_INDENT):
        indent = " " * STORY_INDENT
    return textwrap.fill(line, width, subsequent_indent=indent) if len(line) > width else line


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


def _print_tables(
    histories: list[MessageHistory], reader: LedgerReader, carrier: str | None
) -> None:
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
                minute(message.taken_at),
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
    waiting = Selection(carrier=carrier, verdict=ReceiptVerdict.PARKED)
    parked = sum(1 for _ in reader.receipts(waiting))
    if parked:
        click.echo(
            f"{count(parked, 'receipt')} for a message_id that no response has given;"
            " --learn looks for the reason."
        )
