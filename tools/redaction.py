"""Numbers covered and texts left out of what commands print, for whoever must not see them.

A number keeps its country's code and its last two digits, which is enough to find one's own again in
what was sent, and to count by country.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from whiteroute.engine.messages import country_code

__all__ = ["redacted", "redacted_number"]

_NUMBERS: Final = frozenset(("to", "source_addr", "destination_addr", "sender"))
"""Keys of numbers. A sender or a short code with few digits stays: it belongs to no person."""
_TEXTS: Final = frozenset(("text", "octets", "tags", "quoted"))
"""Keys of what a person wrote or was written, of raw octets, and of columns of the caller's own."""
_FEWEST_DIGITS: Final = 7
_SHOWN: Final = 2


def redacted(record: Mapping[str, object], redact: bool = True) -> dict[str, object]:
    """Give a record as it may be shown.

    Args:
        record: What would be printed, with objects and lists inside as JSON has them.
        redact: False gives it as it is.

    Returns:
        A new one with the same keys: numbers covered, texts, octets and tags None.
    """
    if not redact:
        return dict(record)
    return {key: _value(key, value) for key, value in record.items()}


def _value(key: str, value: object) -> object:
    if key in _TEXTS:
        return None
    if isinstance(value, str):
        return redacted_number(value) if key in _NUMBERS else value
    if isinstance(value, Mapping):
        return redacted(cast(Mapping[str, object], value))
    if isinstance(value, Sequence):
        return [_value(key, one) for one in cast(Sequence[object], value)]
    return value


def redacted_number(number: str) -> str:
    """Cover a number but for its country's code and its last two digits: `34*******22`.

    What is hashed keeps its country's code alone; a name, and a short code, stay as they are.
    """
    country, hashed, _ = number.partition("~")
    if hashed:
        return f"{country}~"
    digits = [at for at, character in enumerate(number) if character.isdecimal()]
    if len(digits) < _FEWEST_DIGITS:
        return number
    # Zeros in front are the way out of one's own country, and no country's code.
    zeros = next((n for n, at in enumerate(digits) if number[at] != "0"), 0)
    shown = {*digits[: zeros + len(country_code(number))], *digits[-_SHOWN:]}
    return "".join(
        "*" if character.isdecimal() and at not in shown else character
        for at, character in enumerate(number)
    )
