"""Time fields: absolute, relative, empty, and what is none of these."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.errors import EncodeError
from whiteroute.pdu.smpp_time import SmppTimeError, format_smpp_time, parse_smpp_time

ZONES = st.integers(-48, 48).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
MOMENTS = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001
    datetime(2099, 12, 31, 23),  # noqa: DTZ001
    timezones=ZONES,
)


@given(MOMENTS)
def test_a_moment_survives_to_the_tenth_of_a_second(moment):
    moment = moment.replace(microsecond=moment.microsecond // 100_000 * 100_000)

    found = parse_smpp_time(format_smpp_time(moment))

    assert moment == found
    assert isinstance(found, datetime)
    assert moment.utcoffset() == found.utcoffset()


@given(st.integers(0, 32 * 86_400 - 1))
def test_a_duration_survives(seconds):
    duration = timedelta(seconds=seconds)

    assert duration == parse_smpp_time(format_smpp_time(duration))


@given(st.text(st.sampled_from("0123456789+-R"), min_size=14, max_size=18))
def test_any_field_is_a_time_or_an_error_of_ours(text):
    with suppress(SmppTimeError):
        assert isinstance(parse_smpp_time(text), datetime | timedelta)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("240229123015704+", datetime(2024, 2, 29, 11, 30, 15, 700_000, tzinfo=UTC)),
        ("240229123015048-", datetime(2024, 3, 1, 0, 30, 15, tzinfo=UTC)),
        ("000000120000000R", timedelta(hours=12)),
        ("020610233429000R", timedelta(days=920, hours=23, minutes=34, seconds=29)),
        ("000000000000999R", timedelta()),
    ],
)
def test_a_field_is_read_as_specified(text, expected):
    assert expected == parse_smpp_time(text)


@pytest.mark.parametrize(
    "text",
    [
        "240229123015000",
        "2402291230150 0+",
        "230229000000000+",
        "240229123015049+",
        "٢40229123015000+",
    ],
)
def test_what_is_no_time_says_what_was_expected(text):
    with pytest.raises(SmppTimeError) as error:
        parse_smpp_time(text)

    assert str(error.value).startswith(repr(text))


def test_nothing_is_an_empty_field():
    assert "" == format_smpp_time(None)


def test_a_zone_that_quarters_cannot_tell_is_written_in_utc():
    moment = datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(hours=14)))
    odd = datetime(2024, 2, 29, 12, tzinfo=timezone(timedelta(minutes=7)))

    assert "240228220000000+" == format_smpp_time(moment)
    assert "240229115300000+" == format_smpp_time(odd)


def test_a_fraction_of_a_second_is_rounded_up():
    assert "000000000001000R" == format_smpp_time(timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "time",
    [
        datetime(2024, 2, 29),  # noqa: DTZ001
        datetime(1999, 12, 31, tzinfo=UTC),
        datetime(2100, 1, 1, tzinfo=UTC),
        timedelta(seconds=-1),
        timedelta(days=32),
        timedelta(days=31, hours=23, minutes=59, seconds=59, milliseconds=1),
    ],
)
def test_what_the_field_cannot_hold_is_refused(time):
    with pytest.raises(EncodeError) as error:
        format_smpp_time(time)

    assert "time" == error.value.path
