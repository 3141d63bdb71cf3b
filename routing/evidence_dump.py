"""The evidence book as JSON and back, every observation with it, so that a restart forgets nothing.

One version of the form; another version is refused rather than guessed at.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .errors import RoutingFactError
from .findings import Family, Finding, Severity, Suspicion
from .networks import Network
from .settings import EvidenceSettings
from .standing import RouteState
from .track import FadingShare, Track, Transition

VERSION = 1

Key = tuple[str, Network | str, str]
"""Route, network (or MCC for a whole country), traffic class."""
_Json = dict[str, Any]
_PLAIN = (
    *("finals", "latency_p90", "conversions", "replies", "probes", "good_probes"),
    "quarantines",
)


def dump_book(tracks: Mapping[Key, Track], transitions: Iterable[Transition]) -> bytes:
    """Tracks and transitions as octets."""
    stored = {
        "version": VERSION,
        "tracks": [_track_out(key, track) for key, track in tracks.items()],
        "transitions": [_transition_out(transition) for transition in transitions],
    }
    return json.dumps(stored, separators=(",", ":")).encode()


def load_book(
    octets: bytes, settings: EvidenceSettings, shift: float
) -> tuple[dict[Key, Track], list[Transition]]:
    """The tracks and transitions that were dumped, `shift` seconds added to every instant.

    Raises:
        RoutingFactError: The octets are not what `dump_book` writes.
    """
    try:
        stored = json.loads(octets)
        if stored["version"] != VERSION:
            raise RoutingFactError("version", stored["version"], str(VERSION))
        tracks = dict(_track_in(each, settings, shift) for each in stored["tracks"])
        transitions = [_transition_in(each, shift) for each in stored["transitions"]]
    except RoutingFactError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RoutingFactError("evidence", repr(error), "a book as it was dumped") from error
    return tracks, transitions


def _track_out(key: Key, track: Track) -> _Json:
    return {
        "route_id": track.route_id,
        "area": str(key[1]),
        "traffic_class": track.traffic_class,
        "recent": track.recent.dump(),
        "finals": track.finals,
        "latency_p90": track.latency_p90,
        "delivered": _share_out(track.delivered),
        "conversions": track.conversions,
        "converted": _share_out(track.converted),
        "replies": track.replies,
        "replied": _share_out(track.replied),
        "canaries": list(track.canaries),
        "scores": track.scores,
        "probes": track.probes,
        "good_probes": track.good_probes,
        "findings": [_finding_out(finding) for finding in track.findings.values()],
        "rounds": track.rounds,
        "families": track.families,
        "state": track.state,
        "since": track.since,
        "quarantines": track.quarantines,
    }


def _track_in(stored: _Json, settings: EvidenceSettings, shift: float) -> tuple[Key, Track]:
    area: Network | str = stored["area"]
    network = None
    if "-" in stored["area"]:
        area = network = Network.parse(stored["area"])
    track = Track(
        route_id=stored["route_id"],
        network=network,
        traffic_class=stored["traffic_class"],
        settings=settings,
    )
    track.recent.load(stored["recent"], shift)
    track.canaries.extend(stored["canaries"])
    for name in ("delivered", "converted", "replied"):
        good, total, at = stored[name]
        share = attrs.evolve(getattr(track, name), good=good, total=total, at=at + shift)
        setattr(track, name, share)
    for name in _PLAIN:
        setattr(track, name, stored[name])
    track.scores = {Suspicion(test): score for test, score in stored["scores"].items()}
    track.findings = {finding.test: finding for finding in map(_finding_in, stored["findings"])}
    track.rounds = {Suspicion(test): rounds for test, rounds in stored["rounds"].items()}
    track.families = {Family(name): at + shift for name, at in stored["families"].items()}
    track.state = RouteState(stored["state"])
    track.since = stored["since"] + shift
    return (track.route_id, area, track.traffic_class), track


def _share_out(share: FadingShare) -> list[float]:
    return [share.good, share.total, share.at]


def _finding_out(finding: Finding) -> _Json:
    return attrs.asdict(finding)


def _finding_in(stored: _Json) -> Finding:
    test, severity = Suspicion(stored["test"]), Severity(stored["severity"])
    return Finding(**(stored | {"test": test, "severity": severity}))


def _transition_out(transition: Transition) -> _Json:
    stored = attrs.asdict(transition, recurse=False)
    return stored | {
        "network": str(transition.network),
        "findings": [_finding_out(finding) for finding in transition.findings],
    }


def _transition_in(stored: _Json, shift: float) -> Transition:
    return Transition(
        **(
            stored
            | {
                "at": stored["at"] + shift,
                "network": Network.parse(stored["network"]),
                "before": RouteState(stored["before"]),
                "after": RouteState(stored["after"]),
                "findings": tuple(map(_finding_in, stored["findings"])),
            }
        )
    )
