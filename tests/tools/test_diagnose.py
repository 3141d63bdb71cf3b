"""The command as people call it: its lines, its JSON, its exit codes, and the password in none of them."""

import json
import os
import socket
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing
import trustme

from whiteroute.engine.carrier import Host
from whiteroute.engine.messages import Message
from whiteroute.pdu import BindTransceiver, CommandStatus, WireForm, decode, encode, make_tlvs
from whiteroute.simulators import (
    Account,
    MessageCenter,
    behaviours,
    open_message_center,
)
from whiteroute.tools.diagnose import Voice, Work
from whiteroute.tools.diagnosis.causes import CausesError, load_rows, rank, read_rows
from whiteroute.tools.diagnosis.cover import Cover
from whiteroute.tools.diagnosis.examined import Wishes
from whiteroute.tools.diagnosis.observed import BindAttempt, Observed
from whiteroute.tools.diagnosis.second_opinion import SecondOpinion, ask_smpplib, compare
from whiteroute.tools.diagnosis.symptoms import find_symptom, symptom_names
from whiteroute.tools.diagnosis.target import TargetError, read_url
from whiteroute.tools.diagnosis.watching import sparkline

Run = Callable[..., object]
PASSWORD = "hush-hush"
FORMS = (PASSWORD, PASSWORD.encode().hex(), PASSWORD.encode().hex(" "))
MESSAGE = Message(to="34600111222", sender="ACME", text="Hello")


@pytest.fixture
def autojump_clock() -> trio.testing.MockClock:
    """A clock that jumps when nothing happens; loopback gets its turn before."""
    return trio.testing.MockClock(autojump_threshold=0.01)


async def work(
    port: int, query: str = "", *, bundle: str | None = None, **facts: object
) -> tuple[int, Voice]:
    """Diagnose as the command does, under the test's clock."""
    target = read_url(f"smpp://gateway:{PASSWORD}@127.0.0.1:{port}?{query}")
    voice = Voice(as_json=True)
    made = Work(
        target=target,
        wishes=Wishes(**facts),
        rows=load_rows(),
        voice=voice,
        inline=True,
    )
    return await made.run(bundle), voice


def records(said: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said.splitlines()]


# The contract.


def test_a_good_bind_as_json(run: Run, simulator: object) -> None:
    ended = run(
        *("diagnose", f"smpp://gateway:{PASSWORD}@127.0.0.1:{simulator.port}", "--idle", "0.1"),
        *("--to", "34600111222", "--text", "Hello", "--json"),
    )

    *stages, verdict = ended.records
    assert (0, "") == (ended.code, ended.err)
    assert [
        "arguments",
        "dns",
        "tcp",
        "bind",
        "bind_response",
        "enquire_link",
        "idle",
        "submit",
    ] == [stage["stage"] for stage in stages][:8]
    for stage in stages:
        assert {"stage", "ok", "elapsed_ms", "status", "finding", "hints"} <= stage.keys()
    assert {"value": 0, "name": "ESME_ROK"} == stages[3]["status"]
    assert None is stages[1]["status"]
    assert 0 == verdict["exit"]
    assert verdict["verdict"].startswith("Bound at 127.0.0.1:")


def test_a_refused_bind_says_why_and_what_to_check(
    run: Run, simulate: Callable[..., object]
) -> None:
    center = simulate("--system-id", "gateway", "--password", "other")

    ended = run("diagnose", f"smpp://gateway:{PASSWORD}@127.0.0.1:{center.port}", "--json")

    *stages, verdict = ended.records
    assert (1, "bind") == (ended.code, stages[-1]["stage"])
    assert {"value": 14, "name": "ESME_RINVPASWD"} == stages[-1]["status"]
    hint = stages[-1]["hints"][0]
    assert ("credential-too-long", 1) == (hint["id"], verdict["exit"])
    assert hint["cause"]
    assert hint["check"]


def test_a_refused_bind_for_eyes(
    run: Run, simulate: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    center = simulate("--system-id", "gateway", "--password", "other")
    monkeypatch.setenv("WHITEROUTE_PASSWORD", "guess")

    ended = run("diagnose", f"smpp://gateway@127.0.0.1:{center.port}")

    lines = ended.out.splitlines()
    assert 1 == ended.code
    assert any(line.startswith("bind           FAILED  ") for line in lines)
    assert "                    1. The password is wrong, or was changed." in lines
    assert "Most probably: The password is wrong, or was changed." in lines
    assert "\x1b" not in ended.out


def test_a_carrier_of_a_configuration(
    run: Run, simulator: object, configure: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(simulator.port)

    ended = run("diagnose", "--config", config, "--carrier", "acme", "--idle", "0", "--json")

    assert 0 == ended.code
    assert "generic-3.4" == ended.records[0]["facts"]["profile"]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), "neither URL nor --config, or both"),
        (("smpp://a:b@h:1", "--config", "x.toml"), "neither URL nor --config, or both"),
        (("smpp://a:b@h:1", "--carrier", "x"), "--carrier without --config"),
        (("http://a:hush@h:1",), "URL: http, expected smpp:// or smpps://"),
        (("smpp://a:hush@h:x",), "URL: a port or address that is none, expected HOST:PORT"),
        (("smpp://a:hush@h:0",), "URL: port 0, expected 1 to 65535"),
        (("smpp://:hush@h:1",), "URL: no system_id"),
        (("smpp://a:hush@:1",), "URL: no host"),
        (("smpp://a:hu/sh@h:1",), "URL: "),
        (("smpp://a:hush@h:1/x",), "URL: something behind the port"),
        (("smpp://a:hush@h:1?bnid=trx",), "URL: 'bnid', expected one of bind"),
        (("smpp://a:hush@h:1?bind=both",), "URL: bind: 'both', expected trx or tx+rx or tx or rx"),
        (("smpp://a:hush@h:1?tps=0",), "URL: tps: '0', expected a number above 0"),
        (("smpp://a:hush@h:1?window=x",), "URL: window: 'x', expected a number above 0"),
        (("smpp://a:hush@h:1?ca_file=x",), "URL: ca_file without TLS, expected smpps://"),
        (("smpp://a@h:1",), "URL: no password, expected one in WHITEROUTE_PASSWORD"),
        (("smpp://a:hush@h:1", "--to", "34600111222"), "one of --to and --text without the other"),
        (("smpp://a:hush@h:1", "--to", "x", "--text", "x"), "--to: 'x', expected"),
        (("smpp://a:hush@h:1", "--window-probe"), "a probe without --to, --text and a tps"),
        (("smpp://a:hush@h:1", "--idle", "long"), "'long', expected a duration such as 90s"),
        (("smpp://a:hush@h:1", "--timeout", "0"), "--timeout 0"),
        (("smpp://a:hush@h:1", "--watch", "1m", "--every", "0"), "--every 0"),
        (("smpp://a:hush@h:1", "--causes", "nowhere.toml"), "--causes: nowhere.toml: No such file"),
        (
            ("smpp://a:hush@127.0.0.1:9", "--bundle", "no/where.zip"),
            "--bundle: no/where.zip: No such",
        ),
        (("smpp://a:hush%00@127.0.0.1:9",), "password: it cannot be sent, expected "),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    run: Run, arguments: tuple[str, ...], found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WHITEROUTE_PASSWORD", raising=False)

    ended = run("diagnose", *arguments)

    assert 2 == ended.code
    assert found in ended.err
    assert 1 == ended.err.count("\n")
    assert "hush" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("carrier", "found"),
    [
        ("acm", "--carrier: 'acm', did you mean acme?"),
        ("other", "--carrier: 'other', expected one of acme"),
    ],
)
def test_a_carrier_that_there_is_not(
    run: Run, configure: Callable[..., object], carrier: str, found: str
) -> None:
    ended = run("diagnose", "--config", configure(9), "--carrier", carrier)

    assert 2 == ended.code
    assert found in ended.err


def test_the_url_has_what_a_profile_has() -> None:
    target = read_url(
        "smpps://user:p%40ss@[2001:db8::1]?bind=tx+rx&version=5.0&system_type=VMA&window=5&tps=2.5"
        "&address_range=^34&source_address=192.0.2.7&proxy_protocol=v2&verify=chain&ca_file=a.pem"
        "&server_name=smsc.example.com"
    )

    settings = target.settings
    tls = target.transport.tls
    assert ("user", "p@ss", "tx+rx", 5, 2.5) == (
        *(settings.system_id, settings.password, settings.bind, settings.window, settings.tps),
    )
    assert "[2001:db8::1]:3550" == str(settings.hosts[0])
    assert (0x50, "VMA", "^34") == (
        *(settings.profile.bind.interface_version, settings.profile.bind.system_type),
        settings.profile.bind.address_range,
    )
    assert ("192.0.2.7", "v2") == (target.transport.source_address, target.transport.proxy_protocol)
    assert tls is not None
    assert ("chain", "a.pem", "smsc.example.com") == (tls.verify, tls.ca_file, tls.server_name)


def test_pins_make_it_pinned() -> None:
    target = read_url("smpps://a:b@h:1?pin=AA&pin=BB")

    assert target.transport.tls is not None
    assert ("pinned", ("AA", "BB")) == (target.transport.tls.verify, target.transport.tls.pins)


def test_a_target_does_not_show_its_password() -> None:
    assert PASSWORD not in repr(read_url(f"smpp://a:{PASSWORD}@h:1"))
    with pytest.raises(TargetError) as raised:
        read_url(f"smpp://a:{PASSWORD}@h:1/{PASSWORD}")
    assert PASSWORD not in str(raised.value)


# The password.


class Echoing(behaviours.Behaviour):
    """Tells the password in whatever it says."""

    def wrap(self, stream: trio.abc.Stream) -> trio.abc.Stream:
        return EchoingStream(stream)


@attrs.define(eq=False)
class EchoingStream(trio.abc.Stream):
    """Answers a bind by the password as system_id, in a parameter, and as text behind it."""

    inner: trio.abc.Stream

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        pdu = decode(bytes(data)[: int.from_bytes(bytes(data)[:4], "big")])
        if pdu.name.startswith("bind_") and hasattr(pdu, "system_id"):
            pdu.system_id = PASSWORD
            pdu.tlvs = make_tlvs(additional_status_info_text=f"not {PASSWORD}")
            data = encode(pdu)
        elif pdu.name == "enquire_link_resp":
            data = b"HTTP/1.1 500 " + PASSWORD.encode()
        await self.inner.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.inner.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self.inner.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self.inner.aclose()


def all_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as file:
        return b"".join(file.read(name) for name in file.namelist())


@pytest.mark.parametrize(
    "behaviour",
    [
        behaviours.Behaviour(),
        Echoing(),
        behaviours.RefuseBind(CommandStatus.ESME_RINVPASWD),
        behaviours.RefuseTransceiver(nack=True),
        behaviours.SilentBind(),
        behaviours.Garbage(0, PASSWORD.encode()),
        behaviours.Garbage(1, b"HTTP/1.1 502 " + PASSWORD.encode()),
        behaviours.ResetAfterBind(),
        behaviours.NoReceipt(),
    ],
    ids=lambda behaviour: type(behaviour).__name__,
)
async def test_the_password_is_nowhere(
    behaviour: object, tmp_path: Path, capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    bundle = tmp_path / "all.zip"
    async with open_message_center(MessageCenter(behaviours=(behaviour,))) as center:
        _, voice = await work(
            center.port,
            "tps=50",
            bundle=str(bundle),
            message=MESSAGE,
            mo_wait=1.0,
            window_probe=True,
            throttle_probe=1.0,
            watch=20.0,
        )
    said = capfd.readouterr()
    shown = said.out + said.err + "\n".join(voice.lines)
    kept = all_of(bundle)

    assert records(said.out)
    for form in FORMS:
        assert form not in shown
        assert form.encode() not in kept
    assert PASSWORD.encode() not in kept


async def test_a_bundle_has_everything(tmp_path: Path, autojump_clock: object) -> None:
    bundle = tmp_path / "all.zip"
    async with open_message_center(MessageCenter()) as center:
        code, _ = await work(center.port, bundle=str(bundle), message=MESSAGE)

    with zipfile.ZipFile(bundle) as file:
        held = {name: file.read(name) for name in file.namelist()}
    assert 0 == code
    assert {
        "README.txt",
        "verdict.txt",
        "stages.jsonl",
        "pdus.txt",
        "pdus.pcapng",
        "versions.json",
    } == set(held)
    assert 0 == records(held["stages.jsonl"].decode())[-1]["exit"]
    assert b"\x0a\x0d\x0d\x0a" == held["pdus.pcapng"][:4]
    assert b" -> " in held["pdus.txt"]
    assert b" <- " in held["pdus.txt"]
    assert b"deliver_sm_resp" in held["pdus.txt"]
    assert "openssl" in json.loads(held["versions.json"])
    assert 0o600 == bundle.stat().st_mode & 0o777


@pytest.mark.parametrize(
    ("password", "text", "shown"),
    [
        ("", "as it is", "as it is"),
        ("a", "a bag", "a bag"),
        ("abc", "abc", "(covered)"),
        ("abcd", "x abcd y", "x (covered) y"),
        ("abcd", "61626364", "(covered)"),
    ],
)
def test_texts_are_covered(password: str, text: str, shown: str) -> None:
    assert shown == Cover(password).text(text)


@pytest.mark.parametrize("password", ["abc", "abcd", "long-password"])
def test_a_system_id_that_is_the_password_is_covered(password: str) -> None:
    octets = encode(
        BindTransceiver(
            system_id=password, password=password, wire_form=WireForm.OVERLONG, sequence_number=1
        )
    )

    shown = Cover(password).pdu(octets)

    assert len(octets) == len(shown)
    assert password.encode() not in shown


def test_without_a_password_nothing_more_is_covered() -> None:
    octets = encode(BindTransceiver(system_id="gateway", sequence_number=1))

    assert octets == Cover("").pdu(octets)


# Watching.


async def test_a_watched_bind_that_holds(autojump_clock: object) -> None:
    async with open_message_center(MessageCenter()) as center:
        code, voice = await work(center.port, watch=60.0, watch_every=5.0)

    assert 0 == code
    assert any("60 s, 0 drops; enquire_link 12 answered (0 not)" in line for line in voice.lines)


async def test_a_watched_bind_that_drops_is_bound_again(
    capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    center = MessageCenter()
    async with open_message_center(center), trio.open_nursery() as nursery:

        async def interfere() -> None:
            await trio.sleep(30)
            await center.unbind_all()

        nursery.start_soon(interfere)
        code, _ = await work(center.port, "bind=tx+rx", watch=120.0, watch_every=5.0)

    said = capfd.readouterr()
    [watch] = [each for each in records(said.out) if each.get("stage") == "watch"]
    assert 1 == code
    assert said.err.endswith(" UTC  the message centre unbound, 30.0 s after the bind\n")
    assert ["the message centre unbound, 30.0 s after the bind"] == [
        drop["how"] for drop in watch["facts"]["drops"]
    ]
    assert watch["facts"]["answered"] > 30


async def test_a_watched_bind_that_cannot_be_had_again(
    capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    center = MessageCenter()
    async with open_message_center(center), trio.open_nursery() as nursery:

        async def interfere() -> None:
            await trio.sleep(10)
            center.behaviours = (behaviours.RefuseBind(CommandStatus.ESME_RSYSERR),)
            await center.unbind_all()
            await trio.sleep(60)
            center.behaviours = (behaviours.HostDown(),)

        nursery.start_soon(interfere)
        code, _ = await work(center.port, watch=300.0, watch_every=5.0)

    [watch] = [each for each in records(capfd.readouterr().out) if each.get("stage") == "watch"]
    how = [drop["how"] for drop in watch["facts"]["drops"]]
    assert 1 == code
    assert {"bind again: refused", "bind again: closed"} <= set(how)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((), ""),
        ((1.0,), "█"),
        ((0.0, 0.0), "▁▁"),
        ((1.0, 2.0, 4.0, 8.0), "▂▃▅█"),
        (tuple(map(float, range(80))), 40),
    ],
)
def test_a_sparkline(values: tuple[float, ...], drawn: str | int) -> None:
    line = sparkline(values)

    assert drawn == (len(line) if isinstance(drawn, int) else line)


# Texts from handsets, ways of binding, probes.


async def test_a_text_from_a_handset_is_shown(
    capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    center = MessageCenter()
    async with open_message_center(center), trio.open_nursery() as nursery:

        async def write() -> None:
            await trio.sleep(10)
            center.inject_mo("34600111222", "12345", "Hola")

        nursery.start_soon(write)
        code, _ = await work(center.port, mo_wait=60.0)

    [mo] = [each for each in records(capfd.readouterr().out) if each.get("stage") == "mo"]
    assert 0 == code
    assert "from 34600111222 to 12345, data_coding 0: 'Hola'" == mo["finding"]


async def test_no_text_from_a_handset(autojump_clock: object) -> None:
    async with open_message_center(MessageCenter()) as center:
        code, voice = await work(center.port, mo_wait=5.0)

    assert 1 == code
    assert any("no text from a handset within 5 s" in line for line in voice.lines)


@pytest.mark.parametrize(
    ("bind", "stage", "finding"),
    [
        ("rx", "submit", "not sent: a receiver cannot submit"),
        ("rx", "window", "not sent: a receiver cannot submit"),
        ("rx", "throttle", "not sent: a receiver cannot submit"),
        ("tx", "mo", "not waited for: a transmitter cannot receive"),
    ],
)
async def test_one_direction_alone(
    bind: str,
    stage: str,
    finding: str,
    capfd: pytest.CaptureFixture[str],
    autojump_clock: object,
) -> None:
    async with open_message_center(MessageCenter()) as center:
        await work(
            center.port,
            f"bind={bind}&tps=10",
            message=MESSAGE,
            receipt_wait=1.0,
            mo_wait=1.0,
            window_probe=True,
            throttle_probe=1.0,
        )

    told = {each.get("stage"): each.get("finding") for each in records(capfd.readouterr().out)}
    assert finding == told[stage]


async def test_a_transmitter_gets_no_receipts(autojump_clock: object) -> None:
    async with open_message_center(MessageCenter()) as center:
        code, voice = await work(center.port, "bind=tx", message=MESSAGE, receipt_wait=5.0)

    assert 1 == code
    assert any(
        line.startswith("Most probably: We are bound as a transmitter") for line in voice.lines
    )


async def test_a_probe_keeps_to_the_contract(
    capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    async with open_message_center(MessageCenter()) as center:
        await work(
            center.port, "tps=5&window=50", message=MESSAGE, window_probe=True, throttle_probe=10.0
        )
        sent = [event.at for event in center.events() if event.event == "submit"]

    told = {each.get("stage"): each for each in records(capfd.readouterr().out)}
    assert {"ESME_ROK": 5} == told["window"]["facts"]["answers"]
    assert {"ESME_ROK": 50} == told["throttle"]["facts"]["answers"]
    assert 1 + 5 + 50 == len(sent)
    slow = sent[6:]
    assert all(later - sooner >= 999_000 for sooner, later in zip(slow, slow[5:], strict=False))


async def test_a_throttled_probe_is_told(
    capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    center = MessageCenter(behaviours=(behaviours.Throttle(3),))
    async with open_message_center(center):
        code, voice = await work(center.port, "tps=10", message=MESSAGE, throttle_probe=3.0)

    [throttle] = [
        each for each in records(capfd.readouterr().out) if each.get("stage") == "throttle"
    ]
    assert 1 == code
    assert "ESME_RTHROTTLED" == throttle["status"]["name"]
    assert any(line.startswith("Most probably: The limit is below") for line in voice.lines)


async def test_a_long_text_is_told_part_by_part(
    capfd: pytest.CaptureFixture[str], autojump_clock: object
) -> None:
    center = MessageCenter(behaviours=(behaviours.ReceiptForFirstPartOnly(),))
    message = Message(to="34600111222", sender="ACME", text="long " * 60)
    async with open_message_center(center):
        code, _ = await work(center.port, message=message)

    *_, verdict = records(capfd.readouterr().out)
    assert (1, "first-part-only") == (code, verdict["hints"][0]["id"])


async def test_idling_for_long_asks_again(autojump_clock: object) -> None:
    center = MessageCenter()
    async with open_message_center(center):
        code, voice = await work(center.port, idle=90.0)

    assert 0 == code
    assert any("the peer sent enquire_link" in line for line in voice.lines)


async def test_deliveries_that_were_waiting_are_told(autojump_clock: object) -> None:
    center = MessageCenter(accounts=(Account(system_id="gateway", password=PASSWORD),))
    async with open_message_center(center):
        center.inject_mo("34600111222", "12345", "Hola", account="gateway")
        code, voice = await work(center.port)

    assert 0 == code
    assert any("1 deliveries came and were acknowledged" in line for line in voice.lines)
    assert any(line.startswith("Worth a look: ") for line in voice.lines)


# A second opinion.


def test_a_stranger_sees_the_same(run: Run, simulate: Callable[..., object]) -> None:
    center = simulate("--system-id", "gateway", "--password", "other")

    ended = run(
        *(
            "diagnose",
            f"smpp://gateway:guess@127.0.0.1:{center.port}",
            "--second-opinion",
            "--json",
        ),
    )

    *_, opinion, verdict = ended.records
    assert (1, "second_opinion", True) == (ended.code, opinion["stage"], opinion["ok"])
    assert "smpplib: refused with ESME_RINVPASWD (0x0e); both see the same" == opinion["finding"]
    assert 1 == verdict["exit"]


def test_a_stranger_binds_as_well(run: Run, simulator: object) -> None:
    ended = run(
        *("diagnose", f"smpp://gateway:guess@127.0.0.1:{simulator.port}", "--idle", "0"),
        *("--second-opinion", "--json"),
    )

    *_, opinion, _ = ended.records
    assert (0, True) == (ended.code, opinion["ok"])


@pytest.mark.parametrize(
    ("behaviour", "finding"),
    [
        ("HostDown()", "smpplib: closed; both see the same"),
        ("SilentBind()", "smpplib: silent; both see the same"),
        ("Garbage(0)", "both see the same"),
        ("UnbindIgnored()", "smpplib: accepted (unbind: ConnectionError); both see the same"),
    ],
)
def test_a_stranger_fails_as_well(
    run: Run, misbehave: Callable[..., tuple[object, int]], behaviour: str, finding: str
) -> None:
    _, port = misbehave(behaviour)

    ended = run(
        *("diagnose", f"smpp://gateway:guess@127.0.0.1:{port}", "--timeout", "0.5", "--idle", "0"),
        *("--second-opinion", "--json"),
    )

    *_, opinion, verdict = ended.records
    assert (1, "second_opinion") == (verdict["exit"], opinion["stage"])
    assert opinion["finding"].endswith(finding)


def test_a_stranger_cannot_connect_either(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    ended = run(
        *("diagnose", f"smpp://gateway:guess@127.0.0.1:{port}?source_address=127.0.0.1"),
        *("--second-opinion", "--json"),
    )

    *_, opinion, _ = ended.records
    assert "smpplib: closed (Connection refused); both see the same" == opinion["finding"]


def test_a_stranger_speaks_tls(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)

    async def ask(query: str) -> SecondOpinion:
        async with open_message_center(MessageCenter(), tls=context) as center:
            target = read_url(f"smpps://gateway:guess@127.0.0.1:{center.port}?{query}")
            return await ask_smpplib(target, target.settings.hosts[0], Observed(), 5.0)

    good = trio.run(ask, f"ca_file={tmp_path / 'ca.pem'}")
    pinned = trio.run(ask, f"pin={'00' * 32}")
    bad = trio.run(ask, "verify=chain")

    assert ("accepted", "accepted", "closed") == (good.end, pinned.end, bad.end)


def test_without_smpplib_it_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smpplib.client", None)

    ended = run("diagnose", "smpp://a:b@127.0.0.1:9", "--second-opinion")

    assert (2, "") == (ended.code, ended.out)
    assert "--second-opinion: smpplib is not installed, expected `pip install" in ended.err


def attempt(end: str, status: int | None = None) -> BindAttempt:
    return BindAttempt(
        operation="bind_transceiver",
        asked="",
        interface_version=0x34,
        end=end,
        took=0.0,
        command_status=status,
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (None, SecondOpinion(end="closed"), True),
        (None, SecondOpinion(end="accepted", command_status=0), False),
        (attempt("accepted", 0), SecondOpinion(end="accepted", command_status=0), True),
        (attempt("accepted", 0), SecondOpinion(end="refused", command_status=13), False),
        (attempt("refused", 14), SecondOpinion(end="refused", command_status=14), True),
        (attempt("silent"), SecondOpinion(end="silent"), True),
        (attempt("silent"), SecondOpinion(end="closed"), False),
        (attempt("broken"), SecondOpinion(end="failed"), True),
    ],
)
def test_opinions_are_compared(ours: BindAttempt | None, theirs: SecondOpinion, same: bool) -> None:
    assert same == compare(ours, theirs)


# Causes as data.


def test_all_36_rows_are_there_and_each_symptom_is_asked_for() -> None:
    rows = load_rows()
    used = {
        name.partition(":")[0]
        for row in rows
        for name in (
            *row.when,
            *(each for cause in row.causes for each in (*cause.likelier_when, *cause.only_when)),
        )
    }

    assert set(range(1, 37)) == {row.number for row in rows} - {None}
    assert len(rows) == len({row.id for row in rows})
    assert {name.rstrip(":") for name in symptom_names()} == used


@pytest.mark.parametrize("name", [name for name in symptom_names() if not name.endswith(":")])
def test_a_symptom_says_of_nothing_seen_nothing_wrong(name: str) -> None:
    denials = {
        *("framing_holds", "not_bound", "not_nacked_without_number", "nothing_intermediate"),
        *("one_in_flight", "peer_spoke_nothing_known"),
    }

    assert (name in denials) == find_symptom(name)(Observed())


def test_nothing_seen_has_no_cause() -> None:
    assert () == rank(load_rows(), Observed())


OWN = """
[[rows]]
id = "house-rule"
stage = "bind"
symptom = "ESME_RINVPASWD"
when = ["bind_status:0x0E"]
causes = [{ id = "monday", cause = "Passwords end on Mondays.", check = "Ask the portal." }]

[[rows]]
id = "system-error"
stage = "bind"
symptom = "ESME_RSYSERR"
when = ["bind_status:0x08"]
causes = [{ id = "credit", cause = "No credit.", check = "Look at the balance." }]
"""


def test_people_s_own_causes_go_first(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    rows = read_rows(str(path))

    for status, first in ((0x0E, ["wrong-password", "monday"]), (0x08, ["credit"])):
        seen = Observed(attempts=[attempt("refused", status)])
        assert first == [hint.id for hint in rank(rows, seen)][: len(first)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rows = [", "expected TOML"),
        ("", "rows: none, expected [[rows]]"),
        (OWN.replace('stage = "bind"', ""), "rows[0]: "),
        (
            OWN.replace("bind_status:0x0E", "bind_status:abc"),
            "rows[0].when: 'bind_status:abc', expected numbers",
        ),
        (
            OWN.replace("bind_status:0x0E", "moonlight"),
            "rows[0].when: 'moonlight', expected one of ",
        ),
        (
            OWN.replace('when = ["bind_status:0x0E"]', "when = []"),
            "rows[0].when: none, expected at least",
        ),
        (
            OWN.replace('stage = "bind"', 'stage = "bind"\nphase = 1'),
            "rows[0]: phase, expected no such key",
        ),
    ],
)
def test_a_wrong_file_of_causes_is_told_in_one_line(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)

    with pytest.raises(CausesError) as raised:
        read_rows(str(path))

    assert str(raised.value).startswith(f"{path}: ")
    assert found in str(raised.value)
    assert "\n" not in str(raised.value)


# At a terminal.


def test_an_interrupt_leaves_in_order(start: Callable[..., object], simulator: object) -> None:
    process = start(
        *("-m", "whiteroute", "diagnose", f"smpp://gateway:x@127.0.0.1:{simulator.port}"),
        *("--idle", "0", "--watch", "1h", "--every", "0.05", "--json"),
    )
    process.read_until(lambda record: record.get("stage") == "enquire_link")

    ended = process.end(2)

    *_, verdict = [json.loads(line) for line in ended.out.splitlines()]
    assert (1, "") == (ended.code, ended.err)
    assert verdict["verdict"].startswith("Interrupted")
    simulator.process.read_until(lambda event: event["event"] == "unbind")


def test_the_password_is_asked_for_at_a_terminal(simulator: object) -> None:
    ours, theirs = os.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "WHITEROUTE_PASSWORD"}
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "whiteroute", "diagnose", "--idle", "0"),
            f"smpp://gateway@127.0.0.1:{simulator.port}",
        ],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env=environment | {"TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    drawn = os.read(ours, 100)
    os.write(ours, f"{PASSWORD}\n".encode())
    try:
        while octets := os.read(ours, 65_536):
            drawn += octets
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)

    assert 0 == process.wait()
    assert drawn.startswith(b"Password: ")
    assert b"Bound at 127.0.0.1" in drawn
    assert PASSWORD.encode() not in drawn


async def test_every_host_is_examined(autojump_clock: object) -> None:
    async with open_message_center(MessageCenter()) as center:
        target = read_url(f"smpp://gateway:{PASSWORD}@127.0.0.1:{center.port}")
        hosts = (*target.settings.hosts, Host("127.0.0.9", center.port))
        target = attrs.evolve(target, settings=attrs.evolve(target.settings, hosts=hosts))
        voice = Voice(as_json=False, hosts=2)
        made = Work(target=target, wishes=Wishes(), rows=load_rows(), voice=voice)
        code = await made.run(None)

    assert 1 == code
    assert {str(host) for host in hosts} <= set(voice.lines)
    assert any("Bound at" in line and "No bind at 127.0.0.9" in line for line in voice.lines)


def test_help_shows_examples(run: Run) -> None:
    ended = run("diagnose", "--help")

    assert 0 == ended.code
    assert (
        "whiteroute diagnose --config carriers.toml --carrier acme --bundle acme.zip" in ended.out
    )
