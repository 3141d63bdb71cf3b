"""Packets of a capture, unpacked down to the TCP segment inside: link, VLAN, IPv4 or IPv6, TCP.

Checksums are not looked at: where a machine captures itself, its network card has yet to write them.
"""

import struct
from collections.abc import Iterable, Iterator
from ipaddress import ip_address

import attrs

from .capture import Captured

_ETHERNET = 1
_RAW = (101, 228, 229)
_LINUX_COOKED = 113
_LINUX_COOKED_2 = 276
_BSD_LOOPBACK = (0, 108)

_VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
_ETHERTYPES = (0x0800, 0x86DD)
_FAMILIES = (2, 10, 24, 28, 30)
"""AF_INET, and AF_INET6 as Linux and the BSDs number it."""

_TCP = 6
_FRAGMENT = 44
_AUTHENTICATION = 51
_EXTENSIONS = (0, 43, 60, 135, 139, 140)
"""IPv6 headers that tell their length in units of eight octets. Spec: RFC 8200 §4"""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Segment:
    """A TCP segment on its way in one direction."""

    at: int | None
    """UTC microseconds since the epoch; None where the capture tells no time."""
    way: bytes
    """Both addresses and both ports as on the wire; the key of its direction."""
    sequence_number: int
    """TCP's, of its first octet, or of its SYN."""
    is_syn: bool
    is_end: bool
    """FIN or RST."""
    length: int
    """Octets that were sent; the capture may hold fewer of them."""
    octets: bytes


@attrs.frozen(kw_only=True)
class Skipped:
    """A packet that could hold something for us, and cannot be read."""

    found: str
    expected: str


def read_segments(captured: Iterable[Captured]) -> Iterator[Segment | Skipped]:
    """Unpack packets; those that hold no TCP are left out."""
    for packet in captured:
        datagram = _datagram(packet.link_type, packet.octets)
        found = _in_datagram(datagram, packet.at) if isinstance(datagram, bytes) else datagram
        if found is not None:
            yield found


def endpoints(way: bytes) -> tuple[tuple[str, int], tuple[str, int]]:
    """Give address and port of the sender, and of the receiver."""
    width = (len(way) - 4) // 2
    from_port, to_port = struct.unpack_from(">HH", way, 2 * width)
    return (str(ip_address(way[:width])), from_port), (
        str(ip_address(way[width : 2 * width])),
        to_port,
    )


def _datagram(link_type: int, octets: bytes) -> bytes | Skipped | None:
    """Take the link's header off."""
    if link_type == _ETHERNET:
        return _behind_ethertype(octets, 12)
    if link_type in _RAW:
        return octets
    if link_type == _LINUX_COOKED:
        return _behind_ethertype(octets, 14)
    if link_type == _LINUX_COOKED_2:
        return _behind_ethertype(octets[:2] + octets[20:], 0) if len(octets) > 20 else None
    if link_type in _BSD_LOOPBACK:
        # One kind is in the order of the capturing machine, which may not be that of the file.
        family = {int.from_bytes(octets[:4], "big"), int.from_bytes(octets[:4], "little")}
        return octets[4:] if family.intersection(_FAMILIES) else None
    return Skipped(found=f"packets of link type {link_type}", expected="Ethernet, IP or loopback")


def _behind_ethertype(octets: bytes, at: int) -> bytes | None:
    while (ethertype := int.from_bytes(octets[at : at + 2], "big")) in _VLAN_TAGS:
        at += 4
    return octets[at + 2 :] if ethertype in _ETHERTYPES else None


def _in_datagram(octets: bytes, at: int | None) -> Segment | Skipped | None:
    version = octets[0] >> 4 if octets else 0
    if version == 4:
        return _in_ipv4(octets, at)
    return _in_ipv6(octets, at) if version == 6 else None


def _in_ipv4(octets: bytes, at: int | None) -> Segment | Skipped | None:
    header = (octets[0] & 0x0F) * 4
    if header < 20 or len(octets) < header or octets[9] != _TCP:
        return None
    if int.from_bytes(octets[6:8], "big") & 0x3FFF:
        return _FRAGMENTS
    # 0 where the network card was to cut it into datagrams.
    length = int.from_bytes(octets[2:4], "big") or len(octets)
    return _segment(octets[12:20], octets[header:length], length - header, at)


def _in_ipv6(octets: bytes, at: int | None) -> Segment | Skipped | None:
    if len(octets) < 40:
        return None
    length = int.from_bytes(octets[4:6], "big") + 40
    if length == 40:  # a jumbogram, or as above
        length = len(octets)
    kind, header, is_fragment = octets[6], 40, False
    while kind in _EXTENSIONS or kind in (_FRAGMENT, _AUTHENTICATION):
        if len(octets) < header + 8:
            return None
        if kind == _FRAGMENT:
            offset = int.from_bytes(octets[header + 2 : header + 4], "big")
            is_fragment = is_fragment or bool(offset & 0xFFF9)
            if offset & 0xFFF8:  # what follows is the middle of something
                return _FRAGMENTS if octets[header] == _TCP else None
            size = 8
        elif kind == _AUTHENTICATION:
            size = (octets[header + 1] + 2) * 4
        else:
            size = (octets[header + 1] + 1) * 8
        kind, header = octets[header], header + size
    if kind != _TCP:
        return None
    if is_fragment:
        return _FRAGMENTS
    return _segment(octets[8:40], octets[header:length], length - header, at)


_FRAGMENTS = Skipped(found="fragments of IP datagrams", expected="whole ones")


def _segment(addresses: bytes, octets: bytes, length: int, at: int | None) -> Segment | None:
    if len(octets) < 20:
        return None
    header = (octets[12] >> 4) * 4
    if header < 20 or length < header:
        return None
    flags = octets[13]
    return Segment(
        at=at,
        way=addresses + octets[:4],
        sequence_number=int.from_bytes(octets[4:8], "big"),
        is_syn=bool(flags & 0x02),
        is_end=bool(flags & 0x05),
        length=length - header,
        octets=octets[header:],
    )
