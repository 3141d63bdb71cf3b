"""One account with one carrier: its binds kept up, its parts sent in order at the carrier's pace."""

from .carrier import (
    Carrier,
    CarrierOwner,
    CarrierSettings,
    CarrierStatistics,
    Host,
    LinkChange,
    OutgoingPart,
)

__all__ = [
    "Carrier",
    "CarrierOwner",
    "CarrierSettings",
    "CarrierStatistics",
    "Host",
    "LinkChange",
    "OutgoingPart",
]
