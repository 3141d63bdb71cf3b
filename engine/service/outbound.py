"""Messages on their way in: routed, written as PDUs, remembered, and put into a carrier's queue.

What becomes of their parts from there on is `attempts.py`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from random import Random
from zlib import crc32

import attrs
import trio

from whiteroute.engine.carrier import Carrier, LinkChange, OutgoingPart
from whiteroute.engine.config import Config
from whiteroute.engine.ledger import (
    Committed,
    EntryError,
    Ledger,
    LedgerError,
    MessageHistory,
    Selection,
)
from whiteroute.engine.messages import (
    Canonical,
    DeliveryState,
    Known,
    MappedError,
    Message,
    MessageClosed,
    MessageRerouted,
    MessageTaken,
    Outcome,
    make_parts,
)
from whiteroute.pdu import EncodeError, RegisteredDelivery, SubmitSm, encode
from whiteroute.routing import (
    CandidateRejection,
    Decision,
    NetworkInfo,
    NumberError,
    PlanResolver,
    Route,
    RoutingRequest,
    choose,
    normalise_msisdn,
)

from .attempts import Attempts
from .availability import Availabilities
from .route_trust import RouteTrust
from .submission import Submission, Told, own_error

__all__ = ["Outbound"]

VALIDITY = 48 * 3600.0
"""Seconds for which routing looks ahead when a message says nothing; operators try for 24 to 72
hours. Nothing is told to the carrier then."""


_RECEIPT_BITS = 0b11
"""Of registered_delivery: which outcomes the message centre reports."""

LONGEST_TRIAL = 72 * 3600.0
"""Seconds for which carriers try to deliver a message that says nothing of its validity, at most."""

GRACE = 3600.0
"""Seconds that a final receipt may take after the end of a message's validity. Carriers write it as the
validity ends; queues of receipts that are an hour long have been seen."""


@attrs.define(eq=False, kw_only=True)
class Outbound:
    """Takes messages over, and those that an earlier process left."""

    config: Config
    kept: Ledger
    random: Random
    now_at: Callable[[], int]
    carriers: Mapping[str, Carrier]
    attempts: Attempts
    trust: RouteTrust
    _resolver: PlanResolver = attrs.field(init=False)
    _availability: Availabilities = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.change_config(self.config)
        self._availability = Availabilities(self.carriers, self.config.routes)
        self.attempts.roads = self

    def change_config(self, config: Config) -> None:
        """Decide by another configuration from now on."""
        self.config = config
        self._resolver = PlanResolver(config.plan, lambda: datetime_of(self.now_at()))

    def take(self, messages: Sequence[Message], told: Told) -> None:
        """Take messages over; `told` is called once for each when it has an outcome.

        Raises:
            LedgerError: The ledger is closed; `told` is called for none.
        """
        taken_at = self.now_at()
        submissions: list[Submission] = []
        entries: list[MessageTaken] = []
        for message in messages:
            submission, entry = self._route(message, taken_at)
            submission.told.append(told)
            submissions.append(submission)
            entries.append(entry)
        self.kept.append(entries, partial(self._remembered, submissions, entries))

    def decide(
        self,
        message: Message,
        destination: str,
        message_ref: str,
        taken_at: int | None = None,
        *,
        tried: frozenset[str] = frozenset(),
        waiting: bool = True,
    ) -> Decision:
        """Choose a route: the best of those that can submit now, or else of those worth waiting for.

        Args:
            message: What is to be sent.
            destination: Its number, digits only.
            message_ref: Its name, should the message have none.
            taken_at: When, microseconds since the epoch. Default: now.
            tried: Ids of routes that it was refused on.
            waiting: Whether a route that is only down may be waited for.
        """
        now = datetime_of(self.now_at() if taken_at is None else taken_at)
        request = RoutingRequest(
            message_ref=message_ref,
            destination=destination,
            sender=message.sender,
            traffic_class=message.traffic_class,
            network=self._resolver.cached(destination),
            valid_until=now + timedelta(seconds=message.validity or VALIDITY),
            tried=tried,
        )
        policy, routes, evidence = self.config.policy, self.config.routes, self.trust.evidence()
        self._availability.look(routes, trio.current_time())
        decision = choose(
            request,
            routes,
            policy=policy,
            now=now,
            evidence=evidence,
            availability=self._availability,
        )
        if decision.ranked or not waiting or not any(map(_is_passing, decision.rejected)):
            return decision
        # None is up now. It waits in the queue of the best, until that one's bind returns.
        return choose(request, routes, policy=policy, now=now, evidence=evidence)

    def link_changed(self, _change: LinkChange) -> None:
        """Look anew at what can submit, because a bind has come or gone."""
        self._availability.forget()

    def known(self, msisdn: str) -> NetworkInfo | None:
        """Say what is known of a number's network without asking anybody."""
        return self._resolver.cached(msisdn)

    # One message.

    def _route(
        self, message: Message, taken_at: int, tried: frozenset[str] = frozenset()
    ) -> tuple[Submission, MessageTaken]:
        message_ref = message.message_ref or f"{taken_at:x}-{self.random.getrandbits(48):012x}"
        submission = Submission(message=message, message_ref=message_ref)
        decision = None
        submission.error = _check_validity(message.validity)
        try:
            if submission.error is None:
                destination = normalise_msisdn(message.to)
                decision = self.decide(message, destination, message_ref, taken_at, tried=tried)
                self._write(submission, decision, destination, taken_at)
        except NumberError as error:
            submission.error = own_error(Canonical.INVALID_DESTINATION, f"msisdn: {error}")
        except EncodeError as error:
            submission.error = own_error(Canonical.PROTOCOL_ERROR, f"encoding: {error}")
        return submission, self._taken(submission, decision, taken_at)

    def _write(
        self, submission: Submission, decision: Decision, destination: str, taken_at: int
    ) -> None:
        route = decision.chosen
        if route is None:
            submission.rejected = decision.rejected
            submission.error = own_error(Canonical.NO_ROUTE, "routing")
            return
        pdus = self._pdus(submission.message, submission.message_ref, route, destination, taken_at)
        submission.route, submission.carrier = route.id, route.carrier
        submission.pdus = pdus
        submission.states = [DeliveryState.QUEUED] * len(pdus)
        submission.message_ids = [""] * len(pdus)

    def _pdus(
        self, message: Message, message_ref: str, route: Route, destination: str, at: int
    ) -> tuple[SubmitSm, ...]:
        profile = self.config.carriers[route.carrier].profile
        pdus = make_parts(
            message,
            destination,
            addresses=profile.addresses,
            text=profile.text,
            submit=profile.submit,
            # The same again after a restart, so that parts sent before and after still join.
            reference=crc32(message_ref.encode(errors="surrogatepass")),
            now=datetime_of(at),
        )
        for pdu in pdus:
            encode(pdu)
        return pdus

    def _taken(
        self, submission: Submission, decision: Decision | None, taken_at: int
    ) -> MessageTaken:
        message, error = submission.message, submission.error
        network = None if decision is None else decision.request.network
        expires = message.validity is not None and error is None
        return MessageTaken(
            message_ref=submission.message_ref,
            to=message.to if decision is None else decision.request.destination,
            sender=message.sender,
            text=message.text,
            traffic_class=message.traffic_class,
            tags=message.tags,
            duplicate_policy=message.duplicate_policy,
            taken_at=taken_at,
            valid_until_at=taken_at + int((message.validity or 0) * 1e6) if expires else None,
            due_at=self._due_at(submission, taken_at),
            state=DeliveryState.QUEUED if error is None else DeliveryState.REFUSED,
            route=submission.route,
            carrier=submission.carrier,
            network="" if network is None else str(network.network),
            part_count=max(1, len(submission.pdus)),
            reporting_parts=(
                self.config.carriers[submission.carrier].profile.reporting_parts
                if submission.carrier
                else "all"
            ),
            decision=_explained(decision, error),
            error_code="" if error is None else error.canonical.value,
        )

    def _due_at(self, submission: Submission, taken_at: int) -> int | None:
        """Say when the final receipt should be there; None when none will come for every outcome."""
        if submission.error is not None:
            return None
        submit = self.config.carriers[submission.carrier].profile.submit
        if submit.registered_delivery & _RECEIPT_BITS != RegisteredDelivery.FINAL:
            return None
        validity = submission.message.validity
        return taken_at + int(((LONGEST_TRIAL if validity is None else validity) + GRACE) * 1e6)

    # Once it is remembered.

    def _remembered(
        self,
        submissions: list[Submission],
        entries: list[MessageTaken],
        committed: Committed,
    ) -> None:
        if isinstance(committed, EntryError) and len(entries) > 1:
            # One of them cannot be stored; the others can.
            for submission, entry in zip(submissions, entries, strict=True):
                self._remember_alone(submission, entry)
            return
        if isinstance(committed, LedgerError):
            for submission in submissions:
                submission.tell(committed)
            return
        for submission, effect in zip(submissions, committed, strict=True):
            if isinstance(effect, Known):
                self._tell_known(submission, effect)
            elif submission.error is not None:
                submission.tell(submission.outcome())
            else:
                self._enqueue(submission)

    def _remember_alone(self, submission: Submission, entry: MessageTaken) -> None:
        try:
            self.kept.append([entry], partial(self._remembered, [submission], [entry]))
        except LedgerError as error:
            submission.tell(error)

    def _tell_known(self, submission: Submission, known: Known) -> None:
        running = self.attempts.submissions.get(known.message_ref)
        if running is not None:
            running.told += [partial(_tell_as_known, told) for told in submission.told]
            return
        try:
            history = self.kept.message(known.message_ref)
        except LedgerError as error:
            submission.tell(error)
            return
        message = None if history is None else history.message
        submission.tell(
            Outcome(
                message_ref=known.message_ref,
                # Of the message that this ref stands for, which need not be the one given now.
                to=submission.message.to if message is None else message.to,
                state=known.state,
                route="" if message is None else message.route,
                carrier="" if message is None else message.carrier,
                parts=0 if message is None else message.part_count,
                message_ids=() if history is None else history.message_ids(),
                error=None if history is None else _error(history),
                known=True,
            )
        )

    def _enqueue(self, submission: Submission) -> None:
        self.attempts.submissions[submission.message_ref] = submission
        validity = submission.message.validity
        expires_at = inf if validity is None else trio.current_time() + validity
        self._put(submission.carrier, submission.outgoing(expires_at))

    # Another route.

    def find_road(self, submission: Submission, expires_at: float) -> MessageRerouted | None:
        """Put a message on the next direct route that can submit now; see `Roads`."""
        at = self.now_at()
        message = submission.message
        if expires_at != inf:
            left = expires_at - trio.current_time()
            if left <= 0:
                return None
            message = attrs.evolve(message, validity=left)
        destination = normalise_msisdn(message.to)
        tried = submission.tried | {submission.route}
        while True:
            decision = self.decide(
                message, destination, submission.message_ref, at, tried=tried, waiting=False
            )
            route = decision.chosen
            if route is None:
                return None
            try:
                pdus = self._pdus(message, submission.message_ref, route, destination, at)
            except EncodeError:
                pdus = ()
            if len(pdus) == len(submission.pdus):
                break
            # What this carrier cannot write, or cuts differently than the ledger has it.
            tried |= {route.id}
        submission.go_by(route.id, route.carrier, pdus)
        network = decision.request.network
        return MessageRerouted(
            message_ref=submission.message_ref,
            rerouted_at=at,
            route=route.id,
            carrier=route.carrier,
            network="" if network is None else str(network.network),
            reporting_parts=self.config.carriers[route.carrier].profile.reporting_parts,
            decision=_explained(decision, None),
        )

    def put(self, submission: Submission, expires_at: float) -> None:
        """Put the parts of a message into the queue of its carrier; see `Roads`."""
        self._put(submission.carrier, submission.outgoing(expires_at))

    def _put(self, carrier: str, parts: list[OutgoingPart]) -> None:
        if carrier in self.carriers:
            self.carriers[carrier].enqueue(parts)
        else:
            # It was removed while the ledger wrote.
            self.attempts.leave(parts)

    # What an earlier process left.

    def resume(self, carrier: str | None = None) -> None:
        """Go on with what an earlier process took and never tried.

        What it tried and had no answer for is in doubt, and is tried again only under `allow`.

        Args:
            carrier: Only what was to go over this one, which has been added again. Default: all.
        """
        doubted = {
            (doubt.message_ref, doubt.part) for doubt in self.kept.recovered if carrier is None
        }
        for state in (DeliveryState.QUEUED, DeliveryState.SENT, DeliveryState.IN_DOUBT):
            waiting = Selection(state=state, carrier=carrier)
            for record in list(self.kept.reader.messages(waiting)):
                history = self.kept.message(record.message_ref)
                if history is None or record.message_ref in self.attempts.submissions:
                    continue
                states = list(history.part_states())
                if record.duplicate_policy == "allow":
                    states = [
                        DeliveryState.QUEUED if (record.message_ref, part) in doubted else state
                        for part, state in enumerate(states, 1)
                    ]
                if DeliveryState.QUEUED in states:
                    self._resume(history, states)

    def _resume(self, history: MessageHistory, states: list[DeliveryState]) -> None:
        record = history.message
        now_at = self.now_at()
        left = None if record.valid_until_at is None else (record.valid_until_at - now_at) / 1e6
        if left is not None and left <= 0:
            self._close(record.message_ref, DeliveryState.EXPIRED, Canonical.EXPIRED)
            return
        message = Message(
            to=record.to,
            sender=record.sender,
            text=record.text,
            traffic_class=record.traffic_class,
            message_ref=record.message_ref,
            tags=record.tags,
            duplicate_policy="allow" if record.duplicate_policy == "allow" else "hold",
            validity=left,
        )
        elsewhere = frozenset(line.started.route for line in history.attempts) - {record.route}
        submission, anew = self._route(message, now_at, elsewhere)
        nothing_taken = all(
            line.state in (DeliveryState.QUEUED, DeliveryState.REFUSED) for line in history.attempts
        )
        moved = submission.route != record.route and not nothing_taken
        if submission.error is not None or moved or len(submission.pdus) != len(states):
            # A message that would be cut differently now, or whose parts would take two roads,
            # would arrive torn.
            error = submission.error or own_error(Canonical.NO_ROUTE, "resumed")
            self._close(record.message_ref, DeliveryState.REFUSED, error.canonical)
            return
        if submission.route != record.route:
            self._reroute(anew)
        tried = [0] * len(states)
        for line in history.attempts:
            tried[line.started.part - 1] += 1
        submission.states = states
        submission.message_ids = list(history.message_ids())
        self.attempts.submissions[record.message_ref] = submission
        submission.tries, submission.is_doubted = tried, not nothing_taken
        submission.tried, submission.road = elsewhere, len(elsewhere)
        self.put(submission, inf if left is None else trio.current_time() + left)

    def _reroute(self, anew: MessageTaken) -> None:
        """Have the ledger tell the decision by which a message is really sent."""
        self.attempts.recorder.record(
            [
                MessageRerouted(
                    message_ref=anew.message_ref,
                    rerouted_at=anew.taken_at,
                    route=anew.route,
                    carrier=anew.carrier,
                    network=anew.network,
                    reporting_parts=anew.reporting_parts,
                    decision=anew.decision,
                )
            ]
        )

    def _close(self, message_ref: str, state: DeliveryState, why: Canonical) -> None:
        self.attempts.recorder.record(
            [
                MessageClosed(
                    message_ref=message_ref,
                    closed_at=self.now_at(),
                    state=state,
                    error_code=why.value,
                )
            ]
        )


def datetime_of(at: int) -> datetime:
    """Read an instant of the ledger, microseconds since the epoch, as a UTC datetime."""
    return _EPOCH + timedelta(microseconds=at)


_EPOCH = datetime.fromtimestamp(0, UTC)


def _is_passing(rejection: CandidateRejection) -> bool:
    return rejection.passing


def _check_validity(validity: float | None) -> MappedError | None:
    if validity is None or validity > 0:
        return None
    return own_error(Canonical.EXPIRED, f"validity: {validity} s, expected more than 0")


def _explained(decision: Decision | None, error: MappedError | None) -> str:
    """Write the decision as JSON, and beside it what else was wrong with the message."""
    explained = {} if decision is None else decision.to_dict()
    if error is not None:
        explained["refused"] = {"error": error.canonical.value, "rule": error.rule}
    return json.dumps(explained, default=str)


def _tell_as_known(told: Told, outcome: Outcome | LedgerError) -> None:
    told(attrs.evolve(outcome, known=True) if isinstance(outcome, Outcome) else outcome)


def _error(history: MessageHistory) -> MappedError | None:
    """Give why a message that the ledger knows did not pass; None if it did, or may have."""
    for line in history.attempts:
        if line.state is DeliveryState.REFUSED and line.ended is not None:
            return line.ended.error
    code = history.message.error_code
    refused = code and history.message.state is DeliveryState.REFUSED
    return own_error(Canonical(code), "ledger") if refused else None
