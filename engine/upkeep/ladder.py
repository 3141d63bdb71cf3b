"""How an account asks to be bound, and which way it asks next when the answer says that it cannot be had.

From a transceiver to a transmitter and a receiver, and from a version to the next older one. Only
answers that say so move it; how long to wait after others is the backoff's matter.
"""

from typing import Literal

import attrs

from whiteroute.pdu import CommandStatus, InterfaceVersion

__all__ = ["BindMode", "Ladder", "Rung"]

BindMode = Literal["trx", "tx+rx"]
"""A transceiver, or a transmitter and a receiver in its place."""

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
    _holds: bool = attrs.field(default=False, init=False)

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

    def accepted(self) -> None:
        """Note that a bind was accepted as it was asked for."""
        self._holds = True

    def refused(
        self,
        asked: Rung,
        command_status: int,
        *,
        nacked: bool = False,
        peer_version: int | None = None,
    ) -> bool:
        """Step down if a refusal says that the way of asking was the reason.

        A lower version in the answer says so, and so do generic_nack, ESME_RINVCMDID and ESME_RINVBNDSTS.
        Below the last rung comes the first again: it was something else, then. (Carriers exist that say
        ESME_RINVCMDID for wrong credentials.) It does not once any bind was accepted.

        Args:
            asked: How it was asked; a refusal of what is not asked any more moves nothing.
            command_status: Of the answer.
            nacked: Whether it was a generic_nack.
            peer_version: sc_interface_version of the answer, if it had one.

        Returns:
            Whether to ask in another way, `rung`, at once.
        """
        below = self._below(asked, command_status, nacked=nacked, peer_version=peer_version)
        if below is None or self.is_fixed:
            return False
        if asked != self.rung:
            # Another bind of the account has moved meanwhile.
            return True
        is_last = below == len(self._rungs)
        if not (is_last and self._holds):
            self._at = below % len(self._rungs)
        return not is_last

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
