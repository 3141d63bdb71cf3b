"""Store and forward: messages get their ids and their fates here, and their receipts are posted.

Which answer an ESME gets is decided before; on which bind a receipt leaves, after.
"""

from collections.abc import Sequence
from functools import partial
from random import Random

import attrs

from whiteroute.pdu import MessageState, ReceiptKind, RegisteredDelivery

from .agenda import Agenda
from .behaviours import Behaviour, Receipts
from .deliveries import make_receipt, wants_receipt
from .handsets import Fate, Handsets
from .mailbox import Delivery, Mailboxes
from .receipt_writer import ReceiptWriter
from .submissions import Submission, Submissions
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
    behaviours: tuple[Behaviour, ...] = ()
    most_numbers: int = 1_000_000
    """How many numbers have their messages counted (about 100 octets each); then it starts anew."""
    accepted: int = attrs.field(default=0, init=False)
    refused: int = attrs.field(default=0, init=False)
    _messages_to: dict[str, int] = attrs.field(factory=dict, init=False)
    _last_number: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._last_number = Random(self.seed).randrange(10**9, 2 * 10**9)

    def accept(self, submissions: Sequence[Submission]) -> str:
        """Give messages of one request their id, which they share, and remember them.

        Returns:
            The message_id for the response.
        """
        self._last_number += 1
        message_id = str(self._last_number)
        for behaviour in self.behaviours:
            message_id = behaviour.message_id(message_id)
        receipt_message_id = message_id
        for behaviour in self.behaviours:
            receipt_message_id = behaviour.receipt_message_id(receipt_message_id)
        for submission in submissions:
            submission.message_id = message_id
            submission.receipt_message_id = receipt_message_id
            self.submissions.add(submission)
        self.accepted += len(submissions)
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
        if at_once:
            self._meet(submission, fate, now)
            return
        self.agenda.at(now + fate.delay, partial(self._meet, submission, fate))
        wanted = submission.request.registered_delivery
        if wanted & RegisteredDelivery.INTERMEDIATE and fate.state is not MessageState.DELIVERED:
            # Centres send it when the first attempt has failed and others will follow.
            self.agenda.at(now + fate.delay / 2, partial(self._tell_intermediate, submission))

    def cancel(self, submission: Submission, now: float) -> None:
        """Delete a waiting message; its receipt tells so."""
        self._settle(submission, MessageState.DELETED, "000", now)

    def _meet(self, submission: Submission, fate: Fate, now: float) -> None:
        if submission.is_waiting:
            self._settle(submission, fate.state, fate.err, now)

    def _settle(self, submission: Submission, state: MessageState, err: str, now: float) -> None:
        submission.state, submission.err, submission.done_at = state, err, now
        if wants_receipt(submission.request.registered_delivery, state):
            self._tell(submission, ReceiptKind.RECEIPT, now)

    def _tell_intermediate(self, submission: Submission, now: float) -> None:
        if submission.is_waiting:
            self._tell(submission, ReceiptKind.INTERMEDIATE, now)

    def _tell(self, submission: Submission, kind: ReceiptKind, now: float) -> None:
        receipts: Receipts = (
            make_receipt(
                self.receipts,
                submission,
                kind,
                submitted_at=self.clock.second_at(submission.submitted_at),
                done_at=self.clock.second_at(now),
            ),
        )
        for behaviour in self.behaviours:
            receipts = behaviour.receipts(receipts, submission)
        mailbox = self.mailboxes.of(submission.account)
        for each in receipts:
            mailbox.post(Delivery(each, submission, submission.state), now)
