"""What a message centre was given: one bounded record, for query_sm and for assertions in tests.

Not the receipts that are still owed for it; those are the mailbox's.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import overload

import attrs

from whiteroute.pdu import DataSm, MessageState, SubmitMulti, SubmitSm, join_parts

from .timing import AT_ONCE, Timing
from .ways import Way

SubmitRequest = SubmitSm | DataSm | SubmitMulti
"""The operations that hand over a message."""


@attrs.frozen(kw_only=True)
class OnHandset:
    """What a recipient sees of one part: the truth, whatever receipts say."""

    sender: str
    text: str = attrs.field(repr=False)
    at: float
    """When it arrived, in seconds of `trio.current_time`."""


_NOWHERE = Way(0)
_WAITING = (MessageState.ENROUTE, MessageState.SCHEDULED)


@attrs.define(slots=True, weakref_slot=False, eq=False, kw_only=True)
class Submission:
    """One message to one number as an ESME submitted it, refused ones included."""

    account: str
    """The system_id it came under."""
    destination_addr: str
    dest_addr_ton: int = 1
    dest_addr_npi: int = 1
    request: SubmitRequest
    """The PDU as it came (after replace_sm: as it would have come)."""
    submitted_at: float
    """Seconds of `trio.current_time`."""
    message_id: str = ""
    """As in the response; empty if it was refused."""
    receipt_message_id: str = ""
    """As in its receipts; the same unless a behaviour changes it."""
    command_status: int = 0
    """What it was answered with; 0 also if a behaviour swallowed the answer."""
    state: MessageState = MessageState.ENROUTE
    err: str = "000"
    done_at: float | None = None
    """When it got its final state; None before."""
    receipts_sent: int = 0
    """deliver_sm with its receipt that left, repetitions included."""
    receipts_acknowledged: int = 0
    way: Way = _NOWHERE
    """The link it came by."""
    timing: Timing = AT_ONCE
    """From when to when it is to be delivered."""
    arrived_at: float | None = None
    """When a handset got it, in seconds of `trio.current_time`; None: none did, so far."""
    shown: OnHandset | None = None
    """What the handset shows, where that is not what was sent."""

    @property
    def source_addr(self) -> str:
        """The sender as it came."""
        return self.request.source_addr

    @property
    def text(self) -> str:
        """What this part says, without its header."""
        return join_parts((self.request,))

    @property
    def on_handset(self) -> OnHandset | None:
        """What the recipient sees; None as long as nothing has arrived."""
        if self.arrived_at is None or self.shown is not None:
            return self.shown
        return OnHandset(sender=self.source_addr, text=self.text, at=self.arrived_at)

    @property
    def is_waiting(self) -> bool:
        """Whether its final state is still to come."""
        return self.state in _WAITING

    def __repr__(self) -> str:
        """Leave the text out; it is somebody's."""
        return (
            f"<Submission {self.message_id or 'refused'} {self.source_addr!r} to"
            f" {self.destination_addr} {self.state.name}>"
        )


@attrs.define(eq=False, repr=False)
class Submissions(Sequence[Submission]):
    """The latest submissions, oldest first; what is older than `limit` others is forgotten."""

    limit: int = 50_000
    _latest: "deque[Submission]" = attrs.field(factory=deque, init=False)
    _by_message_id: dict[str, Submission] = attrs.field(factory=dict, init=False)

    def add(self, submission: Submission) -> None:
        """Remember one more."""
        latest = self._latest
        if len(latest) >= self.limit:
            oldest = latest.popleft()
            if self._by_message_id.get(oldest.message_id) is oldest:
                del self._by_message_id[oldest.message_id]
        latest.append(submission)
        if submission.message_id:
            self._by_message_id[submission.message_id] = submission

    def by_message_id(self, message_id: str) -> Submission | None:
        """Give the submission that was answered with this id, or None."""
        return self._by_message_id.get(message_id)

    def find(
        self,
        *,
        to: str | None = None,
        sender: str | None = None,
        text: str | None = None,
        state: MessageState | None = None,
        command_status: int | None = None,
    ) -> tuple[Submission, ...]:
        """Give all that fit what is told, oldest first; None fits everything.

        Args:
            to: The destination, with or without `+`.
            sender: The source address.
            text: The whole text of one part.
            state: What has become of it by now.
            command_status: What it was answered with.
        """
        tests: list[Callable[[Submission], bool]] = []
        if to is not None:
            number = to.removeprefix("+")
            tests.append(lambda each: each.destination_addr.removeprefix("+") == number)
        if sender is not None:
            tests.append(lambda each: each.source_addr == sender)
        if state is not None:
            tests.append(lambda each: each.state is state)
        if command_status is not None:
            tests.append(lambda each: each.command_status == command_status)
        if text is not None:
            tests.append(lambda each: each.text == text)
        return tuple(each for each in self._latest if all(test(each) for test in tests))

    def expect(
        self,
        *,
        times: int = 1,
        to: str | None = None,
        sender: str | None = None,
        text: str | None = None,
        state: MessageState | None = None,
        command_status: int | None = None,
    ) -> tuple[Submission, ...]:
        """Give what `find` finds, if it is as many as told.

        Raises:
            AssertionError: If it is more or fewer; it lists the latest that did come.
        """
        found = self.find(
            to=to, sender=sender, text=text, state=state, command_status=command_status
        )
        if len(found) != times:
            latest = "".join(f"\n  {each!r}" for each in list(self._latest)[-10:])
            raise AssertionError(
                f"{len(found)} submissions fit, expected {times}; of {len(self)}, the latest are:"
                f"{latest or ' none'}"
            )
        return found

    __call__ = expect

    def __len__(self) -> int:
        return len(self._latest)

    def __iter__(self) -> Iterator[Submission]:
        return iter(self._latest)

    @overload
    def __getitem__(self, index: int) -> Submission: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Submission, ...]: ...

    def __getitem__(self, index: int | slice) -> Submission | tuple[Submission, ...]:
        return tuple(self._latest)[index]

    def __repr__(self) -> str:
        return f"<Submissions {len(self)} of at most {self.limit}>"
