"""`whiteroute routes`: the routes as declared, and what somebody should look at before a message does.

It reads the configuration, and asks no bind.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime

import click

from whiteroute.engine.config import Config, load_config
from whiteroute.routing import Remark, Route, reasons_against, review

from .errors import CallError
from .output import count, examples, print_json, wrapped
from .tables import print_table


@click.group(
    "routes",
    invoke_without_command=True,
    epilog=examples(
        "whiteroute routes --config carriers.toml", "whiteroute routes check carriers.toml"
    ),
)
@click.option("--config", "config_file", metavar="FILE", help="The TOML.")
@click.option(
    "--at", metavar="DAY", help="As of that day, such as 2027-01-31. Default: today, UTC."
)
@click.option("--json", "as_json", is_flag=True, help="A route per line.")
@click.pass_context
def command(
    context: click.Context, config_file: str | None, at: str | None, as_json: bool
) -> int | None:
    """List the routes, and whether each is direct today."""
    if context.invoked_subcommand is not None:
        return None
    if config_file is None:
        raise CallError("routes: no --config FILE, expected the TOML with the routes")
    config, today = load_config(config_file), day_of(at)
    told = [_described(route, config, today) for route in config.routes]
    if as_json:
        for record in told:
            print_json(record)
    else:
        _print_routes(told, today)
    return 0


@command.command("check", epilog=examples("whiteroute routes check carriers.toml --days 60"))
@click.argument("config_file", metavar="FILE")
@click.option(
    "--at", metavar="DAY", help="As of that day, such as 2027-01-31. Default: today, UTC."
)
@click.option(
    "--days",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="Tell what ends within so many days.",
)
@click.option("--strict", is_flag=True, help="Warnings count as faults.")
@click.option("--json", "as_json", is_flag=True, help="A remark per line.")
def check(config_file: str, at: str | None, days: int, strict: bool, as_json: bool) -> int:
    """Look through the routes of FILE: what can never be taken, what ends soon, what is not covered.

    Exit code 1 if there is a fault.
    """
    config = load_config(config_file)
    told = review(
        config.routes,
        policy=config.policy,
        today=day_of(at),
        ending_days=days,
        networks=config.plan.networks,
    )
    if as_json:
        for remark in told:
            print_json(remark.to_dict())
    else:
        _print_remarks(told, len(config.routes))
    return 1 if any(remark.code.is_fault or strict for remark in told) else 0


def day_of(text: str | None) -> date:
    """Read a day, or give today's in UTC.

    Raises:
        CallError: It is no day.
    """
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CallError(f"--at: {text!r}, expected a day such as 2027-01-31") from None


def _described(route: Route, config: Config, today: date) -> dict[str, object]:
    agreement, price = route.agreement, route.price
    reasons = reasons_against(route, config.routes, policy=config.policy, day=today)
    return {
        "route_id": route.id,
        "carrier": route.carrier,
        "direct": not reasons,
        "networks": sorted(map(str, route.networks)),
        "traffic_classes": sorted(route.traffic_classes),
        "interconnect": route.interconnect.kind.value,
        "agreement": None if agreement is None else agreement.id,
        "valid_to": None
        if agreement is None or agreement.valid_to is None
        else agreement.valid_to.isoformat(),
        "price": None if price is None else f"{price.amount} {price.currency}",
        "share": route.share,
        "reasons": [code.value for code in reasons],
    }


def _print_routes(told: Iterable[dict[str, object]], today: date) -> None:
    rows = [
        (
            str(each["route_id"]),
            str(each["carrier"]),
            "direct" if each["direct"] else "refused",
            ", ".join(each["networks"]),  # type: ignore[arg-type]
            ", ".join(each["traffic_classes"]),  # type: ignore[arg-type]
            str(each["valid_to"] or ""),
            str(each["price"] or ""),
            ", ".join(each["reasons"]),  # type: ignore[arg-type]
        )
        for each in told
    ]
    columns = ("route", "carrier", "today", "networks", "classes", "until", "#price", "why not")
    print_table(f"Routes on {today}", columns, rows, roomy=("classes", "until"))


def _print_remarks(told: tuple[Remark, ...], routes: int) -> None:
    for remark in told:
        kind = "fault" if remark.code.is_fault else "warning"
        click.echo(f"{kind}: {remark.subject}: {remark.code.value}: {remark.found}")
        click.echo(wrapped(remark.code.advice, "    "))
    faults = sum(remark.code.is_fault for remark in told)
    warnings = len(told) - faults
    click.echo(f"{count(routes, 'route')}: {count(faults, 'fault')}, {count(warnings, 'warning')}.")


__all__ = ["command", "day_of"]
