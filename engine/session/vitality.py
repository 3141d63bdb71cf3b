"""Signs of life and of use: when to ask whether the peer is there, and when not to ask any more."""

from enum import Enum, auto

import attrs

from .settings import SessionSettings


class Finding(Enum):
    """What the clock makes of a bind on which nothing has come."""

    FINE = auto()
    """Its time is not up."""
    ASK = auto()
    """Send enquire_link."""
    INACTIVE = auto()
    """Nobody needs it: unbind."""
    SILENT = auto()
    """The peer is gone."""


@attrs.define(eq=False)
class Vitality:
    """What one bind has heard, and when; all times are seconds on the owner's clock.

    Any whole PDU proves life, whatever it says. A request that is not answered proves nothing: only
    silence ends a bind.
    """

    settings: SessionSettings
    received_at: float
    """When the last whole PDU came."""
    message_at: float
    """When the last message operation passed, in either direction."""
    asked_at: float | None = attrs.field(default=None, init=False)
    """When we asked last; None once anything has come since."""
    missed: int = attrs.field(default=0, init=False)
    """How many enquire_links in a row brought no sign of life."""

    def received(self, now: float) -> None:
        """Note a sign of life."""
        self.received_at = now
        self.asked_at = None
        self.missed = 0

    def deadline(self) -> float:
        """When `check` finds something next, if nothing comes until then."""
        settings = self.settings
        if self.asked_at is not None:
            due = self.asked_at + settings.enquire_link_timeout
        else:
            due = self.received_at + settings.enquire_link_interval
        if settings.inactivity_timeout is not None:
            due = min(due, self.message_at + settings.inactivity_timeout)
        return due

    def check(self, now: float) -> Finding:
        """Find what is to be done now; ASK counts as done."""
        settings = self.settings
        if self.deadline() > now:
            return Finding.FINE
        inactive = settings.inactivity_timeout
        if inactive is not None and self.message_at + inactive <= now:
            return Finding.INACTIVE
        self.missed += self.asked_at is not None
        if self.missed >= settings.enquire_links_missed:
            return Finding.SILENT
        self.asked_at = now
        return Finding.ASK
