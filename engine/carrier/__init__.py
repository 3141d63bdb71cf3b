"""One account with one carrier: its binds kept up, its parts sent in order at the carrier's pace."""

from .account import OpenStream
from .carrier import Carrier, CarrierOwner, WaitReceipts
from .news import BindPhase, BindStatistics, CarrierStatistics, DrainReport, LinkChange
from .parts import OutgoingPart
from .settings import CarrierSettings, Host

__all__ = [
    "BindPhase",
    "BindStatistics",
    "Carrier",
    "CarrierOwner",
    "CarrierSettings",
    "CarrierStatistics",
    "DrainReport",
    "Host",
    "LinkChange",
    "OpenStream",
    "OutgoingPart",
    "WaitReceipts",
]
