"""What became different in an open ledger and is not on disk yet.

Kept beside the lines and apart from the rules: rules touch lines here, stores write what was
touched and settle it.
"""

import attrs

from .lines import AttemptLine, Mark, MessageLine, ReceiptLine
from .records import InboundArrived, LinkChanged

__all__ = ["Changes"]


@attrs.define(eq=False)
class Changes:
    """Lines that are new or changed, each once, and records that stand alone."""

    messages: list[MessageLine] = attrs.field(factory=list[MessageLine])
    attempts: list[AttemptLine] = attrs.field(factory=list[AttemptLine])
    receipts: list[ReceiptLine] = attrs.field(factory=list[ReceiptLine])
    inbound: list[InboundArrived] = attrs.field(factory=list[InboundArrived])
    link_changes: list[LinkChanged] = attrs.field(factory=list[LinkChanged])

    def touch_message(self, message: MessageLine) -> None:
        """Note that a message changed."""
        if message.mark is Mark.CLEAN:
            message.mark = Mark.CHANGED
            self.messages.append(message)

    def touch_attempt(self, attempt: AttemptLine) -> None:
        """Note that an attempt changed."""
        if attempt.mark is Mark.CLEAN:
            attempt.mark = Mark.CHANGED
            self.attempts.append(attempt)

    def touch_receipt(self, receipt: ReceiptLine) -> None:
        """Note that a receipt changed."""
        if receipt.mark is Mark.CLEAN:
            receipt.mark = Mark.CHANGED
            self.receipts.append(receipt)

    def settle(self) -> None:
        """Forget it all, once the store has written it."""
        for message in self.messages:
            message.mark = Mark.CLEAN
            message.was_open = message.is_open
            message.taken = None
        for attempt in self.attempts:
            attempt.mark = Mark.CLEAN
            attempt.has_just_ended = False
        for receipt in self.receipts:
            receipt.mark = Mark.CLEAN
        self.messages.clear()
        self.attempts.clear()
        self.receipts.clear()
        self.inbound.clear()
        self.link_changes.clear()
