"""Every operation of SMPP 3.3, 3.4 and 5.0, each field once, in wire order.

A field's line gives its Python type, its wire type with bounds, the section that defines it, and the
command_status with which a bad one is refused. Reading and writing are derived from these lines.
Section numbers without a version are SMPP 3.4's.
"""

from typing import Annotated

from .command_id import CommandId
from .command_status import CommandStatus as S
from .declaration import Pdu, operation
from .values import InterfaceVersion, MessageState, Npi, Ton
from .wire import (
    COctetString,
    DestAddresses,
    DistributionList,
    Integer,
    ShortMessage,
    SmeAddress,
    UnsuccessSme,
    UnsuccessSmes,
)


@operation(CommandId.BIND_TRANSMITTER, "SMPP 3.4 §4.1.1")
class BindTransmitter(Pdu):
    """The ESME asks for a session in which it only submits."""

    system_id: Annotated[str, COctetString(16, "5.2.1", S.ESME_RINVSYSID)]
    password: Annotated[str, COctetString(9, "5.2.2", S.ESME_RINVPASWD)] = ""
    system_type: Annotated[str, COctetString(13, "5.2.3", S.ESME_RINVSYSTYP)] = ""
    interface_version: Annotated[int, Integer("5.2.4", InterfaceVersion)] = InterfaceVersion.V3_4
    addr_ton: Annotated[int, Integer("5.2.5", Ton)] = 0
    addr_npi: Annotated[int, Integer("5.2.6", Npi)] = 0
    address_range: Annotated[str, COctetString(41, "5.2.7")] = ""


@operation(CommandId.BIND_TRANSMITTER_RESP, "SMPP 3.4 §4.1.2")
class BindTransmitterResp(Pdu):
    """Answers it; system_id is the MC's own. sc_interface_version may follow."""

    system_id: Annotated[str, COctetString(16, "5.2.1")] = ""


@operation(CommandId.BIND_RECEIVER, "SMPP 3.4 §4.1.3")
class BindReceiver(Pdu):
    """The ESME asks for a session in which it only receives."""

    system_id: Annotated[str, COctetString(16, "5.2.1", S.ESME_RINVSYSID)]
    password: Annotated[str, COctetString(9, "5.2.2", S.ESME_RINVPASWD)] = ""
    system_type: Annotated[str, COctetString(13, "5.2.3", S.ESME_RINVSYSTYP)] = ""
    interface_version: Annotated[int, Integer("5.2.4", InterfaceVersion)] = InterfaceVersion.V3_4
    addr_ton: Annotated[int, Integer("5.2.5", Ton)] = 0
    addr_npi: Annotated[int, Integer("5.2.6", Npi)] = 0
    address_range: Annotated[str, COctetString(41, "5.2.7")] = ""


@operation(CommandId.BIND_RECEIVER_RESP, "SMPP 3.4 §4.1.4")
class BindReceiverResp(Pdu):
    """Answers it; system_id is the MC's own. sc_interface_version may follow."""

    system_id: Annotated[str, COctetString(16, "5.2.1")] = ""


@operation(CommandId.BIND_TRANSCEIVER, "SMPP 3.4 §4.1.5")
class BindTransceiver(Pdu):
    """The ESME asks for a session in which it submits and receives."""

    system_id: Annotated[str, COctetString(16, "5.2.1", S.ESME_RINVSYSID)]
    password: Annotated[str, COctetString(9, "5.2.2", S.ESME_RINVPASWD)] = ""
    system_type: Annotated[str, COctetString(13, "5.2.3", S.ESME_RINVSYSTYP)] = ""
    interface_version: Annotated[int, Integer("5.2.4", InterfaceVersion)] = InterfaceVersion.V3_4
    addr_ton: Annotated[int, Integer("5.2.5", Ton)] = 0
    addr_npi: Annotated[int, Integer("5.2.6", Npi)] = 0
    address_range: Annotated[str, COctetString(41, "5.2.7")] = ""


@operation(CommandId.BIND_TRANSCEIVER_RESP, "SMPP 3.4 §4.1.6")
class BindTransceiverResp(Pdu):
    """Answers it; system_id is the MC's own. sc_interface_version may follow."""

    system_id: Annotated[str, COctetString(16, "5.2.1")] = ""


@operation(CommandId.OUTBIND, "SMPP 3.4 §4.1.7")
class Outbind(Pdu):
    """The MC asks an ESME to bind as a receiver; nobody answers it."""

    system_id: Annotated[str, COctetString(16, "5.2.1", S.ESME_RINVSYSID)]
    password: Annotated[str, COctetString(9, "5.2.2", S.ESME_RINVPASWD)] = ""


@operation(CommandId.UNBIND, "SMPP 3.4 §4.2.1")
class Unbind(Pdu):
    """Either side ends the session."""


@operation(CommandId.UNBIND_RESP, "SMPP 3.4 §4.2.2")
class UnbindResp(Pdu):
    """Answers unbind; the link is closed after it."""


@operation(CommandId.GENERIC_NACK, "SMPP 3.4 §4.3.1")
class GenericNack(Pdu):
    """Refuses a PDU that could not be understood; sequence_number 0 if not even the header was."""


@operation(CommandId.SUBMIT_SM, "SMPP 3.4 §4.4.1")
class SubmitSm(Pdu):
    """The ESME hands the MC one short message for one destination."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""
    dest_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVDSTTON)] = 0
    dest_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVDSTNPI)] = 0
    destination_addr: Annotated[str, COctetString(21, "5.2.9", S.ESME_RINVDSTADR)]
    esm_class: Annotated[int, Integer("5.2.12", bad=S.ESME_RINVESMCLASS)] = 0
    protocol_id: Annotated[int, Integer("5.2.13")] = 0
    priority_flag: Annotated[int, Integer("5.2.14", range(5), S.ESME_RINVPRTFLG)] = 0
    schedule_delivery_time: Annotated[
        str, COctetString(17, "5.2.15", S.ESME_RINVSCHED, seldom=True, empty_or_full=True)
    ] = ""
    validity_period: Annotated[
        str, COctetString(17, "5.2.16", S.ESME_RINVEXPIRY, seldom=True, empty_or_full=True)
    ] = ""
    registered_delivery: Annotated[int, Integer("5.2.17", range(32), S.ESME_RINVREGDLVFLG)] = 0
    replace_if_present_flag: Annotated[int, Integer("5.2.18", range(2), S.ESME_RINVREPFLAG)] = 0
    data_coding: Annotated[int, Integer("5.2.19", bad=S.ESME_RINVDCS)] = 0
    sm_default_msg_id: Annotated[int, Integer("5.2.20", range(255), S.ESME_RINVDFTMSGID)] = 0
    short_message: Annotated[bytes, ShortMessage("5.2.22")] = b""


@operation(CommandId.SUBMIT_SM_RESP, "SMPP 3.4 §4.4.2")
class SubmitSmResp(Pdu):
    """Answers submit_sm; message_id is the MC's name for the message."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""


@operation(CommandId.SUBMIT_MULTI, "SMPP 3.4 §4.5.1")
class SubmitMulti(Pdu):
    """The ESME hands the MC one short message for up to 255 numbers and lists."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""
    dest_address: Annotated[tuple[SmeAddress | DistributionList, ...], DestAddresses()] = ()
    esm_class: Annotated[int, Integer("5.2.12", bad=S.ESME_RINVESMCLASS)] = 0
    protocol_id: Annotated[int, Integer("5.2.13")] = 0
    priority_flag: Annotated[int, Integer("5.2.14", range(5), S.ESME_RINVPRTFLG)] = 0
    schedule_delivery_time: Annotated[
        str, COctetString(17, "5.2.15", S.ESME_RINVSCHED, seldom=True, empty_or_full=True)
    ] = ""
    validity_period: Annotated[
        str, COctetString(17, "5.2.16", S.ESME_RINVEXPIRY, seldom=True, empty_or_full=True)
    ] = ""
    registered_delivery: Annotated[int, Integer("5.2.17", range(32), S.ESME_RINVREGDLVFLG)] = 0
    replace_if_present_flag: Annotated[int, Integer("5.2.18", range(2), S.ESME_RINVREPFLAG)] = 0
    data_coding: Annotated[int, Integer("5.2.19", bad=S.ESME_RINVDCS)] = 0
    sm_default_msg_id: Annotated[int, Integer("5.2.20", range(255), S.ESME_RINVDFTMSGID)] = 0
    short_message: Annotated[bytes, ShortMessage("5.2.22")] = b""


@operation(CommandId.SUBMIT_MULTI_RESP, "SMPP 3.4 §4.5.2")
class SubmitMultiResp(Pdu):
    """Answers submit_multi; names the destinations that were not accepted."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""
    unsuccess_sme: Annotated[tuple[UnsuccessSme, ...], UnsuccessSmes()] = ()


@operation(CommandId.DELIVER_SM, "SMPP 3.4 §4.6.1")
class DeliverSm(Pdu):
    """The MC hands the ESME a short message or a delivery receipt."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""
    dest_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVDSTTON)] = 0
    dest_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVDSTNPI)] = 0
    destination_addr: Annotated[str, COctetString(21, "5.2.9", S.ESME_RINVDSTADR)] = ""
    esm_class: Annotated[int, Integer("5.2.12", bad=S.ESME_RINVESMCLASS)] = 0
    protocol_id: Annotated[int, Integer("5.2.13")] = 0
    priority_flag: Annotated[int, Integer("5.2.14", range(5), S.ESME_RINVPRTFLG)] = 0
    schedule_delivery_time: Annotated[
        str, COctetString(17, "5.2.15", S.ESME_RINVSCHED, seldom=True, empty_or_full=True)
    ] = ""
    validity_period: Annotated[
        str, COctetString(17, "5.2.16", S.ESME_RINVEXPIRY, seldom=True, empty_or_full=True)
    ] = ""
    registered_delivery: Annotated[int, Integer("5.2.17", range(32), S.ESME_RINVREGDLVFLG)] = 0
    replace_if_present_flag: Annotated[int, Integer("5.2.18", range(2), S.ESME_RINVREPFLAG)] = 0
    data_coding: Annotated[int, Integer("5.2.19", bad=S.ESME_RINVDCS)] = 0
    sm_default_msg_id: Annotated[int, Integer("5.2.20", range(255), S.ESME_RINVDFTMSGID)] = 0
    short_message: Annotated[bytes, ShortMessage("5.2.22")] = b""


@operation(CommandId.DELIVER_SM_RESP, "SMPP 3.4 §4.6.2")
class DeliverSmResp(Pdu):
    """Answers deliver_sm; message_id is unused and empty."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""


@operation(CommandId.DATA_SM, "SMPP 3.4 §4.7.1")
class DataSm(Pdu):
    """Either side hands over a message; the text is in message_payload."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(65, "5.2.8", S.ESME_RINVSRCADR)] = ""
    dest_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVDSTTON)] = 0
    dest_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVDSTNPI)] = 0
    destination_addr: Annotated[str, COctetString(65, "5.2.9", S.ESME_RINVDSTADR)]
    esm_class: Annotated[int, Integer("5.2.12", bad=S.ESME_RINVESMCLASS)] = 0
    registered_delivery: Annotated[int, Integer("5.2.17", range(32), S.ESME_RINVREGDLVFLG)] = 0
    data_coding: Annotated[int, Integer("5.2.19", bad=S.ESME_RINVDCS)] = 0


@operation(CommandId.DATA_SM_RESP, "SMPP 3.4 §4.7.2")
class DataSmResp(Pdu):
    """Answers data_sm; its TLVs tell why a delivery failed."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""


@operation(CommandId.QUERY_SM, "SMPP 3.4 §4.8.1")
class QuerySm(Pdu):
    """The ESME asks what became of a message."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)]
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""


@operation(CommandId.QUERY_SM_RESP, "SMPP 3.4 §4.8.2")
class QuerySmResp(Pdu):
    """Answers query_sm; error_code is the network's or the MC's own."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""
    final_date: Annotated[str, COctetString(17, "4.8.2", empty_or_full=True)] = ""
    message_state: Annotated[int, Integer("5.2.28", MessageState)] = 0
    error_code: Annotated[int, Integer("4.8.2")] = 0


@operation(CommandId.CANCEL_SM, "SMPP 3.4 §4.9.1")
class CancelSm(Pdu):
    """The ESME takes back one message, or all to a destination when message_id is empty."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""
    dest_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVDSTTON)] = 0
    dest_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVDSTNPI)] = 0
    destination_addr: Annotated[str, COctetString(21, "5.2.9", S.ESME_RINVDSTADR)] = ""


@operation(CommandId.CANCEL_SM_RESP, "SMPP 3.4 §4.9.2")
class CancelSmResp(Pdu):
    """Answers cancel_sm."""


@operation(CommandId.REPLACE_SM, "SMPP 3.4 §4.10.1")
class ReplaceSm(Pdu):
    """The ESME replaces the text of a message that still waits."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)]
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""
    schedule_delivery_time: Annotated[
        str, COctetString(17, "5.2.15", S.ESME_RINVSCHED, empty_or_full=True)
    ] = ""
    validity_period: Annotated[
        str, COctetString(17, "5.2.16", S.ESME_RINVEXPIRY, empty_or_full=True)
    ] = ""
    registered_delivery: Annotated[int, Integer("5.2.17", range(32), S.ESME_RINVREGDLVFLG)] = 0
    sm_default_msg_id: Annotated[int, Integer("5.2.20", range(255), S.ESME_RINVDFTMSGID)] = 0
    short_message: Annotated[bytes, ShortMessage("5.2.22")] = b""


@operation(CommandId.REPLACE_SM_RESP, "SMPP 3.4 §4.10.2")
class ReplaceSmResp(Pdu):
    """Answers replace_sm."""


@operation(CommandId.ENQUIRE_LINK, "SMPP 3.4 §4.11.1")
class EnquireLink(Pdu):
    """Either side asks whether the other still listens."""


@operation(CommandId.ENQUIRE_LINK_RESP, "SMPP 3.4 §4.11.2")
class EnquireLinkResp(Pdu):
    """Answers enquire_link."""


@operation(CommandId.ALERT_NOTIFICATION, "SMPP 3.4 §4.12.1")
class AlertNotification(Pdu):
    """The MC says that a mobile can be reached again; nobody answers it."""

    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(65, "5.2.8", S.ESME_RINVSRCADR)] = ""
    esme_addr_ton: Annotated[int, Integer("5.2.5", Ton)] = 0
    esme_addr_npi: Annotated[int, Integer("5.2.6", Npi)] = 0
    esme_addr: Annotated[str, COctetString(65, "5.2.10")] = ""


@operation(CommandId.BROADCAST_SM, "SMPP 5.0 §4.4.1")
class BroadcastSm(Pdu):
    """The ESME hands the MC a message for an area; area, content and rhythm are TLVs."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""
    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""
    priority_flag: Annotated[int, Integer("5.2.14", range(5), S.ESME_RINVPRTFLG)] = 0
    schedule_delivery_time: Annotated[
        str, COctetString(17, "5.2.15", S.ESME_RINVSCHED, seldom=True, empty_or_full=True)
    ] = ""
    validity_period: Annotated[
        str, COctetString(17, "5.2.16", S.ESME_RINVEXPIRY, seldom=True, empty_or_full=True)
    ] = ""
    replace_if_present_flag: Annotated[int, Integer("5.2.18", range(2), S.ESME_RINVREPFLAG)] = 0
    data_coding: Annotated[int, Integer("5.2.19", bad=S.ESME_RINVDCS)] = 0
    sm_default_msg_id: Annotated[int, Integer("5.2.20", range(255), S.ESME_RINVDFTMSGID)] = 0


@operation(CommandId.BROADCAST_SM_RESP, "SMPP 5.0 §4.4.2")
class BroadcastSmResp(Pdu):
    """Answers broadcast_sm."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""


@operation(CommandId.QUERY_BROADCAST_SM, "SMPP 5.0 §4.6.1")
class QueryBroadcastSm(Pdu):
    """The ESME asks how far a broadcast has got."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)]
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""


@operation(CommandId.QUERY_BROADCAST_SM_RESP, "SMPP 5.0 §4.6.2")
class QueryBroadcastSmResp(Pdu):
    """Answers query_broadcast_sm; state and areas are TLVs."""

    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""


@operation(CommandId.CANCEL_BROADCAST_SM, "SMPP 5.0 §4.6.3")
class CancelBroadcastSm(Pdu):
    """The ESME takes a broadcast back."""

    service_type: Annotated[str, COctetString(6, "5.2.11", S.ESME_RINVSERTYP, seldom=True)] = ""
    message_id: Annotated[str, COctetString(65, "5.2.23", S.ESME_RINVMSGID)] = ""
    source_addr_ton: Annotated[int, Integer("5.2.5", Ton, S.ESME_RINVSRCTON)] = 0
    source_addr_npi: Annotated[int, Integer("5.2.6", Npi, S.ESME_RINVSRCNPI)] = 0
    source_addr: Annotated[str, COctetString(21, "5.2.8", S.ESME_RINVSRCADR)] = ""


@operation(CommandId.CANCEL_BROADCAST_SM_RESP, "SMPP 5.0 §4.6.4")
class CancelBroadcastSmResp(Pdu):
    """Answers cancel_broadcast_sm."""
