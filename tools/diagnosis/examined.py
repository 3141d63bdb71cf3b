"""What the stages of one examination share: the target, what was seen so far, and to whom it is told."""

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import trio

from whiteroute.engine.carrier import Host
from whiteroute.engine.link import Observer, Timers
from whiteroute.engine.messages import Message
from whiteroute.engine.profile import TransportOptions
from whiteroute.engine.session import SessionSettings
from whiteroute.engine.transport import Address, TransportReport

from .causes import Row, rank
from .cover import Cover
from .observed import Observed
from .probe import ProbedLink, open_probe
from .stage import StageReport
from .target import Target

__all__ = ["Examined", "Wishes"]

NEVER = 1e9
"""Seconds after which a session would ask for signs of life by itself; the stages ask, and nobody else."""


LEAVE_TIMEOUT = 3.0
"""Seconds for leaving in order when somebody interrupts."""


@attrs.frozen(kw_only=True)
class Wishes:
    """What is looked at, and for how long. Durations are seconds."""

    idle: float = 2.0
    timeout: float | None = None
    """For every answer; None: as the profile says."""
    message: Message | None = None
    """To be submitted; None: nothing is."""
    receipt_wait: float = 30.0
    mo_wait: float = 0.0
    """How long to wait for a text from a handset; 0: not at all."""
    patience: float = 0.0
    """After how long a bind that was refused as one too many is asked for once more; 0: never."""
    window_probe: bool = False
    throttle_probe: float = 0.0
    """How long to send at the contract's rate; 0: not at all."""
    watch: float = 0.0
    """How long to hold the bind and watch it; 0: not at all."""
    watch_every: float = 10.0
    """Between two enquire_links of the watch."""


@attrs.define(eq=False, kw_only=True)
class Examined:
    """One host under examination."""

    target: Target
    host: Host
    wishes: Wishes
    rows: tuple[Row, ...]
    tell: Callable[[StageReport], None]
    news: Callable[[str], None]
    """Hears, in one line each, of what happens within a stage that takes long."""
    timers: Timers
    nursery: trio.Nursery
    """Runs the links."""
    observer: Observer | None = None
    seen: Observed = attrs.field(factory=Observed)
    reports: list[StageReport] = attrs.field(factory=list[StageReport])
    address: Address | None = None
    """The one that took a connection."""
    probes: list[ProbedLink] = attrs.field(factory=list[ProbedLink])
    """Those that are bound."""
    started_at: float = attrs.field(factory=trio.current_time)
    _opened: list[ProbedLink] = attrs.field(factory=list[ProbedLink])
    _told: set[str] = attrs.field(factory=set[str])

    @property
    def cover(self) -> Cover:
        """What keeps the password unseen."""
        return Cover(self.target.settings.password)

    @property
    def transport(self) -> TransportOptions:
        """How streams are opened."""
        options, timeout = self.target.transport, self.wishes.timeout
        return options if timeout is None else attrs.evolve(options, connect_timeout=timeout)

    @property
    def session(self) -> SessionSettings:
        """How links are conducted: asking nothing by themselves."""
        settings = attrs.evolve(self.target.settings.session, enquire_link_interval=NEVER)
        timeout = self.wishes.timeout
        if timeout is None:
            return settings
        return attrs.evolve(
            settings,
            response_timeout=timeout,
            session_init_timeout=timeout,
            enquire_link_timeout=timeout,
            unbind_timeout=timeout,
        )

    def transport_report(self) -> TransportReport:
        """Make a report of an opening that looks into TLS, too."""
        return TransportReport(host=self.host.name, port=self.host.port, watches=True)

    def open(self, stream: trio.abc.Stream, name: str) -> ProbedLink:
        """Make a link of a stream, and run it."""
        probe = open_probe(stream, self.session, self.timers, name, self.observer)
        self._opened.append(probe)
        self.nursery.start_soon(self._run, probe)
        return probe

    async def leave(self) -> None:
        """Unbind what is bound, and see to it that every link ends."""
        with trio.move_on_after(LEAVE_TIMEOUT, shield=True):
            for probe in self.probes:
                await probe.link.unbind()
        for probe in self._opened:
            probe.link.close(detail="the examination is over")

    async def _run(self, probe: ProbedLink) -> None:
        # Whoever interrupts ends the stages, not the links: those are left in order by `leave`.
        with trio.CancelScope(shield=True):
            await probe.link.run()

    def report(
        self,
        stage: str,
        ok: bool,
        started_at: float,
        finding: str,
        *,
        status: int | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell how a stage went, with the causes of what it is the first to show."""
        rows = [row for row in self.rows if row.id not in self._told]
        hints = rank(rows, self.seen)
        self._told |= {hint.row for hint in hints}
        report = StageReport(
            stage=stage,
            host=str(self.host),
            ok=ok,
            elapsed=trio.current_time() - started_at,
            finding=self.cover.text(finding),
            status=status,
            hints=hints,
            facts=covered(self.cover, facts or {}),
        )
        self.reports.append(report)
        self.tell(report)

    def note_end(self, stage: str) -> bool:
        """Note whether a bound link has ended, and in which stage.

        Returns:
            Whether every link still stands.
        """
        seen = self.seen
        for probe in self.probes:
            seen.rest = max(seen.rest, probe.rest)
            seen.spoken = seen.spoken or probe.spoken
        seen.received_since_bind = sum(each.pdus - each.pdus_at_bind for each in self.probes)
        seen.enquired = sum(each.enquired for each in self.probes)
        ended = next((each for each in self.probes if each.closed is not None), None)
        if ended is None or ended.closed is None:
            return True
        if seen.closed is None:
            seen.closed = ended.closed.cause
            seen.closed_by_peer_unbind = ended.unbound_by_peer
            seen.was_reset = ended.was_reset
            seen.closed_after = ended.closed_at - ended.bound_at
            seen.closed_in = stage
        return False

    def end_in_words(self) -> str:
        """Say how the link ended."""
        for probe in self.probes:
            closed = probe.closed
            if closed is None:
                continue
            after = f"{probe.closed_at - probe.bound_at:.1f} s after the bind"
            if probe.unbound_by_peer:
                return f"the message centre unbound, {after}"
            if closed.cause.value == "PEER_CLOSED":
                how = "reset" if probe.was_reset else "closed"
                return f"the connection was {how} by the other side, {after}"
            if closed.cause.value == "FRAMING":
                octets = self.cover.octets(probe.noted.latest)
                return f"the stream broke, {after}: {closed.detail}; it began {octets.hex(' ')}"
            return f"the link ended ({closed.cause.value}), {after}"
        return "the link stands"


def covered(cover: Cover, facts: Any) -> Any:  # noqa: ANN401 - what JSON can say
    """Give facts without the password in any of their texts."""
    if isinstance(facts, str):
        return cover.text(facts)
    if isinstance(facts, Mapping):
        return {name: covered(cover, value) for name, value in facts.items()}
    if isinstance(facts, list | tuple):
        return [covered(cover, value) for value in facts]
    return facts
