"""User data headers: named elements, unknown ones, broken ones, and what tells parts apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu.errors import EncodeError
from whiteroute.pdu.operations import DataSm, DeliverSm
from whiteroute.pdu.tlv import Tlvs, make_tlvs
from whiteroute.pdu.udh import (
    ApplicationPorts,
    Concatenation,
    NationalLocking,
    NationalSingle,
    UnknownElement,
    UserDataHeader,
    find_concatenation,
    make_udh,
    parse_udh,
    split_udh,
    user_data,
)

OCTET = st.integers(0, 255)
WORD = st.integers(0, 65535)
ELEMENTS = st.one_of(
    st.builds(Concatenation, reference=OCTET, total=OCTET, sequence=OCTET),
    st.builds(Concatenation, reference=WORD, total=OCTET, sequence=OCTET, wide=st.just(True)),
    st.builds(ApplicationPorts, destination=OCTET, source=OCTET, wide=st.just(False)),
    st.builds(ApplicationPorts, destination=WORD, source=WORD),
    st.builds(NationalSingle, OCTET),
    st.builds(NationalLocking, OCTET),
    st.builds(UnknownElement, st.integers(0x26, 0xFF), st.binary(max_size=20)),
    st.builds(
        UnknownElement, st.sampled_from([0x00, 0x04, 0x24]), st.binary(min_size=7, max_size=9)
    ),
)


@given(st.lists(ELEMENTS, max_size=8).map(tuple), st.binary(max_size=20))
def test_elements_survive_their_octets(elements, payload):
    header = make_udh(*elements)

    if elements:
        found, text = split_udh(header.octets + payload)
        assert (elements, payload) == (found.elements, text)
        assert header == found == parse_udh(header.octets)


@given(st.binary(max_size=40))
def test_any_octets_are_parted_without_loss(octets):
    header, payload = split_udh(octets)

    assert octets == header.octets + payload
    assert isinstance(header.concatenation, Concatenation | None)
    assert isinstance(header.ports, ApplicationPorts | None)


@pytest.mark.parametrize(
    ("octets", "element"),
    [
        ("050003cc0201", Concatenation(reference=0xCC, total=2, sequence=1)),
        ("060804ccdd0201", Concatenation(reference=0xCCDD, total=2, sequence=1, wide=True)),
        ("0404020102", ApplicationPorts(destination=1, source=2, wide=False)),
        ("06050415811582", ApplicationPorts(destination=0x1581, source=0x1582)),
        ("03240101", NationalSingle(1)),
        ("03250101", NationalLocking(1)),
        ("020a00", UnknownElement(0x0A)),
        ("0400020102", UnknownElement(0x00, b"\x01\x02")),
    ],
)
def test_an_element_has_its_octets(octets, element):
    assert octets == make_udh(element).octets.hex()
    header = parse_udh(bytes.fromhex(octets))
    assert ((element,), None) == (header.elements, header.finding)


def test_the_last_of_equal_elements_counts():
    header = make_udh(
        Concatenation(reference=1, total=2, sequence=1),
        NationalSingle(1),
        NationalLocking(1),
        ApplicationPorts(destination=1, source=1),
        Concatenation(reference=2, total=3, sequence=3),
        NationalSingle(2),
        NationalLocking(3),
        ApplicationPorts(destination=2, source=2),
        Concatenation(reference=3, total=3, sequence=4),
    )

    assert Concatenation(reference=2, total=3, sequence=3) == header.concatenation
    assert ApplicationPorts(destination=2, source=2) == header.ports
    assert (2, 3) == (header.single_shift, header.locking_shift)


def test_a_header_without_an_element_says_so():
    assert UserDataHeader() == make_udh()
    assert (None, None, 0, 0) == (
        make_udh().concatenation,
        make_udh().ports,
        make_udh().single_shift,
        make_udh().locking_shift,
    )


@pytest.mark.parametrize(
    ("octets", "finding"),
    [
        ("", "a header is announced, there are no octets"),
        ("05", "5 octets of header are announced, 0 are left"),
        ("050003cc02", "5 octets of header are announced, 4 are left"),
        ("0100", "octet 1: an element of the header is cut short"),
        ("0300030a", "octet 1: an element of the header is cut short"),
        ("050003cc0203", "part 3 of 2 cannot be"),
        ("050003cc0000", "part 0 of 0 cannot be"),
        ("00", None),
    ],
)
def test_a_header_that_makes_no_sense_is_a_finding(octets, finding):
    header, payload = split_udh(bytes.fromhex(octets))

    assert finding == header.finding
    assert header.concatenation is None
    assert b"" == payload


@pytest.mark.parametrize(
    "element",
    [
        Concatenation(reference=256, total=1, sequence=1),
        Concatenation(reference=1, total=256, sequence=1),
        ApplicationPorts(destination=65536, source=0),
        UnknownElement(0x70, bytes(255)),
    ],
)
def test_what_does_not_fit_is_refused(element):
    with pytest.raises(EncodeError) as error:
        make_udh(element)

    assert error.value.path.startswith("udh")


def test_sar_tlvs_tell_the_parts_too():
    pdu = DeliverSm(tlvs=make_tlvs(sar_msg_ref_num=7, sar_total_segments=3, sar_segment_seqnum=2))

    assert Concatenation(reference=7, total=3, sequence=2, wide=True) == find_concatenation(pdu)


@pytest.mark.parametrize(
    ("esm_class", "octets", "tlvs"),
    [
        (0, "050003cc0201", ""),
        (0x40, "050003cc0203", ""),
        (0, "", "020c00020007020e000103"),
        (0, "", "020c00020007020e000103020f000104"),
    ],
)
def test_a_text_of_one_pdu_has_no_place_among_parts(esm_class, octets, tlvs):
    pdu = DeliverSm(
        esm_class=esm_class,
        short_message=bytes.fromhex(octets),
        tlvs=Tlvs(bytes.fromhex(tlvs)),
    )

    assert find_concatenation(pdu) is None


def test_the_header_may_stand_in_message_payload():
    pdu = DataSm(
        destination_addr="1",
        esm_class=0x40,
        tlvs=make_tlvs(message_payload=bytes.fromhex("050003cc0201") + b"hi"),
    )

    assert Concatenation(reference=0xCC, total=2, sequence=1) == find_concatenation(pdu)
    assert b"" == user_data(DeliverSm())
