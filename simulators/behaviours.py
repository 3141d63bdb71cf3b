"""How message centres misbehave, each way by its name: small values that a centre takes any number of.

A behaviour changes what the centre was about to do: a hook gets the answer (or the id, or the
receipts) as it stands and gives back another; several are applied in the order given. To add one,
write a frozen class with a docstring that tells the symptom on the wire, and the hooks it needs.
Behaviours keep nothing; what they count is in the `tallies` of the bind or of its account.
"""

from collections.abc import Iterable
from copy import copy
from enum import Enum

import attrs
import trio

from whiteroute.pdu import (
    BindTransceiver,
    CommandId,
    CommandStatus,
    DataSm,
    DeliverSm,
)

from .accounts import BindRequest
from .binds import CenterBind
from .streams import FallingSilent, OctetByOctet, WithoutOperation
from .submissions import Submission

Receipts = tuple[DeliverSm | DataSm, ...]
"""The PDUs that tell one outcome: one, unless a behaviour wants none or more."""


class AnswerForm(Enum):
    """As what an answer goes out."""

    RESPONSE = "RESPONSE"
    NACK = "NACK"
    """generic_nack with the request's sequence_number."""
    NACK_WITHOUT_NUMBER = "NACK_WITHOUT_NUMBER"
    """generic_nack with sequence_number 0."""
    NOTHING = "NOTHING"


class AfterAnswer(Enum):
    """What happens to the link once the answer is out."""

    STAY = "STAY"
    UNBIND = "UNBIND"
    CLOSE = "CLOSE"
    RESET = "RESET"
    """TCP reset instead of an orderly end."""


@attrs.frozen(kw_only=True)
class Answer:
    """What the centre is about to answer to a bind or to a message."""

    command_status: int = CommandStatus.ESME_ROK
    """A message is accepted if it is ESME_ROK, whatever the form."""
    form: AnswerForm = AnswerForm.RESPONSE
    delay: float = 0.0
    """Seconds until it goes out."""
    receipt_first: bool = False
    """Whether the receipt leaves ahead of the response."""
    after: AfterAnswer = AfterAnswer.STAY


@attrs.frozen(kw_only=True)
class Behaviour:
    """What a centre does, where it differs; as it stands it differs in nothing."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        """Change the answer to a bind."""
        return answer

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        """Change the answer to submit_sm, data_sm or submit_multi."""
        return answer

    def message_id(self, message_id: str) -> str:
        """Change the message_id in the response; as it stands it is a decimal number."""
        return message_id

    def receipt_message_id(self, message_id: str) -> str:
        """Change the message_id in the receipts; it comes as it was in the response."""
        return message_id

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        """Change the receipts for one outcome, usually one."""
        return receipts

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        """Put something between the centre and a link's stream."""
        return stream


# Binds.


@attrs.frozen
class RefuseBind(Behaviour):
    """Every bind is answered with this status, whatever the credentials."""

    status: int = CommandStatus.ESME_RBINDFAIL

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class RefuseTransceiver(Behaviour):
    """bind_transceiver gets ESME_RINVCMDID, as from a centre that speaks SMPP 3.3."""

    nack: bool = False
    """Whether it comes as generic_nack instead of bind_transceiver_resp; both are seen."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        if not isinstance(request, BindTransceiver):
            return answer
        form = AnswerForm.NACK if self.nack else answer.form
        return attrs.evolve(answer, command_status=CommandStatus.ESME_RINVCMDID, form=form)


@attrs.frozen
class SlowBind(Behaviour):
    """The answer to a bind comes late, so that session_init timers run out."""

    delay: float
    """Seconds."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, delay=self.delay)


@attrs.frozen
class ResetAfterBind(Behaviour):
    """The bind is accepted, and at once the link is reset: ECONNRESET in the midst of the first work.

    Firewalls and overloaded front ends do this.
    """

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, after=AfterAnswer.RESET)


# Messages refused.


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


# Answers in another way.


@attrs.frozen
class SlowResponse(Behaviour):
    """Every submit response comes late; the window fills, and past the peer's timeout it is late."""

    delay: float
    """Seconds."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, delay=self.delay)


@attrs.frozen
class NoResponse(Behaviour):
    """The message is taken and delivered, its receipt comes, but it is never answered."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, form=AnswerForm.NOTHING)


@attrs.frozen
class NackWithSequenceZero(Behaviour):
    """Instead of submit_sm_resp comes a generic_nack with sequence_number 0: nobody can tell whose."""

    status: int = CommandStatus.ESME_RSYSERR

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        form = AnswerForm.NACK_WITHOUT_NUMBER
        return attrs.evolve(answer, command_status=self.status, form=form)


# Message ids.


@attrs.frozen
class HexMessageId(Behaviour):
    """Responses and receipts have the id in hexadecimal, in capitals."""

    def message_id(self, message_id: str) -> str:
        return f"{int(message_id):X}"


@attrs.frozen
class HexMessageIdInReceipt(Behaviour):
    """The response has the id in decimal, the receipt the same number in hexadecimal."""

    def receipt_message_id(self, message_id: str) -> str:
        return f"{int(message_id):X}"


@attrs.frozen
class DecimalReceiptOfHexId(Behaviour):
    """The response has the id in hexadecimal, the receipt the same number in decimal."""

    def message_id(self, message_id: str) -> str:
        return f"{int(message_id):X}"

    def receipt_message_id(self, message_id: str) -> str:
        return str(int(message_id, 16))


@attrs.frozen
class LowerCaseIdInReceipt(Behaviour):
    """The receipt has the response's id, but in small letters; needs `HexMessageId` to show."""

    def receipt_message_id(self, message_id: str) -> str:
        return message_id.lower()


@attrs.frozen
class ZeroPaddedIdInReceipt(Behaviour):
    """The receipt has the response's id with zeros ahead of it."""

    width: int = 20
    """Characters in all."""

    def receipt_message_id(self, message_id: str) -> str:
        return message_id.rjust(self.width, "0")


# Receipts.


@attrs.frozen
class ReceiptBeforeResponse(Behaviour):
    """The receipt comes ahead of the submit response with the id that it names."""

    lead: float = 0.0
    """Seconds between the two; at 0 they come in one write if the bind also receives."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, receipt_first=True, delay=answer.delay + self.lead)


@attrs.frozen
class DuplicateReceipt(Behaviour):
    """Every receipt comes more than once, with the same words and new sequence_numbers."""

    times: int = 2

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        return tuple(copy(each) for each in receipts for _ in range(self.times))


@attrs.frozen
class NoReceipt(Behaviour):
    """Messages are accepted, receipts never come, though they were asked for."""

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        return ()


# Links.


@attrs.frozen
class UnbindAfter(Behaviour):
    """The centre unbinds by itself after so many messages on a bind."""

    messages: int

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return _after(self, self.messages, AfterAnswer.UNBIND, answer, bind)


@attrs.frozen
class CloseAfter(Behaviour):
    """The centre closes the link after so many messages, without unbind, having answered them."""

    messages: int

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return _after(self, self.messages, AfterAnswer.CLOSE, answer, bind)


def _after(
    behaviour: Behaviour, messages: int, after: AfterAnswer, answer: Answer, bind: CenterBind
) -> Answer:
    tally = bind.tallies.of(behaviour)
    tally.count += 1
    return attrs.evolve(answer, after=after) if tally.count == messages else answer


@attrs.frozen
class EnquireLinkIgnored(Behaviour):
    """enquire_link gets no answer; everything else goes on."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return WithoutOperation(stream, CommandId.ENQUIRE_LINK_RESP)


@attrs.frozen
class OneOctetSegments(Behaviour):
    """Everything the centre sends comes octet by octet."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return OctetByOctet(stream)


@attrs.frozen
class HalfPduThenSilence(Behaviour):
    """After some PDUs half of one comes, then nothing more; the link stays up."""

    pdus: int = 1
    """How many come whole: 1 is the bind response."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return FallingSilent(stream, self.pdus, half=True)


@attrs.frozen
class Silence(Behaviour):
    """After some PDUs nothing more comes though the link stays up, as when a NAT forgot it."""

    pdus: int = 1
    """How many come: 1 is the bind response."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return FallingSilent(stream, self.pdus, half=False)
