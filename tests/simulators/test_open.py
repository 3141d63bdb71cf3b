"""A message centre on real TCP: where it listens, how it ends, and that several live side by side."""

import errno
import re

import pytest
import trio

from whiteroute.engine.session import CloseCause
from whiteroute.pdu import BindTransceiver, CommandStatus, EnquireLink, GenericNack
from whiteroute.simulators import (
    MessageCenter,
    connect_raw_peer,
    open_message_center,
    open_raw_listener,
)


async def test_it_listens_on_any_free_port_and_says_where(open_esme):
    center = MessageCenter()
    async with open_message_center(center) as opened:
        assert opened is center
        assert "127.0.0.1" == center.host
        assert 0 < center.port
        assert f"<MessageCenter whiteroute 127.0.0.1:{center.port}, 0 messages>" == repr(center)
    assert ("", 0) == (center.host, center.port)


async def test_a_message_goes_and_its_receipt_comes_over_tcp(open_esme):
    async with open_message_center(MessageCenter()) as center, open_esme(center) as esme:
        response = await esme.submit()
        with trio.fail_after(10):
            await esme.wait_delivered(1)

        assert response.message_id == esme.receipts[0].message_id
        assert CloseCause.UNBIND is (await esme.link.unbind()).cause


async def test_a_name_with_several_addresses_is_one_port():
    async with (
        open_message_center(MessageCenter(), host="localhost") as center,
        connect_raw_peer(center.host, center.port) as peer,
    ):
        await peer.send(EnquireLink(sequence_number=5))
        assert 5 == (await peer.receive()).sequence_number


async def test_a_port_that_is_taken_is_named():
    async with open_raw_listener() as taken:
        with pytest.raises(OSError, match=re.escape(f"127.0.0.1:{taken.port}: ")) as caught:
            async with open_message_center(MessageCenter(), port=taken.port):
                pytest.fail("the port is taken")

    assert errno.EADDRINUSE == caught.value.errno


async def test_several_centres_live_in_one_process(open_esme):
    centers = [MessageCenter(system_id=f"mc{number}", seed=number) for number in range(3)]
    async with (
        open_message_center(centers[0]),
        open_message_center(centers[1]),
        open_message_center(centers[2]),
    ):
        for center in centers:
            async with open_esme(center) as esme:
                await esme.submit(short_message=center.system_id.encode())

        assert 3 == len({center.port for center in centers})
        assert ["mc0", "mc1", "mc2"] == [center.submitted[0].text for center in centers]


async def test_a_bind_outlives_the_listener_while_it_unbinds(open_esme):
    center = MessageCenter()
    async with trio.open_nursery() as nursery, open_message_center(center):

        async def stay():
            async with open_esme(center) as esme:
                await esme.link.wait_closed()
                assert CloseCause.UNBIND is esme.link.closed.cause

        nursery.start_soon(stay)
        await center.wait_for("bind")


async def test_an_exception_closes_without_unbind(open_esme):
    center = MessageCenter()
    with pytest.RaisesGroup(KeyError, flatten_subgroups=True):
        async with open_message_center(center), open_esme(center):
            raise KeyError("the test failed")

    assert "unbind" not in [each.event for each in center.events()]


async def test_garbage_ends_its_own_link_only(open_esme):
    async with (
        open_message_center(MessageCenter()) as center,
        open_esme(center) as esme,
        connect_raw_peer(center.host, center.port) as peer,
    ):
        await peer.send(b"GET / HTTP/1.1\r\n\r\n")
        (nack,) = await peer.receive_end()

        assert isinstance(nack, GenericNack)
        assert CommandStatus.ESME_RINVCMDLEN == nack.command_status
        assert 0 == (await esme.submit()).command_status


async def test_a_peer_that_vanishes_leaves_nothing_behind(open_esme):
    async with open_message_center(MessageCenter()) as center:
        async with connect_raw_peer(center.host, center.port) as peer:
            await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
            await peer.receive()
        (event,) = await center.wait_for("close")

        assert "acme" == event.account
        assert 0 == center.statistics().binds


async def test_requests_with_one_number_are_all_answered():
    async with (
        open_message_center(MessageCenter()) as center,
        connect_raw_peer(center.host, center.port) as peer,
    ):
        await peer.send(*[BindTransceiver(system_id="acme", sequence_number=0)] * 2)
        answers = [await peer.receive() for _ in range(2)]

        assert {CommandStatus.ESME_ROK, CommandStatus.ESME_RALYBND} == {
            each.command_status for each in answers
        }
