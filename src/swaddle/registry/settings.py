"""The registry's settings: one frozen object, read once at start; docs/settings-registry.md lists each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from swaddle.errors import SettingsFault

GIB = 1024**3


class SettingWrong(SettingsFault):
    """A setting is missing, unknown, of the wrong type or unsafe."""

    code = "SWD-REG-01"
    what = "a setting of the registry is not usable"
    fix = "correct it in settings.toml; docs/settings-registry.md lists every setting"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the registry's settings.toml says.

    Attributes:
        gateway_url: where the gateway answers, `https://…`.
        gateway_pin: base64 SHA-256 of its TLS public key; empty when a public CA vouches for it.
        passphrase_file: a file only its owner can read; empty when the passphrase comes another way.
        pull_interval_s: seconds between two looks at the gateway by `registry run`.
        opened_limit_bytes: the largest data set that is opened in memory; a larger one is refused, and says so.
        report_threshold: counts about others from 1 up to one below this are hidden.
    """

    gateway_url: str
    gateway_pin: str = ""
    passphrase_file: str = ""
    pull_interval_s: int = 10
    opened_limit_bytes: int = 2 * GIB
    report_threshold: int = 6


def read(values: Mapping[str, Any]) -> Settings:
    """The settings that a TOML table says.

    Raises:
        SettingWrong: a key is unknown or missing, or a value is of another type or unsafe.
    """
    known = {field.name: field for field in fields(Settings)}
    if unknown := sorted(set(values) - set(known)):
        raise SettingWrong(f"it has no setting called {unknown[0]!r}")
    if "gateway_url" not in values:
        raise SettingWrong("gateway_url is missing")
    for name, value in values.items():
        wanted = int if known[name].type == "int" else str
        if type(value) is not wanted:
            raise SettingWrong(f"{name} must be {'a whole number' if wanted is int else 'a text'}")
    settings = Settings(**values)
    if not settings.gateway_url.startswith("https://"):
        raise SettingWrong("gateway_url must begin with https://")
    if settings.pull_interval_s < 1 or settings.opened_limit_bytes < 1 or settings.report_threshold < 2:
        raise SettingWrong("pull_interval_s and opened_limit_bytes must be at least 1, report_threshold at least 2")
    return settings


def as_toml(settings: Settings) -> str:
    """The settings as settings.toml is first written; strings are quoted as TOML basic strings."""
    lines = []
    for field in fields(Settings):
        value = getattr(settings, field.name)
        lines.append(f"{field.name} = {value}" if isinstance(value, int) else f"{field.name} = {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise SettingWrong("a text holds a control character")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def passphrase_path(settings: Settings) -> Path | None:
    """Where the passphrase lies, if a file holds it."""
    return Path(settings.passphrase_file) if settings.passphrase_file else None
