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

from .changes import Changes
from .effects import (
    Conflicting,
    Contradicted,
    Duplicate,
    Effect,
    Held,
    Known,
    Matched,
    Parked,
    ReceiptVerdict,
    Recorded,
)
from .lines import AttemptLine, MessageLine, Page, ReceiptLine
from .records import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    Entry,
    InboundArrived,
    LinkChanged,
    MessageClosed,
    MessageTaken,
    ReceiptArrived,
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
}
"""What the engine may close as what; see `MessageClosed`."""

_WITH_CARRIER: Final = frozenset(
    {DeliveryState.ACCEPTED, DeliveryState.OVERDUE, DeliveryState.IN_DOUBT}
)
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
    """

    def __init__(self, next_message: int = 1, next_receipt: int = 1) -> None:
        self.messages: dict[str, MessageLine] = {}
        self.pages: dict[str, Page] = {}
        """By message_id_key."""
        self.inbound_refs: set[str] = set()
        self.changes = Changes()
        self._next_message = next_message
        self._next_receipt = next_receipt

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
            case _:
                return self._enter_closed(entry)

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
        self.changes.messages.append(message)
        return Recorded(message_ref=entry.message_ref, after=entry.state)

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
        message.error_code = entry.error.canonical.value if entry.error is not None else ""
        after = message.restate(entry.ended_at)
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
            if part_is is DeliveryState.QUEUED:
                message.closed = state
            else:
                latest = message.attempts_of(part)[-1]
                latest.state = state
                self.changes.touch_attempt(latest)
        return closed

    # What carriers send

    def _enter_receipt(self, entry: ReceiptArrived) -> Effect:
        page = self._page(entry.message_id_key) if entry.message_id_key else Page()
        attempt = page.attempt_for(entry)
        if page.receipts and page.repeats(entry, attempt):
            return _duplicate(attempt)
        line = ReceiptLine(number=self._next_receipt, receipt=entry)
        self._next_receipt += 1
        page.receipts.append(line)
        self.changes.receipts.append(line)
        if attempt is None:
            return Parked(receipt=entry)
        return self._match(line, attempt)

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
        attempt.state = state
        self.changes.touch_attempt(attempt)
        self.changes.touch_message(message)
        message.restate(receipt.received_at)
        if state is DeliveryState.DELIVERED:
            message.error_code = ""
        elif receipt.error is not None and attempt is message.attempts_of(attempt.part)[-1]:
            message.error_code = receipt.error.canonical.value

    def _enter_inbound(self, entry: InboundArrived) -> Effect:
        if entry.inbound_ref in self.inbound_refs:
            return Duplicate()
        self.inbound_refs.add(entry.inbound_ref)
        self.changes.inbound.append(entry)
        return _NOTED


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
