"""People: who signs for an organisation by name. A person is a name, a role and an OpenSSH public key.

The registry's are added in its home, a submitter's in its own; a submitter's word for its people is the signature of
the transfer that carries theirs. What a person signs bears their SSHSIG in the namespace `swaddle-person-v1`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.envelope.signature import PERSON, PublicSigningKey, Signed, open_signed, sign, signer_of
from swaddle.envelope.signature import SigningKey as PersonKey
from swaddle.errors import UsageFault

FILE = "people.json"
LONGEST = 100


class PersonUnusable(UsageFault):
    """A name, a role or a key that cannot be taken."""

    code = "SWD-KEY-30"
    what = "this person cannot be added"
    fix = "give a name and a role of one line each, and a .pub file of type ssh-ed25519 that nobody else here has"


class NoSuchPerson(UsageFault):
    """Nobody of that name, or of that key, is known here."""

    code = "SWD-KEY-31"
    what = "there is no such person here"
    fix = "`swaddle people list` shows who there is; `swaddle people add NAME KEY.pub --role ROLE` adds one"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who may sign for the organisation whose home this is."""

    name: str
    role: str
    key: str
    added_at: str = ""

    @property
    def public(self) -> PublicSigningKey:
        """Their public key."""
        return PublicSigningKey.from_line(self.key)


def known(home: Path) -> tuple[Person, ...]:
    """The people of a home, in the order in which they were added."""
    path = home / FILE
    if not path.exists():
        return ()
    return tuple(Person(**each) for each in json.loads(path.read_bytes()))


def add(home: Path, name: str, role: str, public: str, at: datetime) -> Person:
    """Add a person by the text of a `.pub` file; the same again changes nothing.

    Raises:
        PersonUnusable: the name is taken by another key, or the key by another name, or one of them is no text.
        KeyMalformed: it holds no Ed25519 public key.
    """
    for text in (name, role):
        if not text.strip() or len(text) > LONGEST or not text.isprintable():
            raise PersonUnusable("a name and a role are one line of text, at most 100 characters")
    person = Person(
        name=name, role=role, key=PublicSigningKey.from_public_file(public).line, added_at=format_instant(at)
    )
    people = known(home)
    for each in people:
        if (each.name, each.role, each.key) == (name, role, person.key):
            return each
        if each.name == name or each.key == person.key:
            raise PersonUnusable("somebody of that name or with that key is here already")
    _write(home, (*people, person))
    return person


def remove(home: Path, name: str) -> Person:
    """Remove a person: their key signs nothing more from here; what it signed stays.

    Raises:
        NoSuchPerson: there is nobody of that name.
    """
    people = known(home)
    gone = next((each for each in people if each.name == name), None)
    if gone is None:
        raise NoSuchPerson("nobody has that name; names are compared letter by letter")
    _write(home, tuple(each for each in people if each != gone))
    return gone


def of_key(home: Path, key: PersonKey) -> Person:
    """The person whose key this is.

    Raises:
        NoSuchPerson: nobody here has it.
    """
    found = next((each for each in known(home) if each.key == key.public.line), None)
    if found is None:
        raise NoSuchPerson("the key that was given is nobody's here")
    return found


def sign_as(person: Person, key: PersonKey, value: dict[str, Any]) -> Signed:
    """What a person says, with their name, role and key in it, signed by them."""
    return sign(PERSON, {**value, "person": {"name": person.name, "role": person.role, "key": person.key}}, key)


def read_signed(signed: Signed) -> dict[str, Any]:
    """What a person said, once the key that it names is the one that signed it.

    Whose person that is, is for the caller to know: by its list of people, or by the transfer's signature.

    Raises:
        SignatureInvalid, WrongSigner, NotCanonical: it does not hold.
        PersonUnusable: it names no person.
    """
    said = open_signed(signed, PERSON, [signer_of(signed)])
    person = said.get("person")
    if not isinstance(person, dict) or set(person) != {"name", "role", "key"}:
        raise PersonUnusable("it names nobody")
    if person["key"] != signer_of(signed).line or not all(isinstance(each, str) for each in person.values()):
        raise PersonUnusable("it is signed by another key than the person's")
    return said


def to_json(people: tuple[Person, ...]) -> dict[str, Any]:
    """The object of `people list --json`."""
    return {"people": [asdict(each) | {"fingerprint": each.public.fingerprint} for each in people]}


def _write(home: Path, people: tuple[Person, ...]) -> None:
    durable.write_file(home / FILE, json.dumps([asdict(each) for each in people], indent=1).encode("utf-8"))
