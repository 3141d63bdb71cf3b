"""Who may bind at a message centre, from where and how often, and what turns away the others.

How many binds an account has is told by its mailbox; the passwords are here and nowhere else.
"""

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address, ip_network

import attrs

from whiteroute.pdu import BindReceiver, BindTransceiver, BindTransmitter, CommandStatus

BindRequest = BindReceiver | BindTransceiver | BindTransmitter
"""The operations that ask for a bind."""

BIND_MODES = {BindTransceiver: "trx", BindTransmitter: "tx", BindReceiver: "rx"}
"""What each is called in settings."""


def _as_set(modes: Iterable[str]) -> frozenset[str]:
    return frozenset(modes)


def _are_networks(_: object, __: object, networks: tuple[str, ...]) -> None:
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise ValueError(
                f"allowed: {network!r}, expected an address or a network, such as 10.0.0.0/8"
            ) from None


def _are_modes(_: object, __: object, modes: frozenset[str]) -> None:
    if not modes or not modes <= set(BIND_MODES.values()):
        raise ValueError(f"modes: {sorted(modes)}, expected some of trx, tx and rx")


def _positive(_: object, attribute: "attrs.Attribute[int | None]", value: int | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name}: {value}, expected more than 0")


@attrs.frozen(kw_only=True)
class Account:
    """An ESME that may bind.

    Raises:
        ValueError: For a network, a mode or a limit that cannot be.
    """

    system_id: str
    password: str = attrs.field(default="", repr=False)
    system_type: str | None = None
    """None: any."""
    allowed: tuple[str, ...] = attrs.field(
        default=(), converter=tuple[str, ...], validator=_are_networks
    )
    """Addresses and networks it may come from, e.g. `192.0.2.0/24`; others get ESME_RBINDFAIL. Empty:
    any. Links in memory come from nowhere and are always let in."""
    modes: frozenset[str] = attrs.field(
        default=frozenset(BIND_MODES.values()), converter=_as_set, validator=_are_modes
    )
    """How it may bind, of `trx`, `tx` and `rx`; otherwise it gets ESME_RBINDFAIL."""
    bind_limit: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    """Binds at the same time; further ones get ESME_RALYBND. None: any number."""
    window: int | None = attrs.field(default=None, validator=_positive)
    """Requests of one bind without an answer; further ones get ESME_RMSGQFUL. None: any number."""
    tps: int | None = attrs.field(default=None, validator=_positive)
    """Messages per second over all binds; further ones get ESME_RTHROTTLED. None: any number."""

    def may_come_from(self, peer: str) -> bool:
        """Tell whether it may bind from this address; an empty one is a link in memory."""
        if not self.allowed or not peer:
            return True
        address = ip_address(peer.partition("%")[0])
        return any(address in ip_network(each, strict=False) for each in self.allowed)


def admission(
    accounts: Sequence[Account],
    request: BindRequest,
    binds_of: Callable[[str], int],
    peer: str = "",
) -> CommandStatus:
    """Say with which status a bind is answered.

    Args:
        accounts: Who may bind; with none, anybody may with any password.
        request: The bind.
        binds_of: Gives how many binds an account has now.
        peer: The address it came from; empty for a link in memory.

    Returns:
        ESME_ROK, ESME_RINVSYSID, ESME_RINVPASWD, ESME_RINVSYSTYP, ESME_RBINDFAIL for an address or a
        mode that is not allowed, or ESME_RALYBND at the limit.
    """
    if not accounts:
        return CommandStatus.ESME_ROK
    account = find_account(accounts, request.system_id)
    if account is None:
        return CommandStatus.ESME_RINVSYSID
    if account.password != request.password:
        return CommandStatus.ESME_RINVPASWD
    if account.system_type not in (None, request.system_type):
        return CommandStatus.ESME_RINVSYSTYP
    if BIND_MODES[type(request)] not in account.modes or not account.may_come_from(peer):
        return CommandStatus.ESME_RBINDFAIL
    limit = account.bind_limit
    if limit is not None and binds_of(account.system_id) >= limit:
        return CommandStatus.ESME_RALYBND
    return CommandStatus.ESME_ROK


def find_account(accounts: Sequence[Account], system_id: str) -> Account | None:
    """Give the account of this name, or None."""
    return next((each for each in accounts if each.system_id == system_id), None)
