"""Whose receipt an orphan may be: the one message in doubt that it can only speak of.

An attempt in doubt has no message_id, so its receipt finds nobody by id and stays parked. Number,
sender and time may still point to it, and to it alone. This is a guess, kept apart from matching on
purpose: whoever acts on it writes an `AttemptEnded` with `adopted=True`, and the flag stays.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from whiteroute.pdu import BodyError, DataSm, DeliverSm, FramingError, decode, parse_receipt

from .hashed_numbers import is_same_number
from .records import ReceiptArrived

__all__ = ["Doubt", "find_adopter", "quoted_text"]

_LONGEST_WAIT: Final = 72 * 3600.0
"""Seconds; operators try again for up to three days."""
_FEWEST_LETTERS: Final = 4
"""A quotation below this length says nothing."""


@attrs.frozen(kw_only=True)
class Doubt:
    """An attempt that may have been accepted."""

    message_ref: str
    part: int
    attempt: int
    carrier: str
    route: str
    started_at: int
    to: str = attrs.field(repr=False)
    sender: str = attrs.field(repr=False)
    text: str = attrs.field(default="", repr=False)
    """Of the whole message; empty where texts are not kept."""


def find_adopter(
    receipt: ReceiptArrived,
    doubts: Iterable[Doubt],
    *,
    quoted: str = "",
    longest_wait: float = _LONGEST_WAIT,
) -> Doubt | None:
    """Find the one attempt in doubt that a parked receipt can speak of.

    Ask only for receipts that were parked for a minute or so: a younger one may still be waiting
    for a response that is on its way.

    Args:
        receipt: A parked one. Its source is the handset and its destination is our sender, as in
            every receipt.
        doubts: The attempts in doubt, of any carrier.
        quoted: The start of the message's text as the receipt quotes it; empty when it quotes none.
            It chooses between several that fit, and never rules one out: what stands there is as
            often noise as it is the text.
        longest_wait: Seconds between the attempt and the receipt. Default: three days.

    Returns:
        None when no attempt fits, and also when more than one does: a guess between two is no
        ground to call a message accepted.
    """
    fitting = [doubt for doubt in doubts if _fits(receipt, doubt, longest_wait)]
    if len(fitting) > 1 and len(quoted) >= _FEWEST_LETTERS:
        # Later parts of a long message begin where nobody knows.
        fitting = [d for d in fitting if d.part == 1 and d.text.startswith(quoted)]
    return fitting[0] if len(fitting) == 1 else None


def quoted_text(octets: bytes) -> str:
    """Read what a receipt quotes of its message's text; empty where that cannot be read.

    Args:
        octets: The whole PDU, as the ledger keeps it. Only texts that are plain ASCII are read: in
            other alphabets the quotation is cut within a character more often than not.
    """
    try:
        pdu = decode(octets)
    except (BodyError, FramingError):
        return ""
    receipt = parse_receipt(pdu) if isinstance(pdu, DeliverSm | DataSm) else None
    text = b"" if receipt is None else receipt.text.rstrip()
    return text.decode("ascii") if text.isascii() else ""


def _fits(receipt: ReceiptArrived, doubt: Doubt, longest_wait: float) -> bool:
    waited = (receipt.received_at - doubt.started_at) / 1_000_000
    return (
        receipt.carrier == doubt.carrier
        and 0 <= waited <= longest_wait
        and is_same_number(receipt.source_addr, doubt.to)
        and _same_sender(receipt.destination_addr, doubt.sender)
    )


def _same_sender(one: str, other: str) -> bool:
    return one.casefold() == other.casefold() or is_same_number(one, other)
