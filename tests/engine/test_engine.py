"""The engine as a whole: its events, its waits, its figures, and how it is opened."""

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.config import ConfigError, parse_config
from whiteroute.engine.ledger import LedgerError, MemoryStore
from whiteroute.engine.messages import DeliveryState
from whiteroute.engine.service import LinkEvent, ReceiptEvent, open_engine
from whiteroute.pdu import BindReceiver, BindReceiverResp, CommandStatus, EncodeError
from whiteroute.routing import NumberError
from whiteroute.simulators import Account, MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]


# Events.


async def test_listeners_hear_of_binds(autojump_clock: Any, open_bench: Make) -> None:
    async with open_bench(bound=False) as bench:
        events = bench.engine.events()
        event = await anext(events)

    assert isinstance(event, LinkEvent)
    assert ("acme", "acme/1", "bound", "BOUND_TRX", None) == (
        event.carrier,
        event.link,
        event.what,
        event.cause,
        event.command_status,
    )
    # It unbound at the end, which is the last that is heard.
    assert ["lost"] == [event.what async for event in events]


async def test_all_listeners_hear_all_from_the_moment_they_are_made(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        one, other = bench.engine.events(), bench.engine.events()
        await bench.engine.submit(message())
        await bench.engine.wait_receipts(5)
        late = bench.engine.events()
    heard = [
        [event async for event in events if isinstance(event, ReceiptEvent)]
        for events in (one, other, late)
    ]

    assert [1, 1, 0] == [len(each) for each in heard]
    assert heard[0] == heard[1]


async def test_a_listener_that_waits_is_woken(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    heard = []
    async with trio.open_nursery() as nursery, open_bench() as bench:

        async def listen(events: Any) -> None:
            async for event in events:
                heard.append(type(event))  # noqa: PERF401 - it is woken in between

        nursery.start_soon(listen, bench.engine.events())
        await trio.sleep(1)
        await bench.engine.submit(message())
        await bench.engine.wait_receipts(5)

    assert [ReceiptEvent, LinkEvent] == heard


async def test_events_of_an_engine_that_is_closed_are_over(
    autojump_clock: Any, open_bench: Make
) -> None:
    async with open_bench() as bench:
        pass

    assert [] == [event async for event in bench.engine.events()]


async def test_a_listener_that_left_is_forgotten(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        await bench.engine.submit(message())
        async for _ in bench.engine.events():
            break
        gc.collect()

        assert 0 == len(bench.engine._subscriptions._listeners)


# Waiting.


async def test_nothing_is_told_when_all_are_bound(autojump_clock: Any, open_bench: Make) -> None:
    async with open_bench(bound=False) as bench:
        assert () == await bench.engine.wait_bound(5)
        assert () == await bench.engine.wait_bound(5)


async def test_a_refused_bind_is_told_without_waiting_for_the_end(
    autojump_clock: Any, open_bench: Make
) -> None:
    center = MessageCenter(accounts=[Account(system_id="gateway", password="other")])
    async with open_bench(center=center, bound=False) as bench:
        before = trio.current_time()
        (event,) = await bench.engine.wait_bound(60)

        assert trio.current_time() - before < 1
    assert ("stopped", CommandStatus.ESME_RINVPASWD) == (event.what, event.command_status)


async def test_a_carrier_that_says_nothing_is_told_too(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    async with open_by_hand() as engine:
        (event,) = await engine.wait_bound(3)

    assert ("acme", "unreachable", "no bind within 3 s") == (
        event.carrier,
        event.what,
        event.cause,
    )


async def test_a_receiver_that_is_bound_is_no_news_of_a_transmitter_that_is_not(
    autojump_clock: Any, open_by_hand: Make, raw: Any
) -> None:
    async with open_by_hand(bind="tx+rx") as engine:
        for _ in range(2):
            peer = await raw.accept()
            bind = await peer.receive()
            if isinstance(bind, BindReceiver):
                await peer.send(BindReceiverResp(sequence_number=bind.sequence_number))
        (event,) = await engine.wait_bound(60)

    assert ("acme/1-tx", "lost") == (event.link, event.what)


async def test_receipts_are_waited_for(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        assert 0 == await bench.engine.wait_receipts(5)
        await bench.engine.submit(message())
        assert 0 == await bench.engine.wait_receipts(5)
        bench.center.behaviours = (behaviours.NoReceipt(),)
        await bench.engine.submit(message())
        await bench.engine.submit(message())
        before = trio.current_time()
        assert 2 == await bench.engine.wait_receipts(2)
        assert trio.current_time() - before == pytest.approx(2, abs=0.1)


# Figures, and a decision without sending.


async def test_the_figures_tell_what_is_under_way(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with (
        open_bench(behaviours.SlowResponse(5.0), window=2) as bench,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(bench.engine.submit, message())
        await trio.sleep(1)
        figures = bench.engine.statistics()
        (carrier,) = figures.carriers

        assert (3, 1, 2, 1, 2) == (
            figures.submissions,
            carrier.bound,
            carrier.in_flight,
            carrier.queued,
            carrier.sent,
        )
        assert figures.ledger.written > 0
        assert "<Engine 3 open, [<Carrier acme" in repr(bench.engine)


async def test_a_decision_is_made_without_sending(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        decision = bench.engine.explain(message())
        none = bench.engine.explain(message(to="+44700111222"))
        with pytest.raises(NumberError):
            bench.engine.explain(message(to="nobody"))

        assert 0 == len(bench.center.submitted)
    assert "acme-es" == decision.chosen.id
    assert none.chosen is None
    assert 1 == len(none.rejected)


# Opening.


TOML = """
[engine]
ledger = "ledger.db"
[carriers.acme]
hosts = ["127.0.0.1:{port}"]
system_id = "gateway"
[numbering]
"34600" = "214-07"
[routes.acme-es]
carrier = "acme"
networks = ["214-07"]
traffic_classes = ["transactional"]
interconnect = {{ kind = "DIRECT_MNO", hops = 0 }}
agreement = {{ id = "A-1", kind = "BILATERAL_A2P", counterparty = "214-07", valid_from = 2026-01-01, valid_to = 2027-12-31, attested_by = "ops@example.com", attested_at = 2026-11-01 }}
sender = {{ kinds = ["ALPHA", "LONG"], preserved = true, registered = ["ACME"] }}
price = {{ amount = "0.030", currency = "EUR", floor = "0.020" }}
"""


async def test_an_engine_of_a_file_on_a_real_clock(tmp_path: Path, message: Make) -> None:
    """The whole of it once as it is used: a TOML file, a thread that writes, real time."""
    async with open_message_center(MessageCenter()) as center:
        (tmp_path / "carriers.toml").write_text(TOML.format(port=center.port))
        noon_at = 1_795_348_800_000_000
        async with open_engine(tmp_path / "carriers.toml", now_at=lambda: noon_at) as engine:
            assert () == await engine.wait_bound(10)
            outcomes = [
                outcome
                async for outcome in engine.submit_many(
                    message(message_ref=f"m-{number}") for number in range(50)
                )
            ]
            assert 0 == await engine.wait_receipts(10)
            states = [engine.ledger.message(each.message_ref).message.state for each in outcomes]

    assert [DeliveryState.DELIVERED] * 50 == states
    assert (tmp_path / "ledger.db").exists()


async def test_a_file_that_is_wrong_is_said(tmp_path: Path) -> None:
    (tmp_path / "carriers.toml").write_text("[engine]\n")

    with pytest.raises(ConfigError):
        async with open_engine(tmp_path / "carriers.toml"):
            pass


async def test_two_engines_do_not_share_a_ledger(
    autojump_clock: Any, open_bench: Make, tmp_path: Path
) -> None:
    path = tmp_path / "ledger.db"
    async with open_bench(ledger=path):
        with pytest.RaisesGroup(LedgerError, allow_unwrapped=True, flatten_subgroups=True):
            async with open_bench(ledger=path):
                pass


async def test_credentials_that_cannot_be_written_are_said_at_the_start(config: Make) -> None:
    made = parse_config(TOML.format(port=1))
    (name, account), *_ = made.carriers.items()
    broken = attrs.evolve(made, carriers={name: attrs.evolve(account, system_id="\N{SNOWMAN}")})
    with pytest.RaisesGroup(EncodeError, allow_unwrapped=True, flatten_subgroups=True):
        async with open_engine(broken, ledger=MemoryStore()):
            pass


async def test_messages_for_an_engine_that_is_closed_are_refused(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        pass

    with pytest.raises(LedgerError, match="closed"):
        await bench.engine.submit(message())
