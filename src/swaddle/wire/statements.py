"""What is inside the signed statements of the transfer (docs/spec/transfer.md sections 3, 5 and 7), typed and strict.

Pure. `convert` or `decode_instruction` reads the object that envelope.signature.open_signed gives; the namespace is
fixed by the place where a statement is read.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from swaddle.wire.door_messages import SshKey
from swaddle.wire.messages import (
    Base64,
    Count,
    Digest,
    Id,
    Instant,
    KeyId,
    Message,
    Outcome,
    PublicLine,
    SignedText,
    convert,
)


class HeldStatement(Message, frozen=True):
    """`swaddle-held-v1`: the gateway holds the transfer whole."""

    at: Instant
    body_bytes: Count
    expires: Instant
    manifest_sha256: Digest
    transfer: Id


class Acknowledgement(Message, frozen=True):
    """`swaddle-acknowledgement-v1`: the reader is done with it."""

    at: Instant
    manifest_sha256: Digest
    outcome: Outcome
    receipt: SignedText | None
    transfer: Id


class GiveBack(Message, frozen=True):
    """`swaddle-give-back-v1`: the reader ends its lease."""

    at: Instant
    transfer: Id


class JournalHead(Message, frozen=True):
    """`swaddle-journal-v1`: how far the journal is."""

    at: Instant
    entry_sha256: Digest
    sequence: Count


# --- instructions (section 5), each the content of a `swaddle-instruction-v1` statement


class InstructionBase(Message, frozen=True, tag_field="instruction"):
    """What every instruction says."""

    at: Instant
    sequence: Count


class Invite(InstructionBase, frozen=True, tag="invite"):
    """An enrolment with this lookup is taken."""

    lookup_sha256: Digest
    expires: Instant


class Activate(InstructionBase, frozen=True, tag="activate"):
    """The pending keys are enrolled under this id."""

    lookup_sha256: Digest
    submitter: Id
    enrolment: SignedText


class Reject(InstructionBase, frozen=True, tag="reject"):
    """The pending enrolment is dropped."""

    lookup_sha256: Digest


class Revoke(InstructionBase, frozen=True, tag="revoke"):
    """This submitter is no longer let in."""

    submitter: Id


class NewIntake(InstructionBase, frozen=True, tag="intake"):
    """The intake statement handed out from now on."""

    intake: SignedText


class NewCertificate(InstructionBase, frozen=True, tag="certificate"):
    """A new statement key, signed by the root, and the intake statement signed by it: both or none."""

    certificate: SignedText
    intake: SignedText | None = None


class NewPullKey(InstructionBase, frozen=True, tag="pull-key"):
    """The registry's next pull key."""

    pull_key: PublicLine


class Allowance(InstructionBase, frozen=True, tag="allowance"):
    """How many transfers the registry may have leased and not ended."""

    transfers: Annotated[int, msgspec.Meta(ge=1, le=64)]


class Quota(InstructionBase, frozen=True, tag="quota"):
    """What one submitter may have waiting, and how often it may announce; null: as for everybody."""

    submitter: Id
    bytes: Count | None
    transfers: Count | None
    transfers_per_hour: Count | None


class ChangedSetting(InstructionBase, frozen=True, tag="setting"):
    """One of the gateway's settings that may be changed from inside; null: what its own settings say again."""

    name: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]+(_[a-z]+)*\Z", max_length=40)]
    value: Count | None


class DoorSubmitter(InstructionBase, frozen=True, tag="door-submitter"):
    """The SSH keys that the door takes for this submitter from now on, and no others; none closes it."""

    submitter: Id
    ssh_keys: Annotated[tuple[SshKey, ...], msgspec.Meta(max_length=64)]


class ReleaseFreeze(InstructionBase, frozen=True, tag="release-freeze"):
    """Ends one freeze."""

    freeze: Id


class JournalDrained(InstructionBase, frozen=True, tag="journal-drained"):
    """Entries up to here are in custody and may go."""

    through: Count


class BackupRecipient(Message, frozen=True):
    """The public half of the registry's backup pair; envelope.public.SealingPublic once it is to be sealed to."""

    key_id: KeyId
    hpke: Base64
    crypt4gh: Base64


class BackupKey(InstructionBase, frozen=True, tag="backup-key"):
    """Backups of the gateway are sealed to this key from now on."""

    recipient: BackupRecipient


class Restored(InstructionBase, frozen=True, tag="restored"):
    """Where the journal of a gateway that was restored from a backup goes on: at the last entry in custody."""

    through: Count
    entry_sha256: Digest


Instruction = (
    BackupKey
    | Restored
    | Invite
    | Activate
    | Reject
    | Revoke
    | NewIntake
    | NewCertificate
    | NewPullKey
    | Allowance
    | Quota
    | DoorSubmitter
    | ChangedSetting
    | ReleaseFreeze
    | JournalDrained
)


def decode_instruction(value: dict[str, Any]) -> Instruction:
    """The instruction that a verified statement's content is.

    Raises:
        Garbled: unknown or malformed.
    """
    return convert(value, Instruction)  # type: ignore[arg-type]
