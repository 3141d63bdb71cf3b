"""What a field of an attrs class means, in the words that stand under it in the source.

So that what a command tells of a setting and what a programmer reads of it is one text.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

__all__ = ["field_words", "first_sentence"]

_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)[.](?=\s+[^a-z\s])")


def field_words(owner: type, name: str) -> str:
    """Give the docstring of a field on one line; empty where it has none, or the source is not there.

    Args:
        owner: The class that declares it.
        name: The field.
    """
    return _words_under(owner).get(name, "")


@cache
def _words_under(owner: type) -> Mapping[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(owner))
    except (OSError, TypeError):
        # An installation without sources; the command works all the same.
        return MappingProxyType({})
    [declaration] = ast.parse(source).body
    assert isinstance(declaration, ast.ClassDef)
    words: dict[str, str] = {}
    for statement, after in zip(declaration.body, declaration.body[1:], strict=False):
        match statement, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                words[name] = " ".join(text.replace("*write*: ", "For simulators: ").split())
            case _:
                pass
    return MappingProxyType(words)


def first_sentence(text: str) -> str:
    """Give a text up to its first full stop."""
    found = _SENTENCE_END.search(text)
    return text if found is None else text[: found.end()]
