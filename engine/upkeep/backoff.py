"""How long to wait before a bind is tried again, by the reason it was lost or refused.

Pure: the jitter is drawn by the carrier and passed in. Trying again at once makes outages longer:
message centres ban hosts that hammer, and keep half-open sessions for a while.
"""

from enum import Enum

import attrs

from whiteroute.engine.profile import RebindOptions
from whiteroute.pdu import CommandStatus

__all__ = ["Backoff", "BindFailure", "failure_of"]


class BindFailure(Enum):
    """Why there is no bind, as far as it tells how long to wait."""

    NETWORK = "NETWORK"
    """No stream, a broken one, silence, or an answer that says nothing about us: 1 to 60 seconds,
    doubling."""
    ALREADY_BOUND = "ALREADY_BOUND"
    """An old session of ours is still known there; 30 to 60 seconds, about two of the carrier's
    enquire_link rounds."""
    BIND_FAILED = "BIND_FAILED"
    """ESME_RBINDFAIL may mean credentials, provisioning, address or too many binds: 5 minutes."""
    CREDENTIALS = "CREDENTIALS"
    """Wrong password, system_id or system_type: never again until told, because repeating it locks
    accounts."""


_FAILURES: dict[int, BindFailure] = {
    CommandStatus.ESME_RALYBND: BindFailure.ALREADY_BOUND,
    CommandStatus.ESME_RBINDFAIL: BindFailure.BIND_FAILED,
    CommandStatus.ESME_RINVPASWD: BindFailure.CREDENTIALS,
    CommandStatus.ESME_RINVSYSID: BindFailure.CREDENTIALS,
    CommandStatus.ESME_RINVSYSTYP: BindFailure.CREDENTIALS,
}


def failure_of(command_status: int) -> BindFailure:
    """Tell what a refused bind means for trying again."""
    return _FAILURES.get(command_status, BindFailure.NETWORK)


@attrs.define(eq=False)
class Backoff:
    """The memory of an account's failures at one host."""

    options: RebindOptions = RebindOptions()
    _failures: int = attrs.field(default=0, init=False)

    def succeeded(self) -> None:
        """A bind was accepted and has held; the next failure starts from the shortest wait again."""
        self._failures = 0

    def next_delay(self, failure: BindFailure, jitter: float) -> float | None:
        """Tell how long to wait now.

        Args:
            failure: What happened.
            jitter: 0 to 1, drawn anew each time, so that many binds do not return together.

        Returns:
            Seconds, or None for never.
        """
        options = self.options
        if failure is BindFailure.CREDENTIALS:
            return None
        if failure is BindFailure.ALREADY_BOUND:
            return options.already_bound_delay * (1 + jitter)
        if failure is BindFailure.BIND_FAILED:
            return options.bind_failed_delay * (1 + jitter / 10)
        # The doubling stops growing at 2**10 so that the number stays a small one.
        ceiling = min(options.longest_delay, options.first_delay * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return ceiling * (0.5 + jitter / 2)
