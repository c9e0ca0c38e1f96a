"""The one form of what is signed, hashed or compared: canonical JSON (RFC 8785) and instants.

Pure. A value has one text; a text that is not the canonical one of its value is refused, so a signature never covers
something that reads two ways.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, cast

import rfc8785

from swaddle.errors import IntegrityFault

JSON_LIMIT_BYTES = 4 * 1024 * 1024


class NotCanonical(IntegrityFault):
    """The bytes are not the canonical JSON of an object."""

    code = "SWD-JSON-01"
    what = "a statement is not in canonical form"
    fix = "ask for it again; if it happens twice, the other side is faulty or hostile"


def canonical(value: object) -> bytes:
    """Canonical JSON bytes of a JSON value (RFC 8785), whole numbers only: no statement here needs another kind.

    Raises:
        NotCanonical: the value has no such form (a fraction, an integer beyond 2^53, a NaN, a non-string key).
    """
    try:
        _refuse_fractions(value)
        return rfc8785.dumps(cast("Any", value))
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise NotCanonical("a value in it has no canonical form") from error


def _refuse_fractions(value: object) -> None:
    if isinstance(value, float):
        raise NotCanonical("a number in it is not whole")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        _refuse_fractions(inner)


def parse_canonical(data: bytes, limit_bytes: int = JSON_LIMIT_BYTES) -> dict[str, Any]:
    """The object that canonical `data` says.

    Raises:
        NotCanonical: longer than `limit_bytes`, not UTF-8, not JSON, not an object, or not in canonical form.
    """
    if len(data) > limit_bytes:
        raise NotCanonical("it is longer than allowed")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotCanonical("it is not JSON") from error
    if not isinstance(value, dict):
        raise NotCanonical("it is not a JSON object")
    if canonical(value) != data:
        raise NotCanonical("its members are not in canonical order or form")
    return value


_INSTANT = re.compile(r"[1-9]\d{3}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\dZ", re.ASCII)


def digest_hex(data: bytes) -> str:
    """SHA-256 of `data`, 64 hex digits."""
    return sha256(data).hexdigest()


def format_instant(moment: datetime) -> str:
    """`2026-11-22T09:24:37Z`: UTC, whole seconds.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    """The moment that `format_instant` wrote.

    Raises:
        NotCanonical: any other form.
    """
    try:
        if _INSTANT.fullmatch(text):  # strptime would take a hundred times as long, and custody has millions of them
            return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError as error:
        raise NotCanonical("a time in it is not of the form 2026-11-22T09:24:37Z") from error
    raise NotCanonical("a time in it is not of the form 2026-11-22T09:24:37Z")
