"""Large sheets are kept packed: their rows go into a compressed table in memory, a piece at a time.

A table of text costs 400 bytes a row as it is loaded and a twelfth of that once the engine has compressed it, for most
columns hold few values. So a large sheet is loaded and checked in pieces, and each piece is compressed before the next.
Only a connection that was opened for one check alone packs (`engine.connect(packed=True)`): compressing needs to be the
only one at work. The registry's store may spill to an encrypted file instead.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import duckdb

from swaddle.intake import opened
from swaddle.intake.engine import PACKED

PACKED_FROM_CELLS = 15_000_000  # half a million rows of 30 columns: 680 MiB as they are; packing takes twice the time
PIECE_BYTES = 48 * 1024 * 1024
PIECE_ROWS = 4 * 122_880  # whole groups of rows, as the engine keeps them
_END = b"\n"


def packs(connection: duckdb.DuckDBPyConnection, rows: int, columns: int) -> bool:
    """Whether a sheet of that many rows and columns is kept packed in this connection."""
    if rows * columns < PACKED_FROM_CELLS:
        return False
    return bool(connection.execute("SELECT 1 FROM duckdb_databases() WHERE database_name = ?", [PACKED]).fetchone())


def new(connection: duckdb.DuckDBPyConnection, table: str, *, packed: bool) -> str:
    """What comes after CREATE for `table`, a name of ours; the one of an earlier sheet is gone, wherever it was."""
    connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    connection.execute(f"DROP TABLE IF EXISTS {PACKED}.{table}" if _is_there(connection, table) else "SELECT 1")
    return f"TABLE {PACKED}.{table}" if packed else f"TEMP TABLE {table}"


def pack(connection: duckdb.DuckDBPyConnection) -> None:
    """Compress what was put in since the last time."""
    connection.execute(f"CHECKPOINT {PACKED}")


def pieces(memory_fd: int, size_bytes: int) -> Iterator[int]:
    """Memory files with whole rows of a sheet, one after the other, each closed when the next is asked for."""
    rest = b""
    at = 0
    while at < size_bytes:
        piece = opened.read_piece(memory_fd, min(PIECE_BYTES, size_bytes - at), at)
        at += len(piece)
        stop = len(piece) if at >= size_bytes or not piece else piece.rfind(_END) + 1
        part_fd = opened.memory_file(len(rest) + stop)
        try:
            opened.write_all(part_fd, rest)
            opened.write_all(part_fd, piece[:stop])
            rest = piece[stop:]
            del piece
            yield part_fd
        finally:
            os.close(part_fd)
        if at >= size_bytes:
            return


def ranges(rows: int) -> Iterator[tuple[int, int]]:
    """First and last row id of each piece of a packed table."""
    for first in range(0, rows, PIECE_ROWS):
        yield first, first + PIECE_ROWS - 1


def _is_there(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND table_name = ?", [PACKED, table]
    ).fetchone()
    return found is not None
