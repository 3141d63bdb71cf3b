"""The blocks of a pcapng file, as octets: a section, its interfaces, its packets.

Spec: the IETF draft draft-ietf-opsawg-pcapng, §3 and §4
"""

import struct
from collections.abc import Iterable
from functools import cache
from importlib.metadata import version

ETHERNET = 1
"""LINKTYPE_ETHERNET, what all our packets begin with."""

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_PACKET = 6

_COMMENT = 1
_SECTION_APPLICATION = 4
_INTERFACE_NAME = 2
_INTERFACE_RESOLUTION = 9
_PACKET_FLAGS = 2

_MICROSECONDS = b"\x06"
"""Ten to the power of minus six."""
_INBOUND = struct.pack("<I", 1)
_OUTBOUND = struct.pack("<I", 2)

_LONGEST_OPTION = 1_000
"""Octets of a comment or a name; a peer may have a share in both."""

_packet_head = struct.Struct("<IIIIIII")
_length = struct.Struct("<I")


def section(comment: str) -> bytes:
    """Begin a file."""
    body = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)
    application = f"whiteroute {_version()}".encode()
    return _block(
        _SECTION, body + _options(((_COMMENT, _text(comment)), (_SECTION_APPLICATION, application)))
    )


def interface(name: str) -> bytes:
    """Describe an interface; packets speak of it by its number, in the order of description."""
    options = ((_INTERFACE_NAME, _text(name)), (_INTERFACE_RESOLUTION, _MICROSECONDS))
    return _block(_INTERFACE, struct.pack("<HHI", ETHERNET, 0, 0) + _options(options))


def packet(
    number: int, at: int, octets: bytes, *, outgoing: bool, comments: Iterable[str] = ()
) -> bytes:
    """Write down a packet.

    Args:
        number: Its interface's.
        at: UTC microseconds since the epoch.
        octets: From its Ethernet header on.
        outgoing: Whether we sent it.
        comments: For people.
    """
    length = len(octets)
    options = b"".join(_option(_COMMENT, _text(comment)) for comment in comments)
    options += _option(_PACKET_FLAGS, _OUTBOUND if outgoing else _INBOUND) + b"\0\0\0\0"
    padding = -length % 4
    whole = 32 + length + padding + len(options)
    head = _packet_head.pack(_PACKET, whole, number, at >> 32, at & 0xFFFF_FFFF, length, length)
    return b"".join((head, octets, b"\0" * padding, options, _length.pack(whole)))


@cache
def _version() -> str:
    return version("whiteroute")


def _block(kind: int, body: bytes) -> bytes:
    length = _length.pack(12 + len(body))
    return b"".join((_length.pack(kind), length, body, length))


def _options(options: Iterable[tuple[int, bytes]]) -> bytes:
    return b"".join(_option(code, value) for code, value in options) + b"\0\0\0\0"


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _text(text: str) -> bytes:
    octets = text.encode("utf-8", "replace")
    # Cut in the middle of a character it would be no UTF-8 any more.
    return octets[:_LONGEST_OPTION].decode("utf-8", "ignore").encode()
