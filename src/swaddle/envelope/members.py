"""Strict members of a JSON object from outside: the right names, the right types, nothing else. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from swaddle.canonical import NotCanonical, parse_instant
from swaddle.errors import SwaddleError

MOST_INTEGER = 2**53 - 1


class Members:
    """The members of one object; each is taken with the type that it must have.

    Every refusal is `refuse(reason)`, so that the place of reading decides which error it is. Reasons name members of
    the format, never what stood in them.
    """

    def __init__(self, value: object, names: Collection[str], refuse: Callable[[str], SwaddleError]) -> None:
        """Take `value` if it is an object with exactly `names`."""
        self._refuse = refuse
        if not isinstance(value, dict) or value.keys() != set(names):
            raise refuse("an object does not have exactly the members of the format")
        self._value: dict[str, Any] = value

    def anything(self, name: str) -> Any:
        """Whatever stands there; the caller parses it."""
        return self._value[name]

    def text(self, name: str, most: int = 1_024) -> str:
        """Text of 1 to `most` characters."""
        value = self._value[name]
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise self._refuse(f"`{name}` is not text of a reasonable length")
        return value

    def exactly(self, name: str, expected: object) -> None:
        """The one value that the format allows."""
        value = self._value[name]
        if type(value) is not type(expected) or value != expected:
            raise self._refuse(f"`{name}` is not what this version says")

    def integer(self, name: str, least: int = 0) -> int:
        """A whole number, from `least` to 2^53 - 1."""
        value = self._value[name]
        if type(value) is not int or not least <= value <= MOST_INTEGER:
            raise self._refuse(f"`{name}` is not a whole number within its bounds")
        return value

    def hex(self, name: str, digits: int) -> str:
        """Lower-case hex of exactly `digits` digits."""
        return self.is_hex(name, self._value[name], digits)

    def is_hex(self, name: str, value: object, digits: int) -> str:
        """`value`, if it is lower-case hex of exactly `digits` digits."""
        if not isinstance(value, str) or len(value) != digits or not re.fullmatch(r"[0-9a-f]+", value):
            raise self._refuse(f"`{name}` is not {digits} lower-case hex digits")
        return value

    def instant(self, name: str) -> datetime:
        """An instant of the form 2026-11-22T09:24:37Z."""
        value = self._value[name]
        if not isinstance(value, str):
            raise self._refuse(f"`{name}` is not an instant")
        try:
            return parse_instant(value)
        except NotCanonical:
            raise self._refuse(f"`{name}` is not an instant of the form 2026-11-22T09:24:37Z") from None

    def base64(self, name: str, size_bytes: int | None = None) -> bytes:
        """Canonical base64 with padding, of `size_bytes` where given."""
        value = self._value[name]
        try:
            data = base64.b64decode(value, validate=True) if isinstance(value, str) else None
        except (ValueError, binascii.Error):
            data = None
        if data is None or base64.b64encode(data).decode("ascii") != value:
            raise self._refuse(f"`{name}` is not canonical base64")
        if size_bytes is not None and len(data) != size_bytes:
            raise self._refuse(f"`{name}` has not {size_bytes:,} bytes")
        return data

    def array(self, name: str) -> list[Any]:
        """An array; its elements are the caller's to check."""
        value = self._value[name]
        if not isinstance(value, list):
            raise self._refuse(f"`{name}` is not an array")
        return value
