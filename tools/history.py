"""What the ledger says of one message, in short: its ids, its error, where it stands.

`receipts` shows it, and `send` for messages that it could not wait for.
"""

import json

import attrs

from whiteroute.engine.ledger import MessageHistory
from whiteroute.engine.messages import Canonical, DeliveryState, MappedError, Outcome

from .redaction import redacted_number

_WRONG = frozenset({DeliveryState.FAILED, DeliveryState.EXPIRED, DeliveryState.REFUSED})


def message_ids(history: MessageHistory) -> tuple[str, ...]:
    """Give the carrier's ids, one a part, in order; empty strings for parts without one.

    None at all where nothing was ever tried.
    """
    return history.message_ids() if history.attempts else ()


def error_of(history: MessageHistory) -> MappedError | None:
    """Give the error that explains where the message stands, with its raw codes; None without one.

    The latest receipt or answer that bears the ledger's code. Where none does, the engine itself
    ended the message, and there are no raw codes.
    """
    code = history.message.error_code
    if not code and history.message.state not in _WRONG:
        return None
    told = [line.receipt.error for line in reversed(history.receipts)]
    told += [line.ended.error for line in reversed(history.attempts) if line.ended is not None]
    for error in told:
        # One part may have failed, and a later receipt of another have said that all is well.
        if error is not None and (error.canonical == code or (not code and error.is_error)):
            return error
    if not code:
        return None
    try:
        canonical = Canonical(code)
    except ValueError:  # from a ledger that a newer whiteroute wrote
        canonical = Canonical.UNKNOWN
    nature = canonical.nature
    decision = json.loads(history.message.decision or "{}")
    return MappedError(
        canonical=canonical,
        permanence=nature.permanence,
        scope=nature.scope,
        rule=decision.get("refused", {}).get("rule", "engine"),
    )


def outcome_of(history: MessageHistory) -> Outcome:
    """Give what came of a message by what the ledger holds."""
    message = history.message
    return Outcome(
        message_ref=message.message_ref,
        to=message.to,
        state=message.state,
        route=message.route,
        carrier=message.carrier,
        parts=message.part_count,
        message_ids=message_ids(history),
        error=error_of(history),
    )


def covered(history: MessageHistory) -> MessageHistory:
    """Cover a message's numbers for eyes, and leave its text and tags out."""
    message = attrs.evolve(
        history.message,
        to=redacted_number(history.message.to),
        sender=redacted_number(history.message.sender),
        text="",
        tags={},
    )
    return attrs.evolve(history, message=message)
