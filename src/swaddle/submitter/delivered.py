"""What of a folder the registry has receipted: keyed digests of name, size and time, and neither names nor content.

    HOME/folders/secret        32 random bytes: without them a digest cannot be compared with a guessed name
    HOME/folders/DIGEST.seen   records of one folder, 20 bytes each: digest (16), day it was last seen there (4)

A file that has not been in its folder for 400 days is forgotten: the memory stays as small as the folder.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from swaddle import durable
from swaddle.submitter.folder import Planned

MARK_BYTES = 16
RECORD = struct.Struct(">16sI")
REFRESHED_AFTER_DAYS = 30
FORGOTTEN_AFTER_DAYS = 400


class Delivered:
    """The memory of one folder."""

    def __init__(self, home: Path, folder: Path) -> None:
        """Nothing is read or written yet; the secret is made when first needed."""
        self._place = home / "folders"
        secret = self._secret()
        name = str(folder).encode("utf-8")
        self._path = self._place / f"{blake2b(name, key=secret, digest_size=16, person=b'folder').hexdigest()}.seen"
        self._key = blake2b(name, key=secret, digest_size=32, person=b"files").digest()

    def digests(self, members: Iterable[Planned]) -> list[bytes]:
        """What stands for each of these files as they are."""
        key = self._key
        return [
            blake2b(
                f"{member.size_bytes} {member.mtime_ns} {member.name}".encode(), key=key, digest_size=MARK_BYTES
            ).digest()
            for member in members
        ]

    def fresh(self, members: Collection[Planned], on_their_way: Iterable[Planned], at: datetime) -> list[Planned]:
        """Those files that were not receipted as they are, nor are on their way."""
        known = self._read()
        marks = self.digests(members)
        waiting = set(self.digests(on_their_way))
        self._refresh(known, marks, _day(at))
        return [
            member
            for member, mark in zip(members, marks, strict=True)
            if mark not in known and mark not in waiting
        ]  # fmt: skip

    def add(self, members: Iterable[Planned], at: datetime) -> None:
        """These files have their receipt."""
        known = self._read()
        known.update(dict.fromkeys(self.digests(members), _day(at)))
        self._write(known)

    def _refresh(self, known: dict[bytes, int], marks: Iterable[bytes], today: int) -> None:
        """Once a month: note what is still there, forget what has been gone for long."""
        old = [mark for mark in marks if known.get(mark, today) < today - REFRESHED_AFTER_DAYS]
        if old:
            known.update(dict.fromkeys(old, today))
            self._write({mark: day for mark, day in known.items() if day >= today - FORGOTTEN_AFTER_DAYS})

    def _read(self) -> dict[bytes, int]:
        """A torn or strange file is forgotten: the worst is that files are sent once more."""
        data = self._path.read_bytes() if self._path.exists() else b""
        return dict(RECORD.iter_unpack(data)) if len(data) % RECORD.size == 0 else {}

    def _write(self, known: dict[bytes, int]) -> None:
        durable.write_file(self._path, b"".join(RECORD.pack(mark, day) for mark, day in known.items()))

    def _secret(self) -> bytes:
        path = self._place / "secret"
        if not path.exists():
            durable.make_folder(self._place)
            durable.write_file(path, os.urandom(32))
        return path.read_bytes()


def forget_since(home: Path, at: datetime) -> None:
    """Forget, of every folder, what was receipted on the day of `at` or later: the registry may have lost it."""
    for path in sorted((home / "folders").glob("*.seen")):
        data = path.read_bytes()
        if len(data) % RECORD.size == 0:
            kept = [(mark, day) for mark, day in RECORD.iter_unpack(data) if day < _day(at)]
            durable.write_file(path, b"".join(RECORD.pack(mark, day) for mark, day in kept))


def _day(at: datetime) -> int:
    return int(at.timestamp()) // 86_400
