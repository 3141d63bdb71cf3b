"""Several resolvers as one: the first that knows a number is believed."""

from collections.abc import Sequence

import attrs

from whiteroute.routing import NetworkInfo, NetworkResolver

__all__ = ["ResolverChain"]


@attrs.frozen(eq=False)
class ResolverChain:
    """A `NetworkResolver` that asks one after the other, the most trusted first.

    `ResolverChain([ported_numbers, dip, numbering_plan])`: what the database of ported numbers does not
    hold is dipped, and what cannot be dipped has at least a range. What a range is worth in a country
    with portable numbers is the policy's matter.
    """

    resolvers: Sequence[NetworkResolver]

    def cached(self, msisdn: str) -> NetworkInfo | None:
        """What the first knows that knows anything without asking."""
        for resolver in self.resolvers:
            info = resolver.cached(msisdn)
            if info is not None:
                return info
        return None

    async def resolve(self, msisdn: str) -> NetworkInfo | None:
        """What the first finds out that finds out anything."""
        for resolver in self.resolvers:
            info = await resolver.resolve(msisdn)
            if info is not None:
                return info
        return None

    def forget(self, msisdn: str) -> None:
        """Have all of them forget what they were told about a number."""
        for resolver in self.resolvers:
            forget = getattr(resolver, "forget", None)
            if forget is not None:
                forget(msisdn)
