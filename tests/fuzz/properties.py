"""What must hold for any octets whatever that a peer may send: the fuzzer's target.

Not a test of any meaning: only that nothing raises which is not announced, that the octets survive,
and that every way to look at a decoded PDU gives an answer.
"""

from whiteroute.pdu import (
    Alphabet,
    BodyError,
    CommandStatus,
    DataSm,
    DeliverSm,
    Framer,
    FramingError,
    Pdu,
    ReceiptDialect,
    ReceiptForm,
    SmppTimeError,
    Tlvs,
    command_id_of,
    decode,
    encode,
    equivalence_keys,
    find_concatenation,
    join_parts,
    parse_data_coding,
    parse_receipt,
    parse_smpp_time,
    parse_udh,
    split_udh,
    tlv_name,
    user_data,
)

LIMIT = 4096
"""Of the framer; also the longest frame looked into."""

DIALECTS = (
    ReceiptDialect(),
    ReceiptDialect(detection="text", labels_after_text=True, accepted_is_final=True),
    ReceiptDialect(form=ReceiptForm.CSV, alphabet=Alphabet.UCS2),
)
TIMES = ("schedule_delivery_time", "validity_period", "final_date")


def check(octets: bytes) -> None:
    """Look at octets as a stream; where no frame comes out of it, as one frame of their length.

    Raises:
        AssertionError: Something does not hold.
        Exception: Anything else that the codec lets out.
    """
    whole = _cut(octets)
    middle = octets[-1] % len(octets) if octets else 0
    assert whole == _cut(octets[:middle], octets[middle:]), "the cut of the stream tells"
    if len(octets) < 16 or len(octets) != int.from_bytes(octets[:4], "big"):
        _check_no_frame(octets)
    frames = whole[0]
    if not frames and 16 <= len(octets) <= LIMIT:
        frames = [len(octets).to_bytes(4, "big") + octets[4:]]
    for frame in frames:
        _check_frame(frame)


def _cut(*pieces: bytes) -> tuple[list[bytes], str]:
    framer = Framer(max_command_length=LIMIT)
    frames: list[bytes] = []
    try:
        for piece in pieces:
            frames += framer.receive(piece)
    except FramingError as error:
        assert error is framer.error
    assert framer.kept_octets <= LIMIT
    return frames, str(framer.error)


def _check_no_frame(octets: bytes) -> None:
    try:
        decode(octets)
    except FramingError as error:
        assert str(error)
    else:
        raise AssertionError("decode took what is not exactly one frame")


def _check_frame(frame: bytes) -> None:
    try:
        pdu = decode(frame)
    except BodyError as error:
        assert frame == error.octets
        assert error.command_id == int.from_bytes(frame[4:8], "big")
        assert error.sequence_number == int.from_bytes(frame[12:16], "big")
        assert CommandStatus(error.command_status) != CommandStatus.ESME_ROK
        assert error.path in str(error)
        return
    assert frame == encode(pdu), "encode does not give back what was decoded"
    assert pdu == decode(frame)
    assert command_id_of(pdu) == int.from_bytes(frame[4:8], "big")
    assert type(pdu).__name__ in repr(pdu)
    _check_findings(pdu, frame)
    _check_tlvs(pdu.tlvs)
    for name in TIMES:
        _check_time(getattr(pdu, name, ""))
    if hasattr(pdu, "esm_class"):
        _check_text(pdu)


def _check_findings(pdu: Pdu, frame: bytes) -> None:
    findings = pdu.findings
    for finding in findings:
        assert finding.path in str(finding)
    try:
        decode(frame, strict=True)
    except BodyError as error:
        assert (findings[0].path, findings[0].found) == (error.path, error.found)
        assert CommandStatus(error.command_status) != CommandStatus.ESME_ROK
    else:
        assert not findings, "strict took what it should have refused"


def _check_tlvs(tlvs: Tlvs) -> None:
    assert len(tlvs) == len(list(tlvs))
    for index, tlv in enumerate(tlvs):
        assert tlv == tlvs[index]
        assert tlvs.first(tlv.tag) is not None
        tlvs.value(tlv.tag)
        assert tlv_name(tlv.tag)
    assert tlvs.octets == Tlvs.of(*tlvs).octets + tlvs.trailing


def _check_time(text: str) -> None:
    try:
        parse_smpp_time(text)
    except SmppTimeError as error:
        assert str(error)


def _check_text(pdu: Pdu) -> None:
    octets = user_data(pdu)
    header, payload = split_udh(octets)
    assert octets == header.octets + payload
    assert header == parse_udh(header.octets)
    _ = (header.concatenation, header.ports, header.single_shift, header.locking_shift)
    parse_data_coding(pdu.data_coding)
    told = find_concatenation(pdu)
    assert told is None or told.is_sound
    assert isinstance(join_parts([pdu, pdu]), str)
    join_parts([pdu], packed=True)
    if not isinstance(pdu, DeliverSm | DataSm):
        return
    for dialect in DIALECTS:
        receipt = parse_receipt(pdu, dialect)
        if receipt is not None:
            assert receipt.message_id or receipt.text_message_id is None
            equivalence_keys(receipt.message_id)
