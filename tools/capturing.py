"""`--capture FILE`: every PDU of a command's links into a file that Wireshark opens."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import attrs
import click

from whiteroute.engine.capture import Capture, CaptureError, open_capture
from whiteroute.pdu import Masking

from .errors import CallError
from .output import complain

_Command = TypeVar("_Command", bound=Callable[..., Any])


@attrs.frozen
class Capturing:
    """What was asked for on the command line."""

    file: str | None
    """None: no capture."""
    unmasked: bool = False

    def __attrs_post_init__(self) -> None:
        if self.unmasked and self.file is None:
            raise click.UsageError("--unmasked without --capture")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Capture | None]:
        """Capture for as long as the block lasts, if that was asked for.

        Raises:
            CallError: The file cannot be made.
        """
        if self.file is None:
            yield None
            return
        masking = Masking.NONE if self.unmasked else Masking.PRIVATE
        try:
            async with open_capture(self.file, masking=masking, on_trouble=complain) as capture:
                yield capture
        except CaptureError as error:
            raise CallError(f"--capture: {error}") from error


def capture_options(command: _Command) -> _Command:
    """Give a command `--capture` and `--unmasked`."""
    file = click.option(
        "--capture",
        "capture_file",
        metavar="FILE",
        help="Write every PDU to it as pcapng, for Wireshark and `whiteroute decode --pcap`.",
    )
    unmasked = click.option(
        "--unmasked",
        is_flag=True,
        help="Write passwords, texts and whole numbers, too.",
    )
    return file(unmasked(command))
