"""Why no stream was had: the stage it failed at, what was found there, and what was expected."""

import errno
from typing import Literal

__all__ = ["TransportStage", "TlsOptionError", "TransportError"]

TransportStage = Literal["dns", "tcp", "proxy", "tls"]
"""The steps of opening a stream, in order: the name, the connection, the header of the PROXY protocol,
and the encryption."""


class TransportError(OSError):
    """No stream, or none that may be used. Nothing of it is open any more.

    `strerror` is what a person needs to read when the host is known; `str` has the host before it.
    `errno` is the system's number where it has one, or ECONNABORTED.
    """

    stage: TransportStage

    def __init__(
        self,
        found: str,
        *,
        stage: TransportStage,
        host: str = "",
        address: str = "",
        expected: str = "",
        hint: str = "",
        number: int | None = None,
    ) -> None:
        """Say what is the matter.

        Args:
            found: What was found, e.g. `the certificate is for smsc.example.net`.
            stage: How far the opening had come.
            host: Where to, as it was asked for: `smsc.example.com:3550`.
            address: Of the host's addresses the one it is about; empty if about all of them.
            expected: What would have been right; empty where `found` says it.
            hint: The probable cause, where one is known.
            number: The system's errno.
        """
        self.stage = stage
        self.found, self.expected, self.hint = found, expected, hint
        self.host, self.address = host, address
        why = (
            found + (f", expected {expected}" if expected else "") + (f" ({hint})" if hint else "")
        )
        if address and address != host:
            why = f"{address}: {why}"
        super().__init__(errno.ECONNABORTED if number is None else number, why)

    def __str__(self) -> str:
        return f"{self.host}: {self.strerror}" if self.host else str(self.strerror)

    def at(self, host: str, address: str = "") -> "TransportError":
        """Give the same error with the place that was not known where it was raised."""
        return TransportError(
            self.found,
            stage=self.stage,
            host=host,
            address=address or self.address,
            expected=self.expected,
            hint=self.hint,
            number=self.errno,
        )


class TlsOptionError(ValueError):
    """An option of `TlsOptions` that cannot be used, such as a file that does not hold what it should."""

    def __init__(self, option: str, found: str, expected: str) -> None:
        """Say which option, what was found there, and what would have been right."""
        self.option, self.found, self.expected = option, found, expected
        super().__init__(option, found, expected)

    def __str__(self) -> str:
        return f"{self.option}: {self.found}, expected {self.expected}"
