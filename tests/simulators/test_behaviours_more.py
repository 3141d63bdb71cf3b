"""More misbehaviours, each seen on the wire as its name says; the first of them are in `test_behaviours`."""

import ssl

import pytest
import trio
import trio.testing
import trustme

from whiteroute.engine.session import CloseCause, LateResponse, SessionSettings, Unexpected
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    CommandStatus,
    EnquireLink,
    EnquireLinkResp,
    FramingError,
    GenericNack,
    InterfaceVersion,
    MessageState,
    ReceiptKind,
    SubmitSm,
    TlvTag,
    Unbind,
    split_text,
)
from whiteroute.simulators import (
    Account,
    Handset,
    Handsets,
    MessageCenter,
    RawPeer,
    behaviours,
    connect_raw_peer,
    open_message_center,
)

DEAD = Handsets(rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="001")])


def behaving(*each, **fields):
    return MessageCenter(behaviours=each, **fields)


async def receipts_of(autojump_clock, behaviour, open_esme, *, wait=100.0, **fields):
    """Submit one message, and give what was delivered with the seconds since then."""
    center = behaving(behaviour, **fields)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        begun = trio.current_time()
        response = await esme.submit()
        await trio.sleep(wait)
        return response, esme.receipts, [at - begun for at in esme.arrived_at], esme


# Binds.


async def test_older_version(open_esme, autojump_clock):
    center = behaving(behaviours.OlderVersion())
    async with (
        open_message_center(center, host=None),
        open_esme(center, "tx") as newer,
        open_esme(center, "tx", interface_version=0x33) as older,
    ):
        assert CommandStatus.ESME_RBINDFAIL == newer.bound.command_status
        spoken = newer.bound.response.tlvs.value(TlvTag.SC_INTERFACE_VERSION)
        assert InterfaceVersion.V3_3 == spoken
        assert 0 == older.bound.command_status


async def test_version_downgrade(open_esme, autojump_clock):
    center = behaving(behaviours.VersionDowngrade())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert 0 == esme.bound.command_status
        assert 0x33 == esme.bound.response.tlvs.value(TlvTag.SC_INTERFACE_VERSION)


async def test_silent_bind(open_esme, autojump_clock):
    center = behaving(behaviours.SilentBind())
    settings = SessionSettings(session_init_timeout=9.0)
    async with open_message_center(center, host=None), open_esme(center, settings=settings) as esme:
        assert esme.bound.response is None
        assert 0 == center.statistics().binds


@pytest.mark.parametrize(
    "behaviour", [behaviours.ZombieSessions(60.0), behaviours.RefusalsWithBody()]
)
async def test_zombie_sessions(behaviour, open_esme, autojump_clock):
    center = behaving(behaviour, accounts=[Account(system_id="acme", bind_limit=1)])
    statuses = []
    async with open_message_center(center, host=None):
        for pause in (30.0, 40.0, 0.0):
            async with open_esme(center) as esme:
                statuses.append(esme.bound.command_status)
            await trio.sleep(pause)

    limit = CommandStatus.ESME_RALYBND
    assert statuses == (
        [0, limit, 0] if behaviour == behaviours.ZombieSessions(60.0) else [0, 0, 0]
    )


async def test_bind_limit(open_esme, autojump_clock):
    center = behaving(behaviours.BindLimit(1))
    async with (
        open_message_center(center, host=None),
        open_esme(center) as first,
        open_esme(center) as second,
        open_esme(center, system_id="other") as other,
    ):
        assert [0, CommandStatus.ESME_RALYBND, 0] == [
            each.bound.command_status for each in (first, second, other)
        ]


async def test_host_down():
    center = behaving(behaviours.HostDown(1))
    async with open_message_center(center, hosts=2):
        answered = []
        for host, port in center.addresses:
            async with connect_raw_peer(host, port) as peer:
                await peer.send(EnquireLink(sequence_number=1))
                answered.append([type(pdu) for pdu in [await _receive(peer)] if pdu])

    assert [[EnquireLinkResp], []] == answered


async def _receive(peer):
    try:
        return await peer.receive()
    except trio.BrokenResourceError:
        return None


# Messages refused.


async def test_vendor_status(open_esme, autojump_clock):
    center = behaving(behaviours.VendorStatus(times=1))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert [0x40B, 0] == [(await esme.submit()).command_status for _ in range(2)]


async def test_ambiguous_status(open_esme, autojump_clock):
    response, receipts, _, _ = await receipts_of(
        autojump_clock, behaviours.AmbiguousStatus(), open_esme
    )

    assert CommandStatus.ESME_RSUBMITFAIL == response.command_status
    assert [MessageState.DELIVERED] == [each.state for each in receipts]


async def test_window_limit(open_esme, make_submit, autojump_clock):
    center = behaving(behaviours.SlowResponse(5.0), behaviours.WindowLimit(2))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        sent = [esme.link.send(make_submit())]
        await trio.sleep(1)
        sent.append(esme.link.send(make_submit()))
        await trio.sleep(1)
        sent.append(esme.link.send(make_submit()))
        await trio.sleep(20)

        assert [0, 0, CommandStatus.ESME_RMSGQFUL] == [each.command_status for each in sent]


async def test_congested(open_esme, autojump_clock):
    center = behaving(behaviours.Congested(state=91, delay=2.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        begun = trio.current_time()
        response = await esme.submit()

        assert 91 == response.tlvs.value(TlvTag.CONGESTION_STATE)
        assert pytest.approx(2.0) == trio.current_time() - begun


async def test_nack_submits(open_esme, autojump_clock):
    response, receipts, _, _ = await receipts_of(
        autojump_clock, behaviours.NackSubmits(), open_esme
    )

    assert isinstance(response, GenericNack)
    assert CommandStatus.ESME_RINVCMDID == response.command_status
    assert [] == receipts


@pytest.mark.parametrize(
    ("form", "length"),
    [(behaviours.RefusalsWithBody(), 17), (behaviours.RefusalsWithoutBody(), 16)],
)
async def test_refusals_with_and_without_body(form, length, make_submit, autojump_clock):
    center = behaving(form, behaviours.QueueFull())
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        peer = await bound_peer(center, nursery)
        await peer.send(make_submit(sequence_number=2))

        assert length == len(await peer.receive_frame())
        await peer.aclose()


async def read_on(peer):
    while await peer.receive_frame():
        pass


async def bound_peer(center, nursery):
    ours, theirs = trio.testing.memory_stream_pair()
    nursery.start_soon(center.serve_stream, theirs)
    peer = RawPeer(ours)
    await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
    assert isinstance(await peer.receive(), BindTransceiverResp)
    return peer


# Answers.


async def test_response_twice(open_esme, autojump_clock):
    _, _, _, esme = await receipts_of(autojump_clock, behaviours.ResponseTwice(), open_esme)

    assert 1 == sum(isinstance(each, Unexpected | LateResponse) for each in esme.events)


async def test_responses_out_of_order(open_esme, make_submit, autojump_clock):
    center = behaving(behaviours.ResponsesOutOfOrder(depth=3, step=1.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        sent = [esme.link.send(make_submit()) for _ in range(3)]
        await trio.sleep(10)
        answered = [each for each in esme.events if each in sent]

        assert sent[::-1] == answered


# Message ids.


async def test_ids_that_lead_nowhere(open_esme, autojump_clock):
    response, receipts, _, _ = await receipts_of(
        autojump_clock, behaviours.WrongReceiptId(), open_esme
    )
    assert response.message_id != receipts[0].message_id

    response, receipts, _, _ = await receipts_of(
        autojump_clock, behaviours.NoMessageId(), open_esme
    )
    assert ("", "0") == (response.message_id, receipts[0].message_id)


async def test_reused_message_id(open_esme, autojump_clock):
    center = behaving(behaviours.ReusedMessageId())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        ids = {(await esme.submit()).message_id for _ in range(4)}

    assert len(ids) in (2, 3)


# Receipts.


async def test_contradictory_receipt(open_esme, autojump_clock):
    _, receipts, at, _ = await receipts_of(
        autojump_clock, behaviours.ContradictoryReceipt(20.0), open_esme
    )
    assert [MessageState.DELIVERED, MessageState.UNDELIVERABLE] == [each.state for each in receipts]
    assert [pytest.approx(0.1), pytest.approx(20.1)] == at

    _, receipts, _, _ = await receipts_of(
        autojump_clock, behaviours.ContradictoryReceipt(), open_esme, handsets=DEAD
    )
    assert [MessageState.UNDELIVERABLE, MessageState.DELIVERED] == [each.state for each in receipts]


async def test_intermediate_first(open_esme, autojump_clock):
    _, receipts, at, _ = await receipts_of(
        autojump_clock, behaviours.IntermediateFirst(), open_esme
    )

    assert [ReceiptKind.INTERMEDIATE, ReceiptKind.RECEIPT] == [each.kind for each in receipts]
    assert [pytest.approx(0.1), pytest.approx(5.1)] == at


async def test_unknown_state(open_esme, autojump_clock):
    _, receipts, _, _ = await receipts_of(autojump_clock, behaviours.UnknownState(), open_esme)

    assert [MessageState.UNKNOWN] == [each.state for each in receipts]


async def test_late_receipt_tells_the_true_date(open_esme, autojump_clock):
    _, receipts, at, _ = await receipts_of(
        autojump_clock, behaviours.LateReceipt(3600.0), open_esme, wait=4000
    )

    assert [pytest.approx(3600.1)] == at
    assert receipts[0].submit_date_raw == receipts[0].done_date_raw


async def test_handset_off(open_esme, autojump_clock):
    _, receipts, at, _ = await receipts_of(
        autojump_clock, behaviours.HandsetOff(3600.0), open_esme, wait=4000
    )

    assert [pytest.approx(3600.1)] == at
    assert receipts[0].submit_date_raw != receipts[0].done_date_raw


async def test_receipt_for_first_part_only(open_esme, autojump_clock):
    center = behaving(behaviours.ReceiptForFirstPartOnly())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        ids = []
        for part in split_text("long " * 80, reference=7).parts:
            fields = {"esm_class": part.esm_class, "short_message": part.short_message}
            ids.append((await esme.submit(**fields)).message_id)
        await esme.submit()
        await trio.sleep(10)

        assert 3 == len(ids)
        assert 2 == len(esme.receipts)
        assert ids[0] == esme.receipts[0].message_id


async def test_receipt_without_esm_class(open_esme, autojump_clock):
    _, _, _, esme = await receipts_of(
        autojump_clock, behaviours.ReceiptWithoutEsmClass(), open_esme
    )

    assert [0] == [each.esm_class for each in esme.delivered]


async def test_receipt_on_another_bind(open_esme, autojump_clock):
    center = behaving(behaviours.ReceiptOnAnotherBind())
    async with (
        open_message_center(center, host=None),
        open_esme(center) as one,
        open_esme(center) as two,
    ):
        for _ in range(4):
            await one.submit()
        await trio.sleep(10)
        assert (0, 4) == (len(one.delivered), len(two.delivered))
        await two.link.unbind()
        await one.submit()
        await one.wait_delivered(1)


async def test_receipt_on_another_host(make_submit):
    center = behaving(behaviours.ReceiptOnAnotherHost())
    async with open_message_center(center, hosts=2) as opened:
        (one_host, one_port), (two_host, two_port) = opened.addresses
        async with (
            connect_raw_peer(one_host, one_port) as one,
            connect_raw_peer(two_host, two_port) as two,
        ):
            for peer in (one, two):
                await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
                await peer.receive()
            await one.send(make_submit(sequence_number=2))

            assert ["submit_sm_resp", "deliver_sm"] == [
                (await one.receive()).name,
                (await two.receive()).name,
            ]


# Links and octets.


async def test_reset_after():
    async with (
        open_message_center(behaving(behaviours.ResetAfter(1))) as center,
        connect_raw_peer(center.host, center.port) as peer,
    ):
        await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
        await peer.receive()
        await peer.send(SubmitSm(destination_addr="34600111222", sequence_number=2))
        with pytest.raises(trio.BrokenResourceError):
            await read_on(peer)


async def test_half_close(autojump_clock):
    center = behaving(behaviours.HalfClose(2))
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        peer = await bound_peer(center, nursery)
        await peer.send(EnquireLink(sequence_number=2), EnquireLink(sequence_number=3))

        assert ["enquire_link_resp"] == [pdu.name for pdu in await peer.receive_end()]
        assert 1 == center.statistics().binds
        await peer.send(Unbind(sequence_number=4))
        await center.wait_for("unbind")


async def test_unbind_ignored(open_esme, autojump_clock):
    center = behaving(behaviours.UnbindIgnored())
    settings = SessionSettings(unbind_timeout=4.0)
    async with open_message_center(center, host=None), open_esme(center, settings=settings) as esme:
        assert (await esme.link.unbind()).cause in (
            CloseCause.UNBIND_TIMEOUT,
            CloseCause.PEER_CLOSED,
        )


async def test_stops_reading(make_submit, autojump_clock):
    center = behaving(behaviours.StopsReading(2))
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        peer = await bound_peer(center, nursery)
        await peer.send(make_submit(sequence_number=2))
        await peer.receive()
        await peer.send(make_submit(sequence_number=3))
        await trio.sleep(5)

        assert 1 == len(center.submitted)
        await peer.aclose()
        nursery.cancel_scope.cancel()


async def test_coalesced_segments(make_submit, autojump_clock):
    center = behaving(behaviours.CoalescedSegments(2.0))
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        peer = await bound_peer(center, nursery)
        for number in range(2, 6):
            await peer.send(make_submit(sequence_number=number))
            await trio.sleep(0.3)
        lumps = [len(await peer.stream.receive_some(10_000)) for _ in range(2)]

        assert lumps[0] < lumps[1]
        await peer.aclose()


@pytest.mark.parametrize(
    "behaviour", [behaviours.Garbage(2), behaviours.OversizeLength(2), behaviours.Desynchronised(2)]
)
async def test_octets_that_no_session_sends(behaviour, autojump_clock):
    center = behaving(behaviour)
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        peer = await bound_peer(center, nursery)
        await peer.send(*[EnquireLink(sequence_number=number) for number in range(2, 9)])
        assert 2 == (await peer.receive()).sequence_number
        with pytest.raises(FramingError):
            await read_on(peer)
        await peer.aclose()


# TLS.


def tls_pair():
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def encrypted(center, client):
    stream = await trio.open_tcp_stream(center.host, center.port)
    tls = trio.SSLStream(stream, client, server_hostname="127.0.0.1")
    try:
        await tls.do_handshake()
    except trio.BrokenResourceError as error:
        return str(error.__cause__)
    finally:
        await trio.aclose_forcefully(tls)
    return "encrypted"


async def test_another_certificate():
    server, client = tls_pair()
    other, _ = tls_pair()
    center = behaving(behaviours.AnotherCertificate(other, after=1))
    async with open_message_center(center, tls=server):
        said = [await encrypted(center, client) for _ in range(2)]

    assert "encrypted" == said[0]
    assert "certificate verify failed" in said[1]


async def test_clear_text():
    server, client = tls_pair()
    async with open_message_center(behaving(behaviours.ClearText()), tls=server) as center:
        assert "encrypted" != await encrypted(center, client)


async def test_endless_handshake(autojump_clock):
    server, _ = tls_pair()
    center = behaving(behaviours.EndlessHandshake())
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        ours, theirs = trio.testing.memory_stream_pair()

        async def serve():
            await center.serve_stream(theirs, tls=server)

        nursery.start_soon(serve)
        begun = trio.current_time()
        await ours.send_all(b"\x16\x03\x01\x00\x05hello")

        assert b"" == await ours.receive_some(10)
        assert pytest.approx(10.0) == trio.current_time() - begun
