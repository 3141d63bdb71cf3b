"""Who owns a ledger: an operating system's lock on a file beside it.

The lock dies with its process, however that ends, so a reader can tell attempts that are running
from attempts that were abandoned. It is advisory: it keeps engines apart, not people with editors.
On POSIX it is `flock`; a network file system that does not carry flock between hosts does not keep
two hosts apart. On Windows it is a lock on the file's first octet.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Final

from .errors import LedgerError

if sys.platform == "win32":  # pragma: no cover - tried by hand; the gate runs on POSIX
    import msvcrt
else:
    import fcntl

__all__ = ["OwnerLock", "is_owned", "lock_path"]

_TRIES: Final = 20
_TRY_INTERVAL: Final = 0.01
"""Seconds. A reader holds the lock for microseconds while it looks; that must not refuse an engine."""


def lock_path(ledger: Path) -> Path:
    """Say which file's lock stands for a ledger."""
    return ledger.with_name(ledger.name + ".lock")


class OwnerLock:
    """The ownership of one ledger, from `take` to `release` or to the end of the process."""

    def __init__(self, ledger: Path) -> None:
        self._path = lock_path(ledger)
        self._ledger = ledger
        self._file: int | None = None

    def take(self) -> None:
        """Become the owner. May block for a fifth of a second when someone else is.

        Raises:
            LedgerError: Another engine owns it, or the lock file cannot be written.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise LedgerError(
                f"the lock file cannot be opened ({error.strerror})",
                "a folder that this user may write to",
                str(self._path),
            ) from error
        pause = threading.Event()
        for _ in range(_TRIES):
            if _try_lock(file, shared=False):
                os.ftruncate(file, 0)
                os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
                self._file = file
                return
            pause.wait(_TRY_INTERVAL)
        owner = os.pread(file, 20, 0).decode("ascii", "replace").strip()
        os.close(file)
        raise LedgerError(
            f"another engine owns it (process {owner or 'unknown'})",
            "one engine for one ledger",
            str(self._ledger),
        )

    def release(self) -> None:
        """Give it up; harmless when it was not held. The lock file stays, empty of meaning."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def is_owned(ledger: Path) -> bool:
    """Say whether a living engine owns a ledger, without disturbing it."""
    try:
        file = os.open(lock_path(ledger), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try_lock(file, shared=True)
    finally:
        os.close(file)


if sys.platform == "win32":  # pragma: no cover - tried by hand; the gate runs on POSIX

    def _try_lock(file: int, *, shared: bool) -> bool:
        """Try to lock; Windows has no shared locks here, so a look is as strong as a lock."""
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _try_lock(file: int, *, shared: bool) -> bool:
        """Try to lock, and never wait; closing the file gives it up."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
