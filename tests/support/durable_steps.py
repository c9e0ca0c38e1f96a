"""Every durable step of a gateway, counted, so that a test can kill the process or refuse the disk at the n-th one.

A step is a sync, a rename or a removal on the disk, or a commit of the database.
"""

import os
import pathlib
import signal
from dataclasses import dataclass, field

from swaddle.gateway import schema


@dataclass
class Steps:
    """Counts durable steps; at the one that is due something happens, before or after it."""

    happen: object
    due: int = -1
    mode: str = "before"
    count: int = 0
    names: list = field(default_factory=list)

    def take(self, name, work):
        number, self.count = self.count, self.count + 1
        self.names.append(name)
        if number == self.due and self.mode == "before":
            self.happen(name)
        result = work()
        if number == self.due and self.mode == "after":
            self.happen(name)
        return result


class Watched:
    """A database connection whose commits are steps."""

    def __init__(self, real, steps):
        self._real, self._steps = real, steps

    def __getattr__(self, name):
        return getattr(self._real, name)

    def execute(self, sql, *values):
        if sql == "COMMIT" and self._real.total_changes != self._seen:
            return self._steps.take("commit", lambda: self._real.execute(sql, *values))
        if sql.startswith("BEGIN"):
            self._seen = self._real.total_changes
        return self._real.execute(sql, *values)

    _seen = 0


def watch(steps, patch):
    """Make every durable step one of `steps`; `patch` is setattr or a monkeypatch's."""
    fsync, rename, unlink, open_transfers = os.fsync, pathlib.Path.rename, pathlib.Path.unlink, schema.open_transfers
    patch(os, "fsync", lambda descriptor: steps.take("fsync", lambda: fsync(descriptor)))
    patch(pathlib.Path, "rename", lambda path, to: steps.take("rename", lambda: rename(path, to)))
    patch(pathlib.Path, "unlink", lambda path, **how: steps.take("unlink", lambda: unlink(path, **how)))
    patch(schema, "open_transfers", lambda path: Watched(open_transfers(path), steps))


def kill(_):
    os.kill(os.getpid(), signal.SIGKILL)
