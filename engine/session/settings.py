"""How a session conducts itself: its window, its patience, its bounds; every default with its reason.

What differs between carriers beyond the session stands in `engine.profile`, which holds one of these.
"""

from typing import Any

import attrs

from whiteroute.pdu import MAX_COMMAND_LENGTH


def _positive(_instance: object, attribute: "attrs.Attribute[Any]", value: float) -> None:
    if not value > 0:
        raise ValueError(f"{attribute.name}: {value}, expected more than 0")


@attrs.frozen(kw_only=True)
class SessionSettings:
    """Settings of one bind. Durations are seconds.

    Raises:
        ValueError: For a number that is not positive; it names the setting.
    """

    window: int = attrs.field(default=10, validator=_positive)
    """Requests sent and not answered, at most. 10 is what Kannel, SMPP gateways of several carriers
    and most contracts use; a message centre may drop or throttle what exceeds its own limit."""
    inbound_window: int = attrs.field(default=1000, validator=_positive)
    """The peer's requests that we have not answered yet, at most; further ones are told to retry.
    It bounds memory (about 2 KiB each), not throughput: 1,000 outlast a commit of half a second at
    2,000 receipts a second."""
    response_timeout: float = attrs.field(default=60.0, validator=_positive)
    """How long a request waits for its response. Kannel waits 60, Jasmin 120. One that runs out
    ends only that request, never the bind; a late response is still adopted."""
    session_init_timeout: float = attrs.field(default=30.0, validator=_positive)
    """How long the bind may take from the open link. Jasmin and vumi use 30."""
    enquire_link_interval: float = attrs.field(default=30.0, validator=_positive)
    """Silence after which we ask whether the peer is there. Kannel and Jasmin use 30; carriers that
    drop idle binds do so after 60 to 300, NAT tables often after 60."""
    enquire_link_timeout: float = attrs.field(default=15.0, validator=_positive)
    """How long an enquire_link may stay without any sign of life. Under load some message centres
    answer late, so any PDU counts as the answer."""
    enquire_links_missed: int = attrs.field(default=2, validator=_positive)
    """How many in a row must stay without any sign of life before the link is given up."""
    inactivity_timeout: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(_positive)
    )
    """Time without any message operation after which the session is ended with unbind. None: a bind
    is kept for ever, which is what an engine wants; a message centre may set it."""
    unbind_timeout: float = attrs.field(default=5.0, validator=_positive)
    """How long we wait for unbind_resp before the link is closed all the same."""
    max_command_length: int = attrs.field(default=MAX_COMMAND_LENGTH, validator=_positive)
    """The longest PDU taken, in octets."""
