"""How text becomes octets: the GSM 7-bit alphabet, the others of the data_coding table, septets.

Not for cutting a text into parts (`segments`), nor for the national shift tables (`national`),
which are further `SeptetTable`s. Which alphabet a carrier means by data_coding 0 is the caller's
knowledge and comes in as `default`.

Over SMPP a septet travels unpacked, one in each octet, unless a carrier says otherwise.
"""

import codecs
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, cast

import attrs

from .errors import EncodeError

__all__ = [
    "GSM_DEFAULT",
    "Alphabet",
    "SeptetTable",
    "count_septets",
    "decode_gsm",
    "decode_text",
    "encode_gsm",
    "encode_text",
    "pack_septets",
    "unpack_septets",
]

ESCAPE: Final = 0x1B
UNDEFINED: Final = "\ufffe"
"""Stands in a table where the specification leaves a code empty; `codecs` knows it as unmapped."""

# Spec: 3GPP TS 23.038 §6.2.1
_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Spec: 3GPP TS 23.038 §6.2.1.1
_EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}


@attrs.define(eq=False)
class SeptetTable:
    """A main table of 128 characters and the table that one escape opens.

    Made once for each pair of tables. Encoding and decoding run in C: two `bytes.translate` for a
    text of ASCII characters that the main table has, else one walk through a mapping.
    """

    main: str
    """128 characters; `UNDEFINED` where the specification has none, ESC itself at 0x1B."""
    escaped: Mapping[int, str]
    """Code after the escape -> character."""
    _ascii: bytes = attrs.field(init=False, repr=False)
    _ascii_plain: bytes = attrs.field(init=False, repr=False)
    _whole: dict[int, int] = attrs.field(init=False, repr=False)
    _shown: dict[int, int] = attrs.field(init=False, repr=False)
    _shown_escaped: str = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        writable = self.main.replace("\x1b", UNDEFINED)
        codes = [max(0, writable.find(chr(octet))) for octet in range(256)]
        self._ascii = bytes(codes)
        self._ascii_plain = bytes(octet for octet in range(128) if chr(octet) in writable)
        whole: dict[int, int | bytes] = {
            ord(character): bytes((ESCAPE, code)) for code, character in self.escaped.items()
        }
        whole.update((ord(character), code) for code, character in enumerate(writable))
        del whole[ord(UNDEFINED)]
        # `codecs` takes octet strings as values too; what type checkers know of it does not say so.
        self._whole = cast(dict[int, int], whole)
        shown = self.main.replace(UNDEFINED, "\ufffd") + "\ufffd" * 128
        self._shown = dict(enumerate(map(ord, shown)))
        # Spec: 3GPP TS 23.038 §6.2.1.1: what the second table lacks shows as in the main one, and
        # the escape to a third table, which nobody has defined, as a space.
        self._shown_escaped = "".join(
            self.escaped.get(code, " " if code == ESCAPE else character)
            for code, character in enumerate(shown)
        )

    def encode(self, text: str) -> bytes:
        """Write a text as unpacked septets; an escaped character takes two.

        Raises:
            EncodeError: A character stands in neither table; the path names its position.
        """
        if text.isascii():
            octets = text.encode("ascii")
            if not octets.translate(None, self._ascii_plain):
                return octets.translate(self._ascii)
        try:
            return codecs.charmap_encode(text, "strict", self._whole)[0]
        except UnicodeEncodeError as error:
            raise _foreign(text, error.start, "a character of the septet tables") from None

    def decode(self, octets: bytes) -> str:
        """Read unpacked septets; never fails.

        An octet that is no septet (0x80 and above), or that its table leaves empty, becomes
        U+FFFD. After the escape, a code which the second table lacks shows the main table's
        character; a lone escape at the end, or a second escape, shows a space.
        """
        shown = codecs.charmap_decode(octets, "strict", self._shown)[0]
        escape_at = octets.find(ESCAPE)
        if escape_at < 0:
            return shown
        pieces: list[str] = []
        start = 0
        while escape_at >= 0:
            pieces.append(shown[start:escape_at])
            start = escape_at + 2
            pieces.append(self._shown_escaped[octets[start - 1]] if start <= len(octets) else " ")
            escape_at = octets.find(ESCAPE, start)
        pieces.append(shown[start:])
        return "".join(pieces)

    def first_foreign(self, text: str) -> int | None:
        """Give the position of the first character that neither table has, or None."""
        try:
            codecs.charmap_encode(text, "strict", self._whole)
        except UnicodeEncodeError as error:
            return error.start
        return None


def _foreign(text: str, position: int, expected: str) -> EncodeError:
    character = text[position]
    return EncodeError(
        path=f"text[{position}]", found=f"{character!r} (U+{ord(character):04X})", expected=expected
    )


GSM_DEFAULT: Final = SeptetTable(_BASIC, _EXTENSION)
"""The GSM 7-bit default alphabet with its extension table. Spec: 3GPP TS 23.038 §6.2.1"""


def encode_gsm(text: str) -> bytes:
    """Write a text in the GSM default alphabet, one septet in each octet.

    Raises:
        EncodeError: A character is not in the alphabet; the path names its position.
    """
    return GSM_DEFAULT.encode(text)


def decode_gsm(octets: bytes) -> str:
    """Read unpacked septets of the GSM default alphabet; see `SeptetTable.decode`, never fails."""
    return GSM_DEFAULT.decode(octets)


def count_septets(text: str) -> int:
    """Count the septets of a text in the GSM default alphabet, escapes included.

    Raises:
        EncodeError: A character is not in the alphabet.
    """
    return len(GSM_DEFAULT.encode(text))


_BITS: Final = tuple(format(septet, "07b") for septet in range(128))


def pack_septets(septets: bytes, *, fill_bits: int = 0, spare: int = 0) -> bytes:
    """Pack septets, the first into the lowest bits of the first octet.

    Args:
        septets: One septet in each octet, all below 0x80.
        fill_bits: 0 to 6 zero bits ahead of the first septet, with which a text behind a user data
            header starts on a septet boundary: `-8 * len(udh) % 7`.
        spare: What fills seven spare bits, which would read as one more septet: 0 in a short
            message, whose length counts septets; 0x0D (CR) where the length is told in octets (USSD,
            cell broadcast), because a 0 would show as "@". Fewer spare bits are always 0.

    Spec: 3GPP TS 23.038 §6.1.2
    """
    if fill_bits == 0 and len(septets) % 8 == 7:
        septets += bytes((spare,))
    if not septets:
        return b""
    bits = "".join(map(_BITS.__getitem__, reversed(septets)))
    return (int(bits, 2) << fill_bits).to_bytes((len(bits) + fill_bits + 7) // 8, "little")


def unpack_septets(octets: bytes, count: int | None = None, *, fill_bits: int = 0) -> bytes:
    """Unpack septets into one octet each.

    Args:
        octets: The packed septets.
        count: How many septets there are. None takes all that fit, and leaves out a last one that
            fills the octets exactly and is 0 or CR: that is padding far more often than a text
            whose length is a multiple of eight and that ends in "@" or in a line end.
        fill_bits: Bits ahead of the first septet.

    Returns:
        At most `count` septets; fewer where the octets hold fewer.
    """
    fitting = max(0, (len(octets) * 8 - fill_bits) // 7)
    number = int.from_bytes(octets, "little") >> fill_bits
    taken = fitting if count is None else min(count, fitting)
    septets = bytes(number >> shift & 0x7F for shift in range(0, taken * 7, 7))
    exact = (len(octets) * 8 - fill_bits) == fitting * 7
    if count is None and exact and septets[-1:] in (b"\x00", b"\r"):
        return septets[:-1]
    return septets


class Alphabet(StrEnum):
    """What a text may be written in; the names used in profiles."""

    GSM = "gsm"
    """GSM 03.38 with its extension table."""
    ASCII = "ascii"
    LATIN1 = "latin1"
    BINARY = "binary"
    """No text; octets are shown and written as the first 256 characters."""
    JIS = "jis"
    """JIS X 0208, as Shift JIS, which is what handsets and carriers use under this name."""
    CYRILLIC = "cyrillic"
    HEBREW = "hebrew"
    UCS2 = "ucs2"
    """UTF-16BE: pairs of surrogates are written and read."""
    MUSIC = "music"
    """ISO-2022-JP."""
    EXTENDED_KANJI = "extended_kanji"
    """JIS X 0212, as EUC-JP."""
    KOREAN = "korean"
    """KS C 5601, as EUC-KR."""


_CODECS: Final[Mapping[Alphabet, str]] = {
    Alphabet.ASCII: "ascii",
    Alphabet.LATIN1: "latin-1",
    Alphabet.BINARY: "latin-1",
    Alphabet.JIS: "shift_jis",
    Alphabet.CYRILLIC: "iso8859-5",
    Alphabet.HEBREW: "iso8859-8",
    Alphabet.UCS2: "utf-16-be",
    Alphabet.MUSIC: "iso2022_jp",
    Alphabet.EXTENDED_KANJI: "euc_jp",
    Alphabet.KOREAN: "euc_kr",
}


def encode_text(text: str, alphabet: Alphabet) -> bytes:
    """Write a text in an alphabet; GSM as unpacked septets.

    Raises:
        EncodeError: A character is not in the alphabet; the path names its position.
    """
    if alphabet is Alphabet.GSM:
        return GSM_DEFAULT.encode(text)
    try:
        return text.encode(_CODECS[alphabet])
    except UnicodeEncodeError as error:
        raise _foreign(text, error.start, f"a character of {alphabet}") from None


def decode_text(octets: bytes, alphabet: Alphabet) -> str:
    """Read octets in an alphabet; never fails, what cannot be read becomes U+FFFD."""
    if alphabet is Alphabet.GSM:
        return GSM_DEFAULT.decode(octets)
    return octets.decode(_CODECS[alphabet], "replace")
