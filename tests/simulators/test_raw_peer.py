"""Octets by hand, in both directions."""

import pytest
import trio
import trio.testing

from whiteroute.pdu import EnquireLink, EnquireLinkResp, FramingError
from whiteroute.simulators import RawPeer, connect_raw_peer, open_raw_listener


@pytest.fixture
def pair():
    ours, theirs = trio.testing.memory_stream_pair()
    return RawPeer(ours), RawPeer(theirs)


async def test_pdus_and_octets_go_as_they_are(pair):
    ours, theirs = pair
    await ours.send(EnquireLink(sequence_number=1), bytes.fromhex("00000010 80000015"))
    await ours.send(bytes.fromhex("00000000 00000001"), EnquireLink(sequence_number=2))

    assert EnquireLink(sequence_number=1) == await theirs.receive()
    assert EnquireLinkResp(sequence_number=1) == await theirs.receive()
    assert bytes.fromhex("00000010 00000015 00000000 00000002") == await theirs.receive_frame()


async def test_what_is_not_whole_is_kept(pair):
    ours, theirs = pair
    await ours.send(EnquireLink(sequence_number=1), b"\0\0\0\x10\0")
    await theirs.receive()

    assert 5 == theirs.kept_octets


async def test_the_end_gives_what_came_before(pair):
    ours, theirs = pair
    await ours.send(EnquireLink(sequence_number=1), EnquireLink(sequence_number=2))
    await ours.aclose()

    assert [1, 2] == [pdu.sequence_number for pdu in await theirs.receive_end()]
    assert await theirs.receive() is None


async def test_octets_that_are_no_pdu_are_an_error(pair):
    ours, theirs = pair
    await ours.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(FramingError):
        await theirs.receive()


async def test_a_listener_takes_one_link_after_the_other():
    async with open_raw_listener() as listener:
        for number in (1, 2):
            async with connect_raw_peer("127.0.0.1", listener.port) as esme:
                center = await listener.accept()
                await center.send(EnquireLink(sequence_number=number))
                assert number == (await esme.receive()).sequence_number
                await center.aclose()
                assert () == await esme.receive_end()


async def test_a_reset_is_an_end_too(pair):
    ours, theirs = pair
    await ours.stream.aclose()
    await theirs.stream.aclose()
    async with (
        open_raw_listener() as listener,
        connect_raw_peer("127.0.0.1", listener.port) as esme,
    ):
        center = await listener.accept()
        await esme.send(EnquireLink(sequence_number=1))
        await center.stream.wait_send_all_might_not_block()
        center.stream.setsockopt(
            trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, bytes((1,) + (0,) * 7)
        )
        await center.aclose()

        assert () == await esme.receive_end()
