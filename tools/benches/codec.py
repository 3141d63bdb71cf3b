"""What a PDU costs: written, read with every field looked at, cut from a stream, made, and kept.

The walk over declarations and the other codecs take turns with ours, in the same rounds; the walk is
the portable yardstick. Each has shown before that it writes the octets again that it has read.
"""

import gc
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from whiteroute.pdu import (
    DeliverSm,
    EnquireLink,
    EsmClass,
    Framer,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    encode,
    make_tlvs,
)

from .codecs import NAIVE, OURS, Codec, find_codecs
from .figure import Figure, Pace, versions
from .race import Runner, race

STREAM_OCTETS = 65_536
"""As much as a socket gives at once, at best."""

KEPT_PDUS = 1_000
"""So many are kept at once to see how large one is."""

_TO_A_NUMBER = partial(
    SubmitSm,
    source_addr_ton=5,
    source_addr="ACME",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="34600111222",
    registered_delivery=1,
    sequence_number=7_001,
)
_MESSAGE = _TO_A_NUMBER(short_message=b"Your code is 271828, valid for 5 minutes")
CASES: Mapping[str, Pdu] = {
    "submit_sm, 40 octets": _MESSAGE,
    "submit_sm, 140 octets, 3 TLVs": _TO_A_NUMBER(
        short_message=b"Your parcel has come. " * 6 + b"Call us.",
        tlvs=make_tlvs(user_message_reference=513, source_port=2948, destination_port=2949),
    ),
    "deliver_sm, receipt, 3 TLVs": DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="34600111222",
        dest_addr_ton=5,
        destination_addr="ACME",
        esm_class=EsmClass.RECEIPT,
        short_message=b"id:0123456789 sub:001 dlvrd:001 submit date:2611221930 "
        b"done date:2611221931 stat:DELIVRD err:000 text:Your parcel has come",
        tlvs=make_tlvs(
            network_error_code=b"\3\0\1", message_state=2, receipted_message_id="0123456789"
        ),
        sequence_number=7_002,
    ),
    "submit_sm_resp": SubmitSmResp(message_id="0123456789", sequence_number=7_001),
    "enquire_link": EnquireLink(sequence_number=7_003),
}
"""What carriers see most; the octets of each are those that every codec here writes."""


def measure(pace: Pace, say: Callable[[str], None]) -> Iterator[Figure]:
    """Give the figures, case by case; what cannot be measured is said."""
    codecs = list(find_codecs())
    for case, pdu in CASES.items():
        octets = encode(pdu)
        able: list[Codec] = []
        for codec in codecs:
            if fault := codec.fault(pdu, octets):
                say(f"{codec.subject} is left out of {case}: {fault}")
            else:
                able.append(codec)
        writers = {codec.subject: _writer(codec, pdu, octets) for codec in able}
        yield from _times(f"{case}: encode", able, race(writers, pace), pace)
        readers = {codec.subject: _reader(codec, pdu, octets) for codec in able}
        yield from _times(f"{case}: decode, every field read", able, race(readers, pace), pace)
        sizes = {codec.subject: _size(codec.decode, octets) for codec in able}
        yield from _figures(f"{case}: memory of one", "octets", able, sizes, runs=1)
    yield from _stream(codecs, pace)
    yield from _construction(codecs, pace)


def _writer(codec: Codec, pdu: Pdu, octets: bytes) -> Runner:
    names = {"encode": codec.encode, "pdu": codec.written(codec.decode(octets), pdu)}
    return Runner(statement=codec.encoding, names=names)


def _reader(codec: Codec, pdu: Pdu, octets: bytes) -> Runner:
    values = "; ".join(codec.values(pdu))
    return Runner(
        statement=f"{codec.decoding}; {values}", names={"decode": codec.decode, "octets": octets}
    )


def _stream(codecs: Sequence[Codec], pace: Pace) -> Iterator[Figure]:
    """Frames cut from as much as a socket gives at once, then read; the walk reads the same frames."""
    octets = encode(_MESSAGE)
    count = STREAM_OCTETS // len(octets)
    able = [codec for codec in codecs if codec.subject in (OURS, NAIVE)]
    runners = {
        codec.subject: Runner(
            statement="for octets in receive(stream): decode(octets)",
            names={
                "receive": Framer().receive,
                "stream": octets * count,
                "decode": codec.decode,
            },
        )
        for codec in able
    }
    taken = {subject: ns / count for subject, ns in race(runners, pace).items()}
    yield from _times("submit_sm, 40 octets: framing and decode", able, taken, pace)


def _construction(codecs: Sequence[Codec], pace: Pace) -> Iterator[Figure]:
    """A PDU as an application makes it, by seven keywords, and then its octets."""
    able = [codec for codec in codecs if codec.submit_sm]
    made = (
        "pdu = submit_sm(source_addr_ton=5, source_addr='ACME', dest_addr_ton=1, dest_addr_npi=1,"
        " destination_addr='34600111222', registered_delivery=1, short_message=text)"
    )
    for what, encoded in (("made by keywords", False), ("made and encoded", True)):
        runners = {
            codec.subject: Runner(
                statement=f"{made}; {codec.encoding}" if encoded else made,
                names={
                    "submit_sm": codec.submit_sm,
                    "encode": codec.encode,
                    "text": _MESSAGE.short_message,
                },
            )
            for codec in able
        }
        yield from _times(f"submit_sm, 40 octets: {what}", able, race(runners, pace), pace)


def _size(decode: Callable[[bytes], object], octets: bytes) -> float:
    """Measure what one PDU keeps, with all that was made for it: each is read from octets of its own."""
    frames = [bytes(bytearray(octets)) for _ in range(KEPT_PDUS)]
    kept: list[object] = [None] * KEPT_PDUS
    decode(octets)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for index, frame in enumerate(frames):
            kept[index] = decode(frame)
        return (tracemalloc.get_traced_memory()[0] - before) / KEPT_PDUS
    finally:
        tracemalloc.stop()


def _times(
    case: str, codecs: Sequence[Codec], taken: Mapping[str, float], pace: Pace
) -> Iterator[Figure]:
    return _figures(case, "ns", codecs, taken, runs=pace.rounds)


def _figures(
    case: str, unit: str, codecs: Sequence[Codec], values: Mapping[str, float], *, runs: int
) -> Iterator[Figure]:
    """Give a case's figures: ours beside the walk's, and every other beside ours."""
    for codec in codecs:
        value = values[codec.subject]
        reference = NAIVE if codec.subject == OURS else OURS
        foreign = {codec.subject: codec.version} if codec.version else {}
        yield Figure(
            bench="codec",
            case=case,
            subject=codec.subject,
            value=value,
            unit=unit,
            cpu_s_per_100k=value * 1e-4 if unit == "ns" else None,
            reference=reference if reference in values else None,
            ratio=value / values[reference] if reference in values else None,
            runs=runs,
            versions=versions(**foreign),
        )
