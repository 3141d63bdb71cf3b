"""What a bind costs that does nothing: its memory, and the CPU time of asking whether the peer is there.

The peer is a process of its own; every link asks it every 30 seconds, spread over the time, as binds do
that came up one after the other. The links stand for a minute at the default pace.
"""

import gc
import resource
import time
import tracemalloc
from collections.abc import Callable, Iterator

import attrs
import trio

from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import Event, Role, Session, SessionSettings
from whiteroute.pdu import BindTransceiver

from .echo_peer import EchoPeer, raise_open_files
from .figure import Figure, Pace, versions

BINDS = 10_000
"""As many as one engine is meant to hold, at the default lap or a longer one; fewer in proportion at a
shorter one, and where fewer files may be open."""
FEWEST = 40
INTERVAL = 30.0
"""Seconds between two enquire_links; the default."""
SPARE_FILES = 100
"""What else is open: the interpreter's own files, Trio's."""
AT_ONCE = 200
"""Binds that are opened at a time."""
SECONDS_PER_LAP = 6_000.0
"""How long the links stand for a lap of one second: a minute for the default of 10 ms."""


@attrs.frozen(kw_only=True)
class _Idle:
    octets: float
    """Live memory of one bind, as Python counts it."""
    cpu: float
    """CPU seconds per second, all binds together."""
    asked: int
    """How many enquire_links passed."""
    stood: float
    """Seconds."""


def measure(pace: Pace, say: Callable[[str], None]) -> Iterator[Figure]:
    """Open as many binds as allowed, let them stand, and tell what they cost."""
    seconds = max(pace.lap * SECONDS_PER_LAP, 1.0)
    wanted = min(BINDS, max(FEWEST, round(BINDS * pace.lap / Pace().lap)))
    allowed = raise_open_files(wanted + SPARE_FILES) - SPARE_FILES
    binds = min(wanted, allowed)
    if binds < wanted:
        say(f"No more than {allowed + SPARE_FILES} files may be open: {binds} binds are measured.")
    with EchoPeer() as peer:
        # In turns: the count of memory makes everything slower.
        memory = trio.run(_stand, peer.address, min(binds, 1_000), 0.0, True)
        idle = trio.run(_stand, peer.address, binds, seconds, False)
    case = f"{binds:,} idle binds"
    yield _figure(case, "memory of one", memory.octets, "octets")
    yield attrs.evolve(
        _figure(case, f"enquire_link every {INTERVAL:.0f} s", 100 * idle.cpu, "% of a core"),
        cpu_s_per_100k=idle.cpu * idle.stood / idle.asked * 1e5 if idle.asked else None,
    )
    yield _figure(case, "enquire_links", idle.asked / idle.stood, "per second")
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield _figure(case, "whole process at most", float(rss), "KiB")


def _figure(case: str, subject: str, value: float, unit: str) -> Figure:
    return Figure(
        bench="idle",
        case=case,
        subject=subject,
        value=value,
        unit=unit,
        runs=1,
        versions=versions(),
    )


def _ignore(_link: Link, _events: list[Event]) -> None:
    pass


async def _stand(address: tuple[str, int], binds: int, seconds: float, counted: bool) -> _Idle:
    timers, links = Timers(), list[Link]()
    settings = SessionSettings(enquire_link_interval=INTERVAL)
    octets = 0.0
    async with trio.open_nursery() as standing:

        async def open_one() -> None:
            stream = await trio.open_tcp_stream(*address)
            session = Session(Role.ESME, settings, trio.current_time())
            link = Link(stream, session, timers, _ignore)
            links.append(link)
            standing.start_soon(link.run)
            await link.request(BindTransceiver(system_id="bench"))

        async def open_some(most: int) -> None:
            async with trio.open_nursery() as opening:
                for _ in range(most):
                    opening.start_soon(open_one)

        standing.start_soon(timers.run)
        await open_some(min(10, binds))
        if counted:
            gc.collect()
            tracemalloc.start()
        warm = len(links)
        while len(links) < binds:
            await open_some(min(AT_ONCE, binds - len(links)))
            # As binds come that are opened one after the other, and not all in one instant.
            await trio.sleep(seconds / binds if not counted else 0)
        if counted:
            gc.collect()
            octets = tracemalloc.get_traced_memory()[0] / max(1, binds - warm)
            tracemalloc.stop()
        sent = _sent(links)
        began, began_at = time.process_time(), time.perf_counter()
        await trio.sleep(seconds)
        cpu, stood = time.process_time() - began, time.perf_counter() - began_at
        asked = _sent(links) - sent
        standing.cancel_scope.cancel()
    return _Idle(octets=octets, cpu=cpu / stood, asked=asked, stood=stood)


def _sent(links: list[Link]) -> int:
    return sum(link.statistics().requests_sent for link in links)
