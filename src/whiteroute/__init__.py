"""SMPP carrier connections over direct routes, on Trio.

    from whiteroute import Message, open_engine

    async with open_engine("carriers.toml") as engine:
        outcome = await engine.submit(Message(to="+34600111222", sender="ACME", text="Hello"))

`whiteroute.pdu` (octets and values), `whiteroute.routing` (the choice of a route) and
`whiteroute.simulators` (an operator's message centre) stand on their own; `whiteroute.errors` has
the exceptions. Nothing is loaded before it is asked for: `import whiteroute.pdu` brings no Trio.
"""

from typing import TYPE_CHECKING

from ._lazy import lazily

__all__ = [
    # The engine, and what to give it
    "open_engine",
    "Engine",
    "Config",
    "Message",
    # What it answers
    "Outcome",
    "DeliveryState",
    # What it tells of its own accord
    "ReceiptEvent",
    "InboundMessage",
    "LinkEvent",
    "CeilingEvent",
    "OrphanReceipt",
    "OverdueEvent",
    "RouteEvent",
    # What it raises
    "BodyError",
    "ConfigError",
    "EncodeError",
    "FramingError",
    "LedgerError",
    "LocalProtocolError",
    "NoDirectRouteError",
    "RemoteProtocolError",
    "__version__",
]

if TYPE_CHECKING:
    from ._version import __version__
    from .engine.config import Config
    from .engine.messages import DeliveryState, Message, Outcome
    from .engine.service import (
        CeilingEvent,
        Engine,
        InboundMessage,
        LinkEvent,
        OrphanReceipt,
        OverdueEvent,
        ReceiptEvent,
        RouteEvent,
        open_engine,
    )
    from .errors import (
        BodyError,
        ConfigError,
        EncodeError,
        FramingError,
        LedgerError,
        LocalProtocolError,
        NoDirectRouteError,
        RemoteProtocolError,
    )
else:
    __getattr__ = lazily(
        __name__,
        {
            "whiteroute._version": ("__version__",),
            "whiteroute.engine.config": ("Config",),
            "whiteroute.engine.messages": ("DeliveryState", "Message", "Outcome"),
            "whiteroute.engine.service": (
                "CeilingEvent",
                "Engine",
                "InboundMessage",
                "LinkEvent",
                "OrphanReceipt",
                "OverdueEvent",
                "ReceiptEvent",
                "RouteEvent",
                "open_engine",
            ),
            "whiteroute.errors": (
                "BodyError",
                "ConfigError",
                "EncodeError",
                "FramingError",
                "LedgerError",
                "LocalProtocolError",
                "NoDirectRouteError",
                "RemoteProtocolError",
            ),
        },
    )


def __dir__() -> list[str]:
    return __all__
