"""Writing delivery receipts as a carrier does, for message centres that are simulated or tested.

The counterpart of `receipt`: what is written under a dialect is read back under it. What a dialect
cannot carry is refused, not bent, save that dates lose what their format leaves out.
"""

import re
from datetime import datetime
from typing import Final

import attrs

from .errors import EncodeError
from .receipt import ReceiptKind
from .receipt_date import format_receipt_date
from .receipt_dialect import ReceiptDialect, ReceiptForm
from .tlv import NO_TLVS, Tlv, Tlvs, TlvTag, make_tlvs
from .values import EsmClass, MessageState

__all__ = ["WrittenReceipt", "format_receipt", "write_receipt"]

_ESM_CLASSES: Final = {
    ReceiptKind.RECEIPT: EsmClass.RECEIPT,
    ReceiptKind.INTERMEDIATE: EsmClass.INTERMEDIATE_NOTIFICATION,
    ReceiptKind.DELIVERY_ACKNOWLEDGEMENT: EsmClass.DELIVERY_ACKNOWLEDGEMENT,
    ReceiptKind.USER_ACKNOWLEDGEMENT: EsmClass.USER_ACKNOWLEDGEMENT,
}
_PLAIN_VALUE: Final = re.compile(r"[!-+\--:<-{}-\xff]*")
"""ASCII and Latin-1 without blanks, commas, semicolons and bars, which part values."""


@attrs.frozen(kw_only=True)
class WrittenReceipt:
    """The fields of the deliver_sm or data_sm that carries a receipt."""

    esm_class: int
    data_coding: int
    short_message: bytes
    """Empty when the text is in message_payload; data_sm has no such field."""
    tlvs: Tlvs


def format_receipt(
    dialect: ReceiptDialect,
    *,
    message_id: str,
    state: MessageState,
    submit_date: datetime | None = None,
    done_date: datetime | None = None,
    err: str = "0",
    text: bytes = b"",
    sub: int = 1,
    dlvrd: int | None = None,
    stat: str | None = None,
    source: str = "",
    destination: str = "",
) -> bytes:
    """Write a receipt's text.

    Args:
        dialect: Form, labels, widths and words.
        message_id: The carrier's id as it spells it.
        state: What became of the message.
        submit_date: With a zone; None is written as zeros.
        done_date: Likewise.
        err: Digits are filled with zeros to the dialect's width.
        text: The message, of which the first octets are quoted.
        sub: Messages submitted.
        dlvrd: Messages delivered; None: `sub` if the state is DELIVERED, else 0.
        stat: The word for the state; None: the dialect's.
        source: Sender of the message, for a column of that name.
        destination: Likewise.

    Returns:
        The text; empty for a dialect of TLVs only.

    Raises:
        EncodeError: A value would not be read back: blanks or separators inside it, a date that its
            format cannot tell, or a quoted text ahead of labels that itself looks like labels; or
            the form is `pattern`, by which one can only read.
    """
    if dialect.form is ReceiptForm.TLV_ONLY:
        return b""
    if dialect.form is ReceiptForm.PATTERN:
        raise EncodeError(
            path="receipt.form", found="pattern", expected="labels, csv or tlv_only to write"
        )
    if dlvrd is None:
        dlvrd = sub if state is MessageState.DELIVERED else 0
    values = {
        "id": message_id,
        "sub": str(sub).zfill(dialect.counter_width),
        "dlvrd": str(dlvrd).zfill(dialect.counter_width),
        "submit date": _date(submit_date, dialect),
        "done date": _date(done_date, dialect),
        "stat": dialect.stat_of(state) if stat is None else stat,
        "err": err.zfill(dialect.err_width) if err.isdigit() else err,
        "source": source,
        "destination": destination,
    }
    for name, value in values.items():
        if not _PLAIN_VALUE.fullmatch(value):
            raise EncodeError(
                path=f"receipt.{name}", found=repr(value), expected="no blanks and no separators"
            )
    quoted = text[: dialect.text_octets].decode("latin-1")
    if dialect.form is ReceiptForm.CSV:
        return _write_columns(values, quoted, dialect).encode("latin-1")
    return _write_labels(values, quoted, dialect).encode("latin-1")


def _date(moment: datetime | None, dialect: ReceiptDialect) -> str:
    return format_receipt_date(moment, date_format=dialect.date_format, zone=dialect.zone)


def _write_columns(values: dict[str, str], quoted: str, dialect: ReceiptDialect) -> str:
    if "," in quoted and "text" in dialect.columns[:-1]:
        raise EncodeError(path="receipt.text", found="a comma", expected="none ahead of columns")
    return ",".join((values | {"text": quoted}).get(name, "") for name in dialect.columns)


def _write_labels(values: dict[str, str], quoted: str, dialect: ReceiptDialect) -> str:
    written: list[str] = []
    for label in dialect.labels:
        name = label.lower().replace("_", " ")
        if name != "text":
            written.append(f"{label}:{values.get(name, '')}")
            continue
        if ":" in quoted and label != dialect.labels[-1]:
            raise EncodeError(path="receipt.text", found="a colon", expected="none ahead of labels")
        written.append(f"{label}:{quoted}")
    return " ".join(written)


def write_receipt(
    dialect: ReceiptDialect,
    *,
    message_id: str,
    state: MessageState,
    submit_date: datetime | None = None,
    done_date: datetime | None = None,
    err: str = "0",
    text: bytes = b"",
    sub: int = 1,
    dlvrd: int | None = None,
    stat: str | None = None,
    source: str = "",
    destination: str = "",
    kind: ReceiptKind = ReceiptKind.RECEIPT,
    network_error: tuple[int, int] | None = None,
) -> WrittenReceipt:
    """Write a receipt with its TLVs; arguments and errors beyond these are `format_receipt`'s.

    Args:
        kind: What esm_class says.
        network_error: Type and code of network_error_code, written if the dialect has that TLV.
    """
    octets = format_receipt(
        dialect,
        message_id=message_id,
        state=state,
        submit_date=submit_date,
        done_date=done_date,
        err=err,
        text=text,
        sub=sub,
        dlvrd=dlvrd,
        stat=stat,
        source=source,
        destination=destination,
    )
    tlvs = _write_tlvs(dialect, message_id, state, network_error)
    if octets and "message_payload" in (dialect.where, _FORCED.get(dialect.operation)):
        tlvs, octets = tlvs + make_tlvs(message_payload=octets), b""
    return WrittenReceipt(
        esm_class=_ESM_CLASSES[kind],
        data_coding=dialect.data_coding,
        short_message=octets,
        tlvs=tlvs,
    )


_FORCED: Final = {"data_sm": "message_payload"}


def _write_tlvs(
    dialect: ReceiptDialect,
    message_id: str,
    state: MessageState,
    network_error: tuple[int, int] | None,
) -> Tlvs:
    tlvs = NO_TLVS
    for name in dialect.tlvs:
        if name == "receipted_message_id":
            tlvs += make_tlvs(receipted_message_id=message_id)
        elif name == "message_state":
            tlvs += make_tlvs(message_state=int(state))
        elif network_error is not None:
            tlvs += Tlvs.of(Tlv(TlvTag.NETWORK_ERROR_CODE, _write_error(dialect, *network_error)))
    return tlvs


def _write_error(dialect: ReceiptDialect, kind: int, code: int) -> bytes:
    if dialect.network_error_code == "digits":
        return b"%03d" % code
    return bytes((kind,)) + code.to_bytes(2, "big")
