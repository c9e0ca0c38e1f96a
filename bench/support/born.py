"""Made-up births in the plain layout, 30 columns, from a fixed seed, with some wrong in ways that rules find."""

from __future__ import annotations

from pathlib import Path

import duckdb

SEED = 20261122


def _chance(what: str) -> str:
    """A number from 0 to 9999 that depends on the row and on `what`."""
    return f"(hash(n, '{what}', {SEED}) % 10000)"


def _of(what: str, *choices: str) -> str:
    """One of these, with equal chance."""
    parts = " ".join(f"WHEN {place} THEN '{choice}'" for place, choice in enumerate(choices))
    return f"CASE {_chance(what)} % {len(choices)} {parts} END"


def _but(value: str, what: str, *wrong: str, per_10000: int = 40) -> str:
    """The value, but in some rows one of these."""
    return f"CASE WHEN {_chance(what + ' wrong')} < {per_10000} THEN {_of(what + ' which', *wrong)} ELSE {value} END"


_DAY = f"(DATE '2025-01-01' + CAST({_chance('day')} % 600 AS INTEGER))"
_LIVE = f"({_chance('outcome')} >= 60)"
_CS = f"({_chance('birth type')} % 100 < 28)"
_WEEKS = f"CASE WHEN {_chance('preterm')} < 800 THEN 28 + {_chance('weeks')} % 9 ELSE 37 + {_chance('weeks')} % 5 END"
_PARA = f"{_chance('para')} % 4"

# Column -> SQL of its text.
COLUMNS: dict[str, str] = {
    "local_record_id": "'B' || n",
    "event_date": _but(f"strftime({_DAY}, '%Y-%m-%d')", "date", "2025-02-30", "2042-01-01"),
    "site_id": _of("site", "S1", "S2", "S3"),
    "mother_local_id": "'M' || n",
    "mother_family_name": _of("name", "Okafor", "Singh", "Tremblay", "Nguyen", "Smith"),
    "mother_birth_date": _but(
        f"strftime({_DAY} - CAST(7000 + {_chance('age')} % 8000 AS INTEGER), '%Y-%m-%d')", "born", "2025-01-01"
    ),
    "mother_postal_code": _but("'M5G 1X8'", "postal", "90210"),
    "child_sex": _but(_of("sex", "F", "M"), "sex", "girl", "NI"),
    "delivery_local_id": "'D' || n",
    "admit_dt": _but(f"strftime({_DAY}, '%Y-%m-%dT00:10')", "admit", "2027-01-01T00:10", "yesterday"),
    "delivery_place": _of("place", "hospital", "hospital", "birth_centre", "home_planned"),
    "n_fetuses": "'1'",
    "birth_order": "'1'",
    "para": f"CAST({_PARA} AS VARCHAR)",
    "gravida": _but(f"CAST({_PARA} + 1 AS VARCHAR)", "gravida", "0", "1"),
    "previous_cs": _but(f"CASE WHEN {_PARA} > 0 THEN '1' ELSE '0' END", "previous", "9", "4"),
    "ga_weeks": _but(f"CAST({_WEEKS} AS VARCHAR)", "weeks", "273", "46", "99"),
    "onset_labour": f"CASE WHEN {_CS} THEN 'no_labour_cs' ELSE {_of('onset', 'spontaneous', 'induced')} END",
    "presentation": _but(_of("presentation", "vertex", "vertex", "breech"), "presentation", "sideways"),
    "birth_type": _but(f"CASE WHEN {_CS} THEN 'caesarean' ELSE 'vaginal' END", "type", "vaginal", "forceps"),
    "cs_type": f"CASE WHEN {_CS} THEN {_of('cs', 'planned', 'unplanned')} ELSE '' END",
    "perineum": f"CASE WHEN {_CS} THEN 'NA' ELSE {_of('perineum', 'intact', 'first', 'second', 'third_a')} END",
    "episiotomy": _but(f"CASE WHEN {_CS} THEN 'none' ELSE {_of('cut', 'none', 'midline')} END", "cut", "midline"),
    "ebl_ml": _but(f"CAST(150 + {_chance('loss')} % 900 AS VARCHAR)", "loss", "4000", "-5"),
    "pph": _of("pph", "Y", "N"),
    "outcome": f"CASE WHEN {_LIVE} THEN 'live' ELSE 'stillbirth_antepartum' END",
    "birth_weight_g": _but(f"CAST(2200 + {_chance('weight')} % 2200 AS VARCHAR)", "weight", "7.5", "9999", "340"),
    "apgar1": f"CASE WHEN {_LIVE} THEN CAST(1 + {_chance('one')} % 10 AS VARCHAR) ELSE '0' END",
    "apgar5": _but(
        f"CASE WHEN {_LIVE} THEN CAST(5 + {_chance('five')} % 6 AS VARCHAR) ELSE '0' END", "five", "11", "9"
    ),
    "resuscitation": _of("help", "none", "none", "none", "ppv", "ppv;intubation"),
}


def make_births(path: Path, rows: int) -> None:
    """Write them as CSV."""
    columns = ", ".join(f"{sql} AS {name}" for name, sql in COLUMNS.items())
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns} FROM range({rows}) r(n)) TO '{path}' (HEADER, DELIMITER ',')")
