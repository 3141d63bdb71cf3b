"""What a ledger knows beside its messages, and how one message's whole story is told."""

import csv
import io
import json
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whiteroute.engine.config import load_own_profiles
from whiteroute.engine.ledger import SqliteStore
from whiteroute.engine.messages import (
    AttemptEnded,
    AttemptOutcome,
    AttemptStarted,
    DeliveryState,
    Entry,
    InboundArrived,
    LinkChanged,
    MappedError,
    MessageClosed,
    MessageTaken,
    ReceiptArrived,
    ReceiptOrphaned,
    RootCause,
    RunSeen,
    RunStarted,
    map_error,
)
from whiteroute.tools.ledger_lists import lasting, without_numbers

Run = Callable[..., object]
NUMBER = "34600111222"


class Written:
    """Writes a ledger; times are seconds since three hours ago."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = SqliteStore(path)
        self.start = int((time.time() - 3 * 3600) * 1e6)

    def at(self, seconds: float) -> int:
        return self.start + round(seconds * 1e6)

    def write(self, *entries: Entry) -> None:
        self.store.write(entries)

    def message(self, ref: str, at: float, *, to: str = NUMBER, **facts: object) -> None:
        usual = {"carrier": "acme", "route": "acme-es", "network": "214-07", "text": "Hi"}
        facts = usual | {"sender": "4321"} | facts
        self.write(MessageTaken(message_ref=ref, to="+" + to, taken_at=self.at(at), **facts))

    def started(self, ref: str, at: float, attempt: int = 1, **facts: object) -> None:
        facts = {"carrier": "acme", "route": "acme-es"} | facts
        self.write(
            AttemptStarted(message_ref=ref, attempt=attempt, started_at=self.at(at), **facts)
        )

    def ended(
        self, ref: str, at: float, outcome: AttemptOutcome, attempt: int = 1, **facts: object
    ) -> None:
        if "message_id" in facts:
            facts["message_id_key"] = facts["message_id"]
        entry = AttemptEnded(
            message_ref=ref, attempt=attempt, ended_at=self.at(at), outcome=outcome, **facts
        )
        self.write(entry)

    def accepted(self, ref: str, at: float, message_id: str, **facts: object) -> None:
        """A message that was taken, sent and accepted."""
        self.message(ref, at, **facts)
        self.started(ref, at)
        self.ended(ref, at + 0.2, AttemptOutcome.ACCEPTED, message_id=message_id)

    def receipt(
        self,
        message_id: str,
        at: float,
        *,
        state: int = 2,
        error: MappedError | None = None,
        source_addr: str = NUMBER,
        carrier: str = "acme",
    ) -> None:
        self.write(
            ReceiptArrived(
                carrier=carrier,
                message_id=message_id,
                message_id_key=message_id,
                message_state=state,
                stat="DELIVRD" if state == 2 else "UNDELIV",
                err="" if error is None else error.err,
                error=error,
                source_addr=source_addr,
                destination_addr="4321",
                received_at=self.at(at),
            )
        )

    def answer(self, ref: str, at: float, text: str, *, source_addr: str = NUMBER) -> None:
        self.write(
            InboundArrived(
                inbound_ref=ref,
                carrier="acme",
                source_addr=source_addr,
                destination_addr="4321",
                text=text,
                received_at=self.at(at),
            )
        )

    def link(self, what: str, at: float, **facts: object) -> None:
        self.write(
            LinkChanged(carrier="acme", link="acme/1", what=what, changed_at=self.at(at), **facts)
        )


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Written]:
    written = Written(tmp_path / "ledger.db")
    yield written
    written.store.close()


@pytest.fixture
def ask(run: Run, ledger: Written) -> Callable[..., object]:
    """Ask the ledger, after its engine has ended."""

    def asked(*options: object) -> object:
        ledger.store.close()
        return run("receipts", "--ledger", ledger.path, *options)

    return asked


def unnamed(err: str) -> MappedError:
    return map_error(err=err, stat="UNDELIV", message_state=5)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# Codes without a name


def test_unmapped_codes_are_counted_with_a_sample(ledger: Written, ask: Callable) -> None:
    for number in range(3):
        ledger.accepted(f"m{number}", number, f"id-{number}")
        ledger.receipt(f"id-{number}", 10 + number, state=5, error=unnamed("027"))
    ledger.receipt(f"{NUMBER}-9", 20, state=5, error=unnamed("0x5"))
    ledger.message("odd", 30)
    ledger.started("odd", 30)
    odd = map_error(command_status=0x500)
    ledger.ended("odd", 31, AttemptOutcome.REFUSED, command_status=0x500, error=odd)

    told = ask("--unmapped")
    records = ask("--unmapped", "--json").records
    rows = rows_of(ask("--unmapped", "--csv").out)

    assert 0 == told.code
    assert "3 codes without a meaning" in told.out
    assert [("UNDELIV", "027", 3, "id-2", "m2", "receipt")] == [
        tuple(
            record[key]
            for key in (
                *("stat", "err", "count", "sample_message_id"),
                *("sample_message_ref", "source"),
            )
        )
        for record in records[:1]
    ]
    assert {"***********-9", "id-2", ""} == {record["sample_message_id"] for record in records}
    assert NUMBER not in told.out
    assert ["3", "1", "1"] == [row["count"] for row in rows]
    assert {"response"} == {row["source"] for row in rows if row["command_status"] == "1280"}


@pytest.mark.parametrize("form", ["--json", "--csv", "--limit=1"])
def test_a_carrier_that_nobody_knows_is_a_complaint(
    ledger: Written, ask: Callable, form: str
) -> None:
    ledger.accepted("a", 1, "1")

    for mode in ((), ("--unmapped",), ("--inbound",), ("--outages",), ("--uptime",), ("--learn",)):
        if form == "--limit=1" and mode not in ((), ("--inbound",)):
            continue
        if form == "--csv" and mode == ("--learn",):
            continue
        ended = ask(*mode, form, "--carrier", "nobody")
        assert (1, "") == (ended.code, ended.out)
        assert f"{ledger.path}: no carrier 'nobody', expected one of: acme" in ended.err


def test_a_route_that_nobody_knows_is_a_complaint(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1")

    ended = ask("--route", "acme-fr")

    assert (1, "") == (ended.code, ended.out)
    assert "no route 'acme-fr', expected one of: acme-es" in ended.err


def test_a_known_carrier_without_anything_is_no_complaint(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1")

    for mode in ((), ("--unmapped",), ("--inbound",), ("--outages",)):
        ended = ask(*mode, "--carrier", "acme", "--since", "2999-01-01", "--csv")
        assert (0, 1) == (ended.code, ended.out.count("\n"))


def test_a_folder_is_no_ledger(run: Run, tmp_path: Path) -> None:
    ended = run("receipts", "--ledger", tmp_path)

    assert (2, "") == (ended.code, ended.out)
    assert f"whiteroute: {tmp_path}: a folder, expected a ledger's file in it\n" == ended.err


@pytest.mark.parametrize(
    "options",
    [
        ("--unmapped", "--learn"),
        ("--message", "a", "--inbound"),
        ("--json", "--csv"),
        ("--learn", "--csv"),
        ("--message", "a", "--csv"),
        ("--unmapped", "--state", "FAILED"),
        ("--inbound", "--class", "otp"),
        ("--outages", "--tag", "a=b"),
        ("--uptime", "--limit", "3"),
        ("--learn", "--since", "1h"),
        ("--by-link",),
        ("--tag", "campaign"),
        ("--tag", "=autumn"),
        ("--until", "tomorrow"),
        ("--error", "NONSENSE"),
        ("--limit", "0"),
        ("--uptime", "--since", "1h", "--until", "2h"),
    ],
)
def test_options_that_make_no_sense_are_told(
    ledger: Written, ask: Callable, options: tuple[str, ...]
) -> None:
    ledger.accepted("a", 1, "1")

    ended = ask(*options)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))


# Which messages


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["a", "b", "c"]),
        (("--route", "acme-es"), ["a", "b"]),
        (("--network", "214-03"), ["b"]),
        (("--class", "otp"), ["b"]),
        (("--to", "+34 600 111 222"), ["a"]),
        (("--to", NUMBER), ["a"]),
        (("--error", "no_route"), ["c"]),
        (("--tag", "campaign=autumn"), ["a", "b"]),
        (("--tag", "campaign=autumn", "--tag", "size=2=3"), ["b"]),
        (("--until", "2h"), ["a", "b"]),
        (("--since", "2h59m30s"), ["c"]),
        (("--limit", "2"), ["b", "c"]),
    ],
)
def test_messages_are_chosen(
    ledger: Written, ask: Callable, options: tuple[str, ...], expected: list[str]
) -> None:
    ledger.accepted("a", 1, "1", tags={"campaign": "autumn"})
    ledger.accepted(
        *("b", 2, "2"),
        to="34700111222",
        network="214-03",
        traffic_class="otp",
        tags={"campaign": "autumn", "size": "2=3"},
    )
    refused = {"state": DeliveryState.REFUSED, "error_code": "NO_ROUTE", "carrier": "", "route": ""}
    ledger.message("c", 5400, to="34700111333", **refused)

    assert expected == [record["message_ref"] for record in ask("--json", *options).records]


def test_what_waits_points_to_the_learner(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1")
    ledger.receipt("FF", 2)

    assert "1 receipt for a message_id that no response has given; --learn" in ask().out
    assert "--learn" not in ask("--carrier", "acme", "--json").out


# How ids are spelt


def test_a_lesson_is_toml_that_a_profile_takes(
    ledger: Written, ask: Callable, tmp_path: Path
) -> None:
    for number in range(30):
        to = f"346000000{number:02}"
        ledger.accepted(f"m{number}", number, f"{0x4B1F00 + 7919 * number:X}", to=to)
        ledger.receipt(str(0x4B1F00 + 7919 * number), 100 + number, source_addr=to)

    told = ask("--learn")
    [record] = ask("--learn", "--carrier", "acme", "--json").records
    file = tmp_path / "own.toml"
    file.write_text(told.out)

    assert 0 == told.code
    profile = load_own_profiles(file)["acme-ids"]
    assert ("hex", "decimal") == (
        profile.response_message_id.kind,
        profile.receipt_message_id.kind,
    )
    assert "propose" == record["finding"]
    assert (30, 30, 30, 0) == tuple(
        record["proposal"][key] for key in ("matched", "confirmed", "rescued", "contradicted")
    )
    assert tomllib.loads(record["toml"]) == tomllib.loads(told.out)
    assert {"response", "receipt", "key"} == set(record["proposal"]["examples"][0])


def test_without_a_lesson_there_are_only_comments(ledger: Written, ask: Callable) -> None:
    for number in range(30):
        ledger.accepted(f"m{number}", number, f"{number}")
        ledger.receipt(f"{number}", 100 + number, source_addr="34999888777")
    ledger.receipt("x\n[carriers.evil]", 200)
    ledger.receipt("1", 300, carrier="other")

    told = ask("--learn")
    records = ask("--learn", "--json").records

    assert (0, {}) == (told.code, tomllib.loads(told.out))
    assert "# Nothing to propose: " in told.out
    assert "against it: response" in told.out
    assert [None, None] == [record["proposal"] for record in records]
    assert ["no_pair", "too_few"] == [record["finding"] for record in records]


# Messages from handsets


def test_messages_from_handsets_are_listed(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1")
    ledger.answer("i", 5, "STOP, please")
    ledger.answer("j", 6, "Who?", source_addr="34611222333")

    records = ask("--inbound", "--json").records
    newest = ask("--inbound", "--limit", "1", "--csv").out
    covered = ask("--inbound", "--redact")

    assert [("i", "a"), ("j", None)] == [
        (record["inbound_ref"], record["reply_to"]) for record in records
    ]
    assert ["j"] == [row["inbound_ref"] for row in rows_of(newest)]
    assert "STOP, please" in ask("--inbound").out
    assert "STOP" not in covered.out
    assert NUMBER not in covered.out
    assert "34*******22" in covered.out
    assert [None, None] == [
        record["text"] for record in ask("--inbound", "--redact", "--json").records
    ]


# When carriers were down


def watched(ledger: Written) -> None:
    """Two outages: one over, one that the engine did not see the end of."""
    ledger.write(RunStarted(started_at=ledger.at(0)))
    ledger.link("bound", 1)
    ledger.link("lost", 100, cause="nothing came", root_cause=RootCause.SILENCE)
    ledger.link("unreachable", 110, cause="refused", root_cause=RootCause.UNREACHABLE)
    ledger.link("bound", 200)
    ledger.link("lost", 5000, cause="closed", root_cause=RootCause.PEER_CLOSED)
    ledger.write(RunSeen(seen_at=ledger.at(6000)))


def test_outages_are_told_with_their_causes(ledger: Written, ask: Callable) -> None:
    watched(ledger)

    table = ask("--outages").out
    records = ask("--outages", "--json").records
    by_link = ask("--outages", "--by-link", "--json").records
    later = ask("--outages", "--since", "2h", "--csv").out

    assert [("UNREACHABLE", 100.0, "BOUND"), ("PEER_CLOSED", 1000.0, "UNOBSERVED")] == [
        (record["root_cause"], record["seconds"], record["end"]) for record in records
    ]
    assert ["SILENCE", "UNREACHABLE"] == [each["root_cause"] for each in records[0]["phases"]]
    assert "nothing came; then refused" in table
    assert "(engine ended)" in table
    assert ["acme/1", "acme/1"] == [record["link"] for record in by_link]
    assert "acme/1" in ask("--outages", "--by-link").out
    assert ["PEER_CLOSED"] == [row["root_cause"] for row in rows_of(later)]


def test_an_outage_that_goes_on_is_still_down(ledger: Written, run: Run) -> None:
    watched(ledger)

    told = run("receipts", "--ledger", ledger.path, "--outages")

    assert "still down" in told.out


def test_uptime_adds_up(ledger: Written, ask: Callable) -> None:
    watched(ledger)
    ledger.receipt("9", 1, carrier="other")

    table = ask("--uptime").out
    acme, other = ask("--uptime", "--json").records
    [row, _] = rows_of(ask("--uptime", "--since", "4h", "--csv").out)

    assert round(4899 / 5999, 6) == acme["share"]
    assert {"PEER_CLOSED": 1000.0, "UNREACHABLE": 90.0, "SILENCE": 10.0} == acme["down_by_cause"]
    assert (2, []) == (acme["outages"], acme["open"])
    assert None is other["share"]
    assert "81.664%" in table
    assert "PEER_CLOSED 16 min 40 s" in table
    assert json.loads(row["down_by_cause"]) == acme["down_by_cause"]
    assert 4 * 3600 == pytest.approx(
        sum(float(row[key]) for key in ("up_s", "down_s", "withheld_s", "unobserved_s")), abs=0.01
    )


# The whole story of one message


def told_of(ask: Callable, ref: str, *options: str) -> str:
    ended = ask("--message", ref, *options)
    assert 0 == ended.code
    return ended.out


def test_a_story_tells_what_contradicts_and_who_answered(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1", tags={"campaign": "autumn"})
    ledger.receipt("1", 5)
    ledger.receipt("1", 9, state=5, error=unnamed("027"))
    ledger.answer("i", 20, "Who is this?")

    told = told_of(ask, "a")
    covered = told_of(ask, "a", "--redact")
    [record] = ask("--message", "a", "--json").records

    assert "contradicts an earlier one, which stands" in told
    assert "UNDELIV err 027" in told
    assert f"+19.000 s  answered by {NUMBER}: 'Who is this?'" in told
    assert ["i"] == [reply["inbound_ref"] for reply in record["replies"]]
    assert "answered by 34*******22\n" in covered
    assert not any(words in covered for words in (NUMBER, "Who", "'Hi'", "autumn"))


def test_a_story_tells_that_it_went_another_way(ledger: Written, ask: Callable) -> None:
    ledger.message("a", 1)
    ledger.started("a", 1)
    refused = map_error(command_status=0x0B)
    ledger.ended(
        *("a", 2, AttemptOutcome.REFUSED), command_status=0x0B, error=refused, retrying=True
    )
    ledger.started("a", 3, 2, carrier="other", route="other-es")
    ledger.ended("a", 4, AttemptOutcome.ACCEPTED, 2, message_id="1")

    told = told_of(ask, "a").splitlines()

    assert told[4].endswith("taken, network 214-07; route acme-es chosen")
    assert told[8].endswith("+2.000 s  goes another way: route other-es of other")


def test_a_story_shows_receipts_of_nobody_that_may_be_its_own(
    ledger: Written, ask: Callable
) -> None:
    ledger.message("a", 1)
    ledger.started("a", 1)
    ledger.ended("a", 60, AttemptOutcome.IN_DOUBT)
    ledger.receipt("77", 70)
    ledger.receipt("78", 80, source_addr="34699999999")
    ledger.receipt("79", 90)
    [waiting] = [
        line for line in ledger.store.open_reader().receipts() if line.receipt.message_id == "79"
    ]
    ledger.write(
        ReceiptOrphaned(number=waiting.number, message_id_key="79", orphaned_at=ledger.at(900))
    )

    told = told_of(ask, "a")
    [record] = ask("--message", "a", "--json").records

    assert "receipt 77 DELIVRD of nobody\n" in told
    assert "PARKED: number, sender and time fit this message" in told
    assert "ORPHANED: number, sender and time fit this message" in told
    assert ["77", "79"] == [each["message_id"] for each in record["possible_receipts"]]


def test_a_story_tells_of_an_adoption(ledger: Written, ask: Callable) -> None:
    ledger.message("a", 1)
    ledger.started("a", 1)
    ledger.ended("a", 60, AttemptOutcome.IN_DOUBT)
    ledger.receipt("77", 70)
    ledger.ended("a", 130, AttemptOutcome.ACCEPTED, message_id="77", adopted=True)

    told = told_of(ask, "a")
    [record] = ask("--message", "a", "--json").records

    assert "receipt 77 DELIVRD, of nobody at first" in told
    assert "adopted: no answer came, but receipt 77 of nobody fits it alone" in told
    assert [True] == [attempt["adopted"] for attempt in record["attempts"]]
    assert [] == record["possible_receipts"]


def test_a_story_tells_what_the_engine_made_of_the_silence(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1")
    ledger.write(
        MessageClosed(message_ref="a", closed_at=ledger.at(3601), state=DeliveryState.OVERDUE)
    )

    assert "+3600.000 s  OVERDUE: its receipt should have come by now" in told_of(ask, "a")


def test_every_message_is_covered_where_that_is_asked_for(ledger: Written, ask: Callable) -> None:
    ledger.accepted("a", 1, "1", tags={"person": "Ann"})

    for form in ((), ("--json",), ("--csv",)):
        told = ask("--redact", *form).out
        assert NUMBER not in told
        assert "Ann" not in told
        assert "+34*******22" in told


# Words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.44, "0.4 s"),
        (59.9, "59.9 s"),
        (60, "1 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_how_long_something_lasted(seconds: float, words: str) -> None:
    assert words == lasting(seconds)


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        (f"{NUMBER}-1", "***********-1"),
        ("600111222-1", "*********-1"),
        ("4600111222", "**********"),
        ("0034600111222", "00***********"),
        ("x600111223", "x600111223"),
        ("", ""),
    ],
)
def test_numbers_inside_ids_are_covered(text: str, covered: str) -> None:
    assert covered == without_numbers(text, ("+" + NUMBER, "4321", "ACME"))


def test_what_is_learnt_from_a_real_carrier_makes_its_receipts_match(
    run: Run, configure: Callable[..., Path], misbehave: Callable[..., tuple[object, int]]
) -> None:
    _, port = misbehave("DecimalReceiptOfHexId()")
    config = configure(port)
    ledger = config.parent / "ledger.db"
    rows = "to,text\n" + "".join(f"+34600111{number:03},Hi\n" for number in range(400))
    send = ("send", "--config", config, "--from", "ACME", "--wait", "receipt", "--json")

    before = run(*send, "--timeout", 4, "--csv", "-", stdin=rows.encode())
    lesson = run("receipts", "--ledger", ledger, "--learn", "--carrier", "acme").out
    text = config.read_text("utf-8").replace(
        'system_id = "gateway"', 'system_id = "gateway"\nprofile = "acme-ids"'
    )
    config.write_text(f"{text}\n{lesson}", "utf-8")
    after = run(*send, "--timeout", 60, "--to", "+34600111999", "--text", "Hi").records

    assert {"ACCEPTED"} == {record["state"] for record in before.records}
    assert 'kind = "hex"' in lesson
    assert {"DELIVERED", "FAILED", "EXPIRED"} >= {record["state"] for record in after}
