"""What `--redact` leaves of a record."""

import pytest

from whiteroute.engine.messages import Privacy
from whiteroute.tools.redaction import redacted, redacted_number

HASHED = Privacy(numbers="hashed", key=b"sixteen octets and a few").number("+34600111222")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("34600111222", "34*******22"),
        ("+34600111222", "+34*******22"),
        ("0034600111222", "0034*******22"),
        ("+1 202-555-0123", "+1 ***-***-**23"),
        ("351912345678", "351*******78"),
        ("ACME", "ACME"),
        ("4321", "4321"),
        ("", ""),
        (HASHED, "34~"),
    ],
)
def test_a_number_keeps_its_country_and_two_digits(number: str, shown: str) -> None:
    assert shown == redacted_number(number)


def test_a_record_loses_numbers_and_texts_wherever_they_are() -> None:
    record = {
        "message_ref": "order-4711",
        "to": "34600111222",
        "sender": "ACME",
        "text": "Your code is 1",
        "tags": {"name": "Ana"},
        "parts": 1,
        "message_ids": ["34600111222"],
        "receipts": [{"source_addr": "34600111222", "octets": "00", "error": {"code": "X"}}],
    }

    assert {
        "message_ref": "order-4711",
        "to": "34*******22",
        "sender": "ACME",
        "text": None,
        "tags": None,
        "parts": 1,
        "message_ids": ["34600111222"],
        "receipts": [{"source_addr": "34*******22", "octets": None, "error": {"code": "X"}}],
    } == redacted(record)
    assert record == redacted(record, False)
