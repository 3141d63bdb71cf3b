"""The server of smpp.twisted3 (the one in Jasmin, from PyPI) as a message centre."""

import sys

from json_lines import listen, say
from smpp.pdu import pdu_types
from smpp.pdu.operations import DeliverSM, EnquireLink
from smpp.pdu.pdu_encoding import DataCodingEncoder, EsmClassEncoder
from smpp.twisted.config import SMPPServerConfig
from smpp.twisted.protocol import DataHandlerResponse, SMPPServerProtocol
from smpp.twisted.server import SMPPServerFactory
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import IRealm, Portal
from twisted.internet import defer, reactor
from zope.interface import implementer


class Protocol(SMPPServerProtocol):
    """Tells what comes besides messages."""

    def onPDURequest_enquire_link(self, pdu):  # noqa: N802 -- its name
        super().onPDURequest_enquire_link(pdu)
        say("enquired")

    def onPDURequest_unbind(self, pdu):  # noqa: N802
        super().onPDURequest_unbind(pdu)
        say("unbind")

    def doBindRequest(self, pdu, state):  # noqa: N802
        deferred = super().doBindRequest(pdu, state)
        if self.isBound():
            say("bound", receives="TX" not in state.name)
            if "TX" not in state.name:
                center.receiver = self
        return deferred


class Factory(SMPPServerFactory):
    protocol = Protocol


@implementer(IRealm)
class Realm:
    def requestAvatar(self, system_id, _mind, *interfaces):  # noqa: N802
        return interfaces[0], system_id, lambda: None


class Center:
    receiver = None
    count = 0
    is_held = False
    refusal = 0

    def take(self, _system_id, _smpp, pdu):
        facts = {
            "source": pdu.params["source_addr"].decode(),
            "destination": pdu.params["destination_addr"].decode(),
            "octets": pdu.params["short_message"].hex(),
            "data_coding": DataCodingEncoder().encode(pdu.params["data_coding"])[0],
            "esm_class": EsmClassEncoder().encode(pdu.params["esm_class"])[0],
        }
        if self.is_held:
            say("held", **facts)
            return defer.Deferred()
        if self.refusal:
            say("refused", **facts)
            names = {0x58: "ESME_RTHROTTLED", 0x0B: "ESME_RINVDSTADR"}
            return getattr(pdu_types.CommandStatus, names[self.refusal])
        self.count += 1
        message_id = f"{self.count:08x}"
        say("submit", message_id=message_id, **facts)
        return DataHandlerResponse(
            status=pdu_types.CommandStatus.ESME_ROK, message_id=message_id.encode()
        )

    def obey(self, order):
        if order is None:
            reactor.stop()
        elif order["do"] == "deliver":
            is_receipt = order["esm_class"] & 0x3C == 0x04
            self.ask(
                "delivered",
                self.receiver.sendDataRequest(
                    DeliverSM(
                        source_addr=order["source"].encode(),
                        destination_addr=order["destination"].encode(),
                        short_message=bytes.fromhex(order["octets"]),
                        data_coding=pdu_types.DataCoding(
                            schemeData=pdu_types.DataCodingDefault.UCS2
                            if order["data_coding"] == 8
                            else pdu_types.DataCodingDefault.SMSC_DEFAULT_ALPHABET
                        ),
                        esm_class=pdu_types.EsmClass(
                            pdu_types.EsmClassMode.DEFAULT,
                            pdu_types.EsmClassType.SMSC_DELIVERY_RECEIPT
                            if is_receipt
                            else pdu_types.EsmClassType.DEFAULT,
                        ),
                    )
                ),
            )
        elif order["do"] == "enquire":
            self.ask("alive", self.receiver.sendRequest(EnquireLink(), 5))
        elif order["do"] == "unbind":
            self.receiver.unbindAndDisconnect().addCallback(lambda _: say("unbound"))
        elif order["do"] == "hold":
            self.is_held = True
            say("holding")
        elif order["do"] == "refuse":
            self.refusal = order["status"]
            say("refusing")

    def ask(self, event, deferred):
        deferred.addCallbacks(
            lambda transaction: say(event, status=0),
            lambda failure: say(event, status=-1, error=str(failure.value)),
        )


center = Center()
portal = Portal(Realm())
checker = InMemoryUsernamePasswordDatabaseDontUse()
# By keyword it would become octets, which the server's text never equals.
checker.addUser("gateway", "secret")
portal.registerChecker(checker)
config = SMPPServerConfig(systems={"gateway": {"max_bindings": 4}}, msgHandler=center.take)
port = int(sys.argv[1])
reactor.listenTCP(port, Factory(config, portal), interface="127.0.0.1")
reactor.callWhenRunning(
    lambda: (
        listen(lambda order: reactor.callFromThread(center.obey, order)),
        say("listening", port=port),
    )
)
reactor.run()
