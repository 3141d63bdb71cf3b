"""What a value may be beyond its type, where the class itself does not look.

The classes of the lower floors check what they reason with; what only the wire would refuse, once for
every message, or what would quietly do nothing, is refused here instead.
"""

import re
from collections.abc import Callable, Collection, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Final, Literal

import attrs

from whiteroute.engine.carrier import CarrierSettings
from whiteroute.engine.messages import (
    ONE_MESSAGE_OCTETS,
    AddressOptions,
    ErrorRule,
    ErrorSpaces,
    MessageTlv,
    Numbering,
    SubmitOptions,
    TextOptions,
)
from whiteroute.engine.profile import (
    BindOptions,
    CarrierProfile,
    PaceOptions,
    RebindOptions,
    TlsOptions,
    TransportOptions,
)
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


def _are_digits(text: str) -> bool:
    return text == "" or (text.isascii() and text.isdigit())


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return text == ""
    return True


def _are_networks(texts: Collection[str]) -> bool:
    try:
        for text in texts:
            ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _are_fingerprints(pins: Collection[str]) -> bool:
    return all(_FINGERPRINT.fullmatch(pin.replace(":", "")) for pin in pins)


def _says_something(rule: ErrorRule) -> bool:
    # A rule matches its own values, unless it has none.
    return rule.matches(
        rule.command_status, rule.stat or "", rule.err or "", rule.network_error_code or b""
    )


_FINGERPRINT: Final = re.compile(r"[0-9A-Fa-f]{64}")
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
_TAG: Final = _between(0, 0xFFFF)
_DIGITS: Final = Limit("digits", _are_digits)

LIMITS: Final[Mapping[tuple[type, str], Limit]] = {
    (CarrierSettings, "hosts"): _SOME,
    (CarrierSettings, "system_id"): _WIRE_TEXT,
    (CarrierSettings, "password"): _WIRE_TEXT,
    (CarrierSettings, "binds"): _ONE_OR_MORE,
    (CarrierSettings, "window"): _ONE_OR_MORE,
    (CarrierSettings, "tps"): _POSITIVE,
    (CarrierSettings, "outbind_system_id"): _WIRE_TEXT,
    (CarrierSettings, "outbind_sources"): Limit(
        'addresses or networks, such as "192.0.2.0/24"', _are_networks
    ),
    # A PDU is never shorter than its header.
    (SessionSettings, "max_command_length"): Limit("16 or more", lambda value: value >= 16),
    (CarrierProfile, "version"): _ONE_OR_MORE,
    (TransportOptions, "source_address"): Limit("an address, such as 192.0.2.7", _is_address),
    (TransportOptions, "connect_timeout"): _POSITIVE,
    (TlsOptions, "pins"): Limit(
        "SHA-256 of certificates, each 64 hexadecimal digits with or without colons",
        _are_fingerprints,
    ),
    (RebindOptions, "first_delay"): _POSITIVE,
    (RebindOptions, "longest_delay"): _POSITIVE,
    (RebindOptions, "already_bound_delay"): _POSITIVE,
    (RebindOptions, "bind_failed_delay"): _POSITIVE,
    (RebindOptions, "attempts_per_minute"): _ONE_OR_MORE,
    (RebindOptions, "fail_back_after"): _NOT_NEGATIVE,
    (PaceOptions, "tps_per_bind"): _POSITIVE,
    (PaceOptions, "decrease"): Limit("more than 0 and less than 1", lambda value: 0 < value < 1),
    (PaceOptions, "increase"): Limit("more than 0, at most 1", lambda value: 0 < value <= 1),
    (PaceOptions, "throttle_delay"): _NOT_NEGATIVE,
    (PaceOptions, "slow_response"): _POSITIVE,
    (BindOptions, "most_binds"): _ONE_OR_MORE,
    (BindOptions, "interface_version"): Limit(
        "0x33, 0x34 or 0x50", lambda value: value in set(InterfaceVersion)
    ),
    (BindOptions, "system_type"): _WIRE_TEXT,
    (BindOptions, "addr_ton"): _OCTET,
    (BindOptions, "addr_npi"): _OCTET,
    (BindOptions, "address_range"): _WIRE_TEXT,
    (Numbering, "ton"): _OCTET,
    (Numbering, "npi"): _OCTET,
    (AddressOptions, "national_code"): _DIGITS,
    (AddressOptions, "national_prefix"): _DIGITS,
    (TextOptions, "max_octets"): _between(ONE_MESSAGE_OCTETS, 254),
    (TextOptions, "data_codings"): Limit(
        "numbers from 0 to 255", lambda table: all(map(_OCTET.holds, table.values()))
    ),
    (MessageTlv, "tag"): _TAG,
    (SubmitOptions, "max_validity"): _POSITIVE,
    (SubmitOptions, "service_type"): _WIRE_TEXT,
    (SubmitOptions, "protocol_id"): _OCTET,
    (SubmitOptions, "priority_flag"): _OCTET,
    (SubmitOptions, "esm_mode"): _between(0, 3),
    (SubmitOptions, "registered_delivery"): _OCTET,
    (ReceiptDialect, "data_coding"): _OCTET,
    (ReceiptDialect, "network_tag"): _TAG,
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
