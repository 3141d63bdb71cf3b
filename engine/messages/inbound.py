"""A deliver_sm or data_sm of the carrier becomes a record: a receipt, or somebody's message.

Which message a receipt belongs to is the ledger's matter; joining the segments of a long inbound
message needs the ones before, and is `conversations.py`.
"""

from datetime import UTC, datetime, timedelta

import attrs

from whiteroute.pdu import (
    DataSm,
    DeliverSm,
    DeliveryReceipt,
    MessageIdRule,
    ReceiptDialect,
    ReceiptKind,
    TlvTag,
    encode,
    find_concatenation,
    parse_receipt,
)

from .canonical import MappedError
from .carrier_text import read_from_carrier
from .error_mapping import ErrorSpaces, map_error
from .options import TextOptions
from .records import InboundArrived, ReceiptArrived
from .states import ReceiptNews

__all__ = ["InboundReader"]


@attrs.frozen(kw_only=True)
class InboundReader:
    """Reads what one carrier delivers, by its profile."""

    carrier: str
    """Its name in the configuration; receipts are matched within it."""
    dialect: ReceiptDialect
    message_id_rule: MessageIdRule
    errors: ErrorSpaces
    text: TextOptions = TextOptions()
    """How texts are written here."""

    def read(
        self, pdu: DeliverSm | DataSm, *, link: str, received_at: int, inbound_ref: str
    ) -> ReceiptArrived | InboundArrived:
        """Read a PDU; never fails, the octets are kept either way.

        Args:
            pdu: As it came.
            link: The bind it came on, for diagnosis.
            received_at: Microseconds since the epoch, UTC.
            inbound_ref: Our name for it, should it be a message.

        Returns:
            The record to be written before the PDU is acknowledged.
        """
        receipt = parse_receipt(pdu, self.dialect)
        if receipt is None:
            told = find_concatenation(pdu)
            return InboundArrived(
                inbound_ref=inbound_ref,
                carrier=self.carrier,
                source_addr=pdu.source_addr,
                destination_addr=pdu.destination_addr,
                text=read_from_carrier(pdu, self.text),
                data_coding=pdu.data_coding,
                received_at=received_at,
                link=link,
                octets=encode(pdu),
                reference=0 if told is None else told.reference,
                total=1 if told is None else told.total,
                segment=1 if told is None else told.sequence,
            )
        return ReceiptArrived(
            carrier=self.carrier,
            message_id=receipt.message_id,
            message_id_key=self.message_id_rule.normalise(receipt.message_id),
            receipt_kind=_kind(receipt),
            message_state=receipt.tlv_state if receipt.state is None else receipt.state,
            stat=receipt.stat,
            err=receipt.err,
            network_error_code=_network_error_code(receipt),
            error=self._error(receipt),
            submit_date_at=_microseconds(receipt.submit_date),
            done_date_at=_microseconds(receipt.done_date),
            source_addr=receipt.source_addr,
            destination_addr=receipt.destination_addr,
            received_at=received_at,
            link=link,
            octets=encode(pdu),
            network_seen=receipt.network,
        )

    def _error(self, receipt: DeliveryReceipt) -> MappedError:
        return map_error(
            self.errors,
            stat=receipt.stat,
            err=receipt.err,
            network_error_code=_network_error_code(receipt),
            message_state=receipt.state,
        )


def _kind(receipt: DeliveryReceipt) -> ReceiptNews:
    if receipt.kind in (ReceiptKind.DELIVERY_ACKNOWLEDGEMENT, ReceiptKind.USER_ACKNOWLEDGEMENT):
        return ReceiptNews.ACK
    return ReceiptNews.FINAL if receipt.is_final else ReceiptNews.INTERMEDIATE


def _network_error_code(receipt: DeliveryReceipt) -> bytes:
    return receipt.tlvs.first(TlvTag.NETWORK_ERROR_CODE) or b""


def _microseconds(date: datetime | None) -> int | None:
    # Through a difference, because a product of the float that timestamp() gives is not exact.
    return None if date is None else (date - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime.fromtimestamp(0, UTC)
