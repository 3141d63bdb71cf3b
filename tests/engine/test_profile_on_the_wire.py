"""What a profile in TOML says is what a message centre sees, and how its answers are taken."""

from collections.abc import Callable
from typing import Any

import pytest
import trio

from whiteroute.engine.config import load_own_profiles
from whiteroute.engine.messages import DeliveryState, Outcome
from whiteroute.engine.profile import CarrierProfile
from whiteroute.engine.service import InboundMessage
from whiteroute.pdu import DeliverSm, SubmitSm, SubmitSmResp

Make = Callable[..., Any]

OWN = """
[profiles.strange.addresses]
national_code = "34"
national_prefix = "0"
[profiles.strange.text]
alphabets = ["latin1", "ucs2"]
data_codings = { ucs2 = 0x18 }
ucs2 = "utf-16-le"
[profiles.strange.submit]
max_validity = 3600
tlvs = [
    { tag = 0x1400, type = "c_text", value = "1101ENTITY" },
    { tag = 0x1401, from_tag = "template_id", required = true },
]
[profiles.strange.errors]
error_with_message_id_is_accepted = true
empty_message_id_is_accepted = false
"""


@pytest.fixture
def strange(tmp_path: Any) -> CarrierProfile:
    """A carrier that is like no other."""
    file = tmp_path / "profiles.toml"
    file.write_text(OWN, "utf-8")
    return load_own_profiles(file)["strange"]


async def answered(
    raw: Any, engine: Any, message: Any, **response: Any
) -> tuple[SubmitSm | None, Outcome]:
    """Submit a message, and answer what comes of it by hand."""
    seen: list[SubmitSm] = []
    outcomes: list[Outcome] = []
    peer = raw.peers[0]

    async def submit() -> None:
        outcomes.append(await engine.submit(message))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(submit)
        request = await peer.receive()
        assert isinstance(request, SubmitSm)
        seen.append(request)
        await peer.send(SubmitSmResp(sequence_number=request.sequence_number, **response))
    return seen[0], outcomes[0]


async def test_a_message_leaves_as_the_profile_says(
    autojump_clock: Any, raw: Any, open_by_hand: Make, message: Make, strange: CarrierProfile
) -> None:
    async with open_by_hand(profile=strange) as engine:
        await raw.accept_bind()
        asked = message(text="да", validity=7200.0, tags={"template_id": "1107"})

        pdu, outcome = await answered(raw, engine, asked, message_id="7")

    assert DeliveryState.ACCEPTED is outcome.state
    assert pdu is not None
    assert ("0600111222", 2, 1) == (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi)
    assert (0x18, "да".encode("utf-16-le")) == (pdu.data_coding, pdu.short_message)
    assert "000000010000000R" == pdu.validity_period
    assert {0x1400: b"1101ENTITY\0", 0x1401: b"1107"} == {tlv.tag: tlv.value for tlv in pdu.tlvs}


async def test_a_message_without_what_the_carrier_requires_is_refused_before_it_leaves(
    autojump_clock: Any, raw: Any, open_by_hand: Make, message: Make, strange: CarrierProfile
) -> None:
    async with open_by_hand(profile=strange) as engine:
        await raw.accept_bind()

        outcome = await engine.submit(message())

    assert DeliveryState.REFUSED is outcome.state
    assert outcome.error is not None
    assert "tag template_id" in outcome.error.rule


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"command_status": 0x0B, "message_id": "7"}, DeliveryState.ACCEPTED),
        ({"command_status": 0x0B, "message_id": ""}, DeliveryState.REFUSED),
        ({"command_status": 0, "message_id": ""}, DeliveryState.REFUSED),
    ],
)
async def test_an_answer_means_what_the_profile_says(
    autojump_clock: Any,
    raw: Any,
    open_by_hand: Make,
    message: Make,
    strange: CarrierProfile,
    response: dict[str, Any],
    expected: DeliveryState,
) -> None:
    async with open_by_hand(profile=strange) as engine:
        await raw.accept_bind()

        _, outcome = await answered(raw, engine, message(tags={"template_id": "1"}), **response)

    assert expected is outcome.state


async def test_what_a_handset_wrote_is_read_as_the_profile_says(
    autojump_clock: Any, raw: Any, open_by_hand: Make, strange: CarrierProfile
) -> None:
    async with open_by_hand(profile=strange) as engine:
        events = engine.events()
        peer = await raw.accept_bind()
        await peer.send(
            DeliverSm(
                source_addr="34600111222",
                destination_addr="ACME",
                data_coding=0x18,
                short_message="стоп".encode("utf-16-le"),
                sequence_number=1,
            )
        )
        await peer.receive()
        heard = [event async for event in first_of(events, InboundMessage)]

    assert ["стоп"] == [event.text for event in heard]


async def first_of(events: Any, kind: type) -> Any:
    async for event in events:
        if isinstance(event, kind):
            yield event
            return
