"""The names of results, with one sentence for each.

What a result means for a message (try again, another route, never) differs between carriers and is
decided in `whiteroute.engine.messages`, not here.
"""

from enum import IntEnum


class CommandStatus(IntEnum):
    """Every command_status of SMPP 3.3, 3.4 and 5.0. Unknown values stay plain integers.

    Spec: SMPP 3.4 §5.1.3, SMPP 5.0 §4.7.6 (5.0 renamed 0xC0 to 0xC4 and added 0x100 to 0x112)
    """

    meaning: str

    def __new__(cls, value: int, meaning: str = "") -> "CommandStatus":
        """Keep the sentence beside the number."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    ESME_ROK = 0x00, "The operation was carried out."
    ESME_RINVMSGLEN = 0x01, "The message length is invalid."
    ESME_RINVCMDLEN = 0x02, "The command length is invalid."
    ESME_RINVCMDID = 0x03, "The operation is not known."
    ESME_RINVBNDSTS = 0x04, "The operation is not allowed in this bind state."
    ESME_RALYBND = 0x05, "The ESME is already bound."
    ESME_RINVPRTFLG = 0x06, "The priority flag is invalid."
    ESME_RINVREGDLVFLG = 0x07, "The registered delivery flag is invalid."
    ESME_RSYSERR = 0x08, "The message centre had a system error."
    ESME_RINVSRCADR = 0x0A, "The source address is invalid."
    ESME_RINVDSTADR = 0x0B, "The destination address is invalid."
    ESME_RINVMSGID = 0x0C, "The message_id is invalid."
    ESME_RBINDFAIL = 0x0D, "The bind failed."
    ESME_RINVPASWD = 0x0E, "The password is wrong."
    ESME_RINVSYSID = 0x0F, "The system_id is wrong."
    ESME_RCANCELFAIL = 0x11, "The message could not be cancelled."
    ESME_RREPLACEFAIL = 0x13, "The message could not be replaced."
    ESME_RMSGQFUL = 0x14, "The message queue is full."
    ESME_RINVSERTYP = 0x15, "The service type is invalid."
    ESME_RINVNUMDESTS = 0x33, "The number of destinations is invalid."
    ESME_RINVDLNAME = 0x34, "The distribution list is not known."
    ESME_RINVDESTFLAG = 0x40, "The destination flag is invalid."
    ESME_RINVSUBREP = 0x42, "Submit with replace is not possible here."
    ESME_RINVESMCLASS = 0x43, "The esm_class is invalid."
    ESME_RCNTSUBDL = 0x44, "The distribution list cannot be submitted to."
    ESME_RSUBMITFAIL = 0x45, "The submission failed."
    ESME_RINVSRCTON = 0x48, "The source type of number is invalid."
    ESME_RINVSRCNPI = 0x49, "The source numbering plan is invalid."
    ESME_RINVDSTTON = 0x50, "The destination type of number is invalid."
    ESME_RINVDSTNPI = 0x51, "The destination numbering plan is invalid."
    ESME_RINVSYSTYP = 0x53, "The system_type is wrong."
    ESME_RINVREPFLAG = 0x54, "The replace_if_present flag is invalid."
    ESME_RINVNUMMSGS = 0x55, "The number of messages is invalid."
    ESME_RTHROTTLED = 0x58, "The ESME sent faster than it may."
    ESME_RINVSCHED = 0x61, "The scheduled delivery time is invalid."
    ESME_RINVEXPIRY = 0x62, "The validity period is invalid."
    ESME_RINVDFTMSGID = 0x63, "The predefined message is not known."
    ESME_RX_T_APPN = 0x64, "The receiving application cannot take it now."
    ESME_RX_P_APPN = 0x65, "The receiving application will never take it."
    ESME_RX_R_APPN = 0x66, "The receiving application rejected it."
    ESME_RQUERYFAIL = 0x67, "The query failed."
    ESME_RINVTLVSTREAM = 0xC0, "The optional part of the body is malformed."
    ESME_RTLVNOTALLWD = 0xC1, "An optional parameter is not allowed here."
    ESME_RINVTLVLEN = 0xC2, "An optional parameter has a wrong length."
    ESME_RMISSINGTLV = 0xC3, "An expected optional parameter is missing."
    ESME_RINVTLVVAL = 0xC4, "An optional parameter has an invalid value."
    ESME_RDELIVERYFAILURE = 0xFE, "The delivery of the transaction failed."
    ESME_RUNKNOWNERR = 0xFF, "An unknown error occurred."
    ESME_RSERTYPUNAUTH = 0x100, "The ESME may not use this service type."
    ESME_RPROHIBITED = 0x101, "The ESME may not use this operation."
    ESME_RSERTYPUNAVAIL = 0x102, "The service type is not available now."
    ESME_RSERTYPDENIED = 0x103, "The service type is denied."
    ESME_RINVDCS = 0x104, "The data_coding is invalid."
    ESME_RINVSRCADDRSUBUNIT = 0x105, "The source address subunit is invalid."
    ESME_RINVDSTADDRSUBUNIT = 0x106, "The destination address subunit is invalid."
    ESME_RINVBCASTFREQINT = 0x107, "The broadcast frequency interval is invalid."
    ESME_RINVBCASTALIAS_NAME = 0x108, "The broadcast area alias is invalid."
    ESME_RINVBCASTAREAFMT = 0x109, "The broadcast area format is invalid."
    ESME_RINVNUMBCAST_AREAS = 0x10A, "The number of broadcast areas is invalid."
    ESME_RINVBCASTCNTTYPE = 0x10B, "The broadcast content type is invalid."
    ESME_RINVBCASTMSGCLASS = 0x10C, "The broadcast message class is invalid."
    ESME_RBCASTFAIL = 0x10D, "The broadcast failed."
    ESME_RBCASTQUERYFAIL = 0x10E, "The query of the broadcast failed."
    ESME_RBCASTCANCELFAIL = 0x10F, "The broadcast could not be cancelled."
    ESME_RINVBCAST_REP = 0x110, "The number of broadcast repeats is invalid."
    ESME_RINVBCASTSRVGRP = 0x111, "The broadcast service group is invalid."
    ESME_RINVBCASTCHANIND = 0x112, "The broadcast channel indicator is invalid."


VENDOR_STATUSES = range(0x400, 0x500)
"""Reserved for the makers of message centres. Spec: SMPP 3.4 §5.1.3"""


def status_name(command_status: int) -> str:
    """Give the status's name, e.g. `ESME_RTHROTTLED`, or its number, e.g. `0x0000040B`.

    Args:
        command_status: Any unsigned 32-bit value.

    Returns:
        Never an empty string.
    """
    try:
        return CommandStatus(command_status).name
    except ValueError:
        return f"0x{command_status:08X}"


def status_meaning(command_status: int) -> str:
    """Say in one sentence what the specification means by a status.

    Args:
        command_status: Any unsigned 32-bit value.

    Returns:
        One sentence; for vendor and reserved values it says which of the two they are.
    """
    try:
        return CommandStatus(command_status).meaning
    except ValueError:
        kind = "the carrier's own" if command_status in VENDOR_STATUSES else "reserved"
        return f"The value is {kind}; the specification gives it no meaning."
