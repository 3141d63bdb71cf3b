"""What the tests of the configuration share: one valid file, and what is wrong with others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from whiteroute.engine.config import ConfigError, parse_config

VALID = """\
[engine]
ledger = "ledger.db"

[carriers.acme]
profile = "ours"
hosts = ["127.0.0.1:2775", "[2001:db8::7]:2776"]
system_id = "gateway"
password_env = "ACME_PASSWORD"
bind = "tx+rx"
binds = 2
window = 20
tps = 100

[numbering]
34600 = "214-07"
"34601" = "214-01"

[operators]
214-19 = "214-07"

[routes.acme-es]
carrier = "acme"
networks = ["214-07"]
traffic_classes = ["otp", "transactional", "marketing"]
interconnect = { kind = "DIRECT_MNO", hops = 0 }
sender = { kinds = ["ALPHA", "LONG"], preserved = true, registered = ["ACME"] }
price = { amount = "0.030", currency = "EUR", floor = "0.020" }
peer = { pinned_hosts = ["127.0.0.1", "2001:db8::7"] }
share = 2

[routes.acme-es.agreement]
id = "A-1"
kind = "BILATERAL_A2P"
counterparty = "214-07"
valid_from = "2026-01-01"
valid_to = 2027-12-31
attested_by = "ops@example.com"
attested_at = 2026-11-01

[policy]
max_attestation_age_days = 90
price_tolerance = "0.05"
min_confidence = "MEDIUM"
on_unresolved = { otp = "USE_STALE" }
latency_targets = { otp = 5 }
blocked_routes = ["acme-es"]

[profiles.ours]
extends = "hex-resp-dec-receipt"
session = { response_timeout = 30 }
bind = { interface_version = 0x50 }
addresses = { alpha = { ton = 5, npi = 1 } }
text = { languages = ["TURKISH", "SPANISH"] }
receipt = { zone = "Europe/Madrid", stat_map = { "OK" = "DELIVERED" } }
reporting_parts = "last"

[profiles.ours.errors]
err_space = "map"
err_table = { "21b" = "SENDER_REJECTED" }
status_overrides = { 0x40B = "NO_CREDIT", 1036 = "THROTTLED" }
rules = [{ canonical = "BARRED", err = "7", network_error_code = "030015" }]
"""

ENVIRONMENT = {"ACME_PASSWORD": "secret"}


@pytest.fixture(scope="session")
def valid() -> str:
    """A file that uses every kind of value."""
    return VALID


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment that the valid file wants."""
    return ENVIRONMENT


@pytest.fixture
def faults(tmp_path: Path) -> Callable[[str], list[str]]:
    """What is wrong with a text, line by line."""

    def faults_of(text: str) -> list[str]:
        try:
            parse_config(text, file="f.toml", environ=ENVIRONMENT, folder=tmp_path)
        except ConfigError as error:
            return str(error).splitlines()
        return []

    return faults_of
