"""What a value may be beyond its type, where the class itself does not look.

The classes of the lower floors check what they reason with; what only the wire would refuse, once for
every message, or what would quietly do nothing, is refused here instead.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Literal

import attrs

from whiteroute.engine.carrier import CarrierSettings
from whiteroute.engine.messages import ErrorRule, ErrorSpaces, Numbering, SubmitOptions
from whiteroute.engine.profile import BindOptions
from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import InterfaceVersion, ReceiptDialect
from whiteroute.routing import Agreement, Criterion, OnUnresolved, Peer, Policy, TrafficClass

__all__ = ["FOUND_OUT", "KINDS", "LIMITS", "Limit"]


@attrs.frozen
class Limit:
    """One demand on a value."""

    words: str
    """What is allowed, for people."""
    holds: Callable[[Any], bool]
    """Asked only about values of the right type."""


def _between(least: float, most: float) -> Limit:
    return Limit(f"{least} to {most}", lambda value: least <= value <= most)


def _is_mcc(text: str) -> bool:
    return len(text) == 3 and text.isascii() and text.isdigit()


def _are_mccs(texts: Collection[str]) -> bool:
    return all(map(_is_mcc, texts))


def _fits_the_wire(text: str) -> bool:
    return "\0" not in text and all(ord(character) < 0x100 for character in text)


def _says_something(rule: ErrorRule) -> bool:
    # A rule matches its own values, unless it has none.
    return rule.matches(
        rule.command_status, rule.stat or "", rule.err or "", rule.network_error_code or b""
    )


_OCTET: Final = _between(0, 0xFF)
_ONE_OR_MORE: Final = Limit("1 or more", lambda value: value >= 1)
_NOT_NEGATIVE: Final = Limit("0 or more", lambda value: value >= 0)
_POSITIVE: Final = Limit("more than 0", lambda value: value > 0)
_NOT_EMPTY: Final = Limit("a text that is not empty", bool)
_SOME: Final = Limit("at least one", bool)
_WIRE_TEXT: Final = Limit("characters of Latin-1 without NUL", _fits_the_wire)
_STATUS: Final = _between(0, 0xFFFF_FFFF)
_MCCS: Final = Limit('MCCs of three digits, such as "214"', _are_mccs)
_WIDTH: Final = _between(0, 20)

LIMITS: Final[Mapping[tuple[type, str], Limit]] = {
    (CarrierSettings, "hosts"): _SOME,
    (CarrierSettings, "system_id"): _WIRE_TEXT,
    (CarrierSettings, "password"): _WIRE_TEXT,
    (CarrierSettings, "binds"): _ONE_OR_MORE,
    (CarrierSettings, "window"): _ONE_OR_MORE,
    (CarrierSettings, "tps"): _POSITIVE,
    # A PDU is never shorter than its header.
    (SessionSettings, "max_command_length"): Limit("16 or more", lambda value: value >= 16),
    (BindOptions, "interface_version"): Limit(
        "0x33, 0x34 or 0x50", lambda value: value in set(InterfaceVersion)
    ),
    (BindOptions, "system_type"): _WIRE_TEXT,
    (BindOptions, "addr_ton"): _OCTET,
    (BindOptions, "addr_npi"): _OCTET,
    (BindOptions, "address_range"): _WIRE_TEXT,
    (Numbering, "ton"): _OCTET,
    (Numbering, "npi"): _OCTET,
    (SubmitOptions, "service_type"): _WIRE_TEXT,
    (SubmitOptions, "protocol_id"): _OCTET,
    (SubmitOptions, "priority_flag"): _OCTET,
    (SubmitOptions, "esm_mode"): _between(0, 3),
    (SubmitOptions, "registered_delivery"): _OCTET,
    (ReceiptDialect, "data_coding"): _OCTET,
    (ReceiptDialect, "columns"): _SOME,
    (ReceiptDialect, "err_width"): _WIDTH,
    (ReceiptDialect, "counter_width"): _WIDTH,
    (ReceiptDialect, "text_octets"): _OCTET,
    (ErrorRule, "command_status"): _STATUS,
    (ErrorSpaces, "rules"): Limit(
        "in each rule a command_status, stat, err or network_error_code: others match nothing",
        lambda rules: all(map(_says_something, rules)),
    ),
    (ErrorSpaces, "status_overrides"): Limit(
        "statuses from 0 to 0xFFFFFFFF", lambda table: all(map(_STATUS.holds, table))
    ),
    (Agreement, "id"): _NOT_EMPTY,
    (Peer, "origin_countries"): _MCCS,
    (Peer, "smsc_prefixes"): Limit(
        'beginnings of numbers, such as "34609"',
        lambda prefixes: all(prefix.isascii() and prefix.isdigit() for prefix in prefixes),
    ),
    (Policy, "portable_countries"): _MCCS,
    (Policy, "stale_max_age"): _NOT_NEGATIVE,
    (Policy, "min_validity"): _NOT_NEGATIVE,
    (Policy, "latency_targets"): Limit(
        "seconds, more than 0", lambda table: all(seconds > 0 for seconds in table.values())
    ),
}
"""By class and field."""

KINDS: Final[Mapping[tuple[type, str], object]] = {
    # A class of traffic that does not exist would be a demand that is never made.
    (Policy, "on_unresolved"): Mapping[TrafficClass, OnUnresolved],
    (Policy, "ranking"): Mapping[TrafficClass, tuple[Criterion, ...]],
    (Policy, "latency_targets"): Mapping[TrafficClass, float],
    (ReceiptDialect, "tlvs"): tuple[
        Literal["receipted_message_id", "message_state", "network_error_code"], ...
    ],
}
"""Fields that are read as something narrower than their annotation, by class and field."""

FOUND_OUT: Final = frozenset({(Peer, "hosts")})
"""Fields that are no keys: the hosts of a route are those that its carrier's binds are made to, and
what is declared beside them (`pinned_hosts`) is compared with nothing else."""
