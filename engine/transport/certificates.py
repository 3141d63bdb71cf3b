"""What stands in an X.509 certificate, for people: names, issuer, dates.

Nothing is decided by what is read here; whether a certificate holds is OpenSSL's matter. Python shows
the contents of verified certificates only, and it is the other ones that people have to see.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address

import attrs

__all__ = ["SeenCertificate", "read_certificate"]

SEQUENCE, SET, OCTET_STRING, OID, UTC_TIME = 0x30, 0x31, 0x04, 0x06, 0x17
VERSION_FIELD, EXTENSIONS_FIELD = 0xA0, 0xA3
DNS_NAME, IP_ADDRESS = 0x82, 0x87
SUBJECT_ALT_NAME = "2.5.29.17"
ATTRIBUTE_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "1.2.840.113549.1.9.1": "emailAddress",
}
"""Attributes of names that have a short form in common use; others are shown by their number."""


@attrs.frozen(kw_only=True)
class SeenCertificate:
    """A certificate that a peer showed. What could not be read is empty or None."""

    sha256: str
    """The fingerprint of the whole, in lower case hex; what pins are compared with."""
    subject: str = ""
    """`O=Example, CN=smsc.example.com`."""
    issuer: str = ""
    """Likewise."""
    names: tuple[str, ...] = ()
    """The DNS names and addresses that it is for."""
    not_before: datetime | None = None
    """In UTC, like `not_after`."""
    not_after: datetime | None = None

    @property
    def whom(self) -> str:
        """Whom it is for, in few words: its names, or its subject if it has none."""
        shown = self.names[:4]
        more = len(self.names) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "") or self.subject or "nobody"


def read_certificate(der: bytes) -> SeenCertificate:
    """Read a certificate in DER. Never fails: of what is no certificate only the fingerprint is known."""
    fingerprint = sha256(der).hexdigest()
    try:
        return _read(der, fingerprint)
    except (IndexError, StopIteration, ValueError, OverflowError):
        return SeenCertificate(sha256=fingerprint)


def _read(der: bytes, fingerprint: str) -> SeenCertificate:
    # Spec: RFC 5280 §4.1
    _, certificate = next(_values(der))
    _, body = next(_values(certificate))
    fields = list(_values(body))
    if fields[0][0] == VERSION_FIELD:
        del fields[0]
    _serial, _algorithm, (_, issuer), (_, validity), (_, subject), *rest = fields
    (begin_tag, begin), (end_tag, end) = _values(validity)
    return SeenCertificate(
        sha256=fingerprint,
        subject=_name(subject),
        issuer=_name(issuer),
        names=tuple(
            name for tag, value in rest if tag == EXTENSIONS_FIELD for name in _names(value)
        ),
        not_before=_instant(begin_tag, begin),
        not_after=_instant(end_tag, end),
    )


def _values(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """The tags and contents that stand one after the other."""
    at = 0
    while at < len(octets):
        tag, size, at = octets[at], octets[at + 1], at + 2
        if size >= 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(octets[at : at + width], "big"), at + width
        if at + size > len(octets):
            raise ValueError("a value is longer than what holds it")
        yield tag, octets[at : at + size]
        at += size


def _name(octets: bytes) -> str:
    parts = []
    for _, relative in _values(octets):
        for _, attribute in _values(relative):
            (_, oid), (tag, value) = _values(attribute)
            kind = _oid(oid)
            # BMPString and UniversalString are the only ones that are not a superset of ASCII.
            alphabet = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}.get(tag, "utf-8")
            text = _printable(value.decode(alphabet, "replace"))
            parts.append(f"{ATTRIBUTE_NAMES.get(kind, kind)}={text}")
    return ", ".join(parts)


def _names(extensions: bytes) -> Iterator[str]:
    """The names of the subjectAltName extension. Spec: RFC 5280 §4.2.1.6."""
    _, listed = next(_values(extensions))
    for _, extension in _values(listed):
        (_, oid), *_critical, (_, value) = _values(extension)
        if _oid(oid) != SUBJECT_ALT_NAME:
            continue
        _, names = next(_values(value))
        for tag, name in _values(names):
            if tag == DNS_NAME:
                yield _printable(name.decode("ascii", "replace"))
            elif tag == IP_ADDRESS:
                yield str(ip_address(name))


def _oid(octets: bytes) -> str:
    numbers, number = [], 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _instant(tag: int, octets: bytes) -> datetime:
    # Spec: RFC 5280 §4.1.2.5: two digits of a year are 1950 to 2049, as strptime does not have it.
    text = octets.decode("ascii")
    if tag == UTC_TIME:
        text = ("19" if text[:2] >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _printable(text: str) -> str:
    """A peer chooses this text, and it goes to terminals and logs."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
