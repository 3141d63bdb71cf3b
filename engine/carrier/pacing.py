"""How fast one account sends now: its contract, what the carrier's answers taught, and its pauses.

It reads each answer for what it says about our speed, and for nothing else; what it means for the part
is the owner's matter. It waits for nothing.
"""

from collections.abc import Sequence
from math import inf

import attrs

from whiteroute.engine.messages import Retry, judge_answer
from whiteroute.engine.session import Exchange, ExchangeEnd, Pace
from whiteroute.engine.upkeep import Ceiling, CeilingChange
from whiteroute.pdu import CommandStatus, Pdu, TlvTag, status_name

from .parts import OutgoingPart
from .settings import CarrierSettings

__all__ = ["Pacing"]


@attrs.define(eq=False)
class Pacing:
    """The pace of one account. Times are seconds on Trio's clock."""

    settings: CarrierSettings
    ceiling: Ceiling
    pace: Pace
    paused_until: float = attrs.field(default=-inf, init=False)

    @classmethod
    def begin(cls, settings: CarrierSettings, learned_tps: float | None) -> "Pacing":
        """Begin with what an account may send, or with what it is known to bear if that is less."""
        options = settings.profile.pace
        ceiling = Ceiling(
            carrier=settings.name,
            contract=contract_of(settings),
            learned=learned_tps,
            learns=options.learns,
            decrease=options.decrease,
            increase=options.increase,
            slow_response=options.slow_response,
        )
        return cls(settings, ceiling, Pace(ceiling.tps))

    def change_settings(self, settings: CarrierSettings, now: float) -> None:
        """Go on under other settings; what was learned below their pace still holds."""
        self.settings = settings
        self.ceiling.change_contract(contract_of(settings))
        self._follow(now)

    def pause_until(self, at: float) -> None:
        """Send nothing until an instant; an earlier one does not shorten a later one."""
        self.paused_until = max(self.paused_until, at)

    def heard(
        self, ended: Sequence[tuple[OutgoingPart, Exchange]], room: int, now: float
    ) -> CeilingChange | None:
        """Learn from requests of one link that ended together.

        Args:
            ended: As they go to the owner; a part that was refused while the window was full is
                marked.
            room: What the window of their link takes now.
            now: When they ended.

        Returns:
            What people should hear about the ceiling, now and then.
        """
        telling: list[tuple[OutgoingPart, Pdu, float]] = []
        answers = accepted = 0
        last: Exchange | None = None
        for part, exchange in ended:
            response = exchange.response
            if response is None:
                if exchange.end is ExchangeEnd.TIMED_OUT:
                    last = exchange
                continue
            answers += 1
            last = exchange
            if response.command_status or exchange.end is ExchangeEnd.NACKED:
                telling.append((part, response, exchange.sent_at))
            else:
                accepted += 1
                if response.tlvs.octets:
                    telling.append((part, response, exchange.sent_at))
        if last is None:
            return None
        ceiling = self.ceiling
        ceiling.answered(accepted, answers, now - last.sent_at, last.sent_at, now)
        for part, response, sent_at in telling:
            state = response.tlvs.value(TlvTag.CONGESTION_STATE)
            if isinstance(state, int):
                ceiling.congested(state, sent_at, now)
            status = response.command_status
            if status == CommandStatus.ESME_RSUBMITFAIL:
                part.window_was_full = room <= answers
            if self._says_too_fast(part, response) and ceiling.throttled(
                sent_at, now, status_name(status)
            ):
                self.pause_until(now + self.settings.profile.pace.throttle_delay)
        self._follow(now)
        return ceiling.take_news(now)

    def _says_too_fast(self, part: OutgoingPart, response: Pdu) -> bool:
        if response.command_status == CommandStatus.ESME_ROK:
            return False
        verdict = judge_answer(
            self.settings.profile.errors,
            command_status=response.command_status,
            network_error_code=response.tlvs.first(TlvTag.NETWORK_ERROR_CODE) or b"",
            window_full=part.window_was_full,
        )
        return isinstance(verdict, Retry) and verdict.slow_down

    def _follow(self, now: float) -> None:
        if self.ceiling.tps != self.pace.rate:
            self.pace.change(self.ceiling.tps, now)


def contract_of(settings: CarrierSettings) -> float | None:
    """Give an account's parts per second, whether they are agreed for it or for each of its binds."""
    per_bind = settings.profile.pace.tps_per_bind
    of_all = None if per_bind is None else per_bind * settings.binds
    limits = [limit for limit in (settings.tps, of_all) if limit is not None]
    return min(limits, default=None)
