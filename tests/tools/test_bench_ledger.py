"""What the bench `ledger` measures, and that its peer gives every message an id; never how fast."""

import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from whiteroute.engine.ledger import open_ledger_for_reading
from whiteroute.engine.messages import DeliveryState
from whiteroute.pdu import (
    CommandStatus,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    Framer,
    Pdu,
    SubmitSmResp,
    decode,
    encode,
    parse_receipt,
)
from whiteroute.tools.benches import ledger
from whiteroute.tools.benches.echo_peer import EchoPeer
from whiteroute.tools.benches.figure import Pace
from whiteroute.tools.benches.ledgers import Lag
from whiteroute.tools.benches.senders import connect, message

AT_ONCE = Pace(rounds=1, lap=0)


def talk(made: socket.socket, sent: bytes, wanted: int) -> list[Pdu]:
    """Send octets, in two halves, and read so many PDUs."""
    half = len(sent) // 2
    made.sendall(sent[:half])
    made.sendall(sent[half:])
    framer, got = Framer(), list[Pdu]()
    while len(got) < wanted:
        got += map(decode, framer.receive(made.recv(65_536)))
    return got


def test_its_peer_gives_every_message_an_id_and_delivers_its_receipt_when_told() -> None:
    sent = []
    for number in range(2, 602):
        pdu = message()
        pdu.sequence_number = number
        sent.append(encode(pdu))
    sent.append(encode(EnquireLink(sequence_number=700)))
    with EchoPeer(ledger.PEER) as peer, connect(peer.address) as made:
        answers = talk(made, b"".join(sent), 601)
        assert peer.cpu_seconds() > 0
        peer._process.stdin.write("receipts\n")
        peer._process.stdin.flush()
        receipts = talk(made, b"", 500)
        acks = [DeliverSmResp(sequence_number=each.sequence_number) for each in receipts]
        acks[0].command_status = CommandStatus.ESME_RX_T_APPN
        receipts += talk(made, b"".join(map(encode, acks)), 100)
        rest = [DeliverSmResp(sequence_number=each.sequence_number) for each in receipts[500:]]
        made.sendall(b"".join(map(encode, rest)))
        said = peer._said()

    ids = [each.message_id for each in answers if isinstance(each, SubmitSmResp)]
    assert isinstance(answers[-1], EnquireLinkResp)
    assert list(range(2, 602)) == [each.sequence_number for each in answers[:600]]
    assert 600 == len(set(ids))
    assert all(isinstance(each, DeliverSm) for each in receipts)
    assert sorted(ids) == sorted(parse_receipt(each).message_id for each in receipts)
    assert "599 1" == said.strip()


@pytest.mark.slow
def test_it_measures_with_and_without_a_ledger() -> None:
    said: list[str] = []
    figures = list(ledger.measure(AT_ONCE, said.append))

    rates = {(each.case, each.subject): each for each in figures if each.unit == "messages/s"}
    assert {"window 100", "window 1000"} == {case for case, _ in rates}
    for subject in (ledger.AHEAD, ledger.TAKEN, ledger.ENGINE, ledger.RECEIPTS):
        figure = rates["window 1000", subject]
        beside = rates["window 1000", ledger.LINK]
        assert ledger.LINK == figure.reference
        assert figure.value / beside.value == pytest.approx(figure.ratio)
        assert figure.cpu_s_per_100k > 0
    units = {each.unit for each in figures}
    assert {"per core-second", "messages/s", "ms", "octets each", "µs"} == units
    assert "sqlite" in figures[0].versions
    assert 1 == len(said)


def test_a_ledger_made_of_copies_is_one_that_an_engine_could_have_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    ledger.make_ledger(path, 50)

    with closing(open_ledger_for_reading(path)) as reader:
        histories = [reader.message(ledger.reference(number)) for number in range(1, 51)]
    assert [DeliveryState.DELIVERED] * 50 == [each.message.state for each in histories]
    assert 50 == len({each.message_ids() for each in histories})
    assert [1] * 50 == [len(each.receipts) for each in histories]


@pytest.mark.slow
def test_what_takes_long_is_measured_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["ledger", "--rows", "20", "--messages", "100"])
    ledger.main()

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("memory, 100 messages: Engine.submit_many, ")
    assert lines[1].startswith("one message of 20 looked up: median, ")
    assert 3 == len(lines)


def test_memory_is_told_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    now = ledger.resident_octets()
    monkeypatch.setattr(ledger, "Path", lambda _name: Path("/nowhere/statm"))

    assert ledger.resident_octets() > now / 2


def test_the_lag_is_that_of_all_but_the_worst_hundredth() -> None:
    lag = Lag()
    assert 0.0 == lag.worst_of_hundred
    lag.seen = [float(number) for number in range(200)]
    assert 198.0 == lag.worst_of_hundred
