"""A decision is explained without anybody being asked or sent anything."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., object]
Configure = Callable[..., Path]


def test_the_chosen_route_is_named(run: Run, configure: Configure) -> None:
    asked = ("--config", configure(), "--to", "0034 600 11 12 22", "--from", "ACME")

    people = run("explain", *asked)
    [record] = run("explain", *asked, "--json").records

    assert (0, "") == (people.code, people.err)
    assert (
        "34600111222: network 214-07 (PREFIX)\nIts range: mobile of ES.\n1. acme-es  cost 0.030, "
        in people.out
    )
    assert ("acme-es", []) == (record["chosen"], record["rejected"])
    assert {"mcc": "214", "mnc": "07", "source": "PREFIX", "age_s": None} == record["network"]


def test_every_reason_against_every_route_is_told(run: Run, configure: Configure) -> None:
    asked = ("--config", configure(), "--to", "34700111222", "--from", "X", "--class", "p2p")

    people = run("explain", *asked)
    program = run("explain", *asked, "--json")

    assert (1, 1) == (people.code, program.code)
    for words in (
        "No direct route.",
        "not acme-es:",
        "TRAFFIC_CLASS_NOT_ALLOWED\n      The route or its agreement does not allow this class",
        "sender.registered: X, expected registered",
    ):
        assert words in people.out
    [record] = program.records
    assert record["chosen"] is None
    assert "static" == record["rejected"][0]["stage"]


def test_the_day_can_be_another(run: Run, configure: Configure) -> None:
    asked = ("--config", configure(), "--to", "34600111222", "--from", "ACME", "--json")

    early = run("explain", *asked, "--at", "2019-12-31")

    codes = [reason["code"] for reason in early.records[0]["rejected"][0]["reasons"]]
    assert (1, ["AGREEMENT_NOT_YET_VALID", "NOT_ATTESTED"]) == (early.code, codes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"--to": "call me"}, "--to: 'call me', expected "), ({"--at": "noon"}, "--at: 'noon', exp")],
)
def test_a_wrong_value_is_told(
    run: Run, configure: Configure, changes: dict[str, str], said: str
) -> None:
    asked = {"--config": configure(), "--to": "34600111222", "--from": "ACME"} | changes

    ended = run("explain", *(word for option in asked.items() for word in option))

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: {said}")


def test_a_number_of_no_known_network_is_said_to_be_one(run: Run, configure: Configure) -> None:
    asked = ("--config", configure(), "--to", "49170111222", "--from", "ACME")

    assert (
        "49170111222: of no known network\n"
        "Its range: no known kind of DE, of a range that is not known to be in use.\n"
        "No direct route.\n" in run("explain", *asked).out
    )
