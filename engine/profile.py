"""What one carrier is like: every way in which carriers differ, as a field with a reason.

Frozen data, handed down; no subclass per carrier and no `if carrier == ...` anywhere. A way of a
carrier that no field can say is a missing field: add it here, once, for all.
"""

import attrs

from whiteroute.engine.messages import (
    GENERIC_ERRORS,
    AddressOptions,
    ErrorSpaces,
    ReportingParts,
    SubmitOptions,
    TextOptions,
)
from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import InterfaceVersion, MessageIdRule, Npi, ReceiptDialect, Ton


@attrs.frozen(kw_only=True)
class BindOptions:
    """What a bind says besides system_id and password."""

    interface_version: int = InterfaceVersion.V3_4
    """0x33, 0x34 or 0x50. 3.4 is what nearly all message centres speak."""
    system_type: str = ""
    """Some carriers refuse the bind (ESME_RINVSYSTYP) without the word from the contract, e.g.
    `VMA`, `SMPP`."""
    addr_ton: int = Ton.UNKNOWN
    addr_npi: int = Npi.UNKNOWN
    address_range: str = ""
    """Which destinations a receiver wants; too narrow a range keeps receipts away."""


@attrs.frozen(kw_only=True)
class CarrierProfile:
    """What a carrier is like. The default is a carrier that follows SMPP 3.4 to the letter."""

    name: str = "generic-3.4"
    description: str = "SMPP 3.4 as the specification has it."
    session: SessionSettings = SessionSettings()
    bind: BindOptions = BindOptions()
    addresses: AddressOptions = AddressOptions()
    text: TextOptions = TextOptions()
    submit: SubmitOptions = SubmitOptions()
    receipt: ReceiptDialect = ReceiptDialect()
    response_message_id: MessageIdRule = MessageIdRule()
    """How the message_id of responses becomes the key that receipts are matched by."""
    receipt_message_id: MessageIdRule = MessageIdRule()
    """Likewise for the id in receipts. `hex` here and `decimal` there is common."""
    reporting_parts: ReportingParts = "all"
    """For which parts of a long message receipts come."""
    errors: ErrorSpaces = GENERIC_ERRORS
    """What this carrier's numbers mean."""


GENERIC = CarrierProfile()
"""The profile of a carrier about which nothing is known."""

__all__ = ["GENERIC", "BindOptions", "CarrierProfile"]
