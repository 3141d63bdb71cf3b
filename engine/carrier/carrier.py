"""One carrier's account: its binds kept up, its parts sent in order at the carrier's pace.

It decides synchronously and acts afterwards: what to send next is worked out by plain functions, one
task feeds the links, one task keeps each bind. What an answer means, and everything that must be
remembered, is the owner's matter; the owner is asked to remember a part before its first octet
leaves.
"""

from collections import deque
from collections.abc import Callable, Sequence
from copy import copy
from heapq import heapify, heappop, heappush
from itertools import count
from math import inf
from random import Random
from typing import Literal, Protocol

import attrs
import trio

from whiteroute.engine.link import FLUSH_TIMEOUT, Link, Timers
from whiteroute.engine.profile import GENERIC, CarrierProfile
from whiteroute.engine.session import (
    Arrived,
    BindRefused,
    Bound,
    CloseCause,
    Closed,
    Event,
    Exchange,
    ExchangeEnd,
    LateResponse,
    Pace,
    Role,
    Session,
    SessionSettings,
    SessionState,
    SessionStatistics,
)
from whiteroute.engine.upkeep import Backoff, BindFailure, failure_of
from whiteroute.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    Pdu,
    SubmitSm,
    WireForm,
    encode,
    status_meaning,
    status_name,
)

__all__ = [
    "Carrier",
    "CarrierOwner",
    "CarrierSettings",
    "CarrierStatistics",
    "Host",
    "LinkChange",
    "OutgoingPart",
]

CONNECT_TIMEOUT = 10.0
"""Seconds for a TCP connection. A firewall that drops is found out by this; a real message centre
answers in well under one."""

STEADY_TIME = 10.0
"""Seconds after which a bind counts as one that holds. A front end that takes every bind and drops it
at once would otherwise be asked again every second for ever."""

SWEEP_INTERVAL = 1.0
"""Seconds between two searches for what has expired; one looks at everything that waits. A part that
was found too late is told late, but never sent: each is looked at again as it leaves the queue."""

BindClass = type[BindTransceiver] | type[BindTransmitter] | type[BindReceiver]

BIND_MODES: dict[str, tuple[tuple[str, BindClass], ...]] = {
    "trx": (("", BindTransceiver),),
    "tx+rx": (("-tx", BindTransmitter), ("-rx", BindReceiver)),
}
"""For each way of binding: what is added to the link's name, and the operation."""


@attrs.frozen
class Host:
    """Where a message centre listens."""

    name: str
    """A host name or an address."""
    port: int

    @classmethod
    def parse(cls, text: str) -> "Host":
        """Read `host:port` or `[v6 address]:port`.

        Raises:
            ValueError: For anything else.
        """
        name, colon, port = text.rpartition(":")
        if name.startswith("[") and name.endswith("]"):
            name = name[1:-1]
        elif ":" in name:
            raise ValueError(f"{text!r}, expected [address]:port for an IPv6 address")
        is_number = port.isascii() and port.isdecimal()
        if not colon or not name or not is_number or not 0 < int(port) < 65_536:
            raise ValueError(f"{text!r}, expected host:port")
        return cls(name, int(port))

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@attrs.frozen(kw_only=True)
class CarrierSettings:
    """One account with one carrier."""

    name: str
    """Ours, as in the configuration."""
    hosts: tuple[Host, ...]
    """Tried in turn."""
    system_id: str
    password: str = attrs.field(default="", repr=False)
    profile: CarrierProfile = GENERIC
    bind: Literal["trx", "tx+rx"] = "trx"
    """`tx+rx`: a transmitter and a receiver instead of each transceiver, for carriers without it."""
    binds: int = 1
    """How many binds (or pairs) of the account to keep up; contracts allow 1 to 4 mostly."""
    window: int | None = None
    """Requests in flight on each bind; None: the profile's."""
    tps: float | None = None
    """Parts per second over the whole account; None: as fast as the windows allow."""

    @property
    def session(self) -> SessionSettings:
        """The profile's session settings with this account's window."""
        settings = self.profile.session
        return settings if self.window is None else attrs.evolve(settings, window=self.window)


@attrs.define(slots=True, weakref_slot=False, eq=False)
class OutgoingPart:
    """One part of a message on its way to a carrier."""

    message_ref: str
    part: int
    """Counts from 1."""
    pdu: SubmitSm
    attempt: int = 1
    """Counts from 1; raised for each new try."""
    expires_at: float = inf
    """On Trio's clock; not sent after it."""
    doubts: int = 0
    """How many of its attempts may have been accepted although nobody said so."""

    def again(self, *, doubted: bool = False) -> "OutgoingPart":
        """Make the next attempt of this part.

        It is another object with another PDU, because a late response to this one still comes with
        this one.
        """
        return attrs.evolve(
            self, pdu=copy(self.pdu), attempt=self.attempt + 1, doubts=self.doubts + doubted
        )


@attrs.frozen
class LinkChange:
    """A bind came up, went down or was refused."""

    carrier: str
    link: str
    """E.g. `acme/1`."""
    what: Literal["bound", "lost", "refused", "unreachable", "stopped"]
    """`stopped`: it will not be tried again until told."""
    cause: str
    """For people."""
    command_status: int | None = None


class CarrierOwner(Protocol):
    """What a carrier asks of the owner of its parts; all calls are made on the Trio loop and may not wait."""

    def write_ahead(
        self,
        carrier: "Carrier",
        parts: list[OutgoingPart],
        go: Callable[[list[OutgoingPart]], None],
    ) -> None:
        """Remember these attempts durably, then call `go` with those that may be sent.

        The carrier keeps room for them meanwhile; whatever is not given to `go` must be given to
        `Carrier.release` or to `Carrier.put_back`.
        """

    def parts_ended(self, carrier: "Carrier", ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        """These were answered, nacked, timed out, or lost with their link."""

    def parts_not_written(self, carrier: "Carrier", parts: list[OutgoingPart]) -> None:
        """No octet of these left: their link went away in the meantime."""

    def parts_expired(self, carrier: "Carrier", parts: list[OutgoingPart]) -> None:
        """These waited too long and were not sent."""

    def late_response(self, carrier: "Carrier", part: OutgoingPart, response: Pdu) -> None:
        """The answer to a part that had timed out."""


@attrs.frozen
class CarrierStatistics:
    """How a carrier is."""

    name: str
    bound: int
    """Binds over which we can submit now."""
    binds: int
    """Such binds that are wanted."""
    queued: int
    """Parts waiting for room, pace or a bind."""
    in_flight: int
    sent: int
    links: tuple[SessionStatistics, ...]


@attrs.define(eq=False, repr=False)
class Carrier:
    """Keeps the binds of one account and feeds them.

    `run` does the work until it is cancelled or `drain` has ended.
    """

    settings: CarrierSettings
    owner: CarrierOwner = attrs.field(kw_only=True)
    arrived: Callable[["Carrier", Link, list[Pdu]], None] = attrs.field(kw_only=True)
    """Takes the carrier's requests that wait for an answer, in order; may not wait."""
    link_changed: Callable[[LinkChange], None] = attrs.field(kw_only=True)
    """Hears of binds that come up, go down or are refused; may not wait."""
    timers: Timers = attrs.field(kw_only=True)
    random: Random = attrs.field(kw_only=True)
    """Draws the jitter of reconnecting."""
    _queue: deque[OutgoingPart] = attrs.field(factory=deque, init=False)
    _again: deque[OutgoingPart] = attrs.field(factory=deque, init=False)
    """Parts that were at the head of the queue before; they go ahead of it."""
    _later: list[tuple[float, int, OutgoingPart]] = attrs.field(factory=list, init=False)
    _order: "count[int]" = attrs.field(factory=count, init=False)
    _bound: list[Link] = attrs.field(factory=list, init=False)
    _links: dict[str, Link] = attrs.field(factory=dict, init=False)
    _reserved: int = attrs.field(default=0, init=False)
    _pace: Pace = attrs.field(init=False)
    _paused_until: float = attrs.field(default=-inf, init=False)
    _swept_at: float = attrs.field(default=-inf, init=False)
    _sweep_at: float = attrs.field(default=inf, init=False)
    _is_stirred: bool = attrs.field(default=False, init=False)
    _sleeper: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _changed: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _last_changes: dict[str, LinkChange] = attrs.field(factory=dict, init=False)
    _stopping: bool = attrs.field(default=False, init=False)
    _sent: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._pace = Pace(self.settings.tps)
        for _, bind_class in BIND_MODES[self.settings.bind]:
            encode(self._bind_pdu(bind_class))

    @property
    def name(self) -> str:
        """Ours, as in the configuration."""
        return self.settings.name

    @property
    def is_bound(self) -> bool:
        """Whether at least one bind is up over which we can submit."""
        return bool(self._bound)

    @property
    def last_changes(self) -> tuple[LinkChange, ...]:
        """The latest news of each bind, for people; empty before the first."""
        return tuple(self._last_changes.values())

    @property
    def failures(self) -> tuple[LinkChange, ...]:
        """The latest news of each bind that is not up, as far as there was any."""
        return tuple(change for change in self.last_changes if change.what != "bound")

    async def run(self) -> None:
        """Keep the binds up and feed them."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._feed)
            for number in range(1, self.settings.binds + 1):
                for suffix, bind_class in BIND_MODES[self.settings.bind]:
                    name = f"{self.name}/{number}{suffix}"
                    nursery.start_soon(self._keep_bind, name, bind_class)

    def enqueue(self, parts: Sequence[OutgoingPart]) -> None:
        """Put parts at the end of the queue; each has been encoded once without an EncodeError."""
        self._queue.extend(parts)
        self._note_expiry(parts)
        self._stir()

    def enqueue_later(self, part: OutgoingPart, delay: float) -> None:
        """Put a part into the queue after `delay` seconds, ahead of those that were never tried."""
        heappush(self._later, (trio.current_time() + delay, next(self._order), part))
        self._note_expiry((part,))
        self._stir()

    def pause(self, delay: float) -> None:
        """Send nothing for `delay` seconds: the carrier said that we are too fast.

        The whole account pauses rather than the one part, so that the order is kept and the next
        part is not refused as well.
        """
        self._paused_until = max(self._paused_until, trio.current_time() + delay)

    def release(self, parts: int) -> None:
        """Give back the room kept for parts that will not be sent after all."""
        self._reserved -= parts
        self._stir()

    def put_back(self, parts: Sequence[OutgoingPart], delay: float) -> None:
        """Take back parts that could not be remembered, and send nothing for `delay` seconds."""
        self._again.extendleft(reversed(parts))
        self._note_expiry(parts)
        self.pause(delay)
        self.release(len(parts))

    async def wait_news(self) -> None:
        """Wait until a bind comes up, goes down or is refused."""
        await self._changed.park()

    async def drain(self, within: float) -> int:
        """Send no more, let what is in flight be answered, unbind, and stop for good.

        Args:
            within: Seconds for the answers; unbinding takes `unbind_timeout` more at most.

        Returns:
            How many parts were left in the queue; those without an answer were told as ended.
        """
        self._stopping = True
        with trio.move_on_after(within):
            while self._reserved or any(link.statistics().in_flight for link in self._bound):
                await self._changed.park()
        async with trio.open_nursery() as nursery:
            for link in tuple(self._links.values()):
                nursery.start_soon(link.unbind)
        # Until the ends of the links are told, too.
        with trio.move_on_after(2 * FLUSH_TIMEOUT):
            while self._links:
                await self._changed.park()
        return self._queued

    def statistics(self) -> CarrierStatistics:
        """Give the figures as they are now."""
        links = tuple(link.statistics() for link in self._links.values())
        return CarrierStatistics(
            name=self.name,
            bound=len(self._bound),
            binds=self.settings.binds,
            queued=self._queued,
            in_flight=sum(link.in_flight for link in links) + self._reserved,
            sent=self._sent,
            links=links,
        )

    @property
    def _queued(self) -> int:
        return len(self._again) + len(self._queue) + len(self._later)

    def __repr__(self) -> str:
        figures = self.statistics()
        return (
            f"<Carrier {self.name} {figures.bound} of {figures.binds} bound,"
            f" {figures.queued} queued, {figures.in_flight} in flight>"
        )

    # Feeding the links.

    def _stir(self) -> None:
        """Have the queue looked at, and a drain go on, because something has changed."""
        self._is_stirred = True
        self._sleeper.unpark_all()
        if self._stopping:
            self._changed.unpark_all()

    async def _feed(self) -> None:
        while True:
            self._is_stirred = False
            wake_at = self._pump(trio.current_time())
            if self._is_stirred:
                # What was asked may have given back room at once, with nobody asleep to be woken.
                await trio.lowlevel.checkpoint()
                continue
            with trio.CancelScope(deadline=wake_at):
                await self._sleeper.park()

    def _pump(self, now: float) -> float:
        """Hand over what may go now; tell when to look again at the latest."""
        while self._later and self._later[0][0] <= now:
            self._again.append(heappop(self._later)[2])
        if self._sweep_at <= now:
            self._sweep(now)
        wake_at = min(self._sweep_at, self._later[0][0] if self._later else inf)
        ready = len(self._again) + len(self._queue)
        if not ready or not self._bound or self._stopping:
            return wake_at
        if now < self._paused_until:
            return min(wake_at, self._paused_until)
        room = sum(link.session.room for link in self._bound) - self._reserved
        paced = self._pace.allowed(now)
        most = room if paced is None else min(room, paced)
        parts = self._take_out(most, now)
        if parts:
            self._pace.spend(len(parts), now)
            self._reserved += len(parts)
            self.owner.write_ahead(self, parts, self._go)
        if ready > most < room:
            return min(wake_at, self._pace.next_at(now))
        return wake_at

    def _take_out(self, most: int, now: float) -> list[OutgoingPart]:
        """Take parts out of the queue, and tell of those for which it is too late."""
        parts: list[OutgoingPart] = []
        expired: list[OutgoingPart] = []
        while len(parts) < most and (self._again or self._queue):
            part = (self._again or self._queue).popleft()
            (expired if part.expires_at <= now else parts).append(part)
        if expired:
            self.owner.parts_expired(self, expired)
        return parts

    def _note_expiry(self, parts: Sequence[OutgoingPart]) -> None:
        earliest = min((part.expires_at for part in parts), default=inf)
        self._sweep_at = min(self._sweep_at, max(earliest, self._swept_at + SWEEP_INTERVAL))

    def _sweep(self, now: float) -> None:
        """Tell of everything that has waited too long."""
        waiting = [*self._again, *self._queue, *(part for _, _, part in self._later)]
        expired = [part for part in waiting if part.expires_at <= now]
        if expired:
            self._again = deque(part for part in self._again if part.expires_at > now)
            self._queue = deque(part for part in self._queue if part.expires_at > now)
            self._later = [entry for entry in self._later if entry[2].expires_at > now]
            heapify(self._later)
        self._swept_at, self._sweep_at = now, inf
        self._note_expiry([part for part in waiting if part.expires_at > now])
        if expired:
            self.owner.parts_expired(self, expired)

    def _go(self, parts: list[OutgoingPart]) -> None:
        unwritten = []
        for part in parts:
            link = max(self._bound, key=_room, default=None)
            if link is None or not link.session.room:
                unwritten.append(part)
                continue
            link.send(part.pdu, part)
            self._sent += 1
        if unwritten:
            self.owner.parts_not_written(self, unwritten)
        self.release(len(parts))

    def _take(self, link: Link, events: list[Event]) -> None:
        ended: list[tuple[OutgoingPart, Exchange]] = []
        late: list[tuple[OutgoingPart, Pdu]] = []
        arrived: list[Pdu] = []
        for event in events:
            match event:
                case Exchange():
                    if isinstance(event.context, OutgoingPart):
                        ended.append((event.context, event))
                case Arrived():
                    arrived.append(event.pdu)
                case LateResponse():
                    part, response = event.exchange.context, event.exchange.response
                    if isinstance(part, OutgoingPart) and response is not None:
                        late.append((part, response))
                case Bound():
                    if event.state is not SessionState.BOUND_RX:
                        self._bound.append(link)
                    self._tell(LinkChange(self.name, link.name, "bound", event.state.value))
                case BindRefused():
                    link.close(CloseCause.BIND_REFUSED, status_name(event.command_status))
                case Closed():
                    if link in self._bound:
                        self._bound.remove(link)
                case _:
                    pass
        if ended:
            self.owner.parts_ended(self, ended)
            self._stir()
        for part, response in late:
            self.owner.late_response(self, part, response)
        if arrived:
            self.arrived(self, link, arrived)

    # Keeping the binds.

    async def _keep_bind(self, name: str, bind_class: BindClass) -> None:
        backoff = Backoff()
        turn = 0
        while not self._stopping:
            host = self.settings.hosts[turn % len(self.settings.hosts)]
            turn += 1
            try:
                stream = await self._connect(host)
            except (OSError, ValueError, trio.TooSlowError) as error:
                # ValueError: a name that cannot even be asked for, such as `a..b`.
                cause = f"cannot reach {host}: {_why(error)}"
                change = LinkChange(self.name, name, "unreachable", cause)
                failure = BindFailure.NETWORK
            else:
                if stream is None:
                    return
                change, failure = await self._hold(stream, name, bind_class, host, backoff)
            delay = backoff.next_delay(failure, self.random.random())
            if delay is None:
                self._tell(attrs.evolve(change, what="stopped"))
                return
            self._tell(change)
            if not self._stopping:
                await trio.sleep(delay)

    async def _connect(self, host: Host) -> trio.abc.Stream | None:
        """Open a stream; None when we were told to stop in the meantime."""
        with trio.fail_after(CONNECT_TIMEOUT):
            stream = await trio.open_tcp_stream(host.name, host.port)
        if self._stopping:
            await trio.aclose_forcefully(stream)
            return None
        return stream

    async def _hold(
        self,
        stream: trio.abc.Stream,
        name: str,
        bind_class: BindClass,
        host: Host,
        backoff: Backoff,
    ) -> tuple[LinkChange, BindFailure]:
        session = Session(Role.ESME, self.settings.session, trio.current_time())
        link = Link(stream, session, self.timers, self._take, name)
        self._links[name] = link
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(link.run)
                bind = await link.request(self._bind_pdu(bind_class))
                bound_at = trio.current_time()
                closed = await link.wait_closed()
        finally:
            del self._links[name]
        answer = bind.response
        if answer is not None and (answer.command_status or bind.end is ExchangeEnd.NACKED):
            status = answer.command_status
            cause = f"{host} refused the bind with {status_name(status)}: {status_meaning(status).rstrip('.')}"
            return LinkChange(self.name, name, "refused", cause, status), failure_of(status)
        if answer is None:
            cause = f"{host} did not answer the bind ({closed.cause.value})"
            return LinkChange(self.name, name, "lost", cause), BindFailure.NETWORK
        if trio.current_time() - bound_at >= STEADY_TIME:
            backoff.succeeded()
        cause = f"{host}: {closed.cause.value}" + (f", {closed.detail}" if closed.detail else "")
        return LinkChange(self.name, name, "lost", cause), BindFailure.NETWORK

    def _bind_pdu(self, bind_class: BindClass) -> Pdu:
        options = self.settings.profile.bind
        return bind_class(
            system_id=self.settings.system_id,
            password=self.settings.password,
            system_type=options.system_type,
            interface_version=options.interface_version,
            addr_ton=options.addr_ton,
            addr_npi=options.addr_npi,
            address_range=options.address_range,
            # Carrier: passwords of more than 8 octets are common although the field ends there.
            wire_form=WireForm.OVERLONG,
        )

    def _tell(self, change: LinkChange) -> None:
        self._last_changes[change.link] = change
        self.link_changed(change)
        self._changed.unpark_all()
        self._stir()


def _room(link: Link) -> int:
    return link.session.room


def _why(error: BaseException) -> str:
    if isinstance(error, trio.TooSlowError):
        return f"no answer within {CONNECT_TIMEOUT:.0f} s"
    # open_tcp_stream wraps the errors of all addresses in one whose own text says little.
    causes = getattr(error.__cause__, "exceptions", ()) or (error.__cause__ or error,)
    return "; ".join(
        dict.fromkeys(getattr(cause, "strerror", None) or str(cause) for cause in causes)
    )
