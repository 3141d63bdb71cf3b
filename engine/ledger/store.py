"""What any place that keeps a ledger has to do; the seam between the rules and the disk.

Four verbs. What a record means is decided by `whiteroute.engine.messages`, the same for every
store, so a new one only has to keep lines and give them back. `tests/ledger/test_conformance.py`
says whether it does.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from whiteroute.engine.messages import DeliveryState, Doubt, Effect, Entry

from .purge import Purge, Purged
from .reading import LedgerReader

__all__ = ["LedgerStore"]


class LedgerStore(Protocol):
    """Keeps a ledger. Called from one thread at a time; its readers may be used from others."""

    @property
    def where(self) -> str:
        """What to call it in an error: the file, or `memory`."""
        ...

    def write(self, entries: Sequence[Entry]) -> list[Effect]:
        """Write records in order, all or none.

        Returns:
            One effect for each entry. When this returns, the records are as safe as the store can
            make them.

        Raises:
            EntryError: A record cannot be stored; none was written.
            LedgerError: The store cannot write now; none was written, and a later call may succeed.
        """
        ...

    def known(self, message_refs: Iterable[str]) -> dict[str, DeliveryState]:
        """Say which of these messages are in the ledger, and where they stand."""
        ...

    def recover(self, now_at: int) -> tuple[Doubt, ...]:
        """Mark every attempt without an outcome as IN_DOUBT, and return them.

        Called once by a new owner, before anything is sent.

        Args:
            now_at: Microseconds since the epoch; becomes the time at which the attempts ended.
        """
        ...

    def begin_purge(self, purge: Purge) -> int:
        """Note that something is to be purged; it goes on by `purge_some`, also after a restart.

        Returns:
            The number by which `Purged.order` tells it from others.

        Raises:
            LedgerError: The store cannot write now.
        """
        ...

    def purge_some(self, seconds: float) -> Purged | None:
        """Purge what was noted first, for about so many seconds.

        Returns:
            How far that one is; None when nothing is to be purged.

        Raises:
            LedgerError: The store cannot write now; a later call goes on.
        """
        ...

    def open_reader(self) -> LedgerReader:
        """Open something to read with; to be closed by the caller."""
        ...

    def close(self) -> None:
        """Give everything up; harmless when it is closed already."""
        ...
