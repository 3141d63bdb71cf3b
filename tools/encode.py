"""`whiteroute encode`: PDUs from what `decode --json` printed, edited or not, as hex.

`fields`, `tlvs` and the header say what is written; what is derived from them (`text`, `udh`, `hex`,
lengths) is not read.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from whiteroute.pdu import (
    OPERATIONS,
    DistributionList,
    EncodeError,
    Pdu,
    SmeAddress,
    Tlv,
    Tlvs,
    UnknownPdu,
    UnsuccessSme,
    encode,
)

from .describe import WIRE_FORMS
from .errors import CallError

_OCTET_STRINGS = ("short_message", "body")


@click.command("encode")
@click.argument("source", default="-", metavar="[FILE | -]")
def command(source: str) -> None:
    """Write PDUs as hex, one line each, from JSON as `decode --json` prints it."""
    for number, line in enumerate(_text(source).splitlines(), 1):
        if line.strip():
            click.echo(encode(read_pdu(line, f"line {number}")).hex())


def _text(source: str) -> str:
    try:
        octets = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise CallError(f"{source}: {error.strerror}, expected a file of JSON lines") from None
    return octets.decode("utf-8", "replace")


def read_pdu(line: str, where: str) -> Pdu:
    """Read one object.

    Args:
        line: JSON; `command_id` and `fields` must be there, `tlvs`, `trailing`, `wire_form`,
            `command_status` and `sequence_number` may be.
        where: How errors name it.

    Raises:
        EncodeError: It is no such object; it names the key.
    """
    try:
        record = json.loads(line)
    except ValueError as error:
        raise EncodeError(where, f"no JSON ({error})", "an object of `decode --json`") from None
    _expect(isinstance(record, Mapping), where, record, "an object of `decode --json`")
    status = record.get("command_status", 0)
    header = {
        "command_status": status.get("value") if isinstance(status, Mapping) else status,
        "sequence_number": record.get("sequence_number", 0),
    }
    for name, value in header.items():
        _expect(isinstance(value, int), f"{where}: {name}", value, "a number")
    values: dict[str, object] = dict(header)
    values["tlvs"] = _read_tlvs(record, where)
    values["wire_form"] = _read_wire_form(record.get("wire_form", []), where)
    fields = record.get("fields")
    _expect(isinstance(fields, Mapping), f"{where}: fields", fields, "an object")
    return _make_pdu(record.get("command_id"), fields, values, where)


def _expect(holds: bool, where: str, found: object, expected: str) -> None:
    if not holds:
        raise EncodeError(where, "nothing" if found is None else repr(found), expected)


def _make_pdu(
    command_id: object, fields: Mapping[str, object], values: dict[str, object], where: str
) -> Pdu:
    if not isinstance(command_id, int):
        raise EncodeError(f"{where}: command_id", repr(command_id), "a number")
    operation = OPERATIONS.get(command_id)
    names = ("body",) if operation is None else tuple(name for name, _ in operation.fields)
    for name, value in fields.items():
        path = f"{where}: fields.{name}"
        _expect(name in names, path, value, f"one of {', '.join(names) or 'no fields'}")
        values[name] = _read_field(name, value, path)
    try:
        if operation is None:
            return UnknownPdu(unknown_command_id=command_id, **values)  # type: ignore[arg-type]
        return operation(**values)  # type: ignore[arg-type]
    except TypeError:
        missing = ", ".join(name for name in names if name not in fields)
        raise EncodeError(f"{where}: fields", "no " + missing, "all fields") from None


def _read_field(name: str, value: object, path: str) -> object:
    if name == "password" and value is None:
        raise EncodeError(path, "a covered password", "what `decode --show-secrets` prints")
    if name in _OCTET_STRINGS:
        return _read_hex(value, path)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_read_entry(entry, f"{path}[{index}]") for index, entry in enumerate(value))
    _expect(isinstance(value, int | str), path, value, "a number or a text")
    return value


def _read_entry(entry: object, path: str) -> SmeAddress | DistributionList | UnsuccessSme:
    _expect(isinstance(entry, Mapping), path, entry, "an object")
    assert isinstance(entry, Mapping)
    for kind in (DistributionList, UnsuccessSme, SmeAddress):
        try:
            return kind(**entry)
        except TypeError:
            continue
    raise EncodeError(path, repr(entry), "an address, a distribution list or a failed address")


def _read_tlvs(record: Mapping[str, object], where: str) -> Tlvs:
    tlvs = record.get("tlvs", [])
    _expect(isinstance(tlvs, list), f"{where}: tlvs", tlvs, "a list")
    assert isinstance(tlvs, list)
    read = []
    for index, tlv in enumerate(tlvs):
        path = f"{where}: tlvs[{index}]"
        _expect(isinstance(tlv, Mapping) and isinstance(tlv.get("tag"), int), path, tlv, "a tag")
        read.append(Tlv(tlv["tag"], _read_hex(tlv.get("hex"), f"{path}.hex")))
    trailing = _read_hex(record.get("trailing", ""), f"{where}: trailing")
    return Tlvs(Tlvs.of(*read).octets + trailing)


def _read_hex(value: object, path: str) -> bytes:
    try:
        if isinstance(value, str):
            return bytes.fromhex(value)
    except ValueError:
        pass
    raise EncodeError(path, repr(value), "octets as hex")


def _read_wire_form(names: object, where: str) -> int:
    _expect(isinstance(names, list), f"{where}: wire_form", names, "a list")
    assert isinstance(names, list)
    form = 0
    for name in names:
        _expect(name in WIRE_FORMS, f"{where}: wire_form", name, f"one of {', '.join(WIRE_FORMS)}")
        form |= WIRE_FORMS[name]
    return form
