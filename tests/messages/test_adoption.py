"""Numbers, senders and times of orphans, and the doubts that they fit."""

import pytest

from whiteroute.engine.messages import Doubt, ReceiptArrived, find_adopter

SECOND = 1_000_000


def doubt(**changes: object) -> Doubt:
    facts = {
        "message_ref": "a",
        "part": 1,
        "attempt": 1,
        "carrier": "acme",
        "route": "acme-es",
        "started_at": 100 * SECOND,
        "to": "+34600111222",
        "sender": "ACME",
    }
    return Doubt(**(facts | changes))


def receipt(**changes: object) -> ReceiptArrived:
    facts = {
        "carrier": "acme",
        "message_id": "77",
        "message_id_key": "77",
        "received_at": 160 * SECOND,
        "source_addr": "34600111222",
        "destination_addr": "acme",
    }
    return ReceiptArrived(**(facts | changes))


def test_the_only_doubt_that_fits_is_found() -> None:
    mine = doubt()

    assert mine == find_adopter(receipt(), [doubt(message_ref="b", to="+34600999999"), mine])


def test_between_two_doubts_nobody_guesses() -> None:
    assert find_adopter(receipt(), [doubt(), doubt(message_ref="b")]) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"carrier": "other"},
        {"started_at": 161 * SECOND},
        {"started_at": -72 * 3600 * SECOND},
        {"to": "+34600111223"},
        {"sender": "OTHER"},
    ],
)
def test_a_doubt_that_differs_in_one_thing_does_not_fit(changes: dict[str, object]) -> None:
    assert find_adopter(receipt(), [doubt(**changes)]) is None


@pytest.mark.parametrize("number", ["600111222", "0034600111222", "34 600 111 222"])
def test_numbers_are_the_same_however_they_are_written(number: str) -> None:
    assert find_adopter(receipt(source_addr=number), [doubt()]) is not None


def test_a_short_number_is_compared_whole() -> None:
    short = doubt(sender="4321")

    assert find_adopter(receipt(destination_addr="4321"), [short]) is not None
    assert find_adopter(receipt(destination_addr="94321"), [short]) is None
