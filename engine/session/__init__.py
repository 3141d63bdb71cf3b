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
from .matrix import MATRIX, Cell, states_for
from .pace import Pace
from .refusals import refusal
from .session import Session, SessionStatistics
from .settings import SessionSettings
from .states import BOUND_BY, Role, SessionState

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
    "MATRIX",
    "Cell",
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
