"""One carrier's account: its binds kept up, its parts sent in order at the carrier's pace.

It joins the queue, which decides, and the binds, which act. What an answer means, and everything that
must be remembered, is the owner's matter; the owner is asked to remember a part before its first octet
leaves.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from math import inf
from random import Random
from typing import Literal, Protocol

import attrs
import trio

from whiteroute.engine.link import FLUSH_TIMEOUT, Link, Observer, Timers
from whiteroute.engine.messages import RootCause
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
)
from whiteroute.engine.transport import open_transport
from whiteroute.engine.upkeep import CeilingChange
from whiteroute.pdu import Pdu, encode, status_name

from .account import BIND_MODES, Account, HeldLink, OpenStream
from .binds import Binds
from .departing import Departing
from .feeding import Feeding
from .news import CarrierStatistics, DrainReport, LinkChange
from .pacing import Pacing
from .parts import OutgoingPart
from .settings import CarrierSettings

__all__ = ["Carrier", "CarrierOwner", "WaitReceipts"]

WaitReceipts = Callable[[float], Awaitable[int | None]]
"""Waits for receipts until an instant on Trio's clock; tells how many are still missing, or None if that
cannot be known."""

REFILLED_AT_ONCE = 4
"""Links, at most, that are refilled by whoever brings an answer.
Measured: at a window of 10, one bind takes 1.2 times the CPU of its link alone, instead of 1.6."""


def _ignore(_change: CeilingChange) -> None:
    """Whoever gives no `ceiling_changed` does not want to know."""


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
        `Carrier.release` or to `Carrier.put_back`. They leave when the pace lets them.
        """

    def parts_ended(self, carrier: "Carrier", ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        """These were answered, nacked, timed out, or lost with their link.

        Whatever was not accepted must come back by `Carrier.enqueue_later`, or be given to
        `Carrier.done_with`: other parts may wait for it.
        """

    def parts_not_written(self, carrier: "Carrier", parts: list[OutgoingPart]) -> None:
        """No octet of these left: their link went away or they expired in the meantime."""

    def parts_expired(self, carrier: "Carrier", parts: list[OutgoingPart]) -> None:
        """These waited too long and were not sent."""

    def parts_left(self, carrier: "Carrier", parts: list[OutgoingPart]) -> None:
        """These were not sent, and will not be by this carrier, which was removed."""

    def late_response(self, carrier: "Carrier", part: OutgoingPart, response: Pdu) -> None:
        """The answer to a part that had timed out."""


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
    learned_tps: float | None = attrs.field(default=None, kw_only=True)
    """The pace that was found to hold before a restart, from the last `CeilingChange`."""
    ceiling_changed: Callable[[CeilingChange], None] = attrs.field(default=_ignore, kw_only=True)
    """Hears, now and then, what the carrier was found to bear; may not wait."""
    observer: Observer | None = attrs.field(kw_only=True, default=None)
    """Sees every PDU both ways, on all binds; see `Observer`."""
    open_stream: OpenStream = attrs.field(kw_only=True, default=open_transport)
    """How streams to hosts are opened; tests give others than TCP."""
    _pacing: Pacing = attrs.field(init=False)
    _feeding: Feeding = attrs.field(init=False)
    _departing: Departing = attrs.field(init=False)
    _account: Account = attrs.field(init=False)
    _binds: Binds = attrs.field(init=False)
    _running: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _is_stirred: bool = attrs.field(default=False, init=False)
    _is_hearing: bool = attrs.field(default=False, init=False)
    """Whether the queue is looked at in a moment anyway."""
    _wake_at: float = attrs.field(default=-inf, init=False)
    """When the queue is looked at next at the latest."""
    _sleeper: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _changed: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _last_changes: dict[str, LinkChange] = attrs.field(factory=dict, init=False)
    _is_suspended: bool = attrs.field(default=False, init=False)
    _is_draining: bool = attrs.field(default=False, init=False)
    _is_withdrawn: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._pacing = Pacing.begin(self.settings, self.learned_tps)
        self._feeding = Feeding(self._pacing, self.settings.keep_order)
        self._account = Account(
            settings=self.settings,
            open_stream=self.open_stream,
            take=self._take,
            tell=self._tell,
            timers=self.timers,
            random=self.random,
            observer=self.observer,
        )
        self._departing = Departing(self._feeding, self._account.bound)
        self._binds = Binds(self._account)
        for _, bind_class in BIND_MODES[self.settings.bind]:
            encode(self._account.bind_pdu(bind_class))

    @property
    def name(self) -> str:
        """Ours, as in the configuration."""
        return self.settings.name

    @property
    def is_bound(self) -> bool:
        """Whether at least one bind is up over which we can submit."""
        return bool(self._account.bound)

    @property
    def links(self) -> tuple[Link, ...]:
        """The links that stand, bound or not."""
        return tuple(self._account.links)

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
        if self._running.cancel_called:
            return  # drained before it began
        with self._running:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._feed)
                nursery.start_soon(self._binds.run)

    def enqueue(self, parts: Sequence[OutgoingPart]) -> None:
        """Put parts at the end of the queue; each has been encoded once without an EncodeError."""
        if self._is_withdrawn:
            self._give_back(list(parts))
            return
        self._feeding.enqueue(parts)
        self._stir()

    def enqueue_later(self, part: OutgoingPart, delay: float) -> None:
        """Put a part into the queue after `delay` seconds, ahead of those that were never tried."""
        if self._is_withdrawn:
            self._give_back([part])
            return
        self._feeding.enqueue_at(part, trio.current_time() + delay)
        self._stir()

    def pause(self, delay: float) -> None:
        """Send nothing for `delay` seconds.

        The carrier does so by itself when it is told that it is too fast: the whole account pauses
        rather than the one part, so that the order is kept and the next part is not refused as well.
        """
        self._pacing.pause_until(trio.current_time() + delay)

    def release(self, parts: Sequence[OutgoingPart]) -> None:
        """Give back the room kept for parts that will not be sent after all."""
        self._feeding.release(parts)
        self._stir()

    def done_with(self, part: OutgoingPart) -> None:
        """Note that a part which was not accepted will not be tried again.

        Where the order is kept, the next one to its destination may go now. May be said more than
        once, and of accepted parts, too.
        """
        self._feeding.done_with(part)
        self._stir()

    def put_back(self, parts: Sequence[OutgoingPart], delay: float) -> None:
        """Take back parts that could not be remembered, and send nothing for `delay` seconds."""
        self._feeding.put_back(parts)
        self.pause(delay)
        self._stir()

    async def wait_news(self) -> None:
        """Wait until a bind comes up, goes down or is refused."""
        await self._changed.park()

    # Changes while it runs.

    def suspend(self) -> None:
        """Send nothing until `resume`; binds stay up, and receipts go on coming."""
        if not self._is_suspended:
            self._is_suspended = True
            self._tell_all("suspended", "told to send nothing")

    def resume(self) -> None:
        """Send again."""
        if self._is_suspended:
            self._is_suspended = False
            self._tell_all("resumed", "told to send again")

    def retry(self) -> None:
        """Try at once whatever bind is not up, also where the credentials had been refused."""
        self._binds.forget()

    def set_window(self, window: int) -> None:
        """Allow so many requests in flight on each bind from now on, from 1.

        Where more are in flight, they are waited for.

        Raises:
            ValueError: If it is less than 1; nothing changed.
        """
        if window < 1:
            raise ValueError(f"window: {window}, expected at least 1")
        self._change(attrs.evolve(self.settings, window=window))
        for link in self._account.links:
            link.session.window = window

    def set_tps(self, tps: float | None) -> None:
        """Send so many parts per second at most from now on; None: as fast as the windows allow.

        Raises:
            ValueError: If it is not more than 0; nothing changed.
        """
        if tps is not None and not tps > 0:
            raise ValueError(f"tps: {tps}, expected more than 0 parts per second")
        self._change(attrs.evolve(self.settings, tps=tps))

    def set_binds(self, binds: int) -> None:
        """Keep so many binds (or pairs) up from now on, from 1.

        What is in flight on those that are too many is waited for before they unbind.

        Raises:
            ValueError: If it is less than 1, or more than the profile says that the carrier allows;
                nothing changed.
        """
        if binds < 1:
            raise ValueError(f"binds: {binds}, expected at least 1")
        profile = self.settings.profile
        most = profile.bind.most_binds
        if most is not None and binds > most:
            expected = f"expected at most {most}, which is what profile {profile.name} allows"
            raise ValueError(f"binds: {binds}, {expected}")
        self._change(attrs.evolve(self.settings, binds=binds))
        self._binds.resize()

    def _change(self, settings: CarrierSettings) -> None:
        self.settings = self._account.settings = settings
        self._pacing.change_settings(settings, trio.current_time())
        self._stir()

    # The end.

    async def drain(
        self, within: float, *, wait_receipts: WaitReceipts | None = None
    ) -> DrainReport:
        """Send no more, let what is in flight be answered, unbind, and stop for good.

        Args:
            within: Seconds for the answers, and for the receipts; unbinding takes `unbind_timeout`
                more at most.
            wait_receipts: Waits until no accepted message lacks its final receipt, until the instant
                given at the latest, and tells how many still do. Binds stay up meanwhile, and what
                comes is acknowledged. None: nobody waits.
        """
        began_at = trio.current_time()
        links = self._account.links
        self._is_draining = True
        self._stir()
        if wait_receipts is None:
            self._end_binds()
        with trio.move_on_at(began_at + within):
            while self._feeding.reserved or any(link.statistics().in_flight for link in links):
                await self._changed.park()
        outstanding = None if wait_receipts is None else await wait_receipts(began_at + within)
        self._end_binds()
        unanswered = self._feeding.reserved + sum(link.statistics().in_flight for link in links)
        ended: list[Closed] = []

        async def unbind(held: HeldLink) -> None:
            was_bound = held.bound_at is not None
            closed = await held.link.unbind()
            if was_bound:
                ended.append(closed)

        async with trio.open_nursery() as nursery:
            for held in tuple(links.values()):
                nursery.start_soon(unbind, held)
        # Until the ends of the links are told, too.
        with trio.move_on_after(2 * FLUSH_TIMEOUT):
            while links:
                await self._account.answered.park()
        self._running.cancel()
        unbound = sum(closed.cause is CloseCause.UNBIND for closed in ended)
        return DrainReport(
            carrier=self.name,
            queued=self._feeding.queued,
            unanswered=unanswered,
            receipts_outstanding=outstanding,
            links_unbound=unbound,
            links_cut=len(ended) - unbound,
            took=trio.current_time() - began_at,
        )

    def withdraw(self) -> None:
        """Give back to the owner what waits, and whatever is put into the queue from now on."""
        self._is_withdrawn = True
        self._give_back(self._feeding.take_all())

    def _give_back(self, parts: list[OutgoingPart]) -> None:
        if parts:
            self.owner.parts_left(self, parts)

    def _end_binds(self) -> None:
        self._account.is_ending = True
        self._account.wake()

    # How it is.

    def statistics(self) -> CarrierStatistics:
        """Give the figures as they are now."""
        links = tuple(link.statistics() for link in self._account.links)
        return CarrierStatistics(
            name=self.name,
            bound=len(self._account.bound),
            binds=self.settings.binds,
            queued=self._feeding.queued,
            in_flight=sum(link.in_flight for link in links) + self._feeding.reserved,
            sent=self._departing.sent,
            links=links,
            suspended=self._is_suspended,
            kept=self._binds.statistics(),
            receiving=self._account.receiving,
            asked_for=str(self._account.ladder.rung),
            pace=self._pacing.ceiling.tps,
            ceiling=self._pacing.ceiling.believed,
        )

    def __repr__(self) -> str:
        figures = self.statistics()
        now = trio.current_time()
        kept = ", ".join(
            f"{bind.name} {bind.phase.value} {bind.host} {now - bind.since:.0f} s"
            for bind in figures.kept
        )
        receiving = f", {figures.receiving} only to receive" if figures.receiving else ""
        ceiling = "" if figures.ceiling is None else f", bears {figures.ceiling:g}/s"
        return (
            f"<Carrier {self.name}{' suspended' * figures.suspended} {figures.bound} of"
            f" {figures.binds} bound{receiving}, {figures.queued} queued, {figures.in_flight} in flight"
            f"{ceiling}; {kept or 'no binds'}>"
        )

    # Feeding the links.

    @property
    def _is_held(self) -> bool:
        """Whether nothing is to be sent although there are binds."""
        return self._is_suspended or self._is_draining

    def _stir(self) -> None:
        """Have the queue looked at, and a drain go on, because something has changed."""
        self._is_stirred = True
        if self._is_hearing:
            return
        self._sleeper.unpark_all()
        if self._is_draining:
            self._changed.unpark_all()

    async def _feed(self) -> None:
        while True:
            self._is_stirred = False
            wake_at = self._pump(trio.current_time())
            if self._is_stirred:
                # What was asked may have given back room at once, with nobody asleep to be woken.
                await trio.lowlevel.checkpoint()
                continue
            self._wake_at = wake_at
            with trio.CancelScope(deadline=wake_at):
                await self._sleeper.park()

    def _pump(self, now: float) -> float:
        """Hand over what may go now; tell when to look again at the latest."""
        departs_at = self._depart(now)
        room = None if self._is_held else self._departing.room
        serving = self._feeding.serve(room, now)
        if serving.expired:
            self.owner.parts_expired(self, serving.expired)
        if serving.parts:
            self.owner.write_ahead(self, serving.parts, partial(self._go, now))
        return min(departs_at, serving.wake_at)

    def _go(self, asked_at: float, parts: list[OutgoingPart]) -> None:
        now = trio.current_time()
        self._feeding.remember(parts, now - asked_at)
        self._depart(now)
        if self._feeding.remembered or self._is_draining:
            self._stir()

    def _depart(self, now: float) -> float:
        """Send what is remembered as far as room and pace go; tell when to look again."""
        if self._is_suspended:
            unwritten, departs_at = self._feeding.give_up_remembered(), inf
        else:
            departure = self._departing.depart(now)
            unwritten, departs_at = departure.unwritten, departure.wake_at
        if unwritten:
            self.owner.parts_not_written(self, unwritten)
        return departs_at

    def _hear(self, link: Link, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        """Learn from how parts ended, and let the owner judge them."""
        change = self._pacing.heard(ended, link.session.room, trio.current_time())
        if change is not None:
            self.ceiling_changed(change)
        if self._feeding.keeps_order:
            for part, exchange in ended:
                if exchange.end is ExchangeEnd.ANSWERED and not exchange.command_status:
                    self._feeding.done_with(part)
        # A few links are refilled at once, which saves the switch to another task for each receive. To
        # look at many for each of them costs more than that; they are looked at once for all.
        at_once = len(self._account.bound) <= REFILLED_AT_ONCE and not self._is_draining
        self._is_hearing = at_once
        try:
            self.owner.parts_ended(self, ended)
        finally:
            self._is_hearing = False
        self._account.answered.unpark_all()
        if at_once:
            self._is_stirred = False
            wake_at = self._pump(trio.current_time())
            if not self._is_stirred and wake_at >= self._wake_at:
                return
        self._stir()

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
                    self._account.came_up(link, event)
                case BindRefused():
                    link.close(CloseCause.BIND_REFUSED, status_name(event.command_status))
                case Closed():
                    self._account.went_down(link)
                case _:
                    pass
        if ended:
            self._hear(link, ended)
        for part, response in late:
            self.owner.late_response(self, part, response)
        if arrived:
            self.arrived(self, link, arrived)

    def _tell_all(self, what: Literal["suspended", "resumed"], cause: str) -> None:
        """Tell what concerns all binds."""
        root_cause = RootCause.OURS if what == "suspended" else RootCause.UNKNOWN
        self._tell(LinkChange(self.name, self.name, what, cause, root_cause=root_cause))

    def _tell(self, change: LinkChange) -> None:
        before = self._last_changes.get(change.link)
        if change.what == "fallback":
            # It is asked for again at once, so what was wrong is no failure any more.
            if before is not None and before.what != "bound":
                del self._last_changes[change.link]
        elif self._binds.keeps(change.link):
            self._last_changes[change.link] = change
        else:
            self._last_changes.pop(change.link, None)
        self.link_changed(change)
        self._changed.unpark_all()
        self._stir()
