"""Where a message stands, which step may follow which, and how parts make up a whole.

Three levels share one vocabulary. An *attempt* is one submit_sm; a *part* is as far as its latest
attempt got, except that one delivered attempt is enough; a *message* is the sum of its parts. What
happens is a `Happening`; the table says where it leads, and absence in the table means that it may
not happen there.

This file knows neither clock nor carrier: what a command_status means is `outcome.py`, which receipt
belongs to which attempt is `matching.py`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from whiteroute.pdu import MessageState

__all__ = [
    "FINAL_STATES",
    "FOLLOWERS",
    "TRANSITIONS",
    "DeliveryState",
    "Happening",
    "ReceiptNews",
    "ReportingParts",
    "happening_told_by",
    "message_state",
    "next_state",
    "part_state",
    "receipt_kind_of",
]


class DeliveryState(StrEnum):
    """Where an attempt, a part or a whole message stands."""

    ACCEPTED_LOCALLY = "ACCEPTED_LOCALLY"
    """The engine holds it in memory; the ledger does not know it yet, and a crash would lose it."""
    QUEUED = "QUEUED"
    """The ledger knows it and no attempt is running; it waits for a link, the pace, or a retry."""
    SENT = "SENT"
    """An attempt was written ahead; its octets may have left, and no answer has come."""
    ACCEPTED = "ACCEPTED"
    """The message centre took it; a receipt may follow."""
    DELIVERED = "DELIVERED"
    """A receipt says that it arrived. Final."""
    FAILED = "FAILED"
    """A receipt says that it never will, or a part was lost while another was taken. Final, save
    that a route may be tried next which the profile's `receipt_failover` allows."""
    EXPIRED = "EXPIRED"
    """Its validity ended, with us or at the carrier. Final."""
    REFUSED = "REFUSED"
    """Certainly not accepted: no direct route, or every carrier asked said no."""
    IN_DOUBT = "IN_DOUBT"
    """It may have been accepted: it was written and nobody answered. Not sent again unasked."""
    OVERDUE = "OVERDUE"
    """Accepted long ago, and the final receipt never came. A late one is still adopted."""
    CANCELLED = "CANCELLED"
    """Withdrawn by us, or deleted at the carrier. Final."""


class Happening(StrEnum):
    """What can happen to a part."""

    REMEMBERED = "REMEMBERED"
    """The ledger has committed it."""
    STARTED = "STARTED"
    """An attempt was written ahead."""
    ACCEPTED = "ACCEPTED"
    """The answer was ESME_ROK."""
    REFUSED = "REFUSED"
    """Certainly not accepted, and nothing more will be tried."""
    RETRYING = "RETRYING"
    """Certainly not accepted, and another attempt will follow."""
    DOUBTED = "DOUBTED"
    """No answer came: time-out, lost link, or our own crash."""
    INTERIM = "INTERIM"
    """A receipt that does not close: en route, scheduled, accepted, unknown."""
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    OVERDUE = "OVERDUE"
    """The time for a final receipt has passed."""


class ReceiptNews(StrEnum):
    """What sort of news a deliver_sm brings about a message of ours."""

    FINAL = "FINAL"
    """It closes the part."""
    INTERMEDIATE = "INTERMEDIATE"
    """It tells of progress, and never closes."""
    ACK = "ACK"
    """The handset or its user acknowledged; it says nothing about delivery states."""


ReportingParts = Literal["all", "first", "last"]
"""For which parts of a long message this carrier sends receipts. "Not consistent" between carriers,
so the profile says it; `all` is what the specification implies."""

_S = DeliveryState
_H = Happening

FINAL_STATES: Final = frozenset({_S.DELIVERED, _S.FAILED, _S.EXPIRED, _S.CANCELLED, _S.REFUSED})
"""States that no later receipt for the same attempt changes: the first final one wins."""

_RECEIPTS: Final = {
    _H.DELIVERED: _S.DELIVERED,
    _H.FAILED: _S.FAILED,
    _H.EXPIRED: _S.EXPIRED,
    _H.CANCELLED: _S.CANCELLED,
}

TRANSITIONS: Final[Mapping[DeliveryState, Mapping[Happening, DeliveryState]]] = MappingProxyType(
    {
        _S.ACCEPTED_LOCALLY: {_H.REMEMBERED: _S.QUEUED, _H.REFUSED: _S.REFUSED},
        _S.QUEUED: {
            _H.STARTED: _S.SENT,
            _H.REFUSED: _S.REFUSED,
            _H.EXPIRED: _S.EXPIRED,
            _H.CANCELLED: _S.CANCELLED,
        },
        _S.SENT: {
            _H.ACCEPTED: _S.ACCEPTED,
            _H.REFUSED: _S.REFUSED,
            _H.RETRYING: _S.QUEUED,
            _H.DOUBTED: _S.IN_DOUBT,
        },
        # STARTED below an open or a failed attempt is a second one: the caller has checked
        # duplicate_policy, or the profile's receipt_failover.
        _S.ACCEPTED: {
            _H.STARTED: _S.SENT,
            _H.INTERIM: _S.ACCEPTED,
            _H.OVERDUE: _S.OVERDUE,
            **_RECEIPTS,
        },
        _S.OVERDUE: {_H.STARTED: _S.SENT, _H.INTERIM: _S.OVERDUE, **_RECEIPTS},
        # A late answer still settles a doubt; a receipt does so when it was adopted.
        _S.IN_DOUBT: {
            _H.STARTED: _S.SENT,
            _H.ACCEPTED: _S.ACCEPTED,
            _H.REFUSED: _S.REFUSED,
            _H.RETRYING: _S.QUEUED,
            _H.DOUBTED: _S.IN_DOUBT,
            _H.INTERIM: _S.IN_DOUBT,
            **_RECEIPTS,
        },
        _S.REFUSED: {_H.STARTED: _S.SENT},
        _S.FAILED: {_H.STARTED: _S.SENT},
        _S.DELIVERED: {},
        _S.EXPIRED: {},
        _S.CANCELLED: {},
    }
)
"""What a happening makes of a part in a state; a missing cell means that it may not happen there."""


def next_state(state: DeliveryState, happening: Happening) -> DeliveryState | None:
    """Say where a happening leads.

    Returns:
        The state afterwards, which may be the same; None when this may not happen in `state`.
    """
    return TRANSITIONS[state].get(happening)


def part_state(attempts: Sequence[DeliveryState]) -> DeliveryState:
    """Say where a part stands from what each of its attempts came to.

    One delivered attempt settles it, whichever it was: the handset has the part. Otherwise the
    latest attempt speaks, because the ones before were given up for it.

    Args:
        attempts: Oldest first; empty before the first attempt.
    """
    if not attempts:
        return DeliveryState.QUEUED
    latest = attempts[-1]
    if len(attempts) > 1 and DeliveryState.DELIVERED in attempts:
        return DeliveryState.DELIVERED
    return latest


_LOSSES: Final = (_S.FAILED, _S.EXPIRED, _S.CANCELLED)
"""A part lost for good decides for the whole, the plainest loss first."""


def message_state(
    parts: Sequence[DeliveryState], reporting: ReportingParts = "all"
) -> DeliveryState:
    """Say where a message stands from where its parts stand.

    In this order: while an attempt runs, SENT; one part lost, and the message is lost the same way;
    every part refused, REFUSED (nothing was taken, another route may have it); some refused and some
    taken, FAILED (the handset can never show the whole); then IN_DOUBT, QUEUED, OVERDUE, ACCEPTED,
    and DELIVERED when every part that reports was delivered.

    Args:
        parts: One state per part, in the order of the parts; at least one.
        reporting: Which parts this carrier sends receipts for. The others count as arrived once
            they were accepted.
    """
    if len(parts) == 1:
        return parts[0]
    present = set(parts)
    if DeliveryState.SENT in present:
        return DeliveryState.SENT
    for loss in _LOSSES:
        if loss in present:
            return loss
    if DeliveryState.REFUSED in present:
        untaken = {DeliveryState.REFUSED, DeliveryState.QUEUED, DeliveryState.ACCEPTED_LOCALLY}
        return DeliveryState.REFUSED if present <= untaken else DeliveryState.FAILED
    if DeliveryState.IN_DOUBT in present:
        return DeliveryState.IN_DOUBT
    return _unfinished(parts, present, reporting)


def _unfinished(
    parts: Sequence[DeliveryState], present: set[DeliveryState], reporting: ReportingParts
) -> DeliveryState:
    """Decide for parts that are queued, accepted, overdue or delivered."""
    for waiting in (DeliveryState.ACCEPTED_LOCALLY, DeliveryState.QUEUED):
        if waiting in present:
            return waiting if len(present) == 1 else DeliveryState.SENT
    if reporting != "all":
        return parts[0 if reporting == "first" else -1]
    if DeliveryState.OVERDUE in present:
        return DeliveryState.OVERDUE
    return DeliveryState.ACCEPTED if DeliveryState.ACCEPTED in present else DeliveryState.DELIVERED


_FINISHED: Final = frozenset({*_LOSSES, _S.DELIVERED})
_REPORTED: Final = frozenset({*_FINISHED, _S.OVERDUE, _S.ACCEPTED, _S.IN_DOUBT, _S.SENT})

FOLLOWERS: Final[Mapping[DeliveryState, frozenset[DeliveryState]]] = MappingProxyType(
    {
        _S.ACCEPTED_LOCALLY: frozenset({_S.QUEUED, _S.REFUSED}),
        _S.QUEUED: frozenset({_S.SENT, _S.REFUSED, _S.EXPIRED, _S.CANCELLED, _S.DELIVERED}),
        _S.SENT: (_REPORTED | {_S.QUEUED, _S.REFUSED}) - {_S.SENT},
        _S.ACCEPTED: (_FINISHED | {_S.OVERDUE, _S.SENT}),
        _S.OVERDUE: (_FINISHED | {_S.ACCEPTED, _S.SENT}),
        _S.IN_DOUBT: (_REPORTED | {_S.QUEUED, _S.REFUSED}) - {_S.IN_DOUBT},
        # Queued once more for another route, of which it is certain that it is the only one.
        _S.REFUSED: _FINISHED | {_S.QUEUED, _S.SENT},
        # What one part decided, another one may decide worse, a new attempt may mend, and a late
        # receipt of an attempt that was given up may take back.
        _S.FAILED: (_REPORTED | {_S.REFUSED}) - {_S.FAILED},
        _S.EXPIRED: _REPORTED - {_S.EXPIRED},
        _S.CANCELLED: _REPORTED - {_S.CANCELLED},
        # Only where one part reports for all: the others may still be lost, or sent again.
        _S.DELIVERED: frozenset({*_LOSSES, _S.SENT}),
    }
)
"""What a whole message may become next. Far wider than the table for parts, because parts finish in
any order; yet nothing is forgotten once it is remembered, and nothing that a carrier took is queued
again."""


def receipt_kind_of(
    message_state: int | None, *, accepted_is_final: bool = False, unknown_is_final: bool = False
) -> ReceiptNews:
    """Say whether a receipt with this message_state closes its part.

    Args:
        message_state: The value of the TLV or of the text's `stat`; None when neither was readable.
        accepted_is_final: The carrier sends ACCEPTD as its last word. The specification lists it
            among the final states, yet most carriers send DELIVRD after it, so False.
        unknown_is_final: The carrier sends UNKNOWN as its last word. Default False: the part closes
            when its time is over.

    Returns:
        FINAL or INTERMEDIATE; an unknown value never closes.

    Spec: SMPP 3.4 §5.2.28
    """
    if message_state == MessageState.ACCEPTED:
        return ReceiptNews.FINAL if accepted_is_final else ReceiptNews.INTERMEDIATE
    if message_state == MessageState.UNKNOWN:
        return ReceiptNews.FINAL if unknown_is_final else ReceiptNews.INTERMEDIATE
    return ReceiptNews.FINAL if message_state in _CLOSING else ReceiptNews.INTERMEDIATE


_CLOSING: Final[Mapping[int, Happening]] = {
    MessageState.DELIVERED: Happening.DELIVERED,
    MessageState.EXPIRED: Happening.EXPIRED,
    MessageState.DELETED: Happening.CANCELLED,
    MessageState.UNDELIVERABLE: Happening.FAILED,
    MessageState.REJECTED: Happening.FAILED,
    MessageState.SKIPPED: Happening.FAILED,
    # These two only close where the profile said so, which `receipt_kind_of` has seen to.
    MessageState.ACCEPTED: Happening.DELIVERED,
    MessageState.UNKNOWN: Happening.FAILED,
}


def happening_told_by(kind: ReceiptNews, message_state: int | None) -> Happening:
    """Say what a receipt makes happen to its part.

    Returns:
        INTERIM for every receipt that is not final and for a state that means nothing to us: what
        we do not understand never closes a part.
    """
    if kind is not ReceiptNews.FINAL or message_state is None:
        return Happening.INTERIM
    return _CLOSING.get(message_state, Happening.INTERIM)
