"""Our codec beside smpp.pdu3's, the one inside Jasmin: both ways, and who is right where they differ.

It knows the operations of 3.4, and holds named values where we hold numbers, so the names are
compared too. What is said of it here was seen by running release 0.6.
"""

from datetime import datetime, timedelta
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpp.pdu import constants, operations, pdu_types
from smpp.pdu.error import PDUCorruptError, PDUParseError
from smpp.pdu.pdu_encoding import PDUEncoder
from smpp.pdu.smpp_time import SMPPRelativeTime

from whiteroute.pdu import (
    OPERATIONS,
    BindTransceiverResp,
    CommandId,
    CommandStatus,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EsmClass,
    FindingCode,
    GenericNack,
    MessageState,
    Npi,
    Pdu,
    QuerySmResp,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
    TlvTag,
    Ton,
    WireForm,
    decode,
    encode,
    make_tlvs,
    parse_smpp_time,
)
from whiteroute.pdu.wire import COctetString, Integer, ShortMessage

CODEC = PDUEncoder()
WITHOUT_ENCODERS = {"submit_multi", "submit_multi_resp", "replace_sm"}
NO_BODY_ON_ERROR = {pdu_class.name for pdu_class in (SubmitSmResp,)} | {
    f"bind_{kind}_resp" for kind in ("transmitter", "receiver", "transceiver")
}
SHARED = [
    OPERATIONS[CommandId[command_id.name.upper()]]
    for command_id in pdu_types.CommandId
    if command_id.name not in WITHOUT_ENCODERS
]

TYPES = {
    0: "DEFAULT",
    EsmClass.RECEIPT: "SMSC_DELIVERY_RECEIPT",
    EsmClass.DELIVERY_ACKNOWLEDGEMENT: "DELIVERY_ACKNOWLEDGEMENT",
    EsmClass.USER_ACKNOWLEDGEMENT: "MANUAL_ACKNOWLEDGMENT",
    0x18: "CONVERSATION_ABORT",
    EsmClass.INTERMEDIATE_NOTIFICATION: "INTERMEDIATE_DELIVERY_NOTIFICATION",
}
MODES = ("DEFAULT", "DATAGRAM", "FORWARD", "STORE_AND_FORWARD")
FEATURES = {EsmClass.UDHI: "UDHI_INDICATOR_SET", EsmClass.REPLY_PATH: "SET_REPLY_PATH"}
RECEIPTS = (
    "NO_SMSC_DELIVERY_RECEIPT_REQUESTED",
    "SMSC_DELIVERY_RECEIPT_REQUESTED",
    "SMSC_DELIVERY_RECEIPT_REQUESTED_FOR_FAILURE",
)
ACKNOWLEDGEMENTS = {4: "SME_DELIVERY_ACK_REQUESTED", 8: "SME_MANUAL_ACK_REQUESTED"}
TIMES = ["", "240229123000004+", "240229123000704-", "681231235959900+", "000007010203000R"]


def theirs(octets: bytes) -> operations.PDU:
    return CODEC.decode(BytesIO(octets))


def rewritten(pdu: operations.PDU) -> bytes:
    # A fresh one each time: it remembers the length of the last parameter it read.
    return PDUEncoder().encode(pdu)


def written_by_them(pdu: Pdu, **tlvs: object) -> bytes:
    values = {name: as_theirs(name, getattr(pdu, name)) for name, _ in pdu.fields}
    written = operations.getPDUClass(pdu_types.CommandId[pdu.name])(
        pdu.sequence_number, status_of(pdu), **values, **tlvs
    )
    return rewritten(written)


def status_of(pdu: Pdu) -> pdu_types.CommandStatus:
    return pdu_types.CommandStatus[constants.command_status_value_map[pdu.command_status]["name"]]


def as_theirs(name: str, value: object) -> object:
    """Say a value of ours as smpp.pdu3 would; by name where both have names for it."""
    match name:
        case _ if name.endswith("_ton"):
            return pdu_types.AddrTon[Ton(value).name]
        case _ if name.endswith("_npi"):
            return pdu_types.AddrNpi[Npi(value).name]
        case "message_state":
            return pdu_types.MessageState[MessageState(value).name]
        case "priority_flag":
            return pdu_types.PriorityFlag[f"LEVEL_{value}"]
        case "replace_if_present_flag":
            return pdu_types.ReplaceIfPresentFlag[("DO_NOT_REPLACE", "REPLACE")[value]]
        case "esm_class":
            return pdu_types.EsmClass(
                pdu_types.EsmClassMode[MODES[value & EsmClass.MODE_MASK]],
                pdu_types.EsmClassType[TYPES[value & EsmClass.TYPE_MASK]],
                {pdu_types.EsmClassGsmFeatures[FEATURES[bit]] for bit in FEATURES if value & bit},
            )
        case "registered_delivery":
            acknowledgements = [ACKNOWLEDGEMENTS[bit] for bit in ACKNOWLEDGEMENTS if value & bit]
            return pdu_types.RegisteredDelivery(
                pdu_types.RegisteredDeliveryReceipt[RECEIPTS[value & 3]],
                [pdu_types.RegisteredDeliverySmeOriginatedAcks[name] for name in acknowledgements],
                bool(value & 16),
            )
        case "data_coding":
            return CODEC.DefaultRequiredParamEncoders["data_coding"]._decode(bytes((value,)))
        case "schedule_delivery_time" | "validity_period" | "final_date":
            return as_their_time(value)
        case "error_code":
            return value or None
        case "message_id" if not value:
            return None  # As deliver_sm_resp must have it.
        case _:
            return value.encode("latin-1") if isinstance(value, str) else value


def as_their_time(text: str) -> object:
    time = parse_smpp_time(text)
    if isinstance(time, timedelta):
        return SMPPRelativeTime(*(int(text[at : at + 2]) for at in range(0, 12, 2)))
    return time


def shared_values(pdu_class: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """Give what both can say: smpp.pdu3 has no room for a number that it has no name for."""
    named = {
        "message_state": st.integers(1, 8),
        "priority_flag": st.integers(0, 3),
        "replace_if_present_flag": st.integers(0, 1),
        "esm_class": st.builds(
            lambda mode, kind, features: mode | kind | features,
            st.integers(0, 3),
            st.sampled_from([*TYPES]),
            st.sampled_from((0, EsmClass.UDHI, EsmClass.REPLY_PATH, 0xC0)),
        ),
        "registered_delivery": st.integers(0, 31).filter(lambda value: value & 3 != 3),
        "data_coding": st.integers(0, 0xF7),
        "sm_default_msg_id": st.integers(0, 254),
    }
    fields: dict[str, st.SearchStrategy[object]] = {}
    for name, kind in pdu_class.fields:
        match kind:
            case Integer(known=known) if name.endswith(("_ton", "_npi")):
                fields[name] = st.sampled_from([each.value for each in known])
            case Integer():
                fields[name] = named.get(name, st.integers(0, 255))
            case COctetString(empty_or_full=True):
                fields[name] = st.sampled_from(TIMES)
            case COctetString(size=size):
                octets = st.characters(min_codepoint=1, max_codepoint=255)
                fields[name] = st.text(octets, max_size=size - 1)
            case ShortMessage():
                fields[name] = st.binary(max_size=254)
    # Unused there, and to be empty: SMPP 3.4 §4.6.1 and §4.6.2.
    if pdu_class is DeliverSm:
        fields["schedule_delivery_time"] = st.just("")
    if pdu_class is DeliverSmResp:
        fields["message_id"] = st.just("")
    known_statuses = [number for number in constants.command_status_value_map if number >= 0]
    status = st.just(0) if pdu_class.name in NO_BODY_ON_ERROR else st.sampled_from(known_statuses)
    return st.builds(
        pdu_class,
        command_status=status,
        sequence_number=st.integers(1, 0x7FFF_FFFF),
        wire_form=st.just(0),
        tlvs=st.just(Tlvs()),
        **fields,
    )


@pytest.mark.parametrize("pdu_class", SHARED, ids=lambda each: each.name)
@settings(max_examples=25)
@given(data=st.data())
def test_we_write_the_same_octets(pdu_class: type[Pdu], data: st.DataObject):
    pdu = data.draw(shared_values(pdu_class))
    octets = written_by_them(pdu)
    assert encode(pdu) == octets
    assert pdu == decode(octets)


@pytest.mark.parametrize("pdu_class", SHARED, ids=lambda each: each.name)
@settings(max_examples=25)
@given(data=st.data())
def test_they_read_what_we_write(pdu_class: type[Pdu], data: st.DataObject):
    pdu = data.draw(shared_values(pdu_class))
    read = theirs(encode(pdu))
    assert (pdu.name, pdu.sequence_number) == (read.id.name, read.seqNum)
    assert status_of(pdu) == read.status
    for name, _ in pdu.fields:
        expected, actual = as_theirs(name, getattr(pdu, name)), read.params[name]
        if isinstance(expected, datetime):
            # It leaves the zone away when that is UTC.
            actual = actual if actual.tzinfo else actual.replace(tzinfo=expected.tzinfo)
        assert (expected or None) == (actual or None), name


PARAMETERS: dict[str, tuple[object, object]] = {
    "additional_status_info_text": ("no such subscriber", b"no such subscriber"),
    "callback_num": (
        b"\x01\x01\x0134600",
        pdu_types.CallbackNum(
            pdu_types.CallbackNumDigitModeIndicator.ASCII,
            pdu_types.AddrTon.INTERNATIONAL,
            pdu_types.AddrNpi.ISDN,
            b"34600",
        ),
    ),
    "delivery_failure_reason": (2, pdu_types.DeliveryFailureReason.PERMANENT_NETWORK_ERROR),
    "dest_addr_subunit": (1, pdu_types.AddrSubunit.MS_DISPLAY),
    "dest_bearer_type": (4, pdu_types.BearerType.USSD),
    "dest_network_type": (1, pdu_types.NetworkType.GSM),
    "dest_subaddress": (
        b"\xa0\x01\x02",
        pdu_types.Subaddress(pdu_types.SubaddressTypeTag.USER_SPECIFIED, b"\x01\x02"),
    ),
    "dest_telematics_id": (0x0102, 0x0102),
    "destination_port": (0x0B84, 0x0B84),
    "display_time": (2, pdu_types.DisplayTime.INVOKE),
    "language_indicator": (5, pdu_types.LanguageIndicator.PORTUGUESE),
    "message_payload": (b"hello\0", b"hello\0"),
    "message_state": (8, pdu_types.MessageState.REJECTED),
    "more_messages_to_send": (1, pdu_types.MoreMessagesToSend.MORE_MESSAGES),
    "ms_availability_status": (2, pdu_types.MsAvailabilityStatus.UNAVAILABLE),
    "network_error_code": (b"\x03\x00\x58", b"\x03\x00\x58"),
    "number_of_messages": (99, 99),
    "payload_type": (1, pdu_types.PayloadType.WCMP),
    "privacy_indicator": (3, pdu_types.PrivacyIndicator.SECRET),
    "qos_time_to_live": (86_400, 86_400),
    "receipted_message_id": ("0123456789", b"0123456789"),
    "sar_msg_ref_num": (0x0102, 0x0102),
    "sar_segment_seqnum": (1, 1),
    "sar_total_segments": (2, 2),
    "sc_interface_version": (0x34, 0x34),
    "sms_signal": (0x0102, b"\x01\x02"),
    "source_addr_subunit": (4, pdu_types.AddrSubunit.EXTERNAL_UNIT_1),
    "source_bearer_type": (8, pdu_types.BearerType.CELL_BROADCAST),
    "source_network_type": (8, pdu_types.NetworkType.PAGING_NETWORK),
    "source_port": (0x0B84, 0x0B84),
    "source_subaddress": (
        b"\x80\x01\x02",
        pdu_types.Subaddress(pdu_types.SubaddressTypeTag.NSAP_EVEN, b"\x01\x02"),
    ),
    "user_message_reference": (0x1234, 0x1234),
    "user_response_code": (255, 255),
}
"""By name, each parameter on which both agree: its value here, its value there."""

ALLOWED = [
    (pdu_class, name)
    for pdu_class in SHARED
    for name in operations.getPDUClass(pdu_types.CommandId[pdu_class.name]).optionalParams
]


def least(pdu_class: type[Pdu], tlvs: Tlvs) -> Pdu:
    required = {"destination_addr": "1"} if pdu_class in (SubmitSm, DataSm) else {}
    return pdu_class(sequence_number=1, tlvs=tlvs, **required)


@pytest.mark.parametrize(
    ("pdu_class", "name"),
    [(pdu_class, name) for pdu_class, name in ALLOWED if name in PARAMETERS],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_both_write_and_read_a_parameter_alike(pdu_class: type[Pdu], name: str):
    ours, their = PARAMETERS[name]
    octets = encode(least(pdu_class, make_tlvs(**{name: ours})))
    assert octets == written_by_them(decode(octets), **{name: their})
    assert ours == decode(octets).tlvs.value(TlvTag[name.upper()])
    assert their == theirs(octets).params[name]


def test_every_parameter_that_it_can_write_is_compared():
    differing = {"source_telematics_id", "alert_on_message_delivery", "vendor_specific_bypass"}
    can = {tag.name for tag in CODEC.optionEncoder.options}
    assert can - differing == set(PARAMETERS)


def test_both_have_the_same_tags():
    for name, number in constants.tag_name_map.items():
        if number >= 0:
            assert TlvTag[name.upper()] == number


def test_both_name_the_statuses_alike():
    # SMPP 5.0 §4.7.6 calls the optional parameters TLVs; 3.4 §5.1.3 did not.
    renamed = {
        "ESME_RINVOPTPARSTREAM": "ESME_RINVTLVSTREAM",
        "ESME_ROPTPARNOTALLWD": "ESME_RTLVNOTALLWD",
        "ESME_RINVPARLEN": "ESME_RINVTLVLEN",
        "ESME_RMISSINGOPTPARAM": "ESME_RMISSINGTLV",
        "ESME_RINVOPTPARAMVAL": "ESME_RINVTLVVAL",
    }
    for number, told in constants.command_status_value_map.items():
        if number >= 0:
            assert renamed.get(told["name"], told["name"]) == CommandStatus(number).name


# Where they differ. Spec: the paragraph that decides stands with each.


def test_source_telematics_id_is_one_octet():
    # SMPP 3.4 §5.3.2.8: one octet, and two for the destination's (§5.3.2.7). smpp.pdu3 has two.
    pdu = least(DataSm, make_tlvs(source_telematics_id=1))
    assert b"\x00\x10\x00\x01\x01" == pdu.tlvs.octets
    with pytest.raises(PDUCorruptError):
        theirs(encode(pdu))
    # Read by the length it comes with, so theirs is understood all the same.
    wide = decode(written_by_them(least(DataSm, Tlvs()), source_telematics_id=0x0102))
    assert 0x0102 == wide.tlvs.value(TlvTag.SOURCE_TELEMATICS_ID)
    assert [FindingCode.TLV_LENGTH] == [finding.code for finding in wide.findings]


def test_alert_on_message_delivery_may_be_sent():
    # SMPP 3.4 §4.4.1 lists it, §5.3.2.41 gives its name. smpp.pdu3 spells the two differently, and
    # so can neither write nor read it.
    pdu = least(SubmitSm, make_tlvs(alert_on_message_delivery=b""))
    assert b"" == decode(encode(pdu)).tlvs.first(TlvTag.ALERT_ON_MESSAGE_DELIVERY)
    with pytest.raises(PDUParseError, match="Invalid option alert_on_message_delivery"):
        theirs(encode(pdu))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ms_msg_wait_facilities", 0x81), ("ms_validity", b"\0"), ("its_reply_type", 1)),
        *(("its_session_info", b"\1\2"), ("ussd_service_op", b"\2"), ("callback_num_pres_ind", 0)),
        ("callback_num_atag", b"\0ann"),
    ],
)
def test_a_parameter_of_the_specification_is_read(name: str, value: object):
    # SMPP 3.4 §4.4.1 lists all of them for submit_sm. smpp.pdu3 has their tags but cannot read them.
    pdu = least(SubmitSm, make_tlvs(**{name: value}))
    assert value == decode(encode(pdu)).tlvs.value(TlvTag[name.upper()])
    assert () == decode(encode(pdu)).findings
    with pytest.raises(PDUParseError, match="Optional param"):
        theirs(encode(pdu))


@pytest.mark.parametrize("tag", [0x0001, 0x0500], ids=hex)
def test_an_unknown_parameter_is_ignored_and_kept(tag: int):
    # SMPP 3.4 §3.3: an unrecognised optional parameter is ignored. smpp.pdu3 refuses the PDU.
    octets = encode(DeliverSm(sequence_number=1, tlvs=Tlvs.of(Tlv(tag, b"x"), Tlv(0x0427, b"\2"))))
    assert (b"x", 2) == (decode(octets).tlvs.first(tag), decode(octets).tlvs.value(0x0427))
    with pytest.raises(PDUParseError) as refused:
        theirs(octets)
    assert "ESME_RINVOPTPARSTREAM" == refused.value.status.name


@pytest.mark.parametrize("tag", [0x1403, TlvTag.BROADCAST_REP_NUM, 0x4000], ids=hex)
def test_a_vendors_parameter_is_kept(tag: int):
    # SMPP 3.4 §5.3.1 leaves 0x1400 to 0x3FFF to vendors. smpp.pdu3 drops their values.
    octets = encode(DeliverSm(sequence_number=1, tlvs=Tlvs.of(Tlv(tag, b"ab"))))
    assert b"ab" == decode(octets).tlvs.first(tag)
    assert set(theirs(octets).params) == {name for name, _ in DeliverSm.fields}


def test_a_known_parameter_may_stand_in_an_operation_that_does_not_list_it():
    # SMPP 3.4 §3.3 again: known but not expected is ignored as well. smpp.pdu3 refuses the PDU.
    octets = encode(least(SubmitSm, make_tlvs(message_state=2)))
    assert 2 == decode(octets).tlvs.value(TlvTag.MESSAGE_STATE)
    with pytest.raises(PDUParseError, match="Invalid option message_state"):
        theirs(octets)


def test_a_repeated_parameter_is_kept_each_time():
    # SMPP 3.4 §4.4.1 lets callback_num occur several times; smpp.pdu3 keeps the last.
    tlvs = Tlvs.of(Tlv(TlvTag.CALLBACK_NUM, b"\1\1\1A1"), Tlv(TlvTag.CALLBACK_NUM, b"\1\1\1A2"))
    octets = encode(least(SubmitSm, tlvs))
    assert [b"\1\1\1A1", b"\1\1\1A2"] == [tlv.value for tlv in decode(octets).tlvs]
    assert b"A2" == theirs(octets).params["callback_num"].digits


def test_a_short_message_of_255_octets_is_read():
    # SMPP 5.0 allows 255 octets, 3.4 §5.2.22 only 254. Both read it, smpp.pdu3 cannot write it.
    pdu = DeliverSm(short_message=b"x" * 255, sequence_number=1)
    assert b"x" * 255 == theirs(encode(pdu)).params["short_message"]
    with pytest.raises(ValueError, match="255 exceeds max 254"):
        written_by_them(pdu)


def test_sm_default_msg_id_255_is_tolerated():
    # SMPP 3.4 §5.2.20: 1 to 254, so smpp.pdu3 may refuse to write it, and both read it.
    pdu = SubmitSm(destination_addr="1", sm_default_msg_id=255, sequence_number=1)
    assert [FindingCode.RESERVED_VALUE] == [finding.code for finding in pdu.findings]
    assert 255 == theirs(encode(pdu)).params["sm_default_msg_id"]
    with pytest.raises(ValueError, match="255 exceeds max 254"):
        written_by_them(pdu)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("source_addr_ton", 7), ("dest_addr_npi", 2), ("priority_flag", 4)),
        *(("esm_class", 0x24), ("registered_delivery", 3), ("replace_if_present_flag", 2)),
    ],
)
def test_a_number_without_a_name_does_not_cost_the_message(name: str, value: int):
    # SMPP 3.4 §5.2 reserves them, and 5.0 gave some of them a meaning (§4.7.21, registered_delivery
    # 3): smpp.pdu3 may refuse them, and so the message; we keep them, as findings where reserved.
    octets = encode(SubmitSm(**({"destination_addr": "1", "sequence_number": 1} | {name: value})))
    assert value == getattr(decode(octets), name)
    with pytest.raises(PDUParseError):
        theirs(octets)


def test_data_coding_keeps_its_reserved_bit():
    # SMPP 3.4 §5.2.19 refers 0xF0 to 0xFF to GSM 03.38, where bit 3 is reserved: not ours to clear.
    octets = encode(SubmitSm(destination_addr="1", data_coding=0xF9, sequence_number=1))
    assert 0xF9 == decode(octets).data_coding
    read = theirs(octets)
    assert 0xF1 == decode(rewritten(read)).data_coding


@pytest.mark.parametrize("state", [MessageState.SCHEDULED, MessageState.SKIPPED])
def test_the_message_states_of_5_0_are_read(state: MessageState):
    # SMPP 5.0 §4.7.15 adds 0 and 9; 3.4 §5.2.28 ends at 8, and smpp.pdu3 with it.
    octets = encode(QuerySmResp(message_id="77", message_state=state, sequence_number=1))
    assert state == decode(octets).message_state
    with pytest.raises(PDUParseError, match="Unknown message_state"):
        theirs(octets)


@pytest.mark.parametrize(
    "pdu",
    [
        DataSmResp(message_id="77", tlvs=make_tlvs(delivery_failure_reason=2)),
        DeliverSmResp(),
        QuerySmResp(message_id="77", message_state=MessageState.UNKNOWN),
    ],
    ids=lambda pdu: pdu.name,
)
def test_a_response_to_an_error_may_lack_its_body(pdu: Pdu):
    # SMPP 3.4 §4.6.2, §4.7.2 and §4.8.2 do not say that it may; peers do it all the same, and the
    # status is what counts. smpp.pdu3 cannot read it, so we send these with their body.
    pdu.command_status, pdu.sequence_number = CommandStatus.ESME_RSYSERR, 1
    assert pdu == decode(encode(pdu))
    assert theirs(encode(pdu)).params
    bare = b"\0\0\0\x10" + encode(pdu)[4:16]
    assert WireForm.HEADER_ONLY == decode(bare).wire_form
    with pytest.raises(PDUCorruptError):
        theirs(bare)


@pytest.mark.parametrize(
    "pdu",
    [SubmitSmResp(message_id="77"), BindTransceiverResp(system_id="MC")],
    ids=lambda pdu: pdu.name,
)
def test_the_body_of_a_refusal_is_kept_where_there_should_be_none(pdu: Pdu):
    # SMPP 3.4 §4.4.2 and §4.1.6: no body if the status is not 0. smpp.pdu3 is right not to write it,
    # and reads past it; we keep what a peer says, and write none by way of wire_form.
    pdu.command_status, pdu.sequence_number = CommandStatus.ESME_RTHROTTLED, 1
    assert pdu == decode(encode(pdu))
    assert {} == {name: value for name, value in theirs(encode(pdu)).params.items() if value}
    bare = type(pdu)(
        command_status=pdu.command_status, sequence_number=1, wire_form=WireForm.HEADER_ONLY
    )
    assert written_by_them(pdu) == encode(bare)


def test_what_deliver_sm_must_leave_empty_is_read_if_it_is_not():
    # SMPP 3.4 §4.6.1: schedule_delivery_time is NULL; §4.6.2: so is message_id. smpp.pdu3 refuses
    # others, and is right to call them wrong; a message is worth more than a field that is unused.
    timed = DeliverSm(schedule_delivery_time="240229123000004+", sequence_number=1)
    assert timed == decode(encode(timed))
    with pytest.raises(PDUParseError, match="Field must be null"):
        theirs(encode(timed))
    named = DeliverSmResp(message_id="77", sequence_number=1)
    assert named == decode(encode(named))
    with pytest.raises(PDUParseError, match="Field must be null"):
        theirs(encode(named))


def test_a_year_is_of_this_century():
    # SMPP 3.4 §7.1.1 has two digits and no century. The protocol is younger than 1969, which is what
    # smpp.pdu3 makes of 69.
    octets = encode(QuerySmResp(final_date="690101000000000+", message_state=2, sequence_number=1))
    assert 2069 == parse_smpp_time(decode(octets).final_date).year
    assert 1969 == theirs(octets).params["final_date"].year


def test_sequence_number_0_is_a_number():
    # SMPP 3.4 §4.3.1: a generic_nack to a header that could not be read carries 0.
    octets = encode(GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN))
    assert 0 == decode(octets).sequence_number
    assert theirs(octets).seqNum is None


def test_submit_multi_and_replace_sm_are_operations():
    # SMPP 3.4 §4.5.1 and §4.10.1. smpp.pdu3 declares them but has no readers for their fields.
    pdus = [
        SubmitMulti(dest_address=(SmeAddress(destination_addr="346"),), sequence_number=1),
        ReplaceSm(message_id="77", short_message=b"hello", sequence_number=1),
    ]
    for pdu in pdus:
        assert pdu == decode(encode(pdu))
        with pytest.raises(KeyError):
            theirs(encode(pdu))
