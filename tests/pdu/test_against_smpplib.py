"""Our codec beside smpplib's: each reads what the other writes; where they differ, who is right.

smpplib knows most operations of 3.4. What is said of it here was seen by running release 2.2.4.
"""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import command, consts, exceptions

from whiteroute.pdu import (
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
    TlvTag,
    Unbind,
    UnbindResp,
    decode,
    encode,
    make_tlvs,
)
from whiteroute.pdu.wire import COctetString, Integer, ShortMessage

SHARED = [
    AlertNotification,
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
]


class Numbers:
    """The client that smpplib takes sequence numbers from."""

    sequence = 1

    def next_sequence(self) -> int:
        return self.sequence


def theirs(octets: bytes, **options: bool) -> command.Command:
    name = command.pdu.extract_command(octets)
    read = command.factory(name, client=Numbers(), **options)
    read.parse(octets)
    return read


def written_by_them(pdu: Pdu, **tlvs: object) -> bytes:
    values = {name: getattr(pdu, name) for name, _ in pdu.fields}
    written = command.factory(pdu.name, client=Numbers(), **values, **tlvs)
    for name, value in values.items():
        # It keeps a default of its own before what it is given: interface_version is always 0x34.
        setattr(written, name, value)
    written.status = pdu.command_status
    written.sequence = pdu.sequence_number
    return written.generate()


def plain(value: object) -> object:
    return value.encode("latin-1") if isinstance(value, str) else value


def shared_values(pdu_class: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """Give what both can say: smpplib cuts at its bounds, and writes ASCII only."""
    letters = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
    fields: dict[str, st.SearchStrategy[object]] = {}
    for name, kind in pdu_class.fields:
        match kind:
            case Integer():
                fields[name] = st.integers(0, 255)
            case COctetString(size=size):
                fields[name] = letters.map(lambda text, size=size: text[: size - 1])
            case ShortMessage():
                fields[name] = st.binary(max_size=254)
    if pdu_class is QuerySm:
        fields["message_id"] = fields["message_id"].filter(bool)
    return st.builds(
        pdu_class,
        command_status=st.integers(0, 0xFFFF_FFFF),
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
    assert written_by_them(pdu) == encode(pdu)


@pytest.mark.parametrize("pdu_class", SHARED, ids=lambda each: each.name)
@settings(max_examples=25)
@given(data=st.data())
def test_they_read_what_we_write(pdu_class: type[Pdu], data: st.DataObject):
    pdu = data.draw(shared_values(pdu_class))
    read = theirs(encode(pdu))
    assert (pdu.command_status, pdu.sequence_number) == (read.status, read.sequence)
    for name, kind in pdu.fields:
        expected = plain(getattr(pdu, name))
        if isinstance(kind, ShortMessage) and not expected:
            continue  # It leaves the attribute unset.
        assert expected == getattr(read, name)


INTEGERS = [
    ("submit_sm", "user_message_reference", 0x1234),
    ("submit_sm", "source_port", 0x0B84),
    ("submit_sm", "destination_port", 0x0B84),
    ("submit_sm", "sar_msg_ref_num", 0x1234),
    ("submit_sm", "sar_total_segments", 2),
    ("submit_sm", "sar_segment_seqnum", 1),
    ("submit_sm", "more_messages_to_send", 1),
    ("submit_sm", "privacy_indicator", 3),
    ("submit_sm", "dest_addr_subunit", 1),
    ("submit_sm", "display_time", 2),
    ("submit_sm", "sms_signal", 0x0102),
    ("submit_sm", "language_indicator", 1),
    ("deliver_sm", "message_state", 2),
    ("deliver_sm", "source_network_type", 1),
    ("deliver_sm", "receipted_message_id", "0123456789"),
    ("deliver_sm", "network_error_code", b"\x03\x00\x58"),
    ("deliver_sm", "message_payload", b"id:77 stat:DELIVRD"),
    ("data_sm", "qos_time_to_live", 86_400),
    ("data_sm", "payload_type", 1),
    ("bind_transceiver_resp", "sc_interface_version", 0x34),
    ("alert_notification", "ms_availability_status", 2),
]


@pytest.mark.parametrize(("name", "parameter", "value"), INTEGERS)
def test_both_write_and_read_a_parameter_alike(name: str, parameter: str, value: object):
    pdu_class = next(each for each in SHARED if each.name == name)
    required = {"destination_addr": "1"} if name in ("submit_sm", "data_sm") else {}
    pdu = pdu_class(sequence_number=1, tlvs=make_tlvs(**{parameter: value}), **required)
    octets = encode(pdu)
    assert written_by_them(pdu, **{parameter: value}) == octets
    assert value == decode(octets).tlvs.value(TlvTag[parameter.upper()])
    assert plain(value) == getattr(theirs(octets), parameter)


# Where they differ. Spec: the paragraph that decides stands with each.


def test_source_addr_subunit_is_one_octet():
    # SMPP 3.4 §5.3.2.2: one octet. smpplib writes two, and would read the next parameter's tag.
    pdu = SubmitSm(
        destination_addr="1",
        sequence_number=1,
        tlvs=make_tlvs(source_addr_subunit=1, dest_addr_subunit=2),
    )
    assert b"\x00\x0d\x00\x01\x01\x00\x05\x00\x01\x02" == pdu.tlvs.octets
    octets = written_by_them(pdu, source_addr_subunit=1)
    assert octets.endswith(b"\x00\x0d\x00\x02\x00\x01")
    assert 1 == decode(octets).tlvs.value(TlvTag.SOURCE_ADDR_SUBUNIT)


def test_network_error_code_is_three_octets_in_data_sm_resp_too():
    # SMPP 3.4 §5.3.2.31: three octets. smpplib takes it for a string there and drops the last.
    pdu = DataSmResp(message_id="77", tlvs=make_tlvs(network_error_code=b"\x03\x00\x58"))
    assert b"\x03\x00\x58" == decode(encode(pdu)).tlvs.value(TlvTag.NETWORK_ERROR_CODE)
    assert b"\x03\x00" == theirs(encode(pdu)).network_error_code


def test_a_subaddress_is_an_octet_string():
    # SMPP 3.4 §5.3.2.15: an octet string without a NUL. smpplib drops its last octet.
    pdu = SubmitSm(destination_addr="1", tlvs=make_tlvs(source_subaddress=b"\xa0\x01\x02"))
    assert b"\xa0\x01\x02" == decode(encode(pdu)).tlvs.value(TlvTag.SOURCE_SUBADDRESS)
    assert b"\xa0\x01" == theirs(encode(pdu)).source_subaddress


def test_an_address_of_data_sm_may_be_64_octets():
    # SMPP 3.4 §4.7.1: at most 65 octets with the NUL. smpplib cuts what it writes at 20, silently.
    pdu = DataSm(destination_addr="1" * 64, sequence_number=1)
    assert pdu == decode(encode(pdu))
    assert "1" * 20 == decode(written_by_them(pdu)).destination_addr


def test_a_value_that_does_not_fit_is_never_cut():
    # SMPP 3.4 §5.2.9: at most 21 octets. smpplib cuts; another subscriber would get the message.
    pdu = SubmitSm(destination_addr="3" * 25, sequence_number=1)
    assert "3" * 20 == decode(written_by_them(pdu)).destination_addr
    with pytest.raises(ValueError, match=r"submit_sm\.destination_addr: 25 octets"):
        encode(pdu)


@pytest.mark.parametrize(
    "tlv", [Tlv(0x1403, b"1101"), Tlv(TlvTag.CONGESTION_STATE, b"\x50")], ids=["vendor", "5.0"]
)
def test_an_unknown_parameter_is_ignored_and_kept(tlv: Tlv):
    # SMPP 3.4 §3.3: an unrecognised optional parameter is ignored. smpplib raises unless asked not to.
    octets = encode(DeliverSm(tlvs=Tlvs.of(tlv, Tlv(TlvTag.MESSAGE_STATE, b"\x02"))))
    assert (tlv.value, 2) == (
        decode(octets).tlvs.first(tlv.tag),
        decode(octets).tlvs.value(TlvTag.MESSAGE_STATE),
    )
    with pytest.raises(exceptions.UnknownCommandError):
        theirs(octets)
    assert 2 == theirs(octets, allow_unknown_opt_params=True).message_state


def test_a_known_parameter_may_stand_in_an_operation_that_does_not_list_it():
    # SMPP 3.4 §3.3 again: known but not expected is ignored as well. smpplib raises.
    octets = encode(SubmitSmResp(message_id="77", tlvs=make_tlvs(message_state=2)))
    assert 2 == decode(octets).tlvs.value(TlvTag.MESSAGE_STATE)
    with pytest.raises(KeyError):
        theirs(octets)


def test_a_repeated_parameter_is_kept_each_time():
    # SMPP 3.4 §4.4.1 lets callback_num occur several times; smpplib keeps the last.
    tlvs = Tlvs.of(Tlv(TlvTag.CALLBACK_NUM, b"\1\1\1A1"), Tlv(TlvTag.CALLBACK_NUM, b"\1\1\1A2"))
    octets = encode(SubmitSm(destination_addr="1", tlvs=tlvs))
    assert [b"\1\1\1A1", b"\1\1\1A2"] == [tlv.value for tlv in decode(octets).tlvs]
    assert b"\1\1\1A2" == theirs(octets).callback_num


def test_alert_on_message_delivery_is_empty():
    # SMPP 3.4 §5.3.2.41: no value. smpplib cannot write it and leaves it out.
    pdu = SubmitSm(
        destination_addr="1", sequence_number=1, tlvs=make_tlvs(alert_on_message_delivery=b"")
    )
    assert encode(pdu).endswith(b"\x13\x0c\x00\x00")
    assert encode(SubmitSm(destination_addr="1", sequence_number=1)) == written_by_them(
        pdu, alert_on_message_delivery=True
    )


def test_a_short_message_of_255_octets_can_be_read_by_both():
    # SMPP 5.0 allows 255 octets, 3.4 §5.2.22 only 254.
    pdu = DeliverSm(short_message=b"x" * 255)
    assert b"x" * 255 == theirs(encode(pdu)).short_message


def test_both_name_the_operations_and_their_numbers_alike(
    operation: type[Pdu],
):
    known = {name: number for number, name in _their_commands().items()}
    if operation.name in known:
        assert known[operation.name] == operation.command_id


def _their_commands() -> dict[int, str]:
    return {number: name for name, number in command.pdu.command_codes.commands.items()}


def test_both_have_the_same_tags():
    ours = {tag.name.lower(): tag.value for tag in TlvTag}
    for name, tag in consts.OPTIONAL_PARAMS.items():
        assert tag == ours[name]


def test_each_can_answer_the_other(feed: Callable[[bytes], Pdu]):
    ask = written_by_them(SubmitSm(destination_addr="1", short_message=b"hello", sequence_number=9))
    request = feed(ask)
    answer = theirs(encode(SubmitSmResp(message_id="77", sequence_number=request.sequence_number)))
    assert (b"77", 9) == (answer.message_id, answer.sequence)
