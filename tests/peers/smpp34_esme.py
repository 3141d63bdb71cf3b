"""The client of smpp34 (Rust, from PyPI) as an ESME."""

import asyncio
import re
import sys

import smpp34
from json_lines import orders_of, say


def told(event):
    octets, part = event.short_message, 0
    if event.esm_class & 0x40:
        part, octets = octets[5], octets[1 + octets[0] :]
    ids = [tlv.value for tlv in event.tlvs if tlv.tag == smpp34.TLV_RECEIPTED_MESSAGE_ID]
    say(
        "delivered",
        source=event.source_addr,
        destination=event.destination_addr,
        text=octets.decode("utf-16-be" if event.data_coding == 8 else "ascii"),
        receipt=event.esm_class & 0x3C == 0x04,
        message_id=ids[0].rstrip(b"\0").decode() if ids else "",
        part=part,
    )


async def submit(smsc, order):
    text = order["text"]
    octets = text.encode("ascii") if text.isascii() else text.encode("utf-16-be")
    try:
        response = await smsc.submit_sm(
            destination_addr=order["destination"],
            source_addr=order["source"],
            short_message=octets,
            data_coding=0 if text.isascii() else 8,
            registered_delivery=1,
        )
    except smpp34.SmppError as error:
        say("response", status=status_of(error), message_id="")
    else:
        say("response", status=response.command_status, message_id=response.message_id or "")


def status_of(error):
    found = re.search(r"\(0x([0-9a-f]{8})\)", str(error), re.IGNORECASE)
    return int(found[1], 16) if found else -1


async def receive(smsc):
    while True:
        event = await smsc.next()
        if isinstance(event, smpp34.Disconnected):
            say("closed")
            return
        told(event)


async def main(host, port, mode, system_id, password):
    orders = orders_of(asyncio.get_running_loop())
    client = smpp34.Client(
        host=host,
        port=int(port),
        system_id=system_id,
        password=password,
        bind_type=mode.upper(),
        connect_timeout_ms=1_000,
    )
    try:
        smsc = await client.connect()
    except smpp34.SmppError as error:
        say("bound", status=status_of(error), error=str(error))
        return
    except Exception as error:  # noqa: BLE001 -- whatever it raises, the test is told
        say("bound", status=-1, error=f"{type(error).__name__}: {error}")
        return
    say("bound", status=0)
    receiving = asyncio.ensure_future(receive(smsc))
    under_way = set()
    while (order := await orders.get()) is not None:
        if order["do"] == "submit":
            task = asyncio.ensure_future(submit(smsc, order))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        elif order["do"] == "unbind":
            await smsc.unbind()
            say("unbound", status=0)
    receiving.cancel()
    await client.stop()


asyncio.run(main(*sys.argv[1:]))
