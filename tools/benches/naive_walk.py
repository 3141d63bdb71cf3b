"""A declarative codec as one would first write it: a list of fields, walked anew for each PDU.

The yardstick of the codec's bench, measured in the same run: how many times faster than this a codec
is can be compared between machines. Each field is an object with a method for each direction, which
checks its bounds; a PDU is made by its keywords, and its TLVs are left to `Tlvs`. Operations it knows:
those of the bench.
"""

from collections.abc import Sequence
from struct import Struct
from typing import Any

import attrs

from whiteroute.pdu import (
    OPERATIONS,
    CommandId,
    Pdu,
    Tlvs,
)

_HEADER = Struct(">IIII")


@attrs.frozen
class _Number:
    name: str

    def encode(self, value: int) -> bytes:
        if not 0 <= value <= 255:
            raise ValueError(self.name)
        return value.to_bytes(1, "big")

    def decode(self, octets: bytes, at: int) -> tuple[int, int]:
        if at + 1 > len(octets):
            raise ValueError(self.name)
        return int.from_bytes(octets[at : at + 1], "big"), at + 1


@attrs.frozen
class _Text:
    name: str
    size: int

    def encode(self, value: str) -> bytes:
        octets = value.encode("latin-1")
        if len(octets) >= self.size or b"\0" in octets:
            raise ValueError(self.name)
        return octets + b"\0"

    def decode(self, octets: bytes, at: int) -> tuple[str, int]:
        end = octets.find(b"\0", at)
        if end < 0 or end - at >= self.size:
            raise ValueError(self.name)
        return octets[at:end].decode("latin-1"), end + 1


@attrs.frozen
class _Counted:
    name: str

    def encode(self, value: bytes) -> bytes:
        if len(value) > 255:
            raise ValueError(self.name)
        return len(value).to_bytes(1, "big") + value

    def decode(self, octets: bytes, at: int) -> tuple[bytes, int]:
        end = at + 1 + octets[at]
        if end > len(octets):
            raise ValueError(self.name)
        return octets[at + 1 : end], end


_Field = _Number | _Text | _Counted

_MESSAGE: Sequence[_Field] = (
    _Text("service_type", 6),
    _Number("source_addr_ton"),
    _Number("source_addr_npi"),
    _Text("source_addr", 21),
    _Number("dest_addr_ton"),
    _Number("dest_addr_npi"),
    _Text("destination_addr", 21),
    _Number("esm_class"),
    _Number("protocol_id"),
    _Number("priority_flag"),
    _Text("schedule_delivery_time", 17),
    _Text("validity_period", 17),
    _Number("registered_delivery"),
    _Number("replace_if_present_flag"),
    _Number("data_coding"),
    _Number("sm_default_msg_id"),
    _Counted("short_message"),
)

FIELDS: dict[int, Sequence[_Field]] = {
    CommandId.SUBMIT_SM: _MESSAGE,
    CommandId.DELIVER_SM: _MESSAGE,
    CommandId.SUBMIT_SM_RESP: (_Text("message_id", 65),),
    CommandId.ENQUIRE_LINK: (),
}
"""The body of each operation it knows, in wire order."""


def encode(pdu: Pdu) -> bytes:
    """Write a PDU."""
    parts = [field.encode(getattr(pdu, field.name)) for field in FIELDS[pdu.command_id]]
    body = b"".join(parts) + pdu.tlvs.octets
    status, number = pdu.command_status, pdu.sequence_number
    return _HEADER.pack(16 + len(body), pdu.command_id, status, number) + body


def decode(octets: bytes) -> Pdu:
    """Read a frame."""
    command_length, command_id, command_status, sequence_number = _HEADER.unpack_from(octets)
    if command_length != len(octets):
        raise ValueError("command_length")
    values: dict[str, Any] = {}
    at = _HEADER.size
    for field in FIELDS[command_id]:
        values[field.name], at = field.decode(octets, at)
    return OPERATIONS[command_id](
        command_status=command_status,
        sequence_number=sequence_number,
        tlvs=Tlvs(octets[at:]),
        **values,
    )
