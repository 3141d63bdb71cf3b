"""Imports only go down the floors, through front doors, and README.md shows what they do."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from whiteroute.tools import floors

Build = Callable[[Mapping[str, str]], Path]


def test_the_house_keeps_its_floors(house: Path) -> None:
    assert [] == floors.faults(house)


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        (
            "pdu/codec.py",
            "from whiteroute.engine.session import Session",
            "climbs to engine.session",
        ),
        ("pdu/codec.py", "import whiteroute.routing", "climbs to routing"),
        ("pdu/codec.py", "def f(): from whiteroute.tools import main", "climbs to tools"),
        ("engine/session/a.py", "from whiteroute.engine.profile import P", "climbs to engine.prof"),
        ("engine/session/a.py", "from whiteroute import Engine", "climbs to whiteroute"),
        ("engine/link.py", "from .carrier import Carrier", "climbs to engine.carrier"),
        ("engine/link.py", "from . import carrier", "climbs to engine.carrier"),
        ("tools/main.py", "from whiteroute.errors import ConfigError", "climbs to whiteroute"),
        (
            "routing/choose.py",
            "from whiteroute.engine.session import S",
            "another folder on its own",
        ),
        (
            "simulators/a.py",
            "from whiteroute.engine.carrier import Carrier",
            "another folder on its",
        ),
        ("tools/decode.py", "from whiteroute.pdu.codec import decode", "past the front door"),
        ("tools/decode.py", "import whiteroute.pdu.codec", "past the front door"),
        ("engine/link.py", "from .session.window import Window", "past the front door"),
        ("tools/main.py", "from whiteroute.engine import Engine", "no front door of its own"),
        ("pdu/codec.py", "from whiteroute.pdu.tlv import Tlv", "inside a room import relatively"),
        ("engine/__init__.py", "from .service import Engine", "imports nothing"),
        ("engine/attic.py", "", "stands on no floor"),
    ],
)
def test_a_breach_is_found_where_it_stands(build: Build, file: str, line: str, fault: str) -> None:
    sound = {
        f"{room.replace('.', '/')}{'.py' if room.count('.') else '/__init__.py'}": ""
        for room in floors.FLOOR_OF
        if room not in ("", "engine.session", "engine.messages", "engine.ledger")
    }
    sound |= {"engine/session/__init__.py": "", "engine/session/window.py": "", "pdu/tlv.py": ""}
    root = build({**sound, file: line})

    [found] = floors.faults(root)

    assert found.startswith(f"{file}:")
    assert fault in found


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("pdu/codec.py", "from .tlv import Tlv"),
        ("engine/session/a.py", "from whiteroute.pdu import SubmitSm"),
        ("engine/link.py", "from .session import Session"),
        ("engine/link.py", "from whiteroute.engine.session import Session"),
        ("engine/carrier/carrier.py", "from ..ledger import Ledger"),
        ("simulators/a.py", "from whiteroute.engine.link import Link"),
        ("src/whiteroute/__main__.py", "from whiteroute.tools.main import main"),
        ("src/whiteroute/errors.py", "from .pdu import BodyError"),
        ("tools/main.py", "import trio, click"),
    ],
)
def test_the_way_down_is_free(build: Build, file: str, line: str) -> None:
    assert [] == floors.faults(build({file: line}))


def test_a_circle_is_shown_whole(build: Build) -> None:
    root = build({"pdu/tlv.py": "from .wire import Wire", "pdu/wire.py": "from .tlv import Tlv"})

    [found] = floors.faults(root)

    assert found.startswith("imports go in a circle: ")
    assert {"whiteroute.pdu.tlv", "whiteroute.pdu.wire"} == set(found.split(": ")[1].split(" <- "))


def test_the_pure_floors_are_the_lower_three() -> None:
    assert [0, 1, 2] == sorted(floor.number for floor in floors.FLOORS if floor.pure)


def test_the_picture_shows_real_imports_and_leaves_out_what_a_longer_way_tells(
    build: Build,
) -> None:
    root = build(
        {
            "pdu/__init__.py": "",
            "engine/session/__init__.py": "from whiteroute.pdu import SubmitSm",
            "engine/link.py": "from whiteroute.pdu import Framer\nfrom .session import Session",
        }
    )

    picture = floors.draw(root).splitlines()

    assert ["    engine_link --> engine_session", "    engine_session --> pdu"] == [
        line for line in picture if "-->" in line
    ]
    assert '        engine_link["engine.link"]' in picture
    assert not any("routing" in line for line in picture)


def test_only_what_stands_between_the_marks_is_redrawn() -> None:
    readme = f"before\n{floors.PICTURE_BEGINS}\nold\n{floors.PICTURE_ENDS}\nafter\n"

    drawn = floors.redraw(readme, "new")

    assert readme.replace("old", "new") == drawn
    assert "no marks\n" == floors.redraw("no marks\n", "new")


def test_the_picture_in_the_readme_is_fresh(house: Path) -> None:
    readme = (house / "README.md").read_text("utf-8")

    assert floors.redraw(readme, floors.draw(house)) == readme, "run `make format`"


def test_the_command_prints_the_picture_or_hangs_it_up(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = build(
        {"pdu/tlv.py": "", "README.md": f"{floors.PICTURE_BEGINS}\n{floors.PICTURE_ENDS}\n"}
    )
    monkeypatch.chdir(root)

    printed = CliRunner().invoke(floors.main, [])
    hung = CliRunner().invoke(floors.main, ["--write"])

    assert (0, floors.draw(root) + "\n") == (printed.exit_code, printed.output)
    assert (0, "") == (hung.exit_code, hung.output)
    readme = f"{floors.PICTURE_BEGINS}\n{floors.draw(root)}\n{floors.PICTURE_ENDS}\n"
    assert readme == (root / "README.md").read_text("utf-8")
