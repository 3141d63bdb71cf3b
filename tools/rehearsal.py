"""An engine for rehearsals: bound to simulated message centres, with one direct route to everywhere.

For tests, scenarios and the pytest plugin. Its attestations are made up, as its carriers are; nobody
should send a message by it.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import trio

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import Config
from whiteroute.engine.ledger import LedgerStore, MemoryStore
from whiteroute.engine.service import Engine, open_engine
from whiteroute.routing import (
    Agreement,
    AgreementKind,
    EvidenceSettings,
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
from whiteroute.simulators import MessageCenter

NEVER = 10**9
"""Finals between two rounds of tests, so many that none comes."""

EVERYWHERE = Network("001", "01")
"""The test network of the standards; all numbers are its own in a rehearsal."""


def rehearsal_route(carrier: str, today: date) -> Route:
    """Make a direct route of one carrier to every number, for every class and sender."""
    return Route(
        id=carrier,
        carrier=carrier,
        networks=frozenset({EVERYWHERE}),
        traffic_classes=frozenset(TrafficClass),
        interconnect=Interconnect(kind=InterconnectKind.DIRECT_MNO, hops=0),
        agreement=Agreement(
            id=f"rehearsal-{carrier}",
            kind=AgreementKind.BILATERAL_A2P,
            counterparty=EVERYWHERE,
            valid_from=date(today.year - 1, 1, 1),
            valid_to=date(today.year + 10, 12, 31),
            attested_by="rehearsal",
            attested_at=today,
        ),
        sender=SenderPolicy(
            kinds=frozenset(SenderKind), preserved=True, registered_patterns=(".+",)
        ),
        price=Price(amount=Decimal("0.030"), currency="EUR", floor=Decimal("0.020")),
    )


def rehearsal_config(centers: Mapping[str, MessageCenter], **account: object) -> Config:
    """Make a configuration with a carrier for each message centre, which must listen already.

    Args:
        centers: By the carrier's name.
        account: Fields of `CarrierSettings` for all of them; without `system_id` the first account
            of each centre is taken.
    """
    carriers = {}
    for name, center in centers.items():
        fields: dict[str, object] = {"system_id": "rehearsal", "password": "secret"}
        if center.accounts:
            known = center.accounts[0]
            fields = {"system_id": known.system_id, "password": known.password}
        hosts = tuple(Host(host, port) for host, port in center.addresses)
        fields |= {"name": name, "hosts": hosts} | account
        carriers[name] = CarrierSettings(**fields)  # type: ignore[arg-type]
    today = next(iter(centers.values())).date_of(trio.current_time()).date()
    return Config(
        ledger="rehearsal.db",
        carriers=carriers,
        routes=RouteTable(rehearsal_route(name, today) for name in carriers),
        plan=NumberingPlan({str(digit): str(EVERYWHERE) for digit in range(1, 10)}),
        # A rehearsal's operator that delivers everything at once is no liar, only quick.
        evidence=EvidenceSettings(block=NEVER),
    )


@attrs.define(eq=False)
class CenterClock:
    """The calendar of a message centre as an engine wants it, so that both show the same date."""

    center: MessageCenter

    def now_at(self) -> int:
        """Give microseconds since the epoch, UTC."""
        date_now: datetime = self.center.date_of(trio.current_time())
        return round(date_now.astimezone(UTC).timestamp() * 1e6)


@asynccontextmanager
async def open_rehearsal(
    *centers: MessageCenter,
    names: Sequence[str] = (),
    ledger: LedgerStore | None = None,
    seed: int = 1,
    within: float | None = 30.0,
    **account: object,
) -> AsyncIterator[Engine]:
    """Run an engine that is bound to message centres which listen already.

    Args:
        centers: At least one; their calendar is the engine's.
        names: What the carriers are called; default: `carrier`, or `carrier1` and so on.
        ledger: Default: one in memory.
        seed: For what the engine draws at random.
        within: Seconds to wait for the binds; None: not at all.
        account: Fields of `CarrierSettings` for all carriers, e.g. `window=100`.

    Raises:
        TimeoutError: The engine is not bound to all of them in time; it says why.
    """
    if not names:
        names = [f"carrier{number}" for number in range(1, len(centers) + 1)]
        if len(centers) == 1:
            names = ["carrier"]
    config = rehearsal_config(dict(zip(names, centers, strict=True)), **account)
    clock = CenterClock(centers[0])
    async with open_engine(
        config,
        ledger=MemoryStore() if ledger is None else ledger,
        seed=seed,
        now_at=clock.now_at,
        inline_ledger=True,
    ) as engine:
        if within is not None:
            missing = await engine.wait_bound(within)
            if missing:
                causes = "; ".join(f"{event.link}: {event.cause}" for event in missing)
                raise TimeoutError(f"not bound within {within:g} s: {causes}")
        yield engine
