"""What every store must make of every record: the suite that a new store has to pass."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from whiteroute.engine.ledger import LedgerReader, LedgerStore, Selection
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    CeilingLearned,
    Conflicting,
    Contradicted,
    DeliveryState,
    Duplicate,
    Effect,
    Entry,
    ErrorSpaces,
    Held,
    InboundAcknowledged,
    InboundGivenUp,
    InboundReady,
    InboundRecord,
    InboundState,
    Known,
    Matched,
    MessageRerouted,
    OutageEnd,
    Parked,
    ReceiptNews,
    ReceiptOrphaned,
    ReceiptVerdict,
    Recorded,
    RootCause,
    RunSeen,
    map_error,
)

if TYPE_CHECKING:
    from conftest import Told

    Reading = Callable[[LedgerStore], LedgerReader]
    Restart = Callable[[LedgerStore], LedgerStore]

S = DeliveryState


def state_of(store: LedgerStore, message_ref: str = "a") -> DeliveryState | None:
    reader = store.open_reader()
    try:
        history = reader.message(message_ref)
        return None if history is None else history.message.state
    finally:
        reader.close()


def write_one(store: LedgerStore, *entries: Entry) -> Effect:
    """Write records one at a time, and give the effect of the last."""
    effects: list[Effect] = []
    for entry in entries:
        effects = store.write([entry])
    return effects[0]


def matched(effect: Effect) -> Matched:
    assert isinstance(effect, Matched)
    return effect


# A message and its attempts


def test_a_message_goes_from_queued_to_delivered(store: LedgerStore, told: "Told") -> None:
    entries = [told.taken(), told.started(), told.accepted(), told.receipt()]
    changes = []
    for entry in entries:
        effect = write_one(store, entry)
        assert isinstance(effect, Recorded | Matched)
        changes.append((effect.before, effect.after))

    assert changes == [
        (None, S.QUEUED),
        (S.QUEUED, S.SENT),
        (S.SENT, S.ACCEPTED),
        (S.ACCEPTED, S.DELIVERED),
    ]


def test_the_same_in_one_batch_gives_the_same_effects(store: LedgerStore, told: "Told") -> None:
    effects = store.write([told.taken(), told.started(), told.accepted(), told.receipt()])

    assert [Recorded, Recorded, Recorded, Matched] == [type(effect) for effect in effects]
    assert state_of(store) == S.DELIVERED


def test_a_match_tells_all_that_an_event_needs(store: LedgerStore, told: "Told") -> None:
    receipt = told.receipt(at=6.5)
    store.write(
        [
            told.taken(tags={"campaign": "autumn"}, traffic_class="otp"),
            told.started(),
            told.accepted(),
        ]
    )

    assert write_one(store, receipt) == Matched(
        receipt=receipt,
        message_ref="a",
        part=1,
        part_count=1,
        attempt=1,
        before=S.ACCEPTED,
        after=S.DELIVERED,
        part_after=S.DELIVERED,
        latency=4.5,
        before_response=False,
        duplicate_suspected=False,
        to="+34600111222",
        traffic_class="otp",
        tags={"campaign": "autumn"},
        carrier="acme",
        route="acme-es",
        network="214-07",
    )


def test_a_known_ref_is_not_taken_twice(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    store.write([told.taken(), told.started(), told.accepted()])
    again = restart(store)

    assert write_one(again, told.taken(text="other")) == Known(message_ref="a", state=S.ACCEPTED)
    assert again.known(["a", "b"]) == {"a": S.ACCEPTED}


def test_a_message_refused_for_want_of_a_route_is_remembered(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    taken = told.taken(
        state=S.REFUSED,
        route="",
        carrier="",
        network="",
        error_code="NO_DIRECT_ROUTE",
        decision="{}",
    )
    write_one(store, taken)
    history = reading(store).message("a")

    assert history is not None
    assert (S.REFUSED, "NO_DIRECT_ROUTE") == (history.message.state, history.message.error_code)


@pytest.mark.parametrize(("retrying", "expected"), [(True, S.QUEUED), (False, S.REFUSED)])
def test_a_refused_attempt_leaves_its_message_queued_or_refused(
    store: LedgerStore, told: "Told", retrying: bool, expected: DeliveryState
) -> None:
    write_one(store, told.taken(), told.started(), told.refused(retrying=retrying))

    assert state_of(store) == expected


def test_the_next_route_may_have_what_the_first_one_refused(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    write_one(store, told.taken(), told.started(), told.refused())
    store.write([told.started(attempt=2, carrier="best", route="best-es", at=3)])
    write_one(store, told.accepted(attempt=2, message_id="b1", at=4))
    effect = matched(write_one(store, told.receipt("b1", carrier="best")))

    assert ("best", "best-es", 2) == (effect.carrier, effect.route, effect.attempt)
    assert not effect.duplicate_suspected
    history = reading(store).message("a")
    assert history is not None
    assert ("best", "best-es", "") == (
        history.message.carrier,
        history.message.route,
        history.message.error_code,
    )


def test_what_was_never_written_is_queued_again(store: LedgerStore, told: "Told") -> None:
    unwritten = AttemptEnded(
        message_ref="a", ended_at=told.at(2), outcome=AttemptOutcome.NOT_WRITTEN, retrying=True
    )
    write_one(store, told.taken(), told.started(), unwritten)

    assert state_of(store) == S.QUEUED


@pytest.mark.parametrize(
    "before",
    [["doubted"], ["accepted"], []],
)
def test_what_a_carrier_may_have_is_not_sent_again(
    store: LedgerStore, told: "Told", before: list[str]
) -> None:
    write_one(store, told.taken(), told.started(), *[getattr(told, name)() for name in before])
    effect = write_one(store, told.started(attempt=2, at=70))

    assert isinstance(effect, Held)


def test_a_clock_that_was_set_back_does_not_change_which_attempt_is_the_latest(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, told.taken(), told.started(at=50), told.refused(at=51, retrying=True))
    write_one(store, told.started(attempt=2, at=1))
    again = restart(store)
    write_one(again, told.accepted(attempt=2, at=2))

    assert state_of(again) == S.ACCEPTED
    assert matched(write_one(again, told.receipt(at=9))).after == S.DELIVERED


def test_whoever_allows_duplicates_may_send_a_doubt_again(store: LedgerStore, told: "Told") -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.doubted())

    assert isinstance(write_one(store, told.started(attempt=2, at=70)), Recorded)


def test_nothing_delivered_is_sent_again_whatever_the_policy(
    store: LedgerStore, told: "Told"
) -> None:
    store.write(
        [told.taken(duplicate_policy="allow"), told.started(), told.accepted(), told.receipt()]
    )

    assert write_one(store, told.started(attempt=2, at=70)) == Held(
        message_ref="a", part=1, state=S.DELIVERED
    )


def test_a_late_answer_settles_a_doubt(store: LedgerStore, told: "Told") -> None:
    write_one(store, told.taken(), told.started(), told.doubted())
    assert state_of(store) == S.IN_DOUBT

    write_one(store, told.accepted(at=61))
    assert state_of(store) == S.ACCEPTED
    assert matched(write_one(store, told.receipt(at=70))).after == S.DELIVERED


@pytest.mark.parametrize(
    "entry",
    [
        "started:b",
        "accepted:b",
        "closed:b:REFUSED",
        "accepted:a",
        "closed:a:DELIVERED",
        "closed:a:OVERDUE",
        "started:a:part=2",
        "started:a:part=0",
        "started:a:attempt=2",
    ],
)
def test_what_cannot_be_true_is_told_and_changes_nothing(
    store: LedgerStore, told: "Told", entry: str
) -> None:
    write_one(store, told.taken())
    kind, ref, *fact = entry.split(":")
    facts: dict[str, object] = {}
    if fact:
        name, _, value = fact[0].rpartition("=")
        facts = {name: int(value)} if name else {"state": S(value)}

    effect = write_one(store, getattr(told, kind)(ref, **facts))

    assert isinstance(effect, Contradicted)
    assert effect.message_ref == ref
    assert effect.found
    assert state_of(store) == S.QUEUED


def test_an_attempt_has_one_outcome(store: LedgerStore, told: "Told") -> None:
    write_one(store, told.taken(), told.started(), told.accepted())

    assert isinstance(write_one(store, told.refused(at=3)), Contradicted)
    assert state_of(store) == S.ACCEPTED


def test_one_record_that_cannot_be_true_does_not_spoil_its_batch(
    store: LedgerStore, told: "Told"
) -> None:
    effects = store.write([told.accepted("nobody"), told.taken(), told.started()])

    assert [Contradicted, Recorded, Recorded] == [type(effect) for effect in effects]


# What the engine closes itself


@pytest.mark.parametrize("state", [S.EXPIRED, S.CANCELLED, S.REFUSED])
def test_what_is_queued_can_be_closed(
    store: LedgerStore, told: "Told", state: DeliveryState, restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(), told.closed(state=state, error_code="WHY"))
    history = reading(restart(store)).message("a")

    assert history is not None
    assert (state, "WHY") == (history.message.state, history.message.error_code)


def test_an_expired_message_is_not_sent_any_more(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, told.taken(), told.closed(state=S.EXPIRED))

    assert isinstance(write_one(restart(store), told.started()), Held)


def test_a_message_closed_as_refused_may_be_tried_on_another_route(
    store: LedgerStore, told: "Told"
) -> None:
    write_one(store, told.taken(), told.started(), told.refused(retrying=True))
    write_one(store, told.closed(state=S.REFUSED))
    write_one(store, told.started(attempt=2, at=1000))

    assert state_of(store) == S.SENT


def test_an_overdue_message_still_takes_its_receipt(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted(), told.closed(state=S.OVERDUE))
    assert state_of(store) == S.OVERDUE

    effect = matched(write_one(restart(store), told.receipt(at=90_000)))
    assert (S.OVERDUE, S.DELIVERED) == (effect.before, effect.after)


def test_a_confirmed_cancel_ends_what_was_accepted(store: LedgerStore, told: "Told") -> None:
    write_one(store, told.taken(), told.started(), told.accepted(), told.closed(state=S.CANCELLED))

    assert state_of(store) == S.CANCELLED
    assert isinstance(write_one(store, told.receipt()), Conflicting)


def test_what_is_in_doubt_too_long_is_closed_and_late_news_are_still_taken(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(due_at=told.at(100)), told.started(), told.doubted())
    again = restart(store)
    effect = write_one(again, told.closed(state=S.IN_DOUBT, at=200))

    assert isinstance(effect, Recorded)
    assert (S.IN_DOUBT, S.IN_DOUBT) == (effect.before, effect.after)
    assert () == reading(again).overdue(told.at(300), 10)
    assert isinstance(write_one(again, told.started(attempt=2, at=300)), Held)
    write_one(restart(again), told.accepted(at=301))
    assert state_of(again) == S.ACCEPTED


def test_a_part_that_waits_beside_one_in_doubt_is_not_sent_after_the_doubt_is_closed(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, told.taken(part_count=2), told.started(), told.doubted())
    write_one(store, told.closed(state=S.IN_DOUBT))

    assert isinstance(write_one(restart(store), told.started(part=2)), Held)


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        ([], False),
        (["started"], False),
        (["started", "refused"], False),
        (["started", "accepted"], True),
        (["started", "doubted"], True),
        (["started", "accepted", "receipt"], False),
        (["started", "accepted", "failed"], False),
    ],
)
def test_a_message_is_overdue_when_the_carrier_owes_news_of_it(
    store: LedgerStore, told: "Told", reading: "Reading", happened: list[str], expected: bool
) -> None:
    write_one(store, told.taken(due_at=told.at(100)), *[getattr(told, name)() for name in happened])
    reader = reading(store)

    assert () == reader.overdue(told.at(99), 10)
    found = reader.overdue(told.at(100), 10)
    assert [("a", told.at(100))] * expected == [(each.message_ref, each.due_at) for each in found]


def test_the_longest_overdue_come_first_and_none_twice(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    for ref, due in (("a", 50), ("b", 30), ("c", 40), ("d", None)):
        due_at = None if due is None else told.at(due)
        store.write([told.taken(ref, due_at=due_at), told.started(ref), told.accepted(ref, ref)])
    reader = reading(store)

    assert ["b", "c"] == [record.message_ref for record in reader.overdue(told.at(60), 2)]
    store.write([told.closed("b", state=S.OVERDUE), told.closed("c", state=S.OVERDUE)])
    assert ["a"] == [record.message_ref for record in reader.overdue(told.at(60), 2)]


# Receipts


def test_a_receipt_finds_its_message_on_any_link_after_any_restart(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted())
    again = restart(store)

    assert matched(write_one(again, told.receipt(link="acme/9"))).message_ref == "a"


def test_the_same_id_of_another_carrier_is_another_message(
    store: LedgerStore, told: "Told"
) -> None:
    for ref, carrier in (("a", "acme"), ("b", "best")):
        write_one(store, told.taken(ref), told.started(ref, carrier=carrier), told.accepted(ref))

    assert matched(write_one(store, told.receipt(carrier="best"))).message_ref == "b"
    assert matched(write_one(store, told.receipt())).message_ref == "a"
    assert isinstance(write_one(store, told.receipt(carrier="third")), Parked)


def test_a_receipt_before_the_answer_waits_and_is_told_with_it(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    receipt = told.receipt(at=1.5)
    write_one(store, told.taken(), told.started())
    assert write_one(store, receipt) == Parked(receipt=receipt)

    again = restart(store)
    effect = write_one(again, told.accepted(at=2))

    assert isinstance(effect, Recorded)
    assert (S.SENT, S.DELIVERED) == (effect.before, effect.after)
    [told_now] = effect.receipts
    assert (receipt, True, 0.5) == (
        told_now.receipt,
        matched(told_now).before_response,
        matched(told_now).latency,
    )
    assert state_of(again) == S.DELIVERED


def test_an_id_in_a_refusal_matches_nothing(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    refused = told.refused(message_id="77", message_id_key="77")
    write_one(store, told.taken(), told.started(), refused)

    assert isinstance(write_one(restart(store), told.receipt()), Parked)


def test_all_receipts_that_waited_are_told_in_their_order(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    enroute = told.receipt(state=1, receipt_kind=ReceiptNews.INTERMEDIATE, stat="ENROUTE", at=1.2)
    write_one(store, told.taken(), told.started(), enroute, told.receipt(at=1.5))
    write_one(store, told.failed(at=1.6), told.receipt(at=1.7, err="1"))
    effect = write_one(store, told.accepted())

    assert isinstance(effect, Recorded)
    assert [Matched, Matched, Conflicting] == [type(found) for found in effect.receipts]
    reader = reading(store)
    assert [ReceiptVerdict.MATCHED] * 2 + [ReceiptVerdict.CONFLICTING, ReceiptVerdict.REPEATED] == [
        record.verdict for record in reader.receipts()
    ]


def test_a_receipt_without_an_id_is_kept_and_never_matched(
    store: LedgerStore, told: "Told"
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted(message_id=""))

    assert isinstance(write_one(store, told.receipt("")), Parked)
    assert isinstance(write_one(store, told.receipt("")), Parked)
    assert state_of(store) == S.ACCEPTED


@pytest.mark.parametrize("state", [0, 1, 6, 7, None, 42])
def test_an_interim_receipt_never_closes(
    store: LedgerStore, told: "Told", state: int | None
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted())
    interim = told.receipt(state=state, receipt_kind=ReceiptNews.INTERMEDIATE)

    assert matched(write_one(store, interim)).after == S.ACCEPTED
    assert matched(write_one(store, told.receipt(at=9))).after == S.DELIVERED


def test_an_interim_receipt_after_the_final_one_changes_nothing(
    store: LedgerStore, told: "Told"
) -> None:
    store.write([told.taken(), told.started(), told.accepted(), told.receipt()])
    late = told.receipt(state=1, receipt_kind=ReceiptNews.INTERMEDIATE, at=9)

    effect = matched(write_one(store, late))

    assert (S.DELIVERED, S.DELIVERED) == (effect.before, effect.after)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (2, S.DELIVERED),
        (3, S.EXPIRED),
        (4, S.CANCELLED),
        (5, S.FAILED),
        (8, S.FAILED),
        (9, S.FAILED),
    ],
)
def test_a_final_receipt_closes_as_it_says(
    store: LedgerStore, told: "Told", state: int, expected: DeliveryState
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted())

    assert matched(write_one(store, told.receipt(state=state))).after == expected


def test_a_failure_leaves_its_code_with_the_message(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted(), told.failed())
    history = reading(store).message("a")

    assert history is not None
    assert history.message.error_code == "ABSENT_SUBSCRIBER"


@pytest.mark.parametrize("times", [1, 3])
def test_a_repeated_receipt_is_a_duplicate_and_is_not_kept(
    store: LedgerStore, told: "Told", restart: "Restart", times: int, reading: "Reading"
) -> None:
    store.write([told.taken(), told.started(), told.accepted(), told.receipt()])
    again = restart(store)
    for time in range(times):
        effect = write_one(again, told.receipt(at=10 + time, link="other"))
        assert effect == Duplicate(message_ref="a", part=1, attempt=1)

    assert len(list(reading(again).receipts())) == 1


def test_a_repeated_receipt_is_a_duplicate_while_it_is_parked_too(
    store: LedgerStore, told: "Told"
) -> None:
    write_one(store, told.receipt())

    assert write_one(store, told.receipt(at=6)) == Duplicate()
    assert isinstance(write_one(store, told.receipt(at=6, err="1")), Parked)


def test_the_same_verdict_in_other_words_is_kept_and_changes_nothing(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write([told.taken(), told.started(), told.accepted(), told.receipt()])

    effect = write_one(store, told.receipt(at=6, done_date_at=told.at(4)))

    assert effect == Duplicate(message_ref="a", part=1, attempt=1)
    verdicts = [record.verdict for record in reading(store).receipts()]
    assert verdicts == [ReceiptVerdict.MATCHED, ReceiptVerdict.REPEATED]


def test_a_contradiction_is_kept_and_the_first_word_stands(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    store.write([told.taken(), told.started(), told.accepted(), told.failed()])
    late = told.receipt(at=50)
    again = restart(store)

    assert write_one(again, late) == Conflicting(
        receipt=late, message_ref="a", part=1, attempt=1, state=S.FAILED, told=S.DELIVERED
    )
    assert state_of(again) == S.FAILED
    conflicts = list(reading(again).receipts(Selection(verdict=ReceiptVerdict.CONFLICTING)))
    assert [late] == [record.receipt for record in conflicts]


def test_a_success_of_an_attempt_that_was_given_up_is_a_suspected_duplicate(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.accepted())
    write_one(
        store, told.started(attempt=2, at=40), told.accepted(attempt=2, message_id="78", at=41)
    )
    again = restart(store)

    first = matched(write_one(again, told.receipt("78", at=45)))
    second = matched(write_one(again, told.receipt("77", at=46)))

    assert (False, True) == (first.duplicate_suspected, second.duplicate_suspected)
    assert [ReceiptVerdict.MATCHED, ReceiptVerdict.DUPLICATE_SUSPECTED] == [
        record.verdict for record in reading(again).receipts()
    ]


def test_an_attempt_given_up_delivers_the_message_even_when_the_later_one_failed(
    store: LedgerStore, told: "Told"
) -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.accepted())
    write_one(
        store, told.started(attempt=2, at=40), told.accepted(attempt=2, message_id="78", at=41)
    )
    write_one(store, told.failed("78", at=45))
    effect = matched(write_one(store, told.receipt("77", at=46)))

    assert (S.FAILED, S.DELIVERED, True) == (
        effect.before,
        effect.after,
        effect.duplicate_suspected,
    )


def test_a_failure_of_an_attempt_that_was_given_up_decides_nothing(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.accepted())
    write_one(
        store, told.started(attempt=2, at=40), told.accepted(attempt=2, message_id="78", at=41)
    )
    effect = matched(write_one(store, told.failed("77", at=45)))
    history = reading(store).message("a")

    assert (S.ACCEPTED, S.ACCEPTED) == (effect.before, effect.after)
    assert history is not None
    assert history.message.error_code == ""


def test_a_delivery_is_no_duplicate_when_the_later_attempt_was_refused(
    store: LedgerStore, told: "Told"
) -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.accepted())
    write_one(store, told.started(attempt=2, at=40), told.refused(attempt=2, at=41))

    assert not matched(write_one(store, told.receipt(at=45))).duplicate_suspected


def test_a_carrier_that_uses_an_id_again_means_the_newest_open_message(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    store.write([told.taken("a"), told.started("a"), told.accepted("a"), told.receipt()])
    again = restart(store)
    again.write([told.taken("b", at=100), told.started("b", at=101), told.accepted("b", at=102)])

    assert matched(write_one(again, told.receipt(at=103))).message_ref == "b"
    assert write_one(again, told.receipt(at=104)) == Duplicate(message_ref="b", part=1, attempt=1)


def test_a_receipt_for_an_id_used_again_goes_to_the_one_still_open(
    store: LedgerStore, told: "Told"
) -> None:
    store.write([told.taken("a"), told.started("a"), told.accepted("a")])
    store.write([told.taken("b", at=100), told.started("b", at=101), told.accepted("b", at=102)])
    write_one(store, told.receipt(at=103))

    assert matched(write_one(store, told.receipt(at=105, done_date_at=1))).message_ref == "a"


def test_a_new_word_about_an_id_used_again_and_closed_goes_to_the_newest(
    store: LedgerStore, told: "Told"
) -> None:
    for number, ref in enumerate("ab"):
        store.write([told.taken(ref), told.started(ref), told.accepted(ref)])
        store.write([told.receipt(at=3 + number)])

    effect = write_one(store, told.failed(at=9))
    assert isinstance(effect, Conflicting)
    assert effect.message_ref == "b"


def test_an_orphan_that_was_adopted_settles_its_doubt(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(), told.started(), told.doubted(), told.receipt(at=65))
    again = restart(store)
    effect = write_one(again, told.accepted(at=130, command_status=None, adopted=True))

    assert isinstance(effect, Recorded)
    [found] = effect.receipts
    assert (S.DELIVERED, True, 64.0) == (
        matched(found).after,
        matched(found).before_response,
        matched(found).latency,
    )
    history = reading(again).message("a")
    assert history is not None
    assert history.attempts[0].ended is not None
    assert history.attempts[0].ended.adopted


# Receipts that nobody answers for


def orphaned(number: int, message_id_key: str = "77") -> ReceiptOrphaned:
    return ReceiptOrphaned(number=number, message_id_key=message_id_key, orphaned_at=0)


def test_receipts_that_wait_are_read_oldest_first(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted(), told.receipt(at=3))
    write_one(
        store, told.receipt("98", at=50), told.receipt("99", at=40), told.receipt("97", at=60)
    )
    reader = reading(restart(store))

    def waiting(before: float, limit: int = 10) -> list[str]:
        return [record.receipt.message_id for record in reader.parked(told.at(before), limit)]

    assert ["99", "98"] == waiting(60)
    assert ["99"] == waiting(61, 1)
    assert [] == waiting(40)


def test_a_receipt_that_waited_too_long_is_an_orphan_and_can_still_be_found_and_matched(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(), told.started(), told.receipt(at=1.5))
    again = restart(store)
    (record,) = reading(again).parked(told.at(100), 10)

    assert isinstance(write_one(again, orphaned(record.number)), Recorded)
    assert () == reading(again).parked(told.at(100), 10)
    orphans = Selection(verdict=ReceiptVerdict.ORPHANED)
    assert ["77"] == [each.receipt.message_id for each in reading(again).receipts(orphans)]
    assert Duplicate() == write_one(again, told.receipt(at=90))
    effect = write_one(again, told.accepted(at=200))
    assert isinstance(effect, Recorded)
    assert S.DELIVERED == effect.after


@pytest.mark.parametrize("number", [1, 2])
def test_only_a_receipt_that_waits_becomes_an_orphan(
    store: LedgerStore, told: "Told", number: int
) -> None:
    write_one(store, told.taken(), told.started(), told.accepted(), told.receipt())

    assert isinstance(write_one(store, orphaned(number)), Contradicted)
    assert isinstance(write_one(store, orphaned(1, "")), Contradicted)


def test_a_receipt_without_an_id_is_an_orphan_at_once(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    receipt = told.receipt("")

    assert Parked(receipt=receipt, is_orphan=True) == write_one(store, receipt)
    assert () == reading(store).parked(told.at(100), 10)
    assert [ReceiptVerdict.ORPHANED] == [each.verdict for each in reading(store).receipts()]


def test_a_doubt_tells_what_was_written(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    write_one(store, told.taken(text="Grüße"), told.started(), told.doubted())

    assert ["Grüße"] == [doubt.text for doubt in reading(store).doubts()]


# Why a message stands where it stands


def error_code_of(store: LedgerStore, message_ref: str = "a") -> tuple[str, DeliveryState]:
    reader = store.open_reader()
    try:
        history = reader.message(message_ref)
    finally:
        reader.close()
    assert history is not None
    return history.message.error_code, history.message.state


def test_a_part_delivered_later_does_not_take_away_why_another_one_was_lost(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    take_parts(store, told)
    write_one(store, told.failed("p1"))
    again = restart(store)
    write_one(again, told.receipt("p2"), told.receipt("p3"))

    assert ("ABSENT_SUBSCRIBER", S.FAILED) == error_code_of(again)


def test_the_first_loss_explains_the_message(store: LedgerStore, told: "Told") -> None:
    take_parts(store, told)
    write_one(store, told.failed("p1"))
    barred = map_error(ErrorSpaces(err_space="map"), err="13", stat="UNDELIV", message_state=5)
    write_one(store, told.failed("p2", err="13", error=barred))

    assert ("ABSENT_SUBSCRIBER", S.FAILED) == error_code_of(store)


def test_a_part_accepted_later_does_not_take_away_why_another_one_was_refused(
    store: LedgerStore, told: "Told"
) -> None:
    store.write([told.taken(part_count=2), told.started(part=1), told.started(part=2)])
    write_one(store, told.refused(part=1), told.accepted(part=2))

    assert ("NO_ROUTE", S.FAILED) == error_code_of(store)


def test_a_part_that_is_tried_again_does_not_explain_why_another_one_was_refused(
    store: LedgerStore, told: "Told"
) -> None:
    store.write([told.taken(part_count=2), told.started(part=1), told.started(part=2)])
    write_one(store, told.refused(part=1), told.refused(part=2, status=0x58, retrying=True))
    assert ("NO_ROUTE", S.REFUSED) == error_code_of(store)
    write_one(store, told.started(part=2, attempt=2), told.accepted(part=2, attempt=2))

    assert ("NO_ROUTE", S.FAILED) == error_code_of(store)


def test_what_was_lost_and_delivered_after_all_is_not_explained_any_more(
    store: LedgerStore, told: "Told"
) -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.accepted())
    write_one(store, told.started(attempt=2, at=40), told.accepted(attempt=2, message_id="78"))
    write_one(store, told.failed("78", at=45))
    assert ("ABSENT_SUBSCRIBER", S.FAILED) == error_code_of(store)
    write_one(store, told.receipt("77", at=46))

    assert ("", S.DELIVERED) == error_code_of(store)


def test_a_message_routed_anew_tells_the_new_decision(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, told.taken(decision='{"chosen": "old"}', part_count=2))
    anew = MessageRerouted(
        message_ref="a",
        rerouted_at=told.at(50),
        route="best-es",
        carrier="best",
        network="214-01",
        reporting_parts="first",
        decision='{"chosen": "new"}',
    )

    before = restart(store)
    effect = write_one(before, anew)
    again = restart(before)

    assert Recorded(message_ref="a", before=S.QUEUED, after=S.QUEUED) == effect
    (record,) = reading(again).messages()
    assert ('{"chosen": "new"}', "best-es", "best", "214-01", "first") == (
        record.decision,
        record.route,
        record.carrier,
        record.network,
        record.reporting_parts,
    )


@pytest.mark.parametrize("happened", [["started"], ["started", "accepted"], []])
def test_what_a_carrier_may_hold_is_not_routed_anew(
    store: LedgerStore, told: "Told", happened: list[str]
) -> None:
    known = [told.taken(), *[getattr(told, name)() for name in happened]] if happened else []
    anew = MessageRerouted(message_ref="a", rerouted_at=told.at(50), route="b", carrier="best")

    assert isinstance(write_one(store, *known, anew), Contradicted)


def test_what_was_refused_may_be_routed_anew(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    anew = MessageRerouted(message_ref="a", rerouted_at=told.at(50), route="b", carrier="best")
    effect = write_one(store, told.taken(), told.started(), told.refused(), anew)
    again = restart(store)

    assert Recorded(message_ref="a", before=S.REFUSED, after=S.QUEUED) == effect
    history = reading(again).message("a")
    assert history is not None
    assert (S.QUEUED, "b", "best", "") == (
        history.message.state,
        history.message.route,
        history.message.carrier,
        history.message.error_code,
    )
    assert [S.QUEUED] == [line.state for line in history.attempts]


# Long messages


def take_parts(store: LedgerStore, told: "Told", count: int = 3, **facts: object) -> None:
    store.write([told.taken(part_count=count, **facts)])
    for part in range(1, count + 1):
        store.write([told.started(part=part), told.accepted(part=part, message_id=f"p{part}")])


def test_a_long_message_is_delivered_when_every_part_is(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    take_parts(store, told)
    again = restart(store)
    states = [matched(write_one(again, told.receipt(f"p{part}"))).after for part in (3, 1, 2)]

    assert states == [S.ACCEPTED, S.ACCEPTED, S.DELIVERED]


def test_one_part_lost_loses_the_message(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    take_parts(store, told)
    write_one(store, told.receipt("p1"))
    effect = matched(write_one(store, told.failed("p2")))

    assert (2, S.FAILED, S.FAILED) == (effect.part, effect.part_after, effect.after)
    history = reading(store).message("a")
    assert history is not None
    assert history.part_states() == (S.DELIVERED, S.FAILED, S.ACCEPTED)


def test_a_carrier_that_reports_only_the_first_part_closes_with_it(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    take_parts(store, told, reporting_parts="first")

    assert matched(write_one(restart(store), told.receipt("p1"))).after == S.DELIVERED


def test_a_message_half_refused_and_half_taken_has_failed(store: LedgerStore, told: "Told") -> None:
    store.write([told.taken(part_count=2), told.started(part=1), told.started(part=2)])
    write_one(store, told.accepted(part=1), told.refused(part=2))

    assert state_of(store) == S.FAILED


def test_overdue_closes_the_parts_that_never_reported(store: LedgerStore, told: "Told") -> None:
    take_parts(store, told)
    write_one(store, told.receipt("p1"), told.closed(state=S.OVERDUE))

    assert state_of(store) == S.OVERDUE
    write_one(store, told.receipt("p2", at=1000))
    assert matched(write_one(store, told.receipt("p3", at=1001))).after == S.DELIVERED


def test_parts_that_were_never_started_are_closed_with_the_rest(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    store.write([told.taken(part_count=2), told.started(part=1), told.refused(part=1)])
    again = restart(store)
    write_one(again, told.closed(state=S.REFUSED))

    assert state_of(again) == S.REFUSED


# Recovery


def test_attempts_without_an_outcome_are_in_doubt_after_recovery(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    store.write([told.taken("a"), told.started("a"), told.taken("b"), told.taken("c")])
    store.write([told.started("c"), told.accepted("c")])
    again = restart(store)
    doubts = again.recover(told.at(500))

    assert [("a", 1, 1, "acme", "acme-es")] == [
        (doubt.message_ref, doubt.part, doubt.attempt, doubt.carrier, doubt.route)
        for doubt in doubts
    ]
    assert [S.IN_DOUBT, S.QUEUED, S.ACCEPTED] == [state_of(again, ref) for ref in "abc"]
    assert again.recover(told.at(501)) == ()
    assert reading(again).doubts() == doubts


def test_a_recovered_attempt_is_not_sent_again_unasked(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    store.write([told.taken(), told.started()])
    again = restart(store)
    again.recover(told.at(500))

    assert isinstance(write_one(again, told.started(attempt=2, at=501)), Held)


def test_a_running_attempt_is_recovered_even_if_its_message_is_finished(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, told.taken(duplicate_policy="allow"), told.started(), told.accepted())
    write_one(store, told.started(attempt=2, at=40), told.receipt("77", at=45))
    assert state_of(store) == S.DELIVERED
    again = restart(store)

    assert [2] == [doubt.attempt for doubt in again.recover(told.at(500))]
    assert state_of(again) == S.DELIVERED


@pytest.mark.parametrize("parts", [1, 2])
def test_without_a_writer_running_attempts_are_shown_in_doubt(
    store: LedgerStore, told: "Told", parts: int, reading: "Reading"
) -> None:
    store.write([told.taken(part_count=parts), told.started(), told.taken("b")])
    reader = reading(store)
    assert state_of(store) == S.SENT
    assert reader.has_writer
    store.close()

    assert not reader.has_writer
    history = reader.message("a")
    assert history is not None
    assert (S.IN_DOUBT, S.IN_DOUBT) == (history.message.state, history.attempts[0].state)
    assert [S.IN_DOUBT, S.QUEUED] == [record.state for record in reader.messages()]
    assert ["a"] == [r.message_ref for r in reader.messages(Selection(state=S.IN_DOUBT))]
    assert [] == list(reader.messages(Selection(state=S.SENT)))
    assert ["a"] == [doubt.message_ref for doubt in reader.doubts()]
    assert {"IN_DOUBT", "QUEUED"} == {line.key for line in reader.summary("state")}
    reader.close()


# Other records, and reading


def test_inbound_messages_are_kept_once(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    effects = store.write([told.inbound("i"), told.inbound("j"), told.inbound("i", text="other")])
    assert [InboundReady, InboundReady, Duplicate] == [type(effect) for effect in effects]

    again = restart(store)
    assert write_one(again, told.inbound("j")) == Duplicate()
    assert [told.inbound("i"), told.inbound("j")] == list(reading(again).inbound())


def test_link_changes_are_kept_in_order(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    changes = [told.link("bound"), told.link("lost", at=9, cause="reset by peer")]
    store.write(changes)

    assert changes == list(reading(store).link_changes())


def test_what_goes_in_comes_out(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    taken = told.taken(
        text="Grüße \N{GRINNING FACE} und ein Nul \x00",
        tags={"campaign": "autumn", "Größe": "\ud83d"},
        valid_until_at=told.at(600),
        due_at=told.at(4200),
        decision='{"chosen":"acme-es"}',
        duplicate_policy="allow",
        reporting_parts="last",
        traffic_class="otp",
    )
    started = told.started()
    accepted = told.accepted(network_error_code=b"\x03\x00\x01")
    receipt = told.failed(
        network_error_code=b"\x03\x00\x1b",
        error=told.failed().error.__class__(
            canonical=told.failed().error.canonical,
            permanence=told.failed().error.permanence,
            scope=told.failed().error.scope,
            rule="network_error_code:map[27]",
            stat="UNDELIV",
            err="27",
            network_error_code=b"\x03\x00\x1b",
        ),
        submit_date_at=told.at(1),
        done_date_at=told.at(3),
        link="acme/2",
        octets=bytes(range(256)),
    )
    store.write([taken, started, accepted, receipt])
    history = reading(restart(store)).message("a")

    assert history is not None
    for name in (
        "message_ref",
        "to",
        "sender",
        "text",
        "traffic_class",
        "tags",
        "duplicate_policy",
        "taken_at",
        "valid_until_at",
        "due_at",
        "part_count",
        "reporting_parts",
        "network",
        "decision",
    ):
        assert getattr(taken, name) == getattr(history.message, name)
    [attempt] = history.attempts
    assert (started, accepted, S.FAILED) == (attempt.started, attempt.ended, attempt.state)
    [record] = history.receipts
    assert (receipt, ReceiptVerdict.MATCHED, "a", 1, 1, False) == (
        record.receipt,
        record.verdict,
        record.message_ref,
        record.part,
        record.attempt,
        record.before_response,
    )


def test_half_a_surrogate_pair_from_a_peer_is_kept_as_it_is(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    store.write([told.inbound(text="\ud83d half"), told.taken(text="\ude00")])
    again = restart(store)

    assert ["\ud83d half"] == [entry.text for entry in reading(again).inbound()]
    assert ["\ude00"] == [entry.text for entry in reading(again).messages()]


def test_an_unknown_message_has_no_history(store: LedgerStore, reading: "Reading") -> None:
    assert reading(store).message("nobody") is None


def test_selections_narrow_what_is_read(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    for number, carrier in enumerate(["acme", "best", "acme"]):
        ref = f"m{number}"
        store.write(
            [
                told.taken(ref, at=number * 10, carrier=carrier, route=f"{carrier}-es"),
                told.started(ref, carrier=carrier, route=f"{carrier}-es", at=number * 10 + 1),
                told.accepted(ref, message_id=ref, at=number * 10 + 2),
                told.receipt(ref, carrier=carrier, at=number * 10 + 3),
                told.inbound(ref, carrier=carrier, at=number * 10 + 4),
                told.link(carrier=carrier, at=number * 10 + 5),
            ]
        )
    store.write([told.taken("waiting", at=100), told.receipt("orphan", at=101)])
    reader = reading(store)

    def refs(**facts: object) -> list[str]:
        return [record.message_ref for record in reader.messages(Selection(**facts))]

    def receipts(**facts: object) -> list[str]:
        return [record.receipt.message_id for record in reader.receipts(Selection(**facts))]

    assert refs() == ["m0", "m1", "m2", "waiting"]
    assert refs(carrier="best") == ["m1"]
    assert refs(route="acme-es") == ["m0", "m2", "waiting"]
    assert refs(state=S.DELIVERED, limit=2) == ["m0", "m1"]
    assert refs(since_at=told.at(10), until_at=told.at(20)) == ["m1"]
    assert refs(message_ref="m2") == ["m2"]
    assert receipts(message_ref="m2") == ["m2"]
    assert receipts(carrier="best") == ["m1"]
    assert receipts(verdict=ReceiptVerdict.PARKED) == ["orphan"]
    assert receipts(state=S.DELIVERED) == ["m0", "m1", "m2"]
    assert receipts(route="best-es") == ["m1"]
    assert receipts(since_at=told.at(23), limit=1) == ["m2"]
    assert len(list(reader.inbound(Selection(carrier="acme", limit=1)))) == 1
    assert len(list(reader.link_changes(Selection(since_at=told.at(15))))) == 2
    reader.close()


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("carrier", {"acme": 2, "best": 1}),
        ("route", {"acme-es": 3}),
        ("network", {"214-07": 3}),
        ("traffic_class", {"transactional": 3}),
        ("campaign", {"": 2, "autumn": 1}),
        ("error", {"": 2, "ABSENT_SUBSCRIBER": 1}),
        ("hour", {"2026-10-30T12": 2, "2026-10-30T13": 1}),
        ("state", {"DELIVERED": 1, "FAILED": 1, "QUEUED": 1}),
    ],
)
def test_messages_are_counted_by_what_they_have_in_common(
    store: LedgerStore, told: "Told", by: str, expected: dict[str, int], reading: "Reading"
) -> None:
    store.write([told.taken("a"), told.started("a"), told.accepted("a"), told.receipt()])
    store.write([told.taken("b", at=3599), told.started("b"), told.accepted("b", "78")])
    store.write(
        [
            told.failed("78"),
            told.taken("c", at=3600, carrier="best", part_count=2, tags={"campaign": "autumn"}),
        ]
    )
    lines = reading(store).summary(by)

    assert expected == {line.key: line.messages for line in lines}
    assert sum(line.parts for line in lines) == 4
    assert all(sum(line.states.values()) == line.messages for line in lines)


def test_a_summary_can_be_narrowed(store: LedgerStore, told: "Told", reading: "Reading") -> None:
    store.write([told.taken("a"), told.taken("b", carrier="best")])

    [line] = reading(store).summary("carrier", Selection(carrier="best"))
    assert (line.key, line.messages, line.states) == ("best", 1, {S.QUEUED: 1})


def test_nothing_that_a_person_wrote_is_in_a_repr(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    entries = [
        told.taken(tags={"name": "Secret"}, decision="Secret", text="Secret"),
        told.started(),
        told.accepted(),
        told.inbound(text="Secret", octets=b"Secret"),
    ]
    receipt = told.receipt(octets=b"Secret")
    effects = store.write(entries)
    effects += store.write([receipt])
    reader = reading(store)
    shown = repr([entries, receipt, effects, reader.message("a"), reader.doubts(), store, reader])

    assert "Secret" not in shown
    assert "600111222" not in shown


# Outages, runs and ceilings


def test_an_outage_is_read_with_its_cause_and_its_end(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.recover(told.at(0))
    lost = told.link(
        "lost", at=100, cause="nothing came", root_cause=RootCause.SILENCE, host="a.example:2775"
    )
    store.write([told.link(at=1), lost, told.link(at=160)])
    reader = reading(store)

    (outage,) = reader.outages()
    assert ("acme", "", told.at(100), told.at(160), RootCause.SILENCE, OutageEnd.BOUND) == (
        outage.carrier,
        outage.link,
        outage.began_at,
        outage.ended_at,
        outage.root_cause,
        outage.end,
    )
    assert ("nothing came", "a.example:2775") == (outage.phases[0].cause, outage.phases[0].host)
    assert ["acme/1"] == [each.link for each in reader.outages("acme", by_link=True)]
    assert () == reader.outages("best")
    assert () == reader.outages(since_at=told.at(160))
    assert () == reader.outages(until_at=told.at(100))
    assert (outage,) == reader.outages("acme", told.at(159), told.at(161))


def test_uptime_counts_only_what_was_watched(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    """A crash at an unknown time after 300 leaves `bound` as the last word; the next start is at 700."""
    store.recover(told.at(0))
    store.write([told.link(at=0), RunSeen(seen_at=told.at(300)), RunSeen(seen_at=told.at(299))])
    again = restart(store)
    again.recover(told.at(700))
    unreachable = told.link("unreachable", at=710, root_cause=RootCause.UNREACHABLE)
    again.write([unreachable, told.link(at=750), told.link("lost", at=900)])
    reader = reading(again)

    uptime = reader.uptime("acme", told.at(0), told.at(1000))
    assert (450, 140, 410, 2) == (uptime.up, uptime.down, uptime.unobserved, uptime.outages)
    assert {RootCause.UNKNOWN: 100, RootCause.UNREACHABLE: 40} == uptime.down_by_cause
    assert [None] == [outage.ended_at for outage in uptime.open_outages]
    late = reader.uptime("acme", told.at(720), told.at(760))
    assert (10, 30) == (late.up, late.down)
    assert [(told.at(0), told.at(300)), (told.at(700), told.at(700))] == [
        (run.started_at, run.seen_at) for run in reader.runs()
    ]


def test_when_the_engine_has_ended_no_outage_is_open(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.recover(told.at(0))
    store.write([told.link("refused", at=10, command_status=0x0E), RunSeen(seen_at=told.at(20))])
    reader = reading(store)
    assert [OutageEnd.OPEN] == [outage.end for outage in reader.outages()]
    store.close()

    (outage,) = reader.outages()
    assert (OutageEnd.UNOBSERVED, told.at(20), 0x0E) == (
        outage.end,
        outage.ended_at,
        outage.phases[0].command_status,
    )
    assert 80 == reader.uptime("acme", told.at(10), told.at(100)).unobserved


def test_nobody_watches_before_the_first_run(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write([RunSeen(seen_at=told.at(5)), told.link(at=1), told.link("lost", at=2)])
    reader = reading(store)

    assert ((), ()) == (reader.runs(), reader.outages())
    assert None is reader.uptime("acme", told.at(0), told.at(9)).share


def test_news_of_links_come_out_as_they_went_in(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    change = told.link(
        "refused",
        cause="no such password",
        root_cause=RootCause.CREDENTIALS,
        host="[::1]:2775",
        command_status=0x0E,
        can_submit=False,
    )
    store.write([change])

    assert [change] == list(reading(restart(store)).link_changes())


def test_the_last_ceiling_of_each_carrier_is_kept(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    learned = [
        CeilingLearned(carrier="acme", tps=80.0, learned_at=told.at(1)),
        CeilingLearned(carrier="best", tps=12.5, learned_at=told.at(2)),
        CeilingLearned(carrier="acme", tps=56.0, learned_at=told.at(3)),
    ]
    store.write(learned)
    again = restart(store)

    assert {"acme": learned[2], "best": learned[1]} == reading(again).ceilings()


# Messages from handsets


def segment(told: "Told", number: int, text: str, at: float = 3, **facts: object) -> Entry:
    usual = {"reference": 9, "total": 3, "segment": number, "text": text}
    return told.inbound(f"s{number}-{at}-{facts.get('reference', 9)}", at, **(usual | facts))


def ready(effect: Effect) -> InboundRecord:
    assert isinstance(effect, InboundReady)
    return effect.message


def test_a_message_that_comes_whole_is_ready_at_once(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    record = ready(write_one(store, told.inbound("i", at=3)))

    assert ("i", "STOP", 1, (), "", None, told.at(3)) == (
        record.inbound_ref,
        record.text,
        record.total,
        record.missing,
        record.reply_to,
        record.acknowledged_at,
        record.received_at,
    )
    assert [record] == list(reading(restart(store)).conversations())


def test_segments_come_in_any_order_on_any_link_over_any_restart(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    assert isinstance(write_one(store, segment(told, 3, "!", link="acme/1")), Recorded)
    store = restart(store)
    assert isinstance(write_one(store, segment(told, 1, "one ", link="acme/2", at=4)), Recorded)
    store = restart(store)
    record = ready(write_one(store, segment(told, 2, "two", at=5)))

    assert ("one two!", "s3-3-9", 3, ()) == (
        record.text,
        record.inbound_ref,
        record.total,
        record.missing,
    )


def test_segments_of_one_batch_are_put_together(store: LedgerStore, told: "Told") -> None:
    effects = store.write([segment(told, number, str(number)) for number in (2, 1, 3)])

    assert [Recorded, Recorded, InboundReady] == [type(effect) for effect in effects]
    assert "123" == ready(effects[-1]).text


@pytest.mark.parametrize(
    "other",
    [
        {"carrier": "best"},
        {"source_addr": "34600999888"},
        {"destination_addr": "999"},
        {"reference": 10},
        {"total": 4},
    ],
)
def test_segments_of_different_messages_are_kept_apart(
    store: LedgerStore, told: "Told", other: dict[str, object]
) -> None:
    write_one(store, segment(told, 1, "a"), segment(told, 2, "b"))

    assert isinstance(write_one(store, segment(told, 3, "x", at=4, **other)), Recorded)
    assert "abc" == ready(write_one(store, segment(told, 3, "c", at=5))).text


def test_a_segment_that_comes_again_is_a_duplicate_before_and_after_the_message_is_whole(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, segment(told, 1, "a"))
    assert Duplicate() == write_one(store, segment(told, 1, "a", at=10))
    write_one(store, segment(told, 2, "b", at=11), segment(told, 3, "c", at=12))
    store = restart(store)
    assert Duplicate() == write_one(store, segment(told, 2, "b", at=13))

    assert 1 == len(list(reading(store).conversations()))
    assert 3 == len(list(reading(store).inbound()))


def test_a_reference_that_comes_round_begins_another_message(
    store: LedgerStore, told: "Told", restart: "Restart"
) -> None:
    write_one(store, *(segment(told, number, "a") for number in (1, 2, 3)))
    store = restart(store)
    write_one(store, *(segment(told, number, "b", at=60) for number in (1, 2)))

    assert "bbb" == ready(write_one(store, segment(told, 3, "b", at=61))).text
    later = [write_one(store, segment(told, number, "b", at=5000)) for number in (1, 2, 3)]
    assert "bbb" == ready(later[-1]).text


def test_a_character_cut_between_two_segments_is_put_together(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, segment(told, 1, "hi \ud83d", total=2))
    store = restart(store)

    assert (
        "hi \N{GRINNING FACE}" == ready(write_one(store, segment(told, 2, "\ude00", total=2))).text
    )
    assert ["hi \N{GRINNING FACE}"] == [each.text for each in reading(store).conversations()]


def test_what_misses_segments_for_too_long_is_told_as_it_is(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    write_one(store, segment(told, 3, "c", at=10), segment(told, 1, "a", at=11))
    write_one(store, segment(told, 1, "x", at=5, reference=8), told.inbound("whole"))
    reader = reading(store)
    assert [] == list(reader.incomplete(told.at(5), 10))
    assert [(2, 3), (2,)] == [record.missing for record in reader.incomplete(told.at(11), 10)]
    assert [(2, 3)] == [record.missing for record in reader.incomplete(told.at(11), 1)]

    store = restart(store)
    given_up = InboundGivenUp(inbound_ref="s3-10-9", given_up_at=told.at(700))
    record = ready(write_one(store, given_up))
    assert ("ac", (2,), InboundState.PARTIAL) == (record.text, record.missing, record.state)
    assert isinstance(write_one(store, given_up), Contradicted)
    nobody = InboundGivenUp(inbound_ref="nobody", given_up_at=0)
    assert isinstance(write_one(store, nobody), Contradicted)
    # What comes after all begins anew: the rest was told.
    assert isinstance(write_one(store, segment(told, 2, "b", at=900)), Recorded)


def test_what_is_not_acknowledged_is_told_again_over_restarts(
    store: LedgerStore, told: "Told", restart: "Restart", reading: "Reading"
) -> None:
    store.write([told.inbound("i"), told.inbound("j"), told.inbound("k"), segment(told, 1, "a")])
    store = restart(store)
    reader = reading(store)
    assert ["i", "j", "k"] == [record.inbound_ref for record in reader.unacknowledged(0, 10)]
    assert ["j"] == [record.inbound_ref for record in reader.unacknowledged(1, 1)]

    acknowledged = InboundAcknowledged(inbound_ref="j", acknowledged_at=told.at(50))
    later = InboundAcknowledged(inbound_ref="j", acknowledged_at=told.at(60))
    assert [Recorded(), Recorded()] == [write_one(store, each) for each in (acknowledged, later)]
    store = restart(store)
    reader = reading(store)
    assert ["i", "k"] == [record.inbound_ref for record in reader.unacknowledged(0, 10)]
    assert [None, told.at(50), None, None] == [
        record.acknowledged_at for record in reader.conversations()
    ]


@pytest.mark.parametrize("inbound_ref", ["nobody", "s1-3-9"])
def test_what_was_never_told_cannot_be_acknowledged(
    store: LedgerStore, told: "Told", inbound_ref: str
) -> None:
    write_one(store, segment(told, 1, "a"))
    acknowledged = InboundAcknowledged(inbound_ref=inbound_ref, acknowledged_at=0)

    assert isinstance(write_one(store, acknowledged), Contradicted)


@pytest.mark.parametrize("same_batch", [True, False])
def test_a_reply_names_our_last_message_of_the_conversation(
    store: LedgerStore, told: "Told", restart: "Restart", same_batch: bool
) -> None:
    ours = [
        told.taken("a", sender="+4321"),
        told.taken("b", sender="4321", to="34600111222"),
        told.taken("c", sender="4322"),
        told.taken("d", sender="4321", to="+34600999888"),
        told.taken("e", sender="4321", state=S.REFUSED),
    ]
    if same_batch:
        effects = store.write([*ours, told.inbound("i")])
    else:
        store.write(ours)
        store = restart(store)
        effects = store.write([told.inbound("i")])

    assert "b" == ready(effects[-1]).reply_to
    store.write([told.taken("f", sender="4321")])
    assert "f" == ready(write_one(store, told.inbound("j"))).reply_to


def test_nobody_can_answer_to_a_name(store: LedgerStore, told: "Told") -> None:
    write_one(store, told.taken(sender="ACME"))

    assert "" == ready(write_one(store, told.inbound(destination_addr="ACME"))).reply_to
    assert "" == ready(write_one(store, told.inbound("j"))).reply_to


# What a carrier has to be asked about


def unnamed(told: "Told", message_id: str, at: float, err: str = "027", **facts: object) -> Entry:
    """A receipt whose code no table knows."""
    error = map_error(err=err, stat="UNDELIV", message_state=5)
    return told.receipt(message_id, 5, at, **({"err": err, "error": error} | facts))


def refused_oddly(told: "Told", message_ref: str, at: float, **facts: object) -> AttemptEnded:
    ended = told.refused(message_ref, 0x0500, at, **facts)
    assert ended.error is not None
    assert ended.error.canonical == "UNKNOWN"
    return ended


def test_codes_that_nobody_can_name_are_counted(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    by_profile = map_error(
        ErrorSpaces(err_table={"5": "UNKNOWN"}), err="5", stat="UNDELIV", message_state=5
    )
    store.write(
        [
            *(told.taken(ref) for ref in "abcd"),
            *(told.started(ref) for ref in "abcd"),
            told.accepted("a", "1", at=2),
            told.accepted("b", "2", at=2),
            refused_oddly(told, "c", at=3),
            refused_oddly(told, "d", at=4),
            unnamed(told, "1", at=5),
            unnamed(told, "2", at=7),
            unnamed(told, "9", at=6, err="0x5"),
            unnamed(told, "8", at=8, carrier="other", network_error_code=b"\x03\x00\x99"),
            told.failed("2", at=9),
            told.receipt("3", 5, 10, err="5", error=by_profile),
        ]
    )

    found = reading(store).unmapped()

    assert [
        ("acme", None, "UNDELIV", "027", b"", 2, 5, 7, "2", "b"),
        ("acme", 0x0500, "", "", b"", 2, 3, 4, "", "d"),
        ("acme", None, "UNDELIV", "0x5", b"", 1, 6, 6, "9", ""),
        ("other", None, "UNDELIV", "027", b"\x03\x00\x99", 1, 8, 8, "8", ""),
    ] == sorted(
        (
            (
                *(code.carrier, code.command_status, code.stat, code.err),
                *(code.network_error_code, code.count),
                *((at - told.at(0)) // 1_000_000 for at in (code.first_at, code.last_at)),
                *(code.message_id, code.message_ref),
            )
            for code in found
        ),
        key=lambda each: (each[0], -each[5], each[6] != 5),
    )
    assert ["acme", "acme", "acme", "other"] == [code.carrier for code in found]
    assert [2, 2, 1, 1] == [code.count for code in found]
    assert [
        ("34600111222", "ACME"),
        ("+34600111222", "ACME"),
    ] == [code.addresses for code in sorted(found, key=lambda code: code.command_status or 0)[::3]]


def test_unmapped_codes_are_narrowed_by_carrier_and_time(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write(
        [
            unnamed(told, "1", at=5),
            unnamed(told, "2", at=6),
            unnamed(told, "3", at=7, carrier="other"),
            told.taken(),
            told.started(),
            refused_oddly(told, "a", at=8),
        ]
    )
    reader = reading(store)

    def counts(**narrowed: object) -> list[tuple[str, int]]:
        return [(code.carrier, code.count) for code in reader.unmapped(Selection(**narrowed))]

    assert [("other", 1)] == counts(carrier="other")
    assert [("acme", 1), ("acme", 1), ("other", 1)] == sorted(counts(since_at=told.at(6)))
    assert [("acme", 1)] == counts(until_at=told.at(6))
    assert [] == counts(carrier="nobody")


def test_the_sample_of_refusals_is_the_newest_with_its_own_id(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    facts = {"message_id": "odd-2", "retrying": True}
    store.write(
        [
            *(told.taken(ref, part_count=2) for ref in "ab"),
            *(told.started(ref) for ref in "ab"),
            refused_oddly(told, "b", 2, **facts),
            told.started("b", attempt=2),
            refused_oddly(told, "b", 3, attempt=2, message_id="odd-3"),
            refused_oddly(told, "a", 9, message_id="odd-1"),
        ]
    )

    [code] = reading(store).unmapped()

    assert (3, "odd-3", "b") == (code.count, code.message_id, code.message_ref)
    assert (told.at(2), told.at(9)) == (code.first_at, code.last_at)


def test_the_ids_of_a_carrier_are_read_newest_first(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write(
        [
            *(told.taken(ref, to=f"+3460011122{place}") for place, ref in enumerate("abcdef")),
            *(told.started(ref, at=1 + place) for place, ref in enumerate("abcde")),
            told.started("f", carrier="other"),
            told.accepted("a", "A1", message_id_key="161", at=9),
            told.accepted("b", "B2", message_id_key="178", at=9),
            told.refused("c", at=9),
            told.doubted("d", at=9),
            told.accepted("d", "D4", adopted=True, at=10),
            told.accepted("f", "F6", at=9),
            told.receipt("161", at=11),
            told.receipt("999", at=12, source_addr="1", destination_addr="2"),
            told.receipt("", at=13),
            told.receipt("777", at=14, carrier="other"),
            told.receipt("178", at=15),
        ]
    )
    reader = reading(store)

    seen = reader.ids_seen("acme", 10)
    fewest = reader.ids_seen("acme", 1)

    assert [
        ("B2", "+34600111221", told.at(2)),
        ("A1", "+34600111220", told.at(1)),
    ] == [(each.message_id, each.to, each.started_at) for each in seen.accepted]
    assert [
        ("999", False, "1", "2", told.at(12)),
        ("178", True, "34600111222", "ACME", told.at(15)),
        ("161", True, "34600111222", "ACME", told.at(11)),
    ] == [
        (
            *(each.message_id, each.is_matched),
            *(each.source_addr, each.destination_addr, each.received_at),
        )
        for each in seen.received
    ]
    assert ["999", "178"] == [each.message_id for each in fewest.received]
    assert 2 == len(fewest.accepted)


def test_all_carriers_are_known_by_whatever_they_did(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write(
        [
            told.taken("a", carrier="taken"),
            told.taken("b", carrier="", state=S.REFUSED),
            told.taken("c", carrier="first"),
            told.started("c", carrier="tried"),
            told.receipt("9", carrier="receipts"),
            told.inbound(carrier="inbound"),
            told.link(carrier="links"),
        ]
    )

    assert ("inbound", "links", "receipts", "taken", "tried") == reading(store).carriers()


def test_replies_are_found_by_the_message_that_they_answer(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write(
        [
            told.taken("a", sender="4321"),
            told.inbound("i", at=3),
            told.inbound("j", at=4, source_addr="34699000000"),
            told.inbound("k", at=5),
        ]
    )
    reader = reading(store)

    assert ["i", "k"] == [reply.inbound_ref for reply in reader.replies("a")]
    assert () == reader.replies("")
    assert () == reader.replies("b")


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({"network": "214-07"}, ["a", "b"]),
        ({"traffic_class": "otp"}, ["b"]),
        ({"to": "34600111222"}, ["a", "c"]),
        ({"to": "+34600111222"}, ["a", "c"]),
        ({"to": "4600111222"}, []),
        ({"error_code": "NO_ROUTE"}, ["c"]),
        ({"tags": {"campaign": "autumn"}}, ["a", "b"]),
        ({"tags": {"campaign": "autumn", 'o"dd.$[0]': "1"}}, ["b"]),
        ({"tags": {"campaign": "winter"}}, []),
        ({"tags": {"nothing": "autumn"}}, []),
        ({"network": "214-07", "traffic_class": "transactional"}, ["a"]),
        ({"limit": 2}, ["a", "b"]),
        ({"limit": 2, "is_newest": True}, ["b", "c"]),
        ({"limit": 9, "is_newest": True}, ["a", "b", "c"]),
        ({"limit": 0, "is_newest": True}, []),
        ({"is_newest": True}, ["a", "b", "c"]),
        ({"limit": 1, "is_newest": True, "network": "214-07"}, ["b"]),
    ],
)
def test_messages_are_narrowed_by_what_they_are(
    store: LedgerStore,
    told: "Told",
    reading: "Reading",
    narrowed: dict[str, object],
    expected: list[str],
) -> None:
    store.write(
        [
            told.taken("a", tags={"campaign": "autumn"}),
            told.taken(
                "b",
                to="34600111223",
                traffic_class="otp",
                tags={"campaign": "autumn", 'o"dd.$[0]': "1"},
            ),
            told.taken("c", to="34600111222", network="", state=S.REFUSED, error_code="NO_ROUTE"),
        ]
    )
    reader = reading(store)
    selection = Selection(**narrowed)

    assert expected == [message.message_ref for message in reader.messages(selection)]
    if selection.limit is None:
        counted = reader.summary("state", selection)
        assert len(expected) == sum(line.messages for line in counted)


def test_the_newest_receipts_and_messages_from_handsets_are_those_within_a_limit(
    store: LedgerStore, told: "Told", reading: "Reading"
) -> None:
    store.write([told.receipt(str(number), at=number) for number in range(5)])
    store.write([told.inbound(str(number), at=number) for number in range(5)])
    reader = reading(store)
    newest = Selection(limit=2, is_newest=True)

    assert ["3", "4"] == [line.receipt.message_id for line in reader.receipts(newest)]
    assert ["3", "4"] == [record.inbound_ref for record in reader.conversations(newest)]
