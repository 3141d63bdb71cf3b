"""Kannel binds to a message centre of ours: its bearerbox speaks SMPP, its smsbox HTTP with a test."""

import re
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit

import attrs
import pytest
import trio

from whiteroute.pdu import MessageState
from whiteroute.simulators import (
    Account,
    Handset,
    Handsets,
    MessageCenter,
    behaviours,
    open_message_center,
)

pytestmark = pytest.mark.interop

PHONE = "34600111222"
PATIENCE = 20.0
LONG = "The train to Segovia is late. " * 12
GREEK = "Το τρένο έχει καθυστέρηση"

BEARERBOX = """
group = core
admin-port = {admin}
admin-password = secret
smsbox-port = {boxes}
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal
sms-resend-freq = 1

group = smsc
smsc = smpp
smsc-id = ours
host = 127.0.0.1
port = {smpp}
transceiver-mode = {transceiver}
smsc-username = acme
smsc-password = {password}
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1
log-level = 0
"""

TRANSMITTER_AND_RECEIVER = """
group = smsc
smsc = smpp
smsc-id = ours
host = 127.0.0.1
receive-port = {smpp}
smsc-username = acme
smsc-password = {password}
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1
"""

SMSBOX = """
group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
mo-recode = false

group = sendsms-user
username = tester
password = secret
max-messages = 10
concatenation = true

group = sms-service
keyword = default
get-url = "http://127.0.0.1:{web}/mo?from=%p&to=%P&text=%b&coding=%c&charset=%C"
max-messages = 0
catch-all = true
accepted-smsc = ours
"""


@attrs.define(eq=False)
class Web:
    """A web server that answers everything with nothing, and keeps what was asked."""

    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = attrs.field(factory=list)
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    async def serve(self, stream):
        octets = b""
        async with stream:
            async for some in stream:
                octets += some
                while b"\r\n\r\n" in octets:
                    head, _, octets = octets.partition(b"\r\n\r\n")
                    url = urlsplit(head.split()[1].decode())
                    query = parse_qs(url.query, keep_blank_values=True, encoding="latin-1")
                    self.asked.append((url.path, {key: each[0] for key, each in query.items()}))
                    self._news.unpark_all()
                    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async def wait_for(self, path, *, times=1, **facts):
        def found():
            return [
                query
                for asked, query in self.asked
                if asked == path and facts.items() <= query.items()
            ]

        try:
            with trio.fail_after(PATIENCE):
                while len(found()) < times:
                    await self._news.park()
        except trio.TooSlowError:
            raise AssertionError(f"{path} {facts}: {self.asked}") from None
        return found()


async def get(port, path, **query):
    """Ask a web server of Kannel's; None while there is none."""
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return None
    async with stream:
        target = f"{path}?{urlencode(query)}"
        await stream.send_all(f"GET {target} HTTP/1.0\r\n\r\n".encode())
        octets = b""
        async for some in stream:
            octets += some
    return octets.decode("latin-1")


async def until(happens, what):
    """Ask again and again, as fast as answers come, until it is so."""
    with trio.move_on_after(PATIENCE):
        while True:
            if await happens():
                return
            await trio.lowlevel.checkpoint()
    raise AssertionError(what)


@attrs.define(eq=False)
class Kannel:
    """Kannel, with the web server that it tells."""

    web: Web
    sendsms: int
    admin: int
    bearerbox: object

    async def send(self, text, **fields):
        """Have it send a text, and tell of its fate at /dlr."""
        dlr = f"http://127.0.0.1:{self.web.port}/dlr?type=%d&answer=%A&text=%b"
        coding = {} if text.isascii() else {"coding": "2", "charset": "UTF-8"}
        answer = await get(
            self.sendsms,
            "/cgi-bin/sendsms",
            **{
                "username": "tester",
                "password": "secret",
                "from": "ACME",
                "to": PHONE,
                "text": text,
                "dlr-mask": "31",
                "dlr-url": dlr,
            },
            **coding,
            **fields,
        )
        assert answer is not None
        assert " 202 " in answer.splitlines()[0], answer

    async def status(self):
        return await get(self.admin, "/status.txt", password="secret") or ""


@pytest.fixture
def open_kannel(tmp_path, run_program, pick_ports, kannel_boxes):
    @asynccontextmanager
    async def opened(smpp_port, *, mode="trx", password="secret", online=True):
        admin, boxes, sendsms = pick_ports(3)
        async with AsyncExitStack() as stack:
            nursery = await stack.enter_async_context(trio.open_nursery())
            web = Web()
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            web.port = listeners[0].socket.getsockname()[1]
            nursery.start_soon(trio.serve_listeners, web.serve, listeners)
            facts = {
                "admin": admin,
                "boxes": boxes,
                "sendsms": sendsms,
                "smpp": smpp_port,
                "web": web.port,
                "password": password,
                "transceiver": str(mode == "trx").lower(),
            }
            second = TRANSMITTER_AND_RECEIVER if mode == "tx+rx" else ""
            file = tmp_path / "kannel.conf"
            file.write_text((BEARERBOX + second + SMSBOX).format(**facts))
            log = tmp_path / "bearerbox.log"
            bearerbox = stack.enter_context(
                run_program([kannel_boxes["bearerbox"], "-v", "0", str(file)], log)
            )
            kannel = Kannel(web, sendsms, admin, bearerbox)

            async def is_online():
                return "(online" in await kannel.status()

            async def takes_orders():
                return await get(sendsms, "/") is not None

            await until(kannel.status, "no bearerbox")
            stack.enter_context(
                run_program([kannel_boxes["smsbox"], "-v", "0", str(file)], tmp_path / "smsbox.log")
            )
            await until(takes_orders, "no smsbox")
            if online:
                await until(is_online, log)
            try:
                yield kannel
            finally:
                nursery.cancel_scope.cancel()

    return opened


@pytest.fixture
def our_center():
    return MessageCenter(
        accounts=(Account(system_id="acme", password="secret"),),
        handsets=Handsets(median_delay=0),
        retry_delay=0.2,
    )


async def happened(center, event, **facts):
    try:
        with trio.fail_after(PATIENCE):
            return await center.wait_for(event, **facts)
    except trio.TooSlowError:
        raise AssertionError(f"{event} {facts}: {center.events()}") from None


@pytest.mark.parametrize("mode", ["trx", "tx+rx"])
async def test_it_binds_sends_hears_and_unbinds(our_center, open_kannel, mode):
    # On two binds a receipt may overtake its response, and Kannel loses it then.
    our_center.handsets = Handsets(median_delay=0 if mode == "trx" else 0.2)
    binds = 1 if mode == "trx" else 2
    async with (
        open_message_center(our_center),
        open_kannel(our_center.port, mode=mode) as kannel,
    ):
        await happened(our_center, "bind", times=binds, status=0)
        await kannel.send("hello")
        await kannel.web.wait_for("/dlr", type="8")
        (receipt,) = await kannel.web.wait_for("/dlr", type="1")
        await happened(our_center, "receipt_acknowledged")
        our_center.inject_mo(PHONE, "2580", "YES please")
        (mo,) = await kannel.web.wait_for("/mo")
        await happened(our_center, "mo_acknowledged")

        kannel.bearerbox.terminate()
        await happened(our_center, "unbind", times=binds)

    (submission,) = our_center.submitted
    assert ("hello", "ACME", PHONE) == (
        submission.text,
        submission.source_addr,
        submission.destination_addr,
    )
    assert f"id:{submission.message_id} " in receipt["text"]
    # TON 1 becomes a plus.
    assert (f"+{PHONE}", "2580", "YES please") == (mo["from"], mo["to"], mo["text"])
    assert not [each for each in our_center.events() if each.event in ("close", "refused")]


@pytest.mark.quirk("Kannel", "asks for the receipt of the first part alone")
async def test_a_long_message_gets_one_receipt(our_center, open_kannel):
    async with open_message_center(our_center), open_kannel(our_center.port) as kannel:
        await kannel.send(LONG)
        await kannel.web.wait_for("/dlr", type="1")
        await happened(our_center, "receipt_acknowledged")
        await happened(our_center, "submit", times=3)

        assert LONG == "".join(each.text for each in our_center.submitted)
        asked = [each.request.registered_delivery & 0x01 for each in our_center.submitted]
        assert [1, 0, 0] == asked


async def test_ucs2_goes_and_comes(our_center, open_kannel):
    async with open_message_center(our_center), open_kannel(our_center.port) as kannel:
        await kannel.send(GREEK)
        await kannel.web.wait_for("/dlr", type="1")
        our_center.inject_mo(PHONE, "2580", GREEK)
        (mo,) = await kannel.web.wait_for("/mo")

    assert GREEK == our_center.submitted[0].text
    assert GREEK == mo["text"].encode("latin-1").decode("utf-16-be")


async def test_a_text_of_several_parts_is_joined(our_center, open_kannel):
    async with open_message_center(our_center), open_kannel(our_center.port) as kannel:
        our_center.inject_mo(PHONE, "2580", LONG)
        (mo,) = await kannel.web.wait_for("/mo")
        await happened(our_center, "mo_acknowledged", times=3)

    assert LONG == mo["text"]


async def test_a_failure_is_told(our_center, open_kannel):
    our_center.handsets = Handsets(
        rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="027", delay=0)]
    )
    async with open_message_center(our_center), open_kannel(our_center.port) as kannel:
        await kannel.send("hello")
        (receipt,) = await kannel.web.wait_for("/dlr", type="2")

    assert "stat:UNDELIV err:027" in receipt["text"]


@pytest.mark.quirk("Kannel", "sends again after 0x14 and 0x58; after others it is refused at once")
async def test_throttling_is_waited_out_and_a_refusal_is_final(our_center, open_kannel):
    our_center.behaviours = (behaviours.RefuseSubmits(status=0x58),)
    async with open_message_center(our_center), open_kannel(our_center.port) as kannel:
        await kannel.send("throttled")
        await happened(our_center, "submit", status=0x58)
        our_center.behaviours = ()
        await kannel.web.wait_for("/dlr", type="1")
        our_center.behaviours = (behaviours.RefuseSubmits(status=0x0B),)
        await kannel.send("refused")
        await kannel.web.wait_for("/dlr", type="16")

    statuses = [each.status for each in our_center.events() if each.event == "submit"]
    assert 0x0B == statuses[-1]
    assert 1 == statuses.count(0x0B)
    assert 1 == statuses.count(0)


async def test_it_comes_back_when_the_centre_does(our_center, open_kannel, pick_ports):
    """What it has to send waits, and goes once; the centre knows its receipts still."""
    port = pick_ports(1)[0]

    async def serve(is_over, task_status):
        async with open_message_center(our_center, port=port):
            task_status.started()
            await is_over.wait()

    async with trio.open_nursery() as nursery:
        is_over = trio.Event()
        await nursery.start(lambda task_status: serve(is_over, task_status))
        async with open_kannel(port) as kannel:
            is_over.set()
            await happened(our_center, "unbind")
            await kannel.send("in between")
            await nursery.start(lambda task_status: serve(trio.Event(), task_status))
            await kannel.web.wait_for("/dlr", type="1")
            await happened(our_center, "receipt_acknowledged")

            assert ["in between"] == [each.text for each in our_center.submitted]
        nursery.cancel_scope.cancel()


@pytest.mark.quirk("Kannel", "gives up for ever when its password is refused")
async def test_a_wrong_password_is_the_end_of_it(our_center, open_kannel, tmp_path):
    async with (
        open_message_center(our_center),
        open_kannel(our_center.port, password="wrong", online=False) as kannel,
    ):
        await happened(our_center, "bind", status=0x0E)

        async def has_given_up():
            return re.search(r"ours\S*\s.*\(dead", await kannel.status())

        await until(has_given_up, tmp_path)
        assert 1 == len([each for each in our_center.events() if each.event == "bind"])


@pytest.mark.quirk("Kannel", "acknowledges a receipt that overtakes its response, and loses it")
async def test_a_receipt_ahead_of_its_response_is_lost(our_center, open_kannel, tmp_path):
    our_center.behaviours = (behaviours.ReceiptBeforeResponse(),)
    async with open_message_center(our_center), open_kannel(our_center.port) as kannel:
        await kannel.send("hello")
        await happened(our_center, "receipt_acknowledged")
        await kannel.web.wait_for("/dlr", type="8")
        # What comes after it would come after the receipt.
        our_center.behaviours = ()
        await kannel.send("again")
        await kannel.web.wait_for("/dlr", type="1")

        assert "got DLR but could not find" in (tmp_path / "bearerbox.log").read_text("latin-1")
