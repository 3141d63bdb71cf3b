"""One bind kept up: wait for the turn, connect, bind, hold, and return to the first host.

Which parts go over it is not its matter; the carrier hears of its events as they come.
"""

from math import inf
from typing import Literal

import attrs
import trio

from whiteroute.engine.messages import RootCause, root_cause_of
from whiteroute.engine.session import Closed, Exchange, ExchangeEnd
from whiteroute.engine.upkeep import BindFailure, BindMode, HostRound, Rung, failure_of
from whiteroute.pdu import BindReceiver, Pdu, TlvTag, status_meaning, status_name

from .account import Account, BindClass, HeldLink
from .news import BindPhase, BindStatistics, LinkChange

__all__ = ["Keeper"]

STEADY_TIME = 10.0
"""Seconds after which a bind counts as one that holds. A front end that takes every bind and drops it
at once would otherwise be asked again every second for ever."""


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
    _round: HostRound = attrs.field(init=False)
    _nursery: trio.Nursery = attrs.field(init=False)
    _is_ending: bool = attrs.field(default=False, init=False)
    _is_first: bool = attrs.field(default=True, init=False)
    """Whether nothing was tried yet; the first try is not counted."""
    _phase: BindPhase = attrs.field(default=BindPhase.WAITING, init=False)
    _since: float = attrs.field(factory=trio.current_time, init=False)
    _host: str = attrs.field(default="", init=False)
    _note: str = attrs.field(default="", init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.account.settings
        self._round = HostRound(len(settings.hosts), settings.profile.rebind)

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

    def forget(self) -> None:
        """Forget what failed: every host may be tried at once."""
        self._round.forget()

    def statistics(self) -> BindStatistics:
        """Give how it is now."""
        return BindStatistics(self.name, self._phase, self._since, self._host, self._note)

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
        turn = self._round.next_turn(now, self._free_at)
        may_at = turn.at if turn.at > now else account.claim(self, now)
        if may_at > now:
            self._enter(BindPhase.WAITING)
            await account.wait_until(may_at)
            return
        try:
            found = await self._try(turn.host)
        finally:
            account.unclaim(self)
        if isinstance(found, HeldLink):
            await self._stay(found, turn.host)
        elif found is not None:
            self._failed(found, turn.host)

    def _free_at(self, host: int) -> float:
        return -inf if self._is_first else self.account.free_at(host)

    async def _try(self, host: int, *, is_bound: bool = False) -> HeldLink | _Failure | None:
        """Connect and bind.

        Args:
            host: Which one.
            is_bound: Whether another link is bound meanwhile, so that this try is not how we are.

        Returns:
            The link, bound; or why there is none; None when we were told to end in the meantime.
        """
        account = self.account
        settings = account.settings
        place = settings.hosts[host]
        if not self._is_first:
            account.attempts.made(place, trio.current_time())
        self._is_first = False
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
        held = account.open_link(stream, self.name, place)
        self._nursery.start_soon(account.run_link, held)
        bind = await held.link.request(account.bind_pdu(self.bind_class))
        if held.bound_at is not None:
            self._enter(BindPhase.BOUND, held.host)
            return held
        closed = await held.link.wait_closed()
        if bind.response is None:
            return self._unanswered(held.host, closed)
        return self._refused(held.host, rung, bind, bind.response)

    async def _stay(self, held: HeldLink, host: int) -> None:
        """Hold a bind until it is lost; meanwhile return to the first host when it is time."""
        account = self.account
        since = trio.current_time()
        while True:
            return_at = self._round.return_at(host, since, self._free_at)
            with trio.move_on_at(return_at if self._is_wanted else inf):
                await held.link.wait_closed()
            if held.link.closed is not None:
                self._lost(held, host, held.link.closed)
                return
            since = trio.current_time()
            if not self._is_wanted:
                continue
            # First make, then break: what is bound goes on until the other is.
            found = await self._try(0, is_bound=True)
            self._note = ""
            if isinstance(found, HeldLink):
                within = account.settings.session.response_timeout
                self._nursery.start_soon(account.retire, held, within)
                held, host = found, 0
                continue
            if found is not None:
                if found.kind is None:
                    account.tell(found.change)
                kind = found.kind or BindFailure.NETWORK
                self._round.failed(0, kind, since, account.random.random())
                self._note = f"cannot return: {found.change.cause}"

    # What came of it.

    def _failed(self, found: _Failure, host: int) -> None:
        account = self.account
        if found.kind is None:
            account.tell(found.change)
            account.wake()
            return
        jitter = account.random.random()
        self._round.failed(host, found.kind, trio.current_time(), jitter)
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
            nacked=bind.end is ExchangeEnd.NACKED,
            peer_version=version if isinstance(version, int) else None,
        ):
            cause = f"{cause}; asking for {ladder.rung}"
            return _Failure(attrs.evolve(change, what="fallback", cause=cause), None)
        return _Failure(change, failure_of(status))

    def _lost(self, held: HeldLink, host: int, closed: Closed) -> None:
        now = trio.current_time()
        assert held.bound_at is not None
        bound_for = now - held.bound_at
        if bound_for >= STEADY_TIME:
            self._round.held(host)
        self._note = ""
        self._round.failed(host, BindFailure.NETWORK, now, self.account.random.random())
        self._enter(BindPhase.WAITING)
        cause = f"{held.host}: {closed.cause.value}"
        if closed.detail:
            cause += f", {closed.detail}"
        wanted = self._is_ending or self.account.is_ending
        self.account.tell(
            self._change(
                "lost",
                cause,
                host=held.host,
                bound_for=bound_for,
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
    ) -> LinkChange:
        return LinkChange(
            self.account.settings.name,
            self.name,
            what,
            cause,
            command_status,
            host=host,
            bound_for=bound_for,
            root_cause=root_cause,
            can_submit=self.bind_class is not BindReceiver,
        )

    def _enter(self, phase: BindPhase, host: str | None = None) -> None:
        host = self._host if host is None else host
        if (phase, host) != (self._phase, self._host):
            self._phase, self._host, self._since = phase, host, trio.current_time()
