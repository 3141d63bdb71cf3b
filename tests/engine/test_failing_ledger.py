"""A ledger that cannot write, or knows better, delays messages and never doubles or loses them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trio

from whiteroute.engine.ledger import EntryError, LedgerError
from whiteroute.engine.messages import (
    AttemptOutcome,
    AttemptStarted,
    Canonical,
    DeliveryState,
    Entry,
    MessageClosed,
    MessageTaken,
    Outcome,
)
from whiteroute.pdu import CommandStatus
from whiteroute.simulators import behaviours

Make = Callable[..., Any]


async def test_a_message_that_cannot_be_remembered_is_not_sent(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench() as bench:
        store.refuses = (MessageTaken,)
        with pytest.raises(type(store.error), match="the disk is full"):
            await bench.engine.submit(message())
        with pytest.raises(type(store.error), match="the disk is full"):
            await anext(bench.engine.submit_many([message(), message()]))
        store.refuses = ()
        outcome = await bench.engine.submit(message())

        assert 1 == len(bench.center.submitted)
    assert DeliveryState.ACCEPTED is outcome.state


async def test_one_message_that_cannot_be_stored_does_not_stop_the_others(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any, tmp_path: Any
) -> None:
    async with open_bench(ledger=tmp_path / "ledger.db") as bench:
        outcomes = bench.engine.submit_many(
            [message(message_ref="m-1"), message(message_ref="\ud800"), message()]
        )
        with pytest.raises(EntryError):
            await anext(outcomes)
        await bench.center.wait_for("submit", times=2)

        assert 2 == len(bench.center.submitted)


async def test_a_ledger_that_cannot_write_attempts_only_delays_them(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench(window=2) as bench:
        store.refuses = (AttemptStarted,)

        async def mend() -> None:
            await trio.sleep(30)
            store.refuses = ()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(mend)
            outcomes = [
                outcome
                async for outcome in bench.engine.submit_many(
                    message(text=str(number)) for number in range(20)
                )
            ]
        order = [submission.text for submission in bench.center.submitted]

    assert [DeliveryState.ACCEPTED] * 20 == [outcome.state for outcome in outcomes]
    assert [str(number) for number in range(20)] == order
    # Asked once a second, not once for each part.
    assert store.refused <= 31


async def test_a_link_that_goes_while_an_attempt_is_written_costs_a_try_and_no_doubt(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    async with open_bench() as bench:

        def cut(entries: Sequence[Entry]) -> None:
            if isinstance(entries[0], AttemptStarted) and entries[0].attempt == 1:
                for link in bench.engine.carriers["acme"].links:
                    link.close()

        store.on_write = cut
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        attempts = bench.engine.ledger.message("m-1").attempts

        assert 1 == len(bench.center.submitted)
    assert DeliveryState.ACCEPTED is outcome.state
    assert [AttemptOutcome.NOT_WRITTEN, AttemptOutcome.ACCEPTED] == [
        attempt.ended.outcome for attempt in attempts
    ]


@pytest.mark.parametrize(
    ("known_to_the_ledger", "state"),
    [
        (
            MessageClosed(message_ref="m-1", closed_at=1, state=DeliveryState.CANCELLED),
            DeliveryState.CANCELLED,
        ),
        (AttemptStarted(message_ref="m-1", carrier="acme", started_at=1), DeliveryState.IN_DOUBT),
    ],
)
async def test_what_the_ledger_holds_back_is_not_sent(
    autojump_clock: Any,
    open_bench: Make,
    message: Make,
    store: Any,
    known_to_the_ledger: Entry,
    state: DeliveryState,
) -> None:
    async with open_bench() as bench, trio.open_nursery() as nursery:
        outcomes: list[Outcome] = []

        async def submit() -> None:
            outcomes.append(await bench.engine.submit(message(message_ref="m-1")))

        bench.engine.carriers["acme"].pause(5)
        nursery.start_soon(submit)
        await trio.sleep(1)
        store.inner.write([known_to_the_ledger])
        await trio.sleep(10)

        assert 0 == len(bench.center.submitted)
        assert 0 == bench.engine.statistics().carriers[0].in_flight
    assert [state] == [outcome.state for outcome in outcomes]


async def test_a_part_that_is_never_taken_is_given_up(
    autojump_clock: Any, open_bench: Make, message: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whiteroute.engine.service.attempts.MOST_ATTEMPTS", 3)
    throttling = behaviours.RefuseSubmits(CommandStatus.ESME_RTHROTTLED)
    async with open_bench(throttling) as bench:
        outcome = await bench.engine.submit(message(message_ref="m-1"))
        record = bench.engine.ledger.message("m-1").message

        assert 3 == len(bench.center.submitted)
    assert DeliveryState.REFUSED is outcome.state is record.state


async def test_a_late_refusal_counts_while_other_parts_are_under_way(
    autojump_clock: Any, open_bench: Make, message: Make, profile: Make
) -> None:
    async with open_bench(
        behaviours.RefuseSubmits(CommandStatus.ESME_RINVSRCADR, times=1),
        behaviours.SlowResponse(40.0),
        window=1,
        profile=profile(response_timeout=30.0),
    ) as bench:
        outcome = await bench.engine.submit(message(text="hello " * 40))

    assert DeliveryState.FAILED is outcome.state
    assert Canonical.SENDER_REJECTED is outcome.error.canonical


class Unreadable:
    """A ledger's reader whose disk has gone."""

    def message(self, _message_ref: str) -> None:
        raise LedgerError("the disk failed", "a disk that works", "ledger.db")

    def close(self) -> None:
        """Nothing is open."""


async def test_a_ledger_that_cannot_be_read_is_told_to_who_asked(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench() as bench:
        await bench.engine.submit(message(message_ref="m-1"))
        bench.engine.ledger.reader = Unreadable()
        with pytest.raises(LedgerError, match="the disk failed"):
            await bench.engine.submit(message(message_ref="m-1"))
        outcome = await bench.engine.submit(message(message_ref="m-2"))

    assert DeliveryState.ACCEPTED is outcome.state


async def test_nothing_is_kept_of_messages_that_are_done(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    async with open_bench(behaviours.Throttle(rate=50), window=20) as bench:
        outcomes = bench.engine.submit_many(
            message(validity=3_600.0, text="hello " * 30) for _ in range(150)
        )
        states = {outcome.state async for outcome in outcomes}
        carrier = bench.engine.carriers["acme"]

        assert {DeliveryState.ACCEPTED} == states
        assert 0 == bench.engine.statistics().submissions
        assert 0 == carrier.statistics().queued
