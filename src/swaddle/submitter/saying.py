"""Telling the registry something besides data: an answer to a warning, a named person's sign-off.

What is said is written into the home and sent like a file; it is kept there, so that it is sent again until received.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.envelope import people
from swaddle.envelope.signature import SigningKey as PersonKey
from swaddle.submitter.account import Sent
from swaddle.submitter.party import Party
from swaddle.submitter.send import send
from swaddle.wire import spoken

FOLDER = "said"


def answer(party: Party, transfer: str, finding: str, word: str = spoken.VERIFIED, *, wait_s: float = 0) -> Sent:
    """Answer a warning of the report on a transfer: the value is right, do not ask again.

    Raises:
        NoFinding: it names no finding.
        NetworkFault, SettingsFault, NotPermitted, IntegrityFault: it is not sent yet; `send` goes on with it.
    """
    return say(party, spoken.write_answers([spoken.finding(transfer, finding, word)]), spoken.ANSWERS, wait_s=wait_s)


def sign_off(party: Party, period: str, key: PersonKey, *, wait_s: float = 0) -> Sent:
    """Sign a period off as the person of this home whose key it is.

    Raises:
        NoSuchPerson: the key is nobody's here.
        NoPeriod: it is no period.
        NetworkFault, SettingsFault, NotPermitted, IntegrityFault: it is not sent yet; `send` goes on with it.
    """
    if not spoken.PERIOD.fullmatch(period):
        raise spoken.NoPeriod
    person = people.of_key(party.home, key)
    said = {"period": period, "submitter": party.submitter, "at": format_instant(party.now())}
    word = people.sign_as(person, key, said)
    return say(party, spoken.write_sign_off(word), spoken.SIGN_OFF, wait_s=wait_s)


def say(party: Party, data: bytes, kind: str, *, wait_s: float = 0) -> Sent:
    """Send words of a kind of wire/spoken.py; the same words are sent once."""
    path = keep(party.home, data)
    (sent, *_) = send(party, [path], kind, wait_s=wait_s)
    return sent


def keep(home: Path, data: bytes) -> Path:
    """Write the words down under a name that is theirs."""
    durable.make_folder(home / FOLDER)
    path = home / FOLDER / f"{sha256(data).hexdigest()}.json"
    if not path.exists():
        durable.write_file(path, data)
    return path
