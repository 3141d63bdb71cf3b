"""How TLS fails: the wrong certificate, another one than yesterday's, no TLS at all, or no end of it."""

import ssl

import attrs
import trio

from ..streams import FallingDeaf
from ..ways import Way
from .behaviour import Behaviour


@attrs.frozen
class AnotherCertificate(Behaviour):
    """From a certain link on another certificate is shown: renewed, expired, or somebody else's."""

    context: ssl.SSLContext
    after: int = 0
    """Links that still see the first one."""

    def tls(self, context: ssl.SSLContext | None, way: Way) -> ssl.SSLContext | None:
        return self.context if context is not None and way.number > self.after else context


@attrs.frozen
class ClearText(Behaviour):
    """The port that should speak TLS speaks SMPP in clear, and takes the handshake for a broken PDU."""

    def tls(self, context: ssl.SSLContext | None, way: Way) -> ssl.SSLContext | None:
        return None


@attrs.frozen
class EndlessHandshake(Behaviour):
    """TCP connects, and nothing of the handshake is ever answered."""

    def wrap_raw(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return FallingDeaf(stream, 0)
