"""The gate's share of fuzzing: a fixed number of cases, the same ones each time."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from whiteroute.pdu import OPERATIONS, BodyError, Framer, decode

HERE = Path(__file__).parent


def run(*arguments: str) -> str:
    """Run the fuzzer as a process of its own; coverage is not counted there, it takes too long."""
    unmeasured = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, str(HERE / "run.py"), *arguments],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert 0 == done.returncode, printed[-4000:]
    return printed


def test_the_corpus_has_a_frame_of_every_operation():
    seen = set()
    for path in (HERE / "corpus").iterdir():
        for frame in Framer().receive(path.read_bytes()):
            try:
                seen.add(type(decode(frame)))
            except BodyError as error:
                pytest.fail(f"{path.name}: {error}")
    assert set(OPERATIONS.values()) <= seen


@pytest.mark.slow
def test_nothing_is_found_in_mutated_frames():
    assert "nothing found" in run("--engine", "mutator", "--runs", "20000", "--seed", "34")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this platform")
def test_nothing_is_found_where_coverage_leads():
    assert "Done 10000 runs" in run("--engine", "guided", "--runs", "10000", "--seed", "34")


def test_a_fault_is_found_told_and_kept(tmp_path: Path):
    # So that silence means something: a target that always fails must be seen to fail.
    for name in ("run.py", "properties.py"):
        (tmp_path / "tests/fuzz").mkdir(parents=True, exist_ok=True)
        (tmp_path / "tests/fuzz" / name).write_text((HERE / name).read_text("utf-8"), "utf-8")
    (tmp_path / "tests/fuzz/corpus").mkdir()
    (tmp_path / "tests/fuzz/corpus/one").write_bytes(b"\0\0\0\x10\x80\0\0\0\0\0\0\0\0\0\0\1")
    broken = "def check(octets: bytes) -> None:\n    assert len(octets) != 18\n"
    (tmp_path / "tests/fuzz/properties.py").write_text(broken, "utf-8")
    script = tmp_path / "tests/fuzz/run.py"
    command = [sys.executable, str(script), "--engine", "mutator", "--runs", "5000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 1 == done.returncode
    assert "AssertionError" in done.stderr
    (kept,) = (tmp_path / ".fuzz").iterdir()
    assert 18 == len(kept.read_bytes())
    replayed = subprocess.run(
        [sys.executable, str(script), "--replay", str(kept)], capture_output=True, check=False
    )
    assert 1 == replayed.returncode
