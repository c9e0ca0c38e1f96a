"""The report of one month: from new data on the gateway to the sealed report on the gateway, in a registry of many.

    python bench/monthly.py [--submitters 150] [--births 1900000] [--rounds 3]

A real gateway and a real registry. The other submitters' made-up births, thirteen years of them, are sealed and taken
in first, by the registry's own path. Then one hospital sends a file, and each round times: the pull that takes it in
(with its quality report), the report of the month with its two PDFs, and the same without PDFs. There is no peer: no
other program makes this report; the seconds stand beside the target of 10.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pipeline import enrol, seal
from support.rounds import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from submitter_world import GatewayProcess
from swaddle.demo import layout
from swaddle.demo.cohort import SITES, births
from swaddle.registry import monthly, work
from swaddle.registry.inside import Registry
from swaddle.registry.pipeline import take_in
from whole_world import make_world

YEARS, NAME, TARGET_S = 13, "Northshore General", 10.0


def csv_of(number: int, seed: int, years: int) -> bytes:
    """Made-up births, as many in each of the last years."""
    today = datetime.now(UTC).date()
    last = today.replace(day=1) - timedelta(days=1)
    rows = []
    for year in range(years):
        day = date(last.year - year, last.month, 28)
        for each in births(SITES[0], number // years, seed=seed * 100 + year, last_day=day):
            row = layout.row(each)
            for name in ("local_record_id", "delivery_local_id", "mother_local_id", "child_local_id"):
                row[name] = f"{seed}-{year}-{row[name]}"
            rows.append(row)
    return b"\n".join(layout.lines(rows)) + b"\n"


def fill(inside: Registry, folder: Path, submitters: int, each: int) -> int:
    """Take in the births of the others; how many rows were stored."""
    at = datetime.now(UTC).replace(microsecond=0)
    stored = 0
    for number in range(submitters):
        path = folder / f"{number}.csv"
        path.write_bytes(csv_of(each, number + 1, YEARS))
        submitter, signer = enrol(inside, at)
        held = seal(inside, path, "births", submitter, signer, at)
        outcome = take_in(held, at, inside)
        stored += int((outcome.rows or {}).get("stored", 0))
        path.unlink()
        if number % 10 == 9:
            print(f"  {number + 1} submitters, {stored:,} births", file=sys.stderr, flush=True)
    return stored


def main() -> None:
    """Fill, then time the rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submitters", type=int, default=20)
    parser.add_argument("--births", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run(Path(scratch), options)


def run(folder: Path, options: argparse.Namespace) -> None:
    """One registry, several rounds."""
    gateway = GatewayProcess(folder / "gateway")
    try:
        world = make_world(folder, gateway)
        world.enrol(NAME)
        inside = world.inside()
        began = time.perf_counter()
        stored = fill(inside, folder, options.submitters - 1, options.births // options.submitters)
        print(
            f"{machine()}; {options.submitters} submitters, {stored:,} births"
            f" filled in {time.perf_counter() - began:,.0f} s"
        )
        took: dict[str, list[float]] = {"pull": [], "report, PDFs": [], "report, no PDF": []}
        for number in range(options.rounds):
            world.send(NAME, world.file(csv_of(options.births // options.submitters, 900 + number, 2)))
            took["pull"].append(_timed(lambda: work.look(inside)))
            took["report, PDFs"].append(_timed(lambda: _report(inside)))
            # The same figures would be the same report: more data first, so that it is another one.
            world.send(NAME, world.file(csv_of(600, 950 + number, 2)))
            work.look(inside)
            plain = replace(inside, settings=replace(inside.settings, report_pdf="no"))
            took["report, no PDF"].append(_timed(lambda: _report(plain)))  # noqa: B023  called at once
        for name, seconds in took.items():
            print(f"  {name:15} median {statistics.median(seconds):6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})")
        whole = statistics.median(
            first + second for first, second in zip(took["pull"], took["report, PDFs"], strict=True)
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"from new data to the sealed report {whole:.2f} s, {whole / TARGET_S:.2f} of {TARGET_S:.0f} s;"
            f" {peak:,.0f} MiB"
        )
        inside.close()
    finally:
        gateway.stop()


def _report(inside: Registry) -> None:
    made = monthly.report(inside, submitter=NAME)["reports"]
    assert made[0]["outcome"] in {"sent", "revised"}, made


def _timed(do: object) -> float:
    began = time.perf_counter()
    do()  # type: ignore[operator]
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
