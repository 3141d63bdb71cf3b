"""National language shift tables: which there are, and which of them spare a text its UCS-2 parts.

The characters themselves stand in `national_tables`. A table counts only for the message that
announces it in its user data header, so what is chosen here goes hand in hand with `udh`.
"""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from functools import cache

import attrs

from .alphabet import GSM_DEFAULT, SeptetTable
from .errors import EncodeError
from .national_tables import LOCKING_TABLES, SINGLE_TABLES

__all__ = ["NO_SHIFT", "NationalLanguage", "Shift", "choose_shift", "septet_table"]


class NationalLanguage(IntEnum):
    """National language identifiers. Spec: 3GPP TS 23.038 §6.2.1.2.4"""

    TURKISH = 1
    SPANISH = 2
    PORTUGUESE = 3
    BENGALI = 4
    GUJARATI = 5
    HINDI = 6
    KANNADA = 7
    MALAYALAM = 8
    ORIYA = 9
    PUNJABI = 10
    TAMIL = 11
    TELUGU = 12
    URDU = 13


@attrs.frozen
class Shift:
    """The pair of tables a message is written with; 0 is the default of either."""

    locking: int = 0
    """Replaces the whole main table."""
    single: int = 0
    """Replaces what follows the escape."""

    @property
    def header_octets(self) -> int:
        """Octets of a user data header that says no more than this; 0 for the default tables."""
        tables = bool(self.locking) + bool(self.single)
        return tables * 3 + bool(tables)


NO_SHIFT = Shift()


@cache
def septet_table(shift: Shift = NO_SHIFT) -> SeptetTable:
    """Give the tables of a shift.

    A language that nobody has defined, or that has no locking table (Spanish), gives the default
    one, as TS 23.038 §6.2.1.2.4 asks of a handset. So any two octets of a header have a meaning.
    """
    if shift == NO_SHIFT:
        return GSM_DEFAULT
    return SeptetTable(
        LOCKING_TABLES.get(shift.locking, GSM_DEFAULT.main),
        SINGLE_TABLES.get(shift.single, GSM_DEFAULT.escaped),
    )


def choose_shift(text: str, languages: Sequence[int]) -> tuple[Shift, bytes] | None:
    """Find the pair of tables that writes a text in the fewest septets, header included.

    Args:
        text: What is to be written; the default alphabet alone has been found wanting.
        languages: The identifiers which the caller allows, best first. Handsets sold elsewhere may
            not know a table, and show other letters instead; so nothing is taken that is not named.

    Returns:
        The shift and the text's septets; None when no pair can write the text. Of two that are as
        short, the one with fewer tables, then the one named first.
    """
    best: tuple[int, Shift, bytes] | None = None
    for shift in _shifts(languages):
        try:
            septets = septet_table(shift).encode(text)
        except EncodeError:
            continue
        cost = len(septets) + (shift.header_octets * 8 + 6) // 7
        if best is None or cost < best[0]:
            best = (cost, shift, septets)
    return None if best is None else best[1:]


def _shifts(languages: Sequence[int]) -> Iterator[Shift]:
    single = [language for language in languages if language in SINGLE_TABLES]
    locking = [language for language in languages if language in LOCKING_TABLES]
    yield from (Shift(single=language) for language in single)
    yield from (Shift(locking=language) for language in locking)
    yield from (Shift(outer, inner) for outer in locking for inner in single)
