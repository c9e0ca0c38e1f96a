"""The registry's settings: what may stand in settings.toml."""

import tomllib

import pytest

from swaddle.registry.settings import Settings, read
from swaddle.settings import SettingWrong, as_toml


def test_what_is_written_is_what_is_read():
    settings = Settings(gateway_url="https://gate.example:8443", gateway_pin="abc=", passphrase_file='/a "b"\\c')
    assert read(tomllib.loads(as_toml(settings)), {}) == settings


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "`gateway_url` is missing"),
        ({"gateway_url": "http://gate.example"}, "must begin with https://"),
        ({"gateway_url": "https://gate.example", "verify": False}, "`verify` is not a setting"),
        ({"gateway_url": "https://gate.example", "pull_interval_s": "10"}, "must be a whole number"),
        ({"gateway_url": "https://gate.example", "pull_interval_s": True}, "must be a whole number"),
        ({"gateway_url": "https://gate.example", "pull_interval_s": 0}, "at least 1"),
        ({"gateway_url": "https://gate.example", "report_threshold": 2}, "at least 3"),
        ({"gateway_url": "https://gate.example", "report_zeros": "perhaps"}, "show or hide"),
        ({"gateway_url": "https://gate.example", "report_rounding": 0}, "at least 1"),
    ],
)
def test_an_unsafe_or_unknown_setting_refuses_to_start(values, reason):
    with pytest.raises(SettingWrong, match="cannot be used") as refused:
        read(values, {})
    assert reason in refused.value.text()


def test_a_path_with_a_newline_cannot_smuggle_in_a_setting():
    with pytest.raises(SettingWrong):
        as_toml(Settings(gateway_url="https://gate.example", passphrase_file='x"\nreport_threshold = 2'))


def test_the_environment_overrides_but_not_whom_to_trust():
    environment = {"SWADDLE_REGISTRY_PULL_INTERVAL_S": "3", "SWADDLE_REGISTRY_GATEWAY_PIN": "other="}
    settings = read({"gateway_url": "https://gate.example", "gateway_pin": "pin="}, environment)
    assert (settings.pull_interval_s, settings.gateway_pin) == (3, "pin=")
