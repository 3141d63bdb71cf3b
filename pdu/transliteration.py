"""Writing a text with the characters of the GSM alphabet, and telling what was changed.

Never applied unasked: a changed character may be a changed name. What has no near relative in the
alphabet stays as it is, and the text will need UCS-2 after all; `preview` says so beforehand.
"""

import re
import unicodedata
from typing import Final

import attrs

from .alphabet import GSM_DEFAULT

__all__ = ["Replacement", "Transliteration", "transliterate"]


@attrs.frozen
class Replacement:
    """One change."""

    position: int
    """Where it stood in the text given, counted in characters."""
    found: str
    """One character, with the combining marks behind it."""
    written: str
    """What stands there now; empty for what nobody sees."""


@attrs.frozen
class Transliteration:
    """A text and how it differs from the one given."""

    text: str
    changes: tuple[Replacement, ...] = ()
    """In order; empty: nothing was changed."""


def _alike(*groups: tuple[str, str]) -> dict[str, str]:
    return {character: written for characters, written in groups for character in characters}


_ALIKE: Final = _alike(
    ("\u2018\u2019\u201a\u201b\u2032\u02bc\u02b9\u00b4`", "'"),
    ("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    ("\u2039", "<"),
    ("\u203a", ">"),
    ("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043", "-"),
    ("\u2022\u25cf\u2219", "*"),
    ("\u00b7\u2024", "."),
    ("\u2026", "..."),
    ("\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a", " "),
    ("\u202f\u205f\u3000", " "),
    ("\u2028\u2029\u0085", "\n"),
    ("\u00ad\u200b\u2060\ufeff", ""),
    ("\u2044\u00f7\u2215", "/"),
    ("\u00d7", "x"),
    ("\u00a6", "|"),
    ("\u00a9", "(c)"),
    ("\u00ae", "(r)"),
    ("\u00b0\u00ba", "o"),
    ("\u0141", "L"),
    ("\u0142", "l"),
    ("\u0110\u00d0", "D"),
    ("\u0111\u00f0", "d"),
    ("\u0126", "H"),
    ("\u0127", "h"),
    ("\u0166", "T"),
    ("\u0167", "t"),
    ("\u0131", "i"),
    ("\u0152", "OE"),
    ("\u0153", "oe"),
    ("\u00de", "Th"),
    ("\u00fe", "th"),
    ("\u1e9e", "SS"),
    # Greek capitals that look like Latin ones; the alphabet has only those which do not.
    *zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True),
)
_CLUSTER: Final = re.compile("[^\u0300-\u036f][\u0300-\u036f]*|[\u0300-\u036f]+")


def transliterate(text: str, *, placeholder: str | None = None) -> Transliteration:
    """Replace what the GSM alphabet lacks by what it has: quotes, dashes, accents, ligatures.

    Args:
        text: Any text.
        placeholder: What to write for a character without a relative, `?` for instance. None keeps
            the character.

    Returns:
        A text of the same meaning, most likely; characters which the alphabet has are untouched.
        With a placeholder of the alphabet it is a GSM text in any case.
    """
    if GSM_DEFAULT.first_foreign(text) is None:
        return Transliteration(text)
    pieces: list[str] = []
    changes: list[Replacement] = []
    for cluster in _CLUSTER.finditer(text):
        found = cluster[0]
        written = _write(found)
        if written is None:
            written = found if placeholder is None else placeholder
        if written != found:
            changes.append(Replacement(cluster.start(), found, written))
        pieces.append(written)
    return Transliteration("".join(pieces), tuple(changes))


def _write(cluster: str) -> str | None:
    composed = unicodedata.normalize("NFC", cluster)
    if GSM_DEFAULT.first_foreign(composed) is None:
        return composed
    plain = "".join(
        _ALIKE.get(character, character)
        for character in unicodedata.normalize("NFKD", _ALIKE.get(composed, composed))
        if not unicodedata.combining(character)
    )
    if plain == "" and composed not in _ALIKE:
        return None
    return plain if GSM_DEFAULT.first_foreign(plain) is None else None
