"""A message centre in a process of its own that does next to nothing: it answers, as fast as Python can.

The other end of every bench that sends. Answers are rendered before anything is measured; PDUs of one
kind and one length are answered together, so one costs it a small part of what any client needs. Run as
`python -m whiteroute.tools.benches.echo_peer` it says its port, and serves until its input ends.
"""

import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from struct import Struct
from types import TracebackType
from typing import IO

import attrs

from whiteroute.pdu import OPERATIONS, RESPONSE_BIT, CommandId, SubmitSmResp, encode

RECEIVE_OCTETS = 262_144
"""What it takes at once, at most."""

MESSAGE_ID = "0123456789"
"""What every message is called; who must tell them apart has another peer."""

BACKLOG = 4_096
"""Connections that may wait to be taken: thousands of binds come at once."""

_ANSWERED = (
    CommandId.BIND_TRANSMITTER,
    CommandId.BIND_RECEIVER,
    CommandId.BIND_TRANSCEIVER,
    CommandId.ENQUIRE_LINK,
    CommandId.UNBIND,
    CommandId.SUBMIT_SM,
)


def _rendered(command_id: int) -> tuple[bytes, bytes]:
    """Give what stands before and behind the sequence_number of an answer."""
    made = OPERATIONS[command_id | RESPONSE_BIT]
    octets = encode(SubmitSmResp(message_id=MESSAGE_ID) if made is SubmitSmResp else made())
    return octets[:12], octets[16:]


_ANSWERS = {command_id.to_bytes(4, "big"): _rendered(command_id) for command_id in _ANSWERED}
_RECORDS: dict[int, Struct] = {}


def answers_to(octets: bytes) -> tuple[bytes, int]:
    """Give the answers to the whole PDUs in some octets, and how many octets these PDUs are.

    What it has no answer for is passed over.
    """
    out: list[bytes] = []
    at, end = 0, len(octets)
    while at + 16 <= end:
        length = int.from_bytes(octets[at : at + 4], "big")
        most = (end - at) // length
        if not most:
            break
        record = _RECORDS.get(length)
        if record is None:
            record = _RECORDS[length] = Struct(f">8s4x4s{length - 16}x")
        # As if all that follow were like the first; up to the first that is not, they are.
        heads, numbers = zip(*record.iter_unpack(octets[at : at + most * length]), strict=True)
        head = heads[0]
        alike = most
        if heads.count(head) != most:
            alike = next(index for index, each in enumerate(heads) if each != head)
            numbers = numbers[:alike]
        at += alike * length
        if answer := _ANSWERS.get(head[4:]):
            before, behind = answer
            out += (before, (behind + before).join(numbers), behind)
    return b"".join(out), at


def serve(listener: socket.socket, commands: IO[str], say: Callable[[str], None]) -> None:
    """Answer on every connection until `commands` ends; to each of its lines say the CPU seconds used."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(commands, selectors.EVENT_READ)
    kept: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select():
            ready = key.fileobj
            if ready is commands:
                if not commands.readline():
                    return
                say(repr(time.process_time()))
            elif ready is listener:
                taken, _ = listener.accept()
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                kept[taken] = b""
                selector.register(taken, selectors.EVENT_READ)
            else:
                assert isinstance(ready, socket.socket)
                if not _answer(ready, kept):
                    selector.unregister(ready)
                    del kept[ready]
                    ready.close()


def _answer(connection: socket.socket, kept: dict[socket.socket, bytes]) -> bool:
    """Read once and answer; False when the connection has ended."""
    try:
        octets = connection.recv(RECEIVE_OCTETS)
        if not octets:
            return False
        if kept[connection]:
            octets = kept[connection] + octets
        answers, used = answers_to(octets)
        kept[connection] = octets[used:]
        connection.sendall(answers)
    except OSError:
        return False
    return True


@attrs.define(eq=False)
class EchoPeer:
    """The peer's process, for as long as the block lasts."""

    module: str = __name__
    """Which peer it is: this module, or another one that speaks on its input and output as this does."""
    address: tuple[str, int] = attrs.field(init=False)
    """Where it listens."""
    _process: "subprocess.Popen[str]" = attrs.field(init=False)

    def __enter__(self) -> "EchoPeer":
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.address = "127.0.0.1", int(self._said())
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def cpu_seconds(self) -> float:
        """Ask how much CPU time it has used so far."""
        return float(self.ask(""))

    def ask(self, line: str) -> str:
        """Say a line to it, and wait for the line that it answers."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._said()

    def _said(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def raise_open_files(wanted: int) -> int:
    """Raise the limit of open files as far as wanted and allowed; give what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


def main() -> None:
    """Listen on a free port of this machine, say it, and serve until the input ends."""
    raise_open_files(1_048_576)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    say(str(listener.getsockname()[1]))
    serve(listener, sys.stdin, say)


if __name__ == "__main__":
    main()
