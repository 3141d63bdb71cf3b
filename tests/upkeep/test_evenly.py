"""Links with most room take most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.upkeep import spread


@pytest.mark.parametrize(
    ("parts", "rooms", "shares"),
    [
        (0, [], []),
        (3, [], []),
        (3, [10], [3]),
        (30, [10], [10]),
        (1, [5, 5, 5], [1, 0, 0]),
        (4, [5, 5, 5], [2, 1, 1]),
        (4, [1, 9, 2], [0, 4, 0]),
        (8, [1, 9, 2], [0, 8, 0]),
        (10, [1, 9, 2], [0, 9, 1]),
        (12, [1, 9, 2], [1, 9, 2]),
        (99, [1, 0, 2], [1, 0, 2]),
    ],
)
def test_the_links_with_most_room_take_most(
    parts: int, rooms: list[int], shares: list[int]
) -> None:
    assert shares == spread(parts, rooms)


@given(parts=st.integers(0, 3_000), rooms=st.lists(st.integers(0, 200), max_size=40))
def test_everything_is_shared_out_and_what_is_left_is_level(parts: int, rooms: list[int]) -> None:
    shares = spread(parts, rooms)

    assert min(parts, sum(rooms)) == sum(shares)
    assert all(0 <= share <= room for share, room in zip(shares, rooms, strict=True))
    left = [room - share for share, room in zip(shares, rooms, strict=True)]
    lowered = [each for each, share in zip(left, shares, strict=True) if share]
    untouched = [each for each, share in zip(left, shares, strict=True) if not share]
    assert max(lowered, default=0) - min(lowered, default=0) <= 1
    assert max(untouched, default=0) <= max(lowered, default=max(untouched, default=0)) + 1
