"""PDUs made fit to be shown around: passwords, texts and subscribers' numbers covered, octet for octet.

Lengths and structure stay as they were, so that a capture of masked PDUs can be taken apart, counted
and replayed like the original. What is not known to be harmless is covered.
"""

import re
from enum import StrEnum
from functools import cache
from typing import Final

import attrs

from .alphabet import Alphabet
from .codec import decode, encode
from .data_coding import parse_data_coding
from .declaration import OPERATIONS, Pdu, UnknownPdu
from .errors import BodyError, FramingError
from .tlv import TLV_TABLE, Tlv, Tlvs, TlvTag
from .udh import UnknownElement, split_udh
from .values import EsmClass
from .wire import DistributionList, SmeAddress, UnsuccessSme

__all__ = ["Masking", "masked"]


class Masking(StrEnum):
    """How much of a PDU is covered."""

    PRIVATE = "private"
    """Passwords, texts and subscribers' numbers, and whatever may hold one of them."""
    NONE = "none"
    """Nothing; the octets as they were on the wire."""


SHORT_CODE_DIGITS = 6
"""An address with at most so many digits is a short code or a name, and stays: subscribers' numbers in
international form have eight or more."""
WITH_COUNTRY_DIGITS = 10
"""From so many digits on the first three stay, which hold the country's code whatever its length. In
a shorter number they would leave too little covered."""

_HEADER_OCTETS = 16
_FILL = b"x"
_WIDE_FILL = b"\0x"
"""The same letter where a text has two octets a character."""
_DIGITS: Final = frozenset("0123456789")
_NUMBERS: Final = ("source_addr", "destination_addr", "esme_addr", "address_range")
_SHORT_MESSAGE: Final = "short_message"
_TO_BE_COVERED: Final = (*_NUMBERS, "password", "dest_address", "unsuccess_sme")

_UCS2: Final = frozenset(
    value for value in range(256) if parse_data_coding(value).alphabet is Alphabet.UCS2
)

_T = TlvTag
_HARMLESS: Final = frozenset(
    (
        *(tag for tag, kind in TLV_TABLE.items() if kind.form == "integer"),
        *(_T.RECEIPTED_MESSAGE_ID, _T.NETWORK_ERROR_CODE, _T.ALERT_ON_MESSAGE_DELIVERY),
        *(_T.MS_MSG_WAIT_FACILITIES, _T.MS_VALIDITY, _T.USSD_SERVICE_OP, _T.ITS_SESSION_INFO),
        *(_T.CALLBACK_NUM_PRES_IND, _T.DEST_ADDR_NP_COUNTRY),
        *(_T.BROADCAST_AREA_IDENTIFIER, _T.BROADCAST_CONTENT_TYPE, _T.BROADCAST_END_TIME),
        *(_T.BROADCAST_FREQUENCY_INTERVAL, _T.BROADCAST_AREA_SUCCESS),
        *(_T.SOURCE_NETWORK_ID, _T.DEST_NETWORK_ID, _T.SOURCE_NODE_ID, _T.DEST_NODE_ID),
    )
) - {_T.USER_RESPONSE_CODE}
"""Parameters that say nothing of a person; what a subscriber chose from a menu does."""

_NUMBER_FROM: Final[dict[int, int]] = {
    _T.CALLBACK_NUM: 3,
    _T.DEST_ADDR_NP_INFORMATION: 0,
    _T.ADDITIONAL_STATUS_INFO_TEXT: 0,
}
"""Parameters of which only digits are covered, from this octet on. What a carrier says in words to its
refusal is for us; it may quote a number."""
_KEPT_HEAD: Final[dict[int, int]] = {_T.SOURCE_SUBADDRESS: 1, _T.DEST_SUBADDRESS: 1}
"""Parameters whose first octet says what kind of secret follows."""

_RECEIPT_TYPES: Final = (EsmClass.RECEIPT, EsmClass.INTERMEDIATE_NOTIFICATION)
_TOLD: Final = re.compile(
    rb"(?:^|[\s,;|]+)(?:id ?:[\w.-]{1,65}|(?:sub|dlvrd) ?:[0-9]{1,3}"
    rb"|(?:submit|done)[ _]?date ?:[0-9]{6,17}[+-]?|stat ?:[A-Za-z]{1,16}|err ?:[0-9A-Za-z]{1,8}"
    rb"|(text ?:))",
    re.IGNORECASE,
)
"""What a receipt says of a message, as opposed to what the message says."""


def masked(octets: bytes, what: Masking = Masking.PRIVATE) -> bytes:
    """Cover what is private in one PDU; never fails.

    Covered, character for character: passwords; texts in short_message and message_payload, but for
    a sound user data header and for what a receipt says outside its `text:`; digits of addresses
    with more than six of them, but for the first three of ten or more and for the last two;
    parameters not known to be harmless; the body of an unknown operation, and one that cannot be
    read. Kept: system_id, message ids, names of senders, short codes, times, every number that is
    none of a subscriber.

    Args:
        octets: One frame.
        what: How much to cover.

    Returns:
        As many octets. Masking them again changes nothing.
    """
    if what is Masking.NONE:
        return octets
    try:
        pdu = decode(octets)
    except (BodyError, FramingError):
        return octets[:_HEADER_OCTETS] + _FILL * (len(octets) - _HEADER_OCTETS)
    if isinstance(pdu, UnknownPdu):
        pdu.body = _FILL * len(pdu.body)
        return encode(pdu)
    for name in _private_fields(pdu.command_id):
        value = getattr(pdu, name)
        if value:
            setattr(pdu, name, _covered(name, value))
    _cover_texts(pdu)
    return encode(pdu)


@cache
def _private_fields(command_id: int) -> tuple[str, ...]:
    return tuple(name for name, _ in OPERATIONS[command_id].fields if name in _TO_BE_COVERED)


def _covered(name: str, value: object) -> object:
    if isinstance(value, str):
        return "*" * len(value) if name == "password" else _number(value)
    assert isinstance(value, tuple)
    return tuple(_entry(entry) for entry in value)


def _entry(
    entry: SmeAddress | DistributionList | UnsuccessSme,
) -> SmeAddress | DistributionList | UnsuccessSme:
    if isinstance(entry, DistributionList):
        return entry
    return attrs.evolve(entry, destination_addr=_number(entry.destination_addr))


def _number(address: str) -> str:
    """Cover digits by `0`, so that a number is still one."""
    places = [at for at, character in enumerate(address) if character in _DIGITS]
    count = len(places)
    if count <= SHORT_CODE_DIGITS:
        return address
    first = 3 if count >= WITH_COUNTRY_DIGITS else 0
    if count == len(address):
        return address[:first] + "0" * (count - first - 2) + address[-2:]
    characters = list(address)
    for at in places[first:-2]:
        characters[at] = "0"
    return "".join(characters)


def _cover_texts(pdu: Pdu) -> None:
    esm_class = getattr(pdu, "esm_class", 0)
    fill = _WIDE_FILL if getattr(pdu, "data_coding", 0) in _UCS2 else _FILL
    short_message: bytes = getattr(pdu, _SHORT_MESSAGE, b"")
    told = _is_receipt(pdu, esm_class)
    if short_message:
        setattr(pdu, _SHORT_MESSAGE, _text(short_message, esm_class, fill, told))
        # Only one of two texts can be what esm_class speaks of.
        esm_class, told = 0, False
    if not pdu.tlvs.octets:
        return
    parts: list[bytes] = []
    for tlv in pdu.tlvs:
        if tlv.tag == TlvTag.MESSAGE_PAYLOAD:
            value = _text(tlv.value, esm_class, fill, told)
        else:
            value = _parameter(tlv)
        parts += (tlv.tag.to_bytes(2, "big"), len(value).to_bytes(2, "big"), value)
    parts.append(_trailing(len(pdu.tlvs.trailing)))
    pdu.tlvs = Tlvs(b"".join(parts))


def _is_receipt(pdu: Pdu, esm_class: int) -> bool:
    return pdu.name in ("deliver_sm", "data_sm") and (
        esm_class & EsmClass.TYPE_MASK in _RECEIPT_TYPES
    )


def _text(octets: bytes, esm_class: int, fill: bytes, told: bool) -> bytes:
    header, text = b"", octets
    if esm_class & EsmClass.UDHI:
        header, text = _header(octets)
    if told:
        return header + _receipt(text)
    return header + (fill * len(text))[: len(text)]


def _header(octets: bytes) -> tuple[bytes, bytes]:
    """Part a header that can be shown from the text; one that does not add up is text."""
    udh, text = split_udh(octets)
    if udh.finding is not None:
        return b"", octets
    parts = [udh.octets[:1]]
    for element in udh.elements:
        if isinstance(element, UnknownElement):
            element = UnknownElement(element.identifier, _FILL * len(element.value))
        parts.append(element.octets)
    return b"".join(parts), text


def _receipt(text: bytes) -> bytes:
    shown: list[bytes] = []
    at = 0
    for found in _TOLD.finditer(text):
        shown += (_FILL * (found.start() - at), found[0])
        at = found.end()
        if found[1]:
            break
    shown.append(_FILL * (len(text) - at))
    return b"".join(shown)


def _parameter(tlv: Tlv) -> bytes:
    tag, value = tlv.tag, tlv.value
    # A length that the specification forbids may hide anything behind a harmless name.
    kind = TLV_TABLE.get(tag)
    if tag in _HARMLESS and kind is not None and len(value) <= kind.most:
        return value
    if tag in _NUMBER_FROM:
        first = _NUMBER_FROM[tag]
        return value[:first] + _number(value[first:].decode("latin-1")).encode("latin-1")
    kept = _KEPT_HEAD.get(tag, 0)
    end = b"\0" if value[kept:].endswith(b"\0") else b""
    return value[:kept] + _FILL * (len(value) - kept - len(end)) + end


def _trailing(length: int) -> bytes:
    """Cover octets that are no parameter by others that are none: they announce more than follows."""
    return b"xx\xff\xff"[:length] + _FILL * (length - 4)
