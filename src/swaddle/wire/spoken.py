"""What a submitter tells the registry besides data: answers to warnings, and a person's sign-off of a period. Pure.

Each is one canonical JSON object, sent as a transfer of its own kind; the manifest's signature says which submitter it
is of. A sign-off carries the person's own SSHSIG as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from swaddle.canonical import NotCanonical, canonical, parse_canonical
from swaddle.errors import FileFault, UsageFault

ANSWERS, SIGN_OFF = "answers", "sign-off"
KINDS = frozenset({ANSWERS, SIGN_OFF})
VERIFIED = "verified"
LIMIT_BYTES = 1024 * 1024
MOST_ANSWERS = 1000
_FINDING = re.compile(r"([A-Z]{1,2}[0-9]{1,3}[a-z]?)(?::([a-z][a-z0-9_]{0,62}))?(?:@([0-9]{1,12}))?")
_ID = re.compile(r"[0-9a-f]{32}")


class NotUnderstood(FileFault):
    """It is of a kind for words to the registry, and is none."""

    code = "SWD-WIRE-60"
    what = "this is no answer and no sign-off"
    why = "{reason}"
    fix = "send it with `swaddle answer` or `swaddle signoff`; both write it themselves"


class NoFinding(UsageFault):
    """What was given names no finding."""

    code = "SWD-WIRE-61"
    what = "this does not name a finding"
    why = "a finding is a rule as the report names it, and if you like its field and its line"
    fix = "write X12, or X12@17 for the one on line 17, or F5:birth_weight_g@17"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A submitter's word on a warning: all of a rule's in a transfer, or those of one field, or the one on a line."""

    transfer: str
    rule: str
    field: str | None = None
    line: int | None = None
    answer: str = VERIFIED


def finding(transfer: str, text: str, answer: str = VERIFIED) -> Answer:
    """The answer to `X12`, `X12@17` or `F5:birth_weight_g@17` of a transfer.

    Raises:
        NoFinding: it is none of these.
    """
    found = _FINDING.fullmatch(text)
    if found is None or not _ID.fullmatch(transfer) or answer != VERIFIED:
        raise NoFinding
    rule, field, line = found.groups()
    return Answer(transfer=transfer, rule=rule, field=field, line=None if line is None else int(line))


def write_answers(answers: Sequence[Answer]) -> bytes:
    """The bytes that are sent."""
    told = [
        {"transfer": each.transfer, "rule": each.rule, "field": each.field, "line": each.line, "answer": each.answer}
        for each in answers
    ]
    return canonical({"kind": ANSWERS, "version": 1, "answers": told})


def read_answers(data: bytes) -> tuple[Answer, ...]:
    """Back again.

    Raises:
        NotUnderstood: it is not exactly of that form.
    """
    told = _object(data, {"kind", "version", "answers"}, ANSWERS)["answers"]
    if not isinstance(told, list) or not 1 <= len(told) <= MOST_ANSWERS:
        raise NotUnderstood("it holds no answers, or too many")
    return tuple(map(_answer, told))


def _answer(told: Any) -> Answer:
    if not isinstance(told, dict) or set(told) != {"transfer", "rule", "field", "line", "answer"}:
        raise NotUnderstood("an answer in it is of another form")
    rule, field, line = told["rule"], told["field"], told["line"]
    named = f"{rule}" + ("" if field is None else f":{field}") + ("" if line is None else f"@{line}")
    try:
        answer = finding(str(told["transfer"]), named, str(told["answer"]))
    except NoFinding:
        raise NotUnderstood("an answer in it names no finding") from None
    if (answer.rule, answer.field, answer.line) != (rule, field, line):
        raise NotUnderstood("an answer in it is of another form")
    return answer


def _object(data: bytes, members: set[str], kind: str) -> dict[str, Any]:
    if len(data) > LIMIT_BYTES:
        raise NotUnderstood("it is longer than any")
    try:
        told = parse_canonical(data)
    except NotCanonical:
        raise NotUnderstood("it is not canonical JSON") from None
    if set(told) != members or told["kind"] != kind or told["version"] != 1:
        raise NotUnderstood("it is of another kind or version")
    return told
