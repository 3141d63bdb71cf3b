"""Carriers come and go while an engine runs, and nothing that was taken is lost on the way."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import ConfigError
from whiteroute.engine.messages import DeliveryState, LinkChanged, Outcome
from whiteroute.engine.service import LinkEvent
from whiteroute.pdu import EncodeError
from whiteroute.routing import NoDirectRouteError, NumberingPlan, RouteTable, RoutingFactError
from whiteroute.simulators import Handsets, MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]


def settings(center: MessageCenter, name: str = "bcell", **account: Any) -> CarrierSettings:
    host = Host("127.0.0.1", center.port)
    return CarrierSettings(name=name, hosts=(host,), system_id="gateway", **account)


async def test_a_carrier_is_added_bound_and_used(
    autojump_clock: Any, open_bench: Make, message: Make, route: Make
) -> None:
    other = MessageCenter()
    cheaper = route(id="bcell-es", carrier="bcell", interconnect=route().interconnect)
    async with open_bench(routes=()) as bench, open_message_center(other):
        with pytest.raises(NoDirectRouteError):
            await bench.engine.submit(message())
        events = bench.engine.events()
        carrier = bench.engine.add_carrier(settings(other), (cheaper,))
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        event = await anext(events)
        await other.wait_for("receipt_acknowledged")

        assert DeliveryState.ACCEPTED is outcome.state
        assert ("bcell-es", "bcell") == (outcome.route, outcome.carrier)
        assert bench.engine.carriers["bcell"] is carrier
        assert isinstance(event, LinkEvent)
        assert ("bcell/1", "bound") == (event.link, event.what)
        await trio.sleep(1)
        history = bench.engine.ledger.message("m-1")
        assert DeliveryState.DELIVERED is history.message.state


async def test_what_cannot_be_added_is_said_and_changes_nothing(
    autojump_clock: Any, open_bench: Make, route: Make
) -> None:
    async with open_bench() as bench:
        config = bench.engine.config
        with pytest.raises(ConfigError, match="carriers: acme, expected a name used once"):
            bench.engine.add_carrier(settings(bench.center, "acme"))
        with pytest.raises(ConfigError, match=r"routes\.r-9: nobody, expected a carrier"):
            bench.engine.add_carrier(settings(bench.center), (route(id="r-9", carrier="nobody"),))
        with pytest.raises(RoutingFactError):
            bench.engine.add_carrier(settings(bench.center), (route(carrier="bcell"),))
        with pytest.raises(EncodeError):
            bench.engine.add_carrier(attrs.evolve(settings(bench.center), system_id="a\0b"))

        assert ["acme"] == list(bench.engine.carriers)
        assert bench.engine.config is config


async def test_a_removed_carrier_is_drained_and_its_routes_are_gone(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.SlowResponse(2.0)) as bench:
        outcomes: list[Outcome] = []

        async def submit() -> None:
            outcomes.append(await bench.engine.submit(message()))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await bench.center.wait_for("bind")
            await trio.sleep(1)
            report = await bench.engine.remove_carrier("acme", within=10)

        assert (0, 0, 1, 0) == (
            report.queued,
            report.unanswered,
            report.links_unbound,
            report.links_cut,
        )
        assert [DeliveryState.ACCEPTED] == [outcome.state for outcome in outcomes]
        assert {} == dict(bench.engine.carriers)
        with pytest.raises(NoDirectRouteError):
            await bench.engine.submit(message())
        with pytest.raises(KeyError):
            await bench.engine.remove_carrier("acme")


async def test_what_waited_is_told_as_queued_and_sent_when_the_carrier_returns(
    autojump_clock: Any, open_bench: Make, message: Make, route: Make, store: Any
) -> None:
    async with open_bench() as bench:
        bench.engine.carriers["acme"].suspend()
        outcomes: list[Outcome] = []

        async def submit(number: int) -> None:
            outcomes.append(await bench.engine.submit(message(message_ref=f"m-{number}")))

        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(submit, number)
            await trio.sleep(1)
            report = await bench.engine.remove_carrier("acme")

        assert 3 == report.queued
        assert {DeliveryState.QUEUED} == {outcome.state for outcome in outcomes}
        assert 0 == len(bench.center.submitted)
        bench.engine.add_carrier(settings(bench.center, "acme", password="secret"), (route(),))
        await bench.center.wait_for("submit", times=3)
        await trio.sleep(10)
        states = {bench.engine.ledger.message(f"m-{number}").message.state for number in range(3)}
        assert {DeliveryState.DELIVERED} == states
    suspended = [entry for entry in store.of(LinkChanged) if entry.what == "suspended"]
    assert [("acme", "acme")] == [(entry.carrier, entry.link) for entry in suspended]


async def test_a_message_that_is_taken_while_its_carrier_goes_is_not_lost(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        outcomes: list[Outcome] = []
        messages = [message(message_ref=f"m-{number}") for number in range(50)]

        async def submit() -> None:
            taken = bench.engine.submit_many(messages, in_flight=3)
            outcomes.extend([outcome async for outcome in taken])

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await bench.center.wait_for("submit", times=5)
            await bench.engine.remove_carrier("acme")

        states = [outcome.state for outcome in outcomes]
        assert 50 == len(states)
        assert {DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.QUEUED} >= set(states)
        for outcome in outcomes:
            told = bench.engine.ledger.message(outcome.message_ref).message.state
            if outcome.state is DeliveryState.QUEUED:
                assert DeliveryState.QUEUED is told


@pytest.mark.parametrize(("delay", "outstanding"), [(2.0, 0), (500.0, 2)])
async def test_receipts_are_waited_for_until_a_deadline(
    autojump_clock: Any, open_bench: Make, message: Make, delay: float, outstanding: int
) -> None:
    center = MessageCenter(handsets=Handsets(median_delay=delay))
    async with open_message_center(center), open_bench(center=center) as bench:
        for number in range(2):
            await bench.engine.submit(message(message_ref=f"m-{number}"))
        report = await bench.engine.remove_carrier("acme", within=10, wait_receipts=True)

        assert outstanding == report.receipts_outstanding
        assert 1 == report.links_unbound
        if outstanding:
            assert 10 <= report.took <= 11
        else:
            assert report.took <= 4
            state = bench.engine.ledger.message("m-0").message.state
            assert DeliveryState.DELIVERED is state


async def test_an_engine_tells_what_remained_at_its_end(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.NoResponse()) as bench:
        async with trio.open_nursery() as nursery:

            async def submit() -> None:
                await bench.engine.submit(message())

            nursery.start_soon(submit)
            await bench.center.wait_for("submit")
            nursery.cancel_scope.cancel()
        assert () == bench.engine.drained
        engine = bench.engine

    (report,) = engine.drained
    assert ("acme", 1, None) == (report.carrier, report.unanswered, report.receipts_outstanding)


async def test_news_of_binds_is_remembered_with_host_and_cause(
    autojump_clock: Any, open_bench: Make, store: Any
) -> None:
    async with open_bench() as bench:
        port = bench.center.port
        await bench.center.unbind_all()
        await trio.sleep(5)

    bound, lost = store.of(LinkChanged)[:2]
    assert (f"127.0.0.1:{port}", True) == (bound.host, bound.can_submit)
    assert ("lost", "PEER_UNBOUND") == (lost.what, lost.root_cause.value)


async def test_routes_are_reloaded_without_losing_evidence_or_messages(
    autojump_clock: Any, open_bench: Make, message: Make, route: Make
) -> None:
    async with open_bench() as bench:
        engine = bench.engine
        cell = ("acme-es", "214-07", "transactional")
        engine.carriers["acme"].suspend()
        outcomes: list[Outcome] = []

        async def submit() -> None:
            outcomes.append(await engine.submit(message(message_ref="m-1")))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(submit)
            await trio.sleep(1)
            for _ in range(2):
                engine.evidence.record_canary(*cell, delivered=True)
            other = attrs.evolve(
                engine.config,
                routes=RouteTable((route(), route(id="acme-2"))),
                plan=NumberingPlan({"34600": "214-07", "34700": "214-07"}),
            )
            engine.reload_routes(other)
            decision = engine.explain(message(to="+34700111222"))
            engine.carriers["acme"].resume()
        wrong = attrs.evolve(other, routes=RouteTable((route(carrier="nobody"),)))
        with pytest.raises(ConfigError, match=r"routes\.acme-es: nobody"):
            engine.reload_routes(wrong)

        assert 2 == len(engine.config.routes)
    assert decision.chosen is not None
    assert ("acme-2", ["acme-es"]) == (
        decision.chosen.id,
        [rejection.route_id for rejection in decision.rejected],
    )
    assert [(DeliveryState.ACCEPTED, "acme-es")] == [(each.state, each.route) for each in outcomes]
