"""The ledger as people and programs ask for it."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whiteroute.pdu import MessageState
from whiteroute.simulators import TYPICAL_HANDSETS
from whiteroute.tools.errors import CallError
from whiteroute.tools.receipts import CSV_COLUMNS, read_instant

Run = Callable[..., object]

LONG = "One text that takes more than one part. " * 5


@pytest.fixture
def ledger(run: Run, configure: Callable[..., Path], simulator: object) -> Path:
    """A ledger with a long message that arrived, and one that was refused."""
    config = configure(simulator.port)
    rows = (
        "message_ref,to,text,campaign\n"
        f"long,+34600111222,{LONG},autumn\n"
        "refused,+34700111222,Hi,autumn\n"
    )
    run(
        *("send", "--config", config, "--from", "ACME", "--wait", "receipt", "-"),
        stdin=rows.encode(),
    )
    return config.parent / "ledger.db"


def test_json_csv_and_table_tell_the_same(run: Run, ledger: Path) -> None:
    records = run("receipts", "--ledger", ledger, "--json").records
    table = run("receipts", "--ledger", ledger)
    [header, *rows] = csv.reader(io.StringIO(run("receipts", "--ledger", ledger, "--csv").out))

    assert ["long", "refused"] == [record["message_ref"] for record in records]
    assert {"campaign": "autumn"} == records[0]["tags"]
    assert ("DELIVERED", 2, 2) == (
        records[0]["state"],
        records[0]["parts"],
        len(records[0]["message_ids"]),
    )
    assert "NO_ROUTE" == records[1]["error"]["code"]
    assert list(CSV_COLUMNS) == header
    assert [record["message_ref"] for record in records] == [row[0] for row in rows]
    assert [record["state"] for record in records] == [row[header.index("state")] for row in rows]
    assert all(record["message_ref"] in table.out for record in records)
    assert "NO_ROUTE              1  No direct route can take it." in table.out
    assert 0 == table.code


def test_a_selection_narrows(run: Run, ledger: Path) -> None:
    def asked(*options: str) -> list[object]:
        ended = run("receipts", "--ledger", ledger, "--json", *options)
        return [record["message_ref"] for record in ended.records]

    assert ["refused"] == asked("--state", "refused")
    assert ["long"] == asked("--carrier", "acme")
    assert ["long", "refused"] == asked("--since", "1h")
    assert [] == asked("--since", "2999-01-01")


def test_a_message_tells_its_story(run: Run, ledger: Path) -> None:
    told = run("receipts", "--ledger", ledger, "--message", "long")
    [record] = run("receipts", "--ledger", ledger, "--message", "long", "--json").records

    assert 0 == told.code
    lines = told.out.splitlines()
    assert lines[0].startswith("long  DELIVERED")
    for words in (
        "taken, network 214-07; route acme-es chosen in 2 parts",
        "part 1, attempt 1: to be sent to acme",
        f"part 2, attempt 1: ACCEPTED, message_id {record['message_ids'][1]}, after 0.",
        f"part 1: receipt {record['message_ids'][0]} DELIVRD, 0.",
    ):
        assert any(words in line for line in lines), words
    assert LONG == record["text"] + " " * (len(LONG) - len(record["text"]))
    assert "acme-es" == record["decision"]["chosen"]
    assert [1, 2] == sorted(attempt["part"] for attempt in record["attempts"])
    assert {"MATCHED"} == {receipt["verdict"] for receipt in record["receipts"]}


def test_a_refusal_tells_its_reasons(run: Run, ledger: Path) -> None:
    told = run("receipts", "--ledger", ledger, "--message", "refused").out

    assert "taken, network 214-03; refused" in told
    assert "acme-es: NETWORK_NOT_COVERED (networks: 214-07, expected 214-03)" in told


def test_a_part_that_failed_explains_a_message_whose_other_part_arrived(
    run: Run, configure: Callable[..., Path], simulator: object
) -> None:
    # Both are of the same number, whose first message fails and whose second arrives later.
    number = next(
        number
        for number in map(str, range(34_600_111_000, 34_600_112_000))
        if (first := TYPICAL_HANDSETS.fate(number, 0, 1)).state is MessageState.UNDELIVERABLE
        and (second := TYPICAL_HANDSETS.fate(number, 1, 1)).state is MessageState.DELIVERED
        and 2 * first.delay < second.delay
    )
    config = configure(simulator.port)
    message = ("--to", number, "--from", "ACME", "--text", LONG, "--wait", "receipt", "--json")

    ended = run("send", "--config", config, *message)

    [record] = run("receipts", "--ledger", config.parent / "ledger.db", "--json").records
    message_ref = record["message_ref"]
    told = run("receipts", "--ledger", config.parent / "ledger.db", "--message", message_ref).out
    assert 1 == ended.code
    assert ("FAILED", ["FAILED", "DELIVERED"]) == (record["state"], record["part_states"])
    assert "UNDELIV" == record["error"]["raw"]["stat"]
    assert "UNKNOWN: No table of this carrier says what the code means.\n" in told


def test_an_unknown_message_is_an_answer(run: Run, ledger: Path) -> None:
    ended = run("receipts", "--ledger", ledger, "--message", "none")

    assert (1, "") == (ended.code, ended.out)
    assert (
        f"whiteroute: {ledger}: no message 'none', expected one that the ledger knows\n"
        == ended.err
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file, expected a ledger"), (b"to,text\n" * 200, "not an SQLite file")],
)
def test_what_is_no_ledger_is_told_in_one_line(
    run: Run, tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "x.db"
    if content is not None:
        path.write_bytes(content)

    ended = run("receipts", "--ledger", path)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: {path}: {said}")


NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11-22T17:30", datetime(2026, 11, 22, 17, 30, tzinfo=UTC)),
        ("2026-11-22T17:30+02:00", datetime(2026, 11, 22, 15, 30, tzinfo=UTC)),
        ("90s", datetime(2026, 11, 22, 17, 58, 30, tzinfo=UTC)),
        ("1.5h", datetime(2026, 11, 22, 16, 30, tzinfo=UTC)),
        ("2d", datetime(2026, 11, 20, 18, tzinfo=UTC)),
    ],
)
def test_an_instant_is_a_moment_or_how_long_ago(text: str, moment: datetime) -> None:
    assert round(moment.timestamp() * 1e6) == read_instant(text, NOW)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "99999999999d"])
def test_what_is_no_instant_is_told(text: str) -> None:
    with pytest.raises(CallError, match="--since: "):
        read_instant(text, NOW)
