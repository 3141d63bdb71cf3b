"""The whole engine, as an application holds it: the front door of `engine.service`."""

from .engine import Engine, EngineStatistics
from .events import (
    CeilingEvent,
    EngineEvent,
    InboundMessage,
    LinkEvent,
    OrphanReceipt,
    OverdueEvent,
    ReceiptEvent,
    RouteEvent,
)
from .opening import open_engine
from .route_trust import RouteTrust

__all__ = [
    "Engine",
    "CeilingEvent",
    "EngineEvent",
    "EngineStatistics",
    "InboundMessage",
    "LinkEvent",
    "OrphanReceipt",
    "OverdueEvent",
    "ReceiptEvent",
    "RouteEvent",
    "RouteTrust",
    "open_engine",
]
