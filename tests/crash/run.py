"""Kills an engine with SIGKILL, over and over, under load and on one ledger, and looks at what is left.

The message centre runs in this process and survives; the engine (`victim.py`) runs in another and is
killed at moments drawn from a seed: at the n-th thing that the centre sees, at the n-th outcome told,
at the n-th SQL statement, in the n-th write with half of its octets gone, or after some time. `make
test` runs a few kills; `python tests/crash/run.py --kills 300` runs hundreds.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import attrs
import trio
from evidence import Evidence

from whiteroute.engine.ledger import open_ledger_for_reading
from whiteroute.simulators import (
    CenterEvent,
    Handsets,
    MessageCenter,
    behaviours,
    open_message_center,
)

HERE = Path(__file__).parent
WINDOW = 40
BINDS = 2
IN_FLIGHT = 120
MOST_PARTS = 2 * IN_FLIGHT
"""Messages of two parts each could all be in flight between the ledger and the wire."""

INBOUND_EVERY = 40
"""For so many messages a handset sends one."""

OVERLAP = 30
"""So many messages that were told are handed over again after a kill, as by a careful application."""

PATIENCE = 30.0
"""Seconds for anything that must come."""

CONFIG = """
[engine]
ledger = "{ledger}"
[carriers.acme]
hosts = ["127.0.0.1:{port}"]
system_id = "gateway"
binds = {binds}
window = {window}
[numbering]
"34600" = "214-07"
[routes.acme-es]
carrier = "acme"
networks = ["214-07"]
traffic_classes = ["otp", "transactional", "marketing"]
interconnect = {{ kind = "DIRECT_MNO", hops = 0 }}
agreement = {{ id = "A-1", kind = "BILATERAL_A2P", counterparty = "214-07", valid_from = 2020-01-01, valid_to = 2099-12-31, attested_by = "ops@example.com", attested_at = 2020-11-01, max_attestation_age_days = 100000 }}
sender = {{ kinds = ["ALPHA", "LONG"], preserved = true, registered = ["ACME"] }}
price = {{ amount = "0.030", currency = "EUR", floor = "0.020" }}
[policy]
max_attestation_age_days = 100000
"""

MOODS = (
    (),
    (behaviours.SlowResponse(0.02),),
    (behaviours.ReceiptBeforeResponse(),),
    (behaviours.DuplicateReceipt(),),
    (behaviours.Throttle(rate=400),),
)
"""How the message centre is between two kills."""

FUSES: tuple[tuple[str, Callable[[random.Random], float]], ...] = (
    ("submit", lambda chance: chance.randint(1, 300)),
    ("submit", lambda chance: chance.randint(1, 300)),
    ("receipt", lambda chance: chance.randint(1, 200)),
    ("receipt_acknowledged", lambda chance: chance.randint(1, 200)),
    ("mo_acknowledged", lambda chance: chance.randint(1, 5)),
    ("bind", lambda chance: chance.randint(1, 2)),
    ("told", lambda chance: chance.randint(1, 300)),
    ("statement", lambda chance: chance.randint(1, 3_000)),
    ("statement", lambda chance: chance.randint(1, 60)),
    ("write", lambda chance: chance.randint(1, 120)),
    ("time", lambda chance: chance.uniform(0.2, 1.5)),
)
"""What a kill waits for, and how often that must happen, or how many seconds."""


@attrs.define(eq=False)
class Killing:
    """The state of one run of this program."""

    ledger: Path
    seed: int
    sabotage: str = ""
    evidence: Evidence = attrs.field(factory=Evidence)
    kills: "Counter[str]" = attrs.field(factory=Counter[str])
    faults: list[str] = attrs.field(factory=list[str])
    missing: int = 0
    """Receipts that had not come in the end."""
    center: MessageCenter = attrs.field(init=False)
    _chance: random.Random = attrs.field(init=False)
    _process: trio.Process | None = attrs.field(default=None, init=False)
    _fuse: str = attrs.field(default="", init=False)
    _left: int = attrs.field(default=0, init=False)
    _inbound: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self.center = MessageCenter(
            handsets=Handsets(median_delay=0.1, sigma=1.0, most_delay=2.0),
            seed=self.seed,
            retry_delay=0.2,
            attempts=1_000,
            on_event=self._saw,
        )

    # What happens.

    def _saw(self, event: CenterEvent) -> None:
        self.evidence.saw(event)
        self._burn(str(event.event))

    def _burn(self, happened: str) -> None:
        if happened == self._fuse:
            self._left -= 1
            if not self._left and self._process is not None:
                # At once, before the message centre answers.
                self._process.kill()

    def _hear(self, line: str) -> None:
        said = json.loads(line)
        if "recovered" in said:
            self.faults += self.evidence.check_recovered(said["recovered"])
        elif "told" in said:
            self.evidence.heard(said["told"], said["state"], said["message_ids"])
            self._burn("told")
        else:
            self.missing = said["receipts_missing"]

    # One life of the engine.

    async def live(self, expected: int, **orders: object) -> None:
        """Run the engine until it ends; its return code must be as expected."""
        async with trio.open_nursery() as nursery:
            start = partial(
                trio.run_process,
                [sys.executable, str(HERE / "victim.py")],
                stdin=json.dumps(self._orders(orders)).encode(),
                stdout=subprocess.PIPE,
                check=False,
            )
            self._process = await nursery.start(start)
            await self._listen(self._process)
            code = await self._process.wait()
            # Its own error stands above, on the standard error that it shares with us.
            assert code == expected, f"the engine ended by itself with {code}"
        self._process = None

    def _orders(self, orders: dict[str, object]) -> dict[str, object]:
        config = CONFIG.format(
            ledger=self.ledger, port=self.center.port, binds=BINDS, window=WINDOW
        )
        start = max(0, self.evidence.first_untold() - OVERLAP)
        # What was sabotaged never comes.
        patience = 0.5 if self.sabotage else PATIENCE
        common = {"config": config, "start": start, "in_flight": IN_FLIGHT, "patience": patience}
        return {**common, "sabotage": self.sabotage, **orders}

    async def _listen(self, process: trio.Process) -> None:
        kept = b""
        assert process.stdout is not None
        async for octets in process.stdout:
            *lines, kept = (kept + octets).split(b"\n")
            for line in lines:
                self._hear(line.decode())

    async def kill(self) -> None:
        """Run the engine and kill it at some moment; then look at what it left."""
        fuse, draw = self._chance.choice(FUSES)
        drawn = draw(self._chance)
        self.center.behaviours = self._chance.choice(MOODS)
        self._fuse, self._left = fuse, int(drawn)
        orders = {"fuse": fuse, "nth": int(drawn)} if fuse in ("statement", "write") else {}
        with trio.fail_after(2 * PATIENCE):
            async with trio.open_nursery() as nursery:
                if fuse == "time":
                    nursery.start_soon(self._kill_after, drawn)
                await self.live(-signal.SIGKILL, **orders)
        self._fuse = ""
        self.kills[fuse] += 1
        if self.ledger.exists():
            with closing(open_ledger_for_reading(self.ledger)) as reader:
                self.faults += self.evidence.check_kill(reader, MOST_PARTS)

    async def _kill_after(self, delay: float) -> None:
        with trio.move_on_after(delay):
            await trio.sleep_forever()
        if self._process is not None:
            self._process.kill()

    async def finish(self) -> None:
        """Let the engine live to its end, and compare everything."""
        self.center.behaviours = ()
        end = max((*self.evidence.told, *self.evidence.accepted), default=0) + 100
        with trio.fail_after(4 * PATIENCE):
            await self.live(0, end=end)
        with closing(open_ledger_for_reading(self.ledger)) as reader:
            self.faults += self.evidence.check_all(reader)
        if self.missing:
            self.faults.append(f"{self.missing} messages lack their receipts")

    # All of it.

    async def send_inbound(self) -> None:
        """Have a handset send a text now and then, as messages go."""
        while True:
            self._inbound += 1
            await self.center.wait_for("submit", times=self._inbound * INBOUND_EVERY)
            self.center.inject_mo("34611000000", "4321", f"reply {self._inbound}")

    async def run(self, kills: int) -> None:
        """Kill so often, and finish."""
        async with open_message_center(self.center), trio.open_nursery() as nursery:
            nursery.start_soon(self.send_inbound)
            for number in range(kills):
                await self.kill()
                if sys.stderr.isatty() or not (number + 1) % 50:
                    sys.stderr.write(f"{number + 1} kills, {len(self.faults)} faults\n")
            await self.finish()
            nursery.cancel_scope.cancel()

    def summary(self) -> dict[str, object]:
        """Say in figures what was seen."""
        evidence = self.evidence
        return {
            "seed": self.seed,
            "kills": dict(self.kills),
            "messages_accepted": len(evidence.accepted),
            "parts_accepted": sum(evidence.taken.values()),
            "receipts_acknowledged": len(evidence.receipts),
            "inbound_acknowledged": len(evidence.inbound),
            "in_doubt": len(evidence.doubts),
            "in_doubt_and_accepted": evidence.sent_in_vain,
            "receipts_missing": self.missing,
            "faults": self.faults,
        }


def main() -> int:
    """Read the command line, run what it says, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how often")
    parser.add_argument("--seed", type=int, default=1, help="other moments for another seed")
    parser.add_argument(
        "--sabotage",
        default="",
        choices=("commits late", "allows duplicates"),
        help="break a promise, to see that it is found",
    )
    options = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(Path(folder) / "ledger.db", options.seed, options.sabotage)
        trio.run(killing.run, options.kills)
    summary = {"seconds": round(time.monotonic() - begun, 1), **killing.summary()}
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    return 1 if killing.faults else 0


if __name__ == "__main__":
    sys.exit(main())
