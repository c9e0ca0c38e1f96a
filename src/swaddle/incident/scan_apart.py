"""Starting reading processes for a scan and taking what they say: files go in by descriptor, frames come out.

A process reads a few dozen files. Where it falls silent or comes to an end, the file that it was at is said to be
unreadable, and another process goes on with the next.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from swaddle.errors import SettingsFault
from swaddle.incident.scan_file import Trouble
from swaddle.incident.scan_frames import DONE, HEADER, PROGRESS, Asked, Question, Said, Unfit, checked, said_of

SILENCE_SECONDS = 300.0
_CHILD = "swaddle.incident.scan_child"
_RECEIVE_BYTES = 1024 * 1024
_ENDED_FOR = {"SIGXCPU": "it took too long", "SIGKILL": "it needs more memory than a scan may take"}

Keys = Callable[["File", bytes, int, bytes], None]  # of which file, sign, bucket, records
Done = Callable[["File", Said], None]


class NoWall(SettingsFault):
    """This system has no process that could read strangers' files without harm."""

    code = "SWD-SCAN-04"
    what = "a scan cannot run on this system"
    why = "it reads strangers' files in processes that can open nothing, and Windows has none that it knows"
    fix = "copy or share the folder to a Linux machine and scan it there"


@dataclass(frozen=True)
class File:
    """One file to be read, or a part of one.

    Attributes:
        number: in this scan.
        identity: of the file and the part.
        scope: stands for its folder.
        today: the day of its last change.
        begin, stop: where the part begins and ends; `stop` None for a whole file.
    """

    number: int
    identity: str
    path: Path
    size_bytes: int
    scope: bytes
    today: int
    begin: int = 0
    stop: int | None = None


def read_files(files: Sequence[File], secret: bytes, engine: bool, keys: Keys, done: Done) -> None:
    """Read files one after another, each said to `done`.

    Args:
        files: some dozens at most.
        secret: the scan's.
        engine: one of them may be Parquet.
        keys: takes persons as they come; those of a file that `done` was not told of do not count.
        done: takes what was said of a file.

    Raises:
        NoWall: this system cannot hand descriptors over.
    """
    if os.name != "posix":
        raise NoWall
    opened = _open(files, done)
    try:
        while opened:
            finished = _round(opened, secret, engine, keys, done)
            for _, fd in opened[:finished]:
                os.close(fd)
            opened = opened[finished:]
    finally:
        for _, fd in opened:
            os.close(fd)


def _open(files: Sequence[File], done: Done) -> list[tuple[File, int]]:
    opened = []
    for each in files:
        try:
            opened.append(
                (each, os.open(each.path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK))
            )
        except PermissionError:
            done(each, _trouble("this user may not read it"))
        except OSError:
            done(each, _trouble("it went away, or cannot be opened"))
    return opened


def _trouble(why: str) -> Said:
    return Said((), (Trouble("", why),))


def _round(opened: list[tuple[File, int]], secret: bytes, engine: bool, keys: Keys, done: Done) -> int:
    """One process; how many of the files it finished, the one at which it failed included."""
    numbers = [each.number for each, _ in opened]
    at = 0
    ours, theirs = socket.socketpair()
    with ours:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", _CHILD, str(theirs.fileno())],
            pass_fds=(theirs.fileno(), *(fd for _, fd in opened)),
            env={},
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        why = ""
        try:
            with suppress(BrokenPipeError):
                _ask(ours, Question(secret.hex(), tuple(_asked(*each) for each in opened), engine))
            for sign, number, bucket, payload in _frames(ours):
                _in_turn(number, numbers[at:])
                if sign == DONE:
                    done(opened[at][0], said_of(payload))
                    at += 1
                    if at == len(numbers):
                        break
                elif sign != PROGRESS:
                    keys(opened[at][0], sign, bucket, payload)
        except TimeoutError:
            why = f"nothing was heard of its reader for {SILENCE_SECONDS:.0f} seconds"
        except Unfit:
            why = "its reader answered in a form that does not exist: take care with this file"
        finally:
            _end(process, at_once=at == len(numbers) or bool(why))
    if at < len(numbers):
        done(opened[at][0], _trouble(why or _ended(process.returncode)))
        at += 1
    return at


def _in_turn(number: int, left: Sequence[int]) -> None:
    """That a frame is about the file whose turn it is."""
    if number != next(iter(left), None):
        raise Unfit


def _ended(status: int) -> str:
    name = signal.Signals(-status).name if -status in set(signal.Signals) else ""
    return _ENDED_FOR.get(name, "its reader came to an end in the middle of it")


def _end(process: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """One that ended by itself may take a moment to be told of, for why it did is in its status."""
    if not at_once:
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    if process.poll() is None:
        process.kill()
    process.wait()


def _asked(file: File, fd: int) -> Asked:
    return Asked(fd, file.size_bytes, file.number, file.scope.hex(), file.today, file.begin, file.stop)


def _ask(line: socket.socket, question: Question) -> None:
    asked = msgspec.json.encode(question)
    line.sendall(struct.pack(">I", len(asked)) + asked)


def _frames(line: socket.socket) -> Iterator[tuple[bytes, int, int, bytes]]:
    """What comes, until the process ends."""
    held = bytearray()
    while True:
        at = 0
        while len(held) - at >= HEADER.size:
            sign, number, bucket, size = HEADER.unpack_from(held, at)
            checked(sign, size)
            if len(held) - at < HEADER.size + size:
                break
            payload = bytes(held[at + HEADER.size : at + HEADER.size + size])
            at += HEADER.size + size
            yield sign, number, bucket, payload
        del held[:at]
        if not select.select([line], [], [], SILENCE_SECONDS)[0]:
            raise TimeoutError
        try:
            piece = line.recv(_RECEIVE_BYTES)
        except ConnectionError:
            return
        if not piece:
            return
        held += piece
