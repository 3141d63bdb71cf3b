"""Outages and uptime from what was noted of links: causes, ends, crashes, and what nobody watched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.messages import (
    EngineRun,
    LinkChanged,
    Outage,
    OutageEnd,
    RootCause,
    Uptime,
    find_outages,
    measure_uptime,
    root_cause_of,
)
from whiteroute.engine.session import CloseCause

SECOND = 1_000_000
R = RootCause


def news(
    at: float, what: str, root_cause: RootCause = R.UNKNOWN, link: str = "acme/1", **facts: object
) -> LinkChanged:
    usual: dict[str, object] = {"carrier": "acme", "cause": str(root_cause)}
    return LinkChanged(
        link=link,
        changed_at=round(at * SECOND),
        what=what,
        root_cause=root_cause,
        **(usual | facts),  # type: ignore[arg-type]
    )


def run(started: float = 0, seen: float = 1000) -> EngineRun:
    return EngineRun(started_at=round(started * SECOND), seen_at=round(seen * SECOND))


def told(outages: tuple[Outage, ...]) -> list[tuple[float, float | None, str, str]]:
    """Say of each outage its times in seconds, its cause and how it ended."""
    return [
        (
            outage.began_at / SECOND,
            None if outage.ended_at is None else outage.ended_at / SECOND,
            str(outage.root_cause),
            str(outage.end),
        )
        for outage in outages
    ]


def uptime(
    changes: list[LinkChanged],
    runs: list[EngineRun],
    since: float = 0,
    until: float = 1000,
    **facts: bool,
) -> Uptime:
    return measure_uptime(
        "acme", changes, runs, since_at=since * SECOND, until_at=until * SECOND, **facts
    )


def test_a_lost_link_is_an_outage_until_it_is_bound_again() -> None:
    changes = [news(1, "bound"), news(101, "lost", R.SILENCE, host="a:2775"), news(131, "bound")]

    (outage,) = find_outages(changes, [run()])

    assert [(101, 131, "SILENCE", "BOUND")] == told((outage,))
    assert ("acme", "", "a:2775", "acme/1") == (
        outage.carrier,
        outage.link,
        outage.phases[0].host,
        outage.phases[0].link,
    )


def test_a_carrier_is_up_as_long_as_one_link_is() -> None:
    changes = [
        news(1, "bound"),
        news(2, "bound", link="acme/2"),
        news(10, "lost", R.PEER_CLOSED),
        news(20, "lost", R.PEER_UNBOUND, link="acme/2"),
        news(30, "bound"),
        news(40, "bound", link="acme/2"),
    ]

    assert [(20, 30, "PEER_UNBOUND", "BOUND")] == told(find_outages(changes, [run()]))
    links = find_outages(changes, [run()], by_link=True)
    assert [(10, 30), (20, 40)] == [(began, ended) for began, ended, *_ in told(links)]
    assert ["acme/1", "acme/2"] == [outage.link for outage in links]


def test_a_receiver_does_not_make_a_carrier_able_to_submit() -> None:
    changes = [
        news(1, "bound", link="acme/1-tx"),
        news(1, "bound", link="acme/1-rx", can_submit=False),
        news(5, "lost", R.SILENCE, link="acme/1-rx", can_submit=False),
        news(10, "lost", R.SILENCE, link="acme/1-tx"),
        news(11, "bound", link="acme/1-rx", can_submit=False),
        news(20, "bound", link="acme/1-tx"),
    ]

    assert [(10, 20, "SILENCE", "BOUND")] == told(find_outages(changes, [run()]))


def test_an_outage_is_told_in_phases_and_named_after_the_longest() -> None:
    changes = [
        news(1, "bound"),
        news(10, "lost", R.PEER_CLOSED),
        news(11, "unreachable", R.UNREACHABLE),
        news(13, "unreachable", R.UNREACHABLE),
        news(20, "refused", R.CREDENTIALS, command_status=0x0E),
        news(20, "stopped", R.CREDENTIALS, command_status=0x0E),
        news(100, "bound"),
    ]

    (outage,) = find_outages(changes, [run()])

    assert R.CREDENTIALS is outage.root_cause
    assert [(10, 11), (11, 20), (20, 100)] == [
        (phase.began_at / SECOND, (phase.ended_at or 0) / SECOND) for phase in outage.phases
    ]
    assert [None, None, 0x0E] == [phase.command_status for phase in outage.phases]
    assert {R.CREDENTIALS: 80, R.UNREACHABLE: 9, R.PEER_CLOSED: 1} == uptime(
        changes, [run()]
    ).down_by_cause


def test_uptime_adds_up() -> None:
    changes = [news(100, "bound"), news(400, "lost", R.SILENCE), news(500, "bound")]

    shown = uptime(changes, [run()])

    assert (800, 100, 0, 100) == (shown.up, shown.down, shown.withheld, shown.unobserved)
    assert 8 / 9 == shown.share
    assert (1, ()) == (shown.outages, shown.open_outages)
    assert {R.SILENCE: 100} == shown.down_by_cause


def test_uptime_is_cut_to_the_time_that_was_asked_for() -> None:
    changes = [news(0, "bound"), news(400, "lost", R.SILENCE), news(500, "bound")]

    shown = uptime(changes, [run()], since=450, until=600)
    before = uptime(changes, [run()], since=100, until=400)

    assert (100, 50, 0) == (shown.up, shown.down, shown.unobserved)
    assert (1, 0, 1.0) == (shown.outages, before.outages, before.share)


def test_after_a_crash_nothing_is_known_until_the_next_news() -> None:
    """`bound` was the last word of the first run, which was seen alive at 300."""
    changes = [news(0, "bound"), news(701, "bound")]

    shown = uptime(changes, [run(0, 300), run(700, 1000)])

    assert () == find_outages(changes, [run(0, 300), run(700, 1000)])
    assert (599, 0, 401, 1.0) == (shown.up, shown.down, shown.unobserved, shown.share)


def test_an_outage_ends_with_the_run_and_a_new_one_begins_in_the_next() -> None:
    changes = [
        news(0, "bound"),
        news(200, "lost", R.SILENCE),
        news(705, "unreachable", R.UNREACHABLE),
        news(800, "bound"),
    ]
    runs = [run(0, 300), run(700, 1000)]

    assert [
        (200, 300, "SILENCE", "UNOBSERVED"),
        (705, 800, "UNREACHABLE", "BOUND"),
    ] == told(find_outages(changes, runs))
    assert (2, 195, 405) == (
        uptime(changes, runs).outages,
        uptime(changes, runs).down,
        uptime(changes, runs).unobserved,
    )


def test_news_after_the_last_sign_of_life_is_a_sign_of_life() -> None:
    changes = [news(0, "bound"), news(310, "lost", R.SILENCE), news(320, "bound")]

    shown = uptime(changes, [run(0, 300)])

    assert (310, 10, 680) == (shown.up, shown.down, shown.unobserved)


def test_what_is_down_while_the_engine_runs_is_open() -> None:
    changes = [
        news(0, "bound"),
        news(200, "lost", R.SILENCE),
        news(210, "refused", R.ALREADY_BOUND),
    ]

    (outage,) = find_outages(changes, [run(0, 220)], is_running=True)
    shown = uptime(changes, [run(0, 220)], is_running=True)

    assert [(200, None, "ALREADY_BOUND", "OPEN")] == told((outage,))
    assert (200, 800, 0) == (shown.up, shown.down, shown.unobserved)
    assert {R.ALREADY_BOUND: 790, R.SILENCE: 10} == shown.down_by_cause
    assert (outage,) == shown.open_outages


def test_what_we_wanted_is_no_outage_of_the_carrier() -> None:
    """A suspended carrier unbinds; the message centre's unbinding back is not its fault."""
    changes = [
        news(0, "bound"),
        news(100, "suspended", link="acme"),
        news(101, "lost", R.PEER_UNBOUND),
        news(300, "resumed", link="acme"),
        news(310, "bound"),
    ]

    (outage,) = find_outages(changes, [run()])
    shown = uptime(changes, [run()])

    assert [(100, 310, "OURS", "BOUND")] == told((outage,))
    assert outage.was_wanted
    assert (790, 0, 210, 1.0) == (shown.up, shown.down, shown.withheld, shown.share)
    assert (0, {}) == (shown.outages, shown.down_by_cause)
    (link,) = find_outages(changes, [run()], by_link=True)
    assert [(100, 310, "OURS", "BOUND")] == told((link,))


def test_a_single_link_can_be_suspended() -> None:
    changes = [
        news(0, "bound"),
        news(0, "bound", link="acme/2"),
        news(100, "suspended"),
        news(110, "bound"),
    ]

    assert () == find_outages(changes, [run()])
    (outage,) = find_outages(changes, [run()], by_link=True)
    assert ("acme/1", True) == (outage.link, outage.was_wanted)


def test_an_outage_that_we_prolonged_still_counts() -> None:
    changes = [news(0, "bound"), news(100, "lost", R.SILENCE), news(200, "suspended", link="acme")]

    shown = uptime(changes, [run()])

    assert (100, 100, 800, 1) == (shown.up, shown.down, shown.withheld, shown.outages)


@pytest.mark.parametrize("what", ["fallback", "resumed", "whatever"])
def test_other_news_changes_nothing(what: str) -> None:
    changes = [news(0, "bound"), news(100, what), news(200, "lost", R.TLS), news(300, what)]

    assert [(200, 1000, "TLS", "UNOBSERVED")] == told(find_outages(changes, [run()]))


def test_nothing_is_known_of_a_link_that_nobody_heard_of() -> None:
    changes = [news(5, "resumed", link="acme"), news(6, "fallback")]

    assert () == find_outages(changes, [run()])
    assert (0, 1000, None) == (
        uptime(changes, [run()]).up,
        uptime(changes, [run()]).unobserved,
        uptime(changes, [run()]).share,
    )


def test_news_from_before_there_were_runs_is_not_counted() -> None:
    changes = [news(1, "bound"), news(2, "lost", R.SILENCE), news(500, "bound")]

    assert () == find_outages(changes, [run(400)])
    assert () == find_outages(changes, [])
    assert (500, 500) == (
        uptime(changes, [run(400)]).up,
        uptime(changes, [run(400)]).unobserved,
    )
    assert 1000 == uptime(changes, [], is_running=True).unobserved


def test_a_clock_that_was_set_back_counts_no_second_twice() -> None:
    """The first engine was seen at 300 by a clock that said 200 when the second one started."""
    changes = [news(100, "bound"), news(90, "lost", R.SILENCE), news(210, "bound")]

    shown = uptime(changes, [run(0, 300), run(200, 1000)])

    assert (790, 100, 110) == (shown.up, shown.down, shown.unobserved)


def test_other_carriers_are_left_out() -> None:
    changes = [news(0, "bound"), news(10, "lost", R.SILENCE, carrier="best", link="best/1")]

    assert (1000, 0) == (uptime(changes, [run()]).up, uptime(changes, [run()]).outages)
    assert ["best"] == [outage.carrier for outage in find_outages(changes, [run()])]


WHATS = ["bound", "lost", "refused", "unreachable", "stopped", "suspended", "resumed", "fallback"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 100),
            st.sampled_from(WHATS),
            st.sampled_from(RootCause),
            st.sampled_from(["acme/1", "acme/2", "acme"]),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.lists(st.integers(0, 100), min_size=1, max_size=6).map(sorted),
    st.booleans(),
)
def test_every_second_is_counted_once(
    happened: list[tuple[int, str, RootCause, str, bool]], instants: list[int], is_running: bool
) -> None:
    changes = [
        news(at, what, cause, link, can_submit=submits)
        for at, what, cause, link, submits in happened
    ]
    runs = [run(begun, begun + 3) for begun in instants]

    shown = uptime(changes, runs, 0, 110, is_running=is_running)

    assert abs(shown.up + shown.down + shown.withheld + shown.unobserved - 110) < 1e-6
    assert min(shown.up, shown.down, shown.withheld, shown.unobserved) >= 0
    assert abs(sum(shown.down_by_cause.values()) - shown.down) < 1e-6
    for by_link in (False, True):
        for outage in find_outages(changes, runs, is_running=is_running, by_link=by_link):
            assert (outage.ended_at is None) == (outage.end is OutageEnd.OPEN)
            assert outage.began_at == outage.phases[0].began_at
            assert outage.ended_at == outage.phases[-1].ended_at
            for one, other in zip(outage.phases, outage.phases[1:], strict=False):
                assert one.ended_at == other.began_at


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, R.UNKNOWN),
        ({"stage": "dns"}, R.NAME),
        ({"stage": "tcp"}, R.UNREACHABLE),
        ({"stage": "proxy"}, R.UNREACHABLE),
        ({"stage": "tls"}, R.TLS),
        ({"stage": "another"}, R.UNREACHABLE),
        ({"command_status": 0x0E, "close_cause": CloseCause.BIND_REFUSED}, R.CREDENTIALS),
        ({"command_status": 0x0F}, R.CREDENTIALS),
        ({"command_status": 0x53}, R.CREDENTIALS),
        ({"command_status": 0x05}, R.ALREADY_BOUND),
        ({"command_status": 0x0D}, R.BIND_REFUSED),
        ({"command_status": 0x40B}, R.BIND_REFUSED),
        ({"command_status": 0, "close_cause": CloseCause.SILENCE}, R.SILENCE),
        ({"close_cause": CloseCause.PEER_CLOSED}, R.PEER_CLOSED),
        ({"close_cause": CloseCause.UNBIND}, R.PEER_UNBOUND),
        ({"close_cause": CloseCause.UNBIND, "wanted": True}, R.OURS),
        ({"close_cause": CloseCause.SESSION_INIT_TIMEOUT}, R.BIND_UNANSWERED),
        ({"close_cause": CloseCause.FRAMING}, R.PROTOCOL),
        ({"close_cause": CloseCause.LOCAL}, R.OURS),
    ],
)
def test_causes_are_named_by_the_most_telling_fact(
    facts: dict[str, Any], expected: RootCause
) -> None:
    assert expected is root_cause_of(**facts)


@pytest.mark.parametrize("cause", CloseCause)
def test_every_way_in_which_a_session_ends_has_a_name(cause: CloseCause) -> None:
    assert R.UNKNOWN is not root_cause_of(close_cause=cause)
