"""Writing the three encrypted files anew, under new keys: what was deleted in them is then in no file, under no key.

DuckDB leaves deleted rows in blocks that it has not used again, and a disk leaves the blocks of a removed file. So the
rows that stay are copied into new files under new keys, and the old keys go: nobody opens the old blocks any more.

    keys/store.next.json -> store/*.duckdb.anew, whole and synced -> keys/store.json -> store/*.duckdb

Renaming the new keys is the moment. Before it, a start removes what was begun; after it, a start ends it (`settle`).
No more is claimed (NIST SP 800-88r2): not that blocks of the disk were overwritten, and nothing of older backups.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from swaddle import durable
from swaddle.durable import DiskFault
from swaddle.errors import IntegrityFault
from swaddle.intake.engine import THREADS, identifier
from swaddle.registry import store
from swaddle.registry.store import FILES, extension_path, quoted

SPARE_BYTES = 64 * 1024 * 1024
ANEW, NEXT = ".duckdb.anew", "store.next.json"
_MEMORY = "1 GiB"


class NotCopied(IntegrityFault):
    """A file that was written anew has not what the old one has."""

    code = "SWD-REG-87"
    what = "the store could not be written anew"
    why = "a table of the copy has another number of rows; the old files are in force, unchanged"
    fix = "run `swaddle doctor`; the memory or the disk may be failing"


def check_room(folder: Path) -> None:
    """Refuse to begin where there is no room for the copies.

    Raises:
        DiskFault: there is none.
    """
    needed = sum((folder / f"{name}.duckdb").stat().st_size for name in FILES) + SPARE_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise DiskFault("the store is written anew by a disposal, and there is no room for a second copy of it")


def begin(home: Path, box: bytes, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Copy the files under new keys and put those in force; nobody has the store open. `settle` comes after, always.

    Args:
        home: the registry's.
        box: the new keys as store.json holds them.
        before: the keys in force.
        after: the new ones.

    Raises:
        DiskFault: no room; the old files and keys are in force.
        NotCopied: a copy is not whole; the old files and keys are in force.
    """
    durable.write_file(home / "keys" / NEXT, box)
    copy_files(home / "store", before, after)
    try:
        (home / "keys" / NEXT).replace(home / "keys" / "store.json")
        durable.sync_folder(home / "keys")
    except OSError as error:
        raise durable.disk_fault(error) from error


def settle(home: Path) -> None:
    """End a rewriting whose new keys are in force; remove one that did not get so far. Nothing where there is none."""
    waiting = [path for name in FILES if (path := home / "store" / f"{name}{ANEW}").exists()]
    if (home / "keys" / NEXT).exists():
        for path in waiting:
            durable.remove_file(path.with_name(f"{path.name}.wal"))
            durable.remove_file(path)
        durable.remove_file(home / "keys" / NEXT)
        return
    for path in waiting:
        there = path.with_suffix("")
        # The old file's log first: replayed over the new file, it would be damage.
        durable.remove_file(there.with_name(f"{there.name}.wal"))
        path.replace(there)
        durable.sync_folder(path.parent)


def copy_files(folder: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Copy each file's tables into one beside it, under its new key, and sync it.

    Raises:
        DiskFault, NotCopied: as `rewrite` says.
    """
    try:
        for name in FILES:
            with _copier(folder) as connection:
                for alias, path, key in (
                    ("before", folder / f"{name}.duckdb", before[name]),
                    ("after", folder / f"{name}{ANEW}", after[name]),
                ):
                    connection.execute(store.attaching(path, alias, key))
                connection.execute("copy from database before to after")
                if _counts(connection, "before") != _counts(connection, "after"):
                    raise NotCopied
                connection.execute("checkpoint after")
                connection.execute("detach after")
                connection.execute("detach before")
            _sync(folder / f"{name}{ANEW}")
        durable.sync_folder(folder)
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise DiskFault("the store could not be written anew") from error
    except OSError as error:
        raise durable.disk_fault(error) from error


@contextmanager
def _copier(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    try:
        connection.execute(f"load '{quoted(str(extension_path()))}'")
        connection.execute(f"set threads = {THREADS}")
        connection.execute(f"set memory_limit = '{_MEMORY}'")
        connection.execute("set temp_file_encryption = true")
        connection.execute("set temp_directory = ?", [str(folder / "spill")])
        yield connection
    finally:
        connection.close()


def _counts(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, int]:
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = ? and not temporary", [database]
    ).fetchall()
    counted = {}
    for (table,) in tables:
        row = connection.execute(f"select count(*) from {database}.{identifier(table)}").fetchone()
        assert row is not None
        counted[str(table)] = int(row[0])
    return counted


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
