"""Captures made octet by octet give their packets back; broken ones name the octet and stop."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.tools.capture import MAX_RECORD_OCTETS, Captured, read_capture
from whiteroute.tools.errors import CallError

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
SECONDS = 1_795_371_721
AT = SECONDS * 10**6 + 123_456


def pcap(order, *packets, magic=0xA1B2C3D4, link_type=1, fraction=123_456):
    octets = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link_type)
    for packet in packets:
        octets += struct.pack(order + "IIII", SECONDS, fraction, len(packet), 999) + packet
    return octets


def block(order, kind, body):
    body += b"\0" * (-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def section(order):
    body = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + option(order, 4, b"some tool")
    return block(order, 0x0A0D0D0A, body)


def interface(order, link_type=1, longest=0, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link_type, 0, longest) + options)


def enhanced(order, packet, number=0, units=AT):
    head = struct.pack(order + "IIIII", number, units >> 32, units & 0xFFFFFFFF, len(packet), 999)
    padded = packet + b"\0" * (-len(packet) % 4)
    return block(order, 6, head + padded + option(order, 1, b"a comment") + option(order, 0, b""))


def simple(order, packet):
    return block(order, 3, struct.pack(order + "I", len(packet)) + packet)


def read(octets):
    return list(read_capture(io.BytesIO(octets), "x.pcap"))


def captured(octets, at=AT, link_type=1):
    return Captured(at=at, link_type=link_type, octets=octets)


@ORDERS
def test_pcap_in_microseconds(order):
    assert [captured(b"one"), captured(b"")] == read(pcap(order, b"one", b""))


@ORDERS
def test_pcap_in_nanoseconds(order):
    octets = pcap(order, b"one", magic=0xA1B23C4D, fraction=123_456_789)

    assert [captured(b"one")] == read(octets)


def test_the_length_of_a_checksum_is_no_link_type():
    assert [captured(b"one", link_type=113)] == read(pcap("<", b"one", link_type=0x14000071))


@ORDERS
def test_pcapng_with_options_and_blocks_of_other_kinds(order):
    octets = (
        section(order)
        + block(order, 0x0BAD, b"abc")
        + interface(order, options=option(order, 2, b"eth0"))
        + enhanced(order, b"hello")
        + block(order, 5, b"\0" * 12)
        + enhanced(order, b"")
    )

    assert [captured(b"hello"), captured(b"")] == read(octets)


def test_each_interface_has_its_own_clock():
    order = "<"
    options = [
        option(order, 9, b"\x09"),
        option(order, 9, b"\x8a"),
        option(order, 14, struct.pack("<q", -3600)) + option(order, 0, b""),
    ]
    octets = section(order) + b"".join(
        interface(order, link_type=number, options=each) for number, each in enumerate(options)
    )
    octets += enhanced(order, b"a", 0, AT * 1000) + enhanced(order, b"b", 1, SECONDS << 10)
    octets += enhanced(order, b"c", 2, AT + 3600 * 10**6)

    assert [
        captured(b"a", AT, 0),
        captured(b"b", SECONDS * 10**6, 1),
        captured(b"c", AT, 2),
    ] == read(octets)


def test_a_simple_packet_tells_no_time_and_is_as_long_as_its_interface_allows():
    octets = section("<") + interface("<", longest=4) + simple("<", b"longer!!")

    assert [captured(b"long", None)] == read(octets)


def test_the_old_packet_block_is_read():
    head = struct.pack("<HHIIII", 0, 7, AT >> 32, AT & 0xFFFFFFFF, 3, 3)

    assert [captured(b"old")] == read(section("<") + interface("<") + block("<", 2, head + b"old"))


def test_sections_have_their_own_order_and_interfaces():
    octets = section("<") + interface("<", 1) + enhanced("<", b"a")
    octets += section(">") + interface(">", 101) + enhanced(">", b"b")

    assert [captured(b"a"), captured(b"b", link_type=101)] == read(octets)


def test_a_time_that_no_calendar_has_is_none():
    octets = section("<") + interface("<") + enhanced("<", b"a", units=2**64 - 1)

    assert [captured(b"a", None)] == read(octets)


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "octet 0: 0 octets are left, expected a capture that begins with a number of 4"),
        (b"\x1f\x8b\x08\x00....", "octet 0: 0x1f8b0800, expected the first octets of pcap or"),
        (pcap("<")[:4] + b"\x03\0" + pcap("<")[6:], "octet 24: pcap version 3, expected version 2"),
        (
            pcap("<") + struct.pack("<IIII", 0, 0, MAX_RECORD_OCTETS + 1, 0),
            "octet 40: a record of 16777217 octets, expected at most 16777216",
        ),
        (section("<")[:8] + b"abcd", "octet 12: 0x61626364, expected 0x1a2b3c4d in either order"),
        (
            section("<") + enhanced("<", b"a"),
            "a packet of interface 0, expected one of 0 described",
        ),
        (section("<") + block("<", 1, b""), "an interface in 0 octets, expected 8 or more"),
        (section("<") + block("<", 6, b"1234"), "a packet's block with 4 octets, expected 20 or"),
        (section("<") + struct.pack("<II", 5, 13), "a block of 13 octets, expected a multiple of"),
        (section("<") + block("<", 5, b"")[:-4] + b"\0" * 4, "a block that ends with 0, expected"),
        (
            section("<") + interface("<") + block("<", 3, struct.pack("<I", 9) + b"abcd"),
            "a packet of 9 octets, expected at most the block's 4",
        ),
        (
            section("<") + interface("<", options=struct.pack("<HH", 2, 8) + b"abcd"),
            "option 2 with 4 octets, expected 8 octets",
        ),
    ],
)
def test_a_foreign_or_broken_file_is_told_in_one_line(octets, message):
    with pytest.raises(CallError) as raised:
        read(octets)

    assert raised.value.message.startswith("x.pcap: octet ")
    assert message in raised.value.message


@pytest.mark.parametrize(
    "whole",
    [
        pcap("<", b"one", b"two"),
        section(">") + interface(">", options=option(">", 9, b"\6")) + enhanced(">", b"1") * 2,
    ],
)
def test_a_file_cut_at_any_octet_gives_what_stands_before_and_one_error(whole):
    packets = read(whole)
    for end in range(len(whole)):
        found = []
        try:
            # What was given before the error is kept.
            found.extend(read_capture(io.BytesIO(whole[:end]), "x.pcap"))
        except CallError as error:
            assert error.message.startswith("x.pcap: octet ")
        else:
            assert len(found) < len(packets)
        assert found == packets[: len(found)]


@given(st.binary(max_size=80), st.sampled_from([pcap("<"), section("<"), section(">")]))
def test_any_octets_are_packets_or_one_error(octets, start):
    try:
        read(start + octets)
    except CallError as error:
        assert "\n" not in error.message
