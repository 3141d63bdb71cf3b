"""A profile is data: a carrier that follows the letter unless a field says otherwise."""

import ast
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from whiteroute.engine.messages import MessageTlv
from whiteroute.engine.profile import GENERIC, BindOptions, CarrierProfile, TlsOptions
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


def options_in(record: type) -> Iterator[tuple[str, str]]:
    """Every field of a profile and of what it holds, with its class."""
    for field in attrs.fields(record):
        yield record.__name__, field.name
        if attrs.has(type(field.default)):
            yield from options_in(type(field.default))


def test_no_field_is_there_that_nobody_reads() -> None:
    root = Path(__file__).parents[2]
    read = {
        node.attr
        for folder in ("engine", "pdu", "simulators", "tools")
        for path in (root / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }
    declared = [*options_in(CarrierProfile), *options_in(TlsOptions), *options_in(MessageTlv)]

    assert [] == [f"{owner}.{name}" for owner, name in declared if name not in read]
