"""What is no message is told to who makes it."""

from collections.abc import Callable
from typing import Any

import pytest

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"to": 34600111222}, TypeError),
        ({"sender": None}, TypeError),
        ({"text": b"hello"}, TypeError),
        ({"traffic_class": 1}, TypeError),
        ({"message_ref": 7}, TypeError),
        ({"tags": {"customer": 7}}, TypeError),
        ({"tags": {7: "customer"}}, TypeError),
        ({"tags": [("a", "b")]}, TypeError),
        ({"duplicate_policy": "alow"}, ValueError),
        ({"validity": float("nan")}, ValueError),
        ({"validity": float("inf")}, ValueError),
        ({"validity": 1e300}, ValueError),
    ],
)
def test_what_is_no_message_is_told_to_who_makes_it(
    message: Make, fields: dict[str, object], kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=next(iter(fields))):
        message(**fields)
