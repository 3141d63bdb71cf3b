"""Small named questions to what was seen; each row of causes asks some of them.

An argument follows a colon: `bind_status:0x0E,0x0F` holds if the last bind was refused with either.
"""

import errno
from collections.abc import Callable
from functools import partial
from typing import Final

from whiteroute.engine.session import CloseCause
from whiteroute.pdu import CommandStatus

from .observed import Observed

__all__ = ["Symptom", "find_symptom", "symptom_names"]

Symptom = Callable[[Observed], bool]

SLOW_BIND: Final = 2.0
"""Seconds; a message centre that is well answers in a tenth of one."""
SLOW_ANSWER: Final = 1.0
"""Seconds from which on carriers themselves take a response for an alarm."""
SOON: Final = 1.0
"""Seconds after the bind within which an end has to do with the bind."""

_NAME_MISMATCH: Final = {62, 64}
_OUT_OF_DATE: Final = {9, 10}
_UNKNOWN_AUTHORITY: Final = {2, 18, 19, 20, 21, 27}
"""OpenSSL's verify codes."""
_CERTIFICATE_ALERTS: Final = (
    "CERTIFICATE_REQUIRED",
    "BAD_CERTIFICATE",
    "UNKNOWN_CA",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REVOKED",
    "ACCESS_DENIED",
    "DECRYPT_ERROR",
)
_VERSION_WORDS: Final = ("PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "INSUFFICIENT_SECURITY")
"""How OpenSSL's reasons end when a peer refuses our certificate, or we have no version in common."""

_PLAIN: dict[str, Symptom] = {}
_STATUS: dict[str, Callable[[Observed, frozenset[int]], bool]] = {}


def find_symptom(name: str) -> Symptom:
    """Give the function of this name, its argument filled in.

    Raises:
        ValueError: There is none, or its argument is none of the numbers that it takes.
    """
    word, colon, argument = name.partition(":")
    if not colon and word in _PLAIN:
        return _PLAIN[word]
    if colon and word in _STATUS:
        try:
            statuses = frozenset(int(number, 0) for number in argument.split(","))
        except ValueError:
            raise ValueError(f"{name!r}, expected numbers such as 0x0E,0x0F") from None
        return partial(_asked_of_status, _STATUS[word], statuses)
    raise ValueError(f"{name!r}, expected one of {', '.join(symptom_names())}")


def symptom_names() -> tuple[str, ...]:
    """Name all of them, those with an argument by `name:`."""
    return (*sorted(_PLAIN), *sorted(f"{name}:" for name in _STATUS))


def _asked_of_status(
    ask: Callable[[Observed, frozenset[int]], bool], statuses: frozenset[int], seen: Observed
) -> bool:
    return ask(seen, statuses)


def _symptom(function: Symptom) -> Symptom:
    _PLAIN[getattr(function, "__name__", "")] = function
    return function


# Before a connection stands.


@_symptom
def name_failed(seen: Observed) -> bool:
    return seen.fault is not None and seen.fault.stage == "dns"


@_symptom
def tcp_timed_out(seen: Observed) -> bool:
    return _tcp_failed(seen, errno.ETIMEDOUT)


@_symptom
def tcp_refused(seen: Observed) -> bool:
    return _tcp_failed(seen, errno.ECONNREFUSED)


@_symptom
def tcp_unreachable(seen: Observed) -> bool:
    return _tcp_failed(
        seen, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EACCES
    )


def _tcp_failed(seen: Observed, *numbers: int) -> bool:
    fault = seen.fault
    return fault is not None and fault.stage == "tcp" and fault.number in numbers


# TLS.


@_symptom
def tls_failed(seen: Observed) -> bool:
    fault = seen.fault
    return fault is not None and fault.stage == "tls" and fault.number != errno.ETIMEDOUT


@_symptom
def tls_timed_out(seen: Observed) -> bool:
    fault = seen.fault
    return fault is not None and fault.stage == "tls" and fault.number == errno.ETIMEDOUT


def _verify_code(seen: Observed) -> int:
    return 0 if seen.fault is None else seen.fault.verify_code


@_symptom
def tls_name_mismatch(seen: Observed) -> bool:
    return _verify_code(seen) in _NAME_MISMATCH


@_symptom
def tls_out_of_date(seen: Observed) -> bool:
    return _verify_code(seen) in _OUT_OF_DATE


@_symptom
def tls_unknown_authority(seen: Observed) -> bool:
    return _verify_code(seen) in _UNKNOWN_AUTHORITY


@_symptom
def tls_pin_mismatch(seen: Observed) -> bool:
    return tls_failed(seen) and "SHA-256" in (seen.fault.found if seen.fault else "")


def _reason_ends(seen: Observed, words: tuple[str, ...]) -> bool:
    return seen.fault is not None and seen.fault.reason.endswith(words)


@_symptom
def tls_wants_certificate(seen: Observed) -> bool:
    tls = None if seen.transport is None else seen.transport.tls
    requested = tls is not None and bool(tls.certificate_requested)
    trusted = not _verify_code(seen)
    return trusted and tls_failed(seen) and (requested or _reason_ends(seen, _CERTIFICATE_ALERTS))


@_symptom
def tls_closed(seen: Observed) -> bool:
    """Whether the peer closed or reset the connection instead of saying anything in TLS."""
    found = seen.fault.found if seen.fault is not None else ""
    return tls_failed(seen) and found.endswith("during the TLS handshake")


@_symptom
def tls_no_shared_version(seen: Observed) -> bool:
    return _reason_ends(seen, _VERSION_WORDS)


@_symptom
def tls_answered_otherwise(seen: Observed) -> bool:
    found = seen.fault.found if seen.fault is not None else ""
    return tls_failed(seen) and found.startswith("an answer in") and "SMPP" not in found


@_symptom
def port_speaks_tls(seen: Observed) -> bool:
    return "TLS" in seen.spoken or (seen.look is not None and seen.look.speaks_tls)


@_symptom
def port_speaks_smpp(seen: Observed) -> bool:
    found = seen.fault.found if seen.fault is not None else ""
    return "SMPP in clear" in found or (seen.look is not None and "SMPP" in seen.look.spoken)


@_symptom
def own_certificate_missing(seen: Observed) -> bool:
    tls = None if seen.transport is None else seen.transport.tls
    return bool(tls and tls.certificate_requested) and not seen.has_own_certificate


# The bind.


def _ended(seen: Observed, *ends: str) -> bool:
    last = seen.last_attempt
    return last is not None and last.end in ends


@_symptom
def bind_closed(seen: Observed) -> bool:
    return _ended(seen, "closed")


@_symptom
def bind_silent(seen: Observed) -> bool:
    return _ended(seen, "silent")


@_symptom
def half_pdu_left(seen: Observed) -> bool:
    last = seen.last_attempt
    return seen.rest > 0 or (last is not None and last.rest > 0)


@_symptom
def bind_slow(seen: Observed) -> bool:
    last = seen.last_attempt
    return last is not None and last.command_status is not None and last.took >= SLOW_BIND


@_symptom
def way_refused(seen: Observed) -> bool:
    """Whether any answer said that the operation or its version is not known."""
    unknown = (CommandStatus.ESME_RINVCMDID, CommandStatus.ESME_RINVCMDLEN)
    return any(
        attempt.end == "nacked"
        or attempt.command_status in unknown
        or (attempt.command_status == CommandStatus.ESME_RINVBNDSTS and bool(seen.bound_as))
        or (attempt.end == "refused" and _names_older(attempt.peer_version, attempt))
        for attempt in seen.attempts
    )


def _names_older(version: int | None, attempt: object) -> bool:
    asked: int = getattr(attempt, "interface_version", 0)
    return version is not None and version < asked


@_symptom
def every_way_refused(seen: Observed) -> bool:
    return len(seen.attempts) > 1 and not seen.bound_as and way_refused(seen)


@_symptom
def not_bound(seen: Observed) -> bool:
    return not seen.bound_as


@_symptom
def bound_as_pair(seen: Observed) -> bool:
    return seen.bound_as == "tx+rx" and seen.bind_as == "trx"


@_symptom
def older_version_told(seen: Observed) -> bool:
    return any(
        attempt.end == "refused" and _names_older(attempt.peer_version, attempt)
        for attempt in seen.attempts
    )


@_symptom
def older_version_granted(seen: Observed) -> bool:
    last = seen.last_attempt
    return last is not None and last.end == "accepted" and _names_older(last.peer_version, last)


@_symptom
def nack_without_number(seen: Observed) -> bool:
    return any(attempt.end == "nacked" and not attempt.has_number for attempt in seen.attempts)


@_symptom
def not_nacked_without_number(seen: Observed) -> bool:
    return not nack_without_number(seen)


@_symptom
def already_bound(seen: Observed) -> bool:
    return any(attempt.command_status == CommandStatus.ESME_RALYBND for attempt in seen.attempts)


@_symptom
def bound_after_waiting(seen: Observed) -> bool:
    return seen.waited_to_bind and bool(seen.bound_as)


@_symptom
def refused_after_waiting(seen: Observed) -> bool:
    return seen.waited_to_bind and not seen.bound_as


@_symptom
def framing_broken(seen: Observed) -> bool:
    return _ended(seen, "broken")


@_symptom
def peer_spoke_otherwise(seen: Observed) -> bool:
    return bool(seen.spoken) and "TLS" not in seen.spoken and "SMPP" not in seen.spoken


@_symptom
def peer_spoke_nothing_known(seen: Observed) -> bool:
    return not peer_spoke_otherwise(seen)


@_symptom
def credential_too_long(seen: Observed) -> bool:
    # Spec: SMPP 3.4 §5.2.1, §5.2.2
    return seen.system_id_length > 15 or seen.password_length > 8


@_symptom
def credential_has_blank(seen: Observed) -> bool:
    return seen.credential_has_blank


def _bind_refused_with(seen: Observed) -> int | None:
    last = seen.last_attempt
    return last.command_status if last is not None and last.end == "refused" else None


def bind_status(seen: Observed, statuses: frozenset[int]) -> bool:
    """Whether the last bind was refused with one of these."""
    return _bind_refused_with(seen) in statuses


_STATUS["bind_status"] = bind_status


@_symptom
def status_unknown(seen: Observed) -> bool:
    status = _bind_refused_with(seen)
    return status is not None and status not in _KNOWN_STATUSES


_KNOWN_STATUSES: Final = frozenset(int(status) for status in CommandStatus)

# Bound.


def _lost(seen: Observed) -> bool:
    return bool(seen.bound_as) and seen.closed is not None


def _lost_by_itself(seen: Observed) -> bool:
    return _lost(seen) and seen.closed is CloseCause.PEER_CLOSED and not seen.sent


@_symptom
def lost_soon(seen: Observed) -> bool:
    return _lost_by_itself(seen) and not lost_when_idle(seen)


@_symptom
def lost_when_idle(seen: Observed) -> bool:
    return _lost_by_itself(seen) and seen.closed_in != "enquire_link" and seen.closed_after >= SOON


@_symptom
def peer_unbound(seen: Observed) -> bool:
    return _lost(seen) and seen.closed_by_peer_unbind


@_symptom
def framing_broken_when_bound(seen: Observed) -> bool:
    return _lost(seen) and seen.closed is CloseCause.FRAMING


@_symptom
def framing_holds(seen: Observed) -> bool:
    return not framing_broken_when_bound(seen)


@_symptom
def enquire_link_unanswered(seen: Observed) -> bool:
    return any(not each.is_answered for each in seen.enquiries)


@_symptom
def talks_otherwise(seen: Observed) -> bool:
    return seen.received_since_bind > 0


@_symptom
def silent_after_bind(seen: Observed) -> bool:
    return enquire_link_unanswered(seen) and not talks_otherwise(seen) and not _lost(seen)


@_symptom
def enquire_link_slow(seen: Observed) -> bool:
    return any(each.is_answered and each.took >= SLOW_ANSWER for each in seen.enquiries)


@_symptom
def unbind_unanswered(seen: Observed) -> bool:
    return seen.unbind is not None and not seen.unbind.is_answered and not _lost(seen)


# Messages.


def submit_status(seen: Observed, statuses: frozenset[int]) -> bool:
    """Whether any part was refused with one of these."""
    return any(part.command_status in statuses and not part.is_nacked for part in seen.sent)


_STATUS["submit_status"] = submit_status

_TOLD_BY_ROWS: Final = frozenset(
    (0x00, 0x01, 0x04, 0x0A, 0x0B, 0x14, 0x43, 0x45, 0x48, 0x49, 0x50, 0x51, 0x58, 0x61, 0x62)
)
"""Statuses of a submission that a row of its own is about."""


@_symptom
def submit_status_unknown(seen: Observed) -> bool:
    return any(
        part.command_status is not None and part.command_status not in _KNOWN_STATUSES
        for part in seen.sent
    )


@_symptom
def submit_refused_otherwise(seen: Observed) -> bool:
    return any(
        part.is_nacked
        or (part.command_status in _KNOWN_STATUSES and part.command_status not in _TOLD_BY_ROWS)
        for part in seen.sent
    )


@_symptom
def submit_nacked(seen: Observed) -> bool:
    return any(part.is_nacked for part in seen.sent)


@_symptom
def several_in_flight(seen: Observed) -> bool:
    return any(part.command_status and part.in_flight > 1 for part in seen.sent)


@_symptom
def one_in_flight(seen: Observed) -> bool:
    return not several_in_flight(seen)


@_symptom
def submit_unanswered(seen: Observed) -> bool:
    return any(part.command_status is None for part in seen.sent) and not _lost(seen)


@_symptom
def submit_slow_or_unanswered(seen: Observed) -> bool:
    return submit_unanswered(seen) or any(part.took >= SLOW_ANSWER for part in seen.sent)


@_symptom
def lost_after_submit(seen: Observed) -> bool:
    return (
        _lost(seen)
        and bool(seen.sent)
        and seen.closed is not CloseCause.FRAMING
        and not peer_unbound(seen)
    )


# Receipts and texts from handsets.


def _accepted(seen: Observed) -> int:
    return sum(part.command_status == 0 and not part.is_probe for part in seen.sent)


@_symptom
def receipt_missing(seen: Observed) -> bool:
    told = seen.receipts_final + seen.receipts_with_other_id + seen.receipts_unreadable
    return seen.waited_for_receipt and _accepted(seen) > 0 and not told


@_symptom
def nothing_intermediate(seen: Observed) -> bool:
    return not seen.receipts_intermediate


@_symptom
def bound_as_transmitter(seen: Observed) -> bool:
    return seen.bound_as == "tx"


@_symptom
def receipt_only_intermediate(seen: Observed) -> bool:
    return receipt_missing(seen) and seen.receipts_intermediate > 0


@_symptom
def receipt_for_some_parts(seen: Observed) -> bool:
    return seen.waited_for_receipt and 0 < seen.receipts_final < _accepted(seen)


@_symptom
def receipt_id_differs(seen: Observed) -> bool:
    return seen.receipts_with_other_id > 0


@_symptom
def ids_are_equivalent(seen: Observed) -> bool:
    return seen.other_id_is_equivalent


@_symptom
def receipt_unreadable(seen: Observed) -> bool:
    return seen.receipts_unreadable > 0


@_symptom
def delivery_repeated(seen: Observed) -> bool:
    return seen.deliveries_repeated > 0


@_symptom
def deliveries_waiting(seen: Observed) -> bool:
    return seen.deliveries_at_bind > 0


@_symptom
def foreign_deliveries(seen: Observed) -> bool:
    return seen.deliveries_foreign > 0


@_symptom
def mo_missing(seen: Observed) -> bool:
    return seen.waited_for_mo and not seen.mo_texts


@_symptom
def mo_unreadable(seen: Observed) -> bool:
    return any("\N{REPLACEMENT CHARACTER}" in text for text in seen.mo_texts)
