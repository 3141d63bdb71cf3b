"""The 16 characters of schedule_delivery_time, validity_period and final_date.

Not the dates inside receipt texts, which have no standard: see `receipt_date`. Nothing here knows
what time it is; a relative time stays a duration.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

import attrs

from .errors import EncodeError

__all__ = ["SmppTimeError", "format_smpp_time", "parse_smpp_time"]

_FORM: Final = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])", re.ASCII)
_QUARTER: Final = timedelta(minutes=15)
_MOST_QUARTERS: Final = 48
_LONGEST: Final = timedelta(days=32) - timedelta(seconds=1)
YEAR_DAYS: Final = 365
MONTH_DAYS: Final = 30


@attrs.define(eq=False)
class SmppTimeError(ValueError):
    """A time field that cannot be read; an MC answers ESME_RINVSCHED or ESME_RINVEXPIRY."""

    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.found!r}, expected {self.expected}"


def parse_smpp_time(text: str) -> datetime | timedelta | None:
    """Read `YYMMDDhhmmsstnnp`.

    Returns:
        None for an empty field. For `p` "+" or "-" a datetime in the zone told, `nn` quarters of an
        hour ahead of or behind UTC; the years are 2000 to 2099. For `R` the time from now on; years
        and months, which the specification leaves open, count 365 and 30 days, and `t` and `nn` are
        not looked at.

    Raises:
        SmppTimeError: Not of this form, no such date or time, or `nn` above 48.

    Spec: SMPP 3.4 §7.1.1
    """
    if not text:
        return None
    found = _FORM.fullmatch(text)
    if found is None:
        raise SmppTimeError(text, "YYMMDDhhmmsstnnp")
    year, month, day, hour, minute, second, tenths, quarters = map(int, found.groups()[:8])
    if found[9] == "R":
        days = year * YEAR_DAYS + month * MONTH_DAYS + day
        return timedelta(days=days, hours=hour, minutes=minute, seconds=second)
    if quarters > _MOST_QUARTERS:
        raise SmppTimeError(text, "a difference from UTC of 00 to 48 quarters of an hour")
    zone = timezone(quarters * _QUARTER if found[9] == "+" else -quarters * _QUARTER)
    try:
        return datetime(
            2000 + year, month, day, hour, minute, second, tenths * 100_000, tzinfo=zone
        )
    except ValueError as error:
        raise SmppTimeError(text, f"a date and time that exist ({error})") from None


def format_smpp_time(time: datetime | timedelta | None) -> str:
    """Write a time field.

    Args:
        time: None gives the empty field. A datetime must have a zone; if that is no whole quarter
            of an hour or more than 12 hours from UTC, UTC is written instead. Anything finer than a
            tenth of a second is cut off. A duration is rounded up to whole seconds and written in
            days and less, because months and years have no agreed length.

    Raises:
        EncodeError: A datetime without a zone or outside the years 2000 to 2099; a duration below
            zero or of 32 days and more, for which an absolute time is the better choice.

    Spec: SMPP 3.4 §7.1.1
    """
    if time is None:
        return ""
    if isinstance(time, timedelta):
        return _format_relative(time)
    offset = time.utcoffset()
    if offset is None:
        raise EncodeError(path="time", found=f"{time} without a zone", expected="a zone")
    if offset % _QUARTER or abs(offset) > _MOST_QUARTERS * _QUARTER:
        time, offset = time.astimezone(UTC), timedelta()
    if not 2000 <= time.year <= 2099:
        raise EncodeError(path="time", found=f"the year {time.year}", expected="2000 to 2099")
    quarters = abs(offset) // _QUARTER
    sign = "-" if offset < timedelta() else "+"
    return f"{time:%y%m%d%H%M%S}{time.microsecond // 100_000}{quarters:02d}{sign}"


def _format_relative(duration: timedelta) -> str:
    seconds = -(-duration // timedelta(seconds=1))
    if not 0 <= seconds <= _LONGEST.total_seconds():
        raise EncodeError(
            path="time", found=str(duration), expected="0 seconds to 31 days 23:59:59"
        )
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"0000{days:02d}{hours:02d}{minutes:02d}{seconds:02d}000R"
