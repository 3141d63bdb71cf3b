"""Octets in any dress become PDUs that one can read, and what is printed becomes the same octets."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.pdu import (
    ApplicationPorts,
    BindTransceiver,
    DataSm,
    DeliverSm,
    DistributionList,
    EnquireLink,
    GenericNack,
    NationalSingle,
    Pdu,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Tlv,
    Tlvs,
    UnknownPdu,
    UnsuccessSme,
    WireForm,
    decode,
    encode,
    make_tlvs,
    make_udh,
    split_text,
)
from whiteroute.tools.describe import describe
from whiteroute.tools.encode import read_pdu
from whiteroute.tools.hex_text import read_octets

Run = Callable[..., object]

PART = split_text("Grüße aus Köln, [bald] mehr € " * 8).parts[1]
SUBMIT = SubmitSm(
    source_addr_ton=5,
    source_addr="ACME",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="34600111222",
    esm_class=PART.esm_class,
    registered_delivery=17,
    short_message=PART.short_message,
    sequence_number=7,
)
RECEIPT = DeliverSm(
    esm_class=4,
    source_addr="34600111222",
    short_message=b"id:77 sub:001 dlvrd:000 submit date:2611221822 done date:2611221823"
    b" stat:UNDELIV err:027 text:Hello",
    tlvs=make_tlvs(receipted_message_id="78", message_state=5, network_error_code=b"\x03\x00\x1b"),
    sequence_number=9,
)
BIND = BindTransceiver(system_id="gateway", password="secret", addr_ton=77, sequence_number=1)
PDUS = (
    SUBMIT,
    RECEIPT,
    BIND,
    EnquireLink(sequence_number=3),
    SubmitSmResp(command_status=0x58, sequence_number=2, wire_form=WireForm.HEADER_ONLY),
    SubmitSmResp(message_id="77", sequence_number=2, wire_form=WireForm.UNTERMINATED),
    SubmitSmResp(message_id="7" * 80, sequence_number=2, wire_form=WireForm.OVERLONG),
    GenericNack(command_status=3),
    UnknownPdu(unknown_command_id=0x428, body=b"abc", sequence_number=8),
    DataSm(
        destination_addr="34600111222",
        data_coding=8,
        tlvs=Tlvs(
            make_tlvs(message_payload="при".encode("utf-16-be")).octets
            + Tlvs.of(Tlv(0x1400, b"\x01")).octets
            + b"\x02\x04\x00"
        ),
        sequence_number=8,
    ),
    SubmitMulti(
        dest_address=(
            SmeAddress(dest_addr_ton=1, dest_addr_npi=1, destination_addr="34600111222"),
            DistributionList(dl_name="staff"),
        ),
        short_message=b"hi",
        sequence_number=5,
    ),
    SubmitMultiResp(
        message_id="5",
        unsuccess_sme=(UnsuccessSme(destination_addr="34600111222", error_status_code=11),),
        sequence_number=5,
    ),
)
OCTETS = b"".join(map(encode, PDUS))


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: f"{pdu.name}-{pdu.wire_form}")
def test_a_description_becomes_the_same_octets(pdu: Pdu) -> None:
    octets = encode(pdu)

    line = json.dumps(describe(decode(octets), octets, show_secrets=True))

    assert octets == encode(read_pdu(line, "line 1"))


def test_decode_then_encode_gives_the_octets_that_came(run: Run) -> None:
    decoded = run("decode", "--json", "--show-secrets", OCTETS.hex())

    encoded = run("encode", "-", stdin=decoded.out.encode())

    assert (0, "") == (decoded.code, decoded.err)
    assert (0, [encode(pdu).hex() for pdu in PDUS]) == (encoded.code, encoded.out.split())


def test_json_has_every_key_of_the_contract(run: Run) -> None:
    [record] = run("decode", "--json", encode(RECEIPT).hex()).records

    keys = (
        *("command", "command_id", "command_status", "sequence_number", "command_length"),
        *("fields", "tlvs", "text", "udh", "receipt", "findings", "hex"),
    )
    assert set(keys) <= record.keys()
    assert ("deliver_sm", 5, 9) == tuple(
        record[key] for key in ("command", "command_id", "sequence_number")
    )
    assert {"value": 0, "name": "ESME_ROK"} == record["command_status"]
    assert RECEIPT.short_message.hex() == record["fields"]["short_message"]
    assert {
        "tag": 0x1E,
        "name": "receipted_message_id",
        "hex": "373800",
        "value": "78",
    } == record["tlvs"][0]
    receipt = record["receipt"]
    assert ("78", "UNDELIVERABLE", "UNDELIV", "027") == tuple(
        receipt[key] for key in ("message_id", "state", "stat", "err")
    )
    assert {"type": 3, "code": 27} == receipt["network_error"]
    assert ["receipt: text and TLVs tell a different message_id"] == record["findings"]
    assert encode(RECEIPT).hex() == record["hex"]


def test_people_see_texts_names_and_what_is_odd(run: Run) -> None:
    said = run("decode", OCTETS.hex()).out

    for words in (
        "submit_sm  0x00000004  sequence_number 7",
        "source_addr_ton          5  ALPHANUMERIC",
        "registered_delivery      17  a receipt, intermediate ones too",
        f"short_message            {len(PART.short_message)} octets",
        "udh                      part 2 of 2, reference 0",
        f"text                     {PART.text!r}",
        "receipt                  message_id '78'  UNDELIVERABLE  stat UNDELIV  err 027",
        "tlv message_state        5  UNDELIVERABLE",
        "finding                  RESERVED_VALUE bind_transceiver.addr_ton: 77, expected 0, 1, 2, 3,",
        "ESME_RTHROTTLED (The ESME sent faster than it may.)",
        "finding                  UNTERMINATED ",
        "finding                  UNKNOWN_OPERATION command_id: 0x00000428, expected an operation",
        "finding                  TRAILING_OCTETS ",
        "text                     'при'",
        "dest_addr_ton 1 dest_addr_npi 1 destination_addr 34600111222; dl_name staff",
    ):
        assert words in said
    assert max(map(len, said.splitlines())) < 200


@pytest.mark.parametrize(
    ("pdu", "finding"),
    [
        (
            EnquireLink(command_status=8, sequence_number=1),
            "STATUS_IN_REQUEST enquire_link.command_status: 0x0000",
        ),
        (SubmitSmResp(command_status=0x22, sequence_number=1), "RESERVED_STATUS submit_sm_resp."),
        (
            EnquireLink(),
            "SEQUENCE_NUMBER enquire_link.sequence_number: 0, expected 1 to 2147483647",
        ),
        (
            SubmitSm(destination_addr="1", priority_flag=9, sequence_number=1),
            "RESERVED_VALUE submit_sm.priority_flag: 9, expected 0 to 4",
        ),
        (
            SubmitSm(destination_addr="1", registered_delivery=99, sequence_number=1),
            "RESERVED_VALUE submit_sm.registered_delivery: 99, expected 0 to 31",
        ),
        (
            SubmitSm(destination_addr="1", validity_period="never", sequence_number=1),
            "WRONG_LENGTH submit_sm.validity_period: 5 octets, expected 0 or 16",
        ),
        (
            SubmitSm(destination_addr="1", data_coding=0x8F, sequence_number=1),
            "data_coding: 143, a reserved value; read as gsm",
        ),
        (
            SubmitSm(
                destination_addr="1", esm_class=0x40, short_message=b"\x09\x00", sequence_number=1
            ),
            "UDH_MALFORMED submit_sm.short_message: 9 octets of header are announced, 1 are",
        ),
        (
            DataSm(
                destination_addr="1",
                tlvs=Tlvs.of(Tlv(0x0427, b"\x00\x02"), Tlv(0x001E, b"")),
                sequence_number=1,
            ),
            "TLV_LENGTH data_sm.tlvs[0].message_state: 2 octets, expected 1",
        ),
        (
            SubmitSmResp(sequence_number=1, wire_form=WireForm.HEADER_ONLY),
            "BODY_MISSING submit_sm_resp: the header only, expected a body",
        ),
    ],
)
def test_what_the_specification_forbids_is_a_finding(run: Run, pdu: Pdu, finding: str) -> None:
    [record] = run("decode", encode(pdu).hex(), "--json").records

    assert record["findings"][0].startswith(finding)


def test_ports_and_shifts_of_a_header_are_named(run: Run) -> None:
    header = make_udh(ApplicationPorts(destination=16_000, source=0), NationalSingle(1))
    message = SubmitSm(
        destination_addr="1", esm_class=0x40, short_message=header.octets, sequence_number=1
    )

    said = run("decode", encode(message).hex()).out

    assert "udh                      ports: destination 16000 source 0 wide True" in said
    assert "udh                      national_single_shift: language 1" in said


def test_a_password_is_covered_everywhere_unless_asked_for(run: Run) -> None:
    octets = encode(BIND).hex()

    covered = run("decode", octets)
    [record] = run("decode", octets, "--json").records
    shown = run("decode", octets, "--show-secrets")

    assert "'secret'" not in covered.out
    assert "password                 covered" in covered.out
    assert record["fields"]["password"] is None
    assert octets.replace(b"secret".hex(), b"******".hex()) == record["hex"]
    assert "password                 'secret'" in shown.out


def test_a_covered_password_is_not_written_as_something_else(run: Run) -> None:
    decoded = run("decode", encode(BIND).hex(), "--json")

    ended = run("encode", stdin=decoded.out.encode())

    assert (2, "") == (ended.code, ended.out)
    assert (
        "whiteroute: line 1: fields.password: a covered password, expected what"
        " `decode --show-secrets` prints\n" == ended.err
    )


def test_a_body_that_cannot_be_read_is_shown_with_the_field_that_failed(run: Run) -> None:
    broken = bytearray(encode(SUBMIT))
    broken[-len(SUBMIT.short_message) - 1] = 255  # sm_length
    sound = encode(EnquireLink(sequence_number=1))

    people = run("decode", (bytes(broken) + sound).hex())
    program = run("decode", (bytes(broken) + sound).hex(), "--json")

    assert (1, 1) == (people.code, program.code)
    assert "finding                  submit_sm.short_message: " in people.out
    assert "enquire_link  0x00000015" in people.out
    first, second = program.records
    assert "submit_sm.short_message" == first["error"]["path"]
    assert ("ESME_RINVMSGLEN", 7) == (first["error"]["answer"], first["sequence_number"])
    assert "enquire_link" == second["command"]


ROW = encode(SUBMIT)


def dump(octets: bytes, form: str) -> str:
    """Write octets as a well-known program does."""
    lines = []
    for at in range(0, len(octets), 16):
        row = octets[at : at + 16]
        characters = "".join(chr(o) if 32 <= o < 127 else "." for o in row)
        pairs = [f"{octet:02x}" for octet in row]
        if form == "xxd":
            groups = ["".join(pairs[i : i + 2]) for i in range(0, len(pairs), 2)]
            lines.append(f"{at:08x}: {' '.join(groups):<39}  {characters}")
        elif form == "hexdump":
            halves = f"{' '.join(pairs[:8])}  {' '.join(pairs[8:])}"
            lines.append(f"{at:08x}  {halves:<48}  |{characters}|")
        else:
            lines.append(f"{at:04x}   {' '.join(pairs):<47}   {characters}")
    if form == "hexdump":
        lines.append(f"{len(octets):08x}")
    return "\n".join(lines)


@pytest.mark.parametrize("form", ["xxd", "hexdump", "wireshark"])
@given(octets=st.sampled_from(PDUS).map(encode))
def test_dumps_with_offsets_and_characters_are_read(form: str, octets: bytes) -> None:
    assert octets == read_octets(dump(octets, form))


@pytest.mark.parametrize(
    "text",
    [
        ROW.hex(),
        ROW.hex().upper(),
        ROW.hex(" "),
        ROW.hex(":"),
        ROW.hex(" ", 4),
        ROW.hex("\n", 2),
        " ".join(f"0x{octet:02X}" for octet in ROW),
        ", ".join(f"0x{octet:02x}" for octet in ROW),
        "".join(f"\\x{octet:02x}" for octet in ROW),
        f"b'{''.join(f'{chr(92)}x{octet:02x}' for octet in ROW)}'",
    ],
)
def test_hex_is_read_with_whatever_stands_between(text: str) -> None:
    assert ROW == read_octets(text)


@pytest.mark.parametrize(
    "content", [OCTETS, OCTETS.hex().encode(), b"\n" + OCTETS.hex(" ").encode()]
)
def test_a_file_may_hold_hex_or_octets(run: Run, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pdus"
    path.write_bytes(content)

    from_file, from_stdin = run("decode", path), run("decode", "-", stdin=content)

    assert (0, 0) == (from_file.code, from_stdin.code)
    assert from_file.out == from_stdin.out == run("decode", OCTETS.hex()).out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0000001g", "line 1, column 8: 'g', expected hexadecimal digits"),
        ("000", "hex: 3 digits, expected two for each octet"),
        ("", "hex: nothing, expected the octets of one PDU or more"),
        ("000000", "octet 0: 3 octets are left, expected a header of 16"),
        ("00000003 00000000", "octet 0: command_length 3, expected 16 to 65536 octets"),
        ("./none.hex", "./none.hex: no such file, expected hex, a file, or -"),
        (
            "00000010800000150000000000000007 00000011",
            "octet 16: 4 octets are left, expected 17, as its command_length says",
        ),
    ],
)
def test_what_is_no_pdu_is_told_in_one_line(run: Run, text: str, said: str) -> None:
    ended = run("decode", text)

    assert (2, f"whiteroute: {said}\n") == (ended.code, ended.err)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 1: no JSON ("),
        ("[]", "line 1: [], expected an object of `decode --json`"),
        ('{"command_id": "x", "fields": {}}', "line 1: command_id: 'x', expected a number"),
        ('{"command_id": 4}', "line 1: fields: nothing, expected an object"),
        ('{"command_id": 4, "fields": {}}', "line 1: fields: no service_type, "),
        ('{"command_id": 4, "fields": {"to": ""}}', "line 1: fields.to: '', expected one of serv"),
        (
            '{"command_id": 4, "fields": {"short_message": "xx"}}',
            "line 1: fields.short_message: 'xx', expected octets as hex",
        ),
        (
            '{"command_id": 4, "fields": {"esm_class": {}}}',
            "line 1: fields.esm_class: {}, expected a number or a text",
        ),
        (
            '{"command_id": 33, "fields": {"dest_address": [{"x": 1}]}}',
            "line 1: fields.dest_address[0]: {'x': 1}, expected an address, a distribution list",
        ),
        ('{"command_id": 21, "fields": {}, "tlvs": {}}', "line 1: tlvs: {}, expected a list"),
        ('{"command_id": 21, "fields": {}, "tlvs": [1]}', "line 1: tlvs[0]: 1, expected a tag"),
        (
            '{"command_id": 21, "fields": {}, "wire_form": ["odd"]}',
            "line 1: wire_form: 'odd', expected one of header_only, unterminated, overlong",
        ),
        (
            '{"command_id": 21, "fields": {}, "sequence_number": null}',
            "line 1: sequence_number: nothing, expected a number",
        ),
    ],
)
def test_what_cannot_be_encoded_is_told_with_its_key(run: Run, line: str, said: str) -> None:
    ended = run("encode", stdin=line.encode())

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: {said}")


def test_encode_takes_edited_values(run: Run, tmp_path: Path) -> None:
    record = json.loads(run("decode", "--json", encode(SUBMIT).hex()).out)
    record["fields"]["destination_addr"] = "34600999"
    record["command_status"] = 0
    path = tmp_path / "edited.jsonl"
    path.write_text(f"\n{json.dumps(record)}\n")

    edited = decode(bytes.fromhex(run("encode", path).out))

    assert "34600999" == edited.destination_addr
    assert 2 == run("encode", tmp_path / "none").code
