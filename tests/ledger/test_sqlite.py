"""The ledger's file: how it is opened, what is refused and how that is told, and what survives."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whiteroute.engine.ledger import (
    EntryError,
    LedgerError,
    SqliteStore,
    open_ledger_for_reading,
    sqlite_reader,
)
from whiteroute.engine.messages import DeliveryState, Matched, Recorded

if TYPE_CHECKING:
    from conftest import Told

S = DeliveryState


def refusal(path: Path) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        SqliteStore(path)
    return caught.value


# Opening


def test_a_new_ledger_is_made_and_an_old_one_is_opened_again(path: Path) -> None:
    SqliteStore(path).close()
    SqliteStore(path).close()

    assert path.stat().st_size > 0


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path / "nowhere" / "ledger.db")

    assert error.where == str(tmp_path / "nowhere" / "ledger.db.lock")
    assert "No such file or directory" in error.found
    assert str(error).startswith(error.where)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()

    assert refusal(tmp_path / "ledger.db").found == "it cannot be opened"


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"message_ref;to;text\n" * 100)

    assert refusal(path).found == "not an SQLite file"
    assert path.read_bytes() == b"message_ref;to;text\n" * 100
    with pytest.raises(LedgerError, match="not an SQLite file"):
        open_ledger_for_reading(path)


def test_another_programs_database_is_left_alone(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (title TEXT)")
    other.close()

    assert refusal(path).found == "another program's SQLite file"
    with pytest.raises(LedgerError, match="another program's"):
        open_ledger_for_reading(path)


def test_a_newer_ledger_is_left_alone(path: Path) -> None:
    SqliteStore(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()

    assert refusal(path).found == "a ledger of version 99"
    with pytest.raises(LedgerError, match="version 99"):
        open_ledger_for_reading(path)


def test_an_empty_database_becomes_a_ledger(path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    SqliteStore(path).close()

    open_ledger_for_reading(path).close()


def test_a_reader_does_not_take_an_empty_file_for_a_ledger(path: Path) -> None:
    path.touch()

    with pytest.raises(LedgerError, match="version 0"):
        open_ledger_for_reading(path)


def test_a_reader_does_not_make_what_is_not_there(path: Path) -> None:
    with pytest.raises(LedgerError, match="no such file"):
        open_ledger_for_reading(path)

    assert not path.exists()


def test_a_damaged_file_is_named(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    store.write([told.taken(f"m{number}", text="x" * 500) for number in range(200)])
    store.close()
    octets = bytearray(path.read_bytes())
    octets[4096:] = b"\xff" * (len(octets) - 4096)
    path.write_bytes(octets)

    assert refusal(path).found in {"a damaged file", "not an SQLite file"}


# In a process of its own, because root may write any file and gives that up for good.
UNPRIVILEGED = """
import os, sys
from pathlib import Path
from whiteroute.engine.ledger import LedgerError, SqliteStore, open_ledger_for_reading

path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)
for attempt in (path, path.with_name("new.db")):
    try:
        SqliteStore(attempt)
    except LedgerError as error:
        print(error)
reader = open_ledger_for_reading(path)
print(len(list(reader.messages())), "messages can be read")
reader.close()
"""


@pytest.mark.parametrize("folder_mode", [0o777, 0o555])
def test_a_file_that_may_only_be_read_is_named_and_can_be_read(
    told: "Told", folder_mode: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        store = SqliteStore(path)
        store.write([told.taken()])
        store.close()
        path.chmod(0o444)
        path.with_name("ledger.db.lock").chmod(0o666)
        Path(folder).chmod(folder_mode)
        said = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(path)],
            check=False,
            capture_output=True,
            text=True,
        )
        Path(folder).chmod(0o700)

    lines = said.stdout.splitlines()
    assert lines[0] == f"{path}: a file that may only be read, expected permission to write it"
    assert lines[-1] == "1 messages can be read"
    if folder_mode == 0o555:
        assert "new.db.lock: the lock file cannot be opened (Permission denied)" in lines[1]


def test_a_journal_mode_without_readers_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What SQLite answers on a network file system.
    SqliteStore(path).close()

    def connect(*_: object, **__: object) -> sqlite3.Connection:
        return real(f"file:{path}?mode=memory", uri=True, isolation_level=None)

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)

    assert refusal(path).found == "journal mode memory"


def test_synchronous_is_full_unless_told_otherwise(path: Path) -> None:
    settings = {}
    for synchronous in ("FULL", "NORMAL"):
        store = SqliteStore(path, synchronous=synchronous)
        settings[synchronous] = store._connection.execute("PRAGMA synchronous").fetchone()[0]
        store.close()

    assert settings == {"FULL": 2, "NORMAL": 1}
    SqliteStore(path).close()


# One owner


def test_two_engines_cannot_own_one_ledger(path: Path) -> None:
    store = SqliteStore(path)

    error = refusal(path)
    assert f"process {os.getpid()}" in error.found
    assert error.where == str(path)
    store.close()
    SqliteStore(path).close()


def test_a_ledger_that_could_not_be_opened_is_not_owned(path: Path) -> None:
    path.write_bytes(b"not a ledger, and long enough to be looked at" * 10)
    refusal(path)
    path.unlink()

    SqliteStore(path).close()


def test_looking_whether_it_is_owned_does_not_disturb_the_owner(path: Path) -> None:
    store = SqliteStore(path)
    reader = store.open_reader()

    assert [True, True] == [reader.has_writer, reader.has_writer]
    store.close()
    assert not reader.has_writer
    path.with_name("ledger.db.lock").unlink()
    assert not reader.has_writer
    reader.close()
    store.close()


# Failing to write


def test_a_full_disk_refuses_the_batch_and_nothing_of_it_is_written(
    path: Path, told: "Told"
) -> None:
    store = SqliteStore(path)
    store.write([told.taken("before")])
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    with pytest.raises(LedgerError) as caught:
        store.write([told.taken(f"m{number}", text="x" * 1000) for number in range(200)])
    assert caught.value.found == "the disk is full"
    assert store.known(["before", "m0"]) == {"before": S.QUEUED}

    store._connection.execute("PRAGMA max_page_count = 1000000")
    assert [Recorded] == [type(effect) for effect in store.write([told.taken("m0")])]
    store.close()


def test_somebody_elses_lock_refuses_the_batch_and_only_that(path: Path, told: "Told") -> None:
    store = SqliteStore(path, busy_timeout=0.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(LedgerError, match="locked by another program"):
        store.write([told.taken()])
    other.execute("ROLLBACK")
    other.close()
    assert [Recorded] == [type(effect) for effect in store.write([told.taken()])]
    store.close()


def test_a_record_that_cannot_be_stored_is_told_from_a_ledger_that_cannot_store(
    path: Path, told: "Told"
) -> None:
    store = SqliteStore(path)

    with pytest.raises(EntryError):
        store.write([told.taken("a"), told.taken("b", valid_until_at=2**64)])
    with pytest.raises(EntryError):
        store.write([told.taken("\ud83d")])
    assert store.known("ab") == {}
    store.close()


def test_a_rule_of_the_tables_that_is_broken_is_the_records_fault(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    entry = told.link()
    entry.cause = None

    with pytest.raises(EntryError, match="NOT NULL"):
        store.write([entry])
    store.close()


def test_a_failed_batch_leaves_no_trace_in_what_is_remembered(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    store.write([told.taken(), told.started()])
    with pytest.raises(EntryError):
        store.write([told.accepted(), told.receipt(), told.taken("b", valid_until_at=2**64)])

    effects = store.write([told.accepted(), told.receipt()])
    assert isinstance(effects[1], Matched)
    assert (S.ACCEPTED, S.DELIVERED) == (effects[1].before, effects[1].after)
    store.close()


def test_a_closed_store_says_so(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    store.close()

    with pytest.raises(LedgerError, match="closed"):
        store.write([told.taken()])
    with pytest.raises(LedgerError, match="closed"):
        store.known(["a"])


# Memory


def test_what_is_not_remembered_is_looked_up_again(path: Path, told: "Told") -> None:
    store = SqliteStore(path, remembered=0)
    for entry in (told.taken(), told.receipt(at=0.5), told.started(), told.accepted()):
        store.write([entry])
        assert (0, 0) == (len(store._book.messages), len(store._book.pages))
    reader = store.open_reader()
    history = reader.message("a")

    assert history is not None
    assert history.message.state == S.DELIVERED
    reader.close()
    store.close()


# Reading meanwhile


def test_a_reader_sees_what_is_committed_while_the_engine_writes(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    reader = open_ledger_for_reading(path)
    seen = []
    for number in range(3):
        store.write([told.taken(f"m{number}")])
        seen.append(len(list(reader.messages())))

    assert seen == [1, 2, 3]
    reader.close()
    store.close()


def test_a_reader_in_the_middle_of_a_walk_does_not_stop_the_writer(
    path: Path, told: "Told"
) -> None:
    store = SqliteStore(path, busy_timeout=0.0)
    store.write([told.taken(f"m{number}") for number in range(100)])
    reader = open_ledger_for_reading(path)
    walk = reader.messages()
    next(walk)
    store.write([told.taken("late")])

    assert len(list(walk)) == 99
    reader.close()
    store.close()


def test_a_reader_may_be_used_from_another_thread(path: Path, told: "Told") -> None:
    store = SqliteStore(path)
    store.write([told.taken()])
    reader = store.open_reader()
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append(reader.message("a")))
    thread.start()
    thread.join()

    assert seen == [reader.message("a")]
    reader.close()
    store.close()


def test_a_reader_cannot_write(path: Path) -> None:
    store = SqliteStore(path)
    reader = store.open_reader()

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM messages")
    reader.close()
    store.close()


def test_a_closed_reader_says_so(path: Path) -> None:
    store = SqliteStore(path)
    reader = store.open_reader()
    reader.close()
    store.close()

    with pytest.raises(LedgerError, match="closed"):
        reader.message("a")
    assert repr(path.name)[1:-1] in repr(reader)


# Crashing

WRITER = """
import sys
from whiteroute.engine.ledger import SqliteStore
from whiteroute.engine.messages import AttemptStarted, MessageTaken

store = SqliteStore(sys.argv[1])
number = 0
while True:
    batch = []
    for _ in range(20):
        ref = f"m{number}"
        number += 1
        batch.append(MessageTaken(message_ref=ref, to="1", sender="2", text="3", taken_at=number))
        batch.append(AttemptStarted(message_ref=ref, carrier="acme", started_at=number))
    store.write(batch)
    print(number, flush=True)
"""


@pytest.mark.parametrize("batches", [1, 7, 40])
def test_every_batch_that_was_acknowledged_survives_a_kill(path: Path, batches: int) -> None:
    acknowledged = 0
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(batches):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        # What it managed to say before the signal reached it counts as well.
        for line in writer.stdout:
            if line.endswith("\n"):
                acknowledged = int(line)

    reader = open_ledger_for_reading(path)
    assert not reader.has_writer
    shown = {record.message_ref: record.state for record in reader.messages()}
    reader.close()
    assert {f"m{number}" for number in range(acknowledged)} <= set(shown)
    assert set(shown.values()) == {S.IN_DOUBT}
    assert len(shown) % 20 == 0

    store = SqliteStore(path)
    doubts = store.recover(1)
    assert {doubt.message_ref for doubt in doubts} == set(shown)
    assert store._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()


# Looking up


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (sqlite_reader._OVERDUE, "messages_due (due_at>? AND due_at<?)"),
        (sqlite_reader._PARKED, "receipts_parked (received_at<?)"),
        (sqlite_reader._INCOMPLETE, "conversations_waiting (received_at<?)"),
        (sqlite_reader._UNACKNOWLEDGED, "conversations_untold (number>?)"),
    ],
)
def test_what_a_timer_asks_for_is_found_by_an_index(path: Path, query: str, index: str) -> None:
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", (1, 1)).fetchall()
    connection.close()

    assert any(index in row[-1] for row in plan)
    assert not any("SCAN" in row[-1] for row in plan)


def test_doubts_are_found_without_looking_at_every_attempt(path: Path) -> None:
    SqliteStore(path).close()
    connection = sqlite3.connect(path)
    query = sqlite_reader._DOUBTS[DeliveryState.IN_DOUBT]
    plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    connection.close()

    assert "SCAN attempts USING INDEX attempts_in_doubt" in plan
    assert [] == [line for line in plan if line.startswith("SCAN messages")]
