"""What the benches of sending and of idling say, and that their peer does what they think."""

from collections.abc import Callable

import pytest

from whiteroute.pdu import (
    BindTransceiver,
    BindTransceiverResp,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    Framer,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    decode,
    encode,
)
from whiteroute.tools.benches import echo_peer, idle, senders, submit
from whiteroute.tools.benches.echo_peer import MESSAGE_ID, EchoPeer, answers_to
from whiteroute.tools.benches.figure import Pace
from whiteroute.tools.benches.senders import Load

AT_ONCE = Pace(rounds=1, lap=0)


def pdus(*lengths: int) -> list[SubmitSm]:
    return [
        SubmitSm(destination_addr="1", short_message=b"x" * length, sequence_number=at)
        for at, length in enumerate(lengths, 1)
    ]


@pytest.mark.parametrize(
    "lengths", [(5,), (5, 5, 5), (5, 6), (5, 5, 7, 7, 5), ()], ids=lambda each: f"{len(each)}"
)
def test_the_peer_answers_messages_of_one_length_and_of_many(lengths: tuple[int, ...]):
    octets = b"".join(map(encode, pdus(*lengths)))
    answers, used = answers_to(octets)
    assert len(octets) == used
    expected = [
        SubmitSmResp(message_id=MESSAGE_ID, sequence_number=at) for at in range(1, len(lengths) + 1)
    ]
    assert expected == [decode(frame) for frame in Framer().receive(answers)]


def test_the_peer_answers_what_a_bind_needs_and_passes_over_the_rest():
    asked = [
        BindTransceiver(system_id="x", sequence_number=1),
        EnquireLink(sequence_number=2),
        DeliverSm(sequence_number=3),
        Unbind(sequence_number=4),
    ]
    answers, _ = answers_to(b"".join(map(encode, asked)))
    assert [
        BindTransceiverResp(sequence_number=1),
        EnquireLinkResp(sequence_number=2),
        UnbindResp(sequence_number=4),
    ] == [decode(frame) for frame in Framer().receive(answers)]


def test_the_peer_waits_for_the_rest_of_a_pdu():
    whole = encode(pdus(5)[0])
    for cut in range(len(whole)):
        answers, used = answers_to(whole + whole[:cut])
        assert len(whole) == used
        assert 1 == len(Framer().receive(answers))


@pytest.fixture(scope="module")
def peer():
    with EchoPeer() as made:
        yield made


def test_the_peer_serves_many_and_says_what_it_used(peer: EchoPeer):
    before = peer.cpu_seconds()
    made = [senders.connect(peer.address) for _ in range(3)]
    for each in made:
        octets = encode(pdus(5)[0])
        each.sendall(octets[:20])
        each.sendall(octets[20:])
        assert isinstance(decode(each.recv(100)), SubmitSmResp)
        each.close()
    assert peer.cpu_seconds() >= before


@pytest.mark.parametrize(
    "sender",
    [
        senders.blast,
        senders.send_in_a_loop,
        senders.request_many,
        senders.request,
        senders.send_naively,
    ],
    ids=["blast", "loop", "request_many", "request", "naive"],
)
@pytest.mark.parametrize("binds", [1, 2])
def test_each_way_of_sending_sends_all(
    peer: EchoPeer, sender: senders.Sender, binds: int, monkeypatch: pytest.MonkeyPatch
):
    made: list[SubmitSm] = []
    message = senders.message

    def counted() -> SubmitSm:
        made.append(message())
        return made[-1]

    monkeypatch.setattr(senders, "message", counted)
    marks: list[int] = []
    sender(
        peer.address,
        Load(binds=binds, window=5, messages=40),
        lambda: marks.append(len(made)),
    )
    assert 2 == len(marks)
    if sender is senders.blast:
        assert [1, 1] == marks
    else:
        assert [0, 40] == marks


def test_figures_stand_beside_the_loop_or_beside_one_bind(monkeypatch: pytest.MonkeyPatch):
    cases = [each for each in submit.CASES if (each.binds, each.window) in ((1, 10), (10, 10))]
    monkeypatch.setattr(submit, "CASES", cases)
    said: list[str] = []
    figures = list(submit.measure(AT_ONCE, said.append))
    by_name = {(each.case, each.subject, each.unit): each for each in figures}
    ours = by_name["1 bind, window 10", "Link.request_many", "per core-second"]
    loop = by_name["1 bind, window 10", "blocking loop", "per core-second"]
    assert (None, "blocking loop") == (loop.reference, ours.reference)
    assert ours.ratio == pytest.approx(ours.value / loop.value)
    assert ours.cpu_s_per_100k == pytest.approx(1e5 / ours.value)
    ten = by_name["10 binds, window 10", "await Link.request", "messages/s"]
    assert "await Link.request, 1 bind" == ten.reference
    assert ("the peer, window 100", "the peer itself", "per core-second") in by_name
    assert "CPU time is not counted in" in said[0]


def test_idle_binds_are_counted_and_what_is_not_allowed_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(idle, "raise_open_files", lambda _wanted: idle.SPARE_FILES + 20)
    monkeypatch.setattr(idle, "INTERVAL", 0.2)
    said: list[str] = []
    monkeypatch.setattr(idle, "FEWEST", 30)
    memory, cpu, asked, whole = idle.measure(AT_ONCE, said.append)
    assert ["No more than 120 files may be open: 20 binds are measured."] == said
    assert {"20 idle binds"} == {each.case for each in (memory, cpu, asked, whole)}
    assert ("octets", "% of a core", "per second") == (memory.unit, cpu.unit, asked.unit)
    assert memory.value > 1000
    assert asked.value > 20
    assert cpu.cpu_s_per_100k


def test_the_limit_of_open_files_is_raised_as_far_as_allowed(monkeypatch: pytest.MonkeyPatch):
    limits = {"now": (100, 1000)}
    monkeypatch.setattr(echo_peer.resource, "getrlimit", lambda _kind: limits["now"])
    monkeypatch.setattr(
        echo_peer.resource, "setrlimit", lambda _kind, pair: limits.update(now=pair)
    )
    assert [100, 500, 1000] == [echo_peer.raise_open_files(wanted) for wanted in (50, 500, 5000)]
    assert (1000, 1000) == limits["now"]
    limits["now"] = (100, echo_peer.resource.RLIM_INFINITY)
    assert 5000 == echo_peer.raise_open_files(5000)


def test_the_command_knows_both(run: Callable[..., object]):
    ended = run("bench", "kettle")
    assert "submit" in ended.err
    assert "idle" in ended.err
