"""Reading a ledger file, from the engine that writes it or from any other process.

The connection is read-only: nothing here can change a ledger, or keep an engine from writing it.
What is shown for attempts that nobody runs any more is said at `LedgerReader`.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from whiteroute.engine.messages import (
    CeilingLearned,
    DeliveryState,
    Doubt,
    EngineRun,
    EvidenceKept,
    InboundArrived,
    InboundRecord,
    LinkChanged,
    Outage,
    RouteChanged,
    Uptime,
)

from . import from_rows, rows
from .errors import EntryError, LedgerError
from .lock import is_owned
from .reading import (
    EVERYTHING,
    OVERDUE_STATES,
    PROFILE_RULES,
    RESPONSES_PER_RECEIPT,
    IdsSeen,
    MessageHistory,
    MessageRecord,
    ReceiptRecord,
    Selection,
    SummaryKey,
    SummaryLine,
    UnmappedCode,
    age_of_doubt,
    by_frequency,
    outages_of,
    uptime_of,
)
from .schema import VERSION, checked_version

__all__ = [
    "SqliteReader",
    "connect_read_only",
    "explain_failure",
    "find_doubts",
    "open_ledger_for_reading",
]

_BUSY_TIMEOUT: Final = 5.0
_ROUTE_CHANGES: Final = (
    f"SELECT {rows.ROUTE_COLUMNS} FROM route_changes"  # noqa: S608 - our own constants
    " WHERE :route IS NULL OR route = :route ORDER BY number"
)
_EVIDENCE: Final = (
    f"SELECT {rows.EVIDENCE_COLUMNS} FROM evidence ORDER BY route, area, traffic_class"  # noqa: S608
)
_SHOWN_STATE: Final = (
    "CASE WHEN :abandoned THEN coalesce(nullif(state_if_abandoned, ''), state) ELSE state END"
)
_KEYS: Final = {
    "carrier": "carrier",
    "route": "route",
    "network": "network",
    "traffic_class": "traffic_class",
    "campaign": "coalesce(json_extract(tags, '$.campaign'), '')",
    "error": "error_code",
    "hour": "strftime('%Y-%m-%dT%H', taken_at / 1000000, 'unixepoch')",
    "state": _SHOWN_STATE,
}


def open_ledger_for_reading(path: str | Path) -> "SqliteReader":
    """Open a ledger file to look at it, whether or not an engine is writing it.

    Args:
        path: The ledger's file.

    Raises:
        LedgerError: There is no such file, or it is no ledger, or newer than this code.
    """
    return SqliteReader(Path(path))


class SqliteReader:
    """Reads one ledger file; see `LedgerReader`. May be used from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._where = str(path)
        if not path.is_file():
            raise LedgerError("no such file", "a ledger", self._where)
        with self._explained():
            self._connection = connect_read_only(path)
        try:
            with self._explained():
                version = checked_version(self._connection, self._where)
            if version != VERSION:
                raise LedgerError(
                    f"a ledger of version {version}",
                    f"version {VERSION}: let an engine open it once",
                    self._where,
                )
        except BaseException:
            self._connection.close()
            raise

    def __repr__(self) -> str:
        return f"<SqliteReader {self._where}>"

    @property
    def has_writer(self) -> bool:
        """Whether a living engine owns the ledger."""
        return is_owned(self._path)

    def message(self, message_ref: str) -> MessageHistory | None:
        """Read everything about one message; None when it is not known."""
        abandoned = not self.has_writer
        with self._explained(), self._snapshot():
            row = self._connection.execute(_MESSAGE, (message_ref,)).fetchone()
            if row is None:
                return None
            attempts = self._connection.execute(_ATTEMPTS, (row[0],)).fetchall()
            receipts = self._connection.execute(_RECEIPTS_OF_MESSAGE, (row[0],)).fetchall()
        return MessageHistory(
            message=from_rows.message_record(row, abandoned=abandoned),
            attempts=tuple(
                from_rows.attempt_record(message_ref, attempt, abandoned=abandoned)
                for attempt in attempts
            ),
            receipts=tuple(from_rows.receipt_record(receipt, message_ref) for receipt in receipts),
        )

    def messages(self, selection: Selection = EVERYTHING) -> Iterator[MessageRecord]:
        """Read messages in the order in which they were taken."""
        abandoned = not self.has_writer
        query, values = _narrowed(
            f"SELECT {rows.MESSAGE_COLUMNS} FROM messages",  # noqa: S608
            "messages",
            "taken_at",
            selection,
            abandoned=abandoned,
        )
        with self._explained():
            for row in _in_order(self._connection.execute(query, values), selection):
                yield from_rows.message_record(row, abandoned=abandoned)

    def receipts(self, selection: Selection = EVERYTHING) -> Iterator[ReceiptRecord]:
        """Read receipts in the order in which they arrived."""
        query, values = _narrowed(
            f"SELECT {rows.RECEIPT_COLUMNS_QUALIFIED}, message_ref FROM receipts"  # noqa: S608
            " LEFT JOIN messages ON messages.number = receipts.message",
            "receipts",
            "received_at",
            selection,
            abandoned=not self.has_writer,
        )
        with self._explained():
            for row in _in_order(self._connection.execute(query, values), selection):
                yield from_rows.receipt_record(row, row[-1])

    def inbound(self, selection: Selection = EVERYTHING) -> Iterator[InboundArrived]:
        """Read messages from handsets in the order in which they arrived."""
        query, values = _narrowed(
            f"SELECT {rows.INBOUND_COLUMNS} FROM inbound",  # noqa: S608
            "inbound",
            "received_at",
            selection,
        )
        with self._explained():
            for row in self._connection.execute(query, values):
                yield from_rows.inbound_arrived(row)

    def conversations(self, selection: Selection = EVERYTHING) -> Iterator[InboundRecord]:
        """Read messages from handsets, put together, in the order in which they began to arrive."""
        query, values = _narrowed(
            f"SELECT {rows.CONVERSATION_COLUMNS} FROM conversations",  # noqa: S608
            "conversations",
            "received_at",
            selection,
        )
        with self._explained():
            for row in _in_order(self._connection.execute(query, values), selection):
                yield from_rows.inbound_line(row).record()

    def incomplete(self, before_at: int, limit: int) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that began before some time and miss segments."""
        return self._inbound_records(_INCOMPLETE, (before_at, limit))

    def unacknowledged(self, after: int, limit: int) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that the application has not said it has, in order."""
        return self._inbound_records(_UNACKNOWLEDGED, (after, limit))

    def replies(self, message_ref: str) -> tuple[InboundRecord, ...]:
        """Read messages from handsets that answer one of ours, in order."""
        return self._inbound_records(_REPLIES, (message_ref,))

    def unmapped(self, selection: Selection = EVERYTHING) -> tuple[UnmappedCode, ...]:
        """Count the receipts and the responses whose codes ended in UNKNOWN, by what they bore."""
        values = {
            "carrier": selection.carrier,
            "since_at": selection.since_at,
            "until_at": selection.until_at,
            "profile": PROFILE_RULES + "*",
        }
        with self._explained(), self._snapshot():
            found = self._connection.execute(_UNMAPPED_RECEIPTS, values).fetchall()
            found += self._connection.execute(_UNMAPPED_ANSWERS, values).fetchall()
        return tuple(sorted(map(from_rows.unmapped_code, found), key=by_frequency))

    def ids_seen(self, carrier: str, limit: int) -> IdsSeen:
        """Read how a carrier has spelt its message ids of late."""
        with self._explained(), self._snapshot():
            accepted = self._connection.execute(
                _ACCEPTED_IDS, (carrier, RESPONSES_PER_RECEIPT * limit)
            ).fetchall()
            waiting = self._connection.execute(_WAITING_IDS, (carrier, limit)).fetchall()
            matched = self._connection.execute(_MATCHED_IDS, (carrier, limit)).fetchall()
        return IdsSeen(
            accepted=tuple(map(from_rows.accepted_id, accepted)),
            received=(
                *(from_rows.received_id(row, is_matched=False) for row in waiting),
                *(from_rows.received_id(row, is_matched=True) for row in matched),
            ),
        )

    def carriers(self) -> tuple[str, ...]:
        """Read the names of all carriers of which anything is known, in order."""
        with self._explained():
            return tuple(row[0] for row in self._connection.execute(_CARRIERS) if row[0])

    def _inbound_records(
        self, query: str, values: tuple[int | str, ...]
    ) -> tuple[InboundRecord, ...]:
        with self._explained():
            found = self._connection.execute(query, values)
            return tuple(from_rows.inbound_line(row).record() for row in found)

    def link_changes(self, selection: Selection = EVERYTHING) -> Iterator[LinkChanged]:
        """Read what happened to links, in order."""
        query, values = _narrowed(
            f"SELECT {rows.LINK_COLUMNS} FROM link_changes",  # noqa: S608
            "link_changes",
            "changed_at",
            selection,
        )
        with self._explained():
            for row in self._connection.execute(query, values):
                yield from_rows.link_changed(row)

    def runs(self) -> tuple[EngineRun, ...]:
        """Read when engines watched, oldest first."""
        with self._explained():
            found = self._connection.execute("SELECT started_at, seen_at FROM runs ORDER BY number")
            return tuple(map(from_rows.engine_run, found))

    def outages(
        self,
        carrier: str | None = None,
        since_at: int | None = None,
        until_at: int | None = None,
        *,
        by_link: bool = False,
    ) -> tuple[Outage, ...]:
        """Find when carriers, or their links, were down."""
        return outages_of(self, carrier, since_at, until_at, by_link=by_link)

    def uptime(self, carrier: str, since_at: int, until_at: int) -> Uptime:
        """Add up how a carrier was in some time."""
        return uptime_of(self, carrier, since_at, until_at)

    def ceilings(self) -> dict[str, CeilingLearned]:
        """Read how fast carriers were found to be, by their names."""
        with self._explained():
            found = self._connection.execute("SELECT carrier, tps, learned_at FROM ceilings")
            return {row[0]: from_rows.ceiling_learned(row) for row in found}

    def route_changes(self, route: str | None = None) -> tuple[RouteChanged, ...]:
        """Read how far routes were trusted, in order."""
        with self._explained():
            found = self._connection.execute(_ROUTE_CHANGES, {"route": route})
            return tuple(map(from_rows.route_changed, found))

    def evidence(self) -> tuple[EvidenceKept, ...]:
        """Read what was observed of routes."""
        with self._explained():
            return tuple(map(from_rows.evidence_kept, self._connection.execute(_EVIDENCE)))

    def doubts(self) -> tuple[Doubt, ...]:
        """Read every attempt that may have been accepted, oldest message first."""
        abandoned = not self.has_writer
        with self._explained():
            doubts = find_doubts(self._connection, DeliveryState.IN_DOUBT)
            if abandoned:
                doubts += find_doubts(self._connection, DeliveryState.SENT)
        return tuple(sorted(doubts, key=age_of_doubt))

    def overdue(self, now_at: int, limit: int) -> tuple[MessageRecord, ...]:
        """Read messages whose final receipt should have come."""
        abandoned = not self.has_writer
        with self._explained():
            found = self._connection.execute(_OVERDUE, (now_at, limit))
            return tuple(from_rows.message_record(row, abandoned=abandoned) for row in found)

    def parked(self, before_at: int, limit: int) -> tuple[ReceiptRecord, ...]:
        """Read receipts that wait for an answer and came before some time, the oldest first."""
        with self._explained():
            found = self._connection.execute(_PARKED, (before_at, limit))
            return tuple(from_rows.receipt_record(row, None) for row in found)

    def summary(self, by: SummaryKey, selection: Selection = EVERYTHING) -> tuple[SummaryLine, ...]:
        """Count messages by what they have in common, in the order of the keys."""
        query, values = _narrowed(
            f"SELECT {_KEYS[by]}, {_SHOWN_STATE}, count(*), sum(part_count) FROM messages",  # noqa: S608
            "messages",
            "taken_at",
            selection,
            abandoned=not self.has_writer,
            grouped=True,
        )
        counts: dict[str, dict[DeliveryState, int]] = {}
        parts: dict[str, int] = {}
        with self._explained():
            for key, state, messages, part_count in self._connection.execute(query, values):
                counts.setdefault(key, {})[from_rows.STATES[state]] = messages
                parts[key] = parts.get(key, 0) + part_count
        return tuple(
            SummaryLine(key=key, states=states, messages=sum(states.values()), parts=parts[key])
            for key, states in sorted(counts.items())
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Let several queries see the same ledger."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise explain_failure(error, "cannot be read", self._where) from error


_MESSAGE: Final = f"SELECT {rows.MESSAGE_COLUMNS} FROM messages WHERE message_ref = ?"  # noqa: S608
_ATTEMPTS: Final = (
    f"SELECT {rows.ATTEMPT_COLUMNS} FROM attempts WHERE message = ?"  # noqa: S608
    " ORDER BY started_at, part, attempt"
)
# Receipts have no index by message: they are found by the message_ids of its attempts, which have.
_RECEIPTS_OF_MESSAGE: Final = (
    f"SELECT DISTINCT {rows.RECEIPT_COLUMNS_QUALIFIED} FROM attempts"  # noqa: S608
    " CROSS JOIN receipts ON receipts.message_id_key = attempts.message_id_key"
    " AND receipts.message_id_key <> '' AND receipts.message = attempts.message"
    " WHERE attempts.message = ? ORDER BY receipts.number"
)
_OVERDUE: Final = (
    f"SELECT {rows.MESSAGE_COLUMNS} FROM messages INDEXED BY messages_due"  # noqa: S608
    " WHERE is_open = 1 AND due_at > 0 AND due_at <= ?"
    f" AND state IN ({', '.join(repr(str(state)) for state in OVERDUE_STATES)})"
    " ORDER BY due_at, number LIMIT ?"
)
_PARKED: Final = (
    f"SELECT {rows.RECEIPT_COLUMNS} FROM receipts INDEXED BY receipts_parked"  # noqa: S608
    " WHERE verdict = 'PARKED' AND received_at < ? ORDER BY received_at, number LIMIT ?"
)
_INCOMPLETE: Final = (
    f"SELECT {rows.CONVERSATION_COLUMNS} FROM conversations INDEXED BY conversations_waiting"  # noqa: S608
    " WHERE state = 'WAITING' AND received_at < ? ORDER BY received_at, number LIMIT ?"
)
_UNACKNOWLEDGED: Final = (
    f"SELECT {rows.CONVERSATION_COLUMNS} FROM conversations INDEXED BY conversations_untold"  # noqa: S608
    " WHERE acknowledged_at = 0 AND state <> 'WAITING' AND number > ? ORDER BY number LIMIT ?"
)
_REPLIES: Final = (
    f"SELECT {rows.CONVERSATION_COLUMNS} FROM conversations"  # noqa: S608
    " WHERE reply_to = ? AND reply_to <> '' ORDER BY number"
)
_IS_UNMAPPED: Final = (
    " WHERE {table}.canonical = 'UNKNOWN' AND {table}.rule NOT GLOB :profile"
    " AND (:carrier IS NULL OR {table}.carrier = :carrier)"
    " AND (:since_at IS NULL OR {at} >= :since_at) AND (:until_at IS NULL OR {at} < :until_at)"
)
_UNMAPPED_RECEIPTS: Final = (
    "SELECT found.carrier, NULL, found.stat, found.err, found.network_error_code, times, first_at,"  # noqa: S608
    " last_at, newest.message_id, coalesce(message_ref, ''),"
    " newest.source_addr, newest.destination_addr FROM ("
    "SELECT carrier, stat, err, network_error_code, count(*) AS times, min(received_at) AS first_at,"
    " max(received_at) AS last_at, max(number) AS latest FROM receipts"
    + _IS_UNMAPPED.format(table="receipts", at="received_at")
    + " GROUP BY 1, 2, 3, 4) AS found CROSS JOIN receipts AS newest ON newest.number = latest"
    " LEFT JOIN messages ON messages.number = newest.message"
)
_UNMAPPED_ANSWERS: Final = (
    "SELECT found.carrier, found.command_status, '', '', found.network_error_code, times, first_at,"  # noqa: S608
    " last_at, coalesce(("
    "SELECT message_id FROM attempts AS one WHERE one.message = latest AND one.canonical = 'UNKNOWN'"
    " AND one.carrier = found.carrier AND one.command_status IS found.command_status"
    " AND one.network_error_code = found.network_error_code ORDER BY part DESC, attempt DESC LIMIT 1"
    "), ''), message_ref, recipient, sender FROM ("
    "SELECT carrier, command_status, network_error_code, count(*) AS times, min(ended_at) AS first_at,"
    " max(ended_at) AS last_at, max(message) AS latest FROM attempts"
    + _IS_UNMAPPED.format(table="attempts", at="ended_at")
    + " GROUP BY 1, 2, 3) AS found CROSS JOIN messages ON messages.number = latest"
)
_ACCEPTED_IDS: Final = (
    "SELECT message_id, recipient, started_at FROM attempts CROSS JOIN messages ON number = message"
    " WHERE attempts.carrier = ? AND message_id <> '' AND adopted = 0"
    " ORDER BY message DESC, part DESC, attempt DESC LIMIT ?"
)
_RECEIVED_IDS: Final = (
    "SELECT message_id, source_addr, destination_addr, received_at FROM receipts"
    " WHERE carrier = ? AND message_id <> '' AND message IS {} ORDER BY number DESC LIMIT ?"
)
_WAITING_IDS: Final = _RECEIVED_IDS.format("NULL")
_MATCHED_IDS: Final = _RECEIVED_IDS.format("NOT NULL")
_CARRIERS: Final = (
    "SELECT carrier FROM messages UNION SELECT carrier FROM attempts"
    " UNION SELECT carrier FROM receipts UNION SELECT carrier FROM inbound"
    " UNION SELECT carrier FROM link_changes ORDER BY 1"
)
_DOUBT_COLUMNS: Final = (
    "SELECT message_ref, part, attempt, attempts.carrier, attempts.route, started_at, recipient,"
    " sender, text"
)
_DOUBTS: Final = {
    # A message with a running attempt is open; one that failed may have a part in doubt for ever.
    DeliveryState.SENT: (
        f"{_DOUBT_COLUMNS} FROM messages CROSS JOIN attempts ON message = number"
        " WHERE attempts.state = 'SENT' AND is_open = 1 AND state_if_abandoned <> ''"
        " ORDER BY number, part, attempt"
    ),
    DeliveryState.IN_DOUBT: (
        f"{_DOUBT_COLUMNS} FROM attempts INDEXED BY attempts_in_doubt"
        " CROSS JOIN messages ON message = number WHERE attempts.state = 'IN_DOUBT'"
        " ORDER BY number, part, attempt"
    ),
}


def find_doubts(connection: sqlite3.Connection, state: DeliveryState) -> tuple[Doubt, ...]:
    """Find attempts that nobody answered.

    Args:
        connection: To a ledger.
        state: SENT for those that still run, IN_DOUBT for those that were given up.
    """
    found = connection.execute(_DOUBTS[state])
    return tuple(
        Doubt(
            message_ref=row[0],
            part=row[1],
            attempt=row[2],
            carrier=row[3],
            route=row[4],
            started_at=row[5],
            to=from_rows.stored_text(row[6]),
            sender=from_rows.stored_text(row[7]),
            text=from_rows.stored_text(row[8]),
        )
        for row in found
    )


def _narrowed(
    query: str,
    table: str,
    instant: str,
    selection: Selection,
    *,
    abandoned: bool = False,
    grouped: bool = False,
) -> tuple[str, dict[str, str | int]]:
    """Add to a query what a selection narrows, in the table's order."""
    narrowings = {
        "message_ref": "message_ref = :message_ref",
        "carrier": f"{table}.carrier = :carrier",
        "route": "route = :route",
        "state": f"{_SHOWN_STATE} = :state",
        # Spelt out, because the indexes of those that wait are not used for what is bound.
        "verdict": f"verdict = '{selection.verdict}'",
        "since_at": f"{instant} >= :since_at",
        "until_at": f"{instant} < :until_at",
        "network": "network = :network",
        "traffic_class": "traffic_class = :traffic_class",
        "to": "ltrim(recipient, '+') = ltrim(:to, '+')",
        "error_code": "error_code = :error_code",
    }
    values: dict[str, str | int] = {"abandoned": abandoned}
    conditions = []
    for name, condition in narrowings.items():
        value = getattr(selection, name)
        if value is not None:
            conditions.append(condition)
            values[name] = str(value) if isinstance(value, str) else value
    for place, (name, tag) in enumerate(selection.tags.items()):
        conditions.append(
            "EXISTS (SELECT 1 FROM json_each(messages.tags)"  # noqa: S608 - numbered places
            f" WHERE key = :tag{place} AND value = :value{place})"
        )
        values[f"tag{place}"] = name
        values[f"value{place}"] = tag
    if conditions:
        query += " WHERE " + " AND ".join(conditions)
    direction = "DESC" if _is_backwards(selection) else ""
    query += " GROUP BY 1, 2" if grouped else f" ORDER BY {table}.number {direction}"
    if selection.limit is not None and not grouped:
        query += " LIMIT :limit"
        values["limit"] = selection.limit
    return query, values


def _is_backwards(selection: Selection) -> bool:
    return selection.is_newest and selection.limit is not None


def _in_order(found: Iterable[rows.Row], selection: Selection) -> Iterable[rows.Row]:
    """Turn round what was asked for from its end."""
    return reversed(list(found)) if _is_backwards(selection) else found


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a file read-only.

    A ledger in WAL mode needs its `-shm` file even to be read. Where that cannot be made (a folder
    without write permission) and nobody writes, the file alone is the whole truth.
    """
    uri = path.resolve().as_uri()
    connection = _try_connect(f"{uri}?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if is_owned(path) or path.with_name(path.name + "-wal").exists():
            raise
        return _try_connect(f"{uri}?mode=ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def _try_connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
    )


_EXPLANATIONS: Final = {
    sqlite3.SQLITE_NOTADB: ("not an SQLite file", "a ledger, or no file at all"),
    sqlite3.SQLITE_CORRUPT: ("a damaged file", "a ledger; restore it from a copy"),
    sqlite3.SQLITE_FULL: ("the disk is full", "room for more records"),
    sqlite3.SQLITE_BUSY: ("locked by another program", "a ledger that is free to write"),
    sqlite3.SQLITE_LOCKED: ("locked by another program", "a ledger that is free to write"),
    sqlite3.SQLITE_READONLY: ("a file that may only be read", "permission to write it"),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "a file in a folder that exists"),
    sqlite3.SQLITE_IOERR: ("the disk failed", "a disk that works"),
}


def explain_failure(error: sqlite3.Error, what: str, where: str) -> LedgerError:
    """Say in the house's words what SQLite could not do.

    Args:
        error: As SQLite raised it.
        what: What was tried, e.g. `cannot be written`, for errors that have no words of ours.
        where: The file.
    """
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    if code & 0xFF == sqlite3.SQLITE_CONSTRAINT:
        return EntryError(f"a record that breaks a rule ({error})", "unique records", where)
    found, expected = _EXPLANATIONS.get(
        code & 0xFF, (f"it {what} ({error})", "a ledger that SQLite can work with")
    )
    return LedgerError(found, expected, where)
