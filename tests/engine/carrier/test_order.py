"""Where the order is asked for, nothing leaves to a destination before what was submitted earlier is done."""

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import trio

from whiteroute.engine.carrier import OutgoingPart
from whiteroute.pdu import CommandStatus
from whiteroute.simulators import MessageCenter, Submission, behaviours, open_message_center

Make = Callable[..., Any]


def arrived(center: MessageCenter, *, accepted: bool = True) -> dict[str, list[str]]:
    """Give the texts that came to each destination, in their order."""
    texts: dict[str, list[str]] = defaultdict(list)
    for each in center.submitted:
        if not (accepted and each.command_status):
            texts[each.destination_addr].append(each.request.short_message.decode())
    return texts


class Grudging(behaviours.Behaviour):
    """Refuses each third submission with this status, the first of all among them."""

    status = CommandStatus.ESME_RTHROTTLED

    def on_submit(self, answer: Any, submission: Submission, bind: Any) -> Any:
        tally = (bind.mailbox or bind).tallies.of(self)
        tally.count += 1
        if tally.count % 3 != 1:
            return answer
        return behaviours.Answer(command_status=self.status)


class GrudgingForGood(Grudging):
    status = CommandStatus.ESME_RINVDSTADR


@pytest.mark.parametrize("behaviour", [Grudging, GrudgingForGood, behaviours.Behaviour])
async def test_messages_to_one_destination_arrive_in_their_order(
    autojump_clock: Any,
    open_account: Make,
    messages: Make,
    persistent: Any,
    behaviour: type[behaviours.Behaviour],
) -> None:
    persistent.disk = 0.02
    center = MessageCenter(behaviours=(behaviour(),))
    parts: list[OutgoingPart] = messages(30, "346", "347", "348", parts=3)
    refused = CommandStatus.ESME_RINVDSTADR

    def done() -> list[OutgoingPart]:
        return persistent.accepted + [
            part for part, status in persistent.refused if status == refused
        ]

    async with (
        open_message_center(center),
        open_account(center.port, binds=3, keep_order=True) as carrier,
    ):
        carrier.enqueue(parts)
        await persistent.wait(lambda: len(done()) == len(parts))
        assert (0, 0) == (carrier.statistics().queued, carrier.statistics().in_flight)

    taken = {part.pdu.short_message for part in persistent.accepted}
    wanted: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        if part.pdu.short_message in taken:
            wanted[part.pdu.destination_addr].append(part.pdu.short_message.decode())
    assert wanted == arrived(center)


async def test_one_part_is_under_way_to_a_destination_and_others_are_not_held_up(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(2.0),))
    async with (
        open_message_center(center),
        open_account(center.port, window=50, keep_order=True) as carrier,
    ):
        carrier.enqueue(messages(5, "346"))
        carrier.enqueue(messages(20, *(f"35{number}" for number in range(20)), ref="n"))
        await trio.sleep(1)
        assert 21 == len(center.submitted)
        assert 4 == carrier.statistics().queued
        await persistent.wait(lambda: len(persistent.accepted) == 25)

    times = [each.submitted_at for each in center.submitted if each.destination_addr == "346"]
    assert all(later - at >= 2.0 for at, later in pairwise(times))


async def test_without_it_nobody_waits_for_anybody(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(2.0),))
    async with open_message_center(center), open_account(center.port, window=50) as carrier:
        carrier.enqueue(messages(30, "346"))
        await trio.sleep(1)
        assert 30 == len(center.submitted)


async def test_a_part_that_is_given_up_lets_the_next_one_go(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any, raw: Any
) -> None:
    async with trio.open_nursery() as nursery:
        peers: list[Any] = []

        async def accept() -> None:
            while True:
                peers.append(await raw.accept_bind())

        nursery.start_soon(accept)
        async with open_account(raw.port, keep_order=True) as carrier:
            carrier.enqueue(messages(2, "346"))
            first = await peers[0].receive()
            await peers[0].aclose()
            await persistent.wait(lambda: len(peers) == 2)
            second = await peers[1].receive()
        nursery.cancel_scope.cancel()

    assert [b"m-0/1", b"m-1/1"] == [first.short_message, second.short_message]
    assert ["m-0"] == [part.message_ref for part in persistent.lost][:1]


async def test_whoever_waits_too_long_behind_another_expires(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(20.0),))
    async with open_message_center(center), open_account(center.port, keep_order=True) as carrier:
        carrier.enqueue(messages(1, "346"))
        carrier.enqueue(messages(3, "346", ref="n", expires_at=trio.current_time() + 5))
        carrier.enqueue(messages(1, "346", ref="o"))
        await persistent.wait(lambda: len(persistent.expired) == 3)
        assert 5 <= trio.current_time() <= 7
        await persistent.wait(lambda: len(persistent.accepted) == 2)

    assert [b"m-0/1", b"o-0/1"] == [each.request.short_message for each in center.submitted]


async def test_a_holder_that_expires_lets_the_next_one_go(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(
        behaviours=(behaviours.RefuseSubmits(CommandStatus.ESME_RMSGQFUL, times=1),)
    )
    async with (
        open_message_center(center),
        open_account(center.port, keep_order=True, throttle_delay=3.0) as carrier,
    ):
        carrier.enqueue(messages(1, "346", expires_at=trio.current_time() + 1.5))
        carrier.enqueue(messages(1, "346", ref="n"))
        await persistent.wait(lambda: len(persistent.accepted) == 1)

    assert ["m-0"] == [part.message_ref for part in persistent.expired]
    assert ["n-0"] == [part.message_ref for part in persistent.accepted]


async def test_parts_that_may_not_go_after_all_hold_nobody_up(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter()

    class Choosy(type(persistent)):
        def write_ahead(self, carrier: Any, parts: list[OutgoingPart], go: Any) -> None:
            carrier.release([part for part in parts if part.message_ref == "m-0"])
            super().write_ahead(carrier, [part for part in parts if part.message_ref != "m-0"], go)

    choosy = Choosy(persistent.sleep, news=persistent.news)
    async with open_message_center(center), open_account(center.port, keep_order=True) as carrier:
        carrier.owner = choosy
        carrier.enqueue(messages(3, "346"))
        await choosy.wait(lambda: len(choosy.accepted) == 2)

    assert {"346": ["m-1/1", "m-2/1"]} == arrived(center)


async def test_a_carrier_that_is_withdrawn_gives_back_those_who_wait_as_well(
    autojump_clock: Any, open_account: Make, messages: Make, persistent: Any
) -> None:
    center = MessageCenter(behaviours=(behaviours.SlowResponse(2.0),))
    async with open_message_center(center), open_account(center.port, keep_order=True) as carrier:
        carrier.enqueue(messages(4, "346"))
        await trio.sleep(1)
        carrier.withdraw()
        assert 0 == carrier.statistics().queued

    assert ["m-1", "m-2", "m-3"] == [part.message_ref for part in persistent.left]
