"""The evidence book: what was observed of all routes, and how far each is therefore trusted.

Observations come in through the `record_` methods, each with `now` in seconds on the caller's
monotonic clock; never an instant that a message centre wrote. Answers are states and findings.

Its limit: receipts alone cannot expose a careful faker, who draws his latencies well and invents a
few failures. Canaries, probes and conversions can; a route without them is merely not suspicious.
"""

from collections import deque
from collections.abc import Collection, Iterable
from typing import Self

import attrs

from .errors import RoutingFactError
from .evidence_dump import Key, dump_book, load_book
from .findings import Finding, Severity, Suspicion, receipt_findings
from .networks import Network
from .settings import EvidenceSettings
from .standing import Evidence, RouteState, Standing
from .statistic import RANKING_Z, difference_z, wilson
from .track import Track, Transition

_DELIVERED = frozenset({2, "DELIVERED", "DELIVRD"})
_FAILED = frozenset(
    {3, "EXPIRED", 4, "DELETED", 5, "UNDELIVERABLE", "UNDELIV", 8, "REJECTED", "REJECTD"}
)
# Spec: SMPP 5.0 §4.7.15 (3.4 §5.2.28), and the words of receipts (3.4 Appendix B). The others
# are not final, or (UNKNOWN) say nothing.

RECIPIENT_ERRORS = frozenset(
    {
        "UNKNOWN_SUBSCRIBER",
        "ABSENT_SUBSCRIBER",
        "SUBSCRIBER_BUSY",
        "MEMORY_FULL",
        "BARRED",
        "NOT_PROVISIONED",
        "ROAMING_RESTRICTED",
        "HANDSET_ERROR",
    }
)
"""Canonical errors that say something about the recipient and nothing about the route."""

_COHORT_FINALS = 1_500
"""Per side, to tell 96 % from 99 % (z of 4)."""
_COHORT_CONVERSIONS = 400
"""Per side, to tell 42 % from 60 %."""
_TRANSITIONS = 1_000
_SILENCE = 1e-4
"""Chance at which a route that people do reply to has brought no reply."""
_RECEIPT_ROUND = frozenset(
    test
    for test in Suspicion
    if test.severity is not Severity.CONCLUSIVE
    and test not in (Suspicion.CONVERSION_DROP, Suspicion.REPLY_PATH_DEAD)
)


class EvidenceBook:
    """All track records, one per route, network and traffic class.

    Networks with few messages are also looked at together, by route and country: what is found
    there can put a route on watch, but only a network's own evidence quarantines it there.
    """

    def __init__(self, settings: EvidenceSettings | None = None) -> None:
        """Begin an empty book.

        Args:
            settings: How suspicious to be. Default: None, as measured to work.
        """
        self._settings = settings or EvidenceSettings()
        self._tracks: dict[Key, Track] = {}
        self._pairs: dict[Key, tuple[Track, Track]] = {}
        self._cohorts: dict[tuple[Network | str, str], list[Track]] = {}
        self._transitions: deque[Transition] = deque(maxlen=_TRANSITIONS)

    @property
    def transitions(self) -> tuple[Transition, ...]:
        """The newest changes of state (a thousand), oldest first."""
        return tuple(self._transitions)

    # --- observations

    def record_receipt(
        self,
        route_id: str,
        network: Network,
        traffic_class: str,
        *,
        state: int | str,
        latency: float | None,
        now: float,
        error: str | None = None,
        network_seen: Network | None = None,
        submit_date: object = None,
        done_date: object = None,
        before_response: bool = False,
    ) -> Transition | None:
        """A receipt has come; one that is not final, or says UNKNOWN, is passed over.

        Leave out receipts of parts but the last, and those that an outage of ours has delayed.

        Args:
            route_id: The route that carried the message.
            network: The network the number was resolved to.
            traffic_class: Of the message.
            state: message_state (2), its name, or the word of the receipt (DELIVRD).
            latency: Seconds from the submit_sm_resp to the receipt, on our own clock; None if one
                of them was not seen.
            now: When it came.
            error: Canonical name of its error. Default: None, without error.
            network_seen: The network it names; give it only if the resolution is a day old or less.
            submit_date: As in the receipt; only compared with `done_date`.
            done_date: As in the receipt.
            before_response: Whether it overtook the response.

        Returns:
            The change of state it caused, if it did.
        """
        delivered = state in _DELIVERED
        if not delivered and state not in _FAILED:
            return None
        elsewhere = None if network_seen is None else network_seen != network
        instant = None
        if submit_date is not None and done_date is not None:
            instant = submit_date == done_date
        speaks = delivered or error not in RECIPIENT_ERRORS
        pair = self._pairs.get((route_id, network, traffic_class))
        if pair is None:
            pair = self._pair(route_id, network, traffic_class)
        track, country = pair
        if country.add(now, delivered, latency, error, elsewhere, before_response, instant, speaks):
            self._test(country, now)
        if track.add(now, delivered, latency, error, elsewhere, before_response, instant, speaks):
            return self._test(track, now)
        return None

    def record_missing(
        self, route_id: str, network: Network, traffic_class: str, *, now: float
    ) -> Transition | None:
        """No final receipt has come until well after the end of the validity (10 min)."""
        track, country = self._pair(route_id, network, traffic_class)
        if country.add_missing(now):
            self._test(country, now)
        return self._test(track, now) if track.add_missing(now) else None

    def record_canary(
        self, route_id: str, network: Network, traffic_class: str, *, delivered: bool, now: float
    ) -> Transition | None:
        """A message to a number known to be dead has become final."""
        track = self._track(route_id, network, traffic_class)
        finding = track.add_canary(delivered)
        return self._conclude(
            track,
            () if finding is None else (finding,),
            asked=(Suspicion.DEAD_NUMBER_DELIVERED,),
            now=now,
        )

    def record_probe(
        self,
        route_id: str,
        network: Network,
        traffic_class: str,
        *,
        received: bool,
        sender_kept: bool | None = None,
        content_kept: bool | None = None,
        smsc_expected: bool | None = None,
        now: float,
    ) -> Transition | None:
        """A message to a handset of ours was reported as delivered; this is what the handset saw.

        What it could not tell is None, which is also right for all of a message not received.
        """
        saw = {
            Suspicion.PROBE_NOT_RECEIVED: received,
            Suspicion.SENDER_REWRITTEN: sender_kept if received else None,
            Suspicion.CONTENT_ALTERED: content_kept if received else None,
            Suspicion.SMSC_MISMATCH: smsc_expected if received else None,
        }
        bad = {test: not good for test, good in saw.items() if good is not None}
        track = self._track(route_id, network, traffic_class)
        found = track.add_probe(bad)
        if found:
            return self._conclude(track, found, asked=bad, now=now)
        return self._noted(track.end_probation(now))

    def record_conversion(
        self, route_id: str, network: Network, traffic_class: str, *, converted: bool, now: float
    ) -> Transition | None:
        """The recipient has acted on the message (entered the code, say), or had time to and not."""
        track = self._track(route_id, network, traffic_class)
        track.conversions += 1
        track.converted.add(converted, now)
        if track.conversions % self._settings.block:
            return None
        return self._conclude(
            track,
            self._conversion_drop(track, now),
            asked=(Suspicion.CONVERSION_DROP,),
            now=now,
        )

    def record_reply(
        self, route_id: str, network: Network, traffic_class: str, *, replied: bool, now: float
    ) -> Transition | None:
        """A message that asks for a reply was answered, or has waited long enough to say it was not.

        Only for senders that can be replied to. Replies to a SIM farm's numbers go to its SIMs.
        """
        track = self._track(route_id, network, traffic_class)
        track.replies += 1
        track.replied.add(replied, now)
        if track.replies % self._settings.block:
            return None
        return self._conclude(
            track,
            self._reply_path_dead(track, now),
            asked=(Suspicion.REPLY_PATH_DEAD,),
            now=now,
        )

    # --- answers

    @property
    def closed(self) -> tuple[tuple[str, Network, str], ...]:
        """Route, network and class of whatever was quarantined and has not been trusted since."""
        return tuple(
            (track.route_id, track.network, track.traffic_class)
            for track in self._tracks.values()
            if track.network is not None and track.state is RouteState.QUARANTINED
        )

    def state(self, route_id: str, network: Network, traffic_class: str, now: float) -> RouteState:
        """How far the route is trusted there; ACTIVE if nothing is known of it."""
        track = self._tracks.get((route_id, network, traffic_class))
        state = RouteState.ACTIVE if track is None else track.state_at(now)
        if state is RouteState.ACTIVE and self._country_stands_in(track):
            country = self._tracks.get((route_id, network.mcc, traffic_class))
            if country is not None and country.state_at(now) is not RouteState.ACTIVE:
                return RouteState.WATCH
        return state

    def findings(
        self, route_id: str, network: Network, traffic_class: str, now: float
    ) -> tuple[Finding, ...]:
        """What stands against the route there; those of its country while it has few finals."""
        track = self._tracks.get((route_id, network, traffic_class))
        found = () if track is None else tuple(track.findings.values())
        if not found and self._country_stands_in(track):
            country = self._tracks.get((route_id, network.mcc, traffic_class))
            return () if country is None else tuple(country.findings.values())
        return found

    def at(self, now: float) -> Evidence:
        """The book as of one instant, as `choose` takes it; what is recorded later is not in it."""
        return _AsOf(self, now)

    def standing(self, route_id: str, network: Network, traffic_class: str, now: float) -> Standing:
        """State and figures for the ranking; a prior if nothing is known."""
        track = self._tracks.get((route_id, network, traffic_class))
        if track is None:
            track = self._make_track(route_id, network, traffic_class)
        standing = track.standing(now)
        state = self.state(route_id, network, traffic_class, now)
        return standing if state is standing.state else attrs.evolve(standing, state=state)

    def release(
        self,
        route_id: str,
        network: Network,
        traffic_class: str,
        *,
        actor: str,
        note: str,
        now: float,
    ) -> Transition | None:
        """Somebody answers for the route: it is ACTIVE again and its findings are dropped.

        Returns:
            The change of state; None if the route was ACTIVE.

        Raises:
            RoutingFactError: `actor` is empty: somebody must answer for it.
        """
        if not actor:
            raise RoutingFactError("actor", actor, "the name of who answers for the release")
        track = self._track(route_id, network, traffic_class)
        return self._noted(track.release(actor=actor, note=note, now=now))

    # --- tracks and rounds of tests

    def _track(self, route_id: str, network: Network, traffic_class: str) -> Track:
        return self._pair(route_id, network, traffic_class)[0]

    def _pair(self, route_id: str, network: Network, traffic_class: str) -> tuple[Track, Track]:
        """The record of the network and that of its country, begun if need be."""
        key = (route_id, network, traffic_class)
        pair = self._pairs.get(key)
        if pair is None:
            country = (route_id, network.mcc, traffic_class)
            for each, area in ((key, network), (country, None)):
                if each not in self._tracks:
                    self._add_track(each, self._make_track(route_id, area, traffic_class))
            pair = self._pairs[key] = (self._tracks[key], self._tracks[country])
        return pair

    def _add_track(self, key: Key, track: Track) -> None:
        self._tracks[key] = track
        if track.network is not None:
            self._cohorts.setdefault(key[1:], []).append(track)

    def _make_track(self, route_id: str, network: Network | None, traffic_class: str) -> Track:
        return Track(
            route_id=route_id,
            network=network,
            traffic_class=traffic_class,
            settings=self._settings,
        )

    def _country_stands_in(self, track: Track | None) -> bool:
        return track is None or track.finals < self._settings.block

    def _test(self, track: Track, now: float) -> Transition | None:
        found = (*receipt_findings(track.window(now)), *self._too_good(track, now))
        return self._conclude(track, found, asked=_RECEIPT_ROUND, now=now)

    def _conclude(
        self, track: Track, found: Iterable[Finding], *, asked: Collection[Suspicion], now: float
    ) -> Transition | None:
        return self._noted(track.conclude(found, asked=asked, now=now))

    def _noted(self, transition: Transition | None) -> Transition | None:
        if transition is not None:
            self._transitions.append(transition)
        return transition

    # --- comparison with the other routes to the same network

    def _cohort(self, track: Track, now: float) -> list[Track]:
        """The other routes, but for those known to be bad: they would make any route look good."""
        return [
            other
            for other in self._cohorts.get((track.network or "", track.traffic_class), ())
            if other is not track and other.state_at(now) is not RouteState.QUARANTINED
        ]

    def _too_good(self, track: Track, now: float) -> tuple[Finding, ...]:
        n = track.finals
        if n < _COHORT_FINALS:
            return ()
        others = self._cohort(track, now)
        if sum(other.finals for other in others) < _COHORT_FINALS:
            return ()
        own, all_own = track.delivered.read(now)
        theirs, all_theirs = _together(other.delivered.read(now) for other in others)
        if min(all_own, all_theirs) < self._settings.ranked_from:
            return ()
        z = difference_z(own, all_own, theirs, all_theirs)
        if z <= 4 or own / all_own <= theirs / all_theirs + 0.03:
            return ()
        return (_compared(Suspicion.TOO_GOOD_VS_COHORT, z, 4, n),)

    def _conversion_drop(self, track: Track, now: float) -> tuple[Finding, ...]:
        others = self._cohort(track, now)
        n = track.conversions
        if min(n, sum(other.conversions for other in others)) < _COHORT_CONVERSIONS:
            return ()
        own, all_own = track.converted.read(now)
        theirs, all_theirs = _together(other.converted.read(now) for other in others)
        if min(all_own, all_theirs) < self._settings.ranked_from:
            return ()
        z = difference_z(own, all_own, theirs, all_theirs)
        if z >= -4 or own / all_own >= 0.7 * theirs / all_theirs:
            return ()
        return (_compared(Suspicion.CONVERSION_DROP, z, -4, n),)

    def _reply_path_dead(self, track: Track, now: float) -> tuple[Finding, ...]:
        """Not one reply, where the other routes' share of replies makes that all but impossible."""
        theirs, all_theirs = _together(
            other.replied.read(now) for other in self._cohort(track, now)
        )
        own, all_own = track.replied.read(now)
        if own > 0 or all_theirs < self._settings.ranked_from:
            return ()
        # The lower bound of their share: a few lucky replies elsewhere convict nobody here.
        share, _ = wilson(theirs, all_theirs, RANKING_Z)
        chance = (1 - share) ** all_own
        if chance >= _SILENCE:
            return ()
        return (_compared(Suspicion.REPLY_PATH_DEAD, chance, _SILENCE, track.replies),)

    # --- persistence

    def dump(self) -> bytes:
        """The whole book as octets (JSON), for `load`; settings are not part of it."""
        return dump_book(self._tracks, self._transitions)

    def dump_record(self, route_id: str, area: Network | str, traffic_class: str) -> bytes:
        """One record as octets, for `restore`; a millisecond's work, where the whole takes long.

        Args:
            route_id: The route.
            area: A network, or the MCC of a country, whose networks are looked at together as well.
            traffic_class: The class.
        """
        key = (route_id, area, traffic_class)
        return dump_book({key: self._tracks[key]}, ())

    def restore(self, octets: bytes, *, clock_shift: float = 0.0) -> None:
        """Add what was dumped of routes that the book knows nothing of yet; see `load`.

        Raises:
            RoutingFactError: The octets are no such dump.
        """
        tracks, transitions = load_book(octets, self._settings, clock_shift)
        for key, track in tracks.items():
            self._add_track(key, track)
        self._transitions.extend(transitions)

    @classmethod
    def load(
        cls, octets: bytes, settings: EvidenceSettings | None = None, *, clock_shift: float = 0.0
    ) -> Self:
        """The book that was dumped.

        Args:
            octets: What `dump` gave.
            settings: As for a new book.
            clock_shift: Seconds to add to every instant in it, when the clock began anew since:
                the new clock's reading minus the old one's, at the same moment. Default: 0.

        Raises:
            RoutingFactError: The octets are no such book.
        """
        book = cls(settings)
        book.restore(octets, clock_shift=clock_shift)
        return book


@attrs.define(eq=False)
class _AsOf:
    """A book and an instant: the `Evidence` that `choose` reads, each standing worked out once."""

    book: EvidenceBook
    now: float
    _known: dict[Key, Standing] = attrs.field(factory=dict[Key, Standing], init=False)

    def standing(self, route_id: str, network: Network, traffic_class: str) -> Standing:
        key = (route_id, network, traffic_class)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.book.standing(*key, self.now)
        return known


def _together(shares: Iterable[tuple[float, float]]) -> tuple[float, float]:
    good = total = 0.0
    for some, of in shares:
        good, total = good + some, total + of
    return good, total


def _compared(test: Suspicion, statistic: float, threshold: float, n: int) -> Finding:
    return Finding(test=test, severity=test.severity, statistic=statistic, threshold=threshold, n=n)
