"""An opening or an accepting that is cancelled at any await leaves no socket open."""

import pytest
import trio
import trio.testing

from whiteroute.engine.profile import TlsOptions, TransportOptions
from whiteroute.engine.transport import accept_transport, open_transport


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope before the n-th step of its own tasks, whatever they wait for."""

    def __init__(self, at: int) -> None:
        self.at, self.steps = at, 0
        self.scope = trio.CancelScope()
        self.root: trio.lowlevel.Task | None = None

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        nursery, above = task.parent_nursery, task
        while above is not self.root and nursery is not None:
            above, nursery = nursery.parent_task, nursery.parent_task.parent_nursery
        if self.root is not None and above is self.root:
            self.steps += 1
            if self.steps == self.at:
                self.scope.cancel()


async def cancelled_at(at: int, run) -> bool:
    """Run with a cancellation at a step; says whether there was such a step."""
    instrument = CancelAtStep(at)

    async def task() -> None:
        instrument.root = trio.lowlevel.current_task()
        with instrument.scope:
            await run()
        instrument.root = None

    trio.lowlevel.add_instrument(instrument)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(task)
    finally:
        trio.lowlevel.remove_instrument(instrument)
    return instrument.steps >= at


@pytest.mark.parametrize("encrypted", [False, True], ids=["in clear", "tls"])
@pytest.mark.parametrize("side", ["opens", "accepts"])
async def test_a_cancellation_at_any_await_leaves_no_socket(
    autojump_clock, listen, names, authority, sockets_open, encrypted: bool, side: str, closed_port
):
    names.names["smsc.example.com"] = ["127.0.0.3", "127.0.0.1"]
    settings = authority.settings() if encrypted else None
    tls = TlsOptions(ca_file=authority.ca_file) if encrypted else None
    options = TransportOptions(tls=tls, proxy_protocol="v2", source_address="127.0.0.2")
    accepted: list[bool] = []

    async def accept(stream: trio.SocketStream) -> None:
        async def run() -> None:
            with trio.move_on_after(1):
                try:
                    made = await accept_transport(stream, tls=settings, proxy_protocol=True)
                    await made.stream.aclose()
                except OSError:
                    pass

        if side == "accepts":
            accepted.append(await cancelled_at(at, run))
            served.set()
        else:
            await run()

    async def connect() -> None:
        try:
            stream = await open_transport("smsc.example.com", there.port, options)
        except OSError:
            return
        await trio.aclose_forcefully(stream)

    at = 0
    more = True
    while more:
        at += 1
        assert at < 200
        before = sockets_open()
        served = trio.Event()
        async with listen(accept) as there:
            if side == "opens":
                more = await cancelled_at(at, connect)
            else:
                await connect()
                with trio.fail_after(5):
                    await served.wait()
                more = accepted[-1]
        assert before == sockets_open(), f"at step {at}"
    # Fewer steps than this would mean that not everything was walked through.
    assert at > (6 if encrypted else 3)
