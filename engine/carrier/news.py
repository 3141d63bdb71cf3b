"""What a carrier tells about itself: how its binds change, its figures, and how it came to rest."""

from enum import Enum
from typing import Literal

import attrs

from whiteroute.engine.messages import RootCause
from whiteroute.engine.session import SessionStatistics

__all__ = ["BindPhase", "BindStatistics", "CarrierStatistics", "DrainReport", "LinkChange"]


@attrs.frozen
class LinkChange:
    """A bind came up, went down or was refused, or the carrier was suspended or resumed."""

    carrier: str
    link: str
    """E.g. `acme/1`; the carrier's own name for what concerns all of its binds."""
    what: Literal[
        "bound",
        "lost",
        "refused",
        "unreachable",
        "stopped",
        "fallback",
        "kept away",
        "suspended",
        "resumed",
    ]
    """`stopped`: it will not be tried again until told. `fallback`: refused, and asked for in another
    way at once. `kept away`: the first host refuses the credentials that another one takes, so no bind
    returns to it until told; those that stand do not go down by it."""
    cause: str
    """For people."""
    command_status: int | None = None
    host: str = ""
    """`host:port`; empty where no host has to do with it."""
    bound_for: float | None = None
    """Seconds that a lost bind was bound; None if it never was."""
    root_cause: RootCause = RootCause.UNKNOWN
    """For machines; means nothing for `bound`."""
    silent_for: float = 0.0
    """Seconds for which nothing had come any more when a loss was found out by silence: it was lost then
    already, as uptime has it."""
    can_submit: bool = True
    """Whether messages can leave on this link when it is up: False for a receiver."""


class BindPhase(Enum):
    """What is being done about a bind."""

    WAITING = "WAITING"
    """Until a host may be tried again, or another bind of the account has shown that it may bind."""
    CONNECTING = "CONNECTING"
    BINDING = "BINDING"
    BOUND = "BOUND"
    STOPPED = "STOPPED"
    """The carrier refused the credentials; not tried again until told."""


@attrs.frozen
class BindStatistics:
    """How one bind is."""

    name: str
    phase: BindPhase
    since: float
    """Seconds on Trio's clock."""
    host: str
    """To which it is bound, or which it tries or tried last; empty before the first try."""
    note: str = ""
    """Why a bind to another host could not return to the first, for people; empty otherwise."""


@attrs.frozen
class CarrierStatistics:
    """How a carrier is."""

    name: str
    bound: int
    """Binds over which we can submit now."""
    binds: int
    """Such binds that are wanted."""
    queued: int
    """Parts waiting for room, pace or a bind."""
    in_flight: int
    sent: int
    links: tuple[SessionStatistics, ...]
    suspended: bool = False
    kept: tuple[BindStatistics, ...] = ()
    """Each bind that is kept up, or tried; and those that the message centre asked for, while they are
    up."""
    pace: float | None = None
    """Parts per second that are sent at most now; None for as fast as the windows allow."""
    ceiling: float | None = None
    """Parts per second that the carrier was found to bear; None while its contract is all we know."""
    receiving: int = 0
    """Binds that are up over which messages only come, such as most that the message centre asked for;
    they are not among `bound`."""
    asked_for: str = ""
    """How binds are asked for now, e.g. `a transceiver by SMPP 3.4`."""


@attrs.frozen
class DrainReport:
    """What was left when a carrier had come to rest."""

    carrier: str
    queued: int
    """Parts that were not sent; they are QUEUED in the ledger."""
    unanswered: int
    """Parts that were sent and not answered in time; they are in doubt."""
    receipts_outstanding: int | None
    """Accepted messages without their final receipt; None if nobody could or would count them."""
    links_unbound: int
    """Links that ended as they should."""
    links_cut: int
    """Links whose peer did not answer unbind, or went away first."""
    took: float
    """Seconds."""

    def __str__(self) -> str:
        left = [
            f"{number} {what}"
            for number, what in (
                (self.queued, "not sent"),
                (self.unanswered, "unanswered"),
                (self.receipts_outstanding or 0, "without their receipt"),
            )
            if number
        ]
        ended = f"{self.links_unbound} unbound"
        if self.links_cut:
            ended += f", {self.links_cut} cut"
        return f"{self.carrier}: {', '.join(left) or 'nothing left'}; {ended}"
