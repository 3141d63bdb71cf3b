"""Tables of ported numbers are read whole or not at all, and say line and fault."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whiteroute.engine.resolvers import MnpTableError, load_mnp_table, open_mnp_database
from whiteroute.routing import Confidence, Network

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def write(folder: Path, text: str) -> Path:
    path = folder / "ported.csv"
    path.write_bytes(text.encode())
    return path


async def test_a_ported_number_belongs_to_its_new_network(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "\ufeffnetwork,number,since\n214-03,+34600111222,2020\n\n214-07,34600111333,2021\n",
    )

    table = load_mnp_table(path, NOON)

    info = table.cached("34600111222")
    assert info is not None
    assert (info.network, info.ported, info.confidence) == (
        Network("214", "03"),
        True,
        Confidence.HIGH,
    )
    assert info.age(NOON) == 0
    assert await table.resolve("34600111333") is not None
    assert table.cached("34600999999") is None
    assert repr(table) == "<MnpTable of 2 numbers, issued 2026-11-22 12:00>"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "ported.csv:1: nothing, expected number,network"),
        ("a,b\n", "ported.csv:1: a, b, expected number,network"),
        ("number,network\n34600111222,21407\n", "ported.csv:2: '21407', expected MCC-MNC"),
        ("number,network\n0600,214-07\n", "ported.csv:2: no number, expected digits"),
        ("number,network\n34600,214-07,x\n", "ported.csv:2: 3 values, expected 2"),
    ],
)
def test_a_bad_line_is_told_without_its_number(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(MnpTableError) as caught:
        load_mnp_table(write(tmp_path, text), NOON, shown=lambda path: Path(path).name)
    assert str(caught.value).startswith(fault)


def test_a_file_that_is_not_there_or_not_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(MnpTableError, match="No such file"):
        load_mnp_table(tmp_path / "none.csv", NOON)
    (tmp_path / "octets.csv").write_bytes(b"number,network\n\xff")
    with pytest.raises(MnpTableError, match="expected UTF-8"):
        load_mnp_table(tmp_path / "octets.csv", NOON)


async def test_a_database_is_read_while_others_write_it(tmp_path: Path) -> None:
    path = tmp_path / "ported.sqlite"
    with sqlite3.connect(path) as writer:
        writer.execute("CREATE TABLE ported (number TEXT PRIMARY KEY, network TEXT)")
    with open_mnp_database(path, lambda: NOON) as database:
        assert database.cached("34600111222") is None
        with sqlite3.connect(path) as writer:
            writer.execute("INSERT INTO ported VALUES ('34600111222', '214-03'), ('1', 'what')")
        info = await database.resolve("34600111222")
        assert info is not None
        assert info.network == Network("214", "03")
        with pytest.raises(MnpTableError, match="expected MCC-MNC"):
            database.cached("1")
        assert repr(database) == f"<MnpDatabase {path}>"


@pytest.mark.parametrize("content", [None, b"no database at all, just a text"])
def test_a_file_that_is_no_database_is_told_at_once(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ported.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MnpTableError), open_mnp_database(path, lambda: NOON):
        pass
