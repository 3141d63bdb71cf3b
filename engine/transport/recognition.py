"""Which protocol some first octets are, as far as carriers' ports and the boxes before them speak any."""

__all__ = ["recognise"]

TLS_RECORDS = {0x14: "change_cipher_spec", 0x15: "an alert", 0x16: "a handshake", 0x17: "data"}

OPENINGS = {
    b"HTTP/": "HTTP",
    b"GET ": "HTTP",
    b"POST ": "HTTP",
    b"SSH-": "SSH",
    b"220 ": "SMTP or FTP",
    b"PROXY ": "the PROXY protocol",
    b"\r\n\r\n\0\r\nQUIT": "the PROXY protocol",
}


def recognise(octets: bytes) -> str:
    """Say what the first octets that came from somebody are: `TLS (an alert)`; empty if not known.

    SMPP is known by a header whose length and command_id can be ones.
    """
    if len(octets) >= 3 and octets[0] in TLS_RECORDS and octets[1] == 3 and octets[2] <= 4:
        return f"TLS ({TLS_RECORDS[octets[0]]})"
    for opening, protocol in OPENINGS.items():
        if octets.startswith(opening):
            return protocol
    # A PDU of under 64 KiB, a command_id that is a request, a response or generic_nack.
    if len(octets) >= 8 and octets[:2] == b"\0\0" and octets[4] in (0, 0x80) and not octets[5]:
        return "SMPP in clear"
    return ""
