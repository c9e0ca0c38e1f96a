"""All indicators for 150 submitters, 13 years and 1.9 million births, beside pandas counting six of them by hand.

    python bench/indicators.py [--births 1900000] [--runs 3]

Prints seconds of wall and processor time and the most memory, each way in a process of its own, taken in turns. The
peer counts six of the indicators that are shipped; `ours-six` counts the same six.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUBMITTERS, YEARS, FIRST = 150, 13, 2012
PEER_OF = ("preterm", "low_birth_weight", "ntsv_caesarean", "robson", "apgar5_low", "severe_tear")


def make(path: Path, births: int) -> None:
    """A made-up registry in one plain file: births with every field that the indicators ask, others of each unit."""
    import duckdb

    from swaddle.indicators.fields import UNITS, fields_of, values_of

    connection = duckdb.connect(str(path))
    connection.execute("SELECT setseed(0.4)")
    sizes = {"births": births, "screens": births // 2, "nicu_stays": births // 10, "cycles": births // 20}
    for unit in ("birth", "screen", "nicu_stay", "cycle"):
        columns = []
        for name, kind in fields_of(unit).items():
            columns += [f"{_made(name, kind, list(values_of(name)))} AS {name}", f"NULL::VARCHAR AS {name}_missing"]
        connection.execute(
            f"CREATE TABLE {UNITS[unit].relation} AS SELECT i AS load_id, i AS line,"
            f" md5((i * 7919 % {SUBMITTERS})::VARCHAR) AS submitter, 'births' AS source, 't' AS transfer,"
            f" {FIRST} + i * 31 % {YEARS} AS event_year, 1 + i * 17 % 12 AS event_month,"
            " md5((i - (i % 40 = 1)::INT)::VARCHAR) AS delivery_local_id,"  # one birth in forty is a second twin
            f" {', '.join(columns)} FROM range({sizes[UNITS[unit].relation]}) made(i)"
        )
    connection.close()


def _made(name: str, kind: str, codes: list[str]) -> str:
    """SQL of a plausible value, one in thirty missing."""
    usual = {
        "ga_weeks": "36 + floor(random() * 6)",
        "birth_weight_g": "2300 + floor(random() * 2000)",
        "n_fetuses": "1 + (random() < 0.03)::INT",
        "apgar5": "6 + floor(random() * 5)",
        "para": "floor(random() * 3)",
        "previous_cs": "(random() < 0.15)::INT",
        "data_days": "random() * 60",
    }
    if name == "outcome":
        value = "CASE WHEN random() < 0.994 THEN 'live' ELSE 'stillbirth_antepartum' END"
    elif codes:
        value = f"([{', '.join(repr(code) for code in codes)}])[1 + floor(random() * {len(codes)})::INT]"
    elif kind == "BOOLEAN":
        value = "random() < 0.1"
    elif kind in ("DATE", "TIMESTAMP"):
        value = f"(TIMESTAMP '2020-01-01' + to_hours(floor(random() * 20000)::INT))::{kind}"
    elif kind == "VARCHAR":
        value = "'x'"
    else:
        value = f"({usual.get(name, 'floor(random() * 5)')})::{kind}"
    return f"CASE WHEN random() > 0.033 THEN {value} END"


def ours(path: Path) -> dict[str, float]:
    """Every shipped indicator, counted by submitter, month and group."""
    import duckdb

    from swaddle.indicators.definitions import shipped
    from swaddle.indicators.tally import tally

    connection = duckdb.connect(str(path), read_only=True, config={"threads": 2})
    begun = time.perf_counter()
    read = tally(connection, shipped())
    rows = connection.execute("SELECT count(*) FROM indicator_counts").fetchone()
    return {"seconds": time.perf_counter() - begun, "read": read, "rows": rows[0], "indicators": len(shipped())}


def peer(path: Path) -> dict[str, float]:
    """The same six in pandas over Arrow columns, written out by hand, with its own three values."""
    import duckdb
    import pandas as pd

    needed = "outcome, ga_weeks, birth_weight_g, n_fetuses, presentation, para, onset_labour, previous_cs, birth_type"
    connection = duckdb.connect(str(path), read_only=True, config={"threads": 2})
    begun = time.perf_counter()
    query = f"SELECT submitter, event_year, event_month, {needed}, apgar5, perineum FROM births"
    births = connection.execute(query).arrow().read_all().to_pandas(types_mapper=pd.ArrowDtype)
    live, term, single = births["outcome"] == "live", births["ga_weeks"] >= 37, births["n_fetuses"] == 1
    head, first, section = births["presentation"] == "vertex", births["para"] == 0, births["birth_type"] == "caesarean"
    tears = {"third_a", "third_b", "third_c", "fourth", "third_or_fourth"}
    group = pd.Series("4b", index=births.index)
    for holds, name in (
        (births["onset_labour"] == "induced", "4a"), (births["onset_labour"] == "spontaneous", "3"),
        (births["previous_cs"] >= 1, "5"), (first, "2b"), (first & (births["onset_labour"] == "induced"), "2a"),
        (first & (births["onset_labour"] == "spontaneous"), "1"), (~term, "10"),
        (births["presentation"] == "breech", "7"),
        ((births["presentation"] == "breech") & first, "6"), (births["presentation"] == "transverse_oblique", "9"),
        (~single, "8"),
    ):  # fmt: skip
        group = group.mask(holds.fillna(False).astype(bool), name)
    asked = {
        "preterm": (live, births["ga_weeks"] < 37),
        "low_birth_weight": (live & single, births["birth_weight_g"] < 2500),
        "ntsv_caesarean": (live & single & head & term & first, section),
        "robson": (births["outcome"] != "termination", section),
        "apgar5_low": (live & term, births["apgar5"] < 7),
        "severe_tear": (births["birth_type"] != "caesarean", births["perineum"].isin(tears)),
    }
    rows = 0
    for name, (inside, event) in asked.items():
        keys = [births[key] for key in ("submitter", "event_year", "event_month")]
        keys += [group] if name == "robson" else []
        told = pd.DataFrame({"counts": inside & event, "placed": inside & ~event, "unknown": (inside & event).isna()})
        rows += len(told.fillna(False).astype("int8").groupby(keys).sum())
    return {"seconds": time.perf_counter() - begun, "rows": rows, "indicators": len(asked)}


def ours_six(path: Path) -> dict[str, float]:
    """The peer's six, counted our way."""
    import duckdb

    from swaddle.indicators.definitions import among, shipped
    from swaddle.indicators.tally import tally

    connection = duckdb.connect(str(path), read_only=True, config={"threads": 2})
    begun = time.perf_counter()
    tally(connection, among(PEER_OF, shipped()))
    return {"seconds": time.perf_counter() - begun, "indicators": len(PEER_OF)}


WAYS = {"ours": ours, "ours-six": ours_six, "pandas-six": peer}


def main() -> None:
    """Make the births once, then measure each way in turns, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--births", type=int, default=1_900_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", choices=WAYS)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.one:
        told = WAYS[given.one](given.file)
        used = resource.getrusage(resource.RUSAGE_SELF)
        told |= {"cpu": used.ru_utime + used.ru_stime, "peak_mib": used.ru_maxrss / 1024}
        print(json.dumps(told))
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "births.duckdb"
        make(file, given.births)
        for number in range(given.runs):
            for way in WAYS:
                command = [sys.executable, __file__, "--one", way, "--file", str(file)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(way, done.stderr.strip().splitlines()[-1:])
                    continue
                told = json.loads(done.stdout)
                print(f"run {number + 1}  {way:11} " + "  ".join(f"{key} {value:,.1f}" for key, value in told.items()))


if __name__ == "__main__":
    main()
