"""Putting in order what a client writes out of order, within 4 MiB. Pure.

A file is sealed as a stream: what was taken cannot be taken back or written again. Clients that write with several
requests at a time may be a little out of order; more than the window is not the protocol's idea of a file on its way.
"""

from __future__ import annotations

from collections.abc import Callable

WINDOW_BYTES = 4 * 1024 * 1024
MOST_PIECES = 512


class OutOfPlace(Exception):
    """A write that has no place in the stream; its text says why."""


class Window:
    """What came of one file: everything before `end`, and pieces behind it within the window."""

    def __init__(self) -> None:
        """Begin an empty file."""
        self.end = 0
        self._pieces: dict[int, bytearray] = {}
        self._held_bytes = 0

    @property
    def has_gap(self) -> bool:
        """Whether something came behind a place of which nothing came."""
        return bool(self._pieces)

    def write(self, offset: int, data: memoryview, sink: Callable[[memoryview], None]) -> None:
        """Take `data` at `offset`; `sink` gets what is now in order, before this returns.

        Raises:
            OutOfPlace: it overlaps what came before, or lies too far ahead.
        """
        if offset == self.end:
            self._next(data, sink)
        elif offset < self.end:
            raise OutOfPlace("this part of the file was sealed already and cannot be written again")
        else:
            self._keep(offset, data)

    def cut(self) -> None:
        """Forget what lies behind a gap: the client will begin again at `end`."""
        self._pieces.clear()
        self._held_bytes = 0

    def _next(self, data: memoryview, sink: Callable[[memoryview], None]) -> None:
        if self._pieces and min(self._pieces) < self.end + len(data):
            raise OutOfPlace("two writes overlap")
        sink(data)
        self.end += len(data)
        while self._pieces and (piece := self._pieces.pop(self.end, None)) is not None:
            sink(memoryview(piece))
            self.end += len(piece)
            self._held_bytes -= len(piece)

    def _keep(self, offset: int, data: memoryview) -> None:
        if offset + len(data) > self.end + WINDOW_BYTES:
            raise OutOfPlace("this part of the file comes too far ahead of what is missing before it")
        for at, piece in self._pieces.items():
            if at < offset + len(data) and offset < at + len(piece):
                raise OutOfPlace("two writes overlap")
        joined = next((piece for at, piece in self._pieces.items() if at + len(piece) == offset), None)
        if joined is not None:
            joined += data
        elif len(self._pieces) < MOST_PIECES:
            self._pieces[offset] = bytearray(data)
        else:
            raise OutOfPlace("too many pieces came out of order")
        self._held_bytes += len(data)
