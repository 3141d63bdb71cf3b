"""A whole text written in the alphabet that suits it, and the places where it is cut.

The step between an alphabet and its parts: it counts and compares, and knows headers only by their
length. What each part carries is put together in `segments`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import attrs

from .alphabet import ESCAPE, Alphabet, encode_text
from .errors import EncodeError
from .grapheme import is_boundary
from .national import NO_SHIFT, Shift, choose_shift, septet_table

__all__ = ["TextWriting", "concatenated_octets", "cut_text", "write_text"]

USER_DATA_OCTETS: Final = 140
"""What one short message holds on the air, header included. Spec: 3GPP TS 23.040 §9.2.3.24"""


@attrs.define(slots=True, weakref_slot=False)
class TextWriting:
    """An alphabet with its tables, and the whole text written in it."""

    alphabet: Alphabet
    shift: Shift
    octets: bytes

    @property
    def unit_octets(self) -> int:
        return 2 if self.alphabet is Alphabet.UCS2 else 1

    @property
    def units(self) -> int:
        return len(self.octets) // self.unit_octets

    def capacity(self, header_octets: int) -> int:
        """Units that fit beside a header of so many octets, its length octet included."""
        left = USER_DATA_OCTETS - header_octets
        if self.alphabet is Alphabet.GSM:
            return left * 8 // 7
        return left // self.unit_octets

    def write(self, text: str) -> bytes:
        if self.alphabet is Alphabet.GSM:
            return septet_table(self.shift).encode(text)
        return encode_text(text, self.alphabet)

    def prefix_units(self, text: str) -> Sequence[int]:
        """Units ahead of each position, so that no cut between positions breaks a character."""
        units = self.units
        if units == len(text):
            return range(units + 1)
        if self.alphabet is Alphabet.GSM:
            before = b"\x00" + self.octets
            return [at for at in range(units + 1) if before[at] != ESCAPE]
        if self.alphabet is Alphabet.UCS2:
            # A low surrogate, 0xDC00 to 0xDFFF, does not start a character.
            high_octets = self.octets[::2] + b"\x00"
            return [at for at in range(units + 1) if high_octets[at] & 0xFC != 0xDC]
        # Several octets for a character. What switches its alphabet inside a text, as ISO-2022-JP
        # does, is counted as if it switched for each character: a part may stay short, never long.
        return [0, *accumulate(len(self.write(character)) for character in text)]


def write_text(
    text: str, alphabet: Alphabet | None, default: Alphabet, languages: Sequence[int]
) -> TextWriting:
    """Write a text in the alphabet wanted, or in the one that takes the fewest parts.

    Args and errors are those of `split_text`.
    """
    wanted = alphabet or default
    try:
        return TextWriting(wanted, NO_SHIFT, encode_text(text, wanted))
    except EncodeError:
        chosen = choose_shift(text, languages) if wanted is Alphabet.GSM else None
        if alphabet is not None and chosen is None:
            raise
    shifted = None if chosen is None else TextWriting(Alphabet.GSM, *chosen)
    if shifted is not None and alphabet is not None:
        return shifted
    whole = TextWriting(Alphabet.UCS2, NO_SHIFT, encode_text(text, Alphabet.UCS2))
    if shifted is not None and _count_whole(text, shifted) < _count_whole(text, whole):
        return shifted
    return whole


def _count_whole(text: str, writing: TextWriting) -> int:
    """Count the parts with an 8-bit reference, which is how prices are compared."""
    header_octets = writing.shift.header_octets
    if writing.units <= writing.capacity(header_octets):
        return 1
    capacity = writing.capacity(concatenated_octets(header_octets, wide=False))
    return _count_parts(writing.prefix_units(text), 0, capacity)


def concatenated_octets(header_octets: int, *, wide: bool) -> int:
    """Add a concatenation element to a header of so many octets, 0 if there is none yet."""
    return (header_octets or 1) + (6 if wide else 5)


def _reach(prefix: Sequence[int], start: int, capacity: int) -> int:
    """Give the furthest position that one part from `start` can end at."""
    return bisect_right(prefix, prefix[start] + capacity) - 1


def _count_parts(prefix: Sequence[int], start: int, capacity: int) -> int:
    count = 0
    while start < len(prefix) - 1:
        start = _reach(prefix, start, capacity)
        count += 1
    return count


def cut_text(text: str, prefix: Sequence[int], capacity: int) -> list[int]:
    """Give the ends of the fewest parts, moved back to a boundary where that takes no more."""
    total = _count_parts(prefix, 0, capacity)
    ends: list[int] = []
    start = 0
    while start < len(text):
        furthest = _reach(prefix, start, capacity)
        end = furthest
        while not is_boundary(text, end) and end > start:
            end -= 1
        if end == start or _count_parts(prefix, end, capacity) > total - len(ends) - 1:
            end = furthest
        ends.append(end)
        start = end
    return ends
