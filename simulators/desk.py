"""What arrives on a link, and what a message centre answers to it, its behaviours included.

What then becomes of a message is the store's matter, and octets are the link's.
"""

from collections.abc import Sequence
from functools import partial

import attrs
import trio

from whiteroute.engine.link import Link
from whiteroute.engine.session import (
    Arrived,
    CloseCause,
    Closed,
    Event,
    Exchange,
    LateResponse,
    RequestRefused,
    refusal,
)
from whiteroute.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    BroadcastSm,
    CancelBroadcastSm,
    CancelSm,
    CancelSmResp,
    CommandStatus,
    DataSm,
    DataSmResp,
    GenericNack,
    InterfaceVersion,
    Pdu,
    QueryBroadcastSm,
    QuerySm,
    ReplaceSm,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    UnsuccessSme,
    WireForm,
    encode,
    make_tlvs,
    response_id,
)

from .accounts import Account, BindRequest, admission, find_account
from .agenda import Agenda
from .behaviours import AfterAnswer, Answer, AnswerForm, Throttle, WindowLimit
from .binds import CenterBind
from .broadcasts import BroadcastRequest, Broadcasts
from .happenings import CenterEventKind, Happenings
from .hooks import Hooks
from .mailbox import Delivery, Mailboxes
from .message_store import MessageStore
from .record_answers import answer_query, find_to_cancel, replace
from .submissions import Submission
from .timing import AT_ONCE, Timing, read_timing

LONGEST_ADDRESS = 20
"""Characters of an address that deliver_sm can give back; data_sm would bring more."""

_GRANTED = Answer()
_BIND_RESPONSES = {
    BindTransceiver: BindTransceiverResp,
    BindReceiver: BindReceiverResp,
    BindTransmitter: BindTransmitterResp,
}


@attrs.define(eq=False, kw_only=True)
class Desk:
    """Answers the requests of all links of one centre."""

    system_id: str
    accounts: tuple[Account, ...]
    interface_version: int
    queue_limit: int
    agenda: Agenda
    happenings: Happenings
    mailboxes: Mailboxes
    store: MessageStore
    hooks: Hooks
    broadcasts: Broadcasts = attrs.field(factory=Broadcasts, init=False)

    def take(self, bind: CenterBind, _link: Link, events: list[Event]) -> None:
        """Take a link's events, in order; the owner of each link, with its bind."""
        now = trio.current_time()
        for event in events:
            match event:
                case Arrived(pdu=pdu):
                    self._arrived(bind, pdu, now)
                case Exchange(context=Delivery()):
                    assert bind.mailbox
                    bind.mailbox.ended(event, now)
                case LateResponse(exchange=Exchange(context=Delivery()) as exchange):
                    assert bind.mailbox
                    bind.mailbox.answered_late(exchange, now)
                case RequestRefused(command_status=status):
                    self.happenings.note(CenterEventKind.REFUSED, now, bind.account, status=status)
                case Closed():
                    self._closed(bind, event, now)
                case _:
                    pass
        self.agenda.run_due(now)

    def _arrived(self, bind: CenterBind, pdu: Pdu, now: float) -> None:
        match pdu:
            case SubmitSm() | DataSm():
                self._submit(bind, pdu, now)
            case BindTransceiver() | BindReceiver() | BindTransmitter():
                self._bind(bind, pdu, now)
            case SubmitMulti():
                self._submit_multi(bind, pdu, now)
            case QuerySm() | CancelSm() | ReplaceSm():
                self._answer_from_record(bind, pdu, now)
            case BroadcastSm() | QueryBroadcastSm() | CancelBroadcastSm() if self._knows_broadcasts:
                self._broadcast(bind, pdu, now)
            case _ if response_id(pdu.command_id) is not None:
                bind.link.respond(pdu, refusal(pdu, CommandStatus.ESME_RINVCMDID))
                self.happenings.note(
                    CenterEventKind.REFUSED,
                    now,
                    bind.account,
                    status=CommandStatus.ESME_RINVCMDID,
                )

    def _closed(self, bind: CenterBind, closed: Closed, now: float) -> None:
        if closed.cause is CloseCause.UNBIND:
            self.happenings.note(CenterEventKind.UNBIND, now, bind.account)
        else:
            detail = f"{closed.cause.value} {closed.detail}".strip()
            self.happenings.note(CenterEventKind.CLOSE, now, bind.account, detail=detail)
        mailbox = bind.mailbox
        if mailbox:
            mailbox.remove_receiver(bind.link)
            lingers = max((each.lingers(closed) for each in self.hooks.lingers), default=0.0)
            if lingers > 0:
                self.agenda.at(now + lingers, mailbox.forget_bind)
            else:
                mailbox.forget_bind(now)

    # Binds.

    def _bind(self, bind: CenterBind, request: BindRequest, now: float) -> None:
        bind.others = self._binds_of(request.system_id)
        status = admission(self.accounts, request, self._binds_of, bind.way.peer)
        answer = Answer(command_status=status)
        for behaviour in self.hooks.on_bind:
            answer = behaviour.on_bind(answer, request, bind)
        version = answer.interface_version
        if answer.command_status:
            response = _refusal(request, answer)
            self.happenings.note(
                CenterEventKind.BIND, now, request.system_id, status=answer.command_status
            )
            if version is not None and response.wire_form is not WireForm.HEADER_ONLY:
                response.tlvs = make_tlvs(sc_interface_version=version)
        else:
            response = _BIND_RESPONSES[type(request)](system_id=self.system_id)
            if request.interface_version >= InterfaceVersion.V3_4:
                spoken = self.interface_version if version is None else version
                response.tlvs = make_tlvs(sc_interface_version=spoken)
        self._answer(bind, request, response, answer, now)

    def _binds_of(self, account: str) -> int:
        return self.mailboxes.of(account).binds if account in self.mailboxes else 0

    def _bound(self, bind: CenterBind, request: Pdu, now: float) -> None:
        assert isinstance(request, BindRequest)
        mailbox = bind.mailbox = self.mailboxes.of(request.system_id)
        mailbox.binds += 1
        bind.account_rules = find_account(self.accounts, mailbox.account)
        self.happenings.note(
            CenterEventKind.BIND, now, mailbox.account, status=CommandStatus.ESME_ROK
        )
        if not isinstance(request, BindTransmitter):
            mailbox.add_receiver(bind.link, bind.way, now)

    # Messages.

    def _submit(self, bind: CenterBind, request: SubmitSm | DataSm, now: float) -> None:
        assert bind.mailbox
        submission = Submission(
            account=bind.mailbox.account,
            destination_addr=request.destination_addr,
            dest_addr_ton=request.dest_addr_ton,
            dest_addr_npi=request.dest_addr_npi,
            request=request,
            submitted_at=now,
            way=bind.way,
        )
        answer = self._judge(bind, submission)
        replaced = None
        if isinstance(request, SubmitSm) and request.replace_if_present_flag:
            replaced = self._replace_if_present(submission, request, answer)
        message_id = replaced or self._record((submission,), answer, now)
        response: Pdu
        if answer.command_status:
            response = _refusal(request, answer)
        elif isinstance(request, SubmitSm):
            response = SubmitSmResp(message_id=message_id)
        else:
            response = DataSmResp(message_id=message_id)
        if answer.congestion is not None and response.wire_form is not WireForm.HEADER_ONLY:
            response.tlvs = make_tlvs(congestion_state=answer.congestion)
        self._answer(bind, request, response, answer, now)

    def _replace_if_present(
        self, submission: Submission, request: SubmitSm, answer: Answer
    ) -> str | None:
        """Put a message in the place of one that waits, and give that one's id; None if none does.

        Spec: SMPP 3.4 §5.2.18
        """
        if not answer.is_accepted:
            return None
        for waiting in self.store.submissions.find(
            to=submission.destination_addr, sender=submission.source_addr
        ):
            before = waiting.request
            if (
                waiting.is_waiting
                and waiting.account == submission.account
                and isinstance(before, SubmitSm)
                and before.service_type == request.service_type
            ):
                waiting.request = request
                return waiting.message_id
        return None

    def _submit_multi(self, bind: CenterBind, request: SubmitMulti, now: float) -> None:
        assert bind.mailbox
        reached: list[Submission] = []
        missed: list[UnsuccessSme] = []
        for entry in request.dest_address:
            if not isinstance(entry, SmeAddress):
                missed.append(_missed(entry.dl_name, CommandStatus.ESME_RINVDLNAME))
            elif not _is_number(entry.destination_addr):
                missed.append(_missed(entry.destination_addr, CommandStatus.ESME_RINVDSTADR))
            else:
                reached.append(
                    Submission(
                        account=bind.mailbox.account,
                        destination_addr=entry.destination_addr,
                        dest_addr_ton=entry.dest_addr_ton,
                        dest_addr_npi=entry.dest_addr_npi,
                        request=request,
                        submitted_at=now,
                        way=bind.way,
                    )
                )
        if reached:
            answer = self._judge(bind, reached[0])
        else:
            fault = CommandStatus.ESME_RSUBMITFAIL if missed else CommandStatus.ESME_RINVNUMDESTS
            answer = Answer(command_status=fault)
        for submission in reached[1:]:
            submission.timing = reached[0].timing
        message_id = self._record(reached, answer, now)
        response = SubmitMultiResp(
            message_id=message_id,
            unsuccess_sme=tuple(missed),
            command_status=answer.command_status,
        )
        self._answer(bind, request, response, answer, now)

    def _judge(self, bind: CenterBind, submission: Submission) -> Answer:
        request = submission.request
        if not _is_number(submission.destination_addr):
            answer = Answer(command_status=CommandStatus.ESME_RINVDSTADR)
        elif len(request.source_addr) > LONGEST_ADDRESS:
            answer = Answer(command_status=CommandStatus.ESME_RINVSRCADR)
        elif len(self.agenda) >= self.queue_limit:
            answer = Answer(command_status=CommandStatus.ESME_RMSGQFUL)
        else:
            answer = self._judge_times(submission)
        if bind.account_rules is not None:
            answer = _judge_limits(answer, submission, bind, bind.account_rules)
        for behaviour in self.hooks.on_submit:
            answer = behaviour.on_submit(answer, submission, bind)
        return answer

    def _judge_times(self, submission: Submission) -> Answer:
        timing = read_timing(submission.request, submission.submitted_at, self.store.clock.date_at)
        if not isinstance(timing, Timing):
            return Answer(command_status=timing)
        if timing is not AT_ONCE:
            submission.timing = timing
        return _GRANTED

    def _record(self, submissions: Sequence[Submission], answer: Answer, now: float) -> str:
        """Remember messages, let accepted ones follow their fates; give their message_id."""
        status = answer.command_status
        message_id = ""
        accepted = answer.is_accepted
        if accepted:
            message_id = self.store.accept(submissions)
        else:
            self.store.refuse(submissions, status)
        for submission in submissions:
            self.happenings.note(
                CenterEventKind.SUBMIT,
                now,
                submission.account,
                submission,
                submission.state,
                status,
            )
            if accepted:
                self.store.forward(submission, now, at_once=answer.receipt_first)
        return message_id

    def _answer_from_record(
        self, bind: CenterBind, request: QuerySm | CancelSm | ReplaceSm, now: float
    ) -> None:
        assert bind.mailbox
        account = bind.mailbox.account
        if isinstance(request, QuerySm):
            kind = CenterEventKind.QUERY
            response = answer_query(
                self.store.submissions, account, request, self.store.clock.date_at
            )
        elif isinstance(request, ReplaceSm):
            kind = CenterEventKind.REPLACE
            response = replace(self.store.submissions, account, request)
        else:
            kind = CenterEventKind.CANCEL
            found = find_to_cancel(self.store.submissions, account, request)
            if isinstance(found, CommandStatus):
                response = refusal(request, found)
            else:
                response = CancelSmResp()
                for submission in found:
                    self.store.cancel(submission, now)
        message = self.store.submissions.by_message_id(request.message_id)
        state = message.state if message else None
        self.happenings.note(kind, now, account, message, state, response.command_status)
        bind.link.respond(request, response)

    @property
    def _knows_broadcasts(self) -> bool:
        return self.interface_version >= InterfaceVersion.V5_0

    def _broadcast(self, bind: CenterBind, request: BroadcastRequest, now: float) -> None:
        assert bind.mailbox
        account = bind.mailbox.account
        response = self.broadcasts.answer(account, request, self.store.next_message_id(), now)
        status = response.command_status
        self.happenings.note(CenterEventKind.BROADCAST, now, account, status=status)
        bind.link.respond(request, response)

    # Answers.

    def _answer(
        self, bind: CenterBind, request: Pdu, response: Pdu, answer: Answer, now: float
    ) -> None:
        if answer.delay > 0:
            self.agenda.at(
                now + answer.delay, partial(self._send_answer, bind, request, response, answer)
            )
        else:
            self._send_answer(bind, request, response, answer, now)

    def _send_answer(
        self, bind: CenterBind, request: Pdu, response: Pdu, answer: Answer, now: float
    ) -> None:
        link = bind.link
        if link.closed:
            return
        match answer.form:
            case AnswerForm.RESPONSE:
                link.respond(request, response)
                for _ in range(answer.copies - 1):
                    link.send_unchecked(encode(response))
            case AnswerForm.NACK:
                link.respond(request, GenericNack(command_status=answer.command_status))
            case AnswerForm.NACK_WITHOUT_NUMBER:
                link.send_unchecked(encode(GenericNack(command_status=answer.command_status)))
            case AnswerForm.NOTHING:
                pass
        if bind.mailbox is None and link.session.state.is_bound:
            self._bound(bind, request, now)
        match answer.after:
            case AfterAnswer.STAY:
                pass
            case AfterAnswer.UNBIND:
                bind.unbind()
            case AfterAnswer.CLOSE:
                bind.close()
            case AfterAnswer.RESET:
                bind.reset()


def _refusal(request: Pdu, answer: Answer) -> Pdu:
    response = refusal(request, answer.command_status)
    if answer.has_body is not None:
        response.wire_form = WireForm.USUAL if answer.has_body else WireForm.HEADER_ONLY
    return response


def _judge_limits(
    answer: Answer, submission: Submission, bind: CenterBind, rules: Account
) -> Answer:
    """Refuse what exceeds the account's window or its messages per second."""
    if rules.window is not None:
        answer = WindowLimit(rules.window).on_submit(answer, submission, bind)
    if rules.tps is not None and not answer.command_status:
        answer = Throttle(rules.tps).on_submit(answer, submission, bind)
    return answer


def _is_number(address: str) -> bool:
    return address.removeprefix("+").isdecimal() and len(address) <= LONGEST_ADDRESS


def _missed(address: str, status: CommandStatus) -> UnsuccessSme:
    return UnsuccessSme(destination_addr=address[:LONGEST_ADDRESS], error_status_code=status)
