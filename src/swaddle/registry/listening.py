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
from swaddle.registry import answered, loads, periods
from swaddle.registry.inside import Registry
from swaddle.registry.submission import Load, Submission
from swaddle.registry.taking import OneFile
from swaddle.wire import spoken

UNMET, NOT_OPEN = "A1", "A2"


def hear(inside: Registry, descriptor: int, one: OneFile, at: datetime) -> Load:
    """Take in what lies opened in `descriptor`; hearing it again changes nothing.

    Raises:
        NotUnderstood: it is not of the form; nothing is kept.
        DiskFault: there is no room; it is done again.
    """
    size_bytes = os.fstat(descriptor).st_size
    data = os.pread(descriptor, min(size_bytes, spoken.LIMIT_BYTES + 1), 0)
    if one.kind == spoken.SIGN_OFF:
        return sign_off(inside, data, one, at)
    answers = spoken.read_answers(data)
    result = answered.take(inside.store, one.submitter, one.transfer, answers, at)
    told = {"silenced": result.silenced, "before": result.before}
    return keep(inside, one, at, "Answers to warnings", (len(answers), result.stored, result.unmet), told)


def sign_off(inside: Registry, data: bytes, one: OneFile, at: datetime) -> Load:
    """A named person's sign-off of a period, kept with what counted at that moment.

    Raises:
        NotUnderstood: it is not of the form, or speaks for another submitter than the one that sent it.
    """
    said = spoken.read_sign_off(data)
    if said.submitter != one.submitter:
        raise spoken.NotUnderstood("it speaks for another submitter than the one that sent it")
    is_kept = periods.sign_off(inside, said, one.transfer)
    told = {"period": said.period, "person": said.person.name}
    return keep(inside, one, at, "Sign-off of a period", (1, int(is_kept), int(not is_kept)), told, unmet=NOT_OPEN)


def keep(
    inside: Registry,
    one: OneFile,
    at: datetime,
    title: str,
    rows: tuple[int, int, int],
    told: Mapping[str, Any],
    unmet: str = UNMET,
) -> Load:
    """The row and the report of what was heard; `rows` are those read, stored and rejected."""
    read, stored, rejected = rows
    about = inside.store.dictionary.checks[unmet]
    finding = {
        "rule": unmet, "scope": about.scope, "severity": about.severity, "count": rejected, "field": "",
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
