"""The demonstration shows what it promises, the same for the same seed, on any day."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from whiteroute.routing import PlanResolver, RoutingRequest, choose
from whiteroute.tools.demo import load_sample

Run = Callable[..., object]

KEYS = (
    *("messages", "accepted", "refused_no_direct_route", "delivered", "failed", "in_doubt"),
    *("parts", "receipts", "receipt_errors", "routes", "rejected_routes", "ledger"),
)

FEW = """to,sender,text,campaign
+33639980001,KESTREL,Bonjour,autumn
+447700900123,FLASHDEALS,Everything must go,autumn
+46701740623,KESTREL,Hej,autumn
not a number,KESTREL,Hello,autumn
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(start: Callable[..., object], tmp_path: Path) -> None:
    demos = [
        start("-m", "whiteroute", "demo", "--json", "--seed", 7, "--ledger", tmp_path / name)
        for name in ("a.db", "b.db")
    ]
    said = [demo.popen.communicate()[0] for demo in demos]

    first, second = (json.loads(out.splitlines()[-1]) for out in said)
    assert [0, 0] == [demo.popen.returncode for demo in demos]
    assert set(KEYS) <= first.keys()
    assert first == second | {"ledger": first["ledger"]}
    assert str(tmp_path / "a.db") == first["ledger"]
    assert first["refused_no_direct_route"] > 0
    assert first["receipts"] == first["parts"] > first["accepted"]
    assert 0 == first["in_doubt"]
    assert first["accepted"] == first["delivered"] + first["failed"]
    assert {"lutetia-fr", "albion-uk", "rhein-de"} == first["routes"].keys()
    assert {
        "albion-uk": ["SENDER_NOT_REGISTERED"],
        "globalhub-europe": [
            "AGREEMENT_COUNTERPARTY_MISMATCH",
            "ATTESTATION_STALE",
            "HOPS_EXCEEDED",
        ],
        "simbank-world": [
            "AGREEMENT_MISSING",
            "HOPS_EXCEEDED",
            "INTERCONNECT_FORBIDDEN",
            "PRICE_BELOW_FLOOR",
            "SENDER_NOT_PRESERVED",
        ],
    } == first["rejected_routes"]


@pytest.fixture
def few(tmp_path: Path) -> Path:
    path = tmp_path / "few.csv"
    path.write_text(FEW)
    return path


def test_people_see_what_went_where_and_why_not(run: Run, few: Path) -> None:
    ended = run("demo", "--messages", few)

    assert (0, "") == (ended.code, ended.err)
    for words in (
        "5 operators, simulated on this machine:",
        "\nlutetia-fr        Lutetia Mobile, France  direct  0.041 EUR         1",
        "\nsimbank-world     SimBank                 grey    0.004 EUR         0",
        "network 240-97              1",
        "INVALID_DESTINATION         1",
        "simbank-world was not taken:",
        "  INTERCONNECT_FORBIDDEN, 3 messages\n      The traffic would end over SIM cards",
        "4 messages: 1 accepted in 1 part\n",
        "1 receipt\n  2 refused for want of a direct route, 1 for other reasons\n",
        "ledger.db --state FAILED\n",
        "ledger.db --message demo-",
    ):
        assert words in ended.out


def test_known_messages_are_not_sent_again(run: Run, few: Path, tmp_path: Path) -> None:
    asked = ("demo", "--messages", few, "--ledger", tmp_path / "ledger.db")
    first = run(*asked, "--json").records[-1]

    second = run(*asked, "--json").records[-1]
    people = run(*asked)

    assert (4, 0, 1) == tuple(first[key] for key in ("messages", "known", "accepted"))
    assert (4, 4, 0) == tuple(second[key] for key in ("messages", "known", "accepted"))
    assert "4 messages were in the ledger: not sent again." in people.out


def test_rows_that_cannot_be_read_are_told(run: Run, few: Path) -> None:
    few.write_text("to,text\n,Hello\n")

    ended = run("demo", "--messages", few, "--json")

    assert (2, f"whiteroute: {few}:2: to: nothing, expected a number\n") == (ended.code, ended.err)
    assert 0 == ended.records[-1]["messages"]


@pytest.mark.parametrize("today", [date(2026, 11, 22), date(2031, 2, 28)])
def test_the_sample_routes_are_as_direct_on_any_day(today: date) -> None:
    config = load_sample(today)
    now = datetime(today.year, today.month, today.day, 12, tzinfo=UTC)

    decision = choose(
        RoutingRequest(
            message_ref="x",
            destination="447700900123",
            sender="KESTREL",
            traffic_class="otp",
            network=PlanResolver(config.plan, lambda: now).cached("447700900123"),
            valid_until=now + timedelta(days=2),
        ),
        config.routes,
        policy=config.policy,
        now=now,
    )

    assert ["albion-uk"] == [ranked.route.id for ranked in decision.ranked]
