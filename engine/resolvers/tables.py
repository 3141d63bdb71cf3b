"""Copies of a country's portability database: a CSV held in memory, or an SQLite file left on disk."""

import csv
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import attrs

from whiteroute.routing import Network, NetworkInfo, NetworkSource, RoutingFactError

__all__ = ["MnpDatabase", "MnpTable", "MnpTableError", "load_mnp_table", "open_mnp_database"]

A_DAY = 86_400.0
"""Seconds for which a copy may be used; the national databases are given out once a day."""


class MnpTableError(Exception):
    """A table that cannot be used: where, what was found, what was expected."""

    def __init__(self, where: str, found: str, expected: str) -> None:
        self.where = where
        """`ported.csv:12`; numbers are not shown."""
        self.found = found
        self.expected = expected
        super().__init__(where, found, expected)

    def __str__(self) -> str:
        return f"{self.where}: {self.found}, expected {self.expected}"


@attrs.frozen(eq=False, kw_only=True, repr=False)
class MnpTable:
    """A `NetworkResolver` that holds ported numbers in memory: about 150 octets and 0.3 µs each."""

    networks: Mapping[str, Network]
    """By number: digits with country code, without plus."""
    issued_at: datetime
    """When the table was made; aware."""
    ttl: float = A_DAY
    """Seconds for which it may be used."""

    def cached(self, msisdn: str) -> NetworkInfo | None:
        """The network the number was ported to; None if it is not in the table."""
        network = self.networks.get(msisdn)
        return None if network is None else _ported(network, self.issued_at, self.ttl)

    async def resolve(self, msisdn: str) -> NetworkInfo | None:
        """The same as `cached`: there is nobody to ask."""
        return self.cached(msisdn)

    def __repr__(self) -> str:
        return f"<MnpTable of {len(self.networks)} numbers, issued {self.issued_at:%Y-%m-%d %H:%M}>"


def load_mnp_table(
    path: str | Path, issued_at: datetime, *, ttl: float = A_DAY, shown: Callable[[str], str] = str
) -> MnpTable:
    """Read a CSV of ported numbers.

    UTF-8, its first line names the columns `number` and `network`; others are passed over. Reading a
    million takes about two seconds: do it in a thread.

    Args:
        path: The file.
        issued_at: When the table was made; aware. Not taken from the file's own time, which a copy
            changes.
        ttl: Seconds for which it may be used.
        shown: How the file is named in errors.

    Raises:
        MnpTableError: The file cannot be read, or a line is not what it should be.
    """
    networks: dict[str, Network] = {}
    known: dict[str, Network] = {}
    where = shown(str(path))
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            for line, number, text in _lines(csv.reader(file), where):
                if not (number.isascii() and number.isdigit() and number[0] != "0"):
                    raise MnpTableError(f"{where}:{line}", "no number", "digits with country code")
                network = known.get(text)
                if network is None:
                    network = known[text] = _network(text, f"{where}:{line}")
                networks[number] = network
    except UnicodeDecodeError as error:
        raise MnpTableError(where, error.reason, "UTF-8") from None
    except (OSError, csv.Error) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise MnpTableError(where, found, "a CSV that can be read") from None
    return MnpTable(networks=networks, issued_at=issued_at, ttl=ttl)


def _lines(rows: Iterator[list[str]], where: str) -> Iterator[tuple[int, str, str]]:
    columns = [name.strip() for name in next(rows, [])]
    if not {"number", "network"} <= set(columns):
        raise MnpTableError(f"{where}:1", ", ".join(columns) or "nothing", "number,network")
    at, of = columns.index("number"), columns.index("network")
    for line, row in enumerate(rows, 2):
        if not row:
            continue
        if len(row) != len(columns):
            raise MnpTableError(f"{where}:{line}", f"{len(row)} values", f"{len(columns)}")
        yield line, row[at].strip().removeprefix("+"), row[of].strip()


def _network(text: str, where: str) -> Network:
    try:
        return Network.parse(text)
    except RoutingFactError as error:
        raise MnpTableError(where, repr(error.found), error.expected) from None


def _ported(network: Network, issued_at: datetime, ttl: float) -> NetworkInfo:
    return NetworkInfo(
        network=network, source=NetworkSource.MNP_DB, ported=True, obtained_at=issued_at, ttl=ttl
    )


@attrs.frozen(eq=False, kw_only=True, repr=False)
class MnpDatabase:
    """A `NetworkResolver` that looks ported numbers up in an SQLite file, about 10 µs each.

    For tables of tens of millions, which another process writes; each look-up is one page or two that
    the system keeps in memory, so it is done on the event loop.
    """

    connection: sqlite3.Connection
    issued_at: Callable[[], datetime]
    """When the file was last brought up to date; aware."""
    ttl: float = A_DAY
    where: str = ""
    """The file, for errors."""

    def cached(self, msisdn: str) -> NetworkInfo | None:
        """The network the number was ported to; None if it is not in the table.

        Raises:
            MnpTableError: The file cannot be read any more, or holds what is no network.
        """
        try:
            row = self.connection.execute(
                "SELECT network FROM ported WHERE number = ?", (msisdn,)
            ).fetchone()
        except sqlite3.Error as error:
            raise MnpTableError(self.where, str(error), "a table of ported numbers") from None
        if row is None:
            return None
        return _ported(_network(str(row[0]), self.where), self.issued_at(), self.ttl)

    async def resolve(self, msisdn: str) -> NetworkInfo | None:
        """The same as `cached`: there is nobody to ask."""
        return self.cached(msisdn)

    def __repr__(self) -> str:
        return f"<MnpDatabase {self.where}>"


@contextmanager
def open_mnp_database(
    path: str | Path, issued_at: Callable[[], datetime], *, ttl: float = A_DAY
) -> Iterator[MnpDatabase]:
    """Open an SQLite file with the table `ported (number TEXT PRIMARY KEY, network TEXT)`, for reading.

    Args:
        path: The file; it may be written by others meanwhile.
        issued_at: Tells when it was last brought up to date; aware.
        ttl: Seconds for which that may be used.

    Raises:
        MnpTableError: It is no such file.
    """
    where = str(path)
    try:
        connection = sqlite3.connect(f"{Path(path).resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise MnpTableError(where, str(error), "an SQLite file that can be read") from None
    try:
        database = MnpDatabase(connection=connection, issued_at=issued_at, ttl=ttl, where=where)
        database.cached("0")
        yield database
    finally:
        connection.close()
