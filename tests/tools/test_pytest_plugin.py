"""The pytest plugin, as somebody meets it who tests a gateway of his own."""

import subprocess
import sys
from pathlib import Path

import pytest

from whiteroute.simulators import MessageCenter
from whiteroute.tools.threaded_center import open_threaded_message_center

TRIO = """
import pytest, trio
from whiteroute import Message
from whiteroute.simulators import Handset, Handsets, behaviours

async def test_real(message_center, engine):
    outcome = await engine.submit(Message(to="+34600111222", sender="ACME", text="hello"))
    assert outcome.state == "ACCEPTED"
    message_center.submitted(to="34600111222", text="hello")
    with trio.fail_after(10):
        await message_center.wait_for("receipt_acknowledged")

@pytest.mark.message_center(handsets=Handsets(rules=[Handset(pattern="*", delay=3 * 3600.0)]))
async def test_hours(mock_message_center, engine, autojump_clock):
    await engine.submit(Message(to="+34600111222", sender="ACME", text="hello"))
    begun = trio.current_time()
    await mock_message_center.wait_for("receipt_acknowledged")
    assert trio.current_time() - begun > 2.9 * 3600

@pytest.mark.message_center(behaviours=[behaviours.RefuseSubmits(0x0B)])
async def test_refused(message_center, engine):
    outcome = await engine.submit(Message(to="+34600111222", sender="ACME", text="hello"))
    assert outcome.state == "REFUSED"

@pytest.mark.xfail(strict=True, raises=BaseException)
async def test_no_clock(mock_message_center):
    pass

@pytest.mark.xfail(strict=True, raises=BaseException)
async def test_nothing_came(message_center):
    message_center.submitted(to="34600111222")
"""

THREADED = """
import asyncio, pytest, smpplib.client
from whiteroute.simulators import behaviours

def send(center):
    esme = smpplib.client.Client(center.host, center.port, allow_unknown_opt_params=True)
    esme.connect()
    esme.bind_transceiver(system_id="me", password="pw")
    esme.send_message(source_addr="ACME", destination_addr="34600111222", short_message=b"hello",
                      registered_delivery=True)
    esme.set_message_received_handler(lambda pdu: None)
    esme.read_once()
    esme.read_once()
    return esme

def test_sync(threaded_message_center):
    esme = send(threaded_message_center)
    threaded_message_center.wait_for("receipt_acknowledged", to="34600111222")
    (one,) = threaded_message_center.submitted(to="34600111222")
    assert one.text == "hello"
    assert threaded_message_center.statistics().accepted == 1
    threaded_message_center.inject_mo("34600111222", "55", "hi")
    esme.read_once()
    threaded_message_center.wait_for("mo_acknowledged")
    threaded_message_center.behave(behaviours.QueueFull())
    with pytest.raises(AssertionError, match="0 submissions fit, expected 1"):
        threaded_message_center.submitted(to="1")
    with pytest.raises(AssertionError, match="no unbind within 0.01 s, expected 1; seen: bind"):
        threaded_message_center.wait_for("unbind", within=0.01)
    esme.unbind()
    esme.disconnect()

def test_asyncio(threaded_message_center):
    async def main():
        reader, writer = await asyncio.open_connection(
            threaded_message_center.host, threaded_message_center.port)
        writer.write(bytes.fromhex("00000010000000150000000000000001"))
        assert (await reader.readexactly(16))[4:8] == bytes.fromhex("80000015")
        writer.close()
    asyncio.run(main())
"""


def run_pytest(folder: Path, source: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a file as somebody else would, in a process of its own."""
    (folder / "test_gateway.py").write_text(source, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", *options, "test_gateway.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


PLUGIN = ("-p", "whiteroute.tools.pytest_plugin")


def test_trio_tests_get_a_center_and_an_engine(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, TRIO, *plugin_options(), "-o", "trio_mode=true")
    assert "3 passed, 2 xfailed" in done.stdout, done.stdout


def test_others_get_one_in_a_thread(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, THREADED, *plugin_options(), "-p", "no:trio")
    assert "2 passed" in done.stdout, done.stdout


def plugin_options() -> tuple[str, ...]:
    """Name the plugin where the installation is older than its entry point."""
    from importlib.metadata import entry_points

    installed = {point.value for point in entry_points(group="pytest11")}
    return () if "whiteroute.tools.pytest_plugin" in installed else PLUGIN


def test_loading_the_plugin_brings_no_room(tmp_path: Path) -> None:
    program = (
        "import sys, whiteroute.tools.pytest_plugin\n"
        "print(*[m for m in sys.modules if m.startswith(('whiteroute.engine', 'whiteroute.pdu',"
        " 'whiteroute.simulators'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "" == done.stdout.strip()


def test_a_port_that_is_taken_is_told_at_once() -> None:
    with (
        open_threaded_message_center(MessageCenter()) as first,
        pytest.raises(OSError, match=str(first.port)),
        open_threaded_message_center(MessageCenter(), port=first.port),
    ):
        pytest.fail("the port is taken")
