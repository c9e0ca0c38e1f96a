"""A submitter's settings: one frozen object, read once at start; docs/settings-submitter.md lists each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from swaddle.envelope.parts import PART_BYTES, SEGMENT_BYTES
from swaddle.errors import SettingsFault, SwaddleError
from swaddle.wire.tunnel import parse_url

# What may also come from the environment. The pin and the root say whom to trust: they stand in the home only.
FROM_ENVIRONMENT = ("gateway_url", "passphrase_file", "part_bytes", "timeout_s")


class SettingWrong(SettingsFault):
    """A setting is missing, unknown, of the wrong type or out of bounds."""

    code = "SWD-SUB-01"
    what = "a setting of this submitter cannot be used"
    fix = "correct settings.toml in the home; docs/settings-submitter.md lists every setting"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a submitter's settings.toml says.

    Attributes:
        gateway_url: where the gateway answers, `https://…`; from the invitation.
        gateway_pin: base64 SHA-256 of its TLS public key; empty when a public authority vouches for it.
        root: fingerprint of the registry's root key; from the invitation.
        passphrase_file: a file that only its owner can read; empty when the passphrase comes another way.
        part_bytes: plaintext bytes of a part, a multiple of 65,536: what is sent again at most after a break.
        timeout_s: seconds to wait for the gateway to connect and to answer.
    """

    gateway_url: str
    root: str
    gateway_pin: str = ""
    passphrase_file: str = ""
    part_bytes: int = PART_BYTES
    timeout_s: int = 30


def read(values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that a TOML table says, then `SWADDLE_*`.

    Raises:
        SettingWrong: a key is unknown or missing, or a value is of another type or out of bounds.
    """
    kinds = {field.name: int if field.type == "int" else str for field in fields(Settings)}
    if unknown := sorted(set(values) - set(kinds)):
        raise SettingWrong(f"there is no setting called {unknown[0]!r}")
    if missing := {"gateway_url", "root"} - set(values):
        raise SettingWrong(f"{min(missing)} is missing; `swaddle enrol` writes it")
    merged = {**values, **_overrides(kinds, environment)}
    for name, value in merged.items():
        if type(value) is not kinds[name]:
            raise SettingWrong(f"{name} must be {'a whole number' if kinds[name] is int else 'a text'}")
    settings = Settings(**merged)
    if not SEGMENT_BYTES <= settings.part_bytes <= 2**30 or settings.part_bytes % SEGMENT_BYTES:
        raise SettingWrong("part_bytes must be a multiple of 65,536, at most 1,073,741,824")
    if not 1 <= settings.timeout_s <= 3600:
        raise SettingWrong("timeout_s must be between 1 and 3600")
    try:
        parse_url(settings.gateway_url)
    except SwaddleError as error:
        raise SettingWrong("gateway_url must be of the form https://host:port") from error
    return settings


def _overrides(kinds: Mapping[str, type], environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in FROM_ENVIRONMENT:
        text = environment.get(f"SWADDLE_{name.upper()}")
        if text is not None:
            found[name] = int(text) if kinds[name] is int and text.isascii() and text.isdigit() else text
    return found


def as_toml(settings: Settings) -> str:
    """The settings as settings.toml is written at enrolment; what has its usual value is left out."""
    lines = []
    for field in fields(Settings):
        value = getattr(settings, field.name)
        if value != field.default:
            lines.append(f"{field.name} = {value}" if isinstance(value, int) else f"{field.name} = {_quoted(value)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise SettingWrong("a text holds a control character")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
