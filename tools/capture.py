"""Capture files, pcap and pcapng, as the packets in them with their times.

A file is read record by record, never whole. What a packet holds is read in `datagrams.py`.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

import attrs

from .errors import CallError

MAX_RECORD_OCTETS = 16 * 1024 * 1024
"""The longest record or block that is read; tcpdump cuts packets at 256 KiB."""

_PCAP = {
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
}
"""The first octets of a pcap file: the order of its octets, and the parts of a second it counts."""

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_OLD = 2
_SIMPLE = 3
_ENHANCED = 6
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}

_END_OF_OPTIONS = 0
_IF_TSRESOL = 9
_IF_TSOFFSET = 14

_YEAR_10000_AT = 253_402_300_800_000_000


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Captured:
    """A packet as a capture holds it."""

    at: int | None
    """UTC microseconds since the epoch; None where the file tells no time, or none that can be."""
    link_type: int
    """What the octets begin with: LINKTYPE_ETHERNET is 1."""
    octets: bytes
    """As many of its octets as were captured."""


@attrs.define(eq=False)
class _File:
    """The file, with the place that is read, so that what is wrong can be found again."""

    stream: BinaryIO
    name: str
    at: int = 0

    def read(self, length: int, what: str) -> bytes:
        octets = self.stream.read(length)
        if len(octets) < length:
            raise self.error(f"{len(octets)} octets are left", f"{what} of {length}")
        self.at += length
        return octets

    def read_or_end(self, length: int, what: str) -> bytes:
        """Read, or give nothing if the file ends right here."""
        octets = self.stream.read(length)
        if octets and len(octets) < length:
            raise self.error(f"{len(octets)} octets are left", f"{what} of {length}")
        self.at += len(octets)
        return octets

    def error(self, found: str, expected: str) -> CallError:
        return CallError(f"{self.name}: octet {self.at}: {found}, expected {expected}")


@attrs.frozen(kw_only=True)
class _Interface:
    link_type: int
    longest: int
    """Octets at which packets were cut; 0 for never."""
    parts: int = 10**6
    """How many units of its clock a second has."""
    offset: int = 0
    """Seconds to be added to its times."""

    def at(self, units: int) -> int | None:
        return _instant(units, self.parts, self.offset)


def read_capture(stream: BinaryIO, name: str) -> Iterator[Captured]:
    """Read a capture, of either kind, in either order of octets.

    Args:
        stream: The file, or a pipe; read from where it stands to its end.
        name: What it is called in errors.

    Raises:
        CallError: It is no capture, or it is broken or cut; it names the octet. The packets before
            that place were given.
    """
    file = _File(stream, name)
    magic = file.read(4, "a capture that begins with a number")
    if magic in _PCAP:
        yield from _read_pcap(file, *_PCAP[magic])
    elif magic == _SECTION.to_bytes(4):
        yield from _read_pcapng(file)
    else:
        file.at = 0
        raise file.error(f"0x{magic.hex()}", "the first octets of pcap or pcapng")


def _instant(units: int, parts: int, offset: int = 0) -> int | None:
    at = units * 10**6 // parts + offset * 10**6
    return at if 0 <= at < _YEAR_10000_AT else None


def _read_pcap(file: _File, order: str, parts: int) -> Iterator[Captured]:
    major, *_, network = struct.unpack(order + "HHiIII", file.read(20, "the rest of a header"))
    if major != 2:
        raise file.error(f"pcap version {major}", "version 2")
    record = struct.Struct(order + "IIII")
    while header := file.read_or_end(16, "the header of a record"):
        seconds, units, length, _original = record.unpack(header)
        if length > MAX_RECORD_OCTETS:
            raise file.error(f"a record of {length} octets", f"at most {MAX_RECORD_OCTETS}")
        # The upper half says how long a checksum is; octets behind the datagram are cut off anyway.
        yield Captured(
            at=_instant(seconds * parts + units, parts),
            link_type=network & 0xFFFF,
            octets=file.read(length, "a record"),
        )


def _read_pcapng(file: _File) -> Iterator[Captured]:
    order = ""
    interfaces: list[_Interface] = []
    head = _SECTION.to_bytes(4)
    while head:
        if head == _SECTION.to_bytes(4):  # the same in both orders
            length_octets = file.read(4, "a block's length")
            magic = file.read(4, "the octets that tell the order")
            if magic not in _ORDERS:
                raise file.error(f"0x{magic.hex()}", "0x1a2b3c4d in either order")
            order = _ORDERS[magic]
            interfaces = []
            body = _read_block(file, order, length_octets, already=4)
            [major] = struct.unpack_from(order + "H", body)
            if major != 1:
                raise file.error(f"pcapng version {major}", "version 1")
        else:
            [kind] = struct.unpack(order + "I", head)
            body = _read_block(file, order, file.read(4, "a block's length"))
            if kind == _INTERFACE:
                interfaces.append(_interface(file, order, body))
            elif kind in (_OLD, _SIMPLE, _ENHANCED):
                yield _captured(file, order, kind, body, interfaces)
        head = file.read_or_end(4, "a block's type")


def _read_block(file: _File, order: str, length_octets: bytes, already: int = 0) -> bytes:
    """Read the rest of a block, and give what stands between its two lengths."""
    [length] = struct.unpack(order + "I", length_octets)
    shortest = 28 if already else 12
    if length % 4 or not shortest <= length <= MAX_RECORD_OCTETS:
        raise file.error(
            f"a block of {length} octets", f"a multiple of 4, {shortest} to {MAX_RECORD_OCTETS}"
        )
    body = file.read(length - 12 - already, "the rest of a block")
    closing = file.read(4, "a block's length again")
    if closing != length_octets:
        [found] = struct.unpack(order + "I", closing)
        raise file.error(f"a block that ends with {found}", f"its length again, {length}")
    return body


def _interface(file: _File, order: str, body: bytes) -> _Interface:
    if len(body) < 8:
        raise file.error(f"an interface in {len(body)} octets", "8 or more")
    link_type, _reserved, longest = struct.unpack_from(order + "HHI", body)
    parts, offset = 10**6, 0
    for code, value in _options(file, order, body[8:]):
        if code == _IF_TSRESOL and len(value) == 1:
            parts = (2 if value[0] & 0x80 else 10) ** (value[0] & 0x7F)
        elif code == _IF_TSOFFSET and len(value) == 8:
            [offset] = struct.unpack(order + "q", value)
    return _Interface(link_type=link_type, longest=longest, parts=parts, offset=offset)


def _options(file: _File, order: str, octets: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(octets):
        code, length = struct.unpack_from(order + "HH", octets, at)
        if code == _END_OF_OPTIONS:
            return
        value = octets[at + 4 : at + 4 + length]
        if len(value) < length:
            raise file.error(f"option {code} with {len(value)} octets", f"{length} octets")
        yield code, value
        at += 4 + length + -length % 4


def _captured(
    file: _File, order: str, kind: int, body: bytes, interfaces: list[_Interface]
) -> Captured:
    head = 4 if kind == _SIMPLE else 20
    if len(body) < head:
        raise file.error(f"a packet's block with {len(body)} octets", f"{head} or more")
    if kind == _SIMPLE:
        number, units, length = 0, None, struct.unpack_from(order + "I", body)[0]
    else:
        form = "IIIII" if kind == _ENHANCED else "HxxIIII"
        number, high, low, length, _original = struct.unpack_from(order + form, body)
        units = high << 32 | low
    if number >= len(interfaces):
        raise file.error(f"a packet of interface {number}", f"one of {len(interfaces)} described")
    interface = interfaces[number]
    if kind == _SIMPLE and interface.longest:
        length = min(length, interface.longest)
    if length > len(body) - head:
        raise file.error(f"a packet of {length} octets", f"at most the block's {len(body) - head}")
    return Captured(
        at=None if units is None else interface.at(units),
        link_type=interface.link_type,
        octets=body[head : head + length],
    )
