"""The whole engine, as an application holds it: the front door of `engine.service`."""

from .engine import Engine, EngineStatistics
from .events import (
    EngineEvent,
    InboundMessage,
    LinkEvent,
    OrphanReceipt,
    OverdueEvent,
    ReceiptEvent,
)
from .opening import open_engine

__all__ = [
    "Engine",
    "EngineEvent",
    "EngineStatistics",
    "InboundMessage",
    "LinkEvent",
    "OrphanReceipt",
    "OverdueEvent",
    "ReceiptEvent",
    "open_engine",
]
