"""Shutting a reading process in: what an unprivileged process may take from itself, for good.

In this order: limits, another user where it is root, no new privileges, landlock (no file, no TCP, no signal to
others), then seccomp (a short list of system calls). Whatever this machine does not have is left out and said: the
parent is told which walls stand, and `doctor` shows it.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Sequence
from contextlib import suppress

from swaddle.intake.wall import seccomp

LIMITS, OTHER_USER, NO_NEW_PRIVILEGES = "limits", "another user", "no new privileges"
LANDLOCK, SECCOMP = "landlock", "seccomp"
OPEN_FILES = 160  # two for each sheet and a few
_NOBODY = 65534
_SET_NO_NEW_PRIVS, _SET_DUMPABLE = 38, 4
_SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same number on every machine
_BENEATH, _READ_FILE_AND_FOLDER = 1, 1 << 2 | 1 << 3
_FILE_RIGHTS = ((1, 13), (2, 14), (3, 15), (5, 16))  # landlock's version, how many rights on files it knows
_TCP_SINCE, _SCOPES_SINCE = 4, 6
_ALL_THREADS = 1


def limit(*, memory_bytes: int, cpu_seconds: int, file_bytes: int) -> list[str]:
    """Limits of the kernel on memory, time, descriptors and the size of a file; no core dump."""
    try:
        import resource  # noqa: PLC0415  Windows has none
    except ImportError:
        return []
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        with suppress(ValueError, OSError):  # macOS cannot limit address space
            resource.setrlimit(what, (most, most))
    return [LIMITS]


def become_nobody() -> list[str]:
    """Root gives its rights away; any other user has none to give."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return []
    os.setgroups([])
    os.setgid(_NOBODY)  # of root: real, effective and saved
    os.setuid(_NOBODY)
    if sys.platform == "linux":
        # A process that changed its user may not look at its own descriptors by path; DuckDB must.
        _libc().prctl(_SET_DUMPABLE, 1, 0, 0, 0)
    return [OTHER_USER]


def forbid_files(readable: Sequence[str] = ()) -> list[str]:
    """No new privileges; with landlock nothing of the file system can be opened any more, only nameless memory files.

    Holds for threads that are started later.

    Args:
        readable: folders that can still be read, where they are there; fonts, for one.
    """
    if sys.platform != "linux":
        return []
    libc = _libc()
    if libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return []
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return [NO_NEW_PRIVILEGES]
    rights = max(count for since, count in _FILE_RIGHTS if since <= version)
    rules = struct.pack(
        "=QQQ", (1 << rights) - 1, 3 if version >= _TCP_SINCE else 0, 3 if version >= _SCOPES_SINCE else 0
    )
    known = 24 if version >= _SCOPES_SINCE else 16 if version >= _TCP_SINCE else 8
    ruleset = libc.syscall(_CREATE_RULESET, rules, known, 0)
    if ruleset < 0:
        return [NO_NEW_PRIVILEGES]
    try:
        for folder in readable:
            _leave_readable(libc, ruleset, folder)
        shut = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    finally:
        os.close(ruleset)
    return [NO_NEW_PRIVILEGES, LANDLOCK] if shut else [NO_NEW_PRIVILEGES]


def _leave_readable(libc: ctypes.CDLL, ruleset: int, folder: str) -> None:
    try:
        place = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return  # what is not there cannot be read
    try:
        libc.syscall(_ADD_RULE, ruleset, _BENEATH, struct.pack("=Qi", _READ_FILE_AND_FOLDER, place), 0)
    finally:
        os.close(place)


def forbid_calls(*, opens_to_read: bool, threads: bool = False) -> list[str]:
    """From here on only the system calls of the list, in every thread; nothing can be imported any more."""
    if sys.platform != "linux":
        return []
    steps = seccomp.program(opens_to_read=opens_to_read, threads=threads)
    number = _SECCOMP_CALL.get(os.uname().machine)
    if steps is None or number is None:
        return []
    held = ctypes.create_string_buffer(steps, len(steps))
    described = struct.pack("=H6xQ", len(steps) // 8, ctypes.addressof(held))
    return [SECCOMP] if _libc().syscall(number, 1, _ALL_THREADS, described) == 0 else []


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc
