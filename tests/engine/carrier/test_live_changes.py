"""A carrier is changed while it runs: suspended, resumed, widened, narrowed, drained, withdrawn."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from whiteroute.engine.messages import RootCause
from whiteroute.engine.profile import BindOptions, CarrierProfile
from whiteroute.pdu import EnquireLink, Unbind, UnbindResp
from whiteroute.simulators import MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]


async def test_a_suspended_carrier_stays_bound_and_sends_nothing(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port) as carrier:
        await owner.wait_change("bound")
        carrier.suspend()
        carrier.suspend()
        carrier.enqueue(parts(3))
        await trio.sleep(500)
        figures = carrier.statistics()
        assert (True, 1, 3, 0) == (figures.suspended, figures.bound, figures.queued, figures.sent)
        assert "acme suspended" in repr(carrier)
        center.inject_mo("34600111222", "217", "hello")
        await owner.wait(lambda: bool(owner.arrived))
        carrier.resume()
        carrier.resume()
        await owner.wait(lambda: len(owner.ended) == 3)

    changes = [(change.what, change.link, change.root_cause) for _, change in owner.changes]
    assert ("suspended", "acme", RootCause.OURS) in changes
    assert 1 == len(owner.of("suspended"))
    assert 1 == len(owner.of("resumed"))
    assert {"acme/1"} == {change.link for change in carrier.last_changes}


async def test_a_window_is_changed_on_binds_that_stand(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(1.0),))
    async with open_message_center(center), open_carrier(center.port, window=2) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(50))
        await trio.sleep(0.5)
        assert 2 == carrier.statistics().in_flight
        carrier.set_window(20)
        await trio.sleep(0.2)
        assert 20 == carrier.statistics().in_flight
        carrier.set_window(1)
        await trio.sleep(2.5)
        assert 1 == carrier.statistics().in_flight
        assert 1 == carrier.settings.window
        carrier.set_window(50)
        await center.unbind_all()
        await owner.wait_change("bound", times=2)
        assert [50] == [link.window for link in carrier.statistics().links]


async def test_a_pace_is_changed_while_parts_wait(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port, tps=1.0) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(102))
        await trio.sleep(1.5)
        assert 2 == len(owner.ended)
        carrier.set_tps(50.0)
        before = trio.current_time()
        await owner.wait(lambda: len(owner.ended) == 102)

        assert 1.8 <= trio.current_time() - before <= 2.8
        assert 50.0 == carrier.settings.tps


async def test_binds_are_added_and_those_too_many_end_when_they_are_answered(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(3.0),))
    async with open_message_center(center), open_carrier(center.port, window=2) as carrier:
        await owner.wait_change("bound")
        carrier.set_binds(3)
        await owner.wait_change("bound", times=3)
        carrier.enqueue(parts(6))
        await center.wait_for("bind", times=3)
        await trio.sleep(0.5)
        carrier.set_binds(1)
        await trio.sleep(0.5)
        assert (1, 1, 6) == (
            carrier.statistics().bound,
            carrier.statistics().binds,
            carrier.statistics().in_flight,
        )
        await owner.wait_change("lost", times=2)
        assert 6 == len([exchange for _, exchange in owner.ended if exchange.response])
        assert () == carrier.failures
        assert {"acme/2", "acme/3"} == {change.link for change in owner.of("lost")}
        assert {RootCause.OURS} == {change.root_cause for change in owner.of("lost")}
        carrier.set_binds(2)
        await owner.wait_change("bound", times=4)
        assert 2 == center.statistics().binds


async def test_no_two_links_are_called_the_same_while_some_still_end(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(10.0),))
    async with open_message_center(center), open_carrier(center.port, binds=2) as carrier:
        await owner.wait_change("bound", times=2)
        carrier.enqueue(parts(20))
        await trio.sleep(1)
        carrier.set_binds(1)
        await trio.sleep(1)
        carrier.set_binds(2)
        await owner.wait_change("bound", times=3)

        assert {"acme/1", "acme/2", "acme/3"} == {link.name for link in carrier.links}
        assert ["acme/1", "acme/3"] == [bind.name for bind in carrier.statistics().kept]
        await trio.sleep(20)
        carrier.set_binds(3)
        await owner.wait_change("bound", times=4)
        assert {"acme/1", "acme/2", "acme/3"} == {link.name for link in carrier.links}


async def test_no_more_binds_are_kept_than_the_carrier_allows(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    profile = CarrierProfile(name="narrow", bind=BindOptions(most_binds=2))
    async with open_carrier(1, profile=profile) as carrier:
        with pytest.raises(ValueError, match="binds: 3, expected at most 2, which is what profile"):
            carrier.set_binds(3)
        assert 1 == carrier.settings.binds
        carrier.set_binds(2)
        assert 2 == carrier.settings.binds


async def test_binds_can_be_changed_before_it_runs(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port) as carrier:
        carrier.set_binds(2)
        await owner.wait_change("bound", times=2)
        assert 2 == center.statistics().binds


async def test_binds_can_be_changed_before_any_is_up(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port, binds=2) as carrier:
        await raw.accept()
        carrier.set_binds(1)
        await raw.accept_bind()
        await owner.wait_change("bound")
        await trio.sleep(20)
        assert 1 == len(carrier.links)


@pytest.mark.parametrize(
    ("change", "value", "found"),
    [
        ("set_window", 0, "window: 0"),
        ("set_binds", 0, "binds: 0"),
        ("set_tps", 0.0, "tps: 0.0"),
        ("set_tps", -1.0, "tps: -1.0"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    autojump_clock: Any, open_carrier: Make, raw: Any, change: str, value: float, found: str
) -> None:
    async with open_carrier(raw.port) as carrier:
        before = carrier.settings
        with pytest.raises(ValueError, match=f"{found}, expected"):
            getattr(carrier, change)(value)
        assert carrier.settings is before


# The end.


async def test_a_drain_waits_for_receipts_with_the_binds_up(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    waited: list[float] = []

    async def wait_receipts(until: float) -> int:
        waited.append(until)
        assert carrier.is_bound
        await trio.sleep_until(until)
        return 7

    async with open_carrier(raw.port) as carrier:
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        before = trio.current_time()
        reports: list[Any] = []

        async def drain() -> None:
            reports.append(await carrier.drain(20, wait_receipts=wait_receipts))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain)
            await trio.sleep(10)
            await peer.send(EnquireLink(sequence_number=9))
            assert 0x8000_0015 == (await peer.receive()).command_id
            unbind = await peer.receive()
            assert isinstance(unbind, Unbind)
            await peer.send(UnbindResp(sequence_number=unbind.sequence_number))
        (report,) = reports
        assert [before + 20] == waited

    assert (7, 1, 0) == (report.receipts_outstanding, report.links_unbound, report.links_cut)
    assert "acme: 7 without their receipt; 1 unbound" == str(report)
    assert 20 <= report.took < 21


async def test_a_link_lost_while_receipts_are_waited_for_is_bound_again(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async def wait_receipts(until: float) -> int:
        await trio.sleep_until(until)
        return 0

    async with open_carrier(raw.port) as carrier:
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        async with trio.open_nursery() as nursery:

            async def drain() -> None:
                await carrier.drain(20, wait_receipts=wait_receipts)

            nursery.start_soon(drain)
            await trio.sleep(1)
            await peer.aclose()
            await raw.accept_bind()
            await owner.wait_change("bound", times=2)


async def test_a_carrier_that_has_drained_runs_no_more(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port, binds=2) as carrier:
        await owner.wait_change("bound", times=2)
        report = await carrier.drain(5)
        assert (2, 0) == (report.links_unbound, report.links_cut)
        assert "acme: nothing left; 2 unbound" == str(report)
        # Once it is over, running it comes to nothing.
        await carrier.run()
        assert () == carrier.links


async def test_what_waits_for_a_withdrawn_carrier_goes_back_to_its_owner(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make, raw: Any
) -> None:
    async with open_carrier(raw.port) as carrier:
        early, soon, late, later, last = parts(5)
        carrier.enqueue([soon])
        carrier.enqueue_later(early, 5)
        await carrier.drain(1)
        carrier.withdraw()
        carrier.enqueue([late])
        carrier.enqueue_later(later, 3)
        carrier.enqueue([last])

        assert [early, soon, late, later, last] == owner.left
        assert 0 == carrier.statistics().queued
