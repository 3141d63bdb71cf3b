"""Tables of TOML become our frozen objects by their own declarations, and all faults are collected.

The attrs classes are the schema: their fields are the keys, their annotations the kinds, their
validators are asked field by field. There is no second list of settings, so a new field of a profile
is a new key at once.

Plain code and not cattrs, because three things are wanted that a converter of theirs gives only when
most of it is overruled: a table can be laid over an object (`extends`); a validator speaks up although
another field is wrong; every error says in our words what is allowed and which key was meant.
"""

import re
import types
from collections.abc import Callable, Collection, Mapping
from enum import Enum, IntEnum
from functools import cache
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from whiteroute.routing import RoutingFactError

from .errors import ConfigProblem, did_you_mean, shown, under
from .limits import FOUND_OUT, KINDS, LIMITS
from .scalars import SCALARS

__all__ = ["Reading", "hints_of", "without_none"]

Record = TypeVar("Record")

_SENTENCE = re.compile(r"(?:([A-Za-z_][\w.\[\]]*): )?(.*), expected (.*)", re.DOTALL)
"""How the lower floors word a ValueError: `window: -1, expected more than 0`."""

_REFUSALS: Final = (ValueError, ArithmeticError, RecursionError)
"""What validators raise; the latter two come out of regular expressions that are beyond Python."""


@attrs.define(eq=False)
class Reading:
    """One file being read. What cannot be read is None, which no value of TOML is, and a problem."""

    top: Collection[str] = ()
    """Keys of the top of the file, which TOML takes for a table's when they are written below one."""
    problems: list[ConfigProblem] = attrs.field(factory=list)
    warnings: list[ConfigProblem] = attrs.field(factory=list)
    """What is allowed and yet likely to be refused by a carrier."""

    def warn(self, key: str, found: str, expected: str) -> None:
        """Remember what may be meant, but is worth a look."""
        self.warnings.append(ConfigProblem(key, found, expected))

    def report(self, key: str, found: str, expected: str) -> None:
        """Remember a fault of the value at `key`."""
        self.problems.append(ConfigProblem(key, found, expected))

    def record(
        self,
        kind: type[Record],
        value: object,
        key: str,
        *,
        base: Record | None = None,
        given: Mapping[str, object] | None = None,
        besides: Collection[str] = (),
    ) -> Record | None:
        """Read a table as an object of the attrs class `kind`.

        Args:
            kind: An attrs class.
            value: What stands at `key`; anything but a table is a fault.
            key: Where the table stands, dotted; empty for the whole file.
            base: What keys left out keep. Default: the class's own defaults.
            given: Fields that the caller has found out otherwise; no keys unless they are in `besides`. None as a value:
                the caller has reported a fault, so the object cannot be made.
            besides: Further keys, which the caller reads.

        Returns:
            None if anything in the table, or in `given`, is at fault; every fault is reported.
        """
        table = self.table(value, key)
        if table is None:
            return None
        given = given or {}
        fields = _fields(kind, given)
        self.check_keys(table, key, [*fields, *besides])
        hints = hints_of(kind)
        values = dict(given)
        for name, field in fields.items():
            wanted = KINDS.get((kind, name), hints[field.name])
            before = None if base is None else getattr(base, field.name)
            if name in table:
                found = self.value(wanted, table[name], under(key, name), base=before)
                sound = found is not None and self._is_allowed(kind, field, found, table, key)
                values[name] = found if sound else None
            elif base is None and field.default is attrs.NOTHING:
                self.report(under(key, name), "missing", f"expected {_words(wanted)}")
                values[name] = None
        if None in values.values() or not table.keys() <= {*fields, *besides}:
            return None
        return self._make(kind, values, key, base)

    def value(self, kind: object, value: object, key: str, *, base: object = None) -> object:
        """Read one value as `kind`, an annotation; None, and reported, if it is none."""
        kind = without_none(kind)
        origin = get_origin(kind)
        if origin in (tuple, frozenset):
            return self._array(kind, value, key)
        if origin is not None and origin is not Literal:
            return self._mapping(kind, value, key, base)
        choices = _choices(kind)
        if choices is not None:
            # A list as a key would be unhashable; only texts name a choice.
            found = choices.get(value) if isinstance(value, str) else None
        elif kind in SCALARS:
            found = SCALARS[kind].read(value)
        else:
            assert isinstance(kind, type), kind
            return self.record(kind, value, key, base=base)
        if found is None:
            self.report(key, shown(value), f"expected {_words(kind)}")
        return found

    def table(self, value: object, key: str) -> Mapping[str, object] | None:
        """Take a table as it is; None, and reported, if it is none."""
        if isinstance(value, dict):
            return value
        self.report(key, shown(value), "expected a table")
        return None

    def named_tables(self, value: object, key: str) -> dict[str, Mapping[str, object]]:
        """Take a table of tables, by the names that the user gave; those at fault are left out."""
        named = {}
        for name, one in (self.table(value, key) or {}).items():
            place = under(key, name)
            if not name.strip() or not name.isprintable():
                self.report(
                    place, f"the name {shown(name)}", "expected characters that can be seen"
                )
                continue
            table = self.table(one, place)
            if table is not None:
                named[name] = table
        return named

    def check_keys(self, table: Mapping[str, object], key: str, allowed: Collection[str]) -> None:
        """Report every key that nobody reads, without its value: it may be a misspelt password."""
        for name in table:
            if name not in allowed:
                wanted = did_you_mean(name, allowed)
                if name in self.top:
                    wanted = "expected it at the top of the file, before the first [table]"
                self.report(under(key, name), "unknown key", wanted)

    def _array(self, kind: object, value: object, key: str) -> object:
        if not isinstance(value, list):
            self.report(key, shown(value), f"expected {_words(kind)}")
            return None
        [item, *_] = get_args(kind)
        items = [self.value(item, one, f"{key}[{index}]") for index, one in enumerate(value)]
        if None in items:
            return None
        return frozenset(items) if get_origin(kind) is frozenset else tuple(items)

    def _mapping(self, kind: object, value: object, key: str, base: object) -> object:
        table = self.table(value, key)
        if table is None:
            return None
        name_kind, item_kind = get_args(kind)
        read = {
            self._name(name_kind, name, key): self.value(item_kind, one, under(key, name))
            for name, one in table.items()
        }
        if None in read or None in read.values():
            return None
        before = base if isinstance(base, Mapping) else {}
        return types.MappingProxyType({**before, **read})

    def _name(self, kind: object, name: str, key: str) -> object:
        if kind is not int:
            return self.value(kind, name, under(key, name))
        try:
            return int(name, 0)
        except ValueError:
            self.report(under(key, name), shown(name), "expected a number, such as 1035 or 0x40B")
            return None

    def _is_allowed(
        self,
        kind: type,
        field: "attrs.Attribute[Any]",
        found: object,
        table: Mapping[str, object],
        key: str,
    ) -> bool:
        """Ask the limits and the class's validator about one field, whatever the others are."""
        place = under(key, field.alias or field.name)
        limit = LIMITS.get((kind, field.name))
        if limit is not None and not limit.holds(found):
            self.report(place, shown(table[field.alias or field.name]), f"expected {limit.words}")
            return False
        if field.validator is not None:
            try:
                field.validator(None, field, found)
            except _REFUSALS as error:
                self._report_refusal(error, key, place)
                return False
        return True

    def _make(
        self, kind: type[Record], values: Mapping[str, object], key: str, base: Record | None
    ) -> Record | None:
        make: Any = kind
        try:
            if base is None:
                made: Record = make(**values)
                return made
            changed: Any = base
            evolved: Record = attrs.evolve(changed, **values)
        except _REFUSALS as error:
            self._report_refusal(error, key, key)
            return None
        return evolved

    def _report_refusal(self, error: Exception, key: str, place: str) -> None:
        """Report what a class of the lower floors said, under the key that it named."""
        if isinstance(error, RoutingFactError):
            where = f"{key}.{error.where}"
            self.report(where, _on_one_line(str(error.found)), f"expected {error.expected}")
            return
        said = _SENTENCE.fullmatch(str(error))
        if said is None:
            self.report(place, _on_one_line(str(error)), "expected a value that works")
            return
        where = f"{key}.{said[1]}" if said[1] else place
        self.report(where, _on_one_line(said[2]), f"expected {_on_one_line(said[3])}")


hints_of: Final[Callable[[type], Mapping[str, object]]] = cache(get_type_hints)
"""Gives the annotations of a class, by field."""


def _fields(kind: type, given: Mapping[str, object]) -> "dict[str, attrs.Attribute[Any]]":
    """Give the fields of a class that are keys, by key."""
    return {
        field.alias or field.name: field
        for field in attrs.fields(kind)
        if field.init and field.name not in given and (kind, field.name) not in FOUND_OUT
    }


def without_none(kind: object) -> object:
    """Take `None` out of `kind | None`: in TOML a value is left out instead."""
    if get_origin(kind) in (Union, types.UnionType):
        [kind] = (one for one in get_args(kind) if one is not type(None))
    return kind


def _choices(kind: object) -> Mapping[str, object] | None:
    """Give what a choice is made from by the words for it; None for another kind."""
    if get_origin(kind) is Literal:
        return {word: word for word in get_args(kind)}
    if isinstance(kind, type) and issubclass(kind, Enum):
        by_name = issubclass(kind, IntEnum)
        return {member.name if by_name else str(member.value): member for member in kind}
    return None


def _words(kind: object) -> str:
    """Say for people what a kind is."""
    kind = without_none(kind)
    choices = _choices(kind)
    if choices is not None:
        return f"one of {', '.join(choices)}"
    if get_origin(kind) in (tuple, frozenset):
        return f"an array, each {_words(get_args(kind)[0])}"
    return SCALARS[kind].words if kind in SCALARS else "a table"


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
