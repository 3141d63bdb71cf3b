"""What a message centre saw, what an application was told, and whether a ledger agrees with both.

The centre's record and the application's survive every kill, because they are kept in another
process; the ledger is read after each kill as it was left, and again at the end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import attrs
from victim import destination

from whiteroute.engine.ledger import LedgerReader, MessageHistory
from whiteroute.engine.messages import AttemptOutcome, DeliveryState, Doubt
from whiteroute.simulators import CenterEvent, CenterEventKind

Attempt = tuple[str, int, int]
"""Its message_ref, part, and number."""


def number_of(message_ref: str) -> int:
    """Read the message's number out of its ref."""
    return int(message_ref.removeprefix("m-"))


@attrs.define(eq=False)
class Evidence:
    """Everything that was seen and told, over all kills."""

    accepted: dict[int, list[str]] = attrs.field(factory=lambda: defaultdict[int, list[str]](list))
    """The message_ids that the centre gave, by the message's number."""
    taken: "Counter[tuple[int, str]]" = attrs.field(factory=Counter[tuple[int, str]])
    """How often the centre accepted the same text for the same number."""
    receipts: set[str] = attrs.field(factory=set[str])
    """The message_ids whose receipts were acknowledged."""
    inbound: set[str] = attrs.field(factory=set[str])
    """The texts from handsets that were acknowledged."""
    told: dict[int, tuple[str, list[str]]] = attrs.field(factory=dict)
    """The last state that the application was told of each message, and the message_ids."""
    doubts: set[Attempt] = attrs.field(factory=set[Attempt])
    """What was in flight at some kill."""
    lately: set[int] = attrs.field(factory=set[int])
    """The messages that the centre accepted since the last kill."""
    latest: set[Attempt] = attrs.field(factory=set[Attempt])
    """What was in flight at the last kill."""
    unrecovered: set[Attempt] = attrs.field(factory=set[Attempt])
    """What was in flight since an engine last said what it had recovered."""
    sent_in_vain: int = 0
    """Of the doubts, those that the centre had accepted when we were killed."""

    def saw(self, event: CenterEvent) -> None:
        """Note what the message centre tells."""
        match event.event:
            case CenterEventKind.SUBMIT if not event.status:
                number = int((event.destination_addr or "").removeprefix("34600"))
                self.accepted[number].append(event.message_id or "")
                self.taken[number, event.text or ""] += 1
                self.lately.add(number)
            case CenterEventKind.RECEIPT_ACKNOWLEDGED:
                self.receipts.add(event.message_id or "")
            case CenterEventKind.MO_ACKNOWLEDGED:
                self.inbound.add(event.text or "")
            case _:
                pass

    def heard(self, message_ref: str, state: str, message_ids: list[str]) -> None:
        """Note what the application was told of a message."""
        self.told[number_of(message_ref)] = (state, message_ids)

    def first_untold(self) -> int:
        """Give the first message of which an application that was killed knows nothing."""
        return next(number for number in range(len(self.told) + 1) if number not in self.told)

    # After a kill.

    def check_kill(self, reader: LedgerReader, most: int) -> list[str]:
        """Compare the ledger as the kill left it with what both sides saw since the last one.

        Args:
            reader: Of the ledger that nobody owns now.
            most: How many parts can have been in flight.
        """
        faults: list[str] = []
        new = [doubt for doubt in reader.doubts() if attempt_of(doubt) not in self.doubts]
        for doubt in new:
            number = number_of(doubt.message_ref)
            if self.told.get(number, ("",))[0] in ("ACCEPTED", "DELIVERED", "REFUSED"):
                faults.append(
                    f"{doubt.message_ref} was told as {self.told[number][0]}, is in doubt"
                )
            self.sent_in_vain += number in self.lately
        if len(new) > most:
            faults.append(f"{len(new)} attempts are in doubt, expected {most} at most")
        self.latest = set(map(attempt_of, new))
        self.unrecovered |= self.latest
        self.doubts |= self.latest
        for number in sorted(self.lately):
            faults += self._check_message(reader.message(f"m-{number}"), number)
        self.lately.clear()
        return faults

    def check_recovered(self, recovered: Iterable[Iterable[object]]) -> list[str]:
        """Compare what a new engine found in doubt with what the kills left so.

        One that was killed while it recovered may have written that already and not said it.
        """
        found = {tuple(each) for each in recovered}
        missing, surplus = self.latest - found, found - self.unrecovered
        self.unrecovered.clear()
        faults = [f"{each} was in flight, and was not recovered" for each in sorted(missing)]
        return faults + [f"{each} was recovered, and was not in flight" for each in surplus]

    # In the end.

    def check_all(self, reader: LedgerReader) -> list[str]:
        """Compare the whole ledger with everything that was ever seen."""
        faults = [
            f"message {number} was sent {times} times: {text!r}"
            for (number, text), times in self.taken.items()
            if times > 1
        ]
        for number in sorted(self.accepted):
            faults += self._check_message(reader.message(f"m-{number}"), number)
        kept = {record.receipt.message_id for record in reader.receipts()}
        faults += [f"the receipt of {each} is not there" for each in self.receipts - kept]
        texts = {record.text for record in reader.inbound()}
        faults += [f"from a handset, {each!r} is not there" for each in self.inbound - texts]
        return faults + self._check_doubts(reader)

    def _check_doubts(self, reader: LedgerReader) -> list[str]:
        """What is in doubt in the end is what was in flight at a kill, and nothing else."""
        left = set(map(attempt_of, reader.doubts()))
        faults = [f"{each} is in doubt, and was not in flight" for each in left - self.doubts]
        for message_ref, part, attempt in sorted(self.doubts - left):
            history = reader.message(message_ref)
            lines = [] if history is None else history.attempts
            adopted = any(
                line.ended is not None
                and line.ended.adopted
                and line.ended.message_id in self.accepted[number_of(message_ref)]
                for line in lines
                if (line.started.part, line.started.attempt) == (part, attempt)
            )
            if not adopted:
                faults.append(f"{message_ref}/{part} was in doubt, and is not any more")
        return faults

    # One message.

    def _check_message(self, history: MessageHistory | None, number: int) -> list[str]:
        """What the centre accepted is in the ledger: by its message_id, or else in doubt."""
        message_ids = self.accepted[number]
        if history is None:
            return [f"message {number} was accepted as {message_ids}, and is unknown"]
        known = {
            line.ended.message_id
            for line in history.attempts
            if line.ended is not None and line.ended.outcome is AttemptOutcome.ACCEPTED
        }
        doubted = sum(line.state is DeliveryState.IN_DOUBT for line in history.attempts)
        faults = [
            f"message {number} has {each}, which was never given for {destination(number)}"
            for each in known - set(message_ids)
        ]
        unknown = [each for each in message_ids if each not in known]
        if len(unknown) > doubted:
            faults.append(
                f"message {number} was accepted as {unknown}, and {doubted} attempts are in doubt"
            )
        state, told = self.told.get(number, ("", []))
        if state == DeliveryState.ACCEPTED and not known.issuperset(told):
            faults.append(f"message {number} was told as {told}, and is kept as {sorted(known)}")
        return faults


def attempt_of(doubt: Doubt) -> Attempt:
    """Give what names an attempt."""
    return (doubt.message_ref, doubt.part, doubt.attempt)
