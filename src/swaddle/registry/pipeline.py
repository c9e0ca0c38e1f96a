"""The whole story of a submission in one function: read `take_in` aloud.

    gateway ==> pull.fetch -> [ unseal -> read -> validate -> link -> store ] -> acknowledge -> report ==> gateway

Every step either has happened or has not; a kill anywhere is made good by running again (tests/faults). Only here and
in submitter.inbox is anything opened, and the plaintext only ever lies in memory.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import duckdb

from swaddle.canonical import format_instant
from swaddle.durable import write_all
from swaddle.envelope.manifest import parse_manifest
from swaddle.envelope.refusals import DescriptionMalformed, Replayed, WrongSigner
from swaddle.envelope.signature import MANIFEST, open_signed
from swaddle.envelope.unseal import BodyOpener, Opened, check_envelope, open_envelope
from swaddle.errors import FileFault, IntegrityFault, SwaddleError, UsageFault
from swaddle.intake.link import link
from swaddle.intake.mapping import load_builtin
from swaddle.intake.opened import memory_file
from swaddle.intake.read import read
from swaddle.intake.tables import Checked, Staged
from swaddle.intake.validate import report_json, validate, write_rejected_csv
from swaddle.registry import loads
from swaddle.registry.inside import Registry
from swaddle.registry.loads import Load, Submission, store
from swaddle.registry.pull import Held

GONE = "expired"  # the outcome of a transfer that left the gateway before it could be read
SAMPLE_ROWS = 12  # on the page; all of them are in rejected.csv


class TooLargeToOpen(FileFault):
    """The data set is larger than this registry opens in memory."""

    code = "SWD-REG-31"
    what = "this data set is too large to be opened in one piece"
    fix = "send it in several files, or ask the registry to raise opened_limit_bytes"


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
        with plaintext_of(held, opened, inside) as (descriptor, digest), closing(inside.store.cursor()) as tables:
            staged = read(
                descriptor, os.fstat(descriptor).st_size,
                kind=kind_of(opened), mapping=None, file_digest=digest, connection=tables,
            )  # fmt: skip
            submitter = opened.manifest.core.submitter
            sites = sites_of(inside, submitter)
            checked = validate(staged, inside.store.dictionary, tables, submitter=submitter, sites=sites, at=at)
            link(tables, submitter=submitter, file_digest=digest, subject_key=inside.store.subject_key)
            load = store(inside.store, tables, submission(opened, staged, checked, tables, at))
            return outcome(opened, checked, load)
    except IntegrityFault as reason:
        return unreadable(held, inside, reason, at)
    except (FileFault, UsageFault) as reason:
        return refused(opened, inside, reason, at)


def kind_of(opened: Opened) -> str | None:
    """The layout that the sender named, if there is one of that name; else it is recognised by its columns."""
    return opened.description.kind if opened.description.kind in load_builtin() else None


def sites_of(inside: Registry, submitter: str) -> set[str] | None:
    """The site ids registered to a submitter; None where none is, so that any will do."""
    known = inside.state.submitter(submitter)
    return set(known.sites) if known is not None and known.sites else None


def stored_before(held: Held, inside: Registry, load: Load) -> Outcome:
    """A transfer whose load was committed by a run that was killed before it could say so."""
    row = inside.store.connection.execute(
        "select submitter, outcome, kind from clinical.loads where transfer = ?", [held.id]
    ).fetchone()
    assert row is not None
    return Outcome(held.id, row[0], row[1], load=load, kind=row[2])


def unseal(held: Held, inside: Registry) -> Opened:
    """Check everything that is signed, then open header and description.

    Raises:
        swaddle.envelope.refusals: not whole, not for us, not signed by an enrolled submitter, or met before.
    """
    core = parse_manifest(held.manifest.message).core
    sender = inside.state.submitter(core.submitter)
    if sender is None or sender.signing_key is None:
        raise WrongSigner
    seen = {core.transfer} if inside.state.is_ended(core.transfer) else set()
    manifest = check_envelope(held.manifest, held.header, held.description, [sender.signing_key], seen)
    if core.transfer != held.id:
        raise Replayed
    pair = inside.intake_keys.pair(core.recipient)
    return open_envelope(manifest, held.header, held.description, {} if pair is None else {core.recipient: pair})


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
        opener, digest = BodyOpener(opened), sha256()

        def take(piece: memoryview) -> None:
            digest.update(piece)
            write_all(descriptor, piece)

        for number in range(layout.parts):
            opener.open_part(number, held.part_path(number).read_bytes(), take)
        opener.finish()
        if [entry.sha256 for entry in opened.description.files] != [digest.hexdigest()]:
            raise DescriptionMalformed("it tells of another file than the body holds")
        yield descriptor, digest.hexdigest()
    finally:
        os.close(descriptor)


def submission(
    opened: Opened, staged: Staged, checked: Checked, tables: duckdb.DuckDBPyConnection, at: datetime
) -> Submission:
    """What is stored besides the rows: the quality report and the rejected rows as they came."""
    core = opened.manifest.core
    rejected = io.BytesIO()
    rejected_rows = write_rejected_csv(tables, rejected)
    known = set(checked.not_carried)
    return Submission(
        transfer=core.transfer,
        submitter=core.submitter,
        outcome="refused" if checked.refused else "stored",
        kind=checked.kind,
        dictionary_version=checked.dictionary_version,
        at=at,
        rows_read=checked.rows_read,
        rows_rejected=checked.rejected,
        warnings=sum(found.count for found in checked.findings if found.severity == "warning"),
        carried=tuple(name for name in staged.mapping.fields if name not in known),
        not_carried=checked.not_carried,
        report={
            "checked": report_json(checked, core.transfer),
            "rejected": rejected_sample(tables, checked),
            "file_kind": checked.title,
            "received_at": format_instant(at),
            "dictionary_version": checked.dictionary_version,
            "not_carried": list(checked.not_carried),
            "reason": None,
        },
        rejected_csv=rejected.getvalue() if rejected_rows else b"",
    )


def rejected_sample(tables: duckdb.DuckDBPyConnection, checked: Checked) -> list[dict[str, Any]]:
    """The first findings on rejected rows in the order of the file, with the submitter's own record number."""
    words = {(found.rule, found.field): (found.text, found.fix) for found in checked.findings}
    rows = tables.execute(
        "select line, coalesce(local_record_id, ''), rule, field, coalesce(value, '')"
        " from checked_findings join checked_rows using (line)"
        " where severity = 'error' and verdict = 'rejected' order by line, rule limit $most",
        {"most": SAMPLE_ROWS},
    ).fetchall()
    return [
        {"line": line, "record": "" if checked.keys_derived else record, "field": field, "value": value,
         "rule": rule, "text": words.get((rule, field), ("", ""))[0], "fix": words.get((rule, field), ("", ""))[1]}
        for line, record, rule, field, value in rows
    ]  # fmt: skip


def outcome(opened: Opened, checked: Checked, load: Load) -> Outcome:
    """A submission that was read to its end: stored, or refused for its rows."""
    core = opened.manifest.core
    return Outcome(
        core.transfer, core.submitter, "refused" if checked.refused else "stored",
        load=load, kind=checked.kind, stated_subjects=opened.description.subject_count,
    )  # fmt: skip


def refused(opened: Opened, inside: Registry, reason: FileFault | UsageFault, at: datetime) -> Outcome:
    """No data set, or none that can be read: the reason is stored before the transfer is acknowledged."""
    core = opened.manifest.core
    load = nothing_stored(inside, core.transfer, core.submitter, "refused", opened.description.kind, reason, at)
    return Outcome(
        core.transfer, core.submitter, "refused",
        load=load, reason=reason, kind=opened.description.kind, stated_subjects=opened.description.subject_count,
    )  # fmt: skip


def unreadable(held: Held, inside: Registry, reason: IntegrityFault, at: datetime) -> Outcome:
    """Not whole, not ours or not theirs. Its sender is told only if the signature shows who that is."""
    submitter = sender_of(held, inside)
    if submitter:
        nothing_stored(inside, held.id, submitter, "unreadable", None, reason, at)
    return Outcome(held.id, submitter, "unreadable", reason=reason)


def sender_of(held: Held, inside: Registry) -> str:
    """The submitter whose signature the manifest bears; empty where it bears none that is known."""
    for known in inside.state.submitters():
        if known.signing_key is not None:
            try:
                open_signed(held.manifest, MANIFEST, [known.signing_key])
            except IntegrityFault:
                continue
            return known.id
    return ""


def nothing_stored(
    inside: Registry, transfer: str, submitter: str, outcome: str, kind: str | None, reason: SwaddleError, at: datetime
) -> Load:
    """A load without rows that keeps the reason, so that the submitter's report can tell it."""
    what, why, fix = reason.lines()
    told: dict[str, Any] = {"code": reason.code, "what": what, "why": why, "fix": fix}
    empty = Submission(
        transfer=transfer, submitter=submitter, outcome=outcome, kind=kind,
        dictionary_version=inside.store.dictionary.version, at=at, rows_read=0, rows_rejected=0, warnings=0,
        carried=(), not_carried=(),
        report={
            "checked": None, "file_kind": kind, "received_at": format_instant(at),
            "dictionary_version": inside.store.dictionary.version, "not_carried": [], "reason": told,
        },
        rejected_csv=b"",
    )  # fmt: skip
    with closing(inside.store.cursor()) as tables:
        return store(inside.store, tables, empty)
