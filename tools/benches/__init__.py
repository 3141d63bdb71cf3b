"""Measurements that anyone can repeat: what each bench of `whiteroute bench` measures, a module each.

A module's `measure(pace, say)` gives its figures one by one, as soon as it has them, and says what it
cannot measure. It is loaded when its figures are asked for.
"""

from collections.abc import Mapping
from types import MappingProxyType

BENCHES: Mapping[str, str] = MappingProxyType(
    {
        "codec": "PDUs to octets and back, beside other codecs that are installed.",
        "evidence": "What a receipt costs as evidence, and how soon it gives fakers away.",
        "idle": "Binds that do nothing but ask, now and then, whether the peer is there.",
        "ledger": "Messages and receipts that are remembered, beside messages that are not.",
        "submit": "Messages over links to a peer in another process, beside a bare blocking socket.",
    }
)
"""Each bench, with its line in `--help`; its module in this folder has the same name."""
