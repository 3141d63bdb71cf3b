"""The decision: which direct route carries this message, in which order others may follow, and why
not the rest.

Three gates in turn: what is declared (`gate.py`), what was observed, what is possible now. Only a
route that passes all is ranked; there is no last resort behind them.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

import attrs

from .networks import NetworkInfo
from .policy import DEFAULT_POLICY, Policy
from .rank import RankedRoute, ranked, scored
from .reasons import CandidateRejection, Reason, ReasonCode, Stage
from .refusal import DirectRouteUnavailable, NoDirectRouteError
from .route import Route
from .standing import Availability, Evidence, RouteState, Standing
from .table import RouteTable


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class RoutingRequest:
    """One message as routing sees it; made for every message, treated as a value."""

    message_ref: str
    destination: str
    """MSISDN, digits only (see `normalise_msisdn`)."""
    sender: str
    traffic_class: str
    """One of `TrafficClass`; on another no route is agreed."""
    network: NetworkInfo | None
    """What a `NetworkResolver` knows of the destination; None if nothing."""
    valid_until: datetime
    """When the message is worth nothing any more; aware, UTC."""
    tried: frozenset[str] = frozenset()
    """Ids of routes that were already tried for this message."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Decision:
    """Which way a message goes, and everything that led there; treated as a value."""

    request: RoutingRequest
    decided_at: datetime
    ranked: tuple[RankedRoute, ...]
    """The routes that may carry the message, best first; empty if there is none."""
    rejected: tuple[CandidateRejection, ...]
    """Every other configured route, those refused by declaration first."""
    retry_after: float | None = None
    """Seconds until a route may open that only needs waiting for; None if nobody can say."""

    @property
    def chosen(self) -> Route | None:
        """The best of the ranked routes."""
        return self.ranked[0].route if self.ranked else None

    def require(self) -> Route:
        """The chosen route.

        Raises:
            DirectRouteUnavailable: There is none now, but waiting may open one.
            NoDirectRouteError: There is none.
        """
        if self.ranked:
            return self.ranked[0].route
        retryable = any(rejection.passing for rejection in self.rejected)
        refusal = DirectRouteUnavailable if retryable else NoDirectRouteError
        raise refusal(
            message_ref=self.request.message_ref,
            destination=self.request.destination,
            network=self.request.network,
            rejected=self.rejected,
            retryable=retryable,
            retry_after=self.retry_after,
        )

    def to_dict(self) -> dict[str, object]:
        """The decision as `explain --json` prints it."""
        info = self.request.network
        network: dict[str, object] | None = None
        if info is not None:
            network = {
                "mcc": info.network.mcc,
                "mnc": info.network.mnc,
                "source": info.source.value,
                "age_s": info.age(self.decided_at),
            }
        chosen = self.chosen
        return {
            "network": network,
            "chosen": None if chosen is None else chosen.id,
            "ranked": [
                {"route_id": each.route.id, "scores": each.scores.to_dict()} for each in self.ranked
            ],
            "rejected": [rejection.to_dict() for rejection in self.rejected],
        }


def choose(
    request: RoutingRequest,
    routes: RouteTable,
    *,
    policy: Policy = DEFAULT_POLICY,
    now: datetime,
    evidence: Evidence | None = None,
    availability: Mapping[str, Availability] | None = None,
) -> Decision:
    """Decide about one message; the same arguments always give the same decision.

    Args:
        request: The message.
        routes: All configured routes.
        policy: The demands. Keep one object: verdicts are remembered for the last one used.
        now: The instant of the decision; aware, UTC.
        evidence: What was observed, as of now. Default: None, nothing is known; then routes rank
            by headroom and cost, and `Policy.require_evidence` refuses them all.
        availability: By route id, whether each could submit now; one left out counts as down.
            Default: None, not asked (as when explaining).

    Returns:
        The decision; an empty `ranked` is a refusal, which `Decision.require` raises.
    """
    sifted = routes.sift(
        request.network,
        sender=request.sender,
        traffic_class=request.traffic_class,
        policy=policy,
        now=now,
        valid_until=request.valid_until,
    )
    left = (request.valid_until - now).total_seconds()
    target = policy.latency_target(request.traffic_class)
    candidates: list[RankedRoute] = []
    fallen: list[CandidateRejection] = []
    for route in sifted.admitted:
        standing = _standing(route, request, evidence)
        available = None if availability is None else availability.get(route.id, _DOWN)
        seen = _dynamic_reasons(standing, policy)
        reasons = seen + _runtime_reasons(route, request, available, left, policy)
        if reasons:
            stage = Stage.DYNAMIC if seen else Stage.RUNTIME
            fallen.append(
                CandidateRejection(
                    route_id=route.id, carrier=route.carrier, stage=stage, reasons=reasons
                )
            )
        else:
            headroom = None if available is None else available.headroom
            candidates.append(scored(route, standing, headroom, target))
    return Decision(
        request=request,
        decided_at=now,
        ranked=ranked(
            candidates,
            message_ref=request.message_ref,
            traffic_class=request.traffic_class,
            policy=policy,
        ),
        rejected=(*sifted.rejected, *fallen) if fallen else sifted.rejected,
        retry_after=_retry_after(fallen, availability),
    )


_DOWN = Availability(bound=False)


def _standing(route: Route, request: RoutingRequest, evidence: Evidence | None) -> Standing | None:
    if evidence is None or request.network is None:
        return None
    return evidence.standing(route.id, request.network.network, request.traffic_class)


Reasons = tuple[Reason, ...]


def _dynamic_reasons(standing: Standing | None, policy: Policy) -> Reasons:
    """What was observed: states that carry no customer traffic, evidence that is demanded."""
    if standing is None:
        return (_too_little(None),) if policy.require_evidence else ()
    reasons: Reasons = ()
    code = _CLOSED_STATES.get(standing.state)
    if code is not None:
        reasons = (
            Reason(
                code=code,
                fact="evidence.state",
                expected=f"{RouteState.ACTIVE} or {RouteState.WATCH}",
                actual=standing.state.value,
            ),
        )
    if policy.require_evidence and standing.low_confidence:
        reasons += (_too_little("too few observations"),)
    return reasons


_CLOSED_STATES = {
    RouteState.QUARANTINED: ReasonCode.QUARANTINED,
    RouteState.PROBATION: ReasonCode.ON_PROBATION,
}


def _too_little(actual: str | None) -> Reason:
    return Reason(
        code=ReasonCode.EVIDENCE_INSUFFICIENT,
        fact="evidence",
        expected="enough observations to judge the route",
        actual=actual,
    )


def _runtime_reasons(
    route: Route,
    request: RoutingRequest,
    available: Availability | None,
    left: float,
    policy: Policy,
) -> Reasons:
    """What is possible now, for this message, which has `left` seconds."""
    reasons: Reasons = ()
    if route.id in request.tried:
        reasons += (
            Reason(
                code=ReasonCode.ALREADY_TRIED,
                fact="request.tried",
                expected="not listed",
                actual=route.id,
            ),
        )
    if left < policy.min_validity:
        reasons += (
            Reason(
                code=ReasonCode.VALIDITY_TOO_SHORT,
                fact="request.validity_s",
                expected=policy.min_validity,
                actual=left,
            ),
        )
    if available is None or available.is_open:
        return reasons
    return reasons + tuple(_availability_reasons(available))


def _availability_reasons(available: Availability) -> Iterator[Reason]:
    if not available.bound:
        yield Reason(
            code=ReasonCode.BIND_DOWN, fact="availability.bound", expected=True, actual=False
        )
    elif available.in_flight >= available.window:
        yield Reason(
            code=ReasonCode.WINDOW_FULL,
            fact="availability.in_flight",
            expected=f"below {available.window}",
            actual=available.in_flight,
        )
    if available.throttled_for > 0:
        yield Reason(
            code=ReasonCode.THROTTLED,
            fact="availability.throttled_for",
            expected=0,
            actual=available.throttled_for,
        )
    if available.circuit_open_for > 0:
        yield Reason(
            code=ReasonCode.CIRCUIT_OPEN,
            fact="availability.circuit_open_for",
            expected=0,
            actual=available.circuit_open_for,
        )


def _retry_after(
    fallen: list[CandidateRejection], availability: Mapping[str, Availability] | None
) -> float | None:
    """When the first route opens that only a known pause keeps shut."""
    if availability is None:
        return None
    waits = []
    for rejection in fallen:
        available = availability.get(rejection.route_id)
        if available is None or not set(rejection.codes) <= _PAUSES:
            continue
        waits.append(max(available.throttled_for, available.circuit_open_for))
    return min(waits, default=None)


_PAUSES = {ReasonCode.THROTTLED, ReasonCode.CIRCUIT_OPEN}
