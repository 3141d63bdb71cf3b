"""Optional parameters: kept as they came, read by their kind, written only where they fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    NO_TLVS,
    TLV_TABLE,
    EncodeError,
    Tlv,
    Tlvs,
    TlvTag,
    make_tlvs,
    tlv_value,
)

some = st.lists(
    st.builds(Tlv, tag=st.integers(0, 0xFFFF), value=st.binary(max_size=30)), max_size=6
)


def test_every_tag_has_a_kind_and_every_kind_a_tag():
    assert {tag.value for tag in TlvTag} == set(TLV_TABLE)


def test_every_kind_is_possible():
    for kind in TLV_TABLE.values():
        assert kind.form in ("integer", "text", "octets")
        assert 0 <= kind.least <= kind.most <= 65_535
        assert kind.form != "integer" or kind.least == kind.most in (1, 2, 4)


@given(tlvs=some)
def test_tlvs_come_back_in_order(tlvs: list[Tlv]):
    assert tlvs == list(Tlvs.of(*tlvs))
    assert b"" == Tlvs.of(*tlvs).trailing


@given(octets=st.binary(max_size=60))
def test_octets_are_kept_whatever_they_are(octets: bytes):
    tlvs = Tlvs(octets)
    assert octets == Tlvs.of(*tlvs).octets + tlvs.trailing


@given(tlvs=some, cut=st.integers(1, 33))
def test_what_is_cut_off_is_trailing(tlvs: list[Tlv], cut: int):
    whole = Tlvs.of(*tlvs)
    left = Tlvs(whole.octets[:-cut])
    assert tlvs[: len(left)] == list(left)
    assert whole.octets[:-cut] == Tlvs.of(*left).octets + left.trailing


def test_tlvs_are_a_sequence():
    first, second = Tlv(0x0427, b"\x02"), Tlv(0x1403, b"vendor")
    tlvs = Tlvs.of(first, second)
    assert 2 == len(tlvs)
    assert (first, second) == (tlvs[0], tlvs[-1])
    assert (second,) == tlvs[1:]
    assert second in tlvs
    assert 1 == tlvs.index(second)


def test_tlvs_are_equal_by_their_octets_and_can_be_keys():
    one, same = make_tlvs(message_state=2), Tlvs(b"\x04\x27\x00\x01\x02")
    assert list(one)
    assert one == same
    assert 1 == len({one, same})
    assert one != NO_TLVS


def test_the_first_of_a_repeated_tag_is_given():
    tlvs = Tlvs.of(Tlv(0x0381, b"one"), Tlv(0x0381, b"two"), Tlv(0x0427, b""))
    assert b"one" == tlvs.first(TlvTag.CALLBACK_NUM)
    assert b"" == tlvs.first(TlvTag.MESSAGE_STATE)
    assert tlvs.first(TlvTag.RECEIPTED_MESSAGE_ID) is None
    assert NO_TLVS.first(TlvTag.MESSAGE_STATE) is None
    assert NO_TLVS.value(TlvTag.MESSAGE_STATE) is None


def test_values_are_read_by_the_kind_of_their_tag():
    tlvs = make_tlvs(
        message_state=2,
        receipted_message_id="77",
        network_error_code=b"\x03\x00\x58",
        sar_msg_ref_num=0x1234,
        qos_time_to_live=86_400,
    )
    values = [
        tlvs.value(tag)
        for tag in ("MESSAGE_STATE", "RECEIPTED_MESSAGE_ID", "NETWORK_ERROR_CODE")
        for tag in (TlvTag[tag],)
    ]
    assert [2, "77", b"\x03\x00\x58"] == values
    assert 0x1234 == tlvs.value(TlvTag.SAR_MSG_REF_NUM)
    assert 86_400 == tlvs.value(TlvTag.QOS_TIME_TO_LIVE)


@pytest.mark.parametrize(
    ("tlv", "value"),
    [
        # One octet by the specification, two in smpplib, node-smpp and others.
        (Tlv(TlvTag.SOURCE_TELEMATICS_ID, b"\x01"), 1),
        (Tlv(TlvTag.SOURCE_TELEMATICS_ID, b"\x00\x01"), 1),
        (Tlv(TlvTag.DEST_TELEMATICS_ID, b"\x00\x01"), 1),
        (Tlv(TlvTag.MESSAGE_STATE, b""), b""),
        (Tlv(TlvTag.MESSAGE_STATE, bytes(9)), bytes(9)),
        (Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77"), "77"),
        (Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77\0"), "77"),
        (Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"77\0\0"), "77\0"),
        (Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b""), ""),
        (Tlv(TlvTag.RECEIPTED_MESSAGE_ID, b"\xe9"), "\xe9"),
        (Tlv(TlvTag.ALERT_ON_MESSAGE_DELIVERY, b""), b""),
        (Tlv(TlvTag.MS_VALIDITY, b"\x03"), b"\x03"),
        (Tlv(0x1403, b"vendor\0"), b"vendor\0"),
    ],
)
def test_a_value_is_read_by_the_length_it_came_with(tlv: Tlv, value: object):
    assert value == tlv_value(tlv)


def test_texts_and_integers_come_back_by_their_names():
    for tag, kind in TLV_TABLE.items():
        name = TlvTag(tag).name.lower()
        match kind.form:
            case "text":
                value: object = "x" * (kind.most - 1)
            case "integer":
                value = 256**kind.most - 1
            case _:
                value = b"\x01" * kind.most
        assert value == make_tlvs(**{name: value}).value(tag)


def test_a_name_may_be_given_octets_of_any_length():
    assert b"\x00\x01" == make_tlvs(source_telematics_id=b"\x00\x01")[0].value


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"colour": 3}, "colour: a name of no parameter, expected a name of SMPP 3.4 or 5.0"),
        ({"message_state": "DELIVRD"}, "message_state: str, expected int"),
        ({"message_state": 256}, "message_state: 256, expected 0 to 255"),
        ({"message_state": -1}, "message_state: -1, expected 0 to 255"),
        ({"message_state": 1.0}, "message_state: float, expected int"),
        ({"sar_msg_ref_num": 65_536}, "sar_msg_ref_num: 65536, expected 0 to 65535"),
        ({"receipted_message_id": 77}, "receipted_message_id: int, expected str"),
        ({"receipted_message_id": None}, "receipted_message_id: NoneType, expected str"),
        (
            {"receipted_message_id": "7" * 65},
            "receipted_message_id: 65 octets, expected at most 64",
        ),
        (
            {"receipted_message_id": "7\0"},
            "receipted_message_id: a NUL at 1, expected no NUL inside",
        ),
        (
            {"receipted_message_id": "\u20ac"},
            "receipted_message_id: U+20AC at 0, expected one octet per character",
        ),
        ({"message_payload": "text"}, "message_payload: str, expected bytes"),
        ({"network_error_code": 3}, "network_error_code: int, expected bytes"),
        (
            {"message_payload": bytes(65_536)},
            "message_payload: 65536 octets, expected at most 65535 octets",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused(values: dict[str, object], message: str):
    with pytest.raises(EncodeError) as caught:
        make_tlvs(**values)
    assert message == str(caught.value)


@pytest.mark.parametrize(
    ("tlv", "message"),
    [
        (Tlv(-1), "tlv.tag: -1, expected 0 to 65535"),
        (Tlv(65_536), "tlv.tag: 65536, expected 0 to 65535"),
        (Tlv(1.5), "tlv.tag: float, expected int"),
        (Tlv(0x1403, bytes(65_536)), "0x1403: 65536 octets, expected at most 65535 octets"),
        (Tlv(0x1403, "text"), "0x1403: str, expected bytes"),
        (Tlv(0x1403, None), "0x1403: NoneType, expected bytes"),
    ],
)
def test_tags_and_values_are_checked(tlv: Tlv, message: str):
    with pytest.raises(EncodeError) as caught:
        Tlvs.of(tlv)
    assert message == str(caught.value)


def test_tlvs_can_be_put_behind_others():
    assert make_tlvs(message_state=2, source_port=9) == make_tlvs(message_state=2) + make_tlvs(
        source_port=9
    )


def test_nothing_is_hidden_behind_trailing_octets():
    with pytest.raises(EncodeError, match="tlvs: 2 trailing octets, expected whole TLVs"):
        Tlvs(b"\x04\x27") + make_tlvs(message_state=2)


def test_names_are_shown_and_values_are_not():
    tlvs = Tlvs(make_tlvs(message_payload=b"secret", message_state=2).octets + b"\x00")
    assert "Tlvs(message_payload=6 octets, message_state=1 octets, 1 trailing octets)" == repr(tlvs)
    assert "Tlvs(0x1403=0 octets)" == repr(Tlvs.of(Tlv(0x1403)))
    assert "Tlvs()" == repr(NO_TLVS)
