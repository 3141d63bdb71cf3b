"""How links end, and how octets come that no session would send."""

import attrs
import trio

from whiteroute.pdu import CommandId

from ..binds import CenterBind
from ..streams import (
    Coalescing,
    FallingDeaf,
    FallingSilent,
    HalfClosing,
    Interrupting,
    LosingOctets,
    OctetByOctet,
    WithoutOperation,
)
from ..submissions import Submission
from .behaviour import AfterAnswer, Answer, Behaviour

# Ends.


def _after(
    behaviour: Behaviour, messages: int, after: AfterAnswer, answer: Answer, bind: CenterBind
) -> Answer:
    tally = bind.tallies.of(behaviour)
    tally.count += 1
    return attrs.evolve(answer, after=after) if tally.count == messages else answer


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


@attrs.frozen
class ResetAfter(Behaviour):
    """The link is reset after so many messages; the last answers may never arrive."""

    messages: int = 3

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return _after(self, self.messages, AfterAnswer.RESET, answer, bind)


@attrs.frozen
class HalfClose(Behaviour):
    """After some PDUs the centre's direction of TCP ends (FIN), but it goes on reading."""

    pdus: int = 2
    """How many come; 1 is the bind response."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return HalfClosing(stream, self.pdus)


# Silence.


@attrs.frozen
class EnquireLinkIgnored(Behaviour):
    """enquire_link gets no answer; everything else goes on."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return WithoutOperation(stream, CommandId.ENQUIRE_LINK_RESP)


@attrs.frozen
class UnbindIgnored(Behaviour):
    """unbind gets no answer, so that whoever wants to leave in order has to wait."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return WithoutOperation(stream, CommandId.UNBIND_RESP)


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


@attrs.frozen
class StopsReading(Behaviour):
    """After some PDUs the centre reads nothing more: TCP's window closes, and writes to it block."""

    pdus: int = 3
    """How many it reads; 1 is the bind."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return FallingDeaf(stream, self.pdus)


# Octets.


@attrs.frozen
class OneOctetSegments(Behaviour):
    """Everything the centre sends comes octet by octet."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return OctetByOctet(stream)


@attrs.frozen
class CoalescedSegments(Behaviour):
    """What the centre sends comes in lumps, many PDUs at once, after a pause in which it gathered."""

    pause: float = 0.5
    """Seconds."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return Coalescing(stream, self.pause)


@attrs.frozen
class Garbage(Behaviour):
    """After some PDUs octets come that are no SMPP, as from a proxy that tells an error in its own way."""

    pdus: int = 2
    """How many come before; 1 is the bind response."""
    octets: bytes = b"HTTP/1.1 502 Bad Gateway\r\n\r\n"

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return Interrupting(stream, self.pdus, self.octets)


@attrs.frozen
class OversizeLength(Behaviour):
    """After some PDUs one says that it has two gigabytes; whoever waits for them waits for ever."""

    pdus: int = 2
    """How many come before; 1 is the bind response."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return Interrupting(
            stream, self.pdus, bytes.fromhex("7fffffff 00000005 00000000 00000009 00000000")
        )


@attrs.frozen
class Desynchronised(Behaviour):
    """After some PDUs some octets in the midst of one are missing: all lengths behind are wrong."""

    pdus: int = 2
    """How many come whole; 1 is the bind response."""
    missing: int = 3
    """Octets."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return LosingOctets(stream, self.pdus, self.missing)
