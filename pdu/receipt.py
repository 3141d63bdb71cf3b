"""Delivery receipts: what a deliver_sm or data_sm says of an earlier message, and how to say it.

Not what a receipt means for a message of ours, and not whose id it carries: see the ledger and
`message_id`. Reading never fails; what cannot be understood is kept, with its octets.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import attrs

from .alphabet import decode_text
from .receipt_date import parse_receipt_date
from .receipt_dialect import ReceiptDialect, ReceiptForm
from .tlv import NO_TLVS, Tlvs, TlvTag
from .udh import CarriesText, split_udh, user_data
from .values import EsmClass, MessageState

__all__ = [
    "CarriesReceipt",
    "DeliveryReceipt",
    "ParseLevel",
    "ReceiptKind",
    "parse_receipt",
]


class CarriesReceipt(CarriesText, Protocol):
    """A deliver_sm or data_sm."""

    @property
    def source_addr(self) -> str: ...

    @property
    def destination_addr(self) -> str: ...


class ReceiptKind(StrEnum):
    """What esm_class makes of a PDU. Spec: SMPP 3.4 §5.2.12"""

    RECEIPT = "receipt"
    INTERMEDIATE = "intermediate"
    """On the way; never final."""
    DELIVERY_ACKNOWLEDGEMENT = "delivery_acknowledgement"
    """From the handset's side, its text is the subscriber's: only TLVs are read."""
    USER_ACKNOWLEDGEMENT = "user_acknowledgement"
    """Likewise."""


class ParseLevel(StrEnum):
    """How much was understood."""

    FULL = "full"
    """Both the message id and the state."""
    PARTIAL = "partial"
    """One of the two."""
    OPAQUE = "opaque"
    """Neither; stored and acknowledged like any other."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class DeliveryReceipt:
    """A receipt, with what it says raw and read; treat it as a value."""

    kind: ReceiptKind = ReceiptKind.RECEIPT
    parse_level: ParseLevel = ParseLevel.OPAQUE
    message_id: str = ""
    """The carrier's id, from the TLV if there is one, else from the text; not normalised."""
    state: MessageState | None = None
    """From the TLV if it has one that is known, else from the text."""
    is_final: bool = False
    stat: str = ""
    """The word for the state as written."""
    err: str = ""
    """The error code as written: three digits, a hexadecimal, `null`, anything."""
    network_error_type: int | None = None
    """First octet of network_error_code; None also for a TLV that holds only digits."""
    network_error_code: int | None = None
    submit_date: datetime | None = None
    """When the carrier took the message, with a zone."""
    done_date: datetime | None = None
    """When the message reached its state, with a zone."""
    submit_date_raw: str = ""
    done_date_raw: str = ""
    sub: str = ""
    dlvrd: str = ""
    text: bytes = b""
    """The quoted start of the message as it stands, often cut within a character."""
    text_message_id: str | None = None
    """The id in the text, None without one."""
    tlv_message_id: str | None = None
    text_state: MessageState | None = None
    tlv_state: int | None = None
    """The TLV's number, known or not."""
    conflict: tuple[str, ...] = ()
    """Which of `message_id` and `state` the TLVs and the text tell differently."""
    proves_handset: bool = False
    """Whether it is evidence that the handset has the message: DELIVERED, from a carrier whose
    receipts mean that."""
    network: str = ""
    """MCC and MNC of the network that served the handset, as the dialect's TLV has it."""
    extra: tuple[tuple[str, str], ...] = ()
    """Labels, columns or groups which no standard names, with their values."""
    source_addr: str = ""
    destination_addr: str = ""
    octets: bytes = b""
    """The whole text octets as received, without a user data header."""
    data_coding: int = 0
    tlvs: Tlvs = NO_TLVS


_DEFAULT: Final = ReceiptDialect()
_KINDS: Final = {
    EsmClass.RECEIPT: ReceiptKind.RECEIPT,
    EsmClass.INTERMEDIATE_NOTIFICATION: ReceiptKind.INTERMEDIATE,
    EsmClass.DELIVERY_ACKNOWLEDGEMENT: ReceiptKind.DELIVERY_ACKNOWLEDGEMENT,
    EsmClass.USER_ACKNOWLEDGEMENT: ReceiptKind.USER_ACKNOWLEDGEMENT,
}
_FROM_MC: Final = (ReceiptKind.RECEIPT, ReceiptKind.INTERMEDIATE)
_BLANKS: Final = " \t\r\n\0"


def parse_receipt(
    pdu: CarriesReceipt,
    dialect: ReceiptDialect = _DEFAULT,
    *,
    reference: datetime | None = None,
) -> DeliveryReceipt | None:
    """Read a receipt; never fails.

    Args:
        pdu: A deliver_sm or data_sm.
        dialect: How this carrier writes receipts.
        reference: A time near those in the receipt, with a zone: when the PDU came, or better, when
            the message was sent. It decides between two readings of a date.

    Returns:
        None when the PDU is no receipt; see `ReceiptDialect.detection`.

    Spec: SMPP 3.4 Appendix B, §5.3.2.12, §5.3.2.31, §5.3.2.35
    """
    kind = _KINDS.get(pdu.esm_class & EsmClass.TYPE_MASK)
    octets = user_data(pdu)
    if pdu.esm_class & EsmClass.UDHI:
        octets = split_udh(octets)[1]
    if kind is None:
        if not _is_receipt_otherwise(pdu.tlvs, octets, dialect):
            return None
        kind = ReceiptKind.RECEIPT
    receipt = DeliveryReceipt(
        kind=kind,
        source_addr=pdu.source_addr,
        destination_addr=pdu.destination_addr,
        octets=octets,
        data_coding=pdu.data_coding,
        tlvs=pdu.tlvs,
    )
    if octets and kind in _FROM_MC and dialect.form is not ReceiptForm.TLV_ONLY:
        _read_text(receipt, octets, dialect, reference)
    if pdu.tlvs.octets:
        _read_tlvs(receipt, pdu.tlvs, dialect)
    _conclude(receipt, dialect)
    return receipt


def _is_receipt_otherwise(tlvs: Tlvs, octets: bytes, dialect: ReceiptDialect) -> bool:
    if dialect.detection == "esm_class":
        return False
    if tlvs.octets and None not in (
        tlvs.first(TlvTag.RECEIPTED_MESSAGE_ID),
        tlvs.first(TlvTag.MESSAGE_STATE),
    ):
        return True
    if dialect.detection == "tlv" or not octets:
        return False
    probe = DeliveryReceipt()
    _read_text(probe, octets, dialect, None)
    return bool(probe.text_message_id and probe.stat)


# Most receipts are exactly this. Measured: it costs a sixth of looking for labels one by one.
_STRICT: Final = re.compile(
    r"id:([^\s:,;|\0]+) (?:sub:([0-9]{1,3}) dlvrd:([0-9]{1,3}) )?"
    r"submit date:([0-9]{10,15}[+-]?) done date:([0-9]{10,15}[+-]?) "
    r"stat:([A-Z]{5,9}) err:([0-9A-Za-z]{1,4}) [tT]ext:"
)
_LABEL: Final = re.compile(
    r"(?:^|(?<=[\s,;|\0]))(submit[ _]?date|done[ _]?date|id|sub|dlvrd|stat|err|text) ?:",
    re.IGNORECASE,
)
_UNKNOWN_LABEL: Final = re.compile(r"\s([A-Za-z][\w-]{0,30}):")
_ASCII_START: Final = re.compile(rb"[\s\0]*[A-Za-z][A-Za-z_ -]{0,30}:")
_UTF16_BIG: Final = re.compile(rb"(?:\xfe\xff)?(?:\0[A-Za-z_ -]){2,31}\0:")
_UTF16_LITTLE: Final = re.compile(rb"(?:\xff\xfe)?(?:[A-Za-z_ -]\0){2,31}:\0")


def _read_text(
    receipt: DeliveryReceipt, octets: bytes, dialect: ReceiptDialect, reference: datetime | None
) -> None:
    characters = octets.decode("latin-1")
    strict = not dialect.labels_after_text and dialect.form is not ReceiptForm.PATTERN
    found = _STRICT.match(characters) if strict else None
    if found is not None:
        receipt.text = octets[found.end() :]
        message_id, sub, dlvrd, submit, done, stat, err = found.groups("")
    else:
        fields = _read_tolerantly(receipt, octets, dialect)
        message_id, sub, dlvrd, submit, done, stat, err = (fields.get(n, "") for n in _NAMES)
    receipt.text_message_id = message_id or None
    receipt.stat = stat
    receipt.text_state = dialect.state_of(stat) if stat else None
    receipt.err, receipt.sub, receipt.dlvrd = err, sub, dlvrd
    receipt.submit_date_raw, receipt.done_date_raw = submit, done
    receipt.submit_date = parse_receipt_date(
        submit, date_format=dialect.date_format, zone=dialect.zone, reference=reference
    )
    receipt.done_date = parse_receipt_date(
        done, date_format=dialect.date_format, zone=dialect.zone, reference=reference
    )


_NAMES: Final = ("id", "sub", "dlvrd", "submit date", "done date", "stat", "err")


def _read_tolerantly(
    receipt: DeliveryReceipt, octets: bytes, dialect: ReceiptDialect
) -> dict[str, str]:
    if _ASCII_START.match(octets):
        characters = octets.decode("latin-1")
    elif _UTF16_BIG.match(octets):
        characters = octets.decode("utf-16-be", "replace").lstrip("\ufeff")
    elif _UTF16_LITTLE.match(octets):
        characters = octets.decode("utf-16-le", "replace").lstrip("\ufeff")
    else:
        characters = decode_text(octets, dialect.alphabet)
        if dialect.form is ReceiptForm.CSV:
            return _read_columns(receipt, characters, dialect)
    if dialect.form is ReceiptForm.PATTERN:
        found = re.search(dialect.pattern, characters)
        if found is not None:
            return _read_groups(receipt, found)
    return _read_labels(receipt, characters, dialect)


def _read_columns(
    receipt: DeliveryReceipt, characters: str, dialect: ReceiptDialect
) -> dict[str, str]:
    columns = dialect.columns
    values = characters.split(",", len(columns) - 1)
    fields = {name: value.strip(_BLANKS) for name, value in zip(columns, values, strict=False)}
    receipt.text = _as_octets(fields.pop("text", ""))
    receipt.extra = tuple((name, value) for name, value in fields.items() if name not in _NAMES)
    return fields


def _read_groups(receipt: DeliveryReceipt, found: re.Match[str]) -> dict[str, str]:
    fields = {name.replace("_", " "): value for name, value in found.groupdict("").items()}
    receipt.text = _as_octets(fields.pop("text", ""))
    fields = {name: value.strip(_BLANKS) for name, value in fields.items()}
    receipt.extra = tuple((name, value) for name, value in fields.items() if name not in _NAMES)
    return fields


def _read_labels(
    receipt: DeliveryReceipt, characters: str, dialect: ReceiptDialect
) -> dict[str, str]:
    fields: dict[str, str] = {}
    found = list(_LABEL.finditer(characters))
    if not found:
        return fields
    extra = _read_extra(" " + characters[: found[0].start()])[1]
    ends = [*(label.start() for label in found[1:]), len(characters)]
    for label, end in zip(found, ends, strict=True):
        name = _canonical(label[1])
        if name == "text":
            end = end if dialect.labels_after_text else len(characters)
            receipt.text = receipt.text or _as_octets(characters[label.end() : end])
            if not dialect.labels_after_text:
                break
        elif name not in fields:
            # The first of two counts: what comes later is more likely somebody's text.
            fields[name], more = _read_extra(characters[label.end() : end])
            extra += more
    receipt.extra = tuple(extra)
    return fields


def _canonical(label: str) -> str:
    lower = label.lower()
    if lower.endswith("date"):
        return "submit date" if lower[0] == "s" else "done date"
    return lower


def _read_extra(chunk: str) -> tuple[str, list[tuple[str, str]]]:
    """Part a value from unknown labels behind it."""
    found = list(_UNKNOWN_LABEL.finditer(chunk))
    if not found:
        return _trim(chunk), []
    ends = [*(label.start() for label in found[1:]), len(chunk)]
    extra = [
        (label[1], _trim(chunk[label.end() : end])) for label, end in zip(found, ends, strict=True)
    ]
    return _trim(chunk[: found[0].start()]), extra


def _trim(value: str) -> str:
    return value.replace("\0", "").strip(" \t\r\n,;|")


def _as_octets(characters: str) -> bytes:
    return characters.encode("latin-1", "replace")


def _read_tlvs(receipt: DeliveryReceipt, tlvs: Tlvs, dialect: ReceiptDialect) -> None:
    if dialect.network_tag is not None:
        network = tlvs.first(dialect.network_tag) or b""
        receipt.network = network.decode("latin-1").strip(_BLANKS)
    message_id = tlvs.first(TlvTag.RECEIPTED_MESSAGE_ID)
    if message_id is not None:
        # Carrier: one NUL is specified, none and several are sent.
        receipt.tlv_message_id = message_id.decode("latin-1").strip(_BLANKS) or None
    state = tlvs.first(TlvTag.MESSAGE_STATE)
    if state:
        receipt.tlv_state = int.from_bytes(state[:4], "big")
    error = tlvs.first(TlvTag.NETWORK_ERROR_CODE)
    if not error:
        return
    if error.rstrip(b"\0").isdigit() and len(error) >= 3:
        # Carrier: the code as ASCII digits. As specified, the first octet is 1 to 8.
        receipt.network_error_code = int(error.rstrip(b"\0"))
    elif len(error) >= 3:
        receipt.network_error_type = error[0]
        receipt.network_error_code = int.from_bytes(error[1:3], "big")
    else:
        receipt.network_error_code = int.from_bytes(error, "big")


def _conclude(receipt: DeliveryReceipt, dialect: ReceiptDialect) -> None:
    """Put TLVs and text together, and note where they differ."""
    in_tlv, in_text = receipt.tlv_message_id, receipt.text_message_id
    state_in_tlv, state_in_text = _known_state(receipt.tlv_state), receipt.text_state
    if in_tlv is not None and in_text not in (None, in_tlv):
        receipt.conflict += ("message_id",)
    if state_in_tlv is not None and state_in_text not in (None, state_in_tlv):
        receipt.conflict += ("state",)
    if dialect.prefers == "text":
        in_tlv, in_text = in_text, in_tlv
        state_in_tlv, state_in_text = state_in_text, state_in_tlv
    receipt.message_id = in_tlv or in_text or ""
    state = state_in_text if state_in_tlv is None else state_in_tlv
    receipt.state = state
    receipt.proves_handset = (
        state is MessageState.DELIVERED
        and receipt.kind is ReceiptKind.RECEIPT
        and dialect.meaning == "handset"
    )
    receipt.parse_level = _LEVELS[bool(receipt.message_id) + (state is not None)]
    receipt.is_final = receipt.kind is ReceiptKind.RECEIPT and dialect.is_final(state)


_LEVELS: Final = (ParseLevel.OPAQUE, ParseLevel.PARTIAL, ParseLevel.FULL)


def _known_state(number: int | None) -> MessageState | None:
    if number is None:
        return None
    try:
        return MessageState(number)
    except ValueError:
        return None
