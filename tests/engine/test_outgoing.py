"""A message becomes submit_sm PDUs as one carrier wants them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from whiteroute.engine.messages import (
    AddressOptions,
    Message,
    MessageTlv,
    Numbering,
    SubmitOptions,
    TextOptions,
    make_parts,
)
from whiteroute.pdu import (
    EncodeError,
    EsmClass,
    Npi,
    RegisteredDelivery,
    SubmitSm,
    Ton,
    encode,
    join_parts,
    parse_smpp_time,
)

DEFAULT_ADDRESSES = AddressOptions()
DEFAULT_TEXTS = TextOptions()
DEFAULT_SUBMIT = SubmitOptions()
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def write() -> Callable[..., tuple[SubmitSm, ...]]:
    """Write a message under some options."""

    def make(
        addresses: AddressOptions = DEFAULT_ADDRESSES,
        texts: TextOptions = DEFAULT_TEXTS,
        submit: SubmitOptions = DEFAULT_SUBMIT,
        **fields: Any,
    ) -> tuple[SubmitSm, ...]:
        whole = {"to": "+34600111222", "sender": "ACME", "text": "hello"} | fields
        parts = make_parts(
            Message(**whole),
            "34600111222",
            addresses=addresses,
            text=texts,
            submit=submit,
            reference=2**40 + 77,
            now=NOW,
        )
        for part in parts:
            encode(part)
        return parts

    return make


def test_a_short_text_is_one_pdu_with_a_receipt_asked_for(write: Any) -> None:
    (pdu,) = write()

    assert (Ton.ALPHANUMERIC, Npi.UNKNOWN, "ACME") == (
        pdu.source_addr_ton,
        pdu.source_addr_npi,
        pdu.source_addr,
    )
    assert (Ton.INTERNATIONAL, Npi.ISDN, "34600111222") == (
        pdu.dest_addr_ton,
        pdu.dest_addr_npi,
        pdu.destination_addr,
    )
    assert (b"hello", 0, 0, "") == (
        pdu.short_message,
        pdu.data_coding,
        pdu.esm_class,
        pdu.validity_period,
    )
    assert RegisteredDelivery.FINAL == pdu.registered_delivery


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("ACME", (Ton.ALPHANUMERIC, Npi.UNKNOWN, "ACME")),
        ("Café", (Ton.ALPHANUMERIC, Npi.UNKNOWN, "Café")),
        ("12345", (Ton.NETWORK_SPECIFIC, Npi.UNKNOWN, "12345")),
        ("34600000001", (Ton.INTERNATIONAL, Npi.ISDN, "34600000001")),
        ("+34600000001", (Ton.INTERNATIONAL, Npi.ISDN, "34600000001")),
    ],
)
def test_each_kind_of_sender_has_its_numbering(
    write: Any, sender: str, expected: tuple[int, int, str]
) -> None:
    (pdu,) = write(sender=sender)

    assert expected == (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr)


def test_numberings_are_the_profiles(write: Any) -> None:
    options = AddressOptions(alpha=Numbering(7, 9), destination=Numbering(2, 8), plus_sign=True)

    (pdu,) = write(addresses=options)
    (long,) = write(addresses=options, sender="34600000001")

    assert (7, 9) == (pdu.source_addr_ton, pdu.source_addr_npi)
    assert (2, 8, "+34600111222") == (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)
    assert "ACME" == pdu.source_addr
    assert "+34600000001" == long.source_addr


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
def test_a_long_text_comes_back_whole_in_each_mode(write: Any, mode: Any) -> None:
    text = "ärger und " * 40

    parts = write(texts=TextOptions(long_mode=mode), text=text)

    assert text == join_parts(parts)
    assert (1 if mode == "payload" else 3) == len(parts)


def test_the_mode_of_the_esm_class_joins_the_header_bit(write: Any) -> None:
    parts = write(submit=SubmitOptions(esm_mode=3), text="x" * 200)

    assert [EsmClass.UDHI | 3] * 2 == [part.esm_class for part in parts]


@pytest.mark.parametrize(
    ("validity", "expected"),
    [(90.0, timedelta(seconds=90)), (0.2, timedelta(seconds=1)), (31 * 86_400.0, timedelta(31))],
)
def test_a_validity_is_told_as_a_duration(write: Any, validity: float, expected: timedelta) -> None:
    (pdu,) = write(validity=validity)

    assert expected == parse_smpp_time(pdu.validity_period)


def test_a_validity_of_more_than_a_month_is_told_as_a_date(write: Any) -> None:
    (pdu,) = write(validity=40 * 86_400.0)

    assert NOW + timedelta(40) == parse_smpp_time(pdu.validity_period)


def test_a_validity_is_told_as_the_profile_says(write: Any) -> None:
    (absolute,) = write(submit=SubmitOptions(validity="absolute"), validity=90.0)
    (none,) = write(submit=SubmitOptions(validity="none"), validity=90.0)

    assert NOW + timedelta(seconds=90) == parse_smpp_time(absolute.validity_period)
    assert "" == none.validity_period


def test_the_remaining_fields_are_the_profiles(write: Any) -> None:
    (pdu,) = write(
        submit=SubmitOptions(
            service_type="CMT", protocol_id=64, priority_flag=2, registered_delivery=0x11
        )
    )

    assert ("CMT", 64, 2, 0x11) == (
        pdu.service_type,
        pdu.protocol_id,
        pdu.priority_flag,
        pdu.registered_delivery,
    )


def test_overlong_fields_leave_only_where_the_profile_tolerates_them(write: Any) -> None:
    with pytest.raises(EncodeError):
        write(submit=SubmitOptions(service_type="LONGER THAN FIVE"))

    (pdu,) = write(submit=SubmitOptions(service_type="LONGER THAN FIVE", tolerate_overlong=True))

    assert b"LONGER THAN FIVE\0" in encode(pdu)


def test_more_than_255_parts_are_refused(write: Any) -> None:
    with pytest.raises(EncodeError):
        write(text="x" * 153 * 256)


@pytest.mark.parametrize(
    ("prefix", "expected"), [("0", (2, 1, "0600111222")), ("", (2, 1, "600111222"))]
)
def test_numbers_of_the_carriers_own_country_may_be_written_as_there(
    write: Any, prefix: str, expected: tuple[int, int, str]
) -> None:
    options = AddressOptions(national_code="34", national_prefix=prefix, plus_sign=True)

    (pdu,) = write(addresses=options)

    assert expected == (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)


def test_numbers_of_other_countries_are_not_written_in_national_form(write: Any) -> None:
    (pdu,) = write(addresses=AddressOptions(national_code="46", national_prefix="0"))

    assert (1, 1, "34600111222") == (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr)


def test_a_validity_is_cut_to_the_longest_that_the_carrier_takes(write: Any) -> None:
    options = SubmitOptions(max_validity=3600.0)

    told = [write(submit=options, validity=each)[0].validity_period for each in (7200.0, 90.0)]

    assert [timedelta(hours=1), timedelta(seconds=90)] == list(map(parse_smpp_time, told))
    assert "" == write(submit=options)[0].validity_period


def test_a_message_may_replace_the_one_before_it(write: Any) -> None:
    assert [0, 1] == [
        write(submit=SubmitOptions(replace_if_present=each))[0].replace_if_present_flag
        for each in (False, True)
    ]


def test_each_part_carries_the_parameters_that_the_carrier_demands(write: Any) -> None:
    options = SubmitOptions(
        tlvs=(
            MessageTlv(tag=0x1400, value="1101ENTITY", type="c_text"),
            MessageTlv(tag=0x1401, from_tag="template_id"),
            MessageTlv(tag=0x1402, from_tag="other_id"),
        )
    )

    parts = write(
        submit=options,
        texts=TextOptions(long_mode="sar"),
        text="x" * 200,
        tags={"template_id": "7"},
    )

    assert 2 == len(parts)
    for part in parts:
        assert {0x1400: b"1101ENTITY\0", 0x1401: b"7"} == {
            tlv.tag: tlv.value for tlv in part.tlvs if tlv.tag >= 0x1400
        }
    assert "x" * 200 == join_parts(parts)


def test_a_message_without_a_parameter_that_is_required_is_not_written(write: Any) -> None:
    options = SubmitOptions(tlvs=(MessageTlv(tag=0x1401, from_tag="template_id", required=True),))

    with pytest.raises(EncodeError, match="in the tag template_id"):
        write(submit=options)


def test_a_text_is_laid_out_as_the_carrier_wants(write: Any) -> None:
    (pdu,) = write(texts=TextOptions(ucs2="utf-16-le", null_terminated=True), text="да")

    assert ("да".encode("utf-16-le") + b"\0", 8) == (pdu.short_message, pdu.data_coding)
