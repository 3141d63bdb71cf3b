"""PDUs collected on the event loop, which never waits for them to be written.

What is observed is put into a list; a task hands the list to a thread, ten times a second at most.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio
from trio.lowlevel import ParkingLot

from whiteroute.engine.link import Link
from whiteroute.engine.session import Role
from whiteroute.pdu import Masking

from .conversation import Ends, made_up_ends, parse_ends
from .errors import CaptureError
from .files import CaptureFiles
from .writer import PacketWriter, Said, Talk

__all__ = ["Capture", "CaptureStatistics", "open_capture"]

MAX_OCTETS = 256 * 1024 * 1024
"""Octets of one file: about a million messages with their answers and receipts, and little enough for
Wireshark to open."""
LEAST_MAX_OCTETS = 1024 * 1024
"""Smaller files would hold little but the openings and ends of connections."""
FILES = 4
"""How many files there may be; with them a gigabyte is the most that a capture takes."""
WRITE_EVERY = 0.1
"""Seconds between two batches: what a crash loses, and time enough to make a batch worth a thread."""
MAX_WAITING_OCTETS = 64 * 1024 * 1024
"""Octets that may wait to be written; what comes while there are more is left out and counted."""


@attrs.frozen(kw_only=True)
class CaptureStatistics:
    """How far a capture has got."""

    pdus: int
    """Written."""
    waiting: int
    """PDUs observed and not yet written."""
    left_out: int
    """PDUs that will never be: too many waited, or the capture had stopped."""
    files: int
    """Begun so far, this one included."""
    octets: int
    """In the file being written."""


@attrs.define(eq=False, kw_only=True, repr=False)
class Capture:
    """Writes down PDUs; made by `open_capture`.

    Trouble with the file ends the capture and nothing else: it is told once, and what is observed
    afterwards is only counted.
    """

    _writer: PacketWriter = attrs.field(alias="writer")
    _epoch: float = attrs.field(alias="epoch")
    """UTC seconds at second 0 of `trio.current_time`. One offset for all, so that the order of the
    packets is that of the events, whatever becomes of the machine's clock meanwhile."""
    _on_trouble: Callable[[str], None] | None = attrs.field(alias="on_trouble")
    _inline: bool = attrs.field(alias="inline")
    trouble: str = attrs.field(default="", init=False)
    """Why it stopped, in one line; empty while it has not."""
    _talks: dict[Link, Talk] = attrs.field(factory=dict, init=False)
    _waiting: list[Said] = attrs.field(factory=list, init=False)
    _waiting_octets: int = attrs.field(default=0, init=False)
    _left_out: int = attrs.field(default=0, init=False)
    _left_out_just_now: int = attrs.field(default=0, init=False)
    _numbers: int = attrs.field(default=0, init=False)
    _sleeper: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _limiter: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(1), init=False
    )
    """A thread of our own: the others may be at work for the ledger."""
    _is_closed: bool = attrs.field(default=False, init=False)

    def observe(self, link: Link, outgoing: bool, octets: bytes, now: float) -> None:
        """Take a PDU to be written; never waits.

        Args:
            link: Whose it is.
            outgoing: Whether we sent it.
            octets: One whole frame.
            now: `trio.current_time` when it passed.
        """
        if self._is_closed or self.trouble or self._waiting_octets > MAX_WAITING_OCTETS:
            self._left_out += 1
            self._left_out_just_now += 1
            return
        if not octets:
            return
        talk = self._talks.get(link)
        if talk is None:
            talk = self._talks[link] = self._begin(link)
        at = int((self._epoch + now) * 1e6)
        self._waiting.append(Said(talk, outgoing, octets, at, self._left_out_just_now))
        self._waiting_octets += len(octets)
        self._left_out_just_now = 0
        if self._sleeper:
            self._sleeper.unpark_all()

    def statistics(self) -> CaptureStatistics:
        """Give the figures as they are now."""
        writer = self._writer
        return CaptureStatistics(
            pdus=writer.pdus,
            waiting=len(self._waiting),
            left_out=self._left_out,
            files=writer.files_begun,
            octets=writer.files.size,
        )

    def __repr__(self) -> str:
        state = self.trouble or f"{self._writer.pdus} PDUs"
        return f"<Capture {self._writer.files.path} {state}>"

    async def run(self) -> None:
        """Write what is observed, until cancelled; `open_capture` does it."""
        while True:
            if not self._waiting:
                await self._sleeper.park()
            with trio.CancelScope(shield=True):
                await self._write()
            await trio.sleep(WRITE_EVERY)

    async def close(self) -> None:
        """Write what is left and end the file; `open_capture` does it."""
        self._is_closed = True
        await self._write()
        at = int((self._epoch + trio.current_time()) * 1e6)
        await self._do(lambda: self._writer.close(at))

    async def _write(self) -> None:
        batch, self._waiting = self._waiting, []
        self._waiting_octets = 0
        now = trio.current_time()
        for link in [link for link in self._talks if link.closed is not None]:
            talk = self._talks.pop(link)
            batch.append(Said(talk, True, b"", int((self._epoch + now) * 1e6)))
        if self.trouble:
            self._left_out += sum(1 for said in batch if said.octets)
            return
        before = self._writer.pdus
        if not await self._do(lambda: self._writer.write(batch)):
            self._left_out += sum(1 for said in batch if said.octets)
        elif self._writer.is_full:
            written = self._writer.pdus - before
            self._left_out += sum(1 for said in batch if said.octets) - written
            path, size = self._writer.files.path, self._writer.files.size
            self._stop(f"{path}: the capture is full with {size:,} octets, and has stopped")

    async def _do(self, work: Callable[[], None]) -> bool:
        """Work, and say whether it was done."""
        try:
            if self._inline:
                work()
            else:
                await trio.to_thread.run_sync(work, limiter=self._limiter)
        except Exception as error:  # noqa: BLE001 - binds outlive whoever writes down what they say
            if not self.trouble:
                told = str(error) if isinstance(error, CaptureError) else repr(error)
                self._stop(f"{told}; the capture has stopped")
            return False
        return True

    def _stop(self, trouble: str) -> None:
        self.trouble = trouble
        if self._on_trouble is not None:
            self._on_trouble(trouble)

    def _begin(self, link: Link) -> Talk:
        self._numbers += 1
        is_esme = link.session.role is Role.ESME
        ends = _ends_of(link.stream) or made_up_ends(self._numbers, outgoing=is_esme)
        return Talk(name=link.name, ends=ends, is_esme=is_esme)


@asynccontextmanager
async def open_capture(
    path: str | Path,
    *,
    masking: Masking = Masking.PRIVATE,
    max_octets: int = MAX_OCTETS,
    files: int = FILES,
    on_trouble: Callable[[str], None] | None = None,
    now_at: Callable[[], float] = time.time,
    inline: bool = False,
) -> AsyncIterator[Capture]:
    """Write a capture for as long as the block lasts; hand its `observe` to links and carriers.

    Open it around the engine, so that it is still there when the binds are unbound.

    Args:
        path: The file; one of that name is replaced. Only its owner may read it.
        masking: What to cover. Unmasked, a capture holds passwords and what subscribers wrote.
        max_octets: Of one file, a megabyte or more. The next then takes its name, and it becomes
            `name.1.pcapng`.
        files: How many files there may be; the oldest goes when there would be more. With 1 the
            capture stops when the file is full.
        on_trouble: Told once, in one line, why a capture stopped before its end.
        now_at: The clock, in seconds since the epoch, UTC; asked once.
        inline: Write on the event loop; only for tests under a virtual clock.

    Raises:
        CaptureError: The file cannot be made.
        ValueError: A bound is too small.
    """
    if max_octets < LEAST_MAX_OCTETS:
        raise ValueError(f"max_octets: {max_octets}, expected {LEAST_MAX_OCTETS} or more")
    if files < 1:
        raise ValueError(f"files: {files}, expected 1 or more")
    writer = PacketWriter(
        files=CaptureFiles(Path(path), files), masking=masking, max_octets=max_octets
    )
    writer.begin()
    capture = Capture(
        writer=writer,
        epoch=now_at() - trio.current_time(),
        on_trouble=on_trouble,
        inline=inline,
    )
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(capture.run)
            try:
                yield capture
            finally:
                nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            await capture.close()


def _ends_of(stream: object) -> Ends | None:
    """Find the socket below a link's stream, whatever is wrapped around it."""
    for _ in range(8):
        socket = getattr(stream, "socket", None)
        if socket is not None:
            try:
                return parse_ends(socket.getsockname(), socket.getpeername())
            except OSError:
                return None
        for name in ("transport_stream", "inner", "stream"):
            below = getattr(stream, name, None)
            if below is not None:
                stream = below
                break
        else:
            return None
    return None
