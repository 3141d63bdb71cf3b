"""A PDU as JSON: every field by its specification name, what the text says, and what is odd about it.

What must not be shown, a password, is left out. The text of a message is what one looks for, and is
there. How it looks on a terminal is in `decode.py`, how it becomes a PDU again in `encode.py`.
"""

from collections.abc import Iterator, Mapping

import attrs

from whiteroute.pdu import (
    BodyError,
    DataSm,
    DeliverSm,
    EsmClass,
    Pdu,
    SubmitMulti,
    SubmitSm,
    Tlv,
    UdhElement,
    UnknownPdu,
    WireForm,
    command_id_of,
    command_name,
    join_parts,
    parse_data_coding,
    parse_receipt,
    split_udh,
    status_name,
    tlv_name,
    tlv_value,
    user_data,
)

TextPdu = SubmitSm | SubmitMulti | DeliverSm | DataSm
"""The operations that carry a text which data_coding explains."""

WIRE_FORMS: Mapping[str, int] = {
    "header_only": WireForm.HEADER_ONLY,
    "unterminated": WireForm.UNTERMINATED,
    "overlong": WireForm.OVERLONG,
}
"""How a PDU can stand on the wire where its values do not say it: name to bit."""

_UDH_ELEMENTS = {
    "Concatenation": "concatenation",
    "ApplicationPorts": "ports",
    "NationalSingle": "national_single_shift",
    "NationalLocking": "national_locking_shift",
    "UnknownElement": "unknown",
}


def describe(pdu: Pdu, octets: bytes, *, show_secrets: bool = False) -> dict[str, object]:
    """Describe a PDU in JSON's own types.

    Args:
        pdu: As it was decoded.
        octets: What it was decoded from.
        show_secrets: Whether a password is shown. If not, the field is None, and in `hex` its octets
            are stars; a finding says so.
    """
    values = dict(_fields(pdu))
    findings = [*_findings(pdu)]
    password = values.get("password")
    if isinstance(password, str) and password and not show_secrets:
        values["password"] = None
        octets = _covered(octets, len(password))
        findings.append("password: covered; --show-secrets shows it")
    header = _header(pdu.command_status, pdu.sequence_number, command_id_of(pdu), octets)
    return header | {
        "fields": values,
        "tlvs": [_tlv(tlv) for tlv in pdu.tlvs],
        "text": _text(pdu),
        "udh": _udh(pdu),
        "receipt": _receipt(pdu),
        "findings": findings,
        "wire_form": [name for name, bit in WIRE_FORMS.items() if pdu.wire_form & bit],
        "trailing": pdu.tlvs.trailing.hex(),
        "hex": octets.hex(),
    }


def describe_unreadable(error: BodyError) -> dict[str, object]:
    """Describe a PDU whose header could be read and whose body could not."""
    octets = error.octets
    command_status = int.from_bytes(octets[8:12], "big")
    header = _header(command_status, error.sequence_number, error.command_id, octets)
    return header | {
        "fields": {},
        "tlvs": [],
        "text": None,
        "udh": None,
        "receipt": None,
        "findings": [str(error)],
        "error": {
            "path": error.path,
            "found": error.found,
            "expected": error.expected,
            "answer": status_name(error.command_status),
        },
        "hex": octets.hex(),
    }


def _header(
    command_status: int, sequence_number: int, command_id: int, octets: bytes
) -> dict[str, object]:
    return {
        "command": command_name(command_id),
        "command_id": int(command_id),
        "command_status": {"value": command_status, "name": status_name(command_status)},
        "sequence_number": sequence_number,
        "command_length": len(octets),
    }


def _fields(pdu: Pdu) -> Iterator[tuple[str, object]]:
    """Give the mandatory fields in wire order."""
    if isinstance(pdu, UnknownPdu):
        yield "body", pdu.body.hex()
    for name, _ in pdu.fields:
        value = getattr(pdu, name)
        if isinstance(value, bytes):
            yield name, value.hex()
        elif isinstance(value, tuple):
            yield name, [attrs.asdict(entry) for entry in value]
        else:
            yield name, value


def _tlv(tlv: Tlv) -> dict[str, object]:
    value = tlv_value(tlv)
    return {
        "tag": int(tlv.tag),
        "name": tlv_name(tlv.tag),
        "hex": tlv.value.hex(),
        "value": value.hex() if isinstance(value, bytes) else value,
    }


def _text(pdu: Pdu) -> str | None:
    if not isinstance(pdu, TextPdu) or not user_data(pdu):
        return None
    return join_parts((pdu,))


def _udh(pdu: Pdu) -> dict[str, object] | None:
    if not isinstance(pdu, TextPdu) or not pdu.esm_class & EsmClass.UDHI:
        return None
    header, _ = split_udh(user_data(pdu))
    elements = [_udh_element(element) for element in header.elements]
    return {"hex": header.octets.hex(), "elements": elements}


def _udh_element(element: UdhElement) -> dict[str, object]:
    described: dict[str, object] = {"element": _UDH_ELEMENTS[type(element).__name__]}
    for name, value in attrs.asdict(element).items():
        described[name] = value.hex() if isinstance(value, bytes) else value
    return described


def _receipt(pdu: Pdu) -> dict[str, object] | None:
    receipt = parse_receipt(pdu) if isinstance(pdu, DeliverSm | DataSm) else None
    if receipt is None:
        return None
    submitted, done = receipt.submit_date, receipt.done_date
    network_error = {"type": receipt.network_error_type, "code": receipt.network_error_code}
    return {
        "kind": receipt.kind.value,
        "message_id": receipt.message_id,
        "state": None if receipt.state is None else receipt.state.name,
        "is_final": receipt.is_final,
        "stat": receipt.stat,
        "err": receipt.err,
        "network_error": None if receipt.network_error_code is None else network_error,
        "submit_date": None if submitted is None else submitted.isoformat(),
        "done_date": None if done is None else done.isoformat(),
        "sub": receipt.sub,
        "dlvrd": receipt.dlvrd,
        "text": receipt.text.hex(),
        "parse_level": receipt.parse_level.value,
        "conflict": list(receipt.conflict),
        "extra": dict(receipt.extra),
    }


def _covered(octets: bytes, length: int) -> bytes:
    """Put stars for the password of a bind or outbind: it stands behind header and system_id."""
    at = octets.index(b"\0", 16) + 1
    return octets[:at] + b"*" * length + octets[at + length :]


# What is odd about it: what the codec tolerated, and what the text says of itself.


def _findings(pdu: Pdu) -> Iterator[str]:
    for finding in pdu.findings:
        yield f"{finding.code} {finding}"
    if isinstance(pdu, TextPdu):
        yield from _text_findings(pdu)


def _text_findings(pdu: TextPdu) -> Iterator[str]:
    coding = parse_data_coding(pdu.data_coding)
    if coding.reserved:
        yield f"data_coding: {coding.value}, a reserved value; read as {coding.alphabet}"
    receipt = parse_receipt(pdu) if isinstance(pdu, DeliverSm | DataSm) else None
    for what in receipt.conflict if receipt else ():
        yield f"receipt: text and TLVs tell a different {what}"
