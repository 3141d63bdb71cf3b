"""What sending costs, beside a bare blocking socket with the same codec; one process sends to another.

The peer answers what it gets, and is measured too: it must never be what holds the senders up. A rate
is what was seen, and depends on what else the machine does; the figures per core-second count only the
CPU time of the sending process. Nothing is remembered durably.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median

import attrs

from .echo_peer import EchoPeer
from .figure import Figure, Pace, versions
from .senders import Load, Sender, blast, request, request_many, send_in_a_loop, send_naively

LOOP = "blocking loop"
"""The reference: what Python and this codec can do at all."""
MANY = "Link.request_many"
AWAIT = "await Link.request"
NAIVE = "naive Trio client"

SECONDS_PER_LAP = 25.0
"""A round of one sender lasts as many laps as this: one message is too little to measure."""

_COSTS = {MANY: 5e-6, AWAIT: 12e-6, NAIVE: 120e-6, LOOP: 4e-6}
"""CPU seconds that a message takes at most, about, at a wide window: what a round is cut after."""


@attrs.frozen(kw_only=True)
class _Case:
    binds: int
    window: int
    senders: Mapping[str, Sender]

    @property
    def name(self) -> str:
        binds = "1 bind" if self.binds == 1 else f"{self.binds} binds"
        return f"{binds}, window {self.window}"


_OURS: Mapping[str, Sender] = {MANY: request_many, AWAIT: request}
_BESIDE: Mapping[str, Sender] = {LOOP: send_in_a_loop, **_OURS}
CASES = (
    _Case(binds=1, window=1, senders=_BESIDE),
    _Case(binds=1, window=10, senders=_BESIDE),
    _Case(binds=1, window=100, senders={**_BESIDE, NAIVE: send_naively}),
    _Case(binds=1, window=1_000, senders={LOOP: send_in_a_loop, MANY: request_many}),
    _Case(binds=10, window=100, senders=_OURS),
    _Case(binds=100, window=100, senders=_OURS),
    _Case(binds=10, window=10, senders=_OURS),
    _Case(binds=100, window=10, senders=_OURS),
)
"""All are measured in turns, so that what else the machine does meets all of them."""


@attrs.frozen
class _Taken:
    """What one round of one sender took."""

    cpu: float
    """CPU seconds per message, of this process."""
    clock: float
    """Seconds per message."""
    peer: float
    """CPU seconds per message, of the peer."""


def measure(pace: Pace, say: Callable[[str], None]) -> Iterator[Figure]:
    """Measure the peer, then every case."""
    with EchoPeer() as peer:
        yield from _peer(peer, pace)
        taken: dict[tuple[str, str], list[_Taken]] = {}
        for _ in range(pace.rounds):
            for case in CASES:
                for subject, sender in case.senders.items():
                    load = _load(case, subject, pace)
                    one = _send(peer, sender, load)
                    taken.setdefault((case.name, subject), []).append(one)
    for case in CASES:
        rounds = {subject: taken[case.name, subject] for subject in case.senders}
        yield from _figures(case, rounds, taken)
    say(
        "The peer's CPU time is not counted in; per core-second means per second of this process's"
        " CPU time, a rate is what was seen."
    )


def _load(case: _Case, subject: str, pace: Pace) -> Load:
    least = case.binds * case.window
    cost = _COSTS[subject] * (15 if case.window == 1 and subject != NAIVE else 1)
    wanted = pace.lap * SECONDS_PER_LAP / cost
    return Load(
        binds=case.binds, window=case.window, messages=least * max(1, round(wanted / least))
    )


def _send(peer: EchoPeer, sender: Sender, load: Load) -> _Taken:
    marks: list[tuple[float, float]] = []
    before = peer.cpu_seconds()
    sender(peer.address, load, lambda: marks.append((time.process_time(), time.perf_counter())))
    (cpu, clock), (cpu_after, clock_after) = marks
    return _Taken(
        (cpu_after - cpu) / load.messages,
        (clock_after - clock) / load.messages,
        (peer.cpu_seconds() - before) / load.messages,
    )


def _peer(peer: EchoPeer, pace: Pace) -> Iterator[Figure]:
    """Show what the peer can do, and what it needs for it."""
    for window, wanted in ((1, 20e3), (100, 400e3)):
        messages = window * max(1, round(wanted * pace.lap * SECONDS_PER_LAP / window))
        load = Load(window=window, messages=messages)
        rounds = [_send(peer, blast, load) for _ in range(pace.rounds)]
        case = f"the peer, window {window}"
        yield _figure(case, "octets made before", _rate(rounds), "messages/s", rounds)
        cost = median(each.peer for each in rounds)
        yield attrs.evolve(
            _figure(case, "the peer itself", 1 / max(cost, 1e-9), "per core-second", rounds),
            cpu_s_per_100k=cost * 1e5,
        )


def _rate(rounds: list[_Taken]) -> float:
    return 1 / median(each.clock for each in rounds)


def _per_core_second(rounds: list[_Taken]) -> float:
    return 1 / median(each.cpu for each in rounds)


def _figures(
    case: _Case,
    rounds: Mapping[str, list[_Taken]],
    taken: Mapping[tuple[str, str], list[_Taken]],
) -> Iterator[Figure]:
    """Give a case's figures beside the loop's, or, with several binds, beside those of one bind."""
    one_bind = attrs.evolve(case, binds=1).name
    for subject, each in rounds.items():
        if case.binds > 1:
            beside, other = f"{subject}, 1 bind", taken[one_bind, subject]
        else:
            beside, other = LOOP, rounds[LOOP]
        for value, reference, unit in (
            (_per_core_second(each), _per_core_second(other), "per core-second"),
            (_rate(each), _rate(other), "messages/s"),
        ):
            made = _figure(case.name, subject, value, unit, each)
            if subject != beside:
                made = attrs.evolve(made, reference=beside, ratio=value / reference)
            yield made


def _figure(case: str, subject: str, value: float, unit: str, rounds: list[_Taken]) -> Figure:
    return Figure(
        bench="submit",
        case=case,
        subject=subject,
        value=value,
        unit=unit,
        cpu_s_per_100k=median(each.cpu for each in rounds) * 1e5,
        runs=len(rounds),
        versions=versions(),
    )
