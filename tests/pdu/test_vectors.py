"""Golden vectors: frames that others wrote, and what their authors meant by them."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from whiteroute.pdu import OPERATIONS, CommandId, Pdu, TlvTag, decode, encode

FOLDER = Path(__file__).parent.parent / "vectors"
VECTORS = [
    vector
    for file in ("pdus.toml", "interop.toml")
    for vector in tomllib.loads((FOLDER / file).read_text("utf-8"))["vector"]
]


def plain(value: object) -> object:
    if isinstance(value, tuple):
        return [attrs.asdict(entry) for entry in value]
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.fixture(
    params=VECTORS,
    ids=lambda vector: f"{vector['origin']}: {vector['command']} {vector.get('meaning', '')}",
)
def vector(request: pytest.FixtureRequest) -> dict[str, object]:
    return request.param


def test_a_vector_says_what_its_author_meant(
    vector: dict[str, object], feed: Callable[[bytes], Pdu]
):
    pdu = feed(bytes.fromhex(vector["octets"]))
    command_id = CommandId[vector["command"].upper()]
    empty = {name: plain(kind.default) for name, kind in OPERATIONS[command_id].fields}
    assert OPERATIONS[command_id] is type(pdu)
    assert vector["sequence_number"] == pdu.sequence_number
    assert vector.get("command_status", 0) == pdu.command_status
    assert empty | vector.get("fields", {}) == {
        name: plain(getattr(pdu, name)) for name, _ in pdu.fields
    }
    tlvs = vector.get("tlvs", {})
    assert [TlvTag[name.upper()] for name in tlvs] == [tlv.tag for tlv in pdu.tlvs]
    assert list(tlvs.values()) == [plain(pdu.tlvs.value(tlv.tag)) for tlv in pdu.tlvs]
    assert b"" == pdu.tlvs.trailing
    assert 0 == pdu.wire_form


def test_a_vector_is_written_back_octet_by_octet(vector: dict[str, object]):
    octets = bytes.fromhex(vector["octets"])
    assert octets == encode(decode(octets))
