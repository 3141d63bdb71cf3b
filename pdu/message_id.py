"""One message, two spellings: how a carrier's message ids of response and receipt become one key.

Not the look-up itself, nor the choice of a rule: a profile holds one rule for responses and one for
receipts, and `equivalence_keys` gives whoever watches the traffic the grounds for a proposal.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import attrs

__all__ = ["MessageIdKind", "MessageIdRule", "equivalence_keys"]


class MessageIdKind(StrEnum):
    """How an id is to be read."""

    RAW = "raw"
    """As it stands, every character counts."""
    DECIMAL = "decimal"
    """A decimal number, of any size; leading zeros do not count."""
    HEX = "hex"
    """A hexadecimal number of any size, with or without `0x` or a final `h`."""
    HEX_STRING = "hex_string"
    """Text, each character written as two hexadecimal digits: `4142` is `AB`."""
    CASEFOLD = "casefold"
    """Upper and lower case are the same."""
    STRIP_ZEROS = "strip_zeros"
    """Leading zeros do not count, the rest is text in which case counts."""
    PATTERN = "pattern"
    """What the first group of `pattern` catches, or the whole match if it has no group."""


_DECIMAL = re.compile(r"[0-9]+")
_HEX = re.compile(r"(?:0[xX])?([0-9A-Fa-f]+)[hH]?")
_HEX_STRING = re.compile(r"(?:[2-7][0-9A-Fa-f])+")


def _read_decimal(raw: str) -> str | None:
    found = _DECIMAL.fullmatch(raw)
    return None if found is None else (raw.lstrip("0") or "0")


def _read_hex(raw: str) -> str | None:
    found = _HEX.fullmatch(raw)
    return None if found is None else _decimal_digits(int(found[1], 16))


def _decimal_digits(number: int) -> str:
    try:
        return str(number)
    except ValueError:
        # Python writes no number of more than 4300 digits. No id on the wire is near it, but this
        # is promised not to fail.
        return f"{number:x}h"


def _read_hex_string(raw: str) -> str | None:
    found = _HEX_STRING.fullmatch(raw)
    return None if found is None else bytes.fromhex(raw).decode("ascii")


def _strip_zeros(raw: str) -> str:
    return raw.lstrip("0") or raw[:1]


_READERS: Final[Mapping[MessageIdKind, Callable[[str], str | None]]] = {
    MessageIdKind.RAW: str,
    MessageIdKind.DECIMAL: _read_decimal,
    MessageIdKind.HEX: _read_hex,
    MessageIdKind.HEX_STRING: _read_hex_string,
    MessageIdKind.CASEFOLD: str.casefold,
    MessageIdKind.STRIP_ZEROS: _strip_zeros,
    MessageIdKind.PATTERN: str,
}


def _compiles(_: object, __: object, pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise ValueError(f"pattern: {pattern!r} ({error}), expected a regular expression") from None


@attrs.frozen(kw_only=True)
class MessageIdRule:
    """How one side of a carrier spells its message ids.

    Numbers become the same key whichever base they came in: `decimal` for `255` and `hex` for `FF`
    both give `255`.

    Raises:
        ValueError: `pattern` is no regular expression, or is missing for the kind `pattern`.
    """

    kind: MessageIdKind = attrs.field(default=MessageIdKind.RAW, converter=MessageIdKind)
    """How the id is spelt: `raw`, `decimal`, `hex`, `hex_string`, `casefold`, `strip_zeros` or `pattern`.
    Most carriers spell theirs alike everywhere, and then it is `raw`."""
    pattern: str = attrs.field(default="", validator=_compiles)
    """A regular expression that finds the id proper in what the carrier sends, ahead of every kind; empty
    for all of it. What its first group catches counts, or the whole if it has none."""

    def __attrs_post_init__(self) -> None:
        if self.kind is MessageIdKind.PATTERN and not self.pattern:
            raise ValueError("pattern: empty, expected a regular expression for the kind pattern")

    def normalise(self, raw: str) -> str:
        """Give the key under which a response and its receipt meet; never fails.

        An id which the rule cannot read is its own key, with blanks and NULs around it removed
        unless the rule is `raw` without a pattern.
        """
        if self.kind is MessageIdKind.RAW and not self.pattern:
            return raw
        proper = raw.strip(" \t\r\n\0")
        if self.pattern:
            found = re.search(self.pattern, proper)
            if found is None:
                return proper
            proper = (found[1] if found.re.groups else found[0]) or ""
        key = _READERS[self.kind](proper)
        return proper if key is None else key


def equivalence_keys(raw: str) -> dict[MessageIdKind, str]:
    """Give an id's key under each kind that can read it.

    Two ids are one message for a pair of kinds if the key of the one under the first is the key of
    the other under the second. Only what holds for many ids, and for no two at once, is evidence:
    `12` is a decimal, a hexadecimal and a text.
    """
    proper = raw.strip(" \t\r\n\0")
    keys = {
        kind: reader(proper)
        for kind, reader in _READERS.items()
        if kind is not MessageIdKind.PATTERN
    }
    return {kind: key for kind, key in keys.items() if key is not None}
