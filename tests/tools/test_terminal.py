"""On a terminal there are frames and colours, within its width; elsewhere there are plain lines."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FEW = """message_ref,to,sender,text
one,+33639980001,KESTREL,Bonjour
two,+46701740623,KESTREL,Hej
"""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(*arguments: object, columns: int, **environment: str) -> str:
    """Run a command with a terminal as its standard output and error; give what it draws."""
    ours, theirs = os.openpty()
    variables = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    variables |= {"COLUMNS": str(columns), "TERM": "xterm-256color"} | environment
    process = subprocess.Popen(
        [sys.executable, "-m", "whiteroute", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=variables,
    )
    os.close(theirs)
    drawn = b""
    while True:
        try:
            octets = os.read(ours, 65_536)
        except OSError:  # how Linux says that the other end is closed
            octets = b""
        if not octets:
            break
        drawn += octets
    os.close(ours)
    process.wait()
    return drawn.decode()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demonstration on a terminal of 80 columns: its ledger, and what it drew."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "few.csv").write_text(FEW)
    ledger = folder / "ledger.db"
    return ledger, on_terminal(
        "demo", "--messages", folder / "few.csv", "--ledger", ledger, columns=80
    )


def test_a_table_keeps_within_the_terminal(demo: tuple[Path, str]) -> None:
    ledger, _ = demo
    narrow = on_terminal("receipts", "--ledger", ledger, columns=80)
    wide = on_terminal("receipts", "--ledger", ledger, columns=200)

    assert 80 >= max(len(COLOUR.sub("", line)) for line in narrow.splitlines())
    assert "message_ids" in wide
    assert "message_ids" not in narrow
    assert "─────" in narrow


def test_colours_are_for_terminals_that_want_them(demo: tuple[Path, str]) -> None:
    ledger, _ = demo
    coloured = on_terminal("receipts", "--ledger", ledger, columns=80)
    plain = on_terminal("receipts", "--ledger", ledger, columns=80, NO_COLOR="1")

    assert "\x1b[32mDELIVERED" in coloured
    assert "\x1b[3" not in plain
    assert "DELIVERED" in plain


def test_a_run_shows_how_far_it_is_and_wipes_that(demo: tuple[Path, str]) -> None:
    _, drawn = demo

    assert "1 sent, 0 accepted" in drawn
    assert "\x1b[2K" in drawn
    assert "messages: 1 accepted in 1 part" in drawn


def test_sentences_are_broken_where_the_terminal_ends(configure: Callable[..., Path]) -> None:
    drawn = on_terminal(
        *("explain", "--config", configure(), "--to", "34600111222", "--from", "X"), columns=50
    )

    assert "      The sender is not among those registered for\r\n      the route.\r\n" in drawn


def test_a_story_breaks_where_the_terminal_ends(demo: tuple[Path, str]) -> None:
    ledger, _ = demo
    story = on_terminal("receipts", "--ledger", ledger, "--message", "one", columns=60)
    lines = COLOUR.sub("", story).splitlines()

    assert all(len(line) <= 60 for line in lines)
    taken = next(place for place, line in enumerate(lines) if " taken, " in line)
    assert lines[taken + 1].startswith(" " * 22)
