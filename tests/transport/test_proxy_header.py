"""The header of the PROXY protocol: samples of other makers, round trips, and what is no header."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
import trio
import trio.lowlevel
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.profile import TransportOptions
from whiteroute.engine.transport import (
    Endpoint,
    ProxyHeader,
    ProxyHeaderError,
    TransportError,
    TransportReport,
    accept_transport,
    decode_proxy_header,
    encode_proxy_header,
    open_transport,
)
from whiteroute.engine.transport.proxy_header import missing_octets
from whiteroute.pdu import BindTransceiver, encode

ALL_ONES = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BIND = encode(BindTransceiver(system_id="gateway", sequence_number=1))


def header(source: str, source_port: int, destination: str, port: int) -> ProxyHeader:
    return ProxyHeader(
        source=Endpoint(ip_address(source), source_port),
        destination=Endpoint(ip_address(destination), port),
    )


SAMPLES = [
    # HAProxy, doc/proxy-protocol.txt §2.1: the worst cases, and the example.
    (
        "v1",
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        header("255.255.255.255", 65535, "255.255.255.255", 65535),
    ),
    (
        "v1",
        b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n",
        header("192.168.0.1", 56324, "192.168.0.11", 443),
    ),
    (
        "v1",
        f"PROXY TCP6 {ALL_ONES} {ALL_ONES} 65535 65535\r\n".encode(),
        header(ALL_ONES, 65535, ALL_ONES, 65535),
    ),
    ("v1", b"PROXY UNKNOWN\r\n", ProxyHeader()),
    # Linode's documentation of its NodeBalancers.
    (
        "v2",
        b"\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c\xach\x11\x05\xcf\xc0D8\xfe\x1e\x04\xd2",
        header("172.104.17.5", 65054, "207.192.68.56", 1234),
    ),
    # Twisted, test_v2parser.py and test_wrapper.py.
    (
        "v2",
        b'\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x1f\x90"\xb8',
        header("127.0.0.1", 8080, "127.0.0.1", 8888),
    ),
    (
        "v2",
        b"\r\n\r\n\x00\r\nQUIT\n!!\x00$" + (b"\0" * 15 + b"\x01") * 2 + b'\x1f\x90"\xb8',
        header("::1", 8080, "::1", 8888),
    ),
    ("v2", SIGNATURE + b"\x20\x00\x00\x00", ProxyHeader()),
]


@pytest.mark.parametrize(("version", "octets", "value"), SAMPLES)
def test_samples_both_ways(version, octets: bytes, value: ProxyHeader):
    assert value == decode_proxy_header(octets)
    assert octets == encode_proxy_header(value, version)


@pytest.mark.parametrize(
    ("octets", "value"),
    [
        # The longest line there can be: what follows UNKNOWN is not looked at.
        (f"PROXY UNKNOWN {ALL_ONES} {ALL_ONES} 65535 65535\r\n".encode(), ProxyHeader()),
        # LOCAL with addresses, as a health check may have them.
        (SIGNATURE + b"\x20\x11\x00\x0c" + b"\x7f\0\0\1" * 2 + b"\0\1\0\2", ProxyHeader()),
        # A Unix socket, and a datagram.
        (SIGNATURE + b"\x21\x31\x00\xd8" + b"/" * 216, ProxyHeader()),
        (
            SIGNATURE + b"\x21\x12\x00\x0c" + b"\x7f\0\0\1" * 2 + b"\0\1\0\2",
            header("127.0.0.1", 1, "127.0.0.1", 2),
        ),
    ],
)
def test_what_others_may_send_and_we_do_not(octets: bytes, value: ProxyHeader):
    assert value == decode_proxy_header(octets)


def test_what_a_load_balancer_adds_is_kept():
    tlvs = b"\x04\x00\x03abc"
    octets = SIGNATURE + b"\x21\x11\x00\x12" + b"\x7f\0\0\1" * 2 + b"\0\1\0\2" + tlvs
    value = decode_proxy_header(octets)
    assert tlvs == value.tlvs
    assert octets == encode_proxy_header(value, "v2")


addresses = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.ip_addresses(v=4)),
    st.tuples(st.ip_addresses(v=6), st.ip_addresses(v=6)),
)
ports = st.integers(0, 65_535)


@st.composite
def headers(draw: st.DrawFn) -> ProxyHeader:
    if draw(st.booleans()):
        return ProxyHeader()
    source, destination = draw(addresses)
    return ProxyHeader(
        source=Endpoint(source, draw(ports)), destination=Endpoint(destination, draw(ports))
    )


@given(headers(), st.sampled_from(["v1", "v2"]))
def test_there_and_back(value: ProxyHeader, version):
    octets = encode_proxy_header(value, version)
    assert value == decode_proxy_header(octets)
    assert version == "v2" or len(octets) <= 107


@given(headers(), st.sampled_from(["v1", "v2"]))
def test_what_follows_is_never_asked_for(value: ProxyHeader, version):
    octets = encode_proxy_header(value, version)
    for size in range(len(octets)):
        assert 0 < missing_octets(octets[:size]) <= len(octets) - size
    assert 0 == missing_octets(octets)


@given(st.binary(max_size=300))
def test_octets_are_a_header_or_are_refused(octets: bytes):
    for each in (octets, SIGNATURE + octets, b"PROXY " + octets, b"PROXY TCP4 " + octets + b"\r\n"):
        try:
            decode_proxy_header(each)
        except ProxyHeaderError as error:
            assert error.found


@pytest.mark.parametrize(
    ("octets", "found"),
    [
        (b"PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "the line"),
        (b"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "the line"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "the line"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "the line"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "the line"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.\xff 1 2\r\n", "the line"),
        (b"PROXY UNKNOWN\r\nPROXY UNKNOWN\r\n", "a header that is shorter"),
        (b"PROXY UNKNO", "a header that is longer"),
        (b"PROXY " + b"x" * 200, "a line of more than 107 octets"),
        (SIGNATURE + b"\x31\x11\x00\x00", "version and command 0x31"),
        (SIGNATURE + b"\x22\x11\x00\x00", "version and command 0x22"),
        (SIGNATURE + b"\x21\x11\x00\x04abcd", "4 octets of addresses, 12 are needed"),
        (SIGNATURE + b"\x21\x21\x00\x04abcd", "4 octets of addresses, 36 are needed"),
        (SIGNATURE + b"\x21\x11\xff\xff", "a header of 65535 octets, at most 4096 are read"),
        (SIGNATURE + b"\x20\x00\x00\x00x", "a header that is shorter"),
        (BIND, repr(BIND[:12])),
    ],
)
def test_what_is_no_header(octets: bytes, found: str):
    with pytest.raises(ProxyHeaderError) as caught:
        decode_proxy_header(octets)
    assert found in caught.value.found


def test_addresses_of_both_families_together_are_told_as_unknown():
    mixed = ProxyHeader(
        source=Endpoint(IPv4Address("127.0.0.1"), 1), destination=Endpoint(IPv6Address("::1"), 2)
    )
    assert b"PROXY UNKNOWN\r\n" == encode_proxy_header(mixed, "v1")
    assert SIGNATURE + b"\x20\0\0\0" == encode_proxy_header(mixed, "v2")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (("192.0.2.1", 1), "192.0.2.1:1"),
        (("::ffff:192.0.2.1", 2, 0, 0), "192.0.2.1:2"),
        (("fe80::1%eth0", 3, 0, 2), "[fe80::1]:3"),
    ],
)
def test_an_end_is_told_so_that_the_other_side_understands_it(name, shown: str):
    assert shown == str(Endpoint.of(name))


# On the wire.


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_header_arrives_before_smpp(autojump_clock, listen, version, host: str):
    got: list[tuple[object, bytes]] = []

    async def serve(stream: trio.SocketStream) -> None:
        accepted = await accept_transport(stream, proxy_protocol=True)
        octets = b""
        while len(octets) < len(BIND):
            octets += await accepted.stream.receive_some()
        got.append((accepted.proxied, octets))

    report = TransportReport(host=host, port=1)
    options = TransportOptions(proxy_protocol=version)
    async with (
        listen(serve, host) as there,
        await open_transport(host, there.port, options, report) as stream,
    ):
        local = stream.socket.getsockname()
        await stream.send_all(BIND)
        await stream.receive_some()
    expected = header(local[0], local[1], host, there.port)
    assert [(expected, BIND)] == got
    assert expected == decode_proxy_header(report.proxy_header)


@pytest.mark.parametrize(("version", "octets", "value"), SAMPLES)
@pytest.mark.parametrize("cut", [1, 7, 1000])
async def test_no_octet_of_what_follows_is_taken(
    autojump_clock, version, octets: bytes, value: ProxyHeader, cut: int
):
    ours, theirs = trio.testing.memory_stream_pair()
    everything = octets + BIND
    for at in range(0, len(everything), cut):
        await theirs.send_all(everything[at : at + cut])
    accepted = await accept_transport(ours, proxy_protocol=True)
    assert decode_proxy_header(octets) == accepted.proxied
    assert BIND == await ours.receive_some()


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (BIND, "SMPP in clear"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00", "TLS (a handshake)"),
        (b"hello there, who is it?", "b'hello there,'"),
        (b"", "the peer closed without a word"),
        (b"PROXY TC", "the peer closed after 8 octets"),
        (b"PROXY TCP4 x\r\n ", "the line b'PROXY TCP4 x'"),
    ],
)
async def test_what_comes_instead_of_a_header_is_told(autojump_clock, sent: bytes, found: str):
    ours, theirs = trio.testing.memory_stream_pair()
    await theirs.send_all(sent)
    await theirs.send_stream.aclose()
    with pytest.raises(TransportError) as caught:
        await accept_transport(ours, proxy_protocol=True)
    assert ("proxy", found) == (caught.value.stage, caught.value.found)
    assert "a PROXY header" == caught.value.expected
    assert b"" == await theirs.receive_some()


async def test_a_peer_that_says_nothing_is_let_go(autojump_clock, authority):
    for settings, stage in ((None, "proxy"), (authority.settings(), "tls")):
        ours, theirs = trio.testing.memory_stream_pair()
        started_at = trio.current_time()
        with pytest.raises(TransportError, match="nothing whole within 10 s") as caught:
            await accept_transport(ours, tls=settings, proxy_protocol=settings is None)
        assert stage == caught.value.stage
        assert 10 == trio.current_time() - started_at
        assert b"" == await theirs.receive_some()


async def test_a_stream_that_is_reset_in_the_header(autojump_clock):
    ours, _ = trio.testing.memory_stream_pair()

    async def broken() -> None:
        raise trio.BrokenResourceError

    ours.receive_stream.receive_some_hook = broken
    with pytest.raises(TransportError, match="the connection was reset"):
        await accept_transport(ours, proxy_protocol=True)


async def test_a_peer_that_is_gone_when_the_header_is_sent(
    autojump_clock, listen, sockets_open, monkeypatch
):
    before = sockets_open()

    async def stay(_stream) -> None:
        await trio.lowlevel.checkpoint()

    async def gone(_stream, _octets) -> None:
        raise trio.BrokenResourceError from ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(trio.SocketStream, "send_all", gone)
    async with listen(stay) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, TransportOptions(proxy_protocol="v2"))
    assert ("proxy", "connection reset by peer") == (caught.value.stage, caught.value.found)
    assert "does not want a PROXY header" in caught.value.hint
    assert before == sockets_open()
