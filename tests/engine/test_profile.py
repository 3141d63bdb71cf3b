"""A profile is data: a carrier that follows the letter unless a field says otherwise."""

import attrs
import pytest

from whiteroute.engine.profile import GENERIC, BindOptions, CarrierProfile
from whiteroute.engine.session import SessionSettings


def test_nothing_known_is_the_specification_to_the_letter() -> None:
    assert CarrierProfile() == GENERIC
    assert ("generic-3.4", 0x34, 10, "all") == (
        GENERIC.name,
        GENERIC.bind.interface_version,
        GENERIC.session.window,
        GENERIC.reporting_parts,
    )
    assert GENERIC.response_message_id == GENERIC.receipt_message_id


def test_a_profile_is_a_value() -> None:
    other = attrs.evolve(GENERIC, bind=BindOptions(system_type="VMA"))

    assert other != GENERIC
    assert hash(GENERIC.session) == hash(SessionSettings())
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        other.name = "x"  # type: ignore[misc]
