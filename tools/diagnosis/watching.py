"""A bind held and watched: how long enquire_link takes, when the link dropped, and who closed it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from statistics import median
from typing import Final

import attrs
import trio

from whiteroute.engine.transport import TransportError
from whiteroute.engine.upkeep import Backoff, BindFailure, Rung, failure_of

from .binding import bind_with, operations_of
from .examined import Examined
from .holding import ask_for_life
from .opening import open_again
from .probe import ProbedLink

__all__ = ["Drop", "sparkline", "watch"]

BARS: Final = "▁▂▃▄▅▆▇█"
SPARKS: Final = 40
"""Letters of a sparkline; longer series are summed up by their worst."""
KEPT_LATENCIES: Final = 100_000


@attrs.frozen
class Drop:
    """A link that ended, or a bind that could not be had again."""

    at: datetime
    """UTC."""
    held_for: float
    """Seconds; 0 for a bind that failed."""
    how: str

    def to_dict(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {"at": self.at.isoformat(), "held_s": round(self.held_for, 1), "how": self.how}


def sparkline(values: Sequence[float], letters: int = SPARKS) -> str:
    """Draw a series as one line of bars, each the worst of its share."""
    if not values:
        return ""
    count = min(letters, len(values))
    shares = [
        max(values[len(values) * at // count : max(len(values) * (at + 1) // count, 1)])
        for at in range(count)
    ]
    top = max(shares) or 1.0
    return "".join(
        BARS[min(len(BARS) - 1, int(value / top * (len(BARS) - 1) + 0.5))] for value in shares
    )


async def watch(on: Examined) -> bool:
    """Hold the bind, ask for life now and then, and bind anew when it is lost.

    Returns:
        Whether the links stand at the end.
    """
    started_at = trio.current_time()
    ends_at = started_at + on.wishes.watch
    latencies: list[float] = []
    drops: list[Drop] = []
    missed = 0
    while (now := trio.current_time()) < ends_at:
        for probe in on.probes:
            answer = await ask_for_life(probe)
            if answer.is_answered:
                latencies.append(answer.took)
                del latencies[:-KEPT_LATENCIES]
            elif probe.closed is None:
                missed += 1
        if any(probe.closed is not None for probe in on.probes):
            _note(on, drops, _drop(on))
            await _bind_anew(on, ends_at, drops)
            continue
        until = min(ends_at, now + on.wishes.watch_every)
        await on.probes[0].wait_for(lambda: False, max(0.0, until - trio.current_time()))
    stands = bool(on.probes) and all(probe.closed is None for probe in on.probes)
    if any(probe.closed is not None for probe in on.probes):
        _note(on, drops, _drop(on))
        on.note_end("watch")
    held = trio.current_time() - started_at
    words = [f"{held:.0f} s, {len(drops)} drops"]
    words += [f"{drop.at:%H:%M:%S} UTC after {drop.held_for:.0f} s: {drop.how}" for drop in drops]
    if latencies:
        ordered = sorted(latencies)
        words.append(
            f"enquire_link {len(latencies)} answered ({missed} not), median"
            f" {median(ordered) * 1000:.1f} ms, 95 % under"
            f" {ordered[len(ordered) * 95 // 100] * 1000:.1f} ms, worst {ordered[-1] * 1000:.1f} ms"
            f" {sparkline(latencies)}"
        )
    on.report(
        "watch",
        stands and not drops and not missed,
        started_at,
        "; ".join(words),
        facts={
            "drops": [drop.to_dict() for drop in drops],
            "answered": len(latencies),
            "unanswered": missed,
            "latency_ms": [round(each * 1000, 3) for each in latencies[-1000:]],
        },
    )
    return stands


def _note(on: Examined, drops: list[Drop], drop: Drop) -> None:
    drops.append(drop)
    on.news(on.cover.text(f"{drop.at:%Y-%m-%d %H:%M:%S} UTC  {drop.how}"))


def _drop(on: Examined) -> Drop:
    on.note_end("watch")
    ended = next(probe for probe in on.probes if probe.closed is not None)
    return Drop(datetime.now(UTC), ended.closed_at - ended.bound_at, on.end_in_words())


async def _bind_anew(on: Examined, ends_at: float, drops: list[Drop]) -> None:
    """Bind again as it was bound before, no faster than the profile allows."""
    for probe in on.probes:
        await probe.link.unbind()
    on.probes = []
    backoff = Backoff(on.target.settings.profile.rebind)
    failure, chance = BindFailure.NETWORK, Random()
    last = on.seen.last_attempt
    assert last is not None
    assert on.address is not None
    rung = Rung("trx" if on.seen.bound_as == "trx" else "tx+rx", last.interface_version)
    while True:
        delay = backoff.next_delay(failure, chance.random())
        if delay is None or trio.current_time() + delay >= ends_at:
            await trio.sleep_until(ends_at)
            return
        await trio.sleep(delay)
        probes: list[ProbedLink] = []
        try:
            for operation in operations_of(on.target, rung)[1]:
                stream = await open_again(
                    on.address, on.host.name, on.transport, on.transport_report()
                )
                probe, attempt, _ = await bind_with(on, stream, operation, rung)
                if attempt.end != "accepted":
                    failure = failure_of(attempt.command_status or 0)
                    _note(on, drops, Drop(datetime.now(UTC), 0.0, f"bind again: {attempt.end}"))
                    break
                probes.append(probe)
            else:
                on.probes = probes
                return
        except TransportError as error:
            failure = BindFailure.NETWORK
            _note(on, drops, Drop(datetime.now(UTC), 0.0, f"connect again: {error.found}"))
        for probe in probes:
            await probe.link.unbind()
