"""The other end of a stream: what comes before SMPP, read by whoever was connected to."""

import ssl
from typing import Final

import attrs
import trio

from .errors import TransportError
from .proxy_header import ProxyHeader, ProxyHeaderError, decode_proxy_header, missing_octets
from .recognition import recognise
from .tls import accept_tls

__all__ = ["AcceptedTransport", "accept_transport", "receive_proxy_header"]

ACCEPT_TIMEOUT: Final = 10.0
"""Seconds for the header and the handshake together, as an opener has; idle sockets of port scanners
may not pile up."""


@attrs.frozen
class AcceptedTransport:
    """A stream over which SMPP comes next."""

    stream: trio.abc.Stream
    proxied: ProxyHeader | None = None
    """Whom a proxy spoke for; None if none was expected."""


async def accept_transport(
    stream: trio.abc.Stream,
    *,
    tls: ssl.SSLContext | None = None,
    proxy_protocol: bool = False,
    timeout: float = ACCEPT_TIMEOUT,  # noqa: ASYNC109 - a border that the peer may not stretch
) -> AcceptedTransport:
    """Read what comes before SMPP, and shake hands.

    If this fails or is cancelled, `stream` is closed.

    Args:
        stream: Just accepted.
        tls: With our certificate; None: in clear.
        proxy_protocol: Whether a header, of either version, comes first. It is never guessed: without
            it a peer could pass for any address.
        timeout: Seconds for all of it.

    Raises:
        TransportError: At the stage `proxy` or `tls`; `found` says what came instead.
    """
    proxied = None
    try:
        with trio.fail_after(timeout):
            if proxy_protocol:
                proxied = await receive_proxy_header(stream)
            if tls is not None:
                stream = await accept_tls(stream, tls)
            return AcceptedTransport(stream, proxied)
    except BaseException as error:
        await trio.aclose_forcefully(stream)
        if isinstance(error, trio.TooSlowError):
            waits_for_proxy = proxy_protocol and proxied is None
            raise TransportError(
                f"nothing whole within {timeout:g} s",
                stage="proxy" if waits_for_proxy else "tls",
                expected="a PROXY header" if waits_for_proxy else "a TLS handshake",
            ) from None
        raise


async def receive_proxy_header(stream: trio.abc.Stream) -> ProxyHeader:
    """Read the header of the PROXY protocol, of either version, and not one octet more.

    The caller bounds the time, and closes `stream` if this fails.

    Raises:
        TransportError: At the stage `proxy`, as soon as something else comes.
    """
    octets = b""
    try:
        while missing := missing_octets(octets):
            received = await stream.receive_some(missing)
            if not received:
                said = f"after {len(octets)} octets" if octets else "without a word"
                raise TransportError(
                    f"the peer closed {said}", stage="proxy", expected="a PROXY header"
                )
            octets += received
        return decode_proxy_header(octets)
    except ProxyHeaderError as error:
        spoken = recognise(octets)
        raise TransportError(
            spoken if spoken and not spoken.startswith("the PROXY") else error.found,
            stage="proxy",
            expected="a PROXY header",
        ) from error
    except trio.BrokenResourceError as error:
        raise TransportError(
            "the connection was reset", stage="proxy", expected="a PROXY header"
        ) from error
