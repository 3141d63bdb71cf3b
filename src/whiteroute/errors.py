"""Every exception that whiteroute raises on purpose, in one place to catch them from.

Each is defined in the room that raises it. A peer's refusal is none of them: it is an `Outcome`.
"""

from typing import TYPE_CHECKING

from ._lazy import lazily

__all__ = [
    "BodyError",
    "ConfigError",
    "EncodeError",
    "FramingError",
    "LedgerError",
    "LocalProtocolError",
    "NoDirectRouteError",
    "RemoteProtocolError",
]

if TYPE_CHECKING:
    from .engine.config import ConfigError
    from .engine.ledger import LedgerError
    from .engine.session import LocalProtocolError, RemoteProtocolError
    from .pdu import BodyError, EncodeError, FramingError
    from .routing import NoDirectRouteError
else:
    __getattr__ = lazily(
        __name__,
        {
            "whiteroute.engine.config": ("ConfigError",),
            "whiteroute.engine.ledger": ("LedgerError",),
            "whiteroute.engine.session": ("LocalProtocolError", "RemoteProtocolError"),
            "whiteroute.pdu": ("BodyError", "EncodeError", "FramingError"),
            "whiteroute.routing": ("NoDirectRouteError",),
        },
    )


def __dir__() -> list[str]:
    return __all__
