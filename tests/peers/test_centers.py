"""The engine holds binds to strangers' message centres, and loses and doubles nothing there."""

from contextlib import AsyncExitStack

import attrs
import pytest
import trio

from whiteroute.engine.messages import DeliveryState
from whiteroute.engine.service import InboundMessage, LinkEvent, ReceiptEvent

LONG = "The train to Segovia is late. " * 12
GREEK = "Το τρένο για τη Σεγόβια έχει καθυστέρηση 🚆"

QUICK = {"enquire_link_interval": 0.1, "enquire_link_timeout": 0.2, "enquire_links_missed": 2}
"""Settings of a session that soon sees that nobody is there."""


def text_of(submits):
    """What a centre read, by rules that are not ours: ASCII is itself in GSM 03.38."""
    texts = []
    for facts in submits:
        if "text" in facts:
            texts.append(facts["text"])
            continue
        octets = bytes.fromhex(facts["octets"])
        if facts["esm_class"] & 0x40:
            octets = octets[1 + octets[0] :]
        texts.append(octets.decode("utf-16-be" if facts["data_coding"] == 8 else "ascii"))
    # A surrogate pair may be parted by strangers, never by us.
    return "".join(texts)


def in_order(submits):
    """By the number of the part, the last octet of the header; a centre may take them as it likes."""

    def number(facts):
        return int((facts.get("udh") or facts["octets"])[10:12], 16)

    return sorted(submits, key=number) if len(submits) > 1 else submits


async def send_receipt(center, submitted, stat="DELIVRD", err="000"):
    text = (
        f"id:{submitted['message_id']} sub:001 dlvrd:001 submit date:2611221200"
        f" done date:2611221201 stat:{stat} err:{err} text:"
    )
    await center.do(
        "deliver",
        source=submitted["destination"],
        destination=submitted["source"],
        octets=text.encode().hex(),
        data_coding=0,
        esm_class=0x04,
    )


async def send_mo(center, octets, data_coding=0):
    await center.wait_for("bound", receives=True)
    await center.do(
        "deliver",
        source="34600999888",
        destination="ACME",
        octets=octets.hex(),
        data_coding=data_coding,
        esm_class=0,
    )


@pytest.mark.parametrize(("bind", "binds"), [("trx", 1), ("tx+rx", 2)])
async def test_it_is_bound_to_and_unbound_from(center, open_gateway, bind, binds):
    async with open_gateway(center.port, bind=bind) as gateway:
        await gateway.wait_for(LinkEvent, what="bound", times=binds)
        await center.wait_for("bound", times=binds)

    await center.wait_for("unbind", times=binds)
    assert not gateway.told(LinkEvent, what="lost")


@pytest.mark.parametrize("bind", ["trx", "tx+rx"])
@pytest.mark.parametrize(
    ("text", "parts"),
    [("hello", 1), (LONG, 3), (GREEK, 1), (4 * GREEK, 3)],
    ids=["short", "long", "short-ucs2", "long-ucs2"],
)
async def test_a_message_goes_and_its_receipts_come(
    center, center_program, open_gateway, bind, text, parts
):
    async with open_gateway(center.port, bind=bind) as gateway:
        await gateway.wait_for(LinkEvent, what="bound", times=1 if bind == "trx" else 2)
        outcome = await gateway.submit(text)
        submits = await center.wait_for("submit", times=parts)
        for submitted in submits:
            await send_receipt(center, submitted)
        receipts = await gateway.wait_for(ReceiptEvent, times=parts)
        if bind == "trx" or "read_answers_of_receivers" not in center_program.cannot:
            await center.wait_for("delivered", times=parts, status=0)

        submits = in_order(submits)
        assert DeliveryState.ACCEPTED is outcome.state
        assert outcome.message_ids == tuple(each["message_id"] for each in submits)
        assert text == text_of(submits)
        assert {("ACME", "34600111222")} == {(s["source"], s["destination"]) for s in submits}
        assert set(outcome.message_ids) == {each.message_id for each in receipts}
        assert DeliveryState.DELIVERED is receipts[-1].state
        assert DeliveryState.DELIVERED is gateway.state_of(outcome.message_ref)


async def test_a_failure_is_told_with_its_code(center, open_gateway):
    async with open_gateway(center.port) as gateway:
        outcome = await gateway.submit()
        (submitted,) = await center.wait_for("submit")
        await send_receipt(center, submitted, stat="UNDELIV", err="027")
        (receipt,) = await gateway.wait_for(ReceiptEvent)

        assert (DeliveryState.FAILED, "027") == (receipt.state, receipt.err)
        assert outcome.message_ref == receipt.message_ref


@pytest.mark.parametrize(
    ("octets", "data_coding", "text"),
    [(b"YES please", 0, "YES please"), ("ναι 🚆".encode("utf-16-be"), 8, "ναι 🚆")],
    ids=["gsm", "ucs2"],
)
async def test_a_handset_writes(center, open_gateway, octets, data_coding, text):
    async with open_gateway(center.port) as gateway:
        await send_mo(center, octets, data_coding)
        (message,) = await gateway.wait_for(InboundMessage)
        await center.wait_for("delivered", status=0)

        assert (text, "34600999888", "ACME") == (
            message.text,
            message.source_addr,
            message.destination_addr,
        )


async def test_both_ask_whether_the_other_is_there(center, open_gateway, center_program, session):
    settings = attrs.evolve(session, enquire_link_interval=0.05)
    async with open_gateway(center.port, session=settings) as gateway:
        if "hear_enquiry" not in center_program.cannot:
            await center.wait_for("enquired", times=3)
        if "enquire" not in center_program.cannot:
            await center.wait_for("bound")
            await center.do("enquire")
            await center.wait_for("alive", status=0)
        outcome = await gateway.submit()

        assert DeliveryState.ACCEPTED is outcome.state
        assert not gateway.told(LinkEvent, what="lost")


async def test_a_centre_that_unbinds_is_bound_to_again(center, open_gateway):
    async with open_gateway(center.port) as gateway:
        await center.wait_for("bound")
        await center.do("unbind")
        await center.wait_for("unbound")
        await gateway.wait_for(LinkEvent, what="lost")
        await gateway.wait_for(LinkEvent, what="bound", times=2)

        assert DeliveryState.ACCEPTED is (await gateway.submit()).state


async def test_a_refusal_is_told_and_the_bind_stays(center, open_gateway):
    async with open_gateway(center.port) as gateway:
        await center.do("refuse", status=0x0B)
        await center.wait_for("refusing")
        outcome = await gateway.submit()

        assert DeliveryState.REFUSED is outcome.state
        assert 0x0B == outcome.error.command_status
        assert not gateway.told(LinkEvent, what="lost")


@pytest.mark.only("smpp.twisted3", "node-smpp", "Net::SMPP")
async def test_a_wrong_password_stops_the_bind(center, open_gateway):
    async with open_gateway(center.port, bound=False, password="wrong") as gateway:
        (stopped,) = await gateway.wait_for(LinkEvent, what="stopped")

        assert "ESME_RINVPASWD" in stopped.cause
        assert 0x0E == stopped.command_status


async def test_a_centre_is_killed_and_comes_back(center_program, open_center, open_gateway):
    """What was answered stays, what was out is in doubt, what waited goes: each once."""
    center_program.require()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(open_center(center_program))
        gateway = await stack.enter_async_context(open_gateway(first.port))
        answered = await gateway.submit("answered", message_ref="answered")
        await first.do("hold")
        await first.wait_for("holding")
        ended = {}

        async def submit(name):
            ended[name] = await gateway.submit(name, message_ref=name)

        nursery = gateway.engine.nursery
        for number in range(5):
            nursery.start_soon(submit, f"out-{number}")
        await first.wait_for("held", times=5)
        await first.kill()
        await gateway.wait_for(LinkEvent, what="lost")
        for number in range(3):
            nursery.start_soon(submit, f"waiting-{number}")

        second = await stack.enter_async_context(open_center(center_program, first.port))
        await gateway.wait_for(LinkEvent, what="bound", times=2)
        arrived = await second.wait_for("submit", times=3)
        after = await gateway.submit("after", message_ref="after")

        assert {"waiting-0", "waiting-1", "waiting-2"} == {text_of([each]) for each in arrived}
        assert 4 == len(await second.wait_for("submit", times=4))
        assert {"out-0", "out-1", "out-2", "out-3", "out-4"} <= ended.keys()
        for name, outcome in ended.items():
            doubtful = name.startswith("out")
            expected = DeliveryState.IN_DOUBT if doubtful else DeliveryState.ACCEPTED
            assert expected is outcome.state, name
            assert expected is gateway.state_of(name), name
        assert DeliveryState.ACCEPTED is answered.state
        assert DeliveryState.ACCEPTED is after.state


async def test_a_centre_that_hangs_is_left_and_found_again(center, open_gateway, session):
    """Only silence ends a bind; what was out then is in doubt and is not sent again."""
    settings = attrs.evolve(session, **QUICK)
    async with open_gateway(center.port, session=settings) as gateway:
        center.stop()
        outcome = await gateway.submit("never answered")
        (lost,) = await gateway.wait_for(LinkEvent, what="lost")
        center.go_on()
        await gateway.wait_for(LinkEvent, what="bound", times=2)
        after = await gateway.submit("after")

        assert "SILENCE" in lost.cause
        assert DeliveryState.IN_DOUBT is outcome.state
        assert DeliveryState.ACCEPTED is after.state

        # It read the first one when it went on, and had nobody to answer any more.
        def texts():
            return [text_of([each]) for each in center.said("submit")]

        await center.wait_until(lambda: "after" in texts(), "the second message")
        assert 1 == texts().count("after")
        assert texts().count("never answered") <= 1


# Ways of single peers.


@pytest.mark.only("smpp34")
@pytest.mark.quirk(
    "smpp34", "server: nacks the deliver_sm_resp of a receiver, and fails its own deliver_sm"
)
async def test_smpp34_nacks_the_answers_of_a_receiver(center, open_gateway, session):
    settings = attrs.evolve(session, enquire_link_interval=0.1)
    async with open_gateway(center.port, bind="tx+rx", session=settings) as gateway:
        await gateway.wait_for(LinkEvent, what="bound", times=2)
        for times in (1, 2, 3):
            await gateway.submit()
            await send_receipt(center, (await center.wait_for("submit", times=times))[-1])
            await gateway.wait_for(ReceiptEvent, times=times)

        # The receipts count, the binds stay; and it does think that we have refused.
        assert not gateway.told(LinkEvent, what="lost")
        assert not center.said("delivered")


@pytest.mark.only("smpp34")
@pytest.mark.quirk("smpp34", "server: hands the messages of one bind over in any order")
async def test_smpp34_takes_messages_in_any_order(center, open_gateway):
    """Each has its own answer all the same."""
    async with open_gateway(center.port) as gateway:
        outcomes = {}

        async def submit(text):
            outcomes[text] = await gateway.submit(text)

        texts = {f"message {number}" for number in range(50)}
        async with trio.open_nursery() as nursery:
            for text in texts:
                nursery.start_soon(submit, text)
        submits = await center.wait_for("submit", times=50)

        assert texts == {text_of([each]) for each in submits}
        for each in submits:
            assert outcomes[text_of([each])].message_ids == (each["message_id"],)


@pytest.mark.only("smpp34")
@pytest.mark.quirk("smpp34", "server: takes every bind, its Python side asks nobody for a password")
async def test_smpp34_takes_any_password(center, open_gateway):
    async with open_gateway(center.port, password="wrong") as gateway:
        assert DeliveryState.ACCEPTED is (await gateway.submit()).state


@pytest.mark.only("node-smpp")
@pytest.mark.quirk("node-smpp", "server: deaf for ever after one PDU that it cannot decode")
async def test_a_deaf_node_smpp_is_left_by_its_silence(center, open_gateway, session):
    settings = attrs.evolve(session, **QUICK)
    async with open_gateway(center.port, session=settings) as gateway:
        await center.do("garble")
        await center.wait_for("error")
        outcome = await gateway.submit("never heard")
        await gateway.wait_for(LinkEvent, what="lost")
        await gateway.wait_for(LinkEvent, what="bound", times=2)

        assert DeliveryState.IN_DOUBT is outcome.state
        assert DeliveryState.ACCEPTED is (await gateway.submit("heard")).state
        assert ["heard"] == [each["text"] for each in await center.wait_for("submit")]
