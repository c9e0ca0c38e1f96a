"""`registry upgrade`: a backup, then the home brought from an older form to this version's (forms.py).

    backup of the home as it is -> each step, in order, each ending with its number in the small database

A step may be done again, and its number is the last thing that it writes: a kill leaves a home of the old number, which
nothing works on but this command, and this command goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from swaddle.custody.ledger import FILE_NAME, Ledger
from swaddle.home import Kind, open_home
from swaddle.registry import backup, backup_reading, forms, keys, rewriting, settings
from swaddle.registry.backup_contents import STATE
from swaddle.registry.inside import now as utc_now
from swaddle.registry.keys import Keyring
from swaddle.registry.owner import AnotherOwner, Lock
from swaddle.registry.settings import Settings
from swaddle.registry.state import State
from swaddle.registry.store import Store


@dataclass
class Older:
    """A home of an older form, its store not opened; a backup's `Holder`."""

    home: Path
    settings: Settings
    keyring: Keyring
    ledger: Ledger
    passphrase: bytes
    clock: Callable[[], datetime]

    def now(self) -> datetime:
        """The present."""
        return self.clock()


def to_numbered(older: Older) -> None:
    """Form 2: the small database and the three files get the tables and columns of today."""
    State(older.home / STATE).close()
    Store(older.home / "store", older.keyring.store).close()


# What each number stands for, in order; each may be done again.
STEPS: Mapping[int, Callable[[Older], None]] = {2: to_numbered}


def upgrade(
    path: Path,
    passphrase: Callable[[Mapping[str, Any]], bytes],
    clock: Callable[[], datetime] = utc_now,
    *,
    with_backup: bool = True,
    out: str | None = None,
) -> dict[str, Any]:
    """Bring a registry's home to this version's form; running it again is fine.

    Args:
        path: the home; nothing may run on it.
        passphrase: see inside.open_registry.
        clock: the present.
        with_backup: make one first; off only where there is no backup pair yet.
        out: the folder of the backup.

    Returns:
        `before` and `after` (numbers of the form), `backup` (its file) or null.

    Raises:
        AnotherOwner: the registry runs.
        FormNewer: the home is of a newer version.
        NoBackupPair: there is nothing to seal the backup to; nothing was changed.
        DiskFault: the disk said no; the home is of the last number that was reached.
    """
    place = open_home(path, Kind.REGISTRY)
    lock = Lock(path)
    if not lock.take():
        raise AnotherOwner("it is running")
    try:
        before = forms.form_of(path)
        if before is None or before == forms.PRESENT:
            return {"before": before or forms.PRESENT, "after": forms.PRESENT, "backup": None}
        if before > forms.PRESENT:
            forms.check(path)
        values = place.settings()
        secret = passphrase(values)
        rewriting.settle(path)
        keyring = keys.unlock(path, secret)
        with closing(Ledger(path / FILE_NAME)) as ledger:
            older = Older(path, settings.read(values), keyring, ledger, secret, clock)
            made = backup.seal_home(older, lambda: at_rest(older), before, out) if with_backup else None
            for number in range(before + 1, forms.PRESENT + 1):
                STEPS[number](older)
                with closing(State(path / STATE)) as state:
                    forms.stamp(state, clock(), number)
            detail = {"before": before, "after": forms.PRESENT}
            ledger.append("registry-upgraded", keyring.registry_id, detail, clock())
        return {"before": before, "after": forms.PRESENT, "backup": None if made is None else made["backup"]}
    finally:
        lock.release()


@contextmanager
def at_rest(older: Older) -> Iterator[dict[str, int]]:
    """The rows of the three files, which nobody has open."""
    yield backup_reading.rows_of_files(older.home / "store", older.keyring.store, read_only=False)
