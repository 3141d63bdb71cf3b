"""Which optional parameters the specification allows in which operation.

For findings, and for people; the codec keeps any parameter anywhere.
Spec: SMPP 3.4 §4.4 to §4.12 (optional parameters of each operation), SMPP 5.0 §4.2.4 to §4.6
"""

from .command_id import CommandId
from .tlv import TlvTag

_T = TlvTag
_C = CommandId

_ADDRESSING = frozenset(
    (
        *(_T.SOURCE_ADDR_SUBUNIT, _T.SOURCE_SUBADDRESS, _T.SOURCE_PORT),
        *(_T.SOURCE_NETWORK_ID, _T.SOURCE_NODE_ID),
        *(_T.DEST_ADDR_SUBUNIT, _T.DEST_SUBADDRESS, _T.DESTINATION_PORT),
        *(_T.DEST_NETWORK_ID, _T.DEST_NODE_ID),
        *(_T.DEST_ADDR_NP_RESOLUTION, _T.DEST_ADDR_NP_INFORMATION, _T.DEST_ADDR_NP_COUNTRY),
    )
)
_CONTENT = frozenset(
    (
        *(_T.MESSAGE_PAYLOAD, _T.PAYLOAD_TYPE, _T.LANGUAGE_INDICATOR, _T.PRIVACY_INDICATOR),
        *(_T.SAR_MSG_REF_NUM, _T.SAR_TOTAL_SEGMENTS, _T.SAR_SEGMENT_SEQNUM),
        *(_T.USER_MESSAGE_REFERENCE, _T.USER_RESPONSE_CODE, _T.USSD_SERVICE_OP),
        *(_T.CALLBACK_NUM, _T.CALLBACK_NUM_ATAG, _T.CALLBACK_NUM_PRES_IND),
        *(_T.ITS_REPLY_TYPE, _T.ITS_SESSION_INFO),
    )
)
_SUBMISSION = (
    _ADDRESSING
    | _CONTENT
    | frozenset(
        (
            *(_T.SOURCE_BEARER_TYPE, _T.SOURCE_NETWORK_TYPE, _T.SOURCE_TELEMATICS_ID),
            *(_T.DEST_BEARER_TYPE, _T.DEST_NETWORK_TYPE, _T.DEST_TELEMATICS_ID),
            *(_T.ALERT_ON_MESSAGE_DELIVERY, _T.BILLING_IDENTIFICATION, _T.DISPLAY_TIME),
            *(_T.MORE_MESSAGES_TO_SEND, _T.MS_MSG_WAIT_FACILITIES, _T.MS_VALIDITY),
            *(_T.NUMBER_OF_MESSAGES, _T.QOS_TIME_TO_LIVE, _T.SET_DPF, _T.SMS_SIGNAL),
        )
    )
)
_DELIVERY = (
    _ADDRESSING
    | _CONTENT
    | frozenset((_T.MESSAGE_STATE, _T.NETWORK_ERROR_CODE, _T.RECEIPTED_MESSAGE_ID, _T.DPF_RESULT))
)
_WHY_NOT = frozenset(
    (_T.ADDITIONAL_STATUS_INFO_TEXT, _T.DELIVERY_FAILURE_REASON, _T.NETWORK_ERROR_CODE)
)
_BROADCAST = frozenset(
    (
        *(_T.BROADCAST_AREA_IDENTIFIER, _T.BROADCAST_CONTENT_TYPE, _T.BROADCAST_REP_NUM),
        *(_T.BROADCAST_FREQUENCY_INTERVAL, _T.BROADCAST_CHANNEL_INDICATOR),
        *(_T.BROADCAST_CONTENT_TYPE_INFO, _T.BROADCAST_MESSAGE_CLASS),
        *(_T.BROADCAST_SERVICE_GROUP, _T.ALERT_ON_MESSAGE_DELIVERY, _T.CALLBACK_NUM),
        *(_T.CALLBACK_NUM_ATAG, _T.CALLBACK_NUM_PRES_IND, _T.DEST_ADDR_SUBUNIT),
        *(_T.DEST_SUBADDRESS, _T.DESTINATION_PORT, _T.DISPLAY_TIME, _T.LANGUAGE_INDICATOR),
        *(_T.MESSAGE_PAYLOAD, _T.MS_VALIDITY, _T.PAYLOAD_TYPE, _T.PRIVACY_INDICATOR),
        *(_T.SMS_SIGNAL, _T.SOURCE_ADDR_SUBUNIT, _T.SOURCE_PORT, _T.SOURCE_SUBADDRESS),
        _T.USER_MESSAGE_REFERENCE,
    )
)
# 5.0 lets every response carry it.
_CONGESTION = frozenset((_T.CONGESTION_STATE,))
_BIND_ANSWER = frozenset((_T.SC_INTERFACE_VERSION,)) | _CONGESTION

TLVS_OF: dict[int, frozenset[TlvTag]] = {
    _C.BIND_RECEIVER_RESP: _BIND_ANSWER,
    _C.BIND_TRANSMITTER_RESP: _BIND_ANSWER,
    _C.BIND_TRANSCEIVER_RESP: _BIND_ANSWER,
    _C.SUBMIT_SM: _SUBMISSION,
    _C.SUBMIT_SM_RESP: _WHY_NOT | _CONGESTION | {_T.DPF_RESULT},
    _C.SUBMIT_MULTI: _SUBMISSION,
    _C.SUBMIT_MULTI_RESP: _WHY_NOT | _CONGESTION | {_T.DPF_RESULT},
    _C.DELIVER_SM: _DELIVERY,
    _C.DELIVER_SM_RESP: _WHY_NOT | _CONGESTION,
    _C.DATA_SM: _SUBMISSION | _DELIVERY,
    _C.DATA_SM_RESP: _WHY_NOT | _CONGESTION | {_T.DPF_RESULT},
    _C.REPLACE_SM: frozenset((_T.MESSAGE_PAYLOAD,)),
    _C.ALERT_NOTIFICATION: frozenset((_T.MS_AVAILABILITY_STATUS,)),
    _C.BROADCAST_SM: _BROADCAST,
    _C.BROADCAST_SM_RESP: _CONGESTION | {_T.BROADCAST_ERROR_STATUS, _T.BROADCAST_AREA_IDENTIFIER},
    _C.QUERY_BROADCAST_SM: frozenset((_T.USER_MESSAGE_REFERENCE,)),
    _C.QUERY_BROADCAST_SM_RESP: _CONGESTION
    | {
        *(_T.MESSAGE_STATE, _T.BROADCAST_AREA_IDENTIFIER, _T.BROADCAST_AREA_SUCCESS),
        *(_T.BROADCAST_END_TIME, _T.USER_MESSAGE_REFERENCE),
    },
    _C.CANCEL_BROADCAST_SM: frozenset((_T.BROADCAST_CONTENT_TYPE, _T.USER_MESSAGE_REFERENCE)),
    **dict.fromkeys(
        (
            *(_C.QUERY_SM_RESP, _C.CANCEL_SM_RESP, _C.REPLACE_SM_RESP, _C.UNBIND_RESP),
            *(_C.ENQUIRE_LINK_RESP, _C.CANCEL_BROADCAST_SM_RESP),
        ),
        _CONGESTION,
    ),
}
"""command_id to the tags that may stand in its body; an operation that is missing may carry none."""

REPEATABLE = frozenset(
    (
        *(_T.CALLBACK_NUM, _T.CALLBACK_NUM_ATAG, _T.CALLBACK_NUM_PRES_IND),
        *(_T.BROADCAST_AREA_IDENTIFIER, _T.BROADCAST_AREA_SUCCESS),
        *(_T.BROADCAST_ERROR_STATUS, _T.BROADCAST_CONTENT_TYPE_INFO),
    )
)
"""Parameters of which a body may hold several. Spec: SMPP 3.4 §5.3.2.36 to 38, SMPP 5.0 §4.4"""

VENDOR_TAGS = range(0x1400, 0x4000)
"""Free for the makers of message centres. Spec: SMPP 3.4 §5.3.1"""


def operations_carrying(tag: int) -> tuple[CommandId, ...]:
    """List the operations whose body may hold this parameter, by rising command_id."""
    return tuple(
        CommandId(command_id) for command_id, tags in sorted(TLVS_OF.items()) if tag in tags
    )
