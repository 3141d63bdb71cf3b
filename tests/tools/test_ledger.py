"""Purging, checking and compacting a ledger from the command line."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from whiteroute.engine.ledger import SqliteStore, open_ledger_for_reading
from whiteroute.engine.messages import DeliveryState, MessageTaken, Privacy

if TYPE_CHECKING:
    from conftest import Run

LONG_AGO = 1_600_000_000_000_000
HANDSET = "+34600111222"
KEY = "nobody guesses this key"


@pytest.fixture
def ledger(tmp_path: Path) -> Callable[..., Path]:
    """Make a ledger with two messages that were refused long ago, and one that waits."""

    def make(privacy: Privacy = Privacy()) -> Path:  # noqa: B008 - frozen
        path = tmp_path / "ledger.db"
        with closing(SqliteStore(path, privacy=privacy)) as store:
            store.write(
                [
                    MessageTaken(
                        message_ref=ref,
                        to=to,
                        sender="ACME",
                        text="hello",
                        taken_at=LONG_AGO,
                        state=state,
                    )
                    for ref, to, state in (
                        ("a", HANDSET, DeliveryState.REFUSED),
                        ("b", "+34600999888", DeliveryState.REFUSED),
                        ("c", "+34600777666", DeliveryState.QUEUED),
                    )
                ]
            )
        return path

    return make


def refs(path: Path) -> list[str]:
    with closing(open_ledger_for_reading(path)) as reader:
        return [record.message_ref for record in reader.messages()]


def numbers(path: Path) -> list[str]:
    with closing(open_ledger_for_reading(path)) as reader:
        return [record.to for record in reader.messages()]


def test_one_number_is_purged(run: "Run", ledger: Callable[..., Path]) -> None:
    path = ledger()
    dry = run("ledger", "purge", "--ledger", path, "--number", HANDSET, "--dry-run", "--json")
    assert [
        {
            "messages": 1,
            "receipts": 0,
            "inbound": 0,
            "conversations": 0,
            "left": 0,
            "dry_run": True,
        }
    ] == dry.records
    assert HANDSET in numbers(path)

    ended = run("ledger", "purge", "--ledger", path, "--number", HANDSET)
    assert (0, "purged: 1 message, 0 receipts, 0 replies in 0 segments\n", "") == (
        ended.code,
        ended.out,
        ended.err,
    )
    assert ["", "+34600999888", "+34600777666"] == numbers(path)


def test_what_may_still_be_sent_is_told(run: "Run", ledger: Callable[..., Path]) -> None:
    ended = run("ledger", "purge", "--ledger", ledger(), "--number", "+34600777666")

    assert 1 == ended.code
    assert "1 message of that number may still be sent: purge again later" in ended.err


def test_what_is_old_is_purged(run: "Run", ledger: Callable[..., Path]) -> None:
    path = ledger()
    dry = run("ledger", "purge", "--ledger", path, "--older-than", "400d", "--dry-run")
    assert "would be purged: 2 messages" in dry.out
    assert 3 == len(refs(path))
    assert 0 == run("ledger", "purge", "--ledger", path, "--older-than", "400d").code
    assert ["c"] == refs(path)


def test_an_interrupted_purge_is_ended_first(run: "Run", ledger: Callable[..., Path]) -> None:
    path = ledger()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO purges VALUES (1, ?, 0, 1, 0, 0, '{}')", (HANDSET,))
    ended = run("ledger", "purge", "--ledger", path, "--number", "+34600999888")

    assert "purged: 1 message" in ended.out
    assert ["", "", "+34600777666"] == numbers(path)


def test_hashed_numbers_are_found_by_the_key_of_the_configuration(
    run: "Run",
    ledger: Callable[..., Path],
    tmp_path: Path,
) -> None:
    path = ledger(Privacy(numbers="hashed", key=KEY.encode()))
    (tmp_path / "key").write_text(KEY, "utf-8")
    config = tmp_path / "ours.toml"
    config.write_text(
        '[engine.privacy]\nnumbers = "hashed"\nkey_file = "key"\n'
        '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n',
        "utf-8",
    )
    without = run("ledger", "purge", "--ledger", path, "--number", HANDSET)
    with_key = run("ledger", "purge", "--ledger", path, "--number", HANDSET, "--config", config)

    assert "0 messages" in without.out
    assert "1 message," in with_key.out
    assert "" == numbers(path)[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "either --number or --older-than"),
        (["--number", HANDSET, "--older-than", "1d"], "either --number or --older-than"),
        (["--number", "12345"], "--number: too short"),
        (["--older-than", "soon"], "--older-than: 'soon', expected days"),
        (["--older-than", "999999d"], "--older-than: '999999d', expected days"),
        (["--older-than", "1d"], "no such file, expected a ledger"),
        (["--older-than", "1d", "--dry-run"], "no such file, expected a ledger"),
    ],
)
def test_a_wrong_call_is_told_and_makes_no_file(
    run: "Run", tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = run("ledger", "purge", "--ledger", tmp_path / "none.db", *arguments)

    assert 2 == ended.code
    assert said in ended.err
    assert HANDSET not in ended.err
    assert not list(tmp_path.iterdir())


def test_a_ledger_that_an_engine_owns_is_checked_and_not_purged(
    run: "Run", ledger: Callable[..., Path]
) -> None:
    path = ledger()
    with closing(SqliteStore(path)):
        checked = run("ledger", "check", path)
        purged = run("ledger", "purge", "--ledger", path, "--older-than", "1d")

    assert (0, 2) == (checked.code, purged.code)
    assert "an engine is writing it" in checked.out
    assert "process" in purged.err


def test_a_check_tells_what_there_is(run: "Run", ledger: Callable[..., Path]) -> None:
    path = ledger()
    ended = run("ledger", "check", path)
    (record,) = run("ledger", "check", path, "--json").records

    assert 0 == ended.code
    assert f"{path}: version {record['version']}, sound\n" in ended.out
    assert "  messages                   3\n" in ended.out
    assert record["lines"]["messages"] == 3
    assert record["octets"] == path.stat().st_size
    assert "ledger compact" not in ended.out


def test_a_damaged_ledger_is_told(run: "Run", ledger: Callable[..., Path]) -> None:
    path = ledger()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = 1")
        # An index that does not know of the lines that are there.
        connection.execute("DROP INDEX messages_due")
        connection.execute("CREATE INDEX messages_due ON messages (due_at) WHERE is_open = 0")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'is_open = 0', 'is_open = 1')"
            " WHERE name = 'messages_due'"
        )
        connection.commit()
    ended = run("ledger", "check", path)
    as_json = run("ledger", "check", path, "--json")

    assert (1, 1) == (ended.code, as_json.code)
    assert "damaged" in ended.out
    assert "messages_due" in ended.out


def test_an_older_file_is_compacted_once(run: "Run", ledger: Callable[..., Path]) -> None:
    path = ledger()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    assert "`whiteroute ledger compact` it once" in run("ledger", "check", path).out
    ended = run("ledger", "compact", path)

    assert 0 == ended.code
    assert "octets, now" in ended.out
    assert "ledger compact" not in run("ledger", "check", path).out
    assert ["a", "b", "c"] == refs(path)
