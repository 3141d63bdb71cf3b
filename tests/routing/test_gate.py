"""Every static reason rejects on its own, and all that apply are named together."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from whiteroute.routing import (
    Agreement,
    AgreementKind,
    Confidence,
    Decision,
    Interconnect,
    InterconnectKind,
    Network,
    NetworkInfo,
    NetworkSource,
    OnUnresolved,
    Peer,
    Policy,
    Price,
    Reason,
    ReasonCode,
    Route,
    RouteTable,
    RoutingRequest,
    SenderKind,
    SenderPolicy,
    Stage,
    TrafficClass,
    choose,
)
from whiteroute.routing.gate import STATIC_TESTS

MOVISTAR, ORANGE, O2_DE = Network("214", "07"), Network("214", "03"), Network("262", "03")
OTP = frozenset({TrafficClass.OTP})


@attrs.frozen(kw_only=True)
class Change:
    """What is different from the route, the message and the policy that pass."""

    code: ReasonCode
    fact: str
    route: dict[str, object] = attrs.Factory(dict)
    agreement: dict[str, object] = attrs.Factory(dict)
    request: dict[str, object] = attrs.Factory(dict)
    policy: Policy = attrs.Factory(Policy)


def price(**changes: object) -> Price:
    facts = {"amount": Decimal("0.030"), "currency": "EUR", "floor": Decimal("0.020")}
    return Price(**(facts | changes))  # type: ignore[arg-type]


def senders(**changes: object) -> SenderPolicy:
    facts = {
        "kinds": frozenset({SenderKind.ALPHA}),
        "preserved": True,
        "registered": frozenset({"ACME"}),
    }
    return SenderPolicy(**(facts | changes))  # type: ignore[arg-type]


def kind(kind: InterconnectKind) -> dict[str, object]:
    return {"interconnect": Interconnect(kind=kind, hops=0)}


def hops(hops: int | None) -> dict[str, object]:
    return {"interconnect": Interconnect(kind=InterconnectKind.DIRECT_MNO, hops=hops)}


def dipped(**changes: object) -> dict[str, object]:
    facts = {"network": MOVISTAR, "source": NetworkSource.MNP_DIP}
    return {"network": NetworkInfo(**(facts | changes))}  # type: ignore[arg-type]


LETTER = AgreementKind.OPERATOR_RESELLER_LETTER
ONE_HOP = Policy(max_hops=1)
PINNED = Policy(require_pinned_peer=True)
DOMESTIC = Policy(require_domestic_origin=True)
C = ReasonCode

ALONE = [
    Change(code=C.ADMIN_DISABLED, fact="enabled", route={"enabled": False}),
    Change(
        code=C.ROUTE_BLOCKED,
        fact="policy.blocked_routes",
        policy=Policy(blocked_routes=frozenset({"acme-es"})),
    ),
    Change(code=C.NOT_DIRECT, fact="interconnect.kind", route=kind(InterconnectKind.AGGREGATOR)),
    Change(code=C.NOT_DIRECT, fact="interconnect.kind", route=kind(InterconnectKind.UNKNOWN)),
    Change(
        code=C.NOT_DIRECT,
        fact="interconnect.kind",
        route=kind(InterconnectKind.DIRECT_MVNO_HOST),
        policy=Policy(allowed_kinds=frozenset({InterconnectKind.DIRECT_MNO})),
    ),
    Change(
        code=C.INTERCONNECT_FORBIDDEN, fact="interconnect.kind", route=kind(InterconnectKind.SIM)
    ),
    Change(
        code=C.INTERCONNECT_FORBIDDEN,
        fact="interconnect.kind",
        route=kind(InterconnectKind.SS7_LEASED_GT),
    ),
    Change(code=C.HOPS_UNKNOWN, fact="interconnect.hops", route=hops(None)),
    Change(code=C.HOPS_EXCEEDED, fact="interconnect.hops", route=hops(1)),
    Change(
        code=C.HOPS_EXCEEDED,
        fact="interconnect.hops",
        route=hops(1),
        agreement={"kind": LETTER},
    ),
    Change(code=C.HOPS_EXCEEDED, fact="interconnect.hops", route=hops(1), policy=ONE_HOP),
    Change(
        code=C.HOPS_EXCEEDED,
        fact="interconnect.hops",
        route=hops(2),
        agreement={"kind": LETTER},
        policy=ONE_HOP,
    ),
    Change(code=C.FOREIGN_ORIGIN, fact="peer.origin_countries", policy=DOMESTIC),
    Change(
        code=C.FOREIGN_ORIGIN,
        fact="peer.origin_countries",
        route={"peer": Peer(origin_countries=frozenset({"208"}))},
        policy=DOMESTIC,
    ),
    Change(code=C.PEER_IDENTITY_MISMATCH, fact="peer.pinned_hosts", policy=PINNED),
    Change(
        code=C.PEER_IDENTITY_MISMATCH,
        fact="peer.hosts",
        route={
            "peer": Peer(
                hosts=frozenset({"smpp.hub.example"}),
                pinned_hosts=frozenset({"smpp.acme.example"}),
            )
        },
    ),
    Change(
        code=C.PEER_IDENTITY_MISMATCH,
        fact="peer.hosts",
        route={"peer": Peer(pinned_hosts=frozenset({"smpp.acme.example"}))},
    ),
    Change(code=C.AGREEMENT_MISSING, fact="agreement", route={"agreement": None}),
    Change(code=C.AGREEMENT_MISSING, fact="agreement.valid_from", agreement={"valid_from": None}),
    Change(code=C.AGREEMENT_MISSING, fact="agreement.valid_to", agreement={"valid_to": None}),
    Change(
        code=C.AGREEMENT_NOT_YET_VALID,
        fact="agreement.valid_from",
        agreement={"valid_from": date(2026, 11, 23)},
    ),
    Change(
        code=C.AGREEMENT_EXPIRED,
        fact="agreement.valid_to",
        agreement={"valid_to": date(2026, 11, 21)},
    ),
    Change(
        # Holds today, but the message may be delivered until tomorrow noon.
        code=C.AGREEMENT_EXPIRED,
        fact="agreement.valid_to",
        agreement={"valid_to": date(2026, 11, 22)},
    ),
    Change(code=C.AGREEMENT_SUSPENDED, fact="agreement.suspended", agreement={"suspended": True}),
    Change(
        code=C.AGREEMENT_COUNTERPARTY_MISMATCH,
        fact="agreement.counterparty",
        agreement={"counterparty": ORANGE},
    ),
    Change(
        code=C.AGREEMENT_COUNTERPARTY_MISMATCH,
        fact="agreement.counterparty",
        agreement={"counterparty": None},
    ),
    Change(code=C.NOT_ATTESTED, fact="agreement.attested_by", agreement={"attested_by": None}),
    Change(code=C.NOT_ATTESTED, fact="agreement.attested_at", agreement={"attested_at": None}),
    Change(
        code=C.NOT_ATTESTED,
        fact="agreement.attested_at",
        agreement={"attested_at": date(2026, 11, 23)},
    ),
    Change(
        code=C.ATTESTATION_STALE,
        fact="agreement.attested_at",
        agreement={"attested_at": date(2026, 11, 22) - timedelta(days=181)},
    ),
    Change(
        code=C.ATTESTATION_STALE,
        fact="agreement.attested_at",
        agreement={"max_attestation_age_days": 20},
    ),
    Change(
        code=C.TRAFFIC_CLASS_NOT_ALLOWED,
        fact="traffic_classes",
        request={"traffic_class": "transactional"},
    ),
    Change(
        code=C.TRAFFIC_CLASS_NOT_ALLOWED,
        fact="agreement.traffic_classes",
        agreement={"traffic_classes": OTP},
        request={"traffic_class": "marketing"},
    ),
    Change(code=C.NETWORK_NOT_COVERED, fact="networks", route={"networks": frozenset({ORANGE})}),
    Change(
        code=C.NETWORK_NOT_COVERED,
        fact="ported_in",
        route={"ported_in": False},
        request=dipped(ported=True),
    ),
    Change(code=C.COUNTRY_NOT_COVERED, fact="networks", route={"networks": frozenset({O2_DE})}),
    Change(code=C.NETWORK_UNRESOLVED, fact="network", request={"network": None}),
    Change(code=C.NETWORK_UNRESOLVED, fact="network.source", policy=Policy(require_mnp=True)),
    Change(
        code=C.NETWORK_UNRESOLVED,
        fact="network.source",
        policy=Policy(require_mnp=True, portable_countries=frozenset({"214"})),
    ),
    Change(
        code=C.NETWORK_UNRESOLVED,
        fact="network.confidence",
        policy=Policy(min_confidence=Confidence.MEDIUM),
    ),
    Change(code=C.MNP_STALE, fact="network.age_s", request=dipped(ttl=86_400.0)),
    Change(code=C.PRICE_UNKNOWN, fact="price", route={"price": None}),
    Change(code=C.PRICE_UNKNOWN, fact="price.floor", route={"price": price(floor=None)}),
    Change(
        code=C.PRICE_UNKNOWN,
        fact="price.effective_from",
        route={"price": price(effective_from=date(2026, 11, 23))},
    ),
    Change(
        code=C.PRICE_EXPIRED,
        fact="price.valid_to",
        route={"price": price(valid_to=date(2026, 11, 21))},
    ),
    Change(
        code=C.PRICE_BELOW_FLOOR,
        fact="price.amount",
        route={"price": price(amount=Decimal("0.0199"))},
    ),
    Change(
        code=C.PRICE_BELOW_FLOOR,
        fact="price.amount",
        route={"price": price(amount=Decimal("0.0179"))},
        policy=Policy(price_tolerance=Decimal("0.1")),
    ),
    Change(code=C.SENDER_NOT_REGISTERED, fact="sender", route={"sender": None}),
    Change(code=C.SENDER_NOT_REGISTERED, fact="sender.registered", request={"sender": "Acme"}),
    Change(code=C.SENDER_NOT_REGISTERED, fact="sender.registered", request={"sender": ""}),
    Change(
        code=C.SENDER_KIND_NOT_ALLOWED,
        fact="sender.kinds",
        route={"sender": senders(kinds=frozenset({SenderKind.LONG}))},
    ),
    Change(
        code=C.SENDER_NOT_PRESERVED,
        fact="sender.preserved",
        route={"sender": senders(preserved=False)},
    ),
    Change(
        code=C.SENDER_NOT_PRESERVED,
        fact="sender.preserved",
        route={"sender": senders(preserved=None)},
        policy=Policy(require_sender_preserved=False),
    ),
]

PASSING = [
    Change(
        code=C.HOPS_EXCEEDED,
        fact="a letter and a policy allow one hop",
        route=hops(1),
        agreement={"kind": LETTER},
        policy=ONE_HOP,
    ),
    Change(
        code=C.FOREIGN_ORIGIN,
        fact="the origin is the country",
        route={"peer": Peer(origin_countries=frozenset({"214"}))},
        policy=DOMESTIC,
    ),
    Change(
        code=C.PEER_IDENTITY_MISMATCH,
        fact="the host is pinned",
        route={"peer": Peer(hosts=frozenset({"a"}), pinned_hosts=frozenset({"a", "b"}))},
        policy=PINNED,
    ),
    Change(
        code=C.ATTESTATION_STALE,
        fact="exactly as old as allowed",
        agreement={"attested_at": date(2026, 11, 22) - timedelta(days=180)},
    ),
    Change(
        code=C.ATTESTATION_STALE,
        fact="the agreement cannot loosen the policy",
        agreement={"max_attestation_age_days": 1000},
    ),
    Change(
        code=C.AGREEMENT_EXPIRED,
        fact="ends on the day the validity ends",
        agreement={"valid_to": date(2026, 11, 23)},
    ),
    Change(
        code=C.TRAFFIC_CLASS_NOT_ALLOWED,
        fact="the agreement names the class",
        agreement={"traffic_classes": OTP},
    ),
    Change(
        code=C.INTERCONNECT_FORBIDDEN,
        fact="persons over what is for persons",
        route={"traffic_classes": frozenset({TrafficClass.P2P})},
        request={"traffic_class": "p2p"},
    ),
    Change(code=C.NETWORK_NOT_COVERED, fact="ported in is welcome", request=dipped(ported=True)),
    Change(
        code=C.NETWORK_UNRESOLVED,
        fact="a dip is no prefix",
        request=dipped(),
        policy=Policy(require_mnp=True),
    ),
    Change(
        code=C.NETWORK_UNRESOLVED,
        fact="numbers are not portable there",
        policy=Policy(require_mnp=True, portable_countries=frozenset({"262"})),
    ),
    Change(
        code=C.NETWORK_UNRESOLVED,
        fact="the class makes do with a prefix",
        policy=Policy(
            require_mnp=True,
            min_confidence=Confidence.HIGH,
            on_unresolved={"otp": OnUnresolved.USE_PREFIX},
        ),
    ),
    Change(
        code=C.PRICE_BELOW_FLOOR,
        fact="within the tolerance",
        route={"price": price(amount=Decimal("0.018"))},
        policy=Policy(price_tolerance=Decimal("0.1")),
    ),
    Change(
        code=C.PRICE_UNKNOWN,
        fact="the operator publishes no rate",
        route={"price": price(floor=Decimal(0))},
    ),
    Change(
        code=C.PRICE_EXPIRED,
        fact="its last day",
        route={"price": price(effective_from=date(2026, 11, 22), valid_to=date(2026, 11, 22))},
    ),
    Change(
        code=C.SENDER_NOT_REGISTERED,
        fact="a number with or without plus",
        request={"sender": "34600000001"},
    ),
    Change(
        code=C.SENDER_NOT_REGISTERED,
        fact="a pattern",
        route={"sender": senders(registered_patterns=("X", "ACME-[0-9]+"))},
        request={"sender": "ACME-7"},
    ),
    Change(
        code=C.SENDER_NOT_PRESERVED,
        fact="the country rewrites anyway",
        route={"sender": senders(preserved=False)},
        policy=Policy(require_sender_preserved=False),
    ),
]


@pytest.fixture
def decide(
    make_agreement: Callable[..., Agreement],
    make_route: Callable[..., Route],
    make_request: Callable[..., RoutingRequest],
    now: datetime,
) -> Callable[[Change], Decision]:
    """Decide about the usual message, with one change."""

    def decide(change: Change) -> Decision:
        agreement = {"agreement": make_agreement(**change.agreement)} | change.route
        return choose(
            make_request(**change.request),
            RouteTable([make_route(**agreement)]),
            policy=change.policy,
            now=now,
        )

    return decide


@pytest.mark.parametrize("change", ALONE, ids=lambda change: f"{change.code}-{change.fact}")
def test_one_fact_alone_rejects(decide: Callable[[Change], Decision], change: Change) -> None:
    decision = decide(change)
    assert decision.chosen is None
    (rejection,) = decision.rejected
    assert rejection.stage is Stage.STATIC
    assert [(change.code, change.fact)] == [(r.code, r.fact) for r in rejection.reasons]


def test_every_static_code_rejects_alone_somewhere() -> None:
    static = {code for code in ReasonCode if code.stage is Stage.STATIC}
    assert static == {change.code for change in ALONE}


@pytest.mark.parametrize("change", PASSING, ids=lambda change: f"{change.code}-{change.fact}")
def test_what_is_just_allowed_passes(decide: Callable[[Change], Decision], change: Change) -> None:
    decision = decide(change)
    assert decision.rejected == ()
    assert decision.require().id == "acme-es"


def test_every_reason_is_named_at_once(
    make_agreement: Callable[..., Agreement],
    make_request: Callable[..., RoutingRequest],
    now: datetime,
) -> None:
    grey = Route(
        id="grey",
        carrier="cheap",
        networks=frozenset({MOVISTAR}),
        traffic_classes=frozenset({TrafficClass.P2P}),
        interconnect=Interconnect(kind=InterconnectKind.SIM),
        agreement=make_agreement(
            counterparty=ORANGE, attested_by=None, valid_to=date(2026, 6, 30), suspended=True
        ),
        sender=senders(preserved=False),
        price=price(amount=Decimal("0.001"), valid_to=date(2026, 6, 30)),
        enabled=False,
    )
    decision = choose(make_request(network=None, sender="777"), RouteTable([grey]), now=now)
    assert decision.rejected[0].codes == (
        C.NETWORK_UNRESOLVED,
        C.ADMIN_DISABLED,
        C.INTERCONNECT_FORBIDDEN,
        C.INTERCONNECT_FORBIDDEN,
        C.HOPS_UNKNOWN,
        C.AGREEMENT_EXPIRED,
        C.AGREEMENT_SUSPENDED,
        C.NOT_ATTESTED,
        C.TRAFFIC_CLASS_NOT_ALLOWED,
        C.PRICE_EXPIRED,
        C.PRICE_BELOW_FLOOR,
        C.SENDER_KIND_NOT_ALLOWED,
        C.SENDER_NOT_REGISTERED,
        C.SENDER_NOT_PRESERVED,
    )


def test_a_reason_names_the_fact_what_was_expected_and_what_was_found(
    decide: Callable[[Change], Decision],
) -> None:
    change = Change(code=C.AGREEMENT_EXPIRED, fact="", agreement={"valid_to": date(2026, 11, 22)})
    (reason,) = decide(change).rejected[0].reasons
    assert reason == Reason(
        code=C.AGREEMENT_EXPIRED,
        fact="agreement.valid_to",
        expected="2026-11-23 or after",
        actual="2026-11-22",
    )
    assert str(reason) == (
        "AGREEMENT_EXPIRED (agreement.valid_to: 2026-11-22; expected 2026-11-23 or after)"
    )


def test_application_traffic_over_a_route_for_persons_is_forbidden_and_of_the_wrong_class(
    decide: Callable[[Change], Decision],
) -> None:
    change = Change(
        code=C.INTERCONNECT_FORBIDDEN,
        fact="",
        route={"traffic_classes": frozenset({TrafficClass.P2P})},
    )
    codes = decide(change).rejected[0].codes
    assert codes == (C.INTERCONNECT_FORBIDDEN, C.TRAFFIC_CLASS_NOT_ALLOWED)


@pytest.mark.parametrize("policy", [PINNED, DOMESTIC])
def test_a_network_elsewhere_is_not_also_blamed_for_facts_about_its_own_country(
    decide: Callable[[Change], Decision], policy: Policy
) -> None:
    change = Change(
        code=C.COUNTRY_NOT_COVERED,
        fact="",
        route={
            "networks": frozenset({O2_DE}),
            "peer": Peer(hosts=frozenset({"a"}), pinned_hosts=frozenset({"a"})),
        },
        policy=policy,
    )
    assert decide(change).rejected[0].codes == (C.COUNTRY_NOT_COVERED,)


@pytest.mark.parametrize(
    ("age", "rule", "stale"),
    [
        (86_400, OnUnresolved.REJECT, False),
        (86_401, OnUnresolved.REJECT, True),
        (86_401, OnUnresolved.USE_STALE, False),
        (7 * 86_400, OnUnresolved.USE_STALE, False),
        (7 * 86_400 + 1, OnUnresolved.USE_STALE, True),
        (86_401, OnUnresolved.USE_PREFIX, True),
    ],
)
def test_a_portability_answer_counts_until_its_time_is_over(
    decide: Callable[[Change], Decision],
    now: datetime,
    age: int,
    rule: OnUnresolved,
    stale: bool,
) -> None:
    change = Change(
        code=C.MNP_STALE,
        fact="",
        request=dipped(obtained_at=now - timedelta(seconds=age), ttl=86_400.0),
        policy=Policy(on_unresolved={"otp": rule}),
    )
    codes = [code for rejection in decide(change).rejected for code in rejection.codes]
    assert codes == ([C.MNP_STALE] if stale else [])


def test_a_virtual_operator_rides_on_the_agreement_of_its_host(
    make_route: Callable[..., Route], make_request: Callable[..., RoutingRequest], now: datetime
) -> None:
    digi = Network("214", "22")
    route = make_route(
        networks=frozenset({digi}),
        interconnect=Interconnect(kind=InterconnectKind.DIRECT_MVNO_HOST, hops=0),
    )
    request = make_request(network=NetworkInfo(network=digi, source=NetworkSource.PREFIX))
    alone = choose(request, RouteTable([route]), now=now)
    hosted = choose(request, RouteTable([route], hosts={digi: MOVISTAR}), now=now)
    assert alone.rejected[0].codes == (C.AGREEMENT_COUNTERPARTY_MISMATCH,)
    assert hosted.require() is route


def test_the_table_of_tests_promises_every_code_it_can_give() -> None:
    promised = {code for codes in STATIC_TESTS.values() for code in codes}
    apart = {
        C.NETWORK_UNRESOLVED,
        C.MNP_STALE,
        C.SENDER_KIND_NOT_ALLOWED,
        C.SENDER_NOT_REGISTERED,
        C.SENDER_NOT_PRESERVED,
    }
    assert promised | apart == {code for code in ReasonCode if code.stage is Stage.STATIC}


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_code_explains_itself_in_one_sentence(code: ReasonCode) -> None:
    assert ReasonCode(code.value) is code
    assert code.value == code.name
    assert code.meaning.endswith(".")
    assert code.meaning.count(". ") == 0
    assert code.passing <= (code.stage is Stage.RUNTIME)
