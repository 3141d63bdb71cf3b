"""What happened at a message centre, told as it happens: to an observer, to waiting tests, to a log.

An event is noted as a plain tuple and becomes a `CenterEvent` only when somebody looks; at full speed
nobody does, and there are three of them for every message.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

import attrs
import trio

from whiteroute.pdu import DeliverSm, MessageState, join_parts, status_name

from .submissions import Submission
from .wall_clock import WallClock


class CenterEventKind(StrEnum):
    """What an event is about."""

    BIND = "bind"
    """A bind was answered; `status` says how."""
    SUBMIT = "submit"
    """A message was answered (or was swallowed on purpose); `status` says how."""
    QUERY = "query"
    CANCEL = "cancel"
    REPLACE = "replace"
    BROADCAST = "broadcast"
    """A broadcast was begun, asked about or cancelled."""
    ALERT = "alert"
    """An alert_notification left: a handset is back."""
    REFUSED = "refused"
    """Another operation was refused: out of place, unknown, or more than we take at once."""
    RECEIPT = "receipt"
    """A receipt left."""
    RECEIPT_ACKNOWLEDGED = "receipt_acknowledged"
    """A receipt was answered with ESME_ROK."""
    MO = "mo"
    """A message from a handset left."""
    MO_ACKNOWLEDGED = "mo_acknowledged"
    DELIVERY_FAILED = "delivery_failed"
    """A deliver_sm was not answered with ESME_ROK; `status` says how, it is missing if there was no
    answer. It is tried again unless all attempts are used up."""
    DELIVERY_GIVEN_UP = "delivery_given_up"
    """A deliver_sm used up all attempts, or did not fit among those that wait for a bind."""
    UNBIND = "unbind"
    """A bind ended in order, by either side."""
    CLOSE = "close"
    """A link ended without unbind; `text` says why."""


@attrs.frozen(kw_only=True)
class CenterEvent:
    """Something that happened at a message centre; facts that do not apply are None."""

    event: CenterEventKind
    at: int
    """UTC microseconds since the epoch."""
    account: str | None = None
    message_id: str | None = None
    source_addr: str | None = None
    destination_addr: str | None = None
    text: str | None = None
    state: str | None = None
    """The message's state by its specification name, e.g. `DELIVERED`."""
    status: int | None = None
    """The command_status of the answer, ours or theirs."""

    def facts(self) -> dict[str, str | int]:
        """Give the facts that apply, in JSON's own types, the status with its name beside it."""
        facts = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        if self.status is not None:
            facts["status_name"] = status_name(self.status)
        return facts


@attrs.define(slots=True, weakref_slot=False, eq=False)
class Mobile:
    """One part of a text from a handset."""

    pdu: DeliverSm

    @property
    def source_addr(self) -> str:
        """The handset's number."""
        return self.pdu.source_addr

    @property
    def destination_addr(self) -> str:
        """What it wrote to."""
        return self.pdu.destination_addr

    @property
    def text(self) -> str:
        """What this part says."""
        return join_parts((self.pdu,))


Noted = tuple[
    CenterEventKind,
    float,
    str | None,
    Submission | Mobile | None,
    MessageState | None,
    int | None,
    str | None,
]
"""Kind, seconds of `trio.current_time`, account, message, state, status, detail."""


@attrs.define(eq=False)
class _Wait:
    fits: Callable[[CenterEvent], bool] | None
    missing: int
    found: list[CenterEvent] = attrs.field(factory=list)
    done: trio.Event = attrs.field(factory=trio.Event)

    def see(self, event: CenterEvent) -> None:
        if self.missing > 0 and (self.fits is None or self.fits(event)):
            self.found.append(event)
            self.missing -= 1
        if self.missing <= 0:
            self.done.set()


@attrs.define(eq=False)
class Happenings:
    """The latest events, and who is told of new ones."""

    clock: WallClock
    on_event: Callable[[CenterEvent], None] | None
    limit: int
    counts: dict[CenterEventKind, int] = attrs.field(init=False)
    """Of each kind, those that are not remembered any more included."""
    _latest: "deque[Noted]" = attrs.field(init=False)
    _waits: dict[CenterEventKind, list[_Wait]] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._latest = deque(maxlen=self.limit)
        self.counts = dict.fromkeys(CenterEventKind, 0)

    def note(
        self,
        kind: CenterEventKind,
        now: float,
        account: str | None,
        message: Submission | Mobile | None = None,
        state: MessageState | None = None,
        status: int | None = None,
        detail: str | None = None,
    ) -> None:
        """Note an event and tell it to whoever wants to know."""
        noted = (kind, now, account, message, state, status, detail)
        self._latest.append(noted)
        self.counts[kind] += 1
        waits = self._waits.get(kind)
        if waits or self.on_event is not None:
            event = self._event(noted)
            if self.on_event is not None:
                self.on_event(event)
            for wait in waits or ():
                wait.see(event)

    def events(self) -> tuple[CenterEvent, ...]:
        """Give the latest events, oldest first."""
        return tuple(self._event(noted) for noted in self._latest)

    async def wait_for(
        self, kind: CenterEventKind, fits: Callable[[CenterEvent], bool] | None, times: int
    ) -> tuple[CenterEvent, ...]:
        """Wait until so many events of a kind have happened that fit; None fits every one.

        Past ones count as far as they are remembered, and for None altogether.
        """
        past = [self._event(noted) for noted in self._latest if noted[0] is kind]
        forgotten = self.counts[kind] - len(past) if fits is None else 0
        wait = _Wait(fits, times - forgotten)
        for event in past:
            wait.see(event)
        if wait.missing <= 0:
            await trio.lowlevel.checkpoint()
        else:
            waits = self._waits.setdefault(kind, [])
            waits.append(wait)
            try:
                await wait.done.wait()
            finally:
                waits.remove(wait)
        return tuple(wait.found)

    def _event(self, noted: Noted) -> CenterEvent:
        kind, now, account, message, state, status, detail = noted
        return CenterEvent(
            event=kind,
            at=self.clock.microsecond_at(now),
            account=account,
            message_id=(message.message_id or None) if isinstance(message, Submission) else None,
            source_addr=message.source_addr if message else None,
            destination_addr=message.destination_addr if message else None,
            text=message.text if message else detail,
            state=state.name if state is not None else None,
            status=status,
        )
