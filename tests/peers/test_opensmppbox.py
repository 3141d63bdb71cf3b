"""The engine is bound to Kannel's opensmppbox, behind which a bearerbox is bound to a centre of ours.

So a text goes through four implementations of SMPP's two sides, three of them strangers to each other:
engine, opensmppbox, bearerbox, message centre; and its receipt comes all the way back.
"""

import signal
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from whiteroute.engine.messages import DeliveryState
from whiteroute.engine.service import InboundMessage, LinkEvent, ReceiptEvent
from whiteroute.pdu import MessageState
from whiteroute.simulators import (
    Account,
    Handset,
    Handsets,
    MessageCenter,
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
transceiver-mode = true
smsc-username = acme
smsc-password = secret
system-type = ""
enquire-link-interval = 1
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1

group = smsbox-route
smsbox-id = gateway
smsc-id = ours
"""

OPENSMPPBOX = """
group = core
dlr-storage = internal

group = opensmppbox
opensmppbox-id = box
opensmppbox-port = {front}
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
our-system-id = opensmppbox
use-systemid-as-smsboxid = true
route-to-smsc = ours
smpp-logins = "{logins}"
log-level = 0
"""


@attrs.define(eq=False)
class Boxes:
    """Both boxes of Kannel, and the centre behind them."""

    center: MessageCenter
    front: int
    start_box: object
    opensmppbox: object


async def is_listening(port):
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True


async def until(happens, what):
    """Ask again and again until it is so."""
    with trio.move_on_after(PATIENCE):
        while not await happens():
            await trio.lowlevel.checkpoint()
        return
    raise AssertionError(what)


@pytest.fixture
def open_boxes(tmp_path, run_program, pick_ports, opensmppbox_program, kannel_boxes):
    @asynccontextmanager
    async def opened(*some_behaviours, **settings):
        center = MessageCenter(
            accounts=(Account(system_id="acme", password="secret"),),
            handsets=settings.pop("handsets", Handsets(median_delay=0)),
            behaviours=some_behaviours,
            retry_delay=0.2,
        )
        admin, boxes, front = pick_ports(3)
        async with open_message_center(center):
            logins = tmp_path / "logins.txt"
            # Without an address it would take the one that happens to lie on its stack.
            logins.write_text("gateway secret any 127.0.0.1\n")
            facts = {
                "admin": admin,
                "boxes": boxes,
                "front": front,
                "smpp": center.port,
                "logins": logins,
            }
            for name, text in (("bearerbox", BEARERBOX), ("opensmppbox", OPENSMPPBOX)):
                (tmp_path / f"{name}.conf").write_text(text.format(**facts))

            def start_box(name, program):
                conf = str(tmp_path / f"{name}.conf")
                return run_program([program, "-v", "0", conf], tmp_path / f"{name}.log")

            with start_box("bearerbox", kannel_boxes["bearerbox"]):
                with trio.fail_after(PATIENCE):
                    await center.wait_for("bind", status=0)
                await until(lambda: is_listening(boxes), "no bearerbox")
                with start_box("opensmppbox", opensmppbox_program) as box:
                    await until(lambda: is_listening(front), "no opensmppbox")
                    yield Boxes(
                        center, front, lambda: start_box("opensmppbox", opensmppbox_program), box
                    )

    return opened


async def happened(center, event, **facts):
    try:
        with trio.fail_after(PATIENCE):
            return await center.wait_for(event, **facts)
    except trio.TooSlowError:
        raise AssertionError(f"{event} {facts}: {center.events()}") from None


@pytest.mark.parametrize("bind", ["trx", "tx+rx"])
async def test_a_message_goes_and_the_receipt_comes_back(open_boxes, open_gateway, bind):
    async with open_boxes() as boxes, open_gateway(boxes.front, bind=bind) as gateway:
        await gateway.wait_for(LinkEvent, what="bound", times=1 if bind == "trx" else 2)
        outcome = await gateway.submit("hello")
        assert DeliveryState.ACCEPTED is outcome.state
        await happened(boxes.center, "receipt_acknowledged")
        receipts = await gateway.wait_for(ReceiptEvent, state=DeliveryState.DELIVERED)

        assert outcome.message_ids == (receipts[-1].message_id,)
        assert DeliveryState.DELIVERED is gateway.state_of(outcome.message_ref)
        assert ["hello"] == [each.text for each in boxes.center.submitted]
        assert not gateway.told(LinkEvent, what="lost")


async def test_ucs2_goes(open_boxes, open_gateway):
    async with open_boxes() as boxes, open_gateway(boxes.front) as gateway:
        outcome = await gateway.submit(GREEK)
        await gateway.wait_for(ReceiptEvent, state=DeliveryState.DELIVERED)

        assert DeliveryState.DELIVERED is gateway.state_of(outcome.message_ref)
        assert [GREEK] == [each.text for each in boxes.center.submitted]


async def test_a_failure_comes_back(open_boxes, open_gateway):
    handsets = Handsets(
        rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="027", delay=0)]
    )
    async with (
        open_boxes(handsets=handsets) as boxes,
        open_gateway(boxes.front) as gateway,
    ):
        await gateway.submit("hello")
        await gateway.wait_for(ReceiptEvent, state=DeliveryState.FAILED)


@pytest.mark.quirk(
    "opensmppbox", "answers a part before anybody has it; one receipt becomes those of all parts"
)
async def test_a_long_message_goes(open_boxes, open_gateway):
    async with open_boxes() as boxes, open_gateway(boxes.front) as gateway:
        outcome = await gateway.submit(LONG)
        await happened(boxes.center, "submit", times=3)
        await gateway.wait_for(ReceiptEvent, times=3)
        await happened(boxes.center, "receipt_acknowledged")

        assert DeliveryState.ACCEPTED is outcome.state
        assert DeliveryState.DELIVERED is gateway.state_of(outcome.message_ref)
        assert set(outcome.message_ids) == {each.message_id for each in gateway.told(ReceiptEvent)}
        assert LONG == "".join(each.text for each in boxes.center.submitted)
        assert 1 == len([e for e in boxes.center.events() if e.event == "receipt"])


async def test_a_handset_writes(open_boxes, open_gateway):
    async with open_boxes() as boxes, open_gateway(boxes.front) as gateway:
        boxes.center.inject_mo(PHONE, "2580", "YES please")
        (message,) = await gateway.wait_for(InboundMessage)
        await happened(boxes.center, "mo_acknowledged")

        assert ("YES please", "2580") == (message.text, message.destination_addr)


async def test_it_unbinds(open_boxes, open_gateway, tmp_path):
    async with open_boxes() as boxes:
        async with open_gateway(boxes.front) as gateway:
            pass

        assert not gateway.told(LinkEvent, what="lost")
        assert "type_name: unbind_resp" in (tmp_path / "opensmppbox.log").read_text("latin-1")


async def test_it_is_killed_and_comes_back(open_boxes, open_gateway):
    async with open_boxes() as boxes, open_gateway(boxes.front) as gateway:
        await gateway.submit("before", message_ref="before")
        boxes.opensmppbox.kill()
        boxes.opensmppbox.wait()
        await gateway.wait_for(LinkEvent, what="lost")
        ended = []

        async def submit():
            ended.append(await gateway.submit("waiting", message_ref="waiting"))

        gateway.engine.nursery.start_soon(submit)
        with boxes.start_box():
            await gateway.wait_for(LinkEvent, what="bound", times=2)
            after = await gateway.submit("after", message_ref="after")
            await happened(boxes.center, "submit", times=3)

            assert DeliveryState.ACCEPTED is after.state
            assert [DeliveryState.ACCEPTED] == [each.state for each in ended]
            assert ["after", "before", "waiting"] == sorted(
                each.text for each in boxes.center.submitted
            )


async def test_it_hangs_and_is_found_again(open_boxes, open_gateway, session):
    settings = attrs.evolve(
        session, enquire_link_interval=0.5, enquire_link_timeout=1.5, enquire_links_missed=2
    )
    async with open_boxes() as boxes, open_gateway(boxes.front, session=settings) as gateway:
        boxes.opensmppbox.send_signal(signal.SIGSTOP)
        outcome = await gateway.submit("never answered")
        await gateway.wait_for(LinkEvent, what="lost")
        boxes.opensmppbox.send_signal(signal.SIGCONT)
        await gateway.wait_for(LinkEvent, what="bound", times=2)
        after = await gateway.submit("after", message_ref="after")
        await gateway.wait_for(ReceiptEvent, message_ref="after", state=DeliveryState.DELIVERED)

        assert DeliveryState.IN_DOUBT is outcome.state
        assert DeliveryState.ACCEPTED is after.state
        assert 1 == [each.text for each in boxes.center.submitted].count("after")


async def test_both_are_there(open_boxes, open_gateway, session, tmp_path):
    settings = attrs.evolve(session, enquire_link_interval=0.5)
    async with open_boxes() as boxes, open_gateway(boxes.front, session=settings) as gateway:
        log = tmp_path / "opensmppbox.log"

        async def has_answered():
            return log.read_text("latin-1").count("type_name: enquire_link_resp") >= 2

        await until(has_answered, log)
        assert DeliveryState.ACCEPTED is (await gateway.submit()).state
        assert not gateway.told(LinkEvent, what="lost")


@pytest.mark.quirk(
    "opensmppbox", "refuses a wrong password with ESME_RBINDFAIL, as it does all else"
)
async def test_a_wrong_password_is_refused(open_boxes, open_gateway):
    async with (
        open_boxes() as boxes,
        open_gateway(boxes.front, bound=False, password="wrong") as gateway,
    ):
        (refused,) = await gateway.wait_for(LinkEvent, what="refused")

        assert 0x0D == refused.command_status
