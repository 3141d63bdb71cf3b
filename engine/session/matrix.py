"""Which request may be sent by whom in which state: both versions' operation matrices as one table.

The table knows both roles and the file does not know which one we play, so it cannot favour either.
Where the versions differ, we send what 5.0 allows and take what either of them does.

Spec: SMPP 3.4 §2.2, §2.3 (operation matrix); SMPP 5.0 §2.3, §2.4
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType

from whiteroute.pdu import OPERATIONS, RESPONSE_BIT, CommandId, response_id

from .states import BOUND_BY, Role, SessionState


class Cell(Enum):
    """What the specifications say of one request, sent by one side in one state."""

    ALWAYS = "3.4 and 5.0"
    """Allowed by both."""
    SINCE_50 = "5.0"
    """Allowed by 5.0 alone: we send it and take it."""
    ONLY_34 = "3.4"
    """Allowed by 3.4 alone: we do not send it, but take it from a peer that does."""
    NEVER = "neither"
    """Forbidden: not sent, and refused."""

    __hash__ = object.__hash__

    @property
    def may_send(self) -> bool:
        """Whether we send it."""
        return self in (Cell.ALWAYS, Cell.SINCE_50)

    @property
    def is_taken(self) -> bool:
        """Whether we take it from a peer."""
        return self is not Cell.NEVER


_OPEN = (SessionState.OPEN, SessionState.OUTBOUND)
_TX = (SessionState.BOUND_TX, SessionState.BOUND_TRX)
_RX = (SessionState.BOUND_RX, SessionState.BOUND_TRX)
_BOUND = (SessionState.BOUND_TX, SessionState.BOUND_RX, SessionState.BOUND_TRX)
_SUBMISSIONS = (
    CommandId.SUBMIT_SM,
    CommandId.SUBMIT_MULTI,
    CommandId.DATA_SM,
    CommandId.QUERY_SM,
    CommandId.CANCEL_SM,
    CommandId.REPLACE_SM,
)
_BROADCASTS = (
    CommandId.BROADCAST_SM,
    CommandId.QUERY_BROADCAST_SM,
    CommandId.CANCEL_BROADCAST_SM,
)
_DELIVERIES = (CommandId.DELIVER_SM, CommandId.DATA_SM, CommandId.ALERT_NOTIFICATION)

_ALLOWED = (
    (Cell.ALWAYS, (Role.ESME,), tuple(BOUND_BY), (SessionState.OPEN,)),
    # 3.4 has the outbind, but no state for what follows it.
    (Cell.ALWAYS, (Role.ESME,), tuple(BOUND_BY), (SessionState.OUTBOUND,)),
    (Cell.ALWAYS, (Role.MC,), (CommandId.OUTBIND,), (SessionState.OPEN,)),
    (Cell.ALWAYS, tuple(Role), (CommandId.UNBIND,), _BOUND),
    (Cell.ALWAYS, tuple(Role), (CommandId.ENQUIRE_LINK,), _BOUND),
    # 3.4 allows it only when bound; peers of either version answer it in every state.
    (Cell.SINCE_50, tuple(Role), (CommandId.ENQUIRE_LINK,), (*_OPEN, SessionState.UNBOUND)),
    (Cell.ALWAYS, (Role.ESME,), _SUBMISSIONS, _TX),
    (Cell.SINCE_50, (Role.ESME,), _BROADCASTS, _TX),
    (Cell.ALWAYS, (Role.MC,), _DELIVERIES, _RX),
    # 3.4 lets it pass both ways in every bind, 5.0 only in the direction of the bind.
    (Cell.ONLY_34, (Role.ESME,), (CommandId.DATA_SM,), (SessionState.BOUND_RX,)),
    (Cell.ONLY_34, (Role.MC,), (CommandId.DATA_SM,), (SessionState.BOUND_TX,)),
)

REQUESTS: tuple[int, ...] = tuple(each for each in OPERATIONS if not each & RESPONSE_BIT)
"""The command_id of each request that the specifications name."""


def _matrix() -> Iterator[tuple[tuple[Role, SessionState, int], Cell]]:
    for role in Role:
        for state in SessionState:
            for command_id in REQUESTS:
                yield (role, state, command_id), Cell.NEVER
    for cell, roles, command_ids, states in _ALLOWED:
        for role in roles:
            for state in states:
                for command_id in command_ids:
                    yield (role, state, command_id), cell


MATRIX: Mapping[tuple[Role, SessionState, int], Cell] = MappingProxyType(dict(_matrix()))
"""(who sends, state, request) to what the specifications say; every cell is there. Responses follow
their requests."""

CONTROL = frozenset((*BOUND_BY, CommandId.UNBIND, CommandId.ENQUIRE_LINK, CommandId.OUTBIND))
"""Operations about the session itself; they take no place in the window."""

_STATES: Mapping[tuple[Role, int], frozenset[SessionState]] = {
    (role, command_id): frozenset(
        state for state in SessionState if MATRIX[role, state, command_id].may_send
    )
    for role in Role
    for command_id in REQUESTS
}

MESSAGES: Mapping[tuple[Role, SessionState], frozenset[int]] = {
    (role, state): frozenset(
        command_id
        for command_id in REQUESTS
        if MATRIX[role, state, command_id].may_send
        and command_id not in CONTROL
        and response_id(command_id) is not None
    )
    for role in Role
    for state in SessionState
}
"""The requests which we may send there that take a place in the window. Measured: 330 ns saved by one
look into a set, against looking into the matrix for each message."""


def states_for(role: Role, command_id: int) -> frozenset[SessionState]:
    """Give the states in which we, as `role`, send this request; none if we never do."""
    return _STATES.get((role, command_id), frozenset())


def is_taken(role: Role, state: SessionState, command_id: int) -> bool:
    """Tell whether a request of a peer that plays `role` is taken in this state."""
    cell = MATRIX.get((role, state, command_id))
    return cell is not None and cell.is_taken
