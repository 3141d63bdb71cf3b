"""`whiteroute send`: one message or a file of them, followed as far as one wants to wait.

Standard output has a line for each message, whatever came of it. A message that was taken and not
sent, because its carrier could not be reached or because somebody pressed Ctrl-C, stays in the ledger,
and the next `send` or `run` goes on with it.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from functools import partial

import attrs
import click
import trio

from whiteroute.engine.config import Config, load_config
from whiteroute.engine.ledger import open_ledger_for_reading
from whiteroute.engine.messages import DeliveryState, Message, Outcome
from whiteroute.engine.service import open_engine
from whiteroute.routing import CandidateRejection, TrafficClass

from .capturing import Capturing, capture_options
from .history import outcome_of
from .interruption import open_interruption
from .messages_file import Defaults, open_messages, read_messages
from .output import complain, count, meaning, outcome_record, print_json, raw_in_words, say
from .progress import Progress
from .sending import Sending, Wait

GOOD_STATES = frozenset({DeliveryState.ACCEPTED, DeliveryState.DELIVERED})
"""What a message may have become for exit code 0."""


@attrs.define(eq=False, kw_only=True)
class Report:
    """What is printed, and what the exit code will be."""

    as_json: bool
    states: dict[DeliveryState, int] = attrs.field(factory=dict)
    unreadable: int = 0
    is_interrupted: bool = False
    unreachable: int = 0
    """Carriers that messages waited for in vain."""
    refused_binds: int = 0

    def tell(self, outcome: Outcome) -> None:
        """Print a message's line."""
        self.states[outcome.state] = self.states.get(outcome.state, 0) + 1
        if self.as_json:
            print_json(outcome_record(outcome))
        else:
            for line in in_lines(outcome):
                click.echo(line)

    def skip(self, line: str) -> None:
        """Say that a row cannot be read."""
        self.unreadable += 1
        complain(line)

    def exit_code(self, wait: Wait) -> int:
        """Say how it went: 2 what was given is wrong, 1 the answer is no, 0 all went as asked."""
        if self.unreadable or self.unreachable:
            return 2
        good = GOOD_STATES | ({DeliveryState.QUEUED} if wait is Wait.NONE else set())
        if self.is_interrupted or self.refused_binds or self.states.keys() - good:
            return 1
        if wait is Wait.RECEIPT and DeliveryState.ACCEPTED in self.states:
            return 1
        return 0


@click.command("send")
@click.option("--config", "config_file", required=True, metavar="FILE", help="The TOML.")
@click.argument("source", required=False, metavar="[FILE | -]")
@click.option("--to", metavar="N", help="The destination, in international form.")
@click.option("--from", "sender", metavar="S", help="The sender; for a file, where a row has none.")
@click.option("--text", metavar="T", help="The text.")
@click.option(
    "--ref", metavar="REF", help="Your own name for it, unique for ever. Default: made up."
)
@click.option(
    "--class",
    "traffic_class",
    type=click.Choice([each.value for each in TrafficClass]),
    default=TrafficClass.TRANSACTIONAL.value,
    show_default=True,
    help="For a file, where a row has none.",
)
@click.option("--csv", "csv_file", metavar="FILE", help="CSV or JSONL; - is standard input.")
@click.option(
    "--wait",
    type=click.Choice([each.value for each in Wait]),
    default=Wait.ACCEPT.value,
    show_default=True,
    help="For what: the receipt, the carrier's answer, or nothing but the ledger.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Seconds to wait for receipts.",
)
@click.option(
    "--in-flight",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Messages without an answer, at most.",
)
@click.option("--json", "as_json", is_flag=True, help="One object per message and line.")
@capture_options
def command(
    config_file: str,
    source: str | None,
    to: str | None,
    sender: str | None,
    text: str | None,
    ref: str | None,
    traffic_class: str,
    csv_file: str | None,
    wait: str,
    timeout: float,
    in_flight: int,
    as_json: bool,
    capture_file: str | None,
    unmasked: bool,
) -> int:
    """Send messages.

    Either one, by --to, --from and --text, or those of a CSV or JSONL file. A file has the columns to
    and text; message_ref, sender, traffic_class, duplicate_policy and validity may be there, and every
    other column becomes a tag. A message_ref that the ledger knows is not sent again.

    Exit code 1 if a message was refused or failed, or lacks what was waited for; 2 if a row could not be
    read, or a carrier not be reached (the rest was sent).
    """
    files = [name for name in (source, csv_file) if name is not None]
    if len(files) > 1 or (files and (to, text, ref) != (None, None, None)):
        raise click.UsageError("more than one of FILE, --csv and --to")
    report = Report(as_json=as_json)
    capturing = Capturing(capture_file, unmasked)
    with ExitStack() as opened:
        if files:
            defaults = Defaults(sender=sender, traffic_class=traffic_class)
            name = "<stdin>" if files[0] == "-" else files[0]
            lines = opened.enter_context(open_messages(files[0]))
            messages = read_messages(lines, name, defaults, report.skip)
        elif to is None or sender is None or text is None:
            raise click.UsageError("no message, neither a file nor --to, --from and --text")
        else:
            message = Message(
                to=to, sender=sender, text=text, message_ref=ref, traffic_class=traffic_class
            )
            messages = iter([message])
        config = load_config(config_file)
        trio.run(_send, config, messages, report, Wait(wait), timeout, in_flight, capturing)
    return report.exit_code(Wait(wait))


async def _send(
    config: Config,
    messages: Iterator[Message],
    report: Report,
    wait: Wait,
    timeout: float,  # noqa: ASYNC109 - the option's word; it is the wait for receipts alone
    in_flight: int,
    capturing: Capturing,
) -> None:
    with open_interruption() as interruption:
        # Lines on a terminal would be torn by a picture that is drawn among them.
        with Progress(shown=not sys.stdout.isatty()) as progress:
            async with (
                capturing.open() as capture,
                open_engine(config, capture=capture) as engine,
            ):
                sending = Sending(
                    engine=engine,
                    messages=messages,
                    wait=wait,
                    in_flight=in_flight,
                    on_done=report.tell,
                    on_news=lambda: progress.show(sending),
                )
                await interruption.run(partial(sending.run, timeout))
                if interruption.happened:
                    say("Interrupted; waiting for the answers that are still out.")
        report.is_interrupted = interruption.happened
    _tell_the_rest(sending, config, report)


def _tell_the_rest(sending: Sending, config: Config, report: Report) -> None:
    """Tell messages that nothing more is waited for, as the ledger has them, and why."""
    rest = [*sending.left, *sending.unreceipted]
    if rest:
        with closing(open_ledger_for_reading(config.ledger)) as reader:
            for message_ref in rest:
                history = reader.message(message_ref)
                if history is not None:
                    report.tell(outcome_of(history))
    _tell_failures(sending, config, report)
    _tell_sum(sending, config, report)


def _tell_failures(sending: Sending, config: Config, report: Report) -> None:
    for carrier in {following.carrier for following in sending.left.values()}:
        for event in sending.failures.get(carrier, [])[-1:]:
            where = f"{config.source}:carriers.{carrier}"
            if event.command_status is not None:
                report.refused_binds += 1
                complain(f"{where}: {event.cause}, expected a bind that is accepted")
            else:
                report.unreachable += 1
                complain(f"{where}.hosts: {event.cause}, expected a message centre that answers")


def _tell_sum(sending: Sending, config: Config, report: Report) -> None:
    figures = ", ".join(f"{number:,} {state}" for state, number in report.states.items())
    total = sum(report.states.values())
    say(f"{count(total, 'message')}{figures and ': '}{figures}. Ledger: {config.ledger}")
    if sending.unreceipted and not report.is_interrupted:
        say(f"No final receipt yet for {count(len(sending.unreceipted), 'message')}.")
    if queued := report.states.get(DeliveryState.QUEUED):
        say(f"{count(queued, 'message')} QUEUED: nothing is lost, the next send or run sends them.")
    if doubted := report.states.get(DeliveryState.IN_DOUBT):
        say(f"{count(doubted, 'message')} IN_DOUBT: not sent again unless you ask for it.")


def in_lines(outcome: Outcome) -> Iterable[str]:
    """Write what came of a message for eyes; one line, and one for each route that was left out."""
    words = [f"{outcome.state.value:<10}", outcome.to, outcome.message_ref]
    if outcome.route:
        words.append(outcome.route)
    if any(outcome.message_ids):
        words.append("id " + ",".join(each or "-" for each in outcome.message_ids))
    if outcome.known:
        words.append("known to the ledger, not sent again")
    error = outcome.error
    if error is not None and error.is_error:
        raw = raw_in_words(error)
        words.append(f"{error.canonical.value}: {meaning(error)}{raw and f' ({raw})'}")
    yield "  ".join(words)
    for rejection in outcome.rejected:
        yield f"{'':<12}{rejected_in_words(rejection)}"


def rejected_in_words(rejection: CandidateRejection) -> str:
    """Say why a route was left out, by its codes."""
    return f"{rejection.route_id}: {', '.join(code.value for code in rejection.codes)}"
