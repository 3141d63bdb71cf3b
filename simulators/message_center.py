"""An operator's message centre for tests and demonstrations: real SMPP on real TCP, chance by seed.

It keeps the rules by the same `Session` as the engine does; what it does wrong it does on purpose, by
its behaviours. What it answers is in `desk`, what becomes of messages in `message_store`.
"""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from math import inf

import attrs
import trio
from trio.lowlevel import ParkingLot

from whiteroute.engine.link import Link, Observer, Timers
from whiteroute.engine.session import Role, Session, SessionSettings
from whiteroute.engine.transport import TransportError, accept_transport
from whiteroute.pdu import (
    AlertNotification,
    InterfaceVersion,
    Outbind,
    ReceiptDialect,
    encode,
    make_tlvs,
)

from .accounts import Account
from .agenda import Agenda
from .behaviours import Behaviour
from .binds import CenterBind
from .deliveries import make_mobile_originated, numbering
from .desk import Desk
from .handsets import Handsets
from .happenings import CenterEvent, CenterEventKind, Happenings, Mobile
from .hooks import Hooks
from .mailbox import Delivery, Mailboxes
from .message_store import MessageStore
from .receipt_writer import ReceiptWriter
from .submissions import Submission, Submissions
from .wall_clock import WallClock
from .ways import Way, peer_address

FAREWELL_TIMEOUT = 2.0
"""Seconds left to links that are over for their last octets, when the centre is closed."""

CENTER_SETTINGS = SessionSettings(window=100, inbound_window=100_000)
"""How a centre conducts a session unless told otherwise: more deliver_sm in flight than one carrier
in ten allows, so that it does not slow tests down, and no end of requests that wait for an answer,
because some behaviours never give one."""


@attrs.frozen(kw_only=True)
class MessageCenterStatistics:
    """What a message centre has done so far."""

    links: int
    """Open now, bound or not."""
    binds: int
    """Bound now."""
    accepted: int
    """Messages; those of submit_multi by destination."""
    refused: int
    deliveries_sent: int
    """deliver_sm with receipts and with messages from handsets, repetitions included."""
    deliveries_acknowledged: int
    deliveries_waiting: int
    """For a receiving bind or for room in its window."""
    due: int
    """Outcomes, repetitions and late answers still to come."""


@attrs.define(eq=False, kw_only=True, repr=False)
class MessageCenter:
    """A message centre; run it with `open_message_center`.

    Opened a second time it goes on like a centre after a restart: it still knows its messages, and
    delivers what waits.
    """

    system_id: str = "whiteroute"
    """What it calls itself in bind responses."""
    accounts: tuple[Account, ...] = attrs.field(default=(), converter=tuple[Account, ...])
    """Who may bind; with none, anybody may with any password."""
    _handsets: Handsets = attrs.field(factory=Handsets, alias="handsets")
    _behaviours: tuple[Behaviour, ...] = attrs.field(
        default=(), converter=tuple[Behaviour, ...], alias="behaviours"
    )
    seed: int = 1
    """All chance comes from it."""
    receipt: ReceiptDialect = attrs.field(factory=ReceiptDialect)
    """How it writes receipts."""
    settings: SessionSettings = CENTER_SETTINGS
    """How it conducts sessions; its `window` bounds deliver_sm in flight on a bind."""
    interface_version: int = InterfaceVersion.V3_4
    """Told to peers that speak 3.4 or later themselves."""
    retry_delay: float = 5.0
    """Seconds until a deliver_sm that was not taken comes again; doubled each time. Real centres
    wait longer, but tests are run by people."""
    attempts: int = 8
    """How often a deliver_sm is sent at most; 8 take 10 minutes in all."""
    waiting_limit: int = 100_000
    """Deliveries that wait for a bind of one account, at most."""
    queue_limit: int = 1_000_000
    """Messages under way, at most; further ones get ESME_RMSGQFUL."""
    validity: float = inf
    """Seconds after which a message that names no time of its own is given up: EXPIRED. Real centres
    take one to seven days; here it is what becomes of messages (`handsets`) that decides."""
    remembered: int = 50_000
    """Submissions and events that can be asked about, the latest of each."""
    on_event: Callable[[CenterEvent], None] | None = None
    """Called with each event as it happens; it must not wait."""
    observer: Observer | None = None
    """Sees every PDU of every link, both ways; it must not wait."""
    started_at: datetime | None = None
    """What its calendar shows when it is opened, with a zone; None: the real time."""
    host: str = attrs.field(default="", init=False)
    """Where it listens; empty while it does not."""
    port: int = attrs.field(default=0, init=False)
    addresses: tuple[tuple[str, int], ...] = attrs.field(default=(), init=False)
    """All hosts and ports where it listens."""
    submitted: Submissions = attrs.field(init=False)
    """What it was given."""
    _happenings: Happenings = attrs.field(init=False)
    _mailboxes: Mailboxes = attrs.field(init=False)
    _store: MessageStore = attrs.field(init=False)
    _desk: Desk = attrs.field(init=False)
    _clock: WallClock = attrs.field(factory=WallClock, init=False)
    _agenda: Agenda = attrs.field(factory=Agenda, init=False)
    _timers: Timers = attrs.field(factory=Timers, init=False)
    _binds: dict[CenterBind, None] = attrs.field(factory=dict, init=False)
    _bind_ended: ParkingLot = attrs.field(factory=ParkingLot, init=False)
    _hooks: Hooks = attrs.field(factory=Hooks, init=False)
    _links: int = attrs.field(default=0, init=False)
    _reference: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.submitted = Submissions(self.remembered)
        self._happenings = Happenings(self._clock, self.on_event, self.remembered)
        self._mailboxes = Mailboxes(
            agenda=self._agenda,
            happenings=self._happenings,
            retry_delay=self.retry_delay,
            attempts=self.attempts,
            limit=self.waiting_limit,
        )
        self._store = MessageStore(
            handsets=self._handsets,
            receipts=ReceiptWriter(self.receipt),
            seed=self.seed,
            submissions=self.submitted,
            agenda=self._agenda,
            mailboxes=self._mailboxes,
            clock=self._clock,
            hooks=self._hooks,
            validity=self.validity,
        )
        self._desk = Desk(
            system_id=self.system_id,
            accounts=self.accounts,
            interface_version=self.interface_version,
            queue_limit=self.queue_limit,
            agenda=self._agenda,
            happenings=self._happenings,
            mailboxes=self._mailboxes,
            store=self._store,
            hooks=self._hooks,
        )
        for account in self.accounts:
            self._mailboxes.of(account.system_id)
        self.behaviours = self._behaviours

    # What a test or a scenario does with it.

    @property
    def behaviours(self) -> tuple[Behaviour, ...]:
        """How it misbehaves, in the order of application; may be changed at any time."""
        return self._behaviours

    @behaviours.setter
    def behaviours(self, behaviours: tuple[Behaviour, ...]) -> None:
        self._behaviours = tuple(behaviours)
        self._hooks.change(self._behaviours)
        self._mailboxes.prefer(self._carries if self._hooks.carries else None)

    def _carries(self, way: Way, submission: Submission) -> bool:
        return all(each.carries(way, submission) for each in self._hooks.carries)

    @property
    def handsets(self) -> Handsets:
        """What becomes of messages; may be changed at any time, for messages that come after."""
        return self._handsets

    @handsets.setter
    def handsets(self, handsets: Handsets) -> None:
        self._handsets = self._store.handsets = handsets

    def inject_mo(
        self, source_addr: str, destination_addr: str, text: str, *, account: str | None = None
    ) -> int:
        """Have a handset send a text; it is delivered in parts, or waits for a receiving bind.

        Args:
            source_addr: The handset's number.
            destination_addr: What it wrote to, e.g. a short code.
            text: Any text.
            account: Whose message it is; None: the first account that can receive now, or else the
                first there is.

        Returns:
            How many parts it took.

        Raises:
            ValueError: If no account is known (yet).
            EncodeError: If the text takes more than 255 parts, or an address is too long.
        """
        if account is None:
            mailbox = self._mailboxes.first_for_mo()
        else:
            mailbox = self._mailboxes.of(account) if account in self._mailboxes else None
        if mailbox is None:
            known = [each.account for each in self._mailboxes]
            raise ValueError(f"account: {account}, expected one of {known or 'those that bind'}")
        self._reference += 1
        parts = make_mobile_originated(source_addr, destination_addr, text, self._reference)
        for part in parts:
            encode(part)
        now = trio.current_time()
        for part in parts:
            mailbox.post(Delivery(part, Mobile(part), None), now)
        return len(parts)

    def send_alert(
        self, source_addr: str, esme_addr: str, *, account: str, available: bool = True
    ) -> int:
        """Tell every receiving bind of an account that a handset can be reached again, or not.

        Args:
            source_addr: The handset's number.
            esme_addr: Who had asked to be told.
            account: Whose binds.
            available: Whether it can be reached.

        Returns:
            How many binds were told; nobody answers, and nothing waits for those that are not there.
        """
        availability = 0 if available else 2
        told = 0
        for bind in self._binds:
            if bind.account != account or not bind.receives:
                continue
            ton, npi = numbering(source_addr)
            bind.link.send(
                AlertNotification(
                    source_addr_ton=ton,
                    source_addr_npi=npi,
                    source_addr=source_addr.removeprefix("+"),
                    esme_addr=esme_addr.removeprefix("+"),
                    tlvs=make_tlvs(ms_availability_status=availability),
                )
            )
            told += 1
        self._happenings.note(
            CenterEventKind.ALERT, trio.current_time(), account, detail=source_addr
        )
        return told

    def events(self) -> tuple[CenterEvent, ...]:
        """Give the latest events, oldest first."""
        return self._happenings.events()

    async def wait_for(
        self,
        event: CenterEventKind | str,
        *,
        times: int = 1,
        to: str | None = None,
        account: str | None = None,
        message_id: str | None = None,
        status: int | None = None,
    ) -> tuple[CenterEvent, ...]:
        """Wait until something has happened so many times; what is past counts.

        Args:
            event: What, e.g. `receipt_acknowledged`.
            times: How many such events, at least 1.
            to: Only about messages to this number, as it was submitted.
            account: Only of this account.
            message_id: Only about this message.
            status: Only with this command_status.

        Returns:
            The first so many events that fit; fewer if some are not remembered any more.

        Raises:
            ValueError: For a kind of event that there is not.
        """
        kind = CenterEventKind(event)
        facts = {
            "destination_addr": to,
            "account": account,
            "message_id": message_id,
            "status": status,
        }
        wanted = {name: fact for name, fact in facts.items() if fact is not None}

        def fits(seen: CenterEvent) -> bool:
            return all(getattr(seen, name) == fact for name, fact in wanted.items())

        return await self._happenings.wait_for(kind, fits if wanted else None, times)

    def statistics(self) -> MessageCenterStatistics:
        """Give the figures as they are now."""
        mailboxes = tuple(self._mailboxes)
        return MessageCenterStatistics(
            links=len(self._binds),
            binds=sum(mailbox.binds for mailbox in mailboxes),
            accepted=self._store.accepted,
            refused=self._store.refused,
            deliveries_sent=sum(mailbox.sent for mailbox in mailboxes),
            deliveries_acknowledged=sum(mailbox.acknowledged for mailbox in mailboxes),
            deliveries_waiting=sum(mailbox.waiting for mailbox in mailboxes),
            due=len(self._agenda),
        )

    def date_of(self, instant: float) -> datetime:
        """Give what the centre's calendar shows at an instant of `trio.current_time`, in UTC."""
        return self._clock.date_at(instant)

    def __repr__(self) -> str:
        where = f"{self.host}:{self.port}" if self.host else "not listening"
        return f"<MessageCenter {self.system_id} {where}, {self._store.accepted} messages>"

    # Its life.

    async def run(self, task_status: "trio.TaskStatus[None]" = trio.TASK_STATUS_IGNORED) -> None:
        """Keep its time until cancelled; `open_message_center` does this."""
        self._clock.set(self.started_at or datetime.now(UTC))
        task_status.started()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._timers.run)
            nursery.start_soon(self._agenda.run)

    async def serve_stream(
        self,
        stream: trio.abc.Stream,
        *,
        tls: ssl.SSLContext | None = None,
        proxy_protocol: bool = False,
        host: int = 0,
        outbind: Outbind | None = None,
    ) -> None:
        """Serve one link until it ends; it is closed then.

        Args:
            stream: TCP, or one end of a pair in memory, for tests in virtual time.
            tls: With the centre's certificate, if the link begins with TLS.
            proxy_protocol: Whether it begins with a header of the PROXY protocol, before TLS.
            host: Which of the centre's hosts it came to, from 0.
            outbind: What is sent first, on a link that the centre opened itself.
        """
        self._links += 1
        way = Way(self._links, host, peer_address(stream))
        bind = CenterBind(stream, way, self._clock)
        if not all(behaviour.takes(way) for behaviour in self._hooks.takes):
            await trio.aclose_forcefully(stream)
            return
        for behaviour in self._hooks.wrap_raw:
            stream = behaviour.wrap_raw(stream)
        for behaviour in self._hooks.tls:
            tls = behaviour.tls(tls, way)
        if tls is not None or proxy_protocol:
            try:
                accepted = await accept_transport(stream, tls=tls, proxy_protocol=proxy_protocol)
            except TransportError as error:
                now = trio.current_time()
                self._happenings.note(CenterEventKind.CLOSE, now, None, detail=str(error))
                return
            stream = accepted.stream
        for behaviour in self._hooks.wrap:
            stream = behaviour.wrap(stream)
        session = Session(Role.MC, self.settings, trio.current_time())
        bind.link = Link(
            stream,
            session,
            self._timers,
            partial(self._desk.take, bind),
            self.system_id,
            self.observer,
        )
        self._binds[bind] = None
        if outbind is not None:
            bind.link.send(outbind)
        try:
            await bind.link.run()
        finally:
            del self._binds[bind]
            self._bind_ended.unpark_all()

    async def call(
        self,
        host: str,
        port: int,
        *,
        password: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Connect to an ESME that listens, ask it by outbind to bind, and serve the link until it ends.

        Args:
            host: Where the ESME listens.
            port: And at which port.
            password: By which it knows the centre; the name is the centre's `system_id`.
            tls: For a link that begins with TLS; the centre stays the server in it.

        Raises:
            OSError: If nobody listens there.

        Spec: SMPP 3.4 §2.2.1
        """
        stream = await trio.open_tcp_stream(host, port)
        await self.serve_stream(
            stream, tls=tls, outbind=Outbind(system_id=self.system_id, password=password)
        )

    async def unbind_all(self) -> None:
        """Unbind every bind, close every other link, and wait for their ends.

        A peer that does not answer takes `settings.unbind_timeout`, and all of them together no
        longer.
        """
        async with trio.open_nursery() as nursery:
            for bind in tuple(self._binds):
                nursery.start_soon(bind.link.unbind)
        with trio.move_on_after(FAREWELL_TIMEOUT):
            while self._binds:
                await self._bind_ended.park()


@asynccontextmanager
async def open_message_center(
    center: MessageCenter,
    *,
    host: str | None = "127.0.0.1",
    port: int = 0,
    hosts: int = 1,
    tls: ssl.SSLContext | None = None,
    proxy_protocol: bool = False,
) -> AsyncIterator[MessageCenter]:
    """Run a message centre for as long as the block lasts.

    Leaving the block unbinds every bind first; leaving it by an exception closes them.

    Args:
        center: The centre; afterwards it has its `host` and `port`.
        host: Where to listen; None: nowhere, for `MessageCenter.serve_stream` alone.
        port: 0: any free one; if `host` is a name with several addresses, one for each, of which
            the centre tells the first.
        hosts: At how many ports it listens, as an operator with several hosts; all but the first are
            any free ones. `MessageCenter.addresses` has them all.
        tls: With the centre's certificate; None: in clear. Links that fail in it are told as `close`.
        proxy_protocol: Whether every link begins with a header of the PROXY protocol, v1 or v2.

    Raises:
        OSError: If the port is taken or may not be used; the message names host and port.
    """
    listeners = []
    if host is not None:
        listeners = [await _listen(host, port if not number else 0) for number in range(hosts)]
    accepting = trio.CancelScope()
    serve = partial(center.serve_stream, tls=tls, proxy_protocol=proxy_protocol)
    async with trio.open_nursery() as nursery:
        await nursery.start(center.run)

        async def accept() -> None:
            with accepting:
                async with trio.open_nursery() as accepting_nursery:
                    for number, of_host in enumerate(listeners):
                        accepting_nursery.start_soon(
                            partial(
                                trio.serve_listeners,
                                partial(serve, host=number),
                                of_host,
                                handler_nursery=nursery,
                            )
                        )

        if listeners:
            center.addresses = tuple(each[0].socket.getsockname()[:2] for each in listeners)
            center.host, center.port = center.addresses[0]
            nursery.start_soon(accept)
        try:
            yield center
            accepting.cancel()
            await center.unbind_all()
        finally:
            center.host, center.port, center.addresses = "", 0, ()
            nursery.cancel_scope.cancel()


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(port, host=host)
    except OSError as error:
        # The system's words alone do not say where.
        raise OSError(error.errno, f"{host}:{port}: {error.strerror or error}") from error
