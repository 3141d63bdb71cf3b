"""How a record is written into a table: its columns, in the order of `schema.py`, and its values.

No None, bool or bytes where an empty text, an int or a bytearray will do, for the reason given there.
The way back is `from_rows.py`.
"""

import json
from collections.abc import Sequence
from typing import Any, Final

from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptLine,
    DeliveryState,
    EvidenceKept,
    InboundArrived,
    InboundLine,
    LinkChanged,
    MappedError,
    MessageLine,
    MessageTaken,
    Privacy,
    ReceiptLine,
    RouteChanged,
)

Row = Sequence[Any]

MESSAGE_COLUMNS: Final = (
    "number, message_ref, recipient, sender, text, traffic_class, tags, duplicate_policy, taken_at,"
    " valid_until_at, part_count, reporting_parts, network, decision, state, state_if_abandoned,"
    " closed, changed_at, route, carrier, error_code, is_open, due_at, pair"
)
BEGINNING_COLUMNS: Final = "message, part, attempt, carrier, route, started_at, state"
ATTEMPT_COLUMNS: Final = (
    f"{BEGINNING_COLUMNS}, ended_at, outcome, retrying,"
    " message_id, message_id_key, command_status, network_error_code, canonical, permanence, scope,"
    " rule, adopted"
)
RECEIPT_COLUMNS: Final = (
    "number, carrier, message_id, message_id_key, kind, message_state, stat, err,"
    " network_error_code, canonical, permanence, scope, rule, submit_date_at, done_date_at,"
    " source_addr, destination_addr, received_at, link, octets, verdict, message, part, attempt,"
    " before_response"
)
INBOUND_COLUMNS: Final = (
    "inbound_ref, carrier, source_addr, destination_addr, text, data_coding, received_at, link,"
    " octets, reference, total, segment"
)
CONVERSATION_COLUMNS: Final = (
    "number, inbound_ref, carrier, source_addr, destination_addr, received_at, latest_at, total,"
    " segments, set_key, state, reply_to, acknowledged_at"
)
LINK_COLUMNS: Final = (
    "carrier, link, changed_at, what, cause, root_cause, host, command_status, can_submit"
)
ROUTE_COLUMNS: Final = (
    "route, network, traffic_class, before, after, findings, actor, note, changed_at"
)
EVIDENCE_COLUMNS: Final = "route, area, traffic_class, octets, clock, kept_at"
LINE_COLUMNS: Final = (
    "number, message_ref, recipient, traffic_class, tags, duplicate_policy, part_count,"
    " reporting_parts, network, route, carrier, state, closed, error_code, changed_at, is_open"
)
"""The part of a message that matching needs: no text, no decision."""

RECEIPT_COLUMNS_QUALIFIED: Final = ", ".join(
    f"receipts.{column.strip()}" for column in RECEIPT_COLUMNS.split(",")
)
"""For joins with tables that have columns of the same name."""


def insertion(table: str, columns: str) -> str:
    """Write the statement that inserts one row."""
    places = ", ".join("?" * len(columns.split(",")))
    return f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 - our own constants


def message_row(line: MessageLine, taken: MessageTaken, privacy: Privacy) -> Row:
    """Make the row of a new message."""
    pair = ""
    if taken.state is DeliveryState.QUEUED:
        pair = privacy.pair_of(taken.to, taken.sender)
    if line.is_stripped:
        taken = privacy.taken(taken)
    return (
        line.number,
        line.message_ref,
        _storable(line.to),
        _storable(taken.sender),
        _storable(taken.text),
        line.traffic_class,
        json.dumps(dict(line.tags)) if line.tags else "{}",
        line.duplicate_policy,
        taken.taken_at,
        taken.valid_until_at,
        line.part_count,
        line.reporting_parts,
        line.network,
        taken.decision,
        line.state._value_,
        _state_if_abandoned(line),
        "" if line.closed is None else line.closed._value_,
        line.changed_at,
        line.route,
        line.carrier,
        line.error_code,
        1 if line.is_open else 0,
        taken.due_at or 0,
        pair,
    )


def message_stripped(line: MessageLine, privacy: Privacy) -> Row:
    """Make what is kept of a person in a message that will not be sent any more, and its number."""
    return (_storable(line.to), privacy.texts == "drop", line.number)


def message_change(line: MessageLine) -> Row:
    """Make what may change of a message while it is open, and its number."""
    return (*_changeable(line), line.number)


def message_turn(line: MessageLine) -> Row:
    """Make the same for one that was finished, or opened again, which it says as well."""
    return (*_changeable(line), 1 if line.is_open else 0, line.number)


def _changeable(line: MessageLine) -> tuple[Any, ...]:
    return (
        line.state._value_,
        _state_if_abandoned(line),
        "" if line.closed is None else line.closed._value_,
        line.changed_at,
        line.route,
        line.carrier,
        line.error_code,
    )


def _state_if_abandoned(line: MessageLine) -> str:
    """Say what readers show when nobody runs the message's attempts; empty when none runs."""
    for attempt in line.attempts:
        if attempt.state is DeliveryState.SENT:
            return line.state_if_abandoned()._value_
    return ""


def attempt_row(line: AttemptLine) -> Row:
    """Make the beginning of a new attempt's row."""
    return (
        line.message.number,
        line.part,
        line.attempt,
        line.carrier,
        line.route,
        line.started_at,
        line.state._value_,
    )


def attempt_state(line: AttemptLine) -> Row:
    """Make what a receipt changes of an attempt, and its key."""
    return (line.state._value_, line.message.number, line.part, line.attempt)


def attempt_end(line: AttemptLine, ended: AttemptEnded) -> Row:
    """Make what an answer changes of an attempt, and its key."""
    return (
        line.state._value_,
        ended.ended_at,
        ended.outcome._value_,
        1 if ended.retrying else 0,
        ended.message_id,
        ended.message_id_key,
        ended.command_status,
        bytearray(ended.network_error_code),
        *_error_columns(ended.error),
        1 if ended.adopted else 0,
        line.message.number,
        line.part,
        line.attempt,
    )


_NO_ERROR_COLUMNS: Final = ("", "", "", "")


def _error_columns(error: MappedError | None) -> tuple[str, ...]:
    if error is None:
        return _NO_ERROR_COLUMNS
    return (error.canonical._value_, error.permanence._value_, error.scope._value_, error.rule)


def receipt_row(line: ReceiptLine) -> Row:
    """Make the row of a new receipt."""
    receipt = line.receipt
    return (
        line.number,
        receipt.carrier,
        receipt.message_id,
        receipt.message_id_key,
        receipt.receipt_kind._value_,
        receipt.message_state,
        receipt.stat,
        receipt.err,
        bytearray(receipt.network_error_code),
        *_error_columns(receipt.error),
        receipt.submit_date_at,
        receipt.done_date_at,
        receipt.source_addr,
        receipt.destination_addr,
        receipt.received_at,
        receipt.link,
        bytearray(receipt.octets),
        *_place(line),
    )


def receipt_change(line: ReceiptLine) -> Row:
    """Make what may change of a receipt, and its number."""
    return (*_place(line), line.number)


def _place(line: ReceiptLine) -> tuple[Any, ...]:
    """Make the columns that say what became of a receipt."""
    attempt = line.attempt
    if attempt is None:
        return (line.verdict._value_, None, None, None, 0)
    return (
        line.verdict._value_,
        attempt.message.number,
        attempt.part,
        attempt.attempt,
        1 if line.before_response else 0,
    )


def inbound_row(entry: InboundArrived) -> Row:
    """Make the row of a message from a handset."""
    return (
        entry.inbound_ref,
        entry.carrier,
        entry.source_addr,
        entry.destination_addr,
        _storable(entry.text),
        entry.data_coding,
        entry.received_at,
        entry.link,
        bytearray(entry.octets),
        entry.reference,
        entry.total,
        entry.segment,
    )


def conversation_row(line: InboundLine) -> Row:
    """Make the row of a new message from a handset, put together as far as it goes."""
    return (
        line.number,
        line.inbound_ref,
        line.carrier,
        line.source_addr,
        line.destination_addr,
        line.received_at,
        line.latest_at,
        line.total,
        json.dumps(line.segments),
        line.set_key,
        line.state._value_,
        line.reply_to,
        line.acknowledged_at,
    )


def conversation_change(line: InboundLine) -> Row:
    """Make what may change of a message from a handset, and its number."""
    return (
        line.source_addr,
        line.latest_at,
        json.dumps(line.segments),
        line.state._value_,
        line.acknowledged_at,
        line.number,
    )


def link_row(entry: LinkChanged) -> Row:
    """Make the row of what happened to a link."""
    return (
        entry.carrier,
        entry.link,
        entry.changed_at,
        entry.what,
        entry.cause,
        str(entry.root_cause),
        entry.host,
        entry.command_status,
        1 if entry.can_submit else 0,
    )


def route_row(entry: RouteChanged) -> Row:
    """Make the row of a route that is trusted more, or less."""
    findings = [
        (each.test.value, each.statistic, each.threshold, each.n) for each in entry.findings
    ]
    return (
        entry.route,
        entry.network,
        entry.traffic_class,
        entry.before.value,
        entry.after.value,
        json.dumps(findings),
        entry.actor,
        _storable(entry.note),
        entry.changed_at,
    )


def evidence_row(entry: EvidenceKept) -> Row:
    """Make the row of what was observed of a route."""
    return (
        entry.route,
        entry.area,
        entry.traffic_class,
        bytearray(entry.octets),
        entry.clock,
        entry.kept_at,
    )


def _storable(text: str) -> str | bytes:
    """Make any text storable: UTF-16 from a peer may hold half a surrogate pair, UTF-8 cannot."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text
