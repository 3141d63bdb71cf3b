"""The whole engine, as an application holds it: the front door of `engine.service`."""

from .engine import Engine, EngineStatistics, open_engine
from .events import EngineEvent, InboundMessage, LinkEvent, ReceiptEvent

__all__ = [
    "Engine",
    "EngineEvent",
    "EngineStatistics",
    "InboundMessage",
    "LinkEvent",
    "ReceiptEvent",
    "open_engine",
]
