"""A submission to report on, and the page as a reader's browser would see its elements."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from swaddle.feedback.report import SubmissionReport

AT = datetime(2026, 11, 22, 9, 24, tzinfo=UTC)


def finding(rule="X18", severity="error", count=9, examples=(), **more):
    return {
        "rule": rule,
        "scope": "row",
        "severity": severity,
        "count": count,
        "text": "More previous caesareans than previous births.",
        "fix": "Check both numbers against the antenatal record.",
        "examples": list(examples),
    } | more


def submission(read=100, stored=91, rejected=9, duplicates=0, findings=None, sample=(), **more):
    checked = {
        "transfer": None,
        "rows": {"read": read, "stored": stored, "rejected": rejected, "duplicates": duplicates},
        "records": {"birth_child": stored},
        "findings": [finding(examples=[{"line": 38, "field": "previous_cs", "value": "3"}])]
        if findings is None
        else findings,
    }
    given = {
        "transfer": "3c917be05f20aa11",
        "submitter_name": "Northshore General",
        "file_kind": "Births",
        "received_at": AT,
        "as_of": AT,
        "dictionary_version": "1",
        "checked": checked,
        "rejected": sample,
    }
    return SubmissionReport(**(given | more))


class Page(HTMLParser):
    """Elements, attributes and visible text of a page."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.style = ""
        self._inside: list[str] = []
        self.feed(html.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag in {"style", "script"}:
            self._inside.append(tag)

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data):
        if self._inside:
            self.style += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def make_submission():
    return submission


@pytest.fixture
def make_finding():
    return finding


@pytest.fixture
def page_of():
    return Page
