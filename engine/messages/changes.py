"""What became different in an open ledger and is not on disk yet.

Kept beside the lines and apart from the rules: rules touch lines here, stores write what was
touched and settle it.
"""

import attrs

from .conversations import InboundLine
from .lines import AttemptLine, MessageLine, ReceiptLine
from .marks import Mark
from .records import (
    CeilingLearned,
    EvidenceKept,
    InboundArrived,
    LinkChanged,
    MessageRerouted,
    RouteChanged,
    RunSeen,
    RunStarted,
)

__all__ = ["Changes"]


@attrs.define(eq=False)
class Changes:
    """Lines that are new or changed, each once, and records that stand alone."""

    messages: list[MessageLine] = attrs.field(factory=list[MessageLine])
    attempts: list[AttemptLine] = attrs.field(factory=list[AttemptLine])
    receipts: list[ReceiptLine] = attrs.field(factory=list[ReceiptLine])
    inbound: list[InboundArrived] = attrs.field(factory=list[InboundArrived])
    inbound_lines: list[InboundLine] = attrs.field(factory=list[InboundLine])
    link_changes: list[LinkChanged] = attrs.field(factory=list[LinkChanged])
    runs: list[RunStarted | RunSeen] = attrs.field(factory=list[RunStarted | RunSeen])
    rerouted: list[MessageRerouted] = attrs.field(factory=list[MessageRerouted])
    """What stands in no line of these messages."""
    ceilings: list[CeilingLearned] = attrs.field(factory=list[CeilingLearned])
    route_changes: list[RouteChanged] = attrs.field(factory=list[RouteChanged])
    evidence: list[EvidenceKept] = attrs.field(factory=list[EvidenceKept])

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

    def touch_inbound(self, line: InboundLine) -> None:
        """Note that a message from a handset changed."""
        if line.mark is Mark.CLEAN:
            line.mark = Mark.CHANGED
            self.inbound_lines.append(line)

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
        for line in self.inbound_lines:
            line.mark = Mark.CLEAN
        self.messages.clear()
        self.attempts.clear()
        self.receipts.clear()
        self.inbound.clear()
        self.inbound_lines.clear()
        self.link_changes.clear()
        self.runs.clear()
        self.rerouted.clear()
        self.ceilings.clear()
        self.route_changes.clear()
        self.evidence.clear()
