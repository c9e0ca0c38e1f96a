"""What the SFTP door asks the gateway and what it is answered, typed and strict. Pure.

docs/spec/transfer.md section 9 has the table.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from swaddle.canonical import canonical
from swaddle.wire.messages import (
    Base64,
    Count,
    Digest,
    End,
    Id,
    Instant,
    KeyId,
    Message,
    PartSize,
    Problem,
    PublicLine,
    Reference,
    SignedText,
)

# Every kind of SSH key that partners have, as `authorized_keys` has them, without options or comment.
SshKey = Annotated[
    str,
    msgspec.Meta(
        pattern=r"\A(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]{40,2800}={0,2}\Z",
        max_length=3000,
    ),
]
SshFingerprint = Annotated[str, msgspec.Meta(pattern=r"\ASHA256:[A-Za-z0-9+/]{43}\Z")]


# --- what the door asks


class Question(Message, frozen=True, tag_field="ask"):
    """What every question is."""


class Hello(Question, frozen=True, tag="hello"):
    """First on each connection: the key that the door signs manifests with, and the SSH host key that it shows."""

    door_key: PublicLine
    host_key: SshKey


class Begin(Question, frozen=True, tag="begin"):
    """Whose key has logged in? The SSH user name is nobody's identity and is not said."""

    ssh_key: SshKey


class DoorAnnounce(Question, frozen=True, tag="announce"):
    """A file begins to come; how long it is nobody knows yet. The same reference gives the same transfer again."""

    reference: Reference
    recipient: KeyId
    part_bytes: PartSize


class NewPart(Question, frozen=True, tag="part"):
    """A descriptor for part `number` (from 0); asked again for the same number, what was written before is gone."""

    transfer: Id
    number: Count


class Keep(Question, frozen=True, tag="keep"):
    """The part is written: make it survive a power cut."""

    transfer: Id
    number: Count
    size_bytes: Count
    sha256: Digest


class DoorFinish(Question, frozen=True, tag="finish"):
    """The file is whole; `header` and `description` sealed."""

    transfer: Id
    body_bytes: Count
    manifest: SignedText
    header: Base64
    description: Base64


class Drop(Question, frozen=True, tag="drop"):
    """The file does not come to its end; everything of it is destroyed."""

    transfer: Id


class Answers(Question, frozen=True, tag="answers"):
    """What the folder `answers/` of this submitter shows."""


class OpenReport(Question, frozen=True, tag="report"):
    """Begin to read one sealed report."""

    transfer: Id


class OpenReportPart(Question, frozen=True, tag="report-part"):
    """A descriptor to read one of its parts by."""

    transfer: Id
    number: Count


class CloseReport(Question, frozen=True, tag="close-report"):
    """Reading is over, fully or not: `swaddle get` may have it."""

    transfer: Id


AnyQuestion = (
    Hello
    | Begin
    | DoorAnnounce
    | NewPart
    | Keep
    | DoorFinish
    | Drop
    | Answers
    | OpenReport
    | OpenReportPart
    | CloseReport
)


# --- what the gateway answers


class Nothing(Message, frozen=True):
    """It is done."""


class Begun(Message, frozen=True):
    """Who it is, what to seal to, and whether new files are taken.

    `is_collecting` is false when the registry has not come for a day: new files are refused, answers can be read.
    """

    submitter: Id
    certificate: SignedText
    intake: SignedText
    root: PublicLine
    is_collecting: bool


class DoorAnnounced(Message, frozen=True):
    """The transfer that the file will be; `created` and `expires` go into its core as they are."""

    transfer: Id
    created: Instant
    expires: Instant


class HeldAnswer(Message, frozen=True):
    """The gateway holds it whole: only now may the client hear that its file was taken."""

    held: SignedText


class DoorTransfer(Message, frozen=True):
    """One file that came by the door. `repeats` is the earlier transfer that brought the very same bytes."""

    id: Id
    state: str
    outcome: End | None
    created: Instant
    expires: Instant
    body_bytes: Count | None
    repeats: Id | None


class DoorReport(Message, frozen=True):
    """A sealed report that can be read here; one that was read three times is not offered again."""

    id: Id
    size_bytes: Count
    created: Instant
    expires: Instant


class AnswersAnswer(Message, frozen=True):
    """Oldest first."""

    transfers: tuple[DoorTransfer, ...]
    reports: tuple[DoorReport, ...]


class ReportAnswer(Message, frozen=True):
    """All of a report but its body; `part_sizes` are bytes of ciphertext."""

    manifest: SignedText
    header: Base64
    description: Base64
    part_sizes: tuple[Count, ...]


def report_head(report: ReportAnswer) -> bytes:
    """What stands before the body in a report's file under `answers/`: one line of canonical JSON."""
    manifest = {"message": report.manifest.message, "signature": report.manifest.signature}
    value = {"description": report.description, "header": report.header, "manifest": manifest, "swaddle-sealed": 1}
    return canonical(value) + b"\n"


class Reply(Message, frozen=True):
    """One of the two."""

    ok: dict[str, Any] | None = None
    problem: Problem | None = None
