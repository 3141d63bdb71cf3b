"""The peers that `make interop` installs, as fixtures; without one its tests are skipped, saying so.

Only `make interop` runs what is in this folder: it needs programs that are no Python packages.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).parent
NODE_MODULES = HERE.parent.parent / ".interop/node_modules"
PORT = 2775
MALFORMED = "_ws.malformed"

Said = dict[str, object]


@pytest.fixture(scope="session")
def node() -> Iterator[Callable[[Said], Said]]:
    """Ask node-smpp one thing; see node_smpp.js for what."""
    if shutil.which("node") is None or not (NODE_MODULES / "smpp/package.json").exists():
        pytest.skip("LEFT OUT node-smpp: it or node itself is not installed (`make interop`)")
    with subprocess.Popen(
        ["node", str(HERE / "node_smpp.js")],
        env=os.environ | {"NODE_PATH": str(NODE_MODULES)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(request: Said) -> Said:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@pytest.fixture(scope="session")
def dissect(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Iterable[bytes]], list[ElementTree.Element]]:
    """Have tshark take frames apart, each in a packet of its own; give its `smpp` element of each.

    Where it gave up on one, its element for that is put inside.
    """
    for program in ("tshark", "text2pcap"):
        if shutil.which(program) is None:
            pytest.skip(f"LEFT OUT tshark: {program} is not installed (`make interop`)")
    folder = tmp_path_factory.mktemp("tshark")

    def take_apart(frames: Iterable[bytes]) -> list[ElementTree.Element]:
        dump = "".join(f"0000 {frame.hex(' ')}\n" for frame in frames)
        (folder / "frames.txt").write_text(dump, "ascii")
        capture = folder / "frames.pcap"
        ports = f"40000,{PORT}"
        text2pcap = ["text2pcap", "-q", "-T", ports, str(folder / "frames.txt"), str(capture)]
        subprocess.run(text2pcap, check=True, capture_output=True)
        told = subprocess.run(
            [
                *("tshark", "-r", str(capture), "-d", f"tcp.port=={PORT},smpp", "-T", "pdml"),
                *("-J", "smpp", "-o", "smpp.decode_sms_over_smpp:GSM 7-bit"),
            ],
            check=True,
            capture_output=True,
            env=os.environ | {"TZ": "UTC"},
        ).stdout
        # Texts stand in it as they are, control characters and half surrogate pairs included.
        text = re.sub(
            r"[\x00-\x08\x0b\x0c\x0e-\x1f]",
            "\N{REPLACEMENT CHARACTER}",
            told.decode("utf-8", "replace"),
        )
        found: list[ElementTree.Element] = []
        for packet in ElementTree.fromstring(text).iter("packet"):
            smpp = packet.find("proto[@name='smpp']")
            assert smpp is not None
            smpp.extend(packet.findall(f"proto[@name='{MALFORMED}']"))
            found.append(smpp)
        return found

    return take_apart
