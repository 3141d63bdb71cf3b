"""The cause that diagnose names first is the one that the simulator was told to have.

Sockets are real ones on loopback and the clock is virtual, so what is waited for takes no time.
"""

import socket as real_socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing
import trustme

from whiteroute.engine.messages import Message
from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    CommandStatus,
    GenericNack,
    MessageState,
    encode,
)
from whiteroute.simulators import (
    Account,
    Handset,
    Handsets,
    MessageCenter,
    behaviours,
    connect_raw_peer,
    open_message_center,
)
from whiteroute.tools.diagnosis.causes import load_rows
from whiteroute.tools.diagnosis.examined import Wishes
from whiteroute.tools.diagnosis.examining import Examination, examine
from whiteroute.tools.diagnosis.target import Target, read_url

S = CommandStatus
TO = "34600111222"


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    """A clock that jumps when nothing happens; loopback gets its turn before."""
    return trio.testing.MockClock(autojump_threshold=0.01)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    return Authority(tmp_path_factory.mktemp("authority"))


@attrs.define(eq=False)
class Authority:
    """Issues certificates for message centres on loopback."""

    folder: Path
    ca: trustme.CA = attrs.field(factory=lambda: trustme.CA(organization_name="Test Telecom"))

    @property
    def ca_file(self) -> str:
        path = self.folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(path))
        return str(path)

    def settings(self, *names: str, wants: bool = False, **facts: object) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("127.0.0.1",)), **facts).configure_cert(context)  # type: ignore[arg-type]
        if wants:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context


async def look(
    port: int,
    *,
    scheme: str = "smpp",
    who: str = "gateway:secret12",
    query: str = "",
    **wishes: object,
) -> tuple[Examination, list[str]]:
    """Diagnose what listens at a port of loopback; give it and the ids of the causes in order."""
    target = read_url(f"{scheme}://{who}@127.0.0.1:{port}?{query}")
    return await look_at(target, **wishes)


async def look_at(target: Target, **wishes: object) -> tuple[Examination, list[str]]:
    told: list[object] = []
    examination = await examine(
        target, target.settings.hosts[0], Wishes(**wishes), load_rows(), told.append
    )
    assert tuple(told) == examination.reports
    return examination, [hint.id for hint in examination.verdict().hints]


b = behaviours


@attrs.frozen
class Case:
    """How a centre is, and which cause diagnose must name."""

    name: str
    behaviours: tuple[object, ...]
    expected: str
    """The first cause; empty: none, as nothing is wrong."""
    stage: str = "bind"
    """Where it must show."""
    accounts: tuple[Account, ...] = ()
    handsets: Handsets = Handsets()
    submits: bool = False
    first: bool = True
    """Whether it must be the first, or one of the first three: nothing on the wire tells which."""
    held: int = 0
    """Binds of the same account that stand already."""
    crashed: bool = False
    """Whether an earlier bind has ended without unbind."""
    wishes: dict[str, object] = attrs.field(factory=dict)


def case(name: str, *each: object, expected: str = "", **facts: object) -> Case:
    return Case(name, each, expected, **facts)  # type: ignore[arg-type]


def bind_refused(status: int, expected: str) -> Case:
    return case(f"RefuseBind {int(status):#04x}", b.RefuseBind(status), expected=expected)


def submit_refused(status: int, expected: str) -> Case:
    name = f"RefuseSubmits {int(status):#04x}"
    return case(name, b.RefuseSubmits(status), expected=expected, stage="submit", submits=True)


def submitting(
    name: str, *each: object, expected: str, stage: str = "submit", **facts: object
) -> Case:
    return case(name, *each, expected=expected, stage=stage, submits=True, **facts)


GATEWAY = Account(system_id="gateway", password="secret12")

CASES = (
    # Nothing is wrong.
    case("good", stage=""),
    case("OneOctetSegments", b.OneOctetSegments(), stage=""),
    case("CoalescedSegments", b.CoalescedSegments(pause=0.2), stage=""),
    case("good with a message", stage="", submits=True),
    # Binds refused.
    bind_refused(S.ESME_RBINDFAIL, "credentials-or-account"),
    bind_refused(S.ESME_RINVPASWD, "wrong-password"),
    bind_refused(S.ESME_RINVSYSID, "wrong-system-id"),
    bind_refused(S.ESME_RSYSERR, "carrier-trouble"),
    bind_refused(S.ESME_RINVSYSTYP, "wrong-system-type"),
    bind_refused(S.ESME_RINVSERTYP, "wrong-system-type"),
    bind_refused(S.ESME_RALYBND, "too-many-binds"),
    bind_refused(S.ESME_RINVSRCADR, "address-not-allowed"),
    bind_refused(S.ESME_RINVCMDID, "credentials-or-account"),
    bind_refused(S.ESME_RINVBNDSTS, "no-transceiver"),
    bind_refused(S.ESME_RTHROTTLED, "binds-too-often"),
    bind_refused(0x40B, "vendor-status"),
    bind_refused(0x1234, "vendor-status"),
    case(
        "wrong password",
        accounts=(attrs.evolve(GATEWAY, password="other"),),
        expected="wrong-password",
    ),
    case("wrong system_id", accounts=(Account(system_id="other"),), expected="wrong-system-id"),
    case(
        "wrong system_type",
        accounts=(attrs.evolve(GATEWAY, system_type="VMA"),),
        expected="wrong-system-type",
    ),
    case(
        "RefusalsWithoutBody",
        b.RefusalsWithoutBody(),
        b.RefuseBind(S.ESME_RINVPASWD),
        expected="wrong-password",
    ),
    case("BindLimit", b.BindLimit(1), expected="too-many-binds", held=1),
    case(
        "bind_limit",
        accounts=(attrs.evolve(GATEWAY, bind_limit=1),),
        expected="too-many-binds",
        held=1,
    ),
    case(
        "BindLimit 0x0d",
        b.BindLimit(1, S.ESME_RBINDFAIL),
        expected="too-many-binds",
        held=1,
        first=False,
    ),
    case(
        "ZombieSessions",
        b.ZombieSessions(60.0),
        accounts=(attrs.evolve(GATEWAY, bind_limit=1),),
        expected="stale-session",
        crashed=True,
        wishes={"patience": 90.0},
    ),
    case(
        "RefuseBind 0x05 after waiting",
        b.RefuseBind(S.ESME_RALYBND),
        expected="too-many-binds",
        wishes={"patience": 90.0},
    ),
    # Binds granted another way.
    case("RefuseTransceiver", b.RefuseTransceiver(), expected="no-transceiver"),
    case("RefuseTransceiver nack", b.RefuseTransceiver(nack=True), expected="no-transceiver"),
    case("OlderVersion", b.OlderVersion(), expected="older-version"),
    case("OlderVersion 0x08", b.OlderVersion(status=S.ESME_RSYSERR), expected="older-version"),
    case("OlderVersion 0x03", b.OlderVersion(status=S.ESME_RINVCMDID), expected="older-version"),
    case("VersionDowngrade", b.VersionDowngrade(), expected="older-version"),
    # Binds not answered.
    case("SilentBind", b.SilentBind(), expected="dead-back-end"),
    case("SlowBind in time", b.SlowBind(20.0), expected="slow-back-end"),
    case("SlowBind too late", b.SlowBind(50.0), expected="slow-back-end", first=False),
    case("HostDown", b.HostDown(), expected="address-not-allowed"),
    case("EndlessHandshake in clear", b.EndlessHandshake(), expected="dead-back-end"),
    case("HalfPduThenSilence at the bind", b.HalfPduThenSilence(0), expected="half-answer"),
    case("Silence at the bind", b.Silence(0), expected="dead-back-end"),
    case("Garbage at the bind", b.Garbage(0), expected="other-protocol"),
    case("OversizeLength at the bind", b.OversizeLength(0), expected="stream-out-of-step"),
    case("StopsReading at the bind", b.StopsReading(0), expected="dead-back-end"),
    # Bound, and then.
    case("ResetAfterBind", b.ResetAfterBind(), expected="dropped-after-bind", stage="enquire_link"),
    case("HalfClose", b.HalfClose(1), expected="dropped-after-bind", stage="enquire_link"),
    case(
        "HalfPduThenSilence", b.HalfPduThenSilence(1), expected="half-answer", stage="enquire_link"
    ),
    case("Silence", b.Silence(1), expected="path-forgotten", stage="enquire_link"),
    case(
        "StopsReading", b.StopsReading(1), expected="peer-hangs", stage="enquire_link", first=False
    ),
    case(
        "EnquireLinkIgnored",
        b.EnquireLinkIgnored(),
        expected="enquire-link-ignored",
        stage="enquire_link",
    ),
    case("UnbindIgnored", b.UnbindIgnored(), expected="unbind-ignored", stage="unbind"),
    case("Garbage", b.Garbage(1), expected="other-protocol", stage="enquire_link"),
    case(
        "OversizeLength", b.OversizeLength(1), expected="stream-out-of-step", stage="enquire_link"
    ),
    case("Desynchronised", b.Desynchronised(1), expected="stream-out-of-step", stage="unbind"),
    # With a message.
    submit_refused(S.ESME_RTHROTTLED, "rate-is-counted-otherwise"),
    submit_refused(S.ESME_RMSGQFUL, "queue-full"),
    submit_refused(S.ESME_RSUBMITFAIL, "message-refused"),
    submit_refused(S.ESME_RINVBNDSTS, "session-lost-there"),
    submit_refused(S.ESME_RINVSRCADR, "sender-not-registered"),
    submit_refused(S.ESME_RINVDSTADR, "destination-format"),
    submit_refused(S.ESME_RINVSRCTON, "type-of-number"),
    submit_refused(S.ESME_RINVDSTNPI, "type-of-number"),
    submit_refused(S.ESME_RINVEXPIRY, "validity-form"),
    submit_refused(S.ESME_RINVESMCLASS, "long-text-form"),
    submit_refused(S.ESME_RSYSERR, "carrier-trouble"),
    submitting("QueueFull", b.QueueFull(), expected="queue-full"),
    submitting("VendorStatus", b.VendorStatus(), expected="vendor-status"),
    submitting("RejectSenders", b.RejectSenders(["OTHER"]), expected="sender-not-registered"),
    submitting("Throttle", b.Throttle(0), expected="rate-is-counted-otherwise"),
    submitting(
        "WindowLimit",
        b.WindowLimit(5),
        expected="window-exceeded",
        stage="window",
        wishes={"window_probe": True},
    ),
    submitting("NackSubmits", b.NackSubmits(), expected="operation-refused"),
    submitting("NackWithSequenceZero", b.NackWithSequenceZero(), expected="operation-refused"),
    submitting("SlowResponse", b.SlowResponse(4.0), expected="carrier-overloaded"),
    submitting("Congested", b.Congested(delay=2.0), expected="carrier-overloaded"),
    submitting("NoResponse", b.NoResponse(), expected="response-lost"),
    submitting("UnbindAfter", b.UnbindAfter(1), expected="peer-ends-session"),
    submitting("CloseAfter", b.CloseAfter(1), expected="dropped-after-submit"),
    submitting("ResetAfter", b.ResetAfter(1), expected="dropped-after-submit"),
    # Receipts.
    submitting("NoReceipt", b.NoReceipt(), expected="receipts-off", stage="receipt"),
    submitting(
        "HexMessageIdInReceipt",
        b.HexMessageIdInReceipt(),
        expected="id-written-otherwise",
        stage="receipt",
    ),
    submitting(
        "ZeroPaddedIdInReceipt",
        b.ZeroPaddedIdInReceipt(),
        expected="id-written-otherwise",
        stage="receipt",
    ),
    submitting(
        "WrongReceiptId", b.WrongReceiptId(), expected="id-of-another-system", stage="receipt"
    ),
    submitting(
        "DuplicateReceipt", b.DuplicateReceipt(), expected="response-too-late", stage="receipt"
    ),
    submitting(
        "only ENROUTE",
        b.IntermediateFirst(lead=86_400.0),
        expected="never-final",
        stage="receipt",
    ),
    submitting(
        "HandsetOff",
        expected="handset-off",
        stage="receipt",
        first=False,
        handsets=Handsets(
            rules=(Handset(pattern="*", state=MessageState.EXPIRED, delay=86_400.0),)
        ),
    ),
)


@asynccontextmanager
async def like(case: Case) -> AsyncIterator[MessageCenter]:
    """A message centre as the case has it, with the binds that stand or have crashed before."""
    center = MessageCenter(
        behaviours=case.behaviours, accounts=case.accounts, handsets=case.handsets
    )
    bind = encode(BindTransceiver(system_id="gateway", password="secret12", sequence_number=1))
    async with AsyncExitStack() as standing:
        await standing.enter_async_context(open_message_center(center))
        for _ in range(case.held):
            peer = await standing.enter_async_context(connect_raw_peer(center.host, center.port))
            await peer.send(bind)
            assert isinstance(await peer.receive(), BindTransceiverResp)
        if case.crashed:
            async with connect_raw_peer(center.host, center.port) as peer:
                await peer.send(bind)
                await peer.receive()
            await center.wait_for("close")
        yield center


async def named(case: Case) -> tuple[Examination, list[str]]:
    async with like(case) as center:
        message = Message(to=TO, sender="ACME", text="Hello") if case.submits else None
        return await look(center.port, query="tps=50", message=message, **case.wishes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_cause_is_named(case: Case, autojump_clock: object) -> None:
    examination, causes = await named(case)

    if not case.expected:
        assert (0, []) == (examination.verdict().exit, causes)
        return
    assert case.expected in causes[: 1 if case.first else 3]
    told = {
        hint.id
        for report in examination.reports
        if report.stage == case.stage
        for hint in report.hints
    }
    told_late = {hint.id for hint in examination.reports[-1].hints}
    assert case.expected in told | told_late


def test_19_of_20_are_named_first() -> None:
    # Each of the others is expected first by a test of its own.
    others = (*TLS_CASES, *PORTS_WITHOUT_TLS, *PEERS, *PEERS_WITHOUT_TLS)
    wrong = [case for case in CASES if case.expected]
    binds = [case for case in wrong if not case.submits]
    for cases in (wrong, binds):
        assert sum(not case.first for case in cases) <= (len(cases) + len(others)) / 20


def test_every_status_of_the_catalogue_is_told_by_one_row_at_most() -> None:
    times = Counter(
        status
        for row in load_rows()
        for name in row.when
        if name.startswith(("bind_status:", "submit_status:"))
        for status in (f"{name.split(':')[0]} {each}" for each in name.split(":")[1].split(","))
    )
    assert {1} == set(times.values())


# TLS.


async def over_tls(
    authority: Authority, context: ssl.SSLContext, query: str = "", *each: object
) -> tuple[Examination, list[str]]:
    center = MessageCenter(behaviours=each)
    async with open_message_center(center, tls=context):
        ca = f"ca_file={authority.ca_file}" if query != "system" else ""
        query = "" if query == "system" else query
        return await look(
            center.port, scheme="smpps", query=f"{ca}&{query}".strip("&"), timeout=5.0
        )


async def test_a_good_certificate_is_told_whole(
    authority: Authority, autojump_clock: object
) -> None:
    examination, causes = await over_tls(authority, authority.settings())

    [tls] = [report for report in examination.reports if report.stage == "tls"]
    assert [] == causes
    assert tls.finding.startswith("TLSv1.3, ")
    assert ["127.0.0.1"] == tls.facts["certificate"]["names"]
    assert False is tls.facts["certificate_requested"]


TLS_CASES = (
    (("smsc.example.net",), {}, "", "certificate-for-another-name"),
    ((), {"not_after": datetime(2020, 1, 1, tzinfo=UTC)}, "", "certificate-expired"),
    ((), {}, "system", "unknown-authority"),
    ((), {}, "pin=" + "00" * 32, "pin-changed"),
    ((), {"wants": True}, "", "client-certificate-wanted"),
)


@pytest.mark.parametrize(("names", "facts", "query", "expected"), TLS_CASES)
async def test_what_is_wrong_in_tls_is_named(
    authority: Authority,
    names: tuple[str, ...],
    facts: dict[str, object],
    query: str,
    expected: str,
    autojump_clock: object,
) -> None:
    examination, causes = await over_tls(authority, authority.settings(*names, **facts), query)

    assert (1, expected) == (examination.verdict().exit, causes[0])


async def test_the_chain_of_a_refused_certificate_is_told(
    authority: Authority, autojump_clock: object
) -> None:
    context = authority.settings("smsc.example.net")
    examination, _ = await over_tls(authority, context)

    chain = examination.reports[-1].facts["chain"]
    assert ["smsc.example.net"] == chain[0]["names"]


async def test_an_old_tls_is_named(authority: Authority, autojump_clock: object) -> None:
    _, causes = await over_tls(authority, _only_1_1(authority))

    assert "tls-version" == causes[0]


def _only_1_1(authority: Authority) -> ssl.SSLContext:
    context = authority.settings()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


PORTS_WITHOUT_TLS = (
    (b.ClearText(), "port-speaks-clear"),
    (b.EndlessHandshake(), "dead-back-end"),
)


@pytest.mark.parametrize(("behaviour", "expected"), PORTS_WITHOUT_TLS)
async def test_a_port_without_tls_is_named(
    authority: Authority, behaviour: object, expected: str, autojump_clock: object
) -> None:
    _, causes = await over_tls(authority, authority.settings(), "", behaviour)

    assert expected == causes[0]


async def test_clear_text_at_a_port_of_tls_is_named(
    authority: Authority, autojump_clock: object
) -> None:
    center = MessageCenter()
    async with open_message_center(center, tls=authority.settings()):
        examination, causes = await look(center.port)

    assert ("port-speaks-tls", 1) == (causes[0], examination.verdict().exit)


# Peers without any manners.


@asynccontextmanager
async def peer(serve: object) -> AsyncIterator[int]:
    """Serve each connection by a function on a port of loopback."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")

    async def one(stream: trio.SocketStream) -> None:
        async with stream:
            try:
                await serve(stream)
            except trio.BrokenResourceError:
                return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, one, [listener])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def reset(stream: trio.SocketStream) -> None:
    stream.setsockopt(real_socket.SOL_SOCKET, real_socket.SO_LINGER, struct.pack("ii", 1, 0))


async def reset_when_spoken_to(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await reset(stream)


async def end_when_spoken_to(stream: trio.SocketStream) -> None:
    await stream.receive_some()


def saying(octets: bytes, *, stays: bool = False) -> object:
    async def say(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(octets)
        if stays:
            await trio.sleep_forever()

    return say


HALF = encode(BindTransceiverResp(system_id="MC", sequence_number=1))[:10]
NACK = encode(GenericNack(command_status=S.ESME_RINVCMDID))


PEERS = (
    (reset, "address-not-allowed"),
    (reset_when_spoken_to, "address-not-allowed"),
    (end_when_spoken_to, "address-not-allowed"),
    (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "other-protocol"),
    (saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "other-protocol"),
    (saying(b"\xff" * 40), "stream-out-of-step"),
    (saying(HALF, stays=True), "half-answer"),
    (saying(NACK, stays=True), "other-protocol"),
    (saying(b"\x15\x03\x01\x00\x02\x02\x0a"), "port-speaks-tls"),
)


@pytest.mark.parametrize(("serve", "expected"), PEERS)
async def test_a_peer_that_is_no_message_centre_is_named(
    serve: object, expected: str, autojump_clock: object
) -> None:
    async with peer(serve) as port:
        examination, causes = await look(port)

    assert (1, expected) == (examination.verdict().exit, causes[0])


PEERS_WITHOUT_TLS = (
    (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "other-protocol"),
    (reset, "address-not-allowed"),
)


@pytest.mark.parametrize(("serve", "expected"), PEERS_WITHOUT_TLS)
async def test_a_peer_that_is_no_tls_is_named(
    serve: object, expected: str, autojump_clock: object
) -> None:
    async with peer(serve) as port:
        examination, causes = await look(port, scheme="smpps")

    assert (1, "tls") == (examination.verdict().exit, examination.reports[-1].stage)
    assert expected == causes[0]


async def test_a_refused_port_is_named(autojump_clock: object) -> None:
    with real_socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    examination, causes = await look(port)

    assert ("nobody-listens", "tcp") == (causes[0], examination.reports[-1].stage)


async def test_a_black_hole_is_named(autojump_clock: object) -> None:
    with real_socket.socket() as hole:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        fillers = [real_socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(hole.getsockname())
        examination, causes = await look(hole.getsockname()[1])
        for filler in fillers:
            filler.close()

    assert ("address-not-allowed", "tcp") == (causes[0], examination.reports[-1].stage)


async def test_a_name_that_leads_nowhere_is_named(autojump_clock: object) -> None:
    class Nobody(trio.abc.HostnameResolver):
        async def getaddrinfo(self, *_: object) -> object:
            raise real_socket.gaierror(real_socket.EAI_NONAME, "Name or service not known")

        async def getnameinfo(self, *_: object) -> object:
            raise AssertionError

    trio.socket.set_custom_hostname_resolver(Nobody())
    examination, causes = await look_at(read_url("smpp://gateway:secret12@smsc.invalid"))

    assert ("wrong-name", "dns") == (causes[0], examination.reports[-1].stage)


async def test_every_address_of_a_name_is_tried(autojump_clock: object) -> None:
    class Two(trio.abc.HostnameResolver):
        async def getaddrinfo(self, host: object, port: int, *_: object) -> object:
            found = [("127.0.0.9", real_socket.AF_INET), ("127.0.0.1", real_socket.AF_INET)]
            return [
                (family, real_socket.SOCK_STREAM, 6, "", (name, port)) for name, family in found
            ]

        async def getnameinfo(self, *_: object) -> object:
            raise AssertionError

    trio.socket.set_custom_hostname_resolver(Two())
    async with open_message_center(MessageCenter()) as center:
        url = f"smpp://gateway:secret12@smsc.example.com:{center.port}"
        examination, _ = await look_at(read_url(url))

    [tcp] = [report for report in examination.reports if report.stage == "tcp"]
    first, second = tcp.facts["addresses"]
    assert (True, False, True) == (tcp.ok, first["ok"], second["ok"])
    assert "connection refused" == first["finding"]
    assert second["local_address"].startswith("127.0.0.1:")
    assert 0 == examination.verdict().exit


async def test_a_credential_that_does_not_fit_is_named(autojump_clock: object) -> None:
    center = MessageCenter(behaviours=(b.RefuseBind(S.ESME_RINVPASWD),))
    async with open_message_center(center):
        _, long = await look(center.port, who="gateway:longerthaneight")
        _, blank = await look(center.port, who="gateway:short%20")

    assert ("credential-too-long", "blank-in-credential") == (long[0], blank[0])
