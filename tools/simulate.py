"""`whiteroute simulate`: an operator's message centre on TCP, which tells what it sees.

Behaviours and what becomes of messages are those of `whiteroute.simulators`; here are its port, its
account and its voice.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import attrs
import click
import trio

from whiteroute.pdu import status_name
from whiteroute.simulators import (
    TYPICAL_HANDSETS,
    Account,
    CenterEvent,
    Handsets,
    MessageCenter,
    open_message_center,
)

from .capturing import Capturing, capture_options
from .interruption import open_interruption
from .output import complain, print_json


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
@click.option("--seed", type=int, default=1, show_default=True, help="All chance comes from it.")
@click.option("--json", "as_json", is_flag=True, help="An event per line, as it happens.")
@capture_options
def command(
    host: str,
    port: int,
    system_id: str | None,
    password: str | None,
    delay: float,
    seed: int,
    as_json: bool,
    capture_file: str | None,
    unmasked: bool,
) -> int:
    """Be an operator's message centre until interrupted.

    Messages are delivered, or fail, like a weekday's: 93 of 100 arrive. With --json the first line is
    {"listening": {"host", "port"}}.
    """
    if password is not None and system_id is None:
        raise click.UsageError("--password without --system-id")
    center = MessageCenter(
        accounts=_accounts(system_id, password),
        handsets=_handsets(delay),
        seed=seed,
        on_event=_tell_json if as_json else _tell,
    )
    announce = _announce_json if as_json else _announce
    return trio.run(_serve, center, host, port, announce, Capturing(capture_file, unmasked))


def _accounts(system_id: str | None, password: str | None) -> tuple[Account, ...]:
    return () if system_id is None else (Account(system_id=system_id, password=password or ""),)


def _handsets(delay: float) -> Handsets:
    return attrs.evolve(
        TYPICAL_HANDSETS, median_delay=delay, least_delay=delay / 10, most_delay=delay * 20
    )


async def _serve(
    center: MessageCenter,
    host: str,
    port: int,
    announce: Callable[[MessageCenter], None],
    capturing: Capturing,
) -> int:
    async with capturing.open() as capture:
        center.observer = None if capture is None else capture.observe
        return await _listen(center, host, port, announce)


async def _listen(
    center: MessageCenter, host: str, port: int, announce: Callable[[MessageCenter], None]
) -> int:
    with open_interruption() as interruption:
        try:
            async with open_message_center(center, host=host, port=port):
                announce(center)
                await interruption.run(trio.sleep_forever)
        except OSError as error:
            complain(f"--port: {error.strerror}, expected a free port of this machine; 0 finds one")
            return 2
    return 0


def _announce(center: MessageCenter) -> None:
    allowed = [account.system_id for account in center.accounts]
    who = f"system_id {allowed[0]}" if allowed else "any system_id and password"
    click.echo(f"Listening on {center.host}:{center.port} for {who}. Ctrl-C ends it.")


def _announce_json(center: MessageCenter) -> None:
    print_json({"listening": {"host": center.host, "port": center.port}})


def _tell_json(event: CenterEvent) -> None:
    print_json(event.facts())


def _tell(event: CenterEvent) -> None:
    """Tell an event on one line: when, what, who, from whom to whom, and how it was answered."""
    moment = datetime.fromtimestamp(event.at / 1e6, UTC)
    words = [f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d}", f"{event.event:<21}"]
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
