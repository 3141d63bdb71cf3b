"""Purging a ledger in memory: the same as `purger.py` does to a file, in one go."""

import attrs

from whiteroute.engine.messages import (
    DeliveryState,
    InboundLine,
    InboundState,
    MessageLine,
    ReceiptLine,
    ReceiptVerdict,
    is_same_number,
)

from .memory_reader import Contents
from .purge import Purge, Purged

__all__ = ["purge_contents"]


def purge_contents(contents: Contents, purge: Purge) -> Purged:
    """Take out what a purge names. The caller holds the guard."""
    return _purge_number(contents, purge) if purge.number else _purge_age(contents, purge)


def _purge_number(contents: Contents, purge: Purge) -> Purged:
    privacy = contents.book.privacy
    subscriber = privacy.number(purge.number)

    def is_of(*addresses: str) -> bool:
        return any(is_same_number(privacy.number(each), subscriber) for each in addresses)

    theirs = [line for line in contents.book.messages.values() if is_of(line.to)]
    chosen = [line for line in theirs if not _may_be_sent(line)]
    refs = {line.message_ref for line in chosen}
    receipts = [
        line
        for line in contents.receipts
        if (line.attempt is not None and line.attempt.message.message_ref in refs)
        or is_of(line.receipt.source_addr, line.receipt.destination_addr)
    ]
    segments = {at for at, entry in enumerate(contents.inbound) if is_of(entry.source_addr)}
    conversations = [line for line in contents.conversations if is_of(line.source_addr)]
    for line in chosen:
        _strip_message(contents, line)
    for receipt in receipts:
        receipt.receipt = attrs.evolve(
            receipt.receipt, source_addr="", destination_addr="", octets=b""
        )
    contents.inbound[:] = [
        attrs.evolve(entry, source_addr="", text="", octets=b"") if at in segments else entry
        for at, entry in enumerate(contents.inbound)
    ]
    for conversation in conversations:
        _strip_conversation(contents, conversation, purge.begun_at)
    for pair, message_ref in list(contents.book.conversations.items()):
        if message_ref in refs:
            del contents.book.conversations[pair]
    return Purged(
        messages=len(chosen),
        receipts=len(receipts),
        inbound=len(segments),
        conversations=len(conversations),
        left=len(theirs) - len(chosen),
        is_done=True,
    )


def _may_be_sent(line: MessageLine) -> bool:
    """Say the same as the file does: what may be sent, and what is in doubt, keep whom to."""
    return line.is_running or (line.is_open and line.state is not DeliveryState.ACCEPTED)


def _strip_message(contents: Contents, line: MessageLine) -> None:
    taken = contents.taken[line.message_ref]
    line.to = ""
    line.tags = {name: value for name, value in line.tags.items() if name == "campaign"}
    contents.taken[line.message_ref] = attrs.evolve(
        taken, to="", text="", decision="", tags=line.tags
    )


def _strip_conversation(contents: Contents, line: InboundLine, now_at: int) -> None:
    contents.book.sets.pop(line.set_key, None)
    line.source_addr = line.set_key = ""
    line.segments = dict.fromkeys(line.segments, "")
    line.acknowledged_at = line.acknowledged_at or now_at
    if line.state is InboundState.WAITING:
        line.state = InboundState.PARTIAL


def _purge_age(contents: Contents, purge: Purge) -> Purged:
    before_at, book = purge.before_at, contents.book
    chosen = [
        line
        for line in list(book.messages.values())[:-1]
        if not line.is_open
        and max(line.changed_at, contents.taken[line.message_ref].taken_at) < before_at
    ]
    refs = {line.message_ref for line in chosen}
    receipts = {
        line.number
        for line in contents.receipts
        if (line.attempt is not None and line.attempt.message.message_ref in refs)
    }
    receipts |= {line.number for line in contents.receipts[:-1] if _is_old_orphan(line, before_at)}
    inbound = [entry for entry in contents.inbound if entry.received_at >= before_at]
    purged = Purged(
        messages=len(chosen),
        receipts=len(receipts),
        inbound=len(contents.inbound) - len(inbound),
        is_done=True,
    )
    for line in chosen:
        del book.messages[line.message_ref], contents.taken[line.message_ref]
    for page in book.pages.values():
        page.attempts[:] = [each for each in page.attempts if each.message.message_ref not in refs]
        page.receipts[:] = [line for line in page.receipts if line.number not in receipts]
    contents.receipts[:] = [line for line in contents.receipts if line.number not in receipts]
    contents.inbound[:] = inbound
    over = [
        line
        for line in contents.conversations[:-1]
        if line.acknowledged_at and max(line.acknowledged_at, line.latest_at) < before_at
    ]
    for conversation in over:
        contents.conversations.remove(conversation)
        del book.inbound[conversation.inbound_ref]
        book.sets.pop(conversation.set_key, None)
    return attrs.evolve(purged, conversations=len(over))


def _is_old_orphan(line: ReceiptLine, before_at: int) -> bool:
    return (
        line.attempt is None
        and line.verdict is not ReceiptVerdict.PARKED
        and line.receipt.received_at < before_at
    )
