"""One stage of a diagnosis as it is told: what was seen, how long it took, and what may be behind it."""

from collections.abc import Mapping
from typing import Any

import attrs

from whiteroute.pdu import status_name

from .causes import Hint

__all__ = ["StageReport", "Verdict"]


@attrs.frozen(kw_only=True)
class StageReport:
    """A stage that is over."""

    stage: str
    """`dns`, `tcp`, `tls`, `bind` and so on."""
    ok: bool
    elapsed: float
    """Seconds."""
    finding: str
    """What was seen, in a sentence or a few words."""
    host: str = ""
    """`host:port`."""
    status: int | None = None
    """The command_status that came, if one did."""
    hints: tuple[Hint, ...] = ()
    facts: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    """More of what was seen, in JSON's own types."""

    def to_dict(self) -> dict[str, object]:
        """Give it as JSON has it."""
        status = self.status
        return {
            "stage": self.stage,
            "host": self.host,
            "ok": self.ok,
            "elapsed_ms": round(self.elapsed * 1000, 3),
            "status": None
            if status is None
            else {"value": int(status), "name": status_name(status)},
            "finding": self.finding,
            "hints": [hint.to_dict() for hint in self.hints],
            **({"facts": dict(self.facts)} if self.facts else {}),
        }


@attrs.frozen(kw_only=True)
class Verdict:
    """What it all comes to."""

    sentence: str
    exit: int
    """The command's exit code: 0 all that was asked works, 1 something does not."""
    hints: tuple[Hint, ...] = ()
    """The probable causes of everything together, the most probable first."""

    def to_dict(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return {
            "verdict": self.sentence,
            "exit": self.exit,
            "hints": [hint.to_dict() for hint in self.hints],
        }
