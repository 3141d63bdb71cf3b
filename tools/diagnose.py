"""`whiteroute diagnose`: why a bind does not work, stage by stage, with the evidence for the carrier.

What is looked at, and what may be behind it, is in `diagnosis/`; here are the call and its voice.
"""

import os
import re
import shutil
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

import attrs
import click
import trio

from whiteroute.engine.config import load_config
from whiteroute.engine.messages import Message
from whiteroute.routing import NumberError, normalise_msisdn

from .diagnosis.bundle import Bundle, BundleError, open_bundle
from .diagnosis.causes import CausesError, Row, load_rows, read_rows
from .diagnosis.cover import Cover
from .diagnosis.examined import Wishes
from .diagnosis.examining import Examination, examine
from .diagnosis.second_opinion import (
    TIMEOUT,
    NoSecondOpinionError,
    ask_smpplib,
    compare,
    load_smpplib,
)
from .diagnosis.stage import StageReport, Verdict
from .diagnosis.target import Target, TargetError, read_url, take_carrier
from .errors import CallError
from .interruption import open_interruption
from .output import print_json, say

PASSWORD_VARIABLE = "WHITEROUTE_PASSWORD"

MARGIN = 15
"""Columns of a stage's name and how it went; findings and causes stand behind them."""
MOST_HINTS = 5
"""Causes shown for a stage; JSON and the bundle have them all."""

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, None: 1}


class Duration(click.ParamType):  # type: ignore[type-arg]
    """A number of seconds, or one with `s`, `m`, `h` or `d` behind it."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read it."""
        if isinstance(value, int | float):
            return float(value)
        found = _DURATION.fullmatch(str(value))
        if found is None:
            self.fail(f"{value!r}, expected a duration such as 90s, 10m or 2h", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


@attrs.define(eq=False, kw_only=True)
class Voice:
    """Tells stages and the verdict, to eyes or as JSON, and keeps what eyes were shown."""

    as_json: bool
    hosts: int = 1
    lines: list[str] = attrs.field(factory=list[str])
    is_interrupted: bool = False
    _host: str = ""

    def stage(self, report: StageReport) -> None:
        """Tell a stage."""
        if self.hosts > 1 and report.host != self._host:
            self._host = report.host
            self._say("")
            self._say(report.host)
        mark, colour = ("ok", "green") if report.ok else ("FAILED", "red")
        if report.ok and report.hints:
            mark, colour = "but", "yellow"
        head = f"{report.stage:<{MARGIN}}{mark:<8}"
        self._say_wrapped(head, f"{report.finding}  ({_took(report.elapsed)})", mark, colour)
        for number, hint in enumerate(report.hints[:MOST_HINTS], start=1):
            self._say_wrapped(f"{'':<{MARGIN}}{number:>6}. ", hint.cause)
            self._say_wrapped(f"{'':<{MARGIN}}{'':<8}", f"Check: {hint.check}")
        if self.as_json:
            print_json(report.to_dict())

    def news(self, line: str) -> None:
        """Tell at once what happened within a stage that takes long."""
        say(line)

    def verdict(self, verdict: Verdict) -> None:
        """Tell the verdict."""
        self._say("")
        self._say_wrapped(
            "", verdict.sentence, verdict.sentence, "red" if verdict.exit else "green"
        )
        if verdict.hints:
            first = verdict.hints[0]
            word = "Most probably: " if verdict.exit else "Worth a look: "
            self._say_wrapped(word, first.cause)
            self._say_wrapped("", f"Check: {first.check}")
        if self.as_json:
            print_json(verdict.to_dict())

    def _say_wrapped(self, head: str, text: str, mark: str = "", colour: str = "") -> None:
        indent = " " * len(head)
        if sys.stdout.isatty() and not self.as_json:
            width = max(shutil.get_terminal_size().columns, 50)
            told = textwrap.fill(
                text, width, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False
            )
        else:
            told = head + text
        self._say(told, mark, colour)

    def _say(self, line: str, mark: str = "", colour: str = "") -> None:
        self.lines.append(line)
        if self.as_json:
            return
        if mark and mark in line and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
            line = line.replace(mark, click.style(mark, fg=colour, bold=True), 1)
        click.echo(line)


def _took(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"


@click.command(
    "diagnose",
    epilog="""\b
Examples:
  whiteroute diagnose smpp://gateway@smsc.example.com:2775
  whiteroute diagnose 'smpps://gateway@smsc.example.com:3550?bind=tx+rx&ca_file=carrier.pem'
  whiteroute diagnose --config carriers.toml --carrier acme --bundle acme.zip
  whiteroute diagnose --config carriers.toml --carrier acme --to 34600111222 \\
      --from ACME --text Hello --wait-receipt 2m
  whiteroute diagnose smpp://gateway@192.0.2.1:2775 --watch 2h --every 30s
""",
)
@click.argument("url", required=False)
@click.option("--config", "config_file", metavar="FILE", help="Take the account from a TOML.")
@click.option("--carrier", metavar="NAME", help="Which carrier of it; not needed for an only one.")
@click.option("--to", metavar="N", help="Submit a message to this number; needs --text.")
@click.option("--text", metavar="T", help="Its text.")
@click.option(
    "--from", "sender", default="TEST", show_default=True, metavar="S", help="Its sender."
)
@click.option(
    *("--wait-receipt", "receipt_wait"),
    type=Duration(),
    default=30.0,
    show_default=True,
    help="How long to wait for its receipt; 0: not at all.",
)
@click.option(
    *("--mo", "mo_wait"),
    type=Duration(),
    default=0.0,
    help="Wait so long for a text that you send from a handset.",
)
@click.option(
    "--idle",
    type=Duration(),
    default=2.0,
    show_default=True,
    help="Send nothing for so long, to see whether the link survives.",
)
@click.option(
    "--timeout",
    type=Duration(),
    help="For every answer. Default: as the profile says (30s to bind).",
)
@click.option(
    "--patience",
    type=Duration(),
    default=0.0,
    metavar="DURATION",
    help="Ask once more after so long if the bind is one too many, to tell a stale session.",
)
@click.option(
    "--window-probe",
    is_flag=True,
    help="Send a window of messages at once; needs a tps, --to, --text.",
)
@click.option(
    "--throttle-probe",
    type=Duration(),
    default=0.0,
    metavar="DURATION",
    help="Send at exactly the contract's tps for so long, 500 messages at most; needs the same.",
)
@click.option(
    "--watch",
    type=Duration(),
    default=0.0,
    metavar="DURATION",
    help="Hold the bind for so long: drops, latency, who closed.",
)
@click.option(
    *("--every", "watch_every"),
    type=Duration(),
    default=10.0,
    show_default=True,
    help="Between two enquire_links of --watch.",
)
@click.option("--second-opinion", is_flag=True, help="Bind again by smpplib, and compare.")
@click.option(
    "--bundle", "bundle_file", metavar="OUT.zip", help="The evidence, nothing private in it."
)
@click.option("--causes", "causes_file", metavar="FILE", help="Causes of your own, in TOML.")
@click.option("--json", "as_json", is_flag=True, help="An object per stage, the verdict last.")
def command(
    url: str | None,
    config_file: str | None,
    carrier: str | None,
    to: str | None,
    text: str | None,
    sender: str,
    receipt_wait: float,
    mo_wait: float,
    idle: float,
    timeout: float | None,
    patience: float,
    window_probe: bool,
    throttle_probe: float,
    watch: float,
    watch_every: float,
    second_opinion: bool,
    bundle_file: str | None,
    causes_file: str | None,
    as_json: bool,
) -> int:
    """Find out why a bind does not work, or what is wrong once it does.

    The account is URL, smpp[s]://SYSTEM_ID[:PASSWORD]@HOST[:PORT][?KEY=VALUE&...], or a carrier of
    --config. Leave the password out of the URL, where `ps` shows it: it is taken from the variable
    WHITEROUTE_PASSWORD or asked for, and never printed.

    Keys: bind (trx, tx+rx, tx, rx), version (3.3, 3.4, 5.0), system_type, address_range,
    source_address, proxy_protocol (v1, v2), window, tps; with smpps:// also verify (full, chain,
    pinned), ca_file, certificate_file, key_file, server_name, pin.

    Exit code 1 if anything that was tried failed.
    """
    target = _target(url, config_file, carrier)
    message = _message(to, text, sender)
    if (window_probe or throttle_probe) and (message is None or target.settings.tps is None):
        raise click.UsageError("a probe without --to, --text and a tps, in the URL or the carrier")
    if watch and watch_every <= 0:
        raise click.UsageError("--every 0")
    if timeout is not None and timeout <= 0:
        raise click.UsageError("--timeout 0")
    wishes = Wishes(
        idle=idle,
        timeout=timeout,
        message=message,
        receipt_wait=receipt_wait,
        mo_wait=mo_wait,
        patience=patience,
        window_probe=window_probe,
        throttle_probe=throttle_probe,
        watch=watch,
        watch_every=watch_every,
    )
    try:
        rows = load_rows() if causes_file is None else read_rows(causes_file)
        if second_opinion:
            load_smpplib()
    except CausesError as error:
        raise CallError(f"--causes: {error}") from None
    except NoSecondOpinionError as error:
        raise CallError(f"--second-opinion: {error}") from None
    voice = Voice(as_json=as_json, hosts=len(target.settings.hosts))
    work = Work(target=target, wishes=wishes, rows=rows, voice=voice, second_opinion=second_opinion)
    try:
        return trio.run(work.run, bundle_file)
    except* TargetError as group:
        raise CallError(str(_first(group))) from None
    except* BundleError as group:
        raise CallError(f"--bundle: {_first(group)}") from None


def _first(error: BaseException) -> BaseException:
    """Give the first error of a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _target(url: str | None, config_file: str | None, carrier: str | None) -> Target:
    if (url is None) == (config_file is None):
        raise click.UsageError("neither URL nor --config, or both")
    if carrier is not None and config_file is None:
        raise click.UsageError("--carrier without --config")
    try:
        if config_file is not None:
            return take_carrier(load_config(config_file), carrier)
        target = read_url(url or "")
    except TargetError as error:
        where = f"{config_file}: " if config_file is not None else "URL: "
        raise CallError(f"{where}{error}") from None
    if target.has_password:
        return target
    password = os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        if not sys.stdin.isatty():
            raise CallError(
                f"URL: no password, expected one in {PASSWORD_VARIABLE}, in the URL, or typed at a terminal"
            )
        password = click.prompt(
            "Password", hide_input=True, default="", show_default=False, err=True
        )
    return target.with_password(password)


def _message(to: str | None, text: str | None, sender: str) -> Message | None:
    if to is None and text is None:
        return None
    if to is None or text is None:
        raise click.UsageError("one of --to and --text without the other")
    try:
        normalise_msisdn(to)
    except NumberError as error:
        raise CallError(f"--to: {to!r}, expected {error.expected}") from None
    return Message(to=to, sender=sender, text=text)


@attrs.define(eq=False, kw_only=True)
class Work:
    """A diagnosis of every host of the account, one after the other."""

    target: Target
    wishes: Wishes
    rows: tuple[Row, ...]
    voice: Voice
    second_opinion: bool = False
    inline: bool = False
    """For tests under a virtual clock."""
    examinations: list[Examination] = attrs.field(factory=list[Examination])

    async def run(self, bundle_file: str | None) -> int:
        """Work, and give the exit code."""
        with open_interruption() as interruption:
            async with self._bundle(bundle_file) as bundle:
                await interruption.run(partial(self._examine_all, bundle))
                verdict = self.sum_up(interrupted=interruption.happened)
                self.voice.verdict(verdict)
                if bundle is not None:
                    bundle.verdict, bundle.text = verdict, "\n".join(self.voice.lines) + "\n"
        return verdict.exit

    def sum_up(self, *, interrupted: bool = False) -> Verdict:
        """Make one verdict of all hosts."""
        verdicts = [each.verdict() for each in self.examinations]
        if interrupted or not verdicts:
            verdicts.append(
                Verdict(sentence="Interrupted; what follows was not looked at.", exit=1)
            )
        hints = {
            hint.id: hint for verdict in reversed(verdicts) for hint in reversed(verdict.hints)
        }
        return Verdict(
            sentence=" ".join(verdict.sentence for verdict in verdicts),
            exit=max(verdict.exit for verdict in verdicts),
            hints=tuple(reversed(hints.values())),
        )

    @asynccontextmanager
    async def _bundle(self, path: str | None) -> AsyncIterator[Bundle | None]:
        if path is None:
            yield None
            return
        cover = Cover(self.target.settings.password)
        async with open_bundle(path, cover, now_at=time.time(), inline=self.inline) as bundle:
            yield bundle

    async def _examine_all(self, bundle: Bundle | None) -> None:
        tell = self._tell_with(bundle)
        for host in self.target.settings.hosts:
            examination = await examine(
                self.target,
                host,
                self.wishes,
                self.rows,
                tell,
                None if bundle is None else bundle.observer,
                self.voice.news,
            )
            self.examinations.append(examination)
            if self.second_opinion:
                started_at = trio.current_time()
                wait = self.wishes.timeout or TIMEOUT
                opinion = await ask_smpplib(self.target, host, examination.seen, wait)
                same = compare(examination.seen.last_attempt, opinion)
                report = StageReport(
                    stage="second_opinion",
                    host=str(host),
                    ok=same,
                    elapsed=trio.current_time() - started_at,
                    finding=f"smpplib: {opinion.in_words()}; "
                    + ("both see the same" if same else "it does not see what we saw"),
                    status=opinion.command_status,
                )
                examination.reports = (*examination.reports, report)
                tell(report)

    def _tell_with(self, bundle: Bundle | None) -> Callable[[StageReport], None]:
        def tell(report: StageReport) -> None:
            if bundle is not None:
                bundle.reports.append(report)
            self.voice.stage(report)

        return tell
