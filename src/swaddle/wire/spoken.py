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
from swaddle.envelope import people
from swaddle.envelope.signature import Signed
from swaddle.errors import FileFault, IntegrityFault, UsageFault

ANSWERS, SIGN_OFF = "answers", "sign-off"
KINDS = frozenset({ANSWERS, SIGN_OFF})
VERIFIED = "verified"
LIMIT_BYTES = 1024 * 1024
MOST_ANSWERS = 1000
_FINDING = re.compile(r"([A-Z]{1,2}[0-9]{1,3}[a-z]?)(?::([a-z][a-z0-9_]{0,62}))?(?:@([0-9]{1,12}))?")
PERIOD = re.compile(r"[12][0-9]{3}(-(0[1-9]|1[0-2]|Q[1-4]))?")
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


class NoPeriod(UsageFault):
    """What was given is no period."""

    code = "SWD-WIRE-62"
    what = "this is not a period"
    why = "a period is a year, a quarter or a month"
    fix = "write 2026, 2026-Q3 or 2026-10"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A submitter's word on a warning: all of a rule's in a transfer, or those of one field, or the one on a line."""

    transfer: str
    rule: str
    field: str | None = None
    line: int | None = None
    answer: str = VERIFIED


@dataclass(frozen=True, kw_only=True)
class SignOff:
    """A named person's word that a submitter's data of a period are right and whole, as far as they know."""

    period: str
    submitter: str
    at: str
    person: people.Person
    word: Signed


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


def write_sign_off(word: Signed) -> bytes:
    """The bytes of a sign-off that are sent."""
    return canonical({"kind": SIGN_OFF, "version": 1, "word": word.to_json()})


def read_sign_off(data: bytes) -> SignOff:
    """A sign-off, its person's signature checked.

    Raises:
        NotUnderstood: it is not exactly of that form, or the signature does not hold.
    """
    word = _object(data, {"kind", "version", "word"}, SIGN_OFF)["word"]
    try:
        signed = Signed.from_json(word)
        said = people.read_signed(signed)
    except (IntegrityFault, UsageFault):
        raise NotUnderstood("the person's signature does not hold") from None
    texts = [name for name, value in said.items() if name != "person" and isinstance(value, str)]
    if set(said) != {"period", "submitter", "at", "person"} or len(texts) != len(said) - 1:
        raise NotUnderstood("it signs something else than a period off")
    if not PERIOD.fullmatch(said["period"]) or not _ID.fullmatch(said["submitter"]):
        raise NotUnderstood("it names no period or no submitter")
    person = people.Person(**said["person"])
    return SignOff(period=said["period"], submitter=said["submitter"], at=said["at"], person=person, word=signed)


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
