"""The client of aiosmpplib (from PyPI) as an ESME."""

import asyncio
import logging
import sys

import aiosmpplib as smpp
from aiosmpplib.broker import SimpleBroker
from json_lines import orders_of, say

MODES = {
    "trx": smpp.BindMode.TRANSCEIVER,
    "tx": smpp.BindMode.TRANSMITTER,
    "rx": smpp.BindMode.RECEIVER,
}
RECEIPTED_MESSAGE_ID, SAR_SEGMENT_SEQNUM = 0x001E, 0x020F


class Hook(smpp.AbstractHook):
    async def sending(self, smpp_message, pdu, client_id):
        if isinstance(smpp_message, smpp.Unbind):
            # It does not wait for the answer.
            say("unbound", status=0)

    async def send_error(self, smpp_message, error, client_id):
        say("error", error=str(error))

    async def received(self, smpp_message, pdu, client_id):
        match smpp_message:
            case smpp.DeliverSm():
                self.delivered(smpp_message)
            case smpp.SubmitSmResp():
                say(
                    "response",
                    status=int(smpp_message.command_status),
                    message_id=smpp_message.message_id,
                )
            case smpp.EnquireLink():
                say("enquired")
            case smpp.BindTransceiverResp():
                say(
                    "bound",
                    status=int(smpp_message.command_status),
                    center=smpp_message.system_id,
                )

    def delivered(self, pdu):
        tlvs = {int(each.tag): each.value for each in pdu.optional_params or ()}
        say(
            "delivered",
            source=pdu.source.number,
            destination=pdu.destination.number,
            text=pdu.short_message or pdu.message_payload,
            receipt=pdu.is_receipt(),
            message_id=tlvs.get(RECEIPTED_MESSAGE_ID, "").rstrip("\0"),
            # It makes TLVs of what was in a header.
            part=tlvs.get(SAR_SEGMENT_SEQNUM, 0),
        )


async def main(host, port, mode, system_id, password):
    orders = orders_of(asyncio.get_running_loop())
    broker = SimpleBroker()
    esme = smpp.ESME(
        smsc_host=host,
        smsc_port=int(port),
        system_id=system_id,
        password=password,
        bind_mode=MODES[mode],
        hook=Hook(),
        broker=broker,
        log_level=logging.CRITICAL,
        default_encoding="gsm0338",
    )
    running = asyncio.ensure_future(esme.start())
    number = 0
    while (order := await orders.get()) is not None:
        if order["do"] == "submit":
            number += 1
            await broker.enqueue(
                smpp.SubmitSm(
                    short_message=order["text"],
                    source=smpp.PhoneNumber(order["source"]),
                    destination=smpp.PhoneNumber(order["destination"]),
                    registered_delivery=1,
                    log_id=str(number),
                )
            )
        elif order["do"] == "unbind":
            await esme.stop()
    running.cancel()


asyncio.run(main(*sys.argv[1:]))
