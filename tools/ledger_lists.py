"""What a ledger holds beside its messages, as lists: replies, outages, uptime, and codes without a name.

Each is a table for eyes, objects for `--json`, or CSV, from the same lines.
"""

import csv
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import attrs

from whiteroute.engine.ledger import LedgerReader, Selection, UnmappedCode
from whiteroute.engine.messages import (
    Canonical,
    InboundRecord,
    MappedError,
    Outage,
    OutageEnd,
    Permanence,
    Scope,
    Uptime,
)
from whiteroute.pdu import status_name

from .output import count, instant, print_json, raw_in_words
from .redaction import redacted, redacted_number
from .tables import print_table

Form = Literal["table", "json", "csv"]


@attrs.frozen(kw_only=True)
class Listing:
    """Lines of one kind, and how they are shown."""

    title: str
    columns: Sequence[str]
    """Of the table."""
    rows: Iterable[Sequence[str]]
    records: Iterable[Mapping[str, object]]
    """The same lines as `--json` prints them."""
    csv_columns: Sequence[str]
    """Which of a record's keys make the columns of `--csv`."""
    roomy: Sequence[str] = ()
    """Columns that a narrow terminal does without."""

    def show(self, form: Form) -> None:
        """Print all of it."""
        if form == "json":
            for record in self.records:
                print_json(record)
        elif form == "csv":
            _print_csv(self.csv_columns, self.records)
        else:
            print_table(self.title, self.columns, self.rows, roomy=self.roomy)


def _print_csv(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(record[name]) for name in columns] for record in records)


def _cell(value: object) -> object:
    """Write a value of JSON as a cell; what has an inside stays JSON."""
    if value is None or value == {} or value == []:
        return ""
    return json.dumps(value) if isinstance(value, dict | list) else value


def minute(at: int | None) -> str:
    """Write microseconds since the epoch for a table: `11-22 18:22:01`, UTC; `-` for none."""
    return "-" if at is None else instant(at)[5:19].replace("T", " ")


def lasting(seconds: float) -> str:
    """Write how long something took: `0.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 1 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for long, short, name, inner in ((86_400, 3600, "d", "h"), (3600, 60, "h", "min")):
        if whole >= long:
            return f"{whole // long} {name} {whole % long // short} {inner}"
    return f"{whole // 60} min {whole % 60} s"


# Codes without a name


def unmapped(reader: LedgerReader, selection: Selection) -> Listing:
    """List the codes that no table could name, ready to be sent to the carrier that used them."""
    codes = reader.unmapped(selection)
    return Listing(
        title=f"{count(len(codes), 'code')} without a meaning (times in UTC)",
        columns=("carrier", "code", "#times", "first seen", "last seen", "for example"),
        rows=[
            (
                code.carrier,
                raw_in_words(_as_error(code)) or "(no code at all)",
                str(code.count),
                minute(code.first_at),
                minute(code.last_at),
                without_numbers(code.message_id, code.addresses) or "-",
            )
            for code in codes
        ],
        records=[_unmapped_record(code) for code in codes],
        csv_columns=(
            *("carrier", "source", "command_status", "command_status_name", "stat", "err"),
            *("network_error_code", "count", "first_seen", "last_seen"),
            *("sample_message_id", "sample_message_ref"),
        ),
        roomy=("first seen",),
    )


def _unmapped_record(code: UnmappedCode) -> dict[str, object]:
    status = code.command_status
    return {
        "carrier": code.carrier,
        "source": "receipt" if status is None else "response",
        "command_status": status,
        "command_status_name": None if status is None else status_name(status),
        "stat": code.stat,
        "err": code.err,
        "network_error_code": code.network_error_code.hex(),
        "count": code.count,
        "first_seen": instant(code.first_at),
        "last_seen": instant(code.last_at),
        "sample_message_id": without_numbers(code.message_id, code.addresses),
        "sample_message_ref": without_numbers(code.message_ref, code.addresses),
    }


def _as_error(code: UnmappedCode) -> MappedError:
    return MappedError(
        canonical=Canonical.UNKNOWN,
        permanence=Permanence.UNKNOWN,
        scope=Scope.UNKNOWN,
        rule="",
        command_status=code.command_status,
        stat=code.stat,
        err=code.err,
        network_error_code=code.network_error_code,
    )


_FEWEST_DIGITS = 7
"""A run of digits below this length is nobody's number."""


def without_numbers(text: str, addresses: Iterable[str]) -> str:
    """Cover the digits of some numbers in an id: a few carriers make their ids of them.

    Args:
        text: Any id.
        addresses: The numbers, in any form; their last nine digits are looked for, so that they are
            found with and without the country's prefix, and then what stands before them.
    """
    for address in addresses:
        digits = re.sub(r"\D", "", address)
        if len(digits) >= _FEWEST_DIGITS:
            prefix, end = digits[:-9], digits[-9:]
            text = re.sub(_ahead(prefix) + end, lambda found: "*" * len(found[0]), text)
    return text


def _ahead(prefix: str) -> str:
    """Match any end of a prefix: `(?:(?:3)?4)?` for 34."""
    pattern = ""
    for digit in prefix:
        pattern = f"(?:{pattern}{digit})?"
    return pattern


# Messages from handsets


def inbound(reader: LedgerReader, selection: Selection, *, redact: bool = False) -> Listing:
    """List the messages that came from handsets."""
    records = list(reader.conversations(selection))
    shown = [covered_inbound(each) for each in records] if redact else records
    return Listing(
        title=count(len(records), "message from handsets", "messages from handsets"),
        columns=("received (UTC)", "carrier", "from", "to", "text", "state", "answers", "taken"),
        rows=[
            (
                minute(each.received_at),
                each.carrier,
                each.source_addr,
                each.destination_addr,
                each.text,
                _completeness(each),
                each.reply_to or "-",
                "yes" if each.acknowledged_at is not None else "no",
            )
            for each in shown
        ],
        records=[redacted(inbound_record(each), redact) for each in records],
        csv_columns=(
            *("inbound_ref", "received_at", "carrier", "source_addr", "destination_addr", "text"),
            *("state", "segments", "missing", "reply_to", "acknowledged_at"),
        ),
        roomy=("received (UTC)", "carrier", "state"),
    )


def covered_inbound(record: InboundRecord) -> InboundRecord:
    """Cover the numbers of a message from a handset for eyes, and leave its text out."""
    return attrs.evolve(
        record,
        source_addr=redacted_number(record.source_addr),
        destination_addr=redacted_number(record.destination_addr),
        text="",
    )


def inbound_record(record: InboundRecord) -> dict[str, object]:
    """Give a message from a handset as `--json` prints it."""
    acknowledged_at = record.acknowledged_at
    return {
        "inbound_ref": record.inbound_ref,
        "received_at": instant(record.received_at),
        "carrier": record.carrier,
        "source_addr": record.source_addr,
        "destination_addr": record.destination_addr,
        "text": record.text,
        "state": record.state.value,
        "segments": record.total,
        "missing": list(record.missing),
        "reply_to": record.reply_to or None,
        "acknowledged_at": None if acknowledged_at is None else instant(acknowledged_at),
    }


def _completeness(record: InboundRecord) -> str:
    here = record.total - len(record.missing)
    return record.state.value if here == record.total else f"{record.state} {here}/{record.total}"


# When carriers were down


def outages(
    reader: LedgerReader, selection: Selection, now_at: int, *, by_link: bool = False
) -> Listing:
    """List when carriers, or their links, were down, and why."""
    found = reader.outages(
        selection.carrier, selection.since_at, selection.until_at, by_link=by_link
    )
    where = ("link",) if by_link else ()
    return Listing(
        title=f"{count(len(found), 'outage')} (times in UTC)",
        columns=("carrier", *where, "began", "ended", "#lasted", "root cause", "what happened"),
        rows=[
            (
                outage.carrier,
                *((outage.link,) if by_link else ()),
                minute(outage.began_at),
                _ending(outage),
                lasting(_seconds(outage, now_at)),
                outage.root_cause.value,
                _told_causes(outage),
            )
            for outage in found
        ],
        records=[_outage_record(outage, now_at) for outage in found],
        csv_columns=(
            *("carrier", "link", "began_at", "ended_at", "seconds", "end", "root_cause"),
            *("wanted", "cause"),
        ),
        roomy=("ended",),
    )


def _told_causes(outage: Outage) -> str:
    """Say what happened, one thing after the other, each once."""
    return "; then ".join(dict.fromkeys(each.cause for each in outage.phases if each.cause))


def _ending(outage: Outage) -> str:
    if outage.end is OutageEnd.OPEN:
        return "still down"
    seen = "" if outage.end is OutageEnd.BOUND else " (engine ended)"
    return minute(outage.ended_at) + seen


def _seconds(outage: Outage, now_at: int) -> float:
    ended_at = now_at if outage.ended_at is None else outage.ended_at
    return max(ended_at - outage.began_at, 0) / 1e6


def _outage_record(outage: Outage, now_at: int) -> dict[str, object]:
    return {
        "carrier": outage.carrier,
        "link": outage.link or None,
        "began_at": instant(outage.began_at),
        "ended_at": None if outage.ended_at is None else instant(outage.ended_at),
        "seconds": round(_seconds(outage, now_at), 3),
        "end": outage.end.value,
        "root_cause": outage.root_cause.value,
        "wanted": outage.was_wanted,
        "cause": _told_causes(outage),
        "phases": [
            {
                "began_at": instant(phase.began_at),
                "ended_at": None if phase.ended_at is None else instant(phase.ended_at),
                "root_cause": phase.root_cause.value,
                "cause": phase.cause,
                "link": phase.link,
                "host": phase.host or None,
                "command_status": phase.command_status,
            }
            for phase in outage.phases
        ],
    }


def uptime(reader: LedgerReader, carriers: Iterable[str], since_at: int, until_at: int) -> Listing:
    """List how carriers were in some time."""
    found = [reader.uptime(carrier, since_at, until_at) for carrier in carriers]
    return Listing(
        title=f"Uptime from {minute(since_at)} to {minute(until_at)} (UTC)",
        columns=(
            "carrier",
            "#up",
            "#time up",
            "#down",
            "#outages",
            "withheld",
            "unobserved",
            "why",
        ),
        rows=[
            (
                each.carrier,
                "-" if each.share is None else f"{each.share:.3%}",
                lasting(each.up),
                lasting(each.down),
                str(each.outages),
                lasting(each.withheld),
                lasting(each.unobserved),
                ", ".join(
                    f"{cause.value} {lasting(length)}"
                    for cause, length in each.down_by_cause.items()
                )
                or "-",
            )
            for each in found
        ],
        records=[_uptime_record(each) for each in found],
        csv_columns=(
            *("carrier", "since", "until", "share", "up_s", "down_s", "withheld_s"),
            *("unobserved_s", "outages", "down_by_cause"),
        ),
        roomy=("#time up", "withheld", "unobserved"),
    )


def _uptime_record(each: Uptime) -> dict[str, object]:
    return {
        "carrier": each.carrier,
        "since": instant(each.since_at),
        "until": instant(each.until_at),
        "share": None if each.share is None else round(each.share, 6),
        "up_s": round(each.up, 3),
        "down_s": round(each.down, 3),
        "withheld_s": round(each.withheld, 3),
        "unobserved_s": round(each.unobserved, 3),
        "outages": each.outages,
        "down_by_cause": {
            cause.value: round(length, 3) for cause, length in each.down_by_cause.items()
        },
        "open": [instant(outage.began_at) for outage in each.open_outages],
    }
