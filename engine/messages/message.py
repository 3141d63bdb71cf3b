"""A message as the application hands it over, and what it is told of it.

How it becomes PDUs is in `outgoing`, what answers mean in `outcome`.
"""

from collections.abc import Mapping
from typing import Literal

import attrs

from whiteroute.routing import CandidateRejection

from .canonical import MappedError
from .states import DeliveryState

__all__ = ["DuplicatePolicy", "Message", "Outcome"]

LONGEST_VALIDITY = 10 * 366 * 86_400.0
"""Seconds; what is longer is a mistake, and dates end somewhere."""

DuplicatePolicy = Literal["hold", "allow"]
"""What to do with an attempt that may have been accepted: hold it, or send it again."""


def _are_texts(_message: object, _attribute: object, tags: object) -> None:
    if not isinstance(tags, Mapping):
        raise TypeError(f"tags: {tags!r}, expected a mapping")
    for name, value in tags.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"tags: {name!r}: {value!r}, expected a text for a text")


def _is_duration(_message: object, _attribute: object, validity: float | None) -> None:
    if validity is not None and not validity <= LONGEST_VALIDITY:
        raise ValueError(f"validity: {validity} s, expected {LONGEST_VALIDITY:.0f} at most")


_text = attrs.validators.instance_of(str)


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Message:
    """One text for one number; treat it as a value.

    Raises:
        TypeError: Something that should be a text is none; it names the field.
        ValueError: A duplicate_policy that there is not, or a validity beyond ten years.
    """

    # Checked here, where the traceback shows who made it: the ledger's writer, which would find out
    # otherwise, works for everybody.
    to: str = attrs.field(repr=False, validator=_text)
    """The destination in international form, with or without `+`, `00` and blanks."""
    sender: str = attrs.field(repr=False, validator=_text)
    """A name of up to 11 characters, a short code, or a number."""
    text: str = attrs.field(repr=False, validator=_text)
    """Any text; empty is allowed."""
    traffic_class: str = attrs.field(default="transactional", validator=_text)
    """`otp`, `transactional`, `marketing` or `p2p`; routes are agreed per class."""
    message_ref: str | None = attrs.field(default=None, validator=attrs.validators.optional(_text))
    """The application's own name for it, unique for ever in one ledger; one that the ledger knows is
    not sent again. None: the engine makes one."""
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False, validator=_are_texts)
    """Anything to find it by later, e.g. `{"campaign": "autumn"}`."""
    duplicate_policy: DuplicatePolicy = attrs.field(
        default="hold", validator=attrs.validators.in_(("hold", "allow"))
    )
    validity: float | None = attrs.field(default=None, validator=_is_duration)
    """Seconds after which it is worthless; with 0 or less it is so already, and is refused. None:
    the carrier decides how long it tries."""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class Outcome:
    """What came of a message so far; treat it as a value.

    `engine.submit` gives it once the carrier has answered for every part; the receipt comes later,
    as an event.
    """

    message_ref: str
    to: str = attrs.field(repr=False)
    state: DeliveryState
    """ACCEPTED, REFUSED, IN_DOUBT, EXPIRED, FAILED when only some parts were taken; QUEUED when the
    engine was closed before it was sent, which it will be once the engine is opened again; any state
    when the ledger knew the message already."""
    route: str = ""
    """Empty when no direct route could take it."""
    carrier: str = ""
    parts: int = 0
    message_ids: tuple[str, ...] = ()
    """The carrier's, one a part, in order; empty strings for parts that were not accepted."""
    error: MappedError | None = None
    """Of the first part that was not accepted."""
    rejected: tuple[CandidateRejection, ...] = ()
    """Every route that was not taken, with every reason, when none was."""
    known: bool = False
    """The ledger knew this message_ref: nothing was sent now."""
