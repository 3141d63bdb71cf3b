"""What was seen of a message centre so far, as plain facts; what they mean is for `symptoms`.

Filled in stage by stage. A fact that was not looked at is None or empty.
"""

from typing import Literal

import attrs

from whiteroute.engine.session import CloseCause
from whiteroute.engine.transport import SeenCertificate, TransportReport, TransportStage

__all__ = [
    "Answered",
    "BindAttempt",
    "BindEnd",
    "OpeningFault",
    "Observed",
    "PortLook",
    "Sent",
]

BindEnd = Literal["accepted", "refused", "nacked", "silent", "closed", "broken"]
"""How a bind ended: `broken` is a stream that cannot be cut into PDUs."""


@attrs.frozen(kw_only=True)
class OpeningFault:
    """Why no stream was had."""

    stage: TransportStage
    found: str
    number: int = 0
    """The system's errno."""
    verify_code: int = 0
    """OpenSSL's reason not to trust the certificate; 0: none."""
    reason: str = ""
    """OpenSSL's word, e.g. `SSLV3_ALERT_HANDSHAKE_FAILURE`."""


@attrs.frozen(kw_only=True)
class PortLook:
    """What a second connection, which asked for nothing, found the port to speak."""

    speaks_tls: bool = False
    tls_version: str = ""
    chain: tuple[SeenCertificate, ...] = ()
    """What it showed, its own certificate first."""
    first_octets: bytes = b""
    """What came in answer to an enquire_link in clear."""
    spoken: str = ""
    """Which protocol they are, if that is known."""


@attrs.frozen(kw_only=True)
class BindAttempt:
    """One bind that was asked for."""

    operation: str
    asked: str
    """As part of which way: `a transceiver by SMPP 3.4`."""
    interface_version: int
    end: BindEnd
    took: float
    """Seconds."""
    command_status: int | None = None
    has_number: bool = True
    """Whether the answer said which request it is for."""
    peer_version: int | None = None
    """sc_interface_version of the answer."""
    peer_system_id: str = ""
    was_reset: bool = False
    detail: str = ""
    first_octets: bytes = b""
    """What came first, if no answer did."""
    rest: int = 0
    """Octets of a PDU that never became whole."""


@attrs.frozen(kw_only=True)
class Answered:
    """How a request without a text of its own went: enquire_link, unbind."""

    took: float
    """Seconds."""
    is_answered: bool


@attrs.frozen(kw_only=True)
class Sent:
    """A part that was submitted."""

    message_id: str = ""
    command_status: int | None = None
    """None: no answer."""
    is_nacked: bool = False
    took: float = 0.0
    is_probe: bool = False
    """Whether it was sent to see how it is answered, and its receipt is not waited for."""
    in_flight: int = 1
    """Requests in flight just after it left, this one included."""
    sent_at: float = 0.0
    """Seconds on Trio's clock."""


@attrs.define(eq=False, kw_only=True)
class Observed:
    """Everything seen of one host."""

    system_id_length: int = 0
    password_length: int = 0
    credential_has_blank: bool = False
    has_own_certificate: bool = False
    bind_as: str = "trx"
    transport: TransportReport | None = None
    fault: OpeningFault | None = None
    look: PortLook | None = None
    attempts: list[BindAttempt] = attrs.field(factory=list[BindAttempt])
    waited_to_bind: bool = False
    """Whether a bind that was refused as one too many was asked for again after a while."""
    bound_as: str = ""
    """`trx`, `tx+rx`, `tx` or `rx`; empty: not bound."""
    enquiries: list[Answered] = attrs.field(factory=list[Answered])
    """Our enquire_links."""
    enquired: int = 0
    """The peer's."""
    closed: CloseCause | None = None
    """Why the link ended, unless we wanted it."""
    closed_by_peer_unbind: bool = False
    was_reset: bool = False
    closed_after: float = 0.0
    """Seconds from the bind."""
    closed_in: str = ""
    """The stage it was in."""
    received_since_bind: int = 0
    """PDUs that came after the bind response."""
    rest: int = 0
    """Octets of a PDU that never became whole."""
    spoken: str = ""
    """Which protocol broke into the stream, if that is known."""
    unbind: Answered | None = None
    sent: list[Sent] = attrs.field(factory=list[Sent])
    receipts_final: int = 0
    """Receipts for our parts."""
    receipts_intermediate: int = 0
    receipts_with_other_id: int = 0
    other_id_is_equivalent: bool = False
    receipts_unreadable: int = 0
    waited_for_receipt: bool = False
    deliveries_repeated: int = 0
    deliveries_at_bind: int = 0
    """That came before anything was sent."""
    deliveries_foreign: int = 0
    """Receipts of messages that are not ours, while ours was waited for."""
    waited_for_mo: bool = False
    mo_texts: list[str] = attrs.field(factory=list[str])

    @property
    def last_attempt(self) -> BindAttempt | None:
        """The bind that counts."""
        return self.attempts[-1] if self.attempts else None
