"""Writes the quick decoder of an operation: two reads for the form that nearly all traffic has.

What that form is stands in `quick_encoder`. A frame of another form, or of another operation, is handed
on. Measured, for a submit_sm with 40 octets of text, on Python 3.11 where a call costs 30 ns: 980 ns, of
which making the object and filling its slots takes 250. All gains told below are of that machine.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from struct import error as StructError

import attrs

from .declaration import Pdu
from .generation import compiled, fixed_octets
from .quick_encoder import MOST_STRINGS, is_plain_string, struct_code
from .tlv import NO_TLVS, Tlvs
from .values import WireForm
from .wire import COctetString, Integer, ShortMessage, WireType

QuickDecoder = Callable[[bytes], Pdu]

Field = tuple[str, WireType]


@attrs.frozen(kw_only=True)
class Shape:
    """A body cut at its strings: `runs[0]` stands before `strings[0]`, `runs[1]` behind it."""

    strings: tuple[tuple[str, COctetString], ...]
    runs: tuple[tuple[Field, ...], ...]

    @classmethod
    def of(cls, pdu_class: type[Pdu]) -> "Shape":
        """Cut the body of an operation."""
        strings: list[tuple[str, COctetString]] = []
        runs: list[tuple[Field, ...]] = [()]
        for name, kind in pdu_class.fields:
            if is_plain_string(kind):
                strings.append((name, kind))
                runs.append(())
            else:
                runs[-1] += ((name, kind),)
        return cls(strings=tuple(strings), runs=tuple(runs))

    @property
    def first_at(self) -> int:
        """Where the first string starts, or what follows the head if there is none."""
        return 16 + _size(self.runs[0])


def make_quick_decoder(pdu_class: type[Pdu], otherwise: QuickDecoder) -> QuickDecoder:
    """Make the function that reads an operation's usual frames, and gives others to `otherwise`.

    It may be given any octets: what is no frame of this operation is not the usual form either.
    """
    shape = Shape.of(pdu_class)
    constants = {
        "otherwise": otherwise,
        "new": object.__new__,
        "pdu_class": pdu_class,
        "Tlvs": Tlvs,
        "NO_TLVS": NO_TLVS,
        "StructError": StructError,
        "head": Struct(">IIII" + _codes(shape.runs[0])).unpack_from,
        **_tails(shape),
        # Measured: 8 ns saved by each slice that need not be made first.
        "behind_head": slice(shape.first_at, None),
        "behind_run": slice(_size(shape.runs[1]), None) if shape.strings else None,
    }
    decoder = compiled(pdu_class, "decode_quickly", _decoder(pdu_class, shape), constants)
    match pdu_class.fields:
        case ((name, COctetString(size=size)),):
            reads = [Struct(f">IIII{length}sB").unpack for length in range(size)]
            lines = _lone_string_decoder(pdu_class, name)
            more = {"otherwise": decoder, "reads": reads}
            return compiled(pdu_class, "decode_in_one_read", lines, constants | more)
    return decoder


def _size(run: Iterable[Field]) -> int:
    return sum(fixed_octets(kind) for _, kind in run)


def _reads(run: Iterable[Field]) -> list[tuple[str, str]]:
    """Give what a run is read into, and the letters of `struct` for it.

    Numbers go straight into their slots. Measured: 40 ns saved, against names in between.
    A seldom used string is read as one octet, its NUL if it is empty, and two neighbours as one number.
    Measured: 140 ns saved by each string, and 15 ns by the pair.
    """
    reads: list[tuple[str, str]] = []
    for name, kind in run:
        if not isinstance(kind, COctetString):
            target = "sm_length" if isinstance(kind, ShortMessage) else f"o.{name}"
            reads.append((target, struct_code(kind)))
        elif reads and reads[-1][0].startswith(_SELDOM) and reads[-1][1] == "B":
            reads[-1] = (reads[-1][0], "H")
        else:
            reads.append((_SELDOM + name, "B"))
    return reads


_SELDOM = "seldom_"


def _codes(run: Iterable[Field]) -> str:
    return "".join(code for _, code in _reads(run))


def _tails(shape: Shape) -> dict[str, object]:
    """The reads behind the first string: over the second one, if there is one of that length.

    Measured: 65 ns saved, against one read before the second string and one behind it. That the list
    ends with the longest string allowed is its bound.
    """
    if len(shape.strings) < MOST_STRINGS:
        return {}
    before, behind = map(_codes, shape.runs[1:])
    forms = (f">{before}{length + 1}x{behind}" for length in range(shape.strings[1][1].size))
    return {"tails": [Struct(form).unpack_from for form in forms]}


def _decoder(pdu_class: type[Pdu], shape: Shape) -> list[str]:
    guards = ["command_length != end", f"found_id != {pdu_class.command_id:#x}"]
    targets = [_targets(run) for run in shape.runs]
    guards += [name for run in targets for name in run if name.startswith(_SELDOM)]
    read: list[str] = []
    ends_at = str(shape.first_at)
    if shape.strings:
        read, ends_at, guard = _read_strings(shape)
        guards.append(guard)
    if any(isinstance(kind, ShortMessage) for _, kind in shape.runs[-1]):
        ends_at += " + sm_length"
    if not ends_at.isdigit():
        guards.append("p > end")
    return [
        "def decode_quickly(octets):",
        "    o = new(pdu_class)",
        "    try:",
        f"        {_unpacked([*_HEADER, *targets[0]])} = head(octets)",
        *read,
        "    except (IndexError, StructError):",
        "        return otherwise(octets)",
        "    end = len(octets)",
        f"    p = {ends_at}",
        f"    if ({' or '.join(guards)}):",
        "        return otherwise(octets)",
        *(
            f"    o.{name} = {_decoded(name, kind)}"
            for name, kind in pdu_class.fields
            if not isinstance(kind, Integer)
        ),
        "    tlvs = NO_TLVS",
        "    if p != end:",
        # Measured: 110 ns saved, against its own __init__.
        "        tlvs = new(Tlvs)",
        "        tlvs.octets = octets[p:]",
        "        tlvs._taken_apart = None",
        "    o.tlvs = tlvs",
        f"    o.wire_form = {WireForm.USUAL}",
        "    return o",
    ]


_HEADER = ("command_length", "found_id", "o.command_status", "o.sequence_number")


def _read_strings(shape: Shape) -> tuple[list[str], str, str]:
    """Give the lines that read the strings and what follows, where the body then ends, and a guard.

    `str.partition` finds a string's end and cuts it out in one call; an end that is not there shows
    in the read behind it, or in a body that ends behind the PDU. Measured: 75 ns saved by each
    string, against `bytes.index` and a slice.
    """
    name, kind = shape.strings[0]
    text = "octets[behind_head].decode('latin-1').partition('\\0')"
    at = f"        at = {shape.first_at + 1} + len({name})"
    guard = f"at > {shape.first_at + kind.size}"
    if len(shape.strings) < MOST_STRINGS:
        return [f"        {name} = {text}[0]", at], "at", guard
    tail = [each for run in shape.runs[1:] for each in _targets(run)]
    size = sum(map(_size, shape.runs[1:]))
    second = shape.strings[1][0]
    rest = "rest[behind_run]" if shape.runs[1] else "rest"
    lines = [
        f"        {name}, _, rest = {text}",
        f"        {second} = {rest}.partition('\\0')[0]",
        at,
        f"        length = len({second})",
        f"        {_unpacked(tail)} = tails[length](octets, at)",
    ]
    return lines, f"at + length + {size + 1}", guard


def _lone_string_decoder(pdu_class: type[Pdu], name: str) -> list[str]:
    """Read a response whose body is one string, and nothing behind it, by the frame's length.

    Measured: 95 ns of 600 saved, against the two reads, which still take what has TLVs.
    """
    return [
        "def decode_in_one_read(octets):",
        "    o = new(pdu_class)",
        "    try:",
        f"        {_unpacked([*_HEADER, name, 'nul'])} = reads[len(octets) - 17](octets)",
        "    except (IndexError, StructError):",
        "        return otherwise(octets)",
        f"    if (nul or 0 in {name} or found_id != {pdu_class.command_id:#x}",
        "            or command_length != len(octets)):",
        "        return otherwise(octets)",
        f"    o.{name} = {name}.decode('latin-1')",
        "    o.tlvs = NO_TLVS",
        f"    o.wire_form = {WireForm.USUAL}",
        "    return o",
    ]


def _targets(run: Iterable[Field]) -> list[str]:
    return [target for target, _ in _reads(run)]


def _unpacked(names: Iterable[str]) -> str:
    return f"[{', '.join(names)}]"


def _decoded(name: str, kind: WireType) -> str:
    if isinstance(kind, ShortMessage):
        return "octets[p - sm_length:p]"
    return "''" if isinstance(kind, COctetString) and kind.seldom else name
