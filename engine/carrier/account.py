"""What the binds of one account share: how to ask, what was refused, and the links that stand.

No task of its own: `keeper` keeps each bind by it, `binds` starts and ends them.
"""

from collections.abc import Awaitable, Callable
from math import inf
from random import Random

import attrs
import trio
from trio.lowlevel import ParkingLot

from whiteroute.engine.link import Link, Observer, Owner, Timers
from whiteroute.engine.profile import TransportOptions
from whiteroute.engine.session import Bound, Role, Session, SessionState
from whiteroute.engine.upkeep import BindMode, HostRound, Ladder, Rung
from whiteroute.pdu import BindReceiver, BindTransceiver, BindTransmitter, Pdu, WireForm

from .news import LinkChange
from .settings import CarrierSettings, Host

__all__ = ["BIND_MODES", "Account", "BindClass", "HeldLink", "OpenStream"]

PROOF_TIMEOUT = 2.0
"""Seconds for which the other binds of an account without any bind wait for the one that tries. Real
message centres answer in well under one, so a wrong password is tried once and not by each of them;
one that is slow or dead holds nobody up for long."""

OpenStream = Callable[[str, int, TransportOptions], Awaitable[trio.abc.Stream]]
"""Opens a stream to a host and a port; an OSError says in one line why it cannot be had."""

BindClass = type[BindTransceiver] | type[BindTransmitter] | type[BindReceiver]

BIND_MODES: dict[BindMode, tuple[tuple[str, BindClass], ...]] = {
    "trx": (("", BindTransceiver),),
    "tx+rx": (("-tx", BindTransmitter), ("-rx", BindReceiver)),
}
"""For each way of binding: what is added to the link's name, and the operation."""


@attrs.define(eq=False)
class HeldLink:
    """A link, and what its session does not know of it."""

    link: Link
    name: str
    host: str
    """`host:port`, or the address that it came from."""
    rung: Rung | None = None
    """How its bind was asked for; None where the message centre asked for it."""
    bound_at: float | None = None
    """Seconds on Trio's clock; None until the bind is accepted."""


@attrs.define(eq=False, kw_only=True)
class Account:
    """The shared memory of an account's binds."""

    settings: CarrierSettings
    """May be replaced while it runs; what is new counts from the next try on."""
    open_stream: OpenStream
    take: Owner
    """Takes the events of all links."""
    tell: Callable[[LinkChange], None]
    timers: Timers
    random: Random
    observer: Observer | None = None
    """Sees every PDU of all links."""
    ladder: Ladder = attrs.field(init=False)
    round: HostRound = attrs.field(init=False)
    """What is known of the hosts, whichever bind found it out."""
    links: dict[Link, HeldLink] = attrs.field(factory=dict[Link, HeldLink], init=False)
    """Bound or not."""
    bound: list[Link] = attrs.field(factory=list[Link], init=False)
    """Those over which we can submit."""
    is_ending: bool = attrs.field(default=False, init=False)
    """No further bind is tried."""
    refused: LinkChange | None = attrs.field(default=None, init=False)
    """How the carrier refused our credentials; nothing is tried while it stands."""
    answered: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    """Unparked when something in flight has ended, or a link."""
    _woken: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _claimant: object = attrs.field(default=None, init=False)
    _claimed_until: float = attrs.field(default=-inf, init=False)

    def __attrs_post_init__(self) -> None:
        options = self.settings.profile.bind
        self.ladder = Ladder(
            self.settings.bind, options.interface_version, is_fixed=not options.fallback
        )
        self.round = HostRound(len(self.settings.hosts), self.settings.profile.rebind)

    @property
    def is_up(self) -> bool:
        """Whether any bind stands, be it one that only receives."""
        return any(
            held.bound_at is not None and held.link.closed is None for held in self.links.values()
        )

    def bind_pdu(self, bind_class: BindClass) -> Pdu:
        """Make the PDU by which the account asks to be bound.

        Raises:
            Nothing; encoding it does if a credential does not fit.
        """
        options = self.settings.profile.bind
        return bind_class(
            system_id=self.settings.system_id,
            password=self.settings.password,
            system_type=options.system_type,
            interface_version=self.ladder.rung.interface_version,
            addr_ton=options.addr_ton,
            addr_npi=options.addr_npi,
            address_range=options.address_range,
            # Carrier: passwords of more than 8 octets are common although the field ends there.
            wire_form=WireForm.OVERLONG,
        )

    @property
    def receiving(self) -> int:
        """How many binds stand over which we cannot submit."""
        states = (held.link.session.state for held in self.links.values())
        return sum(state is SessionState.BOUND_RX for state in states)

    # Who may try, and when.

    def claim(self, claimant: object, now: float) -> float:
        """Ask to be the one who shows that the account may bind.

        Returns:
            From when on it may; `now` or earlier if it is its turn, which lasts until `unclaim`.
        """
        if not self.is_up and now < self._claimed_until and claimant is not self._claimant:
            return self._claimed_until
        self._claimant, self._claimed_until = claimant, now + PROOF_TIMEOUT
        return now

    def unclaim(self, claimant: object) -> None:
        """Let others try: what the claimant tried has come to something."""
        if claimant is self._claimant:
            self._claimant, self._claimed_until = None, -inf
        self.wake()

    def refuse(self, change: LinkChange) -> None:
        """Note that the carrier refused our credentials: nobody tries again until told."""
        self.refused = change
        self.wake()

    def wake(self) -> None:
        """Have all who wait look again at what they wait for."""
        self._woken.unpark_all()

    async def wait_until(self, at: float) -> None:
        """Wait for an instant on Trio's clock, or for anything that changes what can be tried."""
        with trio.move_on_at(at):
            await self._woken.park()

    # Links.

    def open_link(
        self,
        stream: trio.abc.Stream,
        name: str,
        host: Host | str,
        *,
        rung: Rung | None = None,
        take: Owner | None = None,
    ) -> HeldLink:
        """Make a link of a stream; `run_link` runs it."""
        session = Session(Role.ESME, self.settings.session, trio.current_time())
        link = Link(stream, session, self.timers, take or self.take, name, self.observer)
        held = self.links[link] = HeldLink(link, name, str(host), rung)
        return held

    async def run_link(self, held: HeldLink) -> None:
        """Run a link until it has ended and its stream is closed."""
        try:
            await held.link.run()
        except Exception:
            # What took its events failed: a fault of ours, which ends this link alone. Its end says so.
            if held.link.closed is None:
                raise
        finally:
            self.went_down(held.link)
            del self.links[held.link]
            self.answered.unpark_all()

    def came_up(self, link: Link, event: Bound) -> None:
        """Note that a bind was accepted, and tell it."""
        held = self.links[link]
        held.bound_at = trio.current_time()
        if held.rung is not None:
            self.ladder.accepted(held.rung)
        can_submit = event.state is not SessionState.BOUND_RX
        if can_submit:
            self.bound.append(link)
        self.tell(
            LinkChange(
                self.settings.name,
                held.name,
                "bound",
                event.state.value,
                host=held.host,
                can_submit=can_submit,
            )
        )

    def went_down(self, link: Link) -> None:
        """Submit nothing more over a link."""
        if link in self.bound:
            self.bound.remove(link)

    async def retire(self, held: HeldLink, within: float) -> None:
        """Give a link nothing more, wait for its answers, and unbind.

        Args:
            held: The link.
            within: Seconds for the answers; unbinding takes `unbind_timeout` more at most.
        """
        self.went_down(held.link)
        with trio.move_on_after(within):
            while held.link.closed is None and held.link.statistics().in_flight:
                await self.answered.park()
        await held.link.unbind()
