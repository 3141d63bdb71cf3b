"""Each number is asked about once at a time, not too many at once, not for too long; answers are kept."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.resolvers import AskingResolver, InquiryError, ResolverChain
from whiteroute.routing import (
    Network,
    NetworkInfo,
    NetworkSource,
    NumberingPlan,
    PlanResolver,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MOVISTAR, ORANGE = Network("214", "07"), Network("214", "03")
NUMBER = "34600111222"


def clock() -> datetime:
    return NOON + timedelta(seconds=trio.current_time())


@attrs.define(eq=False)
class Oracle:
    """Answers after a while, and notes what it was asked."""

    wait: Callable[[float], Awaitable[None]]
    network: Network | None = MOVISTAR
    takes: float = 0.5
    ttl: float | None = 3_600.0
    fails: bool = False
    asked: list[str] = attrs.field(factory=list[str])
    at_once: int = 0
    most_at_once: int = 0

    async def ask(self, msisdn: str) -> NetworkInfo | None:
        self.asked.append(msisdn)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.wait(self.takes)
        finally:
            self.at_once -= 1
        if self.fails:
            raise InquiryError("nobody is there")
        if self.network is None:
            return None
        return NetworkInfo(network=self.network, source=NetworkSource.MNP_DIP, ttl=self.ttl)


@pytest.fixture
def oracle(autojump_clock) -> Oracle:
    return Oracle(trio.sleep)


@pytest.fixture
def make(oracle: Oracle) -> Callable[..., AskingResolver]:
    return lambda **settings: AskingResolver(inquiry=oracle, clock=clock, **settings)


async def test_what_was_answered_is_known_from_then_on(autojump_clock, oracle, make) -> None:
    resolver = make()
    assert resolver.cached(NUMBER) is None

    info = await resolver.resolve(NUMBER)

    assert info.network == MOVISTAR
    assert info.obtained_at == clock()
    assert resolver.cached(NUMBER) == info == await resolver.resolve(NUMBER)
    assert oracle.asked == [NUMBER]
    assert repr(resolver) == "<AskingResolver, 1 numbers known, 0 of 1 failed>"
    assert NUMBER not in repr(resolver)


async def test_many_who_want_one_number_ask_once(autojump_clock, oracle, make) -> None:
    resolver = make()
    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(resolver.resolve, NUMBER)
        await trio.testing.wait_all_tasks_blocked()
        assert resolver.statistics().asking == 1
    assert oracle.asked == [NUMBER]


async def test_when_the_one_who_asks_is_cancelled_the_next_in_line_asks(
    autojump_clock, oracle, make
) -> None:
    resolver = make()
    first = trio.CancelScope()

    async def ask_first() -> None:
        with first:
            await resolver.resolve(NUMBER)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask_first)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(resolver.resolve, NUMBER)
        await trio.testing.wait_all_tasks_blocked()
        first.cancel()
    assert resolver.cached(NUMBER) is not None
    assert oracle.asked == [NUMBER, NUMBER]


async def test_an_old_answer_is_asked_for_again_and_stands_until_then(
    autojump_clock, oracle, make
) -> None:
    resolver = make()
    before = await resolver.resolve(NUMBER)
    await trio.sleep(3_601)
    assert resolver.cached(NUMBER) == before
    oracle.network = ORANGE
    assert (await resolver.resolve(NUMBER)).network == ORANGE


async def test_without_an_answer_the_last_one_stands(autojump_clock, oracle, make) -> None:
    resolver = make()
    before = await resolver.resolve(NUMBER)
    await trio.sleep(3_601)
    oracle.fails = True
    assert await resolver.resolve(NUMBER) == before
    statistics = resolver.statistics()
    assert (statistics.asked, statistics.failed) == (2, 1)


async def test_nobody_waits_longer_than_the_time_limit(autojump_clock, oracle, make) -> None:
    oracle.takes = 60.0
    resolver = make(timeout=2.0)
    assert await resolver.resolve(NUMBER) is None
    assert trio.current_time() == pytest.approx(2.0)
    assert resolver.statistics().asking == 0


async def test_that_nobody_knows_a_number_is_believed_for_ten_minutes(
    autojump_clock, oracle, make
) -> None:
    oracle.network = None
    resolver = make()
    assert await resolver.resolve(NUMBER) is None
    assert await resolver.resolve(NUMBER) is None
    assert len(oracle.asked) == 1
    await trio.sleep(601)
    await resolver.resolve(NUMBER)
    assert len(oracle.asked) == 2


async def test_no_more_are_asked_about_at_once_than_allowed(autojump_clock, oracle, make) -> None:
    resolver = make(at_once=3, timeout=30.0)
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(resolver.resolve, f"{NUMBER}{number}")
    assert oracle.most_at_once == 3
    assert resolver.statistics().remembered == 20


async def test_what_was_not_asked_for_longest_is_forgotten_first(
    autojump_clock, oracle, make
) -> None:
    resolver = make(most=2)
    for number in ("1", "2", "1", "3"):
        await resolver.resolve(number)
    assert resolver.cached("1") is not None
    assert resolver.cached("2") is None


async def test_a_number_that_moved_is_asked_about_again(autojump_clock, oracle, make) -> None:
    resolver = make()
    await resolver.resolve(NUMBER)
    oracle.network = ORANGE
    resolver.forget(NUMBER)
    resolver.forget("never known")
    assert (await resolver.resolve(NUMBER)).network == ORANGE


async def test_the_first_in_a_chain_that_knows_is_believed(autojump_clock, oracle, make) -> None:
    dip = make()
    plan = PlanResolver(NumberingPlan({"346": "214-03"}), clock)
    chain = ResolverChain([dip, plan])
    assert chain.cached(NUMBER).network == ORANGE
    assert chain.cached("4915112345") is None
    assert (await chain.resolve(NUMBER)).network == MOVISTAR
    assert chain.cached(NUMBER).network == MOVISTAR
    oracle.network = None
    assert (await chain.resolve("34611")).network == ORANGE
    assert await chain.resolve("4915112345") is None
    chain.forget(NUMBER)
    assert chain.cached(NUMBER).network == ORANGE
