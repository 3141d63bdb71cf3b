"""Mobile networks, and which of them a number belongs to: what is known, from where, how surely.

Holds the user's own numbering plan; no operator data is shipped, since none that is free is right.
Portability look-ups are somebody else's I/O behind `NetworkResolver`.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol, Self

import attrs

from .errors import RoutingFactError


@attrs.frozen(order=True, cache_hash=True)
class Network:
    """A mobile network: country code and network code, both as written.

    The network code has two or three digits and `01` is another network than `001`.

    Spec: ITU-T E.212 §4.
    """

    mcc: str
    mnc: str

    def __attrs_post_init__(self) -> None:
        if not (_digits(self.mcc) and len(self.mcc) == 3):
            raise RoutingFactError("mcc", self.mcc, "three digits, such as 214")
        if not (_digits(self.mnc) and len(self.mnc) in (2, 3)):
            raise RoutingFactError("mnc", self.mnc, "two or three digits, such as 07 or 007")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `214-07`.

        Raises:
            RoutingFactError: Anything else; also `21407`, in which nobody sees where the network
                code begins.
        """
        mcc, dash, mnc = text.partition("-")
        try:
            if dash:
                return cls(mcc, mnc)
        except RoutingFactError:
            pass
        raise RoutingFactError("network", text, "MCC-MNC, such as 214-07")

    def __str__(self) -> str:
        return f"{self.mcc}-{self.mnc}"


def _digits(text: str) -> bool:
    return text.isdigit() and text.isascii()


class NetworkSource(StrEnum):
    """Who says that a number belongs to a network."""

    MNP_DB = "MNP_DB"
    """A copy of the national portability database."""
    MNP_DIP = "MNP_DIP"
    """A question about this one number."""
    HLR = "HLR"
    """The home register of the network itself."""
    PREFIX = "PREFIX"
    """The range the number was once issued from; blind to portability."""
    CARRIER_DECLARED = "CARRIER_DECLARED"
    """A receipt or an agreement of a carrier."""


class Confidence(IntEnum):
    """How surely a number belongs to a network."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


_USUAL_CONFIDENCE = {
    NetworkSource.MNP_DB: Confidence.HIGH,
    NetworkSource.MNP_DIP: Confidence.HIGH,
    NetworkSource.HLR: Confidence.HIGH,
    NetworkSource.CARRIER_DECLARED: Confidence.MEDIUM,
    NetworkSource.PREFIX: Confidence.LOW,
}


@attrs.frozen(kw_only=True)
class NetworkInfo:
    """What is known about the network of one number."""

    network: Network
    source: NetworkSource
    country: str | None = None
    """ISO 3166 letters, for people; decisions name countries by MCC."""
    ported: bool | None = None
    """Whether the number has left the network that issued it; None if nobody asked."""
    confidence: Confidence = attrs.field(
        default=attrs.Factory(lambda self: _USUAL_CONFIDENCE[self.source], takes_self=True)
    )
    """Default: what the source usually deserves."""
    obtained_at: datetime | None = None
    """When the source was asked, or its data issued; aware. None if that is not known."""
    ttl: float | None = None
    """Seconds for which the answer may be used. Default: None, for ever (ranges do not age)."""

    def age(self, now: datetime) -> float | None:
        """Seconds since the answer was obtained; None if that is not known."""
        return None if self.obtained_at is None else (now - self.obtained_at).total_seconds()

    def __str__(self) -> str:
        return f"{self.network} ({self.source})"


class PlanRow(NamedTuple):
    """One range of a numbering plan; both days are included, None is without end."""

    prefix: str
    network: str
    valid_from: date | None = None
    valid_to: date | None = None


class _Span(NamedTuple):
    valid_from: date
    valid_to: date
    network: Network


class NumberingPlan:
    """Which network issued a number: the longest prefix that holds on the day decides.

    A dictionary of prefixes, asked once for each length that occurs, longest first.
    Measured: half a million ranges of eight lengths take 1 us a look-up and 60 MB.
    """

    def __init__(self, ranges: Mapping[str, str] | Iterable[PlanRow]) -> None:
        """Check and index the ranges.

        Args:
            ranges: Prefix to network (`{"34600": "214-07"}`), or rows, in any order. A prefix may
                occur in several rows if their days do not overlap.

        Raises:
            RoutingFactError: The first range that is not one, with its key or row number (the
                first row is row 1), or two that contradict each other.
        """
        self._ranges: dict[str, Network | tuple[_Span, ...]] = {}
        networks: dict[str, Network] = {}
        for where, row in _located(ranges):
            if not _digits(row.prefix) or row.prefix[0] == "0":
                raise RoutingFactError(where, row.prefix, "a prefix of digits with country code")
            try:
                network = networks.get(row.network) or Network.parse(row.network)
            except RoutingFactError as error:
                raise error.under(where) from None
            networks[row.network] = network
            self._add(where, row, network)
        # Longest first, so that the first hit is the answer.
        self._lengths = tuple(sorted({len(prefix) for prefix in self._ranges}, reverse=True))

    def _add(self, where: str, row: PlanRow, network: Network) -> None:
        known = self._ranges.get(row.prefix)
        if known is None and row.valid_from is None and row.valid_to is None:
            self._ranges[row.prefix] = network
            return
        span = _Span(row.valid_from or date.min, row.valid_to or date.max, network)
        if span.valid_from > span.valid_to:
            raise RoutingFactError(where, str(row.valid_to), f"a day from {row.valid_from} on")
        if known is None:
            known = ()
        elif isinstance(known, Network):
            known = (_Span(date.min, date.max, known),)
        if any(span.valid_from <= o.valid_to and o.valid_from <= span.valid_to for o in known):
            raise RoutingFactError(where, row.prefix, "each prefix at most once on any day")
        self._ranges[row.prefix] = (*known, span)

    def lookup(self, msisdn: str, on: date) -> Network | None:
        """The network that issued the number, by the plan of that day; None if no range fits.

        Args:
            msisdn: E.164 digits without plus (see `normalise_msisdn`).
            on: The day, in UTC.
        """
        ranges = self._ranges
        for length in self._lengths:
            found = ranges.get(msisdn[:length])
            if found is None:
                continue
            if isinstance(found, Network):
                return found
            for valid_from, valid_to, network in found:
                if valid_from <= on <= valid_to:
                    return network
        return None

    @property
    def networks(self) -> frozenset[Network]:
        """Every network that some range belongs to on some day."""
        known: set[Network] = set()
        for found in self._ranges.values():
            known.update((found,) if isinstance(found, Network) else (s.network for s in found))
        return frozenset(known)

    def __len__(self) -> int:
        return len(self._ranges)

    def __repr__(self) -> str:
        return f"<NumberingPlan of {len(self)} prefixes>"


def _located(ranges: Mapping[str, str] | Iterable[PlanRow]) -> Iterable[tuple[str, PlanRow]]:
    if isinstance(ranges, Mapping):
        return ((str(prefix), PlanRow(str(prefix), network)) for prefix, network in ranges.items())
    return ((f"row {number}", PlanRow(*row)) for number, row in enumerate(ranges, start=1))


class NetworkResolver(Protocol):
    """Something that knows, or can find out, which network a number belongs to now."""

    def cached(self, msisdn: str) -> NetworkInfo | None:
        """What is known without asking anybody; called for every message, must not block."""
        ...

    async def resolve(self, msisdn: str) -> NetworkInfo | None:
        """Find out, asking somebody if need be; None if the number belongs to no known network.

        One question per number at a time, and a time limit of its own (2 s is customary).
        """
        ...


class PlanResolver:
    """A `NetworkResolver` that knows nothing but a numbering plan: all it says is PREFIX."""

    def __init__(
        self, plan: NumberingPlan, clock: Callable[[], datetime], *, as_of: datetime | None = None
    ) -> None:
        """Wrap a plan.

        Args:
            plan: The ranges.
            clock: Gives the present instant, aware; its day in UTC decides which ranges hold.
            as_of: When the plan was issued. Default: None, not known.
        """
        self._plan = plan
        self._clock = clock
        self._as_of = as_of
        self._infos: dict[Network, NetworkInfo] = {}

    def cached(self, msisdn: str) -> NetworkInfo | None:
        """The network that issued the number; None if no range of the plan fits."""
        network = self._plan.lookup(msisdn, self._clock().date())
        if network is None:
            return None
        info = self._infos.get(network)
        if info is None:
            info = NetworkInfo(
                network=network, source=NetworkSource.PREFIX, obtained_at=self._as_of
            )
            self._infos[network] = info
        return info

    async def resolve(self, msisdn: str) -> NetworkInfo | None:
        """The same as `cached`: there is nobody to ask."""
        return self.cached(msisdn)
