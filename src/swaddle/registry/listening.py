"""What a submitter says besides data is heard here: answers to warnings, sign-offs of periods.

Each is a transfer like any other: sealed, signed, stored as a load, answered by a report. Its rows are what was said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import Any

from swaddle.canonical import format_instant
from swaddle.registry import answered, loads
from swaddle.registry.inside import Registry
from swaddle.registry.submission import Load, Submission
from swaddle.registry.taking import OneFile
from swaddle.wire import spoken

UNMET = "A1"


def hear(inside: Registry, descriptor: int, one: OneFile, at: datetime) -> Load:
    """Take in what lies opened in `descriptor`; hearing it again changes nothing.

    Raises:
        NotUnderstood: it is not of the form; nothing is kept.
        DiskFault: there is no room; it is done again.
    """
    size_bytes = os.fstat(descriptor).st_size
    data = os.pread(descriptor, min(size_bytes, spoken.LIMIT_BYTES + 1), 0)
    answers = spoken.read_answers(data)
    result = answered.take(inside.store, one.submitter, one.transfer, answers, at)
    told = {"silenced": result.silenced, "before": result.before}
    return keep(inside, one, at, "Answers to warnings", (len(answers), result.stored, result.unmet), told)


def keep(
    inside: Registry, one: OneFile, at: datetime, title: str, rows: tuple[int, int, int], told: Mapping[str, Any]
) -> Load:
    """The row and the report of what was heard; `rows` are those read, stored and rejected."""
    read, stored, rejected = rows
    about = inside.store.dictionary.checks[UNMET]
    finding = {
        "rule": UNMET, "scope": about.scope, "severity": about.severity, "count": rejected, "field": "",
        "text": about.text, "fix": about.fix, "examples": [],
    }  # fmt: skip
    version = inside.store.dictionary.version
    submission = Submission(
        transfer=one.transfer, submitter=one.submitter, kind=one.kind, outcome="stored", dictionary_version=version,
        at=at, rows_read=read, rows_stored=stored, rows_rejected=rejected, warnings=0, carried=(), not_carried=(),
        is_linked=False, rejected_csv=b"",
        report={
            "checked": {"records": {}, "findings": [finding] if rejected else [], "heard": dict(told)},
            "file_kind": title, "file": one.name, "received_at": format_instant(at), "dictionary_version": version,
            "not_carried": [], "reason": None,
        },
    )  # fmt: skip
    with closing(inside.store.cursor()) as tables:
        return loads.store_pack(inside.store, tables, submission)
