"""Writes an operation's encoder and decoder from its declaration: tolerant, and exact about faults.

They take everything that can be taken; what nearly all traffic looks like is left to the quick pair
of `quick_encoder` and `quick_decoder`. The source it makes is ordinary Python and is registered with `linecache`, so that a traceback shows
it. Nothing of a peer's ever reaches `exec`: only our own declarations do.
"""

import linecache
from collections.abc import Callable
from struct import Struct
from struct import error as StructError
from typing import Any, cast

from .command_id import RESPONSE_BIT
from .command_status import CommandStatus
from .declaration import Pdu
from .errors import BodyError, EncodeError
from .tlv import NO_TLVS, Tlvs
from .values import WireForm
from .wire import (
    BrokenGroupError,
    COctetString,
    Integer,
    ShortMessage,
    WireType,
    c_octets,
    integer,
)

Encoder = Callable[[Pdu], bytes]
Decoder = Callable[[bytes, int, int], Pdu]


def make_encoder(pdu_class: type[Pdu]) -> Encoder:
    """Make the function that writes this operation, field by field, with all its checks."""
    constants = _constants(pdu_class) | {"explain": _explain}
    return compiled(pdu_class, "encode", _encoder(pdu_class), constants)


def make_decoder(pdu_class: type[Pdu]) -> Decoder:
    """Make the function that reads the body of this operation's frames, field by field.

    It is given a whole frame of this operation, its command_status and its sequence_number.
    """
    constants = _constants(pdu_class) | {
        "new": object.__new__,
        "pdu_class": pdu_class,
        "Tlvs": Tlvs,
        "NO_TLVS": NO_TLVS,
        "unreadable": _unreadable,
        "cut": _cut,
    }
    return compiled(pdu_class, "decode", _decoder(pdu_class), constants)


# The encoder: every field with all its checks.


def _encoder(pdu_class: type[Pdu]) -> list[str]:
    lines = ["def encode(pdu):", "    form = pdu.wire_form"]
    pieces: list[str] = []
    for run in _integer_runs(pdu_class):
        if isinstance(run, list):
            values = ", ".join(f"pdu.{name}" for name in run)
            pieces.append(f"pack_{run[0]}({values})")
            continue
        name, kind = run
        path = f"{pdu_class.name}.{name}"
        match kind:
            case COctetString(size=size):
                pieces.append(f"c_octets(pdu.{name}, {size}, {path!r}, tolerant)")
            case ShortMessage():
                pieces.append(f"counted(pdu.{name}, {path!r})")
            case _:
                pieces.append(f"encode_{name}(pdu.{name}, {path!r}, tolerant)")
    lines += [
        "    try:",
        "        tolerant = form & OVERLONG",
        f"        body = b''.join(({''.join(f'{piece}, ' for piece in pieces)}))",
        "        tlvs = pdu.tlvs.octets",
        "        if form & (HEADER_ONLY | UNTERMINATED):",
        "            body = shortened(pdu, body, tlvs)",
        "        return pack_header(16 + len(body) + len(tlvs), command_id, pdu.command_status,",
        "                           pdu.sequence_number) + body + tlvs",
        "    except (StructError, AttributeError, TypeError):",
        "        raise explain(pdu) from None",
    ]
    return lines


def _counted(value: bytes, path: str) -> bytes:
    if not isinstance(value, bytes):
        raise EncodeError(path, type(value).__name__, "bytes")
    if len(value) > 255:
        raise EncodeError(
            path, f"{len(value)} octets", "at most 255; longer texts go into message_payload"
        )
    return bytes((len(value),)) + value


def _shortened(pdu: Pdu, body: bytes, tlvs: bytes) -> bytes:
    path = f"{pdu.name}.wire_form"
    if tlvs:
        raise EncodeError(path, "a shortened body before TLVs", "no TLVs, or the usual form")
    if not pdu.wire_form & WireForm.HEADER_ONLY:
        if not pdu.fields or not isinstance(pdu.fields[-1][1], COctetString):
            raise EncodeError(path, "UNTERMINATED", "a body that ends with a C-octet string")
        return body[:-1]
    if not pdu.command_id & RESPONSE_BIT:
        raise EncodeError(path, "HEADER_ONLY", "a response")
    for name, kind in pdu.fields:
        if getattr(pdu, name) != kind.default:
            raise EncodeError(f"{pdu.name}.{name}", "a value", "none in a header-only response")
    return b""


def _explain(pdu: Pdu) -> EncodeError:
    """Find what `struct` or a join would not take; strings and groups have told it themselves."""
    header = (("wire_form", 1), ("command_status", 4), ("sequence_number", 4))
    body = ((name, kind.octets) for name, kind in pdu.fields if isinstance(kind, Integer))
    try:
        for name, octets in (*header, *body):
            integer(getattr(pdu, name), octets, f"{pdu.name}.{name}")
    except EncodeError as error:
        return error
    found = getattr(pdu.tlvs, "octets", pdu.tlvs)
    return EncodeError(f"{pdu.name}.tlvs", type(found).__name__, "Tlvs of bytes")


# The decoder: field by field, tolerant, and exact about what it cannot read.


def _decoder(pdu_class: type[Pdu]) -> list[str]:
    fields = pdu_class.fields
    lines = [
        "def decode(octets, command_status, sequence_number):",
        "    end = len(octets)",
        "    form = 0",
        "    p = 16",
    ]
    if fields and pdu_class.command_id & RESPONSE_BIT:
        lines += [
            "    if end == 16:",
            "        o = new(pdu_class)",
            *(f"        o.{name} = default_{name}" for name, _ in fields),
            *_header_stores("NO_TLVS", "HEADER_ONLY", indent=8),
            "        return o",
        ]
    if any(isinstance(kind, COctetString) for _, kind in fields):
        lines.append("    text = octets.decode('latin-1')")
    for run in _integer_runs(pdu_class):
        if isinstance(run, list):
            lines += _read_integers(run)
        else:
            lines += _read_field(*run, last=run[0] == fields[-1][0])
    lines += [
        "    o = new(pdu_class)",
        *(f"    o.{name} = {name}" for name, _ in fields),
        *_header_stores("NO_TLVS if p == end else Tlvs(octets[p:])", "form", indent=4),
        "    return o",
    ]
    return lines


def _read_integers(names: list[str]) -> list[str]:
    first = names[0]
    return [
        f"    if p + size_{first} > end:",
        f"        raise cut(pdu_class, octets, {first!r}, end - p)",
        f"    {', '.join(names)}, = unpack_{first}(octets, p)",
        f"    p += size_{first}",
    ]


def _read_field(name: str, kind: WireType, *, last: bool) -> list[str]:
    match kind:
        case COctetString(size=size):
            ended = (
                [f"        {name} = text[p:]", "        p = end", "        form |= UNTERMINATED"]
                if last
                else [
                    f"        raise unreadable(pdu_class, octets, {name!r},",
                    "                         'no NUL before the end', 'a C-octet string')",
                ]
            )
            return [
                "    i = octets.find(0, p)",
                "    if i < 0:",
                *ended,
                "    else:",
                f"        {name} = text[p:i]",
                "        p = i + 1",
                f"    if len({name}) >= {size}:",
                "        form |= OVERLONG",
            ]
        case ShortMessage():
            return [
                "    sm_length = octets[p] if p < end else 0",
                "    left = end - p - 1",
                "    if left < sm_length:",
                f"        raise unreadable(pdu_class, octets, {name!r},",
                "            f'{sm_length} octets announced, {left} left' if left >= 0 else",
                "            'no sm_length', 'as many octets as announced')",
                "    p += 1 + sm_length",
                f"    {name} = octets[p - sm_length:p]",
            ]
        case _:
            return [
                "    try:",
                f"        {name}, p, overlong = decode_{name}(octets, p)",
                "    except BrokenGroupError as error:",
                f"        raise unreadable(pdu_class, octets, {name!r} + error.where, error.found,",
                "                         error.expected, error.bad) from None",
                "    if overlong:",
                "        form |= OVERLONG",
            ]


def _cut(pdu_class: type[Pdu], octets: bytes, first: str, left: int) -> BodyError:
    """Name the integer in which the PDU ends, of a run that starts with `first`."""
    names = [name for name, _ in pdu_class.fields]
    run = pdu_class.fields[names.index(first) :]
    by_octet = [name for name, kind in run for _ in range(fixed_octets(kind))]
    name = by_octet[left]
    found = f"{left - by_octet.index(name)} octets left"
    return _unreadable(pdu_class, octets, name, found, f"{by_octet.count(name)} octets")


def _unreadable(
    pdu_class: type[Pdu],
    octets: bytes,
    place: str,
    found: str,
    expected: str,
    bad: CommandStatus | None = None,
) -> BodyError:
    name = place.split("[")[0].split(".")[0]
    return BodyError(
        command_id=pdu_class.command_id,
        sequence_number=int.from_bytes(octets[12:16], "big"),
        octets=octets,
        path=f"{pdu_class.name}.{place}",
        found=found,
        expected=expected,
        command_status=bad or dict(pdu_class.fields)[name].bad,
    )


# What they are made of.


def _header_stores(tlvs: str, form: str, *, indent: int) -> list[str]:
    stores = {
        "tlvs": tlvs,
        "command_status": "command_status",
        "sequence_number": "sequence_number",
        "wire_form": form,
    }
    return [f"{' ' * indent}o.{name} = {value}" for name, value in stores.items()]


def _integer_runs(pdu_class: type[Pdu]) -> list[tuple[str, WireType] | list[str]]:
    """Join neighbouring integers into one run of names; other fields stand alone."""
    runs: list[tuple[str, WireType] | list[str]] = []
    for name, kind in pdu_class.fields:
        if not isinstance(kind, Integer):
            runs.append((name, kind))
        elif runs and isinstance(runs[-1], list):
            runs[-1].append(name)
        else:
            runs.append([name])
    return runs


def fixed_octets(kind: WireType) -> int:
    """How many octets a field has at least: its number, or a count or a NUL."""
    return kind.octets if isinstance(kind, Integer) else 1


def _constants(pdu_class: type[Pdu]) -> dict[str, object]:
    kinds = dict(pdu_class.fields)
    constants: dict[str, object] = {
        "command_id": pdu_class.command_id,
        "pack_header": Struct(">IIII").pack,
        "c_octets": c_octets,
        "counted": _counted,
        "shortened": _shortened,
        "StructError": StructError,
        "BrokenGroupError": BrokenGroupError,
        "OVERLONG": WireForm.OVERLONG,
        "UNTERMINATED": WireForm.UNTERMINATED,
        "HEADER_ONLY": WireForm.HEADER_ONLY,
    }
    for run in _integer_runs(pdu_class):
        if isinstance(run, list):
            form = Struct(">" + "".join(cast(Integer, kinds[name]).code for name in run))
            constants |= {
                f"pack_{run[0]}": form.pack,
                f"unpack_{run[0]}": form.unpack_from,
                f"size_{run[0]}": form.size,
            }
    for name, kind in pdu_class.fields:
        constants[f"default_{name}"] = kind.default
        if not isinstance(kind, Integer | COctetString | ShortMessage):
            constants[f"encode_{name}"] = kind.encode
            constants[f"decode_{name}"] = kind.decode
    return constants


def compiled(
    pdu_class: type[Pdu],
    function: str,
    lines: list[str],
    constants: dict[str, object],
) -> Callable[..., Any]:
    """Make a function from its lines, with the values that its names stand for."""
    source = "\n".join(lines) + "\n"
    file = f"<{function} {pdu_class.name}, generated from its declaration>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), constants)  # noqa: S102
    return cast(Callable[..., Any], constants[function])
