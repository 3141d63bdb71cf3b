"""How single values are written in TOML: strictly, so that nothing is guessed or converted.

A text is never taken for a number, nor 1 for true. What numbers may be is in `limits`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Final
from zoneinfo import ZoneInfo

import attrs

from whiteroute.engine.carrier import Host
from whiteroute.routing import Network, RoutingFactError

__all__ = ["SCALARS", "Scalar"]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_EXACT = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])")
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s/@:\[\]]+):[0-9]{1,5}")


@attrs.frozen
class Scalar:
    """One kind of single value."""

    words: str
    """What to write, for people."""
    read: Callable[[object], object]
    """Gives the value, or None for what is no such value; never raises."""


def _text(value: object) -> object:
    return value if isinstance(value, str) else None


def _truth(value: object) -> object:
    return value if isinstance(value, bool) else None


def _whole(value: object) -> object:
    return value if type(value) is int else None


def _number(value: object) -> object:
    if type(value) not in (int, float):
        return None
    try:
        number = float(value)  # type: ignore[arg-type] # narrowed by the line above
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _exact(value: object) -> object:
    return Decimal(value) if isinstance(value, str) and _EXACT.fullmatch(value) else None


def _day(value: object) -> object:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    # A datetime is a date to Python, but which day it names depends on a zone.
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _zone(value: object) -> object:
    if not isinstance(value, str):
        return None
    if value == "UTC":
        return UTC
    if offset := _OFFSET.fullmatch(value):
        hours, minutes = int(offset[2]), int(offset[3])
        shift = timedelta(hours=hours, minutes=minutes)
        return timezone(-shift if offset[1] == "-" else shift) if hours < 24 else None
    if not _ZONE.fullmatch(value):
        return None
    try:
        zone: tzinfo = ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # OSError: a folder of zones, such as "Europe"
        return None
    return zone


def _octets(value: object) -> object:
    try:
        return bytes.fromhex(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _network(value: object) -> object:
    try:
        return Network.parse(value) if isinstance(value, str) else None
    except RoutingFactError:
        return None


def _host(value: object) -> object:
    if not isinstance(value, str) or not _HOST.fullmatch(value):
        return None
    try:
        return Host.parse(value)
    except ValueError:
        return None


SCALARS: Final[Mapping[object, Scalar]] = {
    str: Scalar("a text in quotes", _text),
    bool: Scalar("true or false", _truth),
    int: Scalar("a whole number", _whole),
    float: Scalar("a number", _number),
    Decimal: Scalar(
        'a number in quotes, such as "0.030" (without them TOML makes it a binary fraction,'
        " which is not exact)",
        _exact,
    ),
    date: Scalar("a day, such as 2027-12-31", _day),
    tzinfo: Scalar('a zone, such as "Europe/Madrid", "+02:00" or "UTC"', _zone),
    bytes: Scalar('octets in hexadecimal, such as "030015"', _octets),
    Network: Scalar('MCC-MNC, such as "214-07"', _network),
    Host: Scalar('host:port, such as "smpp.example.com:2775" or "[2001:db8::7]:2775"', _host),
}
"""Every kind of single value that a setting may have, by its type."""
