"""Telephone numbers: one spelling for all (E.164 digits without plus), and what kind a sender is.

Not a numbering authority: whether a number is assigned, or mobile, is not known here.
"""

import re
from enum import StrEnum

from .errors import NumberError

SHORTEST_MSISDN = 7
"""Digits with country code; the shortest mobile numbers in use (Niue, Saint Helena) have seven."""
LONGEST_MSISDN = 15
"""Digits with country code (ITU-T E.164 §6)."""

_EXPECTED = f"{SHORTEST_MSISDN} to {LONGEST_MSISDN} digits that begin with a country code"
# What people and spreadsheets put between digits, no-break spaces and typographic dashes included.
_PUNCTUATION = str.maketrans("", "", " \t.-/()\u00a0\u2009\u202f\u2010\u2011\u2012\u2013")
_TRUNK_ZERO = re.compile(r"\(\s*0\s*\)")


class SenderKind(StrEnum):
    """What a sender looks like to the person who receives the message."""

    ALPHA = "ALPHA"
    """A name: anything that is not digits only."""
    SHORT = "SHORT"
    """A short code: fewer digits than any E.164 number."""
    LONG = "LONG"
    """A number one can call."""


def sender_kind(sender: str) -> SenderKind:
    """Tell a name, a short code and a long number apart.

    A plus before the digits makes a long number of any length.
    An empty sender counts as ALPHA: it is no number, and no registered list holds it.
    """
    if sender.isdigit() and sender.isascii():
        return SenderKind.SHORT if len(sender) < SHORTEST_MSISDN else SenderKind.LONG
    if sender[:1] == "+" and sender[1:].isdigit() and sender.isascii():
        return SenderKind.LONG
    return SenderKind.ALPHA


def normalise_msisdn(
    text: str, *, country_code: str | None = None, national_prefix: str = "0"
) -> str:
    """The number as E.164 digits without plus: `+34 600 11 12 22` gives `34600111222`.

    Args:
        text: Digits, with `+` or `00` before the country code or neither, and with spaces,
            points, slashes, dashes and parentheses anywhere.
        country_code: For numbers written the national way, such as `34`.
            Default: None, every number is taken to begin with its country code.
        national_prefix: What makes a number national when it has neither `+` nor `00`; it is
            replaced by the country code. Empty where the country has none (Spain): then every
            number without `+` or `00` is national. Default: `0`, the usual one.
            Without a country code it is not looked at.

    Raises:
        NumberError: Other characters, a wrong number of digits, a country code that begins with
            zero, or a `(0)` after the country code, which some countries drop and others keep.

    Spec: ITU-T E.164 §6.
    """
    if country_code is None and text.isdigit() and text[0] != "0" and text.isascii():
        digits = text
    else:
        digits = _international(text, country_code, national_prefix)
    if SHORTEST_MSISDN <= len(digits) <= LONGEST_MSISDN:
        return digits
    raise NumberError(text, _EXPECTED)


def _international(text: str, country_code: str | None, national_prefix: str) -> str:
    digits = text.translate(_PUNCTUATION)
    if digits[:1] == "+":
        digits = digits[1:]
    elif digits[:2] == "00":
        digits = digits[2:]
    elif country_code is not None and digits.startswith(national_prefix):
        return _checked(text, country_code + digits[len(national_prefix) :])
    if _TRUNK_ZERO.search(text):
        raise NumberError(text, "no '(0)' after a country code: write the number as dialled abroad")
    return _checked(text, digits)


def _checked(text: str, digits: str) -> str:
    if not (digits.isdigit() and digits.isascii()):
        raise NumberError(text, "digits, with '+' or '00' before them and usual separators")
    if digits[0] == "0":
        raise NumberError(text, "a country code, which never begins with 0")
    return digits
