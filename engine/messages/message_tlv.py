"""An optional parameter that a carrier wants with each message, such as a regulator's template id.

Only what it holds and how that is written; which carrier wants which stands in its profile.
"""

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from whiteroute.pdu import EncodeError, Tlv

__all__ = ["MessageTlv"]

TlvType = Literal["text", "c_text", "hex", "uint8", "uint16", "uint32"]

_WIDTHS: Final[Mapping[str, int]] = {"uint8": 1, "uint16": 2, "uint32": 4}
_EXPECTED: Final[Mapping[str, str]] = {
    "text": "characters of Latin-1",
    "c_text": "characters of Latin-1 without NUL",
    "hex": "octets in hexadecimal",
    "uint8": "0 to 255",
    "uint16": "0 to 65535",
    "uint32": "0 to 4294967295",
}
LONGEST_VALUE: Final = 65_535


@attrs.frozen(kw_only=True)
class MessageTlv:
    """One parameter of every submit_sm to a carrier.

    Raises:
        ValueError: `value` is none of its type, or there is neither a `value` nor a `from_tag`.
    """

    tag: int
    """Its number, e.g. 0x1400. Carriers that miss one answer ESME_RMISSINGTLV."""
    type: TlvType = "text"
    """How the value is written: `text` as it stands, `c_text` with a NUL at its end, `hex` for octets
    given in hexadecimal, `uint8`, `uint16` and `uint32` for decimal numbers."""
    value: str = ""
    """What it holds for a message that says nothing else; empty: then it is left out."""
    from_tag: str = ""
    """The message's own tag whose value is taken instead, e.g. `template_id`: where each text has
    its own. Empty: the message has no say."""
    required: bool = False
    """Whether a message without a value is refused here (PROTOCOL_ERROR) rather than by the carrier, which
    may take it and throw it away."""

    def __attrs_post_init__(self) -> None:
        if not self.value and not self.from_tag:
            raise ValueError("value: nothing, expected one, or from_tag")
        if self.value and _octets(self.type, self.value) is None:
            raise ValueError(f"value: {self.value!r}, expected {_EXPECTED[self.type]}")

    def write(self, tags: Mapping[str, str]) -> Tlv | None:
        """Write it for one message.

        Args:
            tags: The message's.

        Returns:
            None when nobody gives a value and none is required.

        Raises:
            EncodeError: A value is required and there is none, or it is none of the type.
        """
        value = (tags.get(self.from_tag, "") if self.from_tag else "") or self.value
        octets = _octets(self.type, value) if value else b""
        if octets is None or (self.required and not value):
            wanted = _EXPECTED[self.type]
            raise EncodeError(
                path=f"tlv[{self.tag:#06x}]",
                found=repr(value) if value else "nothing",
                expected=f"{wanted} in the tag {self.from_tag}" if self.from_tag else wanted,
            )
        return Tlv(self.tag, octets) if value else None


def _octets(kind: TlvType, value: str) -> bytes | None:
    """Write a value; None for one that is none of its type."""
    width = _WIDTHS.get(kind)
    try:
        if width is not None:
            digits = value.isascii() and value.isdigit() and len(value) <= 10
            return int(value).to_bytes(width, "big") if digits else None
        octets = bytes.fromhex(value) if kind == "hex" else value.encode("latin-1")
    except (ValueError, OverflowError):  # ValueError: also what cannot be written in Latin-1
        return None
    if kind == "c_text":
        if b"\0" in octets:
            return None
        octets += b"\0"
    return octets if len(octets) <= LONGEST_VALUE else None
