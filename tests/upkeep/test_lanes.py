"""One at a time to each destination, in the order in which they asked."""

from collections import defaultdict, deque

import attrs
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.upkeep import Lanes


@attrs.frozen
class Traveller:
    """Somebody on his way, for the so-manieth time."""

    name: int
    attempt: int = 1


def make_lanes() -> Lanes[Traveller]:
    return Lanes(lambda one: one.name)


def test_one_goes_and_the_next_waits_until_he_is_done() -> None:
    lanes = make_lanes()

    assert lanes.enter("346", Traveller(1))
    assert not lanes.enter("346", Traveller(2))
    assert not lanes.enter("346", Traveller(3))
    assert (2, [Traveller(2), Traveller(3)]) == (len(lanes), list(lanes))
    assert Traveller(2) == lanes.leave("346", Traveller(1))
    assert lanes.enter("346", Traveller(2))
    assert Traveller(3) == lanes.leave("346", Traveller(2))
    assert lanes.leave("346", Traveller(3)) is None
    assert lanes.enter("346", Traveller(4))


def test_other_destinations_are_not_held_up() -> None:
    lanes = make_lanes()

    assert lanes.enter("346", Traveller(1))
    assert lanes.enter("347", Traveller(2))
    assert lanes.leave("347", Traveller(2)) is None


def test_another_try_of_his_own_is_let_pass() -> None:
    lanes = make_lanes()
    lanes.enter("346", Traveller(1))
    lanes.enter("346", Traveller(2))

    assert lanes.enter("346", Traveller(1, attempt=2))
    assert Traveller(2) == lanes.leave("346", Traveller(1, attempt=2))


def test_being_done_may_be_said_twice() -> None:
    lanes = make_lanes()
    for name in (1, 2, 3):
        lanes.enter("346", Traveller(name))

    assert Traveller(2) == lanes.leave("346", Traveller(1))
    assert lanes.leave("346", Traveller(1)) is None
    assert lanes.leave("nobody", Traveller(1)) is None
    assert 1 == len(lanes)


def test_those_who_waited_too_long_are_taken_out() -> None:
    lanes = make_lanes()
    for name in range(6):
        lanes.enter("346", Traveller(name))
    lanes.enter("347", Traveller(9))

    taken = lanes.take_out(lambda one: one.name % 2 == 0)

    assert [Traveller(2), Traveller(4)] == taken
    assert (3, [Traveller(1), Traveller(3), Traveller(5)]) == (len(lanes), list(lanes))
    assert Traveller(1) == lanes.leave("346", Traveller(0))
    assert [] == lanes.take_out(lambda one: one.name > 9)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["enter", "again", "leave"]), st.sampled_from("abc")),
        max_size=80,
    )
)
def test_everybody_goes_once_in_his_turn_and_nothing_is_kept(steps: list[tuple[str, str]]) -> None:
    lanes = make_lanes()
    asked: dict[str, deque[Traveller]] = defaultdict(deque)
    for number, (step, destination) in enumerate(steps):
        waiting = asked[destination]
        if step == "enter":
            one = Traveller(number)
            assert lanes.enter(destination, one) is (not waiting)
            waiting.append(one)
        elif step == "again" and waiting:
            assert lanes.enter(destination, attrs.evolve(waiting[0], attempt=2))
        elif waiting:
            done = waiting.popleft()
            assert lanes.leave(destination, done) == (waiting[0] if waiting else None)
        assert len(lanes) == sum(max(0, len(each) - 1) for each in asked.values())
    for destination, waiting in asked.items():
        while waiting:
            lanes.leave(destination, waiting.popleft())
    assert [] == list(lanes)
    assert all(lanes.enter(destination, Traveller(-1)) for destination in "abc")
