"""What a screen reader finds in a month's PDF: headings in order, each figure told, each cell under its headings."""

import itertools
import re
from datetime import UTC, datetime

import pytest

from printable import WHY_NOT, can_print, insides
from swaddle.feedback import monthly, pdf
from swaddle.feedback.monthly import Count, Figure, Month
from swaddle.feedback.trend import Sent
from swaddle.indicators.definitions import definition
from swaddle.indicators.waits import Spread, Wait

ELEMENT = re.compile(rb"/Type /StructElem/S /(\w+)([^\n]*)")


@pytest.fixture(scope="module")
def inside():
    if not can_print():
        pytest.skip(WHY_NOT)
    told = Month(
        report="0" * 32, name="Northshore <General>", month="2026-10", at="2026-11-22T06:00:00Z", dictionary="1",
        snapshot="made up", revised=False, comparisons={}, not_judged={"died": 1},
        sent=tuple(Sent(at=datetime(2026, month, 1, tzinfo=UTC), read=400, rejected=month) for month in (8, 9, 10)),
        waits=(Wait(name="birth to registry", now=Spread(count=12, median=9.0, nine_in_ten=21.0), before=None),),
        figures=tuple(
            Figure(
                definition=definition(name), month=Count(numerator=4, denominator=40, unknown=2),
                before=Count(numerator=40, denominator=480), parts={}, cases=("=1", "H2"), lacking=False,
            )
            for name in ("preterm", "stillbirth", "ntsv_caesarean")
        ),
    )  # fmt: skip
    return insides(pdf.pdf_of(monthly.page(told, "fr").encode(), "fr"))


def elements(inside, *kinds):
    return [(kind.decode(), rest) for kind, rest in ELEMENT.findall(inside) if kind.decode() in kinds]


def test_it_says_its_language_and_title(inside):
    assert re.search(rb"/Lang ?\(fr\)", inside)
    assert b"/DisplayDocTitle true" in inside
    assert re.search(rb"/Title ?[(<]", inside)


def test_one_heading_of_the_first_level_and_none_is_skipped(inside):
    levels = [int(kind[1]) for kind, _ in elements(inside, "H1", "H2", "H3", "H4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_each_figure_is_told_in_words(inside):
    figures = elements(inside, "Figure")
    assert len(figures) >= 2  # the mark and the trend
    assert all(re.search(rb"/Alt ?[(<].", rest) for _, rest in figures)


def test_each_cell_of_a_table_names_headings_that_are_there(inside):
    known = {name for _, rest in elements(inside, "TH") for name in re.findall(rb"/ID ?\(([^)]+)\)", rest)}
    cells = elements(inside, "TD")
    assert len(cells) > 20
    for _, rest in cells:
        named = re.findall(rb"\(([0-9-]+)\)", rest.partition(b"/Headers")[2])
        assert named
        assert known.issuperset(named)


def test_the_chapters_lead_into_the_table(inside):
    assert len(elements(inside, "Link")) == inside.count(b"/Subtype /Link") >= 2
