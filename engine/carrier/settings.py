"""Which account of which carrier, and where its message centres listen; as the configuration has it."""

import attrs

from whiteroute.engine.profile import GENERIC, CarrierProfile, TlsOptions, TransportOptions
from whiteroute.engine.session import SessionSettings
from whiteroute.engine.upkeep import BindMode

__all__ = ["CarrierSettings", "Host"]


@attrs.frozen
class Host:
    """Where a message centre listens."""

    name: str
    """A host name or an address."""
    port: int

    @classmethod
    def parse(cls, text: str) -> "Host":
        """Read `host:port` or `[v6 address]:port`.

        Raises:
            ValueError: For anything else.
        """
        name, colon, port = text.rpartition(":")
        if name.startswith("[") and name.endswith("]"):
            name = name[1:-1]
        elif ":" in name:
            raise ValueError(f"{text!r}, expected [address]:port for an IPv6 address")
        is_number = port.isascii() and port.isdecimal()
        if not colon or not name or not is_number or not 0 < int(port) < 65_536:
            raise ValueError(f"{text!r}, expected host:port")
        return cls(name, int(port))

    def __str__(self) -> str:
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"


@attrs.frozen(kw_only=True)
class CarrierSettings:
    """One account with one carrier."""

    name: str
    """Ours, as in the configuration."""
    hosts: tuple[Host, ...]
    """The first is preferred; the others are for when it cannot be had."""
    system_id: str
    password: str = attrs.field(default="", repr=False)
    profile: CarrierProfile = GENERIC
    tls: TlsOptions | None = None
    """How streams are encrypted; None: as the profile says."""
    bind: BindMode = attrs.Factory(lambda self: self.profile.bind.mode, takes_self=True)
    """`tx+rx`: a transmitter and a receiver instead of each transceiver, for carriers without it.
    Default: as the profile says."""
    binds: int = 1
    """How many binds (or pairs) of the account to keep up; contracts allow 1 to 4 mostly."""
    window: int | None = None
    """Requests in flight on each bind; None: the profile's."""
    tps: float | None = None
    """Parts per second over the whole account; None: as fast as the windows allow."""
    keep_order: bool = False
    """Whether the messages to one destination leave in the order in which they were submitted, each
    part only once the one before it was answered or given up. It costs a round trip per part to the
    same destination, and nothing to others."""
    outbind: Host | None = None
    """Where we listen for a message centre that connects to us and asks by outbind to be bound to; None:
    nowhere. Such binds come on top of `binds`."""
    outbind_system_id: str = ""
    """What an outbind must say; empty: anything."""
    outbind_password: str = attrs.field(default="", repr=False)
    """Likewise."""
    outbind_sources: tuple[str, ...] = ()
    """Addresses or networks that outbinds may come from besides those of `hosts`, e.g. `192.0.2.0/24`."""

    @property
    def transport(self) -> TransportOptions:
        """How streams are opened: the profile's options with this account's TLS."""
        options = self.profile.transport
        return options if self.tls is None else attrs.evolve(options, tls=self.tls)

    @property
    def session(self) -> SessionSettings:
        """The profile's session settings with this account's window."""
        settings = self.profile.session
        return settings if self.window is None else attrs.evolve(settings, window=self.window)
