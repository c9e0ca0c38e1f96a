"""The gateway's TLS key in its seasons: the next one is made and announced long before it is shown.

    tls.crt, tls.key              what is shown
    tls-next.crt, tls-next.key    made 75 days before the present one ends; its pin goes out in the intake statement
    ->                            shown from 30 days after an intake statement first named it

A certificate that somebody else signed is left to whoever got it. docs/spec/transfer.md section 8.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.x509 import Certificate, load_pem_x509_certificate

from swaddle import durable
from swaddle.canonical import format_instant, parse_instant
from swaddle.gateway import journal, trust
from swaddle.gateway.index import Index
from swaddle.gateway.initialise import (
    CERTIFICATE,
    NEXT_CERTIFICATE,
    NEXT_TLS_KEY,
    TLS_KEY,
    make_certificate,
    pin_of,
)

MADE_BEFORE = timedelta(days=75)
ANNOUNCED_FOR = timedelta(days=30)
_SINCE = "next_tls_key_since"


def end_of(certificate: bytes) -> datetime:
    """When a PEM certificate ends."""
    return load_pem_x509_certificate(certificate).not_valid_after_utc


def settle(home: Path) -> None:
    """Bring a change that was killed half-way to its end; before the files are shown to anybody."""
    following = home / NEXT_CERTIFICATE
    if following.exists() and following.read_bytes() == (home / CERTIFICATE).read_bytes():
        show_next(home)


def look(index: Index, home: Path) -> bool:
    """Make and announce the next key when it is time; True when the next key is to be shown now.

    Args:
        index: inside a transaction.
        home: the gateway's.
    """
    now = index.now()
    present = load_pem_x509_certificate((home / CERTIFICATE).read_bytes())
    following = home / NEXT_CERTIFICATE
    if not following.exists():
        if index.fact(_SINCE) is not None:
            changed(index, home)  # it is shown already; a kill came before this was written down
        if _is_ours(present) and present.not_valid_after_utc - now <= MADE_BEFORE:
            _make_next(index, home, now)
        return False
    pin = pin_of(following.read_bytes())
    since = index.fact(_SINCE)
    if since is None:
        if index.fact("intake") is not None and pin in trust.intake(index).gateway_pins:
            index.set_fact(_SINCE, format_instant(now))
        return False
    return parse_instant(since) + ANNOUNCED_FOR <= now


def changed(index: Index, home: Path) -> None:
    """Write down that another key is shown; after `show_next`: the registry then publishes it alone."""
    certificate = (home / CERTIFICATE).read_bytes()
    index.drop_fact(_SINCE)
    journal.append(index, "tls-key", _digest(certificate), until=format_instant(end_of(certificate)))


def show_next(home: Path) -> None:
    """Put the next key in place: the certificate first, by which `settle` knows a change that was killed."""
    durable.write_file(home / CERTIFICATE, (home / NEXT_CERTIFICATE).read_bytes())
    if (home / NEXT_TLS_KEY).exists():
        durable.write_file(home / TLS_KEY, (home / NEXT_TLS_KEY).read_bytes())
        durable.remove_file(home / NEXT_TLS_KEY)
    durable.remove_file(home / NEXT_CERTIFICATE)


def _make_next(index: Index, home: Path, now: datetime) -> None:
    certificate, private = make_certificate(index.settings.authority, now)
    durable.write_file(home / NEXT_TLS_KEY, private)
    journal.append(index, "next-tls-key", _digest(certificate), until=format_instant(end_of(certificate)))
    durable.write_file(home / NEXT_CERTIFICATE, certificate)  # last: by it the next key is there


def _digest(certificate: bytes) -> str:
    """The pin as the journal says it: hex."""
    return base64.b64decode(pin_of(certificate)).hex()


def _is_ours(certificate: Certificate) -> bool:
    """Whether we made it: it names itself as its issuer."""
    return certificate.issuer == certificate.subject
