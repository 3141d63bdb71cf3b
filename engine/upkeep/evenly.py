"""How many parts each of several links takes, when there are fewer parts than room.

Pure arithmetic. Links with most room take most, so that all come to have the same room left; a link
whose peer answers slowly has less room, and so takes less.
"""

from collections.abc import Sequence

__all__ = ["spread"]


def spread(parts: int, rooms: Sequence[int]) -> list[int]:
    """Share parts out.

    It looks at each link once, however many parts there are.

    Args:
        parts: How many there are, from 0 on.
        rooms: How many each link can take, from 0 on.

    Returns:
        How many each link takes, in the order of `rooms`; all that they can if that is not enough.
        Among links with the same room the earlier ones take the odd part.
    """
    if parts >= sum(rooms):
        return list(rooms)
    if len(rooms) == 1:
        return [parts]
    fullest_first = sorted(range(len(rooms)), key=rooms.__getitem__, reverse=True)
    heights = [*(rooms[link] for link in fullest_first), 0]
    taking, room = 1, heights[0]
    while room - taking * heights[taking] < parts:
        room += heights[taking]
        taking += 1
    left, odd = divmod(room - parts, taking)
    shares = [0] * len(rooms)
    for place, link in enumerate(fullest_first[:taking]):
        # Those at the end keep the odd room, so that the first of them take the odd part.
        shares[link] = rooms[link] - left - (place >= taking - odd)
    return shares
