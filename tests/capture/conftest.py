"""What the tests of the capture share: links that are only looked at, and a reader of what came of them."""

from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import CloseCause, Closed, Role, Session, SessionSettings
from whiteroute.tools.capture import read_capture
from whiteroute.tools.captured_pdus import CapturedPdu, Finding, read_pdus

BEGAN_AT = 1_795_000_000.0
"""UTC seconds at which every capture here begins."""


@attrs.define(eq=False)
class FakeSocket:
    """Knows two addresses."""

    ours: object
    theirs: object

    def getsockname(self) -> object:
        return self.ours

    def getpeername(self) -> object:
        if self.theirs is None:
            raise OSError("not connected")
        return self.theirs


@attrs.define(eq=False)
class FakeStream:
    """Has a socket."""

    socket: FakeSocket


@attrs.define(eq=False)
class FakeTls:
    """Has such a stream below it."""

    transport_stream: FakeStream


@pytest.fixture
def make_link() -> Callable[..., Link]:
    """Make a link that says it has these ends; nothing runs it."""

    def make(
        ours: object = ("192.0.2.1", 40_000),
        theirs: object = ("192.0.2.2", 2775),
        *,
        role: Role = Role.ESME,
        name: str = "acme/1",
        tls: bool = False,
    ) -> Link:
        stream = FakeStream(FakeSocket(ours, theirs))
        session = Session(role, SessionSettings(), trio.current_time())
        return Link(
            FakeTls(stream) if tls else stream, session, Timers(), lambda _link, _events: None, name
        )

    return make


@pytest.fixture
def make_memory_link() -> Callable[..., Link]:
    def make(role: Role = Role.ESME) -> Link:
        session = Session(role, SessionSettings(), trio.current_time())
        ours, _ = trio.testing.memory_stream_pair()
        return Link(ours, session, Timers(), lambda _link, _events: None)

    return make


@pytest.fixture
def end() -> Callable[[Link], None]:
    def end(link: Link) -> None:
        link.close(CloseCause.LOCAL, "test")
        assert isinstance(link.closed, Closed)

    return end


def pdus_in(path: Path) -> list[CapturedPdu]:
    """Read a capture with our own reader, which must not find anything wrong."""
    with path.open("rb") as stream:
        found = list(read_pdus(read_capture(stream, path.name)))
    assert [] == [one.line for one in found if isinstance(one, Finding)]
    return [one for one in found if isinstance(one, CapturedPdu)]


def checksum_of(octets: bytes) -> int:
    """Add up as RFC 1071 says it, word by word; 0 where a checksum inside is right."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(int.from_bytes(octets[at : at + 2]) for at in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF
