"""The six promises, one by one, seen from outside: by the ledger and by the carrier."""

import gc
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio

from whiteroute.engine.ledger import MemoryStore, open_ledger_for_reading
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptStarted,
    Canonical,
    DeliveryState,
    Entry,
    InboundArrived,
    LinkChanged,
    MessageTaken,
    ReceiptArrived,
    ReceiptVerdict,
)
from whiteroute.engine.service import InboundMessage, ReceiptEvent
from whiteroute.pdu import (
    CommandStatus,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    MessageState,
    SubmitSm,
    SubmitSmResp,
    encode,
)
from whiteroute.routing import Interconnect, InterconnectKind, NoDirectRouteError, ReasonCode
from whiteroute.simulators import (
    Handset,
    Handsets,
    MessageCenter,
    behaviours,
)

Make = Callable[..., Any]


def a_receipt(message_id: str, number: int, stat: str = "DELIVRD", err: str = "000") -> DeliverSm:
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:2611221200 done date:2611221201"
        f" stat:{stat} err:{err} text:"
    )
    return DeliverSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=4,
        short_message=text.encode(),
        sequence_number=number,
    )


# 1. A receipt is acknowledged only after it is on disk.


async def test_a_receipt_is_written_before_it_is_acknowledged(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench() as bench:

        def look(entries: Sequence[Entry]) -> None:
            if any(isinstance(entry, ReceiptArrived) for entry in entries):
                acknowledged.append(bench.center.statistics().deliveries_acknowledged)

        acknowledged: list[int] = []
        store.on_write = look
        await bench.engine.submit(message())
        await bench.center.wait_for("receipt_acknowledged")

    assert [0] == acknowledged


async def test_a_ledger_that_cannot_write_makes_the_carrier_deliver_again(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench() as bench:
        events = bench.engine.events()
        store.refuses = (ReceiptArrived,)
        await bench.engine.submit(message(message_ref="m-1"))
        failed = await bench.center.wait_for("delivery_failed", times=2)
        assert 0 == bench.center.statistics().deliveries_acknowledged
        store.refuses = ()
        await bench.center.wait_for("receipt_acknowledged")
        history = bench.engine.ledger.message("m-1")

    assert [CommandStatus.ESME_RX_T_APPN] * 2 == [event.status for event in failed]
    assert DeliveryState.DELIVERED is history.message.state
    assert 1 == len(history.receipts) == len(store.of(ReceiptArrived))
    assert 1 == len([event async for event in events if isinstance(event, ReceiptEvent)])


async def test_a_text_from_a_handset_is_kept_by_the_same_rule(
    autojump_clock: Any, open_bench: Make, store: Any
) -> None:
    async with open_bench() as bench:
        events = bench.engine.events()
        store.refuses = (InboundArrived,)
        bench.center.inject_mo("+34600111222", "12345", "stop")
        (failed,) = await bench.center.wait_for("delivery_failed")
        store.refuses = ()
        await bench.center.wait_for("mo_acknowledged")
        inbound = list(bench.engine.ledger.reader.inbound())

    assert CommandStatus.ESME_RX_T_APPN == failed.status
    assert ["stop"] == [entry.text for entry in inbound]
    (told,) = [event async for event in events if isinstance(event, InboundMessage)]
    assert ("acme", "34600111222", "12345", "stop") == (
        told.carrier,
        told.source_addr,
        told.destination_addr,
        told.text,
    )


# 2. A message is remembered before its first octet leaves.


async def test_nothing_leaves_while_attempts_cannot_be_written(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench() as bench:
        store.refuses = (AttemptStarted,)
        with trio.move_on_after(60):
            await bench.engine.submit(message())

        assert 0 == len(bench.center.submitted)
        assert [] == store.of(AttemptStarted)


async def test_the_ledger_is_ahead_of_the_wire_and_behind_the_answer(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    seen: list[tuple[str, int]] = []
    async with open_bench() as bench:
        store.on_write = lambda entries: seen.extend(
            (type(entry).__name__, len(bench.center.submitted))
            for entry in entries
            if not isinstance(entry, LinkChanged)
        )
        await bench.engine.submit(message())
        store.on_write = None

    assert [("MessageTaken", 0), ("AttemptStarted", 0), ("AttemptEnded", 1)] == seen


async def test_a_crash_between_the_two_leaves_the_message_in_doubt(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    """The engine is killed, as far as the ledger can tell, when the submit_sm is on its way."""
    store = MemoryStore()
    snapshot = MemoryStore()
    async with open_by_hand(store) as engine, trio.open_nursery() as nursery:
        peer = await raw.accept_bind()
        nursery.start_soon(engine.submit, message(message_ref="m-1"))
        request = await peer.receive()
        assert isinstance(request, SubmitSm)
        history = engine.ledger.message("m-1")
        record = history.message
        snapshot.write(
            [
                MessageTaken(
                    message_ref=record.message_ref,
                    to=record.to,
                    sender=record.sender,
                    text=record.text,
                    taken_at=record.taken_at,
                    route=record.route,
                    carrier=record.carrier,
                ),
                *(line.started for line in history.attempts),
            ]
        )
        nursery.cancel_scope.cancel()

    assert DeliveryState.SENT is record.state
    async with open_by_hand(snapshot) as engine:
        assert DeliveryState.IN_DOUBT is engine.ledger.message("m-1").message.state
        peer = await raw.accept_bind()
        again = await engine.submit(message(message_ref="m-1"))
        assert (DeliveryState.IN_DOUBT, True) == (again.state, again.known)
        with trio.move_on_after(20):
            pytest.fail(f"it was sent again: {await peer.receive()!r}")


# 3. Never grey.


async def test_no_direct_route_is_told_with_every_candidate_and_every_reason(
    autojump_clock: Any, open_bench: Make, message: Make, route: Make
) -> None:
    grey = [
        route(id="sim-farm", interconnect=Interconnect(kind=InterconnectKind.SIM, hops=1)),
        route(id="unsigned", agreement=None),
    ]
    async with open_bench(routes=grey) as bench:
        with pytest.raises(NoDirectRouteError) as caught:
            await bench.engine.submit(message(message_ref="m-1"))
        (outcome,) = [
            outcome async for outcome in bench.engine.submit_many([message(message_ref="m-2")])
        ]
        records = [bench.engine.ledger.message(ref).message for ref in ("m-1", "m-2")]

        assert 0 == len(bench.center.submitted)
    codes = {
        rejection.route_id: {reason.code for reason in rejection.reasons}
        for rejection in caught.value.rejected
    }
    assert {"sim-farm", "unsigned"} == set(codes)
    assert ReasonCode.INTERCONNECT_FORBIDDEN in codes["sim-farm"]
    assert "m-1" == caught.value.message_ref
    assert caught.value.rejected == outcome.rejected
    assert (DeliveryState.REFUSED, Canonical.NO_ROUTE) == (outcome.state, outcome.error.canonical)
    for record in records:
        assert (DeliveryState.REFUSED, "NO_ROUTE") == (record.state, record.error_code)
        rejected = json.loads(record.decision)["rejected"]
        assert {"sim-farm", "unsigned"} == {each["route_id"] for each in rejected}
        assert all(each["reasons"] for each in rejected)


async def test_without_any_route_there_is_none_either(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(routes=()) as bench:
        with pytest.raises(NoDirectRouteError) as caught:
            await bench.engine.submit(message())

    assert () == caught.value.rejected


async def test_a_carrier_that_knows_no_route_is_an_outcome_all_the_same(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    """ESME_RINVDSTADR means the same word, yet a direct route was there and was asked."""
    refusing = behaviours.RefuseSubmits(CommandStatus.ESME_RINVDSTADR)
    async with open_bench(refusing) as bench:
        outcome = await bench.engine.submit(message())

    assert (DeliveryState.REFUSED, "acme-es", Canonical.NO_ROUTE) == (
        outcome.state,
        outcome.route,
        outcome.error.canonical,
    )


# 4. The reader never waits for a consumer.


async def test_beyond_the_bound_the_carrier_is_told_to_retry(
    autojump_clock: Any,
    open_by_hand: Make,
    raw: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("whiteroute.engine.service.subscriptions.BUFFERED_EVENTS", 3)
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        await engine.wait_bound(5)
        never_read = engine.events()
        statuses = []
        for number in range(1, 6):
            await peer.send(
                DeliverSm(
                    source_addr="34600111222",
                    destination_addr="12345",
                    short_message=b"hello",
                    sequence_number=number,
                )
            )
            answer = await peer.receive()
            assert isinstance(answer, DeliverSmResp)
            statuses.append(answer.command_status)
        await peer.send(EnquireLink(sequence_number=99))
        alive = await peer.receive()
        assert [0, 0, 0, CommandStatus.ESME_RX_T_APPN, CommandStatus.ESME_RX_T_APPN] == statuses
        assert isinstance(alive, EnquireLinkResp)

        del never_read
        gc.collect()
        await peer.send(a_receipt("77", 6))
        answer = await peer.receive()
        assert answer is not None
        assert 0 == answer.command_status


async def test_a_ledger_that_is_behind_makes_the_carrier_retry(
    autojump_clock: Any, open_by_hand: Make, raw: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whiteroute.engine.ledger.ledger.Ledger.room", 1)
    async with open_by_hand() as engine:
        peer = await raw.accept_bind()
        await peer.send(a_receipt("1", 1), a_receipt("2", 2))
        answers = [await peer.receive(), await peer.receive()]
        assert engine.carriers["acme"].is_bound

    assert [CommandStatus.ESME_RX_T_APPN] * 2 == [each.command_status for each in answers]


# 6. Every decision can be explained afterwards.


async def test_the_ledger_explains_route_answer_and_receipt(
    autojump_clock: Any, open_bench: Make, message: Make, route: Make
) -> None:
    handsets = Handsets(rules=(Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="001"),))
    center = MessageCenter(handsets=handsets)
    grey = route(id="grey", interconnect=Interconnect(kind=InterconnectKind.SIM, hops=1))
    async with open_bench(center=center, routes=[grey, route()]) as bench:
        await bench.engine.submit(message(message_ref="m-1", tags={"campaign": "autumn"}))
        await bench.engine.wait_receipts(10)
        history = bench.engine.ledger.message("m-1")

    decision = json.loads(history.message.decision)
    assert "acme-es" == decision["chosen"]
    assert ["grey"] == [each["route_id"] for each in decision["rejected"]]
    (attempt,) = history.attempts
    assert ("acme", "acme-es") == (attempt.started.carrier, attempt.started.route)
    assert attempt.started.started_at <= attempt.ended.ended_at
    (receipt,) = history.receipts
    assert ReceiptVerdict.MATCHED is receipt.verdict
    assert ("UNDELIV", "001") == (receipt.receipt.stat, receipt.receipt.err)
    assert receipt.receipt.error is not None
    assert "" != receipt.receipt.error.rule
    assert receipt.receipt.error.canonical.value == history.message.error_code
    assert {"campaign": "autumn"} == history.message.tags


async def test_a_file_tells_the_same_to_another_reader(
    autojump_clock: Any, open_bench: Make, message: Make, tmp_path: Any
) -> None:
    path = tmp_path / "ledger.db"
    async with open_bench(ledger=path) as bench:
        await bench.engine.submit(message(message_ref="m-1"))
        await bench.engine.wait_receipts(10)
        mine = bench.engine.ledger.message("m-1")
        reader = open_ledger_for_reading(path)
        theirs = reader.message("m-1")
        reader.close()
        binds = [change.what for change in bench.engine.ledger.reader.link_changes()]

    assert mine == theirs
    assert ["bound"] == binds


# Around them.


async def test_an_outcome_is_recorded_once_the_ledger_can_write_again(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench() as bench:
        store.refuses = (AttemptEnded,)

        async def mend() -> None:
            await trio.sleep(10.5)
            store.refuses = ()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(mend)
            before = trio.current_time()
            outcome = await bench.engine.submit(message(message_ref="m-1"))
            waited = trio.current_time() - before
        await bench.engine.wait_receipts(10)
        history = bench.engine.ledger.message("m-1")

        assert 1 == len(bench.center.submitted)
    assert DeliveryState.ACCEPTED is outcome.state
    assert 10.5 <= waited < 12
    # Its receipt was there before, and waited.
    assert DeliveryState.DELIVERED is history.message.state


async def test_a_ledger_that_never_recovers_does_not_hold_up_the_end(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    told: list[Any] = []
    async with trio.open_nursery() as nursery:
        async with open_bench() as bench:
            store.refuses = (AttemptEnded,)

            async def submit() -> None:
                told.append(await bench.engine.submit(message(message_ref="m-1")))

            nursery.start_soon(submit)
            await bench.center.wait_for("receipt_acknowledged")
            before = trio.current_time()
        assert trio.current_time() - before < 20

    # It was sent, and what the carrier said of it could not be written.
    assert [DeliveryState.IN_DOUBT] == [outcome.state for outcome in told]


async def test_a_response_in_two_pieces_is_one_answer(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        peer = await raw.accept_bind()
        outcomes: list[Any] = []

        async def submit() -> None:
            outcomes.append(await engine.submit(message()))

        nursery.start_soon(submit)
        request = await peer.receive()
        assert request is not None
        octets = encode(SubmitSmResp(message_id="77", sequence_number=request.sequence_number))
        await peer.send(octets[:10])
        await trio.sleep(3)
        await peer.send(octets[10:])

    assert [("77",)] == [outcome.message_ids for outcome in outcomes]
