"""From the options of TLS to OpenSSL's settings, made once, and every fault of a file told by its option.

A file that changes is read again before the next handshake, so a certificate that is renewed on disk
is in use from the next bind on.
"""

import ssl
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from whiteroute.engine.profile import TlsOptions

from .errors import TlsOptionError

__all__ = ["check_tls", "context_of", "make_context", "pins_of"]

KEPT_CONTEXTS: Final = 256
"""How many settings are kept ready. Measured: making one takes 20 ms where the system's authorities are
loaded, which is as long as a handshake; one for each account on a large gateway fit."""

VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

Stamp = tuple[str, int, int, int]
"""A file and what changes with its content: the inode, the time of its last change, and its size."""


def check_tls(options: TlsOptions) -> None:
    """Look at everything that `options` name, so that a fault is told before any bind.

    Raises:
        TlsOptionError: For the first option that cannot be used.
    """
    context_of(options)


def context_of(options: TlsOptions) -> ssl.SSLContext:
    """Give OpenSSL's settings for `options`; the same ones as long as no file has changed.

    Raises:
        TlsOptionError: For an option that cannot be used.
    """
    pins_of(options)
    return _kept(options, tuple(_stamp(options, name) for name in _files(options)))


def pins_of(options: TlsOptions) -> frozenset[str]:
    """Give the pins as lower case hex.

    Raises:
        TlsOptionError: If one is not a SHA-256, or if there is none where only pins count.
    """
    pins = set()
    for pin in options.pins:
        digits = pin.replace(":", "").replace(" ", "").lower()
        if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
            raise TlsOptionError("pins", repr(pin), "the 64 hex digits of a SHA-256")
        pins.add(digits)
    if options.verify == "pinned" and not pins:
        raise TlsOptionError("pins", "none", 'the SHA-256 of a certificate, as verify is "pinned"')
    return frozenset(pins)


def make_context(options: TlsOptions) -> ssl.SSLContext:
    """Make OpenSSL's settings for `options` anew.

    Raises:
        TlsOptionError: For an option that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = VERSIONS[options.minimum_version]
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.sslobject_class = _ShowingObject
    if options.verify == "pinned":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.check_hostname = options.verify == "full"
        _load_authorities(context, options.ca_file)
    if options.certificate_file:
        _load_own_certificate(context, options)
    elif options.key_file:
        raise TlsOptionError("certificate_file", "none", "the certificate that key_file belongs to")
    return context


class _ShowingObject(ssl.SSLObject):
    """Adds the certificates that were shown to the error that refuses them, as attribute `shown`."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            error.shown = _shown_to(self)  # type: ignore[attr-defined]
            raise


def _shown_to(connection: ssl.SSLObject) -> bytes:
    """The peer's certificate in DER although it was not accepted; empty where Python does not tell."""
    # Python 3.13 has a public method that gives DER; before it the object beneath has one of its own.
    tell: Callable[[], list[Any]] | None
    tell = getattr(connection, "get_unverified_chain", None) or getattr(
        getattr(connection, "_sslobj", None), "get_unverified_chain", None
    )
    chain = tell() if tell else None
    if not chain:
        return b""
    first = chain[0]
    if isinstance(first, bytes):
        return first
    pem: str = first.public_bytes()
    return ssl.PEM_cert_to_DER_cert(pem)


@lru_cache(KEPT_CONTEXTS)
def _kept(options: TlsOptions, _stamps: tuple[Stamp, ...]) -> ssl.SSLContext:
    return make_context(options)


def _files(options: TlsOptions) -> list[str]:
    names = ["certificate_file", "key_file"]
    if options.verify != "pinned":
        names.append("ca_file")
    return [name for name in names if getattr(options, name)]


def _stamp(options: TlsOptions, name: str) -> Stamp:
    path: str = getattr(options, name)
    try:
        state = Path(path).stat()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise TlsOptionError(name, f"{path}: {reason}", "a PEM file that can be read") from None
    return path, state.st_ino, state.st_mtime_ns, state.st_size


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    if not path:
        context.load_default_certs()
        return
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise TlsOptionError("ca_file", f"{path} holds none", "certificates in PEM") from None
    except OSError as error:
        raise TlsOptionError("ca_file", f"{path}: {error.strerror}", "a PEM file") from None
    # Carrier: some give out their intermediate authority or their one self-signed certificate only.
    # Whoever names it here trusts it, root or not.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN


def _load_own_certificate(context: ssl.SSLContext, options: TlsOptions) -> None:
    certificate, key = options.certificate_file, options.key_file
    holds_key = "key_file" if key else "certificate_file"

    def refuse() -> str:
        # Without an answer of ours OpenSSL would ask at the terminal, for ever in a service.
        raise TlsOptionError(
            holds_key, f"the key in {key or certificate} is encrypted", "a bare key"
        )

    try:
        context.load_cert_chain(certificate, key or None, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            found, expected = f"the key in {key or certificate}", f"the key of {certificate}"
            raise TlsOptionError(holds_key, found, expected) from None
        if _holds_certificate(certificate):
            found = f"no key in {key or certificate} that OpenSSL reads"
            raise TlsOptionError(holds_key, found, "a private key in PEM") from None
        found = f"no certificate in {certificate} that OpenSSL reads"
        raise TlsOptionError("certificate_file", found, "one in PEM") from None
    except OSError as error:
        found = f"{certificate}{f' or {key}' if key else ''}: {error.strerror}"
        raise TlsOptionError("certificate_file", found, "files that can be read") from None


def _holds_certificate(path: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except OSError:
        return False
    return True
