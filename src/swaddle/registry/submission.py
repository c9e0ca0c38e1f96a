"""What is stored about a submission besides its rows, and what a load came to. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swaddle.registry.records import MISSING
from swaddle.registry.views import BIRTH_FORM


@dataclass(frozen=True)
class Load:
    """What a load did: rows_read = stored + rejected + duplicates."""

    load_id: int
    read: int
    stored: int
    rejected: int
    duplicates: int


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is stored about a submission besides its rows.

    Attributes:
        member: the number of its file in a pack, from 1; 0 for a transfer that is one file, and for a pack as a whole.
        sheet: the number of its sheet in a file of several, from 1; 0 for a file of one, and for the file as a whole.
        is_linked: false where its rows could not be read as what they are, so that nobody knows who is in them.
        rows_stored: what a whole of several came to.
    """

    transfer: str
    submitter: str
    outcome: str
    kind: str | None
    dictionary_version: str
    at: datetime
    rows_read: int
    rows_rejected: int
    warnings: int
    carried: tuple[str, ...]
    not_carried: tuple[str, ...]
    report: dict[str, Any]
    rejected_csv: bytes
    member: int = 0
    sheet: int = 0
    form: str = BIRTH_FORM
    is_linked: bool = True
    rows_stored: int = 0


def carried_of(submission: Submission, columns: tuple[str, ...]) -> list[str]:
    """Those of `columns` that this layout carries; of the others `loads.not_carried` says that it does not."""
    carried = {column for name in submission.carried for column in (name, name + MISSING)}
    return [name for name in columns if name in carried]
