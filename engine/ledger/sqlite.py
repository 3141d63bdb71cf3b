"""A ledger in one SQLite file, written in groups.

For each batch it lays open the lines that the batch may touch (a few set-wise queries), lets the
`Book` of `whiteroute.engine.messages` decide, and writes what changed, all in one transaction. Lines
stay open between batches, because most records concern messages that were written moments ago; that
is safe because the owner's lock makes this the only writer.

Nothing is decided here. Reading is `sqlite_reader.py`.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from whiteroute.engine.messages import (
    KEEP_ALL,
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    Book,
    CeilingLearned,
    DeliveryState,
    Doubt,
    Effect,
    Entry,
    EvidenceKept,
    InboundAcknowledged,
    InboundArrived,
    InboundGivenUp,
    LinkChanged,
    Mark,
    MessageLine,
    MessageTaken,
    Page,
    Privacy,
    ReceiptArrived,
    ReceiptOrphaned,
    RouteChanged,
    RunSeen,
    RunStarted,
)

from . import from_rows, rows, statements
from .errors import EntryError, LedgerError
from .lock import OwnerLock
from .purge import Purge, Purged
from .purger import Purger
from .schema import VERSION, climb
from .sqlite_reader import SqliteReader, explain_failure, find_doubts

__all__ = ["SqliteStore", "Synchronous"]

Synchronous = Literal["FULL", "NORMAL"]

_OF_MESSAGES: Final = (AttemptStarted, MessageTaken)
_OF_RECEIPTS: Final = (ReceiptArrived, ReceiptOrphaned)
_ALONE: Final = (LinkChanged, RunStarted, RunSeen, CeilingLearned, RouteChanged, EvidenceKept)
"""Records that touch no line."""
_REMEMBERED: Final = 40_000
"""Open messages and pages; about 30 MB. Enough for the messages of some seconds at full speed, and of
hours at most others."""
_CACHE_KIBIBYTES: Final = 65_536
"""Of pages of the file. With SQLite's own 2 MB a look-up in a ledger of millions reads pages anew that it
had a moment ago."""
_CHECKPOINT_PAGES: Final = 4_000
"""Pages in the log, 16 MB, that are copied into the file at once. Most pages are written many times; the
more of that happens in the log alone, the less is copied."""


class SqliteStore:
    """Keeps a ledger in a file and owns it until `close`; see `LedgerStore`.

    Args:
        path: The file; made when missing, in a folder that exists. Beside it SQLite keeps
            `-wal` and `-shm`, and the owner's lock is `.lock`.
        synchronous: `FULL`, the default, has every batch on the disk before `write` returns.
            `NORMAL` only hands it to the operating system: safe when the process is killed, but a
            power cut may take the last moments' records with it, and with them the first and the
            second promise: receipts that were acknowledged, attempts that were sent.
        busy_timeout: Seconds to wait for somebody else's lock on the database, such as a backup's.
            Default: 5.
        privacy: What is kept of persons. Octets that are taken out of the file are overwritten.
        remembered: After how many open messages and pages all are closed again, to bound memory.

    Raises:
        LedgerError: The file cannot be made or written, is no ledger, is newer than this code, or
            has another owner.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        synchronous: Synchronous = "FULL",
        busy_timeout: float = 5.0,
        privacy: Privacy = KEEP_ALL,
        remembered: int = _REMEMBERED,
    ) -> None:
        self._path = Path(path)
        self._remembered = remembered
        self._privacy = privacy
        self._lock = OwnerLock(self._path)
        self._lock.take()
        try:
            self._connection = self._open(synchronous, busy_timeout)
            try:
                if not privacy.keeps_all:
                    self._connection.execute("PRAGMA secure_delete = ON")
                self._purger = Purger(self._connection, privacy)
                self._book = self._new_book()
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            self._lock.release()
            raise

    @property
    def where(self) -> str:
        """The file."""
        return str(self._path)

    def __repr__(self) -> str:
        return f"<SqliteStore {self.where}>"

    def _open(self, synchronous: Synchronous, busy_timeout: float) -> sqlite3.Connection:
        with self._explained("cannot be opened"):
            connection = sqlite3.connect(
                self._path,
                timeout=busy_timeout,
                isolation_level=None,
                # One thread writes, but another one opens and closes it.
                check_same_thread=False,
            )
        try:
            with self._explained("cannot be opened"):
                # Only a file without tables takes it; see `Purger` for what it is good for.
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                climb(connection, self.where)
                mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
                if mode != "wal":
                    raise LedgerError(
                        f"journal mode {mode}",
                        "a disk that can do WAL, i.e. a local one",
                        self.where,
                    )
                connection.execute(f"PRAGMA synchronous = {synchronous}")
                connection.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
                connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
                # SQLite opens a file that it may only read without a word, even for a transaction.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(f"PRAGMA user_version = {VERSION}")
                connection.execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
        return connection

    def _new_book(self) -> Book:
        with self._explained("cannot be read"):
            numbers = self._connection.execute(
                "SELECT (SELECT coalesce(max(number), 0) FROM messages),"
                " (SELECT coalesce(max(number), 0) FROM receipts),"
                " (SELECT coalesce(max(number), 0) FROM conversations)"
            ).fetchone()
        return Book(
            next_message=numbers[0] + 1,
            next_receipt=numbers[1] + 1,
            next_inbound=numbers[2] + 1,
            privacy=self._privacy,
        )

    def write(self, entries: Sequence[Entry]) -> list[Effect]:
        """Write records in order, all or none; see `LedgerStore.write`."""
        try:
            with self._explained("cannot be written"), self._transaction():
                self._lay_open(entries)
                effects = [self._book.enter(entry) for entry in entries]
                self._save()
        except BaseException:
            # The open lines now tell of changes that never happened.
            self._book = self._new_book()
            raise
        self._book.changes.settle()
        if self._book.size > self._remembered:
            self._close_old_lines()
        return effects

    def _close_old_lines(self) -> None:
        """Close the older half of what is open, which is the half less likely to be heard of soon.

        A page goes with the messages on it: what is open knows no line beside that of the book.
        """
        old, messages = self._book, self._book.messages
        young = self._new_book()
        if self._remembered > 1:
            kept = islice(messages.items(), len(messages) // 2, None)
            young.messages.update(kept)
            young.pages.update(
                (key, page)
                for key, page in old.pages.items()
                if page.attempts
                and all(
                    young.messages.get(attempt.message.message_ref) is attempt.message
                    for attempt in page.attempts
                )
            )
        self._book = young

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself after some errors, and says so by another one.
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explain_failure(error, what, self.where) from error
        except (OverflowError, UnicodeEncodeError) as error:
            raise EntryError(str(error), "values that SQLite can hold", self.where) from error

    # Laying open

    def _lay_open(self, entries: Sequence[Entry]) -> None:
        """Open every line that these records may touch and that is not open yet."""
        book = self._book
        message_refs: set[str] = set()
        message_ids: set[str] = set()
        inbound_refs: set[str] = set()
        told_refs: set[str] = set()
        arrived: list[InboundArrived] = []
        # The most frequent first, and by tuples: a union takes three times as long.
        for entry in entries:
            if isinstance(entry, AttemptEnded):
                message_refs.add(entry.message_ref)
                message_ids.add(entry.message_id_key)
            elif isinstance(entry, _OF_MESSAGES):
                message_refs.add(entry.message_ref)
            elif isinstance(entry, _OF_RECEIPTS):
                message_ids.add(entry.message_id_key)
            elif isinstance(entry, InboundArrived):
                inbound_refs.add(entry.inbound_ref)
                arrived.append(entry)
            elif isinstance(entry, InboundGivenUp | InboundAcknowledged):
                told_refs.add(entry.inbound_ref)
            elif not isinstance(entry, _ALONE):
                message_refs.add(entry.message_ref)
        message_ids.discard("")
        new_ids = [key for key in message_ids if key not in book.pages]
        attempts = self._look_up(statements.ATTEMPTS_BY_ID, new_ids)
        message_refs.update(row[1] for row in attempts)
        self._open_messages([ref for ref in message_refs if ref not in book.messages])
        self._open_pages(new_ids, attempts)
        new_refs = [ref for ref in inbound_refs if ref not in book.inbound_refs]
        book.inbound_refs.update(row[0] for row in self._look_up(statements.INBOUND, new_refs))
        if arrived or told_refs:
            self._open_conversations(arrived, told_refs)

    def _open_conversations(
        self, arrived: Sequence[InboundArrived], told_refs: Iterable[str]
    ) -> None:
        book = self._book
        keys = {self._privacy.set_key(entry) for entry in arrived if entry.total > 1}
        found = self._look_up(statements.SETS, [key for key in keys if key not in book.sets])
        found += self._look_up(
            statements.CONVERSATIONS, [ref for ref in told_refs if ref not in book.inbound]
        )
        for row in found:
            if row[1] not in book.inbound:
                line = book.inbound[row[1]] = from_rows.inbound_line(row)
                line.mark = Mark.CLEAN
            line = book.inbound[row[1]]
            newest = book.sets.get(line.set_key)
            if line.set_key and (newest is None or newest.number < line.number):
                book.sets[line.set_key] = line
        pairs = {
            self._privacy.pair_of(entry.source_addr, entry.destination_addr) for entry in arrived
        }
        new = [pair for pair in pairs if pair and pair not in book.conversations]
        for pair, message_ref in self._look_up(statements.LAST_OF_PAIR, new):
            book.conversations[pair] = message_ref or ""

    def _look_up(self, query: str, values: Sequence[str | int]) -> list[rows.Row]:
        """Run a query for many values at once."""
        if not values:
            return []
        return self._connection.execute(query, (json.dumps(values),)).fetchall()

    def _open_messages(self, message_refs: Sequence[str]) -> None:
        opened: dict[int, MessageLine] = {}
        for row in self._look_up(statements.LINES, message_refs):
            message = from_rows.message_line(row)
            message.mark = Mark.CLEAN
            opened[message.number] = message
            self._book.messages[message.message_ref] = message
        for row in self._look_up(statements.ATTEMPTS, list(opened)):
            attempt = from_rows.attempt_line(opened[row[0]], row)
            attempt.mark = Mark.CLEAN
            attempt.message.attempts.append(attempt)

    def _open_pages(self, message_ids: Sequence[str], attempts: Iterable[rows.Row]) -> None:
        book = self._book
        for message_id in message_ids:
            book.pages[message_id] = Page()
        for message_id, message_ref, part, number in attempts:
            attempt = book.messages[message_ref].attempt(part, number)
            if attempt is not None:
                book.pages[message_id].attempts.append(attempt)
        for row in self._look_up(statements.RECEIPTS_BY_ID, message_ids):
            message = book.messages.get(row[-1])
            attempt = message.attempt(row[22], row[23]) if message is not None else None
            receipt = from_rows.receipt_line(row, attempt)
            receipt.mark = Mark.CLEAN
            book.pages[row[3]].receipts.append(receipt)

    # Saving

    def _save(self) -> None:
        """Write every line that is new or changed."""
        book = self._book
        self._save_messages(book)
        self._save_attempts(book)
        self._save_receipts(book)
        self._run(
            statements.INSERT_INBOUND, [rows.inbound_row(entry) for entry in book.changes.inbound]
        )
        self._run(
            statements.INSERT_LINK, [rows.link_row(entry) for entry in book.changes.link_changes]
        )
        lines = book.changes.inbound_lines
        new = [rows.conversation_row(line) for line in lines if line.mark is Mark.NEW]
        changed = [rows.conversation_change(line) for line in lines if line.mark is Mark.CHANGED]
        self._run(statements.INSERT_CONVERSATION, new)
        self._run(statements.UPDATE_CONVERSATION, changed)
        for entry in book.changes.runs:
            if isinstance(entry, RunStarted):
                self._run(statements.INSERT_RUN, [(entry.started_at, entry.started_at)])
            else:
                self._run(statements.SEE_RUN, [(entry.seen_at,)])
        self._run(
            statements.KEEP_CEILING,
            [(entry.carrier, entry.tps, entry.learned_at) for entry in book.changes.ceilings],
        )
        self._run(statements.INSERT_ROUTE, list(map(rows.route_row, book.changes.route_changes)))
        self._run(statements.KEEP_EVIDENCE, list(map(rows.evidence_row, book.changes.evidence)))

    def _run(self, statement: str, values: Sequence[rows.Row]) -> None:
        if values:
            self._connection.executemany(statement, values)

    def _save_messages(self, book: Book) -> None:
        lines = book.changes.messages
        stripped = [line for line in book.strip() if line.taken is None]
        new = [
            rows.message_row(line, line.taken, self._privacy)
            for line in lines
            if line.taken is not None
        ]
        changed: list[rows.Row] = []
        turned: list[rows.Row] = []
        for line in lines:
            if line.mark is not Mark.CHANGED:
                continue
            if line.is_open is line.was_open:
                changed.append(rows.message_change(line))
            else:
                turned.append(rows.message_turn(line))
        self._run(statements.INSERT_MESSAGE, new)
        self._run(statements.UPDATE_MESSAGE, changed)
        self._run(statements.TURN_MESSAGE, turned)
        self._run(
            statements.STRIP_MESSAGE,
            [rows.message_stripped(line, self._privacy) for line in stripped],
        )
        self._run(
            statements.REROUTE_MESSAGE,
            [
                (entry.decision, entry.network, entry.reporting_parts, entry.message_ref)
                for entry in book.changes.rerouted
            ],
        )

    def _save_attempts(self, book: Book) -> None:
        lines = book.changes.attempts
        ended = [
            rows.attempt_end(line, line.ended)
            for line in lines
            if line.has_just_ended and line.ended is not None
        ]
        changed = [
            rows.attempt_state(line)
            for line in lines
            if line.mark is Mark.CHANGED and not line.has_just_ended
        ]
        self._run(
            statements.INSERT_ATTEMPT,
            [rows.attempt_row(line) for line in lines if line.mark is Mark.NEW],
        )
        self._run(statements.END_ATTEMPT, ended)
        self._run(statements.UPDATE_ATTEMPT, changed)

    def _save_receipts(self, book: Book) -> None:
        lines = book.changes.receipts
        new = [rows.receipt_row(line) for line in lines if line.mark is Mark.NEW]
        changed = [rows.receipt_change(line) for line in lines if line.mark is Mark.CHANGED]
        self._run(statements.INSERT_RECEIPT, new)
        self._run(statements.UPDATE_RECEIPT, changed)

    # The other verbs

    def begin_purge(self, purge: Purge) -> int:
        """Note that something is to be purged; see `LedgerStore.begin_purge`."""
        with self._explained("cannot be written"), self._transaction():
            return self._purger.begin(purge)

    def purge_some(self, seconds: float) -> Purged | None:
        """Purge for a moment what was noted; see `LedgerStore.purge_some`."""
        with self._explained("cannot be purged"), self._overwriting():
            try:
                with self._transaction():
                    purged = self._purger.go_on(self._book, seconds)
            except BaseException:
                self._book = self._new_book()
                raise
            if purged is not None and purged.is_done:
                self._purger.tidy()
        return purged

    @contextmanager
    def _overwriting(self) -> Iterator[None]:
        """Have octets overwritten that are deleted; nobody else pays for that."""
        self._connection.execute("PRAGMA secure_delete = ON")
        try:
            yield
        finally:
            if self._privacy.keeps_all:
                self._connection.execute("PRAGMA secure_delete = OFF")

    def known(self, message_refs: Iterable[str]) -> dict[str, DeliveryState]:
        """Say which of these messages are in the ledger; see `LedgerStore.known`."""
        with self._explained("cannot be read"):
            found = self._look_up(statements.KNOWN, list(message_refs))
        return {message_ref: from_rows.STATES[state] for message_ref, state in found}

    def recover(self, now_at: int) -> tuple[Doubt, ...]:
        """Mark every attempt without an outcome as IN_DOUBT; see `LedgerStore.recover`."""
        with self._explained("cannot be read"):
            doubts = find_doubts(self._connection, DeliveryState.SENT)
        self.write(
            [
                RunStarted(started_at=now_at),
                *(
                    AttemptEnded(
                        message_ref=doubt.message_ref,
                        part=doubt.part,
                        attempt=doubt.attempt,
                        ended_at=now_at,
                        outcome=AttemptOutcome.IN_DOUBT,
                    )
                    for doubt in doubts
                ),
            ]
        )
        return doubts

    def open_reader(self) -> SqliteReader:
        """Open a connection of its own to read with."""
        return SqliteReader(self._path)

    def close(self) -> None:
        """Close the file and give up its ownership."""
        self._connection.close()
        self._lock.release()
