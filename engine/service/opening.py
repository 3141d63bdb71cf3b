"""An engine for as long as a block lasts: its ledger owned, its binds started, all of it ended in order.

What it does meanwhile is in `engine`.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random

import trio

from whiteroute.engine.capture import Capture
from whiteroute.engine.config import Config, ConfigError, ConfigProblem, load_config
from whiteroute.engine.ledger import (
    Ledger,
    LedgerError,
    LedgerReader,
    LedgerStore,
    open_ledger,
    open_ledger_for_reading,
)
from whiteroute.engine.link import Link, Observer
from whiteroute.pdu import Masking, masked

from .engine import DRAIN_TIMEOUT, Engine

__all__ = ["open_engine"]


def utc_microseconds() -> int:
    """The system's clock as the ledger wants it."""
    return time.time_ns() // 1_000


@asynccontextmanager
async def open_engine(
    config: str | Path | Config,
    *,
    ledger: LedgerStore | str | Path | None = None,
    seed: int | None = None,
    now_at: Callable[[], int] = utc_microseconds,
    inline_ledger: bool = False,
    capture: Capture | None = None,
    observer: Observer | None = None,
    masking: Masking = Masking.PRIVATE,
) -> AsyncIterator["Engine"]:
    """Run an engine for as long as the block lasts.

    Attempts which an earlier process left without an outcome are in doubt from the first moment on;
    messages which it took and never tried are sent now. At the end nothing more is sent, answers are
    waited for (at most `DRAIN_TIMEOUT` seconds, cancelled or not), and the binds are unbound. Who
    waits for an outcome then is told how far his message got, and listeners' events end.

    Args:
        config: A TOML file, or what was made of one.
        ledger: Where to remember; default: as the configuration says. What of persons is kept in a
            file is the configuration's to say either way; a store is made with the same `Privacy`.
        seed: For what is drawn at random (jitter, message refs of our own); default: the system's.
        now_at: The clock of the ledger and of routing, in microseconds since the epoch, UTC.
        inline_ledger: Write on the event loop; only for tests under a virtual clock.
        capture: Takes every PDU of every bind, both ways. Default: nobody does.
        observer: Likewise is called with link, direction, octets and Trio's time; it may not wait.
        masking: What the observer does not get to see; a capture has its own. Default: passwords,
            texts and numbers.

    Raises:
        ConfigError: The file cannot be used; it names file and key.
        EncodeError: A carrier's credentials cannot be written into a bind.
        LedgerError: The ledger given cannot be owned or written.
    """
    if not isinstance(config, Config):
        config = await trio.to_thread.run_sync(load_config, config)
    place = config.ledger if ledger is None else ledger
    engine: Engine | None = None
    try:
        async with (
            _open_kept(config, place, inline=inline_ledger, now_at=now_at()) as kept,
            trio.open_nursery() as outer,
        ):
            nursery: trio.Nursery = await outer.start(_hold_nursery)
            try:
                engine = Engine(
                    config,
                    kept,
                    nursery,
                    Random(seed),
                    now_at,
                    open_reader=_reader_of(place),
                    inline=inline_ledger,
                    observer=_observer(capture, observer, masking),
                )
                engine.start()
                try:
                    yield engine
                finally:
                    with trio.CancelScope(shield=True):
                        await engine.drain(DRAIN_TIMEOUT)
                    engine.stop()
            finally:
                nursery.cancel_scope.cancel()
    finally:
        # Only now has the ledger told everything that it could write.
        if engine is not None:
            engine.close()


def _observer(
    capture: Capture | None, observer: Observer | None, masking: Masking
) -> Observer | None:
    """Make one observer of what was asked for; None where nobody looks."""
    if observer is None:
        return None if capture is None else capture.observe

    def observe(link: Link, outgoing: bool, octets: bytes, now: float) -> None:
        if capture is not None:
            capture.observe(link, outgoing, octets, now)
        observer(link, outgoing, masked(octets, masking), now)

    return observe


async def _hold_nursery(
    task_status: "trio.TaskStatus[trio.Nursery]" = trio.TASK_STATUS_IGNORED,
) -> None:
    """Hold a nursery which cancellation from outside does not reach.

    What the application does in its block can be cancelled; the links must live on until the drain
    is over, or every answer that is out would be lost with them.
    """
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            task_status.started(nursery)
            await trio.sleep_forever()


def _reader_of(place: LedgerStore | str | Path) -> Callable[[], LedgerReader]:
    if isinstance(place, str | Path):
        return partial(open_ledger_for_reading, place)
    return place.open_reader


@asynccontextmanager
async def _open_kept(
    config: Config, place: LedgerStore | str | Path, *, inline: bool, now_at: int
) -> AsyncIterator[Ledger]:
    """Own the ledger; where the configuration named one that cannot be owned, say where it did."""
    is_owned = False
    try:
        async with open_ledger(place, inline=inline, now_at=now_at, privacy=config.privacy) as kept:
            is_owned = True
            yield kept
    except LedgerError as error:
        if is_owned or place is not config.ledger or not config.source:
            raise
        problem = ConfigProblem(
            "engine.ledger", f"{error.where}: {error.found}", f"expected {error.expected}"
        )
        raise ConfigError(config.source, (problem,)) from error
