"""Every PDU of any number of links, written down as packets that Wireshark opens.

The front door of the room. Written is what was said, not how TCP carried it: the packets are made up
around PDUs that were really sent and received.
"""

from .capture import Capture, CaptureStatistics, open_capture
from .errors import CaptureError

__all__ = ["Capture", "CaptureError", "CaptureStatistics", "open_capture"]
