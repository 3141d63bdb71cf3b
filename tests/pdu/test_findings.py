"""What is said of PDUs that the specification does not allow, and what strict decoding makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    OPERATIONS,
    REPEATABLE,
    TLV_TABLE,
    TLVS_OF,
    BindTransceiver,
    BodyError,
    CommandId,
    CommandStatus,
    DeliverSm,
    DistributionList,
    EnquireLink,
    FindingCode,
    GenericNack,
    Pdu,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
    TlvTag,
    UnknownPdu,
    WireForm,
    decode,
    encode,
    make_tlvs,
    operations_carrying,
)


def submit(**changes: object) -> SubmitSm:
    values: dict[str, object] = {"destination_addr": "34600111222", "sequence_number": 1}
    return SubmitSm(**(values | changes))  # type: ignore[arg-type]


def deliver(*tlvs: Tlv, **changes: object) -> DeliverSm:
    return DeliverSm(tlvs=Tlvs.of(*tlvs), sequence_number=1, **changes)  # type: ignore[arg-type]


ODD = [
    (submit(command_status=3), "STATUS_IN_REQUEST", "submit_sm.command_status"),
    (submit(sequence_number=0), "SEQUENCE_NUMBER", "submit_sm.sequence_number"),
    (submit(sequence_number=0x80000000), "SEQUENCE_NUMBER", "submit_sm.sequence_number"),
    (submit(source_addr_ton=7), "RESERVED_VALUE", "submit_sm.source_addr_ton"),
    (submit(dest_addr_npi=2), "RESERVED_VALUE", "submit_sm.dest_addr_npi"),
    (submit(priority_flag=5), "RESERVED_VALUE", "submit_sm.priority_flag"),
    (submit(sm_default_msg_id=255), "RESERVED_VALUE", "submit_sm.sm_default_msg_id"),
    (submit(source_addr="\xe9"), "NOT_ASCII", "submit_sm.source_addr"),
    (submit(validity_period="0000"), "WRONG_LENGTH", "submit_sm.validity_period"),
    (
        submit(source_addr="x" * 21, wire_form=WireForm.OVERLONG),
        "OVERLONG",
        "submit_sm.source_addr",
    ),
    (
        submit(short_message=b"a", tlvs=make_tlvs(message_payload=b"b")),
        "TEXT_TWICE",
        "submit_sm.short_message",
    ),
    (submit(esm_class=0x40, short_message=b"\x05\x00"), "UDH_MALFORMED", "submit_sm.short_message"),
    (
        submit(esm_class=0x40, tlvs=make_tlvs(message_payload=b"\x05\x00")),
        "UDH_MALFORMED",
        "submit_sm.short_message",
    ),
    (submit(tlvs=Tlvs(b"\x00")), "TRAILING_OCTETS", "submit_sm.tlvs"),
    (
        submit(tlvs=make_tlvs(message_state=2)),
        "TLV_NOT_ALLOWED",
        "submit_sm.tlvs[0].message_state",
    ),
    (deliver(Tlv(0x0500)), "TLV_UNKNOWN", "deliver_sm.tlvs[0].0x0500"),
    (
        deliver(Tlv(TlvTag.MESSAGE_STATE, b"\0\2")),
        "TLV_LENGTH",
        "deliver_sm.tlvs[0].message_state",
    ),
    (
        deliver(Tlv(TlvTag.NETWORK_ERROR_CODE, b"\3")),
        "TLV_LENGTH",
        "deliver_sm.tlvs[0].network_error_code",
    ),
    (
        deliver(Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77")),
        "TLV_UNTERMINATED",
        "deliver_sm.tlvs[0].receipted_message_id",
    ),
    (
        deliver(*[Tlv(TlvTag.MESSAGE_STATE, b"\2")] * 2),
        "TLV_REPEATED",
        "deliver_sm.tlvs[1].message_state",
    ),
    (
        SubmitSmResp(sequence_number=1, wire_form=WireForm.HEADER_ONLY),
        "BODY_MISSING",
        "submit_sm_resp",
    ),
    (
        SubmitSmResp(message_id="7", sequence_number=1, wire_form=WireForm.UNTERMINATED),
        "UNTERMINATED",
        "submit_sm_resp.message_id",
    ),
    (
        SubmitSmResp(command_status=0x22, sequence_number=1),
        "RESERVED_STATUS",
        "submit_sm_resp.command_status",
    ),
    (UnknownPdu(unknown_command_id=0x428, sequence_number=1), "UNKNOWN_OPERATION", "command_id"),
    (
        SubmitMulti(
            dest_address=(SmeAddress(destination_addr="é"), DistributionList(dl_name="l")),
            sequence_number=1,
        ),
        "NOT_ASCII",
        "submit_multi.dest_address[0].destination_addr",
    ),
    (
        BindTransceiver(system_id="s", interface_version=0x35, sequence_number=1),
        "RESERVED_VALUE",
        "bind_transceiver.interface_version",
    ),
]


@pytest.mark.parametrize(("pdu", "code", "path"), ODD, ids=[f"{c} {p}" for _, c, p in ODD])
def test_a_departure_is_named_and_refused_only_by_strict_decoding(
    pdu: Pdu, code: str, path: str
) -> None:
    octets = encode(pdu)

    tolerated = decode(octets)

    assert pdu == tolerated
    assert [(FindingCode(code), path)] == [(each.code, each.path) for each in tolerated.findings]
    with pytest.raises(BodyError) as refused:
        decode(octets, strict=True)
    assert path == refused.value.path
    assert str(tolerated.findings[0]).startswith(f"{path}: ")


FITTING = [
    submit(),
    submit(esm_class=0x40, short_message=b"\x05\x00\x03\x07\x02\x01text"),
    submit(sm_default_msg_id=254, priority_flag=4, validity_period="000001000000000R"),
    deliver(Tlv(0x1401, b"the maker's own"), Tlv(0x1401, b"again")),
    deliver(*[Tlv(TlvTag.CALLBACK_NUM, b"1234")] * 2),
    deliver(Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77\0"), Tlv(TlvTag.MESSAGE_STATE, b"\2")),
    GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN, sequence_number=0),
    SubmitSmResp(command_status=0x58, sequence_number=1, wire_form=WireForm.HEADER_ONLY),
    SubmitSmResp(command_status=0x4A1, sequence_number=1, wire_form=WireForm.HEADER_ONLY),
    EnquireLink(sequence_number=0x7FFFFFFF),
]


@pytest.mark.parametrize("pdu", FITTING, ids=[repr(pdu) for pdu in FITTING])
def test_nothing_is_said_of_a_pdu_as_it_should_be(pdu: Pdu) -> None:
    assert () == pdu.findings
    assert pdu == decode(encode(pdu), strict=True)


@pytest.mark.parametrize(
    ("pdu", "status"),
    [
        (submit(source_addr_ton=7), CommandStatus.ESME_RINVSRCTON),
        (submit(validity_period="0"), CommandStatus.ESME_RINVEXPIRY),
        (submit(tlvs=Tlvs(b"\0")), CommandStatus.ESME_RINVTLVSTREAM),
        (submit(tlvs=make_tlvs(message_state=2)), CommandStatus.ESME_RTLVNOTALLWD),
        (
            deliver(Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77")),
            CommandStatus.ESME_RINVTLVVAL,
        ),
        (deliver(Tlv(TlvTag.MESSAGE_STATE)), CommandStatus.ESME_RINVTLVLEN),
        (UnknownPdu(unknown_command_id=0x428, sequence_number=1), CommandStatus.ESME_RINVCMDID),
    ],
)
def test_strict_decoding_says_how_to_answer(pdu: Pdu, status: CommandStatus) -> None:
    with pytest.raises(BodyError) as refused:
        decode(encode(pdu), strict=True)

    assert status == refused.value.command_status
    assert 1 == refused.value.sequence_number
    assert encode(pdu) == refused.value.octets


@given(octets=st.binary(max_size=120), command_id=st.sampled_from(sorted(OPERATIONS)))
def test_findings_never_fail(octets: bytes, command_id: int) -> None:
    frame = b"".join(number.to_bytes(4, "big") for number in (16 + len(octets), command_id, 0, 1))
    try:
        pdu = decode(frame + octets)
    except BodyError:
        return
    assert all(each.code.meaning and each.expected and each.spec for each in pdu.findings)


def test_every_parameter_belongs_to_an_operation() -> None:
    assert set(TLV_TABLE) == {tag for tags in TLVS_OF.values() for tag in tags}
    assert set(TLV_TABLE) >= REPEATABLE
    assert set(OPERATIONS) >= set(TLVS_OF)


def test_a_parameter_names_the_operations_it_belongs_to() -> None:
    assert (CommandId.ALERT_NOTIFICATION,) == operations_carrying(TlvTag.MS_AVAILABILITY_STATUS)
    assert () == operations_carrying(0x1400)
