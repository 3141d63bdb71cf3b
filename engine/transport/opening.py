"""A stream to a message centre, opened in stages: its addresses, a connection, a header, encryption.

`open_transport` goes through them and tries one address after the other; each stage can be called by
itself by whoever wants to show them one by one. Binding is not done here.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from typing import Final, Literal

import attrs
import trio

from whiteroute.engine.profile import TransportOptions

from .errors import TlsOptionError, TransportError, TransportStage
from .proxy_header import Endpoint, ProxyHeader, encode_proxy_header
from .report import TransportReport, TriedAddress
from .tls import encrypt, option_fault
from .tls_options import context_of

__all__ = ["Address", "Connected", "connect", "open_transport", "resolve", "send_proxy_header"]

NEXT_ADDRESS_DELAY: Final = 0.25
"""Seconds until the next address is tried beside one that has not answered yet. Spec: RFC 8305 §5."""

IN_CLEAR: Final = TransportOptions()


@attrs.frozen
class Address:
    """One of the addresses of a host."""

    family: int
    """AF_INET or AF_INET6."""
    name: tuple[object, ...]
    """What a socket of that family connects to."""

    def __str__(self) -> str:
        host, port = self.name[:2]
        return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"


@attrs.frozen
class Connected:
    """A TCP connection, whoever was the first to answer."""

    stream: trio.SocketStream
    address: Address
    started_at: float
    """When its first SYN left, on Trio's clock."""


async def open_transport(
    host: str,
    port: int,
    options: TransportOptions = IN_CLEAR,
    report: TransportReport | None = None,
) -> trio.abc.Stream:
    """Open a stream over which SMPP can be spoken.

    Every address of the host gets `options.connect_timeout` seconds, TLS included. Those that do not
    answer are overlapped by the next one (never in TLS: a carrier counts what it shakes hands with).
    Cancelled or failed, it leaves nothing open.

    Args:
        host: A name or an address; an IPv6 address without brackets.
        port: 1 to 65535.
        options: How.
        report: Filled in on the way, for people.

    Returns:
        `trio.SocketStream`, or `TlsStream` if `options.tls` is there. Nothing was sent over it but the
        header of the PROXY protocol if that was asked for.

    Raises:
        TransportError: With the stage that was reached, what was found there and what was expected.
    """
    seen = report or TransportReport(host=host, port=port)
    where = _place(host, port)
    if options.tls is not None:
        # Before the peer is bothered with a connection that cannot become one.
        try:
            context_of(options.tls)
        except TlsOptionError as error:
            raise option_fault(error).at(where) from error
    untried = list(await resolve(host, port, options, seen))
    failures: list[TransportError] = []
    while untried:
        known = len(seen.tried)
        try:
            connected = await connect(untried, options, seen)
        except TransportError as error:
            failures.append(error)
            break
        done = {str(connected.address), *(tried.address for tried in seen.tried[known:])}
        untried = [address for address in untried if str(address) not in done]
        try:
            return await _prepare(connected, host, options, seen)
        except TransportError as error:
            failures.append(error.at(where, str(connected.address)))
    raise _summed_up(failures, where)


async def resolve(
    host: str,
    port: int,
    options: TransportOptions = IN_CLEAR,
    report: TransportReport | None = None,
) -> tuple[Address, ...]:
    """Ask for the addresses of a host, in the order in which they are to be tried.

    They take turns by family as long as there are both. Those of another family than
    `options.source_address` are left out.

    Raises:
        TransportError: At the stage `dns` if there is none within `options.connect_timeout` seconds; at
            `tcp` if there is none that can be reached from `options.source_address`.
    """
    where, started_at = _place(host, port), trio.current_time()
    try:
        with trio.fail_after(options.connect_timeout):
            found = await trio.socket.getaddrinfo(host, port, type=trio.socket.SOCK_STREAM)
    except trio.TooSlowError:
        text = f"the name was not answered for within {options.connect_timeout:g} s"
        raise TransportError(text, stage="dns", host=where, number=errno.ETIMEDOUT) from None
    except OSError as error:
        text = (error.strerror or str(error)).lower()
        raise TransportError(
            text, stage="dns", host=where, expected="a name that DNS knows"
        ) from error
    except ValueError as error:  # such as `a..b`, or with a NUL
        raise TransportError(f"{error}", stage="dns", host=where, expected="a host name") from error
    addresses = _taking_turns(
        dict.fromkeys(Address(family, name) for family, _, _, _, name in found)
    )
    if report is not None:
        report.addresses = tuple(map(str, addresses))
        report.resolved_in = trio.current_time() - started_at
    family = _family_of(options.source_address)
    if family is not None:
        reachable = tuple(address for address in addresses if address.family == family)
        if not reachable:
            found_text = f"only {', '.join(map(str, addresses))}"
            expected = f"an address of the family of source_address {options.source_address}"
            raise TransportError(found_text, stage="tcp", host=where, expected=expected)
        addresses = reachable
    return addresses


async def connect(
    addresses: Sequence[Address],
    options: TransportOptions = IN_CLEAR,
    report: TransportReport | None = None,
) -> Connected:
    """Connect to the first address that answers; the others are let go.

    An address is tried when the one before it has failed, or has not answered for 250 ms.

    Args:
        addresses: At least one, in the order of trying.
        options: Where from, and how many seconds each of them has.
        report: Told of each address that failed; not of those that were let go.

    Raises:
        TransportError: At the stage `tcp` if none answers; it is about all of them.
    """
    failures: list[tuple[Address, TransportError]] = []
    won: list[Connected] = []

    async def attempt(address: Address, ended: trio.Event) -> None:
        started_at = trio.current_time()
        try:
            stream = await _connect(address, options)
        except TransportError as error:
            failures.append((address, error))
            if report is not None:
                report.tried.append(_tried(address, started_at, error))
        else:
            if won:
                # Two answered in the same instant.
                await trio.aclose_forcefully(stream)
                return
            won.append(Connected(stream, address, started_at))
            nursery.cancel_scope.cancel()
        finally:
            ended.set()

    try:
        async with trio.open_nursery() as nursery:
            for address in addresses:
                ended = trio.Event()
                nursery.start_soon(attempt, address, ended)
                with trio.move_on_after(NEXT_ADDRESS_DELAY):
                    await ended.wait()
        # The nursery takes it for its own if we are cancelled just when one has won.
        await trio.lowlevel.checkpoint_if_cancelled()
    except BaseException:
        for each in won:
            await trio.aclose_forcefully(each.stream)
        raise
    if not won:
        raise _summed_up([error.at("", str(address)) for address, error in failures], "")
    if report is not None:
        report.local_address = _local(won[0].stream)
    return won[0]


async def send_proxy_header(
    stream: trio.SocketStream,
    version: Literal["v1", "v2"],
    report: TransportReport | None = None,
) -> None:
    """Tell a proxy at the other end where this connection comes from and leads to.

    The caller bounds the time, and closes `stream` if this fails.

    Raises:
        TransportError: At the stage `proxy`, if the peer closed meanwhile.
    """
    try:
        source, destination = stream.socket.getsockname(), stream.socket.getpeername()
        header = ProxyHeader(source=Endpoint.of(source), destination=Endpoint.of(destination))
        octets = encode_proxy_header(header, version)
        if report is not None:
            report.proxy_header = octets
        await stream.send_all(octets)
    except (OSError, trio.BrokenResourceError) as error:
        cause = error.__cause__ if isinstance(error, trio.BrokenResourceError) else error
        text = (getattr(cause, "strerror", None) or "connection closed").lower()
        hint = "our address is not let in, or the port does not want a PROXY header"
        raise TransportError(text, stage="proxy", hint=hint) from error


async def _prepare(
    connected: Connected, host: str, options: TransportOptions, report: TransportReport
) -> trio.abc.Stream:
    """Do what stands between TCP and SMPP; the stream is closed if it cannot be done."""
    stage: TransportStage = "tcp"
    stream: trio.abc.Stream = connected.stream
    try:
        with trio.fail_at(connected.started_at + options.connect_timeout):
            if options.proxy_protocol != "none":
                stage = "proxy"
                await send_proxy_header(connected.stream, options.proxy_protocol, report)
            if options.tls is not None:
                stage = "tls"
                stream = await encrypt(connected.stream, host, options.tls, report)
    except trio.TooSlowError:
        await trio.aclose_forcefully(connected.stream)
        hint = "the port may speak SMPP in clear" if stage == "tls" else ""
        found = f"no answer in {stage.upper()} within {options.connect_timeout:g} s"
        error = TransportError(found, stage=stage, hint=hint, number=errno.ETIMEDOUT)
        report.tried.append(_tried(connected.address, connected.started_at, error))
        raise error from None
    except TransportError as error:
        await trio.aclose_forcefully(connected.stream)
        report.tried.append(_tried(connected.address, connected.started_at, error))
        raise
    except BaseException:
        await trio.aclose_forcefully(connected.stream)
        raise
    took = trio.current_time() - connected.started_at
    report.tried.append(TriedAddress(address=str(connected.address), took=took, stage=stage))
    return stream


async def _connect(address: Address, options: TransportOptions) -> trio.SocketStream:
    socket = trio.socket.socket(address.family, trio.socket.SOCK_STREAM)
    try:
        if options.source_address:
            await _bind(socket, options.source_address)
        with trio.fail_after(options.connect_timeout):
            await socket.connect(address.name)
        if socket.getsockname() == socket.getpeername():
            # Nobody listens, and the system picked that very port to come from: loopback answers itself.
            raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        return trio.SocketStream(socket)
    except BaseException as error:
        socket.close()
        number: int | None
        if isinstance(error, trio.TooSlowError):
            text = f"no answer within {options.connect_timeout:g} s"
            hint = "a firewall that drops, as where our address is not let in; or a wrong address or port"
            number = errno.ETIMEDOUT
        elif isinstance(error, OSError) and not isinstance(error, TransportError):
            # Trio's own words hold the address, which is told anyway.
            text = (os.strerror(error.errno) if error.errno else str(error)).lower()
            refused = error.errno == errno.ECONNREFUSED
            hint = "nobody listens there: a wrong port, or the service is down" if refused else ""
            number = error.errno or errno.ECONNABORTED
        else:
            raise
        raise TransportError(text, stage="tcp", hint=hint, number=number) from error


async def _bind(socket: trio.socket.SocketType, source_address: str) -> None:
    # Lets Linux choose the port when it knows the other end, so that one address has 28,000 ports for
    # each message centre and not for all of them.
    without_port = getattr(trio.socket, "IP_BIND_ADDRESS_NO_PORT", None)
    if without_port is not None:
        socket.setsockopt(trio.socket.IPPROTO_IP, without_port, 1)
    try:
        await socket.bind((source_address, 0))
    except OSError as error:
        found = f"source_address {source_address}: {(error.strerror or str(error)).lower()}"
        raise TransportError(
            found, stage="tcp", expected="an address of this machine", number=error.errno
        ) from error


def _tried(address: Address, started_at: float, error: TransportError) -> TriedAddress:
    return TriedAddress(
        address=str(address),
        took=trio.current_time() - started_at,
        stage=error.stage,
        failure=str(error.strerror),
    )


def _summed_up(failures: Sequence[TransportError], where: str) -> TransportError:
    """One error for all addresses: that of the furthest stage, with what the others say in its text."""
    order: tuple[TransportStage, ...] = ("dns", "tcp", "proxy", "tls")
    furthest = max(failures, key=lambda failure: order.index(failure.stage))
    if len(failures) == 1:
        summary = furthest.at(where)
    else:
        summary = TransportError(
            "; ".join(dict.fromkeys(str(failure.strerror) for failure in failures)),
            stage=furthest.stage,
            host=where,
            expected="",
            number=furthest.errno,
        )
    summary.__cause__ = furthest
    return summary


def _taking_turns(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Interleave the families, so that one that is broken costs 250 ms only. Spec: RFC 8305 §4."""
    ordered = list(addresses)
    first = [address for address in ordered if address.family == ordered[0].family]
    second = [address for address in ordered if address.family != ordered[0].family]
    pairs = min(len(first), len(second))
    turns = [address for pair in zip(first, second, strict=False) for address in pair]
    return (*turns, *first[pairs:], *second[pairs:])


def _family_of(source_address: str) -> int | None:
    try:
        version = ip_address(source_address.partition("%")[0]).version
    except ValueError:
        return None
    return trio.socket.AF_INET if version == 4 else trio.socket.AF_INET6


def _local(stream: trio.SocketStream) -> str:
    name = stream.socket.getsockname()
    return str(Address(stream.socket.family, name))


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
