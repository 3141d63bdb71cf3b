"""What a message centre's calendar shows: real time, or any other that a test has set.

Inside a centre all instants are those of `trio.current_time`, which may be virtual; people, receipts
and query_sm_resp want dates.
"""

from datetime import UTC, datetime

import attrs
import trio


@attrs.define(eq=False)
class WallClock:
    """Dates for instants."""

    offset: float = 0.0
    """Seconds to add to `trio.current_time` for seconds since the epoch."""

    def set(self, date: datetime) -> None:
        """Have it show this date, which has a zone, now."""
        self.offset = date.timestamp() - trio.current_time()

    def second_at(self, instant: float) -> int:
        """Give whole seconds since the epoch."""
        return int(self.offset + instant)

    def microsecond_at(self, instant: float) -> int:
        """Give microseconds since the epoch."""
        return round((self.offset + instant) * 1e6)

    def date_at(self, instant: float) -> datetime:
        """Give the date, in UTC."""
        return datetime.fromtimestamp(self.offset + instant, UTC)
