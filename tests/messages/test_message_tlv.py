"""Parameters that a carrier demands are written, or their absence is told before anything is sent."""

import pytest

from whiteroute.engine.messages import MessageTlv
from whiteroute.pdu import EncodeError, Tlv


@pytest.mark.parametrize(
    ("kind", "value", "octets"),
    [
        ("text", "1101ABC", b"1101ABC"),
        ("c_text", "1101ABC", b"1101ABC\0"),
        ("hex", "00 ff", b"\x00\xff"),
        ("uint8", "7", b"\x07"),
        ("uint16", "258", b"\x01\x02"),
        ("uint32", "4294967295", b"\xff\xff\xff\xff"),
    ],
)
def test_a_value_is_written_as_its_type(kind, value, octets):
    assert Tlv(0x1400, octets) == MessageTlv(tag=0x1400, type=kind, value=value).write({})


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("text", "да", "characters of Latin-1"),
        ("text", "x" * 65_536, "characters of Latin-1"),
        ("c_text", "a\0b", "characters of Latin-1 without NUL"),
        ("hex", "0", "octets in hexadecimal"),
        ("uint8", "256", "0 to 255"),
        ("uint8", "-1", "0 to 255"),
        ("uint16", "many", "0 to 65535"),
        ("uint32", "1" * 5000, "0 to 4294967295"),
    ],
)
def test_a_value_that_is_none_of_its_type_is_refused(kind, value, expected):
    with pytest.raises(ValueError, match=f"^value: .*, expected {expected}$"):
        MessageTlv(tag=0x1400, type=kind, value=value)
    with pytest.raises(EncodeError, match=f"{expected} in the tag t$"):
        MessageTlv(tag=0x1400, type=kind, from_tag="t").write({"t": value})


def test_the_messages_own_value_wins():
    tlv = MessageTlv(tag=0x1401, value="default", from_tag="template_id")

    assert Tlv(0x1401, b"1107") == tlv.write({"template_id": "1107"})
    assert Tlv(0x1401, b"default") == tlv.write({"campaign": "autumn"})


def test_one_that_nobody_gives_is_left_out_unless_it_is_required():
    optional = MessageTlv(tag=0x1401, from_tag="template_id")
    required = MessageTlv(tag=0x1401, from_tag="template_id", required=True)

    assert optional.write({}) is None
    with pytest.raises(EncodeError, match=r"tlv\[0x1401\]: nothing, expected .* tag template_id"):
        required.write({})


def test_one_that_could_never_have_a_value_is_refused():
    with pytest.raises(ValueError, match="value: nothing, expected one, or from_tag"):
        MessageTlv(tag=0x1401, required=True)
