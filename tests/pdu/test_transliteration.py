"""Transliteration: what is changed, what is told of it, and what is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.alphabet import GSM_DEFAULT
from whiteroute.pdu.transliteration import Replacement, Transliteration, transliterate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain é €", "plain é €"),
        ("“a” ‘b’ „c‟", '"a" \'b\' "c"'),
        ("a – b — c‑d", "a - b - c-d"),
        ("wait…", "wait..."),
        ("l’été çà", "l'été cà"),
        ("Łódź, Đ, œuvre, þ", "Lodz, D, oeuvre, th"),
        ("ﬁne ½ ™ №", "fine 1/2 TM No"),
        ("e\u0301x\u0301", "éx"),
        ("a\u00a0b\u200bc\tq", "a bc q"),
        ("ΑΘΗΝΑ", "AΘHNA"),
        ("日 😀 я", "日 😀 я"),
        ("\u0301", "\u0301"),
    ],
)
def test_a_text_is_written_with_what_the_alphabet_has(text, expected):
    assert expected == transliterate(text).text


def test_changes_are_told_with_their_places():
    assert Transliteration(
        "a-x",
        (Replacement(1, "–", "-"), Replacement(2, "x\u0301", "x")),
    ) == transliterate("a–x\u0301")


def test_a_text_of_the_alphabet_is_not_touched():
    assert Transliteration("{@}") == transliterate("{@}")


@given(st.text())
def test_with_a_placeholder_the_text_is_of_the_alphabet(text):
    result = transliterate(text, placeholder="?")

    assert GSM_DEFAULT.first_foreign(result.text) is None
    assert result.text == transliterate(result.text).text


@given(st.text())
def test_the_changes_lead_from_one_text_to_the_other(text):
    result = transliterate(text)

    rebuilt, at = [], 0
    for change in result.changes:
        assert change.found == text[change.position : change.position + len(change.found)]
        rebuilt += (text[at : change.position], change.written)
        at = change.position + len(change.found)
    assert result.text == "".join([*rebuilt, text[at:]])
