"""The tables of a ledger file, and the ladder by which an older file climbs to today's.

Nothing else in the house writes DDL. A rung is never changed once it has been released: a new need
gets a new rung.

Lines are short for speed: a message is known inside the file by a number that only grows, so that
new lines go to the end of their table, and only the two indexes that look-ups need (the message_ref,
and the message_id with its carrier) are written at random places. What is absent is an empty text
rather than NULL wherever that is possible: measured, Python's sqlite3 takes half a microsecond to
bind a None, a bool or bytes, and a tenth of that for a str, an int or a bytearray.
"""

import sqlite3
from typing import Final

from .errors import LedgerError

__all__ = ["APPLICATION_ID", "VERSION", "climb"]

APPLICATION_ID: Final = 0x57524C47
"""`WRLG`, in the file's header: tells a ledger from any other SQLite file."""

_FIRST: Final = """
CREATE TABLE messages (
    number INTEGER PRIMARY KEY,
    message_ref TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    traffic_class TEXT NOT NULL,
    tags TEXT NOT NULL,                 -- JSON
    duplicate_policy TEXT NOT NULL,
    taken_at INTEGER NOT NULL,          -- microseconds since the epoch, as every *_at
    valid_until_at INTEGER,
    part_count INTEGER NOT NULL,
    reporting_parts TEXT NOT NULL,
    network TEXT NOT NULL,
    decision TEXT NOT NULL,             -- JSON
    state TEXT NOT NULL,
    state_if_abandoned TEXT NOT NULL,   -- only while an attempt is running
    closed TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    route TEXT NOT NULL,
    carrier TEXT NOT NULL,
    error_code TEXT NOT NULL,
    is_open INTEGER NOT NULL            -- 0 when nothing more is expected to happen
);
CREATE INDEX messages_open ON messages (number) WHERE is_open = 1;

CREATE TABLE attempts (
    message INTEGER NOT NULL,           -- messages.number
    part INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    carrier TEXT NOT NULL,
    route TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    ended_at INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL DEFAULT '',   -- empty while it runs
    retrying INTEGER NOT NULL DEFAULT 0,
    message_id TEXT NOT NULL DEFAULT '',
    message_id_key TEXT NOT NULL DEFAULT '',
    command_status INTEGER,
    network_error_code BLOB NOT NULL DEFAULT x'',
    canonical TEXT NOT NULL DEFAULT '',
    permanence TEXT NOT NULL DEFAULT '',
    scope TEXT NOT NULL DEFAULT '',
    rule TEXT NOT NULL DEFAULT '',
    adopted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (message, part, attempt)
) WITHOUT ROWID;
CREATE INDEX attempts_by_message_id ON attempts (message_id_key, carrier)
    WHERE message_id_key <> '';

CREATE TABLE receipts (
    number INTEGER PRIMARY KEY,
    carrier TEXT NOT NULL,
    message_id TEXT NOT NULL,
    message_id_key TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_state INTEGER,
    stat TEXT NOT NULL,
    err TEXT NOT NULL,
    network_error_code BLOB NOT NULL,
    canonical TEXT NOT NULL,
    permanence TEXT NOT NULL,
    scope TEXT NOT NULL,
    rule TEXT NOT NULL,
    submit_date_at INTEGER,
    done_date_at INTEGER,
    source_addr TEXT NOT NULL,
    destination_addr TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    link TEXT NOT NULL,
    octets BLOB NOT NULL,
    verdict TEXT NOT NULL,
    message INTEGER,                    -- NULL while parked, as the next two
    part INTEGER,
    attempt INTEGER,
    before_response INTEGER NOT NULL
);
CREATE INDEX receipts_by_message_id ON receipts (message_id_key, carrier)
    WHERE message_id_key <> '';
CREATE INDEX receipts_parked ON receipts (received_at) WHERE message IS NULL;

CREATE TABLE inbound (
    number INTEGER PRIMARY KEY,
    inbound_ref TEXT NOT NULL UNIQUE,
    carrier TEXT NOT NULL,
    source_addr TEXT NOT NULL,
    destination_addr TEXT NOT NULL,
    text TEXT NOT NULL,
    data_coding INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    link TEXT NOT NULL,
    octets BLOB NOT NULL
);

CREATE TABLE link_changes (
    number INTEGER PRIMARY KEY,
    carrier TEXT NOT NULL,
    link TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    what TEXT NOT NULL,
    cause TEXT NOT NULL
);
"""

_SECOND: Final = """
-- Why a link is down, for machines; and when there was an engine to notice.
ALTER TABLE link_changes ADD COLUMN root_cause TEXT NOT NULL DEFAULT 'UNKNOWN';
ALTER TABLE link_changes ADD COLUMN host TEXT NOT NULL DEFAULT '';
ALTER TABLE link_changes ADD COLUMN command_status INTEGER;
ALTER TABLE link_changes ADD COLUMN can_submit INTEGER NOT NULL DEFAULT 1;
CREATE INDEX link_changes_by_time ON link_changes (changed_at);
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
);
CREATE TABLE ceilings (
    carrier TEXT PRIMARY KEY,
    tps REAL NOT NULL,
    learned_at INTEGER NOT NULL
) WITHOUT ROWID;

-- When a message is overdue: 0 for never. What older versions took is given three days and an hour.
ALTER TABLE messages ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET due_at = coalesce(valid_until_at, taken_at + 259200000000) + 3600000000
    WHERE is_open = 1;
DROP INDEX messages_open;
CREATE INDEX messages_due ON messages (due_at) WHERE is_open = 1;

-- Receipts that wait, without those that waited too long; and the few attempts that may adopt them.
UPDATE receipts SET verdict = 'ORPHANED' WHERE message IS NULL AND message_id_key = '';
DROP INDEX receipts_parked;
CREATE INDEX receipts_parked ON receipts (received_at) WHERE verdict = 'PARKED';
CREATE INDEX attempts_in_doubt ON attempts (message) WHERE state = 'IN_DOUBT';

-- Messages from handsets, put together; and whom they answer, where ours came from a number.
ALTER TABLE inbound ADD COLUMN reference INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbound ADD COLUMN total INTEGER NOT NULL DEFAULT 1;
ALTER TABLE inbound ADD COLUMN segment INTEGER NOT NULL DEFAULT 1;
CREATE TABLE conversations (
    number INTEGER PRIMARY KEY,
    inbound_ref TEXT NOT NULL UNIQUE,
    carrier TEXT NOT NULL,
    source_addr TEXT NOT NULL,
    destination_addr TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    latest_at INTEGER NOT NULL,
    total INTEGER NOT NULL,
    segments TEXT NOT NULL,             -- JSON: texts by the segments' numbers
    set_key TEXT NOT NULL,              -- empty for what came whole
    state TEXT NOT NULL,
    reply_to TEXT NOT NULL,
    acknowledged_at INTEGER NOT NULL    -- 0: it will be told again
);
CREATE INDEX conversations_in_sets ON conversations (set_key) WHERE set_key <> '';
CREATE INDEX conversations_waiting ON conversations (received_at) WHERE state = 'WAITING';
CREATE INDEX conversations_untold ON conversations (number)
    WHERE acknowledged_at = 0 AND state <> 'WAITING';
ALTER TABLE messages ADD COLUMN pair TEXT NOT NULL DEFAULT '';
CREATE INDEX messages_by_pair ON messages (pair, number) WHERE pair <> '';

-- What a carrier has to be asked about: receipts that belong to nobody, and those that nobody can name.
CREATE INDEX receipts_orphaned ON receipts (received_at) WHERE verdict = 'ORPHANED';
CREATE INDEX receipts_unmapped ON receipts (carrier) WHERE canonical = 'UNKNOWN';

-- How far routes are trusted, by what was observed of them.
CREATE TABLE route_changes (
    number INTEGER PRIMARY KEY,
    route TEXT NOT NULL,
    network TEXT NOT NULL,
    traffic_class TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    findings TEXT NOT NULL,             -- JSON: test, statistic, threshold and n of each
    actor TEXT NOT NULL,
    note TEXT NOT NULL,
    changed_at INTEGER NOT NULL
);
CREATE TABLE evidence (
    route TEXT NOT NULL,
    area TEXT NOT NULL,
    traffic_class TEXT NOT NULL,
    octets BLOB NOT NULL,
    clock REAL NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (route, area, traffic_class)
);

-- What is being purged, and how far that is: a purge goes on after a restart.
CREATE TABLE purges (
    number INTEGER PRIMARY KEY,
    subscriber TEXT NOT NULL,           -- empty for a purge by age
    before_at INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    counts TEXT NOT NULL                -- JSON
);
"""

_RUNGS: Final = (_FIRST, _SECOND)
VERSION: Final = len(_RUNGS)
"""The user_version of a ledger that this code writes."""


def climb(connection: sqlite3.Connection, where: str) -> None:
    """Bring a file up to today's tables, in one transaction; a new file gets them all.

    Args:
        connection: In autocommit mode, allowed to write.
        where: The file, for the error.

    Raises:
        LedgerError: It is somebody else's SQLite file, or newer than this code.
        sqlite3.Error: It is no SQLite file, or cannot be written.
    """
    version = checked_version(connection, where)
    if version == VERSION:
        return
    rungs = "".join(_RUNGS[version:])
    connection.executescript(
        f"BEGIN IMMEDIATE; {rungs}"
        f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; COMMIT;"
    )


def checked_version(connection: sqlite3.Connection, where: str) -> int:
    """Read which tables a file has; 0 for an empty one.

    Raises:
        LedgerError: It is somebody else's SQLite file, or newer than this code.
        sqlite3.Error: It is no SQLite file.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if application != APPLICATION_ID and (tables or version or application):
        raise LedgerError("another program's SQLite file", "a ledger, or no file at all", where)
    if version > VERSION:
        raise LedgerError(
            f"a ledger of version {version}",
            f"version {VERSION} or older: update whiteroute",
            where,
        )
    return version
