"""Routing: which direct route carries a message, and why no other: decided, never sent, in here.

Pure: no clock, no chance, no I/O. Carriers are known by name only.
"""

from .covering import Coverage, coverage, reasons_against
from .decision import Decision, RoutingRequest, choose
from .errors import NumberError, RoutingFactError
from .evidence import EvidenceBook
from .failover import (
    FAILOVER,
    AttemptState,
    Condition,
    FailoverRule,
    FailoverVerdict,
    another_route_after,
)
from .findings import Family, Finding, Severity, Suspicion
from .networks import (
    Confidence,
    Network,
    NetworkInfo,
    NetworkResolver,
    NetworkSource,
    NumberingPlan,
    PlanResolver,
    PlanRow,
)
from .numbers import SenderKind, normalise_msisdn, sender_kind
from .policy import DEFAULT_POLICY, Criterion, OnUnresolved, Policy
from .rank import RankedRoute, Scores
from .reasons import CandidateRejection, Reason, ReasonCode, Stage
from .refusal import DirectRouteUnavailable, NoDirectRouteError
from .reviewing import Remark, RemarkCode, review
from .route import (
    Agreement,
    AgreementKind,
    Interconnect,
    InterconnectKind,
    Peer,
    Price,
    Route,
    SenderPolicy,
    TrafficClass,
)
from .settings import EvidenceSettings
from .standing import Availability, Evidence, RouteState, Standing
from .table import RouteTable
from .track import Transition

__all__ = [
    # Numbers and networks
    "Confidence",
    "Network",
    "NetworkInfo",
    "NetworkResolver",
    "NetworkSource",
    "NumberingPlan",
    "PlanResolver",
    "PlanRow",
    "SenderKind",
    "normalise_msisdn",
    "sender_kind",
    # Routes as declared
    "Agreement",
    "AgreementKind",
    "Interconnect",
    "InterconnectKind",
    "Peer",
    "Price",
    "Route",
    "RouteTable",
    "SenderPolicy",
    "TrafficClass",
    # Our demands
    "DEFAULT_POLICY",
    "Criterion",
    "OnUnresolved",
    "Policy",
    # What is known of routes besides
    "Availability",
    "Evidence",
    "RouteState",
    "Standing",
    # What was observed of them
    "EvidenceBook",
    "EvidenceSettings",
    "Family",
    "Finding",
    "Severity",
    "Suspicion",
    "Transition",
    # The decision
    "CandidateRejection",
    "Decision",
    "RankedRoute",
    "Reason",
    "ReasonCode",
    "RoutingRequest",
    "Scores",
    "Stage",
    "choose",
    # After an attempt
    "FAILOVER",
    "AttemptState",
    "Condition",
    "FailoverRule",
    "FailoverVerdict",
    "another_route_after",
    # All routes at once
    "Coverage",
    "Remark",
    "RemarkCode",
    "coverage",
    "reasons_against",
    "review",
    # What is raised
    "DirectRouteUnavailable",
    "NoDirectRouteError",
    "NumberError",
    "RoutingFactError",
]
