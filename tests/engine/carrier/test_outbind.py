"""A message centre that connects to us is bound to when it says the right things, and only then."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from whiteroute.engine.carrier import BindPhase, Host
from whiteroute.engine.messages import RootCause
from whiteroute.engine.profile import BindOptions, CarrierProfile
from whiteroute.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    CommandStatus,
    DeliverSm,
    Outbind,
    Unbind,
)
from whiteroute.simulators import RawPeer

Make = Callable[..., Any]
NoPort = Callable[[], Awaitable[int]]


@pytest.fixture
def open_listening(open_carrier: Make, no_port: NoPort) -> Make:
    """Run a carrier that listens; what it calls itself goes unanswered."""

    @asynccontextmanager
    async def opened(**account: Any) -> AsyncIterator[Any]:
        async def never(host: str, port: int, options: Any) -> trio.abc.Stream:
            await trio.sleep_forever()
            raise AssertionError

        port = await no_port()
        account = {"hosts": (Host("127.0.0.1", 1),), "open_stream": never} | account
        async with open_carrier(outbind=Host("127.0.0.1", port), **account) as carrier:
            yield carrier, port

    return opened


@pytest.fixture
async def call(autojump_clock: Any) -> AsyncIterator[Make]:
    """Connect as the message centre does; it hangs up at the end of the test."""
    peers: list[RawPeer] = []

    async def connect(port: int) -> RawPeer:
        while True:
            try:
                peer = RawPeer(await trio.open_tcp_stream("127.0.0.1", port))
            except OSError:
                await trio.sleep(0.1)
            else:
                peers.append(peer)
                return peer

    yield connect
    for peer in peers:
        await peer.aclose()


async def test_an_outbind_is_answered_by_a_receiver(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    async with open_listening() as (carrier, port):
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"))
        bind = await peer.receive()
        assert isinstance(bind, BindReceiver)
        assert "gateway" == bind.system_id
        await peer.send(BindReceiverResp(sequence_number=bind.sequence_number))
        bound = await owner.wait_change("bound")
        await peer.send(
            DeliverSm(source_addr="1", destination_addr="2", short_message=b"x", sequence_number=1)
        )
        await owner.wait(lambda: bool(owner.arrived))
        await trio.sleep(20)
        figures = carrier.statistics()
        assert (0, 1) == (figures.bound, figures.receiving)
        assert ("acme/outbind-1", BindPhase.BOUND, "127.0.0.1") == (
            figures.kept[-1].name,
            figures.kept[-1].phase,
            figures.kept[-1].host,
        )
        assert "0 of 1 bound, 1 only to receive," in repr(carrier)
        assert "acme/outbind-1 BOUND 127.0.0.1 20 s" in repr(carrier)
        await peer.send(Unbind(sequence_number=2))
        lost = await owner.wait_change("lost")
        assert not carrier.is_bound
        assert () == carrier.failures

    assert ("acme/outbind-1", "127.0.0.1", False) == (bound.link, bound.host, bound.can_submit)
    assert RootCause.PEER_UNBOUND is lost.root_cause
    assert 20 == pytest.approx(lost.bound_for, abs=0.5)


async def test_an_outbind_of_5_0_is_answered_by_a_transceiver(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    profile = CarrierProfile(bind=BindOptions(interface_version=0x50))
    async with open_listening(profile=profile) as (_, port):
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"))
        assert isinstance(await peer.receive(), BindTransceiver)


@pytest.mark.parametrize(
    ("system_id", "password", "is_right"),
    [("mc", "secret", True), ("mc", "wrong", False), ("other", "secret", False)],
)
async def test_an_outbind_has_to_say_what_was_agreed(
    autojump_clock: Any,
    open_listening: Make,
    call: Make,
    owner: Any,
    system_id: str,
    password: str,
    is_right: bool,
) -> None:
    async with open_listening(outbind_system_id="mc", outbind_password="secret") as (_, port):
        peer = await call(port)
        await peer.send(Outbind(system_id=system_id, password=password))
        answers = [await peer.receive()] if is_right else list(await peer.receive_end())

        assert [BindReceiver] * is_right == [type(answer) for answer in answers]
    assert (not is_right) is bool(owner.of("refused"))


async def test_a_bind_that_was_asked_for_may_be_refused(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    async with open_listening() as (_, port):
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"), Outbind(system_id="again"))
        bind = await peer.receive()
        await peer.send(
            BindReceiverResp(
                command_status=CommandStatus.ESME_RALYBND, sequence_number=bind.sequence_number
            )
        )
        change = await owner.wait_change("refused")
        await peer.receive_end()

    assert RootCause.ALREADY_BOUND is change.root_cause
    assert "ESME_RALYBND" in change.cause


async def test_refused_credentials_are_not_said_to_the_next_caller_either(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    async with open_listening() as (carrier, port):
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"))
        bind = await peer.receive()
        await peer.send(
            BindReceiverResp(
                command_status=CommandStatus.ESME_RINVPASWD, sequence_number=bind.sequence_number
            )
        )
        await owner.wait_change("refused")
        again = await call(port)
        await again.send(Outbind(system_id="mc"))
        assert () == await again.receive_end()
        carrier.retry()
        third = await call(port)
        await third.send(Outbind(system_id="mc"))
        assert isinstance(await third.receive(), BindReceiver)


async def test_a_stranger_is_hung_up_on(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    async with open_listening(hosts=(Host("192.0.2.1", 2775),)) as (carrier, port):
        peer = await call(port)
        assert () == await peer.receive_end()
        assert () == carrier.links
    assert [] == owner.changes


async def test_an_agreed_network_is_no_stranger(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    account = {"hosts": (Host("a..b", 2775),), "outbind_sources": ("127.0.0.0/8",)}
    async with open_listening(**account) as (_, port):
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"))
        assert isinstance(await peer.receive(), BindReceiver)


async def test_who_says_nothing_is_waited_for_no_longer_than_a_bind_takes(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    async with open_listening() as (carrier, port):
        peers = [await call(port) for _ in range(4)]
        await trio.sleep(0.5)
        assert 4 == len(carrier.links)
        fifth = await call(port)
        assert () == await fifth.receive_end()
        before = trio.current_time()
        for peer in peers:
            await peer.receive_end()
        assert 29 <= trio.current_time() - before <= 31
        # There is room again.
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"))
        assert isinstance(await peer.receive(), BindReceiver)
    assert [] == owner.of("lost")


async def test_a_port_that_cannot_be_had_is_said_and_tried_again(
    autojump_clock: Any, open_carrier: Make, owner: Any, raw: Any
) -> None:
    async def never(host: str, port: int, options: Any) -> trio.abc.Stream:
        await trio.sleep_forever()
        raise AssertionError

    async with open_carrier(raw.port, outbind=Host("127.0.0.1", raw.port), open_stream=never):
        change = await owner.wait_change("unreachable", times=3)

    assert f"cannot listen on 127.0.0.1:{raw.port}: " in change.cause
    assert "acme/outbind" == change.link


async def test_a_drained_carrier_takes_no_calls(
    autojump_clock: Any, open_listening: Make, call: Make, owner: Any
) -> None:
    async with open_listening() as (carrier, port):
        peer = await call(port)
        await peer.send(Outbind(system_id="mc"))
        bind = await peer.receive()
        await peer.send(BindReceiverResp(sequence_number=bind.sequence_number))
        await owner.wait_change("bound")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(carrier.drain, 5)
            assert isinstance(await peer.receive(), Unbind)
            late = await call(port)
            assert () == await late.receive_end()
            nursery.cancel_scope.cancel()
