"""The engine: messages in, direct routes only, everything remembered, receipts out.

It joins the rooms below and adds no rules of its own: routing decides, the ledger remembers before
and after, carriers send. All calls are made on one Trio loop; there is no task per message.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import closing
from random import Random

import attrs
import trio

from whiteroute.engine.carrier import (
    Carrier,
    CarrierSettings,
    CarrierStatistics,
    DrainReport,
    LinkChange,
)
from whiteroute.engine.config import Config, ConfigError, ConfigProblem
from whiteroute.engine.ledger import (
    Ledger,
    LedgerError,
    LedgerReader,
    LedgerStatistics,
    Selection,
)
from whiteroute.engine.link import Observer
from whiteroute.engine.messages import (
    Canonical,
    DeliveryState,
    InboundReader,
    Message,
    Outcome,
)
from whiteroute.routing import (
    Decision,
    EvidenceBook,
    NetworkInfo,
    NoDirectRouteError,
    Route,
    normalise_msisdn,
)

from .attempts import Attempts
from .carriers import Carriers
from .deliveries import Deliveries
from .events import EngineEvent, LinkEvent, RouteEvent
from .inbound import Inbound
from .intake import Intake, Messages
from .outbound import Outbound
from .recorder import Recorder
from .rounds import PARKED_TIME, Rounds
from .route_trust import RouteTrust
from .subscriptions import Subscriptions

__all__ = ["DRAIN_TIMEOUT", "Engine", "EngineStatistics"]

DRAIN_TIMEOUT = 10.0
"""Seconds left to answers that are still out when the engine is closed. Whatever is unanswered then
is in doubt, so the wait is worth more than a quick exit."""


@attrs.frozen(kw_only=True)
class EngineStatistics:
    """How the engine is."""

    submissions: int
    """Messages handed over that have no outcome yet."""
    carriers: tuple[CarrierStatistics, ...]
    ledger: LedgerStatistics


@attrs.define(eq=False, repr=False)
class Engine:
    """What `open_engine` gives."""

    config: Config
    kept: Ledger
    nursery: trio.Nursery
    random: Random
    now_at: Callable[[], int]
    open_reader: Callable[[], LedgerReader] = attrs.field(kw_only=True)
    """For what takes long to read, in a thread."""
    inline: bool = attrs.field(kw_only=True)
    """Whether such reading is done on the event loop instead."""
    observer: Observer | None = attrs.field(default=None, kw_only=True)
    """Sees every PDU of all carriers, both ways."""
    drained: tuple[DrainReport, ...] = attrs.field(default=(), init=False)
    """What remained at each carrier when the engine was closed; empty until then."""
    _subscriptions: Subscriptions = attrs.field(factory=Subscriptions, init=False)
    _carriers: Carriers = attrs.field(init=False)
    _trust: RouteTrust = attrs.field(init=False)
    _attempts: Attempts = attrs.field(init=False)
    _outbound: Outbound = attrs.field(init=False)
    _rounds: Rounds = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        recorder = Recorder(kept=self.kept, nursery=self.nursery)
        by_name: dict[str, Carrier] = {}
        self._trust = RouteTrust(
            recorder=recorder,
            subscriptions=self._subscriptions,
            now_at=self.now_at,
            carriers=by_name,
            known=self._known,
            book=EvidenceBook(self.config.evidence),
        )
        self._trust.restore()
        self._attempts = Attempts(
            recorder=recorder,
            now_at=self.now_at,
            subscriptions=self._subscriptions,
            heard=self._trust.heard,
        )
        readers: dict[str, InboundReader] = {}
        deliveries = Deliveries(
            recorder=recorder, now_at=self.now_at, subscriptions=self._subscriptions
        )
        inbound = Inbound(
            kept=self.kept,
            random=self.random,
            now_at=self.now_at,
            readers=readers,
            subscriptions=self._subscriptions,
            deliveries=deliveries,
            heard=self._trust.heard,
        )
        self._carriers = Carriers(
            nursery=self.nursery,
            owner=self._attempts,
            arrived=inbound.arrived,
            readers=readers,
            recorder=recorder,
            subscriptions=self._subscriptions,
            random=self.random,
            now_at=self.now_at,
            changed=self._link_changed,
            observer=self.observer,
            by_name=by_name,
        )
        self._outbound = Outbound(
            config=self.config,
            kept=self.kept,
            random=self.random,
            now_at=self.now_at,
            carriers=self._carriers.by_name,
            attempts=self._attempts,
            trust=self._trust,
        )
        self._rounds = Rounds(
            kept=self.kept,
            now_at=self.now_at,
            subscriptions=self._subscriptions,
            open_reader=self.open_reader,
            attempts=self._attempts,
            deliveries=deliveries,
            missed=self._trust.missed,
            parked_time=PARKED_TIME
            + max(
                (each.session.response_timeout for each in self.config.carriers.values()),
                default=0.0,
            ),
            privacy=self.config.privacy,
            retention=self.config.retention,
            inline=self.inline,
        )
        for settings in self.config.carriers.values():
            self._carriers.add(settings)

    # For the application.

    @property
    def carriers(self) -> Mapping[str, Carrier]:
        """The carriers by name."""
        return self._carriers.by_name

    @property
    def ledger(self) -> Ledger:
        """What is remembered; `engine.ledger.message(ref)` gives one message's whole history."""
        return self.kept

    async def submit(self, message: Message) -> Outcome:
        """Send one message and wait until the carrier has answered for every part.

        Args:
            message: What to send. A `message_ref` the ledger knows is not sent again.

        Returns:
            What came of it; a refusal by the carrier is an outcome, not an error.

        Raises:
            NoDirectRouteError: No direct route can take it; it carries every candidate and every
                reason. The message is in the ledger as REFUSED.
            LedgerError: It could not be remembered, and was not sent.

        When this is cancelled the message goes on; the ledger says what becomes of it.
        """
        told: list[Outcome | LedgerError] = []
        is_told = trio.Event()

        def tell(outcome: Outcome | LedgerError) -> None:
            told.append(outcome)
            is_told.set()

        self._outbound.take((message,), tell)
        await is_told.wait()
        (outcome,) = told
        if isinstance(outcome, LedgerError):
            raise outcome
        error = outcome.error
        is_unroutable = error is not None and error.canonical is Canonical.NO_ROUTE
        if is_unroutable and not outcome.route and not outcome.known:
            request = self.explain(message).request
            raise NoDirectRouteError(
                message_ref=outcome.message_ref,
                destination=request.destination,
                network=request.network,
                rejected=outcome.rejected,
                retryable=False,
                retry_after=None,
            )
        return outcome

    def submit_many(self, messages: Messages, *, in_flight: int = 1000) -> AsyncIterator[Outcome]:
        """Send many messages.

        Args:
            messages: Any iterable, synchronous or not; read as room becomes free.
            in_flight: Messages without an outcome, at most, from 1 on. 1,000 fill the windows of ten busy
                binds, and bound what a crash leaves to be looked through.

        Returns:
            An iterator over the outcomes, in the order in which they come; message by message they
            are those of `submit`, with a message that no direct route can take as an outcome too.
            Who leaves it early, with `break` for one, should hold it in `contextlib.aclosing`; what
            was taken by then goes on.

        Raises:
            LedgerError: A message could not be remembered, and was not sent.
            Exception: What `messages` raised, after the outcomes of all that came before.
        """
        return Intake(self._outbound.take, self.nursery, in_flight).run(messages)

    def events(self) -> AsyncIterator[EngineEvent]:
        """Listen to receipts, replies and binds from now on.

        What happens between this call and the first step is kept, up to a bound; a listener that
        stays behind makes carriers deliver again later, and loses nothing. It ends with the engine.
        """
        return self._subscriptions.listen()

    def explain(self, message: Message) -> Decision:
        """Decide about a message without sending it.

        Raises:
            NumberError: The destination is no number.
        """
        return self._outbound.decide(
            message, normalise_msisdn(message.to), message.message_ref or ""
        )

    async def wait_bound(self, within: float) -> tuple[LinkEvent, ...]:
        """Wait until every carrier can submit, or has failed to bind.

        Args:
            within: Seconds.

        Returns:
            Nothing when all can submit; else, for each carrier that cannot, the latest news of a
            bind that is not up.
        """
        with trio.move_on_after(within):
            while not all(carrier.is_bound or carrier.failures for carrier in self._carriers):
                await self._carriers.news.park()
        return tuple(
            LinkEvent(change=_why_not(carrier, within), at=self.now_at())
            for carrier in self._carriers
            if not carrier.is_bound
        )

    async def wait_receipts(self, within: float) -> int:
        """Wait until no accepted message lacks its final receipt.

        Args:
            within: Seconds.

        Returns:
            How many messages of the ledger still lack it.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        return await self._wait_receipts(trio.current_time() + within)

    # How far routes are trusted.

    @property
    def evidence(self) -> RouteTrust:
        """What was observed of routes; an application adds to it what only it can know."""
        return self._trust

    def release(
        self, route: str, network: str, traffic_class: str, *, actor: str, note: str
    ) -> RouteEvent | None:
        """Trust a quarantined route again, because somebody answers for it.

        What was found against it stays in the ledger, with who released it and why.

        Args:
            route: Its id.
            network: E.g. `214-07`.
            traffic_class: For which it is quarantined there.
            actor: Who answers for it.
            note: Why, for whoever looks into it later.

        Returns:
            What is told to listeners once it is on disk; None if the route was ACTIVE.

        Raises:
            KeyError: There is no such route.
            RoutingFactError: `actor` is empty, or the network is none.
        """
        if all(each.id != route for each in self.config.routes):
            raise KeyError(route)
        return self._trust.release(route, network, traffic_class, actor=actor, note=note)

    def _link_changed(self, change: LinkChange) -> None:
        self._trust.link_changed(change)
        self._outbound.link_changed(change)

    def _known(self, msisdn: str) -> NetworkInfo | None:
        return self._outbound.known(msisdn)

    # Carriers that come and go.

    def add_carrier(self, settings: CarrierSettings, routes: Iterable[Route] = ()) -> Carrier:
        """Add a carrier, which binds at once; what the ledger holds for it goes on.

        Args:
            settings: Its account. A name that is there already is a fault: remove that one first.
            routes: Added behind those that there are; ones of other carriers, too.

        Raises:
            ConfigError: The name is there already, or a route's carrier is not.
            RoutingFactError: A route's id is there already.
            EncodeError: Its credentials cannot be written into a bind. In each case nothing changed.
        """
        name = settings.name
        known = {**self.config.carriers, name: settings}
        routes = tuple(routes)
        problems = [
            ConfigProblem(f"routes.{route.id}", route.carrier, "expected a carrier that is there")
            for route in routes
            if route.carrier not in known
        ]
        if name in self.carriers:
            problems.append(ConfigProblem("carriers", name, "expected a name used once"))
        if problems:
            raise ConfigError("add_carrier", tuple(problems))
        table = self.config.routes.replace((*self.config.routes, *routes))
        carrier = self._carriers.add(settings)
        self._change_config(attrs.evolve(self.config, carriers=known, routes=table))
        self._outbound.resume(name)
        return carrier

    async def remove_carrier(
        self, name: str, *, within: float = DRAIN_TIMEOUT, wait_receipts: bool = False
    ) -> DrainReport:
        """Drain a carrier and take it away; its routes go with it.

        From the call on nothing new is routed to it. What still waits to be sent by it then is told
        as QUEUED to whoever waits for the outcome, and stays so in the ledger: it is sent when a
        carrier of this name is added again, or routed anew by the next start of an engine.

        Args:
            name: Whose.
            within: Seconds for the answers, and for the receipts.
            wait_receipts: Whether to wait for final receipts as well; binds stay up meanwhile.

        Raises:
            KeyError: There is no such carrier.

        When this is cancelled the carrier is removed all the same.
        """
        carrier = self.carriers[name]
        left = {other: known for other, known in self.config.carriers.items() if other != name}
        table = self.config.routes.replace(
            route for route in self.config.routes if route.carrier != name
        )
        self._change_config(attrs.evolve(self.config, carriers=left, routes=table))

        async def wait(until: float) -> int | None:
            try:
                return await self._wait_receipts(until, name)
            except LedgerError:
                return None  # it goes all the same

        return await self._carriers.remove(carrier, within, wait if wait_receipts else None)

    def reload_routes(self, config: Config) -> None:
        """Decide by other routes, demands and numbering from now on.

        What was observed of routes stays with their ids, and messages that have a route keep it.
        Carriers are left as they are: see `add_carrier` and `remove_carrier`.

        Args:
            config: Whose `routes`, `policy`, `plan` and `warnings` are taken, e.g. from
                `load_config`, which takes a file whole or not at all.

        Raises:
            ConfigError: A route's carrier is not there; nothing changed.
        """
        problems = [
            ConfigProblem(f"routes.{route.id}", route.carrier, "expected a carrier that is there")
            for route in config.routes
            if route.carrier not in self.config.carriers
        ]
        if problems:
            raise ConfigError(config.source or "reload_routes", tuple(problems))
        self._change_config(
            attrs.evolve(
                self.config,
                routes=config.routes,
                policy=config.policy,
                plan=config.plan,
                warnings=config.warnings,
            )
        )

    def _change_config(self, config: Config) -> None:
        self.config = config
        self._outbound.change_config(config)

    def statistics(self) -> EngineStatistics:
        """Give the figures as they are now."""
        return EngineStatistics(
            submissions=len(self._attempts.submissions),
            carriers=tuple(carrier.statistics() for carrier in self._carriers),
            ledger=self.kept.statistics(),
        )

    def __repr__(self) -> str:
        return f"<Engine {len(self._attempts.submissions)} open, {list(self._carriers)!r}>"

    # Beginning and end.

    def start(self) -> None:
        """Start the binds, and go on with what an earlier process had taken; `open_engine` does it."""
        self.nursery.start_soon(self._rounds.run)
        self.nursery.start_soon(self._trust.run)
        self._carriers.start()
        self._outbound.resume()

    async def drain(self, within: float) -> tuple[DrainReport, ...]:
        """Send no more, wait for answers, unbind.

        Args:
            within: Seconds for the answers of all carriers together.

        Returns:
            What remained at each carrier. Parts that were not sent are in the ledger and are sent next
            time.
        """
        self._attempts.is_draining = True
        self.drained = await self._carriers.drain(within)
        return self.drained

    def stop(self) -> None:
        """Keep what was observed, and insist no more on what the ledger cannot write; `open_engine`
        does it.
        """
        self._trust.keep()
        self._attempts.recorder.close()

    def close(self) -> None:
        """Tell everybody who still waits; `open_engine` does it once the ledger is closed."""
        self._attempts.abandon()
        self._subscriptions.close()

    # Small things.

    async def _wait_receipts(self, until: float, carrier: str | None = None) -> int:
        """Wait until no accepted message lacks its final receipt, or for an instant of Trio's clock."""
        accepted = Selection(state=DeliveryState.ACCEPTED, carrier=carrier)
        while True:
            begun = trio.current_time()
            waiting = await self._count(accepted)
            if not waiting or trio.current_time() >= until:
                return waiting
            # A ledger of millions takes long to count; it should not do much else.
            pause = max(0.05, 10 * (trio.current_time() - begun))
            await trio.sleep_until(min(until, trio.current_time() + pause))

    async def _count(self, selection: Selection) -> int:
        if self.inline:
            return _count(self.open_reader, selection)
        return await trio.to_thread.run_sync(_count, self.open_reader, selection)


def _count(open_reader: Callable[[], LedgerReader], selection: Selection) -> int:
    # A reader of its own, because one reader is not for two threads at a time.
    with closing(open_reader()) as reader:
        return sum(line.messages for line in reader.summary("state", selection))


def _why_not(carrier: Carrier, within: float) -> LinkChange:
    if carrier.failures:
        return carrier.failures[0]
    return LinkChange(carrier.name, carrier.name, "unreachable", f"no bind within {within:g} s")
