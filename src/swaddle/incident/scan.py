"""`incident scan`: what lies in a folder, and whom it is about, when nobody knows any more.

The folder is walked; each file is read in a process apart that can open nothing (scan_apart.py, scan_child.py); what
comes back is what the columns are, counts, and keys under a secret of this scan, which are counted in the end. Memory
does not grow with the folder. No value of a person is in the answer.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from swaddle.errors import UsageFault
from swaddle.incident import columns_words as words
from swaddle.incident.columns_persons import CATEGORIES
from swaddle.incident.scan_apart import File, read_files
from swaddle.incident.scan_count import Counted, count, resolve
from swaddle.incident.scan_frames import BUCKETS, NAMES, PERSONS, Said
from swaddle.incident.scan_state import State
from swaddle.intake import opened
from swaddle.intake.readers.hl7_stream import looks_like_hl7

BATCH_FILES, BATCH_BYTES = 120, 48 * 1024 * 1024
FEW = 10  # persons: a first and a last day of fewer would be theirs
PART_BYTES = 48 * 1024 * 1024  # of a long text
WORKERS = max(1, min(2, os.cpu_count() or 1))
_MATERIAL_FILES, _MATERIAL_BYTES = 16, 64 * 1024
_ENGINE = (b"PAR1", b"PK\x03\x04")
# Age of a file by its last change -> in words; a registry's transfer is gone within 30 days.
AGES = ((30, "under 30 days"), (365, "30 days to 1 year"), (3 * 365, "1 to 3 years"), (7 * 365, "3 to 7 years"))
OLDEST = "over 7 years"
Progress = Callable[[str, int, int], None]


class NothingToScan(UsageFault):
    """The path is not there, or cannot be listed."""

    code = "SWD-SCAN-03"
    what = "there is nothing to scan at this path"
    why = "it is no file and no folder, or this user may not look into it"
    fix = "name a file or a folder that this user can read; root sees everything"


@dataclass(frozen=True)
class Seen:
    """A file as the walk found it."""

    path: Path
    name: str
    size_bytes: int
    changed: float
    owner: int


def scan(root: Path, state_folder: Path, now: datetime, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """The object of `incident scan --json`.

    Args:
        root: a file or a folder.
        state_folder: where the scan remembers; it is gone when the scan is over.
        now: what ages are counted from.
        progress: told of phases, bytes done and bytes in all.

    Raises:
        NothingToScan: there is no such path.
        StateUnusable: the state's folder cannot be used.
    """
    began = time.monotonic()
    troubles: list[dict[str, str]] = []
    files = list(walk(root, troubles, state_folder))
    state = State(state_folder, material_of(files))
    units = units_of(files, state.done, now)
    resumed = state.resumed
    _read(units, state, progress)
    ages = {number: age_of(seen.changed, now) for number, seen in zip(units, files, strict=True)}
    counted = _counted(ages, state, progress)
    said = [(seen, number, _said(units[number], state)) for number, seen in zip(units, files, strict=True)]
    result = _result(said, counted, now, troubles)
    state.remove()
    return result | {"resumed": resumed, "seconds": round(time.monotonic() - began, 3)}


def _said(parts: Sequence[File], state: State) -> Said:
    """What was said of a file; of its parts, their sum."""
    found = [state.done[each.identity][1] for each in parts if each.identity in state.done]
    if len(found) < 2:
        return next(iter(found), Said())
    tables = [table for each in found for table in each.tables]
    troubles = dict.fromkeys(trouble for each in found for trouble in each.troubles)
    if not tables:
        return Said((), tuple(troubles))
    whole = msgspec.structs.replace(
        tables[0],
        records=sum(each.records for each in tables),
        spoilt=sum(each.spoilt for each in tables),
        unknown=sum(each.unknown for each in tables),
    )
    return Said((whole,), tuple(troubles))


def walk(root: Path, troubles: list[dict[str, str]], without: Path | None = None) -> Iterator[Seen]:
    """Every plain file below a path, in the order of names; what cannot be listed is told. No link is followed.

    Raises:
        NothingToScan: there is no such path.
    """
    try:
        info = root.lstat()
        if stat.S_ISREG(info.st_mode):
            yield Seen(root, root.name, info.st_size, info.st_mtime, info.st_uid)
            return
        if not root.is_dir():
            raise NothingToScan
        os.scandir(root).close()
    except OSError:
        raise NothingToScan from None

    def trouble(error: OSError) -> None:
        troubles.append(
            {"file": shown(os.path.relpath(error.filename or "", root)), "why": "this folder cannot be listed"}
        )

    for folder, folders, names in os.walk(root, onerror=trouble):
        folders.sort()
        here = Path(folder)
        folders[:] = [each for each in folders if here / each != without and not (here / each).is_symlink()]
        for name in sorted(names):
            path = here / name
            try:
                info = path.lstat()
            except OSError:
                continue
            if stat.S_ISREG(info.st_mode):
                yield Seen(path, os.path.relpath(path, root), info.st_size, info.st_mtime, info.st_uid)
            elif not stat.S_ISLNK(info.st_mode):
                troubles.append(
                    {"file": shown(os.path.relpath(path, root)), "why": "no plain file: a device, a pipe or a socket"}
                )


def shown(name: str) -> str:
    """A file's name as it is printed: what is no printable character is written out."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in name)


def material_of(files: Sequence[Seen]) -> bytes:
    """What the scan's secret is made from: the beginnings of the largest files."""
    digest = hashlib.sha256(b"swaddle scan 1")
    for each in sorted(files, key=lambda one: (-one.size_bytes, one.name))[:_MATERIAL_FILES]:
        digest.update(each.name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(_beginning(each.path, _MATERIAL_BYTES))
    return digest.digest()


def _beginning(path: Path, size: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK)
    except OSError:
        return b""
    try:
        return opened.read_piece(fd, size, 0)
    finally:
        os.close(fd)


def _identity(seen: Seen, begin: int = 0) -> str:
    return f"{seen.name}\0{seen.size_bytes}\0{seen.changed}\0{begin}"


def units_of(files: Sequence[Seen], done: Mapping[str, tuple[int, Said]], now: datetime) -> dict[int, list[File]]:
    """What is to be read, file by file under its number; a long text in parts. A file that is done keeps its number."""
    fresh = max((number for number, _ in done.values()), default=-1) + 1
    units: dict[int, list[File]] = {}
    for seen in files:
        splits = seen.size_bytes > 2 * PART_BYTES and in_parts(_beginning(seen.path, 4096))
        begins = range(0, seen.size_bytes, PART_BYTES) if splits else range(1)
        known = (done[each][0] for begin in begins if (each := _identity(seen, begin)) in done)
        number = next(known, fresh)
        fresh += number == fresh
        scope = hashlib.sha256(os.fsencode(Path(seen.name).parent)).digest()[:16]
        changed = datetime.fromtimestamp(min(max(seen.changed, 0), now.timestamp()), UTC).date().toordinal()
        units[number] = [
            File(
                number,
                _identity(seen, begin),
                seen.path,
                seen.size_bytes,
                scope,
                changed,
                begin,
                min(begin + PART_BYTES, seen.size_bytes) if splits else None,
            )
            for begin in begins
        ]
    return units


def in_parts(head: bytes) -> bool:
    """Whether a file that begins so is text whose lines can be read from any place on."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    odd = len(head) - len(head.translate(None, bytes({*range(9), *range(14, 32)} - {1, 2})))
    return not odd and b"\n" in head and start[:1] not in {b"{", b"[", b"<"} and not looks_like_hl7(head)


def _read(units: Mapping[int, Sequence[File]], state: State, progress: Progress) -> None:
    """Read what is not done yet."""
    every = [each for parts in units.values() for each in parts]
    left = [each for each in every if each.identity not in state.done]
    total = sum(_bytes(each) for each in every)
    finished = total - sum(_bytes(each) for each in left)
    progress("read", finished, total)

    def done(file: File, said: Said) -> None:
        nonlocal finished
        state.finish(file.identity, file.number, said)
        finished += _bytes(file)
        progress("read", finished, total)

    def keys(_: File, sign: bytes, bucket: int, records: bytes) -> None:
        state.keys(sign, bucket, records)

    def batch(files: list[File]) -> None:
        engine = any(_beginning(each.path, 4) in _ENGINE for each in files)
        read_files(files, state.secret, engine, keys, done)

    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for each in as_completed([pool.submit(batch, files) for files in _batches(left)]):
                each.result()
    finally:
        state.commit()


def _bytes(file: File) -> int:
    return (file.size_bytes if file.stop is None else file.stop) - file.begin


def _batches(files: Sequence[File]) -> Iterator[list[File]]:
    held: list[File] = []
    size = 0
    for each in files:
        held.append(each)
        size += _bytes(each)
        if len(held) == BATCH_FILES or size >= BATCH_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _counted(ages: Mapping[int, str], state: State, progress: Progress) -> Counted:
    """Count the keys, bucket by bucket; ages by file."""
    counted = Counted()
    state.clear_added()
    for bucket in range(BUCKETS):
        resolve(state.bucket(NAMES, bucket), state.add)
    for bucket in range(BUCKETS):
        progress("count", bucket + 1, BUCKETS)
        count(state.bucket(PERSONS, bucket) + state.added(bucket), counted, ages)
    return counted


def age_of(changed: float, now: datetime) -> str:
    """A file's age in words."""
    days = (now.timestamp() - changed) / 86400
    return next((name for most, name in AGES if days < most), OLDEST)


def _result(
    read: Sequence[tuple[Seen, int, Said]], counted: Counted, now: datetime, troubles: list[dict[str, str]]
) -> dict[str, Any]:
    rows = [_row(seen, said, counted.by_file[number], now) for seen, number, said in read]
    for seen, _, said in read:
        for trouble in said.troubles:
            name = f"{seen.name}/{trouble.member}" if trouble.member else seen.name
            troubles.append({"file": shown(name), "why": trouble.why})
    records = sum(row["records"] for row in rows)
    return {
        "files": len(read),
        "bytes": sum(seen.size_bytes for seen, _, _ in read),
        "records": records,
        "persons": counted.persons,
        "persons_known": counted.known,
        "records_about_nobody_known": sum(row["unknown"] for row in rows),
        "rows_not_told_apart": sum(row["spoilt"] for row in rows),
        "by_category": [
            {"category": name, "persons": persons, **_days(counted.days.get(place) if persons >= FEW else None)}
            for place, name in enumerate(CATEGORIES)
            if (persons := counted.by_category[place])
        ],
        "by_age": [
            {
                "age": age,
                "files": sum(row["age"] == age for row in rows),
                "records": sum(row["records"] for row in rows if row["age"] == age),
                "persons": counted.by_group[age],
            }
            for age in (OLDEST, *(name for _, name in reversed(AGES)))
            if any(row["age"] == age for row in rows)
        ],
        "data_elements": _elements(rows),
        "inventory": sorted(rows, key=lambda row: str(row["changed"])),
        "unreadable": troubles,
    }


def _days(days: tuple[int, int] | None) -> dict[str, str | None]:
    if days is None:
        return {"first": None, "last": None}
    return {"first": date.fromordinal(days[0]).isoformat(), "last": date.fromordinal(max(days)).isoformat()}


def _row(seen: Seen, said: Said, persons: int, now: datetime) -> dict[str, Any]:
    """One file of the inventory."""
    columns = [
        {"table": place, "place": each.place, "name": each.name or None, "element": each.element,
         "whose": each.whose or None, "by": each.by, "identifies": each.element in words.IDENTIFIERS}
        for place, table in enumerate(said.tables, start=1)
        for each in table.columns
        if each.element
    ]  # fmt: skip
    return {
        "file": shown(seen.name),
        "bytes": seen.size_bytes,
        "changed": datetime.fromtimestamp(max(seen.changed, 0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "age": age_of(seen.changed, now),
        "owner": owner_of(seen.owner),
        "kinds": sorted({each.kind for each in said.tables}),
        "records": sum(each.records for each in said.tables),
        "unknown": sum(each.unknown for each in said.tables),
        "spoilt": sum(each.spoilt for each in said.tables),
        "persons": persons,
        "columns": columns,
        "columns_not_known": sum(not each.element for table in said.tables for each in table.columns),
    }


def owner_of(number: int) -> str:
    """The owner's name on this machine, else its number."""
    try:
        import pwd  # noqa: PLC0415  POSIX only

        return pwd.getpwuid(number).pw_name
    except (ImportError, KeyError):
        return str(number)


def _elements(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each kind of data, in how many files, identifiers first."""
    files: Counter[str] = Counter()
    for row in rows:
        files.update({each["element"] for each in row["columns"]})
    order = sorted(files, key=lambda each: (each not in words.IDENTIFIERS, -files[each], each))
    return [{"element": each, "identifies": each in words.IDENTIFIERS, "files": files[each]} for each in order]
