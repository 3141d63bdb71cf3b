"""The five operators of the demonstration: what they call themselves, and how they behave.

Their accounts and routes are in `sample/carriers.toml`; here are the message centres behind them.
"""

import attrs

from whiteroute.pdu import MessageState, ReceiptDialect
from whiteroute.simulators import Account, Chance, Handsets, MessageCenter, behaviours

ACCOUNT = Account(system_id="kestrel", password="demo")

REGISTERED: frozenset[str] = frozenset({"KESTREL", "PARCELO"})
"""The senders that Albion Cell has in its books."""

_D, _U = MessageState.DELIVERED, MessageState.UNDELIVERABLE


@attrs.frozen(kw_only=True)
class Operator:
    """One company that sells a way to handsets."""

    carrier: str
    """Its name in the sample TOML."""
    title: str
    kind: str
    """`direct` or `grey`, as one only knows who made it up."""
    quirk: str
    """What is peculiar about it, for people."""
    center: MessageCenter = attrs.field(repr=False)


def make_operators(seed: int) -> tuple[Operator, ...]:
    """Make them anew; the same seed gives the same fates."""
    return (
        Operator(
            carrier="lutetia",
            title="Lutetia Mobile, France",
            kind="direct",
            quirk="says everything twice",
            center=_center(
                seed,
                _handsets(("001", 3), ("027", 4), ("009", 1), expired="027"),
                behaviours.DuplicateReceipt(),
                tlvs=("receipted_message_id", "message_state", "network_error_code"),
            ),
        ),
        Operator(
            carrier="albion",
            title="Albion Cell, UK",
            kind="direct",
            quirk="hexadecimal ids in receipts; registered senders only",
            center=_center(
                seed + 1,
                _handsets(("001", 3), ("022", 3), ("027", 3)),
                behaviours.HexMessageIdInReceipt(),
                behaviours.RejectSenders(REGISTERED),
            ),
        ),
        Operator(
            carrier="rhein",
            title="Rhein Mobil, Germany",
            kind="direct",
            quirk="no transceiver; 30 messages a second; errors of its own",
            center=_center(
                seed + 2,
                _handsets(("40a", 4), ("40b", 3), ("21b", 2)),
                behaviours.RefuseTransceiver(),
                behaviours.Throttle(30),
            ),
        ),
        Operator(
            carrier="globalhub",
            title="GlobalHub",
            kind="grey",
            quirk="sold as direct, two hops away",
            center=_center(seed + 3, Handsets()),
        ),
        Operator(
            carrier="simbank",
            title="SimBank",
            kind="grey",
            quirk="SIM cards in a rack, a tenth of the price",
            center=_center(seed + 4, Handsets()),
        ),
    )


def _center(
    seed: int,
    handsets: Handsets,
    *behaviour: behaviours.Behaviour,
    tlvs: tuple[str, ...] = ("receipted_message_id", "message_state"),
) -> MessageCenter:
    return MessageCenter(
        accounts=(ACCOUNT,),
        handsets=handsets,
        behaviours=behaviour,
        seed=seed,
        receipt=ReceiptDialect(tlvs=tlvs),
    )


def _handsets(*errors: tuple[str, float], expired: str | None = None) -> Handsets:
    """Make handsets of which a tenth fail, with these errors and weights, within seconds."""
    chances = [Chance(state=_D, weight=90)]
    chances += [Chance(state=_U, err=err, weight=weight) for err, weight in errors]
    if expired is not None:
        chances.append(Chance(state=MessageState.EXPIRED, err=expired, weight=2))
    return Handsets(
        chances=tuple(chances), median_delay=0.8, sigma=0.6, least_delay=0.1, most_delay=3.0
    )
