"""What the tests of the codec share: PDUs and frames of every kind, made from the declarations.

`st.from_type(SubmitSm)` gives any submit_sm that can be encoded, and `st.from_type(Pdu)` any PDU.
"""

from collections.abc import Callable

import pytest
from hypothesis import strategies as st

from whiteroute.pdu import (
    OPERATIONS,
    DistributionList,
    Framer,
    Pdu,
    SmeAddress,
    Tlv,
    Tlvs,
    TlvTag,
    UnknownPdu,
    UnsuccessSme,
    decode,
)
from whiteroute.pdu.wire import COctetString, DestAddresses, Integer, ShortMessage, WireType


def unsigned(octets: int) -> st.SearchStrategy[int]:
    return st.integers(0, 256**octets - 1)


def text(size: int) -> st.SearchStrategy[str]:
    characters = st.characters(min_codepoint=1, max_codepoint=255)
    return st.just("") | st.text(characters, max_size=size - 1)


addresses = st.builds(
    SmeAddress, dest_addr_ton=unsigned(1), dest_addr_npi=unsigned(1), destination_addr=text(21)
)
lists = st.builds(DistributionList, dl_name=text(21))
failures = st.builds(
    UnsuccessSme,
    dest_addr_ton=unsigned(1),
    dest_addr_npi=unsigned(1),
    destination_addr=text(21),
    error_status_code=unsigned(4),
)
tags = st.sampled_from([tag.value for tag in TlvTag]) | unsigned(2)
tlvs = st.lists(st.builds(Tlv, tag=tags, value=st.binary(max_size=20)), max_size=4)


def values(kind: WireType) -> st.SearchStrategy[object]:
    """Give everything that a field of this wire type can hold."""
    match kind:
        case Integer():
            return st.integers(0, kind.limit)
        case COctetString(size=size):
            return text(size)
        case ShortMessage():
            return st.binary(max_size=255)
        case DestAddresses():
            return st.lists(addresses | lists, max_size=4).map(tuple)
        case _:
            return st.lists(failures, max_size=4).map(tuple)


def pdus(pdu_class: type[Pdu]) -> st.SearchStrategy[Pdu]:
    return st.builds(
        pdu_class,
        tlvs=tlvs.map(lambda tlvs: Tlvs.of(*tlvs)),
        command_status=st.just(0) | unsigned(4),
        sequence_number=unsigned(4),
        wire_form=st.just(0),
        **{name: values(kind) for name, kind in pdu_class.fields},
    )


for each in OPERATIONS.values():
    st.register_type_strategy(each, pdus(each))
unknown_ids = unsigned(4).filter(lambda command_id: command_id not in OPERATIONS)
st.register_type_strategy(
    UnknownPdu,
    st.builds(
        UnknownPdu,
        unknown_command_id=unknown_ids,
        body=st.binary(max_size=40),
        tlvs=st.just(Tlvs()),
        command_status=unsigned(4),
        sequence_number=unsigned(4),
        wire_form=st.just(0),
    ),
)
st.register_type_strategy(
    Pdu, st.sampled_from([*OPERATIONS.values(), UnknownPdu]).flatmap(st.from_type)
)


def three_ways(octets: bytes) -> Pdu:
    """Feed one frame whole, octet by octet, and with a tail; give the PDU that came out each time."""
    whole = Framer(max_command_length=1 << 24).receive(octets)
    slow = Framer(max_command_length=1 << 24)
    by_octet = [frame for octet in octets for frame in slow.receive(bytes((octet,)))]
    tailed = Framer(max_command_length=1 << 24)
    tail = b"\x00\x00\x00"
    assert (octets,) == whole
    assert [octets] == by_octet
    assert (octets,) == tailed.receive(octets + tail)
    assert (len(tail), 0) == (tailed.kept_octets, slow.kept_octets)
    return decode(octets)


@pytest.fixture(scope="session")
def feed() -> Callable[[bytes], Pdu]:
    return three_ways


@pytest.fixture(params=OPERATIONS.values(), ids=lambda pdu_class: pdu_class.name)
def operation(request: pytest.FixtureRequest) -> type[Pdu]:
    """Every declared operation in turn."""
    return request.param


@pytest.fixture(scope="session")
def filled() -> Callable[[type[Pdu]], Pdu]:
    """Make a PDU in which every field stands out and none is empty."""

    def fill(pdu_class: type[Pdu]) -> Pdu:
        made: dict[str, object] = {}
        for number, (name, kind) in enumerate(pdu_class.fields, start=1):
            match kind:
                case Integer():
                    made[name] = number
                case COctetString(size=size):
                    made[name] = f"{name:x<64}"[: size - 1]
                case ShortMessage():
                    made[name] = b"short\0message"
                case DestAddresses():
                    made[name] = (
                        SmeAddress(
                            dest_addr_ton=1, dest_addr_npi=1, destination_addr="34600111222"
                        ),
                        DistributionList(dl_name="friends"),
                    )
                case _:
                    made[name] = (
                        UnsuccessSme(destination_addr="34600111222", error_status_code=0x0B),
                        UnsuccessSme(destination_addr="3460011133", error_status_code=0x400),
                    )
        return pdu_class(**made, command_status=0x58, sequence_number=0x01020304)

    return fill
