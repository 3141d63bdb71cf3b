"""Who broke the rules of the conversation: we, or the peer.

A refusal that the rules allow (a status other than ESME_ROK) is neither; it is a value.
"""

import attrs


@attrs.define(eq=False)
class LocalProtocolError(Exception):
    """We asked for something that the session may not do now; nothing was sent, nothing changed."""

    found: str
    """What was asked, e.g. `submit_sm as ESME in BOUND_RX`."""
    expected: str
    """What would be allowed, e.g. `BOUND_TX or BOUND_TRX`."""

    def __str__(self) -> str:
        return f"{self.found}, expected {self.expected}"


@attrs.define(eq=False)
class RemoteProtocolError(Exception):
    """The peer broke a rule which the session cannot survive; the link is closed."""

    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.found}, expected {self.expected}"
