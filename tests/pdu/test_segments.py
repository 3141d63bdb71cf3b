"""Texts and parts: the limits of the specification, what is never cut, and the way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.alphabet import ESCAPE, Alphabet, pack_septets
from whiteroute.pdu.errors import EncodeError
from whiteroute.pdu.grapheme import is_boundary
from whiteroute.pdu.national import NO_SHIFT, Shift
from whiteroute.pdu.operations import DataSm, DeliverSm
from whiteroute.pdu.segments import TextPart, join_parts, preview, split_text
from whiteroute.pdu.tlv import NO_TLVS, make_tlvs
from whiteroute.pdu.udh import find_concatenation

MODES = st.sampled_from(["udh8", "udh16", "sar", "payload"])
MIXED = st.text(
    st.one_of(
        st.sampled_from("aé€[\r\n@ΔşıйабEκ"),
        st.sampled_from("\u0301\u200d\ufe0f\U0001f3fb😀👩🇪🇸क्षि한각"),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=500,
)
GSM_TEXTS = st.text(st.sampled_from("abc é€[]\r\n@"), max_size=700)


@given(MIXED, MODES, st.integers(0, 255), st.booleans())
def test_a_text_survives_its_parts(text, mode, reference, packed):
    segmented = split_text(text, mode=mode, reference=reference, languages=(1, 3, 6), packed=packed)

    joined = join_parts(segmented.parts, packed=packed)
    if packed:
        # Without a count a septet of padding cannot be told from a last "@" or line end.
        joined, text = joined.rstrip("@\r"), text.rstrip("@\r")
        assert len(segmented.parts) > 1 or text == joined
    else:
        assert text == joined
        assert text == "".join(part.text for part in segmented.parts)


@given(MIXED, st.sampled_from(["udh8", "udh16", "sar"]), st.integers(0, 255))
def test_each_part_fits_and_says_which_it_is(text, mode, reference):
    segmented = split_text(text, mode=mode, reference=reference, languages=(1,))

    total = len(segmented.parts)
    for sequence, part in enumerate(segmented.parts, 1):
        assert part.units <= segmented.capacity
        assert part.udh == part.short_message[: len(part.udh)]
        assert bool(part.udh) is bool(part.esm_class)
        assert segmented.data_coding == part.data_coding
        told = find_concatenation(part)
        assert (told is None) is (total == 1)
        if told is not None:
            assert (reference, total, sequence) == (told.reference, told.total, told.sequence)


@given(GSM_TEXTS)
def test_an_escape_is_never_cut(text):
    for part in split_text(text).parts:
        septets = part.short_message[len(part.udh) :]
        assert septets.count(ESCAPE) == sum(character in "€[]" for character in part.text)


@given(MIXED)
def test_a_surrogate_pair_is_never_cut(text):
    for part in split_text(text, alphabet=Alphabet.UCS2).parts:
        assert part.text == part.short_message[len(part.udh) :].decode("utf-16-be")


@given(MIXED)
def test_sparing_characters_takes_no_further_part(text):
    segmented = split_text(text, alphabet=Alphabet.UCS2)

    units, greedy = 0, 1
    for character in text:
        width = len(character.encode("utf-16-be")) // 2
        greedy, units = (greedy + 1, width) if units + width > 67 else (greedy, units + width)
    total = len(text.encode("utf-16-be")) // 2
    assert len(segmented.parts) == (1 if total <= 70 else greedy)


@pytest.mark.parametrize(
    ("arguments", "single", "each"),
    [
        ({"text": "a"}, 160, 153),
        ({"text": "a", "mode": "udh16"}, 160, 152),
        ({"text": "a", "mode": "sar"}, 160, 153),
        ({"text": "a", "mode": "sar", "reference": 256}, 160, 152),
        ({"text": "я"}, 70, 67),
        ({"text": "я", "mode": "udh16"}, 70, 66),
        ({"text": "я", "mode": "sar", "reference": 65535}, 70, 66),
        ({"text": "ş", "languages": (1,), "alphabet": Alphabet.GSM}, 155, 149),
        ({"text": "ş", "languages": (1,), "alphabet": Alphabet.GSM, "mode": "udh16"}, 155, 148),
        ({"text": "é", "alphabet": Alphabet.LATIN1}, 140, 134),
        ({"text": "é", "default": Alphabet.LATIN1, "mode": "udh16"}, 140, 133),
    ],
)
def test_a_part_holds_what_the_specification_says(arguments, single, each):
    text = arguments.pop("text")

    assert single == split_text(text, **arguments).capacity
    assert [single] == [part.units for part in split_text(text * single, **arguments).parts]
    longer = split_text(text * (single + 1), **arguments)
    assert [each, single + 1 - each] == [part.units for part in longer.parts]
    assert each == longer.capacity


@pytest.mark.parametrize(("mode", "each"), [("udh8", 146), ("udh16", 145)])
def test_both_shift_tables_leave_less(mode, each):
    text = "क" * 140 + "१"

    assert (Shift(6, 6), 152) == (
        (short := split_text(text, languages=(6,))).shift,
        short.capacity,
    )
    assert each == split_text(text * 2, languages=(6,), mode=mode).capacity


def test_an_empty_text_is_one_empty_part():
    segmented = split_text("")

    assert (Alphabet.GSM, 160, 0) == (
        segmented.alphabet,
        segmented.capacity,
        segmented.data_coding,
    )
    assert (b"", 0, "") == (
        segmented.parts[0].short_message,
        segmented.parts[0].esm_class,
        segmented.parts[0].text,
    )


def test_a_pair_astride_the_cut_moves_on():
    text = "я" * 66 + "😀" + "я" * 65

    assert [66, 67] == [part.units for part in split_text(text).parts]
    astride_twice = "я" * 66 + "😀" + "я" * 64 + "😀"
    assert [66, 66, 2] == [part.units for part in split_text(astride_twice).parts]


def test_a_family_stays_together():
    family = "👩\u200d👩\u200d👧\u200d👦"

    parts = split_text("я" * 60 + family + "я" * 10).parts

    assert ["я" * 60, family + "я" * 10] == [part.text for part in parts]


def test_a_family_is_cut_where_sparing_it_would_take_a_part():
    family = "👩\u200d👩\u200d👧\u200d👦"

    parts = split_text("я" * 60 + family + "я" * 62).parts

    assert [66, 67] == [part.units for part in parts]


def test_what_is_longer_than_a_part_is_cut_anyway():
    text = "e" + "\u0301" * 150

    assert [67, 67, 17] == [part.units for part in split_text(text).parts]


def test_line_ends_stay_together():
    parts = split_text("a" * 152 + "\r\n" + "a" * 20).parts

    assert ["a" * 152, "\r\n" + "a" * 20] == [part.text for part in parts]


@pytest.mark.parametrize(
    ("text", "arguments", "alphabet", "shift"),
    [
        ("plain", {}, Alphabet.GSM, NO_SHIFT),
        ("ş", {}, Alphabet.UCS2, NO_SHIFT),
        # One part either way: every handset knows UCS-2.
        ("ş", {"languages": (1,)}, Alphabet.UCS2, NO_SHIFT),
        ("ş" * 71, {"languages": (1,)}, Alphabet.GSM, Shift(locking=1)),
        ("ş", {"languages": (1,), "alphabet": Alphabet.GSM}, Alphabet.GSM, Shift(locking=1)),
        ("ş中" * 71, {"languages": (1,)}, Alphabet.UCS2, NO_SHIFT),
        ("é", {"default": Alphabet.LATIN1}, Alphabet.LATIN1, NO_SHIFT),
        ("€", {"default": Alphabet.LATIN1}, Alphabet.UCS2, NO_SHIFT),
        ("a", {"alphabet": Alphabet.UCS2}, Alphabet.UCS2, NO_SHIFT),
    ],
)
def test_the_alphabet_is_the_cheapest_that_is_allowed(text, arguments, alphabet, shift):
    segmented = split_text(text, **arguments)

    assert (alphabet, shift) == (segmented.alphabet, segmented.shift)


@pytest.mark.parametrize(
    ("text", "arguments", "path"),
    [
        ("a中", {"alphabet": Alphabet.GSM}, "text[1]"),
        ("a中", {"alphabet": Alphabet.GSM, "languages": (1,)}, "text[1]"),
        ("a\ud800", {}, "text[1]"),
        ("a" * (153 * 255 + 1), {}, "text"),
        ("a" * 65536, {"mode": "payload"}, "message_payload"),
        ("a" * 161, {"reference": 256}, "udh.concatenation"),
        ("a" * 161, {"reference": 65536, "mode": "sar"}, "sar_msg_ref_num"),
        ("é", {"default": Alphabet.LATIN1, "alphabet": Alphabet.GSM}, "data_coding"),
    ],
)
def test_what_cannot_be_sent_is_refused(text, arguments, path):
    with pytest.raises(EncodeError) as error:
        split_text(text, **arguments)

    assert path == error.value.path


def test_255_parts_are_the_most():
    assert 255 == len(split_text("a" * (153 * 255)).parts)


def test_a_payload_is_one_part_of_any_length():
    segmented = split_text("a" * 1000, mode="payload")

    assert [b""] == [part.short_message for part in segmented.parts]
    assert b"a" * 1000 == segmented.parts[0].tlvs.first(0x0424)


def test_a_flash_message_says_so():
    assert 0xF0 == split_text("now", message_class=0).data_coding
    assert 0x18 == split_text("я", message_class=0).data_coding


def test_packed_septets_start_on_a_septet_boundary_behind_the_header():
    part = split_text("a" * 161, packed=True).parts[0]

    assert 140 == len(part.short_message)
    assert pack_septets(b"a" * 153, fill_bits=1) == part.short_message[6:]


def test_an_alphabet_that_switches_inside_a_text_is_cut_between_characters():
    text = "日本語a" * 40

    parts = split_text(text, alphabet=Alphabet.MUSIC).parts

    assert len(parts) > 1
    assert text == join_parts(parts)
    assert all(len(part.short_message) <= 140 for part in parts)


@given(st.text(st.sampled_from("日本語abc"), max_size=300))
def test_characters_of_several_octets_are_not_cut(text):
    assert text == join_parts(split_text(text, alphabet=Alphabet.JIS).parts)


def part_of(octets, *, data_coding=0):
    return TextPart(
        esm_class=0,
        data_coding=data_coding,
        short_message=octets,
        tlvs=NO_TLVS,
        udh=b"",
        text="",
        units=0,
    )


def test_what_others_cut_in_two_is_whole_again():
    assert "a€" == join_parts([part_of(b"a\x1b"), part_of(b"e")])
    pair = "😀".encode("utf-16-be")
    assert "😀" == join_parts([part_of(pair[:2], data_coding=8), part_of(pair[2:], data_coding=8)])


def test_parts_written_differently_are_read_each_in_its_way():
    parts = [part_of(b"a"), part_of("я".encode("utf-16-be"), data_coding=8), part_of(b"\x00")]

    assert "aя@" == join_parts(parts)


def test_a_compressed_text_is_shown_as_octets():
    assert "\x00ÿ" == join_parts([part_of(b"\x00\xff", data_coding=0x20)])


def test_pdus_are_parts_too():
    assert "hi" == join_parts([DeliverSm(short_message=b"hi")])
    assert "hi" == join_parts([DataSm(destination_addr="1", tlvs=make_tlvs(message_payload=b"hi"))])
    assert "é" == join_parts([DeliverSm(short_message=b"\xe9")], default=Alphabet.LATIN1)


def test_a_preview_names_what_makes_a_text_dear():
    seen = preview("Your code: 123 — valid")

    assert (Alphabet.UCS2, 1, 22, 48, (22,)) == (
        seen.alphabet,
        seen.parts,
        seen.units_used,
        seen.units_left,
        seen.part_units,
    )
    assert (15, "—") == (seen.foreign_at, seen.foreign_character)


def test_a_preview_of_a_plain_text_names_nothing():
    seen = preview("a" * 161)

    assert (2, 161, 145, (153, 8), 153) == (
        seen.parts,
        seen.units_used,
        seen.units_left,
        seen.part_units,
        seen.capacity,
    )
    assert (None, None, NO_SHIFT) == (seen.foreign_at, seen.foreign_character, seen.shift)


def test_a_preview_asks_the_alphabet_of_the_carrier():
    assert 1 == preview("é€", default=Alphabet.LATIN1).foreign_at
    assert preview("é", default=Alphabet.LATIN1).foreign_at is None


@pytest.mark.parametrize(
    ("before", "after", "boundary"),
    [
        ("a", "b", True),
        ("\r", "\n", False),
        ("\n", "\r", True),
        ("e", "\u0301", False),
        ("\n", "\u0301", True),
        ("❤", "\ufe0f", False),
        ("👍", "\U0001f3fd", False),
        ("👩", "\u200d", False),
        ("👩\u200d", "👦", False),
        ("👩", "👦", True),
        ("🇪", "🇸", False),
        ("🇪🇸", "🇫", True),
        ("🇪🇸🇫", "🇷", False),
        ("\u1112", "\u1161", False),
        ("\u1112\u1161", "\u11ab", False),
        ("\ud558", "\u11ab", False),
        ("a", "\u1161", True),
        ("\u11ab", "\u1100", True),
        ("\u1100", "\uac00", False),
        ("\uac00", "\uac00", True),
        ("क", "्", False),
        ("क्", "ष", False),
        ("ष", "क", True),
        ("क", "\u200c", False),
        ("ｶ", "ﾞ", False),
        ("🏴", "\U000e0067", False),
    ],
)
def test_a_character_as_readers_see_it_is_kept_whole(before, after, boundary):
    assert boundary is is_boundary(before + after, len(before))


def test_the_ends_of_a_text_are_boundaries():
    assert is_boundary("\u0301", 0)
    assert is_boundary("a", 1)
