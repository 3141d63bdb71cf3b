"""Which account at which message centre is looked at, out of a URL or of a configuration."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs

from whiteroute.engine.carrier import CarrierSettings, Host
from whiteroute.engine.config import Config, did_you_mean
from whiteroute.engine.profile import (
    GENERIC,
    BindOptions,
    CarrierProfile,
    TlsOptions,
    TransportOptions,
)
from whiteroute.engine.upkeep import BindMode
from whiteroute.pdu import InterfaceVersion

__all__ = ["BindAs", "Target", "TargetError", "read_url", "take_carrier"]

BindAs = Literal["trx", "tx+rx", "tx", "rx"]

DEFAULT_PORTS: Final = {"smpp": 2775, "smpps": 3550}
"""What IANA has for SMPP, and what carriers use for SMPP in TLS where they follow a custom."""

VERSIONS: Final = {
    "3.3": InterfaceVersion.V3_3,
    "3.4": InterfaceVersion.V3_4,
    "5.0": InterfaceVersion.V5_0,
}

_BIND_KEYS: Final = ("bind", "version", "system_type", "address_range")
_TRANSPORT_KEYS: Final = ("source_address", "proxy_protocol")
_TLS_KEYS: Final = ("verify", "ca_file", "certificate_file", "key_file", "server_name", "pin")
_PACE_KEYS: Final = ("window", "tps")
_KEYS: Final = (*_BIND_KEYS, *_TRANSPORT_KEYS, *_TLS_KEYS, *_PACE_KEYS)
_CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "bind": ("trx", "tx+rx", "tx", "rx"),
    "version": tuple(VERSIONS),
    "proxy_protocol": ("none", "v1", "v2"),
    "verify": ("full", "chain", "pinned"),
}


_N = TypeVar("_N", int, float)


class TargetError(ValueError):
    """A URL, or a choice of carrier, that cannot be used; the text never holds the password."""


@attrs.frozen(kw_only=True)
class Target:
    """An account, and how it is to be bound."""

    settings: CarrierSettings
    """Hosts, credentials, profile and limits; the password is in here and nowhere else."""
    bind_as: BindAs = "trx"
    has_password: bool = True
    """Whether one was given, were it an empty one."""

    @property
    def transport(self) -> TransportOptions:
        """How streams are opened."""
        return self.settings.transport

    def with_password(self, password: str) -> "Target":
        """Give the same target with this password."""
        settings = attrs.evolve(self.settings, password=password)
        return attrs.evolve(self, settings=settings, has_password=True)


def read_url(url: str) -> Target:
    """Read `smpp[s]://SYSTEM_ID[:PASSWORD]@HOST[:PORT][?KEY=VALUE&...]`.

    Raises:
        TargetError: It is none.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        name = parts.hostname or ""
    except ValueError:
        raise TargetError("a port or address that is none, expected HOST:PORT") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise TargetError(f"{parts.scheme or 'no scheme'}, expected smpp:// or smpps://")
    if not name:
        raise TargetError("no host, expected smpp://SYSTEM_ID:PASSWORD@HOST:PORT")
    if not parts.username:
        raise TargetError("no system_id, expected smpp://SYSTEM_ID:PASSWORD@HOST:PORT")
    if port == 0:
        raise TargetError("port 0, expected 1 to 65535")
    if parts.path not in ("", "/") or parts.fragment:
        raise TargetError(
            "something behind the port, expected ?KEY=VALUE; write / ? # and @ in a password as %2F %3F"
            " %23 %40"
        )
    options = _options(parts.query)
    host = Host(name, port or DEFAULT_PORTS[parts.scheme])
    bind_as = cast(BindAs, options.get("bind", "trx"))
    mode: BindMode = "trx" if bind_as == "trx" else "tx+rx"
    return Target(
        settings=CarrierSettings(
            name=str(host),
            hosts=(host,),
            system_id=unquote(parts.username),
            password=unquote(parts.password or ""),
            profile=_profile(options),
            tls=_tls(options, wanted=parts.scheme == "smpps"),
            bind=mode,
            window=_number(options, "window", int),
            tps=_number(options, "tps", float),
        ),
        bind_as=bind_as,
        has_password=parts.password is not None,
    )


def take_carrier(config: Config, name: str | None) -> Target:
    """Take a carrier of a configuration; the only one if none is named.

    Raises:
        TargetError: There is none of that name, or several and none is named.
    """
    if name is None:
        if len(config.carriers) != 1:
            known = ", ".join(config.carriers) or "none"
            raise TargetError(f"--carrier: none, expected one of {known}")
        name = next(iter(config.carriers))
    if name not in config.carriers:
        known = did_you_mean(name, config.carriers)
        raise TargetError(f"--carrier: {name!r}, {known}")
    settings = config.carriers[name]
    return Target(settings=settings, bind_as=settings.bind)


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    # A plus is a plus, as in bind=tx+rx: nobody writes blanks here.
    for key, value in parse_qsl(query.replace("+", "%2B"), keep_blank_values=True):
        if key not in _KEYS:
            raise TargetError(f"{key!r}, expected one of {', '.join(_KEYS)}")
        if key in _CHOICES and value not in _CHOICES[key]:
            raise TargetError(f"{key}: {value!r}, expected {' or '.join(_CHOICES[key])}")
        options[key] = f"{options[key]},{value}" if key == "pin" and key in options else value
    return options


def _profile(options: Mapping[str, str]) -> CarrierProfile:
    version = VERSIONS[options.get("version", "3.4")]
    bind = BindOptions(
        interface_version=version,
        system_type=options.get("system_type", ""),
        address_range=options.get("address_range", ""),
    )
    given: dict[str, Any] = {key: options[key] for key in _TRANSPORT_KEYS if key in options}
    return attrs.evolve(GENERIC, name="", bind=bind, transport=TransportOptions(**given))


def _tls(options: Mapping[str, str], *, wanted: bool) -> TlsOptions | None:
    given: dict[str, Any] = {key: options[key] for key in _TLS_KEYS if key in options}
    if not wanted:
        if given:
            raise TargetError(f"{next(iter(given))} without TLS, expected smpps://")
        return None
    if "pin" in given:
        given["pins"] = tuple(given.pop("pin").split(","))
        given.setdefault("verify", "pinned")
    return TlsOptions(**given)


def _number(options: Mapping[str, str], key: str, kind: Callable[[str], _N]) -> _N | None:
    if key not in options:
        return None
    number: _N | None
    try:
        number = kind(options[key])
    except ValueError:
        number = None
    if number is None or not 0 < number < 1_000_000:
        raise TargetError(f"{key}: {options[key]!r}, expected a number above 0")
    return number
