"""The lower floors know no clock, socket, chance, log or file: all that is passed in."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from whiteroute.tools import floors

Build = Callable[[Mapping[str, str]], Path]

HOUSE = Path(__file__).resolve().parent.parent.parent
PURE_ROOMS = [
    room
    for floor in floors.FLOORS
    for room in floor.rooms
    if floor.pure and f"{floors.PACKAGE}.{room}" in floors.find_modules(HOUSE)
]

IMPURE_MODULES = {
    "asyncio", "concurrent", "http", "importlib", "io", "logging", "multiprocessing", "os",
    "pathlib", "queue", "random", "secrets", "select", "selectors", "shutil", "signal", "smtplib",
    "socket", "socketserver", "sqlite3", "ssl", "subprocess", "tempfile", "threading", "time",
    "urllib", "uuid", "warnings",
}  # fmt: skip
"""Parts of the standard library that reach outside."""

PURE_STRANGERS = {"attrs"}
"""What the pure floors may use besides the standard library."""

IMPURE_CALLS = {"open", "print", "input", "breakpoint"}
IMPURE_METHODS = {"now", "utcnow", "today"}
"""Of datetime and date, which are fine as types."""

HEAVY_MODULES = {"asyncio", "logging", "random", "socket", "sqlite3", "ssl", "subprocess", "trio"}
"""Modules that may not even be there after a pure room was imported; attrs brings none of them."""


def impurities(root: Path) -> list[str]:
    """Every place where a module of a pure room reaches outside."""
    return [
        f"{path.as_posix()}:{fault}"
        for module, path in floors.find_modules(root).items()
        if (room := floors.room_of(module)) and floors.FLOOR_OF[room].pure
        for fault in _reaching_out(ast.parse((root / path).read_text("utf-8")))
    ]


def _reaching_out(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        imported: list[str] = []
        match node:
            case ast.Import(names=names):
                imported = [alias.name.split(".")[0] for alias in names]
            case ast.ImportFrom(module=str(module), level=0):
                imported = [module.split(".")[0]]
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                found.append(f"{node.lineno}: calls {name}")
            case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=name)) if (
                name in IMPURE_METHODS and of in {"datetime", "date", "dt"}
            ):
                found.append(f"{node.lineno}: asks {of}.{name} for the time")
        for name in imported:
            known = name in sys.stdlib_module_names or name == floors.PACKAGE
            if name in IMPURE_MODULES or not (known or name in PURE_STRANGERS):
                found.append(f"{node.lineno}: imports {name}")
    return found


def in_a_new_python(program: str) -> str:
    """What a program prints in a process of its own that nobody measures."""
    measuring = ("COVERAGE_", "COV_CORE_", "PYTHONDONTWRITEBYTECODE")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(measuring)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
    )
    return done.stdout.strip()


def test_the_pure_floors_reach_nowhere(house: Path) -> None:
    assert [] == impurities(house)


@pytest.mark.parametrize("room", PURE_ROOMS)
def test_importing_a_pure_room_brings_no_heavy_module(room: str) -> None:
    loaded = in_a_new_python(
        f"import sys, {floors.PACKAGE}.{room}\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    )

    assert set() == HEAVY_MODULES & set(loaded.split())


def test_importing_the_package_alone_brings_no_room() -> None:
    loaded = in_a_new_python("import sys, whiteroute\nprint(*sys.modules)")

    assert [] == [m for m in loaded.split() if m.startswith(tuple(_rooms_of_the_package()))]


def _rooms_of_the_package() -> list[str]:
    return [f"{floors.PACKAGE}.{folder}" for folder in floors.FOLDERS]


def test_the_codec_is_imported_in_a_blink() -> None:
    program = (
        "import time\nbegun = time.process_time()\nimport whiteroute.pdu\n"
        "print(time.process_time() - begun)"
    )

    # The first run may have to compile; the best of several is what a user meets ever after.
    assert min(float(in_a_new_python(program)) for _ in range(5)) < 0.25


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("pdu/codec.py", "import time", "imports time"),
        ("pdu/codec.py", "from os.path import join", "imports os"),
        ("routing/choose.py", "def f(): import random", "imports random"),
        ("routing/choose.py", "import numpy as np", "imports numpy"),
        ("engine/profile.py", "import trio", "imports trio"),
        ("engine/session/window.py", "from logging import getLogger", "imports logging"),
        ("engine/messages/outcome.py", "x = datetime.now(UTC)", "asks datetime.now for the time"),
        ("engine/messages/outcome.py", "x = open('plan.csv')", "calls open"),
    ],
)
def test_reaching_out_is_found(build: Build, file: str, line: str, fault: str) -> None:
    assert [f"{file}:1: {fault}"] == impurities(build({file: line}))


def test_values_and_the_upper_floors_are_free(build: Build) -> None:
    root = build(
        {
            "pdu/codec.py": "import attrs, struct\nfrom datetime import datetime\nfrom .tlv import Tlv",
            "engine/link.py": "import time, trio\nprint(time.time())",
            "tools/main.py": "import os, logging",
        }
    )

    assert [] == impurities(root)
