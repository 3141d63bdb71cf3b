"""The life of a message, as rules without I/O: the front door of `engine.messages`."""

from .adoption import (
    Doubt,
    find_adopter,
    quoted_text,
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
from .conversations import (
    InboundLine,
    InboundRecord,
    InboundState,
    pair_of,
)
from .effects import (
    Conflicting,
    Contradicted,
    Duplicate,
    Effect,
    Held,
    InboundReady,
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
from .hashed_numbers import country_code, is_same_number
from .id_learning import (
    AcceptedId,
    IdCandidate,
    IdExample,
    IdFinding,
    IdLesson,
    ReceivedId,
    learn_message_ids,
)
from .inbound import (
    InboundReader,
)
from .lines import (
    AttemptLine,
    MessageLine,
    Page,
    ReceiptLine,
)
from .marks import (
    Mark,
)
from .matching import (
    Book,
)
from .message import (
    DuplicatePolicy,
    Message,
    Outcome,
)
from .message_tlv import (
    MessageTlv,
)
from .options import (
    ONE_MESSAGE_OCTETS,
    AddressOptions,
    Numbering,
    SubmitOptions,
    TextOptions,
)
from .outages import (
    EngineRun,
    Outage,
    OutageEnd,
    OutagePhase,
    Uptime,
    find_outages,
    measure_uptime,
    root_cause_of,
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
from .privacy import KEEP_ALL, Privacy
from .records import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    CeilingLearned,
    Entry,
    EvidenceKept,
    InboundAcknowledged,
    InboundArrived,
    InboundGivenUp,
    LinkChanged,
    MessageClosed,
    MessageRerouted,
    MessageTaken,
    ReceiptArrived,
    ReceiptOrphaned,
    RootCause,
    RouteChanged,
    RunSeen,
    RunStarted,
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
    "ONE_MESSAGE_OCTETS",
    "AddressOptions",
    "MessageTlv",
    "Numbering",
    "SubmitOptions",
    "TextOptions",
    "make_parts",
    # What comes in
    "InboundReader",
    "InboundLine",
    "InboundRecord",
    "InboundState",
    "pair_of",
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
    "CeilingLearned",
    "Entry",
    "EvidenceKept",
    "InboundAcknowledged",
    "InboundArrived",
    "InboundGivenUp",
    "LinkChanged",
    "MessageClosed",
    "MessageRerouted",
    "MessageTaken",
    "ReceiptArrived",
    "ReceiptOrphaned",
    "RootCause",
    "RouteChanged",
    "RunSeen",
    "RunStarted",
    # When links were down
    "EngineRun",
    "Outage",
    "OutageEnd",
    "OutagePhase",
    "Uptime",
    "find_outages",
    "measure_uptime",
    "root_cause_of",
    # What that turned out to mean
    "Conflicting",
    "Contradicted",
    "Duplicate",
    "Effect",
    "Held",
    "InboundReady",
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
    # Persons
    "KEEP_ALL",
    "Privacy",
    "country_code",
    "is_same_number",
    "find_adopter",
    "quoted_text",
    # How ids are spelt
    "AcceptedId",
    "IdCandidate",
    "IdExample",
    "IdFinding",
    "IdLesson",
    "ReceivedId",
    "learn_message_ids",
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
