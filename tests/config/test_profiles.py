"""The shipped profiles are whole, each says something, and a fault of ours would be told."""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme

from whiteroute.engine.config import (
    ConfigError,
    load_own_profiles,
    load_profiles,
    parse_config,
    profiles,
)
from whiteroute.engine.profile import GENERIC, CarrierProfile
from whiteroute.pdu import Alphabet, DeliverSm, MessageState, parse_receipt

SHIPPED = sorted(load_profiles())
CARRIER = '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n'


def substance(profile: CarrierProfile) -> tuple[Any, ...]:
    """All of a profile but what it is called."""
    plain = attrs.evolve(profile, name="", extends="", description="")
    return tuple(getattr(plain, field.name) for field in attrs.fields(CarrierProfile))


def test_the_examples_of_the_field_are_all_there():
    assert [
        "csv-receipt",
        "dec-resp-hex-receipt",
        "first-part-receipt",
        "generic-3.3",
        "generic-3.4",
        "hex-resp-dec-receipt",
        "latin1-default",
        "payload-long",
        "tlv-only-receipts",
        "tx-rx-pair",
    ] == SHIPPED


def test_every_profile_tells_what_it_extends_and_its_version():
    for name, profile in load_profiles().items():
        assert ("" if name == "generic-3.4" else "generic-3.4") == profile.extends
        assert 1 == profile.version


def test_ones_own_profiles_tell_theirs():
    profiles = parse_config(
        f"""{CARRIER}
        [profiles.first]
        version = 7
        [profiles.second]
        extends = "first"
        """
    ).profiles

    assert ("generic-3.4", 7) == (profiles["first"].extends, profiles["first"].version)
    assert ("first", 1) == (profiles["second"].extends, profiles["second"].version)


def test_a_file_may_hold_nothing_but_profiles(tmp_path: Path):
    file = tmp_path / "profiles.toml"
    file.write_text("[profiles.ours]\ntext = { packed = true }\n[carriers]\nx = 1", "utf-8")

    profiles = load_own_profiles(file)

    assert [*SHIPPED, "ours"] == list(profiles)
    assert profiles["ours"].text.packed


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
        if group in ("version", "description"):
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
    one = load_profiles()["hex-resp-dec-receipt"]
    other = load_profiles()["dec-resp-hex-receipt"]

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


# --- what a profile asks of an account


@pytest.mark.parametrize(
    ("own", "expected"),
    [("", "tx+rx"), ('bind = "trx"', "trx")],
)
def test_an_account_is_bound_as_its_profile_says_unless_it_says_otherwise(own: str, expected: str):
    config = parse_config(f'{CARRIER}profile = "tx-rx-pair"\n{own}')

    assert expected == config.carriers["acme"].bind


def test_more_binds_than_the_profile_allows_are_a_fault():
    text = f"""{CARRIER}profile = "ours"
    binds = 3
    [profiles.ours.bind]
    most_binds = {{}}
    """

    assert 3 == parse_config(text.format(3)).carriers["acme"].binds
    with pytest.raises(ConfigError) as raised:
        parse_config(text.format(2), file="f.toml")

    assert (
        "f.toml:carriers.acme.binds: 3, expected at most 2, which is what profile ours allows"
    ) == str(raised.value)


# --- the files of TLS

TLS = """
[profiles.ours.transport.tls]
ca_file = "certificates/ca.pem"
certificate_file = "/nowhere/own.pem"
"""


def test_the_files_of_tls_stand_beside_the_toml(tmp_path: Path):
    folder = tmp_path / "certificates"
    folder.mkdir()
    authority = trustme.CA()
    own = authority.issue_cert("gateway.example.com")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    own.private_key_pem.write_to_path(folder / "key.pem")
    own.cert_chain_pems[0].write_to_path(folder / "own.pem")
    text = TLS.replace("/nowhere/", f"{folder}/") + 'key_file = "certificates/key.pem"'
    below = '[profiles.below]\nextends = "ours"'
    carrier = f"{CARRIER}tls = {{ ca_file = 'certificates/ca.pem' }}"

    config = parse_config(f"{carrier}\n{text}\n{below}", folder=tmp_path)

    profiles = config.profiles
    tls = config.carriers["acme"].tls
    assert tls is not None
    assert str(folder / "ca.pem") == tls.ca_file
    for name in ("ours", "below"):
        tls = profiles[name].transport.tls
        assert tls is not None
        assert [
            str(tmp_path / "certificates" / each) for each in ("ca.pem", "own.pem", "key.pem")
        ] == [
            tls.ca_file,
            tls.certificate_file,
            tls.key_file,
        ]


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        (
            'ca_file = "gone.pem"',
            "ca_file: /nowhere/gone.pem: No such file or directory, expected a PEM file",
        ),
        (
            'certificate_file = "/dev/null"',
            "certificate_file: no certificate in /dev/null that OpenSSL reads, expected one in PEM",
        ),
        ('ca_file = "\\u0000"', "ca_file: /nowhere/"),
        (
            'key_file = "/dev/null"',
            "certificate_file: none, expected the certificate that key_file ",
        ),
        ('verify = "pinned"', "pins: none, expected the SHA-256 of a certificate"),
        (
            'pins = ["ab:cd"]',
            "pins: an array, expected SHA-256 of certificates, each 64 hexadecimal digits with or"
            " without colons",
        ),
    ],
)
def test_a_fault_of_tls_is_told_before_any_bind(tls: str, said: str):
    with pytest.raises(ConfigError) as raised:
        parse_config(
            f"{CARRIER}[profiles.ours.transport.tls]\n{tls}", file="f.toml", folder="/nowhere"
        )

    [line] = str(raised.value).splitlines()
    assert line.startswith(f"f.toml:profiles.ours.transport.tls.{said}")


def test_a_fault_of_tls_is_told_once_for_all_that_extend_the_profile():
    below = '[profiles.below]\nextends = "ours"'

    with pytest.raises(ConfigError) as raised:
        parse_config(f"{CARRIER}{TLS}{below}", folder="/nowhere")

    assert 1 == len(raised.value.problems)


def test_a_fault_of_an_accounts_own_tls_is_told_under_the_account():
    with pytest.raises(ConfigError) as raised:
        parse_config(f"{CARRIER}tls = {{ verify = 'pinned' }}", file="f.toml")

    assert "f.toml:carriers.acme.tls.pins: none, expected the SHA-256 of a certificate" in str(
        raised.value
    )


# --- what an account says of outbinds


def test_the_password_of_outbinds_may_stand_in_the_environment_too():
    own = (
        'outbind = "0.0.0.0:2776"\noutbind_password_env = "OUT"\noutbind_sources = ["192.0.2.7/24"]'
    )

    acme = parse_config(f"{CARRIER}{own}\nkeep_order = true", environ={"OUT": "secret"}).carriers[
        "acme"
    ]

    assert ("0.0.0.0:2776", "secret", ("192.0.2.7/24",), True) == (
        str(acme.outbind),
        acme.outbind_password,
        acme.outbind_sources,
        acme.keep_order,
    )


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("outbind_password = 12345", "outbind_password: not a text, expected a text in quotes"),
        (
            'outbind_password_env = "GONE"',
            "outbind_password_env: GONE is not set, expected the name",
        ),
        (
            'outbind_password = "x"\noutbind_password_env = "OUT"',
            "outbind_password: beside outbind_password_env, expected one of the two",
        ),
        ('outbind_sources = ["acme"]', "outbind_sources: an array, expected addresses or networks"),
        ('outbind_system_id = "\\u0000"', "outbind_system_id: "),
    ],
)
def test_a_fault_of_outbinds_is_told_without_the_password(own: str, said: str):
    with pytest.raises(ConfigError) as raised:
        parse_config(f"{CARRIER}{own}", file="f.toml", environ={"OUT": "secret"})

    [line] = str(raised.value).splitlines()
    assert line.startswith(f"f.toml:carriers.acme.{said}")
    assert "12345" not in line


# --- limits of the groups


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ('transport = { source_address = "here" }', "transport.source_address: "),
        ("transport = { connect_timeout = 0 }", "transport.connect_timeout: 0, expected more than"),
        ("rebind = { first_delay = 0 }", "rebind.first_delay: 0, expected more than 0"),
        ("rebind = { attempts_per_minute = 0 }", "rebind.attempts_per_minute: 0, expected 1 or"),
        ("rebind = { fail_back_after = -1 }", "rebind.fail_back_after: -1, expected 0 or more"),
        ("pace = { decrease = 1 }", "pace.decrease: 1, expected more than 0 and less than 1"),
        ("pace = { increase = 2 }", "pace.increase: 2, expected more than 0, at most 1"),
        ("pace = { tps_per_bind = 0 }", "pace.tps_per_bind: 0, expected more than 0"),
        ("pace = { learn = false }", "pace.learn: unknown key, did you mean learns?"),
        ("bind = { most_binds = 0 }", "bind.most_binds: 0, expected 1 or more"),
        (
            'addresses = { national_code = "+46" }',
            'addresses.national_code: "+46", expected digits',
        ),
        ("text = { max_octets = 255 }", "text.max_octets: 255, expected 140 to 254"),
        ('text = { alphabets = ["utf8"] }', 'text.alphabets[0]: "utf8", expected one of gsm, asc'),
        ("text = { data_codings = { gsm = 256 } }", "text.data_codings: a table, expected numbers"),
        (
            "submit = { tlvs = [{ tag = 1 }] }",
            "submit.tlvs[0].value: nothing, expected one, or",
        ),
        (
            'submit = { tlvs = [{ tag = 0x10000, value = "x" }] }',
            "submit.tlvs[0].tag: 65536, expected 0 to 65535",
        ),
        (
            'submit = { tlvs = [{ tag = 1, type = "uint8", value = "x" }] }',
            "submit.tlvs[0].value: 'x', expected 0 to 255",
        ),
        ("submit = { max_validity = 0 }", "submit.max_validity: 0, expected more than 0"),
        ("receipt = { network_tag = -1 }", "receipt.network_tag: -1, expected 0 to 65535"),
        ('receipt = { form = "pattern" }', "receipt.pattern: '', expected a group (?P<id>...) or"),
        (
            'receipt = { pattern = "(" }',
            "receipt.pattern: '(' (missing ), unterminated subpattern ",
        ),
        ("version = 0", "version: 0, expected 1 or more"),
    ],
)
def test_what_no_carrier_can_be_like_is_refused(setting: str, said: str):
    with pytest.raises(ConfigError) as raised:
        parse_config(f"{CARRIER}[profiles.ours]\n{setting}", file="f.toml")

    [line] = str(raised.value).splitlines()
    assert line.startswith(f"f.toml:profiles.ours.{said}")


# --- what may be meant


def test_credentials_longer_than_the_specification_has_room_for_are_a_warning():
    text = CARRIER.replace('"gateway"', '"a-system-id-of-21-ch"\npassword = "ninechars"')

    config = parse_config(text, file="f.toml")

    assert [
        "f.toml:carriers.acme.system_id: 20 characters, expected at most 15, or a carrier that takes"
        " more than SMPP allows",
        "f.toml:carriers.acme.password: 9 characters, expected at most 8, or a carrier that takes"
        " more than SMPP allows",
    ] == [warning.told(config.source) for warning in config.warnings]
    assert () == parse_config(CARRIER).warnings
