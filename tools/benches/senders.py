"""The ways of sending that the bench `submit` compares: each sends as many submit_sm as it is told.

All make each message by keywords, as an application does, read every answer with the same codec, and
find the message that it answers. What they cost beside that is their own.
"""

import socket
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import attrs
import trio

from whiteroute.engine.link import Link, Timers
from whiteroute.engine.session import Event, Role, Session, SessionSettings
from whiteroute.pdu import BindTransceiver, Framer, Pdu, SubmitSm, decode, encode

Address = tuple[str, int]

RECEIVE_OCTETS = 65_536

TEXT = b"Your code is 271828, valid for 5 minutes"


def message() -> SubmitSm:
    """Make a message as an application does."""
    return SubmitSm(
        source_addr_ton=5,
        source_addr="ACME",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="34600111222",
        registered_delivery=1,
        short_message=TEXT,
    )


@attrs.frozen(kw_only=True)
class Load:
    """What is sent over what."""

    binds: int = 1
    window: int
    """Of each bind."""
    messages: int
    """Of all binds together; a multiple of `binds` times `window`."""

    @property
    def of_each_bind(self) -> int:
        """How many messages go over each bind."""
        return self.messages // self.binds


Stopwatch = Callable[[], None]
"""Called when all is bound and the sending starts, and when it has ended."""

Sender = Callable[[Address, Load, Stopwatch], None]


def connect(address: Address) -> socket.socket:
    """Open a blocking socket, bound as transceiver."""
    made = socket.create_connection(address)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.sendall(encode(BindTransceiver(system_id="bench", sequence_number=1)))
    framer = Framer()
    while not framer.receive(made.recv(RECEIVE_OCTETS)):
        pass
    return made


def blast(address: Address, load: Load, stopwatch: Stopwatch) -> None:
    """Send octets made before, and count those that come: what the peer, and the machine, can do."""
    pdu = message()
    pdu.sequence_number = 2
    octets = encode(pdu) * load.window
    with connect(address) as made:
        made.sendall(encode(pdu))
        answer = len(made.recv(RECEIVE_OCTETS))
        stopwatch()
        for _ in range(load.messages // load.window):
            made.sendall(octets)
            missing = answer * load.window
            while missing:
                missing -= len(made.recv(RECEIVE_OCTETS))
        stopwatch()


def send_in_a_loop(address: Address, load: Load, stopwatch: Stopwatch) -> None:
    """Send as one would with a blocking socket, a codec and nothing else: fill the window, read, refill."""
    framer, number, left, done = Framer(), 1, load.messages, 0
    waiting: dict[int, Pdu] = {}
    with connect(address) as made:
        stopwatch()
        while done < load.messages:
            out = []
            for _ in range(min(load.window - len(waiting), left)):
                number += 1
                pdu = message()
                pdu.sequence_number = number
                waiting[number] = pdu
                out.append(encode(pdu))
            left -= len(out)
            made.sendall(b"".join(out))
            while not (frames := framer.receive(made.recv(RECEIVE_OCTETS))):
                pass
            for frame in frames:
                del waiting[decode(frame).sequence_number]
            done += len(frames)
        stopwatch()


def _ignore(_link: Link, _events: list[Event]) -> None:
    pass


_Sending = Callable[[Link, Load], Coroutine[Any, Any, None]]


async def _over_links(
    address: Address, load: Load, stopwatch: Stopwatch, sending: _Sending
) -> None:
    timers, links = Timers(), list[Link]()
    settings = SessionSettings(window=load.window)
    async with trio.open_nursery() as standing:
        standing.start_soon(timers.run)
        for _ in range(load.binds):
            stream = await trio.open_tcp_stream(*address)
            session = Session(Role.ESME, settings, trio.current_time())
            links.append(Link(stream, session, timers, _ignore))
            standing.start_soon(links[-1].run)
            await links[-1].request(BindTransceiver(system_id="bench"))
        stopwatch()
        async with trio.open_nursery() as sends:
            for link in links:
                sends.start_soon(sending, link, load)
        stopwatch()
        standing.cancel_scope.cancel()


async def _request_many(link: Link, load: Load) -> None:
    pdus = (message() for _ in range(load.of_each_bind))
    async for exchange in link.request_many(pdus):
        assert exchange.response is not None


async def _request(link: Link, load: Load) -> None:
    async def work() -> None:
        for _ in range(load.of_each_bind // load.window):
            exchange = await link.request(message())
            assert exchange.response is not None

    async with trio.open_nursery() as nursery:
        for _ in range(load.window):
            nursery.start_soon(work)


def _run(sending: _Sending, address: Address, load: Load, stopwatch: Stopwatch) -> None:
    trio.run(_over_links, address, load, stopwatch, sending)


request_many: Sender = partial(_run, _request_many)
"""`Link.request_many` over each bind."""

request: Sender = partial(_run, _request)
"""`await Link.request` from as many workers as the windows are wide."""


@attrs.define(eq=False)
class _NaiveLink:
    """A client as one would first write it in Trio: an event, a time-out and a write for each message."""

    stream: trio.abc.Stream
    _numbers: Iterator[int] = attrs.field(factory=lambda: iter(range(2, 0x7FFFFFFF)), init=False)
    _waiting: dict[int, trio.Event] = attrs.field(factory=dict, init=False)
    _answers: dict[int, Pdu] = attrs.field(factory=dict, init=False)
    _sends: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def read(self) -> None:
        framer = Framer()
        async for octets in self.stream:
            for frame in framer.receive(bytes(octets)):
                pdu = decode(frame)
                self._answers[pdu.sequence_number] = pdu
                self._waiting.pop(pdu.sequence_number).set()

    async def request(self, pdu: Pdu) -> Pdu:
        number = pdu.sequence_number = next(self._numbers)
        answered = self._waiting[number] = trio.Event()
        with trio.fail_after(60):
            async with self._sends:
                await self.stream.send_all(encode(pdu))
            await answered.wait()
        return self._answers.pop(number)


async def _naively(address: Address, load: Load, stopwatch: Stopwatch) -> None:
    links = [
        _NaiveLink(trio.SocketStream(trio.socket.from_stdlib_socket(connect(address))))
        for _ in range(load.binds)
    ]

    async def work(link: _NaiveLink) -> None:
        for _ in range(load.of_each_bind // load.window):
            await link.request(message())

    async with trio.open_nursery() as standing:
        for link in links:
            standing.start_soon(link.read)
        stopwatch()
        async with trio.open_nursery() as sends:
            for link in links:
                for _ in range(load.window):
                    sends.start_soon(work, link)
        stopwatch()
        standing.cancel_scope.cancel()
    for link in links:
        await link.stream.aclose()


def send_naively(address: Address, load: Load, stopwatch: Stopwatch) -> None:
    """Send with an event, a cancel scope, a lock and a write for each message."""
    trio.run(_naively, address, load, stopwatch)
