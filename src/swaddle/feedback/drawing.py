"""Charts as SVG: a funnel among peers, a share over time. Made here, by a grammar and a drawer, with no browser.

Each carries a title and a description for those who do not see it; the table and the CSV stand beside it on the page.
Shape says the same as colour. Text from outside is data of the chart, never part of its code, and is written out by
the drawer as text. There is no script, no style sheet and no link in what leaves here; figure.py looks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

import altair as alt
import vl_convert
from markupsafe import Markup

from swaddle.feedback.figure import NOTHING, as_figure
from swaddle.feedback.words import visible
from swaddle.indicators.comparison import Comparison
from swaddle.indicators.control_chart import Chart, Mark, Shift
from swaddle.indicators.funnel import Funnel, Placed
from swaddle.indicators.saying import BIRTHS, Language, Measure, Said, when

SECOND, BRAND, PEER, LINE, HIGHER, LOWER = "#44575f", "#134a52", "#65777e", "#d5dde0", "#b3261e", "#0b5563"
BAND_OUTER, BAND_INNER, EDGE = "#e7f1f0", "#d3e5e4", "#5b949d"
WIDTH, HEIGHT = 400, 280  # small, so that words can still be read where a phone draws it smaller
_FONT = "Helvetica, Arial, sans-serif"
_SHARE_AXIS: dict[str, Any] = {
    "tickCount": 6,
    "grid": True,
    "domain": False,
    "ticks": False,
}
_ACROSS: dict[str, Any] = {"grid": False, "tickCount": 6}


def funnel_svg(
    comparison: Comparison, said: Said, *, name: str, language: Language = "en", measure: Measure = BIRTHS
) -> Markup:
    """The funnel as SVG, "" where there are too few to draw it.

    Args:
        comparison: what is drawn.
        said: its words.
        name: the reader's own name, as a label.
        language: of the labels.
        measure: in what the rate is told, and of what.
    """
    if (drawn := comparison.funnel) is None:
        return NOTHING
    births = measure.of(language).capitalize()
    others = [placed for placed in drawn.points if not placed.point.own]
    layers = [
        *_band(drawn, births, language, measure),
        *_peers(others, language),
        *_own(drawn, visible(name, 40), language, measure),
    ]
    return _svg(alt.layer(*layers), said.funnel_title, said.funnel_text, language)


def chart_svg(comparison: Comparison, said: Said, *, language: Language = "en", measure: Measure = BIRTHS) -> Markup:
    """The share over time as SVG, "" where there are too few points."""
    if (drawn := comparison.chart) is None:
        return NOTHING
    return _svg(alt.layer(*_trend(drawn, language, measure)), said.chart_title, said.chart_text, language)


def _band(drawn: Funnel, births: str, language: Language, measure: Measure) -> list[Any]:
    axis = _axis(measure, language)
    rows = [
        {"births": at.births, "low": at.low, "high": at.high, "inner_low": at.inner_low, "inner_high": at.inner_high}
        for at in drawn.curve
    ]
    last = drawn.curve[-1]
    across = alt.Scale(domain=[0, max(last.births, *(p.point.denominator for p in drawn.points))], nice=False)
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("births:Q", scale=across, axis=alt.Axis(title=births, format=_thousands(language), **_ACROSS))
    )
    drawn_shares = [*(p.point.share for p in drawn.points), *(at.inner_high for at in drawn.curve[3:])]
    lowest = [*(p.point.share for p in drawn.points), *(at.inner_low for at in drawn.curve[3:])]
    scale = _upright(drawn_shares, lowest)
    ends = [
        {"births": last.births, "at": last.high, "text": _limit("99.8", language)},
        {"births": last.births, "at": last.inner_high, "text": _limit("95", language)},
        {"births": last.births, "at": drawn.mean, "text": measure.figure(drawn.mean, language)},
    ]
    labels = _apart(ends, 0.05 * (scale.domain[1] - scale.domain[0]))
    return [
        base.mark_area(color=BAND_OUTER, clip=True).encode(y=_share("low", scale, axis), y2="high:Q"),
        base.mark_area(color=BAND_INNER, clip=True).encode(y=_share("inner_low", scale, axis), y2="inner_high:Q"),
        *(
            base.mark_line(color=EDGE, strokeWidth=1, strokeDash=dash, clip=True).encode(y=_share(field, scale, axis))
            for field, dash in (("low", [1, 0]), ("high", [1, 0]), ("inner_low", [4, 3]), ("inner_high", [4, 3]))
        ),
        alt.Chart(_data([{"mean": drawn.mean}]))
        .mark_rule(color=BRAND, strokeWidth=2)
        .encode(y=_share("mean", scale, axis)),
        alt.Chart(_data(labels))
        .mark_text(align="left", dx=6, color=SECOND, fontSize=12)
        .encode(x="births:Q", y=_share("at", scale, axis), text="text:N"),
    ]


def _apart(labels: list[dict[str, Any]], least: float) -> list[dict[str, Any]]:
    """The same labels, those too close drawn up, from the lowest on."""
    placed: list[dict[str, Any]] = []
    for label in sorted(labels, key=lambda one: float(one["at"])):
        at = float(label["at"]) if not placed else max(float(label["at"]), float(placed[-1]["at"]) + least)
        placed.append({**label, "at": at})
    return placed


def _peers(placed: list[Placed], language: Language) -> list[Any]:
    rows = [{"births": p.point.denominator, "share": p.point.share, "stands": p.stands} for p in placed]
    kinds = ["expected", "higher", "lower", "too few"]
    layers = [
        alt.Chart(_data(rows))
        .mark_point(filled=True, size=52, opacity=1)
        .encode(
            x="births:Q",
            y="share:Q",
            color=alt.Color("stands:N", scale=alt.Scale(domain=kinds, range=[PEER, HIGHER, LOWER, LINE]), legend=None),
            shape=alt.Shape(
                "stands:N",
                scale=alt.Scale(domain=kinds, range=["circle", "triangle-up", "triangle-down", "circle"]),
                legend=None,
            ),
        )
    ]
    words = {
        "higher": ("higher than chance", "plus élevé que par hasard"),
        "lower": ("lower than chance", "plus bas que par hasard"),
    }
    for kind, color, up in (("higher", HIGHER, -13), ("lower", LOWER, 14)):
        called = [row for row in rows if row["stands"] == kind]
        if len(called) == 1:  # more would cover each other; the shapes are told in the text beside
            text = words[kind][0 if language == "en" else 1]
            layers.append(
                alt.Chart(_data([{**row, "text": text} for row in called]))
                .mark_text(dy=up, color=color, fontSize=12, fontWeight=600)
                .encode(x="births:Q", y="share:Q", text="text:N")
            )
    return layers


def _own(drawn: Funnel, name: str, language: Language, measure: Measure) -> list[Any]:
    if (placed := drawn.own) is None:
        return []
    at, widest = placed.point, max(p.point.denominator for p in drawn.points)
    row = {"births": at.denominator, "share": at.share, "text": f"{name} {measure.figure(at.share, language)}"}
    base = alt.Chart(_data([row])).encode(x="births:Q", y="share:Q")
    side: Literal["left", "center", "right"] = (
        "right" if at.denominator > 0.6 * widest else "left" if at.denominator < 0.3 * widest else "center"
    )
    up = -18 if at.share >= drawn.mean else 20  # away from the mean, where the others crowd
    return [
        base.mark_point(
            filled=True, size=150, shape="diamond", color=BRAND, opacity=1, stroke="white", strokeWidth=1.5
        ),
        base.mark_text(dy=up, align=side, fontWeight=600, fontSize=14, color=BRAND, limit=300).encode(text="text:N"),
    ]


def _trend(drawn: Chart, language: Language, measure: Measure) -> list[Any]:
    axis = _axis(measure, language)
    shift = drawn.shift
    names = {mark.when: short_when(mark.when, language) for mark in drawn.marks}
    rows = [
        {
            "when": names[mark.when],
            "share": mark.share,
            "low": mark.low,
            "high": mark.high,
            "kind": "changed" if _is_in(mark, shift) else "plain",
        }
        for mark in drawn.marks
        if mark.share is not None
    ]
    order = list(names.values())
    across = alt.Scale(domain=order)
    few = alt.Axis(title=None, labelAngle=0, values=order[:: max(1, -(-len(order) // 5))], grid=False, ticks=True)
    x = alt.X("when:N", sort=order, axis=few, scale=across)
    shown = [value for row in rows for value in (row["share"], row["low"], row["high"]) if isinstance(value, float)]
    scale = _upright(shown, shown)
    base = alt.Chart(_data(rows)).encode(x=x)
    frozen = ("frozen", "figé")[language == "fr"]
    # Beyond the last point, where no point can lie under it.
    label = [{"when": order[-1], "centre": drawn.centre, "text": f"{measure.figure(drawn.centre, language)}\n{frozen}"}]
    inside = [mark.when for mark in drawn.marks if drawn.first <= mark.when <= drawn.last]
    after = [mark.when for mark in drawn.marks if mark.when >= drawn.last]
    layers: list[Any] = []
    if shift is not None:
        within = [mark.when for mark in drawn.marks if shift.since <= mark.when <= shift.until]
        band = [{"when": names[one], "until": names[within[-1]]} for one in within[:1]]
        layers.append(
            alt.Chart(_data(band))
            .mark_rect(color=BAND_OUTER, xOffset=-6, x2Offset=6)
            .encode(x=alt.X("when:N", sort=order, scale=across, axis=few), x2="until:N")
        )
    layers += [
        base.mark_line(color=PEER, strokeDash=[4, 3], strokeWidth=1, interpolate="step").encode(
            y=_share(field, scale, axis)
        )
        for field in ("low", "high")
    ]
    layers += [
        alt.Chart(_data([{"when": names[one], "centre": drawn.centre} for one in part]))
        .mark_line(color=BRAND, strokeWidth=2, strokeDash=dash)
        .encode(x=x, y=_share("centre", scale, axis))
        for part, dash in ((inside, [1, 0]), (after, [2, 3]))
    ]
    return [
        *layers,
        base.mark_line(color="#9aa8ad", strokeWidth=1).encode(y=_share("share", scale, axis)),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            y=_share("share", scale, axis),
            color=alt.Color("kind:N", scale=alt.Scale(domain=["plain", "changed"], range=[PEER, BRAND]), legend=None),
            shape=alt.Shape(
                "kind:N", scale=alt.Scale(domain=["plain", "changed"], range=["circle", "diamond"]), legend=None
            ),
        ),
        alt.Chart(_data(label))
        .mark_text(align="left", dx=10, dy=-3, lineBreak="\n", fontWeight=600, fontSize=13, color=BRAND)
        .encode(x=x, y=_share("centre", scale, axis), text="text:N"),
    ]


def short_when(point: str, language: Language) -> str:
    """`Mar 2026` for 2026-03, in French `mars 2026`; a quarter or a year as it is."""
    words = when(point, language)
    if words == point:
        return point
    month, year = words.split(" ")
    return f"{month[:3] if language == 'en' else month[:4]} {year}"


def _is_in(mark: Mark, shift: Shift | None) -> bool:
    return bool(mark.broken) or (shift is not None and shift.since <= mark.when <= shift.until)


def _axis(measure: Measure, language: Language) -> Any:
    """Of rates: percent on each tick, or the unit above them; a comma in French."""
    per_cent = measure.unit(language) == ""
    told = f"format(datum.value * {measure.per}, '~g')"
    if language == "fr":
        told = f"replace({told}, '.', ',')"
    sign = "" if not per_cent else " + '%'" if language == "en" else " + '\u00a0%'"
    return alt.Axis(labelExpr=told + sign, title=measure.unit(language) or None, **_SHARE_AXIS)


def _share(field: str, scale: Any, axis: Any) -> Any:
    return alt.Y(f"{field}:Q", axis=axis, scale=scale)


def _upright(high: Sequence[float], low: Sequence[float]) -> Any:
    """A scale with room above and below; from 0 where the lowest is not far from it."""
    top, bottom = max(high, default=1.0), min(low, default=0.0)
    room = 0.12 * (top - bottom) or 0.05
    floor = 0.0 if bottom < 0.4 * top else max(0.0, bottom - room)
    return alt.Scale(domain=[floor, min(1.0, top + room)], nice=False)


def _data(rows: list[dict[str, Any]]) -> Any:
    return alt.InlineData(values=rows)


def _limit(figure: str, language: Language) -> str:
    return f"{figure}%" if language == "en" else figure.replace(".", ",") + "\u00a0%"


def _thousands(language: Language) -> str:
    return ",d" if language == "en" else "d"


def _svg(chart: Any, title: str, text: str, language: Language) -> Markup:
    whole = (
        chart.properties(width=WIDTH, height=HEIGHT, background="white", padding=4)
        .configure(font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=13, titleFontSize=13, labelColor=SECOND, titleColor=SECOND, gridColor=LINE,
            domainColor=LINE, tickColor=LINE, titleFontWeight="normal",
        )
    )  # fmt: skip
    # Checked against the grammar's schema by a test; at run time that would be half of the drawing's time.
    spec = json.dumps(whole.to_dict(validate=False), ensure_ascii=True, allow_nan=False)
    return as_figure(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]), title, text, language)
