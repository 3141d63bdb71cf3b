"""The dates in receipt texts: six ways to write them, told apart by length and digits.

Python's `strptime` is not used, because it takes `201506201641` for a time with seconds; a reading
here is right in every digit or is not offered at all.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache
from typing import Final

from .errors import EncodeError
from .smpp_time import SmppTimeError, format_smpp_time, parse_smpp_time

__all__ = ["DateFormat", "format_receipt_date", "parse_receipt_date"]


class DateFormat(StrEnum):
    """How a carrier writes dates."""

    AUTO = "auto"
    """Read any of the others; write `YYMMDDhhmm`."""
    MINUTES = "YYMMDDhhmm"
    SECONDS = "YYMMDDhhmmss"
    LONG_MINUTES = "YYYYMMDDhhmm"
    LONG_SECONDS = "YYYYMMDDhhmmss"
    EPOCH = "epoch"
    """Seconds since 1970 in UTC, ten digits."""
    EPOCH_MILLISECONDS = "epoch_ms"
    SMPP = "smpp"
    """`YYMMDDhhmmsstnnp`, which tells its own zone."""


_SEPARATORS: Final = re.compile(r"[\s:/.T-]+")
# Ten digits that start so are seconds from July 2017 to May 2033 at most; as a date they are in the
# years 2015 to 2019. Which is meant, the reference time tells.
_EPOCH_START: Final = re.compile(r"1[5-9]")
_EPOCH_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BY_LENGTH: Final = {
    10: (DateFormat.MINUTES, DateFormat.EPOCH),
    12: (DateFormat.SECONDS, DateFormat.LONG_MINUTES),
    13: (DateFormat.EPOCH_MILLISECONDS,),
    14: (DateFormat.LONG_SECONDS,),
}
_YEAR_DIGITS: Final = {
    DateFormat.MINUTES: 2,
    DateFormat.SECONDS: 2,
    DateFormat.LONG_MINUTES: 4,
    DateFormat.LONG_SECONDS: 4,
}
_PATTERNS: Final = {
    DateFormat.AUTO: "%y%m%d%H%M",
    DateFormat.MINUTES: "%y%m%d%H%M",
    DateFormat.SECONDS: "%y%m%d%H%M%S",
    DateFormat.LONG_MINUTES: "%Y%m%d%H%M",
    DateFormat.LONG_SECONDS: "%Y%m%d%H%M%S",
}


def parse_receipt_date(
    text: str,
    *,
    date_format: DateFormat = DateFormat.AUTO,
    zone: tzinfo = UTC,
    reference: datetime | None = None,
) -> datetime | None:
    """Read a date; never fails.

    Args:
        text: What stood behind the label; separators between digits are allowed.
        date_format: The one to try first; the others follow if it does not fit.
        zone: What the carrier's clock shows; a form that tells its own zone wins over it.
        reference: A time near the date, with a zone, such as when the message was sent. Where the
            digits can be read in two ways, the reading nearest to it is taken; without it, the one
            with a year of two digits, as Appendix B of the specification has it.

    Returns:
        A datetime with a zone, or None for nothing, zeros only, or what cannot be a date.
    """
    readings = _readings(text, date_format, zone)
    if len(readings) > 1 and reference is not None:
        near = reference
        return min(readings, key=lambda reading: abs(reading - near))
    return readings[0] if readings else None


# Receipts come by the thousand for the same minutes.
@lru_cache(maxsize=4096)
def _readings(text: str, date_format: DateFormat, zone: tzinfo) -> tuple[datetime, ...]:
    text = text.strip(" \t\r\n\0")
    if len(text) == 16 and text[-1] in "+-":
        return _read_smpp(text)
    digits = text if text.isdigit() else _SEPARATORS.sub("", text)
    if not (digits.isascii() and digits.isdigit()) or not digits.strip("0"):
        return ()
    formats = _BY_LENGTH.get(len(digits), ())
    wanted = _read(digits, date_format, zone) if date_format in formats else None
    if wanted is not None:
        return (wanted,)
    readings = [_read(digits, each, zone) for each in formats]
    return tuple(reading for reading in readings if reading is not None)


def _read_smpp(text: str) -> tuple[datetime, ...]:
    try:
        moment = parse_smpp_time(text)
    except SmppTimeError:
        return ()
    return (moment,) if isinstance(moment, datetime) else ()


def _read(digits: str, date_format: DateFormat, zone: tzinfo) -> datetime | None:
    if date_format in (DateFormat.EPOCH, DateFormat.EPOCH_MILLISECONDS):
        if not _EPOCH_START.match(digits):
            return None
        if date_format is DateFormat.EPOCH:
            return (_EPOCH_AT + timedelta(seconds=int(digits))).astimezone(zone)
        return (_EPOCH_AT + timedelta(milliseconds=int(digits))).astimezone(zone)
    width = _YEAR_DIGITS[date_format]
    year = int(digits[:width]) + (2000 if width == 2 else 0)
    month, day, hour, minute, second = (
        int(digits[at : at + 2] or "0") for at in range(width, width + 10, 2)
    )
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def format_receipt_date(
    moment: datetime | None, *, date_format: DateFormat = DateFormat.AUTO, zone: tzinfo = UTC
) -> str:
    """Write a date as a carrier does; None gives zeros, which is how carriers say "not yet".

    Raises:
        EncodeError: No zone, or a year outside 2000 to 2099.
    """
    if moment is None:
        return "0000000000"
    if moment.tzinfo is None or not 2000 <= moment.astimezone(zone).year <= 2099:
        raise EncodeError(
            path="receipt.date", found=str(moment), expected="a zone and a year 2000 to 2099"
        )
    if date_format is DateFormat.EPOCH:
        return str((moment - _EPOCH_AT) // timedelta(seconds=1))
    if date_format is DateFormat.EPOCH_MILLISECONDS:
        return str((moment - _EPOCH_AT) // timedelta(milliseconds=1))
    if date_format is DateFormat.SMPP:
        return format_smpp_time(moment.astimezone(zone))
    return moment.astimezone(zone).strftime(_PATTERNS[date_format])
