"""Reading and writing at a place in a file, whole, from several threads at once."""

from __future__ import annotations

import os
import sys
import threading
from typing import Protocol

BINARY = getattr(os, "O_BINARY", 0)  # Windows changes line ends without it
_SEEKING = threading.Lock()  # Windows has one place per descriptor and no pread


class Positioned(Protocol):
    """What can be read at a place like a descriptor: anything that plaintext comes from."""

    def read_at(self, offset: int, buffer: memoryview) -> int:
        """Fill `buffer` from `offset`; how much there was, less than asked only at the end."""


class AtDescriptor:
    """An open file as something that can be read at a place."""

    def __init__(self, descriptor: int) -> None:
        """Read from `descriptor`, which stays its owner's to close."""
        self._descriptor = descriptor

    def read_at(self, offset: int, buffer: memoryview) -> int:
        """What lies in the file at `offset`."""
        return read_at(self._descriptor, buffer, offset)


def read_at(descriptor: int, view: memoryview, offset: int) -> int:
    """Fill `view` from `offset`; returns how much there was, less than asked only at the file's end."""
    done = 0
    while done < len(view):
        count = _read_some(descriptor, view[done:], offset + done)
        if count == 0:
            break
        done += count
    return done


def write_at(descriptor: int, view: memoryview, offset: int) -> None:
    """Write all of `view` at `offset`."""
    done = 0
    while done < len(view):
        done += _write_some(descriptor, view[done:], offset + done)


if sys.platform == "win32":

    def _read_some(descriptor: int, view: memoryview, offset: int) -> int:
        with _SEEKING:
            os.lseek(descriptor, offset, os.SEEK_SET)
            data = os.read(descriptor, len(view))
        view[: len(data)] = data
        return len(data)

    def _write_some(descriptor: int, view: memoryview, offset: int) -> int:
        with _SEEKING:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.write(descriptor, view)

else:

    def _read_some(descriptor: int, view: memoryview, offset: int) -> int:
        return os.preadv(descriptor, [view], offset)

    def _write_some(descriptor: int, view: memoryview, offset: int) -> int:
        return os.pwrite(descriptor, view, offset)
