"""The report as one HTML page: no script, nothing fetched, one style whose hash the page itself demands.

The templates are files of this package; nothing from a submission is ever a template. Escaping is on for all of them,
and an undefined name is an error.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from swaddle.feedback import verdict, words
from swaddle.feedback.charts import view
from swaddle.feedback.submission import SubmissionReport
from swaddle.feedback.trend import trend
from swaddle.indicators.definitions import FIELDS, definition
from swaddle.indicators.finding import fields_in_words
from swaddle.indicators.results import IndicatorResult

SAMPLE_ROWS = 12
MOST_WAITING = 500  # on the page; all of them are in report.json
MOST_FILES = 200  # on the page; all of them are in report.json
SEVERITIES = (
    ("error", "Errors: the row is not in the registry until fixed"),
    ("warning", "Warnings: the row is in; check the value"),
    ("review", "To review: the registry looks at these"),
    ("info", "For information: nothing to do"),
)


def render(submission: SubmissionReport, indicators: tuple[IndicatorResult, ...], *, with_csv: bool) -> str:
    """The page, a whole file."""
    environment = _environment()
    rows = submission.rows
    findings = [dict(item) for item in submission.checked.get("findings", ())]
    counts = {name: sum(int(item["count"]) for item in findings if item["severity"] == name) for name, _ in SEVERITIES}
    sample = submission.sample()
    said = verdict.verdict(rows, counts["warning"], submission.refused)
    if submission.is_notice:
        said = verdict.of_notice(len(submission.waiting))
    answered = [item for item in indicators if item.answerable]
    return environment.get_template("report.html").render(
        submission=submission,
        rows=rows,
        verdict=verdict.of_folder(said, submission.files) if submission.files else said,
        groups=[
            (severity, title, _most_first(findings, severity), counts[severity])
            for severity, title in SEVERITIES
            if counts[severity]
        ],
        counts=counts,
        trend=trend(submission.earlier),
        sample=sample[:SAMPLE_ROWS],
        sample_of=max(counts["error"], len(sample)),
        waiting=submission.waiting[:MOST_WAITING],
        waiting_of=len(submission.waiting),
        files=submission.files[:MOST_FILES],
        files_of=len(submission.files),
        any_file=any(row.file for row in sample[:SAMPLE_ROWS]),
        with_csv=with_csv,
        any_record=any(row.record for row in sample[:SAMPLE_ROWS]),
        any_masked=any(words.is_health_card(row.field) for row in sample[:SAMPLE_ROWS]),
        indicators=[view(item) for item in answered],
        silent=_unanswered(submission, indicators),
        partly=[item for item in answered if item.unanswered],
        as_of=indicators[0].as_of if indicators else None,
        threshold=indicators[0].threshold if indicators else None,
        fields=FIELDS,
        style=Markup(_style()),  # noqa: S704  # a file of this package, with no value in it
        style_source=style_source(),
    )


@dataclass(frozen=True, kw_only=True)
class Silence:
    """An indicator that this file does not answer, why, and for want of which fields."""

    title: str
    why: str
    fields: tuple[str, ...]


def _unanswered(submission: SubmissionReport, indicators: tuple[IndicatorResult, ...]) -> list[Silence]:
    """What this file's layout leaves open, and what all of the submitter's births leave open."""
    found = []
    for item in indicators:
        lacking = tuple(name for name in definition(item.id).needs if name in submission.not_carried)
        if not item.answerable:
            found.append(Silence(title=item.title, why=item.finding, fields=item.not_carried))
        elif lacking:
            why = f"This file does not carry {fields_in_words(lacking)}."
            elsewhere = "What is shown above comes from your other births."
            found.append(Silence(title=item.title, why=f"{why} {elsewhere}", fields=lacking))
    return found


def _most_first(findings: list[dict[str, Any]], severity: str) -> list[dict[str, Any]]:
    return sorted((item for item in findings if item["severity"] == severity), key=lambda item: -int(item["count"]))


def style_source() -> str:
    """What the page's policy allows: this one style, by its hash."""
    return f"sha256-{b64encode(sha256(_style().encode('utf-8')).digest()).decode('ascii')}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Any] = {
        "number": words.number,
        "percent": words.percent,
        "moment": words.moment,
        "day": words.day,
        "visible": words.visible,
        "told": words.told,
        "listed": words.listed,
    }
    environment.filters.update(filters)
    environment.globals.update(counted=words.counted, masked=words.masked, interval=words.interval)
    return environment


def _template(name: str) -> str:
    return files("swaddle.feedback").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return _template("style.css")
