"""Who may send what in which state, walked cell by cell against the specification's own matrix."""

import pytest

from whiteroute.engine.session import (
    BOUND_BY,
    MATRIX,
    Arrived,
    Automatic,
    Cell,
    Closed,
    LocalProtocolError,
    RequestRefused,
    Role,
    SessionState,
    states_for,
)
from whiteroute.pdu import (
    OPERATIONS,
    CommandId,
    CommandStatus,
    GenericNack,
    Pdu,
    WireForm,
    command_name,
    response_id,
)

# Spec: SMPP 5.0 §2.4, table 2-1, and SMPP 3.4 §2.3, requests only. A column for each state: O open,
# B outbound, T bound_tx, R bound_rx, X bound_trx, U unbound, C closed. In it: b for both versions, 5 for
# 5.0 alone, 3 for 3.4 alone.
ESME = """
bind_receiver b b . . . . .      bind_transmitter b b . . . . .    bind_transceiver b b . . . . .
submit_sm . . b . b . .          submit_multi . . b . b . .        data_sm . . b 3 b . .
query_sm . . b . b . .           cancel_sm . . b . b . .           replace_sm . . b . b . .
broadcast_sm . . 5 . 5 . .       query_broadcast_sm . . 5 . 5 . .  cancel_broadcast_sm . . 5 . 5 . .
deliver_sm . . . . . . .         alert_notification . . . . . . .  outbind . . . . . . .
enquire_link 5 5 b b b 5 .       unbind . . b b b . .
"""
MC = """
bind_receiver . . . . . . .      bind_transmitter . . . . . . .    bind_transceiver . . . . . . .
submit_sm . . . . . . .          submit_multi . . . . . . .        data_sm . . 3 b b . .
query_sm . . . . . . .           cancel_sm . . . . . . .           replace_sm . . . . . . .
broadcast_sm . . . . . . .       query_broadcast_sm . . . . . . .  cancel_broadcast_sm . . . . . . .
deliver_sm . . . b b . .         alert_notification . . . b b . .  outbind b . . . . . .
enquire_link 5 5 b b b 5 .       unbind . . b b b . .
"""

STATES = list(SessionState)
MARKS = {".": Cell.NEVER, "b": Cell.ALWAYS, "5": Cell.SINCE_50, "3": Cell.ONLY_34}


def matrix(table: str) -> dict[tuple[str, SessionState], Cell]:
    words = table.split()
    return {
        (words[at], state): MARKS[mark]
        for at in range(0, len(words), 8)
        for state, mark in zip(STATES, words[at + 1 : at + 8], strict=True)
    }


SPECIFIED = {Role.ESME: matrix(ESME), Role.MC: matrix(MC)}


def sent_in(role: Role, name: str) -> frozenset[SessionState]:
    marks = (Cell.ALWAYS, Cell.SINCE_50)
    return frozenset(state for state in STATES if SPECIFIED[role][name, state] in marks)


# An ESME's session has no outbound state: it is told of the outbind and binds from open.
REACHABLE = [
    (role, state)
    for role in Role
    for state in STATES
    if (role, state) != (Role.ESME, SessionState.OUTBOUND)
]
REQUESTS = [each for each in OPERATIONS.values() if not each.command_id & 0x8000_0000]

in_every_state = pytest.mark.parametrize(
    ("role", "state"), REACHABLE, ids=lambda value: value.value
)
with_every_request = pytest.mark.parametrize("pdu_class", REQUESTS, ids=lambda each: each.name)


def any_of(pdu_class: type[Pdu], **header: int) -> Pdu:
    return pdu_class(**{name: kind.default for name, kind in pdu_class.fields}, **header)


def test_the_table_is_the_specifications_cell_by_cell():
    cells = {
        (role, state, command_id): SPECIFIED[role][command_name(command_id), state]
        for role in Role
        for state in STATES
        for command_id in OPERATIONS
        if not command_id >> 31
    }
    assert 2 * 7 * 17 == len(cells)
    assert cells == dict(MATRIX)


def test_we_send_what_5_0_allows_and_take_what_either_does():
    assert [True, True, False, False] == [cell.may_send for cell in Cell]
    assert [True, True, True, False] == [cell.is_taken for cell in Cell]
    for (role, state, command_id), cell in MATRIX.items():
        assert (state in states_for(role, command_id)) is cell.may_send


def test_an_unknown_operation_or_a_response_may_never_be_sent():
    assert frozenset() == states_for(Role.ESME, 0x428)
    assert frozenset() == states_for(Role.MC, CommandId.SUBMIT_SM_RESP)


def test_each_bind_leads_to_its_state():
    assert {
        CommandId.BIND_TRANSMITTER: SessionState.BOUND_TX,
        CommandId.BIND_RECEIVER: SessionState.BOUND_RX,
        CommandId.BIND_TRANSCEIVER: SessionState.BOUND_TRX,
    } == BOUND_BY
    assert [False, False, True, True, True, False, False] == [state.is_bound for state in STATES]


def test_states_and_roles_are_found_in_sets_and_compared_as_ever():
    assert SessionState("OPEN") is SessionState.OPEN
    assert SessionState.OPEN in {SessionState("OPEN")}
    assert {Role.MC: 1}[Role("MC")] == 1
    assert Role.MC is Role.ESME.peer
    assert Role.ESME is Role.MC.peer


@in_every_state
@with_every_request
def test_a_request_is_sent_where_the_specification_allows_it_and_nowhere_else(
    bench, role: Role, state: SessionState, pdu_class: type[Pdu]
):
    made = bench(state, role)
    session = made.session
    pdu = any_of(pdu_class, sequence_number=77)
    if state in sent_in(role, pdu_class.name):
        exchange = session.request(pdu, 1.0, context="mine")
        assert [pdu] == made.sent()
        assert ("mine", 1.0, None) == (exchange.context, exchange.sent_at, exchange.end)
        return
    before = session.statistics()
    with pytest.raises(LocalProtocolError, match=f"{pdu_class.name} as {role.value} in"):
        session.request(pdu, 1.0)
    assert before == session.statistics()
    assert [] == made.sent()
    assert 77 == pdu.sequence_number


@in_every_state
@with_every_request
def test_a_peers_request_arrives_where_it_may_be_sent_and_is_refused_elsewhere(
    bench, role: Role, state: SessionState, pdu_class: type[Pdu]
):
    made = bench(state, role)
    pdu = any_of(pdu_class, sequence_number=77)
    events = made.hear(pdu)
    sent = made.sent()
    answer = response_id(pdu_class.command_id)
    if state is SessionState.CLOSED:
        assert ([], []) == (events, sent)
    elif pdu_class.command_id in (CommandId.ENQUIRE_LINK, CommandId.UNBIND):
        # Answered in every state: a peer that thinks it is bound, or still asks, is not argued with.
        assert [OPERATIONS[answer](sequence_number=77)] == sent
        assert Automatic(sent[0]) == events[0]
        closes = pdu_class.command_id == CommandId.UNBIND and state is not SessionState.UNBOUND
        assert ([Closed] if closes else []) == [type(event) for event in events[1:]]
    elif SPECIFIED[role.peer][pdu_class.name, state] is not Cell.NEVER:
        (arrived,) = events
        assert isinstance(arrived, Arrived)
        assert pdu == arrived.pdu
        assert [] == sent
    else:
        *automatic, refused = events
        bind_again = role is Role.MC and pdu_class.command_id in BOUND_BY and state.is_bound
        status = CommandStatus.ESME_RALYBND if bind_again else CommandStatus.ESME_RINVBNDSTS
        assert RequestRefused(pdu, status) == refused
        assert [Automatic(response) for response in sent] == automatic
        assert [answer] * (answer is not None) == [response.command_id for response in sent]
        assert all((status, 77) == (each.command_status, each.sequence_number) for each in sent)


@pytest.mark.parametrize(
    "pdu_class",
    [each for each in OPERATIONS.values() if each.command_id & 0x8000_0000],
    ids=lambda each: each.name,
)
@in_every_state
def test_a_response_is_no_request(bench, role: Role, state: SessionState, pdu_class: type[Pdu]):
    made = bench(state, role)
    with pytest.raises(LocalProtocolError, match="expected another operation"):
        made.session.request(pdu_class(), 1.0)
    assert [] == made.sent()


def test_a_refusal_says_what_would_be_allowed(bench):
    with pytest.raises(LocalProtocolError) as caught:
        bench(SessionState.BOUND_RX).session.request(any_of(OPERATIONS[4]), 1.0)
    assert "submit_sm as ESME in BOUND_RX, expected BOUND_TRX or BOUND_TX" == str(caught.value)


def test_a_refused_submit_is_a_header_alone_and_all_others_have_a_body(bench):
    made = bench(SessionState.OPEN, Role.MC)
    made.hear(any_of(OPERATIONS[CommandId.SUBMIT_SM]), any_of(OPERATIONS[CommandId.QUERY_SM]))
    submit, query = made.sent()
    assert WireForm.HEADER_ONLY == submit.wire_form
    assert WireForm.USUAL == query.wire_form


def test_generic_nack_is_taken_in_every_state(bench):
    for role, state in REACHABLE:
        events = bench(state, role).hear(GenericNack(sequence_number=5))
        assert [] == events or type(events[0]).__name__ == "Unexpected"
