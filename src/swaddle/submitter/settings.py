"""A submitter's settings: one frozen object, read once at start; docs/settings-submitter.md lists each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swaddle.envelope.parts import MOST_PART_BYTES, SEGMENT_BYTES
from swaddle.errors import SwaddleError
from swaddle.settings import SettingWrong, stated
from swaddle.wire.tunnel import parse_url

# What may also come from the environment. The pin and the root say whom to trust: they stand in the home only.
FROM_ENVIRONMENT = ("gateway_url", "passphrase_file", "part_bytes", "timeout_s")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a submitter's settings.toml says.

    Attributes:
        gateway_url: where the gateway answers, `https://…`; from the invitation.
        gateway_pin: base64 SHA-256 of its TLS public key; empty when a public authority vouches for it.
        root: fingerprint of the registry's root key; from the invitation.
        passphrase_file: a file that only its owner can read; empty when the passphrase comes another way.
        part_bytes: plaintext bytes of a part, a multiple of 65,536; 0: chosen by the line (lanes.py).
        timeout_s: seconds to wait for the gateway to connect and to answer.
    """

    gateway_url: str
    root: str
    gateway_pin: str = ""
    passphrase_file: str = ""
    part_bytes: int = 0
    timeout_s: int = 30


def read(values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that a TOML table says, then `SWADDLE_*`.

    Raises:
        SettingWrong: a key is unknown or missing, or a value is of another type or out of bounds.
    """
    settings = Settings(**stated(Settings, values, environment, "SWADDLE_", FROM_ENVIRONMENT))
    if not 0 <= settings.part_bytes <= MOST_PART_BYTES or settings.part_bytes % SEGMENT_BYTES:
        raise SettingWrong("must be 0, or a multiple of 65,536, at most 1,073,741,824", name="part_bytes")
    if not 1 <= settings.timeout_s <= 3600:
        raise SettingWrong("must be between 1 and 3600", name="timeout_s")
    try:
        parse_url(settings.gateway_url)
    except SwaddleError as error:
        raise SettingWrong("must be of the form https://host:port", name="gateway_url") from error
    return settings
