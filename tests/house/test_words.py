"""The glossary is the only dictionary: what we define is called what the house calls it.

Only names that we define are read, not those of others that we use; whole words of them, so that
`ascending` holds no `end`. The second half keeps the places of one machine out of every file.
"""

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

Build = Callable[[Mapping[str, str]], Path]

WE_SAY = {
    "byte": "octet",
    "bytes": "octets",
    "charset": "alphabet, or data_coding for its number",
    "client": "ESME",
    "common": "what it is for",
    "connector": "carrier",
    "correlator": "window, or ledger",
    "dlr": "receipt",
    "dlrs": "receipts",
    "handler": "what it does",
    "helper": "what it does",
    "helpers": "what they do",
    "log id": "message_ref",
    "login": "bind",
    "manager": "what it does",
    "msg id": "message_id (the carrier's), or message_ref (ours)",
    "msgid": "message_id (the carrier's), or message_ref (ours)",
    "packet": "PDU",
    "packets": "PDUs",
    "phone": "MSISDN",
    "provider": "carrier",
    "qos": "pace",
    "seq": "sequence_number",
    "seq num": "sequence_number",
    "seqnum": "sequence_number",
    "server": "MC, or message center",
    "smpp msgid": "message_id",
    "util": "what it does",
    "utils": "what they do",
}
"""The banned column of the glossary, as far as a word has no second, honest meaning here.

Left out because they do: code, connection, data, encoding, error, gateway, header, info, limit,
option, protocol, queue, report, result, status, storage, transport, vendor.
"""

MODULES_ARE_NOT_CALLED = {"data", "info", "misc", "types"}
"""Words that say nothing of a whole file."""

STANDING = {
    "sm_default_msg_id": "the specification's name",
    "QOS_TIME_TO_LIVE": "the specification's name",
    "SAR_SEGMENT_SEQNUM": "the specification's name",
    "WAP_CLIENT_ID": "a numbering plan, as the specification names it",
    "max_bytes": "Trio's own name in the streams that we implement",
    "server_hostname": "TLS's own word for the name a certificate must bear",
    "server_name": "TLS's own word for what SNI names",
    "packets": "a capture holds packets; the PDUs are inside them",
    "packet": "a capture holds packets; the PDUs are inside them",
    "Packet": "what a capture holds, by the format's own name",
    "PacketWriter": "what a capture holds, by the format's own name",
    "_packet": "what a capture holds, by the format's own name",
    "_packet_head": "what a capture holds, by the format's own name",
    "_PACKET": "what a capture holds, by the format's own name",
    "_PACKET_FLAGS": "what a capture holds, by the format's own name",
}
"""Names that stay, and why."""


def defined_names(source: str) -> Iterator[tuple[int, str]]:
    """Every name that a module gives to something, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name):
                yield node.lineno, name
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.alias(asname=str(name)) | ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name


def words_of(name: str) -> str:
    """The words of a snake or camel case name: `handleDLRPart_2` is `handle dlr part 2`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return " ".join(parted.replace("_", " ").lower().split())


def strange_words(path: Path, source: str) -> list[str]:
    """What a module and the things in it should not be called."""
    stem = path.stem.lower()
    found = [f"{path}: a file called {stem} says nothing"] * (stem in MODULES_ARE_NOT_CALLED)
    for line, name in [(1, path.stem), *defined_names(source)]:
        if name in STANDING:
            continue
        spoken = f" {words_of(name)} "
        found += [
            f"{path}:{line}: {name}: not {word} but {ours}"
            for word, ours in WE_SAY.items()
            if f" {word} " in spoken
        ]
    return found


def test_we_speak_as_the_glossary_does(house: Path, own_modules: tuple[Path, ...]) -> None:
    found = [
        strange
        for path in own_modules
        # Tests meet strangers, and call them by their names.
        if path.parts[0] != "tests"
        for strange in strange_words(path, (house / path).read_text("utf-8"))
    ]

    assert [] == found


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def parse_dlr(): pass", "dlr"),
        ("class DLRParser: pass", "dlr"),
        ("class SmppClient: pass", "client"),
        ("def f(provider_name): pass", "provider"),
        ("seq_num = 1", "seq"),
        ("self.total_bytes = 1", "bytes"),
        ("import x as utils", "utils"),
        ("for packet in pdus: self.packet.seq = 2", "seq"),
        ("try: pass\nexcept E as handler: pass", "handler"),
    ],
)
def test_a_strange_word_is_found(source: str, word: str) -> None:
    found = strange_words(Path("pdu/codec.py"), source)

    assert any(f": not {word} but " in strange for strange in found)


@pytest.mark.parametrize(
    "source",
    [
        "def from_octets(octets: bytes) -> int: return int.from_bytes(octets)",
        "sequence_number = 1",
        "class Consequence: handled = True",
        "stream = connect(server_hostname=host)",
    ],
)
def test_an_honest_word_is_left_alone(source: str) -> None:
    assert [] == strange_words(Path("pdu/codec.py"), source)


@pytest.mark.parametrize("name", ["data.py", "utils.py", "link_manager.py"])
def test_a_file_is_not_called_what_says_nothing(name: str) -> None:
    assert 1 == len(strange_words(Path("engine") / name, ""))


def _apart(*pieces: str) -> str:
    """A pattern that does not match the line it is written on."""
    return re.escape("".join(pieces))


ONE_MACHINES_PLACES = re.compile(
    "|".join(
        [
            r"(?<![\w.~])" + _apart("/", "root/"),
            r"(?<![\w.~])" + _apart("/", "work/"),
            r"(?<![\w.~])" + _apart("/", "home/") + r"\w",
            r"(?<![\w.~])" + _apart("/", "Users/") + r"\w",
            _apart(".py", "env/"),
            _apart("py", "pi.org"),
            _apart("python", "hosted.org"),
            _apart("npm", "js.org"),
            _apart("npm", "js.com"),
        ]
    )
)


def places_in(path: Path, text: str) -> list[str]:
    """Where a text names a folder of somebody's machine, or a host that packages come from."""
    return [
        f"{path}:{number}: {match[0]}"
        for number, line in enumerate(text.splitlines(), 1)
        for match in ONE_MACHINES_PLACES.finditer(line)
    ]


def test_no_file_names_a_place_on_one_machine(house: Path, own_files: tuple[Path, ...]) -> None:
    found = []
    for path in own_files:
        octets = (house / path).read_bytes()
        if b"\0" not in octets:
            found += places_in(path, octets.decode("utf-8"))

    assert [] == found


@pytest.mark.parametrize(
    "text",
    [
        "open('/" + "work/main/x.py')",
        "see /" + "home/ann/notes",
        "https://" + "py" + "pi.org/project/x",
        "# /" + "root/x",
    ],
)
def test_a_place_on_one_machine_is_found(text: str) -> None:
    assert 1 == len(places_in(Path("README.md"), text))


def test_a_path_of_ones_own_is_free() -> None:
    assert [] == places_in(Path("README.md"), "~/" + "work/x, ./home/plan.csv, tests/root/x, /home")
