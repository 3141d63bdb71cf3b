"""One SMPP conversation, for either role: octets and `now` in, events and octets out.

No socket, clock, randomness or log: the shell in `engine.link` owns those. One object plays the ESME,
another the MC, by the same rules.
"""

from collections.abc import Callable

import attrs

from whiteroute.pdu import (
    LAST_SEQUENCE_NUMBER,
    RESPONSE_BIT,
    BodyError,
    CommandId,
    CommandStatus,
    EncodeError,
    EnquireLink,
    EnquireLinkResp,
    Framer,
    FramingError,
    GenericNack,
    Pdu,
    TlvTag,
    Unbind,
    UnbindResp,
    UnknownPdu,
    command_name,
    decode,
    encode,
    response_id,
)

from .errors import LocalProtocolError, RemoteProtocolError
from .events import (
    Arrived,
    Automatic,
    BindRefused,
    Bound,
    CloseCause,
    Closed,
    Event,
    Exchange,
    ExchangeEnd,
    LateResponse,
    RequestRefused,
    Unexpected,
    Unreadable,
)
from .matrix import CONTROL, MESSAGES, is_taken, states_for
from .refusals import FULL, refusal, refusal_of
from .settings import SessionSettings
from .states import BOUND_BY, Role, SessionState
from .vitality import Finding, Vitality
from .window import Window

# Looked up once: on Python 3.11 a member found through its class costs 60 ns each time.
_ANSWERED = ExchangeEnd.ANSWERED
_CLOSED = SessionState.CLOSED


@attrs.frozen
class SessionStatistics:
    """What a session has done so far."""

    state: SessionState
    in_flight: int
    """Our requests without an answer."""
    window: int
    unanswered: int
    """The peer's requests that we have not answered."""
    requests_sent: int
    pdus_received: int
    octets_received: int
    timed_out: int
    late_responses: int


@attrs.define(eq=False, repr=False)
class Session:
    """The rules of one bind.

    The owner feeds `receive`, `end_of_stream` and `tick`, asks `next_deadline` when to tick, and
    sends what `take_octets` gives. Events come back from each call as a finished list; nothing moves
    while it is read.
    """

    role: Role
    settings: SessionSettings
    opened_at: float
    """Seconds on the owner's clock when the link came up."""
    state: SessionState = attrs.field(default=SessionState.OPEN, init=False)
    peer_interface_version: int | None = attrs.field(default=None, init=False)
    observe: Callable[[bytes, float], None] | None = attrs.field(default=None, init=False)
    """Sees each whole frame that comes, before it is read, and when; None for nobody."""
    _framer: Framer = attrs.field(init=False)
    _window: Window = attrs.field(init=False)
    _vitality: Vitality = attrs.field(init=False)
    # What may be sent now and takes a place in the window, looked up once for each state.
    _messages: frozenset[int] = attrs.field(default=frozenset(), init=False)
    # By identity and not by sequence_number: peers exist that give one number to several requests
    # at a time, and each of them waits for its answer.
    _unanswered: dict[int, Pdu] = attrs.field(factory=dict, init=False)
    _out: list[bytes] = attrs.field(factory=list, init=False)
    _unbinding: Exchange | None = attrs.field(default=None, init=False)
    _leaves_at: float | None = attrs.field(default=None, init=False)
    _unbound_by: str = attrs.field(default="", init=False)
    _requests_sent: int = attrs.field(default=0, init=False)
    _pdus_received: int = attrs.field(default=0, init=False)
    _octets_received: int = attrs.field(default=0, init=False)
    _timed_out: int = attrs.field(default=0, init=False)
    _late_responses: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._framer = Framer(self.settings.max_command_length)
        self._window = Window(self.settings.window)
        self._vitality = Vitality(self.settings, self.opened_at, self.opened_at)

    # What the owner asks of it.

    @property
    def room(self) -> int:
        """How many message requests may be sent now; 0 when the state forbids them."""
        return self._window.room if self.state.is_bound and self._unbinding is None else 0

    @property
    def window(self) -> int:
        """Requests sent and not answered, at most; may be changed at any time, from 1."""
        return self._window.limit

    @window.setter
    def window(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"window: {limit}, expected at least 1")
        self._window.limit = limit

    @property
    def in_flight(self) -> int:
        """Our message requests without an answer."""
        return len(self._window.in_flight)

    @property
    def received_at(self) -> float:
        """When the last octets that made a PDU came, or the link, in seconds on the owner's clock."""
        return self._vitality.received_at

    @property
    def message_at(self) -> float:
        """When the last message operation passed, in seconds on the owner's clock."""
        return self._vitality.message_at

    @property
    def is_unbinding(self) -> bool:
        """Whether we have sent unbind: no further requests of ours, the peer's are still taken."""
        return self._unbinding is not None

    @property
    def is_unbound(self) -> bool:
        """Whether an unbind was answered, by either side: only answers are waited for."""
        return self.state is SessionState.UNBOUND

    def request(self, pdu: Pdu, now: float, context: object = None) -> Exchange:
        """Send a request.

        Args:
            pdu: Any request; its sequence_number is stamped.
            now: Seconds on the owner's clock.
            context: Handed back with the exchange.

        Returns:
            The exchange, in flight; the same object comes back as an event when it has ended. For a
            request without a response (outbind, alert_notification) it never does.

        Raises:
            LocalProtocolError: If the state forbids it, we are unbinding, another bind is not
                answered yet, or the window is full.
            EncodeError: If a value does not fit. In both cases nothing changed.
        """
        window = self._window
        in_flight = window.in_flight
        takes_place = pdu.command_id in self._messages
        if not takes_place:
            self._check_request(pdu)
        elif len(in_flight) >= window.limit:
            raise LocalProtocolError(
                f"{pdu.name} beyond the window of {window.limit}", "to wait for room"
            )
        before = pdu.sequence_number
        number = window.last + 1
        if number > LAST_SEQUENCE_NUMBER or window.unused_from:
            number = window.next_sequence_number()
        pdu.sequence_number = number
        try:
            octets = encode(pdu)
        except EncodeError:
            pdu.sequence_number = before
            raise
        window.last = number
        exchange = Exchange(pdu, context, now, now + self.settings.response_timeout)
        if takes_place:
            in_flight[number] = exchange
            self._vitality.message_at = now
        else:
            self._begin_control(exchange)
        self._requests_sent += 1
        self._out.append(octets)
        return exchange

    def respond(self, request: Pdu, response: Pdu) -> None:
        """Answer a request that arrived.

        Args:
            request: The PDU of an `Arrived` event.
            response: Its response, or a generic_nack; its sequence_number is stamped.

        Raises:
            LocalProtocolError: If it was answered already, never came, or the session is over; or
                if the response is another operation's. Nothing was sent.
            EncodeError: If a value does not fit; the request still waits for its answer.
        """
        if self._unanswered.get(id(request)) is not request:
            raise LocalProtocolError(
                f"an answer to {request.name} {request.sequence_number} in {self.state.value}",
                "one for each request that arrived",
            )
        nack = response.command_id == CommandId.GENERIC_NACK
        if response.command_id != request.command_id | RESPONSE_BIT and not nack:
            raise LocalProtocolError(
                f"{response.name} as the answer to {request.name}",
                command_name(request.command_id | RESPONSE_BIT),
            )
        response.sequence_number = request.sequence_number
        self._out.append(encode(response))
        del self._unanswered[id(request)]
        if request.command_id in BOUND_BY and not (nack or response.command_status):
            self._enter(BOUND_BY[request.command_id])

    def send_unchecked(self, octets: bytes) -> None:
        """Put octets on the wire as they are; for simulators that misbehave on purpose."""
        self._out.append(octets)

    def take_octets(self) -> list[bytes]:
        """Give what is to be sent, oldest first, and forget it."""
        out, self._out = self._out, []
        return out

    @property
    def queued_pdus(self) -> int:
        """How many PDUs wait to be taken by `take_octets`."""
        return len(self._out)

    @property
    def is_closed(self) -> bool:
        """Whether the session is over."""
        return self.state is SessionState.CLOSED

    # What happens to it.

    def receive(self, octets: bytes, now: float) -> list[Event]:
        """Take what the stream brought.

        Args:
            octets: Any number of octets, cut anywhere.
            now: Seconds on the owner's clock.

        Returns:
            What happened, in order. After `Closed` nothing more comes.
        """
        events: list[Event] = []
        if self.state is _CLOSED:
            return events
        self._octets_received += len(octets)
        try:
            frames = self._framer.receive(octets)
        except FramingError as error:
            self._broken(error, events)
            return events
        if frames:
            self._vitality.received(now)
            self._pdus_received += len(frames)
            if self.observe is not None:
                observe = self.observe
                for frame in frames:
                    observe(frame, now)
        in_flight = self._window.in_flight
        for frame in frames:
            try:
                pdu = decode(frame)
            except BodyError as error:
                self._unreadable(error, events)
                continue
            command_id = pdu.command_id
            if command_id & RESPONSE_BIT:
                exchange = in_flight.get(pdu.sequence_number)
                if exchange and exchange.request.command_id | RESPONSE_BIT == command_id:
                    del in_flight[pdu.sequence_number]
                    exchange.response = pdu
                    exchange.end = _ANSWERED
                    events.append(exchange)
                else:
                    self._other_response(pdu, now, events)
            else:
                self._arrived(pdu, now, events)
        if self._framer.error:
            self._broken(self._framer.error, events)
        elif self._leaves_at is not None:
            self._leave(events)
        return events

    def end_of_stream(self, detail: str = "") -> list[Event]:
        """The stream ended or broke; every request in flight becomes UNKNOWN."""
        events: list[Event] = []
        if self.state is SessionState.UNBOUND:
            self._close(CloseCause.UNBIND, self._unbound_by, events)
            return events
        if self._unbinding is not None:
            detail = detail or "it did so instead of answering our unbind"
        self._close(CloseCause.PEER_CLOSED, detail, events)
        return events

    def close(self, cause: CloseCause = CloseCause.LOCAL, detail: str = "") -> list[Event]:
        """End the session now, from our side; every request in flight becomes UNKNOWN."""
        events: list[Event] = []
        self._close(cause, detail, events)
        return events

    def next_deadline(self) -> float | None:
        """When `tick` must be called next, in seconds on the owner's clock; None once closed."""
        state = self.state
        if state is _CLOSED:
            return None
        if self._leaves_at is not None:
            due = self._leaves_at
        elif self._unbinding is not None:
            due = self._unbinding.deadline
        elif state.is_bound:
            due = self._vitality.deadline()
        else:
            due = self.opened_at + self.settings.session_init_timeout
        first = self._window.next_deadline()
        return due if first is None or due < first else first

    def tick(self, now: float) -> list[Event]:
        """Let the timers act.

        Args:
            now: Seconds on the owner's clock; calling early does no harm.

        Returns:
            Requests that ran out of time, an enquire_link sent, or the end of the session.
        """
        events: list[Event] = []
        if self.is_closed:
            return events
        if self._leaves_at is not None:
            if self._leaves_at <= now:
                self._close(CloseCause.UNBIND, self._unbound_by, events)
        elif self._unbinding is not None:
            if self._unbinding.deadline <= now:
                self._close(CloseCause.UNBIND_TIMEOUT, "unbind was not answered", events)
        elif self.state.is_bound:
            self._check_life(now, events)
        elif self.opened_at + self.settings.session_init_timeout <= now:
            self._close(CloseCause.SESSION_INIT_TIMEOUT, "no bind was completed", events)
        if not self.is_closed:
            for exchange in self._window.expired(now):
                exchange.end = ExchangeEnd.TIMED_OUT
                self._timed_out += 1
                events.append(exchange)
            if self._leaves_at is not None:
                self._leave(events)
        return events

    def statistics(self) -> SessionStatistics:
        """Give the figures as they are now."""
        return SessionStatistics(
            state=self.state,
            in_flight=len(self._window.in_flight),
            window=self._window.limit,
            unanswered=len(self._unanswered),
            requests_sent=self._requests_sent,
            pdus_received=self._pdus_received,
            octets_received=self._octets_received,
            timed_out=self._timed_out,
            late_responses=self._late_responses,
        )

    def __repr__(self) -> str:
        return (
            f"<Session {self.role.value} {self.state.value},"
            f" {len(self._window.in_flight)} of {self._window.limit} in flight,"
            f" {len(self._unanswered)} unanswered>"
        )

    # Our own requests about the session.

    def _check_request(self, pdu: Pdu) -> None:
        """Raise unless this request may be sent now."""
        command_id = pdu.command_id
        allowed = states_for(self.role, command_id)
        if self.state not in allowed:
            raise LocalProtocolError(
                f"{pdu.name} as {self.role.value} in {self.state.value}",
                " or ".join(sorted(state.value for state in allowed)) or "another operation",
            )
        if self._unbinding is not None:
            raise LocalProtocolError(f"{pdu.name} after unbind", "nothing but responses")
        if command_id in BOUND_BY and any(
            exchange.request.command_id in BOUND_BY for exchange in self._window.control.values()
        ):
            raise LocalProtocolError(f"{pdu.name} during a bind", "to wait for its answer")

    def _begin_control(self, exchange: Exchange) -> None:
        """Note what a request outside the window sets going; each has a patience of its own."""
        settings, command_id = self.settings, exchange.request.command_id
        if command_id not in CONTROL:
            self._vitality.message_at = exchange.sent_at
            return
        if command_id == CommandId.OUTBIND:
            self._enter(SessionState.OUTBOUND)
            return
        if command_id == CommandId.UNBIND:
            exchange.deadline = exchange.sent_at + settings.unbind_timeout
            self._unbinding = exchange
            self._messages = frozenset()
        elif command_id == CommandId.ENQUIRE_LINK:
            exchange.deadline = exchange.sent_at + settings.enquire_link_timeout
        else:
            exchange.deadline = self.opened_at + settings.session_init_timeout
        self._window.control[exchange.request.sequence_number] = exchange

    def _check_life(self, now: float, events: list[Event]) -> None:
        match self._vitality.check(now):
            case Finding.INACTIVE:
                events.append(Automatic(self.request(Unbind(), now).request))
            case Finding.ASK:
                events.append(Automatic(self.request(EnquireLink(), now).request))
            case Finding.SILENT:
                quiet = now - self._vitality.received_at
                self._close(CloseCause.SILENCE, f"nothing came for {quiet:.0f} s", events)
            case _:
                pass

    # The peer's PDUs.

    @property
    def _is_bound_or_binding(self) -> bool:
        # Before a bind is accepted nothing but a bind can wait for an answer.
        return self.state.is_bound or bool(self._unanswered)

    def _arrived(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        command_id = pdu.command_id
        if isinstance(pdu, UnknownPdu):
            self._refuse_unknown(pdu, events)
        elif command_id == CommandId.ENQUIRE_LINK:
            self._automatic(EnquireLinkResp(sequence_number=pdu.sequence_number), events)
        elif command_id == CommandId.UNBIND:
            self._automatic(UnbindResp(sequence_number=pdu.sequence_number), events)
            self._unbound("the peer unbound", now)
        elif self.role is Role.MC and command_id in BOUND_BY and self._is_bound_or_binding:
            self._refuse(pdu, CommandStatus.ESME_RALYBND, events)
        elif not is_taken(self.role.peer, self.state, command_id):
            self._refuse(pdu, CommandStatus.ESME_RINVBNDSTS, events)
        elif len(self._unanswered) >= self.settings.inbound_window:
            self._refuse(pdu, FULL[self.role], events)
        else:
            if response_id(command_id) is not None:
                self._unanswered[id(pdu)] = pdu
            if command_id in BOUND_BY:
                self.peer_interface_version = getattr(pdu, "interface_version", None)
            else:
                self._vitality.message_at = now
            events.append(Arrived(pdu, now))

    def _other_response(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        number, window = pdu.sequence_number, self._window
        for waiting in (window.in_flight, window.control, window.late):
            exchange = waiting.get(number)
            if exchange is None:
                continue
            nack = pdu.command_id == CommandId.GENERIC_NACK
            if not nack and exchange.request.command_id | RESPONSE_BIT != pdu.command_id:
                continue
            del waiting[number]
            exchange.response = pdu
            if waiting is window.late:
                self._late_responses += 1
                events.append(LateResponse(exchange))
                return
            exchange.end = ExchangeEnd.NACKED if nack else ExchangeEnd.ANSWERED
            events.append(exchange)
            if waiting is window.control:
                self._control_answered(exchange, pdu, now, events)
            return
        events.append(Unexpected(pdu))

    def _control_answered(
        self, exchange: Exchange, response: Pdu, now: float, events: list[Event]
    ) -> None:
        command_id = exchange.request.command_id
        if command_id == CommandId.UNBIND:
            self._unbound("we unbound", now)
        elif command_id in BOUND_BY:
            if exchange.end is ExchangeEnd.NACKED or response.command_status:
                events.append(BindRefused(response.command_status, response))
                return
            self._enter(BOUND_BY[command_id])
            version = response.tlvs.value(TlvTag.SC_INTERFACE_VERSION)
            self.peer_interface_version = version if isinstance(version, int) else None
            events.append(
                Bound(self.state, getattr(response, "system_id", ""), self.peer_interface_version)
            )

    def _unreadable(self, error: BodyError, events: list[Event]) -> None:
        number = error.sequence_number
        if error.command_id & RESPONSE_BIT:
            exchange = self._window.in_flight.get(number)
            if exchange and exchange.request.command_id | RESPONSE_BIT == error.command_id:
                del self._window.in_flight[number]
                exchange.end = ExchangeEnd.UNKNOWN
                events.append(exchange)
        else:
            self._automatic(refusal_of(error.command_id, number, error.command_status), events)
        events.append(Unreadable(error))

    def _broken(self, error: FramingError, events: list[Event]) -> None:
        self._automatic(GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN), events)
        breach = RemoteProtocolError(error.found, error.expected)
        self._close(CloseCause.FRAMING, str(error), events, breach)

    # What the session sends of its own accord.

    def _automatic(self, pdu: Pdu, events: list[Event]) -> None:
        self._out.append(encode(pdu))
        events.append(Automatic(pdu))

    def _refuse(self, pdu: Pdu, status: CommandStatus, events: list[Event]) -> None:
        if response_id(pdu.command_id) is not None:
            self._automatic(refusal(pdu, status), events)
        events.append(RequestRefused(pdu, status))

    def _refuse_unknown(self, pdu: UnknownPdu, events: list[Event]) -> None:
        if pdu.unknown_command_id & RESPONSE_BIT:
            events.append(Unexpected(pdu))
            return
        status = CommandStatus.ESME_RINVCMDID
        self._automatic(refusal(pdu, status), events)
        events.append(RequestRefused(pdu, status))

    # From state to state.

    def _enter(self, state: SessionState) -> None:
        self.state = state
        unbinding = self._unbinding is not None
        self._messages = frozenset() if unbinding else MESSAGES[self.role, state]

    def _unbound(self, by: str, now: float) -> None:
        """Wait for what is in flight, once unbind was answered, as long as for an answer to unbind."""
        if self.state is not SessionState.UNBOUND:
            self._enter(SessionState.UNBOUND)
            self._unbound_by = by
            self._leaves_at = now + self.settings.unbind_timeout

    def _leave(self, events: list[Event]) -> None:
        """Close what is unbound once nothing is in flight any more."""
        if not self._window.in_flight:
            self._close(CloseCause.UNBIND, self._unbound_by, events)

    def _close(
        self,
        cause: CloseCause,
        detail: str,
        events: list[Event],
        error: RemoteProtocolError | None = None,
    ) -> None:
        if self.is_closed:
            return
        self._enter(SessionState.CLOSED)
        self._unanswered.clear()
        for exchange in self._window.take_out_all():
            exchange.end = ExchangeEnd.UNKNOWN
            events.append(exchange)
        events.append(Closed(cause, detail, error))
