"""Two sessions of ours on a bad line: whatever is lost, doubled, delayed or garbled, the rules hold."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from whiteroute.engine.session import (
    Arrived,
    Closed,
    Event,
    Exchange,
    ExchangeEnd,
    LateResponse,
    Role,
    Session,
    SessionSettings,
    SessionState,
)
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    DeliverSmResp,
    Framer,
    GenericNack,
    Pdu,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    decode,
    encode,
)

SETTINGS = SessionSettings(
    window=3,
    inbound_window=4,
    response_timeout=20.0,
    session_init_timeout=50.0,
    enquire_link_interval=15.0,
    enquire_link_timeout=5.0,
    enquire_links_missed=3,
    unbind_timeout=4.0,
)
SIDES = st.sampled_from(("esme", "mc"))
ANY = st.integers(0, 1000)


class Side:
    """One session, what it was told, and the frames that are on their way to it."""

    def __init__(self, role: Role) -> None:
        self.session = Session(role, SETTINGS, 0.0)
        self.framer = Framer()
        self.coming: list[bytes] = []
        self.requests: list[Exchange] = []
        self.ended: list[Exchange] = []
        self.late: list[Exchange] = []
        self.unanswered: list[Pdu] = []
        self.closed: list[Closed] = []

    def told(self, events: list[Event]) -> None:
        for event in events:
            assert not self.closed, "something was told after the end"
            match event:
                case Exchange():
                    self.ended.append(event)
                case LateResponse(exchange):
                    self.late.append(exchange)
                case Arrived(pdu):
                    self.unanswered.append(pdu)
                case Closed():
                    self.closed.append(event)
                    self.unanswered.clear()


class BadLine(RuleBasedStateMachine):
    """An ESME and an MC with a line between them that may do anything but cut inside a frame."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.sides = {"esme": Side(Role.ESME), "mc": Side(Role.MC)}

    def other(self, name: str) -> Side:
        return self.sides["mc" if name == "esme" else "esme"]

    def flush(self) -> None:
        """Put what the sessions have sent on the line, frame by frame."""
        for name, side in self.sides.items():
            octets = b"".join(side.session.take_octets())
            self.other(name).coming += side.framer.receive(octets)

    @initialize()
    def bind(self) -> None:
        esme, mc = self.sides["esme"], self.sides["mc"]
        esme.requests.append(esme.session.request(BindTransceiver(system_id="gateway"), 0.0))
        mc.told(mc.session.receive(b"".join(esme.session.take_octets()), 0.0))
        mc.session.respond(mc.unanswered.pop(), BindTransceiverResp())
        esme.told(esme.session.receive(b"".join(mc.session.take_octets()), 0.0))
        assert {SessionState.BOUND_TRX} == {side.session.state for side in self.sides.values()}

    # What the owners do.

    @rule(name=SIDES)
    def request(self, name: str) -> None:
        side = self.sides[name]
        pdu = SubmitSm(destination_addr="1") if name == "esme" else DeliverSm()
        if side.session.room:
            side.requests.append(side.session.request(pdu, self.now))
        self.flush()

    @rule(name=SIDES, which=ANY, nack=st.booleans())
    def respond(self, name: str, which: int, nack: bool) -> None:
        side = self.sides[name]
        if side.unanswered:
            pdu = side.unanswered.pop(which % len(side.unanswered))
            proper = DeliverSmResp() if name == "esme" else SubmitSmResp(message_id="7")
            side.session.respond(pdu, GenericNack(command_status=3) if nack else proper)
        self.flush()

    @rule(name=SIDES)
    @precondition(lambda self: self.now > 60)
    def unbind(self, name: str) -> None:
        session = self.sides[name].session
        if session.state.is_bound and not session.is_unbinding:
            self.sides[name].requests.append(session.request(Unbind(), self.now))
        self.flush()

    @rule(name=SIDES)
    @precondition(lambda self: self.now > 120)
    def hang_up(self, name: str) -> None:
        self.sides[name].told(self.sides[name].session.close())

    # What the line does.

    @rule(name=SIDES, which=ANY, joined=st.integers(1, 4))
    def deliver(self, name: str, which: int, joined: int) -> None:
        side = self.sides[name]
        for _ in range(min(joined, len(side.coming))):
            frame = side.coming.pop(which % len(side.coming))
            side.told(side.session.receive(frame, self.now))
        self.flush()

    @rule(name=SIDES, which=ANY)
    def lose(self, name: str, which: int) -> None:
        if coming := self.sides[name].coming:
            coming.pop(which % len(coming))

    @rule(name=SIDES, which=ANY)
    def double(self, name: str, which: int) -> None:
        if coming := self.sides[name].coming:
            coming.append(coming[which % len(coming)])

    @rule(name=SIDES, which=ANY, at=ANY, octet=st.integers(0, 255))
    def garble(self, name: str, which: int, at: int, octet: int) -> None:
        if coming := self.sides[name].coming:
            frame = bytearray(coming[which % len(coming)])
            frame[4 + at % (len(frame) - 4)] = octet
            coming[which % len(coming)] = bytes(frame)

    @rule(name=SIDES, command_id=ANY, body=st.binary(max_size=30), number=st.integers(0, 20))
    def inject(self, name: str, command_id: int, body: bytes, number: int) -> None:
        header = (16 + len(body), command_id % 0x20 | (command_id % 2) << 31, 0, number)
        octets = b"".join(value.to_bytes(4, "big") for value in header) + body
        self.sides[name].coming.append(octets)

    @rule(seconds=st.sampled_from((0.1, 1.0, 4.0, 16.0)))
    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            dues = [side.session.next_deadline() for side in self.sides.values()]
            self.now = min([end, *(due for due in dues if due is not None)])
            for side in self.sides.values():
                side.told(side.session.tick(self.now))
            self.flush()
            if self.now == end:
                break

    # What holds whatever happens.

    @invariant()
    def each_request_ends_at_most_once(self) -> None:
        for side in self.sides.values():
            assert len(side.ended) == len({id(exchange) for exchange in side.ended})
            assert all(exchange.end is not None for exchange in side.ended)
            assert len(side.late) == len({id(exchange) for exchange in side.late})
            assert all(exchange.end is ExchangeEnd.TIMED_OUT for exchange in side.late)

    @invariant()
    def every_request_is_ended_or_in_flight(self) -> None:
        for side in self.sides.values():
            ended = {id(exchange) for exchange in side.ended}
            for exchange in side.requests:
                assert (exchange.end is not None) == (id(exchange) in ended)
                assert exchange.end is not None or not side.closed

    @invariant()
    def an_answer_is_its_requests_own(self) -> None:
        for side in self.sides.values():
            for exchange in side.ended:
                if exchange.end in (ExchangeEnd.ANSWERED, ExchangeEnd.NACKED):
                    assert exchange.response is not None
                    nacked = exchange.response.command_id == GenericNack.command_id
                    assert nacked is (exchange.end is ExchangeEnd.NACKED)

    @invariant()
    def nothing_grows_beyond_its_bound(self) -> None:
        for side in self.sides.values():
            figures = side.session.statistics()
            assert figures.in_flight <= SETTINGS.window
            assert figures.unanswered <= SETTINGS.inbound_window
            assert figures.unanswered == len(side.unanswered)
            assert len(side.session._window.control) <= 3
            assert len(side.closed) == side.session.is_closed

    @invariant()
    def the_next_deadline_lies_ahead(self) -> None:
        for side in self.sides.values():
            due = side.session.next_deadline()
            assert (due is None) == side.session.is_closed
            assert due is None or due > self.now

    @invariant()
    def what_we_send_can_be_read(self) -> None:
        for side in self.sides.values():
            for octets in side.session._out:
                assert octets == encode(decode(octets))

    def teardown(self) -> None:
        for side in self.sides.values():
            side.told(side.session.close())
            assert 1 == len(side.closed)
            assert {id(each) for each in side.requests} <= {id(each) for each in side.ended}


BadLine.TestCase.settings = settings(max_examples=60, stateful_step_count=60)
TestBadLine = BadLine.TestCase
