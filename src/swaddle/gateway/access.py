"""Who may see what: the sender, the one reader, and everybody else. Pure.

There is no administrator and no listing of others' things: an id that is not yours reads like one that never was.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import SENDING, State


class Kind(Enum):
    """What an enrolled key is."""

    REGISTRY = "registry"
    SUBMITTER = "submitter"


@dataclass(frozen=True)
class Who:
    """The party whose key signed a request; for the registry that key is its pull key."""

    kind: Kind
    id: str


@dataclass(frozen=True)
class Parties:
    """Who sends a transfer and who alone may read it."""

    sender: str
    reader: str


def must_be_registry(who: Who) -> None:
    """Only the pull key.

    Raises:
        Refusal: `not-found` for anybody else.
    """
    if who.kind is not Kind.REGISTRY:
        raise Refusal("not-found")


def must_send(who: Who, parties: Parties | None) -> Parties:
    """Only the sender of an existing transfer.

    Raises:
        Refusal: `not-found` for anybody else.
    """
    if parties is None or parties.sender != who.id:
        raise Refusal("not-found")
    return parties


def must_see(who: Who, parties: Parties | None, state: State) -> Parties:
    """The sender always; the reader once the transfer was held.

    Raises:
        Refusal: `not-found` for anybody else, or too early.
    """
    if parties is None or who.id not in {parties.sender, parties.reader}:
        raise Refusal("not-found")
    if who.id != parties.sender and state in SENDING:
        raise Refusal("not-found")
    return parties


def must_read(who: Who, parties: Parties | None, state: State) -> Parties:
    """Only the one reader, once the transfer was held.

    Raises:
        Refusal: `not-found` for anybody else, or too early.
    """
    if parties is None or parties.reader != who.id or state in SENDING:
        raise Refusal("not-found")
    return parties


def is_intruding(who: Who, parties: Parties | None) -> bool:
    """An enrolled key asks for a lease on an existing transfer that is not for it: that freezes its own reads."""
    return parties is not None and parties.reader != who.id
