"""Receipts and texts from handsets: when they come, on which bind, and how often; in virtual time."""

from datetime import UTC, datetime

import pytest
import trio

from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import (
    CommandStatus,
    DataSm,
    DateFormat,
    EncodeError,
    MessageState,
    ReceiptDialect,
    ReceiptForm,
    ReceiptKind,
    Tlv,
    Tlvs,
    TlvTag,
    join_parts,
    make_tlvs,
    parse_receipt,
)
from whiteroute.simulators import Handset, Handsets, MessageCenter, open_message_center

FAILED = Handsets(rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="001")])
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_the_receipt_tells_what_became_of_the_message_and_when(open_esme, autojump_clock):
    center = MessageCenter(handsets=Handsets(median_delay=90.0), started_at=NOON)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (
            await esme.submit(short_message=b"hello, this is a text of some length")
        ).message_id
        await esme.wait_delivered(1)

        (receipt,) = esme.receipts
        assert (message_id, MessageState.DELIVERED, "000") == (
            receipt.message_id,
            receipt.state,
            receipt.err,
        )
        assert b"hello, this is a tex" == receipt.text
        assert ("34600111222", "ACME") == (receipt.source_addr, receipt.destination_addr)
        assert "2611221200" == receipt.submit_date_raw
        assert "2611221201" == receipt.done_date_raw
        assert (1, 1, 5, 0) == (
            esme.delivered[0].source_addr_ton,
            esme.delivered[0].source_addr_npi,
            esme.delivered[0].dest_addr_ton,
            esme.delivered[0].dest_addr_npi,
        )


async def test_it_comes_after_the_handsets_delay(open_esme, autojump_clock):
    center = MessageCenter(handsets=Handsets(median_delay=90.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        submitted_at = trio.current_time()
        await esme.submit()
        await esme.wait_delivered(1)

        assert [pytest.approx(90.0)] == [at - submitted_at for at in esme.arrived_at]


async def test_receipts_come_in_the_order_of_their_fates(open_esme, autojump_clock):
    rules = [Handset(pattern=f"*{digit}", delay=float(digit)) for digit in (1, 2, 3)]
    center = MessageCenter(handsets=Handsets(rules=rules))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for to in ("34600000003", "34600000001", "34600000002", "34600000011"):
            await esme.submit(to)
        await esme.wait_delivered(4)

        assert ["34600000001", "34600000011", "34600000002", "34600000003"] == [
            each.source_addr for each in esme.receipts
        ]


@pytest.mark.parametrize(
    ("registered_delivery", "delivered", "failed"),
    [(0, 0, 0), (1, 1, 1), (2, 0, 1), (3, 1, 0), (4, 0, 0)],
)
async def test_only_receipts_that_were_asked_for_come(
    registered_delivery, delivered, failed, open_esme, autojump_clock
):
    for handsets, times in ((Handsets(), delivered), (FAILED, failed)):
        center = MessageCenter(handsets=handsets)
        async with open_message_center(center, host=None), open_esme(center) as esme:
            await esme.submit(registered_delivery=registered_delivery)
            await trio.sleep(1000)

            assert times == len(esme.receipts)


async def test_an_intermediate_notification_comes_on_the_way_to_a_failure(
    open_esme, autojump_clock
):
    center = MessageCenter(handsets=FAILED)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit(registered_delivery=0x11)
        await esme.wait_delivered(2)

        assert [
            (ReceiptKind.INTERMEDIATE, MessageState.ENROUTE),
            (ReceiptKind.RECEIPT, MessageState.UNDELIVERABLE),
        ] == [(each.kind, each.state) for each in esme.receipts]


async def test_no_notification_comes_for_a_message_cancelled_in_time(
    open_esme, make_submit, autojump_clock
):
    center = MessageCenter(handsets=FAILED)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit(registered_delivery=0x10)
        center.submitted[0].state = MessageState.DELETED
        await trio.sleep(10)

        assert [] == esme.receipts


async def test_receipts_wait_for_a_receiving_bind(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center, "tx") as transmitter:
        message_id = (await transmitter.submit()).message_id
        await trio.sleep(3600)
        assert [] == transmitter.delivered
        assert 1 == center.statistics().deliveries_waiting
        async with (
            open_esme(center, "rx", system_id="stranger") as stranger,
            open_esme(center, "rx") as receiver,
        ):
            await receiver.wait_delivered(1)

            assert [message_id] == [each.message_id for each in receiver.receipts]
            assert [] == stranger.delivered


async def test_receiving_binds_take_turns(open_esme, autojump_clock):
    center = MessageCenter()
    async with (
        open_message_center(center, host=None),
        open_esme(center) as first,
        open_esme(center) as second,
    ):
        for _ in range(10):
            await first.submit()
        await center.wait_for("receipt_acknowledged", times=10)

        assert (5, 5) == (len(first.delivered), len(second.delivered))


async def test_no_more_are_in_flight_than_the_window_allows(open_esme, autojump_clock):
    center = MessageCenter(settings=SessionSettings(window=2, response_timeout=30.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        esme.statuses = [None] * 2
        for _ in range(5):
            await esme.submit()
        await trio.sleep(5)

        assert 2 == len(esme.delivered)
        assert 3 == center.statistics().deliveries_waiting
        await trio.sleep(300)
        assert 7 == len(esme.delivered)
        assert 5 == center.statistics().deliveries_acknowledged


async def test_a_receipt_not_taken_comes_again_at_doubling_intervals(open_esme, autojump_clock):
    center = MessageCenter(retry_delay=5.0)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        esme.statuses = [CommandStatus.ESME_RMSGQFUL] * 3
        await esme.submit()
        await center.wait_for("receipt_acknowledged")

        first = esme.arrived_at[0]
        assert [0, 5, 15, 35] == [round(at - first) for at in esme.arrived_at]
        assert 1 == len({each.short_message for each in esme.delivered})
        assert 4 == len({each.sequence_number for each in esme.delivered})
        assert (4, 1) == (
            center.submitted[0].receipts_sent,
            center.submitted[0].receipts_acknowledged,
        )
        failures = await center.wait_for("delivery_failed", times=3)
        assert {CommandStatus.ESME_RMSGQFUL} == {each.status for each in failures}


async def test_after_the_last_attempt_a_receipt_is_given_up(open_esme, autojump_clock):
    center = MessageCenter(attempts=3)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        esme.statuses = [CommandStatus.ESME_RX_P_APPN] * 3
        await esme.submit()
        await center.wait_for("delivery_given_up")
        await trio.sleep(10_000)

        assert 3 == len(esme.delivered)
        assert 0 == center.statistics().due


async def test_a_receipt_in_flight_when_the_link_ends_comes_on_the_next_bind(
    open_esme, autojump_clock
):
    center = MessageCenter()
    async with open_message_center(center, host=None):
        async with open_esme(center) as esme:
            esme.statuses = [None]
            message_id = (await esme.submit()).message_id
            await esme.wait_delivered(1)
        async with open_esme(center, "rx") as receiver:
            await receiver.wait_delivered(1)

            assert [message_id] == [each.message_id for each in receiver.receipts]


async def test_an_answer_that_comes_late_stops_the_repetition(open_esme, autojump_clock):
    settings = SessionSettings(response_timeout=10.0)
    center = MessageCenter(settings=settings, retry_delay=60.0)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        esme.statuses = [None]
        await esme.submit()
        await esme.wait_delivered(1)
        await trio.sleep(20)
        (receipt,) = esme.delivered
        response = bytes.fromhex("00000011 80000005 00000000")
        esme.link.send_unchecked(response + receipt.sequence_number.to_bytes(4, "big") + b"\0")
        await center.wait_for("receipt_acknowledged")
        await trio.sleep(1000)

        assert 1 == len(esme.delivered)


async def test_a_late_refusal_changes_nothing(open_esme, autojump_clock):
    center = MessageCenter(settings=SessionSettings(response_timeout=10.0), retry_delay=60.0)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        esme.statuses = [None]
        await esme.submit()
        await esme.wait_delivered(1)
        await trio.sleep(20)
        number = esme.delivered[0].sequence_number
        esme.link.send_unchecked(
            bytes.fromhex("00000011 80000005 00000008") + number.to_bytes(4, "big") + b"\0"
        )
        await center.wait_for("receipt_acknowledged")

        assert 2 == len(esme.delivered)


async def test_beyond_what_may_wait_receipts_are_given_up(open_esme, autojump_clock):
    center = MessageCenter(waiting_limit=2)
    async with open_message_center(center, host=None), open_esme(center, "tx") as esme:
        for _ in range(3):
            await esme.submit()
        await center.wait_for("delivery_given_up")

        assert 2 == center.statistics().deliveries_waiting


async def test_a_centre_opened_again_remembers_what_it_owes(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center, "tx") as esme:
        message_id = (await esme.submit()).message_id
        await trio.sleep(1)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.wait_delivered(1)

        assert [message_id] == [each.message_id for each in esme.receipts]


# Dialects.


async def _receipt_under(dialect, open_esme, **fields):
    center = MessageCenter(receipt=dialect, handsets=FAILED)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        response = await esme.submit(**fields)
        (pdu,) = await esme.wait_delivered(1)
        receipt = parse_receipt(pdu, dialect)
        assert receipt is not None
        assert response.message_id == receipt.message_id
        assert MessageState.UNDELIVERABLE == receipt.state
        return pdu, receipt


async def test_a_dialect_decides_how_receipts_are_written(open_esme, autojump_clock):
    dialect = ReceiptDialect(
        date_format=DateFormat.SECONDS,
        err_width=4,
        where="message_payload",
        tlvs=("receipted_message_id", "message_state", "network_error_code"),
    )
    pdu, receipt = await _receipt_under(dialect, open_esme)

    assert b"" == pdu.short_message
    assert b"\x03\x00\x01" == pdu.tlvs.first(TlvTag.NETWORK_ERROR_CODE)
    assert ("0001", 12) == (receipt.err, len(receipt.done_date_raw))


async def test_receipts_may_come_as_data_sm(open_esme, autojump_clock):
    pdu, _ = await _receipt_under(ReceiptDialect(operation="data_sm"), open_esme)

    assert isinstance(pdu, DataSm)


async def test_receipts_may_be_tlvs_alone(open_esme, autojump_clock):
    pdu, _ = await _receipt_under(ReceiptDialect(form=ReceiptForm.TLV_ONLY), open_esme)

    assert b"" == pdu.short_message


@pytest.mark.parametrize("sender", ["ACME", "MY SHOP", "a,b"])
async def test_a_sender_that_columns_cannot_hold_is_left_out(sender, open_esme, autojump_clock):
    pdu, _ = await _receipt_under(
        ReceiptDialect(form=ReceiptForm.CSV), open_esme, source_addr=sender
    )

    assert (sender.encode() in pdu.short_message) == (sender == "ACME")


@pytest.mark.parametrize(
    "fields",
    [
        {"short_message": b"id:1 stat:DELIVRD"},
        {"short_message": b"\x05\x00\x03\x01\x02\x01id:1", "esm_class": 0x40},
        {"short_message": b"", "tlvs": make_tlvs(message_payload=b"id:1")},
        {"short_message": b""},
        {"tlvs": Tlvs.of(Tlv(TlvTag.MESSAGE_PAYLOAD, b"both"))},
    ],
)
async def test_no_text_can_break_a_receipt(fields, open_esme, autojump_clock):
    labels = ("id", "sub", "dlvrd", "submit date", "done date", "text", "stat", "err")

    await _receipt_under(ReceiptDialect(), open_esme, **fields)
    await _receipt_under(ReceiptDialect(labels=labels, labels_after_text=True), open_esme, **fields)


async def test_a_dialect_that_cannot_be_written_is_the_tests_own_fault(open_esme, autojump_clock):
    center = MessageCenter(receipt=ReceiptDialect(stat_map={"NOT OK": MessageState.DELIVERED}))

    with pytest.RaisesGroup(EncodeError, flatten_subgroups=True):
        async with open_message_center(center, host=None), open_esme(center) as esme:
            await esme.submit()
            await trio.sleep(10)


# Texts from handsets.


async def test_a_long_text_from_a_handset_comes_in_parts(open_esme, autojump_clock):
    center = MessageCenter()
    text = "a long text from a handset, longer than one " * 8
    async with open_message_center(center, host=None), open_esme(center) as esme:
        parts = center.inject_mo("+34600111222", "5555", text)
        await center.wait_for("mo_acknowledged", times=parts)

        assert parts == len(esme.delivered) == 3
        assert text == join_parts(esme.delivered)
        assert {("34600111222", "5555", 0x40)} == {
            (each.source_addr, each.destination_addr, each.esm_class) for each in esme.delivered
        }
        (event, *_) = await center.wait_for("mo", to="5555")
        assert text.startswith(event.text)


async def test_texts_of_two_handsets_have_other_references(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for _ in range(2):
            center.inject_mo("34600111222", "ACME", "x" * 161)
        await esme.wait_delivered(4)

        assert 2 == len({each.short_message[:4] for each in esme.delivered})
        assert {(1, 1, 5, 0)} == {
            (e.source_addr_ton, e.source_addr_npi, e.dest_addr_ton, e.dest_addr_npi)
            for e in esme.delivered
        }


async def test_a_text_goes_to_the_account_named_or_to_one_that_can_receive(
    open_esme, autojump_clock
):
    center = MessageCenter()
    async with (
        open_message_center(center, host=None),
        open_esme(center, "tx", system_id="sender"),
        open_esme(center, system_id="reader") as reader,
        open_esme(center, system_id="other") as other,
    ):
        center.inject_mo("34600111222", "5555", "to whom it may concern")
        center.inject_mo("34600111222", "5555", "to you", account="other")
        await center.wait_for("mo_acknowledged", times=2)

        assert ["to whom it may concern"] == [join_parts((each,)) for each in reader.delivered]
        assert ["to you"] == [join_parts((each,)) for each in other.delivered]


async def test_a_text_for_nobody_known_is_an_error(autojump_clock):
    async with open_message_center(MessageCenter(), host=None) as center:
        with pytest.raises(ValueError, match="expected one of those that bind"):
            center.inject_mo("34600111222", "5555", "anybody there?")
        with pytest.raises(ValueError, match="account: acme"):
            center.inject_mo("34600111222", "5555", "anybody there?", account="acme")


async def test_an_address_too_long_for_the_wire_is_an_error_here(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center),
    ):
        with pytest.raises(EncodeError):
            center.inject_mo("3" * 30, "5555", "hello")


@pytest.mark.parametrize(
    ("data_coding", "octets", "quoted"),
    [
        (0, b"plain", b"plain"),
        (4, b"plain", b"plain"),
        (8, "ναι, yes".encode("utf-16-be"), b"???, yes"),
        (3, "café".encode("latin-1"), b"caf?"),
        (0, b"caf\xe9", b"caf?"),
    ],
)
async def test_a_receipt_quotes_what_its_own_data_coding_can_say(
    open_esme, autojump_clock, data_coding, octets, quoted
):
    """It is in data_coding 0, and a client that cannot read it may answer as if it never came."""
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit(data_coding=data_coding, short_message=octets)
        (delivered,) = await esme.wait_delivered(1)

    assert delivered.short_message.endswith(b" text:" + quoted)
