"""Subscribers' numbers that only who has the key can find: what takes their place, and how two compare.

A hashed number tells its country's code, for reports, and otherwise nothing without the key: there are
so few numbers that a hash without one is found by trying all of them.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

__all__ = ["country_code", "digits_of", "hashed_number", "hashed_words", "is_same_number"]

FEWEST_DIGITS: Final = 7
"""Below this many common digits two numbers are not taken for the same one; a number with fewer is a
short code, which belongs to no person."""
_HASHED: Final = re.compile(r"([0-9]{1,3})~([0-9a-f]{24})\.([0-9a-f]{8})\.([0-9]+)")
_TWO_DIGITS: Final = frozenset(
    (
        *("20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46"),
        *("47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63"),
        *("64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"),
    )
)
"""Country codes of two digits; all that do not begin with 1 or 7 and are not here have three."""


def digits_of(number: str) -> str:
    """Take what tells two numbers apart: no plus, no zeros in front, nothing between."""
    return "".join(filter(str.isdecimal, number)).lstrip("0")


def country_code(number: str) -> str:
    """Read the country's code of an international number, hashed or not; empty where it has no digits."""
    hashed = _HASHED.fullmatch(number)
    digits = digits_of(hashed[1] if hashed else number)
    if digits[:1] in ("1", "7"):
        return digits[:1]
    return digits[:2] if digits[:2] in _TWO_DIGITS else digits[:3]


def hashed_number(number: str, key: bytes) -> str:
    """Hash a subscriber's number; a short code, a name, and what is hashed already stay as they are.

    The last digits are hashed a second time, because carriers write the same number with and without
    the country's code. How it is written otherwise makes no difference.

    Returns:
        E.g. `34~9f86d081884c7d659a2feaa0.3fc9b689.11`.
    """
    digits = digits_of(number)
    if len(digits) < FEWEST_DIGITS or _HASHED.fullmatch(number):
        return number
    whole = _hash("number", digits, key, 12)
    tail = _hash("tail", digits[-FEWEST_DIGITS:], key, 4)
    return f"{country_code(digits)}~{whole}.{tail}.{len(digits)}"


def hashed_words(words: Iterable[str], key: bytes) -> str:
    """Hash a name that holds numbers, such as that of a set of segments."""
    return _hash("words", "\x1f".join(words), key, 16)


def is_same_number(one: str, other: str) -> bool:
    """Compare numbers that may or may not carry a plus, zeros, or the country's prefix.

    Two that are hashed are compared by their hashes; a hashed one is never the same as a plain one.
    """
    mine, theirs = _HASHED.fullmatch(one), _HASHED.fullmatch(other)
    if mine and theirs:
        return mine[2] == theirs[2] or (mine[3] == theirs[3] and mine[4] != theirs[4])
    if mine or theirs:
        return False
    digits, others = digits_of(one), digits_of(other)
    shorter = min(len(digits), len(others))
    return shorter >= FEWEST_DIGITS and digits[-shorter:] == others[-shorter:]


def _hash(purpose: str, text: str, key: bytes, size: int) -> str:
    octets = text.encode("utf-8", "surrogatepass")
    return blake2b(octets, digest_size=size, key=key[:64], person=purpose.encode()).hexdigest()
