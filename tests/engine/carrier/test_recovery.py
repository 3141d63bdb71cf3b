"""A carrier comes back: soon, all of it, by the way that held, and without hammering who is down."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from whiteroute.engine.carrier import Carrier, Host, LinkChange
from whiteroute.engine.messages import (
    EngineRun,
    LinkChanged,
    RootCause,
    find_outages,
    measure_uptime,
)
from whiteroute.engine.profile import CarrierProfile, RebindOptions
from whiteroute.pdu import CommandStatus
from whiteroute.simulators import MessageCenter, behaviours, open_message_center

Make = Callable[..., Any]


@attrs.define(eq=False)
class Site:
    """A host in memory, of which all can be cut off at once."""

    center: MessageCenter
    nursery: trio.Nursery
    says: str = "welcome"
    """`welcome`, `refused`, `hole` (nothing comes back) or `silence` (a stream on which nothing comes)."""
    tried_at: list[float] = attrs.field(factory=list)
    cut_off: list[trio.abc.Stream] = attrs.field(factory=list)

    async def connect(self, sleep: Callable[[float], Any]) -> trio.abc.Stream:
        self.tried_at.append(trio.current_time())
        await trio.lowlevel.checkpoint()
        if self.says == "hole":
            await sleep(10.0)
            raise OSError("timed out")
        if self.says == "refused":
            raise OSError("connection refused")
        ours, theirs = trio.testing.memory_stream_pair()
        self.cut_off += [ours, theirs]
        if self.says == "welcome":
            self.nursery.start_soon(self.center.serve_stream, theirs)
        return ours

    async def cut(self) -> None:
        for stream in self.cut_off:
            await trio.aclose_forcefully(stream)
        self.cut_off.clear()

    @property
    def binds(self) -> list[float]:
        return [event.at for event in self.center.events() if event.event == "bind"]


@pytest.fixture
def open_sites(autojump_clock: Any, open_carrier: Make) -> Make:
    """Run a carrier on so many hosts in memory."""

    @asynccontextmanager
    async def opened(number: int, **account: Any) -> AsyncIterator[tuple[Carrier, list[Site]]]:
        async with trio.open_nursery() as nursery:
            sites = [Site(MessageCenter(), nursery) for _ in range(number)]
            for site in sites:
                await nursery.start(hold_open, site.center)
            for place, behaviour in account.pop("behaviours", {}).items():
                sites[place].center.behaviours = (behaviour,)
            for place, says in account.pop("says", {}).items():
                sites[place].says = says

            async def open_stream(host: str, _port: int, _options: Any) -> trio.abc.Stream:
                return await sites[int(host[2:])].connect(trio.sleep)

            hosts = tuple(Host(f"mc{each}", 2775) for each in range(number))
            async with open_carrier(hosts=hosts, open_stream=open_stream, **account) as carrier:
                yield carrier, sites
            nursery.cancel_scope.cancel()

    return opened


async def hold_open(
    center: MessageCenter, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    async with open_message_center(center, host=None):
        task_status.started()
        await trio.sleep_forever()


# Hosts that are down.


@pytest.mark.parametrize("binds", [1, 4, 40])
async def test_a_restart_of_three_seconds_is_an_outage_of_seconds(
    autojump_clock: Any, open_sites: Make, owner: Any, binds: int
) -> None:
    async with open_sites(1, binds=binds) as (carrier, (site,)):
        await owner.wait_change("bound", times=binds)
        assert trio.current_time() < 0.5
        await trio.sleep(100)
        site.says = "refused"
        await site.cut()
        began_at = trio.current_time()
        tried = len(site.tried_at)
        await trio.sleep(3)
        assert 1 <= len(site.tried_at) - tried <= 3, "one asks for all"
        site.says = "welcome"
        await owner.wait_change("bound", times=2 * binds)

        assert trio.current_time() - began_at <= 8
        assert binds == carrier.statistics().bound


async def test_a_host_that_is_down_for_long_is_asked_by_one_bind_at_a_time(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    async with open_sites(1, binds=20, says={0: "refused"}) as (_, (site,)):
        await trio.sleep(3_600)

        gaps = [later - at for at, later in pairwise(site.tried_at)]
        assert max(gaps) <= 60.1
        assert min(gaps[6:]) >= 29.9
        site.says = "welcome"
        await owner.wait_change("bound")
        first_at = trio.current_time()
        await owner.wait_change("bound", times=20)
        assert trio.current_time() - first_at < 0.5


async def test_one_bind_that_is_lost_of_many_comes_back_by_itself(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    async with open_sites(1, binds=3) as (_, (site,)):
        await owner.wait_change("bound", times=3)
        await trio.sleep(100)
        await trio.aclose_forcefully(site.cut_off[0])
        await owner.wait_change("lost")
        before = trio.current_time()
        await owner.wait_change("bound", times=4)

        assert 0.4 <= trio.current_time() - before <= 1.1
        assert 4 == len(site.tried_at)


async def test_a_bind_that_is_one_too_many_does_not_keep_the_others_down(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    async with open_sites(1, binds=2) as (_, (site,)):
        await owner.wait_change("bound", times=2)
        await trio.sleep(100)
        site.center.behaviours = (behaviours.RefuseBind(),)
        await trio.aclose_forcefully(site.cut_off[0])
        await owner.wait_change("refused")
        site.center.behaviours = ()
        await site.cut()
        before = trio.current_time()
        await owner.wait_change("bound", times=4)

        assert trio.current_time() - before <= 2, "not the five minutes of the one that was refused"


# The ladder.


@pytest.mark.parametrize("status", [CommandStatus.ESME_RINVCMDID, CommandStatus.ESME_RINVBNDSTS])
@pytest.mark.parametrize("binds", [1, 10])
async def test_a_host_that_understands_no_bind_is_not_asked_in_all_ways_for_ever(
    autojump_clock: Any, open_sites: Make, owner: Any, status: CommandStatus, binds: int
) -> None:
    behaviour = behaviours.RefuseBind(status)
    async with open_sites(1, binds=binds, behaviours={0: behaviour}) as (_, (site,)):
        await trio.sleep(1_200)

        times = site.tried_at
        assert 40 <= len(times) <= 120
        for begun in times:
            assert len([at for at in times if begun <= at < begun + 59.9]) <= 6
        site.center.behaviours = ()
        await owner.wait_change("bound")
        assert trio.current_time() <= 1_265


async def test_a_bad_spell_after_a_restart_changes_nothing_about_how_binds_are_asked_for(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    async with open_sites(1) as (carrier, (site,)):
        await owner.wait_change("bound")
        await trio.sleep(3_600)
        site.center.behaviours = (behaviours.RefuseBind(CommandStatus.ESME_RINVCMDID),)
        await site.cut()
        await trio.sleep(5)
        site.center.behaviours = ()
        await owner.wait_change("bound", times=2)

        assert "a transceiver by SMPP 3.4" == carrier.statistics().asked_for
        assert trio.current_time() - owner.times("lost")[0] <= 12
        assert [] == owner.of("fallback")


async def test_what_a_carrier_takes_away_for_long_is_done_without_and_asked_for_at_the_next_outage(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    async with open_sites(1) as (carrier, (site,)):
        await owner.wait_change("bound")
        await trio.sleep(3_600)
        site.center.behaviours = (behaviours.RefuseTransceiver(),)
        await site.cut()
        await owner.wait_change("bound", times=3)
        assert 60 <= trio.current_time() - owner.times("lost")[0] <= 130
        assert {"acme/1-tx", "acme/1-rx"} == {link.name for link in carrier.links}
        await trio.sleep(600)
        site.center.behaviours = ()
        await site.cut()
        await owner.wait_change("bound", times=4)

        assert ["acme/1"] == [link.name for link in carrier.links]
        assert "a transceiver by SMPP 3.4" == carrier.statistics().asked_for


# The way back to the first host.


@pytest.mark.parametrize("says", ["hole", "silence"])
async def test_a_bind_that_is_lost_while_it_tries_to_return_is_lost_at_once(
    autojump_clock: Any, open_sites: Make, owner: Any, says: str
) -> None:
    profile = CarrierProfile(rebind=RebindOptions(fail_back_after=300.0))
    async with open_sites(2, profile=profile, says={0: "refused"}) as (carrier, (first, second)):
        await owner.wait_change("bound")
        first.says = says
        await trio.sleep(302)
        assert 2 == len(first.tried_at), "it is being tried"
        await second.cut()
        cut_at = trio.current_time()
        lost = await owner.wait_change("lost")
        assert trio.current_time() == pytest.approx(cut_at, abs=0.01)
        await owner.wait_change("bound", times=2)
        assert trio.current_time() - cut_at <= 1.1
        await trio.sleep(1)
        assert 1 == len(carrier.links)

    assert "mc1:2775" == lost.host
    assert ["unreachable", "bound", "lost", "bound"] == [change.what for _, change in owner.changes]


async def test_a_wait_after_a_try_to_return_is_counted_from_its_end(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    profile = CarrierProfile(rebind=RebindOptions(fail_back_after=20.0, first_delay=60.0))
    async with open_sites(2, profile=profile, says={0: "hole"}) as (_, (first, _second)):
        await owner.wait_change("bound")
        await trio.sleep(400)

        gaps = [later - at for at, later in pairwise(first.tried_at)]
        assert len(gaps) >= 4
        assert all(40 <= gap <= 70.1 for gap in gaps)


async def test_credentials_that_only_the_first_host_refuses_are_told_and_are_no_outage(
    autojump_clock: Any, open_sites: Make, owner: Any
) -> None:
    profile = CarrierProfile(rebind=RebindOptions(fail_back_after=300.0))
    async with open_sites(2, binds=3, profile=profile, says={0: "refused"}) as (carrier, sites):
        await owner.wait_change("bound", times=3)
        sites[0].says = "welcome"
        sites[0].center.behaviours = (behaviours.RefuseBind(CommandStatus.ESME_RINVPASWD),)
        change = await owner.wait_change("kept away")
        await trio.sleep(7_200)
        assert 1 == len(sites[0].binds), "repeating it locks accounts"
        assert 1 == len(owner.of("kept away"))
        assert 3 == carrier.statistics().bound
        assert () == carrier.failures
        sites[0].center.behaviours = ()
        carrier.retry()
        await owner.wait_change("bound", times=6)
        await trio.sleep(5)
        assert {"mc0:2775"} == {bind.host for bind in carrier.statistics().kept}

    assert ("acme", "mc0:2775", RootCause.CREDENTIALS) == (
        change.link,
        change.host,
        change.root_cause,
    )
    assert "ESME_RINVPASWD" in change.cause
    news = [remembered(at, each) for at, each in owner.changes]
    runs = [EngineRun(started_at=0, seen_at=10_000_000_000)]
    uptime = measure_uptime("acme", news, runs, since_at=1_000_000, until_at=9_000_000_000)
    assert 0 == uptime.down
    by_link = find_outages(news, runs, by_link=True)
    assert {"acme/1", "acme/2", "acme/3"} >= {outage.link for outage in by_link}
    assert all(outage.began_at < 1_000_000 for outage in by_link)


def remembered(at: float, change: LinkChange) -> LinkChanged:
    """Give the news as they stand in the ledger."""
    return LinkChanged(
        carrier=change.carrier,
        link=change.link,
        changed_at=round(at * 1e6),
        what=change.what,
        cause=change.cause,
        root_cause=change.root_cause,
        host=change.host,
        command_status=change.command_status,
        can_submit=change.can_submit,
    )
