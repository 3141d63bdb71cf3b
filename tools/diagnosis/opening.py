"""The stages before SMPP: name, connections to every address, PROXY header and TLS; and a second look.

The second look is a connection of its own that asks what a port speaks. It sends no credentials and
never takes the place of what was asked for: there is no falling back to clear text.
"""

import errno
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import attrs
import trio

from whiteroute.engine.profile import TransportOptions
from whiteroute.engine.transport import (
    Address,
    Connected,
    SeenCertificate,
    TransportError,
    TransportReport,
    connect,
    encrypt,
    read_certificate,
    recognise,
    send_proxy_header,
)
from whiteroute.pdu import EnquireLink, encode

from .observed import OpeningFault, PortLook

__all__ = ["TcpTry", "connect_each", "fault_of", "look_at_port", "make_ready", "open_again"]

LOOK_TIMEOUT: Final = 3.0
"""Seconds for each half of the second look; what speaks the protocol answers in well under one."""


@attrs.frozen(kw_only=True)
class TcpTry:
    """One address, and whether it took a connection."""

    address: Address
    took: float
    """Seconds."""
    connected: Connected | None = None
    local_address: str = ""
    error: TransportError | None = None

    def to_dict(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {
            "address": str(self.address),
            "ok": self.connected is not None,
            "elapsed_ms": round(self.took * 1000, 3),
            "local_address": self.local_address or None,
            "finding": "" if self.error is None else self.error.found,
        }


async def connect_each(
    addresses: Sequence[Address], options: TransportOptions
) -> tuple[TcpTry, ...]:
    """Connect to every address at once; all but the first that took it are let go again.

    Returns:
        One try for each address, in their order; at most one of them still has its stream open.
    """
    tries: dict[Address, TcpTry] = {}

    async def attempt(address: Address) -> None:
        report = TransportReport(host="", port=0)
        started_at = trio.current_time()
        try:
            connected = await connect([address], options, report)
        except TransportError as error:
            took = trio.current_time() - started_at
            tries[address] = TcpTry(address=address, took=took, error=error)
        else:
            tries[address] = TcpTry(
                address=address,
                took=trio.current_time() - started_at,
                connected=connected,
                local_address=report.local_address,
            )

    try:
        async with trio.open_nursery() as nursery:
            for address in addresses:
                nursery.start_soon(attempt, address)
    except BaseException:
        for each in tries.values():
            await _let_go(each)
        raise
    ordered = [tries[address] for address in addresses]
    taken = next((each for each in ordered if each.connected is not None), None)
    for each in ordered:
        if each is not taken:
            await _let_go(each)
    return tuple(ordered)


async def _let_go(tried: TcpTry) -> None:
    if tried.connected is not None:
        await trio.aclose_forcefully(tried.connected.stream)


async def make_ready(
    stream: trio.SocketStream, host: str, options: TransportOptions, report: TransportReport
) -> trio.abc.Stream:
    """Do what stands between TCP and SMPP: the PROXY header and TLS, as far as they are asked for.

    Raises:
        TransportError: It failed; the stream is closed.
    """
    stage: Any = "proxy"
    try:
        with trio.fail_after(options.connect_timeout):
            if options.proxy_protocol != "none":
                await send_proxy_header(stream, options.proxy_protocol, report)
            if options.tls is None:
                return stream
            stage = "tls"
            return await encrypt(stream, host, options.tls, report)
    except trio.TooSlowError:
        await trio.aclose_forcefully(stream)
        found = f"no answer within {options.connect_timeout:g} s"
        raise TransportError(found, stage=stage, number=errno.ETIMEDOUT) from None
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise


async def open_again(
    address: Address, host: str, options: TransportOptions, report: TransportReport
) -> trio.abc.Stream:
    """Open another stream to an address that took one before.

    Raises:
        TransportError: It takes no more.
    """
    connected = await connect([address], options, report)
    return await make_ready(connected.stream, host, options, report)


def fault_of(error: TransportError) -> OpeningFault:
    """Keep of an error what symptoms ask for."""
    cause = error.__cause__
    while isinstance(cause, TransportError) and cause.__cause__ is not None:
        cause = cause.__cause__
    return OpeningFault(
        stage=error.stage,
        found=error.found,
        number=error.errno or 0,
        verify_code=int(getattr(cause, "verify_code", 0) or 0),
        reason=str(getattr(cause, "reason", "") or ""),
    )


async def look_at_port(
    address: Address, host: str, options: TransportOptions, *, also_in_clear: bool
) -> PortLook:
    """Find out what a port speaks; never fails.

    Args:
        address: Where to.
        host: The name for SNI.
        options: Where from, and how long a connection may take.
        also_in_clear: Whether to ask by an enquire_link, too, if it is not TLS.
    """
    look = PortLook()
    with suppress(TransportError, trio.BrokenResourceError, OSError, ValueError):
        look = await _look_for_tls(address, host, options)
    if also_in_clear and not look.speaks_tls:
        with suppress(TransportError, trio.BrokenResourceError, OSError):
            look = await _look_in_clear(address, options)
    return look


async def _look_for_tls(address: Address, host: str, options: TransportOptions) -> PortLook:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connected = await connect([address], options)
    name = options.tls.server_name if options.tls is not None else ""
    stream: trio.SSLStream[trio.SocketStream] = trio.SSLStream(
        connected.stream, context, server_hostname=name or host, https_compatible=True
    )
    try:
        with trio.move_on_after(LOOK_TIMEOUT):
            await stream.do_handshake()
            return PortLook(
                speaks_tls=True, tls_version=stream.version() or "", chain=_chain_of(stream)
            )
    finally:
        await trio.aclose_forcefully(connected.stream)
    return PortLook()


async def _look_in_clear(address: Address, options: TransportOptions) -> PortLook:
    connected = await connect([address], options)
    try:
        with trio.move_on_after(LOOK_TIMEOUT):
            await connected.stream.send_all(encode(EnquireLink(sequence_number=1)))
            octets = bytes(await connected.stream.receive_some(64))
            return PortLook(first_octets=octets, spoken=recognise(octets))
    finally:
        await trio.aclose_forcefully(connected.stream)
    return PortLook()


def _chain_of(stream: "trio.SSLStream[trio.SocketStream]") -> tuple[SeenCertificate, ...]:
    """Give the certificates that were shown, the peer's own first."""
    # Public only from Python 3.13 on, and there on the object beneath Trio's stream.
    beneath = getattr(stream, "_ssl_object", None)
    tell = getattr(beneath, "get_unverified_chain", None) or getattr(
        getattr(beneath, "_sslobj", None), "get_unverified_chain", None
    )
    shown: list[Any] = (tell() if tell else None) or []
    return tuple(
        read_certificate(each if isinstance(each, bytes) else _der(each.public_bytes()))
        for each in shown
    )


def _der(pem: str | bytes) -> bytes:
    text = pem if isinstance(pem, str) else pem.decode("ascii")
    return ssl.PEM_cert_to_DER_cert(text)
