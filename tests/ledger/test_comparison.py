"""Two stores told the same things in the same batches must never disagree, restarts included."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from whiteroute.engine.ledger import (
    LedgerReader,
    MemoryStore,
    Selection,
    SqliteStore,
    open_ledger_for_reading,
)
from whiteroute.engine.messages import (
    FOLLOWERS,
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    CeilingLearned,
    DeliveryState,
    Entry,
    InboundAcknowledged,
    InboundArrived,
    InboundGivenUp,
    LinkChanged,
    Matched,
    MessageClosed,
    MessageRerouted,
    MessageTaken,
    ReceiptArrived,
    ReceiptNews,
    ReceiptOrphaned,
    Recorded,
    RootCause,
    RunSeen,
    map_error,
)

REFS = st.sampled_from("abc")
IDS = st.sampled_from(["1", "2", ""])
CARRIERS = st.sampled_from(["acme", "best"])
NUMBERS = st.integers(1, 3)
INSTANTS = st.integers(0, 9).map(lambda second: second * 1_000_000)


def entries() -> st.SearchStrategy[Entry]:
    """Any record, true or not: few names, so that they meet."""
    return st.one_of(
        st.builds(
            MessageTaken,
            message_ref=REFS,
            to=st.just("34600111222"),
            sender=st.sampled_from(["ACME", "4321"]),
            text=st.just("x"),
            taken_at=INSTANTS,
            due_at=st.none() | INSTANTS.filter(bool),
            part_count=st.integers(1, 2),
            carrier=CARRIERS,
            duplicate_policy=st.sampled_from(["hold", "allow"]),
            reporting_parts=st.sampled_from(["all", "first", "last"]),
            state=st.sampled_from([DeliveryState.QUEUED, DeliveryState.REFUSED]),
        ),
        st.builds(
            AttemptStarted,
            message_ref=REFS,
            part=st.integers(1, 2),
            attempt=NUMBERS,
            carrier=CARRIERS,
            started_at=INSTANTS,
        ),
        st.builds(
            AttemptEnded,
            message_ref=REFS,
            part=st.integers(1, 2),
            attempt=NUMBERS,
            ended_at=INSTANTS,
            outcome=st.sampled_from(AttemptOutcome),
            retrying=st.booleans(),
            message_id=IDS,
            message_id_key=IDS,
        ),
        st.builds(
            AttemptEnded,
            message_ref=REFS,
            part=st.integers(1, 2),
            attempt=NUMBERS,
            ended_at=INSTANTS,
            outcome=st.just(AttemptOutcome.REFUSED),
            retrying=st.booleans(),
            message_id=IDS,
            command_status=st.just(0x500),
            error=st.just(map_error(command_status=0x500)),
        ),
        st.builds(
            unnamed,
            carrier=CARRIERS,
            message_id=IDS,
            err=st.sampled_from(["027", "0x5"]),
            received_at=INSTANTS,
        ),
        st.builds(
            MessageClosed,
            message_ref=REFS,
            closed_at=INSTANTS,
            state=st.sampled_from(DeliveryState),
        ),
        st.builds(
            ReceiptArrived,
            carrier=CARRIERS,
            message_id=IDS,
            message_id_key=IDS,
            receipt_kind=st.sampled_from(ReceiptNews),
            message_state=st.none() | st.integers(0, 9),
            received_at=INSTANTS,
        ),
        st.builds(
            InboundArrived,
            inbound_ref=REFS,
            carrier=CARRIERS,
            source_addr=st.just("34600111222"),
            destination_addr=st.sampled_from(["4321", "ACME"]),
            text=st.sampled_from("xy"),
            received_at=INSTANTS,
            total=st.integers(1, 2),
            segment=st.just(1),
        ),
        st.builds(
            InboundArrived,
            inbound_ref=st.sampled_from("de"),
            carrier=CARRIERS,
            source_addr=st.just("34600111222"),
            destination_addr=st.just("4321"),
            text=st.sampled_from("xy"),
            received_at=INSTANTS,
            total=st.just(2),
            segment=st.integers(1, 2),
        ),
        st.builds(InboundGivenUp, inbound_ref=st.sampled_from("abcde"), given_up_at=INSTANTS),
        st.builds(
            InboundAcknowledged,
            inbound_ref=st.sampled_from("abcde"),
            acknowledged_at=st.integers(1, 9),
        ),
        st.builds(
            LinkChanged,
            carrier=CARRIERS,
            link=st.sampled_from(["acme", "acme/1"]),
            changed_at=INSTANTS,
            what=st.sampled_from(["bound", "lost", "suspended", "resumed"]),
            root_cause=st.sampled_from(RootCause),
            can_submit=st.booleans(),
        ),
        st.builds(
            MessageRerouted,
            message_ref=REFS,
            rerouted_at=INSTANTS,
            route=st.just("other"),
            carrier=CARRIERS,
            reporting_parts=st.sampled_from(["all", "first"]),
            decision=st.just("{}"),
        ),
        st.builds(
            ReceiptOrphaned,
            number=st.integers(1, 6),
            message_id_key=IDS,
            orphaned_at=INSTANTS,
        ),
        st.builds(RunSeen, seen_at=INSTANTS),
        st.builds(CeilingLearned, carrier=CARRIERS, tps=st.floats(0.1, 99), learned_at=INSTANTS),
    )


def unnamed(carrier: str, message_id: str, err: str, received_at: int) -> ReceiptArrived:
    """A receipt whose code no table knows."""
    return ReceiptArrived(
        carrier=carrier,
        message_id=message_id,
        message_id_key=message_id,
        message_state=5,
        stat="UNDELIV",
        err=err,
        error=map_error(stat="UNDELIV", err=err, message_state=5),
        received_at=received_at,
    )


def everything(reader: LedgerReader) -> list[object]:
    """All that can be read."""
    return [
        [reader.message(ref) for ref in "abc"],
        list(reader.messages()),
        list(reader.receipts()),
        list(reader.inbound()),
        list(reader.conversations()),
        reader.incomplete(5_000_000, 2),
        reader.unacknowledged(1, 2),
        reader.doubts(),
        reader.summary("state"),
        reader.summary("carrier"),
        reader.parked(7_000_000, 3),
        reader.overdue(5_000_000, 2),
        reader.runs(),
        reader.ceilings(),
        reader.outages(),
        reader.outages("acme", 2_000_000, 7_000_000, by_link=True),
        reader.uptime("acme", 1_000_000, 8_000_000),
        reader.unmapped(),
        reader.unmapped(Selection(carrier="acme", since_at=2_000_000, until_at=7_000_000)),
        [reader.ids_seen(carrier, 2) for carrier in ("acme", "best")],
        reader.carriers(),
        [reader.replies(ref) for ref in "abc"],
        list(reader.messages(Selection(limit=2, is_newest=True))),
    ]


class TwoStores(RuleBasedStateMachine):
    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.file = SqliteStore(self.path, synchronous="NORMAL", remembered=4)
        self.memory = MemoryStore()

    @rule(batch=st.lists(entries(), max_size=8))
    def write(self, batch: list[Entry]) -> None:
        effects = self.file.write(batch)

        assert self.memory.write(batch) == effects
        for effect in effects:
            if isinstance(effect, Recorded | Matched) and effect.before is not effect.after:
                assert effect.before is None or effect.after in FOLLOWERS[effect.before]

    @rule()
    def restart(self) -> None:
        self.memory.close()
        self.file.close()
        with self.readers() as (kept, remembered):
            shown = everything(kept)
            assert everything(remembered) == shown
        self.file = SqliteStore(self.path, synchronous="NORMAL", remembered=4)
        assert self.memory.recover(10_000_000) == self.file.recover(10_000_000)
        with self.readers() as (kept, _):
            # What was shown while nobody owned the ledger is what the new owner makes of it.
            assert [record.state for record in shown[1]] == [r.state for r in kept.messages()]

    @invariant()
    def agree(self) -> None:
        assert self.memory.known("abc") == self.file.known("abc")
        with self.readers() as (kept, remembered):
            assert everything(remembered) == everything(kept)

    @contextmanager
    def readers(self) -> Iterator[tuple[LedgerReader, LedgerReader]]:
        with closing(open_ledger_for_reading(self.path)) as kept:
            yield kept, self.memory.open_reader()

    def teardown(self) -> None:
        self.file.close()
        self.folder.cleanup()


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
