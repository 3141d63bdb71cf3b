"""The static gate: what must be declared, and true, before a route may carry a message at all.

One small function per fact; each returns the one reason that speaks against the route, or None.
All are asked about every route, so that a refusal names everything there is to mend at once.
No scores here and nothing observed: see `decision.py` for the gates behind this one.
"""

from collections.abc import Callable
from datetime import date, datetime

import attrs

from .networks import Network, NetworkInfo, NetworkSource
from .numbers import sender_kind
from .policy import FORBIDDEN_KINDS, OnUnresolved, Policy, listed
from .reasons import Fact, Reason, ReasonCode
from .route import Agreement, AgreementKind, Route, TrafficClass


@attrs.frozen(kw_only=True)
class Case:
    """What the gate is asked about: a kind of message on a day, not one message."""

    network: Network | None
    """None if the number could not be resolved; then nothing is said about coverage."""
    ported: bool | None
    traffic_class: str
    today: date
    """The day of the decision, in UTC."""
    until: date
    """The day on which the validity of the message ends, in UTC; the agreement must hold then."""
    policy: Policy
    operator: Network | None
    """The operator behind the network: its host if it is virtual, else the network itself."""


Verdict = Reason | None


def _reason(code: ReasonCode, fact: str, expected: object, actual: object) -> Reason:
    return Reason(code=code, fact=fact, expected=_plain(expected), actual=_plain(actual))


def _plain(value: object) -> Fact:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, frozenset):
        return listed(map(str, value)) or "none"
    return str(value)


# --- switches


def _enabled(route: Route, case: Case) -> Verdict:
    if route.enabled:
        return None
    return _reason(ReasonCode.ADMIN_DISABLED, "enabled", True, False)


def _not_blocked(route: Route, case: Case) -> Verdict:
    if route.id not in case.policy.blocked_routes:
        return None
    return _reason(ReasonCode.ROUTE_BLOCKED, "policy.blocked_routes", "not listed", route.id)


# --- interconnection


def _kind(route: Route, case: Case) -> Verdict:
    kind, allowed = route.interconnect.kind, case.policy.allowed_kinds
    if kind in FORBIDDEN_KINDS:
        code = ReasonCode.INTERCONNECT_FORBIDDEN
    elif kind not in allowed:
        code = ReasonCode.NOT_DIRECT
    else:
        return None
    return _reason(code, "interconnect.kind", allowed, kind)


def _not_person_to_person(route: Route, case: Case) -> Verdict:
    """Application traffic over what was interconnected for persons: the classic grey route."""
    if case.traffic_class == TrafficClass.P2P or route.traffic_classes != {TrafficClass.P2P}:
        return None
    code = ReasonCode.INTERCONNECT_FORBIDDEN
    return _reason(code, "traffic_classes", "more than p2p", route.traffic_classes)


def _hops(route: Route, case: Case) -> Verdict:
    hops, limit = route.interconnect.hops, case.policy.max_hops
    if hops is None:
        return _reason(ReasonCode.HOPS_UNKNOWN, "interconnect.hops", f"0 to {limit}", None)
    if hops > limit:
        return _reason(ReasonCode.HOPS_EXCEEDED, "interconnect.hops", limit, hops)
    letter = AgreementKind.OPERATOR_RESELLER_LETTER
    if hops > 0 and (route.agreement is None or route.agreement.kind is not letter):
        return _reason(ReasonCode.HOPS_EXCEEDED, "interconnect.hops", f"0, or {letter}", hops)
    return None


def _origin(route: Route, case: Case) -> Verdict:
    network, countries = case.network, route.peer.origin_countries
    if not case.policy.require_domestic_origin:
        return None
    if network is None or network not in route.networks:
        return None
    if countries is not None and network.mcc in countries:
        return None
    return _reason(ReasonCode.FOREIGN_ORIGIN, "peer.origin_countries", network.mcc, countries)


def _peer(route: Route, case: Case) -> Verdict:
    pinned, code = route.peer.pinned_hosts, ReasonCode.PEER_IDENTITY_MISMATCH
    if pinned is None:
        if case.policy.require_pinned_peer:
            return _reason(code, "peer.pinned_hosts", "at least one host", None)
        return None
    if route.peer.hosts and route.peer.hosts <= pinned:
        return None
    return _reason(code, "peer.hosts", pinned, route.peer.hosts)


# --- agreement; a route without one has one reason, not seven


def _agreement(route: Route, case: Case) -> Verdict:
    agreement, code = route.agreement, ReasonCode.AGREEMENT_MISSING
    if agreement is None:
        return _reason(code, "agreement", "an agreement", None)
    if agreement.valid_from is None:
        return _reason(code, "agreement.valid_from", "a day", None)
    if agreement.valid_to is None:
        return _reason(code, "agreement.valid_to", "a day", None)
    return None


def _agreement_window(route: Route, case: Case) -> Verdict:
    """The window must hold now and still at the end of the validity of the message."""
    agreement = route.agreement
    if agreement is None or agreement.valid_from is None or agreement.valid_to is None:
        return None
    if case.today < agreement.valid_from:
        code = ReasonCode.AGREEMENT_NOT_YET_VALID
        return _reason(
            code, "agreement.valid_from", f"{case.today} or before", agreement.valid_from
        )
    last = max(case.today, case.until)
    if last > agreement.valid_to:
        code = ReasonCode.AGREEMENT_EXPIRED
        return _reason(code, "agreement.valid_to", f"{last} or after", agreement.valid_to)
    return None


def _agreement_in_force(route: Route, case: Case) -> Verdict:
    if route.agreement is None or not route.agreement.suspended:
        return None
    return _reason(ReasonCode.AGREEMENT_SUSPENDED, "agreement.suspended", False, True)


def _counterparty(route: Route, case: Case) -> Verdict:
    agreement = route.agreement
    if agreement is None or case.network not in route.networks:
        return None  # what the route promises elsewhere is no news here
    if agreement.counterparty in (case.network, case.operator):
        return None
    code = ReasonCode.AGREEMENT_COUNTERPARTY_MISMATCH
    return _reason(code, "agreement.counterparty", case.operator, agreement.counterparty)


def _attestation(route: Route, case: Case) -> Verdict:
    agreement = route.agreement
    if agreement is None:
        return None
    if not agreement.attested_by:
        return _reason(ReasonCode.NOT_ATTESTED, "agreement.attested_by", "a person", None)
    at, field = agreement.attested_at, "agreement.attested_at"
    if at is None or at > case.today:
        return _reason(ReasonCode.NOT_ATTESTED, field, f"{case.today} or before", at)
    days = _attestation_days(agreement, case.policy)
    if (case.today - at).days > days:
        return _reason(ReasonCode.ATTESTATION_STALE, field, f"not {days} days ago or more", at)
    return None


def _attestation_days(agreement: Agreement, policy: Policy) -> int:
    own, general = agreement.max_attestation_age_days, policy.max_attestation_age_days
    return general if own is None else min(own, general)


# --- what the message is


def _traffic_class(route: Route, case: Case) -> Verdict:
    code = ReasonCode.TRAFFIC_CLASS_NOT_ALLOWED
    if case.traffic_class not in route.traffic_classes:
        return _reason(code, "traffic_classes", case.traffic_class, route.traffic_classes)
    agreed = None if route.agreement is None else route.agreement.traffic_classes
    if agreed is not None and case.traffic_class not in agreed:
        return _reason(code, "agreement.traffic_classes", case.traffic_class, agreed)
    return None


def _coverage(route: Route, case: Case) -> Verdict:
    network = case.network
    if network is None:
        return None
    if network not in route.networks:
        countries = frozenset(covered.mcc for covered in route.networks)
        if network.mcc not in countries:
            return _reason(ReasonCode.COUNTRY_NOT_COVERED, "networks", network.mcc, countries)
        return _reason(ReasonCode.NETWORK_NOT_COVERED, "networks", network, route.networks)
    if case.ported and not route.ported_in:
        return _reason(ReasonCode.NETWORK_NOT_COVERED, "ported_in", True, False)
    return None


# --- price


def _price_known(route: Route, case: Case) -> Verdict:
    price, code = route.price, ReasonCode.PRICE_UNKNOWN
    if price is None:
        return _reason(code, "price", "a price", None)
    if price.floor is None:
        return _reason(code, "price.floor", "the operator's rate", None)
    if price.effective_from is not None and price.effective_from > case.today:
        return _reason(
            code, "price.effective_from", f"{case.today} or before", price.effective_from
        )
    return None


def _price_in_force(route: Route, case: Case) -> Verdict:
    price = route.price
    if price is None or price.valid_to is None or price.valid_to >= case.today:
        return None
    return _reason(
        ReasonCode.PRICE_EXPIRED, "price.valid_to", f"{case.today} or after", price.valid_to
    )


def _price_above_floor(route: Route, case: Case) -> Verdict:
    price = route.price
    if price is None or price.floor is None:
        return None
    least = price.floor * (1 - case.policy.price_tolerance)
    if price.amount >= least:
        return None
    return _reason(ReasonCode.PRICE_BELOW_FLOOR, "price.amount", f"{least} or more", price.amount)


STATIC_TESTS: dict[Callable[[Route, Case], Verdict], tuple[ReasonCode, ...]] = {
    _enabled: (ReasonCode.ADMIN_DISABLED,),
    _not_blocked: (ReasonCode.ROUTE_BLOCKED,),
    _kind: (ReasonCode.NOT_DIRECT, ReasonCode.INTERCONNECT_FORBIDDEN),
    _not_person_to_person: (ReasonCode.INTERCONNECT_FORBIDDEN,),
    _hops: (ReasonCode.HOPS_UNKNOWN, ReasonCode.HOPS_EXCEEDED),
    _origin: (ReasonCode.FOREIGN_ORIGIN,),
    _peer: (ReasonCode.PEER_IDENTITY_MISMATCH,),
    _agreement: (ReasonCode.AGREEMENT_MISSING,),
    _agreement_window: (ReasonCode.AGREEMENT_NOT_YET_VALID, ReasonCode.AGREEMENT_EXPIRED),
    _agreement_in_force: (ReasonCode.AGREEMENT_SUSPENDED,),
    _counterparty: (ReasonCode.AGREEMENT_COUNTERPARTY_MISMATCH,),
    _attestation: (ReasonCode.NOT_ATTESTED, ReasonCode.ATTESTATION_STALE),
    _traffic_class: (ReasonCode.TRAFFIC_CLASS_NOT_ALLOWED,),
    _coverage: (ReasonCode.NETWORK_NOT_COVERED, ReasonCode.COUNTRY_NOT_COVERED),
    _price_known: (ReasonCode.PRICE_UNKNOWN,),
    _price_in_force: (ReasonCode.PRICE_EXPIRED,),
    _price_above_floor: (ReasonCode.PRICE_BELOW_FLOOR,),
}
"""Every test of a route and the codes it may give, in the order in which reasons are listed."""


def route_reasons(route: Route, case: Case) -> tuple[Reason, ...]:
    """All that the declared facts say against the route in this case; senders are asked apart."""
    verdicts = (test(route, case) for test in STATIC_TESTS)
    return tuple(verdict for verdict in verdicts if verdict is not None)


def sender_reasons(route: Route, sender: str, policy: Policy) -> tuple[Reason, ...]:
    """All that the sender policy of the route says against this sender.

    Apart from the other tests because senders are many and the rest of a case is not.
    """
    declared = route.sender
    if declared is None:
        return (_reason(ReasonCode.SENDER_NOT_REGISTERED, "sender", "a sender policy", None),)
    reasons = []
    kind = sender_kind(sender)
    if kind not in declared.kinds:
        reasons.append(
            _reason(ReasonCode.SENDER_KIND_NOT_ALLOWED, "sender.kinds", declared.kinds, kind)
        )
    if not declared.is_registered(sender):
        reasons.append(
            _reason(ReasonCode.SENDER_NOT_REGISTERED, "sender.registered", "registered", sender)
        )
    preserved = declared.preserved
    if preserved is None or (policy.require_sender_preserved and not preserved):
        reasons.append(
            _reason(ReasonCode.SENDER_NOT_PRESERVED, "sender.preserved", True, preserved)
        )
    return tuple(reasons)


def network_reasons(
    info: NetworkInfo | None, traffic_class: str, *, policy: Policy, now: datetime
) -> tuple[Reason, ...]:
    """All that speaks against what is known of the network; it holds for every route alike."""
    if info is None:
        return (_reason(ReasonCode.NETWORK_UNRESOLVED, "network", "a network", None),)
    if (
        info.ttl is None
        and policy.require_mnp is False
        and info.confidence >= policy.min_confidence
    ):
        return ()  # the common case of a plain numbering plan
    rule = policy.on_unresolved.get(traffic_class, OnUnresolved.REJECT)
    reasons = (_surely_resolved(info, rule, policy), _fresh(info, rule, policy, now))
    return tuple(reason for reason in reasons if reason is not None)


def _surely_resolved(info: NetworkInfo, rule: OnUnresolved, policy: Policy) -> Verdict:
    code = ReasonCode.NETWORK_UNRESOLVED
    if info.source is NetworkSource.PREFIX:
        if rule is OnUnresolved.USE_PREFIX:
            return None
        portable = policy.portable_countries
        if policy.require_mnp and (portable is None or info.network.mcc in portable):
            return _reason(code, "network.source", "a portability look-up", info.source)
    if info.confidence < policy.min_confidence:
        expected = f"{policy.min_confidence.name} or better"
        return _reason(code, "network.confidence", expected, info.confidence.name)
    return None


def _fresh(info: NetworkInfo, rule: OnUnresolved, policy: Policy, now: datetime) -> Verdict:
    if info.ttl is None:
        return None
    limit, age = info.ttl, info.age(now)
    if rule is OnUnresolved.USE_STALE:
        limit = max(limit, policy.stale_max_age)
    if age is not None and age <= limit:
        return None
    return _reason(ReasonCode.MNP_STALE, "network.age_s", f"at most {limit:g}", age)
