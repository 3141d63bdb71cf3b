"""A route and everything that is declared about it: the facts on which it is judged.

Facts are declared by somebody who answers for them, never inferred. One that nobody declared is
None here and a reason to refuse in `gate.py`. Carriers are known by name only.
"""

import re
from datetime import date
from decimal import Decimal
from enum import StrEnum

import attrs

from .errors import RoutingFactError
from .networks import Network
from .numbers import SenderKind, sender_kind


class TrafficClass(StrEnum):
    """What kind of traffic a message is; agreements are made for some of them."""

    OTP = "otp"
    TRANSACTIONAL = "transactional"
    MARKETING = "marketing"
    P2P = "p2p"
    """Between persons; everything else is A2P, sent by an application."""


class InterconnectKind(StrEnum):
    """What stands between the bind and the operator that serves the number."""

    DIRECT_MNO = "DIRECT_MNO"
    """The operator's own message centre."""
    DIRECT_MVNO_HOST = "DIRECT_MVNO_HOST"
    """The message centre of the operator on whose network the virtual operator lives."""
    OPERATOR_HUB_AA71 = "OPERATOR_HUB_AA71"
    """A hub under the GSMA's hubbing agreement."""
    AGGREGATOR = "AGGREGATOR"
    SIM = "SIM"
    """SIM cards in modems."""
    SS7_LEASED_GT = "SS7_LEASED_GT"
    """Signalling under an address rented from another operator."""
    UNKNOWN = "UNKNOWN"


class AgreementKind(StrEnum):
    """What was signed."""

    BILATERAL_A2P = "BILATERAL_A2P"
    """Messaging services agreement with the operator itself."""
    AA19 = "AA19"
    """GSMA interworking agreement between operators."""
    AA71 = "AA71"
    """GSMA hubbing agreement."""
    OPERATOR_RESELLER_LETTER = "OPERATOR_RESELLER_LETTER"
    """The operator's letter that names the other side as its reseller; allows one hop."""


@attrs.frozen(kw_only=True)
class Interconnect:
    """How the bind reaches the operator."""

    kind: InterconnectKind = InterconnectKind.UNKNOWN
    hops: int | None = None
    """Parties between the bind and the operator's message centre; 0 is the operator's own."""

    def __attrs_post_init__(self) -> None:
        if self.hops is not None and self.hops < 0:
            raise RoutingFactError("hops", self.hops, "0 or more")


@attrs.frozen(kw_only=True)
class Agreement:
    """What was signed with whom, until when, and who answers for saying so.

    Days are days in UTC and included.
    """

    id: str
    kind: AgreementKind
    counterparty: Network | None = None
    """The operator that signed, by its (main) network."""
    valid_from: date | None = None
    valid_to: date | None = None
    attested_by: str | None = None
    """The person who has seen the document and says that the route is direct."""
    attested_at: date | None = None
    max_attestation_age_days: int | None = None
    """Stricter than the policy's for this agreement. Default: None, the policy's."""
    evidence_ref: str | None = None
    """Where the document is, best as a hash of it; kept for audits."""
    traffic_classes: frozenset[TrafficClass] | None = None
    """Default: None, the agreement does not narrow what the route declares."""
    suspended: bool = False

    def __attrs_post_init__(self) -> None:
        _check_days("valid_from", self.valid_from, "valid_to", self.valid_to)
        if self.max_attestation_age_days is not None and self.max_attestation_age_days < 0:
            raise RoutingFactError(
                "max_attestation_age_days", self.max_attestation_age_days, "0 or more days"
            )


@attrs.frozen(kw_only=True)
class SenderPolicy:
    """Which senders the route takes, and what becomes of them."""

    kinds: frozenset[SenderKind]
    preserved: bool | None = None
    """Whether the handset shows the sender as submitted."""
    registered: frozenset[str] = frozenset()
    """Senders registered with the operator, exactly as submitted (a plus before a number aside)."""
    registered_patterns: tuple[str, ...] = ()
    """Regular expressions for whole senders; `.+` where none need be registered."""
    rewrite_rule: str | None = None
    """What the country prescribes to become of senders, in words; for people."""

    _exact: frozenset[str] = attrs.field(init=False, eq=False, repr=False)
    _patterns: tuple[re.Pattern[str], ...] = attrs.field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_exact", frozenset(map(_without_plus, self.registered)))
        object.__setattr__(self, "_patterns", _compiled(self.registered_patterns))

    def is_registered(self, sender: str) -> bool:
        """Whether the sender is registered, by name or by pattern; the empty one never is."""
        if not sender:
            return False
        if _without_plus(sender) in self._exact:
            return True
        return any(pattern.fullmatch(sender) for pattern in self._patterns)


def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    compiled = []
    for index, pattern in enumerate(patterns):
        try:
            compiled.append(re.compile(pattern))
        except (re.error, OverflowError) as error:
            where = f"registered_patterns[{index}]"
            raise RoutingFactError(where, pattern, f"a regular expression ({error})") from None
    return tuple(compiled)


def _without_plus(sender: str) -> str:
    return sender.removeprefix("+") if sender_kind(sender) is SenderKind.LONG else sender


@attrs.frozen(kw_only=True)
class Price:
    """What one part (one submit_sm) costs, and what the operator publishes as its own rate.

    A price under the operator's rate is the strongest sign of a grey route that can be read
    before anything is sent.
    """

    amount: Decimal
    currency: str
    """ISO 4217 letters, of both sums."""
    floor: Decimal | None = None
    """The operator's published rate; 0 where it publishes none, which is then a declared fact."""
    effective_from: date | None = None
    """Default: None, in force since ever."""
    valid_to: date | None = None
    """Last day. Default: None, until further notice."""

    def __attrs_post_init__(self) -> None:
        for name, sum_ in (("amount", self.amount), ("floor", self.floor)):
            if sum_ is not None and not (sum_.is_finite() and sum_ >= 0):
                raise RoutingFactError(name, str(sum_), "a sum of 0 or more")
        if not (len(self.currency) == 3 and self.currency.isalpha() and self.currency.isupper()):
            raise RoutingFactError("currency", self.currency, "three capital letters, such as EUR")
        _check_days("effective_from", self.effective_from, "valid_to", self.valid_to)


@attrs.frozen(kw_only=True)
class Peer:
    """Technical facts about the other end; all optional, a policy may demand some."""

    hosts: frozenset[str] = frozenset()
    """Host names or addresses that the carrier's binds are made to."""
    pinned_hosts: frozenset[str] | None = None
    """The hosts that the operator itself has named. Default: None, not declared."""
    origin_countries: frozenset[str] | None = None
    """MCCs of the countries in which the traffic enters the operator's network."""
    smsc_prefixes: frozenset[str] = frozenset()
    """How the message centre addresses begin that handsets may see; for probes."""
    network_in_receipt: bool = False
    """Whether the carrier's receipts name the network that delivered; for evidence."""


@attrs.frozen(kw_only=True)
class Route:
    """One way of reaching some networks through one carrier, with all that is declared about it."""

    id: str
    carrier: str
    networks: frozenset[Network]
    traffic_classes: frozenset[TrafficClass]
    interconnect: Interconnect = Interconnect()
    agreement: Agreement | None = None
    sender: SenderPolicy | None = None
    price: Price | None = None
    peer: Peer = Peer()
    ported_in: bool = True
    """Whether the route also takes numbers that were ported to its networks."""
    share: float = 1.0
    """Weight among routes that are otherwise equal, relative to theirs; above 0."""
    enabled: bool = True
    """The operator's switch."""

    def __attrs_post_init__(self) -> None:
        if not self.id:
            raise RoutingFactError("id", self.id, "a name")
        if not self.carrier:
            raise RoutingFactError("carrier", self.carrier, "the name of a carrier")
        if not self.networks:
            raise RoutingFactError("networks", "none", "at least one MCC-MNC")
        if not 0 < self.share < float("inf"):
            raise RoutingFactError("share", self.share, "a weight above 0")


def _check_days(first_name: str, first: date | None, last_name: str, last: date | None) -> None:
    if first is not None and last is not None and first > last:
        raise RoutingFactError(last_name, str(last), f"a day not before {first_name} ({first})")
