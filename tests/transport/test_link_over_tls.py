"""A link over TLS, and a message centre that listens with it: binds hold, ends are ends."""

import ssl
import struct

import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link, Timers, open_link
from whiteroute.engine.profile import TlsOptions, TransportOptions
from whiteroute.engine.session import (
    CloseCause,
    Closed,
    Event,
    Exchange,
    ExchangeEnd,
    Role,
    Session,
    SessionSettings,
)
from whiteroute.engine.transport import TlsStream, accept_transport, encrypt, open_transport
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    Framer,
    SubmitSm,
    SubmitSmResp,
    decode,
    encode,
)
from whiteroute.simulators import MessageCenter, behaviours, open_message_center


def submit(text: bytes = b"hello") -> SubmitSm:
    return SubmitSm(destination_addr="34600111222", short_message=text)


@pytest.fixture
async def timers(nursery) -> Timers:
    made = Timers()
    nursery.start_soon(made.run)
    return made


def linked(stream: trio.abc.Stream, timers: Timers, told: list[Event]):
    session = Session(Role.ESME, SessionSettings(), trio.current_time())
    return open_link(
        stream, session, owner=lambda _link, events: told.extend(events), timers=timers
    )


async def bind(link: Link) -> Exchange:
    return await link.request(BindTransceiver(system_id="gateway", password="secret"))


@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("proxied", [False, True])
async def test_a_message_centre_under_tls(autojump_clock, authority, timers, version, proxied):
    settings, told = authority.settings(), []
    if version == "1.2":
        settings.maximum_version = ssl.TLSVersion.TLSv1_2
    options = TransportOptions(
        tls=TlsOptions(ca_file=authority.ca_file), proxy_protocol="v2" if proxied else "none"
    )
    async with open_message_center(MessageCenter(), tls=settings, proxy_protocol=proxied) as center:
        stream = await open_transport(center.host, center.port, options)
        assert f"TLSv{version}" == stream.seen.version
        async with linked(stream, timers, told) as link:
            assert ExchangeEnd.ANSWERED is (await bind(link)).end
            # More than a TLS record holds, in one write.
            exchanges = [link.send(submit(b"x" * 254)) for _ in range(9)]
            await link.request(submit())
            assert all(each.end is ExchangeEnd.ANSWERED for each in exchanges)
            assert CloseCause.UNBIND is (await link.unbind()).cause
        assert 10 == center.statistics().accepted


async def test_a_message_centre_tells_of_links_that_fail_in_tls(autojump_clock, authority, timers):
    async with open_message_center(MessageCenter(), tls=authority.settings()) as center:
        stream = await open_transport(center.host, center.port)
        told: list[Event] = []
        async with linked(stream, timers, told) as link:
            # A bind in clear on a port of TLS: the answer is an alert, which is no PDU.
            assert ExchangeEnd.UNKNOWN is (await bind(link)).end
        (event,) = await center.wait_for("close")
        assert "an answer in SMPP in clear, expected TLS" in str(event.text)
        assert 0 == center.statistics().links


async def test_a_reset_on_purpose_is_one_under_tls_as_well(autojump_clock, authority, timers):
    told: list[Event] = []
    center = MessageCenter(behaviours=[behaviours.ResetAfterBind()])
    async with open_message_center(center, tls=authority.settings()):
        options = TransportOptions(tls=TlsOptions(ca_file=authority.ca_file))
        stream = await open_transport(center.host, center.port, options)
        async with linked(stream, timers, told) as link:
            await bind(link)
            closed = await link.wait_closed()
    assert "reset" in closed.detail.lower()
    assert CloseCause.PEER_CLOSED is closed.cause


async def play(stream: trio.abc.Stream, answers: int) -> None:
    """Answer so many requests."""
    framer = Framer()
    while answers:
        for frame in framer.receive(bytes(await stream.receive_some())):
            request = decode(frame)
            response = BindTransceiverResp if type(request) is BindTransceiver else SubmitSmResp
            await stream.send_all(encode(response(sequence_number=request.sequence_number)))
            answers -= 1


@pytest.mark.parametrize("ending", ["farewell", "without farewell", "half-closed", "reset"])
@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_every_end_of_the_peer_ends_the_link_and_its_requests(
    autojump_clock, listen, authority, timers, ending: str, version: str
):
    settings, told = authority.settings(), []
    if version == "1.2":
        settings.maximum_version = ssl.TLSVersion.TLSv1_2
    lasting = trio.Event()

    async def serve(stream: trio.SocketStream) -> None:
        accepted = await accept_transport(stream, tls=settings)
        await play(accepted.stream, 2)
        await accepted.stream.receive_some()  # a request that is never answered
        if ending == "farewell":
            await accepted.stream.aclose()
        elif ending == "half-closed":
            await stream.send_eof()
            await lasting.wait()
        elif ending == "reset":
            linger = struct.pack("ii", 1, 0)
            stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, linger)

    options = TransportOptions(tls=TlsOptions(ca_file=authority.ca_file))
    async with listen(serve) as there:
        stream = await open_transport("127.0.0.1", there.port, options)
        async with linked(stream, timers, told) as link:
            await bind(link)
            assert ExchangeEnd.ANSWERED is (await link.request(submit())).end
            assert ExchangeEnd.UNKNOWN is (await link.request(submit())).end
            closed = await link.wait_closed()
            lasting.set()
    assert CloseCause.PEER_CLOSED is closed.cause
    assert [closed] == [event for event in told if type(event) is Closed]
    assert trio.current_time() < 1


async def test_a_certificate_that_is_missing_is_the_link_s_cause_in_words(
    autojump_clock, listen, authority, timers
):
    settings, told = authority.settings(wants_certificate=True), []

    async def serve(stream: trio.SocketStream) -> None:
        with pytest.raises(OSError, match="peer did not return a certificate"):
            await accept_transport(stream, tls=settings)

    options = TransportOptions(tls=TlsOptions(ca_file=authority.ca_file))
    async with listen(serve) as there:
        stream = await open_transport("127.0.0.1", there.port, options)
        async with linked(stream, timers, told) as link:
            assert ExchangeEnd.UNKNOWN is (await bind(link)).end
            closed = await link.wait_closed()
    assert "it wants a certificate of ours: set certificate_file" in closed.detail


async def test_a_link_that_is_cancelled_while_it_writes_leaves_nothing_half_bound(
    autojump_clock, listen, authority, timers, sockets_open
):
    before, told = sockets_open(), []
    settings = authority.settings()

    async def serve(stream: trio.SocketStream) -> None:
        accepted = await accept_transport(stream, tls=settings)
        await play(accepted.stream, 1)
        await trio.sleep_forever()  # and reads nothing more

    options = TransportOptions(tls=TlsOptions(ca_file=authority.ca_file))
    async with listen(serve) as there:
        stream = await open_transport("127.0.0.1", there.port, options)
        assert isinstance(stream, TlsStream)
        session = Session(Role.ESME, SessionSettings(window=50_000), trio.current_time())
        link = Link(stream, session, timers, lambda _link, events: told.extend(events))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(link.run)
            await bind(link)
            exchanges = [link.send(submit(b"x" * 254)) for _ in range(40_000)]
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert link._writing_since is not None
            nursery.cancel_scope.cancel()
        assert all(each.end is ExchangeEnd.UNKNOWN for each in exchanges)
        for operation in (stream.send_all(b"x"), stream.receive_some()):
            with pytest.raises((trio.ClosedResourceError, trio.BrokenResourceError)):
                await operation
    assert before == sockets_open()


async def test_a_write_that_was_cancelled_is_never_gone_on_with(autojump_clock, authority):
    # The record was written by half: what follows would be garbage to the peer.
    ours, theirs = trio.testing.lockstep_stream_pair()
    streams: list[TlsStream] = []

    async def accept() -> None:
        accepted = await accept_transport(theirs, tls=authority.settings())
        streams.append(accepted.stream)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        stream = await encrypt(ours, "127.0.0.1", TlsOptions(ca_file=authority.ca_file))
    with trio.move_on_after(1):
        await stream.send_all(b"x" * 100_000)
    with pytest.raises(trio.BrokenResourceError):
        await stream.send_all(b"y")
    await trio.aclose_forcefully(stream)
