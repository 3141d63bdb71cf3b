"""Every statement with which a ledger file is looked up and written.

Look-ups take many values at once, as a JSON array: one query for a batch costs a fraction of one for
each record. `CROSS JOIN` keeps SQLite from turning them round and walking a whole table. What is only
for people to read is in `sqlite_reader.py`.
"""

from typing import Final

from . import rows

INSERT_MESSAGE: Final = rows.insertion("messages", rows.MESSAGE_COLUMNS)
INSERT_ATTEMPT: Final = rows.insertion("attempts", rows.BEGINNING_COLUMNS)
INSERT_RECEIPT: Final = rows.insertion("receipts", rows.RECEIPT_COLUMNS)
INSERT_INBOUND: Final = rows.insertion("inbound", rows.INBOUND_COLUMNS)
INSERT_LINK: Final = rows.insertion("link_changes", rows.LINK_COLUMNS)
INSERT_RUN: Final = "INSERT INTO runs (started_at, seen_at) VALUES (?, ?)"
# The clock may be set back, and an engine that was seen was seen.
SEE_RUN: Final = (
    "UPDATE runs SET seen_at = max(seen_at, ?) WHERE number = (SELECT max(number) FROM runs)"
)
KEEP_CEILING: Final = "INSERT OR REPLACE INTO ceilings (carrier, tps, learned_at) VALUES (?, ?, ?)"
INSERT_ROUTE: Final = rows.insertion("route_changes", rows.ROUTE_COLUMNS)
KEEP_EVIDENCE: Final = rows.insertion("evidence", rows.EVIDENCE_COLUMNS).replace(
    "INSERT", "INSERT OR REPLACE", 1
)
_CHANGE_MESSAGE: Final = (
    "UPDATE messages SET state = ?, state_if_abandoned = ?, closed = ?, changed_at = ?, route = ?,"
    " carrier = ?, error_code = ?"
)
UPDATE_MESSAGE: Final = f"{_CHANGE_MESSAGE} WHERE number = ?"
REROUTE_MESSAGE: Final = (
    "UPDATE messages SET decision = ?, network = ?, reporting_parts = ? WHERE message_ref = ?"
)
# Another statement, because every one that names `is_open` rewrites the indexes that depend on it.
TURN_MESSAGE: Final = f"{_CHANGE_MESSAGE}, is_open = ? WHERE number = ?"
STRIP_MESSAGE: Final = (
    "UPDATE messages SET recipient = ?, text = CASE WHEN ? THEN '' ELSE text END WHERE number = ?"
)
UPDATE_ATTEMPT: Final = (
    "UPDATE attempts SET state = ? WHERE message = ? AND part = ? AND attempt = ?"
)
END_ATTEMPT: Final = (
    "UPDATE attempts SET state = ?, ended_at = ?, outcome = ?, retrying = ?, message_id = ?,"
    " message_id_key = ?, command_status = ?, network_error_code = ?, canonical = ?, permanence = ?,"
    " scope = ?, rule = ?, adopted = ? WHERE message = ? AND part = ? AND attempt = ?"
)
UPDATE_RECEIPT: Final = (
    "UPDATE receipts SET verdict = ?, message = ?, part = ?, attempt = ?, before_response = ?"
    " WHERE number = ?"
)
LINES: Final = (
    f"SELECT {rows.LINE_COLUMNS} FROM json_each(?) CROSS JOIN messages ON message_ref = value"  # noqa: S608
)
ATTEMPTS: Final = (
    f"SELECT {rows.ATTEMPT_COLUMNS} FROM json_each(?) CROSS JOIN attempts ON message = value"  # noqa: S608
    " ORDER BY message, part, attempt"
)
ATTEMPTS_BY_ID: Final = (
    "SELECT message_id_key, message_ref, part, attempt FROM json_each(?)"
    " CROSS JOIN attempts ON message_id_key = value AND message_id_key <> ''"
    " AND outcome = 'ACCEPTED'"
    " CROSS JOIN messages ON number = message ORDER BY message, part, attempt"
)
RECEIPTS_BY_ID: Final = (
    f"SELECT {rows.RECEIPT_COLUMNS_QUALIFIED}, message_ref FROM json_each(?)"  # noqa: S608
    " CROSS JOIN receipts ON message_id_key = value AND message_id_key <> ''"
    " LEFT JOIN messages ON messages.number = receipts.message ORDER BY receipts.number"
)
INSERT_CONVERSATION: Final = rows.insertion("conversations", rows.CONVERSATION_COLUMNS)
UPDATE_CONVERSATION: Final = (
    "UPDATE conversations SET source_addr = ?, latest_at = ?, segments = ?, state = ?, acknowledged_at = ?"
    " WHERE number = ?"
)
SETS: Final = (
    f"SELECT {rows.CONVERSATION_COLUMNS} FROM json_each(?)"  # noqa: S608
    " CROSS JOIN conversations ON set_key = value AND set_key <> '' ORDER BY number"
)
CONVERSATIONS: Final = (
    f"SELECT {rows.CONVERSATION_COLUMNS} FROM json_each(?)"  # noqa: S608
    " CROSS JOIN conversations ON inbound_ref = value"
)
LAST_OF_PAIR: Final = (
    "SELECT value, (SELECT message_ref FROM messages WHERE pair = value AND pair <> ''"
    " ORDER BY number DESC LIMIT 1) FROM json_each(?)"
)
INBOUND: Final = "SELECT inbound_ref FROM json_each(?) CROSS JOIN inbound ON inbound_ref = value"
KNOWN: Final = (
    "SELECT message_ref, state FROM json_each(?) CROSS JOIN messages ON message_ref = value"
)
