"""The rooms are linked under src/whiteroute, and every tool that needs them by name knows them all.

Imports nothing of ours: without the links there is nothing to import.
"""

import tomllib
from pathlib import Path

import pytest

ROOMS = ("engine", "pdu", "routing", "simulators", "tools")


def broken_links(root: Path) -> list[str]:
    return [
        f"src/whiteroute/{room} does not lead to {room}/: the checkout made no symbolic links;"
        " run `git config core.symlinks true` and check out again (CONTRIBUTING.md)"
        for room in ROOMS
        if not (root / "src/whiteroute" / room).is_dir()
        or not (root / "src/whiteroute" / room).samefile(root / room)
    ]


def test_every_room_is_linked_under_the_package(house: Path) -> None:
    assert [] == broken_links(house)


@pytest.mark.parametrize("instead", ["nothing", "a text file, as git writes it without links"])
def test_a_missing_link_is_named_with_its_cure(tmp_path: Path, instead: str) -> None:
    package = tmp_path / "src/whiteroute"
    package.mkdir(parents=True)
    for room in ROOMS:
        (tmp_path / room).mkdir()
        if room != "pdu":
            (package / room).symlink_to(Path("../..") / room)
        elif instead != "nothing":
            (package / room).write_text("../../pdu")

    [said] = broken_links(tmp_path)

    assert said.startswith("src/whiteroute/pdu does not lead to pdu/")
    assert "git config core.symlinks true" in said


def test_links_are_relative_so_a_checkout_can_move(house: Path) -> None:
    targets = {room: (house / "src/whiteroute" / room).readlink() for room in ROOMS}

    assert {room: Path("../..") / room for room in ROOMS} == targets


def test_tools_that_do_not_follow_links_are_told_every_room(house: Path) -> None:
    settings = tomllib.loads((house / "pyproject.toml").read_text("utf-8"))["tool"]
    linked = {f"src/whiteroute/{room}" for room in ROOMS}

    assert {"src/whiteroute", *linked} == set(settings["pyright"]["include"])
    assert {"src", *ROOMS} == set(settings["coverage"]["run"]["source"])
    assert {"src", *ROOMS} <= set(settings["whiteroute"]["coverage-floors"])
