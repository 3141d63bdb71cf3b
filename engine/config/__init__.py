"""The engine's configuration: one TOML in, frozen objects out, and every fault of it told at once."""

from .config import Config, load_config, parse_config
from .errors import ConfigError, ConfigProblem
from .profiles import load_profiles

__all__ = [
    "Config",
    "ConfigError",
    "ConfigProblem",
    "load_config",
    "load_profiles",
    "parse_config",
]
