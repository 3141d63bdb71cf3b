"""Our codec beside Wireshark's dissector: every operation and TLV it knows, field by field.

What is said of it here was seen by running tshark 4.0.17. It only reads; it shows neither the digits
of callback_num nor callback_num_atag, which are left out of the comparison but for their length.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element

import pytest

from whiteroute.pdu import (
    OPERATIONS,
    TLV_TABLE,
    TLVS_OF,
    BroadcastSm,
    CancelSmResp,
    DataSmResp,
    DistributionList,
    EsmClass,
    Pdu,
    QueryBroadcastSmResp,
    SmeAddress,
    SubmitMulti,
    SubmitSm,
    Tlv,
    Tlvs,
    TlvTag,
    UnsuccessSme,
    decode,
    encode,
    join_parts,
    make_tlvs,
    parse_smpp_time,
    split_text,
    tlv_name,
    tlv_value,
)
from whiteroute.pdu.wire import COctetString, DestAddresses, Integer, ShortMessage, WireType

pytestmark = pytest.mark.interop

Dissect = Callable[[Iterable[bytes]], list[Element]]

TIMES = ["", "240229123000004+", "370228123000704-", "000007010203000R"]
FRAMES_EACH = 8
SHOWN = ".//*[@name='smpp.{}']"
MALFORMED = "proto[@name='_ws.malformed']"

VALUES: dict[TlvTag, bytes] = {
    TlvTag.ALERT_ON_MESSAGE_DELIVERY: b"",
    TlvTag.BROADCAST_AREA_IDENTIFIER: b"\x00Madrid",
    TlvTag.BROADCAST_END_TIME: b"240229123000004+\0",
    TlvTag.CALLBACK_NUM: b"\x01\x01\x0134600111222",
    TlvTag.CALLBACK_NUM_ATAG: b"\x00ann",
    TlvTag.CALLBACK_NUM_PRES_IND: b"\x09",
    TlvTag.MS_MSG_WAIT_FACILITIES: b"\x82",
    TlvTag.MS_VALIDITY: b"\x03",
    TlvTag.USSD_SERVICE_OP: b"\x02",
}
"""Where just any octets would not do."""

SHOWN_ELSEWHERE = {
    "billing_identification": "billing_id",
    "broadcast_content_type_info": "broadcast_content_type.info",
    "dest_addr_np_information": "dest_addr_np_info",
    "sc_interface_version": "SC_interface_version",
}
"""Our names of parameters, to Wireshark's."""

WITHOUT_TLVS = {
    *("unbind_resp", "enquire_link_resp", "cancel_sm_resp", "replace_sm_resp"),
    *("query_sm_resp", "cancel_broadcast_sm_resp"),
}
"""Operations in which it does not look for parameters."""


def octets_for(tag: TlvTag) -> bytes:
    kind = TLV_TABLE[tag]
    plain = b"0123456789\0" if kind.form == "text" else bytes(range(1, max(kind.least, 1) + 1))
    return VALUES.get(tag, plain)


def random_value(kind: WireType, name: str, chance: random.Random) -> object:
    match kind:
        case Integer() if name == "replace_if_present_flag":
            return chance.randrange(2)
        case Integer() if name == "registered_delivery":
            return chance.randrange(32)
        case Integer():
            return chance.randrange(256)
        case COctetString(empty_or_full=True):
            return chance.choice(TIMES)
        case COctetString(size=size):
            return "".join(chance.choices("0123456789abcXYZ+ ", k=chance.randrange(size)))
        case ShortMessage():
            return chance.randbytes(chance.randrange(255))
        case DestAddresses():
            number = SmeAddress(dest_addr_ton=1, dest_addr_npi=1, destination_addr="34600111222")
            return tuple(chance.choices((number, DistributionList(dl_name="all")), k=3))
        case _:
            each = UnsuccessSme(dest_addr_ton=1, destination_addr="346", error_status_code=0x58)
            return (each,) * chance.randrange(4)


def random_pdus(pdu_class: type[Pdu]) -> Iterator[Pdu]:
    """Give some of an operation's PDUs, the same at each run."""
    chance = random.Random(pdu_class.command_id)
    for _ in range(FRAMES_EACH):
        fields = {name: random_value(kind, name, chance) for name, kind in pdu_class.fields}
        if "esm_class" in fields:
            # It shows nothing where a user data header does not add up.
            fields["esm_class"] &= ~EsmClass.UDHI
        yield pdu_class(**fields, sequence_number=chance.randrange(1, 0x7FFF_FFFF))


def pdus_with_parameters(pdu_class: type[Pdu]) -> Iterator[Pdu]:
    pdu = next(random_pdus(pdu_class))
    for tag in sorted(TLVS_OF.get(pdu_class.command_id, ())):
        if tag != TlvTag.BROADCAST_REP_NUM:
            fields = {name: getattr(pdu, name) for name, _ in pdu_class.fields}
            if tag == TlvTag.MESSAGE_PAYLOAD and "short_message" in fields:
                fields["short_message"] = b""
            yield pdu_class(**fields, tlvs=Tlvs.of(Tlv(tag, octets_for(tag))), sequence_number=7)


@pytest.fixture(scope="module")
def dissected(dissect: Dissect) -> dict[bytes, Element]:
    """Every frame of this file's two big tests, taken apart in one go."""
    frames = [
        encode(pdu)
        for pdu_class in OPERATIONS.values()
        for pdu in (*random_pdus(pdu_class), *pdus_with_parameters(pdu_class))
    ]
    return dict(zip(frames, dissect(frames), strict=True))


# What it shows, said in our words.


def number(field: Element) -> int:
    return int(field.get("show", ""), 0)


def octets(field: Element) -> bytes:
    return bytes.fromhex(field.get("value", ""))


def moment(field: Element) -> datetime | timedelta | None:
    shown = field.get("show", "")
    if field.get("name", "").endswith("_r"):
        return timedelta(seconds=float(shown)) if float(shown) else None
    date, fraction = shown.removesuffix(" UTC").split(".")
    time = datetime.strptime(date, "%b %d, %Y %H:%M:%S").replace(tzinfo=UTC)
    return time.replace(microsecond=int(fraction[:6]))


def children(element: Element) -> dict[str, Element]:
    # The first of two counts: some fields are shown again in words, under the same name.
    return {field.get("name", "").removeprefix("smpp."): field for field in reversed(element)}


def body(smpp: Element, pdu_class: type[Pdu]) -> dict[str, object]:
    """Read the header and the mandatory fields that it shows."""
    shown = children(smpp)
    read: dict[str, object] = {
        name: number(shown[name]) for name in ("command_length", "command_id", "sequence_number")
    }
    # It shows a status in responses only.
    read["command_status"] = number(shown["command_status"]) if "command_status" in shown else 0
    for name, kind in pdu_class.fields:
        match kind:
            case _ if name == "esm_class":
                bits = [number(shown[f"esm.submit.{each}"]) for each in ESM_CLASS]
                read[name] = bits[0] | bits[1] << 2 | bits[2] << 6
            case _ if name == "registered_delivery":
                bits = [number(shown[f"regdel.{each}"]) for each in ("receipt", "acks", "notif")]
                read[name] = bits[0] | bits[1] << 2 | bits[2] << 4
            case COctetString(empty_or_full=True):
                found = [shown[each] for each in (name, f"{name}_r") if each in shown]
                read[name] = moment(found[0]) if found else None
            case Integer():
                read[name] = number(shown[name])
            case COctetString() if name not in shown:
                read[name] = ""  # It shows some fields only where they are not empty.
            case COctetString():
                read[name] = octets(shown[name]).removesuffix(b"\0").decode("ascii")
            case ShortMessage():
                read[name] = octets(shown["message"]) if "message" in shown else b""
            case DestAddresses():
                read[name] = tuple(addresses(shown["dlist"]))
            case _:
                read[name] = tuple(failures(shown["dlist_resp"])) if "dlist_resp" in shown else ()
    return read


ESM_CLASS = ("msg_mode", "msg_type", "features")


def addresses(group: Element) -> Iterator[SmeAddress | DistributionList]:
    fields = iter(group)
    for field in fields:
        if field.get("name") == "smpp.dl_name":
            yield DistributionList(dl_name=octets(field)[:-1].decode("ascii"))
        else:
            yield SmeAddress(
                dest_addr_ton=number(field),
                dest_addr_npi=number(next(fields)),
                destination_addr=octets(next(fields))[:-1].decode("ascii"),
            )


def failures(group: Element) -> Iterator[UnsuccessSme]:
    fields = iter(group)
    for field in fields:
        yield UnsuccessSme(
            dest_addr_ton=number(field),
            dest_addr_npi=number(next(fields)),
            destination_addr=octets(next(fields))[:-1].decode("ascii"),
            error_status_code=number(next(fields)),
        )


def ours(pdu: Pdu) -> dict[str, object]:
    told = {
        "command_length": len(encode(pdu)),
        "command_id": pdu.command_id,
        "command_status": pdu.command_status,
        "sequence_number": pdu.sequence_number,
    }
    for name, kind in pdu.fields:
        value = getattr(pdu, name)
        is_time = isinstance(kind, COctetString) and kind.empty_or_full
        told[name] = parse_smpp_time(value) if is_time else value
    return told


def parameters(smpp: Element) -> Iterator[tuple[str, int, object]]:
    """Read the name, length and value of each parameter that it shows."""
    for field in smpp.iterfind("*[@name='smpp.opt_params']/*[@name='smpp.opt_param']"):
        shown = children(field)
        name = tlv_name(number(shown["opt_param_tag"]))
        yield name, number(shown["opt_param_len"]), parameter(name, shown)


def parameter(name: str, shown: dict[str, Element]) -> object:
    def bits(prefix: str, *widths: tuple[str, int]) -> bytes:
        value = length = 0
        for part, width in widths:
            value, length = value << width | number(shown[f"{prefix}.{part}"]), length + width
        return value.to_bytes(length // 8, "big")

    match name:
        case "network_error_code":
            return bits("network_error", ("type", 8), ("code", 16))
        case "callback_num_pres_ind":
            return bits("callback_num", ("pres", 6), ("scrn", 2))[0]
        case "its_session_info":
            return bits("its_session", ("number", 8), ("sequence", 7), ("ind", 1))
        case "ms_msg_wait_facilities":
            return bits("msg_wait", ("ind", 1), ("type", 7))[0]
        case "broadcast_content_type":
            return bits("broadcast_content_type", ("nw", 8), ("type", 16))
        case "broadcast_frequency_interval":
            return bits("broadcast_frequency_interval", ("unit", 8), ("value", 16))
        case "broadcast_area_identifier":
            area = octets(shown["broadcast_area_identifier"])
            assert area[0] == number(shown["broadcast_area_identifier.format"])
            return area
        case "broadcast_end_time":
            return moment(shown["broadcast_end_time"])
        case "alert_on_message_delivery":
            return b"" if "alert_on_message_delivery_null" in shown else None
        case "callback_num" | "callback_num_atag":
            return None
    field = shown[SHOWN_ELSEWHERE.get(name, name)]
    match TLV_TABLE[TlvTag[name.upper()]].form:
        case "integer":
            return number(field)
        case "text":
            return octets(field).removesuffix(b"\0").decode("ascii")
        case _:
            return octets(field)


def our_parameter(tlv: Tlv) -> tuple[str, int, object]:
    name, value = tlv_name(tlv.tag), tlv_value(tlv)
    if name == "broadcast_end_time":
        value = parse_smpp_time(value)
    elif name in ("callback_num", "callback_num_atag"):
        value = None
    return name, len(tlv.value), value


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
def test_every_field_is_read_alike(pdu_class: type[Pdu], dissected: dict[bytes, Element]):
    for pdu in random_pdus(pdu_class):
        assert ours(pdu) == body(dissected[encode(pdu)], pdu_class)
        assert pdu == decode(encode(pdu))


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
def test_every_parameter_is_read_alike(pdu_class: type[Pdu], dissected: dict[bytes, Element]):
    for pdu in pdus_with_parameters(pdu_class):
        expected = [our_parameter(tlv) for tlv in decode(encode(pdu)).tlvs]
        if pdu.name in WITHOUT_TLVS:
            expected = []
        assert expected == list(parameters(dissected[encode(pdu)]))
        assert dissected[encode(pdu)].find(MALFORMED) is None


TEXTS = [
    *("hello", "@£$¥ {€} [~]\\|^", "ÄÖÑÜ§ Δ_ΦΓΛΩΠΨΣΘΞ", "Grüße, señor", "Привет", "שלום"),
    *("\u4f60\u597d", "a" * 150, "Ж" * 65),
]


def test_every_text_is_read_alike(dissect: Dissect):
    pdus = [
        SubmitSm(
            destination_addr="346",
            esm_class=part.esm_class,
            data_coding=part.data_coding,
            short_message=part.short_message,
            tlvs=part.tlvs,
            sequence_number=1,
        )
        for text in TEXTS
        for mode in ("udh8", "payload")
        for part in split_text(text, mode=mode).parts
    ]
    for pdu, smpp in zip(pdus, dissect(map(encode, pdus)), strict=True):
        assert join_parts([pdu]) == children(smpp)["message_text"].get("show")


# Where they differ. Spec: the paragraph that decides stands with each.


def test_broadcast_rep_num_is_two_octets(dissect: Dissect):
    # SMPP 5.0 §4.8.4.13: two octets. tshark reads one, and loses its way in what follows.
    tlvs = make_tlvs(broadcast_rep_num=0x0102, broadcast_message_class=1)
    pdu = BroadcastSm(message_id="77", tlvs=tlvs)
    assert 0x0102 == decode(encode(pdu)).tlvs.value(TlvTag.BROADCAST_REP_NUM)
    (smpp,) = dissect([encode(pdu)])
    assert 1 == number(smpp.find(SHOWN.format("broadcast_rep_num")))
    assert smpp.find(SHOWN.format("broadcast_message_class")) is None
    assert smpp.find(MALFORMED) is not None


def test_broadcast_end_time_may_lack_its_nul(dissect: Dissect):
    # SMPP 5.0 §4.8.4.9: 16 octets, though the text of a time is 16 characters and a NUL (§4.7.23.4).
    # Both are sent: tshark wants the NUL, node-smpp writes none, and we read both.
    time, named = b"240229123000004+", "query_broadcast_sm_resp"
    pdus = [
        QueryBroadcastSmResp(message_id="77", tlvs=make_tlvs(broadcast_end_time=octets))
        for octets in (time, time + b"\0")
    ]
    assert [time.decode()] * 2 == [
        decode(encode(pdu)).tlvs.value(TlvTag.BROADCAST_END_TIME) for pdu in pdus
    ]
    assert not [f for pdu in pdus for f in pdu.findings if f.path.startswith(f"{named}.tlvs")]
    without, with_nul = dissect(map(encode, pdus))
    assert with_nul.find(MALFORMED) is None
    assert without.find(MALFORMED) is not None
    assert with_nul.find(SHOWN.format("broadcast_end_time")) is not None
    assert without.find(SHOWN.format("broadcast_end_time")) is None


def test_an_empty_validity_period_is_its_own_field(dissect: Dissect):
    # SMPP 3.4 §4.5.1: schedule_delivery_time, then validity_period. In a submit_multi tshark shows an
    # empty second one under the first one's name.
    pdu = SubmitMulti(dest_address=(DistributionList(dl_name="all"),), sequence_number=1)
    (smpp,) = dissect([encode(pdu)])
    names = [field.get("name") for field in smpp]
    assert 2 == names.count("smpp.schedule_delivery_time_r")
    assert "smpp.validity_period_r" not in names


def test_the_parameters_of_an_error_are_read(dissect: Dissect):
    # SMPP 3.4 §4.7.2: delivery_failure_reason stands in a data_sm_resp that tells of a failure. tshark
    # looks at no body where the status is not 0.
    pdu = DataSmResp(
        message_id="77", command_status=0xFE, tlvs=make_tlvs(delivery_failure_reason=1)
    )
    assert 1 == decode(encode(pdu)).tlvs.value(TlvTag.DELIVERY_FAILURE_REASON)
    (smpp,) = dissect([encode(pdu)])
    assert {"command_length", "command_id", "command_status", "sequence_number"} == set(
        children(smpp)
    )


def test_a_response_without_fields_may_carry_parameters(dissect: Dissect):
    # SMPP 5.0 §4.8.4.18: congestion_state in any response. tshark does not look.
    pdu = CancelSmResp(tlvs=make_tlvs(congestion_state=80))
    assert 80 == decode(encode(pdu)).tlvs.value(TlvTag.CONGESTION_STATE)
    (smpp,) = dissect([encode(pdu)])
    assert [] == list(parameters(smpp))


def test_a_relative_time_has_years_and_months(dissect: Dissect):
    # SMPP 3.4 §7.1.1.2: the first four digits count years and months. tshark leaves them out.
    text = "010203040506000R"
    days = timedelta(days=3, hours=4, minutes=5, seconds=6)
    assert timedelta(days=365 + 60) + days == parse_smpp_time(text)
    (smpp,) = dissect([encode(SubmitSm(destination_addr="1", validity_period=text))])
    assert days == moment(children(smpp)["validity_period_r"])


def test_a_year_is_of_this_century(dissect: Dissect):
    # SMPP 3.4 §7.1.1.1 has two digits and no century; tshark puts 38 and later into the last one.
    text = "680101000000000+"
    assert 2068 == parse_smpp_time(text).year
    (smpp,) = dissect([encode(SubmitSm(destination_addr="1", validity_period=text))])
    assert 1968 == moment(children(smpp)["validity_period"]).year


def test_a_surrogate_pair_is_one_character(dissect: Dissect):
    # 3GPP TS 23.038 §6.2.3 names ISO 10646, in which handsets send UTF-16; tshark reads each half.
    part = split_text("a\N{WAVING HAND SIGN}").parts[0]
    pdu = SubmitSm(
        destination_addr="1", data_coding=part.data_coding, short_message=part.short_message
    )
    assert "a\N{WAVING HAND SIGN}" == join_parts([decode(encode(pdu))])
    (smpp,) = dissect([encode(pdu)])
    assert "a" == children(smpp)["message_text"].get("show").rstrip("\N{REPLACEMENT CHARACTER}")


def test_ms_validity_of_5_0_is_four_octets(dissect: Dissect):
    # SMPP 5.0 §4.8.4.41 adds a unit and a number of two octets; tshark reads the first octet only.
    tlvs = make_tlvs(ms_validity=b"\x04\x03\x00\x05")
    pdu = SubmitSm(destination_addr="1", sequence_number=1, tlvs=tlvs)
    assert b"\x04\x03\x00\x05" == decode(encode(pdu)).tlvs.value(TlvTag.MS_VALIDITY)
    assert () == decode(encode(pdu)).findings
    (smpp,) = dissect([encode(pdu)])
    assert 4 == number(smpp.find(SHOWN.format("ms_validity")))
