"""`[engine.privacy]` and `[engine] retention`, and what is wrong with some."""

from pathlib import Path

import pytest

from whiteroute.engine.config import ConfigError, parse_config
from whiteroute.engine.messages import KEEP_ALL, Privacy

CARRIER = '[carriers.acme]\nhosts = ["127.0.0.1:2775"]\nsystem_id = "gateway"\n'
KEY = "nobody guesses this key"


def privacy(text: str, folder: Path = Path()) -> Privacy:
    config = parse_config(
        f"{CARRIER}[engine.privacy]\n{text}",
        environ={"LEDGER_KEY": KEY, "SHORT": "short"},
        folder=folder,
    )
    return config.privacy


def test_everything_is_kept_for_ever_unless_told_otherwise() -> None:
    config = parse_config(CARRIER)

    assert KEEP_ALL == config.privacy
    assert None is config.retention
    assert Privacy() == privacy("")


def test_texts_are_dropped_without_a_key() -> None:
    assert Privacy(texts="drop") == privacy('texts = "drop"')


def test_the_key_comes_from_the_environment_or_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n", "utf-8")
    wanted = Privacy(numbers="hashed", key=KEY.encode())

    assert wanted == privacy('numbers = "hashed"\nkey_env = "LEDGER_KEY"')
    assert wanted == privacy('numbers = "hashed"\nkey_file = "key"', tmp_path)


def test_a_retention_is_days() -> None:
    assert 400 * 86_400.0 == parse_config(f'{CARRIER}[engine]\nretention = "400d"').retention


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('numbers = "hash"', 'engine.privacy.numbers: "hash", expected one of plain, hashed'),
        ('texts = "none"', 'engine.privacy.texts: "none", expected one of keep, drop'),
        ('numbers = "hashed"', "engine.privacy.numbers: hashed without a key, expected key_env"),
        ('key = "x"', "engine.privacy.key: unknown key"),
        (
            'numbers = "hashed"\nkey_env = "LEDGER_KEY"\nkey_file = "key"',
            "engine.privacy.key_file: beside key_env, expected one of the two",
        ),
        (
            'numbers = "hashed"\nkey_env = "NOWHERE"',
            "engine.privacy.key_env: NOWHERE is not set, expected 16 to 64 octets",
        ),
        (
            'numbers = "hashed"\nkey_env = "nobody guesses this key"',
            "engine.privacy.key_env: a variable not set, expected",
        ),
        (
            'numbers = "hashed"\nkey_env = "SHORT"',
            "engine.privacy.key_env: a key of 5 octets, expected 16 to 64",
        ),
        ('numbers = "hashed"\nkey_env = 1', "engine.privacy.key_env: 1, expected a text"),
        (
            'numbers = "hashed"\nkey_file = "none"',
            "engine.privacy.key_file: 'none' cannot be read, expected 16 to 64 octets",
        ),
        (
            'key_env = "LEDGER_KEY"',
            'engine.privacy.numbers: a key for plain numbers, expected "hashed"',
        ),
    ],
)
def test_what_is_wrong_is_told_and_no_key_is_shown(text: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        privacy(text, tmp_path)

    assert fault in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("value", ['"400"', '"0d"', "400", '"d"', '"1h"'])
def test_a_retention_that_is_none_is_told(value: str) -> None:
    with pytest.raises(ConfigError, match=r'engine\.retention: .*expected days, such as "400d"'):
        parse_config(f"{CARRIER}[engine]\nretention = {value}")


def test_privacy_has_to_be_a_table() -> None:
    with pytest.raises(ConfigError, match=r"engine\.privacy: 1, expected a table"):
        parse_config(f"{CARRIER}[engine]\nprivacy = 1")
