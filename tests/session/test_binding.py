"""Binding and unbinding, for both roles."""

import pytest

from whiteroute.engine.session import (
    Arrived,
    Automatic,
    BindRefused,
    Bound,
    CloseCause,
    Closed,
    Exchange,
    ExchangeEnd,
    LocalProtocolError,
    RemoteProtocolError,
    RequestRefused,
    Role,
    SessionState,
)
from whiteroute.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CommandStatus,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Outbind,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
    Unbind,
    UnbindResp,
    make_tlvs,
)

BINDS = [
    (BindTransmitter, BindTransmitterResp, SessionState.BOUND_TX),
    (BindReceiver, BindReceiverResp, SessionState.BOUND_RX),
    (BindTransceiver, BindTransceiverResp, SessionState.BOUND_TRX),
]


# The ESME binds.


@pytest.mark.parametrize(("bind", "response", "state"), BINDS)
def test_an_accepted_bind_is_told_with_the_peers_name_and_version(bench, bind, response, state):
    made = bench(SessionState.OPEN)
    exchange = made.session.request(bind(system_id="gateway"), 1.0)
    ended, bound = made.hear(
        response(system_id="mc", tlvs=make_tlvs(sc_interface_version=0x34), sequence_number=1)
    )
    assert exchange is ended
    assert ExchangeEnd.ANSWERED is exchange.end
    assert Bound(state, "mc", 0x34) == bound
    assert (state, 0x34) == (made.session.state, made.session.peer_interface_version)


@pytest.mark.parametrize(
    ("tlvs", "version"),
    [
        (Tlvs(), None),
        (make_tlvs(sc_interface_version=0x50), 0x50),
        (Tlvs.of(Tlv(0x0210, b"")), None),
        (Tlvs.of(Tlv(0x0210, b"\x00\x34")), 0x34),
    ],
)
def test_a_version_may_be_missing_or_odd(bench, tlvs: Tlvs, version: int | None):
    made = bench(SessionState.OPEN)
    made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    *_, bound = made.hear(BindTransceiverResp(tlvs=tlvs, sequence_number=1))
    assert version == bound.interface_version


def test_a_refused_bind_is_told_and_may_be_tried_again_on_the_same_link(bench):
    made = bench(SessionState.OPEN)
    made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    response = BindTransceiverResp(command_status=0x0D, sequence_number=1)
    ended, refused = made.hear(response)
    assert isinstance(ended, Exchange)
    assert BindRefused(0x0D, response) == refused
    assert SessionState.OPEN is made.session.state
    made.session.request(BindTransmitter(system_id="gateway"), 2.0)


def test_a_nacked_bind_is_refused_whatever_the_nack_says(bench):
    made = bench(SessionState.OPEN)
    made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    nack = GenericNack(command_status=0, sequence_number=1)
    ended, refused = made.hear(nack)
    assert ExchangeEnd.NACKED is ended.end
    assert BindRefused(0, nack) == refused
    assert SessionState.OPEN is made.session.state


def test_one_bind_at_a_time(bench):
    made = bench(SessionState.OPEN)
    made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    made.session.request(EnquireLink(), 1.0)
    with pytest.raises(LocalProtocolError, match="bind_receiver during a bind"):
        made.session.request(BindReceiver(system_id="gateway"), 1.0)


def test_a_bind_takes_no_place_in_the_window(bench):
    made = bench(SessionState.OPEN, window=1)
    made.session.request(BindTransceiver(system_id="gateway"), 1.0)
    assert 0 == made.session.statistics().in_flight


def test_an_esme_is_told_of_an_outbind_and_binds(bench):
    made = bench(SessionState.OPEN)
    (arrived,) = made.hear(Outbind(system_id="mc", password="secret"))
    assert isinstance(arrived, Arrived)
    assert 0 == made.session.statistics().unanswered
    made.session.request(BindReceiver(system_id="gateway"), 1.0)


# The MC is bound to.


@pytest.mark.parametrize(("bind", "response", "state"), BINDS)
def test_an_mc_is_bound_by_its_own_answer(bench, bind, response, state):
    made = bench(SessionState.OPEN, Role.MC)
    (arrived,) = made.hear(bind(system_id="gateway", interface_version=0x50))
    assert (SessionState.OPEN, 0x50) == (made.session.state, made.session.peer_interface_version)
    made.session.respond(arrived.pdu, response(system_id="mc"))
    assert state is made.session.state


@pytest.mark.parametrize(
    "answer",
    [BindTransceiverResp(command_status=0x0E), GenericNack(), GenericNack(command_status=3)],
    ids=["wrong password", "nack without status", "nack"],
)
def test_an_mc_that_refuses_is_not_bound(bench, answer):
    made = bench(SessionState.OPEN, Role.MC)
    (arrived,) = made.hear(BindTransceiver(system_id="gateway"))
    made.session.respond(arrived.pdu, answer)
    assert SessionState.OPEN is made.session.state
    (again,) = made.hear(BindTransceiver(system_id="gateway"))
    assert isinstance(again, Arrived)


def test_a_second_bind_is_refused_while_the_first_is_decided(bench):
    made = bench(SessionState.OPEN, Role.MC)
    first, second = BindReceiver(system_id="gateway"), BindTransmitter(system_id="gateway")
    arrived, automatic, refused = made.hear(first, second)
    assert [CommandStatus.ESME_RALYBND] == [pdu.command_status for pdu in made.sent()]
    assert isinstance(automatic, Automatic)
    assert RequestRefused(second, CommandStatus.ESME_RALYBND) == refused
    made.session.respond(arrived.pdu, BindReceiverResp())
    assert SessionState.BOUND_RX is made.session.state


def test_an_mc_that_called_out_waits_for_the_bind(bench):
    made = bench(SessionState.OUTBOUND, Role.MC)
    (arrived,) = made.hear(BindReceiver(system_id="gateway"))
    made.session.respond(arrived.pdu, BindReceiverResp())
    assert SessionState.BOUND_RX is made.session.state


# Unbinding.


@pytest.mark.parametrize("role", Role)
def test_a_peers_unbind_is_answered_and_ends_the_session(bench, role: Role):
    made = bench(role=role)
    automatic, closed = made.hear(Unbind(sequence_number=9))
    assert [UnbindResp(sequence_number=9)] == made.sent()
    assert Automatic(UnbindResp(sequence_number=9)) == automatic
    assert Closed(CloseCause.UNBIND, "the peer unbound") == closed
    assert SessionState.CLOSED is made.session.state


def test_our_unbind_ends_with_its_answer(bench):
    made = bench(unbind_timeout=5.0)
    assert not made.session.is_unbinding
    exchange = made.session.request(Unbind(), 1.0)
    assert made.session.is_unbinding
    assert 6.0 == made.session.next_deadline()
    events = made.hear(UnbindResp(sequence_number=exchange.request.sequence_number))
    assert [exchange, Closed(CloseCause.UNBIND, "we unbound")] == events
    assert ExchangeEnd.ANSWERED is exchange.end


def test_an_unbind_without_answer_ends_the_session_all_the_same(bench):
    made = bench(unbind_timeout=5.0)
    exchange = made.session.request(Unbind(), 1.0)
    assert [] == made.session.tick(5.9)
    events = made.session.tick(6.0)
    assert [exchange, Closed(CloseCause.UNBIND_TIMEOUT, "unbind was not answered")] == events
    assert ExchangeEnd.UNKNOWN is exchange.end


def test_after_our_unbind_we_ask_for_nothing_more(bench):
    made = bench()
    made.session.request(Unbind(), 1.0)
    made.sent()
    assert 0 == made.session.room
    for pdu in (SubmitSm(destination_addr="1"), EnquireLink(), Unbind()):
        with pytest.raises(LocalProtocolError, match=f"{pdu.name} after unbind"):
            made.session.request(pdu, 1.0)
    assert [] == made.sent()


def test_after_our_unbind_answers_still_pass_both_ways(bench):
    made = bench()
    submitted = made.session.request(SubmitSm(destination_addr="1"), 1.0)
    made.session.request(Unbind(), 1.0)
    made.sent()
    number = submitted.request.sequence_number
    ended, arrived = made.hear(SubmitSmResp(sequence_number=number), DeliverSm())
    assert submitted is ended
    made.session.respond(arrived.pdu, DeliverSmResp())
    assert ["deliver_sm_resp"] == [pdu.name for pdu in made.sent()]


def test_no_enquiry_is_made_between_our_unbind_and_its_end(bench):
    made = bench(enquire_link_interval=1.0, unbind_timeout=100.0, inactivity_timeout=2.0)
    made.session.request(Unbind(), 0.0)
    made.sent()
    assert 100.0 == made.session.next_deadline()
    assert [] == made.session.tick(50.0)
    assert [] == made.sent()


def test_requests_in_flight_still_time_out_while_we_unbind(bench):
    made = bench(response_timeout=2.0, unbind_timeout=5.0)
    submitted = made.session.request(SubmitSm(destination_addr="1"), 0.0)
    made.session.request(Unbind(), 1.0)
    assert 2.0 == made.session.next_deadline()
    assert [submitted] == made.session.tick(2.0)
    assert 6.0 == made.session.next_deadline()


def test_unbinds_may_cross(bench):
    made = bench()
    ours = made.session.request(Unbind(), 1.0)
    made.sent()
    automatic, ended, closed = made.hear(Unbind(sequence_number=3))
    assert [UnbindResp(sequence_number=3)] == made.sent()
    assert isinstance(automatic, Automatic)
    assert (ours, ExchangeEnd.UNKNOWN) == (ended, ours.end)
    assert CloseCause.UNBIND is closed.cause


def test_a_peer_that_hangs_up_instead_of_answering_our_unbind_is_told_as_such(bench):
    made = bench()
    made.session.request(Unbind(), 1.0)
    *_, closed = made.session.end_of_stream()
    detail = "it did so instead of answering our unbind"
    assert Closed(CloseCause.PEER_CLOSED, detail) == closed


# Between the answer to an unbind and the end.


@pytest.mark.parametrize("role", Role)
def test_what_is_in_flight_may_still_be_answered_after_an_unbind(bench, role: Role):
    made = bench(SessionState.UNBOUND, role)
    session = made.session
    (exchange,) = session._window.in_flight.values()
    assert session.is_unbound
    assert 0 == session.room
    answer = SubmitSmResp if role is Role.ESME else DeliverSmResp
    events = made.hear(answer(sequence_number=exchange.request.sequence_number), now=1.0)
    assert [exchange, Closed(CloseCause.UNBIND, "the peer unbound")] == events
    assert ExchangeEnd.ANSWERED is exchange.end


def test_answers_after_our_unbind_are_waited_for_as_long_as_for_its_own(bench):
    made = bench(unbind_timeout=5.0)
    submitted = made.session.request(SubmitSm(destination_addr="1"), 0.0)
    unbind = made.session.request(Unbind(), 1.0)
    answer = UnbindResp(sequence_number=unbind.request.sequence_number)
    assert [unbind] == made.hear(answer, now=2.0)
    assert SessionState.UNBOUND is made.session.state
    assert 7.0 == made.session.next_deadline()
    assert [] == made.session.tick(6.9)
    assert [submitted, Closed(CloseCause.UNBIND, "we unbound")] == made.session.tick(7.0)
    assert ExchangeEnd.UNKNOWN is submitted.end


def test_an_unbound_session_ends_when_the_last_request_times_out(bench):
    made = bench(unbind_timeout=5.0, response_timeout=3.0)
    submitted = made.session.request(SubmitSm(destination_addr="1"), 0.0)
    made.hear(Unbind(), now=1.0)
    ended, closed = made.session.tick(3.0)
    assert (submitted, ExchangeEnd.TIMED_OUT) == (ended, submitted.end)
    assert CloseCause.UNBIND is closed.cause


def test_the_end_of_the_stream_after_an_unbind_is_no_loss(bench):
    made = bench(SessionState.UNBOUND)
    ended, closed = made.session.end_of_stream("reset")
    assert ExchangeEnd.UNKNOWN is ended.end
    assert Closed(CloseCause.UNBIND, "the peer unbound") == closed


def test_a_second_unbind_is_answered_and_puts_nothing_off(bench):
    made = bench(SessionState.UNBOUND, unbind_timeout=5.0)
    (automatic,) = made.hear(Unbind(sequence_number=9), now=3.0)
    assert Automatic(UnbindResp(sequence_number=9)) == automatic
    assert 5.0 == made.session.next_deadline()


def test_a_request_that_arrived_before_an_unbind_may_still_be_answered(bench):
    made = bench(window=2)
    made.session.request(SubmitSm(destination_addr="1"), 0.0)
    made.sent()
    arrived, _ = made.hear(DeliverSm(sequence_number=5), Unbind())
    made.session.respond(arrived.pdu, DeliverSmResp())
    assert ["unbind_resp", "deliver_sm_resp"] == [pdu.name for pdu in made.sent()]


def test_a_nacked_unbind_ends_the_session_as_well(bench):
    made = bench()
    exchange = made.session.request(Unbind(), 1.0)
    nack = GenericNack(command_status=3, sequence_number=exchange.request.sequence_number)
    assert [exchange, Closed(CloseCause.UNBIND, "we unbound")] == made.hear(nack)


def test_octets_can_be_sent_unchecked(bench):
    made = bench()
    made.session.send_unchecked(b"anything")
    assert 1 == made.session.queued_pdus
    assert [b"anything"] == made.session.take_octets()
    assert 0 == made.session.queued_pdus


def test_protocol_errors_say_what_was_found_and_expected():
    for error in (LocalProtocolError("a", "b"), RemoteProtocolError("a", "b")):
        assert "a, expected b" == str(error)
