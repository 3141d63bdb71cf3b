"""The wrapped streams are streams, by Trio's own idea of one."""

import pytest
import trio
import trio.testing

from whiteroute.simulators.streams import OctetByOctet, WrappedStream


async def test_it_does_what_a_stream_must():
    async def make():
        one, other = trio.testing.memory_stream_pair()
        return WrappedStream(one), WrappedStream(other)

    async def make_clogged():
        one, other = trio.testing.lockstep_stream_pair()
        return WrappedStream(one), WrappedStream(other)

    await trio.testing.check_two_way_stream(make, make_clogged)


async def test_an_empty_write_still_finds_out_that_the_stream_is_closed():
    one, _ = trio.testing.memory_stream_pair()
    stream = OctetByOctet(one)
    await stream.aclose()

    with pytest.raises(trio.ClosedResourceError):
        await stream.send_all(b"")
