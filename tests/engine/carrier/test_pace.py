"""Parts leave one by one at the pace that the contract allows and the carrier bears."""

from collections.abc import Callable
from itertools import pairwise
from math import inf
from typing import Any

import attrs
import pytest
import trio

from whiteroute.engine.messages import ErrorSpaces
from whiteroute.engine.profile import CarrierProfile
from whiteroute.pdu import CommandStatus, SubmitSm, SubmitSmResp, make_tlvs
from whiteroute.simulators import MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]


def most_within(times: list[float], width: float = 1.0) -> int:
    """Count what the fullest stretch of time holds."""
    return max(
        sum(1 for at in times[place:] if at - begin < width) for place, begin in enumerate(times)
    )


def times_of(center: MessageCenter) -> list[float]:
    return [each.submitted_at for each in center.submitted]


@pytest.mark.parametrize("tps", [0.5, 3.0, 40.0])
@pytest.mark.parametrize("disk", [0.0, 0.03, 0.4])
async def test_no_second_holds_more_than_the_pace_however_slow_the_disk_is(
    autojump_clock: Any,
    open_account: Make,
    messages: Make,
    persistent: Any,
    tps: float,
    disk: float,
) -> None:
    persistent.disk = disk
    number = max(4, int(tps * 4))
    center = MessageCenter()
    async with (
        open_message_center(center),
        open_account(center.port, window=100, tps=tps) as carrier,
    ):
        carrier.enqueue(messages(number))
        await persistent.wait(lambda: len(persistent.accepted) == number)

    times = times_of(center)
    assert most_within(times) <= max(1, tps)
    # The first parts wait for a disk whose slowness is not known yet.
    took = times[-1] - times[0]
    assert number / tps - 3 / tps - 0.1 <= took <= 1.03 * number / tps + 3 * disk


async def test_after_a_rest_parts_leave_as_smoothly(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_account(center.port, tps=20.0) as carrier:
        carrier.enqueue(messages(1))
        await trio.sleep(10)
        carrier.enqueue(messages(10, ref="n"))
        await persistent.wait(lambda: len(persistent.accepted) == 11)

    gaps = [later - at for at, later in pairwise(times_of(center)[1:])]
    assert all(0.045 <= gap <= 0.06 for gap in gaps)


async def test_each_bind_keeps_its_own_pace(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter()
    async with (
        open_message_center(center),
        open_account(center.port, binds=3, window=100, tps_per_bind=10.0) as carrier,
    ):
        assert 30.0 == carrier.statistics().pace
        carrier.enqueue(messages(150))
        await persistent.wait(lambda: len(persistent.accepted) == 150)
        by_link = [link.requests_sent - 1 for link in carrier.statistics().links]

    times = times_of(center)
    assert most_within(times) <= 30
    assert times[-1] - times[0] == pytest.approx(5.0, abs=0.3)
    assert all(number == pytest.approx(50, abs=3) for number in by_link)


async def test_a_bind_that_is_left_alone_does_not_take_the_pace_of_all(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any, raw: Any
) -> None:
    async with trio.open_nursery() as nursery:
        peers: list[Any] = []

        async def accept() -> None:
            peers.append(await raw.accept_bind())
            peers.append(await raw.accept_bind())

        nursery.start_soon(accept)
        async with open_account(raw.port, binds=2, tps_per_bind=5.0, window=50) as carrier:
            await peers[0].aclose()
            await persistent.wait(lambda: carrier.statistics().bound == 1)
            carrier.enqueue(messages(40))
            before = trio.current_time()
            received = []
            with trio.move_on_after(0.99):
                while True:
                    received.append(await peers[1].receive())
            assert trio.current_time() - before <= 1
        nursery.cancel_scope.cancel()

    assert 3 <= len(received) <= 5


async def test_the_pace_may_change_while_parts_leave(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_account(center.port, tps=1.0) as carrier:
        carrier.enqueue(messages(60))
        await trio.sleep(3.5)
        slow = len(persistent.accepted)
        carrier.set_tps(50.0)
        await trio.sleep(0.5)
        fast = len(persistent.accepted)
        carrier.set_tps(None)
        await persistent.wait(lambda: len(persistent.accepted) == 60)
        assert carrier.statistics().pace is None

    assert 4 == slow
    assert 20 <= fast - slow <= 30


# What the carrier bears.


async def test_the_pace_comes_to_rest_below_what_is_throttled(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.Throttle(20),))
    async with (
        open_message_center(center),
        open_account(center.port, binds=2, window=10, tps=100.0) as carrier,
    ):
        carrier.enqueue(messages(500))
        await trio.sleep(15)
        early = len(persistent.refused)
        await persistent.wait(lambda: len(persistent.accepted) == 500)
        statistics = carrier.statistics()

    assert early <= 120
    assert len(persistent.refused) - early <= 10
    assert statistics.ceiling == pytest.approx(20, rel=0.25)
    assert statistics.pace is not None
    assert 13 <= statistics.pace <= 23
    assert "lowered" == persistent.ceilings[0].what
    assert ("acme", 100.0) == (persistent.ceilings[-1].carrier, persistent.ceilings[-1].contract)
    assert trio.current_time() <= 1.4 * 500 / 20


async def test_what_was_learned_is_handed_in_and_probed(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.Throttle(20),))
    async with (
        open_message_center(center),
        open_account(center.port, window=100, tps=100.0, learned_tps=19.5) as carrier,
    ):
        assert 19.5 == carrier.statistics().ceiling
        carrier.enqueue(messages(200))
        await persistent.wait(lambda: len(persistent.accepted) == 200)

    assert len(persistent.refused) <= 2


@pytest.mark.parametrize(
    "status", [CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RMSGQFUL, 0x450]
)
async def test_a_complaint_pauses_the_account_and_everything_that_was_written_ahead(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any, status: int
) -> None:
    profile = CarrierProfile(errors=ErrorSpaces(status_overrides={0x450: "THROTTLED"}))
    center = MessageCenter(behaviours=(behaviours.RefuseSubmits(status, times=1),))
    async with (
        open_message_center(center),
        open_account(center.port, window=1, profile=profile, throttle_delay=4.0) as carrier,
    ):
        carrier.enqueue(messages(5))
        await persistent.wait(lambda: len(persistent.accepted) >= 4)

    times = times_of(center)
    assert times[1] - times[0] == pytest.approx(4.0, abs=0.1)


async def test_a_refusal_that_says_nothing_about_speed_changes_nothing(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(
        behaviours=(behaviours.RefuseSubmits(CommandStatus.ESME_RINVDSTADR, times=5),)
    )
    async with open_message_center(center), open_account(center.port, tps=50.0) as carrier:
        carrier.enqueue(messages(10))
        await persistent.wait(lambda: len(persistent.accepted) == 5)
        assert (50.0, None) == (carrier.statistics().pace, carrier.statistics().ceiling)

    assert 5 == len(persistent.refused)


async def test_submit_failed_with_a_full_window_is_a_complaint(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(
        behaviours=(behaviours.RefuseSubmits(CommandStatus.ESME_RSUBMITFAIL, times=1),)
    )
    async with open_message_center(center), open_account(center.port, tps=50.0) as carrier:
        carrier.enqueue(messages(1))
        await persistent.wait(lambda: len(persistent.refused) == 1)
        assert carrier.statistics().ceiling is None
        assert not persistent.refused[0][0].window_was_full

    persistent.refused.clear()
    async with open_message_center(center), open_account(center.port, window=1) as carrier:
        carrier.enqueue(messages(2))
        await persistent.wait(lambda: len(persistent.refused) == 1)
        assert carrier.statistics().ceiling is not None
        assert persistent.refused[0][0].window_was_full
        assert not persistent.refused[0][0].again().window_was_full


async def answer_all(peer: Any, **tlvs: int) -> None:
    """Accept every message, with these TLVs."""
    while True:
        request = await peer.receive()
        if isinstance(request, SubmitSm):
            response = SubmitSmResp(
                message_id="1",
                tlvs=make_tlvs(**tlvs),
                sequence_number=request.sequence_number,
            )
            await peer.send(response)


@pytest.mark.parametrize(("state", "is_lower"), [(79, False), (95, True), (100, True)])
async def test_congestion_lowers_the_pace(
    autojump_clock: Any,
    open_account: Make,
    messages: Make,
    persistent: Any,
    raw: Any,
    state: int,
    is_lower: bool,
) -> None:
    async with trio.open_nursery() as nursery:

        async def play() -> None:
            await answer_all(await raw.accept_bind(), congestion_state=state)

        nursery.start_soon(play)
        async with open_account(raw.port, tps=20.0) as carrier:
            carrier.enqueue(messages(60))
            await persistent.wait(lambda: len(persistent.accepted) == 60)
            pace = carrier.statistics().pace or inf
        nursery.cancel_scope.cancel()

    assert (pace < 15.0) is is_lower


async def test_slow_answers_lower_the_pace_unless_it_may_not_learn(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    for learns in (True, False):
        persistent.accepted.clear()
        center = MessageCenter(behaviours=(behaviours.SlowResponse(6.0),))
        async with (
            open_message_center(center),
            open_account(center.port, window=100, tps=5.0, learns=learns) as carrier,
        ):
            carrier.enqueue(messages(50))
            await persistent.wait(lambda: len(persistent.accepted) == 50)
            assert ((carrier.statistics().pace or inf) < 5.0) is learns


async def test_answers_that_never_come_count_as_slow(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.NoResponse(),))
    profile = CarrierProfile()
    profile = attrs.evolve(profile, session=attrs.evolve(profile.session, response_timeout=8.0))
    async with (
        open_message_center(center),
        open_account(center.port, window=100, tps=5.0, profile=profile) as carrier,
    ):
        carrier.enqueue(messages(30))
        await persistent.wait(lambda: len(persistent.lost) == 30)
        assert (carrier.statistics().pace or inf) < 5.0
    assert persistent.ceilings[0].cause == "responses take 8.0 s"


# What is written ahead and has not left.


async def test_what_waits_for_its_turn_when_it_expires_does_not_leave(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    persistent.disk = 0.4
    center = MessageCenter()
    async with open_message_center(center), open_account(center.port, tps=10.0) as carrier:
        carrier.enqueue(messages(40, expires_at=trio.current_time() + 2.0))
        await persistent.wait(lambda: len(persistent.accepted) + len(persistent.expired) == 40)

    assert persistent.unwritten
    assert 10 <= len(persistent.accepted) <= 21
    assert len(times_of(center)) == len(persistent.accepted)


async def test_a_suspended_carrier_gives_back_what_has_not_left(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    persistent.disk = 0.4
    center = MessageCenter()
    async with open_message_center(center), open_account(center.port, tps=10.0) as carrier:
        carrier.enqueue(messages(40))
        await trio.sleep(3)
        carrier.suspend()
        await trio.sleep(1)
        sent = len(times_of(center))
        statistics = carrier.statistics()
        assert (0, 40 - sent) == (statistics.in_flight, statistics.queued)
        carrier.resume()
        await persistent.wait(lambda: len(persistent.accepted) == 40)

    assert persistent.unwritten


async def test_a_lone_part_goes_over_another_bind_each_time(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_account(center.port, binds=4) as carrier:
        for number in range(8):
            carrier.enqueue(messages(1, ref=f"n{number}"))
            await trio.sleep(1)
        sent = [link.requests_sent - 1 for link in carrier.statistics().links]

    assert [2, 2, 2, 2] == sent
