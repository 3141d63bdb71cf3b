"""What `explain` says of a message is what then happens to it, whatever the routes and their state."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import Config
from whiteroute.engine.ledger import MemoryStore
from whiteroute.engine.messages import DeliveryState, Message, Outcome
from whiteroute.engine.service import Engine, open_engine
from whiteroute.routing import (
    Decision,
    Interconnect,
    InterconnectKind,
    Network,
    NumberError,
    NumberingPlan,
    Policy,
    Price,
    Route,
    RouteTable,
    SenderKind,
    SenderPolicy,
    TrafficClass,
)
from whiteroute.simulators import Handsets, MessageCenter, behaviours, open_message_center

from .conftest import NOON, make_route, virtual_now_at

Make = Callable[..., Any]

MESSAGES = 10_000
TOGETHER = 50
"""Messages between two changes of what decisions depend on."""
NETWORKS = tuple(Network("214", mnc) for mnc in ("01", "03", "07"))
PLAN = NumberingPlan({f"3460{place}": str(network) for place, network in enumerate(NETWORKS)})
CARRIERS = "abc"
KINDS = (
    *(InterconnectKind.DIRECT_MNO,) * 6,
    InterconnectKind.DIRECT_MVNO_HOST,
    InterconnectKind.SIM,
    InterconnectKind.UNKNOWN,
)
PATTERNS = ((".+",), ("ACME|BANK",), ("[0-9]+",))


def draw_route(random: Random, place: int) -> Route:
    honest = make_route()
    assert honest.agreement is not None
    network = random.choice(NETWORKS)
    price = Decimal(random.choice((25, 30, 30, 40, 15))) / 1000
    ends = random.choice((date(2027, 12, 31), date(2027, 12, 31), date(2026, 11, 22)))
    return make_route(
        id=f"r-{place}",
        carrier=random.choice(CARRIERS),
        networks=frozenset({network, random.choice(NETWORKS)}),
        traffic_classes=frozenset(random.sample(tuple(TrafficClass), random.randint(1, 4))),
        interconnect=Interconnect(kind=random.choice(KINDS), hops=random.choice((0, 0, 0, 1))),
        agreement=attrs.evolve(honest.agreement, counterparty=network, valid_to=ends),
        sender=SenderPolicy(
            kinds=frozenset(SenderKind),
            preserved=True,
            registered_patterns=random.choice(PATTERNS),
        ),
        price=Price(amount=price, currency="EUR", floor=Decimal("0.020")),
    )


def draw_message(random: Random, number: int) -> Message:
    return Message(
        to=f"+3460{random.randint(0, 3)}{random.randint(100_000, 999_999)}"
        if random.random() < 0.99
        else "nobody",
        sender=random.choice(("ACME", "BANK", "34600000000", "7777")),
        text="hello",
        traffic_class=random.choice((*TrafficClass, "gossip")),
        message_ref=f"m-{number}",
        validity=random.choice((None, None, 3600.0, 2.0, 40_000.0)),
    )


def upset(engine: Engine, random: Random) -> None:
    """Change something on which decisions depend."""
    what = random.random()
    carrier = engine.carriers[random.choice(CARRIERS)]
    if what < 0.3:
        carrier.suspend()
    elif what < 0.8:
        carrier.resume()
    else:
        route = random.choice(tuple(engine.config.routes))
        cell = (route.id, str(random.choice(NETWORKS)), random.choice(tuple(TrafficClass)))
        if what < 0.9:
            for _ in range(2):
                engine.evidence.record_canary(*cell, delivered=True)
        else:
            engine.release(*cell, actor="kim", note="looked at")


@pytest.mark.parametrize("seed", [7])
async def test_explain_agrees_with_what_was_sent(autojump_clock: Any, seed: int) -> None:
    random = Random(seed)
    explained: dict[str, Decision | None] = {}
    misbehaviours = ((), (behaviours.BlendedInstant(),), (behaviours.SlowResponse(delay=0.05),))
    centers = [
        MessageCenter(
            handsets=Handsets(median_delay=3.0, sigma=0.5), behaviours=each, started_at=NOON
        )
        for each in misbehaviours
    ]
    async with AsyncExitStack() as stack:
        for center in centers:
            await stack.enter_async_context(open_message_center(center))
        config = Config(
            ledger="nowhere/ledger.db",
            carriers={
                name: CarrierSettings(
                    name=name, hosts=(Host("127.0.0.1", center.port),), system_id="gateway"
                )
                for name, center in zip(CARRIERS, centers, strict=True)
            },
            routes=RouteTable(draw_route(random, place) for place in range(16)),
            plan=PLAN,
            policy=Policy(exploration=0.1),
        )
        engine = await stack.enter_async_context(
            open_engine(
                config, ledger=MemoryStore(), seed=seed, now_at=virtual_now_at, inline_ledger=True
            )
        )
        assert () == await engine.wait_bound(60)

        outcomes: list[Outcome] = []

        async def submit(messages: list[Message]) -> None:
            outcomes.extend([each async for each in engine.submit_many(messages)])

        async with trio.open_nursery() as nursery:
            for begin in range(0, MESSAGES, TOGETHER):
                upset(engine, random)
                messages = [draw_message(random, begin + place) for place in range(TOGETHER)]
                for message in messages:
                    try:
                        explained[message.message_ref or ""] = engine.explain(message)
                    except NumberError:
                        explained[message.message_ref or ""] = None
                nursery.start_soon(submit, messages)
                await trio.sleep(0.02)
            for name in CARRIERS:
                engine.carriers[name].resume()

        states = Counter(outcome.state for outcome in outcomes)
        codes: Counter[str] = Counter()
        chosen: Counter[str] = Counter()
        accepted: Counter[str] = Counter()
        records = {record.message_ref: record for record in engine.ledger.reader.messages()}
        for outcome in outcomes:
            decision = explained[outcome.message_ref]
            record = records[outcome.message_ref]
            if decision is None:
                assert outcome.error is not None
                assert "INVALID_DESTINATION" == outcome.error.canonical
                continue
            route = decision.chosen
            expected = ("", "") if route is None else (route.id, route.carrier)
            assert expected == (outcome.route, outcome.carrier)
            assert expected == (record.route, record.carrier)
            kept = json.loads(record.decision)
            told = json.loads(json.dumps(decision.to_dict(), default=str))
            for name in told:
                assert told[name] == kept[name], name
            chosen[outcome.route] += 1
            if outcome.state is DeliveryState.ACCEPTED:
                accepted[outcome.carrier] += 1
            codes.update(code for each in decision.rejected for code in each.codes)

        assert MESSAGES == states.total()
        for name, center in zip(CARRIERS, centers, strict=True):
            assert accepted[name] == center.statistics().accepted
        # It would prove little if all of them went the same way.
        assert states[DeliveryState.ACCEPTED] > MESSAGES // 5
        assert states[DeliveryState.REFUSED] > MESSAGES // 5
        assert len(chosen) > 5
        assert {"QUARANTINED", "BIND_DOWN", "INTERCONNECT_FORBIDDEN"} <= set(codes)
