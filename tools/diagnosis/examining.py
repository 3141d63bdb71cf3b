"""An examination of one host, stage after stage, and the verdict on all that was seen."""

from collections.abc import Callable

import trio

from whiteroute.engine.carrier import Host
from whiteroute.engine.link import Observer, Timers
from whiteroute.engine.upkeep import Rung
from whiteroute.pdu import status_name

from .binding import bind, bind_pdu, operations_of
from .causes import Row, rank
from .examined import Examined, Wishes
from .holding import enquire, idle, unbind
from .messaging import probe_throttle, probe_window, submit, wait_for_mo
from .reaching import check_arguments, reach
from .stage import StageReport, Verdict
from .target import Target
from .watching import watch

__all__ = ["Examination", "examine"]


async def examine(
    target: Target,
    host: Host,
    wishes: Wishes,
    rows: tuple[Row, ...],
    tell: Callable[[StageReport], None],
    observer: Observer | None = None,
    news: Callable[[str], None] = lambda _line: None,
) -> "Examination":
    """Examine one host; what is cancelled leaves in order first.

    Args:
        target: The account.
        host: One of its hosts.
        wishes: What to look at.
        rows: What may be behind symptoms.
        tell: Hears of each stage when it is over.
        observer: Sees every PDU.
        news: Hears of what happens within a stage that takes long.

    Raises:
        TargetError: A credential cannot be written into a bind.
    """
    async with trio.open_nursery() as nursery:
        timers, keeping_time = Timers(), trio.CancelScope(shield=True)

        async def keep_time() -> None:
            with keeping_time:
                await timers.run()

        nursery.start_soon(keep_time)
        on = Examined(
            target=target,
            host=host,
            wishes=wishes,
            rows=rows,
            tell=tell,
            news=news,
            timers=timers,
            nursery=nursery,
            observer=observer,
        )
        try:
            await _stages(on)
        finally:
            await on.leave()
            keeping_time.cancel()
        nursery.cancel_scope.cancel()
    return Examination(on)


async def _stages(on: Examined) -> None:
    settings, wishes = on.target.settings, on.wishes
    version = settings.profile.bind.interface_version
    operation = operations_of(on.target, Rung(settings.bind, version))[1][0]
    check_arguments(on, bind_pdu(on.target, operation, version))
    stream = await reach(on)
    if stream is None or not await bind(on, stream):
        return
    stands = await enquire(on)
    stands = stands and (not wishes.idle or await idle(on))
    message, tps = wishes.message, settings.tps
    if message is not None:
        stands = stands and await submit(on, message)
    if wishes.mo_wait:
        stands = stands and await wait_for_mo(on)
    if message is not None and tps is not None:
        if wishes.window_probe:
            stands = stands and await probe_window(on, message, tps)
        if wishes.throttle_probe:
            stands = stands and await probe_throttle(on, message, tps)
    if wishes.watch:
        stands = stands and await watch(on)
    if stands:
        await unbind(on)


class Examination:
    """What an examination has shown."""

    def __init__(self, on: Examined) -> None:
        """Keep what was seen."""
        self.on = on
        self.seen = on.seen
        self.reports = tuple(on.reports)

    def verdict(self) -> Verdict:
        """Say what it all comes to."""
        on, seen = self.on, self.seen
        failed = [report for report in self.reports if not report.ok]
        hints = rank(on.rows, seen)
        last = seen.last_attempt
        if not seen.bound_as:
            if last is None:
                stage = failed[-1] if failed else self.reports[-1]
                sentence = f"No bind at {on.host}: {stage.stage} failed, {stage.finding}."
            elif last.command_status is not None:
                name = status_name(last.command_status)
                sentence = f"{on.host} refuses the bind with {name} ({last.command_status:#04x})."
            else:
                how = {"silent": "does not answer the bind", "broken": "answers no SMPP"}
                told = how.get(last.end, "closes the connection instead of answering the bind")
                sentence = f"{on.host} {told}."
        elif failed:
            stages = ", ".join(dict.fromkeys(report.stage for report in failed))
            sentence = f"{on.host} takes the bind, and then fails at {stages}."
        else:
            assert last is not None
            how = {"trx": "a transceiver", "tx": "a transmitter", "rx": "a receiver"}
            bound = how.get(seen.bound_as, "a transmitter and a receiver")
            version = last.interface_version
            sentence = (
                f"Bound at {on.host} as {bound} by SMPP {version >> 4}.{version & 0xF},"
                " and everything that was tried works."
            )
        return Verdict(sentence=on.cover.text(sentence), exit=1 if failed else 0, hints=hints)
