"""The shipped profiles are whole, each says something, and a fault of ours would be told."""

import tomllib
from importlib.resources import files
from typing import Any

import attrs
import pytest

from whiteroute.engine.config import ConfigError, load_profiles, parse_config, profiles
from whiteroute.engine.profile import GENERIC, CarrierProfile
from whiteroute.pdu import Alphabet, DeliverSm, MessageState, parse_receipt

SHIPPED = sorted(load_profiles())
CARRIER = '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n'


def substance(profile: CarrierProfile) -> tuple[Any, ...]:
    """All of a profile but what it is called."""
    plain = attrs.evolve(profile, name="", description="")
    return tuple(getattr(plain, field.name) for field in attrs.fields(CarrierProfile))


def test_the_examples_of_the_field_are_all_there():
    assert [
        "csv-receipt",
        "decimal-response-hex-receipt",
        "first-part-receipt",
        "generic-3.3",
        "generic-3.4",
        "hex-response-decimal-receipt",
        "latin1-default",
        "payload-long",
        "tlv-only-receipts",
        "tx-rx-pair",
    ] == SHIPPED


def test_the_generic_profile_is_the_default():
    assert CarrierProfile() == load_profiles()["generic-3.4"]
    assert GENERIC == load_profiles()["generic-3.4"]


@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "generic-3.4"])
def test_every_other_profile_says_something_of_its_own(name: str):
    profile = load_profiles()[name]
    others = [other for other in load_profiles().values() if other.name != name]

    assert name == profile.name
    assert substance(profile) not in [substance(other) for other in others]


@pytest.mark.parametrize("name", SHIPPED)
def test_every_profile_tells_its_symptom_on_one_line(name: str):
    description = load_profiles()[name].description

    assert 1 == len(description.splitlines())
    assert description.endswith(".")
    assert "  " not in description


@pytest.mark.parametrize("name", SHIPPED)
def test_every_profile_can_be_named_and_extended(name: str):
    text = f'{CARRIER}profile = "own"\n[profiles.own]\nextends = "{name}"'

    config = parse_config(text)

    assert substance(load_profiles()[name]) == substance(config.carriers["acme"].profile)
    assert f"Extends {name}." == config.profiles["own"].description


@pytest.mark.parametrize("name", SHIPPED)
def test_the_files_hold_nothing_that_the_default_says_already(name: str):
    file = files("whiteroute.engine").joinpath("profiles", f"{name}.toml")
    table = tomllib.loads(file.read_text("utf-8"))
    profile, generic = load_profiles()[name], load_profiles()["generic-3.4"]

    for group, own in table.items():
        if group == "description":
            continue
        if isinstance(own, dict) and not group.endswith("message_id"):
            for key in own.keys() - {"columns"}:
                assert getattr(getattr(generic, group), key) != getattr(
                    getattr(profile, group), key
                )
        else:
            assert getattr(generic, group) != getattr(profile, group)


def test_profiles_are_read_once():
    assert load_profiles() is load_profiles()


def test_hex_and_decimal_ids_meet():
    one = load_profiles()["hex-response-decimal-receipt"]
    other = load_profiles()["decimal-response-hex-receipt"]

    assert one.response_message_id.normalise("4B1F") == one.receipt_message_id.normalise("19231")
    assert other.response_message_id.normalise("19231") == (
        other.receipt_message_id.normalise("00004b1f")
    )


def test_the_sample_in_the_description_of_csv_is_read():
    profile = load_profiles()["csv-receipt"]
    sample = profile.description.split("`")[1]

    receipt = parse_receipt(DeliverSm(short_message=sample.encode(), esm_class=4), profile.receipt)

    assert receipt
    assert "we2345678" == receipt.message_id
    assert MessageState.DELIVERED == receipt.state


def test_latin1_is_what_data_coding_0_means_there():
    assert Alphabet.LATIN1 == load_profiles()["latin1-default"].text.default


def test_a_long_text_travels_whole_where_it_must():
    assert "payload" == load_profiles()["payload-long"].text.long_mode


def test_a_fault_in_a_shipped_profile_would_be_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "bad.toml").write_text("descriptionn = 'x'", "utf-8")
    (folder / "README.md").write_text("not a profile", "utf-8")
    monkeypatch.setattr(profiles, "files", lambda package: tmp_path)

    with pytest.raises(ConfigError) as raised:
        load_profiles.__wrapped__()

    assert "engine/profiles:bad.descriptionn: unknown key, did you mean description?" == str(
        raised.value
    )
