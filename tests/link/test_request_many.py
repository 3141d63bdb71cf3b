"""Many requests over one link: in order, within the window, and nothing lost by leaving."""

from collections.abc import Iterator

import pytest
import trio
import trio.testing

from whiteroute.engine.link import Link
from whiteroute.engine.session import (
    ExchangeEnd,
    LocalProtocolError,
    RemoteProtocolError,
    Role,
)
from whiteroute.pdu import (
    AlertNotification,
    DeliverSm,
    EncodeError,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
)


def submits(count: int) -> Iterator[SubmitSm]:
    return (
        SubmitSm(destination_addr="34600111222", short_message=str(at).encode())
        for at in range(count)
    )


async def answer_all(peer, most_open: list[int] | None = None, link: Link | None = None) -> None:
    """Answer every request with its own text as the message id."""
    try:
        while True:
            request = await peer.receive()
            if most_open is not None and link is not None:
                most_open[0] = max(most_open[0], link.session.in_flight)
            await peer.send(
                SubmitSmResp(
                    message_id=request.short_message.decode(),
                    sequence_number=request.sequence_number,
                )
            )
    except (AssertionError, trio.BrokenResourceError):
        pass


async def texts(exchanges) -> list[str]:
    return [exchange.response.message_id async for exchange in exchanges]


@pytest.mark.parametrize("window", [1, 2, 10])
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 57])
async def test_all_come_back_in_order_and_never_more_than_the_window_are_in_flight(
    autojump_clock, bind, nursery, window: int, count: int
):
    made = bind(window=window)
    most = [0]
    nursery.start_soon(answer_all, made.peer, most, made.link)
    assert list(map(str, range(count))) == await texts(made.link.request_many(submits(count)))
    assert most[0] <= window
    assert count == len(made.owner.ended)


async def test_answers_in_any_order_are_given_in_the_order_of_the_requests(
    autojump_clock, bind, nursery
):
    made = bind(window=4)

    async def answer_backwards() -> None:
        for _ in range(3):
            requests = [await made.peer.receive() for _ in range(4)]
            for request in reversed(requests):
                await trio.sleep(1)
                await made.peer.send(SubmitSmResp(sequence_number=request.sequence_number))

    nursery.start_soon(answer_backwards)
    given = [each.request.short_message async for each in made.link.request_many(submits(12))]
    assert [str(at).encode() for at in range(12)] == given


async def test_one_that_is_not_answered_holds_up_only_what_comes_behind_it(
    autojump_clock, bind, nursery
):
    made = bind(window=4, response_timeout=60.0, enquire_link_interval=1000.0)
    taken: list[int] = []

    def source() -> Iterator[Pdu]:
        for at, pdu in enumerate(submits(30)):
            taken.append(at)
            yield pdu

    async def answer_but_the_first() -> None:
        await made.peer.receive()
        await answer_all(made.peer)

    nursery.start_soon(answer_but_the_first)
    start = trio.current_time()
    ends = [each.end async for each in made.link.request_many(source())]
    assert [ExchangeEnd.TIMED_OUT] + [ExchangeEnd.ANSWERED] * 29 == ends
    assert 60.0 == pytest.approx(trio.current_time() - start)
    assert 30 == len(taken)


async def test_no_more_than_asked_for_are_out_and_not_given_back(autojump_clock, bind, nursery):
    made = bind(window=10)
    taken: list[Pdu] = []

    def source() -> Iterator[Pdu]:
        for pdu in submits(20):
            taken.append(pdu)
            yield pdu

    nursery.start_soon(answer_all, made.peer)
    given = 0
    async for _ in made.link.request_many(source(), in_flight=3):
        given += 1
        assert len(taken) - given < 4
    assert 20 == given
    with pytest.raises(ValueError, match="in_flight: 0, expected at least 1"):
        made.link.request_many(submits(1), in_flight=0)


async def test_leaving_early_loses_nothing(autojump_clock, bind, nursery):
    made = bind(window=10)
    nursery.start_soon(answer_all, made.peer)
    async for exchange in made.link.request_many(submits(100), context="campaign"):
        assert "campaign" == exchange.context
        break
    await trio.testing.wait_all_tasks_blocked()
    ended = made.owner.ended
    assert {ExchangeEnd.ANSWERED} == {each.end for each in ended}
    assert made.link.statistics().requests_sent == 1 + len(ended)
    assert set() == made.link.watchers


async def test_a_cancelled_iteration_loses_nothing_and_may_go_on(autojump_clock, bind, nursery):
    made = bind(window=5)
    exchanges = made.link.request_many(submits(7))
    with trio.move_on_after(3) as scope:
        await anext(exchanges)
    assert scope.cancelled_caught
    assert set() == made.link.watchers
    nursery.start_soon(answer_all, made.peer)
    assert list("0123456") == await texts(exchanges)


async def test_an_answer_and_a_cancellation_at_the_same_instant_are_survived(
    autojump_clock, bind, nursery
):
    made = bind(window=1)
    exchanges = made.link.request_many(submits(2))
    async with trio.open_nursery() as inner:
        inner.start_soon(anext, exchanges)
        request = await made.peer.receive()
        await made.peer.send(SubmitSmResp(message_id="0", sequence_number=request.sequence_number))
        inner.cancel_scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    assert 1 == len(made.owner.ended)
    assert made.link.closed is None


async def test_a_link_that_ends_gives_back_all_that_was_sent_and_then_raises(
    autojump_clock, bind, nursery
):
    made = bind(window=3)
    given, raised = [], []

    async def send() -> None:
        exchanges = made.link.request_many(submits(9))
        try:
            while True:
                given.append(await anext(exchanges))
        except LocalProtocolError as error:
            raised.append(error)

    nursery.start_soon(send)
    await made.peer.receive()
    await made.peer.stream.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert [ExchangeEnd.UNKNOWN] * 3 == [exchange.end for exchange in given]
    assert ["requests as ESME in CLOSED, expected a bound session"] == list(map(str, raised))


async def test_a_peer_that_breaks_a_rule_is_named_to_who_sends(autojump_clock, bind, nursery):
    made = bind(window=1)
    raised = []

    async def send() -> None:
        try:
            async for _ in made.link.request_many(submits(9)):
                pass
        except RemoteProtocolError as error:
            raised.append(error)

    nursery.start_soon(send)
    await made.peer.receive()
    await made.peer.stream.send_all(bytes(16))
    await trio.testing.wait_all_tasks_blocked()
    assert ["command_length 0"] == [error.found for error in raised]


async def test_a_link_that_unbinds_takes_no_more(autojump_clock, bind, nursery):
    made = bind(window=2)
    made.link.send(Unbind())
    with pytest.raises(LocalProtocolError, match="requests as ESME in BOUND_TRX"):
        await anext(made.link.request_many(submits(1)))


async def test_what_does_not_fit_is_raised_after_what_was_sent_before_it(
    autojump_clock, bind, nursery
):
    made = bind()
    nursery.start_soon(answer_all, made.peer)
    bad = SubmitSm(destination_addr="34600111222", short_message=b"x" * 300)
    exchanges = made.link.request_many([*submits(2), bad, *submits(2)])
    assert ["0", "1"] == [(await anext(exchanges)).response.message_id for _ in range(2)]
    with pytest.raises(EncodeError):
        await anext(exchanges)
    with pytest.raises(StopAsyncIteration):
        await anext(exchanges)
    assert 2 == len(made.owner.ended)


async def test_what_the_source_raises_is_raised(autojump_clock, bind, nursery):
    made = bind()
    nursery.start_soon(answer_all, made.peer)

    def source() -> Iterator[Pdu]:
        yield from submits(1)
        raise RuntimeError("no more paper")

    exchanges = made.link.request_many(source())
    await anext(exchanges)
    with pytest.raises(RuntimeError, match="no more paper"):
        await anext(exchanges)


async def test_others_may_use_the_link_meanwhile(autojump_clock, bind, nursery):
    made = bind(window=4)
    for pdu in submits(4):
        made.link.send(pdu)
    given: list[str] = []

    async def send() -> None:
        given.extend(await texts(made.link.request_many(submits(8))))

    nursery.start_soon(send)
    await trio.testing.wait_all_tasks_blocked()
    assert 4 == made.link.session.in_flight
    nursery.start_soon(answer_all, made.peer)
    await trio.testing.wait_all_tasks_blocked()
    assert list("01234567") == given


async def test_requests_without_a_response_are_given_back_at_once(autojump_clock, bind):
    made = bind(role=Role.MC)
    pdus = [AlertNotification(source_addr="34600111222") for _ in range(3)]
    given = [exchange async for exchange in made.link.request_many(pdus)]
    assert pdus == [exchange.request for exchange in given]
    assert {None} == {exchange.end for exchange in given}


async def test_a_request_of_the_wrong_side_is_refused(autojump_clock, bind):
    made = bind()
    with pytest.raises(LocalProtocolError, match="deliver_sm as ESME"):
        await anext(made.link.request_many([DeliverSm()]))
