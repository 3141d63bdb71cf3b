"""One stream and its session under Trio: a reader, a writer, and a share in one timer.

The rules of the conversation are the session's; keeping a bind up is the carrier's. There is no task,
cancel scope, event or lock per message. The reader never waits for a consumer: events are handed to
the owner by a plain call, and what the owner cannot take it must refuse.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from heapq import heappop, heappush
from itertools import count
from math import inf
from weakref import ref

import attrs
import trio
from trio.lowlevel import Abort, ParkingLot, RaiseCancelT

from whiteroute.engine.session import (
    CloseCause,
    Closed,
    Event,
    Exchange,
    LocalProtocolError,
    Session,
    SessionStatistics,
)
from whiteroute.pdu import Pdu, Unbind, response_id

__all__ = ["FLUSH_TIMEOUT", "Link", "Owner", "Timers", "open_link"]

RECEIVE_OCTETS = 65_536
"""What one receive takes at most: about 700 receipts, decoded before anybody else gets a turn. That
is under a millisecond; more would let one busy link hold up the others."""

QUEUED_PDUS = 10_000
"""How many PDUs may wait for the peer to read before we stop reading from it. Only a peer that sends
without ever reading gets there; it may not bloat us with the answers to its own requests."""

STALL_TIMEOUT = 60.0
"""Seconds one write may take before the link is given up: such a peer does not read any more."""

FLUSH_TIMEOUT = 1.0
"""Seconds left to the writer for the last PDUs (unbind_resp, generic_nack) once the session is over,
and to the reader for the last answers once nothing can be written any more."""

Owner = Callable[["Link", list[Event]], None]
"""Takes a link's events, in order, without waiting. If it raises, its link ends and `run` raises the
same; other links go on."""


@attrs.define(eq=False, repr=False)
class Timers:
    """One timer for any number of links; run `run` in a nursery as long as there are links.

    Traffic mostly moves deadlines away, so an entry is looked at again only when it comes up. One that
    was overtaken by an earlier one is dropped then, and no entry keeps a link in memory.
    Measured: 78 µs a round of enquire_link against 440 with a task and a time-out per link.
    """

    _entries: "list[tuple[float, int, ref[Link]]]" = attrs.field(factory=list, init=False)
    _order: "count[int]" = attrs.field(factory=count, init=False)
    _sleeper: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _sleeps_until: float = attrs.field(default=inf, init=False)

    def arm(self, link: "Link", deadline: float) -> None:
        """See to it that `link` is ticked at `deadline`, in seconds of `trio.current_time`."""
        heappush(self._entries, (deadline, next(self._order), ref(link)))
        if deadline < self._sleeps_until:
            self._sleeper.unpark_all()

    async def run(self) -> None:
        """Tick links as their deadlines come, until cancelled."""
        while True:
            self._fire(trio.current_time())
            self._sleeps_until = self._entries[0][0] if self._entries else inf
            with trio.move_on_at(self._sleeps_until):
                await self._sleeper.park()

    def _fire(self, now: float) -> None:
        due: list[tuple[float, int, ref[Link]]] = []
        while self._entries and self._entries[0][0] <= now:
            due.append(heappop(self._entries))
        for deadline, _, entered in due:
            link = entered()
            if link is not None and link.due_at == deadline:
                link.tick(now)


@attrs.define(eq=False, repr=False)
class Link:
    """A session on its stream.

    `run` does the work; everything else is called from the same Trio loop while it runs.
    """

    stream: trio.abc.Stream
    session: Session
    timers: Timers
    owner: Owner
    name: str = ""
    """For people, e.g. `acme/1 to 127.0.0.1:2775`."""
    closed: Closed | None = attrs.field(default=None, init=False)
    """Why and how it ended; None while it stands."""
    due_at: float = attrs.field(default=inf, init=False)
    """When `Timers` ticks it next, in seconds of `trio.current_time`; never if infinite."""
    _to_write: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _to_read: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _to_close: trio.Event = attrs.field(factory=trio.Event, init=False)
    _reading: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _writing_since: float | None = attrs.field(default=None, init=False)
    _untold: list[Event] = attrs.field(factory=list, init=False)
    _telling: bool = attrs.field(default=False, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)

    async def run(self) -> Closed:
        """Read and write until the session is over; then close the stream.

        Returns:
            Why it ended. Whatever happens, cancellation included, every request in flight has been
            handed to the owner as ended, and the stream is closed.

        Raises:
            Exception: What the owner raised, if it did.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                self._arm()
                with self._reading:
                    await self._read()
                self._to_write.unpark_all()
                nursery.cancel_scope.deadline = trio.current_time() + FLUSH_TIMEOUT
        finally:
            self._take(self.session.close())
            await trio.aclose_forcefully(self.stream)
        if self._failure is not None:
            raise self._failure
        assert self.closed is not None
        return self.closed

    def send(self, pdu: Pdu, context: object = None) -> Exchange:
        """Send a request now; its end is told to the owner.

        Raises:
            LocalProtocolError: If the state forbids it or the window is full.
            EncodeError: If a value does not fit.
        """
        exchange = self.session.request(pdu, trio.current_time(), context)
        self._to_write.unpark_all()
        if exchange.deadline < self.due_at:
            self._arm()
        return exchange

    async def request(self, pdu: Pdu, context: object = None) -> Exchange:
        """Send a request and wait for its end; the owner is told as well.

        Returns:
            The exchange, ended. If this is cancelled the request stays in flight. A request without
            a response (outbind, alert_notification) is not waited for.

        Raises:
            LocalProtocolError: If the state forbids it or the window is full.
            EncodeError: If a value does not fit.
        """
        exchange = self.send(pdu, context)
        if response_id(pdu.command_id) is None:
            await trio.lowlevel.checkpoint()
            return exchange
        exchange.waiter = trio.lowlevel.current_task()

        def abandon(_raise_cancel: RaiseCancelT) -> Abort:
            # A waiter that stayed would be rescheduled a second time when the answer comes, which
            # Trio does not survive.
            exchange.waiter = None
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abandon)
        return exchange

    def respond(self, request: Pdu, response: Pdu) -> bool:
        """Answer a request of the peer.

        Returns:
            False if the link has ended meanwhile: the peer will send the request again.

        Raises:
            LocalProtocolError: If it was answered already, or by another operation's response.
        """
        if self.closed:
            return False
        self.session.respond(request, response)
        self._to_write.unpark_all()
        return True

    def send_unchecked(self, octets: bytes) -> None:
        """Put octets on the wire as they are; for simulators that misbehave on purpose."""
        self.session.send_unchecked(octets)
        self._to_write.unpark_all()

    async def unbind(self) -> Closed:
        """Send unbind, wait for its answer (bounded by `unbind_timeout`), and for the end.

        A link that is not bound is closed without it; one that unbinds already is only waited for.
        """
        if not self.session.is_unbinding:
            try:
                self.send(Unbind())
            except LocalProtocolError:
                self.close(detail="not bound")
        return await self.wait_closed()

    def close(self, cause: CloseCause = CloseCause.LOCAL, detail: str = "") -> None:
        """End the session and the link without further words."""
        self._take(self.session.close(cause, detail))

    async def wait_closed(self) -> Closed:
        """Wait until the session is over."""
        await self._to_close.wait()
        assert self.closed is not None
        return self.closed

    def tick(self, now: float) -> None:
        """Let the session's timers act; called by `Timers`."""
        self.due_at = inf
        stalled = self._writing_since is not None and self._writing_since + STALL_TIMEOUT <= now
        if stalled:
            self.close(CloseCause.SILENCE, f"the peer read nothing for {STALL_TIMEOUT:.0f} s")
        else:
            self._take(self.session.tick(now))

    def statistics(self) -> SessionStatistics:
        """Give the session's figures."""
        return self.session.statistics()

    def __repr__(self) -> str:
        return f"<Link {self.name or 'unnamed'} {self.session!r}>"

    # The two tasks.

    async def _read(self) -> None:
        session, stream = self.session, self.stream
        while self.closed is None:
            try:
                octets = await stream.receive_some(RECEIVE_OCTETS)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._take(session.end_of_stream(_reason(error)))
            else:
                now = trio.current_time()
                self._take(
                    session.receive(bytes(octets), now) if octets else session.end_of_stream()
                )
            while session.queued_pdus > QUEUED_PDUS and self.closed is None:
                await self._to_read.park()

    async def _write(self) -> None:
        session, stream = self.session, self.stream
        while True:
            if not session.queued_pdus:
                if self.closed:
                    return
                await self._to_write.park()
                continue
            octets = b"".join(session.take_octets())
            self._writing_since = trio.current_time()
            self._arm()
            try:
                await stream.send_all(octets)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                # What the peer sent before it went may still be unread, answers among it.
                with trio.move_on_after(FLUSH_TIMEOUT):
                    await self._to_close.wait()
                self._take(session.end_of_stream(_reason(error)))
                return
            self._writing_since = None
            self._to_read.unpark_all()

    def _take(self, events: list[Event]) -> None:
        self._settle(events)
        if not self._telling:
            self._telling = True
            try:
                self._tell()
            finally:
                self._telling = False
        if self.session.queued_pdus or self.closed:
            self._to_write.unpark_all()
        self._arm()

    def _tell(self) -> None:
        """Hand over what is untold; what the owner sets off meanwhile is told after it, in order."""
        while self._untold:
            events, self._untold = self._untold, []
            try:
                self.owner(self, events)
            except Exception as error:  # noqa: BLE001 - not gone on with: `run` raises it
                # Raised here it would end whoever called, the timer of all links for one.
                if self._failure is None:
                    self._failure = error
                self._settle(self.session.close(detail=f"its owner failed: {error!r}"))

    def _settle(self, events: list[Event]) -> None:
        """Wake those who wait for what happened, and keep it to be told."""
        for event in events:
            if type(event) is Exchange:
                if event.waiter is not None:
                    waiter, event.waiter = event.waiter, None
                    assert isinstance(waiter, trio.lowlevel.Task)
                    trio.lowlevel.reschedule(waiter)
            elif type(event) is Closed:
                self.closed = event
                self._to_close.set()
                self._reading.cancel()
        self._untold += events

    def _arm(self) -> None:
        deadline = self.session.next_deadline()
        if deadline is None:
            self.due_at = inf
            return
        if self._writing_since is not None:
            deadline = min(deadline, self._writing_since + STALL_TIMEOUT)
        if deadline < self.due_at:
            self.due_at = deadline
            self.timers.arm(self, deadline)


@asynccontextmanager
async def open_link(
    stream: trio.abc.Stream,
    session: Session,
    *,
    owner: Owner,
    timers: Timers,
    name: str = "",
) -> AsyncIterator[Link]:
    """Run a link around a stream for as long as the block lasts.

    Leaving the block ends the link without unbind; call `unbind` first for a graceful end. A link
    that ends earlier does not end the block: look at `closed`, or use `wait_closed`.
    """
    link = Link(stream, session, timers, owner, name)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        try:
            yield link
        finally:
            link.close()


def _reason(error: BaseException) -> str:
    cause = error.__cause__
    return str(cause or error) or type(error).__name__
