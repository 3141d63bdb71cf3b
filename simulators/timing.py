"""When a message is to be sent and until when it is worth it: schedule_delivery_time and validity_period.

Sans clock: `now` and the calendar come in.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from whiteroute.pdu import (
    CommandStatus,
    DataSm,
    SmppTimeError,
    SubmitMulti,
    SubmitSm,
    TlvTag,
    parse_smpp_time,
)


@attrs.frozen
class Timing:
    """From when to when, both in seconds from the submission."""

    starts_in: float = 0.0
    expires_in: float | None = None
    """None: the centre's own validity."""


AT_ONCE = Timing()
"""What nearly every message says."""


def read_timing(
    request: SubmitSm | DataSm | SubmitMulti, now: float, date_at: Callable[[float], datetime]
) -> Timing | CommandStatus:
    """Read when a message is to be sent.

    Args:
        request: The submission.
        now: Seconds of `trio.current_time`.
        date_at: Makes a date of such seconds.

    Returns:
        ESME_RINVSCHED for a time that cannot be read or is past, ESME_RINVEXPIRY for a validity that
        cannot be read or ends before it begins.

    Spec: SMPP 3.4 §5.2.15, §5.2.16; data_sm has qos_time_to_live instead, §5.3.2.9
    """
    if isinstance(request, DataSm):
        if not request.tlvs.octets:
            return AT_ONCE
        seconds = request.tlvs.value(TlvTag.QOS_TIME_TO_LIVE)
        return Timing(expires_in=float(seconds)) if isinstance(seconds, int) else AT_ONCE
    if not request.schedule_delivery_time and not request.validity_period:
        return AT_ONCE
    starts_in = _seconds(request.schedule_delivery_time, now, date_at)
    if request.schedule_delivery_time and (starts_in is None or starts_in < 0):
        return CommandStatus.ESME_RINVSCHED
    expires_in = _seconds(request.validity_period, now, date_at)
    if request.validity_period and (expires_in is None or expires_in <= (starts_in or 0.0)):
        return CommandStatus.ESME_RINVEXPIRY
    return Timing(starts_in or 0.0, expires_in)


def _seconds(text: str, now: float, date_at: Callable[[float], datetime]) -> float | None:
    try:
        time = parse_smpp_time(text)
    except SmppTimeError:
        return None
    if isinstance(time, datetime):
        # A tenth of a second is what the field can tell.
        return round((time - date_at(now)).total_seconds(), 1)
    return time.total_seconds() if isinstance(time, timedelta) else None
