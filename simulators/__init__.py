"""An operator's message centre to test and to show against, and a peer whose octets are made by hand.

The front door of the room; behaviours, the ways to misbehave, are the module `behaviours`, and what
whole routes report, honest and grey, the module `routes`.
"""

from . import behaviours, routes
from .accounts import Account
from .handsets import TYPICAL_HANDSETS, Chance, Fate, Handset, Handsets
from .happenings import CenterEvent, CenterEventKind
from .message_center import MessageCenter, MessageCenterStatistics, open_message_center
from .raw_peer import RawListener, RawPeer, connect_raw_peer, open_raw_listener
from .submissions import Submission, Submissions

__all__ = [
    # The message centre
    "Account",
    "MessageCenter",
    "MessageCenterStatistics",
    "behaviours",
    "open_message_center",
    # What becomes of messages
    "TYPICAL_HANDSETS",
    "Chance",
    "Fate",
    "Handset",
    "Handsets",
    # What it tells
    "CenterEvent",
    "CenterEventKind",
    "Submission",
    "Submissions",
    # Octets by hand
    "RawListener",
    "RawPeer",
    "connect_raw_peer",
    "open_raw_listener",
    # Numbers without a wire
    "routes",
]
