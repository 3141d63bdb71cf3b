"""A link that is cancelled, or whose owner fails, at any point leaves nothing half done."""

from collections.abc import Callable

import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import (
    Arrived,
    CloseCause,
    Closed,
    Event,
    Exchange,
    ExchangeEnd,
    Session,
)
from whiteroute.pdu import (
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    SubmitSmResp,
    encode,
)


def submit() -> SubmitSm:
    return SubmitSm(destination_addr="34600111222")


# Those who wait.


async def test_a_cancelled_request_stays_in_flight_and_its_answer_is_told(
    autojump_clock, bind, nursery
):
    made = bind()
    with trio.move_on_after(1) as scope:
        await made.link.request(submit())
    assert scope.cancelled_caught
    assert 1 == made.link.statistics().in_flight
    request = await made.peer.receive()
    await made.peer.send(SubmitSmResp(sequence_number=request.sequence_number))
    await trio.testing.wait_all_tasks_blocked()
    (exchange,) = made.owner.ended
    assert ExchangeEnd.ANSWERED is exchange.end


async def test_a_request_in_a_cancelled_scope_is_sent_all_the_same(autojump_clock, bind):
    made = bind()
    with trio.CancelScope() as scope:
        scope.cancel()
        await made.link.request(submit())
    assert scope.cancelled_caught
    assert isinstance(await made.peer.receive(), SubmitSm)


async def test_a_cancelled_request_may_be_lost_with_its_link(autojump_clock, bind):
    made = bind()
    with trio.move_on_after(1):
        await made.link.request(submit())
    made.link.close()
    await made.link.wait_closed()
    assert [ExchangeEnd.UNKNOWN] == [exchange.end for exchange in made.owner.ended]


async def test_an_answer_and_a_cancellation_at_the_same_instant_are_survived(autojump_clock, bind):
    made = bind()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.link.request, submit())
        request = await made.peer.receive()
        await made.peer.send(SubmitSmResp(sequence_number=request.sequence_number))
        nursery.cancel_scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert 1 == len(made.owner.ended)
    assert made.link.closed is None


async def test_waiting_for_an_unbind_may_be_given_up(autojump_clock, bind):
    made = bind(unbind_timeout=100.0)
    with trio.move_on_after(1):
        await made.link.unbind()
    assert made.link.session.is_unbinding
    assert made.link.closed is None
    made.link.close()
    assert CloseCause.LOCAL is (await made.link.wait_closed()).cause


# The link itself.


async def test_a_cancelled_link_ends_every_request_and_closes_its_stream(autojump_clock, bind):
    made = bind(run=False)
    ended: list[Exchange] = []

    async def ask() -> None:
        ended.append(await made.link.request(submit()))

    async with trio.open_nursery() as outside, trio.open_nursery() as inside:
        inside.start_soon(made.link.run)
        outside.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked()
        inside.cancel_scope.cancel()
    (exchange,) = ended
    assert ExchangeEnd.UNKNOWN is exchange.end
    assert [exchange, Closed(CloseCause.LOCAL)] == made.owner.events
    assert [exchange.request] == await made.peer.rest()


class CancellingStream(trio.abc.Stream):
    """Cancels a scope at its n-th operation, before or after the operation is done."""

    def __init__(self, stream: trio.abc.Stream, scope: trio.CancelScope, at: int) -> None:
        self.stream, self.scope, self.left = stream, scope, at
        self.closed = False

    async def _step(self, operation: Callable[[], object]) -> object:
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()
        result = await operation()
        self.left -= 1
        if self.left == 0:
            self.scope.cancel()
        return result

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._step(lambda: self.stream.receive_some(max_bytes))

    async def send_all(self, data: bytes) -> None:
        await self._step(lambda: self.stream.send_all(data))

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        self.closed = True
        await self.stream.aclose()


@pytest.mark.parametrize("at", range(1, 16))
@pytest.mark.parametrize(
    "pair", [trio.testing.memory_stream_pair, trio.testing.lockstep_stream_pair]
)
async def test_a_cancellation_at_any_await_leaves_nothing_half_done(
    autojump_clock, make_session: Callable[..., Session], at: int, pair
):
    ours, theirs = pair()
    timers, told, ended = Timers(), [], []
    scope = trio.CancelScope()
    stream = CancellingStream(ours, scope, at)

    def owner(link: Link, events: list[Event]) -> None:
        told.extend(events)
        for event in events:
            if type(event) is Arrived:
                link.respond(event.pdu, DeliverSmResp())

    link = Link(stream, make_session(), timers, owner)

    async def run() -> None:
        with scope:
            await link.run()

    async def ask() -> None:
        ended.append(await link.request(submit()))

    async def answer() -> None:
        number = 2
        try:
            while await theirs.receive_some():
                await theirs.send_all(encode(SubmitSmResp(sequence_number=number)))
                await theirs.send_all(encode(DeliverSm(sequence_number=number)))
                number += 1
        except trio.BrokenResourceError:
            pass

    with trio.fail_after(100):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(timers.run)
            async with trio.open_nursery() as inner:
                inner.start_soon(run)
                inner.start_soon(answer)
                for _ in range(4):
                    inner.start_soon(ask)
                await trio.testing.wait_all_tasks_blocked()
                link.close()
            nursery.cancel_scope.cancel()
    assert stream.closed
    assert isinstance(link.closed, Closed)
    assert link.closed is told[-1]
    assert 4 == len(ended)
    assert all(exchange.end is not None for exchange in ended)
    assert {id(each) for each in ended} == {id(each) for each in told if type(each) is Exchange}


# Owners that fail.


class FailingOwner:
    """Notes what it is told, and raises at the n-th time or at all of them."""

    def __init__(self, at: int | None = 1) -> None:
        self.at, self.events, self.calls = at, [], 0

    def __call__(self, _link: Link, events: list[Event]) -> None:
        self.events += events
        self.calls += 1
        if self.at is None or self.calls == self.at:
            raise RuntimeError(f"the owner's own fault {self.calls}")


@pytest.mark.parametrize("at", [1, None], ids=["once", "always"])
async def test_an_owner_that_raises_ends_its_link_and_the_error_surfaces(
    autojump_clock, bind, at: int | None
):
    owner = FailingOwner(at)
    made = bind(owner=owner, run=False)
    exchange = made.link.send(submit())
    await made.peer.send(DeliverSm(sequence_number=5))
    with pytest.raises(RuntimeError, match="the owner's own fault 1"):
        await made.link.run()
    assert CloseCause.LOCAL is made.link.closed.cause
    assert "its owner failed: RuntimeError" in made.link.closed.detail
    assert [exchange, made.link.closed] == owner.events[1:]
    assert ExchangeEnd.UNKNOWN is exchange.end
    await made.peer.rest()


async def test_an_owner_that_raises_at_a_tick_harms_no_other_link(autojump_clock, bind, timers):
    sound, failing = bind(), bind(owner=FailingOwner(), run=False)
    raised: list[Exception] = []

    async def run() -> None:
        try:
            await failing.link.run()
        except RuntimeError as error:
            raised.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(run)
        for _ in range(3):
            request = await sound.peer.receive()
            assert isinstance(request, EnquireLink)
            await sound.peer.send(EnquireLinkResp(sequence_number=request.sequence_number))
    assert 1 == len(raised)
    assert sound.link.closed is None


async def test_an_owner_that_raises_at_the_very_end_is_heard_too(autojump_clock, bind):
    made = bind(owner=FailingOwner(), run=False)
    made.link.close()
    with pytest.raises(RuntimeError, match="the owner's own fault 1"):
        await made.link.run()
    assert CloseCause.LOCAL is made.link.closed.cause


async def test_those_who_wait_are_woken_before_a_failing_owner_is_told(
    autojump_clock, bind, nursery
):
    made = bind(owner=FailingOwner(), run=False)
    ended: list[Exchange] = []

    async def run() -> None:
        with pytest.raises(RuntimeError):
            await made.link.run()

    async def ask() -> None:
        ended.append(await made.link.request(submit()))

    nursery.start_soon(run)
    nursery.start_soon(ask)
    nursery.start_soon(ask)
    await made.peer.receive()
    await made.peer.send(SubmitSmResp(sequence_number=2))
    await made.link.wait_closed()
    await trio.testing.wait_all_tasks_blocked()
    assert {ExchangeEnd.ANSWERED, ExchangeEnd.UNKNOWN} == {each.end for each in ended}


async def test_what_an_owner_sets_off_is_told_after_what_it_is_being_told(autojump_clock, bind):
    told: list[Event] = []

    def owner(link: Link, events: list[Event]) -> None:
        told.extend(events)
        if type(events[0]) is Arrived and link.closed is None:
            link.close(detail="seen enough")
            assert Closed(CloseCause.LOCAL, "seen enough") == link.closed
            assert link.closed not in told

    made = bind(owner=owner)
    await made.peer.send(DeliverSm(sequence_number=1), DeliverSm(sequence_number=2))
    closed = await made.link.wait_closed()
    await trio.testing.wait_all_tasks_blocked()
    assert [Arrived, Arrived, Closed] == [type(event) for event in told]
    assert closed is told[-1]


async def test_an_owner_may_send_and_answer_while_it_is_told(autojump_clock, bind):
    def owner(link: Link, events: list[Event]) -> None:
        for event in events:
            if type(event) is Arrived:
                link.respond(event.pdu, DeliverSmResp())
                link.send(submit())

    made = bind(owner=owner)
    await made.peer.send(DeliverSm(sequence_number=5))
    assert DeliverSmResp(sequence_number=5) == await made.peer.receive()
    assert isinstance(await made.peer.receive(), SubmitSm)
