"""The tables of states, walked cell by cell."""

import itertools
from collections.abc import Iterator

import pytest

from whiteroute.engine.messages import (
    FINAL_STATES,
    FOLLOWERS,
    TRANSITIONS,
    DeliveryState,
    Happening,
    ReceiptNews,
    happening_told_by,
    message_state,
    next_state,
    part_state,
    receipt_kind_of,
)
from whiteroute.pdu import MessageState

S = DeliveryState
H = Happening

# Written down by hand a second time, from the meaning of the words and not from the table:
# rows are states, columns happenings, `-` where it may not happen.
MATRIX = """
                 REMEMBERED STARTED ACCEPTED REFUSED RETRYING DOUBTED  INTERIM  DELIVERED FAILED EXPIRED CANCELLED OVERDUE
ACCEPTED_LOCALLY QUEUED     -       -        REFUSED -        -        -        -         -      -       -         -
QUEUED           -          SENT    -        REFUSED -        -        -        -         -      EXPIRED CANCELLED -
SENT             -          -       ACCEPTED REFUSED QUEUED   IN_DOUBT -        -         -      -       -         -
ACCEPTED         -          SENT    -        -       -        -        ACCEPTED DELIVERED FAILED EXPIRED CANCELLED OVERDUE
DELIVERED        -          -       -        -       -        -        -        -         -      -       -         -
FAILED           -          SENT    -        -       -        -        -        -         -      -       -         -
EXPIRED          -          -       -        -       -        -        -        -         -      -       -         -
REFUSED          -          SENT    -        -       -        -        -        -         -      -       -         -
IN_DOUBT         -          SENT    ACCEPTED REFUSED QUEUED   IN_DOUBT IN_DOUBT DELIVERED FAILED EXPIRED CANCELLED -
OVERDUE          -          SENT    -        -       -        -        OVERDUE  DELIVERED FAILED EXPIRED CANCELLED -
CANCELLED        -          -       -        -       -        -        -        -         -      -       -         -
"""


def cells() -> list[tuple[str, str, str]]:
    lines = [line.split() for line in MATRIX.strip().splitlines()]
    return [
        (row[0], happening, cell)
        for row in lines[1:]
        for happening, cell in zip(lines[0], row[1:], strict=True)
    ]


def test_the_matrix_names_every_state_and_every_happening() -> None:
    assert set(itertools.product(S, H)) == {(S(s), H(h)) for s, h, _ in cells()}


@pytest.mark.parametrize(("state", "happening", "expected"), cells())
def test_every_cell_is_decided(state: str, happening: str, expected: str) -> None:
    after = next_state(S(state), H(happening))

    assert (None if expected == "-" else S(expected)) == after


def test_only_a_new_attempt_leaves_a_final_state() -> None:
    leaving = {h for state in FINAL_STATES for h in TRANSITIONS[state]}

    assert {H.STARTED} == leaving


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([], S.QUEUED),
        ([S.SENT], S.SENT),
        ([S.REFUSED, S.ACCEPTED], S.ACCEPTED),
        ([S.DELIVERED, S.REFUSED], S.DELIVERED),
        ([S.OVERDUE, S.DELIVERED], S.DELIVERED),
        ([S.FAILED, S.FAILED], S.FAILED),
    ],
)
def test_one_delivered_attempt_settles_a_part_and_otherwise_the_latest_speaks(
    attempts: list[DeliveryState], expected: DeliveryState
) -> None:
    assert expected == part_state(attempts)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("DELIVERED DELIVERED", "DELIVERED"),
        ("DELIVERED ACCEPTED", "ACCEPTED"),
        ("DELIVERED FAILED", "FAILED"),
        ("FAILED EXPIRED CANCELLED", "FAILED"),
        ("EXPIRED CANCELLED", "EXPIRED"),
        ("CANCELLED DELIVERED", "CANCELLED"),
        ("FAILED SENT", "SENT"),
        ("REFUSED REFUSED", "REFUSED"),
        ("REFUSED QUEUED", "REFUSED"),
        ("REFUSED ACCEPTED", "FAILED"),
        ("REFUSED IN_DOUBT", "FAILED"),
        ("IN_DOUBT ACCEPTED", "IN_DOUBT"),
        ("IN_DOUBT QUEUED", "IN_DOUBT"),
        ("QUEUED QUEUED", "QUEUED"),
        ("QUEUED ACCEPTED", "SENT"),
        ("ACCEPTED_LOCALLY ACCEPTED_LOCALLY", "ACCEPTED_LOCALLY"),
        ("OVERDUE ACCEPTED", "OVERDUE"),
        ("OVERDUE DELIVERED", "OVERDUE"),
        ("ACCEPTED ACCEPTED", "ACCEPTED"),
        ("IN_DOUBT", "IN_DOUBT"),
    ],
)
def test_a_message_is_the_sum_of_its_parts(parts: str, expected: str) -> None:
    assert S(expected) == message_state([S(part) for part in parts.split()])


@pytest.mark.parametrize(
    ("parts", "reporting", "expected"),
    [
        ("DELIVERED ACCEPTED ACCEPTED", "first", "DELIVERED"),
        ("DELIVERED ACCEPTED ACCEPTED", "last", "ACCEPTED"),
        ("ACCEPTED ACCEPTED DELIVERED", "last", "DELIVERED"),
        ("ACCEPTED DELIVERED DELIVERED", "first", "ACCEPTED"),
        ("DELIVERED FAILED ACCEPTED", "first", "FAILED"),
        ("DELIVERED QUEUED ACCEPTED", "first", "SENT"),
        ("OVERDUE ACCEPTED ACCEPTED", "first", "OVERDUE"),
    ],
)
def test_a_carrier_that_reports_one_part_closes_the_set_with_it(
    parts: str, reporting: str, expected: str
) -> None:
    states = [S(part) for part in parts.split()]

    assert S(expected) == message_state(states, reporting)


Part = tuple[DeliveryState, int]
"""Where a part stands, and whether it had no attempt, one, or more."""


def steps(parts: tuple[Part, ...]) -> Iterator[tuple[Part, ...]]:
    """Everything that can happen next to a message."""
    for number, (state, attempts) in enumerate(parts):
        for happening, after in TRANSITIONS[state].items():
            made = min(2, attempts + 1) if happening is H.STARTED else attempts
            yield (*parts[:number], (after, made), *parts[number + 1 :])
        if attempts == 2 and state is not S.DELIVERED:
            # The receipt of an attempt that was given up for a later one.
            yield (*parts[:number], (S.DELIVERED, 2), *parts[number + 1 :])


def walk(count: int) -> set[tuple[DeliveryState, DeliveryState]]:
    """Every change of a message of so many parts, whatever happens in whichever order."""
    found = set()
    start = ((S.QUEUED, 0),) * count
    seen, waiting = {start}, [start]
    while waiting:
        parts = waiting.pop()
        for after in steps(parts):
            for reporting in ("all", "first", "last"):
                states = [message_state([s for s, _ in p], reporting) for p in (parts, after)]
                found.add((states[0], states[1]))
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return {(before, after) for before, after in found if before is not after}


def test_the_followers_are_what_can_happen_and_nothing_more() -> None:
    # The last one is no happening: somebody has put a refused message on another route.
    possible = walk(1) | walk(2) | walk(3) | {(S.REFUSED, S.QUEUED)}
    listed = {
        (before, after)
        for before, followers in FOLLOWERS.items()
        for after in followers
        if before is not S.ACCEPTED_LOCALLY
    }

    assert possible - listed == set()
    assert listed - possible == set()


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (None, ReceiptNews.INTERMEDIATE),
        (99, ReceiptNews.INTERMEDIATE),
        (MessageState.SCHEDULED, ReceiptNews.INTERMEDIATE),
        (MessageState.ENROUTE, ReceiptNews.INTERMEDIATE),
        (MessageState.DELIVERED, ReceiptNews.FINAL),
        (MessageState.EXPIRED, ReceiptNews.FINAL),
        (MessageState.DELETED, ReceiptNews.FINAL),
        (MessageState.UNDELIVERABLE, ReceiptNews.FINAL),
        (MessageState.ACCEPTED, ReceiptNews.INTERMEDIATE),
        (MessageState.UNKNOWN, ReceiptNews.INTERMEDIATE),
        (MessageState.REJECTED, ReceiptNews.FINAL),
        (MessageState.SKIPPED, ReceiptNews.FINAL),
    ],
)
def test_receipts_close_or_do_not(state: int | None, kind: ReceiptNews) -> None:
    assert kind == receipt_kind_of(state)


def test_a_profile_may_take_accepted_or_unknown_for_the_last_word() -> None:
    assert receipt_kind_of(6, accepted_is_final=True) == ReceiptNews.FINAL
    assert receipt_kind_of(7, unknown_is_final=True) == ReceiptNews.FINAL


@pytest.mark.parametrize(
    ("kind", "state", "happening"),
    [
        (ReceiptNews.FINAL, 2, H.DELIVERED),
        (ReceiptNews.FINAL, 3, H.EXPIRED),
        (ReceiptNews.FINAL, 4, H.CANCELLED),
        (ReceiptNews.FINAL, 5, H.FAILED),
        (ReceiptNews.FINAL, 6, H.DELIVERED),
        (ReceiptNews.FINAL, 7, H.FAILED),
        (ReceiptNews.FINAL, 8, H.FAILED),
        (ReceiptNews.FINAL, 9, H.FAILED),
        (ReceiptNews.FINAL, 1, H.INTERIM),
        (ReceiptNews.FINAL, None, H.INTERIM),
        (ReceiptNews.FINAL, 200, H.INTERIM),
        (ReceiptNews.INTERMEDIATE, 2, H.INTERIM),
        (ReceiptNews.ACK, 2, H.INTERIM),
    ],
)
def test_what_is_not_understood_never_closes_a_part(
    kind: ReceiptNews, state: int | None, happening: Happening
) -> None:
    assert happening == happening_told_by(kind, state)
