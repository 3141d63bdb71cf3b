"""The client of smpplib (from PyPI) as an ESME."""

import logging
import queue
import select
import sys

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm
from json_lines import listen, say

host, port, mode, system_id, password = sys.argv[1:]
orders = queue.Queue()
listen(orders.put)

client = smpplib.client.Client(host, int(port), timeout=10, allow_unknown_opt_params=True)
client.logger.setLevel(logging.CRITICAL)


def responded(pdu):
    say("response", status=pdu.status, message_id=(pdu.message_id or b"").decode())


def delivered(pdu):
    octets, part = pdu.short_message, 0
    if pdu.esm_class & 0x40:
        part, octets = octets[5], octets[1 + octets[0] :]
    say(
        "delivered",
        source=pdu.source_addr.decode(),
        destination=pdu.destination_addr.decode(),
        # It decodes nothing; the tests' GSM texts are ASCII.
        text=octets.decode("utf-16-be" if pdu.data_coding == 8 else "ascii"),
        receipt=pdu.esm_class & 0x3C == 0x04,
        message_id=(pdu.receipted_message_id or b"").decode().rstrip("\0"),
        part=part,
    )
    return 0


def refused(pdu):
    if pdu.command == "submit_sm_resp":
        say("response", status=pdu.status, message_id="")
    elif pdu.command == "enquire_link_resp":
        say("alive", status=pdu.status)


class Client(smpplib.client.Client):
    """Tells what the library answers by itself."""

    def _enquire_link_received(self, pdu):
        super()._enquire_link_received(pdu)
        say("enquired")


client.__class__ = Client
client.set_message_sent_handler(responded)
client.set_message_received_handler(delivered)
client.set_error_pdu_handler(refused)


def submit(order):
    parts, data_coding, esm_class = smpplib.gsm.make_parts(order["text"])
    for part in parts:
        client.send_message(
            source_addr=order["source"],
            destination_addr=order["destination"],
            short_message=part,
            data_coding=data_coding,
            esm_class=esm_class,
            registered_delivery=True,
        )


def main():
    client.connect()
    bind = {"trx": "transceiver", "tx": "transmitter", "rx": "receiver"}[mode]
    try:
        response = getattr(client, f"bind_{bind}")(system_id=system_id, password=password)
    except smpplib.exceptions.PDUError as error:
        say("bound", status=error.args[1])
        return
    say("bound", status=response.status, center=response.system_id.decode())
    while True:
        # Its reading blocks: so it reads only when there is something.
        if select.select([client._socket], [], [], 0.01)[0]:
            client.read_once()
            continue
        try:
            order = orders.get_nowait()
        except queue.Empty:
            continue
        if order is None:
            return
        if order["do"] == "submit":
            submit(order)
        elif order["do"] == "enquire":
            client.send_pdu(smpplib.smpp.make_pdu("enquire_link", client=client))
        elif order["do"] == "unbind":
            client.unbind()
            say("unbound", status=0)


try:
    main()
except smpplib.exceptions.ConnectionError as error:
    say("closed", error=str(error))
