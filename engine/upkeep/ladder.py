"""How an account asks to be bound, and which way it asks next when the answer says that it cannot be had.

From a transceiver to a transmitter and a receiver, and from a version to the next older one. Only
answers that say so move it; how long to wait after others is the backoff's matter.
"""

from math import inf
from typing import Literal

import attrs

from whiteroute.pdu import CommandStatus, InterfaceVersion

__all__ = ["BindMode", "Ladder", "Rung"]

BindMode = Literal["trx", "tx+rx"]
"""A transceiver, or a transmitter and a receiver in its place."""

DOUBTS = 3
"""Refusals after which a way of asking that has held is given up."""

DOUBT_TIME = 60.0
"""Seconds over which they have to come. Message centres that start are done sooner."""

CLIMB_TIME = 3_600.0
"""Seconds after which a carrier may have been given what it had refused: the next outage asks for it."""

_VERSIONS = (InterfaceVersion.V5_0, InterfaceVersion.V3_4, InterfaceVersion.V3_3)

_NOT_UNDERSTOOD = frozenset((CommandStatus.ESME_RINVCMDID, CommandStatus.ESME_RINVBNDSTS))
"""What message centres answer to an operation that they do not have. Spec: SMPP 3.4 §5.1.3"""

_ABOUT_US = frozenset(
    (
        CommandStatus.ESME_RALYBND,
        CommandStatus.ESME_RINVPASWD,
        CommandStatus.ESME_RINVSYSID,
        CommandStatus.ESME_RINVSYSTYP,
    )
)
"""Refusals that name another reason, whatever version comes with them: asking once more in an older
one would only be one wrong password more."""


@attrs.frozen
class Rung:
    """One way to ask."""

    mode: BindMode
    interface_version: int

    def __str__(self) -> str:
        binds = "a transceiver" if self.mode == "trx" else "a transmitter and a receiver"
        return f"{binds} by SMPP {self.interface_version >> 4}.{self.interface_version & 0xF}"


@attrs.define(eq=False)
class Ladder:
    """The ways one account has to ask, and the one that is tried now.

    For each version the mode of the settings comes first, then the pair; 3.3 has no transceiver. What was
    learned is kept for as long as the ladder lives.
    """

    mode: BindMode
    interface_version: int
    is_fixed: bool = False
    """Whether it never moves, because the profile says so."""
    _rungs: tuple[Rung, ...] = attrs.field(init=False)
    _at: int = attrs.field(default=0, init=False)
    _taken: set[int] = attrs.field(factory=set[int], init=False)
    """Rungs of which the last that we know is that they hold."""
    _best: int | None = attrs.field(default=None, init=False)
    """The highest rung that ever held."""
    _doubts: int = attrs.field(default=0, init=False)
    """Refusals of a rung that held, since it was accepted last."""
    _doubted_at: float = attrs.field(default=inf, init=False)
    """When the first of them came."""
    _descended_at: float = attrs.field(default=-inf, init=False)

    def __attrs_post_init__(self) -> None:
        wanted, version = self.mode, self.interface_version
        rungs = [Rung(wanted, version)]
        for older in (version, *(known for known in _VERSIONS if known < version)):
            modes: tuple[BindMode, ...] = (
                ("tx+rx",) if older < InterfaceVersion.V3_4 else (wanted, "tx+rx")
            )
            rungs += [Rung(mode, older) for mode in modes]
        self._rungs = tuple(dict.fromkeys(rungs))

    @property
    def rung(self) -> Rung:
        """How to ask now."""
        return self._rungs[self._at]

    def accepted(self, asked: Rung) -> None:
        """Note that a bind was accepted as it was asked for; all others are asked for so, too."""
        self._at = self._rungs.index(asked)
        self._taken.add(self._at)
        self._best = self._at if self._best is None else min(self._best, self._at)
        self._doubts = 0

    def begin_outage(self, now: float) -> bool:
        """Note that the last bind of the account was lost, and climb as far as it makes sense.

        What made us descend may be over: the highest way that ever held is asked for first, and once
        in a while the one that the settings want, whether it ever held or not.

        Returns:
            Whether to ask in another way than before.
        """
        before = self._at
        if self._best is not None:
            self._at = min(self._at, self._best)
        if now - self._descended_at >= CLIMB_TIME:
            self._at = 0
        return self._at != before

    def refused(
        self,
        asked: Rung,
        command_status: int,
        now: float,
        *,
        nacked: bool = False,
        peer_version: int | None = None,
        is_up: bool = False,
    ) -> bool:
        """Step down if a refusal says that the way of asking was the reason.

        A lower version in the answer says so, and so do generic_nack, ESME_RINVCMDID and ESME_RINVBNDSTS.
        Below the last rung comes the first again: it was something else, then. (Carriers exist that say
        ESME_RINVCMDID for wrong credentials.) A way that has held is not given up for one bad spell,
        such as front ends have while they start, but only when it was refused `DOUBTS` times over
        `DOUBT_TIME`.

        Args:
            asked: How it was asked; a refusal of what is not asked any more moves nothing.
            command_status: Of the answer.
            now: Seconds on the owner's clock.
            nacked: Whether it was a generic_nack.
            peer_version: sc_interface_version of the answer, if it had one.
            is_up: Whether another bind of the account is up, so that our way of asking is none that
                cannot be had.

        Returns:
            Whether to ask in another way, `rung`, at once.
        """
        below = self._below(asked, command_status, nacked=nacked, peer_version=peer_version)
        if below is None or self.is_fixed:
            return False
        if asked != self.rung:
            # Another bind of the account has moved meanwhile.
            return True
        if is_up or (self._at in self._taken and not self._doubt(now)):
            return False
        self._taken.discard(self._at)
        self._doubts = 0
        self._descended_at = now
        is_last = below == len(self._rungs)
        self._at = 0 if is_last else below
        return not is_last

    def _doubt(self, now: float) -> bool:
        """Count a refusal of a way that has held; tell whether it is to be believed."""
        if not self._doubts:
            self._doubted_at = now
        self._doubts += 1
        return self._doubts >= DOUBTS and now - self._doubted_at >= DOUBT_TIME

    def _below(
        self, asked: Rung, command_status: int, *, nacked: bool, peer_version: int | None
    ) -> int | None:
        """Give the number of the next rung that this answer leaves open; None if it says nothing."""
        at = self._rungs.index(asked)
        if nacked or command_status in _NOT_UNDERSTOOD:
            return at + 1
        if peer_version is None or command_status in _ABOUT_US:
            return None
        older = [
            number
            for number, rung in enumerate(self._rungs)
            if number > at and rung.interface_version <= peer_version < asked.interface_version
        ]
        return older[0] if older else None
