"""How messages are written for one carrier: numbering, alphabets, the small fields of submit_sm.

Only settings; `outgoing` acts on them, and `engine.profile` holds them beside all others.
"""

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from whiteroute.pdu import Alphabet, LongMode, NationalLanguage, Npi, RegisteredDelivery, Ton

from .message_tlv import MessageTlv

__all__ = ["ONE_MESSAGE_OCTETS", "AddressOptions", "Numbering", "SubmitOptions", "TextOptions"]

ONE_MESSAGE_OCTETS: Final = 140
"""What one short message holds on the air. Spec: 3GPP TS 23.040 §9.2.3.24"""


@attrs.frozen
class Numbering:
    """A type of number and its plan, as two fields on the wire."""

    ton: int = Ton.UNKNOWN
    """Type of number, 0 to 255: 1 international, 2 national, 3 network specific, 5 alphanumeric."""
    npi: int = Npi.UNKNOWN
    """Numbering plan indicator, 0 to 255: 1 for telephone numbers."""


@attrs.frozen(kw_only=True)
class AddressOptions:
    """How addresses are numbered. Defaults are what most carriers ask for.

    Which kind a sender is, is seen from the sender; a carrier that wants one numbering for all of them
    has it three times. Wrong ones are answered with ESME_RINVSRCTON, ESME_RINVDSTTON and the like, or
    with ESME_RINVSRCADR.
    """

    alpha: Numbering = Numbering(Ton.ALPHANUMERIC, Npi.UNKNOWN)
    """Senders that are names: 5 and 0 nearly everywhere."""
    short: Numbering = Numbering(Ton.NETWORK_SPECIFIC, Npi.UNKNOWN)
    """Senders that are short codes: 3 and 0; some carriers want 0 and 0, or 6."""
    long: Numbering = Numbering(Ton.INTERNATIONAL, Npi.ISDN)
    """Senders that are numbers one can call: 1 and 1; some carriers want 0 and 0."""
    destination: Numbering = Numbering(Ton.INTERNATIONAL, Npi.ISDN)
    """Destinations, unless they are written in national form."""
    national_code: str = ""
    """Destinations that begin with this calling code (`46`) are written in national form; empty: none
    are. For operators at home that answer their own customers' numbers with ESME_RINVDSTADR."""
    national_prefix: str = ""
    """What stands in its place in national form: `0` in many countries, nothing in others."""
    national: Numbering = Numbering(Ton.NATIONAL, Npi.ISDN)
    """How destinations in national form are numbered."""
    plus_sign: bool = False
    """Whether international numbers start with `+` on the wire; carriers that want digits answer it
    with ESME_RINVDSTADR."""


@attrs.frozen(kw_only=True)
class TextOptions:
    """How texts are written."""

    default: Alphabet = Alphabet.GSM
    """What data_coding 0 means here. When it is another alphabet than ours, handsets show other
    characters than were sent."""
    alphabets: tuple[Alphabet, ...] = ()
    """Which alphabets are tried, in this order; a text that none of them can write is refused. Empty: the
    default one, then UCS-2. For carriers that take, say, Latin-1 but no UCS-2."""
    data_codings: Mapping[Alphabet, int] = attrs.field(factory=dict, hash=False)
    """The carrier's own numbers for alphabets, both ways, where it breaks the specification's table: what
    arrives is in other letters, or is refused with ESME_RINVDCS."""
    ucs2: Literal["utf-16-be", "utf-16-le"] = "utf-16-be"
    """The order of octets in UCS-2, both ways. The specification's is `utf-16-be`; where handsets show
    Chinese instead of Greek, the message centre passes on what a PC wrote."""
    long_mode: LongMode = "udh8"
    """How long texts travel: `udh8`, `udh16`, `sar` or `payload`. UDH is what survives most; its 16-bit
    references, and those of `sar`, repeat 256 times less often."""
    max_octets: int = ONE_MESSAGE_OCTETS
    """How many octets of text go into one short_message, although it is a long one: 254 for message
    centres that cut texts themselves, and show parts cut by others as single messages."""
    null_terminated: bool = False
    """Whether a NUL follows the text in short_message, for message centres that take it for a C-octet
    string and otherwise lose its last character."""
    languages: tuple[NationalLanguage, ...] = ()
    """National tables that this carrier's handsets are known to show."""
    packed: bool = False
    """Whether GSM septets are packed; almost no carrier wants that."""

    @property
    def is_standard(self) -> bool:
        """Whether octets and numbers are as the specification has them."""
        return not self.data_codings and self.ucs2 == "utf-16-be" and not self.null_terminated


@attrs.frozen(kw_only=True)
class SubmitOptions:
    """The remaining fields of submit_sm."""

    service_type: str = ""
    """The service of the contract, up to 5 characters, e.g. `CMT`; most carriers want none."""
    protocol_id: int = 0
    """TP-PID, 0 to 255: an ordinary text is 0."""
    priority_flag: int = 0
    """The priority, 0 to 4; carriers that sell it refuse what was not bought with ESME_RINVPRTFLG."""
    replace_if_present: bool = False
    """Whether a message that still waits, from the same sender to the same number, is replaced. Off:
    the one that was replaced never gets a receipt."""
    esm_mode: int = 0
    """The mode in esm_class. 0 is the message centre's default; 3 is store and forward, which Kannel always
    says, and without which some answer ESME_RINVESMCLASS."""
    registered_delivery: int = RegisteredDelivery.FINAL
    """What receipts are asked for, as bits: 0x01 for the final outcome; add 0x10 for intermediate ones,
    which some refuse with ESME_RINVREGDLVFLG."""
    validity: Literal["relative", "absolute", "none"] = "relative"
    """How a message's validity is told; `none` where the carrier answers ESME_RINVEXPIRY."""
    max_validity: float | None = None
    """The longest validity, in seconds, that is told; a longer one is cut to it. None: no limit. For
    carriers that answer ESME_RINVEXPIRY from some length on."""
    tlvs: tuple[MessageTlv, ...] = ()
    """Optional parameters that go with each message; none else are ever added, save for those of the
    `long_mode`. For carriers that answer ESME_RMISSINGTLV, or whose regulator asks for ids."""
    tolerate_overlong: bool = False
    """Whether fields beyond the specification's length are sent, e.g. a password of 16 octets, because
    this carrier demands it."""
