"""One TOML file, read once at the top, becomes everything that an engine is made of.

Nothing below this floor opens a file or reads the environment. The keys are those of the classes that
they become; how they are read is in `reading`.
"""

import ast
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import attrs

from whiteroute.engine.carrier import CarrierSettings
from whiteroute.engine.messages import KEEP_ALL, Privacy
from whiteroute.engine.profile import GENERIC, CarrierProfile
from whiteroute.routing import (
    DEFAULT_POLICY,
    EvidenceSettings,
    Network,
    NumberingPlan,
    Policy,
    Route,
    RouteTable,
)

from .errors import ConfigError, ConfigProblem, did_you_mean, shown, under
from .limits import LIMITS
from .numbering import read_plan_file, read_plan_table
from .privacy import read_privacy, read_retention
from .profiles import load_profiles, read_profiles
from .reading import Reading
from .tls_files import find_tls_files

__all__ = ["Config", "load_config", "load_own_profiles", "parse_config"]

DEFAULT_LEDGER: Final = "ledger.db"

_KEYS: Final = (
    *("engine", "carriers", "numbering", "numbering_file", "operators", "routes", "policy"),
    "profiles",
)
_ENGINE_KEYS: Final = ("ledger", "privacy", "retention")
_PLACE: Final = re.compile(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", re.DOTALL)
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=")
_TWICE: Final = re.compile(r"Cannot declare (\(.*\)) twice")
_PASSWORDS: Final = (*("password", "password_env", "outbind_password", "outbind_password_env"),)
"""Keys whose values no fault may show."""
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_LONGEST: Final[Mapping[str, int]] = {"system_id": 15, "password": 8}
"""Characters that the specification has room for. Spec: SMPP 3.4 §5.2.1, §5.2.2"""


@attrs.frozen(kw_only=True, eq=False)
class Config:
    """What an engine is made of. Compared by identity."""

    ledger: str = DEFAULT_LEDGER
    """The file of the ledger; out of a TOML, in that one's folder unless it is absolute."""
    privacy: Privacy = KEEP_ALL
    """What the ledger keeps of persons, where it is the file above."""
    retention: float | None = None
    """Seconds after which the ledger forgets what is over; None: never. See `Purge.before_at`."""
    carriers: Mapping[str, CarrierSettings]
    """By name."""
    routes: RouteTable = attrs.field(factory=lambda: RouteTable(()))
    """Every route's carrier is one of `carriers`."""
    plan: NumberingPlan = attrs.field(factory=lambda: NumberingPlan({}))
    policy: Policy = DEFAULT_POLICY
    evidence: EvidenceSettings = attrs.field(factory=EvidenceSettings)
    """How suspicious the engine is of what it observes."""
    profiles: Mapping[str, CarrierProfile] = attrs.field(factory=load_profiles)
    """Those shipped and those of the file, by name, whether a carrier has them or not."""
    source: str = ""
    """The file, as it was named; empty for one that was made in Python."""
    warnings: tuple[ConfigProblem, ...] = ()
    """What is no fault, but may well be one to a carrier; for people, at the start."""

    def __repr__(self) -> str:
        return (
            f"<Config {self.source or 'made in Python'}: {', '.join(self.carriers)}; {self.routes}>"
        )


def load_config(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Config:
    """Read a TOML file.

    Args:
        path: The file. Paths in it are relative to its folder.
        environ: Where `password_env` looks. Default: the process's own environment.

    Raises:
        ConfigError: The file cannot be read, or anything in it is wrong; it tells every fault.
    """
    file = os.fspath(path)
    return parse_config(_read_text(file), file=file, environ=environ, folder=Path(file).parent)


def load_own_profiles(path: str | os.PathLike[str]) -> Mapping[str, CarrierProfile]:
    """Read the profiles of a TOML file and nothing else of it, so that a file without carriers will do.

    Returns:
        These and all that are shipped, by name.

    Raises:
        ConfigError: The file cannot be read, or a profile is wrong; it tells every fault.
    """
    file = os.fspath(path)
    table = _parse_toml(_read_text(file), file)
    reading = Reading()
    profiles = read_profiles(reading, table.get("profiles", {}), "profiles", Path(file).parent)
    if reading.problems:
        raise ConfigError(file, reading.problems)
    return profiles


def _read_text(file: str) -> str:
    try:
        octets = Path(file).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        found = getattr(error, "strerror", None) or str(error)
        raise ConfigError(file, [ConfigProblem("", found, "expected a TOML file")]) from None
    try:
        # Editors on Windows mark UTF-8 with three octets in front.
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = 1 + octets.count(b"\n", 0, error.start)
        found = f"octet {octets[error.start]:#04x}"
        problem = ConfigProblem(f"line {line}", found, "expected UTF-8")
        raise ConfigError(file, [problem]) from None


def parse_config(
    text: str,
    *,
    file: str = "<text>",
    environ: Mapping[str, str] = os.environ,
    folder: str | os.PathLike[str] = ".",
) -> Config:
    """Read the text of a TOML file.

    Args:
        text: The TOML.
        file: What to call it in errors and in `Config.source`.
        environ: Where `password_env` looks. Default: the process's own environment.
        folder: What paths in it are relative to. Default: where the process is.

    Raises:
        ConfigError: Anything in it is wrong; it tells every fault.
    """
    table = _parse_toml(text, file)
    reading = Reading(top=["numbering_file"])
    config = _read(reading, table, file, environ, Path(folder))
    if reading.problems:
        raise ConfigError(file, reading.problems)
    return config


def _parse_toml(text: str, file: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        problem = ConfigProblem("", "arrays or tables nested too deeply", "expected a few levels")
    except ValueError as error:  # also what Python says of an integer of thousands of digits
        said = _PLACE.fullmatch(str(error))
        found, line = (said[1], said[2]) if said else (str(error), None)
        lines = text.splitlines() or [""]
        number = int(line) if line else len(lines)
        key = f"line {number}" if said else ""
        at = lines[number - 1] if said and number <= len(lines) else ""
        problem = ConfigProblem(key, *_in_our_words(" ".join(found.split()), at))
    # Outside of the handlers: as a context their error would carry the text, passwords and all.
    raise ConfigError(file, [problem])


def _in_our_words(found: str, line: str) -> tuple[str, str]:
    """Say what Python's reader of TOML has found on a line, and what was expected.

    Nothing but the key is quoted from the line: what follows may be a password.
    """
    twice = _TWICE.fullmatch(found)
    if twice is not None:
        table = ""
        for name in ast.literal_eval(twice[1]):
            table = under(table, name)
        return f"[{table}] a second time", "expected each table once"
    key = _KEY.match(line)
    if found == "Cannot overwrite a value" and key is not None:
        return f"{key[1]} a second time", "expected each key once in its table"
    return found, "expected valid TOML"


def _read(
    reading: Reading,
    table: Mapping[str, object],
    file: str,
    environ: Mapping[str, str],
    folder: Path,
) -> Config:
    reading.check_keys(table, "", _KEYS)
    profiles = read_profiles(reading, table.get("profiles", {}), "profiles", folder)
    carriers = _read_carriers(reading, table, profiles, environ, folder)
    engine = reading.table(table.get("engine", {}), "engine") or {}
    reading.check_keys(engine, "engine", _ENGINE_KEYS)
    return Config(
        ledger=str(folder / _read_ledger(reading, engine)),
        privacy=read_privacy(reading, engine.get("privacy", {}), environ, folder),
        retention=read_retention(reading, engine.get("retention")),
        plan=_read_plan(reading, table, folder),
        carriers=MappingProxyType(carriers),
        routes=_read_routes(reading, table, carriers),
        policy=_read_policy(reading, table),
        profiles=profiles,
        source=file,
        warnings=tuple(reading.warnings),
    )


def _read_ledger(reading: Reading, table: Mapping[str, object]) -> str:
    ledger = reading.value(str, table.get("ledger", DEFAULT_LEDGER), "engine.ledger")
    if ledger == "":
        reading.report("engine.ledger", shown(ledger), "expected the name of a file")
    return ledger if isinstance(ledger, str) else DEFAULT_LEDGER


def _read_carriers(
    reading: Reading,
    table: Mapping[str, object],
    profiles: Mapping[str, CarrierProfile],
    environ: Mapping[str, str],
    folder: Path,
) -> dict[str, CarrierSettings]:
    """Read the accounts; one at fault is left out."""
    if "carriers" not in table:
        reading.report("carriers", "missing", "expected at least one table [carriers.NAME]")
    carriers = {}
    for name, own in reading.named_tables(table.get("carriers", {}), "carriers").items():
        key = under("carriers", name)
        given = {
            "name": name,
            "profile": _read_profile_name(reading, own, key, profiles),
            "password": _read_password(reading, own, key, "password", environ),
            "outbind_password": _read_password(reading, own, key, "outbind_password", environ),
        }
        besides = ("profile", *_PASSWORDS)
        carrier = reading.record(CarrierSettings, own, key, given=given, besides=besides)
        if carrier is not None:
            carriers[name] = _check_carrier(reading, carrier, key, folder)
    return carriers


def _check_carrier(
    reading: Reading, carrier: CarrierSettings, key: str, folder: Path
) -> CarrierSettings:
    """Look at what only all settings of an account together tell."""
    if carrier.tls is not None:
        tls = find_tls_files(reading, carrier.tls, f"{key}.tls", folder)
        carrier = attrs.evolve(carrier, tls=tls)
    most = carrier.profile.bind.most_binds
    if most is not None and carrier.binds > most:
        expected = f"expected at most {most}, which is what profile {carrier.profile.name} allows"
        reading.report(f"{key}.binds", str(carrier.binds), expected)
    for name, longest in _LONGEST.items():
        length = len(getattr(carrier, name))
        if length > longest:
            found = f"{length} characters"
            expected = f"expected at most {longest}, or a carrier that takes more than SMPP allows"
            reading.warn(f"{key}.{name}", found, expected)
    return carrier


def _read_profile_name(
    reading: Reading,
    table: Mapping[str, object],
    key: str,
    profiles: Mapping[str, CarrierProfile],
) -> CarrierProfile | None:
    place = under(key, "profile")
    name = reading.value(str, table.get("profile", GENERIC.name), place)
    if not isinstance(name, str):
        return None
    if name not in profiles:
        reading.report(place, f"no profile {shown(name)}", did_you_mean(name, profiles))
    return profiles.get(name)


def _read_password(
    reading: Reading, table: Mapping[str, object], key: str, name: str, environ: Mapping[str, str]
) -> str | None:
    """Give the password, empty where none is asked for; no fault shows it."""
    place = under(key, name)
    variable = f"{name}_env"
    if variable in table:
        if name in table:
            reading.report(place, f"beside {variable}", "expected one of the two")
        return _password_out_of(reading, table[variable], under(key, variable), environ)
    password = table.get(name, "")
    if not isinstance(password, str):
        reading.report(place, "not a text", "expected a text in quotes")
        return None
    return _sendable(reading, password, place)


def _password_out_of(
    reading: Reading, value: object, place: str, environ: Mapping[str, str]
) -> str | None:
    name = reading.value(str, value, place) if not isinstance(value, str) else value
    if not isinstance(name, str):
        return None
    if name not in environ:
        # Whoever takes this key for the password itself does not want to see it on a screen.
        found = f"{name} is not set" if _VARIABLE.fullmatch(name) else "a variable that is not set"
        reading.report(place, found, "expected the name of a variable of the environment")
        return None
    return _sendable(reading, environ[name], place)


def _sendable(reading: Reading, password: str, place: str) -> str | None:
    limit = LIMITS[CarrierSettings, "password"]
    if limit.holds(password):
        return password
    reading.report(place, "characters that cannot be sent", f"expected {limit.words}")
    return None


def _read_plan(reading: Reading, table: Mapping[str, object], folder: Path) -> NumberingPlan:
    if "numbering_file" not in table:
        return read_plan_table(reading, table.get("numbering", {}), "numbering")
    key = "numbering_file"
    if "numbering" in table:
        reading.report(key, "beside [numbering]", "expected one of the two")
    name = reading.value(str, table[key], key)
    if not isinstance(name, str):
        return NumberingPlan({})
    return read_plan_file(reading, folder / name, key)


def _read_routes(
    reading: Reading, table: Mapping[str, object], carriers: Mapping[str, CarrierSettings]
) -> RouteTable:
    declared = table.get("carriers", {})
    names = list(declared) if isinstance(declared, dict) else []
    routes = []
    for route_id, own in reading.named_tables(table.get("routes", {}), "routes").items():
        key = under("routes", route_id)
        route = reading.record(Route, own, key, given={"id": route_id})
        name = own.get("carrier")
        if isinstance(name, str) and name not in names:
            found = f"no carrier {shown(name)}"
            reading.report(under(key, "carrier"), found, did_you_mean(name, names))
        elif route is not None and route.carrier in carriers:
            hosts = frozenset(host.name for host in carriers[route.carrier].hosts)
            routes.append(attrs.evolve(route, peer=attrs.evolve(route.peer, hosts=hosts)))
    operators = reading.value(Mapping[Network, Network], table.get("operators", {}), "operators")
    return RouteTable(routes, hosts=operators if isinstance(operators, Mapping) else None)


def _read_policy(reading: Reading, table: Mapping[str, object]) -> Policy:
    if "policy" not in table:
        return DEFAULT_POLICY
    policy = reading.record(Policy, table["policy"], "policy", base=DEFAULT_POLICY)
    if policy is None:
        return DEFAULT_POLICY
    declared = table.get("routes", {})
    names = list(declared) if isinstance(declared, dict) else []
    for name in sorted(policy.blocked_routes.difference(names)):
        # One that is misspelt would leave open what somebody wanted closed.
        found = f"no route {shown(name)}"
        reading.report("policy.blocked_routes", found, did_you_mean(name, names))
    return policy
