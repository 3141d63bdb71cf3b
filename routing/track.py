"""The track record of one route on one network for one traffic class, and how far it is trusted.

Holds what was observed and the states that follow: ACTIVE, WATCH, QUARANTINED, PROBATION, ACTIVE.
Who compares routes with each other and keeps all records is `evidence.py`.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable

import attrs

from .findings import Family, Finding, Severity, Suspicion
from .networks import Network
from .recent import Recent, Window
from .settings import EvidenceSettings
from .standing import RouteState, Standing
from .statistic import (
    RANKING_Z,
    SPRT_ALARM,
    SPRT_BAD,
    SPRT_CLEAR,
    SPRT_GOOD,
    at_most,
    quantile,
    wilson,
)

_PRIOR_DELIVERED, _PRIOR_JUDGED = 9.0, 10.0
"""What an unknown route is taken for: nine of ten delivered."""
_LASTING_BLOCKS = 3
"""Rounds in a row that make one strong finding enough for quarantine."""
_TOGETHER = 86_400.0
"""Seconds within which strong findings of two families count together."""
_WEAK_FOR_WATCH = 3
_RECYCLED = 0.01
"""Share of numbers held to be dead that have a new owner, at most."""
_RECYCLED_ALARM = 0.002
"""Chance at which honest routes may reach the canary alarm: two of five just do (0.001)."""
_CANARIES = 200


@attrs.frozen(kw_only=True)
class Transition:
    """A route's state changed, with what caused it; for the audit trail."""

    at: float
    route_id: str
    network: Network
    traffic_class: str
    before: RouteState
    after: RouteState
    findings: tuple[Finding, ...]
    """The findings that stood at that moment."""
    actor: str | None = None
    """Who released the route; None if it changed by itself."""
    note: str | None = None


@attrs.define(slots=True)
class FadingShare:
    """How many of how many, where each weighs half after every half-life."""

    half_life: float
    good: float = 0.0
    total: float = 0.0
    at: float = 0.0

    def add(self, is_good: bool, now: float) -> None:
        """Count one more."""
        if now > self.at:
            weight = math.exp2((self.at - now) / self.half_life)
            self.good *= weight
            self.total *= weight
            self.at = now
        self.good += is_good
        self.total += 1.0

    def read(self, now: float) -> tuple[float, float]:
        """What both weigh now: the good ones, and all."""
        weight = math.exp2(min(0.0, self.at - now) / self.half_life)
        return self.good * weight, self.total * weight


_CLOSED = {RouteState.QUARANTINED, RouteState.PROBATION}


def _conclusive(test: Suspicion, statistic: float, threshold: float, n: int) -> Finding:
    return Finding(test=test, severity=test.severity, statistic=statistic, threshold=threshold, n=n)


def _fading_receipts(track: "Track") -> FadingShare:
    return FadingShare(track.settings.half_life)


def _fading_feedback(track: "Track") -> FadingShare:
    return FadingShare(track.settings.feedback_half_life)


@attrs.define(eq=False, kw_only=True)
class Track:
    """Everything observed of one route, network and class. All instants on one monotonic clock."""

    route_id: str
    network: Network | None
    """None for all networks of a country taken together."""
    traffic_class: str
    settings: EvidenceSettings

    recent: Recent = attrs.field(
        init=False, default=attrs.Factory(lambda self: Recent(self.settings), takes_self=True)
    )
    finals: int = attrs.field(init=False, default=0)
    """Ever, missing ones included; what minimum numbers are compared with."""
    latency_p90: float | None = attrs.field(init=False, default=None)
    delivered: FadingShare = attrs.field(
        init=False, default=attrs.Factory(_fading_receipts, takes_self=True)
    )
    """Among finals that say something about the route rather than the recipient."""
    conversions: int = attrs.field(init=False, default=0)
    """Ever, of those asked for."""
    converted: FadingShare = attrs.field(
        init=False, default=attrs.Factory(_fading_feedback, takes_self=True)
    )
    replies: int = attrs.field(init=False, default=0)
    """Ever, of those waited for."""
    replied: FadingShare = attrs.field(
        init=False, default=attrs.Factory(_fading_feedback, takes_self=True)
    )
    canaries: deque[bool] = attrs.field(init=False, factory=lambda: deque(maxlen=_CANARIES))
    scores: dict[Suspicion, float] = attrs.field(init=False, factory=dict)
    """Sequential test of each thing a probe can show."""
    probes: int = attrs.field(init=False, default=0)
    good_probes: int = attrs.field(init=False, default=0)
    """In a row, during a probation."""

    findings: dict[Suspicion, Finding] = attrs.field(init=False, factory=dict)
    rounds: dict[Suspicion, int] = attrs.field(init=False, factory=dict)
    """For how many rounds in a row each strong finding has stood."""
    families: dict[Family, float] = attrs.field(init=False, factory=dict)
    """When each family last had a strong finding."""
    state: RouteState = attrs.field(init=False, default=RouteState.ACTIVE)
    """As last changed by an observation; `state_at` knows how far time has moved it."""
    since: float = attrs.field(init=False, default=0.0)
    quarantines: int = attrs.field(init=False, default=0)

    # --- observations

    def add(
        self,
        now: float,
        delivered: bool,
        latency: float | None,
        error: str | None,
        elsewhere: bool | None,
        early: bool,
        instant: bool | None,
        speaks_of_route: bool,
    ) -> bool:
        """Remember a final receipt (see `Recent.add`); true if a round of tests is due."""
        self.recent.add(now, delivered, latency, error, elsewhere, early, instant)
        if speaks_of_route:
            self.delivered.add(delivered, now)
        self.finals += 1
        return self.finals % self.settings.block == 0

    def add_missing(self, now: float) -> bool:
        """Remember a message without a final receipt; true if a round of tests is due."""
        self.recent.add_missing(now)
        self.finals += 1
        return self.finals % self.settings.block == 0

    def window(self, now: float) -> Window:
        """What the tests look at."""
        window = Window(
            route_id=self.route_id,
            network=self.network,
            settings=self.settings,
            counts=self.recent.sum(now),
        )
        self.latency_p90 = quantile(window.latencies, 0.9) if window.latencies else None
        return window

    def add_canary(self, delivered: bool) -> Finding | None:
        """Remember what became of a message to a number that nobody has."""
        self.canaries.append(delivered)
        n, count = len(self.canaries), sum(self.canaries)
        if count < 2:
            return None
        chance = 1 - at_most(count - 1, n, _RECYCLED)
        if chance > _RECYCLED_ALARM:
            return None
        return _conclusive(Suspicion.DEAD_NUMBER_DELIVERED, chance, _RECYCLED_ALARM, n)

    def add_probe(self, bad: dict[Suspicion, bool]) -> list[Finding]:
        """Remember what a handset saw: for each thing it could tell, whether it was bad."""
        self.probes += 1
        self.good_probes = 0 if any(bad.values()) else self.good_probes + 1
        found = []
        for test, is_bad in bad.items():
            score = self.scores.get(test, 0.0) + (SPRT_BAD if is_bad else SPRT_GOOD)
            if score >= SPRT_ALARM:
                found.append(_conclusive(test, score, SPRT_ALARM, self.probes))
            # Cleared: the test begins anew, or good probes would be saved up against bad ones.
            self.scores[test] = 0.0 if score <= SPRT_CLEAR else score
        return found

    # --- what follows

    def state_at(self, now: float) -> RouteState:
        """The state, quarantine turned to probation when its time is over."""
        if self.state is RouteState.QUARANTINED and not self.is_held:
            factor = 2.0 ** min(self.quarantines - 1, 16)
            length = min(self.settings.quarantine * factor, self.settings.quarantine_limit)
            if now - self.since >= length:
                return RouteState.PROBATION
        return self.state

    @property
    def is_held(self) -> bool:
        """Whether only a release ends the quarantine."""
        return any(each.severity is Severity.CONCLUSIVE for each in self.findings.values())

    def conclude(
        self, found: Iterable[Finding], *, asked: Collection[Suspicion], now: float
    ) -> Transition | None:
        """Take the findings of one round of tests and change the state if they demand it.

        Args:
            found: What was found.
            asked: The tests of the round; the findings of others stand as they were.
            now: The instant.
        """
        new = {finding.test: finding for finding in found}
        state = self.state_at(now)
        if state in _CLOSED and not any(test.severity is Severity.CONCLUSIVE for test in new):
            return None  # receipts of customers' last messages: what they show is known already
        for test in asked:
            if test in new and test.severity is Severity.STRONG:
                self.rounds[test] = self.rounds.get(test, 0) + 1
                self.families[test.family] = now
            else:
                self.rounds.pop(test, None)
            self.findings.pop(test, None)
        self.findings.update(new)
        return self._move(self._deserved(now), now)

    def _deserved(self, now: float) -> RouteState:
        severities = [finding.severity for finding in self.findings.values()]
        recent = sum(now - at <= _TOGETHER for at in self.families.values())
        strong = Severity.STRONG in severities
        lasting = any(rounds >= _LASTING_BLOCKS for rounds in self.rounds.values())
        if Severity.CONCLUSIVE in severities or (strong and (recent >= 2 or lasting)):
            return RouteState.QUARANTINED
        if strong or severities.count(Severity.WEAK) >= _WEAK_FOR_WATCH:
            return RouteState.WATCH
        return RouteState.ACTIVE

    def _move(
        self,
        after: RouteState,
        now: float,
        *,
        actor: str | None = None,
        note: str | None = None,
    ) -> Transition | None:
        before = self.state_at(now)
        if after is before:
            return None
        self.state, self.since = after, now
        if after is RouteState.QUARANTINED:
            self.quarantines += 1
            self.good_probes = 0
        if self.network is None:
            return None  # a whole country only lends its findings, so nobody's trust has changed
        return Transition(
            at=now,
            route_id=self.route_id,
            network=self.network,
            traffic_class=self.traffic_class,
            before=before,
            after=after,
            findings=tuple(self.findings.values()),
            actor=actor,
            note=note,
        )

    def end_probation(self, now: float) -> Transition | None:
        """Trust the route again if it is on probation and enough probes were good."""
        if self.state_at(now) is not RouteState.PROBATION:
            self.good_probes = 0
            return None
        if self.good_probes < self.settings.probation_probes:
            return None
        return self._begin_anew(now, actor=None, note=None)

    def release(self, *, actor: str, note: str, now: float) -> Transition | None:
        """Trust the route again because somebody says so; None if it is trusted already."""
        return self._begin_anew(now, actor=actor, note=note)

    def _begin_anew(self, now: float, *, actor: str | None, note: str | None) -> Transition | None:
        transition = self._move(RouteState.ACTIVE, now, actor=actor, note=note)
        # The findings go into the audit trail; the observations behind them must not fire again.
        for memory in (self.findings, self.rounds, self.families, self.scores):
            memory.clear()
        self.recent.clear()
        self.canaries.clear()
        return transition

    def standing(self, now: float) -> Standing:
        """What the ranking needs to know."""
        delivered, judged = self.delivered.read(now)
        unsure = judged < self.settings.ranked_from
        if unsure:
            judged, delivered = judged + _PRIOR_JUDGED, delivered + _PRIOR_DELIVERED
        low, high = wilson(delivered, judged, RANKING_Z)
        return Standing(
            state=self.state_at(now),
            delivered_low=low,
            delivered_high=high,
            latency_p90=self.latency_p90,
            low_confidence=unsure,
        )
