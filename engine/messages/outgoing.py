"""A message becomes submit_sm PDUs, one a part, the way one carrier wants them.

Which carrier, and when, is decided elsewhere; nothing here depends on what was sent before.
"""

from datetime import datetime, timedelta

from whiteroute.pdu import SubmitSm, WireForm, format_smpp_time, split_text
from whiteroute.routing import SenderKind, sender_kind

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
        EncodeError: A text of more than 255 parts, or a validity that cannot be written.
    """
    segmented = split_text(
        message.text,
        mode=text.long_mode,
        reference=reference % (256 if text.long_mode == "udh8" else 65_536),
        languages=text.languages,
        default=text.default,
        packed=text.packed,
    )
    source, source_addr = _source(message.sender, addresses)
    plus = "+" if addresses.plus_sign else ""
    validity_period = _validity_period(message.validity, submit.validity, now)
    return tuple(
        SubmitSm(
            service_type=submit.service_type,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source_addr,
            dest_addr_ton=addresses.destination.ton,
            dest_addr_npi=addresses.destination.npi,
            destination_addr=plus + destination,
            esm_class=part.esm_class | submit.esm_mode,
            protocol_id=submit.protocol_id,
            priority_flag=submit.priority_flag,
            validity_period=validity_period,
            registered_delivery=submit.registered_delivery,
            data_coding=part.data_coding,
            short_message=part.short_message,
            tlvs=part.tlvs,
            wire_form=WireForm.OVERLONG if submit.tolerate_overlong else WireForm.USUAL,
        )
        for part in segmented.parts
    )


def _source(sender: str, addresses: AddressOptions) -> tuple[Numbering, str]:
    kind = sender_kind(sender)
    if kind is SenderKind.ALPHA:
        return addresses.alpha, sender
    if kind is SenderKind.SHORT:
        return addresses.short, sender
    digits = sender.removeprefix("+")
    return addresses.long, f"+{digits}" if addresses.plus_sign else digits


def _validity_period(validity: float | None, form: str, now: datetime) -> str:
    if validity is None or form == "none":
        return ""
    duration = timedelta(seconds=validity)
    relative = form == "relative" and validity <= _LONGEST_RELATIVE
    return format_smpp_time(duration if relative else now + duration)
