"""How a carrier writes its delivery receipts, as data that a profile holds.

Reading and writing under a dialect are in `receipt`. The default is Appendix B of SMPP 3.4 and what
most carriers make of it; a receipt is read in any order and case whatever the dialect says.
"""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import Final, Literal

import attrs

from .alphabet import Alphabet
from .receipt_date import DateFormat
from .values import MessageState

__all__ = ["ReceiptDialect", "ReceiptForm"]


class ReceiptForm(StrEnum):
    """What a receipt's text is."""

    LABELS = "labels"
    """`id:... sub:... stat:...`. Spec: SMPP 3.4 Appendix B"""
    CSV = "csv"
    """Values between commas, without labels; the dialect's `columns` name them."""
    PATTERN = "pattern"
    """Whatever else: the groups of the dialect's `pattern` find the values. Read only."""
    TLV_ONLY = "tlv_only"
    """The text, if there is one, says nothing."""


STANDARD_STATS: Final = {
    MessageState.SCHEDULED: "SCHEDULED",
    MessageState.ENROUTE: "ENROUTE",
    MessageState.DELIVERED: "DELIVRD",
    MessageState.EXPIRED: "EXPIRED",
    MessageState.DELETED: "DELETED",
    MessageState.UNDELIVERABLE: "UNDELIV",
    MessageState.ACCEPTED: "ACCEPTD",
    MessageState.UNKNOWN: "UNKNOWN",
    MessageState.REJECTED: "REJECTD",
    MessageState.SKIPPED: "SKIPPED",
}
"""What is written for a state unless the dialect has its own word."""

# Carrier: all of these have been seen; the first of a state is not the usual one.
_KNOWN_STATS: Final = {stat: state for state, stat in STANDARD_STATS.items()} | {
    "BUFFRED": MessageState.ENROUTE,
    "BUFFERD": MessageState.ENROUTE,
    "BUFFERED": MessageState.ENROUTE,
    "ACKED": MessageState.ENROUTE,
    "UNDELIVERABLE": MessageState.UNDELIVERABLE,
    "UNDELIVERED": MessageState.UNDELIVERABLE,
    "FAILED": MessageState.UNDELIVERABLE,
    "ACCEPTED": MessageState.ACCEPTED,
    "REJECTED": MessageState.REJECTED,
    "BLOCKED": MessageState.REJECTED,
    "DND_REJECTED": MessageState.REJECTED,
}
_FINAL: Final = (
    MessageState.DELIVERED,
    MessageState.EXPIRED,
    MessageState.DELETED,
    MessageState.UNDELIVERABLE,
    MessageState.REJECTED,
    MessageState.SKIPPED,
)


def _compiles(_: object, __: object, pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        raise ValueError(f"pattern: {pattern!r} ({error}), expected a regular expression") from None


@attrs.frozen(kw_only=True)
class ReceiptDialect:
    """One carrier's way with receipts. Fields marked *write* matter to simulators only.

    Raises:
        ValueError: `pattern` is no regular expression, or finds neither an id nor a stat though the
            form is `pattern`.
    """

    form: ReceiptForm = attrs.field(default=ReceiptForm.LABELS, converter=ReceiptForm)
    """What a receipt's text is: `labels` as in Appendix B, `csv` for values between commas,
    `pattern` for anything else, `tlv_only` where the text says nothing."""
    detection: Literal["esm_class", "tlv", "text"] = "tlv"
    """What makes a PDU a receipt: `esm_class` alone; or also the TLVs receipted_message_id and
    message_state together; or also a text that reads like one. Never `text` without need: then a
    subscriber can write "id:1 stat:DELIVRD" and forge a receipt."""
    labels: tuple[str, ...] = (
        *("id", "sub", "dlvrd", "submit date", "done date", "stat", "err", "text"),
    )
    """*write*: the labels in order and spelling; one that is left out is not written."""
    columns: tuple[str, ...] = (
        *("stat", "done date", "submit date", "err", "destination", "source", "id"),
    )
    """Form `csv`: what each value is, in the words of `labels`; other words are kept in `extra`.
    The last column takes all that is left, commas included."""
    pattern: str = attrs.field(default="", validator=_compiles)
    """Form `pattern`: a regular expression, searched for in the text. Its groups are named `id`, `stat`,
    `err`, `sub`, `dlvrd`, `submit_date`, `done_date` and `text`; others are kept in `extra`. A text
    that it does not fit is looked through for labels."""
    labels_after_text: bool = False
    """Whether labels behind `text:` count. Off: what a subscriber wrote must not pass for one."""
    alphabet: Alphabet = attrs.field(default=Alphabet.LATIN1, converter=Alphabet)
    """What a text is in that does not start like a receipt in ASCII or in UTF-16; data_coding is
    never asked, because carriers announce UCS-2 and send ASCII."""
    date_format: DateFormat = attrs.field(default=DateFormat.AUTO, converter=DateFormat)
    """How dates are written; the others are tried after it. `auto` tells them apart by their length, and
    by the time that is nearer where that leaves two."""
    zone: tzinfo = UTC
    """The zone of dates that do not tell theirs. With a wrong one, latencies are hours off."""
    stat_map: Mapping[str, MessageState] = attrs.field(factory=dict, hash=False)
    """The carrier's own words for states, ahead of the usual ones; for `csv` all of them. Case does
    not count when reading if the key is in upper case."""
    accepted_is_final: bool = False
    """Whether ACCEPTED ends a message. Off: the specification lists it among the final states, but
    carriers send it on the way."""
    unknown_is_final: bool = False
    """Whether UNKNOWN ends a message. Off: most carriers that send it find out more later."""
    prefers: Literal["tlv", "text"] = "tlv"
    """Which id and state count where the TLVs and the text differ. The TLVs, because nothing in them
    can be somebody's text; `text` for a carrier whose receipted_message_id is another one than that
    of the response, so that no receipt finds its message."""
    meaning: Literal["handset", "smsc", "hub"] = "handset"
    """What DELIVERED proves: that the `handset` has the message, or only that the `smsc` or another
    `hub` took it. With US long codes it is sent ahead of the spam filters (`hub`). Only `handset`
    counts as evidence of delivery."""
    network_tag: int | None = None
    """The TLV in which this carrier names the network that served the handset, e.g. 0x1403, as MCC and
    MNC in digits; None where it does not."""
    operation: Literal["deliver_sm", "data_sm"] = "deliver_sm"
    """*write*: data_sm has no short_message, so its text is always in message_payload."""
    where: Literal["short_message", "message_payload"] = "short_message"
    """*write*: where the text goes; both are read."""
    data_coding: int = 0
    """*write*: what is announced, whatever the text is in."""
    tlvs: tuple[str, ...] = ("receipted_message_id", "message_state")
    """*write*: which of these two, and of network_error_code, are added."""
    network_error_code: Literal["binary", "digits"] = "binary"
    """*write*: type octet and number, as specified, or three ASCII digits; both are read."""
    err_width: int = 3
    """*write*: a code of digits is filled with zeros to this width."""
    counter_width: int = 3
    """*write*: sub and dlvrd are filled with zeros to this width."""
    text_octets: int = 20
    """*write*: how much of the message is quoted."""

    def __attrs_post_init__(self) -> None:
        if self.form is ReceiptForm.PATTERN and not (
            {"id", "stat"} & re.compile(self.pattern).groupindex.keys()
        ):
            raise ValueError(
                f"pattern: {self.pattern!r}, expected a group (?P<id>...) or (?P<stat>...)"
            )

    def state_of(self, stat: str) -> MessageState | None:
        """Give the state a word stands for, or None for a word nobody has explained."""
        if self.stat_map:
            for known in (stat, stat.upper()):
                if known in self.stat_map:
                    return self.stat_map[known]
        upper = stat.upper()
        if upper in _KNOWN_STATS:
            return _KNOWN_STATS[upper]
        # Carrier: DELIVERD, DELIVERED and DELIVER, cut to seven characters, are all about.
        return MessageState.DELIVERED if upper.startswith("DELIV") else None

    def stat_of(self, state: MessageState) -> str:
        """Give the word to write for a state."""
        for stat, meant in self.stat_map.items():
            if meant == state:
                return stat
        return STANDARD_STATS[state]

    def is_final(self, state: MessageState | None) -> bool:
        """Say whether nothing more is to come after a state."""
        if state is MessageState.ACCEPTED:
            return self.accepted_is_final
        if state is MessageState.UNKNOWN:
            return self.unknown_is_final
        return state in _FINAL
