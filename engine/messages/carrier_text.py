"""A text as one carrier wants its octets, where that is not the standard's way, and the way back.

Cutting and the standard's alphabets are `whiteroute.pdu`'s; here are the order in which alphabets
are tried, other numbers for them, and how octets are laid out.
"""

from copy import copy
from typing import Final

import attrs

from whiteroute.pdu import (
    NO_TLVS,
    Alphabet,
    DataSm,
    DeliverSm,
    EncodeError,
    EsmClass,
    Segmented,
    TextPart,
    TlvTag,
    choose_shift,
    data_coding_for,
    encode_text,
    join_parts,
    make_tlvs,
    parse_data_coding,
    split_text,
    split_udh,
    user_data,
)

from .options import ONE_MESSAGE_OCTETS, TextOptions

__all__ = ["cut_for_carrier", "read_from_carrier"]

_LARGEST_REFERENCE: Final = {"udh8": 0x100}


def cut_for_carrier(text: str, options: TextOptions, reference: int) -> tuple[TextPart, ...]:
    """Cut a text into the parts that the carrier is sent.

    Args:
        text: Any text.
        options: The carrier's way.
        reference: Tells the parts of this text from others; cut to what marks them.

    Raises:
        EncodeError: None of the carrier's alphabets has all characters; what `split_text` raises.
    """
    alphabet = _first_that_fits(text, options) if options.alphabets else None
    segmented = _split(text, alphabet, options, reference, payload=options.long_mode == "payload")
    if len(segmented.parts) > 1 and options.max_octets > ONE_MESSAGE_OCTETS:
        whole = _split(text, alphabet, options, reference, payload=True)
        octets = user_data(whole.parts[0])
        if len(octets) <= options.max_octets:
            whole.parts = (attrs.evolve(whole.parts[0], short_message=octets, tlvs=NO_TLVS),)
            segmented = whole
    if alphabet is None and options.is_standard:
        return segmented.parts
    written_in = segmented.alphabet
    data_coding = options.data_codings.get(written_in)
    if data_coding is None:
        data_coding = data_coding_for(written_in, default=options.default)
    swapped = written_in is Alphabet.UCS2 and options.ucs2 == "utf-16-le"
    return tuple(_laid_out(part, data_coding, swapped, options) for part in segmented.parts)


def _first_that_fits(text: str, options: TextOptions) -> Alphabet:
    for alphabet in options.alphabets:
        try:
            encode_text(text, alphabet)
        except EncodeError:
            if alphabet is Alphabet.GSM and choose_shift(text, options.languages) is not None:
                return alphabet
        else:
            return alphabet
    raise EncodeError(
        path="text",
        found="characters that none of the carrier's alphabets has",
        expected=f"those of {', '.join(options.alphabets)}",
    )


def _split(
    text: str, alphabet: Alphabet | None, options: TextOptions, reference: int, *, payload: bool
) -> Segmented:
    return split_text(
        text,
        alphabet=alphabet,
        mode="payload" if payload else options.long_mode,
        reference=reference % _LARGEST_REFERENCE.get(options.long_mode, 0x1_0000),
        languages=options.languages,
        # With an alphabet of its own choice the number is looked up afterwards.
        default=alphabet or options.default,
        packed=options.packed,
    )


def _laid_out(part: TextPart, data_coding: int, swapped: bool, options: TextOptions) -> TextPart:
    octets = user_data(part)
    if swapped:
        octets = part.udh + _swapped(octets[len(part.udh) :])
    if part.tlvs.first(TlvTag.MESSAGE_PAYLOAD) is not None:
        payload = make_tlvs(message_payload=octets)
        return attrs.evolve(part, data_coding=data_coding, tlvs=payload)
    if options.null_terminated:
        octets += b"\0"
    return attrs.evolve(part, data_coding=data_coding, short_message=octets)


def _swapped(octets: bytes) -> bytes:
    """Exchange the octets of each code unit; one left over at the end stays."""
    even = len(octets) & ~1
    swapped = bytearray(octets)
    swapped[:even:2], swapped[1:even:2] = octets[1:even:2], octets[:even:2]
    return bytes(swapped)


def read_from_carrier(pdu: DeliverSm | DataSm, options: TextOptions) -> str:
    """Read the text of one PDU that the carrier delivered; never fails."""
    default = options.default
    if options.data_codings or options.ucs2 != "utf-16-be":
        pdu, default = _as_standard(pdu, options)
    return join_parts((pdu,), default=default, packed=options.packed)


def _as_standard(
    pdu: DeliverSm | DataSm, options: TextOptions
) -> tuple[DeliverSm | DataSm, Alphabet]:
    """Give the PDU as one who follows the standard would have sent it, and what its 0 means."""
    own = [each for each, number in options.data_codings.items() if number == pdu.data_coding]
    default = own[0] if own else options.default
    standard = copy(pdu)
    if own:
        standard.data_coding = 0
    alphabet = parse_data_coding(standard.data_coding, default).alphabet
    if alphabet is Alphabet.UCS2 and options.ucs2 == "utf-16-le":
        octets = user_data(pdu)
        header = b""
        if pdu.esm_class & EsmClass.UDHI:
            udh, octets = split_udh(octets)
            header = udh.octets
        standard.tlvs = make_tlvs(message_payload=header + _swapped(octets))
        if isinstance(standard, DeliverSm):
            standard.short_message = b""
    return standard, default
