"""Octets straight into and out of a socket, where a stream is a plain one.

Trio's streams take every precaution at every call; one reader and one writer that know of each other
need few of them. Measured: half the CPU time of a round trip. TLS and all other streams are read and
written as streams.
"""

import os

import attrs
import trio


@attrs.define(slots=True, weakref_slot=False, eq=False)
class Wire:
    """The socket beneath a stream. The stream stays the owner: it is closed there, and errors that
    matter are found there.
    """

    _socket: trio.socket.SocketType

    @classmethod
    def of(cls, stream: trio.abc.Stream) -> "Wire | None":
        """Give the socket of a plain TCP stream; None for whatever else it is."""
        # Elsewhere a socket is no file. A stream that only derives from a plain one may do more.
        if os.name == "posix" and type(stream) is trio.SocketStream:
            return cls(stream.socket)
        return None

    async def receive(self, most: int) -> bytes:
        """Wait until something comes, and give it; nothing at the end of the stream.

        Raises:
            OSError: As the socket does.
            trio.ClosedResourceError: If the stream was closed.
        """
        while True:
            # By its number anew each time: once closed it has none, and its number is another's.
            number = self._socket.fileno()
            if number < 0:
                raise trio.ClosedResourceError("this socket was already closed")
            await trio.lowlevel.wait_readable(number)
            try:
                return os.read(number, most)
            except BlockingIOError:
                continue

    def send(self, octets: bytes) -> int:
        """Write as much as goes without waiting; give how many octets that were.

        An error is none written: whoever then sends the rest over the stream will meet it.
        """
        try:
            return os.write(self._socket.fileno(), octets)
        except OSError:
            return 0
