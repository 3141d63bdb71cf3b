"""Messages from the command line: one line for each whatever comes of it, and none is ever lost."""

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., object]
Configure = Callable[..., Path]

ROWS = 60
WINDOW = 10


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    lines = [f"m-{n},+346001110{n:02},ACME,Hello {n}\n" for n in range(ROWS)]
    path.write_text("message_ref,to,sender,text\n" + "".join(lines))
    return path


def states(ended: object) -> dict[str, str]:
    """What a command that prints JSON says of each message."""
    return {record["message_ref"]: record["state"] for record in ended.records}


def test_a_message_is_followed_to_its_receipt(
    run: Run, configure: Configure, simulator: object
) -> None:
    config = configure(simulator.port)

    ended = run(
        *("send", "--config", config, "--to", "+34600111222", "--from", "ACME", "--text", "Hi"),
        *("--wait", "receipt", "--ref", "order-1", "--json"),
    )

    [record] = ended.records
    simulator.process.read_until(lambda event: event["event"] == "submit")
    submit = simulator.process.seen[-1]
    keys = (
        *("message_ref", "to", "state", "route", "carrier", "parts", "message_ids"),
        *("error", "rejected"),
    )
    assert 0 == ended.code
    assert set(keys) <= record.keys()
    assert ("order-1", "DELIVERED", "acme-es", "acme", 1, [submit["message_id"]]) == tuple(
        record[key] for key in ("message_ref", "state", "route", "carrier", "parts", "message_ids")
    )
    assert "+34600111222" == record["to"]
    assert (None, []) == (record["error"], record["rejected"])
    assert "1 message: 1 DELIVERED. Ledger: " in ended.err


def test_a_message_without_a_direct_route_is_refused_with_every_reason(
    run: Run, configure: Configure, simulator: object
) -> None:
    config = configure(simulator.port)
    message = ("--to", "+34700111222", "--from", "STRANGER", "--text", "Hi")

    people = run("send", "--config", config, *message)
    program = run("send", "--config", config, *message, "--json")

    [record] = program.records
    assert (1, 1) == (people.code, program.code)
    assert ("REFUSED", None, "NO_ROUTE") == (
        record["state"],
        record["route"],
        record["error"]["code"],
    )
    assert {"acme-es": ["NETWORK_NOT_COVERED", "SENDER_NOT_REGISTERED"]} == {
        each["route_id"]: [reason["code"] for reason in each["reasons"]]
        for each in record["rejected"]
    }
    first, second = people.out.splitlines()
    assert first.startswith("REFUSED     +34700111222  ")
    assert first.endswith("NO_ROUTE: No direct route can take it.")
    assert "            acme-es: NETWORK_NOT_COVERED, SENDER_NOT_REGISTERED" == second


def test_rows_that_cannot_be_read_are_told_and_the_rest_is_sent(
    run: Run, configure: Configure, simulator: object
) -> None:
    rows = "to,text\n+34600111222,one\n,two\n12,three\n+34600111223,four,4\n+34600111224,five\n"

    ended = run(
        *("send", "--config", configure(simulator.port), "--from", "ACME", "--json", "-"),
        stdin=rows.encode(),
    )

    assert 2 == ended.code
    assert {"+34600111222": "ACCEPTED", "12": "REFUSED", "+34600111224": "ACCEPTED"} == {
        record["to"]: record["state"] for record in ended.records
    }
    assert [
        "whiteroute: <stdin>:3: to: nothing, expected a number",
        "whiteroute: <stdin>:5: 3 cells, expected 2 as in the header",
    ] == ended.err.splitlines()[:2]


def test_a_known_message_ref_is_not_sent_again(
    run: Run, configure: Configure, simulator: object, rows: Path
) -> None:
    config = configure(simulator.port)

    first = run("send", "--config", config, "--csv", rows, "--json", "--wait", "receipt")
    second = run("send", "--config", config, rows)

    assert ROWS == len(first.records)
    assert ROWS == second.out.count("known to the ledger, not sent again")


def test_an_unreachable_carrier_is_told_and_its_messages_are_sent_next_time(
    run: Run, configure: Configure, simulator: object, rows: Path
) -> None:
    config = configure(1)

    first = run("send", "--config", config, "--csv", rows, "--json", "--in-flight", 7)
    config = configure(simulator.port)
    ready = ("--to", "+34600111999", "--from", "ACME", "--text", "Hi", "--wait", "receipt")
    second = run("send", "--config", config, *ready, "--json")

    complaint = f"whiteroute: {config}:carriers.acme.hosts: cannot reach 127.0.0.1:1: "
    assert 2 == first.code
    assert {"QUEUED": ROWS} == Counter(states(first).values())
    [line] = [line for line in first.err.splitlines() if line.startswith("whiteroute: ")]
    assert line.startswith(complaint)
    assert line.endswith(", expected a message centre that answers")
    assert f"{ROWS} messages QUEUED: nothing is lost" in first.err
    assert 0 == second.code
    simulator.process.read_until(lambda event: event["event"] == "submit", times=ROWS + 1)


def test_a_refused_bind_is_an_answer(
    run: Run, configure: Configure, simulate: Callable[..., object]
) -> None:
    config = configure(simulate("--system-id", "other").port)

    ended = run("send", "--config", config, "--to", "+34600111222", "--from", "ACME", "--text", "x")

    assert 1 == ended.code
    assert f"whiteroute: {config}:carriers.acme: " in ended.err
    assert "refused the bind with ESME_RINVSYSID" in ended.err
    assert ended.out.startswith("QUEUED ")


def test_waiting_for_nothing_leaves_messages_in_the_ledger(
    run: Run, configure: Configure, rows: Path
) -> None:
    config = configure(1)

    ended = run("send", "--config", config, "--csv", rows, "--wait", "none", "--json")

    assert 0 == ended.code
    assert {"QUEUED": ROWS} == Counter(states(ended).values())


def test_receipts_that_do_not_come_are_an_answer_too(
    run: Run, configure: Configure, simulate: Callable[..., object]
) -> None:
    config = configure(simulate("--delay", 600).port)
    message = ("--to", "+34600111222", "--from", "ACME", "--text", "Hi")

    ended = run("send", "--config", config, *message, "--wait", "receipt", "--timeout", 0)

    assert (1, True) == (ended.code, ended.out.startswith("ACCEPTED "))
    assert "No final receipt yet for 1 message." in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "1"], "send: no message, neither a file nor --to, --from and --text"),
        (["-", "--csv", "-"], "send: more than one of FILE, --csv and --to"),
        (["-", "--to", "1"], "send: more than one of FILE, --csv and --to"),
        (["none.csv"], "none.csv: No such file or directory, expected a file of messages"),
    ],
)
def test_what_to_send_must_be_clear(
    run: Run, configure: Configure, arguments: list[str], said: str
) -> None:
    ended = run("send", "--config", configure(), *arguments)

    assert (2, "") == (ended.code, ended.out)
    assert ended.err.startswith(f"whiteroute: {said}")


@pytest.mark.parametrize("ledger", ["none/ledger.db", "."])
def test_a_ledger_that_cannot_be_written_is_told_in_one_line(
    run: Run, configure: Configure, ledger: str
) -> None:
    config = configure(changes={"ledger.db": ledger})
    message = ("--to", "+34600111222", "--from", "ACME", "--text", "Hi")

    ended = run("send", "--config", config, *message)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: {config.parent}")
    assert ", expected " in ended.err


def test_ctrl_c_ends_it_cleanly_and_says_what_remains(
    start: Callable[..., object],
    configure: Configure,
    simulate: Callable[..., object],
    rows: Path,
) -> None:
    simulator = simulate("--delay", 600)
    config = configure(simulator.port)
    process = start(
        *("-m", "whiteroute", "send", "--config", config, "--csv", rows, "--json"),
        *("--wait", "receipt"),
    )
    simulator.process.read_until(lambda event: event["event"] == "submit", times=ROWS)

    ended = process.end(signal.SIGINT)

    assert 1 == ended.code
    assert {"ACCEPTED": ROWS} == Counter(states(ended).values())
    assert "Interrupted; waiting for the answers that are still out." in ended.err
    assert f"{ROWS} messages: {ROWS} ACCEPTED." in ended.err
    assert "Traceback" not in ended.err


def test_what_a_carrier_answers_is_told_with_its_code(
    run: Run, configure: Configure, misbehave: Callable[[str], tuple[object, int]]
) -> None:
    config = configure(misbehave("RefuseSubmits(0x0B)")[1])
    message = ("--to", "+34600111222", "--from", "ACME", "--text", "Hi")

    people = run("send", "--config", config, *message)
    [record] = run("send", "--config", config, *message, "--json").records

    assert 1 == people.code
    assert people.out.startswith("REFUSED     +34600111222  ")
    assert people.out.endswith("(ESME_RINVDSTADR)\n")
    assert {"command_status": 0x0B} == record["error"]["raw"]


def test_a_message_that_was_put_off_tells_so_in_its_story(
    run: Run, configure: Configure, misbehave: Callable[[str], tuple[object, int]]
) -> None:
    config = configure(misbehave("RefuseSubmits(0x58, times=1)")[1])
    message = ("--to", "+34600111222", "--from", "ACME", "--text", "Hi")

    [record] = run("send", "--config", config, *message, "--json").records
    ledger = config.parent / "ledger.db"
    told = run("receipts", "--ledger", ledger, "--message", record["message_ref"]).out

    assert "ACCEPTED" == record["state"]
    assert ", to be tried again\n" in told
    assert "ESME_RTHROTTLED: The ESME sent faster than it may.\n" in told
    assert "part 1, attempt 2: ACCEPTED" in told


def test_after_sigkill_every_message_is_there_and_the_unanswered_are_in_doubt(
    run: Run,
    start: Callable[..., object],
    configure: Configure,
    misbehave: Callable[[str], tuple[object, int]],
    simulator: object,
    rows: Path,
) -> None:
    half_deaf, port = misbehave("DeafToOddNumbers()")
    config = configure(port)
    sending = start("-m", "whiteroute", "send", "--config", config, "--csv", rows)
    # The window is full of messages that nobody will answer: nothing more can move.
    half_deaf.read_until(lambda said: said.get("answered") is False, times=WINDOW)

    sending.end(signal.SIGKILL)
    ledger = config.parent / "ledger.db"
    told = states(run("receipts", "--ledger", ledger, "--json"))
    doubted = states(run("receipts", "--ledger", ledger, "--json", "--state", "in_doubt"))
    story = run("receipts", "--ledger", ledger, "--message", min(doubted)).out
    again = run("send", "--config", configure(simulator.port), "--csv", rows, "--json")

    unanswered = {f"m-{int(said['to'][-2:])}" for said in half_deaf.seen if "to" in said}
    unanswered -= {f"m-{int(said['to'][-2:])}" for said in half_deaf.seen if said.get("answered")}
    assert {f"m-{n}" for n in range(ROWS)} == told.keys()
    assert unanswered <= doubted.keys()
    assert {"IN_DOUBT"} == {told[message_ref] for message_ref in doubted}
    assert {"ACCEPTED", "DELIVERED", "IN_DOUBT", "QUEUED"} >= set(told.values())
    assert "part 1, attempt 1: IN_DOUBT, nobody knows what came of it" in story
    # Nothing is sent twice: what was in doubt stays so, and the rest goes to the other centre.
    assert doubted.keys() == {ref for ref, state in states(again).items() if state == "IN_DOUBT"}
    queued = Counter(told.values())["QUEUED"]
    assert queued
    simulator.process.read_until(lambda event: event["event"] == "submit", times=queued)
    sent = {event["destination_addr"] for event in simulator.process.seen if event.get("text")}
    assert {
        f"346001110{int(ref[2:]):02}" for ref, state in told.items() if state == "QUEUED"
    } == sent
    assert json.loads(again.out.splitlines()[0])["known"]
