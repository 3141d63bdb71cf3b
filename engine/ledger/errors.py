"""What can be wrong with a ledger, told so that someone can mend it.

A peer's refusal is never an error here; only a disk that cannot be written, a file that is not ours,
and a record that cannot be stored are.
"""

import attrs

__all__ = ["EntryError", "LedgerError"]


@attrs.define(eq=False)
class LedgerError(Exception):
    """The ledger cannot do what was asked; nothing of it was written.

    While a ledger cannot write, nothing may be acknowledged and nothing may be sent.
    """

    found: str
    """What is the matter, e.g. `the disk is full`."""
    expected: str
    """What would have been right, e.g. `room for 12 records`."""
    where: str
    """The file."""

    def __str__(self) -> str:
        return f"{self.where}: {self.found}, expected {self.expected}"


class EntryError(LedgerError):
    """One record of a batch cannot be stored, e.g. a number beyond 64 bits; the ledger is well.

    The rest of the batch can be written without it.
    """
