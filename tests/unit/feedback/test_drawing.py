from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from swaddle.feedback import drawing
from swaddle.feedback.drawing import chart_svg, funnel_svg, short_when
from swaddle.feedback.figure import NotADrawing, as_figure
from swaddle.indicators.comparison import compare_with_peers
from swaddle.indicators.control_chart import Month
from swaddle.indicators.disclosure import Cell
from swaddle.indicators.saying import say

HOSTILE = "<script>alert(1)</script>\u202e=cmd()"


@pytest.fixture(scope="module")
def compared():
    peers = {f"p{n:02d}": Cell(numerator=240 + 3 * n, denominator=1000 + 40 * n) for n in range(20)}
    peers["far"] = Cell(numerator=500, denominator=1100)
    months = [
        Month(when=f"{2024 + n // 12}-{n % 12 + 1:02d}", numerator=60 if n < 14 else 50 + n % 3, denominator=200)
        for n in range(24)
    ]
    return compare_with_peers("own", {"own": Cell(numerator=701, denominator=2663), **peers}, months, at="now")


@pytest.fixture(scope="module")
def drawn(compared):
    said = say(compared)
    return funnel_svg(compared, said, name=HOSTILE), chart_svg(compared, said)


def test_a_drawing_has_a_title_a_description_and_a_role(drawn):
    for svg, title in zip(drawn, ("Among 21 other peers", "Over time: lower since March 2025"), strict=True):
        root = ET.fromstring(svg)
        assert root.get("role") == "img"
        assert root[0].text.startswith(title)
        assert len(root[1].text) > 80
        assert "viewBox" in root.attrib


def test_a_hostile_name_is_text_and_nothing_acts_or_fetches(drawn):
    for svg in drawn:
        assert "<script" not in svg
        assert "\u202e" not in svg
        assert not re.search(r"\son\w+=|href|<style|style=|@import|<image|<foreignObject", svg)
    assert "&lt;script&gt;" in drawn[0]
    assert "[U+202E]" in drawn[0]


def test_no_peer_is_named_and_one_far_out_has_another_shape(drawn):
    assert "p07" not in drawn[0]
    assert "higher than chance" in drawn[0]


def test_what_is_drawn_is_of_the_grammar(compared, monkeypatch):
    """At run time the specification is not checked against its schema; here it is."""
    made = drawing.alt.LayerChart.to_dict
    monkeypatch.setattr(drawing.alt.LayerChart, "to_dict", lambda self, **_: made(self, validate=True))
    for language in ("en", "fr"):
        said = say(compared, language)
        assert funnel_svg(compared, said, name="x", language=language)
        assert chart_svg(compared, said, language=language)


def test_too_few_are_not_drawn():
    nothing = compare_with_peers("own", {"own": Cell(numerator=7, denominator=20)}, [], at="now")
    assert funnel_svg(nothing, say(nothing), name="x") == ""
    assert chart_svg(nothing, say(nothing)) == ""


@pytest.mark.parametrize(
    "inside",
    [
        "<script>1</script>",
        "<foreignObject/>",
        "<image width='1'/>",
        "<style>a{}</style>",
        "<g onclick='x'/>",
        "<g fill='url(https://a.b/c)'/>",
        "<a/>",
    ],
)
def test_a_drawing_that_would_act_is_refused(inside):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1">{inside}</svg>'
    with pytest.raises(NotADrawing):
        as_figure(svg, "t", "d", "en")


def test_months_are_short_on_an_axis():
    assert (short_when("2026-03", "en"), short_when("2026-03", "fr"), short_when("2026", "fr")) == (
        *("Mar 2026", "mars 2026", "2026"),
    )
