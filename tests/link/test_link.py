"""A link in ordinary life: traffic, waiting, unbinding, ending."""

import socket
import struct

import pytest
import trio
import trio.testing

from whiteroute.engine.link import FLUSH_TIMEOUT, STALL_TIMEOUT, Link, Timers, open_link
from whiteroute.engine.link import link as link_module
from whiteroute.engine.session import (
    Bound,
    CloseCause,
    Closed,
    ExchangeEnd,
    LateResponse,
    LocalProtocolError,
    Role,
    Session,
    SessionSettings,
    SessionState,
)
from whiteroute.pdu import (
    AlertNotification,
    BindTransceiver,
    BindTransceiverResp,
    CommandStatus,
    DeliverSm,
    DeliverSmResp,
    EncodeError,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)


def submit(**fields: object) -> SubmitSm:
    return SubmitSm(destination_addr="34600111222", **fields)


# Traffic.


async def test_pdus_that_wait_together_leave_in_one_write(autojump_clock, bind):
    made = bind()
    exchanges = [made.link.send(submit()) for _ in range(3)]
    octets = await made.peer.stream.receive_some()
    assert b"".join(encode(exchange.request) for exchange in exchanges) == octets


async def test_a_request_waits_for_its_answer_and_the_owner_is_told_as_well(
    autojump_clock, bind, nursery
):
    made = bind()
    ended: list[object] = []

    async def ask() -> None:
        ended.append(await made.link.request(submit(), context="message 7"))

    nursery.start_soon(ask)
    request = await made.peer.receive()
    await made.peer.send(SubmitSmResp(message_id="77", sequence_number=request.sequence_number))
    await trio.testing.wait_all_tasks_blocked()
    (exchange,) = ended
    assert (ExchangeEnd.ANSWERED, "77") == (exchange.end, exchange.response.message_id)
    assert "message 7" == exchange.context
    assert [exchange] == made.owner.ended
    assert exchange.waiter is None


async def test_a_bind_over_the_link(autojump_clock, timers, nursery, bind):
    ours, theirs = trio.testing.memory_stream_pair()
    peer, events = type(bind(run=False).peer)(theirs), []
    session = Session(Role.ESME, SessionSettings(), trio.current_time())
    async with open_link(
        ours, session, owner=lambda _link, told: events.extend(told), timers=timers
    ) as link:
        link.send(BindTransceiver(system_id="gateway"))
        request = await peer.receive()
        await peer.send(
            BindTransceiverResp(system_id="mc", sequence_number=request.sequence_number)
        )
        await trio.testing.wait_all_tasks_blocked()
        assert Bound(SessionState.BOUND_TRX, "mc", None) == events[-1]


async def test_a_pdu_that_comes_octet_by_octet_is_one_pdu(autojump_clock, bind):
    made = bind()
    for octet in encode(DeliverSm(short_message=b"hello", sequence_number=5)):
        await made.peer.stream.send_all(bytes((octet,)))
        await trio.testing.wait_all_tasks_blocked()
    (pdu,) = made.owner.arrived
    assert DeliverSm(short_message=b"hello", sequence_number=5) == pdu
    assert bytes is type(pdu.short_message)


async def test_what_came_in_one_piece_is_made_of_plain_octets(autojump_clock, bind):
    # Streams may bring a bytearray, and those in memory do.
    made = bind()
    await made.peer.send(DeliverSm(short_message=b"hello", sequence_number=5))
    await trio.testing.wait_all_tasks_blocked()
    assert bytes is type(made.owner.arrived[0].short_message)


async def test_an_enquiry_is_answered_while_requests_are_outstanding(autojump_clock, bind):
    made = bind(window=2)
    made.link.send(submit())
    made.link.send(submit())
    await made.peer.receive()
    await made.peer.receive()
    await made.peer.send(EnquireLink(sequence_number=9))
    assert EnquireLinkResp(sequence_number=9) == await made.peer.receive()


async def test_an_arrival_may_be_answered_much_later_and_enquiries_are_answered_meanwhile(
    autojump_clock, bind
):
    made = bind(enquire_link_interval=1000)
    await made.peer.send(DeliverSm(sequence_number=5))
    await trio.testing.wait_all_tasks_blocked()
    (pdu,) = made.owner.arrived
    for number in range(10, 13):
        await trio.sleep(20)
        await made.peer.send(EnquireLink(sequence_number=number))
        assert EnquireLinkResp(sequence_number=number) == await made.peer.receive()
    assert made.link.respond(pdu, DeliverSmResp())
    assert DeliverSmResp(sequence_number=5) == await made.peer.receive()


async def test_an_answer_after_the_end_is_not_sent_and_no_error(autojump_clock, bind):
    made = bind()
    await made.peer.send(DeliverSm(sequence_number=5))
    await trio.testing.wait_all_tasks_blocked()
    made.link.close()
    assert not made.link.respond(made.owner.arrived[0], DeliverSmResp())
    assert [] == await made.peer.rest()


async def test_what_is_forbidden_or_does_not_fit_is_refused_at_once(autojump_clock, bind):
    made = bind(window=1)
    with pytest.raises(EncodeError):
        made.link.send(submit(short_message=b"x" * 300))
    with pytest.raises(LocalProtocolError):
        await made.link.request(DeliverSm())
    made.link.send(submit())
    with pytest.raises(LocalProtocolError):
        await made.link.request(submit())
    assert 1 == made.link.statistics().in_flight


async def test_a_request_without_a_response_is_not_waited_for(autojump_clock, bind):
    made = bind(role=Role.MC)
    exchange = await made.link.request(AlertNotification(source_addr="34600111222"))
    assert exchange.end is None
    assert isinstance(await made.peer.receive(), AlertNotification)


async def test_octets_can_be_sent_unchecked(autojump_clock, bind):
    made = bind()
    made.link.send_unchecked(b"anything")
    assert b"anything" == await made.peer.stream.receive_some()


async def test_a_link_says_how_it_is(autojump_clock, bind):
    made = bind()
    made.link.send(submit())
    expected = "<Link acme/1 <Session ESME BOUND_TRX, 1 of 10 in flight, 0 unanswered>>"
    assert expected == repr(made.link)
    made.link.name = ""
    assert repr(made.link).startswith("<Link unnamed ")
    assert 1 == made.link.statistics().in_flight


# Time.


async def test_a_request_times_out_when_its_time_is_up(autojump_clock, bind):
    made = bind(response_timeout=5.0, enquire_link_interval=1000.0)
    await trio.sleep(1)
    start = trio.current_time()
    exchange = await made.link.request(submit())
    assert ExchangeEnd.TIMED_OUT is exchange.end
    assert 5.0 == pytest.approx(trio.current_time() - start)
    assert made.link.closed is None
    await made.peer.send(SubmitSmResp(sequence_number=exchange.request.sequence_number))
    await trio.testing.wait_all_tasks_blocked()
    assert [LateResponse(exchange)] == made.owner.of(LateResponse)


async def test_a_request_times_out_although_nothing_can_be_written(autojump_clock, bind):
    made = bind(
        trio.testing.lockstep_stream_pair, response_timeout=5.0, enquire_link_interval=10_000.0
    )
    await made.peer.send(EnquireLink(sequence_number=9))
    await trio.sleep(1)
    start = trio.current_time()
    assert ExchangeEnd.TIMED_OUT is (await made.link.request(submit())).end
    assert 5.0 == pytest.approx(trio.current_time() - start)


async def test_a_silent_peer_is_asked_and_then_given_up(autojump_clock, bind):
    made = bind()
    start = trio.current_time()
    assert isinstance(await made.peer.receive(), EnquireLink)
    assert 30.0 == pytest.approx(trio.current_time() - start)
    closed = await made.link.wait_closed()
    assert 60.0 == pytest.approx(trio.current_time() - start)
    assert Closed(CloseCause.SILENCE, "nothing came for 60 s") == closed
    assert [EnquireLink] == [type(pdu) for pdu in await made.peer.rest()]


async def test_traffic_keeps_a_link_for_days(autojump_clock, bind):
    made = bind()
    for _ in range(2 * 24 * 120):
        request = await made.peer.receive()
        await made.peer.send(EnquireLinkResp(sequence_number=request.sequence_number))
    assert made.link.closed is None
    assert len(made.link.timers._entries) <= 3


async def test_one_timer_serves_many_links(autojump_clock, bind, timers):
    links = []
    for _ in range(50):
        links.append(bind())
        await trio.sleep(0.1)
    await trio.sleep(30)
    for made in links:
        assert isinstance(await made.peer.receive(), EnquireLink)
        assert made.link.closed is None
    assert len(timers._entries) <= 2 * len(links)


async def test_entries_of_a_timer_do_not_pile_up(autojump_clock, bind, timers):
    made = bind(response_timeout=1.0, enquire_link_interval=50.0, enquire_links_missed=10_000)
    for _ in range(500):
        await made.link.request(submit())
        assert len(timers._entries) <= 55


async def test_a_timer_keeps_no_ended_link_in_memory(autojump_clock, timers, nursery, bind):
    for _ in range(20):
        made = bind(enquire_link_interval=10_000.0, run=False)
        task = made.link.run
        nursery.start_soon(task)
        await trio.testing.wait_all_tasks_blocked()
        made.link.close()
        await made.peer.rest()
        del made, task
    await trio.testing.wait_all_tasks_blocked()
    assert [] == [entered for *_, entered in timers._entries if entered() is not None]
    await trio.sleep(10_001)
    assert [] == timers._entries


async def test_a_timer_sleeps_while_there_is_nothing_to_do(autojump_clock, timers):
    await trio.sleep(3600)
    assert [] == timers._entries
    assert timers._sleeps_until == float("inf")


# Unbinding and leaving.


async def test_our_unbind_waits_for_its_answer(autojump_clock, bind, nursery):
    made = bind()
    closed: list[Closed] = []

    async def leave() -> None:
        closed.append(await made.link.unbind())

    nursery.start_soon(leave)
    nursery.start_soon(leave)
    request = await made.peer.receive()
    assert isinstance(request, Unbind)
    await made.peer.send(UnbindResp(sequence_number=request.sequence_number))
    assert [] == await made.peer.rest()
    await trio.testing.wait_all_tasks_blocked()
    assert [Closed(CloseCause.UNBIND, "we unbound")] * 2 == closed


async def test_our_unbind_is_bounded(autojump_clock, bind):
    made = bind(unbind_timeout=5.0)
    start = trio.current_time()
    assert CloseCause.UNBIND_TIMEOUT is (await made.link.unbind()).cause
    assert 5.0 == pytest.approx(trio.current_time() - start)


async def test_a_link_that_is_not_bound_is_closed_without_unbind(autojump_clock, timers, bind):
    ours, theirs = trio.testing.memory_stream_pair()
    session = Session(Role.ESME, SessionSettings(), trio.current_time())
    async with open_link(ours, session, owner=lambda *_: None, timers=timers) as link:
        assert Closed(CloseCause.LOCAL, "not bound") == await link.unbind()
        assert Closed(CloseCause.LOCAL, "not bound") == await link.unbind()
    assert b"" == await theirs.receive_some()


async def test_a_peers_unbind_is_answered_before_the_stream_is_closed(autojump_clock, bind):
    made = bind()
    exchange = made.link.send(submit())
    await made.peer.send(Unbind(sequence_number=3))
    assert [exchange.request, UnbindResp(sequence_number=3)] == await made.peer.rest()
    assert CloseCause.UNBIND is (await made.link.wait_closed()).cause
    assert ExchangeEnd.UNKNOWN is exchange.end


async def test_a_broken_frame_is_nacked_before_the_stream_is_closed(autojump_clock, bind):
    made = bind()
    await made.peer.stream.send_all(bytes(16))
    (nack,) = await made.peer.rest()
    assert GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN) == nack
    assert CloseCause.FRAMING is (await made.link.wait_closed()).cause


async def test_leaving_open_link_ends_the_link_without_unbind(autojump_clock, timers, make_session):
    ours, theirs = trio.testing.memory_stream_pair()
    told: list[object] = []
    async with open_link(
        ours, make_session(), owner=lambda _link, events: told.extend(events), timers=timers
    ) as link:
        exchange = link.send(submit())
        await trio.testing.wait_all_tasks_blocked()
    assert [exchange, Closed(CloseCause.LOCAL)] == told
    assert ExchangeEnd.UNKNOWN is exchange.end
    assert encode(exchange.request) == await theirs.receive_some()
    assert b"" == await theirs.receive_some()


async def test_an_error_inside_open_link_ends_the_link_and_surfaces(
    autojump_clock, timers, make_session
):
    ours, theirs = trio.testing.memory_stream_pair()
    with pytest.RaisesGroup(pytest.RaisesExc(RuntimeError, match="ours")):
        async with open_link(ours, make_session(), owner=lambda *_: None, timers=timers) as link:
            raise RuntimeError("ours")
    assert Closed(CloseCause.LOCAL) == link.closed
    assert b"" == await theirs.receive_some()


async def test_a_link_that_ends_does_not_end_the_block(autojump_clock, timers, make_session):
    ours, theirs = trio.testing.memory_stream_pair()
    async with open_link(ours, make_session(), owner=lambda *_: None, timers=timers) as link:
        await theirs.aclose()
        assert CloseCause.PEER_CLOSED is (await link.wait_closed()).cause
        await trio.sleep(10)
        assert Closed(CloseCause.PEER_CLOSED) == await link.unbind()


async def test_a_link_closed_before_it_runs_ends_at_once(autojump_clock, bind):
    made = bind(run=False)
    made.link.close(detail="changed our mind")
    assert Closed(CloseCause.LOCAL, "changed our mind") == await made.link.run()
    assert [] == await made.peer.rest()


# Peers that go or stick.


async def test_every_request_is_unknown_when_the_peer_hangs_up(autojump_clock, bind, nursery):
    made = bind()
    ended: list[object] = []

    async def ask() -> None:
        ended.append(await made.link.request(submit()))

    nursery.start_soon(ask)
    nursery.start_soon(ask)
    await made.peer.receive()
    await made.peer.stream.aclose()
    closed = await made.link.wait_closed()
    await trio.testing.wait_all_tasks_blocked()
    assert CloseCause.PEER_CLOSED is closed.cause
    assert [ExchangeEnd.UNKNOWN] * 2 == [exchange.end for exchange in ended]
    assert {id(each) for each in ended} == {id(each) for each in made.owner.ended}
    assert Closed is type(made.owner.events[-1])


async def test_a_peer_that_stops_reading_is_given_up(autojump_clock, bind):
    made = bind(trio.testing.lockstep_stream_pair, enquire_link_interval=10_000.0)
    exchange = made.link.send(submit())
    start = trio.current_time()
    closed = await made.link.wait_closed()
    assert Closed(CloseCause.SILENCE, "the peer read nothing for 60 s") == closed
    assert STALL_TIMEOUT == pytest.approx(trio.current_time() - start)
    assert ExchangeEnd.UNKNOWN is exchange.end
    await trio.sleep(2 * FLUSH_TIMEOUT)
    with pytest.raises(trio.ClosedResourceError):
        await made.link.stream.send_all(b"")


async def test_a_slow_peer_is_not_given_up(autojump_clock, bind):
    made = bind(trio.testing.lockstep_stream_pair, enquire_link_interval=10_000.0)
    for _ in range(5):
        made.link.send(submit())
        await trio.sleep(STALL_TIMEOUT - 1)
        await made.peer.receive()
    assert made.link.closed is None


async def test_a_write_that_is_done_is_no_stalled_one(autojump_clock, bind):
    made = bind(enquire_link_interval=10_000.0, response_timeout=10_000.0)
    made.link.send(submit())
    await trio.sleep(10 * STALL_TIMEOUT)
    assert made.link.closed is None


async def test_a_peer_that_never_reads_is_not_read_from_without_end(
    autojump_clock, bind, nursery, monkeypatch
):
    monkeypatch.setattr(link_module, "QUEUED_PDUS", 5)
    made = bind(trio.testing.lockstep_stream_pair, enquire_link_interval=10_000.0)
    taken = 0

    async def ask_and_ask() -> None:
        nonlocal taken
        for number in range(1, 101):
            await made.peer.send(EnquireLink(sequence_number=number))
            taken += 1

    nursery.start_soon(ask_and_ask)
    await trio.testing.wait_all_tasks_blocked()
    assert taken <= 8
    assert made.link.session.queued_pdus <= 6
    answers = [await made.peer.receive() for _ in range(100)]
    assert list(range(1, 101)) == [answer.sequence_number for answer in answers]
    assert 100 == taken


async def test_a_link_that_has_stopped_reading_still_ends(
    autojump_clock, bind, nursery, monkeypatch
):
    monkeypatch.setattr(link_module, "QUEUED_PDUS", 1)
    made = bind(trio.testing.lockstep_stream_pair, enquire_link_interval=10_000.0)

    refused = trio.Event()

    async def ask_and_ask() -> None:
        try:
            while True:
                await made.peer.send(EnquireLink())
        except trio.BrokenResourceError:
            refused.set()

    nursery.start_soon(ask_and_ask)
    await trio.testing.wait_all_tasks_blocked()
    made.link.close()
    with trio.fail_after(2 * FLUSH_TIMEOUT):
        await made.link.wait_closed()
        await refused.wait()


class ScriptedStream(trio.abc.Stream):
    """Brings what it is told to bring, and breaks where it is told to break."""

    def __init__(self, *arrivals: bytes | Exception, writes: Exception | None = None) -> None:
        self.arrivals, self.writes = list(arrivals), writes
        self.written, self.closed = b"", False
        self.may_arrive = trio.Event()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await self.may_arrive.wait()
        if not self.arrivals:
            await trio.sleep_forever()
        arrival = self.arrivals.pop(0)
        await trio.lowlevel.checkpoint()
        if isinstance(arrival, Exception):
            raise arrival
        return arrival

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        if self.writes is not None:
            raise self.writes
        self.written += data

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self.closed = True
        await trio.lowlevel.checkpoint()


def broken(reason: str) -> trio.BrokenResourceError:
    error = trio.BrokenResourceError("socket connection broken")
    error.__cause__ = OSError(reason)
    return error


async def test_a_reset_is_told_with_its_reason(autojump_clock, bind):
    stream = ScriptedStream(broken("reset by peer"))
    stream.may_arrive.set()
    made = bind(lambda: (stream, stream))
    closed = await made.link.wait_closed()
    assert Closed(CloseCause.PEER_CLOSED, "reset by peer") == closed
    await trio.testing.wait_all_tasks_blocked()
    assert stream.closed


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (trio.BrokenResourceError(), "BrokenResourceError"),
        (trio.ClosedResourceError("closed by us"), "closed by us"),
    ],
)
async def test_an_end_without_a_reason_is_told_by_what_there_is(
    autojump_clock, bind, error: Exception, detail: str
):
    stream = ScriptedStream(error)
    stream.may_arrive.set()
    made = bind(lambda: (stream, stream))
    assert Closed(CloseCause.PEER_CLOSED, detail) == await made.link.wait_closed()


async def test_answers_that_came_before_a_write_broke_are_still_taken(autojump_clock, bind):
    answer = encode(SubmitSmResp(message_id="77", sequence_number=2))
    stream = ScriptedStream(answer, b"", writes=broken("broken pipe"))
    made = bind(lambda: (stream, stream))
    exchange = made.link.send(submit())
    await trio.testing.wait_all_tasks_blocked()
    stream.may_arrive.set()
    closed = await made.link.wait_closed()
    assert Closed(CloseCause.PEER_CLOSED) == closed
    assert (ExchangeEnd.ANSWERED, "77") == (exchange.end, exchange.response.message_id)


async def test_a_peer_that_takes_nothing_and_brings_nothing_is_given_up_soon(autojump_clock, bind):
    stream = ScriptedStream(writes=broken("broken pipe"))
    made = bind(lambda: (stream, stream))
    exchange = made.link.send(submit())
    start = trio.current_time()
    assert Closed(CloseCause.PEER_CLOSED, "broken pipe") == await made.link.wait_closed()
    assert FLUSH_TIMEOUT == pytest.approx(trio.current_time() - start)
    assert ExchangeEnd.UNKNOWN is exchange.end


async def test_the_last_words_to_a_stuck_peer_are_bounded(autojump_clock, bind, nursery):
    made = bind(trio.testing.lockstep_stream_pair, run=False)
    done: list[float] = []

    async def run() -> None:
        await made.link.run()
        done.append(trio.current_time())

    nursery.start_soon(run)
    made.link.send(submit())
    await trio.testing.wait_all_tasks_blocked()
    start = trio.current_time()
    made.link.close()
    await trio.sleep(10)
    assert [FLUSH_TIMEOUT] == pytest.approx([at - start for at in done])


async def test_over_real_sockets_a_reset_ends_the_link(make_session, nursery):
    timers, events = Timers(), []
    nursery.start_soon(timers.run)
    listener = socket.create_server(("127.0.0.1", 0))
    stream = await trio.open_tcp_stream(*listener.getsockname())
    theirs, _ = listener.accept()
    with listener, theirs:
        async with open_link(
            stream, make_session(), owner=lambda _link, told: events.extend(told), timers=timers
        ) as link:
            exchange = link.send(submit())
            await trio.testing.wait_all_tasks_blocked()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()
            with trio.fail_after(5):
                closed = await link.wait_closed()
    assert CloseCause.PEER_CLOSED is closed.cause
    assert "reset" in closed.detail.lower()
    assert [exchange, closed] == events
    assert isinstance(link, Link)
