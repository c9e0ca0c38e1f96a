"""What `swaddle doctor` finds in a home: good, worth a look, or to be mended; and the checks that all homes share.

A check looks and changes nothing. What it says names settings, files of the home and times, never a value of a person,
a submitter's name or a key.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from swaddle.canonical import format_instant
from swaddle.errors import SwaddleError

GOOD, LOOK, MEND = "good", "look", "mend"
CLOCK_LIMIT_SECONDS = 60
CLOCK_LOOK_SECONDS = 10
_MOST_FILES = 20_000


@dataclass(frozen=True)
class Finding:
    """One result.

    Attributes:
        check: what was looked at, one word or two.
        state: `good`, `look` (works, but not for ever or not as it should) or `mend` (does not work, or not safely).
        what, why, fix: for a person; why and fix are empty where all is good.
    """

    check: str
    state: str
    what: str
    why: str = ""
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        """The object of `doctor --json`."""
        return asdict(self)


def good(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check, GOOD, what)


def guarded(check: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """What a check finds; an error that it meets is a finding with the error's own three lines."""
    try:
        yield from look()
    except SwaddleError as error:
        yield Finding(check, MEND, *error.lines())
    except OSError as error:
        yield Finding(check, MEND, "something of this home cannot be read", type(error).__name__, "see its permissions")


def permissions(home: Path) -> Iterator[Finding]:
    """Nobody else may read or change anything in the home."""
    if os.name == "nt":
        return
    open_, foreign, seen = 0, 0, 0
    # A closed folder closes all below it; files are looked at all the same, for they may be moved or backed up.
    for path in [home, *(path for path in home.rglob("*") if path.suffix != ".pub")]:
        with suppress(OSError):
            found = path.lstat()
            seen += 1
            is_open = found.st_mode & 0o077 and not stat.S_ISLNK(found.st_mode) and not stat.S_ISSOCK(found.st_mode)
            open_ += bool(is_open) and (path == home or _is_secret(path))
            foreign += found.st_uid != os.geteuid()
        if seen >= _MOST_FILES:
            break
    if foreign:
        why = f"{foreign} of its files belong to another user than the one that runs this"
        yield Finding("permissions", MEND, "this home has two owners", why, "run `chown -R` for the service's own user")
    if open_:
        why = f"{open_} of its files or the folder itself can be read or changed by others"
        yield Finding("permissions", MEND, "others can look into this home", why, "run `chmod -R go= ` on it")
    if not foreign and not open_:
        yield good("permissions", "only its owner can enter this home")


def _is_secret(path: Path) -> bool:
    return path.suffix in {".key", ".json", ".db", ".toml", ".jsonl"} or path.name in {"signing", "sealing.json"}


def disk(folder: Path, least_bytes: int = 0) -> Iterator[Finding]:
    """There is room."""
    usage = shutil.disk_usage(folder)
    words = f"{usage.free / 2**30:,.1f} GiB of {usage.total / 2**30:,.1f} are free"
    if usage.free <= max(least_bytes, 64 * 2**20):
        yield Finding("disk", MEND, "the disk is full", words, "make room; nothing is taken until then")
    elif usage.free < usage.total // 20:
        yield Finding("disk", LOOK, "the disk is nearly full", words, "make room before it is")
    else:
        yield good("disk", words)


def clock(difference_seconds: float) -> Iterator[Finding]:
    """The clock against the gateway's; a signed request may be a minute off."""
    off = abs(difference_seconds)
    words = f"it is {off:.0f} seconds {'ahead of' if difference_seconds > 0 else 'behind'} the gateway's"
    if off > CLOCK_LIMIT_SECONDS:
        yield Finding("clock", MEND, "this machine's clock is wrong", words, "set it right (see your time service)")
    elif off > CLOCK_LOOK_SECONDS:
        yield Finding("clock", LOOK, "this machine's clock drifts", words, "see whether its time service runs")
    else:
        yield good("clock", "this machine's clock and the gateway's agree")


def life(check: str, name: str, end: datetime, now: datetime, look_before: timedelta, fix: str) -> Iterator[Finding]:
    """How long something is still good for."""
    if end <= now:
        yield Finding(check, MEND, f"{name} is over", f"it ended at {format_instant(end)}", fix)
    elif end - now <= look_before:
        yield Finding(check, LOOK, f"{name} ends soon", f"it ends at {format_instant(end)}", fix)
    else:
        yield good(check, f"{name} is good until {format_instant(end)}")


def report(home: Path, kind: str, findings: list[Finding], now: datetime) -> dict[str, Any]:
    """The object of `doctor --json`."""
    states = [finding.state for finding in findings]
    return {
        "home": str(home),
        "kind": kind,
        "at": format_instant(now),
        "good": states.count(GOOD),
        "look": states.count(LOOK),
        "mend": states.count(MEND),
        "findings": [finding.to_json() for finding in findings],
    }
