"""Symptoms and what may be behind them, as data: the rows of `causes.toml`, and those of people's own.

Which function sees a symptom is in `symptoms`; here rows are read and put in order.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import cattrs

from .observed import Observed
from .symptoms import find_symptom

__all__ = ["Cause", "CausesError", "Hint", "Row", "load_rows", "rank", "read_rows"]


class CausesError(ValueError):
    """A file of causes that cannot be used; its text says where, what was found and what was expected."""


@attrs.frozen
class Hint:
    """A probable cause, and how to find out whether it is the one."""

    id: str
    cause: str
    check: str
    row: str
    """The id of the row that it comes from."""

    def to_dict(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {"id": self.id, "cause": self.cause, "check": self.check, "row": self.row}


def _known(_row: object, attribute: "attrs.Attribute[Any]", names: tuple[str, ...]) -> None:
    for name in names:
        try:
            find_symptom(name)
        except ValueError as error:
            raise CausesError(f"{attribute.name}: {error}") from None


def _known_and_some(row: object, attribute: "attrs.Attribute[Any]", names: tuple[str, ...]) -> None:
    if not names:
        raise CausesError(f"{attribute.name}: none, expected at least one symptom")
    _known(row, attribute, names)


@attrs.frozen(kw_only=True)
class Cause:
    """What may be behind a symptom."""

    id: str
    cause: str
    check: str
    likelier_when: tuple[str, ...] = attrs.field(default=(), validator=_known)
    """If it has any and all hold, it goes ahead of the causes of other rows."""
    only_when: tuple[str, ...] = attrs.field(default=(), validator=_known)
    """Left out unless all of them hold."""


@attrs.frozen(kw_only=True)
class Row:
    """A symptom, and its causes with the most probable first."""

    id: str
    stage: str
    """Where it shows; only for people."""
    symptom: str
    when: tuple[str, ...] = attrs.field(validator=_known_and_some)
    """The symptoms that must all be seen."""
    causes: tuple[Cause, ...] = attrs.field(validator=attrs.validators.min_len(1))
    number: int | None = None
    """Its number in the field guide; None for our own."""


@cache
def load_rows() -> tuple[Row, ...]:
    """Read the rows that are shipped."""
    text = (files("whiteroute.tools.diagnosis") / "causes.toml").read_text("utf-8")
    return _parse(text, "causes.toml")


def read_rows(path: str) -> tuple[Row, ...]:
    """Read people's own rows, and put them before those shipped; one with a shipped id replaces it.

    Raises:
        CausesError: The file cannot be read, or a row is wrong.
    """
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise CausesError(f"{path}: {found}, expected a TOML file") from None
    own = _parse(text, path)
    by_id = {row.id: row for row in own}
    shipped = load_rows()
    replaced = {row.id for row in shipped} & by_id.keys()
    return (
        *(row for row in own if row.id not in replaced),
        *(by_id.get(row.id, row) for row in shipped),
    )


def rank(rows: Iterable[Row], seen: Observed) -> tuple[Hint, ...]:
    """Give the probable causes of what was seen, the most probable first, each once.

    First come causes that something beyond their row's own symptom speaks for, then the rest; both in
    the order of the rows.
    """
    likelier: list[Hint] = []
    others: list[Hint] = []
    for row in rows:
        if not _all(row.when, seen):
            continue
        for cause in row.causes:
            if cause.only_when and not _all(cause.only_when, seen):
                continue
            hint = Hint(cause.id, cause.cause, cause.check, row.id)
            speaks = bool(cause.likelier_when) and _all(cause.likelier_when, seen)
            (likelier if speaks else others).append(hint)
    unique: dict[str, Hint] = {}
    for hint in (*likelier, *others):
        unique.setdefault(hint.id, hint)
    return tuple(unique.values())


def _all(names: Sequence[str], seen: Observed) -> bool:
    return all(find_symptom(name)(seen) for name in names)


def _parse(text: str, where: str) -> tuple[Row, ...]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CausesError(f"{where}: {error}, expected TOML") from None
    listed = table.get("rows")
    if not isinstance(listed, list):
        raise CausesError(f"{where}: rows: none, expected [[rows]]")
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    return tuple(
        _structured(converter, row, f"{where}: rows[{number}]") for number, row in enumerate(listed)
    )


def _structured(converter: cattrs.Converter, row: Mapping[str, Any], where: str) -> Row:
    make: Callable[[object, type[Row]], Row] = converter.structure
    try:
        return make(row, Row)
    except CausesError as error:
        raise CausesError(f"{where}.{error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CausesError(
            f"{where}: {error}, expected id, stage, symptom, when, and causes with id, cause and check"
        ) from None
    except cattrs.errors.ForbiddenExtraKeysError as error:
        extra = ", ".join(sorted(error.extra_fields))
        raise CausesError(f"{where}: {extra}, expected no such key") from None
