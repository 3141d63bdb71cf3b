"""Scenarios as files: read whole or not at all, played in virtual time, judged, and always the same."""

import contextlib
import json
import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from whiteroute.engine.config import ConfigError
from whiteroute.pdu import (
    OPERATIONS,
    RESPONSE_BIT,
    BindTransceiver,
    CommandStatus,
    DeliverSm,
    EnquireLink,
    MessageState,
    SubmitSm,
    Unbind,
)
from whiteroute.simulators import (
    Handset,
    LogNormal,
    MessageCenter,
    Performance,
    RawPeer,
    Uniform,
    behaviours,
    open_message_center,
)
from whiteroute.tools.scenario_file import BEHAVIOURS, load_scenario, parse_scenario, scenario_names

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = 'title = "t"\nteaches = "t"\n'


def test_there_are_many_and_each_says_what_it_teaches() -> None:
    loaded = [load_scenario(name) for name in scenario_names()]

    assert len(loaded) >= 15
    assert len(loaded) == len({each.title for each in loaded})
    assert all(len(each.teaches) > 40 and each.duration and each.expect for each in loaded)


def test_a_file_is_read_into_values() -> None:
    scenario = parse_scenario(
        HEAD
        + """
seed = 9
duration = "1h"
[operators.acme]
accounts = [{ system_id = "a", password = "b", tps = 5 }]
behaviours = [
    { is = "RefuseSubmits", status = "ESME_RSYSERR" },
    { is = "FakedReceipts", latency = { low = "1s", high = 2 } },
    { is = "BlendedInstant", latency = { median = 1.5, sigma = 0.5 } },
]
[operators.acme.handsets]
rules = [{ pattern = "34*", is = "off" }, { pattern = "35*", state = "DELETED" }]
[[timeline]]
at = "10m"
every = "1h"
behaviours = []
handsets = { rules = [{ pattern = "*", is = "unknown", delay = "2m" }] }
[[expect]]
event = "submit"
at = "30m"
"""
    )

    operator = scenario.operators["acme"]
    assert (9, 3600.0, 5) == (scenario.seed, scenario.duration, operator.accounts[0].tps)
    assert (
        behaviours.RefuseSubmits(CommandStatus.ESME_RSYSERR),
        behaviours.FakedReceipts(Uniform(1.0, 2.0)),
        behaviours.BlendedInstant(latency=LogNormal(1.5, 0.5)),
    ) == operator.behaviours
    assert (
        Handset(pattern="34*", state=MessageState.EXPIRED, err="027", delay=86_400.0)
        == (operator.handsets.rules[0])
    )
    (step,) = scenario.timeline
    assert (600.0, 3600.0, ()) == (step.at, step.every, step.behaviours)
    assert step.handsets is not None
    assert 120.0 == step.handsets.rules[0].delay


@pytest.mark.parametrize("name", BEHAVIOURS)
def test_every_behaviour_can_be_written(name: str) -> None:
    needed = {
        "RefuseSubmits": "status = 8",
        "SlowBind": "delay = 1",
        "SlowResponse": 'delay = "1s"',
        "Throttle": "rate = 1",
        "RejectSenders": 'allowed = ["A"]',
        "UnbindAfter": "messages = 1",
        "CloseAfter": "messages = 1",
    }
    fields = f", {needed[name]}" if name in needed else ""
    text = f'{HEAD}[operators.a]\nbehaviours = [{{ is = "{name}"{fields} }}]'

    (made,) = parse_scenario(text).operators["a"].behaviours
    assert BEHAVIOURS[name] is type(made)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (HEAD, ["operators: missing, expected at least one table [operators.NAME]"]),
        (
            HEAD + '[operators.a]\nbehaviours = [{ is = "Throtle" }, { is = "Throttle" }, {}]',
            ["behaviours[0].is: \"Throtle\", did you mean Throttle?", "behaviours[1].rate: missing", "behaviours[2].is: missing"],
        ),
        (
            HEAD + '[operators.a]\n[[expect]]\nevent = "submitt"\noperator = "b"',
            ['expect[0].operator: "b", expected one of a', 'expect[0].event: "submitt", expected one of'],
        ),
        (
            HEAD + '[operators.a.handsets]\nrules = [{ pattern = "*", is = "asleep" }]',
            ['handsets.rules[0].is: "asleep", expected one of on, off'],
        ),
        (HEAD + "[operators.a]\n[[timeline]]\nevery = 1", ["timeline[0].at: missing"]),
        (HEAD + "timeline = 3\n[operators.a]\nbehaviours = 3", ["timeline: no array", "behaviours: no array"]),
        (HEAD + '[operators.a]\nbehaviours = ["Throttle"]', ["behaviours[0]: \"Throttle\", expected a table"]),
        (
            HEAD + '[operators.a]\nbehaviours = [{ is = "NoFailures", latency = 3 }]',
            ["behaviours[0].latency: 3, expected a table"],
        ),
        ("title = ", ["expected TOML"]),
    ],
)  # fmt: skip
def test_all_faults_are_told_at_once(text: str, faults: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_scenario(text)

    said = str(caught.value)
    assert [] == [fault for fault in faults if fault not in said]


def test_a_name_that_there_is_not_is_told() -> None:
    with pytest.raises(ConfigError, match="did you mean hex-ids"):
        load_scenario("hexids")
    with pytest.raises(ConfigError, match="expected a file, or a name of --list"):
        load_scenario("/nowhere/at/all.toml")


async def perform(
    autojump_clock: Any, name: str, seed: int, messages: int = 30
) -> tuple[list[str], list[bytes]]:
    """Play a scenario for an ESME of octets that binds anew; give the faults and all octets."""
    scenario = load_scenario(name)
    octets: list[bytes] = []
    centers = scenario.make_centers(seed=seed, started_at=NOON)
    (center,) = centers.values()
    center.observer = lambda _link, outgoing, pdu, _at: octets.append(bytes([outgoing]) + pdu)
    performance = Performance(scenario, centers)
    async with open_message_center(center, host=None), trio.open_nursery() as nursery:
        nursery.start_soon(be_esme, autojump_clock, center, nursery, messages)
        await performance.run()
        nursery.cancel_scope.cancel()
    return performance.judge(), octets


async def be_esme(
    autojump_clock: Any, center: MessageCenter, nursery: trio.Nursery, messages: int
) -> None:
    system_id = center.accounts[0].system_id if center.accounts else "gateway"
    number = 1
    while True:
        ours, theirs = trio.testing.memory_stream_pair()
        nursery.start_soon(center.serve_stream, theirs)
        peer = RawPeer(ours)
        await peer.send(BindTransceiver(system_id=system_id, password="secret", sequence_number=1))
        async with trio.open_nursery() as both:
            both.start_soon(read_all, peer, both.cancel_scope)
            while number <= messages:
                await trio.sleep(7.31)
                submit = SubmitSm(
                    source_addr="ACME",
                    destination_addr=f"3460011122{number % 10}",
                    registered_delivery=1,
                    short_message=b"All well?",
                    sequence_number=number + 1,
                )
                number += 1
                await peer.send(submit)
            await trio.sleep_forever()
        await peer.aclose()
        await trio.sleep(20.0)


async def read_all(peer: RawPeer, scope: trio.CancelScope) -> None:
    """Answer whatever comes; give the link up when it ends, or stays silent."""
    with contextlib.suppress(trio.BrokenResourceError):
        while True:
            with trio.move_on_after(120.0):
                pdu = await peer.receive()
                if isinstance(pdu, DeliverSm | EnquireLink | Unbind):
                    response = OPERATIONS[pdu.command_id | RESPONSE_BIT]
                    await peer.send(response(sequence_number=pdu.sequence_number))
                if pdu is not None and not isinstance(pdu, Unbind):
                    continue
            break
    scope.cancel()


@pytest.mark.parametrize("name", ["a-weekday", "everything-at-once", "careful-faker", "sim-farm"])
async def test_the_same_seed_gives_the_same_octets(name: str, autojump_clock: Any) -> None:
    first = await perform(autojump_clock, name, 5)
    again = await perform(autojump_clock, name, 5)
    other = await perform(autojump_clock, name, 6)

    assert first == again
    assert first[1] != other[1]
    assert len(first[1]) > 60


async def test_what_is_not_seen_is_told(autojump_clock: Any) -> None:
    faults, _ = await perform(autojump_clock, "throttled", 1, messages=0)
    assert ["submit, status 0: 0, expected at least 1"] == faults


async def test_an_ordinary_day_is_as_expected(autojump_clock: Any) -> None:
    for name in ("first-day", "said-twice", "queue-full", "silence", "two-way", "night-shift"):
        faults, _ = await perform(autojump_clock, name, 1, messages=60)
        assert (name, []) == (name, faults)


async def test_steps_happen_in_time_and_again(autojump_clock: Any) -> None:
    scenario = parse_scenario(
        HEAD
        + """
duration = "1h"
[operators.a]
[[timeline]]
at = "1m"
every = "1m"
times = 3
mo = { source_addr = "34600111222", destination_addr = "55", text = "hi" }
[[timeline]]
at = "30m"
unbind = true
[[expect]]
event = "mo"
at = "150s"
at_least = 2
at_most = 2
[[expect]]
event = "mo"
at_most = 2
[[expect]]
event = "unbind"
"""
    )
    centers = scenario.make_centers()
    performance = Performance(scenario, centers)
    async with open_message_center(centers["a"], host=None), trio.open_nursery() as nursery:
        nursery.start_soon(be_esme, autojump_clock, centers["a"], nursery, 0)
        begun = trio.current_time()
        await performance.run()
        assert 3600.0 == trio.current_time() - begun
        nursery.cancel_scope.cancel()

    assert ["mo: 3, expected at most 2"] == [
        fault for fault in performance.judge() if not fault.startswith("unbind")
    ]


def test_the_command_plays_a_scenario_and_judges_it(
    run: Callable[..., Any], simulate: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "short.toml"
    path.write_text(HEAD + 'duration = "20ms"\n[operators.a]\n[[expect]]\nevent = "bind"\n')

    ended = run("simulate", "--port", 0, "--scenario", path, "--json")

    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert 1 == ended.code
    assert "a" == lines[0]["listening"]["operator"]
    assert {"verdict": "failed", "faults": ["bind: 0, expected at least 1"]} == lines[-1]
    assert "Not as expected: bind: 0, expected at least 1\n" == ended.err


def test_a_scenario_that_cannot_be_read_is_told(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(HEAD)
    ended = run("simulate", "--scenario", path)

    assert (2, "") == (ended.code, ended.out)
    assert f"{path}:operators: missing" in ended.err


def test_the_library_is_listed(run: Callable[..., Any]) -> None:
    for_people = run("simulate", "--list")
    as_json = [json.loads(line) for line in run("simulate", "--list", "--json").out.splitlines()]

    assert list(scenario_names()) == [each["scenario"] for each in as_json]
    assert all(each["title"] in for_people.out for each in as_json)


def test_a_scenario_takes_an_account_from_the_command_line(simulate: Callable[..., Any]) -> None:
    simulator = simulate("--scenario", "first-day", "--system-id", "me", "--password", "pw")
    ended = simulator.process.end(signal.SIGTERM)

    assert 1 == ended.code
