"""What one account is owed: its receipts and messages from handsets, until they are acknowledged.

Kept by account, not by bind: they leave on any receiving bind of the account, wait while there is
none, and come again when they were not taken. What they say is decided elsewhere.
"""

from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial

import attrs

from whiteroute.engine.link import Link
from whiteroute.engine.session import Exchange, ExchangeEnd
from whiteroute.pdu import CommandStatus, DataSm, DeliverSm, MessageState

from .agenda import Agenda
from .happenings import CenterEventKind, Happenings, Mobile
from .submissions import Submission
from .tallies import Tallies
from .ways import Way

LONGEST_RETRY_DELAY = 3600.0
"""Seconds between two attempts at most, however often the delay has doubled."""


@attrs.define(slots=True, weakref_slot=False, eq=False)
class Delivery:
    """One deliver_sm (or data_sm) that must arrive."""

    pdu: DeliverSm | DataSm
    message: Submission | Mobile
    state: MessageState | None
    """What the receipt tells; None for a message from a handset."""
    attempts: int = 0
    acknowledged: bool = False


@attrs.define(eq=False, kw_only=True)
class Mailbox:
    """One account's deliveries and the binds it has."""

    account: str
    agenda: Agenda
    happenings: Happenings
    retry_delay: float
    attempts: int
    limit: int
    binds: int = attrs.field(default=0, init=False)
    """How many binds of any kind the account has now."""
    tallies: Tallies = attrs.field(factory=Tallies, init=False)
    sent: int = attrs.field(default=0, init=False)
    acknowledged: int = attrs.field(default=0, init=False)
    carries: Callable[[Way, Submission], bool] | None = attrs.field(default=None, init=False)
    """Which ways a receipt prefers; None: any."""
    _receivers: "deque[tuple[Link, Way]]" = attrs.field(factory=deque, init=False)
    _unwritten: dict[Link, float] = attrs.field(factory=dict, init=False)
    """Links with something to write, and when its answer is due."""
    _ready: "deque[Delivery]" = attrs.field(factory=deque, init=False)

    @property
    def can_deliver(self) -> bool:
        """Whether a receiving bind is there."""
        return bool(self._receivers)

    @property
    def waiting(self) -> int:
        """How many deliveries wait for a receiving bind, or for room in its window."""
        return len(self._ready)

    def add_receiver(self, link: Link, way: Way, now: float) -> None:
        """Deliver on this link from now on, first of all what has waited."""
        self._receivers.append((link, way))
        self.send(now)

    def remove_receiver(self, link: Link) -> None:
        """Deliver no more on this link; one that never received is no matter."""
        for receiver in self._receivers:
            if receiver[0] is link:
                self._receivers.remove(receiver)
                return

    def forget_bind(self, _now: float) -> None:
        """Count one bind less."""
        self.binds -= 1

    def post(self, delivery: Delivery, now: float) -> None:
        """Deliver as soon as a window has room."""
        if len(self._ready) >= self.limit:
            self._note(CenterEventKind.DELIVERY_GIVEN_UP, delivery, now)
            return
        self._ready.append(delivery)
        self.send(now)

    def send(self, now: float) -> None:
        """Send what waits, as far as the windows have room; the binds take turns."""
        while self._ready:
            link = self._next_receiver(self._ready[0])
            if link is None:
                return
            delivery = self._ready.popleft()
            if delivery.attempts:
                # The session may still know the earlier attempt's PDU by its sequence_number.
                delivery.pdu = copy(delivery.pdu)
            delivery.attempts += 1
            exchange = link.session.request(delivery.pdu, now, delivery)
            if not self._unwritten:
                self.agenda.at_end(self._write)
            self._unwritten.setdefault(link, exchange.deadline)
            self.sent += 1
            if isinstance(delivery.message, Submission):
                delivery.message.receipts_sent += 1
                self._note(CenterEventKind.RECEIPT, delivery, now)
            else:
                self._note(CenterEventKind.MO, delivery, now)

    def ended(self, exchange: Exchange, now: float) -> None:
        """Take the end of one attempt, and send more now that its window has room."""
        delivery = exchange.context
        assert isinstance(delivery, Delivery)
        status = exchange.command_status
        if exchange.end is ExchangeEnd.ANSWERED and status == CommandStatus.ESME_ROK:
            self._acknowledge(delivery, now)
        else:
            self._retry(delivery, status, now)
        self.send(now)

    def answered_late(self, exchange: Exchange, now: float) -> None:
        """Take an answer that came after its time: if it says yes, nothing is sent again."""
        delivery = exchange.context
        assert isinstance(delivery, Delivery)
        if exchange.command_status == CommandStatus.ESME_ROK and not delivery.acknowledged:
            self._acknowledge(delivery, now)

    def _write(self) -> None:
        """Write what was sent in this pass: one write for all of a link, not one for each receipt."""
        unwritten, self._unwritten = self._unwritten, {}
        for link, deadline in unwritten.items():
            link.sent(deadline)

    def _next_receiver(self, delivery: Delivery) -> Link | None:
        receivers = self._receivers
        second_best: Link | None = None
        for _ in range(len(receivers)):
            link, way = receivers[0]
            receivers.rotate(-1)
            if not link.session.room:
                continue
            if self.carries is None or not isinstance(delivery.message, Submission):
                return link
            if self.carries(way, delivery.message):
                return link
            second_best = second_best or link
        return second_best

    def _acknowledge(self, delivery: Delivery, now: float) -> None:
        delivery.acknowledged = True
        self.acknowledged += 1
        kind = CenterEventKind.MO_ACKNOWLEDGED
        if isinstance(delivery.message, Submission):
            delivery.message.receipts_acknowledged += 1
            kind = CenterEventKind.RECEIPT_ACKNOWLEDGED
        self._note(kind, delivery, now, CommandStatus.ESME_ROK)

    def _retry(self, delivery: Delivery, status: int | None, now: float) -> None:
        self._note(CenterEventKind.DELIVERY_FAILED, delivery, now, status)
        if delivery.attempts >= self.attempts:
            self._note(CenterEventKind.DELIVERY_GIVEN_UP, delivery, now, status)
            return
        delay = min(self.retry_delay * 2 ** (delivery.attempts - 1), LONGEST_RETRY_DELAY)
        self.agenda.at(now + delay, partial(self._again, delivery))

    def _again(self, delivery: Delivery, now: float) -> None:
        if not delivery.acknowledged:
            self.post(delivery, now)

    def _note(
        self, kind: CenterEventKind, delivery: Delivery, now: float, status: int | None = None
    ) -> None:
        self.happenings.note(kind, now, self.account, delivery.message, delivery.state, status)


@attrs.define(eq=False, kw_only=True)
class Mailboxes:
    """All accounts' mailboxes, each from the account's first bind on, or earlier if asked for."""

    agenda: Agenda
    happenings: Happenings
    retry_delay: float
    attempts: int
    limit: int
    """Deliveries that wait in one mailbox, at most."""
    carries: Callable[[Way, Submission], bool] | None = attrs.field(default=None, init=False)
    """Which ways a receipt prefers; None: any."""
    _by_account: dict[str, Mailbox] = attrs.field(factory=dict, init=False)

    def of(self, account: str) -> Mailbox:
        """Give an account's mailbox, new if there was none."""
        mailbox = self._by_account.get(account)
        if mailbox is None:
            mailbox = self._by_account[account] = Mailbox(
                account=account,
                agenda=self.agenda,
                happenings=self.happenings,
                retry_delay=self.retry_delay,
                attempts=self.attempts,
                limit=self.limit,
            )
            mailbox.carries = self.carries
        return mailbox

    def prefer(self, carries: Callable[[Way, Submission], bool] | None) -> None:
        """Have receipts prefer some ways from now on; None: any."""
        self.carries = carries
        for mailbox in self:
            mailbox.carries = carries

    def first_for_mo(self) -> Mailbox | None:
        """Give the first that has a receiving bind, or else the first, or None."""
        receiving = (each for each in self if each.can_deliver)
        return next(receiving, next(iter(self), None))

    def __contains__(self, account: str) -> bool:
        return account in self._by_account

    def __iter__(self) -> Iterator[Mailbox]:
        return iter(self._by_account.values())
