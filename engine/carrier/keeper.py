"""One bind kept up: wait for the turn, connect, bind, hold, and return to the first host.

Which parts go over it is not its matter; the carrier hears of its events as they come.
"""

from math import inf
from typing import Literal

import attrs
import trio

from whiteroute.engine.link import Link
from whiteroute.engine.messages import RootCause, root_cause_of
from whiteroute.engine.session import CloseCause, Closed, Exchange, ExchangeEnd
from whiteroute.engine.upkeep import STEADY_TIME, BindFailure, BindMode, Rung, failure_of
from whiteroute.pdu import BindReceiver, Pdu, TlvTag, status_meaning, status_name

from .account import Account, BindClass, HeldLink
from .news import BindPhase, BindStatistics, LinkChange

__all__ = ["Keeper"]


@attrs.frozen
class _Failure:
    """Why a try came to nothing."""

    change: LinkChange
    kind: BindFailure | None
    """None: ask in another way at once."""


@attrs.define(eq=False)
class Keeper:
    """Keeps one bind up, until it is told to end or the account asks for binds in another way."""

    account: Account
    name: str
    """Of the link, e.g. `acme/1-tx`."""
    bind_class: BindClass
    mode: BindMode
    """As part of which way of asking."""
    _nursery: trio.Nursery = attrs.field(init=False)
    _is_ending: bool = attrs.field(default=False, init=False)
    _phase: BindPhase = attrs.field(default=BindPhase.WAITING, init=False)
    _since: float = attrs.field(factory=trio.current_time, init=False)
    _host: str = attrs.field(default="", init=False)
    _note: str = attrs.field(default="", init=False)

    async def run(self) -> None:
        """Keep the bind up."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            while self._is_wanted:
                await self._go_on()

    def end(self) -> None:
        """Try nothing more, and unbind once everything in flight is answered."""
        self._is_ending = True
        within = self.account.settings.session.response_timeout
        for held in tuple(self.account.links.values()):
            if held.name == self.name:
                self._nursery.start_soon(self.account.retire, held, within)
        self.account.wake()

    def statistics(self) -> BindStatistics:
        """Give how it is now."""
        return BindStatistics(self.name, self._phase, self._since, self._host, self._note)

    @property
    def _kind(self) -> str:
        return self.bind_class.__name__

    @property
    def _is_wanted(self) -> bool:
        account = self.account
        return (
            not self._is_ending and not account.is_ending and account.ladder.rung.mode == self.mode
        )

    async def _go_on(self) -> None:
        """Take the next step: wait, or try, and hold what came of it."""
        account = self.account
        now = trio.current_time()
        if account.refused is not None:
            self._stop(account.refused)
            await account.wait_until(inf)
            return
        turn = account.round.next_turn(self, self._kind, now)
        may_at = turn.at if turn.at > now else account.claim(self, now)
        if may_at > now:
            self._enter(BindPhase.WAITING)
            await account.wait_until(may_at)
            return
        found = await self._try(turn.host)
        if isinstance(found, HeldLink):
            await self._stay(found, turn.host)
        elif found is not None:
            self._failed(found, turn.host, now)

    async def _try(self, host: int, *, is_bound: bool = False) -> HeldLink | _Failure | None:
        """Connect and bind.

        Args:
            host: Which one.
            is_bound: Whether another link is bound meanwhile, so that this try is not how we are.

        Returns:
            The link, bound; or why there is none; None when we were told to end in the meantime.
        """
        account = self.account
        began_at = trio.current_time()
        account.round.begin(host, self)
        try:
            found = await self._connect_and_bind(host, is_bound=is_bound)
            if isinstance(found, HeldLink):
                account.round.accepted(host, began_at)
            return found
        finally:
            account.round.end(host, self)
            account.unclaim(self)

    async def _connect_and_bind(self, host: int, *, is_bound: bool) -> HeldLink | _Failure | None:
        account = self.account
        settings = account.settings
        place = settings.hosts[host]
        if not is_bound:
            self._enter(BindPhase.CONNECTING, str(place))
        try:
            stream = await account.open_stream(place.name, place.port, settings.transport)
        except (OSError, ValueError) as error:
            # ValueError: a name that cannot even be asked for, such as `a..b`.
            return self._unreachable(str(place), error)
        if not self._is_wanted:
            await trio.aclose_forcefully(stream)
            return None
        if not is_bound:
            self._enter(BindPhase.BINDING)
        rung = account.ladder.rung
        held = account.open_link(stream, self.name, place, rung=rung)
        self._nursery.start_soon(account.run_link, held)
        try:
            bind = await held.link.request(account.bind_pdu(self.bind_class))
            if held.bound_at is not None:
                self._enter(BindPhase.BOUND, held.host)
                return held
            closed = await held.link.wait_closed()
        except trio.Cancelled:
            held.link.close(detail="no longer wanted")
            raise
        if bind.response is None:
            return self._unanswered(held.host, closed)
        return self._refused(held.host, rung, bind, bind.response)

    async def _stay(self, held: HeldLink, host: int) -> None:
        """Hold a bind until it is lost; meanwhile return to the first host when it is time."""
        account = self.account
        since = trio.current_time()
        while held.link.closed is None:
            now = trio.current_time()
            assert held.bound_at is not None
            steady_at = held.bound_at + STEADY_TIME
            if now < steady_at:
                with trio.move_on_at(steady_at):
                    await held.link.wait_closed()
                if held.link.closed is None:
                    account.round.held(host, held.bound_at)
                    account.wake()
                continue
            return_at = self._return_at(host, since)
            if return_at > now:
                await self._wait_closed(held, return_at, may_change=host != 0)
                continue
            # First make, then break: what is bound goes on until the other is.
            found = await self._return(held)
            since = trio.current_time()
            self._note = ""
            if isinstance(found, HeldLink):
                within = account.settings.session.response_timeout
                self._nursery.start_soon(account.retire, held, within)
                held, host = found, 0
            elif found is not None:
                self._cannot_return(found, now)
            elif held.link.closed is not None:
                # Not known to work, and not to be waited for now that nothing is bound.
                self._note_failed(0, BindFailure.NETWORK, now)
        self._lost(held, host, held.link.closed)

    def _return_at(self, host: int, since: float) -> float:
        if not self._is_wanted:
            return inf
        return self.account.round.return_at(host, self, self._kind, since)

    async def _wait_closed(self, held: HeldLink, until: float, *, may_change: bool) -> None:
        """Wait for the end of a link, for an instant, or for what may change which one."""
        if not may_change:
            await held.link.wait_closed()
            return
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_closed, held.link, nursery.cancel_scope)
            await self.account.wait_until(until)
            nursery.cancel_scope.cancel()

    async def _return(self, held: HeldLink) -> HeldLink | _Failure | None:
        """Try the first host, for as long as the link that is held stands."""
        found: HeldLink | _Failure | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_closed, held.link, nursery.cancel_scope)
            found = await self._try(0, is_bound=True)
            nursery.cancel_scope.cancel()
        return found

    def _cannot_return(self, found: _Failure, began_at: float) -> None:
        """Note, while another host holds us, that the first one did not take us."""
        self._note_failed(0, found.kind or BindFailure.NETWORK, began_at)
        self._note = f"cannot return: {found.change.cause}"
        if found.kind is BindFailure.CREDENTIALS:
            # It concerns all binds, and is no outage of the one that tried.
            name = self.account.settings.name
            self.account.tell(attrs.evolve(found.change, link=name, what="kept away"))

    # What came of it.

    def _note_failed(self, host: int, kind: BindFailure, began_at: float) -> None:
        account = self.account
        account.round.failed(
            host,
            self._kind,
            kind,
            trio.current_time(),
            account.random.random(),
            began_at=began_at,
        )

    def _failed(self, found: _Failure, host: int, began_at: float) -> None:
        account = self.account
        if found.kind is None:
            account.round.asked_otherwise(host, trio.current_time())
            account.tell(found.change)
            account.wake()
            return
        self._note_failed(host, found.kind, began_at)
        if found.kind is BindFailure.CREDENTIALS:
            self._enter(BindPhase.STOPPED)
            account.refuse(found.change)
            account.tell(attrs.evolve(found.change, what="stopped"))
        else:
            self._enter(BindPhase.WAITING)
            account.tell(found.change)

    def _stop(self, refused: LinkChange) -> None:
        """Tell, once, that another bind was refused what we would ask for as well."""
        if self._phase is not BindPhase.STOPPED:
            self._enter(BindPhase.STOPPED)
            cause = f"not tried, because of {refused.link}: {refused.cause}"
            change = attrs.evolve(refused, link=self.name, what="stopped", cause=cause)
            self.account.tell(change)

    def _unreachable(self, host: str, error: Exception) -> _Failure:
        stage = getattr(error, "stage", None)
        root_cause = root_cause_of(stage=stage if isinstance(stage, str) else "tcp")
        cause = f"cannot reach {host}: {getattr(error, 'strerror', None) or error}"
        return _Failure(
            self._change("unreachable", cause, host=host, root_cause=root_cause),
            BindFailure.NETWORK,
        )

    def _unanswered(self, host: str, closed: Closed) -> _Failure:
        cause = f"{host} did not answer the bind ({closed.cause.value})"
        root_cause = root_cause_of(close_cause=closed.cause, wanted=not self._is_wanted)
        return _Failure(
            self._change("lost", cause, host=host, root_cause=root_cause), BindFailure.NETWORK
        )

    def _refused(self, host: str, rung: Rung, bind: Exchange, answer: Pdu) -> _Failure:
        status = answer.command_status
        cause = (
            f"{host} refused the bind with {status_name(status)}:"
            f" {status_meaning(status).rstrip('.')}"
        )
        change = self._change(
            "refused",
            cause,
            command_status=status,
            host=host,
            root_cause=root_cause_of(command_status=status),
        )
        ladder = self.account.ladder
        version = answer.tlvs.value(TlvTag.SC_INTERFACE_VERSION)
        if ladder.refused(
            rung,
            status,
            trio.current_time(),
            nacked=bind.end is ExchangeEnd.NACKED,
            peer_version=version if isinstance(version, int) else None,
            is_up=self.account.is_up,
        ):
            cause = f"{cause}; asking for {ladder.rung}"
            return _Failure(attrs.evolve(change, what="fallback", cause=cause), None)
        return _Failure(change, failure_of(status))

    def _lost(self, held: HeldLink, host: int, closed: Closed) -> None:
        now = trio.current_time()
        assert held.bound_at is not None
        bound_for = now - held.bound_at
        account = self.account
        account.round.lost(host, self._kind, now, account.random.random(), bound_at=held.bound_at)
        if not account.is_up and account.ladder.begin_outage(now):
            account.wake()
        self._note = ""
        self._enter(BindPhase.WAITING)
        cause = f"{held.host}: {closed.cause.value}"
        if closed.detail:
            cause += f", {closed.detail}"
        wanted = self._is_ending or account.is_ending
        silent_for = 0.0
        if closed.cause is CloseCause.SILENCE:
            silent_for = now - held.link.session.received_at
        account.tell(
            self._change(
                "lost",
                cause,
                host=held.host,
                bound_for=bound_for,
                silent_for=silent_for,
                root_cause=root_cause_of(close_cause=closed.cause, wanted=wanted),
            )
        )

    # Small things.

    def _change(
        self,
        what: Literal["lost", "refused", "unreachable"],
        cause: str,
        *,
        host: str,
        root_cause: RootCause,
        command_status: int | None = None,
        bound_for: float | None = None,
        silent_for: float = 0.0,
    ) -> LinkChange:
        return LinkChange(
            self.account.settings.name,
            self.name,
            what,
            cause,
            command_status,
            host=host,
            bound_for=bound_for,
            silent_for=silent_for,
            root_cause=root_cause,
            can_submit=self.bind_class is not BindReceiver,
        )

    def _enter(self, phase: BindPhase, host: str | None = None) -> None:
        host = self._host if host is None else host
        if (phase, host) != (self._phase, self._host):
            self._phase, self._host, self._since = phase, host, trio.current_time()


async def _cancel_when_closed(link: Link, scope: trio.CancelScope) -> None:
    await link.wait_closed()
    scope.cancel()
