"""Strangers' ESMEs bind to a message centre of ours, submit, and get their receipts and replies."""

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

PHONE = "34600111222"
PATIENCE = 20.0
ACCOUNT = Account(system_id="acme", password="secret")
AT_ONCE = Handsets(median_delay=0)
GREEK = "Το τρένο έχει καθυστέρηση 🚆"
LONG = "The train to Segovia is late. " * 12


@pytest.fixture
def our_center():
    return MessageCenter(accounts=(ACCOUNT,), handsets=AT_ONCE)


async def happened(center, event, **facts):
    """Wait until something has happened at our centre."""
    try:
        with trio.fail_after(PATIENCE):
            return await center.wait_for(event, **facts)
    except trio.TooSlowError:
        raise AssertionError(f"{event} {facts}: {center.events()}") from None


async def submit(esme, text="hello", to=PHONE):
    await esme.do("submit", source="ACME", destination=to, text=text)


@pytest.mark.parametrize("mode", ["trx", "tx", "rx"])
async def test_it_binds_and_unbinds(our_center, open_esme, mode):
    async with open_message_center(our_center), open_esme(our_center, mode) as esme:
        await esme.do("unbind")
        await esme.wait_for("unbound")
        await happened(our_center, "unbind")

        assert not [each for each in our_center.events() if each.event in ("close", "refused")]


@pytest.mark.parametrize("text", ["hello", GREEK], ids=["gsm", "ucs2"])
async def test_its_message_goes_and_the_receipt_comes(our_center, open_esme, text):
    async with open_message_center(our_center), open_esme(our_center) as esme:
        await submit(esme, text)
        (response,) = await esme.wait_for("response", status=0)
        (receipt,) = await esme.wait_for("delivered", receipt=True)
        await happened(our_center, "receipt_acknowledged")

    message_id = response["message_id"]
    (submission,) = our_center.submitted
    assert (message_id, text) == (submission.message_id, submission.text)
    assert ("ACME", PHONE) == (submission.source_addr, submission.destination_addr)
    assert (PHONE, "ACME") == (receipt["source"], receipt["destination"])
    assert receipt["text"].startswith(f"id:{message_id} sub:001 dlvrd:001 submit date:")
    assert "stat:DELIVRD err:000" in receipt["text"]
    assert receipt["message_id"] in ("", message_id)


async def test_it_is_told_of_a_failure(our_center, open_esme):
    our_center.handsets = Handsets(
        rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="027", delay=0)]
    )
    async with open_message_center(our_center), open_esme(our_center) as esme:
        await submit(esme)
        (receipt,) = await esme.wait_for("delivered", receipt=True)
        await happened(our_center, "receipt_acknowledged")

    assert "stat:UNDELIV err:027" in receipt["text"]


async def test_a_receiver_gets_what_a_transmitter_sent(our_center, open_esme):
    async with (
        open_message_center(our_center),
        open_esme(our_center, "tx") as sender,
        open_esme(our_center, "rx") as receiver,
    ):
        await submit(sender)
        (response,) = await sender.wait_for("response", status=0)
        (receipt,) = await receiver.wait_for("delivered", receipt=True)
        await happened(our_center, "receipt_acknowledged")

        assert f"id:{response['message_id']} " in receipt["text"]
        assert not sender.said("delivered")


@pytest.mark.parametrize(
    ("text", "parts"), [("YES please", 1), (GREEK, 1), (LONG, 3)], ids=["gsm", "ucs2", "long"]
)
async def test_a_handset_writes_to_it(our_center, open_esme, text, parts):
    async with open_message_center(our_center), open_esme(our_center) as esme:
        our_center.inject_mo(PHONE, "2580", text)
        times = 1 if "see_parts" in esme.program.cannot else parts
        delivered = await esme.wait_for("delivered", receipt=False, times=times)
        await happened(our_center, "mo_acknowledged", times=parts)

    ordered = sorted(delivered, key=lambda each: each["part"])
    assert text == "".join(each["text"] for each in ordered)
    assert {(PHONE, "2580")} == {(each["source"], each["destination"]) for each in delivered}


async def test_it_reads_a_refused_bind(our_center, open_esme, esme_program):
    status = -1 if "read_refused_bind" in esme_program.cannot else 0x0E
    async with (
        open_message_center(our_center),
        open_esme(our_center, password="wrong", status=status),
    ):
        await happened(our_center, "bind", status=0x0E)


async def test_it_reads_a_refusal_and_goes_on(our_center, open_esme):
    our_center.behaviours = (behaviours.RefuseSubmits(status=0x0B),)
    async with open_message_center(our_center), open_esme(our_center) as esme:
        await submit(esme, "refused")
        await esme.wait_for("response", status=0x0B)
        our_center.behaviours = ()
        await submit(esme, "taken")
        await esme.wait_for("response", status=0)
        await esme.wait_for("delivered", receipt=True)

        assert "taken" == our_center.submitted[-1].text


async def test_it_says_that_it_is_there(our_center, open_esme):
    settings = attrs.evolve(our_center.settings, enquire_link_interval=0.1)
    center = MessageCenter(accounts=(ACCOUNT,), handsets=AT_ONCE, settings=settings)
    async with open_message_center(center), open_esme(center) as esme:
        if "hear_enquiry" not in esme.program.cannot:
            await esme.wait_for("enquired", times=3)
        await submit(esme)
        await esme.wait_for("delivered", receipt=True)

        assert not [each for each in center.events() if each.event == "close"]


async def test_it_reads_octet_by_octet(our_center, open_esme):
    our_center.behaviours = (behaviours.OneOctetSegments(),)
    async with open_message_center(our_center), open_esme(our_center) as esme:
        await submit(esme)
        await esme.wait_for("response", status=0)
        await esme.wait_for("delivered", receipt=True)
        await happened(our_center, "receipt_acknowledged")


async def test_many_messages_and_their_receipts(our_center, open_esme):
    """Each response with its own id, each receipt once."""
    async with open_message_center(our_center), open_esme(our_center) as esme:
        for number in range(100):
            await submit(esme, f"message {number}")
        responses = await esme.wait_for("response", status=0, times=100)
        receipts = await esme.wait_for("delivered", receipt=True, times=100)
        await happened(our_center, "receipt_acknowledged", times=100)

    ids = {each["message_id"] for each in responses}
    assert 100 == len(ids) == len(receipts)
    assert ids == {each["text"].removeprefix("id:").partition(" ")[0] for each in receipts}
    assert ids == {each.message_id for each in our_center.submitted}


async def test_the_command_serves_it_too(simulate, open_esme):
    async with open_esme(simulate) as esme:
        await submit(esme)
        (response,) = await esme.wait_for("response", status=0)
        await esme.wait_for("delivered", receipt=True)
        message_id = response["message_id"]
        await simulate.peer.wait_for("submit", message_id=message_id, text="hello")
        await simulate.peer.wait_for("receipt_acknowledged", message_id=message_id)
        await esme.do("unbind")
        await simulate.peer.wait_for("unbind", account="acme")


# Ways of single peers.


@pytest.mark.only("smpp34")
@pytest.mark.quirk("smpp34", "client: tells a refused bind as one that timed out")
async def test_smpp34_is_not_told_why(our_center, open_esme):
    async with (
        open_message_center(our_center),
        open_esme(our_center, password="wrong", status=-1) as esme,
    ):
        await happened(our_center, "bind", status=0x0E)

        assert "timed out" in esme.said("bound")[0]["error"]


@pytest.mark.only("aiosmpplib")
@pytest.mark.quirk("aiosmpplib", "client: joins the parts of a message from a handset itself")
async def test_aiosmpplib_joins_parts(our_center, open_esme):
    async with open_message_center(our_center), open_esme(our_center) as esme:
        assert 3 == our_center.inject_mo(PHONE, "2580", LONG)
        await happened(our_center, "mo_acknowledged", times=3)
        (delivered,) = await esme.wait_for("delivered")

        assert LONG == delivered["text"]


@pytest.mark.only("aiosmpplib")
@pytest.mark.quirk(
    "aiosmpplib", "client: nacks an empty message with status 0; the centre must not believe it"
)
async def test_an_empty_message_is_no_success(our_center, open_esme):
    async with open_message_center(our_center), open_esme(our_center) as esme:
        our_center.inject_mo(PHONE, "2580", "")
        await happened(our_center, "delivery_failed")
        our_center.inject_mo(PHONE, "2580", "not empty")
        await esme.wait_for("delivered", text="not empty")
        await happened(our_center, "mo_acknowledged")

    failed = [each for each in our_center.events() if each.event == "mo_acknowledged"]
    assert ["not empty"] == [each.text for each in failed]


@pytest.mark.only("node-smpp")
@pytest.mark.quirk("node-smpp", "client: sends GSM 03.38 octets and calls them data_coding 1")
async def test_node_smpp_sends_gsm_as_ascii(our_center, open_esme):
    async with open_message_center(our_center), open_esme(our_center) as esme:
        await submit(esme, "[10 €]")
        await esme.wait_for("response", status=0)

    (submission,) = our_center.submitted
    assert 1 == submission.request.data_coding
    assert b"\x1b<10 \x1be\x1b>" == submission.request.short_message
