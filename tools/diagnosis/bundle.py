"""Everything that was seen, in one ZIP for the carrier's support, with nothing private in it."""

import json
import os
import platform
import ssl
import tempfile
import zipfile
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import attrs
import trio

from whiteroute.engine.capture import Capture, open_capture
from whiteroute.engine.link import Link, Observer
from whiteroute.pdu import command_name, status_name

from .cover import Cover
from .stage import StageReport, Verdict

__all__ = ["Bundle", "BundleError", "open_bundle"]

KEPT_PDUS: Final = 20_000
"""PDUs that are listed, the latest; the capture has its own bounds."""

_ABOUT = """What whiteroute diagnose saw of a message centre.

verdict.txt    what it comes to, stage by stage, for people
stages.jsonl   the same for programs: an object for each stage, the verdict last
pdus.txt       every PDU: UTC, direction, name, sequence number, status, hex
pdus.pcapng    the same for Wireshark; the TCP around them is made up, addresses and times are real
versions.json  what took part

Passwords and texts are covered by x, octet for octet; of subscribers' numbers the middle digits are.
"""


class BundleError(Exception):
    """The file cannot be written; the text says where and why."""


@attrs.define(eq=False, kw_only=True)
class Bundle:
    """What goes into the file; made by `open_bundle`."""

    path: Path
    cover: Cover
    capture: Capture
    epoch: float
    """UTC seconds at second 0 of Trio's clock."""
    lines: deque[str] = attrs.field(factory=lambda: deque[str](maxlen=KEPT_PDUS))
    reports: list[StageReport] = attrs.field(factory=list[StageReport])
    verdict: Verdict | None = None
    text: str = ""
    """What people were shown."""

    @property
    def observer(self) -> Observer:
        """Sees every PDU."""
        return self._observe

    def _observe(self, link: Link, outgoing: bool, octets: bytes, now: float) -> None:
        shown = self.cover.pdu(octets)
        self.capture.observe(link, outgoing, shown, now)
        self.lines.append(_line(link.name, outgoing, shown, self.epoch + now))


@asynccontextmanager
async def open_bundle(
    path: str, cover: Cover, *, now_at: float, inline: bool = False
) -> AsyncIterator[Bundle]:
    """Collect for as long as the block lasts, then write the file, whatever happened.

    Args:
        path: The ZIP; one of that name is replaced. Only its owner may read it.
        cover: Keeps the password out.
        now_at: UTC seconds since the epoch, now.
        inline: Write on the event loop; only for tests under a virtual clock.

    Raises:
        BundleError: It cannot be made; told at the beginning.
    """
    target = Path(path)
    _make(target)
    with tempfile.TemporaryDirectory(prefix="whiteroute-") as folder:
        pcapng = Path(folder) / "pdus.pcapng"
        async with open_capture(pcapng, files=1, inline=inline) as capture:
            bundle = Bundle(
                path=target, cover=cover, capture=capture, epoch=now_at - trio.current_time()
            )
            try:
                yield bundle
            finally:
                captured = True
        if captured:
            _write(bundle, pcapng.read_bytes())


def _make(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}, expected a file that can be made") from None


def _write(bundle: Bundle, pcapng: bytes) -> None:
    records = [report.to_dict() for report in bundle.reports]
    if bundle.verdict is not None:
        records.append(bundle.verdict.to_dict())
    with zipfile.ZipFile(bundle.path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", _ABOUT)
        file.writestr("verdict.txt", bundle.text)
        file.writestr("stages.jsonl", "".join(json.dumps(record) + "\n" for record in records))
        file.writestr("pdus.txt", "".join(line + "\n" for line in bundle.lines))
        file.writestr("pdus.pcapng", pcapng)
        file.writestr(
            "versions.json", json.dumps(_versions(("whiteroute", "trio", "smpplib")), indent=1)
        )


def _line(name: str, outgoing: bool, octets: bytes, at: float) -> str:
    command_id, status, number = (int.from_bytes(octets[i : i + 4], "big") for i in (4, 8, 12))
    moment = datetime.fromtimestamp(at, UTC)
    arrow = "->" if outgoing else "<-"
    return (
        f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z {arrow} {name}: {command_name(command_id)}"
        f" {number} {status_name(status)} {octets.hex()}"
    )


def _versions(names: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "openssl": ssl.OPENSSL_VERSION,
    }
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found
