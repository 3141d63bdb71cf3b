"""The declarations as a whole: nothing missing, nothing twice, nothing shown that is secret."""

import re
from collections.abc import Callable

import attrs
import pytest

from whiteroute.pdu import (
    OPERATIONS,
    BindTransceiver,
    BindTransceiverResp,
    CommandId,
    CommandStatus,
    DeliverSm,
    Outbind,
    Pdu,
    SubmitSm,
    UnknownPdu,
    command_id_of,
    is_response,
    make_tlvs,
    response_id,
)
from whiteroute.pdu.wire import (
    COctetString,
    DestAddresses,
    Integer,
    ShortMessage,
    UnsuccessSmes,
    WireType,
)

HEADER = ("tlvs", "command_status", "sequence_number", "wire_form")

# Field lists copied from chapter 4 of the specification, in wire order; sm_length, number_of_dests and
# no_unsuccess are counted by their wire types.
SPECIFIED = {
    "bind_transceiver": "system_id password system_type interface_version addr_ton addr_npi"
    " address_range",
    "bind_transceiver_resp": "system_id",
    "outbind": "system_id password",
    "unbind": "",
    "unbind_resp": "",
    "generic_nack": "",
    "submit_sm": "service_type source_addr_ton source_addr_npi source_addr dest_addr_ton"
    " dest_addr_npi destination_addr esm_class protocol_id priority_flag schedule_delivery_time"
    " validity_period registered_delivery replace_if_present_flag data_coding sm_default_msg_id"
    " short_message",
    "submit_sm_resp": "message_id",
    "submit_multi": "service_type source_addr_ton source_addr_npi source_addr dest_address esm_class"
    " protocol_id priority_flag schedule_delivery_time validity_period registered_delivery"
    " replace_if_present_flag data_coding sm_default_msg_id short_message",
    "submit_multi_resp": "message_id unsuccess_sme",
    "deliver_sm_resp": "message_id",
    "data_sm": "service_type source_addr_ton source_addr_npi source_addr dest_addr_ton dest_addr_npi"
    " destination_addr esm_class registered_delivery data_coding",
    "data_sm_resp": "message_id",
    "query_sm": "message_id source_addr_ton source_addr_npi source_addr",
    "query_sm_resp": "message_id final_date message_state error_code",
    "cancel_sm": "service_type message_id source_addr_ton source_addr_npi source_addr dest_addr_ton"
    " dest_addr_npi destination_addr",
    "cancel_sm_resp": "",
    "replace_sm": "message_id source_addr_ton source_addr_npi source_addr schedule_delivery_time"
    " validity_period registered_delivery sm_default_msg_id short_message",
    "replace_sm_resp": "",
    "enquire_link": "",
    "enquire_link_resp": "",
    "alert_notification": "source_addr_ton source_addr_npi source_addr esme_addr_ton esme_addr_npi"
    " esme_addr",
    "broadcast_sm": "service_type source_addr_ton source_addr_npi source_addr message_id priority_flag"
    " schedule_delivery_time validity_period replace_if_present_flag data_coding sm_default_msg_id",
    "broadcast_sm_resp": "message_id",
    "query_broadcast_sm": "message_id source_addr_ton source_addr_npi source_addr",
    "query_broadcast_sm_resp": "message_id",
    "cancel_broadcast_sm": "service_type message_id source_addr_ton source_addr_npi source_addr",
    "cancel_broadcast_sm_resp": "",
}
for _mode in ("transmitter", "receiver"):
    SPECIFIED[f"bind_{_mode}"] = SPECIFIED["bind_transceiver"]
    SPECIFIED[f"bind_{_mode}_resp"] = SPECIFIED["bind_transceiver_resp"]
SPECIFIED["deliver_sm"] = SPECIFIED["submit_sm"]

# Longest forms in octets, the NUL included. Spec: SMPP 3.4 §4 and §5.2
SIZES = {
    "system_id": 16,
    "password": 9,
    "system_type": 13,
    "address_range": 41,
    "service_type": 6,
    "source_addr": 21,
    "destination_addr": 21,
    "esme_addr": 65,
    "message_id": 65,
    "schedule_delivery_time": 17,
    "validity_period": 17,
    "final_date": 17,
}
LONG_ADDRESSES = {"data_sm", "alert_notification"}


def test_every_command_id_has_a_class_and_every_class_a_command_id():
    assert set(CommandId) == set(OPERATIONS)
    assert {pdu_class.command_id: pdu_class for pdu_class in OPERATIONS.values()} == OPERATIONS


def test_an_operation_is_named_as_the_specification_names_it(operation: type[Pdu]):
    assert CommandId(operation.command_id).name.lower() == operation.name
    assert operation.name.replace("_", "") == operation.__name__.lower()


def test_an_operation_has_the_fields_of_the_specification_in_its_order(operation: type[Pdu]):
    assert SPECIFIED[operation.name].split() == [name for name, _ in operation.fields]


def test_every_string_has_the_bound_of_the_specification(operation: type[Pdu]):
    for name, kind in operation.fields:
        if isinstance(kind, COctetString):
            long = operation.name in LONG_ADDRESSES and name.endswith("_addr")
            assert kind.size == (65 if long else SIZES[name])


def test_every_request_has_its_response_class_and_every_response_its_request():
    answers = {response_id(command_id) for command_id in OPERATIONS} - {None}
    responses = {command_id for command_id in OPERATIONS if command_id & 0x8000_0000}
    assert responses - {CommandId.GENERIC_NACK} == answers


def test_only_outbind_and_alert_notification_have_no_response():
    silent = {each for each in CommandId if response_id(each) is None and not each & 0x8000_0000}
    assert {CommandId.OUTBIND, CommandId.ALERT_NOTIFICATION} == silent


def test_attributes_are_the_body_in_wire_order_and_then_the_header(operation: type[Pdu]):
    attributes = [attribute.name for attribute in attrs.fields(operation)]
    assert [*(name for name, _ in operation.fields), *HEADER] == attributes


def test_every_field_has_a_wire_type_and_a_python_type_that_fits_it(operation: type[Pdu]):
    python: dict[type[WireType], object] = {Integer: int, COctetString: str, ShortMessage: bytes}
    annotations = operation.__annotations__
    for name, kind in operation.fields:
        assert isinstance(kind, WireType)
        assert kind in annotations[name].__metadata__
        if type(kind) in python:
            assert python[type(kind)] is annotations[name].__origin__


def test_a_default_is_what_its_wire_type_writes_for_nothing(operation: type[Pdu]):
    allowed = {"interface_version": 0x34}
    for name, kind in operation.fields:
        default = attrs.fields_dict(operation)[name].default
        assert default in (attrs.NOTHING, allowed.get(name, kind.default))


def test_what_a_request_cannot_do_without_has_no_default():
    required = {
        pdu_class.name: [
            name for name in attrs.fields_dict(pdu_class) if _required(pdu_class, name)
        ]
        for pdu_class in OPERATIONS.values()
    }
    assert {
        "bind_receiver": ["system_id"],
        "bind_transmitter": ["system_id"],
        "bind_transceiver": ["system_id"],
        "outbind": ["system_id"],
        "submit_sm": ["destination_addr"],
        "data_sm": ["destination_addr"],
        "query_sm": ["message_id"],
        "replace_sm": ["message_id"],
        "query_broadcast_sm": ["message_id"],
    } == {name: fields for name, fields in required.items() if fields}


def _required(pdu_class: type[Pdu], name: str) -> bool:
    return attrs.fields_dict(pdu_class)[name].default is attrs.NOTHING


def test_every_response_can_be_made_from_nothing():
    for pdu_class in OPERATIONS.values():
        if pdu_class.command_id & 0x8000_0000:
            assert pdu_class().command_status == CommandStatus.ESME_ROK


def test_sections_look_like_sections(operation: type[Pdu]):
    assert re.fullmatch(r"SMPP (3\.4|5\.0) §4(\.\d+){2}", operation.spec)
    for _, kind in operation.fields:
        assert re.fullmatch(r"(5\.2|4)(\.\d+)+", kind.spec)


def test_an_operation_says_in_its_docstring_what_it_does(operation: type[Pdu]):
    assert operation.__doc__
    assert operation.__doc__.strip().endswith(".")


def test_groups_are_declared_where_the_specification_has_them():
    groups = {
        (pdu_class.name, name)
        for pdu_class in OPERATIONS.values()
        for name, kind in pdu_class.fields
        if isinstance(kind, DestAddresses | UnsuccessSmes)
    }
    assert {("submit_multi", "dest_address"), ("submit_multi_resp", "unsuccess_sme")} == groups


# What a PDU is as a value.


def test_a_pdu_shows_what_differs_from_the_defaults():
    pdu = SubmitSm(source_addr="ACME", destination_addr="34600111222", esm_class=3)
    assert "SubmitSm(source_addr='ACME', destination_addr='34600111222', esm_class=3)" == repr(pdu)


@pytest.mark.parametrize(
    ("pdu", "shown"),
    [
        (
            BindTransceiver(system_id="gateway", password="secret"),
            "BindTransceiver(system_id='gateway', password=<6 octets>)",
        ),
        (
            Outbind(system_id="mc", password="secret"),
            "Outbind(system_id='mc', password=<6 octets>)",
        ),
        (
            SubmitSm(destination_addr="34600111222", short_message=b"secret"),
            "SubmitSm(destination_addr='34600111222', short_message=<6 octets>)",
        ),
        (
            DeliverSm(tlvs=make_tlvs(message_payload=b"secret"), sequence_number=7),
            "DeliverSm(tlvs=Tlvs(message_payload=6 octets), sequence_number=7)",
        ),
        (
            UnknownPdu(unknown_command_id=0x428, body=b"secret"),
            "UnknownPdu(unknown_command_id=1064, body=<6 octets>)",
        ),
    ],
)
def test_a_pdu_hides_passwords_and_texts(pdu: Pdu, shown: str):
    assert shown == repr(pdu)


def test_pdus_are_equal_by_their_values_and_by_nothing_else(
    filled: Callable[[type[Pdu]], Pdu], operation: type[Pdu]
):
    assert filled(operation) == filled(operation)
    for name in ("command_status", "sequence_number"):
        assert filled(operation) != attrs.evolve(filled(operation), **{name: 99})


def test_pdus_take_no_further_attributes(operation: type[Pdu], filled: Callable[[type[Pdu]], Pdu]):
    with pytest.raises(AttributeError):
        filled(operation).message_ref = "7"


def test_a_pdu_tells_which_operation_it_is_and_whether_it_answers_one():
    assert CommandId.SUBMIT_SM == command_id_of(SubmitSm(destination_addr="1"))
    assert command_id_of(UnknownPdu(unknown_command_id=0x428)) == 0x428
    assert is_response(BindTransceiverResp())
    assert is_response(UnknownPdu(unknown_command_id=0x8000_0428))
    assert not is_response(UnknownPdu(unknown_command_id=0x428))
    assert not is_response(DeliverSm())
