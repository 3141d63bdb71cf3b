"""A valid file becomes what its words say, and paths in it start at its folder."""

import os
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from whiteroute.engine.carrier import Host
from whiteroute.engine.config import Config, load_config, parse_config
from whiteroute.engine.messages import Canonical, ErrorRule, Numbering, map_error
from whiteroute.engine.profile import GENERIC
from whiteroute.pdu import MessageIdKind, MessageState, NationalLanguage
from whiteroute.routing import (
    DEFAULT_POLICY,
    AgreementKind,
    Confidence,
    Criterion,
    InterconnectKind,
    Network,
    NetworkInfo,
    NetworkSource,
    OnUnresolved,
    Policy,
    SenderKind,
    TrafficClass,
)

CARRIER = '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n'
DAY = date(2026, 11, 20)


@pytest.fixture
def config(valid: str, environment: dict[str, str]) -> Config:
    return parse_config(valid, file="f.toml", environ=environment, folder="/srv")


def test_a_carrier_is_what_its_table_says(config: Config):
    acme = config.carriers["acme"]

    assert "acme" == acme.name
    assert (Host("127.0.0.1", 2775), Host("2001:db8::7", 2776)) == acme.hosts
    assert ("gateway", "secret") == (acme.system_id, acme.password)
    assert ("tx+rx", 2, 20, 100.0) == (acme.bind, acme.binds, acme.window, acme.tps)
    assert config.profiles["ours"] is acme.profile


def test_a_profile_is_laid_over_what_it_extends(config: Config):
    ours = config.profiles["ours"]

    assert ("ours", "Extends hex-resp-dec-receipt.") == (ours.name, ours.description)
    assert (30.0, 10) == (ours.session.response_timeout, ours.session.window)
    assert 0x50 == ours.bind.interface_version
    assert Numbering(5, 1) == ours.addresses.alpha
    assert GENERIC.addresses.long == ours.addresses.long
    assert (NationalLanguage.TURKISH, NationalLanguage.SPANISH) == ours.text.languages
    assert "Europe/Madrid" == str(ours.receipt.zone)
    assert MessageState.DELIVERED == ours.receipt.state_of("ok")
    assert MessageIdKind.HEX == ours.response_message_id.kind
    assert MessageIdKind.DECIMAL == ours.receipt_message_id.kind
    assert "last" == ours.reporting_parts
    rule = ErrorRule(canonical=Canonical.BARRED, err="7", network_error_code=b"\x03\x00\x15")
    assert (rule,) == ours.errors.rules
    assert Canonical.NO_CREDIT == map_error(ours.errors, command_status=0x40B).canonical
    assert Canonical.THROTTLED == map_error(ours.errors, command_status=1036).canonical
    assert Canonical.SENDER_REJECTED == map_error(ours.errors, err="21B").canonical


def test_a_route_is_what_its_table_says(config: Config):
    [route] = config.routes

    assert ("acme-es", "acme", 2.0) == (route.id, route.carrier, route.share)
    assert {Network("214", "07")} == route.networks
    assert {TrafficClass.OTP, TrafficClass.TRANSACTIONAL, TrafficClass.MARKETING} == (
        route.traffic_classes
    )
    assert InterconnectKind.DIRECT_MNO == route.interconnect.kind
    assert route.agreement
    assert AgreementKind.BILATERAL_A2P == route.agreement.kind
    assert date(2026, 1, 1) == route.agreement.valid_from
    assert date(2027, 12, 31) == route.agreement.valid_to
    assert route.sender
    assert {SenderKind.ALPHA, SenderKind.LONG} == route.sender.kinds
    assert route.sender.is_registered("ACME")
    assert route.price
    assert Decimal("0.030") == route.price.amount


def test_the_hosts_of_a_route_are_those_its_carrier_binds_to(config: Config):
    assert {"127.0.0.1", "2001:db8::7"} == config.routes["acme-es"].peer.hosts
    assert {"127.0.0.1", "2001:db8::7"} == config.routes["acme-es"].peer.pinned_hosts


def test_a_policy_is_laid_over_the_strict_one(config: Config):
    assert 90 == config.policy.max_attestation_age_days
    assert Decimal("0.05") == config.policy.price_tolerance
    assert Confidence.MEDIUM == config.policy.min_confidence
    assert {TrafficClass.OTP: OnUnresolved.USE_STALE} == config.policy.on_unresolved
    assert 5.0 == config.policy.latency_target("otp")
    assert 600.0 == config.policy.latency_target("marketing")
    assert {"acme-es"} == config.policy.blocked_routes


def test_a_ranking_of_one_class_leaves_the_others():
    config = parse_config(CARRIER + '[policy]\nranking = { otp = ["cost"] }')

    assert (Criterion.COST,) == config.policy.criteria("otp")
    assert Policy().criteria("marketing") == config.policy.criteria("marketing")


def test_the_numbering_is_a_plan(config: Config):
    assert Network("214", "07") == config.plan.lookup("34600111222", DAY)
    assert Network("214", "01") == config.plan.lookup("34601111222", DAY)


def test_an_operator_stands_behind_its_virtual_ones(valid: str, environment: dict[str, str]):
    text = valid.replace('networks = ["214-07"]', 'networks = ["214-07", "214-19"]')
    text = text.replace('blocked_routes = ["acme-es"]', "")
    config = parse_config(text, environ=environment)
    info = NetworkInfo(network=Network("214", "19"), source=NetworkSource.MNP_DB, ported=False)
    now = datetime(2026, 11, 20, tzinfo=UTC)

    sifted = config.routes.sift(
        info, sender="ACME", traffic_class="otp", policy=config.policy, now=now, valid_until=now
    )

    assert ("acme-es",) == tuple(route.id for route in sifted.admitted)


def test_the_least_file_has_the_strict_policy_and_the_generic_profile():
    config = parse_config(CARRIER, folder="/srv")

    assert str(Path("/srv/ledger.db")) == config.ledger
    assert DEFAULT_POLICY is config.policy
    assert GENERIC == config.carriers["acme"].profile
    assert "" == config.carriers["acme"].password
    assert (0, 0) == (len(config.routes), len(config.plan))


def test_a_config_made_in_python_wants_only_carriers():
    config = Config(carriers={})

    assert ("ledger.db", "") == (config.ledger, config.source)
    assert "payload-long" in config.profiles


def test_the_ledger_stands_beside_the_file_unless_its_path_is_absolute(tmp_path: Path):
    path = tmp_path / "carriers.toml"
    path.write_text(CARRIER + '[engine]\nledger = "var/ours.db"', "utf-8")
    absolute = f"[engine]\nledger = {str(tmp_path / 'x.db')!r}\n"

    assert str(tmp_path / "var" / "ours.db") == load_config(path).ledger
    assert str(tmp_path / "x.db") == parse_config(absolute + CARRIER, folder="/srv").ledger


def test_a_file_is_read_by_its_name_and_keeps_it(tmp_path: Path):
    path = tmp_path / "carriers.toml"
    path.write_bytes(b"\xef\xbb\xbf" + CARRIER.replace("\n", "\r\n").encode())

    config = load_config(str(path))

    assert str(path) == config.source
    assert f"<Config {path}: acme; <RouteTable of 0 routes>>" == repr(config)


def test_the_password_comes_from_the_environment_of_the_process(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(os.environ, "ACME_PASSWORD", "")

    config = parse_config(CARRIER + 'password_env = "ACME_PASSWORD"')

    assert "" == config.carriers["acme"].password


def test_a_password_is_not_in_the_repr(config: Config):
    assert "secret" not in repr(config)
    assert "secret" not in repr(config.carriers)


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("UTC", UTC),
        ("+05:30", timezone(timedelta(hours=5, minutes=30))),
        ("-03:00", timezone(timedelta(hours=-3))),
    ],
)
def test_a_zone_may_be_an_offset(written: str, zone: timezone):
    config = parse_config(f'{CARRIER}[profiles.x]\nreceipt = {{ zone = "{written}" }}')

    assert zone == config.profiles["x"].receipt.zone


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("tps", "0.5", 0.5),
        ("tps", "1_000", 1000.0),
        ("tps", "1e3", 1000.0),
        ("window", "0x10", 16),
        ("binds", "1", 1),
    ],
)
def test_numbers_are_read_as_toml_writes_them(key: str, written: str, value: float):
    config = parse_config(f"{CARRIER}{key} = {written}")

    assert value == getattr(config.carriers["acme"], key)


def test_a_sum_keeps_its_digits():
    route = (
        '[routes.r]\ncarrier = "acme"\nnetworks = ["214-07"]\ntraffic_classes = []\n'
        'price = { amount = "0.0300", currency = "EUR" }'
    )

    price = parse_config(CARRIER + route).routes["r"].price

    assert price
    assert "0.0300" == str(price.amount)


def test_a_plan_may_be_a_file_beside_the_toml(tmp_path: Path):
    (tmp_path / "plan.csv").write_text(
        "prefix,network,valid_from,valid_to\n"
        "34600,214-07,,2026-12-31\n\n34600,214-01,2027-01-01,\n34601, 214-03,,\n",
        "utf-8-sig",
    )

    plan = parse_config('numbering_file = "plan.csv"\n' + CARRIER, folder=tmp_path).plan

    assert Network("214", "07") == plan.lookup("34600111222", DAY)
    assert Network("214", "01") == plan.lookup("34600111222", date(2027, 1, 1))
    assert Network("214", "03") == plan.lookup("34601111222", DAY)


def test_a_plan_file_needs_two_columns_in_any_order(tmp_path: Path):
    (tmp_path / "plan.csv").write_text('network,prefix\n"214-07",34600\n', "utf-8")

    plan = parse_config('numbering_file = "plan.csv"\n' + CARRIER, folder=tmp_path).plan

    assert Network("214", "07") == plan.lookup("34600111222", DAY)
