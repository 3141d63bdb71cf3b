"""Message ids: each kind of reading, and that response and receipt meet in one key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.message_id import MessageIdKind, MessageIdRule, equivalence_keys


@pytest.mark.parametrize(
    ("kind", "raw", "key"),
    [
        ("raw", " 00aF ", " 00aF "),
        ("decimal", "0012", "12"),
        ("decimal", "000", "0"),
        ("decimal", "12a", "12a"),
        ("decimal", "1_2", "1_2"),
        ("decimal", "١٢", "١٢"),
        ("hex", "0E", "14"),
        ("hex", "0x0e", "14"),
        ("hex", "0eH\0", "14"),
        ("hex", "xyz", "xyz"),
        ("hex", "812FC7470000001B", "9308878062554710043"),
        ("hex_string", "4142", "AB"),
        ("hex_string", "414", "414"),
        ("hex_string", "4180", "4180"),
        ("casefold", "aBc", "abc"),
        ("strip_zeros", "00aB0", "aB0"),
        ("strip_zeros", "000", "0"),
        ("strip_zeros", "", ""),
        ("raw", "", ""),
        ("decimal", "", ""),
    ],
)
def test_an_id_is_read_by_its_kind(kind, raw, key):
    assert key == MessageIdRule(kind=kind).normalise(raw)


@pytest.mark.parametrize(
    ("kind", "pattern", "raw", "key"),
    [
        ("pattern", r"-(\w+)$", "smsc1-77", "77"),
        ("pattern", r"\d+", "id 77", "77"),
        ("pattern", r"-(\w+)$", "77", "77"),
        ("pattern", r"(a)|b", "b", ""),
        ("hex", r"-(\w+)$", "smsc1-FF", "255"),
        ("raw", r"^(\w+)@", " Ab@host", "Ab"),
    ],
)
def test_a_pattern_finds_the_id_proper(kind, pattern, raw, key):
    assert key == MessageIdRule(kind=kind, pattern=pattern).normalise(raw)


@given(st.integers(0, 2**130))
def test_a_number_is_one_key_in_either_base(number):
    decimal, hexadecimal = MessageIdRule(kind="decimal"), MessageIdRule(kind="hex")

    assert decimal.normalise(f"{number:020d}") == hexadecimal.normalise(f"{number:X}")


@given(st.text(), st.sampled_from([kind for kind in MessageIdKind if kind != "pattern"]))
def test_a_rule_never_fails(raw, kind):
    assert isinstance(MessageIdRule(kind=kind).normalise(raw), str)


def test_not_even_for_a_number_that_python_will_not_write():
    huge = "F" * 5000

    assert MessageIdRule(kind="hex").normalise(huge).endswith("h")
    assert MessageIdRule(kind="decimal").normalise("1" * 5000) == "1" * 5000


@pytest.mark.parametrize(
    "arguments",
    [{"kind": "pattern"}, {"kind": "octal"}, {"kind": "pattern", "pattern": "("}],
)
def test_a_rule_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(ValueError, match=r"octal|pattern"):
        MessageIdRule(**arguments)


def test_two_spellings_share_a_key():
    response, receipt = equivalence_keys("0E999F21"), equivalence_keys("244948769")

    assert response[MessageIdKind.HEX] == receipt[MessageIdKind.DECIMAL]
    assert MessageIdKind.DECIMAL not in response
    assert "E999F21" == response[MessageIdKind.STRIP_ZEROS]
    assert MessageIdKind.PATTERN not in response


@given(st.text(max_size=20))
def test_keys_are_those_of_the_rules(raw):
    for kind, key in equivalence_keys(raw.strip(" \t\r\n\0")).items():
        assert key == MessageIdRule(kind=kind).normalise(raw.strip(" \t\r\n\0"))
