"""Batches of PDUs turned into blocks and written; the part of a capture that may take its time.

Runs in a thread, one batch at a time, and shares nothing with the event loop but what it is handed.
"""

from collections.abc import Iterator

import attrs

from whiteroute.pdu import BodyError, CommandId, FramingError, Masking, decode, masked

from . import pcapng
from .conversation import Conversation, Ends
from .files import CaptureFiles

__all__ = ["PacketWriter", "Said", "Talk"]

MOST_COMMENTS = 20
"""Findings told of one PDU; a peer may make us find thousands."""

_ROOM_PER_PDU = 25_000
"""Octets that a PDU takes at most besides its own: headers, comments, a description, an opening."""
_ROOM_PER_END = 400
"""Octets that the end of a connection takes."""

_COMMENT_MASKED = (
    "SMPP as whiteroute sent and received it, in TCP packets made up around it. Masked: passwords, "
    "texts, and the middle digits of numbers."
)
_COMMENT_UNMASKED = (
    "SMPP as whiteroute sent and received it, in TCP packets made up around it. NOT masked: it holds "
    "passwords and what subscribers wrote."
)


@attrs.define(eq=False, kw_only=True)
class Talk:
    """One link, as the writer knows it."""

    name: str
    ends: Ends
    is_esme: bool
    """Whether our side is the ESME."""
    conversation: Conversation | None = None
    """Its connection in the present file; None while it has none there."""


@attrs.define
class Said:
    """A PDU on a link, or the link's end; treat it as a value."""

    talk: Talk
    outgoing: bool
    octets: bytes
    """Empty where the link is over."""
    at: int
    """UTC microseconds since the epoch."""
    left_out: int = 0
    """PDUs of any link that went unwritten just before it."""


@attrs.define(eq=False, kw_only=True)
class PacketWriter:
    """Writes blocks to files; after a CaptureError only `close` is of use."""

    files: CaptureFiles
    masking: Masking
    max_octets: int
    """Of one file."""
    pdus: int = attrs.field(default=0, init=False)
    """Written so far, in all files."""
    files_begun: int = attrs.field(default=0, init=False)
    is_full: bool = attrs.field(default=False, init=False)
    """The only file that may be is full; nothing more is written."""
    has_failed: bool = attrs.field(default=False, init=False)
    """A batch could not be written; nothing more is, because connections would have gaps."""
    _blocks: list[bytes] = attrs.field(factory=list, init=False)
    _size: int = attrs.field(default=0, init=False)
    """Octets in the file and in `_blocks`."""
    _interfaces: dict[str, int] = attrs.field(factory=dict, init=False)
    _open: dict[Talk, None] = attrs.field(factory=dict, init=False)
    _numbers: int = attrs.field(default=0, init=False)

    def begin(self) -> None:
        """Make the file; CaptureError if it cannot be made."""
        self.files.begin()
        self._begin_section()
        self._flush()

    def write(self, batch: list[Said]) -> None:
        """Write a batch; CaptureError if it cannot be written."""
        before = self.pdus
        try:
            for said in batch:
                if self.is_full:
                    break
                self._write(said)
            self._flush()
        except BaseException:
            self.pdus, self.has_failed = before, True
            raise

    def close(self, at: int) -> None:
        """End all connections and the file; CaptureError if that cannot be written."""
        try:
            if not self.has_failed:
                self._end_all(at)
                self._flush()
        finally:
            self.files.close()

    def _write(self, said: Said) -> None:
        talk = said.talk
        if not said.octets:
            if talk.conversation is not None:
                self._end(talk, said.outgoing, said.at)
            return
        room = len(said.octets) + _ROOM_PER_PDU + _ROOM_PER_END * (len(self._open) + 1)
        if self._size + room > self.max_octets and self._open:
            self._turn(said.at)
            if self.is_full:
                return
        conversation = talk.conversation or self._connect(said)
        shown = masked(said.octets, self.masking)
        comments = list(self._comments(said, shown))
        for packet in conversation.say(shown, outgoing=said.outgoing):
            self._put(talk, packet.octets, packet.outgoing, said.at, comments)
            comments = []
        self.pdus += 1

    def _comments(self, said: Said, shown: bytes) -> Iterator[str]:
        """Say what is wrong with a PDU, without saying what is masked in it."""
        if said.left_out:
            yield f"{said.left_out:,} PDUs before this one were left out: writing took too long"
        try:
            pdu = decode(said.octets)
            if shown is not said.octets:
                pdu = decode(shown)  # because a finding quotes what it found
            for finding in pdu.findings[:MOST_COMMENTS]:
                yield str(finding)
        except BodyError as error:
            found = error.found if self.masking is Masking.NONE else "octets that cannot be read"
            yield f"{error.path}: {found}, expected {error.expected}"
        except FramingError as error:
            yield str(error)

    def _connect(self, said: Said) -> Conversation:
        talk = said.talk
        self._numbers += 1
        talk.conversation = Conversation(talk.ends, self._numbers)
        self._open[talk] = None
        # The ESME connects, unless the first thing is the MC asking it to bind.
        is_outbind = said.octets[4:8] == CommandId.OUTBIND.to_bytes(4, "big")
        we_connect = said.outgoing if is_outbind else talk.is_esme
        comments = [talk.name] if talk.name else []
        for packet in talk.conversation.open(outgoing=we_connect):
            self._put(talk, packet.octets, packet.outgoing, said.at, comments)
            comments = []
        return talk.conversation

    def _end(self, talk: Talk, outgoing: bool, at: int, comment: str = "") -> None:
        assert talk.conversation is not None
        comments = [comment] if comment else []
        for packet in talk.conversation.close(outgoing=outgoing):
            self._put(talk, packet.octets, packet.outgoing, at, comments)
            comments = []
        talk.conversation = None
        del self._open[talk]

    def _end_all(self, at: int, comment: str = "the capture ends before the link does") -> None:
        for talk in tuple(self._open):
            self._end(talk, True, at, comment)

    def _turn(self, at: int) -> None:
        """Go on in another file, in which every connection begins anew so that it stands alone."""
        self._end_all(at, "the file is full")
        self._flush()
        if self.files.keep == 1:
            self.is_full = True
            return
        self.files.turn()
        self._begin_section()

    def _begin_section(self) -> None:
        self.files_begun += 1
        self._interfaces.clear()
        is_masked = self.masking is not Masking.NONE
        block = pcapng.section(_COMMENT_MASKED if is_masked else _COMMENT_UNMASKED)
        self._blocks = [block]
        self._size = len(block)

    def _put(self, talk: Talk, octets: bytes, outgoing: bool, at: int, comments: list[str]) -> None:
        number = self._interfaces.get(talk.name)
        if number is None:
            number = self._interfaces[talk.name] = len(self._interfaces)
            self._add(pcapng.interface(talk.name or "unnamed"))
        self._add(pcapng.packet(number, at, octets, outgoing=outgoing, comments=comments))

    def _add(self, block: bytes) -> None:
        self._blocks.append(block)
        self._size += len(block)

    def _flush(self) -> None:
        blocks, self._blocks = self._blocks, []
        if blocks:
            self.files.write(b"".join(blocks))
