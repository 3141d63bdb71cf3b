"""The same bind by python-smpplib, which knows nothing of ours: do both see the same?

It is blocking, so it runs in a thread; it is optional, and asked for only when somebody wants it.
"""

import logging
import socket
import ssl
from importlib import import_module
from types import ModuleType
from typing import Final

import attrs
import trio

from whiteroute.engine.carrier import Host
from whiteroute.engine.profile import TlsOptions
from whiteroute.engine.upkeep import Rung
from whiteroute.pdu import status_name

from .binding import operations_of
from .cover import Cover
from .observed import BindAttempt, Observed
from .target import Target

__all__ = [
    "TIMEOUT",
    "NoSecondOpinionError",
    "SecondOpinion",
    "ask_smpplib",
    "compare",
    "load_smpplib",
]

TIMEOUT: Final = 30.0
"""Seconds for each of its steps; it has no finer ones."""


class NoSecondOpinionError(Exception):
    """smpplib is not installed; the text says how it is."""


@attrs.frozen(kw_only=True)
class SecondOpinion:
    """What it saw, in the words of our own attempts."""

    end: str
    """`accepted`, `refused`, `silent`, `closed`, or `failed` for what it has no word for."""
    command_status: int | None = None
    detail: str = ""

    def in_words(self) -> str:
        """Say it in a few words."""
        if self.command_status:
            return f"refused with {status_name(self.command_status)} ({self.command_status:#04x})"
        return f"{self.end}{f' ({self.detail})' if self.detail else ''}"


def load_smpplib() -> ModuleType:
    """Load it.

    Raises:
        NoSecondOpinionError: It is not installed.
    """
    try:
        import_module("smpplib.client")
        import_module("smpplib.exceptions")
    except ModuleNotFoundError:
        raise NoSecondOpinionError(
            "smpplib is not installed, expected `pip install whiteroute[second-opinion]`"
        ) from None
    return import_module("smpplib")


async def ask_smpplib(
    target: Target, host: Host, seen: Observed, wait: float = TIMEOUT
) -> SecondOpinion:
    """Bind by smpplib as we did last, and unbind again.

    Args:
        target: The account.
        host: Which of its hosts.
        seen: What we saw: the operation and version are taken from it.
        wait: Seconds for each of its steps.
    """
    last = seen.last_attempt
    version = target.settings.profile.bind.interface_version
    if last is not None:
        version = last.interface_version
    rung = Rung(target.settings.bind, version)
    operation = operations_of(target, rung)[1][0].name if last is None else last.operation
    library = load_smpplib()
    cover = Cover(target.settings.password)

    def ask() -> SecondOpinion:
        opinion = _ask(library, target, host, operation, version, wait)
        return attrs.evolve(opinion, detail=cover.text(opinion.detail))

    return await trio.to_thread.run_sync(ask, abandon_on_cancel=True)


def compare(last: BindAttempt | None, opinion: SecondOpinion) -> bool:
    """Tell whether both saw the same."""
    if last is None:
        return opinion.end in ("closed", "silent", "failed")
    if last.command_status or opinion.command_status:
        return last.command_status == opinion.command_status
    if last.end == "broken":
        return opinion.end in ("failed", "closed", "silent")
    return last.end == opinion.end


def _ask(
    library: ModuleType, target: Target, host: Host, operation: str, version: int, wait: float
) -> SecondOpinion:
    # Its own log would tell every octet of the bind, the password among them.
    silent = logging.getLogger("whiteroute.second-opinion")
    silent.propagate, silent.disabled = False, True
    esme = library.client.Client(
        host.name,
        host.port,
        timeout=wait,
        logger_name=silent.name,
        allow_unknown_opt_params=True,
    )
    settings = target.settings
    try:
        # It knows IPv4 alone, and no name for TLS; so it gets a connection that is made already.
        esme._socket = _connect(target, host, wait)  # noqa: SLF001
        esme.state = library.consts.SMPP_CLIENT_STATE_OPEN
        options = settings.profile.bind
        getattr(esme, operation)(
            system_id=settings.system_id,
            password=settings.password,
            system_type=options.system_type,
            interface_version=version,
            addr_ton=options.addr_ton,
            addr_npi=options.addr_npi,
            address_range=options.address_range or None,
        )
        opinion = SecondOpinion(end="accepted", command_status=0)
        try:
            esme.unbind()
        except Exception as error:  # noqa: BLE001 - the bind is what was asked about
            opinion = attrs.evolve(opinion, detail=f"unbind: {type(error).__name__}")
    except library.exceptions.PDUError as error:
        status = error.args[1] if len(error.args) > 1 else None
        opinion = SecondOpinion(end="refused", command_status=status, detail=str(error.args[0]))
    except TimeoutError:
        opinion = SecondOpinion(end="silent")
    except library.exceptions.ConnectionError as error:
        # It says so for a time-out in the middle of a bind, too, and keeps the time-out as context.
        timed_out = isinstance(error.__context__, TimeoutError)
        opinion = SecondOpinion(end="silent" if timed_out else "closed")
    except OSError as error:
        opinion = SecondOpinion(end="closed", detail=error.strerror or type(error).__name__)
    except Exception as error:  # noqa: BLE001 - whatever a stranger raises is its opinion
        opinion = SecondOpinion(end="failed", detail=type(error).__name__)
    finally:
        esme.state = library.consts.SMPP_CLIENT_STATE_OPEN
        esme.disconnect()
    return opinion


def _connect(target: Target, host: Host, wait: float) -> socket.socket:
    options = target.transport
    source = (options.source_address, 0) if options.source_address else None
    connection = socket.create_connection((host.name, host.port), wait, source)
    if options.tls is None:
        return connection
    try:
        name = options.tls.server_name or host.name
        return _context(options.tls).wrap_socket(connection, server_hostname=name)
    except BaseException:
        connection.close()
        raise


def _context(options: TlsOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.ca_file or None)
    context.check_hostname = options.verify == "full"
    if options.verify == "pinned":
        # The first opinion has compared the pin; the second is about the bind.
        context.verify_mode = ssl.CERT_NONE
    if options.certificate_file:
        context.load_cert_chain(options.certificate_file, options.key_file or None)
    return context
