"""A profile laid out flat: each setting with its key, its value as TOML has it, and where it came from.

The counterpart of `reading`: what is laid out here is read back as the same profile.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from enum import IntEnum
from typing import Any, cast, get_args, get_origin
from zoneinfo import ZoneInfo

import attrs

from whiteroute.engine.profile import CarrierProfile

from .errors import under
from .limits import KINDS
from .reading import hints_of, without_none

__all__ = ["HEXADECIMAL", "Plain", "Setting", "origin_of", "settings_of"]

HEXADECIMAL = frozenset({"interface_version", "network_tag", "registered_delivery", "tag"})
"""Numbers that everybody writes in hexadecimal."""

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""What TOML can say, and JSON; None is a key that is left out."""

_ABOUT = ("name", "extends", "version", "description")
"""What is said of a profile itself, and not of a carrier."""


@attrs.frozen
class Setting:
    """One setting of a profile."""

    key: str
    """Dotted, as below `[profiles.NAME]`: `text.default`."""
    value: Plain
    """As TOML has it; None: it is not set."""
    owner: type
    """The attrs class that declares it."""
    name: str
    """Its field there."""
    kind: object
    """The field's annotation, without None."""

    @property
    def group(self) -> str:
        """The table that it stands in; empty for the profile's own."""
        return self.key.rpartition(".")[0]

    @property
    def is_about(self) -> bool:
        """Whether it says something of the profile itself, such as its name."""
        return self.key in _ABOUT


def settings_of(profile: CarrierProfile) -> tuple[Setting, ...]:
    """Lay a profile out, in the order of its declaration."""
    return tuple(_settings(profile, ""))


def _settings(record: object, key: str) -> Iterator[Setting]:
    owner = type(record)
    hints = hints_of(owner)
    for field in attrs.fields(cast(Any, owner)):
        value = getattr(record, field.name)
        kind = without_none(KINDS.get((owner, field.name), hints[field.name]))
        place = under(key, field.name)
        if _is_table(kind) and value is not None:
            yield from _settings(value, place)
        else:
            yield Setting(place, _plain(kind, value), owner, field.name, kind)


def _is_table(kind: object) -> bool:
    """Tell what gets a table of its own from what is short enough for one line."""
    if not isinstance(kind, type) or not attrs.has(kind):
        return False
    kinds = list(hints_of(kind).values())
    return kinds != [int, int]


def _plain(kind: object, value: object) -> Plain:
    """Give a value as TOML has it."""
    if value is None:
        return None
    origin = get_origin(kind)
    if origin in (tuple, frozenset):
        item = get_args(kind)[0]
        items = [_plain(item, one) for one in cast(tuple[object, ...], value)]
        return items if origin is tuple else sorted(items, key=str)
    if isinstance(value, Mapping):
        name_kind, item_kind = get_args(kind)
        return {
            _name(name_kind, name): _plain(item_kind, one)
            for name, one in cast(Mapping[object, object], value).items()
        }
    if attrs.has(type(value)):
        return _inline(value)
    return _scalar(kind, value)


def _inline(record: object) -> Plain:
    """Give an object as a table on one line, without what its class has as a default."""
    owner = type(record)
    hints = hints_of(owner)
    return {
        field.name: _plain(without_none(hints[field.name]), getattr(record, field.name))
        for field in attrs.fields(cast(Any, owner))
        if not _is_table(owner) or getattr(record, field.name) != field.default
    }


def _name(kind: object, name: object) -> str:
    return f"{name:#x}" if kind is int else str(_scalar(kind, name))


def _scalar(kind: object, value: object) -> Plain:
    match value:
        case IntEnum() if isinstance(kind, type) and issubclass(kind, IntEnum):
            return value.name
        case bool() | float():
            return value
        case int():
            return int(value)
        case bytes():
            return value.hex()
        case tzinfo():
            return _zone(value)
        case _:
            return str(value)


def _zone(zone: tzinfo) -> str:
    if zone is UTC:
        return "UTC"
    if isinstance(zone, ZoneInfo):
        return zone.key
    minutes = (zone.utcoffset(None) or timedelta(0)) // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def origin_of(profiles: Mapping[str, CarrierProfile], profile: CarrierProfile, key: str) -> str:
    """Say which profile gave a setting its value: the one itself, or one of those it extends.

    Args:
        profiles: All there are, by name.
        profile: The one that has the value.
        key: Of the setting.

    Returns:
        The name of the last of them, on the way up, that has this value.
    """
    value = _value_at(profile, key)
    while profile.extends in profiles and profile.extends != profile.name:
        extended = profiles[profile.extends]
        if _value_at(extended, key) != value:
            break
        profile = extended
    return profile.name


def _value_at(profile: CarrierProfile, key: str) -> Plain:
    return {setting.key: setting.value for setting in settings_of(profile)}.get(key)
