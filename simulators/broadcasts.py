"""What becomes of broadcast_sm: cell broadcasts are kept here, queried and cancelled; there is no handset.

Spec: SMPP 5.0 §4.4, §4.6.1, §4.6.3
"""

from collections.abc import Mapping

import attrs

from whiteroute.engine.session import refusal
from whiteroute.pdu import (
    BroadcastSm,
    BroadcastSmResp,
    CancelBroadcastSm,
    CancelBroadcastSmResp,
    CommandStatus,
    MessageState,
    Pdu,
    QueryBroadcastSm,
    QueryBroadcastSmResp,
    Tlv,
    Tlvs,
    TlvTag,
    make_tlvs,
)

BroadcastRequest = BroadcastSm | QueryBroadcastSm | CancelBroadcastSm
"""The three operations."""

_NEEDED = (
    TlvTag.BROADCAST_AREA_IDENTIFIER,
    TlvTag.BROADCAST_CONTENT_TYPE,
    TlvTag.BROADCAST_REP_NUM,
    TlvTag.BROADCAST_FREQUENCY_INTERVAL,
)
_UNIT_SECONDS: Mapping[int, float] = {
    0x00: 0.0,
    0x08: 1.0,
    0x09: 60.0,
    0x0A: 3600.0,
    0x0B: 86_400.0,
    0x0C: 7 * 86_400.0,
    0x0D: 30 * 86_400.0,
    0x0E: 365 * 86_400.0,
}
"""Seconds of the units of broadcast_frequency_interval; 0: as often as possible.
Spec: SMPP 5.0 §4.8.4.14"""

MOST_BROADCASTS = 1000
"""How many are remembered, the latest."""


@attrs.define(eq=False, kw_only=True)
class Broadcast:
    """One message for some areas."""

    account: str
    message_id: str
    source_addr: str
    areas: tuple[bytes, ...]
    """broadcast_area_identifier as they came."""
    begun_at: float
    """Seconds of `trio.current_time`."""
    ends_at: float
    cancelled: bool = False

    def state(self, now: float) -> MessageState:
        """Say how far it is."""
        if self.cancelled:
            return MessageState.DELETED
        return MessageState.DELIVERED if now >= self.ends_at else MessageState.ENROUTE


@attrs.define(eq=False)
class Broadcasts:
    """The broadcasts of one centre."""

    _by_message_id: dict[str, Broadcast] = attrs.field(factory=dict, init=False)

    def answer(self, account: str, request: BroadcastRequest, message_id: str, now: float) -> Pdu:
        """Carry out one request, and give its answer.

        Args:
            account: Who asks; other accounts' broadcasts are not known to it.
            request: The operation.
            message_id: For a new broadcast; it gives a name of its own, or takes this one.
            now: Seconds of `trio.current_time`.
        """
        if isinstance(request, BroadcastSm):
            return self._begin(account, request, message_id, now)
        broadcast = self._by_message_id.get(request.message_id)
        if (
            broadcast is None
            or broadcast.account != account
            or broadcast.source_addr != request.source_addr
        ):
            return refusal(request, CommandStatus.ESME_RINVMSGID)
        if isinstance(request, QueryBroadcastSm):
            return self._tell(broadcast, now)
        if broadcast.state(now) is not MessageState.ENROUTE:
            return refusal(request, CommandStatus.ESME_RBCASTCANCELFAIL)
        broadcast.cancelled = True
        return CancelBroadcastSmResp()

    def _begin(self, account: str, request: BroadcastSm, message_id: str, now: float) -> Pdu:
        tlvs = request.tlvs
        if any(tlvs.first(tag) is None for tag in _NEEDED):
            return refusal(request, CommandStatus.ESME_RMISSINGTLV)
        interval = tlvs.first(TlvTag.BROADCAST_FREQUENCY_INTERVAL) or b""
        repetitions = tlvs.value(TlvTag.BROADCAST_REP_NUM)
        if len(interval) != 3 or interval[0] not in _UNIT_SECONDS:
            return refusal(request, CommandStatus.ESME_RINVBCASTFREQINT)
        if not isinstance(repetitions, int):
            return refusal(request, CommandStatus.ESME_RINVBCAST_REP)
        every = _UNIT_SECONDS[interval[0]] * int.from_bytes(interval[1:], "big")
        broadcast = Broadcast(
            account=account,
            message_id=request.message_id or message_id,
            source_addr=request.source_addr,
            areas=tuple(tlv.value for tlv in tlvs if tlv.tag == TlvTag.BROADCAST_AREA_IDENTIFIER),
            begun_at=now,
            ends_at=now + every * repetitions,
        )
        if len(self._by_message_id) >= MOST_BROADCASTS:
            del self._by_message_id[next(iter(self._by_message_id))]
        self._by_message_id[broadcast.message_id] = broadcast
        return BroadcastSmResp(message_id=broadcast.message_id)

    def _tell(self, broadcast: Broadcast, now: float) -> Pdu:
        state = broadcast.state(now)
        done = 100 if state is MessageState.DELIVERED else 0
        areas = [
            Tlv(tag, value)
            for area in broadcast.areas
            for tag, value in (
                (TlvTag.BROADCAST_AREA_IDENTIFIER, area),
                (TlvTag.BROADCAST_AREA_SUCCESS, bytes([done])),
            )
        ]
        told = make_tlvs(message_state=state)
        return QueryBroadcastSmResp(
            message_id=broadcast.message_id, tlvs=Tlvs(told.octets + Tlvs.of(*areas).octets)
        )
