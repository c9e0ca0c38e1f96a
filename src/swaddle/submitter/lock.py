"""One send at a time in a home: a lock that the system lets go when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swaddle.durable import disk_fault
from swaddle.errors import Ours


class AnotherRuns(Ours):
    """Another process works in this home."""

    code = "SWD-SUB-02"
    exit_status = 5
    what = "another swaddle is at work in this home"
    why = "a send from a timer or from another terminal has not ended yet"
    fix = "wait until it has ended; what is not sent then is sent by the next run"


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the lock file `path` for a while.

    Raises:
        AnotherRuns: somebody else holds it.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise disk_fault(error) from error
    try:
        try:
            _lock(descriptor)
        except OSError as error:
            raise AnotherRuns from error
        yield
    finally:
        os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
