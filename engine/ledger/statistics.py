"""How a ledger is doing, counted by its writer and read by whoever asks."""

import attrs

from .errors import LedgerError

__all__ = ["Counts", "LedgerStatistics"]


@attrs.frozen(kw_only=True)
class LedgerStatistics:
    """How a ledger is doing."""

    where: str
    written: int
    """Records on disk."""
    refused: int
    """Records that could not be written."""
    waiting: int
    """Records handed in and not yet told about."""
    room: int
    groups: int
    """Transactions tried."""
    largest_group: int
    writing_time: float
    """Seconds spent in transactions, disk included."""
    last_error: str
    """Empty as long as every transaction succeeded."""


@attrs.define(eq=False)
class Counts:
    """What `LedgerStatistics` is made of; written by the writer alone."""

    written: int = 0
    refused: int = 0
    groups: int = 0
    largest_group: int = 0
    writing_time: float = 0.0
    last_error: str = ""

    def count(self, size: int, took: float, error: LedgerError | None) -> None:
        """Count one transaction: its records, the seconds it took, and why it failed if it did."""
        self.groups += 1
        self.writing_time += took
        if error is not None:
            self.refused += size
            self.last_error = str(error)
            return
        self.written += size
        self.largest_group = max(self.largest_group, size)

    def statistics(self, *, where: str, waiting: int, room: int) -> LedgerStatistics:
        """Say it all, with what only the ledger itself knows."""
        return LedgerStatistics(
            where=where,
            written=self.written,
            refused=self.refused,
            waiting=waiting,
            room=room,
            groups=self.groups,
            largest_group=self.largest_group,
            writing_time=self.writing_time,
            last_error=self.last_error,
        )
