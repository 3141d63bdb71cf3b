"""The wire types: how one field of a body stands in octets.

A wire type is a declaration; the straight-line code that reads and writes it is made in `codec` from
these facts. Spec: SMPP 3.4 §3.1
"""

from enum import IntEnum
from typing import ClassVar

import attrs

from .command_status import CommandStatus
from .errors import EncodeError


@attrs.frozen
class Integer:
    """An unsigned integer, most significant octet first; a Python `int`."""

    spec: str
    """Section of SMPP 3.4 (or 5.0 where it says so) that defines the field."""
    known: type[IntEnum] | range | None = None
    """Values to which the specification gives a meaning; others are kept and become a finding."""
    bad: CommandStatus = CommandStatus.ESME_RINVCMDLEN
    """The status to answer with when the PDU ends inside the field. Where the specification has none
    of the field's own it is the PDU's length that is wrong, and no system of ours that failed."""
    octets: int = 1
    """1, 2 or 4."""

    default: ClassVar[int] = 0

    @property
    def code(self) -> str:
        """The letter `struct` has for it."""
        return {1: "B", 2: "H", 4: "I"}[self.octets]

    @property
    def limit(self) -> int:
        """The largest value that can be represented."""
        return (1 << 8 * self.octets) - 1


@attrs.frozen
class COctetString:
    """Octets ended by a NUL; a `str` of one character per octet (Latin-1, so nothing is lost)."""

    size: int
    """The longest form in octets, NUL included."""
    spec: str
    bad: CommandStatus = CommandStatus.ESME_RINVCMDLEN
    seldom: bool = False
    """Nearly always empty in real traffic: the quick encoder and decoder treat it as one NUL and
    leave a PDU that uses it to the general ones. Measured: 35 ns saved per such field."""
    empty_or_full: bool = False
    """Other lengths than 0 and `size` - 1 are kept but are a finding (the time fields)."""

    default: ClassVar[str] = ""


@attrs.frozen
class ShortMessage:
    """sm_length and short_message in one: up to 255 octets after their one-octet count; `bytes`.

    sm_length itself is computed, never stored, so the two cannot disagree.
    SMPP 3.4 allows 254 octets, 5.0 allows 255. Spec: SMPP 3.4 §5.2.21, §5.2.22
    """

    spec: str
    bad: CommandStatus = CommandStatus.ESME_RINVMSGLEN

    default: ClassVar[bytes] = b""


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class SmeAddress:
    """One destination of submit_multi that is a number. Spec: SMPP 3.4 §4.5.1.1"""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class DistributionList:
    """One destination of submit_multi that is a list kept by the MC. Spec: SMPP 3.4 §4.5.1.1"""

    dl_name: str


@attrs.define(slots=True, weakref_slot=False, kw_only=True)
class UnsuccessSme:
    """One destination that submit_multi did not reach, and why. Spec: SMPP 3.4 §4.5.2.1"""

    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str
    error_status_code: int
    """A command_status."""


class BrokenGroupError(Exception):
    """A repeated group that cannot be read; the codec adds the PDU's name and number to it."""

    def __init__(
        self, where: str, found: str, expected: str, bad: CommandStatus | None = None
    ) -> None:
        """Keep the place inside the group, what stood there, what should have, and its own status."""
        super().__init__(where, found, expected)
        self.where, self.found, self.expected, self.bad = where, found, expected, bad


@attrs.frozen
class DestAddresses:
    """number_of_dests and the dest_address entries of submit_multi, of both kinds, in order."""

    spec: str = "5.2.24"
    bad: CommandStatus = CommandStatus.ESME_RINVNUMDESTS

    default: ClassVar[tuple[SmeAddress | DistributionList, ...]] = ()

    def encode(
        self, value: tuple[SmeAddress | DistributionList, ...], path: str, tolerant: bool
    ) -> bytes:
        """Write the count and the entries; at most 255 can be counted in the one octet."""
        parts = [_count(value, path)]
        for index, entry in enumerate(value):
            where = f"{path}[{index}]"
            if isinstance(entry, SmeAddress):
                parts += (
                    b"\x01",
                    integer(entry.dest_addr_ton, 1, f"{where}.dest_addr_ton"),
                    integer(entry.dest_addr_npi, 1, f"{where}.dest_addr_npi"),
                    c_octets(entry.destination_addr, 21, f"{where}.destination_addr", tolerant),
                )
            elif isinstance(entry, DistributionList):
                parts += (b"\x02", c_octets(entry.dl_name, 21, f"{where}.dl_name", tolerant))
            else:
                raise EncodeError(where, type(entry).__name__, "SmeAddress or DistributionList")
        return b"".join(parts)

    def decode(
        self, octets: bytes, at: int
    ) -> tuple[tuple[SmeAddress | DistributionList, ...], int, bool]:
        """Read the entries that start at `at`; give them, where they end, and if one is overlong."""
        reader = _GroupReader(octets, at)
        entries: list[SmeAddress | DistributionList] = []
        for index in range(reader.octet("number_of_dests")):
            reader.prefix = f"[{index}]."
            match reader.octet("dest_flag"):
                case 1:
                    ton, npi = reader.octet("dest_addr_ton"), reader.octet("dest_addr_npi")
                    entries.append(
                        SmeAddress(
                            dest_addr_ton=ton,
                            dest_addr_npi=npi,
                            destination_addr=reader.text("destination_addr", 21),
                        )
                    )
                case 2:
                    entries.append(DistributionList(dl_name=reader.text("dl_name", 21)))
                case flag:
                    raise BrokenGroupError(
                        f"[{index}].dest_flag",
                        str(flag),
                        "1 (a number) or 2 (a list)",
                        CommandStatus.ESME_RINVDESTFLAG,
                    )
        return tuple(entries), reader.at, reader.overlong


@attrs.frozen
class UnsuccessSmes:
    """no_unsuccess and the unsuccess_sme entries of submit_multi_resp, in order."""

    spec: str = "5.2.26"
    bad: CommandStatus = CommandStatus.ESME_RINVNUMDESTS

    default: ClassVar[tuple[UnsuccessSme, ...]] = ()

    def encode(self, value: tuple[UnsuccessSme, ...], path: str, tolerant: bool) -> bytes:
        """Write the count and the entries; at most 255 can be counted in the one octet."""
        parts = [_count(value, path)]
        for index, entry in enumerate(value):
            where = f"{path}[{index}]"
            if not isinstance(entry, UnsuccessSme):
                raise EncodeError(where, type(entry).__name__, "UnsuccessSme")
            parts += (
                integer(entry.dest_addr_ton, 1, f"{where}.dest_addr_ton"),
                integer(entry.dest_addr_npi, 1, f"{where}.dest_addr_npi"),
                c_octets(entry.destination_addr, 21, f"{where}.destination_addr", tolerant),
                integer(entry.error_status_code, 4, f"{where}.error_status_code"),
            )
        return b"".join(parts)

    def decode(self, octets: bytes, at: int) -> tuple[tuple[UnsuccessSme, ...], int, bool]:
        """Read the entries that start at `at`; give them, where they end, and if one is overlong."""
        reader = _GroupReader(octets, at)
        entries: list[UnsuccessSme] = []
        for index in range(reader.octet("no_unsuccess")):
            reader.prefix = f"[{index}]."
            ton, npi = reader.octet("dest_addr_ton"), reader.octet("dest_addr_npi")
            entries.append(
                UnsuccessSme(
                    dest_addr_ton=ton,
                    dest_addr_npi=npi,
                    destination_addr=reader.text("destination_addr", 21),
                    error_status_code=reader.long("error_status_code"),
                )
            )
        return tuple(entries), reader.at, reader.overlong


WireType = Integer | COctetString | ShortMessage | DestAddresses | UnsuccessSmes
"""Every wire type there is."""


def c_octets(value: str, size: int, path: str, tolerant: bool) -> bytes:
    """Write a C-octet string.

    Args:
        value: One character per octet, U+0001 to U+00FF.
        size: The longest form in octets, NUL included.
        path: Where to say it went wrong.
        tolerant: Let it be longer, as it was received.

    Returns:
        The octets and their NUL.

    Raises:
        EncodeError: If it is not text, holds a NUL or a character above U+00FF, or is too long.
    """
    if not isinstance(value, str):
        raise EncodeError(path, type(value).__name__, "str")
    if "\0" in value:
        raise EncodeError(path, f"a NUL at {value.index(chr(0))}", "no NUL inside")
    if len(value) >= size and not tolerant:
        raise EncodeError(path, f"{len(value)} octets", f"at most {size - 1}")
    try:
        return value.encode("latin-1") + b"\0"
    except UnicodeEncodeError as error:
        raise EncodeError(
            path, f"U+{ord(value[error.start]):04X} at {error.start}", "one octet per character"
        ) from None


def integer(value: int, octets: int, path: str) -> bytes:
    """Write an unsigned integer of so many octets; EncodeError if it is none or does not fit."""
    if not isinstance(value, int):
        raise EncodeError(path, type(value).__name__, "int")
    if not 0 <= value < 256**octets:
        raise EncodeError(path, str(value), f"0 to {256**octets - 1}")
    return value.to_bytes(octets, "big")


def _count(value: tuple[object, ...], path: str) -> bytes:
    if not isinstance(value, tuple):
        raise EncodeError(path, type(value).__name__, "tuple")
    if len(value) > 255:
        raise EncodeError(path, f"{len(value)} entries", "at most 255")
    return bytes((len(value),))


class _GroupReader:
    """Reads the entries of a repeated group; what is missing becomes a BrokenGroupError."""

    def __init__(self, octets: bytes, at: int) -> None:
        self.octets, self.at = octets, at
        self.prefix = "."
        self.overlong = False

    def octet(self, name: str) -> int:
        if self.at >= len(self.octets):
            raise BrokenGroupError(self.prefix + name, "the end of the PDU", "1 octet")
        self.at += 1
        return self.octets[self.at - 1]

    def long(self, name: str) -> int:
        left = len(self.octets) - self.at
        if left < 4:
            raise BrokenGroupError(self.prefix + name, f"{left} octets", "4 octets")
        self.at += 4
        return int.from_bytes(self.octets[self.at - 4 : self.at], "big")

    def text(self, name: str, size: int) -> str:
        nul = self.octets.find(0, self.at)
        if nul < 0:
            raise BrokenGroupError(self.prefix + name, "no NUL before the end", "a C-octet string")
        value = self.octets[self.at : nul].decode("latin-1")
        self.overlong = self.overlong or len(value) >= size
        self.at = nul + 1
        return value
