"""`whiteroute run`: the engine as a service, which keeps its binds and takes what comes in on them.

It goes on with what an earlier process took and did not send. To hand it messages from a program of
one's own, embed the engine: `whiteroute.open_engine`.
"""

import click
import trio

from whiteroute.engine.config import Config, load_config
from whiteroute.engine.service import (
    CeilingEvent,
    Engine,
    EngineEvent,
    InboundMessage,
    LinkEvent,
    OrphanReceipt,
    OverdueEvent,
    ReceiptEvent,
    RouteEvent,
    open_engine,
)
from whiteroute.routing import Finding

from .capturing import Capturing, capture_options
from .interruption import open_interruption
from .output import complain, count, error_record, instant, meaning, print_json, say


@click.command("run")
@click.option("--config", "config_file", required=True, metavar="FILE", help="The TOML.")
@click.option("--json", "as_json", is_flag=True, help="One object per event and line.")
@capture_options
def command(config_file: str, as_json: bool, capture_file: str | None, unmasked: bool) -> int:
    """Run the engine until SIGINT or SIGTERM.

    Then nothing more is sent, answers that are still out are waited for, and the binds are unbound.
    Until then it tells binds that come and go, receipts, and messages from handsets.
    """
    config = load_config(config_file)
    for warning in config.warnings:
        complain(f"warning: {warning.told(config.source)}")
    trio.run(_serve, config, as_json, Capturing(capture_file, unmasked))
    return 0


async def _serve(config: Config, as_json: bool, capturing: Capturing) -> None:
    with open_interruption() as interruption:
        async with capturing.open() as capture, open_engine(config, capture=capture) as engine:
            say(
                f"{count(len(config.carriers), 'carrier')}, ledger {config.ledger}. Ctrl-C ends it."
            )

            async def tell() -> None:
                await _tell_events(engine, as_json)

            await interruption.run(tell)
            say("Stopping; waiting for the answers that are still out.")
        for report in engine.drained:
            say(f"{report}.")
    say("Stopped.")


async def _tell_events(engine: Engine, as_json: bool) -> None:
    async for event in engine.events():
        if as_json:
            print_json(event_record(event))
        else:
            click.echo(in_words(event))
        if isinstance(event, InboundMessage):
            # What was printed has been handed on; without this it would be printed at each start.
            event.ack()


def event_record(event: EngineEvent) -> dict[str, object]:
    """Give an event as `run --json` prints it."""
    match event:
        case ReceiptEvent():
            return {
                "event": "receipt",
                "at": instant(event.at),
                "message_ref": event.message_ref,
                "part": event.part,
                "parts": event.parts,
                "to": event.to,
                "state": event.state.value,
                "part_state": event.part_state.value,
                "carrier": event.carrier,
                "route": event.route,
                "message_id": event.message_id,
                "error": error_record(event.error),
                "latency_s": event.latency,
                "conflicting": event.conflicting,
                "tags": dict(event.tags),
            }
        case InboundMessage():
            return {
                "event": "inbound",
                "at": instant(event.at),
                "inbound_ref": event.inbound_ref,
                "carrier": event.carrier,
                "source_addr": event.source_addr,
                "destination_addr": event.destination_addr,
                "text": event.text,
                "parts": event.parts,
                "missing": list(event.missing),
                "reply_to": event.reply_to or None,
            }
        case LinkEvent():
            return {
                "event": "link",
                "at": instant(event.at),
                "carrier": event.carrier,
                "link": event.link,
                "what": event.what,
                "cause": event.cause,
                "command_status": event.command_status,
                "host": event.change.host or None,
                "root_cause": event.change.root_cause.value,
                "bound_for_s": event.change.bound_for,
            }
        case CeilingEvent():
            return {
                "event": "ceiling",
                "at": instant(event.at),
                "carrier": event.change.carrier,
                "what": event.change.what,
                "tps": event.change.tps,
                "contract": event.change.contract,
                "cause": event.change.cause,
            }
        case RouteEvent():
            return {
                "event": "route",
                "at": instant(event.at),
                "route": event.route,
                "network": event.network,
                "traffic_class": event.traffic_class,
                "before": event.before.value,
                "after": event.after.value,
                "findings": [finding_record(each) for each in event.findings],
                "actor": event.actor or None,
                "note": event.note or None,
            }
        case OrphanReceipt():
            return {
                "event": "orphan_receipt",
                "at": instant(event.at),
                "carrier": event.carrier,
                "message_id": event.message_id,
                "source_addr": event.source_addr,
                "destination_addr": event.destination_addr,
                "stat": event.stat,
                "err": event.err,
                "error": error_record(event.error),
                "received_at": instant(event.received_at),
            }
        case OverdueEvent():
            return {
                "event": "overdue",
                "at": instant(event.at),
                "message_ref": event.message_ref,
                "to": event.to,
                "state": event.state.value,
                "carrier": event.carrier,
                "route": event.route,
                "taken_at": instant(event.taken_at),
                "due_at": instant(event.due_at),
                "tags": dict(event.tags),
            }


def in_words(event: EngineEvent) -> str:
    """Write an event on one line for eyes."""
    when = instant(event.at)
    match event:
        case ReceiptEvent():
            part = f" part {event.part} of {event.parts}" if event.parts > 1 else ""
            why = (
                f"  {event.error.canonical}: {meaning(event.error)}" if event.error.is_error else ""
            )
            return f"{when}  {event.part_state.value}  {event.message_ref}{part} to {event.to}{why}"
        case InboundMessage():
            text = repr(event.text)
            return f"{when}  from {event.source_addr} to {event.destination_addr}: {text}"
        case LinkEvent():
            return f"{when}  {event.link} {event.what}: {event.cause}"
        case CeilingEvent():
            change = event.change
            return f"{when}  {change.carrier}: {change.what} to {change.tps:g} parts a second, {change.cause}"
        case RouteEvent():
            whom = f"{event.route} to {event.network}, {event.traffic_class}"
            return f"{when}  {whom}: {event.before.value} -> {event.after.value}{_because(event)}"
        case OrphanReceipt():
            name = event.message_id or "without an id"
            return f"{when}  {event.carrier}: receipt {name} ({event.stat}) belongs to no message"
        case OverdueEvent():
            due = instant(event.due_at)
            return f"{when}  {event.state.value}  {event.message_ref} to {event.to}: no receipt by {due}"


def finding_record(finding: Finding) -> dict[str, object]:
    """Give what stands against a route as JSON shows it."""
    return {
        "test": finding.test.value,
        "severity": finding.severity.value,
        "meaning": finding.test.meaning,
        "statistic": finding.statistic,
        "threshold": finding.threshold,
        "n": finding.n,
    }


def finding_in_words(finding: Finding) -> str:
    """Write what stands against a route, with its numbers."""
    return (
        f"{finding.test.value} ({finding.statistic:.3g} against {finding.threshold:.3g},"
        f" {finding.n} seen)"
    )


def _because(event: RouteEvent) -> str:
    if event.actor:
        return f", released by {event.actor}: {event.note}"
    return "".join(f"; {finding_in_words(each)}" for each in event.findings)
