"""What the tests of the commands share: a command line, a message centre to talk to, and its TOML."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import attrs
import pytest

from whiteroute.tools.main import main


@attrs.frozen
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, object]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ended]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process."""

    def run_here(*arguments: object, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Ended(ended.value.code, said.out, said.err)

    return run_here


@attrs.define
class Process:
    """A command, or a program, in a process of its own."""

    popen: "subprocess.Popen[str]"
    seen: list[dict[str, object]] = attrs.field(factory=list)

    def read(self) -> dict[str, object]:
        """Wait for its next line."""
        assert self.popen.stdout
        line = self.popen.stdout.readline()
        assert line, "it has ended"
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def read_until(self, fits: Callable[[Mapping[str, object]], bool], times: int = 1) -> None:
        """Wait until so many of its lines fit."""
        while times:
            times -= fits(self.read())

    def end(self, number: int) -> Ended:
        """Send a signal, and wait for the end."""
        self.popen.send_signal(number)
        out, err = self.popen.communicate()
        return Ended(self.popen.returncode, out, err)


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Start Python with arguments; what still runs at the end of the test is killed."""
    running: list[subprocess.Popen[str]] = []

    def start_python(*arguments: object, **environment: str) -> Process:
        popen = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        running.append(popen)
        return Process(popen)

    yield start_python
    for popen in running:
        popen.kill()
        popen.wait()
        for pipe in (popen.stdout, popen.stderr):
            assert pipe
            pipe.close()


@attrs.frozen
class Simulator:
    """`whiteroute simulate` in a process of its own."""

    process: Process
    host: str
    port: int


@pytest.fixture
def simulate(start: Callable[..., Process]) -> Callable[..., Simulator]:
    """Start a message centre on a free port; more options may be given."""

    def simulate_on_free_port(*options: object) -> Simulator:
        process = start("-m", "whiteroute", "simulate", "--port", 0, "--json", *options)
        listening = process.read()["listening"]
        assert isinstance(listening, dict)
        return Simulator(process, listening["host"], listening["port"])

    return simulate_on_free_port


@pytest.fixture
def simulator(simulate: Callable[..., Simulator]) -> Simulator:
    """A message centre whose receipts come quickly."""
    return simulate("--delay", 0.05)


CENTER = """
import json, sys, attrs, trio
from whiteroute.simulators import MessageCenter, open_message_center
from whiteroute.simulators.behaviours import *

@attrs.frozen
class DeafToOddNumbers(Behaviour):
    def on_submit(self, answer, submission, bind):
        odd = submission.destination_addr[-1] in "13579"
        print(json.dumps({"to": submission.destination_addr, "answered": not odd}), flush=True)
        return attrs.evolve(answer, form=AnswerForm.NOTHING) if odd else answer

async def main():
    async with open_message_center(MessageCenter(behaviours=[eval(sys.argv[1])])) as center:
        print(json.dumps({"port": center.port}), flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@pytest.fixture
def misbehave(start: Callable[..., Process]) -> Callable[[str], tuple[Process, int]]:
    """Start a message centre with a behaviour, and give it and its port.

    `DeafToOddNumbers()` takes every message, prints it, and answers only those to even numbers.
    """

    def misbehave_as(behaviour: str) -> tuple[Process, int]:
        process = start("-c", CENTER, behaviour)
        port = process.read()["port"]
        assert isinstance(port, int)
        return process, port

    return misbehave_as


TOML = """
[engine]
ledger = "ledger.db"

[carriers.acme]
hosts = ["127.0.0.1:{port}"]
system_id = "gateway"
password = "secret"

[numbering]
"34600" = "214-07"
"34700" = "214-03"

[routes.acme-es]
carrier = "acme"
networks = ["214-07"]
traffic_classes = ["otp", "transactional", "marketing"]
interconnect = {{ kind = "DIRECT_MNO", hops = 0 }}
agreement = {{ id = "A-1", kind = "BILATERAL_A2P", counterparty = "214-07", \
valid_from = 2020-01-01, valid_to = 2999-12-31, attested_by = "ops@example.com", \
attested_at = 2026-11-01 }}
sender = {{ kinds = ["ALPHA", "LONG"], preserved = true, registered = ["ACME"] }}
price = {{ amount = "0.030", currency = "EUR", floor = "0.020" }}

[policy]
max_attestation_age_days = 100000
"""


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., Path]:
    """Write a TOML with one carrier and one route, changed as told, and say where it is."""

    def write(port: int = 9, changes: Mapping[str, str] | None = None) -> Path:
        text = TOML.format(port=port)
        for found, instead in (changes or {}).items():
            assert found in text
            text = text.replace(found, instead)
        path = tmp_path / "carriers.toml"
        path.write_text(text, "utf-8")
        return path

    return write
