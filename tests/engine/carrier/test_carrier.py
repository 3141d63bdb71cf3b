"""A carrier's binds are kept up, and its parts leave in order, at its pace, within its windows."""

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import trio

from whiteroute.engine.carrier import (
    Carrier,
    CarrierSettings,
    Host,
    OutgoingPart,
)
from whiteroute.engine.link import Timers
from whiteroute.engine.session import ExchangeEnd
from whiteroute.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    CommandStatus,
    EncodeError,
    GenericNack,
    SubmitSmResp,
    Unbind,
    UnbindResp,
)
from whiteroute.simulators import MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]


# Hosts.


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("127.0.0.1:2775", "127.0.0.1", 2775),
        ("smpp.example.com:1", "smpp.example.com", 1),
        ("[::1]:65535", "::1", 65535),
    ],
)
def test_a_host_is_read_and_written(text: str, name: str, port: int) -> None:
    assert Host(name, port) == Host.parse(text)
    assert text == str(Host.parse(text))


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", ":2775", "host:0", "host:65536", "host:x", "host:٣", "[]:1", "::1:2775"],
)
def test_what_is_no_host_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="expected "):
        Host.parse(text)


# Binds.


async def test_a_lost_link_is_bound_again(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port) as carrier:
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        await peer.aclose()
        lost = await owner.wait_change("lost")
        assert not carrier.is_bound
        await raw.accept_bind()
        await owner.wait_change("bound", times=2)
        assert carrier.is_bound

    assert "127.0.0.1" in lost.cause
    assert "PEER_CLOSED" in lost.cause
    assert 0.5 <= owner.times("bound")[1] - owner.times("lost")[0] <= 1.1


async def test_a_bind_that_never_holds_is_asked_for_less_and_less_often(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.ResetAfterBind(),))
    async with open_message_center(center), open_carrier(center.port):
        await owner.wait_change("lost", times=9)

    times = owner.times("lost")
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits[-1] >= 30
    assert all(wait <= 61 for wait in waits)


async def test_a_bind_that_held_is_asked_for_at_once(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port):
        for times in (1, 2, 3, 4):
            peer = await raw.accept_bind()
            await owner.wait_change("bound", times=times)
            await trio.sleep(11)
            await peer.aclose()
            await owner.wait_change("lost", times=times)
        await raw.accept_bind()
        await owner.wait_change("bound", times=5)

    assert all(
        bound - lost <= 1.1
        for lost, bound in zip(owner.times("lost"), owner.times("bound")[1:], strict=True)
    )


@pytest.mark.parametrize(
    "status",
    [
        CommandStatus.ESME_RINVPASWD,
        CommandStatus.ESME_RINVSYSID,
        CommandStatus.ESME_RINVSYSTYP,
    ],
)
async def test_wrong_credentials_stop_it_for_good(
    autojump_clock: Any, open_carrier: Make, owner: Any, status: int
) -> None:
    center = MessageCenter(behaviours=(behaviours.RefuseBind(status),))
    async with open_message_center(center), open_carrier(center.port) as carrier:
        await trio.sleep(80_000)
        assert 1 == len(center.events()) - len(
            [event for event in center.events() if event.event == "close"]
        )
        assert carrier.failures == carrier.last_changes

    (change,) = owner.of("stopped")
    assert 1 == len(owner.changes)
    assert status == change.command_status
    assert CommandStatus(status).name in change.cause


async def test_a_session_that_is_still_known_there_is_given_time(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.RefuseBind(CommandStatus.ESME_RALYBND),))
    async with open_message_center(center), open_carrier(center.port):
        await owner.wait_change("refused", times=4)

    times = owner.times("refused")
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert all(30 <= wait <= 60.5 for wait in waits)
    assert CommandStatus.ESME_RALYBND == owner.of("refused")[0].command_status


async def test_a_host_that_cannot_be_reached_is_said_with_the_reason(
    autojump_clock: Any, open_carrier: Make, owner: Any, no_port: Make
) -> None:
    port = await no_port()
    async with open_carrier(port):
        change = await owner.wait_change("unreachable", times=3)

    assert f"cannot reach 127.0.0.1:{port}: " in change.cause
    assert "refused" in change.cause


async def test_a_name_that_cannot_even_be_asked_for_ends_nothing(
    open_carrier: Make, owner: Any
) -> None:
    async with open_carrier(hosts=(Host("a..b", 2775),)):
        change = await owner.wait_change("unreachable")

    assert "cannot reach a..b:2775" in change.cause


async def test_a_host_that_never_answers_is_given_up_after_a_while(
    autojump_clock: Any, open_carrier: Make, owner: Any
) -> None:
    # A listener whose backlog is full takes no more connections.
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=0)
    port = listener.socket.getsockname()[1]
    first = await trio.open_tcp_stream("127.0.0.1", port)
    async with listener, first, open_carrier(port):
        begun = trio.current_time()
        change = await owner.wait_change("unreachable")

        assert 10 <= trio.current_time() - begun < 11
    assert "no answer within 10 s" in change.cause


async def test_hosts_are_tried_in_turn(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any, no_port: Make
) -> None:
    dead = await no_port()
    async with open_carrier(dead, raw.port) as carrier:
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        await peer.aclose()
        await owner.wait_change("unreachable", times=2)
        await raw.accept_bind()
        await owner.wait_change("bound", times=2)
        assert () == carrier.failures

    assert ["unreachable", "bound", "lost", "unreachable", "bound"] == [
        change.what for _, change in owner.changes
    ]


async def test_a_generic_nack_refuses_a_bind(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port):
        peer = await raw.accept()
        bind = await peer.receive()
        assert bind is not None
        await peer.send(
            GenericNack(
                command_status=CommandStatus.ESME_RINVCMDID, sequence_number=bind.sequence_number
            )
        )
        change = await owner.wait_change("fallback")

    assert CommandStatus.ESME_RINVCMDID == change.command_status
    assert "ESME_RINVCMDID" in change.cause
    assert "a transmitter and a receiver" in change.cause


async def test_a_bind_that_is_never_answered_is_given_up(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port):
        await raw.accept()
        change = await owner.wait_change("lost")

    assert "did not answer the bind" in change.cause


async def test_a_bind_tells_who_we_are(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port, password="longer than eight"):
        peer = await raw.accept()
        bind = await peer.receive()

    assert isinstance(bind, BindTransceiver)
    assert ("gateway", "longer than eight", 0x34) == (
        bind.system_id,
        bind.password,
        bind.interface_version,
    )


async def test_a_transmitter_and_a_receiver_are_a_pair(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    async with (
        open_message_center(center),
        open_carrier(center.port, bind="tx+rx", binds=2, window=3) as carrier,
    ):
        await owner.wait_change("bound", times=4)
        carrier.enqueue(parts(20))
        await owner.wait(lambda: len(owner.ended) == 20)
        figures = carrier.statistics()

    assert (2, 2, 4, 20) == (figures.bound, figures.binds, len(figures.links), figures.sent)
    assert {"acme/1-tx", "acme/1-rx", "acme/2-tx", "acme/2-rx"} == {
        change.link for change in owner.of("bound")
    }


async def test_a_receiver_alone_is_no_bind_to_submit_over(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port, bind="tx+rx") as carrier:
        binds = {}
        for _ in range(2):
            peer = await raw.accept()
            binds[type(await peer.receive())] = peer
        assert {BindTransmitter, BindReceiver} == set(binds)
        assert not carrier.is_bound


def test_credentials_that_cannot_be_written_are_said_at_once(owner: Any) -> None:
    with pytest.raises(EncodeError):
        Carrier(
            CarrierSettings(name="acme", hosts=(Host("127.0.0.1", 1),), system_id="gate\0way"),
            owner=owner,
            arrived=owner.take,
            link_changed=owner.link_changed,
            timers=Timers(),
            random=Random(1),
        )


# Feeding.


async def test_parts_leave_in_order(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port, window=7) as carrier:
        carrier.enqueue(parts(100))
        await owner.wait(lambda: len(owner.ended) == 100)

    assert [str(number) for number in range(100)] == [each.text for each in center.submitted]
    assert {ExchangeEnd.ANSWERED} == {exchange.end for _, exchange in owner.ended}


async def test_the_windows_of_all_binds_are_never_exceeded(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(1.0),))
    async with (
        open_message_center(center),
        open_carrier(center.port, binds=3, window=4) as carrier,
    ):
        await owner.wait_change("bound", times=3)
        carrier.enqueue(parts(50))
        await center.wait_for("submit", times=12)
        await trio.sleep(0.5)
        figures = carrier.statistics()
        assert 12 == len(center.submitted)
        assert [4, 4, 4] == [link.in_flight for link in figures.links]
        assert (12, 38) == (figures.in_flight, figures.queued)
        await owner.wait(lambda: len(owner.ended) == 50)
        assert repr(carrier).startswith(
            "<Carrier acme 3 of 3 bound, 0 queued, 0 in flight; acme/1 BOUND 127.0.0.1:"
        )

    submitted = [each.submitted_at for each in center.submitted]
    for begin in submitted:
        assert len([at for at in submitted if begin <= at < begin + 0.99]) <= 12


async def test_what_is_being_written_counts_against_the_window(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    owner.holds = True
    async with open_message_center(center), open_carrier(center.port, window=4) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(6))
        await trio.sleep(1)
        carrier.enqueue(parts(6))
        await trio.sleep(1)
        assert [4] == [len(asked) for _, asked in owner.asked]
        assert (4, 8) == (carrier.statistics().in_flight, carrier.statistics().queued)
        owner.holds = False
        owner.let_go()
        await owner.wait(lambda: len(owner.ended) == 12)


async def test_released_room_is_used_by_others(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()

    class Choosy(type(owner)):  # type: ignore[misc]
        def write_ahead(self, carrier: Carrier, parts: list[OutgoingPart], go: Any) -> None:
            wanted = [part for part in parts if int(part.message_ref[2:]) % 3 == 0]
            # At once, as well as later.
            carrier.release([part for part in parts if part not in wanted])
            if wanted:
                trio.lowlevel.current_trio_token().run_sync_soon(go, wanted)

    choosy = Choosy()
    async with open_message_center(center), open_carrier(center.port, window=2) as carrier:
        carrier.owner = choosy
        carrier.enqueue(parts(30))
        await choosy.wait(lambda: len(choosy.ended) == 10)
        assert 0 == carrier.statistics().in_flight


@pytest.mark.parametrize("tps", [2.0, 25.0, 100.0])
async def test_the_pace_is_smooth(
    autojump_clock: Any, open_carrier: Make, owner: Any, tps: float, parts: Make
) -> None:
    center = MessageCenter()
    number = int(tps * 4)
    async with (
        open_message_center(center),
        open_carrier(center.port, binds=2, window=100, tps=tps) as carrier,
    ):
        await owner.wait_change("bound", times=2)
        carrier.enqueue(parts(number))
        await owner.wait(lambda: len(owner.ended) == number)

    times = [each.submitted_at for each in center.submitted]
    # A twentieth of a second may be made up for at once, never more, in whatever window.
    burst = 1 + tps / 20
    for width in (0.1, 0.25, 1.0):
        for begin in times:
            within = [at for at in times if begin <= at < begin + width]
            assert len(within) <= width * tps + burst + 1e-6
    assert times[-1] - times[0] == pytest.approx(4.0, abs=0.1 + 1.5 / tps)


async def test_a_pause_holds_everything(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port, window=1) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(2))
        carrier.pause(5.0)
        carrier.pause(1.0)  # does not shorten the other
        await owner.wait(lambda: len(owner.ended) == 2)

        assert 5.0 <= owner.asked[0][0] - owner.times("bound")[0] < 5.2


async def test_what_is_put_back_goes_first_and_later(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    owner.holds = True
    async with open_message_center(center), open_carrier(center.port, window=2) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(4))
        await trio.sleep(1)
        ((_, asked),) = owner.asked
        owner.held.clear()
        owner.holds = False
        before = trio.current_time()
        carrier.put_back(asked, 3.0)
        await owner.wait(lambda: len(owner.ended) == 4)

    assert 3.0 <= owner.asked[1][0] - before < 3.2
    assert ["0", "1", "2", "3"] == [each.text for each in center.submitted]


async def test_a_part_for_later_goes_ahead_of_those_never_tried(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    early, late, *others = parts(5)
    async with open_message_center(center), open_carrier(center.port, tps=1.0) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue_later(late, 1.5)
        carrier.enqueue_later(early, 1.4)
        carrier.enqueue(others)
        await owner.wait(lambda: len(owner.ended) == 5)

    assert ["2", "3", "0", "1", "4"] == [each.text for each in center.submitted]


async def test_parts_that_wait_too_long_are_told_and_not_sent(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make, no_port: Make
) -> None:
    port = await no_port()
    async with open_carrier(port) as carrier:
        now = trio.current_time()
        lasting, *short = parts(5)
        for each in short:
            each.expires_at = now + 10
        carrier.enqueue([lasting, *short[:3]])
        carrier.enqueue_later(short[3], 500)
        await owner.wait(lambda: len(owner.expired) == 4)

        assert 10 <= trio.current_time() - now <= 11
        assert 1 == carrier.statistics().queued
    assert short == owner.expired


async def test_a_part_is_looked_at_again_as_it_leaves(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    """Several expire within one sweep's interval, and the bind comes up between them."""
    center = MessageCenter()
    async with open_message_center(center), open_carrier(center.port, tps=2.0) as carrier:
        now = trio.current_time()
        waiting = parts(6)
        for number, each in enumerate(waiting):
            each.expires_at = now + 0.2 * (number + 1)
        carrier.enqueue(waiting)
        await owner.wait(lambda: len(owner.expired) + len(owner.ended) == 6)

    for each in center.submitted:
        assert each.submitted_at < waiting[int(each.text)].expires_at
    assert len(owner.expired) >= 2


async def test_a_link_that_goes_while_parts_are_written_leaves_them_unwritten(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any, parts: Make
) -> None:
    owner.holds = True
    async with open_carrier(raw.port, window=4) as carrier:
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        carrier.enqueue(parts(3))
        await trio.sleep(0.1)
        await peer.aclose()
        await owner.wait_change("lost")
        owner.holds = False
        owner.let_go()
        assert 3 == len(owner.unwritten)
        assert 0 == carrier.statistics().in_flight
        carrier.enqueue([part.again() for part in owner.unwritten])
        peer = await raw.accept_bind()
        received = [await peer.receive() for _ in range(3)]

    assert [b"0", b"1", b"2"] == [pdu.short_message for pdu in received]


async def test_another_attempt_is_another_object(parts: Make) -> None:
    (part,) = parts(1)

    again = part.again(doubted=True).again()

    assert (3, 1, part.message_ref) == (again.attempt, again.doubts, again.message_ref)
    assert part.pdu is not again.pdu
    assert part.pdu == again.pdu
    assert 1 == part.attempt


async def test_a_late_answer_comes_with_its_own_attempt(
    autojump_clock: Any, open_carrier: Make, owner: Any, profile: Make, parts: Make
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(10.0),))
    settings = profile(response_timeout=5.0)
    async with open_message_center(center), open_carrier(center.port, profile=settings) as carrier:
        (part,) = parts(1)
        carrier.enqueue([part])
        await owner.wait(lambda: len(owner.ended) == 1)
        await trio.sleep(10)

    assert [ExchangeEnd.TIMED_OUT] == [exchange.end for _, exchange in owner.ended]
    ((late, response),) = owner.late
    assert late is part
    assert isinstance(response, SubmitSmResp)


# The end.


async def test_a_drain_waits_for_answers_and_unbinds(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(3.0),))
    async with open_message_center(center), open_carrier(center.port, window=2) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(5))
        await center.wait_for("submit", times=2)
        before = trio.current_time()
        report = await carrier.drain(60)
        waited = trio.current_time() - before
        await center.wait_for("unbind")
        await trio.sleep(200)

        assert 0 == center.statistics().links
    assert (3, 0, None, 1, 0) == (
        report.queued,
        report.unanswered,
        report.receipts_outstanding,
        report.links_unbound,
        report.links_cut,
    )
    assert 2.9 <= waited < 4
    assert 2.9 <= report.took < 4
    assert [ExchangeEnd.ANSWERED] * 2 == [exchange.end for _, exchange in owner.ended]
    assert ["bound", "lost"] == [change.what for _, change in owner.changes]


async def test_a_drain_is_bounded_and_ends_what_is_unanswered(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any, parts: Make
) -> None:
    async with open_carrier(raw.port, window=2) as carrier:
        await raw.accept_bind()
        await owner.wait_change("bound")
        carrier.enqueue(parts(2))
        await trio.sleep(1)
        before = trio.current_time()
        report = await carrier.drain(7)

        # The peer does not answer the unbind, either.
        assert 12 <= trio.current_time() - before < 12.5
    assert (2, 0, 1) == (report.unanswered, report.links_unbound, report.links_cut)
    assert "acme: 2 unanswered; 0 unbound, 1 cut" == str(report)
    assert [ExchangeEnd.UNKNOWN] * 2 == [exchange.end for _, exchange in owner.ended]


async def test_a_drain_waits_for_what_is_being_written(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    owner.holds = True
    async with open_message_center(center), open_carrier(center.port) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(3))
        await trio.sleep(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(carrier.drain, 60)
            await trio.sleep(2)
            owner.let_go()
    assert [ExchangeEnd.ANSWERED] * 3 == [exchange.end for _, exchange in owner.ended]


async def test_a_drain_goes_on_when_nothing_of_what_is_written_may_go(
    autojump_clock: Any, open_carrier: Make, owner: Any, parts: Make
) -> None:
    center = MessageCenter()
    owner.holds = True
    async with open_message_center(center), open_carrier(center.port) as carrier:
        await owner.wait_change("bound")
        carrier.enqueue(parts(3))
        await trio.sleep(1)
        before = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(carrier.drain, 60)
            await trio.sleep(2)
            carrier.release(owner.asked[0][1])
        assert trio.current_time() - before < 4


async def test_a_drain_without_a_bind_is_over_at_once(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any, parts: Make
) -> None:
    async with open_carrier(raw.port) as carrier:
        await raw.accept()  # whose bind is not answered
        carrier.enqueue(parts(3))
        before = trio.current_time()
        assert 3 == (await carrier.drain(60)).queued
        assert trio.current_time() - before < 2


async def test_a_peer_that_unbinds_is_answered_and_bound_again(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port) as carrier:
        peer = await raw.accept_bind()
        await owner.wait_change("bound")
        await peer.send(Unbind(sequence_number=5))
        assert isinstance(await peer.receive(), UnbindResp)
        lost = await owner.wait_change("lost")
        assert "UNBIND" in lost.cause
        with trio.move_on_after(5):
            await carrier.wait_news()
            pytest.fail("nothing has happened that is news")
        await raw.accept_bind()
        await owner.wait_change("bound", times=2)


@pytest.mark.parametrize("turns", range(12))
async def test_whenever_it_is_told_to_stop_nothing_stays_open(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any, turns: int
) -> None:
    async with open_carrier(raw.port) as carrier:
        for _ in range(turns):
            await trio.lowlevel.checkpoint()
        await carrier.drain(1)
        with trio.move_on_after(5):
            peer = await raw.accept()
            await peer.receive_end()
        assert () == carrier.statistics().links
        assert not carrier.is_bound
    assert [] == owner.of("bound")


async def test_a_nack_and_a_bind_response_with_tlvs_are_nothing_special(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async with open_carrier(raw.port) as carrier:
        peer = await raw.accept()
        bind = await peer.receive()
        assert bind is not None
        await peer.send(
            GenericNack(command_status=3, sequence_number=0),
            BindTransceiverResp(sequence_number=bind.sequence_number),
        )
        await owner.wait_change("bound")
        assert carrier.is_bound
