"""Decisions with their reasons: three gates, one order, and the same answer every time."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whiteroute.routing import (
    Availability,
    Criterion,
    Decision,
    DirectRouteUnavailable,
    Network,
    NetworkInfo,
    NetworkSource,
    NoDirectRouteError,
    Policy,
    Price,
    ReasonCode,
    Route,
    RouteState,
    RouteTable,
    RoutingRequest,
    Stage,
    Standing,
    choose,
)

C = ReasonCode
MakeRoute = Callable[..., Route]
MakeRequest = Callable[..., RoutingRequest]

GOOD = Standing(delivered_low=0.95, delivered_high=0.99, latency_p90=4.0)
POOR = Standing(delivered_low=0.80, delivered_high=0.90, latency_p90=4.0)
OPEN = Availability(bound=True, window=10)


@attrs.frozen
class Told:
    """Evidence by route id, for tests that say what was observed."""

    standings: Mapping[str, Standing]

    def standing(self, route_id: str, network: Network, traffic_class: str) -> Standing:
        return self.standings[route_id]


def order(decision: Decision) -> list[str]:
    return [each.route.id for each in decision.ranked]


def cost(amount: str, currency: str = "EUR") -> Price:
    return Price(amount=Decimal(amount), currency=currency, floor=Decimal(0))


def test_the_only_direct_route_is_chosen_and_the_others_say_why_not(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    table = RouteTable([make_route(id="off", enabled=False), make_route()])
    decision = choose(make_request(), table, now=now)
    assert decision.chosen is table["acme-es"]
    assert decision.require() is table["acme-es"]
    assert [(each.route_id, each.codes) for each in decision.rejected] == [
        ("off", (C.ADMIN_DISABLED,))
    ]


@pytest.mark.parametrize(
    ("state", "codes"),
    [
        (RouteState.ACTIVE, ()),
        (RouteState.WATCH, ()),
        (RouteState.QUARANTINED, (C.QUARANTINED,)),
        (RouteState.PROBATION, (C.ON_PROBATION,)),
    ],
)
def test_a_quarantined_route_carries_nothing_and_a_watched_one_does(
    make_route: MakeRoute,
    make_request: MakeRequest,
    now: datetime,
    state: RouteState,
    codes: tuple[ReasonCode, ...],
) -> None:
    evidence = Told({"acme-es": attrs.evolve(GOOD, state=state)})
    decision = choose(make_request(), RouteTable([make_route()]), now=now, evidence=evidence)
    assert [each.codes for each in decision.rejected] == ([codes] if codes else [])
    assert [each.stage for each in decision.rejected] == ([Stage.DYNAMIC] if codes else [])


@pytest.mark.parametrize(
    "evidence", [None, Told({"acme-es": attrs.evolve(GOOD, low_confidence=True)})]
)
def test_a_policy_may_demand_evidence(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime, evidence: Told | None
) -> None:
    table = RouteTable([make_route()])
    lenient = choose(make_request(), table, now=now, evidence=evidence)
    strict = choose(
        make_request(), table, now=now, evidence=evidence, policy=Policy(require_evidence=True)
    )
    assert lenient.rejected == ()
    assert strict.rejected[0].codes == (C.EVIDENCE_INSUFFICIENT,)


def test_enough_evidence_satisfies_that_demand(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    decision = choose(
        make_request(),
        RouteTable([make_route()]),
        now=now,
        evidence=Told({"acme-es": GOOD}),
        policy=Policy(require_evidence=True),
    )
    assert decision.rejected == ()


@pytest.mark.parametrize(
    ("request_changes", "available", "codes", "retryable", "retry_after"),
    [
        ({}, {}, (), False, None),
        ({}, {"bound": False}, (C.BIND_DOWN,), True, None),
        ({}, {"bound": False, "window": 0}, (C.BIND_DOWN,), True, None),
        ({}, {"in_flight": 10}, (C.WINDOW_FULL,), True, None),
        ({}, {"throttled_for": 1.5}, (C.THROTTLED,), True, 1.5),
        ({}, {"circuit_open_for": 30.0}, (C.CIRCUIT_OPEN,), True, 30.0),
        (
            {},
            {"throttled_for": 1.5, "circuit_open_for": 30.0},
            (C.THROTTLED, C.CIRCUIT_OPEN),
            True,
            30.0,
        ),
        (
            {},
            {"in_flight": 11, "throttled_for": 1.5},
            (C.WINDOW_FULL, C.THROTTLED),
            True,
            None,
        ),
        ({"tried": frozenset({"acme-es"})}, {}, (C.ALREADY_TRIED,), False, None),
        (
            {"tried": frozenset({"acme-es"})},
            {"throttled_for": 1.5},
            (C.ALREADY_TRIED, C.THROTTLED),
            False,
            None,
        ),
    ],
)
def test_runtime_reasons_say_whether_waiting_helps(
    make_route: MakeRoute,
    make_request: MakeRequest,
    now: datetime,
    request_changes: dict[str, object],
    available: dict[str, object],
    codes: tuple[ReasonCode, ...],
    retryable: bool,
    retry_after: float | None,
) -> None:
    decision = choose(
        make_request(**request_changes),
        RouteTable([make_route()]),
        now=now,
        availability={"acme-es": attrs.evolve(OPEN, **available)},
    )
    if not codes:
        assert decision.require().id == "acme-es"
        return
    assert [(each.stage, each.codes) for each in decision.rejected] == [(Stage.RUNTIME, codes)]
    with pytest.raises(NoDirectRouteError) as refusal:
        decision.require()
    assert isinstance(refusal.value, DirectRouteUnavailable) is retryable
    assert refusal.value.retryable is retryable
    assert refusal.value.retry_after == retry_after


def test_a_route_of_which_no_bind_is_known_counts_as_down(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    decision = choose(make_request(), RouteTable([make_route()]), now=now, availability={})
    assert decision.rejected[0].codes == (C.BIND_DOWN,)
    assert decision.retry_after is None


def test_a_message_about_to_end_is_not_sent(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    request = make_request(valid_until=now + timedelta(seconds=4))
    decision = choose(request, RouteTable([make_route()]), now=now)
    assert decision.rejected[0].codes == (C.VALIDITY_TOO_SHORT,)
    with pytest.raises(NoDirectRouteError) as refusal:
        decision.require()
    assert not refusal.value.retryable


def test_what_was_observed_and_what_is_possible_are_named_together(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    decision = choose(
        make_request(),
        RouteTable([make_route()]),
        now=now,
        evidence=Told(
            {"acme-es": attrs.evolve(GOOD, state=RouteState.QUARANTINED, low_confidence=True)}
        ),
        availability={"acme-es": attrs.evolve(OPEN, bound=False)},
        policy=Policy(require_evidence=True),
    )
    (rejection,) = decision.rejected
    assert rejection.stage is Stage.DYNAMIC
    assert rejection.codes == (C.QUARANTINED, C.EVIDENCE_INSUFFICIENT, C.BIND_DOWN)


def test_the_soonest_of_several_pauses_is_when_to_come_back(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    table = RouteTable([make_route(id=name) for name in ("a", "b", "c")])
    decision = choose(
        make_request(),
        table,
        now=now,
        availability={
            "a": attrs.evolve(OPEN, throttled_for=9.0),
            "b": attrs.evolve(OPEN, throttled_for=3.0),
            "c": attrs.evolve(OPEN, bound=False),
        },
    )
    assert decision.retry_after == 3.0


@pytest.mark.parametrize(
    ("traffic_class", "a", "b", "best"),
    [
        # Delivery first, whatever it costs.
        ("otp", (GOOD, OPEN, cost("0.09")), (POOR, OPEN, cost("0.01")), "a"),
        ("marketing", (GOOD, OPEN, cost("0.09")), (POOR, OPEN, cost("0.01")), "a"),
        # Intervals that overlap are no difference: then speed, or cost.
        (
            "otp",
            (attrs.evolve(GOOD, latency_p90=25.0), OPEN, cost("0.01")),
            (attrs.evolve(GOOD, delivered_low=0.9), OPEN, cost("0.09")),
            "b",
        ),
        (
            "marketing",
            (attrs.evolve(GOOD, latency_p90=25.0), OPEN, cost("0.01")),
            (attrs.evolve(GOOD, delivered_low=0.9), OPEN, cost("0.09")),
            "a",
        ),
        # Both fast enough: then room.
        (
            "otp",
            (attrs.evolve(GOOD, latency_p90=2.0), attrs.evolve(OPEN, in_flight=9), cost("0.01")),
            (attrs.evolve(GOOD, latency_p90=9.0), OPEN, cost("0.09")),
            "b",
        ),
        # As much room, to a quarter: then cost.
        (
            "otp",
            (GOOD, OPEN, cost("0.09")),
            (GOOD, attrs.evolve(OPEN, in_flight=1), cost("0.01")),
            "b",
        ),
        # Unknown latency is not held against a route.
        (
            "otp",
            (attrs.evolve(GOOD, latency_p90=None), OPEN, cost("0.01")),
            (attrs.evolve(GOOD, latency_p90=11.0), OPEN, cost("0.01")),
            "a",
        ),
    ],
)
def test_criteria_decide_one_after_the_other(
    make_route: MakeRoute,
    make_request: MakeRequest,
    now: datetime,
    traffic_class: str,
    a: tuple[Standing, Availability, Price],
    b: tuple[Standing, Availability, Price],
    best: str,
) -> None:
    routes = {"a": a, "b": b}
    decision = choose(
        make_request(traffic_class=traffic_class),
        RouteTable([make_route(id=name, price=facts[2]) for name, facts in routes.items()]),
        now=now,
        evidence=Told({name: facts[0] for name, facts in routes.items()}),
        availability={name: facts[1] for name, facts in routes.items()},
    )
    assert order(decision)[0] == best


@pytest.mark.parametrize(
    ("changes", "headroom"),
    [
        ({}, 1.0),
        ({"in_flight": 4}, 0.6),
        ({"rate_left": 0.25}, 0.25),
        ({"throttle_ratio": 0.5}, 0.5),
        ({"in_flight": 12}, 0.0),
        ({"window": 0}, 0.0),
        ({"bound": False}, 0.0),
    ],
)
def test_headroom_is_the_scarcest_of_window_rate_and_patience(
    changes: dict[str, object], headroom: float
) -> None:
    assert attrs.evolve(OPEN, **changes).headroom == pytest.approx(headroom)


def test_without_evidence_cost_decides_and_currencies_are_not_compared(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    cheap, dear = make_route(id="cheap", price=cost("0.02")), make_route(id="dear")
    yen = make_route(id="yen", price=cost("3", "JPY"))
    same = choose(make_request(), RouteTable([dear, cheap]), now=now)
    mixed = [
        choose(make_request(message_ref=str(n)), RouteTable([yen, cheap]), now=now).require().id
        for n in range(50)
    ]
    assert order(same) == ["cheap", "dear"]
    assert set(mixed) == {"yen", "cheap"}


def test_evidence_about_some_routes_only_does_not_rank_by_delivery(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    policy = Policy(ranking={"otp": (Criterion.DELIVERY, Criterion.COST)}, exploration=0.0)
    table = RouteTable([make_route(id="a"), make_route(id="b", price=cost("0.02"))])
    evidence = Told({"a": GOOD, "b": POOR})
    assert order(choose(make_request(), table, now=now, policy=policy)) == ["b", "a"]
    told = choose(make_request(), table, now=now, policy=policy, evidence=evidence)
    assert order(told) == ["a", "b"]


def test_three_routes_fall_into_groups_of_delivery(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    prices = {"best": "0.09", "near": "0.01", "far": "0.02", "farther": "0.01"}
    evidence = Told(
        {
            "best": GOOD,
            "near": attrs.evolve(GOOD, delivered_low=0.90, delivered_high=0.96),
            "far": POOR,
            "farther": attrs.evolve(POOR, delivered_low=0.70, delivered_high=0.79),
        }
    )
    routes = [make_route(id=name, price=cost(price)) for name, price in prices.items()]
    decision = choose(
        make_request(traffic_class="marketing"), RouteTable(routes), now=now, evidence=evidence
    )
    assert order(decision) == ["near", "best", "far", "farther"]


def shares(
    routes: list[Route],
    make_request: MakeRequest,
    now: datetime,
    evidence: Told | None = None,
    policy: Policy | None = None,
) -> Counter[str]:
    table, policy = RouteTable(routes), policy or Policy()
    return Counter(
        choose(make_request(message_ref=f"m-{n}"), table, now=now, evidence=evidence, policy=policy)
        .require()
        .id
        for n in range(2000)
    )


def test_equal_routes_share_by_their_weights(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    routes = [make_route(id="a", share=3.0), make_route(id="b")]
    assert shares(routes, make_request, now)["a"] == pytest.approx(1500, abs=80)


def test_a_watched_route_keeps_half_its_share(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    routes = [make_route(id="a"), make_route(id="b")]
    evidence = Told({"a": attrs.evolve(GOOD, state=RouteState.WATCH), "b": GOOD})
    counted = shares(routes, make_request, now, evidence)
    assert counted["a"] == pytest.approx(2000 / 3, abs=80)


def test_an_unproven_route_gets_a_little_traffic_to_earn_its_evidence(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    routes = [make_route(id="proven"), make_route(id="new")]
    evidence = Told({"proven": GOOD, "new": attrs.evolve(POOR, low_confidence=True)})
    explored = shares(routes, make_request, now, evidence)
    unexplored = shares(routes, make_request, now, evidence, Policy(exploration=0.0))
    assert explored["new"] == pytest.approx(60, abs=25)
    assert unexplored["new"] == 0


def test_only_messages_of_a_lost_route_change_their_way(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    three = RouteTable([make_route(id=name) for name in "abc"])
    two = RouteTable([make_route(id=name) for name in "ab"])
    requests = [make_request(message_ref=f"m-{n}") for n in range(300)]
    before = [choose(request, three, now=now).require().id for request in requests]
    after = [choose(request, two, now=now).require().id for request in requests]
    assert all(new == old for old, new in zip(before, after, strict=True) if old != "c")


REFS = st.text(max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(refs=st.lists(REFS, min_size=1, max_size=4), names=st.permutations("abcd"))
def test_the_same_message_always_goes_the_same_way(
    make_route: MakeRoute,
    make_request: MakeRequest,
    now: datetime,
    refs: list[str],
    names: list[str],
) -> None:
    table = RouteTable([make_route(id=name) for name in "abcd"])
    shuffled = RouteTable([make_route(id=name) for name in names])
    for ref in refs:
        request = make_request(message_ref=ref)
        once = choose(request, table, now=now)
        assert once == choose(request, table, now=now)
        assert order(once) == order(choose(request, shuffled, now=now))


def test_the_way_of_a_message_is_the_same_in_every_process(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    table = RouteTable([make_route(id=name) for name in "abcd"])
    ways = {ref: order(choose(make_request(message_ref=ref), table, now=now)) for ref in "xyz"}
    # Written down once; a change here sends messages in flight another way after an update.
    assert ways == WAYS


WAYS = {"x": list("bdca"), "y": list("acdb"), "z": list("cbda")}


def test_remembered_verdicts_are_those_of_a_fresh_table(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    table = RouteTable([make_route(), make_route(id="b", enabled=False)])
    policies = [Policy(), Policy(blocked_routes=frozenset({"acme-es"}))]
    requests = [
        make_request(sender=sender, traffic_class=traffic_class, network=network)
        for sender in ("ACME", "OTHER")
        for traffic_class in ("otp", "p2p")
        for network in (
            None,
            NetworkInfo(network=Network("214", "07"), source=NetworkSource.MNP_DB),
            NetworkInfo(network=Network("214", "03"), source=NetworkSource.MNP_DB),
        )
    ]
    days = [now, now + timedelta(days=500)]
    for _ in range(2):
        for policy in policies:
            for request in requests:
                for day in days:
                    remembered = choose(request, table, policy=policy, now=day)
                    fresh = choose(request, RouteTable(table), policy=policy, now=day)
                    assert remembered == fresh


def test_verdicts_are_forgotten_when_there_are_too_many(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    table = RouteTable([make_route()])
    for number in range(1_100):
        request = make_request(sender=f"S{number}")
        assert choose(request, table, now=now).rejected[0].codes == (C.SENDER_NOT_REGISTERED,)
    assert choose(make_request(), table, now=now).require().id == "acme-es"


def test_a_decision_explains_itself_as_plain_data(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    info = NetworkInfo(
        network=Network("214", "07"),
        source=NetworkSource.MNP_DIP,
        obtained_at=now - timedelta(seconds=60),
        ttl=86_400.0,
    )
    table = RouteTable([make_route(), make_route(id="off", enabled=False)])
    decision = choose(make_request(network=info), table, now=now, availability={"acme-es": OPEN})
    assert decision.to_dict() == {
        "network": {"mcc": "214", "mnc": "07", "source": "MNP_DIP", "age_s": 60.0},
        "chosen": "acme-es",
        "ranked": [
            {
                "route_id": "acme-es",
                "scores": {
                    "delivery": None,
                    "delivery_high": None,
                    "latency": None,
                    "headroom": 1.0,
                    "cost": "0.030",
                    "currency": "EUR",
                    "low_confidence": None,
                },
            }
        ],
        "rejected": [
            {
                "route_id": "off",
                "carrier": "acme",
                "stage": "static",
                "reasons": [
                    {
                        "code": "ADMIN_DISABLED",
                        "fact": "enabled",
                        "expected": True,
                        "actual": False,
                    }
                ],
            }
        ],
    }


def test_a_refusal_explains_itself_as_plain_data(make_request: MakeRequest, now: datetime) -> None:
    decision = choose(make_request(network=None), RouteTable([]), now=now)
    assert decision.to_dict() == {"network": None, "chosen": None, "ranked": [], "rejected": []}


def test_a_refusal_without_routes_says_so(make_request: MakeRequest, now: datetime) -> None:
    with pytest.raises(NoDirectRouteError) as refusal:
        choose(make_request(), RouteTable([]), now=now).require()
    assert str(refusal.value) == (
        "no direct route for message m-1 to 34600111222 on 214-07 (PREFIX): no route is configured"
    )
    assert refusal.value.rejected == ()


def test_a_refusal_names_routes_and_reasons_but_not_without_end(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    table = RouteTable([make_route(id=f"r{n}", enabled=False) for n in range(7)])
    with pytest.raises(NoDirectRouteError) as refusal:
        choose(make_request(), table, now=now).require()
    text = str(refusal.value)
    assert "r0: ADMIN_DISABLED (enabled: False; expected True); r1:" in text
    assert text.endswith("; and 2 more")
    assert len(refusal.value.rejected) == 7


def test_a_refusal_of_an_unresolved_number_says_so(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime
) -> None:
    with pytest.raises(NoDirectRouteError) as refusal:
        choose(make_request(network=None), RouteTable([make_route()]), now=now).require()
    assert str(refusal.value) == (
        "no direct route for message m-1 to 34600111222 on an unknown network:"
        " acme-es: NETWORK_UNRESOLVED (network: not declared; expected a network)"
    )


@pytest.mark.parametrize(("pause", "end"), [(2.5, "(retry in 2.5 s)"), (0.0, "(retry later)")])
def test_an_unavailable_route_says_when_to_come_back(
    make_route: MakeRoute, make_request: MakeRequest, now: datetime, pause: float, end: str
) -> None:
    availability = {"acme-es": Availability(bound=pause > 0, throttled_for=pause)}
    decision = choose(
        make_request(), RouteTable([make_route()]), now=now, availability=availability
    )
    with pytest.raises(DirectRouteUnavailable) as refusal:
        decision.require()
    assert str(refusal.value).endswith(end)
