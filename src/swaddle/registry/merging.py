"""One report out of those on the files of a pack or the sheets of a file: sums, findings, what became of each. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from swaddle.canonical import format_instant
from swaddle.intake.merged import FILE, WHERE, Findings, joined
from swaddle.intake.sheet import LINE
from swaddle.registry.submission import Submission
from swaddle.registry.taking import SAMPLE_ROWS, OneFile


@dataclass(frozen=True)
class MemberResult:
    """What the store keeps of one file of a pack, in the order that it is asked for."""

    outcome: str
    kind: str | None
    read: int
    stored: int
    rejected: int
    duplicates: int
    warnings: int
    not_carried: Sequence[str]
    report: str
    rejected_csv: bytes


class Merged:
    """The members of a pack, added one after another."""

    def __init__(self, transfer: str, part: str = FILE) -> None:
        """Nothing is added yet; `part` is what each is called: a file of a pack, a sheet of a file."""
        self._transfer = transfer
        self._part = part
        self._rows: Counter[str] = Counter()
        self._records: Counter[str] = Counter()
        self._findings = Findings()
        self._files: list[dict[str, Any]] = []
        self._kinds: set[str] = set()
        self._titles: set[str] = set()
        self._not_carried: set[str] | None = None
        self._sample: list[dict[str, Any]] = []
        self._rejected: list[tuple[str, bytes]] = []
        self._life: Counter[str] = Counter()
        self._answered = 0
        self._answers: dict[tuple[str, str], dict[str, Any]] = {}
        self._places: set[str] = set()
        self._is_stored = False

    def add(self, member: MemberResult) -> None:
        """The next file of the pack."""
        kept = json.loads(member.report)
        name, checked, reason = str(kept[FILE]), kept["checked"], kept["reason"]
        rows = {name: getattr(member, name) for name in ("read", "stored", "rejected", "duplicates")}
        self._rows.update(rows)
        self._rows["warnings"] += member.warnings
        self._files.append(
            {
                "name": name,
                "outcome": member.outcome,
                "kind": member.kind,
                "rows": rows,
                "warnings": member.warnings,
                "reason": reason or (None if member.outcome == "stored" else _refused_whole(checked)),
            }
        )
        if member.outcome == "stored":
            self._is_stored = True
            self._not_carried = set(member.not_carried) | (self._not_carried or set())
        if checked is not None:
            self._life.update(checked.get("life", {}) if member.outcome == "stored" else {})
            self._answered += int(checked.get("answered_before", 0))
            for each in checked.get("answered", ()):
                known = self._answers.setdefault((each["rule"], each["field"]), {**each, "count": 0})
                known["count"] += each["count"]
            self._kinds.add(str(member.kind))
            self._titles.add(str(kept["file_kind"]))
            self._records.update(checked.get("records", {}) if member.outcome == "stored" else {})
            self._places.add(checked.get(WHERE, LINE))
            self._findings.add(checked["findings"], name, checked.get(WHERE, LINE))
        sample = [{**row, FILE: name} for row in kept.get("rejected", ())]
        self._sample += sample[: SAMPLE_ROWS - len(self._sample)]
        if member.rejected_csv:
            self._rejected.append((name, bytes(member.rejected_csv)))

    def submission(self, one: OneFile, dictionary_version: str, at: datetime) -> Submission:
        """The pack as a whole, as it is stored."""
        not_carried = tuple(sorted(self._not_carried or ()))
        rows = {name: self._rows[name] for name in ("read", "stored", "rejected", "duplicates")}
        checked = {
            "transfer": self._transfer,
            "kind": one.kind,
            "dictionary": dictionary_version,
            "rows": rows,
            "records": dict(self._records),
            "findings": self._findings.told(),
            "files": self._files,
            WHERE: self._places.pop() if len(self._places) == 1 else LINE,
            "life": dict(self._life),
            "answered_before": self._answered,
            "answered": list(self._answers.values()),
        }
        return Submission(
            transfer=one.transfer,
            submitter=one.submitter,
            outcome="stored" if self._is_stored else "refused",
            kind=self._kinds.pop() if len(self._kinds) == 1 else one.kind,
            dictionary_version=dictionary_version,
            at=at,
            member=one.member,
            rows_read=rows["read"],
            rows_stored=rows["stored"],
            rows_rejected=rows["rejected"],
            warnings=self._rows["warnings"],
            carried=(),
            not_carried=not_carried,
            report={
                "checked": checked,
                "rejected": self._sample,
                "file_kind": self._title(),
                "received_at": format_instant(at),
                "dictionary_version": dictionary_version,
                "not_carried": list(not_carried),
                "reason": None if self._is_stored else _none_stored(len(self._files), self._part),
                FILE: one.name,
            },
            rejected_csv=joined(self._rejected),
        )

    def _title(self) -> str:
        count = len(self._files)
        files = f"1 {self._part}" if count == 1 else f"{count:,} {self._part}s"
        return f"{files} of {self._titles.pop()}" if len(self._titles) == 1 else files


def _refused_whole(checked: dict[str, Any] | None) -> dict[str, str] | None:
    """Why a file that could be read was refused whole."""
    if checked is None:
        return None
    return {
        "code": "",
        "what": "this file was refused whole",
        "why": "more than 20 of 100 of its rows have an error: most often a column is read as another one",
        "fix": "mend the export or its mapping; the changed file is sent by the next run",
    }


def _none_stored(files: int, part: str) -> dict[str, str]:
    return {
        "code": "SWD-REG-34",
        "what": f"None of these {part}s was taken in.",
        "why": f"Each of the {files:,} was refused or did not come whole; its reason stands beside its name.",
        "fix": "Mend them where they come from; what has changed is sent by the next run.",
    }
