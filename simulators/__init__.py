"""An operator's message centre to test and to show against, and a peer whose octets are made by hand.

The front door of the room; behaviours, the ways to misbehave, are the module `behaviours`, and what
whole routes report, honest and grey, the module `routes`.
"""

from . import behaviours, routes
from .accounts import Account
from .behaviours import Behaviour
from .handsets import TYPICAL_HANDSETS, Chance, Fate, Handset, HandsetCondition, Handsets, Reply
from .happenings import CenterEvent, CenterEventKind
from .latencies import LogNormal, Uniform
from .message_center import MessageCenter, MessageCenterStatistics, open_message_center
from .raw_peer import RawListener, RawPeer, connect_raw_peer, open_raw_listener
from .scenario import Expectation, MobileText, Operator, Performance, Scenario, Step
from .submissions import OnHandset, Submission, Submissions

__all__ = [
    # The message centre
    "Account",
    "Behaviour",
    "MessageCenter",
    "MessageCenterStatistics",
    "behaviours",
    "open_message_center",
    # What becomes of messages
    "TYPICAL_HANDSETS",
    "Chance",
    "HandsetCondition",
    "Fate",
    "Handset",
    "Handsets",
    "LogNormal",
    "Reply",
    "Uniform",
    # What it tells
    "CenterEvent",
    "CenterEventKind",
    "OnHandset",
    "Submission",
    "Submissions",
    # Whole rehearsals
    "Expectation",
    "MobileText",
    "Operator",
    "Performance",
    "Scenario",
    "Step",
    # Octets by hand
    "RawListener",
    "RawPeer",
    "connect_raw_peer",
    "open_raw_listener",
    # Numbers without a wire
    "routes",
]
