"""How messages are refused: too many, too fast, from the wrong sender, or for no reason given."""

from collections.abc import Iterable

import attrs

from whiteroute.pdu import CommandStatus

from ..binds import CenterBind
from ..submissions import Submission
from .behaviour import Answer, AnswerForm, Behaviour


@attrs.frozen
class RefuseSubmits(Behaviour):
    """Submissions get this status."""

    status: int
    times: int | None = None
    """How many on each bind; None for all."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        tally = bind.tallies.of(self)
        tally.count += 1
        if self.times is not None and tally.count > self.times:
            return answer
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class QueueFull(RefuseSubmits):
    """Submissions get ESME_RMSGQFUL: the centre has no room, at the moment or for this account."""

    status: int = attrs.field(default=CommandStatus.ESME_RMSGQFUL, init=False)


@attrs.frozen
class VendorStatus(RefuseSubmits):
    """Submissions get a status of the maker's own, 0x400 to 0x4FF; only its manual knows what it means."""

    status: int = 0x40B


@attrs.frozen
class AmbiguousStatus(Behaviour):
    """Submissions get ESME_RSUBMITFAIL or ESME_RSYSERR, and are delivered all the same.

    Front ends say so when the answer of the back end is late. The receipt names an id that no
    response gave.
    """

    status: int = CommandStatus.ESME_RSUBMITFAIL

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, command_status=self.status, accepted=True)


@attrs.frozen
class Throttle(Behaviour):
    """What exceeds the rate gets ESME_RTHROTTLED, counted over all binds of the account.

    Counted in whole seconds from the first submission on, as most centres do: a burst at the start
    of a second uses the second up.
    """

    rate: int
    """Messages per second."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        tally = (bind.mailbox or bind).tallies.of(self)
        if submission.submitted_at - tally.since >= 1.0:
            tally.since = submission.submitted_at
            tally.count = 0
        tally.count += 1
        if tally.count <= self.rate:
            return answer
        return attrs.evolve(answer, command_status=CommandStatus.ESME_RTHROTTLED)


@attrs.frozen
class WindowLimit(Behaviour):
    """What exceeds the window of a bind gets ESME_RMSGQFUL; some centres say ESME_RTHROTTLED instead."""

    window: int = 10
    status: int = CommandStatus.ESME_RMSGQFUL

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        if bind.unanswered <= self.window:
            return answer
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class Congested(Behaviour):
    """Every submit response says how full the centre is (congestion_state), and gets slower with it.

    Spec: SMPP 5.0 §4.8.4.18; from 90 on the peer is expected to send less.
    """

    state: int = 95
    delay: float = 1.0
    """Seconds."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, congestion=self.state, delay=answer.delay + self.delay)


def _as_set(senders: Iterable[str]) -> frozenset[str]:
    return frozenset(senders)


@attrs.frozen
class RejectSenders(Behaviour):
    """Every sender but these gets ESME_RINVSRCADR: it is not registered with the operator."""

    allowed: frozenset[str] = attrs.field(converter=_as_set)

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        if submission.source_addr in self.allowed:
            return answer
        return attrs.evolve(answer, command_status=CommandStatus.ESME_RINVSRCADR)


@attrs.frozen
class NackSubmits(Behaviour):
    """Instead of submit_sm_resp comes a generic_nack with the message's sequence_number."""

    status: int = CommandStatus.ESME_RINVCMDID

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, command_status=self.status, form=AnswerForm.NACK)


@attrs.frozen
class NackWithSequenceZero(Behaviour):
    """Instead of submit_sm_resp comes a generic_nack with sequence_number 0: nobody can tell whose."""

    status: int = CommandStatus.ESME_RSYSERR

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        form = AnswerForm.NACK_WITHOUT_NUMBER
        return attrs.evolve(answer, command_status=self.status, form=form)


@attrs.frozen
class RefusalsWithBody(Behaviour):
    """A refusing submit_sm_resp carries an empty message_id, which 3.4 says it does not."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, has_body=True)


@attrs.frozen
class RefusalsWithoutBody(Behaviour):
    """Refusals of any operation are a header alone: legal, and too short for several libraries."""

    def on_bind(self, answer: Answer, request: object, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, has_body=False)

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, has_body=False)
