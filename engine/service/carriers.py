"""The carriers of a running engine: made, watched, added and taken away without a restart.

What goes over them is decided elsewhere; here they come and go, and their news is remembered and told.
"""

from collections.abc import Callable, Iterator
from random import Random

import attrs
import trio
from trio.lowlevel import ParkingLot

from whiteroute.engine.carrier import (
    Carrier,
    CarrierOwner,
    CarrierSettings,
    DrainReport,
    LinkChange,
    WaitReceipts,
)
from whiteroute.engine.link import Link, Observer, Timers
from whiteroute.engine.messages import CeilingLearned, InboundReader, LinkChanged
from whiteroute.engine.upkeep import CeilingChange
from whiteroute.pdu import Pdu

from .events import CeilingEvent, LinkEvent
from .recorder import Recorder
from .subscriptions import Subscriptions

__all__ = ["Carriers"]


@attrs.define(eq=False, kw_only=True)
class Carriers:
    """The carriers by name, and what they need to live."""

    nursery: trio.Nursery
    owner: CarrierOwner
    arrived: Callable[[Carrier, Link, list[Pdu]], None]
    readers: dict[str, InboundReader]
    """How what each carrier delivers is read; those of carriers that are there."""
    recorder: Recorder
    subscriptions: Subscriptions
    random: Random
    now_at: Callable[[], int]
    changed: Callable[[LinkChange], None]
    """Hears of binds first."""
    observer: Observer | None = None
    """Sees every PDU of all carriers."""
    by_name: dict[str, Carrier] = attrs.field(factory=dict[str, Carrier])
    news: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    """Unparked when a bind of any carrier has changed."""
    _timers: Timers = attrs.field(factory=Timers, init=False)
    _is_started: bool = attrs.field(default=False, init=False)

    def __iter__(self) -> Iterator[Carrier]:
        """Go through the carriers in the order in which they came."""
        return iter(tuple(self.by_name.values()))

    def add(self, settings: CarrierSettings) -> Carrier:
        """Make a carrier; it binds as soon as the engine has started.

        Raises:
            EncodeError: Its credentials cannot be written into a bind; nothing was added.
        """
        learned = self.recorder.kept.reader.ceilings().get(settings.name)
        carrier = Carrier(
            settings,
            owner=self.owner,
            arrived=self.arrived,
            link_changed=self._link_changed,
            timers=self._timers,
            random=Random(self.random.getrandbits(64)),
            learned_tps=None if learned is None else learned.tps,
            ceiling_changed=self._ceiling_changed,
            observer=self.observer,
        )
        profile = settings.profile
        self.readers[settings.name] = InboundReader(
            carrier=settings.name,
            dialect=profile.receipt,
            message_id_rule=profile.receipt_message_id,
            errors=profile.errors,
            text=profile.text,
        )
        self.by_name[settings.name] = carrier
        if self._is_started:
            self.nursery.start_soon(carrier.run)
        return carrier

    def start(self) -> None:
        """Start the binds of all."""
        self._is_started = True
        self.nursery.start_soon(self._timers.run)
        for carrier in self:
            self.nursery.start_soon(carrier.run)

    async def drain(self, within: float) -> tuple[DrainReport, ...]:
        """Drain all at the same time; see `Carrier.drain`.

        Args:
            within: Seconds for the answers of all together.
        """
        self._remember_ceilings()
        reports: dict[str, DrainReport] = {}

        async def drain_one(carrier: Carrier) -> None:
            reports[carrier.name] = await carrier.drain(within)

        async with trio.open_nursery() as nursery:
            for carrier in self:
                nursery.start_soon(drain_one, carrier)
        return tuple(reports[carrier.name] for carrier in self)

    async def remove(
        self, carrier: Carrier, within: float, wait_receipts: WaitReceipts | None
    ) -> DrainReport:
        """Drain a carrier and forget it; what waits for it goes back to its owner."""
        reports: list[DrainReport] = []
        # Not cancelled half way: it would be neither here nor gone.
        with trio.CancelScope(shield=True):
            reports.append(await carrier.drain(within, wait_receipts=wait_receipts))
        carrier.withdraw()
        if self.by_name.get(carrier.name) is carrier:
            del self.by_name[carrier.name], self.readers[carrier.name]
        return reports[0]

    def _ceiling_changed(self, change: CeilingChange) -> None:
        """Remember what a carrier was found to bear, and tell who listens."""
        at = self.now_at()
        self._remember_ceiling(change.carrier, change.tps, at)
        self.subscriptions.publish((CeilingEvent(change=change, at=at),))

    def _remember_ceiling(self, carrier: str, tps: float, at: int) -> None:
        self.recorder.record([CeilingLearned(carrier=carrier, tps=tps, learned_at=at)])

    def _remember_ceilings(self) -> None:
        """Remember what carriers are believed to bear now; news of it are rarer than changes."""
        for carrier in self:
            ceiling = carrier.statistics().ceiling
            if ceiling is not None:
                self._remember_ceiling(carrier.name, ceiling, self.now_at())

    def _link_changed(self, change: LinkChange) -> None:
        """Remember how the binds are, and tell who listens."""
        changed_at = self.now_at()
        self.changed(change)
        self.recorder.record(
            [
                LinkChanged(
                    carrier=change.carrier,
                    link=change.link,
                    changed_at=changed_at - round(change.silent_for * 1e6),
                    what=change.what,
                    cause=change.cause,
                    root_cause=change.root_cause,
                    host=change.host,
                    command_status=change.command_status,
                    can_submit=change.can_submit,
                )
            ]
        )
        self.subscriptions.publish((LinkEvent(change=change, at=changed_at),))
        self.news.unpark_all()
