"""A stream under TLS: the handshake with all that is checked in it, and the stream that comes of it."""

import ssl
from contextlib import suppress
from typing import Final, cast

import attrs
import trio

from whiteroute.engine.profile import TlsOptions

from .certificates import SeenCertificate, read_certificate
from .errors import TlsOptionError, TransportError
from .report import SeenTls, TransportReport
from .tls_faults import certificate_shown, explain_tls
from .tls_options import context_of, make_context, pins_of

__all__ = ["TlsStream", "accept_tls", "encrypt", "option_fault"]

KEPT_OCTETS: Final = 16
"""How much of a peer's first answer is kept to recognise what it speaks."""
ALERT_TIMEOUT: Final = 1.0
"""Seconds left for telling the other side why it is refused."""
CERTIFICATE_REQUEST: Final = 13
"""The type of the handshake message. Spec: RFC 8446 §4.3.2, RFC 5246 §7.4.4."""


@attrs.define(eq=False)
class TlsStream(trio.abc.Stream):
    """What is written is encrypted and what is read was; made by `encrypt` and `accept_tls`.

    A stream that ends without TLS's own farewell ends like any other: SMPP has lengths, so a PDU that
    was cut off is noticed all the same, and nearly every message centre just closes. An error of
    TLS is raised as `trio.BrokenResourceError` from a `TransportError` that says it in words; a peer
    that speaks TLS 1.3 refuses our certificate only after the handshake, and is heard here.

    If `send_all` is cancelled the stream is broken, as any stream of which a part was written.
    """

    inner: "trio.SSLStream[trio.abc.Stream]"
    seen: SeenTls = attrs.field(factory=SeenTls)
    """What the handshake agreed on."""
    _has_certificate: bool = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send octets."""
        try:
            await self.inner.send_all(data)
        except trio.BrokenResourceError as error:
            raise self._translated(error) from self._cause(error)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there is room."""
        try:
            await self.inner.wait_send_all_might_not_block()
        except trio.BrokenResourceError as error:
            raise self._translated(error) from self._cause(error)

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive octets; none at the end."""
        try:
            return await self.inner.receive_some(max_bytes)
        except trio.BrokenResourceError as error:
            raise self._translated(error) from self._cause(error)

    async def aclose(self) -> None:
        """Say farewell if that can be done at once, and close."""
        await self.inner.aclose()

    def _cause(self, error: trio.BrokenResourceError) -> BaseException | None:
        cause = error.__cause__
        if isinstance(cause, ssl.SSLError):
            return explain_tls(cause, own_certificate=self._has_certificate)
        return cause

    @staticmethod
    def _translated(error: trio.BrokenResourceError) -> trio.BrokenResourceError:
        return trio.BrokenResourceError(*error.args)


async def encrypt(
    stream: trio.abc.Stream, name: str, options: TlsOptions, report: TransportReport | None = None
) -> TlsStream:
    """Make a stream one under TLS, as the side that connects.

    The caller bounds the time. If this fails or is cancelled, `stream` is closed.

    Args:
        stream: Nothing of SMPP was sent over it yet.
        name: The host as it was asked for, a name or an address; `options.server_name` goes before it.
        options: What is checked.
        report: Told what was seen, also if it fails.

    Raises:
        TransportError: At the stage `tls`; without the place, which is the caller's to know.
    """
    try:
        return await _encrypt(stream, options.server_name or _host_name(name), options, report)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise


async def _encrypt(
    stream: trio.abc.Stream, name: str, options: TlsOptions, report: TransportReport | None
) -> TlsStream:
    requests: list[int] = []
    watches = report is not None and report.watches
    try:
        if watches:
            # A context of its own: one that calls Python for each message would slow down all others.
            context = _watched(options, requests)
        else:
            context = context_of(options)
        pins = pins_of(options)
    except TlsOptionError as error:
        raise option_fault(error) from error
    noting = _NotingStream(stream)
    try:
        keeper = _AlertKeeper(context)
        inner: trio.SSLStream[trio.abc.Stream] = trio.SSLStream(
            noting, keeper.as_context(), server_hostname=name, https_compatible=True
        )
    except ValueError as error:
        raise option_fault(TlsOptionError("server_name", repr(name), "a host name")) from error
    try:
        await inner.do_handshake()
    except trio.BrokenResourceError as error:
        await keeper.flush(stream)
        cause = error.__cause__ or error
        while isinstance(cause, trio.BrokenResourceError) and cause.__cause__:
            cause = cause.__cause__
        if report is not None:
            asked = bool(requests) if watches else None
            report.tls = SeenTls(certificate=certificate_shown(cause), certificate_requested=asked)
        raise explain_tls(
            cause,
            name=name,
            first_octets=bytes(noting.first_octets),
            own_certificate=bool(options.certificate_file),
        ) from cause
    seen = _seen(inner, bool(requests) if watches else None)
    if report is not None:
        report.tls = seen
    if pins and (seen.certificate is None or seen.certificate.sha256 not in pins):
        found, hint = _pin_fault(seen.certificate)
        raise TransportError(found, stage="tls", expected="one of the pins", hint=hint)
    # The handshake is over; what follows need not pass through it.
    inner.transport_stream = stream
    return TlsStream(inner, seen, bool(options.certificate_file))


async def accept_tls(stream: trio.abc.Stream, context: ssl.SSLContext) -> TlsStream:
    """Make a stream one under TLS, as the side that is connected to.

    The caller bounds the time. If this fails or is cancelled, `stream` is closed.

    Args:
        stream: Nothing was read from it but what comes before TLS.
        context: With a certificate. Whether peers need one is its `verify_mode`.

    Raises:
        TransportError: At the stage `tls`; without the place.
    """
    noting = _NotingStream(stream)
    keeper = _AlertKeeper(context)
    inner: trio.SSLStream[trio.abc.Stream] = trio.SSLStream(
        noting, keeper.as_context(), server_side=True, https_compatible=True
    )
    try:
        await inner.do_handshake()
    except trio.BrokenResourceError as error:
        await keeper.flush(stream)
        await trio.aclose_forcefully(stream)
        cause = error.__cause__ or error
        raise explain_tls(cause, first_octets=bytes(noting.first_octets)) from cause
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    inner.transport_stream = stream
    return TlsStream(inner, _seen(inner, None))


@attrs.define(eq=False)
class _NotingStream(trio.abc.Stream):
    """Keeps the first octets that come, to say what speaks at the other end if it is not TLS."""

    inner: trio.abc.Stream
    first_octets: bytearray = attrs.field(factory=bytearray, init=False)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        octets = await self.inner.receive_some(max_bytes)
        self.first_octets += octets[: KEPT_OCTETS - len(self.first_octets)]
        return octets

    async def aclose(self) -> None:
        await self.inner.aclose()


@attrs.define(eq=False)
class _AlertKeeper:
    """Sends what OpenSSL had to say when it refused a handshake, which Trio leaves unsent.

    Without it the other side sees a connection that is closed, and its people have nothing to go by.
    """

    context: ssl.SSLContext
    outgoing: ssl.MemoryBIO = attrs.field(factory=ssl.MemoryBIO, init=False)

    def as_context(self) -> ssl.SSLContext:
        """Give it as what Trio asks for a connection, which is all that Trio does with a context."""
        return cast("ssl.SSLContext", self)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        *,
        server_hostname: str | None,
        **side: bool,
    ) -> ssl.SSLObject:
        self.outgoing = outgoing
        return self.context.wrap_bio(
            incoming, outgoing, side["server_side"], server_hostname=server_hostname
        )

    async def flush(self, stream: trio.abc.Stream) -> None:
        """Send the alert, if that can be done soon."""
        alert = self.outgoing.read()
        if alert:
            with trio.move_on_after(ALERT_TIMEOUT), suppress(trio.BrokenResourceError):
                await stream.send_all(alert)


def _watched(options: TlsOptions, requests: list[int]) -> ssl.SSLContext:
    """Settings of which the messages of the handshake are looked at."""
    context = make_context(options)

    def watch(
        _connection: object, direction: str, _version: int, _kind: int, message: int, _octets: bytes
    ) -> None:
        if direction == "read" and message == CERTIFICATE_REQUEST:
            requests.append(message)

    # Python's own, for its debugging; the only way to hear of the request under TLS 1.3.
    context._msg_callback = watch  # type: ignore[attr-defined]  # noqa: SLF001
    return context


def _seen(inner: "trio.SSLStream[trio.abc.Stream]", requested: bool | None) -> SeenTls:
    shown: bytes | None = inner.getpeercert(binary_form=True)
    cipher: tuple[str, str, int] | None = inner.cipher()
    return SeenTls(
        version=inner.version() or "",
        cipher=cipher[0] if cipher else "",
        certificate=read_certificate(shown) if shown else None,
        certificate_requested=requested,
    )


def option_fault(error: TlsOptionError) -> TransportError:
    """Make a fault of the options one of a stream that was not opened because of it."""
    return TransportError(
        f"tls.{error.option}: {error.found}", stage="tls", expected=error.expected
    )


def _pin_fault(seen: SeenCertificate | None) -> tuple[str, str]:
    if seen is None:
        return "no certificate", ""
    hint = (
        f"it is for {seen.whom}, valid from {seen.not_before:%Y-%m-%d}" if seen.not_before else ""
    )
    return f"a certificate with SHA-256 {seen.sha256}", hint


def _host_name(host: str) -> str:
    """A host as certificates and SNI write it: without a zone and without the root's dot."""
    return host.partition("%")[0].rstrip(".")
