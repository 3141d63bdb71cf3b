"""The stages of a bind that carries no messages: enquire_link both ways, idling, and the end in order."""

from contextlib import suppress
from typing import Final

import trio

from whiteroute.engine.session import CloseCause, Exchange, LocalProtocolError
from whiteroute.pdu import EnquireLink

from .examined import Examined
from .observed import Answered
from .probe import ProbedLink

LONG_IDLE: Final = 10.0
"""Seconds without a word after which the peer is asked once more whether it is still there."""

__all__ = ["ask_for_life", "enquire", "idle", "unbind"]


async def ask_for_life(probe: ProbedLink) -> Answered:
    """Send one enquire_link, and say how it was answered."""
    asked_at = trio.current_time()
    exchange: Exchange | None = None
    # Raised where the link has ended, or the peer unbinds.
    with suppress(LocalProtocolError):
        exchange = await probe.ask(EnquireLink())
    answered = exchange is not None and exchange.response is not None
    return Answered(took=trio.current_time() - asked_at, is_answered=answered)


async def enquire(on: Examined) -> bool:
    """Ask whether the peer is there, over each link.

    Returns:
        Whether the links still stand.
    """
    started_at = trio.current_time()
    answers = [await ask_for_life(probe) for probe in on.probes]
    stands = on.note_end("enquire_link")
    if stands:
        on.seen.enquiries += answers
    good = stands and all(each.is_answered for each in answers)
    if good:
        finding = "answered in " + ", ".join(f"{each.took * 1000:.1f} ms" for each in answers)
    elif stands:
        finding = f"no answer within {max(each.took for each in answers):.1f} s"
    else:
        finding = on.end_in_words()
    on.report("enquire_link", good, started_at, finding)
    return stands


async def idle(on: Examined) -> bool:
    """Send nothing for a while, and see what the peer does.

    Returns:
        Whether the links still stand.
    """
    started_at = trio.current_time()
    deadline = started_at + on.wishes.idle
    for probe in on.probes:
        await probe.wait_for(lambda: False, max(0.0, deadline - trio.current_time()))
    on.seen.deliveries_at_bind = sum(len(each.deliveries) for each in on.probes)
    stands = on.note_end("idle")
    answers = [each.is_answered for each in on.seen.enquiries]
    if stands and on.wishes.idle >= LONG_IDLE and all(answers):
        on.seen.enquiries += [await ask_for_life(probe) for probe in on.probes]
        stands = on.note_end("idle")
    if stands:
        words = [f"nothing was sent for {on.wishes.idle:g} s, and the link stands"]
        times = on.seen.enquired
        words.append(f"the peer sent enquire_link {times} times" if times else "it asked nothing")
        if on.seen.deliveries_at_bind:
            words.append(f"{on.seen.deliveries_at_bind} deliveries came and were acknowledged")
        finding = ", ".join(words)
    else:
        finding = on.end_in_words()
    on.report(
        "idle",
        stands,
        started_at,
        finding,
        facts={
            "enquire_links_of_peer": on.seen.enquired,
            "deliveries": on.seen.deliveries_at_bind,
        },
    )
    return stands


async def unbind(on: Examined) -> None:
    """Leave in order."""
    started_at = trio.current_time()
    closed = [await probe.link.unbind() for probe in on.probes]
    took = trio.current_time() - started_at
    answered = all(each.cause is CloseCause.UNBIND for each in closed)
    on.seen.unbind = Answered(took=took, is_answered=answered)
    for probe in on.probes:
        on.seen.rest = max(on.seen.rest, probe.rest)
        on.seen.spoken = on.seen.spoken or probe.spoken
    on.seen.received_since_bind = sum(each.pdus - each.pdus_at_bind for each in on.probes)
    if any(each.cause is CloseCause.FRAMING for each in closed):
        on.note_end("unbind")
        finding = on.end_in_words()
    elif answered:
        finding = f"answered in {took * 1000:.1f} ms"
    elif any(each.cause is CloseCause.PEER_CLOSED for each in closed):
        finding = "the connection was closed instead of an answer"
    else:
        finding = f"no answer within {took:.1f} s"
    on.report("unbind", answered, started_at, finding)
