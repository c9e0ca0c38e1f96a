"""What the registry tells the gateway, signed by its statement key and numbered (docs/spec/transfer.md section 5)."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from functools import singledispatch
from hashlib import sha256

from swaddle.canonical import parse_instant
from swaddle.envelope.public import open_certificate, open_intake
from swaddle.envelope.signature import ENROLMENT, INSTRUCTION, PublicSigningKey, open_signed, signer_of
from swaddle.errors import SwaddleError
from swaddle.gateway import adjustable, door_sending, journal, restored, rows, sending, trust
from swaddle.gateway.index import Index, seconds
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import SENDING
from swaddle.wire.enrolment import SubmitterKeys
from swaddle.wire.messages import SignedText
from swaddle.wire.statements import (
    Activate,
    Allowance,
    BackupKey,
    ChangedSetting,
    DoorSubmitter,
    Instruction,
    Invite,
    JournalDrained,
    NewCertificate,
    NewIntake,
    NewPullKey,
    Quota,
    Reject,
    ReleaseFreeze,
    Restored,
    Revoke,
    decode_instruction,
)

INVITATION_LIFE = timedelta(days=14)


def take(index: Index, statement: SignedText) -> Instruction:
    """Verify an instruction and do it, once: its number must be greater than the last one's.

    Raises:
        Refusal: `unsigned`, `malformed`, `conflict` for a number that is used, `refused` for what cannot be done.
    """
    instruction = _verified(index, statement)
    digest = sha256(statement.message.encode("utf-8")).hexdigest()
    last = int(index.fact("last_instruction") or 0)
    if instruction.sequence == last and index.fact("last_instruction_sha256") == digest:
        return instruction  # it was done, and the answer got lost on the line
    if instruction.sequence <= last:
        raise Refusal("conflict")
    if restored.is_waiting(index) and not isinstance(instruction, Restored):
        raise Refusal("frozen")  # its last number is an old one: what was said since must not be said again
    index.set_fact("last_instruction", str(instruction.sequence))
    index.set_fact("last_instruction_sha256", digest)
    journal.append(
        index, "instruction", trust.registry_id(index),
        instruction=instruction.sequence, statement_sha256=digest,
    )  # fmt: skip
    _do(instruction, index)
    return instruction


@singledispatch
def _do(instruction: Instruction, index: Index) -> None:  # noqa: ARG001 - the form of all of them
    raise Refusal("refused", reason="an instruction that this gateway does not know")


@_do.register
def _(instruction: Invite, index: Index) -> None:
    now = index.now()
    expires = _instant(instruction.expires)
    if not now < expires <= now + INVITATION_LIFE:
        raise Refusal("refused", reason="its expiry is past or too far away")
    index.write(
        "INSERT OR IGNORE INTO enrolments (lookup_sha256, state, forget_at) VALUES (?, 'invited', ?)",
        instruction.lookup_sha256, seconds(expires),
    )  # fmt: skip


@_do.register
def _(instruction: Activate, index: Index) -> None:
    row = index.row("SELECT * FROM enrolments WHERE lookup_sha256 = ?", instruction.lookup_sha256)
    if row is not None and row["state"] == "active":
        return
    if row is None or row["state"] != "waiting":
        raise Refusal("refused", reason="no such enrolment waits")
    keys = SubmitterKeys.from_text(row["keys"].encode("utf-8"))
    _check_enrolment(index, instruction, row["keys"])
    fingerprint = keys.signing_key.fingerprint
    other = index.row("SELECT id FROM submitters WHERE fingerprint = ?", fingerprint)
    is_ours = fingerprint in {_fingerprint(index, "pull_key"), _fingerprint(index, "root")}
    if is_ours or (other is not None and other["id"] != instruction.submitter):
        raise Refusal("refused", reason="that key is in use")
    index.write(
        "INSERT INTO submitters VALUES (?, ?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET signing_key ="
        " excluded.signing_key, fingerprint = excluded.fingerprint, key_id = excluded.key_id, revoked = 0",
        instruction.submitter, keys.signing_key.line, fingerprint, keys.sealing.key_id,
    )  # fmt: skip
    index.reload()
    index.write(
        "UPDATE enrolments SET state = 'active', keys = NULL, hmac = NULL, statement = ?, forget_at = ?"
        " WHERE lookup_sha256 = ?",
        trust.text_of(instruction.enrolment.signed()), _later(index), instruction.lookup_sha256,
    )  # fmt: skip


@_do.register
def _(instruction: Reject, index: Index) -> None:
    index.write(
        "UPDATE enrolments SET state = 'rejected', keys = NULL, hmac = NULL, forget_at = ?"
        " WHERE lookup_sha256 = ? AND state IN ('invited', 'waiting')",
        _later(index), instruction.lookup_sha256,
    )  # fmt: skip


@_do.register
def _(instruction: Revoke, index: Index) -> None:
    index.write("UPDATE submitters SET revoked = ? WHERE id = ?", seconds(index.now()), instruction.submitter)
    index.write("DELETE FROM door_keys WHERE submitter = ?", instruction.submitter)
    index.revoked.add(instruction.submitter)
    states = sorted(state.value for state in SENDING)
    marks = ",".join("?" * len(states))
    for found in index.rows(
        f"SELECT id FROM transfers WHERE sender = ? AND state IN ({marks})", instruction.submitter, *states
    ):
        row = rows.find(index, found["id"])
        assert row is not None
        sending.refuse(index, row)


@_do.register
def _(instruction: NewIntake, index: Index) -> None:
    _publish(index, instruction.intake, trust.statement_key(index))


@_do.register
def _(instruction: NewCertificate, index: Index) -> None:
    key = _newer_statement_key(index, instruction)
    if key.fingerprint in {_fingerprint(index, "pull_key"), _fingerprint(index, "root")}:
        raise Refusal("refused", reason="that key is in use")
    index.set_fact("certificate", trust.text_of(instruction.certificate.signed()))
    if instruction.intake is not None:  # both or none: nobody is handed two that do not fit
        _publish(index, instruction.intake, key)


@_do.register
def _(instruction: Quota, index: Index) -> None:
    limits = (instruction.bytes, instruction.transfers, instruction.transfers_per_hour)
    known = index.row(
        "SELECT 1 FROM submitters WHERE id = ?1 UNION SELECT 1 FROM door_keys WHERE submitter = ?1",
        instruction.submitter,
    )
    if known is None:
        raise Refusal("refused", reason="no such submitter is enrolled")
    if limits == (None, None, None):
        index.write("DELETE FROM quotas WHERE submitter = ?", instruction.submitter)
    else:
        index.write("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?, ?)", instruction.submitter, *limits)


@_do.register
def _(instruction: ChangedSetting, index: Index) -> None:
    adjustable.check(instruction.name, instruction.value)
    if instruction.value is None:
        index.write("DELETE FROM changed_settings WHERE name = ?", instruction.name)
    else:
        index.write("INSERT OR REPLACE INTO changed_settings VALUES (?, ?)", instruction.name, instruction.value)
    index.reload()


@_do.register
def _(instruction: DoorSubmitter, index: Index) -> None:
    door_sending.take_keys(index, instruction)


@_do.register
def _(instruction: NewPullKey, index: Index) -> None:
    try:
        key = PublicSigningKey.from_line(instruction.pull_key)
    except SwaddleError:
        raise Refusal("malformed") from None
    in_use = index.row("SELECT id FROM submitters WHERE fingerprint = ?", key.fingerprint)
    if in_use is not None or key == trust.statement_key(index):
        raise Refusal("refused", reason="that key is in use")
    index.set_fact("pull_key", key.line)


@_do.register
def _(instruction: Allowance, index: Index) -> None:
    index.set_fact("allowance", str(instruction.transfers))


@_do.register
def _(instruction: ReleaseFreeze, index: Index) -> None:
    if index.write("DELETE FROM freezes WHERE id = ?", instruction.freeze):
        journal.append(index, "released", instruction.freeze)
    index.reload()


@_do.register
def _(instruction: JournalDrained, index: Index) -> None:
    if instruction.through > int(index.fact("journal_sequence") or 0):
        raise Refusal("refused", reason="the journal is not that long")
    journal.drop(index, instruction.through)


@_do.register
def _(instruction: BackupKey, index: Index) -> None:
    restored.take_backup_key(index, instruction)


@_do.register
def _(instruction: Restored, index: Index) -> None:
    restored.take_restored(index, instruction)


def _verified(index: Index, statement: SignedText) -> Instruction:
    """The instruction that the statement key in force signed; a `certificate` may be signed by the key that it brings.

    So a registry whose statement key's year is over, or whose key was stolen, comes back by its root alone.
    """
    signed = statement.signed()
    try:
        signer = signer_of(signed)
        content = open_signed(signed, INSTRUCTION, (signer,))
    except SwaddleError:
        raise Refusal("unsigned") from None
    try:
        instruction = decode_instruction(content)
        parse_instant(instruction.at)
    except SwaddleError:
        instruction = None
    if isinstance(instruction, NewCertificate) and signer != _statement_key_or_none(index):
        with suppress(Refusal):
            if signer == _newer_statement_key(index, instruction):
                return instruction
        raise Refusal("unsigned")
    if signer != trust.statement_key(index):
        raise Refusal("unsigned")
    if instruction is None:
        raise Refusal("malformed")
    return instruction


def _statement_key_or_none(index: Index) -> PublicSigningKey | None:
    try:
        return trust.statement_key(index)
    except Refusal:
        return None


def _newer_statement_key(index: Index, instruction: NewCertificate) -> PublicSigningKey:
    """The key of a certificate that the root signed, in force, and that begins no earlier than the one known here.

    No earlier, so that who has a statement key of last year cannot bring its certificate back.

    Raises:
        Refusal: `refused`.
    """
    root = PublicSigningKey.from_line(index.fact("root") or "")
    signed = instruction.certificate.signed()
    try:
        key = open_certificate(signed, root.fingerprint, index.now())
    except SwaddleError:
        raise Refusal("refused", reason="the certificate does not hold") from None
    known = trust.certificate_text(index).message
    if signed.message != known.encode() and _begins(signed.message) < _begins(known):
        raise Refusal("refused", reason="the certificate is older than the one in force")
    return key


def _begins(certificate: str | bytes) -> str:
    return str(json.loads(certificate)["not_before"])


def _publish(index: Index, text: SignedText, key: PublicSigningKey) -> None:
    """Hand this intake statement out from now on; the one before it is sealed to until its own time is over."""
    known = None if index.fact("intake") is None else trust.intake(index)
    try:
        statement = open_intake(text.signed(), key, index.now(), 0 if known is None else known.sequence, known)
    except SwaddleError:
        raise Refusal(
            "refused", reason="the intake statement does not hold, or is older than the one in force"
        ) from None
    index.set_fact("intake", trust.text_of(text.signed()))
    if known is not None and known.recipient.key_id != statement.recipient.key_id:
        trust.keep_earlier(index, known)


def _check_enrolment(index: Index, instruction: Activate, keys_text: str) -> None:
    """The registry's word about the keys is about these keys and this submitter."""
    try:
        said = open_signed(instruction.enrolment.signed(), ENROLMENT, (trust.statement_key(index),))
    except SwaddleError:
        raise Refusal("refused", reason="the enrolment statement does not hold") from None
    expected = {"keys_sha256": sha256(keys_text.encode("utf-8")).hexdigest(), "submitter": instruction.submitter}
    if said != expected:
        raise Refusal("refused", reason="the enrolment statement is about other keys")


def _fingerprint(index: Index, fact: str) -> str:
    return PublicSigningKey.from_line(index.fact(fact) or "").fingerprint


def _later(index: Index) -> int:
    return seconds(index.now()) + index.settings.tombstone_seconds


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except SwaddleError:
        raise Refusal("malformed") from None
