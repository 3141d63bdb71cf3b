"""Measurements that anyone can repeat: what each bench of `whiteroute bench` measures, a module each.

A module's `measure(pace, say)` gives its figures one by one, as soon as it has them, and says what it
cannot measure. It is loaded when its figures are asked for.
"""

from collections.abc import Mapping
from types import MappingProxyType

BENCHES: Mapping[str, str] = MappingProxyType(
    {
        "codec": "PDUs to octets and back, beside other codecs that are installed.",
    }
)
"""Each bench, with its line in `--help`; its module in this folder has the same name."""
