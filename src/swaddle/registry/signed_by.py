"""What a person of the registry signs: which person it is, and that it says what is to be done and nothing else.

The registry's people are in its home (`swaddle people`). What they sign bears their SSHSIG, and is kept whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from swaddle.canonical import NotCanonical, parse_instant
from swaddle.envelope import people
from swaddle.envelope.signature import Signed
from swaddle.errors import IntegrityFault, UsageFault
from swaddle.registry.inside import Registry


class SignatureNeeded(UsageFault):
    """A person of the registry has to sign this, and it is not signed so."""

    code = "SWD-REG-84"
    what = "this needs the signature of a person of the registry"
    fix = "give --key with the private key file of somebody whom `swaddle people list` shows for this registry"


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a person said.

    Attributes:
        sha256: of the signed text, for custody.
        said: the text's members but `person` and `at`.
    """

    person: people.Person
    at: str
    sha256: str
    said: Mapping[str, Any]
    signed: Signed


def word_of(home: Path, given: Any, expected: Mapping[str, Any]) -> Word:
    """The word of a person whose home this is, once it is known to say what is expected.

    Args:
        home: the registry's.
        given: a signed statement as JSON.
        expected: what it must say, but `person` and `at`.

    Raises:
        SignatureNeeded: it is of nobody here, does not hold, or says something else.
    """
    try:
        signed = Signed.from_json(given)
        said = people.read_signed(signed)
        parse_instant(str(said.get("at")))
    except (IntegrityFault, UsageFault, NotCanonical):
        raise SignatureNeeded("what was given is not what a person signed") from None
    person = people.Person(**said["person"])
    if not any((each.name, each.role, each.key) == (person.name, person.role, person.key)
               for each in people.known(home)):  # fmt: skip
        raise SignatureNeeded("it is signed by nobody of this registry")
    rest = {name: value for name, value in said.items() if name not in ("person", "at")}
    if rest != dict(expected):
        raise SignatureNeeded("what was signed says something else than what is to be done")
    digest = sha256(signed.message).hexdigest()
    return Word(person=person, at=str(said["at"]), sha256=digest, said=rest, signed=signed)


def word_if_people(inside: Registry, given: Any, expected: Mapping[str, Any]) -> Word | None:
    """The word of a person; none where the registry has no people yet and none was given.

    Raises:
        SignatureNeeded: there are people, and none of them signed this.
    """
    if given is None:
        if people.known(inside.home):
            raise SignatureNeeded("this registry has people, so one of them signs")
        return None
    return word_of(inside.home, given, expected)


def check_other(first: people.Person, second: people.Person) -> None:
    """Two persons means two names and two keys.

    Raises:
        SignatureNeeded: they are one.
    """
    if first.name == second.name or first.key == second.key:
        raise SignatureNeeded("another person than the first must sign: another name and another key")
