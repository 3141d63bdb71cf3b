"""Whatever a carrier does: each way to misbehave, met by the engine, and what came of its messages.

One row for each behaviour. Beyond what the row expects, every row is held to the promises: each
message ends and none is taken twice, no receipt is acknowledged that the ledger does not hold, and
the engine sends again as soon as the carrier is well.
"""

import ssl
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
import trio
import trio.testing
import trustme

from whiteroute.engine.ledger import MemoryStore
from whiteroute.engine.messages import (
    DeliveryState,
    InboundArrived,
    Message,
    ReceiptArrived,
)
from whiteroute.engine.profile import CarrierProfile, RebindOptions, TlsOptions
from whiteroute.engine.session import SessionSettings
from whiteroute.pdu import CommandStatus, MessageIdKind, MessageIdRule, ReceiptDialect
from whiteroute.simulators import (
    Account,
    Handset,
    Handsets,
    MessageCenter,
    behaviours,
    open_message_center,
)
from whiteroute.simulators.behaviours import Behaviour
from whiteroute.tools.rehearsal import open_rehearsal

ACCEPTED = {DeliveryState.ACCEPTED}
DELIVERED = {DeliveryState.DELIVERED}
REFUSED = {DeliveryState.REFUSED}
IN_DOUBT = {DeliveryState.IN_DOUBT}
EXPIRED = {DeliveryState.EXPIRED}

ENDED = ACCEPTED | REFUSED | IN_DOUBT | EXPIRED
PATIENT = RebindOptions(already_bound_delay=5.0, bind_failed_delay=10.0)
HEX = MessageIdRule(kind=MessageIdKind.HEX)
DECIMAL = MessageIdRule(kind=MessageIdKind.DECIMAL)


def profile(**fields: Any) -> CarrierProfile:
    session = SessionSettings(
        window=4,
        response_timeout=10.0,
        session_init_timeout=8.0,
        enquire_link_interval=10.0,
        enquire_link_timeout=5.0,
    )
    return CarrierProfile(**({"session": session, "rebind": PATIENT} | fields))


@attrs.frozen(kw_only=True)
class Row:
    """What a behaviour does to three messages."""

    behaviour: Behaviour
    states: set[DeliveryState] = attrs.field(factory=lambda: ACCEPTED)
    """What the engine may answer."""
    finally_: set[DeliveryState] = attrs.field(factory=lambda: DELIVERED)
    """Where the messages may stand two minutes later."""
    account: dict[str, Any] = attrs.field(factory=dict)
    center: dict[str, Any] = attrs.field(factory=dict)
    hosts: int = 1
    text: str = "hello"
    encrypted: bool = False
    mended: bool = True
    """Whether messages pass once the behaviour is gone; not where a person has to look first."""
    wait: float = 120.0
    """Seconds until the ledger is looked at."""

    def __repr__(self) -> str:
        return repr(self.behaviour)


def row(behaviour: Behaviour, states: Any = ACCEPTED, finally_: Any = None, **more: Any) -> Row:
    if finally_ is None:
        finally_ = DELIVERED if states == ACCEPTED else states - ACCEPTED
    return Row(behaviour=behaviour, states=states, finally_=finally_, **more)


LOST = {DeliveryState.IN_DOUBT, DeliveryState.DELIVERED}
"""Lost from sight; receipts may yet show that it was taken."""
SOME_LOST = ACCEPTED | IN_DOUBT
REFUSING = Account(system_id="gateway", password="secret", bind_limit=1)
DEAD = Handsets(rules=[Handset(pattern="*", state=5, err="001")])  # type: ignore[arg-type]


def make_rows(others: ssl.SSLContext) -> Sequence[Row]:
    b, status = behaviours, CommandStatus
    return (
        row(Behaviour()),
        # Binds.
        row(b.RefuseBind(), EXPIRED),
        row(b.RefuseBind(status.ESME_RINVPASWD), EXPIRED, mended=False),
        row(b.RefuseTransceiver()),
        row(b.RefuseTransceiver(nack=True)),
        row(b.OlderVersion()),
        row(b.VersionDowngrade()),
        row(b.SlowBind(6.0)),
        row(b.SlowBind(20.0), EXPIRED),
        row(b.SilentBind(), EXPIRED),
        row(b.ResetAfterBind(), ACCEPTED | IN_DOUBT | EXPIRED, LOST | EXPIRED),
        row(b.ZombieSessions(20.0), center={"accounts": [REFUSING]}),
        row(b.BindLimit(1), account={"binds": 2}),
        row(b.HostDown(0), hosts=2),
        # Messages refused.
        row(b.RefuseSubmits(status.ESME_RINVDSTADR), REFUSED),
        row(b.RefuseSubmits(status.ESME_RSYSERR, times=1), ACCEPTED | REFUSED, DELIVERED | REFUSED),
        row(b.QueueFull(), REFUSED | EXPIRED),
        row(b.VendorStatus(), REFUSED),
        row(b.AmbiguousStatus(), REFUSED),
        row(b.Throttle(1)),
        row(b.WindowLimit(2)),
        row(b.Congested()),
        row(b.RejectSenders(["OTHER"]), REFUSED),
        row(b.NackSubmits(), REFUSED),
        row(b.NackWithSequenceZero(), IN_DOUBT),
        row(b.RefusalsWithBody()),
        row(b.RefusalsWithoutBody()),
        # Answers in another way.
        row(b.SlowResponse(6.0)),
        row(b.SlowResponse(15.0), SOME_LOST, LOST),
        row(b.NoResponse(), SOME_LOST, LOST),
        row(b.ResponseTwice()),
        row(b.ResponsesOutOfOrder()),
        # Message ids.
        row(b.HexMessageId()),
        row(b.HexMessageIdInReceipt(), account={"profile": profile(response_message_id=DECIMAL, receipt_message_id=HEX)}),
        row(b.DecimalReceiptOfHexId(), account={"profile": profile(response_message_id=HEX, receipt_message_id=DECIMAL)}),
        row(b.LowerCaseIdInReceipt()),
        row(b.ZeroPaddedIdInReceipt(), account={"profile": profile(response_message_id=DECIMAL, receipt_message_id=DECIMAL)}),
        row(b.WrongReceiptId(), finally_=ACCEPTED),
        row(b.NoMessageId(), finally_=ACCEPTED),
        row(b.ReusedMessageId(), finally_=ACCEPTED | DELIVERED),
        # Receipts.
        row(b.NoReceipt(), finally_=ACCEPTED),
        row(b.DuplicateReceipt(3)),
        row(b.ReceiptBeforeResponse()),
        row(b.ReceiptBeforeResponse(lead=3.0)),
        row(b.ContradictoryReceipt()),
        row(b.IntermediateFirst()),
        row(b.UnknownState(), finally_=ACCEPTED),
        row(b.LateReceipt(600.0), wait=700.0),
        row(b.HandsetOff(), finally_=EXPIRED),
        row(b.ReceiptForFirstPartOnly(), text=" ".join(map(str, range(150))), account={"profile": profile(reporting_parts="first")}),
        row(b.ReceiptWithoutEsmClass()),
        row(b.ReceiptOnAnotherBind(), account={"binds": 2}),
        row(b.ReceiptOnAnotherHost(), hosts=2),
        # Links and octets.
        row(b.UnbindAfter(2)),
        row(b.CloseAfter(2), SOME_LOST, LOST),
        row(b.ResetAfter(2), SOME_LOST, LOST),
        row(b.HalfClose(2), SOME_LOST, LOST),
        row(b.EnquireLinkIgnored()),
        row(b.UnbindIgnored()),
        row(b.HalfPduThenSilence(2), SOME_LOST | EXPIRED, LOST | EXPIRED),
        row(b.Silence(2), SOME_LOST | EXPIRED, LOST | EXPIRED),
        row(b.StopsReading(2), SOME_LOST | EXPIRED, LOST | EXPIRED),
        row(b.OneOctetSegments()),
        row(b.CoalescedSegments()),
        row(b.Garbage(2), SOME_LOST, LOST),
        row(b.OversizeLength(2), SOME_LOST, LOST),
        row(b.Desynchronised(2), SOME_LOST, LOST | ACCEPTED),
        # TLS.
        row(b.AnotherCertificate(others), EXPIRED, encrypted=True),
        row(b.ClearText(), EXPIRED, encrypted=True),
        row(b.EndlessHandshake(), EXPIRED, encrypted=True),
        # Grey operators: each message is answered and told as delivered; nothing here shows it.
        row(b.FakedReceipts()),
        row(b.InstantReceipts()),
        row(b.ConstantReceipts()),
        row(b.UniformReceipts()),
        row(b.NoFailures()),
        row(b.BlendedInstant()),
        row(b.BlendedConstant()),
        row(b.CarefulFaker(failed=0.0)),
        row(b.DeadNumberConfirmer(failed=0.0), center={"handsets": DEAD}),
        row(b.WrongNetworkInReceipt(), account={"profile": profile(receipt=ReceiptDialect(network_tag=0x1403))}),
        row(b.SenderRewriting()),
        row(b.ContentAltering()),
        row(b.SimFarmDailyCap(sims=1, per_sim=2), ACCEPTED | REFUSED, DELIVERED | REFUSED),
        row(b.SimFarmPacing(sims=1)),
    )  # fmt: skip


AUTHORITY = trustme.CA()


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


ROWS = make_rows(server_context(trustme.CA()))


class NotingStore(MemoryStore):
    """A ledger in memory which counts what was delivered to us."""

    def __init__(self) -> None:
        super().__init__()
        self.delivered = 0

    def write(self, entries: Any) -> Any:
        effects = super().write(entries)
        self.delivered += sum(isinstance(each, ReceiptArrived | InboundArrived) for each in entries)
        return effects


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    """A clock that jumps when nothing happens; loopback gets its turn before."""
    return trio.testing.MockClock(autojump_threshold=0.002)


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The authority that the engine trusts."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


def made(number: int, row: Row, validity: float = 100.0) -> Message:
    return Message(
        to=f"+3460011122{number}",
        sender="ACME",
        text=f"{number} {row.text}",
        message_ref=f"m{number}",
        validity=validity,
    )


@pytest.mark.parametrize("row", ROWS, ids=repr)
async def test_the_engine_keeps_its_promises(row: Row, autojump_clock: Any, ca_file: str) -> None:
    center = MessageCenter(behaviours=(row.behaviour,), **row.center)
    store = NotingStore()
    account: dict[str, Any] = {"profile": profile()} | row.account
    if row.encrypted:
        account["tls"] = TlsOptions(ca_file=ca_file)
    tls = server_context(AUTHORITY) if row.encrypted else None
    async with (
        open_message_center(center, hosts=row.hosts, tls=tls),
        open_rehearsal(center, ledger=store, within=None, **account) as engine,
    ):
        outcomes = [each async for each in engine.submit_many(made(n, row) for n in range(3))]
        await trio.sleep(row.wait)

        assert 3 == len(outcomes)
        assert {each.state for each in outcomes} <= row.states
        histories = [engine.ledger.message(f"m{number}") for number in range(3)]
        assert {each.message.state for each in histories if each} <= row.finally_
        assert 0 == engine.statistics().submissions
        # Taken once at most, however it looked to us.
        taken = [(each.destination_addr, each.text) for each in center.submitted if each.message_id]
        assert len(taken) == len(set(taken))
        # What was acknowledged is remembered.
        assert center.statistics().deliveries_acknowledged <= store.delivered

        center.behaviours = ()
        await trio.sleep(60.0)
        if row.mended:
            outcome = await engine.submit(made(9, row, validity=5_000.0))
            assert DeliveryState.ACCEPTED is outcome.state


def test_every_behaviour_is_met() -> None:
    known = {
        value
        for name in behaviours.__all__
        if isinstance(value := getattr(behaviours, name), type) and issubclass(value, Behaviour)
    }

    assert known == {type(row.behaviour) for row in ROWS}


def test_every_behaviour_has_a_test_of_its_name(request: pytest.FixtureRequest) -> None:
    here = request.path.parent
    tests = "\n".join(path.read_text("utf-8") for path in here.glob("test_behaviours*.py"))
    tests += "\n".join(path.read_text("utf-8") for path in here.glob("test_grey*.py"))
    names = [name for name in behaviours.__all__ if _is_behaviour(getattr(behaviours, name))]

    assert [] == [name for name in names if f"behaviours.{name}" not in tests]


def _is_behaviour(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Behaviour) and value is not Behaviour
