"""Runs the fuzzer: guided by coverage where atheris is installed, else by a seeded mutator of ours.

`make fuzz RUNS=1000000` runs the first and keeps what it learnt in `.fuzz/`; the gate runs a fixed
number of cases of both. A case that fails is written beside it, and `--replay FILE` runs it again.
"""

import argparse
import gc
import hashlib
import random
import signal
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, FunctionType

HERE = Path(__file__).parent
SEEDS = HERE / "corpus"
KEPT = HERE.parent.parent / ".fuzz"
LONGEST = 512
"""Octets of a case: room for every seed, and more of them are tried in the same time."""

HANG_TIMEOUT = 10
"""Seconds for one case, which takes a tenth of a millisecond; beyond that it hangs."""

TOKENS = [
    *(b"\0", b"\xff", b"\x7f", b"\x80", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\0\0\0\x10"),
    *(b"\x04\x24\x00\x05hello", b"\x04\x23\x00\x03\x03\x00\x58", b"\x00\x1e\x00\x0377\0"),
    *(
        b"\x04\x27\x00\x01\x02",
        b"\x02\x0c\x00\x02\x00\x01",
        b"\x14\x03\x00\x00",
        b"\x13\x0c\x00\x00",
    ),
    *(b"\x05\x00\x03\x01\x02\x01", b"\x06\x08\x04\x00\x01\x02\x01", b"\x03\x24\x01\x0d", b"\x1b"),
    *(b"id:", b" stat:DELIVRD", b" err:", b" submit date:", b"2402291230", b" text:", b"\xd8\x3d"),
    *(b"240229123000004+", b"000007000000000R", b"999999999999948-"),
]
"""What a mutator without guidance would not find: parameters, header elements, labels, times."""


class HangError(BaseException):
    """One case took longer than any can."""


def mutated(seeds: list[bytes], seed: int) -> Iterator[bytes]:
    """Give cases for ever: seeds changed in one to four places, the same ones for the same `seed`."""
    chance = random.Random(seed)
    while True:
        octets = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            at = chance.randint(0, len(octets))
            end = min(len(octets), at + chance.choice((1, 1, 2, 4, 16)))
            match chance.randrange(7):
                case 0 if at < len(octets):
                    octets[at] ^= 1 << chance.randrange(8)
                case 1 if at < len(octets):
                    octets[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
                case 2:
                    del octets[at:end]
                case 3:
                    octets[at:at] = octets[at:end] * chance.randint(1, 3)
                case 4:
                    octets[at:at] = chance.choice(TOKENS)
                case 5:
                    octets[at:end] = chance.choice(TOKENS)
                case _:
                    other = chance.choice(seeds)
                    octets[at:] = other[chance.randint(0, len(other)) :]
        yield bytes(octets[:LONGEST])


def run_mutated(runs: int, seed: int, learn: bool) -> None:
    """Try so many cases, the seeds themselves first; write down the one that fails, and fail."""
    from properties import check  # Here, because atheris must see it imported.

    signal.signal(signal.SIGALRM, _hang)
    learnt = sorted((KEPT / "corpus").glob("*")) if learn else []
    seeds = [path.read_bytes() for path in (*sorted(SEEDS.iterdir()), *learnt)]
    cases = mutated(seeds, seed)
    started_at = time.monotonic()
    for number in range(runs):
        octets = seeds[number] if number < len(seeds) else next(cases)
        signal.setitimer(signal.ITIMER_REAL, HANG_TIMEOUT)
        try:
            check(octets)
        except BaseException as error:
            signal.setitimer(signal.ITIMER_REAL, 0)
            KEPT.mkdir(exist_ok=True)
            kept = KEPT / f"case-{hashlib.sha256(octets).hexdigest()[:16]}"
            kept.write_bytes(octets)
            error.add_note(f"case {number} of seed {seed}, kept in {kept}: {octets.hex()}")
            raise
    signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.monotonic() - started_at
    sys.stdout.write(f"mutator: {runs} cases of seed {seed} in {seconds:.0f} s, nothing found\n")


def _hang(_number: int, _frame: FrameType | None) -> None:
    raise HangError(f"no end after {HANG_TIMEOUT} s")


def run_guided(runs: int, seed: int, learn: bool) -> None:
    """Let atheris try so many cases; it ends the process, with an exit code of its own if one fails."""
    import atheris

    with atheris.instrument_imports(include=["whiteroute.pdu", "properties"]):
        from properties import check
    # The straight-line readers and writers are made when first wanted and stand in no module, so
    # they are made now, found, and shown to atheris one by one.
    for path in SEEDS.iterdir():
        check(path.read_bytes())
    for made in gc.get_objects():
        if isinstance(made, FunctionType) and "generated" in made.__code__.co_filename:
            atheris.instrument_func(made)
    KEPT.mkdir(exist_ok=True)
    options = (f"-runs={runs}", f"-seed={seed}", f"-max_len={LONGEST}", f"-timeout={HANG_TIMEOUT}")
    told = ("-print_final_stats=1", f"-artifact_prefix={KEPT}/")
    # It writes what it learns into the first folder it is given.
    seeds = (f"-seed_inputs={','.join(str(path) for path in sorted(SEEDS.iterdir()))}",)
    if learn:
        (KEPT / "corpus").mkdir(exist_ok=True)
        seeds = (str(KEPT / "corpus"), str(SEEDS))
    atheris.Setup([sys.argv[0], *options, *told, *seeds], check)
    atheris.Fuzz()


def main() -> None:
    """Read the command line and run what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000, help="how many cases")
    parser.add_argument("--seed", type=int, default=1, help="other cases for another seed")
    parser.add_argument(
        "--engine", choices=("guided", "mutator"), help="by default the best there is"
    )
    parser.add_argument(
        "--learn", action="store_true", help="use what coverage taught, and keep it"
    )
    parser.add_argument("--replay", type=Path, help="run the one case in this file")
    options = parser.parse_args()
    if options.replay:
        from properties import check

        check(options.replay.read_bytes())
        return
    if options.engine == "mutator" or (options.engine is None and not find_spec("atheris")):
        run_mutated(options.runs, options.seed, options.learn)
    else:
        run_guided(options.runs, options.seed, options.learn)


if __name__ == "__main__":
    main()
