"""What the house remembers: the ledger, where it is kept, and how to read it.

`open_ledger` is what the engine holds, `open_ledger_for_reading` what a report or a terminal holds
while that engine runs. What a record means is decided in `whiteroute.engine.messages`; a `LedgerStore`
only keeps it.
"""

from .errors import EntryError, LedgerError
from .ledger import Committed, Ledger, open_ledger
from .memory import MemoryStore
from .memory_reader import MemoryReader
from .purge import Purge, Purged
from .reading import (
    EVERYTHING,
    AttemptRecord,
    IdsSeen,
    LedgerReader,
    MessageHistory,
    MessageRecord,
    ReceiptRecord,
    Selection,
    SummaryKey,
    SummaryLine,
    UnmappedCode,
)
from .sqlite import SqliteStore, Synchronous
from .sqlite_reader import SqliteReader, open_ledger_for_reading
from .statistics import LedgerStatistics
from .store import LedgerStore
from .upkeep import LedgerCheck, check_ledger, compact_ledger, count_purge

__all__ = [
    "EVERYTHING",
    "AttemptRecord",
    "Committed",
    "EntryError",
    "IdsSeen",
    "Ledger",
    "LedgerCheck",
    "LedgerError",
    "LedgerReader",
    "LedgerStatistics",
    "LedgerStore",
    "MemoryReader",
    "MemoryStore",
    "MessageHistory",
    "MessageRecord",
    "Purge",
    "Purged",
    "ReceiptRecord",
    "Selection",
    "SqliteReader",
    "SqliteStore",
    "SummaryKey",
    "SummaryLine",
    "Synchronous",
    "UnmappedCode",
    "check_ledger",
    "compact_ledger",
    "count_purge",
    "open_ledger",
    "open_ledger_for_reading",
]
