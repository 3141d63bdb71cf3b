"""By which link something came or leaves, as a value that outlives the link.

It names the link and the address of ours that it came to, and holds neither session nor stream.
"""

import attrs
import trio


@attrs.frozen
class Way:
    """One link, by its number and its two addresses."""

    number: int
    """Counts from 1 over all links of a centre, in the order in which they came."""
    host: int = 0
    """Which of the centre's listeners took it, from 0; 0 for a link in memory, too."""
    peer: str = ""
    """The address of whoever connected; empty in memory."""


def peer_address(stream: trio.abc.Stream) -> str:
    """Give the address of the other end of a TCP stream; empty for any other stream."""
    if not isinstance(stream, trio.SocketStream):
        return ""
    try:
        found = stream.socket.getpeername()
    except OSError:
        # It has gone again already.
        return ""
    return str(found[0])
