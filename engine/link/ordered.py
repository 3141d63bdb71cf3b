"""Many requests over one link, their exchanges given back in the order of the requests.

No task and no wake per message: who iterates sends as much as there is room for, and is woken once for
all that one receive has brought.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol

import attrs
import trio

from whiteroute.engine.session import Closed, Exchange, LocalProtocolError, Session
from whiteroute.pdu import OPERATIONS, RESPONSE_BIT, Pdu, response_id

from .sleeper import Sleeper

LEAST_HELD = 1_000
"""How many exchanges may at least be held because the one before them has not ended. A message that
is lost ends after the response timeout; so many others may pass it. Each is about 1.5 KiB."""

WITHOUT_RESPONSE = frozenset(
    command_id
    for command_id in OPERATIONS
    if not command_id & RESPONSE_BIT and response_id(command_id) is None
)
"""Requests that end with being sent: outbind and alert_notification."""


class Sender(Protocol):
    """What these requests go over: a link."""

    session: Session
    watchers: "set[OrderedExchanges]"
    """Those that wait for something to happen on it."""

    @property
    def closed(self) -> Closed | None:
        """Why it ended; None while it stands."""
        ...

    def sent(self, deadline: float) -> None:
        """Requests were given to the session, the oldest of which has this deadline."""
        ...


@attrs.define(eq=False, repr=False)
class OrderedExchanges:
    """The async iterator that `Link.request_many` gives."""

    _link: Sender
    _source: Iterator[Pdu]
    _most: int
    _context: object
    _waiting: deque[Exchange] = attrs.field(factory=deque, init=False)
    _ready: int = attrs.field(default=0, init=False)
    """How many of the first that wait have ended."""
    _more: bool = attrs.field(default=True, init=False)
    _failure: Exception | None = attrs.field(default=None, init=False)
    _low: int = attrs.field(default=0, init=False)
    """With so many in flight on the link, or fewer, it is time to send more; and whenever all of ours
    have been given back, so that others who use the link cannot keep us from it."""
    _few: int = attrs.field(default=0, init=False)
    """With more of ours than these not given back, it is not."""
    _sleeper: Sleeper = attrs.field(factory=Sleeper, init=False)

    @classmethod
    def over(
        cls, link: Sender, pdus: Iterable[Pdu], in_flight: int | None, context: object
    ) -> "OrderedExchanges":
        """Start to go over these PDUs; nothing is sent yet."""
        if in_flight is not None and in_flight < 1:
            raise ValueError(f"in_flight: {in_flight}, expected at least 1")
        return cls(link, iter(pdus), in_flight or 0, context)

    def __aiter__(self) -> "OrderedExchanges":
        """Give itself."""
        return self

    async def __anext__(self) -> Exchange:
        """Give the next exchange, ended; send more meanwhile."""
        if not self._ready:
            await self._wait()
        self._ready -= 1
        return self._waiting.popleft()

    async def _wait(self) -> None:
        """Send what there is room for, and wait until there is something to give."""
        waiting = self._waiting
        while True:
            if self._more and (
                not waiting
                or (self._link.session.in_flight <= self._low and len(waiting) <= self._few)
            ):
                self._send()
            for exchange in waiting:
                if exchange.end is None and exchange.request.command_id not in WITHOUT_RESPONSE:
                    break
                self._ready += 1
            if self._ready:
                return
            if not waiting and not self._more:
                await trio.lowlevel.checkpoint()
                if self._failure is not None:
                    failure, self._failure = self._failure, None
                    raise failure
                raise StopAsyncIteration
            self._link.watchers.add(self)
            try:
                await self._sleeper.sleep()
            finally:
                self._link.watchers.discard(self)

    def look(self) -> None:
        """Wake who iterates, if there is anything to do; called when the link has taken something."""
        session = self._link.session
        if (
            self._link.closed is not None
            or not self._waiting
            or self._waiting[0].end is not None
            or (self._more and session.in_flight <= self._low and len(self._waiting) <= self._few)
        ):
            self._sleeper.wake()

    def _send(self) -> None:
        """Send what there is room for."""
        session, waiting = self._link.session, self._waiting
        window = session.window
        most = self._most or max(LEAST_HELD, 10 * window)
        self._low, self._few = window // 2, most // 2
        room = min(session.room, most - len(waiting))
        if room <= 0:
            if self._link.closed is not None:
                self._fail(self._link.closed.error)
            elif session.is_unbinding or not session.state.is_bound:
                self._fail(None)
            return
        now, before = trio.current_time(), len(waiting)
        try:
            for pdu in islice(self._source, room):
                waiting.append(session.request(pdu, now, self._context))
        except Exception as error:  # noqa: BLE001 - raised when all that were sent before have ended
            self._failure, self._more = error, False
        else:
            self._more = len(waiting) - before == room
        if len(waiting) > before:
            self._link.sent(waiting[before].deadline)

    def _fail(self, error: Exception | None) -> None:
        session = self._link.session
        found = f"requests as {session.role.value} in {session.state.value}"
        self._failure = error or LocalProtocolError(found, "a bound session")
        self._more = False
