"""What was seen while a stream was opened, stage by stage; for people who ask why a bind does not work."""

import attrs

from .certificates import SeenCertificate
from .errors import TransportStage

__all__ = ["SeenTls", "TransportReport", "TriedAddress"]


@attrs.frozen(kw_only=True)
class TriedAddress:
    """One address, and how far we came with it."""

    address: str
    """With its port: `192.0.2.1:2775`, `[2001:db8::1]:2775`."""
    took: float
    """Seconds from the first SYN to `failure`, or until the stream could be used."""
    stage: TransportStage
    """The last stage that was entered."""
    failure: str = ""
    """Empty if it was opened."""


@attrs.frozen(kw_only=True)
class SeenTls:
    """What TLS agreed on, or how far it came before it failed; what is not known is empty or None."""

    version: str = ""
    """`TLSv1.3` and so on."""
    cipher: str = ""
    """Its name in OpenSSL."""
    certificate: SeenCertificate | None = None
    """What the peer showed, verified or not."""
    certificate_requested: bool | None = None
    """Whether the peer asked for a certificate of ours. Known only when it was watched for."""


@attrs.define(kw_only=True)
class TransportReport:
    """Filled in as an opening proceeds, whether it succeeds, fails or is cancelled."""

    host: str
    port: int
    watches: bool = False
    """Whether to look into the handshake as well. It costs a call for each TLS record as long as the
    stream lives, so it is for diagnosing only."""
    addresses: tuple[str, ...] = ()
    """What the name stands for, in the order of trying."""
    resolved_in: float | None = None
    """Seconds that took."""
    tried: list[TriedAddress] = attrs.field(factory=list)
    """In the order in which they ended."""
    local_address: str = ""
    """Where the latest connection comes from, with its port."""
    proxy_header: bytes = b""
    """What was sent before everything else."""
    tls: SeenTls | None = None
    """Of the latest connection that got so far."""
