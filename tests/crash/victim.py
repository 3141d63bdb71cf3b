"""The process that is killed: an engine under load on a ledger of its own, which says what it is told.

`run.py` starts it again and again on the same ledger, each time with its orders as one JSON object on
its input. What it says on its output, a JSON object per line, is what an application had been told by
then.
"""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count

import trio

from whiteroute.engine.config import Config, parse_config
from whiteroute.engine.ledger import SqliteStore
from whiteroute.engine.messages import Message
from whiteroute.engine.service import Engine, open_engine

LONG_EVERY = 7
"""Each so many messages one takes two parts."""

COMMITS_LATE = 8
"""After so many batches a ledger that is sabotaged commits them."""


def destination(number: int) -> str:
    """Give each message a number of its own, so that both sides can tell it by that."""
    return f"34600{number:07d}"


def message(number: int, policy: str) -> Message:
    """Make a message; each of its parts says what no other part says."""
    text = f"message {number}"
    if not number % LONG_EVERY:
        text += " and the rest of it" * 10 + f", end of {number}"
    return Message(
        to=f"+{destination(number)}",
        sender="ACME",
        text=text,
        message_ref=f"m-{number}",
        duplicate_policy=policy,  # type: ignore[arg-type]
    )


def say(**facts: object) -> None:
    """Tell it to whoever started us, at once."""
    print(json.dumps(facts), flush=True)  # noqa: T201


def die() -> None:
    """End as if the machine's memory had run out."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_at_statement(store: SqliteStore, nth: int) -> None:
    """Die as the n-th SQL statement begins: before, within or after a transaction."""
    numbers = count(1)

    def trace(_statement: str) -> None:
        if next(numbers) == nth:
            die()

    store._connection.set_trace_callback(trace)


def die_at_write(nth: int) -> None:
    """Die in the n-th write to a message centre, with half of its octets gone."""
    numbers, write = count(1), os.write

    def dying(file: int, octets: bytes) -> int:
        if next(numbers) == nth:
            write(file, octets[: len(octets) // 2])
            die()
        return write(file, octets)

    os.write = dying  # type: ignore[assignment]


def commit_late(store: SqliteStore) -> None:
    """Break the first two promises: acknowledge batches that are not committed yet."""
    numbers, connection = count(1), store._connection

    @contextmanager
    def lazily() -> Iterator[None]:
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        yield
        if not next(numbers) % COMMITS_LATE:
            connection.execute("COMMIT")

    store._transaction = lazily  # type: ignore[method-assign]


@asynccontextmanager
async def opened(config: Config, orders: dict[str, object]) -> AsyncIterator[Engine]:
    """Open the engine on its file, with the fuse that the orders ask for."""
    fuse, nth = orders.get("fuse"), int(str(orders.get("nth", 0)))
    if fuse == "write":
        die_at_write(nth)
    if fuse != "statement" and orders.get("sabotage") != "commits late":
        async with open_engine(config) as engine:
            yield engine
        return
    store = SqliteStore(config.ledger)
    if fuse == "statement":
        die_at_statement(store, nth)
    else:
        commit_late(store)
    try:
        async with open_engine(config, ledger=store) as engine:
            yield engine
    finally:
        store.close()


async def tell_events(engine: Engine, *, task_status: "trio.TaskStatus[None]") -> None:
    """Keep events flowing, as an application does."""
    events = engine.events()
    task_status.started()
    async for _ in events:
        pass


async def send(engine: Engine, numbers: Iterable[int], orders: dict[str, object]) -> None:
    """Send messages for as long as there are any, and tell each outcome."""
    policy = "allow" if orders.get("sabotage") == "allows duplicates" else "hold"
    messages = (message(number, policy) for number in numbers)
    async for outcome in engine.submit_many(messages, in_flight=int(str(orders["in_flight"]))):
        say(
            told=outcome.message_ref,
            state=str(outcome.state),
            message_ids=[each for each in outcome.message_ids if each],
        )


async def main() -> None:
    """Do as ordered."""
    orders = json.loads(sys.stdin.read())
    config = parse_config(orders["config"], folder=".")
    async with opened(config, orders) as engine, trio.open_nursery() as nursery:
        say(
            recovered=[
                [doubt.message_ref, doubt.part, doubt.attempt] for doubt in engine.ledger.recovered
            ]
        )
        await nursery.start(partial(tell_events, engine))
        end = orders.get("end")
        numbers: Callable[[int], Iterable[int]] = (
            count if end is None else lambda start: range(start, end)
        )
        await send(engine, numbers(orders["start"]), orders)
        missing = await engine.wait_receipts(orders["patience"])
        say(finished=True, receipts_missing=missing)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
