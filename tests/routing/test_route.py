"""A fact that cannot be true is refused where it is declared, by name."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from whiteroute.routing import (
    Agreement,
    Interconnect,
    InterconnectKind,
    Network,
    Policy,
    Price,
    Route,
    RouteTable,
    RoutingFactError,
    SenderKind,
    SenderPolicy,
    TrafficClass,
)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"id": ""}, "id"),
        ({"carrier": ""}, "carrier"),
        ({"networks": frozenset()}, "networks"),
        ({"share": 0.0}, "share"),
        ({"share": float("inf")}, "share"),
        ({"share": float("nan")}, "share"),
    ],
)
def test_a_route_without_sense_names_the_field(
    make_route: Callable[..., Route], change: dict[str, object], where: str
) -> None:
    with pytest.raises(RoutingFactError) as refusal:
        make_route(**change)
    assert refusal.value.where == where


def test_an_agreement_cannot_end_before_it_begins(make_agreement: Callable[..., Agreement]) -> None:
    with pytest.raises(RoutingFactError) as refusal:
        make_agreement(valid_to=date(2025, 12, 31))
    assert str(refusal.value.under("routes.acme-es.agreement")) == (
        "routes.acme-es.agreement.valid_to: found '2025-12-31',"
        " expected a day not before valid_from (2026-01-01)"
    )


def test_an_attestation_cannot_be_older_than_never(
    make_agreement: Callable[..., Agreement],
) -> None:
    with pytest.raises(RoutingFactError, match="max_attestation_age_days"):
        make_agreement(max_attestation_age_days=-1)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"amount": Decimal("-0.01")}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"floor": Decimal("Infinity")}, "floor"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "E1R"}, "currency"),
        ({"effective_from": date(2026, 2, 1), "valid_to": date(2026, 1, 1)}, "valid_to"),
    ],
)
def test_a_price_without_sense_names_the_field(change: dict[str, object], where: str) -> None:
    facts: dict[str, object] = {"amount": Decimal("0.03"), "currency": "EUR"}
    with pytest.raises(RoutingFactError) as refusal:
        Price(**(facts | change))  # type: ignore[arg-type]
    assert refusal.value.where == where


def test_hops_are_not_negative() -> None:
    with pytest.raises(RoutingFactError, match=r"^hops: found -1"):
        Interconnect(hops=-1)


def test_a_pattern_that_cannot_be_compiled_is_named_by_its_place() -> None:
    with pytest.raises(RoutingFactError, match=r"^registered_patterns\[1\]: found '\('"):
        SenderPolicy(kinds=frozenset({SenderKind.ALPHA}), registered_patterns=("A+", "("))


def test_sender_policies_that_declare_the_same_are_equal() -> None:
    declared = [
        SenderPolicy(kinds=frozenset({SenderKind.ALPHA}), registered_patterns=("A+",))
        for _ in range(2)
    ]
    assert declared[0] == declared[1]


@pytest.mark.parametrize(
    "kind", [InterconnectKind.SIM, InterconnectKind.SS7_LEASED_GT, InterconnectKind.UNKNOWN]
)
def test_no_policy_can_allow_what_is_never_direct(kind: InterconnectKind) -> None:
    with pytest.raises(RoutingFactError, match="allowed_kinds"):
        Policy(allowed_kinds=frozenset({InterconnectKind.DIRECT_MNO, kind}))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"max_hops": 2}, "max_hops"),
        ({"max_hops": -1}, "max_hops"),
        ({"max_attestation_age_days": -1}, "max_attestation_age_days"),
        ({"price_tolerance": Decimal(1)}, "price_tolerance"),
        ({"price_tolerance": Decimal("-0.1")}, "price_tolerance"),
        ({"exploration": 0.6}, "exploration"),
    ],
)
def test_a_policy_without_sense_names_the_field(change: dict[str, object], where: str) -> None:
    with pytest.raises(RoutingFactError) as refusal:
        Policy(**change)  # type: ignore[arg-type]
    assert refusal.value.where == where


def test_a_table_takes_each_id_once_or_is_not_made(make_route: Callable[..., Route]) -> None:
    with pytest.raises(RoutingFactError, match=r"^routes\.acme-es: found 'acme-es'"):
        RouteTable([make_route(), make_route(carrier="other")])


def test_a_table_gives_its_routes_in_the_order_declared(make_route: Callable[..., Route]) -> None:
    routes = [make_route(id=name) for name in ("b", "a", "c")]
    table = RouteTable(routes)
    assert list(table) == routes
    assert len(table) == 3
    assert table["a"] is routes[1]
    assert "a" in table
    assert "d" not in table
    assert repr(table) == "<RouteTable of 3 routes>"


def test_traffic_classes_are_found_by_their_plain_names() -> None:
    assert "otp" in frozenset({TrafficClass.OTP})
    assert str(Network("214", "07")) == "214-07"
