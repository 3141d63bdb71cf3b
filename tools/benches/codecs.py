"""The codecs that the bench of ours compares: how each reads, writes and shows a PDU's fields.

What is not installed is left out. Each is used as its authors do, and a codec that does not write again
the octets that it has read is not measured.
"""

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from typing import Any

import attrs

from whiteroute.pdu import CommandId, Pdu, SubmitSm, decode, encode, tlv_name

from . import naive_walk

OURS = "whiteroute"
NAIVE = "naive walk"


def _as_it_was_read(read: object, _pdu: Pdu) -> object:
    return read


@attrs.frozen(kw_only=True)
class Codec:
    """One way to read and write PDUs.

    What is measured are the statements, so that nothing of the bench is measured with them; in these,
    `decode` and `encode` are those given here.
    """

    subject: str
    version: str | None = None
    """The release, of a foreign package."""
    decode: Callable[[bytes], object]
    encode: Callable[..., bytes]
    values: Callable[[Pdu], list[str]]
    """Expressions that give each value in `p`, which was read from the octets of this PDU of ours."""
    decoding: str = "p = decode(octets)"
    encoding: str = "encode(pdu)"
    written: Callable[[object, Pdu], object] = _as_it_was_read
    """Makes of what was read what `encode` takes."""
    submit_sm: Callable[..., object] | None = None
    """Makes a submit_sm of keywords that are spelt as in the specification."""

    def fault(self, pdu: Pdu, octets: bytes) -> str | None:
        """Say why this codec cannot be measured with a PDU; None if it can."""
        try:
            again = self.written(self.decode(octets), pdu)
            # Twice, because it is measured many times.
            if [octets, octets] == [self.encode(again), self.encode(again)]:
                return None
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return "it writes other octets than it read"


def find_codecs() -> Iterator[Codec]:
    """Give ours, the walk, and those that are installed."""
    yield Codec(subject=OURS, decode=decode, encode=encode, values=_our_values, submit_sm=SubmitSm)
    yield Codec(
        subject=NAIVE, decode=naive_walk.decode, encode=naive_walk.encode, values=_our_values
    )
    for distribution, codec in _OTHERS.items():
        try:
            release = version(distribution)
        except PackageNotFoundError:
            continue
        yield codec(release)


def _our_values(pdu: Pdu) -> list[str]:
    fields = [name for name, _ in pdu.fields]
    tlvs = [f"p.tlvs.value({tlv.tag})" for tlv in pdu.tlvs]
    return [*(f"p.{name}" for name in (*fields, "command_status", "sequence_number")), *tlvs]


def _smpplib(release: str) -> Codec:
    command = import_module("smpplib.command")
    numbers = _Sequence()

    def read(octets: bytes) -> object:
        pdu = command.factory(command.pdu.extract_command(octets), client=numbers)
        pdu.parse(octets)
        return pdu

    def written(read: object, pdu: Pdu) -> object:
        # It reads octets, but writes only text.
        texts = {name for name, kind in pdu.fields if kind.default == ""} | {"receipted_message_id"}
        names = [name for name, _ in pdu.fields] + [tlv_name(tlv.tag) for tlv in pdu.tlvs]
        values = {name: getattr(read, name) for name in names}
        values |= {name: values[name].decode() for name in texts & values.keys()}
        again = command.factory(pdu.name, client=numbers, **values)
        again.sequence = pdu.sequence_number
        return again

    def values(pdu: Pdu) -> list[str]:
        names = [name for name, _ in pdu.fields] + [tlv_name(tlv.tag) for tlv in pdu.tlvs]
        return [f"p.{name}" for name in (*names, "status", "sequence")]

    return Codec(
        subject="smpplib",
        version=release,
        decode=read,
        encode=lambda pdu: pdu.generate(),
        values=values,
        encoding="pdu.generate()",
        written=written,
    )


class _Sequence:
    """What smpplib takes sequence numbers from."""

    sequence = 1

    def next_sequence(self) -> int:
        return self.sequence


def _aiosmpplib(release: str) -> Codec:
    package = import_module("aiosmpplib")
    parse_header = package.SmppMessage.parse_header
    classes = {
        package.SmppCommand.SUBMIT_SM: package.SubmitSm,
        package.SmppCommand.DELIVER_SM: package.DeliverSm,
        package.SmppCommand.SUBMIT_SM_RESP: package.SubmitSmResp,
        package.SmppCommand.ENQUIRE_LINK: package.EnquireLink,
    }

    def read(octets: bytes) -> object:
        header = parse_header(octets)
        return classes[header.smpp_command].from_pdu(octets, header, "gsm0338")

    def write(pdu: object) -> bytes:
        message: Any = pdu
        if isinstance(pdu, package.SubmitSm):
            message.set_encoded_message(b"")  # It keeps the text that it has encoded.
        octets: bytes = message.pdu()
        return octets

    message = (
        "short_message source.number source.ton source.npi destination.number destination.ton"
        " destination.npi service_type esm_class protocol_id priority_flag schedule_delivery_time"
        " validity_period registered_delivery replace_if_present_flag encoding sm_default_msg_id"
    )
    fields = {
        CommandId.SUBMIT_SM: message,
        CommandId.DELIVER_SM: message,
        CommandId.SUBMIT_SM_RESP: "message_id",
        CommandId.ENQUIRE_LINK: "",
    }

    def values(pdu: Pdu) -> list[str]:
        names = f"{fields[CommandId(pdu.command_id)]} command_status sequence_num".split()
        tlvs = [f"p.optional_params[{index}].value" for index, _ in enumerate(pdu.tlvs)]
        return [*(f"p.{name}" for name in names), *tlvs]

    return Codec(subject="aiosmpplib", version=release, decode=read, encode=write, values=values)


def _smpp_pdu3(release: str) -> Codec:
    encoder = import_module("smpp.pdu.pdu_encoding").PDUEncoder
    # One for each direction: it remembers the length of the last parameter that it read.
    reader, writer = encoder(), encoder()

    def read(octets: bytes) -> object:
        return reader.decode(BytesIO(octets))

    def values(pdu: Pdu) -> list[str]:
        names = [name for name, _ in pdu.fields] + [tlv_name(tlv.tag) for tlv in pdu.tlvs]
        return [*(f"p.params[{name!r}]" for name in names), "p.status", "p.seqNum"]

    return Codec(
        subject="smpp.pdu3",
        version=release,
        decode=read,
        encode=writer.encode,
        values=values,
    )


def _smpp34(release: str) -> Codec:
    package = import_module("smpp34")

    def values(pdu: Pdu) -> list[str]:
        # It shows no command_status: that of a submit_sm says nothing.
        fields = [f"p.{name}" for name, _ in pdu.fields] + ["p.sequence_number"]
        tlvs = [f"tlvs[{index}].value" for index, _ in enumerate(pdu.tlvs)]
        return [*fields, "(tlvs := p.tlvs)", *tlvs]

    return Codec(
        subject="smpp34 (compiled)",
        version=release,
        decode=package.decode,
        encode=lambda pdu: pdu.encode(),
        values=values,
        encoding="pdu.encode()",
        submit_sm=package.SubmitSm,
    )


_OTHERS: Mapping[str, Callable[[str], Codec]] = {
    "smpplib": _smpplib,
    "aiosmpplib": _aiosmpplib,
    "smpp.pdu3": _smpp_pdu3,
    "smpp34": _smpp34,
}
"""By the name of the package, as an installer knows it."""
