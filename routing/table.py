"""The configured routes, checked as a whole, and which of them the static gate lets through.

A table never changes: a new route file makes a new table, and one that has a fault makes none.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import TypeVar

import attrs

from .errors import RoutingFactError
from .gate import Case, network_reasons, route_reasons, sender_reasons
from .networks import Network, NetworkInfo
from .policy import Policy
from .reasons import CandidateRejection, Reason, Stage
from .route import Route

# Remembered verdicts of either kind. One over 50 routes weighs 20 KB, so this is at most 40 MB;
# when it is full all are forgotten, which costs a table of 50 routes half a millisecond each.
_REMEMBERED = 1_000

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_Subject = tuple[Network | None, bool | None, str, date, date]
"""What a route is judged by besides the sender: network, ported, class, today, until."""
_Judged = tuple[CandidateRejection | None, ...]
"""One for each route of the table, in its order; None where nothing speaks against it."""


@attrs.frozen(kw_only=True)
class Sifted:
    """What the static gate made of all routes."""

    admitted: tuple[Route, ...]
    rejected: tuple[CandidateRejection, ...]
    """In the order of the table."""


class RouteTable:
    """All routes, in the order declared.

    Static verdicts depend on a handful of values and days, so they are remembered here; the answers
    are those of a fresh computation. Not for use by several threads at once.
    """

    def __init__(
        self, routes: Iterable[Route], *, hosts: Mapping[Network, Network] | None = None
    ) -> None:
        """Take the routes.

        Args:
            routes: With ids that differ.
            hosts: Which operator stands behind a network: the host of a virtual operator, or the
                main network of one that has several. Default: None, each stands for itself.

        Raises:
            RoutingFactError: An id occurs twice.
        """
        self._routes: dict[str, Route] = {}
        for route in routes:
            if route.id in self._routes:
                raise RoutingFactError(f"routes.{route.id}", route.id, "an id used once")
            self._routes[route.id] = route
        self._hosts = dict(hosts or {})
        self._policy: Policy | None = None
        self._by_subject: dict[_Subject, _Judged] = {}
        self._by_sender: dict[tuple[_Subject, str], Sifted] = {}

    def sift(
        self,
        info: NetworkInfo | None,
        *,
        sender: str,
        traffic_class: str,
        policy: Policy,
        now: datetime,
        valid_until: datetime,
    ) -> Sifted:
        """Ask the static gate about every route.

        Args:
            info: What is known of the number's network; None if it could not be resolved.
            sender: As it will be submitted.
            traffic_class: One of `TrafficClass`; on another no route is agreed.
            policy: The demands.
            now: Aware, UTC.
            valid_until: When the message ends; aware, UTC.
        """
        if policy is not self._policy:
            self._policy = policy
            self._by_subject.clear()
            self._by_sender.clear()
        network, ported = (None, None) if info is None else (info.network, info.ported)
        subject = (network, ported, traffic_class, now.date(), valid_until.date())
        doubts = network_reasons(info, traffic_class, policy=policy, now=now)
        if doubts:  # not remembered: they hold an age, which is new each time
            return self._sift(subject, sender, policy, doubts)
        sifted = self._by_sender.get((subject, sender))
        if sifted is None:
            sifted = self._sift(subject, sender, policy, ())
            _remember(self._by_sender, (subject, sender), sifted)
        return sifted

    def _sift(
        self, subject: _Subject, sender: str, policy: Policy, doubts: tuple[Reason, ...]
    ) -> Sifted:
        admitted: list[Route] = []
        rejected: list[CandidateRejection] = []
        for route, judged in zip(self, self._judge(subject, policy), strict=True):
            more = sender_reasons(route, sender, policy)
            if doubts or more:
                reasons = () if judged is None else judged.reasons
                rejected.append(_rejection(route, doubts + reasons + more))
            elif judged is not None:
                rejected.append(judged)
            else:
                admitted.append(route)
        return Sifted(admitted=tuple(admitted), rejected=tuple(rejected))

    def _judge(self, subject: _Subject, policy: Policy) -> _Judged:
        """What speaks against each route, whoever the sender is."""
        known = self._by_subject.get(subject)
        if known is None:
            network, ported, traffic_class, today, until = subject
            case = Case(
                network=network,
                operator=None if network is None else self.operator_of(network),
                ported=ported,
                traffic_class=traffic_class,
                today=today,
                until=until,
                policy=policy,
            )
            reasons = [(route, route_reasons(route, case)) for route in self]
            known = tuple(
                _rejection(route, against) if against else None for route, against in reasons
            )
            _remember(self._by_subject, subject, known)
        return known

    def replace(self, routes: Iterable[Route]) -> "RouteTable":
        """Make a table of other routes over the same networks.

        Raises:
            RoutingFactError: An id occurs twice.
        """
        return RouteTable(routes, hosts=self._hosts)

    def operator_of(self, network: Network) -> Network:
        """The operator behind a network: its host if it is virtual, else the network itself."""
        return self._hosts.get(network, network)

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes.values())

    def __len__(self) -> int:
        return len(self._routes)

    def __getitem__(self, route_id: str) -> Route:
        return self._routes[route_id]

    def __contains__(self, route_id: object) -> bool:
        return route_id in self._routes

    def __repr__(self) -> str:
        return f"<RouteTable of {len(self)} routes>"


def _rejection(route: Route, reasons: tuple[Reason, ...]) -> CandidateRejection:
    return CandidateRejection(
        route_id=route.id, carrier=route.carrier, stage=Stage.STATIC, reasons=reasons
    )


def _remember(memory: dict[_Key, _Value], key: _Key, value: _Value) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[key] = value
