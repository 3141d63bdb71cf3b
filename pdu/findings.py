"""What had to be tolerated in a PDU: each departure from the specification, named and explained.

Findings are worked out from the values when somebody asks, because the codec is lossless: nothing
was recorded while decoding, and decoding costs nothing for it. A finding is never a reason to end a
link; in strict mode it is a reason to refuse the PDU.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import ClassVar, Protocol

import attrs

from .command_id import RESPONSE_BIT
from .command_status import VENDOR_STATUSES, CommandStatus
from .tlv import TLV_TABLE, Tlv, TlvKind, Tlvs, TlvTag, tlv_name
from .tlv_operations import REPEATABLE, TLVS_OF, VENDOR_TAGS, operations_carrying
from .udh import parse_udh
from .values import LAST_SEQUENCE_NUMBER, EsmClass, WireForm
from .wire import COctetString, DistributionList, Integer, SmeAddress, UnsuccessSme, WireType


class FindingCode(StrEnum):
    """What kind of departure it is; each has one sentence."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> "FindingCode":
        """Keep the sentence beside the code."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    BODY_MISSING = "BODY_MISSING", "The response says it worked, but its body is not there."
    NOT_ASCII = "NOT_ASCII", "A C-octet string holds octets that are not ASCII."
    OVERLONG = "OVERLONG", "A field is longer than the specification allows."
    RESERVED_STATUS = "RESERVED_STATUS", "The command_status is reserved."
    RESERVED_VALUE = "RESERVED_VALUE", "The value has no meaning in the specification."
    SEQUENCE_NUMBER = "SEQUENCE_NUMBER", "The sequence_number is out of range."
    STATUS_IN_REQUEST = "STATUS_IN_REQUEST", "A request has a command_status."
    TEXT_TWICE = "TEXT_TWICE", "There is a text in short_message and one in message_payload."
    TLV_LENGTH = "TLV_LENGTH", "An optional parameter has a length that the specification forbids."
    TLV_NOT_ALLOWED = "TLV_NOT_ALLOWED", "The optional parameter does not belong in this operation."
    TLV_REPEATED = "TLV_REPEATED", "An optional parameter that may stand once stands again."
    TLV_UNKNOWN = "TLV_UNKNOWN", "The tag is reserved, and nobody knows what it carries."
    TLV_UNTERMINATED = "TLV_UNTERMINATED", "A text parameter lacks its NUL."
    TRAILING_OCTETS = "TRAILING_OCTETS", "Octets follow that are no optional parameter."
    UDH_MALFORMED = "UDH_MALFORMED", "The user data header does not add up."
    UNKNOWN_OPERATION = "UNKNOWN_OPERATION", "The command_id names no operation."
    UNTERMINATED = "UNTERMINATED", "The last C-octet string lacks its NUL."
    WRONG_LENGTH = "WRONG_LENGTH", "A field that is empty or full has another length."


@attrs.frozen
class PduFinding:
    """One departure from the specification that was tolerated."""

    code: FindingCode
    path: str
    """The field, e.g. `deliver_sm.source_addr_ton` or `deliver_sm.tlvs[2].0x0500`."""
    found: str
    expected: str
    """What the specification says."""
    spec: str
    """Where it says so."""

    def __str__(self) -> str:
        return f"{self.path}: {self.found}, expected {self.expected} ({self.spec})"


class _AnyPdu(Protocol):
    """What is asked of a PDU here; `declaration` stands above and gives every PDU its findings."""

    command_id: ClassVar[int]
    name: ClassVar[str]
    spec: ClassVar[str]
    fields: ClassVar[tuple[tuple[str, WireType], ...]]

    @property
    def tlvs(self) -> Tlvs: ...
    @property
    def command_status(self) -> int: ...
    @property
    def sequence_number(self) -> int: ...
    @property
    def wire_form(self) -> int: ...


def find(pdu: _AnyPdu) -> tuple[PduFinding, ...]:
    """Name everything in a PDU that the specification does not allow, in wire order.

    Args:
        pdu: Any PDU, decoded or made.

    Returns:
        Nothing for a PDU as it should be.
    """
    return (*_header(pdu), *_body(pdu), *_texts(pdu), *_tlvs(pdu))


def _header(pdu: _AnyPdu) -> Iterator[PduFinding]:
    unknown = getattr(pdu, "unknown_command_id", None)
    if unknown is not None:
        yield PduFinding(
            FindingCode.UNKNOWN_OPERATION,
            "command_id",
            f"0x{unknown:08X}",
            "an operation of SMPP 3.3, 3.4 or 5.0",
            "SMPP 3.4 §5.1.2.1",
        )
    command_id = pdu.command_id if unknown is None else unknown
    status = pdu.command_status
    if status and not command_id & RESPONSE_BIT:
        yield PduFinding(
            FindingCode.STATUS_IN_REQUEST,
            f"{pdu.name}.command_status",
            f"0x{status:08X}",
            "0 in a request",
            "SMPP 3.4 §3.2",
        )
    elif status not in _STATUSES and status not in VENDOR_STATUSES:
        yield PduFinding(
            FindingCode.RESERVED_STATUS,
            f"{pdu.name}.command_status",
            f"0x{status:08X}",
            "a status of the specification or one from 0x00000400 to 0x000004FF",
            "SMPP 3.4 §5.1.3",
        )
    first = 0 if pdu.name == "generic_nack" else 1
    if not first <= pdu.sequence_number <= LAST_SEQUENCE_NUMBER:
        yield PduFinding(
            FindingCode.SEQUENCE_NUMBER,
            f"{pdu.name}.sequence_number",
            str(pdu.sequence_number),
            f"{first} to {LAST_SEQUENCE_NUMBER}",
            "SMPP 3.4 §5.1.4",
        )
    # Some operations answer an error without a body by rule; only a success must have one.
    if pdu.wire_form & WireForm.HEADER_ONLY and not status:
        yield PduFinding(FindingCode.BODY_MISSING, pdu.name, "the header only", "a body", pdu.spec)


_STATUSES = frozenset(CommandStatus)


def _body(pdu: _AnyPdu) -> Iterator[PduFinding]:
    for name, kind in pdu.fields:
        value = getattr(pdu, name)
        path = f"{pdu.name}.{name}"
        if isinstance(kind, Integer):
            known = kind.known
            if known is not None and value not in _values(known):
                yield PduFinding(
                    FindingCode.RESERVED_VALUE, path, str(value), _listed(known), _where(kind.spec)
                )
        elif isinstance(kind, COctetString):
            yield from _string(path, value, kind)
        elif isinstance(value, tuple):
            for index, entry in enumerate(value):
                yield from _entry(f"{path}[{index}]", entry)
    if pdu.wire_form & WireForm.UNTERMINATED:
        last = pdu.fields[-1][0]
        yield PduFinding(
            FindingCode.UNTERMINATED,
            f"{pdu.name}.{last}",
            "the end of the PDU",
            "a NUL",
            "SMPP 3.4 §3.1",
        )


def _string(path: str, value: str, kind: COctetString) -> Iterator[PduFinding]:
    if len(value) >= kind.size:
        yield PduFinding(
            FindingCode.OVERLONG,
            path,
            f"{len(value)} octets",
            f"at most {kind.size - 1}",
            _where(kind.spec),
        )
    elif kind.empty_or_full and len(value) not in (0, kind.size - 1):
        yield PduFinding(
            FindingCode.WRONG_LENGTH,
            path,
            f"{len(value)} octets",
            f"0 or {kind.size - 1}",
            _where(kind.spec),
        )
    if not value.isascii():
        yield PduFinding(FindingCode.NOT_ASCII, path, "octets above 0x7F", "ASCII", "SMPP 3.4 §3.1")


_DESTINATION = COctetString(21, "5.2.9")
_LIST_NAME = COctetString(21, "5.2.27")


def _entry(path: str, entry: SmeAddress | DistributionList | UnsuccessSme) -> Iterator[PduFinding]:
    if isinstance(entry, DistributionList):
        yield from _string(f"{path}.dl_name", entry.dl_name, _LIST_NAME)
    else:
        yield from _string(f"{path}.destination_addr", entry.destination_addr, _DESTINATION)


def _texts(pdu: _AnyPdu) -> Iterator[PduFinding]:
    short_message = getattr(pdu, "short_message", None)
    if short_message is None:
        return
    payload = pdu.tlvs.first(TlvTag.MESSAGE_PAYLOAD) if pdu.tlvs.octets else None
    if short_message and payload is not None:
        yield PduFinding(
            FindingCode.TEXT_TWICE,
            f"{pdu.name}.short_message",
            f"{len(short_message)} octets beside {len(payload)} in message_payload",
            "one of the two",
            "SMPP 3.4 §4.4.1",
        )
    if getattr(pdu, "esm_class", 0) & EsmClass.UDHI:
        malformed = parse_udh(payload if payload and not short_message else short_message).finding
        if malformed:
            yield PduFinding(
                FindingCode.UDH_MALFORMED,
                f"{pdu.name}.short_message",
                malformed,
                "a user data header",
                "3GPP TS 23.040 §9.2.3.24",
            )


def _tlvs(pdu: _AnyPdu) -> Iterator[PduFinding]:
    tlvs = pdu.tlvs
    if not tlvs.octets:
        return
    allowed = TLVS_OF.get(pdu.command_id, frozenset())
    seen: set[int] = set()
    for index, tlv in enumerate(tlvs):
        name = tlv_name(tlv.tag)
        path = f"{pdu.name}.tlvs[{index}].{name}"
        if tlv.tag in seen and tlv.tag not in REPEATABLE and tlv.tag not in VENDOR_TAGS:
            yield PduFinding(
                FindingCode.TLV_REPEATED, path, "another one", "one at most", "SMPP 3.4 §3.2.4.1"
            )
        seen.add(tlv.tag)
        kind = TLV_TABLE.get(tlv.tag)
        if kind is None:
            if tlv.tag not in VENDOR_TAGS:
                yield PduFinding(
                    FindingCode.TLV_UNKNOWN,
                    path,
                    f"{len(tlv.value)} octets",
                    "a tag of the specification or one from 0x1400 to 0x3FFF",
                    "SMPP 3.4 §5.3.1",
                )
            continue
        if tlv.tag not in allowed:
            yield PduFinding(
                FindingCode.TLV_NOT_ALLOWED,
                path,
                pdu.name,
                " or ".join(each.name.lower() for each in operations_carrying(tlv.tag)),
                "SMPP 5.0 §4.8.4",
            )
        if not kind.least <= len(tlv.value) <= kind.most:
            lengths = str(kind.least) if kind.least == kind.most else f"{kind.least} to {kind.most}"
            yield PduFinding(
                FindingCode.TLV_LENGTH,
                path,
                f"{len(tlv.value)} octets",
                lengths,
                "SMPP 5.0 §4.8.4",
            )
        elif _lacks_nul(tlv, kind):
            yield PduFinding(FindingCode.TLV_UNTERMINATED, path, "no NUL", "a NUL", "SMPP 3.4 §3.1")
    if tlvs.trailing:
        yield PduFinding(
            FindingCode.TRAILING_OCTETS,
            f"{pdu.name}.tlvs",
            f"{len(tlvs.trailing)} octets",
            "nothing, or a whole parameter",
            "SMPP 3.4 §3.2.4.1",
        )


def _lacks_nul(tlv: Tlv, kind: TlvKind) -> bool:
    if kind.form != "text" or tlv.tag == TlvTag.BROADCAST_END_TIME:
        return False
    return not tlv.value.endswith(b"\0")


@cache
def _values(known: "type[object] | range") -> "frozenset[int] | range":
    return known if isinstance(known, range) else frozenset(known)  # type: ignore[call-overload]


def _listed(known: object) -> str:
    if isinstance(known, range):
        return f"{known.start} to {known.stop - 1}"
    return ", ".join(str(int(value)) for value in known)  # type: ignore[attr-defined]


def _where(spec: str) -> str:
    return spec if spec.startswith("SMPP") else f"SMPP 3.4 §{spec}"
