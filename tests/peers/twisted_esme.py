"""The client of smpp.twisted3 (the one in Jasmin, from PyPI) as an ESME."""

import sys

from json_lines import listen, say
from smpp.pdu import pdu_types
from smpp.pdu.error import SMPPTransactionError
from smpp.pdu.operations import DeliverSM, EnquireLink, SubmitSM
from smpp.pdu.pdu_encoding import DataCodingEncoder
from smpp.twisted.client import (
    SMPPClientFactory,
    SMPPClientReceiver,
    SMPPClientTransceiver,
    SMPPClientTransmitter,
)
from smpp.twisted.config import SMPPClientConfig
from smpp.twisted.protocol import SMPPClientProtocol
from twisted.internet import reactor

host, port, mode, system_id, password = sys.argv[1:]


class Protocol(SMPPClientProtocol):
    """Tells what the library answers by itself."""

    def onPDURequest_enquire_link(self, pdu):  # noqa: N802 -- its name
        super().onPDURequest_enquire_link(pdu)
        say("enquired")


SMPPClientFactory.protocol = Protocol


class Esme:
    smpp = None

    def take(self, _smpp, pdu):
        assert isinstance(pdu, DeliverSM)
        octets, part = pdu.params["short_message"], 0
        features = pdu.params["esm_class"].gsmFeatures
        if pdu_types.EsmClassGsmFeatures.UDHI_INDICATOR_SET in features:
            part, octets = octets[5], octets[1 + octets[0] :]
        is_ucs2 = DataCodingEncoder().encode(pdu.params["data_coding"])[0] == 8
        say(
            "delivered",
            source=pdu.params["source_addr"].decode(),
            destination=pdu.params["destination_addr"].decode(),
            text=octets.decode("utf-16-be" if is_ucs2 else "ascii"),
            receipt=pdu.params["esm_class"].type == pdu_types.EsmClassType.SMSC_DELIVERY_RECEIPT,
            message_id=(pdu.params.get("receipted_message_id") or b"").decode(),
            part=part,
        )
        return pdu_types.CommandStatus.ESME_ROK

    def bound(self, smpp):
        self.smpp = smpp
        smpp.getDisconnectedDeferred().addBoth(lambda _: say("closed"))
        say("bound", status=0)

    def obey(self, order):
        if order is None:
            reactor.stop()
        elif order["do"] == "submit":
            self.submit(order["source"], order["destination"], order["text"])
        elif order["do"] == "enquire":
            self.smpp.sendRequest(EnquireLink(), 5).addCallback(lambda _: say("alive", status=0))
        elif order["do"] == "unbind":
            self.smpp.unbindAndDisconnect().addCallback(lambda _: say("unbound", status=0))

    def submit(self, source, destination, text):
        is_ascii = text.isascii()
        default = pdu_types.DataCodingDefault
        pdu = SubmitSM(
            source_addr=source.encode(),
            destination_addr=destination.encode(),
            short_message=text.encode("ascii" if is_ascii else "utf-16-be"),
            data_coding=pdu_types.DataCoding(
                schemeData=default.SMSC_DEFAULT_ALPHABET if is_ascii else default.UCS2
            ),
            registered_delivery=pdu_types.RegisteredDelivery(
                pdu_types.RegisteredDeliveryReceipt.SMSC_DELIVERY_RECEIPT_REQUESTED
            ),
        )
        self.smpp.sendDataRequest(pdu).addCallbacks(
            lambda transaction: say(
                "response",
                status=0,
                message_id=transaction.response.params["message_id"].decode(),
            ),
            lambda failure: say("response", status=status_of(failure), message_id=""),
        )


def status_of(failure):
    if failure.check(SMPPTransactionError):
        return pdu_types.CommandStatus and status_number(failure.value.response.status)
    return -1


def status_number(status):
    from smpp.pdu.pdu_encoding import CommandStatusEncoder

    return int.from_bytes(CommandStatusEncoder().encode(status), "big")


esme = Esme()
config = SMPPClientConfig(
    host=host, port=int(port), username=system_id, password=password, enquireLinkTimerSecs=60
)
if mode == "tx":
    client = SMPPClientTransmitter(config)
else:
    client = {"trx": SMPPClientTransceiver, "rx": SMPPClientReceiver}[mode](config, esme.take)


def start():
    listen(lambda order: reactor.callFromThread(esme.obey, order))
    client.connectAndBind().addCallbacks(
        esme.bound, lambda failure: say("bound", status=status_of(failure))
    )


reactor.callWhenRunning(start)
reactor.run()
