"""A message centre in a process of its own that gives every message an id, and its receipt when told to.

It is `echo_peer` for those who must tell messages apart: as raw, a little dearer. To the line `receipts`
on its input it delivers a receipt for every message that it has taken since the last time, and says how
many were acknowledged and how many were not, once all are answered.
"""

import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from struct import Struct
from typing import IO

import attrs

from whiteroute.pdu import (
    OPERATIONS,
    RESPONSE_BIT,
    CommandId,
    DeliverSm,
    EsmClass,
    SubmitSmResp,
    encode,
    make_tlvs,
)

from .echo_peer import BACKLOG, RECEIVE_OCTETS, raise_open_files

DELIVERED_AT_ONCE = 500
"""Receipts that wait for their answers on one connection, at most: half of what an engine takes."""

_ID = b"0" * 12
"""What message_ids look like: the connection's number and the message's, both in hexadecimal."""

_HEADER = Struct(">4L")
_RECORDS: dict[int, Struct] = {}


def _rendered(command_id: int) -> tuple[bytes, bytes]:
    made = encode(OPERATIONS[command_id | RESPONSE_BIT]())
    return made[:12], made[16:]


_SIMPLE = {
    command_id: _rendered(command_id)
    for command_id in (
        CommandId.BIND_TRANSMITTER,
        CommandId.BIND_RECEIVER,
        CommandId.BIND_TRANSCEIVER,
        CommandId.ENQUIRE_LINK,
        CommandId.UNBIND,
    )
}
_TAKEN = encode(SubmitSmResp(message_id=_ID.decode()))[:12]
_RECEIPT = encode(
    DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="34600111222",
        dest_addr_ton=5,
        destination_addr="ACME",
        esm_class=EsmClass.RECEIPT,
        short_message=b"id:" + _ID + b" sub:001 dlvrd:001 submit date:2611221930"
        b" done date:2611221931 stat:DELIVRD err:000 text:Your code is 271828",
        tlvs=make_tlvs(message_state=2, receipted_message_id=_ID.decode()),
    )
)
_BEFORE_ID, _BETWEEN_IDS, _AFTER_IDS = _RECEIPT[16:].split(_ID)


@attrs.define(eq=False)
class Bench:
    """What all connections of this peer have in common."""

    say: Callable[[str], None]
    connections: "list[Connection]" = attrs.field(factory=list)
    owed: int = 0
    """Receipts whose answers have not come."""
    acknowledged: int = 0
    refused: int = 0

    def deliver(self) -> None:
        """Begin to deliver the receipts of all messages taken so far."""
        self.acknowledged = self.refused = 0
        self.owed = sum(len(connection.taken) for connection in self.connections)
        for connection in self.connections:
            connection.deliver()
        self.settle()

    def settle(self) -> None:
        """Say how it ended, once it has."""
        if not self.owed:
            self.say(f"{self.acknowledged} {self.refused}")


@attrs.define(eq=False)
class Connection:
    """One bind of the other side."""

    bench: Bench
    socket: socket.socket
    prefix: bytes
    taken: "deque[bytes]" = attrs.field(factory=deque)
    """The ids of messages whose receipts were not sent."""
    _kept: bytes = b""
    _sent: int = 0
    _waiting: int = 0

    def receive(self) -> bool:
        """Read once and answer; False when the connection has ended."""
        try:
            octets = self.socket.recv(RECEIVE_OCTETS)
            if octets:
                self._answer(self._kept + octets if self._kept else octets)
        except OSError:
            return False
        return bool(octets)

    def _answer(self, octets: bytes) -> None:
        out: list[bytes] = []
        at, end = 0, len(octets)
        while at + 16 <= end:
            length, command_id, status, _ = _HEADER.unpack_from(octets, at)
            most = (end - at) // length
            if not most:
                break
            record = _RECORDS.get(length)
            if record is None:
                record = _RECORDS[length] = Struct(f">12s4s{length - 16}x")
            heads, numbers = zip(*record.iter_unpack(octets[at : at + most * length]), strict=True)
            alike = most
            if heads.count(heads[0]) != most:
                alike = next(i for i, head in enumerate(heads) if head != heads[0])
                numbers = numbers[:alike]
            at += alike * length
            self._take(command_id, status, numbers, out)
        self._kept = octets[at:]
        self.socket.sendall(b"".join(out))

    def _take(
        self, command_id: int, status: int, numbers: tuple[bytes, ...], out: list[bytes]
    ) -> None:
        if command_id == CommandId.SUBMIT_SM:
            ids = [self.prefix + number.hex().encode() for number in numbers]
            self.taken += ids
            for number, message_id in zip(numbers, ids, strict=True):
                out += (_TAKEN, number, message_id, b"\0")
        elif command_id == CommandId.DELIVER_SM_RESP:
            self._answered(len(numbers), is_taken=not status)
        elif command_id in _SIMPLE:
            before, behind = _SIMPLE[CommandId(command_id)]
            for number in numbers:
                out += (before, number, behind)

    def _answered(self, number: int, *, is_taken: bool) -> None:
        bench = self.bench
        self._waiting -= number
        bench.owed -= number
        if is_taken:
            bench.acknowledged += number
        else:
            bench.refused += number
        if self._waiting <= DELIVERED_AT_ONCE // 2:
            self.deliver()
        bench.settle()

    def deliver(self) -> None:
        """Send as many receipts as may wait for their answers."""
        out: list[bytes] = []
        for _ in range(min(DELIVERED_AT_ONCE - self._waiting, len(self.taken))):
            message_id = self.taken.popleft()
            self._sent += 1
            self._waiting += 1
            out += (
                _HEADER.pack(len(_RECEIPT), CommandId.DELIVER_SM, 0, self._sent),
                _BEFORE_ID,
                message_id,
                _BETWEEN_IDS,
                message_id,
                _AFTER_IDS,
            )
        self.socket.sendall(b"".join(out))


def serve(listener: socket.socket, commands: IO[str], say: Callable[[str], None]) -> None:
    """Answer on every connection until `commands` ends."""
    bench = Bench(say)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    selector.register(commands, selectors.EVENT_READ)
    number = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is commands:
                line = commands.readline()
                if not line:
                    return
                if line.strip() == "receipts":
                    bench.deliver()
                else:
                    say(repr(time.process_time()))
            elif key.fileobj is listener:
                taken, _ = listener.accept()
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                number += 1
                connection = Connection(bench, taken, b"%04x" % number)
                bench.connections.append(connection)
                selector.register(taken, selectors.EVENT_READ, connection)
            elif not key.data.receive():
                selector.unregister(key.fileobj)
                bench.connections.remove(key.data)
                key.data.socket.close()


def main() -> None:
    """Listen on a free port of this machine, say it, and serve until the input ends."""
    raise_open_files(4_096)
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    say(str(listener.getsockname()[1]))
    serve(listener, sys.stdin, say)


if __name__ == "__main__":
    main()
