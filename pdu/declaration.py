"""How an operation is declared: one class, one line per field in wire order, and nothing twice.

The decorator turns the declaration into an attrs class with slots and enters it in `OPERATIONS`; the
octets are the codec's matter.

PDU classes are mutable and have no attrs validators: construction and decoding are the hot path, and
frozen instances cost five times, validators twenty-eight times a plain construction. Treat them as
values all the same; the session stamps `sequence_number` once, before it sends, and that is the only
change a PDU sees. What does not fit is refused by `encode`.
"""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

import attrs

from .command_id import RESPONSE_BIT, command_name
from .findings import PduFinding, find
from .tlv import NO_TLVS, Tlvs
from .values import WireForm
from .wire import COctetString, DestAddresses, Integer, ShortMessage, UnsuccessSmes, WireType

SECRET_FIELDS = frozenset(("password", "short_message", "body"))
"""Never shown by `repr`: passwords and message texts do not belong in a log."""

_WIRE_TYPES = (Integer, COctetString, ShortMessage, DestAddresses, UnsuccessSmes)

_HEADER = ("tlvs", "command_status", "sequence_number", "wire_form")

_Pdu = TypeVar("_Pdu")


@dataclass_transform(kw_only_default=True)
def _slotted(cls: type[_Pdu]) -> type[_Pdu]:
    return attrs.define(
        slots=True,
        weakref_slot=False,
        kw_only=True,
        repr=False,
        field_transformer=_header_last,
    )(cls)


def _header_last(
    _cls: type, attributes: "list[attrs.Attribute[Any]]"
) -> "list[attrs.Attribute[Any]]":
    # Inherited attributes come first otherwise; in the specification's pictures the header is apart
    # from the body, and in a repr the body is what one looks for.
    return sorted(attributes, key=lambda attribute: attribute.name in _HEADER)


@_slotted
class Pdu:
    """What every PDU has: its header, its optional parameters, and how it stood on the wire.

    Spec: SMPP 3.4 §3.2
    """

    command_id: ClassVar[int]
    """The operation. Spec: SMPP 3.4 §5.1.2"""
    name: ClassVar[str]
    """The operation as the specification spells it, e.g. `submit_sm`."""
    spec: ClassVar[str]
    """Where the operation is specified, e.g. `SMPP 3.4 §4.4.1`."""
    fields: ClassVar[tuple[tuple[str, WireType], ...]] = ()
    """The mandatory part of the body, in wire order."""

    tlvs: Tlvs = NO_TLVS
    """The optional part of the body, in the order it came, known or not."""
    command_status: int = 0
    """0 in requests; the result in responses, any 32-bit value."""
    sequence_number: int = 0
    """1 to 0x7FFFFFFF once sent; 0 until the session stamps it."""
    wire_form: int = WireForm.USUAL
    """Bits of `WireForm`."""

    @property
    def findings(self) -> tuple[PduFinding, ...]:
        """What the specification does not allow in this PDU; worked out each time it is asked."""
        return find(self)

    def __repr__(self) -> str:
        """Show what differs from the defaults; passwords and texts only by their length."""
        shown = [
            f"{attribute.name}={_shown(attribute.name, value)}"
            for attribute in attrs.fields(cast("type[attrs.AttrsInstance]", type(self)))
            if (value := getattr(self, attribute.name)) != attribute.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


_Operation = TypeVar("_Operation", bound=Pdu)

OPERATIONS: dict[int, type[Pdu]] = {}
"""Every declared operation by its command_id."""


@dataclass_transform(kw_only_default=True)
def operation(command_id: int, spec: str) -> Callable[[type[_Operation]], type[_Operation]]:
    """Declare the class below as the operation `command_id`.

    Its annotations, `name: Annotated[type, wire type]`, are the mandatory fields in wire order.

    Args:
        command_id: The operation's value in the header.
        spec: Where the specification describes it.

    Returns:
        A decorator which makes an attrs class with slots and enters it in `OPERATIONS`.
    """

    def declare(cls: type[_Operation]) -> type[_Operation]:
        fields = tuple(
            (name, wire_type)
            for name, annotation in cls.__annotations__.items()
            for wire_type in getattr(annotation, "__metadata__", ())
            if isinstance(wire_type, _WIRE_TYPES)
        )
        cls.command_id, cls.spec, cls.fields = command_id, spec, fields
        cls.name = command_name(command_id)
        declared = _slotted(cls)
        OPERATIONS[command_id] = declared
        return declared

    return declare


@_slotted
class UnknownPdu(Pdu):
    """A frame whose command_id no specification names: a value, to be nacked, never the end of a link.

    `encode` gives back the frame as it came.
    """

    command_id: ClassVar[int] = 0
    """No operation has this value; the one received is `unknown_command_id`."""
    name: ClassVar[str] = "unknown"
    spec: ClassVar[str] = "SMPP 3.4 §3.3"

    unknown_command_id: int
    """The command_id as it came."""
    body: bytes = b""
    """Everything behind the header."""


def is_response(pdu: Pdu) -> bool:
    """Tell whether a PDU answers another (generic_nack included)."""
    return bool(command_id_of(pdu) & RESPONSE_BIT)


def command_id_of(pdu: Pdu) -> int:
    """Give the command_id a PDU has on the wire, that of an `UnknownPdu` included."""
    return pdu.unknown_command_id if isinstance(pdu, UnknownPdu) else pdu.command_id


def _shown(name: str, value: object) -> str:
    if name in SECRET_FIELDS and isinstance(value, str | bytes):
        return f"<{len(value)} octets>"
    return repr(value)
