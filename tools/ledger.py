"""`whiteroute ledger`: purge a ledger of persons and of age, look whether it is sound, make it smaller.

Purging and compacting need to own the file; beside a running engine the application asks the engine's
own ledger to purge, or `[engine] retention` does it by age.
"""

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import click

from whiteroute.engine.config import load_config
from whiteroute.engine.ledger import (
    LedgerError,
    Purge,
    Purged,
    SqliteStore,
    check_ledger,
    compact_ledger,
    count_purge,
)
from whiteroute.engine.messages import KEEP_ALL, Privacy

from .errors import CallError
from .output import count, print_json, say

_AGE = re.compile(r"([1-9][0-9]{0,5})d")
_MOMENT = 0.2
"""Seconds of purging between two looks at the keyboard."""


@click.group("ledger")
def command() -> None:
    """Look after a ledger file."""


@command.command("purge")
@click.option("--ledger", required=True, metavar="FILE", help="The ledger; no engine may own it.")
@click.option("--number", metavar="MSISDN", help="Every trace of this subscriber.")
@click.option("--older-than", metavar="AGE", help="What has been over for so long, e.g. 400d.")
@click.option(
    "--config", metavar="TOML", help="Where the key for hashed numbers is, if they are hashed."
)
@click.option("--dry-run", is_flag=True, help="Only count what would go.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one object.")
def purge_command(
    ledger: str,
    number: str | None,
    older_than: str | None,
    config: str | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Take one subscriber, or what is old, out of a ledger.

    By number the lines stay, without the number, the text and the octets. By age finished messages go
    with all that belongs to them. What may still be sent is never touched. Exit code 1 if something
    of that number may still be sent, so that it has to be purged again later.
    """
    order = _order(number, older_than, datetime.now(UTC))
    privacy = KEEP_ALL if config is None else load_config(config).privacy
    if dry_run:
        purged = count_purge(ledger, order, privacy)
    else:
        purged = _purge(ledger, order, privacy)
    _print_purged(purged, dry_run, as_json)
    return 1 if purged.left else 0


def _purge(ledger: str, order: Purge, privacy: Privacy) -> Purged:
    if not Path(ledger).is_file():
        raise LedgerError("no such file", "a ledger", ledger)
    with closing(SqliteStore(ledger, privacy=privacy)) as store:
        mine = store.begin_purge(order)
        purged = Purged()
        # What an interrupted purge has left comes first.
        while not (purged.is_done and purged.order == mine):
            purged = store.purge_some(_MOMENT) or purged
        return purged


def _order(number: str | None, older_than: str | None, now: datetime) -> Purge:
    if (number is None) is (older_than is None):
        raise click.UsageError("either --number or --older-than")
    now_at = round(now.timestamp() * 1e6)
    if number is not None:
        try:
            return Purge(begun_at=now_at, number=number)
        except ValueError:
            # Not quoted: what was typed here is a person's.
            raise CallError("--number: too short, expected a whole international number") from None
    assert older_than is not None
    age = _AGE.fullmatch(older_than.strip())
    try:
        before_at = (
            0 if age is None else round((now - timedelta(days=int(age[1]))).timestamp() * 1e6)
        )
    except (OverflowError, ValueError):
        before_at = 0
    if before_at <= 0:
        raise CallError(f"--older-than: {older_than!r}, expected days, such as 400d")
    return Purge(begun_at=now_at, before_at=before_at)


def _print_purged(purged: Purged, dry_run: bool, as_json: bool) -> None:
    counts = attrs.asdict(purged, filter=attrs.filters.exclude("order", "is_done"))
    if as_json:
        print_json({**counts, "dry_run": dry_run})
        return
    click.echo(
        f"{'would be purged' if dry_run else 'purged'}: {count(purged.messages, 'message')},"
        f" {count(purged.receipts, 'receipt')}, {count(purged.conversations, 'reply', 'replies')}"
        f" in {count(purged.inbound, 'segment')}"
    )
    if purged.left:
        say(f"{count(purged.left, 'message')} of that number may still be sent: purge again later")


@command.command("check")
@click.argument("file", metavar="FILE")
@click.option("--json", "as_json", is_flag=True, help="One object.")
def check_command(file: str, as_json: bool) -> int:
    """Read a whole ledger: is it sound, and how much is in it. Exit code 1 if it is damaged."""
    found = check_ledger(file)
    if as_json:
        print_json({"file": file, **attrs.asdict(found)})
        return 1 if found.faults else 0
    click.echo(f"{file}: version {found.version}, {'damaged' if found.faults else 'sound'}")
    for fault in found.faults:
        click.echo(f"  {fault}")
    for table, lines in found.lines.items():
        click.echo(f"  {table:<14}{lines:>14,}")
    click.echo(f"  {'octets':<14}{found.octets:>14,}, {found.free_octets:,} of them free")
    if found.has_writer:
        click.echo("  an engine is writing it")
    if not found.gives_back:
        click.echo("  free octets stay in the file: `whiteroute ledger compact` it once")
    return 1 if found.faults else 0


@command.command("compact")
@click.argument("file", metavar="FILE")
def compact_command(file: str) -> None:
    """Rewrite a ledger without what is free in it; from then on purging makes it smaller by itself.

    Needed once for files of older versions. It needs room for a copy, and no engine may own the file.
    """
    before = check_ledger(file).octets
    compact_ledger(file)
    click.echo(f"{file}: {before:,} octets, now {check_ledger(file).octets:,}")
