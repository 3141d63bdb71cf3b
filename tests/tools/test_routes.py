"""Routes are listed with what speaks against them, and looked through for faults."""

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., object]
Configure = Callable[..., Path]

ONE_NETWORK = {'"34700" = "214-03"\n': ""}
ENDING = ONE_NETWORK | {"valid_to = 2999-12-31": "valid_to = 2027-12-31"}


def test_each_route_is_listed_with_what_speaks_against_it(run: Run, configure: Configure) -> None:
    config = configure()

    people = run("routes", "--config", config, "--at", "2026-11-22")
    [record] = run("routes", "--config", config, "--at", "2026-11-22", "--json").records
    [early] = run("routes", "--config", config, "--at", "2019-12-31", "--json").records

    assert (0, "") == (people.code, people.err)
    assert "acme-es  acme     direct  214-07" in people.out
    assert (record["route_id"], record["direct"], record["reasons"]) == ("acme-es", True, [])
    assert (early["direct"], early["reasons"]) == (
        False,
        ["AGREEMENT_NOT_YET_VALID", "NOT_ATTESTED"],
    )


def test_a_sound_table_passes_the_check(run: Run, configure: Configure) -> None:
    found = run("routes", "check", configure(changes=ONE_NETWORK), "--at", "2026-11-22")
    assert (0, "1 route: 0 faults, 0 warnings.\n") == (found.code, found.out)


def test_what_ends_soon_is_a_warning_and_a_fault_if_strict(run: Run, configure: Configure) -> None:
    asked = ("routes", "check", configure(changes=ENDING), "--at", "2027-12-20")

    people = run(*asked)
    [*_, ending] = run(*asked, "--json").records

    assert "AGREEMENT_ENDING" in people.out
    assert "    Renew the agreement, or messages will be refused.\n" in people.out
    assert ending["advice"].endswith(".")
    assert 1 == run(*asked, "--strict").code


def test_a_route_that_no_message_can_take_is_a_fault(run: Run, configure: Configure) -> None:
    asked = ("routes", "check", configure(changes=ENDING), "--at", "2030-01-01")
    people, [record, *_] = run(*asked), run(*asked, "--json").records
    assert 1 == people.code
    assert people.out.startswith("fault: acme-es: ROUTE_UNREACHABLE: AGREEMENT_EXPIRED")
    assert ("ROUTE_UNREACHABLE", True) == (record["code"], record["fault"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "routes: no --config FILE, expected the TOML"),
        (("check",), "Missing argument 'FILE'"),
        (("--config", "CONFIG", "--at", "noon"), "--at: 'noon', expected a day"),
    ],
)
def test_a_wrong_call_is_told(
    run: Run, configure: Configure, arguments: tuple[str, ...], said: str
) -> None:
    given = [str(configure()) if each == "CONFIG" else each for each in arguments]
    found = run("routes", *given)
    assert 2 == found.code
    assert said in found.err
