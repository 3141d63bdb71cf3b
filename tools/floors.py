"""Which room of the house may import which, as one table, and what the real imports make of it.

`tests/house/test_floors.py` fails on what `faults` finds; `python -m whiteroute.tools.floors --write`
draws the real imports into README.md. It reads source text and never imports what it reads, so it
works on a house that does not run. It is not a linter: style is ruff's.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import attrs
import click

PACKAGE = "whiteroute"

OFFERED_WHOLE = frozenset((f"{PACKAGE}.simulators.behaviours", f"{PACKAGE}.simulators.routes"))
"""Modules that their room's door offers as such: a catalogue reads best under its own name."""
FOLDERS = ("engine", "pdu", "routing", "simulators", "tools")
PICTURE_BEGINS = "<!-- floors: drawn by `python -m whiteroute.tools.floors --write` -->"
PICTURE_ENDS = "<!-- floors: end -->"


@attrs.frozen(kw_only=True)
class Floor:
    """The rooms that stand at one height, named without the package: `engine.session`.

    A room is what has a front door: a folder, or in `engine/` a subfolder or a single module.
    """

    number: int
    rooms: tuple[str, ...]
    note: str
    pure: bool = False
    """No clock, socket, chance, log or file is imported here: time and octets are passed in."""


FLOORS = (
    Floor(number=7, rooms=("",), note="the front door"),
    Floor(number=6, rooms=("tools",), note="commands for people"),
    Floor(number=5, rooms=("engine.service", "engine.config"), note="the whole engine"),
    Floor(
        number=4,
        rooms=(
            "engine.capture",
            "engine.carrier",
            "engine.ledger",
            "engine.resolvers",
            "engine.metrics",
            "simulators",
        ),
        note="Trio, disk, sockets",
    ),
    Floor(number=3, rooms=("engine.link", "engine.transport"), note="one socket and its session"),
    Floor(
        number=2,
        rooms=("engine.messages", "engine.profile", "engine.upkeep"),
        note="pure: what a message means to a carrier",
        pure=True,
    ),
    Floor(
        number=1, rooms=("engine.session", "routing"), note="pure: one bind, one choice", pure=True
    ),
    Floor(number=0, rooms=("pdu",), note="pure: octets and values", pure=True),
)
"""From the roof down. Imports go down, or stay on their floor inside the same folder."""

FLOOR_OF: Mapping[str, Floor] = {room: floor for floor in FLOORS for room in floor.rooms}


@attrs.frozen(kw_only=True)
class Import:
    """One import of one of our own modules, wherever in the file it stands."""

    importer: str
    """Dotted module that imports, package included."""
    imported: str
    """Dotted module that is imported, package included."""
    name: str | None
    """What is taken from it; None where the module itself is."""
    relative: bool
    path: Path
    line: int

    @property
    def place(self) -> str:
        """Where a reader finds it: `pdu/codec.py:12`."""
        return f"{self.path.as_posix()}:{self.line}"


def find_modules(root: Path) -> dict[str, Path]:
    """Every module of the package under the repository `root`: dotted name to path below `root`."""
    found: dict[str, Path] = {}
    for path in sorted((root / "src" / PACKAGE).glob("*.py")):
        found[_dotted(PACKAGE, path.stem)] = path.relative_to(root)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            below = path.relative_to(root)
            found[_dotted(PACKAGE, *below.with_suffix("").parts)] = below
    return found


def find_imports(root: Path) -> tuple[Import, ...]:
    """Every import that one of our modules makes of another, in order of file and line."""
    modules = find_modules(root)
    return tuple(
        made
        for module, path in modules.items()
        for made in _imports_in(module, path, (root / path).read_text("utf-8"), modules)
    )


def room_of(module: str) -> str | None:
    """The room a dotted module belongs to; None for one that the table of floors does not hold.

    The package itself, `errors` and `__main__` are the room "" under the roof.
    """
    name = module.removeprefix(PACKAGE).removeprefix(".")
    if name.split(".")[0] not in FOLDERS:
        return ""
    while name:
        if name in FLOOR_OF:
            return name
        name = name.rpartition(".")[0]
    return None


def faults(root: Path) -> list[str]:
    """Every breach of the table as a sentence that begins with its place; empty for a sound house."""
    imports = find_imports(root)
    found = [
        f"{path.as_posix()}: stands on no floor: give its room a line in tools/floors.py"
        for module, path in find_modules(root).items()
        if room_of(module) is None and module != f"{PACKAGE}.engine"
    ]
    found += [f"{made.place}: {fault}" for made in imports if (fault := _fault(made))]
    graph: dict[str, set[str]] = {}
    for made in imports:
        graph.setdefault(made.importer, set()).add(made.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        found.append("imports go in a circle: " + " <- ".join(circle.args[1]))
    return found


def draw(root: Path) -> str:
    """The rooms that exist and the imports they really make, as a Mermaid flowchart.

    An arrow that a longer way down already tells is left out.
    """
    uses: dict[str, set[str]] = {}
    for module in find_modules(root):
        room = room_of(module)
        if room:
            uses.setdefault(room, set())
    for made in find_imports(root):
        upper, lower = room_of(made.importer), room_of(made.imported)
        if upper and lower and upper != lower:
            uses[upper].add(lower)
    lines = ["```mermaid", "flowchart TD"]
    for floor in FLOORS:
        rooms = [room for room in floor.rooms if room in uses]
        if rooms:
            lines.append(f'    subgraph floor{floor.number}["{floor.number} · {floor.note}"]')
            lines += [f'        {_node(room)}["{room}"]' for room in rooms]
            lines.append("    end")
    for upper in (room for floor in FLOORS for room in floor.rooms if room in uses):
        roundabout = {far for near in uses[upper] for far in _below(near, uses)}
        for lower in sorted(uses[upper] - roundabout):
            lines.append(f"    {_node(upper)} --> {_node(lower)}")
    return "\n".join([*lines, "```"])


def redraw(readme: str, picture: str) -> str:
    """`readme` with what stands between the two marks replaced; unchanged where the marks are not."""
    before, begins, rest = readme.partition(PICTURE_BEGINS)
    _, ends, after = rest.partition(PICTURE_ENDS)
    if not ends:
        return readme
    return f"{before}{begins}\n{picture}\n{ends}{after}"


def _dotted(*parts: str) -> str:
    return ".".join(part for part in parts if part != "__init__")


def _imports_in(
    module: str, path: Path, source: str, modules: Mapping[str, Path]
) -> Iterator[Import]:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source, filename=str(path))):
        relative = False
        taken: list[tuple[str, str | None]]
        if isinstance(node, ast.Import):
            taken = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = node.level > 0
            above = package.split(".")[: package.count(".") + 2 - node.level] if relative else []
            origin = ".".join(filter(None, [*above, node.module]))
            taken = [(origin, alias.name) for alias in node.names]
        else:
            continue
        for origin, name in taken:
            if origin.split(".")[0] != PACKAGE:
                continue
            is_module = f"{origin}.{name}" in modules
            yield Import(
                importer=module,
                imported=f"{origin}.{name}" if is_module else origin,
                name=None if is_module else name,
                relative=relative,
                path=path,
                line=node.lineno,
            )


def _fault(made: Import) -> str | None:
    upper, lower = room_of(made.importer), room_of(made.imported)
    if made.importer == f"{PACKAGE}.engine":
        return "engine/__init__.py imports nothing, or the pure rooms beneath it would run it"
    if made.imported == f"{PACKAGE}.engine":
        return "engine has no front door of its own: import one of its rooms"
    if upper is None or lower is None:
        return None  # said once, of the module itself
    if upper == lower:
        own = not made.relative and upper != ""
        return "inside a room import relatively" if own else None
    above, below = FLOOR_OF[upper], FLOOR_OF[lower]
    if below.number > above.number:
        return f"{upper} (floor {above.number}) climbs to {lower or PACKAGE} (floor {below.number})"
    if below is above and upper.split(".")[0] != lower.split(".")[0]:
        return f"{upper} imports {lower}, which is another folder on its own floor"
    if made.imported not in (f"{PACKAGE}.{lower}", *OFFERED_WHOLE) and lower != "tools":
        return f"goes past the front door: import from {PACKAGE}.{lower}"
    return None


def _node(room: str) -> str:
    return room.replace(".", "_")


def _below(room: str, uses: Mapping[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = set(uses.get(room, ()))
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting |= uses.get(here, set())
    return reached


@click.command()
@click.option("--write", is_flag=True, help="Put the picture into README.md between its marks.")
def main(write: bool) -> None:
    """Draw the floors from the imports of the checkout in this folder."""
    picture = draw(Path())
    if write:
        readme = Path("README.md")
        readme.write_text(redraw(readme.read_text("utf-8"), picture), "utf-8")
    else:
        click.echo(picture)


if __name__ == "__main__":
    main()
