"""Every command line ends with an exit code and at most one line, whatever is wrong with it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from whiteroute.engine.ledger import LedgerError
from whiteroute.tools.main import COMMANDS

Run = Callable[..., object]


def test_help_lists_every_command_and_loads_none() -> None:
    program = (
        "import sys; from whiteroute.tools.main import main\n"
        "try: main(['--help'])\n"
        "finally: print('loaded', {'trio', 'rich'} & sys.modules.keys())"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout

    assert "loaded set()" in said
    assert [] == [name for name in COMMANDS if f"\n  {name} " not in said]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    ended = run(name, "--help")

    assert (0, "") == (ended.code, ended.err)
    assert f"Usage: whiteroute {name} " in ended.out


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").out.startswith("whiteroute 0.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "No such command 'fly'"),
        (["send", "--nope"], "send: No such option '--nope'"),
        (["send"], "send: Missing option '--config'"),
        (["simulate", "--port", "70000"], "simulate: Invalid value for '--port'"),
        (["receipts", "--ledger", "x", "--state", "GONE"], "receipts: Invalid value for '--state'"),
        (["receipts", "--ledger", "x", "--json", "--csv"], "receipts: --json and --csv"),
        (["simulate", "--password", "x"], "simulate: --password without --system-id"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(run: Run, arguments: list[str], said: str) -> None:
    ended = run(*arguments)

    assert (2, "", 1) == (ended.code, ended.out, ended.err.count("\n"))
    assert ended.err.startswith(f"whiteroute: {said}")


@pytest.mark.parametrize(
    ("found", "instead", "said"),
    [
        ('system_id = "gateway"', 'systemid = "gateway"', "carriers.acme.systemid: "),
        ("[routes.acme-es]", "[route.acme-es]", "route: "),
        ('password = "secret"', "binds = 'two'", "carriers.acme.binds: "),
        ('carrier = "acme"', 'carrier = "amce"', "routes.acme-es.carrier: "),
        ("[policy]", "[routes.acme-es]", "line "),
        ('hosts = ["127.0.0.1:9"]', 'hosts = "127.0.0.1"', "carriers.acme.hosts: "),
        ('"214-07"]', '"21407"]', "routes.acme-es.networks[0]: "),
        ('kind = "DIRECT_MNO"', 'kind = "DIRECTISH"', "routes.acme-es.interconnect.kind: "),
        ("[engine]", "[engine", "line "),
    ],
)
def test_a_fault_in_the_toml_is_told_with_its_key(
    run: Run, configure: Callable[..., Path], found: str, instead: str, said: str
) -> None:
    config = configure(changes={found: instead})

    ended = run("send", "--config", config, "--to", "+34600111222", "--from", "ACME", "--text", "x")

    assert (2, "") == (ended.code, ended.out)
    assert ended.err.startswith(f"whiteroute: {config}:{said}")
    assert all(line.startswith("whiteroute: ") for line in ended.err.splitlines())


def test_a_file_that_is_not_there_is_told_in_one_line(run: Run, tmp_path: Path) -> None:
    ended = run("run", "--config", tmp_path / "none.toml")

    assert (2, 1) == (ended.code, ended.err.count("\n"))
    assert f"whiteroute: {tmp_path / 'none.toml'}: No such file" in ended.err


@pytest.fixture
def break_down(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Have `receipts` raise something."""

    def have_it_raise(error: BaseException) -> None:
        def open_nothing(_path: object) -> object:
            raise error

        monkeypatch.setattr("whiteroute.tools.receipts.open_ledger_for_reading", open_nothing)

    return have_it_raise


FULL = LedgerError("the disk is full", "room for more records", "l.db")


def test_what_comes_out_of_nurseries_is_told_once(
    run: Run, break_down: Callable[[BaseException], None]
) -> None:
    break_down(ExceptionGroup("", [FULL, ExceptionGroup("", [FULL])]))

    ended = run("receipts", "--ledger", "l.db")

    assert 2 == ended.code
    assert "whiteroute: l.db: the disk is full, expected room for more records\n" == ended.err


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), ExceptionGroup("", [FULL, ZeroDivisionError()])]
)
def test_what_nobody_foresaw_surfaces(
    run: Run, break_down: Callable[[BaseException], None], error: Exception
) -> None:
    break_down(error)

    with pytest.raises(type(error)):
        run("receipts", "--ledger", "l.db")


def test_ctrl_c_ends_any_command_without_a_traceback(
    run: Run, break_down: Callable[[BaseException], None]
) -> None:
    break_down(KeyboardInterrupt())

    ended = run("receipts", "--ledger", "l.db")

    assert (130, "\n") == (ended.code, ended.err)
