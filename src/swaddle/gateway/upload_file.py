"""The bytes of an upload that is still growing: one file, written at its end only.

What it promises, and tests/faults tries to break: what `sync` has returned is there after a power cut, and `offset`
never says more than was written. After a kill the file's length is the truth; after a power cut, what was last synced.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from swaddle import durable

READ_BYTES = 1024 * 1024
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MAKERS = {
    "sha-256": hashlib.sha256,
    "sha-512": hashlib.sha512,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),  # tus wants it: a check of the line, not of a person
}


class Hash(Protocol):
    """What of hashlib's objects is used."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take more."""

    def digest(self) -> bytes:
        """The digest so far."""

    def copy(self) -> Hash:
        """Another one that has taken the same."""


def hashes(algorithms: Iterable[str]) -> dict[str, Hash]:
    """A fresh hash for each algorithm."""
    return {name: _MAKERS[name]() for name in algorithms}


class Growing:
    """A file that grows; used by one thread at a time."""

    def __init__(
        self, path: Path, offset: int, algorithms: Iterable[str] = (), known: Mapping[str, Hash] | None = None
    ) -> None:
        """Go on at `offset`; what lies behind it is cut off, and what lies before it is digested if that is asked.

        Args:
            path: of the file; made if it is not there.
            offset: where it goes on.
            algorithms: of the digests of the whole that are wanted.
            known: these digests so far, if somebody still has them; used up.

        Raises:
            DiskFault: the disk said no.
            ShortFile: bytes that should be there are not.
        """
        self.path = path
        self.offset = offset
        self._whole = hashes(algorithms) if known is None else dict(known)
        self._began_at = offset
        self._before = dict(self._whole)
        self._content: dict[str, Hash] = {}
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            if os.fstat(self._descriptor).st_size < offset:
                os.close(self._descriptor)
                raise ShortFile
            os.ftruncate(self._descriptor, offset)
            if known is None and self._whole:
                self._digest_again()
            os.lseek(self._descriptor, offset, os.SEEK_SET)
        except OSError as error:
            raise durable.disk_fault(error) from error

    def begin(self, algorithms: Iterable[str]) -> None:
        """A request's content begins here, and is digested by itself."""
        self._began_at = self.offset
        self._before = {name: one.copy() for name, one in self._whole.items()}
        self._content = hashes(algorithms)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Take the next bytes.

        Raises:
            DiskFault: the disk said no; `offset` counts what it took before.
        """
        for piece in pieces:
            left = memoryview(piece)
            try:
                while left:
                    count = os.write(self._descriptor, left)
                    self._take(left[:count])
                    left = left[count:]
            except OSError as error:
                raise durable.disk_fault(error) from error

    def forget_content(self) -> None:
        """As before `begin`: what this request brought is cut off again.

        Raises:
            DiskFault: the disk said no.
        """
        try:
            os.ftruncate(self._descriptor, self._began_at)
            os.lseek(self._descriptor, self._began_at, os.SEEK_SET)
        except OSError as error:
            raise durable.disk_fault(error) from error
        self.offset = self._began_at
        self._whole = {name: one.copy() for name, one in self._before.items()}

    def sync(self) -> None:
        """What was written survives a power cut.

        Raises:
            DiskFault: the disk said no.
        """
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise durable.disk_fault(error) from error

    def close(self) -> None:
        """Let the file go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    @property
    def content_digests(self) -> Mapping[str, bytes]:
        """Of what came since `begin`."""
        return {name: one.digest() for name, one in self._content.items()}

    @property
    def whole_digests(self) -> dict[str, bytes]:
        """Of everything so far."""
        return {name: one.digest() for name, one in self._whole.items()}

    @property
    def running(self) -> Mapping[str, Hash]:
        """The digests of the whole so far, to go on with."""
        return self._whole

    def _take(self, data: memoryview) -> None:
        for one in (*self._whole.values(), *self._content.values()):
            one.update(data)
        self.offset += data.nbytes

    def _digest_again(self) -> None:
        at = 0
        while at < self.offset:
            data = os.pread(self._descriptor, min(READ_BYTES, self.offset - at), at)
            for one in self._whole.values():
                one.update(data)
            at += len(data)


class ShortFile(Exception):
    """Fewer bytes lie on the disk than were acknowledged."""


def length_of(path: Path) -> int:
    """How many bytes a file has; 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def boot_id() -> str:
    """Another text after each start of the machine; where the system does not say, each start of the process is one."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return secrets.token_hex(16)
