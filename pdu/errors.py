"""What can be wrong with octets or with values, and what may still be done about it.

Three errors, told apart by their remedy: a `FramingError` ends the link, because where the next PDU
starts is no longer known; a `BodyError` is answered, because the header was readable; an
`EncodeError` is ours to mend before anything is sent. A refusal by a peer is none of these: it is a
`command_status`, a value.
"""

import attrs


@attrs.define(eq=False)
class FramingError(Exception):
    """The stream cannot be cut into PDUs any more; close the link, and only that link.

    Raised for a `command_length` below 16 or above the framer's limit, and by `decode` for octets
    that are not exactly one frame.
    """

    found: str
    """What stood there, e.g. `command_length 2147483657`."""
    expected: str
    """What would have been right, e.g. `16 to 65536 octets`."""

    def __str__(self) -> str:
        return f"{self.found}, expected {self.expected}"


@attrs.define(eq=False)
class BodyError(Exception):
    """The header was readable, the body was not; answer with `command_status` and go on.

    The frame before and the frame after are unharmed. `octets` holds the whole PDU, so that it can
    be kept for the carrier's support.
    """

    command_id: int
    sequence_number: int
    octets: bytes = attrs.field(repr=False)
    """The frame as received, header included. Not in `repr`: it may hold a message text."""
    path: str
    """The field, e.g. `deliver_sm.short_message`."""
    found: str
    expected: str
    command_status: int
    """The status to answer with, e.g. ESME_RINVMSGLEN."""

    def __str__(self) -> str:
        return f"{self.path}: {self.found}, expected {self.expected}"


@attrs.define(eq=False)
class EncodeError(ValueError):
    """A value does not fit where it should go on the wire; nothing was cut, nothing was sent."""

    path: str
    """The field, e.g. `submit_sm.source_addr`, or the text position for an alphabet."""
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path}: {self.found}, expected {self.expected}"
