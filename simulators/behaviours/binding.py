"""How binds are refused, granted late, or granted and taken away again."""

import attrs

from whiteroute.engine.session import CloseCause, Closed
from whiteroute.pdu import BindTransceiver, CommandStatus, InterfaceVersion

from ..accounts import BindRequest
from ..binds import CenterBind
from ..ways import Way
from .behaviour import AfterAnswer, Answer, AnswerForm, Behaviour


@attrs.frozen
class RefuseBind(Behaviour):
    """Every bind is answered with this status, whatever the credentials."""

    status: int = CommandStatus.ESME_RBINDFAIL

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class RefuseTransceiver(Behaviour):
    """bind_transceiver gets ESME_RINVCMDID, as from a centre that speaks SMPP 3.3."""

    nack: bool = False
    """Whether it comes as generic_nack instead of bind_transceiver_resp; both are seen."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        if not isinstance(request, BindTransceiver):
            return answer
        form = AnswerForm.NACK if self.nack else answer.form
        return attrs.evolve(answer, command_status=CommandStatus.ESME_RINVCMDID, form=form)


@attrs.frozen
class OlderVersion(Behaviour):
    """Binds that name a newer version are refused, and the answer says which one is spoken."""

    version: int = InterfaceVersion.V3_3
    status: int = CommandStatus.ESME_RBINDFAIL
    """There is no status that says so; this one, ESME_RSYSERR and ESME_RINVCMDID are seen."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        answer = attrs.evolve(answer, interface_version=self.version)
        if request.interface_version <= self.version:
            return answer
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class VersionDowngrade(Behaviour):
    """Every bind is granted, but the answer says that only an older version is spoken."""

    version: int = InterfaceVersion.V3_3

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, interface_version=self.version)


@attrs.frozen
class SlowBind(Behaviour):
    """The answer to a bind comes late, so that session_init timers run out."""

    delay: float
    """Seconds."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, delay=self.delay)


@attrs.frozen
class SilentBind(Behaviour):
    """TCP connects at once, and the bind is never answered: a front end whose back end is gone."""

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, form=AnswerForm.NOTHING, accepted=False)


@attrs.frozen
class ResetAfterBind(Behaviour):
    """The bind is accepted, and at once the link is reset: ECONNRESET in the midst of the first work.

    Firewalls and overloaded front ends do this.
    """

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        return attrs.evolve(answer, after=AfterAnswer.RESET)


@attrs.frozen
class ZombieSessions(Behaviour):
    """A link that ended without unbind counts as bound for some time: binding anew gets ESME_RALYBND.

    It shows only where the account has a `bind_limit`; the centre notices by its own enquire_link.
    """

    seconds: float = 60.0

    def lingers(self, closed: Closed) -> float:
        return 0.0 if closed.cause is CloseCause.UNBIND else self.seconds


@attrs.frozen
class BindLimit(Behaviour):
    """Binds beyond this many of one account get ESME_RALYBND, or ESME_RBINDFAIL at some centres."""

    binds: int = 1
    status: int = CommandStatus.ESME_RALYBND

    def on_bind(self, answer: Answer, request: BindRequest, bind: CenterBind) -> Answer:
        if bind.others < self.binds:
            return answer
        return attrs.evolve(answer, command_status=self.status)


@attrs.frozen
class HostDown(Behaviour):
    """One of the centre's hosts closes every link as it comes; the others go on (failover)."""

    host: int = 0
    """Which one, from 0, in the order of `MessageCenter.addresses`."""

    def takes(self, way: Way) -> bool:
        return way.host != self.host
