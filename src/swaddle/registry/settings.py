"""The registry's settings: one frozen object, read once at start; docs/settings-registry.md lists each."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swaddle.registry.mail_texts import AddressUnusable, check_address
from swaddle.settings import SettingWrong, stated

GIB = 1024**3
_ADDRESS = re.compile(r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):([1-9][0-9]{0,4})")
# What may also come from the environment. Whom to trust stands in the home only.
FROM_ENVIRONMENT = ("passphrase_file", "pull_interval_s", "opened_limit_bytes", "report_threshold")

_LEAST = {"pull_interval_s": 1, "opened_limit_bytes": 1, "report_threshold": 3, "report_rounding": 1, "backup_days": 1}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the registry's settings.toml says.

    Attributes:
        gateway_url: where the gateway answers, `https://…`.
        gateway_pin: base64 SHA-256 of its TLS public key; empty when a public CA vouches for it.
        passphrase_file: a file only its owner can read; empty when the passphrase comes another way.
        pull_interval_s: seconds between two looks at the gateway by `registry run`.
        opened_limit_bytes: the largest data set that is opened in memory; a larger one is refused, and says so.
        backup_days: how long a backup of the registry is kept; also how long a record that was let go of is in one.
        report_threshold: counts about others from 1 up to one below this are hidden.
        report_zeros: `show` or `hide`: whether a count of nobody, or of everybody, is told of others.
        report_rounding: counts about others are rounded to multiples of it; 1 leaves them as they are.
        report_withheld: groups, or submitters' ids, with a comma between, that are never shown on their own.
        report_month_day: day of the next month on which `registry run` sends the report of a month; 0: never by itself.
        report_pdf: `yes` or `no`: whether the report of a month has a PDF beside each page.
        smtp_host: the mail server; empty: no mail is sent.
        smtp_port: its port.
        smtp_security: `starttls`, `tls` (from the first byte), or `none` where the server is this machine.
        smtp_user: the name to sign in with; empty: without.
        smtp_password_file: the file of its password; empty: the credential `swaddle-smtp-password`.
        smtp_ca_file: certificates to verify the server by; empty: the system's.
        mail_from: the address that mail comes from.
        mail_pause_s: seconds between two mails of one kind to one submitter; what comes between is told by the second.
        door_address: where partners find the SFTP door, `host:port`; empty: the gateway's host and port 2222.
    """

    gateway_url: str
    gateway_pin: str = ""
    passphrase_file: str = ""
    pull_interval_s: int = 10
    opened_limit_bytes: int = 2 * GIB
    backup_days: int = 30
    report_threshold: int = 6
    report_zeros: str = "show"
    report_rounding: int = 1
    report_withheld: str = ""
    report_month_day: int = 10
    report_pdf: str = "yes"
    door_address: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_user: str = ""
    smtp_password_file: str = ""
    smtp_ca_file: str = ""
    mail_from: str = ""
    mail_pause_s: int = 900


def read(values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that a TOML table says, then `SWADDLE_REGISTRY_*`.

    Raises:
        SettingWrong: a name is unknown or missing, or a value is of another type or unsafe.
    """
    settings = Settings(**stated(Settings, values, environment, "SWADDLE_REGISTRY_", FROM_ENVIRONMENT))
    if not settings.gateway_url.startswith("https://"):
        raise SettingWrong("must begin with https://", name="gateway_url")
    for name, least in _LEAST.items():
        if getattr(settings, name) < least:
            raise SettingWrong(f"must be at least {least}", name=name)
    if settings.report_zeros not in {"show", "hide"}:
        raise SettingWrong("must be show or hide", name="report_zeros")
    if not 0 <= settings.report_month_day <= 28:
        raise SettingWrong("must be from 0 to 28", name="report_month_day")
    if settings.report_pdf not in {"yes", "no"}:
        raise SettingWrong("must be yes or no", name="report_pdf")
    if settings.door_address and not _ADDRESS.fullmatch(settings.door_address):
        raise SettingWrong("must be of the form host:port", name="door_address")
    if settings.smtp_host:
        _check_mail(settings)
    return settings


def _check_mail(settings: Settings) -> None:
    """Refuse what would send in the clear over a network, or from no address.

    Raises:
        SettingWrong: naming the setting.
    """
    if not re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", settings.smtp_host):
        raise SettingWrong("must be a host's name or address", name="smtp_host")
    if not 1 <= settings.smtp_port <= 65_535:
        raise SettingWrong("must be from 1 to 65535", name="smtp_port")
    if not 0 <= settings.mail_pause_s <= 86_400:
        raise SettingWrong("must be from 0 to 86400", name="mail_pause_s")
    if settings.smtp_security not in {"starttls", "tls", "none"}:
        raise SettingWrong("must be starttls, tls or none", name="smtp_security")
    if settings.smtp_security == "none" and settings.smtp_host not in {"localhost", "127.0.0.1", "::1"}:
        raise SettingWrong("may be none only where smtp_host is this machine", name="smtp_security")
    try:
        check_address(settings.mail_from)
    except AddressUnusable:
        raise SettingWrong("must be one mail address where smtp_host is set", name="mail_from") from None
