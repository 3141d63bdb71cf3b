"""Fixtures for tests of one's own gateway: an operator to bind to, and an engine that is bound to it.

Loaded by pytest wherever the package is installed, so it imports nothing of ours, nor Trio, before
a fixture is asked for. `message_center`, `mock_message_center` and `engine` need pytest-trio;
`threaded_message_center` needs nothing.

    @pytest.mark.message_center(behaviours=[behaviours.Throttle(20)])
    async def test_we_slow_down(message_center): ...
"""

from collections.abc import AsyncIterator, Callable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from whiteroute.engine.service import Engine
    from whiteroute.simulators import MessageCenter

    from .threaded_center import ThreadedMessageCenter

MARKER = (
    "message_center(**fields): how the simulated message centre is, e.g."
    " behaviours=[behaviours.Throttle(20)]; the fields are those of whiteroute.simulators.MessageCenter"
)

LOOPBACK_PATIENCE = 0.002
"""Seconds of real time that a virtual clock leaves to loopback before it jumps."""


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


def _trio_fixture(function: Callable[..., Any]) -> Any:  # noqa: ANN401 - pytest has no public type for it
    """Make a fixture of Trio, where pytest-trio is there; else one that says what is missing."""
    if find_spec("pytest_trio") is not None:
        from pytest_trio import trio_fixture  # type: ignore[import-untyped] # it has no types

        return trio_fixture(function)

    def missing() -> None:
        pytest.fail(
            f"{function.__name__} needs pytest-trio; threaded_message_center does without",
            pytrace=False,
        )

    return pytest.fixture(name=function.__name__)(missing)


def _make_center(request: pytest.FixtureRequest) -> "MessageCenter":
    from whiteroute.simulators import MessageCenter

    marker = request.node.get_closest_marker("message_center")
    return MessageCenter(**(marker.kwargs if marker is not None else {}))


@_trio_fixture
async def message_center(request: pytest.FixtureRequest) -> "AsyncIterator[MessageCenter]":
    """An operator's message centre on real TCP: bind to its `host` and `port`."""
    import trio

    from whiteroute.simulators import open_message_center

    clock: Any = trio.lowlevel.current_clock()
    if hasattr(clock, "autojump_threshold"):
        # A clock that jumps at once would outrun what is on its way through loopback.
        clock.autojump_threshold = max(clock.autojump_threshold, LOOPBACK_PATIENCE)
    async with open_message_center(_make_center(request)) as center:
        yield center


@_trio_fixture
async def mock_message_center(message_center: "MessageCenter") -> "MessageCenter":
    """The same on virtual time: hours of traffic take seconds. Ask for `autojump_clock` beside it."""
    import trio

    if not hasattr(trio.lowlevel.current_clock(), "autojump_threshold"):
        pytest.fail(
            "mock_message_center needs a virtual clock: ask for the fixture autojump_clock, too",
            pytrace=False,
        )
    await trio.lowlevel.checkpoint()
    return message_center


@_trio_fixture
async def engine(message_center: "MessageCenter") -> "AsyncIterator[Engine]":
    """An engine that is bound to `message_center`, with a direct route to every number."""
    from .rehearsal import open_rehearsal

    async with open_rehearsal(message_center) as opened:
        yield opened


@pytest.fixture
def threaded_message_center(request: pytest.FixtureRequest) -> "Iterator[ThreadedMessageCenter]":
    """An operator's message centre in a thread, for tests without Trio."""
    from .threaded_center import open_threaded_message_center

    with open_threaded_message_center(_make_center(request)) as center:
        yield center
