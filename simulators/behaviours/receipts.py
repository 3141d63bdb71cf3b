"""How receipts come: not, twice, too early, too late, by another way, or saying something else."""

from copy import copy

import attrs

from whiteroute.pdu import MessageState, ReceiptKind, find_concatenation

from ..binds import CenterBind
from ..handsets import Fate
from ..submissions import Submission
from ..ways import Way
from .behaviour import Answer, Behaviour, Receipts, Surroundings, Told


@attrs.frozen
class NoReceipt(Behaviour):
    """Messages are accepted, receipts never come, though they were asked for."""

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        return ()


@attrs.frozen
class DuplicateReceipt(Behaviour):
    """Every receipt comes more than once, with the same words and new sequence_numbers."""

    times: int = 2

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        return tuple(copy(each) for each in receipts for _ in range(self.times))


@attrs.frozen
class ReceiptBeforeResponse(Behaviour):
    """The receipt comes ahead of the submit response with the id that it names."""

    lead: float = 0.0
    """Seconds between the two; at 0 they come in one write if the bind also receives."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, receipt_first=True, delay=answer.delay + self.lead)


@attrs.frozen
class ContradictoryReceipt(Behaviour):
    """Behind the final receipt comes another final one that says the opposite."""

    after: float = 30.0
    """Seconds between the two."""

    def tell(self, told: tuple[Told, ...], submission: Submission) -> tuple[Told, ...]:
        return told + tuple(
            attrs.evolve(each, state=opposite, err=err, after=each.after + self.after)
            for each in told
            if each.kind is ReceiptKind.RECEIPT
            for opposite, err in (_opposite_of(each.state),)
        )


def _opposite_of(state: MessageState) -> tuple[MessageState, str]:
    if state is MessageState.DELIVERED:
        return MessageState.UNDELIVERABLE, "006"
    return MessageState.DELIVERED, "000"


@attrs.frozen
class IntermediateFirst(Behaviour):
    """Ahead of the final receipt comes one that is not final, whether it was asked for or not."""

    state: MessageState = MessageState.ENROUTE
    kind: ReceiptKind = ReceiptKind.INTERMEDIATE
    """RECEIPT: it claims to be an ordinary receipt, and only its state says that it is not final."""
    lead: float = 5.0
    """Seconds between the two."""

    def tell(self, told: tuple[Told, ...], submission: Submission) -> tuple[Told, ...]:
        first = Told(state=self.state, err="000", kind=self.kind)
        return first, *(attrs.evolve(each, after=each.after + self.lead) for each in told)


@attrs.frozen
class UnknownState(Behaviour):
    """Every receipt says UNKNOWN, whatever became of the message."""

    def tell(self, told: tuple[Told, ...], submission: Submission) -> tuple[Told, ...]:
        return tuple(attrs.evolve(each, state=MessageState.UNKNOWN) for each in told)


@attrs.frozen
class LateReceipt(Behaviour):
    """The outcome is known at once and told much later: after a fault of the centre, days."""

    delay: float = 3 * 86_400.0
    """Seconds."""

    def tell(self, told: tuple[Told, ...], submission: Submission) -> tuple[Told, ...]:
        return tuple(attrs.evolve(each, after=each.after + self.delay) for each in told)


@attrs.frozen
class HandsetOff(Behaviour):
    """Handsets are off for a while: all outcomes come that much later, and are true."""

    delay: float = 3600.0
    """Seconds."""

    def fate(self, fate: Fate, submission: Submission, around: Surroundings) -> Fate:
        return attrs.evolve(fate, delay=fate.delay + self.delay)


@attrs.frozen
class ReceiptForFirstPartOnly(Behaviour):
    """Of a long message only the first part gets a receipt, though each asked for one."""

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        part = find_concatenation(submission.request)
        return receipts if part is None or part.sequence == 1 else ()


@attrs.frozen
class ReceiptWithoutEsmClass(Behaviour):
    """esm_class of receipts is 0, so that they look like messages from handsets."""

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        plain = tuple(copy(each) for each in receipts)
        for each in plain:
            each.esm_class = 0
        return plain


@attrs.frozen
class ReceiptOnAnotherBind(Behaviour):
    """The receipt leaves by another bind than its message came by, if the account has one."""

    def carries(self, way: Way, submission: Submission) -> bool:
        return way.number != submission.way.number


@attrs.frozen
class ReceiptOnAnotherHost(Behaviour):
    """The receipt leaves by a bind to another host of the centre, if the account has one there."""

    def carries(self, way: Way, submission: Submission) -> bool:
        return way.host != submission.way.host
