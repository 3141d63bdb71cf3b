"""A disk that fails under a running engine: nothing is acknowledged, nothing is sent, and it recovers.

The faults are real as far as a test without a machine of its own can make them: a limit of the
operating system, another process that holds a lock, octets of the file overwritten. What SQLite makes
of each alone is in `test_sqlite.py`.
"""

import resource
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.config import parse_config
from whiteroute.engine.ledger import LedgerError, SqliteStore, open_ledger_for_reading
from whiteroute.engine.messages import DeliveryState, Message
from whiteroute.engine.service import Engine, open_engine
from whiteroute.pdu import CommandStatus
from whiteroute.simulators import Handsets, MessageCenter, behaviours, open_message_center

if TYPE_CHECKING:
    from conftest import Told

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BEFORE_RECEIPTS = 3.0
"""Seconds until the message centre has a receipt for what was submitted."""

PAGE = 4_096
"""Octets; what SQLite takes by itself."""

TOML = """
[engine]
ledger = "ledger.db"
[carriers.acme]
hosts = ["127.0.0.1:{port}"]
system_id = "gateway"
[numbering]
"34600" = "214-07"
[routes.acme-es]
carrier = "acme"
networks = ["214-07"]
traffic_classes = ["transactional"]
interconnect = {{ kind = "DIRECT_MNO", hops = 0 }}
agreement = {{ id = "A-1", kind = "BILATERAL_A2P", counterparty = "214-07", valid_from = 2020-01-01, valid_to = 2099-12-31, attested_by = "ops@example.com", attested_at = 2026-11-01 }}
sender = {{ kinds = ["ALPHA"], preserved = true, registered = ["ACME"] }}
price = {{ amount = "0.030", currency = "EUR", floor = "0.020" }}
"""

HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    """A clock that jumps when nothing happens; loopback gets its turn before."""
    return trio.testing.MockClock(autojump_threshold=0.002)


# The faults, each for as long as its block lasts.


@contextmanager
def full(store: SqliteStore, path: Path) -> Iterator[None]:
    """Somebody else's file has taken all the room that there is; see `path`."""
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    filler = path.with_name("filler")
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4_096)
    yield
    filler.unlink()


@contextmanager
def no_larger_files(store: SqliteStore, path: Path) -> Iterator[None]:
    """No file of this process may become larger than this: a quota."""
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def only_to_be_read(store: SqliteStore, _path: Path) -> Iterator[None]:
    """What a file system that was mounted anew, read-only, comes to: root may write any file."""
    store._connection.execute("PRAGMA query_only = 1")
    yield
    store._connection.execute("PRAGMA query_only = 0")


@contextmanager
def locked(_store: SqliteStore, path: Path) -> Iterator[None]:
    """Another process holds the lock for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert "locked\n" == holder.stdout.readline()
        yield
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait()


FAULTS = {
    "full": (full, "the disk is full"),
    "quota": (no_larger_files, "the disk failed"),
    "read-only": (only_to_be_read, "a file that may only be read"),
    "locked": (locked, "locked by another program"),
}


@pytest.fixture
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """Where the ledger is: for the fault `full`, on a small disk of its own, which root can make."""
    if "name" not in request.fixturenames or request.getfixturevalue("name") != "full":
        yield tmp_path / "ledger.db"
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(tmp_path)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root can make a small disk")
    try:
        yield tmp_path / "ledger.db"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


# An engine on a file.


@attrs.define(eq=False)
class Bed:
    """An engine, its message centre, and its file."""

    engine: Engine
    center: MessageCenter
    store: SqliteStore


def message(message_ref: str) -> Message:
    return Message(to="+34600111222", sender="ACME", text=message_ref, message_ref=message_ref)


def happened(center: MessageCenter, kind: str) -> int:
    return sum(event.event == kind for event in center.events())


@asynccontextmanager
async def bed(path: Path, center: MessageCenter) -> AsyncIterator[Bed]:
    """Open both; the ledger waits for nobody's lock, for that would take real time."""
    store = SqliteStore(path, busy_timeout=0.0)
    try:
        async with (
            open_message_center(center),
            open_engine(
                parse_config(TOML.format(port=center.port), folder=str(path.parent)),
                ledger=store,
                seed=1,
                now_at=lambda: int((NOON.timestamp() + trio.current_time()) * 1e6),
                inline_ledger=True,
            ) as engine,
        ):
            assert () == await engine.wait_bound(60)
            yield Bed(engine, center, store)
    finally:
        store.close()


@pytest.fixture
def center() -> MessageCenter:
    return MessageCenter(handsets=Handsets(median_delay=BEFORE_RECEIPTS), started_at=NOON)


@pytest.mark.parametrize("name", FAULTS)
async def test_while_the_disk_fails_nothing_is_acknowledged_or_sent_and_then_all_goes_on(
    autojump_clock: trio.testing.MockClock, path: Path, center: MessageCenter, name: str
) -> None:
    fault, found = FAULTS[name]
    async with bed(path, center) as on:
        engine = on.engine
        await engine.submit(message("m-1"))
        with fault(on.store, path):
            with pytest.raises(LedgerError) as caught:
                await engine.submit(message("m-2"))
            center.inject_mo("34600111222", "4321", "hello")
            refused = await center.wait_for("delivery_failed", times=2)

            assert {CommandStatus.ESME_RX_T_APPN} == {event.status for event in refused}
            assert (0, 0) == (
                happened(center, "receipt_acknowledged"),
                happened(center, "mo_acknowledged"),
            )
            assert 1 == len(center.submitted)
        await center.wait_for("receipt_acknowledged")
        await center.wait_for("mo_acknowledged")
        again = await engine.submit(message("m-2"))
        await center.wait_for("receipt_acknowledged", times=2)
        inbound = [record.text for record in engine.ledger.reader.inbound()]
        states = [engine.ledger.message(ref).message.state for ref in ("m-1", "m-2")]

    assert (found, str(path)) == (caught.value.found, caught.value.where)
    assert caught.value.expected
    assert (DeliveryState.ACCEPTED, False) == (again.state, again.known)
    assert [DeliveryState.DELIVERED] * 2 == states
    assert ["hello"] == inbound
    assert 2 == len(center.submitted)


@pytest.mark.parametrize("name", FAULTS)
async def test_what_was_taken_before_the_disk_failed_is_sent_once_after_it(
    autojump_clock: trio.testing.MockClock, path: Path, center: MessageCenter, name: str
) -> None:
    fault, _ = FAULTS[name]
    outcomes = []
    async with bed(path, center) as on, trio.open_nursery() as nursery:

        async def submit() -> None:
            outcomes.append(await on.engine.submit(message("m-1")))

        on.engine.carriers["acme"].pause(5.0)
        nursery.start_soon(submit)
        await trio.sleep(1)
        with fault(on.store, path):
            await trio.sleep(20)
            assert 0 == len(center.submitted)
        await center.wait_for("receipt_acknowledged")

    assert [DeliveryState.ACCEPTED] == [outcome.state for outcome in outcomes]
    assert 1 == len(center.submitted)


@pytest.mark.parametrize("name", FAULTS)
async def test_an_answer_that_cannot_be_written_is_written_later_and_told_only_then(
    autojump_clock: trio.testing.MockClock, path: Path, center: MessageCenter, name: str
) -> None:
    fault, _ = FAULTS[name]
    center.behaviours = (behaviours.SlowResponse(2.0),)
    told: list[str] = []
    async with bed(path, center) as on, trio.open_nursery() as nursery:

        async def submit() -> None:
            message_ref = (await on.engine.submit(message("m-1"))).message_ref
            told.append(message_ref)

        nursery.start_soon(submit)
        await center.wait_for("submit")
        with fault(on.store, path):
            await trio.sleep(30)
            assert [] == told
        await center.wait_for("receipt_acknowledged")
        history = on.engine.ledger.message("m-1")

    assert 1 == len(told)
    assert DeliveryState.DELIVERED is history.message.state


# Damage.


def damage(path: Path, start: int, length: int | None = None) -> None:
    """Overwrite some octets of a file, or all from somewhere to its end."""
    octets = bytearray(path.read_bytes())
    end = len(octets) if length is None else start + length
    octets[start:end] = b"\xa5" * (end - start)
    path.write_bytes(octets)


async def test_a_damaged_last_page_stops_everything_until_a_copy_is_put_back(
    autojump_clock: trio.testing.MockClock, path: Path, center: MessageCenter, told: "Told"
) -> None:
    store = SqliteStore(path)
    store.write([told.taken(f"old-{number:03}", text="x" * 300) for number in range(60)])
    root = store._connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_messages_1'"
    ).fetchone()[0]
    (pages,) = store._connection.execute("PRAGMA page_count").fetchone()
    store.close()
    copy = shutil.copy(path, path.with_name("copy.db"))
    damage(path, (root - 1) * PAGE, PAGE)
    damage(path, (pages - 1) * PAGE)

    with pytest.RaisesGroup(
        pytest.RaisesExc(LedgerError, match="a damaged file"),
        flatten_subgroups=True,
        allow_unwrapped=True,
    ):
        async with bed(path, center):
            raise AssertionError("it opened a damaged ledger")
    assert 0 == len(center.submitted)
    shutil.copy(copy, path)
    for name in ("ledger.db-wal", "ledger.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    async with bed(path, center) as on:
        outcome = await on.engine.submit(message("m-1"))
    assert DeliveryState.ACCEPTED is outcome.state


def test_a_damaged_end_of_the_log_costs_the_last_batch_and_nothing_before(
    path: Path, told: "Told", tmp_path: Path
) -> None:
    """What a power cut in the middle of a write leaves: a log whose last octets make no sense."""
    store = SqliteStore(path)
    sizes = []
    wal = path.with_name("ledger.db-wal")
    for number in range(5):
        store.write([told.taken(f"m-{number}"), told.started(f"m-{number}")])
        sizes.append(wal.stat().st_size)
    left = tmp_path / "left"
    left.mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        shutil.copy(path.with_name(name), left / name)
    store.close()
    damage(left / "ledger.db-wal", sizes[3] + 40)

    again = SqliteStore(left / "ledger.db")
    doubts = again.recover(told.at(100))
    check = again._connection.execute("PRAGMA integrity_check").fetchone()
    again.close()

    assert [f"m-{number}" for number in range(4)] == [doubt.message_ref for doubt in doubts]
    assert ("ok",) == check
    reader = open_ledger_for_reading(left / "ledger.db")
    assert reader.message("m-4") is None
    reader.close()
