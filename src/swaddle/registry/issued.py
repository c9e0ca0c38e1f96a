"""Reports as they were issued: kept before they are sent, and returned byte for byte, whatever is in the registry now.

Data move on, so a report that is made again says something else. What somebody was told stays what they were told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from swaddle import durable
from swaddle.canonical import format_instant
from swaddle.errors import IntegrityFault, NotThere
from swaddle.feedback.bundle import unpack
from swaddle.registry.inside import Registry
from swaddle.registry.store import Store


class ReportChanged(IntegrityFault):
    """A kept report is not what was issued."""

    code = "SWD-REG-95"
    what = "a report that was issued is not as it was"
    why = "its digest is another one: the disk is failing, or somebody changed it"
    fix = "restore the store from a backup, and treat it as an incident until explained"


@dataclass(frozen=True)
class Issued:
    """A report as it was sent."""

    transfer: str
    submitter: str
    issued_at: str
    sha256: str
    bundle: bytes


def keep(store: Store, transfer: str, submitter: str, bundle: bytes, at: datetime) -> None:
    """Keep a report before it is sent; one that is there already stays."""
    if of(store, transfer) is None:
        store.connection.execute(
            "insert into identifiers.issued values (?, ?, ?, ?, ?)",
            [transfer, submitter, at.astimezone(UTC).replace(tzinfo=None), sha256(bundle).hexdigest(), bundle],
        )


def of(store: Store, transfer: str) -> Issued | None:
    """The report on a transfer as it was issued, if it was.

    Raises:
        ReportChanged: it is not what was kept.
    """
    row = store.connection.execute(
        "select transfer, submitter, issued_at, sha256, bundle from identifiers.issued where transfer = ?", [transfer]
    ).fetchone()
    if row is None:
        return None
    bundle = bytes(row[4])
    if sha256(bundle).hexdigest() != row[3]:
        raise ReportChanged
    return Issued(row[0], row[1], format_instant(row[2].replace(tzinfo=UTC)), row[3], bundle)


def write(inside: Registry, transfer: str, out: str) -> dict[str, object]:
    """Write an issued report's files into a folder.

    Raises:
        NotThere: no report on that transfer was issued.
        ReportChanged: it is not what was kept.
    """
    found = of(inside.store, transfer)
    if found is None:
        raise NotThere
    folder = Path(out)
    durable.make_folder(folder)
    files = unpack(memoryview(found.bundle))
    for name, data in files.items():
        durable.write_file(folder / name, data)
    return {
        "transfer": found.transfer,
        "submitter": found.submitter,
        "issued_at": found.issued_at,
        "sha256": found.sha256,
        "files": [str(folder / name) for name in files],
    }
