"""The header of the PROXY protocol, by which a proxy tells whom it speaks for; values to octets and back.

Version 1 is a line of text, version 2 is binary. Spec: HAProxy's `proxy-protocol.txt` §2.1 and §2.2.
"""

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, Literal

import attrs

__all__ = [
    "LONGEST_LINE",
    "SIGNATURE",
    "Endpoint",
    "ProxyHeader",
    "ProxyHeaderError",
    "decode_proxy_header",
    "encode_proxy_header",
    "missing_octets",
]

SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
"""What version 2 begins with; no other protocol does."""
WORD: Final = b"PROXY "
"""What version 1 begins with."""
LONGEST_LINE: Final = 107
"""Octets of version 1, its CRLF included."""
LONGEST_BODY: Final = 4096
"""Octets that we read after the 16 of version 2. Addresses take 216 at most; load balancers add some
hundreds that tell of themselves or of a certificate."""
FIXED: Final = struct.Struct("!12sBBH")
FAMILIES: Final = {0x10: 4, 0x20: 6}
"""The families of version 2 that have addresses for us, as IP versions; the third is Unix sockets."""


class ProxyHeaderError(ValueError):
    """What came is no header of the PROXY protocol."""

    def __init__(self, found: str) -> None:
        """Say what came instead."""
        self.found = found
        super().__init__(found)


@attrs.frozen
class Endpoint:
    """One end of a TCP connection."""

    address: IPv4Address | IPv6Address
    port: int

    @classmethod
    def of(cls, name: tuple[object, ...]) -> "Endpoint":
        """Read what a socket says of itself or of its peer.

        An IPv4 address that an IPv6 socket holds is told as IPv4, and a zone is left out: neither means
        anything to the other side.
        """
        address = ip_address(str(name[0]).partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return cls(address, int(str(name[1])))

    def __str__(self) -> str:
        shown = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{shown}:{self.port}"


@attrs.frozen(kw_only=True)
class ProxyHeader:
    """Whom a proxy speaks for."""

    source: Endpoint | None = None
    """Who connected to it; None where it does not say, or speaks for itself (a health check)."""
    destination: Endpoint | None = None
    """What they connected to; None together with `source`."""
    tlvs: bytes = b""
    """What version 2 added after the addresses, as it came."""


def encode_proxy_header(header: ProxyHeader, version: Literal["v1", "v2"]) -> bytes:
    """Make the octets. Addresses of different families are told as unknown, as the specification wants."""
    source, destination = header.source, header.destination
    if source and destination and source.address.version == destination.address.version:
        family = source.address.version
        if version == "v1":
            return (
                f"PROXY TCP{family} {source.address} {destination.address} "
                f"{source.port} {destination.port}\r\n"
            ).encode("ascii")
        addresses = source.address.packed + destination.address.packed
        body = addresses + struct.pack("!HH", source.port, destination.port) + header.tlvs
        return FIXED.pack(SIGNATURE, 0x21, 0x11 if family == 4 else 0x21, len(body)) + body
    if version == "v1":
        return b"PROXY UNKNOWN\r\n"
    return FIXED.pack(SIGNATURE, 0x20, 0, len(header.tlvs)) + header.tlvs


def missing_octets(octets: bytes) -> int:
    """Say how many more octets belong to a header for certain; 0 if it is whole.

    Whoever reads no more than this at once never takes an octet of what follows the header.

    Raises:
        ProxyHeaderError: As soon as it cannot become one any more.
    """
    if octets.startswith(SIGNATURE):
        if len(octets) < FIXED.size:
            return FIXED.size - len(octets)
        length = int.from_bytes(octets[14:16], "big")
        if length > LONGEST_BODY:
            raise ProxyHeaderError(f"a header of {length} octets, at most {LONGEST_BODY} are read")
        return FIXED.size + length - len(octets)
    if octets.startswith(WORD):
        if octets.endswith(b"\r\n"):
            return 0
        if len(octets) >= LONGEST_LINE:
            raise ProxyHeaderError(f"a line of more than {LONGEST_LINE} octets")
        return 1
    for opening in (SIGNATURE, WORD):
        if opening.startswith(octets):
            return len(opening) - len(octets)
    raise ProxyHeaderError(f"{octets[:12]!r}")


def decode_proxy_header(octets: bytes) -> ProxyHeader:
    """Read a whole header of either version.

    Raises:
        ProxyHeaderError: If it is none.
    """
    missing = missing_octets(octets)
    if missing > 0:
        raise ProxyHeaderError(f"{len(octets)} octets of a header that is longer")
    if missing < 0 or (octets.startswith(WORD) and b"\r\n" in octets[:-2]):
        raise ProxyHeaderError(f"{len(octets)} octets of a header that is shorter")
    return _decode_binary(octets) if octets.startswith(SIGNATURE) else _decode_line(octets)


def _decode_line(octets: bytes) -> ProxyHeader:
    try:
        words = octets[:-2].decode("ascii").split(" ")
        if words[1] == "UNKNOWN":
            return ProxyHeader()
        _, family, source, destination, source_port, destination_port = words
        header = ProxyHeader(
            source=Endpoint(ip_address(source), _port(source_port)),
            destination=Endpoint(ip_address(destination), _port(destination_port)),
        )
    except ValueError:
        raise ProxyHeaderError(f"the line {octets[:-2]!r}") from None
    assert header.source
    assert header.destination
    families = {header.source.address.version, header.destination.address.version}
    if families != {{"TCP4": 4, "TCP6": 6}.get(family)}:
        raise ProxyHeaderError(f"the line {octets[:-2]!r}")
    return header


def _port(digits: str) -> int:
    port = int(digits)
    if not digits.isdecimal() or port > 0xFFFF or str(port) != digits:
        raise ValueError(digits)
    return port


def _decode_binary(octets: bytes) -> ProxyHeader:
    _, version_and_command, family_and_protocol, _ = FIXED.unpack_from(octets)
    body = octets[FIXED.size :]
    if version_and_command not in (0x20, 0x21):
        raise ProxyHeaderError(f"version and command 0x{version_and_command:02x}")
    version = FAMILIES.get(family_and_protocol & 0xF0)
    if version_and_command == 0x20 or version is None:
        # LOCAL, or addresses that are none on a network: their octets mean nothing here.
        return ProxyHeader(tlvs=body if not family_and_protocol else b"")
    width = 4 if version == 4 else 16
    if len(body) < 2 * width + 4:
        raise ProxyHeaderError(f"{len(body)} octets of addresses, {2 * width + 4} are needed")
    kind = IPv4Address if version == 4 else IPv6Address
    source, destination = kind(body[:width]), kind(body[width : 2 * width])
    source_port, destination_port = struct.unpack_from("!HH", body, 2 * width)
    return ProxyHeader(
        source=Endpoint(source, source_port),
        destination=Endpoint(destination, destination_port),
        tlvs=body[2 * width + 4 :],
    )
