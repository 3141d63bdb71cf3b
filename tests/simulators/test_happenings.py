"""What a message centre tells: events as they happen, the record of submissions, and waiting for both."""

import json
from datetime import UTC, datetime

import pytest
import trio
import trio.testing

from whiteroute.pdu import CommandStatus, MessageState
from whiteroute.simulators import (
    CenterEvent,
    CenterEventKind,
    MessageCenter,
    behaviours,
    open_message_center,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def test_an_observer_hears_each_event_as_it_happens(open_esme, autojump_clock):
    heard = []
    center = MessageCenter(on_event=heard.append, started_at=NOON)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.submit(short_message=b"hi")).message_id
        await center.wait_for("receipt_acknowledged")
        center.inject_mo("34600111222", "5555", "yes")
        await center.wait_for("mo_acknowledged")
        await esme.link.unbind()
        await center.wait_for("unbind")

    noon = int(NOON.timestamp()) * 1_000_000
    about = {
        "account": "acme",
        "message_id": message_id,
        "source_addr": "ACME",
        "destination_addr": "34600111222",
        "text": "hi",
    }
    mo = {
        "account": "acme",
        "source_addr": "34600111222",
        "destination_addr": "5555",
        "text": "yes",
    }
    kind = CenterEventKind
    assert [
        CenterEvent(event=kind.BIND, at=noon, account="acme", status=0),
        CenterEvent(event=kind.SUBMIT, at=noon, state="ENROUTE", status=0, **about),
        CenterEvent(event=kind.RECEIPT, at=noon + 100_000, state="DELIVERED", **about),
        CenterEvent(
            event=kind.RECEIPT_ACKNOWLEDGED,
            at=noon + 100_000,
            state="DELIVERED",
            status=0,
            **about,
        ),
        CenterEvent(event=kind.MO, at=noon + 100_000, **mo),
        CenterEvent(event=kind.MO_ACKNOWLEDGED, at=noon + 100_000, status=0, **mo),
        CenterEvent(event=kind.UNBIND, at=noon + 100_000, account="acme"),
    ] == heard
    assert tuple(heard) == center.events()


async def test_the_facts_of_an_event_fit_into_json(open_esme, autojump_clock):
    center = MessageCenter(behaviours=[behaviours.QueueFull()], started_at=NOON)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit()
        (event,) = await center.wait_for("submit")

    assert {
        "event": "submit",
        "at": 1_795_348_800_000_000,
        "account": "acme",
        "source_addr": "ACME",
        "destination_addr": "34600111222",
        "text": "hello",
        "state": "REJECTED",
        "status": 0x14,
        "status_name": "ESME_RMSGQFUL",
    } == json.loads(json.dumps(event.facts()))


async def test_waiting_counts_what_is_past_and_what_comes(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit("34600111222")
        async with trio.open_nursery() as nursery:
            waited = []

            async def wait():
                waited.extend(await center.wait_for("submit", times=3))

            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            await esme.submit("34600111333")
            assert [] == waited
            await esme.submit("34600111444")

        assert ["34600111222", "34600111333", "34600111444"] == [
            each.destination_addr for each in waited
        ]
        await esme.submit("34600111555")
        assert 2 == len(await center.wait_for("submit", times=2))


async def test_waiting_may_be_for_certain_facts(open_esme, autojump_clock):
    center = MessageCenter()
    async with (
        open_message_center(center, host=None),
        open_esme(center) as esme,
        open_esme(center, system_id="other") as other,
    ):
        message_id = (await esme.submit("34600111222")).message_id
        await other.submit("34600111333")
        await other.submit("not a number")

        by_number = await center.wait_for("submit", to="34600111333")
        by_account = await center.wait_for("submit", account="other")
        by_id = await center.wait_for("receipt_acknowledged", message_id=message_id)
        by_status = await center.wait_for("submit", status=CommandStatus.ESME_RINVDSTADR)

        assert by_number == by_account
        assert "acme" == by_id[0].account
        assert "not a number" == by_status[0].destination_addr


async def test_waiting_for_what_there_is_not_is_an_error():
    with pytest.raises(ValueError, match="reciept"):
        await MessageCenter().wait_for("reciept")


async def test_waiting_given_up_leaves_nothing_behind(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        with trio.move_on_after(5):
            await center.wait_for("submit")
        assert {CenterEventKind.SUBMIT: []} == center._happenings._waits
        await esme.submit()


async def test_only_the_latest_are_remembered_but_all_are_counted(open_esme, autojump_clock):
    center = MessageCenter(remembered=5)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for number in range(8):
            await esme.submit(f"3460011122{number}", registered_delivery=0)

        assert 5 == len(center.events()) == len(center.submitted)
        assert [f"3460011122{n}" for n in range(3, 8)] == [
            each.destination_addr for each in center.submitted
        ]
        assert 5 == len(await center.wait_for("submit", times=8))
        assert center.submitted.by_message_id(center.submitted[0].message_id)
        first = int(center.submitted[0].message_id) - 1
        assert center.submitted.by_message_id(str(first)) is None


# The record of submissions.


@pytest.fixture
async def busy_center(open_esme, autojump_clock):
    center = MessageCenter(behaviours=[behaviours.RejectSenders(["ACME", "OTHER"])])
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit("34600111222", short_message=b"one")
        await esme.submit("+34600111222", short_message=b"two", source_addr="OTHER")
        await esme.submit("34600111333", short_message=b"one")
        await esme.submit("34600111333", short_message=b"one", source_addr="SPAM")
        await center.wait_for("receipt_acknowledged", times=3)
    return center


@pytest.mark.parametrize(
    ("wanted", "times"),
    [
        ({}, 4),
        ({"to": "34600111222"}, 2),
        ({"to": "+34600111222"}, 2),
        ({"sender": "ACME"}, 2),
        ({"text": "one"}, 3),
        ({"text": "one", "sender": "ACME", "to": "34600111333"}, 1),
        ({"state": MessageState.DELIVERED}, 3),
        ({"command_status": CommandStatus.ESME_RINVSRCADR}, 1),
        ({"to": "34600111444"}, 0),
    ],
)
async def test_the_record_finds_what_fits(wanted, times, busy_center):
    assert times == len(busy_center.submitted.find(**wanted))
    assert times == len(busy_center.submitted.expect(times=times, **wanted))


async def test_an_expectation_that_fails_lists_what_there_is(busy_center):
    with pytest.raises(
        AssertionError, match="2 submissions fit, expected 1; of 4, the latest"
    ) as e:
        busy_center.submitted.expect(to="34600111222")

    assert "'SPAM' to 34600111333 REJECTED" in str(e.value)
    assert "one" not in str(e.value)


def test_an_expectation_of_nothing_at_all_says_so():
    with pytest.raises(AssertionError, match="the latest are: none"):
        MessageCenter().submitted.expect()


async def test_the_record_is_a_sequence(busy_center):
    submitted = busy_center.submitted

    assert list(submitted) == [submitted[0], *submitted[1:3], submitted[-1]]
    assert submitted[1] in submitted
    assert "<Submissions 4 of at most 50000>" == repr(submitted)
