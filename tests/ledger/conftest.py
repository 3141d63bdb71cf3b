"""Records as they come in the tests of the ledger, and the stores that keep them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from whiteroute.engine.ledger import LedgerReader, LedgerStore, MemoryStore, SqliteStore
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    ErrorSpaces,
    InboundArrived,
    LinkChanged,
    MessageClosed,
    MessageTaken,
    ReceiptArrived,
    map_error,
)

SECOND = 1_000_000
NOON = 1_793_361_600 * SECOND
"""Some noon in 2026, in microseconds."""


class Told:
    """Makes records with as little said as each test needs; times are seconds after noon."""

    def taken(self, message_ref: str = "a", at: float = 0, **facts: object) -> MessageTaken:
        usual = {
            "to": "+34600111222",
            "sender": "ACME",
            "text": "Your code is 123456",
            "route": "acme-es",
            "carrier": "acme",
            "network": "214-07",
        }
        return MessageTaken(message_ref=message_ref, taken_at=self.at(at), **(usual | facts))

    def started(self, message_ref: str = "a", at: float = 1, **facts: object) -> AttemptStarted:
        usual = {"carrier": "acme", "route": "acme-es"}
        return AttemptStarted(message_ref=message_ref, started_at=self.at(at), **(usual | facts))

    def accepted(
        self, message_ref: str = "a", message_id: str = "77", at: float = 2, **facts: object
    ) -> AttemptEnded:
        usual = {"message_id": message_id, "message_id_key": message_id, "command_status": 0}
        return AttemptEnded(
            message_ref=message_ref,
            ended_at=self.at(at),
            outcome=AttemptOutcome.ACCEPTED,
            **(usual | facts),
        )

    def refused(
        self, message_ref: str = "a", status: int = 0x0B, at: float = 2, **facts: object
    ) -> AttemptEnded:
        return AttemptEnded(
            message_ref=message_ref,
            ended_at=self.at(at),
            outcome=AttemptOutcome.REFUSED,
            command_status=status,
            error=map_error(command_status=status),
            **facts,
        )

    def doubted(self, message_ref: str = "a", at: float = 60, **facts: object) -> AttemptEnded:
        return AttemptEnded(
            message_ref=message_ref,
            ended_at=self.at(at),
            outcome=AttemptOutcome.IN_DOUBT,
            **facts,
        )

    def closed(self, message_ref: str = "a", at: float = 900, **facts: object) -> MessageClosed:
        return MessageClosed(message_ref=message_ref, closed_at=self.at(at), **facts)

    def receipt(
        self, message_id: str = "77", state: int | None = 2, at: float = 5, **facts: object
    ) -> ReceiptArrived:
        usual = {
            "carrier": "acme",
            "message_id": message_id,
            "message_id_key": message_id,
            "message_state": state,
            "stat": "DELIVRD" if state == 2 else "UNDELIV",
            "err": "000",
            "source_addr": "34600111222",
            "destination_addr": "ACME",
            "octets": b"\x00\x01receipt",
        }
        return ReceiptArrived(received_at=self.at(at), **(usual | facts))

    def failed(self, message_id: str = "77", at: float = 5, **facts: object) -> ReceiptArrived:
        error = map_error(ErrorSpaces(err_space="map"), err="27", stat="UNDELIV", message_state=5)
        return self.receipt(message_id, 5, at, **({"err": "27", "error": error} | facts))

    def inbound(self, inbound_ref: str = "i", at: float = 3, **facts: object) -> InboundArrived:
        usual = {
            "carrier": "acme",
            "source_addr": "34600111222",
            "destination_addr": "4321",
            "text": "STOP",
            "data_coding": 8,
            "link": "acme/1",
            "octets": b"\x00\x05",
        }
        return InboundArrived(inbound_ref=inbound_ref, received_at=self.at(at), **(usual | facts))

    def link(self, what: str = "bound", at: float = 0, **facts: object) -> LinkChanged:
        usual = {"carrier": "acme", "link": "acme/1"}
        return LinkChanged(what=what, changed_at=self.at(at), **(usual | facts))

    def at(self, seconds: float) -> int:
        return NOON + round(seconds * SECOND)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[LedgerStore]:
    """Every kind of store, one after the other."""
    made: LedgerStore = MemoryStore() if request.param == "memory" else SqliteStore(path)
    yield made
    made.close()


@pytest.fixture
def restart(path: Path) -> Iterator[Callable[[LedgerStore], LedgerStore]]:
    """Give a store up and own the same ledger again, as after a restart."""
    again: list[LedgerStore] = []

    def restart(store: LedgerStore) -> LedgerStore:
        store.close()
        if isinstance(store, SqliteStore):
            again.append(SqliteStore(path))
            return again[-1]
        store.write([])
        return store

    yield restart
    for store in again:
        store.close()


@pytest.fixture
def reading() -> Iterator[Callable[[LedgerStore], LedgerReader]]:
    """Open readers that are closed with the test."""
    with ExitStack() as stack:

        def reading(store: LedgerStore) -> LedgerReader:
            reader = store.open_reader()
            stack.callback(reader.close)
            return reader

        yield reading
