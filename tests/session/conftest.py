"""What the tests of the session share: two sessions in memory, and one against octets by hand."""

from collections.abc import Callable
from itertools import count

import attrs
import pytest

from whiteroute.engine.session import (
    Arrived,
    Event,
    Role,
    Session,
    SessionSettings,
    SessionState,
)
from whiteroute.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    DeliverSm,
    Framer,
    Outbind,
    Pdu,
    SubmitSm,
    Unbind,
    decode,
    encode,
)

BINDS = {
    SessionState.BOUND_TX: (BindTransmitter, BindTransmitterResp),
    SessionState.BOUND_RX: (BindReceiver, BindReceiverResp),
    SessionState.BOUND_TRX: (BindTransceiver, BindTransceiverResp),
}


@attrs.define
class Bench:
    """One session, and its peer played by hand."""

    session: Session
    numbers: "count[int]" = attrs.field(factory=lambda: count(1000))
    framer: Framer = attrs.field(factory=Framer)

    def hear(self, *pdus: Pdu, now: float = 0.0) -> list[Event]:
        """Let the session receive PDUs; those without a sequence_number get one."""
        for pdu in pdus:
            pdu.sequence_number = pdu.sequence_number or next(self.numbers)
        return self.session.receive(b"".join(map(encode, pdus)), now)

    def sent(self) -> list[Pdu]:
        """Take what the session has sent since last asked."""
        octets = b"".join(self.session.take_octets())
        return [decode(frame) for frame in self.framer.receive(octets)]


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Make a session in the state wanted, by the road that leads there."""

    def make(
        state: SessionState = SessionState.BOUND_TRX,
        role: Role = Role.ESME,
        opened_at: float = 0.0,
        **settings: object,
    ) -> Bench:
        made = Bench(Session(role, SessionSettings(**settings), opened_at))
        session = made.session
        if state is SessionState.OUTBOUND:
            session.request(Outbind(system_id="mc"), opened_at)
        elif state in BINDS or state is SessionState.UNBOUND:
            bind, response = BINDS.get(state, BINDS[SessionState.BOUND_TRX])
            if role is Role.ESME:
                exchange = session.request(bind(system_id="gateway"), opened_at)
                made.hear(response(sequence_number=exchange.request.sequence_number), now=opened_at)
            else:
                (arrived,) = made.hear(bind(system_id="gateway"), now=opened_at)
                assert isinstance(arrived, Arrived)
                session.respond(arrived.pdu, response())
        elif state is SessionState.CLOSED:
            session.close()
        if state is SessionState.UNBOUND:
            # What is in flight keeps it there.
            pdu = SubmitSm(destination_addr="1") if role is Role.ESME else DeliverSm()
            session.request(pdu, opened_at)
            made.hear(Unbind(), now=opened_at)
        assert state is session.state
        made.sent()
        return made

    return make
