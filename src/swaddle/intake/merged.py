"""Several sheets of a file, or several files of a pack, told as one: their order, their names, one report. Pure."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swaddle.dictionary.model import RECORD_TYPES, Dictionary
from swaddle.intake.rejected import ADDED, guard
from swaddle.intake.sheet import LINE, Sheet

EXAMPLES = 5
SEVERITIES = ("error", "warning", "review", "info")
FILE, WHERE = "file", "where"
ROWS = ("read", "stored", "rejected", "duplicates")


def place_of(dictionary: Dictionary, form: str) -> int:
    """Where a form stands among the sheets of a file: those first whose records others look up."""
    record_type, _ = dictionary.slots()[dictionary.forms[form].chief]
    return RECORD_TYPES.index(record_type.name)


def name_of(sheet: Sheet, number: int) -> str:
    """What a sheet is called in the report: by its number and what it holds."""
    return f"sheet {number}" + (f" ({sheet.form})" if sheet.form else "")


class Findings:
    """The findings of several reports, those of one rule, field and words together."""

    def __init__(self) -> None:
        """Nothing is added yet."""
        self._found: dict[tuple[str, str, str, str], dict[str, Any]] = {}

    def add(self, findings: Iterable[Mapping[str, Any]], name: str, where: str = LINE) -> None:
        """The findings of the report on `name`, where a line is called `where`."""
        for found in findings:
            key = (found["rule"], str(found.get("field", "")), found["severity"], found["text"])
            known = self._found.setdefault(key, {**found, "count": 0, "examples": []})
            known["count"] += found["count"]
            room = EXAMPLES - len(known["examples"])
            known["examples"] += [{**example, FILE: name, WHERE: where} for example in found["examples"][:room]]

    def told(self) -> list[dict[str, Any]]:
        """All of them: errors first, then the most frequent."""

        def place(found: Mapping[str, Any]) -> tuple[int, int, str, str]:
            return SEVERITIES.index(found["severity"]), -found["count"], found["rule"], str(found.get("field", ""))

        return sorted(self._found.values(), key=place)


@dataclass(frozen=True)
class Part:
    """A sheet of a file: its name and records, and its report or the reason why it could not be taken."""

    name: str
    read: int
    report: Mapping[str, Any] | None
    reason: Mapping[str, str] | None = None


def merged(parts: Sequence[Part]) -> dict[str, Any]:
    """One report (`report_json`) out of those of several sheets."""
    findings, records, rows = Findings(), Counter[str](), Counter[str]()
    files: list[dict[str, Any]] = []
    missed: Counter[str] = Counter()
    reports = [each.report for each in parts if each.report is not None]
    for part in parts:
        report, name = part.report, part.name
        none = {"read": part.read, "stored": 0, "rejected": part.read, "duplicates": 0}
        own = none if report is None else dict(report["rows"])
        outcome = "refused" if report is None or report["refused"] else "stored"
        files.append({"name": name, "outcome": outcome, "kind": report["kind"] if report else None, "rows": own})
        files[-1]["reason"] = part.reason
        rows.update(own)
        if report is None:
            continue
        findings.add(report["findings"], name, report[WHERE])
        missed.update(report["not_evaluated"])
        records.update(report["records"] if outcome == "stored" else {})

    def together(key: str) -> list[str]:
        return list(dict.fromkeys(each for report in reports for each in report[key]))

    kinds, titles = together_of(reports, "kind"), together_of(reports, "layout")
    places = together_of(reports, WHERE)
    return {
        "transfer": None,
        "kind": kinds[0] if len(kinds) == 1 else "unknown",
        "layout": titles[0] if len(titles) == 1 else f"{len(parts)} sheets",
        WHERE: places[0] if len(places) == 1 else LINE,
        "dictionary": reports[0]["dictionary"] if reports else None,
        "refused": all(each["outcome"] == "refused" for each in files),
        "rows": {each: rows[each] for each in ROWS},
        "records": dict(records),
        "findings": findings.told(),
        "not_carried": together("not_carried"),
        "not_evaluated": dict(sorted(missed.items())),
        "only_the_registry_checks": together("only_the_registry_checks"),
        "keys_derived": any(report["keys_derived"] for report in reports),
        "files": files,
    }


def together_of(reports: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """The different values of a key, in order."""
    return list(dict.fromkeys(str(report[key]) for report in reports))


def joined(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """The rejected rows of several files as one CSV: the file's name first, then every column that any of them has."""
    if not parts:
        return b""
    tables = [(name, list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))) for name, data in parts]
    columns = list(dict.fromkeys(column for _, (header, *_) in tables for column in header[: -len(ADDED)]))
    first = FILE if FILE not in columns else f"swaddle_{FILE}"
    added = [f"swaddle_{name}" if name in columns else name for name in ADDED]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([first, *columns, *added])
    for name, (header, *rows) in tables:
        places = {column: place for place, column in enumerate(header[: -len(ADDED)])}
        for row in rows:
            own = [row[places[column]] if column in places else "" for column in columns]
            writer.writerow([guard(name), *own, *row[-len(ADDED) :]])
    return out.getvalue().encode("utf-8")
