"""Draw docs/pictures/*.png anew: a month's report of a made-up hospital, as a browser and a printer show it.

Needs Chromium and Ghostscript (Debian: chromium, ghostscript); a person runs it after the report's look has changed,
and looks at what came out. Nothing in it is anybody's: 24 hospitals, 26 months, every figure from a hash.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from PIL import Image

from swaddle.feedback import monthly, pdf
from swaddle.feedback.monthly import Count, Figure, Month
from swaddle.feedback.trend import Sent
from swaddle.indicators.beside_peers import comparisons
from swaddle.indicators.shelf import shelf
from swaddle.indicators.tally import tally
from swaddle.indicators.waits import Spread, Wait

OUT = Path(__file__).resolve().parent.parent / "docs" / "pictures"
HOSPITALS, MONTHS, AT, NAME = 24, 26, datetime(2026, 11, 22, 6, tzinfo=UTC), "Northshore General"
ASKED = ("caesarean", "preterm", "low_birth_weight", "stillbirth")
COLOURS, LIMIT_BYTES = 160, 150_000
# name, width in CSS pixels, height, how many dots a pixel has; a screen of 1280 at 400 % has 320
SCREENS = (
    ("report", 1280, 1000, 1), ("comparison", 1280, 980, 1), ("report-390", 390, 844, 1.5),
    ("comparison-390", 390, 1400, 1.5), ("comparison-400-percent", 320, 1160, 2),
)  # fmt: skip
# Hospitals of 30 to 168 births a month; h0's caesareans rise in its second year, and h5's are always more.
BIRTHS = f"""
CREATE TABLE births AS
WITH hospitals AS (SELECT range AS place, 30 + 6 * range AS many FROM range({HOSPITALS})),
each AS (
    SELECT place, month, number, hash(place, month, number, 1) % 1000 AS mode,
        hash(place, month, number, 2) % 1000 AS early, hash(place, month, number, 3) % 1000 AS died
    FROM hospitals, range({MONTHS}) AS months(month), LATERAL (SELECT unnest(range(
        CASE WHEN place = 0 THEN 120 ELSE many END)) AS number)
)
SELECT 'h' || place AS submitter, 'births' AS source, 't' AS transfer,
    2024 + (month + 8) // 12 AS event_year, 1 + (month + 8) % 12 AS event_month,
    CASE WHEN died < 4 THEN 'stillbirth_antepartum' ELSE 'live' END AS outcome,
    CASE WHEN early < 75 THEN 34 ELSE 39 END AS ga_weeks,
    CASE WHEN mode < CASE WHEN place = 0 AND month >= 16 THEN 370 WHEN place = 5 THEN 400 ELSE 262 + 2 * place END
        THEN 'caesarean' ELSE 'vaginal' END AS birth_type,
    CASE WHEN early < 60 THEN 2300 ELSE 3400 END AS birth_weight_g,
FROM each
"""


def month() -> Month:
    """The report that is drawn."""
    tables = duckdb.connect()
    tables.execute(BIRTHS)
    there = shelf(OUT)
    definitions = [there.of(name) for name in ASKED]
    tally(tables, definitions)
    compared = comparisons(tables, "h0", [item.id for item in definitions], at="2026-11-22T06:00:00Z")
    last, when = "year = 2026 AND month = 10", "12 * year + month BETWEEN 12 * 2025 + 10 AND 12 * 2026 + 9"
    return Month(
        report="0" * 32, name=NAME, month="2026-10", at="2026-11-22T06:00:00Z", dictionary="1", snapshot="made up",
        revised=False, comparisons=compared,
        waits=(
            Wait(
                name="birth to registry", now=Spread(count=118, median=9.0, nine_in_ten=21.0),
                before=Spread(count=1322, median=11.0, nine_in_ten=34.0),
            ),
        ),
        sent=tuple(
            Sent(at=datetime(2026, 5 + place, 1, tzinfo=UTC), read=400 + place, rejected=rejected)
            for place, rejected in enumerate((30, 22, 25, 18, 12, 4))
        ),
        figures=tuple(
            Figure(
                definition=item, month=_count(tables, item.id, last), before=_count(tables, item.id, when), parts={},
                cases=tuple(f"NG-{4711 + 13 * n}" for n in range(_count(tables, item.id, last).numerator)),
                lacking=not _count(tables, item.id, last).denominator,
            )
            for item in definitions
        ),
    )  # fmt: skip


def _count(tables: duckdb.DuckDBPyConnection, indicator: str, when: str) -> Count:
    row = tables.execute(
        "SELECT coalesce(sum(counts), 0)::BIGINT, coalesce(sum(counts + placed), 0)::BIGINT,"
        " coalesce(sum(unknown), 0)::BIGINT FROM indicator_counts"
        f" WHERE submitter = 'h0' AND indicator = $indicator AND {when}",
        {"indicator": indicator},
    ).fetchone()
    return Count(numerator=row[0], denominator=row[1], unknown=row[2]) if row else Count()


def main() -> int:
    """Draw them all; the status is 1 where one is too heavy."""
    OUT.mkdir(exist_ok=True)
    html = monthly.page(month(), "en")
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        for name, width, height, dots in SCREENS:
            _screen(folder, _from_peers(html) if name.startswith("comparison") else html, width, height, dots)
            _kept(folder / "drawn.png", name)
        (folder / "report.pdf").write_bytes(pdf.pdf_of(html.encode(), "en"))
        subprocess.run(
            [_found("gs"), "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-sDEVICE=png16m", "-r90", "-dTextAlphaBits=4",
             "-dGraphicsAlphaBits=4", "-dFirstPage=2", "-dLastPage=2",  # the first holds the findings alone
             f"-sOutputFile={folder / 'drawn.png'}", str(folder / "report.pdf")], check=True,
        )  # fmt: skip
        _kept(folder / "drawn.png", "printed")
    heavy = [path.name for path in OUT.glob("*.png") if path.stat().st_size > LIMIT_BYTES]
    print(f"{OUT}: {', '.join(path.name for path in sorted(OUT.glob('*.png')))}")
    return 1 if heavy else 0


def _from_peers(html: str) -> str:
    """The same page, from the comparison on."""
    before, _, after = html.partition('<h2 class="part" id="peers">')
    start, _, _ = before.partition("<h1>")
    return f'{start}<h2 class="part" id="peers">{after}'


def _screen(folder: Path, html: str, width: int, height: int, dots: float) -> None:
    """In a frame of that width: a window of Chromium is never narrower than 500."""
    (folder / "page.html").write_text(html, encoding="utf-8")
    (folder / "frame.html").write_text(
        f'<body style="margin:0"><iframe src="page.html" style="border:0;width:{width}px;height:{height}px"></iframe>'
    )
    subprocess.run(
        [_found("chromium"), "--headless", "--no-sandbox", "--hide-scrollbars", f"--force-device-scale-factor={dots}",
         f"--window-size={max(width, 500)},{height}", f"--user-data-dir={folder / 'browser'}",
         f"--screenshot={folder / 'drawn.png'}", (folder / "frame.html").as_uri()],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    with Image.open(folder / "drawn.png") as drawn:
        drawn.crop((0, 0, int(width * dots), int(height * dots))).save(folder / "drawn.png")


def _found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        sys.exit(f"{program} is not installed")
    return path


def _kept(drawn: Path, name: str) -> None:
    with Image.open(drawn) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(OUT / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
