"""One message between being handed over and having an outcome for every part.

Bookkeeping only, in memory, for as long as somebody may wait for it; the ledger keeps it for ever.
"""

from collections.abc import Callable

import attrs

from whiteroute.engine.carrier import OutgoingPart
from whiteroute.engine.ledger import LedgerError
from whiteroute.engine.messages import (
    Canonical,
    DeliveryState,
    MappedError,
    Message,
    Outcome,
    message_state,
)
from whiteroute.pdu import SubmitSm
from whiteroute.routing import AttemptState, CandidateRejection

__all__ = ["Submission", "Told", "own_error"]

Told = Callable[[Outcome | LedgerError], None]
"""Whom to tell what came of a message; called once for each."""

_OPEN = (DeliveryState.QUEUED, DeliveryState.SENT)


def own_error(canonical: Canonical, rule: str) -> MappedError:
    """Make an error that we found ourselves, before any carrier was asked."""
    return MappedError(
        canonical=canonical,
        permanence=canonical.nature.permanence,
        scope=canonical.nature.scope,
        rule=rule,
    )


@attrs.define(eq=False, kw_only=True)
class Submission:
    """A message on its way; `told` are called once, when every part has an outcome."""

    message: Message
    message_ref: str
    route: str = ""
    carrier: str = ""
    pdus: tuple[SubmitSm, ...] = attrs.field(default=(), repr=False)
    rejected: tuple[CandidateRejection, ...] = ()
    error: MappedError | None = None
    """Why it is refused before any carrier was asked; else of the first part not accepted."""
    states: list[DeliveryState] = attrs.field(factory=list[DeliveryState])
    """QUEUED for a part that waits, SENT for one whose answer is waited for; else its outcome."""
    message_ids: list[str] = attrs.field(factory=list[str])
    told: list[Told] = attrs.field(factory=list[Told], repr=False)
    road: int = 0
    """How many routes it was on before this one."""
    tried: frozenset[str] = frozenset()
    """Ids of those routes."""
    tries: list[int] = attrs.field(factory=list[int])
    """Attempts of each part so far, on all routes; empty before the first."""
    tried_before: list[int] = attrs.field(factory=list[int])
    """Those that were made on other routes; empty while there was none."""
    ends: dict[int, AttemptState] = attrs.field(factory=dict[int, AttemptState])
    """How this route has ended for a part, by the part's number; only of messages that met a refusal."""

    is_doubted: bool = False
    """Whether an attempt may have been accepted although nobody said so; then it keeps to its route."""

    def outgoing(self, expires_at: float) -> list[OutgoingPart]:
        """Make the parts for the carrier's queue, in order."""
        if not self.tries:
            self.tries = [0] * len(self.pdus)
        return [
            OutgoingPart(
                self.message_ref,
                number,
                pdu,
                self.tries[number - 1] + 1,
                expires_at,
                road=self.road,
            )
            for number, pdu in enumerate(self.pdus, 1)
            if self.states[number - 1] is DeliveryState.QUEUED
        ]

    def is_waiting(self, part: OutgoingPart) -> bool:
        """Whether a part has still to be sent, and on this route."""
        return self.road == part.road and self.states[part.part - 1] is DeliveryState.QUEUED

    def tries_here(self, part: OutgoingPart) -> int:
        """Count the attempts of a part on this route, the latest included."""
        before = self.tried_before
        return part.attempt - (before[part.part - 1] if before else 0)

    def stands(self) -> tuple[AttemptState, ...] | None:
        """Say how this route has ended for each part; None while one is on its way.

        A part that still waits was not written.
        """
        ends: list[AttemptState] = []
        for number, state in enumerate(self.states, 1):
            end = self.ends.get(number)
            if end is None and state is not DeliveryState.QUEUED:
                return None
            ends.append(AttemptState.NOT_WRITTEN if end is None else end)
        return tuple(ends)

    def go_by(self, route: str, carrier: str, pdus: tuple[SubmitSm, ...]) -> None:
        """Begin anew on another route."""
        self.tried |= {self.route}
        self.route, self.carrier, self.pdus = route, carrier, pdus
        self.road += 1
        self.states = [DeliveryState.QUEUED] * len(pdus)
        self.message_ids = [""] * len(pdus)
        self.tried_before = list(self.tries)
        self.ends.clear()
        self.error = None

    def waiting_beside(self, part: int) -> list[int]:
        """List the other parts that have still to be sent."""
        return [
            number
            for number, state in enumerate(self.states, 1)
            if state is DeliveryState.QUEUED and number != part
        ]

    @property
    def is_torn(self) -> bool:
        """Whether a part was refused for good, so that the whole can never be shown."""
        return DeliveryState.REFUSED in self.states

    def is_open(self, part: int) -> bool:
        """Whether a part has no outcome yet."""
        return self.states[part - 1] in _OPEN

    def settle(
        self,
        part: int,
        state: DeliveryState,
        *,
        message_id: str = "",
        error: MappedError | None = None,
    ) -> bool:
        """Note how far a part got; once it was accepted it got there, whatever else is heard.

        Returns:
            Whether every part has an outcome now.
        """
        if self.states[part - 1] is not DeliveryState.ACCEPTED:
            self.states[part - 1] = state
            self.message_ids[part - 1] = message_id
            self.error = self.error or error
        return not any(open_state in self.states for open_state in _OPEN)

    def tell(self, outcome: Outcome | LedgerError) -> None:
        """Give the outcome to everybody who waits for it, once."""
        told, self.told = self.told, []
        for callback in told:
            callback(outcome)

    def outcome(self) -> Outcome:
        """Say where the message stands by what is known here."""
        return Outcome(
            message_ref=self.message_ref,
            to=self.message.to,
            state=message_state(self.states) if self.states else DeliveryState.REFUSED,
            route=self.route,
            carrier=self.carrier,
            parts=len(self.pdus),
            message_ids=tuple(self.message_ids),
            error=self.error,
            rejected=self.rejected,
        )

    def abandon(self) -> None:
        """Say where the message stands when nobody goes on with it: what was sent is in doubt."""
        self.states = [
            DeliveryState.IN_DOUBT if state is DeliveryState.SENT else state
            for state in self.states
        ]
        self.tell(self.outcome())
