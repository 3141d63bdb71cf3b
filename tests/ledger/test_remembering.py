"""Which lines stay open between batches, and that those which were closed are found again."""

from pathlib import Path
from typing import TYPE_CHECKING

from whiteroute.engine.ledger import SqliteStore
from whiteroute.engine.messages import Contradicted, DeliveryState, Duplicate, Matched

if TYPE_CHECKING:
    from conftest import Told

S = DeliveryState


def sent(store: SqliteStore, told: "Told", number: int) -> None:
    """Write a message that was accepted."""
    ref = f"m-{number}"
    store.write([told.taken(ref), told.started(ref), told.accepted(ref, message_id=f"id-{number}")])


def test_the_younger_half_stays_open(path: Path, told: "Told") -> None:
    store = SqliteStore(path, remembered=20)
    for number in range(11):
        sent(store, told, number)

    assert [f"m-{number}" for number in range(5, 11)] == list(store._book.messages)
    assert [f"id-{number}" for number in range(5, 11)] == list(store._book.pages)
    store.close()


def test_old_and_young_lines_alike_hear_of_their_receipts(path: Path, told: "Told") -> None:
    store = SqliteStore(path, remembered=20)
    for number in range(40):
        sent(store, told, number)
        assert store._book.size <= 20
    effects = [store.write([told.receipt(f"id-{number}")])[0] for number in range(40)]
    again = [store.write([told.receipt(f"id-{number}")])[0] for number in range(40)]

    assert [f"m-{number}" for number in range(40)] == [
        effect.message_ref for effect in effects if isinstance(effect, Matched)
    ]
    assert {Duplicate} == set(map(type, again))
    with_all = store.open_reader()
    assert {S.DELIVERED} == {record.state for record in with_all.messages()}
    with_all.close()
    store.close()


def test_an_id_that_two_messages_share_is_never_half_open(path: Path, told: "Told") -> None:
    store = SqliteStore(path, remembered=20)
    sent(store, told, 0)
    for number in range(1, 10):
        sent(store, told, number)
    store.write(
        [told.taken("late"), told.started("late"), told.accepted("late", message_id="id-0")]
    )
    # The old message is closed, the late one is open: their page has to go with the old one.
    assert "m-0" not in store._book.messages
    assert "late" in store._book.messages
    assert "id-0" not in store._book.pages

    first = store.write([told.receipt("id-0", at=6)])[0]
    second = store.write([told.failed("id-0", at=7)])[0]
    assert isinstance(first, Matched)
    assert isinstance(second, Matched)
    assert {"m-0", "late"} == {first.message_ref, second.message_ref}
    store.close()


def test_numbers_go_on_after_lines_were_closed(path: Path, told: "Told") -> None:
    store = SqliteStore(path, remembered=4)
    for number in range(10):
        sent(store, told, number)
        store.write([told.receipt(f"id-{number}")])
    repeated = store.write([told.started("m-0", attempt=1)])[0]
    reader = store.open_reader()

    assert isinstance(repeated, Contradicted)
    assert list(range(1, 11)) == [record.number for record in reader.receipts()]
    reader.close()
    store.close()
