"""Which receipt belongs to which attempt, and what every record makes of its message.

A `Book` holds the lines of the ledger that a store has laid open, and enters records into them one
by one. It decides everything and keeps nothing for good: what changed is in its `Changes` until the
store has written it. Both stores use it, so they cannot disagree about what a receipt means.

Receipts are matched by (carrier, message_id_key) alone: never by the bind, because a carrier sends
them on any bind of the account, and never without the carrier, because two carriers use the same
ids.
"""

from collections.abc import Mapping
from typing import Final

from .canonical import MappedError
from .changes import Changes
from .conversations import InboundLine, InboundState
from .effects import (
    Conflicting,
    Contradicted,
    Duplicate,
    Effect,
    Held,
    InboundReady,
    Known,
    Matched,
    Parked,
    ReceiptVerdict,
    Recorded,
)
from .lines import AttemptLine, MessageLine, Page, ReceiptLine
from .privacy import KEEP_ALL, Privacy
from .records import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    CeilingLearned,
    Entry,
    EvidenceKept,
    InboundAcknowledged,
    InboundArrived,
    InboundGivenUp,
    LinkChanged,
    MessageClosed,
    MessageRerouted,
    MessageTaken,
    ReceiptArrived,
    ReceiptOrphaned,
    RouteChanged,
    RunSeen,
    RunStarted,
)
from .states import FINAL_STATES, DeliveryState, Happening, happening_told_by, next_state

__all__ = ["Book"]

_CLOSABLE: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = {
    DeliveryState.REFUSED: frozenset({DeliveryState.QUEUED}),
    DeliveryState.EXPIRED: frozenset({DeliveryState.QUEUED}),
    DeliveryState.CANCELLED: frozenset(
        {DeliveryState.QUEUED, DeliveryState.ACCEPTED, DeliveryState.OVERDUE}
    ),
    DeliveryState.OVERDUE: frozenset({DeliveryState.ACCEPTED}),
    DeliveryState.IN_DOUBT: frozenset({DeliveryState.IN_DOUBT}),
}
"""What the engine may close as what; see `MessageClosed`."""

_WITH_CARRIER: Final = frozenset(
    {DeliveryState.ACCEPTED, DeliveryState.OVERDUE, DeliveryState.IN_DOUBT}
)
_LOST: Final = FINAL_STATES - {DeliveryState.DELIVERED}
_NOT_TAKEN: Final = frozenset({DeliveryState.REFUSED, DeliveryState.QUEUED})
_NOTED: Final = Recorded()
_MICROSECONDS: Final = 1_000_000


class Book:
    """The open lines of a ledger, and the rules for entering records.

    Before a record is entered, the store has to lay open what it may touch: the message named by
    its ref with all its attempts, and the page of its message_id. What is not open does not exist.

    Args:
        next_message: The first number that is free for a message.
        next_receipt: The first number that is free for a receipt.
        next_inbound: The first number that is free for a message from a handset.
        privacy: What is kept of persons.
    """

    def __init__(
        self,
        next_message: int = 1,
        next_receipt: int = 1,
        next_inbound: int = 1,
        privacy: Privacy = KEEP_ALL,
    ) -> None:
        self.privacy = privacy
        self.messages: dict[str, MessageLine] = {}
        self.pages: dict[str, Page] = {}
        """By message_id_key."""
        self.inbound_refs: set[str] = set()
        """Of every segment."""
        self.inbound: dict[str, InboundLine] = {}
        """Messages from handsets, by inbound_ref."""
        self.sets: dict[str, InboundLine] = {}
        """Those that come in segments: the newest of each `set_key`."""
        self.conversations: dict[str, str] = {}
        """By `pair_of` two numbers: the last message of ours. Empty where there was none."""
        self.changes = Changes()
        self._next_message = next_message
        self._next_receipt = next_receipt
        self._next_inbound = next_inbound

    @property
    def size(self) -> int:
        """How many lines are open, for those who have to bound them."""
        return len(self.messages) + len(self.pages) + len(self.inbound) + len(self.inbound_refs)

    def enter(self, entry: Entry) -> Effect:
        """Enter one record and say what it turned out to mean. Never raises for any record."""
        match entry:
            case AttemptStarted():
                return self._enter_started(entry)
            case AttemptEnded():
                return self._enter_ended(entry)
            case MessageTaken():
                return self._enter_taken(entry)
            case ReceiptArrived():
                return self._enter_receipt(entry)
            case InboundArrived():
                return self._enter_inbound(entry)
            case LinkChanged():
                self.changes.link_changes.append(entry)
                return _NOTED
            case RunStarted() | RunSeen():
                self.changes.runs.append(entry)
                return _NOTED
            case InboundGivenUp():
                return self._enter_given_up(entry)
            case InboundAcknowledged():
                return self._enter_acknowledged(entry)
            case ReceiptOrphaned():
                return self._enter_orphaned(entry)
            case MessageRerouted():
                return self._enter_rerouted(entry)
            case CeilingLearned():
                self.changes.ceilings.append(entry)
                return _NOTED
            case RouteChanged():
                self.changes.route_changes.append(entry)
                return _NOTED
            case EvidenceKept():
                self.changes.evidence.append(entry)
                return _NOTED
            case _:
                return self._enter_closed(entry)

    def strip(self) -> list[MessageLine]:
        """Take from changed messages what is not kept of those that will not be sent any more.

        A store asks once for each batch, before it writes it.

        Returns:
            Those from which it was taken just now, new ones as well.
        """
        if self.privacy.keeps_all:
            return []
        stripped = [
            line for line in self.changes.messages if not line.is_stripped and not line.may_be_sent
        ]
        for line in stripped:
            self.privacy.strip_message(line)
        return stripped

    # The life of a message

    def _enter_taken(self, entry: MessageTaken) -> Effect:
        known = self.messages.get(entry.message_ref)
        if known is not None:
            return Known(message_ref=known.message_ref, state=known.state)
        message = MessageLine(
            number=self._next_message,
            message_ref=entry.message_ref,
            to=entry.to,
            traffic_class=entry.traffic_class,
            tags=entry.tags,
            duplicate_policy=entry.duplicate_policy,
            part_count=entry.part_count,
            reporting_parts=entry.reporting_parts,
            network=entry.network,
            route=entry.route,
            carrier=entry.carrier,
            state=entry.state,
            closed=None if entry.state is DeliveryState.QUEUED else entry.state,
            error_code=entry.error_code,
            changed_at=entry.taken_at,
            taken=entry,
        )
        self._next_message += 1
        self.messages[entry.message_ref] = message
        queued = entry.state is DeliveryState.QUEUED
        pair = self.privacy.pair_of(entry.to, entry.sender) if queued else ""
        if pair:
            self.conversations[pair] = entry.message_ref
        self.changes.messages.append(message)
        return Recorded(message_ref=entry.message_ref, after=entry.state)

    def _enter_rerouted(self, entry: MessageRerouted) -> Effect:
        message = self.messages.get(entry.message_ref)
        if message is None:
            return _unknown(entry.message_ref)
        states = {attempt.state for attempt in message.attempts}
        if not (states <= _NOT_TAKEN and message.state in _NOT_TAKEN):
            return Contradicted(
                message_ref=entry.message_ref,
                found=f"routed anew while {message.state}, after {len(message.attempts)} attempts",
            )
        before = message.state
        message.closed = None
        for attempt in message.attempts:
            if attempt.state is DeliveryState.REFUSED:
                attempt.state = DeliveryState.QUEUED
                self.changes.touch_attempt(attempt)
        message.route = entry.route
        message.carrier = entry.carrier
        message.network = entry.network
        message.reporting_parts = entry.reporting_parts
        message.error_code = ""
        self.changes.touch_message(message)
        self.changes.rerouted.append(entry)
        after = message.restate(entry.rerouted_at)
        return Recorded(message_ref=entry.message_ref, before=before, after=after)

    def _enter_started(self, entry: AttemptStarted) -> Effect:
        message = self.messages.get(entry.message_ref)
        if message is None:
            return _unknown(entry.message_ref)
        earlier = message.attempts_of(entry.part) if message.attempts else []
        if not 1 <= entry.part <= message.part_count or entry.attempt != len(earlier) + 1:
            return Contradicted(
                message_ref=entry.message_ref,
                found=f"attempt {entry.attempt} of part {entry.part} after {len(earlier)} attempts,"
                f" of {message.part_count} parts",
            )
        held = self._held(message, entry.part, earlier)
        if held is not None:
            return held
        before = message.state
        attempt = AttemptLine(
            message=message,
            part=entry.part,
            attempt=entry.attempt,
            carrier=entry.carrier,
            route=entry.route,
            started_at=entry.started_at,
        )
        message.attempts.append(attempt)
        self.changes.attempts.append(attempt)
        message.carrier = entry.carrier
        message.route = entry.route
        message.closed = None
        self.changes.touch_message(message)
        after = message.restate(entry.started_at)
        return Recorded(message_ref=entry.message_ref, before=before, after=after)

    def _held(self, message: MessageLine, part: int, earlier: list[AttemptLine]) -> Held | None:
        """Keep the second promise even if the caller forgets it."""
        if not earlier and message.closed is None:
            return None
        state = message.state_of(part)
        repeated = state in _WITH_CARRIER and message.duplicate_policy != "allow"
        if repeated or next_state(state, Happening.STARTED) is None:
            return Held(message_ref=message.message_ref, part=part, state=state)
        return None

    def _enter_ended(self, entry: AttemptEnded) -> Effect:
        message = self.messages.get(entry.message_ref)
        if message is None:
            return _unknown(entry.message_ref)
        attempt = message.attempt(entry.part, entry.attempt)
        if attempt is None:
            return Contradicted(message_ref=entry.message_ref, found="the attempt never started")
        state = next_state(attempt.state, _what_happened(entry))
        if state is None:
            return Contradicted(
                message_ref=entry.message_ref,
                found=f"{entry.outcome} for an attempt that is {attempt.state}",
            )
        before = message.state
        attempt.state = state
        attempt.ended = entry
        attempt.has_just_ended = True
        self.changes.touch_attempt(attempt)
        self.changes.touch_message(message)
        after = message.restate(entry.ended_at)
        # A part that is only tried again does not explain why another one was lost.
        _explain(message, None if entry.retrying and after in _LOST else entry.error)
        receipts: tuple[Matched | Conflicting, ...] = ()
        if entry.message_id_key and state is DeliveryState.ACCEPTED:
            page = self._page(entry.message_id_key)
            page.add(attempt)
            if page.receipts:
                receipts = self._match_parked(page, attempt)
                after = message.state
        return Recorded(
            message_ref=entry.message_ref, before=before, after=after, receipts=receipts
        )

    def _enter_closed(self, entry: MessageClosed) -> Effect:
        message = self.messages.get(entry.message_ref)
        if message is None:
            return _unknown(entry.message_ref)
        before = message.state
        if not self._close(message, entry.state):
            return Contradicted(
                message_ref=entry.message_ref, found=f"closed as {entry.state} while {before}"
            )
        self.changes.touch_message(message)
        message.error_code = entry.error_code
        after = message.restate(entry.closed_at)
        return Recorded(message_ref=entry.message_ref, before=before, after=after)

    def _close(self, message: MessageLine, state: DeliveryState) -> bool:
        """Close what may be closed; say whether there was anything."""
        closable = _CLOSABLE.get(state, frozenset())
        closed = False
        for part, part_is in enumerate(message.part_states(), start=1):
            if part_is not in closable:
                continue
            closed = True
            if part_is is DeliveryState.QUEUED or state is DeliveryState.IN_DOUBT:
                message.closed = state
            else:
                latest = message.attempts_of(part)[-1]
                latest.state = state
                self.changes.touch_attempt(latest)
        return closed

    # What carriers send

    def _enter_receipt(self, entry: ReceiptArrived) -> Effect:
        entry = self.privacy.receipt(entry)
        page = self._page(entry.message_id_key) if entry.message_id_key else Page()
        attempt = page.attempt_for(entry)
        if page.receipts and page.repeats(entry, attempt):
            return _duplicate(attempt)
        is_orphan = attempt is None and not entry.message_id_key
        line = ReceiptLine(
            number=self._next_receipt,
            receipt=entry,
            verdict=ReceiptVerdict.ORPHANED if is_orphan else ReceiptVerdict.PARKED,
        )
        self._next_receipt += 1
        page.receipts.append(line)
        self.changes.receipts.append(line)
        if attempt is None:
            return Parked(receipt=entry, is_orphan=is_orphan)
        return self._match(line, attempt)

    def _enter_orphaned(self, entry: ReceiptOrphaned) -> Effect:
        for line in self._page(entry.message_id_key).receipts:
            if line.number == entry.number and line.verdict is ReceiptVerdict.PARKED:
                line.verdict = ReceiptVerdict.ORPHANED
                self.changes.touch_receipt(line)
                return Recorded()
        return Contradicted(message_ref="", found=f"receipt {entry.number} does not wait")

    def _page(self, message_id_key: str) -> Page:
        page = self.pages.get(message_id_key)
        if page is None:
            page = self.pages[message_id_key] = Page()
        return page

    def _match_parked(self, page: Page, attempt: AttemptLine) -> tuple[Matched | Conflicting, ...]:
        """Give an attempt the receipts that waited for it; those that only repeat are not told."""
        effects = [self._match(line, attempt) for line in page.parked_for(attempt)]
        return tuple(effect for effect in effects if not isinstance(effect, Duplicate))

    def _match(self, line: ReceiptLine, attempt: AttemptLine) -> Matched | Conflicting | Duplicate:
        """Enter a receipt that belongs to an attempt, and let it change what it may."""
        receipt = line.receipt
        message = attempt.message
        self.changes.touch_receipt(line)
        line.attempt = attempt
        line.before_response = _overtook(receipt, attempt)
        happening = happening_told_by(receipt.receipt_kind, receipt.message_state)
        told = next_state(DeliveryState.ACCEPTED, happening)
        closed = attempt.state in FINAL_STATES
        if closed and told is attempt.state:
            line.verdict = ReceiptVerdict.REPEATED
            return _duplicate(attempt)
        if closed and told is not None and told in FINAL_STATES:
            line.verdict = ReceiptVerdict.CONFLICTING
            return Conflicting(
                receipt=receipt,
                message_ref=message.message_ref,
                part=attempt.part,
                attempt=attempt.attempt,
                state=attempt.state,
                told=told,
            )
        before = message.state
        suspected = happening is Happening.DELIVERED and _was_given_up(attempt)
        line.verdict = ReceiptVerdict.DUPLICATE_SUSPECTED if suspected else ReceiptVerdict.MATCHED
        if not closed:
            self._progress(attempt, happening, receipt)
        return Matched(
            receipt=receipt,
            message_ref=message.message_ref,
            part=attempt.part,
            part_count=message.part_count,
            attempt=attempt.attempt,
            before=before,
            after=message.state,
            part_after=message.state_of(attempt.part),
            latency=_latency(line, attempt),
            before_response=line.before_response,
            duplicate_suspected=suspected,
            to=message.to,
            traffic_class=message.traffic_class,
            tags=message.tags,
            carrier=attempt.carrier,
            route=attempt.route,
            network=message.network,
        )

    def _progress(
        self, attempt: AttemptLine, happening: Happening, receipt: ReceiptArrived
    ) -> None:
        """Let a receipt move an open attempt, and the message with it."""
        state = next_state(attempt.state, happening)
        if state is None or state is attempt.state:
            return
        message = attempt.message
        was_lost = message.state in _LOST
        attempt.state = state
        self.changes.touch_attempt(attempt)
        self.changes.touch_message(message)
        message.restate(receipt.received_at)
        speaks = attempt is message.attempts_of(attempt.part)[-1] and not was_lost
        delivered = state is DeliveryState.DELIVERED
        _explain(message, receipt.error if speaks and not delivered else None)

    def _enter_inbound(self, entry: InboundArrived) -> Effect:
        if entry.inbound_ref in self.inbound_refs:
            return Duplicate()
        set_key = self.privacy.set_key(entry)
        line = self.sets.get(set_key) if entry.total > 1 else None
        if line is not None and line.repeats(entry):
            return Duplicate()
        self.inbound_refs.add(entry.inbound_ref)
        self.changes.inbound.append(self.privacy.segment(entry))
        if line is not None and line.wants(entry):
            line.add(entry)
            self.changes.touch_inbound(line)
        else:
            line = self._begin_inbound(entry, set_key)
        return _NOTED if line.state is InboundState.WAITING else InboundReady(message=line.record())

    def _begin_inbound(self, entry: InboundArrived, set_key: str) -> InboundLine:
        pair = self.privacy.pair_of(entry.source_addr, entry.destination_addr)
        reply_to = self.conversations.get(pair, "") if pair else ""
        line = InboundLine.begun_by(entry, self._next_inbound, reply_to)
        line.set_key = set_key
        self._next_inbound += 1
        self.inbound[line.inbound_ref] = line
        if line.set_key:
            self.sets[line.set_key] = line
        self.changes.inbound_lines.append(line)
        return line

    def _enter_given_up(self, entry: InboundGivenUp) -> Effect:
        line = self.inbound.get(entry.inbound_ref)
        if line is None or line.state is not InboundState.WAITING:
            return Contradicted(message_ref="", found=f"{entry.inbound_ref} waits for no segments")
        line.state = InboundState.PARTIAL
        self.changes.touch_inbound(line)
        return InboundReady(message=line.record())

    def _enter_acknowledged(self, entry: InboundAcknowledged) -> Effect:
        line = self.inbound.get(entry.inbound_ref)
        if line is None or line.state is InboundState.WAITING:
            return Contradicted(message_ref="", found=f"{entry.inbound_ref} was never told")
        if not line.acknowledged_at:
            line.acknowledged_at = entry.acknowledged_at
            self.privacy.strip_inbound(line)
            self.changes.touch_inbound(line)
        return _NOTED


def _explain(message: MessageLine, error: MappedError | None) -> None:
    """Keep why a message stands where it stands: the first loss is what lost it.

    Good news of one part does not mend what another one lost.
    """
    if error is not None:
        message.error_code = error.canonical.value
    elif message.state not in _LOST:
        message.error_code = ""


def _what_happened(entry: AttemptEnded) -> Happening:
    if entry.outcome is AttemptOutcome.ACCEPTED:
        return Happening.ACCEPTED
    if entry.outcome is AttemptOutcome.IN_DOUBT:
        return Happening.DOUBTED
    return Happening.RETRYING if entry.retrying else Happening.REFUSED


def _overtook(receipt: ReceiptArrived, attempt: AttemptLine) -> bool:
    """Say whether a receipt came before the answer to its attempt."""
    ended = attempt.ended
    return ended is None or ended.adopted or receipt.received_at < ended.ended_at


def _latency(line: ReceiptLine, attempt: AttemptLine) -> float:
    since = attempt.started_at
    if attempt.ended is not None and not line.before_response:
        since = attempt.ended.ended_at
    return (line.receipt.received_at - since) / _MICROSECONDS


def _was_given_up(attempt: AttemptLine) -> bool:
    """Say whether the part was sent again after this attempt, or delivered by another one.

    A later attempt that certainly was not taken made no second copy.
    """
    attempts = attempt.message.attempts
    return len(attempts) > 1 and any(
        other.state is DeliveryState.DELIVERED
        or (other.attempt > attempt.attempt and other.state not in _NOT_TAKEN)
        for other in attempts
        if other.part == attempt.part and other is not attempt
    )


def _duplicate(attempt: AttemptLine | None) -> Duplicate:
    if attempt is None:
        return Duplicate()
    return Duplicate(
        message_ref=attempt.message.message_ref, part=attempt.part, attempt=attempt.attempt
    )


def _unknown(message_ref: str) -> Contradicted:
    return Contradicted(message_ref=message_ref, found="no message was taken under this ref")
