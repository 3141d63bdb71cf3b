"""The life of a message, as rules without I/O: the front door of `engine.messages`."""

from .adoption import (
    Doubt,
    find_adopter,
)
from .canonical import (
    NATURES,
    NO_ERROR,
    Canonical,
    Failover,
    MappedError,
    Nature,
    Permanence,
    Scope,
)
from .canonical_tables import (
    ANSI41_CAUSES,
    DELIVERY_FAILURE_REASONS,
    MAP_ERRORS,
    MESSAGE_STATES,
    RP_CAUSES,
    STATS,
    STATUSES,
    TP_FCS,
    StatusClass,
    StatusVerdict,
    classify_status,
    verdict_for,
)
from .effects import (
    Conflicting,
    Contradicted,
    Duplicate,
    Effect,
    Held,
    Known,
    Matched,
    Parked,
    ReceiptVerdict,
    Recorded,
)
from .error_mapping import (
    GENERIC_ERRORS,
    ErrorRule,
    ErrorSpaces,
    map_error,
)
from .inbound import (
    InboundReader,
)
from .lines import (
    AttemptLine,
    Mark,
    MessageLine,
    Page,
    ReceiptLine,
)
from .matching import (
    Book,
)
from .message import (
    DuplicatePolicy,
    Message,
    Outcome,
)
from .options import (
    AddressOptions,
    Numbering,
    SubmitOptions,
    TextOptions,
)
from .outcome import (
    Accepted,
    InDoubt,
    Refused,
    Retry,
    Silence,
    Verdict,
    judge_answer,
    judge_silence,
)
from .outgoing import (
    make_parts,
)
from .records import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    Entry,
    InboundArrived,
    LinkChanged,
    MessageClosed,
    MessageTaken,
    ReceiptArrived,
)
from .states import (
    FINAL_STATES,
    FOLLOWERS,
    TRANSITIONS,
    DeliveryState,
    Happening,
    ReceiptNews,
    ReportingParts,
    happening_told_by,
    message_state,
    next_state,
    part_state,
    receipt_kind_of,
)

__all__ = [
    # A message and what came of it
    "DuplicatePolicy",
    "Message",
    "Outcome",
    # How it is written
    "AddressOptions",
    "Numbering",
    "SubmitOptions",
    "TextOptions",
    "make_parts",
    # What comes in
    "InboundReader",
    # Where messages stand
    "FINAL_STATES",
    "FOLLOWERS",
    "TRANSITIONS",
    "DeliveryState",
    "Happening",
    "ReceiptNews",
    "ReportingParts",
    "happening_told_by",
    "message_state",
    "next_state",
    "part_state",
    "receipt_kind_of",
    # What the ledger is told
    "AttemptEnded",
    "AttemptOutcome",
    "AttemptStarted",
    "Entry",
    "InboundArrived",
    "LinkChanged",
    "MessageClosed",
    "MessageTaken",
    "ReceiptArrived",
    # What that turned out to mean
    "Conflicting",
    "Contradicted",
    "Duplicate",
    "Effect",
    "Held",
    "Known",
    "Matched",
    "Parked",
    "ReceiptVerdict",
    "Recorded",
    # How the ledger keeps it
    "AttemptLine",
    "Mark",
    "MessageLine",
    "Page",
    "ReceiptLine",
    "Book",
    # Whose an orphan may be
    "Doubt",
    "find_adopter",
    # What an answer means
    "Accepted",
    "InDoubt",
    "Refused",
    "Retry",
    "Silence",
    "Verdict",
    "judge_answer",
    "judge_silence",
    # What an error means
    "NATURES",
    "NO_ERROR",
    "Canonical",
    "Failover",
    "MappedError",
    "Nature",
    "Permanence",
    "Scope",
    "ANSI41_CAUSES",
    "DELIVERY_FAILURE_REASONS",
    "MAP_ERRORS",
    "MESSAGE_STATES",
    "RP_CAUSES",
    "STATS",
    "STATUSES",
    "TP_FCS",
    "StatusClass",
    "StatusVerdict",
    "classify_status",
    "verdict_for",
    "GENERIC_ERRORS",
    "ErrorRule",
    "ErrorSpaces",
    "map_error",
]
