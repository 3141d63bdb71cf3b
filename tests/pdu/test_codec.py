"""The codec against its declarations: round trips, tolerances, refusals, and quick against general."""

from collections.abc import Callable

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from whiteroute.pdu import (
    NO_TLVS,
    OPERATIONS,
    BindTransceiver,
    BindTransceiverResp,
    BodyError,
    CommandStatus,
    DataSmResp,
    DeliverSm,
    DistributionList,
    EncodeError,
    EnquireLink,
    FramingError,
    GenericNack,
    Outbind,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
    UnbindResp,
    UnknownPdu,
    UnsuccessSme,
    WireForm,
    decode,
    encode,
    generation,
    make_tlvs,
)
from whiteroute.pdu.quick_encoder import is_quick
from whiteroute.pdu.wire import COctetString, DestAddresses, Integer, ShortMessage

Feed = Callable[[bytes], Pdu]

few = settings(max_examples=20)
"""For what runs once an operation: 33 operations make it 660."""


def frame(command_id: int, body: bytes = b"", status: int = 0, number: int = 1) -> bytes:
    header = (16 + len(body), command_id, status, number)
    return b"".join(value.to_bytes(4, "big") for value in header) + body


def read(reader: Callable[..., Pdu], *arguments: object) -> Pdu | BodyError:
    try:
        return reader(*arguments)
    except BodyError as error:
        return error


# Values to octets and back.


@given(pdu=st.from_type(Pdu))
def test_decode_gives_back_what_encode_was_given(feed: Feed, pdu: Pdu):
    assert pdu == feed(encode(pdu))


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
@few
@given(data=st.data())
def test_every_operation_survives_the_round_trip(pdu_class: type[Pdu], data: st.DataObject):
    pdu = data.draw(st.from_type(pdu_class))
    assert pdu == decode(encode(pdu))


def test_every_field_of_every_operation_has_its_own_place(
    operation: type[Pdu], filled: Callable[[type[Pdu]], Pdu], feed: Feed
):
    pdu = filled(operation)
    assert pdu == feed(encode(pdu))


def test_tlvs_survive_known_unknown_repeated_and_empty(operation: type[Pdu], filled, feed: Feed):
    pdu = filled(operation)
    pdu.tlvs = Tlvs.of(
        Tlv(0x0427, b"\x02"),
        Tlv(0x1403, b"vendor"),
        Tlv(0x0381, b"\x01\x00\x0034600"),
        Tlv(0x0381, b"\x01\x00\x0034601"),
        Tlv(0x130C, b""),
        Tlv(0xFFFF, b""),
    )
    assert pdu == feed(encode(pdu))
    assert tuple(pdu.tlvs) == tuple(decode(encode(pdu)).tlvs)


def test_the_longest_tlv_fits():
    pdu = SubmitSm(destination_addr="1", tlvs=Tlvs.of(Tlv(0x0424, b"x" * 65_535)))
    assert pdu == decode(encode(pdu))


def test_a_short_message_of_255_octets_fits():
    pdu = SubmitSm(destination_addr="1", short_message=bytes(range(255)))
    assert pdu == decode(encode(pdu))


@given(pdu=st.from_type(UnknownPdu))
def test_an_unknown_operation_is_a_value(feed: Feed, pdu: UnknownPdu):
    assert pdu == feed(encode(pdu))


def test_a_subclass_of_an_operation_is_that_operation():
    @attrs.define(kw_only=True)
    class TrackedSubmit(SubmitSm):
        ticket: int = 0

    @attrs.define(kw_only=True)
    class TrackedEnquiry(EnquireLink):
        ticket: int = 0

    assert encode(SubmitSm(destination_addr="1")) == encode(TrackedSubmit(destination_addr="1"))
    assert encode(EnquireLink()) == encode(TrackedEnquiry(ticket=7))


# Octets to values and back: frames laid out by hand, as peers lay them out.


def laid_out(pdu_class: type[Pdu], overlong: bool) -> st.SearchStrategy[bytes]:
    """Write bodies octet by octet from the wire types, not by the encoder."""
    longer = 90 if overlong else 0

    def c_string(size: int) -> st.SearchStrategy[bytes]:
        octets = st.binary(max_size=max(size - 1, longer))
        return octets.map(lambda octets: octets.replace(b"\0", b"\1") + b"\0")

    one = st.binary(min_size=1, max_size=1)
    number = st.tuples(st.just(b"\1"), one, one, c_string(21)).map(b"".join)
    name = st.tuples(st.just(b"\2"), c_string(21)).map(b"".join)
    failure = st.tuples(one, one, c_string(21), st.binary(min_size=4, max_size=4)).map(b"".join)

    def field(kind: object) -> st.SearchStrategy[bytes]:
        match kind:
            case Integer(octets=octets):
                return st.binary(min_size=octets, max_size=octets)
            case COctetString(size=size):
                return st.just(b"\0") | c_string(size)
            case ShortMessage():
                return st.binary(max_size=255).map(lambda text: bytes((len(text),)) + text)
            case DestAddresses():
                group = st.lists(number | name, max_size=3)
            case _:
                group = st.lists(failure, max_size=3)
        return group.map(lambda entries: bytes((len(entries),)) + b"".join(entries))

    body = st.tuples(*(field(kind) for _, kind in pdu_class.fields)).map(b"".join)
    rest = st.binary(max_size=12)
    return st.builds(
        lambda body, rest, status, number: frame(pdu_class.command_id, body + rest, status, number),
        body,
        st.just(b"") | rest,
        st.integers(0, 0xFFFF_FFFF),
        st.integers(0, 0xFFFF_FFFF),
    )


@pytest.mark.parametrize("overlong", [False, True], ids=["within bounds", "overlong"])
@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
@few
@given(data=st.data())
def test_encode_gives_back_the_octets_of_every_frame(
    feed: Feed, pdu_class: type[Pdu], overlong: bool, data: st.DataObject
):
    octets = data.draw(laid_out(pdu_class, overlong))
    pdu = feed(octets)
    assert type(pdu) is pdu_class
    assert octets == encode(pdu)


@given(command_id=st.sampled_from(sorted(OPERATIONS)), body=st.binary(max_size=120))
@example(command_id=0x80000004, body=b"")
@example(command_id=0x80000004, body=b"no NUL")
@example(command_id=0x0000000B, body=b"half\0")
def test_garbage_is_a_value_or_a_body_error(feed: Feed, command_id: int, body: bytes):
    octets = frame(command_id, body)
    match read(feed, octets):
        case BodyError() as error:
            assert (command_id, 1) == (error.command_id, error.sequence_number)
            assert octets == error.octets
            assert error.path.startswith(OPERATIONS[command_id].name + ".")
            assert error.command_status in set(CommandStatus) - {0}
        case pdu:
            assert octets == encode(pdu)


def test_a_pdu_cut_anywhere_is_a_value_or_a_body_error(
    operation: type[Pdu], filled: Callable[[type[Pdu]], Pdu]
):
    octets = encode(filled(operation))
    kinds = dict(operation.fields)
    for end in range(16, len(octets)):
        cut = end.to_bytes(4, "big") + octets[4:end]
        match read(decode, cut):
            case BodyError() as error:
                field = error.path.split(".")[1].split("[")[0]
                assert cut == error.octets
                assert kinds[field].bad == error.command_status
            case pdu:
                assert cut == encode(pdu)


@pytest.mark.parametrize(
    ("octets", "message", "status"),
    [
        (
            frame(0x04, b"\0\1\1346"),
            "submit_sm.source_addr: no NUL before the end, expected a C-octet string",
            CommandStatus.ESME_RINVSRCADR,
        ),
        (
            frame(0x04, b""),
            "submit_sm.service_type: no NUL before the end, expected a C-octet string",
            CommandStatus.ESME_RINVSERTYP,
        ),
        (
            frame(0x04, b"\0\1"),
            "submit_sm.source_addr_npi: 0 octets left, expected 1 octets",
            CommandStatus.ESME_RINVSRCNPI,
        ),
        (
            frame(0x04, b"\0\1\1346\0\1\0011\0\0\0\0\0\0\1\0\0\0\5hell"),
            "submit_sm.short_message: 5 octets announced, 4 left, expected as many octets as announced",
            CommandStatus.ESME_RINVMSGLEN,
        ),
        (
            frame(0x04, b"\0\1\1346\0\1\0011\0\0\0\0\0\0\1\0\0\0"),
            "submit_sm.short_message: no sm_length, expected as many octets as announced",
            CommandStatus.ESME_RINVMSGLEN,
        ),
        (
            frame(0x05, b"\0\1\1346\0\1\0011\0\4\0"),
            "deliver_sm.priority_flag: 0 octets left, expected 1 octets",
            CommandStatus.ESME_RINVPRTFLG,
        ),
        (
            frame(0x09, b"system\0password\0\0\x34\1"),
            "bind_transceiver.addr_npi: 0 octets left, expected 1 octets",
            CommandStatus.ESME_RINVCMDLEN,
        ),
        (
            frame(0x21, b"\0\0\0\0\2\1\1\1346\0\3"),
            "submit_multi.dest_address[1].dest_flag: 3, expected 1 (a number) or 2 (a list)",
            CommandStatus.ESME_RINVDESTFLAG,
        ),
        (
            frame(0x21, b"\0\0\0\0\1\2list"),
            "submit_multi.dest_address[0].dl_name: no NUL before the end, expected a C-octet string",
            CommandStatus.ESME_RINVNUMDESTS,
        ),
        (
            frame(0x21, b"\0\0\0\0"),
            "submit_multi.dest_address.number_of_dests: the end of the PDU, expected 1 octet",
            CommandStatus.ESME_RINVNUMDESTS,
        ),
        (
            frame(0x80000021, b"id\0\1\1\1346\0\0\0\0"),
            "submit_multi_resp.unsuccess_sme[0].error_status_code: 3 octets, expected 4 octets",
            CommandStatus.ESME_RINVNUMDESTS,
        ),
    ],
    ids=lambda value: value.split(":")[0] if isinstance(value, str) else "",
)
def test_a_body_error_says_where_what_and_how_to_answer(
    octets: bytes, message: str, status: CommandStatus
):
    with pytest.raises(BodyError) as caught:
        decode(octets)
    assert (message, status) == (str(caught.value), caught.value.command_status)


def test_a_body_error_does_not_show_the_octets_it_keeps():
    octets = frame(0x04, b"\0\1\1346\0\1\0011\0\0\0\0\0\0\1\0\0\0\x20secret")
    with pytest.raises(BodyError) as caught:
        decode(octets)
    assert "secret" not in repr(caught.value) + str(caught.value)
    assert octets == caught.value.octets


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (b"", "0 octets, expected a header of 16 octets"),
        (bytes(15), "15 octets, expected a header of 16 octets"),
        (frame(0x15) + b"\0", "command_length 16, expected the 17 octets given"),
        (frame(0x15, b"\0\0")[:-1], "command_length 18, expected the 17 octets given"),
    ],
)
def test_decode_takes_exactly_one_frame(octets: bytes, message: str):
    with pytest.raises(FramingError) as caught:
        decode(octets)
    assert message == str(caught.value)


# What a specification forbids but the octets still say.


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS.values() if each.fields and each.command_id & 0x8000_0000],
)
def test_a_response_may_be_a_header_alone(operation: type[Pdu], feed: Feed):
    octets = frame(operation.command_id, status=0x45)
    pdu = feed(octets)
    assert operation(command_status=0x45, sequence_number=1, wire_form=WireForm.HEADER_ONLY) == pdu
    assert octets == encode(pdu)


@pytest.mark.parametrize(
    ("octets", "pdu"),
    [
        (
            frame(0x80000004, b"id-7"),
            SubmitSmResp(message_id="id-7", sequence_number=1, wire_form=WireForm.UNTERMINATED),
        ),
        (
            frame(0x80000009, b"mc"),
            BindTransceiverResp(system_id="mc", sequence_number=1, wire_form=WireForm.UNTERMINATED),
        ),
        (
            frame(0x80000004, b"i" * 65),
            SubmitSmResp(
                message_id="i" * 65,
                sequence_number=1,
                wire_form=WireForm.UNTERMINATED | WireForm.OVERLONG,
            ),
        ),
        (
            frame(0x0B, b"mc\0"),
            Outbind(system_id="mc", sequence_number=1, wire_form=WireForm.UNTERMINATED),
        ),
    ],
)
def test_a_last_string_may_miss_its_nul(feed: Feed, octets: bytes, pdu: Pdu):
    assert pdu == feed(octets)
    assert octets == encode(pdu)


def test_overlong_strings_are_kept_whole(operation: type[Pdu], filled, feed: Feed):
    for name, kind in operation.fields:
        if not isinstance(kind, COctetString):
            continue
        pdu = filled(operation)
        setattr(pdu, name, "y" * kind.size)
        pdu.wire_form = WireForm.OVERLONG
        assert pdu == feed(encode(pdu))


def test_overlong_names_in_groups_are_kept_whole(feed: Feed):
    numbers = SubmitMulti(
        dest_address=(SmeAddress(destination_addr="1" * 30), DistributionList(dl_name="x")),
        wire_form=WireForm.OVERLONG,
    )
    failed = SubmitMultiResp(
        unsuccess_sme=(
            UnsuccessSme(destination_addr="1" * 30, error_status_code=1),
            UnsuccessSme(destination_addr="1", error_status_code=1),
        ),
        wire_form=WireForm.OVERLONG,
    )
    assert numbers == feed(encode(numbers))
    assert failed == feed(encode(failed))


def test_octets_behind_the_last_tlv_are_kept(feed: Feed):
    octets = frame(0x80000004, b"id\0" + b"\x04\x27\x00\x01\x02" + b"\x04\x24\x00\x09abc")
    pdu = feed(octets)
    assert (Tlv(0x0427, b"\x02"),) == tuple(pdu.tlvs)
    assert b"\x04\x24\x00\x09abc" == pdu.tlvs.trailing
    assert octets == encode(pdu)


@given(status=st.integers(0, 0xFFFF_FFFF), octet=st.integers(0, 255))
def test_unknown_statuses_and_values_stay_themselves(feed: Feed, status: int, octet: int):
    pdu = DeliverSm(
        source_addr_ton=octet,
        source_addr_npi=octet,
        esm_class=octet,
        priority_flag=octet,
        registered_delivery=octet,
        replace_if_present_flag=octet,
        data_coding=octet,
        sm_default_msg_id=octet,
        command_status=status,
    )
    assert pdu == feed(encode(pdu))


def test_octets_above_ascii_in_an_address_are_one_character_each():
    octets = frame(0x80000004, bytes(range(1, 256))[:64] + b"\xe9\xff\0")
    assert octets == encode(decode(octets))


# What encode refuses; nothing is cut.


def too_much(kind: object) -> list[object]:
    match kind:
        case Integer(octets=octets):
            return [-1, 256**octets, 1.0, None, "1", b"1"]
        case COctetString(size=size):
            return ["x" * size, "a\0b", "\0", "\u0100", "\N{GRINNING FACE}", None, b"x", 7, 0]
        case ShortMessage():
            return [b"x" * 256, "text", None, 7, bytearray(b"x"), memoryview(b"x"), [1]]
        case DestAddresses():
            number = SmeAddress(destination_addr="1")
            return [
                (number,) * 256,
                [number],
                None,
                ("34600111222",),
                (SmeAddress(destination_addr="1" * 21),),
                (SmeAddress(destination_addr="1", dest_addr_ton=256),),
                (SmeAddress(destination_addr="1", dest_addr_npi=1.5),),
                (DistributionList(dl_name="x\0"),),
            ]
        case _:
            failed = UnsuccessSme(destination_addr="1", error_status_code=1)
            return [
                (failed,) * 256,
                [failed],
                (SmeAddress(destination_addr="1"),),
                (UnsuccessSme(destination_addr="1", error_status_code=1 << 32),),
                (UnsuccessSme(destination_addr="1", error_status_code=None),),
                (UnsuccessSme(destination_addr="1" * 21, error_status_code=1),),
            ]


def test_encode_refuses_what_does_not_fit_and_names_the_field(operation: type[Pdu], filled):
    header = {
        "command_status": [-1, 1 << 32, 0.0, None, "0"],
        "sequence_number": [-1, 1 << 32, 1.5, None],
        "tlvs": [None, b"", [], (Tlv(1),), Tlvs("text")],
        "wire_form": ["", None, 1.5],
    }
    body = {name: too_much(kind) for name, kind in operation.fields}
    for name, bad_values in (header | body).items():
        for bad in bad_values:
            for pdu in (filled(operation), operation(**_required(operation))):
                setattr(pdu, name, bad)
                with pytest.raises(EncodeError) as caught:
                    encode(pdu)
                assert f"{operation.name}.{name}" == caught.value.path.split("[")[0]
                assert caught.value.found
                assert caught.value.expected


def _required(pdu_class: type[Pdu]) -> dict[str, object]:
    return {name: kind.default for name, kind in pdu_class.fields}


def test_encode_takes_a_bool_for_the_number_it_equals():
    assert encode(DeliverSm(esm_class=1)) == encode(DeliverSm(esm_class=True))


@pytest.mark.parametrize(
    ("pdu", "message"),
    [
        (SubmitSm(destination_addr="1" * 21), "destination_addr: 21 octets, expected at most 20"),
        (
            SubmitSm(destination_addr="1", source_addr="A\0"),
            "source_addr: a NUL at 1, expected no NUL inside",
        ),
        (
            SubmitSm(destination_addr="1", source_addr="A\u20ac"),
            "source_addr: U+20AC at 1, expected one octet per character",
        ),
        (SubmitSm(destination_addr="1", esm_class=300), "esm_class: 300, expected 0 to 255"),
        (
            SubmitSm(destination_addr="1", short_message=b"x" * 256),
            "short_message: 256 octets, expected at most 255; longer texts go into message_payload",
        ),
        (
            SubmitSm(destination_addr="1", wire_form=WireForm.UNTERMINATED),
            "wire_form: UNTERMINATED, expected a body that ends with a C-octet string",
        ),
        (
            SubmitSm(destination_addr="1", wire_form=WireForm.HEADER_ONLY),
            "wire_form: HEADER_ONLY, expected a response",
        ),
    ],
)
def test_an_encode_error_says_where_and_what(pdu: Pdu, message: str):
    with pytest.raises(EncodeError) as caught:
        encode(pdu)
    assert f"submit_sm.{message}" == str(caught.value)


@pytest.mark.parametrize(
    "pdu",
    [
        SubmitSmResp(message_id="7", wire_form=WireForm.HEADER_ONLY),
        QuerySmResp(message_state=2, wire_form=WireForm.HEADER_ONLY),
        SubmitSmResp(tlvs=make_tlvs(message_state=2), wire_form=WireForm.HEADER_ONLY),
        DataSmResp(tlvs=make_tlvs(message_state=2), wire_form=WireForm.UNTERMINATED),
        UnbindResp(wire_form=WireForm.UNTERMINATED),
    ],
)
def test_a_shortened_form_never_drops_a_value(pdu: Pdu):
    with pytest.raises(EncodeError):
        encode(pdu)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"body": "text"}, "unknown.body"),
        ({"tlvs": make_tlvs(message_state=2)}, "unknown.tlvs"),
        ({"tlvs": None}, "unknown.tlvs"),
        ({"unknown_command_id": 1 << 32}, "unknown.unknown_command_id"),
        ({"command_status": -1}, "unknown.command_status"),
        ({"sequence_number": None}, "unknown.sequence_number"),
    ],
)
def test_an_unknown_operation_is_refused_by_field_as_well(changes: dict[str, object], path: str):
    with pytest.raises(EncodeError) as caught:
        encode(UnknownPdu(**({"unknown_command_id": 0x428} | changes)))
    assert path == caught.value.path


@pytest.mark.parametrize("stranger", [Pdu(), object(), "submit_sm", 4])
def test_encode_refuses_what_is_no_operation(stranger: object):
    with pytest.raises(EncodeError, match="expected a declared operation"):
        encode(stranger)


# The quick pair against the general one.


def general_decoder(pdu_class: type[Pdu]) -> Callable[[bytes, int, int], Pdu]:
    return generation.make_decoder(pdu_class)


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
@few
@given(data=st.data())
def test_the_quick_encoder_writes_what_the_general_one_writes(
    pdu_class: type[Pdu], data: st.DataObject
):
    pdu = data.draw(st.from_type(pdu_class))
    quick = encode(pdu)
    pdu.wire_form = WireForm.OVERLONG
    assert encode(pdu) == quick


@pytest.mark.parametrize("pdu_class", OPERATIONS.values(), ids=lambda each: each.name)
@few
@given(data=st.data())
def test_the_quick_decoder_reads_what_the_general_one_reads(
    pdu_class: type[Pdu], data: st.DataObject
):
    garbage = st.binary(max_size=60).map(lambda body: frame(pdu_class.command_id, body))
    octets = data.draw(laid_out(pdu_class, False) | laid_out(pdu_class, True) | garbage)
    status, number = int.from_bytes(octets[8:12], "big"), int.from_bytes(octets[12:16], "big")
    match read(general_decoder(pdu_class), octets, status, number):
        case BodyError() as expected:
            assert str(expected) == str(read(decode, octets))
        case expected:
            assert expected == decode(octets)


def test_traffic_takes_the_quick_pair():
    quick = {
        name
        for name in ("submit_sm", "submit_sm_resp", "deliver_sm", "deliver_sm_resp", "data_sm")
        for pdu_class in OPERATIONS.values()
        if pdu_class.name == name and is_quick(pdu_class)
    }
    assert {"submit_sm", "submit_sm_resp", "deliver_sm", "deliver_sm_resp", "data_sm"} == quick


def test_bodies_without_tlvs_share_one_empty_value():
    assert decode(encode(SubmitSm(destination_addr="1"))).tlvs is NO_TLVS
    assert decode(encode(GenericNack())).tlvs is NO_TLVS


@pytest.mark.parametrize(
    "pdu",
    [
        BindTransceiver(system_id="gateway", password="secret"),
        QuerySm(message_id="7"),
        ReplaceSm(message_id="7"),
    ],
)
def test_operations_with_many_strings_are_read_as_well(feed: Feed, pdu: Pdu):
    assert pdu == feed(encode(pdu))
