"""Whatever a peer sends, a message centre goes on for the others."""

import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from whiteroute.pdu import (
    BindTransceiver,
    CancelSm,
    DataSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    QuerySm,
    ReceiptDialect,
    ReceiptForm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    encode,
    make_tlvs,
)
from whiteroute.simulators import MessageCenter, RawPeer, open_message_center

REQUESTS = [
    encode(pdu)
    for pdu in (
        SubmitSm(
            source_addr="ACME",
            destination_addr="34600111222",
            esm_class=0x40,
            registered_delivery=0x11,
            short_message=b"\x05\x00\x03\x07\x02\x01part one",
            tlvs=make_tlvs(user_message_reference=7),
            sequence_number=2,
        ),
        DataSm(
            source_addr="ACME",
            destination_addr="34600111222",
            registered_delivery=1,
            tlvs=make_tlvs(message_payload=b"text"),
            sequence_number=3,
        ),
        SubmitMulti(
            source_addr="ACME",
            dest_address=(SmeAddress(destination_addr="34600111222"),),
            registered_delivery=1,
            sequence_number=4,
        ),
        QuerySm(message_id="1144272510", source_addr="ACME", sequence_number=5),
        CancelSm(source_addr="ACME", destination_addr="34600111222", sequence_number=6),
        ReplaceSm(message_id="1144272510", source_addr="ACME", sequence_number=7),
        DeliverSmResp(sequence_number=1),
    )
]


@st.composite
def frames(draw):
    """A request with some octets changed, cut out or put in; its length told truly."""
    body = bytearray(draw(st.sampled_from(REQUESTS))[4:])
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(8, len(body)))
        body[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=4))
    return (4 + len(body)).to_bytes(4, "big") + bytes(body)


@settings(max_examples=200)
@given(
    sent=st.lists(frames(), min_size=1, max_size=6),
    form=st.sampled_from([ReceiptForm.LABELS, ReceiptForm.CSV]),
)
def test_nothing_a_peer_sends_ends_the_centre(sent, form):
    clock = trio.testing.MockClock()

    async def converse():
        center = MessageCenter(receipt=ReceiptDialect(form=form))
        async with open_message_center(center, host=None), trio.open_nursery() as nursery:
            peers = []
            for _ in range(2):
                ours, theirs = trio.testing.memory_stream_pair()
                nursery.start_soon(center.serve_stream, theirs)
                peers.append(RawPeer(ours))
                await peers[-1].send(BindTransceiver(system_id="acme", sequence_number=1))
                await peers[-1].receive()
            await peers[0].send(*sent)
            # The handsets' delay is over then, and the receipts are written.
            await trio.testing.wait_all_tasks_blocked()
            clock.jump(10)
            await trio.testing.wait_all_tasks_blocked()
            await peers[1].send(EnquireLink(sequence_number=99))
            await peers[1].stream.send_eof()
            assert EnquireLinkResp(sequence_number=99) in await peers[1].receive_end()
            await peers[0].aclose()

    trio.run(converse, clock=clock)
