"""One link at the message centre, and whose it is once it is bound.

The conversation is the session's, what is owed to the account the mailbox's; here they meet.
"""

import attrs
import trio

from whiteroute.engine.link import Link
from whiteroute.engine.session import LocalProtocolError
from whiteroute.pdu import Unbind

from .mailbox import Mailbox, Tallies
from .streams import reset_on_close


@attrs.define(eq=False)
class CenterBind:
    """A link, its account, and what behaviours count on it."""

    stream: trio.abc.Stream
    """As it was accepted, without what behaviours put around it."""
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
