"""`whiteroute demo`: the whole of it on one machine, with five operators that are simulated.

The engine is the real one, on real TCP with a ledger on disk. Made up are the operators, and the
calendar of the sample file: it is moved to today, because agreements and attestations run out.
"""

import re
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from datetime import UTC, date, datetime
from functools import partial
from hashlib import blake2b
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import TextIO

import attrs
import click
import trio

from whiteroute.engine.carrier import Host
from whiteroute.engine.config import Config, parse_config
from whiteroute.engine.ledger import MessageHistory, open_ledger_for_reading
from whiteroute.engine.messages import Message, Outcome
from whiteroute.engine.service import open_engine
from whiteroute.simulators import open_message_center

from .capturing import Capturing, capture_options
from .demo_tables import print_opening, print_tables
from .interruption import Interruption, open_interruption
from .messages_file import Defaults, open_messages, read_messages
from .operators import Operator, make_operators
from .output import complain, print_json, say
from .progress import Progress
from .sending import Sending, Wait
from .summary import Figures

SAMPLE = files("whiteroute.tools") / "sample"
SAMPLE_WRITTEN = date(2026, 11, 22)
"""The day that is today in the sample TOML."""

RECEIPTS_TIMEOUT = 20.0
"""Seconds; the slowest simulated handset takes three."""


@attrs.define(eq=False, kw_only=True)
class Demonstration:
    """What is sent through whom, and where it is remembered."""

    operators: tuple[Operator, ...]
    config: Config
    ledger: str
    messages: Iterator[Message]
    seed: int
    capturing: Capturing
    is_interrupted: bool = False
    sent: list[str] = attrs.field(factory=list)
    """message_refs that the ledger did not know, in the order in which they were done."""
    known: int = 0
    """How many it knew; they are not sent again."""

    def note(self, outcome: Outcome) -> None:
        """Note a message that is done."""
        if outcome.known:
            self.known += 1
        else:
            self.sent.append(outcome.message_ref)


@click.command("demo")
@click.option("--messages", "messages_file", metavar="CSV", help="Instead of the 205 samples.")
@click.option("--ledger", metavar="FILE", help="Default: a new one in the temporary folder.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same, the same figures.")
@click.option("--json", "as_json", is_flag=True, help="The figures as one object, the last line.")
@capture_options
def command(
    messages_file: str | None,
    ledger: str | None,
    seed: int,
    as_json: bool,
    capture_file: str | None,
    unmasked: bool,
) -> int:
    """Send sample messages through five simulated operators.

    With three there is an agreement; one is a hub that poses as direct, one a rack of SIM cards. The
    messages are routed, sent, and followed to their receipts, in less than ten seconds.
    """
    unreadable: list[str] = []
    name = messages_file or "messages.csv"
    with _open_sample() if messages_file is None else open_messages(messages_file) as lines:
        messages = read_messages(lines, name, Defaults(sender="KESTREL"), unreadable.append)
        demonstration = Demonstration(
            operators=make_operators(seed),
            config=load_sample(datetime.now(UTC).date()),
            ledger=ledger or str(Path(tempfile.mkdtemp(prefix="whiteroute-demo-")) / "ledger.db"),
            messages=_named(messages),
            seed=seed,
            capturing=Capturing(capture_file, unmasked),
        )
        if not as_json:
            print_opening(demonstration.operators)
        trio.run(_demonstrate, demonstration)
    for line in unreadable:
        complain(line)
    figures, histories = _count(demonstration)
    if as_json:
        print_json(figures.to_dict(demonstration.ledger))
    else:
        print_tables(
            figures,
            histories,
            demonstration.operators,
            demonstration.config,
            demonstration.ledger,
        )
    if unreadable:
        return 2
    is_whole = figures.receipts == figures.parts and not figures.in_doubt
    return 0 if is_whole and not demonstration.is_interrupted else 1


def _open_sample() -> TextIO:
    return StringIO((SAMPLE / "messages.csv").read_text("utf-8"), newline="")


def load_sample(today: date) -> Config:
    """Read the sample TOML as if it had been written today."""

    def move(found: re.Match[str]) -> str:
        return (date.fromisoformat(found[0]) + (today - SAMPLE_WRITTEN)).isoformat()

    text = (SAMPLE / "carriers.toml").read_text("utf-8")
    return parse_config(re.sub(r"\b\d{4}-\d\d-\d\d\b", move, text), file="carriers.toml")


def _named(messages: Iterator[Message]) -> Iterator[Message]:
    """Name messages that have no name, always the same way: routing shares traffic out by it."""
    for number, message in enumerate(messages, 1):
        if message.message_ref is None:
            said = f"{number}/{message.to}/{message.sender}/{message.text}"
            message.message_ref = f"demo-{blake2b(said.encode(), digest_size=6).hexdigest()}"
        yield message


async def _demonstrate(demonstration: Demonstration) -> None:
    with open_interruption() as interruption, Progress() as progress:
        async with AsyncExitStack() as running:
            hosts: dict[str, Host] = {}
            for operator in demonstration.operators:
                center = await running.enter_async_context(open_message_center(operator.center))
                hosts[operator.carrier] = Host(center.host, center.port)
            capture = await running.enter_async_context(demonstration.capturing.open())
            config = _with_hosts(demonstration.config, hosts)
            engine = await running.enter_async_context(
                open_engine(
                    config,
                    ledger=demonstration.ledger,
                    seed=demonstration.seed,
                    capture=capture,
                )
            )
            sending = Sending(
                engine=engine,
                messages=demonstration.messages,
                wait=Wait.RECEIPT,
                on_done=demonstration.note,
                on_news=lambda: progress.show(sending),
            )
            await _run(sending, interruption)
    demonstration.is_interrupted = interruption.happened
    demonstration.sent += [*sending.left, *sending.unreceipted]


async def _run(sending: Sending, interruption: Interruption) -> None:
    await interruption.run(partial(sending.run, RECEIPTS_TIMEOUT))
    if interruption.happened:
        say("Interrupted; waiting for the answers that are still out.")


def _with_hosts(config: Config, hosts: dict[str, Host]) -> Config:
    """Put in the ports that were free."""
    carriers = {
        name: attrs.evolve(settings, hosts=(hosts[name],))
        for name, settings in config.carriers.items()
    }
    return attrs.evolve(config, carriers=carriers)


def _count(demonstration: Demonstration) -> tuple[Figures, list[MessageHistory]]:
    """Count what the ledger holds of this run."""
    with closing(open_ledger_for_reading(demonstration.ledger)) as reader:
        found = [reader.message(message_ref) for message_ref in sorted(demonstration.sent)]
    histories = [history for history in found if history is not None]
    figures = Figures(messages=len(histories) + demonstration.known, known=demonstration.known)
    for history in histories:
        figures.add(history)
    return figures, histories
