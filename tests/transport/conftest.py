"""What the tests of the transport share: an authority, listeners of all kinds, and names that we make up.

Connections are real ones on loopback and the clock is virtual, so what times out takes no time.
"""

import socket as real_socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing
import trustme

from whiteroute.engine.transport import TransportReport

Serve = Callable[[trio.SocketStream], Awaitable[object]]


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    """A clock that jumps when nothing happens; loopback gets its turn before."""
    return trio.testing.MockClock(autojump_threshold=0.01)


@attrs.define(eq=False)
class Authority:
    """Issues certificates, as files and as settings of an MC."""

    folder: Path
    ca: trustme.CA = attrs.field(factory=lambda: trustme.CA(organization_name="Test Telecom"))
    issued: int = 0

    @property
    def ca_file(self) -> str:
        path = self.folder / "ca.pem"
        if not path.exists():
            self.ca.cert_pem.write_to_path(str(path))
        return str(path)

    def issue(self, *names: str, **facts: object) -> trustme.LeafCert:
        return self.ca.issue_cert(*(names or ("smsc.example.com", "127.0.0.1")), **facts)  # type: ignore[arg-type]

    def settings(
        self, leaf: trustme.LeafCert | None = None, *, wants_certificate: bool = False
    ) -> ssl.SSLContext:
        """Settings of a message centre that shows `leaf`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (leaf or self.issue()).configure_cert(context)
        if wants_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context

    def write(self, leaf: trustme.LeafCert) -> tuple[str, str]:
        """Write a certificate and its key; gives the two paths."""
        self.issued += 1
        certificate, key = (self.folder / f"{kind}{self.issued}.pem" for kind in ("cert", "key"))
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        leaf.private_key_pem.write_to_path(str(key))
        return str(certificate), str(key)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@attrs.define(eq=False)
class Listening:
    """Where somebody listens, and who came."""

    host: str
    port: int
    streams: list[trio.SocketStream] = attrs.field(factory=list)


Listen = Callable[..., AbstractAsyncContextManager[Listening]]


@pytest.fixture
def listen() -> Listen:
    """Listen on loopback and serve each connection by a function; it is closed after it."""

    @asynccontextmanager
    async def opened(serve: Serve, host: str = "127.0.0.1") -> AsyncIterator[Listening]:
        (listener,) = await trio.open_tcp_listeners(0, host=host)
        listening = Listening(host, listener.socket.getsockname()[1])

        async def one(stream: trio.SocketStream) -> None:
            listening.streams.append(stream)
            async with stream:
                await serve(stream)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, one, [listener])
            try:
                yield listening
            finally:
                nursery.cancel_scope.cancel()

    return opened


@pytest.fixture
def closed_port() -> int:
    """A port where nobody listens."""
    with real_socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    return port


@pytest.fixture
def black_hole() -> object:
    """A port whose queue is full: every further SYN is dropped, as by a firewall."""
    hole = real_socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    fillers = []
    for _ in range(4):
        filler = real_socket.socket()
        filler.setblocking(False)
        filler.connect_ex(hole.getsockname())
        fillers.append(filler)
    yield hole.getsockname()[1]
    for each in (*fillers, hole):
        each.close()


@attrs.define(eq=False)
class MadeUpNames(trio.abc.HostnameResolver):
    """A name service in memory; a name that it does not hold is not known."""

    names: dict[str, list[str]] = attrs.field(factory=dict)
    silent: bool = False

    async def getaddrinfo(self, host, port, family=0, type=0, proto=0, flags=0):
        if self.silent:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        if (host := host.decode() if isinstance(host, bytes) else host) not in self.names:
            raise real_socket.gaierror(real_socket.EAI_NONAME, "Name or service not known")
        return [
            (
                real_socket.AF_INET6 if ":" in address else real_socket.AF_INET,
                real_socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in self.names[host]
        ]

    async def getnameinfo(self, sockaddr, flags):
        raise AssertionError("nobody asks for it")


@pytest.fixture
async def names() -> MadeUpNames:
    """The name service of this test."""
    made = MadeUpNames()
    trio.socket.set_custom_hostname_resolver(made)
    return made


@pytest.fixture
def report() -> TransportReport:
    return TransportReport(host="smsc.example.com", port=2775, watches=True)


def open_sockets() -> int:
    """How many sockets this process has open now."""
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found += str(descriptor.readlink()).startswith("socket:")
        except OSError:  # the one that lists the folder
            continue
    return found


@pytest.fixture
def sockets_open() -> Callable[[], int]:
    return open_sockets
