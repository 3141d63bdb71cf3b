"""What the tests of the house share: where it stands, and a way to build a small bad one."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def house() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def own_files() -> tuple[Path, ...]:
    """Every file that is or would be committed, links left out, below the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    paths = [Path(name) for name in sorted(set(listed)) if name]
    return tuple(
        path for path in paths if (ROOT / path).is_file() and not (ROOT / path).is_symlink()
    )


@pytest.fixture(scope="session")
def own_modules(own_files: tuple[Path, ...]) -> tuple[Path, ...]:
    """The Python files among them, tests included."""
    return tuple(path for path in own_files if path.suffix == ".py")


@pytest.fixture
def build(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    """Make a house out of file names and their text, and say where it stands."""

    def build_in(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return build_in
