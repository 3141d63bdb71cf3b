"""What a message centre answers about messages it has: query_sm, cancel_sm and replace_sm.

Plain functions over its record; whoever calls them sends the answer and lets the outcome follow.
"""

from collections.abc import Callable
from copy import copy
from datetime import datetime

from whiteroute.engine.session import refusal
from whiteroute.pdu import (
    CancelSm,
    CommandStatus,
    DataSm,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SubmitMulti,
    format_smpp_time,
)

from .submissions import Submission, Submissions


def answer_query(
    submissions: Submissions,
    account: str,
    request: QuerySm,
    date_of: Callable[[float], datetime],
) -> Pdu:
    """Tell what has become of a message.

    Args:
        submissions: All there is.
        account: Who asks; other accounts' messages are not known to it.
        request: By message_id and sender.
        date_of: Makes a date of an instant of the record.

    Returns:
        query_sm_resp: the state, or ESME_RINVMSGID for an id that is not known here.
    """
    submission = _look_up(submissions, account, request)
    if submission is None:
        return refusal(request, CommandStatus.ESME_RINVMSGID)
    done_at = submission.done_at
    return QuerySmResp(
        message_id=submission.message_id,
        final_date="" if done_at is None else format_smpp_time(date_of(done_at)),
        message_state=submission.state,
        error_code=min(int(submission.err), 255) if submission.err.isdecimal() else 0,
    )


def find_to_cancel(
    submissions: Submissions, account: str, request: CancelSm
) -> tuple[Submission, ...] | CommandStatus:
    """Find what a cancel_sm is about.

    Returns:
        Messages that still wait, at least one; or the status to refuse with: ESME_RINVMSGID for an
        id that is not known here, ESME_RCANCELFAIL if nothing waits any more.

    Spec: SMPP 3.4 §4.9
    """
    if request.message_id:
        submission = _look_up(submissions, account, request)
        if submission is None:
            return CommandStatus.ESME_RINVMSGID
        found: tuple[Submission, ...] = (submission,)
    else:
        found = submissions.find(to=request.destination_addr, sender=request.source_addr)
    waiting = tuple(each for each in found if each.is_waiting and each.account == account)
    return waiting or CommandStatus.ESME_RCANCELFAIL


def replace(submissions: Submissions, account: str, request: ReplaceSm) -> Pdu:
    """Give a waiting message another text, and another wish for receipts.

    Returns:
        replace_sm_resp: ESME_ROK, ESME_RINVMSGID for an id that is not known here, or
        ESME_RREPLACEFAIL if the message waits no more or was no submit_sm.

    Spec: SMPP 3.4 §4.10
    """
    submission = _look_up(submissions, account, request)
    if submission is None:
        return refusal(request, CommandStatus.ESME_RINVMSGID)
    original = submission.request
    if not submission.is_waiting or isinstance(original, DataSm | SubmitMulti):
        return refusal(request, CommandStatus.ESME_RREPLACEFAIL)
    replaced = submission.request = copy(original)
    replaced.short_message = request.short_message
    replaced.registered_delivery = request.registered_delivery
    return ReplaceSmResp()


def _look_up(
    submissions: Submissions, account: str, request: QuerySm | CancelSm | ReplaceSm
) -> Submission | None:
    submission = submissions.by_message_id(request.message_id)
    if submission is None or submission.account != account:
        return None
    return submission if submission.source_addr == request.source_addr else None
