"""Where a text may be cut so that a reader sees no broken character.

A compact approximation of the grapheme clusters of UAX #29, good enough to choose between two
places for a cut, and not for more: it asks `unicodedata` for categories instead of carrying the
property tables. Left out on purpose: the Prepend class (a few rare signs), and the check that both
sides of a ZWJ are pictographs (no cut next to a ZWJ at all).
"""

import unicodedata
from typing import Final

__all__ = ["is_boundary"]

_ZWJ: Final = "\u200d"
_EXTENDING_CATEGORIES: Final = frozenset({"Mn", "Me", "Mc"})
_VIRAMA: Final = 9
"""The canonical combining class of the signs that join two consonants."""


def is_boundary(text: str, at: int) -> bool:
    """Say whether a text may be cut before position `at`, 0 to `len(text)`.

    Kept whole: CR LF; a base with its combining marks, variation selectors and emoji modifiers;
    sequences with ZWJ; pairs of regional indicators; tag sequences; Hangul syllables written in
    jamo; consonants joined by a virama.

    Spec: UAX #29 rules GB3, GB6 to GB9a, GB9c, GB11 to GB13, approximated
    """
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if after < "\u0300":
        return not (before == "\r" and after == "\n")
    if after == _ZWJ or before == _ZWJ or _extends(after):
        return before in "\r\n"
    if _is_regional(after):
        return _count_regional_before(text, at) % 2 == 0
    if _is_leading_jamo(after) or "\uac00" <= after <= "\ud7a3":
        return not _is_leading_jamo(before)
    if _is_following_jamo(after):
        return not (
            _is_leading_jamo(before) or _is_following_jamo(before) or "\uac00" <= before <= "\ud7a3"
        )
    return not (unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo")


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in _EXTENDING_CATEGORIES
        or character == "\u200c"
        or "\uff9e" <= character <= "\uff9f"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _count_regional_before(text: str, at: int) -> int:
    start = at
    while start > 0 and _is_regional(text[start - 1]):
        start -= 1
    return at - start


def _is_leading_jamo(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _is_following_jamo(character: str) -> bool:
    return "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7fb"
