"""A file from a submitter, or a submitter's name, that means to act on whoever reads the report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from swaddle.feedback.report import Refusal, RejectedRow, SubmissionReport, report

AT = datetime(2026, 11, 22, 9, 24, tzinfo=UTC)
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "end of style": "</style><script>alert(1)</script>",
    "end of title": "</title><script>alert(1)</script>",
    "quotes": '" onmouseover="alert(1)" x=\'',
    "formula": "=cmd|' /C calc'!A0",
    "template": "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "entity": "&lt;script&gt;",
    "comment": "--><script>alert(1)</script><!--",
    "CDATA": "]]><script>alert(1)</script>",
    "address": "javascript:alert(1)",
}
UNSEEN = {
    "right to left": "BABY\u202eLRIG",
    "isolate": "\u2067abc\u2069",
    "zero width": "BA\u200bBY",
    "tag letters": "A\U000e0041",
    "escape": "\x1b[31mred",
    "nul": "a\x00b",
    "line separator": "a\u2028b",
    "lone surrogate": "a\ud800b",
}


class Reader(HTMLParser):
    """What a browser would take for elements, and what for text."""

    def __init__(self, html: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text += data


def everywhere(value):
    """A report that has `value` in every place that somebody outside can fill."""
    found = {"rule": value, "scope": value, "severity": "error", "count": 1, "text": value, "fix": value}
    found["examples"] = [{"line": 1, "field": value, "value": value}]
    made = SubmissionReport(
        transfer=value,
        submitter_name=value,
        file_kind=value,
        received_at=AT,
        as_of=AT,
        dictionary_version="1",
        checked={
            "rows": {"read": 1, "stored": 0, "rejected": 1, "duplicates": 0},
            "records": {value: 1},
            "findings": [found],
        },
        not_carried=(value,),
        refused=Refusal(what=value, why=value, fix=value),
        deadlines=(value,),
        rejected=(RejectedRow(line=1, record=value, field=value, value=value, rule=value, text=value, fix=value),),
    )
    return report(made, rejected_csv=b"x")


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_value_is_text_and_nothing_else(value):
    plain, hostile = Reader(everywhere("plain").html), Reader(everywhere(value).html)
    assert hostile.tags == plain.tags
    assert [name for name, _ in hostile.attributes] == [name for name, _ in plain.attributes]
    assert value in hostile.text


@pytest.mark.parametrize("value", UNSEEN.values(), ids=UNSEEN)
def test_a_character_that_cannot_be_seen_or_turns_the_line_is_written_out(value):
    made, plain = everywhere(value), everywhere("plain").html.decode()
    html = made.html.decode("utf-8")
    for letter in value:
        if not letter.isascii() or ord(letter) < 32:
            assert letter not in html
            assert letter not in plain
            assert f"[U+{ord(letter):04X}]" in html
    assert made.json.isascii()
    assert json.loads(made.json)["findings"][0]["fix"] == value


def test_a_long_value_is_cut():
    html = everywhere("x" * 5_000_000).html
    assert b"x" * 401 not in html
    assert len(html) < 60_000


def test_a_hostile_value_is_nowhere_in_the_style_or_the_policy():
    value = "'; script-src *"
    html = everywhere(value).html.decode()
    head = html[: html.index("<body>")]
    assert value not in head.replace("&#39;", "'").replace("<title>Quality report, '; script-src *</title>", "")
