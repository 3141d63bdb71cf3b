"""National shift tables, against the tables of a stranger, and the choice between them."""

import codecs

import gsmcodecs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.alphabet import GSM_DEFAULT, UNDEFINED
from whiteroute.pdu.national import NO_SHIFT, NationalLanguage, Shift, choose_shift, septet_table
from whiteroute.pdu.national_tables import LOCKING_TABLES, SINGLE_TABLES

# Where gsmcodecs 1.0.0 and the specification differ, or the specification differs from itself:
# (table, language, code) -> what stands here.
DISAGREEMENTS = {
    # TS 23.038 §A.3.4 to §A.3.13 print a comma between parentheses and full stop.
    **{("locking", language, 0x2C): "," for language in range(4, 14)},
    # TS 23.038 §A.3.7 prints the letter pa twice; handsets have dda, the next in the alphabet.
    ("locking", 7, 0x24): "\u0ca1",
    # TS 23.038 §A.2.12: the euro sign stands where it does in the other tables.
    ("single", 12, 0x65): "€",
}


def strangers_reading(locking, single, octets):
    try:
        return codecs.decode(octets, f"{gsmcodecs._BASENAME}-{locking}-{single}")
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize("language", LOCKING_TABLES)
def test_a_locking_table_is_what_a_stranger_reads_in_the_specification(language):
    table = LOCKING_TABLES[language]
    assert 128 == len(table)
    for code, character in enumerate(table):
        if code == 0x1B:
            continue
        ours = None if character == UNDEFINED else character
        stranger = strangers_reading(language, 0, bytes((code,)))
        known = DISAGREEMENTS.get(("locking", language, code))
        assert ours == (stranger if known is None else known), hex(code)
        assert (known is None) is (ours == stranger), hex(code)


@pytest.mark.parametrize("language", SINGLE_TABLES)
def test_a_single_table_is_what_a_stranger_reads_in_the_specification(language):
    for code in range(128):
        if code == 0x1B:
            continue
        ours = SINGLE_TABLES[language].get(code)
        stranger = strangers_reading(0, language, bytes((0x1B, code)))
        known = DISAGREEMENTS.get(("single", language, code))
        assert ours == (stranger if known is None else known), hex(code)
        assert (known is None) is (ours == stranger), hex(code)


SHIFTS = st.builds(
    Shift, st.sampled_from([0, *LOCKING_TABLES]), st.sampled_from([0, *SINGLE_TABLES])
)


@given(st.data(), SHIFTS)
def test_a_text_of_the_tables_survives_its_octets(data, shift):
    table = septet_table(shift)
    characters = (table.main + "".join(table.escaped.values())).replace("\x1b", "")
    text = data.draw(st.text(st.sampled_from(characters.replace(UNDEFINED, ""))))

    assert text == table.decode(table.encode(text))


def test_every_language_has_a_single_table():
    assert set(NationalLanguage) == set(SINGLE_TABLES)
    assert set(NationalLanguage) - {NationalLanguage.SPANISH} == set(LOCKING_TABLES)


def test_an_unknown_language_shows_the_default_tables():
    table = septet_table(Shift(99, 99))

    assert (GSM_DEFAULT.main, GSM_DEFAULT.escaped) == (table.main, table.escaped)
    assert septet_table() is GSM_DEFAULT


def test_an_empty_place_of_a_locking_table_shows_the_replacement_character():
    assert "\ufffd" == septet_table(Shift(locking=4)).decode(b"\x0d\x0e"[1:])


@pytest.mark.parametrize(
    ("shift", "octets"), [(NO_SHIFT, 0), (Shift(1), 4), (Shift(0, 1), 4), (Shift(1, 1), 7)]
)
def test_a_shift_knows_the_header_it_takes(shift, octets):
    assert octets == shift.header_octets


@pytest.mark.parametrize(
    ("text", "languages", "shift"),
    [
        ("ışık", (1,), Shift(locking=1)),
        ("ç", (2,), Shift(single=2)),
        ("á", (1, 2), Shift(single=2)),
        ("ç", (1, 2), Shift(locking=1)),
        ("हिन्दी १२", (6,), Shift(6, 6)),
        ("中", (1, 2, 6), None),
        ("ç", (), None),
        ("ç", (99,), None),
    ],
)
def test_the_shortest_pair_of_tables_is_taken(text, languages, shift):
    choice = choose_shift(text, languages)

    assert shift == (None if choice is None else choice[0])
    if choice is not None:
        assert text == septet_table(choice[0]).decode(choice[1])


def test_the_default_tables_are_what_a_stranger_reads_in_the_specification():
    for code in range(128):
        if code == 0x1B:
            continue
        assert GSM_DEFAULT.main[code] == strangers_reading(0, 0, bytes((code,)))
        assert GSM_DEFAULT.escaped.get(code) == strangers_reading(0, 0, bytes((0x1B, code)))
