"""A rehearsal as a value: which operators there are, what happens when, and what is to be seen of it.

How it is written in a file is `whiteroute.tools`' matter. Playing one draws no chance of its own: the
same scenario, seed, date and ESME give the same octets.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from heapq import heapify, heappop, heappush
from math import inf

import attrs
import trio

from whiteroute.pdu import ReceiptDialect

from .accounts import Account
from .behaviours import Behaviour
from .handsets import Handsets
from .happenings import CenterEvent, CenterEventKind
from .message_center import MessageCenter


@attrs.frozen(kw_only=True)
class Operator:
    """One message centre of a scenario."""

    accounts: tuple[Account, ...] = ()
    """Who may bind; with none, anybody may with any password."""
    handsets: Handsets = attrs.field(factory=Handsets)
    behaviours: tuple[Behaviour, ...] = ()
    receipt: ReceiptDialect = attrs.field(factory=ReceiptDialect)
    """How it writes receipts."""
    hosts: int = 1
    """At how many ports it listens."""
    interface_version: int = 0x34
    """Told in answers to binds; from 0x50 on it knows broadcasts."""


@attrs.frozen(kw_only=True)
class MobileText:
    """A text that somebody writes from a handset."""

    source_addr: str
    destination_addr: str
    text: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Step:
    """Something that happens at a certain time, once or again and again; what is None is not done."""

    at: float
    """Seconds from the beginning."""
    every: float | None = None
    """Seconds after which it happens again; None: once."""
    times: int | None = None
    """How often in all, with `every`; None: to the end."""
    operator: str = ""
    """Which one; empty: all."""
    behaviours: tuple[Behaviour, ...] | None = None
    """What it does from then on, instead of before."""
    handsets: Handsets | None = None
    """What becomes of messages from then on."""
    mo: MobileText | None = None
    """A handset writes."""
    unbind: bool = False
    """Every bind is unbound by the centre."""


@attrs.frozen(kw_only=True)
class Expectation:
    """How often something has happened by a certain time."""

    event: CenterEventKind
    at: float | None = None
    """Seconds from the beginning; None: at the end."""
    operator: str = ""
    """Which one; empty: all together."""
    to: str | None = None
    """Only about messages to this number."""
    account: str | None = None
    status: int | None = None
    state: str | None = None
    """Only with this state, e.g. `DELIVERED`."""
    at_least: int = 1
    at_most: int | None = None

    def counts(self, event: CenterEvent) -> bool:
        """Tell whether an event is one of those meant."""
        wanted = (
            (self.to, event.destination_addr),
            (self.account, event.account),
            (self.status, event.status),
            (self.state, event.state),
        )
        return event.event is self.event and all(
            want is None or want == found for want, found in wanted
        )

    def judge(self, found: int) -> str | None:
        """Say what is wrong with so many; None if nothing is."""
        if found < self.at_least:
            return f"{self._words()}: {found}, expected at least {self.at_least}"
        if self.at_most is not None and found > self.at_most:
            return f"{self._words()}: {found}, expected at most {self.at_most}"
        return None

    def _words(self) -> str:
        facts = attrs.asdict(
            self, filter=lambda field, value: value is not None and field.name in _FACTS
        )
        said = [
            str(self.event),
            *(f"{name} {value}" for name, value in facts.items() if value != ""),
        ]
        return ", ".join(said)


_FACTS = ("operator", "to", "account", "status", "state")


@attrs.frozen(kw_only=True)
class Scenario:
    """A whole rehearsal."""

    title: str
    teaches: str
    """What whoever rehearses with it will have learned."""
    operators: Mapping[str, Operator]
    seed: int = 1
    duration: float | None = None
    """Seconds until it is over and judged; None: when whoever plays it ends it."""
    timeline: tuple[Step, ...] = ()
    expect: tuple[Expectation, ...] = ()

    def make_centers(
        self,
        on_event: Callable[[str, CenterEvent], None] | None = None,
        seed: int | None = None,
        started_at: datetime | None = None,
    ) -> dict[str, MessageCenter]:
        """Make its message centres, by name; each has a seed of its own.

        Args:
            on_event: Called with the operator's name and each event; it must not wait.
            seed: Instead of the scenario's.
            started_at: What their calendars show at first; None: the real time. Receipts tell dates, so
                only with one given are two runs alike to the octet.
        """
        first = self.seed if seed is None else seed
        centers = {}
        for number, (name, operator) in enumerate(self.operators.items()):
            centers[name] = MessageCenter(
                system_id=name[:15],
                accounts=operator.accounts,
                handsets=operator.handsets,
                behaviours=operator.behaviours,
                receipt=operator.receipt,
                interface_version=operator.interface_version,
                seed=first + number,
                started_at=started_at,
                on_event=None if on_event is None else _named(on_event, name),
            )
        return centers


def _named(
    on_event: Callable[[str, CenterEvent], None], name: str
) -> Callable[[CenterEvent], None]:
    return lambda event: on_event(name, event)


@attrs.define(eq=False)
class Performance:
    """A scenario being played on message centres that are open."""

    scenario: Scenario
    centers: Mapping[str, MessageCenter]
    faults: list[str] = attrs.field(factory=list, init=False)
    """What was expected and did not happen, as sentences."""
    skipped: list[str] = attrs.field(factory=list, init=False)
    """Steps that could not be taken, as sentences: nobody was bound yet."""

    async def run(self) -> None:
        """Play the timeline to the end of the scenario, judging on the way; cancel it to end it."""
        begun_at = trio.current_time()
        order = len(self.scenario.timeline)
        due = [(step.at, number, step, 1) for number, step in enumerate(self.scenario.timeline)]
        heapify(due)
        judged = sorted({each.at for each in self.scenario.expect if each.at is not None} | {inf})
        end = inf if self.scenario.duration is None else self.scenario.duration
        while due or judged[0] < inf:
            at = min(due[0][0] if due else inf, judged[0])
            if at > end:
                break
            await trio.sleep_until(begun_at + at)
            if due and due[0][0] <= at:
                _, _, step, nth = heappop(due)
                await self._take(step)
                if step.every is not None and (step.times is None or nth < step.times):
                    order += 1
                    heappush(due, (at + step.every, order, step, nth + 1))
            else:
                self._judge(judged.pop(0))
        await trio.sleep_until(begun_at + end) if end < inf else await trio.sleep_forever()

    def judge(self) -> list[str]:
        """Judge what is expected at the end; give all that was not as expected, also on the way."""
        self._judge(None)
        return self.faults

    def _judge(self, at: float | None) -> None:
        for expectation in self.scenario.expect:
            if expectation.at != at:
                continue
            found = sum(
                expectation.counts(event)
                for center in self._meant(expectation.operator)
                for event in center.events()
            )
            fault = expectation.judge(found)
            if fault is not None:
                self.faults.append(fault)

    def _meant(self, name: str) -> tuple[MessageCenter, ...]:
        return (self.centers[name],) if name else tuple(self.centers.values())

    async def _take(self, step: Step) -> None:
        for center in self._meant(step.operator):
            if step.behaviours is not None:
                center.behaviours = step.behaviours
            if step.handsets is not None:
                center.handsets = step.handsets
            if step.mo is not None:
                try:
                    center.inject_mo(step.mo.source_addr, step.mo.destination_addr, step.mo.text)
                except ValueError as error:
                    self.skipped.append(f"mo at {step.at:g} s: {error}")
            if step.unbind:
                await center.unbind_all()
