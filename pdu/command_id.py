"""The names of the operations, and which of them answers which.

Whether an operation may be sent in a given state is a matter of the session, not of this table.
"""

from enum import IntEnum

RESPONSE_BIT = 0x8000_0000
"""Set in the command_id of every response. Spec: SMPP 3.4 §5.1.2.1"""


class CommandId(IntEnum):
    """Every operation of SMPP 3.3, 3.4 and 5.0. Unknown values stay plain integers.

    Spec: SMPP 3.4 §5.1.2.1, SMPP 5.0 §4.7.5
    """

    BIND_RECEIVER = 0x0000_0001
    BIND_TRANSMITTER = 0x0000_0002
    QUERY_SM = 0x0000_0003
    SUBMIT_SM = 0x0000_0004
    DELIVER_SM = 0x0000_0005
    UNBIND = 0x0000_0006
    REPLACE_SM = 0x0000_0007
    CANCEL_SM = 0x0000_0008
    BIND_TRANSCEIVER = 0x0000_0009
    OUTBIND = 0x0000_000B
    ENQUIRE_LINK = 0x0000_0015
    SUBMIT_MULTI = 0x0000_0021
    ALERT_NOTIFICATION = 0x0000_0102
    DATA_SM = 0x0000_0103
    BROADCAST_SM = 0x0000_0111
    QUERY_BROADCAST_SM = 0x0000_0112
    CANCEL_BROADCAST_SM = 0x0000_0113
    GENERIC_NACK = 0x8000_0000
    BIND_RECEIVER_RESP = 0x8000_0001
    BIND_TRANSMITTER_RESP = 0x8000_0002
    QUERY_SM_RESP = 0x8000_0003
    SUBMIT_SM_RESP = 0x8000_0004
    DELIVER_SM_RESP = 0x8000_0005
    UNBIND_RESP = 0x8000_0006
    REPLACE_SM_RESP = 0x8000_0007
    CANCEL_SM_RESP = 0x8000_0008
    BIND_TRANSCEIVER_RESP = 0x8000_0009
    ENQUIRE_LINK_RESP = 0x8000_0015
    SUBMIT_MULTI_RESP = 0x8000_0021
    DATA_SM_RESP = 0x8000_0103
    BROADCAST_SM_RESP = 0x8000_0111
    QUERY_BROADCAST_SM_RESP = 0x8000_0112
    CANCEL_BROADCAST_SM_RESP = 0x8000_0113


WITHOUT_RESPONSE = frozenset((CommandId.OUTBIND, CommandId.ALERT_NOTIFICATION))
"""Requests that nobody answers. Spec: SMPP 3.4 §4.1.7, §4.12"""


def command_name(command_id: int) -> str:
    """Give the operation's name as the specification spells it.

    Args:
        command_id: Any unsigned 32-bit value.

    Returns:
        E.g. `submit_sm`; for a value outside the table its number, `0x00000428`.
    """
    try:
        return CommandId(command_id).name.lower()
    except ValueError:
        return f"0x{command_id:08X}"


def response_id(command_id: int) -> int | None:
    """Give the command_id which answers a request.

    Args:
        command_id: A request's or a response's command_id, known or not.

    Returns:
        The request's value with the response bit set; None for a response and for the requests
        which have no response.
    """
    if command_id & RESPONSE_BIT or command_id in WITHOUT_RESPONSE:
        return None
    return command_id | RESPONSE_BIT
