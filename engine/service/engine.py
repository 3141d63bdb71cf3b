"""The engine: messages in, direct routes only, everything remembered, receipts out.

It joins the rooms below and adds no rules of its own: routing decides, the ledger remembers before
and after, carriers send. All calls are made on one Trio loop; there is no task per message.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from random import Random

import attrs
import trio

from whiteroute.engine.carrier import Carrier, CarrierStatistics, LinkChange
from whiteroute.engine.config import Config, ConfigError, ConfigProblem, load_config
from whiteroute.engine.ledger import (
    Ledger,
    LedgerError,
    LedgerReader,
    LedgerStatistics,
    LedgerStore,
    Selection,
    open_ledger,
    open_ledger_for_reading,
)
from whiteroute.engine.link import Timers
from whiteroute.engine.messages import (
    Canonical,
    DeliveryState,
    InboundReader,
    LinkChanged,
    Message,
    Outcome,
)
from whiteroute.routing import Decision, NoDirectRouteError, normalise_msisdn

from .attempts import Attempts
from .events import EngineEvent, LinkEvent
from .inbound import Inbound
from .intake import Intake, Messages
from .outbound import Outbound
from .recorder import Recorder
from .subscriptions import Subscriptions

__all__ = ["Engine", "EngineStatistics", "open_engine"]

DRAIN_TIMEOUT = 10.0
"""Seconds left to answers that are still out when the engine is closed. Whatever is unanswered then
is in doubt, so the wait is worth more than a quick exit."""


def utc_microseconds() -> int:
    """The system's clock as the ledger wants it."""
    return time.time_ns() // 1_000


@attrs.frozen(kw_only=True)
class EngineStatistics:
    """How the engine is."""

    submissions: int
    """Messages handed over that have no outcome yet."""
    carriers: tuple[CarrierStatistics, ...]
    ledger: LedgerStatistics


@asynccontextmanager
async def open_engine(
    config: str | Path | Config,
    *,
    ledger: LedgerStore | str | Path | None = None,
    seed: int | None = None,
    now_at: Callable[[], int] = utc_microseconds,
    inline_ledger: bool = False,
) -> AsyncIterator["Engine"]:
    """Run an engine for as long as the block lasts.

    Attempts which an earlier process left without an outcome are in doubt from the first moment on;
    messages which it took and never tried are sent now. At the end nothing more is sent, answers are
    waited for (at most `DRAIN_TIMEOUT` seconds, cancelled or not), and the binds are unbound. Who
    waits for an outcome then is told how far his message got, and listeners' events end.

    Args:
        config: A TOML file, or what was made of one.
        ledger: Where to remember; default: as the configuration says.
        seed: For what is drawn at random (jitter, message refs of our own); default: the system's.
        now_at: The clock of the ledger and of routing, in microseconds since the epoch, UTC.
        inline_ledger: Write on the event loop; only for tests under a virtual clock.

    Raises:
        ConfigError: The file cannot be used; it names file and key.
        EncodeError: A carrier's credentials cannot be written into a bind.
        LedgerError: The ledger given cannot be owned or written.
    """
    if not isinstance(config, Config):
        config = await trio.to_thread.run_sync(load_config, config)
    place = config.ledger if ledger is None else ledger
    engine: Engine | None = None
    try:
        async with (
            _open_kept(config, place, inline=inline_ledger, now_at=now_at()) as kept,
            trio.open_nursery() as outer,
        ):
            nursery: trio.Nursery = await outer.start(_hold_nursery)
            try:
                engine = Engine(
                    config,
                    kept,
                    nursery,
                    Random(seed),
                    now_at,
                    open_reader=_reader_of(place),
                    inline=inline_ledger,
                )
                engine.start()
                try:
                    yield engine
                finally:
                    with trio.CancelScope(shield=True):
                        await engine.drain(DRAIN_TIMEOUT)
                    engine.stop()
            finally:
                nursery.cancel_scope.cancel()
    finally:
        # Only now has the ledger told everything that it could write.
        if engine is not None:
            engine.close()


async def _hold_nursery(
    task_status: "trio.TaskStatus[trio.Nursery]" = trio.TASK_STATUS_IGNORED,
) -> None:
    """Hold a nursery which cancellation from outside does not reach.

    What the application does in its block can be cancelled; the links must live on until the drain
    is over, or every answer that is out would be lost with them.
    """
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            task_status.started(nursery)
            await trio.sleep_forever()


def _reader_of(place: LedgerStore | str | Path) -> Callable[[], LedgerReader]:
    if isinstance(place, str | Path):
        return partial(open_ledger_for_reading, place)
    return place.open_reader


@asynccontextmanager
async def _open_kept(
    config: Config, place: LedgerStore | str | Path, *, inline: bool, now_at: int
) -> AsyncIterator[Ledger]:
    """Own the ledger; where the configuration named one that cannot be owned, say where it did."""
    is_owned = False
    try:
        async with open_ledger(place, inline=inline, now_at=now_at) as kept:
            is_owned = True
            yield kept
    except LedgerError as error:
        if is_owned or place is not config.ledger or not config.source:
            raise
        problem = ConfigProblem(
            "engine.ledger", f"{error.where}: {error.found}", f"expected {error.expected}"
        )
        raise ConfigError(config.source, (problem,)) from error


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
    _timers: Timers = attrs.field(factory=Timers, init=False)
    _subscriptions: Subscriptions = attrs.field(factory=Subscriptions, init=False)
    _carriers: dict[str, Carrier] = attrs.field(factory=dict, init=False)
    _attempts: Attempts = attrs.field(init=False)
    _outbound: Outbound = attrs.field(init=False)
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    def __attrs_post_init__(self) -> None:
        self._attempts = Attempts(
            recorder=Recorder(kept=self.kept, nursery=self.nursery),
            now_at=self.now_at,
            subscriptions=self._subscriptions,
        )
        self._outbound = Outbound(
            config=self.config,
            kept=self.kept,
            random=self.random,
            now_at=self.now_at,
            carriers=self._carriers,
            attempts=self._attempts,
        )
        inbound = Inbound(
            kept=self.kept,
            random=self.random,
            now_at=self.now_at,
            readers={
                name: InboundReader(
                    carrier=name,
                    dialect=settings.profile.receipt,
                    message_id_rule=settings.profile.receipt_message_id,
                    errors=settings.profile.errors,
                    alphabet=settings.profile.text.default,
                    packed=settings.profile.text.packed,
                )
                for name, settings in self.config.carriers.items()
            },
            subscriptions=self._subscriptions,
        )
        for name, settings in self.config.carriers.items():
            self._carriers[name] = Carrier(
                settings,
                owner=self._attempts,
                arrived=inbound.arrived,
                link_changed=self._link_changed,
                timers=self._timers,
                random=Random(self.random.getrandbits(64)),
            )

    # For the application.

    @property
    def carriers(self) -> Mapping[str, Carrier]:
        """The carriers by name."""
        return self._carriers

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
            while not all(carrier.is_bound or carrier.failures for carrier in self._all()):
                await self._news.park()
        return tuple(
            LinkEvent(change=_why_not(carrier, within), at=self.now_at())
            for carrier in self._all()
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
        give_up_at = trio.current_time() + within
        while True:
            begun = trio.current_time()
            waiting = await self._count_accepted()
            if not waiting or trio.current_time() >= give_up_at:
                return waiting
            # A ledger of millions takes long to count; it should not do much else.
            pause = max(0.05, 10 * (trio.current_time() - begun))
            await trio.sleep_until(min(give_up_at, trio.current_time() + pause))

    def statistics(self) -> EngineStatistics:
        """Give the figures as they are now."""
        return EngineStatistics(
            submissions=len(self._attempts.submissions),
            carriers=tuple(carrier.statistics() for carrier in self._all()),
            ledger=self.kept.statistics(),
        )

    def __repr__(self) -> str:
        return f"<Engine {len(self._attempts.submissions)} open, {list(self._all())!r}>"

    # Beginning and end.

    def start(self) -> None:
        """Start the binds, and go on with what an earlier process had taken; `open_engine` does it."""
        self.nursery.start_soon(self._timers.run)
        for carrier in self._all():
            self.nursery.start_soon(carrier.run)
        self._outbound.resume()

    async def drain(self, within: float) -> int:
        """Send no more, wait for answers, unbind.

        Args:
            within: Seconds for the answers of all carriers together.

        Returns:
            How many parts stayed in the queues; they are in the ledger and are sent next time.
        """
        self._attempts.is_draining = True
        left: list[int] = []

        async def drain_one(carrier: Carrier) -> None:
            left.append(await carrier.drain(within))

        async with trio.open_nursery() as nursery:
            for carrier in self._all():
                nursery.start_soon(drain_one, carrier)
        return sum(left)

    def stop(self) -> None:
        """Insist no more on what the ledger cannot write; `open_engine` does it."""
        self._attempts.recorder.close()

    def close(self) -> None:
        """Tell everybody who still waits; `open_engine` does it once the ledger is closed."""
        self._attempts.abandon()
        self._subscriptions.close()

    def _link_changed(self, change: LinkChange) -> None:
        """Remember how the binds are, and tell who listens."""
        changed_at = self.now_at()
        self._attempts.recorder.record(
            [
                LinkChanged(
                    carrier=change.carrier,
                    link=change.link,
                    changed_at=changed_at,
                    what=change.what,
                    cause=change.cause,
                )
            ]
        )
        self._subscriptions.publish((LinkEvent(change=change, at=changed_at),))
        self._news.unpark_all()

    # Small things.

    def _all(self) -> Iterable[Carrier]:
        return self._carriers.values()

    async def _count_accepted(self) -> int:
        if self.inline:
            return _count(self.open_reader, DeliveryState.ACCEPTED)
        return await trio.to_thread.run_sync(_count, self.open_reader, DeliveryState.ACCEPTED)


def _count(open_reader: Callable[[], LedgerReader], state: DeliveryState) -> int:
    # A reader of its own, because one reader is not for two threads at a time.
    with closing(open_reader()) as reader:
        return sum(line.messages for line in reader.summary("state", Selection(state=state)))


def _why_not(carrier: Carrier, within: float) -> LinkChange:
    if carrier.failures:
        return carrier.failures[0]
    return LinkChange(carrier.name, carrier.name, "unreachable", f"no bind within {within:g} s")
