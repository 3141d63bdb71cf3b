"""One GET for each number, one JSON object back; anything else is no answer."""

from collections.abc import Callable

import httpx
import pytest
import trio

from whiteroute.engine.resolvers import HttpInquiry, InquiryError
from whiteroute.routing import Network, NetworkSource

NUMBER = "34600111222"
Answer = Callable[[httpx.Request], httpx.Response]


def inquiry(answer: Answer, **settings: object) -> HttpInquiry:
    facts: dict[str, object] = {"url": "https://mnp.example/v1/{msisdn}?key=secret"} | settings
    return HttpInquiry(transport=httpx.MockTransport(answer), **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "network", "ported"),
    [
        ({"network": "214-07"}, Network("214", "07"), None),
        ({"network": "310260", "ported": True}, Network("310", "260"), True),
        ({"network": 21407, "ported": "no idea"}, Network("214", "07"), None),
    ],
)
async def test_an_answer_is_read(body: object, network: Network, ported: bool | None) -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((str(request.url), request.headers["x-key"]))
        return httpx.Response(200, json=body)

    asking = inquiry(answer, headers={"x-key": "k"}, ported="ported")
    async with asking:
        info = await asking.ask(NUMBER)

    assert info is not None
    assert (info.network, info.ported, info.source) == (network, ported, NetworkSource.MNP_DIP)
    assert seen == [(f"https://mnp.example/v1/{NUMBER}?key=secret", "k")]
    assert repr(asking) == "<HttpInquiry https://mnp.example/v1/{msisdn}>"


async def test_an_answer_may_lie_inside_of_objects() -> None:
    async with inquiry(
        lambda _: httpx.Response(200, json={"result": {"mccmnc": "21407"}}),
        network="result.mccmnc",
    ) as asking:
        info = await asking.ask(NUMBER)
    assert info is not None


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(404),
        httpx.Response(200, json={"network": None}),
        httpx.Response(200, json=["no object"]),
    ],
)
async def test_that_nobody_knows_it_is_an_answer(response: httpx.Response) -> None:
    async with inquiry(lambda _: response) as asking:
        assert await asking.ask(NUMBER) is None


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (httpx.Response(500), "HTTP 500"),
        (httpx.Response(302, headers={"location": "https://elsewhere.example"}), "HTTP 302"),
        (httpx.Response(200, content=b"<html>"), "no JSON"),
        (httpx.Response(200, json={"network": "Movistar"}), "no network"),
        (httpx.Response(200, content=b" " * 70_000), "more than 65536"),
    ],
)
async def test_anything_else_is_none(response: httpx.Response, words: str) -> None:
    async with inquiry(lambda _: response) as asking:
        with pytest.raises(InquiryError, match=words) as caught:
            await asking.ask(NUMBER)
    assert NUMBER not in str(caught.value)


async def test_a_service_that_cannot_be_reached_did_not_answer() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no way to {request.url}")

    async with inquiry(refuse) as asking:
        with pytest.raises(InquiryError, match=r"^ConnectError$"):
            await asking.ask(NUMBER)
    with pytest.raises(InquiryError, match="not open"):
        await asking.ask(NUMBER)


async def test_it_speaks_over_a_real_socket() -> None:
    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            head = await stream.receive_some()
            assert head.startswith(f"GET /{NUMBER} HTTP/1.1\r\n".encode())
            body = b'{"network": "214-07"}'
            await stream.send_all(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)
            )

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        port = listener.socket.getsockname()[1]
        asking = HttpInquiry(url=f"http://127.0.0.1:{port}/{{msisdn}}")
        async with asking:
            info = await asking.ask(NUMBER)
        nursery.cancel_scope.cancel()
    assert info is not None
    assert info.network == Network("214", "07")
