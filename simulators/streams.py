"""Streams that do not carry what they are given: the faults below SMPP, made on purpose.

Each wraps the message centre's end of a link. What the link writes always holds whole PDUs, which is
what makes it possible to count and to drop them here.
"""

from collections.abc import Iterator

import attrs
import trio
from trio.socket import SO_LINGER, SOL_SOCKET

from whiteroute.pdu import Framer


def frames(octets: bytes) -> Iterator[bytes]:
    """Cut what a link writes at once into its PDUs."""
    at = 0
    while at < len(octets):
        end = at + int.from_bytes(octets[at : at + 4], "big")
        yield octets[at:end]
        at = end


@attrs.define(eq=False)
class WrappedStream(trio.abc.Stream):
    """Passes everything on; its heirs do not."""

    inner: trio.abc.Stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets."""
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive octets; none at the end."""
        return await self.inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        """Close."""
        await self.inner.aclose()


@attrs.define(eq=False)
class OctetByOctet(WrappedStream):
    """Sends each octet alone."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets, each with a write of its own."""
        # An empty write has no octets, but still finds out whether the stream is closed.
        for at in range(max(1, len(data))):
            await self.inner.send_all(data[at : at + 1])


@attrs.define(eq=False)
class WithoutOperation(WrappedStream):
    """Leaves out the PDUs of one operation."""

    command_id: int

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets, without those of the operation."""
        wanted = self.command_id.to_bytes(4, "big")
        kept = b"".join(frame for frame in frames(bytes(data)) if frame[4:8] != wanted)
        await self.inner.send_all(kept)


@attrs.define(eq=False)
class FallingSilent(WrappedStream):
    """Sends some PDUs, perhaps half of the next, and then nothing; it goes on receiving."""

    pdus: int
    """How many are sent whole."""
    half: bool
    """Whether half of the next one is sent."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets as long as anything is sent."""
        kept: list[bytes] = []
        for frame in frames(bytes(data)):
            if self.pdus > 0:
                kept.append(frame)
            elif self.pdus == 0 and self.half:
                kept.append(frame[: len(frame) // 2])
            self.pdus -= 1
        await self.inner.send_all(b"".join(kept))


def reset_on_close(stream: trio.abc.Stream) -> None:
    """Have TCP answer with a reset when this stream is closed; others just close."""
    if isinstance(stream, trio.SocketStream):
        stream.setsockopt(SOL_SOCKET, SO_LINGER, b"\x01\0\0\0\0\0\0\0")


@attrs.define(eq=False)
class FallingDeaf(WrappedStream):
    """Reads some PDUs and then nothing more; what it was given to send still goes out."""

    pdus: int
    """How many are read; 0 reads nothing at all, whatever it is."""
    _framer: Framer = attrs.field(factory=Framer, init=False)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive octets until it has read enough; then wait for ever."""
        if self.pdus <= 0:
            await trio.sleep_forever()
        octets = await self.inner.receive_some(max_bytes)
        self.pdus -= len(self._framer.receive(bytes(octets)))
        return octets


@attrs.define(eq=False)
class Coalescing(WrappedStream):
    """Waits before each write; what is handed over meanwhile leaves with the next one."""

    pause: float
    """Seconds."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets, a little later."""
        await trio.sleep(self.pause)
        await self.inner.send_all(data)


@attrs.define(eq=False)
class _Counting(WrappedStream):
    """Sends some PDUs as they are; what happens with the next is its heirs' matter."""

    pdus: int
    """How many are sent whole."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets."""
        kept = []
        for frame in frames(bytes(data)):
            self.pdus -= 1
            kept.append(self._next(frame) if self.pdus == -1 else frame)
        await self.inner.send_all(b"".join(kept))

    def _next(self, frame: bytes) -> bytes:
        """Give what is sent instead of the PDU behind the last whole one."""
        raise NotImplementedError


@attrs.define(eq=False)
class Interrupting(_Counting):
    """Sends octets of its own instead of one PDU, and goes on."""

    octets: bytes

    def _next(self, frame: bytes) -> bytes:
        return self.octets


@attrs.define(eq=False)
class LosingOctets(_Counting):
    """Loses some octets from the end of one PDU, and goes on."""

    missing: int

    def _next(self, frame: bytes) -> bytes:
        return frame[: -self.missing]


@attrs.define(eq=False)
class HalfClosing(WrappedStream):
    """Ends its own direction after some PDUs, and goes on receiving."""

    pdus: int
    """How many are sent."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets as long as there is a direction."""
        for frame in frames(bytes(data)):
            if self.pdus > 0:
                await self.inner.send_all(frame)
            self.pdus -= 1
            if self.pdus == 0 and isinstance(self.inner, trio.abc.HalfCloseableStream):
                await self.inner.send_eof()
