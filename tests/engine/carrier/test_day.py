"""A day in the life of a carrier: dozens of outages of each kind, none of which keeps it down.

Everything runs in memory on the virtual clock, with Trio's scheduler seeded, so that the same seed gives
the same day to the last event.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.carrier import Carrier, CarrierSettings, Host, LinkChange, OutgoingPart
from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import Exchange
from whiteroute.pdu import CommandStatus, Pdu, SubmitSm
from whiteroute.simulators import MessageCenter, behaviours, open_message_center

DAY = 86_400.0
QUIET_AT = DAY - 3_600.0
"""No outage begins after it, so that what recovers can be seen to have recovered."""

BINDS = 3
PART_INTERVAL = 30.0


# The network.


@attrs.define(eq=False)
class Line:
    """What one connection does with octets."""

    ours: trio.abc.Stream
    theirs: trio.abc.Stream
    is_silent: bool = False
    """Nothing passes, in either direction, and nobody is told."""
    is_deaf: bool = False
    """What the message centre says is lost."""
    is_left: bool = False
    """One end is gone and the other does not know it."""

    def cut(self) -> None:
        """Reset it: both ends hear of it, whatever was silent."""
        for end in (self.ours, self.theirs):
            end.send_stream.close()  # type: ignore[attr-defined]
            end.receive_stream.close()  # type: ignore[attr-defined]


@attrs.define(eq=False)
class End(trio.abc.Stream):
    """One end of a line."""

    inner: trio.abc.Stream
    line: Line
    is_ours: bool

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.line.is_silent or (self.line.is_deaf and not self.is_ours):
            await trio.lowlevel.checkpoint()
        elif self.line.is_left:
            raise trio.BrokenResourceError("connection reset")
        else:
            await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        if self.line.is_silent or self.line.is_deaf:
            self.line.is_left = True
            self.inner.receive_stream.close()  # type: ignore[attr-defined]
            await trio.lowlevel.checkpoint()
        else:
            await self.inner.aclose()


@attrs.define(eq=False)
class Place:
    """A host of the carrier, with all that can happen to it."""

    center: MessageCenter
    nursery: trio.Nursery
    sleep: Callable[[float], Awaitable[None]]
    """On the virtual clock."""
    lines: list[Line] = attrs.field(factory=list)
    connects: str = "at once"
    """`at once`, `refused` or `never`."""

    async def connect(self, patience: float) -> trio.abc.Stream:
        if self.connects == "never":
            await self.sleep(patience)
            raise OSError(f"no answer within {patience:g} s")
        await self.sleep(0.02)
        if self.connects == "refused":
            raise OSError("connection refused")
        line = Line(*trio.testing.memory_stream_pair())
        self.lines = [*(each for each in self.lines[-8:] if not each.is_left), line]
        self.nursery.start_soon(self.center.serve_stream, End(line.theirs, line, is_ours=False))
        return End(line.ours, line, is_ours=True)

    def cut(self) -> None:
        for line in self.lines:
            line.cut()
        self.lines.clear()


Outage = Callable[[Place, float], Any]


async def refused(place: Place, seconds: float) -> None:
    place.connects = "refused"
    place.cut()
    await place.sleep(seconds)
    place.connects = "at once"


async def reset(place: Place, seconds: float) -> None:
    place.cut()


async def silent(place: Place, seconds: float) -> None:
    place.connects = "never"
    lines = list(place.lines)
    for line in lines:
        line.is_silent = True
    await place.sleep(seconds)
    place.connects = "at once"
    for line in lines:
        line.is_silent = False


async def half_open(place: Place, seconds: float) -> None:
    lines = list(place.lines)
    for line in lines:
        line.is_deaf = True
    await place.sleep(seconds)
    for line in lines:
        line.is_deaf = False


async def unbinds(place: Place, seconds: float) -> None:
    await place.center.unbind_all()


async def misbehaves(behaviour: behaviours.Behaviour, place: Place, seconds: float) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(behaves, behaviour, place, seconds)
        nursery.start_soon(unbinds, place, seconds)


async def behaves(behaviour: behaviours.Behaviour, place: Place, seconds: float) -> None:
    place.center.behaviours = (*place.center.behaviours, behaviour)
    await place.sleep(seconds)
    place.center.behaviours = tuple(
        each for each in place.center.behaviours if each is not behaviour
    )


OUTAGES: dict[str, Callable[[], Outage]] = {
    "refused": lambda: refused,
    "reset": lambda: reset,
    "silent": lambda: silent,
    "half-open": lambda: half_open,
    "unbind": lambda: unbinds,
    "already bound": lambda: partial(misbehaves, behaviours.RefuseBind(CommandStatus.ESME_RALYBND)),
    "bind failed": lambda: partial(misbehaves, behaviours.RefuseBind()),
    "throttled": lambda: partial(behaves, behaviours.RefuseSubmits(CommandStatus.ESME_RTHROTTLED)),
    "slow": lambda: partial(behaves, behaviours.SlowResponse(20.0)),
}


# The day.


@attrs.define(eq=False)
class Diary:
    """The owner of the parts, who sends what was refused again, and writes everything down."""

    trace: list[str] = attrs.field(factory=list)
    waiting: set[str] = attrs.field(factory=set)
    """Parts that have not been accepted or come into doubt."""
    in_doubt: int = 0
    accepted: int = 0
    ends: Counter[tuple[str, int]] = attrs.field(factory=Counter)
    """How often each attempt has ended."""

    def note(self, text: str) -> None:
        self.trace.append(f"{trio.current_time():.6f} {text}")

    def write_ahead(self, _carrier: Carrier, parts: list[OutgoingPart], go: Any) -> None:
        go(parts)

    def parts_ended(self, carrier: Carrier, ended: list[tuple[OutgoingPart, Exchange]]) -> None:
        for part, exchange in ended:
            self.ends[part.message_ref, part.attempt] += 1
            status = exchange.command_status
            self.note(f"{part.message_ref} {part.attempt} {exchange.end.value} {status}")
            if exchange.response is None:
                self.in_doubt += 1
                self.waiting.discard(part.message_ref)
                carrier.done_with(part)
            elif status:
                carrier.enqueue_later(part.again(), 1.0)
            else:
                self.accepted += 1
                self.waiting.discard(part.message_ref)

    def parts_not_written(self, carrier: Carrier, parts: list[OutgoingPart]) -> None:
        for part in parts:
            self.note(f"{part.message_ref} not written")
            carrier.enqueue_later(part.again(), 1.0)

    def parts_expired(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        raise AssertionError("nothing expires")

    def parts_left(self, _carrier: Carrier, parts: list[OutgoingPart]) -> None:
        raise AssertionError("nothing is withdrawn")

    def late_response(self, _carrier: Carrier, part: OutgoingPart, _response: Pdu) -> None:
        self.note(f"{part.message_ref} late")

    def arrived(self, _carrier: Carrier, link: Link, pdus: list[Pdu]) -> None:
        raise AssertionError("no receipts were asked for")

    def link_changed(self, change: LinkChange) -> None:
        self.note(f"{change.link} {change.what}: {change.cause}")


@attrs.frozen
class Day:
    """What came of a day."""

    diary: Diary
    happened: Counter[str]
    statistics: Any
    bound_share: float
    """Of the seconds, those in which something could be sent."""
    tasks_left: int
    links_at_centers: list[int]


async def live_through(seed: int, mock_clock: trio.testing.MockClock) -> Day:
    assert trio.current_time() == mock_clock.current_time() == 0
    chance = Random(seed)
    diary = Diary()
    happened: Counter[str] = Counter()
    up: list[bool] = []
    async with trio.open_nursery() as nursery:
        places: dict[str, Place] = {}
        for number in range(3):
            center = MessageCenter(seed=number, started_at=datetime(2026, 11, 22, tzinfo=UTC))
            places[f"mc{number}"] = Place(center, nursery, trio.sleep)

            async def keep(center: MessageCenter = center) -> None:
                async with open_message_center(center, host=None):
                    await trio.sleep_forever()

            nursery.start_soon(keep)

        async def open_stream(host: str, _port: int, options: Any) -> trio.abc.Stream:
            return await places[host].connect(options.connect_timeout)

        timers = Timers()
        carrier = Carrier(
            CarrierSettings(
                name="acme",
                hosts=tuple(Host(name, 2775) for name in places),
                system_id="gateway",
                binds=BINDS,
            ),
            owner=diary,
            arrived=diary.arrived,
            link_changed=diary.link_changed,
            timers=timers,
            random=Random(seed),
            open_stream=open_stream,
        )

        async def send() -> None:
            for number in range(int((QUIET_AT - 100) / PART_INTERVAL)):
                pdu = SubmitSm(
                    source_addr="ACME", destination_addr="34600111222", registered_delivery=0
                )
                diary.waiting.add(f"m-{number}")
                carrier.enqueue([OutgoingPart(f"m-{number}", 1, pdu)])
                await trio.sleep(PART_INTERVAL)

        async def watch() -> None:
            while True:
                up.append(carrier.is_bound)
                await trio.sleep(60)

        async def trouble() -> None:
            names = list(OUTAGES) * 26
            chance.shuffle(names)
            async with trio.open_nursery() as outages:
                for name in names:
                    await trio.sleep(chance.expovariate(len(names) / (QUIET_AT - 2_000)))
                    if trio.current_time() > QUIET_AT - 600:
                        break
                    happened[name] += 1
                    # The first host is where the binds want to be, so it is hit most.
                    where = chance.choices([["mc0"], ["mc1"], ["mc2"], list(places)], (4, 1, 1, 4))
                    diary.note(f"{where} {name}")
                    seconds = chance.uniform(10, 300)
                    for host in where[0]:
                        outages.start_soon(OUTAGES[name](), places[host], seconds)

        nursery.start_soon(timers.run)
        running = trio.CancelScope()

        async def run() -> None:
            with running:
                await carrier.run()

        before = len(nursery.child_tasks)
        nursery.start_soon(run)
        for task in (send, watch, trouble):
            nursery.start_soon(task)
        await trio.sleep_until(DAY)
        statistics = carrier.statistics()
        links = [place.center.statistics().links for place in places.values()]
        await carrier.drain(5)
        await trio.sleep(120)
        # What is left runs for the places and for those who watch.
        tasks_left = len(nursery.child_tasks) - before - 1
        nursery.cancel_scope.cancel()
    return Day(diary, happened, statistics, sum(up) / len(up), tasks_left, links)


def run_day(seed: int) -> Day:
    trio._core._run._r.seed(seed)  # type: ignore[attr-defined]
    clock = trio.testing.MockClock(autojump_threshold=0)
    return trio.run(live_through, seed, clock, clock=clock)


@pytest.fixture(scope="module")
def seeded() -> Iterator[None]:
    """Have Trio schedule by the seed; these are private names of its."""
    scheduler: Any = trio._core._run  # type: ignore[attr-defined]
    if not hasattr(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING") or not hasattr(scheduler, "_r"):
        pytest.skip("this Trio cannot be made to schedule by a seed")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
        yield


@pytest.fixture(scope="module")
def day(seeded: None) -> Day:
    """A day that both tests look at."""
    return run_day(1)


def test_a_day_full_of_outages_ends_well(day: Day) -> None:
    assert all(happened >= 12 for happened in day.happened.values()), day.happened
    assert set(OUTAGES) == set(day.happened)
    # Every attempt ended once, and every part came to something.
    assert {1} == set(day.diary.ends.values())
    assert set() == day.diary.waiting
    assert (0, 0) == (day.statistics.queued, day.statistics.in_flight)
    assert day.diary.accepted + day.diary.in_doubt == int((QUIET_AT - 100) / PART_INTERVAL)
    assert day.diary.in_doubt < 0.1 * day.diary.accepted
    # After the last outage everything is as it should be: all binds, on the first host.
    assert BINDS == day.statistics.bound
    assert {("BOUND", "mc0:2775")} == {
        (bind.phase.value, bind.host) for bind in day.statistics.kept
    }
    assert [BINDS, 0, 0] == day.links_at_centers
    assert 0 == day.tasks_left
    # Four outages in ten are of all hosts at once, which are down for a twelfth of the day by it.
    assert day.bound_share > 0.88


def test_the_same_seed_gives_the_same_day(day: Day, seeded: None) -> None:
    again = run_day(1)

    assert len(day.diary.trace) > 4_000
    assert day.diary.trace == again.diary.trace
    assert day.statistics == again.statistics
