"""Messages through an engine, as far as one wants to wait: for the answer, or for the receipt.

`send` and `demo` both work this way; what they print is their own. What is sent where, and whether
again, is decided by the engine.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from enum import StrEnum
from uuid import uuid4

import attrs
import trio

from whiteroute.engine.messages import FINAL_STATES, DeliveryState, MappedError, Message, Outcome
from whiteroute.engine.service import Engine, EngineEvent, LinkEvent, ReceiptEvent
from whiteroute.routing import NumberError

NO_BOUND = 1_000_000_000
"""More messages than anybody has without an answer."""


class Wait(StrEnum):
    """How far messages are followed."""

    RECEIPT = "receipt"
    """Until the final receipt has come."""
    ACCEPT = "accept"
    """Until the carrier has answered for every part."""
    NONE = "none"
    """Until the ledger has them."""


@attrs.define(eq=False)
class Following:
    """A message on its way."""

    message_ref: str
    carrier: str
    """Empty when no route takes it."""
    outcome: Outcome | None = None
    """None until the carrier has answered."""
    state: DeliveryState | None = None
    """Where the message stands by its receipts; None before the first."""
    error: MappedError | None = None
    """Of the first receipt that told one."""
    parts_heard: set[int] = attrs.field(factory=set)
    """Parts with a final receipt."""


@attrs.define(eq=False, kw_only=True)
class Sending:
    """One run of messages through an engine."""

    engine: Engine
    messages: Iterator[Message]
    wait: Wait
    on_done: Callable[[Outcome], None]
    """Told of each message once, when it is as far as `wait` says."""
    on_news: Callable[[], None] = lambda: None
    """Called when a figure has changed."""
    in_flight: int = 1000
    """Messages without an answer, at most."""
    read: int = 0
    """Messages that the engine was given."""
    accepted: int = 0
    """Messages that a carrier accepted now."""
    receipts: int = 0
    """Final receipts for parts of messages of this run."""
    unanswered: dict[str, Following] = attrs.field(factory=dict, init=False)
    unreceipted: dict[str, Following] = attrs.field(factory=dict, init=False)
    """Accepted, without their final receipt; only if receipts are waited for."""
    left: dict[str, Following] = attrs.field(factory=dict, init=False)
    """Messages that no answer is waited for any more. The ledger says where they stand."""
    failures: dict[str, list[LinkEvent]] = attrs.field(factory=dict, init=False)
    """By carrier, what happened to its binds since one came up last."""
    _open: int = attrs.field(default=0, init=False)
    """How many messages the present `submit_many` has without an answer."""
    _is_read: bool = attrs.field(default=False, init=False)
    _round: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _bound_links: set[str] = attrs.field(factory=set, init=False)
    _all_receipted: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def run(self, within: float) -> None:
        """Send everything, and wait.

        Messages whose carrier cannot be reached are not waited for: they are in `left` afterwards.
        When it is cancelled, so is everything without an answer.

        Args:
            within: Seconds for the receipts, once everything was answered.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, self.engine.events())
            while not self._is_read:
                await self._submit()
            if self.unreceipted:
                with trio.move_on_after(within):
                    await self._all_receipted.wait()
            nursery.cancel_scope.cancel()

    def has_given_up(self, carrier: str) -> bool:
        """Tell whether a carrier has no bind, and each of its hosts has been tried in vain."""
        failures = self.failures.get(carrier, ())
        if not failures or self.engine.carriers[carrier].is_bound:
            return False
        hosts = len(self.engine.config.carriers[carrier].hosts)
        return len(failures) >= hosts or failures[-1].what in ("refused", "stopped")

    # Out.

    async def _submit(self) -> None:
        """Submit until everything is answered, or until nothing more can be for want of binds.

        Messages that cannot move fill `in_flight`; the next call goes on behind them.
        """
        in_flight = NO_BOUND if self.wait is Wait.NONE else self.in_flight
        self._open = 0
        try:
            with trio.CancelScope() as self._round:
                async for outcome in self.engine.submit_many(self._feed(), in_flight=in_flight):
                    self._answered(outcome)
        finally:
            self.left |= self.unanswered
            self.unanswered.clear()

    def _feed(self) -> Iterator[Message]:
        for message in self.messages:
            if message.message_ref is None:
                # Given here, so that a message whose outcome nobody waits for has a name.
                message.message_ref = uuid4().hex
            self.read += 1
            self._open += 1
            self.unanswered[message.message_ref] = Following(
                message.message_ref, self._carrier_of(message)
            )
            self.on_news()
            self._look_for_hope()
            yield message
        self._is_read = True
        self._look_for_hope()

    def _carrier_of(self, message: Message) -> str:
        try:
            route = self.engine.explain(message).chosen
        except NumberError:
            return ""
        return "" if route is None else route.carrier

    def _look_for_hope(self) -> None:
        """End this round if nothing of it can move.

        What was given to the engine is in its hands by the time that this takes effect.
        """
        if self.wait is Wait.NONE:
            if self._is_read:
                self._round.cancel()
        elif self.failures and (self._is_read or self._open >= self.in_flight):
            carriers = {following.carrier for following in self.unanswered.values()}
            if carriers and all(map(self.has_given_up, carriers)):
                self._round.cancel()

    def _answered(self, outcome: Outcome) -> None:
        self._open -= 1
        following = self.unanswered.pop(outcome.message_ref, None)
        if following is None:  # a message_ref that the file has twice; it was answered once
            return
        following.outcome = outcome
        self.accepted += outcome.state is DeliveryState.ACCEPTED and not outcome.known
        waits = self.wait is Wait.RECEIPT and outcome.state is DeliveryState.ACCEPTED
        if waits and not self._is_receipted(following):
            self.unreceipted[outcome.message_ref] = following
        else:
            self._done(following)
        self._look_for_hope()
        self.on_news()

    def _done(self, following: Following) -> None:
        outcome = following.outcome
        assert outcome is not None
        if following.state is not None:
            outcome = attrs.evolve(
                outcome, state=following.state, error=following.error or outcome.error
            )
        self.on_done(outcome)

    # In.

    async def _listen(self, events: AsyncIterator[EngineEvent]) -> None:
        async for event in events:
            if isinstance(event, ReceiptEvent):
                self._receipted(event)
            elif isinstance(event, LinkEvent):
                self._link_changed(event)

    def _receipted(self, event: ReceiptEvent) -> None:
        waiting = self.unreceipted.get(event.message_ref)
        following = waiting or self.unanswered.get(event.message_ref)
        if following is None or event.conflicting:
            return
        following.state = event.state
        if event.error.is_error:
            following.error = following.error or event.error
        if event.part_state in FINAL_STATES and event.part not in following.parts_heard:
            following.parts_heard.add(event.part)
            self.receipts += 1
        if waiting is not None and self._is_receipted(waiting):
            del self.unreceipted[event.message_ref]
            self._done(waiting)
            if not self.unreceipted:
                self._all_receipted.set()
        self.on_news()

    def _is_receipted(self, following: Following) -> bool:
        """Tell whether every receipt has come that this carrier sends for the message."""
        outcome = following.outcome
        if outcome is None or following.state not in FINAL_STATES:
            return False
        profile = self.engine.config.carriers[following.carrier].profile
        expected = outcome.parts if profile.reporting_parts == "all" else 1
        return len(following.parts_heard) >= expected

    def _link_changed(self, event: LinkEvent) -> None:
        if event.what in ("fallback", "suspended", "resumed"):
            return  # neither up nor down by it
        if event.what == "bound":
            self._bound_links.add(event.link)
            self.failures.pop(event.carrier, None)
        elif event.link in self._bound_links:
            # It was lost, and nothing is known yet of whether it comes back.
            self._bound_links.discard(event.link)
        else:
            self.failures.setdefault(event.carrier, []).append(event)
            self._look_for_hope()
