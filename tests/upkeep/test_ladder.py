"""Which way of asking for a bind comes after one that was refused."""

from typing import Any

import pytest

from whiteroute.engine.upkeep import BindMode, Ladder, Rung
from whiteroute.pdu import CommandStatus

UNKNOWN = CommandStatus.ESME_RINVCMDID


def descend(ladder: Ladder, **answer: Any) -> list[Rung]:
    """Refuse whatever is asked for, until the ladder says that it is no use."""
    rungs = [ladder.rung]
    while ladder.refused(ladder.rung, answer.get("command_status", UNKNOWN), 0.0):
        rungs.append(ladder.rung)
    return rungs


@pytest.mark.parametrize(
    ("mode", "version", "expected"),
    [
        ("trx", 0x50, ["trx 50", "tx+rx 50", "trx 34", "tx+rx 34", "tx+rx 33"]),
        ("trx", 0x34, ["trx 34", "tx+rx 34", "tx+rx 33"]),
        ("trx", 0x33, ["trx 33", "tx+rx 33"]),
        ("tx+rx", 0x50, ["tx+rx 50", "tx+rx 34", "tx+rx 33"]),
        ("tx+rx", 0x33, ["tx+rx 33"]),
    ],
)
def test_each_way_is_tried_once_the_wanted_ones_first(
    mode: BindMode, version: int, expected: list[str]
) -> None:
    rungs = descend(Ladder(mode, version))

    assert expected == [f"{rung.mode} {rung.interface_version:x}" for rung in rungs]


def test_below_the_last_way_comes_the_first_again() -> None:
    ladder = Ladder("trx", 0x34)
    descend(ladder)

    assert Rung("trx", 0x34) == ladder.rung


def test_a_way_that_has_held_outlives_a_bad_spell() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.accepted(ladder.rung)

    refusals = [ladder.refused(ladder.rung, UNKNOWN, now) for now in (0.0, 1.0, 3.0, 7.0, 59.0)]

    assert [False] * 5 == refusals
    assert Rung("trx", 0x34) == ladder.rung


def test_a_way_that_has_held_is_given_up_when_it_was_refused_often_and_for_long() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.accepted(ladder.rung)

    assert not ladder.refused(ladder.rung, UNKNOWN, 100.0)
    assert not ladder.refused(ladder.rung, UNKNOWN, 160.0), "twice is no proof"
    assert ladder.refused(ladder.rung, UNKNOWN, 161.0)
    assert Rung("tx+rx", 0x34) == ladder.rung
    assert ladder.refused(ladder.rung, UNKNOWN, 161.0), "this one has never held"
    assert not ladder.refused(ladder.rung, UNKNOWN, 161.0)
    assert Rung("trx", 0x34) == ladder.rung
    assert ladder.refused(ladder.rung, UNKNOWN, 162.0), "what was proven needs no other proof"


def test_a_bind_that_is_accepted_ends_all_doubt() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.accepted(ladder.rung)
    for now in (0.0, 50.0):
        ladder.refused(ladder.rung, UNKNOWN, now)
    ladder.accepted(ladder.rung)

    assert not ladder.refused(ladder.rung, UNKNOWN, 70.0)
    assert not ladder.refused(ladder.rung, UNKNOWN, 129.0)
    assert ladder.refused(ladder.rung, UNKNOWN, 130.0)


def test_nothing_is_given_up_while_another_bind_is_up() -> None:
    ladder = Ladder("trx", 0x34)

    assert not ladder.refused(ladder.rung, UNKNOWN, 0.0, is_up=True)
    assert Rung("trx", 0x34) == ladder.rung


def test_what_is_accepted_is_how_to_ask_whatever_was_refused_meanwhile() -> None:
    ladder = Ladder("trx", 0x34)
    asked = ladder.rung
    ladder.refused(asked, UNKNOWN, 0.0)
    ladder.accepted(asked)

    assert asked == ladder.rung


def test_a_new_outage_asks_for_what_held_before() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.accepted(ladder.rung)
    for now in (0.0, 30.0, 60.0):
        ladder.refused(ladder.rung, UNKNOWN, now)
    ladder.accepted(ladder.rung)
    assert Rung("tx+rx", 0x34) == ladder.rung

    assert ladder.begin_outage(70.0)
    assert Rung("trx", 0x34) == ladder.rung
    assert ladder.refused(ladder.rung, UNKNOWN, 70.0), "it may still be refused, and is believed"
    assert Rung("tx+rx", 0x34) == ladder.rung


def test_what_never_held_is_asked_for_again_an_hour_later() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.refused(ladder.rung, UNKNOWN, 0.0)
    ladder.accepted(ladder.rung)

    assert not ladder.begin_outage(3_599.0)
    assert Rung("tx+rx", 0x34) == ladder.rung
    assert ladder.begin_outage(3_600.0)
    assert Rung("trx", 0x34) == ladder.rung


def test_an_outage_leaves_alone_what_was_never_moved() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.accepted(ladder.rung)

    assert not ladder.begin_outage(1e9)
    assert Rung("trx", 0x34) == ladder.rung
    assert not Ladder("trx", 0x34).begin_outage(0.0), "what was lost was asked for by the peer"


@pytest.mark.parametrize(
    ("answer", "moves"),
    [
        ({"command_status": UNKNOWN}, True),
        ({"command_status": CommandStatus.ESME_RINVBNDSTS}, True),
        ({"command_status": CommandStatus.ESME_RSYSERR, "nacked": True}, True),
        ({"command_status": CommandStatus.ESME_RSYSERR}, False),
        ({"command_status": CommandStatus.ESME_RBINDFAIL}, False),
        ({"command_status": CommandStatus.ESME_RINVPASWD, "peer_version": 0x34}, False),
        ({"command_status": CommandStatus.ESME_RALYBND, "peer_version": 0x34}, False),
        ({"command_status": CommandStatus.ESME_RBINDFAIL, "peer_version": 0x50}, False),
        ({"command_status": CommandStatus.ESME_RBINDFAIL, "peer_version": 0x30}, False),
        ({"command_status": CommandStatus.ESME_RBINDFAIL, "peer_version": 0x34}, True),
    ],
)
def test_only_answers_that_say_so_move_it(answer: dict[str, Any], moves: bool) -> None:
    ladder = Ladder("trx", 0x50)

    assert moves is ladder.refused(ladder.rung, now=0.0, **answer)
    assert moves is (Rung("trx", 0x50) != ladder.rung)


@pytest.mark.parametrize(
    ("version", "expected"), [(0x34, Rung("trx", 0x34)), (0x33, Rung("tx+rx", 0x33))]
)
def test_a_version_named_in_the_answer_is_gone_to_at_once(version: int, expected: Rung) -> None:
    ladder = Ladder("trx", 0x50)

    assert ladder.refused(ladder.rung, CommandStatus.ESME_RSYSERR, 0.0, peer_version=version)
    assert expected == ladder.rung


def test_a_refusal_of_what_is_not_asked_any_more_moves_nothing() -> None:
    ladder = Ladder("trx", 0x34)
    asked = ladder.rung
    ladder.refused(asked, UNKNOWN, 0.0)

    assert ladder.refused(asked, UNKNOWN, 0.0), "ask at once, as the others do now"
    assert Rung("tx+rx", 0x34) == ladder.rung


def test_a_fixed_one_never_moves() -> None:
    ladder = Ladder("trx", 0x50, is_fixed=True)

    assert not ladder.refused(ladder.rung, UNKNOWN, 0.0)
    assert Rung("trx", 0x50) == ladder.rung


def test_a_way_of_asking_is_said_in_words() -> None:
    assert "a transceiver by SMPP 3.4" == str(Rung("trx", 0x34))
    assert "a transmitter and a receiver by SMPP 5.0" == str(Rung("tx+rx", 0x50))
