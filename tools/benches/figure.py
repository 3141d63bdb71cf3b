"""One measured figure, and what must be known with it: beside what, how often, on which versions."""

import platform
import sysconfig
from collections.abc import Mapping
from importlib.metadata import version

import attrs


@attrs.frozen(kw_only=True)
class Pace:
    """How long to measure."""

    rounds: int = 15
    """How often each subject is measured, in turn with the others; figures are medians."""
    lap: float = 0.01
    """About how many CPU seconds one subject takes in one round."""


@attrs.frozen(kw_only=True)
class Figure:
    """What one subject needs or does in one case, the median of its rounds."""

    bench: str
    case: str
    subject: str
    """Whose figure it is: `whiteroute`, another package, or a way of doing it that is compared."""
    value: float
    unit: str
    cpu_s_per_100k: float | None = None
    """CPU seconds for 100,000 of what is counted; None where no time is measured."""
    reference: str | None = None
    """The subject that this one stands beside, measured in the same rounds."""
    ratio: float | None = None
    """This value divided by the reference's: unlike values, it may be compared between machines."""
    runs: int
    """How many rounds the median is of."""
    versions: Mapping[str, str]
    """What ran: the interpreter, whiteroute, and the subject where it is another package."""

    def to_dict(self) -> dict[str, object]:
        """Give the figure as `bench --json` prints it."""
        record = attrs.asdict(self)
        for name, digits in (("value", 2), ("cpu_s_per_100k", 6), ("ratio", 4)):
            if record[name] is not None:
                record[name] = round(record[name], digits)
        return record


def versions(**others: str) -> dict[str, str]:
    """Name the interpreter and whiteroute, and what else is given."""
    # Measured: a build without profile-guided optimisation runs the codec 20 to 25 % slower.
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    guided = "" if "--enable-optimizations" in options else ", not built with PGO"
    python = f"{platform.python_implementation()} {platform.python_version()}{guided}"
    return {"python": python, "whiteroute": version("whiteroute")} | others
