"""Outages and uptime, worked out from what was noted when links came up and went down.

Nothing is stored twice: an outage is what lies between the news that a link is gone and the news that
it is back. It is told for each link, and for a carrier as a whole, which is up as long as one bind is
up on which messages can leave.

What nobody watched is told as *unobserved*, and is neither uptime nor outage. That is the time in
which no engine ran, the time from an engine's start to the first news of a link, and, after a crash,
the time from the engine's last sign of life to the next start. An outage that was open when an engine
ended is over with it, as far as anybody knows; if the carrier is still gone at the next start, that is
another one.

What we wanted ourselves (`RootCause.OURS`: suspended, drained, removed) is told as *withheld*, and is
neither uptime nor outage.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from math import inf
from typing import Final

import attrs

from whiteroute.engine.session import CloseCause
from whiteroute.pdu import CommandStatus

from .records import LinkChanged, RootCause

__all__ = [
    "EngineRun",
    "Outage",
    "OutageEnd",
    "OutagePhase",
    "Uptime",
    "find_outages",
    "measure_uptime",
    "root_cause_of",
]

_DOWN: Final = frozenset({"lost", "refused", "unreachable", "stopped", "suspended"})
_SECOND: Final = 1e6


@attrs.frozen(kw_only=True)
class EngineRun:
    """A stretch of time in which an engine watched the links."""

    started_at: int
    seen_at: int
    """Its last sign of life."""


class OutageEnd(StrEnum):
    """How an outage ended."""

    BOUND = "BOUND"
    """The link, or one of the carrier's, was bound again."""
    UNOBSERVED = "UNOBSERVED"
    """The engine ended, and nobody knows how long it went on."""
    OPEN = "OPEN"
    """It has not ended."""


@attrs.frozen(kw_only=True)
class OutagePhase:
    """A stretch of an outage with one cause."""

    began_at: int
    ended_at: int | None
    """None while it is open."""
    root_cause: RootCause
    cause: str
    """For people, as it was told first."""
    link: str
    """Whose news it was."""
    host: str
    command_status: int | None


@attrs.frozen(kw_only=True)
class Outage:
    """A link, or a whole carrier, was not to be had. Instants are microseconds since the epoch."""

    carrier: str
    link: str
    """Empty for the carrier as a whole."""
    began_at: int
    ended_at: int | None
    """None while it is open."""
    end: OutageEnd
    phases: tuple[OutagePhase, ...]
    """One after the other: a link may be lost by silence, then refused, then unreachable."""

    @property
    def root_cause(self) -> RootCause:
        """The cause that lasted longest; one that is open counts as the longest."""
        return max(self.phases, key=_length).root_cause

    @property
    def was_wanted(self) -> bool:
        """Whether all of it was our own doing."""
        return all(phase.root_cause is RootCause.OURS for phase in self.phases)

    def touches(self, since_at: float, until_at: float) -> bool:
        """Say whether any of it lies in some time."""
        return self.began_at < until_at and (self.ended_at is None or self.ended_at > since_at)


@attrs.frozen(kw_only=True)
class Uptime:
    """How a carrier was within some time. Durations are seconds, and add up to all of it."""

    carrier: str
    since_at: int
    until_at: int
    up: float
    """At least one bind was up on which messages can leave."""
    down: float
    withheld: float
    """We did not want it up."""
    unobserved: float
    """Nobody watched, or nothing was known yet."""
    down_by_cause: Mapping[RootCause, float]
    """The parts of `down`, the longest first."""
    outages: int
    """How many touched this time, those of our own doing left out."""
    open_outages: tuple[Outage, ...]
    """Those that have not ended yet."""

    @property
    def share(self) -> float | None:
        """The share of the time in which it was up, 0 to 1, of the time in which it should have been
        and somebody watched; None when there was no such time.
        """
        wanted = self.up + self.down
        return self.up / wanted if wanted else None


def find_outages(
    changes: Iterable[LinkChanged],
    runs: Sequence[EngineRun],
    *,
    is_running: bool = False,
    by_link: bool = False,
) -> tuple[Outage, ...]:
    """Find every outage.

    Args:
        changes: In the order in which they were written, from the start of the first run on.
        runs: Oldest first.
        is_running: The last run goes on, so what is down at its end is still down.
        by_link: Each link for itself, instead of each carrier as a whole.

    Returns:
        The outages in the order in which they began.
    """
    tracks = _follow(changes, runs, is_running=is_running, by_link=by_link)
    found = [
        Outage(
            carrier=track.carrier,
            link=track.link,
            began_at=spell.began_at,
            ended_at=None if spell.end is OutageEnd.OPEN else spell.ended_at,
            end=spell.end,
            phases=tuple(spell.phases),
        )
        for track in tracks
        for spell in track.spells
        if spell.phases
    ]
    return tuple(sorted(found, key=_when))


def measure_uptime(
    carrier: str,
    changes: Iterable[LinkChanged],
    runs: Sequence[EngineRun],
    *,
    since_at: int,
    until_at: int,
    is_running: bool = False,
) -> Uptime:
    """Add up how a carrier was in some time.

    Args:
        carrier: Its name.
        changes: As for `find_outages`; those of other carriers are left out.
        runs: Likewise.
        since_at: Where the time begins.
        until_at: Where it ends; not in the future.
        is_running: The last run went on until `until_at` at least.
    """
    if is_running and runs:
        seen_at = max(runs[-1].seen_at, until_at)
        runs = (*runs[:-1], attrs.evolve(runs[-1], seen_at=seen_at))
    mine = [change for change in changes if change.carrier == carrier]
    up = withheld = down = 0
    causes: dict[RootCause, int] = {}
    outages: list[Outage] = list(find_outages(mine, runs, is_running=is_running))
    for track in _follow(mine, runs, is_running=is_running, by_link=False):
        for spell in track.spells:
            if not spell.phases:
                up += _overlap(spell.began_at, spell.ended_at, since_at, until_at)
            for phase in spell.phases:
                ended_at = spell.ended_at if phase.ended_at is None else phase.ended_at
                length = _overlap(phase.began_at, ended_at, since_at, until_at)
                if phase.root_cause is RootCause.OURS:
                    withheld += length
                else:
                    down += length
                    causes[phase.root_cause] = causes.get(phase.root_cause, 0) + length
    touching = [
        outage for outage in outages if not outage.was_wanted and outage.touches(since_at, until_at)
    ]
    return Uptime(
        carrier=carrier,
        since_at=since_at,
        until_at=until_at,
        up=up / _SECOND,
        down=down / _SECOND,
        withheld=withheld / _SECOND,
        unobserved=(until_at - since_at - up - down - withheld) / _SECOND,
        down_by_cause={
            cause: length / _SECOND
            for cause, length in sorted(causes.items(), key=lambda item: -item[1])
            if length
        },
        outages=len(touching),
        open_outages=tuple(outage for outage in touching if outage.end is OutageEnd.OPEN),
    )


# Naming causes

_STAGES: Final = {
    "dns": RootCause.NAME,
    "tcp": RootCause.UNREACHABLE,
    "proxy": RootCause.UNREACHABLE,
    "tls": RootCause.TLS,
}
_STATUSES: Final[Mapping[int, RootCause]] = {
    CommandStatus.ESME_RALYBND: RootCause.ALREADY_BOUND,
    CommandStatus.ESME_RINVPASWD: RootCause.CREDENTIALS,
    CommandStatus.ESME_RINVSYSID: RootCause.CREDENTIALS,
    CommandStatus.ESME_RINVSYSTYP: RootCause.CREDENTIALS,
}
_CLOSE_CAUSES: Final = {
    CloseCause.UNBIND: RootCause.PEER_UNBOUND,
    CloseCause.PEER_CLOSED: RootCause.PEER_CLOSED,
    CloseCause.SILENCE: RootCause.SILENCE,
    CloseCause.FRAMING: RootCause.PROTOCOL,
    CloseCause.SESSION_INIT_TIMEOUT: RootCause.BIND_UNANSWERED,
    CloseCause.INACTIVITY: RootCause.OURS,
    CloseCause.UNBIND_TIMEOUT: RootCause.OURS,
    CloseCause.BIND_REFUSED: RootCause.BIND_REFUSED,
    CloseCause.LOCAL: RootCause.OURS,
}


def root_cause_of(
    *,
    stage: str | None = None,
    command_status: int | None = None,
    close_cause: CloseCause | None = None,
    wanted: bool = False,
) -> RootCause:
    """Name the cause of a link that is not up, by the most telling of what is known.

    Args:
        stage: Where opening a stream failed: `dns`, `tcp`, `proxy` or `tls`.
        command_status: The bind's answer, other than ESME_ROK.
        close_cause: Why the session ended. An unbind is taken for the peer's.
        wanted: We unbound, suspended, drained or removed it.
    """
    if wanted:
        return RootCause.OURS
    if command_status:
        return _STATUSES.get(command_status, RootCause.BIND_REFUSED)
    if stage is not None:
        return _STAGES.get(stage, RootCause.UNREACHABLE)
    return RootCause.UNKNOWN if close_cause is None else _CLOSE_CAUSES[close_cause]


# Following the news


@attrs.define(eq=False)
class _Spell:
    """Some time in which a link or a carrier was up, or was down."""

    began_at: int
    phases: list[OutagePhase] = attrs.field(factory=list[OutagePhase])
    """Empty when it was up."""
    ended_at: int = 0
    end: OutageEnd = OutageEnd.BOUND


@attrs.define(eq=False)
class _Track:
    """What was heard of one link, or of one carrier."""

    carrier: str
    link: str
    spells: list[_Spell] = attrs.field(factory=list[_Spell])
    """Those that have ended."""
    _now: _Spell | None = None
    """None while nothing is known."""
    _latest: dict[str, LinkChanged] = attrs.field(factory=dict[str, LinkChanged])
    """The last news of each link, the newest at the end."""
    _suspended: LinkChanged | None = None

    def hear(self, change: LinkChanged, at: int) -> None:
        """Take one piece of news."""
        if change.link == change.carrier and change.what in ("suspended", "resumed"):
            self._suspended = _wanted(change) if change.what == "suspended" else None
        elif change.what == "bound" or change.what in _DOWN:
            if self._suspended is not None or change.what == "suspended":
                change = _wanted(change)
            self._latest.pop(change.link, None)
            self._latest[change.link] = change
        self._restate(at)

    def end_run(self, at: int, end: OutageEnd) -> None:
        """Know nothing any more."""
        if self._now is not None:
            self._finish(self._now, at, end)
        self._now = self._suspended = None
        self._latest.clear()

    def _restate(self, at: int) -> None:
        is_up = any(change.what == "bound" for change in self._latest.values())
        news = self._suspended or (None if is_up else next(reversed(self._latest.values()), None))
        if news is None and not is_up:
            return
        if self._now is None or bool(self._now.phases) is not (news is not None):
            if self._now is not None:
                self._finish(self._now, at, OutageEnd.BOUND)
            self._now = _Spell(at)
        if news is not None:
            _add_phase(self._now.phases, news, at)

    def _finish(self, spell: _Spell, at: int, end: OutageEnd) -> None:
        spell.ended_at = at
        spell.end = end
        if spell.phases and end is not OutageEnd.OPEN:
            spell.phases[-1] = attrs.evolve(spell.phases[-1], ended_at=at)
        self.spells.append(spell)


def _follow(
    changes: Iterable[LinkChanged], runs: Sequence[EngineRun], *, is_running: bool, by_link: bool
) -> Iterable[_Track]:
    """Take all news in, run by run."""
    tracks: dict[tuple[str, str], _Track] = {}
    rest = iter(changes)
    change = next(rest, None)
    for number, run in enumerate(runs):
        # What was written before there were runs was watched by nobody we know of.
        while change is not None and change.changed_at < run.started_at:
            change = next(rest, None)
        next_at = runs[number + 1].started_at if number + 1 < len(runs) else None
        # A clock that was set back must not make time run backwards.
        at = run.started_at
        while change is not None and (next_at is None or change.changed_at < next_at):
            at = max(at, change.changed_at)
            for track in _concerned(tracks, change, by_link=by_link):
                track.hear(change, at)
            change = next(rest, None)
        goes_on = is_running and next_at is None
        seen_at = max(at, run.seen_at if next_at is None else min(run.seen_at, next_at))
        for track in tracks.values():
            track.end_run(seen_at, OutageEnd.OPEN if goes_on else OutageEnd.UNOBSERVED)
    return tracks.values()


def _concerned(
    tracks: dict[tuple[str, str], _Track], change: LinkChanged, *, by_link: bool
) -> list[_Track]:
    """Choose who hears a piece of news."""
    if not by_link:
        if not change.can_submit:
            return []
        key = (change.carrier, "")
    elif change.link == change.carrier:
        return [track for (carrier, _), track in tracks.items() if carrier == change.carrier]
    else:
        key = (change.carrier, change.link)
    return [tracks.setdefault(key, _Track(*key))]


def _wanted(change: LinkChanged) -> LinkChanged:
    """Say of news that it is of our own doing, unless it is good news."""
    return change if change.what == "bound" else attrs.evolve(change, root_cause=RootCause.OURS)


def _add_phase(phases: list[OutagePhase], news: LinkChanged, at: int) -> None:
    """Begin a new phase where the cause is another one."""
    if phases:
        last = phases[-1]
        if (last.root_cause, last.command_status) == (news.root_cause, news.command_status):
            return
        phases[-1] = attrs.evolve(last, ended_at=at)
    phases.append(
        OutagePhase(
            began_at=at,
            ended_at=None,
            root_cause=news.root_cause,
            cause=news.cause,
            link=news.link,
            host=news.host,
            command_status=news.command_status,
        )
    )


def _overlap(began_at: int, ended_at: int, since_at: int, until_at: int) -> int:
    return max(0, min(ended_at, until_at) - max(began_at, since_at))


def _length(phase: OutagePhase) -> float:
    return inf if phase.ended_at is None else phase.ended_at - phase.began_at


def _when(outage: Outage) -> tuple[int, str, str]:
    return (outage.began_at, outage.carrier, outage.link)
