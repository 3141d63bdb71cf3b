"""How one message's id is spelt in its response and in its receipts, which need not be alike."""

import attrs

from .behaviour import Behaviour


@attrs.frozen
class HexMessageId(Behaviour):
    """Responses and receipts have the id in hexadecimal, in capitals."""

    def message_id(self, message_id: str) -> str:
        return f"{int(message_id):X}"


@attrs.frozen
class HexMessageIdInReceipt(Behaviour):
    """The response has the id in decimal, the receipt the same number in hexadecimal."""

    def receipt_message_id(self, message_id: str) -> str:
        return f"{int(message_id):X}"


@attrs.frozen
class DecimalReceiptOfHexId(Behaviour):
    """The response has the id in hexadecimal, the receipt the same number in decimal."""

    def message_id(self, message_id: str) -> str:
        return f"{int(message_id):X}"

    def receipt_message_id(self, message_id: str) -> str:
        return str(int(message_id, 16))


@attrs.frozen
class LowerCaseIdInReceipt(Behaviour):
    """The receipt has the response's id, but in small letters; needs `HexMessageId` to show."""

    def receipt_message_id(self, message_id: str) -> str:
        return message_id.lower()


@attrs.frozen
class ZeroPaddedIdInReceipt(Behaviour):
    """The receipt has the response's id with zeros ahead of it."""

    width: int = 20
    """Characters in all."""

    def receipt_message_id(self, message_id: str) -> str:
        return message_id.rjust(self.width, "0")


@attrs.frozen
class WrongReceiptId(Behaviour):
    """The receipt names an id that no response ever gave: it belongs to no message."""

    def receipt_message_id(self, message_id: str) -> str:
        return f"9{message_id[::-1]}9"


@attrs.frozen
class NoMessageId(Behaviour):
    """Messages are accepted with an empty message_id; receipts come, and name nothing that was told."""

    def message_id(self, message_id: str) -> str:
        return ""

    def receipt_message_id(self, message_id: str) -> str:
        return message_id or "0"


@attrs.frozen
class ReusedMessageId(Behaviour):
    """Two messages in a row get one message_id, as from a counter that two front ends share."""

    def message_id(self, message_id: str) -> str:
        return str(int(message_id) // 2 * 2)
