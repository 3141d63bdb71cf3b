"""Under TLS: what is let through, and that every other peer is refused with its cause in words."""

import os
import ssl
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme

from whiteroute.engine.profile import TlsOptions, TransportOptions
from whiteroute.engine.transport import (
    SeenCertificate,
    TlsStream,
    TransportError,
    TransportReport,
    accept_transport,
    encrypt,
    open_transport,
    read_certificate,
)
from whiteroute.pdu import GenericNack, encode

NAME = "smsc.example.com"


def der(leaf: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


def fingerprint(leaf: trustme.LeafCert) -> str:
    return read_certificate(der(leaf)).sha256


def echo_over(context: ssl.SSLContext, faults: list[TransportError] | None = None):
    """Serve TLS, and send back what comes."""

    async def serve(stream: trio.SocketStream) -> None:
        try:
            accepted = await accept_transport(stream, tls=context)
            async for octets in accepted.stream:
                await accepted.stream.send_all(octets)
            await accepted.stream.aclose()
        except TransportError as error:
            assert faults is not None, error
            faults.append(error)
        except trio.BrokenResourceError as error:
            assert faults is not None, error
            faults.append(error.__cause__)

    return serve


def over_tls(**options: object) -> TransportOptions:
    return TransportOptions(tls=TlsOptions(**options))  # type: ignore[arg-type]


@pytest.fixture
def refused(listen, names):
    """Open a stream to a peer and give the error by which it is refused."""

    async def run(
        context: ssl.SSLContext, report: TransportReport | None = None, **options: object
    ) -> TransportError:
        names.names[NAME] = ["127.0.0.1"]
        async with listen(echo_over(context, [])) as there:
            with pytest.raises(TransportError) as caught:
                await open_transport(NAME, there.port, over_tls(**options), report)
            assert f"{NAME}:{there.port}" == caught.value.host
            assert f"127.0.0.1:{there.port}" == caught.value.address
        assert "tls" == caught.value.stage
        assert "\n" not in str(caught.value)
        return caught.value

    return run


async def test_a_trusted_peer_of_the_right_name(autojump_clock, listen, names, authority, report):
    names.names[NAME] = ["127.0.0.1"]
    options = over_tls(ca_file=authority.ca_file)
    leaf = authority.issue(NAME, "*.example.net")
    async with (
        listen(echo_over(authority.settings(leaf))) as there,
        await open_transport(NAME, there.port, options, report) as stream,
    ):
        await stream.wait_send_all_might_not_block()
        await stream.send_all(b"hello")
        assert b"hello" == await stream.receive_some()
        assert report.tls is stream.seen
    seen = report.tls
    assert ("TLSv1.3", False) == (seen.version, seen.certificate_requested)
    assert seen.cipher.startswith("TLS_")
    assert (NAME, "*.example.net") == seen.certificate.names
    assert "Test Telecom" in seen.certificate.issuer
    assert fingerprint(leaf) == seen.certificate.sha256
    assert ["tls"] == [tried.stage for tried in report.tried]


async def test_nobody_watches_unless_asked_to(autojump_clock, listen, authority):
    report = TransportReport(host="127.0.0.1", port=1)
    options = over_tls(ca_file=authority.ca_file)
    async with (
        listen(echo_over(authority.settings())) as there,
        await open_transport("127.0.0.1", there.port, options, report) as stream,
    ):
        assert isinstance(stream, TlsStream)
    assert report.tls.certificate_requested is None


async def test_an_address_in_the_certificate_is_a_right_name(autojump_clock, listen, authority):
    options = over_tls(ca_file=authority.ca_file)
    async with listen(echo_over(authority.settings(authority.issue("::1"))), "::1") as there:
        await (await open_transport("::1", there.port, options)).aclose()


async def test_the_name_asked_for_is_the_host_or_what_is_set(
    autojump_clock, listen, names, authority
):
    asked: list[str | None] = []
    context = authority.settings()
    context.sni_callback = lambda _object, name, _context: asked.append(name)
    names.names |= {f"{NAME}.": ["127.0.0.1"], "elsewhere.example": ["127.0.0.1"]}
    async with listen(echo_over(context, [])) as there:
        for host, name in (
            (f"{NAME}.", ""),  # as the root of the DNS has it; certificates do not
            ("elsewhere.example", NAME),
            ("127.0.0.1", ""),  # an address is never asked for by SNI
        ):
            options = over_tls(ca_file=authority.ca_file, server_name=name)
            await (await open_transport(host, there.port, options)).aclose()
    assert [NAME, NAME, None] == asked


async def test_a_wrong_name_says_whose_the_certificate_is(autojump_clock, refused, authority):
    names = ("a.example.net", "b.example.net", "c.example.net", "d.example.net", "e.example.net")
    error = await refused(authority.settings(authority.issue(*names)), ca_file=authority.ca_file)
    assert (
        "the certificate is for a.example.net, b.example.net, c.example.net, d.example.net and "
        "1 more"
    ) == error.found
    assert f"it to be for {NAME}" == error.expected
    assert "set server_name" in error.hint


async def test_the_name_may_be_left_out_of_account(autojump_clock, listen, authority):
    context = authority.settings(authority.issue("other.example.net"))
    options = over_tls(ca_file=authority.ca_file, verify="chain")
    async with listen(echo_over(context)) as there:
        await (await open_transport("127.0.0.1", there.port, options)).aclose()


async def test_leaving_out_the_name_leaves_in_the_chain(autojump_clock, refused, authority):
    stranger = trustme.CA(organization_name="Nobody Ltd").issue_cert(NAME)
    error = await refused(authority.settings(stranger), ca_file=authority.ca_file, verify="chain")
    assert "Nobody Ltd" in error.found


async def test_an_unknown_authority_is_named(autojump_clock, refused, authority, report):
    error = await refused(authority.settings(), report)  # the system's authorities
    assert error.found.startswith("the certificate was issued by O=Test Telecom, OU=Testing CA")
    assert f"it is for {NAME}, 127.0.0.1" == error.hint
    assert (NAME, "127.0.0.1") == report.tls.certificate.names
    assert error.strerror.endswith(report.tried[0].failure)


async def test_an_expired_certificate_says_when(autojump_clock, refused, authority):
    expired = authority.issue(NAME, not_after=datetime(2020, 2, 29, 23, 59, tzinfo=UTC))
    error = await refused(authority.settings(expired), ca_file=authority.ca_file)
    assert "the certificate expired on 2020-02-29 23:59 UTC" == error.found
    assert f"it is for {NAME}" == error.hint


async def test_a_certificate_of_the_future_makes_our_clock_suspect(
    autojump_clock, refused, authority
):
    future = authority.issue(
        NAME,
        not_before=datetime(2899, 1, 1, tzinfo=UTC),
        not_after=datetime(2900, 1, 1, tzinfo=UTC),
    )
    error = await refused(authority.settings(future), ca_file=authority.ca_file)
    assert "the certificate is valid only from 2899-01-01 00:00 UTC" == error.found
    assert "or our clock is wrong" == error.hint


@pytest.fixture
def signed_by_itself(tmp_path) -> tuple[ssl.SSLContext, str]:
    """A peer whose certificate is its own authority, as those that people make by hand."""
    ca = trustme.CA(organization_name="Lone Wolf")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    files = [tmp_path / name for name in ("cert.pem", "key.pem")]
    ca.cert_pem.write_to_path(str(files[0]))
    ca.private_key_pem.write_to_path(str(files[1]))
    context.load_cert_chain(*files)
    return context, str(files[0])


async def test_a_certificate_signed_by_itself_tells_its_pin(
    autojump_clock, refused, signed_by_itself
):
    context, _ = signed_by_itself
    error = await refused(context)
    assert "Lone Wolf" in error.found
    assert error.found.endswith("is signed by itself")
    pin = error.hint.split('["')[1].split('"')[0]
    assert 64 == len(pin)


async def test_a_certificate_signed_by_itself_may_be_named_as_authority(
    autojump_clock, listen, signed_by_itself
):
    context, ca_file = signed_by_itself
    options = over_tls(ca_file=ca_file, verify="chain")
    async with listen(echo_over(context)) as there:
        await (await open_transport("127.0.0.1", there.port, options)).aclose()


# Pins.


@pytest.mark.parametrize("form", ["plain", "colons"])
async def test_a_pinned_certificate_needs_no_authority(autojump_clock, listen, authority, form):
    leaf = authority.issue("other.example.net")
    pin = fingerprint(leaf)
    if form == "colons":
        pin = ":".join(pin[at : at + 2] for at in range(0, 64, 2)).upper()
    options = over_tls(verify="pinned", pins=("00" * 32, pin))
    async with (
        listen(echo_over(authority.settings(leaf))) as there,
        await open_transport("127.0.0.1", there.port, options) as stream,
    ):
        assert ("other.example.net",) == stream.seen.certificate.names


async def test_another_certificate_than_the_pinned_one_is_refused(
    autojump_clock, refused, authority, report
):
    leaf = authority.issue(NAME)
    error = await refused(authority.settings(leaf), report, verify="pinned", pins=("ab" * 32,))
    assert f"a certificate with SHA-256 {fingerprint(leaf)}" == error.found
    assert "one of the pins" == error.expected
    assert f"it is for {NAME}, valid from 2000-01-01" == error.hint
    assert "TLSv1.3" == report.tls.version


async def test_pins_stand_beside_a_trusted_chain(autojump_clock, refused, authority):
    error = await refused(
        authority.settings(authority.issue(NAME)), ca_file=authority.ca_file, pins=("ab" * 32,)
    )
    assert "one of the pins" == error.expected


async def test_a_pin_does_not_stand_for_the_name(autojump_clock, refused, authority):
    leaf = authority.issue("other.example.net")
    error = await refused(
        authority.settings(leaf), ca_file=authority.ca_file, pins=(fingerprint(leaf),)
    )
    assert "the certificate is for other.example.net" == error.found


# Certificates of ours.


@pytest.fixture
def own_files(authority, tmp_path) -> dict[bool, tuple[str, str]]:
    """A certificate and its key, in two files and in one."""
    certificate, key = authority.write(authority.issue("gateway.example.org"))
    both = tmp_path / "both.pem"
    both.write_bytes(b"".join(Path(path).read_bytes() for path in (key, certificate)))
    return {False: (certificate, key), True: (str(both), "")}


@pytest.mark.parametrize("in_one_file", [False, True])
async def test_a_carrier_that_asks_for_a_certificate_gets_it(
    autojump_clock, listen, authority, in_one_file, own_files
):
    certificate, key = own_files[in_one_file]
    options = over_tls(ca_file=authority.ca_file, certificate_file=certificate, key_file=key)
    report = TransportReport(host="127.0.0.1", port=1, watches=True)
    shown: list[SeenCertificate | None] = []

    async def serve(stream: trio.SocketStream) -> None:
        context = authority.settings(wants_certificate=True)
        accepted = await accept_transport(stream, tls=context)
        shown.append(accepted.stream.seen.certificate)
        await accepted.stream.send_all(b"welcome")

    async with (
        listen(serve) as there,
        await open_transport("127.0.0.1", there.port, options, report) as stream,
    ):
        assert b"welcome" == await stream.receive_some()
    assert ("gateway.example.org",) == shown[0].names
    assert report.tls.certificate_requested


async def test_a_certificate_that_is_missing_is_told_by_the_first_read_under_tls_1_3(
    autojump_clock, listen, authority
):
    # The one that connects has its handshake done before the other has seen that nothing was shown.
    faults: list[TransportError] = []
    context = authority.settings(wants_certificate=True)
    options = over_tls(ca_file=authority.ca_file)
    async with listen(echo_over(context, faults)) as there:
        stream = await open_transport("127.0.0.1", there.port, options)
        with pytest.raises(trio.BrokenResourceError) as caught:
            await stream.receive_some()
        assert (
            "the peer ended TLS with the alert certificate required (it wants a certificate of "
            "ours: set certificate_file)"
        ) == str(caught.value.__cause__)
        # It stays broken, and says so in the other direction too.
        for operation in (stream.send_all(b"x"), stream.wait_send_all_might_not_block()):
            with pytest.raises(trio.BrokenResourceError):
                await operation
        await stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
    assert ["TLS failed: peer did not return a certificate"] == [str(fault) for fault in faults]


async def test_a_certificate_that_is_missing_is_told_by_the_handshake_under_tls_1_2(
    autojump_clock, refused, authority, report
):
    context = authority.settings(wants_certificate=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    error = await refused(context, report, ca_file=authority.ca_file)
    assert "the peer ended TLS with the alert handshake failure" == error.found
    assert "it wants a certificate of ours" in error.hint
    assert report.tls.certificate_requested


async def test_a_certificate_that_the_carrier_does_not_know(autojump_clock, refused, authority):
    context = authority.settings(wants_certificate=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = authority.write(trustme.CA().issue_cert("gateway.example.org"))
    error = await refused(
        context, ca_file=authority.ca_file, certificate_file=certificate, key_file=key
    )
    assert "the peer ended TLS with the alert unknown ca" == error.found
    assert "it does not know who issued our certificate" == error.hint


# Versions.


def only_old(context: ssl.SSLContext) -> ssl.SSLContext:
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_peer_that_speaks_only_tls_1_1_is_not_spoken_to(autojump_clock, refused, authority):
    error = await refused(only_old(authority.settings()), ca_file=authority.ca_file)
    assert "the peer ended TLS with the alert protocol version" == error.found
    assert "it speaks only older versions of TLS than minimum_version" == error.hint


async def test_the_minimum_may_be_1_3(autojump_clock, refused, authority):
    context = authority.settings()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    error = await refused(context, ca_file=authority.ca_file, minimum_version="1.3")
    assert "the peer ended TLS with the alert protocol version" == error.found


async def test_tls_1_2_is_spoken(autojump_clock, listen, authority, report):
    context = authority.settings()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with listen(echo_over(context)) as there:
        options = over_tls(ca_file=authority.ca_file)
        await (await open_transport("127.0.0.1", there.port, options, report)).aclose()
    assert "TLSv1.2" == report.tls.version


# Peers that speak something else, or nothing.


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (encode(GenericNack(command_status=2)), "an answer in SMPP in clear"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "an answer in HTTP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "an answer in SSH"),
        (b"\xff\xfd\x18\xff\xfd\x20", "an answer that begins b'\\xff\\xfd\\x18\\xff\\xfd '"),
    ],
)
async def test_a_peer_that_speaks_in_clear_is_recognised(
    autojump_clock, listen, answer: bytes, found: str
):
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)

    async with listen(serve) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, over_tls())
    assert (found, "TLS") == (caught.value.found, caught.value.expected)
    assert "the port does not speak TLS" == caught.value.hint


async def test_a_peer_that_closes_in_the_handshake(autojump_clock, listen):
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with listen(serve) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, over_tls())
    assert "the connection was closed during the TLS handshake" == caught.value.found
    assert "the port does not speak TLS, or our address is not let in" == caught.value.hint


async def test_a_peer_that_resets_in_the_handshake(autojump_clock, listen, sockets_open):
    before = sockets_open()

    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some(1)
        stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with listen(serve) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, over_tls())
    assert f"{os.strerror(104).lower()} during the TLS handshake" == caught.value.found
    assert 104 == caught.value.errno
    assert before == sockets_open()


async def test_a_peer_that_is_silent_in_the_handshake(autojump_clock, listen, sockets_open):
    before = sockets_open()

    async def serve(_stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    options = TransportOptions(tls=TlsOptions(), connect_timeout=3)
    async with listen(serve) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, options)
    assert 3 == trio.current_time()
    assert "no answer in TLS within 3 s" == caught.value.found
    assert "the port may speak SMPP in clear" == caught.value.hint
    assert before == sockets_open()


async def test_the_next_address_is_tried_when_one_fails_in_tls(
    autojump_clock, listen, names, authority
):
    names.names[NAME] = ["127.0.0.1", "127.0.0.3"]
    good, bad = authority.settings(), authority.settings(authority.issue("other.example.net"))

    async def serve(stream: trio.SocketStream) -> None:
        first = "127.0.0.1" == stream.socket.getsockname()[0]
        await echo_over(bad if first else good, [])(stream)

    report = TransportReport(host=NAME, port=1)
    async with listen(serve, "0.0.0.0") as there:
        options = over_tls(ca_file=authority.ca_file)
        await (await open_transport(NAME, there.port, options, report)).aclose()
    assert [True, False] == [bool(tried.failure) for tried in report.tried]


async def test_a_fault_of_a_file_is_told_before_anybody_is_connected_to(
    autojump_clock, listen, authority
):
    async with listen(echo_over(authority.settings())) as there:
        with pytest.raises(TransportError) as caught:
            await open_transport("127.0.0.1", there.port, over_tls(ca_file="/nowhere/ca.pem"))
        assert [] == there.streams
    assert (
        f"127.0.0.1:{there.port}: tls.ca_file: /nowhere/ca.pem: No such file or directory, "
        "expected a PEM file that can be read"
    ) == str(caught.value)
    assert "tls" == caught.value.stage


async def test_a_file_that_vanishes_meanwhile_is_told_too(autojump_clock, sockets_open):
    ours, theirs = trio.testing.memory_stream_pair()
    with pytest.raises(TransportError, match=r"tls\.ca_file: /nowhere/ca\.pem"):
        await encrypt(ours, NAME, TlsOptions(ca_file="/nowhere/ca.pem"))
    assert b"" == await theirs.receive_some()


async def test_a_name_that_cannot_be_asked_for(autojump_clock):
    ours, theirs = trio.testing.memory_stream_pair()
    with pytest.raises(TransportError, match=r"tls\.server_name: .*expected a host name"):
        await encrypt(ours, NAME, TlsOptions(server_name=".example.com"))
    assert b"" == await theirs.receive_some()
