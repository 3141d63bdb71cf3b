"""The user data header: its elements by name, unknown ones kept, octets never changed.

Not the cutting of texts (`segments`) and not the waiting for missing parts: here one PDU is looked
at. What a peer put into its header is data, and a header that makes no sense is a finding.
"""

from collections.abc import Callable
from typing import Protocol

import attrs

from .errors import EncodeError
from .tlv import Tlvs, TlvTag
from .values import EsmClass

__all__ = [
    "ApplicationPorts",
    "CarriesText",
    "Concatenation",
    "NationalLocking",
    "NationalSingle",
    "UdhElement",
    "UnknownElement",
    "UserDataHeader",
    "find_concatenation",
    "make_udh",
    "parse_udh",
    "split_udh",
    "user_data",
]


class CarriesText(Protocol):
    """What submit_sm, deliver_sm and data_sm have in common, and a part of ours too."""

    @property
    def esm_class(self) -> int: ...

    @property
    def data_coding(self) -> int: ...

    @property
    def tlvs(self) -> Tlvs: ...


@attrs.frozen(kw_only=True)
class Concatenation:
    """One part among others: IEI 0x00 (8-bit reference) or 0x08 (16-bit).

    Spec: 3GPP TS 23.040 §9.2.3.24.1 and §9.2.3.24.8
    """

    reference: int
    """0 to 255, or to 65535 when `wide`; the same for all parts of a text."""
    total: int
    """1 to 255."""
    sequence: int
    """1 to `total`."""
    wide: bool = False
    """Whether the reference takes two octets; it tells texts apart as much as the number does."""

    @property
    def is_sound(self) -> bool:
        """Whether the numbers can be meant; TS 23.040 asks to ignore the element if not."""
        return 1 <= self.sequence <= self.total

    @property
    def octets(self) -> bytes:
        width = 2 if self.wide else 1
        try:
            body = self.reference.to_bytes(width, "big") + bytes((self.total, self.sequence))
        except (OverflowError, ValueError):
            raise EncodeError(
                path="udh.concatenation",
                found=f"reference {self.reference}, part {self.sequence} of {self.total}",
                expected=f"a reference of {width} octets and parts up to 255",
            ) from None
        return bytes((8 if self.wide else 0, len(body))) + body


@attrs.frozen(kw_only=True)
class ApplicationPorts:
    """Ports for an application in the handset: IEI 0x04 (8-bit) or 0x05 (16-bit).

    Spec: 3GPP TS 23.040 §9.2.3.24.3 and §9.2.3.24.4
    """

    destination: int
    source: int
    wide: bool = True

    @property
    def octets(self) -> bytes:
        width = 2 if self.wide else 1
        try:
            body = self.destination.to_bytes(width, "big") + self.source.to_bytes(width, "big")
        except OverflowError:
            raise EncodeError(
                path="udh.ports",
                found=f"{self.destination}, {self.source}",
                expected=f"ports of {width} octets",
            ) from None
        return bytes((5 if self.wide else 4, len(body))) + body


@attrs.frozen
class NationalSingle:
    """The single shift table in use: IEI 0x24. Spec: 3GPP TS 23.040 §9.2.3.24.15"""

    language: int

    @property
    def octets(self) -> bytes:
        return bytes((0x24, 1, self.language))


@attrs.frozen
class NationalLocking:
    """The locking shift table in use: IEI 0x25. Spec: 3GPP TS 23.040 §9.2.3.24.16"""

    language: int

    @property
    def octets(self) -> bytes:
        return bytes((0x25, 1, self.language))


@attrs.frozen
class UnknownElement:
    """An element kept as it came: not known here, or not of the length its kind has."""

    identifier: int
    value: bytes = b""

    @property
    def octets(self) -> bytes:
        return bytes((self.identifier, len(self.value))) + self.value


UdhElement = Concatenation | ApplicationPorts | NationalSingle | NationalLocking | UnknownElement


def _concatenation(value: bytes) -> UdhElement:
    return Concatenation(
        reference=int.from_bytes(value[:-2], "big"),
        total=value[-2],
        sequence=value[-1],
        wide=len(value) == 4,
    )


def _ports(value: bytes) -> UdhElement:
    half = len(value) // 2
    return ApplicationPorts(
        destination=int.from_bytes(value[:half], "big"),
        source=int.from_bytes(value[half:], "big"),
        wide=half == 2,
    )


_KNOWN: dict[tuple[int, int], Callable[[bytes], UdhElement]] = {
    (0x00, 3): _concatenation,
    (0x08, 4): _concatenation,
    (0x04, 2): _ports,
    (0x05, 4): _ports,
    (0x24, 1): lambda value: NationalSingle(value[0]),
    (0x25, 1): lambda value: NationalLocking(value[0]),
}


@attrs.frozen(kw_only=True)
class UserDataHeader:
    """A header as it stands ahead of a text, its length octet included."""

    octets: bytes = b""
    """Exactly as on the wire; empty: there is no header."""
    elements: tuple[UdhElement, ...] = attrs.field(default=(), eq=False)
    """All whole elements, in order."""
    finding: str | None = attrs.field(default=None, eq=False)
    """What is wrong with the header, for people; None for a sound one."""

    @property
    def concatenation(self) -> Concatenation | None:
        """The last sound one, because TS 23.040 §9.2.3.24 lets the last of equals win."""
        for element in reversed(self.elements):
            if isinstance(element, Concatenation) and element.is_sound:
                return element
        return None

    @property
    def ports(self) -> ApplicationPorts | None:
        """The last one."""
        for element in reversed(self.elements):
            if isinstance(element, ApplicationPorts):
                return element
        return None

    @property
    def single_shift(self) -> int:
        """Language of the last single shift element, 0 without one."""
        return next((e.language for e in self.elements[::-1] if isinstance(e, NationalSingle)), 0)

    @property
    def locking_shift(self) -> int:
        """Language of the last locking shift element, 0 without one."""
        return next((e.language for e in self.elements[::-1] if isinstance(e, NationalLocking)), 0)


_NO_HEADER = UserDataHeader()


def make_udh(*elements: UdhElement) -> UserDataHeader:
    """Write a header of these elements, in this order; none at all gives no header.

    Raises:
        EncodeError: A number does not fit its field, or the header exceeds 255 octets.
    """
    if not elements:
        return _NO_HEADER
    body = b"".join(element.octets for element in elements)
    if len(body) > 255:
        raise EncodeError(path="udh", found=f"{len(body)} octets", expected="at most 255 octets")
    return UserDataHeader(octets=bytes((len(body),)) + body, elements=elements)


def parse_udh(octets: bytes) -> UserDataHeader:
    """Read a header that is just these octets, its length octet first; never fails."""
    return split_udh(octets)[0]


def split_udh(short_message: bytes) -> tuple[UserDataHeader, bytes]:
    """Take the header off a short message whose esm_class has the UDHI bit; never fails.

    Returns:
        Header and text octets; put together they are `short_message` again. A header that promises
        more octets than there are takes them all, and says so in `finding`.
    """
    if not short_message:
        return UserDataHeader(finding="a header is announced, there are no octets"), b""
    end = short_message[0] + 1
    header, payload = short_message[:end], short_message[end:]
    elements: list[UdhElement] = []
    finding = None
    at = 1
    while at < len(header):
        value_at = at + 2
        value_end = value_at + header[at + 1] if value_at <= len(header) else value_at
        if value_end > len(header):
            finding = f"octet {at}: an element of the header is cut short"
            break
        value = header[value_at:value_end]
        known = _KNOWN.get((header[at], len(value)))
        elements.append(UnknownElement(header[at], value) if known is None else known(value))
        at = value_end
    if end > len(short_message):
        finding = f"{end - 1} octets of header are announced, {len(short_message) - 1} are left"
    elif finding is None:
        finding = _find_unsound(elements)
    return UserDataHeader(octets=header, elements=tuple(elements), finding=finding), payload


def _find_unsound(elements: list[UdhElement]) -> str | None:
    for element in elements:
        if isinstance(element, Concatenation) and not element.is_sound:
            return f"part {element.sequence} of {element.total} cannot be"
    return None


def user_data(pdu: CarriesText) -> bytes:
    """Give the octets of the text, header included: short_message, or else message_payload.

    data_sm has no short_message at all; of the others the specification lets only one be filled,
    and where a peer fills both, short_message is taken.
    """
    short_message: bytes = getattr(pdu, "short_message", b"")
    return short_message or pdu.tlvs.first(TlvTag.MESSAGE_PAYLOAD) or b""


def find_concatenation(pdu: CarriesText) -> Concatenation | None:
    """Say which part of which text a PDU is, whether the header or the SAR TLVs tell it.

    Returns:
        None for a text of one PDU, and for numbers that cannot be meant. Together with both
        addresses, `reference`, `total` and `wide` are the key under which parts belong together;
        the SAR reference has 16 bits and counts as wide.

    Spec: SMPP 3.4 §5.3.2.22 to §5.3.2.24
    """
    if pdu.esm_class & EsmClass.UDHI:
        told = split_udh(user_data(pdu))[0].concatenation
        if told is not None:
            return told
    if not pdu.tlvs.octets:
        return None
    numbers = [
        pdu.tlvs.first(tag)
        for tag in (
            TlvTag.SAR_MSG_REF_NUM,
            TlvTag.SAR_TOTAL_SEGMENTS,
            TlvTag.SAR_SEGMENT_SEQNUM,
        )
    ]
    reference, total, sequence = (None if n is None else int.from_bytes(n, "big") for n in numbers)
    if reference is None or total is None or sequence is None:
        return None
    told = Concatenation(reference=reference, total=total, sequence=sequence, wide=True)
    return told if told.is_sound else None
