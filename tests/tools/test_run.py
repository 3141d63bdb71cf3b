"""The engine as a service: it goes on with what was left, tells what happens, and ends in order."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from whiteroute.engine.carrier import LinkChange
from whiteroute.engine.messages import NO_ERROR, DeliveryState
from whiteroute.engine.service import (
    EngineEvent,
    InboundMessage,
    LinkEvent,
    OrphanReceipt,
    OverdueEvent,
    ReceiptEvent,
)
from whiteroute.tools.run import event_record, in_words

AT = 1_795_371_721_123_000


def test_it_sends_what_was_left_and_tells_receipts_until_it_is_stopped(
    run: Callable[..., object],
    start: Callable[..., object],
    configure: Callable[..., Path],
    simulator: object,
) -> None:
    message = ("--to", "+34600111222", "--from", "ACME", "--text", "Hi", "--wait", "none")
    left = run("send", "--config", configure(1), *message, "--json").records[0]
    service = start("-m", "whiteroute", "run", "--config", configure(simulator.port), "--json")
    service.read_until(lambda event: event["event"] == "receipt")

    ended = service.end(signal.SIGTERM)

    link, receipt = service.seen[0], service.seen[-1]
    assert 0 == ended.code
    assert ("link", "acme/1", "bound") == tuple(link[key] for key in ("event", "link", "what"))
    assert (left["message_ref"], "DELIVERED") == (receipt["message_ref"], receipt["state"])
    told = ended.err.splitlines()
    assert ["1", "Stopping;", "acme:", "Stopped."] == [line.split()[0] for line in told]
    assert "acme: nothing left; 1 unbound." == told[2]


EVENTS: list[tuple[EngineEvent, str, str]] = [
    (
        ReceiptEvent(
            message_ref="m-1",
            part=1,
            parts=2,
            to="34600111222",
            state=DeliveryState.ACCEPTED,
            part_state=DeliveryState.DELIVERED,
            carrier="acme",
            message_id="77",
            error=NO_ERROR,
            stat="DELIVRD",
            err="000",
            at=AT,
        ),
        "receipt",
        "2026-11-22T18:22:01.123Z  DELIVERED  m-1 part 1 of 2 to 34600111222",
    ),
    (
        InboundMessage(
            inbound_ref="i-1",
            carrier="acme",
            source_addr="34600111222",
            destination_addr="2266",
            text="STOP\n",
            at=AT,
        ),
        "inbound",
        "2026-11-22T18:22:01.123Z  from 34600111222 to 2266: 'STOP\\n'",
    ),
    (
        LinkEvent(change=LinkChange("acme", "acme/1", "lost", "reset"), at=AT),
        "link",
        "2026-11-22T18:22:01.123Z  acme/1 lost: reset",
    ),
    (
        OrphanReceipt(
            carrier="acme",
            message_id="77",
            error=NO_ERROR,
            stat="DELIVRD",
            err="000",
            source_addr="34600111222",
            destination_addr="ACME",
            received_at=AT - 120_000_000,
            at=AT,
        ),
        "orphan_receipt",
        "2026-11-22T18:22:01.123Z  acme: receipt 77 (DELIVRD) belongs to no message",
    ),
    (
        OverdueEvent(
            message_ref="m-1",
            to="34600111222",
            state=DeliveryState.OVERDUE,
            carrier="acme",
            route="acme-es",
            network="214-07",
            traffic_class="otp",
            taken_at=AT - 7_200_000_000,
            due_at=AT - 1_000_000,
            at=AT,
        ),
        "overdue",
        "2026-11-22T18:22:01.123Z  OVERDUE  m-1 to 34600111222: no receipt by 2026-11-22T18:22:00.123Z",
    ),
]


@pytest.mark.parametrize(("event", "name", "words"), EVENTS)
def test_every_event_has_its_line(event: EngineEvent, name: str, words: str) -> None:
    assert (name, words) == (event_record(event)["event"], in_words(event))


def test_what_is_worth_a_look_is_told_at_the_start(
    start: Callable[..., object], configure: Callable[..., Path]
) -> None:
    config = configure(1, changes={'"secret"': '"ninechars"'})
    service = start("-m", "whiteroute", "run", "--config", config, "--json")
    service.read()

    ended = service.end(signal.SIGTERM)

    assert 0 == ended.code
    assert (
        f"whiteroute: warning: {config}:carriers.acme.password: 9 characters, expected at most 8,"
        " or a carrier that takes more than SMPP allows\n"
    ) in ended.err
    assert "ninechars" not in ended.err
