"""What `swaddle doctor` says of the wall around the reading process on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from swaddle.checkup import LOOK, MEND, Finding, good
from swaddle.intake.wall import shut
from swaddle.intake.wall.apart import standing

_CHECK = "reading"


def seen() -> Iterator[Finding]:
    """Whether strangers' files are parsed where they can do no harm."""
    walls = set(standing())
    if {shut.SECCOMP, shut.LANDLOCK} <= walls:
        yield good(_CHECK, "files are parsed in a process without keys, network or files")
    elif shut.SECCOMP in walls:
        why = "this kernel has no landlock (Linux 5.13, and `landlock` among its security modules)"
        fix = "bring the kernel up to date, or take no Parquet"
        yield Finding(_CHECK, LOOK, "a reader of Parquet could still open files of this user", why, fix)
    elif shut.LANDLOCK in walls:
        why = "this kernel or machine has no seccomp filter that is known here"
        yield Finding(_CHECK, LOOK, "a reader could still make connections", why, "allow it no network by a firewall")
    else:
        why = "this system has neither seccomp nor landlock for a process without rights"
        fix = "run a registry on Linux 5.13 or later; a submitter's own files are less of a danger"
        what = "files are parsed by a process that could open files and connections"
        yield Finding(_CHECK, MEND if shut.LIMITS not in walls else LOOK, what, why, fix)
