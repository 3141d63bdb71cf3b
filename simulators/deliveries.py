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
    split_text,
    split_udh,
)

from .receipt_writer import ReceiptFacts, ReceiptWriter
from .submissions import Submission, SubmitRequest


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
    kind: ReceiptKind,
    *,
    submitted_at: int,
    done_at: int,
) -> DeliverSm | DataSm:
    """Make the PDU that tells a message's present state, from its destination back to its sender.

    Args:
        writer: It knows the dialect.
        submission: The message.
        kind: What esm_class says.
        submitted_at: When it was submitted, in seconds since the epoch.
        done_at: When it got its state.

    Raises:
        EncodeError: If the dialect cannot carry the message_id, or is wrong in itself.
    """
    request = submission.request
    written = writer.write(
        ReceiptFacts(submission.state, submission.err, kind, submitted_at, done_at),
        submission.receipt_message_id,
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
    octets = b"" if isinstance(request, DataSm) else request.short_message
    octets = octets or request.tlvs.first(TlvTag.MESSAGE_PAYLOAD) or b""
    return split_udh(octets)[1] if request.esm_class & EsmClass.UDHI else octets


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
