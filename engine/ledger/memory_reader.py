"""Reading a ledger that is kept in memory.

Plain walks over everything: a ledger in memory is small, or nobody asks it for reports.
"""

import threading
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import attrs

from whiteroute.engine.messages import (
    AcceptedId,
    AttemptLine,
    AttemptStarted,
    Book,
    CeilingLearned,
    DeliveryState,
    Doubt,
    EngineRun,
    EvidenceKept,
    InboundArrived,
    InboundLine,
    InboundRecord,
    InboundState,
    LinkChanged,
    MessageLine,
    MessageTaken,
    Outage,
    ReceiptLine,
    ReceiptVerdict,
    ReceivedId,
    RouteChanged,
    RunSeen,
    RunStarted,
    Uptime,
)

from .reading import (
    EVERYTHING,
    OVERDUE_STATES,
    RESPONSES_PER_RECEIPT,
    AttemptRecord,
    IdsSeen,
    MessageHistory,
    MessageRecord,
    ReceiptRecord,
    Selection,
    SummaryKey,
    SummaryLine,
    UnmappedCode,
    age_of_doubt,
    by_frequency,
    is_unmapped,
    outages_of,
    uptime_of,
)

__all__ = ["Contents", "MemoryReader"]


@attrs.define(eq=False)
class Contents:
    """What a `MemoryStore` holds, shared with its readers."""

    book: Book = attrs.field(factory=Book)
    taken: dict[str, MessageTaken] = attrs.field(factory=dict[str, MessageTaken])
    receipts: list[ReceiptLine] = attrs.field(factory=list[ReceiptLine])
    inbound: list[InboundArrived] = attrs.field(factory=list[InboundArrived])
    conversations: list[InboundLine] = attrs.field(factory=list[InboundLine])
    link_changes: list[LinkChanged] = attrs.field(factory=list[LinkChanged])
    runs: list[EngineRun] = attrs.field(factory=list[EngineRun])
    ceilings: dict[str, CeilingLearned] = attrs.field(factory=dict[str, CeilingLearned])
    route_changes: list[RouteChanged] = attrs.field(factory=list[RouteChanged])
    evidence: dict[tuple[str, str, str], EvidenceKept] = attrs.field(
        factory=dict[tuple[str, str, str], EvidenceKept]
    )
    """By route, area and traffic class."""
    has_writer: bool = True
    guard: threading.Lock = attrs.field(factory=threading.Lock)
    """Held while writing and while reading: readers may be in another thread than the writer."""

    def enter_run(self, entry: RunStarted | RunSeen) -> None:
        """Note that an engine began to watch, or still watches."""
        if isinstance(entry, RunStarted):
            self.runs.append(EngineRun(started_at=entry.started_at, seen_at=entry.started_at))
        elif self.runs:
            last = self.runs[-1]
            self.runs[-1] = attrs.evolve(last, seen_at=max(last.seen_at, entry.seen_at))

    def doubts(self, states: Collection[DeliveryState]) -> tuple[Doubt, ...]:
        """Find attempts in one of these states, in the order of their messages."""
        return tuple(
            Doubt(
                message_ref=message.message_ref,
                part=attempt.part,
                attempt=attempt.attempt,
                carrier=attempt.carrier,
                route=attempt.route,
                started_at=attempt.started_at,
                to=message.to,
                sender=self.taken[message.message_ref].sender,
                text=self.taken[message.message_ref].text,
            )
            for message in self.book.messages.values()
            for attempt in sorted(message.attempts, key=_which)
            if attempt.state in states
        )


class MemoryReader:
    """Reads a `MemoryStore`; see `LedgerReader`."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    @property
    def has_writer(self) -> bool:
        """Whether the store was written since it was last closed."""
        return self._contents.has_writer

    def message(self, message_ref: str) -> MessageHistory | None:
        """Read everything about one message; None when it is not known."""
        with self._contents.guard:
            line = self._contents.book.messages.get(message_ref)
            if line is None:
                return None
            return MessageHistory(
                message=self._message_record(line),
                attempts=tuple(
                    self._attempt_record(attempt)
                    for attempt in sorted(line.attempts, key=_when_started)
                ),
                receipts=tuple(
                    _receipt_record(receipt)
                    for receipt in self._contents.receipts
                    if receipt.attempt is not None and receipt.attempt.message is line
                ),
            )

    def messages(self, selection: Selection = EVERYTHING) -> Iterator[MessageRecord]:
        """Read messages in the order in which they were taken."""
        with self._contents.guard:
            found = [self._message_record(line) for line in self._contents.book.messages.values()]
        chosen = [
            record
            for record in found
            if _is_chosen(selection, record.taken_at, record.carrier, record.message_ref)
            and selection.route in (None, record.route)
            and selection.state in (None, record.state)
            and selection.network in (None, record.network)
            and selection.traffic_class in (None, record.traffic_class)
            and (selection.to is None or record.to.lstrip("+") == selection.to.lstrip("+"))
            and selection.error_code in (None, record.error_code)
            and selection.tags.items() <= record.tags.items()
        ]
        return iter(_limited(chosen, selection))

    def receipts(self, selection: Selection = EVERYTHING) -> Iterator[ReceiptRecord]:
        """Read receipts in the order in which they arrived."""
        with self._contents.guard:
            chosen = [
                record
                for line in self._contents.receipts
                for record in (_receipt_record(line),)
                if _is_chosen(
                    selection,
                    record.receipt.received_at,
                    record.receipt.carrier,
                    record.message_ref,
                )
                and selection.verdict in (None, record.verdict)
                and self._is_of_chosen_message(selection, line)
            ]
        return iter(_limited(chosen, selection))

    def inbound(self, selection: Selection = EVERYTHING) -> Iterator[InboundArrived]:
        """Read messages from handsets in the order in which they arrived."""
        chosen = [
            entry
            for entry in self._contents.inbound
            if _is_chosen(selection, entry.received_at, entry.carrier)
        ]
        return iter(chosen[: selection.limit])

    def conversations(self, selection: Selection = EVERYTHING) -> Iterator[InboundRecord]:
        """Read messages from handsets, put together, in the order in which they began to arrive."""
        with self._contents.guard:
            found = [line.record() for line in self._contents.conversations]
        chosen = [
            record for record in found if _is_chosen(selection, record.received_at, record.carrier)
        ]
        return iter(_limited(chosen, selection))

    def replies(self, message_ref: str) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that answer one of ours, in order."""
        return tuple(
            record for record in self.conversations() if record.reply_to == message_ref != ""
        )

    def unmapped(self, selection: Selection = EVERYTHING) -> tuple[UnmappedCode, ...]:
        """Count the receipts and the responses whose codes ended in UNKNOWN, by what they bore."""
        with self._contents.guard:
            found = [*self._unmapped_receipts(), *self._unmapped_answers()]
        counted: dict[tuple[object, ...], UnmappedCode] = {}
        for code in found:
            if _is_chosen(selection, code.first_at, code.carrier):
                raw = (code.command_status, code.stat, code.err, code.network_error_code)
                key = (code.carrier, *raw)
                counted[key] = _added(counted.get(key), code)
        return tuple(sorted(counted.values(), key=by_frequency))

    def _unmapped_receipts(self) -> Iterator[UnmappedCode]:
        for line in self._contents.receipts:
            receipt = line.receipt
            if is_unmapped(receipt.error):
                yield UnmappedCode(
                    carrier=receipt.carrier,
                    command_status=None,
                    stat=receipt.stat,
                    err=receipt.err,
                    network_error_code=receipt.network_error_code,
                    count=1,
                    first_at=receipt.received_at,
                    last_at=receipt.received_at,
                    message_id=receipt.message_id,
                    message_ref="" if line.attempt is None else line.attempt.message.message_ref,
                    addresses=_without_blanks(receipt.source_addr, receipt.destination_addr),
                )

    def _unmapped_answers(self) -> Iterator[UnmappedCode]:
        for message in self._contents.book.messages.values():
            for attempt in sorted(message.attempts, key=_which):
                ended = attempt.ended
                if ended is not None and is_unmapped(ended.error):
                    yield UnmappedCode(
                        carrier=attempt.carrier,
                        command_status=ended.command_status,
                        stat="",
                        err="",
                        network_error_code=ended.network_error_code,
                        count=1,
                        first_at=ended.ended_at,
                        last_at=ended.ended_at,
                        message_id=ended.message_id,
                        message_ref=message.message_ref,
                        addresses=_without_blanks(
                            message.to, self._contents.taken[message.message_ref].sender
                        ),
                    )

    def ids_seen(self, carrier: str, limit: int) -> IdsSeen:
        """Read how a carrier has spelt its message ids of late."""
        with self._contents.guard:
            attempts = [
                attempt
                for message in self._contents.book.messages.values()
                for attempt in sorted(message.attempts, key=_which)
                if attempt.carrier == carrier
            ]
            receipts = [
                line
                for line in self._contents.receipts
                if line.receipt.carrier == carrier and line.receipt.message_id
            ]
        accepted = [
            AcceptedId(
                message_id=attempt.ended.message_id,
                to=attempt.message.to,
                started_at=attempt.started_at,
            )
            for attempt in reversed(attempts)
            if attempt.ended is not None and attempt.ended.message_id and not attempt.ended.adopted
        ]
        received = [
            ReceivedId(
                message_id=line.receipt.message_id,
                source_addr=line.receipt.source_addr,
                destination_addr=line.receipt.destination_addr,
                received_at=line.receipt.received_at,
                is_matched=line.attempt is not None,
            )
            for line in reversed(receipts)
        ]
        waiting = [each for each in received if not each.is_matched]
        matched = [each for each in received if each.is_matched]
        return IdsSeen(
            accepted=tuple(accepted[: RESPONSES_PER_RECEIPT * limit]),
            received=(*waiting[:limit], *matched[:limit]),
        )

    def carriers(self) -> tuple[str, ...]:
        """Read the names of all carriers of which anything is known, in order."""
        contents = self._contents
        with contents.guard:
            names = {line.receipt.carrier for line in contents.receipts}
            names |= {entry.carrier for entry in contents.inbound}
            names |= {change.carrier for change in contents.link_changes}
            for message in contents.book.messages.values():
                names |= {message.carrier, *(attempt.carrier for attempt in message.attempts)}
        return tuple(sorted(names - {""}))

    def incomplete(self, before_at: int, limit: int) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that began before some time and miss segments."""
        found = [
            record
            for record in self.conversations(Selection(until_at=before_at))
            if record.state is InboundState.WAITING
        ]
        return tuple(sorted(found, key=_when_begun)[:limit])

    def unacknowledged(self, after: int, limit: int) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that the application has not said it has, in order."""
        found = [
            record
            for record in self.conversations()
            if record.number > after
            and record.acknowledged_at is None
            and record.state is not InboundState.WAITING
        ]
        return tuple(found[:limit])

    def link_changes(self, selection: Selection = EVERYTHING) -> Iterator[LinkChanged]:
        """Read what happened to links, in order."""
        chosen = [
            entry
            for entry in self._contents.link_changes
            if _is_chosen(selection, entry.changed_at, entry.carrier)
        ]
        return iter(chosen[: selection.limit])

    def runs(self) -> tuple[EngineRun, ...]:
        """Read when engines watched, oldest first."""
        return tuple(self._contents.runs)

    def outages(
        self,
        carrier: str | None = None,
        since_at: int | None = None,
        until_at: int | None = None,
        *,
        by_link: bool = False,
    ) -> tuple[Outage, ...]:
        """Find when carriers, or their links, were down."""
        return outages_of(self, carrier, since_at, until_at, by_link=by_link)

    def uptime(self, carrier: str, since_at: int, until_at: int) -> Uptime:
        """Add up how a carrier was in some time."""
        return uptime_of(self, carrier, since_at, until_at)

    def ceilings(self) -> dict[str, CeilingLearned]:
        """Read how fast carriers were found to be, by their names."""
        return dict(self._contents.ceilings)

    def route_changes(self, route: str | None = None) -> tuple[RouteChanged, ...]:
        """Read how far routes were trusted, in order."""
        with self._contents.guard:
            return tuple(
                change
                for change in self._contents.route_changes
                if route is None or change.route == route
            )

    def evidence(self) -> tuple[EvidenceKept, ...]:
        """Read what was observed of routes."""
        with self._contents.guard:
            kept = self._contents.evidence
            return tuple(kept[key] for key in sorted(kept))

    def doubts(self) -> tuple[Doubt, ...]:
        """Read every attempt that may have been accepted, oldest first."""
        states = {DeliveryState.IN_DOUBT}
        if not self.has_writer:
            states.add(DeliveryState.SENT)
        with self._contents.guard:
            return tuple(sorted(self._contents.doubts(states), key=age_of_doubt))

    def overdue(self, now_at: int, limit: int) -> tuple[MessageRecord, ...]:
        """Read messages whose final receipt should have come."""
        with self._contents.guard:
            lines = [
                line
                for line in self._contents.book.messages.values()
                if line.is_open and line.state in OVERDUE_STATES
            ]
            records = [self._message_record(line) for line in lines]
        due = [record for record in records if record.due_at and record.due_at <= now_at]
        return tuple(sorted(due, key=_when_due)[:limit])

    def parked(self, before_at: int, limit: int) -> tuple[ReceiptRecord, ...]:
        """Read receipts that wait for an answer and came before some time, the oldest first."""
        with self._contents.guard:
            found = [
                _receipt_record(line)
                for line in self._contents.receipts
                if line.verdict is ReceiptVerdict.PARKED and line.receipt.received_at < before_at
            ]
        return tuple(sorted(found, key=_when_received)[:limit])

    def summary(self, by: SummaryKey, selection: Selection = EVERYTHING) -> tuple[SummaryLine, ...]:
        """Count messages by what they have in common, in the order of the keys."""
        counts: dict[str, dict[DeliveryState, int]] = {}
        parts: dict[str, int] = {}
        for record in self.messages(selection):
            key = _key(record, by)
            states = counts.setdefault(key, {})
            states[record.state] = states.get(record.state, 0) + 1
            parts[key] = parts.get(key, 0) + record.part_count
        return tuple(
            SummaryLine(key=key, states=states, messages=sum(states.values()), parts=parts[key])
            for key, states in sorted(counts.items())
        )

    def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _message_record(self, line: MessageLine) -> MessageRecord:
        taken = self._contents.taken[line.message_ref]
        return MessageRecord(
            message_ref=line.message_ref,
            to=line.to,
            sender=taken.sender,
            text=taken.text,
            traffic_class=line.traffic_class,
            tags=line.tags,
            duplicate_policy=line.duplicate_policy,
            taken_at=taken.taken_at,
            valid_until_at=taken.valid_until_at,
            due_at=taken.due_at,
            part_count=line.part_count,
            reporting_parts=line.reporting_parts,
            network=line.network,
            decision=taken.decision,
            state=self._shown_state(line),
            changed_at=line.changed_at,
            route=line.route,
            carrier=line.carrier,
            error_code=line.error_code,
        )

    def _shown_state(self, line: MessageLine) -> DeliveryState:
        is_running = any(attempt.state is DeliveryState.SENT for attempt in line.attempts)
        return line.state_if_abandoned() if is_running and not self.has_writer else line.state

    def _attempt_record(self, line: AttemptLine) -> AttemptRecord:
        abandoned = line.state is DeliveryState.SENT and not self.has_writer
        return AttemptRecord(
            started=AttemptStarted(
                message_ref=line.message.message_ref,
                part=line.part,
                attempt=line.attempt,
                carrier=line.carrier,
                route=line.route,
                started_at=line.started_at,
            ),
            ended=line.ended,
            state=DeliveryState.IN_DOUBT if abandoned else line.state,
        )

    def _is_of_chosen_message(self, selection: Selection, line: ReceiptLine) -> bool:
        if selection.state is None and selection.route is None:
            return True
        if line.attempt is None:
            return False
        message = line.attempt.message
        return selection.state in (None, self._shown_state(message)) and selection.route in (
            None,
            message.route,
        )


def _when_received(record: ReceiptRecord) -> tuple[int, int]:
    return (record.receipt.received_at, record.number)


def _when_begun(record: InboundRecord) -> tuple[int, int]:
    return (record.received_at, record.number)


def _when_due(record: MessageRecord) -> int:
    return record.due_at or 0


def _which(line: AttemptLine) -> tuple[int, int]:
    return (line.part, line.attempt)


def _when_started(line: AttemptLine) -> tuple[int, int, int]:
    return (line.started_at, line.part, line.attempt)


def _receipt_record(line: ReceiptLine) -> ReceiptRecord:
    attempt = line.attempt
    return ReceiptRecord(
        number=line.number,
        receipt=line.receipt,
        verdict=line.verdict,
        message_ref=None if attempt is None else attempt.message.message_ref,
        part=None if attempt is None else attempt.part,
        attempt=None if attempt is None else attempt.attempt,
        before_response=line.before_response,
    )


_Record = TypeVar("_Record")


def _limited(chosen: list[_Record], selection: Selection) -> list[_Record]:
    if selection.is_newest and selection.limit is not None:
        return chosen[len(chosen) - selection.limit :] if selection.limit < len(chosen) else chosen
    return chosen[: selection.limit]


def _added(counted: UnmappedCode | None, newer: UnmappedCode) -> UnmappedCode:
    if counted is None:
        return newer
    return attrs.evolve(
        newer,
        count=counted.count + newer.count,
        first_at=min(counted.first_at, newer.first_at),
        last_at=max(counted.last_at, newer.last_at),
    )


def _without_blanks(*addresses: str) -> tuple[str, ...]:
    return tuple(address for address in addresses if address)


def _is_chosen(selection: Selection, at: int, carrier: str, message_ref: str | None = None) -> bool:
    return (
        selection.carrier in (None, carrier)
        and selection.message_ref in (None, message_ref)
        and (selection.since_at is None or at >= selection.since_at)
        and (selection.until_at is None or at < selection.until_at)
    )


def _key(record: MessageRecord, by: SummaryKey) -> str:
    if by == "campaign":
        return record.tags.get("campaign", "")
    if by == "error":
        return record.error_code
    if by == "hour":
        return _hour(record.taken_at)
    return str(getattr(record, by))


def _hour(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H")
