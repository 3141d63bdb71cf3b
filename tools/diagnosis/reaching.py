"""The stages up to a stream: arguments, names, connections, PROXY header, TLS; each told by itself."""

from collections.abc import Sequence

import trio

from whiteroute.engine.transport import (
    SeenCertificate,
    SeenTls,
    TransportError,
    TransportReport,
    resolve,
)
from whiteroute.pdu import EncodeError, Pdu, encode

from .examined import Examined
from .observed import PortLook
from .opening import TcpTry, connect_each, fault_of, look_at_port, make_ready
from .target import TargetError

__all__ = ["check_arguments", "reach"]


def check_arguments(on: Examined, bind: Pdu) -> None:
    """Look at what was given, without asking anybody.

    Raises:
        TargetError: A credential cannot be written into a bind at all.
    """
    started_at = trio.current_time()
    settings, seen = on.target.settings, on.seen
    try:
        encode(bind)
    except EncodeError as error:
        # Not its text: it holds what was found, which may be the password.
        field = error.path.rpartition(".")[2]
        raise TargetError(f"{field}: it cannot be sent, expected {error.expected}") from None
    given = (settings.system_id, settings.password)
    seen.system_id_length, seen.password_length = map(len, given)
    seen.credential_has_blank = any(text != text.strip() for text in given)
    seen.bind_as = on.target.bind_as
    tls = on.target.transport.tls
    seen.has_own_certificate = tls is not None and bool(tls.certificate_file)
    version = settings.profile.bind.interface_version
    words = [
        f"{settings.system_id} at {on.host} as {on.target.bind_as}",
        f"SMPP {version >> 4}.{version & 0xF}",
        "in clear" if tls is None else "in TLS",
    ]
    if seen.system_id_length > 15:
        words.append(f"system_id has {seen.system_id_length} characters, the standard allows 15")
    if seen.password_length > 8:
        words.append(f"the password has {seen.password_length} characters, the standard allows 8")
    if seen.credential_has_blank:
        words.append("a credential begins or ends with a blank")
    on.report(
        "arguments",
        True,
        started_at,
        ", ".join(words),
        facts={
            "system_id": settings.system_id,
            "bind": on.target.bind_as,
            "interface_version": f"{version:#04x}",
            "tls": tls is not None,
            "profile": settings.profile.name or None,
        },
    )


async def reach(on: Examined) -> trio.abc.Stream | None:
    """Come as far as a stream over which a bind can be sent; None if there is none."""
    report = on.seen.transport = on.transport_report()
    taken = await _connect(on, report)
    if taken is None or taken.connected is None:
        return None
    on.address = taken.address
    return await _make_ready(on, taken.connected.stream, report)


async def _connect(on: Examined, report: TransportReport) -> TcpTry | None:
    host, options = on.host, on.transport
    started_at = trio.current_time()
    try:
        addresses = await resolve(host.name, host.port, options, report)
    except TransportError as error:
        on.seen.fault = fault_of(error)
        on.report(error.stage, False, started_at, str(error.strerror))
        return None
    facts = {"addresses": [str(address) for address in addresses]}
    on.report("dns", True, started_at, ", ".join(facts["addresses"]), facts=facts)
    started_at = trio.current_time()
    tries = await connect_each(addresses, options)
    taken = next((each for each in tries if each.connected is not None), None)
    if taken is None:
        failed = tries[0].error
        assert failed is not None
        on.seen.fault = fault_of(failed)
    on.report(
        "tcp",
        taken is not None,
        started_at,
        _tries_in_words(tries),
        facts={"addresses": [each.to_dict() for each in tries]},
    )
    if taken is not None:
        report.local_address = taken.local_address
    return taken


def _tries_in_words(tries: Sequence[TcpTry]) -> str:
    words = []
    for each in tries:
        if each.error is not None:
            words.append(f"{each.address}: {each.error.found}")
        else:
            words.append(f"{each.address} from {each.local_address}")
    return "; ".join(words)


async def _make_ready(
    on: Examined, stream: trio.SocketStream, report: TransportReport
) -> trio.abc.Stream | None:
    options, started_at = on.transport, trio.current_time()
    if options.tls is None and options.proxy_protocol == "none":
        return stream
    try:
        ready = await make_ready(stream, on.host.name, options, report)
    except TransportError as error:
        await _tell_fault(on, error, started_at, report)
        return None
    if options.proxy_protocol != "none":
        on.report("proxy", True, started_at, f"a header of {options.proxy_protocol} was sent")
    if options.tls is not None:
        seen = report.tls or SeenTls()
        on.report("tls", True, started_at, _tls_in_words(seen), facts=_tls_facts(seen))
    return ready


async def _tell_fault(
    on: Examined, error: TransportError, started_at: float, report: TransportReport
) -> None:
    on.seen.fault = fault_of(error)
    look = PortLook()
    if error.stage == "tls" and on.address is not None:
        look = await look_at_port(on.address, on.host.name, on.transport, also_in_clear=True)
    on.seen.look = look
    finding = str(error.strerror)
    if look.spoken:
        finding += f"; a second look found {look.spoken} there"
    facts = _tls_facts(report.tls or SeenTls())
    if look.chain:
        facts["chain"] = [_certificate_facts(each) for each in look.chain]
        facts["version"] = look.tls_version
    on.report(error.stage, False, started_at, finding, facts=facts)


def _tls_in_words(seen: SeenTls) -> str:
    words = [f"{seen.version}, {seen.cipher}"]
    if seen.certificate is not None:
        words.append(f"a certificate for {seen.certificate.whom}")
        if seen.certificate.not_after is not None:
            words.append(f"until {seen.certificate.not_after:%Y-%m-%d}")
    if seen.certificate_requested:
        words.append("it asks for a certificate of ours")
    return ", ".join(words)


def _tls_facts(seen: SeenTls) -> dict[str, object]:
    shown = seen.certificate
    return {
        "version": seen.version or None,
        "cipher": seen.cipher or None,
        "certificate": None if shown is None else _certificate_facts(shown),
        "certificate_requested": seen.certificate_requested,
    }


def _certificate_facts(shown: SeenCertificate) -> dict[str, object]:
    return {
        "subject": shown.subject,
        "issuer": shown.issuer,
        "names": list(shown.names),
        "not_before": shown.not_before.isoformat() if shown.not_before else None,
        "not_after": shown.not_after.isoformat() if shown.not_after else None,
        "sha256": shown.sha256,
    }
