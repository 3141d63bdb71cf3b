"""Which networks have a direct route for which class, from when to when, by what is declared.

The static gate is asked on every day on which a declared fact begins or ends; between two such days
its answer cannot change. Nothing observed counts here, and no sender: what is registered is a matter of each message.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import attrs

from .gate import Case, route_reasons
from .networks import Network
from .policy import Policy
from .reasons import Reason, ReasonCode
from .route import Route, TrafficClass
from .table import RouteTable

A_DAY = timedelta(days=1)


@attrs.frozen(kw_only=True)
class Coverage:
    """Days on which one network has the same direct routes for one class."""

    network: Network
    traffic_class: TrafficClass
    first: date
    """In UTC, included, as the other."""
    last: date
    route_ids: tuple[str, ...]
    """In the order of the table; empty where the network has none."""


def coverage(
    routes: RouteTable,
    *,
    policy: Policy,
    today: date,
    days: int = 365,
    networks: Iterable[Network] = (),
) -> tuple[Coverage, ...]:
    """Say what is covered from today on.

    Args:
        routes: All configured routes.
        policy: The demands.
        today: The first day, in UTC.
        days: How many days ahead to look, from 1.
        networks: To be told of besides those that routes name, e.g. all of a numbering plan.

    Returns:
        For each network and class the days without a gap, in order of network, class and day.
    """
    last = today + timedelta(days=days - 1)
    named = {network for route in routes for network in route.networks}
    begins = sorted(
        {today, *(day for route in routes for day in _turns(route, policy) if today < day <= last)}
    )
    told: list[Coverage] = []
    for network in sorted(named.union(networks)):
        for traffic_class in TrafficClass:
            told += _runs(routes, policy, network, traffic_class, begins, last)
    return tuple(told)


def reasons_against(
    route: Route, routes: RouteTable, *, policy: Policy, day: date
) -> tuple[ReasonCode, ...]:
    """Why no message can take a route on one day, whatever its class and network.

    Args:
        route: One of `routes`.
        routes: All configured routes.
        policy: The demands.
        day: In UTC; messages end on the same.

    Returns:
        Every code that speaks against it anywhere; nothing if some message can take it.
    """
    against: dict[ReasonCode, None] = {}
    for network in sorted(route.networks):
        for traffic_class in sorted(route.traffic_classes):
            reasons = _reasons_on(route, day, network, traffic_class, routes, policy)
            if not reasons:
                return ()
            against.update(dict.fromkeys(reason.code for reason in reasons))
    return tuple(against) or (ReasonCode.TRAFFIC_CLASS_NOT_ALLOWED,)


def _reasons_on(
    route: Route,
    day: date,
    network: Network,
    traffic_class: str,
    routes: RouteTable,
    policy: Policy,
) -> tuple[Reason, ...]:
    return route_reasons(
        route,
        Case(
            network=network,
            operator=routes.operator_of(network),
            ported=None,
            traffic_class=traffic_class,
            today=day,
            until=day,
            policy=policy,
        ),
    )


def _turns(route: Route, policy: Policy) -> Iterator[date]:
    """The days from which on something declared about a route holds, or does not hold any more."""
    agreement, price = route.agreement, route.price
    if agreement is not None:
        if agreement.valid_from is not None:
            yield agreement.valid_from
        if agreement.valid_to is not None and agreement.valid_to < date.max:
            yield agreement.valid_to + A_DAY
        if agreement.attested_at is not None:
            yield agreement.attested_at
            yield attestation_ends(route, policy) + A_DAY
    if price is not None:
        if price.effective_from is not None:
            yield price.effective_from
        if price.valid_to is not None and price.valid_to < date.max:
            yield price.valid_to + A_DAY


def attestation_ends(route: Route, policy: Policy) -> date:
    """The last day on which what somebody has attested of a route still counts."""
    agreement = route.agreement
    assert agreement is not None
    assert agreement.attested_at is not None
    age, own = policy.max_attestation_age_days, agreement.max_attestation_age_days
    return agreement.attested_at + timedelta(days=age if own is None else min(age, own))


def _runs(
    routes: RouteTable,
    policy: Policy,
    network: Network,
    traffic_class: TrafficClass,
    begins: list[date],
    last: date,
) -> list[Coverage]:
    runs: list[Coverage] = []
    for begin, after in zip(begins, [*begins[1:], last + A_DAY], strict=True):
        direct = tuple(
            route.id
            for route in routes
            if not _reasons_on(route, begin, network, traffic_class, routes, policy)
        )
        if runs and runs[-1].route_ids == direct:
            runs[-1] = attrs.evolve(runs[-1], last=after - A_DAY)
            continue
        runs.append(
            Coverage(
                network=network,
                traffic_class=traffic_class,
                first=begin,
                last=after - A_DAY,
                route_ids=direct,
            )
        )
    return runs
