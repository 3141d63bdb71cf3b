"""Strangers' implementations as peers, each in a process of its own, on real TCP and in real time.

Those from PyPI run wherever the dev extra is installed; the others are marked `interop` and run in
`make interop`, which installs them. Nothing waits for a time to pass: each wait is for something to
happen, with a deadline for what never does.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest
import trio

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import Config
from whiteroute.engine.ledger import MemoryStore
from whiteroute.engine.messages import DeliveryState, Message, Outcome
from whiteroute.engine.profile import CarrierProfile, RebindOptions
from whiteroute.engine.service import Engine, EngineEvent, open_engine
from whiteroute.engine.session import SessionSettings
from whiteroute.routing import (
    Agreement,
    AgreementKind,
    Interconnect,
    InterconnectKind,
    Network,
    NumberingPlan,
    Price,
    Route,
    RouteTable,
    SenderKind,
    SenderPolicy,
    TrafficClass,
)

HERE = Path(__file__).parent
INSTALLED = HERE.parent.parent / ".interop"
PATIENCE = 20.0
"""Seconds a stuck peer may take; a working one needs milliseconds, opensmppbox up to two seconds."""

SECRET = "secret"

Facts = dict[str, object]


# What is run, and what is told of it.


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "only(peer, ...): runs with these peers of its kind alone")
    config.addinivalue_line(
        "markers", "quirk(peer, what): shows a way of a peer; listed at the end of `make interop`"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a program that is no Python package, unless somebody asked for it."""
    ours = [item for item in items if item.path.parent == HERE]
    for item in ours:
        item.add_marker("peer")
    if "interop" in config.option.markexpr:
        return
    left_out = [item for item in ours if item.get_closest_marker("interop") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


QUIRKS: dict[str, list[tuple[str, str]]] = {}
"""What was seen of each peer: the quirk, and whether its test passed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "call" or report.skipped:
        for marker in item.iter_markers("quirk"):
            peer, what = marker.args
            QUIRKS.setdefault(peer, []).append((what, report.outcome))
    return report


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    if QUIRKS and "interop" in config.option.markexpr:
        terminalreporter.section("ways of the peers")
        for peer, seen in sorted(QUIRKS.items()):
            for what, outcome in seen:
                terminalreporter.line(f"{peer:<14} {outcome:<7} {what}")


# A peer in a process.


@attrs.frozen(kw_only=True)
class Program:
    """How a peer is started, and what it can be asked to do."""

    name: str
    command: tuple[str, ...]
    needs: Callable[[], str] = attrs.field(repr=False)
    """Says what is missing; empty when all is there."""
    cannot: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    """Of: enquire, hear_enquiry, read_answers_of_receivers, read_refused_bind, see_parts."""

    def require(self) -> None:
        if missing := self.needs():
            pytest.skip(f"LEFT OUT {self.name}: {missing}")


def package(module: str) -> Callable[[], str]:
    def missing() -> str:
        top = module.partition(".")[0]
        is_there = find_spec(top) is not None and find_spec(module) is not None
        return "" if is_there else f"the package of {module} is not installed (dev extra)"

    return missing


def node_smpp() -> str:
    if shutil.which("node") is None or not (INSTALLED / "node_modules/smpp/package.json").exists():
        return "it or node itself is not installed (`make interop`)"
    return ""


def net_smpp() -> str:
    found = shutil.which("perl") is not None and (
        subprocess.run(
            ["perl", "-MNet::SMPP", "-MJSON::PP", "-e", "1"], capture_output=True, check=False
        ).returncode
        == 0
    )
    return "" if found else "perl or its Net::SMPP is not installed (`make interop`)"


def kannel() -> str:
    return "" if shutil.which("bearerbox", path=PATH) else "not installed (`make interop`)"


def opensmppbox() -> str:
    if not (INSTALLED / "opensmppbox").exists():
        return "it could not be built from Kannel's source package (`make interop`)"
    return kannel()


PATH = os.environ.get("PATH", "") + ":/usr/sbin"
"""Debian keeps Kannel's boxes where only root looks."""


def python(script: str) -> tuple[str, ...]:
    return (sys.executable, str(HERE / script))


CENTERS = {
    program.name: program
    for program in (
        Program(
            name="smpp34",
            command=python("smpp34_center.py"),
            needs=package("smpp34"),
            cannot=("enquire", "hear_enquiry", "read_answers_of_receivers"),
        ),
        Program(
            name="smpp.twisted3",
            command=python("twisted_center.py"),
            needs=package("smpp.twisted"),
        ),
        Program(
            name="node-smpp",
            command=("node", str(HERE / "node_center.js")),
            needs=node_smpp,
        ),
        Program(
            name="Net::SMPP",
            command=("perl", str(HERE / "net_smpp_center.pl")),
            needs=net_smpp,
        ),
    )
}
ESMES = {
    program.name: program
    for program in (
        Program(name="smpplib", command=python("smpplib_esme.py"), needs=package("smpplib")),
        Program(
            name="aiosmpplib",
            command=python("aiosmpplib_esme.py"),
            needs=package("aiosmpplib"),
            cannot=("see_parts",),
        ),
        Program(
            name="smpp34",
            command=python("smpp34_esme.py"),
            needs=package("smpp34"),
            cannot=("hear_enquiry", "read_refused_bind"),
        ),
        Program(
            name="smpp.twisted3", command=python("twisted_esme.py"), needs=package("smpp.twisted")
        ),
        Program(name="node-smpp", command=("node", str(HERE / "node_esme.js")), needs=node_smpp),
        Program(name="Net::SMPP", command=("perl", str(HERE / "net_smpp_esme.pl")), needs=net_smpp),
    )
}
FROM_PYPI = ("smpp34", "smpp.twisted3", "smpplib", "aiosmpplib")


def _each(programs: dict[str, Program]) -> list[object]:
    return [
        pytest.param(program, id=name, marks=() if name in FROM_PYPI else (pytest.mark.interop,))
        for name, program in programs.items()
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with every peer of a kind, unless it is about one."""
    for name, programs in (("center_program", CENTERS), ("esme_program", ESMES)):
        if name in metafunc.fixturenames:
            only = metafunc.definition.get_closest_marker("only")
            chosen = {each: programs[each] for each in only.args} if only else programs
            metafunc.parametrize(name, _each(chosen))


@attrs.define(eq=False)
class Peer:
    """A peer that runs; what it said is kept."""

    program: Program
    process: trio.Process
    port: int = 0
    events: list[Facts] = attrs.field(factory=list)
    _is_over: bool = False
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    async def listen(self) -> None:
        """Read what it says until it is over."""
        assert self.process.stdout is not None
        rest = b""
        async for octets in self.process.stdout:
            *lines, rest = (rest + octets).split(b"\n")
            self.events += map(json.loads, lines)
            self._news.unpark_all()
        self._is_over = True
        self._news.unpark_all()

    async def do(self, what: str, **facts: object) -> None:
        """Give it an order."""
        assert self.process.stdin is not None
        await self.process.stdin.send_all(json.dumps({"do": what, **facts}).encode() + b"\n")

    def said(self, event: str, **facts: object) -> list[Facts]:
        """What it has said that fits."""
        wanted = {"event": event, **facts}
        return [each for each in self.events if wanted.items() <= each.items()]

    async def wait_for(self, event: str, *, times: int = 1, **facts: object) -> list[Facts]:
        """Wait until it has said so so many times; what is past counts."""
        await self.wait_until(lambda: len(self.said(event, **facts)) >= times, f"{event} {facts}")
        return self.said(event, **facts)

    async def wait_until(self, happens: Callable[[], bool], what: str) -> None:
        """Wait until what it has said makes something so."""
        with trio.move_on_after(PATIENCE):
            while not happens() and not self._is_over:
                await self._news.park()
        assert happens(), f"{what}: {self.events}"

    async def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        await self.process.wait()

    def stop(self) -> None:
        """Let it hang, its sockets open."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def run_peer(program: Program, *arguments: object) -> AsyncIterator[Peer]:
    """Run a peer as long as the block lasts."""
    # Coverage of a stranger is its own matter, and so are its warnings.
    ours = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    environment = ours | {
        "NODE_PATH": str(INSTALLED / "node_modules"),
        "PYTHONWARNINGS": "ignore",
    }
    process = await trio.lowlevel.open_process(
        [*program.command, *map(str, arguments)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    peer = Peer(program, process)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(peer.listen)
            yield peer
            nursery.cancel_scope.cancel()
    finally:
        with trio.CancelScope(shield=True):
            process.kill()
            await process.wait()
            for pipe in (process.stdin, process.stdout):
                await pipe.aclose()


def pick_port() -> int:
    """Find a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def open_center():
    """Run a stranger's message centre; with `port` it comes back where it was."""

    @asynccontextmanager
    async def opened(program: Program, port: int = 0) -> AsyncIterator[Peer]:
        port = port or pick_port()
        async with run_peer(program, port) as peer:
            await peer.wait_for("listening")
            peer.port = port
            yield peer

    return opened


@pytest.fixture
async def center(center_program: Program, open_center) -> AsyncIterator[Peer]:
    """A stranger's message centre that listens."""
    center_program.require()
    async with open_center(center_program) as peer:
        yield peer


@pytest.fixture
def open_esme(esme_program: Program):
    """Run a stranger's ESME against a message centre of ours, and bind it."""
    esme_program.require()

    @asynccontextmanager
    async def opened(
        message_center, mode: str = "trx", *, password: str = SECRET, status: int = 0
    ) -> AsyncIterator[Peer]:
        where = (message_center.host, message_center.port)
        async with run_peer(esme_program, *where, mode, "acme", password) as peer:
            await peer.wait_for("bound", status=status)
            yield peer

    return opened


@attrs.frozen
class Command:
    """`whiteroute simulate` in a process of its own."""

    peer: Peer
    host: str
    port: int


@pytest.fixture
async def simulate() -> AsyncIterator[Command]:
    """The command `whiteroute simulate`, which tells its events as a peer does."""
    account = ("--system-id", "acme", "--password", SECRET)
    program = Program(
        name="whiteroute simulate",
        command=(sys.executable, "-m", "whiteroute", "simulate", "--port", "0", "--json", *account),
        needs=str,
    )
    async with run_peer(program, "--delay", "0.1") as peer:
        await peer.wait_until(lambda: bool(peer.events), "anything")
        yield Command(peer, **peer.events[0]["listening"])


# Our gateway.

MOVISTAR = Network("214", "07")
PHONE = "34600111222"

SESSION = SessionSettings(response_timeout=PATIENCE, unbind_timeout=2)
REBIND = RebindOptions(first_delay=0.05, longest_delay=0.2, attempts_per_minute=600)


def _route() -> Route:
    return Route(
        id="acme-es",
        carrier="acme",
        networks=frozenset({MOVISTAR}),
        traffic_classes=frozenset({TrafficClass.TRANSACTIONAL}),
        interconnect=Interconnect(kind=InterconnectKind.DIRECT_MNO, hops=0),
        agreement=Agreement(
            id="A-1",
            kind=AgreementKind.BILATERAL_A2P,
            counterparty=MOVISTAR,
            valid_from=date(2020, 1, 1),
            valid_to=date(2099, 12, 31),
            attested_by="ops@example.com",
            attested_at=datetime.now(UTC).date(),
        ),
        sender=SenderPolicy(
            kinds=frozenset(SenderKind), preserved=True, registered_patterns=(".+",)
        ),
        price=Price(amount=Decimal("0.030"), currency="EUR", floor=Decimal("0.020")),
    )


@attrs.define(eq=False)
class Gateway:
    """An engine with one carrier, and everything it has told."""

    engine: Engine
    events: list[EngineEvent] = attrs.field(factory=list)
    _news: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot)

    async def listen(self, events: AsyncIterator[EngineEvent]) -> None:
        async for event in events:
            self.events.append(event)
            self._news.unpark_all()

    async def submit(self, text: str = "hello", **fields: object) -> Outcome:
        with trio.fail_after(PATIENCE):
            return await self.engine.submit(
                Message(to=f"+{PHONE}", sender="ACME", text=text, **fields)
            )

    def told(self, kind: type, **facts: object) -> list[EngineEvent]:
        return [
            event
            for event in self.events
            if isinstance(event, kind)
            and all(getattr(event, name) == fact for name, fact in facts.items())
        ]

    async def wait_for(self, kind: type, *, times: int = 1, **facts: object) -> list[EngineEvent]:
        """Wait until it has told so so many times; what is past counts."""
        try:
            with trio.fail_after(PATIENCE):
                while len(self.told(kind, **facts)) < times:
                    await self._news.park()
        except trio.TooSlowError:
            raise AssertionError(f"{kind.__name__} {facts}: {self.events}") from None
        return self.told(kind, **facts)

    def state_of(self, message_ref: str) -> DeliveryState:
        history = self.engine.ledger.message(message_ref)
        assert history is not None
        return history.message.state


@pytest.fixture
def open_gateway():
    """Open an engine that is bound to a port of this machine."""

    @asynccontextmanager
    async def opened(
        port: int,
        *,
        bound: bool = True,
        session: SessionSettings = SESSION,
        password: str = SECRET,
        profile: CarrierProfile | None = None,
        store: MemoryStore | None = None,
        **account: object,
    ) -> AsyncIterator[Gateway]:
        settings = CarrierSettings(
            name="acme",
            hosts=(Host("127.0.0.1", port),),
            system_id="gateway",
            password=password,
            profile=attrs.evolve(profile or CarrierProfile(), session=session, rebind=REBIND),
            **account,
        )
        config = Config(
            ledger="nowhere/ledger.db",
            carriers={"acme": settings},
            routes=RouteTable((_route(),)),
            plan=NumberingPlan({"34600": str(MOVISTAR)}),
        )
        async with (
            open_engine(
                config, ledger=store or MemoryStore(), seed=1, inline_ledger=True
            ) as engine,
            trio.open_nursery() as nursery,
        ):
            gateway = Gateway(engine)
            nursery.start_soon(gateway.listen, engine.events())
            if bound:
                assert () == await engine.wait_bound(PATIENCE)
            yield gateway
            nursery.cancel_scope.cancel()

    return opened


@pytest.fixture
def session() -> SessionSettings:
    """How the gateway conducts its sessions unless told otherwise."""
    return SESSION


@pytest.fixture
def pick_ports() -> Callable[[int], list[int]]:
    """Find ports that are free now."""

    def pick(count: int) -> list[int]:
        with ExitStack() as stack:
            probes = [stack.enter_context(socket.socket()) for _ in range(count)]
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            return [probe.getsockname()[1] for probe in probes]

    return pick


@pytest.fixture
def kannel_boxes() -> dict[str, str]:
    """Where Kannel's programs are."""
    if missing := kannel():
        pytest.skip(f"LEFT OUT Kannel: {missing}")
    return {name: shutil.which(name, path=PATH) or name for name in ("bearerbox", "smsbox")}


@pytest.fixture
def opensmppbox_program() -> str:
    """Where opensmppbox is."""
    if missing := opensmppbox():
        pytest.skip(f"LEFT OUT opensmppbox: {missing}")
    return str(INSTALLED / "opensmppbox")


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that speaks with nobody, its output in a file."""
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def run_program():
    """Run a program that speaks with nobody, its output in a file."""
    return running
