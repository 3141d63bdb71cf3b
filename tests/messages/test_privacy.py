"""What of a person is kept: numbers that only the key finds, texts until they were passed on."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.messages import (
    KEEP_ALL,
    Doubt,
    InboundArrived,
    MessageTaken,
    Privacy,
    ReceiptArrived,
    country_code,
    find_adopter,
    is_same_number,
    pair_of,
)
from whiteroute.pdu import DeliverSm, encode

KEY = b"an octet or more than sixteen"
HASHED = Privacy(numbers="hashed", key=KEY)
DROPPED = Privacy(texts="drop")
NUMBER = "+34600111222"
DIGITS = st.text("0123456789", min_size=10, max_size=14).filter(lambda digits: digits[0] != "0")


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+34600111222", "34"),
        ("0034600111222", "34"),
        ("12025550123", "1"),
        ("79161234567", "7"),
        ("351912345678", "351"),
        ("ACME", ""),
        (HASHED.number(NUMBER), "34"),
        (HASHED.number("+351912345678"), "351"),
    ],
)
def test_the_country_code_is_read(number: str, code: str) -> None:
    assert code == country_code(number)


@given(DIGITS)
def test_a_hash_tells_the_country_and_finds_the_number_however_it_is_written(digits: str) -> None:
    hashed = HASHED.number(f"+{digits}")

    assert digits not in hashed
    assert hashed == HASHED.number(f"00{digits}") == HASHED.number(hashed)
    assert country_code(digits) == country_code(hashed)
    assert is_same_number(hashed, HASHED.number(digits[2:])) is (len(digits) >= 9 or None)


@given(DIGITS, DIGITS)
def test_hashes_are_the_same_only_for_the_same_number(one: str, other: str) -> None:
    same = is_same_number(HASHED.number(one), HASHED.number(other))

    assert same is (one == other or (len(one) != len(other) and one[-7:] == other[-7:]))


def test_another_key_gives_another_hash_and_no_key_finds_nothing() -> None:
    other = Privacy(numbers="hashed", key=KEY[::-1])

    assert HASHED.number(NUMBER) != other.number(NUMBER)
    assert not is_same_number(HASHED.number(NUMBER), other.number(NUMBER))
    assert not is_same_number(HASHED.number(NUMBER), NUMBER)
    assert not is_same_number(NUMBER, HASHED.number(NUMBER))


@pytest.mark.parametrize("name", ["ACME", "4321", "123456", ""])
def test_names_and_short_codes_stay(name: str) -> None:
    assert name == HASHED.number(name)


@pytest.mark.parametrize("key", [b"", b"fifteen octets.", b"x" * 65])
def test_a_key_that_does_not_keep_a_secret_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=f"key: {len(key)} octets, expected 16 to 64"):
        Privacy(numbers="hashed", key=key)


def test_the_key_is_in_no_repr() -> None:
    assert "an octet" not in repr(HASHED)
    assert not HASHED.keeps_all
    assert not DROPPED.keeps_all
    assert KEEP_ALL.keeps_all


def test_a_receipt_keeps_what_it_says_and_loses_of_whom() -> None:
    pdu = DeliverSm(
        source_addr="34600111222",
        destination_addr="ACME",
        esm_class=4,
        short_message=b"id:77 stat:DELIVRD err:000 text:Your code is 1",
    )
    receipt = ReceiptArrived(
        carrier="acme",
        message_id="77",
        message_id_key="77",
        source_addr="34600111222",
        destination_addr="ACME",
        received_at=1,
        octets=encode(pdu),
    )
    kept = HASHED.receipt(receipt)

    assert (HASHED.number(NUMBER), "ACME") == (kept.source_addr, kept.destination_addr)
    assert b"600111" not in kept.octets
    assert b"Your" not in kept.octets
    assert b"id:77 stat:DELIVRD err:000" in kept.octets
    assert b"Your" not in DROPPED.receipt(receipt).octets
    assert "34600111222" == DROPPED.receipt(receipt).source_addr
    assert receipt is KEEP_ALL.receipt(receipt)


def test_a_segment_is_kept_without_its_text_or_its_number() -> None:
    segment = InboundArrived(
        inbound_ref="i",
        carrier="acme",
        source_addr="34600111222",
        destination_addr="34600000000",
        text="STOP",
        received_at=1,
        octets=b"too short to be one: 600111222",
        total=2,
    )

    assert segment is KEEP_ALL.segment(segment)
    assert ("", "34600111222") == (
        DROPPED.segment(segment).text,
        DROPPED.segment(segment).source_addr,
    )
    assert ("STOP", HASHED.number(NUMBER)) == (
        HASHED.segment(segment).text,
        HASHED.segment(segment).source_addr,
    )
    assert b"600111222" not in HASHED.segment(segment).octets
    # Ours are nobody's secret.
    assert "34600000000" == HASHED.segment(segment).destination_addr
    assert "600111222" not in HASHED.set_key(segment)
    assert segment.set_key == DROPPED.set_key(segment)
    assert "" == HASHED.set_key(attrs.evolve(segment, total=1))


def test_a_pair_is_found_by_its_hash() -> None:
    assert HASHED.pair_of("+34600111222", "4321") == HASHED.pair_of("0034600111222", "4321")
    assert "600111222" not in HASHED.pair_of("+34600111222", "4321")
    assert "" == HASHED.pair_of("+34600111222", "ACME")
    assert pair_of("34600111222", "4321") == DROPPED.pair_of("34600111222", "4321")


def test_why_a_message_was_refused_no_longer_quotes_its_number() -> None:
    taken = MessageTaken(
        message_ref="a",
        to='"34600111222é',
        sender="ACME",
        text="Hello",
        taken_at=1,
        decision='{"found": "msisdn: \\"34600111222\\u00e9"}',
    )
    kept = HASHED.taken(taken)

    assert "600111222" not in kept.decision + kept.to
    assert "Hello" == kept.text
    assert "" == DROPPED.taken(taken).text
    assert taken.decision == DROPPED.taken(taken).decision


def test_a_doubt_adopts_a_receipt_by_hashes_alone() -> None:
    doubt = Doubt(
        message_ref="a",
        part=1,
        attempt=1,
        carrier="acme",
        route="r",
        started_at=0,
        to=NUMBER,
        sender="34600000000",
    )
    receipt = HASHED.receipt(
        ReceiptArrived(
            carrier="acme",
            message_id="77",
            message_id_key="77",
            # As carriers write it at home.
            source_addr="600111222",
            destination_addr="34600000000",
            received_at=1,
        )
    )

    kept = HASHED.doubt(doubt)
    assert kept is find_adopter(receipt, [kept])
    assert None is find_adopter(receipt, [HASHED.doubt(attrs.evolve(doubt, to="+34600111223"))])
