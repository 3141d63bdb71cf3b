"""Profiles written as TOML: what one says itself, and beside it, commented out, all it could say.

Reading is `reading` and `profiles`; written and read again, a profile is the same.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from textwrap import wrap

import attrs

from whiteroute.engine.profile import GENERIC, CarrierProfile

from .errors import quoted, under
from .settings import HEXADECIMAL, Plain, Setting, settings_of

__all__ = ["profile_as_toml", "toml_value"]

_WIDTH = 96
"""Columns of a comment."""


def toml_value(value: Plain, name: str = "") -> str:
    """Write a value as it stands behind `=`, on one line; `not set` for None, which TOML has not.

    Args:
        value: A text, a number, or what holds them.
        name: Its key; some numbers are written in hexadecimal.
    """
    match value:
        case None:
            return "not set"
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list():
            return f"[{', '.join(map(toml_value, value))}]"
        case dict():
            pairs = (
                f"{under('', key)} = {toml_value(one, key)}"
                for key, one in value.items()
                if one is not None
            )
            inside = ", ".join(pairs)
            return f"{{ {inside} }}" if inside else "{}"
        case int() if name in HEXADECIMAL:
            return f"{value:#04x}"
        case _:
            return str(value)


def profile_as_toml(
    profile: CarrierProfile,
    *,
    extended: CarrierProfile = GENERIC,
    name: str = "",
    words: Callable[[type, str], str] = lambda owner, field: "",
) -> str:
    """Write a profile as a table of a configuration.

    Args:
        profile: What to write.
        extended: What it extends; its values are commented out.
        name: What to call it. Default: its name.
        words: Gives what a field of a class means, as a comment; empty for none.
    """
    return "\n".join(_lines(profile, extended, name or profile.name, words)) + "\n"


def _lines(
    profile: CarrierProfile, extended: CarrierProfile, name: str, words: Callable[[type, str], str]
) -> Iterator[str]:
    key = under("profiles", name)
    before = {setting.key: setting.value for setting in settings_of(extended)}
    settings = [
        setting for setting in settings_of(profile) if setting.key not in ("name", "extends")
    ]
    # A key behind a table would be that table's; and a table stands ahead of those inside it.
    tops = [setting.key.partition(".")[0] for setting in settings]
    settings.sort(
        key=lambda setting: (
            bool(setting.group),
            tops.index(setting.key.partition(".")[0]) if setting.group else 0,
            setting.group.count("."),
        )
    )
    yield f"[{key}]"
    yield f"extends = {quoted(extended.name)}"
    for group, members in groupby(settings, key=lambda setting: setting.group):
        own = list(members)
        if group:
            told = any(_is_told(setting, before) for setting in own)
            yield ""
            yield f"{'' if told else '#'}[{key}.{group}]"
        for setting in own:
            if _is_absent_table(setting):
                continue
            yield from _comment(words(setting.owner, setting.name))
            yield _assignment(setting, _is_told(setting, before))
        for setting in own:
            if _is_absent_table(setting):
                yield from _absent_table(setting, key, words)


def _is_told(setting: Setting, before: dict[str, Plain]) -> bool:
    if setting.value is None:
        return False
    return setting.is_about or before.get(setting.key) != setting.value


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in wrap(text, _WIDTH, break_on_hyphens=False)]


def _assignment(setting: Setting, told: bool) -> str:
    if setting.value is None:
        return f"#{setting.name} ="
    return f"{'' if told else '#'}{setting.name} = {toml_value(setting.value, setting.name)}"


def _is_absent_table(setting: Setting) -> bool:
    return setting.value is None and isinstance(setting.kind, type) and attrs.has(setting.kind)


def _absent_table(setting: Setting, key: str, words: Callable[[type, str], str]) -> Iterator[str]:
    """Write what could stand in a table that is not there."""
    assert isinstance(setting.kind, type)
    yield ""
    yield from _comment(words(setting.owner, setting.name))
    yield f"#[{key}.{setting.key}]"
    for inside in settings_of(setting.kind()):
        yield from _comment(words(inside.owner, inside.name))
        yield _assignment(inside, told=False)
