"""A message becomes submit_sm PDUs, one a part, the way one carrier wants them.

Which carrier, and when, is decided elsewhere; nothing here depends on what was sent before.
"""

from datetime import datetime, timedelta

from whiteroute.pdu import SubmitSm, Tlvs, WireForm, format_smpp_time
from whiteroute.routing import SenderKind, sender_kind

from .carrier_text import cut_for_carrier
from .message import Message
from .options import AddressOptions, Numbering, SubmitOptions, TextOptions

__all__ = ["make_parts"]

_LONGEST_RELATIVE = 31 * 86_400.0
"""Months have no agreed length in a relative time, so a longer validity is told as absolute."""


def make_parts(
    message: Message,
    destination: str,
    *,
    addresses: AddressOptions,
    text: TextOptions,
    submit: SubmitOptions,
    reference: int,
    now: datetime,
) -> tuple[SubmitSm, ...]:
    """Write a message as PDUs.

    Args:
        message: What is to be sent.
        destination: Its number, digits only (see `normalise_msisdn`).
        addresses: How the carrier wants addresses numbered.
        text: How it wants texts written.
        submit: The remaining fields.
        reference: Tells the parts of this message from others to the same number; any integer of
            0 or more, cut to what the carrier's way of marking parts holds.
        now: UTC; absolute validity counts from it.

    Returns:
        One PDU a part, in order, without sequence_number.

    Raises:
        EncodeError: A text of more than 255 parts or of characters that the carrier has no alphabet
            for, a validity that cannot be written, or a parameter that the carrier requires and the
            message does not give.
    """
    parts = cut_for_carrier(message.text, text, reference)
    source, source_addr = _source(message.sender, addresses)
    dest, destination_addr = _destination(destination, addresses)
    validity_period = _validity_period(message.validity, submit, now)
    written = [tlv.write(message.tags) for tlv in submit.tlvs]
    tlvs = Tlvs.of(*(tlv for tlv in written if tlv is not None))
    return tuple(
        SubmitSm(
            service_type=submit.service_type,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source_addr,
            dest_addr_ton=dest.ton,
            dest_addr_npi=dest.npi,
            destination_addr=destination_addr,
            esm_class=part.esm_class | submit.esm_mode,
            protocol_id=submit.protocol_id,
            priority_flag=submit.priority_flag,
            validity_period=validity_period,
            registered_delivery=submit.registered_delivery,
            replace_if_present_flag=int(submit.replace_if_present),
            data_coding=part.data_coding,
            short_message=part.short_message,
            tlvs=part.tlvs + tlvs,
            wire_form=WireForm.OVERLONG if submit.tolerate_overlong else WireForm.USUAL,
        )
        for part in parts
    )


def _source(sender: str, addresses: AddressOptions) -> tuple[Numbering, str]:
    kind = sender_kind(sender)
    if kind is SenderKind.ALPHA:
        return addresses.alpha, sender
    if kind is SenderKind.SHORT:
        return addresses.short, sender
    digits = sender.removeprefix("+")
    return addresses.long, f"+{digits}" if addresses.plus_sign else digits


def _destination(digits: str, addresses: AddressOptions) -> tuple[Numbering, str]:
    code = addresses.national_code
    if code and digits.startswith(code):
        return addresses.national, addresses.national_prefix + digits.removeprefix(code)
    return addresses.destination, f"+{digits}" if addresses.plus_sign else digits


def _validity_period(validity: float | None, submit: SubmitOptions, now: datetime) -> str:
    if validity is None or submit.validity == "none":
        return ""
    if submit.max_validity is not None:
        validity = min(validity, submit.max_validity)
    duration = timedelta(seconds=validity)
    relative = submit.validity == "relative" and validity <= _LONGEST_RELATIVE
    return format_smpp_time(duration if relative else now + duration)
