"""What becomes of messages: rules first, then chance, and chance only from the seed."""

from collections import Counter

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import MessageState
from whiteroute.simulators import (
    TYPICAL_HANDSETS,
    Chance,
    Handset,
    Handsets,
    MessageCenter,
    open_message_center,
)

NUMBERS = st.text("0123456789", min_size=1, max_size=20)


def fates(handsets, seed, times=2000):
    return [handsets.fate(f"346{number:08d}", 0, seed) for number in range(times)]


def test_as_it_stands_all_are_delivered_alike():
    (fate,) = set(fates(Handsets(), seed=1))

    assert (MessageState.DELIVERED, "000", 0.1) == (fate.state, fate.err, fate.delay)


@given(number=NUMBERS, nth=st.integers(0, 10), seed=st.integers())
def test_the_same_arguments_give_the_same_fate(number, nth, seed):
    first = TYPICAL_HANDSETS.fate(number, nth, seed)

    assert first == TYPICAL_HANDSETS.fate("+" + number, nth, seed)


def test_other_seeds_numbers_and_turns_give_other_fates():
    assert fates(TYPICAL_HANDSETS, seed=1) != fates(TYPICAL_HANDSETS, seed=2)
    assert 1 < len({TYPICAL_HANDSETS.fate("34600111222", nth, 1).delay for nth in range(100)})


def test_outcomes_come_as_often_as_they_weigh():
    handsets = Handsets(
        chances=[
            Chance(state=MessageState.DELIVERED, weight=3),
            Chance(state=MessageState.UNDELIVERABLE, err="001", weight=1),
            Chance(state=MessageState.REJECTED, err="011", weight=0),
        ]
    )
    counted = Counter((fate.state, fate.err) for fate in fates(handsets, seed=1))

    assert {(MessageState.DELIVERED, "000"), (MessageState.UNDELIVERABLE, "001")} == set(counted)
    assert 0.70 < counted[MessageState.DELIVERED, "000"] / 2000 < 0.80


def test_half_of_the_delays_are_below_the_median_and_all_within_bounds():
    handsets = Handsets(median_delay=10.0, sigma=1.5, least_delay=1.0, most_delay=60.0)
    delays = [fate.delay for fate in fates(handsets, seed=1)]

    assert 0.45 < sum(delay < 10.0 for delay in delays) / 2000 < 0.55
    assert (1.0, 60.0) == (min(delays), max(delays))


def test_typical_handsets_are_mostly_reached():
    counted = Counter(fate.state for fate in fates(TYPICAL_HANDSETS, seed=1))

    assert 0.91 < counted[MessageState.DELIVERED] / 2000 < 0.95
    assert {
        MessageState.DELIVERED,
        MessageState.UNDELIVERABLE,
        MessageState.EXPIRED,
        MessageState.REJECTED,
    } == set(counted)


@pytest.mark.parametrize(
    ("number", "err"),
    [
        ("34600111222", "whole"),
        ("+34600111222", "whole"),
        ("346001112220", "prefix"),
        ("34600999913", "prefix"),
        ("44700999913", "suffix"),
        ("44700999900", "any"),
    ],
)
def test_the_first_rule_that_fits_decides(number, err):
    handsets = Handsets(
        rules=[
            Handset(pattern="34600111222", state=MessageState.REJECTED, err="whole"),
            Handset(pattern="34600*", state=MessageState.REJECTED, err="prefix", delay=7.0),
            Handset(pattern="*13", state=MessageState.REJECTED, err="suffix"),
            Handset(pattern="*", state=MessageState.REJECTED, err="any"),
        ]
    )
    fate = handsets.fate(number, 0, 1)

    assert err == fate.err
    assert (7.0 if err == "prefix" else 0.1) == fate.delay


@pytest.mark.parametrize("pattern", ["", "3*4", "**", "*1*"])
def test_a_pattern_of_another_form_is_refused(pattern):
    with pytest.raises(ValueError, match="pattern"):
        Handset(pattern=pattern)


@pytest.mark.parametrize("state", [MessageState.ENROUTE, MessageState.SCHEDULED])
def test_a_message_cannot_end_on_its_way(state):
    with pytest.raises(ValueError, match=state.name):
        Handset(pattern="*", state=state)
    with pytest.raises(ValueError, match=state.name):
        Chance(state=state, weight=1)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"chances": ()}, "no weight"),
        ({"chances": [Chance(state=MessageState.DELIVERED, weight=0)]}, "no weight"),
        ({"median_delay": -1.0}, "median_delay"),
        ({"median_delay": 5.0, "most_delay": 1.0}, "expected 0.0 to 1.0"),
        ({"sigma": float("nan")}, "sigma"),
    ],
)
def test_what_makes_no_sense_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        Handsets(**fields)


async def test_the_same_seed_gives_the_same_figures_however_binds_take_turns(
    open_esme, autojump_clock
):
    figures = []
    for order in (1, -1):
        center = MessageCenter(handsets=TYPICAL_HANDSETS, seed=5)
        async with (
            open_message_center(center, host=None),
            open_esme(center) as first,
            open_esme(center) as second,
            trio.open_nursery() as nursery,
        ):

            async def send(esme, numbers):
                for number in numbers:
                    await esme.submit(number)

            numbers = [f"34600{n % 50:06d}" for n in range(200)][::order]
            nursery.start_soon(send, first, numbers[:80])
            nursery.start_soon(send, second, numbers[80:])
        async with open_message_center(center, host=None), open_esme(center):
            await trio.sleep(1000)
        figures.append(Counter((e.destination_addr, e.state, e.err) for e in center.submitted))

    assert figures[0] == figures[1]
    assert 200 == figures[0].total()


async def test_messages_to_too_many_numbers_are_counted_anew(open_esme, autojump_clock):
    center = MessageCenter()
    center._store.most_numbers = 2
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for number in (1, 2, 1, 3):
            await esme.submit(f"3460000000{number}")

    assert {"34600000003": 1} == center._store._messages_to
