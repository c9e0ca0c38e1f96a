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

from swaddle.errors import UsageFault
from swaddle.incident import columns_words as words
from swaddle.incident.columns_persons import CATEGORIES
from swaddle.incident.scan_apart import File, read_files
from swaddle.incident.scan_count import Counted, count, resolve
from swaddle.incident.scan_frames import BUCKETS, NAMES, PERSONS, Said
from swaddle.incident.scan_state import State
from swaddle.intake import opened

BATCH_FILES, BATCH_BYTES = 40, 64 * 1024 * 1024
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


def scan(
    root: Path, state_folder: Path, now: datetime, progress: Progress = lambda *_: None, against: Against | None = None
) -> dict[str, Any]:
    """The object of `incident scan --json`.

    Args:
        root: a file or a folder.
        state_folder: where the scan remembers; it is gone when the scan is over.
        now: what ages are counted from.
        progress: told of phases, bytes done and bytes in all.
        against: a registry that is asked which of the persons it knows.

    Raises:
        NothingToScan: there is no such path.
        StateUnusable: the state's folder cannot be used.
    """
    began = time.monotonic()
    troubles: list[dict[str, str]] = []
    files = list(walk(root, troubles, state_folder))
    state = State(state_folder, material_of(files))
    _read(files, state, now, progress)
    counted = _counted(files, state, now, progress)
    matched = against(state) if against is not None else None
    result = _result(files, state, counted, now, troubles)
    if matched is not None:
        result["against"] = matched
    state.remove()
    return result | {"resumed": state.resumed, "seconds": round(time.monotonic() - began, 3)}


Against = Callable[[State], dict[str, Any]]


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


def _identity(seen: Seen) -> str:
    return f"{seen.name}\0{seen.size_bytes}\0{seen.changed}"


def _read(files: Sequence[Seen], state: State, now: datetime, progress: Progress) -> None:
    """Read what is not done yet."""
    total = sum(each.size_bytes for each in files)
    left = [number for number, each in enumerate(files) if _identity(each) not in state.done]
    finished = total - sum(files[number].size_bytes for number in left)
    progress("read", finished, total)

    def done(number: int, said: Said) -> None:
        nonlocal finished
        state.finish(_identity(files[number]), number, said)
        finished += files[number].size_bytes
        progress("read", finished, total)

    def batch(numbers: list[int]) -> None:
        asked = [_asked(number, files[number], now) for number in numbers]
        engine = any(_beginning(each.path, 4) in _ENGINE for each in asked)
        read_files(asked, state.secret, engine, state.keys, done)

    try:
        with ThreadPoolExecutor(WORKERS) as pool:
            for each in as_completed([pool.submit(batch, numbers) for numbers in _batches(left, files)]):
                each.result()
    finally:
        state.commit()


def _batches(numbers: Sequence[int], files: Sequence[Seen]) -> Iterator[list[int]]:
    held: list[int] = []
    size = 0
    for number in numbers:
        held.append(number)
        size += files[number].size_bytes
        if len(held) == BATCH_FILES or size > BATCH_BYTES:
            yield held
            held, size = [], 0
    if held:
        yield held


def _asked(number: int, seen: Seen, now: datetime) -> File:
    scope = hashlib.sha256(os.fsencode(Path(seen.name).parent)).digest()[:16]
    changed = datetime.fromtimestamp(min(max(seen.changed, 0), now.timestamp()), UTC)
    return File(number, seen.path, seen.size_bytes, scope, changed.date().toordinal())


def _counted(files: Sequence[Seen], state: State, now: datetime, progress: Progress) -> Counted:
    """Count the keys, bucket by bucket."""
    counted = Counted()
    numbers = {
        number: files_number for files_number, each in enumerate(files) if (number := _number(state, each)) is not None
    }
    ages = {number: age_of(files[at].changed, now) for number, at in numbers.items()}
    state.clear_added()
    for bucket in range(BUCKETS):
        resolve(state.bucket(NAMES, bucket), state.add)
    for bucket in range(BUCKETS):
        progress("count", bucket, BUCKETS)
        count(state.bucket(PERSONS, bucket) + state.added(bucket), counted, ages.get)
    return counted


def _number(state: State, seen: Seen) -> int | None:
    done = state.done.get(_identity(seen))
    return done[0] if done is not None else None


def age_of(changed: float, now: datetime) -> str:
    """A file's age in words."""
    days = (now.timestamp() - changed) / 86400
    return next((name for most, name in AGES if days < most), OLDEST)


def _result(
    files: Sequence[Seen], state: State, counted: Counted, now: datetime, troubles: list[dict[str, str]]
) -> dict[str, Any]:
    rows = [_row(each, state, counted, now) for each in files]
    for each in files:
        number_said = state.done.get(_identity(each))
        for trouble in number_said[1].troubles if number_said else ():
            name = f"{each.name}/{trouble.member}" if trouble.member else each.name
            troubles.append({"file": shown(name), "why": trouble.why})
    records = sum(row["records"] for row in rows)
    return {
        "files": len(files),
        "bytes": sum(each.size_bytes for each in files),
        "records": records,
        "persons": counted.persons,
        "persons_known": counted.known,
        "records_about_nobody_known": sum(row["unknown"] for row in rows),
        "rows_not_told_apart": sum(row["spoilt"] for row in rows),
        "by_category": [
            {"category": name, "persons": counted.by_category[place], **_days(counted.days.get(place))}
            for place, name in enumerate(CATEGORIES)
            if counted.by_category[place]
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


def _row(seen: Seen, state: State, counted: Counted, now: datetime) -> dict[str, Any]:
    """One file of the inventory."""
    number, said = state.done.get(_identity(seen), (-1, Said()))
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
        "persons": counted.by_file[number],
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
