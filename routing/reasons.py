"""The words of a refusal: why one route may not carry one message.

Every code is stable (it is stored, counted and shown for years) and has one sentence for people.
When a code is given is written elsewhere: in `gate.py` (static), in `decision.py` (dynamic, runtime).
"""

from enum import StrEnum

import attrs

Fact = str | int | float | bool | None
"""What a reason may cite: anything JSON can hold in one place; None is a fact nobody declared."""


class Stage(StrEnum):
    """How a candidate fell; the values are the words of `explain --json`."""

    STATIC = "static"
    """By what is declared: only a change of the route file or of the policy helps."""
    DYNAMIC = "dynamic"
    """By what was observed: the route is watched, and may come back by itself or by release."""
    RUNTIME = "runtime"
    """By how things are this second: eligible in principle, not now."""


class ReasonCode(StrEnum):
    """Why a route was left out.

    Each member knows its `stage`, its `meaning` (one sentence) and whether it is `passing`: true
    when waiting alone can make the reason disappear.
    """

    stage: Stage
    meaning: str
    passing: bool

    # The defaults are never used: they let type checkers accept the look-up `ReasonCode("...")`.
    def __new__(
        cls, code: str, stage: Stage = Stage.STATIC, meaning: str = "", passing: bool = False
    ) -> "ReasonCode":
        """Make a member from its row below."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.stage = stage
        member.meaning = meaning
        member.passing = passing
        return member

    NOT_ATTESTED = (
        "NOT_ATTESTED",
        Stage.STATIC,
        "Nobody has signed that this route is direct, or the signature bears no valid date.",
    )
    ATTESTATION_STALE = (
        "ATTESTATION_STALE",
        Stage.STATIC,
        "The attestation is older than the policy or the agreement allows.",
    )
    NOT_DIRECT = (
        "NOT_DIRECT",
        Stage.STATIC,
        "The interconnection is not of a kind that the policy counts as direct.",
    )
    HOPS_UNKNOWN = (
        "HOPS_UNKNOWN",
        Stage.STATIC,
        "Nobody has declared how many parties stand between the bind and the operator.",
    )
    HOPS_EXCEEDED = (
        "HOPS_EXCEEDED",
        Stage.STATIC,
        "More parties stand between the bind and the operator than the policy allows.",
    )
    INTERCONNECT_FORBIDDEN = (
        "INTERCONNECT_FORBIDDEN",
        Stage.STATIC,
        "The traffic would end over SIM cards, a leased global title or a person-to-person"
        " interconnection, which no policy can allow.",
    )
    AGREEMENT_MISSING = (
        "AGREEMENT_MISSING",
        Stage.STATIC,
        "There is no agreement, or it does not say from when until when it holds.",
    )
    AGREEMENT_NOT_YET_VALID = (
        "AGREEMENT_NOT_YET_VALID",
        Stage.STATIC,
        "The agreement begins after today.",
    )
    AGREEMENT_EXPIRED = (
        "AGREEMENT_EXPIRED",
        Stage.STATIC,
        "The agreement has ended, or ends before the validity of the message does.",
    )
    AGREEMENT_SUSPENDED = (
        "AGREEMENT_SUSPENDED",
        Stage.STATIC,
        "The agreement is suspended.",
    )
    AGREEMENT_COUNTERPARTY_MISMATCH = (
        "AGREEMENT_COUNTERPARTY_MISMATCH",
        Stage.STATIC,
        "The agreement is with another operator than the one the number belongs to.",
    )
    TRAFFIC_CLASS_NOT_ALLOWED = (
        "TRAFFIC_CLASS_NOT_ALLOWED",
        Stage.STATIC,
        "The route or its agreement does not allow this class of traffic.",
    )
    NETWORK_NOT_COVERED = (
        "NETWORK_NOT_COVERED",
        Stage.STATIC,
        "The route reaches the country of the number, but not its network.",
    )
    COUNTRY_NOT_COVERED = (
        "COUNTRY_NOT_COVERED",
        Stage.STATIC,
        "The route reaches no network in the country of the number.",
    )
    NETWORK_UNRESOLVED = (
        "NETWORK_UNRESOLVED",
        Stage.STATIC,
        "The network of the number is not known, or not known surely enough.",
    )
    MNP_STALE = (
        "MNP_STALE",
        Stage.STATIC,
        "What is known about the network of the number is older than it may be.",
    )
    SENDER_NOT_REGISTERED = (
        "SENDER_NOT_REGISTERED",
        Stage.STATIC,
        "The sender is not among those registered for the route.",
    )
    SENDER_KIND_NOT_ALLOWED = (
        "SENDER_KIND_NOT_ALLOWED",
        Stage.STATIC,
        "The route does not take senders of this kind (name, short code, long number).",
    )
    SENDER_NOT_PRESERVED = (
        "SENDER_NOT_PRESERVED",
        Stage.STATIC,
        "The route does not promise to deliver the sender unchanged.",
    )
    PRICE_BELOW_FLOOR = (
        "PRICE_BELOW_FLOOR",
        Stage.STATIC,
        "The price is lower than what the operator itself asks for termination.",
    )
    PRICE_UNKNOWN = (
        "PRICE_UNKNOWN",
        Stage.STATIC,
        "The price or the operator's floor is not declared, or does not hold yet.",
    )
    PRICE_EXPIRED = (
        "PRICE_EXPIRED",
        Stage.STATIC,
        "The declared price holds no longer.",
    )
    FOREIGN_ORIGIN = (
        "FOREIGN_ORIGIN",
        Stage.STATIC,
        "The policy demands that traffic enters in the country of the number; this route does not.",
    )
    PEER_IDENTITY_MISMATCH = (
        "PEER_IDENTITY_MISMATCH",
        Stage.STATIC,
        "The bind goes to a host that is not on the list pinned to the carrier.",
    )
    ADMIN_DISABLED = (
        "ADMIN_DISABLED",
        Stage.STATIC,
        "The route is switched off in its own declaration.",
    )
    ROUTE_BLOCKED = (
        "ROUTE_BLOCKED",
        Stage.STATIC,
        "The policy blocks the route.",
    )

    QUARANTINED = (
        "QUARANTINED",
        Stage.DYNAMIC,
        "The evidence says that the route is not what it claims to be.",
    )
    ON_PROBATION = (
        "ON_PROBATION",
        Stage.DYNAMIC,
        "The route was in quarantine and carries only probes until they have come out well.",
    )
    EVIDENCE_INSUFFICIENT = (
        "EVIDENCE_INSUFFICIENT",
        Stage.DYNAMIC,
        "The policy demands evidence, and too little has been seen of the route.",
    )

    BIND_DOWN = (
        "BIND_DOWN",
        Stage.RUNTIME,
        "The carrier has no bind that can submit.",
        True,
    )
    WINDOW_FULL = (
        "WINDOW_FULL",
        Stage.RUNTIME,
        "As many requests as the carrier allows are waiting for their response.",
        True,
    )
    THROTTLED = (
        "THROTTLED",
        Stage.RUNTIME,
        "The carrier has asked for a pause, or our own rate is spent.",
        True,
    )
    CIRCUIT_OPEN = (
        "CIRCUIT_OPEN",
        Stage.RUNTIME,
        "The carrier has failed repeatedly and is being left alone for a while.",
        True,
    )
    VALIDITY_TOO_SHORT = (
        "VALIDITY_TOO_SHORT",
        Stage.RUNTIME,
        "The message ends before it could be delivered.",
    )
    ALREADY_TRIED = (
        "ALREADY_TRIED",
        Stage.RUNTIME,
        "The route has already been tried for this message.",
    )


@attrs.frozen(kw_only=True)
class Reason:
    """One fact that speaks against one route."""

    code: ReasonCode
    fact: str
    """Key path of the fact inside the route, such as `agreement.valid_to`, or in the request."""
    expected: Fact
    actual: Fact
    """What was found; None when nobody declared it."""

    def __str__(self) -> str:
        found = "not declared" if self.actual is None else self.actual
        return f"{self.code} ({self.fact}: {found}; expected {self.expected})"

    def to_dict(self) -> dict[str, Fact]:
        """The reason as `explain --json` prints it."""
        return {
            "code": self.code.value,
            "fact": self.fact,
            "expected": self.expected,
            "actual": self.actual,
        }


@attrs.frozen(kw_only=True)
class CandidateRejection:
    """One configured route that may not carry the message, with all that speaks against it."""

    route_id: str
    carrier: str
    stage: Stage
    """The first gate that closed; a route refused there is not asked at the later ones."""
    reasons: tuple[Reason, ...]
    """Never empty; in the order of the tests."""

    @property
    def codes(self) -> tuple[ReasonCode, ...]:
        """The codes of the reasons, in order."""
        return tuple(reason.code for reason in self.reasons)

    @property
    def passing(self) -> bool:
        """True if waiting alone can lift every reason."""
        return all(reason.code.passing for reason in self.reasons)

    def __str__(self) -> str:
        return f"{self.route_id}: {', '.join(map(str, self.reasons))}"

    def to_dict(self) -> dict[str, object]:
        """The rejection as `explain --json` prints it."""
        return {
            "route_id": self.route_id,
            "carrier": self.carrier,
            "stage": self.stage.value,
            "reasons": [reason.to_dict() for reason in self.reasons],
        }
