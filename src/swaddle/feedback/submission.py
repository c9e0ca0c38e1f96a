"""What the registry knows about one submission when it reports: values that the page and the JSON are made of.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from swaddle.dictionary.words import Language
from swaddle.errors import OurBug
from swaddle.feedback.trend import Sent


class DoesNotAddUp(OurBug):
    """Rows read are not the rows stored, rejected and duplicate."""

    code = "SWD-FEED-04"
    what = "the rows of a report do not add up"
    why = "read is not stored + rejected + duplicates"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What became of the rows of a file: read = stored + rejected + duplicates, always."""

    read: int = 0
    stored: int = 0
    rejected: int = 0
    duplicates: int = 0

    def __post_init__(self) -> None:
        """Refuse counts that a reader could not add up."""
        if self.read != self.stored + self.rejected + self.duplicates:
            raise DoesNotAddUp


@dataclass(frozen=True, kw_only=True)
class RejectedRow:
    """One finding on one rejected row, for the page's sample; the whole list is rejected.csv."""

    line: int
    field: str
    value: str
    rule: str
    text: str
    fix: str
    record: str = ""
    file: str = ""
    where: str = ""
    text_fr: str = ""
    fix_fr: str = ""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A record that waits for another one, by its submitter's own number."""

    line: int
    rule: str
    form: str
    record: str
    event: str


@dataclass(frozen=True, kw_only=True)
class FileResult:
    """What became of one file of a folder, and why where it was not taken in."""

    name: str
    outcome: str
    rows: Rows
    why: str = ""
    fix: str = ""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why nothing of a file was stored: an error's three lines; in French where there are any."""

    what: str
    why: str
    fix: str
    why_fr: str = ""
    fix_fr: str = ""

    def told(self, language: Language) -> Refusal:
        """The same in a language."""
        if language == "en":
            return self
        return replace(self, why=self.why_fr or self.why, fix=self.fix_fr or self.fix)


@dataclass(frozen=True, kw_only=True)
class SubmissionReport:
    """What the registry knows about one submission when it reports.

    Attributes:
        transfer: its id.
        submitter_name: the organisation's name as the registry has it.
        file_kind: the layout in words ("births", "NCHS natality 2006").
        checked: the object of `check --json`, with `rows` as they were finally stored; `files` where many came in one.
        not_carried: dictionary fields that the layout does not have.
        refused: why nothing was stored, when nothing was.
        deadlines: sentences with dates, shown with what to do next; deadlines_fr the same in French.
        left_out: births of this submitter that no indicator counts, because somebody asked so.
        rejected: a sample for the page; without it the findings' examples are shown.
        earlier: what this submitter's files came to, oldest first, this one included.
        is_notice: no file was sent; it tells of records that wait for another one (`checked["waiting"]`).
    """

    transfer: str
    submitter_name: str
    file_kind: str
    received_at: datetime
    as_of: datetime
    dictionary_version: str
    checked: Mapping[str, Any]
    not_carried: tuple[str, ...] = ()
    refused: Refusal | None = None
    deadlines: tuple[str, ...] = ()
    deadlines_fr: tuple[str, ...] = ()
    left_out: int = 0
    rejected: tuple[RejectedRow, ...] = ()
    earlier: tuple[Sent, ...] = ()
    is_notice: bool = False

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The records of a notice, line by line."""
        return tuple(
            Waiting(
                line=int(each["line"]),
                rule=str(each["rule"]),
                form=str(each["form"]),
                record=str(each["record"]),
                event=str(each["event"]),
            )
            for each in self.checked.get("waiting", ())
        )

    @property
    def rows(self) -> Rows:
        """The rows of `checked`; a file that could not be read has none."""
        counts = self.checked.get("rows", {})
        return Rows(**{name: int(counts.get(name, 0)) for name in ("read", "stored", "rejected", "duplicates")})

    def sample(self) -> tuple[RejectedRow, ...]:
        """Rejected rows to show, in the order of the file."""
        rows = self.rejected or tuple(
            RejectedRow(
                line=int(example["line"]),
                record=str(example.get("record", "")),
                file=str(example.get("file", "")),
                field=str(example["field"]),
                value=str(example["value"]),
                rule=str(found["rule"]),
                text=str(found["text"]),
                fix=str(found["fix"]),
                where=str(example.get("where", self.where)),
                text_fr=str(found.get("text_fr", "")),
                fix_fr=str(found.get("fix_fr", "")),
            )
            for found in self.checked.get("findings", ())
            if found["severity"] == "error"
            for example in found.get("examples", ())
        )
        return tuple(sorted(rows, key=lambda row: (row.file, row.line, row.rule)))

    @property
    def where(self) -> str:
        """What a line of this file is called: line, row, record, message, entry."""
        return str(self.checked.get("where", "line"))

    @property
    def files(self) -> tuple[FileResult, ...]:
        """What became of each file of a folder, those that need somebody first; nothing where one file was sent."""
        found = [
            FileResult(
                name=str(each["name"]),
                outcome=str(each["outcome"]),
                rows=Rows(**each["rows"]),
                why=str((each["reason"] or {}).get("why", "")),
                fix=str((each["reason"] or {}).get("fix", "")),
            )
            for each in self.checked.get("files", ())
        ]
        return tuple(sorted(found, key=lambda file: (file.outcome == "stored", -file.rows.rejected)))
