"""Networks are told apart digit by digit, and the longest prefix of the day names them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whiteroute.routing import (
    Confidence,
    Network,
    NetworkInfo,
    NetworkSource,
    NumberingPlan,
    PlanResolver,
    PlanRow,
    RoutingFactError,
)

TODAY = date(2026, 11, 22)


def test_a_network_reads_and_writes_its_usual_spelling() -> None:
    assert Network.parse("214-07") == Network("214", "07")
    assert str(Network("405", "840")) == "405-840"


def test_two_and_three_digit_codes_are_different_networks() -> None:
    assert Network("310", "01") != Network("310", "001")


@pytest.mark.parametrize(
    "text", ["21407", "", "214-", "-07", "214-7", "2140-07", "214-0007", "a-b"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(RoutingFactError) as refusal:
        Network.parse(text)
    assert str(refusal.value) == f"network: found {text!r}, expected MCC-MNC, such as 214-07"


@pytest.mark.parametrize(
    ("source", "confidence"),
    [
        (NetworkSource.MNP_DB, Confidence.HIGH),
        (NetworkSource.MNP_DIP, Confidence.HIGH),
        (NetworkSource.HLR, Confidence.HIGH),
        (NetworkSource.CARRIER_DECLARED, Confidence.MEDIUM),
        (NetworkSource.PREFIX, Confidence.LOW),
    ],
)
def test_confidence_follows_the_source_unless_given(
    source: NetworkSource, confidence: Confidence
) -> None:
    assert NetworkInfo(network=Network("214", "07"), source=source).confidence is confidence


def test_an_answer_knows_its_age() -> None:
    asked = datetime(2026, 11, 22, 11, tzinfo=UTC)
    info = NetworkInfo(
        network=Network("214", "07"), source=NetworkSource.MNP_DIP, obtained_at=asked
    )
    assert info.age(asked + timedelta(minutes=2)) == 120.0
    assert str(info) == "214-07 (MNP_DIP)"


def test_the_longest_prefix_decides() -> None:
    plan = NumberingPlan({"346": "214-01", "34600": "214-07", "346001": "214-03"})
    assert plan.lookup("34600111222", TODAY) == Network("214", "03")
    assert plan.lookup("34600222333", TODAY) == Network("214", "07")
    assert plan.lookup("34699222333", TODAY) == Network("214", "01")
    assert plan.lookup("33699222333", TODAY) is None
    assert len(plan) == 3
    assert repr(plan) == "<NumberingPlan of 3 prefixes>"


def test_a_range_changes_hands_on_its_day() -> None:
    plan = NumberingPlan(
        [
            PlanRow("34", "214-01"),
            PlanRow("34600", "214-07", None, date(2026, 11, 21)),
            PlanRow("34600", "214-03", date(2026, 11, 23)),
        ]
    )
    found = [str(plan.lookup("34600111222", date(2026, 11, day))) for day in (21, 22, 23)]
    assert found == ["214-07", "214-01", "214-03"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [PlanRow("34600", "214-07"), PlanRow("346x", "214-07")],
            "row 2: found '346x', expected a prefix of digits with country code",
        ),
        ([PlanRow("034", "214-07")], "row 1: found '034', expected a prefix of digits with"),
        ([PlanRow("", "214-07")], "row 1: found '', expected a prefix of digits with"),
        (
            [PlanRow("34600", "21407")],
            "row 1.network: found '21407', expected MCC-MNC, such as 214-07",
        ),
        (
            [PlanRow("34600", "214-07"), PlanRow("34600", "214-03")],
            "row 2: found '34600', expected each prefix at most once on any day",
        ),
        (
            [
                PlanRow("34600", "214-07", None, date(2026, 6, 1)),
                PlanRow("34600", "214-03", date(2026, 6, 1)),
            ],
            "row 2: found '34600', expected each prefix at most once on any day",
        ),
        (
            [PlanRow("34600", "214-07", date(2026, 6, 2), date(2026, 6, 1))],
            "row 1: found '2026-06-01', expected a day from 2026-06-02 on",
        ),
    ],
)
def test_a_faulty_plan_names_its_row(rows: list[PlanRow], message: str) -> None:
    with pytest.raises(RoutingFactError) as refusal:
        NumberingPlan(rows)
    assert str(refusal.value).startswith(message)


def test_a_faulty_mapping_names_its_key() -> None:
    with pytest.raises(RoutingFactError, match=r"^34600\.network: found 'movistar'"):
        NumberingPlan({"34600": "movistar"})


PREFIXES = st.from_regex(r"[12][01]{0,5}", fullmatch=True)
NETWORKS = st.sampled_from(["214-07", "214-03", "310-410"])


@given(
    st.dictionaries(PREFIXES, NETWORKS, max_size=20),
    st.from_regex(r"[12][01]{6,9}", fullmatch=True),
)
def test_the_plan_agrees_with_trying_every_prefix(ranges: Mapping[str, str], msisdn: str) -> None:
    fitting = [prefix for prefix in ranges if msisdn.startswith(prefix)]
    naive = Network.parse(ranges[max(fitting, key=len)]) if fitting else None
    assert NumberingPlan(ranges).lookup(msisdn, TODAY) == naive


async def test_a_plan_as_resolver_says_prefix_and_how_old_the_plan_is() -> None:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    issued = noon - timedelta(days=1)
    resolver = PlanResolver(NumberingPlan({"34600": "214-07"}), lambda: noon, as_of=issued)
    info = resolver.cached("34600111222")
    assert info == NetworkInfo(
        network=Network("214", "07"), source=NetworkSource.PREFIX, obtained_at=issued
    )
    assert await resolver.resolve("34600999888") is info
    assert resolver.cached("33600111222") is None
