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
UPDATE_MESSAGE: Final = (
    "UPDATE messages SET state = ?, state_if_abandoned = ?, closed = ?, changed_at = ?, route = ?,"
    " carrier = ?, error_code = ? WHERE number = ?"
)
# Apart from the rest, because every statement that names it rewrites the index that depends on it.
TURN_MESSAGE: Final = "UPDATE messages SET is_open = ? WHERE number = ?"
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
INBOUND: Final = "SELECT inbound_ref FROM json_each(?) CROSS JOIN inbound ON inbound_ref = value"
KNOWN: Final = (
    "SELECT message_ref, state FROM json_each(?) CROSS JOIN messages ON message_ref = value"
)
