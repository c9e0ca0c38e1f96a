"""The one place that opens DuckDB for reading a submission: in memory, no network, no files but the opened one.

What a submitter sends is hostile until checked, so the engine that reads it may open nothing but memory files of this
process (/proc/self/fd and its like), may load no extension, and cannot be talked out of it (the configuration is
locked).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import duckdb

from swaddle.intake import opened
from swaddle.intake.identified import add_identifiers

DEFAULT_MEMORY_BYTES = 4 * 1024**3
THREADS = 2
PACKED = "packed"  # the database in memory whose tables are compressed (packing.py)

_START = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_scan_all_frames": "false",
    "python_enable_replacements": "false",
}


def connect(
    *,
    memory_bytes: int | None = None,
    threads: int = THREADS,
    temp_directory: str = "",
    prepare: Callable[[duckdb.DuckDBPyConnection], None] | None = None,
    allowed_paths: Iterable[str] = (),
    packed: bool = False,
) -> duckdb.DuckDBPyConnection:
    """An in-memory database that is safe to read a stranger's file with.

    Args:
        memory_bytes: the most it uses; by default 4 GiB or half of the machine's memory, whichever is less.
        threads: worker threads.
        temp_directory: where it may spill, always encrypted under a key that dies with the process; "" spills nothing.
        prepare: runs before the door is shut, for loading an extension by path or attaching the registry's store.
        allowed_paths: files it may still open after that.
        packed: keep large sheets compressed (packing.py); for a connection that nobody else works with.
    """
    connection = duckdb.connect(":memory:", config=dict(_START))
    connection.execute("SET enable_progress_bar = false")  # it would print among the data on stdout
    connection.execute(f"SET threads = {int(threads)}")
    connection.execute(f"SET memory_limit = '{memory_bytes or _default_memory_bytes()} bytes'")
    connection.execute("SET temp_file_encryption = true")
    connection.execute("SET temp_directory = ?", [temp_directory])
    add_identifiers(connection)  # the rules ask identifier_status and postal_status
    if packed:
        connection.execute(f"ATTACH ':memory:' AS {PACKED} (COMPRESS)")
        connection.execute(f"SET search_path = 'memory.main,{PACKED}.main'")
    if prepare is not None:
        prepare(connection)
    else:
        # It checks and nothing else: one wide SELECT, whose layers work nothing out twice (layers.py). Looking for what
        # stands in it twice takes a small file a tenth of its time, and makes the check of a large one slower.
        connection.execute("SET disabled_optimizers = 'common_subexpressions'")
    connection.execute("SET allowed_directories = ?", [opened.folders()])
    connection.execute("SET allowed_paths = ?", [list(allowed_paths)])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _default_memory_bytes() -> int:
    try:
        machine_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return DEFAULT_MEMORY_BYTES
    return min(DEFAULT_MEMORY_BYTES, machine_bytes // 2)


def literal(text: str) -> str:
    """`text` as an SQL string literal, for words out of the dictionary or a mapping where a parameter cannot stand."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
