"""Parts on their way out: written ahead, judged by their answers, tried again, and settled.

It is the owner of what the carriers send, and keeps the order that the promises ask for: an attempt
is in the ledger before its first octet leaves, and an outcome before the caller hears of it.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, Protocol, TypeGuard

import attrs

from whiteroute.engine.carrier import Carrier, OutgoingPart
from whiteroute.engine.ledger import Committed, LedgerError
from whiteroute.engine.messages import (
    Accepted,
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    Canonical,
    Contradicted,
    DeliveryState,
    Effect,
    Entry,
    Failover,
    Held,
    InDoubt,
    MappedError,
    MessageClosed,
    MessageRerouted,
    Recorded,
    Refused,
    Retry,
    Silence,
    StatusClass,
    Verdict,
    judge_answer,
    judge_silence,
    verdict_for,
)
from whiteroute.engine.session import Exchange, ExchangeEnd
from whiteroute.pdu import CommandId, Pdu, TlvTag
from whiteroute.routing import AttemptState, Condition, another_route_after

from .inbound import receipt_event
from .recorder import LEDGER_RETRY_DELAY, Recorder
from .submission import Submission, own_error
from .subscriptions import Subscriptions

__all__ = ["Attempts"]

MOST_ROUTES = 3
"""On how many routes one message is tried at most: what three carriers refuse, a fourth will, too."""

MOST_ATTEMPTS = 100
"""How often one part is tried at most, whatever the carrier says each time."""

MOST_DOUBTS = 3
"""How many attempts of one part may come to be in doubt before `allow` is over, too. Each may be a
text on somebody's screen, and a carrier that takes messages and never answers does so every time."""

_Judged = list[tuple[OutgoingPart, Verdict]]


class Roads(Protocol):
    """Knows other routes; all calls are made on the Trio loop and may not wait."""

    def find_road(self, submission: Submission, expires_at: float) -> MessageRerouted | None:
        """Put a message of which no carrier holds anything on the next direct route that can submit.

        Returns:
            What has to be remembered before its parts are put into a queue; None if there is no
            such route, and then the message is left as it is.
        """

    def put(self, submission: Submission, expires_at: float) -> None:
        """Put the parts of a message into the queue of its carrier."""


@attrs.frozen
class _Move:
    """A message that goes another way once that is on disk."""

    submission: Submission
    place: int
    """Of its record among those written together."""
    expires_at: float
    error: MappedError | None
    """Why it goes."""


@attrs.define(eq=False, kw_only=True)
class Attempts:
    """The submissions under way, and what becomes of their parts; a `CarrierOwner`."""

    recorder: Recorder
    now_at: Callable[[], int]
    subscriptions: Subscriptions
    heard: Callable[[list[Effect]], None]
    """Takes receipts as evidence."""
    submissions: dict[str, Submission] = attrs.field(factory=dict[str, Submission], init=False)
    """Those without an outcome, by message_ref."""
    roads: Roads | None = attrs.field(default=None, init=False)
    is_draining: bool = attrs.field(default=False, init=False)
    """What becomes doubtful from now on stays as it is, whatever its duplicate_policy says."""

    # What a carrier asks.

    def write_ahead(
        self,
        carrier: Carrier,
        parts: list[OutgoingPart],
        go: Callable[[list[OutgoingPart]], None],
    ) -> None:
        """Remember attempts; those that are on disk may go."""
        started_at = self.now_at()
        starting: list[OutgoingPart] = []
        settled: list[OutgoingPart] = []
        entries: list[Entry] = []
        for part in parts:
            submission = self.submissions.get(part.message_ref)
            if submission is None or not submission.is_waiting(part):
                # It waited to be sent again and a late response has settled it; or another part of
                # its message was refused; or its message goes another way now.
                settled.append(part)
                continue
            submission.tries[part.part - 1] = part.attempt
            self._settle(part, DeliveryState.SENT)
            starting.append(part)
            entries.append(
                AttemptStarted(
                    message_ref=part.message_ref,
                    part=part.part,
                    attempt=part.attempt,
                    carrier=carrier.name,
                    route=submission.route,
                    started_at=started_at,
                )
            )
        if settled:
            carrier.release(settled)
        if starting:
            self.recorder.kept.append(entries, partial(self._written_ahead, carrier, starting, go))

    def _written_ahead(
        self,
        carrier: Carrier,
        parts: list[OutgoingPart],
        go: Callable[[list[OutgoingPart]], None],
        committed: Committed,
    ) -> None:
        if isinstance(committed, LedgerError):
            for part in parts:
                self._settle(part, DeliveryState.QUEUED)
            carrier.put_back(parts, LEDGER_RETRY_DELAY)
            return
        allowed: list[OutgoingPart] = []
        held: list[OutgoingPart] = []
        for part, effect in zip(parts, committed, strict=True):
            if isinstance(effect, Held | Contradicted):
                # The ledger knows better: whatever it is, it must not be sent.
                state = effect.state if isinstance(effect, Held) else DeliveryState.IN_DOUBT
                if state is DeliveryState.SENT:
                    state = DeliveryState.IN_DOUBT
                self._settle(part, state)
                held.append(part)
            else:
                allowed.append(part)
        if held:
            carrier.release(held)
        if allowed:
            go(allowed)

    def parts_ended(self, carrier: Carrier, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        """Judge the answers, or their absence, and remember what came of each part."""
        judged = [(part, self._judge(carrier, part, exchange)) for part, exchange in ended]
        is_any_refused = False
        for part, verdict in judged:
            if _is_refusal(verdict, part):
                is_any_refused = True
                break
        ended_at = self.now_at()
        entries: list[Entry] = [
            _attempt_ended(carrier, part, verdict, exchange.response, ended_at)
            for (part, verdict), (_, exchange) in zip(judged, ended, strict=True)
        ]
        moves: list[_Move] = []
        if is_any_refused:
            self._note_ends(judged)
            for part, verdict in judged:
                if not _is_refusal(verdict, part) or not self._is_current(part):
                    continue
                # At once, or the next part would be on its way before this is on disk.
                if not self._move(part, verdict.error, entries, moves):
                    entries += self._withhold(part, verdict, ended_at)
        self.recorder.record(entries, partial(self._concluded, carrier, judged, moves))

    def parts_not_written(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        """Remember that these certainly did not leave, and try them again."""
        verdict = judge_silence(Silence.NOT_WRITTEN)
        ended_at = self.now_at()
        entries: list[Entry] = [
            _attempt_ended(carrier, part, verdict, None, ended_at) for part in parts
        ]
        judged = [(part, verdict) for part in parts]
        moves: list[_Move] = []
        if not carrier.is_bound:
            for part in parts:
                submission = self.submissions.get(part.message_ref)
                if submission is not None and submission.road == part.road:
                    submission.ends[part.part] = AttemptState.NOT_WRITTEN
            for part in parts:
                submission = self.submissions.get(part.message_ref)
                if submission is None or submission.road != part.road:
                    continue
                if not self._move(part, None, entries, moves):
                    # It is tried again here.
                    submission.ends.pop(part.part, None)
        self.recorder.record(entries, partial(self._concluded, carrier, judged, moves))

    def parts_expired(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        """Remember that these became worthless before there was room for them."""
        parts = [part for part in parts if self._is_current(part)]
        closed_at = self.now_at()
        entries: list[Entry] = [
            MessageClosed(
                message_ref=part.message_ref,
                closed_at=closed_at,
                state=DeliveryState.EXPIRED,
                error_code=Canonical.EXPIRED.value,
            )
            for part in parts
        ]

        def concluded(_effects: list[Effect]) -> None:
            error = own_error(Canonical.EXPIRED, "validity")
            for part in parts:
                self._settle(part, DeliveryState.EXPIRED, error=error)

        self.recorder.record(entries, concluded)

    def parts_left(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        """Tell those who wait that these were not sent; in the ledger they stay QUEUED."""
        self.leave(parts)

    def leave(self, parts: Iterable[OutgoingPart]) -> None:
        """Go on no more with the messages of these parts, until somebody resumes them."""
        left = {part.message_ref: None for part in parts if self._is_current(part)}
        for message_ref in left:
            submission = self.submissions.pop(message_ref, None)
            if submission is not None:
                submission.abandon()

    def late_response(self, carrier: Carrier, part: OutgoingPart, response: Pdu) -> None:
        """Adopt an answer that came after its time: the doubt is over."""
        nacked = response.command_id == CommandId.GENERIC_NACK
        verdict = _judge_response(carrier, part, response, nacked=nacked, tries=part.attempt)
        if isinstance(verdict, Retry) and verdict.error is not None:
            # It was told as in doubt already, and nobody waits for another try.
            verdict = Refused(error=verdict.error, failover=Failover.NO)
        self.recorder.record(
            [_attempt_ended(carrier, part, verdict, response, self.now_at())],
            partial(self._adopted, part, verdict),
        )

    def _adopted(self, part: OutgoingPart, verdict: Verdict, effects: list[Effect]) -> None:
        # Whoever waits, waits for other parts, or for this one to be sent again: needless now.
        if isinstance(effects[0], Recorded):
            match verdict:
                case Accepted(message_id=message_id):
                    self._settle(part, DeliveryState.ACCEPTED, message_id=message_id)
                case Refused(error=error) if not self._is_open(part):
                    self._settle(part, DeliveryState.REFUSED, error=error)
                case _:
                    pass
        self.publish_receipts(effects)

    # What came of it.

    def _judge(self, carrier: Carrier, part: OutgoingPart, exchange: Exchange) -> Verdict:
        response = exchange.response
        if response is not None:
            submission = self.submissions.get(part.message_ref)
            return _judge_response(
                carrier,
                part,
                response,
                nacked=exchange.end is ExchangeEnd.NACKED,
                tries=part.attempt if submission is None else submission.tries_here(part),
            )
        timed_out = exchange.end is ExchangeEnd.TIMED_OUT
        return judge_silence(Silence.TIMED_OUT if timed_out else Silence.LINK_LOST)

    def _concluded(
        self, carrier: Carrier, judged: _Judged, moves: list[_Move], effects: list[Effect]
    ) -> None:
        for part, verdict in judged:
            match verdict:
                case Accepted(message_id=message_id):
                    self._settle(part, DeliveryState.ACCEPTED, message_id=message_id)
                case Refused(error=error):
                    self._settle(part, DeliveryState.REFUSED, error=error)
                    carrier.done_with(part)
                case Retry(after_delay=delay) if part.attempt < MOST_ATTEMPTS:
                    self._try_again(carrier, part.again(), delay)
                case Retry(error=error):
                    self._settle(part, DeliveryState.REFUSED, error=error)
                    carrier.done_with(part)
                case InDoubt():
                    self._doubted(carrier, part)
        for move in moves:
            self._moved(move, effects[move.place])
        self.publish_receipts(effects)

    # Another route.

    def _note_ends(self, judged: _Judged) -> None:
        """Note how this route ended for parts of which nothing more will be tried on it."""
        for part, verdict in judged:
            submission = self.submissions.get(part.message_ref)
            if submission is not None and submission.road == part.road:
                end = _end_of(verdict, part)
                if end is not None:
                    submission.ends[part.part] = end

    def _move(
        self,
        part: OutgoingPart,
        error: MappedError | None,
        entries: list[Entry],
        moves: list[_Move],
    ) -> bool:
        """Have a message go by the next direct route, if it is certain that no carrier has it.

        Returns:
            Whether it does; then its record was added to `entries`, and what to do once that is on
            disk to `moves`.
        """
        submission = self.submissions.get(part.message_ref)
        if (
            submission is None
            or self.roads is None
            or self.is_draining
            or submission.road + 1 >= MOST_ROUTES
            or submission.is_doubted
        ):
            return False
        stands = submission.stands()
        if stands is None or not another_route_after(stands, fulfilled=_SPENT).allowed:
            return False
        entry = self.roads.find_road(submission, part.expires_at)
        if entry is None:
            return False
        moves.append(_Move(submission, len(entries), part.expires_at, error))
        entries.append(entry)
        return True

    def _moved(self, move: _Move, effect: Effect) -> None:
        submission = move.submission
        if self.submissions.get(submission.message_ref) is not submission:
            return  # told already that it is queued, because the engine ends
        if isinstance(effect, Recorded):
            assert self.roads is not None
            self.roads.put(submission, move.expires_at)
            return
        # The ledger knows of an attempt that may have been accepted. It is not sent by another route.
        del self.submissions[submission.message_ref]
        submission.states = [DeliveryState.REFUSED] * len(submission.states)
        submission.error = move.error
        submission.tell(submission.outcome())

    def _is_current(self, part: OutgoingPart) -> bool:
        """Say whether a part's message still goes the way that the part was to go."""
        submission = self.submissions.get(part.message_ref)
        return submission is None or submission.road == part.road

    def _withhold(
        self, part: OutgoingPart, verdict: Refused | Retry, closed_at: int
    ) -> list[Entry]:
        """Send none of the parts that still wait beside one that is refused for good.

        No handset can show a message with a part missing, and those parts would be paid for.
        """
        submission = self.submissions.get(part.message_ref)
        waiting = [] if submission is None else submission.waiting_beside(part.part)
        if submission is None or not waiting:
            return []
        for number in waiting:
            submission.ends[number] = AttemptState.NOT_WRITTEN
            submission.settle(number, DeliveryState.REFUSED, error=verdict.error)
        return [_withheld(part.message_ref, closed_at, verdict.error)]

    def _doubted(self, carrier: Carrier, part: OutgoingPart) -> None:
        submission = self.submissions.get(part.message_ref)
        allowed = submission is not None and submission.message.duplicate_policy == "allow"
        torn = submission is not None and submission.is_torn
        if submission is not None:
            submission.is_doubted = True
        if allowed and not torn and not self.is_draining and part.doubts + 1 < MOST_DOUBTS:
            self._try_again(carrier, part.again(doubted=True), 0.0)
        else:
            self._settle(part, DeliveryState.IN_DOUBT)
            carrier.done_with(part)

    def _try_again(self, carrier: Carrier, part: OutgoingPart, delay: float) -> None:
        submission = self.submissions.get(part.message_ref)
        if submission is None or submission.road != part.road or not submission.is_open(part.part):
            carrier.done_with(part)
        elif submission.is_torn:
            self.recorder.record([_withheld(part.message_ref, self.now_at(), submission.error)])
            self._settle(part, DeliveryState.REFUSED)
            carrier.done_with(part)
        else:
            self._settle(part, DeliveryState.QUEUED)
            carrier.enqueue_later(part, delay)

    def _is_open(self, part: OutgoingPart) -> bool:
        submission = self.submissions.get(part.message_ref)
        return submission is not None and submission.is_open(part.part)

    def _settle(
        self,
        part: OutgoingPart,
        state: DeliveryState,
        *,
        message_id: str = "",
        error: MappedError | None = None,
    ) -> None:
        submission = self.submissions.get(part.message_ref)
        if submission is None or submission.road != part.road:
            return
        if submission.settle(part.part, state, message_id=message_id, error=error):
            del self.submissions[part.message_ref]
            submission.tell(submission.outcome())

    def publish_receipts(self, effects: Iterable[Effect]) -> None:
        """Tell of receipts that had waited for the answers just written."""
        receipts = [
            receipt
            for effect in effects
            if isinstance(effect, Recorded) and effect.receipts
            for receipt in effect.receipts
        ]
        if receipts:
            self.subscriptions.publish(map(receipt_event, receipts))
            self.heard([*receipts])

    def abandon(self) -> None:
        """Tell everybody who still waits where his message stands, because nobody goes on with it."""
        submissions, self.submissions = self.submissions, {}
        for submission in submissions.values():
            submission.abandon()


def _is_refusal(verdict: Verdict, part: OutgoingPart) -> TypeGuard[Refused | Retry]:
    """Say whether a part is refused for good."""
    return isinstance(verdict, Refused) or (
        isinstance(verdict, Retry) and part.attempt >= MOST_ATTEMPTS
    )


_ENDS: Final[Mapping[StatusClass, AttemptState]] = {
    StatusClass.OK: AttemptState.REJECTED_AMBIGUOUS,
    StatusClass.MESSAGE: AttemptState.REJECTED_MESSAGE,
    StatusClass.RECIPIENT: AttemptState.REJECTED_RECIPIENT,
    StatusClass.ROUTE: AttemptState.REJECTED_ROUTE,
    StatusClass.TEMPORARY: AttemptState.REJECTED_TEMPORARY,
    StatusClass.THROTTLED: AttemptState.REJECTED_THROTTLED,
    StatusClass.SESSION: AttemptState.REJECTED_TEMPORARY,
    StatusClass.CONFIGURATION: AttemptState.REJECTED_ACCOUNT,
    StatusClass.AMBIGUOUS: AttemptState.REJECTED_AMBIGUOUS,
}

_SPENT: Final = frozenset({Condition.RETRY_BUDGET_SPENT, Condition.PROFILE_SAYS_SO})
"""What holds for every part that `_end_of` calls refused: the carrier was asked as often as it may be,
and where its status could mean several things, its profile says that it is a refusal."""


def _end_of(verdict: Verdict, part: OutgoingPart) -> AttemptState | None:
    """Say how a route has ended for a part; None if it will be tried there again."""
    match verdict:
        case Accepted():
            return AttemptState.ACCEPTED
        case InDoubt():
            return AttemptState.IN_DOUBT
        case Refused(error=error, failover=Failover.YES):
            return _ENDS[verdict_for(error.canonical).status_class]
        case Refused():
            return AttemptState.REJECTED_MESSAGE
        case Retry() if part.attempt >= MOST_ATTEMPTS:
            return AttemptState.REJECTED_MESSAGE
        case _:
            return None


def _withheld(message_ref: str, closed_at: int, error: MappedError | None) -> MessageClosed:
    return MessageClosed(
        message_ref=message_ref,
        closed_at=closed_at,
        state=DeliveryState.REFUSED,
        error_code="" if error is None else error.canonical.value,
    )


def _judge_response(
    carrier: Carrier, part: OutgoingPart, response: Pdu, *, nacked: bool, tries: int
) -> Verdict:
    tlvs = response.tlvs
    reason = tlvs.value(TlvTag.DELIVERY_FAILURE_REASON)
    return judge_answer(
        carrier.settings.profile.errors,
        command_status=response.command_status,
        message_id=getattr(response, "message_id", ""),
        network_error_code=tlvs.first(TlvTag.NETWORK_ERROR_CODE) or b"",
        delivery_failure_reason=reason if isinstance(reason, int) else None,
        nacked=nacked,
        window_full=part.window_was_full,
        tries=tries,
    )


def _attempt_ended(
    carrier: Carrier,
    part: OutgoingPart,
    verdict: Verdict,
    response: Pdu | None,
    ended_at: int,
) -> AttemptEnded:
    entry = AttemptEnded(
        message_ref=part.message_ref,
        part=part.part,
        attempt=part.attempt,
        ended_at=ended_at,
        outcome=AttemptOutcome.IN_DOUBT,
    )
    if response is not None:
        entry.command_status = response.command_status
        entry.network_error_code = response.tlvs.first(TlvTag.NETWORK_ERROR_CODE) or b""
    match verdict:
        case Accepted(message_id=message_id):
            rule = carrier.settings.profile.response_message_id
            entry.outcome = AttemptOutcome.ACCEPTED
            entry.message_id = message_id
            entry.message_id_key = rule.normalise(message_id)
        case Refused(error=error):
            entry.outcome = AttemptOutcome.REFUSED
            entry.error = error
        case Retry(error=error):
            refused = response is not None
            entry.outcome = AttemptOutcome.REFUSED if refused else AttemptOutcome.NOT_WRITTEN
            entry.error = error
            entry.retrying = part.attempt < MOST_ATTEMPTS
        case InDoubt():
            pass
    return entry
