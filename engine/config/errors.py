"""What is wrong with a file, said so that whoever wrote it can mend it without reading our code.

All faults of a file are told at once. Nothing here knows what is right: that is `reading`.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from difflib import get_close_matches

import attrs

__all__ = ["ConfigError", "ConfigProblem", "did_you_mean", "quoted", "shown", "under"]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CREDENTIALS = re.compile(r".*:.*@", re.DOTALL)
_LONGEST_SHOWN = 80


@attrs.frozen
class ConfigProblem:
    """One fault."""

    key: str
    """Dotted as in TOML (`routes.acme-es.agreement.valid_to`, `carriers.acme.hosts[0]`), or `line 12`;
    empty where the whole file is meant."""
    found: str
    """What stands there; never a password."""
    expected: str
    """What would have been right, as a clause: `expected 1 or more`, `did you mean window?`."""
    file: str = ""
    """Where the fault stands, if not in the TOML itself but in a file that it names."""

    def told(self, file: str) -> str:
        """Write it as `FILE:KEY: what was found, what was expected`; `file` is the TOML."""
        where = f"{self.key}:" if self.key else ""
        return f"{self.file or file}:{where} {self.found}, {self.expected}"


class ConfigError(Exception):
    """A file that cannot be used, with every reason. As a text it is one line per problem.

    A line has the form `FILE:KEY: what was found, what was expected`.
    """

    def __init__(self, file: str, problems: Iterable[ConfigProblem]) -> None:
        self.file = file
        """The TOML, as it was named by the caller."""
        self.problems = tuple(problems)
        """At least one; profiles first, because carriers build on them."""
        super().__init__(self.file, self.problems)

    def __str__(self) -> str:
        return "\n".join(problem.told(self.file) for problem in self.problems)


def under(key: str, name: str) -> str:
    """Give the key of `name` in the table `key`, in quotes where TOML wants them."""
    bare = name if _BARE_KEY.fullmatch(name) else quoted(name)
    return f"{key}.{bare}" if key else bare


def shown(value: object) -> str:
    """Write a value of TOML as it stands in the file, on one line and without credentials."""
    match value:
        case str():
            # A URL pasted where a host belongs may hold a password.
            text = quoted(_CREDENTIALS.sub("***@", value))
        case bool():
            text = str(value).lower()
        case date() | datetime() | time():
            text = value.isoformat()
        case list():
            return "an array"
        case dict():
            return "a table"
        case float():
            text = str(value)
        case _:
            # Not str(): it refuses integers of thousands of digits, which hexadecimal can write.
            text = f"{value:#x}" if isinstance(value, int) and abs(value) >> 64 else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def quoted(text: str) -> str:
    """Write a text in quotes, as TOML has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(map(_visible, escaped))}"'


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code < 0x1_0000 else f"\\U{code:08X}"


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Ask for the nearest of the names allowed; if none is near, list them all."""
    names = [name if name.isprintable() else quoted(name) for name in allowed]
    near = get_close_matches(found.lower().replace("-", "_"), names, n=1) or get_close_matches(
        found, names, n=1
    )
    if near:
        return f"did you mean {near[0]}?"
    return f"expected one of {', '.join(names)}" if names else "expected none"
