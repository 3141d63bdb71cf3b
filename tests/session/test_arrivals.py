"""Requests of the peer: told once, answered once, bounded, and refused in a form all can read."""

import pytest

from whiteroute.engine.session import (
    Arrived,
    Automatic,
    CloseCause,
    Closed,
    LocalProtocolError,
    RemoteProtocolError,
    RequestRefused,
    Role,
    SessionState,
    Unreadable,
    refusal,
)
from whiteroute.pdu import (
    OPERATIONS,
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    CommandStatus,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EncodeError,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    QuerySm,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    UnknownPdu,
    WireForm,
    encode,
)


def cut(pdu: object, octets_left: int) -> bytes:
    """Cut a PDU off inside its body, its command_length put right."""
    return octets_left.to_bytes(4, "big") + encode(pdu)[4:octets_left]


# Answering.


def test_a_request_is_told_and_then_answered_with_its_number(bench):
    made = bench()
    deliver = DeliverSm(short_message=b"hello", sequence_number=1234)
    (arrived,) = made.hear(deliver, now=5.0)
    assert isinstance(arrived, Arrived)
    assert (deliver, 5.0) == (arrived.pdu, arrived.at)
    assert [] == made.sent()
    made.session.respond(arrived.pdu, DeliverSmResp())
    assert [DeliverSmResp(sequence_number=1234)] == made.sent()
    assert 0 == made.session.statistics().unanswered


def test_answers_may_be_given_late_and_in_any_order(bench):
    made = bench()
    first, second = made.hear(
        DeliverSm(sequence_number=1), DataSm(destination_addr="1", sequence_number=2)
    )
    made.session.tick(10.0)
    made.session.respond(second.pdu, DataSmResp(message_id="7"))
    made.session.respond(first.pdu, DeliverSmResp(command_status=CommandStatus.ESME_RX_T_APPN))
    assert [2, 1] == [pdu.sequence_number for pdu in made.sent()]


def test_a_request_is_answered_once(bench):
    made = bench()
    (arrived,) = made.hear(DeliverSm(sequence_number=5))
    made.session.respond(arrived.pdu, DeliverSmResp())
    made.sent()
    with pytest.raises(LocalProtocolError) as caught:
        made.session.respond(arrived.pdu, DeliverSmResp())
    expected = "an answer to deliver_sm 5 in BOUND_TRX, expected one for each request that arrived"
    assert expected == str(caught.value)
    assert [] == made.sent()


def test_what_never_arrived_cannot_be_answered(bench):
    made = bench()
    made.hear(DeliverSm(sequence_number=5))
    with pytest.raises(LocalProtocolError):
        made.session.respond(DeliverSm(sequence_number=5), DeliverSmResp())


def test_only_the_operations_own_response_or_a_nack_answers_it(bench):
    made = bench()
    (arrived,) = made.hear(DeliverSm(sequence_number=5))
    for wrong in (SubmitSmResp(), EnquireLink(), UnknownPdu(unknown_command_id=0x8000_0005)):
        with pytest.raises(LocalProtocolError, match="as the answer to deliver_sm, expected"):
            made.session.respond(arrived.pdu, wrong)
    assert [] == made.sent()
    made.session.respond(arrived.pdu, GenericNack(command_status=3))
    assert [GenericNack(command_status=3, sequence_number=5)] == made.sent()


def test_an_answer_that_does_not_fit_leaves_the_request_waiting(bench):
    made = bench()
    (arrived,) = made.hear(DeliverSm(sequence_number=5))
    with pytest.raises(EncodeError):
        made.session.respond(arrived.pdu, DeliverSmResp(message_id="x" * 65))
    assert [] == made.sent()
    made.session.respond(arrived.pdu, DeliverSmResp())
    assert 1 == len(made.sent())


def test_nothing_is_answered_after_the_end(bench):
    made = bench()
    (arrived,) = made.hear(DeliverSm(sequence_number=5))
    made.session.close()
    with pytest.raises(LocalProtocolError, match="an answer to deliver_sm 5 in CLOSED"):
        made.session.respond(arrived.pdu, DeliverSmResp())


def test_requests_that_share_a_number_are_each_answered(bench):
    # Some peers give every request the same number, and some send one again while it is worked on.
    made = bench()
    first, second = made.hear(
        DeliverSm(short_message=b"one", sequence_number=1),
        DeliverSm(short_message=b"two", sequence_number=1),
    )
    assert 2 == made.session.statistics().unanswered
    made.session.respond(first.pdu, DeliverSmResp())
    made.session.respond(second.pdu, DeliverSmResp())
    assert [1, 1] == [pdu.sequence_number for pdu in made.sent()]


def test_any_number_the_peer_likes_is_given_back(bench):
    made = bench()
    for number in (0x7FFFFFFF, 0x80000000, 0xFFFFFFFF):
        (arrived,) = made.hear(DeliverSm(sequence_number=number))
        made.session.respond(arrived.pdu, DeliverSmResp())
        assert [number] == [pdu.sequence_number for pdu in made.sent()]
    (arrived,) = made.session.receive(encode(DeliverSm(sequence_number=0)), 0.0)
    made.session.respond(arrived.pdu, DeliverSmResp())
    assert [0] == [pdu.sequence_number for pdu in made.sent()]


def test_an_alert_is_told_and_not_answered(bench):
    made = bench()
    (arrived,) = made.hear(AlertNotification(source_addr="34600111222"))
    assert isinstance(arrived, Arrived)
    assert 0 == made.session.statistics().unanswered
    with pytest.raises(LocalProtocolError):
        made.session.respond(arrived.pdu, GenericNack())


# Enquiries.


def test_an_enquiry_is_answered_while_everything_else_waits(bench):
    made = bench(window=1, inbound_window=1)
    made.session.request(SubmitSm(destination_addr="1"), 0.0)
    made.hear(DeliverSm())
    made.sent()
    (automatic,) = made.hear(EnquireLink(sequence_number=8))
    assert [EnquireLinkResp(sequence_number=8)] == made.sent()
    assert Automatic(EnquireLinkResp(sequence_number=8)) == automatic


# Bounds.


@pytest.mark.parametrize(
    ("role", "request_class", "status"),
    [
        (Role.ESME, DeliverSm, CommandStatus.ESME_RX_T_APPN),
        (Role.MC, SubmitSm, CommandStatus.ESME_RMSGQFUL),
    ],
)
def test_beyond_the_bound_the_peer_is_told_to_try_again(bench, role: Role, request_class, status):
    made = bench(role=role, inbound_window=2)
    pdus = [request_class(destination_addr="1", sequence_number=number) for number in (1, 2, 3)]
    first, second, automatic, refused = made.hear(*pdus)
    assert [pdus[0], pdus[1]] == [first.pdu, second.pdu]
    (answer,) = made.sent()
    assert Automatic(answer) == automatic
    assert (status, 3) == (answer.command_status, answer.sequence_number)
    assert RequestRefused(pdus[2], status) == refused
    made.session.respond(first.pdu, OPERATIONS[first.pdu.command_id | 0x8000_0000]())
    (again,) = made.hear(request_class(destination_addr="1", sequence_number=4))
    assert isinstance(again, Arrived)


def test_an_alert_beyond_the_bound_is_dropped_without_a_word(bench):
    made = bench(inbound_window=1)
    alert = AlertNotification(sequence_number=9)
    _, refused = made.hear(DeliverSm(), alert)
    assert RequestRefused(alert, CommandStatus.ESME_RX_T_APPN) == refused
    assert [] == made.sent()


# What is unknown or unreadable.


def test_an_unknown_operation_is_nacked_with_its_number(bench):
    made = bench()
    unknown = UnknownPdu(unknown_command_id=0x428, body=b"vendor", sequence_number=7)
    automatic, refused = made.hear(unknown)
    nack = GenericNack(command_status=CommandStatus.ESME_RINVCMDID, sequence_number=7)
    assert [nack] == made.sent()
    assert [Automatic(nack), RequestRefused(unknown, CommandStatus.ESME_RINVCMDID)] == [
        automatic,
        refused,
    ]
    assert SessionState.BOUND_TRX is made.session.state


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (
            cut(DeliverSm(short_message=b"hello", sequence_number=7), 37),
            DeliverSmResp(command_status=CommandStatus.ESME_RINVMSGLEN, sequence_number=7),
        ),
        (
            cut(DataSm(destination_addr="34600111222", sequence_number=7), 25),
            DataSmResp(command_status=CommandStatus.ESME_RINVDSTADR, sequence_number=7),
        ),
        (
            cut(AlertNotification(source_addr="34600111222", sequence_number=7), 20),
            GenericNack(command_status=CommandStatus.ESME_RINVSRCADR, sequence_number=7),
        ),
    ],
    ids=["deliver_sm", "data_sm", "alert_notification"],
)
def test_an_unreadable_request_is_answered_and_kept(bench, octets: bytes, answer):
    made = bench()
    automatic, unreadable = made.session.receive(octets, 1.0)
    assert [answer] == made.sent()
    assert Automatic(answer) == automatic
    assert isinstance(unreadable, Unreadable)
    assert octets == unreadable.error.octets
    assert not made.session.is_closed


def test_an_unreadable_submit_is_answered_with_a_header_alone(bench):
    made = bench(role=Role.MC)
    pdu = SubmitSm(destination_addr="1", short_message=b"hello", sequence_number=7)
    made.session.receive(cut(pdu, 37), 1.0)
    (answer,) = made.sent()
    assert (
        SubmitSmResp(
            command_status=CommandStatus.ESME_RINVMSGLEN,
            sequence_number=7,
            wire_form=WireForm.HEADER_ONLY,
        )
        == answer
    )


def test_the_frames_around_an_unreadable_one_are_unharmed(bench):
    made = bench()
    first, last = DeliverSm(sequence_number=1), DeliverSm(sequence_number=3)
    broken = cut(DeliverSm(short_message=b"hello", sequence_number=2), 37)
    events = made.session.receive(encode(first) + broken + encode(last), 1.0)
    assert [Arrived, Automatic, Unreadable, Arrived] == [type(event) for event in events]


def test_a_broken_length_is_nacked_and_ends_the_session_after_what_was_whole(bench):
    made = bench()
    octets = encode(DeliverSm(sequence_number=1)) + b"\0\0\0\1" + bytes(20)
    arrived, automatic, closed = made.session.receive(octets, 1.0)
    assert isinstance(arrived, Arrived)
    nack = GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN, sequence_number=0)
    assert ([nack], Automatic(nack)) == (made.sent(), automatic)
    detail = "command_length 1, expected 16 to 65536 octets"
    assert Closed(CloseCause.FRAMING, detail) == closed
    assert isinstance(closed.error, RemoteProtocolError)
    assert detail == str(closed.error)


def test_the_longest_pdu_is_the_settings(bench):
    made = bench(max_command_length=100)
    events = made.hear(DeliverSm(short_message=b"x" * 80))
    assert CloseCause.FRAMING is events[-1].cause


def test_what_comes_behind_an_unbind_is_refused(bench):
    made = bench()
    deliver = DeliverSm(sequence_number=2)
    octets = b"".join(map(encode, (OPERATIONS[6](sequence_number=1), deliver)))
    *automatic, refused, closed = made.session.receive(octets, 1.0)
    assert [Automatic, Automatic] == [type(event) for event in automatic]
    assert RequestRefused(deliver, CommandStatus.ESME_RINVBNDSTS) == refused
    assert CloseCause.UNBIND is closed.cause


def test_whoever_observes_sees_each_whole_frame_before_it_is_read(bench):
    made = bench()
    seen: list[tuple[bytes, float]] = []
    made.session.observe = lambda octets, now: seen.append((octets, now))
    whole = encode(DeliverSm(sequence_number=1))
    broken = cut(DeliverSm(short_message=b"hello", sequence_number=2), 37)
    made.session.receive(whole + broken + whole[:20], 7.0)
    assert [(whole, 7.0), (broken, 7.0)] == seen


# The form of refusals.


@pytest.mark.parametrize(
    ("request_pdu", "answer", "octets"),
    [
        (SubmitSm(destination_addr="1"), SubmitSmResp, 16),
        (SubmitMulti(), OPERATIONS[0x8000_0021], 18),
        (DeliverSm(), DeliverSmResp, 17),
        (DataSm(destination_addr="1"), DataSmResp, 17),
        (BindTransceiver(system_id="x"), BindTransceiverResp, 17),
        (BindReceiver(system_id="x"), BindReceiverResp, 17),
        (QuerySm(message_id="7"), OPERATIONS[0x8000_0003], 20),
        (UnknownPdu(unknown_command_id=0x428), GenericNack, 16),
        (AlertNotification(), GenericNack, 16),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_refusal_has_the_form_that_every_peer_reads(request_pdu, answer, octets: int):
    request_pdu.sequence_number = 9
    made = refusal(request_pdu, 0x64)
    assert isinstance(made, answer)
    assert (0x64, 9, octets) == (made.command_status, made.sequence_number, len(encode(made)))
