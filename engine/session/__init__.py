"""One bind's conversation, sans I/O: the front door of `engine.session`."""

from .errors import LocalProtocolError, RemoteProtocolError
from .events import (
    Arrived,
    Automatic,
    BindRefused,
    Bound,
    CloseCause,
    Closed,
    Event,
    Exchange,
    ExchangeEnd,
    LateResponse,
    RequestRefused,
    Unexpected,
    Unreadable,
)
from .pace import Pace
from .session import Session, SessionStatistics, refusal
from .settings import SessionSettings
from .states import BOUND_BY, MAY_REQUEST, Role, SessionState, states_for

__all__ = [
    # The conversation
    "Role",
    "Session",
    "SessionSettings",
    "SessionState",
    "SessionStatistics",
    "refusal",
    # Its rules as tables
    "BOUND_BY",
    "MAY_REQUEST",
    "states_for",
    # What it tells
    "Arrived",
    "Automatic",
    "BindRefused",
    "Bound",
    "CloseCause",
    "Closed",
    "Event",
    "Exchange",
    "ExchangeEnd",
    "LateResponse",
    "RequestRefused",
    "Unexpected",
    "Unreadable",
    # How fast
    "Pace",
    # Who broke a rule
    "LocalProtocolError",
    "RemoteProtocolError",
]
