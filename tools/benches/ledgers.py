"""The ways of using a ledger that the bench `ledger` compares: at a link, through an engine, and after a kill.

Each runs on a new ledger in a folder that is gone afterwards, against a peer that gives every message an
id of its own.
"""

import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path

import attrs
import trio

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import Config
from whiteroute.engine.ledger import Committed, Ledger, open_ledger
from whiteroute.engine.link import Link, Timers
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    DeliveryState,
    Entry,
    Message,
    MessageTaken,
)
from whiteroute.engine.service import Engine, open_engine
from whiteroute.engine.session import Event, Exchange, Role, Session, SessionSettings
from whiteroute.pdu import BindTransceiver, SubmitSmResp
from whiteroute.routing import (
    Agreement,
    AgreementKind,
    Interconnect,
    InterconnectKind,
    Network,
    NumberingPlan,
    Price,
    Route,
    RouteTable,
    SenderKind,
    SenderPolicy,
    TrafficClass,
)

from .senders import TEXT, Address, Load, Stopwatch
from .senders import message as make_pdu

LAG_INTERVAL = 0.005
"""Seconds between two looks at how late the event loop is."""

NETWORK = Network("214", "07")


@attrs.define(eq=False)
class Lag:
    """How late the event loop is, seen by a task that wants to run every few milliseconds."""

    seen: list[float] = attrs.field(factory=list)
    """Seconds."""

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            due = trio.current_time() + LAG_INTERVAL
            await trio.sleep_until(due)
            self.seen.append(trio.current_time() - due)

    @property
    def worst_of_hundred(self) -> float:
        """The 99th percentile, in seconds."""
        ordered = sorted(self.seen) or [0.0]
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


def utc_microseconds() -> int:
    """The system's clock as the ledger wants it."""
    return time.time_ns() // 1_000


# At a link.


@attrs.define(eq=False)
class _WriteAhead:
    """Sends what it has remembered before, and remembers what is answered; one window of it."""

    ledger: Ledger
    load: Load
    lag: Lag
    is_taken_before: bool
    """Whether the messages themselves are in the ledger already."""
    link: Link = attrs.field(init=False)
    is_done: trio.Event = attrs.field(factory=trio.Event)
    _left: int = attrs.field(init=False)
    _numbers: Iterator[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.load.messages
        self._numbers = iter(range(self.load.messages))

    def taken(self, number: int, at: int) -> MessageTaken:
        """Make the record of a message."""
        return MessageTaken(
            message_ref=f"m-{number}",
            to="34600111222",
            sender="ACME",
            text=TEXT.decode(),
            taken_at=at,
            route="bench-es",
            carrier="bench",
        )

    async def take_before(self) -> None:
        """Have all messages in the ledger, as an engine has them before it sends."""
        for first in range(0, self.load.messages, 1_000):
            last = min(first + 1_000, self.load.messages)
            at = utc_microseconds()
            await self.ledger.commit([self.taken(number, at) for number in range(first, last)])

    def ask(self, number: int, entries: list[Entry]) -> None:
        """Remember so many attempts, and what else there is; send them then."""
        at = utc_microseconds()
        refs: list[str] = []
        for _, each in zip(range(number), self._numbers, strict=False):
            refs.append(f"m-{each}")
            if not self.is_taken_before:
                entries.append(self.taken(each, at))
            entries.append(
                AttemptStarted(
                    message_ref=refs[-1], carrier="bench", route="bench-es", started_at=at
                )
            )
        if entries:
            self.ledger.append(entries, partial(self._go, refs))

    def _go(self, refs: list[str], committed: Committed) -> None:
        assert isinstance(committed, list), committed
        if not refs:
            return
        now = trio.current_time()
        exchanges = [self.link.session.request(make_pdu(), now, ref) for ref in refs]
        self.link.sent(exchanges[0].deadline)

    def hear(self, _link: Link, events: list[Event]) -> None:
        """Remember the answers, and send as many more."""
        at = utc_microseconds()
        entries: list[Entry] = []
        for event in events:
            if type(event) is not Exchange or event.context is None:
                continue
            response = event.response
            assert isinstance(response, SubmitSmResp)
            entries.append(
                AttemptEnded(
                    message_ref=str(event.context),
                    ended_at=at,
                    outcome=AttemptOutcome.ACCEPTED,
                    message_id=response.message_id,
                    message_id_key=response.message_id,
                    command_status=response.command_status,
                )
            )
        self._left -= len(entries)
        if entries:
            self.ask(len(entries), entries)
        if not self._left:
            self.is_done.set()


async def _write_ahead(
    address: Address,
    load: Load,
    stopwatch: Stopwatch,
    path: Path,
    lag: Lag,
    is_taken_before: bool,
) -> None:
    timers = Timers()
    async with open_ledger(path) as ledger, trio.open_nursery() as standing:
        standing.start_soon(timers.run)
        sending = _WriteAhead(ledger, load, lag, is_taken_before)
        if is_taken_before:
            await sending.take_before()
        stream = await trio.open_tcp_stream(*address)
        session = Session(Role.ESME, SessionSettings(window=load.window), trio.current_time())
        sending.link = Link(stream, session, timers, sending.hear)
        standing.start_soon(sending.link.run)
        await sending.link.request(BindTransceiver(system_id="bench"))
        standing.start_soon(lag.watch)
        stopwatch()
        sending.ask(load.window, [])
        await sending.is_done.wait()
        # Until the last outcome is on disk, too.
        await ledger.commit([])
        stopwatch()
        standing.cancel_scope.cancel()


def write_ahead(
    address: Address,
    load: Load,
    stopwatch: Stopwatch,
    *,
    path: Path,
    lag: Lag,
    is_taken_before: bool,
) -> None:
    """Send over one link, each attempt remembered before, each answer after."""
    trio.run(_write_ahead, address, load, stopwatch, path, lag, is_taken_before)


# Through an engine.


def config(address: Address, window: int, path: Path) -> Config:
    """Make the configuration of an engine with one bind and one route."""
    route = Route(
        id="bench-es",
        carrier="bench",
        networks=frozenset({NETWORK}),
        traffic_classes=frozenset(TrafficClass),
        interconnect=Interconnect(kind=InterconnectKind.DIRECT_MNO, hops=0),
        agreement=Agreement(
            id="A-1",
            kind=AgreementKind.BILATERAL_A2P,
            counterparty=NETWORK,
            valid_from=date(2020, 1, 1),
            valid_to=date(2099, 12, 31),
            attested_by="ops@example.com",
            attested_at=datetime.now(UTC).date(),
        ),
        sender=SenderPolicy(
            kinds=frozenset(SenderKind), preserved=True, registered_patterns=(".+",)
        ),
        price=Price(amount=Decimal("0.030"), currency="EUR", floor=Decimal("0.020")),
    )
    settings = CarrierSettings(
        name="bench", hosts=(Host(*address),), system_id="bench", window=window
    )
    return Config(
        ledger=str(path),
        carriers={"bench": settings},
        routes=RouteTable((route,)),
        plan=NumberingPlan({"34600": str(NETWORK)}),
    )


def messages(numbers: Iterator[int]) -> Iterator[Message]:
    """Make messages as an application does, to one number after another."""
    for number in numbers:
        yield Message(to=f"+34600{number % 1_000_000:06}", sender="ACME", text=TEXT.decode())


@asynccontextmanager
async def bound_engine(
    address: Address, window: int, path: Path, lag: Lag
) -> AsyncIterator[Engine]:
    """Open an engine, wait until it is bound, and watch the event loop."""
    async with open_engine(config(address, window, path)) as engine:
        failures = await engine.wait_bound(10.0)
        assert not failures, failures
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lag.watch)
            yield engine
            nursery.cancel_scope.cancel()


async def submit(engine: Engine, number: int, in_flight: int) -> None:
    """Send so many messages and wait for their outcomes."""
    async for outcome in engine.submit_many(messages(iter(range(number))), in_flight=in_flight):
        assert outcome.state is DeliveryState.ACCEPTED, outcome


async def run_until_killed(address: Address, path: Path, number: int) -> None:
    """Send without end; say how many were accepted, `number` at a time."""
    accepted = count(1)

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    async with bound_engine(address, 1_000, path, Lag()) as engine:
        say("bound")
        if not number:
            return
        async for _ in engine.submit_many(messages(count()), in_flight=2_000):
            if not next(accepted) % number:
                say("accepted")
