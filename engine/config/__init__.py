"""The engine's configuration: one TOML in, frozen objects out, and every fault of it told at once."""

from .config import Config, load_config, load_own_profiles, parse_config
from .errors import ConfigError, ConfigProblem, did_you_mean
from .profiles import load_profiles
from .reading import Reading
from .settings import Plain, Setting, origin_of, settings_of
from .writing import profile_as_toml, toml_value

__all__ = [
    "Config",
    "ConfigError",
    "ConfigProblem",
    "Plain",
    "Reading",
    "Setting",
    "did_you_mean",
    "load_config",
    "load_own_profiles",
    "load_profiles",
    "origin_of",
    "parse_config",
    "profile_as_toml",
    "settings_of",
    "toml_value",
]
