"""One SMPP conversation, for either role: octets and `now` in, events and octets out.

No socket, clock, randomness or log: the shell in `engine.link` owns those. One object plays the ESME,
another the MC, by the same rules.
"""

from collections.abc import Iterable

import attrs

from whiteroute.pdu import (
    OPERATIONS,
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
    WireForm,
    command_id_of,
    command_name,
    decode,
    encode,
    response_id,
)

from .errors import LocalProtocolError
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
from .settings import SessionSettings
from .states import BOUND_BY, CONTROL, Role, SessionState, states_for
from .window import Window


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
    _framer: Framer = attrs.field(init=False)
    _window: Window = attrs.field(init=False)
    _control: dict[int, Exchange] = attrs.field(factory=dict, init=False)
    # By identity and not by sequence_number: peers exist that give one number to several requests
    # at a time, and each of them waits for its answer.
    _unanswered: dict[int, Pdu] = attrs.field(factory=dict, init=False)
    _out: list[bytes] = attrs.field(factory=list, init=False)
    _received_at: float = attrs.field(init=False)
    _message_at: float = attrs.field(init=False)
    _enquired_at: float | None = attrs.field(default=None, init=False)
    _missed: int = attrs.field(default=0, init=False)
    _unbinding: Exchange | None = attrs.field(default=None, init=False)
    _requests_sent: int = attrs.field(default=0, init=False)
    _pdus_received: int = attrs.field(default=0, init=False)
    _octets_received: int = attrs.field(default=0, init=False)
    _timed_out: int = attrs.field(default=0, init=False)
    _late_responses: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._framer = Framer(self.settings.max_command_length)
        self._window = Window(self.settings.window)
        self._received_at = self._message_at = self.opened_at

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
    def is_unbinding(self) -> bool:
        """Whether we have sent unbind: no further requests of ours, the peer's are still taken."""
        return self._unbinding is not None

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
        command_id = pdu.command_id
        allowed = states_for(self.role, command_id)
        if self.state not in allowed:
            raise LocalProtocolError(
                f"{pdu.name} as {self.role.value} in {self.state.value}",
                " or ".join(sorted(state.value for state in allowed)) or "another operation",
            )
        if self._unbinding is not None:
            raise LocalProtocolError(f"{pdu.name} after unbind", "nothing but responses")
        control = command_id in CONTROL
        window = self._window
        if control:
            if command_id in BOUND_BY and self._binding(self._control.values()):
                raise LocalProtocolError(f"{pdu.name} during a bind", "to wait for its answer")
        elif len(window.in_flight) >= window.limit:
            raise LocalProtocolError(
                f"{pdu.name} beyond the window of {window.limit}", "to wait for room"
            )
        before = pdu.sequence_number
        number = pdu.sequence_number = window.next_sequence_number(self._control)
        try:
            octets = encode(pdu)
        except EncodeError:
            pdu.sequence_number = before
            raise
        window.last = number
        exchange = Exchange(pdu, context, now, now + self.settings.response_timeout)
        if control:
            self._begin_control(exchange)
        else:
            self._message_at = now
            if response_id(command_id) is not None:
                window.in_flight[number] = exchange
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
            self.state = BOUND_BY[request.command_id]

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
        if self.is_closed:
            return events
        self._octets_received += len(octets)
        try:
            frames = self._framer.receive(octets)
        except FramingError as error:
            self._broken(error, events)
            return events
        if frames:
            self._received_at = now
            self._enquired_at = None
            self._missed = 0
            self._pdus_received += len(frames)
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
                    exchange.end = ExchangeEnd.ANSWERED
                    events.append(exchange)
                else:
                    self._other_response(pdu, now, events)
            else:
                self._arrived(pdu, now, events)
            if self.state is SessionState.CLOSED:
                return events
        if self._framer.error:
            self._broken(self._framer.error, events)
        return events

    def end_of_stream(self, detail: str = "") -> list[Event]:
        """The stream ended or broke; every request in flight becomes UNKNOWN."""
        events: list[Event] = []
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
        if self.is_closed:
            return None
        due = self._quiet_deadline() if self._unbinding is None else self._unbinding.deadline
        first = self._window.first_deadline()
        if first is not None and first < due:
            due = first
        for exchange in self._control.values():
            due = min(due, exchange.deadline)
        return due

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
        if self._unbinding is not None:
            if self._unbinding.deadline <= now:
                self._close(CloseCause.UNBIND_TIMEOUT, "unbind was not answered", events)
                return events
        elif self._quiet_deadline() <= now:
            self._quiet(now, events)
        for exchange in self._window.expired(now, self._control):
            exchange.end = ExchangeEnd.TIMED_OUT
            self._timed_out += 1
            events.append(exchange)
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

    # Session control.

    @staticmethod
    def _binding(requests: "Iterable[Exchange]") -> bool:
        return any(exchange.request.command_id in BOUND_BY for exchange in requests)

    @property
    def _is_bound_or_binding(self) -> bool:
        # Before a bind is accepted nothing but a bind can wait for an answer.
        return self.state.is_bound or bool(self._unanswered)

    def _begin_control(self, exchange: Exchange) -> None:
        """Note what a control request sets going; each has a patience of its own."""
        settings, command_id = self.settings, exchange.request.command_id
        if command_id == CommandId.OUTBIND:
            self.state = SessionState.OUTBOUND
            return
        if command_id == CommandId.UNBIND:
            exchange.deadline = exchange.sent_at + settings.unbind_timeout
            self._unbinding = exchange
        elif command_id == CommandId.ENQUIRE_LINK:
            exchange.deadline = exchange.sent_at + settings.enquire_link_timeout
        else:
            exchange.deadline = self.opened_at + settings.session_init_timeout
        self._control[exchange.request.sequence_number] = exchange

    # Time.

    def _quiet_deadline(self) -> float:
        settings = self.settings
        if not self.state.is_bound:
            return self.opened_at + settings.session_init_timeout
        if self._enquired_at is not None:
            due = self._enquired_at + settings.enquire_link_timeout
        else:
            due = self._received_at + settings.enquire_link_interval
        if settings.inactivity_timeout is not None:
            due = min(due, self._message_at + settings.inactivity_timeout)
        return due

    def _quiet(self, now: float, events: list[Event]) -> None:
        inactive = self.settings.inactivity_timeout
        if not self.state.is_bound:
            self._close(CloseCause.SESSION_INIT_TIMEOUT, "no bind was completed", events)
        elif inactive is not None and self._message_at + inactive <= now:
            events.append(Automatic(self.request(Unbind(), now).request))
        else:
            self._missed += self._enquired_at is not None
            if self._missed >= self.settings.enquire_links_missed:
                quiet = now - self._received_at
                self._close(CloseCause.SILENCE, f"nothing came for {quiet:.0f} s", events)
                return
            self._enquired_at = now
            events.append(Automatic(self.request(EnquireLink(), now).request))

    # The peer's PDUs.

    def _arrived(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        command_id = pdu.command_id
        if isinstance(pdu, UnknownPdu):
            self._refuse_unknown(pdu, events)
        elif command_id == CommandId.ENQUIRE_LINK:
            self._automatic(EnquireLinkResp(sequence_number=pdu.sequence_number), events)
        elif command_id == CommandId.UNBIND:
            self._automatic(UnbindResp(sequence_number=pdu.sequence_number), events)
            self.state = SessionState.UNBOUND
            self._close(CloseCause.UNBIND, "the peer unbound", events)
        elif self.role is Role.MC and command_id in BOUND_BY and self._is_bound_or_binding:
            self._refuse(pdu, CommandStatus.ESME_RALYBND, events)
        elif self.state not in states_for(self.role.peer, command_id):
            self._refuse(pdu, CommandStatus.ESME_RINVBNDSTS, events)
        elif len(self._unanswered) >= self.settings.inbound_window:
            full = (
                CommandStatus.ESME_RX_T_APPN
                if self.role is Role.ESME
                else CommandStatus.ESME_RMSGQFUL
            )
            self._refuse(pdu, full, events)
        else:
            if response_id(command_id) is not None:
                self._unanswered[id(pdu)] = pdu
            if command_id in BOUND_BY:
                self.peer_interface_version = getattr(pdu, "interface_version", None)
            else:
                self._message_at = now
            events.append(Arrived(pdu, now))

    def _other_response(self, pdu: Pdu, now: float, events: list[Event]) -> None:
        number = pdu.sequence_number
        for waiting in (self._window.in_flight, self._control, self._window.late):
            exchange = waiting.get(number)
            if exchange is None:
                continue
            nack = pdu.command_id == CommandId.GENERIC_NACK
            if not nack and exchange.request.command_id | RESPONSE_BIT != pdu.command_id:
                continue
            del waiting[number]
            exchange.response = pdu
            if waiting is self._window.late:
                self._late_responses += 1
                events.append(LateResponse(exchange))
                return
            exchange.end = ExchangeEnd.NACKED if nack else ExchangeEnd.ANSWERED
            events.append(exchange)
            if waiting is self._control:
                self._control_answered(exchange, pdu, events)
            return
        events.append(Unexpected(pdu))

    def _control_answered(self, exchange: Exchange, response: Pdu, events: list[Event]) -> None:
        command_id = exchange.request.command_id
        if command_id == CommandId.UNBIND:
            self.state = SessionState.UNBOUND
            self._close(CloseCause.UNBIND, "we unbound", events)
        elif command_id in BOUND_BY:
            if exchange.end is ExchangeEnd.NACKED or response.command_status:
                events.append(BindRefused(response.command_status, response))
                return
            self.state = BOUND_BY[command_id]
            version = response.tlvs.value(TlvTag.SC_INTERFACE_VERSION)
            self.peer_interface_version = version if isinstance(version, int) else None
            events.append(
                Bound(self.state, getattr(response, "system_id", ""), self.peer_interface_version)
            )

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

    def _unreadable(self, error: BodyError, events: list[Event]) -> None:
        number = error.sequence_number
        if error.command_id & RESPONSE_BIT:
            exchange = self._window.in_flight.get(number)
            if exchange and exchange.request.command_id | RESPONSE_BIT == error.command_id:
                del self._window.in_flight[number]
                exchange.end = ExchangeEnd.UNKNOWN
                events.append(exchange)
        else:
            self._automatic(_refusal(error.command_id, number, error.command_status), events)
        events.append(Unreadable(error))

    def _broken(self, error: FramingError, events: list[Event]) -> None:
        self._automatic(GenericNack(command_status=CommandStatus.ESME_RINVCMDLEN), events)
        self._close(CloseCause.FRAMING, str(error), events)

    def _close(self, cause: CloseCause, detail: str, events: list[Event]) -> None:
        if self.is_closed:
            return
        self.state = SessionState.CLOSED
        self._unanswered.clear()
        for waiting in (self._window.in_flight, self._control):
            for exchange in waiting.values():
                exchange.end = ExchangeEnd.UNKNOWN
                events.append(exchange)
            waiting.clear()
        events.append(Closed(cause, detail))


def refusal(request: Pdu, command_status: int) -> Pdu:
    """Make the response which refuses a request, in the form that every known peer can read.

    That is a body of empty fields at any status, but the header alone for submit_sm_resp: measured
    over eight decoders, it is the only combination that none of them refuses.

    Args:
        request: Any request.
        command_status: The reason, not ESME_ROK.

    Returns:
        The response with the request's sequence_number; a generic_nack where the operation is
        unknown or has no response.
    """
    return _refusal(command_id_of(request), request.sequence_number, command_status)


def _refusal(command_id: int, sequence_number: int, command_status: int) -> Pdu:
    response_class = OPERATIONS.get(command_id | RESPONSE_BIT, GenericNack)
    submit = response_class.command_id == CommandId.SUBMIT_SM_RESP
    return response_class(
        command_status=command_status,
        sequence_number=sequence_number,
        wire_form=WireForm.HEADER_ONLY if submit else WireForm.USUAL,
    )
