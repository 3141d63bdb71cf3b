"""Why a capture cannot be written."""

import attrs

__all__ = ["CaptureError"]


@attrs.define(eq=False)
class CaptureError(Exception):
    """The file cannot be written."""

    found: str
    """What is the matter, e.g. `No such file or directory`."""
    expected: str
    """What would have been right."""
    where: str
    """The file."""

    def __str__(self) -> str:
        return f"{self.where}: {self.found}, expected {self.expected}"
