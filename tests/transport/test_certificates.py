"""Reading certificates for people: all that is in one, and nothing that a broken one can do to us."""

import ssl
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.transport import SeenCertificate, read_certificate, recognise


def test_what_stands_in_a_certificate(authority):
    leaf = authority.ca.issue_cert(
        "smsc.example.com",
        "192.0.2.1",
        "2001:db8::1",
        common_name="smsc",
        organization_name="Ünï Telecom",
        not_before=datetime(1999, 1, 2, 3, 4, 5, tzinfo=UTC),
        not_after=datetime(2050, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    seen = read_certificate(der)
    assert ("smsc.example.com", "192.0.2.1", "2001:db8::1") == seen.names
    assert seen.subject.startswith("O=Ünï Telecom, OU=")
    assert seen.subject.endswith("CN=smsc")
    assert seen.issuer.startswith("O=Test Telecom, OU=")
    assert datetime(1999, 1, 2, 3, 4, 5, tzinfo=UTC) == seen.not_before
    assert datetime(2050, 1, 2, 3, 4, 5, tzinfo=UTC) == seen.not_after
    assert "smsc.example.com, 192.0.2.1, 2001:db8::1" == seen.whom


def test_a_certificate_without_names_is_for_its_subject_or_nobody():
    assert "CN=smsc" == SeenCertificate(sha256="", subject="CN=smsc").whom
    assert "nobody" == SeenCertificate(sha256="").whom


def test_a_version_1_certificate_with_odd_attributes_and_no_extensions():
    def value(tag: int, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return bytes((tag, 0x82)) + len(body).to_bytes(2, "big") + body

    def attribute(oid: bytes, tag: int, text: bytes) -> bytes:
        return value(0x31, value(0x30, value(0x06, oid), value(tag, text)))

    name = value(
        0x30,
        attribute(b"\x55\x04\x03", 0x1E, "šm\x1b".encode("utf-16-be")),
        attribute(b"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", 0x16, b"example"),
    )
    validity = value(0x30, value(0x17, b"500101000000Z"), value(0x17, b"490101000000Z"))
    body = value(0x30, value(2, b"\1"), value(0x30), name, validity, name, value(0x30))
    seen = read_certificate(value(0x30, body, value(0x30), value(3, b"\0")))
    # An escape of a terminal does not get through.
    assert "CN=šm�, 0.9.2342.19200300.100.1.25=example" == seen.subject
    assert (1950, 2049) == (seen.not_before.year, seen.not_after.year)
    assert () == seen.names


@given(st.data())
def test_a_broken_certificate_does_no_harm(authority, data: st.DataObject):
    der = bytearray(ssl.PEM_cert_to_DER_cert(authority.ca.cert_pem.bytes().decode()))
    for _ in range(data.draw(st.integers(1, 8))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    seen = read_certificate(bytes(der[: data.draw(st.integers(0, len(der)))]))
    assert 64 == len(seen.sha256)
    assert seen.subject.isprintable()


@given(st.binary(max_size=40))
def test_what_is_no_certificate_has_a_fingerprint_all_the_same(octets: bytes):
    assert 64 == len(read_certificate(octets).sha256)


def test_first_octets_are_recognised():
    samples = {
        b"\x15\x03\x01\x00\x02\x02\x46": "TLS (an alert)",
        b"\x16\x03\x03\x00\x7a": "TLS (a handshake)",
        b"HTTP/1.1 400": "HTTP",
        b"GET / HTTP/1.1": "HTTP",
        b"SSH-2.0-": "SSH",
        b"PROXY TCP4 ": "the PROXY protocol",
        b"\0\0\0\x10\x80\0\0\0": "SMPP in clear",
        b"\0\0\0\x10\0\0\0\x15": "SMPP in clear",
        b"\0\0\0\x10": "",
        b"": "",
        b"\x15\x03": "",
        b"\0\0\0\x10\x42\0\0\0": "",
    }
    assert samples == {octets: recognise(octets) for octets in samples}
