"""What grey operators do, one habit each: invented receipts, SIM cards, changed senders and texts.

None of it shows in a response. Receipts give some of it away, in numbers; the rest is seen on the
handset alone, which is why `Submission.on_handset` says what really arrived there. Times and shares
are those of `routes`, so that what is measured there holds here.
"""

import re
from collections.abc import Iterable
from copy import copy
from enum import Enum

import attrs

from whiteroute.pdu import CommandStatus, MessageState, Tlv, Tlvs

from ..binds import CenterBind
from ..handsets import Fate, draw
from ..latencies import CONSTANT, EVEN, INSTANT, LIKE_A_NETWORK, Latency
from ..submissions import OnHandset, Submission
from .behaviour import Answer, Behaviour, Receipts, Surroundings


def _as_set(codes: Iterable[str]) -> frozenset[str]:
    return frozenset(codes)


_ERRORS = ("027", "001", "034", "032")
"""MAP's: absent, unknown subscriber, system failure, memory full; what an invented failure names."""


@attrs.frozen
class FakedReceipts(Behaviour):
    """Messages are dropped, and their receipts made up: DELIVRD after a time that a timer chose."""

    latency: Latency = LIKE_A_NETWORK
    share: float = 1.0
    """How many of the messages; the others go the honest way (blended termination)."""
    failed: float = 0.0
    """How many of the invented receipts report a failure."""

    def fate(self, fate: Fate, submission: Submission, around: Surroundings) -> Fate:
        faked, when = around.draw(self, submission)
        if faked >= self.share:
            return fate
        fails, which = around.draw(self, submission, "failed")
        delay = self.latency.at(when)
        if fails < self.failed:
            err = _ERRORS[int(which * len(_ERRORS))]
            return Fate(state=MessageState.UNDELIVERABLE, err=err, delay=delay, dropped=True)
        return Fate(state=MessageState.DELIVERED, err="000", delay=delay, dropped=True)


@attrs.frozen
class InstantReceipts(FakedReceipts):
    """Every receipt says DELIVRD within a twentieth of a second: no handset was ever asked."""

    latency: Latency = INSTANT


@attrs.frozen
class ConstantReceipts(FakedReceipts):
    """Every receipt says DELIVRD after five seconds, give or take a quarter."""

    latency: Latency = CONSTANT


@attrs.frozen
class UniformReceipts(FakedReceipts):
    """Every receipt says DELIVRD after three to eight seconds, each time as likely as the next."""

    latency: Latency = EVEN


@attrs.frozen
class NoFailures(FakedReceipts):
    """Receipts come at the times of a good network, but nothing ever fails and nothing is ever late."""


@attrs.frozen
class BlendedInstant(FakedReceipts):
    """Three in ten messages are dropped and confirmed at once; the others really arrive."""

    latency: Latency = INSTANT
    share: float = 0.3


@attrs.frozen
class BlendedConstant(FakedReceipts):
    """Three in ten messages are dropped and confirmed after five seconds; the others really arrive."""

    latency: Latency = CONSTANT
    share: float = 0.3


@attrs.frozen
class CarefulFaker(FakedReceipts):
    """Everything is dropped; receipts take three to eight seconds, and three in a hundred report failures.

    No receipt gives it away: only canaries, probes and conversions do.
    """

    latency: Latency = EVEN
    failed: float = 0.03


@attrs.frozen
class DeadNumberConfirmer(Behaviour):
    """A number that nobody has is reported as DELIVRD, as if somebody had taken the message there."""

    latency: Latency = LIKE_A_NETWORK
    failed: float = 0.03
    """How many of these reports are failures, to look honest."""
    dead: frozenset[str] = attrs.field(default=frozenset({"001"}), converter=_as_set)
    """The `err` by which an honest centre tells such a number."""

    def fate(self, fate: Fate, submission: Submission, around: Surroundings) -> Fate:
        if fate.state is MessageState.DELIVERED or fate.err not in self.dead:
            return fate
        fails, when = around.draw(self, submission)
        if fails < self.failed:
            return fate
        return Fate(
            state=MessageState.DELIVERED, err="000", delay=self.latency.at(when), dropped=True
        )


@attrs.frozen
class WrongNetworkInReceipt(Behaviour):
    """Receipts carry a TLV with the network that delivered, and some name another than the number's."""

    home: str = "21407"
    """MCC and MNC in digits, of the network that should be named."""
    network: str = "21403"
    """The one that is named instead."""
    share: float = 0.3
    tag: int = 0x1403
    """A vendor's; there is no standard one for it in receipts."""

    def receipts(self, receipts: Receipts, submission: Submission) -> Receipts:
        chance = draw(0, type(self).__name__, submission.receipt_message_id)[0]
        network = self.network if chance < self.share else self.home
        added = Tlvs.of(Tlv(self.tag, network.encode("ascii"))).octets
        told = tuple(copy(each) for each in receipts)
        for each in told:
            each.tlvs = Tlvs(each.tlvs.octets + added)
        return told


@attrs.frozen
class SenderRewriting(Behaviour):
    """The handset shows a strange number instead of the sender, and answers go there, not to us."""

    senders: tuple[str, ...] = attrs.field(
        default=("447700900461", "447700900462", "447700900463"), converter=tuple[str, ...]
    )
    """SIM cards of a rack; each recipient always sees the same."""

    def on_handset(
        self, shown: OnHandset, submission: Submission, around: Surroundings
    ) -> OnHandset | None:
        chance = draw(around.seed, type(self).__name__, submission.destination_addr)[0]
        return attrs.evolve(shown, sender=self.senders[int(chance * len(self.senders))])


class Alteration(Enum):
    """What becomes of a text on its way."""

    QUESTION_MARKS = "question marks"
    """What is not ASCII becomes `?`: it went through a modem in text mode."""
    LINK = "link"
    """Links are replaced by a shortener's, which counts the clicks."""
    FOOTER = "footer"
    """Something is appended."""


_LINK = re.compile(r"https?://\S+")


@attrs.frozen
class ContentAltering(Behaviour):
    """The text that the handset shows is not the one that was sent."""

    alteration: Alteration = Alteration.LINK

    def on_handset(
        self, shown: OnHandset, submission: Submission, around: Surroundings
    ) -> OnHandset | None:
        text = shown.text
        match self.alteration:
            case Alteration.QUESTION_MARKS:
                text = text.encode("ascii", "replace").decode("ascii")
            case Alteration.LINK:
                text = _LINK.sub("http://sho.rt/x", text)
            case Alteration.FOOTER:
                text = f"{text} (sent with FreeSMS)"
        return attrs.evolve(shown, text=text)


@attrs.frozen
class SimFarmDailyCap(Behaviour):
    """From the so-many-th message of a day on, ESME_RTHROTTLED till midnight, at any rate of sending.

    Cards are blocked when they send more than people do, so whoever has a rack of them counts.
    """

    sims: int = 10
    per_sim: int = 100
    """Messages a day on one card."""
    status: int = CommandStatus.ESME_RTHROTTLED

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        if answer.command_status:
            return answer
        tally = (bind.mailbox or bind).tallies.of(self)
        day = float(bind.clock.date_at(submission.submitted_at).date().toordinal())
        if tally.since != day:
            tally.since, tally.count = day, 0
        tally.count += 1
        if tally.count <= self.sims * self.per_sim:
            return answer
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class SimFarmPacing(Behaviour):
    """Outcomes come in single file, one for each card every few seconds, however fast was submitted."""

    sims: int = 10
    interval: float = 6.0
    """Seconds that one card takes for a message."""

    def fate(self, fate: Fate, submission: Submission, around: Surroundings) -> Fate:
        tally = around.tallies.of(self)
        free_at = max(tally.since, around.now)
        tally.since = free_at + self.interval / self.sims
        return attrs.evolve(fate, delay=fate.delay + free_at - around.now)
