"""Reading a file in a process apart: start it, ask, wait, take what it gives, look that through, end it.

What goes in: the file's descriptor, open for reading only, and how to read it. What comes out: sheets in memory files
that nobody can change any more, or one error. The process gets no environment, no other descriptor, no name.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache

import msgspec

from swaddle.errors import OurBug
from swaddle.intake import opened
from swaddle.intake.faults import ReadingStopped, TooLarge
from swaddle.intake.readers.how import How
from swaddle.intake.readers.kinds import reader_of
from swaddle.intake.sheet import Sheet
from swaddle.intake.wall.answer import LIMIT_ANSWER_BYTES, LIMIT_SHEETS, Answer, Question, Unfit, fault_of, sheet_of
from swaddle.intake.wall.child import PROBE
from swaddle.intake.wall.prescan import look_through
from swaddle.intake.wall.shut import LIMITS

APART = hasattr(socket, "send_fds") and os.name == "posix"  # Windows hands no descriptor over
_CHILD = "swaddle.intake.wall.child"
_FAREWELL_SECONDS = 5.0
# The signal by which a process ended (Windows has few) -> what it had too much of.
_ENDED_FOR = {"SIGXCPU": "time", "SIGKILL": "memory", "SIGXFSZ": "memory"}


def read_apart(source_fd: int, size_bytes: int, how: How) -> list[Sheet]:
    """The sheets of a file, read in a process of its own; whoever takes them closes them.

    Args:
        source_fd: open for reading; its position does not matter.
        size_bytes: how much of it is the file.
        how: its kind, its layouts, the limits.

    Raises:
        FileFault: what the reader found wrong with the file as a whole; ReadingStopped where the process took too long
            or came to an end.
        OurBug: the reader failed, or what it handed over is not in the form of a sheet.
    """
    if not APART:  # said by `doctor`; only a submitter's check runs there
        return reader_of(how.kind)(source_fd, size_bytes, how)
    answer, descriptors = _ask(source_fd, Question(size_bytes, how))
    try:
        return _sheets(answer, descriptors)
    except BaseException as error:
        _close(descriptors)
        if isinstance(error, Unfit):
            raise OurBug("what a reader handed over is not in the form of a sheet") from None
        raise


def _sheets(answer: Answer, descriptors: list[int]) -> list[Sheet]:
    if answer.fault:
        raise fault_of(answer)
    if not answer.sheets or len(descriptors) != 2 * len(answer.sheets):
        raise Unfit
    pairs = zip(descriptors[::2], descriptors[1::2], strict=True)
    sheets = [sheet_of(told, *pair) for told, pair in zip(answer.sheets, pairs, strict=True)]
    for each in sheets:
        look_through(each)
    return sheets


@cache
def standing() -> tuple[str, ...]:
    """The walls that this machine can put around a reading process; `limits` alone, or nothing, is little."""
    if not APART:
        return ()
    empty = opened.memory_file(0)
    try:
        answer, descriptors = _ask(empty, Question(0, How(kind=PROBE)))
    finally:
        os.close(empty)
    _close(descriptors)
    return answer.walls or (LIMITS,)


def _ask(source_fd: int, question: Question) -> tuple[Answer, list[int]]:
    """The answer, and the descriptors that came with it but the answer's own."""
    ours, theirs = socket.socketpair()
    seconds = question.how.limits.seconds(question.size_bytes)
    until = time.monotonic() + seconds
    with ours:
        source = _for_reading(source_fd)
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-m", _CHILD, str(source), str(theirs.fileno())],
                pass_fds=(source, theirs.fileno()),
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            os.close(source)
            theirs.close()
        try:
            with suppress(BrokenPipeError):  # it ended already: its silence says so
                asked = msgspec.json.encode(question)
                ours.settimeout(seconds)
                ours.sendall(struct.pack(">I", len(asked)) + asked)
            if not select.select([ours], [], [], max(0.0, until - time.monotonic()))[0]:
                raise ReadingStopped(f"it took longer than {seconds:.0f} seconds")
            descriptors = _descriptors(ours)
            with suppress(subprocess.TimeoutExpired):  # it has said all, or ended: how, is in its status
                process.wait(_FAREWELL_SECONDS)
        except TimeoutError:
            raise ReadingStopped(f"it took longer than {seconds:.0f} seconds") from None
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if not descriptors:
        raise _silence(process.returncode, seconds)
    return _answer(descriptors), descriptors[1:]


def _for_reading(source_fd: int) -> int:
    """The same file, which this descriptor can only read."""
    with suppress(OSError):
        return os.open(f"/proc/self/fd/{source_fd}", os.O_RDONLY | os.O_CLOEXEC)
    return os.dup(source_fd)


def _descriptors(line: socket.socket) -> list[int]:
    """What came over the socket, closed to further programs and, where the machine can, to every change."""
    try:
        _, descriptors, _, _ = socket.recv_fds(line, 1, 1 + 2 * LIMIT_SHEETS, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    except ConnectionError:
        return []
    return list(descriptors)


def _answer(descriptors: list[int]) -> Answer:
    """Seal what came, then read the answer out of the first."""
    try:
        for each in descriptors:
            _seal(each)
        size = min(os.fstat(descriptors[0]).st_size, LIMIT_ANSWER_BYTES)
        return msgspec.json.decode(opened.read_piece(descriptors[0], size, 0), type=Answer)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        _close(descriptors[1:])
        raise OurBug("what a reading process answered is no answer") from None
    finally:
        os.close(descriptors[0])


def _close(descriptors: list[int]) -> None:
    for each in descriptors:
        os.close(each)


def _seal(memory_fd: int) -> None:
    """From here on nobody can change it; only a memory file can be sealed, so it is one."""
    try:
        import fcntl  # noqa: PLC0415  POSIX only

        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
    except (ImportError, AttributeError):
        return
    fcntl.fcntl(memory_fd, fcntl.F_ADD_SEALS, seals)


def _silence(status: int, seconds: float) -> Exception:
    """What a process meant that ended without a word."""
    why = _ENDED_FOR.get(signal.Signals(-status).name) if -status in set(signal.Signals) else None
    if why == "time":
        return ReadingStopped(f"it took longer than {seconds:.0f} seconds")
    if why == "memory":
        return TooLarge("it needs more memory than reading a file may take")
    return ReadingStopped("the reader came to an end in the middle of it")
