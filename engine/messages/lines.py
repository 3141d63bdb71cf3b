"""The lines of an open ledger: a message, its attempts, its receipts, and the page of a message_id.

What matching has to know about each, and no more; texts stay on disk. The rules that change lines
are in `matching.py`, and what people read of them is in `whiteroute.engine.ledger`.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from .effects import ReceiptVerdict
from .marks import Mark
from .records import AttemptEnded, MessageTaken, ReceiptArrived
from .states import FINAL_STATES, DeliveryState, ReportingParts, message_state, part_state

__all__ = ["AttemptLine", "MessageLine", "Page", "ReceiptLine"]


_OPEN: Final = frozenset(
    {
        DeliveryState.QUEUED,
        DeliveryState.SENT,
        DeliveryState.ACCEPTED,
        DeliveryState.IN_DOUBT,
    }
)


@attrs.define(weakref_slot=False, kw_only=True, eq=False)
class MessageLine:
    """A message as far as matching needs it."""

    number: int
    """The store's own short name for it."""
    message_ref: str
    to: str = attrs.field(repr=False)
    traffic_class: str
    tags: Mapping[str, str] = attrs.field(repr=False)
    duplicate_policy: str
    part_count: int
    reporting_parts: ReportingParts
    network: str
    route: str
    """Of the latest attempt; before the first one, as routed."""
    carrier: str
    state: DeliveryState
    closed: DeliveryState | None = None
    """What the engine made of the parts that are queued; see `MessageClosed`."""
    error_code: str = ""
    changed_at: int
    """When `state` last changed."""
    taken: MessageTaken | None = attrs.field(default=None, repr=False)
    """The record itself, until it is written."""
    attempts: "list[AttemptLine]" = attrs.field(factory=list["AttemptLine"], repr=False)
    """Every attempt of every part, those of one part in the order of their numbers."""
    mark: Mark = Mark.NEW
    was_open: bool = True
    """`is_open` as the store has it."""
    is_stripped: bool = False
    """Whether number and text are known to be as they are kept for good; see `privacy.py`."""

    @property
    def is_open(self) -> bool:
        """Whether something is still expected to happen to it: an answer, a receipt, an attempt."""
        if self.state is DeliveryState.IN_DOUBT and self.closed is DeliveryState.IN_DOUBT:
            return self.is_running
        return self.state in _OPEN or self.is_running

    @property
    def is_running(self) -> bool:
        """Whether an attempt is without an outcome."""
        return any(attempt.state is DeliveryState.SENT for attempt in self.attempts)

    @property
    def may_be_sent(self) -> bool:
        """Whether a part may still be sent, by this engine or by the next one."""
        sent = {DeliveryState.QUEUED, DeliveryState.SENT}
        if self.duplicate_policy == "allow" and self.closed is not DeliveryState.IN_DOUBT:
            sent.add(DeliveryState.IN_DOUBT)
        return any(state in sent for state in self.part_states())

    def attempts_of(self, part: int) -> "list[AttemptLine]":
        """List a part's attempts, oldest first."""
        if self.part_count == 1:
            return self.attempts
        return [attempt for attempt in self.attempts if attempt.part == part]

    def attempt(self, part: int, attempt: int) -> "AttemptLine | None":
        """Find one attempt by its numbers."""
        for line in self.attempts:
            if line.attempt == attempt and line.part == part:
                return line
        return None

    def state_of(self, part: int) -> DeliveryState:
        """Say where one part stands."""
        states = [attempt.state for attempt in self.attempts_of(part)]
        return self._unless_closed(part_state(states))

    def part_states(self) -> list[DeliveryState]:
        """Say where each part stands, in the order of the parts."""
        attempts: list[list[DeliveryState]] = [[] for _ in range(self.part_count)]
        for attempt in self.attempts:
            attempts[attempt.part - 1].append(attempt.state)
        return [self._unless_closed(part_state(states)) for states in attempts]

    def state_if_abandoned(self) -> DeliveryState:
        """Say where the message stands if whoever was sending it is gone.

        Every running attempt is then in doubt. Readers show this when no engine holds the ledger.
        """
        if self.part_count == 1 and self.state is DeliveryState.SENT:
            return DeliveryState.IN_DOUBT
        doubted = [
            DeliveryState.IN_DOUBT if state is DeliveryState.SENT else state
            for state in self.part_states()
        ]
        return message_state(doubted, self.reporting_parts)

    def restate(self, at: int) -> DeliveryState:
        """Work the message's state out anew from its attempts, and return it."""
        if self.part_count == 1 and len(self.attempts) == 1:
            # Nearly every message, so it goes the short way.
            state = self._unless_closed(self.attempts[0].state)
        else:
            state = message_state(self.part_states(), self.reporting_parts)
        if state is not self.state:
            self.state = state
            self.changed_at = at
        return state

    def _unless_closed(self, state: DeliveryState) -> DeliveryState:
        if state is DeliveryState.QUEUED and self.closed is not None:
            return self.closed
        return state


@attrs.define(weakref_slot=False, kw_only=True, eq=False)
class AttemptLine:
    """One submit_sm."""

    message: MessageLine = attrs.field(repr=False)
    part: int
    attempt: int
    carrier: str
    route: str
    started_at: int
    state: DeliveryState = DeliveryState.SENT
    """What this attempt makes of its part; QUEUED when it was refused and another follows."""
    ended: AttemptEnded | None = None
    has_just_ended: bool = False
    """`ended` is new since the store last wrote this line."""
    mark: Mark = Mark.NEW


@attrs.define(weakref_slot=False, kw_only=True, eq=False)
class ReceiptLine:
    """One receipt that is kept."""

    number: int
    """The store's own short name for it."""
    receipt: ReceiptArrived
    verdict: ReceiptVerdict = ReceiptVerdict.PARKED
    attempt: AttemptLine | None = attrs.field(default=None, repr=False)
    """None while parked."""
    before_response: bool = False
    mark: Mark = Mark.NEW


@attrs.define(weakref_slot=False, kw_only=True, eq=False)
class Page:
    """All that is known about one message_id, of whichever carriers use it."""

    attempts: list[AttemptLine] = attrs.field(factory=list[AttemptLine])
    """More than one where carriers share an id, or one uses it again; oldest message first. Never by
    the clock, which may have been set back."""
    receipts: list[ReceiptLine] = attrs.field(factory=list[ReceiptLine])

    def add(self, attempt: AttemptLine) -> None:
        """Note that the carrier gave this id to an attempt."""
        self.attempts.append(attempt)
        if len(self.attempts) > 1:
            self.attempts.sort(key=_age)

    def attempt_for(self, receipt: ReceiptArrived) -> AttemptLine | None:
        """Choose whom a receipt speaks of: the newest attempt still open, or else the newest.

        Words that the newest attempt has heard already are repeated to it, not told to an older
        one: a carrier that uses its ids again also repeats its receipts.
        """
        newest: AttemptLine | None = None
        for attempt in reversed(self.attempts):
            if attempt.carrier != receipt.carrier:
                continue
            if attempt.state not in FINAL_STATES:
                return attempt
            if newest is None:
                newest = attempt
                if self.repeats(receipt, attempt):
                    break
        return newest

    def repeats(self, receipt: ReceiptArrived, attempt: AttemptLine | None) -> bool:
        """Say whether the same words came before for this attempt, or while it was not known."""
        words = _words(receipt)
        return any(
            line.attempt is attempt and _words(line.receipt) == words for line in self.receipts
        )

    def parked_for(self, attempt: AttemptLine) -> list[ReceiptLine]:
        """List the receipts that wait for an answer like this attempt's."""
        return [
            line
            for line in self.receipts
            if line.attempt is None and line.receipt.carrier == attempt.carrier
        ]


def _age(attempt: AttemptLine) -> tuple[int, int, int]:
    return (attempt.message.number, attempt.part, attempt.attempt)


def _words(receipt: ReceiptArrived) -> tuple[object, ...]:
    """Take what makes two receipts the same one, sent twice."""
    return (
        receipt.carrier,
        receipt.receipt_kind,
        receipt.message_state,
        receipt.stat,
        receipt.err,
        receipt.network_error_code,
        receipt.done_date_at,
    )
