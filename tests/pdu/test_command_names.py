"""Names of operations and results against lists written down apart from the code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    CommandId,
    CommandStatus,
    MessageState,
    Npi,
    TlvTag,
    Ton,
    command_name,
    name_of,
    response_id,
    status_meaning,
    status_name,
    tlv_name,
)

# Spec: SMPP 3.4 §5.1.2.1 (table 5-1); the broadcast operations: SMPP 5.0 §4.7.5
COMMANDS = """
80000000 generic_nack
00000001 bind_receiver       80000001 bind_receiver_resp
00000002 bind_transmitter    80000002 bind_transmitter_resp
00000003 query_sm            80000003 query_sm_resp
00000004 submit_sm           80000004 submit_sm_resp
00000005 deliver_sm          80000005 deliver_sm_resp
00000006 unbind              80000006 unbind_resp
00000007 replace_sm          80000007 replace_sm_resp
00000008 cancel_sm           80000008 cancel_sm_resp
00000009 bind_transceiver    80000009 bind_transceiver_resp
0000000B outbind
00000015 enquire_link        80000015 enquire_link_resp
00000021 submit_multi        80000021 submit_multi_resp
00000102 alert_notification
00000103 data_sm             80000103 data_sm_resp
00000111 broadcast_sm        80000111 broadcast_sm_resp
00000112 query_broadcast_sm  80000112 query_broadcast_sm_resp
00000113 cancel_broadcast_sm 80000113 cancel_broadcast_sm_resp
"""

# Spec: SMPP 3.4 §5.1.3 (table 5-2) without the reserved values; 0xC0 to 0xC4 by their names of 5.0.
STATUSES = """
00 ROK 01 RINVMSGLEN 02 RINVCMDLEN 03 RINVCMDID 04 RINVBNDSTS 05 RALYBND 06 RINVPRTFLG
07 RINVREGDLVFLG 08 RSYSERR 0A RINVSRCADR 0B RINVDSTADR 0C RINVMSGID 0D RBINDFAIL 0E RINVPASWD
0F RINVSYSID 11 RCANCELFAIL 13 RREPLACEFAIL 14 RMSGQFUL 15 RINVSERTYP 33 RINVNUMDESTS
34 RINVDLNAME 40 RINVDESTFLAG 42 RINVSUBREP 43 RINVESMCLASS 44 RCNTSUBDL 45 RSUBMITFAIL
48 RINVSRCTON 49 RINVSRCNPI 50 RINVDSTTON 51 RINVDSTNPI 53 RINVSYSTYP 54 RINVREPFLAG
55 RINVNUMMSGS 58 RTHROTTLED 61 RINVSCHED 62 RINVEXPIRY 63 RINVDFTMSGID 64 RX_T_APPN 65 RX_P_APPN
66 RX_R_APPN 67 RQUERYFAIL C0 RINVTLVSTREAM C1 RTLVNOTALLWD C2 RINVTLVLEN C3 RMISSINGTLV
C4 RINVTLVVAL FE RDELIVERYFAILURE FF RUNKNOWNERR
"""

# Spec: SMPP 3.4 §5.3.2 (table 5-7)
TAGS = """
0005 dest_addr_subunit 0006 dest_network_type 0007 dest_bearer_type 0008 dest_telematics_id
000D source_addr_subunit 000E source_network_type 000F source_bearer_type 0010 source_telematics_id
0017 qos_time_to_live 0019 payload_type 001D additional_status_info_text 001E receipted_message_id
0030 ms_msg_wait_facilities 0201 privacy_indicator 0202 source_subaddress 0203 dest_subaddress
0204 user_message_reference 0205 user_response_code 020A source_port 020B destination_port
020C sar_msg_ref_num 020D language_indicator 020E sar_total_segments 020F sar_segment_seqnum
0210 sc_interface_version 0302 callback_num_pres_ind 0303 callback_num_atag 0304 number_of_messages
0381 callback_num 0420 dpf_result 0421 set_dpf 0422 ms_availability_status 0423 network_error_code
0424 message_payload 0425 delivery_failure_reason 0426 more_messages_to_send 0427 message_state
0501 ussd_service_op 1201 display_time 1203 sms_signal 1204 ms_validity
130C alert_on_message_delivery 1380 its_reply_type 1383 its_session_info
"""


def pairs(table: str) -> dict[int, str]:
    words = table.split()
    return {int(number, 16): name for number, name in zip(words[::2], words[1::2], strict=True)}


def test_the_command_ids_are_those_of_the_specification():
    assert pairs(COMMANDS) == {each.value: command_name(each) for each in CommandId}


def test_the_statuses_are_those_of_the_specification():
    ours = {each.value: each.name.removeprefix("ESME_") for each in CommandStatus}
    assert pairs(STATUSES) == {number: name for number, name in ours.items() if number < 0x100}
    assert set(range(0x100, 0x113)) == {number for number in ours if number >= 0x100}


def test_the_tags_are_those_of_the_specification():
    ours = {tag.value: tlv_name(tag) for tag in TlvTag}
    theirs = pairs(TAGS)
    assert theirs == {tag: name for tag, name in ours.items() if tag in theirs}
    later = set(ours) - set(theirs)
    assert {0x0428, *range(0x0600, 0x060C), *range(0x060D, 0x0614)} == later


def test_a_response_has_its_requests_number_and_the_response_bit():
    table = pairs(COMMANDS)
    for number, name in table.items():
        answer = response_id(number)
        if answer is not None:
            assert f"{name}_resp" == table[answer]
    assert 0x8000_0428 == response_id(0x428)
    assert response_id(0x8000_0428) is None


def test_unknown_numbers_are_named_by_themselves():
    assert "0x00000428" == command_name(0x428)
    assert "0x0000040B" == status_name(0x40B)
    assert "0x1403" == tlv_name(0x1403)
    assert "77" == name_of(Ton, 77)
    assert "ALPHANUMERIC" == name_of(Ton, 5)
    assert "WAP_CLIENT_ID" == name_of(Npi, 18)


@given(status=st.integers(0, 0xFFFF_FFFF) | st.integers(0, 0x500))
def test_every_status_has_a_name_and_a_sentence(status: int):
    assert status_name(status)
    assert status_meaning(status).endswith(".")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (0x58, "The ESME sent faster than it may."),
        (0x40B, "The value is the carrier's own; the specification gives it no meaning."),
        (0x4FF, "The value is the carrier's own; the specification gives it no meaning."),
        (0x500, "The value is reserved; the specification gives it no meaning."),
    ],
)
def test_a_sentence_tells_a_carriers_own_status_from_a_reserved_one(status: int, sentence: str):
    assert sentence == status_meaning(status)


def test_no_two_statuses_share_a_sentence():
    assert len(CommandStatus) == len({each.meaning for each in CommandStatus})


def test_the_message_states_are_those_of_the_specification():
    # Spec: SMPP 3.4 §5.2.28 (1 to 8), SMPP 5.0 §4.7.15 (0 and 9)
    names = "SCHEDULED ENROUTE DELIVERED EXPIRED DELETED UNDELIVERABLE ACCEPTED UNKNOWN REJECTED"
    assert [*names.split(), "SKIPPED"] == [MessageState(number).name for number in range(10)]
