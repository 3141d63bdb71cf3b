"""What an answer or a silence means for the part that was sent."""

import pytest

from whiteroute.engine.messages import (
    Accepted,
    Canonical,
    DeliveryState,
    ErrorSpaces,
    Failover,
    InDoubt,
    Refused,
    Retry,
    Silence,
    judge_answer,
    judge_silence,
)

S = DeliveryState


def test_an_accepted_message_without_an_id_cannot_be_tracked() -> None:
    assert judge_answer(command_status=0, message_id="7") == Accepted(message_id="7")
    assert judge_answer(command_status=0, message_id="7").is_trackable
    assert not judge_answer(command_status=0).is_trackable


def test_throttling_slows_the_account_and_is_asked_again() -> None:
    verdict = judge_answer(command_status=0x58)

    assert isinstance(verdict, Retry)
    assert (1.0, True) == (verdict.after_delay, verdict.slow_down)


def test_throttling_goes_elsewhere_once_its_retries_are_used_up() -> None:
    verdict = judge_answer(command_status=0x58, tries=21)

    assert isinstance(verdict, Refused)
    assert verdict.failover is Failover.YES


def test_a_system_error_is_asked_twice_more_and_then_elsewhere() -> None:
    verdicts = [judge_answer(command_status=0x08, tries=tries) for tries in (1, 2, 3)]

    assert [Retry, Retry, Refused] == [type(verdict) for verdict in verdicts]
    assert verdicts[-1].failover is Failover.YES
    assert not verdicts[0].slow_down


def test_an_indefinite_system_error_is_neither_repeated_nor_tried_elsewhere() -> None:
    verdict = judge_answer(ErrorSpaces(response_error_is_definite=False), command_status=0x08)

    assert isinstance(verdict, Refused)
    assert verdict.failover is Failover.NO


@pytest.mark.parametrize(
    ("status", "failover"),
    [(0x0A, Failover.YES), (0x0B, Failover.YES), (0x01, Failover.NO), (0xFE, Failover.NO)],
)
def test_a_definite_refusal_says_whether_another_route_may_have_it(
    status: int, failover: Failover
) -> None:
    verdict = judge_answer(command_status=status)

    assert isinstance(verdict, Refused)
    assert failover is verdict.failover


def test_a_vendor_number_goes_nowhere_until_the_profile_knows_it() -> None:
    unknown = judge_answer(command_status=0x40B)
    known = judge_answer(ErrorSpaces(status_overrides={0x40B: "NO_CREDIT"}), command_status=0x40B)

    assert isinstance(unknown, Refused)
    assert isinstance(known, Refused)
    assert (Failover.NO, Failover.YES) == (unknown.failover, known.failover)
    assert known.error.canonical is Canonical.NO_CREDIT


def test_a_profile_may_vouch_for_unclear_refusals() -> None:
    verdict = judge_answer(ErrorSpaces(ambiguous_may_fail_over=True), command_status=0x40B)

    assert isinstance(verdict, Refused)
    assert verdict.failover is Failover.YES


@pytest.mark.parametrize("status", [0x45, 0xFF])
def test_an_unclear_refusal_is_asked_again_only_where_the_profile_vouches_for_it(
    status: int,
) -> None:
    # Without that it may have been delivered already, and asking again would deliver it twice.
    by_default = judge_answer(command_status=status)
    vouched = judge_answer(ErrorSpaces(ambiguous_may_fail_over=True), command_status=status)
    nacked = judge_answer(command_status=status, nacked=True)

    assert isinstance(by_default, Refused)
    assert by_default.failover is Failover.NO
    assert isinstance(vouched, Retry)
    assert isinstance(nacked, Retry)


def test_a_profile_that_calls_a_number_congestion_has_it_asked_again() -> None:
    spaces = ErrorSpaces(status_overrides={0x450: "CONGESTION"})

    assert isinstance(judge_answer(spaces, command_status=0x450), Retry)


def test_submit_failed_with_a_full_window_means_throttled() -> None:
    verdict = judge_answer(command_status=0x45, window_full=True)

    assert isinstance(verdict, Retry)
    assert verdict.slow_down


@pytest.mark.parametrize("status", [0x03, 0x02, 0x00, 0x4FF])
def test_a_nack_with_our_number_was_not_processed(status: int) -> None:
    verdict = judge_answer(command_status=status, nacked=True)

    assert isinstance(verdict, Refused)
    assert verdict.failover is Failover.YES


def test_what_was_never_written_is_sent_again_at_once() -> None:
    assert judge_silence(Silence.NOT_WRITTEN) == Retry(error=None, after_delay=0.0)


@pytest.mark.parametrize("silence", set(Silence) - {Silence.NOT_WRITTEN})
def test_every_other_silence_is_a_doubt(silence: Silence) -> None:
    assert judge_silence(silence) == InDoubt(silence=silence)


def test_an_answer_without_an_id_is_a_refusal_where_the_carrier_means_it_so() -> None:
    spaces = ErrorSpaces(empty_message_id_is_accepted=False)

    verdict = judge_answer(spaces, command_status=0)

    assert judge_answer(spaces, command_status=0, message_id="7") == Accepted(message_id="7")
    assert isinstance(verdict, Refused)
    assert (Failover.NO, Canonical.SMSC_ERROR, "profile.empty_message_id_is_accepted") == (
        verdict.failover,
        verdict.error.canonical,
        verdict.error.rule,
    )


def test_an_error_with_an_id_waits_for_its_receipt_where_the_carrier_sends_one() -> None:
    spaces = ErrorSpaces(error_with_message_id_is_accepted=True)

    assert judge_answer(spaces, command_status=0x45, message_id="7") == Accepted(message_id="7")
    for verdict in (
        judge_answer(spaces, command_status=0x0B),
        judge_answer(spaces, command_status=0x0B, message_id="7", nacked=True),
        judge_answer(command_status=0x0B, message_id="7"),
    ):
        assert isinstance(verdict, Refused)
