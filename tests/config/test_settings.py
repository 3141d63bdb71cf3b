"""A profile laid out flat, and written as TOML, is the same profile when it is read again."""

import tomllib
import zoneinfo
from datetime import UTC, timedelta, timezone, tzinfo
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whiteroute.engine.config import (
    load_profiles,
    origin_of,
    parse_config,
    profile_as_toml,
    settings_of,
    toml_value,
)
from whiteroute.engine.config.limits import KINDS, LIMITS
from whiteroute.engine.config.reading import hints_of, without_none
from whiteroute.engine.messages import (
    Canonical,
    ErrorRule,
    ErrorSpaces,
    MessageTlv,
    TextOptions,
)
from whiteroute.engine.profile import (
    GENERIC,
    CarrierProfile,
    TlsOptions,
    TransportOptions,
)
from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import (
    Alphabet,
    MessageIdRule,
    MessageState,
    NationalLanguage,
    ReceiptDialect,
    ReceiptForm,
)

CARRIER = '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n'
SHIPPED = sorted(load_profiles())


def read_back(text: str, name: str) -> CarrierProfile:
    return parse_config(f"{CARRIER}{text}").profiles[name]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_profile_reads_back_equal(name: str):
    profile = load_profiles()[name]
    extended = load_profiles().get(profile.extends, GENERIC)
    text = profile_as_toml(profile, extended=extended, name="ours")

    expected = attrs.evolve(profile, name="ours", extends=extended.name)
    assert expected == read_back(text, "ours")


@pytest.mark.parametrize("name", SHIPPED)
def test_every_comment_may_become_a_setting_and_changes_nothing(name: str):
    profile = load_profiles()[name]
    text = profile_as_toml(profile, name="ours")
    lines = [line.removeprefix("#") for line in text.splitlines() if not line.startswith("# ")]
    # What has no value yet stays a comment; and a table of TLS would be a setting.
    told = [line for line in lines if not line.endswith(" =") and ".tls]" not in line]
    without_tls = "\n".join(line for line in told if line.split(" ")[0] not in TLS_KEYS)

    assert attrs.evolve(profile, name="ours", extends="generic-3.4") == read_back(
        without_tls, "ours"
    )


TLS_KEYS = {field.name for field in attrs.fields(TlsOptions)}


# --- any profile

TEXT = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=8)
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
MINUTES = st.integers(-23 * 60, 23 * 60)
RULES = st.builds(
    ErrorRule,
    canonical=st.sampled_from(["BARRED", "NO_CREDIT"]),
    err=ANY_TEXT,
    stat=st.none() | ANY_TEXT,
    network_error_code=st.none() | st.binary(max_size=3),
)
SPECIAL: dict[object, "st.SearchStrategy[Any]"] = {
    str: TEXT,
    bool: st.booleans(),
    int: st.integers(1, 255),
    float: st.floats(0.001, 0.999),
    bytes: st.binary(max_size=3),
    tzinfo: st.one_of(
        st.just(UTC),
        st.sampled_from(["Europe/Madrid", "Asia/Kolkata"]).map(zoneinfo.ZoneInfo),
        MINUTES.filter(bool).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    ),
    TlsOptions: st.builds(
        TlsOptions,
        verify=st.sampled_from(["full", "chain"]),
        server_name=ANY_TEXT,
        pins=st.lists(st.sampled_from(["ab" * 32, ":".join(["0F"] * 32)])).map(tuple),
    ),
    MessageTlv: st.builds(
        MessageTlv,
        tag=st.integers(0, 0xFFFF),
        value=TEXT.filter(bool),
        from_tag=ANY_TEXT,
        required=st.booleans(),
    ),
    MessageIdRule: st.sampled_from(
        [MessageIdRule(kind="hex"), MessageIdRule(kind="pattern", pattern=r"id=([0-9]+)\s")]
    ),
    "name": st.just("ours"),
    "extends": st.just("generic-3.4"),
    "description": ANY_TEXT,
    "source_address": st.sampled_from(["", "192.0.2.7", "2001:db8::7"]),
    "interface_version": st.sampled_from([0x33, 0x34, 0x50]),
    "national_code": st.sampled_from(["", "46"]),
    "national_prefix": st.sampled_from(["", "0"]),
    "form": st.sampled_from([each for each in ReceiptForm if each is not ReceiptForm.PATTERN]),
    "esm_mode": st.integers(0, 3),
    "err_width": st.integers(0, 20),
    "counter_width": st.integers(0, 20),
    "max_octets": st.integers(140, 254),
    "max_command_length": st.integers(16, 2**20),
    "columns": st.lists(ANY_TEXT, min_size=1, max_size=3).map(tuple),
    "pattern": st.sampled_from(["", r"(?P<id>\d+)"]),
    "rules": st.lists(RULES, max_size=2).map(tuple),
    "err_table": st.dictionaries(st.sampled_from(["21b", "", "é"]), st.sampled_from(Canonical)),
}
"""Values by name of a field, or by kind, where not every value of the kind is allowed."""


def values_of(kind: Any, name: str = "") -> "st.SearchStrategy[Any]":
    origin = get_origin(kind)
    if name in SPECIAL:
        return SPECIAL[name]
    if kind in SPECIAL:
        return SPECIAL[kind]
    if origin is Literal:
        return st.sampled_from(get_args(kind))
    if origin is tuple:
        return st.lists(values_of(get_args(kind)[0]), max_size=3).map(tuple)
    if origin is not None:
        names, items = map(values_of, get_args(kind))
        return st.dictionaries(names, items, max_size=2)
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return st.builds(kind, **{field.name: of_field(kind, field) for field in attrs.fields(kind)})


def of_field(owner: type, field: "attrs.Attribute[Any]") -> "st.SearchStrategy[Any]":
    place = (owner, field.name)
    values = values_of(without_none(KINDS.get(place, hints_of(owner)[field.name])), field.name)
    if place in LIMITS:
        values = values.filter(LIMITS[place].holds)
    return st.none() | values if field.default is None else values


@settings(max_examples=100, deadline=None)
@given(values_of(CarrierProfile))
def test_any_profile_that_is_written_reads_back_equal(profile: CarrierProfile):
    text = profile_as_toml(profile, words=lambda owner, name: f"{owner.__name__}\n{name}")

    assert profile == read_back(text, "ours")


@settings(max_examples=50, deadline=None)
@given(values_of(CarrierProfile))
def test_any_profile_may_be_laid_over_another_one(above: CarrierProfile):
    below = attrs.evolve(
        GENERIC,
        name="below",
        extends="generic-3.4",
        session=SessionSettings(window=20),
        text=TextOptions(languages=(NationalLanguage.SPANISH,), packed=True),
        receipt=ReceiptDialect(form=ReceiptForm.CSV, zone=zoneinfo.ZoneInfo("Europe/Madrid")),
    )
    above = attrs.evolve(above, extends="below")

    text = profile_as_toml(below) + profile_as_toml(above, extended=below)

    assert above == read_back(text, "ours")


# --- what it is laid out as


def laid_out(profile: CarrierProfile) -> dict[str, object]:
    return {setting.key: setting.value for setting in settings_of(profile)}


def test_every_field_has_its_key_once():
    keys = [setting.key for setting in settings_of(GENERIC)]

    assert len(set(keys)) == len(keys)
    assert {"name", "transport.tls", "addresses.alpha", "receipt.zone", "errors.rules"} <= {*keys}
    assert {field.name for field in attrs.fields(CarrierProfile)} == {
        key.partition(".")[0] for key in keys
    }


def test_values_are_as_toml_has_them():
    profile = CarrierProfile(
        text=TextOptions(data_codings={Alphabet.UCS2: 24}, languages=(NationalLanguage.TURKISH,)),
        receipt=ReceiptDialect(
            zone=timezone(-timedelta(hours=3, minutes=30)), stat_map={"OK": MessageState.DELIVERED}
        ),
        errors=ErrorSpaces(
            status_overrides={0x40B: "NO_CREDIT"},
            rules=(ErrorRule(canonical="BARRED", network_error_code=b"\x03\x00\x15"),),
        ),
        transport=TransportOptions(tls=TlsOptions()),
    )

    found = laid_out(profile)

    assert {"ucs2": 24} == found["text.data_codings"]
    assert ["TURKISH"] == found["text.languages"]
    assert "-03:30" == found["receipt.zone"]
    assert {"OK": "DELIVERED"} == found["receipt.stat_map"]
    assert {"0x40b": "NO_CREDIT"} == found["errors.status_overrides"]
    assert [{"canonical": "BARRED", "network_error_code": "030015"}] == found["errors.rules"]
    assert {"ton": 5, "npi": 0} == found["addresses.alpha"]
    assert "full" == found["transport.tls.verify"]
    assert "transport.tls" not in found


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("", None, "not set"),
        ("", True, "true"),
        ("", 1.5, "1.5"),
        ("tag", 0x1400, "0x1400"),
        ("tags", 7, "7"),
        ("", 'a "b"\n', '"a \\"b\\"\\u000A"'),
        ("", ["a", 1], '["a", 1]'),
        ("", {}, "{}"),
        ("", {"a b": {"tag": 1, "x": None}}, '{ "a b" = { tag = 0x01 } }'),
    ],
)
def test_a_value_is_written_on_one_line(name: str, value: Any, written: str):
    assert written == toml_value(value, name)
    if value not in (None, {"a b": {"tag": 1, "x": None}}):
        assert {"x": value} == tomllib.loads(f"x = {written}")


def test_the_origin_of_a_value_is_the_profile_that_gave_it():
    profiles = parse_config(
        f"""{CARRIER}
        [profiles.middle]
        extends = "latin1-default"
        text = {{ packed = true }}
        [profiles.top]
        extends = "middle"
        submit = {{ service_type = "CMT" }}
        text = {{ default = "latin1" }}
        """
    ).profiles
    top = profiles["top"]

    origins = [
        origin_of(profiles, top, key)
        for key in ("submit.service_type", "text.packed", "text.default", "text.long_mode")
    ]

    assert ["top", "middle", "latin1-default", "generic-3.4"] == origins
    assert "loose" == origin_of({}, CarrierProfile(name="loose", extends="gone"), "text.packed")
