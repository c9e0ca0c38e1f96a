"""The folder `answers/`: what became of the files that came by this door, and sealed reports, to be fetched. Pure.

Names here are transfer ids and words of ours; nothing that a client ever sent is shown.
"""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass

from swaddle.canonical import parse_instant
from swaddle.envelope.parts import Layout
from swaddle.envelope.public import IntakeStatement
from swaddle.envelope.refusals import ManifestMalformed
from swaddle.gateway.sftp_names import ANSWERS
from swaddle.gateway.sftp_packets import Attributes
from swaddle.wire.door_messages import AnswersAnswer, DoorTransfer

STATUS = "status.txt"
KEY = "registry.c4gh.pub"
SEALED = ".sealed"

# How a transfer ended or stands, in words that a script can look for; the first word is the whole answer.
_OUTCOMES = {
    "stored": "stored",
    "refused": "refused: the registry could not take it; its report says why",
    "unreadable": "unreadable: the registry could not open it; send it again",
    "expired": "expired: the registry did not fetch it in time; send it again",
    "not-taken": "incomplete: it did not arrive whole; send it again",
}
_STATES = {
    "announced": "arriving",
    "receiving": "arriving",
    "held": "received: it waits for the registry",
    "leased": "received: the registry is reading it",
    "refused": _OUTCOMES["not-taken"],
    "expired": _OUTCOMES["expired"],
}


def words_of(transfer: DoorTransfer) -> str:
    """What is said of one transfer."""
    said = _OUTCOMES.get(transfer.outcome or "") or _STATES.get(transfer.state, "ended")
    return said if transfer.repeats is None else f"{said}; it repeats {transfer.repeats}"


def line_of(transfer: DoorTransfer) -> str:
    """One line of `status.txt`."""
    size = ""
    if transfer.body_bytes is not None:
        with suppress(ManifestMalformed):
            size = f"{Layout.from_body(transfer.body_bytes).plaintext_bytes} bytes"
    return "\t".join((transfer.created, transfer.id, size or "-", words_of(transfer)))


def crypt4gh_key_file(intake: IntakeStatement) -> bytes:
    """The registry's Crypt4GH public key of today as Crypt4GH tools read it."""
    text = base64.b64encode(intake.recipient.crypt4gh).decode("ascii")
    return f"-----BEGIN CRYPT4GH PUBLIC KEY-----\n{text}\n-----END CRYPT4GH PUBLIC KEY-----\n".encode()


@dataclass(frozen=True)
class Answer:
    """A name under `answers/`: a text that is there, or a report that is fetched when it is read."""

    name: str
    modified: int
    text: bytes | None = None
    report: str = ""
    size_bytes: int = 0

    @property
    def attributes(self) -> Attributes:
        """As `stat` shows it."""
        return Attributes.answer(self.size_bytes if self.text is None else len(self.text), self.modified)


def folder(found: AnswersAnswer, intake: IntakeStatement) -> dict[str, Answer]:
    """The whole folder, by path."""
    newest = max((_seconds(one.created) for one in found.transfers), default=0)
    lines = "".join(line_of(one) + "\n" for one in found.transfers)
    answers = [
        Answer(STATUS, newest, lines.encode()),
        Answer(KEY, int(intake.not_before.timestamp()), crypt4gh_key_file(intake)),
        *(Answer(f"{one.id}.txt", _seconds(one.created), f"{words_of(one)}\n".encode()) for one in found.transfers),
        *(
            Answer(f"{one.id}{SEALED}", _seconds(one.created), report=one.id, size_bytes=one.size_bytes)
            for one in found.reports
        ),
    ]
    return {f"{ANSWERS}/{answer.name}": answer for answer in answers}


def _seconds(instant: str) -> int:
    return int(parse_instant(instant).timestamp())
