"""Real birth files, dealt to the demo's three places by a seeded hash of each row's number.

The files are statistics published by the United States' NCHS; they name no hospital, so the places are made up and the
demo says so. A row goes to one place, whole, and in the file's own columns: Parquet stays Parquet with the same values
and types, CSV stays CSV with the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

import duckdb

from swaddle.demo.cohort import DEFAULT_BIRTHS, SITES

_SPAN = 1_000_000  # hash values are dealt in millionths


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of file that can be dealt, known by columns that only it has."""

    kind: str
    suffix: str
    marks: frozenset[str]


SOURCES: tuple[Source, ...] = (
    Source("nchs-births-2006", ".parquet", frozenset({"DOB_MM", "ESTGEST", "DMETH_REC", "DPLURAL", "DBWT"})),
    Source("nchs-natality-2014", ".parquet", frozenset({"mager", "combgest", "me_rout", "priorlive", "dbwt"})),
    Source("nchs-natality-2021", ".csv", frozenset({"DOB_YY", "DOB_MM", "MAGER", "COMBGEST", "ME_ROUT"})),
)


@dataclass(frozen=True, slots=True)
class Dealt:
    """One place's share of one file."""

    place: int  # in SITES
    kind: str
    path: Path
    rows: int


def find(folder: Path) -> list[tuple[Source, Path]]:
    """The files in `folder` and in its folders that can be dealt, in the order of SOURCES."""
    found = []
    for source in SOURCES:
        paths = sorted([*folder.glob(f"*{source.suffix}"), *folder.glob(f"*/*{source.suffix}")])
        found += [(source, path) for path in paths if source.marks <= _columns(path)]
    return found


def missing(found: list[tuple[Source, Path]]) -> list[str]:
    """The kinds that were not there."""
    there = {source.kind for source, _ in found}
    return [source.kind for source in SOURCES if source.kind not in there]


def deal(source: Source, path: Path, folders: list[Path], seed: int) -> list[Dealt]:
    """Write each place's share of `path` into its folder; a place that gets no row gets no file."""
    targets = [folder / f"{source.kind}{path.suffix}" for folder in folders]
    counts = (_deal_parquet if source.suffix == ".parquet" else _deal_csv)(path, targets, seed)
    return [
        Dealt(place, source.kind, target, rows)
        for place, (target, rows) in enumerate(zip(targets, counts, strict=True))
        if rows
    ]


def as_text(path: Path, scratch: Path) -> Path:
    """A file with every row of a dealt file as one line of CSV, header first: the file itself where it is CSV."""
    if path.suffix != ".parquet":
        return path
    target = scratch / f"{path.parent.name}-{path.stem}.rows"
    with duckdb.connect() as connection:
        connection.read_parquet(str(path)).write_csv(str(target), header=True)
    return target


def rows_of(text: Path) -> Iterator[bytes]:
    """The rows of a CSV file as they stand in it, without the header and without line ends."""
    lines = _lines(text)
    next(lines, None)
    return lines


def place_of(seed: int, row: int) -> int:
    """Which place gets row number `row`, counted from 0."""
    # Not for secrecy: a spread that SQL and Python compute alike.
    digest = md5(f"{seed}:{row}".encode(), usedforsecurity=False).digest()
    at = int.from_bytes(digest[:4], "big") % _SPAN
    return next(place for place, limit in enumerate(_limits()) if at < limit)


def _limits() -> list[int]:
    """The millionths at which each place's share ends."""
    limits = []
    total = 0
    for site in SITES:
        total += site.share
        limits.append(round(total / DEFAULT_BIRTHS * _SPAN))
    return limits


def _columns(path: Path) -> set[str]:
    if path.suffix == ".csv":
        with path.open("rb") as file:
            head = file.readline(1 << 20)
        return {name.strip().strip('"') for name in head.decode("utf-8", "replace").split(",")}
    try:
        with duckdb.connect() as connection:
            return set(connection.read_parquet(str(path)).columns)
    except duckdb.Error:
        return set()


def _deal_parquet(path: Path, targets: list[Path], seed: int) -> list[int]:
    counts = []
    first, second, _ = _limits()
    with duckdb.connect() as connection:
        # file_row_number counts from 0; eight hex digits of the digest are its first four bytes.
        connection.execute(
            "CREATE TABLE dealt AS SELECT *,"
            " CASE WHEN spot < $first THEN 0 WHEN spot < $second THEN 1 ELSE 2 END AS place"
            " FROM (SELECT *, (('0x' || md5($seed || ':' || file_row_number)[:8])::UBIGINT % $span) AS spot"
            " FROM read_parquet($path, file_row_number = true))",
            {"first": first, "second": second, "seed": str(seed), "span": _SPAN, "path": str(path)},
        )
        for place, target in enumerate(targets):
            share = connection.sql(
                "SELECT * EXCLUDE (place, spot, file_row_number) FROM dealt WHERE place = $place"
                " ORDER BY file_row_number",
                params={"place": place},
            )
            counted = connection.execute("SELECT count(*) FROM dealt WHERE place = $place", {"place": place})
            (rows,) = counted.fetchone() or (0,)
            if rows:
                share.write_parquet(str(target), compression="zstd")
            counts.append(int(rows))
    return counts


def _deal_csv(path: Path, targets: list[Path], seed: int) -> list[int]:
    counts = [0] * len(targets)
    with ExitStack() as stack:
        lines = _lines(path, keep_ends=True)
        head = next(lines, b"")
        writes: list[Callable[[bytes], object]] = [stack.enter_context(target.open("wb")).write for target in targets]
        for write in writes:
            write(head)
        for row, line in enumerate(lines):
            place = place_of(seed, row)
            counts[place] += 1
            writes[place](line)
    for target, count in zip(targets, counts, strict=True):
        if not count:
            target.unlink()
    return counts


def _lines(path: Path, *, keep_ends: bool = False) -> Iterator[bytes]:
    """The records of a CSV file; a line end inside quotes belongs to its record."""
    with path.open("rb") as file:
        held = b""
        for line in file:
            held += line
            if held.count(b'"') % 2 == 0:
                yield held if keep_ends else held.rstrip(b"\r\n")
                held = b""
        if held:
            yield held
