"""What a capture holds, read back by our own reader, and that nothing makes the engine wait or fail."""

import errno
import os
import stat
import time
from functools import partial
from pathlib import Path

import pytest
import trio

from whiteroute.engine.capture import Capture, CaptureError, open_capture
from whiteroute.engine.capture import capture as capture_module
from whiteroute.engine.capture import writer as writer_module
from whiteroute.engine.session import Role
from whiteroute.pdu import (
    BindTransceiver,
    DeliverSm,
    Masking,
    Outbind,
    SubmitSm,
    SubmitSmResp,
    decode,
    encode,
    make_tlvs,
    masked,
)
from whiteroute.tools.capture import read_capture
from whiteroute.tools.datagrams import Segment, read_segments

from .conftest import BEGAN_AT, checksum_of, pdus_in

SUBMIT = encode(
    SubmitSm(
        source_addr="ACME",
        destination_addr="34600111222",
        short_message=b"Your code is 918273",
        sequence_number=1,
    )
)
RESPONSE = encode(SubmitSmResp(message_id="77", sequence_number=1))
BIND = encode(BindTransceiver(system_id="acme", password="sesame", sequence_number=1))

at_once = partial(open_capture, now_at=lambda: BEGAN_AT, inline=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bind.pcapng"


class Endless:
    """A stream around itself."""

    @property
    def inner(self) -> "Endless":
        return self


def segments_in(path: Path) -> list[Segment]:
    with path.open("rb") as stream:
        return list(read_segments(read_capture(stream, path.name)))


def comments_in(path: Path) -> list[str]:
    """Find the comments of packets: option 1 of blocks of kind 6."""
    octets, at, found = path.read_bytes(), 0, []
    while at < len(octets):
        kind, length = (int.from_bytes(octets[at + n : at + n + 4], "little") for n in (0, 4))
        block = octets[at : at + length]
        at += length
        if kind != 6:
            continue
        captured = int.from_bytes(block[20:24], "little")
        option = 28 + captured + -captured % 4
        while code := int.from_bytes(block[option : option + 2], "little"):
            size = int.from_bytes(block[option + 2 : option + 4], "little")
            if code == 1:
                found.append(block[option + 4 : option + 4 + size].decode())
            option += 4 + size + -size % 4
    return found


async def test_pdus_come_back_with_their_time_sender_and_receiver(path, make_link, autojump_clock):
    link = make_link()
    async with at_once(path, masking=Masking.NONE) as capture:
        capture.observe(link, True, SUBMIT, trio.current_time())
        await trio.sleep(2.5)
        capture.observe(link, False, RESPONSE, trio.current_time())
    sent, answer = pdus_in(path)
    assert (SUBMIT, RESPONSE) == (sent.octets, answer.octets)
    assert ("192.0.2.1:40000", "192.0.2.2:2775") == (sent.source, sent.destination)
    assert ("192.0.2.2:2775", "192.0.2.1:40000") == (answer.source, answer.destination)
    assert (BEGAN_AT * 1e6, (BEGAN_AT + 2.5) * 1e6) == (sent.at, answer.at)


async def test_what_is_private_is_masked_unless_told_otherwise(path, make_link, autojump_clock):
    async with at_once(path) as capture:
        capture.observe(make_link(), True, BIND, trio.current_time())
        capture.observe(make_link(), True, SUBMIT, trio.current_time())
    assert [masked(BIND), masked(SUBMIT)] == [pdu.octets for pdu in pdus_in(path)]
    for secret in (b"sesame", b"918273", b"34600111222"):
        assert secret not in path.read_bytes()


async def test_links_are_kept_apart(path, make_link, make_memory_link, autojump_clock):
    links = [
        make_link(),
        make_link(ours=("192.0.2.1", 40_001)),
        make_link(ours=("::1", 40_000, 0, 0), theirs=("::1", 2775, 0, 0)),
        make_link(ours=("::ffff:192.0.2.9", 5, 0, 0), theirs=("::ffff:192.0.2.2", 2775, 0, 0)),
        make_link(ours=("192.0.2.1", 40_002), tls=True),
        make_memory_link(),
        make_memory_link(),
        make_link(ours=("fe80::1%lo", 7, 0, 1), theirs=("fe80::2%lo", 2775, 0, 1)),
    ]
    async with at_once(path) as capture:
        for number in range(1, 4):
            for link in links:
                pdu = SubmitSm(destination_addr=link.name or "1", sequence_number=number)
                capture.observe(link, True, encode(pdu), trio.current_time())
    said: dict[str, list[int]] = {}
    for pdu in pdus_in(path):
        said.setdefault(pdu.source, []).append(decode(pdu.octets).sequence_number)
    assert {
        "192.0.2.1:40000": [1, 2, 3],
        "192.0.2.1:40001": [1, 2, 3],
        "[::1]:40000": [1, 2, 3],
        "192.0.2.9:5": [1, 2, 3],
        "192.0.2.1:40002": [1, 2, 3],
        "198.18.0.1:49158": [1, 2, 3],
        "198.18.0.1:49159": [1, 2, 3],
        "[fe80::1]:7": [1, 2, 3],
    } == said


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("192.0.2.1", 1), None),
        ("/tmp/socket", ""),
        (("192.0.2.1", 1), ("::1", 2775)),
        (("host", 1), ("host", 2)),
    ],
)
async def test_ends_are_made_up_where_there_are_none(
    path, make_link, autojump_clock, ours: object, theirs: object
):
    async with at_once(path) as capture:
        capture.observe(make_link(ours, theirs, role=Role.MC), False, BIND, trio.current_time())
    (bind,) = pdus_in(path)
    assert ("198.18.0.1:49153", "198.18.0.2:2775") == (bind.source, bind.destination)


@pytest.mark.parametrize(
    ("first", "outgoing", "role", "opens"),
    [
        (BIND, True, Role.ESME, 40_000),
        (BIND, False, Role.MC, 2775),
        (encode(Outbind(system_id="mc")), False, Role.ESME, 2775),
        (encode(Outbind(system_id="mc")), True, Role.MC, 40_000),
    ],
)
async def test_a_connection_is_opened_by_who_connects(
    path, make_link, autojump_clock, first: bytes, outgoing: bool, role: Role, opens: int
):
    async with at_once(path) as capture:
        capture.observe(make_link(role=role), outgoing, first, trio.current_time())
    first_segment = segments_in(path)[0]
    assert first_segment.is_syn
    assert opens == int.from_bytes(first_segment.way[8:10])


async def test_a_link_that_ended_is_closed_and_the_next_one_is_another(
    path, make_link, end, autojump_clock
):
    async with at_once(path) as capture:
        for _ in range(2):
            link = make_link()
            capture.observe(link, True, SUBMIT, trio.current_time())
            end(link)
            await trio.sleep(1)
            capture.observe(make_link(ours=("192.0.2.1", 9)), True, SUBMIT, trio.current_time())
            await trio.sleep(1)
    ways = [segment for segment in segments_in(path) if segment.way[8:10] == (40_000).to_bytes(2)]
    assert 2 == sum(segment.is_syn for segment in ways)
    assert 2 == sum(segment.is_end for segment in ways)
    assert 2 == len({segment.sequence_number for segment in ways if segment.is_syn})
    assert 4 == len(pdus_in(path))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("192.0.2.1", 40_000), ("192.0.2.2", 2775)),
        (("2001:db8::1", 40_000, 0, 0), ("2001:db8::2", 2775, 0, 0)),
    ],
)
async def test_checksums_are_right(path, make_link, autojump_clock, ours: object, theirs: object):
    link = make_link(ours, theirs)
    async with at_once(path) as capture:
        for length in range(20):
            pdu = SubmitSm(destination_addr="1", short_message=b"a" * length, sequence_number=1)
            capture.observe(link, bool(length % 2), encode(pdu), trio.current_time())
    with path.open("rb") as stream:
        packets = [packet.octets[14:] for packet in read_capture(stream, "")]
    assert 3 + 20 + 3 == len(packets)
    for octets in packets:
        if octets[0] >> 4 == 4:
            assert 0 == checksum_of(octets[:20])
            addresses, tcp = octets[12:20], octets[20:]
        else:
            addresses, tcp = octets[8:40], octets[40:]
        assert 0 == checksum_of(addresses + len(tcp).to_bytes(4) + (6).to_bytes(4) + tcp)


async def test_a_long_pdu_is_cut_into_segments(path, make_link, autojump_clock):
    payload = SubmitSm(destination_addr="1", tlvs=make_tlvs(message_payload=b"a" * 65_535))
    async with at_once(path, masking=Masking.NONE) as capture:
        capture.observe(make_link(), True, encode(payload), trio.current_time())
    sizes = [segment.length for segment in segments_in(path) if segment.length]
    assert [65_475, len(encode(payload)) - 65_475] == sizes


async def test_findings_stand_beside_their_packet(path, make_link, autojump_clock):
    link = make_link()
    odd = encode(DeliverSm(destination_addr="34600111222", source_addr_ton=77, sequence_number=1))
    broken = bytes.fromhex("0000001500000004 00000000 00000007") + b"hello"
    async with at_once(path) as capture:
        for octets in (SUBMIT, odd, broken, b"\0\0\0\4"):
            capture.observe(link, False, octets, trio.current_time())
    name, finding, body, framing, cut = comments_in(path)
    assert "acme/1" == name
    assert finding.startswith("deliver_sm.source_addr_ton: 77, expected ")
    assert body.startswith("submit_sm.")
    assert "octets that cannot be read, expected " in body
    assert "hello" not in body
    assert "4 octets, expected a header of 16 octets" == framing
    assert "the capture ends before the link does" == cut


async def test_unmasked_a_broken_body_is_quoted(path, make_link, autojump_clock):
    broken = bytes.fromhex("0000001500000004 00000000 00000007") + b"hello"
    async with at_once(path, masking=Masking.NONE) as capture:
        capture.observe(make_link(name=""), False, broken, trio.current_time())
    assert "cannot be read" not in comments_in(path)[0]


async def test_each_file_stands_alone(path, make_link, autojump_clock):
    link, other = make_link(), make_link(ours=("192.0.2.1", 9))
    payload = encode(SubmitSm(destination_addr="1", tlvs=make_tlvs(message_payload=b"a" * 60_000)))
    async with at_once(path, max_octets=1024 * 1024, files=3) as capture:
        capture.observe(other, True, SUBMIT, trio.current_time())
        for _ in range(80):
            capture.observe(link, True, payload, trio.current_time())
        await trio.sleep(1)
        assert 5 == capture.statistics().files
        assert 81 == capture.statistics().pdus
    paths = sorted(path.parent.iterdir())
    assert ["bind.1.pcapng", "bind.2.pcapng", "bind.pcapng"] == [each.name for each in paths]
    for each in paths:
        assert each.stat().st_size <= 1024 * 1024
        assert pdus_in(each)
        assert segments_in(each)[0].is_syn


async def test_the_only_file_may_be_full(path, make_link, autojump_clock):
    told: list[str] = []
    link = make_link()
    payload = encode(SubmitSm(destination_addr="1", tlvs=make_tlvs(message_payload=b"a" * 60_000)))
    async with at_once(path, max_octets=1024 * 1024, files=1, on_trouble=told.append) as capture:
        for _ in range(30):
            capture.observe(link, True, payload, trio.current_time())
            await trio.sleep(1)
        statistics = capture.statistics()
    assert 1 == len(told)
    assert "has stopped" in told[0]
    assert 30 == statistics.pdus + statistics.left_out
    assert statistics.pdus == len(pdus_in(path)) > 10


async def test_a_full_disk_ends_the_capture_and_nothing_else(
    path, make_link, autojump_clock, monkeypatch: pytest.MonkeyPatch
):
    told: list[str] = []
    link = make_link()

    def write(_descriptor: int, octets: memoryview) -> int:
        if len(octets) <= 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real_write(_descriptor, octets[:-20])

    real_write = os.write
    async with at_once(path, on_trouble=told.append) as capture:
        capture.observe(link, True, SUBMIT, trio.current_time())
        await trio.sleep(1)
        before = path.read_bytes()
        monkeypatch.setattr(os, "write", write)
        for _ in range(3):
            capture.observe(link, False, RESPONSE, trio.current_time())
            await trio.sleep(1)
        assert before == path.read_bytes()
        assert "No space left" in repr(capture)
    assert [f"{path}: No space left on device, expected room for"] == [
        line[: line.index("for") + 3] for line in told
    ]
    assert capture.statistics().left_out > 1
    assert [masked(SUBMIT)] == [pdu.octets for pdu in pdus_in(path)]


async def test_what_cannot_be_cut_is_left(
    path, make_link, autojump_clock, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    told: list[str] = []
    async with at_once(path, on_trouble=told.append) as capture:
        monkeypatch.setattr(os, "write", fail)
        monkeypatch.setattr(os, "ftruncate", fail)
        capture.observe(make_link(), True, SUBMIT, trio.current_time())
        await trio.sleep(1)
    assert 1 == len(told)


async def test_a_file_that_cannot_be_put_away_ends_the_capture(path, make_link, autojump_clock):
    (path.parent / "bind.1.pcapng").mkdir()
    payload = encode(SubmitSm(destination_addr="1", tlvs=make_tlvs(message_payload=b"a" * 60_000)))
    async with at_once(path, max_octets=1024 * 1024, files=2) as capture:
        capture.observe(make_link(), True, b"", trio.current_time())
        for _ in range(30):
            capture.observe(make_link(), True, payload, trio.current_time())
        await trio.sleep(1)
        assert "expected a file that can be renamed" in capture.trouble


async def test_a_fault_of_its_own_ends_the_capture_and_nothing_else(
    path, make_link, autojump_clock, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(writer_module, "masked", fail)
    async with at_once(path) as capture:
        capture.observe(make_link(), True, SUBMIT, trio.current_time())
        await trio.sleep(1)
        assert "ZeroDivisionError(); the capture has stopped" == capture.trouble
    assert [] == pdus_in(path)


async def test_trouble_needs_nobody_to_be_told(path, make_link, end, autojump_clock):
    payload = encode(SubmitSm(destination_addr="1", tlvs=make_tlvs(message_payload=b"a" * 60_000)))
    link = make_link()
    async with at_once(path, max_octets=1024 * 1024, files=1) as capture:
        for _ in range(30):
            capture.observe(link, True, payload, trio.current_time())
        end(link)
        await trio.sleep(1)
        capture.observe(link, True, payload, trio.current_time())
    assert "has stopped" in capture.trouble


async def test_streams_wrapped_in_each_other_are_looked_through_for_a_while(
    path, make_link, autojump_clock
):
    link = make_link()
    link.stream = Endless()
    async with at_once(path) as capture:
        capture.observe(link, True, BIND, trio.current_time())
    assert "198.18.0.1:49153" == pdus_in(path)[0].source


async def test_a_place_that_cannot_be_written_is_told_at_once(tmp_path: Path):
    with pytest.raises(CaptureError, match=r"nowhere.* expected a file that can be made"):
        async with open_capture(tmp_path / "nowhere" / "a.pcapng"):
            pass


@pytest.mark.parametrize("bounds", [{"max_octets": 1000}, {"files": 0}])
async def test_bounds_have_bounds(path, bounds: dict[str, int]):
    with pytest.raises(ValueError, match="expected"):
        async with open_capture(path, **bounds):
            pass


async def test_nobody_else_may_read_it(path, autojump_clock):
    async with at_once(path) as capture:
        assert "<Capture" in repr(capture)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


async def test_what_comes_too_fast_is_left_out_and_said(
    path, make_link, autojump_clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(capture_module, "MAX_WAITING_OCTETS", 3 * len(SUBMIT))
    link = make_link()
    async with at_once(path) as capture:
        for _ in range(10):
            capture.observe(link, True, SUBMIT, trio.current_time())
        await trio.sleep(1)
        assert (4, 6) == (capture.statistics().pdus, capture.statistics().left_out)
        capture.observe(link, True, SUBMIT, trio.current_time())
    assert "6 PDUs before this one were left out: writing took too long" in comments_in(path)
    assert 5 == len(pdus_in(path))
    capture.observe(link, True, SUBMIT, 0.0)
    assert 7 == capture.statistics().left_out


async def test_it_is_written_in_a_thread_while_the_loop_goes_on(path, make_link):
    link = make_link()
    async with open_capture(path) as capture:
        for _ in range(1000):
            capture.observe(link, True, SUBMIT, trio.current_time())
        observed_at = trio.current_time()
    assert isinstance(capture, Capture)
    pdus = pdus_in(path)
    assert 1000 == len(pdus)
    assert abs(pdus[0].at / 1e6 - time.time()) < 60
    assert pdus[0].at <= pdus[-1].at <= (time.time() - trio.current_time() + observed_at + 1) * 1e6
