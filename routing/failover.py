"""After an attempt has ended (or not): may the message go to another direct route?

One table, which answers for every way an attempt can stand. The rule behind all rows: another
route only if it is certain that this one will not deliver; where it is not, only if the sender of
the message has asked for the risk of a duplicate.
"""

from enum import StrEnum

import attrs


class AttemptState(StrEnum):
    """How an attempt stands."""

    NOT_WRITTEN = "NOT_WRITTEN"
    """No octet was handed to the socket: bind down, window or pace refused, link lost."""
    REJECTED_ROUTE = "REJECTED_ROUTE"
    """Refused by a response: the route does not reach the number."""
    REJECTED_ACCOUNT = "REJECTED_ACCOUNT"
    """Refused by a response: credit, rights, or the sender is not registered there."""
    REJECTED_TEMPORARY = "REJECTED_TEMPORARY"
    """Refused by a response: the message centre cannot just now."""
    REJECTED_THROTTLED = "REJECTED_THROTTLED"
    """Refused by a response: too fast."""
    REJECTED_MESSAGE = "REJECTED_MESSAGE"
    """Refused by a response: the message itself (content, syntax, a number that is none)."""
    REJECTED_RECIPIENT = "REJECTED_RECIPIENT"
    """Refused by a response: the recipient (unknown, barred, not provisioned)."""
    REJECTED_AMBIGUOUS = "REJECTED_AMBIGUOUS"
    """Refused by a response whose status carriers use for several things."""
    NACKED = "NACKED"
    """A generic_nack with our sequence_number: not processed."""
    IN_DOUBT = "IN_DOUBT"
    """Written, no response: time-out, lost link, unbind, generic_nack of 0, our own crash."""
    ACCEPTED = "ACCEPTED"
    """Accepted, and its receipt is still to come."""
    FINAL_REFUSED = "FINAL_REFUSED"
    """A final receipt: REJECTD, or UNDELIV for a cause that lies before the recipient's network."""
    FINAL_RECIPIENT = "FINAL_RECIPIENT"
    """A final receipt: UNDELIV because of the recipient (barred, memory full, absent)."""
    FINAL_UNKNOWN_SUBSCRIBER = "FINAL_UNKNOWN_SUBSCRIBER"
    """A final receipt: UNDELIV, the network does not know the number."""
    FINAL_EXPIRED = "FINAL_EXPIRED"
    """A final receipt: EXPIRED."""
    UNDEFINED = "UNDEFINED"
    """UNKNOWN, ACCEPTD, ENROUTE, or no receipt at all."""
    DELETED = "DELETED"
    """A final receipt: DELETED."""
    DELIVERED = "DELIVERED"
    """A final receipt: DELIVRD."""


class Condition(StrEnum):
    """On what another route depends."""

    ALWAYS = "ALWAYS"
    NEVER = "NEVER"
    DUPLICATES_ALLOWED = "DUPLICATES_ALLOWED"
    """The message says `duplicate_policy="allow"`."""
    RETRY_BUDGET_SPENT = "RETRY_BUDGET_SPENT"
    """The same route has been retried as often as it may."""
    PROFILE_SAYS_SO = "PROFILE_SAYS_SO"
    """The carrier's profile says that this status is a certain refusal."""
    PROFILE_LISTS_ERROR_ONCE = "PROFILE_LISTS_ERROR_ONCE"
    """The carrier's profile lists the error under `receipt_failover`, and it is the first time."""
    NETWORK_CHANGED = "NETWORK_CHANGED"
    """The network came from a prefix, and a fresh portability look-up has named another."""
    CANCEL_ACKNOWLEDGED = "CANCEL_ACKNOWLEDGED"
    """The message was deleted by our own cancel_sm, and the carrier has acknowledged that."""


@attrs.frozen
class FailoverRule:
    """One row of the table."""

    condition: Condition
    because: str
    """One sentence for people."""


FAILOVER: dict[AttemptState, FailoverRule] = {
    AttemptState.NOT_WRITTEN: FailoverRule(
        Condition.ALWAYS, "Nothing was sent, so nothing was accepted."
    ),
    AttemptState.REJECTED_ROUTE: FailoverRule(
        Condition.ALWAYS, "Refused because of the route; another one may reach the number."
    ),
    AttemptState.REJECTED_ACCOUNT: FailoverRule(
        Condition.ALWAYS, "Refused because of our account there; another carrier has its own."
    ),
    AttemptState.REJECTED_TEMPORARY: FailoverRule(
        Condition.ALWAYS, "Refused for the moment, and certainly not accepted."
    ),
    AttemptState.REJECTED_THROTTLED: FailoverRule(
        Condition.RETRY_BUDGET_SPENT, "Too fast is cured by waiting, up to a limit."
    ),
    AttemptState.REJECTED_MESSAGE: FailoverRule(
        Condition.NEVER, "What is wrong with the message is wrong on every route."
    ),
    AttemptState.REJECTED_RECIPIENT: FailoverRule(
        Condition.NEVER, "The recipient is the same on every route."
    ),
    AttemptState.REJECTED_AMBIGUOUS: FailoverRule(
        Condition.PROFILE_SAYS_SO, "Carriers use this status for several things."
    ),
    AttemptState.NACKED: FailoverRule(
        Condition.ALWAYS, "The carrier has not processed the request; see why it could not."
    ),
    AttemptState.IN_DOUBT: FailoverRule(
        Condition.DUPLICATES_ALLOWED, "It may have been accepted, and nobody has said so."
    ),
    AttemptState.ACCEPTED: FailoverRule(
        Condition.DUPLICATES_ALLOWED, "The carrier owns it; a late receipt is no refusal."
    ),
    AttemptState.FINAL_REFUSED: FailoverRule(
        Condition.PROFILE_LISTS_ERROR_ONCE, "The carrier says that it will never deliver."
    ),
    AttemptState.FINAL_RECIPIENT: FailoverRule(
        Condition.NEVER, "It is the same handset on every route."
    ),
    AttemptState.FINAL_UNKNOWN_SUBSCRIBER: FailoverRule(
        Condition.NETWORK_CHANGED, "The number may have left the network its prefix names."
    ),
    AttemptState.FINAL_EXPIRED: FailoverRule(
        Condition.NEVER, "The last try may have reached the handset and its answer been lost."
    ),
    AttemptState.UNDEFINED: FailoverRule(
        Condition.NEVER, "Nothing final is known, so it may still arrive."
    ),
    AttemptState.DELETED: FailoverRule(
        Condition.CANCEL_ACKNOWLEDGED, "Only our own acknowledged cancellation is sure to hold."
    ),
    AttemptState.DELIVERED: FailoverRule(Condition.NEVER, "It has arrived."),
}
"""Every way an attempt can stand, and whether another direct route may follow."""

CERTAINLY_REFUSED = frozenset(
    outcome
    for outcome in AttemptState
    if outcome is AttemptState.NOT_WRITTEN
    or outcome is AttemptState.NACKED
    or outcome.startswith("REJECTED_")
)
"""Outcomes after which the carrier holds nothing of the message."""


@attrs.frozen(kw_only=True)
class FailoverVerdict:
    """Whether another direct route may be tried, and why."""

    allowed: bool
    condition: Condition
    because: str


def another_route_after(
    parts: tuple[AttemptState, ...], *, fulfilled: frozenset[Condition] = frozenset()
) -> FailoverVerdict:
    """Decide whether the whole message may go to another direct route.

    Whether one is left, and whether attempts and validity allow it, is for the caller.

    Args:
        parts: How the attempt stands for each part of the message; at least one.
        fulfilled: The conditions that hold for it.

    Returns:
        For one part, its row. For several, the first row that forbids it. If a part was accepted,
        is in doubt or final while there are others, only the same route may finish the message: a
        handset cannot join parts of two routes, and joins two copies of one to nonsense.
    """
    if len(parts) > 1 and not CERTAINLY_REFUSED.issuperset(parts):
        return FailoverVerdict(
            allowed=False,
            condition=Condition.NEVER,
            because="Parts are with the carrier already; the rest may only follow on its route.",
        )
    verdicts = [_verdict(FAILOVER[outcome], fulfilled) for outcome in parts]
    return next((verdict for verdict in verdicts if not verdict.allowed), verdicts[0])


def _verdict(rule: FailoverRule, fulfilled: frozenset[Condition]) -> FailoverVerdict:
    allowed = rule.condition is Condition.ALWAYS or rule.condition in fulfilled
    return FailoverVerdict(
        allowed=allowed and rule.condition is not Condition.NEVER,
        condition=rule.condition,
        because=rule.because,
    )
