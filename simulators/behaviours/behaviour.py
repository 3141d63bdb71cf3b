"""What a behaviour is: every place at which a message centre asks whether it shall do otherwise.

A hook gets what the centre was about to do and gives back what it shall do instead. The behaviours
themselves are in the other modules of this folder, by idea.
"""

import ssl
from datetime import datetime
from enum import Enum

import attrs
import trio

from whiteroute.engine.session import Closed
from whiteroute.pdu import CommandStatus, DataSm, DeliverSm, MessageState, ReceiptKind

from ..accounts import BindRequest
from ..binds import CenterBind
from ..handsets import Fate, draw
from ..submissions import OnHandset, Submission
from ..tallies import Tallies
from ..ways import Way

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
    accepted: bool | None = None
    """Whether the message is taken and delivered, the bind granted; None: if the status is ESME_ROK."""
    form: AnswerForm = AnswerForm.RESPONSE
    has_body: bool | None = None
    """Whether a refusal carries a body of empty fields; None: as every known peer can read it."""
    copies: int = 1
    """How often the same answer goes out."""
    delay: float = 0.0
    """Seconds until it goes out."""
    receipt_first: bool = False
    """Whether the receipt leaves ahead of the response."""
    congestion: int | None = None
    """The TLV congestion_state, 0 to 100; None: without. Spec: SMPP 5.0 §4.8.4.18"""
    interface_version: int | None = None
    """What the answer to a bind says the centre speaks; None: what the centre is set to."""
    after: AfterAnswer = AfterAnswer.STAY

    @property
    def is_accepted(self) -> bool:
        """Whether the centre does what it was asked to."""
        return not self.command_status if self.accepted is None else self.accepted


@attrs.frozen(kw_only=True)
class Told:
    """One receipt that is about to be written."""

    state: MessageState
    err: str
    kind: ReceiptKind = ReceiptKind.RECEIPT
    after: float = 0.0
    """Seconds from now until it leaves."""
    message_id: str | None = None
    """The id it names; None: the message's own."""


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a behaviour may look at while it decides about one message."""

    now: float
    """Seconds of `trio.current_time`."""
    date: datetime
    """What the centre's calendar shows, in UTC."""
    seed: int
    nth: int
    """How many messages the number has had before."""
    tallies: Tallies
    """They count over the whole centre."""

    def draw(
        self, behaviour: "Behaviour", submission: Submission, word: str = ""
    ) -> tuple[float, float]:
        """Draw two numbers above 0 and below 1, the same for the same seed and message."""
        name = type(behaviour).__name__
        return draw(self.seed, name, word, submission.destination_addr, self.nth)


@attrs.frozen(kw_only=True)
class Behaviour:
    """What a centre does, where it differs; as it stands it differs in nothing."""

    # Links.

    def takes(self, way: Way) -> bool:
        """Say whether a link is taken at all; if not, it is closed without a word."""
        return True

    def wrap_raw(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        """Put something between TCP and whatever comes above it, TLS included."""
        return stream

    def tls(self, context: ssl.SSLContext | None, way: Way) -> ssl.SSLContext | None:
        """Change with which certificate and rules a link is encrypted; None: not at all."""
        return context

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        """Put something between the centre and a link's stream."""
        return stream

    def lingers(self, closed: Closed) -> float:
        """Say for how many seconds a bind that has ended still counts against the account's limit."""
        return 0.0

    # Answers.

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        """Change the answer to a bind."""
        return answer

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        """Change the answer to submit_sm, data_sm or submit_multi."""
        return answer

    def message_id(self, message_id: str) -> str:
        """Change the message_id in the response; as it stands it is a decimal number."""
        return message_id

    # What becomes of a message.

    def fate(self, fate: Fate, submission: Submission, around: Surroundings) -> Fate:
        """Change what becomes of an accepted message, or what is going to be said of it."""
        return fate

    def on_handset(
        self, shown: OnHandset, submission: Submission, around: Surroundings
    ) -> OnHandset | None:
        """Change what the recipient sees; None: nothing."""
        return shown

    # Receipts.

    def receipt_message_id(self, message_id: str) -> str:
        """Change the message_id in the receipts; it comes as it was in the response."""
        return message_id

    def tell(self, told: tuple[Told, ...], submission: Submission) -> tuple[Told, ...]:
        """Change which receipts are written for one outcome, and what they say."""
        return told

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        """Change the receipts as they are written, usually one."""
        return receipts

    def carries(self, way: Way, submission: Submission) -> bool:
        """Say whether a receipt leaves by this link, as long as the account has others, too."""
        return True
