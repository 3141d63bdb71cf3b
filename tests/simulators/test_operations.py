"""The operations that a gateway uses seldom, answered as real message centres do; in virtual time."""

from datetime import UTC, datetime

import pytest
import trio
import trio.testing

from whiteroute.pdu import (
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BroadcastSm,
    CancelBroadcastSm,
    CommandStatus,
    DataSm,
    MessageState,
    Outbind,
    QueryBroadcastSm,
    QuerySm,
    SmeAddress,
    SubmitMulti,
    TlvTag,
    make_tlvs,
)
from whiteroute.simulators import (
    Account,
    Handset,
    HandsetCondition,
    Handsets,
    MessageCenter,
    RawPeer,
    Reply,
    open_message_center,
    open_raw_listener,
)
from whiteroute.simulators.ways import peer_address

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
S = CommandStatus


async def state_of(esme, message_id):
    return (await esme.request(QuerySm(message_id=message_id, source_addr="ACME"))).message_state


# Times.


@pytest.mark.parametrize("when", ["000000010000000R", "261122130000000+", "261122140000004+"])
async def test_a_scheduled_message_waits_for_its_time(when, open_esme, autojump_clock):
    center = MessageCenter(started_at=NOON, handsets=Handsets(median_delay=60.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.submit(schedule_delivery_time=when)).message_id
        states = []
        for pause in (3590, 20, 60):
            await trio.sleep(pause)
            states.append(await state_of(esme, message_id))

        assert [MessageState.SCHEDULED, MessageState.ENROUTE, MessageState.DELIVERED] == states
        assert [pytest.approx(3660.0, abs=1)] == esme.arrived_at


async def test_a_message_expires_when_its_validity_ends(open_esme, autojump_clock):
    center = MessageCenter(started_at=NOON, handsets=Handsets(median_delay=60.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit(validity_period="000000000030000R")
        await esme.request(
            DataSm(
                source_addr="ACME",
                destination_addr="34600111222",
                registered_delivery=1,
                tlvs=make_tlvs(qos_time_to_live=40),
            )
        )
        await esme.wait_delivered(2)

        assert [MessageState.EXPIRED] * 2 == [each.state for each in esme.receipts]
        assert [pytest.approx(30.0), pytest.approx(40.0)] == esme.arrived_at
        assert [None, None] == [each.on_handset for each in center.submitted]


async def test_the_centre_has_a_validity_of_its_own(open_esme, autojump_clock):
    center = MessageCenter(handsets=Handsets(median_delay=60.0), validity=20.0)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit()
        await esme.wait_delivered(1)

        assert MessageState.EXPIRED is esme.receipts[0].state


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"schedule_delivery_time": "261122110000000+"}, S.ESME_RINVSCHED),
        ({"schedule_delivery_time": "269922110000000+"}, S.ESME_RINVSCHED),
        ({"validity_period": "261122110000000+"}, S.ESME_RINVEXPIRY),
        ({"validity_period": "2611221100000000"}, S.ESME_RINVEXPIRY),
        (
            {"schedule_delivery_time": "000000020000000R", "validity_period": "000000010000000R"},
            S.ESME_RINVEXPIRY,
        ),
    ],
)
async def test_times_that_cannot_be_are_refused(fields, status, open_esme, autojump_clock):
    center = MessageCenter(started_at=NOON)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert status == (await esme.submit(**fields)).command_status


async def test_submit_multi_is_scheduled_as_a_whole(open_esme, autojump_clock):
    async with open_message_center(MessageCenter(), host=None) as center, open_esme(center) as esme:
        addresses = tuple(SmeAddress(destination_addr=to) for to in ("34600000001", "34600000002"))
        await esme.request(
            SubmitMulti(
                source_addr="ACME",
                dest_address=addresses,
                schedule_delivery_time="000000010000000R",
                registered_delivery=1,
            )
        )
        await esme.wait_delivered(2)

        assert [pytest.approx(3600.1)] * 2 == esme.arrived_at


# Replacing.


async def test_replace_if_present_puts_a_message_in_the_place_of_one_that_waits(
    open_esme, autojump_clock
):
    center = MessageCenter(handsets=Handsets(median_delay=60.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        first = await esme.submit(short_message=b"one")
        second = await esme.submit(short_message=b"two", replace_if_present_flag=1)
        other = await esme.submit("34600111333", short_message=b"x", replace_if_present_flag=1)
        await esme.wait_delivered(2)
        third = await esme.submit(short_message=b"three", replace_if_present_flag=1)

        assert first.message_id == second.message_id
        assert 3 == len({first.message_id, other.message_id, third.message_id})
        assert ["two", "x", "three"] == [each.text for each in center.submitted]


# Broadcasts.


def broadcast(**changes):
    fields = {
        "broadcast_area_identifier": b"\x00Madrid",
        "broadcast_content_type": b"\x00\x00\x01",
        "broadcast_rep_num": 3,
        "broadcast_frequency_interval": b"\x09\x00\x0a",
    } | changes
    tlvs = make_tlvs(**{name: value for name, value in fields.items() if value is not None})
    return BroadcastSm(source_addr="ACME", tlvs=tlvs)


async def test_a_broadcast_runs_and_is_asked_about(open_esme, autojump_clock):
    center = MessageCenter(interface_version=0x50)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.request(broadcast())).message_id
        query = QueryBroadcastSm(message_id=message_id, source_addr="ACME")
        told = []
        for pause in (10, 1800):
            await trio.sleep(pause)
            response = await esme.request(query)
            told.append(
                (
                    response.tlvs.value(TlvTag.MESSAGE_STATE),
                    response.tlvs.first(TlvTag.BROADCAST_AREA_IDENTIFIER),
                    response.tlvs.value(TlvTag.BROADCAST_AREA_SUCCESS),
                )
            )
        cancel = CancelBroadcastSm(message_id=message_id, source_addr="ACME")

        assert [(1, b"\x00Madrid", 0), (2, b"\x00Madrid", 100)] == told
        assert S.ESME_RBCASTCANCELFAIL == (await esme.request(cancel)).command_status
        assert 4 == len(await center.wait_for("broadcast", times=4))


async def test_a_broadcast_is_cancelled(open_esme, autojump_clock):
    center = MessageCenter(interface_version=0x50)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.request(broadcast())).message_id
        cancel = CancelBroadcastSm(message_id=message_id, source_addr="ACME")
        query = QueryBroadcastSm(message_id=message_id, source_addr="ACME")

        assert 0 == (await esme.request(cancel)).command_status
        response = await esme.request(query)
        assert MessageState.DELETED == response.tlvs.value(TlvTag.MESSAGE_STATE)
        strange = QueryBroadcastSm(message_id=message_id, source_addr="OTHER")
        assert S.ESME_RINVMSGID == (await esme.request(strange)).command_status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"broadcast_rep_num": None}, S.ESME_RMISSINGTLV),
        ({"broadcast_frequency_interval": b"\x33\x00\x01"}, S.ESME_RINVBCASTFREQINT),
    ],
)
async def test_a_broadcast_that_cannot_be_is_refused(changes, status, open_esme, autojump_clock):
    center = MessageCenter(interface_version=0x50)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert status == (await esme.request(broadcast(**changes))).command_status


async def test_old_broadcasts_are_forgotten(open_esme, autojump_clock, monkeypatch):
    monkeypatch.setattr("whiteroute.simulators.broadcasts.MOST_BROADCASTS", 2)
    center = MessageCenter(interface_version=0x50)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        ids = [(await esme.request(broadcast())).message_id for _ in range(3)]
        answers = [
            await esme.request(QueryBroadcastSm(message_id=each, source_addr="ACME"))
            for each in ids
        ]

        assert [S.ESME_RINVMSGID, 0, 0] == [each.command_status for each in answers]


# What the centre begins.


async def test_an_alert_goes_to_receiving_binds(open_esme, autojump_clock):
    async with open_message_center(MessageCenter(), host=None) as center, trio.open_nursery() as n:
        ours, theirs = trio.testing.memory_stream_pair()
        n.start_soon(center.serve_stream, theirs)
        peer = RawPeer(ours)

        await peer.send(BindReceiver(system_id="acme", sequence_number=1))
        await peer.receive()
        async with open_esme(center, "tx"), open_esme(center, system_id="other"):
            told = center.send_alert("+34600111222", "5555", account="acme")
            alert = await peer.receive()

        assert 1 == told
        assert isinstance(alert, AlertNotification)
        assert ("34600111222", "5555") == (alert.source_addr, alert.esme_addr)
        assert 0 == alert.tlvs.value(TlvTag.MS_AVAILABILITY_STATUS)
        await peer.aclose()


async def test_outbind_asks_an_esme_to_bind():
    center = MessageCenter(system_id="carrier", accounts=[Account(system_id="acme")])
    async with (
        open_raw_listener() as listener,
        open_message_center(center, host=None),
        trio.open_nursery() as nursery,
    ):

        async def call():
            await center.call("127.0.0.1", listener.port, password="secret")

        nursery.start_soon(call)
        peer = await listener.accept()
        outbind = await peer.receive()

        await peer.send(BindReceiver(system_id="acme", sequence_number=1))
        answer = await peer.receive()

        assert isinstance(outbind, Outbind)
        assert ("carrier", "secret") == (outbind.system_id, outbind.password)
        assert isinstance(answer, BindReceiverResp)
        assert 0 == answer.command_status
        await peer.aclose()


# Accounts.


async def test_the_limits_of_an_account(open_esme, make_submit, autojump_clock):
    center = MessageCenter(accounts=[Account(system_id="acme", tps=2, window=3)])
    async with open_message_center(center, host=None), open_esme(center) as esme:
        sent = [esme.link.send(make_submit()) for _ in range(5)]
        await trio.sleep(2)
        statuses = [each.command_status for each in sent]
        after = (await esme.submit()).command_status

    assert [S.ESME_RMSGQFUL] * 2 + [0, 0, S.ESME_RTHROTTLED] == statuses
    assert 0 == after


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"allowed": ["127.0.0.0/8"]}, 0),
        ({"allowed": ["192.0.2.7", "2001:db8::/32"]}, S.ESME_RBINDFAIL),
        ({"modes": ["tx", "rx"]}, S.ESME_RBINDFAIL),
    ],
)
async def test_an_account_is_bound_only_from_where_and_as_it_may(fields, status, open_esme):
    center = MessageCenter(accounts=[Account(system_id="acme", **fields)])
    async with open_message_center(center), open_esme(center) as esme:
        assert status == esme.bound.command_status


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"allowed": ["carrier"]}, "allowed: 'carrier', expected an address"),
        ({"modes": ["both"]}, r"modes: \['both'\], expected some of trx, tx and rx"),
        ({"tps": 0}, "tps: 0, expected more than 0"),
    ],
)
def test_an_account_that_cannot_be_is_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        Account(system_id="acme", **fields)


async def test_where_a_stream_comes_from():
    ours, _ = trio.testing.memory_stream_pair()
    assert "" == peer_address(ours)
    async with open_raw_listener() as listener:
        stream = await trio.open_tcp_stream("127.0.0.1", listener.port)
        assert "127.0.0.1" == peer_address(stream)
        await stream.aclose()
        assert "" == peer_address(stream)


# Handsets.


@pytest.mark.parametrize("condition", HandsetCondition)
async def test_conditions_of_handsets(condition, open_esme, autojump_clock):
    center = MessageCenter(handsets=Handsets(rules=[Handset.being(condition, "*")]))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit()
        await esme.wait_delivered(1)
        well = condition in (HandsetCondition.ON, HandsetCondition.ROAMING)

        assert well == (esme.receipts[0].state is MessageState.DELIVERED)
        assert well == (center.submitted[0].on_handset is not None)


async def test_handsets_answer_by_rule(open_esme, autojump_clock):
    rules = [Reply(text="STOP", pattern="*7", delay=2.0), Reply(text="yes", contains="WELL?")]
    center = MessageCenter(handsets=Handsets(replies=rules))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for to, text in (("34600000007", b"all well?"), ("34600000008", b"hello")):
            await esme.submit(to, source_addr="5555", short_message=text, registered_delivery=0)
        await trio.sleep(60)

        assert [("34600000007", "5555", b"STOP"), ("34600000007", "5555", b"yes")] == [
            (each.source_addr, each.destination_addr, each.short_message) for each in esme.delivered
        ]
