"""Texts leave as one carrier wants them, and what it sends back is read the same way."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.messages import TextOptions
from whiteroute.engine.messages.carrier_text import cut_for_carrier, read_from_carrier
from whiteroute.pdu import (
    Alphabet,
    DataSm,
    DeliverSm,
    EncodeError,
    EsmClass,
    NationalLanguage,
    TextPart,
    make_tlvs,
    split_text,
    user_data,
)

LITTLE = TextOptions(ucs2="utf-16-le")


def delivered(part: TextPart) -> DeliverSm:
    """The same part, on its way back to us."""
    return DeliverSm(
        source_addr="1",
        destination_addr="2",
        esm_class=part.esm_class,
        data_coding=part.data_coding,
        short_message=part.short_message,
        tlvs=part.tlvs,
    )


def read_back(parts: tuple[TextPart, ...], options: TextOptions) -> str:
    return "".join(read_from_carrier(delivered(part), options) for part in parts)


def test_the_standard_way_is_left_alone() -> None:
    text = "ärger und " * 40

    assert split_text(text, reference=77).parts == cut_for_carrier(text, TextOptions(), 256 + 77)


def test_alphabets_are_tried_in_the_carriers_order() -> None:
    options = TextOptions(alphabets=(Alphabet.ASCII, Alphabet.LATIN1, Alphabet.UCS2))

    written = [cut_for_carrier(text, options, 1)[0] for text in ("hello", "señor", "да")]

    assert [(1, b"hello"), (3, "señor".encode("latin-1")), (8, "да".encode("utf-16-be"))] == [
        (part.data_coding, part.short_message) for part in written
    ]


def test_a_text_that_none_of_the_alphabets_can_write_is_refused() -> None:
    options = TextOptions(alphabets=(Alphabet.GSM, Alphabet.LATIN1))

    with pytest.raises(EncodeError, match="expected those of gsm, latin1"):
        cut_for_carrier("да", options, 1)


def test_gsm_fits_if_a_national_table_that_is_allowed_makes_it_fit() -> None:
    languages = (NationalLanguage.TURKISH,)
    options = TextOptions(alphabets=(Alphabet.GSM, Alphabet.UCS2), languages=languages)

    [turkish] = cut_for_carrier("ışık", options, 1)
    [russian] = cut_for_carrier("да", options, 1)

    assert (0, EsmClass.UDHI) == (turkish.data_coding, turkish.esm_class)
    assert 8 == russian.data_coding


def test_a_carrier_may_number_alphabets_its_own_way() -> None:
    options = TextOptions(
        default=Alphabet.LATIN1, data_codings={Alphabet.GSM: 0xF0, Alphabet.UCS2: 24}
    )

    [gsm] = cut_for_carrier("@", attrs.evolve(options, alphabets=(Alphabet.GSM,)), 1)
    [ucs2] = cut_for_carrier("да", options, 1)
    [latin1] = cut_for_carrier("@", options, 1)

    assert [(0xF0, b"\0"), (24, "да".encode("utf-16-be")), (0, b"@")] == [
        (part.data_coding, part.short_message) for part in (gsm, ucs2, latin1)
    ]
    assert ["@", "да", "@"] == [read_back((part,), options) for part in (gsm, ucs2, latin1)]


def test_a_number_of_its_own_wins_over_the_standards_when_reading() -> None:
    options = TextOptions(data_codings={Alphabet.LATIN1: 1})
    pdu = DeliverSm(
        source_addr="1", destination_addr="2", data_coding=1, short_message="ñ".encode("latin-1")
    )

    assert "ñ" == read_from_carrier(pdu, options)


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
def test_the_octets_of_ucs2_may_be_exchanged(mode: Any) -> None:
    text = "Привет, мир! " * 12
    options = TextOptions(ucs2="utf-16-le", long_mode=mode)

    parts = cut_for_carrier(text, options, 7)

    whole = b"".join(user_data(part)[len(part.udh) :] for part in parts)
    assert text.encode("utf-16-le") == whole
    assert text == read_back(parts, options)


def test_other_alphabets_are_not_exchanged() -> None:
    [part] = cut_for_carrier("hello", LITTLE, 1)

    assert b"hello" == part.short_message
    assert "hello" == read_back((part,), LITTLE)


def test_exchanged_octets_are_read_in_a_data_sm_too() -> None:
    pdu = DataSm(
        source_addr="1",
        destination_addr="2",
        data_coding=8,
        tlvs=make_tlvs(message_payload="да".encode("utf-16-le")),
    )

    assert "да" == read_from_carrier(pdu, LITTLE)


@given(st.binary(max_size=20), st.integers(0, 255), st.integers(0, 255))
def test_reading_never_fails(octets: bytes, data_coding: int, esm_class: int) -> None:
    pdu = DeliverSm(
        source_addr="1",
        destination_addr="2",
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=octets,
    )
    options = TextOptions(ucs2="utf-16-le", data_codings={Alphabet.UCS2: 5, Alphabet.HEBREW: 9})

    assert isinstance(read_from_carrier(pdu, options), str)


def test_a_nul_ends_the_short_message_where_the_carrier_loses_the_last_character() -> None:
    one = TextOptions(null_terminated=True)
    payload = TextOptions(null_terminated=True, long_mode="payload")

    assert b"hello\0" == cut_for_carrier("hello", one, 1)[0].short_message
    assert [True, True] == [
        part.short_message.endswith(b"\0") for part in cut_for_carrier("x" * 200, one, 1)
    ]
    assert b"hello" == user_data(cut_for_carrier("hello", payload, 1)[0])


@pytest.mark.parametrize(
    ("text", "parts"),
    [("x" * 160, 1), ("x" * 254, 1), ("x" * 255, 2), ("д" * 127, 1), ("д" * 128, 2)],
)
def test_a_message_centre_that_cuts_by_itself_gets_the_whole_text(text: str, parts: int) -> None:
    written = cut_for_carrier(text, TextOptions(max_octets=254), 1)

    assert parts == len(written)
    assert (parts > 1) == bool(written[0].esm_class & EsmClass.UDHI)
    assert text == "".join(part.text for part in written)
    assert text == read_back(written, TextOptions()) or parts > 1
    assert all(part.short_message and not part.tlvs.octets for part in written)
