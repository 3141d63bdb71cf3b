"""Profiles are listed by their symptom, shown with every setting, and compared."""

import json
import os
import pty
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from whiteroute.engine.config import load_own_profiles, load_profiles, settings_of
from whiteroute.engine.profile import GENERIC, CarrierProfile, TlsOptions
from whiteroute.tools.field_words import field_words, first_sentence

Run = Callable[..., Any]

OWN = """
[profiles.ours]
extends = "latin1-default"
description = "Handsets show `¿` for `€`."
[profiles.ours.submit]
tlvs = [{ tag = 0x1400, value = "1101" }]
[profiles.ours.transport.tls]
server_name = "smpp.example.com"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A TOML that holds nothing but a profile."""
    path = tmp_path / "ours.toml"
    path.write_text(OWN, "utf-8")
    return path


# --- the list


def test_every_shipped_profile_is_listed_with_its_symptom(run: Run) -> None:
    people, program = run("profiles"), run("profiles", "--json")

    assert (0, "", 0, "") == (people.code, people.err, program.code, program.err)
    assert list(load_profiles()) == [record["profile"] for record in program.records]
    for record in program.records:
        assert {"profile", "extends", "version", "description", "shipped"} == record.keys()
        [line] = [
            line for line in people.out.splitlines() if line.startswith(f"{record['profile']} ")
        ]
        assert record["description"].startswith(line.split("  ")[-1])


def test_ones_own_profiles_are_listed_behind_them(run: Run, own: Path) -> None:
    for arguments in (("--config", own, "--json"), ("--json", "--config", own)):
        last = run("profiles", *arguments).records[-1]

        assert {
            "profile": "ours",
            "extends": "latin1-default",
            "version": 1,
            "description": "Handsets show `¿` for `€`.",
            "shipped": False,
        } == last


# --- one profile


def test_every_setting_is_shown_with_its_origin_and_its_meaning(run: Run, own: Path) -> None:
    shown = run("profiles", "--config", own, "show", "ours", "--json")

    records = {record["key"]: record for record in shown.records}
    settings = settings_of(load_own_profiles(own)["ours"])
    assert {setting.key: setting.value for setting in settings} == {
        key: record["value"] for key, record in records.items()
    }
    assert ["ours", "latin1-default", "generic-3.4"] == [
        records[key]["from"] for key in ("submit.tlvs", "text.default", "text.long_mode")
    ]
    assert all(record["meaning"] for record in records.values())
    assert records["text.default"]["meaning"].startswith("What data_coding 0 means here.")


def test_the_options_stand_on_either_side_of_the_subcommand(run: Run, own: Path) -> None:
    before = run("profiles", "--json", "--config", own, "show", "ours")

    assert before == run("profiles", "show", "ours", "--config", own, "--json")


def test_piped_each_setting_is_a_line_that_can_be_searched(run: Run) -> None:
    lines = run("profiles", "show", "latin1-default").out.splitlines()

    assert "# latin1-default, version 1, extends generic-3.4" == lines[0]
    assert 'text.default = "latin1"  # latin1-default: What data_coding 0 means here.' in lines
    settings = [setting for setting in settings_of(GENERIC) if not setting.is_about]
    assert len(settings) == len(lines) - 2


def test_the_generic_profile_extends_nothing(run: Run) -> None:
    assert "# generic-3.4, version 1\n" in run("profiles", "show", "generic-3.4").out


@pytest.mark.parametrize("name", [*load_profiles(), "ours"])
def test_as_toml_it_is_read_back(run: Run, own: Path, tmp_path: Path, name: str) -> None:
    written = run("profiles", "show", name, "--config", own, "--toml")
    again = tmp_path / "again.toml"
    again.write_text(written.out, "utf-8")

    found = load_own_profiles(again)
    profile = load_own_profiles(own)[name]
    [copied] = [each for each in found if each not in load_profiles()]
    expected = attrs.evolve(profile, name=copied, extends=profile.extends or "generic-3.4")
    assert ("ours" if name == "ours" else f"my-{name}") == copied
    assert expected == found[copied]


def test_as_toml_what_else_could_be_said_stands_beside_it(run: Run) -> None:
    text = run("profiles", "show", "latin1-default", "--toml").out

    assert '\ndefault = "latin1"\n' in text
    assert '\n#long_mode = "udh8"\n' in text
    assert "\n#most_binds =\n" in text
    assert "\n#interface_version = 0x34\n" in text
    assert "\n[profiles.my-latin1-default.text]\n" in text
    assert "\n#[profiles.my-latin1-default.transport.tls]\n" in text
    assert '\n#verify = "full"\n' in text


# --- two profiles


def test_only_what_differs_is_told(run: Run, own: Path) -> None:
    asked = ("profiles", "diff", "generic-3.3", "ours", "--config", own)

    people, program = run(*asked), run(*asked, "--json")

    records = {record["key"]: (record["a"], record["b"]) for record in program.records}
    assert (0, 0) == (people.code, program.code)
    assert (0x33, 0x34) == records["bind.interface_version"]
    assert ("gsm", "latin1") == records["text.default"]
    assert (None, "smpp.example.com") == records["transport.tls.server_name"]
    assert not {"name", "description", "extends", "transport.tls"} & records.keys()
    assert f"generic-3.3 and ours differ in {len(records)} settings\n" in people.out
    [version] = [line for line in people.out.splitlines() if "interface_version" in line]
    assert ["bind.interface_version", "0x33", "0x34"] == version.split()
    assert "{ tag = 0x1400, value = " in people.out


def test_a_profile_differs_from_itself_in_nothing(run: Run) -> None:
    asked = ("profiles", "diff", "generic-3.3", "generic-3.3")

    assert "generic-3.3 and generic-3.3 say the same.\n" == run(*asked).out
    assert (0, "") == (run(*asked, "--json").code, run(*asked, "--json").out)


# --- what is wrong with a call


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "latin1-defualt"), "no profile 'latin1-defualt', did you mean latin1-default?"),
        (("diff", "generic-3.3", "generic-35"), "no profile 'generic-35', did you mean generic-3"),
        (("show", "generic-3.3", "--json", "--toml"), "--json and --toml, expected one of the two"),
        (("show",), "profiles show: Missing argument 'NAME'"),
        (("--config", "/gone.toml"), "/gone.toml: No such file or directory, expected a TOML"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    ended = run("profiles", *arguments)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: {said}")


def test_a_fault_in_a_profile_is_told_with_file_and_key(run: Run, own: Path) -> None:
    own.write_text("[profiles.ours.text]\nlong_mode = 'udh9'\n", "utf-8")

    ended = run("profiles", "--config", own)

    assert (2, "") == (ended.code, ended.out)
    assert (
        f'whiteroute: {own}:profiles.ours.text.long_mode: "udh9", expected one of udh8, udh16, sar,'
        " payload\n"
    ) == ended.err


# --- on a terminal


def on_a_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """Run the command on a terminal of so many columns, and give what it wrote."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    process = subprocess.Popen(
        [sys.executable, "-m", "whiteroute", "profiles", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        env=environ | {"TERM": "xterm-256color"} | environment,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            octets = os.read(ours, 65_536)
        except OSError:  # the way in which a terminal on Linux says that nobody writes any more
            break
        if not octets:
            break
        written += octets
    os.close(ours)
    assert 0 == process.wait()
    return written.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("arguments", [(), ("show", "csv-receipt")])
def test_it_fits_the_terminal(columns: int, arguments: tuple[str, ...]) -> None:
    written = on_a_terminal(columns, *arguments, NO_COLOR="1")
    lines = written.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")

    assert columns >= max(map(len, lines.splitlines()))


@pytest.mark.parametrize("columns", [80, 200])
def test_what_a_profile_says_itself_is_marked_without_colour_too(columns: int) -> None:
    written = on_a_terminal(columns, "show", "latin1-default", NO_COLOR="1")
    generic = on_a_terminal(columns, "show", "generic-3.4")

    marked = [line for line in written.splitlines() if "*" in line]
    assert 3 == len(marked)
    assert "default" in marked[0]
    assert "latin1-default" in marked[0]
    assert "* differs from the generic profile" in marked[1]
    assert 'text.default = "latin1"' in marked[2]
    assert "Nothing differs from the generic profile." in generic
    assert "\x1b[3" not in written


# --- the words


def fields_in(record: type) -> list[tuple[type, str]]:
    found = []
    for field in attrs.fields(record):
        found.append((record, field.name))
        inside = field.default
        if attrs.has(type(inside)):
            found += fields_in(type(inside))
    return found


@pytest.mark.parametrize(
    ("owner", "name"), [*fields_in(CarrierProfile), *fields_in(TlsOptions)], ids=str
)
def test_every_setting_has_words(owner: type, name: str) -> None:
    assert field_words(owner, name).endswith(".")


def test_a_class_without_source_has_no_words() -> None:
    made = attrs.make_class("Made", ["field"])

    assert "" == field_words(made, "field")
    assert "" == field_words(CarrierProfile, "gone")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("One, e.g. Two. Three.", "One, e.g. Two."),
        ("Version 3.4 it is. Yes.", "Version 3.4 it is."),
        ("No stop", "No stop"),
        ("", ""),
    ],
)
def test_a_sentence_ends_at_its_full_stop(text: str, first: str) -> None:
    assert first == first_sentence(text)


def test_json_can_be_read_by_anybody(run: Run) -> None:
    for line in run("profiles", "show", "tx-rx-pair", "--json").out.splitlines():
        assert {"profile", "key", "value", "from", "meaning"} == json.loads(line).keys()
