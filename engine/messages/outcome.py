"""What an answer, or its absence, means for the part that was sent.

Four verdicts: accepted; refused, with the error and whether another route may be tried; retry on the
same route; in doubt. The rule behind them: only a refusal that certainly left nothing behind may be
tried again, and silence is never such a refusal, because the message centre may have taken the
message and lost only the answer.

Nothing here waits or sends; the caller keeps the clock and the count of tries.
"""

from enum import StrEnum
from typing import Final

import attrs

from whiteroute.pdu import CommandStatus

from .canonical import Canonical, Failover, MappedError, Permanence
from .canonical_tables import StatusClass, StatusVerdict, classify_status, verdict_for
from .error_mapping import GENERIC_ERRORS, ErrorSpaces, map_error

__all__ = [
    "Accepted",
    "InDoubt",
    "Refused",
    "Retry",
    "Silence",
    "Verdict",
    "judge_answer",
    "judge_silence",
]


class Silence(StrEnum):
    """Why a request will not be answered."""

    NOT_WRITTEN = "NOT_WRITTEN"
    """No octet of it was handed to the socket."""
    TIMED_OUT = "TIMED_OUT"
    LINK_LOST = "LINK_LOST"
    UNBOUND = "UNBOUND"
    """One side unbound while the request was open."""
    NACKED_WITHOUT_NUMBER = "NACKED_WITHOUT_NUMBER"
    """A generic_nack with sequence_number 0 came: some request was not understood, nobody knows
    which."""
    CRASHED = "CRASHED"
    """We stopped before its outcome was written down."""


@attrs.frozen(kw_only=True)
class Accepted:
    """The message centre took it."""

    message_id: str
    """As it stood in the response. Empty: taken, and no receipt can ever be matched."""

    @property
    def is_trackable(self) -> bool:
        """Whether a receipt can find its message."""
        return self.message_id != ""


@attrs.frozen(kw_only=True)
class Refused:
    """Certainly not accepted, and not worth asking the same route again."""

    error: MappedError
    failover: Failover
    """Whether the next direct route may be tried now. Never AFTER_RETRIES: those are used up."""


@attrs.frozen(kw_only=True)
class Retry:
    """Certainly not accepted, and the same route may be asked again."""

    error: MappedError | None
    """None when it was never written."""
    after_delay: float
    """Seconds to wait; 0 as soon as a link is free."""
    slow_down: bool = False
    """The carrier said that we are too fast: the whole account has to slow down, not this message
    alone, or the order is lost and the next one is refused too."""


@attrs.frozen(kw_only=True)
class InDoubt:
    """It may have been accepted. Not sent again, unless the message says `allow`."""

    silence: Silence


Verdict = Accepted | Refused | Retry | InDoubt


def judge_answer(
    spaces: ErrorSpaces = GENERIC_ERRORS,
    *,
    command_status: int,
    message_id: str = "",
    network_error_code: bytes = b"",
    delivery_failure_reason: int | None = None,
    nacked: bool = False,
    window_full: bool = False,
    tries: int = 1,
) -> Verdict:
    """Judge a response, or a generic_nack with the request's sequence_number.

    Args:
        spaces: What the profile knows about this carrier's numbers.
        command_status: As it stood in the response.
        message_id: As it stood in the response.
        network_error_code: The TLV's raw value, if the response had it.
        delivery_failure_reason: That TLV's value, if the response had it.
        nacked: It was a generic_nack: not processed, whatever the status, even 0.
        window_full: As many requests were open as the window allows. Some message centres say
            ESME_RSUBMITFAIL then, and mean ESME_RTHROTTLED.
        tries: How often this route was asked for this part, this time included.

    Returns:
        Any verdict but InDoubt.
    """
    if not nacked and _is_accepted(spaces, command_status, message_id):
        return Accepted(message_id=message_id)
    if command_status == CommandStatus.ESME_ROK and not nacked:
        return Refused(error=_THROWN_AWAY, failover=Failover.NO)
    error = map_error(
        spaces,
        command_status=command_status,
        network_error_code=network_error_code,
        delivery_failure_reason=delivery_failure_reason,
    )
    row = classify_status(command_status)
    if command_status == CommandStatus.ESME_RSUBMITFAIL and window_full:
        row = classify_status(CommandStatus.ESME_RTHROTTLED)
    elif error.canonical is not row.canonical:
        row = verdict_for(error.canonical)
    if _is_indefinite(spaces, row, nacked):
        return Refused(error=error, failover=Failover.NO)
    if tries <= row.retries:
        return Retry(
            error=error,
            after_delay=row.retry_delay,
            slow_down=row.status_class is StatusClass.THROTTLED,
        )
    return Refused(error=error, failover=_failover(spaces, row, nacked))


_THROWN_AWAY: Final = MappedError(
    canonical=Canonical.SMSC_ERROR,
    permanence=Permanence.UNKNOWN,
    scope=Canonical.SMSC_ERROR.nature.scope,
    rule="profile.empty_message_id_is_accepted",
    command_status=CommandStatus.ESME_ROK,
)


def _is_accepted(spaces: ErrorSpaces, command_status: int, message_id: str) -> bool:
    if command_status == CommandStatus.ESME_ROK:
        return bool(message_id) or spaces.empty_message_id_is_accepted
    return bool(message_id) and spaces.error_with_message_id_is_accepted


def _is_indefinite(spaces: ErrorSpaces, row: StatusVerdict, nacked: bool) -> bool:
    """Say whether this carrier may deliver the message although it answered with an error.

    Asked again, it would then deliver it twice.
    """
    if row.status_class is StatusClass.AMBIGUOUS and not nacked:
        return not spaces.ambiguous_may_fail_over
    return row.canonical is Canonical.SMSC_ERROR and not spaces.response_error_is_definite


def _failover(spaces: ErrorSpaces, row: StatusVerdict, nacked: bool) -> Failover:
    """Say whether the next route may be tried, now that this one has been asked often enough."""
    if row.failover is Failover.AFTER_RETRIES:
        return Failover.YES
    unsure = row.status_class in (StatusClass.AMBIGUOUS, StatusClass.OK)
    # A generic_nack was not processed at all, so an unknown number in it is not ambiguous.
    if unsure and (nacked or spaces.ambiguous_may_fail_over):
        return Failover.YES
    return row.failover


def judge_silence(silence: Silence) -> Verdict:
    """Judge a request that was not answered.

    Returns:
        Retry at once when it was never written, InDoubt otherwise.
    """
    if silence is Silence.NOT_WRITTEN:
        return Retry(error=None, after_delay=0.0)
    return InDoubt(silence=silence)
