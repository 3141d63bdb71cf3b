"""The words in which we speak of errors, whoever reported one and in whichever numbering.

Each `Canonical` says what is wrong, and its `nature` says for how long, with whom, and whether
another direct route may be tried. How a carrier's own numbers become these words is
`error_mapping.py`; the numbers are in `canonical_tables.py`.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

__all__ = [
    "NATURES",
    "NO_ERROR",
    "Canonical",
    "Failover",
    "MappedError",
    "Nature",
    "Permanence",
    "Scope",
]


class Permanence(StrEnum):
    """For how long an error stands."""

    PERMANENT = "PERMANENT"
    TEMPORARY = "TEMPORARY"
    UNKNOWN = "UNKNOWN"


class Scope(StrEnum):
    """Whose fault an error is: what would have to change for the same message to pass."""

    NOBODY = "NOBODY"
    """There is no error."""
    RECIPIENT = "RECIPIENT"
    MESSAGE = "MESSAGE"
    SENDER = "SENDER"
    ACCOUNT = "ACCOUNT"
    ROUTE = "ROUTE"
    NETWORK = "NETWORK"
    SELF = "SELF"
    """Our configuration, or our software."""
    UNKNOWN = "UNKNOWN"


class Failover(StrEnum):
    """Whether the next direct route may be tried after an error, when nothing was delivered."""

    YES = "YES"
    NO = "NO"
    AFTER_RETRIES = "AFTER_RETRIES"
    """First on the same route, until its retries are used up."""
    AFTER_LOOKUP = "AFTER_LOOKUP"
    """Only if a fresh look-up of the number names another network."""


@attrs.frozen(kw_only=True)
class Nature:
    """What is true of an error wherever it comes from."""

    permanence: Permanence
    scope: Scope
    failover: Failover
    alarm: bool = False
    """Someone has to act: pay, mend a configuration, renew a password."""
    meaning: str
    """One plain sentence for people."""


class Canonical(StrEnum):
    """What is wrong, in words that no carrier can change."""

    NONE = "NONE"
    UNKNOWN_SUBSCRIBER = "UNKNOWN_SUBSCRIBER"
    ABSENT_SUBSCRIBER = "ABSENT_SUBSCRIBER"
    SUBSCRIBER_BUSY = "SUBSCRIBER_BUSY"
    MEMORY_FULL = "MEMORY_FULL"
    BARRED = "BARRED"
    NOT_PROVISIONED = "NOT_PROVISIONED"
    ROAMING_RESTRICTED = "ROAMING_RESTRICTED"
    HANDSET_ERROR = "HANDSET_ERROR"
    INVALID_DESTINATION = "INVALID_DESTINATION"
    SENDER_REJECTED = "SENDER_REJECTED"
    CONTENT_REJECTED = "CONTENT_REJECTED"
    NO_CREDIT = "NO_CREDIT"
    NO_ROUTE = "NO_ROUTE"
    PORTABILITY_ERROR = "PORTABILITY_ERROR"
    THROTTLED = "THROTTLED"
    CONGESTION = "CONGESTION"
    NETWORK_FAILURE = "NETWORK_FAILURE"
    SMSC_ERROR = "SMSC_ERROR"
    PROTOCOL_ERROR = "PROTOCOL_ERROR"
    AUTH_ERROR = "AUTH_ERROR"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    DUPLICATE = "DUPLICATE"
    UNKNOWN = "UNKNOWN"

    @property
    def nature(self) -> Nature:
        """What is true of it wherever it comes from."""
        return NATURES[self]

    @property
    def meaning(self) -> str:
        """One plain sentence for people."""
        return NATURES[self].meaning


def _nature(
    permanence: Permanence, scope: Scope, failover: Failover, meaning: str, *, alarm: bool = False
) -> Nature:
    return Nature(
        permanence=permanence, scope=scope, failover=failover, alarm=alarm, meaning=meaning
    )


_C = Canonical
_P = Permanence
_F = Failover

NATURES: Final[Mapping[Canonical, Nature]] = MappingProxyType(
    {
        _C.NONE: _nature(_P.UNKNOWN, Scope.NOBODY, _F.NO, "There is no error."),
        _C.UNKNOWN_SUBSCRIBER: _nature(
            _P.PERMANENT,
            Scope.RECIPIENT,
            _F.AFTER_LOOKUP,
            "The network knows no subscriber with this number.",
        ),
        _C.ABSENT_SUBSCRIBER: _nature(
            _P.TEMPORARY, Scope.RECIPIENT, _F.NO, "The handset is switched off or out of coverage."
        ),
        _C.SUBSCRIBER_BUSY: _nature(
            _P.TEMPORARY, Scope.RECIPIENT, _F.NO, "The handset was taking another message."
        ),
        _C.MEMORY_FULL: _nature(
            _P.TEMPORARY, Scope.RECIPIENT, _F.NO, "The handset has no room for another message."
        ),
        _C.BARRED: _nature(
            _P.PERMANENT,
            Scope.RECIPIENT,
            _F.NO,
            "The operator or the subscriber has barred such messages.",
        ),
        _C.NOT_PROVISIONED: _nature(
            _P.PERMANENT,
            Scope.RECIPIENT,
            _F.NO,
            "The subscription does not include short messages.",
        ),
        _C.ROAMING_RESTRICTED: _nature(
            _P.TEMPORARY,
            Scope.RECIPIENT,
            _F.NO,
            "The subscriber is where short messages may not follow.",
        ),
        _C.HANDSET_ERROR: _nature(
            _P.UNKNOWN,
            Scope.RECIPIENT,
            _F.NO,
            "The handset or its card would not take the message.",
        ),
        _C.INVALID_DESTINATION: _nature(
            _P.PERMANENT,
            Scope.MESSAGE,
            _F.NO,
            "The destination is not a number that can receive short messages.",
        ),
        _C.SENDER_REJECTED: _nature(
            _P.PERMANENT, Scope.SENDER, _F.YES, "This route does not accept the sender."
        ),
        # Spam is not shopped around: what one filter refuses is not tried on the next route.
        _C.CONTENT_REJECTED: _nature(
            _P.PERMANENT, Scope.MESSAGE, _F.NO, "A filter refused the content."
        ),
        _C.NO_CREDIT: _nature(
            _P.TEMPORARY,
            Scope.ACCOUNT,
            _F.YES,
            "Our account with this carrier has no credit left.",
            alarm=True,
        ),
        _C.NO_ROUTE: _nature(
            _P.PERMANENT,
            Scope.ROUTE,
            _F.YES,
            "This carrier does not reach the destination's network.",
        ),
        _C.PORTABILITY_ERROR: _nature(
            _P.PERMANENT,
            Scope.NETWORK,
            _F.AFTER_LOOKUP,
            "The number was ported and the carrier asked the wrong network.",
        ),
        _C.THROTTLED: _nature(
            _P.TEMPORARY, Scope.ACCOUNT, _F.AFTER_RETRIES, "We sent faster than the carrier allows."
        ),
        _C.CONGESTION: _nature(
            _P.TEMPORARY, Scope.NETWORK, _F.AFTER_RETRIES, "The network is too busy."
        ),
        _C.NETWORK_FAILURE: _nature(
            _P.TEMPORARY,
            Scope.NETWORK,
            _F.NO,
            "The network failed on the way; the message may have arrived all the same.",
        ),
        _C.SMSC_ERROR: _nature(
            _P.TEMPORARY, Scope.ROUTE, _F.YES, "The message centre itself failed."
        ),
        _C.PROTOCOL_ERROR: _nature(
            _P.PERMANENT,
            Scope.SELF,
            _F.YES,
            "The carrier will not take a PDU built like this one.",
            alarm=True,
        ),
        _C.AUTH_ERROR: _nature(
            _P.PERMANENT,
            Scope.ACCOUNT,
            _F.YES,
            "The carrier does not let this account do that.",
            alarm=True,
        ),
        _C.EXPIRED: _nature(
            _P.PERMANENT,
            Scope.NETWORK,
            _F.NO,
            "The validity ended before the message could be delivered.",
        ),
        _C.CANCELLED: _nature(
            _P.PERMANENT, Scope.SELF, _F.NO, "The message was withdrawn before it was delivered."
        ),
        _C.DUPLICATE: _nature(
            _P.PERMANENT, Scope.MESSAGE, _F.NO, "The carrier has this message already."
        ),
        _C.UNKNOWN: _nature(
            _P.UNKNOWN, Scope.UNKNOWN, _F.NO, "No table of this carrier says what the code means."
        ),
    }
)
"""The taxonomy: one row for each word, none left out."""


@attrs.frozen(kw_only=True)
class MappedError:
    """What an error means, by which rule, and from which raw values."""

    canonical: Canonical
    permanence: Permanence
    scope: Scope
    rule: str
    """What decided, e.g. `profile.err_table[21b]`, `network_error_code:map[6]`,
    `command_status[0x58]`, `stat[EXPIRED]`; empty when there was nothing to decide."""
    command_status: int | None = None
    stat: str = ""
    err: str = ""
    network_error_code: bytes = b""

    @property
    def meaning(self) -> str:
        """One plain sentence for people."""
        return self.canonical.meaning

    @property
    def is_error(self) -> bool:
        """False for NONE only; UNKNOWN is an error that nobody can name."""
        return self.canonical is not Canonical.NONE


NO_ERROR: Final = MappedError(
    canonical=Canonical.NONE, permanence=Permanence.UNKNOWN, scope=Scope.NOBODY, rule=""
)
"""The meaning of every code that says that all is well, when there are no raw values to keep."""
