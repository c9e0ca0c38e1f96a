"""Write docs/validation.md: what the indicators make of real births, beside what was published of the same births.

    SWADDLE_REAL_DATA=/path/to/data python tools/validation.py

Each file goes the way of a submission: read by its mapping, checked, stored in three encrypted files, counted. What was
published is written here by hand, with the page on which it was read; nothing is tuned to agree.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import duckdb

from swaddle.custody.ledger import FILE_NAME, Ledger
from swaddle.indicators.cells import Policy
from swaddle.indicators.definitions import among, shipped
from swaddle.indicators.running import run
from swaddle.intake import shelf
from swaddle.registry import units
from swaddle.registry.sheets import take_file
from swaddle.registry.state import State
from swaddle.registry.store import Store
from swaddle.registry.taking import OneFile

ROOT = Path(__file__).parents[1]
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEYS = {name: secrets.token_bytes(32) for name in ("identifiers", "subjects", "clinical", "subject_ids")}
FINAL_2014 = "Births: Final Data for 2014, key findings: blogs.cdc.gov/nchs/2015/12/23/3027"
FINAL_2021 = "Births in the United States, 2021, Data Brief 442: stacks.cdc.gov/view/cdc/119632"
EARLY_2021 = "Births: Provisional Data for 2021, Rapid Release 20, abstract"
EARLY_2006 = "Annual Summary of Vital Statistics: 2006, Pediatrics, table of births (preliminary 2006)"
BRAZIL_2016 = (
    "Parto cesáreo prevalece no estado de Santa Catarina, 2018: portaleventos.uffs.edu.br/index.php/CIPPS, 7233"
)
BRAZIL_2019 = (
    "Gustmann and Arceno, profile of live births in Santa Catarina 2010 to 2019, abstract: doi:10.51161/epidemion/6147"
)
BRAZIL_FAULTS = "Congenital anomalies in Santa Catarina 2010 to 2018, Rev Paul Pediatr, abstract (old.scielo.br/j/rpp)"
BRAZIL_WEEKS = "Freitas 2015, abstract: doi:10.1590/S1519-38292015000300006"
BORN_HERE = "The same births by another extraction."
SAMPLE = "A sample of a thousand: the interval is wide."


@dataclass(frozen=True, kw_only=True)
class Published:
    """One figure as it was read: in per cent, of one year of the file or of all of it, and why ours may differ."""

    indicator: str
    figure: float
    source: str
    why: str
    year: int | None = None


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """A figure that no indicator can make of this file: counted in the file's own columns, by conditions in SQL."""

    what: str
    event: str
    of: str
    figure: float
    source: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """One real file."""

    title: str
    path: str
    published: tuple[Published, ...]
    also: tuple[str, ...] = ()
    kind: str | None = None  # the layout where it is not recognised
    note: str = ""
    by_hand: tuple[ByHand, ...] = ()


SOURCES = (
    Source(
        title="United States 2006, one birth in ten (National Center for Health Statistics)",
        path="nchs_births2006/births2006_smpl.parquet",
        published=(
            Published(indicator="caesarean", figure=31.1, source=EARLY_2006, why="The same route of birth."),
            Published(
                indicator="preterm",
                figure=12.8,
                source=EARLY_2006,
                why="The published figure counts weeks from the last menstruation; the file carries the clinical"
                " estimate, which finds fewer preterm births, and lacks it in 13 of 100 births.",
            ),
            Published(
                indicator="multiple_birth",
                figure=3.22,
                source=EARLY_2006,
                why="The published figure is of twins alone, of 2005; ours counts triplets and more as well.",
            ),
        ),
        also=("low_birth_weight_all", "apgar5_low"),
    ),
    Source(
        title="United States 2014, a sample of 100,000 (National Center for Health Statistics)",
        path="nchs_natality2014/natality_2014_100k.parquet",
        published=(
            Published(
                indicator="caesarean",
                figure=32.2,
                source=FINAL_2014,
                why="The sample leaves the route blank in 4 of 100 births: those of states that still used the earlier"
                " certificate.",
            ),
            Published(
                indicator="preterm",
                figure=9.57,
                source=FINAL_2014,
                why="The published figure uses the obstetric estimate; the file carries only the combined weeks, which"
                " start from the last menstruation and find more preterm births.",
            ),
            Published(indicator="low_birth_weight_all", figure=8.0, source=FINAL_2014, why="The same weight."),
            Published(
                indicator="multiple_birth",
                figure=3.39,
                source=FINAL_2014,
                why="The published figure is of twins alone; triplets and more were 0.11% (same page).",
            ),
        ),
        also=("apgar5_low", "induction", "term_intensive_care"),
        note="Induction is read too high here, and shows what unknown means: of a birth that was not induced the sample"
        " often does not tell whether labour began by itself or not at all, so the field has no value and the birth is"
        " unknown. Of all births, 22.6% are known to be induced.",
    ),
    Source(
        title="United States 2021, a sample of 1,000 (National Center for Health Statistics)",
        path="nchs_nat2021/nat2021us_sample_1000.csv",
        published=(
            Published(indicator="caesarean", figure=32.1, source=EARLY_2021, why=SAMPLE),
            Published(indicator="preterm", figure=10.49, source=FINAL_2021, why=SAMPLE),
            Published(
                indicator="ntsv_caesarean",
                figure=26.3,
                source=EARLY_2021,
                why=f"The published low-risk rate is of the same births: first, one baby, head down, term. {SAMPLE}",
            ),
            Published(
                indicator="vaginal_after_caesarean",
                figure=14.2,
                source=FINAL_2021,
                why="The published rate is of all births after any number of caesareans; ours of one caesarean, one"
                f" baby head down, term: higher is expected. {SAMPLE}",
            ),
        ),
        also=("low_birth_weight_all", "multiple_birth", "apgar5_low", "robson"),
    ),
    Source(
        title="Brazil, Santa Catarina 2012 to 2023 (SINASC)",
        path="sinasc_sc_anomalia/sinasc_sc.parquet",
        kind="sinasc-sc",
        published=(
            Published(indicator="caesarean", figure=57.71, source=BRAZIL_2016, why=BORN_HERE, year=2016),
            Published(indicator="caesarean", figure=57.5, source=BRAZIL_2019, why=BORN_HERE, year=2019),
        ),
        also=("caesarean", "preterm", "first_visit_early"),
        by_hand=(
            ByHand(
                what="under 2,500 g, 2012 to 2019",
                event="cat_peso <> 'Acima de 2500g'",
                of="ano <= 2019 AND cat_peso IS NOT NULL",
                figure=7.9,
                source=f"{BRAZIL_2019} (2010 to 2019)",
            ),
            ByHand(
                what="seven visits or more, 2012",
                event="cat_consultas LIKE '7%'",
                of="ano = 2012",
                figure=70.0,
                source=BRAZIL_2019,
            ),
            ByHand(
                what="seven visits or more, 2019",
                event="cat_consultas LIKE '7%'",
                of="ano = 2019",
                figure=80.2,
                source=BRAZIL_2019,
            ),
            ByHand(
                what="a congenital anomaly, 2018",
                event="idanomal = 1",
                of="ano = 2018",
                figure=0.82,
                source=BRAZIL_FAULTS,
            ),
            ByHand(
                what="under 37 weeks, 2012",
                event="cat_gestacao LIKE 'Menos de 22%' OR cat_gestacao[:2] IN ('22', '28', '32')",
                of="ano = 2012 AND cat_gestacao <> 'Ignorado'",
                figure=10.6,
                source=BRAZIL_WEEKS,
            ),
        ),
        note="The file tells weeks and weight in bands, which no mapping can make into weeks and grams: preterm birth"
        " is not answerable, and is said to be so. What is counted by hand shows whether the file holds the births that"
        " were published of: in weight, anomalies and the visits of 2019 it does, within a fifth of a point; of 2012"
        " the visits are told as 70% without a decimal. Preterm birth of 2012 differs by almost a point: the article"
        " used an earlier extraction, and why it differs is not known.",
    ),
)


def main() -> None:
    """Take each file in, count, and write the page."""
    data = Path(os.environ.get("SWADDLE_REAL_DATA", ROOT.parent / "shared" / "data"))
    lines = [HEAD]
    for source in SOURCES:
        if not (data / source.path).is_file():
            raise SystemExit(f"{source.path} is not there: say SWADDLE_REAL_DATA")
        print(source.title, file=sys.stderr)
        lines += section(source, data)
    (ROOT / "docs" / "validation.md").write_text("\n".join(lines).rstrip() + "\n", "utf-8")


def section(source: Source, data: Path) -> list[str]:
    """One file's part of the page."""
    with tempfile.TemporaryDirectory() as folder:
        counts, told = counted(source, data / source.path, Path(folder))
    by_id = told[None]
    lines = [f"## {source.title}", "", f"{counts}.", ""]
    if source.published:
        lines += [
            "| indicator | ours | 95% interval | published | why they differ | read in |",
            "|---|---|---|---|---|---|",
        ]
        for each in source.published:
            ours = told[each.year][each.indicator]
            year = f", {each.year}" if each.year else ""
            lines.append(
                f"| {link(ours)}{year} | {rate(ours)} | {reach(ours)} | {each.figure:g}% | {verdict(ours, each.figure)}"
                f" {each.why} | {each.source} |"
            )
        lines.append("")
    if source.also:
        lines += [
            "Without a published figure that could be read:",
            "",
            "| indicator | ours | 95% interval |",
            "|---|---|---|",
        ]
        lines += [f"| {link(by_id[name])} | {rate(by_id[name])} | {reach(by_id[name])} |" for name in source.also]
        lines.append("")
    if source.by_hand:
        lines += [
            "Counted by hand in the file's own bands, which no indicator can read:",
            "",
            "| what | in the file | published | apart | read in |",
            "|---|---|---|---|---|",
            *(by_hand(each, data / source.path) for each in source.by_hand),
            "",
        ]
    if source.note:
        lines += [source.note, ""]
    return lines


def by_hand(each: ByHand, path: Path) -> str:
    """A line of what no indicator can count here."""
    births = duckdb.read_parquet(str(path)).filter(each.of)
    row = births.aggregate(f"count(*) FILTER ({each.event}), count(*)").fetchone()
    assert row is not None
    found = 100 * row[0] / row[1]
    return (
        f"| {each.what} | {found:.2f}% ({row[0]:,} of {row[1]:,}) | {each.figure:g}% |"
        f" {round(found - each.figure, 2) + 0.0:+.2f} points | {each.source} |"
    )


def counted(source: Source, path: Path, folder: Path) -> tuple[str, dict[int | None, dict[str, dict[str, object]]]]:
    """What became of the rows, and the indicators of the one submitter that sent them: by year (None: all), by id."""
    own = folder / shelf.FOLDER
    own.mkdir()
    for mapping in (ROOT / "docs" / "mappings").glob("*.toml"):
        shutil.copy(mapping, own / mapping.name)
    store, state = Store(folder, KEYS), State(folder / "registry.db")
    inside = SimpleNamespace(home=folder, store=store, state=state, ledger=Ledger(folder / FILE_NAME), now=lambda: AT)
    one = OneFile(transfer=secrets.token_hex(16), submitter=secrets.token_hex(16), kind=source.kind)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        load = take_file(inside, descriptor, sha256(path.read_bytes()).hexdigest(), one, AT).load
    finally:
        os.close(descriptor)
    names = dict.fromkeys([*(each.indicator for each in source.published), *source.also])
    told = {}
    for year in dict.fromkeys([None, *(each.year for each in source.published)]):
        births = units.relation("births", store.placement)
        only = f" where event_year = {year}" if year else ""
        store.connection.execute(f"create or replace temp view births as select * from ({births}){only}")
        found = run(
            store.connection, among(names, shipped()), policy=Policy(), at=AT.isoformat(), submitter=one.submitter
        )
        told[year] = {str(each["id"]): each for each in found}
    store.close()
    state.close()
    return f"{load.read:,} rows read, {load.stored:,} stored, {load.rejected:,} rejected", told


def link(told: dict[str, object]) -> str:
    """The indicator with its page."""
    return f"[{told['title']}](indicators/{told['id']}.md)"


def rate(told: dict[str, object]) -> str:
    """The rate, of how many, and how many are unknown."""
    if told["rate"] is None:
        return f"not answerable ({told['unknown']:,} unknown)"
    return f"{told['rate']:.2f}% ({told['numerator']:,} of {told['denominator']:,}; {told['unknown']:,} unknown)"


def reach(told: dict[str, object]) -> str:
    """The interval."""
    return "-" if told["rate"] is None else f"{told['low']:.2f} to {told['high']:.2f}"


def verdict(told: dict[str, object], figure: float) -> str:
    """Whether the published figure lies in our interval; the file is a part of what was published."""
    if told["rate"] is None:
        return "Not answerable here."
    inside = told["low"] <= figure <= told["high"]  # type: ignore[operator]  # numbers where there is a rate
    apart = told["rate"] - figure  # type: ignore[operator]
    return "Within our interval." if inside else f"{apart:+.2f} points."


HEAD = """\
# Real births beside published figures

<!-- Made by tools/validation.py from the files and the figures written in it; do not edit. -->

Do the indicators agree with the world, and not only with themselves? Real files go the whole way of a submission (read
by their mapping, checked, stored, counted), and what comes out stands beside what was published of the same births.
Published figures are those that could be read, with the page; none was adjusted to fit. These files are statistical
extracts: no names, no hospital, and each is one made-up submitter.

A published figure of all births and a rate of a sample of them need not be equal; chance alone moves it inside the
interval. Beyond it, the words say why.
"""

if __name__ == "__main__":
    main()
