"""One stream and its session under Trio: a reader, now and then a writer, and a share in one timer.

The rules of the conversation are the session's; keeping a bind up is the carrier's. There is no task,
cancel scope, event or lock per message. The reader never waits for a consumer: events are handed to
the owner by a plain call, and what the owner cannot take it must refuse.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from math import inf

import attrs
import trio
from trio.lowlevel import Abort, RaiseCancelT

from whiteroute.engine.session import (
    CloseCause,
    Closed,
    Event,
    Exchange,
    LocalProtocolError,
    Session,
    SessionStatistics,
)
from whiteroute.pdu import Pdu, Unbind

from .ordered import WITHOUT_RESPONSE, OrderedExchanges
from .sleeper import Sleeper
from .timers import Timers
from .wire import Wire

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

WRITER_PATIENCE = 1.0
"""Seconds without a message after which the writer goes when it has nothing left to write. A link that
only answers and asks whether the other is there starts one each time; that keeps 2 KiB less per idle
link, and costs less than 20 µs each time."""

Owner = Callable[["Link", list[Event]], None]
"""Takes a link's events, in order, without waiting. If it raises, its link ends and `run` raises the
same; other links go on."""

Observer = Callable[["Link", bool, bytes, float], None]
"""Sees every PDU: its link, whether we send it, its octets as a whole, and when, in seconds of
`trio.current_time`. Those we send it sees as they go to be written. It may not wait; one that raises is
not called again, and its error stands in `Link.observer_failure`."""


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
    observer: Observer | None = None
    """Sees every PDU both ways; costs nothing where there is none."""
    observer_failure: Exception | None = attrs.field(default=None, init=False)
    """What the observer raised; it has not been called since."""
    closed: Closed | None = attrs.field(default=None, init=False)
    """Why and how it ended; None while it stands."""
    due_at: float = attrs.field(default=inf, init=False)
    """When `Timers` ticks it next, in seconds of `trio.current_time`; never if infinite."""
    watchers: set[OrderedExchanges] = attrs.field(factory=set, init=False)
    """Those that are looked after whenever something was taken."""
    _wire: Wire | None = attrs.field(default=None, init=False)
    _nursery: trio.Nursery | None = attrs.field(default=None, init=False)
    _writes: bool = attrs.field(default=False, init=False)
    _rest: bytes = attrs.field(default=b"", init=False)
    _asking: int = attrs.field(default=0, init=False)
    """How many tasks wait in `request`."""
    _woken: int = attrs.field(default=0, init=False)
    """How many of them were woken together last."""
    _to_write: Sleeper = attrs.field(factory=Sleeper, init=False)
    _to_read: Sleeper = attrs.field(factory=Sleeper, init=False)
    _to_close: trio.Event = attrs.field(factory=trio.Event, init=False)
    _reading: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _writing_since: float | None = attrs.field(default=None, init=False)
    _untold: list[Event] = attrs.field(factory=list, init=False)
    _telling: bool = attrs.field(default=False, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._wire = Wire.of(self.stream)
        if self.observer is not None:
            self.session.observe = self._received

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
                self._nursery = nursery
                self._stir()
                self._arm()
                with self._reading:
                    await self._read()
                self._stir()
                nursery.cancel_scope.deadline = trio.current_time() + FLUSH_TIMEOUT
        finally:
            self._nursery = None
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
        if self._woken <= 1:
            # Who asks one after the other gains nothing by waiting for others who might ask.
            self._flush()
        else:
            self._stir()
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
        if pdu.command_id in WITHOUT_RESPONSE:
            await trio.lowlevel.checkpoint()
            return exchange
        exchange.waiter = trio.lowlevel.current_task()
        self._asking += 1

        def abandon(_raise_cancel: RaiseCancelT) -> Abort:
            # A waiter that stayed would be rescheduled a second time when the answer comes, which
            # Trio does not survive.
            exchange.waiter = None
            self._asking -= 1
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abandon)
        return exchange

    def request_many(
        self, pdus: Iterable[Pdu], *, in_flight: int | None = None, context: object = None
    ) -> OrderedExchanges:
        """Send many requests and give their exchanges, ended, in the order of the requests.

        Never more than the window are in flight; PDUs are taken from `pdus` as there is room. Whoever
        stops iterating, or is cancelled, loses nothing: what was taken was sent, and its end is told to
        the owner, as that of every request. It may be iterated on after a cancellation.

        Args:
            pdus: Requests; taken one by one, without waiting.
            in_flight: At most so many are sent and not given back yet. By default ten windows, but
                at least 1,000: how many may pass one that is not answered.
            context: Handed back with each exchange.

        Raises:
            ValueError: If `in_flight` is less than 1.
            LocalProtocolError: While iterating, after all that was sent has been given back: the
                state forbids it, or the link has ended.
            RemoteProtocolError: In the same way: the link has ended because the peer broke a rule.
            EncodeError: In the same way: a value does not fit. What `pdus` raises comes so, too.
        """
        return OrderedExchanges.over(self, pdus, in_flight, context)

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
        self._stir()
        return True

    def send_unchecked(self, octets: bytes) -> None:
        """Put octets on the wire as they are; for simulators that misbehave on purpose."""
        self.session.send_unchecked(octets)
        self._stir()

    async def unbind(self) -> Closed:
        """Send unbind, wait for its answer (bounded by `unbind_timeout`), and for the end.

        A link that is not bound is closed without it; one that unbinds already is only waited for.
        """
        if not (self.session.is_unbinding or self.session.is_unbound):
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

    def sent(self, deadline: float) -> None:
        """Requests were given to the session; the first of them has this deadline."""
        self._flush()
        if deadline < self.due_at:
            self._arm()

    def statistics(self) -> SessionStatistics:
        """Give the session's figures."""
        return self.session.statistics()

    def __repr__(self) -> str:
        return f"<Link {self.name or 'unnamed'} {self.session!r}>"

    # The two tasks.

    async def _read(self) -> None:
        session = self.session
        while self.closed is None:
            try:
                octets = await self._receive()
            except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self._take(session.end_of_stream(_reason(error)))
            else:
                now = trio.current_time()
                self._take(session.receive(octets, now) if octets else session.end_of_stream())
            while session.queued_pdus > QUEUED_PDUS and self.closed is None:
                await self._to_read.sleep()

    async def _receive(self) -> bytes:
        if self._wire is not None:
            return await self._wire.receive(RECEIVE_OCTETS)
        return bytes(await self.stream.receive_some(RECEIVE_OCTETS))

    def _flush(self) -> None:
        """Write what waits, now if it can be done without waiting; the writer does the rest."""
        if self._wire is None or self._nursery is None or self._writes_now:
            self._stir()
        elif self.session.queued_pdus:
            octets = self._take_octets()
            sent = self._wire.send(octets)
            if sent < len(octets):
                self._rest = octets[sent:]
                self._stir()

    def _stir(self) -> None:
        """See to it that what waits is written."""
        if self._to_write.sleeps:
            self._to_write.wake()
        elif not self._writes and self._nursery is not None and self._has_octets:
            self._writes = True
            self._nursery.start_soon(self._write)

    @property
    def _has_octets(self) -> bool:
        return bool(self._rest) or self.session.queued_pdus > 0

    @property
    def _writes_now(self) -> bool:
        return self._writing_since is not None or bool(self._rest)

    def _take_octets(self) -> bytes:
        """Take what the session wants sent, and show it to who looks on."""
        pdus = self.session.take_octets()
        if self.observer is not None:
            now = trio.current_time()
            for pdu in pdus:
                self._observe(True, pdu, now)
        return pdus[0] if len(pdus) == 1 else b"".join(pdus)

    async def _write(self) -> None:
        session, stream, wire = self.session, self.stream, self._wire
        try:
            while True:
                if not self._has_octets:
                    idle = trio.current_time() - session.message_at > WRITER_PATIENCE
                    if self.closed or idle:
                        return
                    await self._to_write.sleep()
                    continue
                octets, self._rest = self._rest + self._take_octets(), b""
                if wire is not None and (sent := wire.send(octets)):
                    octets = octets[sent:]
                if octets:
                    self._writing_since = trio.current_time()
                    self._arm()
                    await stream.send_all(octets)
                    self._writing_since = None
                self._to_read.wake()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            # What the peer sent before it went may still be unread, answers among it.
            with trio.move_on_after(FLUSH_TIMEOUT):
                await self._to_close.wait()
            self._take(session.end_of_stream(_reason(error)))
        finally:
            self._writes = False

    # What happens.

    def _take(self, events: list[Event]) -> None:
        self._settle(events)
        if not self._telling:
            self._telling = True
            try:
                self._tell()
            finally:
                self._telling = False
        for watcher in self.watchers:
            watcher.look()
        if self.closed:
            self._stir()
        elif self.session.queued_pdus:
            self._flush()
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
        if not events:
            return
        if self._asking:
            woken = 0
            for event in events:
                if type(event) is Exchange and event.waiter is not None:
                    trio.lowlevel.reschedule(event.waiter)
                    event.waiter = None
                    woken += 1
            self._asking -= woken
            self._woken = woken or self._woken
        last = events[-1]
        if type(last) is Closed:
            self.closed = last
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

    # Who looks on.

    def _received(self, octets: bytes, now: float) -> None:
        self._observe(False, octets, now)

    def _observe(self, outgoing: bool, octets: bytes, now: float) -> None:
        if self.observer is None:
            return
        try:
            self.observer(self, outgoing, octets, now)
        except Exception as error:  # noqa: BLE001 - a bind outlives whoever looks on
            self.observer, self.observer_failure = None, error
            self.session.observe = None


@asynccontextmanager
async def open_link(
    stream: trio.abc.Stream,
    session: Session,
    *,
    owner: Owner,
    timers: Timers,
    name: str = "",
    observer: Observer | None = None,
) -> AsyncIterator[Link]:
    """Run a link around a stream for as long as the block lasts.

    Leaving the block ends the link without unbind; call `unbind` first for a graceful end. A link
    that ends earlier does not end the block: look at `closed`, or use `wait_closed`.
    """
    link = Link(stream, session, timers, owner, name, observer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        try:
            yield link
        finally:
            link.close()


def _reason(error: BaseException) -> str:
    cause = error.__cause__ or error
    return getattr(cause, "strerror", None) or str(cause) or type(error).__name__
