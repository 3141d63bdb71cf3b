"""What every store must make of every record: the suite that a new store has to pass."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from whiteroute.engine.ledger import LedgerReader, LedgerStore, Selection
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    Conflicting,
    Contradicted,
    DeliveryState,
    Duplicate,
    Effect,
    Entry,
    Held,
    Known,
    Matched,
    Parked,
    ReceiptNews,
    ReceiptVerdict,
    Recorded,
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
    assert [Recorded, Recorded, Duplicate] == [type(effect) for effect in effects]

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
