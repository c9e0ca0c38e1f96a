"""What a sender does: announce, parts, finish. Each an operation on the index; bytes are stored elsewhere."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from swaddle.canonical import NotCanonical, format_instant, parse_instant
from swaddle.envelope import suite
from swaddle.envelope.manifest import Core, Manifest, parse_manifest
from swaddle.envelope.parts import Layout
from swaddle.envelope.refusals import ManifestMalformed
from swaddle.envelope.signature import HELD, MANIFEST, PublicSigningKey, open_signed, sign
from swaddle.errors import SwaddleError
from swaddle.gateway import journal, quotas, rows, trust
from swaddle.gateway.access import Kind, Who, must_send
from swaddle.gateway.index import Index, seconds
from swaddle.gateway.refusal import Refusal
from swaddle.gateway.transfer import FINAL, Event
from swaddle.wire.messages import Announce, Announced, Finish, SignedText, encode

MOST_PARTS = 50_000  # their digests stay under the 4 MiB of a JSON body
CLOCK_SLACK = timedelta(minutes=5)
HEADER_BYTES = 124 + suite.SEALED_EXTRA_BYTES
MOST_DOOR_HEADER_BYTES = 65_536  # a file that came sealed to several readers keeps its header, sealed once more
DESCRIPTION_STEP_BYTES = 4096
MOST_DESCRIPTION_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Place:
    """Where a part may go: its exact length, and the digest of what is there already."""

    expected_bytes: int
    present_sha256: str | None


def announce(index: Index, who: Who, message: Announce, free_bytes: int) -> tuple[Announced, bool]:
    """The transfer of this reference: made now (True), or made before (False).

    Raises:
        Refusal: `refused` with the reason, `too-large`, `busy` at the sender's quota, `full`, `conflict` when the
            reference stands for something else.
    """
    reference = sha256(base64.b64decode(message.reference)).hexdigest()
    known = rows.find_by_reference(index, who.id, reference)
    if known is not None:
        stated = (message.recipient, message.body_bytes, message.part_bytes)
        # What has ended no longer says how long it was: its sender asks for the transfer and is told how it ended.
        if known.state is not FINAL and stated != (known.recipient, known.body_bytes, known.part_bytes):
            raise Refusal("conflict", state=known.state.value)
        return Announced(id=known.id, expires=format_instant(known.expires)), False
    reader, expires = _recipient(index, who, message)
    _check_size(index, who, message, free_bytes)
    transfer = index.new_id()
    now = index.now()
    index.write(
        "INSERT INTO transfers (id, reference_sha256, sender, reader, state, created, expires, forget_at, recipient,"
        " body_bytes, part_bytes) VALUES (?, ?, ?, ?, 'announced', ?, ?, ?, ?, ?, ?)",
        transfer, reference, who.id, reader, seconds(now), expires,
        expires + index.settings.tombstone_seconds, message.recipient, message.body_bytes, message.part_bytes,
    )  # fmt: skip
    journal.append(
        index, "announced", transfer,
        sender=who.id, reader=reader, recipient=message.recipient,
        body_bytes=message.body_bytes, expires=message.expires,
    )  # fmt: skip
    return Announced(id=transfer, expires=message.expires), True


def place_for_part(index: Index, who: Who, transfer: str, number: int, length: int) -> Place:
    """Where part `number` may go, before a byte of it is read.

    Raises:
        Refusal: `not-found`, `conflict`, or `refused` when it is no part of this transfer.
    """
    row = _own(index, who, transfer)
    layout = Layout.from_body(row.body_bytes, row.part_bytes)
    if number >= layout.parts or length != layout.span(number).body_bytes:
        raise Refusal("refused", reason="no part of this transfer has that number and length")
    present = index.row("SELECT sha256 FROM parts WHERE transfer = ? AND number = ?", transfer, number)
    return Place(length, None if present is None else present["sha256"])


def record_part(
    index: Index, who: Who, transfer: str, number: int, body: str, size_bytes: int, digest: str
) -> str | None:
    """Record a kept part; the body that it replaces, or the new one itself if the same bytes are there already.

    Raises:
        Refusal: `not-found` or `conflict`, if the transfer changed meanwhile; the new body is the caller's.
    """
    row = _own(index, who, transfer)
    old = index.row("SELECT body, sha256 FROM parts WHERE transfer = ? AND number = ?", transfer, number)
    if old is not None and old["sha256"] == digest:
        return body
    state = rows.change(index, row, Event.PART)
    if state is not row.state:
        journal.append(index, "receiving", transfer)
    index.write("INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?)", transfer, number, body, size_bytes, digest)
    return None if old is None else str(old["body"])


def is_recorded(index: Index, body: str) -> bool:
    """Whether a row knows this stored body."""
    return index.row("SELECT 1 FROM parts WHERE body = ?", body) is not None


@dataclass(frozen=True)
class ByDoor:
    """What came by the SFTP door: the door's key signs its manifest, which names the SSH key that brought it."""

    key: PublicSigningKey
    ssh_key: str


def finish(index: Index, who: Who, transfer: str, message: Finish, door: ByDoor | None = None) -> SignedText:
    """Verify what can be seen without opening; the signed held statement. The same finish gives the same answer.

    Raises:
        Refusal: `not-found`, `conflict`, or `refused`: then the transfer has ended.
    """
    row = rows.find(index, transfer)
    must_send(who, None if row is None else row.parties)
    assert row is not None
    digest = sha256(encode(message)).hexdigest()
    if row.finish_sha256 == digest and row.held is not None:
        return trust.signed_text(row.held)
    rows.must_be_in_time(index, row)
    rows.next_state(row, Event.FINISH)
    try:
        header, description = _sealed_pieces(message, MOST_DOOR_HEADER_BYTES if door else HEADER_BYTES)
        manifest = _verified(index, who, row, message, header, description, door)
    except _Wrong as wrong:
        refuse(index, row)
        raise Refusal("refused", reason=wrong.reason, keep=True) from None
    rows.change(index, row, Event.FINISH)
    manifest_sha256 = sha256(message.manifest.message.encode("utf-8")).hexdigest()
    statement = {
        "at": format_instant(index.now()),
        "body_bytes": row.body_bytes,
        "expires": format_instant(row.expires),
        "manifest_sha256": manifest_sha256,
        "transfer": transfer,
    }
    held = SignedText.of(sign(HELD, statement, index.journal_key))
    index.write(
        "UPDATE transfers SET manifest = ?, manifest_sha256 = ?, header = ?, description = ?, finish_sha256 = ?,"
        " held = ? WHERE id = ?",
        trust.text_of(message.manifest.signed()), manifest_sha256, header, description, digest,
        encode(held).decode(), transfer,
    )  # fmt: skip
    journal.append(
        index, "held", transfer,
        sender=row.parties.sender, reader=row.parties.reader, recipient=row.recipient,
        body_bytes=row.body_bytes, manifest_sha256=manifest_sha256, parts=len(manifest.core.parts),
        **({} if door is None else {"door": door.ssh_key}),
    )  # fmt: skip
    return held


def refuse(index: Index, row: rows.Row) -> None:
    """End a transfer that cannot be taken; its bytes are destroyed by the caller or the next sweep."""
    rows.change(index, row, Event.REFUSE)
    index.write("UPDATE transfers SET outcome = 'not-taken' WHERE id = ?", row.id)
    journal.append(index, "refused", row.id)


class _Wrong(Exception):
    """Something of a finish that does not verify."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _own(index: Index, who: Who, transfer: str) -> rows.Row:
    """A transfer that its sender may still send parts of."""
    row = rows.find(index, transfer)
    must_send(who, None if row is None else row.parties)
    assert row is not None
    if who.id in index.revoked:
        raise Refusal("unsigned")
    rows.must_be_in_time(index, row)
    rows.next_state(row, Event.PART)
    return row


def _recipient(index: Index, who: Who, message: Announce) -> tuple[str, int]:
    """The reader's id and the moment of expiry, as the rows keep it."""
    now = index.now()
    try:
        expires = parse_instant(message.expires)
    except NotCanonical:
        raise Refusal("malformed") from None
    if who.kind is Kind.SUBMITTER:
        epoch = trust.epoch_of(index, message.recipient)
        if epoch is None or now > epoch.seal_until:
            raise Refusal("refused", reason="not an intake key that is sealed to now")
        if expires > epoch.destroy_by:
            raise Refusal("refused", reason="it would outlive the intake key")
        reader, longest = trust.registry_id(index), index.settings.submission_seconds
    else:
        row = index.row("SELECT id FROM submitters WHERE key_id = ? AND NOT revoked", message.recipient)
        if row is None:
            raise Refusal("refused", reason="no submitter has that sealing key")
        reader, longest = row["id"], index.settings.feedback_seconds
    if not now < expires <= now + timedelta(seconds=longest) + CLOCK_SLACK:
        raise Refusal("refused", reason="its expiry is past or too far away")
    return reader, seconds(expires)


def _check_size(index: Index, who: Who, message: Announce, free_bytes: int) -> None:
    settings = index.settings
    if message.body_bytes > settings.body_bytes:
        raise Refusal("too-large")
    try:
        layout = Layout.from_body(message.body_bytes, message.part_bytes)
    except ManifestMalformed:
        raise Refusal("refused", reason="no body has that length") from None
    if layout.parts > MOST_PARTS:
        raise Refusal("refused", reason="too many parts; use larger ones")
    if who.kind is Kind.SUBMITTER:  # reports that nobody fetches must not stop the reports of everybody else
        count, total = rows.alive_of_sender(index, who.id)
        quota = quotas.quota_of(index, who.id)
        standing = quotas.Standing(count, total, quotas.last_hour(index, who.id, quota))
        reason = quotas.over(quota, standing, message.body_bytes)
        if reason is not None:
            raise Refusal("busy", reason=reason)
    if rows.promised_bytes(index) + message.body_bytes > free_bytes - settings.reserve_bytes:
        raise Refusal("full")


def _sealed_pieces(message: Finish, most_header_bytes: int) -> tuple[bytes, bytes]:
    try:
        header = base64.b64decode(message.header, validate=True)
        description = base64.b64decode(message.description, validate=True)
    except ValueError:
        raise _Wrong("header or description is not base64") from None
    if not HEADER_BYTES <= len(header) <= most_header_bytes:
        raise _Wrong("the header has another length")
    inner = len(description) - suite.SEALED_EXTRA_BYTES
    if inner % DESCRIPTION_STEP_BYTES or not 0 < inner <= MOST_DESCRIPTION_BYTES:
        raise _Wrong("the description has a length that none has")
    return header, description


def _verified(
    index: Index, who: Who, row: rows.Row, message: Finish, header: bytes, description: bytes, door: ByDoor | None
) -> Manifest:
    """The manifest, once all that can be seen of it holds."""
    try:
        signed = message.manifest.signed()
        open_signed(signed, MANIFEST, (trust.signer(index, who) if door is None else door.key,))
        manifest = parse_manifest(signed.message)
    except SwaddleError:
        raise _Wrong("the manifest or its signature does not hold") from None
    if manifest.door != (None if door is None else door.ssh_key):
        raise _Wrong("the manifest tells of another way in")
    core = manifest.core
    if not _core_fits(core, row):
        raise _Wrong("the manifest is not of what was announced")
    if manifest.header_sha256 != sha256(header).hexdigest():
        raise _Wrong("the header is not the one that was signed")
    if manifest.description_sha256 != sha256(description).hexdigest():
        raise _Wrong("the description is not the one that was signed")
    parts = index.rows("SELECT number, bytes, sha256 FROM parts WHERE transfer = ? ORDER BY number", row.id)
    layout = core.layout
    expected = [(n, layout.span(n).body_bytes, digest) for n, digest in enumerate(core.parts)]
    if [tuple(part) for part in parts] != expected:
        raise _Wrong("a part is missing or is not the one that was signed")
    return manifest


def _core_fits(core: Core, row: rows.Row) -> bool:
    return (
        core.transfer == row.id
        and core.submitter == row.parties.sender
        and core.recipient == row.recipient
        and core.body_bytes == row.body_bytes
        and core.part_bytes == row.part_bytes
        and core.expires == row.expires
    )
