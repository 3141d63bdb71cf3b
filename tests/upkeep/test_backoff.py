"""How long to wait before a bind is tried again."""

import pytest

from whiteroute.engine.upkeep import Backoff, BindFailure, failure_of
from whiteroute.pdu import CommandStatus


def test_network_failures_double_the_wait_up_to_a_minute() -> None:
    backoff = Backoff()

    waits = [backoff.next_delay(BindFailure.NETWORK, 1.0) for _ in range(9)]

    assert [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0] == waits


def test_jitter_takes_off_half_at_most() -> None:
    assert 0.5 == Backoff().next_delay(BindFailure.NETWORK, 0.0)
    assert 0.75 == Backoff().next_delay(BindFailure.NETWORK, 0.5)


def test_an_outage_of_years_is_a_wait_of_a_minute() -> None:
    backoff = Backoff()
    for _ in range(10_000):
        wait = backoff.next_delay(BindFailure.NETWORK, 1.0)

    assert 60.0 == wait


def test_success_starts_anew() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.next_delay(BindFailure.NETWORK, 1.0)
    backoff.succeeded()

    assert 1.0 == backoff.next_delay(BindFailure.NETWORK, 1.0)


@pytest.mark.parametrize(
    ("failure", "least", "most"),
    [(BindFailure.ALREADY_BOUND, 30.0, 60.0), (BindFailure.BIND_FAILED, 300.0, 330.0)],
)
def test_other_refusals_have_waits_of_their_own(
    failure: BindFailure, least: float, most: float
) -> None:
    assert least == Backoff().next_delay(failure, 0.0)
    assert most == pytest.approx(Backoff().next_delay(failure, 1.0))


def test_wrong_credentials_are_not_tried_again() -> None:
    assert Backoff().next_delay(BindFailure.CREDENTIALS, 0.5) is None


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (CommandStatus.ESME_RALYBND, BindFailure.ALREADY_BOUND),
        (CommandStatus.ESME_RBINDFAIL, BindFailure.BIND_FAILED),
        (CommandStatus.ESME_RINVPASWD, BindFailure.CREDENTIALS),
        (CommandStatus.ESME_RINVSYSID, BindFailure.CREDENTIALS),
        (CommandStatus.ESME_RINVSYSTYP, BindFailure.CREDENTIALS),
        (CommandStatus.ESME_RSYSERR, BindFailure.NETWORK),
        (0xDEAD, BindFailure.NETWORK),
    ],
)
def test_a_status_tells_how_to_wait(status: int, failure: BindFailure) -> None:
    assert failure is failure_of(status)
