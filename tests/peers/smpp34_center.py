"""The server of smpp34 (Rust, from PyPI) as a message centre.

It takes every bind with whatever password: its Python side asks nobody. It answers enquire_link by
itself and tells nobody.
"""

import asyncio
import sys

import smpp34
from json_lines import orders_of, say


class Center:
    def __init__(self):
        self.esmes = {}
        self.count = 0
        self.is_held = False
        self.refusal = 0
        self.kept = []

    def take(self, event):
        if isinstance(event, smpp34.Esme):
            self.esmes[event.session_id] = event
            say("bound", receives=event.can_receive)
        elif isinstance(event, smpp34.SubmitSmEvent):
            self.submitted(event)
        else:
            self.esmes.pop(event.session_id, None)
            say("unbind")

    def submitted(self, event):
        facts = {
            "source": event.source_addr,
            "destination": event.destination_addr,
            "octets": event.short_message.hex(),
            "data_coding": event.data_coding,
            "esm_class": event.esm_class,
            "registered_delivery": event.registered_delivery,
        }
        if self.is_held:
            self.kept.append(event)
            say("held", **facts)
        elif self.refusal:
            event.reject(self.refusal)
            say("refused", **facts)
        else:
            self.count += 1
            message_id = f"{self.count:08x}"
            event.accept(message_id=message_id)
            say("submit", message_id=message_id, **facts)

    async def obey(self, order):
        match order["do"]:
            case "deliver":
                esme = [each for each in self.esmes.values() if each.can_receive][-1]
                response = await esme.deliver_sm(
                    source_addr=order["source"],
                    destination_addr=order["destination"],
                    short_message=bytes.fromhex(order["octets"]),
                    data_coding=order["data_coding"],
                    esm_class=order["esm_class"],
                )
                say("delivered", status=response.command_status)
            case "hold":
                self.is_held = True
                say("holding")
            case "refuse":
                self.refusal = order["status"]
                say("refusing")
            case "unbind":
                for esme in tuple(self.esmes.values()):
                    await esme.unbind()
                say("unbound")


async def main(port):
    server = smpp34.Server(host="127.0.0.1", port=port, system_id="smpp34")
    await server.start()
    center = Center()
    orders = orders_of(asyncio.get_running_loop())
    say("listening", port=port)

    async def serve():
        while True:
            center.take(await server.next())

    serving = asyncio.ensure_future(serve())
    under_way = set()
    while (order := await orders.get()) is not None:
        task = asyncio.ensure_future(center.obey(order))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    serving.cancel()
    await server.stop()


asyncio.run(main(int(sys.argv[1])))
