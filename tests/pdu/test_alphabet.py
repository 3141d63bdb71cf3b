"""Alphabets: the table of TS 23.038, strangers' readings of it, packing, data_coding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.alphabet import (
    GSM_DEFAULT,
    Alphabet,
    count_septets,
    decode_gsm,
    decode_text,
    encode_gsm,
    encode_text,
    pack_septets,
    unpack_septets,
)
from whiteroute.pdu.data_coding import DataCoding, data_coding_for, parse_data_coding
from whiteroute.pdu.errors import EncodeError

# 3GPP TS 23.038 §6.2.1, column by column as printed there.
COLUMNS = [
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
]
EXTENSION = {"\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F}
EXTENSION |= {"[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65}
BASIC = "".join(COLUMNS).replace("\x1b", "")
GSM_TEXTS = st.text(st.sampled_from(BASIC + "".join(EXTENSION)))
SEPTETS = st.binary(max_size=170).map(lambda octets: bytes(octet & 0x7F for octet in octets))


def test_the_basic_table_is_that_of_the_specification():
    for code, character in enumerate("".join(COLUMNS)):
        if character != "\x1b":
            assert bytes((code,)) == encode_gsm(character)
            assert character == decode_gsm(bytes((code,)))


def test_the_extension_table_is_that_of_the_specification():
    for character, code in EXTENSION.items():
        assert bytes((0x1B, code)) == encode_gsm(character)
        assert character == decode_gsm(bytes((0x1B, code)))


@given(GSM_TEXTS)
def test_a_gsm_text_survives_its_octets(text):
    octets = encode_gsm(text)

    assert text == decode_gsm(octets)
    assert len(octets) == count_septets(text)
    assert len(octets) == sum(2 if character in EXTENSION else 1 for character in text)


@given(st.binary())
def test_any_octets_can_be_read(octets):
    for alphabet in Alphabet:
        assert isinstance(decode_text(octets, alphabet), str)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"\x1ba", "a"),
        (b"\x1b", " "),
        (b"x\x1b", "x "),
        (b"\x1b\x1be", " e"),
        (b"\x1b\x65\x1b\x65", "€€"),
        (b"a\x80b\xff", "a\ufffdb\ufffd"),
        (b"\x1b\x80", "\ufffd"),
        (b"", ""),
    ],
)
def test_an_escape_shows_what_the_specification_asks(octets, expected):
    assert expected == decode_gsm(octets)


@pytest.mark.parametrize(
    ("text", "position"), [("ab`", 2), ("€ç", 1), ("\x1b", 0), ("a\t", 1), ("😀", 0), ("\ufffe", 0)]
)
def test_a_foreign_character_is_named_with_its_place(text, position):
    with pytest.raises(EncodeError) as error:
        encode_gsm(text)

    assert f"text[{position}]" == error.value.path
    assert f"U+{ord(text[position]):04X}" in error.value.found
    assert position == GSM_DEFAULT.first_foreign(text)


def test_a_text_of_the_alphabet_has_no_foreign_character():
    assert GSM_DEFAULT.first_foreign(BASIC + "€") is None


# 3GPP TS 23.040 and TS 23.038 §6.1.2.1; the first is the well-known example of every handset manual.
@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("hellohello", "e8329bfd4697d9ec37"),
        ("", ""),
        ("1", "31"),
        ("12", "3119"),
        ("1234567", "31d98c56b3dd00"),
        ("12345678", "31d98c56b3dd70"),
    ],
)
def test_septets_are_packed_as_specified(text, packed):
    assert packed == pack_septets(encode_gsm(text)).hex()


def test_seven_spare_bits_hold_what_the_caller_says():
    assert "31d98c56b3dd1a" == pack_septets(b"1234567", spare=0x0D).hex()
    assert b"1234567" == unpack_septets(pack_septets(b"1234567", spare=0x0D))


@given(SEPTETS, st.integers(0, 6))
def test_septets_survive_packing(septets, fill_bits):
    packed = pack_septets(septets, fill_bits=fill_bits)

    assert septets == unpack_septets(packed, len(septets), fill_bits=fill_bits)


@given(SEPTETS, st.integers(0, 6))
def test_without_a_count_only_a_last_at_or_line_end_can_be_lost(septets, fill_bits):
    packed = pack_septets(septets, fill_bits=fill_bits)

    unpacked = unpack_septets(packed, fill_bits=fill_bits)

    if septets[-1:] not in (b"\x00", b"\r"):
        assert septets == unpacked.rstrip(b"\x00") or septets == unpacked
    assert septets.rstrip(b"\x00\r") == unpacked.rstrip(b"\x00\r")


def test_no_more_septets_come_out_than_there_are():
    assert b"1" == unpack_septets(b"\x31", 5)
    assert b"" == unpack_septets(b"", fill_bits=3)


@pytest.mark.parametrize(
    ("alphabet", "text", "octets"),
    [
        (Alphabet.GSM, "@€", "001b65"),
        (Alphabet.ASCII, "@", "40"),
        (Alphabet.LATIN1, "é", "e9"),
        (Alphabet.BINARY, "\x00ÿ", "00ff"),
        (Alphabet.CYRILLIC, "Ж", "b6"),
        (Alphabet.HEBREW, "א", "e0"),
        (Alphabet.UCS2, "я😀", "044fd83dde00"),
        (Alphabet.JIS, "日", "93fa"),
        (Alphabet.MUSIC, "日", "1b2442467c1b2842"),
        (Alphabet.EXTENDED_KANJI, "丂", "8fb0a1"),
        (Alphabet.KOREAN, "한", "c7d1"),
    ],
)
def test_an_alphabet_writes_and_reads(alphabet, text, octets):
    assert octets == encode_text(text, alphabet).hex()
    assert text == decode_text(bytes.fromhex(octets), alphabet)


@pytest.mark.parametrize(
    ("alphabet", "text"),
    [(Alphabet.ASCII, "aé"), (Alphabet.LATIN1, "a€"), (Alphabet.UCS2, "a\ud800")],
)
def test_an_alphabet_names_what_it_lacks(alphabet, text):
    with pytest.raises(EncodeError) as error:
        encode_text(text, alphabet)

    assert "text[1]" == error.value.path


@pytest.mark.parametrize("value", range(256))
def test_every_data_coding_has_a_meaning(value):
    coding = parse_data_coding(value)

    assert value == coding.value
    assert isinstance(coding.alphabet, Alphabet)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0x00, {"alphabet": Alphabet.GSM}),
        (0x03, {"alphabet": Alphabet.LATIN1}),
        (0x08, {"alphabet": Alphabet.UCS2}),
        (0x0B, {"alphabet": Alphabet.GSM, "reserved": True}),
        (0x10, {"alphabet": Alphabet.GSM, "message_class": 0}),
        (0x18, {"alphabet": Alphabet.UCS2, "message_class": 0}),
        (0x19, {"alphabet": Alphabet.UCS2, "message_class": 1}),
        (0x1C, {"alphabet": Alphabet.GSM, "message_class": 0, "reserved": True}),
        (0x20, {"alphabet": Alphabet.GSM, "compressed": True}),
        (0x58, {"alphabet": Alphabet.UCS2, "message_class": 0, "automatic_deletion": True}),
        (0x80, {"alphabet": Alphabet.GSM, "reserved": True}),
        (0xC8, {"indication": 0, "indication_active": True, "discard": True}),
        (0xD1, {"alphabet": Alphabet.GSM, "indication": 1}),
        (0xEA, {"alphabet": Alphabet.UCS2, "indication": 2, "indication_active": True}),
        (0xF0, {"alphabet": Alphabet.GSM, "message_class": 0}),
        (0xF5, {"alphabet": Alphabet.BINARY, "message_class": 1}),
        (0xF8, {"alphabet": Alphabet.GSM, "message_class": 0, "reserved": True}),
    ],
)
def test_a_data_coding_is_taken_apart(value, expected):
    whole = {"alphabet": Alphabet.GSM} | expected

    assert DataCoding(value=value, **whole) == parse_data_coding(value)


def test_data_coding_zero_means_what_the_carrier_means():
    assert Alphabet.LATIN1 is parse_data_coding(0, Alphabet.LATIN1).alphabet
    assert Alphabet.LATIN1 is parse_data_coding(0x0F, Alphabet.LATIN1).alphabet


@pytest.mark.parametrize("default", [Alphabet.GSM, Alphabet.LATIN1, Alphabet.ASCII, Alphabet.UCS2])
@pytest.mark.parametrize("alphabet", [a for a in Alphabet if a is not Alphabet.GSM])
def test_an_alphabet_is_announced_so_that_it_is_understood(alphabet, default):
    value = data_coding_for(alphabet, default=default)

    assert alphabet is parse_data_coding(value, default).alphabet


@pytest.mark.parametrize("alphabet", [Alphabet.GSM, Alphabet.BINARY, Alphabet.UCS2])
@pytest.mark.parametrize("message_class", range(4))
def test_a_message_class_is_announced_so_that_it_is_understood(alphabet, message_class):
    coding = parse_data_coding(data_coding_for(alphabet, message_class=message_class))

    assert (alphabet, message_class) == (coding.alphabet, coding.message_class)


@pytest.mark.parametrize(
    "arguments",
    [
        {"alphabet": Alphabet.GSM, "default": Alphabet.LATIN1},
        {"alphabet": Alphabet.LATIN1, "message_class": 0},
        {"alphabet": Alphabet.GSM, "message_class": 4},
    ],
)
def test_what_no_data_coding_says_is_refused(arguments):
    with pytest.raises(EncodeError) as error:
        data_coding_for(**arguments)

    assert "data_coding" == error.value.path
