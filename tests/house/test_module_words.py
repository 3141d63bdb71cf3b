"""Every module begins by saying what it is for, in words that no other one uses."""

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

Build = Callable[[Mapping[str, str]], Path]

LAWYERS_WORDS = re.compile(r"copyright|licen[cs]e|spdx|all rights reserved", re.IGNORECASE)


def first_sentence(source: str) -> str:
    """The docstring up to its first full stop at a word's end, on one line; empty without one."""
    words = " ".join((ast.get_docstring(ast.parse(source)) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.:!?])\s", words)[0].rstrip(".:")


def wordless(root: Path, modules: Iterable[Path]) -> list[str]:
    """What is wrong with the first sentences of the modules."""
    said: dict[str, Path] = {}
    found = []
    for path in modules:
        sentence = first_sentence((root / path).read_text("utf-8"))
        if not sentence:
            found.append(f"{path}: says nothing before it begins")
        elif LAWYERS_WORDS.search(sentence):
            found.append(f"{path}: begins with a lawyer's words: {sentence}")
        elif sentence in said:
            found.append(f"{path}: says the same as {said[sentence]}: {sentence}")
        said.setdefault(sentence, path)
    return found


def test_every_module_says_what_it_is_for(house: Path, own_modules: tuple[Path, ...]) -> None:
    assert [] == wordless(house, own_modules)


def test_silence_a_licence_and_an_echo_are_found(build: Build) -> None:
    modules = {
        "a.py": '"""Counts sheep.\n\nAnd more."""',
        "b.py": "x = 1",
        "c.py": '"""Copyright by somebody. Counts cows."""',
        "d.py": '"""Counts\nsheep. But at night."""',
        "e.py": '"""Counts SMPP 3.4 sheep."""',
    }

    found = wordless(build(modules), map(Path, modules))

    assert [
        "b.py: says nothing before it begins",
        "c.py: begins with a lawyer's words: Copyright by somebody",
        "d.py: says the same as a.py: Counts sheep",
    ] == found
