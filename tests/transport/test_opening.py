"""Opening in clear: names, addresses, where from, and each way in which nobody is there."""

import errno
import socket as real_socket
import struct

import pytest
import trio
import trio.testing

from whiteroute.engine.profile import TransportOptions
from whiteroute.engine.transport import (
    Address,
    TransportError,
    TransportReport,
    TriedAddress,
    connect,
    open_transport,
    resolve,
)


async def echo(stream: trio.SocketStream) -> None:
    async for octets in stream:
        await stream.send_all(octets)


async def test_a_stream_is_open_and_undelayed(autojump_clock, listen):
    async with listen(echo) as there, await open_transport("127.0.0.1", there.port) as stream:
        await stream.send_all(b"hello")
        assert b"hello" == await stream.receive_some()
        # Nagle would hold a response back until the peer acknowledges the one before it.
        assert stream.getsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY)


async def test_what_was_seen_is_told(autojump_clock, listen, names, report):
    async with listen(echo) as there:
        names.names["smsc.example.com"] = ["127.0.0.1"]
        stream = await open_transport("smsc.example.com", there.port, report=report)
        async with stream:
            local = stream.socket.getsockname()
    address = f"127.0.0.1:{there.port}"
    assert (address,) == report.addresses
    assert 0 == report.resolved_in
    (tried,) = report.tried
    assert (address, "tcp", "") == (tried.address, tried.stage, tried.failure)
    assert f"{local[0]}:{local[1]}" == report.local_address
    assert b"" == report.proxy_header
    assert report.tls is None


async def test_an_ipv6_address(autojump_clock, listen):
    report = TransportReport(host="::1", port=1)
    async with listen(echo, "::1") as there:
        stream = await open_transport("::1", there.port, report=report)
        async with stream:
            await stream.send_all(b"six")
            assert b"six" == await stream.receive_some()
    assert (f"[::1]:{there.port}",) == report.addresses


async def test_it_comes_from_the_source_address(autojump_clock, listen):
    options = TransportOptions(source_address="127.0.0.2")
    async with (
        listen(echo) as there,
        await open_transport("127.0.0.1", there.port, options) as stream,
    ):
        assert "127.0.0.2" == stream.socket.getsockname()[0]
        await stream.send_all(b"x")
        await stream.receive_some()
        assert "127.0.0.2" == there.streams[0].socket.getpeername()[0]


async def test_a_source_address_that_is_not_ours(autojump_clock, listen):
    options = TransportOptions(source_address="192.0.2.7")
    async with listen(echo) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, options)
    assert ("tcp", errno.EADDRNOTAVAIL) == (caught.value.stage, caught.value.errno)
    assert (
        f"127.0.0.1:{there.port}: source_address 192.0.2.7: cannot assign requested address, "
        "expected an address of this machine"
    ) == str(caught.value)


async def test_a_source_address_that_is_none(autojump_clock, names, listen):
    options = TransportOptions(source_address="eth0")
    async with listen(echo) as there:
        with pytest.raises(TransportError, match="source_address eth0: name or service not known"):
            await open_transport("127.0.0.1", there.port, options)


async def test_a_source_address_of_the_other_family(autojump_clock, names):
    names.names["smsc.example.com"] = ["192.0.2.1", "192.0.2.2"]
    with pytest.raises(TransportError) as caught:
        await resolve("smsc.example.com", 2775, TransportOptions(source_address="::1"))
    assert (
        "smsc.example.com:2775: only 192.0.2.1:2775, 192.0.2.2:2775, expected an address of the "
        "family of source_address ::1"
    ) == str(caught.value)


async def test_only_addresses_of_the_source_s_family_are_tried(autojump_clock, names):
    names.names["smsc.example.com"] = ["::1", "127.0.0.1"]
    found = await resolve("smsc.example.com", 2775, TransportOptions(source_address="127.0.0.2"))
    assert ["127.0.0.1:2775"] == [str(address) for address in found]


async def test_addresses_take_turns_by_family(autojump_clock, names):
    names.names["smsc.example.com"] = ["::1", "::2", "::3", "192.0.2.1", "192.0.2.2"]
    found = await resolve("smsc.example.com", 1)
    assert ["[::1]:1", "192.0.2.1:1", "[::2]:1", "192.0.2.2:1", "[::3]:1"] == [*map(str, found)]


# Nobody there.


async def test_a_name_that_is_not_known(autojump_clock, names, report):
    with pytest.raises(TransportError) as caught:
        await open_transport("smsc.example.com", 2775, report=report)
    assert "dns" == caught.value.stage
    assert (
        "smsc.example.com:2775: name or service not known, expected a name that DNS knows"
    ) == str(caught.value)
    assert () == report.addresses


async def test_a_name_that_cannot_be_asked_for(autojump_clock):
    with pytest.raises(TransportError, match=r"a\.\.b:2775: .*expected a host name") as caught:
        await open_transport("a..b", 2775)
    assert "dns" == caught.value.stage


async def test_a_name_service_that_is_silent(autojump_clock, names):
    names.silent = True
    with pytest.raises(TransportError, match="not answered for within 10 s") as caught:
        await open_transport("smsc.example.com", 2775)
    assert ("dns", errno.ETIMEDOUT) == (caught.value.stage, caught.value.errno)
    assert 10 == trio.current_time()


async def test_a_port_where_nobody_listens(autojump_clock, closed_port):
    with pytest.raises(TransportError) as caught:
        await open_transport("127.0.0.1", closed_port)
    assert ("tcp", errno.ECONNREFUSED) == (caught.value.stage, caught.value.errno)
    assert (
        "connection refused (nobody listens there: a wrong port, or the service is down)"
    ) == caught.value.strerror
    assert f"127.0.0.1:{closed_port}: {caught.value.strerror}" == str(caught.value)


async def test_a_black_hole_is_given_up_in_time(autojump_clock, black_hole, sockets_open):
    before = sockets_open()
    report = TransportReport(host="127.0.0.1", port=black_hole)
    with pytest.raises(TransportError, match="no answer within 10 s") as caught:
        await open_transport("127.0.0.1", black_hole, report=report)
    assert ("tcp", errno.ETIMEDOUT) == (caught.value.stage, caught.value.errno)
    assert "firewall" in caught.value.hint
    assert 10 == trio.current_time()
    assert [10] == [tried.took for tried in report.tried]
    assert before == sockets_open()


async def test_a_port_does_not_answer_to_itself(autojump_clock, closed_port, monkeypatch):
    # On loopback the system may pick the very port that is connected to, and TCP then answers itself.
    async def bound_there(socket: trio.socket.SocketType, _source_address: str) -> None:
        await socket.bind(("127.0.0.1", closed_port))

    monkeypatch.setattr("whiteroute.engine.transport.opening._bind", bound_there)
    with pytest.raises(TransportError, match="connection refused"):
        await open_transport("127.0.0.1", closed_port, TransportOptions(source_address="127.0.0.1"))


# Several addresses.


async def test_the_next_address_is_tried_at_once_when_one_refuses(autojump_clock, listen, names):
    names.names["smsc.example.com"] = ["127.0.0.3", "127.0.0.1"]
    report = TransportReport(host="smsc.example.com", port=1)
    async with listen(echo) as there:
        await (await open_transport("smsc.example.com", there.port, report=report)).aclose()
    assert [
        ("127.0.0.3", "connection refused"),
        ("127.0.0.1", ""),
    ] == [(each.address.split(":")[0], each.failure.split(" (")[0]) for each in report.tried]
    assert trio.current_time() < 0.25


async def test_the_next_address_is_tried_beside_one_that_is_silent(
    autojump_clock, listen, names, black_hole, sockets_open
):
    before = sockets_open()
    addresses = [
        Address(real_socket.AF_INET, ("127.0.0.1", black_hole)),
        Address(real_socket.AF_INET, ("127.0.0.1", 0)),
    ]
    async with listen(echo) as there:
        addresses[1] = Address(real_socket.AF_INET, ("127.0.0.1", there.port))
        connected = await connect(addresses)
        assert addresses[1] == connected.address
        assert 0.25 == trio.current_time() == connected.started_at
        await connected.stream.aclose()
    # The listener's end and the one that was let go are closed as well.
    assert before == sockets_open()


async def test_all_addresses_failed_and_each_is_told(autojump_clock, names, closed_port):
    names.names["smsc.example.com"] = ["127.0.0.1", "127.0.0.3"]
    with pytest.raises(TransportError) as caught:
        await open_transport("smsc.example.com", closed_port)
    hint = "(nobody listens there: a wrong port, or the service is down)"
    assert (
        f"smsc.example.com:{closed_port}: 127.0.0.1:{closed_port}: connection refused {hint}; "
        f"127.0.0.3:{closed_port}: connection refused {hint}"
    ) == str(caught.value)
    assert ("tcp", errno.ECONNREFUSED) == (caught.value.stage, caught.value.errno)


async def test_one_of_several_addresses_answers_the_header_with_a_reset(
    autojump_clock, listen, names, monkeypatch
):
    names.names["smsc.example.com"] = ["127.0.0.1", "127.0.0.3"]
    tried: list[str] = []

    async def fails_at_first(stream, _version, _report) -> None:
        tried.append(stream.socket.getpeername()[0])
        if 1 == len(tried):
            raise TransportError("connection reset by peer", stage="proxy")

    monkeypatch.setattr("whiteroute.engine.transport.opening.send_proxy_header", fails_at_first)
    options = TransportOptions(proxy_protocol="v1")
    report = TransportReport(host="", port=0)
    async with (
        listen(echo, "0.0.0.0") as there,
        await open_transport("smsc.example.com", there.port, options, report),
    ):
        assert ["127.0.0.1", "127.0.0.3"] == tried
    assert [
        ("127.0.0.1", "proxy", "connection reset by peer"),
        ("127.0.0.3", "proxy", ""),
    ] == [(each.address.split(":")[0], each.stage, each.failure) for each in report.tried]


async def test_two_that_answer_in_the_same_instant_leave_one_stream(
    autojump_clock, listen, monkeypatch, sockets_open
):
    before = sockets_open()
    delay = trio.Event()

    async def together(address: Address, _options) -> trio.SocketStream:
        socket = trio.socket.socket(address.family, real_socket.SOCK_STREAM)
        await socket.connect(address.name)
        with trio.CancelScope(shield=True):
            await delay.wait()
        return trio.SocketStream(socket)

    monkeypatch.setattr("whiteroute.engine.transport.opening._connect", together)
    async with listen(echo) as there:
        addresses = [
            Address(real_socket.AF_INET, (host, there.port)) for host in ("127.0.0.1", "127.0.0.1")
        ]
        async with trio.open_nursery() as nursery:

            async def run() -> None:
                await (await connect(addresses)).stream.aclose()

            nursery.start_soon(run)
            await trio.sleep(1)
            delay.set()
    assert before == sockets_open()


async def test_a_peer_that_resets_at_once_is_found_by_the_first_read(autojump_clock, listen):
    async def reset(stream: trio.SocketStream) -> None:
        stream.setsockopt(real_socket.SOL_SOCKET, real_socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with (
        listen(reset) as there,
        await open_transport("127.0.0.1", there.port) as stream,
    ):
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()


# The errors themselves.


def test_an_error_says_the_address_only_where_it_is_not_the_host():
    found = TransportError("refused", stage="tcp", address="192.0.2.1:1")
    assert "a:1: 192.0.2.1:1: refused" == str(found.at("a:1"))
    assert "192.0.2.1:1: refused" == str(found.at("192.0.2.1:1"))
    assert "192.0.2.1:1: refused" == str(found)


def test_what_was_tried_is_a_value():
    assert TriedAddress(address="a:1", took=1.0, stage="tcp") == TriedAddress(
        address="a:1", took=1.0, stage="tcp"
    )
