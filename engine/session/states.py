"""Which operation may be sent by whom in which state, and what a bind changes.

The table knows both roles and the file does not know which one we play, so it cannot favour either.
What is not in the table is forbidden. Where the versions differ it follows 5.0, which lets data_sm
pass only in the direction of the bind; 3.4's table lets it pass both ways in every bind.

Spec: SMPP 3.4 §2.2, §2.3 (operation matrix); SMPP 5.0 §2.3, §2.4
"""

from enum import Enum

from whiteroute.pdu import CommandId


class Role(Enum):
    """Which end of the link we are."""

    ESME = "ESME"
    """The external short message entity: asks to bind, submits."""
    MC = "MC"
    """The message centre: takes binds, delivers."""

    # Members are singletons; Enum's own hash is Python code. Measured: 100 ns each look-up.
    __hash__ = object.__hash__

    @property
    def peer(self) -> "Role":
        """The other end's role."""
        return Role.MC if self is Role.ESME else Role.ESME


class SessionState(Enum):
    """Where a session is. Spec: SMPP 5.0 §2.3"""

    OPEN = "OPEN"
    """The link stands, nobody is bound."""
    OUTBOUND = "OUTBOUND"
    """The MC has sent outbind and waits for the bind."""
    BOUND_TX = "BOUND_TX"
    """The ESME may submit."""
    BOUND_RX = "BOUND_RX"
    """The MC may deliver."""
    BOUND_TRX = "BOUND_TRX"
    """Both."""
    UNBOUND = "UNBOUND"
    """unbind was answered; the link is about to close."""
    CLOSED = "CLOSED"
    """The link is gone; nothing more will happen."""

    __hash__ = object.__hash__

    @property
    def is_bound(self) -> bool:
        """Whether messages may pass in at least one direction."""
        return self in _BOUND


_BOUND = frozenset((SessionState.BOUND_TX, SessionState.BOUND_RX, SessionState.BOUND_TRX))

_ALIVE = (
    SessionState.OPEN,
    SessionState.OUTBOUND,
    SessionState.BOUND_TX,
    SessionState.BOUND_RX,
    SessionState.BOUND_TRX,
    SessionState.UNBOUND,
)
_TX = (SessionState.BOUND_TX, SessionState.BOUND_TRX)
_RX = (SessionState.BOUND_RX, SessionState.BOUND_TRX)
_ANY_BIND = (SessionState.BOUND_TX, SessionState.BOUND_RX, SessionState.BOUND_TRX)
_UNBOUND_YET = (SessionState.OPEN, SessionState.OUTBOUND)

MAY_REQUEST: dict[tuple[Role, int], frozenset[SessionState]] = {
    (role, command_id): frozenset(states)
    for role, command_ids, states in (
        (
            Role.ESME,
            (CommandId.BIND_TRANSMITTER, CommandId.BIND_RECEIVER, CommandId.BIND_TRANSCEIVER),
            _UNBOUND_YET,
        ),
        (Role.MC, (CommandId.OUTBIND,), (SessionState.OPEN,)),
        (Role.ESME, (CommandId.UNBIND,), _ANY_BIND),
        (Role.MC, (CommandId.UNBIND,), _ANY_BIND),
        # 3.4 allows enquire_link only when bound, 5.0 in every state; peers answer it anyway.
        (Role.ESME, (CommandId.ENQUIRE_LINK,), _ALIVE),
        (Role.MC, (CommandId.ENQUIRE_LINK,), _ALIVE),
        (
            Role.ESME,
            (
                CommandId.SUBMIT_SM,
                CommandId.SUBMIT_MULTI,
                CommandId.DATA_SM,
                CommandId.QUERY_SM,
                CommandId.CANCEL_SM,
                CommandId.REPLACE_SM,
                CommandId.BROADCAST_SM,
                CommandId.QUERY_BROADCAST_SM,
                CommandId.CANCEL_BROADCAST_SM,
            ),
            _TX,
        ),
        (
            Role.MC,
            (CommandId.DELIVER_SM, CommandId.DATA_SM, CommandId.ALERT_NOTIFICATION),
            _RX,
        ),
    )
    for command_id in command_ids
}
"""(who sends, operation) to the states in which it may; responses follow their requests."""

BOUND_BY: dict[int, SessionState] = {
    CommandId.BIND_TRANSMITTER: SessionState.BOUND_TX,
    CommandId.BIND_RECEIVER: SessionState.BOUND_RX,
    CommandId.BIND_TRANSCEIVER: SessionState.BOUND_TRX,
}
"""The state that an accepted bind leads to."""

CONTROL = frozenset((*BOUND_BY, CommandId.UNBIND, CommandId.ENQUIRE_LINK, CommandId.OUTBIND))
"""Operations about the session itself; they take no place in the window."""


def states_for(role: Role, command_id: int) -> frozenset[SessionState]:
    """Give the states in which `role` may send this request; none if it never may."""
    return MAY_REQUEST.get((role, command_id), frozenset())
