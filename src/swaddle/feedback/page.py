"""The report as one HTML page: no script, nothing fetched, one style whose hash the page itself demands.

The templates are files of this package; nothing from a submission is ever a template. Escaping is on for all of them,
and an undefined name is an error.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from swaddle.feedback import shown, spoken_indicators, verdict, words
from swaddle.feedback.charts import view
from swaddle.feedback.submission import SubmissionReport
from swaddle.feedback.tongue import Language, tongue, translated
from swaddle.feedback.trend import trend
from swaddle.indicators.definitions import definition
from swaddle.indicators.fields import words as field_words
from swaddle.indicators.results import IndicatorResult

SAMPLE_ROWS = 12
MOST_WAITING = 500  # on the page; all of them are in report.json
MOST_FILES = 200  # on the page; all of them are in report.json

_ELSEWHERE = {
    "en": "This file does not carry {fields}. What is shown above comes from your other births.",
    "fr": "Ce fichier ne contient pas {fields}. Ce qui est montré plus haut vient de vos autres naissances.",
}


def render(
    submission: SubmissionReport,
    indicators: tuple[IndicatorResult, ...],
    *,
    with_csv: bool,
    language: Language = "en",
) -> str:
    """The page, a whole file."""
    rows = submission.rows
    groups = shown.groups(submission, language)
    found = {group.severity: group for group in groups}
    warnings = found["warning"].open if "warning" in found else 0
    said = verdict.verdict(rows, warnings, submission.refused, submission.files, language)
    if submission.is_notice:
        said = verdict.of_notice(len(submission.waiting), language)
    sample = submission.sample()
    answered = [item for item in indicators if item.answerable]
    return (
        _environment(language)
        .get_template("report.html")
        .render(
            submission=submission,
            language=language,
            rows=rows,
            verdict=said,
            refused=submission.refused.told(language) if submission.refused else None,
            deadlines=(submission.deadlines_fr if language == "fr" else ()) or submission.deadlines,
            groups=groups,
            any_answered=any(group.answered for group in groups),
            called=shown.called(submission, language),
            life=shown.life(submission, language),
            records=shown.records(submission, language),
            trend=trend(submission.earlier, language),
            sample=[(row, *shown.row_words(row, language)) for row in sample[:SAMPLE_ROWS]],
            sample_of=max(found["error"].open if "error" in found else 0, len(sample)),
            waiting=submission.waiting[:MOST_WAITING],
            waiting_of=len(submission.waiting),
            files=submission.files[:MOST_FILES],
            files_of=len(submission.files),
            any_file=any(row.file for row in sample[:SAMPLE_ROWS]),
            with_csv=with_csv,
            any_record=any(row.record for row in sample[:SAMPLE_ROWS]),
            any_masked=any(words.is_health_card(row.field) for row in sample[:SAMPLE_ROWS]),
            indicators=[spoken_indicators.in_language(view(item), language) for item in answered],
            costly=_costly(answered, language),
            silent=_unanswered(submission, indicators, language),
            partly=[
                replace(item, title=spoken_indicators.titled(item, language)) for item in answered if item.unanswered
            ],
            as_of=indicators[0].as_of if indicators else None,
            threshold=indicators[0].threshold if indicators else None,
            fields={name: field_words(name, language) for name in _fields_of(answered)},
            style=Markup(_style()),  # noqa: S704  # a file of this package, with no value in it
            style_source=style_source(),
        )
    )


@dataclass(frozen=True, kw_only=True)
class Silence:
    """An indicator that this file does not answer, why, and for want of which fields."""

    title: str
    why: str
    fields: tuple[str, ...]


def _fields_of(indicators: list[IndicatorResult]) -> list[str]:
    """The fields that the page names of these indicators."""
    unknown = [part.field for item in indicators for part in item.unknown_by]
    return [*unknown, *(name for item in indicators for source in item.unanswered for name in source.fields)]


def _costly(indicators: list[IndicatorResult], language: Language) -> tuple[str, int] | None:
    """The indicator that loses most births to what is not known, and how many; None where none is lost."""
    lost = [(item.unknown, item) for item in indicators if item.unknown]
    if not lost:
        return None
    number, item = max(lost, key=lambda each: each[0])
    return spoken_indicators.titled(item, language), number


def _unanswered(
    submission: SubmissionReport, indicators: tuple[IndicatorResult, ...], language: Language
) -> list[Silence]:
    """What this file's layout leaves open, and what all of the submitter's births leave open."""
    found = []
    for item in indicators:
        title = spoken_indicators.titled(item, language)
        lacking = tuple(name for name in definition(item.id).needs if name in submission.not_carried)
        if not item.answerable:
            found.append(
                Silence(title=title, why=spoken_indicators.unanswerable(item, language), fields=item.not_carried)
            )
        elif lacking:
            why = _ELSEWHERE[language].format(fields=spoken_indicators.fields_said(lacking, language))
            found.append(Silence(title=title, why=why, fields=lacking))
    return found


def fill(template: str, language: Language, **values: object) -> str:
    """A template of this package with values in it, all of them escaped; `style` and its hash are there."""
    style = Markup(_style())  # noqa: S704  # a file of this package, with no value in it
    given = {"language": language, "style": style, "style_source": style_source(), **values}
    return _environment(language).get_template(template).render(given)


def style_source() -> str:
    """What the page's policy allows: this one style, by its hash."""
    return f"sha256-{b64encode(sha256(_style().encode('utf-8')).digest()).decode('ascii')}"


@cache
def _environment(language: Language) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda name: translated(_template(name), language)),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    speaks = tongue(language)
    filters: dict[str, Any] = {
        "number": speaks.number,
        "percent": speaks.percent,
        "moment": speaks.moment,
        "day": speaks.day,
        "visible": words.visible,
        "told": words.told,
        "listed": speaks.listed,
        "years": speaks.years,
    }
    environment.filters.update(filters)
    environment.globals.update(counted=speaks.counted, masked=words.masked, interval=speaks.interval)
    return environment


def _template(name: str) -> str:
    return files("swaddle.feedback").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return _template("style.css")
