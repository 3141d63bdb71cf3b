"""What went wrong in TLS, in words: OpenSSL's reasons and a peer's alerts, each with its probable cause."""

import ssl
from datetime import datetime

from .certificates import SeenCertificate, read_certificate
from .errors import TransportError
from .recognition import recognise

__all__ = ["certificate_shown", "explain_tls"]

MISMATCH = {62: "name", 64: "address"}
"""Python's verify_code for a certificate that is for somebody else. (63 is e-mail.)"""
EXPIRED, NOT_YET_VALID, SELF_SIGNED = 10, 9, 18
UNKNOWN_AUTHORITY = {2, 19, 20, 21, 27}

NOT_TLS = {
    "WRONG_VERSION_NUMBER",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "UNKNOWN_PROTOCOL",
    "HTTP_REQUEST",
    "UNEXPECTED_MESSAGE",
}
"""Reasons that come of octets that are no TLS at all."""

PEER_SAYS = {
    "HANDSHAKE_FAILURE": "no cipher in common, or it wants a certificate of ours",
    "PROTOCOL_VERSION": "it speaks only older versions of TLS than minimum_version",
    "INSUFFICIENT_SECURITY": "it wants stronger ciphers than we have",
    "CERTIFICATE_REQUIRED": "it wants a certificate of ours: set certificate_file",
    "UNKNOWN_CA": "it does not know who issued our certificate",
    "BAD_CERTIFICATE": "it refuses our certificate, or wants one",
    "UNSUPPORTED_CERTIFICATE": "it refuses the kind of our certificate",
    "CERTIFICATE_EXPIRED": "our certificate has expired, or its clock is wrong",
    "CERTIFICATE_REVOKED": "our certificate is revoked",
    "CERTIFICATE_UNKNOWN": "it refuses our certificate",
    "ACCESS_DENIED": "it knows our certificate and does not let it in",
    "DECRYPT_ERROR": "our certificate and key are not what it expects",
    "UNRECOGNIZED_NAME": "it does not know the name asked for by SNI: see server_name",
    "INTERNAL_ERROR": "something is wrong with itself",
    "USER_CANCELLED": "it gave up",
}
"""What a peer's alert means here, by the end of OpenSSL's reason. Spec: RFC 8446 §6.2."""


def explain_tls(
    error: BaseException,
    *,
    name: str = "",
    first_octets: bytes = b"",
    own_certificate: bool = False,
) -> TransportError:
    """Make OpenSSL's or the stream's error one for people; the place is not in it yet.

    Args:
        error: What was raised, or its cause.
        name: Whom the certificate had to be for.
        first_octets: What the peer sent first, if known.
        own_certificate: Whether we have a certificate to show.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return _distrusted(error, name)
    spoken = recognise(first_octets)
    reason = getattr(error, "reason", None) or ""
    if first_octets and not spoken.startswith("TLS"):
        found = (
            f"an answer in {spoken}" if spoken else f"an answer that begins {first_octets[:8]!r}"
        )
        return _fault(found, "TLS", "the port does not speak TLS")
    if reason in NOT_TLS:
        return _fault("an answer that is not TLS", "TLS")
    if isinstance(error, ssl.SSLEOFError) or reason == "UNEXPECTED_EOF_WHILE_READING":
        hint = "" if spoken else "the port does not speak TLS, or our address is not let in"
        return _fault("the connection was closed during the TLS handshake", hint=hint)
    if reason == "UNSUPPORTED_PROTOCOL":
        return _fault("the peer chose an older TLS", "minimum_version at least")
    for ending, meaning in PEER_SAYS.items():
        if reason.endswith(ending) and ("ALERT" in reason or ending == "UNRECOGNIZED_NAME"):
            said = ending.lower().replace("_", " ")
            if ending == "HANDSHAKE_FAILURE" and own_certificate:
                meaning = "no cipher in common, or it refuses our certificate"
            return _fault(f"the peer ended TLS with the alert {said}", hint=meaning)
    if isinstance(error, ssl.SSLError):
        return _fault(f"TLS failed: {reason.lower().replace('_', ' ') or error}")
    if isinstance(error, ConnectionError):
        hint = "the port does not speak TLS, or our address is not let in"
        text = (error.strerror or str(error)).lower()
        return _fault(f"{text} during the TLS handshake", hint=hint, number=error.errno)
    return _fault(f"TLS failed: {str(error) or type(error).__name__}")


def certificate_shown(error: BaseException) -> SeenCertificate | None:
    """Give the certificate that an error refuses, where Python tells it."""
    shown: bytes = getattr(error, "shown", b"")
    return read_certificate(shown) if shown else None


def _distrusted(error: ssl.SSLCertVerificationError, name: str) -> TransportError:
    seen = certificate_shown(error) or SeenCertificate(sha256="")
    code = error.verify_code
    if code in MISMATCH:
        hint = f"set server_name if that is the carrier's {MISMATCH[code]}"
        return _fault(f"the certificate is for {seen.whom}", f"it to be for {name}", hint)
    if code == EXPIRED:
        return _fault(f"the certificate expired on {_day(seen.not_after)}", hint=_whose(seen))
    if code == NOT_YET_VALID:
        found = f"the certificate is valid only from {_day(seen.not_before)}"
        return _fault(found, hint="or our clock is wrong")
    if code == SELF_SIGNED:
        found = f"the certificate of {seen.subject or 'the peer'} is signed by itself"
        hint = f'give it as ca_file, or set verify = "pinned" and pins = ["{seen.sha256}"]'
        return _fault(found, "a known authority", f"if it is the carrier's, {hint}")
    if code in UNKNOWN_AUTHORITY:
        found = f"the certificate was issued by {seen.issuer or 'an authority'}, which is not known"
        return _fault(found, "an authority of ca_file, or of the system", _whose(seen))
    return _fault(f"the certificate does not hold: {error.verify_message}", hint=_whose(seen))


def _fault(
    found: str, expected: str = "", hint: str = "", number: int | None = None
) -> TransportError:
    return TransportError(found, stage="tls", expected=expected, hint=hint, number=number)


def _whose(seen: SeenCertificate) -> str:
    return f"it is for {seen.whom}" if seen.sha256 else ""


def _day(instant: datetime | None) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC" if instant else "a day that could not be read"
