"""A carrier finds a way to be bound: other operations, other versions, other hosts, and no hammering."""

from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest
import trio

from whiteroute.engine.carrier import BindPhase, Host
from whiteroute.engine.messages import RootCause
from whiteroute.engine.profile import BindOptions, CarrierProfile, RebindOptions
from whiteroute.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CommandStatus,
    GenericNack,
    make_tlvs,
)
from whiteroute.simulators import Account, MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]
NoPort = Callable[[], Awaitable[int]]


def binds_at(center: MessageCenter) -> int:
    return center.statistics().binds


# The ladder.


@pytest.mark.parametrize("nack", [False, True])
async def test_a_carrier_without_transceivers_gets_pairs(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make, nack: bool
) -> None:
    center = MessageCenter(behaviours=(behaviours.RefuseTransceiver(nack=nack),))
    async with open_message_center(center), open_carrier(center.port, binds=2) as carrier:
        await owner.wait_change("bound", times=4)
        carrier.enqueue(parts(10))
        await owner.wait(lambda: len(owner.ended) == 10)

        assert (2, "a transmitter and a receiver by SMPP 3.4") == (
            carrier.statistics().bound,
            carrier.statistics().asked_for,
        )
        assert () == carrier.failures
    (change,) = owner.of("fallback")
    assert "asking for a transmitter and a receiver by SMPP 3.4" in change.cause
    assert {"acme/1-tx", "acme/1-rx", "acme/2-tx", "acme/2-rx"} == {
        each.link for each in owner.of("bound")
    }
    assert {False} == {each.can_submit for each in owner.of("bound") if "-rx" in each.link}


async def test_a_version_that_is_refused_becomes_the_one_in_the_answer(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    profile = CarrierProfile(bind=BindOptions(interface_version=0x50))
    async with open_carrier(raw.port, profile=profile):
        peer = await raw.accept()
        bind = await peer.receive()
        assert 0x50 == bind.interface_version
        await peer.send(
            BindTransceiverResp(
                command_status=CommandStatus.ESME_RSYSERR,
                sequence_number=bind.sequence_number,
                tlvs=make_tlvs(sc_interface_version=0x34),
            )
        )
        again = await (await raw.accept()).receive()

    assert isinstance(again, BindTransceiver)
    assert 0x34 == again.interface_version
    assert ["fallback"] == [change.what for _, change in owner.changes][:1]


async def test_what_is_learned_is_remembered_while_it_runs(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port):
        peer = await raw.accept()
        bind = await peer.receive()
        await peer.send(
            GenericNack(
                command_status=CommandStatus.ESME_RINVCMDID, sequence_number=bind.sequence_number
            )
        )
        for _ in range(2):
            asked, pair = set(), []
            for _ in range(2):
                each = await raw.accept()
                pair.append(each)
                bind = await each.receive()
                asked.add(type(bind))
                response = (
                    BindReceiverResp if isinstance(bind, BindReceiver) else BindTransmitterResp
                )
                await each.send(response(sequence_number=bind.sequence_number))
            assert {BindTransmitter, BindReceiver} == asked
            await trio.sleep(20)
            for each in pair:
                await each.aclose()


async def test_nothing_else_is_asked_for_where_the_profile_says_so(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.RefuseTransceiver(),))
    profile = CarrierProfile(bind=BindOptions(fallback=False))
    async with open_message_center(center), open_carrier(center.port, profile=profile):
        await owner.wait_change("refused", times=4)

    assert [] == owner.of("fallback")
    assert [] == owner.of("bound")


# Credentials.


async def test_one_wrong_password_is_tried_once_for_all_binds(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter(accounts=[Account(system_id="gateway", password="right")])
    async with (
        open_message_center(center),
        open_carrier(center.port, binds=4, password="wrong") as carrier,
    ):
        await owner.wait_change("stopped", times=4)
        await trio.sleep(80_000)

        assert 1 == len([event for event in center.events() if event.event == "bind"])
        assert {BindPhase.STOPPED} == {bind.phase for bind in carrier.statistics().kept}
        center._desk.accounts = (Account(system_id="gateway", password="wrong"),)
        carrier.retry()
        await owner.wait_change("bound", times=4)
        assert () == carrier.failures

    causes = [change.cause for change in owner.of("stopped")]
    assert 1 == len([cause for cause in causes if not cause.startswith("not tried, because of")])
    assert {RootCause.CREDENTIALS} == {change.root_cause for change in owner.of("stopped")}


async def test_a_bind_that_is_up_stays_when_another_is_refused_its_credentials(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port, binds=2) as carrier:
        first = await raw.accept_bind()
        await owner.wait_change("bound")
        second = await raw.accept()
        bind = await second.receive()
        await second.send(
            BindTransceiverResp(
                command_status=CommandStatus.ESME_RINVPASWD, sequence_number=bind.sequence_number
            )
        )
        await owner.wait_change("stopped")
        assert carrier.is_bound
        await first.aclose()
        await owner.wait_change("stopped", times=2)

    assert ["bound", "stopped", "lost", "stopped"] == [change.what for _, change in owner.changes]


async def test_a_slow_first_bind_does_not_hold_up_the_others_for_long(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port, binds=2):
        await raw.accept()
        before = trio.current_time()
        await raw.accept_bind()
        await owner.wait_change("bound")
        assert trio.current_time() - before <= 2.5


# Hosts.


async def test_a_bind_returns_to_the_first_host_and_breaks_nothing(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    first, second = MessageCenter(), MessageCenter(behaviours=(behaviours.SlowResponse(5.0),))
    profile = CarrierProfile(rebind=RebindOptions(fail_back_after=300.0))
    async with (
        open_message_center(second),
        open_message_center(first),
        open_carrier(first.port, second.port, profile=profile, window=5) as carrier,
    ):
        await owner.wait_change("bound")
        await first.unbind_all()
        await owner.wait_change("bound", times=2)
        assert (0, 1) == (binds_at(first), binds_at(second))
        came_at = trio.current_time()
        await trio.sleep(298)
        carrier.enqueue(parts(5))
        await owner.wait_change("bound", times=3)
        assert 299 <= trio.current_time() - came_at <= 302
        await trio.sleep(0.1)
        assert (1, 2) == (carrier.statistics().bound, len(carrier.links))
        await owner.wait(lambda: len(owner.ended) == 5)
        await trio.sleep(2)
        assert (1, 0) == (binds_at(first), binds_at(second))
        assert 1 == len(carrier.links)
        hosts = [f"127.0.0.1:{center.port}" for center in (first, second, first)]

    assert ["bound", "lost", "bound", "bound"] == [change.what for _, change in owner.changes][:4]
    assert {0} == {exchange.command_status for _, exchange in owner.ended}
    assert hosts == [change.host for change in owner.of("bound")]


async def test_a_first_host_that_has_no_room_leaves_the_bind_where_it_is(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    first = MessageCenter(behaviours=(behaviours.RefuseBind(CommandStatus.ESME_RALYBND),))
    second = MessageCenter()
    profile = CarrierProfile(rebind=RebindOptions(fail_back_after=100.0))
    async with (
        open_message_center(first),
        open_message_center(second),
        open_carrier(first.port, second.port, profile=profile) as carrier,
    ):
        await owner.wait_change("bound")
        await trio.sleep(1_000)
        refused = len([event for event in first.events() if event.event == "bind"])
        (bind,) = carrier.statistics().kept

        assert 8 <= refused <= 11
        assert (BindPhase.BOUND, f"127.0.0.1:{second.port}") == (bind.phase, bind.host)
        assert "ESME_RALYBND" in bind.note
        assert 1 == binds_at(second)
    assert ["refused", "bound"] == [change.what for _, change in owner.changes][:2]
    assert 2 == len(owner.changes)


async def test_a_host_that_drops_every_bind_is_not_tried_more_often_than_it_may_be(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.ResetAfterBind(),))
    profile = CarrierProfile(rebind=RebindOptions(attempts_per_minute=4))
    async with (
        open_message_center(center),
        open_carrier(center.port, binds=3, profile=profile),
    ):
        await trio.sleep(900)

    times = [event.at for event in center.events() if event.event == "bind"]
    assert len(times) >= 15
    # The first shows that the host takes binds, and the others follow; that it drops them is not known.
    counted = times[2:]
    for begun in counted:
        assert len([at for at in counted if begun <= at < begun + 59.9]) <= 4


async def test_the_others_are_tried_while_the_first_is_left_alone(
    autojump_clock: Any, open_carrier: Make, owner: Any, no_port: NoPort
) -> None:
    dead, worse = await no_port(), await no_port()
    center = MessageCenter()
    async with open_message_center(center), open_carrier(dead, worse, center.port):
        await owner.wait_change("bound")

        assert trio.current_time() < 0.2
    assert ["unreachable", "unreachable", "bound"] == [change.what for _, change in owner.changes]
    assert [f"127.0.0.1:{dead}", f"127.0.0.1:{worse}"] == [
        change.host for change in owner.of("unreachable")
    ]
    assert {RootCause.UNREACHABLE} == {change.root_cause for change in owner.of("unreachable")}


# News.


async def test_news_says_how_long_a_bind_was_bound_and_why_it_is_not(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port):
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        await trio.sleep(40)
        await peer.aclose()
        change = await owner.wait_change("lost")

    assert 40 == pytest.approx(change.bound_for, abs=0.5)
    assert f"127.0.0.1:{raw.port}" == change.host
    assert RootCause.PEER_CLOSED is change.root_cause


async def test_a_bind_failure_is_given_five_minutes(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.RefuseBind(),))
    async with open_message_center(center), open_carrier(center.port) as carrier:
        await owner.wait_change("refused", times=3)
        assert "WAITING" in repr(carrier)

    waits = [later - at for at, later in pairwise(owner.times("refused"))]
    assert all(300 <= wait <= 330.5 for wait in waits)


async def test_every_pdu_of_every_bind_is_seen(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    seen: list[tuple[str, bool, int]] = []
    center = MessageCenter()
    async with (
        open_message_center(center),
        open_carrier(
            center.port,
            binds=2,
            observer=lambda link, outgoing, octets, now: seen.append(
                (link.name, outgoing, int.from_bytes(octets[4:8], "big"))
            ),
        ) as carrier,
    ):
        await owner.wait_change("bound", times=2)
        carrier.enqueue(parts(1))
        await owner.wait(lambda: len(owner.ended) == 1)

    assert {"acme/1", "acme/2"} == {name for name, _, _ in seen}
    for outgoing, command_id in ((True, 9), (False, 0x8000_0009), (True, 4), (False, 0x8000_0004)):
        assert (outgoing, command_id) in {seen_pdu[1:] for seen_pdu in seen}


async def test_a_stream_is_opened_as_the_account_says(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    asked: list[Any] = []

    async def refuse(host: str, port: int, options: Any) -> trio.abc.Stream:
        asked.append((host, port, options))
        raise OSError("not today")

    async with open_carrier(hosts=(Host("mc.example", 3550),), open_stream=refuse):
        change = await owner.wait_change("unreachable")

    assert ("mc.example", 3550, CarrierProfile().transport) == asked[0]
    assert "cannot reach mc.example:3550: not today" == change.cause
