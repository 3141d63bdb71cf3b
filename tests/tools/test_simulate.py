"""The message centre of the command line, asked by a stranger's library over TCP."""

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import smpplib.client
import smpplib.consts
import smpplib.exceptions

from whiteroute.pdu import BindTransceiver, encode

Run = Callable[..., object]
Simulate = Callable[..., object]


def connected(simulator: object) -> smpplib.client.Client:
    """Connect with python-smpplib, which knows nothing of ours."""
    esme = smpplib.client.Client(
        simulator.host, simulator.port, timeout=30, allow_unknown_opt_params=True
    )
    esme.connect()
    return esme


def test_a_stranger_binds_submits_and_gets_its_receipt(simulator: object) -> None:
    said: list[object] = []
    esme = connected(simulator)
    esme.set_message_sent_handler(lambda pdu: said.append(pdu.message_id))
    esme.set_message_received_handler(lambda pdu: said.append(pdu.receipted_message_id))
    esme.bind_transceiver(system_id="stranger", password="any")
    esme.send_message(
        source_addr_ton=5,
        source_addr="ACME",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="34600111222",
        short_message=b"Hello",
        registered_delivery=True,
    )
    while len(said) < 2:
        esme.read_once()
    simulator.process.read_until(lambda event: event["event"] == "receipt_acknowledged")
    esme.unbind()
    esme.disconnect()
    ended = simulator.process.end(signal.SIGINT)

    events = simulator.process.seen[1:]
    submit = events[1]
    assert (0, "") == (ended.code, ended.err)
    assert ["bind", "submit", "receipt", "receipt_acknowledged"] == [
        event["event"] for event in events
    ]
    assert ("stranger", "ACME", "34600111222", "Hello", 0, "ESME_ROK") == tuple(
        submit[key]
        for key in (
            *("account", "source_addr", "destination_addr", "text"),
            *("status", "status_name"),
        )
    )
    assert [submit["message_id"].encode()] * 2 == said


def test_an_account_keeps_others_out(simulate: Simulate) -> None:
    simulator = simulate("--system-id", "gateway", "--password", "secret")
    esme = connected(simulator)

    with pytest.raises(smpplib.exceptions.PDUError) as refused:
        esme.bind_transceiver(system_id="gateway", password="guess")
    esme.disconnect()

    assert smpplib.consts.SMPP_ESME_RINVPASWD == refused.value.args[1]
    told = simulator.process.read()
    assert ("bind", "gateway", 14) == tuple(told[key] for key in ("event", "account", "status"))


def test_people_are_told_what_happens_until_sigterm_ends_it(
    run: Run, start: Callable[..., object], configure: Callable[..., object]
) -> None:
    process = start("-m", "whiteroute", "simulate", "--port", 0, "--delay", 0.05)
    listening = process.popen.stdout.readline()
    port = int(listening.split()[2].rpartition(":")[2])
    run(
        *("send", "--config", configure(port), "--to", "34600111222", "--from", "ACME"),
        *("--text", "Hi", "--wait", "receipt"),
    )

    ended = process.end(signal.SIGTERM)

    assert listening.startswith("Listening on 127.0.0.1:")
    assert listening.endswith(" for any system_id and password. Ctrl-C ends it.\n")
    assert (0, "") == (ended.code, ended.err)
    [submit] = [line for line in ended.out.splitlines() if " submit " in line]
    assert submit.endswith("ACME > 34600111222  ENROUTE  ESME_ROK  'Hi'")


@pytest.mark.parametrize("options", [(), ("--unmasked",)])
def test_everything_is_captured_and_can_be_decoded(
    run: Run, simulate: Simulate, tmp_path: Path, options: tuple[str, ...]
) -> None:
    path = tmp_path / "center.pcapng"
    simulator = simulate("--delay", 0.05, "--capture", path, *options)
    esme = connected(simulator)
    esme.bind_transceiver(system_id="stranger", password="any")
    esme.send_message(source_addr="ACME", destination_addr="34600111222", short_message=b"Hi there")
    esme.read_once()
    esme.unbind()
    esme.disconnect()
    ended = simulator.process.end(signal.SIGTERM)
    assert (0, "") == (ended.code, ended.err)

    decoded = run("decode", "--pcap", path, "--json")

    pdus = [json.loads(line) for line in decoded.out.splitlines()]
    [submit] = [pdu for pdu in pdus if pdu["command"] == "submit_sm"]
    assert 0 == decoded.code
    assert {"bind_transceiver", "submit_sm_resp", "unbind"} < {pdu["command"] for pdu in pdus}
    assert ("Hi there" if options else "xxxxxxxx") == submit["text"]
    assert f"{simulator.host}:{simulator.port}" == submit["destination"]


def test_a_capture_that_cannot_be_made_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    ended = run("simulate", "--port", 0, "--capture", tmp_path / "nowhere" / "a.pcapng")
    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith("whiteroute: --capture: ")


def test_unmasked_needs_a_capture(run: Run) -> None:
    ended = run("simulate", "--port", 0, "--unmasked")
    assert (2, 1) == (ended.code, ended.err.count("\n"))
    assert "--unmasked without --capture" in ended.err


def test_it_ends_without_a_word_when_nobody_reads_any_more(simulator: object) -> None:
    process = simulator.process.popen
    process.stdout.close()

    with socket.create_connection((simulator.host, simulator.port)) as esme:
        esme.sendall(encode(BindTransceiver(system_id="stranger", sequence_number=1)))
        process.wait()

    assert (1, "") == (process.returncode, process.stderr.read())


def test_an_occupied_port_is_told_in_one_line(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = run("simulate", "--port", port, "--json")

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: --port: 127.0.0.1:{port}: Address already in use")
