"""No route is left: the message is refused, with every candidate and every reason.

A single route that may not carry it is no error but a `CandidateRejection`.
"""

from .networks import NetworkInfo
from .reasons import CandidateRejection

_CANDIDATES_SPELT_OUT = 5
"""Rejected routes in an error's text: about a screenful; all of them stand in `rejected`."""


class NoDirectRouteError(Exception):
    """No configured route may carry the message: it is refused, and never sent another way."""

    def __init__(
        self,
        *,
        message_ref: str,
        destination: str,
        network: NetworkInfo | None,
        rejected: tuple[CandidateRejection, ...],
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message_ref, destination)
        self.message_ref = message_ref
        self.destination = destination
        """MSISDN, digits only."""
        self.network = network
        """Where the number was resolved to; None if it was not."""
        self.rejected = rejected
        """Every configured route with every reason; empty if no route is configured at all."""
        self.retryable = retryable
        """True if some route fell only for reasons that pass by waiting."""
        self.retry_after = retry_after
        """Seconds until the first such route may be open again; None if nobody can say."""

    def __str__(self) -> str:
        network = f"on {self.network}" if self.network else "on an unknown network"
        head = f"no direct route for message {self.message_ref} to {self.destination} {network}"
        if not self.rejected:
            return f"{head}: no route is configured"
        named = "; ".join(str(each) for each in self.rejected[:_CANDIDATES_SPELT_OUT])
        more = len(self.rejected) - _CANDIDATES_SPELT_OUT
        return f"{head}: {named}" + (f"; and {more} more" if more > 0 else "")


class DirectRouteUnavailable(NoDirectRouteError):  # noqa: N818 - the word says that it passes
    """A direct route exists, but none is open now: the message may wait until its validity ends."""

    def __str__(self) -> str:
        when = "later" if self.retry_after is None else f"in {self.retry_after:g} s"
        return f"{super().__str__()} (retry {when})"
