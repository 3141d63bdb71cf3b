"""The bench's way through a carrier sends every message once, and says when."""

import pytest

from whiteroute.tools.benches.carrier_submit import submit_by_carrier, submit_in_order
from whiteroute.tools.benches.echo_peer import EchoPeer
from whiteroute.tools.benches.senders import Load, Sender


@pytest.mark.parametrize("sender", [submit_by_carrier, submit_in_order])
@pytest.mark.parametrize(
    "load", [Load(window=10, messages=200), Load(binds=3, window=4, messages=240)]
)
def test_all_messages_are_sent_and_answered(sender: Sender, load: Load) -> None:
    marks: list[int] = []
    with EchoPeer() as peer:
        sender(peer.address, load, lambda: marks.append(1))

    assert [1, 1] == marks
