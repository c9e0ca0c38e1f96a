"""Looking the bytes of a memory file through before the database sees one of them.

The rows come from a process that a hostile file may have taken over. What is let through is exactly the form of
intake/sheet.py: text in UTF-8, so many rows, so many cells in all, no control character that is not its own.
"""

from __future__ import annotations

import codecs
import os

from swaddle.intake import opened
from swaddle.intake.sheet import CELL, LINE_IN_CELL, Sheet
from swaddle.intake.wall.answer import Unfit

_PIECE_BYTES = 4 * 1024 * 1024
_END, _CELL = b"\n", CELL.encode()
_OTHER_CONTROLS = bytes({*range(32)} - {0x0A, 0x09, ord(CELL), ord(LINE_IN_CELL)})


def look_through(sheet: Sheet) -> None:
    """Both files of a sheet.

    Raises:
        Unfit: a file is not in the form, or holds another number of rows than is said.
    """
    _file(sheet.rows_fd, sheet.rows, len(sheet.columns))
    _file(sheet.broken_fd, sheet.broken, 2)


def _file(memory_fd: int, rows: int, parting: int) -> None:
    """One file of `rows` rows that each have `parting` marks between cells."""
    size = os.fstat(memory_fd).st_size
    ends = marks = seen = 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in opened.chunks(memory_fd, size, _PIECE_BYTES):
        seen += len(piece)
        ends += piece.count(_END)
        marks += piece.count(_CELL)
        if len(piece.translate(None, _OTHER_CONTROLS)) != len(piece):
            raise Unfit
        _text(decoder, piece)
    if seen != size or ends != rows or marks != rows * parting:
        raise Unfit
    if size and opened.read_piece(memory_fd, 1, size - 1) != _END:
        raise Unfit


def _text(decoder: codecs.IncrementalDecoder, piece: bytes) -> None:
    """That it goes on as text in UTF-8; a letter may go on in the next piece (the last one ends in a line end)."""
    begun, _ = decoder.getstate()
    if piece.isascii() and not begun:
        return
    try:
        decoder.decode(piece)
    except UnicodeDecodeError:
        raise Unfit from None
