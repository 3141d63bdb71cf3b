"""Which way of asking for a bind comes after one that was refused."""

from typing import Any

import pytest

from whiteroute.engine.upkeep import BindMode, Ladder, Rung
from whiteroute.pdu import CommandStatus

UNKNOWN = CommandStatus.ESME_RINVCMDID


def descend(ladder: Ladder, **answer: Any) -> list[Rung]:
    """Refuse whatever is asked for, until the ladder says that it is no use."""
    rungs = [ladder.rung]
    while ladder.refused(ladder.rung, answer.get("command_status", UNKNOWN)):
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


def test_a_way_that_was_taken_once_is_not_given_up_for_the_first() -> None:
    ladder = Ladder("trx", 0x34)
    ladder.refused(ladder.rung, UNKNOWN)
    ladder.accepted()
    descend(ladder)

    assert Rung("tx+rx", 0x33) == ladder.rung


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

    assert moves is ladder.refused(ladder.rung, **answer)
    assert moves is (Rung("trx", 0x50) != ladder.rung)


@pytest.mark.parametrize(
    ("version", "expected"), [(0x34, Rung("trx", 0x34)), (0x33, Rung("tx+rx", 0x33))]
)
def test_a_version_named_in_the_answer_is_gone_to_at_once(version: int, expected: Rung) -> None:
    ladder = Ladder("trx", 0x50)

    assert ladder.refused(ladder.rung, CommandStatus.ESME_RSYSERR, peer_version=version)
    assert expected == ladder.rung


def test_a_refusal_of_what_is_not_asked_any_more_moves_nothing() -> None:
    ladder = Ladder("trx", 0x34)
    asked = ladder.rung
    ladder.refused(asked, UNKNOWN)

    assert ladder.refused(asked, UNKNOWN), "ask at once, as the others do now"
    assert Rung("tx+rx", 0x34) == ladder.rung


def test_a_fixed_one_never_moves() -> None:
    ladder = Ladder("trx", 0x50, is_fixed=True)

    assert not ladder.refused(ladder.rung, UNKNOWN)
    assert Rung("trx", 0x50) == ladder.rung


def test_a_way_of_asking_is_said_in_words() -> None:
    assert "a transceiver by SMPP 3.4" == str(Rung("trx", 0x34))
    assert "a transmitter and a receiver by SMPP 5.0" == str(Rung("tx+rx", 0x50))
