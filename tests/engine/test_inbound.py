"""What a carrier delivers becomes a record, with every octet kept."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from whiteroute.engine.messages import (
    GENERIC_ERRORS,
    Canonical,
    ErrorRule,
    ErrorSpaces,
    InboundArrived,
    InboundReader,
    ReceiptArrived,
    ReceiptNews,
    TextOptions,
)
from whiteroute.pdu import (
    Alphabet,
    DataSm,
    DeliverSm,
    MessageIdKind,
    MessageIdRule,
    MessageState,
    ReceiptDialect,
    encode,
    make_tlvs,
)


@pytest.fixture
def reader() -> Callable[..., InboundReader]:
    """Make a reader, with some of its profile replaced."""

    def make(**changes: Any) -> InboundReader:
        facts = {
            "carrier": "acme",
            "dialect": ReceiptDialect(),
            "message_id_rule": MessageIdRule(),
            "errors": GENERIC_ERRORS,
        }
        return InboundReader(**(facts | changes))

    return make


def a_receipt(stat: str = "DELIVRD", err: str = "000", **fields: Any) -> DeliverSm:
    text = (
        "id:00FF sub:001 dlvrd:001 submit date:2611221200 done date:261122120130"
        f" stat:{stat} err:{err} text:hello"
    )
    return DeliverSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=4,
        short_message=text.encode(),
        **fields,
    )


def read(reader: InboundReader, pdu: DeliverSm | DataSm) -> ReceiptArrived | InboundArrived:
    return reader.read(pdu, link="acme/1", received_at=7, inbound_ref="i-1")


def instant(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def test_a_receipt_is_read_whole(reader: Any) -> None:
    pdu = a_receipt()

    record = read(reader(), pdu)

    assert isinstance(record, ReceiptArrived)
    assert ("acme", "00FF", "00FF") == (record.carrier, record.message_id, record.message_id_key)
    assert (ReceiptNews.FINAL, MessageState.DELIVERED) == (
        record.receipt_kind,
        record.message_state,
    )
    assert ("DELIVRD", "000", b"") == (record.stat, record.err, record.network_error_code)
    assert (instant(2026, 11, 22, 12), instant(2026, 11, 22, 12, 1, 30)) == (
        record.submit_date_at,
        record.done_date_at,
    )
    assert ("34600111222", "ACME") == (record.source_addr, record.destination_addr)
    assert (7, "acme/1", encode(pdu)) == (record.received_at, record.link, record.octets)
    assert record.error is not None
    assert Canonical.NONE is record.error.canonical


def test_the_key_is_made_by_the_profiles_rule(reader: Any) -> None:
    rule = MessageIdRule(kind=MessageIdKind.HEX)

    record = read(reader(message_id_rule=rule), a_receipt())

    assert ("00FF", "255") == (record.message_id, record.message_id_key)


def test_an_error_is_mapped_by_the_profiles_rules(reader: Any) -> None:
    spaces = ErrorSpaces(rules=(ErrorRule(err="0B6", canonical=Canonical.BARRED),))

    record = read(reader(errors=spaces), a_receipt("UNDELIV", "0B6"))

    assert Canonical.BARRED is record.error.canonical
    assert ("UNDELIV", "0B6") == (record.error.stat, record.error.err)


def test_a_network_error_code_is_kept_and_mapped(reader: Any) -> None:
    pdu = a_receipt("UNDELIV", "000", tlvs=make_tlvs(network_error_code=b"\x03\x00\x01"))

    record = read(reader(), pdu)

    assert b"\x03\x00\x01" == record.network_error_code == record.error.network_error_code


def test_an_interim_state_does_not_close(reader: Any) -> None:
    record = read(reader(), a_receipt("ENROUTE"))

    assert (ReceiptNews.INTERMEDIATE, MessageState.ENROUTE) == (
        record.receipt_kind,
        record.message_state,
    )


def test_a_receipt_of_tlvs_alone_is_one(reader: Any) -> None:
    pdu = DataSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=4,
        tlvs=make_tlvs(receipted_message_id="77", message_state=5),
    )

    record = read(reader(), pdu)

    assert ("77", MessageState.UNDELIVERABLE, None, None) == (
        record.message_id,
        record.message_state,
        record.submit_date_at,
        record.done_date_at,
    )


@pytest.mark.parametrize("esm_class", [0x08, 0x10])
def test_an_acknowledgement_of_a_handset_closes_nothing(reader: Any, esm_class: int) -> None:
    pdu = a_receipt()
    pdu.esm_class = esm_class

    record = read(reader(), pdu)

    assert ReceiptNews.ACK is record.receipt_kind


def test_a_text_from_a_handset_is_a_message(reader: Any) -> None:
    pdu = DeliverSm(source_addr="34600111222", destination_addr="12345", short_message=b"stop")

    record = read(reader(), pdu)

    assert isinstance(record, InboundArrived)
    assert ("i-1", "acme", "34600111222", "12345", "stop", 0, 7, "acme/1") == (
        record.inbound_ref,
        record.carrier,
        record.source_addr,
        record.destination_addr,
        record.text,
        record.data_coding,
        record.received_at,
        record.link,
    )
    assert encode(pdu) == record.octets
    assert "stop" not in repr(record)
    assert "34600111222" not in repr(record)


def test_data_coding_0_is_read_as_the_profile_says(reader: Any) -> None:
    pdu = DeliverSm(source_addr="1", destination_addr="2", short_message="§".encode("latin-1"))

    record = read(reader(text=TextOptions(default=Alphabet.LATIN1)), pdu)

    assert "§" == record.text
