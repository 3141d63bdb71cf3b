"""Whatever one does to one key of a valid file, it is taken or refused by that key, and never breaks."""

import datetime as dt
import tomllib
import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whiteroute.engine.carrier import CarrierSettings
from whiteroute.engine.config import Config, ConfigError, parse_config
from whiteroute.engine.config.errors import shown, under
from whiteroute.engine.config.limits import FOUND_OUT, KINDS, LIMITS
from whiteroute.engine.config.reading import Reading, _words
from whiteroute.engine.profile import CarrierProfile
from whiteroute.routing import Policy, Route

Path = tuple[str | int, ...]


def paths_in(value: object, path: Path = ()) -> Iterator[Path]:
    """Where every key and every item of a document stands."""
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    for name, one in inside:
        yield (*path, name)
        yield from paths_in(one, (*path, name))


def changed(value: Any, path: Path, change: Any) -> Any:
    """A copy of a document in which `change` was made of the table and the name at `path`."""
    copy = dict(value) if isinstance(value, dict) else list(value)
    first, *rest = path
    if rest:
        copy[first] = changed(copy[first], tuple(rest), change)
    else:
        change(copy, first)
    return copy


def written(value: object) -> str:
    """A value as TOML writes it, tables inline."""
    match value:
        case dict():
            pairs = (f"{written(name)} = {written(one)}" for name, one in value.items())
            return f"{{ {', '.join(pairs)} }}"
        case list():
            return f"[{', '.join(map(written, value))}]"
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(f"\\U{ord(character):08X}" for character in value) + '"'
        case dt.date() | dt.datetime():
            return value.isoformat()
        case _:
            return str(value)


def dotted(path: Path) -> str:
    """A path as errors write it."""
    key = ""
    for step in path:
        key = f"{key}[{step}]" if isinstance(step, int) else under(key, step)
    return key


def read(document: Mapping[str, object], environ: Mapping[str, str]) -> Config | ConfigError:
    text = "\n".join(f"{written(name)} = {written(one)}" for name, one in document.items())
    assert document == tomllib.loads(text)
    try:
        return parse_config(text, file="f.toml", environ=environ, folder="/nowhere")
    except ConfigError as error:
        return error


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="[\x00"), max_size=12)
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.integers(-2, 300),
        st.floats(allow_nan=False),
        TEXT,
        st.sampled_from(["otp", "acme", "214-07", "127.0.0.1:1", "UTC", "1", "0.5", "DIRECT_MNO"]),
        st.dates(),
        st.datetimes(),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def document(valid: str) -> dict[str, Any]:
    return tomllib.loads(valid)


@settings(max_examples=300)
@given(data=st.data())
def test_a_changed_value_is_taken_or_refused_under_its_key(
    data: st.DataObject, document: dict[str, Any], environment: dict[str, str]
):
    path = data.draw(st.sampled_from(list(paths_in(document))))
    value = data.draw(VALUES)

    outcome = read(
        changed(document, path, lambda table, name: table.__setitem__(name, value)), environment
    )

    if isinstance(outcome, ConfigError):
        assert_it_names(outcome, path, document)


@settings(max_examples=200)
@given(data=st.data())
def test_a_key_that_was_renamed_or_removed_is_named(
    data: st.DataObject, document: dict[str, Any], environment: dict[str, str]
):
    path = data.draw(
        st.sampled_from([path for path in paths_in(document) if isinstance(path[-1], str)])
    )
    renamed = data.draw(st.none() | TEXT)

    def rename(table: dict[str, Any], name: str) -> None:
        value = table.pop(name)
        if renamed is not None and renamed not in table:
            table[renamed] = value

    outcome = read(changed(document, path, rename), environment)

    if isinstance(outcome, ConfigError):
        assert_it_names(outcome, path, document)


def assert_it_names(error: ConfigError, path: Path, document: dict[str, Any]) -> None:
    """Every line is in form, and the first says where, or what refers to it."""
    key = dotted(path)
    table = dotted(path[:-1])
    referred = {"carriers": "carrier:", "routes": "blocked_routes:", "profiles": "profile:"}
    for line in str(error).splitlines():
        assert line.startswith("f.toml:")
        assert ", " in line
        assert "secret" not in line
    assert any(
        line.startswith((f"f.toml:{key}", f"f.toml:{table}"))
        or f"{referred.get(str(path[0]), '?')} " in line
        or (path[0] == "numbering" and line.startswith("f.toml:numbering"))
        for line in str(error).splitlines()
    ), (key, str(error))


@given(st.text())
@example("\n\r\x85\u2028\x1c")
def test_anything_is_shown_on_one_line(text: str):
    assert 1 == len(shown(text).splitlines())
    assert 1 == len(under("a", text).splitlines())


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_no_text_breaks_the_reader(text: str):
    try:
        parse_config(text)
    except ConfigError as error:
        assert str(error)


# --- the tables of the reader fit the classes that they speak of


def records_in(kind: object) -> Iterator[type]:
    """A class and all classes that its fields hold."""
    if get_origin(kind) is not None:
        for one in get_args(kind):
            yield from records_in(one)
    elif isinstance(kind, type) and attrs.has(kind) and _words(kind) == "a table":
        yield kind
        for hint in get_type_hints(kind).values():
            yield from records_in(hint)


RECORDS = sorted(
    {
        record
        for root in (CarrierSettings, CarrierProfile, Route, Policy)
        for record in records_in(root)
    },
    key=lambda record: record.__name__,
)


@pytest.mark.parametrize("record", RECORDS)
def test_every_setting_is_of_a_kind_that_can_be_read(record: type):
    hints = get_type_hints(record)
    for field in attrs.fields(record):
        if not field.init:
            continue
        kind = KINDS.get((record, field.name), hints[field.name])
        if get_origin(kind) in (Union, types.UnionType):
            [kind] = [one for one in get_args(kind) if one is not type(None)]
        reading = Reading()

        # A datetime is no value of any setting, and so every kind must be able to say what it wants.
        assert reading.value(kind, dt.datetime(2026, 1, 1), "key") is None  # noqa: DTZ001

        assert [problem.key for problem in reading.problems] == ["key"]


@pytest.mark.parametrize("place", [*LIMITS, *KINDS, *FOUND_OUT])
def test_every_limit_is_one_of_a_field(place: tuple[type, str]):
    record, name = place

    assert record in RECORDS
    assert name in {field.name for field in attrs.fields(record)}
