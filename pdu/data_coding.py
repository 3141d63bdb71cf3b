"""What a data_coding octet says: alphabet, message class, compression, indication.

Not what a carrier's data_coding 0 means: that is agreed, not told, and comes in as `default`.
"""

from typing import Final

import attrs

from .alphabet import Alphabet
from .errors import EncodeError

__all__ = ["DataCoding", "data_coding_for", "parse_data_coding"]

# Spec: SMPP 3.4 §5.2.19
_NUMBERED: Final = {
    1: Alphabet.ASCII,
    2: Alphabet.BINARY,
    3: Alphabet.LATIN1,
    4: Alphabet.BINARY,
    5: Alphabet.JIS,
    6: Alphabet.CYRILLIC,
    7: Alphabet.HEBREW,
    8: Alphabet.UCS2,
    9: Alphabet.BINARY,  # Pictograms, for which nobody publishes a table.
    10: Alphabet.MUSIC,
    13: Alphabet.EXTENDED_KANJI,
    14: Alphabet.KOREAN,
}
_NUMBER_OF: Final = {alphabet: number for number, alphabet in reversed(_NUMBERED.items())} | {
    Alphabet.BINARY: 4
}
_GROUP_ALPHABETS: Final = (Alphabet.GSM, Alphabet.BINARY, Alphabet.UCS2)
_CLASS_NUMBERS: Final = {Alphabet.GSM: 0xF0, Alphabet.BINARY: 0xF4, Alphabet.UCS2: 0x18}


@attrs.frozen(kw_only=True)
class DataCoding:
    """A data_coding octet taken apart; `value` stays the octet itself."""

    value: int
    alphabet: Alphabet
    message_class: int | None = None
    """0 flash, 1 handset, 2 SIM, 3 terminal equipment; None: not said."""
    compressed: bool = False
    """Compressed as in TS 23.042: the octets are no text in `alphabet` yet."""
    automatic_deletion: bool = False
    """The handset should delete the message once it is read."""
    indication: int | None = None
    """What is waiting: 0 voicemail, 1 fax, 2 e-mail, 3 other; None: no indication."""
    indication_active: bool = False
    """Whether the indication is to be switched on or off."""
    discard: bool = False
    """The handset may throw the text away and keep the indication."""
    reserved: bool = False
    """No specification defines this value; read with the default alphabet, as TS 23.038 §4 asks."""


def parse_data_coding(value: int, default: Alphabet = Alphabet.GSM) -> DataCoding:
    """Take a data_coding octet apart; every value has a meaning, if only a reserved one.

    0x00 to 0x0F are SMPP's own table. 0x10 to 0x7F are reserved in SMPP 3.4, but carriers pass them
    to and from the handset as TS 23.038 defines them (0x10 is the usual flash message). 0xC0 and
    above are the same in both.

    Args:
        value: 0 to 255.
        default: What this carrier means by data_coding 0.

    Spec: SMPP 3.4 §5.2.19, 3GPP TS 23.038 §4
    """
    if value == 0:
        return DataCoding(value=0, alphabet=default)
    if value < 0x10:
        known = _NUMBERED.get(value)
        return DataCoding(value=value, alphabet=known or default, reserved=known is None)
    if value < 0x80:
        return _parse_general(value, default)
    if value < 0xC0:
        return DataCoding(value=value, alphabet=default, reserved=True)
    if value < 0xF0:
        return DataCoding(
            value=value,
            alphabet=Alphabet.UCS2 if value >= 0xE0 else Alphabet.GSM,
            indication=value & 0x03,
            indication_active=bool(value & 0x08),
            discard=value < 0xD0,
        )
    return DataCoding(
        value=value,
        alphabet=Alphabet.BINARY if value & 0x04 else Alphabet.GSM,
        message_class=value & 0x03,
        reserved=bool(value & 0x08),
    )


def _parse_general(value: int, default: Alphabet) -> DataCoding:
    number = value >> 2 & 0x03
    return DataCoding(
        value=value,
        alphabet=_GROUP_ALPHABETS[number] if number < 3 else default,
        message_class=value & 0x03 if value & 0x10 else None,
        compressed=bool(value & 0x20),
        automatic_deletion=value >= 0x40,
        reserved=number == 3,
    )


def data_coding_for(
    alphabet: Alphabet, *, message_class: int | None = None, default: Alphabet = Alphabet.GSM
) -> int:
    """Give the data_coding octet that announces an alphabet.

    Args:
        alphabet: What the text is written in.
        message_class: 0 (flash) to 3; only GSM, binary and UCS2 messages can carry one.
        default: What this carrier means by data_coding 0.

    Raises:
        EncodeError: No octet says so: a class for another alphabet, or GSM towards a carrier whose
            data_coding 0 means something else.
    """
    if message_class is not None:
        if alphabet not in _CLASS_NUMBERS or not 0 <= message_class <= 3:
            raise EncodeError(
                path="data_coding",
                found=f"message class {message_class} with alphabet {alphabet}",
                expected="class 0 to 3 with gsm, binary or ucs2",
            )
        return _CLASS_NUMBERS[alphabet] | message_class
    if alphabet is default:
        return 0
    number = _NUMBER_OF.get(alphabet)
    if number is None:
        raise EncodeError(
            path="data_coding",
            found=f"alphabet {alphabet} for a carrier whose data_coding 0 means {default}",
            expected=f"{default} or an alphabet with a number",
        )
    return number
