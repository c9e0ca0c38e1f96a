"""The bytes of bodies: one file to a part, under an id that the gateway makes.

What it promises, and tests/faults tries to break:

    receive     a part that is not whole has no name of its own; it is never found, and removed at the next start
    keep        when it returns, the part survives a power cut under its id
    remove      when it returns, the part is gone for good; removing what is not there is fine
    leave       when it returns, what came of a part that broke off survives a power cut, still without a name
    finish      what was left and is whole now is kept: as `keep`
    strays      what no row knows is removed at start: a part kept but not recorded, a part never finished
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from swaddle import durable

PIECE_BYTES = 1024 * 1024
_BODY = re.compile(r"[0-9a-f]{32}")


def unfinished_name(upload: str) -> str:
    """The file name of a part that is not whole."""
    return f".{upload}.part"


class Incoming:
    """A part on its way in: bytes go to a nameless file and into a digest, until it is kept or dropped."""

    def __init__(self, folder: Path) -> None:
        """Begin a file.

        Raises:
            DiskFault: the disk said no.
        """
        self.id = secrets.token_hex(16)
        self._path = folder / self.id
        self._temporary = folder / unfinished_name(self.id)
        self._digest = sha256()
        self.size_bytes = 0
        try:
            self._descriptor = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise durable.disk_fault(error) from error
        self._is_open = True

    def write(self, pieces: Iterable[bytes]) -> None:
        """Take the next bytes.

        Raises:
            DiskFault: the disk said no.
        """
        try:
            for piece in pieces:
                self._digest.update(piece)
                self.size_bytes += len(piece)
                durable.write_all(self._descriptor, piece)
        except OSError as error:
            raise durable.disk_fault(error) from error

    def sha256(self) -> bytes:
        """The digest of what came so far."""
        return self._digest.digest()

    def keep(self) -> str:
        """Make the part survive a power cut, and give it its name.

        Raises:
            DiskFault: the disk said no; nothing is there.
        """
        try:
            os.fsync(self._descriptor)
            self._close()
            self._temporary.rename(self._path)
            durable.sync_folder(self._path.parent)
        except OSError as error:
            self.drop()
            with suppress(OSError):
                self._path.unlink()
            raise durable.disk_fault(error) from error
        return self.id

    def leave(self) -> int:
        """Make what came so far survive a power cut, for an upload that goes on; how many bytes it is.

        Raises:
            DiskFault: the disk said no; nothing is there.
        """
        try:
            os.fsync(self._descriptor)
            self._close()
            durable.sync_folder(self._path.parent)
        except OSError as error:
            self.drop()
            raise durable.disk_fault(error) from error
        return self.size_bytes

    def fileno(self) -> int:
        """The descriptor, write-only, for the SFTP door, which writes by itself; nothing of that is digested here."""
        return self._descriptor

    def drop(self) -> None:
        """Forget the part; what cannot be removed now is a stray at the next start."""
        self._close()
        with suppress(OSError):
            self._temporary.unlink()

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._descriptor)


class Store:
    """The folder of bodies."""

    def __init__(self, folder: Path) -> None:
        """Use `folder`, made by `gateway init`."""
        self._folder = folder

    def receive(self) -> Incoming:
        """Begin a part.

        Raises:
            DiskFault: the disk said no.
        """
        return Incoming(self._folder)

    def open(self, body: str) -> int:
        """A descriptor to read a kept part by; the caller closes it.

        Raises:
            DiskFault: the disk said no.
        """
        try:
            return os.open(self._path(body), os.O_RDONLY)
        except OSError as error:
            raise durable.disk_fault(error) from error

    def remove(self, body: str) -> None:
        """Remove a part for good.

        Raises:
            DiskFault: the disk said no.
        """
        durable.remove_file(self._path(body))

    def unfinished(self, upload: str) -> Path:
        """The file of a part that broke off, or is about to come in pieces."""
        return self._path(upload).with_name(unfinished_name(upload))

    def finish(self, upload: str) -> str:
        """Give a part that came in pieces, and was synced, its name; the body's id.

        Raises:
            DiskFault: the disk said no; it is unfinished as before.
        """
        path = self._path(upload)
        try:
            self.unfinished(upload).rename(path)
            durable.sync_folder(path.parent)
        except OSError as error:
            raise durable.disk_fault(error) from error
        return upload

    def drop_unfinished(self, upload: str) -> None:
        """Remove what broke off; if it is not there, that is fine.

        Raises:
            DiskFault: the disk said no.
        """
        durable.remove_file(self.unfinished(upload))

    def bodies(self) -> Iterator[str]:
        """Ids of the parts that are kept."""
        return (path.name for path in self._folder.iterdir() if _BODY.fullmatch(path.name))

    def remove_strays(self, known: Collection[str]) -> int:
        """Remove every file that is not a known part; only when nothing is coming in. How many there were.

        Raises:
            DiskFault: the disk said no.
        """
        strays = [path for path in self._folder.iterdir() if path.name not in known]
        for path in strays:
            durable.remove_file(path)
        return len(strays)

    def free_bytes(self) -> int:
        """What the disk has left for this user."""
        if os.name == "nt":
            import shutil  # noqa: PLC0415 - only where statvfs is missing

            return shutil.disk_usage(self._folder).free
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize

    def _path(self, body: str) -> Path:
        if not _BODY.fullmatch(body):
            raise ValueError("a body's id is 32 hex digits")
        return self._folder / body
