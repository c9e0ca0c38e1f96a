"""The chart of an indicator's page: drawn from its ten rows, with words for who does not see it, and nothing that acts."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from swaddle.feedback.figure import as_figure
from swaddle.indicators.definitions import definition, shipped
from swaddle.indicators.intervals import wilson
from swaddle.indicators.publish import charts, page
from swaddle.indicators.worked_chart import svg

NAME = "{http://www.w3.org/2000/svg}"


def told(text, tag):
    return [element.text for element in ET.fromstring(text).iter(NAME + tag)]


def test_a_hostile_title_is_shown_as_text():
    hostile = replace(definition("preterm"), title='</title><script>alert(1)</script><a href="x">')
    root = ET.fromstring(svg(hostile, "en"))
    assert {element.tag.removeprefix(NAME) for element in root.iter()} <= {
        *("svg", "title", "desc", "rect", "text", "path", "circle")
    }
    assert root.find(f"{NAME}title").text.startswith(hostile.title)


def test_a_hostile_group_and_provenance_are_shown_as_text():
    item = definition("episiotomy")
    rows = tuple(replace(each, group="<b>") for each in item.examples)
    hostile = replace(item, examples=rows, threshold=replace(item.threshold, provenance="<img src=x>"))
    assert "<img" not in svg(hostile, "en")
    assert "&lt;b&gt;" in svg(hostile, "en")


@pytest.mark.parametrize("item", shipped(), ids=lambda item: item.id)
def test_every_chart_has_a_square_for_each_row_and_stands_on_the_page(item):
    for language, (name, text) in zip(("en", "fr"), charts(item).items(), strict=True):
        assert f"(charts/{name})" in page(item)
        assert len(ET.fromstring(text).findall(f"{NAME}rect")) == 1 + len(item.examples)
        assert told(text, "title")[0].startswith(item.within(language).title)
        assert f'lang="{language}"' in text
        assert all(0 <= float(dot.get("cx")) <= 640 for dot in ET.fromstring(text).iter(f"{NAME}circle"))


def test_the_interval_is_told_in_words_and_figures():
    text = charts(definition("caesarean"))["caesarean.svg"]
    low, high = (100 * each for each in wilson(3, 7))
    assert f"{low:.1f} to {high:.1f}%" in told(text, "text")
    assert "3,000 of 7,000" in told(text, "text")
    assert f"its 95% interval is {low:.1f}% to {high:.1f}%" in told(text, "desc")[0]


def test_a_limit_is_never_drawn_without_who_says_so():
    with_limits = [item for item in shipped() if item.threshold]
    assert with_limits
    for item in with_limits:
        for language, text in zip(("en", "fr"), charts(item).values(), strict=True):
            assert item.within(language).threshold.provenance in told(text, "text")


def test_a_report_could_hold_it():
    """What figure.py lets through for a page, with the width and height that a drawing in a page must tell."""
    text = charts(definition("robson"))["robson.svg"].replace("<svg ", '<svg width="640" height="312" ', 1)
    assert as_figure(text, "title", "text", "en")


def test_all_charts_together_are_small():
    assert sum(len(text.encode()) for item in shipped() for text in charts(item).values()) < 3_000_000
