"""What a ledger teaches about a carrier's message ids: a proposal for its profile, and the evidence.

It is printed as lines for a TOML, and never applied: a person has to want it.
"""

import json
from collections.abc import Iterator

from whiteroute.engine.ledger import LedgerReader
from whiteroute.engine.messages import IdCandidate, IdExample, IdLesson, learn_message_ids

from .output import count

RECEIPTS = 5_000
"""How many of the newest receipts of each kind are looked at; ten times as many responses."""
_SHOWN = 3


def lesson_of(reader: LedgerReader, carrier: str) -> IdLesson:
    """Learn how a carrier spells its ids from the newest of them."""
    seen = reader.ids_seen(carrier, RECEIPTS)
    return learn_message_ids(seen.accepted, seen.received)


def lesson_record(carrier: str, lesson: IdLesson) -> dict[str, object]:
    """Give a lesson as `receipts --learn --json` prints it."""
    proposal = lesson.proposal
    return {
        "carrier": carrier,
        "finding": lesson.finding.code,
        "words": lesson.finding.words,
        "responses": lesson.accepted,
        "receipts": lesson.received,
        "waiting": lesson.waiting,
        "proposal": None if proposal is None else _candidate_record(proposal),
        "toml": None if proposal is None else "\n".join(_settings(carrier, proposal)) + "\n",
        "candidates": [_candidate_record(each) for each in lesson.candidates],
    }


def _candidate_record(candidate: IdCandidate) -> dict[str, object]:
    return {
        "response_message_id": candidate.response.kind.value,
        "receipt_message_id": candidate.receipt.kind.value,
        "matched": candidate.matched,
        "confirmed": candidate.confirmed,
        "rescued": candidate.rescued,
        "contradicted": candidate.contradicted,
        "ambiguous": candidate.ambiguous,
        "unmatched": candidate.unmatched,
        "examples": [_example_record(each) for each in candidate.examples],
        "against": [_example_record(each) for each in candidate.against],
    }


def _example_record(example: IdExample) -> dict[str, str]:
    return {"response": example.response, "receipt": example.receipt, "key": example.key}


def lesson_lines(carrier: str, lesson: IdLesson) -> Iterator[str]:
    """Give a lesson as lines of a TOML, in which everything but the proposal is a comment."""
    seen = f"{count(lesson.accepted, 'id')} in responses, {lesson.received:,} in receipts"
    yield f"# {carrier}: {seen}, of which {lesson.waiting:,} found no message."
    if lesson.proposal is None:
        yield f"# Nothing to propose: {lesson.finding.words}."
    else:
        yield f"# {lesson.finding.words}."
        yield from _evidence(lesson.proposal)
        yield ""
        yield from _settings(carrier, lesson.proposal)
        return
    for candidate in lesson.candidates[:_SHOWN]:
        yield f"# {candidate.response.kind} and {candidate.receipt.kind}:"
        yield from _evidence(candidate)


def _evidence(candidate: IdCandidate) -> Iterator[str]:
    yield (
        f"#   {candidate.matched:,} matched, {candidate.confirmed:,} of them confirmed by the number;"
        f" {candidate.contradicted:,} contradicted, {candidate.ambiguous:,} ambiguous,"
        f" {candidate.unmatched:,} without a message"
    )
    for example in candidate.examples[:_SHOWN]:
        yield f"#   response {_shown(example.response)}, receipt {_shown(example.receipt)}"
    for example in candidate.against[:_SHOWN]:
        yield (
            f"#   against it: response {_shown(example.response)},"
            f" receipt {_shown(example.receipt)}"
        )


def _shown(message_id: str) -> str:
    """Write an id so that a carrier cannot end the comment."""
    return json.dumps(message_id)


def _settings(carrier: str, proposal: IdCandidate) -> Iterator[str]:
    """Give the proposal as a profile of the carrier's own."""
    name = json.dumps(f"{carrier}-ids")
    yield f"[profiles.{name}]"
    yield 'extends = "generic-3.4"  # or what the carrier has as its profile now'
    yield ""
    yield f"[profiles.{name}.response_message_id]"
    yield f'kind = "{proposal.response.kind}"'
    yield ""
    yield f"[profiles.{name}.receipt_message_id]"
    yield f'kind = "{proposal.receipt.kind}"'
    yield ""
    yield f"# and in [carriers.{carrier}]: profile = {name}"
