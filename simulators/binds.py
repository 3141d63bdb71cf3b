"""One link at the message centre, and whose it is once it is bound.

The conversation is the session's, what is owed to the account the mailbox's; here they meet.
"""

import attrs
import trio

from whiteroute.engine.link import Link
from whiteroute.engine.session import LocalProtocolError, SessionState
from whiteroute.pdu import Unbind

from .accounts import Account
from .mailbox import Mailbox
from .streams import reset_on_close
from .tallies import Tallies
from .wall_clock import WallClock
from .ways import Way


@attrs.define(eq=False)
class CenterBind:
    """A link, its account, and what behaviours count on it."""

    stream: trio.abc.Stream
    """As it was accepted, without what behaviours put around it."""
    way: Way
    clock: WallClock = attrs.field(repr=False)
    """The centre's calendar."""
    account_rules: Account | None = attrs.field(default=None, init=False)
    """What its account may; None where anybody may bind, and before."""
    others: int = attrs.field(default=0, init=False)
    """How many binds the account had already when this one was asked for."""
    link: Link = attrs.field(init=False)
    mailbox: Mailbox | None = attrs.field(default=None, init=False)
    """What the account is owed; None until the bind is accepted. `mailbox.tallies` count over all
    binds of the account."""
    tallies: Tallies = attrs.field(factory=Tallies, init=False)
    """They count on this link alone."""

    @property
    def account(self) -> str | None:
        """The system_id, or None until the bind is accepted."""
        return self.mailbox.account if self.mailbox else None

    @property
    def receives(self) -> bool:
        """Whether it takes deliver_sm."""
        return self.link.session.state in (SessionState.BOUND_RX, SessionState.BOUND_TRX)

    @property
    def unanswered(self) -> int:
        """How many requests of the peer have no answer yet."""
        return self.link.session.statistics().unanswered

    def unbind(self) -> None:
        """Ask the peer to unbind, if it is bound and has not been asked."""
        if self.link.session.is_unbinding:
            return
        try:
            self.link.send(Unbind())
        except LocalProtocolError:
            self.link.close(detail="not bound")

    def close(self) -> None:
        """End the link without a word."""
        self.link.close(detail="closed on purpose")

    def reset(self) -> None:
        """End the link with a TCP reset."""
        reset_on_close(self.stream)
        self.link.close(detail="reset on purpose")
