"""What receipts and people say of a route reaches the decision, the ledger and the listener."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.carrier import LinkChange
from whiteroute.engine.ledger import LedgerError, MemoryStore, SqliteStore
from whiteroute.engine.messages import (
    DeliveryState,
    EvidenceKept,
    Matched,
    ReceiptArrived,
    ReceiptNews,
    RouteChanged,
)
from whiteroute.engine.profile import CarrierProfile
from whiteroute.engine.service import OverdueEvent, RouteEvent, open_engine
from whiteroute.pdu import MessageState, ReceiptDialect
from whiteroute.routing import (
    EvidenceSettings,
    Finding,
    NetworkInfo,
    NetworkSource,
    NoDirectRouteError,
    ReasonCode,
    RouteState,
    RoutingFactError,
    Severity,
    Suspicion,
)
from whiteroute.simulators import Handsets, MessageCenter, behaviours, open_message_center

from .conftest import MOVISTAR, NOON, NOON_AT, virtual_now_at

Make = Callable[..., Any]

CELL = ("acme-es", str(MOVISTAR), "transactional")


async def send(autojump_clock: Any, engine: Any, message: Make, number: int) -> bool:
    """Send messages, fifty at a time, with time for their receipts between.

    Returns:
        Whether all were accepted; what is refused ends it.
    """
    for begin in range(0, number, 50):
        some = [message(message_ref=f"m-{place}") for place in range(begin, begin + 50)]
        outcomes = [each async for each in engine.submit_many(some[: number - begin])]
        if any(outcome.state is DeliveryState.REFUSED for outcome in outcomes):
            return False
        await trio.sleep(20)
    return True


def finals(engine: Any) -> int:
    """Count the receipts that were taken as evidence."""
    track = engine.evidence.book._tracks.get(("acme-es", MOVISTAR, "transactional"))
    return 0 if track is None else track.finals


async def routes_told(events: Any) -> list[RouteEvent]:
    return [event async for event in events if isinstance(event, RouteEvent)]


async def test_a_faker_is_found_by_its_receipts_and_carries_nothing_more(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench(behaviours.InstantReceipts()) as bench:
        await trio.sleep(20)
        events = bench.engine.events()
        assert not await send(autojump_clock, bench.engine, message, 600)
        with pytest.raises(NoDirectRouteError) as refused:
            await bench.engine.submit(message())
        reader = bench.engine.ledger.reader
        changes = reader.route_changes()
        state = bench.engine.evidence.state(*CELL)
        assert () == reader.route_changes("another")
    told = await routes_told(events)

    assert RouteState.QUARANTINED is state
    assert [RouteState.WATCH, RouteState.QUARANTINED] == [event.after for event in told]
    last = told[-1]
    assert CELL == (last.route, last.network, last.traffic_class)
    assert Suspicion.RECEIPT_TOO_FAST in {finding.test for finding in last.findings}
    assert [event.at for event in told] == [change.changed_at for change in changes]
    assert last.findings == changes[-1].findings
    ((code,),) = [rejection.codes for rejection in refused.value.rejected]
    assert ReasonCode.QUARANTINED is code
    # The change and the evidence for it go into the ledger together.
    place = store.written.index(changes[-1])
    assert all(isinstance(entry, EvidenceKept) for entry in store.written[place + 1 : place + 3])


async def test_honest_receipts_make_a_standing(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    center = MessageCenter(handsets=Handsets(median_delay=3.0, sigma=0.5), started_at=NOON)
    async with open_bench(center=center) as bench:
        await trio.sleep(20)
        assert await send(autojump_clock, bench.engine, message, 120)
        standing = bench.engine.evidence.standing(*CELL)

        assert 120 == finals(bench.engine)
        assert () == bench.engine.evidence.findings(*CELL)
        assert "0 quarantined" in repr(bench.engine.evidence)
    assert RouteState.ACTIVE is standing.state
    assert not standing.low_confidence
    assert standing.latency_p90 is not None
    assert 3 < standing.latency_p90 < 30


async def test_how_suspicious_the_engine_is_can_be_said(
    autojump_clock: Any, config: Make, message: Make
) -> None:
    calm = EvidenceSettings(latency_floors={MOVISTAR: 0.0}, tail_share=0.0)
    center = MessageCenter(handsets=Handsets(median_delay=0.1, sigma=0.5), started_at=NOON)
    async with open_message_center(center):
        made = attrs.evolve(config(center.port), evidence=calm)
        async with open_engine(
            made, ledger=MemoryStore(), now_at=virtual_now_at, inline_ledger=True
        ) as engine:
            assert () == await engine.wait_bound(60)
            await trio.sleep(20)
            assert await send(autojump_clock, engine, message, 600)
            assert 600 == finals(engine)
            assert RouteState.ACTIVE is engine.evidence.state(*CELL)


async def test_canaries_quarantine_until_somebody_answers_for_the_route(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        engine = bench.engine
        events = engine.events()
        for _ in range(2):
            engine.evidence.record_canary(*CELL, delivered=True)
        with pytest.raises(NoDirectRouteError):
            await engine.submit(message())
        with pytest.raises(RoutingFactError, match="actor"):
            engine.release(*CELL, actor="", note="")
        with pytest.raises(KeyError):
            engine.release("nobody", *CELL[1:], actor="kim", note="")
        released = engine.release(*CELL, actor="kim", note="a wrong list of dead numbers")
        outcome = await engine.submit(message())
        assert None is engine.release(*CELL, actor="kim", note="again")
        (_, change) = engine.ledger.reader.route_changes("acme-es")
    told = await routes_told(events)

    assert DeliveryState.ACCEPTED is outcome.state
    assert released == told[-1]
    assert (RouteState.QUARANTINED, RouteState.ACTIVE, "kim") == (
        change.before,
        change.after,
        change.actor,
    )
    assert "a wrong list of dead numbers" == change.note
    assert Suspicion.DEAD_NUMBER_DELIVERED is change.findings[0].test


async def test_probes_conversions_and_replies_find_their_way(
    autojump_clock: Any, open_bench: Make
) -> None:
    async with open_bench() as bench:
        evidence = bench.engine.evidence
        evidence.record_conversion(*CELL, converted=True)
        evidence.record_reply("acme-es", MOVISTAR, "transactional", replied=False)
        for _ in range(3):
            evidence.record_probe(*CELL, received=True, sender_kept=False)

        assert RouteState.QUARANTINED is evidence.state(*CELL)
        (finding,) = evidence.findings(*CELL)
        assert Suspicion.SENDER_REWRITTEN is finding.test
        with pytest.raises(RoutingFactError):
            evidence.record_canary("acme-es", "spain", "otp", delivered=True)


async def test_a_quarantine_survives_a_restart_and_turns_to_probation(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    kept = MemoryStore()
    async with open_bench(behaviours.InstantReceipts(), ledger=kept) as bench:
        await trio.sleep(20)
        assert not await send(autojump_clock, bench.engine, message, 600)
        seen = finals(bench.engine)
    await trio.sleep(22.8 * 3600)
    async with open_bench(ledger=kept) as bench:
        events = bench.engine.events()
        assert seen == finals(bench.engine)
        assert RouteState.QUARANTINED is bench.engine.evidence.state(*CELL)
        await trio.sleep(1.3 * 3600)
        assert RouteState.PROBATION is bench.engine.evidence.state(*CELL)
        assert [ReasonCode.ON_PROBATION] == [
            code
            for rejection in bench.engine.explain(message()).rejected
            for code in rejection.codes
        ]
        for _ in range(15):
            bench.engine.evidence.record_probe(*CELL, received=True)
        assert RouteState.ACTIVE is bench.engine.evidence.state(*CELL)
    told = await routes_told(events)

    assert [RouteState.PROBATION, RouteState.ACTIVE] == [event.after for event in told]
    assert RouteState.QUARANTINED is told[0].before


async def test_what_was_observed_is_kept_while_the_engine_runs(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    center = MessageCenter(handsets=Handsets(median_delay=3.0), started_at=NOON)
    async with open_bench(center=center) as bench:
        await trio.sleep(20)
        assert await send(autojump_clock, bench.engine, message, 5)
        await trio.sleep(120)

        areas = [(kept.route, kept.area) for kept in bench.engine.ledger.reader.evidence()]
        assert [("acme-es", "214"), ("acme-es", "214-07")] == areas
        written = len(store.of(EvidenceKept))
        await trio.sleep(600)
        # Nothing new was observed.
        assert written == len(store.of(EvidenceKept))


async def test_evidence_that_cannot_be_read_is_not_forgotten_silently(
    autojump_clock: Any, open_bench: Make
) -> None:
    kept = MemoryStore()
    kept.write(
        [
            EvidenceKept(
                route="acme-es",
                area="214-07",
                traffic_class="otp",
                octets=b"{}",
                clock=0.0,
                kept_at=NOON_AT,
            )
        ]
    )
    with pytest.raises(BaseExceptionGroup) as failed:
        async with open_bench(ledger=kept):
            pass
    error: BaseException = failed.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, LedgerError)
    assert "evidence of route acme-es" in str(error)


# Which receipts may speak.


def matched(**fields: Any) -> Matched:
    receipt = ReceiptArrived(
        carrier="acme",
        message_id="1",
        message_id_key="1",
        message_state=MessageState.DELIVERED,
        received_at=NOON_AT,
    )
    of_receipt = {field.name for field in attrs.fields(ReceiptArrived)} - {"carrier"}
    changed = {name: fields.pop(name) for name in tuple(fields) if name in of_receipt}
    values = {
        "receipt": attrs.evolve(receipt, **changed),
        "message_ref": "m-1",
        "part": 1,
        "part_count": 1,
        "attempt": 1,
        "before": DeliveryState.ACCEPTED,
        "after": DeliveryState.DELIVERED,
        "part_after": DeliveryState.DELIVERED,
        "latency": 3.0,
        "before_response": False,
        "duplicate_suspected": False,
        "to": "34600111222",
        "traffic_class": "transactional",
        "tags": {},
        "carrier": "acme",
        "route": "acme-es",
        "network": str(MOVISTAR),
    }
    return Matched(**(values | fields))


@pytest.mark.parametrize(
    ("fields", "speaks"),
    [
        ({}, True),
        ({"message_state": None, "stat": "UNDELIV"}, True),
        ({"receipt_kind": ReceiptNews.INTERMEDIATE}, False),
        ({"part": 2, "part_count": 2}, True),
        ({"part": 1, "part_count": 2}, False),
        ({"duplicate_suspected": True}, False),
        ({"network": ""}, False),
        ({"route": ""}, False),
        ({"carrier": "gone"}, False),
        ({"latency": None}, False),
        ({"latency": -0.5}, False),
        ({"latency": 50.0}, True),
        # It was accepted before this engine could receive.
        ({"latency": 95.0}, False),
    ],
)
async def test_which_receipts_are_evidence(
    autojump_clock: Any, open_bench: Make, fields: dict[str, Any], speaks: bool
) -> None:
    async with open_bench() as bench:
        await trio.sleep(100)
        bench.engine.evidence.heard([matched(**fields)])

        assert speaks is bool(finals(bench.engine))


async def test_receipts_that_waited_for_us_are_no_evidence(
    autojump_clock: Any, open_bench: Make
) -> None:
    async with open_bench() as bench:
        evidence = bench.engine.evidence
        await trio.sleep(100)
        lost = LinkChange("acme", "acme/1", "lost", "gone")
        evidence.link_changed(lost)
        evidence.link_changed(lost)
        evidence.heard([matched()])
        assert 0 == finals(bench.engine)
        evidence.link_changed(attrs.evolve(lost, what="bound"))
        evidence.link_changed(attrs.evolve(lost, link="acme/2", what="bound"))
        evidence.link_changed(attrs.evolve(lost, link="acme", what="suspended"))
        await trio.sleep(30)
        evidence.heard([matched(latency=25.0)])
        assert 0 == finals(bench.engine)
        evidence.heard([matched(latency=15.0)])
        assert 1 == finals(bench.engine)
        evidence.link_changed(lost)
        evidence.heard([matched(latency=15.0)])
        assert 2 == finals(bench.engine)


async def test_a_clock_that_was_set_spoils_what_was_measured_across_it(
    autojump_clock: Any, open_bench: Make
) -> None:
    async with open_bench() as bench:
        evidence = bench.engine.evidence
        await trio.sleep(100)
        evidence.heard([matched()])
        before = evidence.now_at
        evidence.now_at = lambda: before() + 7_000_000
        evidence.heard([matched()])
        assert 1 == finals(bench.engine)
        await trio.sleep(10)
        evidence.heard([matched(latency=11.0), matched(latency=9.0)])
        assert 2 == finals(bench.engine)


async def test_a_carrier_whose_receipts_prove_nothing_is_not_judged_by_them(
    autojump_clock: Any, open_bench: Make
) -> None:
    hub = CarrierProfile(receipt=ReceiptDialect(meaning="hub"))
    async with open_bench(profile=hub) as bench:
        await trio.sleep(100)
        bench.engine.evidence.heard([matched()])
        bench.engine.evidence.missed(overdue())
        assert 0 == finals(bench.engine)


async def test_where_the_first_part_reports_it_speaks(
    autojump_clock: Any, open_bench: Make
) -> None:
    first = CarrierProfile(reporting_parts="first")
    async with open_bench(profile=first) as bench:
        await trio.sleep(100)
        bench.engine.evidence.heard([matched(part_count=2), matched(part=2, part_count=2)])
        assert 1 == finals(bench.engine)


async def test_over_a_pair_of_binds_receipts_come_on_the_receiver(
    autojump_clock: Any, open_bench: Make
) -> None:
    async with open_bench(bind="tx+rx") as bench:
        evidence = bench.engine.evidence
        await trio.sleep(100)
        evidence.link_changed(LinkChange("acme", "acme/1-tx", "lost", "gone"))
        evidence.heard([matched()])
        assert 1 == finals(bench.engine)
        gone = LinkChange("acme", "acme/1-rx", "lost", "gone", can_submit=False)
        evidence.link_changed(gone)
        evidence.heard([matched()])
        assert 1 == finals(bench.engine)


def overdue(**fields: Any) -> OverdueEvent:
    values = {
        "message_ref": "m-1",
        "to": "34600111222",
        "state": DeliveryState.OVERDUE,
        "carrier": "acme",
        "route": "acme-es",
        "network": str(MOVISTAR),
        "traffic_class": "transactional",
        "taken_at": NOON_AT,
        "due_at": NOON_AT,
        "at": NOON_AT,
    }
    return OverdueEvent(**(values | fields))


async def test_receipts_that_never_came_are_evidence(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.NoReceipt()) as bench:
        await bench.engine.submit(message(validity=60.0))
        await trio.sleep(2 * 3600)
        assert 1 == finals(bench.engine)
        # Nobody knows that the carrier had it.
        bench.engine.evidence.missed(overdue(state=DeliveryState.IN_DOUBT))
        bench.engine.evidence.missed(overdue(network=""))
        bench.engine.evidence.missed(overdue(carrier="gone"))
        assert 1 == finals(bench.engine)


@pytest.mark.parametrize(
    ("source", "age", "seen", "counts"),
    [
        (NetworkSource.MNP_DIP, 60.0, "21401", True),
        (NetworkSource.MNP_DIP, 60.0, "214-07", True),
        (NetworkSource.MNP_DIP, 60.0, "moon", False),
        (NetworkSource.MNP_DIP, 90_000.0, "21401", False),
        (NetworkSource.PREFIX, 60.0, "21401", False),
    ],
)
async def test_a_receipt_may_name_another_network(
    autojump_clock: Any,
    open_bench: Make,
    source: NetworkSource,
    age: float,
    seen: str,
    counts: bool,
) -> None:
    info = NetworkInfo(
        network=MOVISTAR, source=source, obtained_at=NOON - timedelta(seconds=age), ttl=None
    )
    async with open_bench() as bench:
        evidence = bench.engine.evidence
        evidence.known = lambda _msisdn: info
        await trio.sleep(100)
        evidence.heard([matched(network_seen=seen)])
        track = evidence.book._tracks["acme-es", MOVISTAR, "transactional"]

        assert 1 == finals(bench.engine)
        assert counts is bool(track.recent.sum(trio.current_time()).named)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_what_is_kept_of_a_route_is_read_again(kind: str, tmp_path: Path) -> None:
    store = MemoryStore() if kind == "memory" else SqliteStore(tmp_path / "ledger.db")
    finding = Finding(
        test=Suspicion.RECEIPT_TOO_FAST,
        severity=Severity.STRONG,
        statistic=0.9,
        threshold=0.2,
        n=200,
    )
    change = RouteChanged(
        route="r-1",
        network="214-07",
        traffic_class="otp",
        before=RouteState.ACTIVE,
        after=RouteState.WATCH,
        findings=(finding,),
        actor="kim",
        note="caf\u00e9",
        changed_at=1,
    )
    other = attrs.evolve(change, route="r-2", findings=())
    kept = EvidenceKept(
        route="r-1", area="214", traffic_class="otp", octets=b"1", clock=0.5, kept_at=1
    )
    later = attrs.evolve(kept, octets=b"2", clock=1.5, kept_at=2)
    store.write([change, kept, other])
    store.write([later])
    reader = store.open_reader()
    try:
        assert (change, other) == reader.route_changes()
        assert (other,) == reader.route_changes("r-2")
        assert (later,) == reader.evidence()
    finally:
        reader.close()
        store.close()
