"""The system calls that a shut reading process may still make, as a filter for the Linux kernel (man 2 seccomp).

An allow-list: a process that has its file open and its modules loaded needs memory, its descriptors, the time and a way
to end. Everything else is answered "not permitted": to open a file, to make a socket, to start a process, to look at
another one. Memory that could hold new machine code is refused too. Numbers are from the kernel's tables
(arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h) for the two machines that registries run on.
"""

from __future__ import annotations

import os
import struct

# name -> number on (x86_64, aarch64); None where the machine does not have it
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "poll": (7, None),
    "ppoll": (271, 73),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "writev": (20, 66),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "dup": (32, 23),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "sendmsg": (46, 211),
    "exit": (60, 93),
    "uname": (63, 160),
    "fcntl": (72, 25),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "getuid": (102, 174),
    "sigaltstack": (131, 132),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "fadvise64": (221, 223),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "newfstatat": (262, 79),
    "readv": (19, 65),
    "preadv": (295, 69),
    "preadv2": (327, 286),
    "pwritev2": (328, 287),
    "pwritev": (296, 70),
    "getrandom": (318, 278),
    "memfd_create": (319, 279),
    "membarrier": (324, 283),
    "statx": (332, 291),
    "rseq": (334, 293),
}
_WITH_CODE: dict[str, tuple[int, int]] = {"mmap": (9, 222), "mprotect": (10, 226)}
_SIGNAL_ONESELF = (234, 131)  # tgkill
_OPEN_FOR_READING = (257, 56)  # openat
# What looks a path up before it is opened; none of it reads a file.
_LOOK_UP: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "stat": (4, None),
    "lstat": (6, None),
    "getcwd": (79, 17),
}

# A library that lays out text begins threads. clone3 hides its flags behind a pointer, so it is answered "no such
# call", and the C library falls back to clone, whose flags can be looked at: a thread, never a process.
_CLONE, _CLONE3 = (56, 220), (435, 435)
_AS_THREAD = 0x10000

_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000  # the calls of a second table on x86_64
_PROT_EXEC = 4
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | 1, 0x80000000  # refuse: errno 1, EPERM
_NO_SUCH_CALL = 0x00050000 | 38  # ENOSYS
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16


def program(*, opens_to_read: bool, threads: bool = False) -> bytes | None:
    """The filter for this machine as the kernel takes it; None for a machine that the table does not have.

    Args:
        opens_to_read: files may be opened for reading; only right where landlock leaves nothing to open but nameless
            memory files.
        threads: further threads of this process may be begun.
    """
    machine = _MACHINES.get(os.uname().machine)
    if machine is None or struct.calcsize("P") != 8:
        return None
    place, arch = machine
    steps = [(_LOAD, 0, 0, _ARCH), (_EQUAL, 1, 0, arch), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, _NUMBER)]
    steps += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for numbers in (*_CALLS.values(), *(_LOOK_UP.values() if opens_to_read else ())):
        if numbers[place] is not None:
            steps += [(_EQUAL, 0, 1, numbers[place] or 0), (_RETURN, 0, 0, _ALLOW)]
    for codes in _WITH_CODE.values():
        steps += _unless(codes[place], argument=2, bits=_PROT_EXEC)
    if opens_to_read:
        changes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        steps += _unless(_OPEN_FOR_READING[place], argument=2, bits=changes)
    if threads:
        steps += [(_EQUAL, 0, 1, _CLONE3[place]), (_RETURN, 0, 0, _NO_SUCH_CALL)]
        steps += [
            (_EQUAL, 0, 4, _CLONE[place]),
            (_LOAD, 0, 0, _ARGUMENTS),
            (_ANY_BIT, 0, 1, _AS_THREAD),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _REFUSE),
        ]
    steps += [
        (_EQUAL, 0, 4, _SIGNAL_ONESELF[place]),
        (_LOAD, 0, 0, _ARGUMENTS),
        (_EQUAL, 0, 1, os.getpid()),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *each) for each in steps)


def _unless(number: int, *, argument: int, bits: int) -> list[tuple[int, int, int, int]]:
    """Allow call `number` unless its argument has one of `bits`."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _ARGUMENTS + 8 * argument),
        (_ANY_BIT, 0, 1, bits),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
