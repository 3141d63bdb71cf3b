"""The story of one message, from being taken to its last receipt, as JSON and as lines for eyes.

Everything comes from the ledger; nothing is worked out that the ledger does not say.
"""

import json
from collections.abc import Iterator, Sequence

from whiteroute.engine.ledger import (
    AttemptRecord,
    LedgerReader,
    MessageHistory,
    ReceiptRecord,
    Selection,
)
from whiteroute.engine.messages import (
    DeliveryState,
    Doubt,
    InboundRecord,
    ReceiptVerdict,
    find_adopter,
)
from whiteroute.pdu import status_meaning, status_name

from .history import error_of, message_ids
from .ledger_lists import inbound_record
from .output import error_record, instant, meaning, raw_in_words

_VERDICTS = {
    ReceiptVerdict.REPEATED: "again, in other words",
    ReceiptVerdict.CONFLICTING: "contradicts an earlier one, which stands",
    ReceiptVerdict.DUPLICATE_SUSPECTED: "for an attempt that was given up: sent twice?",
}


STORY_INDENT = 22
"""Columns ahead of what is told beneath a happening."""
_CLOSED = {
    DeliveryState.OVERDUE: "its receipt should have come by now",
    DeliveryState.EXPIRED: "its validity is over",
    DeliveryState.CANCELLED: "withdrawn",
    DeliveryState.REFUSED: "not sent any more",
    DeliveryState.IN_DOUBT: "nothing more is expected of it",
}
"""What the engine may end a message as, or its waiting."""
_WITHOUT_NEWS = frozenset(
    {
        DeliveryState.SENT,
        DeliveryState.ACCEPTED,
        DeliveryState.IN_DOUBT,
        DeliveryState.OVERDUE,
    }
)
"""Where a message stands whose receipt has not come, or was not known for its own."""
_LONGEST_WAIT = 3 * 86_400_000_000
"""Microseconds; operators try again for up to three days."""


def possible_receipts(reader: LedgerReader, history: MessageHistory) -> tuple[ReceiptRecord, ...]:
    """Find receipts that belong to nobody and may speak of a message whose own has not come.

    By number, sender and time, as `find_adopter` has it. They are shown, and nothing follows from it.
    """
    if history.message.state not in _WITHOUT_NEWS:
        return ()
    message = history.message
    attempts = [line for line in history.attempts if line.state in _WITHOUT_NEWS]
    found: dict[int, ReceiptRecord] = {}
    for attempt in attempts:
        started = attempt.started
        doubt = Doubt(
            message_ref=message.message_ref,
            part=started.part,
            attempt=started.attempt,
            carrier=started.carrier,
            route=started.route,
            started_at=started.started_at,
            to=message.to,
            sender=message.sender,
        )
        for verdict in (ReceiptVerdict.PARKED, ReceiptVerdict.ORPHANED):
            selection = Selection(
                carrier=started.carrier,
                verdict=verdict,
                since_at=started.started_at,
                until_at=started.started_at + _LONGEST_WAIT,
            )
            for line in reader.receipts(selection):
                if find_adopter(line.receipt, [doubt]) is not None:
                    found[line.number] = line
    return tuple(found[number] for number in sorted(found))


def message_record(
    history: MessageHistory,
    *,
    whole: bool = False,
    replies: Sequence[InboundRecord] = (),
    orphans: Sequence[ReceiptRecord] = (),
) -> dict[str, object]:
    """Give a message as `receipts --json` prints it.

    Args:
        history: What the ledger holds.
        whole: Its text, the decision, every attempt, every receipt and what follows, too.
        replies: What handsets answered to it.
        orphans: Receipts of nobody that may be its own.
    """
    message = history.message
    record: dict[str, object] = {
        "message_ref": message.message_ref,
        "taken_at": instant(message.taken_at),
        "to": message.to,
        "sender": message.sender,
        "traffic_class": message.traffic_class,
        "tags": dict(message.tags),
        "network": message.network or None,
        "state": message.state.value,
        "changed_at": instant(message.changed_at),
        "route": message.route or None,
        "carrier": message.carrier or None,
        "parts": message.part_count,
        "part_states": [state.value for state in history.part_states()],
        "message_ids": list(message_ids(history)),
        "error": error_record(error_of(history)),
    }
    if whole:
        decision = json.loads(message.decision) if message.decision else None
        record |= {
            "text": message.text,
            "decision": decision,
            "attempts": [_attempt_record(attempt) for attempt in history.attempts],
            "receipts": [_receipt_record(receipt) for receipt in history.receipts],
            "replies": [inbound_record(reply) for reply in replies],
            "possible_receipts": [_receipt_record(orphan) for orphan in orphans],
        }
    return record


def _attempt_record(attempt: AttemptRecord) -> dict[str, object]:
    started, ended = attempt.started, attempt.ended
    return {
        "part": started.part,
        "attempt": started.attempt,
        "carrier": started.carrier,
        "route": started.route,
        "started_at": instant(started.started_at),
        "state": attempt.state.value,
        "ended_at": None if ended is None else instant(ended.ended_at),
        "outcome": None if ended is None else ended.outcome.value,
        "message_id": None if ended is None else ended.message_id or None,
        "adopted": ended is not None and ended.adopted,
        "error": None if ended is None else error_record(ended.error),
    }


def _receipt_record(line: ReceiptRecord) -> dict[str, object]:
    receipt = line.receipt
    return {
        "received_at": instant(receipt.received_at),
        "part": line.part,
        "attempt": line.attempt,
        "verdict": line.verdict.value,
        "carrier": receipt.carrier,
        "link": receipt.link,
        "message_id": receipt.message_id,
        "stat": receipt.stat,
        "err": receipt.err,
        "network_error_code": receipt.network_error_code.hex(),
        "done_date": None if receipt.done_date_at is None else instant(receipt.done_date_at),
        "before_response": line.before_response,
        "error": error_record(receipt.error),
        "octets": receipt.octets.hex(),
    }


def story(
    history: MessageHistory,
    replies: Sequence[InboundRecord] = (),
    orphans: Sequence[ReceiptRecord] = (),
) -> Iterator[str]:
    """Tell a message's story, a line for each thing that happened, in the order of time.

    Args:
        history: What the ledger holds of it.
        replies: What handsets answered to it.
        orphans: Receipts of nobody that may be its own.
    """
    message = history.message
    yield f"{message.message_ref}  {message.state.value}  (times in UTC, {instant(message.taken_at)[:4]})"
    yield f"  from {message.sender} to {message.to}, {message.traffic_class}"
    if message.text:
        yield f"  {message.text!r}"
    if message.tags:
        yield "  " + ", ".join(f"{name} {value}" for name, value in message.tags.items())
    yield ""
    happened: list[tuple[int, int, str]] = [(message.taken_at, 0, _taken(history))]
    route = ""
    for attempt in history.attempts:
        started = attempt.started
        if route and started.route != route:
            words = f"goes another way: route {started.route} of {started.carrier}"
            happened.append((started.started_at, 0, words))
        route = started.route
        happened += _attempted(attempt)
    happened += [
        (line.receipt.received_at, 3, _received(line, history)) for line in history.receipts
    ]
    happened += [(line.receipt.received_at, 3, _orphaned(line)) for line in orphans]
    happened += [(reply.received_at, 4, _replied(reply)) for reply in replies]
    if (closing := _closed(history)) is not None:
        happened.append(closing)
    for at, _, words in sorted(happened, key=lambda each: each[:2]):
        first, *more = words.splitlines()
        yield f"  {_moment(at)}  +{(at - message.taken_at) / 1e6:.3f} s  {first}"
        yield from (f"{'':<{STORY_INDENT}}{line}" for line in more)
    yield from _refusals(history)


def _moment(at: int) -> str:
    return instant(at)[5:23].replace("T", " ")


def _taken(history: MessageHistory) -> str:
    message = history.message
    where = f"network {message.network}" if message.network else "of no known network"
    if not message.route:
        error = error_of(history)
        if error is None:
            return f"taken, {where}; refused"
        rule = "" if error.rule == "routing" else f"\n{error.rule}"
        return f"taken, {where}; refused\n{error.canonical.value}: {meaning(error)}{rule}"
    parts = f" in {message.part_count} parts" if message.part_count > 1 else ""
    # What the message names is the latest attempt's, after a failover another one than the first.
    route = history.attempts[0].started.route if history.attempts else message.route
    return f"taken, {where}; route {route} chosen{parts}"


def _attempted(attempt: AttemptRecord) -> Iterator[tuple[int, int, str]]:
    started, ended = attempt.started, attempt.ended
    name = f"part {started.part}, attempt {started.attempt}"
    yield started.started_at, 1, f"{name}: to be sent to {started.carrier}"
    if ended is None:
        yield started.started_at, 2, f"{name}: {attempt.state.value}, nobody knows what came of it"
        return
    if ended.adopted:
        yield (
            ended.ended_at,
            2,
            f"{name}: adopted: no answer came, but receipt {ended.message_id} of nobody fits it alone",
        )
        return
    words = f"{name}: {ended.outcome.value}"
    if ended.message_id:
        words += f", message_id {ended.message_id}"
    words += f", after {(ended.ended_at - started.started_at) / 1e6:.3f} s"
    if ended.retrying:
        words += ", to be tried again"
    if ended.command_status:
        words += f"\n{status_name(ended.command_status)}: {status_meaning(ended.command_status)}"
    yield ended.ended_at, 2, words


def _orphaned(line: ReceiptRecord) -> str:
    receipt = line.receipt
    return f"receipt {receipt.message_id} {receipt.stat} of nobody".replace("  ", " ") + (
        f"\n{line.verdict.value}: number, sender and time fit this message"
    )


def _replied(reply: InboundRecord) -> str:
    missing = ", segments are missing" if reply.missing else ""
    text = f": {reply.text!r}" if reply.text else ""
    return f"answered by {reply.source_addr}{text}{missing}"


def _closed(history: MessageHistory) -> tuple[int, int, str] | None:
    """Tell what the engine itself made of a message, where nothing else happened at that moment."""
    message = history.message
    told = {line.receipt.received_at for line in history.receipts}
    told |= {line.ended.ended_at for line in history.attempts if line.ended is not None}
    if message.state not in _CLOSED or message.changed_at in told | {message.taken_at}:
        return None
    return message.changed_at, 5, f"{message.state.value}: {_CLOSED[message.state]}"


def _received(line: ReceiptRecord, history: MessageHistory) -> str:
    receipt = line.receipt
    words = f"part {line.part}: receipt {receipt.message_id} {receipt.stat}".rstrip()
    error = receipt.error
    if line.verdict in _VERDICTS:
        words += f", {_VERDICTS[line.verdict]}"
    elif line.before_response:
        adopted = any(
            attempt.ended is not None and attempt.ended.adopted
            for attempt in history.attempts
            if (attempt.started.part, attempt.started.attempt) == (line.part, line.attempt)
        )
        words += ", of nobody at first" if adopted else ", ahead of the response"
    elif (latency := _latency(line, history)) is not None:
        words += f", {latency:.3f} s after it was accepted"
    if error is not None and error.is_error:
        words += f"\n{error.canonical.value}: {meaning(error)}"
        by = "in no table" if error.rule == "unmapped" else f"by {error.rule}"
        words += f"\n{raw_in_words(error)}, {by}"
    return words


def _latency(line: ReceiptRecord, history: MessageHistory) -> float | None:
    for attempt in history.attempts:
        started, ended = attempt.started, attempt.ended
        if (started.part, started.attempt) == (line.part, line.attempt) and ended is not None:
            return (line.receipt.received_at - ended.ended_at) / 1e6
    return None


def _refusals(history: MessageHistory) -> Iterator[str]:
    """Tell why no route was taken, for a message that none could take."""
    if history.message.route or not history.message.decision:
        return
    rejected = json.loads(history.message.decision).get("rejected", [])
    if rejected:
        yield ""
        yield "  No direct route:"
    for rejection in rejected:
        for reason in rejection["reasons"]:
            found = "not declared" if reason["actual"] is None else reason["actual"]
            yield (
                f"    {rejection['route_id']}: {reason['code']}"
                f" ({reason['fact']}: {found}, expected {reason['expected']})"
            )
