"""The national language tables of 3GPP TS 23.038 Annex A, as data.

Not the choice between them, nor the way they are announced: that is `national`. The nine tables of
Indian scripts follow one layout, because Unicode put the scripts side by side in one order; here a
layout, a block and its gaps stand for each of them.
"""

from collections.abc import Mapping
from typing import Final

from .alphabet import GSM_DEFAULT, UNDEFINED

__all__ = ["LOCKING_TABLES", "SINGLE_TABLES"]

_LATIN: Final = GSM_DEFAULT.escaped


def _replace(table: str, changes: Mapping[int, str]) -> str:
    return "".join(changes.get(code, character) for code, character in enumerate(table))


# Spec: 3GPP TS 23.038 §A.3.1
_TURKISH: Final = _replace(
    GSM_DEFAULT.main,
    {
        0x04: "€",
        0x07: "ı",
        0x0B: "Ğ",
        0x0C: "ğ",
        0x1C: "Ş",
        0x1D: "ş",
        0x40: "İ",
        0x60: "ç",
    },
)
# Spec: 3GPP TS 23.038 §A.3.3
_PORTUGUESE: Final = (
    "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ"
    " !\"#º%&'()*+,-./0123456789:;<=>?"
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§"
    "~abcdefghijklmnopqrstuvwxyzãõ`üà"
)

_LOWER: Final = "abcdefghijklmnopqrstuvwxyz"
_INDIC: Final = (
    "01 02 03 05 06 07 08 09 0A 0B \n 0C 0D \r 0E 0F"
    " 10 11 12 13 14 15 16 17 18 19 1A \x1b 1B 1C 1D 1E"
    " _ ! 1F 20 21 22 23 24 ) ( 25 26 , 27 . 28"
    " #0 #1 #2 #3 #4 #5 #6 #7 #8 #9 : ; 29 2A 2B ?"
    " 2C 2D 2E 2F 30 31 32 33 34 35 36 37 38 39 3C 3D"
    " 3E 3F 40 41 42 43 44 45 46 47 48 49 4A 4B 4C 4D"
).split(" ")
"""Codes 0x00 to 0x5F: a place in the script's Unicode block, or a character for all scripts."""


def _indic(block: int, gaps: str, last: str) -> str:
    """Lay out a table: `gaps` are places without a character, `last` the codes 0x60, 0x7B-0x7F."""
    absent = frozenset(gaps.split())
    main = "".join(_place(block, mark, absent) for mark in _INDIC)
    ends = [chr(block + int(place, 16)) for place in last.split()]
    return main + ends[0] + _LOWER + "".join(ends[1:])


def _place(block: int, mark: str, absent: frozenset[str]) -> str:
    if mark in absent:
        return UNDEFINED
    if mark == "_":
        return " "
    if mark[0] == "#":
        return mark[1]
    return mark if len(mark) == 1 else chr(block + int(mark, 16))


# Spec: 3GPP TS 23.038 §A.3.13
_URDU: Final = (
    "\u0627\u0622\u0628\u067b\u0680\u067e\u06a6\u062a\u06c2\u067f\n\u0679\u067d\r\u067a\u067c"
    "\u062b\u062c\u0681\u0684\u0683\u0685\u0686\u0687\u062d\u062e\u062f\x1b\u068c\u0688\u0689\u068a"
    " !\u068f\u068d\u0630\u0631\u0691\u0693)(\u0699\u0632,\u0696.\u0698"
    "0123456789:;\u069a\u0633\u0634?"
    "\u0635\u0636\u0637\u0638\u0639\u0641\u0642\u06a9\u06aa\u06ab\u06af\u06b3\u06b1\u0644\u0645\u0646"
    "\u06ba\u06bb\u06bc\u0648\u06c4\u06d5\u06c1\u06be\u0621\u06cc\u06d0\u06d2\u064d\u0650\u064f\u0657"
    "\u0654" + _LOWER + "\u0655\u0651\u0653\u0656\u0670"
)

LOCKING_TABLES: Final[Mapping[int, str]] = {
    1: _TURKISH,
    3: _PORTUGUESE,
    4: _indic(0x0980, "0D 0E 11 12 29 31 33 34 35 45 46 49 4A", "4E 57 5C 5D 70 71"),
    5: _indic(0x0A80, "0E 12 29 31 34 46 4A", "50 60 61 62 63 71"),
    6: _indic(0x0900, "", "50 72 7B 7C 7E 7F"),
    # Spec: §A.3.7 prints U+0CAA (pa) for 0x24 and again for 0x3D; the order of letters, and
    # handsets, have U+0CA1 (dda) there, which the table would lack otherwise.
    7: _indic(0x0C80, "01 0D 11 29 34 45 49", "55 56 60 61 62 63"),
    8: _indic(0x0D00, "01 0D 11 29 3C 45 49", "57 60 61 62 63 79"),
    9: _indic(0x0B00, "0D 0E 11 12 29 31 34 45 46 49 4A", "56 57 60 61 62 63"),
    10: _indic(
        0x0A00,
        "0B 0C 0D 0E 11 12 29 31 34 37 3D 43 44 45 46 49 4A",
        "51 70 71 72 73 74",
    ),
    11: _indic(
        0x0B80,
        "01 0B 0C 0D 11 16 17 18 1B 1D 20 21 22 25 26 27 2B 2C 2D 3C 3D 43 44 45 49",
        "50 57 70 71 72 79",
    ),
    12: _indic(0x0C00, "0D 11 29 34 3C 45 49", "55 56 60 61 62 63"),
    13: _URDU,
}
"""National language identifier -> the 128 characters of its locking shift table."""


_SIGNS: Final = "@£$¥¿\"¤%&'\f*+" + UNDEFINED + "-/<=>¡^¡_#*"
_SLOTS: Final = (
    *(0x19, 0x1A, *range(0x1C, 0x28), *range(0x2A, 0x2F), *range(0x30, 0x3C)),
    0x3F,
)
_DANDAS: Final = "\u0964\u0965"


def _run(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


def _asian(characters: str) -> dict[int, str]:
    """Lay out a single shift table: signs, capitals, and `characters` in the places left free."""
    table = {code: sign for code, sign in enumerate(_SIGNS) if sign != UNDEFINED}
    table.update(_LATIN)
    table.update((0x41 + at, letter) for at, letter in enumerate(_LOWER.upper()))
    table |= dict(zip(_SLOTS, characters, strict=False))
    return {code: character for code, character in table.items() if character != UNDEFINED}


SINGLE_TABLES: Final[Mapping[int, Mapping[int, str]]] = {
    # Spec: 3GPP TS 23.038 §A.2.1
    1: {
        **_LATIN,
        0x47: "Ğ",
        0x49: "İ",
        0x53: "Ş",
        0x63: "ç",
        0x67: "ğ",
        0x69: "ı",
        0x73: "ş",
    },
    # Spec: §A.2.2
    2: {
        **_LATIN,
        0x09: "ç",
        0x41: "Á",
        0x49: "Í",
        0x4F: "Ó",
        0x55: "Ú",
        0x61: "á",
        0x69: "í",
        0x6F: "ó",
        0x75: "ú",
    },
    # Spec: §A.2.3
    3: {
        **_LATIN,
        0x05: "ê",
        0x09: "ç",
        0x0B: "Ô",
        0x0C: "ô",
        0x0E: "Á",
        0x0F: "á",
        0x1F: "Ê",
        0x12: "Φ",
        0x13: "Γ",
        0x15: "Ω",
        0x16: "Π",
        0x17: "Ψ",
        0x18: "Σ",
        0x19: "Θ",
        0x41: "À",
        0x49: "Í",
        0x4F: "Ó",
        0x55: "Ú",
        0x5B: "Ã",
        0x5C: "Õ",
        0x61: "Â",
        0x69: "í",
        0x6F: "ó",
        0x75: "ú",
        0x7B: "ã",
        0x7C: "õ",
        0x7F: "â",
    },
    # Spec: §A.2.4 to §A.2.13
    4: _asian(_run(0x09E6, 0x09EF) + _run(0x09DF, 0x09E3) + _run(0x09F2, 0x09FA)),
    5: _asian(_DANDAS + _run(0x0AE6, 0x0AEF)),
    6: _asian(
        _DANDAS
        + _run(0x0966, 0x096F)
        + _run(0x0951, 0x0954)
        + _run(0x0958, 0x0963)
        + "\u0970\u0971"
    ),
    7: _asian(_DANDAS + _run(0x0CE6, 0x0CEF) + "\u0cde\u0cf1\u0cf2"),
    8: _asian(_DANDAS + _run(0x0D66, 0x0D75) + _run(0x0D7A, 0x0D7F)),
    9: _asian(_DANDAS + _run(0x0B66, 0x0B6F) + "\u0b5c\u0b5d\u0b5f\u0b70\u0b71"),
    10: _asian(_DANDAS + _run(0x0A66, 0x0A6F) + "\u0a59\u0a5a\u0a5b\u0a5c\u0a5e\u0a75"),
    11: _asian(_DANDAS + _run(0x0BE6, 0x0BEF) + _run(0x0BF3, 0x0BF8) + "\u0bfa"),
    # §A.2.12 is the only one of its family without the dandas.
    12: _asian(UNDEFINED * 2 + _run(0x0C66, 0x0C6F) + "\u0c58\u0c59" + _run(0x0C78, 0x0C7F)),
    13: _asian(
        "\u0600\u0601"
        + _run(0x06F0, 0x06F9)
        + _run(0x060C, 0x0614)
        + "\u061b\u061f\u0640\u0652\u0658\u066b\u066c\u0672\u0673\u06cd\u06d4"
    ),
}
"""National language identifier -> code after the escape -> character."""
