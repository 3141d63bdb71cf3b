"""A ledger written by an older version climbs to today's tables, and loses nothing on the way."""

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whiteroute.engine.ledger import LedgerError, SqliteStore, open_ledger_for_reading
from whiteroute.engine.ledger.schema import _RUNGS, APPLICATION_ID, VERSION, climb
from whiteroute.engine.messages import DeliveryState, LinkChanged, Matched

if TYPE_CHECKING:
    from conftest import Told

OLD_LINES = """
INSERT INTO messages VALUES (1, 'a', '+34600111222', 'ACME', 'hello', 'otp', '{"campaign": "x"}', 'hold',
    1793361600000000, NULL, 1, 'all', '214-07', '{}', 'ACCEPTED', '', '', 1793361602000000, 'acme-es', 'acme',
    '', 1);
INSERT INTO attempts (message, part, attempt, carrier, route, started_at, state, ended_at, outcome,
    message_id, message_id_key, command_status)
    VALUES (1, 1, 1, 'acme', 'acme-es', 1793361601000000, 'ACCEPTED', 1793361602000000, 'ACCEPTED', '77', '77', 0);
INSERT INTO receipts VALUES (1, 'acme', '99', '99', 'FINAL', 2, 'DELIVRD', '000', x'', '', '', '', '',
    NULL, NULL, '34600999888', 'ACME', 1793361603000000, 'acme/1', x'00', 'PARKED', NULL, NULL, NULL, 0);
INSERT INTO inbound VALUES (1, 'i', 'acme', '34600111222', '4321', 'STOP', 0, 1793361604000000, 'acme/1', x'0005');
INSERT INTO link_changes VALUES (1, 'acme', 'acme/1', 1793361600000000, 'bound', 'BOUND_TRX');
"""
"""What version 1 wrote, by its own columns."""


@pytest.fixture
def old(path: Path) -> Path:
    """A ledger of version 1 with a line in each of its tables."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(
        f"{_RUNGS[0]}{OLD_LINES}PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1;"
    )
    connection.close()
    return path


def tables(path: Path) -> list[tuple[str, ...]]:
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT type, name FROM sqlite_schema ORDER BY 1, 2").fetchall()
    columns = [
        row
        for kind, name in found
        if kind == "table"
        for row in connection.execute(f"PRAGMA table_info({name})").fetchall()
    ]
    connection.close()
    return found + columns


def test_an_old_ledger_climbs_and_keeps_everything(old: Path) -> None:
    SqliteStore(old).close()
    reader = open_ledger_for_reading(old)

    history = reader.message("a")
    assert history is not None
    assert ("hello", DeliveryState.ACCEPTED, ("77",)) == (
        history.message.text,
        history.message.state,
        history.message_ids(),
    )
    assert ["99"] == [record.receipt.message_id for record in reader.receipts()]
    assert ["i"] == [entry.inbound_ref for entry in reader.inbound()]
    assert [
        LinkChanged(
            carrier="acme",
            link="acme/1",
            changed_at=1793361600000000,
            what="bound",
            cause="BOUND_TRX",
        )
    ] == list(reader.link_changes())
    # Three days and an hour after it was taken.
    assert 1793361600000000 + 73 * 3600 * 1_000_000 == history.message.due_at
    assert ((), {}) == (reader.outages(), reader.ceilings())
    reader.close()


def test_an_old_ledger_has_the_tables_of_a_new_one_afterwards(old: Path, tmp_path: Path) -> None:
    SqliteStore(old).close()
    SqliteStore(tmp_path / "new.db").close()

    assert tables(tmp_path / "new.db") == tables(old)


def test_an_old_ledger_goes_on_where_it_was(old: Path, told: "Told") -> None:
    store = SqliteStore(old)
    store.recover(told.at(10))
    (effect,) = store.write([told.receipt("77", at=11)])

    assert isinstance(effect, Matched)
    assert ("a", DeliveryState.DELIVERED) == (effect.message_ref, effect.after)
    store.close()


def test_a_climb_that_fails_leaves_the_old_ledger_as_it_was(old: Path) -> None:
    connection = sqlite3.connect(old, isolation_level=None)
    connection.execute("CREATE TABLE runs (in_the_way)")
    before = tables(old)

    with pytest.raises(sqlite3.OperationalError, match="runs already exists"):
        climb(connection, str(old))
    connection.close()

    assert before == tables(old)
    with pytest.raises(LedgerError, match="runs already exists"):
        SqliteStore(old)


def test_a_reader_does_not_climb(old: Path) -> None:
    with pytest.raises(LedgerError, match=f"version {VERSION}: let an engine open it once"):
        open_ledger_for_reading(old)
