"""Grey operators on the wire: what their receipts say, against what really arrived on handsets."""

from datetime import UTC, datetime

import pytest
import trio

from whiteroute.pdu import CommandStatus, MessageState
from whiteroute.simulators import Handset, Handsets, MessageCenter, behaviours, open_message_center
from whiteroute.simulators.handsets import Reply

HONEST = Handsets(median_delay=20.0)
NUMBERS = [f"3460000{number:04d}" for number in range(200)]


async def reported(autojump_clock, behaviour, open_esme, handsets=HONEST, to=NUMBERS, wait=1000.0):
    """Send to each number; give the centre, receipts by number, and seconds until each."""
    center = MessageCenter(
        behaviours=(behaviour,), handsets=handsets, started_at=datetime(2026, 11, 22, tzinfo=UTC)
    )
    async with open_message_center(center, host=None), open_esme(center) as esme:
        begun = trio.current_time()
        for number in to:
            await esme.submit(number)
        await trio.sleep(wait)
        return center, esme.receipts, [at - begun for at in esme.arrived_at]


def arrived(center):
    return sum(each.on_handset is not None for each in center.submitted)


@pytest.mark.parametrize(
    ("faker", "least", "most"),
    [
        (behaviours.FakedReceipts(), 0.5, 20.0),
        (behaviours.InstantReceipts(), 0.0, 0.5),
        (behaviours.ConstantReceipts(), 4.75, 5.25),
        (behaviours.UniformReceipts(), 3.0, 8.0),
        (behaviours.NoFailures(), 0.5, 20.0),
    ],
)
async def test_who_fakes_all_receipts_reports_nothing_but_success(
    faker, least, most, open_esme, autojump_clock
):
    failing = Handsets(rules=[Handset(pattern="*", state=MessageState.EXPIRED, delay=50.0)])
    center, receipts, at = await reported(autojump_clock, faker, open_esme, failing)

    assert {MessageState.DELIVERED} == {each.state for each in receipts}
    assert len(NUMBERS) == len(receipts)
    assert least <= min(at) <= max(at) <= most
    assert 0 == arrived(center)


@pytest.mark.parametrize("faker", [behaviours.BlendedInstant(), behaviours.BlendedConstant()])
async def test_a_blend_really_delivers_the_greater_part(faker, open_esme, autojump_clock):
    center, receipts, at = await reported(autojump_clock, faker, open_esme)

    faked = sum(each < 10.0 for each in at)
    assert 40 <= faked <= 80
    assert arrived(center) == len(receipts) - faked


async def test_the_careful_one_invents_failures_too(open_esme, autojump_clock):
    center, receipts, at = await reported(autojump_clock, behaviours.CarefulFaker(), open_esme)

    failures = [each for each in receipts if each.state is not MessageState.DELIVERED]
    assert 1 <= len(failures) <= 15
    assert len({each.err for each in failures}) > 1
    assert 3.0 <= min(at) <= max(at) <= 8.0
    assert 0 == arrived(center)


async def test_a_dead_number_is_confirmed(open_esme, autojump_clock):
    dead = Handsets(
        rules=[
            Handset(pattern="*1", state=MessageState.UNDELIVERABLE, err="001"),
            Handset(pattern="*2", state=MessageState.UNDELIVERABLE, err="027"),
        ]
    )
    faker = behaviours.DeadNumberConfirmer(failed=0.0)
    center, receipts, _ = await reported(autojump_clock, faker, open_esme, dead)

    states = {each.source_addr[-1]: each.state for each in receipts}
    assert (MessageState.DELIVERED, MessageState.UNDELIVERABLE) == (states["1"], states["2"])
    assert 160 == arrived(center)


async def test_wrong_network_in_receipt(open_esme, autojump_clock):
    center = MessageCenter(behaviours=(behaviours.WrongNetworkInReceipt(),))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        for number in NUMBERS:
            await esme.submit(number)
        await esme.wait_delivered(len(NUMBERS))
        named = [pdu.tlvs.first(0x1403) for pdu in esme.delivered]

    assert {b"21407", b"21403"} == set(named)
    assert 40 <= named.count(b"21403") <= 80


async def test_sender_rewriting_shows_on_the_handset_and_swallows_answers(
    open_esme, autojump_clock
):
    answering = Handsets(replies=[Reply(text="yes")])
    for grey in (True, False):
        center = MessageCenter(
            behaviours=(behaviours.SenderRewriting(),) if grey else (), handsets=answering
        )
        async with open_message_center(center, host=None), open_esme(center) as esme:
            await esme.submit(source_addr="34600999888", source_addr_ton=1)
            await trio.sleep(60)
            replies = [pdu for pdu in esme.delivered if not pdu.esm_class]
            shown = center.submitted[0].on_handset

        assert grey == (shown.sender != "34600999888")
        assert (0 if grey else 1) == len(replies)


@pytest.mark.parametrize(
    ("alteration", "text"),
    [
        (behaviours.Alteration.QUESTION_MARKS, "pay 5 at https://a.example/x"),
        (behaviours.Alteration.LINK, "pay 5 at http://sho.rt/x"),
        (behaviours.Alteration.FOOTER, "pay 5 at https://a.example/x (sent with FreeSMS)"),
    ],
)
async def test_content_altering(alteration, text, open_esme, autojump_clock):
    center = MessageCenter(behaviours=(behaviours.ContentAltering(alteration),))
    async with open_message_center(center, host=None), open_esme(center) as esme:
        await esme.submit(short_message=b"pay 5 at https://a.example/x")
        await esme.wait_delivered(1)

        assert text == center.submitted[0].on_handset.text
        assert "pay 5 at https://a.example/x" == center.submitted[0].text


async def test_the_daily_cap_of_a_sim_farm_lasts_till_midnight(open_esme, autojump_clock):
    cap = behaviours.SimFarmDailyCap(sims=2, per_sim=5)
    evening = datetime(2026, 11, 22, 22, tzinfo=UTC)
    center = MessageCenter(behaviours=(cap,), started_at=evening)
    async with open_message_center(center, host=None), open_esme(center) as esme:
        statuses = [(await esme.submit()).command_status for _ in range(12)]
        await trio.sleep(3 * 3600)
        after_midnight = (await esme.submit()).command_status

    assert [0] * 10 + [CommandStatus.ESME_RTHROTTLED] * 2 == statuses
    assert 0 == after_midnight


async def test_sim_farm_pacing_delivers_in_single_file(open_esme, autojump_clock):
    pacing = behaviours.SimFarmPacing(sims=2, interval=6.0)
    _, _, at = await reported(autojump_clock, pacing, open_esme, Handsets(), NUMBERS[:5])

    assert [pytest.approx(0.1 + 3.0 * number) for number in range(5)] == at


async def test_the_same_seed_fakes_the_same_messages(open_esme, autojump_clock):
    runs = [await reported(autojump_clock, behaviours.CarefulFaker(), open_esme) for _ in range(2)]

    assert [each.state for each in runs[0][1]] == [each.state for each in runs[1][1]]
    assert runs[0][2] == pytest.approx(runs[1][2])
