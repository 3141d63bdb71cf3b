"""From any capture come the PDUs that went over the wire, in any link's dress and in any disorder."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import DeliverSm, EnquireLink, SubmitSm, SubmitSmResp, UnknownPdu, encode
from whiteroute.tools import tcp_streams
from whiteroute.tools.capture import Captured
from whiteroute.tools.captured_pdus import CapturedPdu, Finding, read_pdus
from whiteroute.tools.datagrams import read_segments

ESME, MC = ("192.0.2.1", 40_000), ("198.51.100.7", 2775)
SECONDS = 1_795_371_721
SYN, FIN, RST = 2, 1, 4
FIRST = 1_000
PDUS = [
    encode(SubmitSm(destination_addr="34600111222", short_message=b"hello", sequence_number=1)),
    encode(EnquireLink(sequence_number=2)),
    encode(DeliverSm(source_addr="34600111222", short_message=b"x" * 70, sequence_number=3)),
]
WHOLE = b"".join(PDUS)
WAY = "192.0.2.1:40000 to 198.51.100.7:2775"


def tcp(octets=b"", number=FIRST, flags=0, ports=(ESME[1], MC[1])):
    # Two words of options.
    head = struct.pack(">HHIIBBHHH", *ports, number % 2**32, 0, 7 << 4, flags | 16, 999, 0, 0)
    return head + b"\1" * 8 + octets


def ipv4(inside, way=(ESME, MC), fragment=0, protocol=6, length=None):
    length = 24 + len(inside) if length is None else length
    addresses = b"".join(bytes(map(int, end[0].split("."))) for end in way)
    head = struct.pack(">BBHHHBBH", 0x46, 0, length, 1, fragment, 64, protocol, 0)
    return head + addresses + b"\1" * 4 + inside


def ipv6(inside, extensions=b"", kind=6):
    addresses = b"\x20\x01\x0d\xb8" + b"\0" * 11 + b"\1" + b"\0" * 15 + b"\1"
    length = len(extensions) + len(inside)
    return struct.pack(">IHBB", 6 << 28, length, kind, 64) + addresses + extensions + inside


def ethernet(datagram, tags=b"", ethertype=0x0800):
    # Short frames are filled up, and what fills them is no part of the datagram.
    return b"\xaa" * 12 + tags + ethertype.to_bytes(2) + datagram + b"\0" * 6


def packet(octets=b"", number=FIRST, flags=0, way=(ESME, MC)):
    return ipv4(tcp(octets, number, flags, (way[0][1], way[1][1])), way)


def captured(*datagrams, link_type=101):
    return [
        Captured(at=SECONDS * 10**6 + index, link_type=link_type, octets=datagram)
        for index, datagram in enumerate(datagrams)
    ]


def read(*datagrams, link_type=101, port=None):
    """The octets of the PDUs, and the lines of the findings."""
    found = list(read_pdus(captured(*datagrams, link_type=link_type), port))
    pdus = [one.octets for one in found if isinstance(one, CapturedPdu)]
    return pdus, [one.line for one in found if isinstance(one, Finding)]


def file(*datagrams, link_type=101):
    octets = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, link_type)
    for index, datagram in enumerate(datagrams):
        octets += struct.pack("<IIII", SECONDS, 123_000 + index, len(datagram), len(datagram))
        octets += datagram
    return octets


V4 = ipv4(tcp(WHOLE))
V6 = ipv6(tcp(WHOLE))
AH_THEN_TCP = b"\x06\x01" + b"\0" * 10
HOP_BY_HOP = b"\x3c\x01" + b"\0" * 14
DESTINATION_THEN_AH = b"\x33\x00" + b"\0" * 6
WHOLE_FRAGMENT = b"\x06\x00\x00\x00\0\0\0\1"


@pytest.mark.parametrize(
    ("link_type", "octets"),
    [
        (1, ethernet(V4)),
        (1, ethernet(V6, ethertype=0x86DD)),
        (1, ethernet(V4, tags=b"\x81\x00\x00\x05")),
        (1, ethernet(V4, tags=b"\x88\xa8\x00\x05\x81\x00\x00\x06")),
        (101, V4),
        (101, V6),
        (228, V4),
        (229, V6),
        (113, b"\0" * 14 + b"\x08\x00" + V4),
        (113, b"\0" * 14 + b"\x86\xdd" + V6),
        (276, b"\x08\x00" + b"\0" * 18 + V4),
        (276, b"\x86\xdd" + b"\0" * 18 + V6),
        (0, b"\2\0\0\0" + V4),
        (0, b"\0\0\0\2" + V4),
        (0, b"\x1e\0\0\0" + V6),
        (108, b"\0\0\0\x18" + V6),
        (101, ipv6(tcp(WHOLE), HOP_BY_HOP + DESTINATION_THEN_AH + AH_THEN_TCP, kind=0)),
        (101, ipv6(tcp(WHOLE), WHOLE_FRAGMENT, kind=44)),
        (101, ipv4(tcp(WHOLE), length=0)),
    ],
)
def test_every_link_is_unpacked(link_type, octets):
    assert (PDUS, []) == read(octets, link_type=link_type)


@pytest.mark.parametrize(
    ("link_type", "octets"),
    [
        (1, ethernet(V4, ethertype=0x0806)),
        (0, b"\7\0\0\0" + V4),
        (101, b"\x50" + V4[1:]),
        (101, ipv4(tcp(WHOLE), protocol=17)),
        (101, ipv4(b"\0" * 7, fragment=5, protocol=17)),
        (101, ipv6(tcp(WHOLE), kind=59)),
        (276, b"\x08\x00"),
    ],
)
def test_what_holds_no_tcp_is_left_out(link_type, octets):
    assert ([], []) == read(octets, link_type=link_type)


@pytest.mark.parametrize(
    "octets",
    [
        ipv4(tcp(WHOLE), fragment=0x2000),
        ipv4(WHOLE, fragment=5),
        ipv6(tcp(WHOLE), b"\x06\x00\x00\x01\0\0\0\1", kind=44),
        ipv6(WHOLE, b"\x06\x00\x00\x09\0\0\0\1", kind=44),
    ],
)
def test_fragments_are_counted_and_skipped(octets):
    line = "fragments of IP datagrams, expected whole ones; 2 skipped"

    assert (PDUS, [line]) == read(octets, octets, V4)


def test_an_unknown_link_is_told_once():
    line = "packets of link type 147, expected Ethernet, IP or loopback; 2 skipped"

    assert ([], [line]) == read(V4, V4, link_type=147)


@pytest.mark.parametrize("link_type", [0, 1, 101, 108, 113, 228, 229, 276])
@pytest.mark.parametrize("inside", [V4, V6, ipv6(tcp(WHOLE), HOP_BY_HOP, kind=0)])
def test_packets_cut_at_any_octet_raise_nothing(link_type, inside):
    heads = {
        0: b"\2\0\0\0",
        108: b"\0\0\0\2",
        113: b"\0" * 14 + b"\x08\0",
        1: b"\0" * 12 + b"\x08\0",
    }
    whole = heads.get(link_type, b"\x08\0" + b"\0" * 18 if link_type == 276 else b"") + inside
    for end in range(len(whole)):
        assert [] == [pdu for pdu in read(whole[:end], link_type=link_type)[0] if pdu not in PDUS]


@given(st.binary(max_size=120), st.sampled_from([0, 1, 101, 108, 113, 228, 229, 276]))
def test_any_packet_raises_nothing(octets, link_type):
    for start in (b"", b"\x45", b"\x60" + b"\0" * 5 + b"\x2c", b"\0\0\0\2\x46"):
        read(start + octets, link_type=link_type)


def singles(first=FIRST, whole=WHOLE):
    return [packet(whole[at : at + 1], first + at) for at in range(len(whole))]


def test_single_octets_become_pdus():
    assert (PDUS, []) == read(packet(number=FIRST - 1, flags=SYN), *singles())


def test_single_octets_become_pdus_without_a_syn():
    assert (PDUS, []) == read(*singles())


def test_tcps_numbers_begin_anew_within_a_pdu():
    first = 2**32 - 30

    assert (PDUS, []) == read(packet(number=first - 1, flags=SYN), *singles(first))


def test_octets_sent_again_and_overlapping_count_once():
    assert (PDUS, []) == read(
        packet(number=FIRST - 1, flags=SYN),
        packet(number=FIRST - 1, flags=SYN),
        packet(WHOLE[:20]),
        packet(WHOLE[:20]),
        packet(WHOLE[60:], FIRST + 60),
        packet(WHOLE[60:], FIRST + 60),
        packet(WHOLE[60:90], FIRST + 60),
        packet(WHOLE[10:70], FIRST + 10),
        packet(b"", FIRST - 1),
        packet(WHOLE, flags=FIN),
        packet(WHOLE, flags=FIN),
    )


def test_segments_out_of_order_keep_their_own_times():
    cut = len(PDUS[0])
    found = list(
        read_pdus(
            captured(
                packet(number=FIRST - 1, flags=SYN),
                packet(WHOLE[cut:], FIRST + cut),
                packet(WHOLE[:cut]),
            )
        )
    )

    assert [(2, PDUS[0]), (1, PDUS[1]), (1, PDUS[2])] == [
        (one.at % 10**6, one.octets) for one in found
    ]


def test_a_connection_after_another_on_the_same_ports_is_read():
    again = 77_000_000
    both = [packet(number=FIRST - 1, flags=SYN), packet(WHOLE, flags=FIN)]
    both += [packet(number=again - 1, flags=SYN), packet(WHOLE, again)]

    assert (PDUS * 2, []) == read(*both)


def test_a_syn_ends_what_was_before():
    cut = [packet(WHOLE[:20]), packet(number=7, flags=SYN), packet(WHOLE, 8)]

    assert (PDUS, [f"{WAY}, octet 0: ends with 20 octets, expected a whole PDU"]) == read(*cut)


@pytest.mark.parametrize("flags", [FIN, RST])
def test_nothing_is_read_behind_the_end(flags):
    ended = [packet(PDUS[0], flags=flags), packet(PDUS[1], FIRST + len(PDUS[0]))]

    assert (PDUS[:1], []) == read(*ended)


def test_a_reset_from_elsewhere_ends_nothing():
    cut = len(PDUS[0])

    assert (PDUS, []) == read(
        packet(PDUS[0]), packet(number=0, flags=RST), packet(WHOLE[cut:], FIRST + cut)
    )


def test_a_direction_is_given_up_where_octets_are_missing():
    cut = len(PDUS[0]) + 4
    pdus, [line] = read(
        packet(number=FIRST - 1, flags=SYN),
        packet(WHOLE[:cut]),
        packet(WHOLE[cut + 3 :], FIRST + cut + 3),
        packet(PDUS[1], FIRST + len(WHOLE)),
        packet(encode(SubmitSmResp(message_id="7")), 5, way=(MC, ESME)),
    )

    left = 4 + len(WHOLE) - cut - 3 + 16
    assert [*PDUS[:1], encode(SubmitSmResp(message_id="7"))] == pdus
    assert (
        f"{WAY}, octet {len(PDUS[0])} at 2026-11-22T18:22:01.000Z: 3 octets are missing, "
        f"expected every segment; {left} octets from there on left out"
    ) == line


def test_a_gap_before_a_fin_is_told():
    pdus, [line] = read(packet(PDUS[1]), packet(number=FIRST + 16 + 9, flags=FIN))

    assert PDUS[1:2] == pdus
    assert f"{WAY}, octet 16: 9 octets are missing, expected every segment; 0 octets" in line


def test_a_packet_that_was_captured_in_part_leaves_a_gap():
    whole = packet(WHOLE)
    pdus, [line] = read(whole[:-5], packet(PDUS[1], FIRST + len(WHOLE)))

    assert PDUS[:2] == pdus
    assert "5 octets are missing" in line


def test_what_waits_behind_a_gap_is_bounded(monkeypatch):
    monkeypatch.setattr(tcp_streams, "MAX_WAITING_OCTETS", 4_000)
    many = [packet(PDUS[1], FIRST + 16 * number) for number in range(2, 100)]
    events = list(tcp_streams.read_streams(read_segments(captured(packet(PDUS[1]), *many))))

    assert 1 == sum(isinstance(event, tcp_streams.Gap) for event in events)
    gap_at = next(i for i, event in enumerate(events) if isinstance(event, tcp_streams.Gap))
    assert events[gap_at].at == SECONDS * 10**6 + 1
    assert max(event.direction.waiting_cost for event in events) <= 4_000
    assert 100 - 1 == sum(isinstance(event, tcp_streams.Stretch) for event in events)


def test_the_direction_that_was_silent_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(tcp_streams, "MAX_DIRECTIONS", 2)
    ways = [((ESME[0], port), MC) for port in (1, 2, 3)]
    begun = [packet(PDUS[1][:10], way=way) for way in ways]

    pdus, lines = read(*begun, packet(PDUS[1][10:], FIRST + 10, way=ways[2]))

    assert PDUS[1:2] == pdus
    assert ["192.0.2.1:1", "192.0.2.1:2"] == sorted(line.split()[0] for line in lines)


def test_a_capture_from_the_midst_begins_at_the_next_pdu_that_begins_a_segment():
    tail = WHOLE[20:]
    datagrams = [packet(tail), packet(WHOLE, FIRST + len(tail))]
    line = (
        f"{WAY}: begins with {len(tail)} octets of no PDU, 0 missing, expected the start of a PDU"
    )

    assert (PDUS, [line]) == read(*datagrams)


def test_the_first_segment_may_be_missing():
    cut = len(PDUS[0])
    line = f"{WAY}: begins with 0 octets of no PDU, {cut} missing, expected the start of a PDU"

    assert (PDUS[1:], [line]) == read(
        packet(number=FIRST - 1, flags=SYN), packet(WHOLE[cut:], FIRST + cut)
    )


@pytest.mark.parametrize("flags", [0, SYN])
def test_what_is_not_smpp_is_left_out_in_silence(flags):
    web = b"GET / HTTP/1.1\r\n\r\n"
    number = FIRST - bool(flags)

    assert ([], []) == read(
        packet(number=number, flags=flags), packet(web), packet(web, FIRST + 18)
    )
    assert ([], []) == read(packet(b"\0\0\0"))


def test_on_the_port_of_smpp_nothing_is_left_out_in_silence():
    web = b"GET / HTTP/1.1\r\n\r\n"
    begun = packet(number=FIRST - 1, flags=SYN)

    pdus, [line] = read(begun, packet(web), packet(web, FIRST + 18), port=2775)

    assert [] == pdus
    assert "octet 0 at 2026-11-22T18:22:01.000Z: command_length 1195725856, expected 16" in line
    assert line.endswith("; 36 octets from there on left out")
    assert ([], []) == read(begun, packet(web), port=80)
    assert "begins with 18 octets of no PDU" in read(packet(web), port=2775)[1][0]
    assert "ends with 3 octets, expected a PDU" in read(packet(web[:3]), port=2775)[1][0]


def test_a_foreign_operation_may_come_first_on_the_port_of_smpp():
    strange = encode(UnknownPdu(unknown_command_id=0x428, body=b"abc"))
    datagrams = [packet(number=FIRST - 1, flags=SYN), packet(strange)]

    assert ([strange], []) == read(*datagrams, port=2775)
    assert ([], []) == read(*datagrams)


def test_a_broken_length_ends_one_direction_only():
    broken = PDUS[1] + b"\0\0\0\7" + PDUS[2]
    answer = encode(SubmitSmResp(message_id="7"))
    pdus, [line] = read(
        packet(broken), packet(PDUS[0], FIRST + len(broken)), packet(answer, 9, way=(MC, ESME))
    )

    assert [PDUS[1], answer] == pdus
    assert f"{WAY}, octet 16 at 2026-11-22T18:22:01.000Z: command_length 7, expected 16" in line
    assert line.endswith(f"; {4 + len(PDUS[2]) + len(PDUS[0])} octets from there on left out")


@given(st.data())
def test_any_cutting_and_order_gives_the_same_pdus(data):
    sent = {}
    packets = []
    for way in ((ESME, MC), (MC, ESME)):
        sent[way] = data.draw(st.lists(st.sampled_from(PDUS), min_size=1, max_size=5))
        whole = b"".join(sent[way])
        first = data.draw(st.sampled_from([1, 2**31 - 20, 2**32 - 20]))
        packets.append([(0, packet(number=first - 1, flags=SYN, way=way))])
        cuts = data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=12))
        edges = [0, *sorted(cuts), len(whole)]
        for start, end in itertools.pairwise(edges):
            late = data.draw(st.integers(0, 6))
            reach = data.draw(st.integers(end, min(end + 20, len(whole))))
            segment = packet(whole[start:reach], first + start, way=way)
            packets[-1].append((len(packets[-1]) + late, segment))
            if data.draw(st.booleans()):
                packets[-1].append((len(packets[-1]) + late + 3, segment))
    ordered = sorted(itertools.chain(*packets), key=lambda one: one[0])

    found = list(read_pdus(captured(*(octets for _, octets in ordered))))

    for way, pdus in sent.items():
        source = f"{way[0][0]}:{way[0][1]}"
        assert pdus == [one.octets for one in found if getattr(one, "source", "") == source]
    assert [] == [one for one in found if isinstance(one, Finding)]


# The command.


def test_the_command_prints_time_and_ends_for_eyes(run, tmp_path):
    (tmp_path / "x.pcap").write_bytes(file(packet(PDUS[1])))

    ended = run("decode", "--pcap", tmp_path / "x.pcap")

    assert (0, "") == (ended.code, ended.err)
    assert [
        "enquire_link  0x00000015  sequence_number 2  16 octets",
        "  time                     2026-11-22T18:22:01.123Z",
        "  from                     192.0.2.1:40000",
        "  to                       198.51.100.7:2775",
    ] == ended.out.splitlines()


def test_the_command_prints_json_that_encode_reads(run):
    ended = run("decode", "--pcap", "-", "--json", stdin=file(V6, V4))

    assert 0 == ended.code
    assert [
        ("2026-11-22T18:22:01.123Z", "[2001:db8::1]:40000", "[::1]:2775"),
        ("2026-11-22T18:22:01.123Z", "192.0.2.1:40000", "198.51.100.7:2775"),
    ] == [(record["at"], record["source"], record["destination"]) for record in ended.records[::3]]
    assert PDUS * 2 == [bytes.fromhex(record["hex"]) for record in ended.records]
    encoded = run("encode", stdin=ended.out.encode())
    assert [pdu.hex() for pdu in PDUS * 2] == encoded.out.split()


def test_the_command_tells_findings_and_says_no(run):
    ended = run("decode", "--pcap", "-", "--json", stdin=file(packet(WHOLE[:-1])))

    place = len(PDUS[0]) + 16
    left = len(PDUS[2]) - 1
    assert (1, 2) == (ended.code, len(ended.records))
    assert (
        f"whiteroute: -: {WAY}, octet {place}: ends with {left} octets, expected a whole PDU\n"
        == ended.err
    )


def test_a_capture_cut_short_gives_its_pdus_and_one_line(run):
    ended = run("decode", "--pcap", "-", "--json", stdin=file(V4, V4)[:-1])

    assert (2, 3) == (ended.code, len(ended.records))
    assert ended.err.startswith("whiteroute: -: octet ")
    assert ended.err.endswith(f"octets are left, expected a record of {len(V4)}\n")
    assert 1 == ended.err.count("\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pcap", "none.pcap"], "none.pcap: No such file or directory, expected a capture"),
        (["--pcap", "x", "00"], "decode: both --pcap and octets, expected what"),
        (["--port", "5", "00"], "decode: --port without --pcap, expected what"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(run, arguments, message):
    ended = run("decode", *arguments)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert message in ended.err


def test_the_port_chooses_connections(run):
    other = packet(PDUS[1], way=(ESME, (MC[0], 2776)))

    ended = run("decode", "--pcap", "-", "--port", 2776, "--json", stdin=file(V4, other))

    assert [PDUS[1].hex()] == [record["hex"] for record in ended.records]
