"""One text and its parts: what each submit_sm of it carries, and the way back.

Not the choice of a message reference, and not the waiting for parts that have not come: both need
to know other messages. The cutting is pure and the same for the same arguments.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, Literal

import attrs

from .alphabet import Alphabet, decode_text, encode_text, pack_septets, unpack_septets
from .data_coding import data_coding_for, parse_data_coding
from .errors import EncodeError
from .national import NO_SHIFT, Shift, septet_table
from .text_writing import TextWriting, concatenated_octets, cut_text, write_text
from .tlv import NO_TLVS, Tlvs, make_tlvs
from .udh import (
    CarriesText,
    Concatenation,
    NationalLocking,
    NationalSingle,
    UdhElement,
    make_udh,
    split_udh,
    user_data,
)
from .values import EsmClass

__all__ = [
    "LongMode",
    "Segmented",
    "TextPart",
    "TextPreview",
    "join_parts",
    "preview",
    "split_text",
]

LongMode = Literal["udh8", "udh16", "sar", "payload"]
"""How a long text travels: header with an 8- or 16-bit reference, SAR TLVs, or message_payload."""

MOST_PARTS: Final = 255
MOST_PAYLOAD_OCTETS: Final = 65_535


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class TextPart:
    """One part, as the fields of a submit_sm; treat it as a value."""

    esm_class: int
    """Only the UDHI bit; add the mode to it."""
    data_coding: int
    short_message: bytes
    """Header and text; empty in mode `payload`."""
    tlvs: Tlvs
    """SAR or message_payload TLVs; usually none."""
    udh: bytes
    """The header at the start of the text octets, its length octet included; usually empty."""
    text: str
    """The characters of this part."""
    units: int
    """Septets, UCS-2 code units or octets which `text` takes, without the header."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Segmented:
    """A text cut into parts; treat it as a value."""

    alphabet: Alphabet
    shift: Shift
    """The national tables in use; `NO_SHIFT` unless languages were allowed and needed."""
    data_coding: int
    parts: tuple[TextPart, ...]
    """In order, at least one: an empty text is one empty part."""
    capacity: int
    """Units that each of these parts could hold."""


@attrs.frozen(kw_only=True)
class TextPreview:
    """What sending a text would take, for people and prices."""

    alphabet: Alphabet
    shift: Shift
    parts: int
    units_used: int
    """Over all parts, without headers."""
    units_left: int
    """That the last part still has room for."""
    part_units: tuple[int, ...]
    capacity: int
    foreign_at: int | None
    """Position of the first character which the default alphabet lacks; None: it has them all."""
    foreign_character: str | None
    """That character: the one to replace if the text should cost less."""


def split_text(
    text: str,
    *,
    alphabet: Alphabet | None = None,
    mode: LongMode = "udh8",
    reference: int = 0,
    languages: Sequence[int] = (),
    default: Alphabet = Alphabet.GSM,
    message_class: int | None = None,
    packed: bool = False,
) -> Segmented:
    """Cut a text into as few parts as it fits.

    An escape sequence and a surrogate pair are never cut, and neither is what a reader sees as one
    character (see `grapheme`) wherever sparing it takes no further part.

    Args:
        text: Any text; an empty one gives one empty part.
        alphabet: What to write it in. None: `default` if it has all characters, else UCS-2.
        mode: How more than one part is marked; a text of one part is not, except that `payload`
            always puts it into message_payload and leaves the cutting to the MC. `sar` leaves room
            for the header that the MC will make of the TLVs.
        reference: Tells the parts of this text from those of others to the same number: 0 to 255,
            or to 65535 in the modes `udh16` and `sar`.
        languages: National language tables that may be used when they take fewer parts than UCS-2
            (or, with `alphabet` GSM, when there is no other way), best first.
        default: What this carrier means by data_coding 0.
        message_class: 0 (flash) to 3, or None for none.
        packed: Whether the carrier wants septets packed, seven octets for eight characters; almost
            none does.

    Raises:
        EncodeError: A character is not in `alphabet`; a reference out of range; more than 255
            parts; more than 65,535 octets for message_payload; a data_coding that cannot be said.

    Spec: 3GPP TS 23.040 §9.2.3.24.1, SMPP 3.4 §5.3.2.22 and §5.3.2.32
    """
    writing = write_text(text, alphabet, default, languages)
    data_coding = data_coding_for(writing.alphabet, message_class=message_class, default=default)
    shifts = _shift_elements(writing.shift)
    parts: tuple[TextPart, ...]
    if mode == "payload":
        capacity = MOST_PAYLOAD_OCTETS // writing.unit_octets
        parts = (_make_payload(writing, data_coding, text, shifts, packed),)
    elif writing.units <= (capacity := writing.capacity(writing.shift.header_octets)):
        parts = (_make_part(writing, data_coding, text, writing.octets, shifts, packed),)
    else:
        capacity, parts = _make_parts(writing, data_coding, text, mode, reference, packed)
    return Segmented(
        alphabet=writing.alphabet,
        shift=writing.shift,
        data_coding=data_coding,
        parts=parts,
        capacity=capacity,
    )


def _shift_elements(shift: Shift) -> tuple[UdhElement, ...]:
    if shift is NO_SHIFT:
        return ()
    locking = (NationalLocking(shift.locking),) if shift.locking else ()
    single = (NationalSingle(shift.single),) if shift.single else ()
    return (*locking, *single)


def _make_part(
    writing: TextWriting,
    data_coding: int,
    text: str,
    octets: bytes,
    elements: tuple[UdhElement, ...],
    packed: bool,
    tlvs: Tlvs = NO_TLVS,
) -> TextPart:
    units = len(octets) // writing.unit_octets
    udh = make_udh(*elements).octets if elements else b""
    if packed and writing.alphabet is Alphabet.GSM:
        octets = pack_septets(octets, fill_bits=-8 * len(udh) % 7)
    return TextPart(
        esm_class=EsmClass.UDHI if udh else 0,
        data_coding=data_coding,
        short_message=udh + octets,
        tlvs=tlvs,
        udh=udh,
        text=text,
        units=units,
    )


def _make_payload(
    writing: TextWriting, data_coding: int, text: str, shifts: tuple[UdhElement, ...], packed: bool
) -> TextPart:
    part = _make_part(writing, data_coding, text, writing.octets, shifts, packed)
    if len(part.short_message) > MOST_PAYLOAD_OCTETS:
        raise EncodeError(
            path="message_payload",
            found=f"{len(part.short_message)} octets",
            expected=f"at most {MOST_PAYLOAD_OCTETS} octets",
        )
    part.tlvs = make_tlvs(message_payload=part.short_message)
    part.short_message = b""
    return part


def _make_parts(
    writing: TextWriting, data_coding: int, text: str, mode: LongMode, reference: int, packed: bool
) -> tuple[int, tuple[TextPart, ...]]:
    # The MC writes the header for SAR TLVs; a reference of one octet can do with the shorter form.
    wide = mode == "udh16" or (mode == "sar" and reference > 0xFF)
    shifts = _shift_elements(writing.shift)
    capacity = writing.capacity(concatenated_octets(writing.shift.header_octets, wide=wide))
    ends = cut_text(text, writing.prefix_units(text), capacity)
    total = len(ends)
    if total > MOST_PARTS:
        raise EncodeError(path="text", found=f"{total} parts", expected=f"at most {MOST_PARTS}")
    parts: list[TextPart] = []
    start = 0
    for sequence, end in enumerate(ends, 1):
        mark = Concatenation(reference=reference, total=total, sequence=sequence, wide=wide)
        piece = text[start:end]
        octets = writing.write(piece)
        if mode == "sar":
            tlvs = make_tlvs(
                sar_msg_ref_num=reference, sar_total_segments=total, sar_segment_seqnum=sequence
            )
            parts.append(_make_part(writing, data_coding, piece, octets, shifts, packed, tlvs))
        else:
            elements = (mark, *shifts)
            parts.append(_make_part(writing, data_coding, piece, octets, elements, packed))
        start = end
    return capacity, tuple(parts)


def preview(
    text: str,
    *,
    alphabet: Alphabet | None = None,
    mode: LongMode = "udh8",
    languages: Sequence[int] = (),
    default: Alphabet = Alphabet.GSM,
) -> TextPreview:
    """Say what sending a text would take; arguments and errors are those of `split_text`."""
    segmented = split_text(text, alphabet=alphabet, mode=mode, languages=languages, default=default)
    part_units = tuple(part.units for part in segmented.parts)
    foreign_at = _first_foreign(text, default)
    return TextPreview(
        alphabet=segmented.alphabet,
        shift=segmented.shift,
        parts=len(part_units),
        units_used=sum(part_units),
        units_left=segmented.capacity - part_units[-1],
        part_units=part_units,
        capacity=segmented.capacity,
        foreign_at=foreign_at,
        foreign_character=None if foreign_at is None else text[foreign_at],
    )


def _first_foreign(text: str, default: Alphabet) -> int | None:
    if default is Alphabet.GSM:
        return septet_table().first_foreign(text)
    for position, character in enumerate(text):
        try:
            encode_text(character, default)
        except EncodeError:
            return position
    return None


def join_parts(
    parts: Iterable[CarriesText], *, default: Alphabet = Alphabet.GSM, packed: bool = False
) -> str:
    """Read the text of parts that are complete and in order; one PDU alone is such a text.

    Neighbours written alike are put together before they are read, so that what other senders cut
    in two (an escape, a surrogate pair) is whole again. Never fails; see `decode_text`.

    Args:
        parts: `TextPart`, submit_sm, deliver_sm or data_sm, by rising sequence.
        default: What this carrier means by data_coding 0.
        packed: Whether this carrier packs septets.
    """
    pieces = (_read_piece(pdu, default, packed) for pdu in parts)
    return "".join(
        _decode(alphabet, shift, b"".join(octets for _, octets in run))
        for (alphabet, shift), run in groupby(pieces, key=lambda piece: piece[0])
    )


def _read_piece(
    pdu: CarriesText, default: Alphabet, packed: bool
) -> tuple[tuple[Alphabet, Shift], bytes]:
    octets, shift, header_octets = user_data(pdu), NO_SHIFT, 0
    if pdu.esm_class & EsmClass.UDHI:
        header, octets = split_udh(octets)
        shift = Shift(header.locking_shift, header.single_shift)
        header_octets = len(header.octets)
    coding = parse_data_coding(pdu.data_coding, default)
    alphabet = Alphabet.BINARY if coding.compressed else coding.alphabet
    if alphabet is not Alphabet.GSM:
        return (alphabet, NO_SHIFT), octets
    if packed:
        octets = unpack_septets(octets, fill_bits=-8 * header_octets % 7)
    return (alphabet, shift), octets


def _decode(alphabet: Alphabet, shift: Shift, octets: bytes) -> str:
    if alphabet is Alphabet.GSM:
        return septet_table(shift).decode(octets)
    return decode_text(octets, alphabet)
