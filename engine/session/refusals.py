"""How a request is refused: which response, in which form, with which status."""

from whiteroute.pdu import (
    OPERATIONS,
    RESPONSE_BIT,
    CommandId,
    CommandStatus,
    GenericNack,
    Pdu,
    WireForm,
    command_id_of,
)

from .states import Role

FULL = {Role.ESME: CommandStatus.ESME_RX_T_APPN, Role.MC: CommandStatus.ESME_RMSGQFUL}
"""By our role: what tells the peer that it sends more than we take, and to try again."""


def refusal(request: Pdu, command_status: int) -> Pdu:
    """Make the response which refuses a request, in the form that every known peer can read.

    That is a body of empty fields at any status, but the header alone for submit_sm_resp: measured
    over eight decoders, it is the only combination that none of them refuses.

    Args:
        request: Any request.
        command_status: The reason, not ESME_ROK.

    Returns:
        The response with the request's sequence_number; a generic_nack where the operation is
        unknown or has no response.
    """
    return refusal_of(command_id_of(request), request.sequence_number, command_status)


def refusal_of(command_id: int, sequence_number: int, command_status: int) -> Pdu:
    """Make the response which refuses a request of which only the header could be read."""
    response_class = OPERATIONS.get(command_id | RESPONSE_BIT, GenericNack)
    submit = response_class.command_id == CommandId.SUBMIT_SM_RESP
    return response_class(
        command_status=command_status,
        sequence_number=sequence_number,
        wire_form=WireForm.HEADER_ONLY if submit else WireForm.USUAL,
    )
