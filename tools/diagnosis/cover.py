"""Keeps one password out of whatever is shown, also where a peer repeats it."""

import attrs

from whiteroute.pdu import masked

__all__ = ["Cover"]

LEAST_SEARCHED = 4
"""Characters from which on a password is looked for within texts; a shorter one would be found by
chance in every address and number, and is covered where it stands alone."""

COVERED = "(covered)"
_HEADER_OCTETS = 16


@attrs.frozen
class Cover:
    """What has to stay unseen."""

    password: str = attrs.field(repr=False)

    def text(self, text: str) -> str:
        """Give a text that a peer may have chosen, without the password."""
        password = self.password
        if len(password) < LEAST_SEARCHED:
            return COVERED if password and text.strip("\0 ") == password else text
        for form in {password, password.encode("utf-8", "replace").hex()}:
            text = text.replace(form, COVERED)
        return text

    def octets(self, octets: bytes) -> bytes:
        """Give octets that are no PDU, or part of one, with the password covered, as many as before."""
        password = self.password.encode("latin-1", "replace")
        if not password:
            return octets
        if len(password) < LEAST_SEARCHED:
            # As a field of its own: between NULs.
            return octets.replace(b"\0" + password + b"\0", b"\0" + b"x" * len(password) + b"\0")
        return octets.replace(password, b"x" * len(password))

    def pdu(self, octets: bytes) -> bytes:
        """Give a whole PDU with everything private covered, the password wherever it stands.

        A system_id that is the password, or holds it, is covered as well.
        """
        shown = masked(octets)
        header, body = shown[:_HEADER_OCTETS], shown[_HEADER_OCTETS:]
        # The first field has no NUL before it; the header's last octet need not be one.
        return header + self.octets(b"\0" + body)[1:]
