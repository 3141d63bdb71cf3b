"""A message centre in a thread of its own, for tests that know nothing of Trio: plain ones, unittest, asyncio.

Everything is called from outside and done inside the centre's loop; nothing here decides anything.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import attrs
import trio

from whiteroute.simulators import (
    Behaviour,
    CenterEvent,
    CenterEventKind,
    MessageCenter,
    MessageCenterStatistics,
    Submission,
    open_message_center,
)

T = TypeVar("T")

START_TIMEOUT = 10.0
"""Seconds until it listens, at most."""


@attrs.define(eq=False)
class ThreadedMessageCenter:
    """A message centre that runs elsewhere. Each call may come from any thread but the centre's own."""

    center: MessageCenter
    host: str
    port: int
    _token: trio.lowlevel.TrioToken

    def submitted(self, *, times: int = 1, **facts: object) -> tuple[Submission, ...]:
        """Give the submissions that fit; arguments are those of `Submissions.expect`.

        Raises:
            AssertionError: If they are not as many as told.
        """
        return self._call(lambda: self.center.submitted(times=times, **facts))  # type: ignore[arg-type]

    def wait_for(
        self,
        event: CenterEventKind | str,
        *,
        within: float = 5.0,
        times: int = 1,
        to: str | None = None,
        account: str | None = None,
        status: int | None = None,
    ) -> tuple[CenterEvent, ...]:
        """Wait until something has happened so many times; what is past counts.

        Args:
            event: What, e.g. `receipt_acknowledged`.
            within: Seconds.
            times: How many such events.
            to: Only about messages to this number.
            account: Only of this account.
            status: Only with this command_status.

        Raises:
            AssertionError: If it did not happen in time; it lists what did.
        """

        async def wait() -> tuple[CenterEvent, ...] | None:
            with trio.move_on_after(within):
                return await self.center.wait_for(
                    event, times=times, to=to, account=account, status=status
                )
            return None

        found = trio.from_thread.run(wait, trio_token=self._token)
        if found is None:
            seen = ", ".join(each.event for each in self.events()) or "nothing"
            raise AssertionError(f"no {event} within {within:g} s, expected {times}; seen: {seen}")
        return found

    def inject_mo(self, source_addr: str, destination_addr: str, text: str) -> int:
        """Have a handset send a text; give how many parts it took."""
        return self._call(lambda: self.center.inject_mo(source_addr, destination_addr, text))

    def behave(self, *behaviours: Behaviour) -> None:
        """Have it behave in this way from now on, and no other."""

        def change() -> None:
            self.center.behaviours = behaviours

        self._call(change)

    def events(self) -> tuple[CenterEvent, ...]:
        """Give the latest events, oldest first."""
        return self._call(self.center.events)

    def statistics(self) -> MessageCenterStatistics:
        """Give the figures as they are now."""
        return self._call(self.center.statistics)

    @property
    def center_token(self) -> trio.lowlevel.TrioToken:
        """How Trio knows the centre's loop from another thread."""
        return self._token

    def _call(self, function: Callable[[], T]) -> T:
        return trio.from_thread.run_sync(function, trio_token=self._token)


@contextmanager
def open_threaded_message_center(
    center: MessageCenter, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[ThreadedMessageCenter]:
    """Run a message centre in a thread for as long as the block lasts.

    Raises:
        OSError: If the port is taken or may not be used.
    """
    started = threading.Event()
    opened: list[ThreadedMessageCenter] = []
    failed: list[BaseException] = []
    leave = trio.Event()

    async def serve() -> None:
        async with open_message_center(center, host=host, port=port):
            token = trio.lowlevel.current_trio_token()
            opened.append(ThreadedMessageCenter(center, center.host, center.port, token))
            started.set()
            await leave.wait()

    def run() -> None:
        try:
            trio.run(serve)
        except BaseException as error:  # noqa: BLE001 - raised again where somebody looks
            failed.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="message centre", daemon=True)
    thread.start()
    if not started.wait(START_TIMEOUT):
        raise TimeoutError(f"the message centre does not listen within {START_TIMEOUT:g} s")
    if failed:
        raise failed[0]
    threaded = opened[0]
    try:
        yield threaded
    finally:
        if thread.is_alive():
            trio.from_thread.run_sync(leave.set, trio_token=threaded.center_token)
        thread.join(START_TIMEOUT)
    if failed:
        raise failed[0]
