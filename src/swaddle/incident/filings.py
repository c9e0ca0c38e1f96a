"""Filings: what an authority asks, answered as far as it is known, and its clocks. Pure but for the forms' own files.

    forms/NAME.toml + Case -> Filing: every field answered or "not known yet"; every clock with its due time

The forms ask; Swaddle never says that nobody has to be told: that is for people to decide. No person's data belongs in
a filing, and a written fact that looks as if it held some is kept out until somebody has looked (`held_back`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

from swaddle.canonical import NotCanonical, format_instant, parse_instant
from swaddle.dictionary.words import Language
from swaddle.errors import UsageFault
from swaddle.incident.case import COUNTED, Case

FORMS = ("ontario", "hipaa", "gdpr", "quebec")
NOT_KNOWN = {"en": "not known yet", "fr": "pas encore connu"}
HELD_BACK = {
    "en": "held back: it looks as if it held a person's number, date of birth, address or e-mail; write the fact anew",
    "fr": "retenu : semble contenir un numéro, une date de naissance, une adresse ou un courriel; à réécrire",
}
# Facts in which an address, a telephone number or an e-mail belongs: the organisation's own.
_OWN = frozenset({"organisation", "contact", "attestation"})
_PERSONAL = re.compile(
    r"\d(?:[ -]?\d){8,}"  # nine digits and more: a health card, a telephone, a record number
    r"|[\w.+-]+@[\w-]+\.\w+"
    r"|\b[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d\b"
    r"|\b(?:born|née?|DOB|date of birth|date de naissance)\W{0,3}(?:on |le )?\d",
    re.IGNORECASE,
)


class NoSuchForm(UsageFault):
    """A filing that is not one of ours."""

    code = "SWD-FILING-01"
    what = "there is no filing of that name"
    why = f"it is one of {', '.join(FORMS)} or veris"
    fix = "name one of these with --form, or leave --form away for all"


@dataclass(frozen=True)
class Clock:
    """Whom to tell by when. `due` is None where the rule names no hours or days, or what it counts from is unknown."""

    whom: str
    words: str
    due: datetime | None
    done: str | None

    def is_over(self, at: datetime) -> bool:
        """Whether its time has passed and nothing says that it was done."""
        return self.due is not None and self.done is None and at > self.due


@dataclass(frozen=True)
class Answer:
    """One field of a form: what is known for it, each part with its source; empty where nothing is."""

    label: str
    parts: tuple[tuple[str, str, str | None], ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Filing:
    """A form as far as it can be filled."""

    form: str
    title: str
    to: str
    basis: str
    note: str
    clocks: tuple[Clock, ...]
    answers: tuple[Answer, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the facts that somebody could still write, in the order in which the form asks."""
        return tuple(dict.fromkeys(name for answer in self.answers for name in answer.missing))


def filing(form: str, case: Case, language: Language) -> Filing:
    """The form, filled as far as the case is known.

    Raises:
        NoSuchForm: it is not one of FORMS.
    """
    if form not in FORMS:
        raise NoSuchForm
    asked = _form(form)
    tail = "_fr" if language == "fr" else ""
    return Filing(
        form=form,
        title=asked[f"title{tail}"],
        to=asked[f"to{tail}"],
        basis=asked["basis"],
        note=asked[f"note{tail}"],
        clocks=tuple(_clock(each, case, tail) for each in asked["clock"] if _applies(each, case)),
        answers=tuple(_answer(each, case, language, tail) for each in asked["field"]),
    )


def asked_for() -> tuple[str, ...]:
    """Every fact that some form asks for and that nothing counts, sorted: what `incident fact` can usefully hold."""
    names = {name for form in FORMS for field in _form(form)["field"] for name in field["value"]}
    clocks = {each[key] for form in FORMS for each in _form(form)["clock"] for key in ("from", "done") if key in each}
    return tuple(sorted(names | clocks))


def due(rule: Mapping[str, Any], since: datetime) -> datetime | None:
    """When a clock ends that began at `since`; days are counted whole and end with the day, in UTC."""
    if "hours" in rule:
        return since + timedelta(hours=rule["hours"])
    if "days" in rule:
        return _end_of(since + timedelta(days=rule["days"]))
    if "days_after_year" in rule:
        return _end_of(datetime(since.year, 12, 31, tzinfo=UTC) + timedelta(days=rule["days_after_year"]))
    if "next_year" in rule:
        month, day = rule["next_year"].split("-")
        return _end_of(datetime(since.year + 1, int(month), int(day), tzinfo=UTC))
    return None


def moment(text: str) -> datetime | None:
    """An instant, or the beginning of a day written 2026-11-22; None where the text is neither."""
    try:
        return parse_instant(text)
    except NotCanonical:
        pass
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def looks_personal(name: str, text: str) -> bool:
    """Whether a written fact looks as if it held something of a person."""
    return name not in _OWN and _PERSONAL.search(text) is not None


def to_json(filled: Filing) -> dict[str, Any]:
    """The object of one form in `incident filings --json`."""
    return {
        "form": filled.form,
        "to": filled.to,
        "title": filled.title,
        "basis": filled.basis,
        "clocks": [
            {"whom": each.whom, "words": each.words, "due": None if each.due is None else format_instant(each.due),
             "done": each.done}
            for each in filled.clocks
        ],
        "fields": [
            {
                "label": each.label,
                "known": [dict(zip(("text", "source", "at"), part, strict=True)) for part in each.parts],
                "missing": list(each.missing),
            }
            for each in filled.answers
        ],
        "missing": list(filled.missing),
    }  # fmt: skip


@cache
def _form(name: str) -> Mapping[str, Any]:
    text = files("swaddle.incident").joinpath("forms", f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _applies(rule: Mapping[str, Any], case: Case) -> bool:
    """A clock for many persons applies as soon as there could be so many; one for few while there could be so few."""
    if case.individuals is None:
        return True
    least, most = case.individuals
    return int(rule.get("at_least", 0)) <= most and least <= int(rule.get("at_most", most))


def _clock(rule: Mapping[str, Any], case: Case, tail: str) -> Clock:
    text = case.instants.get(rule.get("from", ""))
    since = None if text is None else moment(text)
    return Clock(
        whom=rule[f"whom{tail}"],
        words=rule[f"words{tail}"],
        due=None if since is None else due(rule, since),
        done=case.instants.get(rule.get("done", "")),
    )


def _answer(field: Mapping[str, Any], case: Case, language: Language, tail: str) -> Answer:
    parts: list[tuple[str, str, str | None]] = []
    missing = []
    for name in field["value"]:
        known = case.values.get(name)
        if known is None:
            missing.append(name)
        elif known.source != COUNTED and looks_personal(name, known.en):
            parts.append((HELD_BACK[language], name, known.at))
            missing.append(name)
        else:
            parts.append((known.told(language), known.source, known.at))
    return Answer(field[f"label{tail}"], tuple(parts), tuple(missing))


def _end_of(day: datetime) -> datetime:
    return datetime.combine(day.date(), time(23, 59, 59), tzinfo=UTC)


def over(filled: Sequence[Filing], at: datetime) -> tuple[Clock, ...]:
    """The clocks whose time has passed."""
    return tuple(clock for each in filled for clock in each.clocks if clock.is_over(at))
