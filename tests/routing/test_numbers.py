"""Numbers in every spelling people use come out as one, and what is no number says why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.routing import NumberError, SenderKind, normalise_msisdn, sender_kind


@pytest.mark.parametrize(
    "text",
    [
        "34600111222",
        "+34600111222",
        "0034600111222",
        "+34 600 11 12 22",
        "+34-600-111-222",
        "(+34) 600.111.222",
        "+34\u00a0600\u2011111\u2011222",
        " 34600111222\t",
    ],
)
def test_every_international_spelling_gives_the_same_digits(text: str) -> None:
    assert normalise_msisdn(text) == "34600111222"


def test_a_national_number_takes_the_country_code_in_place_of_its_prefix() -> None:
    assert normalise_msisdn("07911 123456", country_code="44") == "447911123456"


def test_where_there_is_no_national_prefix_every_bare_number_is_national() -> None:
    assert normalise_msisdn("600 111 222", country_code="34", national_prefix="") == "34600111222"


def test_a_bare_number_without_the_national_prefix_is_international() -> None:
    assert normalise_msisdn("34600111222", country_code="44") == "34600111222"


@pytest.mark.parametrize("text", ["+44 7911 123456", "0044 7911 123456"])
def test_an_international_number_stays_itself_beside_a_country_code(text: str) -> None:
    assert normalise_msisdn(text, country_code="34", national_prefix="") == "447911123456"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "digits"),
        ("+", "digits"),
        ("ACME", "digits"),
        ("+34 600 111 22x", "digits"),
        ("34600+111222", "digits"),
        ("\u0663\u0664600111222", "digits"),
        ("+0346001112", "never begins with 0"),
        ("0600111222", "never begins with 0"),
        ("+44 (0) 7911 123456", "'(0)'"),
        ("346001", "7 to 15 digits"),
        ("3460011122233344", "7 to 15 digits"),
        ("00" + "34600", "7 to 15 digits"),
    ],
)
def test_what_is_no_number_is_refused_with_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(NumberError) as refusal:
        normalise_msisdn(text)
    assert refusal.value.found == text
    assert expected in refusal.value.expected
    assert repr(text) in str(refusal.value)


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_normalising_twice_changes_nothing(digits: str) -> None:
    assert normalise_msisdn(digits) == digits
    assert normalise_msisdn(f"+{digits}") == digits
    assert normalise_msisdn(f"00{digits}") == digits


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        digits = normalise_msisdn(text)
    except NumberError:
        return
    assert digits.isascii()
    assert digits.isdigit()
    assert 7 <= len(digits) <= 15


@pytest.mark.parametrize(
    ("sender", "kind"),
    [
        ("ACME", SenderKind.ALPHA),
        ("ACME 24", SenderKind.ALPHA),
        ("", SenderKind.ALPHA),
        ("+", SenderKind.ALPHA),
        ("\u0661\u0662\u0663", SenderKind.ALPHA),
        ("212", SenderKind.SHORT),
        ("217654", SenderKind.SHORT),
        ("2176543", SenderKind.LONG),
        ("34600111222", SenderKind.LONG),
        ("+34600111222", SenderKind.LONG),
    ],
)
def test_a_sender_is_a_name_a_short_code_or_a_long_number(sender: str, kind: SenderKind) -> None:
    assert sender_kind(sender) is kind
