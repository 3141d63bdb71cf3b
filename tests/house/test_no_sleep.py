"""No test waits for a real clock: it passes `now`, or asks for a virtual clock by name."""

import ast
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Build = Callable[[Mapping[str, str]], Path]

VIRTUAL_CLOCKS = {"autojump_clock", "mock_clock", "mock_message_center"}
"""Fixtures under which a sleep costs no time."""

REAL_SLEEPS = {"time.sleep", "asyncio.sleep"}
CLOCKED_SLEEPS = {"trio.sleep", "trio.sleep_until"}


def sleeps_in(source: str) -> list[str]:
    """Each sleep that takes real time, as line and reason."""
    tree = ast.parse(source)
    names = _names_by_import(tree)
    found = []

    def visit(node: ast.AST, clocked: bool) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = {arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)}
            clocked = clocked or bool(arguments & VIRTUAL_CLOCKS)
        elif isinstance(node, ast.Attribute | ast.Name):
            name = _dotted(node, names)
            if name in REAL_SLEEPS:
                found.append(f"{node.lineno}: {name} waits for a real clock")
            elif name in CLOCKED_SLEEPS and not clocked:
                found.append(f"{node.lineno}: {name} without {' or '.join(sorted(VIRTUAL_CLOCKS))}")
        elif _is_checkpoint(node, names):
            return
        for child in ast.iter_child_nodes(node):
            visit(child, clocked)

    visit(tree, False)
    return found


def _names_by_import(tree: ast.AST) -> dict[str, str]:
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def _dotted(node: ast.AST, names: Mapping[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def _is_checkpoint(node: ast.AST, names: Mapping[str, str]) -> bool:
    """`trio.sleep(0)` lets others run and waits for nothing."""
    match node:
        case ast.Call(func=func, args=[ast.Constant(value=0)]):
            return _dotted(func, names) == "trio.sleep"
    return False


def test_no_test_sleeps(house: Path, own_modules: tuple[Path, ...]) -> None:
    found = [
        f"{path}:{sleep}"
        for path in own_modules
        if path.parts[0] == "tests"
        for sleep in sleeps_in((house / path).read_text("utf-8"))
    ]

    assert [] == found


@pytest.mark.parametrize(
    "source",
    [
        "import time\ndef test_a(): time.sleep(1)",
        "import time\ndef test_a(autojump_clock): time.sleep(1)",
        "from time import sleep as doze\ndef test_a(): doze(1)",
        "import trio\nasync def test_a(): await trio.sleep(0.1)",
        "from trio import sleep\nasync def test_a(): await sleep(0.1)",
        "import trio\nasync def wait(): await trio.sleep_until(9)",
        "import trio, time\nasync def test_a(): await trio.to_thread.run_sync(time.sleep, 1)",
        "import trio\nasync def test_a(nursery): nursery.start_soon(trio.sleep, 5)",
    ],
)
def test_a_real_sleep_is_found(source: str) -> None:
    assert 1 == len(sleeps_in(source))


@pytest.mark.parametrize(
    "source",
    [
        "import trio\nasync def test_a(autojump_clock): await trio.sleep(60)",
        "import trio\nasync def test_a(*, mock_clock):\n async def b(): await trio.sleep(60)\n await b()",
        "import trio\nasync def test_a(): await trio.sleep(0)",
        "import trio\nasync def test_a(): await trio.sleep_forever()",
        "def test_a(bed): bed.sleep(8)",
    ],
)
def test_virtual_time_and_checkpoints_are_free(source: str) -> None:
    assert [] == sleeps_in(source)
