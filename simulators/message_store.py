"""Store and forward: messages get their ids and their fates here, and their receipts are posted.

Which answer an ESME gets is decided before; on which bind a receipt leaves, after.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

import attrs

from whiteroute.pdu import MessageState, ReceiptKind, RegisteredDelivery

from .agenda import Agenda
from .behaviours import Receipts, Surroundings, Told
from .deliveries import make_mobile_originated, make_receipt, wants_receipt
from .handsets import Fate, Handsets
from .happenings import Mobile
from .hooks import Hooks
from .mailbox import Delivery, Mailboxes
from .receipt_writer import ReceiptWriter
from .submissions import OnHandset, Submission, Submissions
from .tallies import Tallies
from .wall_clock import WallClock


@attrs.define(eq=False, kw_only=True)
class MessageStore:
    """The messages of one centre, from their acceptance to their final state."""

    handsets: Handsets
    receipts: ReceiptWriter
    seed: int
    submissions: Submissions
    agenda: Agenda
    mailboxes: Mailboxes
    clock: WallClock
    hooks: Hooks
    validity: float
    """Seconds after which a message is given up whose request names no time of its own."""
    most_numbers: int = 1_000_000
    """How many numbers have their messages counted (about 100 octets each); then it starts anew."""
    accepted: int = attrs.field(default=0, init=False)
    refused: int = attrs.field(default=0, init=False)
    tallies: Tallies = attrs.field(factory=Tallies, init=False)
    """They count over the whole centre."""
    _reference: int = attrs.field(default=0, init=False)
    _messages_to: dict[str, int] = attrs.field(factory=dict, init=False)
    _last_number: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._last_number = Random(self.seed).randrange(10**9, 2 * 10**9)

    def accept(self, submissions: Sequence[Submission]) -> str:
        """Give messages of one request their id, which they share, and remember them.

        Returns:
            The message_id for the response.
        """
        message_id = self.next_message_id()
        receipt_message_id = message_id
        for behaviour in self.hooks.receipt_message_id:
            receipt_message_id = behaviour.receipt_message_id(receipt_message_id)
        for submission in submissions:
            submission.message_id = message_id
            submission.receipt_message_id = receipt_message_id
            self.submissions.add(submission)
        self.accepted += len(submissions)
        return message_id

    def next_message_id(self) -> str:
        """Give an id that no message has yet, unless a behaviour wants it otherwise."""
        self._last_number += 1
        message_id = str(self._last_number)
        for behaviour in self.hooks.message_id:
            message_id = behaviour.message_id(message_id)
        return message_id

    def refuse(self, submissions: Sequence[Submission], command_status: int) -> None:
        """Remember that messages were refused."""
        for submission in submissions:
            submission.command_status = command_status
            submission.state = MessageState.REJECTED
            submission.done_at = submission.submitted_at
            self.submissions.add(submission)
        self.refused += len(submissions)

    def forward(self, submission: Submission, now: float, *, at_once: bool = False) -> None:
        """Let an accepted message meet its fate: after the handset's delay, or at once."""
        counted = self._messages_to
        number = submission.destination_addr
        nth = counted.get(number, 0)
        if not nth and len(counted) >= self.most_numbers:
            counted.clear()
        counted[number] = nth + 1
        fate = self.handsets.fate(number, nth, self.seed)
        if self.hooks.fate:
            around = self._surroundings(now, nth)
            for behaviour in self.hooks.fate:
                fate = behaviour.fate(fate, submission, around)
        timing = submission.timing
        if at_once:
            self._meet(submission, fate, nth, now)
            return
        if timing.starts_in:
            submission.state = MessageState.SCHEDULED
            self.agenda.at(now + timing.starts_in, partial(self._begin, submission))
        delay = timing.starts_in + fate.delay
        expires_in = self.validity if timing.expires_in is None else timing.expires_in
        if delay > expires_in:
            delay = expires_in
            fate = Fate(state=MessageState.EXPIRED, err=fate.err, delay=expires_in)
        self.agenda.at(now + delay, partial(self._meet, submission, fate, nth))
        wanted = submission.request.registered_delivery
        if wanted & RegisteredDelivery.INTERMEDIATE and fate.state is not MessageState.DELIVERED:
            # Centres send it when the first attempt has failed and others will follow.
            self.agenda.at(now + delay / 2, partial(self._tell_intermediate, submission))

    def cancel(self, submission: Submission, now: float) -> None:
        """Delete a waiting message; its receipt tells so."""
        self._settle(submission, MessageState.DELETED, "000", now)

    def _surroundings(self, now: float, nth: int) -> Surroundings:
        return Surroundings(
            now=now, date=self.clock.date_at(now), seed=self.seed, nth=nth, tallies=self.tallies
        )

    def _begin(self, submission: Submission, _now: float) -> None:
        if submission.state is MessageState.SCHEDULED:
            submission.state = MessageState.ENROUTE

    def _meet(self, submission: Submission, fate: Fate, nth: int, now: float) -> None:
        if not submission.is_waiting:
            return
        if fate.state is MessageState.DELIVERED and not fate.dropped:
            self._arrive(submission, nth, now)
        self._settle(submission, fate.state, fate.err, now)

    def _arrive(self, submission: Submission, nth: int, now: float) -> None:
        """Let a handset show the message, and perhaps answer it."""
        hooks = self.hooks.on_handset
        replies = self.handsets.replies
        if not hooks and not replies:
            submission.arrived_at = now
            return
        sent = shown = OnHandset(sender=submission.source_addr, text=submission.text, at=now)
        around = self._surroundings(now, nth)
        for behaviour in hooks:
            altered = behaviour.on_handset(shown, submission, around)
            if altered is None:
                return
            shown = altered
        submission.arrived_at = now
        if shown != sent:
            submission.shown = shown
        number = submission.destination_addr
        for reply in replies:
            # An answer goes to whom the handset shows; a stranger's number never leads back to us.
            if reply.answers(number, shown.text) and shown.sender == sent.sender:
                self.agenda.at(now + reply.delay, partial(self._reply, submission, reply.text))

    def _reply(self, submission: Submission, text: str, now: float) -> None:
        self._reference += 1
        mailbox = self.mailboxes.of(submission.account)
        parts = make_mobile_originated(
            submission.destination_addr, submission.source_addr, text, self._reference
        )
        for part in parts:
            mailbox.post(Delivery(part, Mobile(part), None), now)

    def _settle(self, submission: Submission, state: MessageState, err: str, now: float) -> None:
        submission.state, submission.err, submission.done_at = state, err, now
        if wants_receipt(submission.request.registered_delivery, state):
            self._tell(submission, ReceiptKind.RECEIPT, now)

    def _tell_intermediate(self, submission: Submission, now: float) -> None:
        if submission.is_waiting:
            self._tell(submission, ReceiptKind.INTERMEDIATE, now)

    def _tell(self, submission: Submission, kind: ReceiptKind, now: float) -> None:
        if not self.hooks.tell:
            self._write(submission, submission.state, submission.err, kind, None, now)
            return
        told: tuple[Told, ...] = (Told(state=submission.state, err=submission.err, kind=kind),)
        for behaviour in self.hooks.tell:
            told = behaviour.tell(told, submission)
        for each in told:
            write = partial(
                self._write, submission, each.state, each.err, each.kind, each.message_id
            )
            if each.after > 0:
                self.agenda.at(now + each.after, write)
            else:
                write(now)

    def _write(
        self,
        submission: Submission,
        state: MessageState,
        err: str,
        kind: ReceiptKind,
        message_id: str | None,
        now: float,
    ) -> None:
        done_at = now if submission.done_at is None else submission.done_at
        receipt = make_receipt(
            self.receipts,
            submission,
            state=state,
            err=err,
            kind=kind,
            message_id=submission.receipt_message_id if message_id is None else message_id,
            submitted_at=self.clock.second_at(submission.submitted_at),
            done_at=self.clock.second_at(done_at),
        )
        mailbox = self.mailboxes.of(submission.account)
        if not self.hooks.receipts:
            mailbox.post(Delivery(receipt, submission, state), now)
            return
        receipts: Receipts = (receipt,)
        for behaviour in self.hooks.receipts:
            receipts = behaviour.receipts(receipts, submission)
        for each in receipts:
            mailbox.post(Delivery(each, submission, state), now)
