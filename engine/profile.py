"""What one carrier is like: every way in which carriers differ, as a field with a reason.

Frozen data, handed down; no subclass per carrier and no `if carrier == ...` anywhere. A way of a
carrier that no field can say is a missing field: add it here, once, for all.
"""

from typing import Literal

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
    """How an account is bound, and what a bind says besides system_id and password."""

    mode: Literal["trx", "tx+rx"] = "trx"
    """`tx+rx`: a transmitter and a receiver instead of each transceiver, for carriers that refuse
    bind_transceiver; an account may say otherwise."""
    most_binds: int | None = None
    """How many binds (or pairs) of one account the carrier allows; further ones are refused with
    ESME_RALYBND. None: not known. Contracts allow 1 to 4 mostly."""
    interface_version: int = InterfaceVersion.V3_4
    """The version that the bind names: 0x33, 0x34 or 0x50. Nearly all message centres speak 0x34."""
    system_type: str = ""
    """The word from the contract, e.g. `VMA` or `SMPP`, without which some carriers refuse the bind with
    ESME_RINVSYSTYP. Most want none."""
    addr_ton: int = Ton.UNKNOWN
    """Type of number of `address_range`, 0 to 255."""
    addr_npi: int = Npi.UNKNOWN
    """Numbering plan of `address_range`, 0 to 255."""
    address_range: str = ""
    """Which destinations a receiver wants; too narrow a range keeps receipts away."""
    fallback: bool = True
    """Whether a transceiver that the answer says is not to be had becomes a transmitter and a receiver,
    and a refused version the next older one."""


@attrs.frozen(kw_only=True)
class TlsOptions:
    """How a stream is encrypted and how we know who is at its other end.

    A peer that fails any of these is not spoken to; there is no falling back to clear text.
    """

    verify: Literal["full", "chain", "pinned"] = "full"
    """`full`: a trusted chain and the right name. `chain`: a trusted chain, whatever name it holds; for
    carriers that are reached by address. `pinned`: only `pins` counts, for self-signed certificates."""
    ca_file: str = ""
    """PEM file of the authorities trusted instead of the system's; empty for the system's."""
    certificate_file: str = ""
    """PEM file of our own certificate and its chain, for carriers that ask for one."""
    key_file: str = ""
    """PEM file of its key; empty when it stands in `certificate_file`."""
    server_name: str = ""
    """Asked for by SNI and looked for in the certificate; empty for the host's own name."""
    pins: tuple[str, ...] = ()
    """SHA-256 of certificates of the carrier, in hex with or without colons, as `openssl x509 -noout
    -fingerprint -sha256` prints it. When there are any, the certificate shown must be one of them."""
    minimum_version: Literal["1.2", "1.3"] = "1.2"
    """The oldest TLS that is spoken. Older ones than 1.2 are broken, and Python has left them."""


@attrs.frozen(kw_only=True)
class TransportOptions:
    """How a stream to the carrier is opened."""

    tls: TlsOptions | None = None
    """How the stream is encrypted. Left out (None): not at all, which is what most carriers speak inside a
    VPN."""
    source_address: str = ""
    """The local address to come from, where the carrier lets in only that one; empty for any."""
    connect_timeout: float = 10.0
    """Seconds for one address, TLS included. A firewall that drops is found out by it; a real message
    centre answers in well under one."""
    proxy_protocol: Literal["none", "v1", "v2"] = "none"
    """The header that a proxy before the message centre wants to be told our address by."""


@attrs.frozen(kw_only=True)
class RebindOptions:
    """When a bind is tried again. Durations are seconds."""

    first_delay: float = 1.0
    """After a network fault; doubled each time that it goes on."""
    longest_delay: float = 60.0
    """How long the delay may become by doubling: a message centre that comes back is found in a
    minute."""
    already_bound_delay: float = 30.0
    """After ESME_RALYBND, up to twice as much: two rounds of most carriers' enquire_link, by which they
    notice that the old session is dead."""
    bind_failed_delay: float = 300.0
    """After ESME_RBINDFAIL, which may mean credentials, provisioning, address or too many binds."""
    attempts_per_minute: int = 6
    """Binds that one account may try in vain at one host, two thirds of them at once and the others
    spread over the minute. Firewalls that let pass three a minute exist. Binds that are accepted and hold are not
    counted, so that an account of many comes up at once, and binds that fail together count as one."""
    fail_back_after: float = 600.0
    """Seconds on another host after which the first is tried again with a new bind; 0 for never."""


@attrs.frozen(kw_only=True)
class PaceOptions:
    """How fast parts are sent, and how the ceiling is learned. Rates are parts per second."""

    tps_per_bind: float | None = None
    """The carrier's limit for each bind; None where it has none. The account's is `CarrierSettings.tps`."""
    learns: bool = True
    """Whether the pace gives way when the carrier throttles, is congested or slows down."""
    decrease: float = 0.7
    """What the pace is multiplied by when it has to give way."""
    increase: float = 0.02
    """The share of the contract's pace that it gains back in each second without a complaint."""
    throttle_delay: float = 1.0
    """Seconds in which the account sends nothing after ESME_RTHROTTLED or ESME_RMSGQFUL. Kannel takes 1."""
    slow_response: float = 5.0
    """Seconds of a response from which on the carrier counts as overloaded. Normal are under 0.1."""


@attrs.frozen(kw_only=True)
class CarrierProfile:
    """What a carrier is like. The default is a carrier that follows SMPP 3.4 to the letter."""

    name: str = "generic-3.4"
    """What carriers name it by."""
    extends: str = ""
    """The profile whose values it keeps where it says nothing itself; empty for the generic one."""
    version: int = 1
    """Raised by whoever changes what the profile says, so that two copies can be told apart."""
    description: str = "Nothing is known of the carrier yet: SMPP 3.4 as the specification has it."
    """For people, the symptom first."""
    transport: TransportOptions = TransportOptions()
    """How a stream to the carrier is opened."""
    bind: BindOptions = BindOptions()
    """How an account is bound."""
    rebind: RebindOptions = RebindOptions()
    """When a bind is tried again."""
    session: SessionSettings = SessionSettings()
    """The window and the timers of each bind."""
    pace: PaceOptions = PaceOptions()
    """How fast parts are sent."""
    addresses: AddressOptions = AddressOptions()
    """How senders and destinations are numbered."""
    text: TextOptions = TextOptions()
    """How texts become octets."""
    submit: SubmitOptions = SubmitOptions()
    """The remaining fields of submit_sm."""
    receipt: ReceiptDialect = ReceiptDialect()
    """How receipts are written, and what they mean."""
    response_message_id: MessageIdRule = MessageIdRule()
    """How the message_id of responses becomes the key that receipts are matched by. With a wrong one, every
    message is accepted and no receipt finds its message."""
    receipt_message_id: MessageIdRule = MessageIdRule()
    """How the id in receipts becomes that key. `hex` here and `decimal` there is common."""
    reporting_parts: ReportingParts = "all"
    """For which parts of a long message receipts come."""
    errors: ErrorSpaces = GENERIC_ERRORS
    """What this carrier's numbers mean."""


GENERIC = CarrierProfile()
"""The profile of a carrier about which nothing is known."""

__all__ = [
    "GENERIC",
    "BindOptions",
    "CarrierProfile",
    "PaceOptions",
    "RebindOptions",
    "TlsOptions",
    "TransportOptions",
]
