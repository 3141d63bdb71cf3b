"""An octet stream cut into whole frames, with a bound on what a peer can make us keep.

Frames are not looked into beyond their command_length; that is `decode`'s task.
"""

import attrs

from .errors import FramingError

HEADER_OCTETS = 16
"""The shortest PDU is a header. Spec: SMPP 3.4 §3.2"""

MAX_COMMAND_LENGTH = 65_536
"""Room for the longest message_payload that real message centres send, and little for an attacker.

A TLV may be 65,535 octets long, so a PDU of the specification could be somewhat longer; the peers'
own bounds are lower: 7,424 octets in Kannel, 16,384 in node-smpp.
"""


@attrs.define(eq=False)
class Framer:
    """Collects octets until a frame is whole; checks each length before anything is kept for it."""

    max_command_length: int = MAX_COMMAND_LENGTH
    """The longest frame taken, in octets, header included."""
    error: FramingError | None = attrs.field(default=None, init=False)
    """Why the stream cannot be cut any further; None while it can."""
    _kept: bytearray = attrs.field(factory=bytearray, init=False, repr=False)
    _wanted: int = attrs.field(default=4, init=False, repr=False)

    def receive(self, octets: bytes) -> tuple[bytes, ...]:
        """Take what arrived and give the frames that are whole now.

        Args:
            octets: Any number of octets, cut anywhere.

        Returns:
            Whole frames in order; none while the next one is incomplete. Where a broken length
            follows whole frames, these are still given, and `error` is set.

        Raises:
            FramingError: If the next command_length is below 16 or above the limit. The framer
                stays broken: where the next frame starts is not known any more.

        Spec: SMPP 3.4 §3.2
        """
        if self.error:
            raise self.error
        kept = self._kept
        if kept:
            kept += octets
            if len(kept) < self._wanted:
                return ()
            octets = bytes(kept)
            kept.clear()
        frames: list[bytes] = []
        at, end = 0, len(octets)
        while at + 4 <= end:
            command_length = int.from_bytes(octets[at : at + 4], "big")
            if not HEADER_OCTETS <= command_length <= self.max_command_length:
                self.error = FramingError(
                    f"command_length {command_length}",
                    f"{HEADER_OCTETS} to {self.max_command_length} octets",
                )
                if frames:
                    return tuple(frames)
                raise self.error
            frame_end = at + command_length
            if frame_end > end:
                self._wanted = command_length
                break
            frames.append(octets[at:frame_end])
            at = frame_end
        else:
            self._wanted = 4
        if at < end:
            kept += octets[at:]
        return tuple(frames)

    @property
    def kept_octets(self) -> int:
        """How many octets of an incomplete frame are held, at most `max_command_length`."""
        return len(self._kept)
