"""Each front door says what it offers, each thing offered says what it is, and nothing has two doors."""

import ast
import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import whiteroute
from whiteroute import errors
from whiteroute.tools import floors

Build = Callable[[Mapping[str, str]], Path]

HOUSE = Path(__file__).resolve().parent.parent.parent
DOORS = sorted(
    f"{floors.PACKAGE}.{room}"
    for room in floors.FLOOR_OF
    if room not in ("", "tools") and f"{floors.PACKAGE}.{room}" in floors.find_modules(HOUSE)
)
"""The rooms that other rooms may import, as far as they are built."""


def offered_badly(door: ModuleType) -> list[str]:
    """What is wrong with the names that a front door lists."""
    names: list[str] | None = getattr(door, "__all__", None)
    if names is None:
        return [f"{door.__name__} has no __all__"]
    said = [f"{name} is listed {n} times" for name, n in Counter(names).items() if n > 1]
    for name in names:
        if not hasattr(door, name):
            said.append(f"{name} is listed but is not there")
            continue
        thing = getattr(door, name)
        if inspect.isclass(thing) or inspect.isroutine(thing):
            own = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
            if not (own or "").strip():
                said.append(f"{name} has no docstring of its own")
    return said


def taken_past_the_list(root: Path) -> list[str]:
    """Imports between rooms of names that the front door does not list."""
    listed: dict[str, list[str] | None] = {}
    modules = floors.find_modules(root)
    found = []
    for made in floors.find_imports(root):
        room = floors.room_of(made.imported)
        inside = room == floors.room_of(made.importer)
        if made.name is None or inside or room in (None, "", "tools"):
            continue
        if made.imported not in modules:  # not built yet, and the type checkers say so
            continue
        if made.imported not in listed:
            listed[made.imported] = names_listed(root / modules[made.imported])
        names = listed[made.imported]
        if names is not None and made.name not in names:
            found.append(f"{made.place}: {made.name} is not in __all__ of {made.imported}")
    return found


def names_listed(path: Path) -> list[str] | None:
    """The value of a module's `__all__`, read without running it; None where it is not a plain list."""
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
                return list(ast.literal_eval(value))
    return None


def seen_by_checkers(door: ModuleType) -> dict[str, str]:
    """What a door of the root imports for type checkers alone: name to module."""
    assert door.__file__
    return {
        alias.name: f"{floors.PACKAGE}.{node.module}"
        for branch in ast.parse(Path(door.__file__).read_text("utf-8")).body
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in branch.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("door", DOORS)
def test_everything_a_door_lists_is_there_once_and_documented(door: str) -> None:
    assert [] == offered_badly(import_module(door))


@pytest.mark.parametrize("door", DOORS)
def test_a_door_lists_its_names_where_type_checkers_can_read_them(door: str) -> None:
    path = HOUSE / floors.find_modules(HOUSE)[door]

    assert names_listed(path) == list(import_module(door).__all__)


def test_nothing_is_offered_at_two_doors() -> None:
    offers: dict[str, list[str]] = {}
    for door in DOORS:
        for name in names_listed(HOUSE / floors.find_modules(HOUSE)[door]) or ():
            offers.setdefault(name, []).append(door)

    assert {} == {name: doors for name, doors in offers.items() if len(doors) > 1}


def test_rooms_take_only_what_is_listed() -> None:
    assert [] == taken_past_the_list(HOUSE)


@pytest.mark.parametrize("door", [whiteroute, errors])
def test_the_root_lists_what_type_checkers_see(door: ModuleType) -> None:
    assert set(door.__all__) == set(seen_by_checkers(door))
    assert sorted(door.__all__) == dir(door)
    assert len(set(door.__all__)) == len(door.__all__)


@pytest.mark.parametrize(
    ("door", "name", "home"),
    [
        (door, name, home)
        for door in (whiteroute, errors)
        for name, home in (seen_by_checkers(door) | seen_by_checkers(errors)).items()
        if name in door.__all__ and home in floors.find_modules(HOUSE)
    ],
)
def test_the_root_opens_the_very_thing_that_type_checkers_see(
    door: ModuleType, name: str, home: str
) -> None:
    assert getattr(import_module(home), name) is getattr(door, name)


def test_every_exception_of_the_errors_is_also_at_the_root() -> None:
    assert set(errors.__all__) <= set(whiteroute.__all__)


def test_a_name_that_nobody_offers_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'whiteroute' has no attribute 'send_sms'"):
        _ = whiteroute.send_sms  # type: ignore[attr-defined]


def test_a_bad_door_is_told_every_fault() -> None:
    door = ModuleType("door")
    exec("def bare(): pass\nclass Heir(Exception): pass\nLIMIT = 3", door.__dict__)
    assert ["door has no __all__"] == offered_badly(door)

    door.__dict__["__all__"] = ["bare", "Heir", "LIMIT", "LIMIT", "absent"]

    assert [
        "LIMIT is listed 2 times",
        "bare has no docstring of its own",
        "Heir has no docstring of its own",
        "absent is listed but is not there",
    ] == offered_badly(door)


def test_taking_an_unlisted_name_is_found(build: Build) -> None:
    root = build(
        {
            "pdu/__init__.py": 'from .codec import decode, peek\n__all__ = ["decode"]',
            "pdu/codec.py": "",
            "engine/link.py": "from whiteroute.pdu import decode, peek",
        }
    )

    assert ["engine/link.py:1: peek is not in __all__ of whiteroute.pdu"] == taken_past_the_list(
        root
    )
