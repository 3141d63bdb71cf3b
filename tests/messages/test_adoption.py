"""Numbers, senders and times of orphans, and the doubts that they fit."""

import pytest

from whiteroute.engine.messages import Doubt, ReceiptArrived, find_adopter, quoted_text
from whiteroute.pdu import DeliverSm, EnquireLink, encode

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


def test_what_the_receipt_quotes_chooses_between_two() -> None:
    mine = doubt(message_ref="b", text="Your code is 5678")
    others = [doubt(text="Your code is 1234"), mine]

    assert mine == find_adopter(receipt(), others, quoted="Your code is 56")
    assert find_adopter(receipt(), others, quoted="Your code is") is None
    assert find_adopter(receipt(), others, quoted="You") is None


def test_what_the_receipt_quotes_rules_nobody_out() -> None:
    assert find_adopter(receipt(), [doubt(text="hello")], quoted="none at all") is not None


def test_later_parts_are_not_known_by_their_text() -> None:
    parts = [doubt(text="hello you", part=part) for part in (1, 2)]

    assert parts[0] == find_adopter(receipt(), parts, quoted="hello")


def quoting(text: bytes) -> bytes:
    return encode(
        DeliverSm(
            source_addr="34600111222",
            destination_addr="ACME",
            esm_class=4,
            short_message=b"id:77 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201"
            b" stat:DELIVRD err:000 text:" + text,
        )
    )


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (quoting(b"Your code is 12"), "Your code is 12"),
        (quoting(b"Gr\xfc\xdfe"), ""),
        (quoting(b""), ""),
        (encode(DeliverSm(source_addr="1", destination_addr="2", short_message=b"STOP")), ""),
        (encode(EnquireLink()), ""),
        (b"\x00\x01", ""),
        (quoting(b"")[:40], ""),
    ],
)
def test_what_a_receipt_quotes_is_read_from_its_octets(octets: bytes, expected: str) -> None:
    assert expected == quoted_text(octets)
