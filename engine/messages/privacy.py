"""What of a person a ledger keeps: numbers plain or hashed, texts or none.

What still has to be passed on needs its number and its text, also after a restart. So a message keeps
both while it is queued or being sent, and loses them with the answer to its last part; one from a
handset keeps them until the application has acknowledged it. Whatever nobody passes on, receipts and
single segments, is stripped before it is kept. Our own senders, tags and message_refs are the
caller's own words and stay.

Raw PDUs hold numbers and texts both, so they are masked as soon as either is asked for.
"""

import json
from typing import Final, Literal

import attrs

from whiteroute.pdu import masked

from .adoption import Doubt
from .conversations import InboundLine, pair_of
from .hashed_numbers import hashed_number, hashed_words
from .lines import MessageLine
from .records import InboundArrived, MessageTaken, ReceiptArrived

__all__ = ["KEEP_ALL", "Privacy"]

FEWEST_OCTETS: Final = 16
"""Of a key: what nobody finds by trying."""


@attrs.frozen(kw_only=True)
class Privacy:
    """What is kept, and how.

    Raises:
        ValueError: Numbers are to be hashed, and the key is too short or too long.
    """

    numbers: Literal["plain", "hashed"] = "plain"
    """`hashed`: by a key, so that one number's lines can be found with it and not without."""
    texts: Literal["keep", "drop"] = "keep"
    key: bytes = attrs.field(default=b"", repr=False)
    """For hashed numbers: 16 to 64 octets, the same for as long as the ledger is kept. Under another
    one nothing that was hashed before is found again."""
    keeps_all: bool = attrs.field(init=False, repr=False)
    """Whether nothing is to be done at all."""

    def __attrs_post_init__(self) -> None:
        if self.numbers == "hashed" and not FEWEST_OCTETS <= len(self.key) <= 64:
            raise ValueError(f"key: {len(self.key)} octets, expected {FEWEST_OCTETS} to 64")
        keeps_all = self.numbers == "plain" and self.texts == "keep"
        object.__setattr__(self, "keeps_all", keeps_all)

    def number(self, number: str) -> str:
        """Write a number as it is kept."""
        return number if self.numbers == "plain" else hashed_number(number, self.key)

    def text(self, text: str) -> str:
        """Write a text as it is kept."""
        return text if self.texts == "keep" else ""

    def pair_of(self, handset: str, ours: str) -> str:
        """Name the two numbers of a conversation as they are looked up; see `pair_of`."""
        pair = pair_of(handset, ours)
        return pair if self.numbers == "plain" or not pair else hashed_words((pair,), self.key)

    def set_key(self, entry: InboundArrived) -> str:
        """Name the set of segments of one as it is looked up; see `InboundArrived.set_key`."""
        name = entry.set_key
        return name if self.numbers == "plain" or not name else hashed_words((name,), self.key)

    def receipt(self, entry: ReceiptArrived) -> ReceiptArrived:
        """Write a receipt as it is kept."""
        if self.keeps_all:
            return entry
        return attrs.evolve(
            entry,
            source_addr=self.number(entry.source_addr),
            destination_addr=self.number(entry.destination_addr),
            octets=masked(bytes(entry.octets)),
        )

    def segment(self, entry: InboundArrived) -> InboundArrived:
        """Write a segment from a handset as it is kept for itself, once it was put to its message."""
        if self.keeps_all:
            return entry
        return attrs.evolve(
            entry,
            source_addr=self.number(entry.source_addr),
            text=self.text(entry.text),
            octets=masked(bytes(entry.octets)),
        )

    def taken(self, entry: MessageTaken) -> MessageTaken:
        """Write a message as it is kept once it will not be sent any more.

        Why it was refused may quote a number that was none.
        """
        to = self.number(entry.to)
        decision = entry.decision
        if entry.to and to != entry.to:
            decision = decision.replace(json.dumps(entry.to)[1:-1], to).replace(entry.to, to)
        return attrs.evolve(entry, to=to, text=self.text(entry.text), decision=decision)

    def strip_message(self, line: MessageLine) -> None:
        """Take from a line what is not kept of a message that will not be sent any more."""
        line.to = self.number(line.to)
        line.is_stripped = True

    def strip_inbound(self, line: InboundLine) -> None:
        """Take from a message of a handset what is not kept once the application has it."""
        line.source_addr = self.number(line.source_addr)
        if self.texts == "drop":
            line.segments = dict.fromkeys(line.segments, "")

    def doubt(self, doubt: Doubt) -> Doubt:
        """Write a doubt as a receipt that it may adopt is kept, so that the two compare."""
        return attrs.evolve(doubt, to=self.number(doubt.to), sender=self.number(doubt.sender))


KEEP_ALL: Final = Privacy()
"""The default: what was sent to whom is what a ledger is for."""
