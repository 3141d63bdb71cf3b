"""What `[engine.privacy]` and `[engine] retention` say of persons.

The key for hashed numbers comes from the environment or from a file of its own, never out of the TOML:
that one is shown around.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from whiteroute.engine.messages import KEEP_ALL, Privacy

from .errors import shown, under
from .reading import Reading

__all__ = ["read_privacy", "read_retention"]

_KEY: Final = "engine.privacy"
_DAYS: Final = re.compile(r"([1-9][0-9]{0,5})d")
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*")
_SECONDS_PER_DAY: Final = 86_400.0


def read_privacy(
    reading: Reading, value: object, environ: Mapping[str, str], folder: Path
) -> Privacy:
    """Read what of a person is kept; what is at fault is reported, and everything kept."""
    table = reading.table(value, _KEY)
    if table is None:
        return KEEP_ALL
    key = _read_key(reading, table, environ, folder)
    if key is None and table.get("numbers") == "hashed":
        expected = "expected key_env or key_file: without a key, hashes are found by trying"
        if not {"key_env", "key_file"} & table.keys():
            reading.report(f"{_KEY}.numbers", "hashed without a key", expected)
        table = {name: one for name, one in table.items() if name != "numbers"}
    elif key is not None and len(key) > 0 and table.get("numbers") != "hashed":
        reading.report(f"{_KEY}.numbers", "a key for plain numbers", 'expected "hashed"')
    privacy = reading.record(
        Privacy, table, _KEY, given={"key": key or b""}, besides=("key_env", "key_file")
    )
    return privacy or KEEP_ALL


def _read_key(
    reading: Reading, table: Mapping[str, object], environ: Mapping[str, str], folder: Path
) -> bytes | None:
    """Give the key, None where there is none or it is at fault; no fault shows it."""
    if "key_env" in table and "key_file" in table:
        reading.report(under(_KEY, "key_file"), "beside key_env", "expected one of the two")
        return None
    name = "key_env" if "key_env" in table else "key_file"
    if name not in table:
        return None
    place = under(_KEY, name)
    value = reading.value(str, table[name], place)
    if not isinstance(value, str):
        return None
    key: bytes | None = None
    if name == "key_env":
        found = f"{value} is not set" if _VARIABLE.fullmatch(value) else "a variable not set"
        key = environ[value].encode("utf-8", "surrogateescape") if value in environ else None
    else:
        found = f"{value!r} cannot be read"
        try:
            key = (folder / value).read_bytes().strip()
        except (OSError, ValueError):  # ValueError: a NUL in the name
            key = None
    if key is None:
        reading.report(place, found, "expected 16 to 64 octets that nobody guesses")
    elif not 16 <= len(key) <= 64:
        reading.report(place, f"a key of {len(key)} octets", "expected 16 to 64")
        key = None
    return key


def read_retention(reading: Reading, value: object) -> float | None:
    """Read after how long what is over is purged, in seconds; None for never, the default.

    Never, because a ledger is there to explain every message for ever, and what is purged cannot be
    had back; who has to forget says when.
    """
    days = _DAYS.fullmatch(value) if isinstance(value, str) else None
    if days is not None:
        return int(days[1]) * _SECONDS_PER_DAY
    if value is not None:
        reading.report("engine.retention", shown(value), 'expected days, such as "400d"')
    return None
