"""How messages are written for one carrier: numbering, alphabets, the small fields of submit_sm.

Only settings; `outgoing` acts on them, and `engine.profile` holds them beside all others.
"""

from typing import Literal

import attrs

from whiteroute.pdu import Alphabet, LongMode, NationalLanguage, Npi, RegisteredDelivery, Ton

__all__ = ["AddressOptions", "Numbering", "SubmitOptions", "TextOptions"]


@attrs.frozen
class Numbering:
    """A type of number and its plan, as two fields on the wire."""

    ton: int = Ton.UNKNOWN
    npi: int = Npi.UNKNOWN


@attrs.frozen(kw_only=True)
class AddressOptions:
    """How addresses are numbered. Defaults are what most carriers ask for."""

    alpha: Numbering = Numbering(Ton.ALPHANUMERIC, Npi.UNKNOWN)
    """Senders that are names."""
    short: Numbering = Numbering(Ton.NETWORK_SPECIFIC, Npi.UNKNOWN)
    """Senders that are short codes."""
    long: Numbering = Numbering(Ton.INTERNATIONAL, Npi.ISDN)
    """Senders that are numbers one can call."""
    destination: Numbering = Numbering(Ton.INTERNATIONAL, Npi.ISDN)
    plus_sign: bool = False
    """Whether international numbers start with `+` on the wire; carriers that want digits answer it
    with ESME_RINVDSTADR."""


@attrs.frozen(kw_only=True)
class TextOptions:
    """How texts are written."""

    default: Alphabet = Alphabet.GSM
    """What data_coding 0 means here."""
    long_mode: LongMode = "udh8"
    """How long texts travel: `udh8`, `udh16`, `sar` or `payload`. UDH is what survives most."""
    languages: tuple[NationalLanguage, ...] = ()
    """National tables that this carrier's handsets are known to show."""
    packed: bool = False
    """Whether GSM septets are packed; almost no carrier wants that."""


@attrs.frozen(kw_only=True)
class SubmitOptions:
    """The remaining fields of submit_sm."""

    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    esm_mode: int = 0
    """0: the message centre's default; 3: store and forward, which Kannel always says."""
    registered_delivery: int = RegisteredDelivery.FINAL
    """A receipt for the final outcome; add 0x10 for intermediate ones, which some refuse with
    ESME_RINVREGDLVFLG."""
    validity: Literal["relative", "absolute", "none"] = "relative"
    """How a message's validity is told; `none` where the carrier answers ESME_RINVEXPIRY."""
    tolerate_overlong: bool = False
    """Send fields beyond the specification's length, e.g. a password of 16 octets, because this
    carrier demands it."""
