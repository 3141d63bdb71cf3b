"""Requests of ours: the window, sequence numbers, and how each ends exactly once."""

import pytest

from whiteroute.engine.session import (
    CloseCause,
    Closed,
    Exchange,
    ExchangeEnd,
    LateResponse,
    LocalProtocolError,
    Role,
    SessionState,
    Unexpected,
    Unreadable,
)
from whiteroute.engine.session.window import KEPT_LATE, LAST_SEQUENCE_NUMBER
from whiteroute.pdu import (
    AlertNotification,
    BindTransceiverResp,
    BodyError,
    DataSm,
    DataSmResp,
    DeliverSm,
    EncodeError,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    QuerySmResp,
    SubmitSm,
    SubmitSmResp,
    UnknownPdu,
    encode,
)


def submit(**fields: object) -> SubmitSm:
    return SubmitSm(destination_addr="34600111222", **fields)


# The window.


def test_the_window_counts_messages_and_opens_with_their_answers(bench):
    made = bench(window=2)
    session = made.session
    assert 2 == session.room
    first = session.request(submit(), 1.0)
    session.request(QuerySm(message_id="7"), 1.0)
    assert 0 == session.room
    with pytest.raises(LocalProtocolError, match="submit_sm beyond the window of 2"):
        session.request(submit(), 1.0)
    made.hear(SubmitSmResp(sequence_number=first.request.sequence_number))
    assert 1 == session.room
    session.request(submit(), 1.0)


def test_a_full_window_changes_nothing(bench):
    made = bench(window=1)
    made.session.request(submit(), 1.0)
    made.sent()
    before, refused = made.session.statistics(), submit()
    with pytest.raises(LocalProtocolError):
        made.session.request(refused, 1.0)
    assert before == made.session.statistics()
    assert 0 == refused.sequence_number
    assert [] == made.sent()


def test_there_is_no_room_before_a_bind_and_none_after_the_end(bench):
    assert 0 == bench(SessionState.OPEN).session.room
    assert 0 == bench(SessionState.CLOSED).session.room


def test_the_window_can_be_changed_at_any_time(bench):
    session = bench(window=3).session
    for _ in range(3):
        session.request(submit(), 1.0)
    session.window = 1
    assert (1, 0) == (session.window, session.room)
    session.window = 5
    assert 2 == session.room
    with pytest.raises(ValueError, match="window: 0, expected at least 1"):
        session.window = 0


def test_a_request_without_a_response_takes_no_place(bench):
    made = bench(SessionState.BOUND_RX, Role.MC, window=1)
    exchange = made.session.request(AlertNotification(), 1.0)
    assert 1 == made.session.room
    assert 0 == made.session.statistics().in_flight
    made.session.close()
    assert exchange.end is None


# Sequence numbers.


def test_numbers_start_at_one_and_rise(bench):
    session = bench(SessionState.OPEN).session
    made = bench()
    numbers = [made.session.request(submit(), 1.0).request.sequence_number for _ in range(3)]
    assert [2, 3, 4] == numbers
    assert 0 == session.statistics().requests_sent


def test_after_the_last_number_comes_one_again(bench):
    made = bench(window=10)
    made.session._window.last = LAST_SEQUENCE_NUMBER - 1
    numbers = [made.session.request(submit(), 1.0).request.sequence_number for _ in range(3)]
    assert [LAST_SEQUENCE_NUMBER, 1, 2] == numbers
    assert 0x7FFFFFFF == LAST_SEQUENCE_NUMBER


def test_numbers_in_use_are_passed_over(bench):
    made = bench(window=10, response_timeout=5, enquire_link_interval=20, enquire_link_timeout=20)
    session = made.session
    late = session.request(submit(), 0.0).request.sequence_number
    session.tick(5.0)
    waiting = session.request(submit(), 6.0).request.sequence_number
    session.tick(20.0)  # An enquire_link is asked.
    asked = made.sent()[-1].sequence_number
    assert [2, 3, 4] == [late, waiting, asked]
    session._window.last = LAST_SEQUENCE_NUMBER
    # The second one timed out with the tick and is kept for a late answer too.
    assert 1 == session.request(submit(), 21.0).request.sequence_number
    assert 5 == session.request(submit(), 21.0).request.sequence_number


def test_a_value_that_does_not_fit_changes_nothing(bench):
    made = bench()
    before, bad = made.session.statistics(), submit(short_message=b"x" * 300, sequence_number=77)
    with pytest.raises(EncodeError):
        made.session.request(bad, 1.0)
    assert before == made.session.statistics()
    assert ([], 77) == (made.sent(), bad.sequence_number)
    assert 2 == made.session.request(submit(), 1.0).request.sequence_number


# Each ends exactly once.


def test_an_answer_ends_its_request_whatever_its_status(bench):
    made = bench()
    exchange = made.session.request(submit(), 1.0, context="message 7")
    number = exchange.request.sequence_number
    assert exchange.command_status is None
    events = made.hear(SubmitSmResp(command_status=0x40B, sequence_number=number))
    assert [exchange] == events
    assert (ExchangeEnd.ANSWERED, 0x40B) == (exchange.end, exchange.command_status)
    assert "message 7" == exchange.context


def test_answers_may_come_in_any_order(bench):
    made = bench()
    exchanges = [made.session.request(submit(), 1.0) for _ in range(4)]
    answers = [
        SubmitSmResp(message_id=str(at), sequence_number=exchange.request.sequence_number)
        for at, exchange in enumerate(exchanges)
    ]
    assert exchanges[::-1] == made.hear(*answers[::-1])
    assert ["0", "1", "2", "3"] == [exchange.response.message_id for exchange in exchanges]


def test_a_second_answer_is_unexpected(bench):
    made = bench()
    number = made.session.request(submit(), 1.0).request.sequence_number
    first, second = (SubmitSmResp(sequence_number=number) for _ in range(2))
    ended, unexpected = made.hear(first, second)
    assert isinstance(ended, Exchange)
    assert Unexpected(second) == unexpected


@pytest.mark.parametrize(
    "stranger",
    [
        SubmitSmResp(sequence_number=99),
        DataSmResp(sequence_number=2),
        EnquireLinkResp(sequence_number=2),
        GenericNack(sequence_number=0, command_status=2),
        GenericNack(sequence_number=99, command_status=3),
        UnknownPdu(unknown_command_id=0x8000_0428, sequence_number=2),
    ],
    ids=lambda pdu: f"{pdu.name} {pdu.sequence_number}",
)
def test_what_answers_nothing_is_unexpected_and_ends_nothing(bench, stranger):
    made = bench()
    exchange = made.session.request(submit(), 1.0)
    made.sent()
    events = made.session.receive(encode(stranger), 2.0)
    assert [Unexpected(stranger)] == events
    assert exchange.end is None
    assert [] == made.sent()
    assert not made.session.is_closed


def test_a_nack_with_its_number_ends_a_request(bench):
    made = bench()
    exchange = made.session.request(submit(), 1.0)
    nack = GenericNack(command_status=3, sequence_number=exchange.request.sequence_number)
    assert [exchange] == made.hear(nack)
    assert (ExchangeEnd.NACKED, 3) == (exchange.end, exchange.command_status)
    assert 0 == made.session.statistics().in_flight


def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(bench):
    made = bench()
    exchange = made.session.request(QuerySm(message_id="7"), 1.0)
    octets = encode(QuerySmResp(sequence_number=exchange.request.sequence_number))
    cut = (19).to_bytes(4, "big") + octets[4:19]
    ended, unreadable = made.session.receive(cut, 2.0)
    assert exchange is ended
    assert (ExchangeEnd.UNKNOWN, None) == (exchange.end, exchange.response)
    assert isinstance(unreadable, Unreadable)
    assert isinstance(unreadable.error, BodyError)
    assert cut == unreadable.error.octets
    assert [] == [pdu for pdu in made.sent() if pdu.name != "query_sm"]


@pytest.mark.parametrize("number", [2, 99])
def test_an_unreadable_answer_to_something_else_ends_nothing(bench, number: int):
    made = bench()
    exchange = made.session.request(submit(), 1.0)
    octets = encode(QuerySmResp(sequence_number=number))
    events = made.session.receive((19).to_bytes(4, "big") + octets[4:19], 2.0)
    assert [Unreadable] == [type(event) for event in events]
    assert exchange.end is None


# Time.


def test_a_request_times_out_and_nothing_else_happens(bench):
    made = bench(response_timeout=10.0)
    session = made.session
    exchange = session.request(submit(), 3.0)
    made.sent()
    assert (13.0, 13.0) == (exchange.deadline, session.next_deadline())
    assert [] == session.tick(12.9)
    assert [exchange] == session.tick(13.0)
    assert (ExchangeEnd.TIMED_OUT, None) == (exchange.end, exchange.response)
    assert SessionState.BOUND_TRX is session.state
    assert ([], 10) == (made.sent(), session.room)
    assert 1 == session.statistics().timed_out


def test_requests_time_out_oldest_first(bench):
    session = bench(response_timeout=10.0).session
    exchanges = [session.request(submit(), float(at)) for at in range(5)]
    assert exchanges[:3] == session.tick(12.0)
    assert 13.0 == session.next_deadline()


def test_a_late_answer_is_adopted(bench):
    made = bench(response_timeout=10.0)
    exchange = made.session.request(submit(), 0.0)
    made.session.tick(10.0)
    answer = SubmitSmResp(message_id="7", sequence_number=exchange.request.sequence_number)
    assert [LateResponse(exchange)] == made.hear(answer, now=11.0)
    assert (ExchangeEnd.TIMED_OUT, answer) == (exchange.end, exchange.response)
    assert 1 == made.session.statistics().late_responses
    assert [Unexpected(answer)] == made.hear(answer, now=12.0)


def test_a_late_nack_is_told_as_late(bench):
    made = bench(response_timeout=10.0)
    exchange = made.session.request(submit(), 0.0)
    made.session.tick(10.0)
    nack = GenericNack(command_status=3, sequence_number=exchange.request.sequence_number)
    assert [LateResponse(exchange)] == made.hear(nack, now=11.0)
    assert 3 == exchange.command_status


def test_only_so_many_are_remembered_for_late_answers(bench):
    made = bench(window=KEPT_LATE + 1, response_timeout=10.0)
    exchanges = [made.session.request(submit(), 0.0) for _ in range(KEPT_LATE + 1)]
    made.session.tick(10.0)
    forgotten = SubmitSmResp(sequence_number=exchanges[0].request.sequence_number)
    remembered = SubmitSmResp(sequence_number=exchanges[1].request.sequence_number)
    assert [Unexpected(forgotten), LateResponse(exchanges[1])] == made.hear(
        forgotten, remembered, now=10.0
    )


def test_traffic_moves_the_deadline_of_nothing(bench):
    made = bench(response_timeout=10.0)
    made.session.request(submit(), 0.0)
    made.hear(DeliverSm(), now=9.0)
    assert 10.0 == made.session.next_deadline()


# The end.


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (lambda session: session.close(), CloseCause.LOCAL),
        (lambda session: session.end_of_stream("reset"), CloseCause.PEER_CLOSED),
        (lambda session: session.receive(bytes(16), 1.0), CloseCause.FRAMING),
    ],
    ids=["we close", "the peer closes", "a broken frame"],
)
def test_every_request_in_flight_is_unknown_at_the_end(bench, end, cause: CloseCause):
    made = bench()
    exchanges = [made.session.request(DataSm(destination_addr="1"), 0.0) for _ in range(3)]
    *events, closed = end(made.session)
    assert exchanges == [event for event in events if isinstance(event, Exchange)]
    assert {ExchangeEnd.UNKNOWN} == {exchange.end for exchange in exchanges}
    assert isinstance(closed, Closed)
    assert cause is closed.cause
    assert made.session.is_closed


def test_nothing_happens_after_the_end(bench):
    made = bench()
    made.session.request(submit(), 0.0)
    made.session.close()
    made.sent()
    assert [] == made.hear(DeliverSm(), SubmitSmResp(sequence_number=2))
    assert [] == made.session.close()
    assert [] == made.session.end_of_stream()
    assert [] == made.session.tick(1e9)
    assert made.session.next_deadline() is None
    assert [] == made.sent()
    with pytest.raises(LocalProtocolError, match="as ESME in CLOSED"):
        made.session.request(submit(), 1.0)


def test_a_timed_out_request_is_not_ended_a_second_time(bench):
    made = bench(response_timeout=10.0)
    exchange = made.session.request(submit(), 0.0)
    assert [exchange] == made.session.tick(10.0)
    assert [Closed(CloseCause.LOCAL)] == made.session.close()


def test_the_figures_are_told_at_any_time(bench):
    made = bench(window=5)
    made.session.request(submit(), 0.0)
    made.hear(DeliverSm(), DeliverSm())
    figures = made.session.statistics()
    assert (SessionState.BOUND_TRX, 1, 5, 2, 2) == (
        figures.state,
        figures.in_flight,
        figures.window,
        figures.unanswered,
        figures.requests_sent,
    )
    received = len(encode(BindTransceiverResp())) + 2 * len(encode(DeliverSm()))
    assert (3, received) == (figures.pdus_received, figures.octets_received)
    expected = "<Session ESME BOUND_TRX, 1 of 5 in flight, 2 unanswered>"
    assert expected == repr(made.session)
