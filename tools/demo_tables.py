"""What `whiteroute demo` shows to people: who carried what, who was left out and why, what arrived.

Figures only; where they come from is `summary.py`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from shlex import quote

import click

from whiteroute.engine.config import Config
from whiteroute.engine.ledger import MessageHistory
from whiteroute.engine.messages import DeliveryState
from whiteroute.routing import ReasonCode

from .operators import Operator
from .output import count, wrapped
from .summary import Figures
from .tables import print_table


def print_opening(operators: Sequence[Operator]) -> None:
    """Say what is about to happen."""
    click.echo(f"{count(len(operators), 'operator')}, simulated on this machine:")
    width = max(len(operator.title) for operator in operators)
    for operator in operators:
        click.echo(f"  {operator.title:<{width}}  {operator.kind:<6}  {operator.quirk}")


def print_tables(
    figures: Figures,
    histories: Sequence[MessageHistory],
    operators: Sequence[Operator],
    config: Config,
    ledger: str,
) -> None:
    """Show what came of it all."""
    if figures.known:
        were = "was" if figures.known == 1 else "were"
        click.echo(f"\n{count(figures.known, 'message')} {were} in the ledger: not sent again.")
    _print_operators(figures, operators, config)
    _print_left_out(figures)
    _print_errors(figures)
    click.echo()
    for line in _sum(figures):
        click.echo(line)
    click.echo()
    for line in _next_steps(histories, ledger):
        click.echo(line)


def _print_operators(figures: Figures, operators: Sequence[Operator], config: Config) -> None:
    titles = {operator.carrier: operator for operator in operators}
    rows = []
    for route in config.routes:
        operator, states = titles[route.carrier], figures.states.get(route.id, Counter())
        failed = states[DeliveryState.FAILED] + states[DeliveryState.EXPIRED]
        rows.append(
            (
                route.id,
                operator.title,
                operator.kind,
                "" if route.price is None else f"{route.price.amount} {route.price.currency}",
                str(states.total()),
                str(states[DeliveryState.DELIVERED]),
                str(failed),
            )
        )
    columns = ("route", "operator", "kind", "price", "#messages", "#delivered", "#failed")
    print_table("What went where", columns, rows, roomy=("operator",))


def _print_left_out(figures: Figures) -> None:
    if figures.refusals:
        refused = [(what, str(number)) for what, number in figures.refusals.most_common()]
        print_table("Refused", ("because of", "#messages"), refused)
    for route, codes in sorted(figures.rejections.items()):
        click.echo(f"\n{route} was not taken:")
        for code, number in sorted(codes.items()):
            click.echo(f"  {code}, {count(number, 'message')}")
            click.echo(wrapped(ReasonCode(code).meaning, "      "))


def _print_errors(figures: Figures) -> None:
    rows = [
        (carrier, raw, code.value, str(number), code.meaning)
        for (carrier, code, raw), number in sorted(figures.raw_errors.items())
    ]
    if rows:
        columns = ("carrier", "receipt", "code", "#parts", "meaning")
        print_table("What receipts said went wrong", columns, rows)


def _sum(figures: Figures) -> Iterable[str]:
    new = figures.messages - figures.known
    yield f"{count(new, 'message')}: {figures.accepted:,} accepted in {count(figures.parts, 'part')}"
    if figures.tried_again:
        yield f"  {count(figures.tried_again, 'attempt')} put off by a carrier, and repeated"
    yield (
        f"  {figures.delivered:,} delivered, {figures.failed:,} failed,"
        f" {figures.in_doubt:,} in doubt; {count(figures.receipts, 'receipt')}"
    )
    yield (
        f"  {figures.refused_no_direct_route:,} refused for want of a direct route,"
        f" {figures.refused_otherwise:,} for other reasons"
    )


def _next_steps(histories: Sequence[MessageHistory], ledger: str) -> Iterable[str]:
    yield "Everything is in the ledger. Ask it:"
    asking = f"  whiteroute receipts --ledger {quote(ledger)}"
    yield f"{asking} --state FAILED"
    worth_telling = sorted(
        histories, key=lambda each: (len(each.receipts), len(each.attempts)), reverse=True
    )
    refused = [each for each in histories if not each.message.route and each.message.network]
    for history in [*worth_telling[:1], *refused[:1]]:
        yield f"{asking} --message {quote(history.message.message_ref)}"
