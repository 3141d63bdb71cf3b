"""Carrier profiles as data: those that are shipped, and the user's own, which extend one another.

What a profile can say is `whiteroute.engine.profile`; here it is only read and laid over what it
extends.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import attrs

from whiteroute.engine.profile import GENERIC, CarrierProfile, TlsOptions

from .errors import ConfigError, did_you_mean, shown, under
from .reading import Reading
from .tls_files import find_tls_files

__all__ = ["load_profiles", "read_profiles"]


@cache
def load_profiles() -> Mapping[str, CarrierProfile]:
    """Give the profiles that are shipped, by name; read from their files at the first call."""
    folder = files("whiteroute.engine").joinpath("profiles")
    tables = {
        entry.name.removesuffix(".toml"): tomllib.loads(entry.read_text("utf-8"))
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    }
    reading = Reading()
    profiles = _read_all(reading, tables, {}, "")
    if reading.problems:
        raise ConfigError("engine/profiles", reading.problems)
    return MappingProxyType(profiles)


def read_profiles(
    reading: Reading, value: object, key: str, folder: Path
) -> Mapping[str, CarrierProfile]:
    """Read the user's own profiles.

    One that does not say what it extends extends `generic-3.4`. Tables are laid over those extended,
    entry by entry; arrays and single values take their place.

    Args:
        reading: The file.
        value: What stands at `key`.
        key: Where the profiles stand.
        folder: What paths in them are relative to.

    Returns:
        These and all that are shipped, by name. One at fault is there as what it extends.
    """
    shipped = load_profiles()
    own = reading.named_tables(value, key)
    for name in [name for name in own if name in shipped]:
        found = "the name of a shipped profile"
        reading.report(under(key, name), found, f'expected another one, and extends = "{name}"')
        del own[name]
    read = _read_all(reading, own, shipped, key)
    # Those that extend one another have it in common; a fault is told once.
    checked: dict[TlsOptions, TlsOptions] = {}
    for name, profile in read.items():
        tls = profile.transport.tls
        if tls is None:
            continue
        if tls not in checked:
            place = f"{under(key, name)}.transport.tls"
            checked[tls] = find_tls_files(reading, tls, place, folder)
        transport = attrs.evolve(profile.transport, tls=checked[tls])
        read[name] = attrs.evolve(profile, transport=transport)
    return MappingProxyType({**shipped, **read})


def _read_all(
    reading: Reading,
    tables: Mapping[str, Mapping[str, object]],
    shipped: Mapping[str, CarrierProfile],
    key: str,
) -> dict[str, CarrierProfile]:
    bases = {
        name: _base(reading, table, under(key, name), [*tables, *shipped])
        for name, table in tables.items()
    }
    made = dict(shipped)
    for name in _in_order(reading, bases, key):
        made[name] = _read_one(reading, name, tables[name], made.get(bases[name], GENERIC), key)
    return {name: made[name] for name in tables}


def _base(reading: Reading, table: Mapping[str, object], key: str, known: list[str]) -> str:
    """Give the name of what a profile extends; empty for the generic one."""
    if "extends" not in table:
        return ""
    place = under(key, "extends")
    base = reading.value(str, table["extends"], place)
    if isinstance(base, str) and base not in known:
        reading.report(place, f"no profile {shown(base)}", did_you_mean(base, known))
        return ""
    return base if isinstance(base, str) else ""


def _in_order(reading: Reading, bases: dict[str, str], key: str) -> tuple[str, ...]:
    """Give the names, each after the one it extends. Circles are reported, and opened in `bases`."""
    while True:
        graph = {name: {base} & bases.keys() - {GENERIC.name} for name, base in bases.items()}
        try:
            return tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = list(reversed(error.args[1][:-1]))
            first = next(name for name in bases if name in circle)
            turn = circle.index(first)
            way = " -> ".join([*circle[turn:], *circle[:turn], first])
            found = f"a circle, {way}"
            reading.report(f"{under(key, first)}.extends", found, "expected an end to it")
            bases[first] = ""


def _read_one(
    reading: Reading, name: str, table: Mapping[str, object], base: CarrierProfile, key: str
) -> CarrierProfile:
    # The generic one extends nothing.
    extended = "" if name == GENERIC.name else base.name
    given: dict[str, object] = {"name": name, "extends": extended}
    if extended:
        # What is said of the symptoms of another profile need not be true of this one.
        table = {"version": 1, "description": f"Extends {extended}.", **table}
    read = reading.record(
        CarrierProfile, table, under(key, name), base=base, given=given, besides=("extends",)
    )
    return base if read is None else read
