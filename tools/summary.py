"""The figures of a demonstration, counted from the ledger: what it does not hold did not happen."""

import json
from collections import Counter
from collections.abc import Iterable

import attrs

from whiteroute.engine.ledger import MessageHistory
from whiteroute.engine.messages import AttemptOutcome, Canonical, DeliveryState, ReceiptVerdict

from .history import error_of
from .output import raw_in_words

_ABOUT_THE_NUMBER = frozenset(
    {"COUNTRY_NOT_COVERED", "NETWORK_NOT_COVERED", "NETWORK_UNRESOLVED", "MNP_STALE"}
)
"""Reasons that say nothing of a route but that a number is not of its networks."""


@attrs.define(eq=False, kw_only=True)
class Figures:
    """What a run came to."""

    messages: int = 0
    known: int = 0
    """Of these, messages that the ledger knew already; they were not sent, nor counted any further."""
    accepted: int = 0
    refused_no_direct_route: int = 0
    refused_otherwise: int = 0
    delivered: int = 0
    failed: int = 0
    in_doubt: int = 0
    parts: int = 0
    """Accepted ones."""
    receipts: int = 0
    """Those that found their part."""
    tried_again: int = 0
    """Attempts that a carrier turned away for now."""
    receipt_errors: Counter[Canonical] = attrs.field(factory=Counter[Canonical])
    raw_errors: Counter[tuple[str, Canonical, str]] = attrs.field(
        factory=Counter[tuple[str, Canonical, str]]
    )
    """By carrier, code, and what the carrier really wrote."""
    routes: Counter[str] = attrs.field(factory=Counter[str])
    states: dict[str, Counter[DeliveryState]] = attrs.field(
        factory=dict[str, Counter[DeliveryState]]
    )
    """By route, of accepted messages."""
    rejections: dict[str, Counter[str]] = attrs.field(factory=dict[str, Counter[str]])
    """By route, why it was left out; each code by messages."""
    refusals: Counter[str] = attrs.field(factory=Counter[str])
    """Refused messages by network; those without a route by what was wrong."""

    def add(self, history: MessageHistory) -> None:
        """Count one message that was sent, or refused, in this run."""
        message = history.message
        accepted = [
            attempt
            for attempt in history.attempts
            if attempt.ended is not None and attempt.ended.outcome is AttemptOutcome.ACCEPTED
        ]
        self.parts += len(accepted)
        self.tried_again += sum(
            attempt.ended is not None and attempt.ended.retrying for attempt in history.attempts
        )
        self._reject(message.decision)
        if message.state is DeliveryState.IN_DOUBT:
            self.in_doubt += 1
        if not accepted:
            self._refuse(history)
            return
        self.accepted += 1
        self.routes[message.route] += 1
        self.states.setdefault(message.route, Counter())[message.state] += 1
        self.delivered += message.state is DeliveryState.DELIVERED
        self.failed += message.state in (DeliveryState.FAILED, DeliveryState.EXPIRED)
        for line in history.receipts:
            if line.verdict is not ReceiptVerdict.MATCHED:
                continue
            self.receipts += 1
            error = line.receipt.error
            if error is not None and error.is_error:
                self.receipt_errors[error.canonical] += 1
                self.raw_errors[line.receipt.carrier, error.canonical, raw_in_words(error)] += 1

    def _refuse(self, history: MessageHistory) -> None:
        message, error = history.message, error_of(history)
        if message.state is not DeliveryState.REFUSED:
            return
        if not message.route and error is not None and error.canonical is Canonical.NO_ROUTE:
            self.refused_no_direct_route += 1
            self.refusals[
                f"network {message.network}" if message.network else "unknown network"
            ] += 1
        else:
            self.refused_otherwise += 1
            self.refusals["no number" if error is None else error.canonical.value] += 1

    def _reject(self, decision: str) -> None:
        if not decision:
            return
        for rejection in json.loads(decision).get("rejected", ()):
            codes = {reason["code"] for reason in rejection["reasons"]} - _ABOUT_THE_NUMBER
            for code in codes:
                self.rejections.setdefault(rejection["route_id"], Counter())[code] += 1

    def to_dict(self, ledger: str) -> dict[str, object]:
        """Give the figures as `demo --json` prints them; the same for the same seed."""
        return {
            "messages": self.messages,
            "known": self.known,
            "accepted": self.accepted,
            "refused_no_direct_route": self.refused_no_direct_route,
            "refused_otherwise": self.refused_otherwise,
            "delivered": self.delivered,
            "failed": self.failed,
            "in_doubt": self.in_doubt,
            "parts": self.parts,
            "receipts": self.receipts,
            "receipt_errors": _in_order(self.receipt_errors.items()),
            "routes": _in_order(self.routes.items()),
            "rejected_routes": {
                route: sorted(codes) for route, codes in sorted(self.rejections.items())
            },
            "ledger": ledger,
        }


def _in_order(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {str(key): number for key, number in sorted(counts)}
