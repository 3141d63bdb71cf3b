"""The command `whiteroute`: which commands there are, and how every one of them ends.

A command's module is loaded when that command is asked for, so that `--help` is quick. A command
returns its exit code: 0 (or nothing) it did what was asked, 1 the answer is no, 2 the call was wrong.
What is wrong with a call or with a file is raised, and told here in one line.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import NoReturn

import click

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "demo": "Send sample messages through five simulated operators.",
        "run": "Run the engine as a service, until it is told to stop.",
        "send": "Send messages, from the command line or from a file.",
        "explain": "Show which route a message would take, and why not the others.",
        "routes": "List the routes, or look through them for faults.",
        "coverage": "Show which networks have a direct route for which class, and until when.",
        "profiles": "Show what carriers can be like, and every setting of a profile.",
        "receipts": "Show what became of messages, all or one.",
        "ledger": "Purge a ledger, or look whether it is sound.",
        "simulate": "Be an operator's message centre on TCP.",
        "diagnose": "Find out why a bind does not work, stage by stage.",
        "decode": "Make PDUs readable.",
        "encode": "Write PDUs as hex, from what `decode --json` printed.",
        "bench": "Measure what things cost on this machine.",
    }
)
"""Each command, in the order of `--help`, with its line there; its module has the same name."""

INTERRUPTED = 130
"""What shells say of a program that SIGINT ended."""


class CommandGroup(click.Group):
    """Commands that are loaded late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names, in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command; None for a name that there is not."""
        if cmd_name not in COMMANDS:
            return None
        command: object = import_module(f"whiteroute.tools.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        # Only now: looking at what is installed takes longer than all the rest of `--help`.
        from importlib.metadata import version

        click.echo(f"whiteroute {version('whiteroute')}")
        context.exit()


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def whiteroute() -> None:
    """SMS over SMPP, on direct routes only, and every receipt accounted for.

    Exit codes: 0 it did what was asked, 1 the answer is no, 2 the call was wrong.
    With --json there is one object per line on standard output, and everything meant for eyes goes to
    standard error.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit.

    Args:
        arguments: What stands behind `whiteroute`. Default: None, those of the process.
    """
    code: object
    try:
        code = whiteroute.main(arguments, prog_name="whiteroute", standalone_mode=False)
    except click.ClickException as error:
        code = _complain(_in_one_line(error))
    except click.Abort:
        code = INTERRUPTED
    except BaseExceptionGroup as group:
        # What is raised inside the engine comes out of its nurseries in groups.
        errors = list(_leaves(group))
        if not all(isinstance(error, (*_known_errors(), BrokenPipeError)) for error in errors):
            raise
        code = _tell(errors)
    except _known_errors() as error:
        code = _complain(str(error))
    sys.exit(code if isinstance(code, int) else 0)


def _tell(errors: list[BaseException]) -> int:
    if any(isinstance(error, BrokenPipeError) for error in errors):
        # Whoever read along has gone. As Python asks, so that its own last flush does not fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return _complain("\n".join(dict.fromkeys(map(str, errors))))


def _complain(lines: str) -> int:
    for line in lines.splitlines():
        click.echo(f"whiteroute: {line}", err=True)
    return 2


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _in_one_line(error: click.ClickException) -> str:
    """Say what click has found, and where its help is, in the house's form."""
    message = " ".join(error.format_message().split()).rstrip(".")
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return message
    path = error.ctx.command_path
    where = path.removeprefix("whiteroute").strip()
    return f"{where}{where and ': '}{message}, expected what `{path} --help` says"


def _known_errors() -> tuple[type[Exception], ...]:
    """The exceptions whose text is meant for whoever typed the command.

    Asked for only when something was raised, because their rooms bring Trio with them.
    """
    from whiteroute.engine.config import ConfigError
    from whiteroute.engine.ledger import LedgerError
    from whiteroute.pdu import EncodeError, FramingError

    return (ConfigError, LedgerError, EncodeError, FramingError)
