"""Whoever looks at the PDUs sees all of them, and nothing private unless he asks for it."""

from collections.abc import Callable
from typing import Any

import pytest

from whiteroute.engine.ledger import MemoryStore
from whiteroute.engine.link import Link
from whiteroute.engine.service import open_engine
from whiteroute.pdu import BindTransceiver, Masking, SubmitSm, decode
from whiteroute.simulators import MessageCenter, open_message_center

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("masking", "is_private"), [(Masking.PRIVATE, True), (Masking.NONE, False)]
)
async def test_an_observer_sees_every_pdu_masked_unless_told_otherwise(
    autojump_clock: Any, config: Make, message: Make, masking: Masking, is_private: bool
) -> None:
    seen: list[tuple[str, bool, bytes]] = []

    def observe(link: Link, outgoing: bool, octets: bytes, _now: float) -> None:
        seen.append((link.name, outgoing, octets))

    async with (
        open_message_center(MessageCenter()) as center,
        open_engine(
            config(center.port),
            ledger=MemoryStore(),
            inline_ledger=True,
            observer=observe,
            masking=masking,
        ) as engine,
    ):
        await engine.submit(message(text="Your code is 271828"))

    pdus = [decode(octets) for _, outgoing, octets in seen if outgoing]
    (bind,) = [pdu for pdu in pdus if isinstance(pdu, BindTransceiver)]
    (submit,) = [pdu for pdu in pdus if isinstance(pdu, SubmitSm)]
    assert {"acme/1"} == {name for name, _, _ in seen}
    assert is_private == (b"271828" not in submit.short_message)
    assert is_private == (set(bind.password) <= {"*"})
    assert any(not outgoing for _, outgoing, _ in seen)
