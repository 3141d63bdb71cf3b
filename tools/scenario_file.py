"""Scenarios as TOML: the values of `whiteroute.simulators` by their own declarations, all faults at once.

The classes are the schema, so a new behaviour, or a new field of one, can be written at once. What
only a file has is small: durations with a unit, behaviours by name, statuses by name.
"""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import attrs

from whiteroute.engine.config import ConfigError, ConfigProblem, Reading, did_you_mean
from whiteroute.pdu import CommandStatus
from whiteroute.simulators import (
    Behaviour,
    Expectation,
    Handset,
    HandsetCondition,
    LogNormal,
    Operator,
    Scenario,
    Step,
    Uniform,
)
from whiteroute.simulators import behaviours as catalogue

LIBRARY: Final = files("whiteroute.simulators") / "scenarios"
"""The scenarios that come with the package."""

_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATIONS: Final = frozenset(
    (
        *("at", "every", "duration", "delay", "median_delay", "least_delay", "most_delay"),
        *("after", "lead", "pause", "seconds", "step", "interval", "low", "high", "median"),
    )
)
"""Keys whose values are seconds, or a text with a unit."""

BEHAVIOURS: Final[Mapping[str, type[Behaviour]]] = {
    name: value
    for name in catalogue.__all__
    if isinstance(value := getattr(catalogue, name), type)
    and issubclass(value, Behaviour)
    and value not in (Behaviour, catalogue.AnotherCertificate)
}
"""By the name that `is` takes: all but the one that needs a certificate."""


def scenario_names() -> tuple[str, ...]:
    """Give the names of the library, sorted."""
    return tuple(
        sorted(
            each.name.removesuffix(".toml")
            for each in LIBRARY.iterdir()
            if each.name.endswith(".toml")
        )
    )


def load_scenario(name: str) -> Scenario:
    """Read a scenario of the library by its name, or a file.

    Raises:
        ConfigError: There is no such scenario, or anything in it is wrong; it tells every fault.
    """
    if name in scenario_names():
        return parse_scenario((LIBRARY / f"{name}.toml").read_text("utf-8"), f"{name}.toml")
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or "no text in UTF-8"
        hint = did_you_mean(name, scenario_names())
        expected = hint if hint.startswith("did") else "expected a file, or a name of --list"
        raise ConfigError(name, [ConfigProblem("", str(found), expected)]) from None
    return parse_scenario(text, name)


def parse_scenario(text: str, file: str = "<text>") -> Scenario:
    """Read a scenario.

    Raises:
        ConfigError: Anything in it is wrong; it tells every fault.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, [ConfigProblem("", str(error), "expected TOML")]) from None
    reading = Reading()
    plain = _Plain(reading)
    scenario = plain.scenario(plain.without_words(table, ""))
    if reading.problems or scenario is None:
        raise ConfigError(file, reading.problems)
    return scenario


@attrs.define(eq=False)
class _Plain:
    reading: Reading

    def without_words(self, value: Any, key: str, name: str = "") -> Any:  # noqa: ANN401 - TOML's
        """Put numbers in the place of durations and statuses that are written as words."""
        if isinstance(value, dict):
            return {
                each: self.without_words(inner, f"{key}.{each}" if key else each, each)
                for each, inner in value.items()
            }
        if isinstance(value, list):
            return [
                self.without_words(inner, f"{key}[{number}]") for number, inner in enumerate(value)
            ]
        if not isinstance(value, str):
            return value
        if name in _DURATIONS and (found := _DURATION.fullmatch(value)):
            return float(found[1]) * _UNITS[found[2]]
        if name == "status" and value in CommandStatus.__members__:
            return int(CommandStatus[value])
        return value

    def scenario(self, table: dict[str, Any]) -> Scenario | None:
        reading = self.reading
        operators = {
            name: self.operator(each, f"operators.{name}")
            for name, each in reading.named_tables(table.get("operators", {}), "operators").items()
        }
        if not operators:
            reading.report("operators", "missing", "expected at least one table [operators.NAME]")
        steps = [
            self.step(each, f"timeline[{number}]", operators)
            for number, each in enumerate(self.array(table.get("timeline", []), "timeline"))
        ]
        expected = [
            self.expectation(each, f"expect[{number}]", operators)
            for number, each in enumerate(self.array(table.get("expect", []), "expect"))
        ]
        parts = [*operators.values(), *steps, *expected]
        return reading.record(
            Scenario,
            table,
            "",
            given={
                "operators": None if None in parts else operators,
                "timeline": tuple(steps),
                "expect": tuple(expected),
            },
            besides=("operators", "timeline", "expect"),
        )

    def operator(self, value: Any, key: str) -> Operator | None:  # noqa: ANN401 - TOML's
        table = self.with_conditions(value, key)
        given = {"behaviours": self.behaviours(value.get("behaviours", []), f"{key}.behaviours")}
        return self.reading.record(Operator, table, key, given=given, besides=("behaviours",))

    def step(self, value: object, key: str, operators: Mapping[str, object]) -> Step | None:
        table = self.with_conditions(value, key)
        given: dict[str, object] = {}
        besides: tuple[str, ...] = ()
        if isinstance(table, dict) and "behaviours" in table:
            given["behaviours"] = self.behaviours(table["behaviours"], f"{key}.behaviours")
            besides = ("behaviours",)
        self.check_operator(table, key, operators)
        return self.reading.record(Step, table, key, given=given, besides=besides)

    def expectation(
        self, value: object, key: str, operators: Mapping[str, object]
    ) -> Expectation | None:
        self.check_operator(value, key, operators)
        return self.reading.record(Expectation, value, key)

    def check_operator(self, value: object, key: str, operators: Mapping[str, object]) -> None:
        name = value.get("operator", "") if isinstance(value, dict) else ""
        if isinstance(name, str) and name and name not in operators:
            known = ", ".join(operators)
            self.reading.report(f"{key}.operator", f'"{name}"', f"expected one of {known}")

    def with_conditions(self, value: Any, key: str) -> Any:  # noqa: ANN401 - TOML's
        """Put state and error in the place of `is = "off"` of handsets."""
        handsets = value.get("handsets") if isinstance(value, dict) else None
        rules = handsets.get("rules") if isinstance(handsets, dict) else None
        if not isinstance(rules, list) or not isinstance(handsets, dict):
            return value
        plain = [
            self.with_condition(rule, f"{key}.handsets.rules[{number}]")
            for number, rule in enumerate(rules)
        ]
        return value | {"handsets": handsets | {"rules": plain}}

    def with_condition(self, rule: Any, key: str) -> Any:  # noqa: ANN401 - TOML's
        if not isinstance(rule, dict) or "is" not in rule:
            return rule
        name, rest = rule["is"], {each: value for each, value in rule.items() if each != "is"}
        if name not in list(HandsetCondition):
            self.reading.report(
                f"{key}.is", f'"{name}"', f"expected one of {', '.join(HandsetCondition)}"
            )
            return rest
        usual = Handset.being(HandsetCondition(name), "*")
        facts: dict[str, object] = {"state": usual.state.name, "err": usual.err}
        if usual.delay is not None:
            facts["delay"] = usual.delay
        return facts | rest

    def behaviours(self, value: object, key: str) -> tuple[Behaviour, ...] | None:
        made = [
            self.behaviour(each, f"{key}[{number}]")
            for number, each in enumerate(self.array(value, key))
        ]
        return None if None in made else tuple(each for each in made if each is not None)

    def behaviour(self, value: object, key: str) -> Behaviour | None:
        table = self.reading.table(value, key)
        if table is None:
            return None
        name = table.get("is")
        if not isinstance(name, str) or name not in BEHAVIOURS:
            found = "missing" if name is None else f'"{name}"'
            wanted = did_you_mean(str(name), BEHAVIOURS)
            self.reading.report(f"{key}.is", found, wanted)
            return None
        kind = BEHAVIOURS[name]
        given: dict[str, object] = {}
        if "latency" in attrs.fields_dict(kind):
            given["latency"] = attrs.fields_dict(kind)["latency"].default
            if "latency" in table:
                given["latency"] = self.latency(table["latency"], f"{key}.latency")
        besides = ("is", *given)
        return self.reading.record(kind, table, key, given=given, besides=besides)

    def latency(self, value: object, key: str) -> object:
        table = self.reading.table(value, key)
        if table is None:
            return None
        kind = Uniform if "low" in table else LogNormal
        return self.reading.record(kind, table, key)

    def array(self, value: object, key: str) -> list[Any]:
        if isinstance(value, list):
            return value
        self.reading.report(key, "no array", "expected an array of tables")
        return []
