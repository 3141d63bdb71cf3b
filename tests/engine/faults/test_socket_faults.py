"""Faults of real sockets under a bound link: the bind recovers, every request ends once, nothing leaks."""

import json
import signal
import sys
from collections.abc import Callable
from random import Random

import pytest
import trio
import trio.testing

from whiteroute.engine.profile import CarrierProfile
from whiteroute.engine.session import SessionSettings

# What peers do. The window is 10, so 10 submit_sm come at once.


HOLE_LASTS = 600
"""Seconds until a peer that does nothing lets go of its own end: longer than we hold ours."""


async def do_nothing() -> None:
    with trio.move_on_after(HOLE_LASTS):
        await trio.sleep_forever()


async def resets_at_once(conversation) -> None:
    conversation.reset()


async def closes_at_once(_conversation) -> None:
    pass


async def resets_after_the_bind(conversation) -> None:
    await conversation.bind()
    conversation.reset()


async def resets_with_requests_unread(conversation) -> None:
    await conversation.bind()
    await conversation.stream.receive_some(1)
    conversation.reset()


async def resets_between_answers(conversation) -> None:
    await conversation.bind()
    for _ in range(3):
        request = await conversation.next_submit()
        await conversation.stream.send_all(conversation.answer_to(request))
    conversation.reset()


async def closes_within_an_answer(conversation) -> None:
    await conversation.bind()
    request = await conversation.next_submit()
    await conversation.stream.send_all(conversation.answer_to(request)[:7])


async def closes_its_half_and_reads_on(conversation) -> None:
    await conversation.bind()
    request = await conversation.next_submit()
    await conversation.stream.send_all(conversation.answer_to(request))
    await conversation.stream.send_eof()
    while await conversation.stream.receive_some():
        pass


async def becomes_a_black_hole(conversation) -> None:
    await conversation.bind()
    await conversation.next_submit()
    await do_nothing()


async def is_a_black_hole_from_the_start(_conversation) -> None:
    await do_nothing()


async def reads_on_and_never_answers(conversation) -> None:
    await conversation.bind()
    while await conversation.stream.receive_some():
        pass


OUTAGES = [
    resets_at_once,
    closes_at_once,
    resets_after_the_bind,
    resets_with_requests_unread,
    resets_between_answers,
    closes_within_an_answer,
    closes_its_half_and_reads_on,
    becomes_a_black_hole,
    is_a_black_hole_from_the_start,
    reads_on_and_never_answers,
]


@pytest.mark.parametrize("fault", OUTAGES, ids=lambda fault: fault.__name__)
async def test_a_bind_recovers_and_every_request_ends_once(
    autojump_clock, open_peer, open_carrier, owner, alive, fault: Callable[..., object]
):
    async with open_peer() as peer, open_carrier(peer.port) as carrier:
        assert ["ANSWERED"] * 20 == await owner.send(carrier, 20)
        await trio.testing.wait_all_tasks_blocked()
        before = alive()
        for _ in range(5):
            lost = len([change for change in owner.changes if change.what != "bound"])
            peer.faults[:] = [fault]
            # End the sound link, so that the next one has the fault.
            carrier.links[0].close(detail="for the test")
            with trio.fail_after(3600):
                await owner.send(carrier, 20)
                await owner.wait(lambda lost=lost: len(owner.changes) > lost and not peer.faults)
                await owner.wait_bound(carrier)
                assert ["ANSWERED"] == await owner.send(carrier, 1)
        # Not a multiple of enquire_link_interval, or one would be in flight.
        await trio.sleep(HOLE_LASTS + 1)
        assert before == alive()
        owner.check_each_ended_once()
        # Every answer came to the request it was for.
        assert all(
            message_id == "id-" + ref.removeprefix("m-")
            for ref, message_id in owner.message_ids.items()
        )


async def test_dozens_of_outages_of_every_kind_leave_nothing_behind(
    autojump_clock, open_peer, open_carrier, owner, alive
):
    outset = alive()
    async with open_peer() as peer, open_carrier(peer.port) as carrier:
        await owner.send(carrier, 1)
        await trio.testing.wait_all_tasks_blocked()
        before = alive()
        peer.faults = Random(7).choices(OUTAGES, k=40)
        carrier.links[0].close(detail="for the test")
        while peer.faults:
            await owner.send(carrier, 15)
        await owner.wait_bound(carrier)
        while ["ANSWERED"] != await owner.send(carrier, 1):
            pass
        # Not a multiple of enquire_link_interval, or one would be in flight.
        await trio.sleep(HOLE_LASTS + 1)
        assert before == alive()
        assert peer.links > 40
        owner.check_each_ended_once()
    await trio.testing.wait_all_tasks_blocked()
    after = alive()
    assert (outset["tasks"], outset["sockets"]) == (after["tasks"], after["sockets"])


# Faults that are none if we do our part.


async def sends_octet_by_octet(conversation) -> None:
    send = conversation.stream.send_all

    async def split(octets: bytes) -> None:
        for at in range(len(octets)):
            await send(octets[at : at + 1])

    conversation.stream.send_all = split
    await conversation.behave()


async def answers_in_any_order(conversation) -> None:
    await conversation.bind()
    random = Random(3)
    while True:
        window = []
        while len(window) < 10:
            if (request := await conversation.next_submit()) is None:
                return
            window.append(conversation.answer_to(request))
        # Not one answer is where its request was.
        ordered = list(window)
        while any(one == other for one, other in zip(window, ordered, strict=True)):
            random.shuffle(window)
        await conversation.stream.send_all(b"".join(window))


@pytest.mark.parametrize("fault", [sends_octet_by_octet, answers_in_any_order])
async def test_what_looks_odd_costs_nothing(
    autojump_clock, open_peer, open_carrier, owner, alive, fault: Callable[..., object]
):
    async with open_peer(fault) as peer, open_carrier(peer.port) as carrier:
        assert ["ANSWERED"] * 10 == await owner.send(carrier, 10)
        await trio.testing.wait_all_tasks_blocked()
        before = alive()
        assert ["ANSWERED"] * 200 == await owner.send(carrier, 200)
        await trio.testing.wait_all_tasks_blocked()
        assert before == alive()
        assert 1 == peer.links
        owner.check_each_ended_once()
        assert {f"m-{number}": f"id-{number}" for number in range(210)} == owner.message_ids


# A process that is stopped by the system: its sockets stand and accept, and nothing answers.


@pytest.fixture
def patient_clock() -> trio.testing.MockClock:
    """A clock that gives another process its turn before it jumps."""
    return trio.testing.MockClock(autojump_threshold=0.3)


async def test_a_peer_that_is_stopped_and_goes_on(patient_clock, open_carrier, owner, alive):
    command = [sys.executable, "-m", "whiteroute", "simulate", "--port", "0", "--json"]
    profile = CarrierProfile(
        session=SessionSettings(
            enquire_link_interval=10, response_timeout=20, session_init_timeout=10
        )
    )
    process = await trio.lowlevel.open_process(command, stdout=-1, stderr=-3)
    try:
        said = b""
        while b"\n" not in said:
            octets = await process.stdout.receive_some()
            assert octets, "the simulator ended"
            said += octets
        port = json.loads(said.splitlines()[0])["listening"]["port"]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(drain, process.stdout)
            async with open_carrier(port, profile=profile) as carrier:
                with trio.fail_after(86_400):
                    assert {"ANSWERED"} == set(await owner.send(carrier, 20))
                    before = alive()
                    process.send_signal(signal.SIGSTOP)
                    ended = await owner.send(carrier, 10)
                    assert {"UNKNOWN", "TIMED_OUT"} >= set(ended)
                    await owner.wait(lambda: not carrier.is_bound)
                    # Its system still accepts; each of these binds ends without an answer.
                    unanswered = len(owner.changes) + 2
                    await owner.wait(lambda: len(owner.changes) >= unanswered)
                    process.send_signal(signal.SIGCONT)
                    await owner.wait_bound(carrier)
                    while {"ANSWERED"} != set(await owner.send(carrier, 5)):
                        pass
                    after = alive()
                    assert {
                        key: before[key] for key in ("Link", "Session", "sockets", "tasks")
                    } == {key: after[key] for key in ("Link", "Session", "sockets", "tasks")}
                    owner.check_each_ended_once()
            nursery.cancel_scope.cancel()
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()
        await process.stdout.aclose()


async def drain(stream: trio.abc.ReceiveStream) -> None:
    async for _ in stream:
        pass
