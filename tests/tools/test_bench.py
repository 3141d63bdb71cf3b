"""What `whiteroute bench` says with a figure; never how large one is."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError

import pytest

from whiteroute.pdu import Pdu, UnbindResp, decode, encode
from whiteroute.tools.benches import BENCHES, codec, codecs, naive_walk
from whiteroute.tools.benches.codecs import Codec
from whiteroute.tools.benches.figure import Figure, Pace
from whiteroute.tools.benches.race import Runner, race

AT_ONCE = Pace(rounds=1, lap=0)

KEYS = {
    "bench",
    "case",
    "subject",
    "value",
    "unit",
    "cpu_s_per_100k",
    "reference",
    "ratio",
    "runs",
    "versions",
}


def test_a_figure_says_beside_what_it_stands_and_what_ran(run: Callable[..., object]):
    ended = run("bench", "codec", "--rounds", 1, "--lap", 0, "--json")

    assert 0 == ended.code
    records = ended.records
    assert all(set(record) == KEYS for record in records)
    subjects = {
        (record["case"], record["subject"]): record
        for record in records
        if record["subject"] in ("whiteroute", "naive walk")
    }
    ours = subjects["submit_sm, 40 octets: encode", "whiteroute"]
    walk = subjects["submit_sm, 40 octets: encode", "naive walk"]
    assert ("codec", "ns", 1) == (ours["bench"], ours["unit"], ours["runs"])
    assert ("naive walk", "whiteroute") == (ours["reference"], walk["reference"])
    assert ours["value"] > 0
    assert ours["cpu_s_per_100k"] == pytest.approx(ours["value"] * 1e-4, rel=0.01)
    assert walk["ratio"] == pytest.approx(walk["value"] / ours["value"], rel=0.01)
    assert {"python", "whiteroute"} == set(ours["versions"])
    memory = subjects["enquire_link: memory of one", "whiteroute"]
    assert ("octets", None) == (memory["unit"], memory["cpu_s_per_100k"])


def test_for_eyes_there_is_a_table_and_what_ran(run: Callable[..., object]):
    ended = run("bench", "--rounds", 1, "--lap", 0)

    assert 0 == ended.code
    assert f"codec: {BENCHES['codec']}" in ended.out
    assert "naive walk" in ended.out
    assert "Medians of 1 rounds. python " in ended.err


def test_what_is_no_bench_is_a_wrong_call(run: Callable[..., object]):
    ended = run("bench", "kettle")

    assert 2 == ended.code
    assert "kettle" in ended.err


@pytest.mark.parametrize("case", codec.CASES, ids=str)
def test_the_walk_reads_and_writes_what_the_codec_does(case: str):
    pdu = codec.CASES[case]

    assert encode(pdu) == naive_walk.encode(pdu)
    assert pdu == naive_walk.decode(encode(pdu))
    assert pdu == decode(encode(pdu))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"service_type": "123456"}, "service_type"),
        ({"source_addr": "a\0b"}, "source_addr"),
        ({"esm_class": 256}, "esm_class"),
        ({"short_message": b"x" * 256}, "short_message"),
    ],
)
def test_the_walk_keeps_the_bounds_of_each_field(changes: dict[str, object], fault: str):
    pdu = decode(encode(codec.CASES["submit_sm, 40 octets"]))
    for name, value in changes.items():
        setattr(pdu, name, value)
    with pytest.raises(ValueError, match=fault):
        naive_walk.encode(pdu)


def test_the_walk_finds_a_frame_that_is_cut():
    octets = encode(codec.CASES["submit_sm, 40 octets"])
    for end in range(16, len(octets)):
        cut = end.to_bytes(4, "big") + octets[4:end]
        with pytest.raises((ValueError, IndexError)):
            naive_walk.decode(cut)
    with pytest.raises(ValueError, match="command_length"):
        naive_walk.decode(octets[:-1])


@pytest.mark.parametrize(
    ("encode_wrongly", "fault"),
    [
        (lambda pdu: encode(pdu)[:-1], "it writes other octets than it read"),
        (lambda pdu: pdu.octets, "AttributeError: "),
    ],
)
def test_a_codec_that_does_not_write_what_it_read_is_not_measured(
    encode_wrongly: Callable[[Pdu], bytes],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
):
    wrong = Codec(subject="wrong", decode=decode, encode=encode_wrongly, values=lambda _pdu: [])
    monkeypatch.setattr(codec, "CASES", {"unbind_resp": UnbindResp()})
    right = list(codecs.find_codecs())[:1]
    monkeypatch.setattr(codec, "find_codecs", lambda: [*right, wrong])
    said: list[str] = []

    figures = list(codec.measure(AT_ONCE, said.append))

    assert {"whiteroute"} == {figure.subject for figure in figures}
    assert all(figure.reference is None and figure.ratio is None for figure in figures)
    assert said[0].startswith(f"wrong is left out of unbind_resp: {fault}")


def test_codecs_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch):
    def nothing_installed(_distribution: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr(codecs, "version", nothing_installed)

    assert ["whiteroute", "naive walk"] == [each.subject for each in codecs.find_codecs()]


def test_installed_codecs_do_what_is_measured_of_them():
    smpplib = next(each for each in codecs.find_codecs() if each.subject == "smpplib")

    for pdu in codec.CASES.values():
        assert smpplib.fault(pdu, encode(pdu)) is None
    assert smpplib.version


def test_statements_run_in_turns_and_as_often_as_a_lap_lasts():
    order: list[str] = []
    runners = {
        name: Runner(statement="order.append(name)", names={"order": order, "name": name})
        for name in ("first", "second")
    }

    taken = race(runners, Pace(rounds=3, lap=0))

    assert {"first", "second"} == set(taken)
    # Each once to be counted, then in turns.
    assert ["first", "second"] * 4 == order


def test_a_lap_is_filled_with_many_runs():
    seen: list[None] = []
    race(
        {"one": Runner(statement="see(None)", names={"see": seen.append})}, Pace(rounds=1, lap=1e-4)
    )
    assert len(seen) > 100


def test_a_figure_is_rounded_to_what_can_be_told_of_it():
    figure = Figure(
        bench="codec",
        case="a",
        subject="b",
        value=1.23456789,
        unit="ns",
        cpu_s_per_100k=0.000123456789,
        reference="c",
        ratio=0.123456789,
        runs=3,
        versions={"python": "3"},
    )
    record = figure.to_dict()
    assert (1.23, 0.000123, 0.1235) == (record["value"], record["cpu_s_per_100k"], record["ratio"])
