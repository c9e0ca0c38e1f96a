"""What goes between the two processes: one question, one answer, both JSON; rows go in memory files beside it.

The answer comes from a process that a hostile file may have taken over: it is decoded by type, with limits, and a fault
in it can only become one of the errors of intake/faults.py.
"""

from __future__ import annotations

import re

import msgspec

from swaddle.errors import OurBug, SwaddleError
from swaddle.intake import faults
from swaddle.intake.readers.how import How
from swaddle.intake.sheet import LIMIT_COLUMNS, Sheet
from swaddle.intake.tables import Finding

LIMIT_ANSWER_BYTES = 16 * 1024 * 1024
LIMIT_SHEETS = 60
_LIMIT_FINDINGS = 500
_LIMIT_REASON = 500
_LIMIT_FACT = 2000
_ID = re.compile(r"[A-Z]{1,3}[0-9]{1,3}[a-z]?")
_FAULTS: dict[str, type[SwaddleError]] = {
    each.code: each for each in vars(faults).values() if isinstance(each, type) and issubclass(each, SwaddleError)
}


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the reading process is asked."""

    size_bytes: int
    how: How


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding about the file."""

    rule: str
    count: int = 1
    facts: dict[str, str] = {}


class Counted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet without its memory files."""

    form: str
    columns: tuple[str, ...]
    rows: int
    broken: int
    where: str
    format: str
    layout: str = ""
    findings: tuple[Said, ...] = ()


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the reading process says: sheets, or a fault by its code and facts; and which walls stood."""

    walls: tuple[str, ...]
    sheets: tuple[Counted, ...] = ()
    fault: str = ""
    facts: dict[str, str] = {}


class Unfit(ValueError):
    """An answer that no sound reading process gives."""


def counted(sheet: Sheet) -> Counted:
    """What is said of a sheet."""
    return Counted(
        form=sheet.form,
        columns=sheet.columns,
        rows=sheet.rows,
        broken=sheet.broken,
        where=sheet.where,
        format=sheet.format,
        layout=sheet.layout,
        findings=tuple(Said(each.rule, each.count, dict(each.facts)) for each in sheet.findings),
    )


def sheet_of(told: Counted, rows_fd: int, broken_fd: int) -> Sheet:
    """The sheet that is told of, with its memory files.

    Raises:
        Unfit: no sound reader says such a thing.
    """
    if not told.columns or len(told.columns) > LIMIT_COLUMNS or told.rows < 0 or told.broken < 0:
        raise Unfit
    if len(told.findings) > _LIMIT_FINDINGS or any(not _ID.fullmatch(each.rule) for each in told.findings):
        raise Unfit
    findings = tuple(
        Finding(each.rule, each.count, {name: _plain(fact, _LIMIT_FACT) for name, fact in each.facts.items()})
        for each in told.findings
    )
    return Sheet(
        form=_plain(told.form, 60),
        columns=told.columns,
        rows_fd=rows_fd,
        rows=told.rows,
        broken_fd=broken_fd,
        broken=told.broken,
        findings=findings,
        where=_plain(told.where, 30),
        format=_plain(told.format, 30),
        layout=_plain(told.layout, 200),
    )


def fault_of(answer: Answer) -> SwaddleError:
    """The error that an answer names, or our bug where it names none of this room's."""
    facts = {_plain(name, 30): _plain(fact, _LIMIT_REASON) for name, fact in answer.facts.items()}
    reason = facts.pop("reason", "")
    named = _FAULTS.get(answer.fault)
    return named(reason, **facts) if named is not None else OurBug(reason)


def _plain(text: str, most: int) -> str:
    """One line of printable characters."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text[:most])
