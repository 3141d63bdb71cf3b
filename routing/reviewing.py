"""What is wrong, or soon will be, with a table of routes: found before a message finds it.

A route that the gate refuses for good, a network that nobody reaches, an agreement about to end, a
price near the operator's own. Faults of form never get here: such a table is not loaded at all.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum

import attrs

from .covering import attestation_ends, coverage, reasons_against
from .networks import Network
from .policy import Policy
from .reasons import ReasonCode
from .route import Route, TrafficClass
from .table import RouteTable

ENDING_DAYS = 30
"""Days ahead in which an end is told: what has to be signed takes a month."""


class RemarkCode(StrEnum):
    """What can be remarked; each knows whether it is a fault, and what to do about it."""

    is_fault: bool
    """Whether the table does not do what somebody meant by it; the rest are warnings."""
    advice: str

    # The defaults are never used: they let type checkers accept the look-up `RemarkCode("...")`.
    def __new__(cls, name: str, is_fault: bool = False, advice: str = "") -> "RemarkCode":
        """Make a member from its row below."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.is_fault = is_fault
        member.advice = advice
        return member

    ROUTE_UNREACHABLE = (
        "ROUTE_UNREACHABLE",
        True,
        "No message can take this route now or later: mend what is named, or remove it.",
    )
    CLASS_UNREACHABLE = (
        "CLASS_UNREACHABLE",
        True,
        "The route declares a class that its agreement does not allow.",
    )
    NETWORK_UNCOVERED = (
        "NETWORK_UNCOVERED",
        False,
        "The numbering plan knows the network, and no direct route reaches it for any class.",
    )
    NETWORK_UNPLANNED = (
        "NETWORK_UNPLANNED",
        False,
        "No number of the plan belongs to this network, so no message can find the route by it.",
    )
    ROUTES_ALIKE = (
        "ROUTES_ALIKE",
        True,
        "Two routes differ in nothing but their ids: one of them was meant to be something else.",
    )
    AGREEMENT_ENDING = (
        "AGREEMENT_ENDING",
        False,
        "Renew the agreement, or messages will be refused.",
    )
    ATTESTATION_ENDING = (
        "ATTESTATION_ENDING",
        False,
        "Have somebody look at the document again and attest it.",
    )
    PRICE_ENDING = ("PRICE_ENDING", False, "Declare the price that follows.")
    PRICE_AT_FLOOR = (
        "PRICE_AT_FLOOR",
        False,
        "The price lies below the operator's own rate and passes by the tolerance alone: ask how it is possible.",
    )


@attrs.frozen(kw_only=True)
class Remark:
    """One thing that somebody should look at."""

    code: RemarkCode
    subject: str
    """A route's id, or a network."""
    found: str
    """For people."""
    on: date | None = None
    """When it takes effect, where that is a day."""

    def to_dict(self) -> dict[str, object]:
        """The remark as `routes check --json` prints it."""
        return {
            "code": self.code.value,
            "fault": self.code.is_fault,
            "subject": self.subject,
            "found": self.found,
            "on": None if self.on is None else self.on.isoformat(),
            "advice": self.code.advice,
        }


def review(
    routes: RouteTable,
    *,
    policy: Policy,
    today: date,
    ending_days: int = ENDING_DAYS,
    networks: Iterable[Network] = (),
) -> tuple[Remark, ...]:
    """Look through a table of routes.

    Args:
        routes: All configured routes.
        policy: The demands.
        today: In UTC.
        ending_days: How many days ahead an end is told of.
        networks: Those of the numbering plan. Default: none, and nothing is said about it.

    Returns:
        What should be looked at, faults first.
    """
    planned = frozenset(networks)
    remarks = [
        remark
        for route in routes
        for look in (_reachable, _classes, _ends, _price)
        for remark in look(route, routes, policy, today, ending_days)
    ]
    remarks += _alike(routes)
    if planned:
        remarks += _uncovered(routes, policy, today, planned)
    return tuple(sorted(remarks, key=lambda remark: not remark.code.is_fault))


def _days(route: Route, today: date) -> Iterator[date]:
    """Today, and the first day of whatever begins later."""
    yield today
    begins = (
        route.agreement and route.agreement.valid_from,
        route.agreement and route.agreement.attested_at,
        route.price and route.price.effective_from,
    )
    yield from (day for day in begins if day and day > today)


def _reachable(
    route: Route, routes: RouteTable, policy: Policy, today: date, _ending: int
) -> Iterator[Remark]:
    """Whether some message can take it on some day, of any class to any of its networks."""
    against: dict[ReasonCode, None] = {}
    for day in _days(route, today):
        codes = reasons_against(route, routes, policy=policy, day=day)
        if not codes:
            return
        against.update(dict.fromkeys(codes))
    yield Remark(code=RemarkCode.ROUTE_UNREACHABLE, subject=route.id, found=", ".join(against))


def _classes(
    route: Route, _routes: RouteTable, _policy: Policy, _today: date, _ending: int
) -> Iterator[Remark]:
    agreed = route.agreement and route.agreement.traffic_classes
    if not agreed:
        return
    for traffic_class in sorted(route.traffic_classes - agreed):
        found = f"{traffic_class}, agreed are {', '.join(sorted(agreed))}"
        yield Remark(code=RemarkCode.CLASS_UNREACHABLE, subject=route.id, found=found)


def _ends(
    route: Route, _routes: RouteTable, policy: Policy, today: date, ending: int
) -> Iterator[Remark]:
    agreement, price = route.agreement, route.price
    ends: list[tuple[RemarkCode, date | None]] = []
    if agreement is not None:
        ends.append((RemarkCode.AGREEMENT_ENDING, agreement.valid_to))
        if agreement.attested_at is not None:
            ends.append((RemarkCode.ATTESTATION_ENDING, attestation_ends(route, policy)))
    if price is not None:
        ends.append((RemarkCode.PRICE_ENDING, price.valid_to))
    for code, last in ends:
        if last is not None and today <= last < today + timedelta(days=ending):
            left = (last - today).days
            found = f"ends on {last}, {f'in {left} days' if left else 'today'}"
            yield Remark(code=code, subject=route.id, found=found, on=last)


def _price(
    route: Route, _routes: RouteTable, policy: Policy, _today: date, _ending: int
) -> Iterator[Remark]:
    price = route.price
    if price is None or price.floor is None:
        return
    if price.floor * (1 - policy.price_tolerance) <= price.amount < price.floor:
        found = f"{price.amount} {price.currency}, the operator's own is {price.floor}"
        yield Remark(code=RemarkCode.PRICE_AT_FLOOR, subject=route.id, found=found)


def _alike(routes: RouteTable) -> Iterator[Remark]:
    seen: dict[Route, str] = {}
    for route in routes:
        nameless = attrs.evolve(route, id="-")
        first = seen.setdefault(nameless, route.id)
        if first != route.id:
            yield Remark(
                code=RemarkCode.ROUTES_ALIKE, subject=route.id, found=f"the same as {first}"
            )


def _uncovered(
    routes: RouteTable, policy: Policy, today: date, planned: frozenset[Network]
) -> Iterator[Remark]:
    covered = {
        each.network
        for each in coverage(routes, policy=policy, today=today, days=1, networks=planned)
        if each.route_ids
    }
    for network in sorted(planned - covered):
        found = f"none of {len(TrafficClass)} classes today"
        yield Remark(code=RemarkCode.NETWORK_UNCOVERED, subject=str(network), found=found)
    for route in routes:
        for network in sorted(route.networks - planned):
            found = f"{network} is not in the numbering plan"
            yield Remark(code=RemarkCode.NETWORK_UNPLANNED, subject=route.id, found=found)
