"""What is left after SIGKILL, at moments drawn from a seed; `run.py` does the same hundreds of times."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(*arguments: str, code: int = 0) -> dict[str, object]:
    """Run it as a process of its own; coverage is not counted there, kills would lose it anyway."""
    unmeasured = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    done = subprocess.run(
        [sys.executable, str(HERE / "run.py"), *arguments],
        env=unmeasured,
        capture_output=True,
        text=True,
        check=False,
    )
    assert code == done.returncode, (done.stdout + done.stderr)[-4000:]
    return json.loads(done.stdout)


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_doubted_for_nothing_by_kills() -> None:
    seen = run("--kills", "12", "--seed", "4")

    assert [] == seen["faults"]
    assert 12 == sum(seen["kills"].values())
    # So that there was something to lose.
    assert seen["messages_accepted"] > 500
    assert seen["receipts_acknowledged"] > 500
    assert seen["inbound_acknowledged"] > 5
    assert 0 < seen["in_doubt_and_accepted"] < seen["in_doubt"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sabotage", "words"),
    [
        ("commits late", ("was accepted as", "the receipt of", "from a handset")),
        ("allows duplicates", ("was sent 2 times",)),
    ],
)
def test_a_broken_promise_is_found(sabotage: str, words: tuple[str, ...]) -> None:
    # So that silence means something.
    found = run("--kills", "3", "--seed", "1", "--sabotage", sabotage, code=1)["faults"]

    assert [True] * len(words) == [any(word in fault for fault in found) for word in words]
