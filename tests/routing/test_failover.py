"""The failover table, row by row, and the rule for messages of several parts."""

import pytest

from whiteroute.routing import FAILOVER, AttemptState, Condition, another_route_after

O = AttemptState  # noqa: E741 - read as a column heading
ALWAYS, NEVER = Condition.ALWAYS, Condition.NEVER

ROWS = {
    O.NOT_WRITTEN: ALWAYS,
    O.REJECTED_ROUTE: ALWAYS,
    O.REJECTED_ACCOUNT: ALWAYS,
    O.REJECTED_TEMPORARY: ALWAYS,
    O.REJECTED_THROTTLED: Condition.RETRY_BUDGET_SPENT,
    O.REJECTED_MESSAGE: NEVER,
    O.REJECTED_RECIPIENT: NEVER,
    O.REJECTED_AMBIGUOUS: Condition.PROFILE_SAYS_SO,
    O.NACKED: ALWAYS,
    O.IN_DOUBT: Condition.DUPLICATES_ALLOWED,
    O.ACCEPTED: Condition.DUPLICATES_ALLOWED,
    O.FINAL_REFUSED: Condition.PROFILE_LISTS_ERROR_ONCE,
    O.FINAL_RECIPIENT: NEVER,
    O.FINAL_UNKNOWN_SUBSCRIBER: Condition.NETWORK_CHANGED,
    O.FINAL_EXPIRED: NEVER,
    O.UNDEFINED: NEVER,
    O.DELETED: Condition.CANCEL_ACKNOWLEDGED,
    O.DELIVERED: NEVER,
}


def test_the_table_decides_every_outcome_as_written_down_here() -> None:
    assert {outcome: rule.condition for outcome, rule in FAILOVER.items()} == ROWS
    assert set(ROWS) == set(AttemptState)


@pytest.mark.parametrize(("outcome", "condition"), ROWS.items())
def test_another_route_may_follow_only_if_the_condition_of_the_row_holds(
    outcome: AttemptState, condition: Condition
) -> None:
    bare = another_route_after((outcome,))
    with_it = another_route_after((outcome,), fulfilled=frozenset({condition}))
    others = another_route_after((outcome,), fulfilled=frozenset(Condition) - {condition})
    assert bare.allowed is (condition is ALWAYS)
    assert with_it.allowed is (condition is not NEVER)
    assert others.allowed is (condition is ALWAYS)
    assert bare.condition is condition
    assert bare.because == FAILOVER[outcome].because
    assert bare.because.endswith(".")


def test_all_parts_certainly_refused_let_the_whole_message_follow() -> None:
    verdict = another_route_after((O.NOT_WRITTEN, O.REJECTED_ROUTE, O.NACKED))
    assert verdict.allowed


@pytest.mark.parametrize("other", [O.ACCEPTED, O.IN_DOUBT, O.DELIVERED, O.FINAL_REFUSED])
def test_one_part_with_the_carrier_keeps_the_message_on_its_route(other: AttemptState) -> None:
    verdict = another_route_after((O.NOT_WRITTEN, other), fulfilled=frozenset(Condition))
    assert not verdict.allowed
    assert verdict.condition is NEVER
    assert verdict.because.startswith("Parts are with the carrier")


def test_one_part_refused_for_what_it_is_keeps_all_from_following() -> None:
    verdict = another_route_after((O.NOT_WRITTEN, O.REJECTED_MESSAGE))
    assert not verdict.allowed
    assert verdict.because == FAILOVER[O.REJECTED_MESSAGE].because
