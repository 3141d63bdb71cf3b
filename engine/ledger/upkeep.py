"""Looking after a ledger file while no engine needs it: is it sound, how large is it, what would go.

Looking is done on a read-only connection, beside an engine if need be; rewriting needs to own the file.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import attrs

from whiteroute.engine.messages import KEEP_ALL, Privacy

from .errors import LedgerError
from .lock import OwnerLock, is_owned
from .purge import Purge, Purged
from .purger import Purger
from .schema import VERSION, checked_version
from .sqlite_reader import connect_read_only, explain_failure

__all__ = ["LedgerCheck", "check_ledger", "compact_ledger", "count_purge"]

_TABLES: Final = (
    *("messages", "attempts", "receipts", "inbound", "conversations", "link_changes", "runs"),
    "purges",
)
_INCREMENTAL: Final = 2
"""What SQLite answers to `PRAGMA auto_vacuum` for a file that can give pages back by and by."""
_MOST_FAULTS: Final = 20


@attrs.frozen(kw_only=True)
class LedgerCheck:
    """What was found in a ledger file."""

    version: int
    faults: tuple[str, ...]
    """What SQLite and its index of rows have to say, at most 20 lines; empty for a sound file."""
    lines: Mapping[str, int]
    """How many there are, by table."""
    octets: int
    """Of the file, and of the log beside it."""
    free_octets: int
    """Pages of the file that hold nothing; later lines use them."""
    gives_back: bool
    """Whether purging makes the file smaller; if not, `compact_ledger` does once, and for ever."""
    has_writer: bool


def check_ledger(path: str | Path) -> LedgerCheck:
    """Read a whole ledger and say what is wrong with it; takes as long as reading the file does.

    Raises:
        LedgerError: It is no ledger, of another version, or cannot be read at all.
    """
    place = Path(path)
    with _reading(place) as connection:
        version = checked_version(connection, str(place))
        if version != VERSION:
            raise LedgerError(
                f"a ledger of version {version}",
                f"version {VERSION}: let an engine open it once",
                str(place),
            )
        found = connection.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _TABLES
        }
        size, free, vacuum = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_size", "freelist_count", "auto_vacuum")
        )
    log = place.with_name(place.name + "-wal")
    return LedgerCheck(
        version=version,
        faults=tuple(" ".join(row[0].split()) for row in found if row[0] != "ok"),
        lines=counts,
        octets=place.stat().st_size + (log.stat().st_size if log.exists() else 0),
        free_octets=free * size,
        gives_back=vacuum == _INCREMENTAL,
        has_writer=is_owned(place),
    )


def count_purge(path: str | Path, purge: Purge, privacy: Privacy = KEEP_ALL) -> Purged:
    """Count what a purge would take out, and change nothing.

    Args:
        path: The ledger's file.
        purge: What would be purged.
        privacy: As the ledger is written; hashed numbers are found by their key alone.

    Raises:
        LedgerError: It is no ledger, or cannot be read.
    """
    place = Path(path)
    with _reading(place) as connection:
        checked_version(connection, str(place))
        connection.execute("BEGIN")
        return Purger(connection, privacy).count(purge)


def compact_ledger(path: str | Path) -> None:
    """Rewrite a file without its free pages, so that it gives them back by itself from now on.

    Needs as much room again beside it, and takes as long as copying it does.

    Raises:
        LedgerError: An engine owns it, it is no ledger, or it cannot be written.
    """
    place = Path(path)
    check_is_file(place)
    lock = OwnerLock(place)
    lock.take()
    try:
        with _explained(place), closing(sqlite3.connect(place, isolation_level=None)) as connection:
            checked_version(connection, str(place))
            connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        lock.release()


def check_is_file(place: Path) -> None:
    """Raise `LedgerError` where there is no file, which SQLite would make."""
    if not place.is_file():
        raise LedgerError("no such file", "a ledger", str(place))


@contextmanager
def _reading(place: Path) -> Iterator[sqlite3.Connection]:
    check_is_file(place)
    with _explained(place), closing(connect_read_only(place)) as connection:
        yield connection


@contextmanager
def _explained(place: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise explain_failure(error, "cannot be read", str(place)) from error
