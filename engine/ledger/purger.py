"""Purging a ledger file, a window of lines at a time, between the batches of an engine.

It walks through the tables once, by their numbers, so it needs no index that would make writing
dearer. How far it is stands in the file, written with what it did: an interrupted purge goes on.

Octets that were taken out are overwritten in the file at once. Pages that become free are given back
to the disk, a few at a time, where the file was made with `auto_vacuum = INCREMENTAL`; an older one
keeps them for later lines until `compact_ledger` has rewritten it.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from whiteroute.engine.messages import KEEP_ALL, Book, InboundState, Privacy, is_same_number

from . import from_rows
from .purge import Purge, Purged

__all__ = ["Purger"]

_WINDOW: Final = 100
"""Lines looked at before the clock is asked again: at most about two milliseconds."""
_PAGES: Final = 32
"""Pages given back to the disk before the clock is asked again."""

Counts = Mapping[str, int]
_Window = list[tuple[Any, ...]]


@attrs.define(eq=False)
class _Job:
    """A purge that has begun."""

    number: int
    subscriber: str = attrs.field(repr=False)
    before_at: int
    begun_at: int
    phase: int
    reached: int
    purged: Purged
    ending: str = attrs.field(init=False, repr=False)
    """The last two digits of a number that is not hashed."""

    def __attrs_post_init__(self) -> None:
        self.ending = "".join(filter(str.isdecimal, self.subscriber))[-2:]


@attrs.frozen
class _Phase:
    """One table: what to look at, and what to do with a window of it."""

    window: str
    purge: "Callable[[Purger, _Job, _Window, Book | None], Counts]"
    is_over: Callable[[_Job, tuple[Any, ...]], bool]
    """Whether, by its age, nothing behind this line needs to be looked at."""


@attrs.define(eq=False)
class Purger:
    """Purges by a connection. Inside a transaction of the caller's, but for `tidy`."""

    connection: sqlite3.Connection
    privacy: Privacy = KEEP_ALL

    def begin(self, purge: Purge) -> int:
        """Note a purge, behind those that have begun, and give its number."""
        job = self._job(purge)
        noted = self.connection.execute(
            "INSERT INTO purges (subscriber, before_at, begun_at, phase, reached, counts)"
            " VALUES (?, ?, ?, 0, 0, '{}')",
            (job.subscriber, job.before_at, job.begun_at),
        )
        assert noted.lastrowid is not None
        return noted.lastrowid

    def _job(self, purge: Purge) -> _Job:
        return _Job(
            number=0,
            subscriber=self.privacy.number(purge.number),
            before_at=purge.before_at,
            begun_at=purge.begun_at,
            phase=0,
            reached=0,
            purged=Purged(),
        )

    def go_on(self, book: Book, seconds: float) -> Purged | None:
        """Go on with the purge that began first; None when there is none.

        Args:
            book: The open lines; those that were purged are closed.
            seconds: When to stop, at the end of a window.
        """
        until = time.perf_counter() + seconds
        row = self.connection.execute(
            "SELECT number, subscriber, before_at, begun_at, phase, reached, counts FROM purges"
            " ORDER BY number LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        number, subscriber, before_at, begun_at, phase, reached, counts = row
        purged = Purged(**json.loads(counts))
        job = _Job(number, subscriber, before_at, begun_at, phase, reached, purged)
        while job.phase < len(_PHASES):
            self._walk(job, book)
            if time.perf_counter() >= until:
                break
        while job.phase == len(_PHASES) and self._give_back():
            if time.perf_counter() >= until:
                break
        else:
            if job.phase == len(_PHASES):
                self.connection.execute("DELETE FROM purges WHERE number = ?", (job.number,))
                return attrs.evolve(job.purged, order=job.number, is_done=True)
        self.connection.execute(
            "UPDATE purges SET phase = ?, reached = ?, counts = ? WHERE number = ?",
            (job.phase, job.reached, json.dumps(attrs.asdict(job.purged)), job.number),
        )
        return attrs.evolve(job.purged, order=job.number)

    def count(self, purge: Purge) -> Purged:
        """Count what a purge would find, and change nothing."""
        job = self._job(purge)
        while job.phase < len(_PHASES):
            self._walk(job, None)
        return attrs.evolve(job.purged, is_done=True)

    def tidy(self) -> None:
        """Empty the log, which holds older copies of pages, unless a reader needs them now."""
        (timeout,) = self.connection.execute("PRAGMA busy_timeout").fetchone()
        self.connection.execute("PRAGMA busy_timeout = 0")
        try:
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {timeout}")

    def _walk(self, job: _Job, book: Book | None) -> None:
        """Look at the next window of a table, or go on to the next table."""
        phase = _PHASES[job.phase]
        window = self.connection.execute(phase.window, (job.reached, _WINDOW)).fetchall()
        if window:
            job.reached = window[-1][0]
            job.purged = job.purged.plus(phase.purge(self, job, window, book))
        over = job.before_at and all(phase.is_over(job, row) for row in window)
        if len(window) < _WINDOW or over:
            job.phase += 1
            job.reached = 0

    def _give_back(self) -> bool:
        """Give some free pages back to the disk; say whether there may be more."""
        before = self._free_pages()
        if before:
            self.connection.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
        return self._free_pages() < before

    def _free_pages(self) -> int:
        (pages,) = self.connection.execute("PRAGMA freelist_count").fetchone()
        return int(pages)

    def _is_of(self, job: _Job, *addresses: str | bytes) -> bool:
        for address in addresses:
            number = from_rows.stored_text(address)
            if self.privacy.numbers == "hashed":
                number = self.privacy.number(number)
            elif number[-2:] != job.ending and number[-2:].isdecimal():
                # Nearly all of them, so they go the short way.
                continue
            if is_same_number(number, job.subscriber):
                return True
        return False

    def _last(self, table: str) -> int:
        """The newest line of a table stays, because the next one is numbered after it."""
        (number,) = self.connection.execute(f"SELECT max(number) FROM {table}").fetchone()  # noqa: S608
        return int(number)

    def _execute(self, statement: str, numbers: list[int]) -> list[Any]:
        """Do something to some lines; give the first column of what it returns."""
        if not numbers:
            return []
        found = self.connection.execute(statement, (json.dumps(numbers),))
        return [row[0] for row in found.fetchall()]

    # One table each.

    def _messages(self, job: _Job, window: _Window, book: Book | None) -> Counts:
        left = 0
        if job.subscriber:
            theirs = [row for row in window if self._is_of(job, row[2])]
            chosen = [row for row in theirs if not row[3]]
            left = len(theirs) - len(chosen)
        else:
            last = self._last("messages")
            chosen = [
                row
                for row in window
                if not row[4] and max(row[5], row[6]) < job.before_at and row[0] != last
            ]
        numbers = [row[0] for row in chosen]
        receipts = self._execute(_RECEIPTS_OF_MESSAGES, numbers)
        if book is not None:
            keys = self._execute(_KEYS_OF_MESSAGES, numbers)
            for row in chosen:
                book.messages.pop(row[1], None)
            _close_pages(book, keys)
            if job.subscriber:
                book.conversations.clear()
                self._execute(_STRIP_RECEIPTS, receipts)
                self._execute(_STRIP_MESSAGES, numbers)
            else:
                self._execute(_DELETE.format("receipts", "number"), receipts)
                self._execute(_DELETE.format("attempts", "message"), numbers)
                self._execute(_DELETE.format("messages", "number"), numbers)
        return {"messages": len(chosen), "receipts": len(receipts), "left": left}

    def _receipts(self, job: _Job, window: _Window, book: Book | None) -> Counts:
        if job.subscriber:
            chosen = [row for row in window if self._is_of(job, row[2], row[3])]
        else:
            last = self._last("receipts")
            chosen = [
                row
                for row in window
                if row[4] is None
                and row[5] != "PARKED"
                and row[6] < job.before_at
                and row[0] != last
            ]
        if book is not None:
            _close_pages(book, [row[1] for row in chosen])
            statement = _STRIP_RECEIPTS if job.subscriber else _DELETE.format("receipts", "number")
            self._execute(statement, [row[0] for row in chosen])
        # Those of the messages were counted with them, and are stripped by now.
        return {"receipts": len(chosen) if book is not None or job.before_at else _alone(chosen)}

    def _inbound(self, job: _Job, window: _Window, book: Book | None) -> Counts:
        if job.subscriber:
            chosen = [row[0] for row in window if self._is_of(job, row[1])]
        else:
            chosen = [row[0] for row in window if row[2] < job.before_at]
        if book is not None:
            strip = job.subscriber
            self._execute(_STRIP_INBOUND if strip else _DELETE.format("inbound", "number"), chosen)
        return {"inbound": len(chosen)}

    def _conversations(self, job: _Job, window: _Window, book: Book | None) -> Counts:
        if job.subscriber:
            chosen = [row for row in window if self._is_of(job, row[2])]
        else:
            last = self._last("conversations")
            chosen = [
                row
                for row in window
                if row[3] and max(row[3], row[4]) < job.before_at and row[0] != last
            ]
        if book is not None:
            for row in chosen:
                line = book.inbound.pop(row[1], None)
                book.sets.pop(row[5] if line is None else line.set_key, None)
            if job.subscriber:
                self.connection.executemany(
                    _STRIP_CONVERSATION,
                    [(_without_words(row[6]), job.begun_at, row[0]) for row in chosen],
                )
            else:
                self._execute(_DELETE.format("conversations", "number"), [row[0] for row in chosen])
        return {"conversations": len(chosen)}


def _alone(receipts: _Window) -> int:
    return sum(row[4] is None for row in receipts)


def _without_words(segments: str) -> str:
    return json.dumps(dict.fromkeys(json.loads(segments), ""))


def _close_pages(book: Book, message_id_keys: list[str]) -> None:
    for key in message_id_keys:
        book.pages.pop(key, None)


# What may still be sent has to keep whom to, and what is in doubt has to adopt its receipt by it.
_MESSAGES: Final = (
    "SELECT number, message_ref, recipient,"
    " state_if_abandoned <> '' OR (is_open = 1 AND state <> 'ACCEPTED'),"
    " is_open OR state_if_abandoned <> '', taken_at, changed_at"
    " FROM messages WHERE number > ? ORDER BY number LIMIT ?"
)
_RECEIPTS: Final = (
    "SELECT number, message_id_key, source_addr, destination_addr, message, verdict, received_at"
    " FROM receipts WHERE number > ? ORDER BY number LIMIT ?"
)
_INBOUND: Final = (
    "SELECT number, source_addr, received_at FROM inbound WHERE number > ? ORDER BY number LIMIT ?"
)
_CONVERSATIONS: Final = (
    "SELECT number, inbound_ref, source_addr, acknowledged_at, latest_at, set_key, segments"
    " FROM conversations WHERE number > ? ORDER BY number LIMIT ?"
)
_PHASES: Final = (
    _Phase(_MESSAGES, Purger._messages, lambda job, row: row[5] >= job.before_at),  # noqa: SLF001
    _Phase(_RECEIPTS, Purger._receipts, lambda job, row: row[6] >= job.before_at),  # noqa: SLF001
    _Phase(_INBOUND, Purger._inbound, lambda job, row: row[2] >= job.before_at),  # noqa: SLF001
    _Phase(
        _CONVERSATIONS,
        Purger._conversations,  # noqa: SLF001
        lambda job, row: row[4] >= job.before_at,
    ),
)
# As the receipts of one message are found for reading: by the message_ids of its attempts.
_RECEIPTS_OF_MESSAGES: Final = (
    "SELECT DISTINCT receipts.number FROM json_each(?) CROSS JOIN attempts"
    " ON attempts.message = value AND attempts.message_id_key <> ''"
    " CROSS JOIN receipts ON receipts.message_id_key = attempts.message_id_key"
    " AND receipts.message_id_key <> '' AND receipts.message = attempts.message"
)
_KEYS_OF_MESSAGES: Final = (
    "SELECT DISTINCT message_id_key FROM json_each(?) CROSS JOIN attempts"
    " ON attempts.message = value AND message_id_key <> ''"
)
_DELETE: Final = "DELETE FROM {} WHERE {} IN (SELECT value FROM json_each(?))"
_OF_THESE: Final = "WHERE number IN (SELECT value FROM json_each(?))"
_STRIP_MESSAGES: Final = (
    "UPDATE messages SET recipient = '', text = '', pair = '', decision = '',"  # noqa: S608
    " tags = CASE WHEN json_extract(tags, '$.campaign') IS NULL THEN '{}' ELSE"
    f" json_object('campaign', json_extract(tags, '$.campaign')) END {_OF_THESE}"
)
_STRIP_RECEIPTS: Final = (
    f"UPDATE receipts SET source_addr = '', destination_addr = '', octets = x'' {_OF_THESE}"  # noqa: S608
)
_STRIP_INBOUND: Final = f"UPDATE inbound SET source_addr = '', text = '', octets = x'' {_OF_THESE}"  # noqa: S608
_STRIP_CONVERSATION: Final = (
    "UPDATE conversations SET source_addr = '', set_key = '', segments = ?,"  # noqa: S608
    f" state = CASE state WHEN '{InboundState.WAITING}' THEN '{InboundState.PARTIAL}' ELSE state END,"
    " acknowledged_at = CASE acknowledged_at WHEN 0 THEN ? ELSE acknowledged_at END WHERE number = ?"
)
