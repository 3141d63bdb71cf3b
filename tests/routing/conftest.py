"""One route that passes every gate, one message for it, and the instant at which they meet."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from whiteroute.routing import (
    Agreement,
    AgreementKind,
    Interconnect,
    InterconnectKind,
    Network,
    NetworkInfo,
    NetworkSource,
    Price,
    Route,
    RoutingRequest,
    SenderKind,
    SenderPolicy,
    TrafficClass,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOVISTAR = Network("214", "07")


@pytest.fixture
def now() -> datetime:
    """A Sunday noon in UTC."""
    return NOW


@pytest.fixture
def make_agreement() -> Callable[..., Agreement]:
    """Make an agreement that holds all of 2026 and 2027, with some facts replaced."""

    def make(**changes: object) -> Agreement:
        facts: dict[str, object] = {
            "id": "A-1",
            "kind": AgreementKind.BILATERAL_A2P,
            "counterparty": MOVISTAR,
            "valid_from": date(2026, 1, 1),
            "valid_to": date(2027, 12, 31),
            "attested_by": "ops@example.com",
            "attested_at": date(2026, 11, 1),
        }
        return Agreement(**(facts | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_route(make_agreement: Callable[..., Agreement]) -> Callable[..., Route]:
    """Make a route that passes every gate, with some facts replaced."""

    def make(**changes: object) -> Route:
        facts: dict[str, object] = {
            "id": "acme-es",
            "carrier": "acme",
            "networks": frozenset({MOVISTAR}),
            "traffic_classes": frozenset({TrafficClass.OTP, TrafficClass.MARKETING}),
            "interconnect": Interconnect(kind=InterconnectKind.DIRECT_MNO, hops=0),
            "agreement": make_agreement(),
            "sender": SenderPolicy(
                kinds=frozenset({SenderKind.ALPHA, SenderKind.LONG}),
                preserved=True,
                registered=frozenset({"ACME", "+34600000001"}),
            ),
            "price": Price(amount=Decimal("0.030"), currency="EUR", floor=Decimal("0.020")),
        }
        return Route(**(facts | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_request() -> Callable[..., RoutingRequest]:
    """Make a message for that route, with some facts replaced."""

    def make(**changes: object) -> RoutingRequest:
        facts: dict[str, object] = {
            "message_ref": "m-1",
            "destination": "34600111222",
            "sender": "ACME",
            "traffic_class": "otp",
            "network": NetworkInfo(network=MOVISTAR, source=NetworkSource.PREFIX),
            "valid_until": NOW + timedelta(hours=24),
        }
        return RoutingRequest(**(facts | changes))  # type: ignore[arg-type]

    return make
