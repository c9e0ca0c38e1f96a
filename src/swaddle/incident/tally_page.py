"""A tally as one page: the sum, its chart, how it grew, and every number with the rows that it comes from.

The page is self-contained: no script, nothing fetched. Names in lists are strangers' text, and are escaped.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import pairwise
from typing import Any

import jinja2
from markupsafe import Markup

from swaddle.feedback.figure import NOTHING, as_figure
from swaddle.feedback.words import visible

LARGEST, LISTED = 12, 2_000  # bars; rows of the table, the rest is in the JSON
_BAR, _LINE, _TEXT, _RULE = "#5b949d", "#134a52", "#1c2b30", "#d5dde0"
_FONT = 'font-family="Helvetica, Arial, sans-serif"'


def page_of(found: Mapping[str, Any]) -> str:
    """The page of a tally (`tally()`), as HTML."""
    style = _environment().get_template("tally.css").render()  # as the page holds it
    source = f"sha256-{b64encode(sha256(style.encode('utf-8')).digest()).decode('ascii')}"
    return _environment().get_template("tally.html").render(
        found=found,
        rows=found["rows"][:LISTED],
        others=found["rows"][LISTED:],
        bars=bars([row for row in found["rows"] if row["rank"] is not None][:LARGEST]),
        growth=(
            curve(found["growth"], "individuals", "Persons"),
            curve(found["growth"], "organisations", "Organisations"),
        ),
        style_source=source,
    )  # fmt: skip


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({"number": "{:,}".format, "visible": visible})
    return environment


def _file(name: str) -> str:
    return files("swaddle.incident").joinpath("templates", name).read_text(encoding="utf-8")


def bars(rows: Sequence[Mapping[str, Any]]) -> Markup:
    """The largest as bars, "" where nobody gave a number. The end of a range is a line with no filling."""
    most = max((row["individuals_at_most"] or row["individuals"] for row in rows), default=0)
    if not most:
        return NOTHING
    height, parts = 40 * len(rows) + 6, []
    for at, row in enumerate(rows):
        top = 40 * at + 20
        width = round(330 * row["individuals"] / most, 1)
        wide = max(width, round(330 * (row["individuals_at_most"] or 0) / most, 1))
        if wide > width:
            parts.append(f'<rect x="2" y="{top}" width="{wide}" height="16" fill="none" stroke="{_BAR}"/>')
        parts += [
            _text(2, top - 5, f"{row['rank']}  {_short(row['organisation'], 56)}", "start"),
            f'<rect x="2" y="{top}" width="{width}" height="16" fill="{_BAR}"/>',
            _text(8 + wide, top + 13, compact(row["individuals"]), "start"),
        ]
    title = f"The {len(rows)} largest, persons affected at least"
    text = "; ".join(f"{visible(row['organisation'], 60)}: {row['individuals']:,}" for row in rows)
    return _figure(440, height, parts, title, text)


def curve(growth: Sequence[Mapping[str, Any]], what: str, title: str) -> Markup:
    """How a sum grew from month to month, "" where less than two months are known."""
    months = [_ordinal(row["month"]) for row in growth]
    most = max((row[what] for row in growth), default=0)
    if len(months) < 2 or not most:
        return NOTHING
    span = months[-1] - months[0]
    points = [(round(70 + 360 * (month - months[0]) / span, 1), round(150 - 130 * row[what] / most, 1))
              for month, row in zip(months, growth, strict=True)]  # fmt: skip
    steps = [f"{points[0][0]},150", f"{points[0][0]},{points[0][1]}"]
    for (_, before), (x, y) in pairwise(points):
        steps += [f"{x},{before}", f"{x},{y}"]  # nothing is known between two disclosures: a step, not a slope
    parts = [
        f'<line x1="70" y1="150" x2="430" y2="150" stroke="{_RULE}"/>',
        f'<line x1="70" y1="20" x2="430" y2="20" stroke="{_RULE}"/>',
        f'<polyline points="{" ".join(steps)}" fill="none" stroke="{_LINE}" stroke-width="2"/>',
        f'<circle cx="{points[-1][0]}" cy="{points[-1][1]}" r="4" fill="{_LINE}"/>',
        _text(70, 12, compact(most), "start"),
        _text(62, 154, "0", "end"),
        _text(70, 172, growth[0]["month"], "start"),
        _text(430, 172, growth[-1]["month"], "end"),
    ]
    text = f"From {growth[0][what]:,} in {growth[0]['month']} to {growth[-1][what]:,} in {growth[-1]['month']}."
    return _figure(460, 184, parts, f"{title} known by the end of each month", text)


def compact(number: int) -> str:
    """A number as a label holds it."""
    if number >= 1_000_000:
        return f"{number / 1_000_000:,.1f} million"
    return f"{number:,}"


def _ordinal(month: str) -> int:
    year, _, number = month.partition("-")
    return int(year) * 12 + int(number)


def _short(text: str, most: int) -> str:
    shown = visible(text, 200)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="12" fill="{_TEXT}" {_FONT}>{escape(words)}</text>'


def _figure(width: int, height: int, parts: Sequence[str], title: str, text: str) -> Markup:
    drawn = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{"".join(parts)}</svg>'
    return as_figure(drawn, title, text, "en")
