"""How far routes are trusted while the engine runs: what is observed goes in, what follows is told.

The rules are those of the evidence book in `whiteroute.routing`. Here is decided which receipts may
speak at all, and every change of trust is written down with its numbers before anybody hears of it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache, partial
from math import inf
from typing import Final

import attrs
import trio

from whiteroute.engine.carrier import Carrier, LinkChange
from whiteroute.engine.ledger import LedgerError
from whiteroute.engine.messages import (
    DeliveryState,
    Effect,
    EvidenceKept,
    Matched,
    ReceiptNews,
    RouteChanged,
)
from whiteroute.routing import (
    Evidence,
    EvidenceBook,
    Finding,
    Network,
    NetworkInfo,
    NetworkSource,
    RouteState,
    RoutingFactError,
    Standing,
    Transition,
)

from .events import OverdueEvent, RouteEvent
from .recorder import Recorder
from .subscriptions import Subscriptions

__all__ = ["RouteTrust"]

BACKLOG_TIME: Final = 10.0
"""Seconds after a carrier could deliver to us again for which new messages are no evidence: their
receipts stand behind those that have waited, and say how long we were away."""

CLOCK_STEP: Final = 0.5
"""Seconds by which the system's clock moves against the monotonic one before latencies that were
measured across that moment are passed over."""

KEPT_EVERY: Final = 60.0
"""Seconds after which what was observed is on disk at the latest; so much of it a crash forgets. States
are written as they change, and are not forgotten."""

READ_FOR: Final = 0.1
"""Seconds for which a standing that was worked out is used. A hundred receipts more or less do not
change it to speak of, and a change of state is seen at once."""

FRESH: Final = 86_400.0
"""Seconds for which a number is taken to be still where a look-up found it."""

_SURE: Final = frozenset({NetworkSource.MNP_DB, NetworkSource.MNP_DIP, NetworkSource.HLR})
"""Who knows where a number is now, rather than where it was issued."""

Key = tuple[str, Network, str]
"""Route, network, traffic class."""


@attrs.define(eq=False, kw_only=True, repr=False)
class RouteTrust:
    """The evidence of a running engine, and the doors by which an application adds to it.

    Receipts find their way here by themselves. What handsets of ours saw, what became of messages to
    dead numbers, and which messages had their effect, only the application knows: it says so by the
    `record_` methods. Without them a careful faker cannot be told from an honest route.
    """

    recorder: Recorder
    subscriptions: Subscriptions
    now_at: Callable[[], int]
    carriers: Mapping[str, Carrier]
    known: Callable[[str], NetworkInfo | None]
    """What is known of a number's network without asking anybody."""
    clock: Callable[[], float] = trio.current_time
    book: EvidenceBook = attrs.field(factory=EvidenceBook)
    _as_of: Evidence | None = attrs.field(default=None, init=False)
    _read_until: float = attrs.field(default=-inf, init=False)
    _changed: set[Key] = attrs.field(factory=set[Key], init=False)
    """What was observed since it was last kept."""
    _closed: set[Key] = attrs.field(factory=set[Key], init=False)
    """What is told as quarantined."""
    _receiving: dict[str, set[str]] = attrs.field(factory=dict[str, set[str]], init=False)
    """By carrier: its links on which receipts can come."""
    _receiving_since: dict[str, float] = attrs.field(factory=dict[str, float], init=False)
    _offset: float | None = attrs.field(default=None, init=False)
    """The system's clock less the monotonic one, when last looked at."""
    _steady_since: float = attrs.field(default=-inf, init=False)

    def __repr__(self) -> str:
        return f"<RouteTrust, {len(self._closed)} quarantined>"

    # For the decision.

    def evidence(self) -> Evidence:
        """The evidence as it stands now, give or take a tenth of a second."""
        now = self.clock()
        if self._as_of is None or now >= self._read_until:
            self._as_of = self.book.at(now)
            self._read_until = now + READ_FOR
        return self._as_of

    # For the application.

    def state(self, route: str, network: str | Network, traffic_class: str) -> RouteState:
        """How far a route is trusted for one network and class; ACTIVE if nothing is known of it."""
        return self.book.state(route, _network(network), traffic_class, self.clock())

    def standing(self, route: str, network: str | Network, traffic_class: str) -> Standing:
        """What a route is ranked by for one network and class."""
        return self.book.standing(route, _network(network), traffic_class, self.clock())

    def findings(
        self, route: str, network: str | Network, traffic_class: str
    ) -> tuple[Finding, ...]:
        """What stands against a route for one network and class."""
        return self.book.findings(route, _network(network), traffic_class, self.clock())

    def record_canary(
        self, route: str, network: str | Network, traffic_class: str, *, delivered: bool
    ) -> None:
        """A message to a number that nobody has is final: `delivered` says what the receipt said."""
        network = _network(network)
        now = self._note(route, network, traffic_class)
        self._tell(
            self.book.record_canary(route, network, traffic_class, delivered=delivered, now=now)
        )

    def record_probe(
        self,
        route: str,
        network: str | Network,
        traffic_class: str,
        *,
        received: bool,
        sender_kept: bool | None = None,
        content_kept: bool | None = None,
        smsc_expected: bool | None = None,
    ) -> None:
        """A message to a handset of ours was reported as delivered; this is what the handset saw.

        What it could not tell is None, which is also right for all of a message not received.
        """
        network = _network(network)
        now = self._note(route, network, traffic_class)
        self._tell(
            self.book.record_probe(
                route,
                network,
                traffic_class,
                received=received,
                sender_kept=sender_kept,
                content_kept=content_kept,
                smsc_expected=smsc_expected,
                now=now,
            )
        )

    def record_conversion(
        self, route: str, network: str | Network, traffic_class: str, *, converted: bool
    ) -> None:
        """The recipient has acted on a message (entered the code, say), or had time to and not."""
        network = _network(network)
        now = self._note(route, network, traffic_class)
        self._tell(
            self.book.record_conversion(route, network, traffic_class, converted=converted, now=now)
        )

    def record_reply(
        self, route: str, network: str | Network, traffic_class: str, *, replied: bool
    ) -> None:
        """A message that asks for a reply was answered, or has waited long enough to say it was not."""
        network = _network(network)
        now = self._note(route, network, traffic_class)
        self._tell(self.book.record_reply(route, network, traffic_class, replied=replied, now=now))

    def release(
        self, route: str, network: str | Network, traffic_class: str, *, actor: str, note: str
    ) -> RouteEvent | None:
        """Trust a route again because somebody answers for it; see `Engine.release`."""
        network = _network(network)
        now = self._note(route, network, traffic_class)
        return self._tell(
            self.book.release(route, network, traffic_class, actor=actor, note=note, now=now)
        )

    # What the engine hears.

    def heard(self, effects: Iterable[Effect]) -> None:
        """Take the receipts among what was just written."""
        now = self.clock()
        self._look_at_clocks(now)
        for effect in effects:
            if isinstance(effect, Matched):
                self._tell(self._heard(effect, now))

    def _heard(self, effect: Matched, now: float) -> Transition | None:
        receipt, latency = effect.receipt, effect.latency
        carrier = self.carriers.get(effect.carrier)
        if (
            receipt.receipt_kind is not ReceiptNews.FINAL
            or carrier is None
            or not (effect.network and effect.route)
            or effect.duplicate_suspected
            or latency is None
            or latency < 0
        ):
            return None
        profile = carrier.settings.profile
        telling = 1 if profile.reporting_parts == "first" else effect.part_count
        if effect.part != telling or profile.receipt.meaning != "handset":
            return None
        if now - latency < max(self._steady_since, self._receiving_since.get(carrier.name, inf)):
            return None
        network = _network(effect.network)
        error = receipt.error
        self._changed.add((effect.route, network, effect.traffic_class))
        return self.book.record_receipt(
            effect.route,
            network,
            effect.traffic_class,
            state=receipt.stat if receipt.message_state is None else receipt.message_state,
            latency=latency,
            now=now,
            error=error.canonical.value if error is not None and error.is_error else None,
            network_seen=self._seen(effect, network) if receipt.network_seen else None,
            submit_date=receipt.submit_date_at,
            done_date=receipt.done_date_at,
            before_response=effect.before_response,
        )

    def _seen(self, effect: Matched, network: Network) -> Network | None:
        """Give the network a receipt names, if we were sure of ours: numbers move."""
        info = self.known(effect.to)
        if info is None or info.source not in _SURE or info.network != network:
            return None
        obtained_at = info.obtained_at
        if obtained_at is None or self.now_at() / 1e6 - obtained_at.timestamp() > FRESH:
            return None
        text = effect.receipt.network_seen
        try:
            return _network(text if "-" in text else f"{text[:3]}-{text[3:]}")
        except RoutingFactError:
            return None

    def missed(self, event: OverdueEvent) -> None:
        """Take a message whose receipt has not come although its time is long over."""
        now = self.clock()
        is_receiving = now >= self._receiving_since.get(event.carrier, inf)
        carrier = self.carriers.get(event.carrier)
        if (
            event.state is not DeliveryState.OVERDUE
            or not (event.network and event.route)
            or not is_receiving
            or carrier is None
            or carrier.settings.profile.receipt.meaning != "handset"
        ):
            return
        network = _network(event.network)
        self._note(event.route, network, event.traffic_class)
        self._tell(self.book.record_missing(event.route, network, event.traffic_class, now=now))

    def link_changed(self, change: LinkChange) -> None:
        """Note on which links receipts can come, and since when."""
        links = self._receiving.setdefault(change.carrier, set())
        if change.what == "bound":
            carrier = self.carriers.get(change.carrier)
            both_ways = carrier is None or carrier.settings.bind == "trx"
            if both_ways or not change.can_submit:
                if not links:
                    self._receiving_since[change.carrier] = self.clock() + BACKLOG_TIME
                links.add(change.link)
        elif change.link in links and change.what not in ("suspended", "resumed"):
            links.remove(change.link)
            if not links:
                self._receiving_since[change.carrier] = inf

    def _look_at_clocks(self, now: float) -> None:
        """Notice when the clock by which latencies are measured was set."""
        offset = self.now_at() / 1e6 - now
        if self._offset is not None and abs(offset - self._offset) > CLOCK_STEP:
            self._steady_since = now
        self._offset = offset

    # What follows.

    def _note(self, route: str, network: Network, traffic_class: str) -> float:
        self._changed.add((route, network, traffic_class))
        return self.clock()

    def _tell(self, transition: Transition | None) -> RouteEvent | None:
        """Write down that a route's state has changed, and why, and tell it then."""
        if transition is None:
            return None
        key = (transition.route_id, transition.network, transition.traffic_class)
        if transition.after is RouteState.QUARANTINED:
            self._closed.add(key)
        else:
            self._closed.discard(key)
        return self._told(
            RouteEvent(
                route=transition.route_id,
                network=str(transition.network),
                traffic_class=transition.traffic_class,
                before=transition.before,
                after=transition.after,
                findings=transition.findings,
                actor=transition.actor or "",
                note=transition.note or "",
                at=self.now_at(),
            ),
            key,
        )

    def _told(self, event: RouteEvent, key: Key) -> RouteEvent:
        self._as_of = None
        changed = RouteChanged(
            route=event.route,
            network=event.network,
            traffic_class=event.traffic_class,
            before=event.before,
            after=event.after,
            findings=event.findings,
            actor=event.actor,
            note=event.note,
            changed_at=event.at,
        )
        tell = partial(_publish, self.subscriptions, event)
        # In one transaction: what was told as quarantined is so after a crash, too.
        self.recorder.record([changed, *self._kept(key)], tell)
        return event

    # Over a restart.

    def restore(self) -> None:
        """Go on with what an earlier process has kept.

        Raises:
            LedgerError: It cannot be read. To go on without it would trust routes that were
                quarantined.
        """
        now, now_at = self.clock(), self.now_at()
        for kept in self.recorder.kept.reader.evidence():
            elapsed = max(0.0, (now_at - kept.kept_at) / 1e6)
            try:
                self.book.restore(kept.octets, clock_shift=now - elapsed - kept.clock)
            except RoutingFactError as error:
                raise LedgerError(
                    f"evidence of route {kept.route}: {error}",
                    "evidence as this version keeps it",
                    self.recorder.kept.statistics().where,
                ) from error
        self._closed.update(self.book.closed)

    async def run(self) -> None:
        """Keep what was observed, once in a while, until cancelled."""
        while True:
            await trio.sleep(KEPT_EVERY)
            self._tell_probations()
            for key in tuple(self._changed):
                self.recorder.record([*self._kept(key)])
                # Each takes a millisecond, and there may be thousands.
                await trio.lowlevel.checkpoint()

    def keep(self) -> None:
        """Keep what was observed, all at once, because the engine ends."""
        for key in tuple(self._changed):
            self.recorder.record([*self._kept(key)])

    def _kept(self, key: Key) -> list[EvidenceKept]:
        """Make the records that keep one network's evidence and that of its country."""
        self._changed.discard(key)
        route, network, traffic_class = key
        clock, kept_at = self.clock(), self.now_at()
        return [
            EvidenceKept(
                route=route,
                area=str(area),
                traffic_class=traffic_class,
                octets=self.book.dump_record(route, area, traffic_class),
                clock=clock,
                kept_at=kept_at,
            )
            for area in (network, network.mcc)
        ]

    def _tell_probations(self) -> None:
        """Tell of quarantines that have ended by themselves."""
        now = self.clock()
        for key in tuple(self._closed):
            route, network, traffic_class = key
            if self.book.state(route, network, traffic_class, now) is not RouteState.QUARANTINED:
                self._closed.discard(key)
                self._told(
                    RouteEvent(
                        route=route,
                        network=str(network),
                        traffic_class=traffic_class,
                        before=RouteState.QUARANTINED,
                        after=RouteState.PROBATION,
                        findings=self.book.findings(route, network, traffic_class, now),
                        at=self.now_at(),
                    ),
                    key,
                )


@lru_cache(maxsize=10_000)
def _parse(text: str) -> Network:
    return Network.parse(text)


def _network(network: str | Network) -> Network:
    return network if isinstance(network, Network) else _parse(network)


def _publish(subscriptions: Subscriptions, event: RouteEvent, _effects: list[Effect]) -> None:
    subscriptions.publish((event,))
