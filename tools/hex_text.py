"""Hex as people have it: from a log, a capture or a debugger, with whatever stands between the octets.

Only octets come out; what they mean is the codec's matter.
"""

import re

from .errors import CallError

_NOT_HEX = re.compile(r"b(?=['\"])|0[xX](?=[0-9A-Fa-f]{2})|\\x|[\s:,;._\-'\"\[\]{}()<>]")
"""What may stand between octets: marks of programming languages, blanks, separators, brackets."""
_DUMP_LINE = re.compile(r"\s*(?:0x)?([0-9A-Fa-f]{4,16})(?::\s*|\s+)(.*)")
_ASCII_COLUMN = re.compile(r"\s*\|.*|\s{3,}.*")


def read_octets(text: str) -> bytes:
    """Read hex, as one text or as a dump with offsets and a column of characters.

    Blanks, line ends, colons, commas, `0x`, quotes and brackets are passed over. A dump is what
    `hexdump -C`, `xxd` and Wireshark print; it is told by offsets that count what stands before them.

    Raises:
        CallError: A character that is no digit, or half an octet; it names line and column.
    """
    dumped = _read_dump(text)
    if dumped is not None:
        plain = _NOT_HEX.sub("", text)
        # `00000010 80000000 ...` is no dump, though its first word could be an offset.
        if int(plain[:8] or "0", 16) < 16 or not re.fullmatch("[0-9A-Fa-f]*", plain):
            return dumped
    return _read_plain(text)


def _read_dump(text: str) -> bytes | None:
    octets = b""
    lines = [line for line in text.splitlines() if line.strip()]
    for line in lines:
        found = _DUMP_LINE.fullmatch(line)
        if found is None:
            # `hexdump` ends with an offset alone.
            is_end = re.fullmatch(r"\s*[0-9A-Fa-f]{4,16}\s*", line) and line is lines[-1]
            if octets and is_end and int(line, 16) == len(octets):
                break
            return None
        columns = _ASCII_COLUMN.sub("", found[2])
        groups = columns.split("  ") if re.match(r"[0-9A-Fa-f]{4}", columns) else [columns]
        digits = re.sub(r"\s", "", groups[0])
        if int(found[1], 16) != len(octets) or not re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits):
            return None
        octets += bytes.fromhex(digits)
    return octets or None


def _read_plain(text: str) -> bytes:
    digits = []
    for number, line in enumerate(text.splitlines(), 1):
        kept = _NOT_HEX.sub(lambda found: " " * len(found[0]), line)
        strange = re.search(r"[^0-9A-Fa-f ]", kept)
        if strange is not None:
            where = f"line {number}, column {strange.start() + 1}"
            raise CallError(f"{where}: {strange[0]!r}, expected hexadecimal digits")
        digits.append(kept.replace(" ", ""))
    whole = "".join(digits)
    if not whole:
        raise CallError("hex: nothing, expected the octets of one PDU or more")
    if len(whole) % 2:
        raise CallError(f"hex: {len(whole)} digits, expected two for each octet")
    return bytes.fromhex(whole)
