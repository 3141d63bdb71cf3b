"""What remembering costs: messages with a ledger beside messages without one, and what a ledger can do.

The peer is in another process, and everything is on disk (`synchronous` FULL) when it counts as done. A
rate is what was seen, and depends on what else the machine and its disk do; the figures per core-second
count all threads of this process, so they hide what two cores can do at once.

`python -m whiteroute.tools.benches.ledger` measures what takes long: `--messages` how memory grows, `--rows`
how one message is found among many.
"""

import argparse
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from statistics import median

import attrs
import trio

from whiteroute.engine.ledger import SqliteStore, open_ledger_for_reading
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    MessageTaken,
    ReceiptArrived,
)
from whiteroute.engine.service import Engine

from .echo_peer import EchoPeer
from .figure import Figure, Pace, versions
from .ledgers import Lag, bound_engine, run_until_killed, submit, write_ahead
from .senders import Address, Load, Sender, Stopwatch, request_many

PEER = "whiteroute.tools.benches.numbering_peer"

LINK = "Link.request_many"
"""The reference: no ledger."""
AHEAD = "attempts in a ledger"
TAKEN = "messages, attempts in a ledger"
ENGINE = "Engine.submit_many"
RECEIPTS = "receipts"

SECONDS_PER_LAP = 100.0
"""As in the bench `submit`."""

_COSTS = {LINK: 5e-6, AHEAD: 40e-6, TAKEN: 50e-6, ENGINE: 200e-6}
"""CPU seconds that a message takes, about: what a round is cut after."""

WINDOWS = (100, 1_000)
IN_FLIGHT = 2_000
"""Messages of `submit_many` without an outcome: two windows, so that one is on disk when the other is out."""

KEPT_FIRST = 0.25
"""This part of the messages is sent before memory is looked at: caches fill, arenas grow."""


@attrs.frozen
class _Taken:
    """What one round of one subject took."""

    cpu: float
    """CPU seconds per message, of this process."""
    clock: float
    """Seconds per message."""
    lag: float | None = None
    """Seconds by which the event loop was late, 99 times of 100 at most."""


def measure(pace: Pace, say: Callable[[str], None]) -> Iterator[Figure]:
    """Measure sending and receiving, then memory, look-up, and the start after a kill."""
    taken: dict[tuple[int, str], list[_Taken]] = {}
    with EchoPeer(PEER) as peer:
        for _ in range(pace.rounds):
            for window in WINDOWS:
                for subject, one in _round(peer, window, pace).items():
                    taken.setdefault((window, subject), []).append(one)
        for window in WINDOWS:
            yield from _figures(
                f"window {window}",
                {subject: each for (of, subject), each in taken.items() if of == window},
            )
        yield grown(peer, _messages(ENGINE, WINDOWS[-1], pace))
        yield from found(_messages(LINK, WINDOWS[-1], pace))
        yield ready_again(peer.address)
    say(
        "Everything is on disk when it is counted. A ratio of rates depends on how many cores are free."
    )


# Sending and receiving.


def _messages(subject: str, window: int, pace: Pace) -> int:
    wanted = pace.lap * SECONDS_PER_LAP / _COSTS[subject]
    return window * max(1, round(wanted / window))


def _round(peer: EchoPeer, window: int, pace: Pace) -> dict[str, _Taken]:
    taken: dict[str, _Taken] = {}
    taken[LINK] = _send(peer.address, request_many, window, _messages(LINK, window, pace))
    for subject, is_taken_before in ((AHEAD, True), (TAKEN, False)):
        with tempfile.TemporaryDirectory() as folder:
            lag = Lag()
            sender = partial(
                write_ahead,
                path=Path(folder) / "ledger.db",
                lag=lag,
                is_taken_before=is_taken_before,
            )
            number = _messages(subject, window, pace)
            sent = _send(peer.address, sender, window, number)
            taken[subject] = attrs.evolve(sent, lag=lag.worst_of_hundred)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        number = _messages(ENGINE, window, pace)
        taken |= trio.run(_through_engine, peer, window, path, number)
    return taken


def _send(address: Address, sender: Sender, window: int, number: int) -> _Taken:
    marks: list[tuple[float, float]] = []
    sender(address, Load(window=window, messages=number), _marking(marks))
    return _between(marks, number)


def _marking(marks: list[tuple[float, float]]) -> Stopwatch:
    return lambda: marks.append((time.process_time(), time.perf_counter()))


def _between(marks: list[tuple[float, float]], number: int) -> _Taken:
    (cpu, clock), (cpu_after, clock_after) = marks
    return _Taken((cpu_after - cpu) / number, (clock_after - clock) / number)


async def _through_engine(
    peer: EchoPeer, window: int, path: Path, number: int
) -> dict[str, _Taken]:
    """Send through an engine, then have the peer deliver all receipts at once."""
    taken: dict[str, _Taken] = {}
    lag = Lag()
    async with bound_engine(peer.address, window, path, lag) as engine:
        marks: list[tuple[float, float]] = []
        stopwatch = _marking(marks)
        stopwatch()
        await submit(engine, number, min(IN_FLIGHT, 2 * window))
        stopwatch()
        taken[ENGINE] = attrs.evolve(_between(marks, number), lag=lag.worst_of_hundred)
        marks.clear()
        lag.seen.clear()
        stopwatch()
        acknowledged, refused = (await trio.to_thread.run_sync(peer.ask, "receipts")).split()
        stopwatch()
        assert (number, 0) == (int(acknowledged), int(refused)), (acknowledged, refused)
        taken[RECEIPTS] = attrs.evolve(_between(marks, number), lag=lag.worst_of_hundred)
    return taken


def _figures(case: str, rounds: Mapping[str, list[_Taken]]) -> Iterator[Figure]:
    for subject, each in rounds.items():
        for unit, of in (
            ("per core-second", lambda one: one.cpu),
            ("messages/s", lambda one: one.clock),
        ):
            value, reference = (1 / median(map(of, those)) for those in (each, rounds[LINK]))
            figure = _figure(case, subject, value, unit, len(each))
            figure = attrs.evolve(figure, cpu_s_per_100k=median(one.cpu for one in each) * 1e5)
            if subject != LINK:
                figure = attrs.evolve(figure, reference=LINK, ratio=value / reference)
            yield figure
        lags = [one.lag for one in each if one.lag is not None]
        if lags:
            yield _figure(
                f"{case}: the loop is late, p99", subject, median(lags) * 1e3, "ms", len(each)
            )


def _figure(case: str, subject: str, value: float, unit: str, runs: int) -> Figure:
    return Figure(
        bench="ledger",
        case=case,
        subject=subject,
        value=value,
        unit=unit,
        runs=runs,
        versions=versions(sqlite=sqlite3.sqlite_version),
    )


# Memory.


def grown(peer: EchoPeer, number: int) -> Figure:
    """Send many messages, with their receipts, and see how much each of them leaves in memory."""
    before, after = trio.run(_grow, peer, number)
    sent = number - int(number * KEPT_FIRST)
    return _figure(
        f"memory, {number:,} messages", ENGINE, (after - before) / sent, "octets each", 1
    )


async def _grow(peer: EchoPeer, number: int) -> tuple[int, int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        async with bound_engine(peer.address, WINDOWS[-1], path, Lag()) as engine:
            first = int(number * KEPT_FIRST)
            await _send_and_hear(peer, engine, first)
            before = resident_octets()
            await _send_and_hear(peer, engine, number - first)
            return before, resident_octets()


async def _send_and_hear(peer: EchoPeer, engine: Engine, number: int) -> None:
    """Send messages, some at a time, and wait for the receipts of each time."""
    step = 50_000
    for start in range(0, number, step):
        await submit(engine, min(step, number - start), IN_FLIGHT)
        await trio.to_thread.run_sync(peer.ask, "receipts")


def resident_octets() -> int:
    """Give the memory that this process has now, or has had at most where that cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return pages * os.sysconf("SC_PAGE_SIZE")


# Look-up.


def found(number: int) -> Iterator[Figure]:
    """Make a ledger of many messages, and look single ones up."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        make_ledger(path, number)
        chance = Random(1)
        took: list[float] = []
        with closing(open_ledger_for_reading(path)) as reader:
            for _ in range(1_000):
                message_ref = reference(chance.randrange(1, number + 1))
                begun = time.perf_counter()
                history = reader.message(message_ref)
                took.append(time.perf_counter() - begun)
                assert history is not None, message_ref
                assert history.receipts, message_ref
    took.sort()
    case = f"one message of {number:,} looked up"
    yield _figure(case, "median", median(took) * 1e6, "µs", 1)
    yield _figure(case, "p99", took[len(took) * 99 // 100] * 1e6, "µs", 1)


def reference(number: int) -> str:
    """Name a message of `make_ledger`."""
    return f"m-{number:09}"


_NUMBERED = {
    "number": "n",
    "message": "n",
    "message_ref": "printf('m-%09d', n)",
    "message_id": "printf('%012x', n * 7919)",
    "message_id_key": "printf('%012x', n * 7919)",
}
"""What differs between the messages of `make_ledger`, by column."""


def make_ledger(path: Path, number: int) -> None:
    """Make a ledger of messages that are all delivered: one as an engine writes it, and its copies."""
    at = time.time_ns() // 1_000
    key = f"{7919:012x}"
    store = SqliteStore(path)
    store.write(
        [
            MessageTaken(
                message_ref=reference(1),
                to="34600111222",
                sender="ACME",
                text="Your code is 271828, valid for 5 minutes",
                taken_at=at,
                carrier="bench",
                route="bench-es",
            ),
            AttemptStarted(message_ref=reference(1), carrier="bench", started_at=at),
            AttemptEnded(
                message_ref=reference(1),
                ended_at=at,
                outcome=AttemptOutcome.ACCEPTED,
                message_id=key,
                message_id_key=key,
            ),
            ReceiptArrived(
                carrier="bench",
                message_id=key,
                message_id_key=key,
                message_state=2,
                stat="DELIVRD",
                received_at=at,
                octets=b"x" * 120,
            ),
        ]
    )
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        for table in ("messages", "attempts", "receipts"):
            columns = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(_NUMBERED.get(column, column) for column in columns)
            connection.execute(
                f"INSERT INTO {table} ({', '.join(columns)})"  # noqa: S608 - its own columns
                " WITH RECURSIVE numbers (n) AS"
                " (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)"
                f" SELECT {values} FROM numbers CROSS JOIN"
                f" (SELECT {', '.join(columns)} FROM {table} LIMIT 1)",
                (number,),
            )
        connection.execute("PRAGMA journal_mode = WAL")


# After a kill.


def ready_again(address: Address) -> Figure:
    """Kill an engine under load, and see how soon another one is bound: from the start of its process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with _engine(address, path, every=5_000) as killed:
            for wanted in ("bound", "accepted"):
                assert _said(killed) == wanted
            killed.kill()
        begun = time.perf_counter()
        with _engine(address, path, every=0) as again:
            assert _said(again) == "bound"
            took = time.perf_counter() - begun
    return _figure("ready again after SIGKILL", "a new process", took * 1e3, "ms", 1)


def _engine(address: Address, path: Path, *, every: int) -> "subprocess.Popen[str]":
    arguments = ("--engine", str(path), "--port", str(address[1]), "--every", str(every))
    return subprocess.Popen(
        [sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE, text=True
    )


def _said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# What takes long.


def main() -> None:
    """Read the command line, and measure what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, help="send so many, and see how memory grows")
    parser.add_argument("--rows", type=int, help="look up one message among so many")
    parser.add_argument("--engine", type=Path, help="run an engine on this ledger, until killed")
    parser.add_argument("--port", type=int, help="of its peer")
    parser.add_argument("--every", type=int, default=0, help="messages after which it says so")
    options = parser.parse_args()
    if options.engine is not None:
        trio.run(run_until_killed, ("127.0.0.1", options.port), options.engine, options.every)
    figures: list[Figure] = []
    if options.messages is not None:
        with EchoPeer(PEER) as peer:
            figures.append(grown(peer, options.messages))
    if options.rows is not None:
        figures += found(options.rows)
    for figure in figures:
        sys.stdout.write(f"{figure.case}: {figure.subject}, {figure.value:,.1f} {figure.unit}\n")


if __name__ == "__main__":
    main()
