"""What a scan remembers, so that one that was stopped goes on: a folder of its own, opaque, gone at the end.

It holds keys of persons under a secret, and what was said of the files that are done. The secret is made from the
beginnings of the files themselves and a random salt: who has this folder and not the files can try no guess.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from swaddle import durable
from swaddle.errors import SettingsFault
from swaddle.incident.scan_frames import BUCKETS, NAMES, PERSONS, Said

_MARK = "swaddle-scan.json"
_DONE = "done"
_COMMIT_SECONDS = 5.0
_COMMIT_BYTES = 32 * 1024 * 1024
_SIGNS = {PERSONS: "p", NAMES: "n"}


class StateUnusable(SettingsFault):
    """The folder for the state holds something else, or cannot be made."""

    code = "SWD-SCAN-02"
    what = "the scan has nowhere to keep its state"
    fix = "name a folder of its own with --state, on a disk with room, outside of what is scanned"


class State:
    """The state of one scan."""

    def __init__(self, folder: Path, material: bytes) -> None:
        """Take up the state in `folder`, or begin one.

        Args:
            folder: of its own.
            material: made from the files; other material begins anew.

        Raises:
            StateUnusable: it holds other things, or cannot be written.
        """
        self.folder = folder
        self._lock = Lock()
        self._waiting: dict[str, list[bytes]] = defaultdict(list)
        self._waiting_bytes = 0
        self._lengths: dict[str, int] = {}
        self._begun = monotonic()
        self.resumed = False
        self.done: dict[str, tuple[int, Said]] = {}
        try:
            self._take_up(material)
        except OSError as error:
            raise StateUnusable("the folder cannot be written") from error

    def _take_up(self, material: bytes) -> None:
        mark = self.folder / _MARK
        if self.folder.exists() and any(self.folder.iterdir()) and not mark.exists():
            raise StateUnusable("the folder holds other things")
        durable.make_folder(self.folder)
        held = self._read(mark)
        salt = bytes.fromhex(held["salt"]) if held else secrets.token_bytes(32)
        self.secret = hashlib.blake2b(material, key=salt, digest_size=32).digest()
        self._box = ChaCha20Poly1305(hashlib.blake2b(b"state", key=self.secret, digest_size=32).digest())
        if held:
            try:
                self._lengths = json.loads(self._open(bytes.fromhex(held["lengths"])))
                self._cut()
                self.done = dict(self._lines())
                self.resumed = bool(self.done)
            except (InvalidTag, ValueError, KeyError, msgspec.DecodeError):
                for each in self.folder.iterdir():
                    each.unlink()
                self._lengths, self.done = {}, {}
            else:
                return
        self._salt = salt
        self._save()

    def _read(self, mark: Path) -> dict[str, Any]:
        try:
            held = json.loads(mark.read_text("utf-8"))
            self._salt = bytes.fromhex(held["salt"])
        except (OSError, ValueError, KeyError):
            return {}
        return dict(held)

    def _cut(self) -> None:
        """Take off what was written after the last word was kept."""
        for each in self.folder.iterdir():
            if each.name != _MARK:
                kept = self._lengths.get(each.name, 0)
                if each.stat().st_size < kept:
                    raise ValueError
                os.truncate(each, kept)

    def _lines(self) -> Iterator[tuple[str, tuple[int, Said]]]:
        path = self.folder / _DONE
        if not path.exists():
            return
        for line in path.read_bytes().splitlines():
            held = json.loads(self._open(bytes.fromhex(line.decode())))
            yield held["file"], (held["number"], msgspec.convert(held["said"], Said))

    def keys(self, sign: bytes, bucket: int, records: bytes) -> None:
        """Take keys. Those of a file that is read again later come twice, which changes no count."""
        with self._lock:
            self._waiting[f"{_SIGNS[sign]}{bucket:02x}"].append(records)
            self._waiting_bytes += len(records)
            if self._waiting_bytes > _COMMIT_BYTES:
                self._write()

    def finish(self, file: str, number: int, said: Said) -> None:
        """A file is done: its keys count, and another run need not read it."""
        with self._lock:
            self.done[file] = (number, said)
            line = json.dumps({"file": file, "number": number, "said": msgspec.to_builtins(said)}).encode()
            self._waiting[_DONE].append(self._seal(line).hex().encode() + b"\n")
            if monotonic() - self._begun > _COMMIT_SECONDS or self._waiting_bytes > _COMMIT_BYTES:
                self._commit()

    def commit(self) -> None:
        """Keep all that is known so far."""
        with self._lock:
            self._commit()

    def _commit(self) -> None:
        self._write()
        self._save()
        self._begun = monotonic()

    def _write(self) -> None:
        for name, parts in self._waiting.items():
            data = b"".join(parts)
            with (self.folder / name).open("ab") as file:
                file.write(data)
            self._lengths[name] = self._lengths.get(name, 0) + len(data)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _save(self) -> None:
        lengths = self._seal(json.dumps(self._lengths).encode()).hex()
        durable.write_file(self.folder / _MARK, json.dumps({"salt": self._salt.hex(), "lengths": lengths}).encode())

    def bucket(self, sign: bytes, number: int) -> bytes:
        """All records of a bucket."""
        path = self.folder / f"{_SIGNS[sign]}{number:02x}"
        return path.read_bytes() if path.exists() else b""

    def add(self, bucket: int, records: bytes) -> None:
        """Add records to a bucket of persons, for the count only: a later run does not see them."""
        with (self.folder / f"q{bucket:02x}").open("ab") as file:
            file.write(records)

    def added(self, bucket: int) -> bytes:
        """What was added to a bucket."""
        path = self.folder / f"q{bucket:02x}"
        return path.read_bytes() if path.exists() else b""

    def clear_added(self) -> None:
        """Forget what was added."""
        for bucket in range(BUCKETS):
            (self.folder / f"q{bucket:02x}").unlink(missing_ok=True)

    def remove(self) -> None:
        """The scan is over: let the state go."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _seal(self, data: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._box.encrypt(nonce, data, None)

    def _open(self, data: bytes) -> bytes:
        return self._box.decrypt(data[:12], data[12:], None)
