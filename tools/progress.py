"""A line on the terminal that shows how far a run of messages has come; nothing where nobody looks.

Drawn at most four times a second, because drawing holds up the event loop: measured, 13 ms usually.
"""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from .sending import Sending

INTERVAL = 0.25
"""Seconds between two drawings."""


class Progress:
    """Shows a run's figures on standard error while the block lasts, and wipes them at its end."""

    def __init__(self, *, shown: bool = True) -> None:
        """Draw nothing unless wanted, and unless standard error is a terminal."""
        self._live: Live | None = None
        self._drawn_at = 0.0
        if shown and sys.stderr.isatty():
            console = Console(stderr=True)
            self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        """Begin."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        if self._live is not None:
            self._live.stop()

    def show(self, sending: Sending) -> None:
        """Draw the figures, unless that was done just now."""
        now = time.monotonic()
        if self._live is not None and now - self._drawn_at >= INTERVAL:
            self._drawn_at = now
            self._live.update(Text(in_words(sending)), refresh=True)


def in_words(sending: Sending) -> str:
    """Give a run's figures in one line."""
    words = [f"{sending.read:,} sent", f"{sending.accepted:,} accepted"]
    if sending.unanswered:
        words.append(f"{len(sending.unanswered):,} without an answer")
    if sending.receipts or sending.unreceipted:
        words.append(f"{sending.receipts:,} receipts")
    return ", ".join(words)
