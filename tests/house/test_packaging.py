"""What is published holds every file of every room, as files and not as links."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOMS = ("engine", "pdu", "routing", "simulators", "tools")
PACKED_SUFFIXES = {".csv", ".py", ".toml", ".typed"}


@pytest.fixture(scope="module")
def checkout(
    house: Path, own_files: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A copy of what would be committed: building leaves traces, and must not need untracked files."""
    copy = tmp_path_factory.mktemp("checkout")
    for path in own_files:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(house / path, copy / path)
    for room in ROOMS:
        (copy / "src/whiteroute" / room).symlink_to(Path("../..") / room)
    return copy


@pytest.fixture(scope="module")
def wanted(own_files: tuple[Path, ...]) -> set[str]:
    """Where every module and data file of ours is found once installed."""
    inside = [path for path in own_files if path.suffix in PACKED_SUFFIXES]
    rooms = {f"whiteroute/{path.as_posix()}" for path in inside if path.parts[0] in ROOMS}
    return rooms | {path.as_posix()[4:] for path in inside if path.parts[0] == "src"}


def build(kind: str, source: Path, into: Path) -> Path:
    """Build with the backend that pyproject.toml names, as installed here: nothing is fetched."""
    program = f"from setuptools import build_meta as b; b.build_{kind}({str(into)!r})"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=source,
        check=True,
        capture_output=True,
        env=environment,
    )
    [built] = [path for path in into.iterdir() if path.suffix in {".gz", ".whl"}]
    return built


@pytest.fixture(scope="module")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", checkout, tmp_path_factory.mktemp("sdist"))


@pytest.mark.slow
def test_the_source_distribution_holds_real_files(sdist: Path, wanted: set[str]) -> None:
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()

    assert [] == [member.name for member in members if member.issym() or member.islnk()]
    files = {member.name.partition("/src/")[2] for member in members if member.isfile()}
    assert set() == wanted - files


@pytest.mark.slow
def test_the_wheel_is_whole_when_built_from_the_source_distribution(
    sdist: Path, wanted: set[str], tmp_path: Path
) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.iterdir()
    into = tmp_path / "wheel"
    into.mkdir()

    with zipfile.ZipFile(build("wheel", unpacked, into)) as archive:
        names = set(archive.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        assert b"License-Expression: MIT" in archive.read(metadata)

    assert {"whiteroute"} == {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert wanted == {name for name in names if ".dist-info/" not in name}
