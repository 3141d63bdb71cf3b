"""The bind: asked for as it should be, then the other ways as far as the answers leave them open."""

from collections.abc import Sequence
from typing import Final

import attrs
import trio

from whiteroute.engine.session import CloseCause, ExchangeEnd, LocalProtocolError
from whiteroute.engine.transport import TransportError, recognise
from whiteroute.engine.upkeep import Ladder, Rung
from whiteroute.pdu import (
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    CommandStatus,
    Pdu,
    TlvTag,
    WireForm,
    status_meaning,
    status_name,
    tlv_name,
)

from .examined import Examined
from .observed import BindAttempt, BindEnd
from .opening import fault_of, look_at_port, open_again
from .probe import ProbedLink
from .target import BindAs, Target

__all__ = ["bind", "bind_pdu", "bind_with", "operations_of"]

BindClass = type[BindTransceiver] | type[BindTransmitter] | type[BindReceiver]

OPERATIONS: Final[dict[BindAs, tuple[BindClass, ...]]] = {
    "trx": (BindTransceiver,),
    "tx+rx": (BindTransmitter, BindReceiver),
    "tx": (BindTransmitter,),
    "rx": (BindReceiver,),
}


def operations_of(target: Target, rung: Rung) -> tuple[BindAs, tuple[BindClass, ...]]:
    """Give what is asked for on this rung; a transmitter or receiver alone stays alone."""
    bind_as: BindAs = target.bind_as if target.bind_as in ("tx", "rx") else rung.mode
    return bind_as, OPERATIONS[bind_as]


def bind_pdu(target: Target, operation: BindClass, interface_version: int) -> Pdu:
    """Make the PDU that asks for a bind."""
    options = target.settings.profile.bind
    return operation(
        system_id=target.settings.system_id,
        password=target.settings.password,
        system_type=options.system_type,
        interface_version=interface_version,
        addr_ton=options.addr_ton,
        addr_npi=options.addr_npi,
        address_range=options.address_range,
        wire_form=WireForm.OVERLONG,
    )


async def bind(on: Examined, stream: trio.abc.Stream) -> bool:
    """Bind, and tell what came of it; the bound links are in `on.probes`.

    Returns:
        Whether we are bound.
    """
    seen, started_at = on.seen, trio.current_time()
    options = on.target.settings.profile.bind
    ladder = Ladder(
        on.target.settings.bind, options.interface_version, is_fixed=not options.fallback
    )
    first: trio.abc.Stream | None = stream
    while True:
        rung = ladder.rung
        bind_as, operations = operations_of(on.target, rung)
        answer: Pdu | None = None
        probes: list[ProbedLink] = []
        for operation in operations:
            fresh = first if first is not None else await _open_again(on)
            first = None
            if fresh is None:
                break
            probe, attempt, answer = await bind_with(on, fresh, operation, rung)
            seen.attempts.append(attempt)
            if attempt.end != "accepted":
                break
            probes.append(probe)
        if len(probes) == len(operations):
            on.probes = probes
            seen.bound_as = bind_as
            break
        for probe in probes:
            await probe.link.unbind()
        last = seen.last_attempt
        if answer is None or last is None or last.command_status is None:
            break
        if ladder.refused(
            rung,
            last.command_status,
            trio.current_time(),
            nacked=last.end == "nacked",
            peer_version=last.peer_version,
        ):
            continue
        one_too_many = last.command_status == CommandStatus.ESME_RALYBND
        if not one_too_many or not on.wishes.patience or seen.waited_to_bind:
            break
        seen.waited_to_bind = True
        await trio.sleep(on.wishes.patience)
    await _look_again(on)
    last = seen.last_attempt
    on.report(
        "bind",
        bool(seen.bound_as),
        started_at,
        "; then ".join(_in_words(on, attempt) for attempt in seen.attempts),
        status=None if last is None else last.command_status,
        facts={"attempts": [_facts(on, attempt) for attempt in seen.attempts]},
    )
    if seen.bound_as:
        _tell_response(on, seen.attempts[-len(on.probes) :])
    return bool(seen.bound_as)


async def bind_with(
    on: Examined, stream: trio.abc.Stream, operation: BindClass, rung: Rung
) -> tuple[ProbedLink, BindAttempt, Pdu | None]:
    """Ask for one bind over a stream.

    Returns:
        The link, how it went, and the answer if there was one. A link that is not bound is closed.
    """
    started_at = trio.current_time()
    probe = on.open(stream, f"{on.target.settings.name} {operation.name}")
    exchange = None
    try:
        exchange = await probe.ask(bind_pdu(on.target, operation, rung.interface_version))
    except LocalProtocolError:
        # It was closed before a word was said.
        await probe.link.wait_closed()
    took = trio.current_time() - started_at
    answer = exchange.response if exchange is not None else None
    has_number = answer is not None
    if answer is None and probe.nacks:
        answer = probe.nacks[-1]
    nacked = (exchange is not None and exchange.end is ExchangeEnd.NACKED) or not (
        has_number or answer is None
    )
    version = None if answer is None else answer.tlvs.value(TlvTag.SC_INTERFACE_VERSION)
    end = _end_of(probe, answer, nacked)
    if end == "accepted":
        probe.bound_at = trio.current_time()
        probe.pdus_at_bind = probe.pdus
    else:
        on.seen.spoken = on.seen.spoken or probe.spoken
        if answer is not None:
            # What else came, before the link is let go.
            await trio.lowlevel.checkpoint()
        probe.link.close(detail="not bound")
    closed = probe.closed
    attempt = BindAttempt(
        operation=operation.name,
        asked=str(rung),
        interface_version=rung.interface_version,
        end=end,
        took=took,
        command_status=None if answer is None else answer.command_status,
        has_number=has_number,
        peer_version=version if isinstance(version, int) else None,
        peer_system_id=getattr(answer, "system_id", ""),
        was_reset=probe.was_reset,
        detail="" if closed is None or end in ("refused", "nacked") else closed.detail,
        first_octets=probe.noted.first_octets if answer is None or nacked else b"",
        rest=probe.rest if answer is None else 0,
    )
    return probe, attempt, answer


def _end_of(probe: ProbedLink, answer: Pdu | None, nacked: bool) -> BindEnd:
    if nacked:
        return "nacked"
    if answer is not None:
        return "refused" if answer.command_status else "accepted"
    cause = None if probe.closed is None else probe.closed.cause
    if cause is CloseCause.FRAMING:
        return "broken"
    return "closed" if cause in (CloseCause.PEER_CLOSED, CloseCause.UNBIND) else "silent"


async def _open_again(on: Examined) -> trio.abc.Stream | None:
    assert on.address is not None
    try:
        return await open_again(on.address, on.host.name, on.transport, on.transport_report())
    except TransportError as error:
        on.seen.fault = fault_of(error)
        return None


async def _look_again(on: Examined) -> None:
    """Look at what a port speaks that does not answer a bind in clear."""
    seen, last = on.seen, on.seen.last_attempt
    if last is None or on.transport.tls is not None or on.address is None:
        return
    if last.end in ("closed", "silent", "broken"):
        seen.spoken = seen.spoken or recognise(last.first_octets)
        seen.look = await look_at_port(on.address, on.host.name, on.transport, also_in_clear=False)


def _in_words(on: Examined, attempt: BindAttempt) -> str:
    asked = f"{attempt.operation} ({attempt.asked.rpartition(' by ')[2]})"
    match attempt.end:
        case "accepted":
            return f"{asked} accepted"
        case "refused" | "nacked":
            status = attempt.command_status or 0
            word = "answered by generic_nack with" if attempt.end == "nacked" else "refused with"
            meaning = status_meaning(status).rstrip(".")
            number = "" if attempt.has_number else ", which names no request"
            told = _version_words(attempt)
            return f"{asked} {word} {status_name(status)} ({status:#04x}): {meaning}{number}{told}"
        case "silent":
            rest = f"; {attempt.rest} octets of an answer came" if attempt.rest else ""
            return f"{asked} not answered within {attempt.took:.1f} s{rest}"
        case "closed":
            how = "reset" if attempt.was_reset else "closed"
            told = f" ({attempt.detail})" if attempt.detail and not attempt.was_reset else ""
            return f"{asked}: the connection was {how} without an answer{told}{_looked(on)}"
        case _:
            octets = on.cover.octets(attempt.first_octets)
            spoken = f" It is {on.seen.spoken}." if on.seen.spoken else ""
            return f"{asked} answered by what is no PDU: {octets.hex(' ')}.{spoken}{_looked(on)}"


def _looked(on: Examined) -> str:
    look = on.seen.look
    return f"; a second look found {look.tls_version} there" if look and look.speaks_tls else ""


def _version_words(attempt: BindAttempt) -> str:
    version = attempt.peer_version
    return "" if version is None else f"; it says it speaks {_version(version)}"


def _version(version: int) -> str:
    return f"SMPP {version >> 4}.{version & 0xF}"


def _facts(on: Examined, attempt: BindAttempt) -> dict[str, object]:
    facts = attrs.asdict(attempt)
    facts["took_ms"] = round(facts.pop("took") * 1000, 3)
    facts["first_octets"] = on.cover.octets(attempt.first_octets).hex()
    return facts


def _tell_response(on: Examined, attempts: Sequence[BindAttempt]) -> None:
    """Tell what the accepting answers say besides yes."""
    started_at = trio.current_time()
    words = []
    for attempt in attempts:
        name = attempt.peer_system_id
        version = attempt.peer_version
        told = "names no version" if version is None else f"speaks {_version(version)}"
        calls = f"calls itself {name}" if name else "names no system_id"
        words.append(f"{attempt.operation}_resp: it {calls} and {told}")
    tag = tlv_name(TlvTag.SC_INTERFACE_VERSION)
    on.report(
        "bind_response",
        True,
        started_at,
        "; ".join(words),
        facts={
            "system_id": [attempt.peer_system_id for attempt in attempts],
            tag: [attempt.peer_version for attempt in attempts],
        },
    )
