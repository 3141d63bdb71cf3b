"""Names of a front door that open their room only when somebody asks for them (PEP 562).

Only `whiteroute` and `whiteroute.errors` use it: they look at all floors, and `import whiteroute.pdu`
runs the former without wanting Trio.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazily(door: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], object]:
    """Make the module-level `__getattr__` of `door`; `homes` maps modules to the names they hold.

    A name is looked up once and then stands in the door's namespace like any other.
    The function made raises AttributeError for a name without a home, as Python's own does.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def __getattr__(name: str) -> object:  # noqa: N807 - it is returned to become one
        if name not in home_of:
            raise AttributeError(f"module {door!r} has no attribute {name!r}")
        value: object = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[door], name, value)
        return value

    return __getattr__
