"""Who may bind at a message centre, and with which status it turns away the others.

How many binds an account has is told by its mailbox; the passwords are here and nowhere else.
"""

from collections.abc import Callable, Sequence

import attrs

from whiteroute.pdu import BindReceiver, BindTransceiver, BindTransmitter, CommandStatus

BindRequest = BindReceiver | BindTransceiver | BindTransmitter
"""The operations that ask for a bind."""


@attrs.frozen(kw_only=True)
class Account:
    """An ESME that may bind."""

    system_id: str
    password: str = attrs.field(default="", repr=False)
    system_type: str | None = None
    """None: any."""
    bind_limit: int | None = None
    """Binds at the same time; further ones get ESME_RALYBND. None: any number."""


def admission(
    accounts: Sequence[Account], request: BindRequest, binds_of: Callable[[str], int]
) -> CommandStatus:
    """Say with which status a bind is answered.

    Args:
        accounts: Who may bind; with none, anybody may with any password.
        request: The bind.
        binds_of: Gives how many binds an account has now.

    Returns:
        ESME_ROK, ESME_RINVSYSID, ESME_RINVPASWD, ESME_RINVSYSTYP, or ESME_RALYBND at the limit.
    """
    if not accounts:
        return CommandStatus.ESME_ROK
    for account in accounts:
        if account.system_id != request.system_id:
            continue
        if account.password != request.password:
            return CommandStatus.ESME_RINVPASWD
        if account.system_type not in (None, request.system_type):
            return CommandStatus.ESME_RINVSYSTYP
        limit = account.bind_limit
        if limit is not None and binds_of(account.system_id) >= limit:
            return CommandStatus.ESME_RALYBND
        return CommandStatus.ESME_ROK
    return CommandStatus.ESME_RINVSYSID
