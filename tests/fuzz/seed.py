"""Makes the corpus that the fuzzer starts from: one frame of each kind, told by its file's name.

`python tests/fuzz/seed.py` writes it anew; the files are committed, so that a run is the same
everywhere.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from whiteroute.pdu import (
    OPERATIONS,
    TLV_TABLE,
    TLVS_OF,
    Concatenation,
    DeliverSm,
    DistributionList,
    EsmClass,
    NationalLocking,
    NationalSingle,
    Pdu,
    SmeAddress,
    SubmitSm,
    Tlv,
    Tlvs,
    UnknownPdu,
    UnsuccessSme,
    WireForm,
    encode,
    is_response,
    make_udh,
    split_text,
)
from whiteroute.pdu.wire import COctetString, DestAddresses, Integer, ShortMessage

FOLDER = Path(__file__).parent / "corpus"
VECTORS = Path(__file__).parent.parent / "vectors"
TIME = "240229123000004+"


def filled(pdu_class: type[Pdu]) -> Pdu:
    """Make a PDU in which nothing is empty, with every parameter that it may carry."""
    made: dict[str, object] = {}
    for name, kind in pdu_class.fields:
        match kind:
            case Integer():
                made[name] = 1
            case COctetString(empty_or_full=True):
                made[name] = TIME
            case COctetString(size=size):
                made[name] = "0123456789"[: size - 1]
            case ShortMessage():
                made[name] = b"hello"
            case DestAddresses():
                made[name] = (SmeAddress(destination_addr="346"), DistributionList(dl_name="all"))
            case _:
                made[name] = (UnsuccessSme(destination_addr="346", error_status_code=11),)
    tags = sorted(TLVS_OF.get(pdu_class.command_id, ()))
    tlvs = [Tlv(tag, b"1" * (TLV_TABLE[tag].least - 1) + b"\0") for tag in tags]
    return pdu_class(**made, tlvs=Tlvs.of(*tlvs), sequence_number=7)


def seeds() -> Iterator[tuple[str, bytes]]:
    """Give each seed's name and octets."""
    for pdu_class in OPERATIONS.values():
        name = pdu_class.name
        full = filled(pdu_class)
        yield f"{name}-full", encode(full)
        full.tlvs = Tlvs()
        yield f"{name}-plain", encode(full)
        if full.fields and is_response(full):
            header = pdu_class(wire_form=WireForm.HEADER_ONLY, command_status=88)
            yield f"{name}-header-only", encode(header)
    for number, vector in enumerate(_listed("pdus.toml", "vector")):
        yield f"vector-{number:02}-{vector['command']}", bytes.fromhex(vector["octets"])
    for number, receipt in enumerate(_listed("receipts.toml", "receipt")):
        text = bytes.fromhex(receipt.get("hex", "")) or receipt.get("text", "").encode("latin-1")
        pdu = DeliverSm(
            source_addr="346",
            esm_class=EsmClass.RECEIPT,
            short_message=text[:255],
            tlvs=Tlvs(bytes.fromhex(receipt.get("tlvs", ""))),
        )
        yield f"receipt-{number:02}", encode(pdu)
    for mode in ("udh8", "udh16", "sar", "payload"):
        for alphabet, text in (("gsm", "a€" * 100), ("ucs2", "aЖ👋" * 30)):
            part = split_text(text, mode=mode, reference=77).parts[-1]
            pdu = SubmitSm(
                destination_addr="346",
                esm_class=part.esm_class,
                data_coding=part.data_coding,
                short_message=part.short_message,
                tlvs=part.tlvs,
            )
            yield f"part-{mode}-{alphabet}", encode(pdu)
    header = make_udh(
        Concatenation(reference=1, total=2, sequence=1), NationalLocking(1), NationalSingle(13)
    )
    shifted = SubmitSm(
        destination_addr="346", esm_class=EsmClass.UDHI, short_message=header.octets + b"a\x1be"
    )
    yield "part-shifted", encode(shifted)
    yield "unknown", encode(UnknownPdu(unknown_command_id=0x10777, body=b"abc"))
    odd = SubmitSm(destination_addr="1", tlvs=Tlvs(b"\x14\x03\x00\x02ab\x14\x03\x00\x00\x05"))
    yield "trailing", encode(odd)
    yield "two", encode(odd) + encode(shifted)


def _listed(file: str, table: str) -> list[dict[str, str]]:
    return tomllib.loads((VECTORS / file).read_text("utf-8"))[table]


def main() -> None:
    """Write the corpus anew."""
    for old in FOLDER.iterdir():
        old.unlink()
    for name, octets in seeds():
        (FOLDER / name).write_bytes(octets)


if __name__ == "__main__":
    main()
