"""Each misbehaviour shows on the wire as its name says, and nothing else changes."""

import inspect

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.session import CloseCause, SessionSettings, Unexpected
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    CommandStatus,
    DeliverSm,
    EnquireLink,
    GenericNack,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
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
from whiteroute.simulators.behaviours import Behaviour


def behaving(*each, **fields):
    return MessageCenter(behaviours=each, **fields)


def submit_sm(number):
    return SubmitSm(source_addr="ACME", destination_addr="34600111222", sequence_number=number)


def all_behaviours():
    return [
        value
        for _, value in inspect.getmembers(behaviours, inspect.isclass)
        if issubclass(value, Behaviour) and value is not Behaviour
    ]


@pytest.mark.parametrize("behaviour", all_behaviours())
def test_each_is_a_value_that_says_its_symptom(behaviour):
    needed = [
        1 for field in attrs.fields(behaviour) if field.init and field.default is attrs.NOTHING
    ]
    made = behaviour(*needed) if behaviour is not behaviours.RejectSenders else behaviour(["ACME"])

    assert made == attrs.evolve(made)
    assert {made} == {attrs.evolve(made)}
    assert behaviour.__doc__


async def test_as_it_stands_a_behaviour_changes_nothing(open_esme, autojump_clock):
    center = behaving(Behaviour())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        response = await esme.submit()
        await esme.wait_delivered(1)

        assert response.message_id == esme.receipts[0].message_id


# Binds.


async def test_refuse_bind(open_esme, autojump_clock):
    center = behaving(behaviours.RefuseBind(CommandStatus.ESME_RSYSERR))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert CommandStatus.ESME_RSYSERR == esme.bound.command_status
        assert 0 == center.statistics().binds


async def test_a_refusal_by_behaviour_goes_ahead_of_wrong_credentials(open_esme, autojump_clock):
    center = behaving(behaviours.RefuseBind(), accounts=(Account(system_id="other"),))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert CommandStatus.ESME_RBINDFAIL == esme.bound.command_status


@pytest.mark.parametrize("nack", [False, True])
async def test_refuse_transceiver(nack, open_esme, autojump_clock):
    center = behaving(behaviours.RefuseTransceiver(nack=nack))
    async with (
        open_message_center(center, host=None),
        open_esme(center, "trx") as refused,
        open_esme(center, "tx") as bound,
    ):
        assert CommandStatus.ESME_RINVCMDID == refused.bound.command_status
        assert nack == isinstance(refused.bound.response, GenericNack)
        assert 0 == bound.bound.command_status


async def test_slow_bind(open_esme, autojump_clock):
    center = behaving(behaviours.SlowBind(20.0))
    async with open_message_center(center, host=None):
        asked_at = trio.current_time()
        async with open_esme(center) as esme:
            assert pytest.approx(20.0) == trio.current_time() - asked_at
            assert 0 == (await esme.submit()).command_status


async def test_a_peer_that_left_meanwhile_gets_no_slow_answer(open_esme, autojump_clock):
    center = behaving(behaviours.SlowBind(20.0))
    async with open_message_center(center, host=None) as opened:
        with trio.move_on_after(5):
            async with open_esme(opened):
                pytest.fail("bound too early")
        await trio.sleep(60)

        assert 0 == center.statistics().links


async def test_reset_after_bind():
    async with (
        open_message_center(behaving(behaviours.ResetAfterBind())) as center,
        connect_raw_peer(center.host, center.port) as peer,
    ):
        await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
        response = await peer.receive()

        assert isinstance(response, BindTransceiverResp)
        assert 0 == response.command_status
        with pytest.raises(trio.BrokenResourceError):
            await peer.receive()


async def test_reset_after_bind_in_memory_is_an_end(open_esme, autojump_clock):
    center = behaving(behaviours.ResetAfterBind())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert CloseCause.PEER_CLOSED is (await esme.link.wait_closed()).cause


# Messages refused.


async def test_refuse_submits_for_some_time(open_esme, autojump_clock):
    refuse = behaviours.RefuseSubmits(CommandStatus.ESME_RSUBMITFAIL, times=2)
    center = behaving(refuse)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        statuses = [(await esme.submit()).command_status for _ in range(3)]

        assert [CommandStatus.ESME_RSUBMITFAIL] * 2 + [0] == statuses


async def test_queue_full(open_esme, autojump_clock):
    center = behaving(behaviours.QueueFull())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        statuses = {(await esme.submit()).command_status for _ in range(5)}
        await trio.sleep(60)

        assert {CommandStatus.ESME_RMSGQFUL} == statuses
        assert [] == esme.delivered
        assert "" == center.submitted[0].message_id


async def test_throttle_counts_whole_seconds_over_all_binds_of_an_account(
    open_esme, autojump_clock
):
    center = behaving(behaviours.Throttle(3))
    async with (
        open_message_center(center, host=None),
        open_esme(center) as first,
        open_esme(center) as second,
        open_esme(center, system_id="other") as other,
    ):
        in_one_second = [
            (await esme.submit()).command_status for esme in (first, second, first, second)
        ]
        others = (await other.submit()).command_status
        await trio.sleep(1.0)
        later = (await first.submit()).command_status

        assert [0, 0, 0, CommandStatus.ESME_RTHROTTLED] == in_one_second
        assert (0, 0) == (others, later)


async def test_reject_senders(open_esme, autojump_clock):
    center = behaving(behaviours.RejectSenders(["ACME"]))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert 0 == (await esme.submit(source_addr="ACME")).command_status
        refused = await esme.submit(source_addr="OTHER")
        assert CommandStatus.ESME_RINVSRCADR == refused.command_status


# Answers in another way.


async def test_slow_response(open_esme, autojump_clock):
    center = behaving(behaviours.SlowResponse(7.5))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        asked_at = trio.current_time()
        await esme.submit()

        assert pytest.approx(7.5) == trio.current_time() - asked_at
        assert [pytest.approx(asked_at + 0.1)] == esme.arrived_at


async def test_no_response(open_esme, make_submit, autojump_clock):
    center = behaving(behaviours.NoResponse())
    settings = SessionSettings(response_timeout=10.0)
    async with (
        open_message_center(center, host=None),
        open_esme(center, settings=settings) as esme,
    ):
        exchange = await esme.link.request(make_submit())

        assert exchange.response is None
        assert center.submitted[0].message_id == esme.receipts[0].message_id


async def test_nack_with_sequence_zero(open_esme, make_submit, autojump_clock):
    center = behaving(behaviours.NackWithSequenceZero())
    settings = SessionSettings(response_timeout=10.0)
    async with (
        open_message_center(center, host=None),
        open_esme(center, settings=settings) as esme,
    ):
        exchange = await esme.link.request(make_submit())
        (nack,) = [each.pdu for each in esme.events if isinstance(each, Unexpected)]

        assert exchange.response is None
        assert (0, CommandStatus.ESME_RSYSERR) == (nack.sequence_number, nack.command_status)
        assert [] == esme.delivered


# Message ids.


@pytest.mark.parametrize(
    ("chosen", "in_response", "in_receipt"),
    [
        ((), str, str),
        ((behaviours.HexMessageId(),), "{:X}".format, "{:X}".format),
        ((behaviours.HexMessageIdInReceipt(),), str, "{:X}".format),
        ((behaviours.DecimalReceiptOfHexId(),), "{:X}".format, str),
        (
            (behaviours.HexMessageId(), behaviours.LowerCaseIdInReceipt()),
            "{:X}".format,
            "{:x}".format,
        ),
        ((behaviours.ZeroPaddedIdInReceipt(16),), str, "{:016d}".format),
    ],
)
async def test_message_ids_differ_between_response_and_receipt(
    chosen, in_response, in_receipt, open_esme, autojump_clock
):
    plain = MessageCenter()
    async with open_message_center(plain, host=None), open_esme(plain) as esme:
        number = int((await esme.submit()).message_id)
    center = behaving(*chosen)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        response = await esme.submit()
        await esme.wait_delivered(1)

        assert in_response(number) == response.message_id
        assert in_receipt(number) == esme.receipts[0].message_id
        assert center.submitted.by_message_id(response.message_id)


# Receipts.


async def test_receipt_before_response(open_esme, make_submit, autojump_clock):
    center = behaving(behaviours.ReceiptBeforeResponse(), handsets=Handsets(median_delay=60.0))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        exchange = await esme.link.request(make_submit())

        assert exchange.response.message_id == esme.receipts[0].message_id
        order = [
            type(getattr(each, "pdu", getattr(each, "response", None))) for each in esme.events
        ]
        assert [DeliverSm, SubmitSmResp] == order[-2:]


async def test_receipt_before_response_by_some_seconds(open_esme, autojump_clock):
    center = behaving(behaviours.ReceiptBeforeResponse(lead=3.0))
    async with (
        open_message_center(center, host=None),
        open_esme(center, "rx") as receiver,
        open_esme(center, "tx") as transmitter,
    ):
        await transmitter.submit()

        assert [pytest.approx(trio.current_time() - 3.0)] == receiver.arrived_at


async def test_duplicate_receipt(open_esme, autojump_clock):
    center = behaving(behaviours.DuplicateReceipt(3))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit()
        await center.wait_for("receipt_acknowledged", times=3)
        await trio.sleep(1000)

        assert 3 == len(esme.delivered)
        assert 1 == len({each.short_message for each in esme.delivered})
        assert 3 == len({each.sequence_number for each in esme.delivered})


async def test_no_receipt(open_esme, autojump_clock):
    center = behaving(behaviours.NoReceipt())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit()
        await trio.sleep(1000)

        assert [] == esme.delivered
        assert not center.submitted[0].is_waiting


# Links.


async def test_unbind_after(open_esme, autojump_clock):
    center = behaving(behaviours.UnbindAfter(2))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        responses = [await esme.submit() for _ in range(2)]

        assert CloseCause.UNBIND is (await esme.link.wait_closed()).cause
        assert [0, 0] == [each.command_status for each in responses]


async def test_close_after(open_esme, autojump_clock):
    center = behaving(behaviours.CloseAfter(2))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for _ in range(2):
            assert 0 == (await esme.submit()).command_status

        assert CloseCause.PEER_CLOSED is (await esme.link.wait_closed()).cause
        (event,) = await center.wait_for("close")
        assert "LOCAL closed on purpose" == event.text


async def test_unbinding_and_closing_at_once_is_closing(open_esme, autojump_clock):
    center = behaving(behaviours.UnbindAfter(1), behaviours.CloseAfter(2))
    async with (
        open_message_center(center, host=None),
        trio.open_nursery() as nursery,
    ):
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(center.serve_stream, theirs)
        peer = RawPeer(ours)
        await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
        await peer.receive()
        for number in (2, 3):
            await peer.send(submit_sm(number))
        names = [pdu.name for pdu in await peer.receive_end()]

        assert ["submit_sm_resp", "unbind", "submit_sm_resp"] == names


async def test_a_centre_that_unbinds_already_does_not_do_it_twice(autojump_clock):
    center = behaving(behaviours.UnbindAfter(1), behaviours.UnbindAfter(2))
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(center.serve_stream, theirs)
        peer = RawPeer(ours)
        await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
        await peer.receive()
        await peer.send(submit_sm(2), submit_sm(3))
        unbind, *responses = sorted(
            [await peer.receive() for _ in range(3)], key=repr, reverse=True
        )
        await peer.send(UnbindResp(sequence_number=unbind.sequence_number))

        assert ["submit_sm_resp"] * 2 == [each.name for each in responses]
        assert () == await peer.receive_end()


@attrs.frozen
class UnbindAtOnce(Behaviour):
    """Refuses each bind and wants to unbind what never was bound."""

    def on_bind(self, answer, request, bind):
        return attrs.evolve(
            answer,
            command_status=CommandStatus.ESME_RBINDFAIL,
            after=behaviours.AfterAnswer.UNBIND,
        )


async def test_what_is_not_bound_is_closed_instead_of_unbound(open_esme, autojump_clock):
    center = behaving(UnbindAtOnce())
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert CommandStatus.ESME_RBINDFAIL == esme.bound.command_status
        assert CloseCause.PEER_CLOSED is (await esme.link.wait_closed()).cause


async def test_enquire_link_ignored(open_esme, autojump_clock):
    center = behaving(behaviours.EnquireLinkIgnored(), settings=SessionSettings())
    async with (
        open_message_center(center, host=None),
        open_esme(center, settings=SessionSettings(enquire_link_timeout=5.0)) as esme,
    ):
        exchange = await esme.link.request(EnquireLink())
        assert exchange.response is None
        assert 0 == (await esme.submit()).command_status


async def test_one_octet_segments(autojump_clock):
    center = behaving(behaviours.OneOctetSegments())
    async with (
        open_message_center(center, host=None),
        trio.open_nursery() as nursery,
    ):
        ours, theirs = trio.testing.lockstep_stream_pair()
        nursery.start_soon(center.serve_stream, theirs)
        await ours.send_all(bytes.fromhex("00000010 00000015 00000000 00000001"))
        pieces = [await ours.receive_some(100) for _ in range(16)]
        await ours.aclose()

        assert bytes.fromhex("00000010 80000015 00000000 00000001") == b"".join(pieces)
        assert {1} == {len(piece) for piece in pieces}


@pytest.mark.parametrize(
    ("behaviour", "kept_octets"),
    [(behaviours.HalfPduThenSilence(), 8), (behaviours.Silence(), 0)],
)
async def test_after_some_pdus_there_is_silence(behaviour, kept_octets, autojump_clock):
    center = behaving(behaviour)
    async with (
        open_message_center(center, host=None),
        trio.open_nursery() as nursery,
    ):
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(center.serve_stream, theirs)
        peer = RawPeer(ours)
        await peer.send(BindTransceiver(system_id="acme", sequence_number=1))
        assert isinstance(await peer.receive(), BindTransceiverResp)
        with trio.move_on_after(20) as scope:
            await peer.send(EnquireLink(sequence_number=2), EnquireLink(sequence_number=3))
            await peer.receive()

        assert scope.cancelled_caught
        assert kept_octets == peer.kept_octets
        assert 1 == center.statistics().binds
        await peer.send(Unbind(sequence_number=5))
        await center.wait_for("unbind")


async def test_behaviours_work_together(open_esme, autojump_clock):
    center = behaving(
        behaviours.HexMessageId(),
        behaviours.DuplicateReceipt(),
        behaviours.SlowResponse(2.0),
        behaviours.ReceiptBeforeResponse(lead=1.0),
        handsets=Handsets(rules=[Handset(pattern="*", delay=50.0)]),
    )
    async with open_message_center(center, host=None), open_esme(center) as esme:
        asked_at = trio.current_time()
        response = await esme.submit()

        assert pytest.approx(3.0) == trio.current_time() - asked_at
        assert [response.message_id] * 2 == [each.message_id for each in esme.receipts]


async def test_behaviours_may_change_in_the_midst(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        assert 0 == (await esme.submit()).command_status
        center.behaviours = (behaviours.QueueFull(),)
        assert CommandStatus.ESME_RMSGQFUL == (await esme.submit()).command_status
        assert (behaviours.QueueFull(),) == center.behaviours
