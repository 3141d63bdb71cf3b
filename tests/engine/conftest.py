"""What the tests of the upper floors share: an engine and a message centre that it is bound to.

The clock is virtual and the last mile is real TCP on loopback, so what takes an hour takes no time.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import Config
from whiteroute.engine.ledger import (
    LedgerError,
    LedgerReader,
    LedgerStore,
    MemoryStore,
    Purge,
    Purged,
)
from whiteroute.engine.messages import DeliveryState, Doubt, Effect, Entry, Message
from whiteroute.engine.profile import CarrierProfile
from whiteroute.engine.service import Engine, open_engine
from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import BindTransceiver, BindTransceiverResp
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
from whiteroute.simulators import (
    MessageCenter,
    RawListener,
    RawPeer,
    open_message_center,
    open_raw_listener,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOON_AT = int(NOON.timestamp()) * 1_000_000
MOVISTAR = Network("214", "07")


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    """A clock that jumps when nothing happens; loopback gets its turn before."""
    return trio.testing.MockClock(autojump_threshold=0.002)


def virtual_now_at() -> int:
    """Noon on a Sunday in 2026, and what Trio's clock has counted since."""
    return NOON_AT + int(trio.current_time() * 1e6)


def make_route(**changes: object) -> Route:
    facts: dict[str, object] = {
        "id": "acme-es",
        "carrier": "acme",
        "networks": frozenset({MOVISTAR}),
        "traffic_classes": frozenset({TrafficClass.OTP, TrafficClass.TRANSACTIONAL}),
        "interconnect": Interconnect(kind=InterconnectKind.DIRECT_MNO, hops=0),
        "agreement": Agreement(
            id="A-1",
            kind=AgreementKind.BILATERAL_A2P,
            counterparty=MOVISTAR,
            valid_from=date(2026, 1, 1),
            valid_to=date(2027, 12, 31),
            attested_by="ops@example.com",
            attested_at=date(2026, 11, 1),
        ),
        "sender": SenderPolicy(
            kinds=frozenset(SenderKind), preserved=True, registered_patterns=(".+",)
        ),
        "price": Price(amount=Decimal("0.030"), currency="EUR", floor=Decimal("0.020")),
    }
    return Route(**(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
def route() -> Callable[..., Route]:
    """Make a direct route, with some facts replaced."""
    return make_route


@pytest.fixture
def message() -> Callable[..., Message]:
    """Make a message that the direct route takes, with some fields replaced."""

    def make(**changes: object) -> Message:
        fields: dict[str, object] = {"to": "+34600111222", "sender": "ACME", "text": "hello"}
        return Message(**(fields | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def profile() -> Callable[..., CarrierProfile]:
    """Make a profile; what is not its own are settings of the session."""

    def make(**changes: object) -> CarrierProfile:
        own = {field.name for field in attrs.fields(CarrierProfile)}
        fields = {name: value for name, value in changes.items() if name in own}
        session = {name: value for name, value in changes.items() if name not in own}
        if session:
            fields["session"] = SessionSettings(**session)  # type: ignore[arg-type]
        return CarrierProfile(**fields)  # type: ignore[arg-type]

    return make


@pytest.fixture
def config() -> Callable[..., Config]:
    """Make a configuration of one carrier on some ports."""

    def make(
        ports: int | Sequence[int], routes: Iterable[Route] | None = None, **account: object
    ) -> Config:
        ports = (ports,) if isinstance(ports, int) else ports
        settings = CarrierSettings(
            name="acme",
            hosts=tuple(Host("127.0.0.1", port) for port in ports),
            system_id="gateway",
            password="secret",
            **account,  # type: ignore[arg-type]
        )
        return Config(
            ledger="nowhere/ledger.db",
            carriers={"acme": settings},
            routes=RouteTable((make_route(),) if routes is None else routes),
            plan=NumberingPlan({"34600": str(MOVISTAR)}),
        )

    return make


class StubbornStore:
    """A ledger in memory that refuses to write as long as it is told to, and notes what it wrote."""

    def __init__(self, inner: LedgerStore | None = None) -> None:
        self.inner = inner or MemoryStore()
        self.refuses: tuple[type, ...] = ()
        """Batches with one of these are refused."""
        self.error: LedgerError = LedgerError("the disk is full", "room", "stubborn")
        self.written: list[Entry] = []
        self.refused = 0
        self.on_write: Callable[[Sequence[Entry]], None] | None = None

    @property
    def where(self) -> str:
        return "stubborn"

    def write(self, entries: Sequence[Entry]) -> list[Effect]:
        if any(isinstance(entry, self.refuses) for entry in entries):
            self.refused += 1
            raise self.error
        effects = self.inner.write(entries)
        self.written += entries
        if self.on_write is not None:
            self.on_write(entries)
        return effects

    def of(self, kind: type) -> list[Entry]:
        """Everything of one kind that was written."""
        return [entry for entry in self.written if isinstance(entry, kind)]

    def known(self, message_refs: Iterable[str]) -> dict[str, DeliveryState]:
        return self.inner.known(message_refs)

    def recover(self, now_at: int) -> tuple[Doubt, ...]:
        return self.inner.recover(now_at)

    def begin_purge(self, purge: Purge) -> int:
        return self.inner.begin_purge(purge)

    def purge_some(self, seconds: float) -> Purged | None:
        return self.inner.purge_some(seconds)

    def open_reader(self) -> LedgerReader:
        return self.inner.open_reader()

    def close(self) -> None:
        self.inner.close()


@pytest.fixture
def store() -> StubbornStore:
    """A ledger in memory whose disk can be filled."""
    return StubbornStore()


@attrs.define(eq=False)
class Bench:
    """An engine and its message centre."""

    engine: Engine
    center: MessageCenter


Opened = AbstractAsyncContextManager[Bench]


@pytest.fixture
def open_bench(config: Callable[..., Config], store: StubbornStore) -> Callable[..., Opened]:
    """Open an engine that is bound to a message centre with some behaviours.

    `center` gives the centre instead, which is opened unless it runs already; `ledger` another
    ledger than `store`; the rest goes into the account.
    """

    @asynccontextmanager
    async def open_both(
        *behaviours: object,
        center: MessageCenter | None = None,
        ledger: object = None,
        bound: bool = True,
        routes: Iterable[Route] | None = None,
        **account: object,
    ) -> AsyncIterator[Bench]:
        if center is None:
            center = MessageCenter(behaviours=behaviours, started_at=NOON)  # type: ignore[arg-type]
        running = nullcontext() if center.port else open_message_center(center)
        async with running:
            made = config(center.port, routes, **account)
            async with open_engine(
                made,
                ledger=store if ledger is None else ledger,  # type: ignore[arg-type]
                seed=1,
                now_at=virtual_now_at,
                inline_ledger=True,
            ) as engine:
                if bound:
                    assert () == await engine.wait_bound(60)
                yield Bench(engine, center)

    return open_both


@attrs.define(eq=False)
class HandPlayed:
    """A message centre played by hand."""

    listener: RawListener
    peers: list[RawPeer] = attrs.field(factory=list)

    @property
    def port(self) -> int:
        return self.listener.port

    async def accept(self) -> RawPeer:
        """Wait for the next link; it is closed at the end of the test."""
        peer = await self.listener.accept()
        self.peers.append(peer)
        return peer

    async def accept_bind(self, **fields: object) -> RawPeer:
        """Wait for the next link, and accept its bind."""
        peer = await self.accept()
        bind = await peer.receive()
        assert isinstance(bind, BindTransceiver)
        await peer.send(
            BindTransceiverResp(sequence_number=bind.sequence_number, **fields)  # type: ignore[arg-type]
        )
        return peer


@pytest.fixture
async def raw() -> AsyncIterator[HandPlayed]:
    """A message centre played by hand."""
    async with open_raw_listener() as listener:
        played = HandPlayed(listener)
        yield played
        for peer in played.peers:
            await peer.aclose()


@pytest.fixture
def open_by_hand(
    config: Callable[..., Config], raw: HandPlayed, store: StubbornStore
) -> Callable[..., AbstractAsyncContextManager[Engine]]:
    """Open an engine whose message centre is `raw`."""

    @asynccontextmanager
    async def opened(ledger: object = None, **account: object) -> AsyncIterator[Engine]:
        async with open_engine(
            config(raw.port, **account),
            ledger=store if ledger is None else ledger,  # type: ignore[arg-type]
            seed=1,
            now_at=virtual_now_at,
            inline_ledger=True,
        ) as engine:
            yield engine

    return opened
