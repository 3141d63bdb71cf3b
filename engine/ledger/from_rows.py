"""How a row of a table becomes a record again, or an open line.

The columns and their order are those of `rows.py`.
"""

import json
from typing import Final

from whiteroute.engine.messages import (
    AcceptedId,
    AttemptEnded,
    AttemptLine,
    AttemptOutcome,
    AttemptStarted,
    Canonical,
    CeilingLearned,
    DeliveryState,
    EngineRun,
    EvidenceKept,
    InboundArrived,
    InboundLine,
    InboundState,
    LinkChanged,
    MappedError,
    MessageLine,
    Permanence,
    ReceiptArrived,
    ReceiptLine,
    ReceiptNews,
    ReceiptVerdict,
    ReceivedId,
    RootCause,
    RouteChanged,
    Scope,
)
from whiteroute.routing import Finding, RouteState, Suspicion

from .reading import AttemptRecord, MessageRecord, ReceiptRecord, UnmappedCode
from .rows import Row

STATES: Final = {state.value: state for state in DeliveryState}
_OUTCOMES: Final = {outcome.value: outcome for outcome in AttemptOutcome}
_ROOT_CAUSES: Final = {cause.value: cause for cause in RootCause}
_VERDICTS: Final = {verdict.value: verdict for verdict in ReceiptVerdict}


def stored_text(value: str | bytes) -> str:
    """Read what `_storable` made of a text."""
    return value if isinstance(value, str) else value.decode("utf-8", "surrogatepass")


def message_line(row: Row) -> MessageLine:
    """Open a message, still without its attempts, from `LINE_COLUMNS`."""
    return MessageLine(
        number=row[0],
        message_ref=row[1],
        to=stored_text(row[2]),
        traffic_class=row[3],
        tags=json.loads(row[4]) if row[4] != "{}" else {},
        duplicate_policy=row[5],
        part_count=row[6],
        reporting_parts=row[7],
        network=row[8],
        route=row[9],
        carrier=row[10],
        state=STATES[row[11]],
        closed=STATES[row[12]] if row[12] else None,
        error_code=row[13],
        changed_at=row[14],
        was_open=bool(row[15]),
    )


def message_record(row: Row, *, abandoned: bool) -> MessageRecord:
    """Read a message from `MESSAGE_COLUMNS`; `abandoned` when no engine owns the ledger."""
    state = row[15] if abandoned and row[15] else row[14]
    return MessageRecord(
        message_ref=row[1],
        to=stored_text(row[2]),
        sender=stored_text(row[3]),
        text=stored_text(row[4]),
        traffic_class=row[5],
        tags=json.loads(row[6]),
        duplicate_policy=row[7],
        taken_at=row[8],
        valid_until_at=row[9],
        part_count=row[10],
        reporting_parts=row[11],
        network=row[12],
        decision=row[13],
        state=STATES[state],
        changed_at=row[17],
        route=row[18],
        carrier=row[19],
        error_code=row[20],
        due_at=row[22] or None,
    )


def attempt_line(message: MessageLine, row: Row) -> AttemptLine:
    """Open an attempt from `ATTEMPT_COLUMNS`."""
    return AttemptLine(
        message=message,
        part=row[1],
        attempt=row[2],
        carrier=row[3],
        route=row[4],
        started_at=row[5],
        state=STATES[row[6]],
        ended=_ended(message.message_ref, row),
    )


def attempt_record(message_ref: str, row: Row, *, abandoned: bool) -> AttemptRecord:
    """Read an attempt from `ATTEMPT_COLUMNS`; `abandoned` when no engine owns the ledger."""
    state = STATES[row[6]]
    return AttemptRecord(
        started=AttemptStarted(
            message_ref=message_ref,
            part=row[1],
            attempt=row[2],
            carrier=row[3],
            route=row[4],
            started_at=row[5],
        ),
        ended=_ended(message_ref, row),
        state=DeliveryState.IN_DOUBT if abandoned and state is DeliveryState.SENT else state,
    )


def _ended(message_ref: str, row: Row) -> AttemptEnded | None:
    if not row[8]:
        return None
    return AttemptEnded(
        message_ref=message_ref,
        part=row[1],
        attempt=row[2],
        ended_at=row[7],
        outcome=_OUTCOMES[row[8]],
        retrying=bool(row[9]),
        message_id=row[10],
        message_id_key=row[11],
        command_status=row[12],
        network_error_code=row[13],
        error=_error(row[14:18], command_status=row[12], network_error_code=row[13]),
        adopted=bool(row[18]),
    )


def _error(
    row: Row,
    *,
    command_status: int | None = None,
    stat: str = "",
    err: str = "",
    network_error_code: bytes = b"",
) -> MappedError | None:
    if not row[0]:
        return None
    return MappedError(
        canonical=Canonical(row[0]),
        permanence=Permanence(row[1]),
        scope=Scope(row[2]),
        rule=row[3],
        command_status=command_status,
        stat=stat,
        err=err,
        network_error_code=network_error_code,
    )


def receipt_arrived(row: Row) -> ReceiptArrived:
    """Read what came in from `RECEIPT_COLUMNS`."""
    return ReceiptArrived(
        carrier=row[1],
        message_id=row[2],
        message_id_key=row[3],
        receipt_kind=ReceiptNews(row[4]),
        message_state=row[5],
        stat=row[6],
        err=row[7],
        network_error_code=row[8],
        error=_error(row[9:13], stat=row[6], err=row[7], network_error_code=row[8]),
        submit_date_at=row[13],
        done_date_at=row[14],
        source_addr=row[15],
        destination_addr=row[16],
        received_at=row[17],
        link=row[18],
        octets=row[19],
    )


def receipt_line(row: Row, attempt: AttemptLine | None) -> ReceiptLine:
    """Open a receipt from `RECEIPT_COLUMNS`."""
    return ReceiptLine(
        number=row[0],
        receipt=receipt_arrived(row),
        verdict=_VERDICTS[row[20]],
        attempt=attempt,
        before_response=bool(row[24]),
    )


def receipt_record(row: Row, message_ref: str | None) -> ReceiptRecord:
    """Read a receipt from `RECEIPT_COLUMNS`."""
    return ReceiptRecord(
        number=row[0],
        receipt=receipt_arrived(row),
        verdict=_VERDICTS[row[20]],
        message_ref=message_ref,
        part=row[22],
        attempt=row[23],
        before_response=bool(row[24]),
    )


def inbound_arrived(row: Row) -> InboundArrived:
    """Read a message from a handset from `INBOUND_COLUMNS`."""
    return InboundArrived(
        inbound_ref=row[0],
        carrier=row[1],
        source_addr=row[2],
        destination_addr=row[3],
        text=stored_text(row[4]),
        data_coding=row[5],
        received_at=row[6],
        link=row[7],
        octets=row[8],
        reference=row[9],
        total=row[10],
        segment=row[11],
    )


def inbound_line(row: Row) -> InboundLine:
    """Open a message from a handset from `CONVERSATION_COLUMNS`."""
    return InboundLine(
        number=row[0],
        inbound_ref=row[1],
        carrier=row[2],
        source_addr=row[3],
        destination_addr=row[4],
        received_at=row[5],
        latest_at=row[6],
        total=row[7],
        segments={int(number): text for number, text in json.loads(row[8]).items()},
        set_key=row[9],
        state=InboundState(row[10]),
        reply_to=row[11],
        acknowledged_at=row[12],
    )


def link_changed(row: Row) -> LinkChanged:
    """Read what happened to a link from `LINK_COLUMNS`."""
    return LinkChanged(
        carrier=row[0],
        link=row[1],
        changed_at=row[2],
        what=row[3],
        cause=row[4],
        root_cause=_ROOT_CAUSES[row[5]],
        host=row[6],
        command_status=row[7],
        can_submit=bool(row[8]),
    )


def accepted_id(row: Row) -> AcceptedId:
    """Read how a response spelt its message_id from `message_id, recipient, started_at`."""
    return AcceptedId(message_id=row[0], to=stored_text(row[1]), started_at=row[2])


def received_id(row: Row, *, is_matched: bool) -> ReceivedId:
    """Read the same of a receipt from `message_id, source_addr, destination_addr, received_at`."""
    return ReceivedId(
        message_id=row[0],
        source_addr=row[1],
        destination_addr=row[2],
        received_at=row[3],
        is_matched=is_matched,
    )


def unmapped_code(row: Row) -> UnmappedCode:
    """Read what nobody could name, counted, and the newest one's ids and addresses."""
    return UnmappedCode(
        carrier=row[0],
        command_status=row[1],
        stat=row[2],
        err=row[3],
        network_error_code=row[4],
        count=row[5],
        first_at=row[6],
        last_at=row[7],
        message_id=row[8],
        message_ref=row[9],
        addresses=tuple(stored_text(each) for each in row[10:12] if each),
    )


def engine_run(row: Row) -> EngineRun:
    """Read when an engine watched from `started_at, seen_at`."""
    return EngineRun(started_at=row[0], seen_at=row[1])


def ceiling_learned(row: Row) -> CeilingLearned:
    """Read what a carrier was found to take from `carrier, tps, learned_at`."""
    return CeilingLearned(carrier=row[0], tps=row[1], learned_at=row[2])


def route_changed(row: Row) -> RouteChanged:
    """Read how a route's trust changed from `ROUTE_COLUMNS`."""
    return RouteChanged(
        route=row[0],
        network=row[1],
        traffic_class=row[2],
        before=RouteState(row[3]),
        after=RouteState(row[4]),
        findings=tuple(_finding(*each) for each in json.loads(row[5])),
        actor=row[6],
        note=stored_text(row[7]),
        changed_at=row[8],
    )


def _finding(name: str, statistic: float, threshold: float, n: int) -> Finding:
    test = Suspicion(name)
    return Finding(test=test, severity=test.severity, statistic=statistic, threshold=threshold, n=n)


def evidence_kept(row: Row) -> EvidenceKept:
    """Read what was observed of a route from `EVIDENCE_COLUMNS`."""
    return EvidenceKept(
        route=row[0],
        area=row[1],
        traffic_class=row[2],
        octets=row[3],
        clock=row[4],
        kept_at=row[5],
    )
