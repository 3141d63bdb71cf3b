"""Binds that the message centre asks for: it connects to us and sends outbind, we bind on its stream.

Nobody is waited for who does not say what he wants: strangers are hung up on at once, and the session's
own timer ends a link without outbind.

Spec: SMPP 3.4 §2.2.1, §4.1.7
"""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import count
from typing import Any, Literal

import attrs
import trio

from whiteroute.engine.link import Link
from whiteroute.engine.messages import RootCause, root_cause_of
from whiteroute.engine.session import Arrived, Closed, Event
from whiteroute.engine.upkeep import Backoff, BindFailure, failure_of
from whiteroute.pdu import (
    BindReceiver,
    BindTransceiver,
    InterfaceVersion,
    Outbind,
    status_name,
)

from .account import Account, BindClass, HeldLink
from .news import LinkChange
from .settings import Host

__all__ = ["OutbindListener"]

MOST_PENDING = 4
"""Links that have not come to a bind yet, at most. A message centre opens one at a time."""

LOOKUP_TIMEOUT = 5.0
"""Seconds to look up the names of the carrier's hosts, before a caller is taken for a stranger."""


MOST_BOUND = 10
"""Links bound in this way, at most; contracts allow 1 to 4 binds mostly."""


@attrs.define(eq=False)
class _Call:
    """What came on a link before we bind on it."""

    outbind: Outbind | None = None
    """None, too, when the link ended without one."""
    is_over: trio.Event = attrs.field(factory=trio.Event)


@attrs.define(eq=False)
class OutbindListener:
    """Takes the links of one account's message centre."""

    account: Account
    _numbers: "count[int]" = attrs.field(factory=lambda: count(1), init=False)
    _pending: set[trio.abc.Stream] = attrs.field(factory=set[trio.abc.Stream], init=False)
    """Those that are not bound yet."""
    _calls: dict[Link, _Call] = attrs.field(factory=dict[Link, _Call], init=False)
    """By the links that are open."""

    @property
    def name(self) -> str:
        """Of the listener in news, e.g. `acme/outbind`."""
        return f"{self.account.settings.name}/outbind"

    async def run(self) -> None:
        """Listen until cancelled; as long as the port cannot be had, try again and again."""
        account = self.account
        place = account.settings.outbind
        assert place is not None
        backoff = Backoff(account.settings.profile.rebind)
        while True:
            try:
                listeners = await trio.open_tcp_listeners(place.port, host=place.name)
            except OSError as error:
                cause = f"cannot listen on {place}: {error.strerror or error}"
                account.tell(self._change(self.name, "unreachable", cause, str(place)))
                delay = backoff.next_delay(BindFailure.NETWORK, account.random.random())
                await trio.sleep(delay or 0.0)
            else:
                await trio.serve_listeners(self._serve, listeners)

    async def _serve(self, stream: trio.SocketStream) -> None:
        if len(self._pending) >= MOST_PENDING or len(self._calls) >= MOST_PENDING + MOST_BOUND:
            await trio.aclose_forcefully(stream)
            return
        self._pending.add(stream)
        try:
            address = await self._admit(stream)
            if not address or self.account.is_ending:
                await trio.aclose_forcefully(stream)
                return
            name = f"{self.name}-{next(self._numbers)}"
            held = self.account.open_link(stream, name, address, take=self._take)
            self._calls[held.link] = _Call()
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self.account.run_link, held)
                    await self._bind(held, self._calls[held.link])
                    self._pending.discard(stream)
                    self._ended(held, await held.link.wait_closed())
            finally:
                del self._calls[held.link]
        finally:
            self._pending.discard(stream)

    async def _admit(self, stream: trio.SocketStream) -> str:
        """Give the caller's address, if it is one of the carrier's; empty for a stranger."""
        settings = self.account.settings
        try:
            caller = _plain(stream.socket.getpeername()[0])
        except OSError:
            return ""  # it is gone already
        known = any(
            caller in ip_network(source, strict=False) for source in settings.outbind_sources
        )
        for host in settings.hosts:
            known = known or caller in await _addresses(host)
        return str(caller) if known else ""

    def _take(self, link: Link, events: list[Event]) -> None:
        """Keep outbind back; everything else is for the account."""
        call = self._calls.get(link)
        rest: list[Event] = []
        for event in events:
            if call is not None and isinstance(event, Arrived) and isinstance(event.pdu, Outbind):
                call.outbind = call.outbind or event.pdu
                call.is_over.set()
                continue
            if call is not None and isinstance(event, Closed):
                call.is_over.set()
            rest.append(event)
        if rest:
            self.account.take(link, rest)

    async def _bind(self, held: HeldLink, call: _Call) -> None:
        """Wait for outbind, and bind; the link is closed if it does not come to that."""
        account, link = self.account, held.link
        await call.is_over.wait()
        outbind = call.outbind
        if outbind is None or link.closed is not None:
            return
        settings = account.settings
        expected = (
            (settings.outbind_system_id, outbind.system_id),
            (settings.outbind_password, outbind.password),
        )
        if any(wanted and wanted != said for wanted, said in expected):
            cause = f"{held.host} sent an outbind with another system_id or password"
            account.tell(
                self._change(held.name, "refused", cause, held.host, RootCause.CREDENTIALS)
            )
            link.close(detail="not the outbind of this carrier")
            return
        if account.refused is not None:
            link.close(detail="our credentials were refused before")
            return
        bind = await link.request(account.bind_pdu(_bind_class(account)))
        if bind.response is not None and held.bound_at is None:
            status = bind.response.command_status
            cause = f"{held.host} refused the bind it asked for with {status_name(status)}"
            root_cause = root_cause_of(command_status=status)
            change = self._change(held.name, "refused", cause, held.host, root_cause)
            account.tell(change)
            if failure_of(status) is BindFailure.CREDENTIALS:
                account.refuse(change)

    def _ended(self, held: HeldLink, closed: Closed) -> None:
        if held.bound_at is None:
            return
        root_cause = root_cause_of(close_cause=closed.cause, wanted=self.account.is_ending)
        cause = f"{held.host}: {closed.cause.value}" + (
            f", {closed.detail}" if closed.detail else ""
        )
        bound_for = trio.current_time() - held.bound_at
        self.account.tell(self._change(held.name, "lost", cause, held.host, root_cause, bound_for))

    def _change(
        self,
        link: str,
        what: Literal["lost", "refused", "unreachable"],
        cause: str,
        host: str,
        root_cause: RootCause = RootCause.UNKNOWN,
        bound_for: float | None = None,
    ) -> LinkChange:
        return LinkChange(
            self.account.settings.name,
            link,
            what,
            cause,
            host=host,
            bound_for=bound_for,
            root_cause=root_cause,
            can_submit=_bind_class(self.account) is not BindReceiver,
        )


def _bind_class(account: Account) -> BindClass:
    """Choose how to answer an outbind. Spec: SMPP 3.4 §2.2.1 knows the receiver only; 5.0 §2.2.1 both."""
    rung = account.ladder.rung
    is_new = rung.interface_version >= InterfaceVersion.V5_0
    return BindTransceiver if is_new and rung.mode == "trx" else BindReceiver


def _plain(address: str) -> IPv4Address | IPv6Address:
    """Read an address; one of IPv4 that came in IPv6's clothes is one of IPv4."""
    read = ip_address(address.partition("%")[0])
    return (isinstance(read, IPv6Address) and read.ipv4_mapped) or read


async def _addresses(host: Host) -> set[IPv4Address | IPv6Address]:
    """Look up where one of the carrier's hosts may come from; nothing when that cannot be known."""
    found: list[Any] = []
    with trio.move_on_after(LOOKUP_TIMEOUT):
        with suppress(OSError, ValueError):
            found = await trio.socket.getaddrinfo(
                host.name, host.port, type=trio.socket.SOCK_STREAM
            )
    return {_plain(str(entry[4][0])) for entry in found}
