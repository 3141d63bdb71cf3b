"""What is covered from when to when, and what a reviewer of the routes should look at."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import attrs
import pytest

from whiteroute.routing import (
    DEFAULT_POLICY,
    Agreement,
    Interconnect,
    InterconnectKind,
    Network,
    NumberingPlan,
    PlanRow,
    Policy,
    Price,
    Remark,
    RemarkCode,
    Route,
    RouteTable,
    TrafficClass,
    coverage,
    review,
)

MOVISTAR, ORANGE = Network("214", "07"), Network("214", "03")
TODAY = date(2026, 11, 22)
C = RemarkCode
MakeRoute = Callable[..., Route]
MakeAgreement = Callable[..., Agreement]


def covered(
    table: RouteTable, traffic_class: str = "otp", days: int = 365, **more: object
) -> list[tuple[str, date, date, tuple[str, ...]]]:
    told = coverage(table, policy=DEFAULT_POLICY, today=TODAY, days=days, **more)  # type: ignore[arg-type]
    return [
        (str(each.network), each.first, each.last, each.route_ids)
        for each in told
        if each.traffic_class == traffic_class
    ]


def test_coverage_ends_with_the_agreement(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    agreement = make_agreement(valid_to=date(2026, 12, 31))
    table = RouteTable([make_route(agreement=agreement)])
    assert covered(table) == [
        ("214-07", TODAY, date(2026, 12, 31), ("acme-es",)),
        ("214-07", date(2027, 1, 1), date(2027, 11, 21), ()),
    ]
    assert covered(table, "p2p") == [("214-07", TODAY, date(2027, 11, 21), ())]


def test_coverage_begins_when_all_that_is_declared_has_begun(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    agreement = make_agreement(valid_from=date(2026, 12, 1), attested_at=date(2026, 12, 5))
    price = Price(
        amount=Decimal(1), currency="EUR", floor=Decimal(0), effective_from=date(2026, 12, 3)
    )
    table = RouteTable([make_route(agreement=agreement, price=price)])
    assert covered(table, days=30) == [
        ("214-07", TODAY, date(2026, 12, 4), ()),
        ("214-07", date(2026, 12, 5), date(2026, 12, 21), ("acme-es",)),
    ]


def test_two_routes_hand_over_without_a_gap(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    first = make_route(id="a", agreement=make_agreement(valid_to=date(2026, 12, 31)))
    price = Price(amount=Decimal(1), currency="EUR", floor=Decimal(0), valid_to=date(2027, 1, 31))
    second = make_route(id="b", price=price)
    assert [each[1:] for each in covered(RouteTable([first, second]), days=100)] == [
        (TODAY, date(2026, 12, 31), ("a", "b")),
        (date(2027, 1, 1), date(2027, 1, 31), ("b",)),
        (date(2027, 2, 1), date(2027, 3, 1), ()),
    ]


def test_networks_of_the_plan_are_told_of_even_without_a_route(make_route: MakeRoute) -> None:
    told = covered(RouteTable([make_route()]), days=1, networks=[ORANGE])
    assert told == [("214-03", TODAY, TODAY, ()), ("214-07", TODAY, TODAY, ("acme-es",))]


def test_a_virtual_network_is_covered_by_its_host(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    virtual = Network("214", "99")
    route = make_route(networks=frozenset({virtual}))
    assert covered(RouteTable([route]), days=1)[0][3] == ()
    assert covered(RouteTable([route], hosts={virtual: MOVISTAR}), days=1)[0][3] == ("acme-es",)


def test_days_that_never_end_are_no_trouble(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    agreement = make_agreement(valid_to=date.max, max_attestation_age_days=10)
    price = Price(amount=Decimal(1), currency="EUR", floor=Decimal(0), valid_to=date.max)
    bare = make_route(id="bare", agreement=None, price=None)
    undated = make_route(
        id="undated",
        agreement=make_agreement(valid_from=None, valid_to=None, attested_at=None),
    )
    table = RouteTable([make_route(agreement=agreement, price=price), bare, undated])
    # Attested on 1 November, for ten days.
    assert covered(table) == [("214-07", TODAY, date(2027, 11, 21), ())]


def remarks(table: RouteTable, policy: Policy = DEFAULT_POLICY, **more: object) -> list[Remark]:
    return list(review(table, policy=policy, today=TODAY, **more))  # type: ignore[arg-type]


def test_nothing_is_said_of_a_sound_table(make_route: MakeRoute) -> None:
    assert remarks(RouteTable([make_route()]), networks=[MOVISTAR]) == []


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        (
            {"interconnect": Interconnect(kind=InterconnectKind.SIM, hops=3)},
            "INTERCONNECT_FORBIDDEN, HOPS_EXCEEDED",
        ),
        ({"agreement": None}, "AGREEMENT_MISSING"),
        ({"traffic_classes": frozenset()}, "TRAFFIC_CLASS_NOT_ALLOWED"),
    ],
)
def test_a_route_that_no_message_can_ever_take_is_a_fault(
    make_route: MakeRoute, changes: dict[str, object], codes: str
) -> None:
    [remark] = remarks(RouteTable([make_route(**changes)]))
    assert (remark.code, remark.subject, remark.found) == (C.ROUTE_UNREACHABLE, "acme-es", codes)
    assert remark.code.is_fault
    assert remark.to_dict()["fault"] is True


def test_a_route_that_begins_later_is_reachable(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    later = make_agreement(valid_from=date(2027, 3, 1))
    assert remarks(RouteTable([make_route(agreement=later)])) == []


def test_classes_beyond_the_agreement_are_a_fault(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    agreement = make_agreement(traffic_classes=frozenset({TrafficClass.OTP}))
    [remark] = remarks(RouteTable([make_route(agreement=agreement)]))
    assert (remark.code, remark.found) == (C.CLASS_UNREACHABLE, "marketing, agreed are otp")


@pytest.mark.parametrize(("days", "words"), [(0, "today"), (7, "in 7 days"), (29, "in 29 days")])
def test_what_ends_soon_is_told_with_its_day(
    make_route: MakeRoute, make_agreement: MakeAgreement, days: int, words: str
) -> None:
    last = TODAY + timedelta(days=days)
    price = Price(amount=Decimal(1), currency="EUR", floor=Decimal(0), valid_to=last)
    agreement = make_agreement(valid_to=last, attested_at=last - timedelta(days=180))
    route = make_route(agreement=agreement, price=price)
    told = remarks(RouteTable([route]))
    assert [each.code for each in told] == [
        C.AGREEMENT_ENDING,
        C.ATTESTATION_ENDING,
        C.PRICE_ENDING,
    ]
    assert {each.found for each in told} == {f"ends on {last}, {words}"}
    assert {each.to_dict()["on"] for each in told} == {last.isoformat()}
    assert remarks(RouteTable([route]), ending_days=days) == []


def test_what_has_no_end_is_not_ending(
    make_route: MakeRoute, make_agreement: MakeAgreement
) -> None:
    undated = make_agreement(valid_to=None, attested_at=None)
    priceless = make_route(id="p", price=None)
    table = RouteTable(
        [make_route(agreement=undated), priceless, make_route(id="n", agreement=None)]
    )
    assert {each.code for each in remarks(table)} == {C.ROUTE_UNREACHABLE}


def test_a_plan_knows_its_networks() -> None:
    plan = NumberingPlan(
        [
            PlanRow("34600", "214-07"),
            PlanRow("34601", "214-03", None, date(2026, 1, 1)),
            PlanRow("34601", "214-01", date(2026, 1, 2), None),
        ]
    )
    assert plan.networks == {MOVISTAR, ORANGE, Network("214", "01")}


def test_a_price_that_only_the_tolerance_lets_pass_is_remarked(make_route: MakeRoute) -> None:
    price = Price(amount=Decimal("0.95"), currency="EUR", floor=Decimal(1))
    tolerant = Policy(price_tolerance=Decimal("0.1"))
    [remark] = remarks(RouteTable([make_route(price=price)]), tolerant)
    assert (remark.code, remark.found) == (
        C.PRICE_AT_FLOOR,
        "0.95 EUR, the operator's own is 1",
    )


def test_two_routes_under_two_names_are_a_fault(make_route: MakeRoute) -> None:
    table = RouteTable([make_route(id="a"), make_route(id="b"), make_route(id="c", share=2.0)])
    [remark] = remarks(table)
    assert (remark.code, remark.subject, remark.found) == (C.ROUTES_ALIKE, "b", "the same as a")


def test_the_plan_and_the_routes_are_held_against_each_other(make_route: MakeRoute) -> None:
    told = remarks(RouteTable([make_route()]), networks=[ORANGE])
    assert [(each.code, each.subject) for each in told] == [
        (C.NETWORK_UNCOVERED, "214-03"),
        (C.NETWORK_UNPLANNED, "acme-es"),
    ]
    assert not any(each.code.is_fault for each in told)


def test_faults_come_before_warnings(make_route: MakeRoute) -> None:
    table = RouteTable([make_route(agreement=None)])
    told = remarks(table, networks=[MOVISTAR])
    assert [each.code for each in told] == [C.ROUTE_UNREACHABLE, C.NETWORK_UNCOVERED]


@pytest.mark.parametrize("code", list(RemarkCode))
def test_every_remark_says_what_to_do(code: RemarkCode) -> None:
    assert RemarkCode(code.value) is code
    assert code.value == code.name
    assert code.advice.endswith(".")


def test_a_remark_without_a_day_has_none() -> None:
    remark = Remark(code=C.ROUTES_ALIKE, subject="a", found="the same as b")
    assert attrs.evolve(remark).to_dict()["on"] is None
