"""`whiteroute decode`: octets from a log, a capture or a debugger, as PDUs that one can read.

It reads hex and raw octets, any number of PDUs one after another, and what tcpdump has captured. What it prints with `--json` is
what `encode` reads.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from enum import IntEnum
from pathlib import Path

import click

from whiteroute.pdu import (
    OPERATIONS,
    BodyError,
    CommandStatus,
    EsmClass,
    Framer,
    FramingError,
    MessageState,
    RegisteredDelivery,
    TlvTag,
    decode,
    name_of,
    parse_data_coding,
    status_meaning,
)

from .capture import read_capture
from .captured_pdus import CapturedPdu, Finding, read_pdus
from .describe import describe, describe_unreadable
from .errors import CallError
from .hex_text import read_octets
from .output import complain, instant, print_json

LABEL_WIDTH = 25
"""Columns for the names of fields: replace_if_present_flag and two blanks."""

_ESM_BITS = {EsmClass.UDHI: "user data header", EsmClass.REPLY_PATH: "reply path"}
_ESM_TYPES = {
    EsmClass.RECEIPT: "receipt",
    EsmClass.DELIVERY_ACKNOWLEDGEMENT: "delivery acknowledgement",
    EsmClass.USER_ACKNOWLEDGEMENT: "user acknowledgement",
    EsmClass.INTERMEDIATE_NOTIFICATION: "intermediate notification",
}
_RECEIPTS_WANTED = ("no receipt", "a receipt", "a receipt on failure", "a receipt on success")


@click.command("decode")
@click.argument("source", nargs=-1, metavar="[HEX | FILE | -]")
@click.option("--pcap", metavar="FILE", help="Read a capture, pcap or pcapng; - is standard input.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="The port of SMPP in the capture. [default: any, if a PDU comes first]",
)
@click.option("--json", "as_json", is_flag=True, help="One object per PDU and line.")
@click.option("--show-secrets", is_flag=True, help="Show passwords; without it they are covered.")
def command(
    source: Sequence[str], pcap: str | None, port: int | None, as_json: bool, show_secrets: bool
) -> int:
    """Make PDUs readable.

    HEX may hold blanks, colons, 0x and line ends, or be a dump with offsets; FILE holds that, or the
    octets themselves; - is standard input. There may be several PDUs, one after another.

    From a capture each PDU comes with its time, sender and receiver. Where segments are missing, or
    a direction cannot be cut into PDUs, the rest of that direction is left out, and a line says so.

    Exit code 1 if the body of a PDU cannot be read, its header and the field that failed are shown,
    or if a part of a capture cannot.
    """
    if pcap is None and port is not None:
        raise click.UsageError("--port without --pcap")
    if pcap is not None and source:
        raise click.UsageError("both --pcap and octets")
    is_readable = True
    number = 0
    for found in _frames(_octets(source)) if pcap is None else _captured(pcap, port):
        if isinstance(found, Finding):
            complain(f"{pcap}: {found.line}")
            is_readable = False
            continue
        frame = found.octets if isinstance(found, CapturedPdu) else found
        try:
            described = describe(decode(frame), frame, show_secrets=show_secrets)
        except BodyError as error:
            described = describe_unreadable(error)
            is_readable = False
        if isinstance(found, CapturedPdu):
            at = None if found.at is None else instant(found.at)
            described |= {"at": at, "source": found.source, "destination": found.destination}
        if as_json:
            print_json(described)
        else:
            click.echo("\n" * bool(number) + "\n".join(in_lines(described)))
        number += 1
    return 0 if is_readable else 1


def _captured(name: str, port: int | None) -> Iterator[CapturedPdu | Finding]:
    with ExitStack() as stack:
        try:
            stream = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise CallError(f"{name}: {error.strerror}, expected a capture") from None
        yield from read_pdus(read_capture(stream, name), port)


def _octets(source: Sequence[str]) -> bytes:
    if not source and sys.stdin.isatty():
        raise click.UsageError("nothing to decode")
    if source in ((), ("-",)):
        return _octets_of_file(sys.stdin.buffer.read())
    if len(source) == 1 and _is_file(source[0]):
        return _octets_of_file(Path(source[0]).read_bytes())
    text = " ".join(source)
    looks_like_a_file = len(source) == 1 and any(mark in text for mark in "./\\")
    if looks_like_a_file:
        raise CallError(f"{text}: no such file, expected hex, a file, or -")
    return read_octets(text)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # hex is longer than a name may be
        return False


def _octets_of_file(content: bytes) -> bytes:
    """Take octets as they are, or read them as hex: a PDU starts with a NUL, and no text does."""
    if content[:1] == b"\0":
        return content
    return read_octets(content.decode("utf-8", "replace"))


def _frames(octets: bytes) -> Iterator[bytes]:
    """Cut octets into PDUs.

    Raises:
        FramingError: Once the PDUs before it were given: a length that cannot be, or too few octets.
    """
    framer = Framer()
    at = 0
    with suppress(FramingError):  # told below, with its place
        for frame in framer.receive(octets):
            yield frame
            at += len(frame)
    if framer.error is not None:
        raise FramingError(f"octet {at}: {framer.error.found}", framer.error.expected)
    if at < len(octets):
        left = len(octets) - at
        if left < 4:
            raise FramingError(f"octet {at}: {left} octets are left", "a header of 16")
        announced = int.from_bytes(octets[at : at + 4], "big")
        raise FramingError(
            f"octet {at}: {left} octets are left", f"{announced}, as its command_length says"
        )


# For eyes.


def in_lines(described: Mapping[str, object]) -> Iterator[str]:
    """Write a description line by line, names in one column and values in the other."""
    yield _headline(described)
    if "at" in described:
        yield _line("time", str(described["at"] or "unknown"))
        yield _line("from", str(described["source"]))
        yield _line("to", str(described["destination"]))
    known = _known_values(described["command_id"])
    values = described["fields"]
    assert isinstance(values, Mapping)
    for name, value in values.items():
        yield _line(name, _field(name, value, known.get(name)))
    for tlv in _mappings(described["tlvs"]):
        yield _line(f"tlv {tlv['name']}", _tlv(tlv))
    if trailing := described.get("trailing"):
        yield _line("trailing", _octets_in_words(str(trailing)))
    if isinstance(udh := described["udh"], Mapping):
        for element in _mappings(udh["elements"]):
            yield _line("udh", _udh_element(element))
    if described["text"] is not None:
        yield _line("text", _quoted(described["text"]))
    if isinstance(receipt := described["receipt"], Mapping):
        yield _line("receipt", _receipt(receipt))
    findings = described["findings"]
    assert isinstance(findings, Sequence)
    for finding in findings:
        yield _line("finding", str(finding))


def _mappings(values: object) -> Iterator[Mapping[str, object]]:
    assert isinstance(values, Sequence)
    yield from values


def _headline(described: Mapping[str, object]) -> str:
    status = described["command_status"]
    assert isinstance(status, Mapping)
    words = [
        f"{described['command']}  0x{described['command_id']:08X}",
        f"sequence_number {described['sequence_number']}",
        f"{described['command_length']} octets",
    ]
    if status["value"] or str(described["command"]).endswith("_resp"):
        value, name = status["value"], status["name"]
        meaning = "" if value == CommandStatus.ESME_ROK else f" ({status_meaning(value)})"
        words.append(f"{name}{meaning}")
    return "  ".join(words)


def _known_values(command_id: object) -> dict[str, type[IntEnum]]:
    operation = OPERATIONS.get(command_id) if isinstance(command_id, int) else None
    kinds = operation.fields if operation else ()
    known = ((name, getattr(kind, "known", None)) for name, kind in kinds)
    return {name: values for name, values in known if isinstance(values, type)}


def _line(name: str, value: str) -> str:
    return f"  {name:<{LABEL_WIDTH - 1}} {value}"


def _field(name: str, value: object, known: type[IntEnum] | None) -> str:
    match value:
        case None:
            return "covered"
        case int():
            words = _number_in_words(name, value, known)
            return f"{value}  {words}" if words else str(value)
        case str() if name in ("short_message", "body"):
            return _octets_in_words(value)
        case str():
            return _quoted(value)
        case _:
            return "; ".join(_entry(entry) for entry in _mappings(value)) or "none"


def _number_in_words(name: str, value: int, known: type[IntEnum] | None) -> str:
    if known is not None:
        word = name_of(known, value)
        return "" if word == str(value) else word
    match name:
        case "esm_class":
            kind = _ESM_TYPES.get(value & EsmClass.TYPE_MASK)
            words = [kind] if kind else []
            words += [word for bit, word in _ESM_BITS.items() if value & bit]
            return ", ".join(words)
        case "registered_delivery":
            also = ", intermediate ones too" if value & RegisteredDelivery.INTERMEDIATE else ""
            return _RECEIPTS_WANTED[value & 3] + also
        case "data_coding":
            coding = parse_data_coding(value)
            flash = "" if coding.message_class is None else f", class {coding.message_class}"
            return f"{coding.alphabet}{flash}"
    return ""


def _entry(entry: Mapping[str, object]) -> str:
    return " ".join(f"{name} {value}" for name, value in entry.items())


def _tlv(tlv: Mapping[str, object]) -> str:
    value, octets = tlv["value"], str(tlv["hex"])
    if tlv["tag"] == TlvTag.MESSAGE_STATE and isinstance(value, int):
        return f"{value}  {name_of(MessageState, value)}"
    if value == octets:
        return _octets_in_words(octets)
    return _quoted(value) if isinstance(value, str) else str(value)


def _udh_element(element: Mapping[str, object]) -> str:
    if element["element"] == "concatenation":
        return f"part {element['sequence']} of {element['total']}, reference {element['reference']}"
    values = {name: value for name, value in element.items() if name != "element"}
    return f"{element['element']}: {_entry(values)}"


def _receipt(receipt: Mapping[str, object]) -> str:
    words = [
        f"message_id {_quoted(receipt['message_id'])}"
        if receipt["message_id"]
        else "no message_id",
        str(receipt["state"] or "no known state"),
    ]
    words += [f"{name} {receipt[name]}" for name in ("stat", "err") if receipt[name]]
    if isinstance(network_error := receipt["network_error"], Mapping):
        words.append(f"network_error_code {network_error['type']}/{network_error['code']}")
    if receipt["done_date"]:
        words.append(f"done {receipt['done_date']}")
    return "  ".join(words)


def _quoted(value: object) -> str:
    """Show a text on one line, whatever it holds, in letters that a terminal may have."""
    return repr(str(value))


def _octets_in_words(digits: str) -> str:
    """Count octets, and show them in rows of sixteen beneath each other."""
    pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
    rows = [" ".join(pairs[at : at + 16]) for at in range(0, len(pairs), 16)]
    return "\n".join([f"{len(pairs)} octets", *(" " * (LABEL_WIDTH + 2) + row for row in rows)])
