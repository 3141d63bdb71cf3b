"""What is covered in a PDU, what stays, and that its structure is the same afterwards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    AlertNotification,
    BindTransceiver,
    DataSm,
    DeliverSm,
    DistributionList,
    EsmClass,
    Masking,
    Pdu,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    Tlv,
    Tlvs,
    UnsuccessSme,
    decode,
    encode,
    find_concatenation,
    make_tlvs,
    masked,
    parse_receipt,
    split_text,
)

SECRET = "Your code is 918273. Don't tell anybody."


def shown(pdu: Pdu) -> Pdu:
    """Mask a PDU, and see that its length and header stayed."""
    octets = encode(pdu)
    covered = masked(octets)
    assert len(octets) == len(covered)
    assert octets[:16] == covered[:16]
    assert covered == masked(covered)
    return decode(covered)


def outline(pdu: Pdu) -> object:
    """Give a PDU's structure without what its values say."""
    sizes = []
    for name, _ in pdu.fields:
        value = getattr(pdu, name)
        sizes.append(value if isinstance(value, int) else (name, len(value)))
    tlvs = [(tlv.tag, len(tlv.value)) for tlv in pdu.tlvs]
    return type(pdu), pdu.wire_form, sizes, tlvs, len(pdu.tlvs.trailing)


@given(st.from_type(Pdu))
def test_structure_stays(pdu: Pdu):
    octets = encode(pdu)
    covered = masked(octets)
    assert outline(decode(octets)) == outline(decode(covered))
    assert octets[:16] == covered[:16]
    assert covered == masked(covered)


@given(st.binary(max_size=80), st.sampled_from([1, 2, 4, 5, 9, 0x21, 0x102, 0x103, 0x77]))
def test_any_octets_can_be_masked(body: bytes, command_id: int):
    octets = (
        b"".join(number.to_bytes(4, "big") for number in (16 + len(body), command_id, 0, 1)) + body
    )
    covered = masked(octets)
    assert len(octets) == len(covered)
    assert octets[:16] == covered[:16]
    assert covered == masked(covered)


@given(st.binary(max_size=30))
def test_what_is_no_pdu_is_covered(octets: bytes):
    covered = masked(octets)
    assert len(octets) == len(covered)
    assert octets[:16] == covered[:16]


@given(
    st.lists(st.binary(min_size=40, max_size=40), min_size=2, max_size=2),
    st.sampled_from([0, 3, 4, 8, 0x11, 0xF5]),
    st.sampled_from([0, EsmClass.DELIVERY_ACKNOWLEDGEMENT, EsmClass.USER_ACKNOWLEDGEMENT]),
)
def test_nothing_of_a_text_is_left(texts: list[bytes], data_coding: int, esm_class: int):
    common = {"destination_addr": "1", "data_coding": data_coding, "esm_class": esm_class}
    for make in (
        lambda text: DeliverSm(short_message=text, **common),
        lambda text: SubmitSm(tlvs=make_tlvs(message_payload=text), **common),
        lambda text: DataSm(tlvs=make_tlvs(message_payload=text), **common),
        lambda text: DeliverSm(
            short_message=text, tlvs=make_tlvs(message_payload=text[::-1]), **common
        ),
        lambda text: DeliverSm(tlvs=Tlvs.of(Tlv(0x1403, text)), **common),
        lambda text: ReplaceSm(message_id="7", short_message=text),
    ):
        first, second = (masked(encode(make(text.rstrip(b"\0") or b"."))) for text in texts)
        if len(first) == len(second):
            assert first == second


@given(st.lists(st.from_regex(r"346[0-9]{6}78", fullmatch=True), min_size=2, max_size=2))
def test_nothing_of_the_middle_of_a_number_is_left(numbers: list[str]):
    first, second = (
        masked(encode(SubmitSm(source_addr=number, destination_addr=f"+{number}")))
        for number in numbers
    )
    assert first == second


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("34600111222", "34600000022"),
        ("+34600111222", "+34600000022"),
        ("0034600111222", "0030000000022"),
        ("600111222", "000000022"),
        ("ACME", "ACME"),
        ("Bank24", "Bank24"),
        ("7726", "7726"),
        ("123456", "123456"),
        ("1234567", "0000067"),
        ("", ""),
    ],
)
def test_numbers(address: str, expected: str):
    assert expected == shown(SubmitSm(source_addr=address, destination_addr="1")).source_addr


def test_numbers_wherever_they_stand():
    many = SubmitMulti(
        dest_address=(
            SmeAddress(destination_addr="34600111222"),
            DistributionList(dl_name="friends"),
        )
    )
    assert ["34600000022", "friends"] == [
        getattr(entry, "destination_addr", None) or entry.dl_name
        for entry in shown(many).dest_address
    ]
    failed = SubmitMultiResp(
        unsuccess_sme=(UnsuccessSme(destination_addr="34600111222", error_status_code=8),)
    )
    assert "34600000022" == shown(failed).unsuccess_sme[0].destination_addr
    alert = shown(AlertNotification(source_addr="34600111222", esme_addr="34600333444"))
    assert ("34600000022", "34600000044") == (alert.source_addr, alert.esme_addr)


def test_a_password_is_covered_and_the_account_is_not():
    bind = shown(BindTransceiver(system_id="acme", password="sesame!", address_range="^34600111"))
    assert ("acme", "*******", "^00000011") == (bind.system_id, bind.password, bind.address_range)


@pytest.mark.parametrize("text", [SECRET * 5, "Geheimnis Ж " * 20])
@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar"])
def test_parts_can_still_be_told_apart(text: str, mode: str):
    for part in split_text(text, mode=mode, reference=77).parts:
        pdu = SubmitSm(
            destination_addr="1",
            esm_class=part.esm_class,
            data_coding=part.data_coding,
            short_message=part.short_message,
            tlvs=part.tlvs,
        )
        assert find_concatenation(pdu) == find_concatenation(shown(pdu)) is not None
        assert shown(pdu).short_message.endswith(b"x")


def test_a_header_that_does_not_add_up_is_text():
    pdu = DeliverSm(destination_addr="1", esm_class=EsmClass.UDHI, short_message=b"\x40Hello")
    assert b"xxxxxx" == shown(pdu).short_message


def test_an_unknown_element_of_a_header_is_covered():
    text = b"\x05\x0c\x03abcHello"
    pdu = DeliverSm(destination_addr="1", esm_class=EsmClass.UDHI, short_message=text)
    assert b"\x05\x0c\x03xxxxxxxx" == shown(pdu).short_message


RECEIPT = (
    b"id:77-a sub:001 dlvrd:001 submit date:2611221000 done date:2611221001 stat:DELIVRD err:000 "
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RECEIPT + b"text:Hello id:918273", RECEIPT + b"text:xxxxxxxxxxxxxxx"),
        (RECEIPT + b"Text:", RECEIPT + b"Text:"),
        (b"Hello id:77 number:34600111222", b"xxxxx id:77xxxxxxxxxxxxxxxxxxx"),
        (b"no receipt at all", b"xxxxxxxxxxxxxxxxx"),
    ],
)
@pytest.mark.parametrize("esm_class", [EsmClass.RECEIPT, EsmClass.INTERMEDIATE_NOTIFICATION])
def test_a_receipt_says_what_it_said(text: bytes, expected: bytes, esm_class: int):
    pdu = DeliverSm(destination_addr="1", esm_class=esm_class, short_message=text)
    assert expected == shown(pdu).short_message
    payload = DataSm(
        destination_addr="1", esm_class=esm_class, tlvs=make_tlvs(message_payload=text)
    )
    assert expected == shown(payload).tlvs.first(0x0424)


def test_a_masked_receipt_is_read_alike():
    pdu = DeliverSm(
        destination_addr="1",
        esm_class=EsmClass.RECEIPT,
        short_message=RECEIPT + b"text:Hello",
        tlvs=make_tlvs(receipted_message_id="77-a", message_state=2, network_error_code=b"\3\0\1"),
    )
    before, after = parse_receipt(pdu), parse_receipt(shown(pdu))
    assert (before.message_id, before.state, before.done_date) == (
        after.message_id,
        after.state,
        after.done_date,
    )
    assert pdu.tlvs == shown(pdu).tlvs


def test_a_text_that_looks_like_a_receipt_is_covered():
    pdu = DeliverSm(destination_addr="1", short_message=b"id:77 stat:DELIVRD")
    assert b"x" * 18 == shown(pdu).short_message


@pytest.mark.parametrize(
    ("tlv", "expected"),
    [
        (Tlv(0x0381, b"\1\1\00134600111222"), b"\1\1\00134600000022"),
        (Tlv(0x001D, b"34600111222 is barred\0"), b"34600000022 is barred\0"),
        (Tlv(0x0202, b"\xa01234567890"), b"\xa0xxxxxxxxxx"),
        (Tlv(0x0205, b"\x05"), b"x"),
        (Tlv(0x020C, b"\0\x07"), b"\0\x07"),
        (Tlv(0x020C, b"hidden in a length"), b"x" * 18),
        (Tlv(0x1403, b"vendor\0"), b"xxxxxx\0"),
        (Tlv(0x060B, b""), b""),
    ],
)
def test_parameters(tlv: Tlv, expected: bytes):
    assert expected == shown(SubmitSm(destination_addr="1", tlvs=Tlvs.of(tlv))).tlvs[0].value


@pytest.mark.parametrize("trailing", [b"a", b"abc", b"\4\x24\0\x20hello"])
def test_octets_behind_the_parameters_are_covered(trailing: bytes):
    pdu = SubmitSm(destination_addr="1", tlvs=Tlvs(trailing))
    left = shown(pdu).tlvs.trailing
    assert (len(trailing), b"xx\xff\xffxxxxx"[: len(trailing)]) == (len(left), left)


def test_the_body_of_an_unknown_operation_is_covered():
    octets = bytes.fromhex("0000001500012345 00000000 00000007") + b"hello"
    assert octets[:16] + b"xxxxx" == masked(octets)


def test_a_body_that_cannot_be_read_is_covered():
    octets = bytes.fromhex("0000001500000004 00000000 00000007") + b"hello"
    assert octets[:16] + b"xxxxx" == masked(octets)


def test_nothing_is_covered_where_that_is_asked_for():
    octets = encode(SubmitSm(destination_addr="34600111222", short_message=b"hello"))
    assert octets == masked(octets, Masking.NONE)
