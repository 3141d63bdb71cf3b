"""No peer can end us: whatever a carrier does, each message ends, and the engine goes on."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.engine.ledger import SqliteStore
from whiteroute.engine.messages import GENERIC_ERRORS, DeliveryState, InboundReader
from whiteroute.pdu import (
    BodyError,
    CommandStatus,
    DataSm,
    DeliverSm,
    GenericNack,
    MessageIdRule,
    ReceiptDialect,
    Tlv,
    Tlvs,
    decode,
    encode,
)
from whiteroute.simulators import MessageCenter, behaviours

Make = Callable[..., Any]

ENDED = {
    DeliveryState.ACCEPTED,
    DeliveryState.REFUSED,
    DeliveryState.IN_DOUBT,
    DeliveryState.EXPIRED,
}

NASTY = [
    behaviours.NackWithSequenceZero(),
    behaviours.NackWithSequenceZero(status=0),
    behaviours.NoResponse(),
    behaviours.SlowResponse(45.0),
    behaviours.SlowResponse(70.0),
    behaviours.Throttle(rate=1),
    behaviours.QueueFull(),
    behaviours.RefuseSubmits(0xDEAD_BEEF),
    behaviours.RefuseSubmits(CommandStatus.ESME_RSYSERR, times=2),
    behaviours.HalfPduThenSilence(),
    behaviours.HalfPduThenSilence(pdus=2),
    behaviours.Silence(),
    behaviours.Silence(pdus=3),
    behaviours.ResetAfterBind(),
    behaviours.UnbindAfter(1),
    behaviours.CloseAfter(1),
    behaviours.CloseAfter(2),
    behaviours.EnquireLinkIgnored(),
    behaviours.OneOctetSegments(),
    behaviours.DuplicateReceipt(times=5),
    behaviours.ReceiptBeforeResponse(),
    behaviours.RefuseBind(CommandStatus.ESME_RINVPASWD),
    behaviours.RefuseBind(0x0400),
    behaviours.RefuseTransceiver(),
    behaviours.RefuseTransceiver(nack=True),
    behaviours.SlowBind(29.0),
    behaviours.SlowBind(120.0),
]


@pytest.mark.parametrize("behaviour", NASTY, ids=repr)
async def test_every_message_ends_and_the_engine_goes_on(
    autojump_clock: Any, open_bench: Make, message: Make, behaviour: behaviours.Behaviour
) -> None:
    center = MessageCenter(behaviours=(behaviour,))
    async with open_bench(center=center, bound=False, window=2) as bench:
        outcomes = [
            outcome
            async for outcome in bench.engine.submit_many(message(validity=900.0) for _ in range(5))
        ]
        center.behaviours = ()
        assert {outcome.state for outcome in outcomes} <= ENDED
        assert 5 == len(outcomes)
        assert 0 == bench.engine.statistics().submissions
        if behaviour != behaviours.RefuseBind(CommandStatus.ESME_RINVPASWD):
            # It heals as soon as the carrier does.
            outcome = await bench.engine.submit(message(validity=5_000.0))
            assert DeliveryState.ACCEPTED is outcome.state


UNKNOWN_COMMAND = bytes.fromhex("00000010 00000f0f 00000000 00000007")
UNREADABLE_BODY = bytes.fromhex("00000014 00000005 00000000 00000008 41414141")
OVERSIZE = bytes.fromhex("7fffffff 00000005 00000000 00000009")
TOO_SHORT = bytes.fromhex("00000004 00000005 00000000 00000009")
ODD_RESPONSE = bytes.fromhex("00000010 80000103 00000000 000000ff")


@pytest.mark.parametrize(
    ("octets", "survives"),
    [
        (UNKNOWN_COMMAND, True),
        (UNREADABLE_BODY, True),
        (ODD_RESPONSE, True),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"\0" * 64, False),
        (b"\xff" * 64, False),
        (OVERSIZE, False),
        (TOO_SHORT, False),
    ],
    ids=lambda value: value[:16].hex() if isinstance(value, bytes) else str(value),
)
async def test_octets_that_mean_nothing_end_one_link_at_most(
    autojump_clock: Any,
    open_by_hand: Make,
    raw: Any,
    message: Make,
    octets: bytes,
    survives: bool,
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        outcomes: list[Any] = []

        async def submit() -> None:
            outcomes.append(await engine.submit(message()))

        peer = await raw.accept_bind()
        nursery.start_soon(submit)
        assert await peer.receive() is not None
        await peer.send(octets)
        if not survives:
            await peer.receive_end()
            await raw.accept_bind()
            await engine.wait_bound(10)
        await trio.sleep(0.1)
        assert engine.carriers["acme"].is_bound
        nursery.cancel_scope.deadline = trio.current_time() + 100

    assert [DeliveryState.IN_DOUBT] == [outcome.state for outcome in outcomes]


async def test_a_nack_for_one_message_is_a_refusal(
    autojump_clock: Any, open_by_hand: Make, raw: Any, message: Make
) -> None:
    async with open_by_hand() as engine, trio.open_nursery() as nursery:
        outcomes: list[Any] = []

        async def submit() -> None:
            outcomes.append(await engine.submit(message()))

        peer = await raw.accept_bind()
        nursery.start_soon(submit)
        request = await peer.receive()
        assert request is not None
        await peer.send(
            GenericNack(
                command_status=CommandStatus.ESME_RINVCMDLEN,
                sequence_number=request.sequence_number,
            )
        )

    assert [DeliveryState.REFUSED] == [outcome.state for outcome in outcomes]


# Whatever they deliver can be read and stored.

READER = InboundReader(
    carrier="acme",
    dialect=ReceiptDialect(),
    message_id_rule=MessageIdRule(),
    errors=GENERIC_ERRORS,
)

LATIN = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
TLVS = st.lists(
    st.builds(
        Tlv,
        st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424, 0x020C, 0x020E, 0x020F, 0x1400, 0x0205]),
        st.binary(max_size=40),
    ),
    max_size=4,
).map(lambda tlvs: Tlvs(b"".join(_octets(tlv) for tlv in tlvs)))
RECEIPT_TEXT = st.lists(
    st.sampled_from(
        "id:|sub:001| dlvrd:|submit date:|261122|9999999999| done date:|2611221200|00000000| stat:"
        "|DELIVRD|UNDELIV|\xff| err:|-1|99999999999999999999999| text:|0x|é|\0".split("|")
    ),
    max_size=14,
).map(lambda words: "".join(words).encode("latin-1"))


def _octets(tlv: Tlv) -> bytes:
    return tlv.tag.to_bytes(2, "big") + len(tlv.value).to_bytes(2, "big") + tlv.value


@given(
    kind=st.sampled_from([DeliverSm, DataSm]),
    esm_class=st.integers(0, 255),
    data_coding=st.integers(0, 255),
    octets=st.one_of(st.binary(max_size=160), RECEIPT_TEXT),
    address=LATIN,
    tlvs=TLVS,
)
def test_whatever_is_delivered_can_be_read_and_stored(
    tmp_path_factory: pytest.TempPathFactory,
    kind: type[DeliverSm | DataSm],
    esm_class: int,
    data_coding: int,
    octets: bytes,
    address: str,
    tlvs: Tlvs,
) -> None:
    pdu = kind(
        source_addr=address,
        destination_addr=address,
        esm_class=esm_class,
        data_coding=data_coding,
        tlvs=tlvs,
    )
    if isinstance(pdu, DeliverSm):
        pdu.short_message = octets[:254]
    try:
        arrived = decode(encode(pdu))
    except BodyError:
        return
    assert isinstance(arrived, DeliverSm | DataSm)

    entry = READER.read(arrived, link="acme/1", received_at=1, inbound_ref="i-1")

    store = _store(tmp_path_factory)
    assert 1 == len(store.write([entry]))


_STORES: list[SqliteStore] = []


def _store(factory: pytest.TempPathFactory) -> SqliteStore:
    if not _STORES:
        _STORES.append(SqliteStore(factory.mktemp("ledger") / "ledger.db", synchronous="NORMAL"))
    return _STORES[0]


@pytest.fixture(autouse=True, scope="module")
def _close_stores() -> Any:
    yield
    while _STORES:
        _STORES.pop().close()
