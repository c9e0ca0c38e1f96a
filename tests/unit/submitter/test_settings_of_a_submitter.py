"""Settings: TOML in the home, then the environment; what is unknown or out of bounds refuses to start."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from swaddle.settings import SettingWrong, as_toml
from swaddle.submitter.settings import FROM_ENVIRONMENT, Settings, read

GIVEN = {"gateway_url": "https://gateway.example", "root": "SHA256:" + "A" * 43}


def test_what_enrolment_writes_is_what_is_read():
    settings = Settings(**GIVEN, gateway_pin="p=", passphrase_file='C:\\Users\\é "x"\\secret', part_bytes=65_536)
    assert read(tomllib.loads(as_toml(settings)), {}) == settings


def test_the_environment_overrides_but_not_whom_to_trust():
    environment = {"SWADDLE_PART_BYTES": "131072", "SWADDLE_ROOT": "SHA256:other", "SWADDLE_GATEWAY_PIN": "other"}
    settings = read(GIVEN, environment)
    assert settings.part_bytes == 131_072
    assert (settings.root, settings.gateway_pin) == (GIVEN["root"], "")


@pytest.mark.parametrize(
    "bent",
    [
        {"colour": "red"},
        {"part_bytes": 65_537},
        {"part_bytes": -65_536},
        {"part_bytes": 2**30 + 65_536},
        {"part_bytes": "65536"},
        {"part_bytes": True},
        {"timeout_s": 0},
        {"gateway_url": "http://gateway.example"},
        {"root": 1},
    ],
)
def test_an_unusable_setting_is_refused(bent):
    with pytest.raises(SettingWrong) as caught:
        read(GIVEN | bent, {})
    assert caught.value.exit_status == 3


@pytest.mark.parametrize("missing", ["gateway_url", "root"])
def test_a_home_without_an_enrolments_settings_is_refused(missing):
    with pytest.raises(SettingWrong):
        read({name: value for name, value in GIVEN.items() if name != missing}, {})


def test_a_control_character_never_gets_into_the_file():
    with pytest.raises(SettingWrong):
        as_toml(Settings(**GIVEN, passphrase_file="a\nroot = 'other'"))


def test_every_setting_is_documented(root):
    text = Path(root, "docs", "settings-submitter.md").read_text("utf-8")
    for field in fields(Settings):
        assert f"`{field.name}`" in text
    for name in FROM_ENVIRONMENT:
        assert f"`SWADDLE_{name.upper()}`" in text
