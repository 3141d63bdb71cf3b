"""Our codec beside node-smpp's: every operation, TLV and text, both ways.

What is said of it here was seen by running release 0.5.1.
"""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whiteroute.pdu import (
    OPERATIONS,
    TLV_TABLE,
    Alphabet,
    CommandId,
    CommandStatus,
    DataSm,
    DataSmResp,
    DistributionList,
    EsmClass,
    GenericNack,
    LongMode,
    MessageState,
    Npi,
    Pdu,
    QueryBroadcastSmResp,
    SmeAddress,
    SubmitSm,
    SubmitSmResp,
    TextPart,
    Tlv,
    Tlvs,
    TlvTag,
    Ton,
    UnsuccessSme,
    WireForm,
    decode,
    decode_gsm,
    encode,
    encode_gsm,
    join_parts,
    make_tlvs,
    parse_smpp_time,
    split_text,
    tlv_name,
)
from whiteroute.pdu.wire import COctetString, DestAddresses, Integer, ShortMessage

pytestmark = pytest.mark.interop

Said = dict[str, object]
Node = Callable[[Said], Said]

TIMES = ["", "240229123000004+", "370228123000704-", "991231235959900+"]
UNREAD_CODINGS = [4, 5, 6, 7, 9, 0xF4]
"""data_coding with which it leaves the octets of a text alone."""


def theirs(node: Node, pdu: Pdu) -> Said:
    said = node({"decode": encode(pdu).hex()})
    assert "error" not in said, said
    assert pdu.name == said["command"]
    return said["values"]


def written_by_them(node: Node, command: str, **values: object) -> bytes:
    said = node({"encode": command, "values": values})
    assert "error" not in said, said
    return bytes.fromhex(said["octets"])


def as_theirs(value: object) -> object:
    """Say a value of ours as JSON to node-smpp."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case tuple():
            return [as_theirs(each) for each in value]
        case DistributionList():
            return {"dl_name": value.dl_name}
        case SmeAddress():
            names = ("dest_addr_ton", "dest_addr_npi", "destination_addr")
            return {name: getattr(value, name) for name in names}
        case UnsuccessSme():
            names = ("dest_addr_ton", "dest_addr_npi", "destination_addr", "error_status_code")
            return {name: getattr(value, name) for name in names}
        case _:
            return value


letters = st.characters(min_codepoint=1, max_codepoint=0x7F)
octet = st.integers(0, 255)
address = st.text(letters, max_size=20)
destination = st.builds(
    SmeAddress, dest_addr_ton=octet, dest_addr_npi=octet, destination_addr=address
) | st.builds(DistributionList, dl_name=address)
failure = st.builds(
    UnsuccessSme,
    dest_addr_ton=octet,
    dest_addr_npi=octet,
    destination_addr=address,
    error_status_code=st.integers(0, 0xFFFF_FFFF),
)


def shared_values(pdu_class: type[Pdu]) -> st.SearchStrategy[Pdu]:
    """Give what both can say: its strings are ASCII, and it makes a text of a message if it can."""
    fields: dict[str, st.SearchStrategy[object]] = {}
    for name, kind in pdu_class.fields:
        match kind:
            case Integer() if name == "data_coding":
                fields[name] = st.sampled_from(UNREAD_CODINGS)
            case Integer() if name == "esm_class":
                fields[name] = octet.map(lambda value: value & ~EsmClass.UDHI)
            case Integer():
                fields[name] = octet
            case COctetString(empty_or_full=True):
                fields[name] = st.sampled_from(TIMES)
            case COctetString(size=size):
                fields[name] = st.text(letters, max_size=size - 1)
            case ShortMessage():
                fields[name] = st.binary(max_size=255)
            case DestAddresses():
                fields[name] = st.lists(destination, max_size=4).map(tuple)
            case _:
                fields[name] = st.lists(failure, max_size=4).map(tuple)
    return st.builds(
        pdu_class,
        command_status=st.just(0),
        sequence_number=st.integers(0, 0xFFFF_FFFF),
        wire_form=st.just(0),
        tlvs=st.just(Tlvs()),
        **fields,
    )


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
@settings(max_examples=40)
@given(data=st.data())
def test_they_write_the_same_octets(pdu_class: type[Pdu], data: st.DataObject, node: Node):
    pdu = data.draw(shared_values(pdu_class))
    values = {name: as_theirs(getattr(pdu, name)) for name, _ in pdu.fields}
    octets = written_by_them(node, pdu.name, **values, sequence_number=pdu.sequence_number)
    assert encode(pdu) == octets
    assert pdu == decode(octets)


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
@settings(max_examples=40)
@given(data=st.data())
def test_they_read_what_we_write(pdu_class: type[Pdu], data: st.DataObject, node: Node):
    pdu = data.draw(shared_values(pdu_class))
    read = theirs(node, pdu)
    assert pdu.sequence_number == read["sequence_number"]
    for name, kind in pdu.fields:
        expected, actual = as_theirs(getattr(pdu, name)), read[name]
        if isinstance(kind, COctetString) and kind.empty_or_full and expected:
            expected, actual = parse_smpp_time(expected), datetime.fromisoformat(actual["time"])
        elif isinstance(kind, ShortMessage) and hasattr(pdu, "data_coding"):
            expected = {"message": expected}
        assert expected == actual, name


SPECIAL: dict[str, tuple[object, object]] = {
    "billing_identification": (b"\x01abc", {"format": 1, "data": {"hex": b"abc".hex()}}),
    "broadcast_area_identifier": (b"\x00Madrid", [{"format": 0, "data": "Madrid"}]),
    "broadcast_content_type": (b"\x01\x00\x10", {"network": 1, "content_type": 16}),
    "broadcast_content_type_info": (b"abc", "abc"),
    "broadcast_error_status": (0x0108, [0x0108]),
    "broadcast_frequency_interval": (b"\x09\x00\x05", {"unit": 9, "interval": 5}),
    "broadcast_service_group": (b"abc", "abc"),
    "callback_num": (
        b"\x01\x01\x0134600",
        [{"digit_mode": 1, "ton": 1, "npi": 1, "number": "34600"}],
    ),
    "callback_num_atag": (b"\x00ann", [{"encoding": 0, "display": {"hex": b"ann".hex()}}]),
    "callback_num_pres_ind": (9, [9]),
    "dest_addr_np_country": (b"\x00\x00\x01\x5d", 349),
    "dest_addr_np_information": (b"0123456789", "0123456789"),
    "dest_node_id": (b"012345", "012345"),
    "message_payload": (b"hello\0", {"message": {"hex": b"hello\0".hex()}}),
    "source_node_id": (b"012345", "012345"),
    "ussd_service_op": (b"\x02", 2),
}
"""By name, what a parameter is here and there where that is not plain."""

DIFFERING = {"source_telematics_id", "alert_on_message_delivery", "broadcast_end_time"}
COMPARED = [tlv_name(tag) for tag in TLV_TABLE if tlv_name(tag) not in DIFFERING]


def both_values(name: str) -> tuple[object, object]:
    if name in SPECIAL:
        return SPECIAL[name]
    kind = TLV_TABLE[TlvTag[name.upper()]]
    if kind.form == "text":
        return "0123456789", "0123456789"
    octets = bytes(range(1, kind.least + 1))
    if kind.form == "integer":
        return int.from_bytes(octets, "big"), int.from_bytes(octets, "big")
    return octets, as_theirs(octets)


def their_name(name: str) -> str:
    # SMPP 5.0 §4.8.4.30 calls it so.
    return "dest_port" if name == "destination_port" else name


@pytest.mark.parametrize("name", COMPARED)
def test_both_write_and_read_a_parameter_alike(name: str, node: Node):
    ours, their = both_values(name)
    pdu = DataSm(destination_addr="1", data_coding=4, tlvs=make_tlvs(**{name: ours}))
    assert their == theirs(node, pdu)[their_name(name)]
    if name == "message_payload":
        their = as_theirs(ours)
    tlvs = {their_name(name): their}
    octets = written_by_them(node, "data_sm", destination_addr="1", data_coding=4, **tlvs)
    assert encode(pdu) == octets
    assert ours == decode(octets).tlvs.value(TlvTag[name.upper()])


# Texts.

TEXTS = [
    *("hello", "@£$¥ {€} [~]\\|^\f", "Grüße, señor", decode_gsm(bytes({*range(128)} - {0x1B}))),
    *("", "Привет", "你好", "a\N{WAVING HAND SIGN}b", "ñ" * 160, "Ж" * 70),
]
LONG = ["a€" * 100, "Ж" * 150, "\N{WAVING HAND SIGN}a" * 60, "hello " * 60]


def carrying(part: TextPart) -> SubmitSm:
    return SubmitSm(
        destination_addr="1",
        esm_class=part.esm_class,
        data_coding=part.data_coding,
        short_message=part.short_message,
        tlvs=part.tlvs,
    )


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_they_read_our_texts(text: str, node: Node):
    (part,) = split_text(text).parts
    assert text == theirs(node, carrying(part))["short_message"]["message"]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_we_read_their_texts(text: str, node: Node):
    data_coding = split_text(text).data_coding
    octets = written_by_them(
        node, "submit_sm", destination_addr="1", data_coding=data_coding, short_message=text
    )
    assert text == join_parts([decode(octets)])
    assert split_text(text).parts[0].short_message == decode(octets).short_message


@settings(max_examples=300)
@given(text=st.text(st.sampled_from(decode_gsm(bytes(range(128)))), max_size=160))
def test_both_write_and_read_the_default_alphabet_alike(text: str, node: Node):
    values = {"destination_addr": "1", "data_coding": 0, "short_message": text}
    octets = written_by_them(node, "submit_sm", **values)
    assert encode_gsm(text) == decode(octets).short_message
    assert text == theirs(node, decode(octets))["short_message"]["message"]


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("text", LONG, ids=lambda text: ascii(text)[:12])
def test_they_read_our_long_texts(text: str, mode: LongMode, node: Node):
    parts = split_text(text, mode=mode, reference=77).parts
    read = [theirs(node, carrying(part)) for part in parts]
    field = "message_payload" if mode == "payload" else "short_message"
    assert text == "".join(each[field]["message"] for each in read)
    for number, (part, each) in enumerate(zip(parts, read, strict=True), start=1):
        if mode == "sar":
            assert (77, len(parts), number) == (
                each["sar_msg_ref_num"],
                each["sar_total_segments"],
                each["sar_segment_seqnum"],
            )
        elif mode != "payload":
            assert [as_theirs(part.udh[1:])] == each["short_message"]["udh"]


@pytest.mark.parametrize(
    ("language", "element", "text"),
    [
        (1, "25", "şğıİ test $€"),
        (2, "24", "áÍ ç € ñ"),
        (3, "25", "ãõ Ã ê € `"),
    ],
)
def test_both_write_and_read_a_national_table_alike(
    language: int, element: str, text: str, node: Node
):
    (part,) = split_text(text, alphabet=Alphabet.GSM, languages=(language,)).parts
    assert text == theirs(node, carrying(part))["short_message"]["message"]
    message = {"udh": {"hex": f"03{element}01{language:02x}"}, "message": text}
    octets = written_by_them(node, "submit_sm", destination_addr="1", short_message=message)
    pdu = decode(octets)
    assert part.short_message == pdu.short_message
    assert EsmClass.UDHI == pdu.esm_class


# Where they differ. Spec: the paragraph that decides stands with each.


def test_a_default_text_has_data_coding_0(node: Node):
    # SMPP 3.4 §5.2.19: 0 is the default alphabet, 1 is IA5, which is ASCII. node-smpp writes GSM 03.38
    # and says 1, and reads 1 as GSM 03.38, so that an ASCII $ becomes a currency sign.
    octets = written_by_them(node, "submit_sm", destination_addr="1", short_message="@$[]")
    assert (1, encode_gsm("@$[]")) == (decode(octets).data_coding, decode(octets).short_message)
    said = decode(octets)
    said.data_coding = 0
    assert "@$[]" == join_parts([said])
    pdu = SubmitSm(destination_addr="1", data_coding=1, short_message=b"@$[]")
    assert "@$[]" == join_parts([pdu])
    assert "¡¤ÄÑ" == theirs(node, pdu)["short_message"]["message"]


def test_an_announced_table_is_the_only_one_in_use(node: Node):
    # 3GPP TS 23.038 §6.2.1.2: a single shift (0x24) leaves the main table as it is, a locking shift
    # (0x25) leaves the extension as it is. node-smpp takes both for the language's pair of tables.
    for element, language, text, ours in (
        ("24", 1, "şğı", "æøì"),
        ("25", 2, "áÍ ç", "aI Ç"),
    ):
        message = {"udh": {"hex": f"03{element}01{language:02x}"}, "message": text}
        octets = written_by_them(node, "submit_sm", destination_addr="1", short_message=message)
        pdu = decode(octets)
        pdu.data_coding = 0
        assert ours == join_parts([pdu])
        assert text == theirs(node, pdu)["short_message"]["message"]


def test_an_escape_before_what_no_table_has_shows_the_main_table(node: Node):
    # 3GPP TS 23.038 §6.2.1.1: the character of the main table is shown. node-smpp leaves the escape in.
    pdu = SubmitSm(destination_addr="1", short_message=b"\x1ba")
    assert "a" == join_parts([pdu])
    assert "\x1ba" == theirs(node, pdu)["short_message"]["message"]


def test_source_telematics_id_is_one_octet(node: Node):
    # SMPP 3.4 §5.3.2.8: one octet; node-smpp has two, and takes the next parameter's first.
    tlvs = make_tlvs(source_telematics_id=1, user_message_reference=5)
    assert 1 == tlvs.value(TlvTag.SOURCE_TELEMATICS_ID)
    read = theirs(node, SubmitSm(destination_addr="1", tlvs=tlvs))
    assert (0x0102, 5) == (read["source_telematics_id"], read["user_message_reference"])
    octets = written_by_them(node, "submit_sm", destination_addr="1", source_telematics_id=1)
    assert 1 == decode(octets).tlvs.value(TlvTag.SOURCE_TELEMATICS_ID)


def test_alert_on_message_delivery_is_empty(node: Node):
    # SMPP 3.4 §5.3.2.41: no value; 5.0 §4.8.4.2 allows one octet. node-smpp always reads one, of the
    # next parameter if need be, and fails at the end of a PDU.
    tlvs = make_tlvs(alert_on_message_delivery=b"", user_message_reference=5)
    read = theirs(node, SubmitSm(destination_addr="1", tlvs=tlvs))
    assert (0x02, 5) == (read["alert_on_message_delivery"], read["user_message_reference"])
    last = SubmitSm(destination_addr="1", tlvs=make_tlvs(alert_on_message_delivery=b""))
    assert last == decode(encode(last))
    assert "RangeError" in node({"decode": encode(last).hex()})["error"]
    values = {"destination_addr": "1", "sequence_number": 1, "alert_on_message_delivery": 2}
    pdu = decode(written_by_them(node, "submit_sm", **values))
    assert b"\x02" == pdu.tlvs.value(TlvTag.ALERT_ON_MESSAGE_DELIVERY)
    assert () == pdu.findings


@pytest.mark.parametrize("octets", [b"240229123000004+", b"240229123000004+\0"])
def test_broadcast_end_time_may_have_its_nul_or_not(octets: bytes, node: Node):
    # SMPP 5.0 §4.8.4.9 against §4.7.23.4: node-smpp writes 16 octets and reads both, as we do.
    pdu = QueryBroadcastSmResp(tlvs=make_tlvs(broadcast_end_time=octets))
    expected = parse_smpp_time(decode(encode(pdu)).tlvs.value(TlvTag.BROADCAST_END_TIME))
    read = theirs(node, pdu)["broadcast_end_time"]["time"]
    assert expected is not None
    if octets.endswith(b"\0"):
        assert (
            "2024-02-29T12:30:00.000Z" == read
        )  # Without the zone, which it looks for at the end.
    else:
        assert expected == datetime.fromisoformat(read)


def test_octets_that_are_not_ascii_are_kept(node: Node):
    # SMPP 3.4 §3.1: a C-octet string is ASCII. Where a peer sends more, node-smpp loses the eighth bit,
    # which makes another address of it.
    pdu = SubmitSm(source_addr="é", destination_addr="1")
    assert "é" == decode(encode(pdu)).source_addr
    assert "i" == theirs(node, pdu)["source_addr"]


@pytest.mark.parametrize(
    "pdu",
    [
        SubmitSmResp(message_id="77"),
        DataSmResp(message_id="77", tlvs=make_tlvs(delivery_failure_reason=2)),
    ],
    ids=lambda pdu: pdu.name,
)
def test_the_body_of_a_refusal_is_kept(pdu: Pdu, node: Node):
    # SMPP 3.4 §4.4.2 has no body in a refusing submit_sm_resp, §4.7.2 has one in a data_sm_resp.
    # node-smpp reads both and writes neither.
    pdu.command_status, pdu.sequence_number = CommandStatus.ESME_RSYSERR, 1
    assert "77" == decode(encode(pdu)).message_id == theirs(node, pdu)["message_id"]
    values = {"message_id": "77", "command_status": 8, "sequence_number": 1}
    read = decode(written_by_them(node, pdu.name, **values))
    assert (WireForm.HEADER_ONLY, "") == (read.wire_form, read.message_id)


def test_a_repeated_parameter_is_kept_each_time(node: Node):
    # SMPP 3.4 §3.3 and §5.3.1 say nothing of a vendor's tag; node-smpp keeps the last, we keep all.
    tlvs = Tlvs.of(Tlv(0x1403, b"ab"), Tlv(0x1403, b"cd"))
    pdu = SubmitSm(destination_addr="1", tlvs=tlvs)
    assert [b"ab", b"cd"] == [tlv.value for tlv in decode(encode(pdu)).tlvs]
    assert as_theirs(b"cd") == theirs(node, pdu)[str(0x1403)]


def test_an_unknown_operation_is_a_value(node: Node):
    # SMPP 3.4 §3.3: generic_nack with ESME_RINVCMDID. Both read it; node-smpp without its body.
    octets = b"\0\0\0\x12\0\0\x07\x77\0\0\0\0\0\0\0\1ab"
    assert b"ab" == decode(octets).body
    assert "unknown" == node({"decode": octets.hex()})["command"]


def test_a_nack_is_read_by_both(node: Node):
    pdu = GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN)
    assert encode(pdu) == written_by_them(node, "generic_nack", command_status=2)
    assert 2 == theirs(node, pdu)["command_status"]


def test_both_have_the_same_names_and_numbers(node: Node):
    tables = node({"tables": True})
    assert {each.name: each.value for each in CommandStatus} == tables["errors"]
    assert {each.name.lower(): each.value for each in CommandId} == tables["commands"]
    twice = {"alert_on_msg_delivery", "failed_broadcast_area_identifier"}
    tags = {name: tag for name, tag in tables["tlvs"].items() if name not in twice}
    assert {their_name(tag.name.lower()): tag.value for tag in TlvTag} == tags
    consts = tables["consts"]
    assert {each.name: each.value for each in MessageState} == consts["MESSAGE_STATE"]
    assert {each.name: each.value for each in Ton} == consts["TON"]
    assert {each.value for each in Npi} == {*consts["NPI"].values()}
    for name, bit in (
        ("MC_DELIVERY_RECEIPT", EsmClass.RECEIPT),
        ("DELIVERY_ACKNOWLEDGEMENT", EsmClass.DELIVERY_ACKNOWLEDGEMENT),
        ("USER_ACKNOWLEDGEMENT", EsmClass.USER_ACKNOWLEDGEMENT),
        ("INTERMEDIATE_DELIVERY", EsmClass.INTERMEDIATE_NOTIFICATION),
        ("UDH_INDICATOR", EsmClass.UDHI),
        ("SET_REPLY_PATH", EsmClass.REPLY_PATH),
    ):
        assert bit == consts["ESM_CLASS"][name]
