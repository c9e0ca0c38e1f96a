"""One process to a gateway's home: the lock goes with the process, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

from swaddle.errors import SettingsFault

FILE = "run.lock"


class AlreadyRunning(SettingsFault):
    """Another process holds this home."""

    code = "SWD-GATE-04"
    what = "this gateway is running already"
    why = "another process holds its home; two would tread on each other"
    fix = "stop the other one first"


class Lock:
    """Held inside `with`.

    Raises:
        AlreadyRunning: on entering, another process holds it.
    """

    def __init__(self, home: Path) -> None:
        """Name the lock of a home; nothing is taken yet."""
        self._path = home / FILE
        self._descriptor = -1

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.name != "nt":
                import fcntl  # noqa: PLC0415 - not on Windows

                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._descriptor)
            raise AlreadyRunning from None

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
