"""`whiteroute explain`: which route a message would take now, and why not the others; sends nothing.

The same decision as the engine's, by what is declared. It asks no bind, so it needs no ledger.
"""

from datetime import UTC, datetime, timedelta

import click

from whiteroute.engine.config import load_config
from whiteroute.engine.resolvers import NumberFacts, describe_number
from whiteroute.routing import (
    Decision,
    NumberError,
    PlanResolver,
    RoutingRequest,
    TrafficClass,
    choose,
    normalise_msisdn,
)

from .errors import CallError
from .output import print_json, wrapped

VALIDITY = timedelta(days=2)
"""How far ahead an agreement must hold, as for messages that name no validity."""


@click.command("explain")
@click.option("--config", "config_file", required=True, metavar="FILE", help="The TOML.")
@click.option("--to", required=True, metavar="N", help="The destination, in international form.")
@click.option("--from", "sender", required=True, metavar="S", help="The sender.")
@click.option(
    "--class",
    "traffic_class",
    type=click.Choice([each.value for each in TrafficClass]),
    default=TrafficClass.TRANSACTIONAL.value,
    show_default=True,
    help="What kind of traffic it is.",
)
@click.option("--at", metavar="TIME", help="As of 2026-11-22T18:00 (UTC). Default: now.")
@click.option("--json", "as_json", is_flag=True, help="The decision as one object.")
def command(
    config_file: str, to: str, sender: str, traffic_class: str, at: str | None, as_json: bool
) -> int:
    """Explain a routing decision.

    Exit code 1 if there is no direct route.
    """
    now = datetime.now(UTC) if at is None else _instant(at)
    try:
        destination = normalise_msisdn(to)
    except NumberError as error:
        raise CallError(f"--to: {to!r}, expected {error.expected}") from None
    config = load_config(config_file)
    decision = choose(
        RoutingRequest(
            message_ref="explain",
            destination=destination,
            sender=sender,
            traffic_class=traffic_class,
            network=PlanResolver(config.plan, lambda: now).cached(destination),
            valid_until=now + VALIDITY,
        ),
        config.routes,
        policy=config.policy,
        now=now,
    )
    if as_json:
        print_json(decision.to_dict())
    else:
        _print_decision(decision)
    return 0 if decision.ranked else 1


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CallError(f"--at: {text!r}, expected a time such as 2026-11-22T18:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _about(facts: NumberFacts) -> str:
    """Say what the numbering plans know of the number, doubts first."""
    if not facts.possible:
        return "none, no number has this length"
    place = f" of {facts.region}" if facts.region else ""
    doubt = "" if facts.valid else ", of a range that is not known to be in use"
    receives = "" if facts.can_receive else ": it cannot receive messages"
    kind = "no known kind" if facts.kind == "unknown" else facts.kind
    return f"{kind}{place}{doubt}{receives}"


def _print_decision(decision: Decision) -> None:
    request = decision.request
    network = "of no known network" if request.network is None else f"network {request.network}"
    facts = describe_number(request.destination)
    click.echo(f"{request.destination}: {network}")
    if facts is not None:
        click.echo(f"Its range: {_about(facts)}.")
    for place, ranked in enumerate(decision.ranked, 1):
        scores = {
            name: value for name, value in ranked.scores.to_dict().items() if value is not None
        }
        known = ", ".join(f"{name} {value}" for name, value in scores.items())
        click.echo(f"{place}. {ranked.route.id}  {known}".rstrip())
    if not decision.ranked:
        click.echo("No direct route.")
    for rejection in decision.rejected:
        click.echo(f"not {rejection.route_id}:")
        for reason in rejection.reasons:
            click.echo(f"  {reason.code.value}")
            click.echo(wrapped(reason.code.meaning, "      "))
            found = "not declared" if reason.actual is None else reason.actual
            click.echo(f"      {reason.fact}: {found}, expected {reason.expected}")
