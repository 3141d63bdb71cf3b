"""A peer without a session: octets by hand in both directions, for what no session would do.

It keeps no rules and answers nothing by itself; that is what it is for.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio

from whiteroute.pdu import Framer, Pdu, decode, encode

RECEIVE_OCTETS = 65_536


@attrs.define(eq=False)
class RawPeer:
    """One end of a link, ESME or MC, without any manners."""

    stream: trio.abc.Stream
    _framer: Framer = attrs.field(factory=Framer, init=False)
    _frames: "deque[bytes]" = attrs.field(factory=deque, init=False)

    async def send(self, *parts: Pdu | bytes) -> None:
        """Send PDUs and octets as they are, with one write."""
        await self.stream.send_all(
            b"".join(part if isinstance(part, bytes) else encode(part) for part in parts)
        )

    async def receive_frame(self) -> bytes | None:
        """Wait for the next whole PDU's octets; None at the end of the stream.

        Raises:
            FramingError: If the octets cannot be cut into PDUs.
            trio.BrokenResourceError: If the link was reset.
        """
        while not self._frames:
            octets = await self.stream.receive_some(RECEIVE_OCTETS)
            if not octets:
                return None
            self._frames.extend(self._framer.receive(bytes(octets)))
        return self._frames.popleft()

    async def receive(self) -> Pdu | None:
        """Wait for the next PDU; None at the end of the stream.

        Raises:
            BodyError: If it cannot be read; also what `receive_frame` raises.
        """
        frame = await self.receive_frame()
        return None if frame is None else decode(frame)

    async def receive_end(self) -> tuple[Pdu, ...]:
        """Wait for the end of the stream, orderly or reset, and give the PDUs that came before."""
        pdus: list[Pdu] = []
        try:
            while (pdu := await self.receive()) is not None:
                pdus.append(pdu)
        except trio.BrokenResourceError:
            pass
        return tuple(pdus)

    @property
    def kept_octets(self) -> int:
        """How many octets of a PDU that is not whole yet have been received."""
        return self._framer.kept_octets

    async def aclose(self) -> None:
        """Close the link without a word."""
        await self.stream.aclose()


@asynccontextmanager
async def connect_raw_peer(host: str, port: int) -> AsyncIterator[RawPeer]:
    """Connect to a message centre; leaving the block closes the link without a word."""
    stream = await trio.open_tcp_stream(host, port)
    async with stream:
        yield RawPeer(stream)


@attrs.define(eq=False)
class RawListener:
    """Takes links one after the other."""

    listener: trio.SocketListener

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.listener.socket.getsockname()[1]
        return port

    async def accept(self) -> RawPeer:
        """Wait for the next link."""
        return RawPeer(await self.listener.accept())


@asynccontextmanager
async def open_raw_listener(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[RawListener]:
    """Listen in place of a message centre, on any free port unless told otherwise."""
    listeners = await trio.open_tcp_listeners(port, host=host)
    async with listeners[0] as listener:
        yield RawListener(listener)
