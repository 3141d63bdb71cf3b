"""The story of one message, from being taken to its last receipt, as JSON and as lines for eyes.

Everything comes from the ledger; nothing is worked out that the ledger does not say.
"""

import json
from collections.abc import Iterator

from whiteroute.engine.ledger import AttemptRecord, MessageHistory, ReceiptRecord
from whiteroute.engine.messages import ReceiptVerdict
from whiteroute.pdu import status_meaning, status_name

from .history import error_of, message_ids
from .output import error_record, instant, meaning, raw_in_words

_VERDICTS = {
    ReceiptVerdict.REPEATED: "again, in other words",
    ReceiptVerdict.CONFLICTING: "contradicts an earlier one, which stands",
    ReceiptVerdict.DUPLICATE_SUSPECTED: "for an attempt that was given up: sent twice?",
}


def message_record(history: MessageHistory, *, whole: bool = False) -> dict[str, object]:
    """Give a message as `receipts --json` prints it.

    Args:
        history: What the ledger holds.
        whole: Its text, the decision, every attempt and every receipt, too.
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


def story(history: MessageHistory) -> Iterator[str]:
    """Tell a message's story, a line for each thing that happened, in the order of time."""
    message = history.message
    yield f"{message.message_ref}  {message.state.value}  (times in UTC, {instant(message.taken_at)[:4]})"
    yield f"  from {message.sender} to {message.to}, {message.traffic_class}"
    yield f"  {message.text!r}"
    if message.tags:
        yield "  " + ", ".join(f"{name} {value}" for name, value in message.tags.items())
    yield ""
    happened: list[tuple[int, int, str]] = [(message.taken_at, 0, _taken(history))]
    for attempt in history.attempts:
        happened += _attempted(attempt)
    happened += [
        (line.receipt.received_at, 3, _received(line, history)) for line in history.receipts
    ]
    for at, _, words in sorted(happened, key=lambda each: each[:2]):
        first, *more = words.splitlines()
        yield f"  {_moment(at)}  +{(at - message.taken_at) / 1e6:.3f} s  {first}"
        yield from (f"{'':<22}{line}" for line in more)
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
    return f"taken, {where}; route {message.route} chosen{parts}"


def _attempted(attempt: AttemptRecord) -> Iterator[tuple[int, int, str]]:
    started, ended = attempt.started, attempt.ended
    name = f"part {started.part}, attempt {started.attempt}"
    yield started.started_at, 1, f"{name}: to be sent to {started.carrier}"
    if ended is None:
        yield started.started_at, 2, f"{name}: {attempt.state.value}, nobody knows what came of it"
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


def _received(line: ReceiptRecord, history: MessageHistory) -> str:
    receipt = line.receipt
    words = f"part {line.part}: receipt {receipt.message_id} {receipt.stat}".rstrip()
    error = receipt.error
    if line.verdict in _VERDICTS:
        words += f", {_VERDICTS[line.verdict]}"
    elif line.before_response:
        words += ", ahead of the response"
    elif (latency := _latency(line, history)) is not None:
        words += f", {latency:.3f} s after it was accepted"
    if error is not None and error.is_error:
        words += f"\n{error.canonical.value}: {meaning(error)}"
        words += f"\n{raw_in_words(error)}, by {error.rule}"
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
