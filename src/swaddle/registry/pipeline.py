"""The whole story of a submission in one function: read `take_in` aloud.

    gateway ==> pull.fetch -> [ unseal -> read -> validate -> link -> store ] -> acknowledge -> report ==> gateway

Every step either has happened or has not; a kill anywhere is made good by running again (tests/faults). Only here and
in submitter.inbox is anything opened, and the plaintext only ever lies in memory.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

from swaddle.envelope.manifest import parse_manifest
from swaddle.envelope.parts import Span
from swaddle.envelope.positioned import read_at
from swaddle.envelope.refusals import DescriptionMalformed, Replayed, WrongSigner
from swaddle.envelope.signature import MANIFEST, open_signed
from swaddle.envelope.unseal import BodyOpener, Opened, check_envelope, open_envelope
from swaddle.errors import FileFault, IntegrityFault, SwaddleError, UsageFault
from swaddle.intake.opened import memory_file
from swaddle.registry import door, loads
from swaddle.registry.inside import Registry
from swaddle.registry.listening import hear
from swaddle.registry.members import TooLargeToOpen, take_in_members
from swaddle.registry.pull import Held
from swaddle.registry.sheets import take_file
from swaddle.registry.state import Submitter
from swaddle.registry.submission import Load
from swaddle.registry.taking import OneFile, nothing_stored
from swaddle.wire.spoken import KINDS

READ_BYTES = 1_048_576
GONE = "expired"  # the outcome of a transfer that left the gateway before it could be read


@dataclass(frozen=True)
class Outcome:
    """What became of a transfer: stored, refused or unreadable, with its reason.

    `reason` is an error where it could not be taken in at all; a file refused for its rows has them in the report.
    """

    transfer: str
    submitter: str
    outcome: str
    load: Load | None = None
    reason: SwaddleError | None = None
    kind: str | None = None
    stated_subjects: int | None = None

    @property
    def rows(self) -> dict[str, int]:
        """Read = stored + rejected + duplicates; empty where nothing was read."""
        if self.load is None:
            return {}
        return {
            "read": self.load.read,
            "stored": self.load.stored,
            "rejected": self.load.rejected,
            "duplicates": self.load.duplicates,
        }


def take_in(held: Held, at: datetime, inside: Registry) -> Outcome:
    """Open a sealed transfer, check it, store it; what cannot be taken in is refused with its reason, never lost."""
    if (known := loads.load_of(inside.store.connection, held.id)) is not None:
        return stored_before(held, inside, known)
    try:
        opened = unseal(held, inside)
        if opened.description.members is not None:
            one, pieces = file_of(opened), partial(pieces_of, held, opened)
            load, stored = take_in_members(inside, one, pieces, opened.description, at)
            return outcome(opened, opened.description.kind, load, refused=not stored)
        with plaintext_of(held, opened, inside) as (descriptor, digest):
            if opened.description.kind in KINDS:
                load = hear(inside, descriptor, file_of(opened), at)
                return outcome(opened, opened.description.kind, load, refused=False)
            inside.state.update(held.id, content=content_digest(inside, digest))
            taken = take_file(inside, descriptor, digest, file_of(opened), at)
            return outcome(opened, taken.kind, taken.load, refused=taken.refused)
    except IntegrityFault as reason:
        return unreadable(held, inside, reason, at)
    except (FileFault, UsageFault) as reason:
        return refused(opened, inside, reason, at)


def file_of(opened: Opened) -> OneFile:
    """The transfer as a file that is taken in."""
    core = opened.manifest.core
    return OneFile(transfer=core.transfer, submitter=core.submitter, kind=opened.description.kind, sent_at=core.created)


def stored_before(held: Held, inside: Registry, load: Load) -> Outcome:
    """A transfer whose load was committed by a run that was killed before it could say so."""
    row = inside.store.connection.execute(
        "select submitter, outcome, kind from clinical.loads where transfer = ? and member = 0 and sheet = 0", [held.id]
    ).fetchone()
    assert row is not None
    return Outcome(held.id, row[0], row[1], load=load, kind=row[2])


def unseal(held: Held, inside: Registry) -> Opened:
    """Check everything that is signed, then open header and description.

    Raises:
        swaddle.envelope.refusals: not whole, not for us, not signed by an enrolled submitter, or met before.
    """
    stated = parse_manifest(held.manifest.message)
    core = stated.core
    sender = inside.state.submitter(core.submitter)
    if sender is None:
        raise WrongSigner
    if stated.door is not None:
        signer = door.signer_of(inside, core.transfer, sender, stated.door, held.manifest)
    elif sender.signing_key is not None and is_from_before_its_revocation(inside, core.transfer, sender):
        signer = sender.signing_key
    else:
        raise WrongSigner
    seen = {core.transfer} if inside.state.is_ended(core.transfer) else set()
    manifest = check_envelope(held.manifest, held.header, held.description, [signer], seen)
    if core.transfer != held.id:
        raise Replayed
    pair = inside.intake_keys.pair(core.recipient)
    return open_envelope(manifest, held.header, held.description, {} if pair is None else {core.recipient: pair})


def is_from_before_its_revocation(inside: Registry, transfer: str, sender: Submitter) -> bool:
    """Whether the sender's key was good when the gateway took this transfer, by the order of custody.

    The order of our own ledger and no clock: a gateway that is hacked and has the stolen key could backdate.
    """
    assert sender.signing_key is not None
    revoked_by = inside.state.revoked_by(sender.signing_key.fingerprint)
    if revoked_by is None:
        return True
    entries = inside.ledger.newest(transfer)
    return any(entry.event == "transfer-held" and entry.sequence < revoked_by for entry in entries)


@contextmanager
def plaintext_of(held: Held, opened: Opened, inside: Registry) -> Iterator[tuple[int, str]]:
    """The opened body in memory, nameless, gone at the end of the block: (descriptor, SHA-256).

    Raises:
        TooLargeToOpen: over the registry's limit.
        swaddle.envelope.refusals: a part is not what was signed.
    """
    layout = opened.manifest.core.layout
    if layout.plaintext_bytes > inside.settings.opened_limit_bytes:
        raise TooLargeToOpen("it is over the registry's limit for one file")
    descriptor = memory_file(layout.plaintext_bytes)
    try:
        digest = open_body(held, opened, descriptor)
        told = {entry.sha256 for entry in opened.description.files} - {None}  # the door tells none of what it seals
        if told - {digest}:
            raise DescriptionMalformed("it tells of another file than the body holds")
        yield descriptor, digest
    finally:
        os.close(descriptor)


def open_body(held: Held, opened: Opened, descriptor: int) -> str:
    """Open all parts into `descriptor`; the plaintext's SHA-256, hex, taken in a thread behind the opening.

    Raises:
        swaddle.envelope.refusals: a part is not what was signed.
    """
    opener, digest, room = BodyOpener(opened), sha256(), bytearray()
    layout = opened.manifest.core.layout
    with ThreadPoolExecutor(1, "swaddle-digest") as behind:
        hashing = []
        for number in range(layout.parts):
            with held.read_part(number, room) as sealed:
                opener.open_part(number, sealed, descriptor, is_checked=number in held.checked)
            span = layout.span(number)
            hashing.append(behind.submit(_digest, descriptor, span, digest.update))
    for future in hashing:
        future.result()
    opener.finish()
    return digest.hexdigest()


def _digest(descriptor: int, span: Span, update: Callable[[memoryview], object]) -> None:
    buffer = memoryview(bytearray(min(READ_BYTES, span.plaintext_bytes)))
    for at in range(0, span.plaintext_bytes, READ_BYTES):
        piece = buffer[: min(READ_BYTES, span.plaintext_bytes - at)]
        read_at(descriptor, piece, span.plaintext_offset + at)
        update(piece)


def content_digest(inside: Registry, digest: str) -> str:
    """What is kept of a file's content to know it again: keyed, for a bare digest would confirm a guess."""
    return hmac.digest(inside.store.subject_key, b"content\x00" + digest.encode("ascii"), "sha256").hex()


def pieces_of(held: Held, opened: Opened) -> Iterator[memoryview]:
    """The opened body, part by part; each piece is one part in memory.

    Raises:
        swaddle.envelope.refusals: a part is not what was signed.
    """
    opener, room = BodyOpener(opened), bytearray()
    for number in range(opened.manifest.core.layout.parts):
        piece = bytearray()
        with held.read_part(number, room) as sealed:
            opener.open_part(number, sealed, piece.extend, is_checked=number in held.checked)
        yield memoryview(piece)
    opener.finish()


def outcome(opened: Opened, kind: str | None, load: Load, *, refused: bool) -> Outcome:
    """A submission that was read to its end: stored, or refused for its rows."""
    core = opened.manifest.core
    return Outcome(
        core.transfer, core.submitter, "refused" if refused else "stored",
        load=load, kind=kind, stated_subjects=opened.description.subject_count,
    )  # fmt: skip


def refused(opened: Opened, inside: Registry, reason: FileFault | UsageFault, at: datetime) -> Outcome:
    """No data set, or none that can be read: the reason is stored before the transfer is acknowledged."""
    core = opened.manifest.core
    load = nothing_stored(inside, file_of(opened), "refused", reason, at)
    return Outcome(
        core.transfer, core.submitter, "refused",
        load=load, reason=reason, kind=opened.description.kind, stated_subjects=opened.description.subject_count,
    )  # fmt: skip


def unreadable(held: Held, inside: Registry, reason: IntegrityFault, at: datetime) -> Outcome:
    """Not whole, not ours or not theirs. Its sender is told only if the signature shows who that is."""
    submitter = sender_of(held, inside)
    if submitter:
        nothing_stored(inside, OneFile(transfer=held.id, submitter=submitter), "unreadable", reason, at)
    return Outcome(held.id, submitter, "unreadable", reason=reason)


def sender_of(held: Held, inside: Registry) -> str:
    """The submitter whose signature the manifest bears; empty where it bears none that is known."""
    by_door = door.sender_of(inside, held.manifest)
    if by_door is not None:
        return by_door
    for known in inside.state.submitters():
        if known.signing_key is not None:
            try:
                open_signed(held.manifest, MANIFEST, [known.signing_key])
            except IntegrityFault:
                continue
            return known.id
    return ""
