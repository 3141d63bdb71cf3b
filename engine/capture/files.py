"""The files of a capture: one being written, and as many before it as are to be kept."""

import os
from pathlib import Path

import attrs

from .errors import CaptureError

__all__ = ["CaptureFiles"]


@attrs.define(eq=False)
class CaptureFiles:
    """Whole blocks in, and never less than a whole block in a file."""

    path: Path
    """The file being written; those before it are `name.1.pcapng`, `name.2.pcapng` and so on."""
    keep: int
    """How many files there may be, 1 or more."""
    size: int = attrs.field(default=0, init=False)
    """Octets in the file being written."""
    _descriptor: int | None = attrs.field(default=None, init=False)

    def begin(self) -> None:
        """Begin a file; it takes the place of one that has its name.

        Raises:
            CaptureError: It cannot be made.
        """
        try:
            # Nobody else may read it: unmasked, it holds what subscribers wrote.
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            self._descriptor = os.open(self.path, flags, 0o600)
        except OSError as error:
            raise self._error(error, "a file that can be made") from error
        self.size = 0

    def write(self, octets: bytes) -> None:
        """Write whole blocks, all or none of them.

        Raises:
            CaptureError: They cannot be written; the file ends with the blocks before them.
        """
        assert self._descriptor is not None
        left = memoryview(octets)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._cut()
            raise self._error(error, f"room for {len(octets):,} octets") from error
        self.size += len(octets)

    def turn(self) -> None:
        """Put the file away and begin the next; the oldest goes when there are too many.

        Raises:
            CaptureError: A file cannot be renamed or made.
        """
        self.close()
        try:
            for age in range(self.keep - 1, 0, -1):
                newer = self._kept(age - 1)
                if newer.exists():
                    newer.replace(self._kept(age))
        except OSError as error:
            raise self._error(error, "a file that can be renamed") from error
        self.begin()

    def close(self) -> None:
        """Close the file, if one is open."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _kept(self, age: int) -> Path:
        if not age:
            return self.path
        return self.path.with_name(f"{self.path.stem}.{age}{self.path.suffix}")

    def _cut(self) -> None:
        assert self._descriptor is not None
        try:
            os.ftruncate(self._descriptor, self.size)
        except OSError:
            return  # a pipe, or a disk that is gone; what was said of the write is what counts

    def _error(self, error: OSError, expected: str) -> CaptureError:
        return CaptureError(
            found=error.strerror or str(error), expected=expected, where=str(self.path)
        )
