"""The named values of one-octet fields: numbering, classes, receipts wanted, message states.

Fields themselves are plain integers, because a peer may send any octet and the codec keeps it.
Compare with these members; look a name up with `name_of`.
"""

from enum import IntEnum

LAST_SEQUENCE_NUMBER = 0x7FFF_FFFF
"""After it comes 1 again. Spec: SMPP 3.4 §3.2"""


class Ton(IntEnum):
    """Type of number. Spec: SMPP 3.4 §5.2.5"""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NATIONAL = 2
    NETWORK_SPECIFIC = 3
    SUBSCRIBER_NUMBER = 4
    ALPHANUMERIC = 5
    ABBREVIATED = 6


class Npi(IntEnum):
    """Numbering plan indicator. Spec: SMPP 3.4 §5.2.6"""

    UNKNOWN = 0
    ISDN = 1
    DATA = 3
    TELEX = 4
    LAND_MOBILE = 6
    NATIONAL = 8
    PRIVATE = 9
    ERMES = 10
    INTERNET = 14
    WAP_CLIENT_ID = 18


class InterfaceVersion(IntEnum):
    """The protocol version named in a bind. Spec: SMPP 3.4 §5.2.4, SMPP 5.0 §4.7.13"""

    V3_3 = 0x33
    V3_4 = 0x34
    V5_0 = 0x50


class MessageState(IntEnum):
    """Where a message is in the MC, as told by query_sm_resp and receipts.

    Spec: SMPP 3.4 §5.2.28, SMPP 5.0 §4.7.15 (0 and 9 came with 5.0)
    """

    SCHEDULED = 0
    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8
    SKIPPED = 9


class EsmClass:
    """Bits of esm_class; add one of each group. Spec: SMPP 3.4 §5.2.12"""

    DEFAULT_MODE = 0x00
    DATAGRAM = 0x01
    FORWARD = 0x02
    STORE_AND_FORWARD = 0x03
    MODE_MASK = 0x03
    RECEIPT = 0x04
    """In deliver_sm: the short message is an MC delivery receipt."""
    DELIVERY_ACKNOWLEDGEMENT = 0x08
    USER_ACKNOWLEDGEMENT = 0x10
    INTERMEDIATE_NOTIFICATION = 0x20
    TYPE_MASK = 0x3C
    UDHI = 0x40
    """The short message starts with a user data header."""
    REPLY_PATH = 0x80


class RegisteredDelivery:
    """Bits of registered_delivery. Spec: SMPP 3.4 §5.2.17"""

    NONE = 0x00
    FINAL = 0x01
    """A receipt for the final outcome, whatever it is."""
    FAILURE = 0x02
    SUCCESS = 0x03
    """SMPP 5.0: a receipt only when the message was delivered."""
    SME_ACKNOWLEDGEMENT = 0x04
    USER_ACKNOWLEDGEMENT = 0x08
    INTERMEDIATE = 0x10


class WireForm:
    """How a PDU stood on the wire where its values alone do not say it; 0 is the usual form.

    The decoder sets these so that `encode(decode(octets)) == octets`; set `HEADER_ONLY` to send a
    response without a body.
    """

    USUAL = 0
    HEADER_ONLY = 1
    """A response of 16 octets though its operation has a body. Spec: SMPP 3.4 §4.4.2 note"""
    UNTERMINATED = 2
    """The last C-octet string ended with the PDU instead of a NUL."""
    OVERLONG = 4
    """A field is longer than the specification allows, and was kept whole."""


def name_of(values: type[IntEnum], number: int) -> str:
    """Give the member's name, or the number itself where it has none.

    Args:
        values: One of the enumerations of this module.
        number: What stood in the field.

    Returns:
        E.g. `ALPHANUMERIC`, or `77`.
    """
    try:
        return values(number).name
    except ValueError:
        return str(number)
