"""What the numberings of the field mean: command_status, MAP, RP, TP-FCS, ANSI-41 and stat words.

Only tables and the look-ups that read one cell. Which table a carrier's number belongs to is decided
in `error_mapping.py` by the carrier's profile.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from whiteroute.pdu import CommandStatus, MessageState

from .canonical import Canonical, Failover, Scope

__all__ = [
    "ANSI41_CAUSES",
    "DELIVERY_FAILURE_REASONS",
    "MAP_ERRORS",
    "MESSAGE_STATES",
    "RP_CAUSES",
    "STATS",
    "STATUSES",
    "TP_FCS",
    "StatusClass",
    "StatusVerdict",
    "classify_status",
    "verdict_for",
]

_C = Canonical


class StatusClass(StrEnum):
    """What kind of answer a command_status is to a submit_sm."""

    OK = "OK"
    MESSAGE = "MESSAGE"
    """This message is wrong everywhere."""
    RECIPIENT = "RECIPIENT"
    """This recipient cannot be reached by anyone."""
    ROUTE = "ROUTE"
    """This route or account cannot take it; another may."""
    TEMPORARY = "TEMPORARY"
    THROTTLED = "THROTTLED"
    SESSION = "SESSION"
    """The bind is not what we think it is; nothing is wrong with the message."""
    CONFIGURATION = "CONFIGURATION"
    """Our configuration or our software; another route may be configured better."""
    AMBIGUOUS = "AMBIGUOUS"
    """Makers disagree about it; the profile may know."""


@attrs.frozen(kw_only=True)
class StatusVerdict:
    """What a command_status means as the answer to a submit_sm, unless the profile knows better."""

    status_class: StatusClass
    canonical: Canonical
    failover: Failover
    retries: int = 0
    """How often the same route may be asked again."""
    retry_delay: float = 0.0
    """Seconds to wait before each of those."""


def _verdict(
    status_class: StatusClass,
    canonical: Canonical,
    failover: Failover,
    retries: int = 0,
    retry_delay: float = 0.0,
) -> StatusVerdict:
    return StatusVerdict(
        status_class=status_class,
        canonical=canonical,
        failover=failover,
        retries=retries,
        retry_delay=retry_delay,
    )


_OK: Final = _verdict(StatusClass.OK, _C.NONE, Failover.NO)
_MESSAGE: Final = _verdict(StatusClass.MESSAGE, _C.PROTOCOL_ERROR, Failover.NO)
_CONFIGURATION: Final = _verdict(StatusClass.CONFIGURATION, _C.PROTOCOL_ERROR, Failover.YES)
_BIND_REFUSED: Final = _verdict(StatusClass.SESSION, _C.AUTH_ERROR, Failover.YES)
_ROUTE: Final = _verdict(StatusClass.ROUTE, _C.UNKNOWN, Failover.YES)
_SERVICE: Final = _verdict(StatusClass.ROUTE, _C.AUTH_ERROR, Failover.YES)
# Carrier: twenty retries are jasmin's number; the second between them is kannel's pause of the link.
_THROTTLED: Final = _verdict(
    StatusClass.THROTTLED, _C.THROTTLED, Failover.AFTER_RETRIES, retries=20, retry_delay=1.0
)
# Carrier: jasmin asks twice more, thirty seconds apart; kannel and MSAG also call these temporary.
_TEMPORARY: Final = _verdict(
    StatusClass.TEMPORARY, _C.SMSC_ERROR, Failover.YES, retries=2, retry_delay=30.0
)
# Half the makers mean "now" by these and half mean "never": one more try, where the profile says that
# nothing was accepted.
_AMBIGUOUS_ONCE: Final = _verdict(
    StatusClass.AMBIGUOUS, _C.UNKNOWN, Failover.NO, retries=1, retry_delay=30.0
)
_AMBIGUOUS: Final = _verdict(StatusClass.AMBIGUOUS, _C.UNKNOWN, Failover.NO)
# The submit_sm was refused for the state of the bind alone, so another bind may take it at once.
_UNBOUND: Final = _verdict(StatusClass.SESSION, _C.PROTOCOL_ERROR, Failover.YES, 1, 1.0)

STATUSES: Final[Mapping[CommandStatus, StatusVerdict]] = MappingProxyType(
    {
        CommandStatus.ESME_ROK: _OK,
        CommandStatus.ESME_RINVMSGLEN: _MESSAGE,
        CommandStatus.ESME_RINVCMDLEN: _CONFIGURATION,
        CommandStatus.ESME_RINVCMDID: _CONFIGURATION,
        CommandStatus.ESME_RINVBNDSTS: _UNBOUND,
        CommandStatus.ESME_RALYBND: _verdict(StatusClass.SESSION, _C.PROTOCOL_ERROR, Failover.NO),
        CommandStatus.ESME_RINVPRTFLG: _CONFIGURATION,
        CommandStatus.ESME_RINVREGDLVFLG: _CONFIGURATION,
        CommandStatus.ESME_RSYSERR: _TEMPORARY,
        CommandStatus.ESME_RINVSRCADR: _verdict(
            StatusClass.ROUTE, _C.SENDER_REJECTED, Failover.YES
        ),
        CommandStatus.ESME_RINVDSTADR: _verdict(StatusClass.ROUTE, _C.NO_ROUTE, Failover.YES),
        CommandStatus.ESME_RINVMSGID: _MESSAGE,
        CommandStatus.ESME_RBINDFAIL: _BIND_REFUSED,
        CommandStatus.ESME_RINVPASWD: _BIND_REFUSED,
        CommandStatus.ESME_RINVSYSID: _BIND_REFUSED,
        CommandStatus.ESME_RCANCELFAIL: _MESSAGE,
        CommandStatus.ESME_RREPLACEFAIL: _MESSAGE,
        CommandStatus.ESME_RMSGQFUL: _THROTTLED,
        CommandStatus.ESME_RINVSERTYP: _CONFIGURATION,
        CommandStatus.ESME_RINVNUMDESTS: _MESSAGE,
        CommandStatus.ESME_RINVDLNAME: _MESSAGE,
        CommandStatus.ESME_RINVDESTFLAG: _MESSAGE,
        CommandStatus.ESME_RINVSUBREP: _CONFIGURATION,
        CommandStatus.ESME_RINVESMCLASS: _CONFIGURATION,
        CommandStatus.ESME_RCNTSUBDL: _MESSAGE,
        CommandStatus.ESME_RSUBMITFAIL: _AMBIGUOUS_ONCE,
        CommandStatus.ESME_RINVSRCTON: _CONFIGURATION,
        CommandStatus.ESME_RINVSRCNPI: _CONFIGURATION,
        CommandStatus.ESME_RINVDSTTON: _CONFIGURATION,
        CommandStatus.ESME_RINVDSTNPI: _CONFIGURATION,
        CommandStatus.ESME_RINVSYSTYP: _BIND_REFUSED,
        CommandStatus.ESME_RINVREPFLAG: _CONFIGURATION,
        CommandStatus.ESME_RINVNUMMSGS: _MESSAGE,
        CommandStatus.ESME_RTHROTTLED: _THROTTLED,
        CommandStatus.ESME_RINVSCHED: _CONFIGURATION,
        CommandStatus.ESME_RINVEXPIRY: _CONFIGURATION,
        CommandStatus.ESME_RINVDFTMSGID: _CONFIGURATION,
        CommandStatus.ESME_RX_T_APPN: _TEMPORARY,
        CommandStatus.ESME_RX_P_APPN: _ROUTE,
        CommandStatus.ESME_RX_R_APPN: _ROUTE,
        CommandStatus.ESME_RQUERYFAIL: _MESSAGE,
        CommandStatus.ESME_RINVTLVSTREAM: _CONFIGURATION,
        CommandStatus.ESME_RTLVNOTALLWD: _CONFIGURATION,
        CommandStatus.ESME_RINVTLVLEN: _CONFIGURATION,
        CommandStatus.ESME_RMISSINGTLV: _CONFIGURATION,
        CommandStatus.ESME_RINVTLVVAL: _CONFIGURATION,
        CommandStatus.ESME_RDELIVERYFAILURE: _verdict(
            StatusClass.RECIPIENT, _C.UNKNOWN, Failover.NO
        ),
        CommandStatus.ESME_RUNKNOWNERR: _AMBIGUOUS_ONCE,
        CommandStatus.ESME_RSERTYPUNAUTH: _SERVICE,
        CommandStatus.ESME_RPROHIBITED: _SERVICE,
        CommandStatus.ESME_RSERTYPUNAVAIL: _TEMPORARY,
        CommandStatus.ESME_RSERTYPDENIED: _SERVICE,
        CommandStatus.ESME_RINVDCS: _CONFIGURATION,
        CommandStatus.ESME_RINVSRCADDRSUBUNIT: _CONFIGURATION,
        CommandStatus.ESME_RINVDSTADDRSUBUNIT: _CONFIGURATION,
        CommandStatus.ESME_RINVBCASTFREQINT: _MESSAGE,
        CommandStatus.ESME_RINVBCASTALIAS_NAME: _MESSAGE,
        CommandStatus.ESME_RINVBCASTAREAFMT: _MESSAGE,
        CommandStatus.ESME_RINVNUMBCAST_AREAS: _MESSAGE,
        CommandStatus.ESME_RINVBCASTCNTTYPE: _MESSAGE,
        CommandStatus.ESME_RINVBCASTMSGCLASS: _MESSAGE,
        CommandStatus.ESME_RBCASTFAIL: _MESSAGE,
        CommandStatus.ESME_RBCASTQUERYFAIL: _MESSAGE,
        CommandStatus.ESME_RBCASTCANCELFAIL: _MESSAGE,
        CommandStatus.ESME_RINVBCAST_REP: _MESSAGE,
        CommandStatus.ESME_RINVBCASTSRVGRP: _MESSAGE,
        CommandStatus.ESME_RINVBCASTCHANIND: _MESSAGE,
    }
)
"""The answers that the specification names. Spec: SMPP 3.4 §5.1.3, SMPP 5.0 §4.7.6"""


def classify_status(command_status: int) -> StatusVerdict:
    """Say what a status means as the answer to a submit_sm.

    Args:
        command_status: Any unsigned 32-bit value.

    Returns:
        For a vendor's or a reserved value: ambiguous, no retry, no other route.
    """
    # An int finds the member of an IntEnum with the same value; unknown ones are simply absent.
    return STATUSES.get(command_status, _AMBIGUOUS)  # type: ignore[call-overload,no-any-return]


_FOR_CANONICAL: Final[Mapping[Canonical, StatusVerdict]] = MappingProxyType(
    {
        _C.THROTTLED: _THROTTLED,
        _C.CONGESTION: _verdict(
            StatusClass.TEMPORARY, _C.CONGESTION, Failover.AFTER_RETRIES, 2, 30.0
        ),
        _C.SMSC_ERROR: _TEMPORARY,
        _C.UNKNOWN: _AMBIGUOUS,
    }
)

_CLASS_OF_SCOPE: Final[Mapping[Scope, StatusClass]] = MappingProxyType(
    {
        Scope.NOBODY: StatusClass.OK,
        Scope.RECIPIENT: StatusClass.RECIPIENT,
        Scope.MESSAGE: StatusClass.MESSAGE,
        Scope.SENDER: StatusClass.ROUTE,
        Scope.ACCOUNT: StatusClass.ROUTE,
        Scope.ROUTE: StatusClass.ROUTE,
        Scope.NETWORK: StatusClass.TEMPORARY,
        Scope.SELF: StatusClass.CONFIGURATION,
        Scope.UNKNOWN: StatusClass.AMBIGUOUS,
    }
)


def verdict_for(canonical: Canonical) -> StatusVerdict:
    """Say what an answer means once its error is known better than by its command_status.

    Only throttling, congestion and failures of the message centre are asked again on the same
    route: the other temporary errors last longer than a request may wait.
    """
    known = _FOR_CANONICAL.get(canonical)
    if known is not None:
        return known
    nature = canonical.nature
    return _verdict(_CLASS_OF_SCOPE[nature.scope], canonical, nature.failover)


def _by_number(rows: Mapping[Canonical, tuple[int, ...]]) -> Mapping[int, Canonical]:
    return MappingProxyType({number: word for word, numbers in rows.items() for number in numbers})


MAP_ERRORS: Final = _by_number(
    {
        _C.UNKNOWN_SUBSCRIBER: (1, 3, 144),
        _C.ABSENT_SUBSCRIBER: (5, 6, 27),
        _C.ROAMING_RESTRICTED: (8,),
        _C.BARRED: (9, 13, 15),
        _C.NOT_PROVISIONED: (11, 21),
        _C.HANDSET_ERROR: (12, 32),
        _C.SUBSCRIBER_BUSY: (31,),
        _C.CONGESTION: (33,),
        _C.NETWORK_FAILURE: (34, 35, 36, 51, 52, 71, 72),
    }
)
"""Errors of the mobile application part. 5, unidentified subscriber, is the network's word for one
who left; 144 is the number-changed of one maker. Spec: 3GPP TS 29.002 §17.6"""

RP_CAUSES: Final = _by_number(
    {
        _C.UNKNOWN_SUBSCRIBER: (1, 28, 30),
        _C.BARRED: (8, 10),
        # "Short message transfer rejected": the network gives no better reason.
        _C.NETWORK_FAILURE: (21, 38, 41, 127),
        _C.MEMORY_FULL: (22,),
        _C.ABSENT_SUBSCRIBER: (27,),
        _C.NOT_PROVISIONED: (29, 50, 69),
        _C.CONGESTION: (42, 47),
        _C.PROTOCOL_ERROR: (81, 95, 96, 97, 98, 99, 111),
    }
)
"""Causes of the relay layer. Spec: 3GPP TS 24.011 §8.2.5.4"""

TP_FCS: Final = _by_number(
    {
        _C.HANDSET_ERROR: (0x80, 0x81, 0x82, 0x8F, 0xB0, 0xD1, 0xD2, 0xD4, 0xD5, 0xFF),
        _C.PROTOCOL_ERROR: (0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xAF, 0xC6, 0xC7),
        _C.CONGESTION: (0xC0,),
        _C.NOT_PROVISIONED: (0xC1,),
        _C.SMSC_ERROR: (0xC2,),
        _C.INVALID_DESTINATION: (0xC3,),
        _C.BARRED: (0xC4,),
        _C.DUPLICATE: (0xC5,),
        _C.MEMORY_FULL: (0xD0, 0xD3),
    }
)
"""Failure causes of the transfer layer, all of them 0x80 or above. Spec: 3GPP TS 23.040 §9.2.3.22"""

ANSI41_CAUSES: Final = _by_number(
    {
        _C.UNKNOWN_SUBSCRIBER: (0, 1, 38),
        _C.CONGESTION: (2, 64),
        _C.NETWORK_FAILURE: (3, 5, 107),
        _C.NOT_PROVISIONED: (4, 99, 100),
        _C.ABSENT_SUBSCRIBER: (32, 36, 37),
        _C.SUBSCRIBER_BUSY: (33,),
        _C.HANDSET_ERROR: (34, 39),
        _C.MEMORY_FULL: (35,),
        _C.PROTOCOL_ERROR: (96, 102, 103, 104, 105, 106),
        _C.BARRED: (97, 98),
    }
)
"""Causes of North American networks. Spec: ANSI-41 §6.5.2.125 (SMS_CauseCode)"""

DELIVERY_FAILURE_REASONS: Final = _by_number(
    {
        _C.ABSENT_SUBSCRIBER: (0,),
        _C.INVALID_DESTINATION: (1,),
        _C.NETWORK_FAILURE: (2, 3),
    }
)
"""Values of the TLV that goes with ESME_RDELIVERYFAILURE. Spec: SMPP 3.4 §5.3.2.33"""

STATS: Final[Mapping[str, Canonical]] = MappingProxyType(
    {
        "EXPIRED": _C.EXPIRED,
        "DELETED": _C.CANCELLED,
        "BLOCKED": _C.BARRED,
        "DND_REJECTED": _C.BARRED,
    }
)
"""Words in `stat` that explain a failure by themselves. UNDELIV and REJECTD only say that there was
one."""

MESSAGE_STATES: Final[Mapping[int, Canonical]] = MappingProxyType(
    {MessageState.EXPIRED: _C.EXPIRED, MessageState.DELETED: _C.CANCELLED}
)
"""The same for the number in the TLV."""
