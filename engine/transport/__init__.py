"""A stream to a message centre or from one, ready for SMPP: name, address, connection, PROXY, TLS.

What is said over it is the session's; when it is opened again is the carrier's.
"""

from .accepting import AcceptedTransport, accept_transport, receive_proxy_header
from .certificates import SeenCertificate, read_certificate
from .errors import TlsOptionError, TransportError, TransportStage
from .opening import Address, Connected, connect, open_transport, resolve, send_proxy_header
from .proxy_header import (
    Endpoint,
    ProxyHeader,
    ProxyHeaderError,
    decode_proxy_header,
    encode_proxy_header,
)
from .recognition import recognise
from .report import SeenTls, TransportReport, TriedAddress
from .tls import TlsStream, encrypt
from .tls_options import check_tls

__all__ = [
    "open_transport",
    "TransportReport",
    "TriedAddress",
    "SeenTls",
    "SeenCertificate",
    "TransportError",
    "TransportStage",
    "check_tls",
    "TlsOptionError",
    # The stages, one by one.
    "resolve",
    "Address",
    "connect",
    "Connected",
    "send_proxy_header",
    "encrypt",
    "TlsStream",
    # The other end.
    "accept_transport",
    "AcceptedTransport",
    "receive_proxy_header",
    # What is on the wire before SMPP.
    "Endpoint",
    "ProxyHeader",
    "ProxyHeaderError",
    "decode_proxy_header",
    "encode_proxy_header",
    "read_certificate",
    "recognise",
]
