"""How a carrier spells its message ids, learnt from those that it has used; proposed, never applied.

A carrier that answers with `4B1F` and reports `id:19231` has every message accepted and no receipt
matched, until its profile says that one is hexadecimal and the other decimal. Here the ids of both
sides are read under every pair of rules, and the one pair under which they meet is proposed together
with what speaks for it and against it.

That two ids meet is not yet proof: `12` is a decimal, a hexadecimal and a text, and among thousands of
consecutive ids nearly every number is somebody's. So the handset's number and the time are asked too,
which have no part in matching: a receipt that meets a message to another number, or one that was not
sent yet, contradicts the rules by which they met.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from whiteroute.pdu import MessageIdKind, MessageIdRule

from .hashed_numbers import is_same_number

__all__ = [
    "AcceptedId",
    "IdCandidate",
    "IdExample",
    "IdFinding",
    "IdLesson",
    "ReceivedId",
    "learn_message_ids",
]

_LEAST: Final = 20
"""Receipts. A wrong pair meets by chance now and then, hardly ever twenty times with nothing against
it; and a carrier on trial has sent as many within minutes."""
_TOLERATED: Final = 100
"""One contradiction among so many matches is put up with: a number that was written in another way, an
id that came round again."""
_EXAMPLES: Final = 5
_PLAIN: Final = re.compile(r"\+?[0-9]{7,20}")
_HASHED: Final = re.compile(r"[0-9]{1,3}~.+")

_K = MessageIdKind
_PAIRS: Final = (
    (_K.RAW, _K.RAW),
    (_K.CASEFOLD, _K.CASEFOLD),
    (_K.STRIP_ZEROS, _K.STRIP_ZEROS),
    (_K.DECIMAL, _K.DECIMAL),
    (_K.HEX, _K.HEX),
    (_K.HEX, _K.DECIMAL),
    (_K.DECIMAL, _K.HEX),
    (_K.RAW, _K.HEX_STRING),
    (_K.HEX_STRING, _K.RAW),
)
"""How responses and receipts may be read, from the pair that changes least to the one that changes most.
What any other pair matches, one of these matches too, such as hex and decimal for hex and raw; and it
still does when a zero comes in front."""
_RULES: Final = {kind: MessageIdRule(kind=kind) for pair in _PAIRS for kind in pair}


@attrs.frozen(kw_only=True)
class AcceptedId:
    """A message_id as it stood in a response."""

    message_id: str
    to: str = attrs.field(default="", repr=False)
    """Where the message went; anything that is no plain number cannot be compared."""
    started_at: int = 0
    """When it was sent, microseconds since the epoch."""


@attrs.frozen(kw_only=True)
class ReceivedId:
    """A message_id as it stood in a receipt."""

    message_id: str
    source_addr: str = attrs.field(default="", repr=False)
    destination_addr: str = attrs.field(default="", repr=False)
    received_at: int = 0
    is_matched: bool = False
    """Whether the receipt has found its message, under the rules of its day."""


@attrs.frozen(kw_only=True)
class IdExample:
    """Two ids that are one message under some pair of rules."""

    response: str
    receipt: str
    key: str
    """Under which they met."""


@attrs.frozen(kw_only=True)
class IdCandidate:
    """A pair of rules, and how the ids that were seen bear it out.

    Counted by the receipts' ids: what is told twice of one message counts once.
    """

    response: MessageIdRule
    receipt: MessageIdRule
    matched: int
    """How many met exactly one id of a response, with nothing against it."""
    confirmed: int
    """How many of those came from the number to which that message went."""
    rescued: int
    """How many of those have not found their message so far."""
    contradicted: int
    """How many met an id whose message went to another number, or was sent only afterwards."""
    ambiguous: int
    """How many met more than one id of a response."""
    unmatched: int
    """How many met none; their messages may be older than those that were looked at."""
    examples: tuple[IdExample, ...]
    """Some that matched; those first that have not found their message so far."""
    against: tuple[IdExample, ...]
    """Some that were contradicted."""
    changes: int = attrs.field(repr=False)
    """Its place among the pairs by how much they change of an id; 0 for `raw` on both sides."""

    def fits(self, least: int) -> bool:
        """Say whether it matches enough, and nothing but what belongs together."""
        return (
            self.matched >= least
            and not self.ambiguous
            and self.contradicted * _TOLERATED <= self.matched
        )


@attrs.frozen(kw_only=True)
class IdFinding:
    """Why there is a proposal, or why there is none."""

    code: str
    """`propose`, `nothing_new`, `too_few`, `no_pair`, `two_pairs` or `two_spellings`."""
    words: str
    """The same for people."""


@attrs.frozen(kw_only=True)
class IdLesson:
    """What the ids of one carrier teach."""

    accepted: int
    """How many different ids of responses were looked at."""
    received: int
    """How many different ids of receipts were looked at."""
    waiting: int
    """How many of those have not found their message so far."""
    proposal: IdCandidate | None
    """The pair to set in the profile. None unless it would match receipts that find nobody now."""
    finding: IdFinding
    candidates: tuple[IdCandidate, ...]
    """Every pair that matched anything, the best first."""


def learn_message_ids(
    accepted: Iterable[AcceptedId], received: Iterable[ReceivedId], *, least: int = _LEAST
) -> IdLesson:
    """Propose how a carrier's message ids are to be read, if its receipts leave one way only.

    Args:
        accepted: Ids of one carrier's responses, without those that were adopted from a receipt.
        received: Ids of the same carrier's receipts, matched or not. The messages of some may be
            missing from `accepted`.
        least: How many receipts have to match, and how many of them have to be new. Default: 20.

    Returns:
        A proposal only when one pair of rules matches that many, no receipt meets two messages under
        it, hardly any contradicts it, and no other such pair gives the receipts to other messages.
        Of pairs that match equally well it is the one that changes the ids least.
    """
    spelt = _by_id(accepted)
    told = {each.message_id: each for each in sorted(received, key=_matched_last)}
    trial = _Trial.of(spelt, [each for each in told.values() if each.message_id])
    outcomes = [trial.judge(place) for place in range(len(_PAIRS))]
    outcomes = sorted((each for each in outcomes if each.has_met), key=_goodness)
    candidates = tuple(each.candidate for each in outcomes)
    waiting = sum(not each.is_matched for each in trial.received)
    fitting = [each for each in outcomes if each.candidate.fits(least)]
    best = _simplest_of_the_best(fitting)
    finding = _find(trial, waiting, fitting, best, least)
    return IdLesson(
        accepted=len(spelt),
        received=len(trial.received),
        waiting=waiting,
        proposal=best.candidate if best is not None and finding.code == "propose" else None,
        finding=finding,
        candidates=candidates,
    )


def _by_id(accepted: Iterable[AcceptedId]) -> dict[str, list[AcceptedId]]:
    spelt: dict[str, list[AcceptedId]] = {}
    for each in accepted:
        if each.message_id:
            spelt.setdefault(each.message_id, []).append(each)
    return spelt


def _matched_last(received: ReceivedId) -> bool:
    return received.is_matched


@attrs.frozen(kw_only=True)
class _Outcome:
    """A candidate, and which id of a response each id of a receipt met."""

    candidate: IdCandidate
    met: Mapping[str, str]

    @property
    def has_met(self) -> bool:
        return bool(self.met) or self.candidate.ambiguous > 0

    def disagrees(self, other: "_Outcome") -> int:
        """Count the receipts that another pair of rules gives to other messages."""
        return sum(
            theirs != self.met[receipt]
            for receipt, theirs in other.met.items()
            if receipt in self.met
        )


@attrs.frozen(kw_only=True)
class _Trial:
    """The ids of both sides, indexed under every rule."""

    accepted: Mapping[str, Sequence[AcceptedId]]
    received: Sequence[ReceivedId]
    indexes: Mapping[MessageIdKind, Mapping[str, Sequence[str]]]
    """By key, the ids of responses that have it."""
    keys: Mapping[MessageIdKind, Sequence[str]]
    """Of the receipts' ids, in their order."""

    @classmethod
    def of(
        cls, accepted: Mapping[str, Sequence[AcceptedId]], received: Sequence[ReceivedId]
    ) -> "_Trial":
        indexes: dict[MessageIdKind, dict[str, list[str]]] = {}
        for kind, rule in _RULES.items():
            index = indexes[kind] = {}
            for message_id in accepted:
                index.setdefault(rule.normalise(message_id), []).append(message_id)
        keys = {
            kind: [rule.normalise(each.message_id) for each in received]
            for kind, rule in _RULES.items()
        }
        return cls(accepted=accepted, received=received, indexes=indexes, keys=keys)

    def judge(self, place: int) -> _Outcome:
        response, receipt = _PAIRS[place]
        index = self.indexes[response]
        met: dict[str, str] = {}
        news: list[IdExample] = []
        known: list[IdExample] = []
        against: list[IdExample] = []
        confirmed = ambiguous = unmatched = 0
        for received, key in zip(self.received, self.keys[receipt], strict=True):
            found = index.get(key, ())
            if len(found) != 1:
                ambiguous += len(found) > 1
                unmatched += not found
                continue
            met[received.message_id] = found[0]
            example = IdExample(response=found[0], receipt=received.message_id, key=key)
            verdict = _compare(received, self.accepted[found[0]])
            if verdict is False:
                against.append(example)
                continue
            confirmed += verdict is True
            (known if received.is_matched else news).append(example)
        candidate = IdCandidate(
            response=_RULES[response],
            receipt=_RULES[receipt],
            matched=len(news) + len(known),
            confirmed=confirmed,
            rescued=len(news),
            contradicted=len(against),
            ambiguous=ambiguous,
            unmatched=unmatched,
            examples=tuple((news + known)[:_EXAMPLES]),
            against=tuple(against[:_EXAMPLES]),
            changes=place,
        )
        return _Outcome(candidate=candidate, met=met)


def _compare(received: ReceivedId, messages: Sequence[AcceptedId]) -> bool | None:
    """Ask number and time whether a receipt can be about one of the messages of an id.

    Returns:
        True if the number says so, False if the number or the time rules all of them out, None if
        neither can be told.
    """
    verdicts = [_is_about(received, message) for message in messages]
    if True in verdicts:
        return True
    return None if None in verdicts else False


def _is_about(received: ReceivedId, message: AcceptedId) -> bool | None:
    if received.received_at < message.started_at:
        return False
    # Carrier: in some receipts source and destination are those of the message, not turned round.
    ends = (received.source_addr, received.destination_addr)
    form = _form_of(message.to)
    comparable = [end for end in ends if form and _form_of(end) == form]
    if not comparable:
        return None
    return any(is_same_number(end, message.to) for end in comparable)


def _form_of(address: str) -> str:
    """Say how a number is written; only two of one form can be compared. Empty for names and short codes."""
    if _PLAIN.fullmatch(address):
        return "plain"
    return "hashed" if _HASHED.fullmatch(address) else ""


def _goodness(outcome: _Outcome) -> tuple[int, int]:
    candidate = outcome.candidate
    doubtful = candidate.ambiguous + candidate.contradicted
    return (doubtful - candidate.matched, candidate.changes)


def _simplest_of_the_best(fitting: Sequence[_Outcome]) -> _Outcome | None:
    """Choose the pair that changes least among those that match as many, give or take one in a hundred.

    The few more that a bolder reading matches, it matches by chance.
    """
    if not fitting:
        return None
    most = max(each.candidate.matched for each in fitting)
    equals = [each for each in fitting if (most - each.candidate.matched) * _TOLERATED <= most]
    return min(equals, key=lambda each: each.candidate.changes)


def _find(
    trial: _Trial, waiting: int, fitting: Sequence[_Outcome], best: _Outcome | None, least: int
) -> IdFinding:
    """Say what there is to propose; the first reason against it is the one told."""
    if len(trial.received) < least or len(trial.accepted) < least:
        return IdFinding(
            code="too_few",
            words=f"{len(trial.accepted)} ids in responses and {len(trial.received)} in receipts,"
            f" expected {least} of each",
        )
    if not waiting:
        return IdFinding(code="nothing_new", words="every receipt has found its message")
    if best is None:
        return IdFinding(
            code="no_pair",
            words=f"no pair of rules matches {least} receipts to one message each",
        )
    rival = next((each for each in fitting if _rivals(best, each)), None)
    if rival is not None:
        return IdFinding(
            code="two_pairs",
            words=f"{_in_words(best.candidate)} and {_in_words(rival.candidate)} match about"
            " as many, and give receipts to different messages",
        )
    other = max(fitting, key=_how_many_rescued)
    if best.candidate.rescued < least <= other.candidate.rescued:
        return IdFinding(
            code="two_spellings",
            words=f"{_in_words(best.candidate)} matches what has found its message, but"
            f" {_in_words(other.candidate)} {other.candidate.rescued} of the {waiting} that wait:"
            " the carrier has changed, or spells in two ways",
        )
    if best.candidate.rescued < least:
        return IdFinding(
            code="nothing_new",
            words=f"{_in_words(best.candidate)} would match"
            f" {best.candidate.rescued} of the {waiting} that wait, expected {least}",
        )
    return IdFinding(
        code="propose",
        words=f"{_in_words(best.candidate)} matches {best.candidate.matched} of"
        f" {len(trial.received)} receipts, {best.candidate.rescued} of which find nobody now",
    )


def _how_many_rescued(outcome: _Outcome) -> int:
    return outcome.candidate.rescued


def _rivals(best: _Outcome, other: _Outcome) -> bool:
    """Say whether another pair is as likely, and gives receipts to other messages.

    One that matches less than half as many does so by chance.
    """
    as_likely = 2 * other.candidate.matched >= best.candidate.matched
    return as_likely and best.disagrees(other) * _TOLERATED > best.candidate.matched


def _in_words(candidate: IdCandidate) -> str:
    return f"{candidate.response.kind} in responses and {candidate.receipt.kind} in receipts"
