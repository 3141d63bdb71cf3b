"""A message centre answers as real ones do; all in memory, in virtual time."""

import attrs
import pytest
import trio

from whiteroute.engine.session import CloseCause
from whiteroute.pdu import (
    BroadcastSm,
    CancelSm,
    CommandStatus,
    DataSm,
    DataSmResp,
    DistributionList,
    EnquireLink,
    EnquireLinkResp,
    MessageState,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSmResp,
    Tlv,
    Tlvs,
    TlvTag,
    WireForm,
    make_tlvs,
    split_text,
)
from whiteroute.simulators import (
    Account,
    CenterEventKind,
    Handset,
    Handsets,
    MessageCenter,
    open_message_center,
)

ACME = Account(system_id="acme", password="secret")
SLOW = Handsets(median_delay=60.0)


@pytest.mark.parametrize("mode", ["trx", "tx", "rx"])
async def test_anybody_may_bind_where_no_accounts_are_kept(mode, open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center, mode, password="whatever") as esme,
    ):
        response = esme.bound.response

        assert CommandStatus.ESME_ROK == response.command_status
        assert "whiteroute" == response.system_id
        assert 0x34 == response.tlvs.value(TlvTag.SC_INTERFACE_VERSION)
        assert 1 == center.statistics().binds


async def test_a_peer_of_version_3_3_gets_no_tlv(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center, "tx", interface_version=0x33) as esme,
    ):
        assert 0 == len(esme.bound.response.tlvs)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"system_id": "acme", "password": "secret"}, CommandStatus.ESME_ROK),
        ({"system_id": "acme", "password": "Secret"}, CommandStatus.ESME_RINVPASWD),
        ({"system_id": "nobody", "password": "secret"}, CommandStatus.ESME_RINVSYSID),
        ({"system_id": "strict", "system_type": "OTA"}, CommandStatus.ESME_ROK),
        ({"system_id": "strict", "system_type": ""}, CommandStatus.ESME_RINVSYSTYP),
    ],
)
async def test_a_bind_is_answered_by_its_credentials(fields, status, open_esme, autojump_clock):
    center = MessageCenter(accounts=(ACME, Account(system_id="strict", system_type="OTA")))
    async with open_message_center(center, host=None), open_esme(center, **fields) as esme:
        assert status == esme.bound.command_status
        (event,) = await center.wait_for("bind", status=status)
        assert fields["system_id"] == event.account


async def test_more_binds_than_allowed_are_refused_until_one_ends(open_esme, autojump_clock):
    center = MessageCenter(accounts=(attrs.evolve(ACME, bind_limit=1),))
    async with open_message_center(center, host=None):
        async with open_esme(center, password="secret") as first:
            async with open_esme(center, "rx", password="secret") as second:
                assert CommandStatus.ESME_RALYBND == second.bound.command_status
            await first.link.unbind()
        async with open_esme(center, password="secret") as third:
            assert CommandStatus.ESME_ROK == third.bound.command_status


def test_an_account_does_not_show_its_password():
    assert "secret" not in repr(MessageCenter(accounts=(ACME,))) + repr(ACME)


async def test_each_message_gets_an_id_of_its_own_from_the_seed(open_esme, autojump_clock):
    ids = []
    for seed in (7, 7, 8):
        async with (
            open_message_center(MessageCenter(seed=seed), host=None) as center,
            open_esme(center) as esme,
        ):
            responses = [await esme.submit() for _ in range(3)]
            ids.append([response.message_id for response in responses])

    assert ids[0] == ids[1] != ids[2]
    assert 3 == len(set(ids[0]))
    assert all(each.isdecimal() for each in ids[0])


async def test_the_parts_of_a_long_text_get_an_id_each(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        ids = set()
        for part in split_text("long " * 80, reference=9).parts:
            response = await esme.submit(
                esm_class=part.esm_class,
                short_message=part.short_message,
            )
            ids.add(response.message_id)

        assert 3 == len(ids) == len(center.submitted)
        assert "long " * 80 == "".join(each.text for each in center.submitted)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"to": ""}, CommandStatus.ESME_RINVDSTADR),
        ({"to": "someone"}, CommandStatus.ESME_RINVDSTADR),
        ({"source_addr": "X" * 21, "wire_form": WireForm.OVERLONG}, CommandStatus.ESME_RINVSRCADR),
    ],
)
async def test_impossible_addresses_are_refused_with_a_bare_header(
    fields, status, open_esme, autojump_clock
):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        response = await esme.submit(**fields)

        assert status == response.command_status
        assert WireForm.HEADER_ONLY == response.wire_form
        (refused,) = center.submitted.expect(command_status=status)
        assert "" == refused.message_id
        assert 1 == center.statistics().refused


async def test_a_centre_with_all_it_can_hold_refuses_more(open_esme, autojump_clock):
    center = MessageCenter(queue_limit=2, handsets=SLOW)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        statuses = [(await esme.submit()).command_status for _ in range(3)]

        assert [0, 0, CommandStatus.ESME_RMSGQFUL] == statuses


async def test_data_sm_is_taken_like_submit_sm(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        response = await esme.request(
            DataSm(
                source_addr="ACME",
                destination_addr="34600111222",
                registered_delivery=1,
                tlvs=make_tlvs(message_payload=b"in a payload"),
            )
        )
        await esme.wait_delivered(1)

        assert isinstance(response, DataSmResp)
        assert "in a payload" == center.submitted[0].text
        assert response.message_id == esme.receipts[0].message_id


async def test_submit_multi_reaches_numbers_and_names_the_rest(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        response = await esme.request(
            SubmitMulti(
                source_addr="ACME",
                dest_address=(
                    SmeAddress(destination_addr="34600111222"),
                    DistributionList(dl_name="friends"),
                    SmeAddress(destination_addr="34600111333"),
                    SmeAddress(destination_addr="nobody"),
                ),
                registered_delivery=1,
                short_message=b"to all",
            )
        )
        await esme.wait_delivered(2)

        assert isinstance(response, SubmitMultiResp)
        assert [
            ("friends", CommandStatus.ESME_RINVDLNAME),
            ("nobody", CommandStatus.ESME_RINVDSTADR),
        ] == [(each.destination_addr, each.error_status_code) for each in response.unsuccess_sme]
        assert {"34600111222", "34600111333"} == {each.source_addr for each in esme.receipts}
        assert {response.message_id} == {each.message_id for each in esme.receipts}


@pytest.mark.parametrize(
    ("destinations", "status"),
    [
        ((), CommandStatus.ESME_RINVNUMDESTS),
        ((DistributionList(dl_name="friends"),), CommandStatus.ESME_RSUBMITFAIL),
    ],
)
async def test_submit_multi_to_nobody_is_refused(destinations, status, open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        response = await esme.request(SubmitMulti(source_addr="ACME", dest_address=destinations))

        assert status == response.command_status
        assert 0 == len(center.submitted)


async def test_query_tells_the_state_then_and_later(open_esme, autojump_clock):
    center = MessageCenter(handsets=SLOW)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.submit()).message_id
        query = QuerySm(message_id=message_id, source_addr="ACME")
        before = await esme.request(query)
        await esme.wait_delivered(1)
        after = await esme.request(QuerySm(message_id=message_id, source_addr="ACME"))

        assert isinstance(before, QuerySmResp)
        assert (MessageState.ENROUTE, "") == (before.message_state, before.final_date)
        assert MessageState.DELIVERED == after.message_state
        assert 16 == len(after.final_date)


async def test_a_failed_message_is_queried_with_its_error(open_esme, autojump_clock):
    rules = Handsets(rules=[Handset(pattern="*", state=MessageState.UNDELIVERABLE, err="027")])
    center = MessageCenter(handsets=rules)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.submit()).message_id
        await esme.wait_delivered(1)
        answer = await esme.request(QuerySm(message_id=message_id, source_addr="ACME"))

        assert (MessageState.UNDELIVERABLE, 27) == (answer.message_state, answer.error_code)


async def test_cancel_deletes_a_waiting_message_and_its_receipt_says_so(open_esme, autojump_clock):
    center = MessageCenter(handsets=SLOW)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.submit()).message_id
        first = await esme.request(CancelSm(message_id=message_id, source_addr="ACME"))
        await esme.wait_delivered(1)
        second = await esme.request(CancelSm(message_id=message_id, source_addr="ACME"))
        await trio.sleep(120)

        assert 0 == first.command_status
        assert CommandStatus.ESME_RCANCELFAIL == second.command_status
        assert [MessageState.DELETED] == [each.state for each in esme.receipts]


async def test_cancel_without_an_id_takes_all_that_wait_for_a_number(open_esme, autojump_clock):
    center = MessageCenter(handsets=SLOW)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for to in ("34600111222", "34600111222", "34600111333"):
            await esme.submit(to)
        answer = await esme.request(CancelSm(source_addr="ACME", destination_addr="34600111222"))

        assert 0 == answer.command_status
        center.submitted.expect(state=MessageState.DELETED, times=2)
        center.submitted.expect(state=MessageState.ENROUTE, to="34600111333")


async def test_replace_gives_a_waiting_message_another_text(open_esme, autojump_clock):
    center = MessageCenter(handsets=SLOW)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        message_id = (await esme.submit()).message_id
        replace = ReplaceSm(
            message_id=message_id,
            source_addr="ACME",
            registered_delivery=0,
            short_message=b"better",
        )
        first = await esme.request(replace)
        await center.wait_for("replace", message_id=message_id)
        await trio.sleep(120)
        second = await esme.request(ReplaceSm(message_id=message_id, source_addr="ACME"))

        assert (0, "better") == (first.command_status, center.submitted[0].text)
        assert [] == esme.receipts
        assert CommandStatus.ESME_RREPLACEFAIL == second.command_status


@pytest.mark.parametrize("operation", [QuerySm, CancelSm, ReplaceSm])
@pytest.mark.parametrize("how", ["unknown id", "other sender", "other account"])
async def test_messages_of_others_are_not_known(operation, how, open_esme, autojump_clock):
    center = MessageCenter(handsets=SLOW)
    async with (
        open_message_center(center, host=None),
        open_esme(center) as esme,
        open_esme(center, system_id="spy") as spy,
    ):
        message_id = (await esme.submit()).message_id
        answer = await (spy if how == "other account" else esme).request(
            operation(
                message_id="77" if how == "unknown id" else message_id,
                source_addr="OTHER" if how == "other sender" else "ACME",
            )
        )

        assert CommandStatus.ESME_RINVMSGID == answer.command_status


async def test_operations_out_of_place_are_refused(open_esme, make_submit, autojump_clock):
    center = MessageCenter()
    async with (
        open_message_center(center, host=None),
        open_esme(center) as esme,
    ):
        answer = await esme.request(BroadcastSm(source_addr="ACME"))
        event = (await center.wait_for(CenterEventKind.REFUSED))[0]

        assert CommandStatus.ESME_RINVCMDID == answer.command_status == event.status


async def test_enquire_link_is_answered(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        assert isinstance(await esme.request(EnquireLink()), EnquireLinkResp)


async def test_an_operation_nobody_knows_is_nacked_and_noted(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        esme.link.send_unchecked(bytes.fromhex("00000010 00000777 00000000 00000009"))
        (event,) = await center.wait_for("refused")

        assert CommandStatus.ESME_RINVCMDID == event.status


async def test_unknown_tlvs_do_not_trouble_it(open_esme, autojump_clock):
    async with (
        open_message_center(MessageCenter(), host=None) as center,
        open_esme(center) as esme,
    ):
        response = await esme.submit(tlvs=Tlvs.of(Tlv(0x1777, b"\x01\x02")))

        assert isinstance(response, SubmitSmResp)
        assert 0 == response.command_status


async def test_leaving_unbinds_every_bind(open_esme, autojump_clock):
    center = MessageCenter()
    causes = []

    async def stay(mode):
        async with open_esme(center, mode) as esme:
            causes.append((await esme.link.wait_closed()).cause)

    async with trio.open_nursery() as nursery, open_message_center(center, host=None):
        for mode in ("trx", "tx", "rx"):
            nursery.start_soon(stay, mode)
        await center.wait_for("bind", times=3)

    assert [CloseCause.UNBIND] * 3 == causes
    assert 3 == len([each for each in center.events() if each.event == "unbind"])
    assert 0 == center.statistics().links


async def test_handsets_may_change_in_the_midst(open_esme, autojump_clock):
    center = MessageCenter()
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit()
        await esme.wait_delivered(1)
        center.handsets = Handsets(
            rules=[Handset(pattern="*", state=MessageState.REJECTED, err="011")]
        )
        await esme.submit()
        await esme.wait_delivered(2)

        assert [MessageState.DELIVERED, MessageState.REJECTED] == [e.state for e in esme.receipts]
        assert center.handsets.rules


def test_a_centre_says_how_it_is():
    assert "<MessageCenter whiteroute not listening, 0 messages>" == repr(MessageCenter())
