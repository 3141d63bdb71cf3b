"""What numbering plans say about a number, for people who ask."""

import sys

import pytest

from whiteroute.engine.resolvers import describe_number


@pytest.mark.parametrize(
    ("msisdn", "possible", "valid", "kind", "region", "can_receive"),
    [
        ("34600111222", True, True, "mobile", "ES", True),
        ("447911123456", True, True, "mobile", "GG", True),  # the code of the United Kingdom
        ("34912345678", True, True, "fixed line", "ES", False),
        ("12025550143", True, True, "fixed line or mobile", "US", True),
        ("18005551234", True, True, "toll free", "US", False),
        ("346001", False, False, "unknown", "ES", False),
        ("999123", False, False, "unknown", None, False),
    ],
)
def test_a_number_is_told_by_its_plan(
    msisdn: str, possible: bool, valid: bool, kind: str, region: str | None, can_receive: bool
) -> None:
    facts = describe_number(msisdn)
    assert facts is not None
    assert (facts.possible, facts.valid, facts.kind) == (possible, valid, kind)
    assert facts.region == region
    assert facts.can_receive is can_receive


def test_without_the_extra_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    assert describe_number("34600111222") is None
