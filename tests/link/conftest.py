"""What the tests of the link share: a bound link, its peer played by hand, and an owner that notes."""

from collections.abc import Callable

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import Arrived, Event, Exchange, Role, Session, SessionSettings
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    Framer,
    Pdu,
    decode,
    encode,
)


@attrs.define(eq=False)
class NotingOwner:
    """Notes what it is told; does nothing more."""

    events: list[Event] = attrs.field(factory=list)

    def __call__(self, _link: Link, events: list[Event]) -> None:
        assert events
        self.events += events

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if type(event) is kind]

    @property
    def arrived(self) -> list[Pdu]:
        return [event.pdu for event in self.events if type(event) is Arrived]

    @property
    def ended(self) -> list[Exchange]:
        return [event for event in self.events if type(event) is Exchange]


@attrs.define(eq=False)
class Peer:
    """The other end of the stream, PDU by PDU."""

    stream: trio.abc.Stream
    framer: Framer = attrs.field(factory=Framer)
    frames: list[bytes] = attrs.field(factory=list)

    async def send(self, *pdus: Pdu) -> None:
        await self.stream.send_all(b"".join(map(encode, pdus)))

    async def receive(self) -> Pdu:
        while not self.frames:
            octets = await self.stream.receive_some()
            assert octets, "the link closed the stream"
            self.frames += self.framer.receive(bytes(octets))
        return decode(self.frames.pop(0))

    async def rest(self) -> list[Pdu]:
        """Receive until the link has closed the stream."""
        while octets := await self.stream.receive_some():
            self.frames += self.framer.receive(bytes(octets))
        return [decode(frame) for frame in self.frames]


@attrs.define(eq=False)
class Bound:
    link: Link
    peer: Peer
    owner: NotingOwner


def bound_session(role: Role = Role.ESME, **settings: object) -> Session:
    """Make a session that is bound already, as a transceiver."""
    session = Session(role, SessionSettings(**settings), trio.current_time())
    now = trio.current_time()
    if role is Role.ESME:
        session.request(BindTransceiver(system_id="gateway"), now)
        session.receive(encode(BindTransceiverResp(sequence_number=1)), now)
    else:
        (arrived,) = session.receive(encode(BindTransceiver(system_id="gateway")), now)
        session.respond(arrived.pdu, BindTransceiverResp())
    session.take_octets()
    return session


@pytest.fixture
async def timers(nursery) -> Timers:
    made = Timers()
    nursery.start_soon(made.run)
    return made


@pytest.fixture
def make_session() -> Callable[..., Session]:
    return bound_session


@pytest.fixture
async def bind(nursery, timers) -> Callable[..., Bound]:
    """Start a bound link over a stream in memory."""

    def start(
        streams: Callable[[], tuple[trio.abc.Stream, trio.abc.Stream]] = (
            trio.testing.memory_stream_pair
        ),
        owner: NotingOwner | None = None,
        role: Role = Role.ESME,
        run: bool = True,
        **settings: object,
    ) -> Bound:
        ours, theirs = streams()
        owner = owner or NotingOwner()
        link = Link(ours, bound_session(role, **settings), timers, owner, "acme/1")
        if run:
            nursery.start_soon(link.run)
        return Bound(link, Peer(theirs), owner)

    return start
