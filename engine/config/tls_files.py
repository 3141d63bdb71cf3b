"""The files that a TLS setting names: found beside the TOML that names them, and looked at before any bind.

What is in them is judged by `whiteroute.engine.transport`, which will use them; here a fault gets its key,
so that it is told when the engine starts, and not by a bind that fails at night.
"""

from pathlib import Path

import attrs

from whiteroute.engine.profile import TlsOptions
from whiteroute.engine.transport import TlsOptionError, check_tls

from .reading import Reading

__all__ = ["find_tls_files"]


def find_tls_files(reading: Reading, tls: TlsOptions, key: str, folder: Path) -> TlsOptions:
    """Give the setting with paths that hold wherever the process stands.

    Args:
        reading: Where faults are reported.
        tls: As it was read.
        key: Where it stands.
        folder: What its paths are relative to.
    """
    found = attrs.evolve(
        tls,
        ca_file=_beside(folder, tls.ca_file),
        certificate_file=_beside(folder, tls.certificate_file),
        key_file=_beside(folder, tls.key_file),
    )
    try:
        check_tls(found)
    except TlsOptionError as error:
        reading.report(
            f"{key}.{error.option}", _on_one_line(error.found), f"expected {error.expected}"
        )
    return found


def _beside(folder: Path, named: str) -> str:
    return str(folder / named) if named else ""


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
