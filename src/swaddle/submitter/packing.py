"""A folder as one run of plaintext: read once, packed as it goes, nothing written to the disk.

The plan fixes where everything lies, so a file that cannot be read keeps its place, filled with zero bytes, and the
index at the end says so: the others arrive, and it is sent again by the next run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from swaddle.envelope import pack
from swaddle.envelope.manifest import FileEntry
from swaddle.envelope.positioned import BINARY, read_at
from swaddle.errors import OurBug
from swaddle.submitter.folder import Planned
from swaddle.submitter.prepare import SourceGone

READ_BYTES = 1_048_576
DIGEST_BYTES = 32
INDEX_LINES = 1_000
# Neither follow what became a link, nor wait on what became a pipe.
_OPEN = (
    os.O_RDONLY | BINARY
    | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
)  # fmt: skip
_ENTER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_HAS_FOLDERS = os.open in os.supports_dir_fd


class Changed(Exception):
    """A file is not the one that was planned."""


class PackPlaintext:
    """A pack over planned files; close it. Read from `start` to the end, each place after the one before it."""

    def __init__(self, folder: Path, members: Sequence[Planned]) -> None:
        """Open the folder; no file yet.

        Raises:
            SourceGone: the folder is not there.
        """
        self._files = _Files(folder)
        self._members = members
        self._name = folder.name or "folder"
        self._at = 0
        self._next = 0
        self._rest = memoryview(b"")  # bytes that are ready: a header, padding, the index
        self._content: _Content | None = None  # a file that did not fit into one reading
        self._digests = bytearray()
        self._left_out: list[tuple[int, str]] = []
        self._index = sha256()
        self._tail: Iterator[bytes] | None = None

    def close(self) -> None:
        """Let the folder go."""
        if self._content is not None:
            self._content.close()
        self._files.close()

    def start(self, offset: int) -> None:
        """Read again what an earlier run has sent: a digest of plaintext is never written down."""
        buffer = memoryview(bytearray(min(READ_BYTES, offset)))
        while self._at < offset:
            self.read_at(self._at, buffer[: min(READ_BYTES, offset - self._at)])

    def read_at(self, offset: int, buffer: memoryview) -> int:
        """What lies in the pack at `offset`, which is where the last reading ended."""
        if offset != self._at:
            raise OurBug("a pack is read in order")
        done, end = 0, len(buffer)
        while done < end:
            if self._rest:
                piece = self._rest[: end - done]
                buffer[done : done + len(piece)] = piece
                self._rest = self._rest[len(piece) :]
                done += len(piece)
            elif self._content is not None:
                done += self._content.fill(buffer[done:end])
                if not self._content.left_bytes:
                    self._note(*self._content.close())
                    self._content = None
            elif self._next < len(self._members):
                done += self._begin(buffer[done:end])
            else:
                self._tail = self._tail or self._after_members()
                self._rest = memoryview(next(self._tail, b""))
                if not self._rest:
                    break
        self._at += done
        return done

    def take(self, piece: memoryview) -> None:
        """Nothing: each member has a digest of its own, and the index has one."""

    def end(self) -> FileEntry:
        """The folder's name, the pack's length, the digest of its index."""
        if self._tail is None or self._rest or next(self._tail, b""):
            raise OurBug("a pack ends when all of it was read")
        return FileEntry(self._name, self._at, self._index.hexdigest())

    def left_out(self) -> tuple[tuple[int, str], ...]:
        """Number (from 1) and state of each member that could not be sent whole."""
        return tuple(self._left_out)

    def _begin(self, buffer: memoryview) -> int:
        """The next member: all of it at once where it fits, as nearly all do."""
        member = self._members[self._next]
        self._next += 1
        size = member.size_bytes
        head = pack.header(member.name, size, self._next)
        start = len(head)
        end = start + size
        whole = end + pack.padding(size)
        if whole > len(buffer):
            self._rest, self._content = memoryview(head), _Content(self._files, member)
            return 0
        buffer[:start] = head
        digest, state = self._read_whole(member, buffer[start:end])
        buffer[end:whole] = bytes(whole - end)
        self._digests += digest
        if state:
            self._left_out.append((self._next, state))
        return whole

    def _read_whole(self, member: Planned, buffer: memoryview) -> tuple[bytes, str]:
        """A whole file in one reading, compared once, behind it: what changed before or while it was read shows."""
        state = ""
        try:
            descriptor = self._files.open(member.path or member.name)
            try:
                count = read_at(descriptor, buffer, 0)
                _check(descriptor, member)
            finally:
                os.close(descriptor)
            if count == len(buffer):
                return sha256(buffer).digest(), state
            state = "changed"
        except FileNotFoundError:
            state = "gone"
        except OSError:
            state = "unreadable"
        except Changed:
            state = "changed"
        buffer[:] = bytes(len(buffer))
        return bytes(DIGEST_BYTES), state

    def _note(self, digest: bytes, state: str) -> None:
        """A member that took more than one reading is through."""
        self._digests += digest
        if state:
            self._left_out.append((self._next, state))
        self._rest = memoryview(bytes(pack.padding(self._members[self._next - 1].size_bytes)))

    def _after_members(self) -> Iterator[bytes]:
        """The index, some lines at a time, between its header and the archive's end."""
        size = pack.index_bytes(member.name for member in self._members)
        yield pack.index_header(size)
        states = dict(self._left_out)
        for start in range(0, len(self._members), INDEX_LINES):
            lines = b"".join(
                b"%s  %s\n" % (self._digest_or_state(number, states), member.name.encode())
                for number, member in enumerate(self._members[start : start + INDEX_LINES], start=start)
            )
            self._index.update(lines)
            yield lines
        yield bytes(pack.padding(size)) + pack.END

    def _digest_or_state(self, number: int, states: dict[int, str]) -> bytes:
        state = states.get(number + 1)
        digest = self._digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]
        return digest.hex().encode() if state is None else pack.STATES[state].encode()


class _Content:
    """The content of one member: always as many bytes as were planned."""

    def __init__(self, files: _Files, member: Planned) -> None:
        """Open the file, if it is the one that was planned."""
        self.left_bytes = member.size_bytes
        self._member = member
        self._digest = sha256()
        self._descriptor = -1
        self._state = ""
        try:
            self._descriptor = files.open(member.path or member.name)
            _check(self._descriptor, member)
        except FileNotFoundError:
            self._state = "gone"
        except OSError:
            self._state = "unreadable"
        except Changed:
            self._state = "changed"

    def fill(self, buffer: memoryview) -> int:
        """The next bytes of the file; zero bytes once it is not what it was."""
        piece = buffer[: self.left_bytes]
        done = 0
        if not self._state:
            try:
                done = read_at(self._descriptor, piece, self._member.size_bytes - self.left_bytes)
                self._state = "" if done == len(piece) else "changed"
            except OSError:
                self._state = "unreadable"
        if self._state:
            piece[done:] = bytes(len(piece) - done)
        else:
            self._digest.update(piece)
        self.left_bytes -= len(piece)
        return len(piece)

    def close(self) -> tuple[bytes, str]:
        """Digest and state; compares the file once more with what was planned."""
        if not self._state:
            try:
                _check(self._descriptor, self._member)
            except Changed:
                self._state = "changed"
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        return self._digest.digest(), self._state


def _check(descriptor: int, member: Planned) -> None:
    """Compare an open file with its plan.

    Raises:
        OSError: it is no regular file.
        Changed: it is another one than was planned.
    """
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise OSError
    if found.st_size != member.size_bytes or found.st_mtime_ns != member.mtime_ns:
        raise Changed


class _Files:
    """Opens files below a folder, part by part, so that no part of a path is followed if it became a link."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._below: str | None = None
        self._root = self._here = -1
        if _HAS_FOLDERS:
            try:
                self._root = os.open(folder, _ENTER)
            except OSError as error:
                raise SourceGone from error
        elif not folder.is_dir():
            raise SourceGone

    def open(self, path: str) -> int:
        """A descriptor on the file at `path`.

        Raises:
            OSError: it cannot be opened, or a part of the path is a link.
        """
        if not _HAS_FOLDERS:
            whole = self._folder / path
            if not stat.S_ISREG(whole.lstat().st_mode):
                raise OSError
            return os.open(whole, _OPEN)
        below, _, name = path.rpartition("/")
        if below != self._below:
            self._enter(below)
        return os.open(name, _OPEN, dir_fd=self._here)

    def close(self) -> None:
        """Let the folders go."""
        for descriptor in {self._here, self._root} - {-1}:
            os.close(descriptor)
        self._here = self._root = -1

    def _enter(self, below: str) -> None:
        self._leave()
        here = os.dup(self._root)
        try:
            for part in below.split("/") if below else ():
                upper, here = here, os.open(part, _ENTER, dir_fd=here)
                os.close(upper)
        except OSError:
            with suppress(OSError):
                os.close(here)
            raise
        self._here, self._below = here, below

    def _leave(self) -> None:
        if self._here >= 0:
            os.close(self._here)
        self._here, self._below = -1, None
