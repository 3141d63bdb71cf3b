"""A stranger's ESME, smpplib, binds, submits and gets its receipt: against blindness we share with ourselves."""

import logging

import pytest
import trio

from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import MessageState
from whiteroute.simulators import (
    Account,
    Handset,
    Handsets,
    MessageCenter,
    behaviours,
    open_message_center,
)

consts = pytest.importorskip("smpplib.consts")
smpplib_client = pytest.importorskip("smpplib.client")
smpplib_exceptions = pytest.importorskip("smpplib.exceptions")

PATIENCE = 10.0
"""Seconds a stuck peer may take; a working one needs milliseconds."""


class Stranger:
    """smpplib, blocking, in a thread of its own."""

    def __init__(self, host, port):
        self.client = smpplib_client.Client(
            host, port, timeout=PATIENCE, allow_unknown_opt_params=True
        )
        self.client.logger.setLevel(logging.CRITICAL)
        self.responses, self.delivered = [], []
        self.client.set_message_sent_handler(self._sent)
        self.client.set_message_received_handler(self._received)

    def _sent(self, pdu):
        self.responses.append(pdu)

    def _received(self, pdu):
        self.delivered.append(pdu)

    def read_until(self, enough):
        while not enough():
            self.client.read_once()

    def __enter__(self):
        self.client.connect()
        return self

    def __exit__(self, *_):
        self.client.disconnect()


def send(stranger, to="34600111222", text=b"from a stranger", **fields):
    return stranger.client.send_message(
        source_addr_ton=5,
        source_addr="ACME",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=to,
        short_message=text,
        registered_delivery=1,
        **fields,
    )


async def in_thread(work):
    with trio.fail_after(2 * PATIENCE):
        return await trio.to_thread.run_sync(work)


@pytest.mark.parametrize("bind", ["bind_transceiver", "bind_transmitter", "bind_receiver"])
async def test_it_binds_and_unbinds(bind):
    center = MessageCenter(accounts=(Account(system_id="acme", password="secret"),))

    def work():
        with Stranger(center.host, center.port) as stranger:
            response = getattr(stranger.client, bind)(system_id="acme", password="secret")
            stranger.client.unbind()
            return response

    async with open_message_center(center):
        response = await in_thread(work)
        await center.wait_for("unbind")

    assert 0 == response.status
    assert b"whiteroute" == response.system_id


async def test_its_message_goes_and_the_receipt_comes():
    handsets = Handsets(
        rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="027", delay=0.05)]
    )
    center = MessageCenter(handsets=handsets)

    def work():
        with Stranger(center.host, center.port) as stranger:
            stranger.client.bind_transceiver(system_id="acme", password="x")
            send(stranger)
            stranger.read_until(lambda: stranger.responses and stranger.delivered)
            stranger.client.unbind()
            return stranger.responses, stranger.delivered

    async with open_message_center(center):
        (response,), (receipt,) = await in_thread(work)
        await center.wait_for("receipt_acknowledged")

    message_id = response.message_id.decode()
    assert center.submitted[0].message_id == message_id
    assert "from a stranger" == center.submitted[0].text
    assert 0x04 == receipt.esm_class
    assert receipt.short_message.startswith(f"id:{message_id} sub:001 dlvrd:000 ".encode())
    assert b"stat:UNDELIV err:027 text:from a stranger" in receipt.short_message
    assert 5 == receipt.message_state
    assert (b"34600111222", b"ACME") == (receipt.source_addr, receipt.destination_addr)


async def test_it_reads_every_refusal():
    center = MessageCenter(
        accounts=(Account(system_id="acme", password="secret"),),
        behaviours=[behaviours.RejectSenders(["OTHER"])],
    )

    def refused(work):
        with pytest.raises(smpplib_exceptions.PDUError) as caught:
            work()
        return caught.value.args[1]

    def work():
        statuses = []
        for credentials in ({"system_id": "nobody"}, {"system_id": "acme", "password": "wrong"}):
            with Stranger(center.host, center.port) as stranger:
                statuses.append(
                    refused(lambda s=stranger, c=credentials: s.client.bind_transceiver(**c))
                )
        with Stranger(center.host, center.port) as stranger:
            stranger.client.bind_transceiver(system_id="acme", password="secret")
            send(stranger)
            statuses.append(refused(lambda: stranger.read_until(lambda: stranger.responses)))
            stranger.client.query_message(
                message_id="77", source_addr_ton=5, source_addr_npi=0, source_addr="OTHER"
            )
            statuses.append(refused(stranger.client.read_once))
            return statuses

    async with open_message_center(center):
        statuses = await in_thread(work)

    assert [
        consts.SMPP_ESME_RINVSYSID,
        consts.SMPP_ESME_RINVPASWD,
        consts.SMPP_ESME_RINVSRCADR,
        consts.SMPP_ESME_RINVMSGID,
    ] == statuses


async def test_it_reads_octet_by_octet():
    center = MessageCenter(behaviours=[behaviours.OneOctetSegments()])

    def work():
        with Stranger(center.host, center.port) as stranger:
            stranger.client.bind_transceiver(system_id="acme", password="x")
            send(stranger)
            stranger.read_until(lambda: stranger.responses and stranger.delivered)
            return len(stranger.delivered)

    async with open_message_center(center):
        assert 1 == await in_thread(work)


async def test_an_unbind_that_it_never_answers_is_waited_for_only_so_long():
    center = MessageCenter(settings=SessionSettings(unbind_timeout=0.1))
    bound = trio.Event()

    def work():
        with Stranger(center.host, center.port) as stranger:
            stranger.client.bind_transceiver(system_id="acme", password="x")
            trio.from_thread.run_sync(bound.set)
            with pytest.raises(smpplib_exceptions.ConnectionError):
                stranger.client.listen()

    async with trio.open_nursery() as nursery, open_message_center(center):
        nursery.start_soon(in_thread, work)
        await bound.wait()

    (event,) = [each for each in center.events() if each.event in ("unbind", "close")]
    assert event.text.startswith("UNBIND_TIMEOUT")
