"""The framer: where frames are cut, what is kept meanwhile, and when it gives up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    MAX_COMMAND_LENGTH,
    DeliverSm,
    EnquireLink,
    Framer,
    FramingError,
    Pdu,
    encode,
)


def of_length(command_length: int) -> bytes:
    return command_length.to_bytes(4, "big") + bytes(command_length - 4)


@given(pdus=st.lists(st.from_type(Pdu), max_size=6), data=st.data())
def test_frames_come_out_whole_however_the_stream_is_cut(pdus: list[Pdu], data: st.DataObject):
    frames = [encode(pdu) for pdu in pdus]
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framer = Framer()
    received: list[bytes] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += framer.receive(stream[start:end])
        assert framer.kept_octets == end - sum(map(len, received))
    assert frames == received


def test_every_cut_of_two_frames_gives_two_frames():
    frames = (encode(EnquireLink(sequence_number=1)), encode(DeliverSm(short_message=b"hello")))
    stream = b"".join(frames)
    for first in range(len(stream) + 1):
        for second in range(first, len(stream) + 1):
            framer = Framer()
            parts = (stream[:first], stream[first:second], stream[second:])
            assert frames == tuple(frame for part in parts for frame in framer.receive(part))


@pytest.mark.parametrize("command_length", [16, 17, MAX_COMMAND_LENGTH])
def test_both_bounds_are_lengths_that_are_taken(command_length: int):
    octets = of_length(command_length)
    assert (octets,) == Framer().receive(octets)


@pytest.mark.parametrize(
    "command_length", [0, 4, 15, MAX_COMMAND_LENGTH + 1, 0x8000_0009, 2**32 - 1]
)
def test_a_length_outside_the_bounds_breaks_the_stream(command_length: int):
    framer = Framer()
    octets = command_length.to_bytes(4, "big")
    for octet in octets[:3]:
        assert () == framer.receive(bytes((octet,)))
    with pytest.raises(FramingError) as caught:
        framer.receive(octets[3:])
    expected = f"command_length {command_length}, expected 16 to {MAX_COMMAND_LENGTH} octets"
    assert expected == str(caught.value)
    assert caught.value is framer.error


def test_a_broken_framer_stays_broken():
    framer = Framer()
    with pytest.raises(FramingError):
        framer.receive(bytes(16))
    with pytest.raises(FramingError):
        framer.receive(encode(EnquireLink()))
    assert 0 == framer.kept_octets


def test_whole_frames_before_a_broken_length_are_still_given():
    framer = Framer()
    frame = encode(EnquireLink(sequence_number=1))
    assert (frame, frame) == framer.receive(frame + frame + b"\0\0\0\1" + frame)
    assert isinstance(framer.error, FramingError)
    with pytest.raises(FramingError):
        framer.receive(b"")


def test_a_length_is_checked_before_anything_is_kept_for_it():
    framer = Framer(max_command_length=64)
    with pytest.raises(FramingError):
        framer.receive((65).to_bytes(4, "big"))
    assert 0 == framer.kept_octets


def test_less_than_a_frame_is_all_that_is_ever_kept():
    framer = Framer(max_command_length=64)
    octets = of_length(64) * 3
    for octet in octets:
        framer.receive(bytes((octet,)))
        assert framer.kept_octets < 64
    framer.receive(octets + octets[:63])
    assert 63 == framer.kept_octets


def test_it_resumes_after_any_pause_inside_the_length_itself():
    frame = encode(EnquireLink(sequence_number=9))
    framer = Framer()
    assert (frame,) == framer.receive(frame + frame[:2])
    assert () == framer.receive(b"")
    assert () == framer.receive(frame[2:3])
    assert (frame, frame) == framer.receive(frame[3:] + frame)
    assert 0 == framer.kept_octets
