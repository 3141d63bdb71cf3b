"""From a carrier's codes to our words: which table a number belongs to, and which rule wins.

The same number means different things to different carriers (`err:5` is an unknown subscriber to
one and a portability fault to another), so no meaning is read into a code unless the carrier's
profile says which table it comes from. Every verdict carries the rule that gave it and the raw values
it was given for.

This file never decides whether to try again: that is `outcome.py`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

import attrs

from whiteroute.pdu import MessageState

from .canonical import NO_ERROR, Canonical, MappedError, Permanence
from .canonical_tables import (
    ANSI41_CAUSES,
    DELIVERY_FAILURE_REASONS,
    MAP_ERRORS,
    MESSAGE_STATES,
    RP_CAUSES,
    STATS,
    TP_FCS,
    classify_status,
)

__all__ = ["GENERIC_ERRORS", "ErrorRule", "ErrorSpaces", "map_error"]

ErrSpace = Literal["none", "map", "rp", "vendor"]
NetworkErrorSpace = Literal["map", "rp", "tp-fcs", "vendor"]

_SPACES: Final[Mapping[str, Mapping[int, Canonical]]] = MappingProxyType(
    {"map": MAP_ERRORS, "rp": RP_CAUSES, "tp-fcs": TP_FCS}
)


def _status_table(table: Mapping[int, str]) -> Mapping[int, Canonical]:
    return MappingProxyType({status: Canonical(word) for status, word in table.items()})


def _err_table(table: Mapping[str, str]) -> Mapping[str, Canonical]:
    return MappingProxyType({_err_key(err): Canonical(word) for err, word in table.items()})


def _err_key(err: str) -> str:
    """Make `000`, `0`, ` 21B` and `21b` comparable: carriers pad, and some use hex."""
    return err.strip().lower().lstrip("0")


_NO_ERR: Final = frozenset({"", "null", "nul", "none", "..."})
"""What carriers write for "no error", by `_err_key`; 0, 000 and 0000 are all the empty key."""


@attrs.frozen(kw_only=True)
class ErrorRule:
    """One exact rule of a profile: when all the values named agree, the error is `canonical`.

    For what no table can say, e.g. that err 4 means delivered, or that `stat:CB:0007` is an empty
    account. A value that is None matches anything; a rule without any value matches nothing.
    """

    canonical: Canonical = attrs.field(converter=Canonical)
    """What it means, in our words."""
    permanence: Permanence | None = None
    """None: as usual for `canonical`."""
    command_status: int | None = None
    """Of a response."""
    stat: str | None = None
    """The word in a receipt, letter by letter."""
    err: str | None = None
    """The error in a receipt, letter by letter."""
    network_error_code: bytes | None = None
    """The TLV's octets, in hexadecimal."""

    def matches(
        self, command_status: int | None, stat: str, err: str, network_error_code: bytes
    ) -> bool:
        """Say whether every value that the rule names is the one found."""
        wanted = (self.command_status, self.stat, self.err, self.network_error_code)
        if wanted == (None, None, None, None):
            return False
        found = (command_status, stat, err, network_error_code)
        return all(want is None or want == have for want, have in zip(wanted, found, strict=True))


@attrs.frozen(kw_only=True)
class ErrorSpaces:
    """What a profile knows about its carrier's numbers.

    Tables take names or members: `{"21b": "SENDER_REJECTED"}`. A name that is no `Canonical` raises
    ValueError when the object is made.
    """

    rules: tuple[ErrorRule, ...] = ()
    """Exact rules; the first that matches wins over everything else."""
    status_overrides: Mapping[int, Canonical] = attrs.field(factory=dict, converter=_status_table)
    """What this carrier means by a command_status, e.g. 0x0000040B: NO_CREDIT."""
    err_table: Mapping[str, Canonical] = attrs.field(factory=dict, converter=_err_table)
    """What this carrier means by `err` in a receipt. Letters' case and leading zeros are ignored."""
    err_space: ErrSpace = "none"
    """Where `err` numbers that are not in `err_table` come from; `none` and `vendor`: they stay
    UNKNOWN, because no two carriers agree."""
    nec_space: NetworkErrorSpace = "map"
    """Which table a network_error_code of type GSM means. The TLV does not say; values of 0x80 and
    above are TP-FCS whatever stands here, save for `vendor`."""
    response_error_is_definite: bool = True
    """False for a carrier that answers with a system error and may deliver all the same: then such
    an answer is neither retried nor tried elsewhere."""
    ambiguous_may_fail_over: bool = False
    """True for a carrier whose unclear refusals (0x45, 0xFF, its own numbers) certainly mean that
    nothing was accepted: then it is asked once more, and the next route after that. Otherwise such a
    message may be delivered already, and is tried nowhere again."""
    empty_message_id_is_accepted: bool = True
    """Whether ESME_ROK without a message_id means that the message was taken. False for a carrier that
    answers so for what it throws away: then it counts as refused, and is not tried elsewhere."""
    error_with_message_id_is_accepted: bool = False
    """True for a carrier that answers with an error, gives a message_id all the same, and later sends a
    receipt for it: then the receipt decides."""


GENERIC_ERRORS: Final = ErrorSpaces()
"""For a carrier about which nothing is known."""

_NETWORK_ANSI41: Final = frozenset({2, 5, 6})
_NETWORK_GSM: Final = 3
_NETWORK_SMPP: Final = 7
_LOWEST_FCS: Final = 0x80
_LONGEST_ERR: Final = 8


def map_error(
    spaces: ErrorSpaces = GENERIC_ERRORS,
    *,
    command_status: int | None = None,
    stat: str = "",
    err: str = "",
    network_error_code: bytes = b"",
    message_state: int | None = None,
    delivery_failure_reason: int | None = None,
) -> MappedError:
    """Say what a response's or a receipt's codes mean.

    The order: an exact rule of the profile; the profile's tables; the network_error_code by its type
    and space; `err` in the profile's err_space; command_status; the word in `stat` or the
    message_state. The first that knows the value wins.

    Args:
        spaces: The profile's facts. Default: none are known.
        command_status: Of a response; None for a receipt.
        stat: The word in a receipt's text.
        err: The error in a receipt's text, raw.
        network_error_code: The TLV's raw value; any length.
        message_state: The specification's number. DELIVERED is never an error, whatever `err` says,
            save by an exact rule.
        delivery_failure_reason: The TLV that goes with ESME_RDELIVERYFAILURE.

    Returns:
        NONE when nothing says that there is an error; UNKNOWN when something does and no table
        knows it. Never raises for any value a peer can send.
    """
    found = _from_rules(spaces, command_status, stat, err, network_error_code)
    if found is None and message_state == MessageState.DELIVERED:
        found = _Found(Canonical.NONE, "message_state[DELIVERED]")
    if found is None:
        found = (
            _from_profile_tables(spaces, command_status, err)
            or _from_network_error_code(spaces, network_error_code)
            or _from_err(spaces, err)
            or _from_status(command_status, delivery_failure_reason)
            or _from_state(stat, message_state)
            or _from_nothing(command_status, stat, err, network_error_code, message_state)
        )
    if found is None:
        return NO_ERROR
    return MappedError(
        canonical=found.canonical,
        permanence=found.permanence or found.canonical.nature.permanence,
        scope=found.canonical.nature.scope,
        rule=found.rule,
        command_status=command_status,
        stat=stat,
        err=err,
        network_error_code=network_error_code,
    )


@attrs.frozen
class _Found:
    canonical: Canonical
    rule: str
    permanence: Permanence | None = None


def _from_rules(
    spaces: ErrorSpaces, command_status: int | None, stat: str, err: str, code: bytes
) -> _Found | None:
    for number, rule in enumerate(spaces.rules):
        if rule.matches(command_status, stat, err, code):
            return _Found(rule.canonical, f"profile.rules[{number}]", rule.permanence)
    return None


def _from_profile_tables(
    spaces: ErrorSpaces, command_status: int | None, err: str
) -> _Found | None:
    if command_status is not None and command_status in spaces.status_overrides:
        word = spaces.status_overrides[command_status]
        return _Found(word, f"profile.status_overrides[{command_status:#04x}]")
    if err and _err_key(err) in spaces.err_table:
        return _Found(spaces.err_table[_err_key(err)], f"profile.err_table[{err}]")
    return None


def _from_network_error_code(spaces: ErrorSpaces, code: bytes) -> _Found | None:
    """Read the TLV: one octet of type, two of code.

    Carrier: some send three ASCII digits instead, "069", which kannel reads as one number.
    """
    if len(code) != 3:
        return None
    if code.isdigit():
        return _from_gsm(spaces, int(code), "network_error_code:digits")
    network_type, number = code[0], int.from_bytes(code[1:])
    if network_type == _NETWORK_SMPP:
        word = classify_status(number).canonical
        known = number != 0 and word is not Canonical.UNKNOWN
        return _Found(word, f"network_error_code:smpp[{number}]") if known else None
    if network_type in _NETWORK_ANSI41:
        word_or_none = ANSI41_CAUSES.get(number)
        rule = f"network_error_code:ansi-41[{number}]"
        return None if word_or_none is None else _Found(word_or_none, rule)
    if network_type == _NETWORK_GSM:
        return _from_gsm(spaces, number, "network_error_code")
    return None


def _from_gsm(spaces: ErrorSpaces, number: int, source: str) -> _Found | None:
    """Look up a network error of type GSM, which may stand for any of three tables."""
    is_fcs = number >= _LOWEST_FCS and spaces.nec_space != "vendor"
    return _from_space("tp-fcs" if is_fcs else spaces.nec_space, number, source)


def _from_space(space: str, number: int, source: str) -> _Found | None:
    """Look a number up; 0 is no error, and is in none of the tables."""
    word = _SPACES.get(space, {}).get(number)
    return None if word is None else _Found(word, f"{source}:{space}[{number}]")


def _from_err(spaces: ErrorSpaces, err: str) -> _Found | None:
    # Other digits than ASCII ones, and numbers of thousands of digits, make int() stumble.
    if not (err.isascii() and err.isdigit() and len(err) <= _LONGEST_ERR):
        return None
    return _from_space(spaces.err_space, int(err), "err")


def _from_status(command_status: int | None, delivery_failure_reason: int | None) -> _Found | None:
    if not command_status:
        return None
    if delivery_failure_reason is not None and delivery_failure_reason in DELIVERY_FAILURE_REASONS:
        word = DELIVERY_FAILURE_REASONS[delivery_failure_reason]
        return _Found(word, f"delivery_failure_reason[{delivery_failure_reason}]")
    word = classify_status(command_status).canonical
    return (
        None
        if word is Canonical.UNKNOWN
        else _Found(word, f"command_status[{command_status:#04x}]")
    )


def _from_state(stat: str, message_state: int | None) -> _Found | None:
    word = STATS.get(stat.strip().upper())
    if word is not None:
        return _Found(word, f"stat[{stat}]")
    if message_state is not None and message_state in MESSAGE_STATES:
        name = MessageState(message_state).name
        return _Found(MESSAGE_STATES[message_state], f"message_state[{name}]")
    return None


_UNTROUBLED: Final = frozenset(
    {None, MessageState.SCHEDULED, MessageState.ENROUTE, MessageState.ACCEPTED}
)


def _from_nothing(
    command_status: int | None, stat: str, err: str, code: bytes, message_state: int | None
) -> _Found | None:
    """Tell an error that nobody can name from no error at all."""
    quiet = (
        not command_status
        and _err_key(err) in _NO_ERR
        and not any(code[1:])
        and message_state in _UNTROUBLED
    )
    if quiet and (message_state is not None or not stat):
        return None
    return _Found(Canonical.UNKNOWN, "unmapped")
