"""Links over real sockets and over TLS, and who looks on."""

import socket
import ssl

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link, Timers
from whiteroute.engine.link.wire import Wire
from whiteroute.engine.session import Arrived, CloseCause, Event, ExchangeEnd
from whiteroute.pdu import (
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    SubmitSmResp,
    encode,
)


def submit(text: bytes = b"hello") -> SubmitSm:
    return SubmitSm(destination_addr="34600111222", short_message=text)


async def socket_streams() -> tuple[trio.SocketStream, trio.SocketStream]:
    ours, theirs = socket.socketpair()
    made = [trio.SocketStream(trio.socket.from_stdlib_socket(each)) for each in (ours, theirs)]
    return made[0], made[1]


@pytest.fixture
async def over_socket(nursery, timers, make_session):
    """Start a bound link over one end of a pair of sockets; both are closed in the end."""
    opened: list[trio.SocketStream] = []

    async def start(owner=lambda *_: None, **settings: object):
        ours, theirs = await socket_streams()
        opened.extend((ours, theirs))
        link = Link(ours, make_session(**settings), timers, owner)
        nursery.start_soon(link.run)
        await trio.testing.wait_all_tasks_blocked()
        return link, theirs

    yield start
    for stream in opened:
        stream.socket.close()


async def test_only_a_plain_socket_is_read_and_written_as_one():
    ours, theirs = await socket_streams()
    assert isinstance(Wire.of(ours), Wire)
    memory, _ = trio.testing.memory_stream_pair()
    assert Wire.of(memory) is None
    assert Wire.of(trio.StapledStream(ours, ours)) is None
    await ours.aclose()
    await theirs.aclose()


async def test_a_request_over_a_socket_is_answered(over_socket):
    link, theirs = await over_socket()
    async with trio.open_nursery() as nursery:

        async def answer() -> None:
            assert encode(submit()) != await theirs.receive_some()
            await theirs.send_all(encode(SubmitSmResp(message_id="7", sequence_number=2)))

        nursery.start_soon(answer)
        exchange = await link.request(submit())
    assert (ExchangeEnd.ANSWERED, "7") == (exchange.end, exchange.response.message_id)
    link.close()


async def test_requests_of_many_leave_together(over_socket):
    link, theirs = await over_socket(window=50)
    asked = []

    async def ask() -> None:
        asked.append(await link.request(submit()))
        asked.append(await link.request(submit()))

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(ask)
            number = 2
            while number < 42:
                octets = await theirs.receive_some()
                count = len(octets) // len(encode(submit()))
                pdus = [SubmitSmResp(sequence_number=number + at) for at in range(count)]
                number += count
                await theirs.send_all(b"".join(map(encode, pdus)))
    assert 40 == len(asked)
    link.close()


async def test_what_does_not_go_at_once_is_written_later_in_order(over_socket):
    link, theirs = await over_socket(window=5_000)
    pdus = [submit(b"x" * 254) for _ in range(4_000)]
    exchanges = [link.send(pdu) for pdu in pdus]
    received = b""
    expected = b"".join(encode(exchange.request) for exchange in exchanges)
    assert link._rest
    with trio.fail_after(10):
        while len(received) < len(expected):
            received += await theirs.receive_some()
    assert expected == received
    link.close()


async def test_answers_wait_behind_what_is_not_written_yet(over_socket):
    def owner(link: Link, events: list[Event]) -> None:
        for event in events:
            if type(event) is Arrived:
                link.respond(event.pdu, DeliverSmResp())

    link, theirs = await over_socket(owner, window=5_000)
    exchanges = [link.send(submit(b"x" * 254)) for _ in range(4_000)]
    await theirs.send_all(encode(DeliverSm(sequence_number=9)))
    expected = b"".join(encode(exchange.request) for exchange in exchanges)
    expected += encode(DeliverSmResp(sequence_number=9))
    received = b""
    with trio.fail_after(10):
        while len(received) < len(expected):
            received += await theirs.receive_some()
            await trio.testing.wait_all_tasks_blocked()
    assert expected == received
    link.close()


async def test_a_peer_that_is_gone_ends_the_link(over_socket):
    link, theirs = await over_socket()
    theirs.socket.close()
    exchange = link.send(submit())
    with trio.fail_after(5):
        closed = await link.wait_closed()
    assert CloseCause.PEER_CLOSED is closed.cause
    assert ExchangeEnd.UNKNOWN is exchange.end


async def test_a_stream_that_is_closed_under_the_link_ends_it(over_socket):
    link, _ = await over_socket()
    await trio.testing.wait_all_tasks_blocked()
    await link.stream.aclose()
    with trio.fail_after(5):
        assert CloseCause.PEER_CLOSED is (await link.wait_closed()).cause
    with pytest.raises(trio.ClosedResourceError):
        await Wire.of(link.stream).receive(1)


async def test_an_idle_link_has_no_writer(autojump_clock, bind):
    made = bind()
    for _ in range(3):
        request = await made.peer.receive()
        await made.peer.send(EnquireLinkResp(sequence_number=request.sequence_number))
        await trio.testing.wait_all_tasks_blocked()
        assert not made.link._writes
    made.link.send(submit())
    await made.peer.receive()
    assert made.link._writes


# TLS.


@pytest.fixture(scope="module")
def contexts(tmp_path_factory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("mc.example").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return client, server


@attrs.define(eq=False)
class Ended:
    events: list[Event] = attrs.field(factory=list)

    def __call__(self, _link: Link, events: list[Event]) -> None:
        self.events += events


async def tls_streams(contexts) -> tuple[trio.SSLStream, trio.SSLStream]:
    client, server = contexts
    ours, theirs = trio.testing.lockstep_stream_pair()
    made = trio.SSLStream(ours, client, server_hostname="mc.example")
    other = trio.SSLStream(theirs, server, server_side=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.do_handshake)
        nursery.start_soon(other.do_handshake)
    return made, other


async def test_traffic_passes_over_tls_and_a_given_up_request_breaks_nothing(
    autojump_clock, contexts, timers, make_session, nursery
):
    ours, theirs = await tls_streams(contexts)
    owner = Ended()
    link = Link(ours, make_session(), timers, owner)
    nursery.start_soon(link.run)
    # Cancelled while its octets are on their way: the write is not its task's.
    with trio.move_on_after(1):
        await link.request(submit())
    assert await theirs.receive_some()
    await theirs.send_all(encode(SubmitSmResp(sequence_number=2)))
    await trio.testing.wait_all_tasks_blocked()
    assert [ExchangeEnd.ANSWERED] == [event.end for event in owner.events]
    link.send(submit())
    assert await theirs.receive_some()
    link.close()


async def test_a_link_that_is_cancelled_while_it_writes_over_tls_closes_the_stream(
    autojump_clock, contexts, timers, make_session
):
    ours, _ = await tls_streams(contexts)
    link = Link(ours, make_session(), timers, Ended())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.run)
        exchange = link.send(submit())
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert ExchangeEnd.UNKNOWN is exchange.end
    with pytest.raises(trio.ClosedResourceError):
        await ours.send_all(b"more")


# Who looks on.


async def test_an_observer_sees_every_pdu_both_ways_as_a_whole(
    autojump_clock, timers, make_session, nursery
):
    ours, theirs = trio.testing.memory_stream_pair()
    seen: list[tuple[object, bool, bytes, float]] = []
    link = Link(
        ours, make_session(), timers, lambda *_: None, observer=lambda *each: seen.append(each)
    )
    nursery.start_soon(link.run)
    first, second = link.send(submit()), link.send(submit())
    await trio.sleep(2)
    enquiry = encode(EnquireLink(sequence_number=9))
    await theirs.send_all(enquiry[:7])
    await trio.sleep(1)
    await theirs.send_all(enquiry[7:])
    await trio.testing.wait_all_tasks_blocked()
    at = trio.current_time()
    assert [
        (link, True, encode(first.request), at - 3),
        (link, True, encode(second.request), at - 3),
        (link, False, enquiry, at),
        (link, True, encode(EnquireLinkResp(sequence_number=9)), at),
    ] == seen
    link.close()


async def test_a_bind_outlives_an_observer_that_fails(
    autojump_clock, timers, make_session, nursery
):
    ours, theirs = trio.testing.memory_stream_pair()
    calls = []

    def fail(*_: object) -> None:
        calls.append(1)
        raise OSError("disk full")

    link = Link(ours, make_session(), timers, lambda *_: None, observer=fail)
    nursery.start_soon(link.run)
    octets = encode(EnquireLink(sequence_number=9))
    await theirs.send_all(octets * 3)
    await trio.testing.wait_all_tasks_blocked()
    assert 3 * len(octets) == len(await theirs.receive_some())
    assert (1, "disk full") == (len(calls), str(link.observer_failure))
    assert link.closed is None
    link.close()


def test_a_link_without_an_observer_has_none_in_its_session(make_session):
    async def look() -> None:
        ours, _ = trio.testing.memory_stream_pair()
        link = Link(ours, make_session(), Timers(), lambda *_: None)
        assert link.session.observe is None

    trio.run(look)
