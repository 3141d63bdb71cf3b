"""`whiteroute simulate`: an operator's message centre on TCP, which tells what it sees.

Behaviours and what becomes of messages are those of `whiteroute.simulators`; here are its port, its
account and its voice.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import attrs
import click
import trio

from whiteroute.engine.config import ConfigError
from whiteroute.pdu import status_name
from whiteroute.simulators import (
    TYPICAL_HANDSETS,
    Account,
    CenterEvent,
    Handsets,
    MessageCenter,
    Operator,
    Performance,
    Scenario,
    open_message_center,
)

from .capturing import Capturing, capture_options
from .interruption import open_interruption
from .output import complain, print_json, say
from .scenario_file import load_scenario, scenario_names


@click.command("simulate")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=2775,
    show_default=True,
    help="0: any free one.",
)
@click.option("--system-id", help="The only account; without it anybody may bind.")
@click.option("--password", help="The account's password.")
@click.option(
    "--delay",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Seconds until half of the receipts have come.",
)
@click.option("--scenario", metavar="NAME|FILE", help="Play a scenario, and judge what was seen.")
@click.option("--list", "lists", is_flag=True, help="List the scenarios that there are.")
@click.option("--seed", type=int, help="All chance comes from it. Default: the scenario's, or 1.")
@click.option("--json", "as_json", is_flag=True, help="An event per line, as it happens.")
@capture_options
def command(
    host: str,
    port: int,
    system_id: str | None,
    password: str | None,
    delay: float,
    scenario: str | None,
    lists: bool,
    seed: int | None,
    as_json: bool,
    capture_file: str | None,
    unmasked: bool,
) -> int:
    """Be an operator's message centre until interrupted.

    Messages are delivered, or fail, like a weekday's: 93 of 100 arrive. With --json the first line is
    {"listening": {"host", "port"}}. A scenario ends by itself; exit code 1 says that something was
    not as it expects.
    """
    if lists:
        _list_scenarios(as_json)
        return 0
    if password is not None and system_id is None:
        raise click.UsageError("--password without --system-id")
    own = _accounts(system_id, password)
    if scenario is None:
        played = Scenario(
            title="",
            teaches="",
            operators={"": Operator(accounts=own, handsets=_handsets(delay))},
        )
    else:
        try:
            played = load_scenario(scenario)
        except ConfigError as error:
            complain(str(error))
            return 2
        if own:
            operators = {
                name: attrs.evolve(each, accounts=own) for name, each in played.operators.items()
            }
            played = attrs.evolve(played, operators=operators)
    return trio.run(_serve, played, seed, host, port, as_json, Capturing(capture_file, unmasked))


def _list_scenarios(as_json: bool) -> None:
    for name in scenario_names():
        scenario = load_scenario(name)
        teaches = " ".join(scenario.teaches.split())
        if as_json:
            print_json({"scenario": name, "title": scenario.title, "teaches": teaches})
        else:
            click.echo(f"{name}: {scenario.title}\n    {teaches}")


def _accounts(system_id: str | None, password: str | None) -> tuple[Account, ...]:
    return () if system_id is None else (Account(system_id=system_id, password=password or ""),)


def _handsets(delay: float) -> Handsets:
    return attrs.evolve(
        TYPICAL_HANDSETS, median_delay=delay, least_delay=delay / 10, most_delay=delay * 20
    )


async def _serve(
    scenario: Scenario,
    seed: int | None,
    host: str,
    port: int,
    as_json: bool,
    capturing: Capturing,
) -> int:
    tell = _tell_json if as_json else _tell
    centers = scenario.make_centers(lambda name, event: tell(event, name), seed)
    async with capturing.open() as capture:
        for center in centers.values():
            center.observer = None if capture is None else capture.observe
        return await _play(scenario, centers, host, port, as_json)


async def _play(
    scenario: Scenario,
    centers: Mapping[str, MessageCenter],
    host: str,
    port: int,
    as_json: bool,
) -> int:
    announce = _announce_json if as_json else _announce
    performance = Performance(scenario, centers)
    with open_interruption() as interruption:
        try:
            async with AsyncExitStack() as open_centers:
                for number, (name, center) in enumerate(centers.items()):
                    await open_centers.enter_async_context(
                        open_message_center(
                            center,
                            host=host,
                            port=port + number if port else 0,
                            hosts=scenario.operators[name].hosts,
                        )
                    )
                    announce(center, name)
                await interruption.run(performance.run)
        except OSError as error:
            complain(f"--port: {error.strerror}, expected a free port of this machine; 0 finds one")
            return 2
    faults = performance.judge()
    for fault in faults:
        say(f"Not as expected: {fault}")
    for skipped in performance.skipped:
        say(f"Not done: {skipped}")
    if as_json and scenario.title:
        print_json({"verdict": "failed" if faults else "passed", "faults": faults})
    return 1 if faults else 0


def _announce(center: MessageCenter, name: str) -> None:
    allowed = [account.system_id for account in center.accounts]
    who = f"system_id {allowed[0]}" if allowed else "any system_id and password"
    where = " and ".join(f"{host}:{port}" for host, port in center.addresses)
    prefix = f"{name}: " if name else ""
    click.echo(f"{prefix}Listening on {where} for {who}. Ctrl-C ends it.")


def _announce_json(center: MessageCenter, name: str) -> None:
    for host, port in center.addresses:
        print_json({"listening": {"host": host, "port": port, **_of_operator(name)}})


def _of_operator(name: str) -> dict[str, str]:
    return {"operator": name} if name else {}


def _tell_json(event: CenterEvent, name: str) -> None:
    print_json({**event.facts(), **_of_operator(name)})


def _tell(event: CenterEvent, name: str) -> None:
    """Tell an event on one line: when, what, who, from whom to whom, and how it was answered."""
    moment = datetime.fromtimestamp(event.at / 1e6, UTC)
    words = [name] if name else []
    words += [f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}", f"{event.event:<21}"]
    if event.account:
        words.append(event.account)
    if event.message_id:
        words.append(f"id {event.message_id}")
    if event.destination_addr is not None:
        words.append(f"{event.source_addr or '(no sender)'} > {event.destination_addr}")
    if event.state:
        words.append(event.state)
    if event.status is not None:
        words.append(status_name(event.status))
    if event.text is not None:
        words.append(repr(event.text))
    click.echo("  ".join(words))
