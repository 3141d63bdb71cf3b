"""What a session tells its owner: each thing that happened, once, in order.

The two that occur for every message, `Exchange` and `Arrived`, are mutable slots classes for speed;
treat them as values. The rest are frozen.
"""

from enum import Enum
from typing import Any

import attrs

from whiteroute.pdu import BodyError, Pdu

from .errors import RemoteProtocolError
from .states import SessionState


class ExchangeEnd(Enum):
    """How a request of ours ended. Each ends exactly once."""

    ANSWERED = "ANSWERED"
    """Its response came, whatever its status."""
    NACKED = "NACKED"
    """A generic_nack with its sequence_number came."""
    TIMED_OUT = "TIMED_OUT"
    """No response within the response timeout; the peer may have acted on it all the same."""
    UNKNOWN = "UNKNOWN"
    """The link ended, or the response could not be read; the peer may have acted on it."""


@attrs.define(slots=True, weakref_slot=False, eq=False)
class Exchange:
    """One request of ours and what became of it; emitted as an event when it has ended."""

    request: Pdu
    context: object
    """Whatever the owner gave along with the request."""
    sent_at: float
    """Seconds on the owner's clock when it was queued for the wire."""
    deadline: float
    end: ExchangeEnd | None = None
    """None while it is in flight."""
    response: Pdu | None = None
    """The response or the generic_nack; None if there was none."""
    waiter: Any = None
    """For the shell's use: who wants to be woken at the end."""

    @property
    def command_status(self) -> int | None:
        """The status of the response, or None without one."""
        return None if self.response is None else self.response.command_status


@attrs.define(slots=True, weakref_slot=False, eq=False)
class Arrived:
    """The peer sent a request which the owner must answer with `Session.respond`.

    alert_notification and outbind come this way too, and have no response.
    """

    pdu: Pdu
    at: float
    """Seconds on the owner's clock."""


@attrs.frozen
class Bound:
    """The bind was accepted; messages may pass."""

    state: SessionState
    peer_system_id: str
    """What the peer calls itself."""
    interface_version: int | None
    """The peer's version by its TLV or its bind, None if it did not say."""


@attrs.frozen
class BindRefused:
    """The MC answered the bind with a status other than ESME_ROK; close the link."""

    command_status: int
    response: Pdu


@attrs.frozen
class LateResponse:
    """The response to a request that had already timed out; adopt it, the peer did act.

    Of any request: an enquire_link that was answered after its time-out comes this way too.
    """

    exchange: Exchange
    """`end` still says TIMED_OUT; `response` is filled in now."""


@attrs.frozen
class Automatic:
    """The session sent a PDU of its own accord: an answer to enquire_link, a refusal, a nack."""

    pdu: Pdu


@attrs.frozen
class Unexpected:
    """A response that answers nothing, or a nack without a usable sequence_number; it is ignored."""

    pdu: Pdu


@attrs.frozen
class RequestRefused:
    """A request of the peer was answered by the session itself with a refusal; the owner has no work.

    It was forbidden in this state, unknown, or beyond `inbound_window`.
    """

    pdu: Pdu
    command_status: int


@attrs.frozen
class Unreadable:
    """A frame whose body could not be read; it was answered as the error says. Keep it for support."""

    error: BodyError


class CloseCause(Enum):
    """Why a session ended."""

    UNBIND = "UNBIND"
    """Either side unbound, and it was answered."""
    PEER_CLOSED = "PEER_CLOSED"
    """The stream ended without an unbind."""
    SILENCE = "SILENCE"
    """Nothing came, not even answers to enquire_link."""
    FRAMING = "FRAMING"
    """The stream could not be cut into PDUs any more."""
    SESSION_INIT_TIMEOUT = "SESSION_INIT_TIMEOUT"
    """No bind came, or no answer to it, in time."""
    INACTIVITY = "INACTIVITY"
    """No message for longer than `inactivity_timeout`."""
    UNBIND_TIMEOUT = "UNBIND_TIMEOUT"
    """Our unbind was not answered in time."""
    BIND_REFUSED = "BIND_REFUSED"
    """The MC refused the bind."""
    LOCAL = "LOCAL"
    """Our side closed it."""


@attrs.frozen
class Closed:
    """The session is over; the last event. Every request in flight was ended UNKNOWN before it."""

    cause: CloseCause
    detail: str = ""
    """What exactly, for people."""
    error: RemoteProtocolError | None = attrs.field(default=None, eq=False)
    """The rule that the peer broke, where that ended it; None otherwise."""


Event = (
    Exchange
    | Arrived
    | Bound
    | BindRefused
    | LateResponse
    | Automatic
    | Unexpected
    | RequestRefused
    | Unreadable
    | Closed
)
"""Everything a session can tell."""
