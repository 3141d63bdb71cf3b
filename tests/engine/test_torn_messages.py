"""A long message of which one part is refused for good: what has not been sent stays unsent."""

from collections.abc import Callable
from typing import Any

import trio

from whiteroute.engine.messages import AttemptStarted, DeliveryState, MessageTaken
from whiteroute.pdu import CommandStatus, SubmitSmResp
from whiteroute.simulators import behaviours

Make = Callable[..., Any]

LONG = "hello " * 60
S = DeliveryState


async def test_the_rest_of_a_refused_message_is_not_sent(
    autojump_clock: Any, open_bench: Make, message: Make, store: Any
) -> None:
    refuse = behaviours.RefuseSubmits(CommandStatus.ESME_RINVDSTADR, times=1)
    async with open_bench(refuse, window=1) as bench:
        outcome = await bench.engine.submit(message(message_ref="m-1", text=LONG))
        await trio.sleep(60)
        history = bench.engine.ledger.message("m-1")

    assert (S.REFUSED, 3) == (outcome.state, outcome.parts)
    assert CommandStatus.ESME_RINVDSTADR == outcome.error.command_status
    assert 1 == len(store.of(AttemptStarted))
    assert (S.REFUSED, "NO_ROUTE") == (history.message.state, history.message.error_code)


async def test_other_messages_are_sent_all_the_same(
    autojump_clock: Any, open_bench: Make, message: Make
) -> None:
    refuse = behaviours.RefuseSubmits(CommandStatus.ESME_RINVDSTADR, times=1)
    messages = [message(message_ref=f"m-{number}", text=LONG) for number in range(3)]
    async with open_bench(refuse, window=1) as bench:
        outcomes = {each.message_ref: each async for each in bench.engine.submit_many(messages)}
        await bench.engine.wait_receipts(10)
        queued = bench.engine.statistics().carriers[0].queued

    assert [S.REFUSED, S.ACCEPTED, S.ACCEPTED] == [
        outcomes[f"m-{number}"].state for number in range(3)
    ]
    assert 0 == queued


async def test_a_part_that_could_be_tried_again_is_not_once_another_one_was_refused(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make, store: Any
) -> None:
    outcomes = []
    async with open_by_hand(window=3) as engine, trio.open_nursery() as nursery:
        peer = await raw.accept_bind()

        async def submit() -> None:
            outcomes.append(await engine.submit(message(message_ref="m-1", text=LONG)))

        nursery.start_soon(submit)
        parts = [await peer.receive() for _ in range(3)]
        for part, answer in zip(
            parts,
            (
                {"command_status": CommandStatus.ESME_RINVDSTADR},
                {"command_status": CommandStatus.ESME_RTHROTTLED},
                {"message_id": "77"},
            ),
            strict=True,
        ):
            await peer.send(SubmitSmResp(sequence_number=part.sequence_number, **answer))
        await trio.sleep(30)
        history = engine.ledger.message("m-1")

    assert [S.FAILED] == [outcome.state for outcome in outcomes]
    assert 3 == len(store.of(AttemptStarted))
    assert (S.FAILED, "NO_ROUTE") == (history.message.state, history.message.error_code)


async def test_the_rest_is_not_sent_after_a_restart_either(
    autojump_clock: Any, open_bench: Make, store: Any
) -> None:
    """The engine was killed between the refusal and the closing of the rest."""
    from whiteroute.engine.messages import AttemptEnded, AttemptOutcome, map_error

    store.inner.write(
        [
            MessageTaken(
                message_ref="m-1",
                to="34600111222",
                sender="ACME",
                text=LONG,
                taken_at=1_795_345_200_000_000,
                route="acme-es",
                carrier="acme",
                part_count=3,
            ),
            AttemptStarted(
                message_ref="m-1", carrier="acme", route="acme-es", started_at=1_795_345_200_000_001
            ),
            AttemptEnded(
                message_ref="m-1",
                ended_at=1_795_345_200_000_002,
                outcome=AttemptOutcome.REFUSED,
                command_status=0x0B,
                error=map_error(command_status=0x0B),
            ),
        ]
    )
    async with open_bench() as bench:
        await trio.sleep(60)
        record = bench.engine.ledger.message("m-1").message

    assert [] == store.of(AttemptStarted)
    assert S.REFUSED is record.state
