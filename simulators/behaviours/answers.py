"""How accepted messages are answered: late, never, twice, or in another order."""

import attrs

from ..binds import CenterBind
from ..submissions import Submission
from .behaviour import Answer, AnswerForm, Behaviour


@attrs.frozen
class SlowResponse(Behaviour):
    """Every submit response comes late; the window fills, and past the peer's timeout it is late."""

    delay: float
    """Seconds."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, delay=self.delay)


@attrs.frozen
class NoResponse(Behaviour):
    """The message is taken and delivered, its receipt comes, but it is never answered."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, form=AnswerForm.NOTHING)


@attrs.frozen
class ResponseTwice(Behaviour):
    """Every submit response comes again, with the sequence_number that is not in flight any more."""

    times: int = 2

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, copies=self.times)


@attrs.frozen
class ResponsesOutOfOrder(Behaviour):
    """Of so many messages on a bind the last is answered first, and the first last."""

    depth: int = 3
    step: float = 0.2
    """Seconds between two answers."""

    def on_submit(self, answer: Answer, submission: Submission, bind: CenterBind) -> Answer:
        tally = bind.tallies.of(self)
        place = tally.count % self.depth
        tally.count += 1
        return attrs.evolve(answer, delay=answer.delay + (self.depth - 1 - place) * self.step)
