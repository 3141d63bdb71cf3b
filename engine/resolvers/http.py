"""Portability look-ups over HTTP: one GET for each number, one JSON object back."""

import json
from contextlib import aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from whiteroute.routing import Network, NetworkInfo, NetworkSource, RoutingFactError

from .asking import InquiryError

if TYPE_CHECKING:
    import httpx

__all__ = ["HttpInquiry"]

LARGEST_ANSWER = 64 * 1024
"""Octets of an answer; what is longer is not read."""


@attrs.define(eq=False, kw_only=True, repr=False)
class HttpInquiry:
    """An `Inquiry` of an HTTP service; an async context manager that holds its connections.

    The service is asked for `url` with `{msisdn}` in it, and answers 200 with a JSON object, or 404
    for a number that nobody knows. httpx does the speaking (`pip install whiteroute[http]`).
    """

    url: str
    """E.g. `https://mnp.example/v1/{msisdn}`."""
    network: str = "network"
    """Where the network is in the answer: `network` or, inside of objects, `result.mccmnc`. Its value is
    `214-07` or `21407`; null or absent when nobody knows the number."""
    ported: str = ""
    """Where it says whether the number was ported; empty if it does not."""
    headers: dict[str, str] = attrs.field(factory=dict[str, str], repr=False)
    """E.g. a key; never shown."""
    source: NetworkSource = NetworkSource.MNP_DIP
    ttl: float = 86_400.0
    """Seconds for which an answer may be used: a day, as portings take effect at night."""
    transport: "httpx.AsyncBaseTransport | None" = None
    """For tests: who answers instead of the network."""
    _http: "httpx.AsyncClient | None" = attrs.field(default=None, init=False)

    async def __aenter__(self) -> Self:
        import httpx

        self._http = httpx.AsyncClient(
            headers=self.headers, transport=self.transport, follow_redirects=False
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def ask(self, msisdn: str) -> NetworkInfo | None:
        """Ask the service about one number; see `Inquiry.ask`."""
        import httpx

        if self._http is None:
            raise InquiryError("the inquiry is not open")
        try:
            async with self._http.stream("GET", self.url.replace("{msisdn}", msisdn)) as response:
                if response.status_code == 404:
                    return None
                if response.status_code != 200:
                    raise InquiryError(f"HTTP {response.status_code}, expected 200 or 404")
                octets = b""
                # A generator, though httpx does not say so.
                async with aclosing(response.aiter_bytes()) as pieces:  # type: ignore[type-var]
                    async for some in pieces:
                        octets += some
                        if len(octets) > LARGEST_ANSWER:
                            raise InquiryError(f"an answer of more than {LARGEST_ANSWER} octets")
        except httpx.HTTPError as error:
            # Its own text may hold the address, and with it the number.
            raise InquiryError(type(error).__name__) from None
        return self._read(octets)

    def _read(self, octets: bytes) -> NetworkInfo | None:
        try:
            answer = json.loads(octets)
        except ValueError:
            raise InquiryError("no JSON") from None
        text = _at(answer, self.network)
        if text is None:
            return None
        try:
            network = _network(str(text))
        except RoutingFactError as error:
            raise InquiryError(f"{self.network}: no network, expected {error.expected}") from None
        ported = _at(answer, self.ported) if self.ported else None
        return NetworkInfo(
            network=network,
            source=self.source,
            ported=ported if isinstance(ported, bool) else None,
            ttl=self.ttl,
        )

    def __repr__(self) -> str:
        return f"<HttpInquiry {self.url.partition('?')[0]}>"


def _network(text: str) -> Network:
    # Services write 21407 as often as 214-07; the first three digits are the country's always.
    return Network(text[:3], text[3:]) if text.isdigit() else Network.parse(text)


def _at(answer: object, path: str) -> object:
    for name in path.split("."):
        answer = answer.get(name) if isinstance(answer, dict) else None
    return answer
