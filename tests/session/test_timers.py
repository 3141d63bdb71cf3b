"""The session's own timers, by plain calls with `now`."""

import pytest

from whiteroute.engine.session import (
    Automatic,
    CloseCause,
    Closed,
    ExchangeEnd,
    LateResponse,
    Role,
    SessionSettings,
    SessionState,
)
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    Unbind,
    encode,
)

# Before the bind.


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", [SessionState.OPEN, SessionState.OUTBOUND])
def test_a_bind_must_be_completed_in_time(bench, role: Role, state: SessionState):
    if (role, state) == (Role.ESME, SessionState.OUTBOUND):
        state = SessionState.OPEN
    made = bench(state, role, opened_at=100.0, session_init_timeout=30.0)
    assert 130.0 == made.session.next_deadline()
    assert [] == made.session.tick(129.9)
    expected = Closed(CloseCause.SESSION_INIT_TIMEOUT, "no bind was completed")
    assert [expected] == made.session.tick(130.0)


def test_a_bind_that_is_not_answered_ends_unknown_with_the_session(bench):
    made = bench(SessionState.OPEN, session_init_timeout=30.0, response_timeout=5.0)
    exchange = made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    assert 30.0 == made.session.next_deadline()
    ended, closed = made.session.tick(30.0)
    assert (exchange, ExchangeEnd.UNKNOWN) == (ended, exchange.end)
    assert CloseCause.SESSION_INIT_TIMEOUT is closed.cause


def test_an_mc_that_does_not_decide_lets_the_time_run_out_as_well(bench):
    made = bench(SessionState.OPEN, Role.MC, session_init_timeout=30.0)
    made.hear(BindTransceiver(system_id="gateway"), now=29.0)
    assert CloseCause.SESSION_INIT_TIMEOUT is made.session.tick(30.0)[-1].cause


def test_an_enquiry_of_ours_before_the_bind_ends_as_others_do(bench):
    made = bench(SessionState.OPEN, enquire_link_timeout=5.0)
    exchange = made.session.request(EnquireLink(), 1.0)
    assert 6.0 == made.session.next_deadline()
    assert [exchange] == made.session.tick(6.0)
    assert ExchangeEnd.TIMED_OUT is exchange.end


# Whether the peer is there.


def test_silence_is_asked_about_and_then_taken_for_the_end(bench):
    made = bench(enquire_link_interval=30.0, enquire_link_timeout=15.0, enquire_links_missed=2)
    session = made.session
    assert 30.0 == session.next_deadline()
    (asked,) = session.tick(30.0)
    assert Automatic(EnquireLink(sequence_number=2)) == asked
    assert 45.0 == session.next_deadline()
    automatic, first = session.tick(45.0)
    assert isinstance(automatic, Automatic)
    assert ExchangeEnd.TIMED_OUT is first.end
    assert 2 == len(made.sent())
    second, closed = session.tick(60.0)
    assert ExchangeEnd.UNKNOWN is second.end
    assert Closed(CloseCause.SILENCE, "nothing came for 60 s") == closed


def test_any_whole_pdu_is_a_sign_of_life(bench):
    made = bench(enquire_link_interval=30.0, enquire_link_timeout=15.0, enquire_links_missed=1)
    made.session.tick(30.0)
    made.hear(DeliverSm(), now=44.0)
    assert [] == made.session.tick(44.9)
    assert SessionState.BOUND_TRX is made.session.state
    assert 74.0 == made.session._vitality.deadline()


def test_half_a_pdu_is_no_sign_of_life(bench):
    made = bench(enquire_link_interval=30.0, enquire_link_timeout=15.0, enquire_links_missed=1)
    made.session.tick(30.0)
    made.session.receive(encode(DeliverSm())[:20], 40.0)
    assert CloseCause.SILENCE is made.session.tick(45.0)[-1].cause


def test_an_answered_enquiry_starts_the_interval_anew(bench):
    made = bench(enquire_link_interval=30.0)
    made.session.tick(30.0)
    (asked,) = made.sent()
    (exchange,) = made.hear(EnquireLinkResp(sequence_number=asked.sequence_number), now=31.0)
    assert ExchangeEnd.ANSWERED is exchange.end
    assert 61.0 == made.session.next_deadline()


def test_only_misses_in_a_row_count(bench):
    made = bench(enquire_link_interval=30.0, enquire_link_timeout=15.0, enquire_links_missed=2)
    made.session.tick(30.0)
    made.session.tick(45.0)
    made.hear(DeliverSm(), now=50.0)
    made.session.tick(80.0)
    made.session.tick(95.0)
    assert not made.session.is_closed
    assert CloseCause.SILENCE is made.session.tick(110.0)[-1].cause


def test_what_we_send_is_no_sign_of_the_peers_life(bench):
    made = bench(enquire_link_interval=30.0)
    made.session.request(SubmitSm(destination_addr="1"), 29.0)
    assert 30.0 == made.session.next_deadline()


def test_enquiries_that_are_never_answered_do_not_pile_up(bench):
    # A peer that sends traffic but answers no enquire_link.
    made = bench(enquire_link_interval=30.0, enquire_link_timeout=15.0)
    ended = []
    for at in range(1000):
        now = at * 35.0
        ended += [each for each in made.session.tick(now) if not isinstance(each, Automatic)]
        made.hear(DeliverSm(sequence_number=1), now=now + 1)
        for waiting in list(made.session._unanswered.values()):
            made.session.respond(waiting, DeliverSmResp())
        assert len(made.session._window.control) <= 2
    assert {ExchangeEnd.TIMED_OUT} == {exchange.end for exchange in ended}
    assert len(ended) > 900


def test_an_enquiry_answered_after_its_time_is_told_as_late(bench):
    made = bench(enquire_link_interval=30.0, enquire_link_timeout=15.0)
    made.session.tick(30.0)
    (asked,) = made.sent()
    _, exchange = made.session.tick(45.0)
    answer = EnquireLinkResp(sequence_number=asked.sequence_number)
    assert [LateResponse(exchange)] == made.hear(answer, now=46.0)


# Inactivity.


def test_without_messages_the_session_is_ended_with_unbind(bench):
    made = bench(inactivity_timeout=100.0, enquire_link_interval=1000.0, unbind_timeout=5.0)
    made.hear(DeliverSm(), now=20.0)
    made.session.request(SubmitSm(destination_addr="1"), 50.0)
    made.sent()
    automatic, _ = made.session.tick(150.0)
    assert isinstance(automatic.pdu, Unbind)
    assert ["unbind"] == [pdu.name for pdu in made.sent()]
    assert made.session.is_unbinding
    assert CloseCause.UNBIND_TIMEOUT is made.session.tick(155.0)[-1].cause


def test_enquiries_are_no_activity(bench):
    made = bench(inactivity_timeout=100.0)
    made.hear(EnquireLink(), now=99.0)
    made.session.tick(100.0)
    assert made.session.is_unbinding


def test_a_bind_is_kept_for_ever_by_default(bench):
    made = bench()
    for at in range(30, 100_000, 30):
        made.session.tick(float(at))
        made.hear(EnquireLinkResp(sequence_number=made.sent()[0].sequence_number), now=float(at))
    assert not made.session.is_closed


# Ticks.


def test_an_early_tick_does_no_harm(bench):
    made = bench()
    for at in range(29):
        assert [] == made.session.tick(float(at))
    assert [] == made.sent()


def test_after_a_tick_the_next_deadline_lies_ahead(bench):
    made = bench(enquire_link_interval=1.0, enquire_link_timeout=0.5, inactivity_timeout=3.0)
    now = 0.0
    while (deadline := made.session.next_deadline()) is not None:
        assert deadline > now
        now = deadline
        made.session.tick(now)
    assert now < 10.0


def test_a_tick_after_a_long_sleep_does_everything_at_once(bench):
    made = bench()
    exchange = made.session.request(SubmitSm(destination_addr="1"), 0.0)
    events = made.session.tick(3600.0)
    assert exchange in events
    assert ExchangeEnd.TIMED_OUT is exchange.end
    assert SessionState.BOUND_TRX is made.session.state


def test_a_bound_session_forgets_the_deadline_of_its_bind(bench):
    made = bench(SessionState.OPEN, session_init_timeout=10.0, enquire_link_interval=100.0)
    made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    made.hear(BindTransceiverResp(sequence_number=1), now=2.0)
    assert 102.0 == made.session.next_deadline()


# Settings.


@pytest.mark.parametrize(
    "name",
    [
        "window",
        "inbound_window",
        "response_timeout",
        "session_init_timeout",
        "enquire_link_interval",
        "enquire_link_timeout",
        "enquire_links_missed",
        "inactivity_timeout",
        "unbind_timeout",
        "max_command_length",
    ],
)
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_every_setting_is_positive(name: str, value: float):
    with pytest.raises(ValueError, match=f"{name}: {value}, expected more than 0"):
        SessionSettings(**{name: value})
