"""The PDUs which a message centre delivers: receipts under a dialect, and texts from handsets.

When they leave, and on which bind, is the mailbox's matter.
"""

from whiteroute.pdu import (
    DataSm,
    DeliverSm,
    EsmClass,
    MessageState,
    Npi,
    ReceiptKind,
    RegisteredDelivery,
    TlvTag,
    Ton,
    join_parts,
    split_text,
    split_udh,
)

from .receipt_writer import ReceiptFacts, ReceiptWriter
from .submissions import Submission, SubmitRequest

_LIKE_ASCII = frozenset((0, 1, 2, 3, 4))
"""The values of data_coding under which octets below 0x80 may be quoted as they are: GSM 03.38, ASCII,
octets, Latin-1, octets."""


def wants_receipt(registered_delivery: int, state: MessageState) -> bool:
    """Tell whether a final state is to be told. Spec: SMPP 3.4 §5.2.17, SMPP 5.0 §4.7.21"""
    match registered_delivery & RegisteredDelivery.SUCCESS:
        case RegisteredDelivery.FINAL:
            return True
        case RegisteredDelivery.FAILURE:
            return state is not MessageState.DELIVERED
        case RegisteredDelivery.SUCCESS:
            return state is MessageState.DELIVERED
    return False


def make_receipt(
    writer: ReceiptWriter,
    submission: Submission,
    *,
    state: MessageState,
    err: str,
    kind: ReceiptKind,
    message_id: str,
    submitted_at: int,
    done_at: int,
) -> DeliverSm | DataSm:
    """Make the PDU that tells of a message, from its destination back to its sender.

    Args:
        writer: It knows the dialect.
        submission: The message.
        state: What has become of it.
        err: And why, usually three digits.
        kind: What esm_class says.
        message_id: The id that the receipt names.
        submitted_at: When it was submitted, in seconds since the epoch.
        done_at: When it got its state.

    Raises:
        EncodeError: If the dialect cannot carry the message_id, or is wrong in itself.
    """
    request = submission.request
    written = writer.write(
        ReceiptFacts(state, err, kind, submitted_at, done_at),
        message_id,
        _text_octets(request),
        submission.source_addr,
        submission.destination_addr,
    )
    if writer.dialect.operation == "data_sm":
        return DataSm(
            source_addr_ton=submission.dest_addr_ton,
            source_addr_npi=submission.dest_addr_npi,
            source_addr=submission.destination_addr,
            dest_addr_ton=request.source_addr_ton,
            dest_addr_npi=request.source_addr_npi,
            destination_addr=request.source_addr,
            esm_class=written.esm_class,
            data_coding=written.data_coding,
            tlvs=written.tlvs,
        )
    return DeliverSm(
        source_addr_ton=submission.dest_addr_ton,
        source_addr_npi=submission.dest_addr_npi,
        source_addr=submission.destination_addr,
        dest_addr_ton=request.source_addr_ton,
        dest_addr_npi=request.source_addr_npi,
        destination_addr=request.source_addr,
        esm_class=written.esm_class,
        data_coding=written.data_coding,
        short_message=written.short_message,
        tlvs=written.tlvs,
    )


def _text_octets(request: SubmitRequest) -> bytes:
    """Give the text as a receipt of any data_coding can quote it: what is not ASCII becomes `?`.

    Octets of UCS-2 under data_coding 0 would be legal, and some message centres send them; but
    aiosmpplib for one cannot read such a receipt, and loses it.
    """
    octets = b"" if isinstance(request, DataSm) else request.short_message
    octets = octets or request.tlvs.first(TlvTag.MESSAGE_PAYLOAD) or b""
    if request.esm_class & EsmClass.UDHI:
        octets = split_udh(octets)[1]
    if request.data_coding in _LIKE_ASCII and octets.isascii():
        return octets
    return join_parts((request,)).encode("ascii", "replace")


def make_mobile_originated(
    source_addr: str, destination_addr: str, text: str, reference: int
) -> tuple[DeliverSm, ...]:
    """Make the parts of a text from a handset.

    Raises:
        EncodeError: If the text takes more than 255 parts.
    """
    source_ton, source_npi = numbering(source_addr)
    dest_ton, dest_npi = numbering(destination_addr)
    return tuple(
        DeliverSm(
            source_addr_ton=source_ton,
            source_addr_npi=source_npi,
            source_addr=source_addr.removeprefix("+"),
            dest_addr_ton=dest_ton,
            dest_addr_npi=dest_npi,
            destination_addr=destination_addr.removeprefix("+"),
            esm_class=part.esm_class,
            data_coding=part.data_coding,
            short_message=part.short_message,
            tlvs=part.tlvs,
        )
        for part in split_text(text, reference=reference & 0xFF).parts
    )


def numbering(address: str) -> tuple[int, int]:
    """Give the usual type of number and numbering plan: international, short, or a name."""
    digits = address.removeprefix("+")
    if not digits.isdecimal():
        return Ton.ALPHANUMERIC, Npi.UNKNOWN
    if len(digits) > 7 or address != digits:
        return Ton.INTERNATIONAL, Npi.ISDN
    return Ton.NETWORK_SPECIFIC, Npi.UNKNOWN
